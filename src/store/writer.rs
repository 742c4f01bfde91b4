//! The one writer: groups in, one durable transaction each.
//!
//! In: a [`Group`] of decided candidates and cursors. Out: the position that is durable by then.
//! Promise: a group is stored whole or not at all, and acknowledged only once it is on the disk; storing it again changes
//! nothing. Nothing of an item is lost when it is revised or called a copy.
//! Not here: what items are to one another ([`super::relations`]); deciding ([`crate::dedup`]); what is removed
//! ([`super::retention`]), and when ([`crate::pipeline`]).
//!
//! Rule 1: there is one `Writer`, its methods take it exclusively, and its owner gives it a thread of its own.
//! Rule 12: `next_seq` is ours, stored in the transaction that uses it; sled's `generate_id` jumps by 2,000,000 a restart.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

use jiff::Timestamp;

use super::engine::{Read as _, Table};
use super::logged::{self, Logged};
use super::records::{self, counter};
use super::relations::Moved;
use super::schema::{self, Revision, Stored};
use super::staged::Staged;
use super::taught::{self, Classified, Judgement, Model, Reclassification};
use super::{Decided, Group, Inner, MAX_GROUP, StoreError, corrections, feeds, fingerprints, keys, stories, values};
use crate::dedup::{Verdict, VerdictKind};
use crate::id::{FeedId, ItemId, Seq, TopicId};
use crate::item::{Candidate, Item, LogKind};
use crate::source::{FeedCursor, PollRecord};
use crate::topic::TopicMatch;
use crate::topic::bag::Background;

/// How many items one step of a reclassification looks at: polls wait that long at most, some milliseconds.
const RECLASSIFY_AT_ONCE: usize = MAX_GROUP / 2;

/// In meta: the position that the next log record gets.
pub(super) const NEXT_SEQ: &[u8] = b"next_seq";
/// In meta: the first position that is still in the log; 1 where nothing was taken from it.
pub(super) const LOG_BEGINS: &[u8] = b"log_begins";
/// In meta: the newest time that a group was committed at.
pub(super) const LAST_AT: &[u8] = b"last_at";
/// In meta, before a feed's id: how many polls of it were ever stored.
pub(super) const POLLS: &[u8] = b"polls/";

/// Writes; there is one. Blocking.
pub struct Writer {
    pub(super) inner: Arc<Inner>,
    next_seq: u64,
    last_at: Timestamp,
    /// The version of the topics by which groups were classified, once it was told.
    classified_by: Option<u64>,
    /// Set for good when a transaction or a sync failed: what is on the disk is not known from then on.
    failed: Option<String>,
    moved: Moved,
    /// What retention never removes, once it was asked for; see [`super::retention`].
    pub(super) held: Option<Arc<BTreeSet<ItemId>>>,
    /// How many transactions were written.
    #[cfg(test)]
    pub(crate) transactions: u64,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("next_seq", &self.next_seq).field("failed", &self.failed).finish_non_exhaustive()
    }
}

impl Writer {
    pub(super) fn over(inner: Arc<Inner>) -> Result<Self, StoreError> {
        let next_seq = counter(&inner.engine, NEXT_SEQ)?.max(1);
        let last_at = inner.engine.get(Table::Meta, LAST_AT)?.and_then(|value| {
            let nanoseconds = value.first_chunk().map(|bytes| i128::from_be_bytes(*bytes))?;
            Timestamp::from_nanosecond(nanoseconds).ok()
        });
        Ok(Self {
            inner,
            next_seq,
            last_at: last_at.unwrap_or(Timestamp::UNIX_EPOCH),
            classified_by: None,
            failed: None,
            moved: Moved::default(),
            held: None,
            #[cfg(test)]
            transactions: 0,
        })
    }

    /// Stores a group in one transaction and returns once it is durable, with the last position of the log by then.
    ///
    /// - An item whose id is not stored is added: a `revision` of it as new, a duplicate under its original.
    /// - An item whose id is stored is already there and stays as it is (a repeated delivery is harmless), except that a
    ///   `revision` replaces its words and keeps the old ones. A revision that says what is stored, or was fetched before
    ///   it, changes nothing. A revision changes the words, not the relation: what was a copy, an update, … stays one.
    /// - A copy of a copy is stored as a copy of the original. A copy of itself is stored as new.
    /// - What `expands` an item takes its place: that item is superseded, and listed under the fuller text with its copies.
    /// - An `exact` copy with the very text of its stored original keeps none of its own and is read with the
    ///   original's; it gets it back before the original is revised or removed.
    ///
    /// `Group::at` is when; without it the newest time the group itself tells.
    ///
    /// # Errors
    /// More than [`MAX_GROUP`] items: nothing is written; splitting is the caller's. Anything else: see [`StoreError`];
    /// after a failed transaction or sync every later call fails too, until the store is opened again.
    pub fn commit(&mut self, group: Group) -> Result<Seq, StoreError> {
        if group.items.len() > MAX_GROUP {
            return Err(StoreError::TooLarge { items: group.items.len() });
        }
        let at = group.at.unwrap_or_else(|| newest(&group)).max(Timestamp::UNIX_EPOCH);
        let classified_by = self.classified_by;
        self.write(Some(at), |change| {
            if let Some(version) = classified_by.filter(|_| !group.items.is_empty()) {
                change.classify_by(version)?;
            }
            for decided in group.items {
                change.store(decided, &group.told.stories)?;
            }
            stories::put_window(&mut change.staged, &group.told.members, &group.told.left)?;
            for (feed, cursor, poll) in &group.cursors {
                change.leave(feed, cursor, poll.as_ref())?;
            }
            for (feed, unread) in &group.unread {
                feeds::put_unread(&mut change.staged, feed, unread)?;
            }
            Ok(())
        })?;
        Ok(Seq(self.next_seq - 1))
    }

    /// From now on the items of groups are classified by topics of this version. Noted with the next group, together with
    /// how many items are not.
    pub fn classified_by(&mut self, version: u64) {
        self.classified_by = Some(version);
    }

    /// Stores judgements, each in place of an earlier one of the same item for the same topic, and takes others back.
    ///
    /// # Errors
    /// As [`Writer::commit`].
    pub fn judge(&mut self, said: &[Judgement], forgotten: &[(TopicId, ItemId)]) -> Result<(), StoreError> {
        self.write(None, |change| {
            said.iter().try_for_each(|judgement| taught::put_judgement(&mut change.staged, judgement))?;
            let mut forgotten = forgotten.iter();
            forgotten.try_for_each(|(topic, item)| {
                taught::forget_judgement(&mut change.staged, topic, *item)?;
                change.look_again_at(*item)
            })
        })
    }

    /// Stores what topics have learned, or that one has learned nothing; `background` with the items stored when it was
    /// made, where there is another.
    ///
    /// # Errors
    /// As [`Writer::commit`].
    pub fn teach(
        &mut self,
        background: Option<(u64, &Background)>,
        models: &[(TopicId, Option<Model>)],
    ) -> Result<(), StoreError> {
        self.write(None, |change| {
            if let Some((items, background)) = background {
                taught::put_background(&mut change.staged, items, background)?;
            }
            models.iter().try_for_each(|(topic, model)| match model {
                Some(model) => taught::put_model(&mut change.staged, topic, model),
                None => taught::remove_model(&mut change.staged, topic),
            })
        })
    }

    /// Begins to reclassify what is stored by topics of this version: all topics or one, all items or those published
    /// since. One that was under way is given up.
    ///
    /// # Errors
    /// As [`Writer::commit`].
    pub fn begin_reclassification(
        &mut self,
        at: Timestamp,
        version: u64,
        topic: Option<TopicId>,
        since: Option<Timestamp>,
    ) -> Result<Reclassification, StoreError> {
        let last = self.next_seq.saturating_sub(1);
        self.write(Some(at), |change| {
            let total = change.stored()?;
            let (examined, changed, ended) = (0, 0, None);
            let progress =
                Reclassification { version, topic, since, next: 1, last, total, examined, changed, begun: at, ended };
            taught::put_reclassification(&mut change.staged, &progress)?;
            Ok(progress)
        })
    }

    /// Goes on with a reclassification: looks at the next items, at most [`MAX_GROUP`], gives those whose topics differ
    /// the ones that `classify` says (none: it is not to be looked at), and logs these as `reclassified`. The progress is
    /// stored in the same transaction where anything changed, at the end, and where `keep` says so.
    ///
    /// # Errors
    /// As [`Writer::commit`].
    pub fn reclassify(
        &mut self,
        at: Timestamp,
        progress: &Reclassification,
        keep: bool,
        classify: &mut dyn FnMut(&Item) -> Option<Vec<TopicMatch>>,
    ) -> Result<Reclassification, StoreError> {
        let mut progress = progress.clone();
        self.write(Some(at), |change| {
            let range = (Bound::Included(keys::number(progress.next)), Bound::Included(keys::number(progress.last)));
            let (mut looked, before) = (0, progress.changed);
            for entry in change.inner.engine.scan(Table::Items, range).take(RECLASSIFY_AT_ONCE) {
                let (key, _) = entry?;
                looked += 1;
                let Some(no) = keys::last_number(&key) else { continue };
                progress.next = no.saturating_add(1);
                let Some(whole) = records::load_whole(&change.staged, no)? else { continue };
                progress.examined += 1;
                if let Some(topics) = classify(&whole.item).filter(|topics| !taught::same(&whole.item, topics)) {
                    change.reclassify(no, topics)?;
                    progress.changed += 1;
                }
            }
            if looked < RECLASSIFY_AT_ONCE {
                progress.ended = Some(at);
                if progress.topic.is_none() && progress.since.is_none() {
                    let classified = Classified { version: progress.version, stale: 0 };
                    taught::put_classified(&mut change.staged, classified)?;
                }
            }
            if keep || progress.ended.is_some() || progress.changed > before {
                taught::put_reclassification(&mut change.staged, &progress)?;
            }
            Ok(())
        })?;
        Ok(progress)
    }

    /// What has to be compared with new texts, or not any more, since this was last asked: by retention and corrections, and
    /// where an item of a group became something else than was decided.
    pub fn moved(&mut self) -> Moved {
        std::mem::take(&mut self.moved)
    }

    /// Prepares a change, writes it in one transaction, makes it durable, tells the readers.
    pub(super) fn write<T>(
        &mut self,
        at: Option<Timestamp>,
        prepare: impl FnOnce(&mut Change<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if let Some(why) = &self.failed {
            return Err(StoreError::Engine(format!("{why} (since then nothing is written: restart after mending it)")));
        }
        let inner = Arc::clone(&self.inner);
        // Whoever checks the whole store needs it to hold still.
        let _turn = inner.engine.turn();
        let mut change = Change {
            staged: Staged::over(&inner.engine),
            inner: &inner,
            next_seq: self.next_seq,
            at: at.unwrap_or(self.last_at),
            moved: Moved::default(),
        };
        let outcome = prepare(&mut change)?;
        let Change { next_seq, mut staged, moved, .. } = change;
        if staged.writes().is_empty() {
            return Ok(outcome);
        }
        staged.put(Table::Meta, NEXT_SEQ.to_vec(), next_seq.to_be_bytes().to_vec());
        let last_at = at.map_or(self.last_at, |at| at.max(self.last_at));
        staged.put(Table::Meta, LAST_AT.to_vec(), last_at.as_nanosecond().to_be_bytes().to_vec());
        let holding = |table: Table| matches!(table, Table::Pins | Table::Corrections | Table::Judgements);
        let held = staged.writes().keys().any(|(table, _)| holding(*table));
        let written = inner.engine.apply(staged.into_writes());
        if let Err(error) = written {
            self.failed = Some(error.to_string());
            return Err(error);
        }
        if next_seq != self.next_seq
            && let Err(error) = inner.place.acknowledge(next_seq - 1)
        {
            // The data is safe; only a later loss of it would go unnoticed.
            tracing::warn!(path = %inner.path.display(), %error, "the acknowledged position could not be noted");
        }
        if held {
            self.held = None;
        }
        #[cfg(test)]
        {
            self.transactions += 1;
        }
        self.next_seq = next_seq;
        self.last_at = last_at;
        self.moved.extend(moved);
        // Rule 10: readers wait on this and scan. sled's own `watch_prefix` blocks the writer at its 1,024th unread event,
        // and tells of writes before they are durable.
        inner.durable.send_replace(Seq(next_seq - 1));
        // The log shows more than before.
        inner.engine.has_written();
        Ok(outcome)
    }
}

fn newest(group: &Group) -> Timestamp {
    let fetched = group.items.iter().map(|decided| decided.candidate.content.fetched_at);
    let polled = group.cursors.iter().filter_map(|(_, _, poll)| poll.as_ref()).map(|poll| poll.at);
    fetched.chain(polled).max().unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The topics that an item has and will not have.
fn lost_topics(old: &Stored, topics: &[TopicMatch]) -> Vec<TopicId> {
    let before = old.item.topics.iter().map(|topic| &topic.id);
    before.filter(|id| !topics.iter().any(|topic| topic.id == **id)).cloned().collect()
}

/// A transaction in preparation.
pub(super) struct Change<'a> {
    pub(super) inner: &'a Inner,
    pub(super) staged: Staged<'a>,
    pub(super) next_seq: u64,
    pub(super) at: Timestamp,
    pub(super) moved: Moved,
}

impl Change<'_> {
    fn store(&mut self, decided: Decided, told: &BTreeMap<ItemId, ItemId>) -> Result<(), StoreError> {
        let Decided { candidate, verdict } = decided;
        let id = ItemId::of(&candidate.feed, candidate.key);
        match records::known(&self.staged, id)? {
            None => self.add(id, candidate, verdict, told),
            Some((no, _)) if verdict.kind == VerdictKind::Revision => self.revise(no, candidate, verdict),
            Some(_) => Ok(()),
        }
    }

    fn add(
        &mut self,
        id: ItemId,
        candidate: Candidate,
        verdict: Verdict,
        told: &BTreeMap<ItemId, ItemId>,
    ) -> Result<(), StoreError> {
        let Candidate { feed, key, hash, content, topics, fingerprint, sketch: _ } = candidate;
        let decided = verdict.kind;
        let verdict = self.settled(id, verdict, &fingerprint)?;
        // It was stored before, and removed: what was said of it holds.
        let judged = corrections::of(&self.staged, id)?.and_then(|said| said.fitting(&verdict));
        let no = self.next_seq;
        let story = stories::of_new(&self.staged, told, id, &verdict)?;
        let item = Item {
            id,
            seq: Seq(no),
            feed,
            content,
            stored_at: self.at,
            revision: 1,
            topics,
            verdict,
            superseded_by: None,
            judged,
            pinned: false,
            copies: Vec::new(),
            story,
        };
        let content_hash = fingerprint.content;
        let mut stored = Stored { no, key, hash, content_hash, borrowed: None, contained: 0.0, item };
        self.borrow_text(&mut stored)?;
        let kind = if stored.is_duplicate() { LogKind::Duplicate } else { LogKind::New };
        self.replace(None, Some(&stored))?;
        if stored.is_compared() {
            let record = fingerprints::encode(&stored.item, &fingerprint)?;
            values::put_new(&mut self.staged, Table::Fingerprints, &keys::number(no), &record)?;
            if decided.is_duplicate() && !stored.is_duplicate() {
                // Whoever decided took it for a copy (of itself, as it turned out).
                let at = fingerprints::window_time(stored.item.content.published_at, self.at);
                self.moved.extend(Moved { compared: vec![(id, at, fingerprint)], ..Moved::default() });
            }
        }
        self.log(kind, &stored, Vec::new())?;
        self.supersede(&stored.item)
    }

    fn revise(&mut self, no: u64, candidate: Candidate, verdict: Verdict) -> Result<(), StoreError> {
        let Some(old) = records::load(&self.staged, no)? else { return Ok(()) };
        let Some(whole) = records::load_whole(&self.staged, no)? else { return Ok(()) };
        let Candidate { feed: _, key: _, hash, content, topics, fingerprint, sketch: _ } = candidate;
        let former = &whole.item.content;
        let repeated = {
            let mut same = content.clone();
            same.fetched_at = former.fetched_at;
            same == *former && hash == whole.hash
        };
        if repeated || content.fetched_at < former.fetched_at {
            return Ok(());
        }
        let id = old.item.id;
        let words = Revision {
            revision: old.item.revision,
            title: former.title.clone(),
            summary: former.summary.clone(),
            text: former.text.clone(),
            fetched_at: former.fetched_at,
            replaced_at: self.at,
        };
        let key = keys::revision(no, words.revision);
        values::put(&mut self.staged, Table::Revisions, &key, &schema::encode_revision(&words)?)?;
        self.bump(records::REVISIONS, 1)?;
        if content.text != former.text {
            self.lend_no_more(id, no, &words.text)?;
        }
        let verdict = match old.item.verdict.kind {
            VerdictKind::New | VerdictKind::Revision => verdict,
            _ => old.item.verdict.clone(),
        };
        let lost = lost_topics(&old, &topics);
        let new = Stored {
            no,
            key: old.key,
            hash,
            content_hash: fingerprint.content,
            borrowed: None,
            contained: old.contained,
            item: Item {
                id,
                seq: Seq(self.next_seq),
                feed: old.item.feed.clone(),
                content,
                stored_at: old.item.stored_at,
                revision: old.item.revision.saturating_add(1),
                topics,
                verdict,
                superseded_by: old.item.superseded_by,
                judged: old.item.judged.clone(),
                pinned: false,
                copies: Vec::new(),
                story: old.item.story.clone(),
            },
        };
        self.replace(Some(&old), Some(&new))?;
        if !taught::same(&old.item, &new.item.topics) {
            self.look_again(no)?;
        }
        if new.is_compared() {
            let record = fingerprints::encode(&new.item, &fingerprint)?;
            values::put(&mut self.staged, Table::Fingerprints, &keys::number(no), &record)?;
        }
        self.log(LogKind::Revised, &new, lost)
    }

    /// Gives the item other topics; its words, and whose text it borrows, stay.
    fn reclassify(&mut self, no: u64, topics: Vec<TopicMatch>) -> Result<(), StoreError> {
        let Some(old) = records::load(&self.staged, no)? else { return Ok(()) };
        let lost = lost_topics(&old, &topics);
        let mut new = old.clone();
        (new.item.topics, new.item.seq) = (topics, Seq(self.next_seq));
        self.replace(Some(&old), Some(&new))?;
        // Its age may be another one.
        self.look_again(no)?;
        self.log(LogKind::Reclassified, &new, lost)
    }

    /// Notes that what is stored from now on is classified by topics of this version.
    fn classify_by(&mut self, version: u64) -> Result<(), StoreError> {
        if taught::classified(&self.staged)?.is_some_and(|classified| classified.version == version) {
            return Ok(());
        }
        let stale = self.stored()?;
        taught::put_classified(&mut self.staged, Classified { version, stale })
    }

    /// How many items are stored, duplicates too.
    fn stored(&self) -> Result<u64, StoreError> {
        Ok(counter(&self.staged, records::ITEMS)? + counter(&self.staged, records::DUPLICATES)?)
    }

    /// Puts, changes or removes a record with its index entries and counts.
    pub(super) fn replace(&mut self, old: Option<&Stored>, new: Option<&Stored>) -> Result<(), StoreError> {
        let (before, after) =
            (old.map_or(Ok(Vec::new()), records::index)?, new.map_or(Ok(Vec::new()), records::index)?);
        for (table, key, _) in &before {
            if !after.iter().any(|(kept, kept_key, _)| kept == table && kept_key == key) {
                self.staged.remove(*table, key.clone());
            }
        }
        for entry in after {
            if !before.contains(&entry) {
                let (table, key, value) = entry;
                self.staged.put(table, key, value);
            }
        }
        let (uncounted, counted) =
            (old.map_or(BTreeSet::new(), records::counted), new.map_or(BTreeSet::new(), records::counted));
        for key in uncounted.difference(&counted) {
            self.bump(key, -1)?;
        }
        for key in counted.difference(&uncounted) {
            self.bump(key, 1)?;
        }
        match (new, old) {
            (Some(new), None) => {
                values::put_new(&mut self.staged, Table::Items, &keys::number(new.no), &schema::encode_item(new)?)
            }
            (Some(new), Some(_)) => {
                values::put(&mut self.staged, Table::Items, &keys::number(new.no), &schema::encode_item(new)?)
            }
            (None, Some(old)) => values::remove(&mut self.staged, Table::Items, &keys::number(old.no)),
            (None, None) => Ok(()),
        }
    }

    pub(super) fn log(&mut self, kind: LogKind, stored: &Stored, lost: Vec<TopicId>) -> Result<(), StoreError> {
        let (no, id, revision) = (stored.no, stored.item.id, stored.item.revision);
        let record = Logged { kind, at: self.at, no, id, revision, lost };
        self.staged.put(Table::Log, keys::number(self.next_seq), logged::encode_log(&record)?);
        self.next_seq += 1;
        Ok(())
    }

    fn leave(&mut self, feed: &FeedId, cursor: &FeedCursor, poll: Option<&PollRecord>) -> Result<(), StoreError> {
        feeds::put_cursor(&mut self.staged, feed, cursor)?;
        if let Some(poll) = poll {
            let key = [POLLS, feed.as_str().as_bytes()].concat();
            let number = counter(&self.staged, &key)?;
            feeds::put_poll(&mut self.staged, feed, number, poll)?;
            self.bump(&key, 1)?;
        }
        Ok(())
    }

    pub(super) fn bump(&mut self, key: &[u8], by: i64) -> Result<(), StoreError> {
        if by == 0 {
            return Ok(());
        }
        match counter(&self.staged, key)?.saturating_add_signed(by) {
            0 => self.staged.remove(Table::Meta, key.to_vec()),
            n => self.staged.put(Table::Meta, key.to_vec(), n.to_be_bytes().to_vec()),
        }
        Ok(())
    }
}
