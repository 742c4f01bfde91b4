//! What is polled, where it was left, and when it is polled next.
//!
//! In: a feed's configuration, its cursor, the outcome of a poll, and `now`. Out: the cursor that follows.
//! Promise: pure; the same history gives the same next poll. A feed slows down but is never given up.
//! Not here: fetching ([`crate::fetch`]), the clock ([`crate::pipeline`]), storing the cursor ([`crate::store`]).

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::id::{EntryKey, FeedId};
use crate::text::recurring::RecurringLines;
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

/// An entry that a feed has shown before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Which entry.
    pub key: EntryKey,
    /// Its canonical address, where no other entry of the document has the same: known by it when its guid changes (trap T9).
    pub url: Option<EntryKey>,
    /// A hash of what the feed said of it, to notice a revision.
    pub hash: u64,
    /// How often its page was tried in vain; 0 when nothing is missing.
    pub page_tries: u8,
}

impl Seen {
    /// Whether its page is to be tried again at all.
    pub const fn wants_page(&self) -> bool {
        self.page_tries > 0 && self.page_tries < MAX_PAGE_TRIES
    }

    /// Whether its page is to be tried again in the poll that comes after `polls` others: in the next one, then at every
    /// second, fourth, eighth … so that the tries reach over hours and not over one bad quarter of an hour.
    pub const fn page_is_due(&self, polls: u64) -> bool {
        self.wants_page() && polls.is_multiple_of(1 << (self.page_tries - 1))
    }
}

/// How often a page that fails is tried again (trap T20: one failure must not leave the teaser for ever).
/// Seven tries reach over thirty to sixty polls.
pub const MAX_PAGE_TRIES: u8 = 7;

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
    /// Polls so far.
    pub polls: u64,
    /// Entries ever stored from it.
    pub stored: u64,
    /// Where a permanent redirect has moved it.
    pub moved_to: Option<Url>,
    /// A hash of the last body, to notice an unchanged one without validators.
    pub body_hash: Option<u64>,
    /// Whether an audit found new entries behind an unchanged validator: the feed is then always asked in full (trap T12).
    pub distrusted: bool,
    /// What its entries' pages print again and again.
    pub recurring: RecurringLines,
}

/// How many entries that have left the document are remembered besides those in it.
const SEEN_BESIDES: usize = 200;
/// Every so many 304 answers a full request is made, to catch a server whose validators never change (trap T12).
const AUDIT_EVERY: u32 = 24;
/// However long a server asks to be left alone, it is asked again after this.
const MAX_RETRY_AFTER: Span = Span::secs(24 * 3_600);

/// The next time a feed is polled, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    /// The time between polls as adapted; what the next decision starts from.
    pub interval: Span,
    /// How long to wait now; longer than `interval` after failures.
    pub wait: Span,
    /// The rule that decided, in words, for `feeds why`.
    pub rule: String,
}

impl FeedCursor {
    /// Where a feed stands that was never polled: due at `first`.
    pub fn start(feed: &FeedConfig, first: Timestamp) -> Self {
        Self {
            validators: Validators::default(),
            validators_url: None,
            next: first,
            interval: feed.interval,
            failures: 0,
            not_modified: 0,
            seen: Vec::new(),
            polls: 0,
            stored: 0,
            moved_to: None,
            body_hash: None,
            distrusted: false,
            recurring: RecurringLines::default(),
        }
    }

    /// The address to ask: the configured one, or where a permanent redirect has moved it.
    pub fn address<'a>(&'a self, feed: &'a FeedConfig) -> &'a Url {
        self.moved_to.as_ref().unwrap_or(&feed.url)
    }

    /// What to ask with: nothing when the validators belong to another address, when it is time to audit the 304s, or
    /// when a page is to be tried again and the document is needed for that.
    pub fn validators_for(&self, url: &Url) -> Validators {
        let audit = self.not_modified > 0 && self.not_modified.is_multiple_of(AUDIT_EVERY);
        let retry_page = self.page_is_due();
        // Whom it was asked as is not part of the address that answered.
        let same = self.validators_url.as_ref().is_some_and(|known| bare(known) == bare(url));
        if self.distrusted || audit || retry_page || !same { Validators::default() } else { self.validators.clone() }
    }

    /// Whether the coming poll tries a page again, for which it needs the document in full.
    pub fn page_is_due(&self) -> bool {
        self.seen.iter().any(|seen| seen.page_is_due(self.polls))
    }

    /// How this feed knows the entry with these keys, if it was shown before.
    pub fn seen(&self, key: EntryKey, url: Option<EntryKey>) -> Option<&Seen> {
        self.seen
            .iter()
            .find(|seen| seen.key == key)
            .or_else(|| url.and_then(|url| self.seen.iter().find(|seen| seen.url == Some(url))))
    }

    /// Puts the entries of a document, newest first, before those remembered, and forgets the oldest beyond the limit.
    pub fn remember(&mut self, shown: Vec<Seen>) {
        let keys: std::collections::HashSet<EntryKey> = shown.iter().map(|seen| seen.key).collect();
        let urls: std::collections::HashSet<EntryKey> = shown.iter().filter_map(|seen| seen.url).collect();
        let limit = shown.len() + SEEN_BESIDES;
        let old = std::mem::replace(&mut self.seen, shown);
        let gone = |seen: &Seen| !keys.contains(&seen.key) && seen.url.is_none_or(|url| !urls.contains(&url));
        self.seen.extend(old.into_iter().filter(gone));
        self.seen.truncate(limit);
    }

    /// When the feed is polled next. `jitter` in 0..1 spreads feeds that would fall due together.
    pub fn next_poll(&self, outcome: &PollOutcome, feed: &FeedConfig, now: Timestamp, jitter: f64) -> Next {
        let mut next = match &outcome.error {
            Some(error) => self.after_failure(error, feed),
            None => self.after_success(outcome, feed, now),
        };
        let spread = 0.9 + 0.2 * jitter.clamp(0.0, 1.0);
        next.wait = Span(next.wait.get().mul_f64(spread));
        next
    }

    fn after_failure(&self, error: &PollError, feed: &FeedConfig) -> Next {
        let failures = self.failures.saturating_add(1).min(16);
        let base: u32 = match error.severity {
            Severity::Temporary | Severity::Soft => 2,
            Severity::Hard => 4,
        };
        let backed_off =
            self.interval.get().saturating_mul(base.saturating_pow(failures - 1)).min(feed.max_interval.get());
        let (wait, why) = match error.retry_after {
            Some(asked) if asked.get() > backed_off => {
                (asked.get().min(MAX_RETRY_AFTER.get()), "the server asked for this pause")
            }
            _ => (backed_off.max(feed.min_interval.get()), "the time between polls grows with each failure in a row"),
        };
        let rule = format!("{} failure, number {failures} in a row: {why}", error.severity.name());
        Next { interval: self.interval, wait: Span(wait), rule }
    }

    fn after_success(&self, outcome: &PollOutcome, feed: &FeedConfig, now: Timestamp) -> Next {
        let (min, max) = (feed.min_interval.get(), feed.max_interval.get());
        let before = self.interval.get();
        let (target, mut rule) = match publication_gap(&outcome.published, now) {
            Some(gap) => (gap, format!("its entries come about every {}", people(gap))),
            None if outcome.new > 0 => (before.mul_f64(0.5), "it had new entries: sooner".to_owned()),
            None => (before.mul_f64(1.5), "nothing new: later".to_owned()),
        };
        // Half way to the target: one odd day does not throw a feed from one end to the other.
        let mut interval = (before + target.min(max)) / 2;
        for (asked, who) in [(outcome.asked_interval, "the feed"), (outcome.fresh_for, "the server")] {
            // A wish is honoured up to the configured interval: feeds that say `ttl 1440` publish all day.
            if let Some(asked) =
                asked.map(|asked| asked.get().min(feed.interval.get())).filter(|asked| *asked > interval)
            {
                interval = asked;
                rule = format!("{who} asks for {} between polls", people(asked));
            }
        }
        if interval < min {
            interval = min;
            rule.push_str("; not below min_interval");
        } else if interval > max {
            interval = max;
            rule.push_str("; not above max_interval");
        }
        // Whole seconds where there are any: nobody wants to read 4283333ms.
        let interval =
            if interval >= Duration::from_secs(1) { Duration::from_secs(interval.as_secs()) } else { interval };
        let interval = Span(interval.max(min));
        Next { interval, wait: interval, rule }
    }

    /// The cursor after a poll, apart from what the document itself changes (`seen`, `validators`, `moved_to`).
    pub fn advance(&mut self, outcome: &PollOutcome, next: &Next, now: Timestamp) {
        self.polls += 1;
        self.interval = next.interval;
        self.next = now.checked_add(next.wait.get()).unwrap_or(now);
        self.failures = if outcome.error.is_some() { self.failures.saturating_add(1) } else { 0 };
        if outcome.error.is_none() {
            self.not_modified = if outcome.not_modified { self.not_modified.saturating_add(1) } else { 0 };
        }
    }
}

impl Severity {
    /// The word for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Temporary => "temporary",
            Self::Soft => "soft",
            Self::Hard => "hard",
        }
    }
}

/// The mean time between publications, from the newest entries' times (newest first); the silence since the newest one
/// counts, so a feed that falls asleep is asked ever less.
fn publication_gap(published: &[Timestamp], now: Timestamp) -> Option<Duration> {
    let (newest, oldest) = (published.first()?, published.last()?);
    let gaps = u32::try_from(published.len()).ok()?.checked_sub(1).filter(|gaps| *gaps >= 3)?;
    let between = Duration::try_from(newest.duration_since(*oldest)).ok()?;
    let silence = Duration::try_from(now.duration_since(*newest)).unwrap_or_default();
    Some((between / gaps).max(silence / 4))
}

fn people(span: Duration) -> String {
    match span.as_secs() {
        secs @ 0..120 => format!("{secs} s"),
        secs @ 120..7_200 => format!("{} min", secs / 60),
        secs => format!("{} h", secs / 3_600),
    }
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
