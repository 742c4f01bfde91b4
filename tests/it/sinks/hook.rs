//! A receiver of webhooks on loopback that answers as it is told, and keeps what it got.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::Value;

/// What is answered.
pub enum Reply {
    Status(u16),
    /// A status with another line in its head.
    With(u16, String),
    /// Nothing, ever.
    Hang,
    /// The connection is closed without a word.
    Close,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Got {
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
    /// Whether it was answered with 200.
    pub taken: bool,
}

impl Got {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The positions of its records.
    pub fn seqs(&self) -> Vec<u64> {
        let json = self.json();
        let seq = |record: &Value| record["seq"].as_u64().unwrap();
        json["records"].as_array().map_or_else(|| vec![seq(&json)], |records| records.iter().map(seq).collect())
    }

    /// Holds the signature to the specification.
    pub fn assert_signed(&self, secret: &[u8]) {
        let header = |name: &str| self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {:?}", self.headers));
        let (id, at) = (header("webhook-id"), header("webhook-timestamp"));
        let age = rasid::pipeline::now().as_second() - at.parse::<i64>().unwrap();
        assert!((0..300).contains(&age), "{age}");
        let given = header("webhook-signature").strip_prefix("v1,").unwrap();
        let signed = [format!("{id}.{at}.").as_bytes(), &self.body].concat();
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        hmac::verify(&key, &signed, &STANDARD.decode(given).unwrap()).expect("the signature is wrong");
    }
}

type Says = dyn Fn(usize, &Got) -> Reply + Send + Sync;

#[derive(Clone)]
struct Shared {
    got: Arc<Mutex<Vec<Got>>>,
    says: Arc<Mutex<Arc<Says>>>,
    hung: Arc<Mutex<Vec<TcpStream>>>,
    stopped: Arc<AtomicBool>,
}

/// One that nobody reaches.
pub struct Away {
    address: SocketAddr,
    shared: Shared,
}

impl Away {
    /// It listens again, at the same address with what it got.
    pub fn back(mut self) -> Hook {
        self.shared.stopped = Arc::default();
        let mut listener = None;
        crate::rasid::wait_for("the address to be free", || {
            listener = TcpListener::bind(self.address).ok();
            listener.is_some()
        });
        Hook::listen(listener.unwrap(), self.shared)
    }
}

/// Runs until dropped.
pub struct Hook {
    pub address: SocketAddr,
    shared: Shared,
}

impl Hook {
    pub fn start(says: impl Fn(usize, &Got) -> Reply + Send + Sync + 'static) -> Self {
        Self::at(([127, 0, 0, 1], 0).into(), says)
    }

    /// As [`Hook::start`], at an address.
    pub fn at(address: SocketAddr, says: impl Fn(usize, &Got) -> Reply + Send + Sync + 'static) -> Self {
        let says: Arc<Says> = Arc::new(says);
        let shared = Shared {
            got: Arc::default(),
            says: Arc::new(Mutex::new(says)),
            hung: Arc::default(),
            stopped: Arc::default(),
        };
        Self::listen(TcpListener::bind(address).unwrap(), shared)
    }

    fn listen(listener: TcpListener, shared: Shared) -> Self {
        let address = listener.local_addr().unwrap();
        let of = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if of.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let of = of.clone();
                std::thread::spawn(move || stream.and_then(|stream| of.talk(stream)));
            }
        });
        Self { address, shared }
    }

    /// From now on it answers like this; what it is given is the number of the request, and the request.
    pub fn say(&self, says: impl Fn(usize, &Got) -> Reply + Send + Sync + 'static) {
        *self.shared.says.lock().unwrap() = Arc::new(says);
    }

    /// Stops, and listens again at the same address with what it got.
    pub fn restart(self) -> Self {
        self.away().back()
    }

    /// Stops.
    pub fn away(self) -> Away {
        Away { address: self.address, shared: self.shared.clone() }
    }

    /// Forgets what it got.
    pub fn forget(&self) {
        self.shared.got.lock().unwrap().clear();
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub fn got(&self) -> Vec<Got> {
        self.shared.got.lock().unwrap().clone()
    }

    /// The positions of what was answered with 200, in the order it came.
    pub fn taken(&self) -> Vec<u64> {
        self.got().iter().filter(|got| got.taken).flat_map(Got::seqs).collect()
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        self.shared.hung.lock().unwrap().clear();
        let _woken = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn talk(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let (mut line, mut headers) = (String::new(), HashMap::new());
        reader.read_line(&mut line)?;
        assert!(line.is_empty() || line.starts_with("POST /hook "), "{line}");
        loop {
            line.clear();
            if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':') {
                headers.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
            }
        }
        let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        if body.is_empty() {
            return Ok(());
        }
        let mut got = Got { headers, body, taken: false };
        let says = Arc::clone(&self.says.lock().unwrap());
        let mut all = self.got.lock().unwrap();
        let reply = says(all.len(), &got);
        got.taken = matches!(reply, Reply::Status(200..=299));
        all.push(got);
        drop(all);
        let (status, more) = match reply {
            Reply::Status(status) => (status, String::new()),
            Reply::With(status, line) => (status, format!("{line}\r\n")),
            Reply::Close => return Ok(()),
            Reply::Hang => {
                self.hung.lock().unwrap().push(stream);
                return Ok(());
            }
        };
        write!(stream, "HTTP/1.1 {status} X\r\nConnection: close\r\n{more}Content-Length: 4\r\n\r\nsaid")
    }
}
