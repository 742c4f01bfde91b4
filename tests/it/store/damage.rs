//! Files of a closed store that are damaged at random: one byte, a page, an end, everything.
//!
//! In: a store of some megabytes, copied for every [`Harm`]. Out: opened and checked within [`deadline`], it is what it was;
//! or the damage is told, and what repair makes of it has everything that repair does not name as lost.
//! Promise: whatever panics, hangs, or says nothing and is not what it was fails, with the file and the place. The files are
//! found by looking: nothing here knows what is in them.
//!
//! `RASID_FLIPS` and `RASID_TRUNCATIONS` say how many, `RASID_WITHIN` how many seconds are too long; `just damage` asks for
//! all, in the time that is promised for a quiet machine.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use fastrand::Rng;
use rasid::id::Seq;
use rasid::store::{Store, StoreError};
use serde::{Deserialize, Serialize};

use super::child::say;
use super::clean;
use super::load::{Dump, Load, config, dump, open, setting};

/// For mending a store. What takes longer hangs, on the busiest machine.
const MENDING: Duration = Duration::from_secs(240);
/// Of the items, at most this share may be lost by one byte.
const MOST_LOST_BY_A_BYTE: f64 = 0.05;

/// For opening and checking a damaged store.
fn deadline() -> Duration {
    Duration::from_secs(setting("RASID_WITHIN", MENDING.as_secs() as usize) as u64)
}

/// What repair says that it did.
#[derive(Debug, Serialize, Deserialize)]
struct Repaired {
    lost: Vec<String>,
    set_aside: Option<PathBuf>,
}

/// Mends the store at a path.
fn repair(path: &Path) -> Option<Result<Repaired, StoreError>> {
    let report = rasid::store::repair(&config(path), &mut |_, _, _| {});
    Some(report.map(|report| Repaired { lost: report.lost, set_aside: report.set_aside }))
}

/// What is done to a file.
#[derive(Clone, Copy, Debug)]
enum Harm {
    Nothing,
    Flip { at: u64, mask: u8 },
    Cut { to: u64 },
    Blank { at: u64, length: u64 },
    Delete,
}

impl Harm {
    fn kind(self) -> &'static str {
        match self {
            Self::Nothing => "whole",
            Self::Flip { .. } => "one byte",
            Self::Cut { .. } => "cut off",
            Self::Blank { .. } => "zeros",
            Self::Delete => "deleted",
        }
    }

    fn does(self, file: &Path) {
        match self {
            Self::Nothing => {}
            Self::Delete => fs::remove_file(file).unwrap(),
            Self::Cut { to } => fs::File::options().write(true).open(file).unwrap().set_len(to).unwrap(),
            Self::Flip { at, mask } => {
                let mut bytes = fs::read(file).unwrap();
                bytes[at as usize] ^= mask;
                fs::write(file, bytes).unwrap();
            }
            Self::Blank { at, length } => {
                let mut bytes = fs::read(file).unwrap();
                bytes[at as usize..(at + length) as usize].fill(0);
                fs::write(file, bytes).unwrap();
            }
        }
    }
}

#[derive(Clone, Debug)]
struct Case {
    /// Within the store.
    file: PathBuf,
    harm: Harm,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.file.display(), self.harm)
    }
}

/// The regular files below a directory, with their lengths.
fn files(root: &Path) -> BTreeMap<PathBuf, u64> {
    let (mut found, mut open) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let about = fs::symlink_metadata(&path).unwrap();
            if about.is_dir() {
                open.push(path);
            } else if about.is_file() {
                found.insert(path.strip_prefix(root).unwrap().to_owned(), about.len());
            }
        }
    }
    found
}

fn copied(from: &Path, to: &Path) {
    for file in files(from).keys() {
        fs::create_dir_all(to.join(file).parent().unwrap()).unwrap();
        fs::copy(from.join(file), to.join(file)).unwrap();
    }
    // Directories without files may mean something, too.
    fn directories(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir()) {
            directories(&entry.path(), &to.join(entry.file_name()));
        }
    }
    directories(from, to);
}

/// A place in a file: as often within it as near its beginning or its end, where what all depends on may stand.
fn place(rng: &mut Rng, length: u64) -> u64 {
    let near = length.min(512);
    match rng.u32(0..4) {
        0 => rng.u64(..near),
        1 => length - 1 - rng.u64(..near),
        _ => rng.u64(..length),
    }
}

/// So many files, the large ones more often, each a few times at least.
fn chosen(rng: &mut Rng, files: &BTreeMap<PathBuf, u64>, times: usize) -> Vec<(PathBuf, u64)> {
    let filled: Vec<_> = files.iter().filter(|(_, length)| **length > 0).map(|(file, n)| (file.clone(), *n)).collect();
    let all: u64 = filled.iter().map(|(_, length)| length).sum();
    let each = (times / 4 / filled.len()).max(1);
    let mut chosen: Vec<_> = filled.iter().flat_map(|file| std::iter::repeat_n(file.clone(), each)).collect();
    while chosen.len() < times {
        let mut at = rng.u64(..all);
        let file = filled.iter().find(|(_, length)| {
            at < *length || {
                at -= length;
                false
            }
        });
        chosen.push(file.unwrap().clone());
    }
    rng.shuffle(&mut chosen);
    chosen.truncate(times.max(filled.len()));
    chosen
}

fn cases(rng: &mut Rng, files: &BTreeMap<PathBuf, u64>) -> Vec<Case> {
    let (flips, cuts) = (setting("RASID_FLIPS", 60), setting("RASID_TRUNCATIONS", 20));
    let whole = files.keys().next().unwrap().clone();
    let mut cases = vec![Case { file: whole, harm: Harm::Nothing }];
    for (file, length) in chosen(rng, files, flips) {
        cases.push(Case { file, harm: Harm::Flip { at: place(rng, length), mask: rng.u8(1..) } });
    }
    for (file, length) in chosen(rng, files, cuts) {
        let to = if rng.bool() { place(rng, length) } else { length - length.min(rng.u64(1..200)) };
        cases.push(Case { file, harm: Harm::Cut { to } });
    }
    for (file, length) in chosen(rng, files, cuts / 2) {
        // A page that never came to the disk.
        let at = place(rng, length) / 4_096 * 4_096;
        cases.push(Case { file, harm: Harm::Blank { at, length: 4_096.min(length - at) } });
    }
    for (file, length) in files {
        let harms = [Harm::Delete, Harm::Cut { to: 0 }, Harm::Blank { at: 0, length: *length }];
        cases.extend(harms.into_iter().map(|harm| Case { file: file.clone(), harm }));
    }
    cases
}

/// What a damaged store turned out to be.
#[derive(Debug, Serialize, Deserialize)]
enum Found {
    /// It opens and is clean. How it differs from what it was.
    Clean {
        missing: Vec<String>,
        changed: Vec<String>,
        extra: Vec<String>,
    },
    /// It says what is wrong; whether as damage, and whether already at opening.
    Told {
        words: String,
        damage: bool,
        opening: bool,
    },
    Repaired(Repaired),
    /// Repair gave up.
    Unrepaired(String),
    /// This version has no repair.
    NoRepair,
    Panicked(String),
}

fn refusal(error: &StoreError, opening: bool) -> Found {
    Found::Told { words: error.to_string(), damage: matches!(error, StoreError::Corrupt { .. }), opening }
}

fn look(path: &Path, whole: &Dump) -> Found {
    let store: Store = match open(path) {
        Ok((store, _)) => store,
        Err(error) => return refusal(&error, true),
    };
    let problems = match store.verify() {
        Ok(problems) => problems,
        Err(error) => return refusal(&error, false),
    };
    if !problems.is_empty() {
        return Found::Told { words: problems.join("; "), damage: true, opening: false };
    }
    // To read it all for comparison is not what the deadline is for.
    say(CHECKED);
    let found = match dump(&store, u64::MAX) {
        Ok(found) => found,
        Err(error) => {
            let differ = vec![format!("what verify calls clean is not read: {error}")];
            return Found::Clean { missing: vec![], changed: vec![], extra: differ };
        }
    };
    let names = |of: &Dump, keep: &dyn Fn(&str, u64) -> bool| -> Vec<String> {
        of.iter().filter(|(name, hash)| keep(name, **hash)).map(|(name, _)| name.clone()).collect()
    };
    Found::Clean {
        missing: names(whole, &|name, _| !found.contains_key(name)),
        changed: names(whole, &|name, hash| found.get(name).is_some_and(|other| *other != hash)),
        extra: names(&found, &|name, _| !whole.contains_key(name)),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Order {
    Look,
    Repair,
}

/// Said between opening and checking a store, and comparing what is in it.
const CHECKED: &str = "checked";

const WORKER: &str = "RASID_STORE_WORKER";

/// Not a test of its own: the process that opens what is damaged, so that nothing which happens to it is ours.
#[test]
fn worker() {
    let Some(whole) = std::env::var_os(WORKER) else { return };
    let whole: Dump = serde_json::from_slice(&fs::read(whole).unwrap()).unwrap();
    say("ready");
    for line in std::io::stdin().lines() {
        let (order, path): (Order, PathBuf) = serde_json::from_str(&line.unwrap()).unwrap();
        let found = catch_unwind(AssertUnwindSafe(|| match order {
            Order::Look => look(&path, &whole),
            Order::Repair => match repair(&path) {
                Some(Ok(repaired)) => Found::Repaired(repaired),
                Some(Err(error)) => Found::Unrepaired(error.to_string()),
                None => Found::NoRepair,
            },
        }));
        let found = found.unwrap_or_else(|panic| {
            let words = panic.downcast_ref::<String>().cloned();
            Found::Panicked(
                words.or_else(|| panic.downcast_ref::<&str>().map(|words| (*words).to_owned())).unwrap_or_default(),
            )
        });
        say(&serde_json::to_string(&found).unwrap());
    }
}

/// A process of [`worker`].
struct Worker {
    child: std::process::Child,
    orders: ChildStdin,
    answers: Receiver<String>,
}

impl Worker {
    fn new(whole: &Path, errors: &fs::File) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["store::damage::worker", "--exact", "--nocapture"])
            .env(WORKER, whole)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors.try_clone().unwrap())
            .spawn()
            .unwrap();
        let (orders, out) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let (told, answers) = mpsc::sync_channel(8);
        std::thread::spawn(move || {
            let lines = out.lines().map_while(Result::ok);
            let answers = lines.filter_map(|line| line.split_once("rasid: ").map(|(_, answer)| answer.to_owned()));
            answers.map(|answer| told.send(answer)).take_while(Result::is_ok).count()
        });
        assert_eq!(answers.recv_timeout(MENDING).as_deref(), Ok("ready"));
        Self { child, orders, answers }
    }

    fn ask(&mut self, order: Order, path: &Path) -> Result<Found, String> {
        let within = if order == Order::Look { deadline() } else { MENDING };
        let line = serde_json::to_string(&(order, path)).unwrap();
        writeln!(self.orders, "{line}").map_err(|_| "the process is gone".to_owned())?;
        let mut answer = self.answers.recv_timeout(within);
        if answer.as_deref() == Ok(CHECKED) {
            answer = self.answers.recv_timeout(MENDING);
        }
        match answer {
            Ok(answer) => Ok(serde_json::from_str(&answer).unwrap()),
            Err(mpsc::RecvTimeoutError::Timeout) => Err(format!("{order:?}: no answer within {within:?}")),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                Err(format!("{order:?}: the process died: {}", self.child.wait().unwrap()))
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _dead = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Which items there were, and at which positions of the log each was told of.
type Items = BTreeMap<String, Vec<u64>>;

/// Whether what repair calls lost covers a record: by the item's id, by a position of it, or by a range of positions.
fn covered(name: &str, lost: &[String], items: &Items) -> bool {
    let (kind, rest) = name.split_once(' ').unwrap_or((name, ""));
    let id = rest.rsplit(' ').next().unwrap_or_default();
    // What the log says of an item that is lost says less.
    let told_of = |at: &str| {
        let at: u64 = at.parse().unwrap();
        items.iter().filter(move |(_, positions)| positions.contains(&at)).map(|(id, _)| id.as_str())
    };
    let ids: Vec<&str> = if kind == "log" { told_of(rest).collect() } else { vec![id] };
    let positions: Vec<u64> = match kind {
        // Nor does it say the same of an item that is there again, since the record that removed it is lost.
        "log" => ids.iter().filter_map(|id| items.get(*id)).flatten().copied().chain(rest.parse().ok()).collect(),
        _ => items.get(id).cloned().unwrap_or_default(),
    };
    // Where a part of a file of small records is gone their names went with it: that is said in general.
    let small = ["cursor", "polls", "unread", "judgement", "correction", "pin", "consumer"].contains(&kind);
    small && lost.iter().any(|line| line.contains("in what is damaged are lost"))
        || lost.iter().any(|line| {
            let words = || line.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '_');
            let numbers: Vec<u64> = words().filter_map(|word| word.parse().ok()).collect();
            let within =
                |at: &u64| numbers.contains(at) || numbers.windows(2).any(|two| (two[0]..=two[1]).contains(at));
            words().any(|word| ids.contains(&word)) || positions.iter().any(within)
        })
}

/// What is wrong with a store that was mended, if anything; how many items are lost.
fn mended(found: &Found, repaired: &Repaired, items: &Items) -> Result<usize, String> {
    let Found::Clean { missing, changed, extra } = found else {
        return Err(format!("after repair: {found:?}; {repaired:?}"));
    };
    let lost = &repaired.lost;
    // What is lost is told at the end of the log; copies of what is lost come into sight.
    let last = items.values().flatten().max().copied().unwrap_or_default();
    let follows = |name: &String| match name.split_once(' ') {
        Some(("log", at)) => at.parse::<u64>().is_ok_and(|at| at > last),
        // Where it is lost that an item was removed, it is there again, with its revisions and all.
        Some((_, of)) => of.rsplit(' ').next().is_some_and(|id| items.contains_key(id)),
        _ => false,
    };
    if !extra.iter().all(|name| !lost.is_empty() && follows(name)) {
        return Err(format!("after repair there is what was not there: {extra:?}"));
    }
    let silent: Vec<_> = missing
        .iter()
        .chain(changed)
        // What an item is to others, and what is counted, follows from the others.
        .filter(|name| match name.split(' ').next() {
            Some("standing" | "counts" | "end") => lost.is_empty(),
            _ => !covered(name, lost, items),
        })
        .take(10)
        .collect();
    if !silent.is_empty() {
        return Err(format!("repair lost these, or changed them, and does not say so: {silent:?}; it says {lost:?}"));
    }
    match &repaired.set_aside {
        Some(path) if !path.exists() => return Err(format!("{} is not there", path.display())),
        None if !lost.is_empty() => return Err(format!("{lost:?} are lost, and the damaged store is not kept")),
        _ => {}
    }
    Ok(missing.iter().filter(|name| name.starts_with("item ")).count())
}

/// What came of the cases of one kind.
#[derive(Default)]
struct Tally {
    same: usize,
    told: usize,
    repaired: usize,
    most_lost: usize,
    slowest: Duration,
}

fn one(
    worker: &mut Worker,
    case: &Case,
    path: &Path,
    (whole, items): (usize, &Items),
    tally: &mut Tally,
) -> Result<(), String> {
    let begun = Instant::now();
    let found = worker.ask(Order::Look, path);
    tally.slowest = tally.slowest.max(begun.elapsed());
    match found? {
        Found::Clean { missing, changed, extra } => {
            if [&missing, &changed, &extra].iter().any(|names| !names.is_empty()) {
                let few = |names: Vec<String>| format!("{}, as {:?}", names.len(), &names[..names.len().min(4)]);
                let (missing, changed, extra) = (few(missing), few(changed), few(extra));
                return Err(format!("called clean: {missing} missing; {changed} another; {extra} too much"));
            }
            tally.same += 1;
        }
        Found::Told { words, damage, opening } => {
            if matches!(case.harm, Harm::Nothing) {
                return Err(format!("nothing was damaged: {words}"));
            }
            if !damage {
                return Err(format!("the damage is not told as damage: {words}"));
            }
            if opening && !words.contains(path.to_str().unwrap()) {
                return Err(format!("it does not say which store: {words}"));
            }
            match worker.ask(Order::Repair, path)? {
                Found::NoRepair => tally.told += 1,
                Found::Repaired(repaired) => {
                    let lost = mended(&worker.ask(Order::Look, path)?, &repaired, items)?;
                    let share = lost as f64 / whole as f64;
                    if matches!(case.harm, Harm::Flip { .. }) && share > MOST_LOST_BY_A_BYTE {
                        return Err(format!("{lost} items of {whole} are lost by one byte"));
                    }
                    tally.repaired += 1;
                    tally.most_lost = tally.most_lost.max(lost);
                }
                other => return Err(format!("{other:?}, after: {words}")),
            }
        }
        other => return Err(format!("{other:?}")),
    }
    Ok(())
}

/// A closed store with everything in it, what it holds, and where each item was ever told of.
///
/// The log is read after each step: what is removed and trimmed comes back where a file is lost that said so.
fn made(path: &Path) -> (Dump, Items) {
    let load = Load::new(30);
    let (store, mut writer) = open(path).unwrap();
    let (mut items, mut after) = (Items::new(), Seq(0));
    for step in 1..=setting("RASID_STEPS", 40) as u64 {
        load.step(&mut writer, step).unwrap();
        let last = *store.durable().borrow();
        while after < last {
            for record in store.log(after, 500).unwrap() {
                items.entry(record.id.to_string()).or_default().push(record.seq.0);
                after = record.seq;
            }
        }
    }
    drop((store, writer));
    let (store, _writer) = open(path).unwrap();
    clean(&store);
    (dump(&store, u64::MAX).unwrap(), items)
}

#[test]
fn damage_is_told_and_costs_no_more_than_what_was_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    let (expected, items) = made(&whole);
    let told = dir.path().join("expected.json");
    fs::write(&told, serde_json::to_vec(&expected).unwrap()).unwrap();
    let there = expected.keys().filter(|name| name.starts_with("item ")).count();
    let files = files(&whole);
    let size: u64 = files.values().sum();
    let mut rng = Rng::new();
    let cases = cases(&mut rng, &files);
    let (all, begun) = (cases.len(), Instant::now());
    eprintln!("{} records in {} files of {size} bytes together; {all} kinds of harm", expected.len(), files.len());
    let errors = tempfile::tempfile().unwrap();
    let (waiting, failed) = (Mutex::new(cases.into_iter().enumerate()), Mutex::new(vec![]));
    let tallies: Mutex<BTreeMap<(String, &str), Tally>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut worker = None;
                loop {
                    let Some((number, case)) = waiting.lock().unwrap().next() else { break };
                    let path = dir.path().join(format!("case-{number}"));
                    copied(&whole, &path);
                    case.harm.does(&path.join(&case.file));
                    let mut tally = Tally::default();
                    let asked = worker.get_or_insert_with(|| Worker::new(&told, &errors));
                    if let Err(wrong) = one(asked, &case, &path, (there, &items), &mut tally) {
                        failed.lock().unwrap().push(format!("{case}: {wrong}"));
                        // Whatever state it is in.
                        worker = None;
                    }
                    if number % 50 == 49 {
                        worker = None;
                    }
                    let mut tallies = tallies.lock().unwrap();
                    let name = case.file.display().to_string();
                    let sum = tallies.entry((name, case.harm.kind())).or_default();
                    sum.same += tally.same;
                    sum.told += tally.told;
                    sum.repaired += tally.repaired;
                    sum.most_lost = sum.most_lost.max(tally.most_lost);
                    sum.slowest = sum.slowest.max(tally.slowest);
                    remove(dir.path(), &format!("case-{number}"));
                }
            });
        }
    });
    eprintln!("{:32} {:9} {:>6} {:>6} {:>9} {:>10} {:>10}", "", "", "same", "told", "repaired", "most lost", "slowest");
    for ((file, kind), Tally { same, told, repaired, most_lost, slowest }) in tallies.into_inner().unwrap() {
        let slowest = slowest.as_millis();
        eprintln!("{file:32} {kind:9} {same:6} {told:6} {repaired:9} {most_lost:10} {slowest:7} ms");
    }
    let failed = failed.into_inner().unwrap();
    eprintln!("{} of {all} are right, {} s", all - failed.len(), begun.elapsed().as_secs());
    assert!(failed.is_empty(), "{} of {all} are wrong:\n{}", failed.len(), failed.join("\n"));
}

/// A case, with whatever was set aside beside it.
fn remove(dir: &Path, name: &str) {
    let entries = fs::read_dir(dir).unwrap().filter_map(Result::ok);
    let names: BTreeSet<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    let own = names
        .iter()
        .filter(|other| other.strip_prefix(name).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit())));
    own.for_each(|other| {
        let _gone = fs::remove_dir_all(dir.join(other));
    });
}
