//! `/api/v1/consumers`: named readers of the log, whose offsets the store keeps.
//!
//! In: a name, a filter, a position. Out: where the consumer stands and how far it is behind; the records after its offset.
//! Promise: reading moves nothing, `ack` does, and an answer to it means that it is on the disk. `next` covers what the
//! filter hides, so that whoever acknowledges it never stands still; a consumer that is further behind than what the log
//! holds is told what it missed.
//! Not here: the rules of offsets ([`crate::store::Consuming`]), waiting ([`super::log`]).

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::log::{DEFAULT_LIMIT, MAX_LIMIT, MissedView, follow, waiting};
use super::params::{self, Kind};
use super::problem::Problem;
use super::request::{self, Params, Whole, segment};
use super::{Control, Shared};
use crate::id::{ConsumerName, Seq};
use crate::item::LogRecord;
use crate::store::{ConsumeError, Consumed, Consumer, Consuming, Lag, LogFilter, Start, Store, StoreError, Stretch};
use crate::units::LARGEST;

/// What a consumer is noted as that is made over this interface and says nothing else.
const API: &str = "api";
/// The longest note of what reads under a name, in characters.
const MAX_KIND: usize = 64;

/// All consumers.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ConsumerList {
    /// By name.
    pub consumers: Vec<ConsumerView>,
    /// The end of the log.
    pub last: Seq,
}

/// Where a consumer stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ConsumerView {
    /// Its name.
    pub name: ConsumerName,
    /// What reads under it, where that was said.
    pub kind: Option<String>,
    /// The last position that it has dealt with.
    pub offset: Seq,
    /// Records after it that are in the log, those that the filter hides among them.
    pub lag: u64,
    /// The age of the oldest of them, in seconds; 0 where there is none.
    pub lag_seconds: u64,
    /// What it reads.
    pub filter: LogFilter,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last acknowledged something.
    pub acked_at: Option<Timestamp>,
    /// How many positions it has acknowledged in all.
    pub acked: u64,
    /// What was removed from the log before it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<MissedView>,
}

impl ConsumerView {
    pub(super) fn of(consumer: Consumer, store: &Store, now: Timestamp) -> Result<Self, StoreError> {
        let Lag { records, oldest, missed } = store.lag(&consumer)?;
        let Consumer { name, offset, filter, created_at, acked_at, acked, kind } = consumer;
        // A clock that was set back makes nothing younger than now.
        let age = |at: Timestamp| u64::try_from(now.duration_since(at).as_secs()).unwrap_or(0);
        Ok(Self {
            name,
            kind,
            offset,
            lag: records,
            lag_seconds: oldest.map_or(0, age),
            filter,
            created_at,
            acked_at,
            acked,
            missed: missed.map(MissedView::from),
        })
    }
}

/// What a consumer is to deal with.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ConsumerReading {
    /// The consumer.
    pub name: ConsumerName,
    /// What it reads.
    pub filter: LogFilter,
    /// Where it stands; reading does not move it.
    pub offset: Seq,
    /// The records after it that pass the filter, in commit order.
    pub records: Vec<LogRecord>,
    /// The position to acknowledge once all of them are dealt with. It covers what the filter hides, so it may be further
    /// than the offset where there are no records.
    pub next: Seq,
    /// Records after the offset that are in the log, those that the filter hides among them.
    pub lag: u64,
    /// The age of the oldest of them, in seconds.
    pub lag_seconds: u64,
    /// What was removed from the log before it was read; acknowledging `next` leaves it behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<MissedView>,
}

/// A consumer to be made, or changed.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Put {
    /// What it reads; everything unless said.
    #[serde(default, deserialize_with = "request::object")]
    filter: Option<LogFilter>,
    /// Where a new one begins.
    #[serde(default)]
    from: Start,
    /// What reads under the name.
    #[serde(default)]
    #[schemars(length(max = MAX_KIND))]
    kind: Option<String>,
}

/// What a consumer has dealt with.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Ack {
    /// The last position.
    #[schemars(with = "u64", range(max = LARGEST))]
    seq: Whole,
}

/// Where a consumer is to go on.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reset {
    /// Where.
    #[serde(default)]
    from: Start,
}

type Segment = Result<Path<String>, PathRejection>;

pub(super) async fn list(State(shared): State<Shared>, uri: Uri) -> Result<Json<ConsumerList>, Problem> {
    Params::read(&uri, &[])?;
    let now = (shared.state.clock)();
    let read = shared.blocking(move |state| {
        let last = *state.store.durable().borrow();
        let consumers = state.store.consumers()?.into_iter();
        let consumers = consumers.map(|consumer| ConsumerView::of(consumer, &state.store, now));
        Ok(ConsumerList { consumers: consumers.collect::<Result<_, _>>()?, last })
    });
    read.await.map(Json)
}

pub(super) async fn read(
    State(shared): State<Shared>,
    path: Segment,
    uri: Uri,
) -> Result<Json<ConsumerReading>, Problem> {
    let params = Params::of(&uri, params::CONSUMER_READ)?;
    let name = name(path)?;
    let limit = params.limit(DEFAULT_LIMIT, MAX_LIMIT)?;
    let wait = waiting(&params)?;
    let of = name.clone();
    let Some(consumer) = shared.blocking(move |state| state.store.consumer(&of)).await? else {
        return Err(refused(ConsumeError::Unknown { name }));
    };
    let Stretch { records, last: next, missed, .. } =
        follow(&shared, consumer.offset, limit, wait, consumer.filter.clone()).await?;
    let now = (shared.state.clock)();
    let view = shared.blocking(move |state| ConsumerView::of(consumer, &state.store, now)).await?;
    let ConsumerView { name, filter, offset, lag, lag_seconds, .. } = view;
    let missed = missed.map(MissedView::from);
    Ok(Json(ConsumerReading { name, filter, offset, records, next, lag, lag_seconds, missed }))
}

pub(super) async fn put(
    State(shared): State<Shared>,
    path: Segment,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<ConsumerView>), Problem> {
    Params::read(&uri, &[])?;
    let name = name(path)?;
    let Put { filter, from, kind } = request::json(&headers, body).await?;
    if kind.as_ref().is_some_and(|kind| kind.chars().count() > MAX_KIND) {
        return Err(Problem::body(format!("`kind` is longer than {MAX_KIND} characters; a word will do")));
    }
    if filter.iter().flat_map(|filter| &filter.languages).any(|language| !Kind::Language.takes(language)) {
        return Err(Problem::body(
            "a language of the filter is no language tag; name one such as `ar`, or leave it out",
        ));
    }
    let of = name.clone();
    let known = shared.blocking(move |state| state.store.consumer(&of)).await?.is_some();
    let kind = kind.or_else(|| (!known).then(|| API.to_owned()));
    let (status, view) = consume(&shared, Consuming::Put { name, filter, from, kind }).await?;
    Ok((status, standing(view)?))
}

pub(super) async fn ack(
    State(shared): State<Shared>,
    path: Segment,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<ConsumerView>, Problem> {
    Params::read(&uri, &[])?;
    let name = name(path)?;
    let Ack { seq: Whole(seq) } = request::json(&headers, body).await?;
    standing(consume(&shared, Consuming::Ack { name, seq: Seq(seq) }).await?.1)
}

pub(super) async fn reset(
    State(shared): State<Shared>,
    path: Segment,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<ConsumerView>, Problem> {
    Params::read(&uri, &[])?;
    let name = name(path)?;
    let Reset { from } = request::json(&headers, body).await?;
    standing(consume(&shared, Consuming::Reset { name, from }).await?.1)
}

pub(super) async fn remove(State(shared): State<Shared>, path: Segment, uri: Uri) -> Result<StatusCode, Problem> {
    Params::read(&uri, &[])?;
    let name = name(path)?;
    consume(&shared, Consuming::Remove { name }).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn name(path: Segment) -> Result<ConsumerName, Problem> {
    let text = segment(path)?;
    text.parse()
        .map_err(|_| Problem::parameter("name", &text, "a name of at most 64 small letters, digits and hyphens"))
}

/// Has it done, and gives the consumer as it stands then; none where it was removed.
async fn consume(shared: &Shared, asked: Consuming) -> Result<(StatusCode, Option<Json<ConsumerView>>), Problem> {
    let done = shared.ask(|answer| Control::Consume { asked, answer }).await;
    let (status, consumer) = match done.ok_or_else(|| Problem::nobody("changing a consumer"))?.map_err(refused)? {
        Consumed::Created(consumer) => (StatusCode::CREATED, consumer),
        Consumed::Stands(consumer) => (StatusCode::OK, consumer),
        Consumed::Removed => return Ok((StatusCode::NO_CONTENT, None)),
    };
    let now = (shared.state.clock)();
    let view = shared.blocking(move |state| ConsumerView::of(consumer, &state.store, now)).await?;
    Ok((status, Some(Json(view))))
}

fn standing(view: Option<Json<ConsumerView>>) -> Result<Json<ConsumerView>, Problem> {
    view.ok_or_else(|| Problem::not_done("the consumer was removed meanwhile; try again"))
}

fn refused(error: ConsumeError) -> Problem {
    let detail = error.to_string();
    match error {
        ConsumeError::Unknown { .. } => Problem::missing(detail),
        ConsumeError::Ahead { last, .. } => Problem::beyond(detail, last.0),
        ConsumeError::Behind { .. } | ConsumeError::TooMany => Problem::refused(detail),
        ConsumeError::TooLong => Problem::body(detail),
        ConsumeError::Failed(_) => Problem::not_done(detail),
    }
}
