//! The seam between collecting and committing: the only place where one machine and many differ.
//!
//! In: what one poll gave ([`Collected`]). Out: the same, whole, to the one committer.
//! Promise: bounded; a sender learns through its ticket whether what it sent is on disk, and nothing is acknowledged before.
//! Not here: what is done with it ([`crate::pipeline`]).

mod memory;

use serde::{Deserialize, Serialize};

use crate::item::Collected;
use crate::source::FeedCursor;
use crate::telemetry::metrics::Queued;

pub use memory::{Receiver, Sender, memory};

/// Which queue is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QueueKind {
    /// A bounded channel in this process.
    #[default]
    Memory,
}

/// `[queue]` of `rasid.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QueueConfig {
    /// Which queue is used.
    pub kind: QueueKind,
    /// How many polls may wait to be committed, 1 to 10,000. A full queue makes the collectors wait.
    pub capacity: u32,
}

impl Default for QueueConfig {
    fn default() -> Self {
        Self { kind: QueueKind::Memory, capacity: 64 }
    }
}

/// What the committer says of one poll once it is on disk.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// The cursor as stored.
    pub cursor: FeedCursor,
    /// Items stored as new, duplicates among them.
    pub stored: u32,
    /// Items whose words changed.
    pub revised: u32,
}

/// A poll on its way, with the way back for the receipt.
#[derive(Debug)]
pub struct Delivery {
    /// What was collected.
    pub collected: Collected,
    ticket: tokio::sync::oneshot::Sender<Receipt>,
    /// For `/metrics`.
    counted: Queued,
}

impl Delivery {
    /// Says that all of it is on disk. A sender that has gone away is no failure: the cursor is stored.
    pub fn acknowledge(self, receipt: Receipt) {
        drop(self.counted);
        let _gone = self.ticket.send(receipt);
    }
}
