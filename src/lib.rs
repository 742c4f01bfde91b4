//! rasid (راصد, "observer"): a streaming ingestion daemon for Arabic news.
//!
//! The modules stand in one line and import only to the left; `ARCHITECTURE.md` is the map.

// In the order of the line, leftmost first.
pub mod units;

pub mod id;

mod share;

pub mod text;

pub mod source;

pub mod parse;

pub mod extract;

pub mod topic;

pub mod dedup;

pub mod story;

pub mod item;

pub mod telemetry;

pub mod fetch;

pub mod store;

pub mod search;

pub mod queue;

pub mod serve;

pub mod client;

pub mod config;

pub mod pipeline;

pub mod daemon;

pub mod cli;
