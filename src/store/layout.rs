//! The store's directory: who owns it, and what was acknowledged.
//!
//! ```text
//! data/LOCK          held by the process that has the store open
//! data/ACKNOWLEDGED  the last position of the log that was acknowledged
//! data/sinks         dead letters: see [`super::letters`]
//! data/MANIFEST, …   the store itself: see [`super::engine`]
//! data/CURRENT       of the first layout: the name of its one sled directory
//! ```
//!
//! In: the configured path. Out: a [`Place`] that is ours.
//! Promise: one process has it at a time; what is not ours is not touched.
//! Not here: the files of the store ([`super::engine`]), making others of them ([`super::rebuild`]).

use std::fs::{self, File, TryLockError};
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use xxhash_rust::xxh3::xxh3_64;

use super::{StoreError, engine};

const LOCK: &str = "LOCK";
/// In the first layout: the file that names the sled directory.
const CURRENT: &str = "CURRENT";
/// The file of [`Place::acknowledge`].
pub(super) const ACKNOWLEDGED: &str = "ACKNOWLEDGED";
/// What stands in a directory beside the store, or before there is one.
pub(super) const OTHERS: [&str; 5] = [LOCK, ACKNOWLEDGED, "rasid.sock", "search", super::letters::DIRECTORY];

/// A store directory that this process owns as long as the value lives.
pub(super) struct Place {
    root: PathBuf,
    acknowledged: File,
    /// Held, not read.
    _lock: File,
}

/// Creates the directory where there is none, and locks it.
///
/// The lock is our own besides sled's: what is swept at the start must not belong to a process that is opening right now.
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
    let acknowledged = root.join(ACKNOWLEDGED);
    let acknowledged = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&acknowledged)
        .map_err(|error| io_error("open", &acknowledged, error))?;
    Ok(Place { root: root.to_owned(), acknowledged, _lock: lock })
}

/// Whether the directory holds a store of the first layout.
pub(super) fn has_first_layout(root: &Path) -> Result<bool, StoreError> {
    first_layout(root).map(|generation| generation.is_some())
}

/// The sled directory of a store of the first layout.
pub(super) fn first_layout(root: &Path) -> Result<Option<PathBuf>, StoreError> {
    let current = root.join(CURRENT);
    match fs::read_to_string(&current) {
        Ok(text) if is_generation(text.trim()) => Ok(Some(root.join(text.trim()))),
        Ok(text) => Err(StoreError::Corrupt {
            what: format!("{}: `{}` names no generation", current.display(), text.trim().escape_debug()),
            hint: format!("write the name of the newest gen-… directory in {} into it", root.display()),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error("read", &current, error)),
    }
}

fn is_generation(name: &str) -> bool {
    name.strip_prefix("gen-").is_some_and(|digits| digits.len() >= 6 && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether there are files of a store in it, other than those that a first start was killed over.
pub(super) fn is_left_over(root: &Path) -> Result<bool, StoreError> {
    for entry in fs::read_dir(root).map_err(|error| io_error("list", root, error))? {
        let name = entry.map_err(|error| io_error("list", root, error))?.file_name();
        let name = name.to_string_lossy();
        let begun = engine::has_records(&root.join(&*name));
        if name.ends_with(".bulk") || name.ends_with(".index") || name.starts_with("front-") && begun {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Place {
    /// Notes that everything up to `seq` is durable. A file that lost its end looks as if nothing had ever been there; this is
    /// what tells. Written after the sync and not synced itself: after a power cut it may name an earlier position, never a
    /// later one.
    pub(super) fn acknowledge(&self, seq: u64) -> io::Result<()> {
        let mut file = &self.acknowledged;
        file.rewind()?;
        // Always as long, so that it is overwritten whole, also on a full disk.
        file.write_all(note(seq).as_bytes())
    }

    /// The last position noted; 0 where there is none.
    pub(super) fn acknowledged(&self) -> Result<u64, StoreError> {
        let mut file = &self.acknowledged;
        let failed = |error| io_error("read", &self.root.join(ACKNOWLEDGED), error);
        file.rewind().map_err(failed)?;
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut file, &mut bytes).map_err(failed)?;
        // Torn by a power cut, or damaged, it says nothing.
        let text = std::str::from_utf8(&bytes).unwrap_or_default();
        let seq = text.split(' ').next().and_then(|seq| seq.parse().ok()).unwrap_or_default();
        Ok(if text == note(seq) { seq } else { 0 })
    }
}

/// A position with a sum: one flipped digit must not make it a later one.
fn note(seq: u64) -> String {
    let digits = format!("{seq:020}");
    format!("{digits} {:016x}\n", xxh3_64(digits.as_bytes()))
}

pub(super) fn io_error(doing: &str, path: &Path, source: io::Error) -> StoreError {
    StoreError::Io { what: format!("{}: cannot {doing} it", path.display()), source }
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
