//! What several tests share.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use jiff::Timestamp;
use rasid::item::{Content, PublishedFrom, TextFrom};
use serde_json::Value;

/// The evaluation data that stands beside a checkout, where there is any. Says loudly what is skipped without it;
/// with `RASID_REQUIRE_DATA` set a missing file is a failure.
pub fn shared(path: &str) -> Option<PathBuf> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared").join(path);
    if file.exists() {
        return Some(file);
    }
    let message = format!("SKIPPED: {path} is not beside this checkout; what it would show was not tested");
    assert!(std::env::var_os("RASID_REQUIRE_DATA").is_none(), "{message}");
    eprintln!("{message}");
    None
}

/// Whether these programs are there. Says loudly what is skipped without them; with `RASID_REQUIRE_ALL` set, or
/// `RASID_REQUIRE_SHELL`, a missing one is a failure.
pub fn programs(names: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let lacks = |name: &&&str| !std::env::split_paths(&path).any(|dir| dir.join(name).is_file());
    let missing: Vec<&&str> = names.iter().filter(lacks).collect();
    if missing.is_empty() {
        return true;
    }
    let message = format!("SKIPPED: {missing:?} is not there; what needs it was not tested");
    let required = ["RASID_REQUIRE_ALL", "RASID_REQUIRE_SHELL"].iter().any(|name| std::env::var_os(name).is_some());
    assert!(!required, "{message}");
    eprintln!("{message}");
    false
}

/// The files of a gzipped tar archive, in its order, with their paths in it.
pub fn untar_gz(path: impl AsRef<Path>) -> Vec<(String, Vec<u8>)> {
    let path = path.as_ref();
    let mut bytes = Vec::new();
    GzDecoder::new(File::open(path).unwrap()).read_to_end(&mut bytes).unwrap();
    let text = |field: &[u8]| String::from_utf8_lossy(field.split(|b| *b == 0).next().unwrap()).into_owned();
    let mut files = Vec::new();
    let mut long_name = None;
    let mut at = 0;
    while let Some(header) = bytes.get(at..at + 512).filter(|header| header[0] != 0) {
        let size = usize::from_str_radix(text(&header[124..136]).trim(), 8).unwrap();
        let body = &bytes[at + 512..at + 512 + size];
        match header[156] {
            // A GNU record that names the next file.
            b'L' => long_name = Some(text(body)),
            b'0' | 0 => {
                let (name, prefix) = (text(&header[..100]), text(&header[345..500]));
                let ustar = header[257..262] == *b"ustar" && header[262] == 0;
                let joined = if ustar && !prefix.is_empty() { format!("{prefix}/{name}") } else { name };
                files.push((long_name.take().unwrap_or(joined), body.to_vec()));
            }
            _ => {}
        }
        at += 512 + size.div_ceil(512) * 512;
    }
    assert!(!files.is_empty(), "{} holds no file", path.display());
    files
}

/// The records of a gzipped file with one JSON value a line.
pub fn jsonl_gz(path: impl AsRef<Path>) -> impl Iterator<Item = Value> {
    let lines = BufReader::new(GzDecoder::new(File::open(path).unwrap())).lines();
    lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap())
}

/// What an item says that has a title, a text and a time, and nothing else.
pub fn content(title: &str, text: &str, at: Timestamp) -> Content {
    Content {
        url: None,
        canonical_url: None,
        guid: None,
        title: title.to_owned(),
        summary: String::new(),
        text: text.to_owned(),
        text_from: TextFrom::Feed,
        authors: Vec::new(),
        language: None,
        tags: Vec::new(),
        image: None,
        published_at: at,
        published_from: PublishedFrom::Feed,
        fetched_at: at,
    }
}
