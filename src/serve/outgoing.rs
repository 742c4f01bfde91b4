//! Outgoing feeds: what is stored, for any feed reader, as Atom (RFC 4287) and JSON Feed (1.1).
//!
//! In: a topic, a feed, a query of the search, or all of them at once. Out: the newest items of it, copies folded as in
//! `/api/v1/items`; links to a WebSub hub where `[server] websub_hub` names one.
//! Promise: ids of feeds and items depend neither on the host nor on how many items are asked for, so readers that come by
//! another door know what they have read; nothing is said of now, so what has not changed has the same `ETag`.
//! Not here: telling the hub.

mod atom;
mod json;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_TYPE, HOST, HeaderValue, LINK};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use url::Url;
use url::form_urlencoded::Serializer;

use super::params;
use super::problem::Problem;
use super::request::{Params, segment};
use super::{Loaded, Shared, search};
use crate::id::{FeedId, TopicId};
use crate::item::Item;
use crate::search::Sort;
use crate::store::ItemQuery;
use crate::topic::config::Label;

pub(super) const DEFAULT_LIMIT: usize = 50;
pub(super) const MAX_LIMIT: usize = crate::search::MAX_PAGE;
pub(super) const ATOM: &str = "application/atom+xml";
pub(super) const JSON: &str = "application/feed+json";

/// Where outgoing feeds say that they are: of `[server]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// Where readers reach the interface; what they asked for where it is not configured.
    pub at: Option<Url>,
    /// The hub that is told of news.
    pub hub: Option<Url>,
}

/// What is wrong with `public_url` or `websub_hub`, in words.
///
/// # Errors
/// When it is no address that a reader can follow.
pub fn check_published(url: &Url) -> Result<(), String> {
    let followed = matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
    if followed && url.fragment().is_none() {
        return Ok(());
    }
    Err(format!("`{url}` is not for readers; write http:// or https:// without a name, a password or `#`"))
}

/// A feed as it is written, in either form.
struct Outgoing {
    id: String,
    title: String,
    address: Url,
    home: Url,
    hub: Option<Url>,
    entries: Vec<Entry>,
}

impl Outgoing {
    /// When its newest change was; without entries a time before all changes.
    fn updated(&self) -> Timestamp {
        self.entries.iter().map(Entry::updated).max().unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// An item with the names of its feed and its topics.
struct Entry {
    item: Item,
    publisher: String,
    topics: Vec<(TopicId, String)>,
}

impl Entry {
    fn of(item: Item, loaded: &Loaded) -> Self {
        let publisher = feed_title(&item.feed, loaded);
        let topics = item.topics.iter().map(|found| (found.id.clone(), topic_title(&found.id, loaded))).collect();
        Self { item, publisher, topics }
    }

    fn id(&self) -> String {
        format!("urn:rasid:item:{}", self.item.id)
    }

    /// The names of the authors; who published it where none are known.
    fn authors(&self) -> Vec<&str> {
        let named = self.item.content.authors.iter().map(|name| name.trim()).filter(|name| !name.is_empty());
        let named: Vec<&str> = named.collect();
        if named.is_empty() { vec![&self.publisher] } else { named }
    }

    /// When its words were published last.
    fn updated(&self) -> Timestamp {
        let content = &self.item.content;
        let revised = (self.item.revision > 1).then_some(content.fetched_at);
        revised.map_or(content.published_at, |at| at.max(content.published_at))
    }

    /// The summary, where it says anything that the text does not.
    fn summary(&self) -> Option<&str> {
        let content = &self.item.content;
        Some(content.summary.as_str()).filter(|summary| !summary.is_empty() && *summary != content.text)
    }
}

/// Without what XML cannot hold even escaped, and other readers have no use for.
fn clean(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().filter(|c| match c {
        '\t' | '\n' | '\r' => true,
        '\u{FFFE}' | '\u{FFFF}' => false,
        c => *c >= ' ',
    })
}

fn feed_title(id: &FeedId, loaded: &Loaded) -> String {
    loaded.feeds.iter().find(|feed| feed.id == *id).map_or_else(|| id.to_string(), |feed| feed.title.clone())
}

fn topic_title(id: &TopicId, loaded: &Loaded) -> String {
    let Label { ar, en } = loaded.topics.get(id).map(|topic| topic.label().clone()).unwrap_or_default();
    [ar, en].into_iter().find(|name| !name.is_empty()).unwrap_or_else(|| id.to_string())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Atom,
    Json,
}

/// What a request asks for.
struct Asked {
    topic: Option<TopicId>,
    feed: Option<FeedId>,
    language: Option<String>,
    q: Option<String>,
    since: Option<Timestamp>,
    limit: usize,
    id: String,
}

impl Asked {
    fn read(params: &Params, topic: Option<TopicId>, now: Timestamp) -> Result<Self, Problem> {
        let text = |name| params.text(name).map(str::to_owned);
        let topic = match topic {
            Some(topic) => Some(topic),
            None => params.name("topic")?,
        };
        let feed: Option<FeedId> = params.name("feed")?;
        // As it was asked: a span back from now is another time on every poll.
        let since = text("since");
        let named = [
            ("topic", topic.as_ref().map(TopicId::to_string)),
            ("feed", feed.as_ref().map(FeedId::to_string)),
            ("language", text("language")),
            ("q", text("q")),
            ("since", since),
        ];
        let mut query = Serializer::new(String::new());
        for (name, value) in named {
            if let Some(value) = value {
                query.append_pair(name, &value);
            }
        }
        let query = query.finish();
        let id = format!("urn:rasid:feed:{}", if query.is_empty() { "all" } else { &query });
        Ok(Self {
            topic,
            feed,
            language: text("language"),
            q: text("q"),
            since: params.time("since", now)?,
            limit: params.limit(DEFAULT_LIMIT, MAX_LIMIT)?,
            id,
        })
    }

    /// What it is about, for people.
    fn title(&self, loaded: &Loaded) -> String {
        let topic = self.topic.as_ref().map(|topic| topic_title(topic, loaded));
        let feed = self.feed.as_ref().map(|feed| feed_title(feed, loaded));
        let parts: Vec<String> = [topic, feed, self.q.clone(), self.language.clone()].into_iter().flatten().collect();
        if parts.is_empty() { "rasid".to_owned() } else { parts.join(" · ") }
    }

    async fn items(&self, shared: &Shared, now: Timestamp) -> Result<Vec<Item>, Problem> {
        let (topic, feed, language) = (self.topic.clone(), self.feed.clone(), self.language.clone());
        let (since, limit) = (self.since, self.limit);
        let query = ItemQuery { topic, feed, language, since, limit, ..ItemQuery::default() };
        let Some(q) = &self.q else {
            return Ok(shared.blocking(move |state| state.store.items(&query)).await?.items);
        };
        if search::is_building(shared)? {
            // Half a feed would be taken for all there is; this is asked again.
            return Err(Problem::not_ready("the search index is being made; ask again in a while"));
        }
        let request = search::request(q, query, Sort::Newest);
        let (_, found) = search::look(shared, request, now).await?;
        let items = shared.blocking(move |state| {
            // Some are none: removed since they were indexed.
            found.hits.iter().filter_map(|hit| state.store.item(hit.id).transpose()).collect()
        });
        items.await
    }
}

pub(super) async fn atom(State(shared): State<Shared>, headers: HeaderMap, uri: Uri) -> Result<Response, Problem> {
    selected(&shared, &headers, &uri, Form::Atom).await
}

pub(super) async fn json(State(shared): State<Shared>, headers: HeaderMap, uri: Uri) -> Result<Response, Problem> {
    selected(&shared, &headers, &uri, Form::Json).await
}

/// `/topics/{id}.atom` and `/topics/{id}.json`.
pub(super) async fn topic(
    State(shared): State<Shared>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let params = Params::of(&uri, params::OUTGOING_TOPIC)?;
    let file = segment(path)?;
    let (id, form) = match file.rsplit_once('.') {
        Some((id, "atom")) => (id, Form::Atom),
        Some((id, "json")) => (id, Form::Json),
        _ => {
            return Err(Problem::missing(format!("there is no feed `{file}`; write a topic's id with .atom or .json")));
        }
    };
    let id: Option<TopicId> = id.parse().ok();
    match id.filter(|id| shared.loaded().topics.get(id).is_some()) {
        Some(id) => written(&shared, &headers, &uri, form, &params, Some(id)).await,
        None => Err(Problem::missing(format!("there is no topic of the feed `{file}`; `rasid topics` lists them"))),
    }
}

async fn selected(shared: &Shared, headers: &HeaderMap, uri: &Uri, form: Form) -> Result<Response, Problem> {
    let params = Params::of(uri, params::OUTGOING)?;
    written(shared, headers, uri, form, &params, None).await
}

async fn written(
    shared: &Shared,
    headers: &HeaderMap,
    uri: &Uri,
    form: Form,
    params: &Params,
    topic: Option<TopicId>,
) -> Result<Response, Problem> {
    let now = (shared.state.clock)();
    let asked = Asked::read(params, topic, now)?;
    let items = asked.items(shared, now).await?;
    let loaded = shared.loaded();
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).or(uri.authority().map(|host| host.as_str()));
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let address = |path: &str| address(loaded.published.at.as_ref(), host, path).map_err(|why| Problem::internal(&why));
    let feed = Outgoing {
        title: asked.title(&loaded),
        id: asked.id,
        address: address(path)?,
        home: address("/")?,
        hub: loaded.published.hub.clone(),
        entries: items.into_iter().map(|item| Entry::of(item, &loaded)).collect(),
    };
    let (media_type, text) = match form {
        Form::Atom => (ATOM, atom::write(&feed)),
        Form::Json => (JSON, json::write(&feed)),
    };
    let mut response = ([(CONTENT_TYPE, media_type)], text).into_response();
    // Hubs and their readers look for it in the head first.
    if let Some(hub) = &feed.hub
        && let Ok(links) = HeaderValue::try_from(format!("<{hub}>; rel=\"hub\", <{}>; rel=\"self\"", feed.address))
    {
        response.headers_mut().insert(LINK, links);
    }
    Ok(response)
}

/// Where `path` is for whoever asked.
fn address(published: Option<&Url>, host: Option<&str>, path: &str) -> Result<Url, url::ParseError> {
    if let Some(base) = published {
        return Url::parse(&format!("{}{path}", base.as_str().trim_end_matches('/')));
    }
    let asked = host.and_then(|host| Url::parse(&format!("http://{host}{path}")).ok());
    asked.map_or_else(|| Url::parse(&format!("http://localhost{path}")), Ok)
}

#[cfg(test)]
mod tests;
