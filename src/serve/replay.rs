//! `/api/v1/feeds/{id}/unread`: the last document of a feed that could not be read, read again.
//!
//! In: a feed's id. Out: what the document was, and what today's program makes of it with today's configuration; or its
//! very bytes.
//! Promise: nothing is stored and nobody is asked. The same document gives the same answer at any time: relative dates in
//! it count from when it was fetched.
//! Not here: when a document is kept ([`crate::pipeline::collect`]).

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use super::Shared;
use super::feeds::find;
use super::problem::Problem;
use super::request::{Params, segment};
use crate::id::FeedId;
use crate::parse::{self, Entry, Parsed};
use crate::source::{FeedConfig, PollError, Severity, Unread};

/// A document that could not be read, and what comes of it today.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Replay {
    /// Whose it is.
    pub feed: FeedId,
    /// When it was fetched.
    pub at: Timestamp,
    /// Where it came from after all redirects.
    pub url: Url,
    /// The HTTP status.
    pub status: u16,
    /// The media type of `Content-Type`.
    pub content_type: Option<String>,
    /// The charset of `Content-Type`.
    pub charset: Option<String>,
    /// Why the fetch did not get all of it.
    pub cut: Option<String>,
    /// How many bytes it had.
    pub length: u64,
    /// How many of them are kept.
    pub kept: u64,
    /// Why it could not be read then; none where only entries of it were refused.
    pub then: Option<PollError>,
    /// What is read today.
    pub read: Option<Reread>,
    /// Why nothing is read today.
    pub error: Option<PollError>,
}

/// What is read of a document.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Reread {
    /// `RSS 2.0`, `Atom 1.0` and so on.
    pub format: String,
    /// The charset and why it was chosen, such as `windows-1256 (declared)`.
    pub charset: String,
    /// The feed's own title.
    pub title: Option<String>,
    /// The feed's own language.
    pub language: Option<String>,
    /// Oldest first.
    pub entries: Vec<EntryView>,
    /// Entries that say nothing, or lead nowhere.
    pub rejected: Vec<RejectedView>,
    /// What had to be repaired, or was cut.
    pub notes: Vec<String>,
}

/// An entry as the document has it. Fields named as in [`Entry`] mean the same.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[expect(missing_docs, reason = "the fields of Entry, under their names")]
pub struct EntryView {
    pub guid: Option<String>,
    pub url: Option<Url>,
    pub title: String,
    pub summary_html: String,
    pub content_html: String,
    pub authors: Vec<String>,
    pub tags: Vec<String>,
    pub image: Option<Url>,
    pub published: Option<Timestamp>,
    pub published_text: Option<String>,
    pub language: Option<String>,
}

/// An entry that is refused.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RejectedView {
    /// Which one, as far as it can be named.
    pub entry: String,
    /// Why.
    pub reason: String,
}

pub(super) async fn show(
    State(shared): State<Shared>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Json<Replay>, Problem> {
    Params::read(&uri, &[])?;
    let (feed, unread) = load(&shared, path).await?;
    let then = unread.error.clone();
    let (url, name) = (unread.url.clone(), feed.id.clone());
    let (at, status, length, kept) = (unread.at, unread.status, unread.length, unread.bytes.len() as u64);
    let (content_type, charset, cut) = (unread.content_type.clone(), unread.charset.clone(), unread.cut.clone());
    // On a thread of its own, whose fault is an answer like another: such documents are why this exists.
    let parsed = tokio::task::spawn_blocking(move || read_again(unread, &feed)).await;
    let (read, error) = match parsed.unwrap_or_else(|panic| Err(own_fault(&url, &panic))) {
        Ok(parsed) => (Some(Reread::from(parsed)), None),
        Err(error) => (None, Some(error)),
    };
    Ok(Json(Replay { feed: name, at, url, status, content_type, charset, cut, length, kept, then, read, error }))
}

pub(super) async fn body(
    State(shared): State<Shared>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<impl IntoResponse, Problem> {
    Params::read(&uri, &[])?;
    let (_, unread) = load(&shared, path).await?;
    // Never as what it calls itself: a page of the web must not come to life under this address.
    let headers = [(CONTENT_TYPE, "application/octet-stream"), (CONTENT_DISPOSITION, "attachment")];
    Ok((headers, unread.bytes))
}

async fn load(shared: &Shared, path: Result<Path<String>, PathRejection>) -> Result<(FeedConfig, Unread), Problem> {
    let feed = find(&shared.loaded(), &segment(path)?)?.clone();
    let id = feed.id.clone();
    let unread = shared.blocking(move |state| state.store.unread(&id)).await?;
    let missing =
        || Problem::missing(format!("every document of `{}` was read in full; there is none to read again", feed.id));
    let unread = unread.ok_or_else(missing)?;
    Ok((feed, unread))
}

fn read_again(unread: Unread, feed: &FeedConfig) -> Result<Parsed, PollError> {
    let at = unread.at;
    parse::parse(&unread.document(), feed, at)
}

fn own_fault(url: &Url, panic: &tokio::task::JoinError) -> PollError {
    PollError {
        kind: "parse".to_owned(),
        message: format!("{url}: reading the document failed: {panic}"),
        hint: "this is a fault in rasid; please report it with the document".to_owned(),
        severity: Severity::Soft,
        retry_after: None,
    }
}

impl From<Parsed> for Reread {
    fn from(parsed: Parsed) -> Self {
        let Parsed { entries, rejected, format, charset, title, language, notes, .. } = parsed;
        let rejected = rejected.into_iter().map(|one| RejectedView { entry: one.entry, reason: one.reason }).collect();
        let entries = entries.into_iter().map(EntryView::from).collect();
        Self { format, charset, title, language, entries, rejected, notes }
    }
}

impl From<Entry> for EntryView {
    fn from(entry: Entry) -> Self {
        let Entry { guid, url, title, summary_html, content_html, authors, tags, image, .. } = entry;
        let (published, published_text, language) = (entry.published, entry.published_text, entry.language);
        Self { guid, url, title, summary_html, content_html, authors, tags, image, published, published_text, language }
    }
}
