//! The way in for what was exported: of this store, of another one, of a listing.
//!
//! In: an [`Import`]: records of an export, with fingerprints and story terms made again from the words. Out: how many are
//! stored by it and how many were there.
//! Promise: what is there stays as it is, so that importing twice changes nothing; an item keeps its id, its times, its
//! topics, its verdict and its former words, and gets a new place in the log. An item listed under one that is itself
//! listed elsewhere is listed there; what was to be listed under an item that never came is in sight in the end
//! ([`Import::settle`]). A consumer begins at the beginning: its offset was a position in another log, and what it had not
//! dealt with there may be anywhere in this one. All of it in one transaction.
//! Not here: reading files and telling bad lines ([`crate::cli`]); stories ([`crate::pipeline`]).

use std::ops::Range;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::engine::{Read, Table};
use super::relations::listed;
use super::schema::{self, Stored};
use super::staged::Staged;
use super::transfer::{Left, Reader, Record, Whole};
use super::writer::{Change, Writer};
use super::{
    Classified, Judgement, MAX_GROUP, Pin, Said, StoreError, Told, corrections, feeds, fingerprints, keys, pins,
    records, stories, taught, values,
};
use crate::dedup::{Fingerprint, Original, Verdict};
use crate::id::{EntryKey, ItemId, Seq};
use crate::item::{Item, LogKind};
use crate::story::Sketch;

/// An item that is ready to be stored.
#[derive(Clone, Debug)]
pub struct Arriving {
    whole: Whole,
    key: EntryKey,
    hash: u64,
    fingerprint: Fingerprint,
    sketch: Sketch,
}

impl Arriving {
    /// Makes of its words what copies and other reports of its event are recognized by.
    ///
    /// # Errors
    /// As [`Whole::identity`].
    pub fn of(whole: Whole) -> Result<Self, String> {
        let (key, hash) = whole.identity()?;
        let sketch = Sketch::of(&whole.item.content.title, &whole.item.content.text);
        Ok(Self { key, hash, fingerprint: whole.fingerprint(), sketch, whole })
    }

    /// The item as it was exported.
    pub const fn item(&self) -> &Item {
        &self.whole.item
    }

    /// What other reports of its event are recognized by.
    pub const fn sketch(&self) -> &Sketch {
        &self.sketch
    }
}

/// What is to be stored in one transaction.
#[derive(Clone, Debug, Default)]
pub struct Import {
    /// At most [`MAX_GROUP`].
    pub items: Vec<Arriving>,
    /// What people said of items for topics.
    pub judgements: Vec<Judgement>,
    /// What people said of verdicts.
    pub corrections: Vec<Said>,
    /// Where feeds were left.
    pub cursors: Vec<Left>,
    /// What is kept; of items that are among `items`, or stored.
    pub pins: Vec<Pin>,
    /// Who reads the log.
    pub consumers: Vec<Reader>,
    /// Items under which others are listed: what is listed under one that is not stored comes into sight.
    pub settle: Vec<ItemId>,
    /// What becomes of the window of stories.
    pub told: Told,
}

impl Import {
    /// The records of an export, ready to be stored.
    ///
    /// # Errors
    /// As [`Whole::identity`] and [`Reader::check`], for the first record that contradicts itself.
    pub fn of(records: Vec<Record>, settle: Vec<ItemId>) -> Result<Self, String> {
        let mut import = Self { settle, ..Self::default() };
        for record in records {
            match record {
                Record::Cursor(left) => import.cursors.push(*left),
                Record::Item(whole) => import.items.push(Arriving::of(*whole)?),
                Record::Judgement(judgement) => import.judgements.push(judgement),
                Record::Correction(said) => import.corrections.push(*said),
                Record::Pin(pin) => import.pins.push(pin),
                Record::Consumer(reader) => {
                    reader.check()?;
                    import.consumers.push(*reader);
                }
            }
        }
        Ok(import)
    }
}

/// What came of an [`Import`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// Items that are stored by it.
    pub items: u64,
    /// Items that were there.
    pub items_there: u64,
    /// Judgements, corrections, cursors, pins and consumers that are stored by it.
    pub others: u64,
    /// Those that were there.
    pub others_there: u64,
    /// Pins of items that are not stored, and consumers for which there is no room; they are left out.
    pub left_out: u64,
    /// Items that came into sight, since what they were listed under is not stored.
    pub settled: u64,
}

impl Imported {
    /// Adds what came of another one.
    pub const fn add(&mut self, other: Self) {
        self.items += other.items;
        self.items_there += other.items_there;
        self.others += other.others;
        self.others_there += other.others_there;
        self.left_out += other.left_out;
        self.settled += other.settled;
    }

    const fn count(&mut self, added: bool) {
        *(if added { &mut self.others } else { &mut self.others_there }) += 1;
    }
}

impl Writer {
    /// Stores what was exported, as far as it is not there.
    ///
    /// # Errors
    /// More than [`MAX_GROUP`] items: nothing is written. Else as [`Writer::commit`].
    pub fn import(&mut self, at: Timestamp, import: Import) -> Result<Imported, StoreError> {
        let Import { items, judgements, corrections, cursors, pins, consumers, settle, told } = import;
        if items.len() > MAX_GROUP {
            return Err(StoreError::TooLarge { items: items.len() });
        }
        self.write(Some(at), |change| {
            let mut imported = Imported::default();
            let first = change.next_seq;
            for arriving in items {
                let added = change.arrive(arriving)?;
                *(if added { &mut imported.items } else { &mut imported.items_there }) += 1;
            }
            stories::put_window(&mut change.staged, &told.members, &told.left)?;
            for judgement in &judgements {
                let there = taught::has_judgement(&change.staged, &judgement.topic, judgement.item)?;
                imported.count(!there);
                if !there {
                    taught::put_judgement(&mut change.staged, judgement)?;
                }
            }
            for said in &corrections {
                imported.count(change.remember(said)?);
            }
            for Left { feed, cursor } in &cursors {
                let there = feeds::cursor(&change.staged, feed)?.is_some();
                imported.count(!there);
                if !there {
                    feeds::put_cursor(&mut change.staged, feed, cursor)?;
                }
            }
            for pin in &pins {
                match change.keep(pin)? {
                    Some(added) => imported.count(added),
                    None => imported.left_out += 1,
                }
            }
            for reader in &consumers {
                match change.take_over(reader)? {
                    Some(added) => imported.count(added),
                    None => imported.left_out += 1,
                }
            }
            for id in settle {
                if records::known(&change.staged, id)?.is_none() {
                    imported.settled += change.listed_under(&Original::Item(id))?.len() as u64;
                    change.bring_up(id, &|_| true)?;
                }
            }
            note(&mut change.staged, first..change.next_seq)?;
            // By which topics they were classified is not known here.
            if imported.items > 0
                && let Some(Classified { version, stale }) = taught::classified(&change.staged)?
            {
                let stale = stale.saturating_add(imported.items);
                taught::put_classified(&mut change.staged, Classified { version, stale })?;
            }
            Ok(imported)
        })
    }
}

/// In meta: the numbers that imported items have, in ranges: they stand among newer ones.
const IMPORTED: &[u8] = b"imported";
/// Ranges no further apart than that are one: a daemon stores items meanwhile.
const ONE_RANGE: u64 = 10_000;

/// The numbers among which there are imported items.
pub(super) fn imported(read: &impl Read) -> Result<Vec<Range<u64>>, StoreError> {
    let ranges: Option<Vec<(u64, u64)>> =
        read.get(Table::Meta, IMPORTED)?.map(|bytes| schema::unplain(&bytes, what)).transpose()?;
    Ok(ranges.unwrap_or_default().into_iter().map(|(from, to)| from..to).collect())
}

/// Whether an item of that number may have been imported.
pub(super) fn is_imported(ranges: &[Range<u64>], no: u64) -> bool {
    ranges.iter().any(|range| range.contains(&no))
}

fn note(staged: &mut Staged<'_>, numbers: Range<u64>) -> Result<(), StoreError> {
    if numbers.is_empty() {
        return Ok(());
    }
    let mut ranges = imported(staged)?;
    match ranges.last_mut().filter(|last| numbers.start.saturating_sub(last.end) <= ONE_RANGE) {
        Some(last) => last.end = numbers.end,
        None => ranges.push(numbers),
    }
    let ranges: Vec<(u64, u64)> = ranges.into_iter().map(|range| (range.start, range.end)).collect();
    staged.put(Table::Meta, IMPORTED.to_vec(), schema::plain(&ranges, what)?);
    Ok(())
}

fn what() -> String {
    "the numbers of imported items".to_owned()
}

impl Change<'_> {
    /// Keeps what was said of a verdict, where nothing was said of that item; whether it did.
    fn remember(&mut self, said: &Said) -> Result<bool, StoreError> {
        let there = corrections::of(&self.staged, said.item)?.is_some();
        if !there {
            corrections::put(&mut self.staged, said)?;
        }
        Ok(!there)
    }

    /// Pins a stored item, where it is not pinned; none where it is not stored.
    fn keep(&mut self, pin: &Pin) -> Result<Option<bool>, StoreError> {
        if records::known(&self.staged, pin.item)?.is_none() {
            return Ok(None);
        }
        let there = pins::is_pinned(&self.staged, pin.item)?;
        if !there {
            pins::put(&mut self.staged, pin)?;
        }
        Ok(Some(!there))
    }

    /// Stores an item; false where it is there.
    fn arrive(&mut self, arriving: Arriving) -> Result<bool, StoreError> {
        let Arriving {
            whole: Whole { mut item, contained, correction, revisions, .. }, key, hash, fingerprint, ..
        } = arriving;
        let id = item.id;
        if records::known(&self.staged, id)?.is_some() {
            return Ok(false);
        }
        let mut contained = contained.unwrap_or(if item.superseded_by.is_some() { 1.0 } else { 0.0 });
        if let Some(original) = item.original() {
            self.relist(&mut item, &mut contained, &original)?;
        }
        item.judged = match item.judged.take() {
            Some(judged) => {
                let said = correction.unwrap_or_else(|| Said {
                    item: id,
                    judged,
                    title: item.content.title.clone(),
                    content: fingerprint.content,
                    verdict: item.verdict.clone(),
                    // What the program had said is not told in a listing.
                    before: Verdict::new_item(),
                    superseded: None,
                });
                self.remember(&said)?;
                corrections::of(&self.staged, id)?.and_then(|said| said.fitting(&item.verdict))
            }
            None => None,
        };
        let no = self.next_seq;
        (item.seq, item.copies) = (Seq(no), Vec::new());
        item.revision = u32::try_from(revisions.len()).unwrap_or(u32::MAX).saturating_add(1);
        let mut stored = Stored { no, key, hash, content_hash: fingerprint.content, borrowed: None, contained, item };
        self.borrow_text(&mut stored)?;
        self.replace(None, Some(&stored))?;
        for former in &revisions {
            let key = keys::revision(no, former.revision);
            values::put(&mut self.staged, Table::Revisions, &key, &schema::encode_revision(former)?)?;
        }
        self.bump(records::REVISIONS, i64::try_from(revisions.len()).unwrap_or(i64::MAX))?;
        if stored.is_compared() {
            let record = fingerprints::encode(&stored.item, &fingerprint)?;
            values::put(&mut self.staged, Table::Fingerprints, &keys::number(no), &record)?;
            let at = fingerprints::window_time(stored.item.content.published_at, stored.item.stored_at);
            self.moved.extend(super::Moved { compared: vec![(id, at, fingerprint)], ..Default::default() });
        }
        let hidden = stored.item.is_hidden();
        self.log(if hidden { LogKind::Duplicate } else { LogKind::New }, &stored, Vec::new())?;
        if let Some(original) = stored.item.original() {
            // What came before it and is listed under it is one step away from what is in sight.
            self.move_copies(id, &original, listed(&stored))?;
        }
        Ok(true)
    }

    /// Lists an item under what is in sight of its original; it is in sight itself, where that is the item.
    fn relist(&mut self, item: &mut Item, contained: &mut f32, original: &Original) -> Result<(), StoreError> {
        let root = self.root(original)?;
        if root == *original && root != Original::Item(item.id) {
            return Ok(());
        }
        let duplicate = item.verdict.kind.is_duplicate();
        match root {
            root if root == Original::Item(item.id) => {
                (item.superseded_by, *contained) = (None, 0.0);
                if duplicate {
                    item.verdict = Verdict::new_item();
                }
            }
            Original::Item(by) if !duplicate => item.superseded_by = Some(by),
            root => {
                if !duplicate {
                    let (kind, similarity) = (crate::dedup::VerdictKind::Contained, *contained);
                    item.verdict = Verdict { kind, of: None, similarity };
                    (item.superseded_by, *contained) = (None, 0.0);
                }
                item.verdict.of = Some(root);
            }
        }
        Ok(())
    }
}
