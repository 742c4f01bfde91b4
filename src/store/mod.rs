//! The durable log of items.
//!
//! In: groups of decided candidates with their feeds' cursors. Out: items, log records, cursors.
//! Promise: a group is stored whole or not at all, and [`Writer::commit`] returns only once it is on disk; so a feed's
//! cursor never stands past an item that could still be lost.
//! Not here: deciding what is a copy ([`crate::dedup`]), when to write and to prune ([`crate::pipeline`]).
//!
//! From the outside in: `writer` and `reader` work on the records of `records`, `feeds`, `stories`, `taught`,
//! `corrections`, `pins` and `consumers`, `letters` keeps what sinks could not deliver; `log` reads the log through a filter; `relations` keeps right what items are to one
//! another; `retention` removes what has expired and is not held. `schema` gives the records their bytes, `keys` their places,
//! `values` cuts the large ones, `staged` collects what a group writes, and `engine` writes it. `layout` knows the directory;
//! `backup` copies it, `rebuild` and `mend` make another of what can be read.

mod backup;
mod consumers;
#[cfg(test)]
mod consumers_tests;
mod corrections;
mod engine;
mod feeds;
mod fingerprints;
mod import;
mod keys;
mod layout;
mod letters;
mod log;
mod logged;
mod mend;
mod packing;
mod pins;
mod policies;
mod reader;
mod rebuild;
mod records;
mod recurring;
mod relations;
mod retention;
#[cfg(test)]
mod retention_tests;
mod schema;
mod staged;
mod stories;
mod taught;
mod transfer;
mod values;
mod verify;
mod volume;
mod writer;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

pub use backup::{BackupReport, CompactReport, restore};
pub use consumers::{ConsumeError, Consumed, Consumer, Consuming, Lag, MAX_CONSUMERS, MAX_FILTER, Start};
pub use corrections::{Corrected, Correcting, Said};
pub use import::{Arriving, Import, Imported};
pub use letters::DeadLetter;
pub use log::{LogFilter, Missed, Stretch};
pub use pins::Pin;
pub use policies::Policies;
pub use reader::{DEFAULT_PAGE, MAX_COPIES, MAX_PAGE, Store};
pub use rebuild::{RepairReport, repair};
pub use relations::Moved;
pub use retention::{Expired, MAX_PRUNE, Named};
pub use schema::Revision;
pub use stories::{MAX_SHOWN, Story, Told};
pub use taught::{Classified, Judgement, Model, Reclassification, TERM_RULES, Taught};
pub use transfer::{ExportPage, ExportQuery, Left, MAX_EXPORT_PAGE, Reader, Record, Whole};
pub use volume::{MAX_KEYS, Series, VolumeBy, VolumeQuery};
pub use writer::Writer;

use crate::dedup::Verdict;
use crate::id::{FeedId, ItemId, Seq, TopicId};
use crate::item::{Candidate, Item};
use crate::source::{FeedCursor, PollRecord, Unread};
use crate::units::{ByteSize, Span};
use engine::manifest::Manifest;
use engine::{Engine, REPAIR_HINT, Read as _, Table};
use writer::NEXT_SEQ;

/// `[store]` of `rasid.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// The store's directory; created where there is none.
    pub path: PathBuf,
    /// The page cache, at least 1 MiB. The process takes three to eight times as much for it.
    pub cache: ByteSize,
    /// How long items are kept of whose feed and topics nothing else is said.
    pub retention: Retention,
    /// So much is written to sled before it is sealed into files, in bytes, at least 64 KiB. sled takes three times as much on
    /// the disk; a small store seals earlier.
    pub front: ByteSize,
    /// How long items about a topic are kept.
    pub retention_by_topic: BTreeMap<TopicId, Retention>,
    /// How long items of a feed are kept.
    pub retention_by_feed: BTreeMap<FeedId, Retention>,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            path: PathBuf::from("data"),
            cache: ByteSize::mib(256),
            retention: Retention::Forever,
            front: ByteSize::mib(32),
            retention_by_topic: BTreeMap::new(),
            retention_by_feed: BTreeMap::new(),
        }
    }
}

/// How long items are kept: `"forever"` or a span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Retention {
    /// This long after they were stored; see [`Writer::expire`].
    For(Span),
    /// Until somebody removes them: longer than any time.
    #[default]
    Forever,
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

/// One candidate with its verdict.
#[derive(Clone, Debug)]
pub struct Decided {
    /// What is stored.
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
    /// Documents that could not be read, each in place of the one before of its feed.
    pub unread: Vec<(FeedId, Unread)>,
    /// Where new items were put, and what has become of the window of stories.
    pub told: Told,
    /// `stored_at` and the log's `at`.
    pub at: Option<Timestamp>,
}

/// The most items in a [`Group`]: some 1,000 records in one transaction of sled, which takes gigabytes for many more.
pub const MAX_GROUP: usize = 256;

/// An item as far as deciding needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its id.
    pub id: ItemId,
    /// `Candidate::hash` as last stored.
    pub hash: u64,
    /// Whether it is a duplicate.
    pub duplicate: bool,
    /// Whether a fuller text took its place.
    pub superseded: bool,
    /// Whether new texts are compared with it.
    pub compared: bool,
    /// Whether its text is from its web page.
    pub text_from_page: bool,
}

/// Which items, newest published first.
#[derive(Clone, Debug, Default)]
pub struct ItemQuery {
    /// About this topic.
    pub topic: Option<TopicId>,
    /// From this feed.
    pub feed: Option<FeedId>,
    /// In this language.
    pub language: Option<String>,
    /// Published at this time or later.
    pub since: Option<Timestamp>,
    /// Published before this time.
    pub until: Option<Timestamp>,
    /// Whether duplicates are listed too, and what is superseded.
    pub duplicates: bool,
    /// At most [`MAX_PAGE`]; 0 is [`DEFAULT_PAGE`].
    pub limit: usize,
    /// From the `next` of the page before.
    pub after: Option<String>,
}

/// One page of a listing.
#[derive(Clone, Debug)]
pub struct Page {
    /// Newest published first.
    pub items: Vec<Item>,
    /// Where the next page begins; none at the end.
    pub next: Option<String>,
}

/// What is stored, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// The last position of the log.
    pub last_seq: u64,
    /// Items that are in sight: neither duplicates nor superseded.
    pub items: u64,
    /// Duplicates, and items that are superseded.
    pub duplicates: u64,
    /// Former words that are kept.
    pub revisions: u64,
    /// The size of the files.
    pub bytes_on_disk: u64,
    /// What of it is not outdated: retention and revisions leave outdated records in files for a while.
    pub live_bytes: u64,
    /// Items of each feed, without duplicates; feeds that have any.
    pub by_feed: Vec<(FeedId, u64)>,
    /// Items of each topic (`maybe` counts), without duplicates; topics that have any.
    pub by_topic: Vec<(TopicId, u64)>,
}

/// Why the store refused, by what can be done about it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the store: ask it, or stop it.
    #[error("{}: another process holds the store; ask that one, or stop it first", path.display())]
    Locked {
        /// The store's directory.
        path: PathBuf,
    },
    /// What is stored is damaged, or is not what this program writes. Nothing was removed.
    #[error("{what}; {hint}")]
    Corrupt {
        /// What, and where.
        what: String,
        /// What to do.
        hint: String,
    },
    /// A newer program wrote the store: run that one.
    #[error(
        "{}: the store has the layout {found}, and this program knows {supported}; run the newer program that wrote it",
        path.display()
    )]
    NewerSchema {
        /// The store's directory.
        path: PathBuf,
        /// The layout found.
        found: u64,
        /// The newest known.
        supported: u32,
    },
    /// The directory or its files cannot be used: look at permissions and space.
    #[error("{what}: {source}")]
    Io {
        /// Which file, and what was tried.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// Writing or reading failed while the store was open, mostly for want of space. Such an error stays until the store is
    /// opened again, so: make room, then restart.
    #[error("{0}; make sure that the disk works and has room, then restart")]
    Engine(String),
    /// The group has more than [`MAX_GROUP`] items; nothing was written. Split it.
    #[error("a group of {items} items is more than the {MAX_GROUP} that are written at once")]
    TooLarge {
        /// How many it has.
        items: usize,
    },
    /// The question was wrong, not the store.
    #[error("{0}")]
    Query(String),
}

/// What readers and the writer share.
struct Inner {
    /// Before `place`: the lock on the directory goes last.
    engine: Engine,
    durable: watch::Sender<Seq>,
    path: PathBuf,
    place: layout::Place,
}

/// What long work tells of itself: what it does, how much of it is done, and how much there is (0 where that is not known).
pub type Progress<'a> = dyn FnMut(&str, u64, u64) + 'a;

/// Opens or creates the store, after whatever end it had; one of an older layout is made one of this. Blocking.
///
/// # Errors
/// [`StoreError::Locked`], [`StoreError::NewerSchema`], [`StoreError::Io`]; [`StoreError::Corrupt`] when it is damaged: the
/// directory is left as it is, and [`repair`] makes a store of what can be read.
pub fn open(config: &StoreConfig) -> Result<(Store, Writer), StoreError> {
    open_with(config, &mut |_, _, _| {})
}

/// [`open`], telling how far it is where a store of an older layout has to be made one of this.
///
/// # Errors
/// As [`open`].
pub fn open_with(config: &StoreConfig, progress: &mut Progress<'_>) -> Result<(Store, Writer), StoreError> {
    let place = layout::claim(&config.path)?;
    let path = &config.path;
    rebuild::finish_interrupted(path)?;
    let manifest = match read_manifest(path)? {
        Some(manifest) => manifest,
        None if layout::has_first_layout(path)? => {
            rebuild::migrate(config, progress)?;
            read_manifest(path)?.ok_or_else(|| damaged(path, "it has no list of its files"))?
        }
        None if layout::is_left_over(path)? => return Err(damaged(path, "its list of files, MANIFEST, is missing")),
        None => {
            begin(config)?;
            read_manifest(path)?.ok_or_else(|| damaged(path, "it has no list of its files"))?
        }
    };
    let engine = Engine::open(config, path, manifest)?;
    let (last, acknowledged) = (check_end(path, &engine)?, place.acknowledged()?);
    if acknowledged > last {
        return Err(StoreError::Corrupt {
            what: format!(
                "{}: the log ends at {last}, and {acknowledged} was acknowledged: the end of what was written is lost",
                path.display()
            ),
            hint: format!(
                "restore the store from a backup, or remove {} to go on without what is lost",
                path.join(layout::ACKNOWLEDGED).display()
            ),
        });
    }
    let durable = watch::Sender::new(Seq(last));
    let inner = Arc::new(Inner { engine, durable, path: path.clone(), place });
    Ok((Store { inner: Arc::clone(&inner) }, Writer::over(inner)?))
}

fn read_manifest(path: &Path) -> Result<Option<Manifest>, StoreError> {
    let listed = Manifest::read(path).map_err(|why| StoreError::Corrupt {
        what: format!("{}: {why}", engine::manifest::path(path).display()),
        hint: REPAIR_HINT.to_owned(),
    })?;
    match listed {
        Some(manifest) if manifest.schema > schema::SCHEMA => Err(StoreError::NewerSchema {
            path: path.to_owned(),
            found: u64::from(manifest.schema),
            supported: schema::SCHEMA,
        }),
        listed => Ok(listed),
    }
}

/// Makes an empty store.
fn begin(config: &StoreConfig) -> Result<(), StoreError> {
    Engine::create(&config.path, schema::SCHEMA, format!("{:016x}", fastrand::u64(..)))
}

/// The last position of the log, which must be where the counter says: a cheap look at whether recovery was whole.
fn check_end(path: &Path, engine: &Engine) -> Result<u64, StoreError> {
    let next = records::counter(engine, NEXT_SEQ)?.max(1);
    let last = next - 1;
    let there = |seq: u64| engine.get(Table::Log, &keys::number(seq)).map(|record| record.is_some());
    if (last > 0 && !there(last)?) || there(next)? {
        return Err(damaged(path, &format!("its log does not end at {last}, as it should")));
    }
    Ok(last)
}

fn damaged(path: &Path, why: &str) -> StoreError {
    StoreError::Corrupt {
        what: format!("{}: the store cannot be opened: {why}", path.display()),
        hint: REPAIR_HINT.to_owned(),
    }
}
