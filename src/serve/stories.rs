//! `/api/v1/stories`: what several items tell of one event.
//!
//! In: a story's id, or that or the position of any item in it; how far back and how many. Out: a title chosen from the
//! items, first and last time, sources, items by hour, and the items, copies folded under what they are copies of.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::Uri;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use super::Shared;
use super::items::Name;
use super::params;
use super::problem::Problem;
use super::request::{Params, segment};
use crate::dedup::VerdictKind;
use crate::id::{FeedId, ItemId, Seq};
use crate::item::{Copy, Item};
use crate::store::{Store, StoreError, Story};
use crate::story::headline;

pub(super) const DEFAULT_LIMIT: usize = 20;
pub(super) const MAX_LIMIT: usize = 100;
/// Of a text that stands for a missing title, in characters.
const TITLE_CHARS: usize = 100;

/// A story without its items.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct StorySummary {
    /// The id of the item that began it.
    pub id: ItemId,
    /// The title of one of its items: the one that says most of what the others say.
    pub title: String,
    /// When the first of its items was published.
    pub first_seen: Timestamp,
    /// When the last was.
    pub last_seen: Timestamp,
    /// How many items it has, copies too.
    pub size: usize,
    /// How many of them are copies.
    pub copies: usize,
    /// Who published them, those with the most items first.
    pub sources: Vec<Source>,
}

/// A feed of a story.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Source {
    /// Which.
    pub feed: FeedId,
    /// How many items it has there, copies too; of a long story among those that are shown.
    pub items: usize,
}

/// A story with its items.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct StoryView {
    /// The story.
    #[serde(flatten)]
    pub summary: StorySummary,
    /// How many items were published in each hour that has any.
    pub hours: Vec<Hour>,
    /// The items that are no copies, first published first; at most 500.
    pub items: Vec<StoryItem>,
}

/// Items by hour.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Hour {
    /// Its beginning.
    pub hour: Timestamp,
    /// How many, copies too.
    pub items: usize,
}

/// An item as its story lists it. Fields as in [`Item`].
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct StoryItem {
    /// Its id.
    pub id: ItemId,
    /// The position of the last log record about it.
    pub seq: Seq,
    /// Its feed.
    pub feed: FeedId,
    /// The link.
    pub url: Option<Url>,
    /// Plain text.
    pub title: String,
    /// When it was published.
    pub published_at: Timestamp,
    /// What it is to what came before.
    pub verdict: VerdictKind,
    /// Its copies.
    pub copies: Vec<Copy>,
}

/// A list of stories.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct StoryList {
    /// Those with the most items first.
    pub stories: Vec<StorySummary>,
}

pub(super) async fn list(State(shared): State<Shared>, uri: Uri) -> Result<Json<StoryList>, Problem> {
    let params = Params::of(&uri, params::STORIES)?;
    let since = params.time("since", (shared.state.clock)())?;
    let limit = params.limit(DEFAULT_LIMIT, MAX_LIMIT)?;
    let found = shared.blocking(move |state| state.store.stories(since, limit)).await?;
    Ok(Json(StoryList { stories: found.iter().map(summary).collect() }))
}

pub(super) async fn show(
    State(shared): State<Shared>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Json<StoryView>, Problem> {
    Params::read(&uri, &[])?;
    let text = segment(path)?;
    let name = Name::read(&text).ok_or_else(|| Problem::parameter("id", &text, Name::ALLOWED))?;
    match shared.blocking(move |state| find(&state.store, &name)).await? {
        Found::Story(story) => Ok(Json(view(story))),
        Found::Alone => Err(Problem::missing(format!("the item `{text}` has no story: it was stored without"))),
        Found::Nothing => Err(Problem::missing(format!("there is no story `{text}`, and no item of that name"))),
    }
}

enum Found {
    Story(Story),
    /// An item from before there were stories, or while they were switched off.
    Alone,
    Nothing,
}

fn find(store: &Store, name: &Name) -> Result<Found, StoreError> {
    let item = match name {
        // It is a story's id also where the item that began it was removed.
        Name::Id(id) => match store.story(*id)? {
            Some(story) => return Ok(Found::Story(story)),
            None => store.item(*id)?,
        },
        Name::At(_) => name.find(store)?,
    };
    let Some(item) = item else { return Ok(Found::Nothing) };
    Ok(store.story(item.id)?.map_or(Found::Alone, Found::Story))
}

fn view(story: Story) -> StoryView {
    let summary = summary(&story);
    let mut hours = BTreeMap::<i64, usize>::new();
    for at in &story.times {
        *hours.entry(at.as_second().div_euclid(3_600)).or_default() += 1;
    }
    let hour = |(hour, items): (i64, usize)| Some(Hour { hour: Timestamp::from_second(hour * 3_600).ok()?, items });
    let item = |item: Item| StoryItem {
        id: item.id,
        seq: item.seq,
        feed: item.feed,
        url: item.content.url,
        title: item.content.title,
        published_at: item.content.published_at,
        verdict: item.verdict.kind,
        copies: item.copies,
    };
    StoryView {
        summary,
        hours: hours.into_iter().filter_map(hour).collect(),
        items: story.items.into_iter().map(item).collect(),
    }
}

fn summary(story: &Story) -> StorySummary {
    let titles: Vec<&str> = story.items.iter().map(|item| item.content.title.as_str()).collect();
    let begun = story.items.first().map(|item| item.content.text.chars().take(TITLE_CHARS).collect::<String>());
    let title = headline(&titles).and_then(|at| titles.get(at)).map(|title| (*title).to_owned());
    let mut feeds = BTreeMap::<&FeedId, usize>::new();
    for item in &story.items {
        for feed in std::iter::once(&item.feed).chain(item.copies.iter().map(|copy| &copy.feed)) {
            *feeds.entry(feed).or_default() += 1;
        }
    }
    let mut sources: Vec<Source> =
        feeds.into_iter().map(|(feed, items)| Source { feed: feed.clone(), items }).collect();
    sources.sort_by_key(|source| std::cmp::Reverse(source.items));
    let (first, last) = (story.times.first().copied(), story.times.last().copied());
    StorySummary {
        id: story.id,
        title: title.or(begun).unwrap_or_default(),
        first_seen: first.unwrap_or_default(),
        last_seen: last.unwrap_or_default(),
        size: story.times.len(),
        copies: story.copies,
        sources,
    }
}
