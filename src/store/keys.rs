//! The keys of all trees: bytes whose order is the order wanted.
//!
//! In: numbers, times, names. Out: key bytes, and numbers and times back from them.
//! Promise: integers are big-endian, so that keys sort by value; a name ends with a zero byte, which no name has in it, so
//! that no name is the beginning of another.
//!
//! | tree | key |
//! |---|---|
//! | items, fingerprints, log | number |
//! | ids | item id |
//! | by_time | published, number |
//! | by_feed, by_topic | name 0, published, number |
//! | by_content, by_url | hash, number |
//! | copies | original, published, number |
//! | revisions | number, revision |
//! | cursors | feed 0, part |
//! | polls | feed 0, counter |
//! | unread | feed 0, part |
//! | judgements | topic 0, item id |
//! | learned | topic 0; of the background 0 alone |
//! | corrections | item id |
//! | by_story | item id of the story's first, published, number |
//! | window | number |
//! | consumers | name 0 |
//! | pins | item id |

use jiff::Timestamp;

use crate::dedup::Original;
use crate::id::{FeedId, ItemId};

/// Of items, fingerprints and the log.
pub(super) fn number(no: u64) -> Vec<u8> {
    no.to_be_bytes().to_vec()
}

/// A time in milliseconds, shifted so that times before 1970 sort before those after.
pub(super) fn millis(time: Timestamp) -> u64 {
    time.as_millisecond().cast_unsigned() ^ (1 << 63)
}

/// The time that was shifted so. None where no clock tells it.
pub(super) fn time(millis: u64) -> Option<Timestamp> {
    Timestamp::from_millisecond((millis ^ (1 << 63)).cast_signed()).ok()
}

/// Of by_time, and the end of all keys that list by time.
pub(super) fn published(millis: u64, no: u64) -> Vec<u8> {
    [millis.to_be_bytes(), no.to_be_bytes()].concat()
}

/// What the keys of one feed or topic begin with.
pub(super) fn name(name: &str) -> Vec<u8> {
    [name.as_bytes(), &[0]].concat()
}

/// Of ids.
pub(super) fn id(id: ItemId) -> Vec<u8> {
    id.0.to_vec()
}

/// What the by_url keys of one address begin with. Addresses come from outside: only a cryptographic hash cannot be
/// steered into another's.
pub(super) fn url(canonical: &url::Url) -> Vec<u8> {
    first_16(blake3::hash(canonical.as_str().as_bytes()))
}

/// What the keys of one original's copies begin with. Holds for originals that are not (or no longer) stored.
pub(super) fn original(original: &Original) -> Vec<u8> {
    match original {
        Original::Item(id) => [&[0][..], &id.0].concat(),
        Original::Corpus { corpus, document } => {
            let mut hasher = blake3::Hasher::new();
            hasher.update(corpus.as_bytes()).update(&[0]).update(document.as_bytes());
            [vec![1], first_16(hasher.finalize())].concat()
        }
    }
}

/// Of revisions.
pub(super) fn revision(no: u64, revision: u32) -> Vec<u8> {
    [&no.to_be_bytes()[..], &revision.to_be_bytes()].concat()
}

/// Of the small, ever changing part of a feed's cursor.
pub(super) fn cursor(feed: &FeedId) -> Vec<u8> {
    [name(feed.as_str()), vec![b'c']].concat()
}

/// Of the lines that recur on the pages of a feed.
pub(super) fn recurring(feed: &FeedId) -> Vec<u8> {
    [name(feed.as_str()), vec![b'l']].concat()
}

/// Of the entries that a feed has shown.
pub(super) fn seen(feed: &FeedId) -> Vec<u8> {
    [name(feed.as_str()), vec![b's']].concat()
}

/// Of what is told of a feed's unread document.
pub(super) fn unread(feed: &FeedId) -> Vec<u8> {
    [name(feed.as_str()), vec![b'd']].concat()
}

/// Of the document's bytes.
pub(super) fn unread_body(feed: &FeedId) -> Vec<u8> {
    [name(feed.as_str()), vec![b'b']].concat()
}

/// The feed in a key that begins with one.
pub(super) fn feed(key: &[u8]) -> Option<FeedId> {
    let name = key.split(|byte| *byte == 0).next()?;
    std::str::from_utf8(name).ok()?.parse().ok()
}

/// Of polls.
pub(super) fn poll(feed: &FeedId, counter: u64) -> Vec<u8> {
    [name(feed.as_str()), counter.to_be_bytes().to_vec()].concat()
}

/// The number at the end of a key.
pub(super) fn last_number(key: &[u8]) -> Option<u64> {
    key.last_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

/// The time and the number at the end of a key that lists by time.
pub(super) fn place(key: &[u8]) -> Option<(u64, u64)> {
    let (rest, no) = key.split_last_chunk()?;
    Some((u64::from_be_bytes(*rest.last_chunk()?), u64::from_be_bytes(*no)))
}

fn first_16(hash: blake3::Hash) -> Vec<u8> {
    hash.as_bytes().iter().copied().take(16).collect()
}
