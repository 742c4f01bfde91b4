//! How long a search takes, by what is asked for.
//!
//! In: `RASID_ITEMS` items, made up ([`super::made_up`], its inflecting writer) or, with `RASID_TEXT=real`, put together from
//! sentences of the articles beside the checkout ([`super::recombined`]): 50 feeds, up to three of 40 topics, a seventh of
//! them copies, a year of them, every fiftieth written again, so that the index has removed documents. Out: for every kind of
//! query the median, the 99th of a hundred and the longest of what passes from the query to a page of 20 with its
//! highlights, for one reader and for two at once. Each query is asked three times; beside other work on the machine the
//! shortest of the three says more, so both are told.
//! `RASID_INDEX` names a directory in which the index is kept between runs, `RASID_KIND` the one kind of query that is asked.
//! Not here: the store. What a page shows is read from one file; reading 20 items of a store takes 1 to 3 ms more.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use rasid::dedup::VerdictKind;
use rasid::id::{FeedId, ItemId};
use rasid::item::Item;
use rasid::search::{Query, Request, Search, Sort, show};
use rasid::topic::{Decision, TopicMatch};

use crate::{item, made_up, now, recombined};

const SEED: u64 = 7;
const FEEDS: usize = 50;
const TOPICS: usize = 40;
/// Queries of each kind.
const EACH: usize = 60;
const ROUNDS: usize = 3;
const PAGE: usize = 20;
/// Ranks below are those of small words.
const FIRST: usize = 32;
const WORDS: usize = 60_000;

/// Whoever writes the items, and knows which words and phrases are in them.
enum News {
    MadeUp(made_up::Writer),
    Recombined(recombined::Writer),
}

impl News {
    fn of(real: Option<&Real>) -> Self {
        match real {
            Some(real) => Self::Recombined(recombined::Writer::new(real.articles.iter().cloned(), SEED)),
            None => Self::MadeUp(made_up::Writer::inflecting(SEED)),
        }
    }

    fn write(&mut self) -> made_up::Piece {
        match self {
            Self::MadeUp(writer) => writer.write(),
            Self::Recombined(writer) => writer.write(),
        }
    }

    /// The more frequent the lower its rank: a rank between the two, the lower the likelier.
    fn word(&self, rng: &mut Rng, from: usize, to: usize) -> &str {
        let to = if let Self::Recombined(writer) = self { writer.words().len().min(to) } else { to };
        let rank = (from as f64 * (to as f64 / from as f64).powf(rng.f64())) as usize;
        match self {
            Self::MadeUp(writer) => writer.word(rank),
            Self::Recombined(writer) => &writer.words()[rank],
        }
    }

    fn phrase(&self, rng: &mut Rng, count: usize) -> String {
        match self {
            Self::MadeUp(writer) => {
                let phrase = (30_000_f64).powf(rng.f64()) as usize;
                writer.phrase(phrase.min(29_999)).take(count).collect::<Vec<_>>().join(" ")
            }
            Self::Recombined(writer) => writer.phrase(rng, count),
        }
    }
}

/// Real articles, headline and text, and queries that somebody wrote for them.
pub struct Real {
    pub articles: Vec<(String, String)>,
    pub queries: Vec<String>,
}

pub fn speed(items: usize, real: Option<&Real>) {
    let kept = std::env::var_os("RASID_INDEX").map(PathBuf::from);
    let temporary = tempfile::tempdir().unwrap();
    let dir = kept.as_deref().unwrap_or(temporary.path());
    let contents = write(dir, items, News::of(real));
    let search = Search::new(dir.join("search"));
    let _indexer = search.indexer().unwrap();
    let mut asked = queries(&News::of(real), real.map_or(&[], |real| &real.queries));
    if let Ok(only) = std::env::var("RASID_KIND") {
        asked.retain(|(kind, _)| *kind == only);
    }
    let world = World { search, contents };
    let text = if real.is_some() { "of real sentences" } else { "made up" };
    println!("{items} items, {text}; {} queries", asked.len());
    for readers in [1, 2] {
        let runs: Vec<Vec<Run>> = std::thread::scope(|scope| {
            let started: Vec<_> = (0..readers)
                .map(|nth| {
                    scope.spawn({
                        let (world, asked) = (&world, &asked);
                        move || world.run(asked, nth)
                    })
                })
                .collect();
            started.into_iter().map(|reader| reader.join().unwrap()).collect()
        });
        println!("\nreaders: {readers}; ms as they came, and the best of {ROUNDS}");
        println!(
            "{:24} {:>7} {:>7} {:>7}   {:>7} {:>7} {:>7} {:>10}",
            "", "p50", "p99", "most", "p50", "p99", "most", "hits (p50)"
        );
        let runs: Vec<&Run> = runs.iter().flatten().collect();
        let mut kinds: Vec<&str> = asked.iter().map(|(kind, _)| *kind).collect();
        kinds.dedup();
        for kind in kinds {
            line(kind, &runs.iter().copied().filter(|run| run.kind == kind).collect::<Vec<_>>());
        }
        line("all", &runs);
    }
}

struct Run {
    kind: &'static str,
    query: String,
    total: u64,
    took: [f64; ROUNDS],
}

fn line(name: &str, runs: &[&Run]) {
    let shares = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
        format!("{:7.2} {:7.2} {:7.2}", at(0.5), at(0.99), at(1.0))
    };
    let best = |run: &&Run| run.took.iter().copied().fold(f64::INFINITY, f64::min);
    let came = shares(runs.iter().flat_map(|run| run.took).collect());
    let mut totals: Vec<u64> = runs.iter().map(|run| run.total).collect();
    totals.sort_unstable();
    println!("{name:24} {came}   {} {:10}", shares(runs.iter().map(best).collect()), totals[totals.len() / 2]);
    if std::env::var_os("RASID_EACH").is_some() && name != "all" {
        let mut slow: Vec<&&Run> = runs.iter().collect();
        slow.sort_by(|a, b| best(b).total_cmp(&best(a)));
        slow.iter().take(5).for_each(|run| println!("    {:8.2} {:8}  {}", best(run), run.total, run.query));
    }
}

struct World {
    search: Search,
    contents: Contents,
}

impl World {
    fn run(&self, asked: &[(&'static str, Request)], nth: usize) -> Vec<Run> {
        let mut runs: Vec<Run> = asked
            .iter()
            .map(|(kind, request)| Run { kind, query: request.query.clone(), total: 0, took: [0.0; ROUNDS] })
            .collect();
        let mut order: Vec<usize> = (0..asked.len()).collect();
        let mut rng = Rng::with_seed(nth as u64);
        for round in 0..ROUNDS {
            rng.shuffle(&mut order);
            for at in &order {
                let mut request = asked[*at].1.clone();
                if asked[*at].0 == "second page" {
                    request.after = self.search.find(&request, now()).unwrap().next;
                }
                let begun = Instant::now();
                let found = self.search.find(&request, now()).unwrap();
                let query = Query::parse(&request.query, now()).unwrap();
                let shown: Vec<_> =
                    found.hits.iter().map(|hit| show(&query, &self.contents.item(hit.id).content)).collect();
                runs[*at].took[round] = begun.elapsed().as_secs_f64() * 1_000.0;
                runs[*at].total = found.total;
                assert_eq!(shown.len(), found.hits.len());
            }
        }
        runs
    }
}

fn queries(news: &News, written: &[String]) -> Vec<(&'static str, Request)> {
    let mut rng = Rng::with_seed(5);
    let between = |rng: &mut Rng, from: usize, to: usize| news.word(rng, from, to).to_owned();
    // Whoever searches takes words that say something, and of those the frequent more often.
    let word = |rng: &mut Rng| between(rng, 2 * FIRST, WORDS);
    let mut asked = Vec::new();
    let mut kind = |name: &'static str, ask: &mut dyn FnMut(&mut Rng) -> Request| {
        for _ in 0..EACH {
            asked.push((name, Request { limit: PAGE, ..ask(&mut rng) }));
        }
    };
    let text = |query: String| Request { query, ..Request::default() };
    let words = |rng: &mut Rng, count: usize| (0..count).map(|_| word(rng)).collect::<Vec<_>>().join(" ");
    let phrase = |rng: &mut Rng, count: usize| news.phrase(rng, count);
    kind("one frequent word", &mut |rng| text(between(rng, FIRST, 500)));
    kind("one rare word", &mut |rng| text(between(rng, 5_000, WORDS)));
    kind("two words", &mut |rng| text(words(rng, 2)));
    kind("two frequent words", &mut |rng| text(format!("{} {}", between(rng, FIRST, 500), between(rng, FIRST, 500))));
    kind("three words", &mut |rng| text(words(rng, 3)));
    kind("with small words", &mut |rng| text(phrase(rng, 4)));
    kind("a phrase", &mut |rng| text(format!("\"{}\"", phrase(rng, 3))));
    kind("one or another", &mut |rng| text(format!("{} OR {}", word(rng), word(rng))));
    kind("without a word", &mut |rng| text(format!("{} -{}", word(rng), word(rng))));
    kind("in the title", &mut |rng| text(format!("title:{} {}", word(rng), word(rng))));
    kind("of a topic", &mut |rng| Request { topic: Some(topic(rng.usize(0..TOPICS)).id), ..text(words(rng, 1)) });
    kind("of a feed", &mut |rng| text(format!("feed:feed-{} {}", rng.usize(0..FEEDS), word(rng))));
    kind("of the last week", &mut |rng| text(format!("{} since:7d", word(rng))));
    kind("of a month", &mut |rng| text(format!("{} since:2019-05-01 until:2019-06-01", words(rng, 2))));
    kind("newest first", &mut |rng| Request { sort: Sort::Newest, ..text(words(rng, 1)) });
    kind("second page", &mut |rng| text(words(rng, 1)));
    kind("misspelt", &mut |rng| text(format!("{} ظظ{}ظظ", words(rng, 2), rng.u32(..))));
    kind("five words", &mut |rng| text(words(rng, 5)));
    let written = written.iter().map(|query| ("as people ask", Request { limit: PAGE, ..text(query.clone()) }));
    asked.extend(written);
    asked
}

fn topic(number: usize) -> TopicMatch {
    let id = format!("topic-{number}").parse().unwrap();
    TopicMatch { id, decision: Decision::Match, score: 3.0, evidence: Vec::new() }
}

/// What is shown of an item: where it begins in the file is told by its id.
struct Contents {
    file: File,
    ids: Vec<(ItemId, u64)>,
}

impl Contents {
    fn item(&self, id: ItemId) -> Item {
        let at = self.ids.binary_search_by_key(&id, |(id, _)| *id).unwrap();
        let begin = self.ids[at].1;
        let mut length = [0; 4];
        self.file.read_exact_at(&mut length, begin).unwrap();
        let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
        self.file.read_exact_at(&mut bytes, begin + 4).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let (title, text) = text.split_once('\n').unwrap();
        item("", title, "", text, now())
    }
}

/// Writes the items' contents and the index, where they are not there yet.
fn write(dir: &Path, items: usize, mut news: News) -> Contents {
    let done = dir.join("done");
    let known = std::fs::read_to_string(&done).is_ok_and(|of| of == items.to_string());
    let (path, kept) = (dir.join("contents"), dir.join("ids"));
    if let (true, Ok(ids)) = (known, std::fs::read(&kept)) {
        let id = |id: &[u8]| (ItemId(id[..16].try_into().unwrap()), u64::from_le_bytes(id[16..].try_into().unwrap()));
        return Contents { file: File::open(path).unwrap(), ids: ids.chunks_exact(24).map(id).collect() };
    }
    let search = Search::new(dir.join("search"));
    let mut indexer = (!known).then(|| search.indexer().unwrap());
    let mut file = (!known).then(|| BufWriter::new(File::create(&path).unwrap()));
    let mut rng = Rng::with_seed(3);
    let mut contents = Vec::new();
    let mut end = 0;
    let begun = Instant::now();
    for number in 0..items {
        let piece = news.write();
        let feed: FeedId = format!("feed-{}", rng.usize(0..FEEDS)).parse().unwrap();
        let topics = rng.usize(0..=3);
        let mut item = item(&number.to_string(), &piece.title, "", &piece.text, published(number, items));
        item.feed = feed;
        for _ in 0..topics {
            // The first are the frequent ones.
            let topic = topic((TOPICS as f64).powf(rng.f64()) as usize - 1);
            if item.topics.iter().all(|known| known.id != topic.id) {
                item.topics.push(topic);
            }
        }
        if piece.of.is_some() {
            item.verdict.kind = VerdictKind::Near;
        }
        contents.push((item.id, end));
        let shown = format!("{}\n{}", piece.title, piece.text);
        end += 4 + shown.len() as u64;
        let (Some(indexer), Some(file)) = (&mut indexer, &mut file) else { continue };
        file.write_all(&u32::try_from(shown.len()).unwrap().to_le_bytes()).unwrap();
        file.write_all(shown.as_bytes()).unwrap();
        indexer.add(&item).unwrap();
        if number % 50 == 49 {
            indexer.put(&item).unwrap();
        }
        if number % 20_000 == 19_999 {
            indexer.commit().unwrap();
        }
    }
    if let (Some(mut indexer), Some(file)) = (indexer, file) {
        indexer.commit().unwrap();
        indexer.finish().unwrap();
        file.into_inner().unwrap().sync_all().unwrap();
        std::fs::write(done, items.to_string()).unwrap();
        println!("indexed in {:.0} s", begun.elapsed().as_secs_f64());
    }
    contents.sort_unstable();
    let ids: Vec<u8> = contents.iter().flat_map(|(id, begin)| id.0.into_iter().chain(begin.to_le_bytes())).collect();
    std::fs::write(kept, ids).unwrap();
    Contents { file: File::open(path).unwrap(), ids: contents }
}

/// A year of them.
fn published(number: usize, items: usize) -> Timestamp {
    let back = (items - number) as f64 / items as f64 * 365.0 * 24.0 * 60.0;
    now() - SignedDuration::from_mins(back as i64)
}
