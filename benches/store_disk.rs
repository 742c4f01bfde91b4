//! How many bytes the store takes for what is alive in it, and what a dictionary would save.
//!
//! In: the stream of items. Out: tables. A store is filled; then it goes on with as many items alive, the oldest pruned as
//! new ones come; then half of them expire at once, and the daemon's life goes on meanwhile, a few items a second.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use jiff::Timestamp;
use rasid::dedup::{Fingerprint, Verdict};
use rasid::id::{EntryKey, ItemId};
use rasid::item::{Candidate, Content, PublishedFrom, TextFrom};
use rasid::store::{Decided, Group, MAX_PRUNE, Store, Writer};
use rasid::story::Sketch;
use serde_json::Value;

use crate::store_items::{LOG_RECORD, SEALED, Stream, at, feed, live, record};
use crate::{GROUP, directory, heading, opened, row, seconds, write};

/// How long the store is watched after half of the items are gone, and how often it is looked at.
const WATCHED: Duration = Duration::from_secs(60);
const LOOKED: Duration = Duration::from_secs(10);
/// Items a second meanwhile.
const TRICKLE: usize = 8;
/// Items that a dictionary is made of, and at most so many that it is tried on.
const SAMPLES: usize = 2_000;
const TRIED: usize = 6_000;
/// What zstd's own tool makes where it is not told.
const DICTIONARY: usize = 110 << 10;

/// A store, and what is known of the items that are alive in it.
struct Kept {
    store: Store,
    writer: Writer,
    /// When each was stored, and its bytes; oldest first.
    alive: VecDeque<(Timestamp, u64)>,
    zstd: zstd::bulk::Compressor<'static>,
    pruning: f64,
}

impl Kept {
    fn add(&mut self, group: Group) {
        let at = group.at.unwrap();
        for decided in &group.items {
            let id = ItemId::of(&decided.candidate.feed, decided.candidate.key);
            self.alive.push_back((at, live(decided, group.told.stories.get(&id).copied(), &mut self.zstd)));
        }
        self.writer.commit(group).unwrap();
    }

    /// Prunes until at most so many are alive, and those that were stored together with the last.
    fn keep(&mut self, items: usize) {
        let Some(before) = self.alive.len().checked_sub(items).and_then(|first| self.alive.get(first)) else { return };
        let before = before.0;
        let begun = Instant::now();
        loop {
            let removed = self.writer.prune(before, MAX_PRUNE).unwrap();
            self.alive.drain(..removed);
            if removed < MAX_PRUNE {
                break;
            }
        }
        self.pruning += begun.elapsed().as_secs_f64();
    }

    /// Bytes of keys and values that are alive. Counted here, item by item: the store does not tell them. What is kept of
    /// feeds is left out, and so are counters.
    fn live_bytes(&self) -> u64 {
        let items: u64 = self.alive.iter().map(|(_, bytes)| bytes).sum();
        let last = self.store.stats().unwrap().last_seq;
        items + (last + 1 - self.store.log_begins().unwrap().0) * LOG_RECORD
    }

    fn show(&self, name: &str, path: &Path) {
        let (disk, alive) = (on_disk(path), self.live_bytes());
        let cells = [
            self.alive.len().to_string(),
            format!("{:.1}", alive as f64 / 1e6),
            format!("{:.1}", disk as f64 / 1e6),
            format!("{:.2}", disk as f64 / alive as f64),
        ];
        row(name, &cells);
    }
}

/// What the files of a directory take on the disk.
fn on_disk(path: &Path) -> u64 {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    // A file may be gone by the time that it is looked at.
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => on_disk(&entry.path()),
        Ok(meta) => meta.blocks() * 512,
        Err(_) => 0,
    };
    entries.map(size).sum()
}

pub fn disk(items: usize) {
    let directory = directory();
    let path = directory.path();
    let (store, writer) = opened(path);
    let zstd = zstd::bulk::Compressor::new(SEALED).unwrap();
    let mut kept = Kept { store, writer, alive: VecDeque::new(), zstd, pruning: 0.0 };
    heading("Bytes on the disk", &["items alive", "alive, MB", "on disk, MB", "disk : alive"]);
    let mut stream = write(Stream::new(7, 0), items, |group| kept.add(group));
    kept.show("filled", path);
    let begun = Instant::now();
    for step in 1..=8 {
        stream = write(stream, items / 4, |group| {
            kept.add(group);
            kept.keep(items);
        });
        kept.show(&format!("{:.2} times as many came and went", f64::from(step) / 4.0), path);
    }
    println!(
        "written and pruned at {:.0} items/s; pruning took {:.0} % of the time",
        items as f64 * 2.0 / begun.elapsed().as_secs_f64(),
        kept.pruning / begun.elapsed().as_secs_f64() * 100.0
    );
    let expired = seconds(|| kept.keep(items / 2));
    kept.show(&format!("half expired at once, in {expired:.1} s"), path);
    let (begun, mut looked) = (Instant::now(), LOOKED);
    while looked <= WATCHED {
        kept.add(stream.group(TRICKLE));
        kept.keep(items / 2);
        std::thread::sleep(Duration::from_secs(1).min(looked.saturating_sub(begun.elapsed())));
        if begun.elapsed() >= looked {
            kept.show(&format!("{} s later", looked.as_secs()), path);
            looked += LOOKED;
        }
    }
}

/// Bytes and time of items compressed by themselves, and with a dictionary of others of the same stream.
pub fn dictionary() {
    heading(
        "Compressed, bytes an item",
        &["plain", "zstd-3", "with dictionary", "saved, %", "µs", "with dictionary", "µs back", "with dictionary"],
    );
    let mut stream = Stream::new(23, 0);
    let made_up: Vec<Vec<u8>> = (0..(SAMPLES + TRIED) / GROUP + 1)
        .flat_map(|_| stream.group(GROUP).items)
        .map(|decided| record(&decided, 1, decided.candidate.content.fetched_at, None))
        .collect();
    compare("made up", &made_up);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/articles_dev.jsonl.gz");
    match File::open(&path) {
        Ok(file) => compare("real articles", &articles(file)),
        Err(_) => println!("SKIPPED: {} is not there", path.display()),
    }
}

fn articles(file: File) -> Vec<Vec<u8>> {
    let lines = BufReader::new(GzDecoder::new(file)).lines();
    let records = lines.enumerate().map(|(number, line)| {
        let article: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let field = |name: &str| article[name].as_str().unwrap_or_default().to_owned();
        let url = field("url").parse::<url::Url>().ok();
        let (title, text) = (field("title"), field("text"));
        let (fetched_at, key) = (at(number), EntryKey::of("guid", &number.to_string()));
        let fingerprint = Fingerprint { content: None, ..Fingerprint::default() };
        let content = Content {
            canonical_url: url.clone(),
            guid: url.as_ref().map(ToString::to_string),
            url,
            summary: text.chars().take(280).collect(),
            title,
            text,
            text_from: TextFrom::Page,
            authors: Vec::new(),
            language: Some("ar".to_owned()),
            tags: vec![field("label")],
            image: None,
            published_at: fetched_at,
            published_from: PublishedFrom::Feed,
            fetched_at,
        };
        let (topics, sketch) = (Vec::new(), Sketch::default());
        let candidate = Candidate { feed: feed(number % 50), key, hash: 0, content, topics, fingerprint, sketch };
        record(&Decided { candidate, verdict: Verdict::new_item() }, number as u64, fetched_at, None)
    });
    records.collect()
}

fn compare(name: &str, records: &[Vec<u8>]) {
    // Every fourth or so: a stream of a day has what one of a month has.
    let apart = (records.len() / SAMPLES).max(1);
    let (mut samples, mut tried) = (Vec::new(), Vec::new());
    for (n, record) in records.iter().enumerate() {
        if n % apart == 0 && samples.len() < SAMPLES {
            samples.push(record);
        } else if tried.len() < TRIED {
            tried.push(record);
        }
    }
    let trained = zstd::dict::from_samples(&samples, DICTIONARY).unwrap();
    let plain: usize = tried.iter().map(|record| record.len()).sum();
    let each = |bytes: usize| format!("{:.0}", bytes as f64 / tried.len() as f64);
    let measured = |dictionary: &[u8]| {
        let mut compressor = zstd::bulk::Compressor::with_dictionary(SEALED, dictionary).unwrap();
        let mut decompressor = zstd::bulk::Decompressor::with_dictionary(dictionary).unwrap();
        let mut packed = Vec::new();
        let there = seconds(|| packed = tried.iter().map(|record| compressor.compress(record).unwrap()).collect());
        let back = seconds(|| {
            for (packed, record) in packed.iter().zip(&tried) {
                assert_eq!(decompressor.decompress(packed, record.len()).unwrap().len(), record.len());
            }
        });
        let micros = |seconds: f64| format!("{:.1}", seconds * 1e6 / tried.len() as f64);
        (packed.iter().map(Vec::len).sum::<usize>(), micros(there), micros(back))
    };
    let (alone, helped) = (measured(&[]), measured(&trained));
    let saved = format!("{:.1}", 100.0 - helped.0 as f64 * 100.0 / alone.0 as f64);
    row(
        &format!("{name}, {} items, {} KB of dictionary", tried.len(), trained.len() >> 10),
        &[each(plain), each(alone.0), each(helped.0), saved, alone.1, helped.1, alone.2, helped.2],
    );
}
