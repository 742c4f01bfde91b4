//! The store's directory: who owns it, which generation is current, what a crash may have left in it.
//!
//! ```text
//! data/LOCK          held by the process that has the store open
//! data/CURRENT       the current generation's name
//! data/ACKNOWLEDGED  the last position of the log that was acknowledged
//! data/gen-000001/   one sled directory
//! ```
//!
//! In: the configured path. Out: a [`Place`] that is ours, with the generation to open.
//! Promise: a generation that cannot be opened keeps all its files.
//! Not here: sled itself ([`super::engine`]).
//!
//! Compaction, migration and restore are one operation on this layout: build the next generation, sync it, switch
//! `CURRENT` atomically, remove the former one.

use std::fs::{self, File, TryLockError};
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::StoreError;
use super::engine::{DATA_FILE, REPAIR_HINT};

const CURRENT: &str = "CURRENT";
const LOCK: &str = "LOCK";
const FIRST: &str = "gen-000001";
const ASIDE: &str = "set-aside";
/// The file of [`Place::acknowledge`].
pub(super) const ACKNOWLEDGED: &str = "ACKNOWLEDGED";

/// A store directory that this process owns as long as the value lives.
pub(super) struct Place {
    root: PathBuf,
    /// The sled directory.
    pub(super) generation: PathBuf,
    /// Whether `CURRENT` names the generation: then it was complete once, and must hold a store.
    pub(super) published: bool,
    acknowledged: File,
    /// Held, not read.
    _lock: File,
}

/// Creates the directory where there is none, locks it and finds the current generation.
///
/// The lock is our own besides sled's: what [`sweep`] removes must not belong to a process that is opening right now.
pub(super) fn claim(root: &Path) -> Result<Place, StoreError> {
    fs::create_dir_all(root).map_err(|error| io_error("create", root, error))?;
    let lock_file = root.join(LOCK);
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock_file)
        .map_err(|error| io_error("open", &lock_file, error))?;
    take(&lock, root, &lock_file)?;
    let (name, published) = generation(root)?;
    let generation = root.join(name);
    if published {
        let data = generation.join(DATA_FILE);
        // sled would take a missing file for a new store and begin an empty one over what is left.
        if !fs::metadata(&data).is_ok_and(|file| file.len() > 0) {
            return Err(corrupt(format!("{}: the file is missing or empty", data.display())));
        }
    } else {
        fs::create_dir_all(&generation).map_err(|error| io_error("create", &generation, error))?;
    }
    let acknowledged = root.join(ACKNOWLEDGED);
    let acknowledged = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&acknowledged)
        .map_err(|error| io_error("open", &acknowledged, error))?;
    Ok(Place { root: root.to_owned(), generation, published, acknowledged, _lock: lock })
}

fn generation(root: &Path) -> Result<(String, bool), StoreError> {
    let current = root.join(CURRENT);
    match fs::read_to_string(&current) {
        Ok(text) if is_generation(text.trim()) => return Ok((text.trim().to_owned(), true)),
        Ok(text) => {
            return Err(StoreError::Corrupt {
                what: format!("{}: `{}` names no generation", current.display(), text.trim().escape_debug()),
                hint: format!("write the name of the newest gen-… directory in {} into it", root.display()),
            });
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(io_error("read", &current, error)),
    }
    // Killed before the first `CURRENT` was written: go on with the directory that is there.
    let listing = fs::read_dir(root).map_err(|error| io_error("list", root, error))?;
    let mut found = Vec::new();
    for entry in listing {
        let name = entry.map_err(|error| io_error("list", root, error))?.file_name();
        found.extend(name.to_str().filter(|name| is_generation(name)).map(str::to_owned));
    }
    match found.as_slice() {
        [] => Ok((FIRST.to_owned(), false)),
        [only] => Ok((only.clone(), false)),
        _ => Err(StoreError::Corrupt {
            what: format!("{}: there are several generations and no {CURRENT} says which one holds", root.display()),
            hint: format!("write the name of the newest into {}", current.display()),
        }),
    }
}

fn is_generation(name: &str) -> bool {
    name.strip_prefix("gen-").is_some_and(|digits| digits.len() >= 6 && digits.bytes().all(|b| b.is_ascii_digit()))
}

impl Place {
    /// Makes the generation the current one, durably and atomically: written aside, synced, renamed.
    pub(super) fn publish(&mut self) -> Result<(), StoreError> {
        let name = self.generation.file_name().and_then(|name| name.to_str()).unwrap_or(FIRST);
        let (current, aside) = (self.root.join(CURRENT), self.root.join("CURRENT.new"));
        let write = || -> io::Result<()> {
            let mut file = File::create(&aside)?;
            writeln!(file, "{name}")?;
            file.sync_all()?;
            sync_directory(&self.generation)?;
            fs::rename(&aside, &current)?;
            sync_directory(&self.root)
        };
        write().map_err(|error| io_error("write", &current, error))?;
        self.published = true;
        Ok(())
    }

    /// Notes outside of sled that everything up to `seq` is durable. sled opens a file that lost its end as if nothing
    /// had ever been there; this is what tells. Written after the sync and not synced itself: after a power cut it may
    /// name an earlier position, never a later one.
    pub(super) fn acknowledge(&self, seq: u64) -> io::Result<()> {
        let mut file = &self.acknowledged;
        file.rewind()?;
        // Always as long, so that it is overwritten whole, also on a full disk.
        file.write_all(format!("{seq:020}\n").as_bytes())
    }

    /// The last position noted; 0 where there is none.
    pub(super) fn acknowledged(&self) -> Result<u64, StoreError> {
        let mut file = &self.acknowledged;
        let failed = |error| io_error("read", &self.root.join(ACKNOWLEDGED), error);
        file.rewind().map_err(failed)?;
        let text = io::read_to_string(file).map_err(failed)?;
        // Torn by a power cut it says nothing.
        Ok(text.trim().parse().unwrap_or(0))
    }
}

/// Rule 4: removes unfinished snapshots. A process killed while it opens leaves `snap.….generating`; sled's own filter
/// looks for another ending, takes the torn file for a snapshot and refuses the store (13 of 40 kills).
pub(super) fn sweep(generation: &Path) -> Result<(), StoreError> {
    for file in snapshots(generation)? {
        if file.extension().is_some_and(|extension| extension == "generating") {
            fs::remove_file(&file).map_err(|error| io_error("remove", &file, error))?;
        }
    }
    Ok(())
}

/// Rule 5: moves the snapshots out of sled's sight, so that it replays its whole log; and copies the data file, because a
/// replay over real damage can take it for empty and write over what is left. Whether there were snapshots at all.
pub(super) fn set_aside(generation: &Path) -> Result<bool, StoreError> {
    let (aside, data) = (generation.join(ASIDE), generation.join(DATA_FILE));
    let files = snapshots(generation)?;
    if files.is_empty() {
        return Ok(false);
    }
    forget_aside(generation)?;
    fs::create_dir_all(&aside).map_err(|error| io_error("create", &aside, error))?;
    fs::copy(&data, aside.join(DATA_FILE)).map_err(|error| io_error("copy", &data, error))?;
    move_all(&files, &aside)?;
    Ok(true)
}

/// Undoes [`set_aside`]: what cannot be opened is left as it was.
pub(super) fn put_back(generation: &Path) -> Result<(), StoreError> {
    let aside = generation.join(ASIDE);
    for made in snapshots(generation)? {
        fs::remove_file(&made).map_err(|error| io_error("remove", &made, error))?;
    }
    move_all(&snapshots(&aside)?, generation)?;
    move_all(&[aside.join(DATA_FILE)], generation)?;
    fs::remove_dir(&aside).map_err(|error| io_error("remove", &aside, error))
}

/// Removes what [`set_aside`] kept, once the store is open without it.
pub(super) fn forget_aside(generation: &Path) -> Result<(), StoreError> {
    let aside = generation.join(ASIDE);
    match fs::remove_dir_all(&aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error("remove", &aside, error)),
        _ => Ok(()),
    }
}

fn move_all(files: &[PathBuf], to: &Path) -> Result<(), StoreError> {
    for file in files {
        let Some(name) = file.file_name() else { continue };
        fs::rename(file, to.join(name)).map_err(|error| io_error("move", file, error))?;
    }
    Ok(())
}

fn snapshots(directory: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let listing = fs::read_dir(directory).map_err(|error| io_error("list", directory, error))?;
    let mut found = Vec::new();
    for entry in listing {
        let entry = entry.map_err(|error| io_error("list", directory, error))?;
        if entry.file_name().to_str().is_some_and(|name| name.starts_with("snap.")) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Makes the names in a directory durable. Elsewhere than on Unix a directory cannot be opened, and need not be.
fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}

fn io_error(doing: &str, path: &Path, source: io::Error) -> StoreError {
    StoreError::Io { what: format!("{}: cannot {doing} it", path.display()), source }
}

fn corrupt(what: String) -> StoreError {
    StoreError::Corrupt { what, hint: REPAIR_HINT.to_owned() }
}

/// How long a holder that is just going is waited for: a command that ends, a daemon that lets go.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(25);

fn take(lock: &File, root: &Path, lock_file: &Path) -> Result<(), StoreError> {
    for tried in 1.. {
        match lock.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if tried < LOCK_TRIES => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::WouldBlock) => return Err(StoreError::Locked { path: root.to_owned() }),
            Err(TryLockError::Error(error)) => return Err(io_error("lock", lock_file, error)),
        }
    }
    Ok(())
}
