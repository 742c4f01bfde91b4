//! What is stored of the fingerprints of items, byte for byte.
//!
//! In: a [`Fingerprint`] with its item. Out: a versioned record, and back.
//! Promise: as in [`super::schema`]: the record never changes once released.
//!
//! The second version has the shingles in the order of the text, and another vocabulary. Of a record of the first, the shingles
//! still find copies; their order tells nothing, and the vocabulary is left out.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StoreError;
use super::schema::{damaged, plain_2, time_of, unplain_2, version_1_or_2};
use crate::dedup::fingerprint::{Fingerprint, NumberInContext, Sketch};
use crate::dedup::subjects::Vocabulary;
use crate::id::{ContentHash, ItemId};
use crate::item::Item;

/// What both versions begin with.
type Head = ([u8; 16], i128);

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
    /// Differences from one to the next.
    shingles: Vec<u32>,
}

#[derive(Serialize, Deserialize)]
struct FingerprintV2 {
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
    /// Four bytes each: as numbers of variable length they would take five.
    shingles: Vec<u8>,
}

impl From<FingerprintV1> for FingerprintV2 {
    fn from(record: FingerprintV1) -> Self {
        let mut last = 0u32;
        let shingles = record.shingles.into_iter().flat_map(|difference| {
            last = last.wrapping_add(difference);
            last.to_be_bytes()
        });
        Self {
            id: record.id,
            stored_at: record.stored_at,
            published_at: record.published_at,
            content: record.content,
            title: record.title,
            numbers: record.numbers,
            openings: record.openings,
            sketch: record.sketch,
            vocabulary: Vocabulary::default(),
            words: record.words,
            title_words: record.title_words,
            shingles: shingles.collect(),
        }
    }
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
    let record = FingerprintV2 {
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
        shingles: shingles.iter().flat_map(|shingle| shingle.to_be_bytes()).collect(),
    };
    plain_2(&record, || format!("the fingerprint of {}", item.id))
}

pub(super) fn decode(no: u64, bytes: &[u8]) -> Result<StoredFingerprint, StoreError> {
    let what = || format!("the fingerprint of item {no}");
    let record = unplain_2::<FingerprintV1, FingerprintV2>(bytes, what)?;
    let time = |time: i128| time_of(time).map_err(|error| damaged(what(), &error));
    let (stored_at, published_at) = (time(record.stored_at)?, time(record.published_at)?);
    let fingerprint = Fingerprint {
        content: record.content.map(ContentHash),
        title: record.title,
        shingles: record.shingles.as_chunks().0.iter().map(|bytes| u32::from_be_bytes(*bytes)).collect(),
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
    let rest = version_1_or_2(beginning, &what)?;
    let read = postcard::take_from_bytes::<Head>(rest).map_err(|error| error.to_string());
    read.and_then(|((_, stored_at), _)| time_of(stored_at)).map_err(|error| damaged(what(), &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_the_first_version_is_read() {
        let words = "سجل الفريق 11 هدفا يوم الاثنين في 3 مباريات";
        let fingerprint = Fingerprint::of("خبر قصير", words);
        let mut shingles = fingerprint.shingles.clone();
        shingles.sort_unstable();
        let mut last = 0u32;
        let differences = shingles.iter().map(|shingle| shingle.wrapping_sub(std::mem::replace(&mut last, *shingle)));
        let record = FingerprintV1 {
            id: [7; 16],
            stored_at: 1_780_000_000_000_000_000,
            published_at: 1_779_000_000_000_000_000,
            content: fingerprint.content.map(|hash| hash.0),
            title: fingerprint.title,
            numbers: fingerprint.numbers.clone(),
            openings: fingerprint.openings.clone(),
            sketch: fingerprint.sketch,
            vocabulary: fingerprint.vocabulary.clone(),
            words: fingerprint.words,
            title_words: fingerprint.title_words,
            shingles: differences.collect(),
        };
        let bytes = postcard::to_extend(&record, vec![1]).unwrap();
        let read = decode(7, &bytes).unwrap();
        assert_eq!(read.id, ItemId([7; 16]));
        assert_eq!(stored_at(&[0; 8], &bytes).unwrap(), read.stored_at);
        // What was another thing then is left out.
        assert_eq!(read.fingerprint, Fingerprint { shingles, vocabulary: Vocabulary::default(), ..fingerprint });
        assert!(decode(7, &[9, 0, 0]).is_err() && decode(7, &[]).is_err() && decode(7, &bytes[..20]).is_err());
    }
}
