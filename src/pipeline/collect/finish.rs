//! A draft and its page to a candidate: text, language, topics, fingerprint.
//!
//! In: a [`Task`]. Out: [`Finished`].
//! Promise: synchronous and free of waiting; runs on a blocking thread. A page that gives nothing leaves the entry with
//! what the feed says of it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::draft::{Draft, is_article};
use crate::dedup::Fingerprint;
use crate::extract::html::{Page, page_on_thread, plain};
use crate::item::{Candidate, Content, PublishedFrom, TextFrom};
use crate::source::{Document, FeedConfig};
use crate::text::decode::{Hints, decode};
use crate::text::language;
use crate::topic::matcher::Topics;

/// How long the extraction of one page may take.
const PAGE_DEADLINE: Duration = Duration::from_secs(20);

/// What one entry is made into a candidate from.
pub(super) struct Task {
    pub draft: Draft,
    /// The page, or why it could not be fetched; `None` when the entry needs none.
    pub page: Option<Result<Document, String>>,
    pub feed: FeedConfig,
    pub language: Option<String>,
    pub topics: Arc<Topics>,
    pub now: Timestamp,
}

/// What came of it.
pub(super) struct Finished {
    /// Or why the entry cannot be an item.
    pub candidate: Result<Box<Candidate>, String>,
    /// Why the page gave no text, where one was wanted.
    pub page_missing: Option<String>,
}

pub(super) fn finish(task: Task) -> Finished {
    let Task { draft, page, feed, language, topics, now } = task;
    let (page, page_missing) = match page.map(|page| page.and_then(|document| read_page(document, &feed, now))) {
        None => (None, None),
        Some(Ok(page)) => (Some(page), None),
        Some(Err(reason)) => (None, Some(reason)),
    };
    let content = content(&draft, page, language.as_deref(), now);
    if content.title.is_empty() && content.text.is_empty() {
        let reason = "it has neither a title nor a text".to_owned();
        return Finished { candidate: Err(reason), page_missing };
    }
    let topics = topics.classify(&content.article(&feed.id));
    let fingerprint = Fingerprint::of(&content.title, &content.text);
    let candidate = Candidate { feed: feed.id, key: draft.key, hash: draft.hash, content, topics, fingerprint };
    Finished { candidate: Ok(Box::new(candidate)), page_missing }
}

fn content(draft: &Draft, page: Option<Page>, language: Option<&str>, now: Timestamp) -> Content {
    let entry = &draft.entry;
    let page = page.unwrap_or_default();
    let from_feed = longer(&draft.content, &draft.summary);
    // A page whose text is shorter than what the feed gives has lost something: the longer one is kept.
    let (text, text_from) = if !page.text.is_empty() && page.text.len() >= from_feed.len() {
        (page.text, TextFrom::Page)
    } else if draft.content.len() > draft.summary.len() || is_article(from_feed) {
        (from_feed.to_owned(), TextFrom::Feed)
    } else {
        (from_feed.to_owned(), TextFrom::Summary)
    };
    let title = if entry.title.is_empty() { plain(&page.title.unwrap_or_default()) } else { entry.title.clone() };
    let (published_at, published_from) = match (entry.published, page.published.filter(|at| *at <= now)) {
        (Some(at), _) => (at, PublishedFrom::Feed),
        (None, Some(at)) => (at, PublishedFrom::Page),
        (None, None) => (now, PublishedFrom::Fetch),
    };
    let declared = language.or(entry.language.as_deref()).or(page.language.as_deref());
    Content {
        language: language::detect(&title, &text, declared),
        url: entry.url.clone(),
        // An address that several entries share says nothing of this one.
        canonical_url: draft.canonical.clone().filter(|_| draft.url_key.is_some()),
        guid: entry.guid.clone(),
        title,
        summary: draft.summary.clone(),
        text,
        text_from,
        authors: if entry.authors.is_empty() { page.authors } else { entry.authors.clone() },
        tags: entry.tags.clone(),
        image: entry.image.clone().or(page.image),
        published_at,
        published_from,
        fetched_at: now,
    }
}

fn longer<'a>(one: &'a str, other: &'a str) -> &'a str {
    if one.len() >= other.len() { one } else { other }
}

fn read_page(document: Document, feed: &FeedConfig, now: Timestamp) -> Result<Page, String> {
    let tld = document.url.host_str().and_then(|host| host.rsplit('.').next());
    let hints = Hints { configured: None, http: document.charset.as_deref(), tld };
    let html = decode(&document.bytes, hints).text;
    let url = document.url;
    page_on_thread(html, url.clone(), feed.article.clone(), now, PAGE_DEADLINE)
        .map_err(|error| format!("{url}: {error}"))
}
