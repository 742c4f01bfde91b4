//! When a feed is polled next, what it is asked with, and what it knows of its entries.

use super::*;

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
