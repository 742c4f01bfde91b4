//! What is stored of the fingerprints of items, byte for byte.
//!
//! In: a [`Fingerprint`] with its item. Out: a versioned record, and back.
//! Promise: as in [`super::schema`]: the record never changes once released.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StoreError;
use super::schema::{damaged, plain, time_of, unplain, version_1};
use crate::dedup::fingerprint::{Fingerprint, NumberInContext, Sketch};
use crate::dedup::subjects::Vocabulary;
use crate::id::{ContentHash, ItemId};
use crate::item::Item;

#[derive(Serialize, Deserialize)]
struct FingerprintV1 {
    id: [u8; 16],
    stored_at: i128,
    published_at: i128,
    content: Option<[u8; 16]>,
    title: Option<u64>,
    numbers: Vec<NumberInContext>,
    openings: Vec<u32>,
    sketch: Sketch,
    vocabulary: Vocabulary,
    words: u32,
    title_words: u32,
    /// Differences from one to the next: sorted hashes take four bytes so, instead of five.
    shingles: Vec<u32>,
}

/// What is stored of an item's fingerprint.
pub(super) struct StoredFingerprint {
    pub(super) id: ItemId,
    pub(super) stored_at: Timestamp,
    pub(super) published_at: Timestamp,
    pub(super) fingerprint: Fingerprint,
}

pub(super) fn encode(item: &Item, of: &Fingerprint) -> Result<Vec<u8>, StoreError> {
    let Fingerprint { content, title, shingles, numbers, openings, sketch, vocabulary, words, title_words } = of;
    let mut last = 0u32;
    let differences = shingles.iter().map(|shingle| {
        let difference = shingle.wrapping_sub(last);
        last = *shingle;
        difference
    });
    let record = FingerprintV1 {
        id: item.id.0,
        stored_at: item.stored_at.as_nanosecond(),
        published_at: item.content.published_at.as_nanosecond(),
        content: content.map(|hash| hash.0),
        title: *title,
        numbers: numbers.clone(),
        openings: openings.clone(),
        sketch: *sketch,
        vocabulary: vocabulary.clone(),
        words: *words,
        title_words: *title_words,
        shingles: differences.collect(),
    };
    plain(&record, || format!("the fingerprint of {}", item.id))
}

pub(super) fn decode(no: u64, bytes: &[u8]) -> Result<StoredFingerprint, StoreError> {
    let what = || format!("the fingerprint of item {no}");
    let record: FingerprintV1 = unplain(bytes, what)?;
    let time = |time: i128| time_of(time).map_err(|error| damaged(what(), &error));
    let (stored_at, published_at) = (time(record.stored_at)?, time(record.published_at)?);
    let mut last = 0u32;
    let shingles = record.shingles.into_iter().map(|difference| {
        last = last.wrapping_add(difference);
        last
    });
    let fingerprint = Fingerprint {
        content: record.content.map(ContentHash),
        title: record.title,
        shingles: shingles.collect(),
        numbers: record.numbers,
        openings: record.openings,
        sketch: record.sketch,
        vocabulary: record.vocabulary,
        words: record.words,
        title_words: record.title_words,
    };
    Ok(StoredFingerprint { id: ItemId(record.id), stored_at, published_at, fingerprint })
}

/// The time by which the window keeps an item: when it was published, but not later than when it was stored. A revision may
/// move the former; the latter bounds how far back a window has to be looked for.
pub(super) fn window_time(published_at: Timestamp, stored_at: Timestamp) -> Timestamp {
    published_at.min(stored_at)
}

/// When the item of a fingerprint was stored, from the beginning of the fingerprint's record.
pub(super) fn stored_at(key: &[u8], beginning: &[u8]) -> Result<Timestamp, StoreError> {
    let what = || format!("the fingerprint of item {}", super::values::hex(key));
    let rest = version_1(beginning, &what)?;
    let read = postcard::take_from_bytes::<([u8; 16], i128)>(rest).map_err(|error| error.to_string());
    read.and_then(|((_, stored_at), _)| time_of(stored_at)).map_err(|error| damaged(what(), &error))
}
