//! How feed readers fail, each trap as a test of ours: `cargo test --test it t12_` finds the ones of a trap.
//!
//! Here stand those that concern a poll as a whole; those of the fetch alone are in `fetch.rs` (T17, T21, T22), those of
//! single modules beside them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rasid::fetch::{ACCEPT_PAGE, Client, FetchConfig, Request};
use rasid::item::{Collected, TextFrom};
use rasid::pipeline::collect::Collector;
use rasid::pipeline::{Job, Stop};
use rasid::serve::Loaded;
use rasid::source::{FeedConfig, FeedCursor, FullText};
use rasid::topic::{Article, Topics};
use rasid::units::Span;
use serde_json::Value;

use crate::newsroom::{Answer, Asked, Server, prose};
use crate::rasid::{Home, wait_for};

fn config() -> FetchConfig {
    FetchConfig {
        host_gap: Span(Duration::ZERO),
        attempts: 1,
        allow_private: vec!["127.0.0.1".into()],
        ..FetchConfig::default()
    }
}

/// One feed, polled as the daemon would, without a store: what a poll gives is taken for stored.
struct Desk {
    collector: Collector,
    feed: FeedConfig,
    cursor: FeedCursor,
}

impl Desk {
    fn at(client: &Client, url: &str) -> Self {
        let loaded = Loaded::default();
        let loaded = tokio::sync::watch::channel(Arc::new(loaded)).1;
        let collector = Collector { client: client.clone(), loaded, stop: Stop::default() };
        let feed = FeedConfig::new("a".parse().unwrap(), url.parse().unwrap());
        let cursor = FeedCursor::start(&feed, "2022-01-13T10:00:00Z".parse().unwrap());
        Self { collector, feed, cursor }
    }

    fn of(url: &str) -> Self {
        Self::at(&Client::new(&config()).unwrap(), url)
    }

    async fn poll(&mut self) -> Collected {
        let job = Job { feed: self.feed.clone(), cursor: self.cursor.clone() };
        let collected = self.collector.poll(job).await.unwrap();
        self.cursor = collected.cursor.clone();
        collected
    }
}

fn rss(items: &str) -> Answer {
    let feed = format!("<rss version=\"2.0\"><channel><title>ق</title>{items}</channel></rss>");
    Answer::ok("application/rss+xml", feed)
}

/// An entry; without text of its own where `text` is 0.
fn entry(guid: &str, title: &str, link: &str, text: u64) -> String {
    let text = if text == 0 { String::new() } else { prose(text, 120) };
    let guid = if guid.is_empty() { String::new() } else { format!("<guid isPermaLink=\"false\">{guid}</guid>") };
    format!("<item>{guid}<title>{title}</title><link>{link}</link><description>{text}</description></item>")
}

fn page(number: u64) -> Answer {
    let text = prose(number, 150).replace('\n', ".</p><p>");
    Answer::ok("text/html", format!("<html lang=\"ar\"><body><article><p>{text}</p></article></body></html>"))
}

fn items(home: &Home) -> Vec<Value> {
    let lines = home.ok(&["items", "--all", "--limit", "500", "--format", "ndjson"]);
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Counts what was asked for, by path.
#[derive(Clone, Default)]
struct Counts(Arc<Mutex<HashMap<String, usize>>>);

impl Counts {
    fn add(&self, asked: &Asked) -> usize {
        let mut counts = self.0.lock().unwrap();
        let count = counts.entry(asked.path.clone()).or_default();
        *count += 1;
        *count
    }

    fn of(&self, path: &str) -> usize {
        self.0.lock().unwrap().get(path).copied().unwrap_or_default()
    }
}

#[tokio::test]
async fn t3_a_pages_304_costs_neither_the_poll_nor_the_validators() {
    let (counts, conditional) = (Counts::default(), Arc::new(AtomicUsize::new(0)));
    let (count, condition) = (counts.clone(), conditional.clone());
    let press = Server::start(move |asked| {
        let times = count.add(asked);
        match asked.path.as_str() {
            "/feed" if asked.headers.contains_key("if-none-match") => {
                condition.fetch_add(1, Ordering::SeqCst);
                Answer::status(304)
            }
            "/feed" => {
                let items = entry("1", "فتح الطريق", "/304", 0) + &entry("2", "غلق الطريق", "/gone", 0);
                rss(&(items + &entry("3", "ترميم الطريق", "/fine", 0))).with("ETag", "\"7\"")
            }
            "/304" if times == 1 => Answer::status(304),
            "/gone" if times == 1 => Answer::status(410),
            "/304" | "/gone" | "/fine" => page(asked.path.len() as u64),
            _ => Answer::status(404),
        }
    });
    let mut desk = Desk::of(&press.url("/feed"));
    let first = desk.poll().await;
    assert_eq!((first.poll.outcome.error, first.candidates.len()), (None, 3), "all entries, pages or not");
    assert_eq!(first.candidates.iter().filter(|one| one.content.text_from == TextFrom::Page).count(), 1);
    assert_eq!(first.cursor.validators.etag.as_deref(), Some("\"7\""), "with the items that they account for");
    // The two pages are missing, so the document is asked for in full once more; then nothing is left to do.
    let second = desk.poll().await;
    assert_eq!((second.poll.outcome.not_modified, second.candidates.len()), (false, 2));
    assert!(second.candidates.iter().all(|one| one.content.text_from == TextFrom::Page));
    assert_eq!(conditional.load(Ordering::SeqCst), 0);
    let third = desk.poll().await;
    assert_eq!((third.poll.outcome.not_modified, third.candidates.len()), (true, 0));
    assert_eq!((counts.of("/feed"), counts.of("/304"), counts.of("/gone"), counts.of("/fine")), (3, 2, 2, 1));
}

#[tokio::test]
async fn t5_every_form_of_a_name_is_found_and_no_other_word() {
    let file = "[[topic]]\nid = \"kz\"\nlabel = { ar = \"ق\", en = \"K\" }\ngate = 'كازاخستان'\n";
    let topics = Topics::compile(&toml::from_str(file).unwrap()).unwrap();
    let found = |text: &str| !topics.classify(&Article { title: text, ..Article::default() }).is_empty();
    for form in [
        "كازاخستان",
        "وكازاخستان",
        "فكازاخستان",
        "بكازاخستان",
        "لكازاخستان",
        "ككازاخستان",
        "وبكازاخستان",
        "ولكازاخستان",
        "فبكازاخستان",
        "فلكازاخستان",
        "كَازَاخِسْتَان",
        "كـــازاخستان",
        "«كازاخستان»،",
    ] {
        assert!(found(&format!("وصل الوفد من {form} صباح اليوم")), "{form}");
    }
    for other in ["أوزبكستان", "كازا", "خستان", "كازابلانكا"] {
        assert!(!found(&format!("وصل الوفد من {other} صباح اليوم")), "{other}");
    }
}

#[tokio::test]
async fn t7_a_query_tells_entries_apart_and_a_tracker_does_not() {
    let press = Server::start(|asked| match asked.path.as_str() {
        "/feed" => rss(&(1..=3)
            .map(|n| entry("", "نشرة الطقس", &format!("/news.php?id={n}&amp;utm_source=rss"), n))
            .collect::<String>()),
        _ => Answer::status(404),
    });
    let collected = Desk::of(&press.url("/feed")).poll().await;
    let canonical: Vec<String> =
        collected.candidates.iter().map(|one| one.content.canonical_url.as_ref().unwrap().to_string()).collect();
    let keys: HashSet<_> = collected.candidates.iter().map(|one| one.key).collect();
    assert_eq!(keys.len(), 3);
    for (n, url) in canonical.iter().rev().enumerate() {
        assert!(url.ends_with(&format!("/news.php?id={}", n + 1)), "{canonical:?}");
    }
}

#[tokio::test]
async fn t8_an_address_keeps_its_capitals() {
    let press = Server::start(|asked| match asked.path.as_str() {
        "/feed" => rss(&["/a/dQw4", "/a/dqw4", "/A/dQw4"]
            .iter()
            .zip(1..)
            .map(|(path, n)| entry("", "نشرة الطقس", &format!("HTTP://EXAMPLE.test{path}"), n))
            .collect::<String>()),
        _ => Answer::status(404),
    });
    let collected = Desk::of(&press.url("/feed")).poll().await;
    let keys: HashSet<_> = collected.candidates.iter().map(|one| one.key).collect();
    let urls: HashSet<String> =
        collected.candidates.iter().map(|one| one.content.canonical_url.as_ref().unwrap().to_string()).collect();
    assert_eq!((keys.len(), urls.len()), (3, 3), "{urls:?}");
    assert!(urls.iter().all(|url| url.contains("example.test/")) && urls.iter().any(|url| url.ends_with("/A/dQw4")));
}

/// The guid holds the headline, the hour, or is the same for all entries: one item each, with a revision.
#[test]
fn t9_a_guid_that_churns_makes_no_second_item() {
    let round = Arc::new(AtomicUsize::new(0));
    let now = round.clone();
    let press = Server::start(move |asked| {
        let round = now.load(Ordering::SeqCst);
        let kind = asked.path.trim_start_matches('/').to_owned();
        let items: String = (1..=3u64)
            .map(|n| {
                let title = format!("{} {}", prose(n + 70, 6), if round == 0 { "" } else { "مصحح" });
                let guid = match kind.as_str() {
                    "headline" => title.replace(' ', "-"),
                    "hour" => format!("{n}-2022-01-13T1{round}"),
                    _ => "feed".to_owned(),
                };
                entry(&guid, &title, &format!("https://{kind}.test/{n}"), n * 31 + kind.len() as u64)
            })
            .collect();
        rss(&items)
    });
    let feeds: String = ["headline", "hour", "same"]
        .iter()
        .map(|kind| format!("[[feed]]\nid = \"{kind}\"\nurl = \"{}\"\n", press.url(&format!("/{kind}"))))
        .collect();
    let home = Home::new("", &format!("[defaults]\ninterval = \"1h\"\nfull_text = \"never\"\n{feeds}"));
    let daemon = home.daemon();
    home.wait_until_it_answers();
    wait_for("the first polls", || items(&home).len() == 9);
    round.store(1, Ordering::SeqCst);
    for kind in ["headline", "hour", "same"] {
        home.ok(&["feeds", "poll", kind]);
    }
    let items = items(&home);
    assert_eq!(items.len(), 9, "no item twice");
    assert!(items.iter().all(|item| item["revision"] == 2), "{items:#?}");
    assert!(daemon.terminate().success());
}

/// Everything is due at the start, spread over seconds, one at a time for a host.
#[test]
fn t11_everything_is_polled_within_seconds_of_the_start() {
    const HOSTS: usize = 12;
    type Hosts = HashMap<String, (usize, usize)>;
    let (began, asked_at) = (Instant::now(), Arc::new(Mutex::new(Vec::new())));
    let (times, hosts) = (asked_at.clone(), Arc::new(Mutex::new(Hosts::new())));
    let busy = hosts.clone();
    let press = Server::start(move |asked| {
        let host = asked.headers["host"].clone();
        times.lock().unwrap().push(began.elapsed());
        {
            let mut busy = busy.lock().unwrap();
            let (running, most) = busy.entry(host.clone()).or_default();
            *running += 1;
            *most = (*most).max(*running);
        }
        std::thread::sleep(Duration::from_millis(30));
        busy.lock().unwrap().get_mut(&host).unwrap().0 -= 1;
        rss(&entry("1", "خبر", "https://x.test/1", 1))
    });
    let port = press.address.port();
    let names = (0..HOSTS).map(|n| format!("\"h{n}.example\" = \"127.0.0.1\"\n")).collect::<String>();
    let feeds: String = (0..HOSTS * 2)
        .map(|n| format!("[[feed]]\nid = \"f{n}\"\nurl = \"http://h{}.example:{port}/{n}\"\n", n % HOSTS))
        .collect();
    let home = Home::new(&format!("[fetch.resolve]\n{names}"), &format!("[defaults]\nfull_text = \"never\"\n{feeds}"));
    let daemon = home.daemon();
    wait_for("all feeds to be asked", || asked_at.lock().unwrap().len() >= HOSTS * 2);
    assert!(daemon.terminate().success());
    let times = asked_at.lock().unwrap().clone();
    assert_eq!(times.len(), HOSTS * 2, "each once");
    let spread = *times.last().unwrap() - times[0];
    assert!((Duration::from_millis(1_000)..Duration::from_secs(120)).contains(&spread), "{spread:?}");
    let most = hosts.lock().unwrap().values().map(|(_, most)| *most).max();
    assert_eq!(most, Some(1), "one request at a time for a host");
}

#[tokio::test]
async fn t12_a_validator_that_never_changes_is_found_out() {
    let (round, unconditional) = (Arc::new(AtomicUsize::new(1)), Arc::new(AtomicUsize::new(0)));
    let (now, full) = (round.clone(), unconditional.clone());
    let press = Server::start(move |asked| {
        if asked.headers.contains_key("if-none-match") || asked.headers.contains_key("if-modified-since") {
            return Answer::status(304);
        }
        full.fetch_add(1, Ordering::SeqCst);
        let items: String = (1..=now.load(Ordering::SeqCst) as u64)
            .map(|n| entry(&n.to_string(), &prose(n, 6), &format!("https://x.test/{n}"), n))
            .collect();
        rss(&items).with("ETag", "\"always\"").with("Last-Modified", "Thu, 13 Jan 2022 10:00:00 GMT")
    });
    let mut desk = Desk::of(&press.url("/feed"));
    assert_eq!(desk.poll().await.candidates.len(), 1);
    round.store(2, Ordering::SeqCst);
    let mut polls = 0;
    let found = loop {
        polls += 1;
        assert!(polls < 50, "the second entry was never found");
        let collected = desk.poll().await;
        if !collected.candidates.is_empty() {
            break collected;
        }
    };
    assert!(polls > 5, "the server is trusted for a while: {polls}");
    assert!(found.poll.outcome.notes.iter().any(|note| note.contains("always asked in full")), "{found:?}");
    assert_eq!(unconditional.load(Ordering::SeqCst), 2);
    round.store(3, Ordering::SeqCst);
    assert_eq!(desk.poll().await.candidates.len(), 1, "from now on at once");
}

#[tokio::test]
async fn t17_a_host_that_throttles_one_feed_is_left_alone_by_all() {
    let counts = Counts::default();
    let count = counts.clone();
    let press = Server::start(move |asked| {
        count.add(asked);
        match asked.path.as_str() {
            "/busy" => Answer::status(429).with("Retry-After", "120"),
            "/dated" => Answer::status(503)
                .with("Date", "Fri, 20 Nov 2026 09:00:00 GMT")
                .with("Retry-After", "Fri, 20 Nov 2026 09:10:00 GMT"),
            _ => rss(&entry("1", "خبر", "/page", 0)),
        }
    });
    for (path, seconds) in [("/busy", 120), ("/dated", 600)] {
        let client = Client::new(&config()).unwrap();
        let throttled = Desk::at(&client, &press.url(path)).poll().await.poll;
        let error = throttled.outcome.error.unwrap();
        assert_eq!((error.kind.as_str(), error.retry_after), ("throttled", Some(Span::secs(seconds))));
        assert!(throttled.next.duration_since(throttled.at).as_secs() >= i64::try_from(seconds).unwrap() * 9 / 10);
        let other = Desk::at(&client, &press.url("/other")).poll().await.poll.outcome;
        assert_eq!((other.status, other.error.unwrap().kind), (None, "throttled".to_owned()), "not even asked");
    }
    assert_eq!((counts.of("/busy"), counts.of("/dated"), counts.of("/other")), (1, 1, 0));
}

#[tokio::test]
async fn t19_a_page_is_fetched_for_an_unseen_entry_only() {
    let (counts, round) = (Counts::default(), Arc::new(AtomicUsize::new(2)));
    let (count, now) = (counts.clone(), round.clone());
    let press = Server::start(move |asked| {
        count.add(asked);
        match asked.path.as_str() {
            "/feed" => rss(&(1..=now.load(Ordering::SeqCst) as u64)
                .map(|n| entry(&n.to_string(), &prose(n, 6), &format!("/page/{n}"), 0))
                .collect::<String>()),
            "/robots.txt" => Answer::status(404),
            path => page(path.len() as u64 + 40),
        }
    });
    let mut desk = Desk::of(&press.url("/feed"));
    desk.feed.full_text = FullText::Always;
    assert_eq!(desk.poll().await.candidates.len(), 2);
    assert_eq!(desk.poll().await.candidates.len(), 0);
    round.store(3, Ordering::SeqCst);
    assert_eq!(desk.poll().await.candidates.len(), 1);
    let pages: Vec<usize> = (1..=3).map(|n| counts.of(&format!("/page/{n}"))).collect();
    assert_eq!((pages, counts.of("/feed")), (vec![1, 1, 1], 3));
}

#[tokio::test]
async fn t20_a_page_that_fails_once_is_fetched_later_and_revises() {
    let counts = Counts::default();
    let count = counts.clone();
    let press = Server::start(move |asked| match (asked.path.as_str(), count.add(asked)) {
        ("/feed", _) => rss(&entry("1", "افتتاح الجسر", "/page", 0)),
        ("/page", 1..=2) => Answer::status(500),
        ("/page", _) => page(3),
        _ => Answer::status(404),
    });
    let mut desk = Desk::of(&press.url("/feed"));
    let first = desk.poll().await;
    assert_eq!(first.candidates[0].content.text_from, TextFrom::Summary);
    assert!(first.poll.outcome.notes.iter().any(|note| note.contains("will be tried again")), "{first:?}");
    let mut polls = 0;
    let revised = loop {
        polls += 1;
        assert!(polls < 10, "the page was never fetched");
        let mut collected = desk.poll().await;
        if let Some(revised) = collected.candidates.pop() {
            break revised;
        }
    };
    assert_eq!((revised.key, revised.content.text_from), (first.candidates[0].key, TextFrom::Page));
    assert_eq!(counts.of("/page"), 3);
}

/// Wherever an address comes from: a link of the feed, a redirect of a page, the rules of a site, an answer of DNS.
#[tokio::test]
async fn t21_no_way_leads_inside() {
    let inside = ["127.0.0.9", "10.1.2.3", "169.254.169.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "fd00::1"];
    for ip in inside {
        let resolve = BTreeMap::from([("inside.example".to_owned(), ip.parse().unwrap())]);
        let client = Client::new(&FetchConfig { resolve, ..config() }).unwrap();
        for (url, robots) in [("http://inside.example:1/feed", false), ("http://inside.example:1/page", true)] {
            let request = Request { robots, ..Request::new(url.parse().unwrap(), ACCEPT_PAGE) };
            let error = client.get(request).await.unwrap_err();
            assert_eq!(error.0.kind, "refused-address", "{ip}: {error}");
        }
    }
    let links = ["http://127.0.0.9:1/", "http://2130706441:1/", "http://0x7f.9:1/", "http://[::1]:1/", "/redirect"];
    let press = Server::start(move |asked| match asked.path.as_str() {
        "/feed" => rss(&links.iter().zip(1..).map(|(link, n)| entry(link, &prose(n, 6), link, 0)).collect::<String>()),
        "/redirect" => Answer::status(302).with("Location", "http://[::ffff:7f00:9]:1/"),
        _ => Answer::status(404),
    });
    let collected = Desk::of(&press.url("/feed")).poll().await;
    assert_eq!(collected.candidates.len(), links.len(), "the entries themselves are kept");
    assert!(collected.cursor.seen.iter().all(|seen| seen.page_tries == 1), "{:?}", collected.cursor.seen);
    let notes = &collected.poll.outcome.notes;
    assert!(notes.len() > 2 && notes.iter().all(|note| note.contains("which is not the public web")), "{notes:?}");
}

#[tokio::test]
async fn t22_a_document_without_end_gives_the_entries_before_the_cap() {
    let press = Server::start(|_| {
        let items: String =
            (1..=4_000).map(|n| entry(&n.to_string(), &prose(n, 6), &format!("https://x.test/{n}"), n)).collect();
        rss(&items)
    });
    let small = FetchConfig { max_body: rasid::units::ByteSize::mib(1), ..config() };
    let mut desk = Desk::at(&Client::new(&small).unwrap(), &press.url("/feed"));
    let collected = desk.poll().await;
    let outcome = &collected.poll.outcome;
    assert!(outcome.error.is_none() && (300..4_000).contains(&outcome.entries), "{outcome:?}");
    assert!(outcome.notes.iter().any(|note| note.contains("the document was cut")), "{:?}", outcome.notes);
}

#[tokio::test]
async fn t23_what_comes_in_place_of_a_feed_is_named_and_kept() {
    const PAGE: &str = "<!doctype html><html><head><title>";
    let press = Server::start(|asked| {
        let html = |rest: &str| Answer::ok("text/html; charset=utf-8", format!("{PAGE}{rest}"));
        match asked.path.as_str() {
            "/not-a-feed" => html("الصفحة الأولى</title></head><body>أهلا</body></html>"),
            "/login-page" => html("دخول</title></head><body><form><input type=password></form></body></html>"),
            "/bot-wall" => html("Just a moment...</title></head></html>"),
            "/bot-wall-said" => {
                Answer { status: 403, ..html("قف</title></head></html>") }.with("cf-mitigated", "challenge")
            }
            "/empty" => Answer::ok("text/xml", " \n"),
            "/forbidden" => Answer::status(403),
            "/unauthorized" => Answer::status(401),
            "/not-found" => Answer::status(404),
            "/gone" => Answer::status(410),
            "/throttled" => Answer::status(429),
            "/server-error" => Answer::status(502),
            "/redirect-loop" => Answer::status(302).with("Location", "/redirect-loop"),
            _ => Answer::status(302).with("Location", "http://127.0.0.9:1/"),
        }
    });
    for (path, status, kept) in [
        ("not-a-feed", Some(200), true),
        ("login-page", Some(200), true),
        ("bot-wall", Some(200), true),
        ("bot-wall-said", Some(403), false),
        ("empty", Some(200), true),
        ("forbidden", Some(403), false),
        ("unauthorized", Some(401), false),
        ("not-found", Some(404), false),
        ("gone", Some(410), false),
        ("throttled", Some(429), false),
        ("server-error", Some(502), false),
        ("redirect-loop", None, false),
        ("refused-address", None, false),
    ] {
        let collected = Desk::of(&press.url(&format!("/{path}"))).poll().await;
        let outcome = collected.poll.outcome;
        let error = outcome.error.unwrap();
        assert_eq!((error.kind.as_str(), outcome.status), (path.trim_end_matches("-said"), status), "{error:?}");
        assert!(!error.hint.is_empty() && error.message.starts_with("http"), "{error:?}");
        assert_eq!(collected.unread.is_some(), kept, "{path}");
        assert!(collected.unread.is_none_or(|unread| unread.error == Some(error)), "{path}");
    }
}
