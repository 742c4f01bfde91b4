//! sled, and how it is opened.
//!
//! In: a directory. Out: its trees, or a [`Fault`].
//! Promise: opening never panics and never hangs on a file that another process left.
//! Not here: what is written to it ([`super::front`]), who owns the directory ([`crate::store::layout`]).
//!
//! sled 0.34.7 is used by twelve rules, each from a measurement; they stand here, in the modules around and in
//! [`crate::store::writer`] and [`crate::store::values`] as "rule n".

use std::any::Any;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::store::StoreError;

/// How often sled syncs by itself, in milliseconds.
///
/// Rule 3: this stays set. Its background thread is the only real `fsync` that sled does, and the only collection of
/// garbage while nothing is written; `None` switches both off.
const FLUSH_EVERY_MS: u64 = 500;

/// The least cache: sled asserts a minimum of its own (256 bytes), and an assertion would take the daemon down.
const MIN_CACHE: u64 = 1 << 20;

/// sled's threads hold its lock for a moment after the last handle is gone (its issues 1234 and 1289). Our own lock is
/// held by whoever opens, so no other rasid has it: whatever holds sled's is on its way out.
const LOCK_TRIES: u32 = 40;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// Why a directory did not open.
#[derive(Debug)]
pub(in crate::store) enum Fault {
    /// Another process (or another handle of this one) has it open.
    Locked,
    /// It says so, or fell over it.
    Corrupt(String),
    /// Anything else: no space, no permission.
    Other(String),
}

/// An open sled directory.
pub(super) struct Opened {
    pub(super) trees: Vec<sled::Tree>,
    pub(super) db: sled::Db,
}

/// Opens or creates the sled directory `path` with `cache` bytes of page cache (sled's memory is 3–8 times that).
///
/// Rule 4: unfinished snapshots are removed before. A process killed while it opens leaves `snap.….generating`; sled's own
/// filter looks for another ending, takes the torn file for a snapshot and refuses the store (13 of 40 kills).
///
/// Rule 5: on a thread of its own, whose panic is caught: a flipped byte can panic inside sled's recovery
/// (`serialization.rs`, `segment.rs`) instead of giving an error.
pub(super) fn open(path: &Path, cache: u64, names: &[&'static str]) -> Result<Opened, Fault> {
    sweep(path).map_err(|error| Fault::Other(format!("{}: {error}", path.display())))?;
    for _ in 0..LOCK_TRIES {
        let (path, names) = (path.to_owned(), names.to_vec());
        let opening = std::thread::Builder::new()
            .name("store-open".to_owned())
            .spawn(move || open_here(&path, cache, &names))
            .map_err(|error| Fault::Other(format!("no thread could be started: {error}")))?;
        match opening.join().unwrap_or_else(|panic| Err(Fault::Corrupt(words_of(panic.as_ref())))) {
            Err(Fault::Locked) => std::thread::sleep(LOCK_PAUSE),
            opened => return opened,
        }
    }
    Err(Fault::Locked)
}

fn open_here(path: &Path, cache: u64, names: &[&'static str]) -> Result<Opened, Fault> {
    let db = sled::Config::new()
        .path(path)
        // sled's own default is 1 GiB.
        .cache_capacity(cache.max(MIN_CACHE))
        .flush_every_ms(Some(FLUSH_EVERY_MS))
        .open()
        .map_err(fault)?;
    let trees = names.iter().map(|name| db.open_tree(name)).collect::<Result<_, _>>().map_err(fault)?;
    Ok(Opened { trees, db })
}

/// Removes what a killed opening left.
fn sweep(path: &Path) -> io::Result<()> {
    for file in snapshots(path)? {
        if file.extension().is_some_and(|extension| extension == "generating") {
            fs::remove_file(&file)?;
        }
    }
    Ok(())
}

/// sled's snapshots in a directory; none where there is no directory.
pub(in crate::store) fn snapshots(path: &Path) -> io::Result<Vec<PathBuf>> {
    let listing = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listing => listing?,
    };
    let mut found = Vec::new();
    for entry in listing {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(|name| name.starts_with("snap.")) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// sled's data file within its directory.
pub(in crate::store) const DATA_FILE: &str = "db";

pub(super) fn store_error(what: &str, error: &sled::Error) -> StoreError {
    match error {
        sled::Error::Corruption { .. } | sled::Error::ReportableBug(_) | sled::Error::CollectionNotFound(_) => {
            StoreError::Corrupt { what: format!("{what}: {error}"), hint: super::REPAIR_HINT.to_owned() }
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
        sled::Error::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => Fault::Other(error.to_string()),
        // Among them what it says of settings that it cannot read: they are damaged.
        _ => Fault::Corrupt(text),
    }
}

fn words_of(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    words.unwrap_or("the recovery stopped without a word").to_owned()
}
