//! `/api/v1/search`: what a query finds, the best first; how far the index is, and having it made anew.
//!
//! In: `q` in the language of [docs/search.md](../../../docs/search.md), filters. Out: items as every reader gets them, each with
//! `score`, `highlights` and a `snippet`; `total`, `next`.
//! Promise: a wrong query is a problem that says where; where the index is not there yet, or not whole, that is said.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Shared;
use super::params;
use super::problem::Problem;
use super::request::Params;
use crate::id::Seq;
use crate::item::Item;
use crate::search::{Found, MAX_PAGE, Mark, Query, Request, Search, SearchError, Snippet, Sort, show};
use crate::store::ItemQuery;

pub(super) const DEFAULT_LIMIT: usize = 20;
pub(super) const Q: &str =
    "what is looked for: words, \"phrases\", -excluded, OR, title: text: author: feed: topic: lang: since: until:";

/// A page of what was found.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Results {
    /// The best first, or the newest.
    pub items: Vec<ResultView>,
    /// How many there are on all pages.
    pub total: u64,
    /// The `cursor` of the page that follows.
    pub next: Option<String>,
    /// Whether items may lack some of the words, because hardly any has them all.
    pub partial: bool,
    /// Whether the index is being made: not everything is found yet.
    pub building: bool,
}

/// An item that was found.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ResultView {
    /// As every reader gets it.
    #[serde(flatten)]
    pub item: Item,
    /// How well it fits; comparable within one search.
    pub score: f64,
    /// Where the words stand: title, summary, text.
    pub highlights: Vec<Mark>,
    /// A piece with most of the words.
    pub snippet: Option<Snippet>,
}

/// How far the index is.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct IndexView {
    /// The last record of the log that can be found.
    pub seq: Seq,
    /// The end of the log.
    pub last_seq: Seq,
    /// Items in it, copies included.
    pub items: u64,
    /// Whether it is being made from all stored items.
    pub building: bool,
}

pub(super) async fn find(State(shared): State<Shared>, uri: Uri) -> Result<Json<Results>, Problem> {
    let params = Params::of(&uri, params::SEARCH)?;
    let now = (shared.state.clock)();
    let Some(query) = params.text("q") else { return Err(Problem::parameter("q", "", Q)) };
    let sort = params.value("sort", "`relevance` or `newest`", sort)?.unwrap_or_default();
    let limit = params.limit(DEFAULT_LIMIT, MAX_PAGE)?;
    let request = request(query, ItemQuery { limit, ..params.items(now)? }, sort);
    let building = is_building(&shared)?;
    let (query, Found { hits, total, next, partly: partial }) = look(&shared, request, now).await?;
    let items = shared.blocking(move |state| {
        let mut items = Vec::with_capacity(hits.len());
        for hit in hits {
            // None: removed since it was indexed.
            if let Some(item) = state.store.item(hit.id)? {
                let shown = show(&query, &item.content);
                let (highlights, snippet) = (shown.highlights, shown.snippet);
                items.push(ResultView { item, score: hit.score, highlights, snippet });
            }
        }
        Ok(items)
    });
    Ok(Json(Results { items: items.await?, total, next, partial, building }))
}

/// To find a query among those items.
pub(super) fn request(query: &str, among: ItemQuery, sort: Sort) -> Request {
    let ItemQuery { topic, feed, language, since, until, duplicates, limit, after } = among;
    Request { query: query.to_owned(), topic, feed, language, since, until, duplicates, sort, limit, after }
}

/// Whether what is found may not be all: the index is being made.
pub(super) fn is_building(shared: &Shared) -> Result<bool, Problem> {
    Ok(searchable(shared)?.progress().is_some_and(|progress| progress.building))
}

/// What a request finds, and its query.
pub(super) async fn look(shared: &Shared, request: Request, now: Timestamp) -> Result<(Query, Found), Problem> {
    let search = searchable(shared)?;
    let looked = search.clone();
    let text = request.query.clone();
    let work = move || {
        let found = looked.find(&request, now)?;
        let query = Query::parse(&request.query, now).map_err(SearchError::Query)?;
        Ok((query, found))
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) => {
            if matches!(error, SearchError::Index(_)) {
                search.suspect();
            }
            Err(problem(&text, error))
        }
        Err(panic) => {
            // Only an index that is not what it was written as brings a search to that.
            search.suspect();
            Err(Problem::internal(&panic))
        }
    }
}

pub(super) async fn index(State(shared): State<Shared>, uri: Uri) -> Result<Json<IndexView>, Problem> {
    Params::read(&uri, &[])?;
    view(&shared).map(Json)
}

pub(super) async fn rebuild(State(shared): State<Shared>, uri: Uri) -> Result<(StatusCode, Json<IndexView>), Problem> {
    Params::read(&uri, &[])?;
    if shared.state.started.is_none() {
        return Err(Problem::nobody("making the search index anew"));
    }
    searchable(&shared)?.rebuild();
    Ok((StatusCode::ACCEPTED, Json(view(&shared)?)))
}

fn view(shared: &Shared) -> Result<IndexView, Problem> {
    let search = searchable(shared)?;
    let last_seq = *shared.state.store.durable().borrow();
    let progress = search.progress().ok_or_else(|| Problem::not_ready(SearchError::NotReady.to_string()))?;
    let building = progress.building || search.is_awaited();
    Ok(IndexView { seq: progress.seq, last_seq, items: progress.items, building })
}

fn searchable(shared: &Shared) -> Result<Search, Problem> {
    shared.state.search.clone().ok_or_else(|| {
        Problem::not_ready("search is switched off; set `enabled = true` below [search] in rasid.toml and start again")
    })
}

fn problem(query: &str, error: SearchError) -> Problem {
    match error {
        SearchError::Query(fault) => Problem::query(query, &fault.to_string(), fault.at),
        SearchError::Cursor(detail) => Problem::parameters("cursor", detail),
        SearchError::NotReady => Problem::not_ready(error.to_string()),
        SearchError::Index(_) => Problem::internal(&error),
    }
}

fn sort(text: &str) -> Option<Sort> {
    match text {
        "relevance" => Some(Sort::Relevance),
        "newest" => Some(Sort::Newest),
        _ => None,
    }
}
