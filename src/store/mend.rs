//! Makes a store whole of records that were read one by one.
//!
//! In: a store that holds records and nothing that follows from them; records may be missing, or older than others say. Out: the
//! same with every index, count and fingerprint, a log without gaps, and what is lost, in words.
//! Promise: what comes out is what [`super::verify`] calls clean. No record that fits is changed; one that does not is made to
//! fit as little as possible, and that is told. What is lost of the items is told in the log, too, so consumers know.
//! Not here: where the records come from ([`super::rebuild`]).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use jiff::Timestamp;

use super::engine::{Engine, Read as _, Table};
use super::logged::{self, Logged};
use super::relations::fingerprint_of;
use super::schema::{self, Revision, Stored};
use super::staged::Staged;
use super::writer::{LAST_AT, LOG_BEGINS, NEXT_SEQ, POLLS};
use super::{
    Progress, StoreError, consumers, corrections, feeds, fingerprints, keys, pins, records, retention, stories, taught,
    values,
};
use crate::dedup::{Original, Verdict};
use crate::id::{FeedId, ItemId, Seq};
use crate::item::LogKind;

const EVERYTHING: (Bound<Vec<u8>>, Bound<Vec<u8>>) = (Bound::Unbounded, Bound::Unbounded);
/// So many changes are written at once.
const AT_ONCE: usize = 1_000;

/// What the log says of an item at last.
struct Last {
    seq: u64,
    id: ItemId,
    revision: u32,
    removed: bool,
}

/// What a stored item says of itself.
struct There {
    seq: u64,
    id: ItemId,
    revision: u32,
    duplicate: bool,
}

/// A store in the making.
pub(super) struct Mending<'a> {
    engine: &'a Engine,
    staged: Staged<'a>,
    counts: BTreeMap<Vec<u8>, u64>,
    last_of: BTreeMap<u64, Last>,
    there: BTreeMap<u64, There>,
    /// Ids of items that were stored and cannot be read.
    gone: BTreeSet<ItemId>,
    end: u64,
    newest: Timestamp,
    /// Whether the item in hand is one that had no fingerprint until now.
    fresh: bool,
    /// What is lost.
    pub(super) lost: Vec<String>,
}

impl<'a> Mending<'a> {
    pub(super) fn over(engine: &'a Engine) -> Self {
        Self {
            engine,
            staged: Staged::over(engine),
            counts: BTreeMap::new(),
            last_of: BTreeMap::new(),
            there: BTreeMap::new(),
            gone: BTreeSet::new(),
            end: 0,
            newest: Timestamp::UNIX_EPOCH,
            fresh: false,
            lost: Vec::new(),
        }
    }

    /// The last position of the log.
    pub(super) const fn last(&self) -> u64 {
        self.end
    }

    /// How many items there are then.
    pub(super) fn mend(&mut self, progress: &mut Progress<'_>) -> Result<u64, StoreError> {
        let logged = self.read_log()?;
        self.items(progress)?;
        self.log(logged)?;
        self.bring_up_copies()?;
        self.others()?;
        self.totals()?;
        self.write()?;
        Ok(self.there.len() as u64)
    }

    fn write(&mut self) -> Result<(), StoreError> {
        let staged = std::mem::replace(&mut self.staged, Staged::over(self.engine));
        self.engine.apply(staged.into_writes())
    }

    fn write_some(&mut self) -> Result<(), StoreError> {
        if self.staged.writes().len() >= AT_ONCE { self.write() } else { Ok(()) }
    }

    /// A record that does not decode is lost; a store that cannot be read is an error.
    fn read<T>(&mut self, outcome: Result<Option<T>, StoreError>) -> Result<Option<T>, StoreError> {
        match outcome {
            Err(StoreError::Corrupt { what, .. }) => {
                self.lost.push(what);
                Ok(None)
            }
            other => other,
        }
    }

    /// The positions that the log has; what it says of each item at last is noted.
    fn read_log(&mut self) -> Result<BTreeSet<u64>, StoreError> {
        let mut there = BTreeSet::new();
        for entry in self.engine.scan(Table::Log, EVERYTHING) {
            let (key, value) = entry?;
            let seq = keys::last_number(&key).unwrap_or_default();
            let decoded = self.read(logged::decode_log(seq, &value).map(Some))?;
            let Some(Logged { kind, at, no, id, revision, lost: _ }) = decoded else { continue };
            there.insert(seq);
            self.newest = self.newest.max(at);
            self.last_of.insert(no, Last { seq, id, revision, removed: kind == LogKind::Removed });
        }
        self.end = there.last().copied().unwrap_or_default();
        Ok(there)
    }

    fn items(&mut self, progress: &mut Progress<'_>) -> Result<(), StoreError> {
        let mut done = 0;
        for entry in self.engine.scan(Table::Items, EVERYTHING) {
            let (key, _) = entry?;
            let Some(no) = keys::last_number(&key) else { continue };
            self.item(no)?;
            self.write_some()?;
            done += 1;
            if done % AT_ONCE as u64 == 0 {
                progress("making indexes", done, 0);
            }
        }
        self.write()
    }

    fn item(&mut self, no: u64) -> Result<(), StoreError> {
        if self.last_of.get(&no).is_some_and(|last| last.removed) {
            return values::remove(&mut self.staged, Table::Items, &keys::number(no));
        }
        let read = records::load(&self.staged, no);
        let Some(mut stored) = self.read(read)? else {
            return values::remove(&mut self.staged, Table::Items, &keys::number(no));
        };
        let before = stored.clone();
        let id = stored.item.id;
        let whole = match records::load_whole(&self.staged, no) {
            Ok(Some(whole)) => whole,
            Ok(None) => stored.clone(),
            Err(StoreError::Corrupt { .. }) => {
                self.lost.push(format!("item {id}: its text, which was kept with another item"));
                stored.borrowed = None;
                stored.clone()
            }
            Err(error) => return Err(error),
        };
        if let Some(last) = self.last_of.get(&no).filter(|last| last.seq > stored.item.seq.0) {
            let older = if last.revision > stored.item.revision {
                "its words are of an older revision"
            } else {
                "its last change"
            };
            self.lost.push(format!("item {id}: {older}"));
            stored.item.seq = Seq(last.seq);
        }
        if let Some(judged) = &stored.item.judged {
            let said = self.read(corrections::of(&self.staged, id))?;
            if said.is_none_or(|said| said.judged != *judged) {
                self.lost.push(format!("item {id}: that a person said what it is"));
                stored.item.judged = None;
            }
        }
        self.revisions(&stored)?;
        self.fresh = stored.borrowed != before.borrowed;
        self.fingerprint(&mut stored, &whole)?;
        if stored != before {
            values::put(&mut self.staged, Table::Items, &keys::number(no), &schema::encode_item(&stored)?)?;
        }
        self.index(&stored)?;
        let Stored { item, .. } = &stored;
        let (seq, revision, duplicate) = (item.seq.0, item.revision, stored.is_duplicate());
        self.newest = self.newest.max(item.stored_at);
        self.end = self.end.max(seq);
        self.there.insert(no, There { seq, id, revision, duplicate });
        Ok(())
    }

    fn index(&mut self, stored: &Stored) -> Result<(), StoreError> {
        for (table, key, value) in records::index(stored)? {
            self.staged.put(table, key, value);
        }
        for key in records::counted(stored) {
            *self.counts.entry(key).or_default() += 1;
        }
        Ok(())
    }

    fn revisions(&mut self, stored: &Stored) -> Result<(), StoreError> {
        let (no, item) = (stored.no, &stored.item);
        for revision in 1..item.revision {
            let key = keys::revision(no, revision);
            let read = values::get(&self.staged, Table::Revisions, &key)
                .and_then(|bytes| bytes.map(|bytes| schema::decode_revision(no, &bytes)).transpose());
            if self.read(read)?.is_none() {
                self.lost.push(format!("item {}: the words of its revision {revision}", item.id));
                let (title, summary, text) = (String::new(), String::new(), String::new());
                let at = item.stored_at;
                let empty = Revision { revision, title, summary, text, fetched_at: at, replaced_at: at };
                values::put(&mut self.staged, Table::Revisions, &key, &schema::encode_revision(&empty)?)?;
            }
            *self.counts.entry(records::REVISIONS.to_vec()).or_default() += 1;
        }
        for (key, _) in self.staged.prefix(Table::Revisions, &keys::number(no))? {
            let of = key.last_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
            if of == 0 || of >= item.revision {
                values::remove(&mut self.staged, Table::Revisions, &key)?;
            }
        }
        Ok(())
    }

    /// Sees to it that an item has a fingerprint exactly where it is to be compared.
    fn fingerprint(&mut self, stored: &mut Stored, whole: &Stored) -> Result<(), StoreError> {
        let key = keys::number(stored.no);
        if !stored.is_compared() {
            return values::remove(&mut self.staged, Table::Fingerprints, &key);
        }
        let found = values::get(&self.staged, Table::Fingerprints, &key)
            .and_then(|bytes| bytes.map(|bytes| fingerprints::decode(stored.no, &bytes)).transpose());
        let item = &stored.item;
        let expected = (item.id, item.stored_at, item.content.published_at, stored.content_hash);
        // It follows from the words, so nothing is lost where it is made again.
        let fits = matches!(&found, Ok(Some(found))
            if (found.id, found.stored_at, found.published_at, found.fingerprint.content) == expected);
        if let Err(error) = found
            && !matches!(error, StoreError::Corrupt { .. })
        {
            return Err(error);
        }
        if !fits {
            if !self.fresh {
                self.lost
                    .push(format!("item {}: its fingerprint, which was made again from its words", stored.item.id));
            }
            let fingerprint = fingerprint_of(whole);
            stored.content_hash = fingerprint.content;
            let record = fingerprints::encode(&stored.item, &fingerprint)?;
            values::put(&mut self.staged, Table::Fingerprints, &key, &record)?;
        }
        Ok(())
    }

    /// Fills the gaps of the log, and says in it which items are lost.
    fn log(&mut self, there: BTreeSet<u64>) -> Result<(), StoreError> {
        let first = records::counter(self.engine, LOG_BEGINS)?.max(1);
        self.end = self.end.max(records::counter(self.engine, NEXT_SEQ)?.saturating_sub(1));
        let mut changed: BTreeMap<u64, u64> = BTreeMap::new();
        changed.extend(self.there.iter().map(|(no, there)| (there.seq, *no)));
        for seq in (first..=self.end).filter(|seq| !there.contains(seq)) {
            let begun = self.there.get(&seq).map(|there| (LogKind::of_new(there.duplicate), seq, there));
            let no = changed.get(&seq).copied();
            let later = no.and_then(|no| Some((LogKind::Revised, no, self.there.get(&no)?)));
            let (kind, no, id, revision) = match begun.or(later) {
                Some((kind, no, there)) => (kind, no, there.id, there.revision),
                // Nothing is known of it: that something was removed which nobody has is true, and does no harm.
                None => (LogKind::Removed, seq, ItemId([0; 16]), 1),
            };
            self.lost.push(format!("log record {seq}"));
            let record = Logged { kind, at: self.newest, no, id, revision, lost: Vec::new() };
            self.staged.put(Table::Log, keys::number(seq), logged::encode_log(&record)?);
            self.write_some()?;
        }
        let gone = self.last_of.iter().filter(|(no, last)| !last.removed && !self.there.contains_key(no));
        let gone: Vec<(u64, ItemId, u32)> = gone.map(|(no, last)| (*no, last.id, last.revision)).collect();
        for (no, id, revision) in gone {
            self.lost.push(format!("item {id}"));
            self.gone.insert(id);
            self.end += 1;
            let record = Logged { kind: LogKind::Removed, at: self.newest, no, id, revision, lost: Vec::new() };
            self.staged.put(Table::Log, keys::number(self.end), logged::encode_log(&record)?);
            self.write_some()?;
        }
        self.write()
    }

    /// What was listed under an item that is lost comes into sight.
    fn bring_up_copies(&mut self) -> Result<(), StoreError> {
        for id in self.gone.clone() {
            for (key, _) in self.engine.prefix(Table::Copies, &keys::original(&Original::Item(id)))? {
                let Some(no) = keys::last_number(&key) else { continue };
                let (Some(old), Some(whole)) =
                    (records::load(&self.staged, no)?, records::load_whole(&self.staged, no)?)
                else {
                    continue;
                };
                let mut new = whole.clone();
                new.borrowed = None;
                (new.item.superseded_by, new.contained) = (None, 0.0);
                if old.is_duplicate() {
                    (new.item.verdict, new.item.judged) = (Verdict::new_item(), None);
                }
                self.lost.push(format!(
                    "item {}: that it was a copy of {id}, which is lost; it is in sight now",
                    new.item.id
                ));
                self.end += 1;
                new.item.seq = Seq(self.end);
                self.fresh = true;
                self.fingerprint(&mut new, &whole)?;
                for (table, key, _) in records::index(&old)? {
                    self.staged.remove(table, key);
                }
                for key in records::counted(&old) {
                    self.counts.entry(key).and_modify(|count| *count -= 1);
                }
                self.index(&new)?;
                values::put(&mut self.staged, Table::Items, &keys::number(no), &schema::encode_item(&new)?)?;
                let (kind, lost) = (LogKind::New, Vec::new());
                let record = Logged { kind, at: self.newest, no, id: new.item.id, revision: new.item.revision, lost };
                self.staged.put(Table::Log, keys::number(self.end), logged::encode_log(&record)?);
                self.write_some()?;
            }
        }
        self.write()
    }

    /// Records that belong to items which are not there, and those that do not decode.
    fn others(&mut self) -> Result<(), StoreError> {
        for table in [Table::Fingerprints, Table::Revisions] {
            for entry in self.engine.scan(table, EVERYTHING) {
                let (key, _) = entry?;
                let no = key.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
                if !self.there.contains_key(&no) {
                    values::remove(&mut self.staged, table, &key)?;
                }
            }
        }
        for entry in self.engine.scan(Table::Window, EVERYTHING) {
            let entry = entry?;
            let wrong = stories::check(&self.staged, &entry);
            if !matches!(wrong, Ok(None)) {
                self.staged.remove(Table::Window, entry.0);
            }
        }
        self.feeds()?;
        for table in [Table::Judgements, Table::Learned, Table::Corrections] {
            for entry in self.engine.scan(table, EVERYTHING) {
                let (key, _) = entry?;
                let bytes = values::get(&self.staged, table, &key).map(Option::unwrap_or_default);
                let whole = bytes.and_then(|bytes| match table {
                    Table::Corrections => corrections::decode(&key, &bytes).map(|_| ()),
                    _ => taught::check(table, &key, &bytes),
                });
                if self.read(whole.map(Some))?.is_none() {
                    values::remove(&mut self.staged, table, &key)?;
                }
            }
        }
        self.kept()?;
        self.consumers()?;
        self.write()?;
        // Last, when every head is as it stays.
        for entry in self.engine.scan(Table::Chunks, EVERYTHING) {
            let (key, _) = entry?;
            if !values::is_called_for(&self.staged, &key)? {
                self.staged.remove(Table::Chunks, key);
            }
        }
        self.write()
    }

    fn kept(&mut self) -> Result<(), StoreError> {
        for entry in self.engine.scan(Table::Pins, EVERYTHING) {
            let (key, _) = entry?;
            let bytes = values::get(&self.staged, Table::Pins, &key).map(Option::unwrap_or_default);
            let checked = bytes.and_then(|bytes| pins::check(&self.staged, &key, &bytes));
            let wrong = self.read(checked.map(Some))?;
            if !matches!(wrong, Some(None)) {
                self.lost.extend(wrong.flatten());
                values::remove(&mut self.staged, Table::Pins, &key)?;
            }
        }
        Ok(())
    }

    /// The end of the log is what it stays by now.
    fn consumers(&mut self) -> Result<(), StoreError> {
        for entry in self.engine.scan(Table::Consumers, EVERYTHING) {
            let (key, _) = entry?;
            let mended = consumers::mend(&mut self.staged, &key, self.end);
            match self.read(mended.map(Some))? {
                Some(told) => self.lost.extend(told),
                None => values::remove(&mut self.staged, Table::Consumers, &key)?,
            }
        }
        Ok(())
    }

    fn feeds(&mut self) -> Result<(), StoreError> {
        let mut cursors = BTreeSet::new();
        for entry in self.engine.scan(Table::Cursors, EVERYTHING) {
            cursors.extend(keys::feed(&entry?.0));
        }
        for feed in cursors {
            let read = feeds::cursor(&self.staged, &feed);
            // What a feed still has of what is lost comes in again.
            if self.read(read)?.is_none() || !self.gone.is_empty() {
                self.lost.push(format!(
                    "where the feed {feed} was left: it is read from its beginning, and nothing is doubled"
                ));
                for key in [keys::cursor(&feed), keys::seen(&feed), keys::recurring(&feed)] {
                    values::remove(&mut self.staged, Table::Cursors, &key)?;
                }
            }
        }
        let mut polls: BTreeMap<FeedId, u64> = BTreeMap::new();
        for entry in self.engine.scan(Table::Polls, EVERYTHING) {
            let (key, _) = entry?;
            let Some(feed) = keys::feed(&key) else { continue };
            let bytes = values::get(&self.staged, Table::Polls, &key).map(Option::unwrap_or_default);
            let read = bytes.and_then(|bytes| feeds::decode_poll(feed.as_str(), &bytes).map(Some));
            if self.read(read)?.is_none() {
                self.lost.push(format!("a poll of {feed}"));
                values::remove(&mut self.staged, Table::Polls, &key)?;
            }
            polls.insert(feed, keys::last_number(&key).unwrap_or_default() + 1);
        }
        for (feed, next) in polls {
            let key = [POLLS, feed.as_str().as_bytes()].concat();
            if records::counter(&self.staged, &key)? < next {
                self.staged.put(Table::Meta, key, next.to_be_bytes().to_vec());
            }
        }
        let mut unread = BTreeSet::new();
        for entry in self.engine.scan(Table::Unread, EVERYTHING) {
            unread.extend(keys::feed(&entry?.0));
        }
        for feed in unread {
            let read = feeds::unread(&self.staged, &feed);
            if self.read(read)?.is_none() {
                self.lost.push(format!("the last unread document of {feed}"));
                for key in [keys::unread(&feed), keys::unread_body(&feed)] {
                    values::remove(&mut self.staged, Table::Unread, &key)?;
                }
            }
        }
        Ok(())
    }

    fn totals(&mut self) -> Result<(), StoreError> {
        for prefix in [records::ITEMS, records::DUPLICATES, records::REVISIONS, records::FEED, records::TOPIC] {
            for (key, _) in self.engine.prefix(Table::Meta, prefix)? {
                self.staged.remove(Table::Meta, key);
            }
        }
        for (key, count) in std::mem::take(&mut self.counts) {
            if count > 0 {
                self.staged.put(Table::Meta, key, count.to_be_bytes().to_vec());
            }
        }
        self.staged.put(Table::Meta, NEXT_SEQ.to_vec(), (self.end + 1).to_be_bytes().to_vec());
        let last_at = self.engine.get(Table::Meta, LAST_AT)?;
        let last_at = last_at.and_then(|value| value.first_chunk().map(|bytes| i128::from_be_bytes(*bytes)));
        let last_at = last_at.unwrap_or_default().max(self.newest.as_nanosecond());
        self.staged.put(Table::Meta, LAST_AT.to_vec(), last_at.to_be_bytes().to_vec());
        let swept = retention::check(&self.staged);
        self.read(swept.map(Some))?;
        // It follows from the items. What is lost may have held some of them, and numbers of lost ones come again: all are
        // looked through once more.
        if !self.lost.is_empty() {
            self.staged.remove(Table::Meta, retention::SWEPT.to_vec());
        }
        for (key, wrong) in [
            (taught::CLASSIFIED, taught::classified(&self.staged).is_err()),
            (taught::RECLASSIFICATION, taught::reclassification(&self.staged).is_err()),
        ] {
            if wrong {
                self.staged.remove(Table::Meta, key.to_vec());
            }
        }
        Ok(())
    }
}
