//! How fast copies are found, in how much memory, and how many: beside datasketch, rensa and gaoya.
//!
//! In: made-up news ([`made_up`]) up to a million articles; where they are beside the checkout, real articles and changed
//! copies of them. Out: articles a second, bytes an article and ratios on standard output. Times are the processor's for
//! one core. The others (`copies.py`, a process of its own that times itself) get the words cut and normalized already.
//! Arguments: how many articles the window holds, one measurement each (100000 1000000 where there is none).
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a program for measuring")]

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::read::GzDecoder;
use jiff::{SignedDuration, Timestamp};
use rasid::dedup::verdict::{Known, Subject};
use rasid::dedup::{Corpora, Fingerprint, Index, Original, Verdict, VerdictKind, decide};
use rasid::id::{ContentHash, ItemId};
use rasid::text::tokenize::Words;
use serde_json::Value;

mod clock;
mod made_up;

/// Articles in one measurement.
const BATCH: usize = 8_000;

/// Titles and texts.
type Articles = Vec<(String, String)>;

/// What is known, as the daemon knows it.
struct Newsroom {
    index: Index,
    exact: HashMap<ContentHash, ItemId>,
    corpora: Corpora,
    at: Timestamp,
    seen: u64,
    /// Shingles in the order of the text, on the disk as in the store, and where each item's begin and how many there are.
    wordings: File,
    places: HashMap<ItemId, (u64, u32)>,
    written: u64,
}

impl Newsroom {
    fn new() -> Self {
        Self {
            index: Index::default(),
            exact: HashMap::new(),
            corpora: Corpora::default(),
            at: "2026-03-01T00:00:00Z".parse().unwrap(),
            seen: 0,
            wordings: tempfile::tempfile().unwrap(),
            places: HashMap::new(),
            written: 0,
        }
    }

    fn judge(&self, fingerprint: &Fingerprint) -> Verdict {
        let by_content = fingerprint.content.and_then(|content| self.exact.get(&content)).copied();
        let subject = Subject { fingerprint, published_at: self.at };
        let wording = |id: ItemId| {
            let (begin, count) = self.places.get(&id)?;
            let mut bytes = vec![0; *count as usize * 4];
            self.wordings.read_exact_at(&mut bytes, *begin).unwrap();
            Some(bytes.as_chunks().0.iter().map(|bytes| u32::from_be_bytes(*bytes)).collect())
        };
        decide(&subject, &self.corpora, &self.index, &Known { by_url: None, by_content }, &wording)
    }

    fn store(&mut self, fingerprint: &Fingerprint) -> ItemId {
        // Ids of items are hashes.
        let mut id = ItemId([7; 16]);
        id.0[..8].copy_from_slice(&self.seen.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
        self.seen += 1;
        self.at += SignedDuration::from_secs(2);
        if let Some(content) = fingerprint.content {
            self.exact.entry(content).or_insert(id);
        }
        let bytes: Vec<u8> = fingerprint.shingles.iter().flat_map(|shingle| shingle.to_be_bytes()).collect();
        self.wordings.write_all_at(&bytes, self.written).unwrap();
        self.places.insert(id, (self.written, u32::try_from(fingerprint.shingles.len()).unwrap()));
        self.written += bytes.len() as u64;
        self.index.insert(id, self.at, fingerprint);
        id
    }

    /// The whole way of an article.
    fn read(&mut self, title: &str, text: &str) -> VerdictKind {
        let fingerprint = Fingerprint::of(title, text);
        let kind = self.judge(&fingerprint).kind;
        if !kind.is_duplicate() {
            self.store(&fingerprint);
        }
        kind
    }
}

fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(path);
    let there = path.exists();
    if !there {
        println!("SKIPPED: {} is not there; made-up articles stand in for it", path.display());
    }
    there.then_some(path)
}

fn lines(path: &Path) -> impl Iterator<Item = Value> + use<> {
    let lines = BufReader::new(GzDecoder::new(File::open(path).unwrap())).lines();
    lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap())
}

fn field(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

/// Real articles, where they are there, by date.
fn real() -> Option<Articles> {
    let mut all: Vec<Value> = lines(&shared("articles_dev.jsonl.gz")?).collect();
    all.sort_by_key(|article| field(article, "date"));
    Some(all.iter().map(|article| (field(article, "title"), field(article, "text"))).collect())
}

fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok()).unwrap_or_default() * 1024
}

/// A batch, stage by stage and then as a whole; each ends in the window.
fn measure(newsroom: &mut Newsroom, name: &str, articles: &Articles) {
    let count = articles.len() as f64;
    let words = count
        / clock::once(|| {
            for (title, text) in articles {
                std::hint::black_box((Words::of(title), Words::of(text)));
            }
        });
    let mut fingerprints = Vec::with_capacity(articles.len());
    let print =
        count / clock::once(|| fingerprints.extend(articles.iter().map(|(title, text)| Fingerprint::of(title, text))));
    let judge = count
        / clock::once(|| {
            for fingerprint in &fingerprints {
                std::hint::black_box(newsroom.judge(fingerprint));
            }
        });
    let mut copies = 0;
    let whole = count
        / clock::once(|| {
            for (title, text) in articles {
                copies += usize::from(newsroom.read(title, text).is_copy());
            }
        });
    let window = newsroom.index.len();
    println!("{window:>9}  {name:8}  {words:>7.0}  {print:>12.0}  {judge:>8.0}  {whole:>10.0}  {copies:>6}");
}

/// Made-up news until the window is as full as asked, then made-up and real news on top of it.
fn fill(sizes: &[usize], real: Option<&Articles>) {
    let before = resident();
    let mut newsroom = Newsroom::new();
    let mut writer = made_up::Writer::new(7);
    println!("   window  articles  words/s  fingerprints/s  verdicts/s  end to end/s  copies");
    for size in sizes {
        while newsroom.index.len() < *size {
            let piece = writer.write();
            newsroom.read(&piece.title, &piece.text);
        }
        let (items, bytes, grown) = (newsroom.index.len(), newsroom.index.bytes(), resident() - before);
        let batch: Articles = (0..BATCH).map(|_| writer.write()).map(|piece| (piece.title, piece.text)).collect();
        measure(&mut newsroom, "made up", &batch);
        if let Some(real) = real {
            measure(&mut newsroom, "real", real);
        }
        println!(
            "{items:>9}  {} bytes an item counted, {} of the process, the tables of exact texts and of places included",
            bytes / items,
            grown / items
        );
    }
}

/// Speed and recall of this and of others on the same texts: `stream` for the speed, `known` and `new` (with the number of
/// its original among the known, or nothing) for the recall.
struct Contest {
    stream: Articles,
    known: Vec<String>,
    new: Vec<(String, String, Option<usize>)>,
}

impl Contest {
    fn of(real: Option<Articles>) -> Self {
        let mut writer = made_up::Writer::new(11);
        let stream = real.unwrap_or_else(|| (0..BATCH).map(|_| writer.write()).map(|p| (p.title, p.text)).collect());
        let mut contest = Self { stream, known: Vec::new(), new: Vec::new() };
        let Some(path) = shared("near_duplicates_dev.jsonl.gz") else {
            let pieces: Vec<_> = (0..2_000).map(|_| writer.write()).collect();
            let first = BATCH.min(contest.stream.len());
            for piece in &pieces {
                let of = piece.of.and_then(|of| of.checked_sub(first)).filter(|of| pieces[*of].of.is_none());
                contest.new.extend(of.map(|of| ("rewritten".to_owned(), piece.text.clone(), Some(of))));
                contest.known.push(piece.text.clone());
            }
            return contest;
        };
        let mut numbers = HashMap::new();
        for record in lines(&path).filter(|record| record["kind"] == "original") {
            numbers.insert(field(&record, "id"), contest.known.len());
            contest.known.push(field(&record, "text"));
        }
        for record in lines(&path).filter(|record| record["kind"] != "original") {
            let copy = record["kind"] == "copy";
            let (name, of) = if copy {
                (field(&record, "change"), field(&record, "of"))
            } else {
                ("unrelated".to_owned(), String::new())
            };
            contest.new.push((name, field(&record, "text"), numbers.get(&of).copied()));
        }
        contest
    }

    fn rasid(&self) {
        let mut newsroom = Newsroom::new();
        let whole = clock::once(|| {
            for (title, text) in &self.stream {
                newsroom.read(title, text);
            }
        });
        let speed = self.stream.len() as f64 / whole;
        let bytes = newsroom.index.bytes() / newsroom.index.len();
        let mut newsroom = Newsroom::new();
        let ids: Vec<ItemId> = self.known.iter().map(|text| newsroom.store(&Fingerprint::of("", text))).collect();
        let mut scores = BTreeMap::<&str, (usize, usize)>::new();
        for (change, text, of) in &self.new {
            let verdict = newsroom.judge(&Fingerprint::of("", text));
            let original = of.and_then(|of| ids.get(of)).map(|id| Original::Item(*id));
            let score = scores.entry(change).or_default();
            score.0 += 1;
            score.1 += usize::from(verdict.kind.is_copy() && (original.is_none() || verdict.of == original));
        }
        print!("rasid        {speed:>8.0} {bytes:>7}");
        for (change, (all, right)) in scores {
            print!("  {change} {:.1}", 100.0 * right as f64 / all as f64);
        }
        println!();
    }

    /// Files of words for the other process: a text on each line, after its change and the number of its original.
    fn write(&self, folder: &Path) {
        let words = |text: &str| Words::of(text).iter().collect::<Vec<_>>().join(" ");
        let mut files = [String::new(), String::new(), String::new()];
        for (_, text) in &self.stream {
            writeln!(files[0], "{}", words(text)).unwrap();
        }
        for text in &self.known {
            writeln!(files[1], "{}", words(text)).unwrap();
        }
        for (change, text, of) in &self.new {
            let of = of.map_or("-".to_owned(), |of| of.to_string());
            writeln!(files[2], "{change}\t{of}\t{}", words(text)).unwrap();
        }
        for (name, file) in ["stream", "known", "new"].into_iter().zip(files) {
            std::fs::write(folder.join(name), file).unwrap();
        }
    }

    fn others(&self) {
        let folder = tempfile::tempdir().unwrap();
        self.write(folder.path());
        let interpreter = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/copies.py");
        let ran = Command::new(interpreter).arg(script).arg(folder.path()).status();
        if !ran.is_ok_and(|status| status.success()) {
            println!("SKIPPED: there is no Python to run the others");
        }
    }
}

fn main() {
    let sizes: Vec<usize> = std::env::args().skip(1).filter_map(|size| size.parse().ok()).collect();
    let real = real();
    fill(if sizes.is_empty() { &[100_000, 1_000_000] } else { &sizes }, real.as_ref());
    println!("\n            articles/s  bytes  found, % (of unrelated ones: wrongly called copies)");
    let contest = Contest::of(real);
    contest.rasid();
    contest.others();
}
