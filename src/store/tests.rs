//! What can only be shown from inside: that checking finds what is wrong, and that foreign records are refused.

use std::path::Path;

use super::engine::{Engine, Read as _, Table, Writes};
use super::schema::Stored;
use super::*;
use crate::dedup::{Fingerprint, Original, VerdictKind};
use crate::id::EntryKey;
use crate::item::{Content, PublishedFrom, TextFrom};
use crate::story::Sketch;

pub(super) fn opened(path: &Path) -> Result<(Store, Writer), StoreError> {
    open(&StoreConfig { path: path.to_owned(), cache: ByteSize::mib(8), ..StoreConfig::default() })
}

pub(super) fn decided(key: &str) -> Decided {
    let at = Timestamp::from_second(1_780_000_000).unwrap();
    let content = Content {
        url: None,
        canonical_url: Some("https://rt.example/1".parse().unwrap()),
        guid: None,
        title: "عنوان".to_owned(),
        summary: String::new(),
        text: "نص الخبر".to_owned(),
        text_from: TextFrom::Feed,
        authors: vec![],
        language: None,
        tags: vec![],
        image: None,
        published_at: at,
        published_from: PublishedFrom::Fetch,
        fetched_at: at,
    };
    let fingerprint = Fingerprint { words: 2, ..Fingerprint::default() };
    let feed = "rt".parse().unwrap();
    Decided {
        candidate: Candidate {
            feed,
            key: EntryKey::of("guid", key),
            hash: 1,
            content,
            topics: vec![],
            fingerprint,
            sketch: Sketch::default(),
        },
        verdict: Verdict { kind: VerdictKind::New, of: None, similarity: 0.0 },
    }
}

fn filled(path: &Path) -> Store {
    let (store, mut writer) = opened(path).unwrap();
    writer.commit(Group { items: vec![decided("1"), decided("2")], ..Group::default() }).unwrap();
    store
}

/// The same, with the second joined to the first.
fn joined(path: &Path) -> Store {
    let (store, mut writer) = opened(path).unwrap();
    writer.commit(Group { items: vec![decided("1"), decided("2")], ..Group::default() }).unwrap();
    let of = Original::Item(decided_id("1"));
    let said = Correcting::Join { item: decided_id("2"), of, alike: None, why: Some("نسخة".to_owned()) };
    writer.correct(Timestamp::from_second(1_780_000_100).unwrap(), said).unwrap();
    store
}

fn decided_id(key: &str) -> ItemId {
    ItemId::of(&"rt".parse().unwrap(), EntryKey::of("guid", key))
}

pub(super) fn change(engine: &Engine, table: Table, key: &[u8], value: Option<&[u8]>) {
    engine.apply(Writes::from([((table, key.to_vec()), value.map(<[u8]>::to_vec))])).unwrap();
}

#[test]
fn verify_finds_what_is_wrong() {
    let one = keys::number(1);
    let place = |no| keys::published(keys::millis(Timestamp::from_second(1_780_000_000).unwrap()), no);
    type Case<'a> = (Table, Vec<u8>, Option<&'a [u8]>, &'a str);
    let cases: Vec<Case<'_>> = vec![
        (Table::Items, one.clone(), None, "its item 1 is missing"),
        (Table::Items, one.clone(), Some(b"\0\0\x01damaged"), "item 1"),
        (
            Table::Items,
            one.clone(),
            Some(b"\0\0\x09"),
            "item 1: its record has the version 9, and this program reads up to 2",
        ),
        (Table::ByTime, place(1), None, "item 1: it has no entry in by_time"),
        (Table::ByTime, place(1), Some(&[1]), "item 1: its entry in by_time says something else"),
        (Table::ByTime, place(9), Some(&[0]), "by_time: the entry"),
        (Table::Ids, vec![7; 16], Some(&[0; 17]), "ids: the entry"),
        (Table::Copies, [vec![7; 17], place(1)].concat(), Some(b""), "copies: the entry"),
        (Table::Fingerprints, one.clone(), None, "item 1: it has no fingerprint"),
        (Table::Log, one.clone(), None, "log: 1 is followed by 2"),
        (Table::Log, keys::number(5), Some(b"\x01"), "log: 3 is followed by 5"),
        (Table::Chunks, vec![1], Some(b"x"), "chunks: 1"),
        (Table::Revisions, keys::revision(1, 1), Some(b"x"), "revisions: 1"),
        (Table::Cursors, b"rt\0c".to_vec(), Some(b"\0\0\x01"), "the cursor of rt"),
        (Table::Polls, b"rt\0........".to_vec(), Some(b"\0\0\x01"), "a poll of rt"),
        (Table::Judgements, b"x".to_vec(), Some(b"\0\0\x01"), "the judgement 78"),
        (Table::Corrections, b"x".to_vec(), Some(b"\0\0\x01"), "the correction 78: its key is no item's id"),
        (Table::Corrections, vec![7; 16], Some(b"\0\0\x01"), "the correction of 0707"),
        (
            Table::Corrections,
            decided_id("2").0.to_vec(),
            None,
            "item 2: what was said of its verdict is not what is kept",
        ),
        (Table::Consumers, b"x\0".to_vec(), Some(b"\0\0\x01"), "the consumer `x`"),
        (Table::Consumers, b"X\0".to_vec(), Some(b"\0\0\x01"), "the consumer 5800: its key is no consumer's name"),
        (
            Table::Consumers,
            b"x\0".to_vec(),
            Some(b"\0\0\x01\x09\0\0\0\0\0\0\0\0"),
            "the consumer `x`: its offset is 9, and the log ends at 2",
        ),
        (Table::Learned, b"x\0".to_vec(), Some(b"\0\0\x01"), "what `7800` has learned"),
        (Table::Meta, b"classified".to_vec(), Some(b"\x01"), "the version of the topics"),
        (Table::Meta, b"reclassification".to_vec(), Some(b"\x01"), "the progress of reclassifying"),
        (Table::Pins, b"x".to_vec(), Some(b"\0\0\x01"), "the pin 78: its key is no item's id"),
        (Table::Pins, vec![7; 16], Some(b"\0\0\x01"), "the pin of 0707"),
        (
            Table::Pins,
            vec![7; 16],
            Some(b"\0\0\x01\0\0"),
            "the pin of 07070707070707070707070707070707: the item is not stored",
        ),
        (Table::Meta, b"swept".to_vec(), Some(b"\x01"), "how far expired items were removed"),
        (
            Table::Meta,
            b"log_begins".to_vec(),
            Some(&[0, 0, 0, 0, 0, 0, 0, 2]),
            "log: it begins at 1, and is said to begin at 2",
        ),
        (Table::Meta, b"feed/rt".to_vec(), None, "the counter `feed/rt` says 0, and there are 2"),
    ];
    for (table, key, value, expected) in cases {
        let dir = tempfile::tempdir().unwrap();
        let store = if table == Table::Corrections { joined(dir.path()) } else { filled(dir.path()) };
        assert_eq!(store.verify().unwrap(), Vec::<String>::new());
        change(&store.inner.engine, table, &key, value);
        let problems = store.verify().unwrap();
        assert!(problems.iter().any(|problem| problem.contains(expected)), "{expected}: {problems:?}");
    }
}

#[test]
fn repair_puts_right_what_belongs_to_no_item() {
    const AT_9: &[u8] = b"\0\0\x01\x09\0\0\0\0\0\0\0\0";
    type Case<'a> = (Table, Vec<u8>, &'a [u8], &'a str, Option<u64>);
    let pin_of_2 = format!("the pin of {}", decided_id("2"));
    let cases: Vec<Case<'_>> = vec![
        (Table::Pins, b"x".to_vec(), b"\0\0\x01", "the pin 78: its key is no item's id", None),
        (Table::Pins, decided_id("2").0.to_vec(), b"\0\0\x01", &pin_of_2, None),
        (Table::Pins, vec![7; 16], b"\0\0\x01\0\0", "07070707: the item is not stored", None),
        (Table::Consumers, b"x\0".to_vec(), b"\0\0\x01", "the consumer `x`", None),
        (Table::Consumers, b"X\0".to_vec(), AT_9, "the consumer 5800: its key is no consumer's name", None),
        (
            Table::Consumers,
            b"x\0".to_vec(),
            AT_9,
            "the consumer `x`: its offset is 9, and the log ends at 2; it reads on from there",
            Some(2),
        ),
        (Table::Meta, b"swept".to_vec(), b"\x01", "how far expired items were removed", None),
    ];
    let at = Timestamp::from_second(1_780_000_100).unwrap();
    let put = |name: &str, from| Consuming::Put { name: name.parse().unwrap(), filter: None, from, kind: None };
    for (table, key, value, expected, offset) in cases {
        let dir = tempfile::tempdir().unwrap();
        let (store, mut writer) = opened(dir.path()).unwrap();
        writer.commit(Group { items: vec![decided("1"), decided("2")], ..Group::default() }).unwrap();
        writer.pin(at, decided_id("1"), Some("مرجع")).unwrap();
        writer.consume(at, &[put("whole", Start::After(Seq(1)))]).unwrap();
        // That there is nothing to expire is noted, too.
        assert!(writer.expire(&Policies::default(), at, None, 10).unwrap().1);
        let whole = (store.pins().unwrap(), store.consumers().unwrap());
        change(&store.inner.engine, table, &key, Some(value));
        drop((store, writer));
        let config = StoreConfig { path: dir.path().to_owned(), ..StoreConfig::default() };
        let report = repair(&config, &mut |_, _, _| {}).unwrap();
        assert!(matches!(&report.lost[..], [lost] if lost.contains(expected)), "{expected}: {:?}", report.lost);
        let (store, mut writer) = opened(dir.path()).unwrap();
        assert_eq!(store.verify().unwrap(), Vec::<String>::new(), "{expected}");
        let consumers = store.consumers().unwrap();
        let (others, kept): (Vec<_>, Vec<_>) = consumers.into_iter().partition(|one| one.name.as_str() == "x");
        assert_eq!((store.pins().unwrap(), kept), whole, "{expected}: what fits stays as it is");
        assert_eq!(others.first().map(|one| one.offset.0), offset, "{expected}");
        assert!(writer.expire(&Policies::default(), at, None, 10).unwrap().1, "{expected}");
    }
}

/// Numbers of lost items come again: how far expired items were removed must not hide the new ones.
#[test]
fn what_is_stored_after_a_loss_expires_like_everything_else() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(dir.path()).unwrap();
    let at = |second: i64| Timestamp::from_second(1_780_000_000 + second).unwrap();
    let policies = Policies { default: Retention::For(Span::secs(10)), ..Policies::default() };
    let items = ["1", "2", "3"].map(decided).to_vec();
    writer.commit(Group { items, at: Some(at(0)), ..Group::default() }).unwrap();
    writer.pin(at(1), decided_id("1"), None).unwrap();
    assert_eq!(writer.expire(&policies, at(100), None, 10).unwrap().0.items, 2);
    // The end of the log is lost, with the records that two items were removed, and so is what held the first.
    let engine = &store.inner.engine;
    for seq in 2..=5 {
        change(engine, Table::Log, &keys::number(seq), None);
    }
    change(engine, Table::Meta, writer::NEXT_SEQ, None);
    change(engine, Table::Pins, &decided_id("1").0, Some(b"\0\0\x01"));
    drop((store, writer));
    let config = StoreConfig { path: dir.path().to_owned(), ..StoreConfig::default() };
    repair(&config, &mut |_, _, _| {}).unwrap();
    let (store, mut writer) = opened(dir.path()).unwrap();
    let items = vec![decided("4")];
    writer.commit(Group { items, at: Some(at(200)), ..Group::default() }).unwrap();
    assert_eq!(writer.expire(&policies, at(300), None, 10).unwrap().0.items, 2);
    assert_eq!(store.verify().unwrap(), Vec::<String>::new());
}

#[test]
fn a_newer_store_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(filled(dir.path()));
    let manifest = Manifest::read(dir.path()).unwrap().unwrap();
    Manifest { schema: 3, ..manifest }.write(dir.path()).unwrap();
    let error = opened(dir.path()).unwrap_err();
    assert!(matches!(error, StoreError::NewerSchema { found: 3, supported: 2, .. }), "{error:?}");
    assert!(error.to_string().contains("run the newer program"));
    let config = StoreConfig { path: dir.path().to_owned(), ..StoreConfig::default() };
    assert!(matches!(repair(&config, &mut |_, _, _| {}), Err(StoreError::NewerSchema { .. })), "nor repaired");
}

#[test]
fn a_store_that_lost_its_end_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path());
    change(&store.inner.engine, Table::Log, &keys::number(2), None);
    drop(store);
    assert!(opened(dir.path()).unwrap_err().to_string().contains("its log does not end at 2"));
}

#[test]
fn a_kill_before_the_first_list_is_made_good() {
    let dir = tempfile::tempdir().unwrap();
    drop(opened(dir.path()).unwrap());
    std::fs::remove_file(dir.path().join("MANIFEST")).unwrap();
    assert_eq!(opened(dir.path()).unwrap().0.stats().unwrap().items, 0);
    drop(filled(dir.path()));
    std::fs::remove_file(dir.path().join("MANIFEST")).unwrap();
    let error = opened(dir.path()).unwrap_err().to_string();
    assert!(
        error.contains("MANIFEST") && error.contains("verify --repair"),
        "what is there is not written over: {error}"
    );
}

#[test]
fn a_value_is_never_larger_than_sled_likes() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _writer) = opened(dir.path()).unwrap();
    let engine = &store.inner.engine;
    for size in [0, 1, 6_142, 6_143, 6_144, 12_279, 100_000] {
        let value: Vec<u8> = (0..size).map(|n: u32| n.to_le_bytes()[0]).collect();
        let mut staged = staged::Staged::over(engine);
        values::put(&mut staged, Table::Polls, b"key", &value).unwrap();
        assert!(staged.writes().values().flatten().all(|value| value.len() <= values::MAX_VALUE));
        assert_eq!(values::get(&staged, Table::Polls, b"key").unwrap().as_ref(), Some(&value), "{size}");
        engine.apply(staged.into_writes()).unwrap();
        let chunks = engine.count(Table::Chunks).unwrap();
        assert_eq!(values::get(engine, Table::Polls, b"key").unwrap(), Some(value), "{size}");
        let head = engine.get(Table::Polls, b"key").unwrap().unwrap();
        assert_eq!(u64::from(values::further(&head)), chunks, "{size}");
    }
}

#[test]
fn prefixes_end_where_they_should() {
    use std::ops::Bound::{Excluded, Included, Unbounded};
    let cases: [(&[u8], std::ops::Bound<Vec<u8>>); 4] =
        [(b"a", Excluded(b"b".to_vec())), (b"a\xff", Excluded(b"b".to_vec())), (b"\xff", Unbounded), (b"", Unbounded)];
    for (prefix, end) in cases {
        assert_eq!(engine::prefix_range(prefix), (Included(prefix.to_vec()), end));
    }
}

#[test]
fn a_judgement_outlives_its_item_until_it_is_taken_back() {
    use crate::topic::bag::{Background, Bag};
    use crate::topic::like::{Lesson, teach};
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(dir.path()).unwrap();
    let one = decided("1");
    let (item, at) = (ItemId::of(&one.candidate.feed, one.candidate.key), one.candidate.content.fetched_at);
    writer.commit(Group { items: vec![one], ..Group::default() }).unwrap();
    let topic: TopicId = "gas".parse().unwrap();
    let said = |yes| Judgement {
        topic: topic.clone(),
        item,
        yes,
        at,
        title: "عنوان".to_owned(),
        bag: Bag::read("عنوان", &"الغاز المسال ".repeat(3_000)),
    };
    writer.judge(&[said(true)], &[]).unwrap();
    writer.judge(&[said(false)], &[]).unwrap();
    assert_eq!(writer.prune(Timestamp::MAX, 10).unwrap(), 1);
    assert_eq!(store.judgements(&topic).unwrap(), [said(false)], "the last word counts");
    assert_eq!(store.judgements(&"ga".parse().unwrap()).unwrap(), []);

    // What was learned is read as it was stored; another model takes its place; none removes it.
    let (bag, background) = (said(true).bag, Background::of([&said(true).bag]));
    let lesson = Lesson { examples: &[bag], against: &[], stream: &[], background: &background };
    let (learned, trial) = teach(lesson).unwrap();
    let model = Model { from: 7, at, learned, trial };
    writer.teach(Some((1, &background)), &[(topic.clone(), Some(model.clone()))]).unwrap();
    let taught = store.taught().unwrap();
    assert_eq!((taught.background, taught.items, taught.models.get(&topic)), (background, Some(1), Some(&model)));
    assert_eq!(store.verify().unwrap(), Vec::<String>::new());
    writer.teach(None, &[(topic.clone(), None)]).unwrap();
    assert!(store.taught().unwrap().models.is_empty());
    writer.judge(&[], &[(topic.clone(), item)]).unwrap();
    assert_eq!(store.judgements(&topic).unwrap(), []);
    assert_eq!(store.verify().unwrap(), Vec::<String>::new());
}

/// The words of a text of about `words` words, none of which is in another text.
fn text(number: usize, words: usize) -> String {
    let word = |n: usize| -> String {
        let letters: Vec<char> = "ابتثجحخدذرزسشصضطظعغفقكلمنهوي".chars().collect();
        let code = (number * 7_919 + n).wrapping_mul(2_654_435_761);
        (0..2 + code % 5).map(|at| letters[(code >> (5 * at)) % letters.len()]).collect()
    };
    (0..words).map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn an_item_is_read_as_any_version_wrote_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = joined(dir.path());
    let engine = &store.inner.engine;
    let [plain, judged] = [1, 2].map(|no| values::get(engine, Table::Items, &keys::number(no)).unwrap().unwrap());
    assert_eq!((plain[0], judged[0]), (1, 2), "what needs no new record is written as before");
    let bytes = |hex: &str| -> Vec<u8> {
        let pair = |at: usize| u8::from_str_radix(hex.get(at..at + 2).unwrap(), 16).unwrap();
        (0..hex.len()).step_by(2).map(pair).collect()
    };
    for (no, hex) in [(1, FIRST), (2, SECOND)] {
        let read = schema::decode_item(no, &bytes(hex)).unwrap();
        let Stored { no: _, item, .. } = records::load(engine, no).unwrap().unwrap();
        assert_eq!(read.item, item);
    }
    let newer = [&[3], &judged[1..]].concat();
    assert!(schema::decode_item(2, &newer).unwrap_err().to_string().contains("the version 3"));
}

/// How many bytes of keys and values what `items` adds to a store with `before` takes.
fn volume(before: &[Decided], items: &[Decided]) -> usize {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(dir.path()).unwrap();
    let all = |store: &Store| -> usize {
        let range = || (std::ops::Bound::Unbounded, std::ops::Bound::Unbounded);
        let entries = Table::ALL.iter().flat_map(|table| store.inner.engine.scan(*table, range()));
        entries.map(|entry| entry.unwrap()).map(|(key, value)| key.len() + value.len()).sum()
    };
    writer.commit(Group { items: before.to_vec(), ..Group::default() }).unwrap();
    let empty = all(&store);
    writer.commit(Group { items: items.to_vec(), ..Group::default() }).unwrap();
    all(&store) - empty
}

#[test]
fn a_copy_takes_less_room_than_an_item() {
    let item = |key: &str, kind: VerdictKind, text: &str| {
        let mut decided = decided(key);
        decided.candidate.fingerprint = Fingerprint::of("عنوان", text);
        text.clone_into(&mut decided.candidate.content.text);
        let of = kind.is_duplicate().then(|| Original::Item(decided_id("1")));
        decided.verdict = Verdict { kind, of, similarity: 1.0 };
        decided
    };
    let article = text(1, 400);
    let first = item("1", VerdictKind::New, &article);
    let add = |one: Decided| volume(std::slice::from_ref(&first), &[one]);
    let own = add(item("2", VerdictKind::New, &text(2, 400)));
    let exact = add(item("2", VerdictKind::Exact, &article));
    let near = add(item("2", VerdictKind::Near, &format!("{} {}", text(3, 20), text(1, 380))));
    let excerpt = add(item("2", VerdictKind::Contained, &text(1, 130)));
    eprintln!(
        "bytes of an item of 400 words: {own}; of an exact copy: {exact}, a near one: {near}, a third of it: {excerpt}"
    );
    assert!(exact * 4 < own, "it keeps no text: {exact} of {own}");
    assert!(near < own * 4 / 5, "it keeps no fingerprint: {near} of {own}");
    assert!(excerpt < own / 2, "{excerpt} of {own}");
}

/// The two items of [`joined`], as the program wrote them first.
const FIRST: &str = "0128b52ffd0058d50300e406676b6fa739187a3e560b9c657c551a576cc356751bb166b2f8a856a0d4eebc160100000102727400011468747470733a2f2f72742e6578616d706c652f31000ad8b9d986d988d8a7d986000fd986d8b520d8a7d984d8aed8a8d8b10100000000808090c3b6a4eab3310200000000030044096029a0b62866";
const SECOND: &str = "0228b52ffd005815050044091ed66be979bf2ee3f6eab014b503759d3bc28e532352e2839d878f26cfe8aa7d0100000302727400011468747470733a2f2f72742e6578616d706c652f31000ad8b9d986d988d8a7d986000fd986d8b520d8a7d984d8aed8a8d8b10100000000808090c3b6a4eab331020100030100676b6fa739187a3e560b9c657c551a57000180a0c7ca9faaeab3310108d986d8b3d8aed8a904003c5dc0b566d1a0b62866";
