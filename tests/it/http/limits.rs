//! How often, how long and how much one may ask.

use std::time::Duration;

use hyper::Method;
use rasid::serve::{self, Scope, ServerConfig, TokenFile};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::ask;
use crate::read_api::{World, now};

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back() {
    let world = World::with_items(1);
    let file = TokenFile::of(world.dir.path());
    let (one, other) = (
        file.add("one", &[Scope::Read], None, now()).unwrap(),
        file.add("other", &[Scope::Read], None, now()).unwrap(),
    );
    let config = ServerConfig {
        rate: "1/m".parse().unwrap(),
        burst: 3,
        tokens: Some(world.dir.path().join(serve::TOKENS)),
        ..ServerConfig::default()
    };
    let router = serve::tcp_router(&config, world.state.clone()).unwrap();
    let get = async |token: &str, target: &str| {
        let bearer = format!("Bearer {token}");
        ask(&router, Method::GET, target, &[("host", "localhost"), ("authorization", &bearer)]).await
    };
    for _ in 0..3 {
        assert_eq!(get(&one, "/api/v1/items").await.0, 200);
    }
    let (status, headers, body) = get(&one, "/api/v1/items").await;
    assert_eq!(status, 429, "{}", String::from_utf8_lossy(&body));
    let seconds: u64 = headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((50..=60).contains(&seconds), "{seconds}");
    assert_eq!(headers["content-type"], "application/problem+json");
    // Whatever supervises the daemon is never refused, and each token has its own.
    assert_eq!(get(&one, "/healthz").await.0, 200);
    assert_eq!(get(&other, "/api/v1/items").await.0, 200);
    for expected in [401, 401, 401, 429] {
        assert_eq!(get("rasid_wrong", "/api/v1/items").await.0, expected);
    }
}

/// A server on a port of its own.
async fn served(
    config: ServerConfig,
    world: &World,
) -> (std::net::SocketAddr, oneshot::Sender<()>, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let state = world.state.clone();
    let server = tokio::spawn(async move {
        serve::serve_tcp(listener, &config, state, async { drop(stopped.await) }).await.unwrap();
    });
    (address, stop, server)
}

async fn answer(address: std::net::SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut answer)).await;
    read.expect("no answer").unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_request_of_any_size_gets_an_answer_and_no_more_memory_than_allowed() {
    let world = World::with_items(1);
    let (address, stop, server) = served(ServerConfig::default(), &world).await;
    let get = "GET /api/v1/items HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    let many: String = (0..100).map(|n| format!("X-{n}: 1\r\n")).collect();
    for (what, request, expected) in [
        ("plain", format!("{get}\r\n"), "HTTP/1.1 200"),
        ("many headers", format!("{get}{many}\r\n"), "HTTP/1.1 431"),
        ("a large header", format!("{get}X: {}\r\n\r\n", "x".repeat(1 << 20)), "HTTP/1.1 431"),
        (
            "a long address",
            format!("GET /{} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "x".repeat(70_000)),
            "HTTP/1.1 4",
        ),
        ("no HTTP", "nonsense\r\n\r\n".to_owned(), "HTTP/1.1 400"),
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // The server may close before all of it is taken.
        let _cut = stream.write_all(request.as_bytes()).await;
        let mut answer = vec![0; 64];
        let read = stream.read(&mut answer).await.unwrap_or(0);
        let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
        assert!(answer.starts_with(expected) || (read == 0 && request.len() > 65_536), "{what}: {answer}");
    }
    drop(stop);
    server.await.unwrap();
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_given_up_and_a_wait_is_not() {
    let world = World::with_items(1);
    // Nothing is answered in no time.
    let config = ServerConfig { request_timeout: "1ms".parse().unwrap(), ..ServerConfig::default() };
    let (address, stop, server) = served(config, &world).await;
    let post = |path: &str, length: usize| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{{"
        )
    };
    // The rest of the body never comes.
    let slow = answer(address, post("/api/v1/topics/test", 100).as_bytes()).await;
    assert!(slow.starts_with("HTTP/1.1 503") && slow.contains("urn:rasid:problem:timeout"), "{slow}");
    let get = "GET /api/v1/log?after=1&wait=100ms HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let waited = answer(address, get.as_bytes()).await;
    assert!(waited.starts_with("HTTP/1.1 200"), "{waited}");
    drop(stop);
    server.await.unwrap();
}

#[tokio::test]
async fn no_more_connections_are_open_than_allowed() {
    let world = World::with_items(1);
    let (address, stop, server) = served(ServerConfig { connections: 1, ..ServerConfig::default() }, &world).await;
    let get = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut first = TcpStream::connect(address).await.unwrap();
    first.write_all(get).await.unwrap();
    let mut answer = [0; 12];
    first.read_exact(&mut answer).await.unwrap();
    let mut second = TcpStream::connect(address).await.unwrap();
    second.write_all(get).await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(100), second.read_exact(&mut answer)).await;
    assert!(early.is_err(), "it waits for its turn");
    drop(first);
    tokio::time::timeout(Duration::from_secs(60), second.read_exact(&mut answer))
        .await
        .expect("its turn came")
        .unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    drop(stop);
    server.await.unwrap();
}
