//! Reading the log through a filter.
//!
//! In: a position, a [`LogFilter`]. Out: the records after it that pass, how far was looked, what was missed.
//! Promise: nothing between the position and `last` is left out but what the filter hides and what retention took before
//! it was read; the latter is told. That an item is gone, or is not about a topic any more, reaches whoever may have seen it.
//! Not here: waiting for more ([`crate::serve`]), who reads ([`super::consumers`]), the records' bytes ([`super::logged`]).

use std::fmt;
use std::ops::Bound;

use serde::{Deserialize, Serialize};

use super::consumers::MAX_FILTER;
use super::engine::{Read as _, Table};
use super::logged::{self, Logged};
use super::reader::Store;
use super::schema::damaged;
use super::{StoreError, keys, records};
use crate::id::{FeedId, Seq, TopicId};
use crate::item::{Item, LogKind, LogRecord};

/// How many records one reading looks through for a filter, before it says how far it came.
const MAX_LOOKED: usize = 20_000;

/// Which records of the log: any of each list, where the list has any.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LogFilter {
    /// Of items about one of these topics (`maybe` counts), or that were until this record.
    #[schemars(length(max = MAX_FILTER))]
    pub topics: Vec<TopicId>,
    /// Of items from one of these feeds.
    #[schemars(length(max = MAX_FILTER))]
    pub feeds: Vec<FeedId>,
    /// That tell one of these.
    #[schemars(length(max = MAX_FILTER))]
    pub kinds: Vec<LogKind>,
    /// Of items in one of these languages; `ar` takes `ar-EG`, too.
    #[schemars(length(max = MAX_FILTER), inner(length(min = 2, max = 35), regex(pattern = "^[A-Za-z0-9-]{2,35}$")))]
    pub languages: Vec<String>,
}

impl LogFilter {
    /// Whether a record passes. Of an item that is not there any more nothing is known, so its records pass all but the
    /// kinds: whoever may have seen it learns that it is gone.
    pub fn passes(&self, record: &LogRecord) -> bool {
        self.takes(record.kind) && self.concerns(&record.lost, record.item.as_ref())
    }

    /// Whether every record passes.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty() && !self.asks_for_items()
    }

    fn takes(&self, kind: LogKind) -> bool {
        any(&self.kinds, |wanted| *wanted == kind)
    }

    fn asks_for_items(&self) -> bool {
        !(self.topics.is_empty() && self.feeds.is_empty() && self.languages.is_empty())
    }

    fn concerns(&self, lost: &[TopicId], item: Option<&Item>) -> bool {
        let Some(item) = item else { return true };
        any(&self.topics, |topic| lost.contains(topic) || item.topics.iter().any(|found| found.id == *topic))
            && any(&self.feeds, |feed| item.feed == *feed)
            && any(&self.languages, |language| speaks(item, language))
    }
}

fn any<T>(wanted: &[T], is: impl Fn(&T) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(is)
}

/// Whether an item is in a language; `ar` takes `ar-EG`, too.
pub(super) fn speaks(item: &Item, wanted: &str) -> bool {
    let rest = item.content.language.as_ref().and_then(|language| language.strip_prefix(wanted));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// Records that retention took before they were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missed {
    /// The first of them.
    pub from: Seq,
    /// The last of them.
    pub to: Seq,
}

impl Missed {
    /// What a reader has missed that has read up to `after`, where the log begins at `begins`.
    pub(super) fn between(after: Seq, begins: Seq) -> Option<Self> {
        (after.0 < begins.0.saturating_sub(1)).then(|| Self { from: after.next(), to: Seq(begins.0 - 1) })
    }

    /// How many.
    pub const fn records(self) -> u64 {
        self.to.0 - self.from.0 + 1
    }
}

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to } = self;
        match self.records() {
            1 => write!(f, "1 record ({from}) was removed by retention before it was read here")?,
            n => write!(f, "{n} records ({from} to {to}) were removed by retention before they were read here")?,
        }
        write!(f, "; the log begins at {}", to.next())
    }
}

/// A stretch of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Stretch {
    /// Those that pass, in commit order.
    pub records: Vec<LogRecord>,
    /// How far the log was looked through.
    pub last: Seq,
    /// Whether that is its end, rather than a limit.
    pub at_end: bool,
    /// What was not there any more.
    pub missed: Option<Missed>,
}

impl Store {
    /// The records after a position that pass the filter, in order, at most `limit`, with their items as they stand now;
    /// only what is durable. Looks through a bounded number of records: where that ends it without a record, `last` has
    /// moved all the same.
    ///
    /// # Errors
    /// Where the store cannot be read, or a record is missing that retention did not take.
    pub fn read_log(&self, after: Seq, limit: usize, filter: &LogFilter) -> Result<Stretch, StoreError> {
        let durable = *self.inner.durable.borrow();
        let mut begins = self.log_begins()?;
        loop {
            match self.stretch(after, begins, durable, limit, filter)? {
                Ok(stretch) => return Ok(stretch),
                Err(missing) => {
                    // Retention goes on while we read: what it takes under our hands is told as missed.
                    let now = self.log_begins()?;
                    if now <= begins {
                        return Err(damaged(format!("log record {missing}"), "it is missing"));
                    }
                    begins = now;
                }
            }
        }
    }

    /// As [`Store::read_log`] in a log that begins at `begins` and ends at `durable`; or the position that is missing.
    fn stretch(
        &self,
        after: Seq,
        begins: Seq,
        durable: Seq,
        limit: usize,
        filter: &LogFilter,
    ) -> Result<Result<Stretch, Seq>, StoreError> {
        let engine = &self.inner.engine;
        let start = after.max(Seq(begins.0.saturating_sub(1)));
        let missed = Missed::between(after, begins);
        let mut stretch = Stretch { records: Vec::new(), last: start, at_end: false, missed };
        if start >= durable {
            stretch.at_end = true;
            return Ok(Ok(stretch));
        }
        let range = (Bound::Included(keys::number(start.0 + 1)), Bound::Included(keys::number(durable.0)));
        for (looked, entry) in engine.scan(Table::Log, range).enumerate() {
            if looked == MAX_LOOKED || stretch.records.len() >= limit {
                return Ok(Ok(stretch));
            }
            let (key, value) = entry?;
            let seq = stretch.last.next();
            if keys::last_number(&key) != Some(seq.0) {
                return Ok(Err(seq));
            }
            stretch.last = seq;
            let Logged { kind, at, no, id, revision: _, lost } = logged::decode_log(seq.0, &value)?;
            // Most of what a filter hides is hidden without reading a text.
            let passes = filter.takes(kind)
                && (!filter.asks_for_items() || {
                    let stored = records::load(engine, no)?;
                    filter.concerns(&lost, stored.as_ref().map(|stored| &stored.item))
                });
            if passes {
                let item = self.item_by_number(no)?;
                stretch.records.push(LogRecord { seq, at, kind, id, lost, item });
            }
        }
        stretch.at_end = stretch.last == durable;
        Ok(if stretch.at_end { Ok(stretch) } else { Err(stretch.last.next()) })
    }

    /// When the record at a position was committed; none where the log does not have it.
    pub(super) fn logged_at(&self, seq: Seq) -> Result<Option<jiff::Timestamp>, StoreError> {
        let value = self.inner.engine.get(Table::Log, &keys::number(seq.0))?;
        Ok(value.map(|value| logged::decode_log(seq.0, &value)).transpose()?.map(|logged| logged.at))
    }
}
