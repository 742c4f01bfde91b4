//! Backup, restore, repair and compaction over the files of sled, with the interface that they have for good.
//!
//! In: an open store or its files. Out: reports.
//! Promise: a copy is made while nothing is written, and every file of it is read again; a store is restored into an empty
//! directory alone.
//! Not here: what sled cannot do: leaving outdated data out of its file, and a copy of what has changed alone.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::engine::REPAIR_HINT;
use super::reader::Store;
use super::{StoreConfig, StoreError, open};

/// What long work tells of itself: what it does, how much of it is done, and how much there is (0 where that is not known).
pub type Progress<'a> = dyn FnMut(&str, u64, u64) + 'a;

/// What came of a backup, or of restoring one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupReport {
    /// The last position of the log that is in it.
    pub seq: u64,
    /// Files that belong to it.
    pub files: u64,
    /// Those of them that had to be copied.
    pub copied_files: u64,
    /// Bytes that had to be copied.
    pub copied_bytes: u64,
    /// Bytes of all files.
    pub total_bytes: u64,
    /// Whether every file was read again and is what it should be.
    pub verified: bool,
}

/// What came of compacting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompactReport {
    /// The size of the store's files before, in bytes.
    pub before_bytes: u64,
    /// And after.
    pub after_bytes: u64,
}

/// What came of a repair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairReport {
    /// Items in the store, duplicates too.
    pub items: u64,
    /// Records that were read.
    pub records: u64,
    /// What was damaged, and what is lost by it.
    pub lost: Vec<String>,
    /// Where the old files are now.
    pub set_aside: Option<PathBuf>,
}

/// In a backup: the position of the log.
const LIST: &str = "BACKUP";
/// What is no part of a store: the locks and the daemon's socket.
const OTHERS: [&str; 3] = ["LOCK", "rasid.sock", LIST];

impl Store {
    /// Copies the store as it stands now into a directory: an empty one, or one that holds a backup. Blocking.
    ///
    /// # Errors
    /// Where the directory holds something else or cannot be written.
    pub fn backup(&self, to: &Path, progress: &mut Progress<'_>) -> Result<BackupReport, StoreError> {
        fs::create_dir_all(to).map_err(|error| failed("create", to, error))?;
        if !is_empty(to)? && !to.join(LIST).is_file() {
            return Err(StoreError::Query(format!("{}: it is not empty, and holds no backup", to.display())));
        }
        let _turn = self.inner.turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        self.inner.engine.make_durable()?;
        let seq = self.inner.durable.borrow().0;
        copy(&self.inner.path, to, seq, progress)
    }

    /// Leaves out of the files what is outdated, as far as sled does. Blocking.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn compact(&self, progress: &mut Progress<'_>) -> Result<CompactReport, StoreError> {
        let before_bytes = self.size_on_disk()?;
        progress("compacting", 0, 0);
        self.inner.engine.make_durable()?;
        Ok(CompactReport { before_bytes, after_bytes: self.size_on_disk()? })
    }
}

/// Makes the store of `config`, whose directory must be empty, from a backup.
///
/// # Errors
/// Where there is no backup, or the directory is not empty or cannot be written.
pub fn restore(backup: &Path, config: &StoreConfig, progress: &mut Progress<'_>) -> Result<BackupReport, StoreError> {
    let path = &config.path;
    let list = fs::read_to_string(backup.join(LIST));
    let Some(seq) = list.ok().and_then(|text| text.trim().parse().ok()) else {
        return Err(StoreError::Query(format!("{}: there is no backup in it", backup.display())));
    };
    if path.exists() && !is_empty(path)? {
        return Err(StoreError::Query(format!(
            "{}: it is not empty; move it away, or name another [store] path",
            path.display()
        )));
    }
    fs::create_dir_all(path).map_err(|error| failed("create", path, error))?;
    let report = copy(backup, path, seq, progress)?;
    fs::remove_file(path.join(LIST)).map_err(|error| failed("remove", &path.join(LIST), error))?;
    Ok(report)
}

/// Makes a store of all that can be read of the one at `config.path`. No other process may have it open.
///
/// # Errors
/// When the directory is locked or cannot be written, or nothing can be done about the damage.
pub fn repair(config: &StoreConfig, progress: &mut Progress<'_>) -> Result<RepairReport, StoreError> {
    progress("reading", 0, 0);
    // Opening replays the log without the snapshot, where that is what is damaged.
    let (store, writer) = open(config)?;
    drop(writer);
    let lost = store.verify()?;
    if let Some(what) = lost.first().cloned() {
        return Err(StoreError::Corrupt { what, hint: REPAIR_HINT.to_owned() });
    }
    let stats = store.stats()?;
    Ok(RepairReport { items: stats.items + stats.duplicates, records: stats.last_seq, lost, set_aside: None })
}

fn copy(from: &Path, to: &Path, seq: u64, progress: &mut Progress<'_>) -> Result<BackupReport, StoreError> {
    let mut files = Vec::new();
    list(from, Path::new(""), &mut files).map_err(|error| failed("list", from, error))?;
    let total_bytes = files.iter().map(|(_, bytes)| bytes).sum();
    let mut report =
        BackupReport { seq, files: files.len() as u64, copied_files: 0, copied_bytes: 0, total_bytes, verified: true };
    let mut done = 0;
    for (name, bytes) in files {
        let (source, target) = (from.join(&name), to.join(&name));
        if hash(&target).ok() != hash(&source).ok() {
            if let Some(folder) = target.parent() {
                fs::create_dir_all(folder).map_err(|error| failed("create", folder, error))?;
            }
            fs::copy(&source, &target).map_err(|error| failed("copy", &source, error))?;
            let synced = File::open(&target).and_then(|file| file.sync_all());
            synced.map_err(|error| failed("write", &target, error))?;
            let again = hash(&target).map_err(|error| failed("read", &target, error))?;
            if hash(&source).map_err(|error| failed("read", &source, error))? != again {
                return Err(StoreError::Engine(format!(
                    "{}: it reads otherwise than it was written",
                    target.display()
                )));
            }
            (report.copied_files, report.copied_bytes) = (report.copied_files + 1, report.copied_bytes + bytes);
        }
        done += bytes;
        progress("copying files", done, total_bytes);
    }
    fs::write(to.join(LIST), format!("{seq}\n")).map_err(|error| failed("write", &to.join(LIST), error))?;
    Ok(report)
}

fn list(root: &Path, below: &Path, into: &mut Vec<(PathBuf, u64)>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        let (name, kind) = (below.join(entry.file_name()), entry.file_type()?);
        if kind.is_dir() {
            list(root, &name, into)?;
        } else if kind.is_file() && !OTHERS.iter().any(|other| name == Path::new(other)) {
            into.push((name, entry.metadata()?.len()));
        }
    }
    Ok(())
}

fn is_empty(directory: &Path) -> Result<bool, StoreError> {
    let listing = fs::read_dir(directory).map_err(|error| failed("list", directory, error))?;
    let mut names = listing.filter_map(Result::ok).map(|entry| entry.file_name());
    Ok(names.all(|name| OTHERS[..2].iter().any(|other| name == *other)))
}

fn hash(path: &Path) -> io::Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    let (mut file, mut buffer) = (File::open(path)?, vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize()),
            n => hasher.update(&buffer[..n]),
        };
    }
}

fn failed(what: &str, path: &Path, source: io::Error) -> StoreError {
    StoreError::Io { what: format!("{}: cannot {what}", path.display()), source }
}
