//! How fast feeds are read, beside Python's feedparser and `feed_rs` alone.
//!
//! In: 1,000 Arabic entries of our own making, as CDATA, escaped, and in windows-1256. Out: MB/s and ratios on standard
//! output. Each reader's time is the processor's, the best of several, in one run on one machine: figures of different runs don't compare.
//! feedparser runs in a process of its own (`feedparser.py`, which times itself); without it that column is empty.
//!
//! No bench library: what is wanted is one ratio to an outside program, which none of them knows how to run.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

use std::hint::black_box;
use std::path::Path;
use std::process::Command;

use jiff::Timestamp;
use rasid::parse::parse;
use rasid::source::{Document, FeedConfig, Validators};

mod clock;
#[path = "../tests/it/edition.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod edition;

use edition::Markup;

/// How often each document is read.
const ROUNDS: usize = 5;

/// The best of so many times, in MB/s of one core.
fn speed(bytes: usize, read: impl FnMut()) -> f64 {
    bytes as f64 / 1e6 / clock::best(ROUNDS, read)
}

fn document(bytes: &[u8]) -> Document {
    Document {
        bytes: bytes.to_vec(),
        url: "https://paper.example/feed.xml".parse().unwrap(),
        status: 200,
        content_type: None,
        charset: None,
        validators: Validators::default(),
        cut: None,
        redirects: Vec::new(),
        fresh_for: None,
    }
}

/// What feedparser does in MB/s, as it says itself; `None` where there is no Python with it.
fn feedparser(file: &Path) -> Option<f64> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/feedparser.py");
    let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    let output = Command::new(python).arg(script).arg(file).output().ok()?;
    String::from_utf8(output.stdout).ok()?.split_ascii_whitespace().next()?.parse().ok()
}

/// The charset of older Arabic sites, one byte a letter. The sentences hold only what it has.
fn windows_1256(text: &str) -> Vec<u8> {
    const LETTERS: &str = "ءآأؤإئابةتثجحخدذرزسشصض×طظعغـفقكàلâمنهوçèéêëىي";
    let letters: Vec<char> = LETTERS.chars().collect();
    let byte = |c: char| match c {
        c if c.is_ascii() => c as u8,
        '،' => 0xA1,
        '«' => 0xAB,
        '»' => 0xBB,
        c => 0xC1 + u8::try_from(letters.iter().position(|known| *known == c).unwrap()).unwrap(),
    };
    text.replace("UTF-8", "windows-1256").chars().map(byte).collect()
}

fn main() {
    let stories = edition::stories(1, 1_000, 8);
    let (cdata, escaped) = (edition::rss(&stories, Markup::Cdata), edition::rss(&stories, Markup::Escaped));
    let old = windows_1256(&cdata);
    let atom = edition::atom(&stories, Markup::Escaped);
    let directory = std::env::temp_dir().join(format!("rasid-bench-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let feed = FeedConfig::new("paper".parse().unwrap(), "https://paper.example/feed.xml".parse().unwrap());
    let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    println!(
        "{:24} {:>6} {:>8} {:>8} {:>10} {:>8}",
        "1,000 Arabic entries", "MB", "rasid", "feed_rs", "feedparser", "ratio"
    );
    for (what, bytes) in [
        ("RSS, CDATA", cdata.into_bytes()),
        ("RSS, escaped", escaped.into_bytes()),
        ("RSS, windows-1256", old),
        ("Atom, escaped", atom.into_bytes()),
    ] {
        let document = document(&bytes);
        let entries = parse(&document, &feed, now).unwrap().entries.len();
        assert_eq!(entries, stories.len(), "{what}");
        let ours = speed(bytes.len(), || drop(black_box(parse(&document, &feed, now))));
        let alone = speed(bytes.len(), || drop(black_box(feed_rs::parser::parse(&bytes[..]))));
        let file = directory.join("feed.xml");
        std::fs::write(&file, &bytes).unwrap();
        let theirs = feedparser(&file);
        let or_none = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.1}"));
        println!(
            "{what:24} {:6.2} {ours:8.1} {alone:8.1} {:>10} {:>8}",
            bytes.len() as f64 / 1e6,
            or_none(theirs),
            or_none(theirs.map(|theirs| ours / theirs))
        );
    }
    std::fs::remove_dir_all(directory).unwrap();
}
