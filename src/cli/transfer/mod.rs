//! `rasid export` and `rasid import`: what is stored, out into files and in again.
//!
//! Promise: the files belong to no format of the store; what is exported while a daemon runs neither misses nor doubles what
//! was there when it began; what is imported twice is there once.
//! Not here: what the records are ([`crate::store::Record`]).

pub(super) mod export;
mod files;
pub(super) mod import;
#[cfg(feature = "parquet")]
mod parquet_file;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The name of the format, in the header of every complete export.
const FORMAT: &str = "rasid-export";
/// Goes up when a file could not be read by a program that reads the version before.
const VERSION: u32 = 2;

/// The first line of a complete export.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    format: String,
    version: u32,
    /// The version of the program that wrote it.
    program: String,
    at: Timestamp,
    /// The last position of the log when it began.
    seq: u64,
}

/// How many records a complete export has, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Counted {
    items: u64,
    cursors: u64,
    judgements: u64,
    corrections: u64,
    /// None in a file of the first version.
    #[serde(default)]
    pins: u64,
    /// As `pins`.
    #[serde(default)]
    consumers: u64,
}

/// The last line of a complete export.
#[derive(Debug, Serialize, Deserialize)]
struct Trailer {
    #[serde(flatten)]
    counted: Counted,
    /// Of all lines before this one, with their line feeds.
    blake3: String,
}
