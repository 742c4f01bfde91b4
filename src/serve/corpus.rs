//! `/api/v1/corpus`: the reference documents, what is stored of them, and which of them a text is a copy of.
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
use super::params;
use super::passages::SAME;
use super::problem::Problem;
use super::request::{self, Params};
use crate::dedup::compare::Context;
use crate::dedup::corpus::{Corpora, Corpus, CorpusDocument, CorpusMatch};
use crate::dedup::passages::{Comparison, Side, compare_with_fingerprint};
use crate::dedup::reason::Reason;
use crate::dedup::{Fingerprint, Original, VerdictKind};
use crate::item::Copy;

/// All corpora.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CorpusList {
    /// By name.
    pub corpora: Vec<CorpusView>,
}

/// A corpus as readers see it.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CorpusView {
    /// Its name, as in `corpus:name/document`.
    pub name: String,
    /// Sorted by id.
    pub documents: Vec<DocumentView>,
}

/// A document of a corpus as readers see it.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DocumentView {
    /// Its name, unique within the corpus.
    pub id: String,
    /// How long its text is.
    pub words: u32,
}

/// What a text is a copy of.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CorpusFound {
    /// Most alike first.
    pub matches: Vec<DocumentMatch>,
}

/// A document that a text has something in common with. Fields as in [`CorpusMatch`].
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
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
    /// What speaks for it.
    pub reason: Option<Reason>,
    /// The same in one sentence.
    pub why: Option<String>,
    /// What the two share; `ours` is the text that was given. A corpus keeps no text, so `theirs` is `null` in it.
    pub comparison: Option<Comparison>,
}

/// Documents that are compared passage by passage: the most alike.
const MOST_COMPARED: usize = 20;

/// The matches, with the reasons for the first of them.
fn explained(corpora: &Corpora, asked: &Asked) -> Vec<DocumentMatch> {
    let fingerprint = Fingerprint::of(&asked.title, &asked.text);
    let side = Side { title: &asked.title, text: &asked.text };
    let explain = |(nth, found): (usize, CorpusMatch)| {
        let CorpusMatch { corpus, document, kind, similarity, jaccard, shared } = found;
        let known = corpora.get(&corpus).and_then(|corpus| corpus.document(&document)).filter(|_| nth < MOST_COMPARED);
        let context = Context { same_day: true, ..Context::default() };
        let reason = known.map(|known| Reason::of(&fingerprint, &known.fingerprint, context));
        // A corpus knows several readings of a document, of which the fingerprint is one.
        let why = reason.as_ref().map(|reason| match kind {
            VerdictKind::Exact => SAME.to_owned(),
            _ => reason.in_words(),
        });
        let comparison = known.map(|known| compare_with_fingerprint(side, &known.fingerprint));
        DocumentMatch { corpus, document, kind, similarity, jaccard, shared, reason, why, comparison }
    };
    corpora.matches_of(&fingerprint).into_iter().enumerate().map(explain).collect()
}

/// What was published of the documents.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CorpusMatched {
    /// The documents that have any copy, by corpus and id.
    pub matched: Vec<DocumentMatched>,
}

/// A document and its copies.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DocumentMatched {
    /// The corpus.
    pub corpus: String,
    /// The document.
    pub document: String,
    /// How many copies are stored.
    pub total: usize,
    /// The first published of them, at most `limit`.
    pub copies: Vec<MatchedItem>,
}

/// A stored copy of a document.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct MatchedItem {
    /// The copy.
    #[serde(flatten)]
    pub copy: Copy,
    /// Its title.
    pub title: String,
}

/// Copies of each document that are shown.
pub(super) const DEFAULT_COPIES: usize = 10;
pub(super) const MAX_COPIES: usize = 100;

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    #[serde(default)]
    #[schemars(length(max = request::MAX_TITLE))]
    title: String,
    #[schemars(length(min = 1, max = request::MAX_TEXT), regex(pattern = "\\S"))]
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

pub(super) async fn matched(State(shared): State<Shared>, uri: Uri) -> Result<Json<CorpusMatched>, Problem> {
    let params = Params::of(&uri, params::MATCHED)?;
    let limit = params.limit(DEFAULT_COPIES, MAX_COPIES)?;
    let corpora = Arc::clone(&shared.loaded().corpora);
    let matched = shared.blocking(move |state| {
        let mut matched = Vec::new();
        for (corpus, document) in corpora.iter().flat_map(|corpus| corpus.documents.iter().map(move |d| (corpus, d))) {
            let of = Original::Corpus { corpus: corpus.name.clone(), document: document.id.clone() };
            let copies = state.store.copies_of(&of)?;
            let total = copies.len();
            let mut shown = Vec::with_capacity(total.min(limit));
            for copy in copies.into_iter().take(limit) {
                let title = state.store.item(copy.id)?.map(|item| item.content.title).unwrap_or_default();
                shown.push(MatchedItem { copy, title });
            }
            if total > 0 {
                let (corpus, document) = (corpus.name.clone(), document.id.clone());
                matched.push(DocumentMatched { corpus, document, total, copies: shown });
            }
        }
        Ok(matched)
    });
    Ok(Json(CorpusMatched { matched: matched.await? }))
}

pub(super) async fn matches(
    State(shared): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<CorpusFound>, Problem> {
    Params::read(&uri, &[])?;
    let asked: Asked = request::json(&headers, body).await?;
    request::within("title", &asked.title, request::MAX_TITLE)?;
    request::within("text", &asked.text, request::MAX_TEXT)?;
    if asked.text.trim().is_empty() {
        return Err(Problem::body("there is nothing to compare: `text` is empty"));
    }
    let corpora = Arc::clone(&shared.loaded().corpora);
    let found = shared.blocking(move |_| Ok(explained(&corpora, &asked)));
    Ok(Json(CorpusFound { matches: found.await? }))
}
