//! Backups: copies of the sealed files, at one position of the log.
//!
//! ```text
//! backup/BACKUP          which files belong to it, with their hashes, and the position of the log
//! backup/000012.bulk …   as the store has them
//! ```
//!
//! In: an open store, and a directory. Out: a copy in that directory that can be opened once it is restored.
//! Promise: all that was acknowledged when it began is in it, and nothing after it. Files never change, so the second backup
//! into a directory copies what is new. Every file is read again and its hash compared before the backup counts; the one
//! before stays good until then.
//! Not here: the sealing itself ([`super::engine`]).

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::engine::manifest::Manifest;
use super::engine::{self, Engine};
use super::layout::{self, io_error};
use super::reader::Store;
use super::{Progress, StoreConfig, StoreError, schema};

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
    /// Whether every file was read again and is what it should be; a backup that is not is an error instead.
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

const LIST: &str = "BACKUP";

/// The list of a backup.
#[derive(Serialize, Deserialize)]
struct Listing {
    seq: u64,
    manifest: Manifest,
    files: Vec<Copied>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Copied {
    name: String,
    bytes: u64,
    /// Hexadecimal.
    blake3: String,
}

impl Listing {
    fn read(directory: &Path) -> Result<Option<Self>, StoreError> {
        let path = directory.join(LIST);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text.map_err(|error| io_error("read", &path, error))?,
        };
        let whole = text.split_once('\n').filter(|(sum, rest)| *sum == format!("{:016x}", xxh3_64(rest.as_bytes())));
        let read = whole.map(|(_, rest)| serde_json::from_str(rest));
        match read {
            Some(Ok(listing)) => Ok(Some(listing)),
            _ => Err(StoreError::Corrupt {
                what: format!("{}: the list of the backup is damaged", path.display()),
                hint: "make another backup in an empty directory".to_owned(),
            }),
        }
    }

    fn write(&self, directory: &Path) -> Result<(), StoreError> {
        let path = directory.join(LIST);
        let aside = directory.join("BACKUP.new");
        let write = || -> io::Result<()> {
            let text = serde_json::to_string_pretty(self)? + "\n";
            let mut file = File::create(&aside)?;
            write!(file, "{:016x}\n{text}", xxh3_64(text.as_bytes()))?;
            file.sync_all()?;
            fs::rename(&aside, &path)?;
            engine::sync_directory(directory)
        };
        write().map_err(|error| io_error("write", &path, error))
    }
}

impl Store {
    /// Copies the store as it stands now into a directory: an empty one, or one that holds a backup of this store, which is
    /// brought up to date. The store is read and written meanwhile. Blocking.
    ///
    /// # Errors
    /// Where the directory holds something else or cannot be written, or a copy is not what it should be.
    pub fn backup(&self, to: &Path, progress: &mut Progress<'_>) -> Result<BackupReport, StoreError> {
        fs::create_dir_all(to).map_err(|error| io_error("create", to, error))?;
        let before = Listing::read(to)?;
        let snapshot = self.inner.engine.snapshot()?;
        match &before {
            Some(before) if before.manifest.store != snapshot.manifest.store => {
                return Err(StoreError::Query(format!("{}: there is the backup of another store", to.display())));
            }
            None if !is_empty(to)? => {
                return Err(StoreError::Query(format!("{}: it is not empty, and holds no backup", to.display())));
            }
            _ => {}
        }
        let known = before.map(|before| before.files).unwrap_or_default();
        let total_bytes: u64 = snapshot.files().map(|(_, bytes)| bytes).sum();
        let (mut files, mut copied_files, mut copied_bytes, mut done) = (Vec::new(), 0, 0, 0);
        for (name, bytes) in snapshot.files() {
            let path = to.join(name);
            let there = known.iter().find(|file| file.name == name && file.bytes == bytes);
            let file = match there.filter(|file| hash(&path).is_ok_and(|found| found == (bytes, file.blake3.clone()))) {
                Some(file) => file.clone(),
                None => {
                    let part = to.join(format!("{name}.part"));
                    let (bytes, blake3) =
                        snapshot.copy(name, &part).map_err(|error| io_error("write", &part, error))?;
                    let again = hash(&part).map_err(|error| io_error("read", &part, error))?;
                    if again != (bytes, blake3.clone()) {
                        return Err(StoreError::Engine(format!(
                            "{}: it reads otherwise than it was written",
                            part.display()
                        )));
                    }
                    fs::rename(&part, &path).map_err(|error| io_error("move", &part, error))?;
                    (copied_files, copied_bytes) = (copied_files + 1, copied_bytes + bytes);
                    Copied { name: name.to_owned(), bytes, blake3 }
                }
            };
            files.push(file);
            done += bytes;
            progress("copying files", done, total_bytes);
        }
        engine::sync_directory(to).map_err(|error| io_error("sync", to, error))?;
        let count = files.len() as u64;
        let listing = Listing { seq: snapshot.last, manifest: snapshot.manifest.clone(), files };
        listing.write(to)?;
        remove_others(to, &listing)?;
        Ok(BackupReport { seq: snapshot.last, files: count, copied_files, copied_bytes, total_bytes, verified: true })
    }

    /// Leaves out of the files all that is outdated. The store is read and written meanwhile. Blocking.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn compact(&self, progress: &mut Progress<'_>) -> Result<CompactReport, StoreError> {
        let before_bytes = self.size_on_disk()?;
        progress("compacting", 0, 0);
        self.inner.engine.compact()?;
        Ok(CompactReport { before_bytes, after_bytes: self.size_on_disk()? })
    }
}

/// Makes the store of `config`, whose directory must be empty, from a backup.
///
/// # Errors
/// Where there is no whole backup, or the directory is not empty or cannot be written.
pub fn restore(backup: &Path, config: &StoreConfig, progress: &mut Progress<'_>) -> Result<BackupReport, StoreError> {
    let path = &config.path;
    let Some(listing) = Listing::read(backup)? else {
        return Err(StoreError::Query(format!("{}: there is no backup in it", backup.display())));
    };
    if listing.manifest.schema > schema::SCHEMA {
        let found = u64::from(listing.manifest.schema);
        return Err(StoreError::NewerSchema { path: backup.to_owned(), found, supported: schema::SCHEMA });
    }
    if path.exists() && !is_empty(path)? {
        return Err(StoreError::Query(format!(
            "{}: it is not empty; move it away, or name another [store] path",
            path.display()
        )));
    }
    let place = layout::claim(path)?;
    let total_bytes: u64 = listing.files.iter().map(|file| file.bytes).sum();
    let mut done = 0;
    for Copied { name, bytes, blake3 } in &listing.files {
        let (from, to) = (backup.join(name), path.join(name));
        fs::copy(&from, &to).map_err(|error| io_error("copy", &from, error))?;
        let found = File::open(&to).and_then(|file| file.sync_all()).and_then(|()| hash(&to));
        if found.map_err(|error| io_error("read", &to, error))? != (*bytes, blake3.clone()) {
            return Err(StoreError::Corrupt {
                what: format!("{}: it is damaged", from.display()),
                hint: "restore another backup, or remove what was restored and salvage with `rasid verify --repair`"
                    .to_owned(),
            });
        }
        done += bytes;
        progress("copying files", done, total_bytes);
    }
    place.acknowledge(listing.seq).map_err(|error| io_error("write", path, error))?;
    Engine::take_over(path, listing.manifest)?;
    let files = listing.files.len() as u64;
    Ok(BackupReport {
        seq: listing.seq,
        files,
        copied_files: files,
        copied_bytes: total_bytes,
        total_bytes,
        verified: true,
    })
}

/// How many bytes a file has, and their blake3.
fn hash(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut hasher = blake3::Hasher::new();
    let (mut buffer, mut bytes) = (vec![0; 1 << 20], 0);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((bytes, hasher.finalize().to_hex().to_string())),
            n => {
                hasher.update(&buffer[..n]);
                bytes += n as u64;
            }
        }
    }
}

/// Whether there is nothing in a directory but what a command that was started leaves.
fn is_empty(directory: &Path) -> Result<bool, StoreError> {
    Ok(names(directory)?.iter().all(|name| {
        let name = name.file_name().unwrap_or_default().to_string_lossy().into_owned();
        layout::OTHERS.contains(&name.as_str()) || name.ends_with(".part")
    }))
}

fn names(directory: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let failed = |error| io_error("list", directory, error);
    let listing = fs::read_dir(directory).map_err(failed)?;
    listing.map(|entry| Ok(entry.map_err(failed)?.path())).collect()
}

/// Removes files of former backups, and what an interrupted one left.
fn remove_others(directory: &Path, listing: &Listing) -> Result<(), StoreError> {
    for path in names(directory)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let of_a_store = [".bulk", ".index", ".part"].iter().any(|ending| name.ends_with(ending));
        if of_a_store && !listing.files.iter().any(|file| file.name == name) {
            fs::remove_file(&path).map_err(|error| io_error("remove", &path, error))?;
        }
    }
    Ok(())
}
