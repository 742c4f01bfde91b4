//! What people said of verdicts holds for what comes in, within a group and after a restart; and the index in memory is what
//! one made from the store would be.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use tokio::sync::{oneshot, watch};
use url::Url;

use super::{Committer, Order};
use crate::dedup::{DedupConfig, Fingerprint, Index, Original, Verdict, VerdictKind};
use crate::id::{EntryKey, ItemId};
use crate::item::{Candidate, Content, Correction, Item};
use crate::pipeline::now;
use crate::serve::Loaded;
use crate::store::{self, Corrected, Correcting, Decided, Group, Store, StoreConfig};
use crate::story::Sketch;
use crate::units::ByteSize;

const LETTERS: [char; 16] = ['ب', 'ت', 'ج', 'ح', 'د', 'ر', 'ز', 'س', 'ش', 'ص', 'ط', 'ع', 'ف', 'ق', 'ك', 'ل'];

/// Words `from` to `to` of the text `number`; no two texts share any.
fn words(number: usize, from: usize, to: usize) -> String {
    let word = |at: usize| -> String {
        let code = number * 4_001 + at;
        (0..6).map(|n| LETTERS[(code >> (4 * n)) & 15]).collect()
    };
    (from..to).map(word).collect::<Vec<_>>().join(" ")
}

/// An entry of a feed, fetched `minutes` after the beginning of the test.
fn entry(feed: &str, key: &str, text: &str, minutes: i64) -> Candidate {
    let at = now() - SignedDuration::from_hours(2) + SignedDuration::from_mins(minutes);
    let url: Url = format!("https://{feed}.example/{key}").parse().unwrap();
    // Without numbers: texts that differ in these are updates.
    let title = words(100 + usize::from(feed.as_bytes()[0]) * 30 + usize::from(key.as_bytes()[0]), 0, 6);
    let content = Content {
        url: Some(url.clone()),
        canonical_url: Some(url),
        guid: Some(key.to_owned()),
        ..Content::saying(&title, text, at)
    };
    let hash = xxhash_rust::xxh3::xxh3_64(text.as_bytes());
    let (feed, key, fingerprint) = (feed.parse().unwrap(), EntryKey::of("guid", key), Fingerprint::of(&title, text));
    let sketch = Sketch::of(&title, text);
    Candidate { feed, key, hash, fingerprint, sketch, content, topics: Vec::new() }
}

/// The same under another guid.
fn renamed(mut entry: Candidate, key: &str) -> Candidate {
    entry.key = EntryKey::of("guid", key);
    entry.content.guid = Some(key.to_owned());
    entry
}

fn id(entry: &Candidate) -> ItemId {
    ItemId::of(&entry.feed, entry.key)
}

struct Room {
    committer: Committer,
    store: Store,
    _loaded: watch::Sender<Arc<Loaded>>,
}

impl Room {
    fn open(dir: &std::path::Path) -> Self {
        let config = StoreConfig { path: dir.to_owned(), cache: ByteSize::mib(8), ..StoreConfig::default() };
        let (store, writer) = store::open(&config).unwrap();
        let (loaded, seen) = watch::channel(Arc::default());
        let mut committer = Committer::new(store.clone(), writer, seen, &DedupConfig::default());
        committer.load().unwrap();
        Self { committer, store, _loaded: loaded }
    }

    fn reopen(self, dir: &std::path::Path) -> Self {
        drop(self);
        Self::open(dir)
    }

    /// Stores entries as one group.
    fn take(&mut self, entries: &[Candidate]) {
        for entry in entries {
            if let Some(decided) = self.committer.decide(entry).unwrap() {
                self.committer.pending.group.items.push(decided);
            }
        }
        self.committer.write().unwrap();
        self.clean();
    }

    fn correct(&mut self, correcting: Correcting) -> Result<Corrected, String> {
        let (answer, mut told) = oneshot::channel();
        self.committer.obey(Order::Correct { correcting, answer }).unwrap();
        self.clean();
        told.try_recv().unwrap()
    }

    fn split(&mut self, item: &Candidate) -> Result<Corrected, String> {
        self.correct(Correcting::Split { item: id(item), why: None })
    }

    fn join(&mut self, item: &Candidate, of: &Candidate) -> Result<Corrected, String> {
        self.correct(Correcting::Join { item: id(item), of: Original::Item(id(of)), alike: None, why: None })
    }

    fn forget(&mut self, item: &Candidate) -> Result<Corrected, String> {
        self.correct(Correcting::Forget { item: id(item) })
    }

    fn item(&self, of: &Candidate) -> Item {
        self.store.item(id(of)).unwrap().expect("it is stored")
    }

    /// Kind and original of an entry's verdict.
    fn verdict(&self, of: &Candidate) -> (VerdictKind, Option<ItemId>) {
        let verdict = self.item(of).verdict;
        let of = match verdict.of {
            Some(Original::Item(id)) => Some(id),
            _ => None,
        };
        (verdict.kind, of)
    }

    fn listed(&self, of: &Candidate) -> Vec<ItemId> {
        let mut copies: Vec<_> = self.item(of).copies.iter().map(|copy| copy.id).collect();
        copies.sort_unstable();
        copies
    }

    fn clean(&self) {
        assert_eq!(self.store.verify().unwrap(), Vec::<String>::new());
    }

    /// What retention does: removes the oldest items stored before.
    fn prune(&mut self, before: Timestamp, most: usize) {
        self.committer.writer.prune(before, most).unwrap();
        self.committer.follow();
        self.clean();
    }

    /// What the index in memory answers for some texts, beside one made from the store.
    fn agree(&mut self, dir: &std::path::Path, probes: &[Fingerprint]) {
        fn answers(committer: &mut Committer, probes: &[Fingerprint]) -> Vec<String> {
            let start = committer.window_start();
            let index = committer.index.as_mut().unwrap();
            index.expire(start);
            let mut all = vec![index.len().to_string()];
            for probe in probes {
                let found = index.candidates(probe, 1);
                let mut found: Vec<_> = found
                    .iter()
                    .map(|f| {
                        let marks = xxhash_rust::xxh3::xxh3_64(format!("{:?}", f.item.marks).as_bytes());
                        format!("{} {} {marks} {:?}", f.item.id, f.item.at, f.overlap)
                    })
                    .collect();
                found.sort();
                all.extend(found);
            }
            all
        }
        let live = answers(&mut self.committer, probes);
        let corrections = std::mem::take(&mut self.committer.corrections);
        self.committer.load().unwrap();
        assert_eq!(live, answers(&mut self.committer, probes), "{}", dir.display());
        assert_eq!(format!("{:?}", corrections.sorted()), format!("{:?}", self.committer.corrections.sorted()));
    }
}

fn ids(entries: &[&Candidate]) -> Vec<ItemId> {
    let mut ids: Vec<_> = entries.iter().map(|entry| id(entry)).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn a_split_holds_for_the_item_and_its_text_whatever_comes() {
    let dir = tempfile::tempdir().unwrap();
    let mut room = Room::open(dir.path());
    let original = entry("a", "1", &words(1, 0, 200), 0);
    let near = entry("b", "1", &format!("{} {}", words(1, 0, 150), words(2, 0, 40)), 1);
    let twin = entry("c", "1", &near.content.text, 2);
    // It comes last and was published first.
    let excerpt = entry("d", "1", &words(1, 100, 200), -30);
    room.take(&[original.clone(), near.clone(), twin.clone(), excerpt.clone()]);
    assert_eq!(room.verdict(&near), (VerdictKind::Near, Some(id(&original))));
    assert_eq!(room.listed(&original), ids(&[&near, &twin, &excerpt]));
    let first = &room.item(&original).copies[0];
    assert_eq!((first.id, first.published_at < room.item(&original).content.published_at), (id(&excerpt), true));
    // A text that is the copy's letter for letter goes with it.
    assert_eq!(room.split(&near).unwrap().moved, [id(&twin)]);
    assert_eq!(room.verdict(&near), (VerdictKind::New, None));
    assert_eq!(room.verdict(&twin), (VerdictKind::Exact, Some(id(&near))));
    assert_eq!((room.listed(&near), room.listed(&original)), (ids(&[&twin]), ids(&[&excerpt])));
    let judged = room.item(&near).judged.unwrap();
    assert_eq!((judged.kind, judged.of), (Correction::Split, Original::Item(id(&original))));
    assert!(room.split(&near).unwrap_err().contains("an item of its own already"));

    for restart in [false, true] {
        if restart {
            room = room.reopen(dir.path());
        }
        let n = if restart { "r" } else { "l" };
        // The same entry, the same under another guid, an exact copy, a near copy of either, in one group.
        let exact = entry("e", n, &near.content.text, 5);
        let nearer = entry("f", n, &format!("{} {}", words(9, 0, 3), near.content.text), 6);
        let other = entry("g", n, &format!("{} {}", words(8, 0, 3), original.content.text), 7);
        room.take(&[near.clone(), renamed(near.clone(), n), exact.clone(), nearer.clone(), other.clone()]);
        assert!(room.store.item(id(&renamed(near.clone(), n))).unwrap().is_none(), "it is the same entry");
        assert_eq!(room.verdict(&exact), (VerdictKind::Exact, Some(id(&near))));
        assert_eq!(room.verdict(&nearer), (VerdictKind::Near, Some(id(&near))));
        assert_eq!(room.verdict(&other), (VerdictKind::Near, Some(id(&original))));
        // A revision.
        let mut revised = near.clone();
        revised.content.title.push_str(n);
        revised.content.fetched_at = now();
        revised.hash += 1 + u64::from(restart);
        revised.fingerprint = Fingerprint::of(&revised.content.title, &revised.content.text);
        room.take(&[revised]);
        assert_eq!(room.item(&near).verdict.kind, VerdictKind::Revision);
        assert!(room.item(&near).judged.is_some() && !room.item(&near).is_hidden());
        room.agree(dir.path(), &[near.fingerprint.clone(), original.fingerprint.clone(), excerpt.fingerprint.clone()]);
    }
    // Taken back, it is the copy that it was, and what went with it comes along.
    room.forget(&near).unwrap();
    assert_eq!(room.verdict(&near), (VerdictKind::Near, Some(id(&original))));
    assert_eq!(room.verdict(&twin).1, Some(id(&original)));
    assert!(room.item(&near).judged.is_none());
    assert!(room.forget(&near).unwrap_err().contains("nothing was said"));
    room.agree(dir.path(), &[near.fingerprint.clone(), original.fingerprint.clone()]);
}

#[test]
fn an_exact_copy_that_is_split_has_its_text_and_those_that_say_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let mut room = Room::open(dir.path());
    let original = entry("a", "1", &words(1, 0, 50), 0);
    let copy = entry("b", "1", &original.content.text, 1);
    let before = entry("c", "1", &original.content.text, 2);
    room.take(&[original.clone(), copy.clone(), before.clone()]);
    assert_eq!(room.verdict(&copy), (VerdictKind::Exact, Some(id(&original))));
    assert_eq!(room.split(&copy).unwrap().moved, [id(&before)]);
    room = room.reopen(dir.path());
    // The original changes: nobody borrows from it any more.
    let mut revised = entry("a", "1", &words(1, 0, 60), 3);
    revised.content.fetched_at = now();
    let after = entry("d", "1", &original.content.text, 4);
    room.take(&[after.clone(), revised.clone(), original.clone()]);
    for item in [&copy, &before, &after] {
        assert_eq!(room.item(item).content.text, original.content.text);
    }
    assert_eq!(room.item(&original).content.text, revised.content.text);
    assert_eq!(room.listed(&copy), ids(&[&before, &after]));
    // The other one is stored anew, with the text that both had: it is no copy of the one that was split from it.
    room.prune(Timestamp::MAX, 1);
    room.take(std::slice::from_ref(&original));
    assert_eq!(room.verdict(&original), (VerdictKind::New, None));
    let last = entry("e", "1", &original.content.text, 5);
    room.take(std::slice::from_ref(&last));
    assert_eq!(room.verdict(&last), (VerdictKind::Exact, Some(id(&copy))));
    room.agree(dir.path(), &[original.fingerprint.clone(), revised.fingerprint.clone()]);
}

#[test]
fn what_was_said_outlives_the_item() {
    let dir = tempfile::tempdir().unwrap();
    let mut room = Room::open(dir.path());
    let original = entry("a", "1", &words(1, 0, 200), 0);
    let copy = entry("b", "1", &words(1, 0, 180), 1);
    let strange = entry("c", "1", &words(7, 0, 120), 2);
    let guid = renamed(entry("b", "1", &words(1, 0, 180), 1), "2");
    room.take(&[copy.clone(), strange.clone()]);
    room.take(std::slice::from_ref(&original));
    assert_eq!(room.verdict(&original), (VerdictKind::Near, Some(id(&copy))), "the copy came first");
    room.split(&original).unwrap();
    room.join(&strange, &original).unwrap();
    assert_eq!(room.verdict(&strange), (VerdictKind::Near, Some(id(&original))));
    // Retention takes the two that are older; what was said is still there when they come again, under whatever guid.
    room.prune(Timestamp::MAX, 2);
    assert_eq!(room.store.corrections().unwrap().len(), 2);
    assert!(room.listed(&original).is_empty());
    room = room.reopen(dir.path());
    let twin = entry("d", "1", &strange.content.text, 3);
    room.take(&[strange.clone(), twin.clone(), copy.clone(), guid.clone()]);
    assert_eq!(room.verdict(&strange), (VerdictKind::Near, Some(id(&original))));
    assert_eq!(room.item(&strange).judged.unwrap().kind, Correction::Joined);
    assert_eq!(room.verdict(&twin).1, Some(id(&original)));
    assert_eq!(room.verdict(&copy), (VerdictKind::New, None), "the other way round neither");
    assert!(room.item(&copy).judged.is_none());
    // The original is removed in turn, and comes again as what a person said it is: no copy.
    room.prune(Timestamp::MAX, 1);
    assert!(room.store.item(id(&original)).unwrap().is_none());
    room.take(std::slice::from_ref(&original));
    assert_eq!(room.verdict(&original), (VerdictKind::New, None));
    assert!(room.item(&original).judged.is_some());
    let probes = [original.fingerprint.clone(), copy.fingerprint.clone(), strange.fingerprint.clone()];
    room.agree(dir.path(), &probes);
}

#[test]
fn what_is_joined_takes_its_copies_along_and_its_likes_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut room = Room::open(dir.path());
    let one = entry("a", "1", &words(1, 0, 120), 0);
    let two = entry("b", "1", &words(2, 0, 120), 1);
    let copy = entry("c", "1", &two.content.text, 2);
    room.take(&[one.clone(), two.clone(), copy.clone()]);
    assert_eq!(room.join(&two, &one).unwrap().moved, [id(&copy)]);
    assert_eq!(room.verdict(&two), (VerdictKind::Near, Some(id(&one))));
    assert_eq!(
        room.verdict(&copy),
        (VerdictKind::Near, Some(id(&one))),
        "it is to the original what the joined one is"
    );
    assert_eq!(room.item(&copy).content.text, two.content.text, "the text that it borrowed");
    assert_eq!(room.listed(&one), ids(&[&two, &copy]));
    for (item, of, said) in [
        (&one, &one, "a copy of itself"),
        (&one, &two, "is listed under"),
        (&one, &copy, "is listed under"),
        (&entry("x", "9", "", 0), &one, "there is no item"),
        (&one, &entry("x", "9", "", 0), "there is no item"),
    ] {
        let refused = room.join(item, of).unwrap_err();
        assert!(refused.contains(said), "{refused}");
    }
    for restart in [false, true] {
        if restart {
            room = room.reopen(dir.path());
        }
        let n = if restart { "r" } else { "l" };
        let exact = entry("d", n, &two.content.text, 4);
        let nearer = entry("e", n, &format!("{} {}", words(9, 0, 3), two.content.text), 5);
        room.take(&[two.clone(), exact.clone(), nearer.clone(), renamed(two.clone(), n)]);
        assert_eq!(room.verdict(&exact), (VerdictKind::Near, Some(id(&one))));
        assert_eq!(room.verdict(&nearer), (VerdictKind::Near, Some(id(&one))));
        assert!(room.store.item(id(&renamed(two.clone(), n))).unwrap().is_none());
        room.agree(dir.path(), &[one.fingerprint.clone(), two.fingerprint.clone()]);
    }
    room.forget(&two).unwrap();
    assert_eq!(room.verdict(&two), (VerdictKind::New, None));
    assert_eq!(room.listed(&two).len(), 5);
    assert!(room.listed(&one).is_empty());
    room.agree(dir.path(), &[one.fingerprint.clone(), two.fingerprint.clone()]);
}

#[test]
fn a_fuller_text_takes_the_place_of_its_summary_within_a_group_and_after_it() {
    for at_once in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let mut room = Room::open(dir.path());
        let summary = entry("a", "1", &words(1, 0, 60), 0);
        let reprint = entry("b", "1", &summary.content.text, 1);
        let full = entry("a", "2", &words(1, 0, 200), 2);
        let late = entry("c", "1", &summary.content.text, 3);
        let fuller = entry("d", "1", &words(1, 0, 600), 4);
        let last = entry("e", "1", &full.content.text, 5);
        let all = [&summary, &reprint, &full, &late, &fuller, &last].map(Clone::clone);
        if at_once {
            room.take(&all);
        } else {
            all.iter().for_each(|entry| room.take(std::slice::from_ref(entry)));
        }
        assert_eq!(room.verdict(&full), (VerdictKind::Expands, Some(id(&summary))), "its history is kept");
        assert_eq!(room.verdict(&fuller), (VerdictKind::Expands, Some(id(&full))));
        for superseded in [&summary, &full] {
            assert_eq!(room.item(superseded).superseded_by, Some(id(&fuller)), "the one in sight");
        }
        assert_eq!(room.listed(&fuller), ids(&[&summary, &reprint, &full, &late, &last]));
        for copy in [&reprint, &late, &last] {
            assert_eq!(room.verdict(copy), (VerdictKind::Contained, Some(id(&fuller))));
        }
        let stats = room.store.stats().unwrap();
        assert_eq!((stats.items, stats.duplicates), (1, 5));
        room.agree(dir.path(), &all.clone().map(|entry| entry.fingerprint));
        // A person wants the full one in sight, beside the fuller: what is nearer to it comes along.
        room.split(&full).unwrap();
        assert_eq!(room.verdict(&last), (VerdictKind::Exact, Some(id(&full))));
        assert!(!room.item(&full).is_hidden());
        room.agree(dir.path(), &all.clone().map(|entry| entry.fingerprint));
        room.forget(&full).unwrap();
        assert_eq!(room.listed(&fuller), ids(&[&summary, &reprint, &full, &late, &last]));
        // What is like a text that is listed elsewhere goes with what was split from there, too.
        room.split(&reprint).unwrap();
        let like = entry("f", "1", &format!("{} {}", words(9, 0, 2), summary.content.text), 6);
        room.take(std::slice::from_ref(&like));
        assert_eq!(room.verdict(&like), (VerdictKind::Near, Some(id(&reprint))));
        room.forget(&reprint).unwrap();
        // The fuller one is no fuller text of it at all.
        room.split(&fuller).unwrap();
        assert_eq!((room.verdict(&fuller), room.item(&full).superseded_by), ((VerdictKind::New, None), None));
        room.agree(dir.path(), &all.map(|entry| entry.fingerprint));
    }
}

#[test]
fn another_report_that_expands_an_article_leaves_it_in_sight() {
    // Background in common; a page that has it whole, among others; the same title; the same address.
    let article = entry("a", "1", &words(1, 0, 100), 0);
    let follow_up = |title: bool, address: bool, hours: i64| {
        let mut full = entry("b", "2", &format!("{}\n{}", words(2, 0, 150), words(1, 20, 90)), 60 * hours);
        if address {
            full.content.canonical_url = article.content.canonical_url.clone();
        }
        if title {
            full.content.title = article.content.title.clone();
            full.fingerprint = Fingerprint::of(&full.content.title, &full.content.text);
        }
        full
    };
    let round_up = entry("b", "3", &[words(3, 0, 100), words(4, 0, 90), words(1, 0, 100)].join("\n\n"), 1);
    for (full, superseded) in [
        (follow_up(false, false, 1), false),
        (round_up, false),
        (follow_up(true, false, 1), true),
        (follow_up(true, false, -24), false),
        (follow_up(false, true, 24), true),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut room = Room::open(dir.path());
        room.take(&[article.clone(), full.clone()]);
        assert_eq!(room.verdict(&full), (VerdictKind::Expands, Some(id(&article))));
        assert_eq!(room.item(&article).superseded_by, superseded.then_some(id(&full)));
    }
}

#[test]
fn what_an_original_hid_comes_into_sight_when_retention_takes_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut room = Room::open(dir.path());
    let original = entry("a", "1", &words(1, 0, 200), 0);
    room.take(std::slice::from_ref(&original));
    let before = now();
    let half = entry("b", "1", &words(1, 0, 90), 1);
    let other_half = entry("c", "1", &words(1, 110, 200), 2);
    let whole = entry("d", "1", &original.content.text, 3);
    room.take(&[half.clone(), other_half.clone(), whole.clone()]);
    assert_eq!(room.listed(&original).len(), 3);
    room.prune(before, 10);
    // The one that says the same takes its place.
    assert_eq!(room.verdict(&whole), (VerdictKind::New, None));
    assert_eq!(room.item(&whole).content.text, original.content.text);
    assert_eq!(room.listed(&whole), ids(&[&half, &other_half]));
    room.agree(dir.path(), &[original.fingerprint.clone(), half.fingerprint.clone(), other_half.fingerprint.clone()]);

    // A summary that was joined under a younger text: each half is then an item of its own.
    let young = entry("e", "1", &words(5, 0, 100), 4);
    room.take(std::slice::from_ref(&young));
    room.join(&whole, &young).unwrap();
    assert_eq!(room.listed(&young), ids(&[&half, &other_half, &whole]));
    room.correct(Correcting::Split { item: id(&half), why: Some("ليس نسخة".to_owned()) }).unwrap();
    assert_eq!(room.item(&half).judged.unwrap().why.as_deref(), Some("ليس نسخة"));
    room.agree(dir.path(), &[original.fingerprint.clone(), half.fingerprint.clone(), young.fingerprint.clone()]);
}

#[test]
fn what_was_stored_before_the_window_is_not_in_it_by_being_revised() {
    let dir = tempfile::tempdir().unwrap();
    let mut room = Room::open(dir.path());
    let old = entry("a", "1", &words(1, 0, 100), -45 * 24 * 60);
    let decided = Decided { candidate: old.clone(), verdict: Verdict::new_item() };
    let at = Some(old.content.fetched_at);
    room.committer.writer.commit(Group { items: vec![decided], at, ..Group::default() }).unwrap();
    let revised = entry("a", "1", &words(1, 0, 110), 0);
    room.take(std::slice::from_ref(&revised));
    assert_eq!(room.item(&old).revision, 2);
    room.agree(dir.path(), std::slice::from_ref(&old.fingerprint));
    assert_eq!(room.committer.index.as_ref().map(Index::len), Some(0));
}

#[derive(Clone, Debug)]
enum Step {
    Take(Vec<(usize, usize)>),
    Revise(usize, usize),
    Split(usize),
    Join(usize, usize),
    Forget(usize),
    Prune(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let n = || 0..8usize;
    prop_oneof![
        4 => prop::collection::vec((n(), 0..10usize), 1..6).prop_map(Step::Take),
        2 => (n(), 0..10usize).prop_map(|(n, text)| Step::Revise(n, text)),
        3 => n().prop_map(Step::Split),
        3 => (n(), n()).prop_map(|(item, of)| Step::Join(item, of)),
        2 => n().prop_map(Step::Forget),
        1 => (1..5usize).prop_map(Step::Prune),
    ]
}

/// Texts of which some are parts of others, some nearly the same, some alike in nothing.
fn text(which: usize) -> String {
    match which {
        0 => words(1, 0, 200),
        1 => words(1, 0, 60),
        2 => words(1, 0, 600),
        3 => format!("{} {}", words(2, 0, 5), words(1, 0, 200)),
        4 => words(1, 300, 600),
        5 => words(3, 0, 100),
        6 => format!("{} {}", words(3, 0, 90), words(4, 0, 8)),
        7 => format!("{} {}", words(1, 0, 60), words(3, 0, 100)),
        8 => words(1, 0, 59),
        _ => words(5, 0, 8),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_index_made_from_the_store_answers_as_the_one_in_memory(steps in prop::collection::vec(step(), 1..14)) {
        let dir = tempfile::tempdir().unwrap();
        let mut room = Room::open(dir.path());
        let probes: Vec<Fingerprint> = (0..10).map(|n| Fingerprint::of("", &text(n))).collect();
        // One of eight was published before the window.
        let of = |n: usize, which: usize| {
            let minutes = if n == 7 { -45 * 24 * 60 } else { n as i64 };
            entry(["a", "b", "c"][n % 3], &n.to_string(), &text(which), minutes)
        };
        let mut times = Vec::new();
        for step in steps {
            match step {
                Step::Take(entries) => {
                    let entries: Vec<_> = entries.into_iter().map(|(n, which)| of(n, which)).collect();
                    room.take(&entries);
                }
                Step::Revise(n, which) => {
                    let mut revised = of(n, which);
                    (revised.content.fetched_at, revised.content.published_at) = (now(), now());
                    room.take(&[revised]);
                }
                Step::Split(n) => drop(room.split(&of(n, 0))),
                Step::Join(item, original) => drop(room.join(&of(item, 0), &of(original, 0))),
                Step::Forget(n) => drop(room.forget(&of(n, 0))),
                // What was stored until so many steps ago.
                Step::Prune(ago) => room.prune(times.iter().rev().nth(ago).copied().unwrap_or(Timestamp::UNIX_EPOCH), 256),
            }
            times.push(now());
            room.agree(dir.path(), &probes);
            // Whatever is listed is listed under something in sight, and says what it said.
            let all = store::ItemQuery { duplicates: true, limit: 500, ..Default::default() };
            for item in room.store.items(&all).unwrap().items {
                let Some(Original::Item(original)) = item.original() else { continue };
                if let Some(original) = room.store.item(original).unwrap() {
                    prop_assert!(!original.is_hidden());
                    prop_assert!(original.copies.iter().any(|copy| copy.id == item.id));
                }
            }
        }
    }
}
