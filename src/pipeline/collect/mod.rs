//! One poll: a job in, what it gave out.
//!
//! In: a [`Job`]. Out: [`Collected`], with the cursor that follows once its candidates are stored.
//! Promise: stateless; an entry that fails is data ([`Rejected`]) and costs no other; whatever is left out, because a
//! stop or the page budget came first, is left unseen in the cursor, so the next poll takes it up.
//! Not here: when to poll ([`super::schedule`]), whether an item is a copy ([`super::commit`]).

mod draft;
mod finish;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;

use self::draft::Draft;
use self::finish::Finished;
use super::{Job, Stop, now};
use crate::fetch::{ACCEPT_FEED, ACCEPT_PAGE, Client, FetchError, Fetched, Request};
use crate::id::EntryKey;
use crate::item::{Candidate, Collected, Rejected};
use crate::parse::{self, Parsed};
use crate::serve::Loaded;
use crate::source::{
    Document, FeedConfig, FeedCursor, MAX_PAGE_TRIES, Next, PollError, PollOutcome, PollRecord, Seen, Severity, SourceKind,
    Validators,
};
use crate::units::Span;

/// How many pages one poll fetches. The rest is left for the next poll, which is due at once: a feed of a thousand
/// unseen entries neither holds a worker for an hour nor keeps an hour's work out of the store.
const PAGES_PER_POLL: u32 = 40;
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
        let mut poll = Poll::new(job);
        match self.get(poll.request()).await? {
            Ok(Fetched::NotModified { .. }) => poll.outcome.not_modified = true,
            Ok(Fetched::Document(document)) => self.read(&mut poll, *document).await,
            Err(error) => {
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

    async fn read(&self, poll: &mut Poll, document: Document) {
        poll.outcome.status = Some(document.status);
        poll.outcome.bytes = document.bytes.len() as u64;
        poll.outcome.fresh_for = document.fresh_for;
        if let Some(cut) = &document.cut {
            poll.outcome.notes.push(format!("the document was cut: {cut}"));
        }
        let body = xxhash_rust::xxh3::xxh3_64(&document.bytes);
        if poll.cursor.body_hash == Some(body) && !poll.pages_missing() {
            poll.outcome.notes.push("the same bytes as last time".to_owned());
            poll.accept(&document);
            return;
        }
        match self.parse(poll, document.clone()).await {
            Ok(parsed) => {
                self.entries(poll, parsed).await;
                if poll.complete {
                    poll.accept(&document);
                    poll.cursor.body_hash = Some(body);
                }
            }
            Err(error) => poll.outcome.error = Some(error),
        }
    }

    async fn parse(&self, poll: &mut Poll, document: Document) -> Result<Parsed, PollError> {
        let mut parsed = parse_apart(document, poll.feed.clone()).await?;
        for url in std::mem::take(&mut parsed.more).into_iter().take(SITEMAPS_PER_POLL) {
            let name = url.to_string();
            let Some(answer) = self.get(poll.request_for(url, ACCEPT_FEED)).await else {
                poll.complete = false;
                break;
            };
            let part = match answer {
                Ok(Fetched::Document(document)) => parse_apart(*document, poll.feed.clone()).await,
                Ok(Fetched::NotModified { .. }) => continue,
                Err(error) => Err(error.0),
            };
            match part {
                Ok(part) => {
                    parsed.entries.extend(part.entries);
                    parsed.rejected.extend(part.rejected);
                }
                Err(error) => {
                    poll.complete = false;
                    parsed.notes.push(format!("a part of the sitemap was not read: {name}: {}", error.message));
                }
            }
        }
        Ok(parsed)
    }

    async fn entries(&self, poll: &mut Poll, parsed: Parsed) {
        poll.describe(&parsed);
        let drafts = draft::all(parsed.entries);
        poll.outcome.entries = u32::try_from(drafts.len()).unwrap_or(u32::MAX);
        poll.outcome.published = draft::newest_times(&drafts, now());
        let language = poll.feed.language.clone().or(parsed.language);
        let mut pages_left = PAGES_PER_POLL;
        let mut shown = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let known = poll.cursor.seen(draft.key, draft.url_key).copied();
            if let Some(seen) = known.filter(|seen| seen.hash == draft.hash && !wants_page(seen)) {
                shown.push(Seen { key: draft.key, url: draft.url_key, ..seen });
                continue;
            }
            let page = if draft.needs_page(&poll.feed) { draft.entry.url.clone() } else { None };
            if self.stop.is_set() || (page.is_some() && pages_left == 0) {
                poll.complete = false;
                continue;
            }
            let page = match page {
                None => None,
                Some(url) => {
                    pages_left -= 1;
                    match self.get(poll.request_for(url, ACCEPT_PAGE)).await {
                        None => {
                            poll.complete = false;
                            continue;
                        }
                        Some(answer) => Some(document_of(answer)),
                    }
                }
            };
            let seen = self.entry(poll, draft, known, page, language.as_deref()).await;
            shown.push(seen);
        }
        // Entries come oldest first; the cursor keeps the newest first, so that forgetting forgets the oldest.
        shown.reverse();
        poll.cursor.remember(shown);
    }

    /// One unseen, revised or page-less entry.
    async fn entry(
        &self,
        poll: &mut Poll,
        draft: Draft,
        known: Option<Seen>,
        page: Option<Result<Document, String>>,
        language: Option<&str>,
    ) -> Seen {
        let mut seen = Seen { key: draft.key, url: draft.url_key, hash: draft.hash, page_tries: 0 };
        let before = known.map_or(0, |seen| seen.page_tries);
        let retry = known.is_some_and(|seen| seen.hash == draft.hash);
        let name = draft.name();
        let task = finish::Task {
            draft,
            page,
            feed: poll.feed.clone(),
            language: language.map(str::to_owned),
            topics: self.loaded.borrow().topics.clone(),
            now: now(),
        };
        let finished = tokio::task::spawn_blocking(move || finish::finish(task)).await;
        match finished {
            Ok(Finished { candidate, page_missing, .. }) => {
                if let Some(reason) = page_missing {
                    seen.page_tries = if retry { before.saturating_add(1) } else { 1 };
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
            Err(panic) => poll.reject("extract", name, format!("processing it failed: {panic}")),
        }
        seen
    }
}

/// Whether the page of an entry is to be tried again (trap T20).
fn wants_page(seen: &Seen) -> bool {
    seen.page_tries > 0 && seen.page_tries < MAX_PAGE_TRIES
}

fn document_of(answer: Result<Fetched, FetchError>) -> Result<Document, String> {
    match answer {
        Ok(Fetched::Document(document)) => Ok(*document),
        Ok(Fetched::NotModified { url }) => Err(format!("{url}: answered 304 without being asked a condition")),
        Err(error) => Err(error.to_string()),
    }
}

/// Parses on a blocking thread: a large document must not hold up the others' timers.
async fn parse_apart(document: Document, feed: FeedConfig) -> Result<Parsed, PollError> {
    let name = document.url.to_string();
    let parsed = tokio::task::spawn_blocking(move || parse::parse(&document, &feed, now())).await;
    parsed.unwrap_or_else(|panic| {
        Err(PollError {
            kind: "parse".to_owned(),
            message: format!("{name}: reading the document failed: {panic}"),
            hint: "this is a fault in rasid; please report it with the document".to_owned(),
            severity: Severity::Soft,
            retry_after: None,
        })
    })
}

/// A poll in the making.
struct Poll {
    feed: FeedConfig,
    /// As it will be stored.
    cursor: FeedCursor,
    outcome: PollOutcome,
    candidates: Vec<Candidate>,
    rejected: Vec<Rejected>,
    /// Whether everything in the document was dealt with; if not, the next poll must see it again.
    complete: bool,
    /// Whether the validators were left out to audit 304 answers.
    audit: bool,
    pages_failed: HashMap<String, u32>,
}

impl Poll {
    fn new(job: Job) -> Self {
        let asked = job.cursor.validators_for(job.cursor.address(&job.feed));
        let audit = asked.is_empty() && !job.cursor.validators.is_empty() && job.cursor.not_modified > 0;
        Self {
            feed: job.feed,
            cursor: job.cursor,
            outcome: PollOutcome::default(),
            candidates: Vec::new(),
            rejected: Vec::new(),
            complete: true,
            audit,
            pages_failed: HashMap::new(),
        }
    }

    fn request(&self) -> Request {
        let url = self.cursor.address(&self.feed).clone();
        let validators = self.cursor.validators_for(&url);
        // Feeds and sitemaps are published for programs; a listing page is a page.
        let robots = self.feed.kind == SourceKind::Page;
        Request { validators, robots, ..self.request_for(url, ACCEPT_FEED) }
    }

    fn request_for(&self, url: url::Url, accept: &'static str) -> Request {
        // Headers and passwords are for the feed's own host, not for wherever its entries point.
        let own = url.host_str() == self.feed.url.host_str();
        Request {
            url,
            validators: Validators::default(),
            headers: if own { self.feed.headers.clone() } else { Default::default() },
            user_agent: self.feed.user_agent.clone(),
            proxy: self.feed.proxy.clone(),
            username: self.feed.username.clone().filter(|_| own),
            password: self.feed.password.clone().filter(|_| own),
            accept,
            robots: accept == ACCEPT_PAGE,
        }
    }

    fn pages_missing(&self) -> bool {
        self.cursor.seen.iter().any(wants_page)
    }

    fn describe(&mut self, parsed: &Parsed) {
        self.outcome.format = Some(parsed.format.clone());
        self.outcome.charset = Some(parsed.charset.clone());
        self.outcome.asked_interval = parsed.asked_interval;
        self.outcome.notes.extend(parsed.notes.iter().cloned());
        for rejected in &parsed.rejected {
            self.reject("parse", rejected.entry.clone(), rejected.reason.clone());
        }
    }

    fn reject(&mut self, stage: &str, entry: String, reason: String) {
        self.outcome.rejected += 1;
        self.rejected.push(Rejected { stage: stage.to_owned(), entry, reason });
    }

    fn page_failed(&mut self, entry: &str, reason: &str) {
        tracing::debug!(feed = %self.feed.id, entry, reason, "no article text from the page; the teaser is kept and the page tried again");
        *self.pages_failed.entry(reason.to_owned()).or_default() += 1;
    }

    /// Takes over what the answer says of itself: validators and a permanent move.
    fn accept(&mut self, document: &Document) {
        let asked = self.cursor.address(&self.feed).clone();
        if self.audit && self.outcome.new > 0 && document.validators == self.cursor.validators {
            self.cursor.distrusted = true;
            self.outcome.notes.push(
                "the server said `not modified` though there were new entries; from now on it is always asked in full"
                    .to_owned(),
            );
        }
        self.cursor.validators = document.validators.clone();
        self.cursor.validators_url = Some(document.url.clone());
        let permanent = |hop: &crate::source::Redirect| matches!(hop.status, 301 | 308);
        if !document.redirects.is_empty() && document.redirects.iter().all(permanent) && document.url != asked {
            self.outcome.notes.push(format!("moved for good: {asked} now leads to {}", document.url));
            self.outcome.moved_to = Some(document.url.clone());
            self.cursor.moved_to = Some(document.url.clone());
        }
    }

    fn finish(mut self, at: jiff::Timestamp, took_ms: u128) -> Collected {
        let mut failed: Vec<_> = std::mem::take(&mut self.pages_failed).into_iter().collect();
        failed.sort();
        for (reason, count) in failed.into_iter().take(5) {
            self.outcome.notes.push(format!("{count} page(s) gave no article and will be tried again: {reason}"));
        }
        let mut next = self.cursor.next_poll(&self.outcome, &self.feed, at, fastrand::f64());
        if !self.complete {
            let rule = format!("entries are waiting: at most {PAGES_PER_POLL} pages are fetched in one poll");
            next = Next { interval: self.cursor.interval, wait: CONTINUE_AFTER, rule };
            self.cursor.validators = Validators::default();
            self.cursor.body_hash = None;
        }
        let end = now();
        self.cursor.advance(&self.outcome, &next, end);
        if self.outcome.error.is_some() && self.cursor.failures.is_multiple_of(5) {
            // A remembered move that stopped working is forgotten: the configured address has the last word.
            self.cursor.moved_to = None;
        }
        let poll = PollRecord {
            at,
            took_ms: u64::try_from(took_ms).unwrap_or(u64::MAX),
            outcome: self.outcome,
            next: self.cursor.next,
            rule: next.rule,
        };
        Collected { feed: self.feed.id, cursor: self.cursor, poll, candidates: self.candidates, rejected: self.rejected }
    }
}

/// The key of an entry by its canonical address.
fn url_key(canonical: &url::Url) -> EntryKey {
    EntryKey::of("url", canonical.as_str())
}

/// Says in the log what a poll gave, once it is on disk.
pub fn report(feed: &crate::id::FeedId, poll: &PollRecord, receipt: &crate::queue::Receipt) {
    let (outcome, next) = (&poll.outcome, poll.next);
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
