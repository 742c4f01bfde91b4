//! Reading: items, listings, the log, feeds.
//!
//! In: ids, filters, positions. Out: [`Item`]s as every reader gets them.
//! Promise: the log shows nothing that is not durable; a listing's `next` stays good while items are written; reading never
//! waits for the writer, except [`Store::verify`].
//! Not here: serving ([`crate::serve`]).
//!
//! Blocking: in async code, on a blocking thread. Listings are not snapshots: an item that is revised or removed meanwhile
//! is shown as it is when it is read, or not at all.

use std::fmt;
use std::ops::{Bound, Range};
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;
use url::Url;

use super::engine::{Read as _, Table, prefix_range};
use super::log::{LogFilter, speaks};
use super::schema::{self, Revision, damaged};
use super::writer::LOG_BEGINS;
use super::{
    Inner, ItemQuery, Known, Page, Stats, StoreError, feeds, fingerprints, import, keys, pins, records, values, verify,
};
use crate::dedup::{Fingerprint, Original};
use crate::id::{ContentHash, EntryKey, FeedId, ItemId, Seq};
use crate::item::{Copy, Item, LogRecord};
use crate::share::shared;
use crate::source::{FeedCursor, PollRecord, Unread};

/// The most items on a page, and the most log records at once.
pub const MAX_PAGE: usize = 500;
/// Items on a page when the limit is 0.
pub const DEFAULT_PAGE: usize = 100;
/// The most copies that an item lists; [`Store::copies_of`] gives all.
pub const MAX_COPIES: usize = 100;
/// The most records read for one page: a rare language must not read the whole store in one call.
const MAX_READ: usize = 10_000;
/// So many records one thread reads alone.
const ALONE: usize = 24;
/// How many older fingerprints in a row end the search for the first: a clock that was set back misplaces some.
const OLDER_IN_A_ROW: usize = 1_024;

/// Reads; cheap to clone; blocking (call on a blocking thread in async code).
#[derive(Clone)]
pub struct Store {
    pub(super) inner: Arc<Inner>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("path", &self.inner.path).finish_non_exhaustive()
    }
}

impl Store {
    /// The item with this id, with its copies.
    pub fn item(&self, id: ItemId) -> Result<Option<Item>, StoreError> {
        match records::known(&self.inner.engine, id)? {
            Some((no, _)) => self.item_by_number(no),
            None => Ok(None),
        }
    }

    pub(super) fn item_by_number(&self, no: u64) -> Result<Option<Item>, StoreError> {
        let Some(stored) = records::load_whole(&self.inner.engine, no)? else { return Ok(None) };
        self.completed(stored.item).map(Some)
    }

    /// The item with what its record does not tell.
    fn completed(&self, mut item: Item) -> Result<Item, StoreError> {
        item.copies = self.copies(&Original::Item(item.id), MAX_COPIES)?;
        item.pinned = pins::is_pinned(&self.inner.engine, item.id)?;
        Ok(item)
    }

    /// All stored copies of an item or of a document of a corpus, first published first. Answers for an item that was
    /// removed, too, as long as its copies are there.
    pub fn copies_of(&self, original: &Original) -> Result<Vec<Copy>, StoreError> {
        self.copies(original, usize::MAX)
    }

    pub(super) fn copies(&self, original: &Original, limit: usize) -> Result<Vec<Copy>, StoreError> {
        let scan = self.inner.engine.scan_prefix(Table::Copies, &keys::original(original));
        scan.take(limit).map(|entry| schema::decode_copy(&entry?.1).map(|(copy, _)| copy)).collect()
    }

    /// Items that pass all filters, newest published first. `since` is inclusive, `until` is not; a language `ar` takes
    /// `ar-EG`, too; a topic takes its `maybe`s, too. At most [`MAX_PAGE`] items, [`DEFAULT_PAGE`] with a limit of 0.
    ///
    /// A page can be short, even empty, and yet have a `next`: so much was read without finding more. Without `next`
    /// there is nothing further.
    ///
    /// # Errors
    /// [`StoreError::Query`] when `after` is not from a page's `next`.
    pub fn items(&self, query: &ItemQuery) -> Result<Page, StoreError> {
        let limit = if query.limit == 0 { DEFAULT_PAGE } else { query.limit.min(MAX_PAGE) };
        // One index, the narrowest by experience; the rest is looked up in the record.
        let (table, prefix) = match (&query.topic, &query.feed) {
            (Some(topic), _) => (Table::ByTopic, keys::name(topic.as_str())),
            (None, Some(feed)) => (Table::ByFeed, keys::name(feed.as_str())),
            (None, None) => (Table::ByTime, Vec::new()),
        };
        let (mut low, mut high) = prefix_range(&prefix);
        if let Some(since) = query.since {
            low = Bound::Included([prefix.clone(), keys::published(keys::millis(since), 0)].concat());
        }
        let until = query.until.map(|until| [prefix.clone(), keys::published(keys::millis(until), u64::MAX)].concat());
        let after = query.after.as_deref().map(parse_place).transpose()?;
        let after = after.map(|(millis, no)| [prefix.clone(), keys::published(millis, no)].concat());
        match (after, until) {
            (Some(after), Some(until)) if until < after => high = Bound::Included(until),
            (Some(after), _) => high = Bound::Excluded(after),
            (None, Some(until)) => high = Bound::Included(until),
            (None, None) => {}
        }
        let mut page = Page { items: Vec::new(), next: None };
        let mut last = None;
        let mut left = MAX_READ;
        let mut listing = self.inner.engine.scan(table, (low, high)).rev().filter_map(|entry| match entry {
            Ok((key, value)) => {
                let flags = value.first().copied().unwrap_or_default();
                let listed = query.duplicates || flags & records::DUPLICATE == 0;
                keys::place(&key).filter(|_| listed).map(Ok)
            }
            Err(error) => Some(Err(error)),
        });
        loop {
            // One more than the page has room for tells whether there is a next one.
            let wanted = (limit - page.items.len() + 1).min(left);
            let places = listing.by_ref().take(wanted).collect::<Result<Vec<_>, _>>()?;
            left -= places.len();
            for ((millis, no), item) in places.iter().zip(self.items_at(&places, query)?) {
                if let Some(item) = item {
                    if page.items.len() == limit {
                        page.next = last;
                        return Ok(page);
                    }
                    page.items.push(item);
                }
                last = Some(format!("{millis:016x}{no:016x}"));
            }
            if places.len() < wanted || places.is_empty() {
                return Ok(page);
            }
            if left == 0 {
                page.next = if listing.next().transpose()?.is_some() { last } else { None };
                return Ok(page);
            }
        }
    }

    /// The items at these places that pass the filters; none for one that was removed since its place was read.
    ///
    /// Several cores share a long list: what takes the time is unpacking the records.
    fn items_at(&self, places: &[(u64, u64)], query: &ItemQuery) -> Result<Vec<Option<Item>>, StoreError> {
        let load = |(_, no): &(u64, u64)| match records::load_whole(&self.inner.engine, *no)? {
            Some(stored) if passes(query, &stored.item) => self.completed(stored.item).map(Some),
            _ => Ok(None),
        };
        let load = |part: Range<usize>| {
            places.get(part).unwrap_or_default().iter().map(load).collect::<Result<Vec<_>, StoreError>>()
        };
        let parts = shared("page", places.len(), places.len() / ALONE, load).into_iter();
        Ok(parts.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// The records after a position, in order, at most [`MAX_PAGE`], with their items as they stand now; only what is
    /// durable. From the beginning of the log where that is after the position ([`Store::log_begins`]). Empty at the end.
    pub fn log(&self, after: Seq, limit: usize) -> Result<Vec<LogRecord>, StoreError> {
        Ok(self.read_log(after, limit.min(MAX_PAGE), &LogFilter::default())?.records)
    }

    /// The item that was added at this position of the log, also where the log does not go back so far.
    pub fn added_at(&self, seq: Seq) -> Result<Option<Item>, StoreError> {
        self.item_by_number(seq.0)
    }

    /// The first position that is still in the log: retention takes its oldest records.
    pub fn log_begins(&self) -> Result<Seq, StoreError> {
        Ok(Seq(records::counter(&self.inner.engine, LOG_BEGINS)?.max(1)))
    }

    /// The last durable position; changes wake waiters.
    pub fn durable(&self) -> watch::Receiver<Seq> {
        self.inner.durable.subscribe()
    }

    /// Another number after every write, and before that is acknowledged: what was read while it stayed the same is still so.
    pub fn writes(&self) -> u64 {
        self.inner.engine.writes()
    }

    /// Where a feed was left.
    pub fn cursor(&self, feed: &FeedId) -> Result<Option<FeedCursor>, StoreError> {
        feeds::cursor(&self.inner.engine, feed)
    }

    /// The last polls, newest first, at most 50.
    pub fn polls(&self, feed: &FeedId) -> Result<Vec<PollRecord>, StoreError> {
        let mut polls = Vec::new();
        for entry in self.inner.engine.scan(Table::Polls, prefix_range(&keys::name(feed.as_str()))).rev() {
            let (key, head) = entry?;
            if let Some(bytes) = values::whole(&self.inner.engine, Table::Polls, &key, head)? {
                polls.push(feeds::decode_poll(feed.as_str(), &bytes)?);
            }
        }
        Ok(polls)
    }

    /// The feed's last document that could not be read, or not all of it.
    pub fn unread(&self, feed: &FeedId) -> Result<Option<Unread>, StoreError> {
        feeds::unread(&self.inner.engine, feed)
    }

    /// What deciding needs to know of a stored item.
    pub fn known(&self, id: ItemId) -> Result<Option<Known>, StoreError> {
        Ok(records::known(&self.inner.engine, id)?.map(|(_, known)| known))
    }

    /// The first item stored with this exact text; never a duplicate.
    pub fn by_content(&self, hash: ContentHash) -> Result<Option<ItemId>, StoreError> {
        self.first_of(Table::ByContent, &hash.0)
    }

    /// The first item stored with this canonical URL. It may be a duplicate ([`Known::duplicate`]): a verdict that names
    /// it is stored as one that names its original.
    pub fn by_url(&self, canonical: &Url) -> Result<Option<ItemId>, StoreError> {
        self.first_of(Table::ByUrl, &keys::url(canonical))
    }

    fn first_of(&self, table: Table, hash: &[u8]) -> Result<Option<ItemId>, StoreError> {
        for entry in self.inner.engine.scan(table, prefix_range(hash)) {
            let no = keys::last_number(&entry?.0);
            if let Some(stored) = no.map_or(Ok(None), |no| records::load(&self.inner.engine, no))? {
                return Ok(Some(stored.item.id));
            }
        }
        Ok(None)
    }

    /// Fingerprints of items with which new texts are compared, of those stored since, in the order of storing; with the time
    /// they were published, or stored where that was before.
    pub fn fingerprints(
        &self,
        since: Timestamp,
        each: &mut dyn FnMut(ItemId, Timestamp, Fingerprint),
    ) -> Result<(), StoreError> {
        let engine = &self.inner.engine;
        // Backwards to the first that counts, reading only their times, so that a short window over a large store is cheap.
        let mut first = None;
        let mut older = 0;
        // What was imported is old wherever it stands.
        let imported = import::imported(engine)?;
        for entry in engine.scan(Table::Fingerprints, (Bound::Unbounded, Bound::Unbounded)).rev() {
            let (key, head) = entry?;
            if fingerprints::stored_at(&key, values::beginning(&head))? >= since {
                first = Some(key);
                older = 0;
            } else if !import::is_imported(&imported, keys::last_number(&key).unwrap_or_default()) {
                older += 1;
                if older == OLDER_IN_A_ROW {
                    break;
                }
            }
        }
        let Some(first) = first else { return Ok(()) };
        for entry in engine.scan(Table::Fingerprints, (Bound::Included(first), Bound::Unbounded)) {
            let (key, head) = entry?;
            let bytes = match values::whole(engine, Table::Fingerprints, &key, head)? {
                Some(bytes) => bytes,
                None => match values::get(engine, Table::Fingerprints, &key)? {
                    Some(bytes) => bytes,
                    None => continue,
                },
            };
            let no = keys::last_number(&key).unwrap_or_default();
            let stored = fingerprints::decode(no, &bytes)?;
            if stored.stored_at >= since {
                let at = fingerprints::window_time(stored.published_at, stored.stored_at);
                each(stored.id, at, stored.fingerprint);
            }
        }
        Ok(())
    }

    /// The shingles of an item (not of a duplicate), in the order of its text.
    pub fn wording(&self, id: ItemId) -> Result<Option<Vec<u32>>, StoreError> {
        let engine = &self.inner.engine;
        let Some((no, _)) = records::known(engine, id)? else { return Ok(None) };
        let Some(bytes) = values::get(engine, Table::Fingerprints, &keys::number(no))? else { return Ok(None) };
        Ok(Some(fingerprints::decode(no, &bytes)?.fingerprint.shingles))
    }

    /// What makes an item itself within its feed.
    pub fn key(&self, id: ItemId) -> Result<Option<EntryKey>, StoreError> {
        let Some((no, _)) = records::known(&self.inner.engine, id)? else { return Ok(None) };
        Ok(records::load(&self.inner.engine, no)?.map(|stored| stored.key))
    }

    /// The former words of an item, oldest first.
    pub fn revisions(&self, id: ItemId) -> Result<Vec<Revision>, StoreError> {
        let Some((no, _)) = records::known(&self.inner.engine, id)? else { return Ok(Vec::new()) };
        let mut revisions = Vec::new();
        for (key, head) in self.inner.engine.prefix(Table::Revisions, &keys::number(no))? {
            if let Some(bytes) = values::whole(&self.inner.engine, Table::Revisions, &key, head)? {
                revisions.push(schema::decode_revision(no, &bytes)?);
            }
        }
        Ok(revisions)
    }

    /// Counts, kept as things are stored: never a scan of items.
    pub fn stats(&self) -> Result<Stats, StoreError> {
        let engine = &self.inner.engine;
        let named = |prefix: &[u8]| -> Result<Vec<(String, u64)>, StoreError> {
            let entries = engine.prefix(Table::Meta, prefix)?.into_iter();
            let name = |key: &[u8]| String::from_utf8_lossy(key.get(prefix.len()..).unwrap_or_default()).into_owned();
            Ok(entries.map(|(key, value)| (name(&key), records::as_counter(&value))).collect())
        };
        let wrong = |name: &str, error: String| damaged(format!("the count of `{name}`"), &error);
        let space = engine.space();
        let feed = |(name, n): (String, u64)| Ok((name.parse().map_err(|error| wrong(&name, error))?, n));
        let topic = |(name, n): (String, u64)| Ok((name.parse().map_err(|error| wrong(&name, error))?, n));
        Ok(Stats {
            last_seq: self.inner.durable.borrow().0,
            items: records::counter(engine, records::ITEMS)?,
            duplicates: records::counter(engine, records::DUPLICATES)?,
            revisions: records::counter(engine, records::REVISIONS)?,
            bytes_on_disk: space.on_disk,
            live_bytes: space.live,
            by_feed: named(records::FEED)?.into_iter().map(feed).collect::<Result<_, StoreError>>()?,
            by_topic: named(records::TOPIC)?.into_iter().map(topic).collect::<Result<_, StoreError>>()?,
        })
    }

    /// The size of the store's files, in bytes.
    pub fn size_on_disk(&self) -> Result<u64, StoreError> {
        Ok(self.inner.engine.space().on_disk)
    }

    /// Checks everything against everything: every record decodes, every index entry agrees with its item and the other
    /// way round, the log has no gaps, the counters are right. The problems found, in words; at most 100. The writer
    /// waits meanwhile.
    ///
    /// # Errors
    /// Where the store cannot be read at all, or a record names a newer version.
    pub fn verify(&self) -> Result<Vec<String>, StoreError> {
        let _turn = self.inner.engine.turn();
        let mut problems = self.inner.engine.check_files();
        problems.extend(verify::problems(&self.inner.engine)?);
        Ok(problems)
    }
}

pub(super) fn passes(query: &ItemQuery, item: &Item) -> bool {
    query.feed.as_ref().is_none_or(|feed| item.feed == *feed)
        && query.language.as_ref().is_none_or(|language| speaks(item, language))
        && query.since.is_none_or(|since| item.content.published_at >= since)
        && query.until.is_none_or(|until| item.content.published_at < until)
}

fn parse_place(token: &str) -> Result<(u64, u64), StoreError> {
    let wrong =
        || StoreError::Query(format!("`{token}` is not where a page ended; take the `next` of the page before"));
    if token.len() != 32 || !token.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    let both = u128::from_str_radix(token, 16).map_err(|_| wrong())?;
    let (millis, no) = both.to_be_bytes().split_last_chunk().map_or((0, 0), |(millis, no)| {
        (millis.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes)), u64::from_be_bytes(*no))
    });
    Ok((millis, no))
}
