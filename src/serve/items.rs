//! `/api/v1/items`: listings of items, newest published first, and single items.
//!
//! In: filters. Out: `{ "items": […], "next": "…" }`, where `next` is the `cursor` of the page that follows, or null
//! at the end; an item as every reader gets it; the words that an item had before they were revised.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::Uri;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Shared;
use super::params;
use super::problem::Problem;
use super::request::{Params, segment};
use crate::id::{ItemId, Seq};
use crate::item::Item;
use crate::store::{ItemQuery, Revision, Store, StoreError};

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 500;

/// One page of a listing.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Listing {
    /// Newest published first.
    pub items: Vec<Item>,
    /// The `cursor` of the page that follows.
    pub next: Option<String>,
}

pub(super) async fn list(State(shared): State<Shared>, uri: Uri) -> Result<Json<Listing>, Problem> {
    let params = Params::of(&uri, params::ITEMS)?;
    let now = (shared.state.clock)();
    let query = ItemQuery { limit: params.limit(DEFAULT_LIMIT, MAX_LIMIT)?, ..params.items(now)? };
    let page = shared.blocking(move |state| state.store.items(&query)).await?;
    Ok(Json(Listing { items: page.items, next: page.next }))
}

pub(super) async fn show(
    State(shared): State<Shared>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Json<Item>, Problem> {
    Params::read(&uri, &[])?;
    let text = segment(path)?;
    let name = Name::read(&text).ok_or_else(|| Problem::parameter("id", &text, Name::ALLOWED))?;
    match shared.blocking(move |state| name.find(&state.store)).await? {
        Some(item) => Ok(Json(item)),
        None => Err(Problem::missing(format!("there is no item `{text}`"))),
    }
}

/// The words that an item had before.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Revisions {
    /// In the order in which the item had them.
    pub revisions: Vec<RevisionView>,
}

/// The words of an item before they were replaced. Fields as in [`Revision`].
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RevisionView {
    /// Which of the item's revisions had them, from 1.
    pub revision: u32,
    /// The title then.
    pub title: String,
    /// The summary then.
    pub summary: String,
    /// The text then.
    pub text: String,
    /// When they were fetched.
    pub fetched_at: Timestamp,
    /// When they were replaced.
    pub replaced_at: Timestamp,
}

impl From<Revision> for RevisionView {
    fn from(former: Revision) -> Self {
        let Revision { revision, title, summary, text, fetched_at, replaced_at } = former;
        Self { revision, title, summary, text, fetched_at, replaced_at }
    }
}

pub(super) async fn revisions(
    State(shared): State<Shared>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Json<Revisions>, Problem> {
    Params::read(&uri, &[])?;
    let text = segment(path)?;
    let name = Name::read(&text).ok_or_else(|| Problem::parameter("id", &text, Name::ALLOWED))?;
    let former = shared.blocking(move |state| {
        let Some(item) = name.find(&state.store)? else { return Ok(None) };
        state.store.revisions(item.id).map(Some)
    });
    match former.await? {
        Some(former) => Ok(Json(Revisions { revisions: former.into_iter().map(RevisionView::from).collect() })),
        None => Err(Problem::missing(format!("there is no item `{text}`"))),
    }
}

/// What names an item: its id, or the position of any log record about it, which is short enough to type.
pub(super) enum Name {
    Id(ItemId),
    At(Seq),
}

impl Name {
    pub(super) const ALLOWED: &str = "an id of 32 hexadecimal digits, or a position in the log";

    pub(super) fn read(text: &str) -> Option<Self> {
        let id = text.parse().map(Self::Id);
        id.ok().or_else(|| params::whole(text).map(|seq| Self::At(Seq(seq))))
    }

    pub(super) fn find(&self, store: &Store) -> Result<Option<Item>, StoreError> {
        match self {
            Self::Id(id) => store.item(*id),
            Self::At(Seq(0)) => Ok(None),
            // What else the log told there is not known any more.
            Self::At(seq) if *seq < store.log_begins()? => store.added_at(*seq),
            Self::At(seq) => {
                let at = store.log(Seq(seq.0 - 1), 1)?.into_iter().find(|record| record.seq == *seq);
                Ok(at.and_then(|record| record.item))
            }
        }
    }
}
