//! Out of a store and into another one: what is exported is what is there, what is imported is what was exported.

mod columns;
mod command;
mod maintenance;

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use proptest::prelude::*;
use rasid::dedup::{Fingerprint, Original, Verdict, VerdictKind};
use rasid::id::{EntryKey, FeedId, ItemId};
use rasid::item::{Candidate, Content, LogKind, PublishedFrom, TextFrom};
use rasid::source::{FeedConfig, FeedCursor, Seen};
use rasid::store::{
    Consuming, Correcting, Decided, ExportQuery, Group, Import, Imported, ItemQuery, Judgement, LogFilter,
    MAX_CONSUMERS, Policies, Reader, Record, Retention, Start, Store, StoreConfig, Told, Whole, Writer, open,
};
use rasid::story::Sketch;
use rasid::topic::bag::Bag;
use rasid::topic::{Decision, Evidence, Field, TopicMatch};
use rasid::units::{ByteSize, Span};
use serde_json::Value;

fn opened(path: &Path) -> (Store, Writer) {
    let config = StoreConfig { path: path.to_owned(), cache: ByteSize::mib(8), ..StoreConfig::default() };
    open(&config).unwrap_or_else(|error| panic!("{error}"))
}

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + second).unwrap()
}

fn feed(n: usize) -> FeedId {
    ["sabah", "masa"][n % 2].parse().unwrap()
}

const SENTENCES: [&str; 8] = [
    "افتتح الوزير صباح اليوم معرضا للكتاب في العاصمة بحضور عدد كبير من الناشرين",
    "أعلنت الشركة أنها ستبني مصنعا جديدا للزجاج على ضفة النهر خلال عامين",
    "هطلت أمطار غزيرة على المدن الساحلية وأغلقت المدارس أبوابها يومين",
    "فاز الفريق الضيف بثلاثة أهداف مقابل هدف واحد في مباراة مثيرة",
    "قال الباحثون إن النبتة النادرة ظهرت من جديد في الجبال الشمالية",
    "وقعت البلدية اتفاقا لتجديد شبكة المياه في الأحياء القديمة",
    "تراجعت أسعار القمح في الأسواق بعد موسم حصاد وفير",
    "وصل وفد من المهندسين لتفقد الجسر المعلق قبل إعادة فتحه",
];

fn text(seed: usize) -> String {
    let pick = |n: usize| SENTENCES[(seed * 3 + n * (1 + seed % 5)) % SENTENCES.len()];
    (0..4).map(|n| format!("{} رقم {}.", pick(n), seed * 7 + n)).collect::<Vec<_>>().join("\n")
}

fn candidate(n: usize, text: &str, second: i64) -> Candidate {
    let url: url::Url = format!("https://news.example/{n}").parse().unwrap();
    let title = format!("عنوان الخبر رقم {n}");
    let content = Content {
        url: Some(url.clone()),
        canonical_url: Some(url),
        guid: Some(format!("guid-{n}")),
        title: title.clone(),
        summary: "موجز, \"بين علامتين\"".to_owned(),
        text: text.to_owned(),
        text_from: TextFrom::Page,
        authors: vec!["مراسلنا".to_owned()],
        language: Some("ar".to_owned()),
        tags: vec!["محليات".to_owned()],
        image: None,
        published_at: time(second),
        published_from: PublishedFrom::Feed,
        fetched_at: time(second + 1),
    };
    let evidence = Evidence {
        rule: "اسم".to_owned(),
        weight: 1.1,
        field: Field::Title,
        start: 0,
        end: 5,
        text: "عنوان".to_owned(),
    };
    let topic = TopicMatch {
        id: "matar".parse().unwrap(),
        decision: if n.is_multiple_of(2) { Decision::Match } else { Decision::Maybe },
        score: 0.1 + n as f32 / 3.0,
        evidence: vec![evidence],
    };
    Candidate {
        feed: feed(n),
        key: EntryKey::of("guid", &format!("guid-{n}")),
        hash: u64::MAX - n as u64,
        fingerprint: Fingerprint::of(&title, text),
        sketch: Sketch::of(&title, text),
        topics: if n.is_multiple_of(3) { vec![] } else { vec![topic] },
        content,
    }
}

fn id(n: usize) -> ItemId {
    ItemId::of(&feed(n), EntryKey::of("guid", &format!("guid-{n}")))
}

/// One thing that happens to a store.
#[derive(Clone, Debug)]
enum Step {
    /// A new item, or other words of it.
    Put {
        n: usize,
        kind: VerdictKind,
        of: usize,
        words: usize,
    },
    Split(usize),
    Join(usize, usize),
    Forget(usize),
    Judge(usize, bool),
    Pin(usize),
    Unpin(usize),
    Consume(usize, bool),
    Cursor(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let kinds = prop_oneof![
        4 => Just(VerdictKind::New),
        2 => Just(VerdictKind::Exact),
        1 => Just(VerdictKind::Near),
        1 => Just(VerdictKind::Contained),
        2 => Just(VerdictKind::Expands),
        1 => Just(VerdictKind::Related),
        2 => Just(VerdictKind::Revision),
    ];
    let step = prop_oneof![
        8 => (0..12_usize, kinds, 0..12_usize, 0..6_usize)
            .prop_map(|(n, kind, of, words)| Step::Put { n, kind, of, words }),
        1 => (0..12_usize).prop_map(Step::Split),
        1 => (0..12_usize, 0..12_usize).prop_map(|(n, of)| Step::Join(n, of)),
        1 => (0..12_usize).prop_map(Step::Forget),
        1 => (0..12_usize, any::<bool>()).prop_map(|(n, yes)| Step::Judge(n, yes)),
        1 => (0..12_usize).prop_map(Step::Pin),
        1 => (0..12_usize).prop_map(Step::Unpin),
        1 => (0..3_usize, any::<bool>()).prop_map(|(n, end)| Step::Consume(n, end)),
        1 => (0..2_usize).prop_map(Step::Cursor),
    ];
    prop::collection::vec(step, 1..40)
}

fn judgement(n: usize, yes: bool, at: Timestamp) -> Judgement {
    let bag = Bag::read("عنوان الخبر", &text(n));
    Judgement { topic: "matar".parse().unwrap(), item: id(n), yes, at, title: "عنوان".to_owned(), bag }
}

fn cursor(n: usize, second: i64) -> FeedCursor {
    let config = FeedConfig::new(feed(n), "https://news.example/rss".parse().unwrap());
    let seen = Seen { key: EntryKey::of("guid", "guid-1"), url: None, hash: u64::MAX, page_tries: 1 };
    FeedCursor {
        seen: vec![seen],
        stored: 3,
        body_hash: Some(u64::MAX - 1),
        ..FeedCursor::start(&config, time(second))
    }
}

fn do_all(store: &Store, writer: &mut Writer, steps: &[Step]) {
    for (second, step) in (0_i64..).map(|n| n * 60).zip(steps) {
        let at = Some(time(second));
        match *step {
            Step::Put { n, kind, of, words } => {
                // Only what was stored before can be an original: commit decides so.
                let there = store.known(id(of)).unwrap().is_some();
                let kind = if there || kind == VerdictKind::Revision { kind } else { VerdictKind::New };
                let named = (kind != VerdictKind::New).then(|| Original::Item(id(of)));
                let verdict = Verdict { kind, of: named, similarity: if kind == VerdictKind::New { 0.0 } else { 0.7 } };
                let candidate = candidate(n, &text(words), second);
                let stories = BTreeMap::from([(id(n), id(n.min(of)))]);
                let told = Told { stories, ..Told::default() };
                writer
                    .commit(Group { items: vec![Decided { candidate, verdict }], told, at, ..Group::default() })
                    .unwrap();
            }
            // What makes no sense is refused, and changes nothing.
            Step::Split(n) => drop(writer.correct(time(second), Correcting::Split { item: id(n), why: None })),
            Step::Join(n, of) => {
                let (of, why) = (Original::Item(id(of)), Some("النص واحد".to_owned()));
                drop(writer.correct(time(second), Correcting::Join { item: id(n), of, alike: None, why }));
            }
            Step::Forget(n) => drop(writer.correct(time(second), Correcting::Forget { item: id(n) })),
            Step::Judge(n, yes) => writer.judge(&[judgement(n, yes, time(second))], &[]).unwrap(),
            Step::Pin(n) => drop(writer.pin(time(second), id(n), n.is_multiple_of(2).then_some("مرجع"))),
            Step::Unpin(n) => drop(writer.unpin(id(n)).unwrap()),
            Step::Consume(n, end) => {
                let filter = LogFilter {
                    feeds: vec![feed(n)],
                    kinds: vec![LogKind::New],
                    languages: vec!["ar".to_owned()],
                    ..LogFilter::default()
                };
                let from = if end { Start::End } else { Start::Beginning };
                let kind = (n > 0).then(|| "webhook".to_owned());
                let filter = (n > 1).then_some(filter);
                let put = Consuming::Put { name: format!("reader-{n}").parse().unwrap(), filter, from, kind };
                writer.consume(time(second), &[put]).unwrap().remove(0).unwrap();
            }
            Step::Cursor(n) => {
                let cursors = vec![(feed(n), cursor(n, second), None)];
                writer.commit(Group { cursors, at, ..Group::default() }).unwrap();
            }
        }
    }
}

/// All records, read in pages of `limit`.
fn exported(store: &Store, limit: usize) -> Vec<Record> {
    let mut query =
        ExportQuery { items: ItemQuery { duplicates: true, ..ItemQuery::default() }, limit, ..ExportQuery::default() };
    let mut records = Vec::new();
    loop {
        let page = store.export(&query).unwrap();
        records.extend(page.records);
        match page.next {
            Some(next) => query.after = Some(next),
            None => return records,
        }
    }
}

fn imported(writer: &mut Writer, records: &[Record]) -> Imported {
    let mut all = Imported::default();
    for some in records.chunks(7) {
        all.add(writer.import(time(1_000_000), Import::of(some.to_vec(), vec![]).unwrap()).unwrap());
    }
    let listed_under = records.iter().filter_map(|record| match record {
        Record::Item(whole) => whole.listed_under(),
        _ => None,
    });
    all.add(writer.import(time(1_000_000), Import { settle: listed_under.collect(), ..Import::default() }).unwrap());
    all
}

/// As JSON, without what belongs to one store.
fn plain(records: &[Record]) -> Vec<Value> {
    let mut values: Vec<Value> = records.iter().map(|record| serde_json::to_value(record).unwrap()).collect();
    for value in &mut values {
        if let Some(item) = value.get_mut("item").and_then(Value::as_object_mut) {
            item.remove("seq");
        }
    }
    values
}

/// What is read back from lines.
fn through_json(records: &[Record]) -> Vec<Record> {
    let line = |record: &Record| serde_json::to_string(record).unwrap();
    records.iter().map(|record| serde_json::from_str(&line(record)).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn what_is_imported_is_what_was_exported(steps in steps(), limit in 1..9_usize, twice in any::<bool>()) {
        let dir = tempfile::tempdir().unwrap();
        let (store, mut writer) = opened(&dir.path().join("one"));
        do_all(&store, &mut writer, &steps);
        let records = exported(&store, limit);
        prop_assert_eq!(&records, &exported(&store, 500));
        let (other, mut into) = opened(&dir.path().join("other"));
        let arrived = through_json(&records);
        let came = imported(&mut into, &arrived);
        prop_assert_eq!(came.items_there + came.others_there + came.settled, {
            // What was said of an item comes with the item and once more by itself.
            let said = records.iter().filter(|record| matches!(record, Record::Item(whole) if whole.correction.is_some()));
            said.count() as u64
        });
        prop_assert_eq!(came.left_out, 0);
        prop_assert_eq!(other.verify().unwrap(), Vec::<String>::new());
        prop_assert_eq!(other.pins().unwrap(), store.pins().unwrap());
        let names = |store: &Store| -> Vec<_> { store.consumers().unwrap().into_iter().map(|one| one.name).collect() };
        prop_assert_eq!(names(&other), names(&store));
        prop_assert!(other.consumers().unwrap().iter().all(|one| one.offset.0 == 0));
        if twice {
            let before = *other.durable().borrow();
            let again = imported(&mut into, &arrived);
            prop_assert_eq!((again.items, again.others, again.settled), (0, 0, 0));
            prop_assert_eq!(*other.durable().borrow(), before);
        }
        prop_assert_eq!(plain(&exported(&other, limit)), plain(&records));
        // Readers see the same: listings, copies, revisions.
        let all = ItemQuery { duplicates: true, limit: 500, ..ItemQuery::default() };
        let listing = |store: &Store| {
            let mut items = store.items(&all).unwrap().items;
            // Of two published at one time the one stored first comes last, in both; only positions differ.
            items.iter_mut().for_each(|item| item.seq = Default::default());
            items
        };
        prop_assert_eq!(listing(&other), listing(&store));
    }
}

#[test]
fn what_was_listed_under_an_item_that_never_comes_is_in_sight() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(&dir.path().join("one"));
    let put = |n, kind, of, words| Step::Put { n, kind, of, words };
    let all = [put(0, VerdictKind::New, 0, 1), put(1, VerdictKind::Exact, 0, 1), put(2, VerdictKind::Near, 0, 1)];
    do_all(&store, &mut writer, &all);
    let records: Vec<Record> =
        exported(&store, 500).into_iter().filter(|r| !matches!(r, Record::Item(w) if w.item.id == id(0))).collect();
    let (other, mut into) = opened(&dir.path().join("other"));
    let came = imported(&mut into, &records);
    assert_eq!((came.items, came.settled), (2, 2));
    let first = other.item(id(1)).unwrap().unwrap();
    assert_eq!((first.verdict.kind, first.copies.len()), (VerdictKind::New, 1));
    assert_eq!(first.content.text, text(1), "a borrowed text is exported whole");
    assert_eq!(other.verify().unwrap(), Vec::<String>::new());
    // It comes after all: it is an item like another, and what is in sight stays there.
    let late: Vec<Record> = exported(&store, 500).into_iter().filter(|r| matches!(r, Record::Item(_))).collect();
    assert_eq!(imported(&mut into, &late).items, 1);
    assert_eq!(other.verify().unwrap(), Vec::<String>::new());
}

#[test]
fn what_a_store_has_no_place_for_is_left_out_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(&dir.path().join("one"));
    let put = |n| Step::Put { n, kind: VerdictKind::New, of: n, words: n };
    do_all(&store, &mut writer, &[put(0), put(1), Step::Pin(0), Step::Pin(1), Step::Consume(1, true)]);
    let records: Vec<Record> =
        exported(&store, 500).into_iter().filter(|r| !matches!(r, Record::Item(w) if w.item.id == id(0))).collect();
    // Here there is an item that is pinned for another reason, and no room for one more consumer.
    let (other, mut into) = opened(&dir.path().join("other"));
    do_all(&other, &mut into, &[put(3), Step::Pin(3)]);
    let mut asked: Vec<Consuming> = Vec::new();
    for n in 0..MAX_CONSUMERS {
        let name = format!("c{n}").parse().unwrap();
        asked.push(Consuming::Put { name, filter: None, from: Start::Beginning, kind: None });
    }
    assert!(into.consume(time(0), &asked).unwrap().iter().all(Result::is_ok));
    let came = imported(&mut into, &records);
    assert_eq!((came.items, came.others, came.left_out), (1, 1, 2), "{came:?}");
    let pinned: Vec<ItemId> = other.pins().unwrap().into_iter().map(|pin| pin.item).collect();
    assert_eq!(pinned.len(), 2);
    assert!(pinned.contains(&id(1)) && pinned.contains(&id(3)));
    assert_eq!(other.verify().unwrap(), Vec::<String>::new());
    // With room for it, it reads all that is in the log here, and is not moved by being imported once more.
    let name = || "c0".parse().unwrap();
    into.consume(time(0), &[Consuming::Remove { name: name() }]).unwrap().remove(0).unwrap();
    assert_eq!(imported(&mut into, &records).left_out, 1);
    let reader = || other.consumer(&"reader-1".parse().unwrap()).unwrap().unwrap();
    assert_eq!((reader().offset.0, reader().acked, reader().kind), (0, 0, Some("webhook".to_owned())));
    let ack = Consuming::Ack { name: reader().name, seq: *other.durable().borrow() };
    into.consume(time(9), &[ack]).unwrap().remove(0).unwrap();
    let before = reader();
    imported(&mut into, &records);
    assert_eq!(reader(), before);
    // A pinned item is held here, too.
    let policies = Policies { default: Retention::For(Span::secs(1)), ..Policies::default() };
    assert_eq!(into.expire(&policies, time(2_000_000), None, 10).unwrap().0.items, 0);
}

#[test]
fn a_consumer_that_nobody_could_make_is_refused_in_words() {
    let reader = |filter| Reader { name: "a".parse().unwrap(), filter, created_at: time(0), kind: None };
    let languages = |languages| reader(LogFilter { languages, ..LogFilter::default() });
    let language = || "ar".to_owned();
    for (reader, words) in [
        (languages(vec![language(); 100]), None),
        (languages(vec![language(); 101]), Some("the consumer `a`: a filter has at most 100")),
        (languages(vec![String::new()]), Some("is empty")),
    ] {
        let refused = Import::of(vec![Record::Consumer(Box::new(reader))], vec![]).err();
        assert_eq!(refused.is_some(), words.is_some(), "{refused:?}");
        assert!(words.is_none_or(|words| refused.as_ref().is_some_and(|why| why.contains(words))), "{refused:?}");
    }
}

#[test]
fn an_item_listed_under_what_is_listed_elsewhere_here_goes_there() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(&dir.path().join("one"));
    let put = |n, kind, of, words| Step::Put { n, kind, of, words };
    do_all(&store, &mut writer, &[put(0, VerdictKind::New, 0, 1), put(1, VerdictKind::Exact, 0, 1)]);
    let records = exported(&store, 500);
    // There the original is a copy of another item.
    let (other, mut into) = opened(&dir.path().join("other"));
    do_all(&other, &mut into, &[put(5, VerdictKind::New, 5, 1), put(0, VerdictKind::Exact, 5, 1)]);
    let came = imported(&mut into, &records);
    assert_eq!((came.items, came.items_there), (1, 1));
    assert_eq!(other.item(id(1)).unwrap().unwrap().verdict.of, Some(Original::Item(id(5))));
    assert_eq!(other.verify().unwrap(), Vec::<String>::new());
    // The other way round: copies are there, and their original comes as a copy of them.
    let (third, mut into) = opened(&dir.path().join("third"));
    do_all(&third, &mut into, &[put(1, VerdictKind::New, 1, 1), put(0, VerdictKind::Exact, 1, 1)]);
    imported(&mut into, &records);
    assert_eq!(third.items(&ItemQuery::default()).unwrap().items.len(), 1);
    assert_eq!(third.verify().unwrap(), Vec::<String>::new());
}

#[test]
fn an_item_without_a_key_gets_the_one_that_its_id_is_made_of() {
    let feed = feed(0);
    let item = |key: EntryKey, change: fn(&mut Content)| {
        let dir = tempfile::tempdir().unwrap();
        let (store, mut writer) = opened(dir.path());
        let mut candidate = candidate(0, &text(3), 0);
        candidate.key = key;
        change(&mut candidate.content);
        let verdict = Verdict { kind: VerdictKind::New, of: None, similarity: 0.0 };
        writer.commit(Group { items: vec![Decided { candidate, verdict }], ..Group::default() }).unwrap();
        store.item(ItemId::of(&feed, key)).unwrap().unwrap()
    };
    let no_guid: fn(&mut Content) = |content| content.guid = None;
    let bare: fn(&mut Content) = |content| {
        (content.guid, content.url, content.canonical_url) = (None, None, None);
        content.text_from = TextFrom::Summary;
    };
    let words = EntryKey::of("content", "\nعنوان الخبر رقم 0\nموجز, \"بين علامتين\"\n");
    for (what, key, change) in [
        ("guid", EntryKey::of("guid", "guid-0"), (|_| {}) as fn(&mut Content)),
        ("address", EntryKey::of("url", "https://news.example/0"), no_guid),
        ("words", words, bare),
    ] {
        let (found, _) = Whole::bare(item(key, change)).identity().unwrap();
        assert_eq!(found, key, "{what}");
    }
    // Several entries had its guid and its address: it keeps its id all the same.
    let shared = item(EntryKey::of("content", "x"), |_| {});
    let (key, _) = Whole::bare(shared.clone()).identity().unwrap();
    assert_eq!(key, EntryKey::of("guid", "guid-0"));
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(dir.path());
    writer
        .import(time(0), Import::of(vec![Record::Item(Box::new(Whole::bare(shared.clone())))], vec![]).unwrap())
        .unwrap();
    assert!(store.item(shared.id).unwrap().is_some());
    assert_eq!(store.verify().unwrap(), Vec::<String>::new());
}

#[test]
fn a_record_that_contradicts_itself_is_refused_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(dir.path());
    let put = |n, kind, of, words| Step::Put { n, kind, of, words };
    do_all(&store, &mut writer, &[put(0, VerdictKind::New, 0, 1), put(0, VerdictKind::Revision, 0, 2)]);
    let records = exported(&store, 500);
    let Record::Item(whole) = &records[0] else { panic!("{records:?}") };
    assert!(whole.identity().is_ok());
    type Change = fn(&mut Whole);
    let wrong: [(&str, Change); 4] = [
        ("not that of the key", |whole| whole.key = Some(EntryKey::of("guid", "another"))),
        ("are not all there", |whole| whole.revisions.clear()),
        ("hexadecimal", |whole| whole.hash = Some("خبر".to_owned())),
        ("neither a title nor a text", |whole| {
            whole.item.content.title.clear();
            whole.item.content.text.clear();
        }),
    ];
    for (words, change) in wrong {
        let mut whole = whole.clone();
        change(&mut whole);
        let error = whole.identity().unwrap_err();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn a_pin_of_what_is_stored_while_an_export_goes_on_is_no_part_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(dir.path());
    let put = |n| Step::Put { n, kind: VerdictKind::New, of: n, words: n };
    do_all(&store, &mut writer, &[put(0), put(1), Step::Pin(0)]);
    let mut query = ExportQuery { limit: 1, ..ExportQuery::default() };
    let mut records = Vec::new();
    loop {
        let page = store.export(&query).unwrap();
        records.extend(page.records);
        let Some(next) = page.next else { break };
        if records.len() == 1 {
            do_all(&store, &mut writer, &[put(2), Step::Pin(2), Step::Pin(1)]);
        }
        query.after = Some(next);
    }
    let pinned: Vec<ItemId> =
        records.iter().filter_map(|record| if let Record::Pin(pin) = record { Some(pin.item) } else { None }).collect();
    assert_eq!(pinned.len(), 2, "{records:?}");
    assert!(pinned.contains(&id(0)) && pinned.contains(&id(1)));
}

#[test]
fn what_is_stored_while_an_export_goes_on_is_no_part_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(dir.path());
    let put = |n, kind, words| Step::Put { n, kind, of: n, words };
    do_all(&store, &mut writer, &(0..6).map(|n| put(n, VerdictKind::New, n)).collect::<Vec<_>>());
    let mut query = ExportQuery { items_only: true, limit: 2, ..ExportQuery::default() };
    let mut seen = Vec::new();
    let mut more = 6;
    loop {
        let page = store.export(&query).unwrap();
        assert_eq!(page.seq.0, 6);
        seen.extend(page.records.iter().map(|record| match record {
            Record::Item(whole) => whole.item.id,
            other => panic!("{other:?}"),
        }));
        // Others are stored, and what is there is published again at another time: in a listing it would move.
        do_all(
            &store,
            &mut writer,
            &[put(more, VerdictKind::New, 1), put(0, VerdictKind::Revision, more), put(5, VerdictKind::Revision, more)],
        );
        more += 1;
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    assert_eq!(seen, (0..6).map(id).collect::<Vec<_>>());
}
