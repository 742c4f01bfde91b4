//! `/api/v1/sinks`: what the daemon carries to others by itself, and what could not be delivered.
//!
//! In: the name of a sink, positions of dead letters. Out: how the sinks are doing, their dead letters; or these are tried
//! again, or dropped. [`Sinks`] is where the loops that carry say how they are doing.
//! Promise: no address is shown whole, no secret at all. Listing and dropping need no daemon; dropped is gone from the disk.
//! Only the store's owner asks these routes: letters hold whole items, and dropping one loses it.
//! Not here: carrying ([`crate::pipeline`]), where a sink stands in the log ([`super::consumers`], under the same name).

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::Shared;
use super::consumers::ConsumerView;
use super::params;
use super::problem::Problem;
use super::request::{self, Params, segment};
use crate::id::{ConsumerName, Seq};
use crate::store::{DeadLetter, Store, StoreError};

pub(super) const DEFAULT_LIMIT: usize = 100;
pub(super) const MAX_LIMIT: usize = 1_000;
/// The most letters of one request.
const MAX_IDS: usize = 10_000;

/// How a sink is doing, as far as the running daemon knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doing {
    /// What it does.
    pub state: Carrying,
    /// Records delivered since the start.
    pub delivered: u64,
    /// Attempts that failed since the start.
    pub failed: u64,
    /// Attempts that failed in a row, until now.
    pub failures: u32,
    /// What went wrong last.
    pub last_error: Option<Fault>,
    /// When it is tried again.
    pub next_attempt: Option<Timestamp>,
    /// When something was last delivered.
    pub last_delivered: Option<Timestamp>,
    /// Dead letters that are to be tried again.
    pub replay: BTreeSet<Seq>,
}

/// What a sink does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Carrying {
    /// No daemon carries.
    #[default]
    Off,
    /// It delivers, or there is nothing to deliver.
    Running,
    /// The last attempt failed; it will be tried again.
    Failing,
    /// There are as many dead letters as may be: it tries on, and makes no more of them.
    Full,
}

/// Something that went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// When.
    pub at: Timestamp,
    /// What, in words.
    pub message: String,
}

/// One sink, for the loop that carries and for those who ask how it is doing.
#[derive(Debug)]
pub struct Sink {
    /// Its name, which is that of its consumer.
    pub name: ConsumerName,
    /// `webhook`, `nats` or `file`.
    pub kind: &'static str,
    /// Where to, without secrets.
    pub target: String,
    doing: Mutex<Doing>,
    called: Notify,
}

impl Sink {
    /// One that nobody carries for yet.
    pub fn new(name: ConsumerName, kind: &'static str, target: String) -> Self {
        Self { name, kind, target, doing: Mutex::default(), called: Notify::new() }
    }

    /// How it is doing; not to be held while waiting.
    pub fn doing(&self) -> MutexGuard<'_, Doing> {
        self.doing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when dead letters were asked for since the last time.
    pub async fn called(&self) {
        self.called.notified().await;
    }
}

/// All sinks of the configuration, in its order; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Sinks(Arc<Vec<Arc<Sink>>>);

impl Sinks {
    /// All of them.
    pub fn new(sinks: impl IntoIterator<Item = Sink>) -> Self {
        Self(Arc::new(sinks.into_iter().map(Arc::new).collect()))
    }

    /// Each, in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Sink>> {
        self.0.iter()
    }
}

/// All sinks.
#[derive(Debug, Serialize, Deserialize)]
pub struct SinkList {
    /// In the order of the configuration.
    pub sinks: Vec<SinkView>,
}

/// How a sink is doing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SinkView {
    /// Its name.
    pub name: ConsumerName,
    /// `webhook`, `nats` or `file`.
    pub kind: String,
    /// Where to, without secrets.
    pub target: String,
    /// What it does.
    pub state: Carrying,
    /// Where it stands in the log; none before it ever ran.
    pub consumer: Option<ConsumerView>,
    /// Its dead letters.
    pub dead: u64,
    /// Those of them that are being tried again.
    pub replaying: u64,
    /// Records delivered since the daemon's start.
    pub delivered: u64,
    /// Attempts that failed since the daemon's start.
    pub failed: u64,
    /// Attempts that failed in a row, until now.
    pub failures: u32,
    /// What went wrong last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<Fault>,
    /// When it is tried again, where the last attempt failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt: Option<Timestamp>,
    /// When something was last delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_delivered: Option<Timestamp>,
}

impl SinkView {
    pub(super) fn of(sink: &Sink, store: &Store, now: Timestamp) -> Result<Self, StoreError> {
        let doing = sink.doing().clone();
        let consumer = store.consumer(&sink.name)?;
        Ok(Self {
            name: sink.name.clone(),
            kind: sink.kind.to_owned(),
            target: sink.target.clone(),
            state: doing.state,
            consumer: consumer.map(|consumer| ConsumerView::of(consumer, store, now)).transpose()?,
            dead: store.dead(&sink.name)?.len() as u64,
            replaying: doing.replay.len() as u64,
            delivered: doing.delivered,
            failed: doing.failed,
            failures: doing.failures,
            last_error: doing.last_error,
            next_attempt: doing.next_attempt,
            last_delivered: doing.last_delivered,
        })
    }
}

/// Dead letters of a sink.
#[derive(Debug, Serialize, Deserialize)]
pub struct DeadList {
    /// In the order of the log.
    pub letters: Vec<DeadLetter>,
    /// The `after` of the next page; none where there are no more.
    pub next: Option<Seq>,
}

/// What was asked to be tried again.
#[derive(Debug, Serialize, Deserialize)]
pub struct Replaying {
    /// So many letters; they are gone from the list when they are delivered.
    pub replaying: u64,
}

/// What was dropped.
#[derive(Debug, Serialize, Deserialize)]
pub struct Dropped {
    /// So many letters.
    pub dropped: u64,
}

/// Which letters.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    /// None: all.
    #[serde(default)]
    ids: Option<Vec<Seq>>,
}

type Segment = Result<Path<String>, PathRejection>;

pub(super) async fn list(State(shared): State<Shared>, uri: Uri) -> Result<Json<SinkList>, Problem> {
    Params::read(&uri, &[])?;
    let (sinks, now) = (shared.loaded().sinks.clone(), (shared.state.clock)());
    let read = shared.blocking(move |state| {
        let views = sinks.iter().map(|sink| SinkView::of(sink, &state.store, now));
        Ok(SinkList { sinks: views.collect::<Result<_, _>>()? })
    });
    read.await.map(Json)
}

pub(super) async fn show(State(shared): State<Shared>, path: Segment, uri: Uri) -> Result<Json<SinkView>, Problem> {
    Params::read(&uri, &[])?;
    let (sink, now) = (find(&shared, path)?, (shared.state.clock)());
    shared.blocking(move |state| SinkView::of(&sink, &state.store, now)).await.map(Json)
}

pub(super) async fn dead(State(shared): State<Shared>, path: Segment, uri: Uri) -> Result<Json<DeadList>, Problem> {
    let params = Params::of(&uri, params::DEAD)?;
    let after = params.value("after", "a position in the log: a whole number from 0", |v| v.parse().ok())?;
    let (after, limit) = (Seq(after.unwrap_or(0)), params.limit(DEFAULT_LIMIT, MAX_LIMIT)?);
    let name = named(&shared, path).await?;
    let read = shared.blocking(move |state| {
        let all = state.store.dead(&name)?;
        let mut left = all.range(after.next()..).copied();
        let (mut letters, mut last) = (Vec::new(), after);
        for seq in left.by_ref().take(limit) {
            // None: delivered or dropped meanwhile.
            letters.extend(state.store.dead_letter(&name, seq)?);
            last = seq;
        }
        Ok(DeadList { letters, next: left.next().map(|_| last) })
    });
    read.await.map(Json)
}

pub(super) async fn replay(
    State(shared): State<Shared>,
    path: Segment,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Replaying>), Problem> {
    Params::read(&uri, &[])?;
    let ids = which(&headers, body).await?;
    let sink = find(&shared, path)?;
    if sink.doing().state == Carrying::Off {
        return Err(Problem::nobody("delivering"));
    }
    let chosen = chosen(&shared, &sink.name, ids).await?;
    let replaying = chosen.len() as u64;
    sink.doing().replay.extend(chosen);
    sink.called.notify_one();
    Ok((StatusCode::ACCEPTED, Json(Replaying { replaying })))
}

pub(super) async fn drop_letters(
    State(shared): State<Shared>,
    path: Segment,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Dropped>, Problem> {
    Params::read(&uri, &[])?;
    let ids = which(&headers, body).await?;
    let name = named(&shared, path).await?;
    let chosen = chosen(&shared, &name, ids).await?;
    let dropped = shared.blocking(move |state| {
        chosen.into_iter().try_fold(0, |dropped, seq| Ok(dropped + u64::from(state.store.unbury(&name, seq)?)))
    });
    Ok(Json(Dropped { dropped: dropped.await? }))
}

async fn which(headers: &HeaderMap, body: Body) -> Result<Option<Vec<Seq>>, Problem> {
    let Which { ids } = request::json(headers, body).await?;
    if ids.as_ref().is_some_and(|ids| ids.len() > MAX_IDS) {
        return Err(Problem::body(format!("`ids` has more than {MAX_IDS} entries; leave it out for all")));
    }
    Ok(ids)
}

/// The letters that are meant; all of `ids` are there.
async fn chosen(shared: &Shared, name: &ConsumerName, ids: Option<Vec<Seq>>) -> Result<BTreeSet<Seq>, Problem> {
    let of = name.clone();
    let all = shared.blocking(move |state| state.store.dead(&of)).await?;
    let Some(ids) = ids else { return Ok(all) };
    match ids.iter().find(|seq| !all.contains(seq)) {
        Some(seq) => Err(Problem::missing(format!("`{name}` has no dead letter {seq}"))),
        None => Ok(ids.into_iter().collect()),
    }
}

fn parsed(path: Segment) -> Result<ConsumerName, Problem> {
    let text = segment(path)?;
    text.parse()
        .map_err(|_| Problem::parameter("name", &text, "a name of at most 64 small letters, digits and hyphens"))
}

/// The sink of the configuration.
fn find(shared: &Shared, path: Segment) -> Result<Arc<Sink>, Problem> {
    let name = parsed(path)?;
    let found = shared.loaded().sinks.iter().find(|sink| sink.name == name).cloned();
    found.ok_or_else(|| Problem::missing(format!("no sink is called `{name}` in the configuration")))
}

/// A sink of the configuration, or one that was, and has left letters.
async fn named(shared: &Shared, path: Segment) -> Result<ConsumerName, Problem> {
    let name = parsed(path)?;
    if shared.loaded().sinks.iter().any(|sink| sink.name == name) {
        return Ok(name);
    }
    let of = name.clone();
    match shared.blocking(move |state| state.store.dead(&of)).await?.is_empty() {
        false => Ok(name),
        true => Err(Problem::missing(format!("no sink is called `{name}` in the configuration"))),
    }
}
