//! The whole store against itself.
//!
//! In: the tables. Out: what does not fit, in words.
//! Promise: finds every record that does not decode, every index entry missing, wrong or left over, every gap in the log,
//! every wrong count. Damage of one record does not hide the next.
//! Not here: repair. The writer must hold still meanwhile ([`super::Store::verify`] sees to that).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::engine::{Engine, Read as _, Table};
use super::records::{self, counter};
use super::schema::{self, Stored};
use super::values::{self, hex};
use super::writer::{LOG_BEGINS, NEXT_SEQ};
use super::{StoreError, consumers, corrections, feeds, fingerprints, keys, logged, pins, retention, stories, taught};
use crate::item::LogKind;

/// After so many problems the store is known to be broken.
const MAX_PROBLEMS: usize = 100;

/// The problems of the store; empty when there are none.
pub(super) fn problems(engine: &Engine) -> Result<Vec<String>, StoreError> {
    let mut check =
        Check { engine, problems: Vec::new(), indexed: BTreeMap::new(), counts: BTreeMap::new(), chunks: 0 };
    let items = check.items()?;
    check.indexes()?;
    check.log(&items)?;
    check.window()?;
    check.feeds()?;
    check.taught()?;
    check.corrections()?;
    check.kept()?;
    check.consumers()?;
    check.totals()?;
    check.problems.truncate(MAX_PROBLEMS);
    Ok(check.problems)
}

struct Check<'a> {
    engine: &'a Engine,
    problems: Vec<String>,
    /// How many entries the items call for, by table.
    indexed: BTreeMap<Table, u64>,
    /// What the counters in meta should be.
    counts: BTreeMap<Vec<u8>, u64>,
    chunks: u64,
}

const EVERYTHING: (Bound<Vec<u8>>, Bound<Vec<u8>>) = (Bound::Unbounded, Bound::Unbounded);

impl Check<'_> {
    fn full(&self) -> bool {
        self.problems.len() >= MAX_PROBLEMS
    }

    /// A record that is wrong is a problem like another; a store that cannot be read is an error.
    fn note<T>(&mut self, outcome: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        match outcome {
            Ok(value) => Ok(Some(value)),
            Err(StoreError::Corrupt { what, .. }) => {
                self.problems.push(what);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Every item with all that follows from it. Numbers and last positions of the items.
    fn items(&mut self) -> Result<BTreeMap<u64, u64>, StoreError> {
        let mut items = BTreeMap::new();
        for entry in self.engine.scan(Table::Items, EVERYTHING) {
            let Some((key, head)) = self.note(entry)? else { break };
            self.chunks += u64::from(values::further(&head));
            let Some(no) = keys::last_number(&key) else { continue };
            let read = records::load_whole(self.engine, no);
            let Some(stored) = self.note(read)?.flatten() else { continue };
            items.insert(no, stored.item.seq.0);
            self.item(&stored)?;
            if self.full() {
                break;
            }
        }
        Ok(items)
    }

    fn item(&mut self, stored: &Stored) -> Result<(), StoreError> {
        let no = stored.no;
        let Some(entries) = self.note(records::index(stored))? else { return Ok(()) };
        for (table, key, value) in entries {
            *self.indexed.entry(table).or_default() += 1;
            match self.engine.get(table, &key)? {
                Some(found) if found == value => {}
                Some(_) => self.problems.push(format!("item {no}: its entry in {} says something else", table.name())),
                None => self.problems.push(format!("item {no}: it has no entry in {}", table.name())),
            }
        }
        for key in records::counted(stored) {
            *self.counts.entry(key).or_default() += 1;
        }
        let key = keys::number(no);
        match self.engine.get(Table::Fingerprints, &key)? {
            Some(_) if !stored.is_compared() => {
                self.problems.push(format!("item {no}: it is a duplicate and has a fingerprint"));
            }
            None if stored.is_compared() => self.problems.push(format!("item {no}: it has no fingerprint")),
            Some(head) => {
                *self.indexed.entry(Table::Fingerprints).or_default() += 1;
                self.chunks += u64::from(values::further(&head));
                let read = values::get(self.engine, Table::Fingerprints, &key)
                    .and_then(|bytes| fingerprints::decode(no, &bytes.unwrap_or_default()));
                if let Some(found) = self.note(read)? {
                    let (item, published_at) = (&stored.item, stored.item.content.published_at);
                    let expected = (item.id, item.stored_at, published_at, stored.content_hash);
                    if (found.id, found.stored_at, found.published_at, found.fingerprint.content) != expected {
                        self.problems.push(format!("item {no}: its fingerprint is another item's"));
                    }
                }
            }
            None => {}
        }
        if let Some(judged) = &stored.item.judged {
            let said = self.note(corrections::of(self.engine, stored.item.id))?.flatten();
            if said.is_none_or(|said| said.judged != *judged) {
                self.problems.push(format!("item {no}: what was said of its verdict is not what is kept of it"));
            }
        }
        for revision in 1..stored.item.revision {
            let key = keys::revision(no, revision);
            let read = values::get(self.engine, Table::Revisions, &key);
            let Some(found) = self.note(read)? else { continue };
            let Some(bytes) = found else {
                self.problems.push(format!("item {no}: the words of its revision {revision} are missing"));
                continue;
            };
            *self.indexed.entry(Table::Revisions).or_default() += 1;
            *self.counts.entry(records::REVISIONS.to_vec()).or_default() += 1;
            let head = self.engine.get(Table::Revisions, &key)?;
            self.chunks += head.map_or(0, |head| u64::from(values::further(&head)));
            self.note(schema::decode_revision(no, &bytes))?;
        }
        Ok(())
    }

    /// The other way round: every entry belongs to an item.
    fn indexes(&mut self) -> Result<(), StoreError> {
        const LISTS: [Table; 8] = [
            Table::Ids,
            Table::ByTime,
            Table::ByFeed,
            Table::ByTopic,
            Table::ByContent,
            Table::ByUrl,
            Table::Copies,
            Table::ByStory,
        ];
        for table in LISTS {
            // All entries that items call for were there; so an equal number means that there are no others.
            if self.engine.count(table)? == self.indexed.get(&table).copied().unwrap_or_default() {
                continue;
            }
            for entry in self.engine.scan(table, EVERYTHING) {
                let Some((key, value)) = self.note(entry)? else { break };
                let no = if table == Table::Ids {
                    value.first_chunk().map(|no| u64::from_be_bytes(*no))
                } else {
                    keys::last_number(&key)
                };
                let stored = no.map_or(Ok(None), |no| records::load(self.engine, no)).unwrap_or_default();
                let entries = stored.as_ref().map_or(Ok(Vec::new()), records::index)?;
                if !entries.iter().any(|(of, expected, _)| *of == table && *expected == key) {
                    self.problems.push(format!("{}: the entry {} belongs to no item", table.name(), hex(&key)));
                }
                if self.full() {
                    return Ok(());
                }
            }
        }
        for table in [Table::Fingerprints, Table::Revisions] {
            let (found, expected) = (self.engine.count(table)?, self.indexed.get(&table).copied().unwrap_or_default());
            if found != expected {
                self.problems.push(format!("{}: {found} records, and the items call for {expected}", table.name()));
            }
        }
        Ok(())
    }

    fn log(&mut self, items: &BTreeMap<u64, u64>) -> Result<(), StoreError> {
        // What retention took from its beginning.
        let begins = counter(self.engine, LOG_BEGINS)?.max(1);
        let (mut expected, mut first_seq) = (begins, None);
        let mut last: BTreeMap<u64, u64> = BTreeMap::new();
        let mut removed = BTreeSet::new();
        for entry in self.engine.scan(Table::Log, EVERYTHING) {
            let Some((key, value)) = self.note(entry)? else { break };
            let seq = keys::last_number(&key).unwrap_or_default();
            if *first_seq.get_or_insert(seq) == seq && seq != begins && begins != 1 {
                self.problems.push(format!("log: it begins at {seq}, and is said to begin at {begins}"));
            } else if seq != expected {
                self.problems.push(format!("log: {expected} is followed by {seq}"));
            }
            expected = seq.saturating_add(1);
            let Some(logged) = self.note(logged::decode_log(seq, &value))? else { continue };
            let first = matches!(logged.kind, LogKind::New | LogKind::Duplicate);
            // An item that is split or joined comes into sight and goes out of it by the same words.
            if first && logged.no >= begins && logged.no != seq && !last.contains_key(&logged.no) {
                self.problems.push(format!("log record {seq}: it adds the item {}, not {seq}", logged.no));
            }
            if logged.kind == LogKind::Removed {
                removed.insert(logged.no);
            }
            last.insert(logged.no, seq);
            if self.full() {
                return Ok(());
            }
        }
        let next = counter(self.engine, NEXT_SEQ)?.max(1);
        if next != expected {
            self.problems.push(format!("log: it ends at {}, and the next position is said to be {next}", expected - 1));
        }
        for (no, seq) in &last {
            match items.get(no) {
                None if !removed.contains(no) => {
                    self.problems.push(format!("log record {seq}: its item {no} is missing"));
                }
                Some(at) if at != seq => {
                    self.problems.push(format!("item {no}: it was last changed at {at}, and the log says at {seq}"));
                }
                Some(_) if removed.contains(no) => {
                    self.problems.push(format!("item {no}: the log says it was removed"))
                }
                _ => {}
            }
        }
        for (no, _) in items.iter().filter(|(no, seq)| **seq >= begins && !last.contains_key(no)) {
            self.problems.push(format!("item {no}: the log does not know it"));
        }
        Ok(())
    }

    fn window(&mut self) -> Result<(), StoreError> {
        for entry in self.engine.scan(Table::Window, EVERYTHING) {
            let Some(entry) = self.note(entry)? else { break };
            let wrong = stories::check(self.engine, &entry);
            let wrong = self.note(wrong)?.flatten();
            self.problems.extend(wrong);
            if self.full() {
                break;
            }
        }
        Ok(())
    }

    fn feeds(&mut self) -> Result<(), StoreError> {
        for table in [Table::Cursors, Table::Polls, Table::Unread] {
            for entry in self.engine.scan(table, EVERYTHING) {
                let Some((key, head)) = self.note(entry)? else { break };
                self.chunks += u64::from(values::further(&head));
                let name = key.split(|byte| *byte == 0).next().unwrap_or_default();
                let name = String::from_utf8_lossy(name).into_owned();
                let read = values::get(self.engine, table, &key);
                let bytes = self.note(read)?.flatten().unwrap_or_default();
                if table == Table::Polls {
                    self.note(feeds::decode_poll(&name, &bytes))?;
                } else if let Ok(feed) = name.parse() {
                    if table == Table::Unread {
                        self.note(feeds::unread(self.engine, &feed))?;
                    } else {
                        self.note(feeds::cursor(self.engine, &feed))?;
                    }
                } else {
                    self.problems.push(format!("{}: `{name}` is no feed's id", table.name()));
                }
            }
        }
        Ok(())
    }

    fn taught(&mut self) -> Result<(), StoreError> {
        for table in [Table::Judgements, Table::Learned] {
            for entry in self.engine.scan(table, EVERYTHING) {
                let Some((key, head)) = self.note(entry)? else { break };
                self.chunks += u64::from(values::further(&head));
                let read = values::get(self.engine, table, &key);
                let bytes = self.note(read)?.flatten().unwrap_or_default();
                self.note(taught::check(table, &key, &bytes))?;
            }
        }
        let (classified, progress) = (taught::classified(self.engine), taught::reclassification(self.engine));
        self.note(classified)?;
        self.note(progress)?;
        Ok(())
    }

    fn corrections(&mut self) -> Result<(), StoreError> {
        for entry in self.engine.scan(Table::Corrections, EVERYTHING) {
            let Some((key, head)) = self.note(entry)? else { break };
            self.chunks += u64::from(values::further(&head));
            let read = values::get(self.engine, Table::Corrections, &key);
            let bytes = self.note(read)?.flatten().unwrap_or_default();
            self.note(corrections::decode(&key, &bytes))?;
        }
        Ok(())
    }

    fn kept(&mut self) -> Result<(), StoreError> {
        for entry in self.engine.scan(Table::Pins, EVERYTHING) {
            let Some((key, head)) = self.note(entry)? else { break };
            self.chunks += u64::from(values::further(&head));
            let read = values::get(self.engine, Table::Pins, &key);
            let bytes = self.note(read)?.flatten().unwrap_or_default();
            let wrong = pins::check(self.engine, &key, &bytes);
            let wrong = self.note(wrong)?.flatten();
            self.problems.extend(wrong);
        }
        let swept = retention::check(self.engine);
        self.note(swept)?;
        Ok(())
    }

    fn consumers(&mut self) -> Result<(), StoreError> {
        let last = counter(self.engine, NEXT_SEQ)?.saturating_sub(1);
        for entry in self.engine.scan(Table::Consumers, EVERYTHING) {
            let Some((key, head)) = self.note(entry)? else { break };
            self.chunks += u64::from(values::further(&head));
            let wrong = consumers::check(self.engine, &key, last);
            let wrong = self.note(wrong)?.flatten();
            self.problems.extend(wrong);
        }
        Ok(())
    }

    fn totals(&mut self) -> Result<(), StoreError> {
        let found = self.engine.count(Table::Chunks)?;
        if found != self.chunks && !self.full() {
            self.problems.push(format!("chunks: {found} of them, and the records call for {}", self.chunks));
        }
        let mut stored = BTreeMap::new();
        for prefix in [records::ITEMS, records::DUPLICATES, records::REVISIONS, records::FEED, records::TOPIC] {
            let entries = self.engine.prefix(Table::Meta, prefix)?;
            stored.extend(entries.into_iter().map(|(key, value)| (key, records::as_counter(&value))));
        }
        let names: BTreeSet<&Vec<u8>> = stored.keys().chain(self.counts.keys()).collect();
        for name in names {
            let count = |counts: &BTreeMap<Vec<u8>, u64>| counts.get(name).copied().unwrap_or_default();
            let (says, is) = (count(&stored), count(&self.counts));
            if says != is {
                let name = String::from_utf8_lossy(name);
                self.problems.push(format!("the counter `{name}` says {says}, and there are {is}"));
            }
        }
        Ok(())
    }
}
