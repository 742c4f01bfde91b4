//! How good a search is, beside tantivy with its own Arabic stemmer and SQLite's FTS5, and how long one takes.
//!
//! In: real articles where they are beside the checkout, with queries and judgements of our own (`search_judged.tsv`: query,
//! article, grade 0 to 3); made-up news, `RASID_ITEMS` of them (100,000 where it is not set). Out: nDCG@10 of the three for
//! the half of the queries that weights were chosen by and for the half that was held back; latencies ([`search_speed`]).
//! `RASID_POOL=FILE` writes the best ten of every system, mixed, for whoever judges: query, article, in the order of ids, so
//! that nobody can tell which system found it.
//! What nobody judged counts as 0, for all three alike.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a program for measuring")]

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::read::GzDecoder;
use jiff::Timestamp;
use rasid::dedup::{Verdict, VerdictKind};
use rasid::id::{EntryKey, ItemId, Seq};
use rasid::item::{Content, Item, PublishedFrom, TextFrom};
use rasid::search::{Position, Request, Search};
use serde_json::Value;
use tantivy::collector::TopDocs;
use tantivy::query::QueryParser;
use tantivy::schema::{IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions, Value as _};
use tantivy::tokenizer::{LowerCaser, SimpleTokenizer, TextAnalyzer, Token, TokenFilter, TokenStream, Tokenizer};
use tantivy::{Index, TantivyDocument};

mod made_up;
mod recombined;
mod search_speed;

/// How many hits count.
const DEPTH: usize = 10;

/// For each query the articles that a system finds, the best first.
type Runs = Vec<Vec<String>>;

fn main() -> std::process::ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let speed_only = std::env::args().any(|argument| argument == "speed");
    let articles = root.join("../shared/data/articles_dev.jsonl.gz");
    let judged = root.join("benches/search_judged.tsv");
    if speed_only {
        println!("quality is left out");
    } else if articles.exists() {
        if let Err(why) = quality(&articles, &judged) {
            println!("{}: {why}", judged.display());
            return std::process::ExitCode::FAILURE;
        }
    } else {
        println!("no articles beside the checkout: quality is not measured");
    }
    let items = std::env::var("RASID_ITEMS").ok().and_then(|items| items.parse().ok()).unwrap_or(100_000);
    if items > 0 {
        let real = std::env::var("RASID_TEXT").is_ok_and(|text| text == "real");
        if real && !articles.exists() {
            println!("RASID_TEXT=real needs {}", articles.display());
            return std::process::ExitCode::FAILURE;
        }
        let real = real.then(|| search_speed::Real {
            articles: read(&articles)
                .into_iter()
                .map(|Article { item: Item { content, .. }, .. }| (content.title, content.text))
                .collect(),
            queries: Judged::read(&std::fs::read_to_string(&judged).unwrap()).unwrap().queries,
        });
        search_speed::speed(items, real.as_ref());
    }
    std::process::ExitCode::SUCCESS
}

struct Article {
    id: String,
    item: Item,
}

/// What was judged: queries in their order, and of query and article the grade.
struct Judged {
    queries: Vec<String>,
    grades: HashMap<(String, String), f64>,
}

impl Judged {
    /// Reads lines of a query, an article and a grade from 0 to 3 between tabs; else which line is none, and why.
    fn read(lines: &str) -> Result<Self, String> {
        let mut judged = Self { queries: Vec::new(), grades: HashMap::new() };
        for (nth, line) in lines.lines().enumerate() {
            let wrong = |why: &str| format!("line {}: {why}: {line}", nth + 1);
            let fields: Vec<&str> = line.split('\t').collect();
            let [query, article, grade] = fields.as_slice() else {
                return Err(wrong(&format!("three fields between tabs were expected, not {}", fields.len())));
            };
            let grade: u8 =
                grade.parse().ok().filter(|grade| *grade <= 3).ok_or_else(|| wrong("no grade from 0 to 3"))?;
            if query.is_empty() || article.is_empty() {
                return Err(wrong("the query or the article is missing"));
            }
            if judged.queries.last().is_none_or(|last| last != query) {
                if judged.queries.iter().any(|known| known == query) {
                    return Err(wrong("the lines of a query do not stand together"));
                }
                judged.queries.push((*query).to_owned());
            }
            if judged.grades.insert(((*query).to_owned(), (*article).to_owned()), f64::from(grade)).is_some() {
                return Err(wrong("judged twice"));
            }
        }
        Ok(judged)
    }
}

fn quality(articles: &Path, judged: &Path) -> Result<(), String> {
    let Judged { queries, grades } = Judged::read(&std::fs::read_to_string(judged).unwrap())?;
    let read = read(articles);
    let mut runs: Vec<(&str, Runs)> = vec![("rasid", ours(&read, &queries))];
    let (all, any) = theirs(&read, &queries);
    runs.extend([("tantivy, all words", all), ("tantivy, any word", any)]);
    runs.extend([
        ("FTS5, all words", fts(articles, &queries, "and")),
        ("FTS5, any word", fts(articles, &queries, "or")),
    ]);
    if let Ok(pool) = std::env::var("RASID_POOL") {
        let mut lines = String::new();
        for (nth, query) in queries.iter().enumerate() {
            let found: BTreeSet<&String> = runs.iter().flat_map(|(_, run)| &run[nth]).collect();
            for article in found {
                lines += &format!("{query}\t{article}\n");
            }
        }
        std::fs::write(pool, lines).unwrap();
    }
    println!("nDCG@{DEPTH} over {} queries, {} judgements", queries.len(), grades.len());
    println!("{:20} {:>8} {:>8} {:>8} {:>8}", "", "tuned", "held", "all", "judged");
    for (name, run) in &runs {
        let each: Vec<f64> = queries.iter().zip(run).map(|(query, found)| ndcg(query, found, &grades)).collect();
        let mean = |half: usize| {
            let half: Vec<f64> = each.iter().skip(half).step_by(2).copied().collect();
            half.iter().sum::<f64>() / half.len() as f64
        };
        let all = each.iter().sum::<f64>() / each.len() as f64;
        let known = queries.iter().zip(run).flat_map(|(query, found)| {
            found.iter().map(|article| grades.contains_key(&(query.clone(), article.clone())))
        });
        let known: Vec<bool> = known.collect();
        let share = known.iter().filter(|known| **known).count() as f64 / known.len().max(1) as f64;
        println!("{name:20} {:8.3} {:8.3} {all:8.3} {share:8.2}", mean(0), mean(1));
    }
    if std::env::var_os("RASID_EACH").is_some() {
        for (nth, query) in queries.iter().enumerate() {
            let each: Vec<String> =
                runs.iter().map(|(_, run)| format!("{:.2}", ndcg(query, &run[nth], &grades))).collect();
            println!("{}  {query}", each.join(" "));
        }
    }
    Ok(())
}

fn read(articles: &Path) -> Vec<Article> {
    let lines = BufReader::new(GzDecoder::new(File::open(articles).unwrap())).lines();
    lines.map(|line| article(&serde_json::from_str(&line.unwrap()).unwrap())).collect()
}

fn ndcg(query: &str, found: &[String], grades: &HashMap<(String, String), f64>) -> f64 {
    let gain = |grade: f64, at: usize| (grade.exp2() - 1.0) / (at as f64 + 2.0).log2();
    let grade = |article: &String| grades.get(&(query.to_owned(), article.clone())).copied().unwrap_or_default();
    let dcg: f64 = found.iter().take(DEPTH).enumerate().map(|(at, article)| gain(grade(article), at)).sum();
    let mut ideal: Vec<f64> = grades.iter().filter(|((of, _), _)| of == query).map(|(_, grade)| *grade).collect();
    ideal.sort_by(|a, b| b.total_cmp(a));
    let ideal: f64 = ideal.iter().take(DEPTH).enumerate().map(|(at, grade)| gain(*grade, at)).sum();
    if ideal > 0.0 { dcg / ideal } else { 0.0 }
}

fn item(id: &str, title: &str, summary: &str, text: &str, at: Timestamp) -> Item {
    let feed = "bench".parse().unwrap();
    Item {
        id: ItemId::of(&feed, EntryKey::of("guid", id)),
        seq: Seq(1),
        feed,
        content: Content {
            url: None,
            canonical_url: None,
            guid: None,
            title: title.to_owned(),
            summary: summary.to_owned(),
            text: text.to_owned(),
            text_from: TextFrom::Feed,
            authors: Vec::new(),
            language: Some("ar".to_owned()),
            tags: Vec::new(),
            image: None,
            published_at: at,
            published_from: PublishedFrom::Feed,
            fetched_at: at,
        },
        stored_at: at,
        revision: 1,
        topics: Vec::new(),
        verdict: Verdict { kind: VerdictKind::New, of: None, similarity: 0.0 },
        superseded_by: None,
        judged: None,
        pinned: false,
        copies: Vec::new(),
        story: None,
    }
}

fn article(line: &Value) -> Article {
    let field = |name: &str| line[name].as_str().unwrap_or_default();
    let at = field("date").parse().unwrap_or_default();
    Article { id: field("id").to_owned(), item: item(field("id"), field("title"), field("summary"), field("text"), at) }
}

/// The time that ages count to: a year after the articles.
fn now() -> Timestamp {
    "2019-12-31T00:00:00Z".parse().unwrap()
}

fn ours(articles: &[Article], queries: &[String]) -> Runs {
    let dir = tempfile::tempdir().unwrap();
    let search = Search::new(dir.path().join("search"));
    let mut indexer = search.indexer().unwrap();
    articles.iter().for_each(|article| indexer.add(&article.item).unwrap());
    indexer.reach(Position::default());
    indexer.commit().unwrap();
    let names: HashMap<ItemId, &String> = articles.iter().map(|article| (article.item.id, &article.id)).collect();
    let run = |query: &String| {
        let request = Request { query: query.clone(), limit: DEPTH, ..Request::default() };
        let found = search.find(&request, now()).unwrap();
        found.hits.iter().map(|hit| names[&hit.id].clone()).collect()
    };
    queries.iter().map(run).collect()
}

/// What tantivy's own filter does for Arabic: the same stemmer, one token at a time.
#[derive(Clone)]
struct Stemming;

impl TokenFilter for Stemming {
    type Tokenizer<T: Tokenizer> = Stemmed<T>;

    fn transform<T: Tokenizer>(self, inner: T) -> Stemmed<T> {
        Stemmed(inner)
    }
}

#[derive(Clone)]
struct Stemmed<T>(T);

impl<T: Tokenizer> Tokenizer for Stemmed<T> {
    type TokenStream<'a> = Stems<T::TokenStream<'a>>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Self::TokenStream<'a> {
        Stems(self.0.token_stream(text), frostem::Stemmer::new(frostem::Algorithm::Arabic))
    }
}

struct Stems<S>(S, frostem::Stemmer);

impl<S: TokenStream> TokenStream for Stems<S> {
    fn advance(&mut self) -> bool {
        if !self.0.advance() {
            return false;
        }
        let stem = self.1.stem(&self.0.token().text).into_owned();
        self.0.token_mut().text = stem;
        true
    }

    fn token(&self) -> &Token {
        self.0.token()
    }

    fn token_mut(&mut self) -> &mut Token {
        self.0.token_mut()
    }
}

/// With all words asked for, and with any.
fn theirs(articles: &[Article], queries: &[String]) -> (Runs, Runs) {
    let mut schema = Schema::builder();
    let indexing =
        TextFieldIndexing::default().set_tokenizer("arabic").set_index_option(IndexRecordOption::WithFreqsAndPositions);
    let words = TextOptions::default().set_indexing_options(indexing);
    let id = schema.add_text_field("id", STRING | STORED);
    let (title, body) = (schema.add_text_field("title", words.clone()), schema.add_text_field("body", words));
    let index = Index::create_in_ram(schema.build());
    let arabic = TextAnalyzer::builder(SimpleTokenizer::default()).filter(LowerCaser).filter(Stemming).build();
    index.tokenizers().register("arabic", arabic);
    let mut writer = index.writer_with_num_threads::<TantivyDocument>(1, 100 << 20).unwrap();
    for article in articles {
        let content = &article.item.content;
        let mut document = TantivyDocument::default();
        document.add_text(id, &article.id);
        document.add_text(title, &content.title);
        let own = !content.text.contains(&content.summary);
        document
            .add_text(body, if own { format!("{}\n{}", content.summary, content.text) } else { content.text.clone() });
        writer.add_document(document).unwrap();
    }
    writer.commit().unwrap();
    let searcher = index.reader().unwrap().searcher();
    let run = |all: bool| {
        let mut parser = QueryParser::for_index(&index, vec![title, body]);
        if all {
            parser.set_conjunction_by_default();
        }
        let one = |query: &String| {
            let query = parser.parse_query(query).unwrap();
            let found = searcher.search(&query, &TopDocs::with_limit(DEPTH).order_by_score()).unwrap();
            let name = |address| {
                let document: TantivyDocument = searcher.doc(address).unwrap();
                document.get_first(id).unwrap().as_str().unwrap().to_owned()
            };
            found.into_iter().map(|(_, address)| name(address)).collect()
        };
        queries.iter().map(one).collect()
    };
    (run(true), run(false))
}

fn fts(articles: &Path, queries: &[String], joined: &str) -> Runs {
    let dir = tempfile::tempdir().unwrap();
    let asked = dir.path().join("queries");
    std::fs::write(&asked, queries.join("\n")).unwrap();
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches/search.py");
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let output = Command::new(python).arg(script).arg(articles).arg(asked).arg(joined).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}
