//! Fetching, against a server of our own that answers byte for byte what a row says.

mod encodings;
mod errors;
mod robots;
mod tls;

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rasid::fetch::{ACCEPT_FEED, Client, FetchConfig, FetchError, Fetched, Request, Retry};
use rasid::source::{Document, Severity, Validators};
use rasid::units::{ByteSize, Span};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// What a connection does after the request was read.
#[derive(Clone)]
enum Step {
    Send(Vec<u8>),
    Wait(u64),
    /// The same bytes until the client goes.
    Forever(Vec<u8>),
}

use Step::{Forever, Send, Wait};

#[derive(Clone, Debug)]
struct Asked {
    path: String,
    headers: HashMap<String, String>,
    began: Instant,
}

#[derive(Default)]
struct Seen {
    asked: Mutex<Vec<Asked>>,
    ended: Mutex<Vec<Instant>>,
    now: AtomicUsize,
    most: AtomicUsize,
}

struct Server {
    address: SocketAddr,
    seen: Arc<Seen>,
}

impl Server {
    /// Answers each path with its steps; `{base}` in a row stands for the server's own address. With several rows for one
    /// path they are answered in turn, the last one again and again.
    async fn start(rows: Vec<(&str, Vec<Step>)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        let mut table: HashMap<String, Vec<Vec<Step>>> = HashMap::new();
        for (path, steps) in rows {
            table.entry(path.to_owned()).or_default().push(steps);
        }
        let (table, shared) = (Arc::new(table), seen.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, table.clone(), shared.clone(), address));
            }
        });
        Self { address, seen }
    }

    fn url(&self, path: &str) -> Url {
        format!("http://{}{path}", self.address).parse().unwrap()
    }

    fn asked(&self) -> Vec<Asked> {
        self.seen.asked.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    table: Arc<HashMap<String, Vec<Vec<Step>>>>,
    seen: Arc<Seen>,
    address: SocketAddr,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let path = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
    let headers =
        lines.filter_map(|line| line.split_once(": ")).map(|(n, v)| (n.to_lowercase(), v.to_owned())).collect();
    let turn = {
        let mut asked = seen.asked.lock().unwrap();
        asked.push(Asked { path: path.clone(), headers, began: Instant::now() });
        asked.iter().filter(|one| one.path == path).count() - 1
    };
    let running = seen.now.fetch_add(1, Ordering::SeqCst) + 1;
    seen.most.fetch_max(running, Ordering::SeqCst);
    let none = vec![reply("404 Not Found", "", "")];
    let steps = table.get(&path).map_or(&none, |rows| &rows[turn.min(rows.len() - 1)]);
    let mut going = true;
    for step in steps {
        match step {
            Wait(ms) => tokio::time::sleep(Duration::from_millis(*ms)).await,
            Send(bytes) => {
                let text = String::from_utf8(bytes.clone())
                    .map(|t| t.replace("{base}", &format!("http://{address}")).into_bytes());
                going = stream.write_all(&text.unwrap_or_else(|raw| raw.into_bytes())).await.is_ok();
            }
            Forever(bytes) => {
                while going {
                    going = stream.write_all(bytes).await.is_ok();
                }
            }
        }
    }
    seen.ended.lock().unwrap().push(Instant::now());
    seen.now.fetch_sub(1, Ordering::SeqCst);
    if going {
        let _closed = stream.shutdown().await;
    }
}

fn raw(status: &str, headers: &str, body: &[u8]) -> Step {
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    Send([head.as_bytes(), body].concat())
}

fn reply(status: &str, headers: &str, body: &str) -> Step {
    raw(status, headers, body.as_bytes())
}

fn ok(body: &str) -> Vec<Step> {
    vec![reply("200 OK", "", body)]
}

fn redirect(status: u16, to: &str) -> Vec<Step> {
    vec![reply(&format!("{status} Moved"), &format!("Location: {to}\r\n"), "")]
}

/// A body of no told length.
fn open(headers: &str, body: &[u8]) -> Step {
    Send([format!("HTTP/1.1 200 OK\r\n{headers}Connection: close\r\n\r\n").as_bytes(), body].concat())
}

fn config() -> FetchConfig {
    FetchConfig {
        host_gap: Span(Duration::ZERO),
        timeout: Span(Duration::from_secs(10)),
        attempts: 1,
        allow_private: vec!["127.0.0.1".into()],
        ..FetchConfig::default()
    }
}

async fn get_with(config: &FetchConfig, url: Url) -> Result<Fetched, FetchError> {
    Client::new(config).unwrap().get(Request::new(url, ACCEPT_FEED)).await
}

async fn get(url: Url) -> Result<Fetched, FetchError> {
    get_with(&config(), url).await
}

fn document(fetched: Result<Fetched, FetchError>) -> Document {
    match fetched.unwrap() {
        Fetched::Document(document) => *document,
        Fetched::NotModified { url } => panic!("not modified: {url}"),
    }
}

fn kind(fetched: Result<Fetched, FetchError>) -> String {
    fetched.expect_err("an error").0.kind
}

#[tokio::test]
async fn a_document_comes_with_all_that_was_said_of_it() {
    let said = "Content-Type: Text/XML; charset=windows-1256\r\nETag: \"a-1\"\r\nLast-Modified: Fri, 20 Nov 2026 09:00:00 GMT\r\n\
                Cache-Control: max-age=300\r\n";
    let server = Server::start(vec![("/feed", vec![reply("200 OK", said, "<rss/>")])]).await;
    let document = document(get(server.url("/feed")).await);
    assert_eq!(document.bytes, b"<rss/>");
    assert_eq!((document.status, &document.url), (200, &server.url("/feed")));
    assert_eq!(
        (document.content_type.as_deref(), document.charset.as_deref()),
        (Some("text/xml"), Some("windows-1256"))
    );
    assert_eq!(document.validators.etag.as_deref(), Some("\"a-1\""));
    assert_eq!(document.validators.last_modified.as_deref(), Some("Fri, 20 Nov 2026 09:00:00 GMT"));
    assert_eq!((document.cut, document.fresh_for), (None, Some(Span::secs(300))));
    let asked = &server.asked()[0].headers;
    assert!(asked["user-agent"].starts_with("rasid/") && asked["accept"].contains("application/rss+xml"), "{asked:?}");
}

#[tokio::test]
async fn the_validators_are_sent_and_304_is_not_modified() {
    let changed = vec![reply("304 Not Modified", "", "")];
    let server = Server::start(vec![("/feed", changed.clone()), ("/moved", redirect(302, "/feed"))]).await;
    let validators =
        Validators { etag: Some("W/\"x\"".into()), last_modified: Some("Fri, 20 Nov 2026 09:00:00 GMT".into()) };
    let client = Client::new(&config()).unwrap();
    let request = Request { validators, ..Request::new(server.url("/feed"), ACCEPT_FEED) };
    match client.get(request.clone()).await.unwrap() {
        Fetched::NotModified { url } => assert_eq!(url, server.url("/feed")),
        Fetched::Document(document) => panic!("{document:?}"),
    }
    let asked = &server.asked()[0].headers;
    assert_eq!(
        (asked["if-none-match"].as_str(), asked["if-modified-since"].as_str()),
        ("W/\"x\"", "Fri, 20 Nov 2026 09:00:00 GMT")
    );
    // Validators belong to one address; and a 304 that nobody asked for is a fault of the server.
    let answer = client.get(Request { url: server.url("/moved"), ..request }).await;
    assert_eq!(kind(answer), "status");
    assert!(!server.asked()[2].headers.contains_key("if-none-match"));
}

#[tokio::test]
async fn redirects_are_followed_and_told() {
    let server = Server::start(vec![
        ("/a", redirect(301, "/b?x=1")),
        ("/b?x=1", redirect(307, "{base}/أخبار")),
        ("/%D8%A3%D8%AE%D8%A8%D8%A7%D8%B1", ok("خبر")),
        ("/nowhere", vec![reply("302 Found", "", "")]),
        ("/mail", redirect(302, "mailto:a@b.example")),
        ("/bad", redirect(302, "http://[::1")),
    ])
    .await;
    let document = document(get(server.url("/a")).await);
    assert_eq!(document.bytes, "خبر".as_bytes());
    assert_eq!(document.url, server.url("/أخبار"));
    let hops: Vec<_> = document.redirects.iter().map(|hop| (hop.status, hop.to.clone())).collect();
    assert_eq!(hops, [(301, server.url("/b?x=1")), (307, server.url("/أخبار"))]);
    for path in ["/nowhere", "/mail", "/bad"] {
        assert_eq!(kind(get(server.url(path)).await), "bad-redirect", "{path}");
    }
}

#[tokio::test]
async fn redirects_end() {
    let mut rows =
        vec![("/ping", redirect(302, "/pong")), ("/pong", redirect(302, "/ping")), ("/self", redirect(301, "/self#x"))];
    rows.extend([("/1", redirect(302, "/2")), ("/2", redirect(302, "/3")), ("/3", ok("x"))]);
    let server = Server::start(rows).await;
    assert_eq!(kind(get(server.url("/ping")).await), "redirect-loop");
    assert_eq!(kind(get(server.url("/self")).await), "redirect-loop");
    let two = FetchConfig { max_redirects: 2, ..config() };
    assert_eq!(document(get_with(&two, server.url("/1")).await).bytes, b"x");
    let one = FetchConfig { max_redirects: 1, ..config() };
    assert_eq!(kind(get_with(&one, server.url("/1")).await), "too-many-redirects");
}

#[tokio::test]
async fn t21_nothing_inside_is_reached() {
    let inside = [
        "http://127.0.0.2:1/",
        "http://2130706434/",
        "http://0x7f000002/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "http://0/",
        "http://[64:ff9b::7f00:1]/",
        // The name is judged by what it resolves to when the connection is made.
        "http://localhost:1/",
    ];
    let strict = FetchConfig { allow_private: vec!["127.0.0.9".into()], ..config() };
    for address in inside {
        assert_eq!(kind(get_with(&strict, address.parse().unwrap()).await), "refused-address", "{address}");
        let server = Server::start(vec![("/out", redirect(302, address))]).await;
        if !address.contains("localhost") {
            let error = get(server.url("/out")).await.expect_err(address);
            assert_eq!(error.0.kind, "refused-address", "{address}");
            assert_eq!((error.0.severity, error.retry()), (Severity::Hard, Retry::Never));
        }
    }
    let nothing = FetchConfig { allow_private: Vec::new(), ..config() };
    for address in ["http://localhost:1/", "http://127.0.0.1:1/"] {
        assert_eq!(kind(get_with(&nothing, address.parse().unwrap()).await), "refused-address", "{address}");
    }
    for address in ["ftp://example.com/", "file:///etc/hosts"] {
        assert_eq!(kind(get_with(&nothing, address.parse().unwrap()).await), "bad-url", "{address}");
    }
}

#[tokio::test]
async fn t21_a_name_that_is_allowed_passes() {
    let server = Server::start(vec![("/", ok("خبر"))]).await;
    let named = FetchConfig { allow_private: vec!["localhost".into()], ..config() };
    let url: Url = format!("http://localhost:{}/", server.address.port()).parse().unwrap();
    assert_eq!(document(get_with(&named, url).await).bytes, "خبر".as_bytes());
    assert_eq!(kind(get_with(&named, server.url("/")).await), "refused-address");
}

#[tokio::test]
async fn a_name_is_reached_where_the_table_says() {
    let server = Server::start(vec![("/", ok("خبر"))]).await;
    let told = |name: &str| BTreeMap::from([(name.to_owned(), server.address.ip())]);
    let url = |host: &str| format!("http://{host}:{}/", server.address.port()).parse::<Url>().unwrap();
    for (written, asked) in [("news.example", "NEWS.example."), ("خبر.example", "xn--ngblk.example")] {
        let config = FetchConfig { resolve: told(written), ..config() };
        assert_eq!(document(get_with(&config, url(asked)).await).bytes, "خبر".as_bytes(), "{written}");
    }
    // Told or not, the address is judged.
    let strict = FetchConfig { resolve: told("news.example"), allow_private: Vec::new(), ..config() };
    assert_eq!(kind(get_with(&strict, url("news.example")).await), "refused-address");
    let named = FetchConfig { allow_private: vec!["news.example".into()], ..strict };
    assert_eq!(document(get_with(&named, url("news.example")).await).bytes, "خبر".as_bytes());
    let wrong = FetchConfig { resolve: told("news.example:80"), ..config() };
    assert!(Client::new(&wrong).unwrap_err().contains("news.example:80"));
}

fn gzip(chunk: &[u8], times: usize) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    (0..times).for_each(|_| encoder.write_all(chunk).unwrap());
    encoder.finish().unwrap()
}

#[tokio::test]
async fn t22_a_gzip_bomb_stops_at_the_cap() {
    let bomb = gzip(&[b'a'; 1 << 16], 320);
    assert!(bomb.len() < 200_000);
    let header = "Content-Encoding: gzip\r\nETag: \"1\"\r\n";
    let server = Server::start(vec![
        ("/bomb", vec![raw("200 OK", header, &bomb)]),
        ("/fine", vec![raw("200 OK", header, &gzip("خبر".as_bytes(), 3))]),
        ("/broken", vec![raw("200 OK", header, b"no gzip at all")]),
    ])
    .await;
    let small = FetchConfig { max_body: ByteSize::mib(1), ..config() };
    let cut = document(get_with(&small, server.url("/bomb")).await);
    assert_eq!(cut.bytes.len(), 1 << 20);
    assert!(cut.cut.unwrap().contains("1MiB"));
    assert!(cut.validators.is_empty(), "a later 304 would hide what was never read");
    let fine = document(get_with(&small, server.url("/fine")).await);
    assert_eq!((fine.bytes, fine.cut), ("خبرخبرخبر".as_bytes().to_vec(), None));
    assert_eq!(kind(get_with(&small, server.url("/broken")).await), "body");
}

#[tokio::test]
async fn t22_an_endless_body_stops_at_the_cap_and_a_full_one_is_whole() {
    let exact = "a".repeat(1 << 20);
    let server =
        Server::start(vec![("/endless", vec![open("", b"<rss>"), Forever(vec![b'b'; 4096])]), ("/exact", ok(&exact))])
            .await;
    let small = FetchConfig { max_body: ByteSize::mib(1), ..config() };
    let cut = document(get_with(&small, server.url("/endless")).await);
    assert_eq!((cut.bytes.len(), cut.cut.is_some()), (1 << 20, true));
    let whole = document(get_with(&small, server.url("/exact")).await);
    assert_eq!((whole.bytes.len(), whole.cut), (1 << 20, None));
}

#[tokio::test]
async fn t22_what_was_read_of_a_slow_or_broken_body_is_kept() {
    let head = Send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nETag: \"1\"\r\n\r\n<rss>".to_vec());
    let empty = Send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n".to_vec());
    let server = Server::start(vec![
        ("/slow", vec![head.clone(), Wait(5_000)]),
        ("/broken", vec![head]),
        ("/empty", vec![empty.clone()]),
        ("/nothing", vec![empty, Wait(5_000)]),
        ("/silent", vec![Wait(5_000)]),
    ])
    .await;
    let hasty = FetchConfig { timeout: Span(Duration::from_millis(150)), ..config() };
    for path in ["/slow", "/broken"] {
        let document = document(get_with(&hasty, server.url(path)).await);
        assert_eq!(document.bytes, b"<rss>", "{path}");
        assert!(
            document.cut.unwrap().starts_with("connection ended early: ") && document.validators.is_empty(),
            "{path}"
        );
    }
    assert_eq!(kind(get_with(&hasty, server.url("/empty")).await), "body");
    assert_eq!(kind(get_with(&hasty, server.url("/nothing")).await), "timeout");
    assert_eq!(kind(get_with(&hasty, server.url("/silent")).await), "timeout");
}

#[tokio::test]
async fn a_status_says_what_to_do() {
    for (status, named, severity) in [
        ("401 Unauthorized", "unauthorized", Severity::Hard),
        ("403 Forbidden", "forbidden", Severity::Hard),
        ("404 Not Found", "not-found", Severity::Hard),
        ("410 Gone", "gone", Severity::Hard),
        ("418 Teapot", "status", Severity::Hard),
        ("500 Oops", "server-error", Severity::Temporary),
        ("502 Bad Gateway", "server-error", Severity::Temporary),
        ("300 Multiple", "status", Severity::Hard),
    ] {
        let server = Server::start(vec![("/feed", vec![reply(status, "", "x")])]).await;
        let error = get(server.url("/feed")).await.expect_err(status);
        assert_eq!((error.0.kind.as_str(), error.0.severity), (named, severity), "{status}");
        assert!(
            error.0.message.contains(status.split(' ').next().unwrap()) && error.0.message.contains("/feed"),
            "{}",
            error.0.message
        );
    }
    let challenge = vec![reply("503 Service Unavailable", "cf-mitigated: challenge\r\n", "x")];
    let server = Server::start(vec![("/feed", challenge)]).await;
    assert_eq!(kind(get(server.url("/feed")).await), "bot-wall");
}

#[tokio::test]
async fn a_server_that_is_away_is_temporary_and_a_wrong_name_is_not() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = get(format!("http://{gone}/").parse().unwrap()).await.unwrap_err();
    assert_eq!((error.0.kind.as_str(), error.retry()), ("connection-refused", Retry::Backoff));
    let server = Server::start(vec![("/", vec![Send(b"not http at all\r\n\r\n".to_vec())])]).await;
    assert_eq!(kind(get(server.url("/")).await), "connect");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let https: Url = format!("https://{}/", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"SSH-2.0-x\r\n").await.unwrap();
        let _until_the_client_goes = stream.read(&mut [0; 1024]).await;
    });
    assert_eq!(kind(get(https).await), "tls");
}

#[tokio::test]
async fn t17_throttling_rests_the_host() {
    let server =
        Server::start(vec![("/feed", vec![reply("503 Busy", "Retry-After: 120\r\n", "")]), ("/other", ok("x"))]).await;
    let client = Client::new(&FetchConfig { attempts: 3, ..config() }).unwrap();
    let error = client.get(Request::new(server.url("/feed"), ACCEPT_FEED)).await.unwrap_err();
    assert_eq!((error.0.kind.as_str(), error.retry()), ("throttled", Retry::After(Span::secs(120))));
    // The whole host, not the one address; and at once, not after two minutes.
    let error = client.get(Request::new(server.url("/other"), ACCEPT_FEED)).await.unwrap_err();
    assert_eq!(error.0.kind, "throttled");
    assert!(matches!(error.retry(), Retry::After(wait) if wait > Span::secs(100)));
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn temporary_failures_are_tried_again_and_others_are_not() {
    let server = Server::start(vec![
        ("/flaky", vec![reply("500 Oops", "", "")]),
        ("/flaky", vec![]),
        ("/flaky", ok("خبر")),
        ("/down", vec![reply("502 Oops", "", "")]),
        ("/missing", vec![reply("404 Oops", "", "")]),
        ("/busy", vec![reply("429 Busy", "Retry-After: 0\r\n", "")]),
        ("/busy", ok("خبر")),
    ])
    .await;
    let patient = FetchConfig { attempts: 3, ..config() };
    assert_eq!(document(get_with(&patient, server.url("/flaky")).await).bytes, "خبر".as_bytes());
    assert_eq!(document(get_with(&patient, server.url("/busy")).await).bytes, "خبر".as_bytes());
    for (path, times) in [("/missing", 1), ("/down", 2)] {
        let two = FetchConfig { attempts: 2, ..config() };
        assert!(get_with(&two, server.url(path)).await.is_err());
        assert_eq!(server.asked().iter().filter(|one| one.path == path).count(), times, "{path}");
    }
}

#[tokio::test]
async fn t17_one_host_is_asked_in_turn_over_clones_and_redirects() {
    const GAP: Duration = Duration::from_millis(30);
    let slow = |step| vec![Wait(10), step];
    let server = Server::start(vec![
        ("/a", slow(reply("302 Found", "Location: /b\r\n", ""))),
        ("/b", slow(reply("200 OK", "", "b"))),
        ("/c", slow(reply("200 OK", "", "c"))),
    ])
    .await;
    let client = Client::new(&FetchConfig { host_gap: Span(GAP), ..config() }).unwrap();
    let one = |path| {
        let (client, request) = (client.clone(), Request::new(server.url(path), ACCEPT_FEED));
        tokio::spawn(async move { client.get(request).await })
    };
    for task in [one("/a"), one("/c"), one("/a")] {
        document(task.await.unwrap());
    }
    assert_eq!(server.seen.most.load(Ordering::SeqCst), 1);
    let (asked, ended) = (server.asked(), server.seen.ended.lock().unwrap().clone());
    assert_eq!(asked.len(), 5);
    for (before, next) in ended.iter().zip(&asked[1..]) {
        // The server sees the end of a request a little before the client does.
        assert!(next.began.duration_since(*before) >= GAP - Duration::from_millis(5));
    }
}

#[tokio::test]
async fn hosts_are_asked_at_the_same_time() {
    let server = Server::start(vec![("/", vec![Wait(150), reply("200 OK", "", "x")])]).await;
    let both = FetchConfig { allow_private: vec!["127.0.0.1".into(), "localhost".into()], ..config() };
    let client = Client::new(&both).unwrap();
    let named = format!("http://localhost:{}/", server.address.port()).parse().unwrap();
    let (a, b) = tokio::join!(
        client.get(Request::new(server.url("/"), ACCEPT_FEED)),
        client.get(Request::new(named, ACCEPT_FEED))
    );
    assert_eq!((document(a).bytes, document(b).bytes), (b"x".to_vec(), b"x".to_vec()));
    assert_eq!(server.seen.most.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn secrets_go_to_their_own_host_and_nowhere_else() {
    let other = Server::start(vec![("/there", ok("x"))]).await;
    let server = Server::start(vec![
        ("/home", redirect(302, "/home2")),
        ("/home2", ok("x")),
        ("/away", redirect(302, other.url("/there").as_str())),
        ("/gone", vec![reply("404 Not Found", "", "")]),
    ])
    .await;
    let mut request = Request::new(server.url("/home"), ACCEPT_FEED);
    request.url.set_username("layla").unwrap();
    request.url.set_password(Some("qasr")).unwrap();
    request.headers.insert("X-Api-Key".into(), "miftah".into());
    let client = Client::new(&config()).unwrap();
    let document = document(client.get(request.clone()).await);
    assert_eq!(document.url, server.url("/home2"), "without user name and password");
    for asked in server.asked() {
        assert_eq!(asked.headers["authorization"], "Basic bGF5bGE6cWFzcg==", "{}", asked.path);
        assert_eq!(asked.headers["x-api-key"], "miftah");
    }
    request.url.set_path("/away");
    client.get(request.clone()).await.unwrap();
    let asked = &other.asked()[0].headers;
    assert!(!asked.contains_key("authorization") && !asked.contains_key("x-api-key"), "{asked:?}");
    request.url.set_path("/gone");
    let error = client.get(request).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("qasr"), "{error:?}");
}

#[tokio::test]
async fn a_proxy_is_used_where_one_is_named() {
    let proxy = Server::start(vec![("http://news.example/feed", ok("by proxy"))]).await;
    let mut request = Request::new("http://news.example/feed".parse().unwrap(), ACCEPT_FEED);
    request.proxy = Some(format!("http://{}", proxy.address));
    let client = Client::new(&FetchConfig { allow_private: Vec::new(), ..config() }).unwrap();
    assert_eq!(document(client.get(request.clone()).await).bytes, b"by proxy");
    request.url = "http://127.0.0.1/".parse().unwrap();
    assert_eq!(kind(client.get(request.clone()).await), "refused-address");
    request.proxy = Some("socks5://user:qasr@127.0.0.1:1".into());
    let error = client.get(request).await.unwrap_err();
    assert_eq!(error.0.kind, "bad-request");
    assert!(!error.0.message.contains("qasr"));
}

#[tokio::test]
async fn a_wrong_allow_list_is_refused() {
    let error = Client::new(&FetchConfig { allow_private: vec!["10.0.0.0/99".into()], ..config() }).unwrap_err();
    assert!(error.contains("10.0.0.0/99"), "{error}");
}
