//! Secure connections: certificates that are wrong each in their way, and HTTP/2.
//!
//! By the real binary, which is told of the tests' own authority as an operator would do it.

use std::io::Read as _;
use std::process::Stdio;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::*;
use crate::rasid::Home;

const FEED: &str =
    "<rss version=\"2.0\"><channel><title>ق</title><item><guid>1</guid><title>خبر آمن</title></item></channel></rss>";

/// An authority of its own, and the key of all its servers.
struct Authority {
    pem: String,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
    key: rcgen::KeyPair,
}

impl Authority {
    fn new() -> Self {
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "authority of a test");
        let key = rcgen::KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: rcgen::Issuer::new(params, key), key: rcgen::KeyPair::generate().unwrap() }
    }

    fn signed(&self, name: &str, until: i32) -> Vec<u8> {
        let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        params.signed_by(&self.key, &self.issuer).unwrap().der().to_vec()
    }

    fn server(&self, certificate: Vec<u8>) -> rustls::ServerConfig {
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let chain = vec![CertificateDer::from(certificate)];
        config.unwrap().with_no_client_auth().with_single_cert(chain, key).unwrap()
    }

    /// What `rasid check --online` says of feeds at `NAME.example`, as its rows.
    fn check(&self, servers: &[(&str, SocketAddr)]) -> String {
        let (mut resolve, mut feeds) = ("attempts = 1\n[fetch.resolve]\n".to_owned(), String::new());
        for (name, address) in servers {
            resolve.push_str(&format!("\"{name}.example\" = \"127.0.0.1\"\n"));
            let port = address.port();
            feeds.push_str(&format!("[[feed]]\nid = \"{name}\"\nurl = \"https://{name}.example:{port}/feed\"\n"));
        }
        let home = Home::new(&resolve, &feeds);
        home.write("authority.pem", &self.pem);
        let mut command = home.command(&["check", "--online"]);
        command.env("SSL_CERT_FILE", home.path("authority.pem")).stderr(Stdio::null());
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    }
}

/// A server of one feed, for as long as the test runs.
fn secure(config: rustls::ServerConfig) -> SocketAddr {
    let config = Arc::new(config);
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
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", FEED.len());
            let _client_may_be_gone = stream.write_all(format!("{head}{FEED}").as_bytes());
            stream.conn.send_close_notify();
            let _client_may_be_gone = stream.flush();
        }
    });
    address
}

/// The same, by HTTP/2 and nothing else.
fn secure_http_2(mut config: rustls::ServerConfig) -> SocketAddr {
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            let (stream, _) = listener.accept().await.unwrap();
            let mut connection = h2::server::handshake(acceptor.accept(stream).await.unwrap()).await.unwrap();
            while let Some(Ok((_, mut answer))) = connection.accept().await {
                let mut body = answer.send_response(Default::default(), false).unwrap();
                body.send_data(FEED.into(), true).unwrap();
            }
        });
    });
    address
}

#[test]
fn certificates_that_are_wrong_are_told_apart() {
    let authority = Authority::new();
    let own = rcgen::CertificateParams::new(vec!["own.example".to_owned()]).unwrap();
    let own = own.self_signed(&authority.key).unwrap().der().to_vec();
    let servers = [
        ("good", authority.signed("good.example", 4_000)),
        ("expired", authority.signed("expired.example", 2_021)),
        ("other", authority.signed("another.example", 4_000)),
        ("own", own),
    ];
    let shown = authority.check(&servers.map(|(name, certificate)| (name, secure(authority.server(certificate)))));
    let row = |name: &str| shown.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
    assert!(row("good").contains("RSS 2.0"), "{shown}");
    for (name, kind) in
        [("expired", "certificate-expired: "), ("other", "certificate-name: "), ("own", "certificate-issuer: ")]
    {
        assert!(row(name).contains(kind), "{shown}");
    }
}

#[test]
fn a_feed_comes_by_http_2() {
    let authority = Authority::new();
    let server = secure_http_2(authority.server(authority.signed("new.example", 4_000)));
    let shown = authority.check(&[("new", server)]);
    assert!(shown.contains("new\t200\tRSS 2.0"), "{shown}");
}
