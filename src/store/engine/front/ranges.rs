//! Ranges of a front: what is in sled, and what is in memory.
//!
//! In: a table, a range. Out: its entries, from either end.
//! Promise: no reader holds the writer up for longer than it takes to copy a few entries.
//! Not here: laying them over what is sealed ([`crate::store::engine::layers`]).

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, PoisonError};

use super::{Front, read_value};
use crate::store::engine::layers::{self, Range, Record, Said, Source};
use crate::store::engine::prefix_range;
use crate::store::engine::tables::Table;

/// How many entries of the memory are copied out at once.
const AT_ONCE: usize = 64;

/// The entries in memory, by table and key.
pub(super) type Derived = BTreeMap<Place, Option<Vec<u8>>>;

type Place = (Table, Vec<u8>);

impl Front {
    /// Whether there may be a key now that begins so.
    pub(in crate::store::engine) fn may_begin(&self, table: Table, prefix: &[u8]) -> bool {
        self.trees[table as usize].is_some() || !self.has_none(table, &prefix_range(prefix))
    }

    /// What an entry of sled says.
    pub(super) fn said(&self, table: Table, entry: Entry) -> Said {
        let (key, value) = entry.map_err(|error| self.tree_error(table, &error))?;
        Ok((key.to_vec(), read_value(&value).map(<[u8]>::to_vec)))
    }

    /// Whether nothing of a range is in memory now.
    pub(super) fn has_none(&self, table: Table, range: &Range) -> bool {
        let derived = self.derived.read().unwrap_or_else(PoisonError::into_inner);
        derived.range(within(table, range)).next().is_none()
    }
}

/// Rule 6: over after the first error. On a bad page or a disk that failed sled's iterator gives the same error for ever, so
/// whoever skips errors (`filter_map(Result::ok)`, `count`) never returns.
pub(super) struct UntilError(Option<sled::Iter>);

type Entry = sled::Result<(sled::IVec, sled::IVec)>;

impl UntilError {
    pub(super) fn over(iter: sled::Iter) -> Self {
        Self(Some(iter))
    }

    fn step(&mut self, step: impl FnOnce(&mut sled::Iter) -> Option<Entry>) -> Option<Entry> {
        let entry = step(self.0.as_mut()?);
        if !matches!(entry, Some(Ok(_))) {
            self.0 = None;
        }
        entry
    }
}

impl Iterator for UntilError {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        self.step(Iterator::next)
    }
}

impl DoubleEndedIterator for UntilError {
    fn next_back(&mut self) -> Option<Entry> {
        self.step(DoubleEndedIterator::next_back)
    }
}

pub(super) struct InSled {
    pub(super) iter: UntilError,
    pub(super) front: Arc<Front>,
    pub(super) table: Table,
}

impl Source for InSled {
    fn next(&mut self) -> Option<Said> {
        let entry = self.iter.next()?;
        Some(self.front.said(self.table, entry))
    }

    fn next_back(&mut self) -> Option<Said> {
        let entry = self.iter.next_back()?;
        Some(self.front.said(self.table, entry))
    }
}

/// Copies out a few entries at a time: the writer never waits for a reader that takes its time.
pub(super) struct InMemory {
    front: Arc<Front>,
    table: Table,
    /// What was not copied out yet.
    range: Range,
    /// The next one last.
    copied: Vec<Record>,
    forward: bool,
}

/// A range of the keys of a table, among the keys of all.
fn within(table: Table, range: &Range) -> (Bound<Place>, Bound<Place>) {
    let of = |bound: &Bound<Vec<u8>>, open: Bound<Place>| match bound {
        Bound::Included(key) => Bound::Included((table, key.clone())),
        Bound::Excluded(key) => Bound::Excluded((table, key.clone())),
        Bound::Unbounded => open,
    };
    let after = Table::of(table as u8 + 1).map_or(Bound::Unbounded, |next| Bound::Excluded((next, Vec::new())));
    (of(&range.0, Bound::Included((table, Vec::new()))), of(&range.1, after))
}

impl InMemory {
    pub(super) fn over(front: Arc<Front>, table: Table, range: Range) -> Self {
        Self { front, table, range, copied: Vec::new(), forward: true }
    }

    fn fill(&mut self, forward: bool) {
        if self.forward != forward {
            // Whoever turns round begins again with what is left, in the other order.
            self.copied.clear();
            self.forward = forward;
        }
        if !self.copied.is_empty() || layers::is_empty(&self.range) {
            return;
        }
        let range = within(self.table, &self.range);
        let derived = self.front.derived.read().unwrap_or_else(PoisonError::into_inner);
        let copy = |((_, key), value): (&Place, &Option<Vec<u8>>)| (key.clone(), value.clone());
        self.copied = if forward {
            derived.range(range).take(AT_ONCE).map(copy).collect()
        } else {
            derived.range(range).rev().take(AT_ONCE).map(copy).collect()
        };
        drop(derived);
        self.copied.reverse();
    }

    fn give(&mut self, forward: bool) -> Option<Said> {
        self.fill(forward);
        let (key, value) = self.copied.pop()?;
        let left = Bound::Excluded(key.clone());
        *(if forward { &mut self.range.0 } else { &mut self.range.1 }) = left;
        Some(Ok((key, value)))
    }
}

impl Source for InMemory {
    fn next(&mut self) -> Option<Said> {
        self.give(true)
    }

    fn next_back(&mut self) -> Option<Said> {
        self.give(false)
    }
}
