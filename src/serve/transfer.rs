//! `/api/v1/export` and `/api/v1/import`: all that is stored, out of it and into it.
//!
//! In: a place; records that were exported. Out: pages of records; how many were stored.
//! Promise: an answer to an import means that it is on the disk. Both are there on the Unix socket and in-process alone: an
//! export shows what no reader is shown, and an import is taken at its word.
//! Not here: files and lines ([`crate::cli`]); what a record is ([`crate::store::Record`]).

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use serde::{Deserialize, Serialize};

use super::params;
use super::problem::Problem;
use super::request::{self, Params};
use super::{Control, Shared};
use crate::id::ItemId;
use crate::store::{ExportPage, ExportQuery, Import, Imported, ItemQuery, MAX_EXPORT_PAGE, MAX_GROUP, Record};

/// The largest body of an import: an item can have a long text and many revisions.
const MAX_IMPORT: usize = 128 << 20;
/// The most records of an import besides items.
const MAX_RECORDS: usize = 1_000;

/// What is to be imported.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Importing {
    /// At most [`MAX_GROUP`] items, and 1,000 records in all.
    #[serde(default)]
    pub records: Vec<Record>,
    /// Items under which others are listed, once all records are in: what is listed under one that is not stored comes into
    /// sight. At most 1,000.
    #[serde(default)]
    pub settle: Vec<ItemId>,
}

pub(super) async fn export(State(shared): State<Shared>, uri: Uri) -> Result<Json<ExportPage>, Problem> {
    let params = Params::of(&uri, params::EXPORT)?;
    let now = (shared.state.clock)();
    let complete = params.value("records", "`all` or `items`", |value| match value {
        "all" => Some(true),
        "items" => Some(false),
        _ => None,
    })?;
    let query = ExportQuery {
        items_only: !complete.unwrap_or_default(),
        // A place in an export is none in a listing.
        items: ItemQuery { after: None, ..params.items(now)? },
        limit: params.limit(MAX_EXPORT_PAGE, MAX_EXPORT_PAGE)?,
        after: params.text("cursor").map(str::to_owned),
    };
    Ok(Json(shared.blocking(move |state| state.store.export(&query)).await?))
}

pub(super) async fn import(
    State(shared): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Imported>, Problem> {
    Params::read(&uri, &[])?;
    let Importing { records, settle } = request::json_of(MAX_IMPORT, &headers, body).await?;
    let items = records.iter().filter(|record| matches!(record, Record::Item(_))).count();
    if items > MAX_GROUP || records.len() > MAX_RECORDS || settle.len() > MAX_RECORDS {
        let detail = format!("more than {MAX_GROUP} items or {MAX_RECORDS} records at once; send them in several");
        return Err(Problem::body(detail));
    }
    // Fingerprints are counted here, not by the one writer.
    let import = tokio::task::spawn_blocking(move || Import::of(records, settle)).await;
    let import = import.map_err(|error| Problem::internal(&error))?.map_err(Problem::body)?;
    match shared.ask(|answer| Control::Import { import: Box::new(import), answer }).await {
        Some(Ok(imported)) => Ok(Json(imported)),
        Some(Err(reason)) => Err(Problem::refused(reason)),
        None => Err(Problem::nobody("an import")),
    }
}
