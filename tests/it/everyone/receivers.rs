//! Those who are served: receivers of webhooks that fail in every way, a NATS server that is killed, files.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_nats::jetstream;
use serde_json::Value;

use super::own::{Own, lines};
use super::readers::{Phase, Score};
use super::truth::Truth;
use crate::rasid::{Home, free_address};
use crate::sinks::hook::{Away, Got, Hook, Reply};
use crate::sinks::nats::Nats;

const SECRET: &str = "a secret of the hooks that nobody guesses";
/// Attempts have no end: whoever is away for long makes no dead letters.
const QUICK: &str = "attempts = 0\nfirst_pause = \"20ms\"\nlongest_pause = \"200ms\"\n";

/// How long a stream remembers what came: the server's own default.
const WINDOW: Duration = Duration::from_secs(120);

/// Where a receiver is.
enum Place {
    Here(Hook),
    Away(Away),
    /// On the way from one to the other.
    Nowhere,
}

/// A receiver of webhooks.
pub struct Receiver {
    pub name: String,
    pub path: PathBuf,
    pub score: Arc<Score>,
    place: Place,
    url: String,
    state: Arc<Mutex<Process>>,
}

/// What answers.
struct Process {
    own: Option<Own>,
    path: PathBuf,
    random: fastrand::Rng,
    phase: Arc<Phase>,
    score: Arc<Score>,
}

impl Receiver {
    pub fn start(n: usize, dir: &Path, phase: &Arc<Phase>, random: fastrand::Rng) -> Self {
        let name = format!("hook-{n}");
        let (path, score) = (dir.join(format!("{name}.ndjson")), Arc::new(Score::default()));
        let process = Process {
            own: Some(Own::open(&path)),
            path: path.clone(),
            random,
            phase: Arc::clone(phase),
            score: Arc::clone(&score),
        };
        let state = Arc::new(Mutex::new(process));
        let of = Arc::clone(&state);
        let hook = Hook::at(free_address(), move |_, got| of.lock().unwrap().answer(got));
        let url = hook.url();
        Self { name, path, score, place: Place::Here(hook), url, state }
    }

    /// Of its sink.
    pub fn config(&self, n: usize) -> String {
        // One record a request, or some.
        let batch = if n.is_multiple_of(2) { 1 } else { 3 + n };
        format!(
            "[[sink]]\nname = \"{}\"\nkind = \"webhook\"\nurl = \"{}\"\nsecret = \"{SECRET}\"\nbatch = {batch}\n\
             timeout = \"700ms\"\n{QUICK}",
            self.name, self.url
        )
    }

    /// Nobody listens at its address, or somebody does again, who knows what is in the file.
    pub fn go_or_come(&mut self) {
        self.place = match std::mem::replace(&mut self.place, Place::Nowhere) {
            Place::Here(hook) => {
                self.score.restarts.fetch_add(1, Ordering::SeqCst);
                Place::Away(hook.away())
            }
            Place::Away(away) => {
                self.state.lock().unwrap().restart(None);
                Place::Here(away.back())
            }
            Place::Nowhere => unreachable!("it is somewhere"),
        };
    }

    pub fn is_away(&self) -> bool {
        matches!(self.place, Place::Away(_))
    }

    /// Fails where something that was delivered broke a promise; forgets requests that were looked at.
    pub fn check(&self) {
        assert!(!self.state.is_poisoned(), "{} got what it should not have got", self.name);
        if let Place::Here(hook) = &self.place {
            hook.forget();
        }
    }
}

impl Process {
    fn restart(&mut self, unkept: Option<&Value>) {
        if let Some(own) = self.own.take() {
            own.tear(unkept, &mut self.random);
        }
        self.own = Some(Own::open(&self.path));
    }

    fn answer(&mut self, got: &Got) -> Reply {
        got.assert_signed(SECRET.as_bytes());
        let json = got.json();
        let records = json["records"].as_array().cloned().unwrap_or_else(|| vec![json.clone()]);
        let last = records[records.len() - 1]["seq"].clone();
        let named = json["last"].is_null() || json["last"] == last;
        let (first, seqs) = (records[0]["seq"].as_u64().unwrap(), got.seqs());
        assert!(named && seqs == (first..first + seqs.len() as u64).collect::<Vec<_>>(), "{json}");
        // It is kept before it is confirmed; whoever fails after that gets it again.
        let chance = if self.phase.calm.load(Ordering::SeqCst) { 99 } else { self.random.u32(0..100) };
        if chance < 12 {
            return match chance {
                0..4 => Reply::Status(500),
                4..6 => Reply::With(429, "Retry-After: 0".to_owned()),
                6..8 => Reply::Close,
                8..10 => Reply::Hang,
                _ => {
                    self.score.restarts.fetch_add(1, Ordering::SeqCst);
                    self.restart(records.first());
                    Reply::Close
                }
            };
        }
        let own = self.own.as_mut().unwrap();
        self.score.again.fetch_add(own.keep(&records), Ordering::SeqCst);
        self.score.last.store(own.last(), Ordering::SeqCst);
        match chance {
            12..15 => Reply::Status(503),
            15..18 => Reply::Close,
            18..20 => Reply::Hang,
            20..22 => {
                self.score.restarts.fetch_add(1, Ordering::SeqCst);
                self.restart(None);
                Reply::Close
            }
            _ => Reply::Status(200),
        }
    }
}

/// Five streams of one server.
pub struct Streams {
    pub nats: Nats,
    /// When the server was killed.
    pub kills: Mutex<Vec<jiff::Timestamp>>,
    runtime: tokio::runtime::Runtime,
}

impl Streams {
    /// Nothing where there is no server, which it says.
    pub fn start() -> Option<Self> {
        let nats = Nats::start()?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let context = jetstream::new(nats.client().await);
            for n in 0..5 {
                let config = jetstream::stream::Config {
                    name: format!("nats-{n}"),
                    subjects: vec![format!("n{n}.>")],
                    duplicate_window: WINDOW,
                    ..jetstream::stream::Config::default()
                };
                context.create_stream(config).await.unwrap();
            }
        });
        Some(Self { nats, kills: Mutex::default(), runtime })
    }

    pub fn config(&self, n: usize) -> String {
        let subject = format!("n{n}.{{kind}}.{{feed}}");
        let keys = self.nats.keys("all");
        format!(
            "[[sink]]\nname = \"nats-{n}\"\n{keys}jetstream = true\nsubject = \"{subject}\"\ntimeout = \"2s\"\n{QUICK}"
        )
    }

    /// Killed, or there again with what it stored.
    pub fn go_or_come(&mut self) {
        if self.nats.is_running() {
            self.nats.kill();
            self.kills.lock().unwrap().push(rasid::pipeline::now());
        } else {
            self.nats.run();
        }
    }

    /// Each stream has the log, and each record once: it knows what came twice within its window. How many came again later
    /// than that, which no promise speaks of.
    pub fn compare(&self, truth: &mut Truth<'_>) -> u64 {
        let mut again = 0;
        for n in 0..5 {
            let name = format!("nats-{n}");
            let mut records = Vec::<(String, jiff::Timestamp)>::new();
            self.runtime.block_on(async {
                let stream = jetstream::new(self.nats.client().await).get_stream(&name).await.unwrap();
                for number in 1..=stream.cached_info().state.last_sequence {
                    let message = stream.get_raw_message(number).await.unwrap();
                    let payload = String::from_utf8(message.payload.to_vec()).unwrap();
                    let at = jiff::Timestamp::from_nanosecond(message.time.unix_timestamp_nanos()).unwrap();
                    let record: Value = serde_json::from_str(&payload).unwrap();
                    let mut subject = message.subject.split('.');
                    assert_eq!(subject.nth(1), record["kind"].as_str(), "{name}: {}", message.subject);
                    let seq = usize::try_from(record["seq"].as_u64().unwrap()).unwrap();
                    match records.get(seq - 1) {
                        None => records.push((payload, at)),
                        Some((_, first)) => {
                            let id = message.headers.get("Nats-Msg-Id");
                            let kills = self.kills.lock().unwrap();
                            assert!(
                                at.duration_since(*first).unsigned_abs() > WINDOW,
                                "{name}: {seq} ({id:?}) came at {first} and at {at}; the server was killed at {kills:?}"
                            );
                            again += 1;
                        }
                    }
                }
            });
            truth.compare(&name, records.into_iter().map(|(payload, _)| payload));
        }
        again
    }
}

/// Of the sink of a file; each is closed at another size, the last by age.
pub fn file_config(n: usize) -> String {
    let rotate = if n == 4 { "rotate_every = \"2s\"".to_owned() } else { format!("rotate_size = \"{}KiB\"", 16 << n) };
    format!("[[sink]]\nname = \"file-{n}\"\nkind = \"file\"\npath = \"out-{n}/log.ndjson\"\n{rotate}\n{QUICK_FILE}")
}

const QUICK_FILE: &str = "first_pause = \"20ms\"\nlongest_pause = \"200ms\"\n";

/// The end of a daemon leaves half a line.
pub fn tear_file(home: &Home, n: usize, random: &mut fastrand::Rng) {
    let torn: [&[u8]; 4] = [b"{\"seq\":99", b"\0\0\0\0\0\0", b"{\"se", b"{\"seq\":7}\n"];
    if let Ok(mut file) = std::fs::File::options().append(true).open(home.path(&format!("out-{n}/log.ndjson"))) {
        std::io::Write::write_all(&mut file, torn[random.usize(0..torn.len())]).unwrap();
    }
}

/// All files, closed and open, have the log, each record once; how many there are.
pub fn compare_files(home: &Home, truth: &mut Truth<'_>) -> usize {
    let mut count = 0;
    for n in 0..5 {
        let listing = std::fs::read_dir(home.path(&format!("out-{n}"))).unwrap();
        let mut files: Vec<PathBuf> = listing.map(|entry| entry.unwrap().path()).collect();
        files.sort_by_key(|path| (path.ends_with("log.ndjson"), path.clone()));
        for path in &files[..files.len() - 1] {
            let seqs: Vec<u64> = lines(path)
                .map(|line| serde_json::from_str::<Value>(&line).unwrap()["seq"].as_u64().unwrap())
                .collect();
            let name = format!("log.{:012}-{:012}.ndjson", seqs[0], seqs[seqs.len() - 1]);
            assert_eq!(path.file_name().unwrap().to_str(), Some(name.as_str()));
            let size = std::fs::metadata(path).unwrap().len();
            assert!(n == 4 || size <= 16 << (10 + n), "{name}: {size} bytes");
        }
        assert!(files.len() > 1, "file-{n} was never closed");
        count += files.len();
        truth.compare(&format!("file-{n}"), files.iter().flat_map(|path| lines(path)));
    }
    count
}
