//! Documents of a segment as bits, a span of them at a time.
//!
//! In: numbers of documents. Out: [`Set`], those of one span; [`Visible`], those of a whole segment that are found at all.
//! Promise: small and flat: what a search goes through is put together and counted by the word of the machine.

use std::ops::Range;

use tantivy::columnar::ColumnValues as _;
use tantivy::{DocId, SegmentReader};

use super::SearchError;
use super::plan::broken;
use super::schema::HIDDEN;

/// Documents that are looked at together.
pub(super) const SPAN: usize = 2_048;
const WORDS: usize = SPAN / 64;

/// Documents of one span, each by how far behind the span's first it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Set([u64; WORDS]);

impl Set {
    pub(super) const EMPTY: Self = Self([0; WORDS]);

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub(super) fn len(&self) -> u64 {
        self.0.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    pub(super) fn has(&self, at: usize) -> bool {
        self.0[at / 64] >> (at % 64) & 1 == 1
    }

    pub(super) fn insert(&mut self, at: usize) {
        self.0[at / 64] |= 1 << (at % 64);
    }

    pub(super) fn clear(&mut self) {
        self.0 = [0; WORDS];
    }

    /// Keeps what the other has, too.
    pub(super) fn keep(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word &= other);
    }

    /// Drops what the other has.
    pub(super) fn drop(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word &= !other);
    }

    /// Adds what the other has.
    pub(super) fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word |= other);
    }

    /// Keeps those for which `stays` says so, in their order.
    pub(super) fn retain(&mut self, mut stays: impl FnMut(usize) -> bool) {
        for (nth, word) in self.0.iter_mut().enumerate() {
            let mut left = *word;
            while left != 0 {
                let bit = left.trailing_zeros();
                left &= left - 1;
                if !stays(nth * 64 + bit as usize) {
                    *word &= !(1 << bit);
                }
            }
        }
    }

    /// In their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(nth, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = left.trailing_zeros();
                left &= left.wrapping_sub(1);
                (bit < 64).then_some(nth * 64 + bit as usize)
            })
        })
    }
}

/// The documents of a segment that were not removed since, with and without those that are copies of others or superseded.
#[derive(Clone, Debug)]
pub(super) struct Visible {
    alive: Vec<Set>,
    original: Vec<Set>,
    /// When the newest of each span was published, in milliseconds: items are stored about in the order of their times, so what
    /// is old is mostly among old ones.
    newest: Vec<i64>,
}

/// Documents of a span.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span<'a> {
    /// The first document of the span.
    pub(super) base: DocId,
    /// Those that are found.
    pub(super) set: &'a Set,
    /// When the newest was published, in milliseconds.
    pub(super) newest: i64,
}

impl Visible {
    pub(super) fn of(segment: &SegmentReader) -> Result<Self, SearchError> {
        let hidden = segment.fast_fields().column_first_or_default::<u64>(HIDDEN).map_err(broken)?;
        let times = super::walk::times(segment)?;
        let spans = (segment.max_doc() as usize).div_ceil(SPAN);
        let (mut alive, mut original) = (vec![Set::EMPTY; spans], vec![Set::EMPTY; spans]);
        let mut newest = vec![i64::MIN; spans];
        for doc in (0..segment.max_doc()).filter(|doc| !segment.is_deleted(*doc)) {
            let (span, at) = (doc as usize / SPAN, doc as usize % SPAN);
            alive[span].insert(at);
            newest[span] = newest[span].max(times.get_val(doc));
            if hidden.get_val(doc) == 0 {
                original[span].insert(at);
            }
        }
        Ok(Self { alive, original, newest })
    }

    /// How many spans there are.
    pub(super) const fn len(&self) -> usize {
        self.alive.len()
    }

    /// Span by span of a range, with `duplicates` or without.
    pub(super) fn spans(&self, duplicates: bool, range: Range<usize>) -> impl Iterator<Item = Span<'_>> {
        let sets = if duplicates { &self.alive } else { &self.original };
        let spans = sets.iter().zip(&self.newest).enumerate().take(range.end).skip(range.start);
        spans.map(|(span, (set, newest))| {
            #[expect(clippy::cast_possible_truncation, reason = "the number of a document of the segment")]
            let base = (span * SPAN) as DocId;
            Span { base, set, newest: *newest }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(of: &[usize]) -> Set {
        let mut set = Set::EMPTY;
        of.iter().for_each(|at| set.insert(*at));
        set
    }

    #[test]
    fn sets_are_put_together_and_counted() {
        let a = [0, 1, 63, 64, 700, SPAN - 1];
        let b = [1, 64, 65];
        assert!(Set::EMPTY.is_empty() && !set(&a).is_empty());
        assert_eq!(set(&a).iter().collect::<Vec<_>>(), a);
        assert_eq!(set(&a).len(), 6);
        assert!(set(&a).has(63) && !set(&a).has(62));
        let with = |change: fn(&mut Set, &Set)| {
            let mut changed = set(&a);
            change(&mut changed, &set(&b));
            changed
        };
        assert_eq!(with(Set::keep), set(&[1, 64]));
        assert_eq!(with(Set::drop), set(&[0, 63, 700, SPAN - 1]));
        assert_eq!(with(Set::add), set(&[0, 1, 63, 64, 65, 700, SPAN - 1]));
        let mut odd = set(&a);
        let mut seen = Vec::new();
        odd.retain(|at| {
            seen.push(at);
            at % 2 == 1
        });
        assert_eq!((odd, seen.as_slice()), (set(&[1, 63, SPAN - 1]), a.as_slice()));
    }
}
