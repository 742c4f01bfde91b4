//! A poll in the making: what it asks with, what it has found, and the cursor that follows.
//!
//! In: a [`Job`], and what the collector finds. Out: requests; in the end [`Collected`].
//! Promise: validators and the hash of a document are kept only when nothing of it is left to be dealt with; headers,
//! user names and passwords go to the feed's own host and nowhere else.
//! Not here: fetching and reading ([`super::Collector`]).

use std::collections::HashMap;
use std::sync::Arc;

use super::finish::Told;
use super::{CONTINUE_AFTER, PAGES_PER_POLL};
use crate::fetch::{ACCEPT_FEED, ACCEPT_PAGE, Request, keeps_secrets};
use crate::item::{Candidate, Collected, Rejected};
use crate::parse::Parsed;
use crate::pipeline::{Job, now};
use crate::source::{
    Document, FeedConfig, FeedCursor, MAX_REFUSED, Next, PollError, PollOutcome, PollRecord, Refused, SourceKind,
    Unread, Validators,
};
use crate::topic::Topics;

/// What of a document was not dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    Nothing,
    /// It is an index, and what is in its parts is known only by asking for it.
    Parts,
    /// Entries wait for the next poll, which is soon and must see all of it again.
    Entries,
}

/// A poll in the making.
pub(super) struct Poll {
    pub(super) feed: FeedConfig,
    /// The same for all its entries.
    pub(super) topics: Arc<Topics>,
    /// As it will be stored.
    pub(super) cursor: FeedCursor,
    pub(super) outcome: PollOutcome,
    pub(super) candidates: Vec<Candidate>,
    pub(super) rejected: Vec<Rejected>,
    /// While anything is left, the next poll must see the whole document again.
    pub(super) left: Left,
    /// Whether the validators were left out to audit 304 answers.
    pub(super) audit: bool,
    pub(super) pages_failed: HashMap<String, u32>,
    /// How texts of pages were found, where not in the usual way, and how often.
    pages_noted: HashMap<String, u32>,
    /// Lines that recur on the site's pages, left out of the texts of this poll.
    lines_left_out: usize,
    /// The first document that could not be read, or not all of it.
    pub(super) unread: Option<Unread>,
}

impl Poll {
    pub(super) fn new(job: Job, topics: Arc<Topics>) -> Self {
        let asked = job.cursor.validators_for(job.cursor.address(&job.feed));
        let audit = asked.is_empty() && !job.cursor.validators.is_empty() && job.cursor.not_modified > 0;
        Self {
            feed: job.feed,
            topics,
            cursor: job.cursor,
            outcome: PollOutcome::default(),
            candidates: Vec::new(),
            rejected: Vec::new(),
            left: Left::Nothing,
            audit,
            pages_failed: HashMap::new(),
            pages_noted: HashMap::new(),
            lines_left_out: 0,
            unread: None,
        }
    }

    pub(super) fn request(&self) -> Request {
        let url = self.cursor.address(&self.feed).clone();
        let validators = self.cursor.validators_for(&url);
        // Feeds and sitemaps are published for programs; a listing page is a page.
        let robots = self.feed.kind == SourceKind::Page;
        Request { validators, robots, ..self.request_for(url, ACCEPT_FEED) }
    }

    pub(super) fn request_for(&self, url: url::Url, accept: &'static str) -> Request {
        // Headers and passwords are for the feed's own host, not for wherever its entries point.
        let own = keeps_secrets(&self.feed.url, &url);
        let mut url = url;
        if own && self.feed.username.is_none() && url.username().is_empty() && url.password().is_none() {
            // Where it has moved to, and its parts and pages, are known without the user name of the feed's address.
            // Both fail only for addresses that cannot have them.
            let _kept = url.set_username(self.feed.url.username());
            let _kept = url.set_password(self.feed.url.password());
        }
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

    pub(super) fn page_is_due(&self) -> bool {
        self.cursor.page_is_due()
    }

    pub(super) fn received(&mut self, document: &Document) {
        self.outcome.status = Some(document.status);
        self.outcome.bytes = document.bytes.len() as u64;
        self.outcome.fresh_for = document.fresh_for;
        if let Some(cut) = &document.cut {
            self.outcome.notes.push(format!("the document was cut: {cut}"));
        }
    }

    pub(super) fn describe(&mut self, parsed: &Parsed) {
        self.outcome.format = Some(parsed.format.clone());
        self.outcome.charset = Some(parsed.charset.clone());
        self.outcome.asked_interval = parsed.asked_interval;
        self.outcome.notes.extend(parsed.notes.iter().cloned());
        for rejected in &parsed.rejected {
            self.reject("parse", rejected.entry.clone(), rejected.reason.clone());
        }
    }

    pub(super) fn reject(&mut self, stage: &str, entry: String, reason: String) {
        self.outcome.rejected += 1;
        if self.outcome.refused.len() < MAX_REFUSED {
            self.outcome.refused.push(Refused::new(stage, &entry, &reason));
        }
        self.rejected.push(Rejected { stage: stage.to_owned(), entry, reason });
    }

    pub(super) fn page_failed(&mut self, entry: &str, reason: &str) {
        tracing::debug!(feed = %self.feed.id, entry, reason, "no article text from the page; the teaser is kept and the page tried again");
        *self.pages_failed.entry(reason.to_owned()).or_default() += 1;
    }

    /// Takes over what a page or the feed said: to be compared with the next ones, and to be told.
    pub(super) fn told(&mut self, told: Told) {
        if !told.text.is_empty() {
            self.cursor.recurring.observe(&told.host, &told.address, &told.title, &told.text);
        }
        self.lines_left_out += told.left_out;
        for note in told.notes {
            *self.pages_noted.entry(note).or_default() += 1;
        }
    }

    fn tell_of_pages(&mut self) {
        let sorted = |counted: &mut HashMap<String, u32>| {
            let mut counted: Vec<_> = std::mem::take(counted).into_iter().collect();
            counted.sort();
            counted.into_iter().take(5)
        };
        for (reason, count) in sorted(&mut self.pages_failed) {
            self.outcome.notes.push(format!("{count} page(s) gave no article and will be tried again: {reason}"));
        }
        for (note, count) in sorted(&mut self.pages_noted) {
            self.outcome.notes.push(format!("{count} page(s): {note}"));
        }
        match self.lines_left_out {
            0 => {}
            1 => self.outcome.notes.push("1 line that recurs on this site's pages was left out".to_owned()),
            count => self.outcome.notes.push(format!("{count} lines that recur on this site's pages were left out")),
        }
    }

    /// Takes over what the answer says of itself: validators and a permanent move.
    pub(super) fn accept(&mut self, document: &Document) {
        if self.audit && self.outcome.new > 0 && document.validators == self.cursor.validators {
            self.cursor.distrusted = true;
            self.outcome.notes.push(
                "the server said `not modified` though there were new entries; from now on it is always asked in full"
                    .to_owned(),
            );
        }
        self.cursor.validators = document.validators.clone();
        self.cursor.validators_url = Some(document.url.clone());
    }

    /// Takes over what the way to the document says of the feed's address. Only for a document that was read.
    pub(super) fn follow(&mut self, document: &Document, entries: bool) {
        let before = self.cursor.moved(&self.feed).cloned();
        self.cursor.follow(&self.feed, &document.redirects, &document.url, entries);
        let moved = self.cursor.moved(&self.feed).filter(|moved| before.as_ref() != Some(*moved)).cloned();
        if let Some(moved) = moved {
            let from = without_user(self.feed.url.clone());
            self.outcome.notes.push(format!("moved for good: {from} now leads to {moved}; put that into `url`"));
            self.outcome.moved_to = Some(moved);
        }
    }

    /// Keeps a document that could not be read; the first of a poll, for that is where the fault is.
    pub(super) fn keep(&mut self, document: &Document, error: Option<PollError>) {
        self.unread.get_or_insert_with(|| Unread::of(document, error, now()));
    }

    pub(super) fn finish(mut self, at: jiff::Timestamp, took_ms: u128) -> Collected {
        self.tell_of_pages();
        self.outcome.notes.extend(self.cursor.whereabouts(&self.feed));
        let mut next = self.cursor.next_poll(&self.outcome, &self.feed, at, fastrand::f64());
        if self.left == Left::Entries && self.outcome.error.is_none() {
            let rule = format!("entries are waiting: one poll fetches at most {PAGES_PER_POLL} pages, for two minutes");
            next = Next { interval: self.cursor.interval, wait: CONTINUE_AFTER, rule };
        }
        if self.left != Left::Nothing {
            self.cursor.validators = Validators::default();
            self.cursor.body_hash = None;
        }
        let end = now();
        self.cursor.advance(&self.outcome, &next, end);
        if self.outcome.error.is_some() && self.cursor.failures > 0 && self.cursor.failures.is_multiple_of(5) {
            self.cursor.forget_move();
        }
        let poll = PollRecord {
            at,
            took_ms: u64::try_from(took_ms).unwrap_or(u64::MAX),
            outcome: self.outcome,
            next: self.cursor.next,
            rule: next.rule,
        };
        Collected {
            feed: self.feed.id,
            cursor: self.cursor,
            poll,
            candidates: self.candidates,
            rejected: self.rejected,
            classified_by: self.topics.version(),
            unread: self.unread,
        }
    }
}

fn without_user(mut url: url::Url) -> url::Url {
    let _none = url.set_password(None);
    let _none = url.set_username("");
    url
}
