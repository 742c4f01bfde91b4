//! Consumers and filters from inside: the rules of offsets, a log that retention has shortened, records as first written.

use super::consumers::{self, MAX_CONSUMERS};
use super::tests::{change, decided, opened};
use super::*;
use crate::id::ConsumerName;
use crate::item::{LogKind, LogRecord};
use crate::topic::{Decision, TopicMatch};

fn name(name: &str) -> ConsumerName {
    name.parse().unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_780_001_000 + second).unwrap()
}

fn put(of: &str, from: Start) -> Consuming {
    Consuming::Put { name: name(of), filter: None, from, kind: None }
}

fn ack(of: &str, seq: u64) -> Consuming {
    Consuming::Ack { name: name(of), seq: Seq(seq) }
}

fn reset(of: &str, from: Start) -> Consuming {
    Consuming::Reset { name: name(of), from }
}

/// What each came to, in short.
fn short(done: &Result<Consumed, ConsumeError>) -> String {
    match done {
        Ok(Consumed::Created(consumer)) => format!("created at {}", consumer.offset),
        Ok(Consumed::Stands(consumer)) => format!("at {}", consumer.offset),
        Ok(Consumed::Removed) => "removed".to_owned(),
        Err(ConsumeError::Unknown { .. }) => "unknown".to_owned(),
        Err(ConsumeError::Ahead { last, .. }) => format!("the log ends at {last}"),
        Err(ConsumeError::Behind { offset, .. }) => format!("it is at {offset} already"),
        Err(other) => other.to_string(),
    }
}

/// A store with five items.
fn five(path: &Path) -> (Store, Writer) {
    let (store, mut writer) = opened(path).unwrap();
    let items = ["1", "2", "3", "4", "5"].map(decided).to_vec();
    writer.commit(Group { items, at: Some(at(0)), ..Group::default() }).unwrap();
    (store, writer)
}

/// Takes the first records from the log, as retention does.
fn trim(store: &Store, begins: u64) {
    let engine = &store.inner.engine;
    for seq in 1..begins {
        change(engine, Table::Log, &keys::number(seq), None);
    }
    change(engine, Table::Meta, writer::LOG_BEGINS, Some(&begins.to_be_bytes()));
}

#[test]
fn offsets_move_as_they_are_told_and_never_beyond_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = five(dir.path());
    let remove = || Consuming::Remove { name: name("a") };
    for (step, (asked, expected)) in [
        (ack("a", 1), "unknown"),
        (reset("a", Start::End), "unknown"),
        (remove(), "unknown"),
        (put("a", Start::After(Seq(6))), "the log ends at 5"),
        (put("a", Start::Beginning), "created at 0"),
        (ack("a", 6), "the log ends at 5"),
        (ack("a", 3), "at 3"),
        (ack("a", 3), "at 3"),
        (ack("a", 2), "it is at 3 already"),
        (put("a", Start::End), "at 3"),
        (ack("a", 5), "at 5"),
        (reset("a", Start::After(Seq(6))), "the log ends at 5"),
        (reset("a", Start::After(Seq(2))), "at 2"),
        (ack("a", 4), "at 4"),
        (reset("a", Start::Beginning), "at 0"),
        (reset("a", Start::End), "at 5"),
        (put("b", Start::End), "created at 5"),
        (put("c", Start::After(Seq(4))), "created at 4"),
        (remove(), "removed"),
        (remove(), "unknown"),
    ]
    .into_iter()
    .enumerate()
    {
        let done = writer.consume(at(1), &[asked]).unwrap();
        assert_eq!(short(&done[0]), expected, "step {step}");
        assert_eq!(store.verify().unwrap(), Vec::<String>::new());
    }
    drop((store, writer));
    let (store, _writer) = opened(dir.path()).unwrap();
    let offsets: Vec<_> = store.consumers().unwrap().iter().map(|one| (one.name.to_string(), one.offset.0)).collect();
    assert_eq!(offsets, [("b".to_owned(), 5), ("c".to_owned(), 4)]);
}

#[test]
fn many_requests_are_one_transaction_and_a_refused_one_leaves_the_others_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = five(dir.path());
    let before = writer.transactions;
    let asked =
        [put("a", Start::Beginning), put("b", Start::Beginning), ack("a", 2), ack("b", 9), ack("x", 1), ack("a", 4)];
    let done: Vec<_> = writer.consume(at(1), &asked).unwrap().iter().map(short).collect();
    assert_eq!(done, ["created at 0", "created at 0", "at 2", "the log ends at 5", "unknown", "at 4"]);
    assert_eq!(writer.transactions, before + 1);
    writer.consume(at(2), &[ack("a", 4), ack("b", 0)]).unwrap();
    assert_eq!(writer.transactions, before + 1, "what says nothing new writes nothing");
    let a = store.consumer(&name("a")).unwrap().unwrap();
    assert_eq!((a.offset, a.acked, a.acked_at, a.created_at), (Seq(4), 4, Some(at(1)), at(1)));
    assert_eq!(store.consumer(&name("b")).unwrap().unwrap().acked_at, None);
}

#[test]
fn a_damaged_consumer_concerns_nobody_else_and_can_be_removed() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = five(dir.path());
    writer.consume(at(1), &[put("a", Start::Beginning)]).unwrap();
    change(&store.inner.engine, Table::Consumers, b"bad\0", Some(b"\0\0\x01"));
    let done = writer.consume(at(2), &[ack("bad", 1), put("bad", Start::End), ack("a", 1)]).unwrap();
    assert!(matches!(&done[0], Err(ConsumeError::Failed(why)) if why.contains("`bad`")), "{:?}", done[0]);
    assert!(matches!(&done[1], Err(ConsumeError::Failed(_))));
    assert_eq!(short(&done[2]), "at 1");
    let done = writer.consume(at(3), &[Consuming::Remove { name: name("bad") }]).unwrap();
    assert_eq!(done, [Ok(Consumed::Removed)]);
    assert_eq!(store.verify().unwrap(), Vec::<String>::new());
}

#[test]
fn there_is_an_end_to_consumers_and_filters() {
    let dir = tempfile::tempdir().unwrap();
    let (_store, mut writer) = five(dir.path());
    let many: Vec<_> = (0..MAX_CONSUMERS).map(|n| put(&format!("c{n}"), Start::End)).collect();
    assert!(writer.consume(at(1), &many).unwrap().iter().all(Result::is_ok));
    let long = LogFilter { kinds: vec![LogKind::New; consumers::MAX_FILTER + 1], ..LogFilter::default() };
    let long = Consuming::Put { name: name("c0"), filter: Some(long), from: Start::End, kind: None };
    let done = writer.consume(at(2), &[put("one-more", Start::End), put("c7", Start::End), long]).unwrap();
    assert_eq!(done[0], Err(ConsumeError::TooMany));
    assert_eq!(short(&done[1]), "at 5", "one that is there is no more of them");
    assert_eq!(done[2], Err(ConsumeError::TooLong));
}

#[test]
fn what_retention_took_is_told_and_what_else_is_missing_is_damage() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = five(dir.path());
    let everything = LogFilter::default();
    writer.consume(at(1), &[put("a", Start::Beginning), ack("a", 1), put("b", Start::After(Seq(4)))]).unwrap();
    trim(&store, 4);
    let seqs = |stretch: &Stretch| stretch.records.iter().map(|record| record.seq.0).collect::<Vec<_>>();
    for (after, expected, missed) in [
        (0, vec![4, 5], Some((1, 3))),
        (1, vec![4, 5], Some((2, 3))),
        (2, vec![4, 5], Some((3, 3))),
        (3, vec![4, 5], None),
        (4, vec![5], None),
        (5, vec![], None),
    ] {
        let stretch = store.read_log(Seq(after), 10, &everything).unwrap();
        let told = stretch.missed.map(|missed| (missed.from.0, missed.to.0));
        assert_eq!((seqs(&stretch), told, stretch.last, stretch.at_end), (expected, missed, Seq(5), true), "{after}");
    }
    assert_eq!(store.read_log(Seq(u64::MAX), 10, &everything).unwrap().records, []);
    let missed = store.read_log(Seq(1), 10, &everything).unwrap().missed.unwrap();
    assert_eq!(missed.records(), 2);
    assert_eq!(
        missed.to_string(),
        "2 records (2 to 3) were removed by retention before they were read here; the log begins at 4"
    );
    assert_eq!(store.log(Seq(0), 1).unwrap()[0].seq, Seq(4), "a log that is shorter is read all the same");

    let lag = |of: &str| store.lag(&store.consumer(&name(of)).unwrap().unwrap()).unwrap();
    let missed = |from, to| Some(Missed { from: Seq(from), to: Seq(to) });
    assert_eq!(lag("a"), Lag { records: 2, oldest: Some(at(0)), missed: missed(2, 3) });
    assert_eq!(lag("b"), Lag { records: 1, oldest: Some(at(0)), missed: None });
    let done =
        writer.consume(at(2), &[ack("a", 2), put("c", Start::Beginning), reset("b", Start::Beginning), ack("a", 5)]);
    assert_eq!(done.unwrap().iter().map(short).collect::<Vec<_>>(), ["at 2", "created at 3", "at 3", "at 5"]);
    assert_eq!(lag("a"), Lag::default());

    // All of it, up to the last record.
    trim(&store, 6);
    let stretch = store.read_log(Seq(3), 10, &everything).unwrap();
    assert_eq!((seqs(&stretch), stretch.missed, stretch.last, stretch.at_end), (vec![], missed(4, 5), Seq(5), true));
    // Nobody said that this record was to go.
    writer.commit(Group { items: ["6", "7", "8"].map(decided).to_vec(), ..Group::default() }).unwrap();
    for lost in [8, 7] {
        change(&store.inner.engine, Table::Log, &keys::number(lost), None);
        let error = store.read_log(Seq(5), 10, &everything).unwrap_err().to_string();
        assert!(error.contains(&format!("log record {lost}: it is missing")), "{error}");
    }
}

/// An item of a feed, about topics, in a language.
fn of(key: &str, feed: &str, topics: &[&str], language: Option<&str>) -> Decided {
    let mut decided = decided(key);
    let topic =
        |id: &&str| TopicMatch { id: id.parse().unwrap(), decision: Decision::Maybe, score: 1.0, evidence: Vec::new() };
    decided.candidate.feed = feed.parse().unwrap();
    decided.candidate.topics = topics.iter().map(topic).collect();
    decided.candidate.content.language = language.map(str::to_owned);
    decided.candidate.content.canonical_url = None;
    decided
}

fn filter(topics: &[&str], feeds: &[&str], kinds: &[LogKind], languages: &[&str]) -> LogFilter {
    LogFilter {
        topics: topics.iter().map(|topic| topic.parse().unwrap()).collect(),
        feeds: feeds.iter().map(|feed| feed.parse().unwrap()).collect(),
        kinds: kinds.to_vec(),
        languages: languages.iter().map(|language| (*language).to_owned()).collect(),
    }
}

#[test]
fn a_filter_keeps_what_it_says_and_what_is_gone_reaches_everybody() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(dir.path()).unwrap();
    writer
        .commit(Group { items: vec![of("1", "old", &["gas"], Some("fr"))], at: Some(at(0)), ..Group::default() })
        .unwrap();
    let later = vec![
        of("2", "rt", &["gas"], Some("ar")),
        of("3", "bbc", &[], Some("ar-EG")),
        of("4", "rt", &["gas", "oil"], Some("en")),
        of("5", "wafa", &["oil"], None),
    ];
    writer.commit(Group { items: later, at: Some(at(10)), ..Group::default() }).unwrap();
    // 6: the fourth is about gas no more. 7: the first is gone, and nothing is known of it.
    let mut revised = of("4", "rt", &["oil"], Some("en"));
    "نص آخر".clone_into(&mut revised.candidate.content.text);
    revised.candidate.hash = 2;
    revised.verdict = Verdict { kind: crate::dedup::VerdictKind::Revision, of: None, similarity: 1.0 };
    writer.commit(Group { items: vec![revised], at: Some(at(20)), ..Group::default() }).unwrap();
    assert_eq!(writer.prune(at(5), 10).unwrap(), 1);

    use LogKind::{New, Removed, Revised};
    for (filter, expected) in [
        (filter(&[], &[], &[], &[]), vec![1, 2, 3, 4, 5, 6, 7]),
        (filter(&["gas"], &[], &[], &[]), vec![1, 2, 6, 7]),
        (filter(&["gas", "oil"], &[], &[], &[]), vec![1, 2, 4, 5, 6, 7]),
        (filter(&["other"], &[], &[], &[]), vec![1, 7]),
        (filter(&[], &["rt"], &[], &[]), vec![1, 2, 4, 6, 7]),
        (filter(&[], &["rt", "bbc"], &[], &[]), vec![1, 2, 3, 4, 6, 7]),
        (filter(&[], &[], &[], &["ar"]), vec![1, 2, 3, 7]),
        (filter(&[], &[], &[], &["ar-EG", "en"]), vec![1, 3, 4, 6, 7]),
        (filter(&[], &[], &[New], &[]), vec![1, 2, 3, 4, 5]),
        (filter(&[], &[], &[Revised, Removed], &[]), vec![6, 7]),
        (filter(&["gas"], &["rt"], &[], &["ar"]), vec![1, 2, 7]),
        (filter(&["gas"], &["rt"], &[New], &["ar"]), vec![1, 2]),
    ] {
        let stretch = store.read_log(Seq(0), 100, &filter).unwrap();
        let seqs: Vec<u64> = stretch.records.iter().map(|record| record.seq.0).collect();
        assert_eq!(seqs, expected, "{filter:?}");
        assert_eq!((stretch.last, stretch.at_end), (Seq(7), true));
        // Reading with the filter is reading all and asking the filter.
        let all = store.log(Seq(0), 100).unwrap();
        let passing: Vec<LogRecord> = all.into_iter().filter(|record| filter.passes(record)).collect();
        assert_eq!(stretch.records, passing);
        for limit in 1..4 {
            let mut parts = Vec::new();
            let mut after = Seq(0);
            loop {
                let part = store.read_log(after, limit, &filter).unwrap();
                assert!(part.records.len() <= limit);
                parts.extend(part.records.iter().map(|record| record.seq.0));
                after = part.last;
                if part.at_end {
                    break;
                }
            }
            assert_eq!(parts, expected, "{filter:?} by {limit}");
        }
    }
}

#[test]
fn a_consumer_is_read_as_it_was_first_written() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = five(dir.path());
    let wanted = filter(&["gas"], &["rt"], &[LogKind::New, LogKind::Removed], &["ar"]);
    let asked = Consuming::Put {
        name: name("desk"),
        filter: Some(wanted.clone()),
        from: Start::After(Seq(1)),
        kind: Some("api".to_owned()),
    };
    writer.consume(at(1), &[asked, ack("desk", 3)]).unwrap();
    let engine = &store.inner.engine;
    let stored = engine.get(Table::Consumers, b"desk\0").unwrap().unwrap();
    let hex: String = stored.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, DESK);
    let read = store.consumer(&name("desk")).unwrap().unwrap();
    let expected = Consumer {
        name: name("desk"),
        offset: Seq(3),
        filter: wanted,
        created_at: at(1),
        acked_at: Some(at(1)),
        acked: 2,
        kind: Some("api".to_owned()),
    };
    assert_eq!(read, expected);
    // What is not asked for stays.
    let done = writer.consume(at(2), &[put("desk", Start::End)]).unwrap();
    assert_eq!(done, [Ok(Consumed::Stands(expected))]);
}

/// The consumer `desk`, as the program wrote it first.
const DESK: &str = "000001030103676173010272740200040102617280e88ec7d8deeab3310180e88ec7d8deeab331020103617069";
