//! `/api/v1/stream`: the log as server-sent events, from a position on and for as long as the reader stays.
//!
//! In: `Last-Event-ID` or `after`, filters. Out: an event for each record that passes: its `seq` as `id`, its kind as
//! `event`, the record as `data`.
//! Promise: no record is left out or sent twice, whatever is written meanwhile and however often the reader comes back: the
//! store is read in pages from where the reader is, and nothing waits in a buffer. Who reads slowly holds a page, and
//! nobody else up. What retention took before it was read is told by an event `missed`. While nothing passes the filter an event of an `id` alone moves the position on.
//! Why pages are shared: a commit wakes all readers at once, who then want the same records; one reads and writes them
//! down for all. A record may then show its item as it stood a moment ago: what changed it since is a record of its own,
//! and follows.
//! Not here: how the bytes go out and who is cut off ([`super::connection`]).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use std::{fmt, vec};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use futures_util::stream;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep_until};

use super::Shared;
use super::log::{self, MissedView, told};
use super::params::{self, Kind};
use super::problem::Problem;
use super::request::Params;
use crate::id::Seq;
use crate::item::{LogKind, LogRecord};
use crate::store::{LogFilter, Missed, Stretch};

/// How many records are read at once.
const PAGE: usize = 32;
/// How many bytes of them a reader holds: a thousand who all read slowly, and nobody the same, take no more than so many each.
const HELD: usize = 32 << 10;
/// How many of the newest records are kept for all readers, and how many bytes of them: who falls behind further reads by
/// itself, and holds what nobody else does.
const RECENT: usize = 1_024;
const RECENT_BYTES: usize = 8 << 20;
/// How many read the store at once: a thousand who are behind wait for their turn.
const READING: usize = 4;
/// After so much silence a reader is told that the other side is there.
const ALIVE: Duration = Duration::from_secs(15);
/// How long a reader is to wait before it comes back, in milliseconds.
const RETRY: &str = "retry: 2000\n\n";

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// A record as it goes out, written down when the first reader wants it.
pub(super) struct Told {
    record: LogRecord,
    event: OnceLock<Bytes>,
}

impl Told {
    fn event(&self) -> Bytes {
        let write = || {
            let LogRecord { seq, kind, .. } = &self.record;
            // Plain values with names for keys: writing them has no way to fail. JSON has no line feeds within.
            let data = serde_json::to_string(&self.record).unwrap_or_default();
            Bytes::from(format!("id: {seq}\nevent: {}\ndata: {data}\n\n", name(*kind)))
        };
        self.event.get_or_init(write).clone()
    }

    /// About how much memory it takes.
    fn size(&self) -> usize {
        let text =
            |item: &crate::item::Item| item.content.title.len() + item.content.summary.len() + item.content.text.len();
        2 * (1_024 + self.record.item.as_ref().map_or(0, text))
    }
}

/// The word of a kind, as in the record.
pub(super) const fn name(kind: LogKind) -> &'static str {
    match kind {
        LogKind::New => "new",
        LogKind::Revised => "revised",
        LogKind::Duplicate => "duplicate",
        LogKind::Reclassified => "reclassified",
        LogKind::Removed => "removed",
    }
}

/// What all readers share.
pub(super) struct Hub {
    recent: Mutex<Recent>,
    turns: Semaphore,
}

/// The newest records that anybody read, without a gap.
#[derive(Default)]
struct Recent {
    records: VecDeque<Arc<Told>>,
    bytes: usize,
}

impl Default for Hub {
    fn default() -> Self {
        Self { recent: Mutex::default(), turns: Semaphore::new(READING) }
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").finish_non_exhaustive()
    }
}

impl Hub {
    /// The records after a position, at most a page, and what was not there any more; none where the log ends there.
    async fn page(&self, shared: &Shared, after: Seq) -> Result<(Vec<Arc<Told>>, Option<Missed>), Problem> {
        if let Some(page) = self.known(after) {
            return Ok((page, None));
        }
        // The semaphore is never closed.
        let _turn = self.turns.acquire().await.map_err(|error| Problem::internal(&error))?;
        if let Some(page) = self.known(after) {
            return Ok((page, None));
        }
        let read = shared.blocking(move |state| state.store.read_log(after, PAGE, &LogFilter::default()));
        let Stretch { records, missed, .. } = read.await?;
        let page: Vec<Arc<Told>> =
            records.into_iter().map(|record| Arc::new(Told { record, event: OnceLock::new() })).collect();
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).learn(&page);
        Ok((held(page.into_iter()), missed))
    }

    fn known(&self, after: Seq) -> Option<Vec<Arc<Told>>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).page(after)
    }
}

/// The first of them, as many as a reader holds; always one, where there is one.
fn held(records: impl Iterator<Item = Arc<Told>>) -> Vec<Arc<Told>> {
    let mut bytes = 0;
    let fits = |told: &Arc<Told>| {
        let first = bytes == 0;
        bytes += told.size();
        first || bytes <= HELD
    };
    records.take_while(fits).collect()
}

impl Recent {
    /// The records right after a position, where they are here.
    fn page(&self, after: Seq) -> Option<Vec<Arc<Told>>> {
        let first = self.records.front()?.record.seq;
        let skip = usize::try_from(after.next().0.checked_sub(first.0)?).ok()?;
        let page = held(self.records.iter().skip(skip).cloned());
        (!page.is_empty()).then_some(page)
    }

    /// Takes up what was read, where it goes on with what is here, or is newer.
    fn learn(&mut self, page: &[Arc<Told>]) {
        let Some(first) = page.first().map(|told| told.record.seq) else { return };
        let known = self.records.back().map(|told| told.record.seq);
        if known.is_some_and(|known| page.last().is_some_and(|told| told.record.seq <= known)) {
            return;
        }
        if known.is_some_and(|known| first > known.next()) {
            self.records.clear();
            self.bytes = 0;
        }
        for told in page.iter().filter(|told| known.is_none_or(|known| told.record.seq > known)) {
            self.bytes += told.size();
            self.records.push_back(Arc::clone(told));
        }
        while self.records.len() > RECENT || (self.bytes > RECENT_BYTES && self.records.len() > 1) {
            let Some(gone) = self.records.pop_front() else { break };
            self.bytes -= gone.size();
        }
    }
}

pub(super) async fn read(State(shared): State<Shared>, uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    let params = Params::of(&uri, params::STREAM)?;
    let asked = match headers.get(LAST_EVENT_ID) {
        // A browser that saw no event yet sends an empty one, or none.
        Some(value) if !value.is_empty() => {
            let text = String::from_utf8_lossy(value.as_bytes());
            let position = Kind::Whole(0, u64::MAX, None);
            Some(params::whole(&text).ok_or_else(|| Problem::parameter("Last-Event-ID", &text, &position.allowed()))?)
        }
        _ => params.value("after", "a position in the log", params::whole)?,
    };
    let wanted = log::filter(&params)?;
    let durable = shared.state.store.durable();
    let last = *durable.borrow();
    let from = asked.map_or(last, Seq);
    if from > last {
        return Err(Problem::ahead(from.0, last.0));
    }
    let stopping = shared.stopping.clone();
    let alive = Instant::now() + ALIVE;
    let reader = Reader { shared, wanted, from, told: from, page: Vec::new().into_iter(), durable, stopping, alive };
    let events = stream::unfold((reader, true), |(mut reader, first)| async move {
        if first {
            return Some((Ok::<_, std::convert::Infallible>(Bytes::from_static(RETRY.as_bytes())), (reader, false)));
        }
        let event = reader.next().await?;
        Some((Ok(event), (reader, false)))
    });
    let mut response = Response::new(Body::from_stream(events));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // A proxy that collects answers would hold events back.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

/// One who reads.
struct Reader {
    shared: Shared,
    wanted: LogFilter,
    /// How far the log was looked through.
    from: Seq,
    /// How far the reader was told.
    told: Seq,
    page: vec::IntoIter<Arc<Told>>,
    durable: watch::Receiver<Seq>,
    stopping: watch::Receiver<bool>,
    /// When the reader is to hear something.
    alive: Instant,
}

impl Reader {
    /// What goes out next; nothing where the server stops, or the store cannot be read.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if *self.stopping.borrow() {
                return None;
            }
            for told in self.page.by_ref() {
                self.from = told.record.seq;
                if self.wanted.passes(&told.record) {
                    self.told = self.from;
                    self.alive = Instant::now() + ALIVE;
                    return Some(told.event());
                }
            }
            let last = *self.durable.borrow_and_update();
            if self.from < last {
                if Instant::now() >= self.alive {
                    return Some(self.sign());
                }
                // What went wrong is in the log of the daemon; the reader comes back where it was.
                let (page, missed) = self.shared.hub.page(&self.shared, self.from).await.ok()?;
                if page.is_empty() {
                    // All of it was removed from the log meanwhile.
                    self.from = last;
                }
                self.page = page.into_iter();
                if let Some(missed) = missed {
                    return Some(self.tell(missed));
                }
                continue;
            }
            tokio::select! {
                changed = self.durable.changed() => if changed.is_err() { return None },
                () = sleep_until(self.alive) => return Some(self.sign()),
                () = told(&mut self.stopping) => return None,
            }
        }
    }

    /// Says what retention took before it was read here.
    fn tell(&mut self, missed: Missed) -> Bytes {
        self.from = self.from.max(missed.to);
        self.told = missed.to;
        self.alive = Instant::now() + ALIVE;
        let data = serde_json::to_string(&MissedView::from(missed)).unwrap_or_default();
        Bytes::from(format!("id: {}\nevent: missed\ndata: {data}\n\n", missed.to))
    }

    /// A sign of life; where the log went on without anything for this reader, also its new position, which is not
    /// handed to the page as an event.
    fn sign(&mut self) -> Bytes {
        self.alive = Instant::now() + ALIVE;
        if self.told < self.from {
            self.told = self.from;
            return Bytes::from(format!("id: {}\n\n", self.from));
        }
        Bytes::from_static(b":\n\n")
    }
}
