//! Those who ask: five that follow the stream and keep their position, five whose position the daemon keeps.
//!
//! Each is a thread that lives the lives of a process: what it has in its own file is all that a new life knows.

use std::io::{BufRead as _, BufReader, ErrorKind, Read, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rasid::client::{Client, Error, Event, Filter, Start};
use rasid::id::{ConsumerName, Seq};
use serde_json::Value;

use super::own::Own;

/// How long a reader waits before it looks whether the test is over.
const MOMENT: Duration = Duration::from_millis(200);

/// What all readers see of the test.
#[derive(Default)]
pub struct Phase {
    /// Nobody is killed any more.
    pub calm: AtomicBool,
    /// Everybody may go.
    pub over: AtomicBool,
}

/// How a reader is doing.
#[derive(Default)]
pub struct Score {
    pub last: AtomicU64,
    pub restarts: AtomicU64,
    /// Records that came once more.
    pub again: AtomicU64,
}

pub struct Reader {
    pub name: String,
    pub path: PathBuf,
    pub score: Arc<Score>,
    pub thread: JoinHandle<()>,
}

/// How the daemon is reached.
#[derive(Clone)]
pub enum Door {
    /// `HOST:PORT`, and a token.
    Tcp(String, &'static str),
    Unix(PathBuf),
}

/// What a reader needs.
struct Life {
    door: Door,
    path: PathBuf,
    name: String,
    phase: Arc<Phase>,
    score: Arc<Score>,
    random: fastrand::Rng,
}

/// Why nothing more comes from a stream.
enum Stop {
    /// The connection ended.
    Gone,
    Killed,
    Over,
}

/// Starts five of each.
pub fn start(doors: &[Door; 2], dir: &Path, phase: &Arc<Phase>, random: &mut fastrand::Rng) -> Vec<Reader> {
    let mut readers = Vec::new();
    for n in 0..5 {
        for kind in ["sse", "poll"] {
            let name = format!("{kind}-{n}");
            let (path, score) = (dir.join(format!("{name}.ndjson")), Arc::new(Score::default()));
            let life = Life {
                door: doors[n % 2].clone(),
                path: path.clone(),
                name: name.clone(),
                phase: Arc::clone(phase),
                score: Arc::clone(&score),
                random: random.fork(),
            };
            let work: fn(Life) = match (kind, n) {
                ("poll", _) => Life::poll,
                // The last follows by the client of the library, the others by the letter of the protocol.
                (_, 4) => Life::follow,
                _ => Life::stream,
            };
            let thread = std::thread::Builder::new().name(name.clone()).spawn(move || work(life)).unwrap();
            readers.push(Reader { name, path, score, thread });
        }
    }
    readers
}

impl Door {
    fn client(&self) -> Client {
        match self {
            Self::Tcp(address, token) => Client::http(&format!("http://{address}"), Some(token)),
            Self::Unix(socket) => Client::unix(socket),
        }
        .unwrap()
    }

    /// The stream after a position, at the first line of its body; nothing where nobody answers yet.
    fn stream(&self, after: u64) -> Option<BufReader<Box<dyn Read>>> {
        // HTTP/1.0: the body comes as it is, and ends with the connection.
        let head = format!("GET /api/v1/stream HTTP/1.0\r\nHost: localhost\r\nLast-Event-ID: {after}\r\n");
        let (mut writer, reader): (Box<dyn std::io::Write>, Box<dyn Read>) = match self {
            Self::Tcp(address, _) => {
                let stream = TcpStream::connect(address).ok()?;
                stream.set_read_timeout(Some(MOMENT)).unwrap();
                (Box::new(stream.try_clone().ok()?), Box::new(stream))
            }
            Self::Unix(socket) => {
                let stream = UnixStream::connect(socket).ok()?;
                stream.set_read_timeout(Some(MOMENT)).unwrap();
                (Box::new(stream.try_clone().ok()?), Box::new(stream))
            }
        };
        let token = match self {
            Self::Tcp(_, token) => format!("Authorization: Bearer {token}\r\n"),
            Self::Unix(_) => String::new(),
        };
        writer.write_all(format!("{head}{token}\r\n").as_bytes()).ok()?;
        let (mut reader, mut status) = (BufReader::new(reader), None);
        loop {
            let line = line(&mut reader, &mut Vec::new(), || false).ok()?;
            if line.is_empty() {
                break;
            }
            status.get_or_insert_with(|| line.split(' ').nth(1).unwrap_or_default().to_owned());
        }
        match status.as_deref() {
            Some("200") => Some(reader),
            Some("429" | "502" | "503" | "504") => None,
            other => panic!("the stream after {after} is refused: {other:?}"),
        }
    }
}

/// A line without its end. `begun` is what came of it before; while nothing comes `stop` is asked.
fn line(
    reader: &mut BufReader<Box<dyn Read>>,
    begun: &mut Vec<u8>,
    mut stop: impl FnMut() -> bool,
) -> Result<String, Stop> {
    loop {
        match reader.read_until(b'\n', begun) {
            Ok(_) if begun.ends_with(b"\n") => {
                let line = String::from_utf8(std::mem::take(begun)).unwrap();
                return Ok(line.trim_end_matches(['\n', '\r']).to_owned());
            }
            Ok(_) => return Err(Stop::Gone),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if stop() {
                    return Err(Stop::Over);
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return Err(Stop::Gone),
        }
    }
}

impl Life {
    fn calm(&self) -> bool {
        self.phase.calm.load(Ordering::SeqCst)
    }

    fn over(&self) -> bool {
        self.phase.over.load(Ordering::SeqCst)
    }

    /// Whether it is killed here, once in so many times.
    fn killed(&mut self, once_in: u32) -> bool {
        self.random.u32(0..once_in) == 0 && !self.calm()
    }

    fn keep(&self, own: &mut Own, records: &[Value]) {
        self.score.again.fetch_add(own.keep(records), Ordering::SeqCst);
        self.score.last.store(own.last(), Ordering::SeqCst);
    }

    /// The process ends; what it had not kept comes again.
    fn die(&mut self, own: Own, unkept: &[Value]) {
        self.score.restarts.fetch_add(1, Ordering::SeqCst);
        self.score.again.fetch_add(unkept.len() as u64, Ordering::SeqCst);
        own.tear(unkept.first(), &mut self.random);
    }

    /// Server-sent events, read line by line.
    fn stream(mut self) {
        while !self.over() {
            let mut own = Own::open(&self.path);
            let mut unkept = Vec::new();
            loop {
                match self.connection(&mut own, &mut unkept) {
                    Stop::Gone if self.over() => return,
                    Stop::Gone => std::thread::sleep(Duration::from_millis(self.random.u64(10..100))),
                    Stop::Over => return,
                    Stop::Killed => break,
                }
            }
            self.die(own, &unkept);
        }
    }

    /// One connection, from the last record that this life has seen. The next is exactly the one after it, each time.
    fn connection(&mut self, own: &mut Own, unkept: &mut Vec<Value>) -> Stop {
        let mut position = own.last() + unkept.len() as u64;
        let Some(mut reader) = self.door.stream(position) else { return Stop::Gone };
        let (mut begun, mut id, mut event, mut data) = (Vec::new(), None, String::new(), String::new());
        loop {
            let phase = Arc::clone(&self.phase);
            let told = line(&mut reader, &mut begun, || {
                // Nothing more for the moment: what there is, is kept.
                self.keep(own, unkept);
                unkept.clear();
                phase.over.load(Ordering::SeqCst)
            });
            let told = match told {
                Ok(told) => told,
                Err(stop) => return stop,
            };
            if let Some((field, value)) = told.split_once(": ") {
                match field {
                    "id" => id = Some(value.parse::<u64>().unwrap()),
                    "event" => value.clone_into(&mut event),
                    "data" => value.clone_into(&mut data),
                    _ => {}
                }
            }
            if !told.is_empty() {
                continue;
            }
            let (id, event, data) = (id.take(), std::mem::take(&mut event), std::mem::take(&mut data));
            if data.is_empty() {
                assert!(id.is_none_or(|id| id == position), "{}: a position alone, {id:?} after {position}", self.name);
                continue;
            }
            let record: Value = serde_json::from_str(&data).unwrap();
            let said = (id, record["seq"].as_u64(), record["kind"].as_str());
            position += 1;
            assert_eq!(said, (Some(position), Some(position), Some(event.as_str())), "{}: {data}", self.name);
            unkept.push(record);
            if self.killed(60) {
                return Stop::Killed;
            }
            if self.random.u32(0..4) == 0 {
                self.keep(own, unkept);
                unkept.clear();
            }
        }
    }

    /// The stream by `rasid::client`, which finds its way over restarts by itself.
    fn follow(mut self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        while !self.over() {
            let mut own = Own::open(&self.path);
            let mut unkept = Vec::new();
            let mut log = self.door.client().follow(Seq(own.last()), Filter::default());
            loop {
                let next = runtime.block_on(async { tokio::time::timeout(MOMENT, log.next()).await });
                match next {
                    Ok(Ok(Event::Record(record))) => {
                        let expected = own.last() + unkept.len() as u64 + 1;
                        assert_eq!((record.seq, log.position()), (Seq(expected), Seq(expected)), "{}", self.name);
                        // By way of its text: a value would widen its numbers.
                        unkept.push(serde_json::from_str(&serde_json::to_string(&record).unwrap()).unwrap());
                        if self.killed(60) {
                            break;
                        }
                    }
                    Ok(other) => panic!("{}: {other:?}", self.name),
                    Err(_silence) => {
                        self.keep(&mut own, &unkept);
                        unkept.clear();
                        if self.over() {
                            return;
                        }
                    }
                }
                if unkept.len() > 4 {
                    self.keep(&mut own, &unkept);
                    unkept.clear();
                }
            }
            self.die(own, &unkept);
        }
    }

    /// A named consumer, by requests that wait: read, keep, acknowledge, as docs/consumers.md says.
    fn poll(mut self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut acknowledged = 0;
        while !self.over() {
            let mut own = Own::open(&self.path);
            let unkept = runtime.block_on(self.poll_until_killed(&mut own, &mut acknowledged));
            if !self.over() {
                self.die(own, &unkept);
            }
        }
    }

    /// What it had read and not kept when it was killed. `acknowledged` is what the daemon ever confirmed.
    async fn poll_until_killed(&mut self, own: &mut Own, acknowledged: &mut u64) -> Vec<Value> {
        let (client, name) = (self.door.client(), self.name.parse::<ConsumerName>().unwrap());
        let path = format!("api/v1/consumers/{name}");
        while !self.over() {
            let asked = [("limit", self.random.u32(1..40).to_string()), ("wait", "1000ms".to_owned())];
            let asking = client.get::<Value>(&path, &asked);
            // Some are killed while they wait.
            let patience = if self.killed(50) { self.random.u64(1..100) } else { 60_000 };
            let Ok(reading) = tokio::time::timeout(Duration::from_millis(patience), asking).await else {
                return Vec::new();
            };
            let reading = match reading {
                Ok(reading) => reading,
                Err(error) if error.status() == Some(404) => {
                    assert_eq!(*acknowledged, 0, "{name} is forgotten");
                    passing(
                        client.make_consumer(&name, &Filter::default(), Start::Beginning, "test").await,
                        &self.name,
                    );
                    continue;
                }
                Err(error) => {
                    passing::<()>(Err(error), &self.name);
                    tokio::time::sleep(Duration::from_millis(self.random.u64(10..100))).await;
                    continue;
                }
            };
            let number = |field: &str| reading[field].as_u64().unwrap();
            let (offset, next) = (number("offset"), number("next"));
            assert!(offset >= *acknowledged, "{name} goes on after {offset}, and {acknowledged} was confirmed");
            assert_eq!(reading["missed"], Value::Null, "{name}");
            let records = reading["records"].as_array().unwrap();
            let seqs: Vec<u64> = records.iter().map(|record| record["seq"].as_u64().unwrap()).collect();
            assert_eq!(seqs, (offset + 1..=next).collect::<Vec<_>>(), "{name}");
            if self.killed(25) {
                return records.clone();
            }
            self.keep(own, records);
            if self.killed(15) {
                return Vec::new();
            }
            if next > offset {
                let patience = if self.killed(25) { self.random.u64(0..20) } else { 60_000 };
                let telling = client.ack(&name, Seq(next));
                match tokio::time::timeout(Duration::from_millis(patience), telling).await {
                    // What a life before this one sent when it was killed came in after this one had read: it is not behind.
                    Ok(Err(error)) if error.status() == Some(409) && error.to_string().contains("already") => {}
                    Ok(told) => {
                        if passing(told, &self.name) {
                            *acknowledged = next;
                        }
                    }
                    Err(_killed) => return Vec::new(),
                }
            }
        }
        Vec::new()
    }
}

/// Whether it was done; nothing but what passes may have kept it from that.
fn passing<T>(done: Result<T, Error>, who: &str) -> bool {
    match done {
        Ok(_) => true,
        Err(error) if error.is_passing() => false,
        Err(error) => panic!("{who}: {error}"),
    }
}
