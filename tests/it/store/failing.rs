//! A disk that fails: calls that sync or write give errors, from some moment on or once, or write half.
//!
//! A library of `failing.c` is loaded into the child before the C library. Needs a C compiler and Linux.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::child::{Child, Ended, Said, Work};
use super::load::{Beside, Kept, Load, setting, skipped};

const EIO: u32 = 5;
const ENOSPC: u32 = 28;
/// As many steps as a child does where nothing stops it.
const STEPS: u64 = 25;

/// The library; none where it cannot be built.
fn library(dir: &Path) -> Option<PathBuf> {
    if !cfg!(all(target_os = "linux", target_env = "gnu")) {
        skipped("calls are made to fail only with the GNU C library on Linux");
        return None;
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/store/failing.c");
    let library = dir.join("failing.so");
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    match Command::new(compiler).args(["-shared", "-fPIC", "-O1", "-o"]).args([&library, &source]).arg("-ldl").output()
    {
        Ok(made) if made.status.success() => Some(library),
        Ok(made) => panic!("{} is not compiled: {}", source.display(), String::from_utf8_lossy(&made.stderr)),
        Err(error) => {
            skipped(&format!("there is no C compiler ({error}); how the store takes a failing disk was not tested"));
            None
        }
    }
}

/// Which call fails, how often (0: for ever), with which error.
#[derive(Clone, Copy, Debug)]
struct Failure {
    call: &'static str,
    times: u32,
    error: u32,
}

const FAILURES: [Failure; 6] = [
    Failure { call: "sync", times: 0, error: EIO },
    Failure { call: "sync", times: 1, error: EIO },
    Failure { call: "write", times: 0, error: ENOSPC },
    Failure { call: "write", times: 1, error: ENOSPC },
    Failure { call: "write", times: 0, error: EIO },
    Failure { call: "short", times: 0, error: 0 },
];

/// What is wrong with what the child said.
fn judge(ended: &Ended, failure: Failure) -> Result<(), String> {
    ended.check()?;
    let refused: Vec<&str> = ended.refusals().collect();
    let struck = ended.said.iter().position(|said| *said == Said::Struck);
    let after = struck.map_or(&[][..], |at| &ended.said[at..]);
    let steps = after.iter().filter(|said| matches!(said, Said::Acknowledged(_))).count();
    // What needs no disk is done as ever.
    let acknowledged = steps - after.iter().filter(|said| matches!(said, Said::Idle)).count();
    match (failure.call, failure.times) {
        ("short", _) if !refused.is_empty() => Err(format!("a short write is no failure: {refused:?}")),
        ("short", _) => Ok(()),
        // One group may have been durable when the call of another thread failed, or one that makes room behind it; where
        // that was the last, or what failed is what is done at closing, nothing is left to be refused.
        (_, 0) if acknowledged > 1 => Err(format!("{acknowledged} groups were acknowledged after the calls failed")),
        _ if struck.is_none() && !refused.is_empty() => Err(format!("nothing failed, and {refused:?}")),
        _ => Ok(()),
    }
}

#[test]
fn what_a_failing_disk_did_not_take_is_never_acknowledged() {
    let tools = tempfile::tempdir().unwrap();
    let Some(library) = library(tools.path()) else { return };
    let rounds = setting("RASID_ROUNDS", 3);
    let (mut tried, mut refused, mut told) = (0, 0, vec![]);
    for failure in FAILURES {
        let (mut dir, mut beside) = (Kept::new(), Beside::new(Load::new(15)));
        for round in 0..rounds {
            if round % 10 == 9 {
                (dir, beside) = (Kept::new(), Beside::new(Load::new(15)));
            }
            // At once, while the store opens, and later.
            let after = [0, fastrand::u32(1..12), fastrand::u32(5..60), fastrand::u32(20..200)][round % 4];
            let environment = [
                ("LD_PRELOAD", library.display().to_string()),
                // sled may spell the path in another way than the kernel.
                ("RASID_FAIL_BELOW", dir.path().parent().unwrap().canonicalize().unwrap().display().to_string()),
                ("RASID_FAIL_CALL", failure.call.to_owned()),
                ("RASID_FAIL_AFTER", after.to_string()),
                ("RASID_FAIL_TIMES", failure.times.to_string()),
                ("RASID_FAIL_ERRNO", failure.error.to_string()),
            ];
            let from = beside.step;
            let work = Work { load: beside.load, after: from, steps: STEPS, readers: 0 };
            let ended = Child::at(&dir.path(), work, &environment).end(Duration::from_secs(60));
            let name = format!("{failure:?}, after {after} calls, round {round}");
            judge(&ended, failure).unwrap_or_else(|wrong| panic!("{name}: {wrong}\n{}", ended.errors));
            let store = dir.path().display().to_string();
            for words in ended.refusals() {
                assert!(words.contains(&store), "{name}: the words do not name the store: {words}");
            }
            refused += usize::from(ended.refusals().next().is_some());
            told.extend(ended.refusals().next().map(|words| words.replace(&store, "…")));
            tried += 1;
            let acknowledged = ended.acknowledged().unwrap_or(from);
            beside.compare(&dir.path(), acknowledged).unwrap_or_else(|wrong| panic!("{name}: {wrong}"));
        }
    }
    told.sort();
    told.dedup();
    eprintln!("{tried} failing disks: {refused} times a group was refused, nothing acknowledged was lost");
    eprintln!("  {}", told.join("\n  "));
}
