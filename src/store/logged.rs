//! What is stored of the log's records, byte for byte.
//!
//! In: [`Logged`]. Out: versioned records, and back.
//! Promise: as in [`super::schema`]: the structs are the store's own and never change once released.
//!
//! The second version says which topics an item lost. It is written only where there are any.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StoreError;
use super::schema::{damaged, log_code, log_of, plain, plain_2, time_of, unplain_2};
use crate::id::{ItemId, TopicId};
use crate::item::LogKind;

/// One log record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Logged {
    pub(super) kind: LogKind,
    pub(super) at: Timestamp,
    /// The item's number.
    pub(super) no: u64,
    pub(super) id: ItemId,
    /// The item's revision after it.
    pub(super) revision: u32,
    /// The topics that the item lost by it.
    pub(super) lost: Vec<TopicId>,
}

#[derive(Serialize, Deserialize)]
struct LogV1 {
    kind: u8,
    at: i128,
    no: u64,
    id: [u8; 16],
    revision: u32,
}

#[derive(Serialize, Deserialize)]
struct LogV2 {
    record: LogV1,
    lost: Vec<String>,
}

impl From<LogV1> for LogV2 {
    fn from(record: LogV1) -> Self {
        Self { record, lost: Vec::new() }
    }
}

pub(super) fn encode_log(record: &Logged) -> Result<Vec<u8>, StoreError> {
    let Logged { kind, at, no, id, revision, lost } = record;
    let record = LogV1 { kind: log_code(*kind), at: at.as_nanosecond(), no: *no, id: id.0, revision: *revision };
    let what = || format!("the log record of item {no}");
    if lost.is_empty() {
        return plain(&record, what);
    }
    let record = LogV2 { record, lost: lost.iter().map(ToString::to_string).collect() };
    plain_2(&record, what)
}

pub(super) fn decode_log(seq: u64, bytes: &[u8]) -> Result<Logged, StoreError> {
    let what = || format!("log record {seq}");
    let LogV2 { record, lost } = unplain_2::<LogV1, LogV2>(bytes, what)?;
    let LogV1 { kind, at, no, id, revision } = record;
    let parts = || {
        let lost = lost.iter().map(|topic| topic.parse()).collect::<Result<_, _>>()?;
        Ok((log_of(kind)?, time_of(at)?, lost))
    };
    let (kind, at, lost) = parts().map_err(|error: String| damaged(what(), &error))?;
    Ok(Logged { kind, at, no, id: ItemId(id), revision, lost })
}
