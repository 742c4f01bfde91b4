//! Where a feed was left, and when and where it is polled next.
//!
//! In: a feed's configuration, its cursor, the outcome of a poll, and `now`. Out: the cursor that follows.
//! Promise: pure; a feed slows down but is never given up, and comes back to speed with its first answer. A permanent
//! redirect is remembered for the configured address that it was found at, and for no other: who changes the
//! configuration has the last word. A redirect to another site is never silent.
//! Not here: fetching ([`crate::fetch`]), storing the cursor ([`crate::store`]).

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::{FeedConfig, PollError, PollOutcome, Redirect, Severity, Validators, bare};
use crate::id::EntryKey;
use crate::text::recurring::RecurringLines;
use crate::units::Span;

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
    /// Where a permanent redirect has moved it; [`FeedCursor::moved`] says whether that holds.
    pub moved_to: Option<Url>,
    /// The configured address that has moved there. None in what older versions wrote.
    pub moved_from: Option<Url>,
    /// Where redirects that are not permanent have led in the last polls.
    pub led_away: Option<LedAway>,
    /// A hash of the last body, to notice an unchanged one without validators.
    pub body_hash: Option<u64>,
    /// Whether an audit found new entries behind an unchanged validator: the feed is then always asked in full (trap T12).
    pub distrusted: bool,
    /// What its entries' pages print again and again.
    pub recurring: RecurringLines,
}

/// Redirects that are not permanent, and lead to the same place poll after poll.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedAway {
    /// Where they end.
    pub to: Url,
    /// For how many polls in a row.
    pub polls: u32,
}

/// How many entries that have left the document are remembered besides those in it.
const SEEN_BESIDES: usize = 200;
/// After so many polls in a row a redirect that calls itself temporary is told of.
pub(super) const LASTING: u32 = 24;
/// Every so many 304 answers a full request is made, to catch a server whose validators never change (trap T12).
pub(super) const AUDIT_EVERY: u32 = 24;
/// However long a server asks to be left alone, it is asked again after this.
pub(super) const MAX_RETRY_AFTER: Span = Span::secs(24 * 3_600);

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
            moved_from: None,
            led_away: None,
            body_hash: None,
            distrusted: false,
            recurring: RecurringLines::default(),
        }
    }

    /// The address to ask: the configured one, or where a permanent redirect has moved it.
    pub fn address<'a>(&'a self, feed: &'a FeedConfig) -> &'a Url {
        self.moved(feed).unwrap_or(&feed.url)
    }

    /// Where a permanent redirect has moved the feed as it is configured now.
    pub fn moved(&self, feed: &FeedConfig) -> Option<&Url> {
        let holds = match &self.moved_from {
            Some(from) => *from == bare(&feed.url),
            // Not known of which address it was said: the configured one is asked first, and this where that fails.
            None => self.failures > 0,
        };
        self.moved_to.as_ref().filter(|_| holds)
    }

    /// Takes over what the way to a document says of the feed's address. To be called only once the document was read as
    /// a feed: a domain that was sold or parked redirects everything, and that must not be remembered. For the same reason
    /// a move to another site counts only where `entries` were found there.
    pub fn follow(&mut self, feed: &FeedConfig, redirects: &[Redirect], answered: &Url, entries: bool) {
        let asked = bare(self.address(feed));
        if *answered == asked || redirects.is_empty() {
            self.led_away = None;
            if self.moved(feed).is_some() {
                self.moved_from = Some(bare(&feed.url));
            } else {
                (self.moved_to, self.moved_from) = (None, None);
            }
            return;
        }
        let permanent = redirects.iter().all(|hop| matches!(hop.status, 301 | 308));
        if !permanent || !(entries || same_site(&feed.url, answered)) {
            let polls = self.led_away.take().filter(|away| away.to == *answered).map_or(0, |away| away.polls);
            self.led_away = Some(LedAway { to: answered.clone(), polls: polls.saturating_add(1) });
        } else if *answered == bare(&feed.url) {
            // It has come back.
            (self.moved_to, self.moved_from, self.led_away) = (None, None, None);
        } else {
            self.moved_to = Some(answered.clone());
            self.moved_from = Some(bare(&feed.url));
            self.led_away = None;
        }
    }

    /// Forgets a move that stopped working: the configured address has the last word.
    pub fn forget_move(&mut self) {
        (self.moved_to, self.moved_from) = (None, None);
    }

    /// What is to be told of the feed's address at every poll.
    pub fn whereabouts(&self, feed: &FeedConfig) -> Option<String> {
        let site = |url: &Url| url.host_str().unwrap_or_default().to_owned();
        if let Some(to) = self.moved(feed) {
            return (!same_site(&feed.url, to)).then(|| {
                format!(
                    "moved to another site: {} redirects for good to {to}; if it is the same publisher, put that into \
                     `url`, otherwise disable the feed",
                    site(&feed.url)
                )
            });
        }
        let LedAway { to, polls } = self.led_away.as_ref()?;
        if !same_site(&feed.url, to) {
            Some(format!("another site answers: {} redirects to {to}, in poll {polls} in a row", site(&feed.url)))
        } else if *polls >= LASTING {
            Some(format!("a temporary redirect has led to {to} for {polls} polls; if it stays, put that into `url`"))
        } else {
            None
        }
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
        let keys: HashSet<EntryKey> = shown.iter().map(|seen| seen.key).collect();
        let urls: HashSet<EntryKey> = shown.iter().filter_map(|seen| seen.url).collect();
        let limit = shown.len() + SEEN_BESIDES;
        let old = std::mem::replace(&mut self.seen, shown);
        let gone = |seen: &Seen| !keys.contains(&seen.key) && seen.url.is_none_or(|url| !urls.contains(&url));
        self.seen.extend(old.into_iter().filter(gone));
        self.seen.truncate(limit);
    }

    /// When the feed is polled next. `jitter` in 0..1 spreads feeds that would fall due together.
    pub fn next_poll(&self, outcome: &PollOutcome, feed: &FeedConfig, now: Timestamp, jitter: f64) -> Next {
        let mut next = match &outcome.error {
            Some(error) if was_not_asked(outcome) => self.after_rest(error, feed),
            Some(error) => self.after_failure(error, feed),
            None => self.after_success(outcome, feed, now),
        };
        let spread = 0.9 + 0.2 * jitter.clamp(0.0, 1.0);
        next.wait = Span(next.wait.get().mul_f64(spread));
        next
    }

    /// Another feed of its host was told to stay away: this one has not failed, and comes when the host has rested.
    fn after_rest(&self, error: &PollError, feed: &FeedConfig) -> Next {
        let asked = error.retry_after.unwrap_or(self.interval).get().min(MAX_RETRY_AFTER.get());
        let rule = "it was not asked, for its host wants to be left alone until then".to_owned();
        Next { interval: self.interval, wait: Span(asked.max(feed.min_interval.get())), rule }
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
        self.failures = match &outcome.error {
            Some(_) if was_not_asked(outcome) => self.failures,
            Some(_) => self.failures.saturating_add(1),
            None => 0,
        };
        if outcome.error.is_none() {
            self.not_modified = if outcome.not_modified { self.not_modified.saturating_add(1) } else { 0 };
        }
    }
}

/// Whether nothing was asked at all, because the host rests.
fn was_not_asked(outcome: &PollOutcome) -> bool {
    outcome.status.is_none() && outcome.error.as_ref().is_some_and(|error| error.kind == "throttled")
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

/// Whether two addresses are of one registrable name, as far as that is told without a list of all registries: by the
/// last two labels, or three where the second is one that registries sell under (`com.eg`, `co.ma`).
pub fn same_site(one: &Url, other: &Url) -> bool {
    match (one.host(), other.host()) {
        (Some(Host::Domain(one)), Some(Host::Domain(other))) => {
            let (one, other) = (one.trim_end_matches('.'), other.trim_end_matches('.'));
            one == other || registered(one).is_some_and(|name| registered(other) == Some(name))
        }
        (one, other) => one == other,
    }
}

fn registered(host: &str) -> Option<&str> {
    const SOLD_UNDER: [&str; 14] =
        ["com", "co", "net", "org", "gov", "gob", "edu", "ac", "info", "mil", "press", "nom", "sch", "med"];
    let labels: Vec<&str> = host.rsplit('.').collect();
    let national = labels.first()?.len() == 2 && labels.get(1).is_some_and(|label| SOLD_UNDER.contains(label));
    let count = if national { 3 } else { 2 };
    let length = labels.get(..count)?.iter().map(|label| label.len() + 1).sum::<usize>() - 1;
    host.get(host.len() - length..)
}
