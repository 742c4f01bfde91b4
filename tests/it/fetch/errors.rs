//! Each way in which a fetch fails has a name of its own, and a hint.

use std::io::Read as _;
use std::process::Stdio;

use super::*;
use crate::rasid::Home;

async fn failure(config: &FetchConfig, url: Url) -> rasid::source::PollError {
    let error = get_with(config, url).await.expect_err("an error").0;
    assert!(!error.hint.is_empty() && error.message.starts_with("http"), "{error:?}");
    error
}

#[tokio::test]
async fn failures_of_the_way_there_are_told_apart() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let refused = failure(&config(), format!("http://{free}/").parse().unwrap()).await;
    assert_eq!((refused.kind.as_str(), refused.severity), ("connection-refused", Severity::Temporary));
    let unknown = failure(&config(), "http://no-such-host.invalid/".parse().unwrap()).await;
    assert_eq!(unknown.kind, "dns");

    // A listener whose queue is full answers nobody any more.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let full = socket.listen(1).unwrap();
    let address = full.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(Ok(stream)) = tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(address)).await {
        waiting.push(stream);
    }
    let hasty = FetchConfig { timeout: Span(Duration::from_millis(400)), ..config() };
    let late = failure(&hasty, format!("http://{address}/").parse().unwrap()).await;
    assert_eq!((late.kind.as_str(), late.severity), ("connect-timeout", Severity::Temporary));
}

#[tokio::test]
async fn slow_answers_are_told_apart() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
    let trickle: Vec<Step> = std::iter::once(Send([&head[..], b"<rss>"].concat()))
        .chain((0..200).flat_map(|_| [Wait(20), Send(b"x".to_vec())]))
        .collect();
    let server = Server::start(vec![
        ("/silent", vec![Wait(5_000)]),
        ("/bodiless", vec![Send(head.to_vec()), Wait(5_000)]),
        ("/trickle", trickle),
    ])
    .await;
    let hasty = FetchConfig { timeout: Span(Duration::from_millis(300)), ..config() };
    let silent = failure(&hasty, server.url("/silent")).await;
    assert!(silent.kind == "timeout" && silent.message.contains("no answer within 300ms"), "{silent:?}");
    let bodiless = failure(&hasty, server.url("/bodiless")).await;
    assert!(bodiless.kind == "timeout" && bodiless.message.contains("nothing of the body"), "{bodiless:?}");
    let kept = document(get_with(&hasty, server.url("/trickle")).await);
    assert!(kept.bytes.starts_with(b"<rss>x") && kept.cut.unwrap().contains("no end within 300ms"));
}

#[tokio::test]
async fn a_secure_connection_offers_http_2() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url: Url = format!("https://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let offered = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut acceptor = rustls::server::Acceptor::default();
        loop {
            acceptor.read_tls(&mut stream).unwrap();
            if let Some(accepted) = acceptor.accept().unwrap() {
                let hello = accepted.client_hello();
                return hello.alpn().unwrap().map(<[u8]>::to_vec).collect::<Vec<_>>();
            }
        }
    });
    let error = failure(&config(), url).await;
    assert_ne!(error.kind, "timeout");
    assert_eq!(offered.join().unwrap(), [b"h2".to_vec(), b"http/1.1".to_vec()]);
}

/// A server of one feed over TLS with this certificate; for as long as the test runs.
fn secure(chain: Vec<Vec<u8>>, key: &rcgen::KeyPair) -> SocketAddr {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let chain = chain.into_iter().map(CertificateDer::from).collect();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = rustls::ServerConnection::new(config.clone()).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, stream.unwrap());
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                match stream.read(&mut byte) {
                    Ok(1) => head.push(byte[0]),
                    _ => break,
                }
            }
            let item = "<item><guid>1</guid><title>خبر آمن</title></item>";
            let feed = format!("<rss version=\"2.0\"><channel><title>ق</title>{item}</channel></rss>");
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", feed.len());
            let _client_may_be_gone = stream.write_all(format!("{head}{feed}").as_bytes());
            stream.conn.send_close_notify();
            let _client_may_be_gone = stream.flush();
        }
    });
    address
}

/// By the real binary, which is told of the test's own authority as an operator would do it.
#[test]
fn certificates_that_are_wrong_are_told_apart() {
    let mut authority = rcgen::CertificateParams::default();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    authority.distinguished_name.push(rcgen::DnType::CommonName, "authority of a test");
    let (ca_key, key) = (rcgen::KeyPair::generate().unwrap(), rcgen::KeyPair::generate().unwrap());
    let ca = authority.self_signed(&ca_key).unwrap();
    let issuer = rcgen::Issuer::from_params(&authority, &ca_key);
    let signed = |name: &str, until: i32| {
        let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        params.signed_by(&key, &issuer).unwrap().der().to_vec()
    };
    let own = rcgen::CertificateParams::new(vec!["own.example".to_owned()]).unwrap().self_signed(&key).unwrap();
    let servers = [
        ("good", secure(vec![signed("good.example", 4_000)], &key)),
        ("expired", secure(vec![signed("expired.example", 2_021)], &key)),
        ("other", secure(vec![signed("another.example", 4_000)], &key)),
        ("own", secure(vec![own.der().to_vec()], &key)),
    ];
    let (mut resolve, mut feeds) = ("attempts = 1\n[fetch.resolve]\n".to_owned(), String::new());
    for (name, address) in &servers {
        resolve.push_str(&format!("\"{name}.example\" = \"127.0.0.1\"\n"));
        let port = address.port();
        feeds.push_str(&format!("[[feed]]\nid = \"{name}\"\nurl = \"https://{name}.example:{port}/feed\"\n"));
    }
    let home = Home::new(&resolve, &feeds);
    home.write("authority.pem", &ca.pem());
    let mut command = home.command(&["check", "--online"]);
    let output = command.env("SSL_CERT_FILE", home.path("authority.pem")).stderr(Stdio::null()).output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    let row = |name: &str| shown.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
    assert!(row("good").contains("RSS 2.0"), "{shown}");
    for (name, kind) in
        [("expired", "certificate-expired: "), ("other", "certificate-name: "), ("own", "certificate-issuer: ")]
    {
        assert!(row(name).contains(kind), "{shown}");
    }
}
