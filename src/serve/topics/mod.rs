//! `/api/v1/topics`: the topics in force, and what they say of a text.
//!
//! In: for a test, the fields of an article, or the id of a stored item. Out: the topics it is about, with evidence.
//! Promise: a test runs what the daemon runs on every article; nothing is stored.
//! Not here: what a query finds among stored items ([`mod@attempt`]), what people say of items ([`mod@judge`]), what was learned from it ([`mod@learned`]), and new topics for stored
//! items ([`mod@reclassify`]).

mod attempt;
mod judge;
mod learned;
mod reclassify;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use serde::{Deserialize, Serialize};

use super::items::Name;
use super::problem::Problem;
use super::request::{self, Params};
use super::{Loaded, Shared};
use crate::id::TopicId;
use crate::topic::config::Label;
use crate::topic::{Article, Topic, TopicMatch};

pub use attempt::{Excerpt, QueryFault, Tried, TriedItem};
pub use judge::{Changed, Judged, Judgements, Learning, LikeView, ModelView};
pub use learned::Learnt;
pub use reclassify::Reclassifying;

pub(super) use attempt::{AskedToTry, attempt};
pub(super) use judge::{AskedToJudge, judge, judgements};
pub(super) use learned::learned;
pub(super) use reclassify::{AskedToReclassify, reclassify, reclassifying};

/// All topics.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TopicList {
    /// In the order of the configuration.
    pub topics: Vec<TopicView>,
}

/// A topic as readers see it.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TopicView {
    /// Its id.
    pub id: TopicId,
    /// What people see.
    pub label: Label,
    /// What belongs to it, where that is written.
    pub description: Option<String>,
    /// The score from which an article is about it.
    pub threshold: f32,
    /// The score from which an article is worth a look.
    pub maybe: f32,
    /// How it learns from examples, where it does.
    pub like: Option<LikeView>,
}

impl TopicView {
    fn of(topic: &Topic, loaded: &Loaded) -> Self {
        Self {
            id: topic.id().clone(),
            label: topic.label().clone(),
            description: topic.description().map(str::to_owned),
            threshold: topic.threshold(),
            maybe: topic.maybe(),
            like: LikeView::of(topic, loaded),
        }
    }
}

/// What an article is about.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TopicsFound {
    /// Best first.
    pub topics: Vec<TopicMatch>,
}

/// What is to be classified: either `item`, or the fields of an article, of which `text` or `title` is needed.
#[derive(Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("oneOf" = [
    {
        "required": ["item"],
        "properties": {
            "item": { "type": "string" }, "title": { "maxLength": 0 }, "summary": { "maxLength": 0 },
            "text": { "maxLength": 0 }, "url": { "maxLength": 0 }, "feed": { "maxLength": 0 },
            "language": { "maxLength": 0 },
        },
    },
    {
        "properties": { "item": { "type": "null" } },
        "anyOf": [
            { "required": ["text"], "properties": { "text": { "minLength": 1 } } },
            { "required": ["title"], "properties": { "title": { "minLength": 1 } } },
            { "required": ["summary"], "properties": { "summary": { "minLength": 1 } } },
        ],
    },
]))]
pub(super) struct Asked {
    #[schemars(regex(pattern = "^([0-9a-fA-F]{32}|[0-9]{1,19})$"))]
    item: Option<String>,
    #[schemars(length(max = request::MAX_TITLE))]
    title: String,
    #[schemars(length(max = request::MAX_TEXT))]
    summary: String,
    #[schemars(length(max = request::MAX_TEXT))]
    text: String,
    #[schemars(length(max = request::MAX_TITLE))]
    url: String,
    #[schemars(length(max = request::MAX_TITLE))]
    feed: String,
    #[schemars(length(max = request::MAX_TITLE))]
    language: String,
}

pub(super) async fn list(State(shared): State<Shared>, uri: Uri) -> Result<Json<TopicList>, Problem> {
    Params::read(&uri, &[])?;
    let loaded = shared.loaded();
    Ok(Json(TopicList { topics: loaded.topics.iter().map(|topic| TopicView::of(topic, &loaded)).collect() }))
}

pub(super) async fn test(
    State(shared): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<TopicsFound>, Problem> {
    Params::read(&uri, &[])?;
    let mut asked: Asked = request::json(&headers, body).await?;
    for (name, value) in [("summary", &asked.summary), ("text", &asked.text)] {
        request::within(name, value, request::MAX_TEXT)?;
    }
    let short = [("title", &asked.title), ("url", &asked.url), ("feed", &asked.feed), ("language", &asked.language)];
    for (name, value) in short {
        request::within(name, value, request::MAX_TITLE)?;
    }
    let given = [&asked.title, &asked.summary, &asked.text, &asked.url, &asked.feed, &asked.language];
    match &asked.item {
        Some(_) if given.iter().any(|field| !field.is_empty()) => {
            return Err(Problem::body("`item` stands alone: its fields are those stored; leave out the others"));
        }
        Some(text) => {
            let name = Name::read(text).ok_or_else(|| Problem::parameter("item", text, Name::ALLOWED))?;
            let found = shared.blocking(move |state| name.find(&state.store)).await?;
            let item = found.ok_or_else(|| Problem::missing(format!("there is no item `{text}`")))?;
            let content = item.content;
            asked = Asked {
                item: None,
                title: content.title,
                summary: content.summary,
                text: content.text,
                url: content.url.map(String::from).unwrap_or_default(),
                feed: item.feed.to_string(),
                language: content.language.unwrap_or_default(),
            };
        }
        None if asked.title.is_empty() && asked.summary.is_empty() && asked.text.is_empty() => {
            return Err(Problem::body("there is nothing to classify: give `text`, `title`, or the `item` of an id"));
        }
        None => {}
    }
    let topics = std::sync::Arc::clone(&shared.loaded().topics);
    let found = shared.blocking(move |_| {
        Ok(topics.classify(&Article {
            title: &asked.title,
            summary: &asked.summary,
            text: &asked.text,
            url: &asked.url,
            feed: &asked.feed,
            language: &asked.language,
        }))
    });
    Ok(Json(TopicsFound { topics: found.await? }))
}
