//! Reclassifying step by step: what it changes, what it leaves alone, and when it begins again.

use std::sync::Arc;

use jiff::Timestamp;
use serde_spanned::Spanned;
use tokio::sync::{oneshot, watch};

use super::{Committer, Order};
use crate::dedup::{DedupConfig, Fingerprint, Original, Verdict, VerdictKind};
use crate::id::{EntryKey, ItemId, Seq};
use crate::item::{Candidate, Content, LogKind};
use crate::serve::Loaded;
use crate::store::{
    self, ConsumeError, Consumed, Consuming, Decided, Group, Reclassification, Start, Store, StoreConfig,
};
use crate::story::Sketch;
use crate::topic::config::{Label, Sets, TopicConfig, TopicsFile};
use crate::topic::{Decision, Topics};

const ITEMS: u64 = 150;

fn decided(n: u64, text: &str, verdict: Verdict) -> Decided {
    let at = Timestamp::from_second(1_780_000_000 + i64::try_from(n).unwrap()).unwrap();
    let content = Content::saying(&format!("خبر {n}"), text, at);
    let (feed, key) = ("a".parse().unwrap(), EntryKey::of("guid", &n.to_string()));
    let candidate = Candidate {
        feed,
        key,
        hash: n,
        fingerprint: Fingerprint::of("", text),
        content,
        topics: Vec::new(),
        sketch: Sketch::default(),
    };
    Decided { candidate, verdict }
}

fn topics(gates: &[(&str, &str)]) -> Arc<Topics> {
    let plain = |text: &str| Spanned::new(0..0, text.to_owned());
    let topic = |(id, gate): &(&str, &str)| TopicConfig {
        id: plain(id),
        label: Label::default(),
        description: None,
        sets: Sets::new(),
        gate: Some(plain(gate)),
        score: Vec::new(),
        exclude: Vec::new(),
        like: None,
        threshold: Some(Spanned::new(0..0, 0.5)),
        maybe: None,
        title_gate: true,
        test: Vec::new(),
    };
    Arc::new(
        Topics::compile(&TopicsFile { sets: Sets::new(), topic: gates.iter().map(topic).collect() }).expect("topics"),
    )
}

/// A committer over items of which every second one is about bread, the last being a copy of the one before it.
fn committer(dir: &std::path::Path) -> (Committer, Store, watch::Sender<Arc<Loaded>>) {
    let (store, mut writer) =
        store::open(&StoreConfig { path: dir.to_owned(), ..StoreConfig::default() }).expect("a store");
    let text =
        |n: u64| if n.is_multiple_of(2) { "سعر الخبز يرتفع" } else { "الطقس معتدل اليوم" };
    let mut items: Vec<Decided> = (0..ITEMS).map(|n| decided(n, &format!("{} {n}", text(n)), new())).collect();
    let original = ItemId::of(&"a".parse().unwrap(), EntryKey::of("guid", &(ITEMS - 2).to_string()));
    let verdict = Verdict { kind: VerdictKind::Exact, of: Some(Original::Item(original)), similarity: 1.0 };
    items.push(decided(ITEMS, &format!("{} {}", text(ITEMS - 2), ITEMS - 2), verdict));
    for part in items.chunks(100) {
        writer.commit(Group { items: part.to_vec(), ..Group::default() }).expect("a commit");
    }
    let (loaded, seen) =
        watch::channel(Arc::new(Loaded { topics: topics(&[("bread", "خبز")]), ..Loaded::default() }));
    (Committer::new(store.clone(), writer, seen, &DedupConfig::default()), store, loaded)
}

fn new() -> Verdict {
    Verdict::new_item()
}

fn begin(committer: &mut Committer, topic: Option<&str>) -> Reclassification {
    let (answer, mut told) = oneshot::channel();
    let topic = topic.map(|topic| topic.parse().unwrap());
    committer.obey(Order::Reclassify { topic, since: None, answer }).expect("an order");
    told.try_recv().expect("an answer").expect("begun")
}

fn finish(committer: &mut Committer, store: &Store) -> Reclassification {
    while committer.underway.is_some() {
        committer.step().expect("a step");
    }
    assert_eq!(store.verify().expect("a store"), Vec::<String>::new());
    store.reclassification().expect("a store").expect("progress")
}

#[test]
fn what_changed_is_logged_once_and_copies_too() {
    let dir = tempfile::tempdir().expect("a directory");
    let (mut committer, store, loaded) = committer(dir.path());
    begin(&mut committer, None);
    let done = finish(&mut committer, &store);
    assert_eq!((done.examined, done.changed, done.total), (ITEMS + 1, ITEMS / 2 + 1, ITEMS + 1));
    let copy = store.log(Seq(ITEMS), 1).expect("a log")[0].item.clone().expect("an item");
    assert_eq!((copy.topics.len(), copy.content.text.as_str()), (1, format!("سعر الخبز يرتفع {}", ITEMS - 2).as_str()));
    assert!(store.log(Seq(ITEMS + 1), 500).expect("a log").iter().all(|record| record.kind == LogKind::Reclassified));
    let last = *store.durable().borrow();
    begin(&mut committer, None);
    assert_eq!(finish(&mut committer, &store).changed, 0);
    assert_eq!(*store.durable().borrow(), last, "nothing changed, nothing is logged");
    assert_eq!(store.classified().expect("a store").expect("a version").stale, 0);

    // One topic by itself: the others stay as they are.
    let both = topics(&[("bread", "كلمةغائبة"), ("weather", "الطقس OR الخبز")]);
    loaded.send_replace(Arc::new(Loaded { topics: both, ..Loaded::default() }));
    begin(&mut committer, Some("weather"));
    assert_eq!(finish(&mut committer, &store).changed, ITEMS + 1);
    let first = store.log(Seq(0), 1).expect("a log")[0].item.clone().expect("an item");
    let ids = |item: &crate::item::Item| item.topics.iter().map(|topic| topic.id.to_string()).collect::<Vec<_>>();
    assert_eq!(ids(&first), ["bread", "weather"]);
    assert!(first.topics.iter().all(|topic| topic.decision == Decision::Match));
    begin(&mut committer, None);
    assert_eq!(finish(&mut committer, &store).changed, ITEMS / 2 + 1);
    let lost = store.log(Seq(store.durable().borrow().0 - 1), 1).expect("a log");
    assert_eq!(lost[0].lost, ["bread".parse().expect("an id")]);
}

#[test]
fn topics_that_change_in_the_middle_begin_it_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let (mut committer, store, loaded) = committer(dir.path());
    let begun = begin(&mut committer, None);
    committer.step().expect("a step");
    let middle = store.reclassification().expect("a store").expect("progress");
    assert!(middle.next > 1 && middle.ended.is_none() && middle.changed > 0, "{middle:?}");
    // Another process goes on where this one stopped …
    committer.underway = None;
    committer.resume().expect("progress");
    // … but not with other topics.
    let weather = topics(&[("weather", "الطقس")]);
    loaded.send_replace(Arc::new(Loaded { topics: Arc::clone(&weather), ..Loaded::default() }));
    committer.step().expect("a step");
    let again = store.reclassification().expect("a store").expect("progress");
    assert_eq!((again.version, again.next, again.changed), (weather.version(), 1, 0));
    assert_ne!(again.version, begun.version);
    finish(&mut committer, &store);
    let stats = store.stats().expect("counts");
    assert_eq!(stats.by_topic, [("weather".parse().expect("an id"), ITEMS / 2)], "none is about bread any more");
}

#[test]
fn consumers_that_wait_are_one_transaction_and_orders_keep_their_turn() {
    let dir = tempfile::tempdir().expect("a directory");
    let (mut committer, store, _loaded) = committer(dir.path());
    let (sender, mut orders) = tokio::sync::mpsc::channel(64);
    let mut told = Vec::new();
    let mut ask = |asked: Consuming| {
        let (answer, done) = oneshot::channel();
        sender.try_send(Order::Consume { asked, answer }).expect("room");
        told.push(done);
    };
    let name = |n: u64| format!("c{n}").parse().expect("a name");
    let put = |n| Consuming::Put { name: name(n), filter: None, from: Start::Beginning, kind: None };
    (0..10).for_each(|n| ask(put(n)));
    (0..10).for_each(|n| ask(Consuming::Ack { name: name(n), seq: Seq(n + 1) }));
    ask(Consuming::Ack { name: name(0), seq: Seq(ITEMS + 9) });
    let (answer, mut begun) = oneshot::channel();
    sender.try_send(Order::Reclassify { topic: None, since: None, answer }).expect("room");
    let (answer, mut last) = oneshot::channel();
    let asked = Consuming::Remove { name: name(3) };
    sender.try_send(Order::Consume { asked, answer }).expect("room");

    let before = committer.writer.transactions;
    let first = orders.try_recv().ok();
    committer.obey_waiting(first, &mut orders).expect("orders");
    assert_eq!(committer.writer.transactions, before + 2, "the consumers, and then the other order");
    let answers: Vec<_> = told.iter_mut().map(|done| done.try_recv().expect("an answer")).collect();
    assert!(answers.iter().take(20).all(Result::is_ok), "{answers:?}");
    assert!(matches!(answers[20], Err(ConsumeError::Ahead { .. })), "{:?}", answers[20]);
    begun.try_recv().expect("an answer").expect("begun");
    assert!(last.try_recv().is_err(), "it comes with the next turn");
    committer.obey_waiting(None, &mut orders).expect("orders");
    assert_eq!(last.try_recv().expect("an answer"), Ok(Consumed::Removed));
    let offsets: Vec<u64> = store.consumers().expect("a store").iter().map(|consumer| consumer.offset.0).collect();
    assert_eq!(offsets, [1, 2, 3, 5, 6, 7, 8, 9, 10]);
}
