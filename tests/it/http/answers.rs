//! What readers may keep, what is compressed, and which pages of other sites may read.

use std::io::Read as _;
use std::sync::Arc;

use flate2::read::GzDecoder;
use hyper::Method;
use jiff::SignedDuration;
use rasid::dedup::{Original, Verdict, VerdictKind};
use rasid::id::{EntryKey, ItemId};
use rasid::serve::{self, Loaded, ServerConfig};
use rasid::source::FeedConfig;
use tokio::sync::watch;

use super::ask;
use crate::read_api::{World, candidate, now};

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

/// Routes whose answers are given again as long as nothing was written.
const KEPT: [&str; 8] = [
    "/api/v1/items",
    "/api/v1/items?limit=2",
    "/api/v1/items?include=duplicates",
    "/api/v1/items?topic=csto&since=2026-11-19",
    "/api/v1/items/2",
    "/api/v1/items/6",
    "/api/v1/feed.atom",
    "/api/v1/feed.json?topic=csto",
];

#[tokio::test]
async fn an_answer_is_given_again_until_something_is_written() {
    let mut world = World::with_items(5);
    let router = world.router();
    let (first, other) = (ItemId::of(&"nabd".parse().unwrap(), EntryKey::of("guid", "0")), candidate(1, 3));
    let other = ItemId::of(&other.feed, other.key);
    type Step = fn(&mut World, ItemId, ItemId);
    let steps: [(&str, Step); 6] = [
        ("nothing", |_, _, _| {}),
        ("another item", |world, _, _| {
            world.add(10, 0);
        }),
        ("a copy", |world, first, _| {
            let of = Some(Original::Item(first));
            world.commit(candidate(7, 0), Verdict { kind: VerdictKind::Near, of, similarity: 0.9 });
        }),
        ("new words", |world, first, _| {
            let mut candidate = candidate(0, 4);
            candidate.content.title = "عنوان جديد للخبر".to_owned();
            candidate.hash = 77;
            let of = Some(Original::Item(first));
            world.commit(candidate, Verdict { kind: VerdictKind::Revision, of, similarity: 1.0 });
        }),
        ("a pin", |world, _, other| world.writer.pin(now(), other, Some("للأرشيف")).unwrap()),
        ("a removal", |world, _, _| {
            assert_eq!(world.writer.prune(now() + SignedDuration::from_hours(999), 1).unwrap(), 1);
        }),
    ];
    for (what, step) in steps {
        step(&mut world, first, other);
        for target in KEPT {
            // A router of its own has made nothing yet.
            let anew = ask(&world.router(), Method::GET, target, &[]).await;
            let (once, again) =
                (ask(&router, Method::GET, target, &[]).await, ask(&router, Method::GET, target, &[]).await);
            assert_eq!(once, anew, "{target} after {what}");
            assert_eq!(again, anew, "{target} after {what}");
            let (same, made) = (once.2.as_ptr() == again.2.as_ptr(), once.2.as_ptr() == anew.2.as_ptr());
            assert_eq!((same, made), (once.0 == 200, false), "{target} after {what}: the very bytes");
        }
    }
    // Compressed once, too.
    let packed = [("accept-encoding", "gzip")];
    let once = ask(&router, Method::GET, KEPT[0], &packed).await;
    let again = ask(&router, Method::GET, KEPT[0], &packed).await;
    assert_eq!((once.1["content-encoding"].to_str().unwrap(), once.2.as_ptr()), ("gzip", again.2.as_ptr()));
    assert_eq!(once, again);
    let other = ask(&router, Method::GET, KEPT[0], &[("accept-encoding", "zstd")]).await;
    assert_eq!(other.1["content-encoding"], "zstd");
    // What counts back from now is made each time.
    let target = "/api/v1/items?since=7d";
    let (once, again) = (ask(&router, Method::GET, target, &[]).await, ask(&router, Method::GET, target, &[]).await);
    assert!(once == again && once.2.as_ptr() != again.2.as_ptr());
    // So it is for each name by which a feed is asked for.
    for host in ["a.example", "b.example", "a.example"] {
        let (_, _, feed) = ask(&router, Method::GET, "/api/v1/feed.atom", &[("host", host)]).await;
        let feed = String::from_utf8(feed.to_vec()).unwrap();
        assert!(feed.contains(&format!("http://{host}/api/v1/feed.atom")), "{host}: {feed}");
    }
}

#[tokio::test]
async fn an_answer_is_made_anew_under_another_configuration() {
    let mut world = World::with_items(1);
    let (change, loaded) = watch::channel(Arc::new(Loaded::default()));
    world.state.loaded = loaded;
    let router = world.router();
    for title in ["وكالة أولى", "وكالة ثانية"] {
        let mut feed = FeedConfig::new("nabd".parse().unwrap(), "https://nabd.example/rss".parse().unwrap());
        feed.title = title.to_owned();
        change.send(Arc::new(Loaded { feeds: vec![feed], ..Loaded::default() })).unwrap();
        let (_, _, feed) = ask(&router, Method::GET, "/api/v1/feed.atom", &[]).await;
        assert!(String::from_utf8(feed.to_vec()).unwrap().contains(title));
    }
}

#[tokio::test]
async fn many_who_ask_at_once_get_one_answer() {
    let world = World::with_items(50);
    let router = world.router();
    let asked: Vec<_> = (0..32)
        .map(|_| {
            let router = router.clone();
            tokio::spawn(async move { ask(&router, Method::GET, "/api/v1/items", &[]).await.2 })
        })
        .collect();
    let mut bodies = std::collections::BTreeSet::new();
    for one in asked {
        bodies.insert(one.await.unwrap().as_ptr() as usize);
    }
    assert_eq!(bodies.len(), 1, "made once");
}
