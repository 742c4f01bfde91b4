//! The flow: schedule → collect → queue → commit; and from the log on to sinks.
//!
//! In: configured feeds and the store. Out: stored items.
//! Promise: a feed's cursor moves in the same transaction as the items it accounts for; a stop cancels waiting, never working.
//! Not here: reading ([`crate::serve`]), signals and start-up ([`crate::daemon`]).

pub mod collect;
pub mod commit;
pub mod discover;
pub mod indexing;
pub mod learn;
pub mod schedule;
pub mod sinks;
mod stop;

pub use stop::Stop;

use jiff::Timestamp;

use crate::source::{FeedConfig, FeedCursor};

/// One poll to be made: everything a collector needs to know, so that any collector can make it.
#[derive(Clone, Debug)]
pub struct Job {
    /// What is polled.
    pub feed: FeedConfig,
    /// Where it was left.
    pub cursor: FeedCursor,
}

/// The time, where the pure modules get their `now` from.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
pub fn now() -> Timestamp {
    Timestamp::now()
}
