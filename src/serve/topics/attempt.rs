//! `POST /api/v1/topics/try`: what a query would find among stored items, before it becomes a topic.
//!
//! In: a query in the language of `topics.toml`, how far back, how many. Out: the newest items that it finds, with the
//! evidence and the words around the first of it; how many were looked at, and how far back that went. A query that is
//! wrong is answered with its faults: while it is being written it mostly is.
//! Promise: it finds what a topic of that query would; the shared sets of `topics.toml` are at hand. It takes a bounded
//! time, and stops when nobody waits for the answer any more. Nothing is stored.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::Shared;
use super::super::problem::Problem;
use super::super::request::{self, Params, Whole};
use crate::id::{FeedId, ItemId, Seq};
use crate::item::Item;
use crate::store::{ItemQuery, Store, StoreError};
use crate::topic::{self, Evidence, Field, Topics};

const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 100;
/// The longest query, in characters.
const MAX_QUERY: usize = 4_000;
/// How long stored items are looked at.
const BUDGET: Duration = Duration::from_millis(1_500);
/// Items that are read at once: between two readings is looked at the time.
const PAGE: usize = 50;
/// Characters before and after the first place that are shown.
const AROUND: usize = 90;

/// What a query found, or what is wrong with it.
#[derive(Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Tried {
    /// What is wrong with the query; then nothing was looked at.
    pub faults: Vec<QueryFault>,
    /// The newest published first, at most `limit`.
    pub matches: Vec<TriedItem>,
    /// How many it found among those looked at.
    pub matched: u64,
    /// How many items were looked at; copies are left out.
    pub looked: u64,
    /// Whether that was all since `since`; else the time was up.
    pub complete: bool,
    /// When the last item looked at was published.
    pub back_to: Option<Timestamp>,
}

/// Something wrong in a query.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct QueryFault {
    /// Its first character, in Unicode scalar values of the query.
    pub start: usize,
    /// One past its last.
    pub end: usize,
    /// What is wrong and what to do.
    pub message: String,
}

/// An item that a query finds. Fields as in [`Item`].
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TriedItem {
    /// Its id.
    pub id: ItemId,
    /// The position of the last log record about it.
    pub seq: Seq,
    /// Its feed.
    pub feed: FeedId,
    /// Plain text.
    pub title: String,
    /// When it was published.
    pub published_at: Timestamp,
    /// What the evidence adds up to.
    pub score: f32,
    /// The places.
    pub evidence: Vec<Evidence>,
    /// The words around the first place that is not in the title.
    pub excerpt: Option<Excerpt>,
}

/// A cutting of a field.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Excerpt {
    /// `summary` or `text`.
    pub field: Field,
    /// Where it begins, in Unicode scalar values of the field.
    pub start: u32,
    /// What stands there.
    pub text: String,
    /// Whether the field ends with it.
    pub last: bool,
}

/// A query to be tried.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::serve) struct AskedToTry {
    /// In the language of `topics.toml`.
    #[schemars(length(max = MAX_QUERY))]
    query: String,
    /// Only items published since.
    #[serde(default)]
    #[schemars(schema_with = "crate::serve::params::optional_time")]
    since: Option<String>,
    /// How many items are shown at most.
    #[serde(default)]
    #[schemars(with = "Option<u64>", range(min = 1, max = MAX_LIMIT))]
    limit: Option<Whole>,
}

/// Tells the search that whoever asked has gone, by being dropped with the request.
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

pub(in crate::serve) async fn attempt(
    State(shared): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Tried>, Problem> {
    Params::read(&uri, &[])?;
    let asked: AskedToTry = request::json(&headers, body).await?;
    let limit = asked.limit.map_or(DEFAULT_LIMIT, |Whole(limit)| usize::try_from(limit).unwrap_or(usize::MAX));
    if !(1..=MAX_LIMIT).contains(&limit) {
        let allowed = format!("a whole number from 1 to {MAX_LIMIT}");
        return Err(Problem::parameter("limit", &limit.to_string(), &allowed));
    }
    let length = asked.query.chars().count();
    if length > MAX_QUERY {
        let allowed = format!("at most {MAX_QUERY} characters long");
        return Err(Problem::parameter("query", &format!("{length} characters"), &allowed));
    }
    let since = asked.since.map(|text| request::since("since", &text, (shared.state.clock)())).transpose()?;
    let sets = Arc::clone(&shared.loaded().sets);
    let gone = Arc::new(AtomicBool::new(false));
    let waiting = Waiting(Arc::clone(&gone));
    let tried = shared.blocking(move |state| {
        let topics = match Topics::trial(&asked.query, &sets) {
            Ok(topics) => topics,
            Err(problems) => return Ok(Tried { faults: faults(&asked.query, &problems), ..Tried::default() }),
        };
        search(&state.store, &topics, since, limit, &|| gone.load(Ordering::Relaxed))
    });
    let tried = tried.await?;
    drop(waiting);
    Ok(Json(tried))
}

/// What is wrong with a query, each place in characters.
fn faults(query: &str, problems: &[topic::Problem]) -> Vec<QueryFault> {
    let character = |byte: usize| query.char_indices().take_while(|(at, _)| *at < byte).count();
    let fault = |problem: &topic::Problem| QueryFault {
        start: character(problem.span.start),
        end: character(problem.span.end),
        message: problem.message.clone(),
    };
    problems.iter().map(fault).collect()
}

fn search(
    store: &Store,
    topics: &Topics,
    since: Option<Timestamp>,
    limit: usize,
    gone: &dyn Fn() -> bool,
) -> Result<Tried, StoreError> {
    let began = Instant::now();
    let mut tried = Tried::default();
    let mut after = None;
    while began.elapsed() < BUDGET && !gone() {
        let page = store.items(&ItemQuery { since, limit: PAGE, after, ..ItemQuery::default() })?;
        for item in page.items {
            tried.looked += 1;
            tried.back_to = Some(item.content.published_at);
            let Some(found) = topics.classify(&item.content.article(&item.feed)).into_iter().next() else { continue };
            tried.matched += 1;
            if tried.matches.len() < limit {
                tried.matches.push(shown(item, found));
            }
        }
        after = page.next;
        if after.is_none() {
            tried.complete = true;
            break;
        }
    }
    Ok(tried)
}

fn shown(item: Item, found: topic::TopicMatch) -> TriedItem {
    let place = found.evidence.iter().find(|place| matches!(place.field, Field::Summary | Field::Text));
    let excerpt = place.map(|place| {
        let field = if place.field == Field::Text { &item.content.text } else { &item.content.summary };
        let start = (place.start as usize).saturating_sub(AROUND);
        let mut rest = field.chars().skip(start);
        let text: String = rest.by_ref().take(place.end as usize + AROUND - start).collect();
        Excerpt {
            field: place.field,
            start: u32::try_from(start).unwrap_or_default(),
            text,
            last: rest.next().is_none(),
        }
    });
    TriedItem {
        id: item.id,
        seq: item.seq,
        feed: item.feed,
        title: item.content.title,
        published_at: item.content.published_at,
        score: found.score,
        evidence: found.evidence,
        excerpt,
    }
}
