//! Files: every record once, over rotation, killing, torn lines and other harm.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Source, log, view, wait_until_done};
use crate::rasid::{Home, wait_for};

/// The closed files in their order, then the one that is written.
fn files(home: &Home) -> Vec<PathBuf> {
    let Ok(listing) = std::fs::read_dir(home.path("out")) else { return Vec::new() };
    let mut files: Vec<PathBuf> = listing.map(|entry| entry.unwrap().path()).collect();
    files.sort_by_key(|path| (path.ends_with("log.ndjson"), path.clone()));
    files
}

fn seqs(path: &Path) -> Vec<u64> {
    let text = std::fs::read_to_string(path).unwrap();
    let seq = |line: &str| serde_json::from_str::<Value>(line).unwrap()["seq"].as_u64().unwrap();
    text.lines().map(seq).collect()
}

/// Lines that end, whatever they are.
fn lines(home: &Home) -> usize {
    let text = |path: &PathBuf| std::fs::read(path).unwrap_or_default();
    files(home).iter().map(|path| text(path).iter().filter(|byte| **byte == b'\n').count()).sum()
}

fn append(path: &Path, bytes: &[u8]) {
    std::fs::File::options().append(true).open(path).unwrap().write_all(bytes).unwrap();
}

#[test]
fn files_hold_every_record_once_whatever_end_the_daemon_had() {
    let source = Source::new(10);
    let home = source.home(
        "[[sink]]\nname = \"files\"\nkind = \"file\"\npath = \"out/log.ndjson\"\nrotate_size = \"16KiB\"\n\
         [[sink]]\nname = \"foreign\"\nkind = \"file\"\npath = \"feeds.toml\"\n",
    );
    let feeds = std::fs::read_to_string(home.path("feeds.toml")).unwrap();
    let current = home.path("out/log.ndjson");
    let torn: [&[u8]; 5] = [b"{\"seq\":99", b"\0\0\0\0\0\0", b"\0\0\0\n", b"{\"se", b"{\"seq\":7}\n"];
    for (round, torn) in torn.into_iter().enumerate() {
        let daemon = home.quiet_daemon();
        let before = lines(&home);
        source.publish(12);
        wait_for("more lines", || lines(&home) > before + round);
        daemon.kill();
        append(&current, torn);
    }
    let daemon = home.quiet_daemon();
    home.wait_until_it_answers();
    let last = source.publish(5);
    wait_for("all lines", || {
        let files = view(&home, "files");
        assert_eq!(files["last_error"], Value::Null, "{files}");
        files["consumer"]["lag"] == 0 && files["consumer"]["offset"].as_u64() >= Some(last)
    });
    let found: Vec<u64> = files(&home).iter().flat_map(|path| seqs(path)).collect();
    let stored = log(&home);
    assert_eq!(found, (1..=stored.len() as u64).collect::<Vec<_>>(), "each position once, in order");
    let closed = files(&home);
    assert!(closed.len() > 3, "{closed:?}");
    for path in &closed[..closed.len() - 1] {
        let (held, size) = (seqs(path), std::fs::metadata(path).unwrap().len());
        let name = format!("log.{:012}-{:012}.ndjson", held[0], held[held.len() - 1]);
        assert_eq!(path.file_name().unwrap().to_str(), Some(name.as_str()));
        assert!(size <= 16 << 10, "{name}: {size}");
    }
    // Somebody else's file is left alone, and that sink stands still for itself.
    assert_eq!(std::fs::read_to_string(home.path("feeds.toml")).unwrap(), feeds);
    let foreign = view(&home, "foreign");
    assert!(foreign["last_error"]["message"].as_str().unwrap().contains("something else"), "{foreign}");
    assert_eq!(foreign["dead"], 0, "a file makes no dead letters");

    // An offset that is moved back doubles nothing; a file that is moved away is no reason to stop.
    home.ok(&["consumers", "reset", "files"]);
    wait_until_done(&home, "files", last);
    std::fs::rename(&current, home.path("out/away")).unwrap();
    let away = seqs(&home.path("out/away"));
    let last = source.publish(4);
    wait_until_done(&home, "files", last);
    let closed: Vec<u64> =
        files(&home).iter().filter(|path| !path.ends_with("away")).flat_map(|path| seqs(path)).collect();
    let expected: Vec<u64> = (1..=last).filter(|seq| !away.contains(seq)).collect();
    assert_eq!(closed, expected);
    assert!(daemon.terminate().success());
}

#[test]
fn files_are_closed_by_age_and_belong_to_one_store() {
    let source = Source::new(3);
    let home = source.home(
        "[[sink]]\nname = \"files\"\nkind = \"file\"\npath = \"out/log.ndjson\"\nrotate_every = \"200ms\"\nkinds = [\"new\"]\n",
    );
    let daemon = home.quiet_daemon();
    home.wait_until_it_answers();
    wait_until_done(&home, "files", 3);
    // Nothing more comes, and it is closed all the same.
    wait_for("the file to be closed", || files(&home).len() == 2);
    let all = files(&home);
    assert_eq!((seqs(&all[0]), seqs(&all[1])), (vec![1, 2, 3], vec![]));
    assert!(daemon.terminate().success());
    // The store is made anew: the files are of another one, and that is said.
    std::fs::remove_dir_all(home.path("data")).unwrap();
    let few = Source::new(2);
    let feeds = std::fs::read_to_string(few.home("").path("feeds.toml")).unwrap();
    home.write("feeds.toml", &feeds);
    let daemon = home.quiet_daemon();
    home.wait_until_it_answers();
    wait_for("the sink to say so", || {
        view(&home, "files")["last_error"]["message"].as_str().is_some_and(|said| said.contains("replaced or restored"))
    });
    assert_eq!(files(&home).len(), 2);
    assert!(daemon.terminate().success());
}
