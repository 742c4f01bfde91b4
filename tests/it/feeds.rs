//! Feed documents to entries, on documents that we did not write.
//!
//! Every file of `feeds_arabic.tar.gz` must give the items of its manifest. Nothing of the files stands here.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use jiff::Timestamp;
use rasid::parse::{Parsed, parse};
use rasid::source::{Document, FeedConfig, Validators};

use crate::support::shared;

/// The regular files of a `.tar.gz`, by name.
fn files(path: &Path) -> HashMap<String, Vec<u8>> {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_end(&mut bytes).unwrap();
    let text = |field: &[u8]| String::from_utf8_lossy(field).trim_end_matches(['\0', ' ']).to_owned();
    let mut out = HashMap::new();
    let mut rest = &bytes[..];
    // Blocks of 512 bytes: a header (name at 0, size in octal at 124, kind at 156), then the content.
    while rest.len() > 512 && rest[0] != 0 {
        let size = usize::from_str_radix(&text(&rest[124..136]), 8).unwrap();
        if matches!(rest[156], b'0' | 0) {
            out.insert(text(&rest[..100]), rest[512..512 + size].to_vec());
        }
        rest = &rest[(512 + size.next_multiple_of(512)).min(rest.len())..];
    }
    out
}

fn read(bytes: Vec<u8>) -> Result<Parsed, rasid::source::PollError> {
    let url: url::Url = "https://feeds.example/feed.xml".parse().unwrap();
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
    let files = files(&archive);
    let manifest = files.iter().find(|(name, _)| name.ends_with("manifest.jsonl")).unwrap().1;
    let (mut right, mut wrong) = (0, Vec::new());
    for line in std::str::from_utf8(manifest).unwrap().lines() {
        let told: serde_json::Value = serde_json::from_str(line).unwrap();
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

/// Python's feedparser is a second opinion on the documents of its own tests. It is not the truth (it gives no entry to a
/// document of one bare item, for instance), so a share must agree, not all.
#[test]
fn the_documents_of_feedparser_give_as_many_entries() {
    let Some(archive) = shared("data/feed_cases.tar.gz") else { return };
    let files = files(&archive);
    let told = files.iter().find(|(name, _)| name.ends_with("feedparser_reads.jsonl")).unwrap().1;
    let (mut same, mut all, mut other) = (0, 0, Vec::new());
    for line in std::str::from_utf8(told).unwrap().lines().filter(|line| !line.is_empty()) {
        let told: serde_json::Value = serde_json::from_str(line).unwrap();
        let name = told["path"].as_str().unwrap();
        let Some(bytes) = files.get(&format!("feed_cases/{name}")) else { continue };
        let expected = usize::try_from(told["n"].as_u64().unwrap()).unwrap();
        let parsed = read(bytes.clone());
        let found = parsed.as_ref().map_or(0, |parsed| parsed.entries.len() + parsed.rejected.len());
        all += 1;
        if found == expected {
            same += 1;
        } else {
            other.push(format!("{name}: {found} instead of {expected}"));
        }
    }
    eprintln!("{same} of {all} documents give as many entries as feedparser reads\n{}", other.join("\n"));
    assert!(same * 1_000 >= all * 985, "only {same} of {all}:\n{}", other.join("\n"));
}
