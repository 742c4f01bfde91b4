//! When a feed is polled next, what it is asked with, and what it knows of its entries.

use jiff::Timestamp;
use url::Url;

use super::cursor::{AUDIT_EVERY, LASTING, MAX_RETRY_AFTER};
use super::*;
use crate::id::EntryKey;

fn feed() -> FeedConfig {
    FeedConfig::new("a".parse().unwrap(), "https://example.org/rss".parse().unwrap())
}

fn now() -> Timestamp {
    "2022-01-13T10:00:00Z".parse().unwrap()
}

fn every(minutes: i64, count: i64) -> Vec<Timestamp> {
    (0..count).map(|n| now() - jiff::SignedDuration::from_mins(minutes * n)).collect()
}

fn error(severity: Severity, retry_after: Option<Span>) -> PollOutcome {
    let error = PollError { kind: "x".into(), message: "x".into(), hint: "x".into(), severity, retry_after };
    PollOutcome { error: Some(error), ..PollOutcome::default() }
}

#[test]
fn a_busy_feed_is_polled_sooner_and_a_quiet_one_later() {
    let cursor = FeedCursor::start(&feed(), now());
    let wait = |published: Vec<Timestamp>| {
        let outcome = PollOutcome { published, ..PollOutcome::default() };
        cursor.next_poll(&outcome, &feed(), now(), 0.5).wait
    };
    assert_eq!(wait(every(5, 20)), Span::secs(10 * 60), "half way from 15 to 5 minutes");
    assert!(wait(every(600, 20)) > Span::secs(2 * 3_600));
    assert_eq!(wait(vec![]), Span::secs(15 * 60 * 5 / 4), "no dates, nothing new");
}

#[test]
fn the_wait_stays_within_the_limits_whatever_the_history() {
    let feed = feed();
    let mut cursor = FeedCursor::start(&feed, now());
    for round in 0..40 {
        let published = if round % 2 == 0 { every(0, 20) } else { every(100_000, 20) };
        let outcome = PollOutcome { published, ..PollOutcome::default() };
        let next = cursor.next_poll(&outcome, &feed, now(), 0.5);
        assert!(next.interval >= feed.min_interval && next.interval <= feed.max_interval, "{next:?}");
        cursor.advance(&outcome, &next, now());
    }
}

#[test]
fn t6_failures_slow_a_feed_down_but_never_end_it() {
    let feed = feed();
    let mut cursor = FeedCursor::start(&feed, now());
    for _ in 0..100 {
        let outcome = error(Severity::Hard, None);
        let next = cursor.next_poll(&outcome, &feed, now(), 0.5);
        assert!(next.wait <= feed.max_interval, "{next:?}");
        cursor.advance(&outcome, &next, now());
    }
    let outcome = PollOutcome { new: 1, ..PollOutcome::default() };
    let next = cursor.next_poll(&outcome, &feed, now(), 0.5);
    assert!(next.wait <= feed.interval, "one answer and it is back to speed: {next:?}");
}

#[test]
fn retry_after_is_honoured_up_to_a_day() {
    let cursor = FeedCursor::start(&feed(), now());
    let wait = |secs| {
        let outcome = error(Severity::Temporary, Some(Span::secs(secs)));
        cursor.next_poll(&outcome, &feed(), now(), 0.5).wait
    };
    assert_eq!(wait(7_200), Span::secs(7_200));
    assert_eq!(wait(10_000_000), MAX_RETRY_AFTER);
    assert_eq!(wait(1), Span::secs(15 * 60));
}

#[test]
fn t17_a_feed_that_was_not_asked_has_not_failed() {
    let mut cursor = FeedCursor::start(&feed(), now());
    let mut outcome = error(Severity::Temporary, Some(Span::secs(300)));
    for (status, failures, wait) in [(None, 0, 300), (Some(429), 1, 15 * 60)] {
        outcome.status = status;
        outcome.error.as_mut().unwrap().kind = "throttled".into();
        let next = cursor.next_poll(&outcome, &feed(), now(), 0.5);
        cursor.advance(&outcome, &next, now());
        assert_eq!((cursor.failures, next.wait), (failures, Span::secs(wait)), "{next:?}");
    }
}

#[test]
fn t12_validators_are_left_out_now_and_then_and_for_another_address() {
    let feed = feed();
    let mut cursor = FeedCursor::start(&feed, now());
    cursor.validators.etag = Some("\"1\"".into());
    cursor.validators_url = Some(feed.url.clone());
    assert!(!cursor.validators_for(&feed.url).is_empty());
    assert!(cursor.validators_for(&"https://example.org/other".parse().unwrap()).is_empty());
    cursor.not_modified = AUDIT_EVERY;
    assert!(cursor.validators_for(&feed.url).is_empty());
}

#[test]
fn t9_an_entry_is_known_by_its_address_when_its_guid_changed() {
    let mut cursor = FeedCursor::start(&feed(), now());
    let (old, new, url) = (EntryKey::of("guid", "1"), EntryKey::of("guid", "2"), EntryKey::of("url", "u"));
    cursor.remember(vec![Seen { key: old, url: Some(url), hash: 1, page_tries: 0 }]);
    assert!(cursor.seen(new, Some(url)).is_some());
    assert!(cursor.seen(new, None).is_none());
    cursor.remember(vec![Seen { key: new, url: Some(url), hash: 1, page_tries: 0 }]);
    assert_eq!(cursor.seen.len(), 1);
}

#[test]
fn validators_belong_to_an_address_whoever_asks() {
    let feed = FeedConfig::new("a".parse().unwrap(), "https://layla:qasr@example.org/rss".parse().unwrap());
    let mut cursor = FeedCursor::start(&feed, now());
    cursor.validators.etag = Some("\"1\"".into());
    // Documents never say with which user name and password they were fetched.
    cursor.validators_url = Some("https://example.org/rss".parse().unwrap());
    assert!(!cursor.validators_for(&feed.url).is_empty());
    assert!(cursor.validators_for(&"https://example.org/rss?x".parse().unwrap()).is_empty());
}

#[test]
fn secrets_of_a_feed_are_not_shown() {
    let mut feed = FeedConfig::new("a".parse().unwrap(), "https://layla:qasr1@example.org/rss".parse().unwrap());
    feed.headers.insert("X-Api-Key".into(), "qasr2".into());
    feed.username = Some("layla".into());
    feed.password = Some("qasr3".into());
    for proxy in ["http://layla:qasr4@proxy.example:3128", "qasr5 is no address"] {
        feed.proxy = Some(proxy.into());
        let shown = format!("{feed:?}");
        assert!(!shown.contains("qasr"), "{shown}");
        for part in ["example.org/rss", "X-Api-Key", "max_entries"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }
}

#[test]
fn t20_a_page_that_fails_is_tried_again_at_growing_distances() {
    let (mut tries, mut tried_at) = (1, Vec::new());
    for polls in 1..200 {
        let seen = Seen { key: EntryKey::of("guid", "1"), url: None, hash: 1, page_tries: tries };
        if seen.page_is_due(polls) {
            tried_at.push(polls);
            tries += 1;
        }
    }
    assert_eq!(tried_at, [1, 2, 4, 8, 16, 32]);
}

fn url(text: &str) -> Url {
    text.parse().unwrap()
}

fn hops(statuses: &[u16], to: &str) -> Vec<Redirect> {
    statuses.iter().map(|status| Redirect { status: *status, to: url(to) }).collect()
}

#[test]
fn a_permanent_move_holds_for_the_address_it_was_found_at() {
    let old = FeedConfig::new("a".parse().unwrap(), url("https://layla:qasr@a.example/old"));
    let changed = FeedConfig { url: url("https://a.example/changed"), ..old.clone() };
    let mut cursor = FeedCursor::start(&old, now());
    cursor.follow(&old, &hops(&[301, 308], "https://a.example/new"), &url("https://a.example/new"), false);
    assert_eq!(cursor.address(&old).as_str(), "https://a.example/new");
    assert_eq!(cursor.address(&changed), &changed.url);
    assert_eq!(cursor.whereabouts(&old), None, "within its site that is nothing to warn of");
    // It answers there by itself, and stays; then it leads back.
    cursor.follow(&old, &[], &url("https://a.example/new"), true);
    assert!(cursor.moved(&old).is_some());
    cursor.follow(&old, &hops(&[301], "https://a.example/old"), &url("https://a.example/old"), true);
    assert_eq!((cursor.address(&old), &cursor.moved_to), (&old.url, &None));
}

#[test]
fn a_move_of_which_the_origin_is_not_known_holds_where_the_configured_address_fails() {
    let feed = feed();
    let mut cursor = FeedCursor::start(&feed, now());
    cursor.moved_to = Some(url("https://example.org/new"));
    assert_eq!(cursor.address(&feed), &feed.url, "it may have been changed while nothing ran");
    cursor.failures = 1;
    assert_eq!(cursor.address(&feed).as_str(), "https://example.org/new");
    cursor.follow(&feed, &[], &url("https://example.org/new"), true);
    cursor.failures = 0;
    assert_eq!(cursor.address(&feed).as_str(), "https://example.org/new", "it has answered: now it is known");
    cursor.moved_from = None;
    cursor.follow(&feed, &[], &feed.url, true);
    assert_eq!(cursor.moved_to, None, "the configured address answers by itself");
}

#[test]
fn redirects_are_told_as_what_they_are() {
    let feed = feed();
    let (here, away) = ("https://www.example.org/new", "https://parked.example/");
    // The hops, where they end, whether entries were found, for how many polls; what is remembered, what is said.
    for (statuses, to, entries, polls, moved, said) in [
        (&[301][..], here, true, 1, true, None),
        (&[301], away, true, 1, true, Some("moved to another site: example.org")),
        (&[301], away, false, 1, false, Some("another site answers: example.org")),
        (&[302], away, true, 3, false, Some("in poll 3 in a row")),
        (&[301, 302], here, true, 1, false, None),
        (&[307], here, true, LASTING, false, Some("a temporary redirect")),
    ] {
        let mut cursor = FeedCursor::start(&feed, now());
        for _ in 0..polls {
            cursor.follow(&feed, &hops(statuses, to), &url(to), entries);
        }
        let told = cursor.whereabouts(&feed);
        assert_eq!(cursor.moved(&feed).is_some(), moved, "{statuses:?} {to} {entries}");
        match said {
            None => assert_eq!(told, None, "{statuses:?} {to}"),
            Some(words) => {
                let told = told.unwrap_or_default();
                assert!(told.contains(words) && told.contains(to), "{told}");
            }
        }
        cursor.follow(&feed, &[], &cursor.address(&feed).clone(), true);
        assert_eq!(cursor.led_away, None);
    }
}

#[test]
fn sites_are_told_apart_by_their_hosts() {
    for (one, other, same) in [
        ("https://a.example/", "http://www.a.example:81/x", true),
        ("https://rss.a.example/", "https://a.example/", true),
        ("https://rss.a.example/", "https://news.a.example/", true),
        ("https://a.com.eg/", "https://www.a.com.eg/", true),
        ("https://a.com.eg/", "https://b.com.eg/", false),
        ("https://a.example/", "https://ba.example/", false),
        ("https://a.example/", "https://a.example.net/", false),
        ("http://127.0.0.1/", "http://127.0.0.1:81/", true),
        ("http://127.0.0.1/", "http://27.0.0.1/", false),
    ] {
        assert_eq!(same_site(&url(one), &url(other)), same, "{one} {other}");
    }
}

#[test]
fn what_is_kept_of_an_unread_document_is_bounded() {
    let document = Document {
        bytes: vec![b'x'; MAX_UNREAD + 7],
        url: url("https://example.org/rss"),
        status: 200,
        content_type: Some("text/html".into()),
        charset: None,
        validators: Validators::default(),
        cut: None,
        redirects: Vec::new(),
        fresh_for: None,
    };
    let unread = Unread::of(&document, None, now());
    assert_eq!((unread.bytes.len(), unread.length), (MAX_UNREAD, document.bytes.len() as u64));
    assert!(unread.document().cut.unwrap().contains("are kept"));
    let refused = Refused::new("parse", &"خبر ".repeat(500), "");
    assert!(refused.entry.chars().count() < 400 && refused.entry.ends_with('…'));
}
