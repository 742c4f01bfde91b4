//! The durable log of items.
//!
//! In: groups of decided candidates with their feeds' cursors. Out: items, log records, cursors.
//! Promise: a group is stored whole or not at all, and [`Writer::commit`] returns only once it is on disk; so a feed's
//! cursor never stands past an item that could still be lost.
//! Not here: deciding what is a copy ([`crate::dedup`]), when to write and to prune ([`crate::pipeline`]).
//!
//! From the outside in: `writer` and `reader` work on the records of `records`, `feeds`, `stories`, `taught` and
//! `corrections`;
//! `relations` keeps right what items are to one another; `schema` gives the records their bytes, `keys` their places, `values` cuts the large ones, `staged` collects what a group writes, and
//! `engine` writes it. `layout` knows the directory.

mod corrections;
mod engine;
mod feeds;
mod fingerprints;
mod keys;
mod layout;
mod logged;
mod reader;
mod records;
mod recurring;
mod relations;
mod schema;
mod staged;
mod stories;
mod taught;
mod values;
mod verify;
mod volume;
mod writer;

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

pub use corrections::{Corrected, Correcting, Said};
pub use reader::{DEFAULT_PAGE, MAX_COPIES, MAX_PAGE, Store};
pub use relations::Moved;
pub use schema::Revision;
pub use stories::{MAX_SHOWN, Story, Told};
pub use taught::{Classified, Judgement, Model, Reclassification, TERM_RULES, Taught};
pub use volume::{MAX_KEYS, Series, VolumeBy, VolumeQuery};
pub use writer::{MAX_PRUNE, Writer};

use crate::dedup::Verdict;
use crate::id::{FeedId, ItemId, Seq, TopicId};
use crate::item::{Candidate, Item};
use crate::source::{FeedCursor, PollRecord, Unread};
use crate::units::{ByteSize, Span};
use engine::{Engine, Fault, REPAIR_HINT, Read as _, Table};
use writer::NEXT_SEQ;

/// `[store]` of `rasid.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// The store's directory; created where there is none.
    pub path: PathBuf,
    /// The page cache, at least 1 MiB. The process takes three to eight times as much for it.
    pub cache: ByteSize,
    /// How long items are kept.
    pub retention: Retention,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { path: PathBuf::from("data"), cache: ByteSize::mib(256), retention: Retention::Forever }
    }
}

/// How long items are kept: `"forever"` or a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// Until somebody removes them.
    Forever,
    /// This long after they were stored; see [`Writer::prune`].
    For(Span),
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

/// The most items in a [`Group`]: about 1,300 operations, within what sled writes in one go without taking gigabytes.
pub const MAX_GROUP: usize = 128;

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
    /// Taken for each write, and by whoever needs the store to hold still.
    turn: Mutex<()>,
    path: PathBuf,
    place: layout::Place,
}

/// In meta: the layout of keys and trees.
const SCHEMA: &[u8] = b"schema";

/// Opens or creates the store, after whatever end it had: finds the generation, clears what a killed opening left, and where
/// sled finds its snapshot damaged has it replay its log instead. Blocking: about a second for each gigabyte written since
/// the last opening.
///
/// # Errors
/// [`StoreError::Locked`], [`StoreError::NewerSchema`], [`StoreError::Io`]; [`StoreError::Corrupt`] when recovery failed: the
/// directory is left as it is.
pub fn open(config: &StoreConfig) -> Result<(Store, Writer), StoreError> {
    let mut place = layout::claim(&config.path)?;
    layout::sweep(&place.generation)?;
    // Rule 5: what does not open with its snapshot is opened without it, by replaying the log.
    let (engine, last) = match open_engine(config, &place) {
        Err(StoreError::Corrupt { what, .. }) if layout::set_aside(&place.generation)? => {
            tracing::warn!(error = what, "the store is damaged: replaying its log without the snapshot");
            match open_engine(config, &place) {
                Ok(opened) => {
                    layout::forget_aside(&place.generation)?;
                    opened
                }
                Err(error) => {
                    layout::put_back(&place.generation)?;
                    return Err(error);
                }
            }
        }
        opened => opened?,
    };
    if !place.published {
        place.publish()?;
    }
    let inner = Arc::new(Inner {
        engine,
        durable: watch::Sender::new(Seq(last)),
        turn: Mutex::new(()),
        path: config.path.clone(),
        place,
    });
    Ok((Store { inner: Arc::clone(&inner) }, Writer::over(inner)?))
}

/// The engine, looked at from outside, and the last position of its log.
fn open_engine(config: &StoreConfig, place: &layout::Place) -> Result<(Engine, u64), StoreError> {
    let path = &config.path;
    let engine = open_unlocked(config, place).map_err(|fault| match fault {
        Fault::Locked => StoreError::Locked { path: path.clone() },
        Fault::Corrupt(why) => damaged(path, &why),
        Fault::Other(why) => StoreError::Engine(format!("{}: {why}", path.display())),
    })?;
    match engine.get(Table::Meta, SCHEMA)?.map(|value| records::as_counter(&value)) {
        Some(found) if found == u64::from(schema::SCHEMA) => {}
        Some(found) if found > u64::from(schema::SCHEMA) => {
            return Err(StoreError::NewerSchema { path: path.clone(), found, supported: schema::SCHEMA });
        }
        None if !place.published => begin(&engine)?,
        _ => return Err(damaged(path, "it is empty, though it was in use")),
    }
    let (last, acknowledged) = (check_end(path, &engine)?, place.acknowledged()?);
    if acknowledged > last {
        return Err(StoreError::Corrupt {
            what: format!(
                "{}: the log ends at {last}, and {acknowledged} was acknowledged: the end of the data file is lost",
                path.display()
            ),
            hint: format!(
                "restore the store from a backup, or remove {} to go on without what is lost",
                path.join(layout::ACKNOWLEDGED).display()
            ),
        });
    }
    Ok((engine, last))
}

/// sled's threads hold its lock for a moment after the last handle is gone (its issues 1234 and 1289). Our own lock is
/// held here, so no other rasid has it: whatever holds sled's is on its way out.
fn open_unlocked(config: &StoreConfig, place: &layout::Place) -> Result<Engine, Fault> {
    for _ in 0..SLED_LOCK_TRIES {
        match Engine::open(&place.generation, config.cache.0) {
            Err(Fault::Locked) => std::thread::sleep(SLED_LOCK_PAUSE),
            opened => return opened,
        }
    }
    Err(Fault::Locked)
}

const SLED_LOCK_TRIES: u32 = 40;
const SLED_LOCK_PAUSE: Duration = Duration::from_millis(50);

/// Makes an empty store one of ours.
fn begin(engine: &Engine) -> Result<(), StoreError> {
    let number = |n: u64| Some(n.to_be_bytes().to_vec());
    engine.apply(&engine::Writes::from([
        ((Table::Meta, SCHEMA.to_vec()), number(u64::from(schema::SCHEMA))),
        ((Table::Meta, NEXT_SEQ.to_vec()), number(1)),
    ]))?;
    engine.make_durable()
}

/// The last position of the log, which must be where the counter says: a cheap look at whether recovery was whole.
fn check_end(path: &Path, engine: &Engine) -> Result<u64, StoreError> {
    let next = records::counter(engine, NEXT_SEQ)?;
    let last = next.checked_sub(1).ok_or_else(|| damaged(path, "it does not say where its log ends"))?;
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
