//! Stored items, one after another, for commands that look at all of them.
//!
//! Promise: a page at a time, so memory does not grow with the store; with a daemon and without one.

use url::Url;

use crate::cli::api::Api;
use crate::cli::{Here, output};
use crate::item::Item;
use crate::serve::{Learnt, Listing};
use crate::topic::{Article, Topics};

/// How many items one request asks for.
const PAGE: &str = "200";

/// Hands the items published from `since` and before `until` to `look`, newest first. Copies are left out.
pub(super) async fn each(
    api: &Api,
    since: Option<&str>,
    until: Option<&str>,
    mut look: impl FnMut(Item),
) -> anyhow::Result<()> {
    let mut cursor: Option<String> = None;
    loop {
        let given = [("since", since), ("until", until), ("limit", Some(PAGE)), ("cursor", cursor.as_deref())];
        let query: Vec<(&str, &str)> = given.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let listing: Listing = api.get("/api/v1/items", &query).await?;
        listing.items.into_iter().for_each(&mut look);
        cursor = listing.next;
        if cursor.is_none() {
            return Ok(());
        }
    }
}

/// What topics look at of an item.
pub(in crate::cli) fn article(item: &Item) -> Article<'_> {
    let content = &item.content;
    Article {
        title: &content.title,
        summary: &content.summary,
        text: &content.text,
        url: content.url.as_ref().map_or("", Url::as_str),
        feed: item.feed.as_str(),
        language: content.language.as_deref().unwrap_or(""),
    }
}

/// The topics as they stand on disk, with what those of the store have learned. Says of which nothing is known.
pub(super) async fn topics(here: &Here, api: &Api) -> anyhow::Result<Topics> {
    let topics = &here.config.topics;
    let learnt = learnt(api, topics).await?;
    for topic in topics.iter().filter(|topic| topic.like().is_some() && !learnt.knows(topic.id())) {
        output::note(format_args!(
            "note: `{}` learns from examples and has learned nothing yet; it is judged by its gate and rules alone",
            topic.id()
        ));
    }
    Ok(learnt.apply(topics))
}

/// What topics have learned; nothing is asked for where none of `topics` learns.
pub(in crate::cli) async fn learnt(api: &Api, topics: &Topics) -> anyhow::Result<Learnt> {
    if topics.iter().all(|topic| topic.like().is_none()) {
        return Ok(Learnt::default());
    }
    let bytes = api.get_bytes("/api/v1/topics/learned").await?;
    Learnt::read(&bytes).map_err(anyhow::Error::msg)
}
