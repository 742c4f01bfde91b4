//! What is kept, for how long, and what is not any more.
//!
//! In: [`Policies`], a time. Out: items and log records removed, in small transactions; what would be.
//! Promise: an item goes when the age that holds for it has passed, and never one that is pinned, that a person judged, that
//! the configuration names as an example, or under which a person put another. What a removed item hid comes into sight
//! in the same transaction. What is kept is not looked through again each time: for every age it is stored how far the
//! items were looked through, and what makes an item expire that was passed by leads back to it.
//! Not here: which age holds ([`super::policies`]); when it happens ([`crate::pipeline::commit`]); how an item is taken out of all tables ([`super::relations`]).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::engine::{Engine, Read, Table};
use super::policies::{Class, Policies, ago};
use super::reader::Store;
use super::records::{self, counter};
use super::schema::{Stored, plain, unplain};
use super::writer::{Change, LOG_BEGINS, Writer};
use super::{Retention, StoreError, feeds, keys, logged};
use crate::dedup::Original;
use crate::id::{FeedId, ItemId, TopicId};
use crate::item::{Correction, Item};

/// The most items that one step removes: polls wait that long at most, some tens of milliseconds.
pub const MAX_PRUNE: usize = 256;
/// The most items that one step looks at.
const MAX_LOOKED_AT: usize = 2_048;
/// An item with a time so far ahead was stored while the clock was wrong. It is passed by, so that it does not keep all that
/// came after it.
const WRONG_CLOCK: SignedDuration = SignedDuration::from_hours(24);
/// The most items that [`Store::expired`] names.
const MAX_NAMED: usize = 100;

/// In meta: a [`Swept`].
pub(super) const SWEPT: &[u8] = b"swept";
const WHAT: &str = "how far expired items were removed";

/// How far expired items were removed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Swept {
    /// By which policies; by others it begins again.
    policies: u64,
    /// Below which number no item of a class is left that is not held.
    next: BTreeMap<Class, u64>,
}

impl Swept {
    fn stored(read: &impl Read) -> Result<Option<Self>, StoreError> {
        read.get(Table::Meta, SWEPT)?.map(|bytes| unplain(&bytes, || WHAT.to_owned())).transpose()
    }

    pub(super) fn by(read: &impl Read, policies: u64) -> Result<Self, StoreError> {
        let stored = Self::stored(read)?.filter(|stored| stored.policies == policies);
        Ok(stored.unwrap_or(Self { policies, next: BTreeMap::new() }))
    }

    pub(super) fn next(&self, class: Class) -> u64 {
        self.next.get(&class).copied().unwrap_or_default()
    }
}

/// Whether the record can be read, for [`super::verify`].
pub(super) fn check(read: &impl Read) -> Result<(), StoreError> {
    Swept::stored(read).map(drop)
}

/// What was removed, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Expired {
    /// How many items.
    pub items: u64,
    /// Of which feeds.
    pub by_feed: BTreeMap<FeedId, u64>,
    /// Of which topics; an item may have none, or several.
    pub by_topic: BTreeMap<TopicId, u64>,
}

impl Expired {
    fn count(&mut self, item: &Item) {
        self.items += 1;
        *self.by_feed.entry(item.feed.clone()).or_default() += 1;
        let topics: BTreeSet<_> = item.topics.iter().map(|topic| &topic.id).collect();
        topics.into_iter().for_each(|topic| *self.by_topic.entry(topic.clone()).or_default() += 1);
    }

    /// Counts what was removed later, too.
    pub fn add(&mut self, later: Self) {
        self.items += later.items;
        later.by_feed.into_iter().for_each(|(feed, n)| *self.by_feed.entry(feed).or_default() += n);
        later.by_topic.into_iter().for_each(|(topic, n)| *self.by_topic.entry(topic).or_default() += n);
    }
}

/// An item that would be removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Named {
    /// Which.
    pub id: ItemId,
    /// Its feed.
    pub feed: FeedId,
    /// Its title.
    pub title: String,
    /// When it was stored.
    pub stored_at: Timestamp,
}

/// The items that are never removed, as far as tables tell: pinned, judged to be a copy or none, judged for a topic.
fn held(engine: &Engine) -> Result<BTreeSet<ItemId>, StoreError> {
    let mut held = BTreeSet::new();
    for table in [Table::Pins, Table::Corrections, Table::Judgements] {
        for entry in engine.scan(table, (Bound::Unbounded, Bound::Unbounded)) {
            let (key, _) = entry?;
            // An id alone, or behind a topic.
            held.extend(key.last_chunk().map(|id| ItemId(*id)));
        }
    }
    Ok(held)
}

/// What is listed under an item, as far as records tell: without the texts.
fn listed(read: &impl Read, item: ItemId) -> Result<Vec<Stored>, StoreError> {
    let entries = read.prefix(Table::Copies, &keys::original(&Original::Item(item)))?;
    let numbers = entries.iter().filter_map(|(key, _)| keys::last_number(key));
    numbers.filter_map(|no| records::load(read, no).transpose()).collect()
}

fn is_joined(stored: &Stored) -> bool {
    stored.item.judged.as_ref().is_some_and(|judged| judged.kind == Correction::Joined)
}

/// One look at what has expired.
struct Sweep<'a> {
    policies: &'a Policies,
    due: BTreeMap<Class, Timestamp>,
    held: Arc<BTreeSet<ItemId>>,
}

impl Sweep<'_> {
    /// Whether the age of an item has passed, and nothing holds it but perhaps what is listed under it.
    fn has_expired(&self, stored: &Stored) -> bool {
        let item = &stored.item;
        let passed = self.policies.class(item).and_then(|class| self.due.get(&class));
        passed.is_some_and(|passed| item.stored_at < *passed) && !self.is_held(item.id)
    }

    fn is_held(&self, item: ItemId) -> bool {
        self.held.contains(&item) || self.policies.named.contains(&item)
    }
}

impl Store {
    /// What [`Writer::expire`] would remove with the same arguments, the first of them by name. Reads every item that may have
    /// expired.
    pub fn expired(
        &self,
        policies: &Policies,
        at: Timestamp,
        before: Option<Timestamp>,
    ) -> Result<(Expired, Vec<Named>), StoreError> {
        let engine = &self.inner.engine;
        let sweep = Sweep { policies, due: policies.due(at, before), held: Arc::new(held(engine)?) };
        let swept = Swept::by(engine, policies.version())?;
        let (mut expired, mut named) = (Expired::default(), Vec::new());
        let Some(first) = sweep.due.keys().map(|class| swept.next(*class)).min() else { return Ok((expired, named)) };
        let last = sweep.due.values().max().copied().unwrap_or(Timestamp::MIN);
        for entry in engine.scan(Table::Items, (Bound::Included(keys::number(first)), Bound::Unbounded)) {
            let (key, _) = entry?;
            let Some(stored) = keys::last_number(&key).map_or(Ok(None), |no| records::load(engine, no))? else {
                continue;
            };
            let stored_at = stored.item.stored_at;
            if stored_at >= last && stored_at.duration_since(at) <= WRONG_CLOCK {
                break;
            }
            let item = &stored.item;
            if sweep.has_expired(&stored) && !listed(engine, item.id)?.iter().any(is_joined) {
                expired.count(item);
                if named.len() < MAX_NAMED {
                    let (id, feed, title) = (item.id, item.feed.clone(), item.content.title.clone());
                    named.push(Named { id, feed, title, stored_at });
                }
            }
        }
        Ok((expired, named))
    }
}

impl Writer {
    /// Removes items that have expired, at most `max` and at most [`MAX_PRUNE`], each with all that follows from it; each
    /// leaves a `removed` record in the log. An original goes after those of its copies that have expired; what of them is
    /// to stay comes into sight. Unread documents of feeds go by the feed's age, too.
    ///
    /// `at` is now. `before`: of items of whose feed and topics nothing is said, those stored before it go, too, however
    /// long the default is.
    ///
    /// What was removed, and whether that was all; where it was not, call again. A call may remove nothing and not be
    /// the last: it looks at some thousand items at most.
    ///
    /// # Errors
    /// As [`Writer::commit`].
    pub fn expire(
        &mut self,
        policies: &Policies,
        at: Timestamp,
        before: Option<Timestamp>,
        max: usize,
    ) -> Result<(Expired, bool), StoreError> {
        let sweep = Sweep { policies, due: policies.due(at, before), held: self.held()? };
        self.write(Some(at), |change| change.expire(&sweep, at, max.min(MAX_PRUNE)))
    }

    fn held(&mut self) -> Result<Arc<BTreeSet<ItemId>>, StoreError> {
        if let Some(held) = &self.held {
            return Ok(Arc::clone(held));
        }
        let held = Arc::new(held(&self.inner.engine)?);
        self.held = Some(Arc::clone(&held));
        Ok(held)
    }

    /// Removes the oldest items stored before `before`, at most `max` of them and at most [`MAX_PRUNE`], whatever holds
    /// them; with all that follows from them, and each leaves a `removed` record in the log. What they hid and is to stay
    /// comes into sight. Unread documents fetched before it go, too. How many were removed: call again while it is `max`.
    /// The records get the newest time that a commit was given. For retention there is [`Writer::expire`].
    ///
    /// # Errors
    /// As [`Writer::commit`].
    pub fn prune(&mut self, before: Timestamp, max: usize) -> Result<usize, StoreError> {
        self.write(None, |change| {
            let mut removed = 0;
            let scan = change.inner.engine.scan(Table::Items, (Bound::Unbounded, Bound::Unbounded));
            for entry in scan.take(max.min(MAX_PRUNE)) {
                let (key, _) = entry?;
                let Some(stored) = keys::last_number(&key).map_or(Ok(None), |no| records::load(&change.staged, no))?
                else {
                    continue;
                };
                if stored.item.stored_at >= before {
                    break;
                }
                change.remove(&stored, &|copy| copy.item.stored_at >= before)?;
                removed += 1;
            }
            change.drop_unread(|_| Some(before))?;
            Ok(removed)
        })
    }

    /// Takes records older than `before` from the beginning of the log, at most `max` and never the last one. How many were
    /// taken: call again while it is `max`.
    ///
    /// # Errors
    /// As [`Writer::commit`].
    pub fn trim_log(&mut self, before: Timestamp, max: usize) -> Result<usize, StoreError> {
        self.write(None, |change| {
            let begins = counter(&change.staged, LOG_BEGINS)?.max(1);
            let last = change.next_seq.saturating_sub(1);
            let range = (Bound::Included(keys::number(begins)), Bound::Excluded(keys::number(last)));
            let (mut taken, mut next) = (0, begins);
            for entry in change.inner.engine.scan(Table::Log, range).take(max) {
                let (key, value) = entry?;
                if logged::decode_log(next, &value)?.at >= before {
                    break;
                }
                change.staged.remove(Table::Log, key);
                (taken, next) = (taken + 1, next + 1);
            }
            if taken > 0 {
                change.staged.put(Table::Meta, LOG_BEGINS.to_vec(), next.to_be_bytes().to_vec());
            }
            Ok(taken)
        })
    }
}

impl Change<'_> {
    fn expire(&mut self, sweep: &Sweep<'_>, at: Timestamp, max: usize) -> Result<(Expired, bool), StoreError> {
        let mut swept = Swept::by(&self.staged, sweep.policies.version())?;
        let (mut expired, mut looked) = (Expired::default(), 0);
        let mut ended = true;
        'classes: for (class, passed) in &sweep.due {
            let mut next = swept.next(*class);
            let scan = self.inner.engine.scan(Table::Items, (Bound::Included(keys::number(next)), Bound::Unbounded));
            for entry in scan {
                let (key, _) = entry?;
                let Some(no) = keys::last_number(&key) else { continue };
                let full = usize::try_from(expired.items).is_ok_and(|items| items >= max);
                if full || looked == MAX_LOOKED_AT {
                    ended = false;
                    swept.next.insert(*class, next);
                    break 'classes;
                }
                looked += 1;
                // None: removed in this very transaction, with its original.
                if let Some(stored) = records::load(&self.staged, no)? {
                    let stored_at = stored.item.stored_at;
                    if stored_at >= *passed && stored_at.duration_since(at) <= WRONG_CLOCK {
                        break;
                    }
                    if sweep.policies.class(&stored.item) == Some(*class)
                        && sweep.has_expired(&stored)
                        && !self.remove_with_copies(sweep, &stored, max, &mut expired)?
                    {
                        ended = false;
                        swept.next.insert(*class, next);
                        break 'classes;
                    }
                }
                next = no.saturating_add(1);
            }
            swept.next.insert(*class, next);
        }
        if ended {
            self.drop_unread(|feed| {
                let retention = sweep.policies.by_feed.get(feed).unwrap_or(&sweep.policies.default);
                match retention {
                    Retention::For(span) => Some(ago(at, *span)),
                    Retention::Forever => None,
                }
            })?;
        }
        self.put_swept(&swept)?;
        Ok((expired, ended))
    }

    /// Removes an item that has expired, and before it what is listed under it and has, too. Whether it is done with:
    /// there may be more of these than `max` allows.
    fn remove_with_copies(
        &mut self,
        sweep: &Sweep<'_>,
        stored: &Stored,
        max: usize,
        expired: &mut Expired,
    ) -> Result<bool, StoreError> {
        let copies = listed(&self.staged, stored.item.id)?;
        if copies.iter().any(is_joined) {
            // A person said that the other is a copy of this one: without it that would hold nothing.
            return Ok(true);
        }
        for copy in copies.iter().filter(|copy| sweep.has_expired(copy)) {
            if usize::try_from(expired.items).is_ok_and(|items| items >= max) {
                return Ok(false);
            }
            self.remove(copy, &|_| true)?;
            expired.count(&copy.item);
        }
        if usize::try_from(expired.items).is_ok_and(|items| items >= max) {
            return Ok(false);
        }
        // Lending to a copy, or its removal, may have rewritten this very record.
        if let Some(stored) = records::load(&self.staged, stored.no)? {
            self.remove(&stored, &|_| true)?;
            expired.count(&stored.item);
        }
        Ok(true)
    }

    fn put_swept(&mut self, swept: &Swept) -> Result<(), StoreError> {
        let bytes = plain(swept, || WHAT.to_owned())?;
        if self.staged.get(Table::Meta, SWEPT)?.as_ref() != Some(&bytes) {
            self.staged.put(Table::Meta, SWEPT.to_vec(), bytes);
        }
        Ok(())
    }

    /// Something has changed by which an item may expire that was passed by.
    pub(super) fn look_again(&mut self, no: u64) -> Result<(), StoreError> {
        let Some(mut swept) = Swept::stored(&self.staged)? else { return Ok(()) };
        swept.next.values_mut().for_each(|next| *next = no.min(*next));
        self.put_swept(&swept)
    }

    /// As [`Change::look_again`], of an item by its id; where it is stored.
    pub(super) fn look_again_at(&mut self, item: ItemId) -> Result<(), StoreError> {
        match records::known(&self.staged, item)? {
            Some((no, _)) => self.look_again(no),
            None => Ok(()),
        }
    }

    /// Removes the unread documents that were fetched before the time that holds for their feed.
    fn drop_unread(&mut self, before: impl Fn(&FeedId) -> Option<Timestamp>) -> Result<(), StoreError> {
        // One for each feed at most, and only of feeds that have failed.
        let mut unread = BTreeSet::new();
        for entry in self.inner.engine.scan(Table::Unread, (Bound::Unbounded, Bound::Unbounded)) {
            unread.extend(keys::feed(&entry?.0));
        }
        for feed in unread {
            if let Some(before) = before(&feed) {
                feeds::drop_unread(&mut self.staged, &feed, before)?;
            }
        }
        Ok(())
    }
}
