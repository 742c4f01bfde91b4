//! The store beside a plain map that does the same: whatever the steps, they agree.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rasid::dedup::{Original, VerdictKind};
use rasid::id::{ItemId, Seq};
use rasid::item::{Candidate, LogKind};
use rasid::store::{Decided, ItemQuery, Store, StoreConfig};

use super::{about, candidate, clean, copy, group, id, new, opened, revised, time};

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
            self.log.push((LogKind::Removed, id));
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
    Reopen,
    /// Everything is sealed into files, put together and written again.
    Compact,
    /// A backup is made, and the store goes on from it elsewhere.
    Restore,
    /// The store is made again of its records.
    Repair,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => prop::collection::vec((0..6usize, 0..3usize, 0..5usize, 0..6usize), 1..6).prop_map(Step::Commit),
        1 => (1..3usize).prop_map(Step::Prune),
        2 => Just(Step::Reopen),
        2 => Just(Step::Compact),
        1 => Just(Step::Restore),
        1 => Just(Step::Repair),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn behaves_like_a_map_with_a_log(steps in prop::collection::vec(step(), 1..9)) {
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
