//! What came of a poll, as it is told and kept.
//!
//! In: what the collector finds. Out: [`PollRecord`] for `feeds why`, [`Unread`] for `feeds replay`.
//! Promise: plain values of a bounded size: however much an answer holds, little of it is kept.
//! Not here: what follows from it ([`super::FeedCursor`]).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use super::Document;
use crate::units::Span;

/// How heavily a failed poll weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
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
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
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
    /// The first of the entries refused, at most [`MAX_REFUSED`]; `rejected` counts all.
    pub refused: Vec<Refused>,
}

/// An entry that was refused, as `feeds why` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Refused {
    /// Where it failed: `parse`, `extract`.
    pub stage: String,
    /// Which entry, as far as it can be named; cut where that is long.
    pub entry: String,
    /// Why; cut where that is long.
    pub reason: String,
}

/// How many refused entries a poll's record names.
pub const MAX_REFUSED: usize = 20;
/// The longest name or reason in it, in characters.
const MAX_WORDS: usize = 300;

impl Refused {
    /// A refusal of bounded size.
    pub fn new(stage: &str, entry: &str, reason: &str) -> Self {
        Self { stage: stage.to_owned(), entry: clipped(entry), reason: clipped(reason) }
    }
}

fn clipped(text: &str) -> String {
    match text.char_indices().nth(MAX_WORDS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A document that could not be read, or not all of it: kept so that it can be read again, by a person, with other
/// settings, or by a later version of the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// When it was fetched.
    pub at: Timestamp,
    /// Where it came from after all redirects.
    pub url: Url,
    /// The HTTP status.
    pub status: u16,
    /// The media type of `Content-Type`.
    pub content_type: Option<String>,
    /// The charset of `Content-Type`.
    pub charset: Option<String>,
    /// Why the fetch did not get all of it.
    pub cut: Option<String>,
    /// How many bytes it had.
    pub length: u64,
    /// The first of them, at most [`MAX_UNREAD`].
    pub bytes: Vec<u8>,
    /// Why it could not be read; none where only entries of it were refused.
    pub error: Option<PollError>,
}

/// How much of an unread document is kept, in bytes. Pages in place of feeds have far less; a queue full of them still
/// fits into memory.
pub const MAX_UNREAD: usize = 1 << 20;

impl Unread {
    /// The beginning of a document, and why it is kept.
    pub fn of(document: &Document, error: Option<PollError>, at: Timestamp) -> Self {
        let Document { bytes, url, status, content_type, charset, cut, .. } = document;
        Self {
            at,
            url: url.clone(),
            status: *status,
            content_type: content_type.clone(),
            charset: charset.clone(),
            cut: cut.clone(),
            length: bytes.len() as u64,
            bytes: bytes.get(..MAX_UNREAD).unwrap_or(bytes).to_vec(),
            error,
        }
    }

    /// The document as it was, as far as it is kept.
    pub fn document(self) -> Document {
        let kept = self.bytes.len() as u64;
        let cut = match self.cut {
            None if kept < self.length => Some(format!("only the first {kept} of {} bytes are kept", self.length)),
            cut => cut,
        };
        Document {
            bytes: self.bytes,
            url: self.url,
            status: self.status,
            content_type: self.content_type,
            charset: self.charset,
            validators: super::Validators::default(),
            cut,
            redirects: Vec::new(),
            fresh_for: None,
        }
    }
}

/// One poll, as `feeds why` shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
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
