//! The store from outside: what is stored once stays, whole, whatever happens to the process.

mod child;
mod consumers;
mod crash;
mod damage;
mod failing;
mod full;
mod kept;
mod layouts;
mod load;
mod model;

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use rasid::dedup::{Fingerprint, Original, Verdict, VerdictKind};
use rasid::id::{ContentHash, EntryKey, FeedId, ItemId, Seq};
use rasid::item::{Candidate, Content, LogKind, PublishedFrom, TextFrom};
use rasid::source::{
    FeedCursor, LedAway, PollError, PollOutcome, PollRecord, Refused, Seen, Severity, Unread, Validators,
};
use rasid::store::{Decided, Group, ItemQuery, MAX_GROUP, Store, StoreConfig, StoreError, Writer, open};
use rasid::text::recurring::RecurringLines;
use rasid::topic::{Decision, Evidence, Field, TopicMatch};
use rasid::units::{ByteSize, Span};

fn opened(path: &Path) -> (Store, Writer) {
    // So small a front that a test fills several.
    let front = ByteSize(64 << 10);
    let config = StoreConfig { path: path.to_owned(), cache: ByteSize::mib(8), front, ..StoreConfig::default() };
    open(&config).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(path: &Path) -> StoreError {
    let config = StoreConfig { path: path.to_owned(), ..StoreConfig::default() };
    open(&config).map(|_| ()).expect_err("it must not open")
}

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + second).unwrap()
}

fn feed(name: &str) -> FeedId {
    name.parse().unwrap()
}

/// An entry of `of`, published and fetched at `second`.
fn candidate(of: &str, key: &str, text: &str, second: i64) -> Candidate {
    // Numbers, openings and the sketch of some text, so that every field is written and read.
    let print = Fingerprint::of("خبر قصير", "سجل الفريق 11 هدفا يوم الاثنين في 3 مباريات");
    candidate_with(of, key, text, second, print)
}

/// As [`candidate`], with the fingerprint of another text, where many are to be made quickly.
fn candidate_with(of: &str, key: &str, text: &str, second: i64, print: Fingerprint) -> Candidate {
    let url: url::Url = format!("https://{of}.example/{key}").parse().unwrap();
    Candidate {
        feed: feed(of),
        key: EntryKey::of("guid", key),
        hash: xxhash_rust::xxh3::xxh3_64(text.as_bytes()),
        sketch: rasid::story::Sketch::default(),
        content: Content {
            url: Some(url.clone()),
            canonical_url: Some(url),
            guid: Some(key.to_owned()),
            title: format!("خبر رقم {key} من {of}"),
            summary: "موجز قصير للخبر".to_owned(),
            text: text.to_owned(),
            text_from: TextFrom::Page,
            authors: vec!["مراسلنا".to_owned()],
            language: Some("ar".to_owned()),
            tags: vec![],
            image: None,
            published_at: time(second),
            published_from: PublishedFrom::Feed,
            fetched_at: time(second),
        },
        topics: vec![],
        fingerprint: Fingerprint {
            content: Some(ContentHash(xxhash_rust::xxh3::xxh3_128(text.as_bytes()).to_be_bytes())),
            title: Some(7),
            shingles: vec![3, 900, 4_000_000_000],
            ..print
        },
    }
}

fn about(mut candidate: Candidate, topic: &str) -> Candidate {
    let evidence =
        Evidence {
            rule: "اسم".to_owned(), weight: 3.0, field: Field::Title, start: 0, end: 3, text: "خبر".to_owned()
        };
    candidate.topics = vec![TopicMatch {
        id: topic.parse().unwrap(),
        decision: Decision::Match,
        score: 3.0,
        evidence: vec![evidence],
    }];
    candidate
}

fn id(candidate: &Candidate) -> ItemId {
    ItemId::of(&candidate.feed, candidate.key)
}

fn verdict(kind: VerdictKind, of: Option<Original>) -> Verdict {
    Verdict { kind, of, similarity: if kind == VerdictKind::New { 0.0 } else { 1.0 } }
}

fn new(candidate: Candidate) -> Decided {
    Decided { candidate, verdict: verdict(VerdictKind::New, None) }
}

fn revised(candidate: Candidate) -> Decided {
    Decided { candidate, verdict: verdict(VerdictKind::Revision, None) }
}

fn copy(kind: VerdictKind, of: ItemId, candidate: Candidate) -> Decided {
    Decided { candidate, verdict: verdict(kind, Some(Original::Item(of))) }
}

fn group(second: i64, items: Vec<Decided>) -> Group {
    Group { items, at: Some(time(second)), ..Group::default() }
}

fn ids(store: &Store, query: &ItemQuery) -> Vec<ItemId> {
    store.items(query).unwrap().items.iter().map(|item| item.id).collect()
}

fn kinds(store: &Store) -> Vec<LogKind> {
    store.log(Seq(0), 500).unwrap().iter().map(|record| record.kind).collect()
}

fn clean(store: &Store) {
    assert_eq!(store.verify().unwrap(), Vec::<String>::new());
}

#[test]
fn what_is_stored_is_read_back_whole_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let first = about(candidate("rt", "1", "نص الخبر الأول", 10), "csto");
    let second = candidate("bbc", "2", "نص الخبر الثاني", 20);
    {
        let (store, mut writer) = opened(dir.path());
        let mut durable = store.durable();
        assert_eq!(*durable.borrow_and_update(), Seq(0));
        assert_eq!(writer.commit(group(100, vec![new(first.clone()), new(second.clone())])).unwrap(), Seq(2));
        assert!(durable.has_changed().unwrap());
    }
    let (store, mut writer) = opened(dir.path());
    assert_eq!(*store.durable().borrow(), Seq(2));
    let item = store.item(id(&first)).unwrap().unwrap();
    assert_eq!((&item.content, &item.topics, item.seq), (&first.content, &first.topics, Seq(1)));
    assert_eq!((item.stored_at, item.revision, item.copies.len()), (time(100), 1, 0));
    assert_eq!(ids(&store, &ItemQuery::default()), [id(&second), id(&first)]);
    let by_topic = ItemQuery { topic: Some("csto".parse().unwrap()), ..ItemQuery::default() };
    assert_eq!(ids(&store, &by_topic), [id(&first)]);
    let by_feed = ItemQuery { feed: Some(feed("bbc")), language: Some("ar".to_owned()), ..ItemQuery::default() };
    assert_eq!(ids(&store, &by_feed), [id(&second)]);
    assert_eq!(store.by_content(first.fingerprint.content.unwrap()).unwrap(), Some(id(&first)));
    assert_eq!(store.by_url(second.content.canonical_url.as_ref().unwrap()).unwrap(), Some(id(&second)));
    let known = store.known(id(&first)).unwrap().unwrap();
    assert_eq!((known.hash, known.duplicate, known.text_from_page), (first.hash, false, true));
    let mut fingerprints = vec![];
    store.fingerprints(time(0), &mut |id, at, fingerprint| fingerprints.push((id, at, fingerprint))).unwrap();
    assert_eq!(fingerprints[0], (id(&first), first.content.published_at, first.fingerprint.clone()));
    store.fingerprints(time(101), &mut |_, _, _| panic!("too old")).unwrap();
    let stats = store.stats().unwrap();
    assert_eq!((stats.last_seq, stats.items, stats.duplicates), (2, 2, 0));
    assert_eq!(stats.by_feed, [(feed("bbc"), 1), (feed("rt"), 1)]);
    assert_eq!(stats.by_topic, [("csto".parse().unwrap(), 1)]);
    assert!(stats.bytes_on_disk > 0);
    assert_eq!(writer.commit(group(200, vec![new(candidate("rt", "3", "نص", 30))])).unwrap(), Seq(3));
    clean(&store);
}

#[test]
fn a_repeated_group_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(dir.path());
    let original = candidate("rt", "1", "نص الخبر الأول", 10);
    let other = candidate("rt", "1", "نص الخبر بعد التصحيح", 20);
    let twin = candidate("bbc", "1", "نص الخبر الأول", 15);
    let whole =
        group(1, vec![new(original.clone()), copy(VerdictKind::Exact, id(&original), twin), revised(other.clone())]);
    assert_eq!(writer.commit(whole.clone()).unwrap(), Seq(3));
    assert_eq!(writer.commit(whole).unwrap(), Seq(3));
    // An older revision that comes late does not undo the newer.
    assert_eq!(writer.commit(group(2, vec![revised(original)])).unwrap(), Seq(3));
    assert_eq!(kinds(&store), [LogKind::New, LogKind::Duplicate, LogKind::Revised]);
    assert_eq!(store.item(id(&other)).unwrap().unwrap().content, other.content);
    clean(&store);
}

#[test]
fn copies_stand_under_their_original_and_nowhere_else() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(dir.path());
    let a = about(candidate("rt", "1", "اجتمع القادة في العاصمة", 10), "csto");
    let late = about(candidate("bbc", "1", "اجتمع القادة في العاصمة", 30), "csto");
    let early = candidate("dw", "1", "اجتمع القادة أمس في العاصمة", 20);
    // A copy of a copy, a copy of itself, a copy of a corpus document.
    let items = vec![
        new(a.clone()),
        copy(VerdictKind::Exact, id(&a), late.clone()),
        copy(VerdictKind::Near, id(&late), early.clone()),
    ];
    writer.commit(group(100, items)).unwrap();
    let selfish = candidate("dw", "2", "نص يشير إلى نفسه", 40);
    let seed = Original::Corpus { corpus: "seed".to_owned(), document: "002_x".to_owned() };
    let of_seed = candidate("dw", "3", "نسخة من وثيقة قديمة", 50);
    let decided = Decided { candidate: of_seed.clone(), verdict: verdict(VerdictKind::Contained, Some(seed.clone())) };
    writer.commit(group(101, vec![copy(VerdictKind::Near, id(&selfish), selfish.clone()), decided])).unwrap();

    assert_eq!(ids(&store, &ItemQuery::default()), [id(&selfish), id(&a)]);
    let all = ItemQuery { duplicates: true, ..ItemQuery::default() };
    assert_eq!(ids(&store, &all), [id(&of_seed), id(&selfish), id(&late), id(&early), id(&a)]);
    let item = store.item(id(&a)).unwrap().unwrap();
    let copies: Vec<_> = item.copies.iter().map(|copy| (copy.id, copy.kind)).collect();
    assert_eq!(copies, [(id(&early), VerdictKind::Near), (id(&late), VerdictKind::Exact)], "first published first");
    assert_eq!(store.copies_of(&seed).unwrap()[0].id, id(&of_seed));
    let second = store.item(id(&early)).unwrap().unwrap();
    assert_eq!(second.verdict.of, Some(Original::Item(id(&a))), "the original, not the copy that was named");
    assert_eq!(store.item(id(&selfish)).unwrap().unwrap().verdict.kind, VerdictKind::New);
    assert!(store.known(id(&late)).unwrap().unwrap().duplicate);
    let mut fingerprints = 0;
    store.fingerprints(time(0), &mut |_, _, _| fingerprints += 1).unwrap();
    let stats = store.stats().unwrap();
    assert_eq!((fingerprints, stats.items, stats.duplicates), (2, 2, 3));
    assert_eq!(stats.by_topic, [("csto".parse().unwrap(), 1)], "a copy is not counted again");
    clean(&store);
}

#[test]
fn an_exact_copy_keeps_its_text_when_the_original_changes_or_goes() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(dir.path());
    let long = "نص طويل يتكرر كما هو. ".repeat(400);
    let (a, b, c) =
        (candidate("rt", "1", &long, 10), candidate("bbc", "1", &long, 20), candidate("dw", "1", &long, 30));
    writer.commit(group(1, vec![new(a.clone()), copy(VerdictKind::Exact, id(&a), b.clone())])).unwrap();
    let text = |of: &Candidate| store.item(id(of)).unwrap().unwrap().content.text;
    assert_eq!(text(&b), long);
    writer.commit(group(2, vec![revised(candidate("rt", "1", "نص آخر", 40))])).unwrap();
    assert_eq!((text(&a), text(&b)), ("نص آخر".to_owned(), long.clone()));
    writer
        .commit(group(3, vec![revised(candidate("rt", "1", &long, 50)), copy(VerdictKind::Exact, id(&a), c.clone())]))
        .unwrap();
    clean(&store);
    assert_eq!(writer.prune(time(2), 1).unwrap(), 1);
    assert!(store.item(id(&a)).unwrap().is_none());
    assert_eq!((text(&b), text(&c)), (long.clone(), long));
    // What is as old goes with the next round; what stays is an item of its own now.
    assert_eq!(store.copies_of(&Original::Item(id(&a))).unwrap()[0].id, id(&b));
    assert_eq!(ids(&store, &ItemQuery::default()), [id(&c)]);
    assert_eq!(kinds(&store)[5..], [LogKind::New, LogKind::Removed]);
    clean(&store);
}

#[test]
fn a_revision_moves_the_item_and_keeps_the_old_words() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(dir.path());
    let old = about(candidate("rt", "1", "النص القديم", 10), "csto");
    let between = candidate("rt", "2", "خبر آخر", 20);
    let mut fresh = about(candidate("rt", "1", "النص الجديد", 30), "kazakhstan-unrest");
    fresh.content.title = "عنوان مصحح".to_owned();
    fresh.content.canonical_url = Some("https://rt.example/new".parse().unwrap());
    writer.commit(group(1, vec![new(old.clone()), new(between.clone()), revised(fresh.clone())])).unwrap();
    let item = store.item(id(&old)).unwrap().unwrap();
    assert_eq!((item.seq, item.revision, item.stored_at), (Seq(3), 2, time(1)));
    assert_eq!((&item.content, item.verdict.kind), (&fresh.content, VerdictKind::Revision));
    assert_eq!(ids(&store, &ItemQuery::default()), [id(&old), id(&between)], "published later now");
    let topic = |name: &str| ids(&store, &ItemQuery { topic: Some(name.parse().unwrap()), ..ItemQuery::default() });
    assert_eq!((topic("csto"), topic("kazakhstan-unrest")), (vec![], vec![id(&old)]));
    assert_eq!(store.by_content(old.fingerprint.content.unwrap()).unwrap(), None);
    assert_eq!(store.by_url(old.content.canonical_url.as_ref().unwrap()).unwrap(), None);
    assert_eq!(store.by_content(fresh.fingerprint.content.unwrap()).unwrap(), Some(id(&old)));
    let words = store.revisions(id(&old)).unwrap();
    assert_eq!((words.len(), words[0].revision, words[0].text.as_str()), (1, 1, "النص القديم"));
    assert_eq!((words[0].title.as_str(), words[0].replaced_at), (old.content.title.as_str(), time(1)));
    let records = store.log(Seq(0), 10).unwrap();
    assert_eq!(records[0].item.as_ref().unwrap().revision, 2, "the item as it stands now");
    let stats = store.stats().unwrap();
    assert_eq!((stats.revisions, stats.by_topic), (1, vec![("kazakhstan-unrest".parse().unwrap(), 1)]));
    // A copy that is revised stays a copy; a revision of nothing is new.
    let near = candidate("bbc", "1", "النص الجديد تقريبا", 40);
    writer
        .commit(group(
            2,
            vec![copy(VerdictKind::Near, id(&old), near.clone()), revised(candidate("bbc", "9", "بلا أصل", 41))],
        ))
        .unwrap();
    writer.commit(group(3, vec![revised(candidate("bbc", "1", "النص الجديد بتعديل", 50))])).unwrap();
    let near = store.item(id(&near)).unwrap().unwrap();
    assert_eq!((near.verdict.kind, near.revision), (VerdictKind::Near, 2));
    assert_eq!(kinds(&store)[4..], [LogKind::New, LogKind::Revised]);
    clean(&store);
}

#[test]
fn texts_of_any_length_come_back_and_no_blob_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(dir.path());
    let mut rng = fastrand::Rng::with_seed(7);
    // Letters at random: what does not compress is what grows.
    let mut text = |letters: usize| (0..letters).map(|_| rng.char('ء'..='ي')).collect::<String>();
    let lengths = [0, 1, 3_000, 3_070, 10_000, 100_000];
    let items: Vec<_> = lengths.iter().map(|n| candidate("rt", &n.to_string(), &text(*n), 10)).collect();
    for _ in 0..8 {
        let more: Vec<_> = (0..16)
            .map(|_| {
                let text = text(10_000);
                new(candidate("bbc", &text[..40], &text, 5))
            })
            .collect();
        writer.commit(group(1, more)).unwrap();
    }
    writer.commit(group(1, items.iter().cloned().map(new).collect())).unwrap();
    for item in &items {
        assert_eq!(store.item(id(item)).unwrap().unwrap().content.text, item.content.text);
    }
    // Shorter, then gone: no chunk stays behind.
    writer.commit(group(2, vec![revised(candidate("rt", "100000", "قصير", 20))])).unwrap();
    assert_eq!(store.revisions(id(&items[5])).unwrap()[0].text, items[5].content.text);
    clean(&store);
    assert_eq!(writer.prune(time(9), 200).unwrap(), 134);
    clean(&store);
    assert_eq!(store.stats().unwrap().items, 0);
    let mut front = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path());
    let front = front.find(|path| path.join("wal").exists()).expect("the newest part");
    let blobs = front.join("sled").join("blobs");
    assert_eq!(fs::read_dir(blobs).unwrap().count(), 0, "a value was too large for sled");
}

#[test]
fn pages_go_on_where_they_ended_while_items_arrive() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(dir.path());
    // Several at the same second.
    let old: Vec<_> = (0..25).map(|n| candidate("rt", &n.to_string(), &format!("خبر {n}"), n / 3)).collect();
    writer.commit(group(1, old.iter().cloned().map(new).collect())).unwrap();
    let mut seen = vec![];
    let mut query = ItemQuery { limit: 4, ..ItemQuery::default() };
    loop {
        let page = store.items(&query).unwrap();
        seen.extend(page.items.iter().map(|item| item.id));
        let n = seen.len();
        writer.commit(group(2, vec![new(candidate("bbc", &n.to_string(), &format!("وصل الآن {n}"), 100))])).unwrap();
        let Some(next) = page.next else { break };
        query.after = Some(next);
    }
    let expected: Vec<_> = old.iter().rev().map(id).collect();
    assert_eq!(seen, expected);
    let between = ItemQuery { since: Some(time(2)), until: Some(time(4)), ..ItemQuery::default() };
    assert_eq!(ids(&store, &between), expected[13..19]);
    let wrong = ItemQuery { after: Some("هنا".to_owned()), ..ItemQuery::default() };
    assert!(matches!(store.items(&wrong), Err(StoreError::Query(_))));
    assert_eq!(store.log(Seq(20), 3).unwrap().iter().map(|record| record.seq.0).collect::<Vec<_>>(), [21, 22, 23]);
    assert!(store.log(Seq(u64::MAX), 3).unwrap().is_empty());
}

#[test]
fn old_items_are_removed_a_few_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(dir.path());
    for n in 0..10 {
        writer
            .commit(group(n, vec![new(about(candidate("rt", &n.to_string(), &format!("خبر {n}"), 50 - n), "csto"))]))
            .unwrap();
    }
    assert_eq!(writer.prune(time(6), 4).unwrap(), 4);
    assert_eq!(writer.prune(time(6), 4).unwrap(), 2);
    assert_eq!(writer.prune(time(6), 4).unwrap(), 0);
    assert_eq!((store.stats().unwrap().items, *store.durable().borrow()), (4, Seq(16)));
    let removed = &store.log(Seq(10), 10).unwrap()[0];
    assert_eq!((removed.kind, removed.at, removed.item.is_none()), (LogKind::Removed, time(9), true));
    assert!(store.log(Seq(0), 1).unwrap()[0].item.is_none());
    // Published again, it is stored again.
    writer.commit(group(20, vec![new(candidate("rt", "0", "خبر 0", 60))])).unwrap();
    assert_eq!(store.stats().unwrap().items, 5);
    clean(&store);
}

fn cursor(polls: u64, seen: usize) -> FeedCursor {
    cursor_with(polls, seen, recurring(polls))
}

fn cursor_with(polls: u64, seen: usize, recurring: RecurringLines) -> FeedCursor {
    let seen =
        (0..seen).map(|n| Seen { key: EntryKey::of("guid", &n.to_string()), url: None, hash: n as u64, page_tries: 1 });
    FeedCursor {
        validators: Validators { etag: Some("\"x\"".to_owned()), last_modified: None },
        validators_url: Some("https://rt.example/feed".parse().unwrap()),
        next: time(900),
        interval: Span::secs(900),
        failures: 1,
        not_modified: 2,
        seen: seen.collect(),
        polls,
        stored: 3,
        moved_to: None,
        moved_from: Some("https://rt.example/rss".parse().unwrap()),
        led_away: Some(LedAway { to: "https://rt.example/2".parse().unwrap(), polls: 3 }),
        body_hash: Some(4),
        distrusted: false,
        recurring,
    }
}

fn recurring(polls: u64) -> RecurringLines {
    let mut lines = RecurringLines::default();
    for number in 0..polls.min(40) {
        lines.observe("rt.example", &number.to_string(), "عنوان", "سطر\nسطر آخر");
    }
    lines
}

#[test]
fn cursors_and_the_last_fifty_polls_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(dir.path());
    assert_eq!(store.cursor(&feed("rt")).unwrap(), None);
    for n in 0..60 {
        let outcome = PollOutcome { status: Some(200), notes: vec!["م".repeat(4_000)], ..PollOutcome::default() };
        let poll = PollRecord { at: time(n), took_ms: 5, outcome, next: time(n + 900), rule: "عادي".to_owned() };
        let cursors = vec![(feed("rt"), cursor(n as u64, 2_000 - n as usize), Some(poll))];
        assert_eq!(writer.commit(Group { cursors, ..Group::default() }).unwrap(), Seq(0));
    }
    writer.commit(Group { cursors: vec![(feed("rt2"), cursor(0, 0), None)], ..Group::default() }).unwrap();
    assert_eq!(store.cursor(&feed("rt")).unwrap(), Some(cursor(59, 1_941)));
    let polls = store.polls(&feed("rt")).unwrap();
    assert_eq!((polls.len(), polls[0].at, polls[49].at), (50, time(59), time(10)));
    assert_eq!(polls[0].outcome.notes[0].chars().count(), 4_000);
    assert!(store.polls(&feed("rt2")).unwrap().is_empty());
    clean(&store);
}

#[test]
fn the_last_unread_document_of_a_feed_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(dir.path());
    let error = PollError {
        kind: "k".into(),
        message: "م".into(),
        hint: "h".into(),
        severity: Severity::Soft,
        retry_after: None,
    };
    let document = |second: i64, length: u32, error: &Option<PollError>| Unread {
        at: time(second),
        url: "https://rt.example/feed".parse().unwrap(),
        status: 200,
        content_type: Some("text/html".into()),
        charset: None,
        cut: Some("ق".into()),
        length: u64::from(length) + 1,
        // Hardly to be packed: it takes many chunks.
        bytes: (0..length).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()).collect(),
        error: error.clone(),
    };
    assert_eq!(store.unread(&feed("rt")).unwrap(), None);
    for (second, length, error) in [(1, 200_000, Some(error)), (2, 0, None), (3, 50_000, None), (4, 50_000, None)] {
        let unread = document(second, length, &error);
        let refused = vec![Refused::new("parse", "ق", "م")];
        let outcome = PollOutcome { refused, ..PollOutcome::default() };
        let poll = PollRecord { at: time(second), took_ms: 5, outcome, next: time(900), rule: String::new() };
        let cursors = vec![(feed("rt"), cursor(1, 1), Some(poll.clone()))];
        writer.commit(Group { cursors, unread: vec![(feed("rt"), unread.clone())], ..Group::default() }).unwrap();
        assert_eq!(store.unread(&feed("rt")).unwrap(), Some(unread));
        assert_eq!(store.polls(&feed("rt")).unwrap()[0], poll);
        clean(&store);
    }
    writer.commit(Group { unread: vec![(feed("rt2"), document(9, 9, &None))], ..Group::default() }).unwrap();
    writer.prune(time(9), 10).unwrap();
    assert_eq!(store.unread(&feed("rt")).unwrap(), None, "as old as what retention removes");
    assert!(store.unread(&feed("rt2")).unwrap().is_some());
    clean(&store);
}

#[test]
fn a_group_too_large_is_refused_whole() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(dir.path());
    let items: Vec<_> = (0..=MAX_GROUP).map(|n| new(candidate("rt", &n.to_string(), "نص", 1))).collect();
    assert!(matches!(writer.commit(group(1, items)), Err(StoreError::TooLarge { items: 257 })));
    assert_eq!(store.stats().unwrap().items, 0);
}

#[test]
fn a_store_has_one_owner() {
    let dir = tempfile::tempdir().unwrap();
    let (store, writer) = opened(dir.path());
    let error = refused(dir.path());
    assert!(matches!(&error, StoreError::Locked { path } if path == dir.path()), "{error:?}");
    drop(writer);
    assert!(matches!(refused(dir.path()), StoreError::Locked { .. }), "a reader holds it, too");
    drop(store);
    for _ in 0..5 {
        opened(dir.path());
    }
    let file = dir.path().join("file");
    fs::write(&file, "x").unwrap();
    assert!(refused(&file).to_string().contains(file.to_str().unwrap()));
}
