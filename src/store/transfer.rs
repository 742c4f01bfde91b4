//! What is stored, record by record, in a form that belongs to no file format of the store.
//!
//! In: a filter and a place. Out: [`Record`]s of all that another store needs to be the same to its readers.
//! Promise: read page by page, it neither misses nor doubles what was there when it began, whatever is written meanwhile:
//! items come in the order in which they were stored, which never changes. Cursors come first: what they account for is
//! among the items that follow, so a store made of an export never thinks to have what it has not.
//! Not here: files and lines ([`crate::cli`]), the way in ([`super::import`]).
//!
//! Left out is what follows from the rest: indexes, fingerprints, the window of stories, what topics have learned; and the
//! log, whose positions are those of one store, and with it how far consumers have come in it.

use std::ops::Bound;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::engine::Table;
use super::reader::{Store, passes};
use super::schema::{Revision, Stored};
use super::{
    ConsumeError, Consumer, ItemQuery, Judgement, LogFilter, MAX_COPIES, Pin, Said, StoreError, consumers, corrections,
    feeds, keys, pins, records, taught, values,
};
use crate::dedup::{Fingerprint, Original};
use crate::extract::url::canonical;
use crate::id::{ConsumerName, EntryKey, FeedId, ItemId, Seq, TopicId};
use crate::item::{Item, TextFrom};
use crate::source::FeedCursor;

/// One record of an export; as JSON an object that says in `record` what it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "lowercase")]
pub enum Record {
    /// Where a feed was left.
    Cursor(Box<Left>),
    /// An item with all that is stored of it.
    Item(Box<Whole>),
    /// What somebody said of an item for a topic.
    Judgement(Judgement),
    /// What somebody said of a verdict.
    Correction(Box<Said>),
    /// That an item is kept, whatever retention says.
    Pin(Pin),
    /// Who reads the log.
    Consumer(Box<Reader>),
}

/// A consumer, but for its offset, which is a position in the log of one store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reader {
    /// Its name.
    pub name: ConsumerName,
    /// What it reads.
    pub filter: LogFilter,
    /// When it was made.
    pub created_at: Timestamp,
    /// What reads under this name, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

impl Reader {
    /// Whether a consumer may read so.
    ///
    /// # Errors
    /// In words, where its filter is too long or names nothing.
    pub fn check(&self) -> Result<(), String> {
        if consumers::too_long(&self.filter) {
            return Err(format!("the consumer `{}`: {}", self.name, ConsumeError::TooLong));
        }
        if self.filter.languages.iter().any(String::is_empty) {
            return Err(format!("the consumer `{}`: a language of its filter is empty", self.name));
        }
        Ok(())
    }
}

/// Where a feed was left.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Left {
    /// Which feed.
    pub feed: FeedId,
    /// Where.
    pub cursor: FeedCursor,
}

/// An item with what its readers do not get.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Whole {
    /// The item as every reader gets it; without the list of its copies, which follows from theirs.
    pub item: Item,
    /// What makes it itself within its feed; none in a listing for readers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<EntryKey>,
    /// `Candidate::hash` in 16 hexadecimal digits: whole numbers of that size are not safe in JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// How much of it is in the text that took its place, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contained: Option<f32>,
    /// What somebody said of its verdict, where that holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction: Option<Said>,
    /// Its former words, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revisions: Vec<Revision>,
}

impl Whole {
    /// An item of a listing, of which no more is known.
    pub fn bare(item: Item) -> Self {
        Self { item, key: None, hash: None, contained: None, correction: None, revisions: Vec::new() }
    }

    /// The item under which it is listed, where it is not in sight itself.
    pub fn listed_under(&self) -> Option<ItemId> {
        match self.item.original() {
            Some(Original::Item(id)) => Some(id),
            _ => None,
        }
    }

    /// What makes the item itself, and the hash of what its feed said of it: as exported, or else as far as they can be
    /// told from the item.
    ///
    /// Without a key, guid, address and words are tried in the order in which keys are made of them; where none of them
    /// gives the item's id (several entries of its document shared them) the item keeps its id and gets the first.
    ///
    /// # Errors
    /// In words, where the record contradicts itself.
    pub fn identity(&self) -> Result<(EntryKey, u64), String> {
        let Item { id, feed, content, revision, .. } = &self.item;
        if content.title.is_empty() && content.text.is_empty() {
            return Err(format!("the item `{id}` has neither a title nor a text"));
        }
        let known = self.revisions.iter().map(|former| former.revision);
        if self.key.is_some() && !known.eq(1..*revision) {
            return Err(format!(
                "the item `{id}` is at its revision {revision}, and the words of those before are not all there"
            ));
        }
        let hash = match &self.hash {
            Some(hash) => u64::from_str_radix(hash, 16)
                .map_err(|_| format!("the hash `{hash}` of the item `{id}` is not of 16 hexadecimal digits"))?,
            None => xxhash_rust::xxh3::xxh3_64(self.words().as_bytes()),
        };
        if let Some(key) = self.key {
            let fits = ItemId::of(feed, key) == *id;
            return fits.then_some((key, hash)).ok_or_else(|| {
                format!("the id `{id}` is not that of the key `{key}` of the feed `{feed}`; was the line edited?")
            });
        }
        let keys: Vec<EntryKey> = self.possible_keys().collect();
        let key = keys.iter().find(|key| ItemId::of(feed, **key) == *id).or(keys.first());
        key.map(|key| (*key, hash)).ok_or_else(|| format!("the item `{id}` has nothing to know it by"))
    }

    /// As [`crate::pipeline::collect`] makes them.
    fn possible_keys(&self) -> impl Iterator<Item = EntryKey> {
        let content = &self.item.content;
        let guid = content.guid.as_deref().map(str::trim).filter(|guid| !guid.is_empty());
        let guid = guid.map(|guid| EntryKey::of("guid", guid));
        let link = content.url.as_ref().map(canonical);
        let urls = link.into_iter().chain(content.canonical_url.clone());
        let urls: Vec<EntryKey> = urls.map(|url| EntryKey::of("url", url.as_str())).collect();
        let address = content.url.as_ref().map_or("", |url| url.as_str());
        let words = EntryKey::of("content", &format!("{address}\n{}", self.words()));
        guid.into_iter().chain(urls).chain([words])
    }

    /// What the feed said, as far as the item shows it: where the text is from the page the feed's own is not known.
    fn words(&self) -> String {
        let content = &self.item.content;
        let own = content.text_from == TextFrom::Feed && content.text != content.summary;
        format!("{}\n{}\n{}", content.title, content.summary, if own { &content.text } else { "" })
    }

    /// What copies of it are recognized by; made of its words.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.item.content.title, &self.item.content.text)
    }
}

/// Which records, and from where.
#[derive(Clone, Debug, Default)]
pub struct ExportQuery {
    /// Whether only items are wanted, with the lists of their copies, and not what readers do not get.
    pub items_only: bool,
    /// Which items. Its `limit` and `after` say nothing.
    pub items: ItemQuery,
    /// The most records of a page; at most [`MAX_EXPORT_PAGE`], which is also what 0 means.
    pub limit: usize,
    /// From the `next` of the page before.
    pub after: Option<String>,
}

/// One page of an export.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExportPage {
    /// In the order of their kinds as [`Record`] has them; items in the order in which they were stored.
    pub records: Vec<Record>,
    /// Where the next page begins; none at the end.
    pub next: Option<String>,
    /// The last position of the log when the export began.
    pub seq: Seq,
    /// How many items are stored.
    pub stored: u64,
}

/// The most records of a page.
pub const MAX_EXPORT_PAGE: usize = 500;
/// A page ends once it has so many bytes of text.
const MAX_PAGE_BYTES: usize = 4 << 20;
/// The most items looked at for one page.
const MAX_LOOKED_AT: usize = 5_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Cursors,
    Items,
    Judgements,
    Corrections,
    Pins,
    Consumers,
}

/// Where an export is: which kind, the last position of the log when it began, the key that was read last.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    stage: Stage,
    last: u64,
    key: Vec<u8>,
}

impl Place {
    fn next_stage(&self) -> Option<Self> {
        let stage = match self.stage {
            Stage::Cursors => Stage::Items,
            Stage::Items => Stage::Judgements,
            Stage::Judgements => Stage::Corrections,
            Stage::Corrections => Stage::Pins,
            Stage::Pins => Stage::Consumers,
            Stage::Consumers => return None,
        };
        Some(Self { stage, last: self.last, key: Vec::new() })
    }

    fn token(&self) -> String {
        let stage = match self.stage {
            Stage::Cursors => 'c',
            Stage::Items => 'i',
            Stage::Judgements => 'j',
            Stage::Corrections => 'x',
            Stage::Pins => 'p',
            Stage::Consumers => 'r',
        };
        format!("{stage}{:016x}{}", self.last, values::hex(&self.key))
    }

    fn parse(token: &str) -> Option<Self> {
        let mut letters = token.chars();
        let stage = match letters.next()? {
            'c' => Stage::Cursors,
            'i' => Stage::Items,
            'j' => Stage::Judgements,
            'x' => Stage::Corrections,
            'p' => Stage::Pins,
            'r' => Stage::Consumers,
            _ => return None,
        };
        let digits: Vec<u8> =
            letters.map(|c| c.to_digit(16).and_then(|n| u8::try_from(n).ok())).collect::<Option<_>>()?;
        let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, n| byte << 4 | n)).collect();
        let (last, key) = bytes.split_first_chunk()?;
        digits.len().is_multiple_of(2).then(|| Self { stage, last: u64::from_be_bytes(*last), key: key.to_vec() })
    }
}

impl Store {
    /// The next records of an export. A page can be short, even empty, and yet have a `next`.
    ///
    /// What is written while an export goes on is not part of it; what is changed is shown as it is when it is read, and
    /// what is removed before it was read is not there.
    ///
    /// # Errors
    /// [`StoreError::Query`] when `after` is not from a page's `next`.
    pub fn export(&self, query: &ExportQuery) -> Result<ExportPage, StoreError> {
        let place = match query.after.as_deref() {
            Some(token) => Place::parse(token).ok_or_else(|| {
                StoreError::Query(format!("`{token}` is not where a page ended; take the `next` of the page before"))
            })?,
            None => {
                let stage = if query.items_only { Stage::Items } else { Stage::Cursors };
                // For cursors it is not known yet: it is taken when all of them are read, so that the items which they
                // account for are within it.
                let last = if query.items_only { self.inner.durable.borrow().0 } else { 0 };
                Place { stage, last, key: Vec::new() }
            }
        };
        let limit = if query.limit == 0 { MAX_EXPORT_PAGE } else { query.limit.min(MAX_EXPORT_PAGE) };
        let mut reading = Reading { store: self, query, place, records: Vec::new(), bytes: 0, limit };
        let done = match reading.place.stage {
            Stage::Cursors => reading.cursors()?,
            Stage::Items => reading.items()?,
            Stage::Judgements => reading.judgements()?,
            Stage::Corrections => reading.corrections()?,
            Stage::Pins => reading.pins()?,
            Stage::Consumers => reading.consumers()?,
        };
        let Reading { mut place, records, .. } = reading;
        if done && place.stage == Stage::Cursors {
            place.last = self.inner.durable.borrow().0;
        }
        let last_stage = query.items_only && place.stage == Stage::Items;
        let next = match done {
            false => Some(place.token()),
            true if last_stage => None,
            true => place.next_stage().map(|place| place.token()),
        };
        let engine = &self.inner.engine;
        let stored = records::counter(engine, records::ITEMS)? + records::counter(engine, records::DUPLICATES)?;
        let seq = if place.last == 0 { *self.inner.durable.borrow() } else { Seq(place.last) };
        Ok(ExportPage { records, next, seq, stored })
    }
}

/// A page in the making. Its methods say whether their kind is at its end.
struct Reading<'a> {
    store: &'a Store,
    query: &'a ExportQuery,
    place: Place,
    records: Vec<Record>,
    bytes: usize,
    limit: usize,
}

impl Reading<'_> {
    fn after(&self) -> Bound<Vec<u8>> {
        if self.place.key.is_empty() { Bound::Unbounded } else { Bound::Excluded(self.place.key.clone()) }
    }

    fn full(&self) -> bool {
        self.records.len() >= self.limit || self.bytes >= MAX_PAGE_BYTES
    }

    fn cursors(&mut self) -> Result<bool, StoreError> {
        let engine = &self.store.inner.engine;
        let mut last: Option<FeedId> = None;
        for entry in engine.scan(Table::Cursors, (self.after(), Bound::Unbounded)) {
            let (key, _) = entry?;
            let Some(feed) = keys::feed(&key).filter(|feed| last.as_ref() != Some(feed)) else { continue };
            if self.full() {
                return Ok(false);
            }
            // Behind all parts of the feed's cursor.
            self.place.key = [feed.as_str().as_bytes(), &[1]].concat();
            if let Some(cursor) = feeds::cursor(engine, &feed)? {
                // About what an entry seen takes as JSON.
                self.bytes += 120 * cursor.seen.len();
                self.records.push(Record::Cursor(Box::new(Left { feed: feed.clone(), cursor })));
            }
            last = Some(feed);
        }
        Ok(true)
    }

    fn items(&mut self) -> Result<bool, StoreError> {
        let store = self.store;
        let engine = &store.inner.engine;
        let last = Bound::Included(keys::number(self.place.last));
        for (looked, entry) in engine.scan(Table::Items, (self.after(), last)).enumerate() {
            let (key, _) = entry?;
            if self.full() || looked == MAX_LOOKED_AT {
                return Ok(false);
            }
            self.place.key.clone_from(&key);
            let Some(no) = keys::last_number(&key) else { continue };
            let wanted = &self.query.items;
            // None: removed since the entry was read.
            let Some(stored) = records::load_whole(engine, no)? else { continue };
            if (!wanted.duplicates && stored.item.is_hidden()) || !passes(wanted, &stored.item) {
                continue;
            }
            if wanted.topic.as_ref().is_some_and(|topic| !is_about(&stored.item, topic)) {
                continue;
            }
            let whole = self.whole(stored)?;
            self.bytes += whole.item.content.text.len() + whole.revisions.iter().map(|r| r.text.len()).sum::<usize>();
            self.records.push(Record::Item(Box::new(whole)));
        }
        Ok(true)
    }

    fn whole(&self, stored: Stored) -> Result<Whole, StoreError> {
        let Stored { key, hash, contained, mut item, .. } = stored;
        if self.query.items_only {
            item.copies = self.store.copies(&Original::Item(item.id), MAX_COPIES)?;
            return Ok(Whole::bare(item));
        }
        let correction = match &item.judged {
            Some(_) => corrections::of(&self.store.inner.engine, item.id)?,
            None => None,
        };
        let revisions = self.store.revisions(item.id)?;
        let contained = item.superseded_by.map(|_| contained);
        Ok(Whole { item, key: Some(key), hash: Some(format!("{hash:016x}")), contained, correction, revisions })
    }

    fn judgements(&mut self) -> Result<bool, StoreError> {
        let engine = &self.store.inner.engine;
        for entry in engine.scan(Table::Judgements, (self.after(), Bound::Unbounded)) {
            let (key, _) = entry?;
            if self.full() {
                return Ok(false);
            }
            self.place.key.clone_from(&key);
            // None: taken back since.
            if let Some(bytes) = values::get(engine, Table::Judgements, &key)? {
                self.bytes += 4 * bytes.len();
                self.records.push(Record::Judgement(taught::decode_judgement(&key, &bytes)?));
            }
        }
        Ok(true)
    }

    fn corrections(&mut self) -> Result<bool, StoreError> {
        let engine = &self.store.inner.engine;
        for entry in engine.scan(Table::Corrections, (self.after(), Bound::Unbounded)) {
            let (key, _) = entry?;
            if self.full() {
                return Ok(false);
            }
            self.place.key.clone_from(&key);
            if let Some(bytes) = values::get(engine, Table::Corrections, &key)? {
                self.records.push(Record::Correction(Box::new(corrections::decode(&key, &bytes)?)));
            }
        }
        Ok(true)
    }

    fn pins(&mut self) -> Result<bool, StoreError> {
        let engine = &self.store.inner.engine;
        for (looked, entry) in engine.scan(Table::Pins, (self.after(), Bound::Unbounded)).enumerate() {
            let (key, _) = entry?;
            if self.full() || looked == MAX_LOOKED_AT {
                return Ok(false);
            }
            self.place.key.clone_from(&key);
            let Some(bytes) = values::get(engine, Table::Pins, &key)? else { continue };
            let pin = pins::decode(&key, &bytes)?;
            // Of an item that was stored since the export began, it would be the pin of nothing.
            if records::known(engine, pin.item)?.is_some_and(|(no, _)| no <= self.place.last) {
                self.records.push(Record::Pin(pin));
            }
        }
        Ok(true)
    }

    fn consumers(&mut self) -> Result<bool, StoreError> {
        let engine = &self.store.inner.engine;
        for entry in engine.scan(Table::Consumers, (self.after(), Bound::Unbounded)) {
            let (key, _) = entry?;
            if self.full() {
                return Ok(false);
            }
            self.place.key.clone_from(&key);
            if let Some(Consumer { name, filter, created_at, kind, .. }) = consumers::at(engine, &key)? {
                self.records.push(Record::Consumer(Box::new(Reader { name, filter, created_at, kind })));
            }
        }
        Ok(true)
    }
}

fn is_about(item: &Item, topic: &TopicId) -> bool {
    item.topics.iter().any(|found| found.id == *topic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_comes_back_as_it_was() {
        for (stage, key) in [
            (Stage::Cursors, vec![]),
            (Stage::Items, vec![0, 255]),
            (Stage::Corrections, vec![7; 16]),
            (Stage::Pins, vec![7; 16]),
            (Stage::Consumers, b"a\0".to_vec()),
        ] {
            let place = Place { stage, last: 77, key };
            assert_eq!(Place::parse(&place.token()), Some(place));
        }
        for wrong in ["", "i", "z0000000000000000", "i00", "i00000000000000000", "iعربي"] {
            assert_eq!(Place::parse(wrong), None, "{wrong}");
        }
    }
}
