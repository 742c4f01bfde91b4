//! Who is polled next.
//!
//! In: the feeds, their stored cursors, wishes of people, what finished. Out: jobs.
//! Promise: at most one job for each host is out at a time, so politeness holds with any number of workers; everything
//! due at the start is spread over seconds (traps T11, T17); the cursor used is always the one that was stored.
//! Not here: how long a feed waits ([`FeedCursor::next_poll`]).

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};

use super::{Job, Stop, now};
use crate::id::FeedId;
use crate::serve::Loaded;
use crate::source::{FeedConfig, FeedCursor, PollRecord};
use crate::store::{Store, StoreError};

/// Over how long the feeds that are due at the start are spread, at most.
const START_SPREAD: Duration = Duration::from_secs(20);
/// The pause between two feeds of the start.
const START_STEP: Duration = Duration::from_millis(100);

/// A wish to poll a feed now.
#[derive(Debug)]
pub struct PollNow {
    /// Which feed.
    pub feed: FeedId,
    /// Told once everything it gave is stored.
    pub answer: oneshot::Sender<Result<PollRecord, String>>,
}

/// What a worker says when it is done with a job.
#[derive(Debug)]
pub struct Finished {
    /// Which feed.
    pub feed: FeedId,
    /// The cursor as stored and the poll; `None` when the stop came first and nothing changed.
    pub result: Option<(FeedCursor, PollRecord)>,
}

/// The scheduler's ends of its channels.
#[derive(Debug)]
pub struct Channels {
    /// Jobs for the workers. Its capacity is the number of workers.
    pub jobs: mpsc::Sender<Job>,
    /// Wishes.
    pub wishes: mpsc::Receiver<PollNow>,
    /// What is done.
    pub finished: mpsc::Receiver<Finished>,
}

/// A feed and where it stands.
struct Entry {
    feed: FeedConfig,
    cursor: FeedCursor,
    /// The host that its job keeps busy, while one is out.
    running: Option<String>,
    waiters: Vec<oneshot::Sender<Result<PollRecord, String>>>,
}

/// The scheduler's state.
pub struct Schedule {
    store: Store,
    loaded: watch::Receiver<Arc<Loaded>>,
    channels: Channels,
    stop: Stop,
    /// Whether feeds are polled when they are due; otherwise only on a wish.
    automatic: bool,
    entries: HashMap<FeedId, Entry>,
    due: BTreeSet<(Timestamp, FeedId)>,
    busy: HashSet<String>,
}

impl Schedule {
    /// Loads the cursors.
    ///
    /// # Errors
    /// When a cursor cannot be read from the store.
    pub fn new(
        store: Store,
        loaded: watch::Receiver<Arc<Loaded>>,
        channels: Channels,
        stop: Stop,
        automatic: bool,
    ) -> Result<Self, StoreError> {
        let (entries, due, busy) = (HashMap::new(), BTreeSet::new(), HashSet::new());
        let mut schedule = Self { store, loaded, channels, stop, automatic, entries, due, busy };
        schedule.take_feeds()?;
        Ok(schedule)
    }

    /// Runs until the stop, or until nobody can wish any more.
    ///
    /// # Errors
    /// When a cursor of a feed that a reload brought cannot be read.
    pub async fn run(mut self) -> Result<(), StoreError> {
        loop {
            self.dispatch();
            let wait = self.until_next();
            tokio::select! {
                biased;
                () = self.stop.wait() => return Ok(()),
                Some(finished) = self.channels.finished.recv() => self.finish(finished),
                Some(wish) = self.channels.wishes.recv() => self.wish(wish),
                changed = self.loaded.changed() => match changed {
                    Ok(()) => self.take_feeds()?,
                    Err(_gone) => return Ok(()),
                },
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Takes over the feeds as configured now; cursors of known feeds stay.
    fn take_feeds(&mut self) -> Result<(), StoreError> {
        let loaded = self.loaded.borrow_and_update().clone();
        let at = now();
        let wanted: HashSet<&FeedId> = loaded.feeds.iter().map(|feed| &feed.id).collect();
        self.entries.retain(|id, entry| wanted.contains(id) || entry.running.is_some());
        let mut offset = Duration::ZERO;
        for feed in &loaded.feeds {
            if let Some(entry) = self.entries.get_mut(&feed.id) {
                entry.feed = feed.clone();
                continue;
            }
            let mut cursor = self.store.cursor(&feed.id)?.unwrap_or_else(|| FeedCursor::start(feed, at));
            if feed.enabled && cursor.next <= at {
                cursor.next = at.checked_add(offset).unwrap_or(at);
                offset = (offset + START_STEP).min(START_SPREAD);
            }
            let entry = Entry { feed: feed.clone(), cursor, running: None, waiters: Vec::new() };
            self.entries.insert(feed.id.clone(), entry);
        }
        let waiting = self.entries.iter().filter(|(_, entry)| entry.running.is_none());
        self.due = waiting.filter_map(|(id, entry)| self.due_at(entry).map(|at| (at, id.clone()))).collect();
        Ok(())
    }

    /// When a feed is to be polled: at once where somebody waits for it.
    fn due_at(&self, entry: &Entry) -> Option<Timestamp> {
        if !entry.waiters.is_empty() {
            Some(Timestamp::MIN)
        } else if self.automatic && entry.feed.enabled {
            Some(entry.cursor.next)
        } else {
            None
        }
    }

    /// Hands out what is due, host by host, while there are workers.
    fn dispatch(&mut self) {
        let at = now();
        let ready: Vec<(Timestamp, FeedId)> = self.due.iter().take_while(|(due, _)| *due <= at).cloned().collect();
        for (due, id) in ready {
            let Some(entry) = self.entries.get_mut(&id) else {
                self.due.remove(&(due, id));
                continue;
            };
            let host = entry.feed.url.host_str().unwrap_or_default().to_ascii_lowercase();
            if self.busy.contains(&host) {
                continue;
            }
            let Ok(place) = self.channels.jobs.try_reserve() else {
                return;
            };
            entry.running = Some(host.clone());
            place.send(Job { feed: entry.feed.clone(), cursor: entry.cursor.clone() });
            self.busy.insert(host);
            self.due.remove(&(due, id));
        }
    }

    /// How long nothing can become due. What waits for a host or a worker is woken by `finished`.
    fn until_next(&self) -> Duration {
        let at = now();
        let next = self.due.iter().map(|(due, _)| *due).find(|due| *due > at);
        let wait = next.and_then(|next| Duration::try_from(next.duration_since(at)).ok());
        wait.unwrap_or(Duration::from_secs(60)).max(Duration::from_millis(1))
    }

    fn finish(&mut self, finished: Finished) {
        let Some(entry) = self.entries.get_mut(&finished.feed) else { return };
        if let Some(host) = entry.running.take() {
            self.busy.remove(&host);
        }
        match finished.result {
            Some((cursor, poll)) => {
                entry.cursor = cursor;
                for waiter in entry.waiters.drain(..) {
                    let _gone = waiter.send(Ok(poll.clone()));
                }
            }
            None => entry.waiters.clear(),
        }
        let configured = self.loaded.borrow().feeds.iter().any(|feed| feed.id == finished.feed);
        if !configured {
            self.entries.remove(&finished.feed);
        } else if let Some(at) = self.entries.get(&finished.feed).and_then(|entry| self.due_at(entry)) {
            self.due.insert((at, finished.feed));
        }
    }

    fn wish(&mut self, wish: PollNow) {
        let Some(entry) = self.entries.get_mut(&wish.feed) else {
            let _gone = wish.answer.send(Err(format!("there is no feed `{}`; `rasid feeds list` names them", wish.feed)));
            return;
        };
        let before = (entry.cursor.next, wish.feed.clone());
        entry.waiters.push(wish.answer);
        if entry.running.is_none() {
            self.due.remove(&before);
            self.due.insert((Timestamp::MIN, wish.feed));
        }
    }
}
