//! Feed bytes to entries.
//!
//! In: the body of a document and its final URL. Out: [`Entry`] values, oldest first, plus [`Rejected`] ones.
//! Promise: the same bytes give the same entries; one bad entry never hides its neighbours.
//! Not here: fetching ([`crate::fetch`]), page text ([`crate::extract`]), deciding what is new ([`crate::source`]).

pub mod feed;
pub mod page;
pub mod repair;
pub mod sitemap;

use jiff::Timestamp;
use url::Url;

use crate::source::{Document, FeedConfig, PollError};
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
    pub authors: Vec<String>,
    pub tags: Vec<String>,
    pub image: Option<Url>,
    /// Where it could be read and is plausible.
    pub published: Option<Timestamp>,
    /// As published, where it could be read or not.
    pub published_text: Option<String>,
    pub language: Option<String>,
}

/// An entry that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    pub entry: String,
    pub reason: String,
}

/// What was read from a document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// Oldest first.
    pub entries: Vec<Entry>,
    pub rejected: Vec<Rejected>,
    /// `RSS 2.0`, `Atom 1.0`, `RDF 1.0`, `JSON Feed 1.1`, `sitemap`, `sitemap index`, `page`.
    pub format: String,
    /// `windows-1256 (declared)`.
    pub charset: String,
    /// The feed's own title, language and site.
    pub title: Option<String>,
    pub language: Option<String>,
    pub site: Option<Url>,
    /// How often the feed says it changes (`ttl`, `sy:update*`).
    pub asked_interval: Option<Span>,
    /// What had to be repaired, or was cut, in words.
    pub notes: Vec<String>,
    /// Further documents of a sitemap index, newest first.
    pub more: Vec<Url>,
}

/// Reads a document as its feed's configuration says.
/// # Errors
/// Where nothing in it can be an entry: HTML instead of a feed, an empty body, a bot wall.
pub fn parse(_document: &Document, _feed: &FeedConfig, _now: Timestamp) -> Result<Parsed, PollError> {
    unimplemented!()
}
