//! Feed bytes to entries.
//!
//! In: the body of a document and its final URL. Out: [`Entry`] values, oldest first, plus [`Rejected`] ones.
//! Promise: the same bytes give the same entries; one bad entry never hides its neighbours.
//! Not here: fetching ([`crate::fetch`]), page text ([`crate::extract`]), deciding what is new ([`crate::source`]).
//!
//! The way of a document of XML: text ([`crate::text::decode`]) → tags (`markup`) → a tree (`tree`), in which every
//! fault is mended → entries by their fields (`entry`), joined with the model that `feed_rs` reads out of the document
//! rewritten without faults (`repair`, `feed`).

mod detect;
pub mod discover;
mod entities;
mod entry;
mod feed;
mod json;
mod markup;
mod names;
pub mod opml;
pub mod page;
mod repair;
mod sitemap;
#[cfg(test)]
mod tests;
mod times;
mod tree;

use std::collections::hash_map::Entry as MapEntry;
use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use url::Url;

use self::repair::Notes;
use self::times::Times;
use crate::source::{Document, FeedConfig, PollError, SourceKind};
use crate::text::decode::{self, Hints, Why};
use crate::units::Span;

/// What a document says of one piece. Text fields are plain text unless their name ends in `_html`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entry {
    /// The entry's own id, as published; never invented.
    pub guid: Option<String>,
    /// The link as published, made absolute.
    pub url: Option<Url>,
    /// Plain text.
    pub title: String,
    /// As published: `description`, `summary`.
    pub summary_html: String,
    /// As published: `content:encoded`, `content`.
    pub content_html: String,
    /// Names as published.
    pub authors: Vec<String>,
    /// The publisher's own categories.
    pub tags: Vec<String>,
    /// A picture's address.
    pub image: Option<Url>,
    /// Where it could be read and is plausible.
    pub published: Option<Timestamp>,
    /// As published, where it could be read or not.
    pub published_text: Option<String>,
    /// What the entry, or else its feed, says of its language.
    pub language: Option<String>,
}

impl Entry {
    /// Whether there is anything in it to know it by or to read: an id, a link, a title or a text. A date, a picture or
    /// a name alone is nothing to store.
    pub fn says_something(&self) -> bool {
        let texts = [&self.title, &self.summary_html, &self.content_html];
        self.guid.is_some() || self.url.is_some() || texts.iter().any(|text| !text.is_empty())
    }
}

/// An entry that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Which one, as far as it can be named.
    pub entry: String,
    /// Why.
    pub reason: String,
}

/// What was read from a document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// Oldest first.
    pub entries: Vec<Entry>,
    /// Entries that hold nothing at all, or lead nowhere.
    pub rejected: Vec<Rejected>,
    /// `RSS 2.0`, `Atom 1.0`, `RDF 1.0`, `JSON Feed 1.1`, `sitemap`, `sitemap index`, `page`.
    pub format: String,
    /// `windows-1256 (declared)`.
    pub charset: String,
    /// The feed's own title.
    pub title: Option<String>,
    /// The feed's own language, lower case.
    pub language: Option<String>,
    /// The site that the feed belongs to.
    pub site: Option<Url>,
    /// How often the feed says it changes (`ttl`, `sy:update*`).
    pub asked_interval: Option<Span>,
    /// What had to be repaired, or was cut, in words.
    pub notes: Vec<String>,
    /// Further documents of a sitemap index, newest first.
    pub more: Vec<Url>,
}

/// Reads a document as its feed's configuration says.
///
/// # Errors
/// Where nothing in it can be an entry: HTML instead of a feed, an empty body, a bot wall. The kinds are `not-a-feed`,
/// `bot-wall`, `login-page`, `empty`, `json-error` and `selector`.
pub fn parse(document: &Document, feed: &FeedConfig, now: Timestamp) -> Result<Parsed, PollError> {
    if document.bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(detect::empty(&document.url));
    }
    let tld = document.url.domain().and_then(|host| host.rsplit('.').next());
    let hints = Hints { configured: feed.charset.as_deref(), http: document.charset.as_deref(), tld };
    let decoded = decode::decode(&document.bytes, hints);
    let mut parsed = parse_text(&decoded.text, &document.url, feed, now)?;
    parsed.charset = format!("{} ({})", decoded.charset, why(decoded.why));
    if decoded.bad > 0 {
        parsed.notes.push(format!("{} byte sequences are not {}", decoded.bad, decoded.charset));
    }
    parsed.notes.extend(document.cut.clone());
    Ok(parsed)
}

/// Why a charset was chosen, in a word or two.
const fn why(why: Why) -> &'static str {
    match why {
        Why::Configured => "configured",
        Why::Bom => "byte order mark",
        Why::ValidUtf8 => "valid UTF-8",
        Why::Http => "HTTP header",
        Why::Declared => "declared",
        Why::Detected => "detected",
    }
}

/// Reads the text of a document that has been decoded.
///
/// # Errors
/// As [`parse`].
pub fn parse_text(text: &str, url: &Url, feed: &FeedConfig, now: Timestamp) -> Result<Parsed, PollError> {
    let mut notes = Notes::default();
    let text = &*repair::clean(text, &mut notes);
    if text.trim().is_empty() {
        return Err(detect::empty(url));
    }
    let times = Times::new(feed, now);
    let limit = usize::try_from(feed.max_entries).unwrap_or(usize::MAX);
    let mut parsed = match (feed.kind, &feed.page) {
        (SourceKind::Page, Some(selectors)) => page::read(text, url, selectors, &times, limit)?,
        _ if text.trim_start().starts_with(['{', '[']) => json::read(text, url, &times, limit)?,
        _ => {
            let tree = tree::read(text, limit);
            notes.join(&tree.notes);
            let read = sitemap::read(&tree, url, &times, limit).or_else(|| feed::read(&tree, url, &times));
            read.ok_or_else(|| detect::not_a_feed(text, url))?
        }
    };
    parsed.notes.splice(..0, notes.words());
    parsed.notes.extend(times.note);
    finish(&mut parsed);
    Ok(parsed)
}

/// Repetitions out, oldest first.
fn finish(parsed: &mut Parsed) {
    let before = parsed.entries.len();
    // Copies of one piece, not pieces that share an id or a title: both happen (traps T4, T9). The texts, which are long,
    // are looked at only where all else is the same.
    let mut seen: HashMap<_, (&Entry, HashSet<_>)> = HashMap::new();
    let mut keep = Vec::with_capacity(before);
    for entry in &parsed.entries {
        let Entry { guid, url, title, summary_html, content_html, .. } = entry;
        keep.push(match seen.entry((guid, url, title, summary_html.len(), content_html.len())) {
            MapEntry::Vacant(place) => {
                place.insert((entry, HashSet::new()));
                true
            }
            MapEntry::Occupied(mut place) => {
                let (first, others) = place.get_mut();
                others.insert((&first.summary_html, &first.content_html));
                others.insert((summary_html, content_html))
            }
        });
    }
    drop(seen);
    let mut keep = keep.into_iter();
    parsed.entries.retain(|_| keep.next().unwrap_or(true));
    let repeated = before - parsed.entries.len();
    if repeated > 0 {
        parsed.notes.push(format!("{repeated} entries stand in the document more than once"));
    }
    // Feeds are written newest first: backwards they are in order even without dates, and stay so where dates are equal.
    parsed.entries.reverse();
    if parsed.entries.iter().all(|entry| entry.published.is_some()) {
        parsed.entries.sort_by_key(|entry| entry.published);
    }
}

/// A published address made absolute; `None` where it is none of the web's.
fn address(text: &str, base: &Url) -> Option<Url> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let host = text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("www."));
    let url = if host { Url::parse(&format!("https://{text}")) } else { base.join(text) };
    url.ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some())
}
