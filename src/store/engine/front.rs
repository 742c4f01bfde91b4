//! The newest part of the store: what is written and not sealed yet, in one sled directory.
//!
//! ```text
//! front-000007/wal     each write set, before it is applied
//! front-000007/sled/   records
//! ```
//!
//! In: write sets. Out: values and entries, as they were last written; a removal is a value of its own here, since older
//! parts of the store may have what was removed.
//! Promise: a set is on the disk before anybody can read it, and is applied whole or not at all. Whatever state sled is in
//! after a crash, opening brings it up to what was written ahead, or makes it again from that; a directory that sled cannot
//! read is set aside under another name, never removed.
//! Not here: sealing ([`super::upkeep`]), what older parts hold ([`super::layers`]).
//!
//! Records are in sled. The entries that follow from them are in memory, and are made again from what was written ahead: as
//! keys of sled they would be nine tenths of its work, memory and disk (a million items: 10 million keys, at 100 to 220 bytes
//! on the disk for 25 of key and value).

mod ranges;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use sled::transaction::{ConflictableTransactionResult, TransactionError, Transactional as _, TransactionalTree};

use super::Writes;
use super::layers::{Found, Part, Range, Said, Source};
use super::sleds::{self, Fault, Opened};
use super::sorted::Salvaged;
use super::tables::Table;
use super::wal::{self, Wal};
use crate::store::StoreError;
use ranges::{Derived, InMemory, InSled, UntilError};

/// The tree that says up to which set sled has what was written ahead, and its one key.
const APPLIED_TREE: &str = "applied";
const APPLIED: &[u8] = b"set";
const GONE: u8 = 0;
const THERE: u8 = 1;
/// One front; the newest is written, the one before it may still be waiting to be sealed.
pub(super) struct Front {
    pub(super) number: u64,
    directory: PathBuf,
    /// In the order of the tables, none where a table is in memory; the last says what was applied.
    trees: Vec<Option<sled::Tree>>,
    db: Option<sled::Db>,
    derived: RwLock<Derived>,
    wal: Mutex<Wal>,
    written: AtomicU64,
    entries: AtomicU64,
    /// [`Front::broken`].
    broken: OnceLock<String>,
    doomed: AtomicBool,
}

impl std::fmt::Debug for Front {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Front").field("directory", &self.directory).finish_non_exhaustive()
    }
}

/// Where a front's sled stands.
pub(super) fn sled_path(directory: &Path) -> PathBuf {
    directory.join("sled")
}

fn names() -> Vec<&'static str> {
    let kept = Table::ALL.iter().filter(|table| !table.is_derived()).map(|table| table.name());
    kept.chain([APPLIED_TREE]).collect()
}

impl Front {
    /// A new one, empty, with its directory on the disk.
    pub(super) fn create(directory: &Path, number: u64, cache: u64) -> Result<Self, Fault> {
        let failed = |error: io::Error| Fault::Other(format!("{}: {error}", directory.display()));
        fs::create_dir_all(directory).map_err(failed)?;
        let wal = Wal::create(&wal::path(directory)).map_err(failed)?;
        let opened = sleds::open(&sled_path(directory), cache, &names())?;
        // Made before anything else may fail: closing it catches sled's panic on a disk that takes no more writes.
        let front = Self::over(directory, number, opened, wal);
        sync_directory(directory).map_err(failed)?;
        Ok(front)
    }

    fn over(directory: &Path, number: u64, opened: Opened, wal: Wal) -> Self {
        let Opened { mut trees, db } = opened;
        // As `names` has it.
        let applied = trees.pop();
        let mut kept = trees.into_iter();
        let in_order = Table::ALL.iter().map(|table| if table.is_derived() { None } else { kept.next() });
        let trees = in_order.chain([applied]).collect();
        let written = AtomicU64::new(wal.bytes());
        Self {
            number,
            directory: directory.to_owned(),
            trees,
            db: Some(db),
            derived: RwLock::default(),
            wal: Mutex::new(wal),
            written,
            entries: AtomicU64::new(0),
            broken: OnceLock::new(),
            doomed: AtomicBool::new(false),
        }
    }

    /// Opens one after whatever end it had. Rule 5: what sled cannot read, or has not as it was written, is set aside under a
    /// name of `damaged`, and made again.
    pub(super) fn open(
        directory: &Path,
        number: u64,
        cache: u64,
        damaged: &dyn Fn() -> PathBuf,
    ) -> Result<Self, Fault> {
        let failed = |error: io::Error| Fault::Other(format!("{}: {error}", directory.display()));
        let path = wal::path(directory);
        let read = match wal::Read::file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Fault::Corrupt(format!("{}: the file is missing", path.display())));
            }
            read => read.map_err(failed)?,
        };
        if let Some(at) = read.damaged_at {
            return Err(Fault::Corrupt(format!("{}: it is damaged at byte {at}", path.display())));
        }
        let sled = sled_path(directory);
        let opened = match sleds::open(&sled, cache, &names()) {
            Ok(opened) => match Wal::resume(&path, &read) {
                Ok(wal) => Ok(Self::over(directory, number, opened, wal)),
                Err(error) => {
                    close(directory, opened);
                    return Err(failed(error));
                }
            },
            Err(Fault::Corrupt(why)) => Err(why),
            Err(fault) => return Err(fault),
        };
        let front = match opened {
            Ok(front) => match front.catch_up(&read) {
                Err(StoreError::Corrupt { what, .. }) => Err(what),
                Err(error) => return Err(Fault::Other(error.to_string())),
                Ok(Some(ahead)) => {
                    let words = "it ends before what is stored: its end is lost";
                    return Err(Fault::Corrupt(format!("{}: {words} (set {ahead})", path.display())));
                }
                Ok(None) => match front.differs(&read) {
                    None => Ok(front),
                    Some(why) => Err(why),
                },
            },
            Err(why) => Err(why),
        };
        let why = match front {
            Ok(front) => return Ok(front),
            Err(why) => why,
        };
        let aside = damaged();
        tracing::warn!(
            error = why,
            aside = %aside.display(),
            "the newest records are damaged in sled: they are made again from what was written ahead"
        );
        fs::rename(&sled, &aside).map_err(failed)?;
        let opened = sleds::open(&sled, cache, &names())?;
        let wal = Wal::resume(&path, &read).map_err(failed)?;
        let front = Self::over(directory, number, opened, wal);
        front.catch_up(&read).map_err(|error| Fault::Other(error.to_string()))?;
        Ok(front)
    }

    /// Applies what sled does not have yet, and fills the memory. The set that sled has and the file does not, if any.
    fn catch_up(&self, read: &wal::Read) -> Result<Option<u64>, StoreError> {
        let applied = self.applied().map(|tree| tree.get(APPLIED)).transpose().map_err(|error| self.error(&error))?;
        let applied = applied.flatten().and_then(|value| value.first_chunk().map(|bytes| u64::from_be_bytes(*bytes)));
        let applied = applied.unwrap_or_default();
        if applied > read.last() {
            return Ok(Some(applied));
        }
        for (number, frames) in read.sets() {
            let writes: Writes = frames
                .into_iter()
                .map(|frame| ((frame.table, frame.key.to_vec()), frame.value.map(<[u8]>::to_vec)))
                .collect();
            if number > applied {
                self.apply_to_sled(&writes, number)?;
            }
            self.remember(writes);
        }
        Ok(None)
    }

    /// How what sled has differs from what was written ahead: damage that sled does not notice itself.
    fn differs(&self, read: &wal::Read) -> Option<String> {
        let mut expected = BTreeMap::new();
        for (_, frames) in read.sets() {
            let kept = frames.into_iter().filter(|frame| !frame.table.is_derived());
            expected.extend(kept.map(|frame| ((frame.table, frame.key), frame.value)));
        }
        let mut found = 0;
        for (table, tree) in Table::ALL.iter().zip(&self.trees) {
            let Some(tree) = tree else { continue };
            for entry in tree {
                let (key, value) = match entry {
                    Ok(entry) => entry,
                    Err(error) => return Some(format!("tree {}: {error}", table.name())),
                };
                if expected.get(&(*table, key.as_ref())).copied() != Some(read_value(&value)) {
                    return Some(format!("tree {}: a record is not what was written", table.name()));
                }
                found += 1;
            }
        }
        (found != expected.len()).then(|| "records are missing".to_owned())
    }

    /// Writes everything or nothing: durable, then visible.
    ///
    /// Rule 1: one transaction over all the trees, never a batch for each tree (9 kills of 20 left half-indexed batches).
    /// Rule 2: what is acknowledged is on the disk, by a sync of our own on a file of our own.
    pub(super) fn apply(&self, writes: Writes) -> Result<(), StoreError> {
        let mut wal = self.wal.lock().unwrap_or_else(PoisonError::into_inner);
        let path = wal::path(&self.directory);
        let failed = |error: io::Error| StoreError::Engine(format!("{}: {error}", path.display()));
        let number = wal.append(&writes).map_err(failed)?;
        self.written.store(wal.bytes(), Ordering::Relaxed);
        self.apply_to_sled(&writes, number)?;
        self.remember(writes);
        Ok(())
    }

    /// Rule 8: the operations go through `transaction`; `apply_batch` of thousands of keys took gigabytes.
    /// Rule 11: the closure touches nothing but its transactional trees (any other call deadlocks) and, as sled may run
    /// it again, only replays a write set that was prepared before.
    fn apply_to_sled(&self, writes: &Writes, number: u64) -> Result<(), StoreError> {
        let mut trees: Vec<&sled::Tree> = Vec::with_capacity(self.trees.len());
        let mut place = [usize::MAX; Table::ALL.len()];
        for (table, _) in writes.keys() {
            if let (Some(tree), usize::MAX) = (&self.trees[*table as usize], place[*table as usize]) {
                place[*table as usize] = trees.len();
                trees.push(tree);
            }
        }
        trees.extend(self.applied());
        let trees: Vec<sled::Tree> = trees.into_iter().cloned().collect();
        let mut staged = Vec::new();
        let replay = |trees: &Vec<TransactionalTree>| -> ConflictableTransactionResult<(), ()> {
            for ((table, key), value) in writes {
                let Some(tree) = trees.get(place[*table as usize]) else { continue };
                tree.insert(key.as_slice(), stored_value(value.as_deref()))?;
            }
            if let Some(applied) = trees.last() {
                applied.insert(APPLIED, &number.to_be_bytes())?;
            }
            Ok(())
        };
        staged.extend(trees);
        staged.as_slice().transaction(replay).map_err(|error| match error {
            TransactionError::Storage(error) => self.error(&error),
            TransactionError::Abort(()) => {
                StoreError::Engine(format!("{}: a transaction was given up", self.directory.display()))
            }
        })
    }

    fn remember(&self, writes: Writes) {
        let entries = writes.into_iter().filter(|((table, _), _)| table.is_derived());
        let mut derived = self.derived.write().unwrap_or_else(PoisonError::into_inner);
        derived.extend(entries);
        self.entries.store(derived.len() as u64, Ordering::Relaxed);
    }

    /// How much was written ahead, in bytes.
    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// How many entries are in memory.
    pub(super) fn entries(&self) -> u64 {
        self.entries.load(Ordering::Relaxed)
    }

    /// The size of its files.
    pub(super) fn size_on_disk(&self) -> u64 {
        directory_size(&self.directory)
    }

    /// All that it has of a table, in key order.
    pub(super) fn all(&self, table: Table) -> Box<dyn Iterator<Item = Said> + '_> {
        match &self.trees[table as usize] {
            Some(tree) => Box::new(UntilError::over(tree.iter()).map(move |entry| self.said(table, entry))),
            None => {
                // It is sealed: nobody writes it any more, and it is read whole.
                let derived = self.derived.read().unwrap_or_else(PoisonError::into_inner);
                let range = derived.range((table, Vec::new())..).take_while(|((of, _), _)| *of == table);
                let entries: Vec<_> = range.map(|((_, key), value)| Ok((key.clone(), value.clone()))).collect();
                Box::new(entries.into_iter())
            }
        }
    }

    /// Its directory goes when the last reader of it has gone.
    pub(super) fn doom(&self) {
        self.doomed.store(true, Ordering::Relaxed);
    }

    fn applied(&self) -> Option<&sled::Tree> {
        self.trees.last().and_then(Option::as_ref)
    }

    /// What sled said when the disk failed it first, if it ever did: it does nothing right any more.
    pub(super) fn broken(&self) -> Option<&str> {
        self.broken.get().map(String::as_str)
    }

    fn error(&self, error: &sled::Error) -> StoreError {
        self.noticed(sleds::store_error(&self.directory.display().to_string(), error))
    }

    fn tree_error(&self, table: Table, error: &sled::Error) -> StoreError {
        self.noticed(sleds::store_error(&format!("{}: tree {}", self.directory.display(), table.name()), error))
    }

    fn noticed(&self, error: StoreError) -> StoreError {
        if let StoreError::Engine(why) = &error {
            self.broken.get_or_init(|| why.clone());
        }
        error
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        close(&self.directory, (std::mem::take(&mut self.trees), self.db.take()));
        if *self.doomed.get_mut() {
            // What is left of it is swept at the next start.
            let _left_for_later = fs::remove_dir_all(&self.directory);
        }
    }
}

/// sled panics when it is closed on a disk that takes no more writes. What was acknowledged is in what was written ahead.
fn close<T>(directory: &Path, opened: T) {
    if catch_unwind(AssertUnwindSafe(move || drop(opened))).is_err() {
        tracing::warn!(directory = %directory.display(), "sled could not write all it had when it was closed");
    }
}

fn stored_value(value: Option<&[u8]>) -> Vec<u8> {
    match value {
        Some(value) => [&[THERE], value].concat(),
        None => vec![GONE],
    }
}

fn read_value(value: &[u8]) -> Option<&[u8]> {
    value.split_first().filter(|(flag, _)| **flag == THERE).map(|(_, value)| value)
}

impl Part for Front {
    fn get(&self, table: Table, key: &[u8], _hash: Option<u64>) -> Result<Found, StoreError> {
        Ok(match &self.trees[table as usize] {
            Some(tree) => match tree.get(key).map_err(|error| self.tree_error(table, &error))? {
                Some(value) => read_value(&value).map_or(Found::Gone, |value| Found::There(value.to_vec())),
                None => Found::Unknown,
            },
            None => {
                let derived = self.derived.read().unwrap_or_else(PoisonError::into_inner);
                match derived.get(&(table, key.to_vec())) {
                    Some(Some(value)) => Found::There(value.clone()),
                    Some(None) => Found::Gone,
                    None => Found::Unknown,
                }
            }
        })
    }

    fn range(self: Arc<Self>, table: Table, range: &Range) -> Option<Box<dyn Source>> {
        Some(match &self.trees[table as usize] {
            Some(tree) => {
                let iter = tree.range(range.clone());
                Box::new(InSled { iter: UntilError::over(iter), front: self, table })
            }
            // Most of what is looked for by its prefix is nowhere.
            None if super::layers::is_empty(range) || self.has_none(table, range) => return None,
            None => Box::new(InMemory::over(self, table, range.clone())),
        })
    }
}

/// Gives all that can be read of a front that does not open, in the order in which it was written. What is damaged, in words.
///
/// `scratch` is a directory that may be used: sled changes what it opens, and what is damaged is to stay as it is.
pub(super) fn salvage(
    directory: &Path,
    scratch: &Path,
    each: &mut dyn FnMut(Salvaged) -> Result<(), StoreError>,
) -> Result<Vec<String>, StoreError> {
    let path = wal::path(directory);
    let owned = |frame: super::frames::Frame<'_>| (frame.table, frame.key.to_vec(), frame.value.map(<[u8]>::to_vec));
    let mut damaged = Vec::new();
    let read = match wal::Read::file(&path) {
        Ok(read) => {
            for frame in read.salvage() {
                if !frame.table.is_derived() {
                    each(owned(frame))?;
                }
            }
            damaged.extend(read.damaged_at.map(|at| format!("{}: it is damaged at byte {at}", path.display())));
            Some(read)
        }
        Err(error) => {
            damaged.push(format!("{}: {error}", path.display()));
            None
        }
    };
    if read.as_ref().is_some_and(|read| read.damaged_at.is_none()) && !ends_early(directory, scratch, read.as_ref()) {
        return Ok(damaged);
    }
    match open_copy(directory, scratch) {
        Err(why) => damaged.push(format!("{}: {why}", sled_path(directory).display())),
        Ok(opened) => {
            let Opened { trees, db: _db } = opened;
            for (table, tree) in Table::ALL.iter().filter(|table| !table.is_derived()).zip(&trees) {
                for entry in tree {
                    match entry {
                        Ok((key, value)) => each((*table, key.to_vec(), read_value(&value).map(<[u8]>::to_vec)))?,
                        Err(error) => {
                            damaged.push(format!("{}: tree {}: {error}", directory.display(), table.name()));
                            break;
                        }
                    }
                }
            }
            let applied = trees.last().and_then(applied_in).unwrap_or_default();
            // What sled did not have yet is newer than what it has.
            for (_, frames) in read.iter().flat_map(wal::Read::sets).filter(|(number, _)| *number > applied) {
                frames
                    .into_iter()
                    .filter(|frame| !frame.table.is_derived())
                    .try_for_each(|frame| each(owned(frame)))?;
            }
        }
    }
    Ok(damaged)
}

/// Whether sled has more than what was written ahead still holds.
fn ends_early(directory: &Path, scratch: &Path, read: Option<&wal::Read>) -> bool {
    let applied = open_copy(directory, scratch).ok().and_then(|opened| opened.trees.last().and_then(applied_in));
    applied.unwrap_or_default() > read.map_or(0, wal::Read::last)
}

fn applied_in(tree: &sled::Tree) -> Option<u64> {
    tree.get(APPLIED).ok()??.first_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

fn open_copy(directory: &Path, scratch: &Path) -> Result<Opened, String> {
    let failed = |error: io::Error| error.to_string();
    match fs::remove_dir_all(scratch) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    fs::create_dir_all(scratch).map_err(failed)?;
    for entry in fs::read_dir(sled_path(directory)).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.metadata().map_err(failed)?.is_file() {
            fs::copy(entry.path(), scratch.join(entry.file_name())).map_err(failed)?;
        }
    }
    sleds::open(scratch, 1 << 20, &names()).map_err(|fault| match fault {
        Fault::Locked => "it is locked".to_owned(),
        Fault::Corrupt(why) | Fault::Other(why) => why,
    })
}

/// Makes the names in a directory durable. Elsewhere than on Unix a directory cannot be opened, and need not be.
pub(in crate::store) fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) { fs::File::open(directory)?.sync_all() } else { Ok(()) }
}

/// The size of all files below a directory, in bytes; what cannot be read counts nothing.
pub(super) fn directory_size(directory: &Path) -> u64 {
    let Ok(listing) = fs::read_dir(directory) else { return 0 };
    let sizes = listing.flatten().map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => directory_size(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
