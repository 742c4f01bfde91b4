//! Feed documents to entries, on documents that we did not write.
//!
//! Every file of `feeds_arabic.tar.gz` must give the items of its manifest; what Python's feedparser reads of its own
//! test documents must be read here, too, but for a small share that `docs/conformance.md` explains. Nothing of the files
//! stands here.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rasid::parse::{Entry, Parsed, parse};
use rasid::source::{Document, FeedConfig, Validators};
use serde_json::Value;

use crate::support::{shared, untar_gz};

fn address() -> url::Url {
    "https://feeds.example/feed.xml".parse().unwrap()
}

fn read(bytes: Vec<u8>) -> Result<Parsed, rasid::source::PollError> {
    let url = address();
    let document = Document {
        bytes,
        url: url.clone(),
        status: 200,
        content_type: None,
        charset: None,
        validators: Validators::default(),
        cut: None,
        redirects: Vec::new(),
        fresh_for: None,
    };
    let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    parse(&document, &FeedConfig::new("feed".parse().unwrap(), url), now)
}

/// What of a headline must be the same: its words, without the marks that a variant puts between them.
fn words(title: &str) -> String {
    let kept = title.replace(['\u{a0}', '&'], " ").replace("amp;", " ");
    kept.chars().filter(|c| c.is_alphanumeric()).collect()
}

#[test]
fn every_arabic_feed_gives_its_items() {
    let Some(archive) = shared("data/feeds_arabic.tar.gz") else { return };
    let files: HashMap<String, Vec<u8>> = untar_gz(archive).into_iter().collect();
    let manifest = files.iter().find(|(name, _)| name.ends_with("manifest.jsonl")).unwrap().1;
    let (mut right, mut wrong) = (0, Vec::new());
    for line in std::str::from_utf8(manifest).unwrap().lines() {
        let told: Value = serde_json::from_str(line).unwrap();
        let name = told["file"].as_str().unwrap();
        let list = |field: &str| -> Vec<String> {
            told[field].as_array().unwrap().iter().map(|value| value.as_str().unwrap().to_owned()).collect()
        };
        let parsed = read(files[&format!("feeds_arabic/{name}")].clone());
        match parsed.map_err(|error| error.message).and_then(|parsed| check(name, parsed, &list)) {
            Ok(()) => right += 1,
            Err(problem) => wrong.push(format!("{name}: {problem}")),
        }
    }
    eprintln!("{right} of {} Arabic feeds give their items", right + wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(right >= 36);
}

fn check(name: &str, parsed: Parsed, list: &dyn Fn(&str) -> Vec<String>) -> Result<(), String> {
    let (titles, links, times) = (list("titles"), list("links"), list("pub"));
    let cut = name.contains("truncated");
    // The item in which the document was cut may come as far as it goes; nothing else may be more or less.
    let extra = parsed.entries.len().checked_sub(titles.len()).filter(|extra| *extra <= usize::from(cut));
    if extra.is_none() {
        return Err(format!("{} entries instead of {}: {:?}", parsed.entries.len(), titles.len(), parsed.notes));
    }
    for ((title, link), time) in titles.iter().zip(&links).zip(&times) {
        let link: url::Url = link.parse().map_err(|_| format!("the manifest's link {link}"))?;
        let time: Timestamp = time.parse().map_err(|_| format!("the manifest's time {time}"))?;
        let entry = parsed
            .entries
            .iter()
            .find(|entry| entry.url.as_ref() == Some(&link) && words(&entry.title) == words(title));
        let entry = entry.ok_or_else(|| format!("no entry for {link}"))?;
        if entry.published != Some(time) {
            return Err(format!("{link} is dated {:?} instead of {time}", entry.published));
        }
        if entry.summary_html.is_empty() {
            return Err(format!("{link} has no summary"));
        }
    }
    Ok(())
}

/// A field of which feedparser and we are asked.
const FIELDS: [&str; 3] = ["title", "link", "date"];

/// What was compared, and what was found.
#[derive(Default)]
struct Comparison {
    documents: usize,
    /// Documents of which feedparser reads entries, and those that give as many here.
    with_entries: [usize; 2],
    /// All documents that give as many entries, those without any included.
    same_count: usize,
    /// How often feedparser has each field, and how often ours is the same.
    fields: [[usize; 2]; 3],
    differences: Vec<String>,
    slowest: (Duration, String),
}

impl Comparison {
    fn table(&self) -> String {
        let share = |[all, same]: [usize; 2]| format!("{all:6} {same:6} {:7.2} %", 100.0 * same as f64 / all.max(1) as f64);
        let mut out = format!("{:34} {:>6} {:>6}\n", "feedparser has", "of", "same");
        let mut row = |what: &str, counts| writeln!(out, "{what:34} {}", share(counts)).unwrap();
        row("documents", [self.documents, self.same_count]);
        row("documents with entries", self.with_entries);
        FIELDS.iter().zip(self.fields).for_each(|(field, counts)| row(field, counts));
        out
    }

    fn add(&mut self, name: &str, told: &Value, bytes: &[u8]) {
        self.documents += 1;
        let begun = Instant::now();
        let parsed = read(bytes.to_vec()).unwrap_or_default();
        let mut took = begun.elapsed();
        if took > TOO_LONG {
            // The machine may have been busy with something else.
            took = (0..3).map(|_| timed(bytes)).min().unwrap_or(took).min(took);
        }
        if took > self.slowest.0 {
            self.slowest = (took, name.to_owned());
        }
        let theirs = told["entries"].as_array().unwrap();
        let (n, found) = (theirs.len(), parsed.entries.len() + parsed.rejected.len());
        self.same_count += usize::from(n == found);
        if n > 0 {
            self.with_entries[0] += 1;
            self.with_entries[1] += usize::from(n == found);
        }
        if n != found {
            self.differences.push(format!("{name}: {found} entries, feedparser {n}"));
        }
        // Ours stand in the order of time; each of theirs meets the one that is most like it.
        let mut ours: Vec<&Entry> = parsed.entries.iter().rev().collect();
        for told in theirs {
            let likeness = |entry: &&Entry| FIELDS.iter().filter(|field| agrees(field, told, entry) == Some(true)).count();
            let best = (0..ours.len()).rev().max_by_key(|n| likeness(&ours[*n]));
            let nothing = Entry::default();
            let entry = best.map_or(&nothing, |n| ours.remove(n));
            for (field, counts) in FIELDS.iter().zip(&mut self.fields) {
                let Some(same) = agrees(field, told, entry) else { continue };
                counts[0] += 1;
                counts[1] += usize::from(same);
                if !same {
                    self.differences.push(format!("{name}: {field} {:?}, feedparser {}", ours_of(field, entry), theirs_of(field, told)));
                }
            }
        }
    }
}

/// 100 ms in a build that is optimized.
const TOO_LONG: Duration = Duration::from_millis(if cfg!(debug_assertions) { 2_000 } else { 100 });

fn timed(bytes: &[u8]) -> Duration {
    let begun = Instant::now();
    let _ = read(bytes.to_vec());
    begun.elapsed()
}

/// What feedparser calls the time of an entry: `published`, or else `updated`.
fn theirs_of<'v>(field: &str, told: &'v Value) -> &'v Value {
    match field {
        "date" if told["published"].is_null() => &told["updated"],
        "date" => &told["published"],
        field => &told[field],
    }
}

fn ours_of(field: &str, entry: &Entry) -> Option<String> {
    match field {
        "title" => Some(entry.title.clone()).filter(|title| !title.is_empty()),
        "link" => entry.url.as_ref().map(ToString::to_string),
        _ => entry.published.map(|at| at.to_string()),
    }
}

/// Whether a field is the same; `None` where feedparser has none.
fn agrees(field: &str, told: &Value, entry: &Entry) -> Option<bool> {
    let theirs = theirs_of(field, told).as_str().filter(|text| !text.is_empty())?;
    let theirs = match field {
        "title" => plain(theirs),
        // Where feedparser was not told the document's address, it left the link as it stands in the document.
        "link" => address().join(theirs).map_or_else(|_| theirs.to_owned(), String::from),
        _ => theirs.to_owned(),
    };
    if field == "title" && theirs.is_empty() {
        return None;
    }
    let ours = ours_of(field, entry).map(|ours| if field == "title" { plain(&ours) } else { ours });
    Some(ours.as_ref() == Some(&theirs))
}

/// Characters as a reader sees them: without tags, references resolved, white space made single spaces.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once('<') {
        out.push_str(before);
        let tag = tail.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
        match tail.split_once('>').filter(|_| tag) {
            Some((_, tail)) => rest = tail,
            None => {
                out.push('<');
                rest = tail;
            }
        }
    }
    out.push_str(rest);
    for (written, meant) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")] {
        out = out.replace(written, meant);
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Python's feedparser is a second opinion on the documents of its own tests, not the truth: `docs/conformance.md` says
/// where it is wrong, so a share must agree, not all.
#[test]
fn the_documents_of_feedparser_are_read_as_it_reads_them() {
    let Some(archive) = shared("data/feed_cases.tar.gz") else { return };
    let files: HashMap<String, Vec<u8>> = untar_gz(archive).into_iter().collect();
    let told = files.iter().find(|(name, _)| name.ends_with("feedparser_reads.jsonl")).unwrap().1;
    let mut comparison = Comparison::default();
    for line in std::str::from_utf8(told).unwrap().lines().filter(|line| !line.is_empty()) {
        let told: Value = serde_json::from_str(line).unwrap();
        let name = told["path"].as_str().unwrap();
        comparison.add(name, &told, &files[&format!("feed_cases/{name}")]);
    }
    let (table, differences) = (comparison.table(), comparison.differences.join("\n"));
    eprintln!("{table}{differences}\nslowest: {:?}", comparison.slowest);
    assert!(comparison.documents > 2_000);
    let holds = |[all, same]: [usize; 2], percent| all > 0 && same * 100 >= all * percent;
    assert!(holds(comparison.with_entries, 99), "{table}{differences}");
    assert!(comparison.fields.into_iter().all(|counts| holds(counts, 97)), "{table}{differences}");
    assert!(comparison.slowest.0 <= TOO_LONG, "{:?}", comparison.slowest);
}
