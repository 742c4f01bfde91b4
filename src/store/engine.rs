//! sled, and nothing but sled: the only file that names it.
//!
//! In: keys and values of the [`Table`]s. Out: the same, in key order; write sets applied whole or not at all.
//! Promise: after [`Engine::make_durable`] returns, everything applied before it survives a power cut. A scan ends at its
//! first error. Opening never panics.
//! Not here: what the bytes mean ([`super::schema`]), where the directory is and who owns it ([`super::layout`]).
//!
//! sled 0.34.7 is used by twelve rules, each from a measurement; they stand here (and, where they concern the callers,
//! in [`super::writer`], [`super::values`] and [`super::layout`]) as "rule n".

use std::any::Any;
use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Bound;
use std::path::{Path, PathBuf};

use sled::transaction::{ConflictableTransactionResult, TransactionError, Transactional as _};

use super::StoreError;

/// How often sled syncs by itself, in milliseconds.
///
/// Rule 3: this stays set. Its background thread is the only real `fsync` that sled does, and the only collection of
/// garbage while nothing is written; `None` switches both off.
const FLUSH_EVERY_MS: u64 = 500;

/// The least cache: sled asserts a minimum of its own (256 bytes), and an assertion would take the daemon down.
const MIN_CACHE: u64 = 1 << 20;

/// One ordered map of bytes to bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(super) enum Table {
    Meta = 0,
    Items,
    Chunks,
    Ids,
    Log,
    ByTime,
    ByFeed,
    ByTopic,
    ByContent,
    ByUrl,
    Copies,
    Fingerprints,
    Revisions,
    Cursors,
    Polls,
    Unread,
    Judgements,
    Learned,
    Corrections,
    ByStory,
    Window,
    Consumers,
    Pins,
}

impl Table {
    /// All tables, in the order of their numbers. The numbers stand in keys of [`Table::Chunks`]: append only.
    pub(super) const ALL: [Self; 23] = [
        Self::Meta,
        Self::Items,
        Self::Chunks,
        Self::Ids,
        Self::Log,
        Self::ByTime,
        Self::ByFeed,
        Self::ByTopic,
        Self::ByContent,
        Self::ByUrl,
        Self::Copies,
        Self::Fingerprints,
        Self::Revisions,
        Self::Cursors,
        Self::Polls,
        Self::Unread,
        Self::Judgements,
        Self::Learned,
        Self::Corrections,
        Self::ByStory,
        Self::Window,
        Self::Consumers,
        Self::Pins,
    ];

    /// The tree's name on disk.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Items => "items",
            Self::Chunks => "chunks",
            Self::Ids => "ids",
            Self::Log => "log",
            Self::ByTime => "by_time",
            Self::ByFeed => "by_feed",
            Self::ByTopic => "by_topic",
            Self::ByContent => "by_content",
            Self::ByUrl => "by_url",
            Self::Copies => "copies",
            Self::Fingerprints => "fingerprints",
            Self::Revisions => "revisions",
            Self::Cursors => "cursors",
            Self::Polls => "polls",
            Self::Unread => "unread",
            Self::Judgements => "judgements",
            Self::Learned => "learned",
            Self::Corrections => "corrections",
            Self::ByStory => "by_story",
            Self::Window => "window",
            Self::Consumers => "consumers",
            Self::Pins => "pins",
        }
    }
}

/// A key and its value.
pub(super) type Entry = (Vec<u8>, Vec<u8>);
/// What one transaction writes: a value, or none where the key is removed.
pub(super) type Writes = BTreeMap<(Table, Vec<u8>), Option<Vec<u8>>>;

/// Something that tables can be read from: the engine, or the engine with a write set laid over it.
pub(super) trait Read {
    /// The value of one key.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;
    /// All entries whose keys begin so, in key order. For prefixes that are known to have few.
    fn prefix(&self, table: Table, prefix: &[u8]) -> Result<Vec<Entry>, StoreError>;
}

/// Why a directory did not open.
#[derive(Debug)]
pub(super) enum Fault {
    /// Another process (or another handle of this one) has it open.
    Locked,
    /// sled says so, or fell over it.
    Corrupt(String),
    /// Anything else: no space, no permission.
    Other(String),
}

/// One open sled directory.
pub(super) struct Engine {
    trees: Vec<sled::Tree>,
    db: sled::Db,
    /// A descriptor of our own on sled's data file, to sync it (rule 2).
    data: File,
    path: PathBuf,
}

impl Engine {
    /// Opens or creates the sled directory `path` with `cache` bytes of page cache (sled's memory is 3–8 times that).
    ///
    /// Rule 5: on a thread of its own, whose panic is caught: a flipped byte can panic inside sled's recovery
    /// (`serialization.rs`, `segment.rs`) instead of giving an error.
    pub(super) fn open(path: &Path, cache: u64) -> Result<Self, Fault> {
        let path = path.to_owned();
        let opening = std::thread::Builder::new()
            .name("store-open".to_owned())
            .spawn(move || Self::open_here(path, cache))
            .map_err(|error| Fault::Other(format!("no thread could be started: {error}")))?;
        opening.join().unwrap_or_else(|panic| Err(Fault::Corrupt(words_of(panic.as_ref()))))
    }

    fn open_here(path: PathBuf, cache: u64) -> Result<Self, Fault> {
        let db = sled::Config::new()
            .path(&path)
            // sled's own default is 1 GiB.
            .cache_capacity(cache.max(MIN_CACHE))
            .flush_every_ms(Some(FLUSH_EVERY_MS))
            .open()
            .map_err(fault)?;
        let trees =
            Table::ALL.iter().map(|table| db.open_tree(table.name())).collect::<Result<_, _>>().map_err(fault)?;
        let data = File::open(path.join(DATA_FILE)).map_err(|error| Fault::Other(error.to_string()))?;
        Ok(Self { trees, db, data, path })
    }

    fn tree(&self, table: Table) -> &sled::Tree {
        &self.trees[table as usize]
    }

    /// The entries between two keys, in key order from either end.
    ///
    /// Not a snapshot: a write that lands meanwhile may be seen or not.
    pub(super) fn scan(&self, table: Table, range: (Bound<Vec<u8>>, Bound<Vec<u8>>)) -> Scan {
        let empty = match (&range.0, &range.1) {
            (Bound::Included(low), Bound::Included(high)) => low > high,
            (Bound::Included(low) | Bound::Excluded(low), Bound::Excluded(high) | Bound::Included(high)) => low >= high,
            _ => false,
        };
        let iter = if empty { None } else { Some(self.tree(table).range(range)) };
        Scan { iter, table }
    }

    /// How many entries a table has: reads them all.
    pub(super) fn count(&self, table: Table) -> Result<u64, StoreError> {
        let mut entries = 0;
        for entry in self.scan(table, (Bound::Unbounded, Bound::Unbounded)) {
            entry?;
            entries += 1;
        }
        Ok(entries)
    }

    /// Writes everything or nothing, visible to readers at once; not yet durable.
    ///
    /// Rule 1: one transaction over all the trees, never a batch for each tree (9 kills of 20 left half-indexed batches).
    /// Rule 8: the operations go through `transaction`; `apply_batch` of thousands of keys took gigabytes.
    /// Rule 11: the closure touches nothing but its transactional trees (any other call deadlocks) and, as sled may run
    /// it again, only replays a write set that was prepared before.
    pub(super) fn apply(&self, writes: &Writes) -> Result<(), StoreError> {
        let replay = |trees: &Vec<sled::transaction::TransactionalTree>| -> ConflictableTransactionResult<(), ()> {
            for ((table, key), value) in writes {
                let tree = &trees[*table as usize];
                match value {
                    Some(value) => tree.insert(key.as_slice(), value.as_slice())?,
                    None => tree.remove(key.as_slice())?,
                };
            }
            Ok(())
        };
        self.trees.as_slice().transaction(replay).map_err(|error| match error {
            TransactionError::Storage(error) => self.error(&error),
            TransactionError::Abort(()) => {
                StoreError::Engine(format!("{}: a transaction was given up", self.path.display()))
            }
        })
    }

    /// Returns once everything applied so far is on the disk.
    ///
    /// Rule 2: sled's `flush` is `sync_file_range` on Linux, which covers neither the file's metadata nor the disk's own
    /// cache; `sync_data` on the data file does. The descriptor is ours: sled locks another one.
    pub(super) fn make_durable(&self) -> Result<(), StoreError> {
        self.db.flush().map_err(|error| self.error(&error))?;
        self.data
            .sync_data()
            .map_err(|error| StoreError::Engine(format!("{}: {error}", self.path.join(DATA_FILE).display())))
    }

    /// The size of all files of the directory.
    pub(super) fn size_on_disk(&self) -> Result<u64, StoreError> {
        self.db.size_on_disk().map_err(|error| self.error(&error))
    }

    fn error(&self, error: &sled::Error) -> StoreError {
        store_error(&self.path.display().to_string(), error)
    }
}

impl Read for Engine {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let value = self.tree(table).get(key).map_err(|error| self.error(&error))?;
        Ok(value.map(|value| value.to_vec()))
    }

    fn prefix(&self, table: Table, prefix: &[u8]) -> Result<Vec<Entry>, StoreError> {
        self.scan(table, prefix_range(prefix)).collect()
    }
}

/// The keys that begin with `prefix`.
pub(super) fn prefix_range(prefix: &[u8]) -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
    let mut end = prefix.to_vec();
    while end.pop_if(|byte| *byte == u8::MAX).is_some() {}
    let end = match end.last_mut() {
        Some(byte) => {
            *byte += 1;
            Bound::Excluded(end)
        }
        None => Bound::Unbounded,
    };
    (Bound::Included(prefix.to_vec()), end)
}

/// Entries in key order.
///
/// Rule 6: over after the first error. On a bad page sled's iterator gives the same error for ever, so whoever skips
/// errors (`filter_map(Result::ok)`, `count`) never returns.
pub(super) struct Scan {
    iter: Option<sled::Iter>,
    table: Table,
}

impl Scan {
    fn step(
        &mut self,
        step: impl FnOnce(&mut sled::Iter) -> Option<sled::Result<(sled::IVec, sled::IVec)>>,
    ) -> Option<Result<Entry, StoreError>> {
        match step(self.iter.as_mut()?) {
            Some(Ok((key, value))) => Some(Ok((key.to_vec(), value.to_vec()))),
            Some(Err(error)) => {
                self.iter = None;
                Some(Err(store_error(&format!("tree {}", self.table.name()), &error)))
            }
            None => {
                self.iter = None;
                None
            }
        }
    }
}

impl Iterator for Scan {
    type Item = Result<Entry, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step(Iterator::next)
    }
}

impl DoubleEndedIterator for Scan {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.step(DoubleEndedIterator::next_back)
    }
}

/// sled's data file within its directory.
pub(super) const DATA_FILE: &str = "db";

/// What to do about a damaged store.
pub(super) const REPAIR_HINT: &str = "stop the daemon, keep the directory as it is, and restore the store from a backup or move it away to begin a new one";

fn store_error(what: &str, error: &sled::Error) -> StoreError {
    match error {
        sled::Error::Corruption { .. } | sled::Error::ReportableBug(_) | sled::Error::CollectionNotFound(_) => {
            StoreError::Corrupt { what: format!("{what}: {error}"), hint: REPAIR_HINT.to_owned() }
        }
        error => StoreError::Engine(format!("{what}: {error}")),
    }
}

fn fault(error: sled::Error) -> Fault {
    let text = error.to_string();
    match error {
        // The error's kind is `Other`: only its text tells.
        sled::Error::Io(_) if text.contains("could not acquire lock") => Fault::Locked,
        // A file that ends where more is expected is damage as well.
        sled::Error::Io(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => Fault::Other(error.to_string()),
        sled::Error::Unsupported(_) => Fault::Other(text),
        _ => Fault::Corrupt(text),
    }
}

fn words_of(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    words.unwrap_or("the recovery stopped without a word").to_owned()
}
