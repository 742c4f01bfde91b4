//! What is polled, where it was left, and when it is polled next.
//!
//! In: a feed's configuration, its cursor, the outcome of a poll, and `now`. Out: the cursor that follows.
//! Promise: pure; the same history gives the same next poll. A feed slows down but is never given up.
//! Not here: fetching ([`crate::fetch`]), the clock ([`crate::pipeline`]), storing the cursor ([`crate::store`]).

mod cursor;
mod poll;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

pub use cursor::{FeedCursor, LedAway, MAX_PAGE_TRIES, Next, Seen, same_site};
pub use poll::{MAX_REFUSED, MAX_UNREAD, PollError, PollOutcome, PollRecord, Refused, Severity, Unread};

use crate::id::FeedId;
use crate::units::Span;

/// What a source publishes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
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
#[derive(Clone, PartialEq, Serialize, Deserialize)]
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

impl fmt::Debug for FeedConfig {
    /// Without what is secret: the password, the values of headers, user names and passwords in addresses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HIDDEN: &str = "(not shown)";
        // Taken apart whole, so that a new field is decided upon here, too.
        let Self {
            id,
            title,
            url,
            kind,
            enabled,
            disabled_reason,
            language,
            interval,
            min_interval,
            max_interval,
            full_text,
            headers,
            user_agent,
            proxy,
            username,
            password,
            charset,
            timezone,
            max_entries,
            page,
            article,
        } = self;
        let proxy = proxy.as_ref().map(|proxy| Url::parse(proxy).map_or(HIDDEN.to_owned(), |url| bare(&url).into()));
        f.debug_struct("FeedConfig")
            .field("id", id)
            .field("title", title)
            .field("url", &bare(url).as_str())
            .field("kind", kind)
            .field("enabled", enabled)
            .field("disabled_reason", disabled_reason)
            .field("language", language)
            .field("interval", interval)
            .field("min_interval", min_interval)
            .field("max_interval", max_interval)
            .field("full_text", full_text)
            .field("headers", &headers.keys().map(|name| (name, HIDDEN)).collect::<BTreeMap<_, _>>())
            .field("user_agent", user_agent)
            .field("proxy", &proxy)
            .field("username", username)
            .field("password", &password.as_ref().map(|_| HIDDEN))
            .field("charset", charset)
            .field("timezone", timezone)
            .field("max_entries", max_entries)
            .field("page", page)
            .field("article", article)
            .finish()
    }
}

/// `url` without user name and password.
fn bare(url: &Url) -> Url {
    let mut url = url.clone();
    // Both fail only for addresses that cannot have them.
    let _none = url.set_password(None);
    let _none = url.set_username("");
    url
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
