//! Retention while the committer runs: by itself, on an order, beside the windows in memory, by policies that change.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, oneshot, watch};

use super::{Committer, Order};
use crate::dedup::{DedupConfig, Fingerprint, Verdict};
use crate::id::{EntryKey, FeedId, ItemId, Seq};
use crate::item::{Candidate, Content, LogKind};
use crate::pipeline::now;
use crate::queue;
use crate::serve::{Loaded, Pruned};
use crate::store::{self, Decided, Group, Policies, Retention, Store, StoreConfig, Writer};
use crate::story::Sketch;
use crate::units::{ByteSize, Span};

/// A test that waits for longer than this has failed.
const DEADLINE: Duration = Duration::from_secs(60);

fn days(n: u64) -> Retention {
    Retention::For(Span::secs(n * 86_400))
}

fn decided(feed: &str, n: usize, at: Timestamp) -> Decided {
    let text = format!("نص الخبر رقم {n} من {feed}");
    let content = Content::saying(&format!("خبر {n}"), &text, at);
    let (feed, key) = (feed.parse().unwrap(), EntryKey::of("guid", &n.to_string()));
    let fingerprint = Fingerprint::of("", &text);
    let sketch = Sketch::default();
    let candidate = Candidate { feed, key, hash: 1, fingerprint, content, topics: Vec::new(), sketch };
    Decided { candidate, verdict: Verdict::new_item() }
}

fn id(feed: &str, n: usize) -> ItemId {
    ItemId::of(&feed.parse().unwrap(), EntryKey::of("guid", &n.to_string()))
}

/// Stores items of a feed so many days ago.
fn put(writer: &mut Writer, feed: &str, numbers: std::ops::Range<usize>, days_ago: i64) {
    let at = now() - SignedDuration::from_hours(24 * days_ago);
    let items: Vec<Decided> = numbers.map(|n| decided(feed, n, at)).collect();
    for items in items.chunks(100) {
        writer.commit(Group { items: items.to_vec(), at: Some(at), ..Group::default() }).unwrap();
    }
}

struct Room {
    store: Store,
    loaded: watch::Sender<Arc<Loaded>>,
    committer: Committer,
}

fn policies(default: Retention, by_feed: &[(&str, Retention)]) -> Arc<Loaded> {
    let by_feed = by_feed.iter().map(|(feed, age)| (feed.parse::<FeedId>().unwrap(), *age)).collect();
    let retention = Arc::new(Policies { default, by_feed, by_topic: BTreeMap::new(), ..Policies::default() });
    Arc::new(Loaded { retention, ..Loaded::default() })
}

/// 600 items of 40 days ago and 20 of 5 days ago, of two feeds.
fn room(dir: &Path, loaded: Arc<Loaded>) -> Room {
    let config = StoreConfig { path: dir.to_owned(), cache: ByteSize::mib(8), ..StoreConfig::default() };
    let (store, mut writer) = store::open(&config).unwrap();
    put(&mut writer, "bbc", 0..300, 40);
    put(&mut writer, "rt", 0..300, 40);
    put(&mut writer, "bbc", 300..310, 5);
    put(&mut writer, "rt", 300..310, 5);
    let (loaded, seen) = watch::channel(loaded);
    let committer = Committer::new(store.clone(), writer, seen, &DedupConfig::default());
    Room { store, loaded, committer }
}

fn counts(store: &Store) -> Vec<(String, u64)> {
    store.stats().unwrap().by_feed.into_iter().map(|(feed, n)| (feed.to_string(), n)).collect()
}

fn expected(bbc: u64, rt: u64) -> Vec<(String, u64)> {
    [("bbc", bbc), ("rt", rt)].into_iter().filter(|(_, n)| *n > 0).map(|(feed, n)| (feed.to_owned(), n)).collect()
}

fn finish(committer: &mut Committer) -> usize {
    let mut steps = 0;
    while committer.retaining.is_some() {
        committer.retain().unwrap();
        steps += 1;
    }
    steps
}

#[test]
fn what_has_expired_goes_without_a_delivery_and_all_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let Room { store, mut committer, loaded } = room(dir.path(), policies(days(30), &[]));
    committer.maintain_every = Duration::from_millis(20);
    committer.maintain_at = tokio::time::Instant::now() + committer.maintain_every;
    let (queue, receiver) = queue::memory(1);
    let (orders, ordered) = mpsc::channel(1);
    let running = std::thread::spawn(move || committer.run(receiver, ordered));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let until = |left: Vec<(String, u64)>| {
        let mut durable = store.durable();
        let reached = durable.wait_for(|_| counts(&store) == left);
        runtime.block_on(async { tokio::time::timeout(DEADLINE, reached).await }).unwrap().unwrap();
    };
    // 600 items are three steps: the timer alone begins them, and they go on without it.
    until(expected(10, 10));
    // Another configuration holds without a restart.
    loaded.send_replace(policies(days(30), &[("bbc", days(1))]));
    until(expected(0, 10));
    drop((queue, orders));
    running.join().unwrap().unwrap();
    assert_eq!(store.verify().unwrap(), Vec::<String>::new());
}

#[test]
fn each_step_is_small_and_a_round_without_work_is_one() {
    let dir = tempfile::tempdir().unwrap();
    let Room { store, mut committer, loaded } = room(dir.path(), policies(days(30), &[]));
    committer.begin_retention();
    let mut last = store.durable().borrow().0;
    while committer.retaining.is_some() {
        committer.retain().unwrap();
        let durable = store.durable().borrow().0;
        assert!(durable - last <= 256, "{last} to {durable}");
        last = durable;
    }
    assert_eq!(counts(&store), expected(10, 10));
    let last = store.durable().borrow().0;
    for (default, by_feed) in [(days(30), vec![]), (days(3), vec![("rt", Retention::Forever), ("bbc", days(9))])] {
        loaded.send_replace(policies(default, &by_feed));
        committer.begin_retention();
        assert_eq!((finish(&mut committer), counts(&store)), (1, expected(10, 10)));
        assert_eq!(store.durable().borrow().0, last, "nothing was removed");
    }
    assert_eq!(store.verify().unwrap(), Vec::<String>::new());
}

fn order(committer: &mut Committer, before: Option<Timestamp>) -> oneshot::Receiver<Result<Pruned, String>> {
    let (answer, told) = oneshot::channel();
    committer.obey(Order::Prune { before, answer }).unwrap();
    told
}

#[test]
fn an_order_is_answered_when_all_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let Room { store, mut committer, loaded } = room(dir.path(), policies(days(30), &[("rt", Retention::Forever)]));
    let mut first = order(&mut committer, None);
    let mut second = order(&mut committer, None);
    assert!(second.try_recv().unwrap().unwrap_err().contains("under way"));
    assert!(first.try_recv().is_err(), "nothing was done yet");
    finish(&mut committer);
    let Pruned { removed, log_records, dry_run, .. } = first.try_recv().unwrap().unwrap();
    assert_eq!((removed.items, removed.by_feed.len(), dry_run), (300, 1, false));
    // The 600 records of the items are older than anything may get that is not kept for ever.
    assert_eq!((log_records, store.log_begins().unwrap()), (600, Seq(601)));

    // Before a time: what is said of a feed holds all the same.
    for (before, left) in [(4, expected(0, 310)), (50, expected(0, 310))] {
        let mut told = order(&mut committer, Some(now() - SignedDuration::from_hours(24 * before)));
        finish(&mut committer);
        told.try_recv().unwrap().unwrap();
        assert_eq!(counts(&store), left, "{before}");
    }
    loaded.send_replace(policies(Retention::Forever, &[]));
    let mut told = order(&mut committer, Some(now() - SignedDuration::from_hours(24)));
    finish(&mut committer);
    assert_eq!(told.try_recv().unwrap().unwrap().removed.items, 310);
    assert_eq!(store.verify().unwrap(), Vec::<String>::new());
}

#[test]
fn what_is_removed_is_compared_with_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let Room { store, mut committer, loaded: _loaded } = room(dir.path(), policies(Retention::Forever, &[]));
    committer.load().unwrap();
    let before = committer.index.as_ref().unwrap().len();
    let mut told = order(&mut committer, Some(now() - SignedDuration::from_hours(48)));
    finish(&mut committer);
    assert_eq!(told.try_recv().unwrap().unwrap().removed.items, 620);
    assert!(before > 0 && committer.index.as_ref().unwrap().is_empty(), "{before}");
    assert!(store.items(&store::ItemQuery::default()).unwrap().items.is_empty());
}

#[test]
fn pins_are_kept_by_order_and_let_go_by_order() {
    let dir = tempfile::tempdir().unwrap();
    let Room { store, mut committer, loaded: _loaded } = room(dir.path(), policies(days(30), &[]));
    let pin = |committer: &mut Committer, item, pinned| {
        let (answer, mut told) = oneshot::channel();
        committer.obey(Order::Pin { item, pinned, why: Some("للأرشيف".to_owned()), answer }).unwrap();
        told.try_recv().unwrap()
    };
    assert!(pin(&mut committer, ItemId([7; 16]), true).unwrap_err().contains("there is no item"));
    pin(&mut committer, id("rt", 7), true).unwrap();
    committer.begin_retention();
    finish(&mut committer);
    assert_eq!(counts(&store), expected(10, 11));
    assert!(store.item(id("rt", 7)).unwrap().unwrap().pinned);
    assert_eq!(store.pin(id("rt", 7)).unwrap().unwrap().why.as_deref(), Some("للأرشيف"));
    // Let go, it is found again although all that is as old was passed by.
    pin(&mut committer, id("rt", 7), false).unwrap();
    committer.begin_retention();
    finish(&mut committer);
    assert_eq!(counts(&store), expected(10, 10));
    let last = store.log(Seq(store.durable().borrow().0 - 1), 1).unwrap();
    assert_eq!((last[0].kind, last[0].id), (LogKind::Removed, id("rt", 7)));
    assert_eq!(store.verify().unwrap(), Vec::<String>::new());
}
