//! The stream: every record once, in order, whatever happens meanwhile.

use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::Bytes;
use rasid::serve::{self, Router};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tower::{Service, ServiceExt as _};

use crate::read_api::World;

/// What a router answers.
type Answer = <Router as Service<Request<Full<Bytes>>>>::Response;

/// An open stream, read frame by frame.
struct Stream {
    body: Answer,
    text: String,
}

/// What an event says; a position alone has no kind.
#[derive(Clone, Debug, PartialEq)]
struct Event {
    id: u64,
    kind: Option<String>,
    data: Option<Value>,
}

impl Stream {
    async fn open(router: &Router, target: &str, last: Option<&str>) -> Result<Self, (u16, Value)> {
        let mut request = Request::builder().uri(target).header("host", "localhost").header("accept-encoding", "gzip");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = router.clone().oneshot(request.body(Full::<Bytes>::default()).unwrap()).await.unwrap();
        if response.status() != 200 {
            let status = response.status().as_u16();
            let body = response.into_body().collect().await.unwrap().to_bytes();
            return Err((status, serde_json::from_slice(&body).unwrap()));
        }
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert!(!response.headers().contains_key("content-encoding") && !response.headers().contains_key("etag"));
        Ok(Self { body: response, text: String::new() })
    }

    /// The next event; none at the end.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                match read(&block) {
                    Some(event) => return Some(event),
                    None => continue,
                }
            }
            let frame = tokio::time::timeout(Duration::from_secs(60), self.body.body_mut().frame()).await;
            let frame = frame.expect("nothing came")?.unwrap();
            self.text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
        }
    }

    async fn ids(&mut self, n: usize) -> Vec<u64> {
        let mut ids = Vec::new();
        while ids.len() < n {
            ids.push(self.next().await.unwrap().id);
        }
        ids
    }
}

/// A block of lines; none for a comment, or the time to wait.
fn read(block: &str) -> Option<Event> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
    let id = field("id: ")?.parse().unwrap();
    Some(Event { id, kind: field("event: "), data: field("data: ").map(|data| serde_json::from_str(&data).unwrap()) })
}

#[tokio::test]
async fn an_event_is_the_record_and_a_reader_goes_on_where_it_was() {
    let world = World::with_items(150);
    let router = world.router();
    let mut stream = Stream::open(&router, "/api/v1/stream?after=0", None).await.unwrap();
    let first = stream.next().await.unwrap();
    let data = first.data.unwrap();
    assert_eq!((first.id, first.kind.as_deref(), data["seq"].as_u64()), (1, Some("new"), Some(1)));
    let log = super::ask(&router, hyper::Method::GET, "/api/v1/log?limit=1", &[]).await.2;
    assert_eq!(serde_json::from_slice::<Value>(&log).unwrap()["records"][0], data);
    assert_eq!(stream.ids(149).await, (2..=150).collect::<Vec<_>>(), "more than a page");

    for (target, last, expected) in [
        ("/api/v1/stream", Some("148"), vec![149, 150]),
        ("/api/v1/stream?after=1", Some("148"), vec![149, 150]),
        ("/api/v1/stream?after=148", None, vec![149, 150]),
        ("/api/v1/stream?after=148", Some(""), vec![149, 150]),
    ] {
        let mut stream = Stream::open(&router, target, last).await.unwrap();
        assert_eq!(stream.ids(2).await, expected, "{target} {last:?}");
    }
    for (target, last, status) in [
        ("/api/v1/stream?after=151", None, 409),
        ("/api/v1/stream", Some("151"), 409),
        ("/api/v1/stream", Some("x"), 400),
        ("/api/v1/stream?after=-1", None, 400),
        ("/api/v1/stream?kind=other", None, 400),
        ("/api/v1/stream?wait=1", None, 400),
    ] {
        let refused = Stream::open(&router, target, last).await.err().expect(target);
        assert_eq!(refused.0, status, "{target} {last:?}: {}", refused.1);
    }
}

#[tokio::test]
async fn filters_keep_what_they_say() {
    let mut world = World::with_items(12);
    let router = world.router();
    for (query, expected) in [
        ("topic=csto", vec![1, 4, 7, 10]),
        ("feed=wafa", vec![2, 4, 6, 8, 10, 12]),
        ("feed=wafa&topic=csto", vec![4, 10]),
        ("feed=wafa&feed=nabd&topic=csto", vec![1, 4, 7, 10]),
        ("kind=new&kind=revised&language=ar&topic=csto", vec![1, 4, 7, 10]),
    ] {
        let mut stream = Stream::open(&router, &format!("/api/v1/stream?after=0&{query}"), None).await.unwrap();
        assert_eq!(stream.ids(expected.len()).await, expected, "{query}");
    }
    for query in ["kind=removed", "language=en", "topic=other"] {
        let mut stream = Stream::open(&router, &format!("/api/v1/stream?after=0&{query}"), None).await.unwrap();
        let waiting = tokio::time::timeout(Duration::from_millis(50), stream.next()).await;
        assert!(waiting.is_err(), "{query}: {waiting:?}");
    }
    // What comes later is looked at like what was there.
    let mut stream = Stream::open(&router, "/api/v1/stream?topic=csto", None).await.unwrap();
    for i in [13, 14, 15] {
        world.add(i, 0);
    }
    assert_eq!(stream.ids(1).await, [15]);
}

#[tokio::test]
async fn what_was_removed_from_the_log_is_told_and_the_rest_follows() {
    let mut world = World::with_items(10);
    let router = world.router();
    let later = crate::read_api::now() + jiff::SignedDuration::from_hours(1);
    assert_eq!(world.writer.trim_log(later, 6).unwrap(), 6);
    for (target, last, from) in [
        ("/api/v1/stream?after=0", None, 1),
        ("/api/v1/stream?kind=new&after=0", None, 1),
        ("/api/v1/stream", Some("2"), 3),
    ] {
        let mut stream = Stream::open(&router, target, last).await.unwrap();
        let told = stream.next().await.unwrap();
        let data = told.data.unwrap();
        assert_eq!((told.id, told.kind.as_deref()), (6, Some("missed")), "{target}");
        let missed = (data["from"].as_u64(), data["to"].as_u64(), data["records"].as_u64());
        assert_eq!(missed, (Some(from), Some(6), Some(7 - from)), "{target}");
        assert_eq!(stream.ids(4).await, [7, 8, 9, 10], "{target}");
    }
}

#[tokio::test]
async fn a_reader_hears_something_and_its_position_moves_on() {
    let world = World::with_items(5);
    let router = world.router();
    let mut stream = Stream::open(&router, "/api/v1/stream?after=0&topic=other", None).await.unwrap();
    let sign = stream.next().await.unwrap();
    assert_eq!(sign, Event { id: 5, kind: None, data: None }, "a position that no page is handed");
    let began = tokio::time::Instant::now();
    let frame = stream.body.body_mut().frame().await.unwrap().unwrap();
    assert_eq!(frame.data_ref().unwrap().as_ref(), b":\n\n");
    assert!(began.elapsed().as_secs() >= 14, "{:?}", began.elapsed());
}

/// Readers come and go, are slow and quick, while records are written: each gets all of them once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_misses_or_doubles_a_record_while_they_are_written() {
    const RECORDS: u32 = 600;
    let mut world = World::with_items(10);
    let router = world.router();
    let mut readers = Vec::new();
    for reader in 0..20_u64 {
        let router = router.clone();
        readers.push(tokio::spawn(async move {
            let (mut seen, mut last) = (Vec::new(), 0);
            while seen.len() < RECORDS as usize {
                let from = last.to_string();
                let mut stream = Stream::open(&router, "/api/v1/stream", Some(&from)).await.unwrap();
                // It leaves after a number of events of its own, and comes back.
                for _ in 0..(7 + 13 * reader) {
                    let Some(event) = stream.next().await else { break };
                    last = event.id;
                    if event.kind.is_some() {
                        seen.push(event.id);
                    }
                    if seen.len() == RECORDS as usize {
                        break;
                    }
                    if reader % 5 == 0 {
                        tokio::task::yield_now().await;
                    }
                }
            }
            seen
        }));
    }
    let writing = tokio::task::spawn_blocking(move || {
        for i in 10..RECORDS {
            world.add(i, 0);
        }
        world
    });
    for reader in readers {
        assert_eq!(reader.await.unwrap(), (1..=u64::from(RECORDS)).collect::<Vec<_>>());
    }
    drop(writing.await.unwrap());
}

/// Over TCP: one who reads nothing holds nobody up, and a stop ends all streams at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_does_not_read_holds_up_neither_others_nor_the_stop() {
    let mut world = World::with_items(1);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let (config, state) = (serve::ServerConfig::default(), world.state.clone());
    let server =
        tokio::spawn(async move { serve::serve_tcp(listener, &config, state, async { drop(stopped.await) }).await });
    let open = async || {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /api/v1/stream?after=0 HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        stream
    };
    let mut idle = Vec::new();
    for _ in 0..10 {
        idle.push(open().await);
    }
    let mut lines = BufReader::new(open().await).lines();
    let writing = tokio::task::spawn_blocking(move || {
        for i in 1..2_000 {
            world.add(i, 0);
        }
        world
    });
    let mut expected = 1;
    while expected < 2_000 {
        let line =
            tokio::time::timeout(Duration::from_secs(60), lines.next_line()).await.expect("held up").unwrap().unwrap();
        if let Some(id) = line.strip_prefix("id: ") {
            assert_eq!(id.parse(), Ok(expected));
            expected += 1;
        }
    }
    drop(writing.await.unwrap());
    drop(stop);
    let ended = tokio::time::timeout(Duration::from_secs(20), server).await.expect("the stop was held up");
    ended.unwrap().unwrap();
    let mut rest = Vec::new();
    let mut reader = lines.into_inner();
    let end = tokio::time::timeout(Duration::from_secs(20), reader.read_to_end(&mut rest)).await;
    end.expect("the stream has no end").unwrap();
    assert!(rest.ends_with(b"0\r\n\r\n"), "it ends as an answer ends: {:?}", String::from_utf8_lossy(&rest));
}
