//! What is stored of feeds: where each was left, its last polls, and the last document that could not be read.
//!
//! In: [`FeedCursor`], [`PollRecord`] and [`Unread`]. Out: versioned records, and back.
//! Promise: as in [`super::schema`]: the structs are the store's own and never change once released.
//!
//! A cursor is two records. The entries seen are tens of kilobytes and rarely change, the rest is small and changes with
//! every poll: apart, a poll that brings nothing writes little. The small one has a hash of the large one, so that a reader
//! never takes the halves of two polls for one. An unread document is two records, too: a server that answers every poll
//! with the same page is told of anew each time, but its page is not written anew.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;
use xxhash_rust::xxh3::xxh3_64;

use super::engine::{Read, Table};
use super::schema::{damaged, packed_bytes, plain, plain_2, time_of, unpacked_bytes, unplain, unplain_2, url_of};
use super::staged::Staged;
use super::{StoreError, keys, recurring, values};
use crate::id::{EntryKey, FeedId};
use crate::source::{
    FeedCursor, LedAway, PollError, PollOutcome, PollRecord, Refused, Seen, Severity, Unread, Validators,
};
use crate::units::Span;

/// How many polls of a feed are kept.
pub(super) const MAX_POLLS: u64 = 50;
const TRIES: usize = 8;

#[derive(Serialize, Deserialize)]
struct CursorV1 {
    etag: Option<String>,
    last_modified: Option<String>,
    validators_url: Option<String>,
    next: i128,
    interval: SpanV1,
    failures: u32,
    not_modified: u32,
    polls: u64,
    stored: u64,
    moved_to: Option<String>,
    body_hash: Option<u64>,
    distrusted: bool,
    seen_hash: u64,
}

#[derive(Serialize, Deserialize)]
struct CursorV2 {
    first: CursorV1,
    moved_from: Option<String>,
    led_away: Option<(String, u32)>,
}

impl From<CursorV1> for CursorV2 {
    fn from(first: CursorV1) -> Self {
        Self { first, moved_from: None, led_away: None }
    }
}

/// Seconds and nanoseconds.
type SpanV1 = (u64, u32);

#[derive(Serialize, Deserialize)]
struct SeenV1 {
    key: [u8; 16],
    url: Option<[u8; 16]>,
    hash: u64,
    page_tries: u8,
}

#[derive(Serialize, Deserialize)]
struct PollV1 {
    at: i128,
    took_ms: u64,
    next: i128,
    rule: String,
    status: Option<u16>,
    bytes: u64,
    entries: u32,
    new: u32,
    revised: u32,
    rejected: u32,
    charset: Option<String>,
    format: Option<String>,
    notes: Vec<String>,
    not_modified: bool,
    error: Option<ErrorV1>,
    asked_interval: Option<SpanV1>,
    fresh_for: Option<SpanV1>,
    published: Vec<i128>,
    moved_to: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct PollV2 {
    first: PollV1,
    /// Stage, entry, reason.
    refused: Vec<(String, String, String)>,
}

impl From<PollV1> for PollV2 {
    fn from(first: PollV1) -> Self {
        Self { first, refused: Vec::new() }
    }
}

#[derive(Serialize, Deserialize)]
struct UnreadV1 {
    at: i128,
    url: String,
    status: u16,
    content_type: Option<String>,
    charset: Option<String>,
    cut: Option<String>,
    length: u64,
    error: Option<ErrorV1>,
    body_hash: u64,
}

#[derive(Serialize, Deserialize)]
struct ErrorV1 {
    kind: String,
    message: String,
    hint: String,
    severity: u8,
    retry_after: Option<SpanV1>,
}

/// Stages where a feed is left.
pub(super) fn put_cursor(staged: &mut Staged<'_>, feed: &FeedId, cursor: &FeedCursor) -> Result<(), StoreError> {
    let FeedCursor {
        validators: Validators { etag, last_modified },
        validators_url,
        next,
        interval,
        failures,
        not_modified,
        seen,
        polls,
        stored,
        moved_to,
        moved_from,
        led_away,
        body_hash,
        distrusted,
        recurring: lines,
    } = cursor.clone();
    recurring::put(staged, feed, lines)?;
    let what = || format!("the cursor of {feed}");
    let seen_v1 =
        |Seen { key, url, hash, page_tries }: Seen| SeenV1 { key: key.0, url: url.map(|url| url.0), hash, page_tries };
    let seen: Vec<SeenV1> = seen.into_iter().map(seen_v1).collect();
    let seen = plain(&seen, what)?;
    let first = CursorV1 {
        etag,
        last_modified,
        validators_url: validators_url.map(String::from),
        next: next.as_nanosecond(),
        interval: span_v1(interval),
        failures,
        not_modified,
        polls,
        stored,
        moved_to: moved_to.map(String::from),
        body_hash,
        distrusted,
        seen_hash: xxh3_64(&seen),
    };
    let led_away = led_away.map(|LedAway { to, polls }| (String::from(to), polls));
    let record = CursorV2 { first, moved_from: moved_from.map(String::from), led_away };
    values::put(staged, Table::Cursors, &keys::seen(feed), &seen)?;
    values::put(staged, Table::Cursors, &keys::cursor(feed), &plain_2(&record, what)?)
}

/// Where a feed was left.
pub(super) fn cursor(read: &impl Read, feed: &FeedId) -> Result<Option<FeedCursor>, StoreError> {
    let what = || format!("the cursor of {feed}");
    for _ in 0..TRIES {
        let Some(record) = values::get(read, Table::Cursors, &keys::cursor(feed))? else { return Ok(None) };
        let record = unplain_2::<CursorV1, CursorV2>(&record, what)?;
        let seen = values::get(read, Table::Cursors, &keys::seen(feed))?.unwrap_or_default();
        if xxh3_64(&seen) == record.first.seen_hash {
            let seen: Vec<SeenV1> = unplain(&seen, what)?;
            let cursor = cursor_of(record, seen).map_err(|error| damaged(what(), &error))?;
            return Ok(Some(FeedCursor { recurring: recurring::get(read, feed)?, ..cursor }));
        }
    }
    Err(damaged(what(), "its two parts do not belong together"))
}

fn cursor_of(record: CursorV2, seen: Vec<SeenV1>) -> Result<FeedCursor, String> {
    let CursorV2 { first: record, moved_from, led_away } = record;
    let seen_of =
        |SeenV1 { key, url, hash, page_tries }| Seen { key: EntryKey(key), url: url.map(EntryKey), hash, page_tries };
    let seen = seen.into_iter().map(seen_of);
    Ok(FeedCursor {
        validators: Validators { etag: record.etag, last_modified: record.last_modified },
        validators_url: some_url(record.validators_url)?,
        next: time_of(record.next)?,
        interval: span_of(record.interval),
        failures: record.failures,
        not_modified: record.not_modified,
        seen: seen.collect(),
        polls: record.polls,
        stored: record.stored,
        moved_to: some_url(record.moved_to)?,
        moved_from: some_url(moved_from)?,
        led_away: match led_away {
            Some((to, polls)) => some_url(Some(to))?.map(|to| LedAway { to, polls }),
            None => None,
        },
        body_hash: record.body_hash,
        distrusted: record.distrusted,
        recurring: Default::default(),
    })
}

/// Stages a poll under the feed's next `counter`, and drops the one that is too old by now.
pub(super) fn put_poll(
    staged: &mut Staged<'_>,
    feed: &FeedId,
    counter: u64,
    poll: &PollRecord,
) -> Result<(), StoreError> {
    let PollRecord { at, took_ms, outcome, next, rule } = poll.clone();
    let PollOutcome {
        status,
        bytes,
        entries,
        new,
        revised,
        rejected,
        charset,
        format,
        notes,
        not_modified,
        error,
        asked_interval,
        fresh_for,
        published,
        moved_to,
        refused,
    } = outcome;
    let first = PollV1 {
        at: at.as_nanosecond(),
        took_ms,
        next: next.as_nanosecond(),
        rule,
        status,
        bytes,
        entries,
        new,
        revised,
        rejected,
        charset,
        format,
        notes,
        not_modified,
        error: error.map(error_v1),
        asked_interval: asked_interval.map(span_v1),
        fresh_for: fresh_for.map(span_v1),
        published: published.into_iter().map(|time| time.as_nanosecond()).collect(),
        moved_to: moved_to.map(String::from),
    };
    let refused = refused.into_iter().map(|Refused { stage, entry, reason }| (stage, entry, reason)).collect();
    let record = plain_2(&PollV2 { first, refused }, || format!("a poll of {feed}"))?;
    values::put(staged, Table::Polls, &keys::poll(feed, counter), &record)?;
    match counter.checked_sub(MAX_POLLS) {
        Some(old) => values::remove(staged, Table::Polls, &keys::poll(feed, old)),
        None => Ok(()),
    }
}

pub(super) fn decode_poll(feed: &str, bytes: &[u8]) -> Result<PollRecord, StoreError> {
    let what = || format!("a poll of {feed}");
    poll_of(unplain_2::<PollV1, PollV2>(bytes, what)?).map_err(|error| damaged(what(), &error))
}

fn poll_of(record: PollV2) -> Result<PollRecord, String> {
    let PollV2 { first: record, refused } = record;
    let outcome = PollOutcome {
        status: record.status,
        bytes: record.bytes,
        entries: record.entries,
        new: record.new,
        revised: record.revised,
        rejected: record.rejected,
        charset: record.charset,
        format: record.format,
        notes: record.notes,
        not_modified: record.not_modified,
        error: record.error.map(error_of).transpose()?,
        asked_interval: record.asked_interval.map(span_of),
        fresh_for: record.fresh_for.map(span_of),
        published: record.published.into_iter().map(time_of).collect::<Result<_, _>>()?,
        moved_to: some_url(record.moved_to)?,
        refused: refused.into_iter().map(|(stage, entry, reason)| Refused { stage, entry, reason }).collect(),
    };
    let (at, next) = (time_of(record.at)?, time_of(record.next)?);
    Ok(PollRecord { at, took_ms: record.took_ms, outcome, next, rule: record.rule })
}

/// Stages the last document of a feed that could not be read, in place of the one before.
pub(super) fn put_unread(staged: &mut Staged<'_>, feed: &FeedId, unread: &Unread) -> Result<(), StoreError> {
    let what = || format!("the unread document of {feed}");
    let Unread { at, url, status, content_type, charset, cut, length, bytes, error } = unread;
    let body = packed_bytes(bytes, what)?;
    let record = UnreadV1 {
        at: at.as_nanosecond(),
        url: url.to_string(),
        status: *status,
        content_type: content_type.clone(),
        charset: charset.clone(),
        cut: cut.clone(),
        length: *length,
        error: error.clone().map(error_v1),
        body_hash: xxh3_64(&body),
    };
    values::put(staged, Table::Unread, &keys::unread_body(feed), &body)?;
    values::put(staged, Table::Unread, &keys::unread(feed), &plain(&record, what)?)
}

/// The last document of a feed that could not be read.
pub(super) fn unread(read: &impl Read, feed: &FeedId) -> Result<Option<Unread>, StoreError> {
    let what = || format!("the unread document of {feed}");
    for _ in 0..TRIES {
        let Some(record) = values::get(read, Table::Unread, &keys::unread(feed))? else { return Ok(None) };
        let record: UnreadV1 = unplain(&record, what)?;
        let body = values::get(read, Table::Unread, &keys::unread_body(feed))?.unwrap_or_default();
        if xxh3_64(&body) == record.body_hash {
            let bytes = unpacked_bytes(&body, what)?;
            return unread_of(record, bytes).map(Some).map_err(|error| damaged(what(), &error));
        }
    }
    Err(damaged(what(), "its two parts do not belong together"))
}

fn unread_of(record: UnreadV1, bytes: Vec<u8>) -> Result<Unread, String> {
    Ok(Unread {
        at: time_of(record.at)?,
        url: Url::parse(&record.url).map_err(|error| format!("`{}`: {error}", record.url))?,
        status: record.status,
        content_type: record.content_type,
        charset: record.charset,
        cut: record.cut,
        length: record.length,
        bytes,
        error: record.error.map(error_of).transpose()?,
    })
}

/// Removes the unread document of a feed where it is older than `before`.
pub(super) fn drop_unread(staged: &mut Staged<'_>, feed: &FeedId, before: Timestamp) -> Result<bool, StoreError> {
    let what = || format!("the unread document of {feed}");
    let Some(record) = values::get(staged, Table::Unread, &keys::unread(feed))? else { return Ok(false) };
    let record: UnreadV1 = unplain(&record, what)?;
    if time_of(record.at).map_err(|error| damaged(what(), &error))? >= before {
        return Ok(false);
    }
    values::remove(staged, Table::Unread, &keys::unread(feed))?;
    values::remove(staged, Table::Unread, &keys::unread_body(feed))?;
    Ok(true)
}

fn error_v1(error: PollError) -> ErrorV1 {
    let PollError { kind, message, hint, severity, retry_after } = error;
    let severity = match severity {
        Severity::Temporary => 0,
        Severity::Soft => 1,
        Severity::Hard => 2,
    };
    ErrorV1 { kind, message, hint, severity, retry_after: retry_after.map(span_v1) }
}

fn error_of(error: ErrorV1) -> Result<PollError, String> {
    Ok(PollError {
        kind: error.kind,
        message: error.message,
        hint: error.hint,
        severity: match error.severity {
            0 => Severity::Temporary,
            1 => Severity::Soft,
            2 => Severity::Hard,
            other => return Err(format!("no severity has the number {other}")),
        },
        retry_after: error.retry_after.map(span_of),
    })
}

fn some_url(url: Option<String>) -> Result<Option<Url>, String> {
    url_of(url.map(Cow::from))
}

fn span_v1(span: Span) -> SpanV1 {
    (span.0.as_secs(), span.0.subsec_nanos())
}

fn span_of((seconds, nanoseconds): SpanV1) -> Span {
    // Not `Duration::new`: it panics where the nanoseconds carry over the last second.
    let nanoseconds = std::time::Duration::from_nanos(u64::from(nanoseconds));
    Span(std::time::Duration::from_secs(seconds).saturating_add(nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes as version 1 wrote them, taken down once: what is on people's disks does not change with the structs.
    #[test]
    fn records_of_the_first_version_are_read() {
        let hex = |text: &str| -> Vec<u8> {
            (0..text.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(text.get(at..at + 2).unwrap(), 16).unwrap())
                .collect()
        };
        let record = unplain_2::<CursorV1, CursorV2>(&hex(CURSOR_1), || "x".to_owned()).unwrap();
        let cursor = cursor_of(record, Vec::new()).unwrap();
        assert_eq!(cursor.validators.etag.as_deref(), Some("\"e1\""));
        assert_eq!(cursor.moved_to.as_ref().map(Url::as_str), Some("https://a.example/new"));
        assert_eq!((cursor.moved_from, cursor.led_away), (None, None));
        assert_eq!((cursor.interval, cursor.failures, cursor.polls, cursor.stored), (Span::secs(900), 2, 7, 41));
        assert_eq!((cursor.body_hash, cursor.distrusted), (Some(5), true));
        let poll = decode_poll("a", &hex(POLL_1)).unwrap();
        assert_eq!((poll.took_ms, poll.rule.as_str(), poll.outcome.status), (12, "r", Some(200)));
        assert_eq!((poll.outcome.rejected, poll.outcome.refused), (3, Vec::new()));
        assert_eq!(poll.outcome.error.map(|error| error.severity), Some(Severity::Hard));
        assert!(decode_poll("a", &[3]).unwrap_err().to_string().contains("reads up to 2"));
    }

    const CURSOR_1: &str = "0101042265312200011568747470733a2f2f612e6578616d706c652f6e65778080f4d4f1c3dfe93184070002000729011568747470733a2f2f612e6578616d706c652f6e657701050109";
    const POLL_1: &str = "018080f4d4f1c3dfe9310c8080f4d4f1c3dfe931017201c801640501000301055554462d380001016e0001016b016d016802000000018080f4d4f1c3dfe93100";
}
