//! How many items there are by time: of each topic, of each feed, or of all.
//!
//! In: a [`VolumeQuery`]. Out: a [`Series`] for each name, with a count for each stretch of time.
//! Promise: only the keys of one index are read, never an item; a question that needs more than [`MAX_KEYS`] of them is
//! refused rather than answered in part.
//! Not here: which stretches make sense ([`crate::serve`]).

use std::ops::Bound;

use jiff::Timestamp;

use super::engine::Table;
use super::reader::Store;
use super::records::DUPLICATE;
use super::{StoreError, keys};

/// The most entries of an index that one answer reads.
pub const MAX_KEYS: usize = 2_000_000;

/// What the counts are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VolumeBy {
    /// Everything, as one series without a name.
    All,
    /// Each feed.
    Feed,
    /// Each topic; `maybe` counts.
    Topic,
}

/// Which counts.
#[derive(Clone, Copy, Debug)]
pub struct VolumeQuery {
    /// Of what.
    pub by: VolumeBy,
    /// Where the first stretch begins.
    pub since: Timestamp,
    /// How long a stretch is, in milliseconds; more than 0.
    pub stretch: u64,
    /// How many stretches.
    pub count: usize,
}

/// The counts of one topic or feed. Both lists have one count for each stretch, the first stretch first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// Of what; empty where the counts are of everything.
    pub name: String,
    /// Items in sight, by the time they were published.
    pub items: Vec<u64>,
    /// Copies of others, and what a fuller text took the place of.
    pub copies: Vec<u64>,
}

impl Store {
    /// The counts, in the order of the names. Names without any item in that time are left out.
    ///
    /// # Errors
    /// [`StoreError::Query`] where it would need more than [`MAX_KEYS`] entries.
    pub fn volume(&self, query: &VolumeQuery) -> Result<Vec<Series>, StoreError> {
        self.volume_within(query, MAX_KEYS)
    }

    fn volume_within(&self, query: &VolumeQuery, most: usize) -> Result<Vec<Series>, StoreError> {
        let mut left = most;
        let table = match query.by {
            VolumeBy::All => {
                let series = self.series(Table::ByTime, &[], query, &mut left)?;
                return Ok(series.into_iter().collect());
            }
            VolumeBy::Feed => Table::ByFeed,
            VolumeBy::Topic => Table::ByTopic,
        };
        let mut found = Vec::new();
        let mut from = Vec::new();
        // From one name to the next: what lies between them is stepped over.
        while let Some(entry) = self.inner.engine.scan(table, (Bound::Included(from), Bound::Unbounded)).next() {
            let (key, _) = entry?;
            let name: Vec<u8> = key.split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
            found.extend(self.series(table, &name, query, &mut left)?);
            from = [name, vec![1]].concat();
        }
        Ok(found)
    }

    /// The counts under one name; none where there is nothing.
    fn series(
        &self,
        table: Table,
        name: &[u8],
        query: &VolumeQuery,
        left: &mut usize,
    ) -> Result<Option<Series>, StoreError> {
        let prefix = if table == Table::ByTime { Vec::new() } else { [name, &[0]].concat() };
        let begin = keys::millis(query.since);
        let end = begin.saturating_add(query.stretch.saturating_mul(query.count as u64));
        let at = |millis: u64| [prefix.clone(), keys::published(millis, 0)].concat();
        let mut series = Series {
            name: String::from_utf8_lossy(name).into_owned(),
            items: vec![0; query.count],
            copies: vec![0; query.count],
        };
        let mut any = false;
        for entry in self.inner.engine.scan(table, (Bound::Included(at(begin)), Bound::Excluded(at(end)))) {
            let (key, value) = entry?;
            *left = left.checked_sub(1).ok_or_else(|| {
                StoreError::Query(format!("there are more than {MAX_KEYS} items in that time; ask for a shorter one"))
            })?;
            let Some((millis, _)) = keys::place(&key) else { continue };
            let stretch = usize::try_from((millis - begin) / query.stretch.max(1)).unwrap_or(usize::MAX);
            let duplicate = value.first().is_some_and(|flags| flags & DUPLICATE != 0);
            let counts = if duplicate { &mut series.copies } else { &mut series.items };
            if let Some(count) = counts.get_mut(stretch) {
                *count += 1;
                any = true;
            }
        }
        Ok(any.then_some(series))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{decided, opened};
    use super::super::{Decided, Group};
    use super::*;
    use crate::dedup::{Original, Verdict, VerdictKind};
    use crate::id::ItemId;
    use crate::topic::{Decision, TopicMatch};

    const MINUTE: u64 = 60_000;

    fn at(minute: u64) -> Timestamp {
        Timestamp::from_millisecond((minute * MINUTE).try_into().unwrap()).unwrap()
    }

    /// An item of `feed`, published then; about `topic` where it is not empty.
    fn item(feed: &str, topic: &str, minute: u64) -> Decided {
        let mut item = decided(&format!("{feed} {minute}"));
        item.candidate.feed = feed.parse().unwrap();
        item.candidate.content.published_at = at(minute);
        let found = |id| TopicMatch { id, decision: Decision::Maybe, score: 1.0, evidence: Vec::new() };
        item.candidate.topics = topic.parse().ok().map(found).into_iter().collect();
        item
    }

    #[test]
    fn items_are_counted_where_they_belong() {
        let dir = tempfile::tempdir().unwrap();
        let (store, mut writer) = opened(dir.path()).unwrap();
        let mut copy = item("rt", "csto", 25);
        let of = ItemId::of(&"bbc".parse().unwrap(), item("bbc", "", 10).candidate.key);
        copy.verdict = Verdict { kind: VerdictKind::Near, of: Some(Original::Item(of)), similarity: 0.9 };
        let items = vec![
            item("bbc", "csto", 10),
            item("bbc", "", 19),
            item("bbc", "bread", 20),
            copy,
            item("rt", "csto", 39),
            // Before the first stretch, at its end, and of a feed whose name begins as another's.
            item("rt", "csto", 9),
            item("rt", "csto", 40),
            item("bbc-two", "", 5),
        ];
        writer.commit(Group { items, ..Group::default() }).unwrap();
        type Row<'a> = (&'a str, [u64; 3], [u64; 3]);
        let cases: [(VolumeBy, &[Row<'_>]); 3] = [
            (VolumeBy::All, &[("", [2, 1, 1], [0, 1, 0])]),
            (VolumeBy::Feed, &[("bbc", [2, 1, 0], [0; 3]), ("rt", [0, 0, 1], [0, 1, 0])]),
            (VolumeBy::Topic, &[("bread", [0, 1, 0], [0; 3]), ("csto", [1, 0, 1], [0, 1, 0])]),
        ];
        let query = |by| VolumeQuery { by, since: at(10), stretch: 10 * MINUTE, count: 3 };
        for (by, expected) in cases {
            let found = store.volume(&query(by)).unwrap();
            let found: Vec<_> = found.iter().map(|s| (s.name.as_str(), &s.items[..], &s.copies[..])).collect();
            let expected: Vec<_> =
                expected.iter().map(|(name, items, copies)| (*name, &items[..], &copies[..])).collect();
            assert_eq!(found, expected, "{by:?}");
        }
        // Five entries lie in that time: what needs more than it may read is refused, not cut.
        assert!(store.volume_within(&query(VolumeBy::Feed), 5).is_ok());
        assert!(matches!(store.volume_within(&query(VolumeBy::Feed), 4), Err(StoreError::Query(_))));
        let none = VolumeQuery { since: at(1_000), ..query(VolumeBy::All) };
        assert_eq!(store.volume(&none).unwrap(), Vec::new());
    }
}
