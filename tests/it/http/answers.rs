//! What readers may keep, what is compressed, and which pages of other sites may read.

use std::io::Read as _;

use flate2::read::GzDecoder;
use hyper::Method;
use rasid::serve::{self, ServerConfig};

use super::ask;
use crate::read_api::World;

#[tokio::test]
async fn what_a_reader_has_already_is_not_sent_again() {
    let mut world = World::with_items(20);
    let router = world.router();
    let listing = "/api/v1/items?limit=20";
    let (status, headers, body) = ask(&router, Method::GET, listing, &[]).await;
    let tag = headers["etag"].to_str().unwrap().to_owned();
    assert_eq!((status, headers["cache-control"].to_str().unwrap()), (200, "private, no-cache"));
    assert!(tag.len() == 34 && tag.starts_with('"') && tag.ends_with('"'), "{tag}");

    for (sent, expected) in [
        (tag.clone(), 304),
        (format!("W/{tag}"), 304),
        (format!("\"other\", {tag}"), 304),
        ("*".to_owned(), 304),
        (tag.replace('"', ""), 304),
        ("\"other\"".to_owned(), 200),
        (tag.to_uppercase(), 200),
    ] {
        let (status, headers, again) = ask(&router, Method::GET, listing, &[("if-none-match", &sent)]).await;
        assert_eq!(status, expected, "{sent}");
        assert_eq!(headers["etag"], tag.as_str(), "{sent}");
        assert_eq!(again.len(), if expected == 304 { 0 } else { body.len() });
    }
    // A compressed answer is other bytes, and has another tag; the reader may send either.
    let (_, headers, packed) = ask(&router, Method::GET, listing, &[("accept-encoding", "gzip")]).await;
    let packed_tag = headers["etag"].to_str().unwrap().to_owned();
    assert_eq!((headers["content-encoding"].to_str().unwrap(), packed_tag.ends_with("-gzip\"")), ("gzip", true));
    let mut text = Vec::new();
    GzDecoder::new(&packed[..]).read_to_end(&mut text).unwrap();
    assert_eq!(text, body);
    assert!(packed.len() < body.len() / 2);
    let sent = [("accept-encoding", "gzip"), ("if-none-match", packed_tag.as_str())];
    let (status, headers, _) = ask(&router, Method::GET, listing, &sent).await;
    assert_eq!((status, headers["etag"].to_str().unwrap()), (304, packed_tag.as_str()));

    world.add(100, 0);
    let (status, headers, _) = ask(&router, Method::GET, listing, &[("if-none-match", &tag)]).await;
    assert_eq!(status, 200);
    assert_ne!(headers["etag"], tag.as_str());
}

#[tokio::test]
async fn what_gains_nothing_is_not_packed_and_what_has_no_end_never() {
    let world = World::with_items(20);
    let router = world.router();
    for (target, coding, expected) in [
        ("/api/v1/items", "gzip", Some("gzip")),
        ("/api/v1/items", "br", Some("br")),
        ("/api/v1/items", "zstd", Some("zstd")),
        ("/api/v1/items", "identity", None),
        ("/openapi.json", "gzip", Some("gzip")),
        ("/healthz", "gzip", None),
        ("/api/v1/items?limit=x", "gzip", None),
    ] {
        let (_, headers, _) = ask(&router, Method::GET, target, &[("accept-encoding", coding)]).await;
        let got = headers.get("content-encoding").map(|coding| coding.to_str().unwrap());
        assert_eq!(got, expected, "{target} {coding}");
    }
    // Problems and refusals are not kept.
    let (status, headers, _) = ask(&router, Method::GET, "/api/v1/items?limit=x", &[]).await;
    assert_eq!(
        (status, headers["cache-control"].to_str().unwrap(), headers.contains_key("etag")),
        (400, "no-store", false)
    );
}

#[tokio::test]
async fn other_sites_read_only_where_they_are_named() {
    let world = World::with_items(1);
    let named = ServerConfig { cors_origins: vec!["https://news.example".to_owned()], ..ServerConfig::default() };
    let guarded = ServerConfig { token: Some("a-token-of-some-length".to_owned()), ..named.clone() };
    for (config, method, origin, expected, allowed) in [
        (&ServerConfig::default(), Method::GET, "https://news.example", 200, None),
        (&ServerConfig::default(), Method::OPTIONS, "https://news.example", 403, None),
        (&named, Method::GET, "https://news.example", 200, Some("https://news.example")),
        (&named, Method::GET, "https://other.example", 200, None),
        (&named, Method::OPTIONS, "https://news.example", 204, Some("https://news.example")),
        (&named, Method::OPTIONS, "https://other.example", 403, None),
        (&guarded, Method::OPTIONS, "https://news.example", 204, Some("https://news.example")),
        // A refusal can be read, too: the page is to know why.
        (&guarded, Method::GET, "https://news.example", 401, Some("https://news.example")),
    ] {
        let router = serve::tcp_router(config, world.state.clone()).unwrap();
        let sent = [("host", "localhost:7878"), ("origin", origin), ("access-control-request-method", "GET")];
        let (status, headers, _) = ask(&router, method.clone(), "/api/v1/items", &sent).await;
        let got = headers.get("access-control-allow-origin").map(|origin| origin.to_str().unwrap());
        assert_eq!((status, got), (expected, allowed), "{method} {origin}");
        assert!(!headers.contains_key("access-control-allow-credentials"));
        if status == 204 {
            assert_eq!(headers["access-control-allow-methods"], "GET, POST, DELETE");
        }
    }
}
