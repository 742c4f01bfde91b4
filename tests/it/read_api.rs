//! The readers' interface over a real store: pages, filters, the log, long polls, problems, doors.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Method, Request};
use jiff::{SignedDuration, Timestamp};
use rasid::cli::api::Api;
use rasid::dedup::{Fingerprint, Original, Verdict, VerdictKind};
use rasid::id::{EntryKey, ItemId, Seq};
use rasid::item::{Candidate, Content};
use rasid::serve::{self, Control, Loaded, Router, ServerConfig, State};
use rasid::source::{FeedConfig, PollOutcome, PollRecord};
use rasid::store::{self, Decided, Group, Store, StoreConfig, Writer};
use rasid::topic::{Decision, TopicMatch};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot, watch};
use tower::ServiceExt;

use crate::support::content;

/// The clock of every test.
pub(crate) fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

/// A store in a folder of its own, with two feeds, and whoever takes orders.
pub(crate) struct World {
    pub(crate) dir: TempDir,
    pub(crate) store: Store,
    pub(crate) writer: Writer,
    pub(crate) orders: mpsc::Receiver<Control>,
    pub(crate) state: State,
}

impl World {
    pub(crate) fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let config = StoreConfig { path: dir.path().join("data"), ..StoreConfig::default() };
        let (store, writer) = store::open(&config).unwrap();
        let mut secret = FeedConfig::new("wafa".parse().unwrap(), "https://wafa.example/rss".parse().unwrap());
        secret.password = Some("hunter2".to_owned());
        let feeds = vec![FeedConfig::new("nabd".parse().unwrap(), "https://nabd.example/rss".parse().unwrap()), secret];
        let loaded = Loaded { feeds, ..Loaded::default() };
        let (control, orders) = mpsc::channel(4);
        let loaded = watch::channel(Arc::new(loaded)).1;
        let state = State { store: store.clone(), search: None, loaded, control, started: None, clock: now };
        Self { dir, store, writer, orders, state }
    }

    /// With `n` items, one a minute, the last at noon, by turns of the two feeds, every third about `csto`.
    pub(crate) fn with_items(n: u32) -> Self {
        let mut world = Self::new();
        for i in 0..n {
            world.add(i, i64::from(n - 1 - i));
        }
        world
    }

    /// Adds item `i`, published `minutes` before noon.
    pub(crate) fn add(&mut self, i: u32, minutes: i64) -> ItemId {
        let candidate = candidate(i, minutes);
        let id = ItemId::of(&candidate.feed, candidate.key);
        self.commit(candidate, Verdict { kind: VerdictKind::New, of: None, similarity: 0.0 });
        id
    }

    pub(crate) fn commit(&mut self, candidate: Candidate, verdict: Verdict) {
        let items = vec![Decided { candidate, verdict }];
        self.writer.commit(Group { items, at: Some(now()), ..Group::default() }).unwrap();
    }

    /// Nobody takes orders any more.
    pub(crate) fn hang_up(&mut self) {
        self.orders = mpsc::channel(1).1;
    }

    pub(crate) fn router(&self) -> Router {
        serve::router(self.state.clone())
    }
}

pub(crate) fn candidate(i: u32, minutes: i64) -> Candidate {
    let title = format!("الخبر رقم {i}");
    let text = format!("نص الخبر رقم {i} كما نشرته الوكالة صباح اليوم.");
    let topic =
        TopicMatch { id: "csto".parse().unwrap(), decision: Decision::Match, score: 4.25, evidence: Vec::new() };
    Candidate {
        feed: if i.is_multiple_of(2) { "nabd" } else { "wafa" }.parse().unwrap(),
        key: EntryKey::of("guid", &i.to_string()),
        hash: u64::from(i),
        sketch: rasid::story::Sketch::default(),
        fingerprint: Fingerprint { content: None, title: None, shingles: Vec::new(), ..Fingerprint::of(&title, &text) },
        content: Content {
            url: Some(format!("https://nabd.example/{i}").parse().unwrap()),
            canonical_url: Some(format!("https://nabd.example/{i}").parse().unwrap()),
            guid: Some(i.to_string()),
            language: Some("ar".to_owned()),
            fetched_at: now(),
            ..content(&title, &text, now() - SignedDuration::from_mins(minutes))
        },
        topics: if i.is_multiple_of(3) { vec![topic] } else { Vec::new() },
    }
}

/// What a router answers: the status, and the body as JSON.
pub(crate) async fn ask(router: &Router, request: Request<Full<Bytes>>) -> (u16, Value) {
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let media_type = response.headers()["content-type"].to_str().unwrap().to_owned();
    assert_eq!(media_type, if status < 400 { "application/json" } else { "application/problem+json" });
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    // What was asked for may be kept and asked about again; nothing else may.
    let kept = response.headers().contains_key("etag");
    assert_eq!(response.headers()["cache-control"], if kept { "private, no-cache" } else { "no-store" });
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap())
}

pub(crate) fn request(method: Method, target: &str, body: Option<&Value>) -> Request<Full<Bytes>> {
    let request = Request::builder().method(method).uri(target).header("host", "localhost");
    match body {
        Some(body) => request.header("content-type", "application/json").body(Full::from(body.to_string())),
        None => request.body(Full::default()),
    }
    .unwrap()
}

pub(crate) async fn get(router: &Router, target: &str) -> Value {
    let (status, body) = ask(router, request(Method::GET, target, None)).await;
    assert_eq!(status, 200, "{target}: {body}");
    body
}

/// The titles' numbers, in the order listed.
fn numbers(items: &Value) -> Vec<u32> {
    let number = |item: &Value| item["title"].as_str().unwrap().rsplit(' ').next().unwrap().parse().unwrap();
    items.as_array().unwrap().iter().map(number).collect()
}

#[tokio::test]
async fn pages_stay_good_while_items_are_written() {
    let mut world = World::with_items(25);
    let router = world.router();
    let mut listed = Vec::new();
    let mut target = "/api/v1/items?limit=10".to_owned();
    loop {
        let page = get(&router, &target).await;
        listed.extend(numbers(&page["items"]));
        let Some(next) = page["next"].as_str() else { break };
        target = format!("/api/v1/items?limit=10&cursor={next}");
        // Newer than everything listed so far: the next pages are not moved by it.
        world.add(100 + u32::try_from(listed.len()).unwrap(), -60);
    }
    assert_eq!(listed, (0..25).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn filters_keep_what_they_say() {
    let world = World::with_items(12);
    let router = world.router();
    for (query, expected) in [
        ("topic=csto", vec![9, 6, 3, 0]),
        ("feed=wafa", vec![11, 9, 7, 5, 3, 1]),
        ("feed=wafa&topic=csto", vec![9, 3]),
        ("since=2m", vec![11, 10, 9]),
        ("since=2026-11-20T11:57:00Z&until=2026-11-20T11:59:00Z", vec![9, 8]),
        ("until=2026-11-20", vec![]),
        ("since=2026-11-20&limit=1", vec![11]),
        ("language=ar&limit=2", vec![11, 10]),
        ("language=en", vec![]),
        ("feed=nowhere", vec![]),
    ] {
        let page = get(&router, &format!("/api/v1/items?{query}")).await;
        assert_eq!(numbers(&page["items"]), expected, "{query}");
    }
}

#[tokio::test]
async fn an_item_is_found_by_its_id_and_by_its_number_with_its_former_words() {
    let mut world = World::with_items(3);
    let id = world.add(7, 0);
    let mut revised = candidate(7, 0);
    revised.hash = 70;
    revised.content.title = "الخبر بعنوان آخر 7".to_owned();
    world.commit(revised, Verdict { kind: VerdictKind::Revision, of: Some(Original::Item(id)), similarity: 1.0 });
    let router = world.router();
    let by_id = get(&router, &format!("/api/v1/items/{id}")).await;
    assert_eq!((by_id["seq"].as_u64(), by_id["revision"].as_u64()), (Some(5), Some(2)));
    for number in [4, 5] {
        assert_eq!(get(&router, &format!("/api/v1/items/{number}")).await, by_id, "{number}");
    }
    let former = get(&router, &format!("/api/v1/items/{id}/revisions")).await;
    assert_eq!(former["revisions"][0]["title"], "الخبر رقم 7");
    for (target, expected) in
        [("0", 404), ("6", 404), ("00000000000000000000000000000000", 404), ("x", 400), ("%ff", 404)]
    {
        let (status, _) = ask(&router, request(Method::GET, &format!("/api/v1/items/{target}"), None)).await;
        assert_eq!(status, expected, "{target}");
    }
}

#[tokio::test]
async fn copies_are_listed_with_their_original_and_by_themselves_on_demand() {
    let mut world = World::new();
    let original = world.add(1, 10);
    let verdict = Verdict { kind: VerdictKind::Near, of: Some(Original::Item(original)), similarity: 0.9 };
    world.commit(candidate(2, 5), verdict);
    let router = world.router();
    let hidden = get(&router, "/api/v1/items").await;
    assert_eq!(numbers(&hidden["items"]), [1]);
    assert_eq!(hidden["items"][0]["copies"][0]["feed"], "nabd");
    let all = get(&router, "/api/v1/items?include=duplicates").await;
    assert_eq!(numbers(&all["items"]), [2, 1]);
    assert_eq!(all["items"][0]["verdict"]["of"], format!("item:{original}"));
    // The log tells every reader of it.
    assert_eq!(get(&router, "/api/v1/log").await["records"][1]["kind"], "duplicate");
}

#[tokio::test]
async fn the_log_is_whole_and_a_filter_moves_on() {
    let world = World::with_items(10);
    let router = world.router();
    let mut seen = Vec::new();
    let mut after = 0;
    loop {
        let reading = get(&router, &format!("/api/v1/log?after={after}&limit=3")).await;
        let records = reading["records"].as_array().unwrap();
        if records.is_empty() {
            break;
        }
        seen.extend(records.iter().map(|record| record["seq"].as_u64().unwrap()));
        after = reading["last"].as_u64().unwrap();
    }
    assert_eq!(seen, (1..=10).collect::<Vec<_>>());

    let about = get(&router, "/api/v1/log?topic=csto&limit=2").await;
    assert_eq!((numbers_of_log(&about), about["last"].as_u64()), (vec![0, 3], Some(4)));
    let rest = get(&router, "/api/v1/log?topic=csto&after=4").await;
    assert_eq!((numbers_of_log(&rest), rest["last"].as_u64()), (vec![6, 9], Some(10)));
    let none = get(&router, "/api/v1/log?topic=other").await;
    assert_eq!((numbers_of_log(&none), none["last"].as_u64()), (vec![], Some(10)));
}

fn numbers_of_log(reading: &Value) -> Vec<u32> {
    let items: Vec<Value> =
        reading["records"].as_array().unwrap().iter().map(|record| record["item"].clone()).collect();
    numbers(&Value::Array(items))
}

#[tokio::test]
async fn a_commit_wakes_who_waits_for_it() {
    let mut world = World::with_items(1);
    let router = world.router();
    // Answers only once item 3 is there: the others wake the reader too, but are not what it waits for.
    let waiting = tokio::spawn(async move { get(&router, "/api/v1/log?after=1&wait=60&topic=csto").await });
    tokio::task::yield_now().await;
    tokio::task::spawn_blocking(move || {
        for i in [2, 4, 3] {
            world.add(i, 0);
        }
        world
    })
    .await
    .unwrap();
    let reading = tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("it was not woken").unwrap();
    assert_eq!((numbers_of_log(&reading), reading["last"].as_u64()), (vec![3], Some(4)));
}

#[tokio::test]
async fn a_wait_in_vain_ends_in_time_and_says_how_far_it_looked() {
    let world = World::with_items(4);
    let router = world.router();
    let began = tokio::time::Instant::now();
    let reading = get(&router, "/api/v1/log?after=1&wait=20ms&topic=other").await;
    assert_eq!((reading["records"].as_array().unwrap().len(), reading["last"].as_u64()), (0, Some(4)));
    assert!(began.elapsed() >= Duration::from_millis(20));
}

#[tokio::test]
async fn a_stop_answers_who_waits() {
    let world = World::with_items(1);
    let socket = world.dir.path().join("rasid.sock");
    let listener = serve::bind_unix(&socket).unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(serve::serve_unix(listener, world.state.clone(), async { drop(stopped.await) }));
    let api = Api::daemon(socket).await.unwrap().expect("a server");
    let waiting = tokio::spawn(async move { api.get::<Value>("/api/v1/log", &[("after", "1"), ("wait", "60")]).await });
    tokio::task::yield_now().await;
    drop(stop);
    let reading = tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("the stop was not told").unwrap();
    // Either it was answered, or the stop came before its connection did.
    assert!(reading.is_err() || reading.is_ok_and(|reading| reading["last"] == 1));
    tokio::time::timeout(Duration::from_secs(30), server).await.expect("it did not end").unwrap().unwrap();
}

#[tokio::test]
async fn wrong_questions_get_problems_that_name_them() {
    let world = World::with_items(2);
    let router = world.router();
    for (method, target, status, named) in [
        (Method::GET, "/api/v1/items?limit=0", 400, "limit"),
        (Method::GET, "/api/v1/items?limit=501", 400, "500"),
        (Method::GET, "/api/v1/items?limit=ten", 400, "ten"),
        (Method::GET, "/api/v1/items?topics=csto", 400, "`topic`"),
        (Method::GET, "/api/v1/items?topic=CSTO", 400, "CSTO"),
        (Method::GET, "/api/v1/items?since=yesterday", 400, "yesterday"),
        (Method::GET, "/api/v1/items?include=all", 400, "duplicates"),
        (Method::GET, "/api/v1/items?cursor=nonsense", 400, "nonsense"),
        (Method::GET, "/api/v1/items?feed=a&feed=b", 400, "twice"),
        (Method::GET, "/api/v1/log?after=-1", 400, "after"),
        (Method::GET, "/api/v1/log?wait=61", 400, "60"),
        (Method::GET, "/api/v1/log?after=3", 409, "the log ends at 2"),
        (Method::GET, "/api/v1/feeds/nowhere", 404, "nowhere"),
        (Method::POST, "/api/v1/feeds/nowhere/poll", 404, "nowhere"),
        (Method::GET, "/api/v2/items", 404, "/api/v2/items"),
        (Method::GET, "/api/v1/items/", 404, "/api/v1"),
        (Method::DELETE, "/api/v1/items", 405, "DELETE"),
        (Method::GET, "/api/v1/reload", 405, "GET"),
        (Method::POST, "/api/v1/topics/test", 415, "application/json"),
        (Method::GET, "/api/v1/topics/nowhere/judgements", 404, "nowhere"),
        (Method::POST, "/api/v1/topics/nowhere/judgements", 404, "nowhere"),
        (Method::POST, "/api/v1/topics/reclassify", 415, "application/json"),
        (Method::GET, "/healthz/x", 404, "/healthz/x"),
    ] {
        let (got, problem) = ask(&router, request(method.clone(), target, None)).await;
        assert_eq!(
            (got, problem["status"].as_u64()),
            (status, Some(u64::from(status))),
            "{method} {target}: {problem}"
        );
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(named), "{method} {target}: {detail}");
        assert!(problem["type"].as_str().unwrap().starts_with("urn:rasid:problem:"), "{problem}");
        assert!(!problem["title"].as_str().unwrap().is_empty(), "{problem}");
    }
    for (target, body, status) in [
        ("/api/v1/topics/test", json!({ "text": "خبر" }), 200),
        ("/api/v1/topics/test", json!({ "item": "1" }), 200),
        ("/api/v1/topics/test", json!({}), 400),
        ("/api/v1/topics/test", json!({ "txt": "خبر" }), 400),
        ("/api/v1/topics/test", json!({ "item": "1", "text": "خبر" }), 400),
        ("/api/v1/topics/test", json!({ "item": "99" }), 404),
        ("/api/v1/topics/test", json!({ "text": "خ".repeat(1 << 20) }), 413),
        ("/api/v1/topics/reclassify", json!({ "topic": "nowhere" }), 404),
        ("/api/v1/topics/reclassify", json!({ "since": "yesterday" }), 400),
        ("/api/v1/topics/reclassify", json!({ "all": true }), 400),
        ("/api/v1/corpus/match", json!({ "text": "خبر" }), 200),
        ("/api/v1/corpus/match", json!({ "text": " " }), 400),
        ("/api/v1/corpus/match", json!(["خبر"]), 400),
    ] {
        let (got, answer) = ask(&router, request(Method::POST, target, Some(&body))).await;
        assert_eq!(got, status, "{target} {:.60}: {answer}", body.to_string());
    }
}

#[tokio::test]
async fn the_ways_of_a_wrong_method_are_told() {
    let world = World::new();
    let response = world.router().oneshot(request(Method::DELETE, "/api/v1/items", None)).await.unwrap();
    let allowed: BTreeSet<&str> = response.headers()["allow"].to_str().unwrap().split(',').map(str::trim).collect();
    assert_eq!(allowed, BTreeSet::from(["GET", "HEAD"]));
}

#[tokio::test]
async fn feeds_are_shown_without_secrets_and_polled_on_demand() {
    let mut world = World::new();
    let router = world.router();
    let feeds = get(&router, "/api/v1/feeds").await;
    assert_eq!((&feeds["feeds"][1]["id"], &feeds["feeds"][1]["authenticated"]), (&json!("wafa"), &json!(true)));
    assert!(!feeds.to_string().contains("hunter2"));
    assert_eq!(get(&router, "/api/v1/feeds/wafa").await["polls"], json!([]));

    let asking =
        tokio::spawn(async move { ask(&router, request(Method::POST, "/api/v1/feeds/nabd/poll", None)).await });
    let Some(Control::Poll { feed, answer }) = world.orders.recv().await else { panic!("another order") };
    assert_eq!(feed.as_str(), "nabd");
    let outcome = PollOutcome { status: Some(200), new: 3, ..PollOutcome::default() };
    let record = PollRecord { at: now(), took_ms: 12, outcome, next: now(), rule: "the interval".to_owned() };
    answer.send(Ok(record)).unwrap();
    let (status, polled) = asking.await.unwrap();
    assert_eq!((status, &polled["outcome"]["new"]), (200, &json!(3)));

    let router = world.router();
    let asking = tokio::spawn(async move { ask(&router, request(Method::POST, "/api/v1/reload", None)).await });
    let Some(Control::Reload { answer }) = world.orders.recv().await else { panic!("another order") };
    answer.send(Err(vec!["feeds.toml:3:1: `url` is missing".to_owned()])).unwrap();
    let (status, problem) = asking.await.unwrap();
    assert_eq!((status, &problem["problems"][0]), (422, &json!("feeds.toml:3:1: `url` is missing")));

    // Nobody takes orders any more.
    let router = world.router();
    drop(world.orders);
    let (status, problem) = ask(&router, request(Method::POST, "/api/v1/reload", None)).await;
    assert_eq!(status, 503, "{problem}");
}

#[tokio::test]
async fn numbers_and_health_are_told() {
    let world = World::with_items(6);
    let router = world.router();
    let stats = get(&router, "/api/v1/stats").await;
    assert_eq!((stats["store"]["items"].as_u64(), stats["store"]["last_seq"].as_u64()), (Some(6), Some(6)));
    assert_eq!(stats["store"]["by_topic"], json!({ "csto": 2 }));
    assert_eq!((stats["feeds"]["enabled"].as_u64(), stats["feeds"]["unpolled"].as_u64()), (Some(2), Some(2)));
    assert_eq!(get(&router, "/healthz").await["status"], "ok");
    assert_eq!(get(&router, "/readyz").await["status"], "ready");
}

#[tokio::test]
async fn every_door_gives_the_same_bytes() {
    let world = World::with_items(5);
    let socket = world.dir.path().join("rasid.sock");
    let listener = serve::bind_unix(&socket).unwrap();
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(serve::serve_unix(listener, world.state.clone(), async { drop(stopped.await) }));
    let daemon = Api::connect(socket, || panic!("the daemon is not asked")).await.unwrap();
    assert!(daemon.is_daemon());
    let nobody = world.dir.path().join("nobody.sock");
    let here = Api::connect(nobody, || Ok(world.router())).await.unwrap();
    assert!(!here.is_daemon());
    for (method, target, body) in [
        (Method::GET, "/api/v1/items?limit=3", None),
        (Method::GET, "/api/v1/items/2", None),
        (Method::GET, "/api/v1/log?topic=csto", None),
        (Method::GET, "/api/v1/feeds", None),
        (Method::GET, "/api/v1/stats", None),
        (Method::GET, "/api/v1/items?limit=x", None),
        (Method::GET, "/nowhere", None),
        (Method::POST, "/api/v1/corpus/match", Some(json!({ "text": "نص الخبر" }))),
    ] {
        let over_socket = daemon.send(request(method.clone(), target, body.as_ref())).await.unwrap();
        let in_process = here.send(request(method, target, body.as_ref())).await.unwrap();
        assert_eq!(over_socket, in_process, "{target}");
    }
    drop(stop);
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_dead_daemons_socket_is_taken_over() {
    let world = World::new();
    let socket = world.dir.path().join("rasid.sock");
    drop(serve::bind_unix(&socket).unwrap());
    assert!(socket.exists());
    assert!(Api::daemon(socket.clone()).await.unwrap().is_none(), "nobody answers there");
    let _listener = serve::bind_unix(&socket).unwrap();
    assert!(Api::daemon(socket).await.unwrap().is_some());
}

#[tokio::test]
async fn over_tcp_the_token_and_the_host_are_looked_at() {
    let world = World::with_items(1);
    let open = ServerConfig::default();
    let guarded = ServerConfig { token: Some("a-token-of-some-length".to_owned()), ..ServerConfig::default() };
    let bearer = ("authorization", "Bearer a-token-of-some-length");
    for (config, target, headers, expected) in [
        (&open, "/api/v1/items", &[("host", "127.0.0.1:7878")][..], 200),
        (&open, "/api/v1/items", &[("host", "evil.example")], 403),
        (&open, "/nowhere", &[("host", "evil.example")], 403),
        (&guarded, "/api/v1/items", &[("host", "127.0.0.1:7878")], 401),
        (&guarded, "/nowhere", &[("host", "127.0.0.1:7878")], 401),
        (&guarded, "/api/v1/items", &[("host", "127.0.0.1:7878"), bearer], 200),
        (&guarded, "/healthz", &[("host", "127.0.0.1:7878")], 200),
        (&guarded, "/readyz", &[("host", "127.0.0.1:7878")], 200),
    ] {
        let router = serve::tcp_router(config, world.state.clone()).unwrap();
        let mut request = Request::builder().uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (status, answer) = ask(&router, request.body(Full::default()).unwrap()).await;
        assert_eq!(status, expected, "{target} {headers:?}: {answer}");
    }
    assert_eq!(*world.store.durable().borrow(), Seq(1));
}

#[tokio::test]
async fn pins_are_shown_and_a_dry_run_changes_nothing() {
    let mut world = World::new();
    let ids: Vec<ItemId> = (0..4).map(|i| world.add(i, 0)).collect();
    world.writer.pin(now(), ids[1], Some("وثيقة")).unwrap();
    let router = world.router();
    let (_, pins) = ask(&router, request(Method::GET, "/api/v1/pins", None)).await;
    assert_eq!(pins["pins"][0]["item"], json!(ids[1].to_string()));
    assert_eq!((&pins["pins"][0]["why"], &pins["pins"][0]["feed"]), (&json!("وثيقة"), &json!("wafa")));
    for (item, expected) in [(ids[0], Value::Null), (ids[1], json!(true))] {
        let (_, shown) = ask(&router, request(Method::GET, &format!("/api/v1/items/{item}"), None)).await;
        assert_eq!(shown["pinned"], expected);
    }
    let rows = [
        (json!({ "dry_run": true }), 200, json!(0)),
        (json!({ "dry_run": true, "before": "2026-11-21" }), 200, json!(3)),
        (json!({ "dry_run": true, "before": "soon" }), 400, Value::Null),
        (json!({ "dry": true }), 400, Value::Null),
    ];
    for (body, status, items) in rows {
        let (answered, found) = ask(&router, request(Method::POST, "/api/v1/prune", Some(&body))).await;
        assert_eq!((answered, &found["items"]), (status, &items), "{body}");
    }
    assert_eq!(world.store.stats().unwrap().items, 4);
    // Nobody takes the order.
    drop(world.orders);
    for (method, path, body) in [
        (Method::POST, "/api/v1/items/1/pin", Some(json!({}))),
        (Method::DELETE, "/api/v1/items/1/pin", None),
        (Method::POST, "/api/v1/prune", Some(json!({}))),
    ] {
        let (status, problem) = ask(&router, request(method, path, body.as_ref())).await;
        assert_eq!((status, problem["type"].as_str().unwrap()), (503, "urn:rasid:problem:no-daemon"), "{path}");
    }
    assert_eq!(ask(&router, request(Method::POST, "/api/v1/items/99/pin", Some(&json!({})))).await.0, 404);
}
