//! Stored items as the tables have them: the record, and every entry elsewhere that follows from it.
//!
//! In: a number or a record. Out: the record; the index entries and the counters it calls for.
//! Promise: index entries and counters are functions of the record alone, so that the writer, which moves them, and
//! [`super::verify`], which checks them, cannot disagree.

use std::collections::BTreeSet;

use xxhash_rust::xxh3::xxh3_64;

use super::engine::{Read, Table};
use super::schema::{self, Stored, damaged};
use super::{Known, StoreError, keys, stories, values};
use crate::id::ItemId;
use crate::item::TextFrom;
use crate::topic::Decision;

/// In the listings' values: the item is not in sight, being a duplicate or superseded. In the ids' values: it is a duplicate.
pub(super) const DUPLICATE: u8 = 1;
/// In the listings' values: the topic is only a `maybe`.
pub(super) const MAYBE: u8 = 2;
/// In the ids' values: the text is from the item's page.
const FROM_PAGE: u8 = 2;
/// In the ids' values: a fuller text took its place.
const SUPERSEDED: u8 = 4;
/// In the ids' values: it is a duplicate, and yet new texts are compared with it.
const COMPARED: u8 = 8;
const TRIES: usize = 8;

/// In meta: items that are not duplicates.
pub(super) const ITEMS: &[u8] = b"items";
/// In meta: duplicates.
pub(super) const DUPLICATES: &[u8] = b"duplicates";
/// In meta: former words of the items.
pub(super) const REVISIONS: &[u8] = b"revisions";
/// In meta, before a feed's id: its items.
pub(super) const FEED: &[u8] = b"feed/";
/// In meta, before a topic's id: its items.
pub(super) const TOPIC: &[u8] = b"topic/";

/// The record with this number, as it is stored.
pub(super) fn load(read: &impl Read, no: u64) -> Result<Option<Stored>, StoreError> {
    values::get(read, Table::Items, &keys::number(no))?.map(|bytes| schema::decode_item(no, &bytes)).transpose()
}

/// The record with this number, with its text even where that is borrowed.
pub(super) fn load_whole(read: &impl Read, no: u64) -> Result<Option<Stored>, StoreError> {
    for _ in 0..TRIES {
        let Some(mut stored) = load(read, no)? else { return Ok(None) };
        let Some(borrowed) = stored.borrowed else { return Ok(Some(stored)) };
        // A reader may come between: the lender is revised or removed, and the copy has got a text of its own by then.
        if let Some(lender) = load(read, borrowed.no)?
            && xxh3_64(lender.item.content.text.as_bytes()) == borrowed.hash
        {
            stored.item.content.text = lender.item.content.text;
            return Ok(Some(stored));
        }
    }
    Err(damaged(format!("item {no}"), "the item that keeps its text has another one"))
}

/// An entry of the ids: the item's number, and what deciding needs of it.
pub(super) fn known(read: &impl Read, id: ItemId) -> Result<Option<(u64, Known)>, StoreError> {
    let Some(value) = read.get(Table::Ids, &id.0)? else { return Ok(None) };
    let parts = || {
        let (no, rest) = value.split_first_chunk()?;
        let (hash, flags) = rest.split_first_chunk()?;
        Some((u64::from_be_bytes(*no), u64::from_be_bytes(*hash), *flags.first()?))
    };
    let (no, hash, flags) = parts().ok_or_else(|| damaged(format!("the entry of the id {id}"), "it is cut short"))?;
    let is = |flag: u8| flags & flag != 0;
    let (duplicate, superseded, text_from_page) = (is(DUPLICATE), is(SUPERSEDED), is(FROM_PAGE));
    let compared = !duplicate || is(COMPARED);
    Ok(Some((no, Known { id, hash, duplicate, superseded, compared, text_from_page })))
}

/// One entry that a record calls for.
pub(super) type Indexed = (Table, Vec<u8>, Vec<u8>);

/// All index entries of a record.
pub(super) fn index(stored: &Stored) -> Result<Vec<Indexed>, StoreError> {
    let (no, item) = (stored.no, &stored.item);
    let flag = |is: bool, flag: u8| if is { flag } else { 0 };
    let duplicate = flag(item.is_hidden(), DUPLICATE);
    let flags = flag(stored.is_duplicate(), DUPLICATE)
        | flag(item.content.text_from == TextFrom::Page, FROM_PAGE)
        | flag(item.superseded_by.is_some(), SUPERSEDED)
        | flag(stored.is_duplicate() && stored.is_compared(), COMPARED);
    let place = keys::published(keys::millis(item.content.published_at), no);
    let id_value = [&no.to_be_bytes()[..], &stored.hash.to_be_bytes(), &[flags]].concat();
    let mut entries = vec![
        (Table::Ids, keys::id(item.id), id_value),
        (Table::ByTime, place.clone(), vec![duplicate]),
        (Table::ByFeed, [keys::name(item.feed.as_str()), place.clone()].concat(), vec![duplicate]),
    ];
    let mut topics = BTreeSet::new();
    for topic in item.topics.iter().filter(|topic| topics.insert(&topic.id)) {
        let maybe = if topic.decision == Decision::Maybe { MAYBE } else { 0 };
        let key = [keys::name(topic.id.as_str()), place.clone()].concat();
        entries.push((Table::ByTopic, key, vec![duplicate | maybe]));
    }
    // Hash and number: where several items share a hash the first is the one stored first, and removing it leaves the
    // others to be found.
    if let (Some(hash), true) = (stored.content_hash, stored.is_compared()) {
        entries.push((Table::ByContent, [hash.0.to_vec(), keys::number(no)].concat(), Vec::new()));
    }
    if let Some(url) = &item.content.canonical_url {
        entries.push((Table::ByUrl, [keys::url(url), keys::number(no)].concat(), Vec::new()));
    }
    if let Some(original) = stored.item.original() {
        entries.push((Table::Copies, [keys::original(&original), place].concat(), schema::encode_copy(stored)?));
    }
    entries.extend(stories::indexed(stored, duplicate));
    Ok(entries)
}

/// The counters in meta that count a record. Feeds and topics count what a listing shows: no duplicates, and nothing that is
/// superseded, which counts as one.
pub(super) fn counted(stored: &Stored) -> BTreeSet<Vec<u8>> {
    if stored.item.is_hidden() {
        return BTreeSet::from([DUPLICATES.to_vec()]);
    }
    let topics = stored.item.topics.iter().map(|topic| [TOPIC, topic.id.as_str().as_bytes()].concat());
    let others = [ITEMS.to_vec(), [FEED, stored.item.feed.as_str().as_bytes()].concat()];
    topics.chain(others).collect()
}

/// A number in meta; 0 where there is none.
pub(super) fn counter(read: &impl Read, key: &[u8]) -> Result<u64, StoreError> {
    Ok(read.get(Table::Meta, key)?.map_or(0, |value| as_counter(&value)))
}

/// A number as meta has it.
pub(super) fn as_counter(value: &[u8]) -> u64 {
    value.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}
