//! The parts of the store laid over one another, the newest on top.
//!
//! In: a table and a key, or a range. Out: what the newest part that knows it says.
//! Promise: what is gone in a newer part is gone, whatever an older one has. A scan ends at its first error.
//! Not here: the parts themselves ([`super::front`], [`super::sorted`]).

use std::ops::Bound;
use std::sync::Arc;

use super::Entry;
use super::filter;
use super::front::Front;
use super::sorted::Sorted;
use super::tables::{Keeping, Table, asked};
use crate::store::StoreError;

/// Keys from one to another.
pub(super) type Range = (Bound<Vec<u8>>, Bound<Vec<u8>>);

/// Whether no key can be in it.
pub(super) fn is_empty(range: &Range) -> bool {
    match (&range.0, &range.1) {
        (Bound::Included(low), Bound::Included(high)) => low > high,
        (Bound::Included(low) | Bound::Excluded(low), Bound::Excluded(high) | Bound::Included(high)) => low >= high,
        _ => false,
    }
}

/// What one part says of a key.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Found {
    /// Its value.
    There(Vec<u8>),
    /// It was removed: older parts do not count.
    Gone,
    /// Nothing: ask an older part.
    Unknown,
}

/// A key, and its value or that it is gone.
pub(super) type Record = (Vec<u8>, Option<Vec<u8>>);
/// The same, where it could be read.
pub(super) type Said = Result<Record, StoreError>;

/// The entries of a range in one part, from either end.
pub(super) trait Source: Send {
    fn next(&mut self) -> Option<Said>;
    fn next_back(&mut self) -> Option<Said>;
}

/// One part of the store.
pub(super) trait Part: Send + Sync {
    /// What it says of a key; `hash` is what filters know it by.
    fn get(&self, table: Table, key: &[u8], hash: Option<u64>) -> Result<Found, StoreError>;
    /// Its entries in a range; none where it is known to have none.
    fn range(self: Arc<Self>, table: Table, range: &Range) -> Option<Box<dyn Source>>;
}

/// All parts at one time.
#[derive(Clone, Debug)]
pub(super) struct Layers {
    pub(super) active: Arc<Front>,
    /// Waits to be sealed; nothing is written to it.
    pub(super) frozen: Option<Arc<Front>>,
    /// Newest first.
    pub(super) bulk: Vec<Arc<Sorted>>,
    /// Newest first.
    pub(super) index: Vec<Arc<Sorted>>,
}

impl Layers {
    pub(super) fn files(&self, table: Table) -> &[Arc<Sorted>] {
        if table.keeping() == Keeping::Bulk { &self.bulk } else { &self.index }
    }

    pub(super) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let hash = asked(table, key).map(|asked| filter::hash(table, asked));
        let fronts = std::iter::once(&self.active).chain(&self.frozen);
        for front in fronts {
            match front.get(table, key, hash)? {
                Found::There(value) => return Ok(Some(value)),
                Found::Gone => return Ok(None),
                Found::Unknown => {}
            }
        }
        for file in self.files(table) {
            match file.get(table, key, hash)? {
                Found::There(value) => return Ok(Some(value)),
                Found::Gone => return Ok(None),
                Found::Unknown => {}
            }
        }
        Ok(None)
    }

    /// Whether any part may have a key that begins so; cheaper than looking, where most have none.
    pub(super) fn may_begin(&self, table: Table, prefix: &[u8]) -> bool {
        let by_part = table.asked().is_some_and(|length| length != usize::MAX);
        let Some(asked) = asked(table, prefix).filter(|_| by_part) else { return true };
        let hash = filter::hash(table, asked);
        let mut fronts = std::iter::once(&self.active).chain(&self.frozen);
        fronts.any(|front| front.may_begin(table, asked))
            || self.files(table).iter().any(|file| file.may_have_hash(table, hash))
    }

    fn sources(&self, table: Table, range: &Range) -> Vec<Box<dyn Source>> {
        let fronts = std::iter::once(&self.active).chain(&self.frozen);
        let fronts = fronts.filter_map(|front| Arc::clone(front).range(table, range));
        let files = self.files(table).iter().filter_map(|file| Arc::clone(file).range(table, range));
        fronts.chain(files).collect()
    }
}

/// The entries of several sources in key order, the first source that has a key deciding; what is gone is told, too.
pub(super) struct Merge {
    sources: Vec<Box<dyn Source>>,
    heads: Vec<Option<Record>>,
    forward: bool,
    begun: bool,
    ended: bool,
}

impl Merge {
    pub(super) fn over(sources: Vec<Box<dyn Source>>, forward: bool) -> Self {
        let heads = sources.iter().map(|_| None).collect();
        Self { sources, heads, forward, begun: false, ended: false }
    }

    fn advance(&mut self, n: usize) -> Result<(), StoreError> {
        let source = &mut self.sources[n];
        self.heads[n] = (if self.forward { source.next() } else { source.next_back() }).transpose()?;
        Ok(())
    }

    fn step(&mut self) -> Result<Option<Record>, StoreError> {
        if !self.begun {
            self.begun = true;
            (0..self.sources.len()).try_for_each(|n| self.advance(n))?;
        }
        let mut best: Option<usize> = None;
        for n in 0..self.heads.len() {
            let Some((key, _)) = &self.heads[n] else { continue };
            let nearer = best
                .and_then(|best| self.heads[best].as_ref())
                .is_none_or(|(other, _)| if self.forward { key < other } else { key > other });
            if nearer {
                best = Some(n);
            }
        }
        let Some(best) = best else { return Ok(None) };
        let Some((key, value)) = self.heads[best].take() else { return Ok(None) };
        self.advance(best)?;
        for n in best + 1..self.heads.len() {
            if self.heads[n].as_ref().is_some_and(|(other, _)| *other == key) {
                self.advance(n)?;
            }
        }
        Ok(Some((key, value)))
    }
}

impl Iterator for Merge {
    type Item = Said;

    fn next(&mut self) -> Option<Said> {
        if self.ended {
            return None;
        }
        let step = self.step();
        self.ended = !matches!(step, Ok(Some(_)));
        step.transpose()
    }
}

/// Entries in key order.
///
/// Not a snapshot: a write that lands meanwhile may be seen or not. Rule 6: over after the first error.
pub(in crate::store) struct Scan {
    layers: Arc<Layers>,
    table: Table,
    /// What was not given yet.
    range: Range,
    merge: Option<Merge>,
    ended: bool,
}

impl Scan {
    pub(super) fn over(layers: Arc<Layers>, table: Table, range: Range) -> Self {
        let ended = is_empty(&range);
        Self { layers, table, range, merge: None, ended }
    }

    fn step(&mut self, forward: bool) -> Option<Result<Entry, StoreError>> {
        if self.ended {
            return None;
        }
        if self.merge.as_ref().is_none_or(|merge| merge.forward != forward) {
            self.merge = Some(Merge::over(self.layers.sources(self.table, &self.range), forward));
        }
        for said in self.merge.as_mut()? {
            match said {
                Ok((_, None)) => {}
                Ok((key, Some(value))) => {
                    let left = Bound::Excluded(key.clone());
                    *(if forward { &mut self.range.0 } else { &mut self.range.1 }) = left;
                    return Some(Ok((key, value)));
                }
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
        self.ended = true;
        None
    }
}

impl Iterator for Scan {
    type Item = Result<Entry, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step(true)
    }
}

impl DoubleEndedIterator for Scan {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.step(false)
    }
}
