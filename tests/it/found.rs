//! The laws of the fuzz targets, on what fuzzing found and on what it begins with.
//!
//! A finding is a file `tests/fixtures/found/<target>/<what it was>`: to add a case, add the file. It must keep its law,
//! and quickly.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[path = "../../fuzz/src/laws.rs"]
mod laws;

/// The files of a directory, by name; none where it is not there.
fn files(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// What even a debug build keeps on a busy machine.
const LONG: Duration = Duration::from_secs(30);

/// Every input of a target keeps its law, in time.
fn check(inputs: &str, least: usize) {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(inputs);
    let mut broken = Vec::new();
    let mut looked_at = 0;
    for (target, law) in laws::LAWS {
        for file in files(&root.join(target)) {
            let bytes = std::fs::read(&file).unwrap();
            let begun = Instant::now();
            let kept = std::panic::catch_unwind(|| law(&bytes));
            let took = begun.elapsed();
            if kept.is_err() || took > LONG {
                broken.push(format!("{}: {}, {took:?}", file.display(), if kept.is_err() { "broken" } else { "slow" }));
            }
            looked_at += 1;
        }
    }
    assert!(looked_at >= least, "only {looked_at} inputs in {}", root.display());
    assert!(broken.is_empty(), "{} input(s) break a law:\n{}", broken.len(), broken.join("\n"));
}

#[test]
fn what_was_found_keeps_its_law() {
    check("tests/fixtures/found", 1);
}

#[test]
fn what_fuzzing_begins_with_keeps_its_law() {
    check("fuzz/seeds", laws::LAWS.len());
}

/// What took time out of proportion: a piece, and how often it is repeated.
const GROWN: &[(&str, &str, &str, usize)] =
    &[("a fault in every word, each placed by counting the whole query", "query", "؟(", 20_000)];

#[test]
fn what_was_slow_is_not() {
    for (what, target, piece, times) in GROWN {
        let (_, law) = laws::LAWS.iter().find(|(name, _)| name == target).unwrap();
        let begun = Instant::now();
        law(piece.repeat(*times).as_bytes());
        assert!(begun.elapsed() < LONG, "{target}: {what}: {:?}", begun.elapsed());
    }
}

/// A target without seeds, or files of no target, would be looked at by nobody.
#[test]
fn every_input_belongs_to_a_target() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let known: Vec<&str> = laws::LAWS.iter().map(|(target, _)| *target).collect();
    for inputs in ["tests/fixtures/found", "fuzz/seeds"] {
        for directory in files(&root.join(inputs)) {
            let name = directory.file_name().unwrap().to_str().unwrap();
            assert!(known.contains(&name), "{} belongs to no target", directory.display());
        }
    }
    for target in known {
        assert!(!files(&root.join("fuzz/seeds").join(target)).is_empty(), "{target} has no seeds");
        let file = root.join(format!("fuzz/targets/{target}.rs"));
        assert!(file.is_file(), "{} is missing", file.display());
    }
}
