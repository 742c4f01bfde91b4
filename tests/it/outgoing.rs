//! Outgoing feeds over a real store, read by a reader of feeds that others wrote.

use std::sync::Arc;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::header::HeaderMap;
use hyper::{Method, Request};
use rasid::dedup::{Original, Verdict, VerdictKind};
use rasid::id::ItemId;
use rasid::pipeline::indexing::catch_up;
use rasid::search::{self, Search};
use rasid::serve::{Loaded, Published, Router};
use rasid::topic::{Topics, TopicsFile};
use serde_json::Value;
use tokio::sync::watch;
use tower::ServiceExt as _;

use crate::read_api::{World, candidate, get};

const TOPICS: &str = "
[[topic]]
id = \"csto\"
label = { ar = \"منظمة المعاهدة\", en = \"The treaty\" }
gate = \"المعاهدة\"

[[topic]]
id = \"quiet\"
label = { ar = \"لا شيء\", en = \"Nothing\" }
gate = \"هدوء\"
";

async fn ask(router: &Router, target: &str, sent: &[(&str, &str)]) -> (u16, HeaderMap, Bytes) {
    let mut request = Request::builder().method(Method::GET).uri(target).header("host", "localhost:7878");
    for (name, value) in sent {
        request = request.header(*name, *value);
    }
    let response = router.clone().oneshot(request.body(Full::<Bytes>::default()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    (parts.status.as_u16(), parts.headers, body.collect().await.unwrap().to_bytes())
}

/// A world with topics, and what `[server]` says of outgoing feeds.
fn world(items: u32, published: Published) -> World {
    let mut world = World::with_items(items);
    let topics = Topics::compile(&toml::from_str::<TopicsFile>(TOPICS).unwrap()).unwrap();
    let feeds = world.state.loaded.borrow().feeds.clone();
    let loaded = Loaded { feeds, topics: Arc::new(topics), published, ..Loaded::default() };
    world.state.loaded = watch::channel(Arc::new(loaded)).1;
    world
}

/// What an entry comes to: id, title, link, seconds when it was published and changed, text, author, topics.
type Entry = (String, String, Option<String>, i64, i64, String, String, Vec<String>);

async fn read(router: &Router, target: &str) -> (feed_rs::model::Feed, Vec<Entry>) {
    let (status, headers, body) = ask(router, target, &[]).await;
    assert_eq!(status, 200, "{target}: {}", String::from_utf8_lossy(&body));
    let expected = if target.contains(".atom") { "application/atom+xml" } else { "application/feed+json" };
    assert_eq!(headers["content-type"], expected, "{target}");
    let parser = feed_rs::parser::Builder::new().sanitize_content(false).build();
    let feed = parser.parse(&body[..]).unwrap_or_else(|error| panic!("{target}: {error}"));
    let entries = feed.entries.iter().map(|entry| {
        let text = |text: Option<&feed_rs::model::Text>| text.map(|text| text.content.clone()).unwrap_or_default();
        let link = entry.links.first().map(|link| link.href.clone());
        let (published, updated) = (entry.published.unwrap().timestamp(), entry.updated.unwrap().timestamp());
        let body = entry.content.as_ref().and_then(|content| content.body.clone()).unwrap_or_default();
        let topics = entry.categories.iter().map(|category| category.term.clone()).collect();
        let author = entry.authors.first().and_then(|author| author.name.clone()).unwrap_or_default();
        (entry.id.clone(), text(entry.title.as_ref()), link, published, updated, body, author, topics)
    });
    let entries = entries.collect();
    (feed, entries)
}

/// The same of `/api/v1/items`.
async fn listed(router: &Router, query: &str) -> Vec<Entry> {
    let listing = get(router, &format!("/api/v1/items?{query}")).await;
    let entry = |item: &Value| {
        let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
        let seconds = |name: &str| text(name).parse::<jiff::Timestamp>().unwrap().as_second();
        let updated = if item["revision"] == 1 { "published_at" } else { "fetched_at" };
        let topics = item["topics"].as_array().unwrap().iter().map(|topic| topic["id"].as_str().unwrap().to_owned());
        (
            format!("urn:rasid:item:{}", text("id")),
            text("title"),
            item["url"].as_str().map(str::to_owned),
            seconds("published_at"),
            seconds(updated),
            text("text"),
            text("feed"),
            topics.collect(),
        )
    };
    listing["items"].as_array().unwrap().iter().map(entry).collect()
}

#[tokio::test]
async fn readers_get_what_is_listed() {
    let mut world = world(9, Published::default());
    let mut copy = candidate(20, 0);
    copy.content.title = "نسخة <b>&\u{1}</b>".to_owned();
    let of = ItemId::of(&candidate(8, 0).feed, candidate(8, 0).key);
    world.commit(copy, Verdict { kind: VerdictKind::Exact, of: Some(Original::Item(of)), similarity: 1.0 });
    let mut revised = candidate(7, 1);
    revised.hash = 70;
    revised.content.title = "<b>بعنوان آخر</b> & ]]>".to_owned();
    let of = ItemId::of(&revised.feed, revised.key);
    world.commit(revised, Verdict { kind: VerdictKind::Revision, of: Some(Original::Item(of)), similarity: 1.0 });
    let router = world.router();
    for (query, count) in [
        ("limit=50", 9),
        ("limit=3", 3),
        ("topic=csto", 3),
        ("topic=csto&feed=wafa", 1),
        ("feed=wafa", 4),
        ("language=en", 0),
        ("since=2m", 3),
    ] {
        let expected = listed(&router, query).await;
        assert_eq!(expected.len(), count, "{query}");
        for form in ["atom", "json"] {
            let (_, entries) = read(&router, &format!("/api/v1/feed.{form}?{query}")).await;
            assert_eq!(entries, expected, "{form} {query}");
        }
    }
    for form in ["atom", "json"] {
        let (feed, entries) = read(&router, &format!("/topics/csto.{form}?limit=2")).await;
        assert_eq!(entries, listed(&router, "topic=csto&limit=2").await, "{form}");
        assert_eq!(feed.title.unwrap().content, "منظمة المعاهدة", "{form}");
        let (feed, entries) = read(&router, &format!("/topics/quiet.{form}")).await;
        assert_eq!((feed.title.unwrap().content.as_str(), entries.len()), ("لا شيء", 0), "{form}");
    }
}

#[tokio::test]
async fn a_feed_is_the_same_by_every_door() {
    let world = world(3, Published::default());
    let router = world.router();
    let mut ids = Vec::new();
    for target in ["/topics/csto.atom", "/api/v1/feed.atom?topic=csto", "/api/v1/feed.atom?limit=1&topic=csto"] {
        let (feed, _) = read(&router, target).await;
        assert!(feed.links.iter().any(|link| link.href == format!("http://localhost:7878{target}")), "{target}");
        assert!(feed.links.iter().all(|link| link.rel.as_deref() != Some("hub")), "{target}");
        ids.push(feed.id);
    }
    assert_eq!(ids, ["urn:rasid:feed:topic=csto"; 3]);
    assert_eq!(read(&router, "/api/v1/feed.atom").await.0.id, "urn:rasid:feed:all");
}

#[tokio::test]
async fn a_hub_is_linked_to_where_one_is_configured() {
    let at = Some("https://news.example/rasid/".parse().unwrap());
    let world = world(3, Published { at, hub: Some("https://hub.example/".parse().unwrap()) });
    let router = world.router();
    let (feed, _) = read(&router, "/topics/csto.atom").await;
    let link = |rel: &str| feed.links.iter().find(|link| link.rel.as_deref() == Some(rel)).map(|link| &*link.href);
    assert_eq!(link("hub"), Some("https://hub.example/"));
    assert_eq!(link("self"), Some("https://news.example/rasid/topics/csto.atom"));
    let (_, headers, body) = ask(&router, "/topics/csto.json", &[]).await;
    let json: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(json["hubs"], serde_json::json!([{ "type": "WebSub", "url": "https://hub.example/" }]));
    assert_eq!(
        (&json["version"], &json["feed_url"]),
        (&"https://jsonfeed.org/version/1.1".into(), &"https://news.example/rasid/topics/csto.json".into(),)
    );
    let links = "<https://hub.example/>; rel=\"hub\", <https://news.example/rasid/topics/csto.json>; rel=\"self\"";
    assert_eq!(headers["link"], links);
}

#[tokio::test]
async fn a_reader_who_polls_is_told_that_nothing_changed() {
    let mut world = world(3, Published::default());
    let router = world.router();
    for (i, target) in ["/api/v1/feed.atom", "/api/v1/feed.json", "/topics/csto.atom"].into_iter().enumerate() {
        let (_, headers, _) = ask(&router, target, &[]).await;
        let tag = headers["etag"].to_str().unwrap().to_owned();
        let (status, _, body) = ask(&router, target, &[("if-none-match", &tag)]).await;
        assert_eq!((status, body.len()), (304, 0), "{target}");
        world.add(30 * (u32::try_from(i).unwrap() + 1), 0);
        assert_eq!(ask(&router, target, &[("if-none-match", &tag)]).await.0, 200, "{target}");
    }
}

#[tokio::test]
async fn a_search_is_a_feed_newest_first() {
    let mut world = world(6, Published::default());
    let index = Search::new(world.dir.path().join("data").join(search::DIRECTORY));
    world.state.search = Some(index.clone());
    let router = world.router();
    let q = "%D8%B1%D9%82%D9%85"; // رقم
    // Not all items are in it yet: no feed is better than half of one.
    let mut indexer = index.indexer().unwrap();
    indexer.reach(search::Position { listing: Some(search::Listing { after: None }), ..Default::default() });
    indexer.commit().unwrap();
    drop(indexer);
    let (status, _, _) = ask(&router, &format!("/api/v1/feed.atom?q={q}"), &[]).await;
    assert_eq!(status, 503);
    catch_up(&world.store, &index, &mut |_, _| {}).unwrap();
    for form in ["atom", "json"] {
        let (feed, entries) = read(&router, &format!("/api/v1/feed.{form}?q={q}&feed=wafa")).await;
        assert_eq!(entries, listed(&router, "feed=wafa").await, "{form}");
        assert!(feed.title.unwrap().content.ends_with("رقم"), "{form}");
        let (_, entries) = read(&router, &format!("/api/v1/feed.{form}?q=title:%D8%BA%D8%A7%D8%A6%D8%A8")).await;
        assert_eq!(entries, [], "{form}");
    }
    let (status, _, _) = ask(&router, "/api/v1/feed.atom?q=%22", &[]).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn what_is_not_understood_is_refused() {
    let world = world(1, Published::default());
    let router = world.router();
    for (target, expected) in [
        ("/api/v1/feed.atom?limit=0", 400),
        ("/api/v1/feed.atom?limit=101", 400),
        ("/api/v1/feed.json?limit=100", 200),
        ("/api/v1/feed.json?topic=CSTO", 400),
        ("/api/v1/feed.json?since=yesterday", 400),
        ("/api/v1/feed.json?until=7d", 400),
        // There is no index here.
        ("/api/v1/feed.json?q=a", 503),
        ("/topics/csto.atom?limit=100&since=7d&language=ar", 200),
        ("/topics/csto.atom?topic=quiet", 400),
        ("/topics/csto.json?limit=101", 400),
        ("/topics/csto.rss", 404),
        ("/topics/csto", 404),
        ("/topics/nothing.atom", 404),
        ("/topics/%00.atom", 404),
    ] {
        assert_eq!(ask(&router, target, &[]).await.0, expected, "{target}");
    }
}
