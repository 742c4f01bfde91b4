//! `/api/v1/log`: the log from a position on, waiting for more where asked to.
//!
//! In: `after`, `limit`, `wait`, `topic`. Out: `{ "records": […], "last": seq }`. `last` is how far the log was looked
//! through: the next `after`, also where a filter left nothing, so that a reader of a rare topic never starts over.
//! Promise: a commit wakes whoever waits; nothing between `after` and `last` is left out but what the filter hides; a
//! position that this store has never given out is refused, because waiting there would miss what is stored meanwhile.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::Instant;

use super::Shared;
use super::params;
use super::problem::Problem;
use super::request::Params;
use crate::id::{Seq, TopicId};
use crate::item::LogRecord;
use crate::store::{Store, StoreError};
use crate::units::Span;

const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1_000;
const MAX_WAIT: Duration = Duration::from_secs(60);
/// How many records one reading of the store takes.
const CHUNK: usize = 256;
/// How many records one request looks through for a filter, before it says how far it came.
const MAX_SCAN: usize = 20_000;

/// A stretch of the log.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Reading {
    /// In commit order.
    pub records: Vec<LogRecord>,
    /// How far the log was looked through: the next `after`.
    pub last: Seq,
}

pub(super) async fn read(State(shared): State<Shared>, uri: Uri) -> Result<Json<Reading>, Problem> {
    let params = Params::of(&uri, params::LOG)?;
    let after = params.value("after", "a position in the log: a whole number from 0", |v| v.parse().ok())?;
    let after = Seq(after.unwrap_or(0));
    let limit = params.limit(DEFAULT_LIMIT, MAX_LIMIT)?;
    let wait = params.value("wait", "a time from 0 to 60 s, such as `30s`", wait)?.unwrap_or_default();
    let topic: Option<TopicId> = params.name("topic")?;

    let deadline = Instant::now() + wait;
    let mut durable = shared.state.store.durable();
    let mut stopping = shared.stopping.clone();
    let last = *durable.borrow_and_update();
    if after > last {
        return Err(Problem::ahead(after.0, last.0));
    }
    let mut from = after;
    loop {
        let wanted = topic.clone();
        let scan = shared.blocking(move |state| scan(&state.store, from, limit, wanted.as_ref())).await?;
        let reading = Reading { records: scan.records, last: scan.last };
        if !reading.records.is_empty() || !scan.at_end {
            return Ok(Json(reading));
        }
        from = reading.last;
        tokio::select! {
            changed = durable.changed() => if changed.is_err() { return Ok(Json(reading)) },
            () = tokio::time::sleep_until(deadline) => return Ok(Json(reading)),
            () = told(&mut stopping) => return Ok(Json(reading)),
        }
        durable.mark_unchanged();
    }
}

/// What one look through the log gave.
struct Scan {
    records: Vec<LogRecord>,
    last: Seq,
    /// Whether it came to the end of the log, rather than to a limit.
    at_end: bool,
}

fn scan(store: &Store, after: Seq, limit: usize, topic: Option<&TopicId>) -> Result<Scan, StoreError> {
    let mut scan = Scan { records: Vec::new(), last: after, at_end: false };
    let mut looked = 0;
    while looked < MAX_SCAN {
        // Without a filter every record read is one wanted.
        let most = if topic.is_some() { CHUNK } else { CHUNK.min(limit - scan.records.len()) };
        let read = store.log(scan.last, most)?;
        looked += read.len();
        let ended = read.len() < most;
        for record in read {
            scan.last = record.seq;
            if topic.is_none_or(|topic| concerns(&record, topic)) {
                scan.records.push(record);
            }
            if scan.records.len() == limit {
                return Ok(scan);
            }
        }
        if ended {
            scan.at_end = true;
            break;
        }
    }
    Ok(scan)
}

/// A removal concerns every reader: what the item was about is gone with it. That an item is not about a topic any more
/// concerns those who read that topic.
fn concerns(record: &LogRecord, topic: &TopicId) -> bool {
    if record.lost.contains(topic) {
        return true;
    }
    record.item.as_ref().is_none_or(|item| item.topics.iter().any(|found| found.id == *topic))
}

fn wait(text: &str) -> Option<Duration> {
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => text.parse::<Span>().ok()?.get(),
    };
    (wait <= MAX_WAIT).then_some(wait)
}

/// Ends when the server stops; never where it cannot be told.
pub(super) async fn told(stopping: &mut watch::Receiver<bool>) {
    if stopping.wait_for(|stopping| *stopping).await.is_err() {
        std::future::pending::<()>().await;
    }
}
