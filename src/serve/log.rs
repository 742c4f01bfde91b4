//! `/api/v1/log`: the log from a position on, waiting for more where asked to.
//!
//! In: `after`, `limit`, `wait`, and the filters `topic`, `feed`, `kind` and `language`, each any number of times. Out:
//! `{ "records": […], "last": seq }`. `last` is how far the log was looked through: the next `after`, also where a filter
//! left nothing, so that a reader of a rare topic never starts over.
//! Promise: a commit wakes whoever waits; nothing between `after` and `last` is left out but what the filter hides, and what
//! retention took before it was read, which `missed` tells; a position that this store has never given out is refused,
//! because waiting there would miss what is stored meanwhile.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use serde::de::IntoDeserializer;
use serde::de::value::Error as NotOne;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::Instant;

use super::Shared;
use super::params;
use super::problem::Problem;
use super::request::Params;
use crate::id::Seq;
use crate::item::{LogKind, LogRecord};
use crate::store::{LogFilter, Missed, Stretch};
use crate::units::Span;

pub(super) const DEFAULT_LIMIT: usize = 100;
pub(super) const MAX_LIMIT: usize = 1_000;
const MAX_WAIT: Duration = Duration::from_secs(60);

const KINDS: &str = "`new`, `revised`, `duplicate`, `reclassified` or `removed`";

/// A stretch of the log.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Reading {
    /// In commit order.
    pub records: Vec<LogRecord>,
    /// How far the log was looked through: the next `after`.
    pub last: Seq,
    /// What was not in the log any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<MissedView>,
}

/// Records that retention took before they were read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct MissedView {
    /// The first of them.
    pub from: Seq,
    /// The last of them.
    pub to: Seq,
    /// How many.
    pub records: u64,
    /// The same in words.
    pub detail: String,
}

impl From<Missed> for MissedView {
    fn from(missed: Missed) -> Self {
        Self { from: missed.from, to: missed.to, records: missed.records(), detail: missed.to_string() }
    }
}

pub(super) async fn read(State(shared): State<Shared>, uri: Uri) -> Result<Json<Reading>, Problem> {
    let params = Params::of(&uri, params::LOG)?;
    let after = params.value("after", "a position in the log: a whole number from 0", |v| v.parse().ok())?;
    let after = Seq(after.unwrap_or(0));
    let limit = params.limit(DEFAULT_LIMIT, MAX_LIMIT)?;
    let wait = waiting(&params)?;
    let filter = filter(&params)?;
    let last = *shared.state.store.durable().borrow();
    if after > last {
        return Err(Problem::ahead(after.0, last.0));
    }
    let Stretch { records, last, missed, at_end: _ } = follow(&shared, after, limit, wait, filter).await?;
    Ok(Json(Reading { records, last, missed: missed.map(MissedView::from) }))
}

/// Which records are asked for.
pub(super) fn filter(params: &Params) -> Result<LogFilter, Problem> {
    Ok(LogFilter {
        topics: params.names("topic")?,
        feeds: params.names("feed")?,
        kinds: params.values("kind", KINDS, kind)?,
        languages: params.values("language", "a language such as `ar`", |v| (!v.is_empty()).then(|| v.to_owned()))?,
    })
}

/// The records after a position that pass the filter; where there are none yet, waits for some.
pub(super) async fn follow(
    shared: &Shared,
    after: Seq,
    limit: usize,
    wait: Duration,
    filter: LogFilter,
) -> Result<Stretch, Problem> {
    let deadline = Instant::now() + wait;
    let mut durable = shared.state.store.durable();
    let mut stopping = shared.stopping.clone();
    let mut from = after;
    let mut missed = None;
    loop {
        let wanted = filter.clone();
        let read = shared.blocking(move |state| state.store.read_log(from, limit, &wanted)).await?;
        missed = missed.or(read.missed);
        let stretch = Stretch { missed, ..read };
        if !stretch.records.is_empty() || !stretch.at_end || missed.is_some() {
            return Ok(stretch);
        }
        from = stretch.last;
        // Not every write adds to the log: acknowledging does not.
        tokio::select! {
            grown = durable.wait_for(|last| *last > from) => if grown.is_err() { return Ok(stretch) },
            () = tokio::time::sleep_until(deadline) => return Ok(stretch),
            () = told(&mut stopping) => return Ok(stretch),
        }
    }
}

/// How long a request may be held.
pub(super) fn waiting(params: &Params) -> Result<Duration, Problem> {
    Ok(params.value("wait", "a time from 0 to 60 s, such as `30s`", wait)?.unwrap_or_default())
}

fn wait(text: &str) -> Option<Duration> {
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => text.parse::<Span>().ok()?.get(),
    };
    (wait <= MAX_WAIT).then_some(wait)
}

fn kind(text: &str) -> Option<LogKind> {
    LogKind::deserialize(IntoDeserializer::<NotOne>::into_deserializer(text)).ok()
}

/// Ends when the server stops; never where it cannot be told.
pub(super) async fn told(stopping: &mut watch::Receiver<bool>) {
    if stopping.wait_for(|stopping| *stopping).await.is_err() {
        std::future::pending::<()>().await;
    }
}
