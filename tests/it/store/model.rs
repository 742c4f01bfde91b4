//! The store beside a plain map that does the same: whatever the steps, they agree.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rasid::dedup::{Original, VerdictKind};
use rasid::id::{ItemId, Seq};
use rasid::item::{Candidate, LogKind};
use rasid::store::{Decided, ItemQuery, Policies, Retention, Store, StoreConfig};
use rasid::units::Span;

use super::{about, candidate, clean, copy, feed, group, id, new, opened, revised, time};

/// What the store should hold after each step, kept simply.
#[derive(Clone, Debug)]
struct Expected {
    no: usize,
    candidate: Candidate,
    stored: i64,
    revision: u32,
    kind: VerdictKind,
    of: Option<ItemId>,
}

#[derive(Default)]
struct Model {
    items: BTreeMap<ItemId, Expected>,
    pins: BTreeSet<ItemId>,
    log: Vec<(LogKind, ItemId)>,
}

impl Model {
    fn store(&mut self, decided: &Decided, second: i64) {
        let (candidate, verdict) = (decided.candidate.clone(), &decided.verdict);
        let this = id(&candidate);
        if let Some(item) = self.items.get_mut(&this) {
            if verdict.kind == VerdictKind::Revision && candidate.content != item.candidate.content {
                item.candidate = candidate;
                item.revision += 1;
                if item.kind == VerdictKind::New {
                    item.kind = VerdictKind::Revision;
                }
                self.log.push((LogKind::Revised, this));
            }
            return;
        }
        let mut of = match &verdict.of {
            Some(Original::Item(of)) => Some(*of),
            _ => None,
        };
        // A copy of a copy is one of the original, however many stand between; a ring of copies ends where it began.
        for _ in 0..8 {
            match of.filter(|of| *of != this).and_then(|of| self.items.get(&of)).filter(|item| item.kind.is_duplicate())
            {
                Some(copy) => of = copy.of,
                None => break,
            }
        }
        let copy = verdict.kind.is_duplicate() && of != Some(this);
        let kind = if copy { verdict.kind } else { VerdictKind::New };
        let no = self.log.len() + 1;
        self.log.push((if copy { LogKind::Duplicate } else { LogKind::New }, this));
        self.items.insert(this, Expected { no, candidate, stored: second, revision: 1, kind, of: of.filter(|_| copy) });
    }

    fn prune(&mut self, before: i64, max: usize) {
        let mut old: Vec<_> = self.items.iter().map(|(id, item)| (item.no, item.stored, *id)).collect();
        old.sort_unstable();
        for (_, _, id) in old.into_iter().take_while(|(_, stored, _)| *stored < before).take(max) {
            self.items.remove(&id);
            self.pins.remove(&id);
            self.log.push((LogKind::Removed, id));
        }
    }

    /// Which items have expired by these policies, `second` being now.
    fn expired(&self, by: usize, second: i64) -> BTreeSet<ItemId> {
        let passed = |item: &Expected| {
            let feed_age = AGES[by].1.iter().find(|(feed, _)| *feed == item.candidate.feed.as_str());
            let topic_age = AGES[by].2.iter().find(|(topic, _)| *topic == item.candidate.topics[0].id.as_str());
            // The longest that is said; 0 stands for ever.
            let longest = feed_age.into_iter().chain(topic_age).map(|(_, age)| *age);
            let age = longest.max_by_key(|age| if *age == 0 { i64::MAX } else { *age }).unwrap_or(AGES[by].0);
            age > 0 && item.stored < second - age
        };
        let expired = self.items.iter().filter(|(id, item)| passed(item) && !self.pins.contains(*id));
        expired.map(|(id, _)| *id).collect()
    }

    /// Takes over what the store removed, where it is what had to go; and what has become of copies of that.
    fn expire(&mut self, expired: &BTreeSet<ItemId>, store: &Store) {
        let told = store.log(Seq(self.log.len() as u64), 500).unwrap();
        let removed: Vec<_> = told.iter().filter(|record| record.kind == LogKind::Removed).map(|r| r.id).collect();
        assert_eq!(removed.len(), expired.len(), "each once");
        assert_eq!(removed.iter().copied().collect::<BTreeSet<_>>(), *expired);
        self.items.retain(|id, _| !expired.contains(id));
        let left = |item: &Expected| item.of.is_some_and(|of| expired.contains(&of));
        let orphans: BTreeSet<ItemId> = self.items.iter().filter(|(_, item)| left(item)).map(|(id, _)| *id).collect();
        for record in &told {
            assert!(record.kind == LogKind::Removed || orphans.contains(&record.id), "{record:?}");
            self.log.push((record.kind, record.id));
        }
        for id in orphans {
            let item = store.item(id).unwrap().unwrap();
            let of = match item.verdict.of {
                Some(Original::Item(of)) if item.verdict.kind.is_duplicate() => Some(of),
                _ => None,
            };
            let in_sight = of.is_none_or(|of| self.items.get(&of).is_some_and(|item| item.of.is_none()));
            assert!(item.verdict.kind.is_duplicate() == of.is_some() && (in_sight || of.is_some()), "{item:?}");
            let orphan = self.items.get_mut(&id).unwrap();
            (orphan.kind, orphan.of) = (item.verdict.kind, of);
        }
        for item in self.items.values() {
            assert!(item.of.is_none_or(|of| !expired.contains(&of)), "nothing is listed under what is gone");
        }
    }

    fn check(&self, store: &Store) {
        let mut listed: Vec<_> = self.items.values().collect();
        listed.sort_by_key(|item| std::cmp::Reverse((item.candidate.content.published_at, item.no)));
        let all = store.items(&ItemQuery { duplicates: true, limit: 500, ..ItemQuery::default() }).unwrap().items;
        let seen: Vec<_> = all.iter().map(|item| item.id).collect();
        assert_eq!(seen, listed.iter().map(|item| id(&item.candidate)).collect::<Vec<_>>());
        for (item, expected) in all.iter().zip(listed) {
            assert_eq!(item.content, expected.candidate.content);
            assert_eq!((item.revision, item.verdict.kind), (expected.revision, expected.kind));
            assert_eq!(item.pinned, self.pins.contains(&item.id));
            let of = expected.of.map(Original::Item);
            if expected.kind.is_duplicate() {
                assert_eq!(item.verdict.of, of);
            }
            let copies =
                self.items.values().filter(|copy| copy.kind.is_duplicate() && copy.of == Some(item.id)).count();
            assert_eq!(item.copies.len(), copies);
        }
        let originals = self.items.values().filter(|item| !item.kind.is_duplicate()).count() as u64;
        let stats = store.stats().unwrap();
        assert_eq!((stats.items, stats.items + stats.duplicates), (originals, self.items.len() as u64));
        let log = store.log(Seq(0), 500).unwrap();
        assert_eq!(
            log.iter().map(|record| record.kind).collect::<Vec<_>>(),
            self.log.iter().map(|(kind, _)| *kind).collect::<Vec<_>>()
        );
        for (record, (_, id)) in log.iter().zip(&self.log) {
            assert!(record.item.as_ref().is_none_or(|item| item.id == *id));
        }
        clean(store);
    }
}

#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<(usize, usize, usize, usize)>),
    Prune(usize),
    /// By which of [`AGES`].
    Expire(usize),
    Pin(usize),
    Unpin(usize),
    Reopen,
    /// Everything is sealed into files, put together and written again.
    Compact,
    /// A backup is made, and the store goes on from it elsewhere.
    Restore,
    /// The store is made again of its records.
    Repair,
}

type Ages = (i64, &'static [(&'static str, i64)], &'static [(&'static str, i64)]);

/// Policies: the default age in seconds, those of feeds and of topics; 0 stands for ever.
const AGES: [Ages; 4] =
    [(2, &[], &[]), (1, &[("bbc", 3)], &[("csto", 2)]), (0, &[("rt", 1)], &[]), (1, &[], &[("general", 0)])];

fn policies(by: usize) -> Policies {
    let age = |seconds: i64| match seconds {
        0 => Retention::Forever,
        seconds => Retention::For(Span::secs(seconds as u64)),
    };
    Policies {
        default: age(AGES[by].0),
        by_feed: AGES[by].1.iter().map(|(name, seconds)| (feed(name), age(*seconds))).collect(),
        by_topic: AGES[by].2.iter().map(|(topic, seconds)| (topic.parse().unwrap(), age(*seconds))).collect(),
        ..Policies::default()
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => prop::collection::vec((0..6usize, 0..3usize, 0..5usize, 0..6usize), 1..6).prop_map(Step::Commit),
        1 => (1..3usize).prop_map(Step::Prune),
        2 => Just(Step::Reopen),
        2 => Just(Step::Compact),
        1 => Just(Step::Restore),
        1 => Just(Step::Repair),
        3 => (0..AGES.len()).prop_map(Step::Expire),
        1 => (0..6usize).prop_map(Step::Pin),
        1 => (0..6usize).prop_map(Step::Unpin),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn behaves_like_a_map_with_a_log(steps in prop::collection::vec(step(), 1..14)) {
        let dir = tempfile::tempdir().unwrap();
        let mut path = dir.path().join("0");
        let (mut store, mut writer) = opened(&path);
        let mut model = Model::default();
        let entry = |n: usize, text: usize, second| {
            let text = ["اجتماع في العاصمة", "اجتماع آخر في المدينة", &"نص طويل جدا. ".repeat(900)][text].to_owned();
            about(candidate(["rt", "bbc"][n % 2], &n.to_string(), &text, second), ["csto", "general"][text.len() % 2])
        };
        for (second, step) in (1i64..).zip(steps) {
            match step {
                Step::Commit(entries) => {
                    let decided = entries.into_iter().map(|(n, text, kind, of)| {
                        let candidate = entry(n, text, second);
                        let of = id(&entry(of, 0, 0));
                        match kind {
                            0 | 1 => new(candidate),
                            2 => revised(candidate),
                            3 => copy(VerdictKind::Exact, of, candidate),
                            _ => copy(VerdictKind::Near, of, candidate),
                        }
                    });
                    let decided: Vec<_> = decided.collect();
                    decided.iter().for_each(|decided| model.store(decided, second));
                    let last = writer.commit(group(second, decided)).unwrap();
                    prop_assert_eq!(last.0 as usize, model.log.len());
                }
                Step::Prune(max) => {
                    model.prune(second, max);
                    writer.prune(time(second), max).unwrap();
                }
                Step::Expire(by) => {
                    let expired = model.expired(by, second);
                    let policies = policies(by);
                    let would = store.expired(&policies, time(second), None).unwrap();
                    prop_assert_eq!(would.0.items as usize, expired.len());
                    let (removed, ended) = writer.expire(&policies, time(second), None, 256).unwrap();
                    prop_assert!(ended);
                    prop_assert_eq!(removed, would.0);
                    model.expire(&expired, &store);
                }
                Step::Pin(n) => {
                    let item = id(&entry(n, 0, 0));
                    prop_assert_eq!(writer.pin(time(second), item, None).is_ok(), model.items.contains_key(&item));
                    model.pins.extend(model.items.contains_key(&item).then_some(item));
                }
                Step::Unpin(n) => {
                    let item = id(&entry(n, 0, 0));
                    prop_assert_eq!(writer.unpin(item).unwrap(), model.pins.remove(&item));
                }
                Step::Reopen => {
                    drop((store, writer));
                    (store, writer) = opened(&path);
                }
                Step::Compact => {
                    store.compact(&mut |_, _, _| {}).unwrap();
                }
                Step::Restore => {
                    let backup = dir.path().join(format!("backup-{second}"));
                    let made = store.backup(&backup, &mut |_, _, _| {}).unwrap();
                    prop_assert_eq!(made.seq as usize, model.log.len());
                    drop((store, writer));
                    path = dir.path().join(second.to_string());
                    let config = StoreConfig { path: path.clone(), ..StoreConfig::default() };
                    rasid::store::restore(&backup, &config, &mut |_, _, _| {}).unwrap();
                    (store, writer) = opened(&path);
                }
                Step::Repair => {
                    drop((store, writer));
                    let config = StoreConfig { path: path.clone(), ..StoreConfig::default() };
                    let made = rasid::store::repair(&config, &mut |_, _, _| {}).unwrap();
                    prop_assert_eq!(made.lost, Vec::<String>::new());
                    (store, writer) = opened(&path);
                }
            }
            model.check(&store);
        }
    }
}
