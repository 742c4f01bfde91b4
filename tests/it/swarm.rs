//! 2,000 feeds on 200 hosts, a good part of them ill-mannered, polled by the real binary.
//!
//! Each host is a name that `[fetch.resolve]` leads to a loopback address of its own, where a server keeps count: how many
//! requests it sees at once, and how long it is left in peace between two. What the swarm has published must be stored,
//! each entry once, by a daemon that stays small.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::newsroom::prose;
use crate::rasid::{Home, wait_for};

const HOSTS: usize = 200;
const FEEDS_PER_HOST: usize = 10;
const ENTRIES: usize = 4;
const GAP: Duration = Duration::from_millis(150);
/// What the daemon may use; the kernel counts what was ever resident.
// 248 to 251 MiB were seen (156 with `MALLOC_ARENA_MAX=2`): most of it is what the C library's allocator keeps for threads.
const MEMORY_KIB: u64 = 300 * 1_024;

/// How a host treats its first feed; the other nine are read plainly, behind the same turnstile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Plain,
    /// Entries whose pages must be fetched.
    Teasers,
    /// A body that trickles for a second.
    Slow,
    /// 500 until the fourth request.
    Failing,
    /// The connection ends before an answer, twice.
    Dropping,
    /// A permanent redirect to the same path of the next host.
    Moved,
    /// A redirect to itself.
    Loop,
    /// 429 with `Retry-After`, once.
    Throttling,
    /// Whole entries, then a gigabyte of nothing in a megabyte of gzip.
    Bomb,
    /// Whole entries, then a byte now and then, for ever.
    Trickling,
    /// Whole entries, then white space as fast as it goes, for ever.
    Endless,
}

const MANNERS: [Manner; 11] = [
    Manner::Plain,
    Manner::Teasers,
    Manner::Slow,
    Manner::Failing,
    Manner::Dropping,
    Manner::Moved,
    Manner::Loop,
    Manner::Throttling,
    Manner::Bomb,
    Manner::Trickling,
    Manner::Endless,
];

fn manner(host: usize) -> Manner {
    MANNERS[host % MANNERS.len()]
}

/// What one host has seen.
#[derive(Default)]
struct Seen {
    requests: u32,
    open: u32,
    at_once: u32,
    /// When the last answer was given; nothing where it was broken off, for then only the other side knows.
    ended: Option<Instant>,
    shortest: Option<Duration>,
    wrong_name: u32,
    asked: HashMap<String, u32>,
}

type Log = Arc<Vec<Mutex<Seen>>>;

fn name(host: usize) -> String {
    format!("h{host:03}.swarm.example")
}

fn guid(host: usize, feed: usize, entry: usize) -> String {
    format!("{host}-{feed}-{entry}")
}

fn items(host: usize, feed: usize) -> String {
    let mut items = String::new();
    for entry in 0..ENTRIES {
        let number = ((host * FEEDS_PER_HOST + feed) * ENTRIES + entry) as u64;
        let teaser = feed == 0 && manner(host) == Manner::Teasers;
        let words = if teaser { 12 } else { 70 };
        let (title, text) = (prose(number * 2 + 1, 7), prose(number * 2, words));
        writeln!(
            items,
            "<item><guid>{}</guid><link>/p/{number}</link><title>{}</title><description>{text}</description></item>",
            guid(host, feed, entry),
            title.replace('\n', " "),
        )
        .unwrap();
    }
    items
}

fn feed_text(host: usize, feed: usize, closed: bool) -> String {
    let end = if closed { "</channel></rss>" } else { "" };
    format!("<rss version=\"2.0\"><channel><title>السرب</title>\n{}{end}", items(host, feed))
}

/// Listens at every host; gives the port of each.
async fn listen(log: &Log) -> Vec<u16> {
    let mut ports = Vec::new();
    for host in 0..HOSTS {
        let listener = TcpListener::bind((address(host), 0)).await.unwrap();
        ports.push(listener.local_addr().unwrap().port());
        let log = log.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let log = log.clone();
                tokio::spawn(async move { serve(stream, host, &log).await });
            }
        });
    }
    ports
}

fn address(host: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 0, u8::try_from(host + 1).unwrap())
}

/// One request, one answer, one connection.
async fn serve(mut stream: TcpStream, host: usize, log: &Log) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            // A connection that asks nothing is none of the requests.
            Err(_) => return,
        }
    }
    let arrived = Instant::now();
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let named = head.lines().find_map(|line| line.strip_prefix("host: ").or(line.strip_prefix("Host: ")));
    let right = named.is_some_and(|named| named.starts_with(&format!("{}:", name(host))));
    // An answer that the other side broke off ends here when a write fails, which may be a moment later than there.
    let patience = arrived + Duration::from_secs(3);
    while log[host].lock().unwrap().open > 0 && Instant::now() < patience {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let tries = {
        let mut seen = log[host].lock().unwrap();
        seen.requests += 1;
        seen.open += 1;
        seen.at_once = seen.at_once.max(seen.open);
        seen.wrong_name += u32::from(!right);
        if let Some(rest) = seen.ended.take().and_then(|ended| arrived.checked_duration_since(ended)) {
            seen.shortest = Some(seen.shortest.map_or(rest, |shortest| shortest.min(rest)));
        }
        let tries = seen.asked.entry(path.clone()).or_default();
        *tries += 1;
        *tries
    };
    let whole = answer(&mut stream, host, &path, tries, log).await;
    if !whole {
        log[host].lock().unwrap().open -= 1;
    }
}

/// The end of an answer: what is left of it is about to go out, so the other side can't have seen it yet.
fn ends(log: &Log, host: usize) {
    let mut seen = log[host].lock().unwrap();
    seen.open -= 1;
    seen.ended = Some(Instant::now());
}

/// Gives the answer; whether it was given to its end.
async fn answer(stream: &mut TcpStream, host: usize, path: &str, tries: u32, log: &Log) -> bool {
    let feed = path.strip_prefix("/f/").and_then(|rest| {
        let (host, feed) = rest.split_once('-')?;
        Some((host.parse::<usize>().ok()?, feed.parse::<usize>().ok()?))
    });
    let ok =
        |kind: &str, body: &str| format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n{body}");
    let page = |number: u64| {
        let text = prose(number * 2 + 1_000_000, 150).replace('\n', ".</p><p>");
        ok("text/html", &format!("<html lang=\"ar\"><body><article><p>{text}</p></article></body></html>"))
    };
    let Some((origin, feed)) = feed else {
        let number = path.strip_prefix("/p/").and_then(|number| number.parse().ok());
        let missing = "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n".to_owned();
        ends(log, host);
        let _gone = stream.write_all(number.map_or(missing, page).as_bytes()).await;
        return true;
    };
    let manner = if feed == 0 { manner(origin) } else { Manner::Plain };
    let xml = "application/rss+xml";
    let whole = match manner {
        Manner::Failing if tries <= 3 => "HTTP/1.1 500 Oh\r\nConnection: close\r\n\r\n".to_owned(),
        Manner::Throttling if tries == 1 => {
            "HTTP/1.1 429 Slow down\r\nRetry-After: 1\r\nConnection: close\r\n\r\n".to_owned()
        }
        Manner::Dropping if tries <= 2 => String::new(),
        Manner::Loop => format!("HTTP/1.1 302 Found\r\nLocation: {path}\r\nConnection: close\r\n\r\n"),
        Manner::Moved if origin == host => {
            let next = (host + 1) % HOSTS;
            let port = log[next].lock().unwrap().asked.get("port").copied().unwrap();
            let to = format!("http://{}:{port}{path}", name(next));
            format!("HTTP/1.1 301 Moved Permanently\r\nLocation: {to}\r\nConnection: close\r\n\r\n")
        }
        Manner::Bomb => {
            let mut zip = GzEncoder::new(Vec::new(), Compression::fast());
            std::io::Write::write_all(&mut zip, feed_text(origin, feed, false).as_bytes()).unwrap();
            for _ in 0..64 {
                std::io::Write::write_all(&mut zip, &[b' '; 1 << 20]).unwrap();
            }
            let body = zip.finish().unwrap();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {xml}\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _gone = stream.write_all(&[head.as_bytes(), &body].concat()).await;
            // It stops reading at its limit, so when it is done is not seen from here.
            return false;
        }
        Manner::Slow => {
            let text = ok(xml, &feed_text(origin, feed, true));
            let (first, last) = text.as_bytes().split_at(text.len() / 2);
            let _gone = stream.write_all(first).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            ends(log, host);
            let _gone = stream.write_all(last).await;
            return true;
        }
        Manner::Trickling | Manner::Endless => {
            let mut gone = stream.write_all(ok(xml, &feed_text(origin, feed, false)).as_bytes()).await;
            while gone.is_ok() {
                let (bytes, pause) = if manner == Manner::Trickling { (1, 50) } else { (16_384, 0) };
                gone = stream.write_all(&vec![b' '; bytes]).await;
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
            return false;
        }
        _ => ok(xml, &feed_text(origin, feed, true)),
    };
    ends(log, host);
    let _gone = stream.write_all(whole.as_bytes()).await;
    true
}

/// The configuration of the swarm.
fn home(ports: &[u16]) -> Home {
    let mut fetch = format!(
        "workers = 64\ntimeout = \"3s\"\nmax_body = \"1MiB\"\nattempts = 2\nhost_gap = \"{}ms\"\nallow_private = [\"127.0.0.0/8\"]\n\
         [fetch.resolve]\n",
        GAP.as_millis()
    );
    let mut feeds = "[defaults]\ninterval = \"10m\"\n".to_owned();
    for (host, port) in ports.iter().enumerate() {
        writeln!(fetch, "\"{}\" = \"{}\"", name(host), address(host)).unwrap();
        for feed in 0..FEEDS_PER_HOST {
            let url = format!("http://{}:{port}/f/{host}-{feed}", name(host));
            write!(feeds, "[[feed]]\nid = \"f{host}-{feed}\"\nurl = \"{url}\"\n").unwrap();
            if feed == 0 {
                // Those that fail are asked again soon.
                writeln!(feeds, "interval = \"2s\"\nmin_interval = \"2s\"\nmax_interval = \"3s\"").unwrap();
            }
            if manner(host) != Manner::Teasers || feed > 0 {
                writeln!(feeds, "full_text = \"never\"").unwrap();
            }
        }
    }
    Home::bare(&fetch, &feeds)
}

/// The most memory that a process has ever had, in KiB.
fn peak_memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn t17_a_swarm_of_2000_feeds_is_polled_politely_and_whole() {
    let log: Log = Arc::new((0..HOSTS).map(|_| Mutex::default()).collect());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let ports = runtime.block_on(listen(&log));
    for (host, port) in ports.iter().enumerate() {
        // Where the next host listens, for those who lead there.
        log[host].lock().unwrap().asked.insert("port".to_owned(), u32::from(*port));
    }
    let home = home(&ports);
    let daemon = home.quiet_daemon();
    home.wait_until_it_answers();
    let readable = |host: usize| (0..FEEDS_PER_HOST).filter(move |feed| *feed > 0 || manner(host) != Manner::Loop);
    let published: Vec<String> = (0..HOSTS)
        .flat_map(|host| readable(host).map(move |feed| (host, feed)))
        .flat_map(|(host, feed)| (0..ENTRIES).map(move |entry| guid(host, feed, entry)))
        .collect();
    let start = Instant::now();
    let stored = || -> u64 {
        let status: Value = serde_json::from_str(&home.ok(&["status", "--json"])).unwrap();
        status["store"]["items"].as_u64().unwrap() + status["store"]["duplicates"].as_u64().unwrap()
    };
    wait_for("all entries of the swarm to be stored", || {
        std::thread::sleep(Duration::from_millis(500));
        stored() >= published.len() as u64
    });
    let took = start.elapsed();
    let memory = peak_memory(daemon.id());

    let mut times = BTreeMap::<String, u32>::new();
    for line in home.ok(&["tail", "--after", "0"]).lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        // A teaser whose page came later is revised; that is no second entry.
        if record["kind"] != "revised" {
            *times.entry(record["item"]["guid"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    let missing: Vec<&String> = published.iter().filter(|guid| !times.contains_key(*guid)).collect();
    assert!(missing.is_empty(), "{} entries are not stored: {:?}", missing.len(), &missing[..missing.len().min(9)]);
    let twice: Vec<_> = times.iter().filter(|(_, times)| **times > 1).take(9).collect();
    assert!(twice.is_empty(), "stored more than once: {twice:?}");
    assert_eq!(times.len(), published.len(), "something is stored that was never published");

    let (mut requests, mut shortest) = (0, Duration::MAX);
    for (host, seen) in log.iter().enumerate() {
        let seen = seen.lock().unwrap();
        let who = format!("{} ({:?})", name(host), manner(host));
        assert_eq!(seen.at_once, 1, "{who} saw {} requests at once", seen.at_once);
        assert_eq!(seen.wrong_name, 0, "{who} was asked under another name");
        assert!(seen.shortest.is_none_or(|rest| rest >= GAP), "{who} was left in peace for {:?} only", seen.shortest);
        requests += seen.requests;
        shortest = shortest.min(seen.shortest.unwrap_or(shortest));
    }
    eprintln!(
        "{} entries of {} feeds on {HOSTS} hosts in {took:.1?}, {requests} requests, the shortest pause {shortest:?}, \
         {} MiB at most",
        published.len(),
        HOSTS * FEEDS_PER_HOST,
        memory / 1_024
    );
    assert!(memory < MEMORY_KIB, "{} MiB of memory", memory / 1_024);
    assert!(daemon.terminate().success());
}
