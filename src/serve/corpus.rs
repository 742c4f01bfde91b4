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
use crate::dedup::VerdictKind;
use crate::dedup::corpus::{Corpus, CorpusDocument, CorpusMatch};

/// All corpora.
#[derive(Debug, Serialize, Deserialize)]
pub struct CorpusList {
    /// By name.
    pub corpora: Vec<CorpusView>,
}

/// A corpus as readers see it.
#[derive(Debug, Serialize, Deserialize)]
pub struct CorpusView {
    /// Its name, as in `corpus:name/document`.
    pub name: String,
    /// Sorted by id.
    pub documents: Vec<DocumentView>,
}

/// A document of a corpus as readers see it.
#[derive(Debug, Serialize, Deserialize)]
pub struct DocumentView {
    /// Its name, unique within the corpus.
    pub id: String,
    /// How long its text is.
    pub words: u32,
}

/// What a text is a copy of.
#[derive(Debug, Serialize, Deserialize)]
pub struct CorpusFound {
    /// Most alike first.
    pub matches: Vec<DocumentMatch>,
}

/// A document that a text has something in common with. Fields as in [`CorpusMatch`].
#[derive(Debug, Serialize, Deserialize)]
pub struct DocumentMatch {
    /// The corpus.
    pub corpus: String,
    /// The document.
    pub document: String,
    /// How the text relates to the document.
    pub kind: VerdictKind,
    /// How much of the smaller text is in the larger, 0 to 1.
    pub similarity: f32,
    /// Shingles of both to shingles of either, 0 to 1.
    pub jaccard: f32,
    /// Shingles of both.
    pub shared: u32,
}

impl From<CorpusMatch> for DocumentMatch {
    fn from(found: CorpusMatch) -> Self {
        let CorpusMatch { corpus, document, kind, similarity, jaccard, shared } = found;
        Self { corpus, document, kind, similarity, jaccard, shared }
    }
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
    let document =
        |document: &CorpusDocument| DocumentView { id: document.id.clone(), words: document.fingerprint.words };
    let corpus = |corpus: &Corpus| CorpusView {
        name: corpus.name.clone(),
        documents: corpus.documents.iter().map(document).collect(),
    };
    Ok(Json(CorpusList { corpora: shared.loaded().corpora.iter().map(corpus).collect() }))
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
    let found = shared.blocking(move |_| {
        Ok(corpora.matches(&asked.title, &asked.text).into_iter().map(DocumentMatch::from).collect())
    });
    Ok(Json(CorpusFound { matches: found.await? }))
}
