//! Everyone who reads the log ends with the same log: five each that follow the stream, poll, take webhooks, have a stream of
//! NATS, or a file, under load, while the daemon and they themselves are killed at random.
//!
//! `RASID_MINUTES=30` makes it last so long, in place of 20 seconds; `RASID_SEED` draws the same lots again. `just everyone 30`
//! does it. What each promises is held as docs/consumers.md and docs/sinks.md say it: a stream and a file double nothing; a poll
//! and a webhook may, which their readers know by the `seq`.

mod own;
mod press;
mod readers;
mod receivers;
mod truth;

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use self::own::lines;
use self::press::{FEEDS, Press};
use self::readers::{Door, Phase, Reader, Score};
use self::receivers::{Receiver, Streams};
use self::truth::Truth;
use crate::newsroom::Server;
use crate::rasid::{Daemon, Home, wait_for};

const TOKEN: &str = "a-token-of-everyone-that-nobody-guesses";

/// A setting of this test; it has to be readable.
fn setting<T: std::str::FromStr>(name: &str) -> Option<T> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is {value}")))
}

/// The daemon and all around it.
struct World {
    home: Home,
    /// What the readers have.
    dir: tempfile::TempDir,
    random: fastrand::Rng,
    daemon: Option<Daemon>,
    receivers: Vec<Receiver>,
    streams: Option<Streams>,
    readers: Vec<Reader>,
    /// Which topics are configured: they take turns.
    wet: bool,
    split: Vec<String>,
    kills: u64,
    stops: u64,
    orders: u64,
}

#[test]
fn five_consumers_of_each_kind_end_with_the_same_log_whatever_is_restarted() {
    let minutes: f64 = setting("RASID_MINUTES").unwrap_or(1.0 / 3.0);
    let seed: u64 = setting("RASID_SEED").unwrap_or_else(|| fastrand::u64(..));
    eprintln!("{minutes:.1} minutes with RASID_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let press = Arc::new(Press::new(random.fork()));
    let server = Server::start({
        let press = Arc::clone(&press);
        move |asked| press.answer(&asked.path)
    });
    let phase = Arc::new(Phase::default());
    let mut world = World::new(&server, &phase, random);
    let (begun, length) = (Instant::now(), Duration::from_secs_f64(minutes * 60.0));
    while begun.elapsed() < length || !press.was_asked(8) {
        world.do_something();
    }

    // Whoever is away comes back, nothing new is published, and what is short-lived goes.
    phase.calm.store(true, Ordering::SeqCst);
    world.all_come_back();
    for order in 0..4 {
        world.order(order);
    }
    press.close();
    world.wait_until_all_have_all();
    phase.over.store(true, Ordering::SeqCst);
    world.compare(&press, minutes, begun.elapsed());
}

impl World {
    fn new(server: &Server, phase: &Arc<Phase>, mut random: fastrand::Rng) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let receivers: Vec<Receiver> = (0..5).map(|n| Receiver::start(n, dir.path(), phase, random.fork())).collect();
        let streams = Streams::start();
        let mut sinks: String = receivers.iter().enumerate().map(|(n, receiver)| receiver.config(n)).collect();
        for n in 0..5 {
            sinks.push_str(&receivers::file_config(n));
            sinks.extend(streams.as_ref().map(|streams| streams.config(n)));
        }
        let feeds: String = FEEDS
            .iter()
            .map(|feed| format!("[[feed]]\nid = \"{feed}\"\nurl = \"{}\"\n", server.url(&format!("/{feed}"))))
            .collect();
        let home = Home::new(
            &format!("per_host = 4\n[store.retention_by_feed]\nbrief = \"4s\"\n{sinks}"),
            &format!(
                "[defaults]\nfull_text = \"never\"\ninterval = \"400ms\"\nmin_interval = \"400ms\"\n\
                 max_interval = \"400ms\"\n{feeds}"
            ),
        );
        let address = home.listens(TOKEN).replace("http://", "");
        home.write("topics.toml", &topics(false));
        let doors = [Door::Tcp(address, TOKEN), Door::Unix(home.path("data/rasid.sock"))];
        let readers = readers::start(&doors, dir.path(), phase, &mut random);
        let daemon = Some(home.quiet_daemon());
        home.wait_until_it_answers();
        let (wet, split, kills, stops, orders) = (false, Vec::new(), 0, 0, 0);
        Self { home, dir, random, daemon, receivers, streams, readers, wet, split, kills, stops, orders }
    }

    /// One of the things that happen, after a moment.
    fn do_something(&mut self) {
        std::thread::sleep(Duration::from_millis(self.random.u64(50..900)));
        self.check();
        match self.random.u32(0..100) {
            0..40 => self.restart_daemon(),
            40..60 => {
                let n = self.random.usize(0..self.receivers.len());
                self.receivers[n].go_or_come();
            }
            60..75 => {
                if let Some(streams) = &mut self.streams {
                    streams.go_or_come();
                }
            }
            _ => {
                let order = self.random.u32(0..4);
                self.order(order);
            }
        }
    }

    /// Nobody has seen anything that should not be.
    fn check(&self) {
        self.receivers.iter().for_each(Receiver::check);
        for reader in &self.readers {
            assert!(!reader.thread.is_finished(), "{} gave up", reader.name);
        }
    }

    /// Killed or stopped, and started again; now and then killed while it starts.
    fn restart_daemon(&mut self) {
        let daemon = self.daemon.take().unwrap();
        if self.random.u32(0..4) == 0 {
            self.stops += 1;
            assert!(daemon.terminate().success());
        } else {
            self.kills += 1;
            daemon.kill();
            if self.random.bool() {
                let n = self.random.usize(0..5);
                receivers::tear_file(&self.home, n, &mut self.random);
            }
        }
        while self.random.u32(0..5) == 0 {
            let daemon = self.home.quiet_daemon();
            std::thread::sleep(Duration::from_millis(self.random.u64(1..400)));
            daemon.kill();
            self.kills += 1;
        }
        self.daemon = Some(self.home.quiet_daemon());
        self.home.wait_until_it_answers();
    }

    /// What a person does: each adds records of another kind.
    fn order(&mut self, order: u32) {
        let json = |args: &[&str]| -> Vec<Value> {
            self.home.ok(args).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        };
        match order {
            // Other topics, and what is new gets them: `reclassified`.
            0 => {
                self.wet = !self.wet;
                self.home.write("topics.toml", &topics(self.wet));
                self.reload();
                self.home.ok(&["topics", "reclassify", "--since", "8s", "--no-wait"]);
            }
            // What has expired goes: `removed`.
            1 => drop(self.home.ok(&["prune"])),
            // A copy is none: `new`; or it is one again: `duplicate`.
            2 if self.split.len() > 2 => {
                let id = self.split.swap_remove(self.random.usize(0..self.split.len()));
                self.home.ok(&["dedup", "forget", &id]);
            }
            2 => {
                let all = json(&["items", "--feed", "echo", "--all", "--limit", "20", "--format", "ndjson"]);
                let copy = |item: &&Value| item["judged"].is_null() && item["verdict"]["kind"] == "exact";
                let copies: Vec<&Value> = all.iter().filter(copy).collect();
                let Some(copy) = self.random.choice(copies) else { return };
                let id = copy["id"].as_str().unwrap().to_owned();
                self.home.ok(&["dedup", "split", &id]);
                self.split.push(id);
            }
            // A pin changes an item, and no record tells of it.
            _ => {
                let all = json(&["items", "--feed", "press", "--limit", "20", "--format", "ndjson"]);
                let Some(item) = self.random.choice(&all) else { return };
                self.home.ok(&["pin", item["id"].as_str().unwrap()]);
            }
        }
        self.orders += 1;
    }

    /// The configuration is read again, and in force when this is done.
    fn reload(&self) {
        let mut stream = UnixStream::connect(self.home.path("data/rasid.sock")).unwrap();
        stream.write_all(b"POST /api/v1/reload HTTP/1.0\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.0 200 "), "{answer}");
    }

    fn all_come_back(&mut self) {
        self.receivers.iter_mut().filter(|receiver| receiver.is_away()).for_each(Receiver::go_or_come);
        if let Some(streams) = self.streams.as_mut().filter(|streams| !streams.nats.is_running()) {
            streams.go_or_come();
        }
    }

    fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.home.ok(args)).unwrap()
    }

    fn end_of_log(&self) -> u64 {
        self.json(&["consumers", "list", "--json"])["last"].as_u64().unwrap()
    }

    /// Waits until the log does not grow any more, and everybody is at its end.
    fn wait_until_all_have_all(&self) {
        wait_for("what is short-lived to be gone", || {
            self.home.ok(&["prune"]);
            self.home.ok(&["items", "--feed", "brief", "--all", "--format", "ndjson"]).is_empty()
        });
        let (mut end, begun) = (self.end_of_log(), Instant::now());
        loop {
            for reader in &self.readers {
                wait_for(&format!("{} to have {end}", reader.name), || {
                    self.check();
                    reader.score.last.load(Ordering::SeqCst) >= end
                });
            }
            let mut lag = Value::Null;
            wait_for("the sinks to have delivered all", || {
                self.check();
                lag = self.json(&["sinks", "list", "--json"]);
                let done = |sink: &Value| sink["consumer"]["offset"].as_u64() >= Some(end);
                assert!(begun.elapsed().as_secs() < 230, "they are not done: {lag}");
                lag["sinks"].as_array().unwrap().iter().all(done)
            });
            for sink in lag["sinks"].as_array().unwrap() {
                assert_eq!(sink["dead"], 0, "{sink}");
            }
            let grown = self.end_of_log();
            if grown == end {
                return;
            }
            end = grown;
        }
    }

    /// Everybody has the same, and what it took to get there.
    fn compare(mut self, press: &Press, minutes: f64, took: Duration) {
        let mut told = Vec::new();
        for reader in self.readers {
            reader.thread.join().unwrap_or_else(|_| panic!("{} failed", reader.name));
            told.push((reader.name, reader.path, reader.score));
        }
        self.receivers.iter().for_each(Receiver::check);
        let receivers = self.receivers.iter();
        told.extend(receivers.map(|it| (it.name.clone(), it.path.clone(), Arc::clone(&it.score))));
        assert!(self.daemon.take().unwrap().terminate().success());
        self.home.ok(&["verify"]);
        let mut truth = Truth::new(press, &self.home.ok(&["tail"]));
        for (name, path, _) in &told {
            truth.compare(name, lines(path));
        }
        let streamed = self.streams.as_ref().map(|streams| streams.compare(&mut truth));
        let files = receivers::compare_files(&self.home, &mut truth);
        let kinds = truth.kinds();
        for kind in ["new", "revised", "duplicate", "reclassified", "removed"] {
            assert!(kinds.contains_key(kind), "no record is `{kind}`, so nothing was shown of those: {kinds:?}");
        }
        let sum = |kind: &str, of: fn(&Score) -> &AtomicU64| -> u64 {
            told.iter()
                .filter(|(name, ..)| name.starts_with(kind))
                .map(|(.., score)| of(score).load(Ordering::SeqCst))
                .sum()
        };
        let restarts = ["sse", "poll", "hook"].map(|kind| sum(kind, |score| &score.restarts));
        let again = ["sse", "poll", "hook"].map(|kind| sum(kind, |score| &score.again));
        let nats = self.streams.as_ref().map_or_else(
            || "NATS SKIPPED".to_owned(),
            |streams| format!("NATS server killed {} times", streams.kills.lock().unwrap().len()),
        );
        eprintln!(
            "{minutes:.1} minutes of load, done after {:.1}: {} records {kinds:?}; daemon killed {} times, stopped {}, \
             {} orders; consumers restarted: SSE {}, poll {}, webhook {}; {nats}; delivered again: SSE {}, poll {}, webhook {}, \
             streams (outside of their window) {}, {files} files 0; {} readings of a record to the letter as the log is now, {} with its item \
             as it stood then",
            took.as_secs_f64() / 60.0,
            truth.len(),
            self.kills,
            self.stops,
            self.orders,
            restarts[0],
            restarts[1],
            restarts[2],
            again[0],
            again[1],
            again[2],
            streamed.unwrap_or_default(),
            truth.same,
            truth.other,
        );
        drop(self.dir);
    }
}

/// One topic that many items are about, with one weight or another.
fn topics(wet: bool) -> String {
    let weight = if wet { 2.0 } else { 1.0 };
    format!(
        "[[topic]]\nid = \"rain\"\nlabel = {{ ar = \"المطر\", en = \"Rain\" }}\ngate = 'الأمطار'\n\
         [[topic.score]]\nq = 'الأمطار'\nw = {weight:.1}\n"
    )
}
