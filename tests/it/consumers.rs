//! Consumers over the interface and with the real binary: what is read, acknowledged, refused, and told in `/metrics`.

use std::collections::BTreeMap;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::{Method, Request};
use rasid::serve::{self, Control, Router, ServerConfig};
use rasid::telemetry::metrics;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tower::ServiceExt;

use crate::newsroom::{Answer, Server};
use crate::rasid::{Home, wait_for};
use crate::read_api::{World, ask, get, now, request};

/// The router over a world whose writer takes orders, one at a time, until the router is gone.
fn served(world: World) -> (Router, mpsc::Sender<u32>, JoinHandle<World>) {
    let router = world.router();
    let (adding, mut added) = mpsc::channel::<u32>(8);
    let writing = tokio::spawn(async move {
        let mut world = world;
        loop {
            tokio::select! {
                Some(order) = world.orders.recv() => {
                    let Control::Consume { asked, answer } = order else { panic!("another order: {order:?}") };
                    let done = world.writer.consume(now(), &[asked]).unwrap().remove(0);
                    let _gone = answer.send(done);
                }
                item = added.recv() => match item {
                    Some(item) => drop(world.add(item, 0)),
                    None => return world,
                },
            }
        }
    });
    (router, adding, writing)
}

async fn send(router: &Router, method: Method, target: &str, body: Value) -> (u16, Value) {
    ask(router, request(method, target, Some(&body))).await
}

fn seqs(reading: &Value) -> Vec<u64> {
    reading["records"].as_array().unwrap().iter().map(|record| record["seq"].as_u64().unwrap()).collect()
}

const DESK: &str = "/api/v1/consumers/desk";

#[tokio::test]
async fn a_consumer_is_made_read_acknowledged_reset_and_removed() {
    let (router, adding, writing) = served(World::with_items(7));
    let (status, problem) = ask(&router, request(Method::GET, DESK, None)).await;
    assert_eq!(status, 404);
    assert!(problem["detail"].as_str().unwrap().contains("PUT /api/v1/consumers/desk"), "{problem}");
    assert_eq!(get(&router, "/api/v1/consumers").await, json!({ "consumers": [], "last": 7 }));

    // Every third item, the first included, is about csto.
    let (status, made) =
        send(&router, Method::PUT, DESK, json!({ "filter": { "topics": ["csto"] }, "kind": "test" })).await;
    assert_eq!((status, &made["offset"], &made["lag"], &made["kind"]), (201, &json!(0), &json!(7), &json!("test")));
    for _ in 0..2 {
        let reading = get(&router, &format!("{DESK}?limit=2")).await;
        assert_eq!((seqs(&reading), &reading["next"], &reading["offset"]), (vec![1, 4], &json!(4), &json!(0)));
    }
    let (status, stands) = send(&router, Method::POST, &format!("{DESK}/ack"), json!({ "seq": 4 })).await;
    assert_eq!((status, &stands["offset"], &stands["lag"], &stands["acked"]), (200, &json!(4), &json!(3), &json!(4)));
    let reading = get(&router, DESK).await;
    assert_eq!((seqs(&reading), &reading["next"]), (vec![7], &json!(7)));
    let (status, _) = send(&router, Method::POST, &format!("{DESK}/ack"), json!({ "seq": 7 })).await;
    assert_eq!(status, 200);

    // What the filter hides is covered by `next`, so that it never stands still.
    for item in [10, 11] {
        adding.send(item).await.unwrap();
    }
    let target = format!("{DESK}?wait=60");
    let waiting = tokio::spawn({
        let router = router.clone();
        async move { get(&router, &target).await }
    });
    adding.send(12).await.unwrap();
    let reading = tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("it was not woken").unwrap();
    assert_eq!((seqs(&reading), &reading["next"]), (vec![10], &json!(10)));
    let (_, stands) = send(&router, Method::POST, &format!("{DESK}/ack"), json!({ "seq": 9 })).await;
    assert_eq!(stands["lag"], 1);
    adding.send(13).await.unwrap();
    wait_until(&router, 11).await;
    let (_, _) = send(&router, Method::POST, &format!("{DESK}/ack"), json!({ "seq": 10 })).await;
    let reading = get(&router, &format!("{DESK}?wait=10ms")).await;
    assert_eq!((seqs(&reading), &reading["next"], &reading["lag"]), (vec![], &json!(11), &json!(1)));

    for (target, body, status, named) in [
        ("desk/ack", json!({ "seq": 12 }), 409, "the end of the log, which is 11"),
        ("desk/ack", json!({ "seq": 3 }), 409, "up to 10 already"),
        ("desk/ack", json!({ "seq": 12.0 }), 409, "the end of the log, which is 11"),
        ("desk/ack", json!({ "seq": 1.5 }), 400, "1.5"),
        ("desk/reset", json!({ "from": 12.0 }), 409, "12"),
        ("desk/ack", json!({}), 400, "seq"),
        ("desk/ack", json!({ "seq": 1, "more": 1 }), 400, "more"),
        ("desk/reset", json!({ "from": "middle" }), 400, "middle"),
        ("desk/reset", json!({ "from": 12 }), 409, "12"),
        ("nobody/ack", json!({ "seq": 1 }), 404, "nobody"),
        ("nobody/reset", json!({}), 404, "nobody"),
        ("No/ack", json!({ "seq": 1 }), 400, "No"),
    ] {
        let (got, problem) = send(&router, Method::POST, &format!("/api/v1/consumers/{target}"), body).await;
        assert_eq!(got, status, "{target}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(named), "{target}: {problem}");
    }
    for body in [
        json!({ "filter": { "topic": ["csto"] } }),
        json!({ "filter": { "kinds": ["old"] } }),
        json!({ "from": -1 }),
        json!({ "filter": { "languages": [""] } }),
        json!({ "filter": { "languages": ["x".repeat(36)] } }),
        json!({ "filter": [["csto"]] }),
        json!({ "from": 1.5 }),
        json!({ "from": (1_u64 << 53) + 1 }),
        json!({ "kind": "x".repeat(65) }),
    ] {
        let (status, problem) = send(&router, Method::PUT, DESK, body.clone()).await;
        assert_eq!(status, 400, "{body}: {problem}");
    }

    // Changing the filter moves nothing, and leaving it out changes nothing.
    for (body, topics) in [(json!({ "from": "beginning" }), json!(["csto"])), (json!({ "filter": {} }), json!([]))] {
        let (status, stands) = send(&router, Method::PUT, DESK, body).await;
        assert_eq!((status, &stands["filter"]["topics"], &stands["offset"]), (200, &topics, &json!(10)));
    }
    for (from, offset) in [(json!(3), 3), (json!("end"), 11), (json!("beginning"), 0)] {
        let (_, stands) = send(&router, Method::POST, &format!("{DESK}/reset"), json!({ "from": from })).await;
        assert_eq!(stands["offset"], offset);
    }
    assert_eq!(seqs(&get(&router, DESK).await), (1..=11).collect::<Vec<_>>());
    let removed = router.clone().oneshot(request(Method::DELETE, DESK, None)).await.unwrap();
    assert_eq!(removed.status().as_u16(), 204);
    assert_eq!(ask(&router, request(Method::DELETE, DESK, None)).await.0, 404);
    drop(adding);
    let world = writing.await.unwrap();
    assert_eq!(world.store.verify().unwrap(), Vec::<String>::new());
    // Nobody takes orders any more.
    drop(world);
    assert_eq!(send(&router, Method::PUT, DESK, json!({})).await.0, 503);
}

async fn wait_until(router: &Router, last: u64) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    while get(router, &format!("/api/v1/log?after={}&wait=1", last - 1)).await["last"] != last {
        assert!(tokio::time::Instant::now() < deadline, "the log does not reach {last}");
    }
}

#[tokio::test]
async fn the_log_takes_every_filter_any_number_of_times() {
    let world = World::with_items(10);
    let router = world.router();
    for (query, expected) in [
        ("topic=csto", vec![1, 4, 7, 10]),
        ("topic=other&topic=csto", vec![1, 4, 7, 10]),
        ("feed=wafa", vec![2, 4, 6, 8, 10]),
        ("feed=wafa&feed=nabd&topic=csto", vec![1, 4, 7, 10]),
        ("feed=wafa&topic=csto", vec![4, 10]),
        ("language=ar&limit=2", vec![1, 2]),
        ("language=en", vec![]),
        ("kind=new&after=8", vec![9, 10]),
        ("kind=removed&kind=revised", vec![]),
    ] {
        assert_eq!(seqs(&get(&router, &format!("/api/v1/log?{query}")).await), expected, "{query}");
    }
    for (query, named) in
        [("kind=old", "reclassified"), ("language=", "language"), ("feed=A", "feed"), ("after=1&after=2", "twice")]
    {
        let (status, problem) = ask(&router, request(Method::GET, &format!("/api/v1/log?{query}"), None)).await;
        assert_eq!(status, 400, "{query}");
        assert!(problem["detail"].as_str().unwrap().contains(named), "{query}: {problem}");
    }
}

/// The samples of a page, by their name with its labels; every line is held to the format.
fn samples(page: &str) -> BTreeMap<String, u64> {
    let mut samples = BTreeMap::new();
    let mut typed = "";
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            typed = rest.split(' ').next().unwrap();
        } else if !line.starts_with("# HELP ") {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let name = series.split('{').next().unwrap();
            assert_eq!(name, typed, "{line}");
            assert!(samples.insert(series.to_owned(), value.parse().unwrap()).is_none(), "twice: {line}");
        }
    }
    samples
}

#[tokio::test]
async fn metrics_tell_what_is_stored_and_how_far_consumers_are() {
    let mut world = World::with_items(6);
    world.state.started = Some(now());
    let bearer = "Bearer a-token-of-some-length";
    let guarded = ServerConfig { token: Some("a-token-of-some-length".to_owned()), ..ServerConfig::default() };
    let tcp = serve::tcp_router(&guarded, world.state.clone()).unwrap();
    let (router, adding, writing) = served(world);
    send(&router, Method::PUT, DESK, json!({})).await;
    send(&router, Method::POST, &format!("{DESK}/ack"), json!({ "seq": 2 })).await;

    let ask_tcp = |token: Option<&str>| {
        let request = Request::builder().uri("/metrics").header("host", "127.0.0.1:7878");
        let request = token.map_or(Request::builder().uri("/metrics").header("host", "127.0.0.1:7878"), |token| {
            request.header("authorization", token)
        });
        tcp.clone().oneshot(request.body(Full::<hyper::body::Bytes>::default()).unwrap())
    };
    assert_eq!(ask_tcp(None).await.unwrap().status().as_u16(), 401);
    let response = ask_tcp(Some(bearer)).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let page = response.into_body().collect().await.unwrap().to_bytes();
    let page = std::str::from_utf8(&page).unwrap();
    let samples = samples(page);
    for (series, expected) in [
        ("rasid_items", 6),
        ("rasid_duplicates", 0),
        ("rasid_log_first_seq", 1),
        ("rasid_log_last_seq", 6),
        ("rasid_feed_items{feed=\"wafa\"}", 3),
        // It is configured nowhere.
        ("rasid_topic_items{topic=\"(other)\"}", 2),
        ("rasid_feeds{state=\"unpolled\"}", 2),
        ("rasid_feeds{state=\"failing\"}", 0),
        ("rasid_consumer_offset{consumer=\"desk\"}", 2),
        ("rasid_consumer_lag_records{consumer=\"desk\"}", 4),
        ("rasid_consumer_lag_seconds{consumer=\"desk\"}", 0),
        ("rasid_consumer_missed_records{consumer=\"desk\"}", 0),
        ("rasid_consumer_acked_total{consumer=\"desk\"}", 2),
        ("process_start_time_seconds", 1_795_176_000),
        (concat!("rasid_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}"), 1),
    ] {
        assert_eq!(samples.get(series), Some(&expected), "{series}\n{page}");
    }
    assert!(samples["rasid_store_bytes"] > 0);
    drop(adding);
    drop(writing.await.unwrap());
}

#[test]
fn every_metric_is_told_of_in_the_documentation() {
    let told = include_str!("../../docs/deploy.md");
    for metric in metrics::ALL {
        assert!(told.contains(&format!("`{}", metric.name)), "docs/deploy.md does not name {}", metric.name);
    }
}

/// A feed of `n` items, about nothing in particular.
fn feed(n: usize) -> String {
    let item = |i| {
        format!(
            "<item><guid>{i}</guid><link>https://nabd.example/{i}</link><title>الخبر رقم {i}</title>\
             <description>تفاصيل الخبر رقم {i}</description></item>"
        )
    };
    format!("<rss version=\"2.0\"><channel><title>نبض</title>{}</channel></rss>", (0..n).map(item).collect::<String>())
}

fn records(out: &str) -> Vec<u64> {
    out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["seq"].as_u64().unwrap()).collect()
}

#[test]
fn the_commands_work_with_and_without_a_daemon() {
    let server = Server::start(|_| Answer::ok("application/rss+xml", feed(5)));
    let feeds =
        format!("[defaults]\nfull_text = \"never\"\n[[feed]]\nid = \"nabd\"\nurl = \"{}\"\n", server.url("/rss"));
    let home = Home::new("", &feeds);
    home.ok(&["feeds", "poll", "nabd"]);
    for with_daemon in [false, true] {
        let daemon = with_daemon.then(|| home.daemon());
        if daemon.is_some() {
            home.wait_until_it_answers();
        }
        let name = if with_daemon { "over-socket" } else { "in-process" };
        let first = home.rasid(&["consumers", "read", name, "--max", "2", "--feed", "nabd"]);
        let notes = String::from_utf8(first.stderr).unwrap();
        assert!(notes.contains(&format!("a new consumer {name}")), "{notes}");
        assert!(notes.contains(&format!("rasid consumers ack {name} 2")), "{notes}");
        assert_eq!(records(&String::from_utf8(first.stdout).unwrap()), [1, 2]);
        assert_eq!(records(&home.ok(&["consumers", "read", name, "--max", "2"])), [1, 2], "reading moves nothing");
        assert!(home.ok(&["consumers", "ack", name, "2"]).contains("3 records to read"));
        assert_eq!(records(&home.ok(&["consumers", "read", name])), [3, 4, 5]);
        home.ok(&["consumers", "ack", name, "5"]);
        assert_eq!(records(&home.ok(&["consumers", "read", name])), Vec::<u64>::new());
        home.ok(&["consumers", "reset", name, "4"]);
        assert_eq!(records(&home.ok(&["consumers", "read", name, "--wait"])), [5]);
        for (args, status, said) in [
            (&["consumers", "ack", name, "1"][..], 1, "up to 4 already"),
            (&["consumers", "ack", name, "99"], 1, "after the end of the log"),
            (&["consumers", "ack", "nobody", "1"], 1, "no consumer"),
            (&["consumers", "read", name, "--feed", "other"], 2, "reads feed nabd, not feed other"),
            (&["consumers", "read", name, "--kind", "old"], 2, "old"),
            (&["consumers", "read", "No"], 2, "No"),
            (&["consumers", "reset", name, "middle"], 2, "middle"),
        ] {
            let output = home.rasid(args);
            let errors = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(status), "{args:?}: {errors}");
            assert!(errors.contains(said), "{args:?}: {errors}");
            assert!(output.stdout.is_empty());
        }
        let list = home.ok(&["consumers", "list"]);
        let line = list.lines().find(|line| line.starts_with(name)).unwrap();
        assert!(line.contains("\t4\t1\t") && line.ends_with("cli\tfeed nabd"), "{line}");
        let list: Value = serde_json::from_str(&home.ok(&["consumers", "list", "--json"])).unwrap();
        let this = list["consumers"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap();
        assert_eq!(
            (&this["offset"], &this["lag"], &this["acked"], &list["last"]),
            (&json!(4), &json!(1), &json!(5), &json!(5))
        );
        assert_eq!(records(&home.ok(&["tail", "--feed", "nabd", "--kind", "new", "--after", "3"])), [4, 5]);
        assert_eq!(records(&home.ok(&["tail", "--feed", "other"])), Vec::<u64>::new());
        home.ok(&["consumers", "remove", name]);
        assert!(!home.ok(&["consumers", "list"]).contains(name));
        if let Some(daemon) = daemon {
            home.ok(&["consumers", "read", "survives", "--from", "end"]);
            assert!(daemon.terminate().success());
            wait_for("the daemon to go", || !home.answers());
        }
    }
    assert!(home.ok(&["consumers", "list"]).starts_with("name\t"));
    assert!(home.ok(&["consumers", "list"]).contains("survives\t5\t0\t-\tnever\tcli\teverything"));
}
