//! One poll: a job in, what it gave out.
//!
//! In: a [`Job`]. Out: [`Collected`], with the cursor that follows once its candidates are stored.
//! Promise: stateless; an entry that fails is data ([`Rejected`](crate::item::Rejected)) and costs no other; whatever is
//! left out, because a stop or the page budget came first, is left unseen in the cursor, so the next poll takes it up.
//! Not here: when to poll ([`super::schedule`]), whether an item is a copy ([`super::commit`]).

mod draft;
mod finish;
mod poll;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use self::draft::Draft;
use self::finish::Finished;
use self::poll::{Left, Poll};
use super::{Job, Stop, now};
use crate::fetch::{ACCEPT_FEED, ACCEPT_PAGE, Client, FetchError, Fetched, Request};
use crate::id::EntryKey;
use crate::item::Collected;
use crate::parse::{self, Entry, Parsed};
use crate::serve::Loaded;
use crate::source::{
    Document, FeedConfig, FeedCursor, MAX_PAGE_TRIES, PollError, PollOutcome, PollRecord, Seen, Severity,
};
use crate::telemetry::metrics;
use crate::units::Span;

/// How many pages one poll fetches. The rest is left for the next poll, which is due at once: a feed of a thousand
/// unseen entries neither holds a worker for an hour nor keeps an hour's work out of the store.
const PAGES_PER_POLL: u32 = 40;
/// For how long one poll begins to fetch pages: a host that asks for a minute between requests must not keep what is
/// already fetched out of the store for the better part of an hour.
const PAGES_FOR: Duration = Duration::from_secs(120);
/// How many documents of a sitemap index are read, newest first.
const SITEMAPS_PER_POLL: usize = 3;
/// How long to wait before a poll that takes up what the last one left.
const CONTINUE_AFTER: Span = Span::secs(5);

/// Makes polls; cheap to clone.
#[derive(Clone, Debug)]
pub struct Collector {
    /// The door to the web.
    pub client: Client,
    /// Topics, replaced on reload.
    pub loaded: watch::Receiver<Arc<Loaded>>,
    /// Ends waiting; what is in hand is finished.
    pub stop: Stop,
}

impl Collector {
    /// Polls. `None` when the stop came while waiting for the feed: nothing has changed then.
    pub async fn poll(&self, job: Job) -> Option<Collected> {
        let began = Instant::now();
        let at = now();
        let mut poll = Poll::new(job, self.loaded.borrow().topics.clone());
        match self.get(poll.request()).await? {
            Ok(Fetched::NotModified { .. }) => {
                poll.outcome.status = Some(304);
                poll.outcome.not_modified = true;
            }
            Ok(Fetched::Document(document)) => self.read(&mut poll, &Arc::from(document)).await,
            Err(error) => {
                poll.outcome.status = error.status_code();
                poll.outcome.error = Some(error.0);
            }
        }
        Some(poll.finish(at, began.elapsed().as_millis()))
    }

    /// A request, given up when the stop comes.
    async fn get(&self, request: Request) -> Option<Result<Fetched, FetchError>> {
        tokio::select! {
            biased;
            () = self.stop.wait() => None,
            answer = self.client.get(request) => Some(answer),
        }
    }

    /// What a feed gives at this moment: as a first poll, but without the pages of its entries, and for nobody to keep.
    pub async fn look(&self, feed: FeedConfig) -> PollOutcome {
        let cursor = FeedCursor::start(&feed, now());
        let mut poll = Poll::new(Job { feed, cursor }, self.loaded.borrow().topics.clone());
        let parsed = match self.get(poll.request()).await {
            Some(Ok(Fetched::Document(document))) => {
                let document = Arc::from(document);
                poll.received(&document);
                let parsed = self.parse(&mut poll, &document).await;
                if let Ok(parsed) = &parsed {
                    poll.follow(&document, !parsed.entries.is_empty());
                    poll.outcome.notes.extend(poll.cursor.whereabouts(&poll.feed));
                }
                parsed
            }
            Some(Err(error)) => {
                poll.outcome.status = error.status_code();
                Err(error.0)
            }
            // A first poll has no condition to ask with.
            Some(Ok(Fetched::NotModified { .. })) | None => return poll.outcome,
        };
        match parsed {
            Ok(parsed) => {
                poll.describe(&parsed);
                poll.outcome.entries = u32::try_from(parsed.entries.len()).unwrap_or(u32::MAX);
                poll.outcome.published = draft::newest_times(parsed.entries.iter(), now());
            }
            Err(error) => poll.outcome.error = Some(error),
        }
        poll.outcome
    }

    async fn read(&self, poll: &mut Poll, document: &Arc<Document>) {
        poll.received(document);
        let body = xxhash_rust::xxh3::xxh3_64(&document.bytes);
        if poll.cursor.body_hash == Some(body) && !poll.page_is_due() {
            poll.outcome.notes.push("the same bytes as last time".to_owned());
            // The feed is known by its bytes; what a redirect led to without being remembered, it is not.
            poll.follow(document, poll.cursor.led_away.is_none());
            poll.accept(document);
            return;
        }
        match self.parse(poll, document).await {
            Ok(parsed) => {
                if let Err(error) = self.entries(poll, parsed, document.cut.is_some()).await {
                    poll.keep(document, Some(error.clone()));
                    poll.outcome.error = Some(error);
                    return;
                }
                if poll.outcome.rejected > 0 {
                    poll.keep(document, None);
                }
                poll.follow(document, poll.outcome.entries > 0);
                if poll.left == Left::Nothing {
                    poll.accept(document);
                    poll.cursor.body_hash = Some(body);
                }
            }
            Err(error) => poll.outcome.error = Some(error),
        }
    }

    async fn parse(&self, poll: &mut Poll, document: &Arc<Document>) -> Result<Parsed, PollError> {
        let mut parsed = parse_apart(poll, document).await?;
        let parts = std::mem::take(&mut parsed.more);
        if parts.is_empty() {
            return Ok(parsed);
        }
        // An index stays the same while its parts change: nothing that the server says of it holds for them.
        poll.left = Left::Parts;
        if parts.len() > SITEMAPS_PER_POLL {
            parsed.notes.push(format!(
                "{SITEMAPS_PER_POLL} of the {} parts of the sitemap are read, newest first",
                parts.len()
            ));
        }
        let (mut read, mut first_error) = (0, None);
        for url in parts.into_iter().take(SITEMAPS_PER_POLL) {
            let name = url.to_string();
            let Some(answer) = self.get(poll.request_for(url, ACCEPT_FEED)).await else {
                poll.left = Left::Entries;
                return Ok(parsed);
            };
            let part = match answer {
                Ok(Fetched::Document(document)) => parse_apart(poll, &Arc::from(document)).await,
                Ok(Fetched::NotModified { .. }) => continue,
                Err(error) => Err(error.0),
            };
            match part {
                Ok(part) => {
                    read += 1;
                    parsed.entries.extend(part.entries);
                    parsed.rejected.extend(part.rejected);
                    parsed.notes.extend(part.notes);
                    if !part.more.is_empty() {
                        parsed.notes.push(format!("{name}: an index within an index is not followed"));
                    }
                }
                Err(error) => {
                    parsed.notes.push(format!("a part of the sitemap was not read: {name}: {}", error.message));
                    first_error.get_or_insert(error);
                }
            }
        }
        match first_error {
            Some(error) if read == 0 && parsed.entries.is_empty() => Err(error),
            _ => Ok(parsed),
        }
    }

    async fn entries(&self, poll: &mut Poll, mut parsed: Parsed, cut: bool) -> Result<(), PollError> {
        poll.describe(&parsed);
        let (name, entries) = (poll.feed.url.path().to_owned(), std::mem::take(&mut parsed.entries));
        // No key is ever made of an empty field (trap T4).
        let (entries, mute): (Vec<_>, Vec<_>) = entries.into_iter().partition(Entry::says_something);
        for entry in mute {
            let name =
                entry.published_text.map_or_else(|| "an entry".to_owned(), |date| format!("the entry of {date}"));
            poll.reject("parse", name, "it has no title, link, id or text".to_owned());
        }
        // Thousands of entries take their time, and this thread has others to look after.
        let drafts = tokio::task::spawn_blocking(move || draft::all(entries)).await;
        let drafts = drafts.map_err(|panic| own_fault(&name, &panic))?;
        poll.outcome.entries = u32::try_from(drafts.len()).unwrap_or(u32::MAX);
        poll.outcome.published = draft::newest_times(drafts.iter().map(|draft| &draft.entry), now());
        let language = poll.feed.language.clone().or(parsed.language);
        let mut pages_left = Budget { pages: PAGES_PER_POLL, until: Instant::now() + PAGES_FOR };
        let mut shown: Vec<Option<Seen>> = vec![None; drafts.len()];
        let mut again = Vec::new();
        for (at, draft) in drafts.into_iter().enumerate() {
            let known = poll.cursor.seen(draft.key, draft.url_key).copied();
            // What is left out now stays as it was, and is found changed the next time.
            shown[at] = known;
            if let Some(seen) = known.filter(|seen| seen.hash == draft.hash) {
                shown[at] = Some(Seen { key: draft.key, url: draft.url_key, ..seen });
                if seen.page_is_due(poll.cursor.polls) {
                    again.push((at, draft, seen));
                }
                continue;
            }
            let left = if draft.needs_page(&poll.feed) { Some(&mut pages_left) } else { None };
            match self.page(poll, &draft, left).await {
                None => poll.left = Left::Entries,
                Some(page) => shown[at] = Some(self.entry(poll, draft, known, page, language.as_deref()).await),
            }
        }
        // Pages that failed before come last, and only where nothing else waits: polls that follow each other within
        // seconds are no further chances (trap T20).
        if poll.left != Left::Entries {
            for (at, draft, known) in again {
                let left = if draft.needs_page(&poll.feed) { Some(&mut pages_left) } else { None };
                let Some(page) = self.page(poll, &draft, left).await else { break };
                shown[at] = Some(self.entry(poll, draft, Some(known), page, language.as_deref()).await);
            }
        }
        // Entries come oldest first; the cursor keeps the newest first, so that forgetting forgets the oldest.
        let shown: Vec<Seen> = shown.into_iter().rev().flatten().collect();
        let here = shown.len();
        poll.cursor.remember(shown);
        if !cut && poll.left == Left::Nothing {
            // What has left the document cannot be tried again; it must not keep the feed from conditional requests.
            for gone in poll.cursor.seen.iter_mut().skip(here).filter(|seen| seen.wants_page()) {
                gone.page_tries = MAX_PAGE_TRIES;
            }
        }
        Ok(())
    }

    /// The page of an entry, taken from the budget; `Some(None)` where it needs none. `None` where it has to wait for
    /// another poll, because of the budget or the stop.
    async fn page(
        &self,
        poll: &Poll,
        draft: &Draft,
        left: Option<&mut Budget>,
    ) -> Option<Option<Result<Document, PageFault>>> {
        if self.stop.is_set() {
            return None;
        }
        let (Some(left), Some(url)) = (left, draft.entry.url.clone()) else { return Some(None) };
        left.take()?;
        let answer = self.get(poll.request_for(url, ACCEPT_PAGE)).await?;
        Some(Some(document_of(answer)))
    }

    /// One unseen, revised or page-less entry.
    async fn entry(
        &self,
        poll: &mut Poll,
        draft: Draft,
        known: Option<Seen>,
        page: Option<Result<Document, PageFault>>,
        language: Option<&str>,
    ) -> Seen {
        let mut seen = Seen { key: draft.key, url: draft.url_key, hash: draft.hash, page_tries: 0 };
        let before = known.map_or(0, |seen| seen.page_tries);
        let retry = known.is_some_and(|seen| seen.hash == draft.hash);
        let name = draft.name();
        let asked = !matches!(&page, Some(Err(PageFault { asked: false, .. })));
        let task = finish::Task {
            draft,
            page: page.map(|page| page.map_err(|fault| fault.reason)),
            feed: poll.feed.clone(),
            language: language.map(str::to_owned),
            topics: poll.topics.clone(),
            recurring: poll.cursor.recurring.clone(),
            now: now(),
        };
        let finished = tokio::task::spawn_blocking(move || finish::finish(task)).await;
        match finished {
            Ok(Finished { candidate, page_missing, told }) => {
                for told in told {
                    poll.told(told);
                }
                if let Some(reason) = page_missing {
                    // A host that wants to be left alone was not asked: that is no try.
                    seen.page_tries = if retry { before.saturating_add(u8::from(asked)) } else { 1 };
                    poll.page_failed(&name, &reason);
                }
                match candidate {
                    // A retry that failed again brings nothing that is not stored already.
                    Ok(_) if retry && seen.page_tries > 0 => {}
                    Ok(candidate) => {
                        *(if known.is_some() { &mut poll.outcome.revised } else { &mut poll.outcome.new }) += 1;
                        poll.candidates.push(*candidate);
                    }
                    Err(reason) => poll.reject("extract", name, reason),
                }
            }
            Err(panic) => {
                // A fault of ours: the entry is tried again, as one whose page failed, and not taken for dealt with.
                seen.page_tries = before.saturating_add(1);
                poll.reject("extract", name, format!("processing it failed: {panic}"));
            }
        }
        seen
    }
}

/// Why there is no page.
struct PageFault {
    reason: String,
    /// Whether its host was asked at all.
    asked: bool,
}

/// How many pages this poll may still fetch.
struct Budget {
    pages: u32,
    until: Instant,
}

impl Budget {
    /// One page less; `None` when it is used up.
    fn take(&mut self) -> Option<()> {
        self.pages = self.pages.checked_sub(1).filter(|_| Instant::now() < self.until)?;
        Some(())
    }
}

fn document_of(answer: Result<Fetched, FetchError>) -> Result<Document, PageFault> {
    match answer {
        Ok(Fetched::Document(document)) => Ok(*document),
        Ok(Fetched::NotModified { url }) => {
            Err(PageFault { reason: format!("{url}: answered 304 without being asked a condition"), asked: true })
        }
        Err(error) => {
            let asked = error.0.kind != "throttled" || error.status_code().is_some();
            Err(PageFault { reason: error.to_string(), asked })
        }
    }
}

/// Parses on a blocking thread: a large document must not hold up the others' timers. One that cannot be read, or not all
/// of it, is kept.
async fn parse_apart(poll: &mut Poll, document: &Arc<Document>) -> Result<Parsed, PollError> {
    let (shared, feed) = (document.clone(), poll.feed.clone());
    let parsed = tokio::task::spawn_blocking(move || parse::parse(&shared, &feed, now())).await;
    let parsed = parsed.unwrap_or_else(|panic| Err(own_fault(document.url.as_str(), &panic)));
    match &parsed {
        Ok(parsed) if parsed.rejected.is_empty() => {}
        Ok(_) => poll.keep(document, None),
        Err(error) => poll.keep(document, Some(error.clone())),
    }
    parsed
}

fn own_fault(name: &str, panic: &tokio::task::JoinError) -> PollError {
    PollError {
        kind: "parse".to_owned(),
        message: format!("{name}: reading the document failed: {panic}"),
        hint: "this is a fault in rasid; please report it with the document".to_owned(),
        severity: Severity::Soft,
        retry_after: None,
    }
}

/// The key of an entry by its canonical address.
fn url_key(canonical: &url::Url) -> EntryKey {
    EntryKey::of("url", canonical.as_str())
}

/// Says in the log what a poll gave, once it is on disk.
pub fn report(feed: &crate::id::FeedId, poll: &PollRecord, receipt: &crate::queue::Receipt) {
    let (outcome, next) = (&poll.outcome, poll.next);
    metrics::polled(outcome.error.as_ref().map(|error| error.kind.as_str()));
    match &outcome.error {
        Some(error) => {
            tracing::warn!(%feed, kind = error.kind, %next, hint = error.hint, "{}", error.message);
        }
        None => tracing::info!(
            %feed,
            entries = outcome.entries,
            stored = receipt.stored,
            revised = receipt.revised,
            rejected = outcome.rejected,
            not_modified = outcome.not_modified,
            took_ms = poll.took_ms,
            %next,
            "polled"
        ),
    }
}
