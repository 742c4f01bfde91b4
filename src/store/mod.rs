//! The durable log of items.
//!
//! In: groups of decided candidates with their feeds' cursors. Out: items, log records, cursors.
//! Promise: a group is stored whole or not at all, and [`Writer::commit`] returns only once it is on disk.

mod engine;
mod schema;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::dedup::{Fingerprint, Verdict};
use crate::id::{ContentHash, EntryKey, FeedId, ItemId, Seq, TopicId};
use crate::item::{Candidate, Item, LogKind, LogRecord};
use crate::source::{FeedCursor, PollRecord};
use crate::units::{ByteSize, Span};

/// `[store]` of `rasid.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    pub path: PathBuf,
    pub cache: ByteSize,
    pub retention: Retention,
}

/// How long items are kept: `"forever"` or a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    Forever,
    For(Span),
}

/// One candidate with its verdict.
#[derive(Clone, Debug)]
pub struct Decided {
    pub candidate: Candidate,
    /// `revision` replaces the words of the item with the same id; a duplicate is stored small; anything else is new.
    pub verdict: Verdict,
}

/// What one transaction writes.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// In log order. At most [`MAX_GROUP`].
    pub items: Vec<Decided>,
    /// Where feeds are left. Written in the same transaction as the items.
    pub cursors: Vec<(FeedId, FeedCursor, Option<PollRecord>)>,
    /// `stored_at` and the log's `at`.
    pub at: Option<Timestamp>,
}
pub const MAX_GROUP: usize = 128;

/// An item as far as deciding needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    pub id: ItemId,
    /** `Candidate::hash` as last stored */
    pub hash: u64,
    pub duplicate: bool,
    pub text_from_page: bool,
}

/// Which items, newest published first.
#[derive(Clone, Debug, Default)]
pub struct ItemQuery {
    pub topic: Option<TopicId>,
    pub feed: Option<FeedId>,
    pub language: Option<String>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// Whether duplicates are listed too.
    pub duplicates: bool,
    pub limit: usize,
    /// From the `next` of the page before.
    pub after: Option<String>,
}

/// One page of a listing.
#[derive(Clone, Debug)]
pub struct Page {
    pub items: Vec<Item>,
    pub next: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    pub last_seq: u64,
    pub items: u64,
    pub duplicates: u64,
    pub revisions: u64,
    pub bytes_on_disk: u64,
    pub by_feed: Vec<(FeedId, u64)>,
    pub by_topic: Vec<(TopicId, u64)>,
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the store.
    #[error("{path}: another process holds the store")]
    Locked { path: PathBuf },
    #[error("{0}")]
    Other(String),
}

/// Reads; cheap to clone; blocking (call on a blocking thread in async code).
#[derive(Clone)]
pub struct Store {}
/// Writes; there is one.
pub struct Writer {}

/// Opens or creates; runs the whole recovery procedure.
pub fn open(_config: &StoreConfig) -> Result<(Store, Writer), StoreError> {
    unimplemented!()
}

impl Writer {
    pub fn commit(&mut self, _group: Group) -> Result<Seq, StoreError> {
        unimplemented!()
    }
}
impl Store {
    pub fn item(&self, _id: ItemId) -> Result<Option<Item>, StoreError> {
        unimplemented!()
    }
    pub fn items(&self, _query: &ItemQuery) -> Result<Page, StoreError> {
        unimplemented!()
    }
    pub fn log(&self, _after: Seq, _limit: usize) -> Result<Vec<LogRecord>, StoreError> {
        unimplemented!()
    }
    /// The last durable position; changes wake waiters.
    pub fn durable(&self) -> watch::Receiver<Seq> {
        unimplemented!()
    }
    pub fn cursor(&self, _feed: &FeedId) -> Result<Option<FeedCursor>, StoreError> {
        unimplemented!()
    }
    /// The last polls, newest first, at most 50.
    pub fn polls(&self, _feed: &FeedId) -> Result<Vec<PollRecord>, StoreError> {
        unimplemented!()
    }
    pub fn known(&self, _id: ItemId) -> Result<Option<Known>, StoreError> {
        unimplemented!()
    }
    /// The first item stored with this exact text.
    pub fn by_content(&self, _hash: ContentHash) -> Result<Option<ItemId>, StoreError> {
        unimplemented!()
    }
    /// The first item stored with this canonical URL.
    pub fn by_url(&self, _canonical: &url::Url) -> Result<Option<ItemId>, StoreError> {
        unimplemented!()
    }
    /// Fingerprints of items (not of duplicates) stored since, oldest first.
    pub fn fingerprints(
        &self,
        _since: Timestamp,
        _each: &mut dyn FnMut(ItemId, Timestamp, Fingerprint),
    ) -> Result<(), StoreError> {
        unimplemented!()
    }
    pub fn stats(&self) -> Result<Stats, StoreError> {
        unimplemented!()
    }
    /// Every index against the items; the problems found.
    pub fn verify(&self) -> Result<Vec<String>, StoreError> {
        unimplemented!()
    }
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { path: PathBuf::from("data"), cache: ByteSize::mib(256), retention: Retention::Forever }
    }
}

impl Serialize for Retention {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Forever => serializer.serialize_str("forever"),
            Self::For(span) => span.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Retention {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "forever" {
            return Ok(Self::Forever);
        }
        text.parse().map(Self::For).map_err(serde::de::Error::custom)
    }
}
