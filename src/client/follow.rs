//! The log without end: by server-sent events where the daemon has them, else by requests that wait.
//!
//! Promise: every record after the given position that passes the filter, in order, once, over restarts of the daemon and lost
//! connections: each time it is asked for what comes after the last record that was handed out. What retention took before
//! it was read is told once.
//! Not here: keeping the position beyond this process; [`Follow::position`] says it.

use std::collections::VecDeque;
use std::time::Duration;

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};

use super::events::{Told, Unread};
use super::{Answer, Client, Error, Filter, Missed, filter_parameters, with_query};
use crate::id::Seq;
use crate::item::LogRecord;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// How many records one request asks for, and how long it waits for some.
const LIMIT: u16 = 500;
const WAIT: Duration = Duration::from_secs(30);
/// How soon a daemon that is not there is looked for again: twice as long each time, up to the longest.
const AGAIN: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(15);

/// What the log tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A record.
    Record(Box<LogRecord>),
    /// Records that retention took before they were read here.
    Missed(Missed),
}

/// A reader of the log. Dropping the future of [`Follow::next`] loses nothing.
#[derive(Debug)]
pub struct Follow {
    client: Client,
    filter: Filter,
    after: Seq,
    ready: VecDeque<(Seq, Option<Event>)>,
    way: Way,
    failures: u32,
}

/// How the next records come.
enum Way {
    /// It is not known yet whether the daemon has a stream, or the last one ended.
    Open,
    Stream(Box<Answer>, Unread),
    /// By requests that wait.
    Ask,
}

impl std::fmt::Debug for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Open => "Open",
            Self::Stream(..) => "Stream",
            Self::Ask => "Ask",
        })
    }
}

impl Follow {
    pub(super) const fn new(client: Client, after: Seq, filter: Filter) -> Self {
        Self { client, filter, after, ready: VecDeque::new(), way: Way::Open, failures: 0 }
    }

    /// How far the log was read here: where to go on in another process.
    pub const fn position(&self) -> Seq {
        self.after
    }

    /// What the log tells next; waits for it, also for a daemon that is not there.
    ///
    /// # Errors
    /// Where waiting does not help: a filter or token that is refused, or a position that the store has never given out
    /// (status 409), because it was replaced by another.
    pub async fn next(&mut self) -> Result<Event, Error> {
        loop {
            match self.attempt().await {
                Ok(event) => return Ok(event),
                Err(error) if error.is_passing() => self.pause().await,
                Err(error) => return Err(error),
            }
        }
    }

    /// As [`Follow::next`], which also tells of a daemon that does not answer. The next call looks for it again.
    ///
    /// # Errors
    /// As [`Follow::next`], and those that pass ([`Error::is_passing`]).
    pub async fn attempt(&mut self) -> Result<Event, Error> {
        loop {
            while let Some((seq, event)) = self.ready.pop_front() {
                let new = seq > self.after;
                self.after = self.after.max(seq);
                if let (true, Some(event)) = (new, event) {
                    return Ok(event);
                }
            }
            if let Err(error) = self.fill().await {
                if matches!(self.way, Way::Stream(..)) {
                    self.way = Way::Open;
                }
                return Err(error);
            }
        }
    }

    /// Waits as long as is decent after so many failures in a row.
    pub async fn pause(&mut self) {
        let wait = AGAIN.saturating_mul(1 << self.failures.min(10)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        tokio::time::sleep(wait).await;
    }

    /// Brings what comes next, or opens the way to it.
    async fn fill(&mut self) -> Result<(), Error> {
        match &mut self.way {
            Way::Open => self.way = self.open().await?,
            Way::Ask => {
                let reading = self.client.log(self.after, &self.filter, LIMIT, WAIT).await?;
                self.failures = 0;
                if let Some(missed) = reading.missed {
                    self.ready.push_back((missed.to, Some(Event::Missed(missed))));
                }
                let records = reading.records.into_iter();
                self.ready.extend(records.map(|record| (record.seq, Some(Event::Record(Box::new(record))))));
                self.ready.push_back((reading.last, None));
            }
            Way::Stream(answer, unread) => {
                let Some(bytes) = answer.chunk().await? else {
                    // It ends when the daemon stops.
                    self.way = Way::Open;
                    return Err(Error::Gone {
                        place: self.client.place().to_owned(),
                        detail: "the stream ended".to_owned(),
                    });
                };
                self.failures = 0;
                unread.push(&bytes);
                while let Some(told) = unread.next() {
                    if let Some(ready) = read(&self.client, told)? {
                        self.ready.push_back(ready);
                    }
                }
            }
        }
        Ok(())
    }

    async fn open(&self) -> Result<Way, Error> {
        let target = with_query("api/v1/stream", &filter_parameters(&self.filter));
        let headers = HeaderMap::from_iter([(LAST_EVENT_ID, HeaderValue::from(self.after.0))]);
        let answer = self.client.send(Method::GET, &target, headers, None).await?;
        match answer.status() {
            StatusCode::NOT_FOUND => Ok(Way::Ask),
            status if status.is_success() => Ok(Way::Stream(Box::new(answer), Unread::default())),
            _ => answer.whole().await.map(|_| Way::Open),
        }
    }
}

/// What an event says, and the position after it.
fn read(client: &Client, told: Told) -> Result<Option<(Seq, Option<Event>)>, Error> {
    let wrong = |error: serde_json::Error| client.unreadable(&error);
    let id = told.id.map(Seq);
    if told.data.is_empty() {
        return Ok(id.map(|id| (id, None)));
    }
    if told.event == "missed" {
        let missed: Missed = serde_json::from_str(&told.data).map_err(wrong)?;
        return Ok(Some((missed.to, Some(Event::Missed(missed)))));
    }
    let record: LogRecord = serde_json::from_str(&told.data).map_err(wrong)?;
    Ok(Some((record.seq, Some(Event::Record(Box::new(record))))))
}
