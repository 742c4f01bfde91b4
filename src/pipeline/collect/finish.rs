//! A draft and its page to a candidate: text, language, topics, fingerprint.
//!
//! In: a [`Task`]. Out: [`Finished`].
//! Promise: synchronous and free of waiting; runs on a blocking thread. A page that gives nothing leaves the entry with
//! what the feed says of it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use url::Url;

use super::draft::{Draft, is_article};
use crate::dedup::Fingerprint;
use crate::extract::html::{Page, Reading, page_on_thread, plain};
use crate::extract::url::{canonical, is_page_of};
use crate::item::{Candidate, Content, PublishedFrom, TextFrom};
use crate::source::{Document, FeedConfig};
use crate::story::Sketch;
use crate::text::decode::{Hints, decode};
use crate::text::language;
use crate::text::recurring::RecurringLines;
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
    /// What the feed's pages print again and again.
    pub recurring: RecurringLines,
    pub now: Timestamp,
}

/// What came of it.
pub(super) struct Finished {
    /// Or why the entry cannot be an item.
    pub candidate: Result<Box<Candidate>, String>,
    /// Why the page gave no text, where one was wanted.
    pub page_missing: Option<String>,
    /// What the page and the feed said, for what is remembered of their sites.
    pub told: Vec<Told>,
}

/// Under this name the texts are remembered that a feed gives itself; no host has it.
const IN_FEED: &str = "feed:";

/// A text before lines that recur were left out of it.
#[derive(Default)]
pub(super) struct Told {
    pub host: String,
    pub address: String,
    pub title: String,
    pub text: String,
    /// How the text was found, where not in the usual way.
    pub notes: Vec<String>,
    /// How many lines were left out.
    pub left_out: usize,
}

/// A page and where it was in the end.
struct Read {
    page: Page,
    url: Url,
}

pub(super) fn finish(task: Task) -> Finished {
    let Task { draft, page, feed, language, topics, recurring, now } = task;
    let (mut page, page_missing) = match page.map(|page| page.and_then(|document| read_page(document, &feed, now))) {
        None => (None, None),
        Some(Ok(page)) => (Some(page), None),
        Some(Err(reason)) => (None, Some(reason)),
    };
    let mut told: Vec<Told> = page.as_mut().map(|read| told(read, &draft, &feed, &recurring)).into_iter().collect();
    let content = content(&draft, page, language.as_deref(), now);
    if content.title.is_empty() && content.text.is_empty() {
        let reason = "it has neither a title nor a text".to_owned();
        return Finished { candidate: Err(reason), page_missing, told };
    }
    let topics = topics.classify(&content.article(&feed.id));
    let fingerprint = match content.text_from {
        TextFrom::Feed => {
            let (said, fingerprint) = in_feed(&content, &draft, &recurring);
            told.push(said);
            fingerprint
        }
        TextFrom::Page | TextFrom::Summary => Fingerprint::of(&content.title, &content.text),
    };
    let sketch = Sketch::of(&content.title, &content.text);
    let candidate = Candidate { feed: feed.id, key: draft.key, hash: draft.hash, content, topics, fingerprint, sketch };
    Finished { candidate: Ok(Box::new(candidate)), page_missing, told }
}

/// A text that the feed gives itself is kept as it is; what the feed prints in every one does not count for what is a copy.
fn in_feed(content: &Content, draft: &Draft, recurring: &RecurringLines) -> (Told, Fingerprint) {
    let address = content.canonical_url.as_ref().map_or_else(|| format!("{:?}", draft.key), Url::to_string);
    let counts = recurring.strip(IN_FEED, &address, &content.text).map(|(text, _)| text);
    let fingerprint = Fingerprint::of(&content.title, counts.as_deref().unwrap_or(&content.text));
    let (title, text) = (content.title.clone(), content.text.clone());
    (Told { host: IN_FEED.to_owned(), address, title, text, ..Told::default() }, fingerprint)
}

/// Leaves out of a page what its site prints again and again. A feed that says itself where its articles stand is
/// taken at its word.
fn told(read: &mut Read, draft: &Draft, feed: &FeedConfig, recurring: &RecurringLines) -> Told {
    let host = read.url.host_str().unwrap_or_default().to_owned();
    let address = canonical(&read.url).to_string();
    let notes = std::mem::take(&mut read.page.notes);
    if feed.article.as_ref().is_some_and(|article| article.text.is_some()) {
        return Told { notes, ..Told::default() };
    }
    let title = read.page.title.as_deref().filter(|title| !title.is_empty()).unwrap_or(&draft.entry.title).to_owned();
    let stripped = recurring.strip(&host, &address, &read.page.text);
    let (shorter, left_out) = stripped.unwrap_or_else(|| (read.page.text.clone(), 0));
    let text = std::mem::replace(&mut read.page.text, shorter);
    Told { host, address, title, text, notes, left_out }
}

fn content(draft: &Draft, read: Option<Read>, language: Option<&str>, now: Timestamp) -> Content {
    let entry = &draft.entry;
    let canonical_url = canonical_url(draft, read.as_ref());
    let page = read.map(|read| read.page).unwrap_or_default();
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
        canonical_url,
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

/// The address that the page names as its own, where it can be believed, or else the canonical form of the entry's. An
/// address that several entries share says nothing of one of them.
fn canonical_url(draft: &Draft, read: Option<&Read>) -> Option<Url> {
    let own = draft.canonical.clone().filter(|_| draft.url_key.is_some())?;
    let named = read.and_then(|read| Some((canonical(read.page.canonical.as_ref()?), canonical(&read.url))));
    Some(match named {
        Some((named, at)) if is_page_of(&named, &at) => named,
        _ => own,
    })
}

fn longer<'a>(one: &'a str, other: &'a str) -> &'a str {
    if one.len() >= other.len() { one } else { other }
}

fn read_page(document: Document, feed: &FeedConfig, now: Timestamp) -> Result<Read, String> {
    let tld = document.url.host_str().and_then(|host| host.rsplit('.').next());
    let hints = Hints { configured: None, http: document.charset.as_deref(), tld };
    let html = decode(&document.bytes, hints).text;
    let url = document.url;
    let zone = feed.timezone.as_deref().and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC);
    let reading = Reading { selectors: feed.article.clone(), zone, now };
    match page_on_thread(html, url.clone(), reading, PAGE_DEADLINE) {
        Ok(page) => Ok(Read { page, url }),
        Err(error) => Err(format!("{url}: {error}")),
    }
}
