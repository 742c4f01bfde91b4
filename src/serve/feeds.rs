//! `/api/v1/feeds`: what is polled, how it is doing, and orders to the daemon about it.
//!
//! In: a feed's id. Out: its configuration without anything secret, where it was left, and its last polls.
//! Promise: no password, header value, or credentials in an address leave, over any door.
//! Not here: adding and removing feeds, which is done to the configuration's files, followed by a reload.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::Uri;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use super::problem::Problem;
use super::request::{Params, segment};
use super::{Control, Loaded, Shared};
use crate::id::FeedId;
use crate::source::{ArticleSelectors, FeedConfig, FullText, PageSelectors, PollError, PollRecord, SourceKind};
use crate::store::{Store, StoreError};
use crate::units::Span;

/// All feeds, those switched off too.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct FeedList {
    /// In the order of the configuration.
    pub feeds: Vec<FeedView>,
}

/// A feed as readers see it: its configuration without secrets, and how it is doing. Fields named as in
/// [`FeedConfig`] mean the same.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[expect(missing_docs, reason = "the fields of FeedConfig, under their names")]
pub struct FeedView {
    pub id: FeedId,
    pub title: String,
    pub url: Url,
    pub kind: SourceKind,
    pub enabled: bool,
    pub disabled_reason: Option<String>,
    pub language: Option<String>,
    pub interval: Span,
    pub min_interval: Span,
    pub max_interval: Span,
    pub full_text: FullText,
    pub max_entries: u32,
    pub charset: Option<String>,
    pub timezone: Option<String>,
    pub user_agent: Option<String>,
    /// The names of the headers sent; their values may be secret.
    pub headers: Vec<String>,
    /// Whether it is reached through a proxy.
    pub proxied: bool,
    /// Whether it is asked with a name or password.
    pub authenticated: bool,
    pub page: Option<PageSelectors>,
    pub article: Option<ArticleSelectors>,
    /// Where it was left; none before the first poll.
    pub cursor: Option<CursorView>,
}

/// Where a feed was left.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CursorView {
    /// When its last poll began.
    pub last_poll: Option<Timestamp>,
    /// When it is polled next.
    pub next: Timestamp,
    /// By which rule `next` was chosen, in words.
    pub rule: Option<String>,
    /// The time between polls as adapted.
    pub interval: Span,
    /// Failed polls in a row.
    pub failures: u32,
    /// 304 answers in a row.
    pub not_modified: u32,
    /// Polls ever.
    pub polls: u64,
    /// Entries ever stored from it.
    pub stored: u64,
    /// Where a permanent redirect has moved it as it is configured now.
    pub moved_to: Option<Url>,
    /// The last failure among the polls that are kept, also where polls have succeeded since.
    pub last_error: Option<PollError>,
}

/// A feed with its last polls.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct FeedHistory {
    /// The feed.
    #[serde(flatten)]
    pub feed: FeedView,
    /// Newest first, at most 50.
    pub polls: Vec<PollRecord>,
}

/// What a reload did.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Reloaded {
    /// What changed, in words.
    pub changed: String,
}

pub(super) async fn list(State(shared): State<Shared>, uri: Uri) -> Result<Json<FeedList>, Problem> {
    Params::read(&uri, &[])?;
    let loaded = shared.loaded();
    let feeds = shared.blocking(move |state| {
        let view = |feed| FeedView::of(feed, &state.store).map(|(view, _)| view);
        loaded.feeds.iter().map(view).collect::<Result<Vec<_>, _>>()
    });
    Ok(Json(FeedList { feeds: feeds.await? }))
}

pub(super) async fn show(
    State(shared): State<Shared>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Json<FeedHistory>, Problem> {
    Params::read(&uri, &[])?;
    let feed = find(&shared.loaded(), &segment(path)?)?.clone();
    let history = shared.blocking(move |state| {
        let (feed, polls) = FeedView::of(&feed, &state.store)?;
        Ok(FeedHistory { feed, polls })
    });
    Ok(Json(history.await?))
}

pub(super) async fn poll(
    State(shared): State<Shared>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Json<PollRecord>, Problem> {
    Params::read(&uri, &[])?;
    let feed = find(&shared.loaded(), &segment(path)?)?.id.clone();
    match shared.ask(|answer| Control::Poll { feed, answer }).await {
        Some(Ok(record)) => Ok(Json(record)),
        Some(Err(reason)) => Err(Problem::refused(reason)),
        None => Err(Problem::nobody("polling a feed")),
    }
}

pub(super) async fn reload(State(shared): State<Shared>, uri: Uri) -> Result<Json<Reloaded>, Problem> {
    Params::read(&uri, &[])?;
    match shared.ask(|answer| Control::Reload { answer }).await {
        Some(Ok(changed)) => Ok(Json(Reloaded { changed })),
        Some(Err(problems)) => Err(Problem::configuration(problems)),
        None => Err(Problem::nobody("reading the configuration again")),
    }
}

pub(super) fn find<'a>(loaded: &'a Loaded, id: &str) -> Result<&'a FeedConfig, Problem> {
    let id: FeedId =
        id.parse().map_err(|_| Problem::parameter("id", id, "an id of small letters, digits and hyphens"))?;
    let found = loaded.feeds.iter().find(|feed| feed.id == id);
    found.ok_or_else(|| Problem::missing(format!("no feed `{id}` is configured; /api/v1/feeds lists those that are")))
}

impl FeedView {
    fn of(feed: &FeedConfig, store: &Store) -> Result<(Self, Vec<PollRecord>), StoreError> {
        let polls = store.polls(&feed.id)?;
        let last = polls.first();
        let cursor = store.cursor(&feed.id)?.map(|cursor| CursorView {
            last_poll: last.map(|poll| poll.at),
            next: cursor.next,
            rule: last.map(|poll| poll.rule.clone()),
            interval: cursor.interval,
            failures: cursor.failures,
            not_modified: cursor.not_modified,
            polls: cursor.polls,
            stored: cursor.stored,
            moved_to: cursor.moved(feed).cloned().map(without_credentials),
            last_error: polls.iter().find_map(|poll| poll.outcome.error.clone()),
        });
        Ok((Self::described(feed.clone(), cursor), polls))
    }

    fn described(feed: FeedConfig, cursor: Option<CursorView>) -> Self {
        // Named one by one: a field added to the configuration has to be judged here before it leaves.
        let FeedConfig {
            id,
            title,
            url,
            kind,
            enabled,
            disabled_reason,
            language,
            interval,
            min_interval,
            max_interval,
            full_text,
            headers,
            user_agent,
            proxy,
            username,
            password,
            charset,
            timezone,
            max_entries,
            page,
            article,
        } = feed;
        let authenticated = username.is_some() || password.is_some() || !url.username().is_empty();
        Self {
            id,
            title,
            url: without_credentials(url),
            kind,
            enabled,
            disabled_reason,
            language,
            interval,
            min_interval,
            max_interval,
            full_text,
            max_entries,
            charset,
            timezone,
            user_agent,
            headers: headers.into_keys().collect(),
            proxied: proxy.is_some(),
            authenticated,
            page,
            article,
            cursor,
        }
    }
}

fn without_credentials(mut url: Url) -> Url {
    // Fails only for addresses that cannot have any.
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_shown() {
        let mut feed = FeedConfig::new("a".parse().unwrap(), "https://user:hunter2@a.example/rss".parse().unwrap());
        feed.headers.insert("X-Key".to_owned(), "hunter2".to_owned());
        feed.password = Some("hunter2".to_owned());
        feed.username = Some("hunter2".to_owned());
        feed.proxy = Some("http://hunter2@proxy.example".to_owned());
        let shown = serde_json::to_string(&FeedView::described(feed, None)).unwrap();
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("X-Key") && shown.contains("https://a.example/rss"), "{shown}");
    }
}
