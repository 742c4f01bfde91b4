//! `/api/v1/corpus`: the reference documents, and which of them a text is a copy of.
//!
//! Promise: a match runs what the daemon runs on every article; nothing is stored. No text of a document leaves: a
//! corpus holds fingerprints only.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use serde::{Deserialize, Serialize};

use super::Shared;
use super::problem::Problem;
use super::request::{self, Params};
use crate::dedup::corpus::CorpusMatch;

/// All corpora.
#[derive(Debug, Serialize, Deserialize)]
pub struct CorpusList {
    /// In the order of the configuration.
    pub corpora: Vec<CorpusView>,
}

/// A corpus as readers see it.
#[derive(Debug, Serialize, Deserialize)]
pub struct CorpusView {
    /// Its name.
    pub id: String,
}

/// What a text is a copy of.
#[derive(Debug, Serialize, Deserialize)]
pub struct CorpusFound {
    /// Most alike first.
    pub matches: Vec<CorpusMatch>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    title: String,
    text: String,
}

pub(super) async fn list(State(shared): State<Shared>, uri: Uri) -> Result<Json<CorpusList>, Problem> {
    Params::read(&uri, &[])?;
    let corpora = shared.loaded().corpora.names().map(|id| CorpusView { id: id.to_owned() }).collect();
    Ok(Json(CorpusList { corpora }))
}

pub(super) async fn matches(
    State(shared): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<CorpusFound>, Problem> {
    Params::read(&uri, &[])?;
    let asked: Asked = request::json(&headers, body).await?;
    if asked.text.trim().is_empty() {
        return Err(Problem::body("there is nothing to compare: `text` is empty"));
    }
    let corpora = Arc::clone(&shared.loaded().corpora);
    let found = shared.blocking(move |_| Ok(corpora.matches(&asked.title, &asked.text)));
    Ok(Json(CorpusFound { matches: found.await? }))
}
