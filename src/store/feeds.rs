//! What is stored of feeds: where each was left, and its last polls.
//!
//! In: [`FeedCursor`] and [`PollRecord`]. Out: versioned records, and back.
//! Promise: as in [`super::schema`]: the structs are the store's own and never change once released.
//!
//! A cursor is two records. The entries seen are tens of kilobytes and rarely change, the rest is small and changes with
//! every poll: apart, a poll that brings nothing writes little. The small one has a hash of the large one, so that a reader
//! never takes the halves of two polls for one.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use url::Url;
use xxhash_rust::xxh3::xxh3_64;

use super::engine::{Read, Table};
use super::schema::{damaged, plain, time_of, unplain, url_of};
use super::staged::Staged;
use super::{StoreError, keys, recurring, values};
use crate::id::{EntryKey, FeedId};
use crate::source::{FeedCursor, PollError, PollOutcome, PollRecord, Seen, Severity, Validators};
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
    let record = CursorV1 {
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
    values::put(staged, Table::Cursors, &keys::seen(feed), &seen)?;
    values::put(staged, Table::Cursors, &keys::cursor(feed), &plain(&record, what)?)
}

/// Where a feed was left.
pub(super) fn cursor(read: &impl Read, feed: &FeedId) -> Result<Option<FeedCursor>, StoreError> {
    let what = || format!("the cursor of {feed}");
    for _ in 0..TRIES {
        let Some(record) = values::get(read, Table::Cursors, &keys::cursor(feed))? else { return Ok(None) };
        let record: CursorV1 = unplain(&record, what)?;
        let seen = values::get(read, Table::Cursors, &keys::seen(feed))?.unwrap_or_default();
        if xxh3_64(&seen) == record.seen_hash {
            let seen: Vec<SeenV1> = unplain(&seen, what)?;
            let cursor = cursor_of(record, seen).map_err(|error| damaged(what(), &error))?;
            return Ok(Some(FeedCursor { recurring: recurring::get(read, feed)?, ..cursor }));
        }
    }
    Err(damaged(what(), "its two parts do not belong together"))
}

fn cursor_of(record: CursorV1, seen: Vec<SeenV1>) -> Result<FeedCursor, String> {
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
    } = outcome;
    let record = PollV1 {
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
        error: error.map(|PollError { kind, message, hint, severity, retry_after }| ErrorV1 {
            kind,
            message,
            hint,
            severity: match severity {
                Severity::Temporary => 0,
                Severity::Soft => 1,
                Severity::Hard => 2,
            },
            retry_after: retry_after.map(span_v1),
        }),
        asked_interval: asked_interval.map(span_v1),
        fresh_for: fresh_for.map(span_v1),
        published: published.into_iter().map(|time| time.as_nanosecond()).collect(),
        moved_to: moved_to.map(String::from),
    };
    let record = plain(&record, || format!("a poll of {feed}"))?;
    values::put(staged, Table::Polls, &keys::poll(feed, counter), &record)?;
    match counter.checked_sub(MAX_POLLS) {
        Some(old) => values::remove(staged, Table::Polls, &keys::poll(feed, old)),
        None => Ok(()),
    }
}

pub(super) fn decode_poll(feed: &str, bytes: &[u8]) -> Result<PollRecord, StoreError> {
    let what = || format!("a poll of {feed}");
    poll_of(unplain(bytes, what)?).map_err(|error| damaged(what(), &error))
}

fn poll_of(record: PollV1) -> Result<PollRecord, String> {
    let error = record.error.map(|error| {
        Ok::<_, String>(PollError {
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
    });
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
        error: error.transpose()?,
        asked_interval: record.asked_interval.map(span_of),
        fresh_for: record.fresh_for.map(span_of),
        published: record.published.into_iter().map(time_of).collect::<Result<_, _>>()?,
        moved_to: some_url(record.moved_to)?,
    };
    let (at, next) = (time_of(record.at)?, time_of(record.next)?);
    Ok(PollRecord { at, took_ms: record.took_ms, outcome, next, rule: record.rule })
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
