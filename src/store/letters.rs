//! Dead letters: records of the log that a sink could not deliver.
//!
//! ```text
//! data/sinks/NAME/00000000000000001042.json   one letter a file, by its position in the log
//! ```
//!
//! In: [`DeadLetter`]s. Out: the same, in the order of the log, until they are taken away.
//! Promise: a letter that was put down is on the disk, with the record as it stood then, so that retention does not take it;
//! the same letter put down twice is one. What was torn in the middle is not there at all.
//! Not here: what is delivered, and when it is given up ([`crate::pipeline`]).
//!
//! Files and no table of the engine: there are few, they are looked at by people, and nothing else is written with them.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StoreError;
use super::engine::sync_directory;
use super::layout::io_error;
use super::reader::Store;
use crate::id::{ConsumerName, Seq};
use crate::item::LogRecord;

/// The directory of the dead letters, in the store's.
pub(super) const DIRECTORY: &str = "sinks";

/// A record that was given up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Its position in the log.
    pub seq: Seq,
    /// When it was given up, last.
    pub at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// What went wrong the last time.
    pub error: String,
    /// The record as it stood when it was given up first.
    pub record: LogRecord,
}

impl Store {
    /// The positions of a sink's dead letters, in order. Blocking.
    ///
    /// # Errors
    /// Where the directory cannot be read.
    pub fn dead(&self, sink: &ConsumerName) -> Result<BTreeSet<Seq>, StoreError> {
        let directory = self.letters(sink);
        let failed = |error| io_error("list", &directory, error);
        let listing = match fs::read_dir(&directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
            listing => listing.map_err(failed)?,
        };
        let mut found = BTreeSet::new();
        for entry in listing {
            let name = entry.map_err(failed)?.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(".json")?.parse().ok());
            found.extend(number.map(Seq));
        }
        Ok(found)
    }

    /// One dead letter; none where there is none any more. Blocking.
    ///
    /// # Errors
    /// Where it cannot be read, or is damaged.
    pub fn dead_letter(&self, sink: &ConsumerName, seq: Seq) -> Result<Option<DeadLetter>, StoreError> {
        let path = self.letter(sink, seq);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            bytes => bytes.map_err(|error| io_error("read", &path, error))?,
        };
        serde_json::from_slice(&bytes).map(Some).map_err(|error| StoreError::Corrupt {
            what: format!("{}: the dead letter is damaged: {error}", path.display()),
            hint: format!("drop it with `rasid sinks drop {sink} --id {seq}`"),
        })
    }

    /// Puts a dead letter down, in place of one of the same position. Durable on return. Blocking.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn bury(&self, sink: &ConsumerName, letter: &DeadLetter) -> Result<(), StoreError> {
        let (directory, path) = (self.letters(sink), self.letter(sink, letter.seq));
        let aside = directory.join("letter.part");
        let write = || -> io::Result<()> {
            make(&self.inner.path, &directory)?;
            let mut file = File::create(&aside)?;
            file.write_all(&serde_json::to_vec(letter)?)?;
            file.sync_all()?;
            fs::rename(&aside, &path)?;
            sync_directory(&directory)
        };
        write().map_err(|error| io_error("write", &path, error))
    }

    /// Takes a dead letter away; whether it was there. Durable on return. Blocking.
    ///
    /// # Errors
    /// Where it cannot be removed.
    pub fn unbury(&self, sink: &ConsumerName, seq: Seq) -> Result<bool, StoreError> {
        let (directory, path) = (self.letters(sink), self.letter(sink, seq));
        match fs::remove_file(&path).and_then(|()| sync_directory(&directory)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(io_error("remove", &path, error)),
        }
    }

    fn letters(&self, sink: &ConsumerName) -> PathBuf {
        self.inner.path.join(DIRECTORY).join(sink.as_str())
    }

    fn letter(&self, sink: &ConsumerName, seq: Seq) -> PathBuf {
        self.letters(sink).join(format!("{:020}.json", seq.0))
    }
}

/// Makes the directory of a sink, so that it is there after a crash too.
fn make(root: &Path, directory: &Path) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(directory)?;
    sync_directory(&root.join(DIRECTORY))?;
    sync_directory(root)
}
