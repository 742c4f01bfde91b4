//! rasid (راصد, "observer"): a streaming ingestion daemon for Arabic news.
//!
//! The modules stand in one line and import only to the left; `ARCHITECTURE.md` is the map.

pub mod dedup;
pub mod extract;
pub mod fetch;
pub mod id;
pub mod item;
pub mod parse;
pub mod source;
pub mod store;
pub mod telemetry;
pub mod text;
pub mod topic;
pub mod units;
