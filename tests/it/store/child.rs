//! A child process that works on a store until somebody ends it.
//!
//! In: a [`Work`], and what is to befall the process. Out: what it [`Said`], line by line, and how it [`Ended`].
//! Promise: a child whose store refuses a group goes on asking, so that a store which then takes another is found out.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, Write as _};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use fastrand::Rng;
use rasid::id::{ItemId, Seq};
use rasid::store::{Group, ItemQuery, Store, StoreError};

use super::load::{FEEDS, Load, PARTS, TOPICS, open, parts};
use super::{feed, new};

const CHILD: &str = "RASID_STORE_CHILD";
/// Seed, steps that are kept, first step, how many steps, threads that read.
const WORK: &str = "RASID_STORE_WORK";

/// What a child does.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    pub load: Load,
    /// It goes on after this step.
    pub after: u64,
    pub steps: u64,
    pub readers: u64,
}

/// What a child says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Opening,
    Opened,
    /// The step that is acknowledged next wrote nothing.
    Idle,
    Acknowledged(u64),
    /// By the store, in its words.
    Refused(String),
    /// A system call failed, as it was told to.
    Struck,
    /// Something that may not be.
    Wrong(String),
    Done,
}

impl Said {
    fn parse(line: &str) -> Option<Self> {
        let (_, words) = line.split_once("rasid: ")?;
        let (word, rest) = words.split_once(' ').unwrap_or((words, ""));
        Some(match word {
            "opening" => Self::Opening,
            "opened" => Self::Opened,
            "idle" => Self::Idle,
            "acknowledged" => Self::Acknowledged(rest.parse().ok()?),
            "refused" => Self::Refused(rest.to_owned()),
            "struck" => Self::Struck,
            "wrong" => Self::Wrong(rest.to_owned()),
            "done" => Self::Done,
            _ => return None,
        })
    }
}

/// This test binary as another process.
pub struct Child {
    child: std::process::Child,
    heard: Receiver<Said>,
    errors: File,
    begun: Instant,
}

impl Child {
    /// One that works on the store at `path`.
    pub fn at(path: &Path, work: Work, environment: &[(&str, String)]) -> Self {
        let Work { load: Load { seed, keep }, after, steps, readers } = work;
        let work = [seed, keep, after, steps, readers].map(|number| number.to_string()).join(" ");
        let errors = tempfile::tempfile().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["store::child::child", "--exact", "--nocapture"])
            .env(CHILD, path)
            .env(WORK, work)
            .env(PARTS, serde_json::to_string(parts()).unwrap())
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors.try_clone().unwrap())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (told, heard) = mpsc::sync_channel(100_000);
        std::thread::spawn(move || {
            let lines = out.lines().map_while(Result::ok);
            lines.filter_map(|line| Said::parse(&line)).try_for_each(|said| told.send(said)).ok();
        });
        Self { child, heard, errors, begun: Instant::now() }
    }

    /// What it says next; none where it ended or the time is over.
    pub fn next(&self, until: Instant) -> Result<Said, RecvTimeoutError> {
        self.heard.recv_timeout(until.saturating_duration_since(Instant::now()))
    }

    /// SIGKILL; what it said and was not heard yet.
    pub fn kill(mut self) -> Vec<Said> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.heard.iter().collect()
    }

    /// Waits until it ends by itself.
    pub fn end(mut self, within: Duration) -> Ended {
        let (mut said, mut late) = (vec![], false);
        let until = self.begun + within;
        loop {
            match self.next(until) {
                Ok(word) => said.push(word),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    late = true;
                    self.child.kill().unwrap();
                    break;
                }
            }
        }
        let status = self.child.wait().unwrap();
        Ended { said, status, late, errors: self.errors() }
    }

    pub fn errors(&mut self) -> String {
        let mut text = String::new();
        self.errors.rewind().unwrap();
        self.errors.read_to_string(&mut text).unwrap();
        text
    }
}

/// How a child ended.
pub struct Ended {
    pub said: Vec<Said>,
    pub status: ExitStatus,
    pub late: bool,
    pub errors: String,
}

impl Ended {
    pub fn acknowledged(&self) -> Option<u64> {
        self.said.iter().rev().find_map(|said| if let Said::Acknowledged(step) = said { Some(*step) } else { None })
    }

    pub fn refusals(&self) -> impl Iterator<Item = &str> {
        self.said.iter().filter_map(|said| if let Said::Refused(words) = said { Some(words.as_str()) } else { None })
    }

    /// It ended in time, by its own will and not by a panic.
    pub fn check(&self) -> Result<(), String> {
        let wrong = self.said.iter().find(|said| matches!(said, Said::Wrong(_)));
        if self.late || !self.status.success() || wrong.is_some() || self.said.last() != Some(&Said::Done) {
            let end: Vec<_> = self.said.iter().rev().take(5).collect();
            let late = if self.late { "too late, " } else { "" };
            return Err(format!("{late}{}, {wrong:?}, it said last {end:?}\n{}", self.status, self.errors));
        }
        Ok(())
    }
}

pub fn say(words: &str) {
    let mut out = std::io::stdout().lock();
    let said = writeln!(out, "rasid: {}", words.replace('\n', " ")).and_then(|()| out.flush());
    said.expect("somebody listens");
}

/// Not a test of its own: what the tests of this directory start, and end.
#[test]
fn child() {
    let (Some(path), Ok(work)) = (std::env::var_os(CHILD), std::env::var(WORK)) else { return };
    let work: Vec<u64> = work.split(' ').map(|number| number.parse().unwrap()).collect();
    let [seed, keep, after, steps, readers] = work[..] else { panic!("{work:?}") };
    let load = Load { seed, keep };
    parts();
    say("opening");
    let (store, mut writer) = match open(Path::new(&path)) {
        Ok(opened) => opened,
        Err(error) => {
            say(&format!("refused {error}"));
            return say("done");
        }
    };
    say("opened");
    for reader in 0..readers {
        let store = store.clone();
        std::thread::spawn(move || {
            for round in 0.. {
                if let Err(error) = read(&store, &mut Rng::with_seed(reader * 1_000_000 + round)) {
                    say(&format!("wrong {error}"));
                }
            }
        });
    }
    for step in after + 1..=after.saturating_add(steps) {
        match load.step(&mut writer, step) {
            Ok(wrote) => {
                if !wrote {
                    say("idle");
                }
                say(&format!("acknowledged {step}"));
            }
            Err(error) => {
                say(&format!("refused {error}"));
                // What is on the disk is not known any more: from now on it must refuse.
                for step in step..step + 3 {
                    let id = Load { seed: seed + 1, keep }.entry(step, 1, 0);
                    match writer.commit(Group { items: vec![new(id)], ..Group::default() }) {
                        Ok(_) => say("wrong: it refused a group and took the next"),
                        Err(error) => say(&format!("refused {error}")),
                    }
                }
                break;
            }
        }
    }
    drop((store, writer));
    say("done");
}

/// Reads as consumers do: a page, a piece of the log, an item.
fn read(store: &Store, rng: &mut Rng) -> Result<(), String> {
    let words = |error: StoreError| error.to_string();
    let mut query = ItemQuery { duplicates: rng.bool(), limit: rng.usize(1..100), ..ItemQuery::default() };
    match rng.u32(0..3) {
        0 => query.feed = Some(feed(FEEDS[rng.usize(..FEEDS.len())])),
        1 => query.topic = Some(TOPICS[rng.usize(..TOPICS.len())].parse().unwrap()),
        _ => {}
    }
    let page = store.items(&query).map_err(words)?;
    let listed: BTreeSet<ItemId> = page.items.iter().map(|item| item.id).collect();
    if listed.len() != page.items.len() {
        return Err("a page lists an item twice".to_owned());
    }
    let durable = store.durable().borrow().0;
    let after = rng.u64(0..durable + 1).max(durable.saturating_sub(200));
    for (expected, record) in (after + 1..).zip(store.log(Seq(after), 100).map_err(words)?) {
        if record.seq.0 != expected {
            return Err(format!("the log has {} in the place of {expected}", record.seq.0));
        }
        if let Some(item) = record.item.filter(|item| item.id != record.id) {
            return Err(format!("log record {expected} is of {} and has {}", record.id, item.id));
        }
    }
    store.stats().map_err(words)?;
    Ok(())
}
