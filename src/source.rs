//! What is polled, where it was left, and when it is polled next.
//!
//! In: a feed's configuration, its cursor, the outcome of a poll, and `now`. Out: the cursor that follows.
//! Promise: pure; the same history gives the same next poll. A feed slows down but is never given up.
//! Not here: fetching ([`crate::fetch`]), the clock ([`crate::pipeline`]), storing the cursor ([`crate::store`]).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::id::{EntryKey, FeedId};
use crate::units::Span;

/// What a source publishes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// RSS, RDF, Atom or JSON Feed; which one is found out from the document.
    #[default]
    Feed,
    /// A Google News sitemap or a plain one.
    Sitemap,
    /// A listing page, read by CSS selectors.
    Page,
}

/// Whether the web page of an entry is fetched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FullText {
    /// When the entry carries no article of its own.
    #[default]
    Auto,
    /// For every unseen entry.
    Always,
    /// Not at all.
    Never,
}

/// CSS selectors of a listing page. `"a@href"` takes an attribute, a selector alone takes the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageSelectors {
    /// One match for each entry.
    pub entry: String,
    /// The address of the entry's page, within the entry.
    pub link: String,
    /// The headline, within the entry; without it the link's text.
    #[serde(default)]
    pub title: Option<String>,
    /// The date, within the entry.
    #[serde(default)]
    pub date: Option<String>,
    /// The teaser, within the entry.
    #[serde(default)]
    pub summary: Option<String>,
}

/// CSS selectors of an article's page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArticleSelectors {
    /// Where the main text stands, instead of the general extraction.
    #[serde(default)]
    pub text: Option<String>,
    /// What is cut out before anything is extracted.
    #[serde(default)]
    pub remove: Vec<String>,
}

/// One source, validated: what `feeds.toml` says of it with the defaults filled in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeedConfig {
    /// Its name, unique and never reused.
    pub id: FeedId,
    /// Its name for people; the id where none is given.
    pub title: String,
    /// Where it is polled.
    pub url: Url,
    /// What it publishes.
    pub kind: SourceKind,
    /// Whether it is polled.
    pub enabled: bool,
    /// Why it is not polled, for people.
    pub disabled_reason: Option<String>,
    /// The language it publishes in (`"ar"`), where it is known.
    pub language: Option<String>,
    /// Where the time between two polls starts.
    pub interval: Span,
    /// The shortest time between two polls.
    pub min_interval: Span,
    /// The longest time between two polls.
    pub max_interval: Span,
    /// Whether the entries' pages are fetched.
    pub full_text: FullText,
    /// Headers sent with every request to the feed.
    pub headers: BTreeMap<String, String>,
    /// The user agent, where this feed needs its own.
    pub user_agent: Option<String>,
    /// The address of a proxy for this feed.
    pub proxy: Option<String>,
    /// Basic authentication.
    pub username: Option<String>,
    /// Basic authentication. Never logged.
    pub password: Option<String>,
    /// The charset, where the feed's own declaration is wrong.
    pub charset: Option<String>,
    /// The IANA time zone of dates that have none, such as `"Asia/Riyadh"`.
    pub timezone: Option<String>,
    /// How many entries of one document are read.
    pub max_entries: u32,
    /// Selectors, for [`SourceKind::Page`].
    pub page: Option<PageSelectors>,
    /// Selectors of the entries' pages.
    pub article: Option<ArticleSelectors>,
}

/// How many entries of one document are read where a feed does not say.
pub const DEFAULT_MAX_ENTRIES: u32 = 2_000;

impl FeedConfig {
    /// A feed with every default, as `feeds.toml` gives it when only `id` and `url` are set.
    pub fn new(id: FeedId, url: Url) -> Self {
        Self {
            title: id.to_string(),
            id,
            url,
            kind: SourceKind::Feed,
            enabled: true,
            disabled_reason: None,
            language: None,
            interval: Span::secs(15 * 60),
            min_interval: Span::secs(2 * 60),
            max_interval: Span::secs(6 * 3_600),
            full_text: FullText::Auto,
            headers: BTreeMap::new(),
            user_agent: None,
            proxy: None,
            username: None,
            password: None,
            charset: None,
            timezone: None,
            max_entries: DEFAULT_MAX_ENTRIES,
            page: None,
            article: None,
        }
    }
}

/// What a server said of a document's version. They belong to one address: after a redirect to another, they say nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validators {
    /// The `ETag`, as sent, quotes included.
    pub etag: Option<String>,
    /// The `Last-Modified`, as sent.
    pub last_modified: Option<String>,
}

impl Validators {
    /// Whether there is nothing to ask with.
    pub fn is_empty(&self) -> bool {
        self.etag.is_none() && self.last_modified.is_none()
    }
}

/// One hop of a redirect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirect {
    /// 301, 302, 303, 307 or 308.
    pub status: u16,
    /// Where it led.
    pub to: Url,
}

/// Bytes fetched from one address.
#[derive(Clone, Debug)]
pub struct Document {
    /// The body, decoded of its content encoding and cut at the limit.
    pub bytes: Vec<u8>,
    /// Where it came from after all redirects: the base of relative links.
    pub url: Url,
    /// The HTTP status.
    pub status: u16,
    /// The media type of `Content-Type`, lower case, without parameters.
    pub content_type: Option<String>,
    /// The charset of `Content-Type`.
    pub charset: Option<String>,
    /// For the next conditional request.
    pub validators: Validators,
    /// Whether the body was cut at the limit or the connection ended early; what was read is in `bytes`.
    pub cut: Option<String>,
    /// The hops taken, in order.
    pub redirects: Vec<Redirect>,
    /// How long the server asks for the document to be kept, from `Cache-Control: max-age` or `Expires`.
    pub fresh_for: Option<Span>,
}

/// An entry that a feed has shown before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Which entry.
    pub key: EntryKey,
    /// A hash of what the feed said of it, to notice a revision.
    pub hash: u64,
    /// How often its page was tried in vain; 0 when nothing is missing.
    pub page_tries: u8,
}

/// How often a page that fails is tried again (trap T20: one failure must not leave the teaser for ever).
pub const MAX_PAGE_TRIES: u8 = 5;

/// How heavily a failed poll weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It will most likely pass by itself: a timeout, a reset connection, 503.
    Temporary,
    /// The source is there but gave nothing of use: HTML instead of a feed, a truncated document.
    Soft,
    /// Somebody has to act: 404, 410, 401, a name that does not resolve, a wrong certificate.
    Hard,
}

/// A failure of a poll, as it is told to people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollError {
    /// A short stable name: `timeout`, `dns`, `status`, `not-a-feed`.
    pub kind: String,
    /// What happened, to which input.
    pub message: String,
    /// What to do.
    pub hint: String,
    /// How heavily it weighs.
    pub severity: Severity,
    /// How long the server asked to be left alone.
    pub retry_after: Option<Span>,
}

/// What came of one poll.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PollOutcome {
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// The size of the decoded body.
    pub bytes: u64,
    /// Entries in the document.
    pub entries: u32,
    /// Entries not shown before.
    pub new: u32,
    /// Entries shown before with other words.
    pub revised: u32,
    /// Entries refused, with their reasons counted in the log.
    pub rejected: u32,
    /// The charset used and why, such as `windows-1256 (declared)`.
    pub charset: Option<String>,
    /// The format read, such as `RSS 2.0`.
    pub format: Option<String>,
    /// What had to be repaired, and whether anything was cut.
    pub notes: Vec<String>,
    /// Whether the server said that nothing changed.
    pub not_modified: bool,
    /// Why the poll failed.
    pub error: Option<PollError>,
    /// `ttl`, `sy:update*`: how often the feed says it changes.
    pub asked_interval: Option<Span>,
    /// `Cache-Control`, `Expires`: how long the server says the document holds.
    pub fresh_for: Option<Span>,
    /// Publication times of the entries in the document, newest first, at most 20.
    pub published: Vec<Timestamp>,
    /// A permanent redirect's target.
    pub moved_to: Option<Url>,
}

/// One poll, as `feeds why` shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PollRecord {
    /// When it began.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What came.
    pub outcome: PollOutcome,
    /// When the next one is due.
    pub next: Timestamp,
    /// By which rule, in words.
    pub rule: String,
}

/// Where a feed was left. Moves in the same transaction as the items it accounts for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeedCursor {
    /// For the next conditional request, and the address they belong to.
    pub validators: Validators,
    /// The address that gave the validators.
    pub validators_url: Option<Url>,
    /// When it is polled next.
    pub next: Timestamp,
    /// The time between polls as adapted.
    pub interval: Span,
    /// Failed polls in a row.
    pub failures: u32,
    /// 304 answers in a row; now and then a full request audits them (trap T12).
    pub not_modified: u32,
    /// The entries of the last documents, newest first.
    pub seen: Vec<Seen>,
    /// Whether the feed's guids can be told apart, from the evidence so far.
    pub polls: u64,
    /// Entries ever stored from it.
    pub stored: u64,
    /// Where a permanent redirect has moved it.
    pub moved_to: Option<Url>,
    /// A hash of the last body, to notice an unchanged one without validators.
    pub body_hash: Option<u64>,
}
