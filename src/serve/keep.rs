//! `/api/v1/items/{id}/pin`, `/api/v1/pins` and `/api/v1/prune`: what is kept whatever its age, and what is not.
//!
//! In: an item, and why; a time. Out: the item as it stands then; a listing of what is pinned; what was removed, or would be.
//! Promise: an answer means that it is on the disk. A dry run changes nothing, and needs no daemon.
//! Not here: what expires ([`crate::store::Policies`]).

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::items::Name;
use super::problem::Problem;
use super::request::{self, Params, segment};
use super::{Control, Shared};
use crate::id::{FeedId, ItemId};
use crate::item::Item;
use crate::store::{Expired, Named, Pin};

/// All that is pinned.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Pins {
    /// The latest first.
    pub pins: Vec<PinView>,
}

/// One pinned item.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PinView {
    /// Which.
    pub item: ItemId,
    /// Since when.
    pub at: Timestamp,
    /// Why, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The item's feed.
    pub feed: FeedId,
    /// The item's title.
    pub title: String,
}

/// What retention removed, or would.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Pruned {
    /// The items.
    #[serde(flatten)]
    pub removed: Expired,
    /// How many records were taken from the beginning of the log; 0 in a dry run, which does not look there.
    pub log_records: u64,
    /// Whether nothing was removed.
    pub dry_run: bool,
    /// In a dry run the first of the items, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub named: Vec<Named>,
}

/// What is to be removed.
#[derive(Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Prune {
    /// Also what was stored before, of whose feed and topics nothing is said.
    #[schemars(schema_with = "super::params::optional_time")]
    before: Option<String>,
    /// Whether nothing is to be removed, but told.
    dry_run: bool,
}

/// Why an item is kept.
#[derive(Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Why {
    /// In words.
    #[schemars(length(max = super::dedup::MAX_WHY))]
    why: Option<String>,
}

pub(super) async fn list(State(shared): State<Shared>, uri: Uri) -> Result<Json<Pins>, Problem> {
    Params::read(&uri, &[])?;
    let read = shared.blocking(|state| {
        let mut pins = Vec::new();
        for Pin { item, at, why } in state.store.pins()? {
            if let Some(Item { feed, content, .. }) = state.store.item(item)? {
                pins.push(PinView { item, at, why, feed, title: content.title });
            }
        }
        Ok(pins)
    });
    let mut pins = read.await?;
    pins.sort_by_key(|pin| (std::cmp::Reverse(pin.at), pin.item));
    Ok(Json(Pins { pins }))
}

pub(super) async fn pin(
    State(shared): State<Shared>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Item>, Problem> {
    Params::read(&uri, &[])?;
    let Why { why } = request::json(&headers, body).await?;
    let why = super::dedup::reason(why)?;
    let item = find(&shared, path).await?;
    say(&shared, item, true, why).await
}

pub(super) async fn unpin(
    State(shared): State<Shared>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Json<Item>, Problem> {
    Params::read(&uri, &[])?;
    let item = find(&shared, path).await?;
    say(&shared, item, false, None).await
}

async fn find(shared: &Shared, path: Result<Path<String>, PathRejection>) -> Result<ItemId, Problem> {
    let text = segment(path)?;
    let name = Name::read(&text).ok_or_else(|| Problem::parameter("id", &text, Name::ALLOWED))?;
    match shared.blocking(move |state| name.find(&state.store)).await? {
        Some(item) => Ok(item.id),
        None => Err(Problem::missing(format!("there is no item `{text}`"))),
    }
}

async fn say(shared: &Shared, item: ItemId, pinned: bool, why: Option<String>) -> Result<Json<Item>, Problem> {
    match shared.ask(|answer| Control::Pin { item, pinned, why, answer }).await {
        Some(Ok(())) => match shared.blocking(move |state| state.store.item(item)).await? {
            Some(item) => Ok(Json(item)),
            None => Err(Problem::missing(format!("there is no item `{item}` any more"))),
        },
        Some(Err(reason)) => Err(Problem::refused(reason)),
        None => Err(Problem::nobody("pinning")),
    }
}

pub(super) async fn prune(
    State(shared): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Pruned>, Problem> {
    Params::read(&uri, &[])?;
    let Prune { before, dry_run } = request::json(&headers, body).await?;
    let now = (shared.state.clock)();
    let before = before.map(|text| request::since("before", &text, now)).transpose()?;
    if dry_run {
        let policies = shared.loaded().retention.clone();
        let (removed, named) = shared.blocking(move |state| state.store.expired(&policies, now, before)).await?;
        return Ok(Json(Pruned { removed, log_records: 0, dry_run, named }));
    }
    match shared.ask(|answer| Control::Prune { before, answer }).await {
        Some(Ok(pruned)) => Ok(Json(pruned)),
        Some(Err(reason)) => Err(Problem::refused(reason)),
        None => Err(Problem::nobody("removing what has expired")),
    }
}
