//! Copies on real texts: the seed corpus, its shipped pack, changed copies of articles, and articles that are none.

use std::collections::{BTreeMap, HashMap};
use std::fs;

use jiff::Timestamp;
use rasid::dedup::corpus::{Corpora, Corpus, CorpusText, documents_of};
use rasid::dedup::verdict::{Known, Subject, decide};
use rasid::dedup::{Fingerprint, Index, Original, Verdict, VerdictKind};
use rasid::id::{EntryKey, ItemId};
use serde_json::Value;

use crate::support::{jsonl_gz, shared};

fn field<'a>(record: &'a Value, name: &str) -> &'a str {
    record[name].as_str().unwrap_or_default()
}

fn seeds() -> Option<Vec<CorpusText>> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(shared("seeds")?).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        texts.extend(documents_of(&name, &fs::read_to_string(&path).unwrap()).unwrap());
    }
    texts.sort_by(|a, b| a.id.cmp(&b.id));
    Some(texts)
}

fn shipped() -> Corpora {
    let pack = concat!(env!("CARGO_MANIFEST_DIR"), "/config/corpus/seed.pack");
    Corpora::new(vec![Corpus::read(&fs::read(pack).unwrap()).unwrap()])
}

#[test]
fn the_shipped_pack_is_what_packing_gives() {
    let Some(seeds) = seeds() else { return };
    let pack = Corpus::pack("seed", &seeds).unwrap();
    let shipped = fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/config/corpus/seed.pack")).unwrap();
    assert!(pack == shipped, "remake it: rasid corpus pack SEEDS -o config/corpus/seed.pack");
    for text in &seeds {
        for word in text.text.split_whitespace().filter(|word| word.len() > 6) {
            let found = shipped.windows(word.len()).any(|bytes| bytes == word.as_bytes());
            assert!(!found, "a word of a seed can be read in the pack");
        }
    }
}

#[test]
fn seeds_are_exact_however_title_and_text_are_divided_and_do_not_match_one_another() {
    let Some(seeds) = seeds() else { return };
    let corpora = shipped();
    for seed in &seeds {
        let (first, rest) = seed.text.trim_start().split_once('\n').unwrap();
        let readings = [
            ("", seed.text.as_str()),
            (&seed.title, &seed.text),
            (first, rest),
            ("موقع الأخبار", &seed.text),
            ("موقع", rest),
        ];
        for (title, text) in readings {
            let found = corpora.matches(title, text);
            let seen: Vec<_> = found.iter().map(|m| (m.document.as_str(), m.kind)).collect();
            assert_eq!(seen, [(seed.id.as_str(), VerdictKind::Exact)]);
        }
        // Four words of five replaced by others: another text.
        let other: Vec<String> = text_with_every_fifth_word(&seed.text);
        assert!(corpora.matches("", &other.join(" ")).iter().all(|m| !m.kind.is_copy()), "{}", seed.id);
    }
}

fn text_with_every_fifth_word(text: &str) -> Vec<String> {
    let word = |(i, word): (usize, &str)| if i % 5 == 0 { word.to_owned() } else { format!("كلمة{i}") };
    text.split_whitespace().enumerate().map(word).collect()
}

/// One change's share of recognized copies, and what was wrongly recognized.
#[derive(Default)]
struct Score {
    right: usize,
    all: usize,
    missed: Vec<String>,
}

struct Newsroom {
    index: Index,
    exact: HashMap<[u8; 16], ItemId>,
    names: HashMap<ItemId, String>,
    wordings: HashMap<ItemId, Vec<u32>>,
    at: Timestamp,
}

impl Newsroom {
    fn new() -> Self {
        let at = "2018-05-01T00:00:00Z".parse().unwrap();
        Self { index: Index::default(), exact: HashMap::new(), names: HashMap::new(), wordings: HashMap::new(), at }
    }

    fn store(&mut self, name: &str, of: &str, fingerprint: &Fingerprint) {
        let id = ItemId::of(&"feed".parse().unwrap(), EntryKey::of("guid", name));
        self.names.insert(id, of.to_owned());
        if let Some(content) = fingerprint.content {
            self.exact.entry(content.0).or_insert(id);
        }
        self.wordings.insert(id, fingerprint.shingles.clone());
        self.index.insert(id, self.at, fingerprint);
    }

    fn judge(&self, fingerprint: &Fingerprint) -> (Verdict, &str) {
        let by_content = fingerprint.content.and_then(|content| self.exact.get(&content.0)).copied();
        let subject = Subject { fingerprint, published_at: self.at };
        let known = Known { by_url: None, by_content };
        let wording = |id: ItemId| self.wordings.get(&id).cloned();
        let verdict = decide(&subject, &Corpora::default(), &self.index, &known, &wording);
        let of = match &verdict.of {
            Some(Original::Item(id)) => self.names.get(id).map(String::as_str).unwrap_or_default(),
            _ => "",
        };
        (verdict, of)
    }
}

#[test]
fn copies_are_recognized_before_and_after_their_originals_and_nothing_else_is() {
    recognizes_copies(|text| Fingerprint::of("", text));
}

#[test]
fn so_are_they_with_the_first_line_as_the_title() {
    recognizes_copies(|text| {
        let (title, text) = text.trim_start().split_once('\n').unwrap_or(("", text));
        Fingerprint::of(title, text)
    });
}

fn recognizes_copies(print: fn(&str) -> Fingerprint) {
    let Some(path) = shared("data/near_duplicates_dev.jsonl.gz") else { return };
    let records: Vec<(Value, Fingerprint)> = jsonl_gz(path)
        .map(|record| {
            let fingerprint = print(field(&record, "text"));
            (record, fingerprint)
        })
        .collect();
    let of_kind = |kind: &'static str| records.iter().filter(move |(record, _)| field(record, "kind") == kind);
    let corpora = shipped();

    let mut originals = Newsroom::new();
    of_kind("original").for_each(|(record, print)| originals.store(field(record, "id"), field(record, "id"), print));
    for (record, print) in of_kind("unrelated") {
        assert!(!originals.judge(print).0.kind.is_copy(), "{} is no copy", field(record, "id"));
        assert!(corpora.matches_of(print).is_empty(), "{} has nothing of a seed", field(record, "id"));
    }

    let mut scores = BTreeMap::<(&str, &str), Score>::new();
    let mut copies = BTreeMap::<&str, Newsroom>::new();
    for (record, print) in of_kind("copy") {
        let (change, of) = (field(record, "change"), field(record, "of"));
        let (verdict, found) = originals.judge(print);
        let score = scores.entry(("after", change)).or_default();
        score.all += 1;
        if verdict.kind.is_copy() && found == of {
            score.right += 1;
        } else {
            score.missed.push(format!("{of}: {verdict:?}"));
        }
        if let Some(seed) = of.strip_prefix("seed/") {
            let best = corpora.matches_of(print).into_iter().next();
            assert!(
                best.as_ref().is_some_and(|m| m.document == seed && m.kind.is_copy()),
                "{change} of {seed}: {best:?}"
            );
        }
        copies.entry(change).or_insert_with(Newsroom::new).store(field(record, "id"), of, print);
    }
    for (change, newsroom) in &copies {
        for (record, print) in of_kind("original") {
            let (verdict, found) = newsroom.judge(print);
            let score = scores.entry(("before", change)).or_default();
            score.all += 1;
            if verdict.kind.is_copy() && found == field(record, "id") {
                score.right += 1;
            } else {
                score.missed.push(format!("{}: {verdict:?}", field(record, "id")));
            }
        }
    }
    assert_eq!(scores.len(), 36);
    for ((when, change), score) in &scores {
        eprintln!("{change:<17} {when:<7} {:>3} of {}", score.right, score.all);
    }
    for ((when, change), score) in &scores {
        // A repeated word replaced by the same other word each time looks like another name: two of 155.
        let least = if *change == "sub20" { 98 } else { 99 };
        assert!(
            score.right * 100 >= score.all * least,
            "{change} {when} its original: {} of {}: {:#?}",
            score.right,
            score.all,
            score.missed
        );
    }
}

#[test]
fn no_article_of_another_year_is_a_copy_of_a_seed() {
    let Some(path) = shared("data/articles_dev.jsonl.gz") else { return };
    let corpora = shipped();
    let mut articles = 0;
    for article in jsonl_gz(path) {
        articles += 1;
        let found = corpora.matches(field(&article, "title"), field(&article, "text"));
        assert!(found.iter().all(|m| !m.kind.is_copy()), "{}: {found:?}", field(&article, "id"));
    }
    assert_eq!(articles, 8_000);
}

/// The verdicts on the articles of a year, in the order of their dates, with a window of 30 days.
#[test]
fn a_year_replayed_in_the_order_of_its_dates() {
    let Some(path) = shared("data/articles_dev.jsonl.gz") else { return };
    let mut articles: Vec<Value> = jsonl_gz(path).collect();
    articles
        .sort_by_key(|article| (field(article, "date").parse::<Timestamp>().unwrap(), field(article, "id").to_owned()));
    let mut newsroom = Newsroom::new();
    let mut kinds = BTreeMap::<u8, (VerdictKind, usize)>::new();
    for article in &articles {
        newsroom.at = field(article, "date").parse().unwrap();
        newsroom.index.expire(newsroom.at - jiff::SignedDuration::from_hours(30 * 24));
        let fingerprint = Fingerprint::of(field(article, "title"), field(article, "text"));
        let (verdict, _) = newsroom.judge(&fingerprint);
        kinds.entry(verdict.kind.weakness()).or_insert((verdict.kind, 0)).1 += 1;
        if !verdict.kind.is_duplicate() {
            newsroom.store(field(article, "id"), field(article, "id"), &fingerprint);
        }
    }
    eprintln!("{:?}", kinds.values().collect::<Vec<_>>());
    let copies: usize = kinds.values().filter(|(kind, _)| kind.is_copy()).map(|(_, count)| count).sum();
    // They were looked at one by one: docs/duplicates.md. Without the question for a part of its own there were 196.
    assert!((70..=95).contains(&copies), "{copies} copies");
}

/// Two texts of one template and a reprint of each, as (title, text).
struct Template {
    name: String,
    texts: [(String, String); 2],
    reprints: [(String, String); 2],
}

fn templates() -> Vec<Template> {
    let file = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/templates.txt")).unwrap();
    let read = |block: &str| {
        let (name, fields) = block.trim().split_once('\n').unwrap();
        let fields: HashMap<&str, &str> = fields.lines().map(|line| line.split_once(": ").unwrap()).collect();
        let filled = |field: &str, which: usize| {
            let mut parts = fields.get(field).copied().unwrap_or_default().split(['{', '}']);
            let mut out = parts.next().unwrap_or_default().to_owned();
            while let (Some(choice), Some(after)) = (parts.next(), parts.next()) {
                out.extend([choice.split('|').nth(which).unwrap(), after]);
            }
            out
        };
        let text = |which| (filled("title", which), filled("text", which));
        let reprint = |which| {
            let text = format!("{} {}", filled("dateline", which), filled("text", which));
            let words: Vec<&str> = text.split_whitespace().collect();
            let kept = if fields.contains_key("cut") { words.len() * 2 / 3 } else { words.len() };
            (filled("again", which), words[..kept].join(" "))
        };
        Template { name: name.to_owned(), texts: [text(0), text(1)], reprints: [reprint(0), reprint(1)] }
    };
    file.split("\n@ ").skip(1).map(read).collect()
}

#[test]
fn texts_of_one_template_are_two_and_their_reprints_are_copies() {
    let mut faults = Vec::new();
    let templates = templates();
    assert!(templates.len() >= 60);
    // A feed gives a headline and a text; a file may have the headline on top.
    let divided = |(title, text): &(String, String)| Fingerprint::of(title, text);
    let on_top = |(title, text): &(String, String)| Fingerprint::of("", &format!("{title}\n{text}"));
    type Reading<'a> = &'a dyn Fn(&(String, String)) -> Fingerprint;
    let readings: [(&str, Reading<'_>); 2] = [("divided", &divided), ("on top", &on_top)];
    for (reading, print) in readings {
        for Template { name, texts, reprints } in &templates {
            for (one, two) in [(0, 1), (1, 0)] {
                let mut newsroom = Newsroom::new();
                newsroom.store("one", "one", &print(&texts[one]));
                let (verdict, _) = newsroom.judge(&print(&texts[two]));
                if verdict.kind.is_copy() {
                    faults.push(format!("{name}, {reading}: the second is no copy: {verdict:?}"));
                }
                newsroom.store("two", "two", &print(&texts[two]));
                for (reprint, of) in [(one, "one"), (two, "two")] {
                    let (verdict, found) = newsroom.judge(&print(&reprints[reprint]));
                    if !verdict.kind.is_copy() || found != of {
                        faults
                            .push(format!("{name}, {reading}: the reprint is a copy of {of}: {verdict:?} of {found}"));
                    }
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}
