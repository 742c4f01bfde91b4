//! Stored items, one after another, for commands that look at all of them.
//!
//! Promise: a page at a time, so memory does not grow with the store; with a daemon and without one.

use std::sync::Arc;

use url::Url;

use crate::cli::api::Api;
use crate::cli::{Here, output};
use crate::item::Item;
use crate::serve::Listing;
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

/// The topics as they stand on disk. Says of which it cannot know what they have learned.
pub(super) fn topics(here: &Here) -> Arc<Topics> {
    for topic in here.config.topics.iter().filter(|topic| topic.like().is_some()) {
        output::note(format_args!(
            "note: `{}` also learns from examples; here it is judged by its gate and rules alone",
            topic.id()
        ));
    }
    Arc::clone(&here.config.topics)
}
