//! A new store of what an old one holds: of a damaged one, or of one of an older layout.
//!
//! In: a directory that [`super::open`] refuses or finds old. Out: a store of this layout in its place, and what of it was lost.
//! Promise: the old files stay, whole, under another name in the same directory; they are moved when the new ones are complete,
//! and a crash in between is gone on from at the next start. Every record that can be read is in the new store; what follows
//! from records (indexes, counts, fingerprints) is made again; the log has no gap; what is lost is named.
//! Not here: reading what is damaged ([`super::engine::salvage`]), putting right what remains ([`super::mend`]).

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::engine::{self, Engine, REPAIR_HINT, Table, Writes, salvage};
use super::layout::{self, io_error};
use super::mend::Mending;
use super::{Progress, StoreConfig, StoreError, packing, read_manifest, schema};

/// What came of a repair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairReport {
    /// Items in the new store, duplicates too.
    pub items: u64,
    /// Records that were read, older states of the same ones too.
    pub records: u64,
    /// What was damaged, and what is lost by it, in words that name items by their ids.
    pub lost: Vec<String>,
    /// Where the old files are now.
    pub set_aside: Option<PathBuf>,
}

/// Where the new store is made.
const NEW: &str = "repaired.new";
/// In it: it is complete. Holds the name that the old files get.
const COMPLETE: &str = "COMPLETE";
/// In it: the old files are moved.
const MOVED: &str = "MOVED";
/// What the old files of the first layout are moved to: the backup before the migration.
const FIRST_LAYOUT: &str = "before-schema-2";
/// So many records and bytes are written at once: sled's memory grows with a transaction.
const AT_ONCE: usize = 1_000;
const BYTES_AT_ONCE: usize = 2 << 20;

/// Makes a store of all that can be read of the one at `config.path`. No other process may have it open.
///
/// # Errors
/// When the directory is locked, holds no store, or cannot be written. The old files are where they were then.
pub fn repair(config: &StoreConfig, progress: &mut Progress<'_>) -> Result<RepairReport, StoreError> {
    let path = &config.path;
    let _place = layout::claim(path)?;
    finish_interrupted(path)?;
    if let Ok(Some(_)) | Err(StoreError::NewerSchema { .. }) = read_manifest(path) {
        read_manifest(path)?;
    } else if layout::has_first_layout(path)? {
        return rebuild(config, FIRST_LAYOUT, progress);
    } else if !layout::is_left_over(path)? && read_manifest(path).is_ok() {
        return Err(StoreError::Query(format!("{}: there is no store to repair", path.display())));
    }
    rebuild(config, "damaged", progress)
}

/// Makes a store of this layout of one of the first. The caller has the directory.
pub(super) fn migrate(config: &StoreConfig, progress: &mut Progress<'_>) -> Result<(), StoreError> {
    let path = &config.path;
    tracing::info!(path = %path.display(), "the store has the first layout: it is made one of the second");
    let report = rebuild(config, FIRST_LAYOUT, progress)?;
    for lost in &report.lost {
        tracing::warn!("{lost}");
    }
    let aside = report.set_aside.unwrap_or_default();
    tracing::info!(
        items = report.items,
        backup = %aside.display(),
        "the store has the second layout now; the old files are kept as a backup: remove them when all is well"
    );
    Ok(())
}

fn rebuild(config: &StoreConfig, aside: &str, progress: &mut Progress<'_>) -> Result<RepairReport, StoreError> {
    let path = &config.path;
    let new = path.join(NEW);
    match fs::remove_dir_all(&new) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io_error("remove", &new, error)),
        _ => {}
    }
    fs::create_dir_all(&new).map_err(|error| io_error("create", &new, error))?;
    Engine::create(&new, schema::SCHEMA, format!("{:016x}", fastrand::u64(..)))?;
    let manifest = read_manifest(&new)?.ok_or_else(|| unusable(&new))?;
    let engine = Engine::open(config, &new, manifest)?;
    let (mut lost, records) = copy(path, &new, &engine, progress)?;
    let mut mending = Mending::over(&engine);
    let items = mending.mend(progress)?;
    let last = mending.last();
    lost.extend(mending.lost);
    drop(engine);
    let aside = engine::free_name(path, aside);
    let noted = layout::claim(&new)?;
    noted.acknowledge(last).map_err(|error| io_error("write", &new.join(layout::ACKNOWLEDGED), error))?;
    drop(noted);
    let name = aside.file_name().unwrap_or_default().to_string_lossy().into_owned();
    mark(&new.join(COMPLETE), &name)?;
    finish_interrupted(path)?;
    Ok(RepairReport { items, records, lost, set_aside: Some(aside) })
}

fn unusable(path: &Path) -> StoreError {
    StoreError::Corrupt { what: format!("{}: it cannot be used", path.display()), hint: REPAIR_HINT.to_owned() }
}

/// Writes every record that can be read into the new store, the older ones first. What is damaged, and how many there were.
fn copy(
    path: &Path,
    new: &Path,
    engine: &Engine,
    progress: &mut Progress<'_>,
) -> Result<(Vec<String>, u64), StoreError> {
    let mut writes = Writes::new();
    let (mut bytes, mut records) = (0, 0);
    let mut each = |(table, key, value): (Table, Vec<u8>, Option<Vec<u8>>)| -> Result<(), StoreError> {
        let value = value.map(|value| closed(table, value)).transpose()?;
        bytes += key.len() + value.as_ref().map_or(0, Vec::len);
        records += 1;
        writes.insert((table, key), value);
        if writes.len() >= AT_ONCE || bytes >= BYTES_AT_ONCE {
            engine.apply(std::mem::take(&mut writes))?;
            bytes = 0;
            progress("reading records", records, 0);
        }
        Ok(())
    };
    let scratch = new.join("scratch");
    let damaged = match layout::first_layout(path)? {
        Some(generation) if read_manifest(path).is_ok_and(|manifest| manifest.is_none()) => {
            salvage::first_layout(&generation, &mut each)?
        }
        _ => salvage::records(path, &scratch, &mut each)?,
    };
    engine.apply(writes)?;
    match fs::remove_dir_all(&scratch) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io_error("remove", &scratch, error)),
        _ => Ok((damaged, records)),
    }
}

/// A value as it is written to a front: packed.
fn closed(table: Table, value: Vec<u8>) -> Result<Vec<u8>, StoreError> {
    let record = value.strip_prefix(&[0, 0][..]).filter(|_| matches!(table, Table::Items | Table::Revisions));
    match record.and_then(packing::close) {
        Some(packed) => {
            let packed =
                packed.map_err(|error| StoreError::Engine(format!("a record cannot be compressed: {error}")))?;
            Ok([&[0, 0][..], &packed].concat())
        }
        None => Ok(value),
    }
}

/// Moves the old files away and the new ones in their place, where that was begun or is due. What is not complete is removed.
pub(super) fn finish_interrupted(path: &Path) -> Result<(), StoreError> {
    let new = path.join(NEW);
    let aside = match fs::read_to_string(new.join(COMPLETE)) {
        Ok(name) => path.join(name.trim()),
        Err(_) if !new.exists() => return Ok(()),
        Err(_) => return fs::remove_dir_all(&new).map_err(|error| io_error("remove", &new, error)),
    };
    if !new.join(MOVED).exists() {
        fs::create_dir_all(&aside).map_err(|error| io_error("create", &aside, error))?;
        for name in names(path)? {
            if !is_ours(&name) {
                continue;
            }
            let from = path.join(&name);
            fs::rename(&from, aside.join(&name)).map_err(|error| io_error("move", &from, error))?;
        }
        mark(&new.join(MOVED), "")?;
    }
    let mut left = names(&new)?;
    // The list comes last: with it the new files are the store.
    left.sort_by_key(|name| name == "MANIFEST");
    for name in left.iter().filter(|name| ![COMPLETE, MOVED, "LOCK"].contains(&name.as_str())) {
        let from = new.join(name);
        let to = path.join(name);
        if name == layout::ACKNOWLEDGED {
            // It is open by whoever has the store: written over, not replaced.
            fs::copy(&from, &to).map_err(|error| io_error("write", &to, error))?;
            continue;
        }
        fs::rename(&from, &to).map_err(|error| io_error("move", &from, error))?;
    }
    engine::sync_directory(path).map_err(|error| io_error("sync", path, error))?;
    fs::remove_dir_all(&new).map_err(|error| io_error("remove", &new, error))
}

/// Whether a name in the directory is one of the store's files.
fn is_ours(name: &str) -> bool {
    name == "MANIFEST"
        || name == "MANIFEST.new"
        || name == "CURRENT"
        || name.starts_with("front-")
        || name.starts_with("gen-")
        || [".bulk", ".index", ".part"].iter().any(|ending| name.ends_with(ending))
}

fn names(path: &Path) -> Result<Vec<String>, StoreError> {
    let failed = |error| io_error("list", path, error);
    let listing = fs::read_dir(path).map_err(failed)?;
    listing.map(|entry| Ok(entry.map_err(failed)?.file_name().to_string_lossy().into_owned())).collect()
}

fn mark(path: &Path, text: &str) -> Result<(), StoreError> {
    let write = || -> std::io::Result<()> {
        let mut file = fs::File::create(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        path.parent().map_or(Ok(()), engine::sync_directory)
    };
    write().map_err(|error| io_error("write", path, error))
}
