//! A loopback server of news for the tests: answers what a closure says, and can always have something new.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// A request, as far as the tests look at it.
#[derive(Debug)]
pub struct Asked {
    pub path: String,
    /// Names in lower case.
    pub headers: HashMap<String, String>,
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn ok(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, headers: vec![("Content-Type".into(), content_type.into())], body: body.into() }
    }

    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// Runs until dropped.
pub struct Server {
    pub address: SocketAddr,
    stopped: Arc<AtomicBool>,
}

impl Server {
    pub fn start(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stopped = Arc::new(AtomicBool::new(false));
        let (flag, answer) = (stopped.clone(), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if flag.load(Ordering::SeqCst) {
                    return;
                }
                let answer = answer.clone();
                // A client that is killed in the middle breaks its own connection only.
                std::thread::spawn(move || stream.and_then(|stream| talk(stream, &*answer)));
            }
        });
        Self { address, stopped }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        let _woken = TcpStream::connect(self.address);
    }
}

fn talk(stream: TcpStream, answer: &dyn Fn(&Asked) -> Answer) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or("/").to_owned();
    let mut headers = HashMap::new();
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    let answer = answer(&Asked { path, headers });
    let mut head = format!("HTTP/1.1 {} X\r\nConnection: close\r\n", answer.status);
    if answer.status != 304 {
        head.push_str(&format!("Content-Length: {}\r\n", answer.body.len()));
    }
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    let mut stream = stream;
    stream.write_all(head.as_bytes())?;
    stream.write_all(&answer.body)
}

const WORDS: [&str; 48] = [
    "أعلنت",
    "الوزارة",
    "اليوم",
    "افتتاح",
    "مدرسة",
    "جديدة",
    "في",
    "المدينة",
    "القديمة",
    "بحضور",
    "سكان",
    "الحي",
    "وقال",
    "مصدر",
    "محلي",
    "إن",
    "المشروع",
    "استغرق",
    "عامين",
    "كاملين",
    "ويضم",
    "مكتبة",
    "وملعبا",
    "وقاعات",
    "للدراسة",
    "من",
    "جهة",
    "أخرى",
    "تراجعت",
    "أسعار",
    "الخضر",
    "بعد",
    "هطول",
    "الأمطار",
    "على",
    "الساحل",
    "وتوقعت",
    "الأرصاد",
    "طقسا",
    "معتدلا",
    "خلال",
    "الأسبوع",
    "المقبل",
    "وشهدت",
    "الأسواق",
    "حركة",
    "نشطة",
    "منذ",
];

/// A text of `words` words that differs from every other number's.
pub fn prose(number: u64, words: usize) -> String {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut out = String::new();
    for index in 0..words {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        if index > 0 {
            out.push(if index % 12 == 0 { '\n' } else { ' ' });
        }
        out.push_str(WORDS[(state % WORDS.len() as u64) as usize]);
    }
    out
}

/// A feed that has something new at every request, and drops an entry once the client has shown, by the validator it
/// sends, that it has stored the answer the entry was in. A client whose validators run ahead of its items loses entries.
pub struct Endless {
    state: Mutex<State>,
    per_answer: u64,
    /// Where the entries' pages are, for entries without an article of their own.
    pages: Option<String>,
}

#[derive(Default)]
struct State {
    version: u64,
    /// Entries not yet shown to be stored: number and the version they came with.
    open: Vec<(u64, u64)>,
    published: u64,
    closed: bool,
}

/// So many entries wait to be stored before nothing more is published.
const MOST_OPEN: usize = 1_000;

impl Endless {
    pub fn new(per_answer: u64, pages: Option<String>) -> Self {
        Self { state: Mutex::default(), per_answer, pages }
    }

    /// How many entries it has ever published.
    pub fn published(&self) -> u64 {
        self.state.lock().unwrap().published
    }

    /// No more new entries.
    pub fn close(&self) {
        self.state.lock().unwrap().closed = true;
    }

    pub fn answer(&self, name: &str, asked: &Asked) -> Answer {
        let mut state = self.state.lock().unwrap();
        let stored = asked.headers.get("if-none-match").and_then(|tag| tag.trim_matches('"').parse::<u64>().ok());
        if let Some(stored) = stored {
            state.open.retain(|(_, version)| *version > stored);
            if state.closed && state.open.is_empty() {
                return Answer::status(304).with("ETag", format!("\"{}\"", state.version));
            }
        }
        // A document of more than `max_entries` is cut: on a slow machine, where a daemon is killed again and again before it has
        // read one, it would grow so long.
        if !state.closed && state.open.len() < MOST_OPEN {
            state.version += 1;
            for _ in 0..self.per_answer {
                state.published += 1;
                let (number, version) = (state.published, state.version);
                state.open.push((number, version));
            }
        }
        let items: String = state.open.iter().rev().map(|(number, _)| self.item(name, *number)).collect();
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><rss version=\"2.0\"><channel><title>{name}</title>{items}</channel></rss>"
        );
        Answer::ok("application/rss+xml", body).with("ETag", format!("\"{}\"", state.version))
    }

    fn item(&self, name: &str, number: u64) -> String {
        let title = prose(number ^ hash(name), 7);
        let (link, text) = match &self.pages {
            Some(pages) => (format!("{pages}/{name}/{number}"), String::new()),
            None => (format!("https://{name}.example/{number}"), prose(number ^ hash(name) ^ 7, 120)),
        };
        format!(
            "<item><guid isPermaLink=\"false\">{name}-{number}</guid><title>{title}</title><link>{link}</link><description>{text}</description></item>"
        )
    }
}

/// The page of an entry of an [`Endless`] feed.
pub fn article_page(name: &str, number: u64) -> String {
    let paragraphs: String = prose(number ^ hash(name) ^ 7, 140).split('\n').map(|p| format!("<p>{p}.</p>")).collect();
    format!("<html lang=\"ar\"><body><nav>الرئيسية</nav><article><h1>خبر</h1>{paragraphs}</article></body></html>")
}

fn hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The feed `nabd`, whose entries are numbered; so many of them are published.
pub struct Numbered {
    published: Arc<AtomicUsize>,
    server: Server,
}

impl Numbered {
    pub fn new(entries: usize) -> Self {
        let published = Arc::new(AtomicUsize::new(entries));
        let count = Arc::clone(&published);
        let server = Server::start(move |_| Answer::ok("application/rss+xml", numbered(count.load(Ordering::SeqCst))));
        Self { published, server }
    }

    /// From now on so many.
    pub fn publish(&self, entries: usize) {
        self.published.store(entries, Ordering::SeqCst);
    }

    /// The `feeds.toml` that has it alone.
    pub fn feeds(&self) -> String {
        let url = self.server.url("/rss");
        format!("[defaults]\nfull_text = \"never\"\n[[feed]]\nid = \"nabd\"\nurl = \"{url}\"\n")
    }
}

/// The newest first.
fn numbered(n: usize) -> String {
    let item = |i| {
        format!(
            "<item><guid>{i}</guid><link>https://nabd.example/{i}</link><title>الخبر رقم {i} من المدينة</title>\
             <description>تفاصيل الخبر الذي رقمه {} ولا يشبه غيره</description></item>",
            i * 7_919
        )
    };
    let items: String = (0..n).rev().map(item).collect();
    format!("<rss version=\"2.0\"><channel><title>نبض</title>{items}</channel></rss>")
}
