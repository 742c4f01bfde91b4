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
/// The longest sleep: the clock of the machine may be set, or may have run on while the machine slept.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// Nothing waits longer than twice this, or twice its longest interval; if it seems to, the clock was wrong.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 3_600);

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
    /// The cursor as stored and the poll; or why nothing was stored, for those who wait for it.
    pub result: Result<(FeedCursor, PollRecord), String>,
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
    /// While a job of it is out.
    running: Option<Running>,
    waiters: Vec<oneshot::Sender<Result<PollRecord, String>>>,
}

/// A job that is out.
struct Running {
    /// The host that it keeps busy.
    host: String,
}

impl Entry {
    /// Tells everybody who waits for it.
    fn answer(&mut self, told: &Result<PollRecord, String>) {
        for waiter in self.waiters.drain(..) {
            let _gone = waiter.send(told.clone());
        }
    }
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
    /// When the last look was, to notice a clock that was set back.
    looked: Timestamp,
}

impl Schedule {
    /// A schedule that knows no feed yet.
    pub fn new(
        store: Store,
        loaded: watch::Receiver<Arc<Loaded>>,
        channels: Channels,
        stop: Stop,
        automatic: bool,
    ) -> Self {
        let (entries, due, busy) = (HashMap::new(), BTreeSet::new(), HashSet::new());
        Self { store, loaded, channels, stop, automatic, entries, due, busy, looked: Timestamp::MIN }
    }

    /// Loads the cursors, then runs until the stop, or until nobody can wish any more.
    ///
    /// # Errors
    /// When a cursor cannot be read from the store.
    pub async fn run(mut self) -> Result<(), StoreError> {
        self.take_feeds(now()).await?;
        loop {
            let wait = self.dispatch(now());
            tokio::select! {
                biased;
                () = self.stop.wait() => return Ok(()),
                Some(finished) = self.channels.finished.recv() => self.finish(finished),
                Some(wish) = self.channels.wishes.recv() => self.wish(wish),
                changed = self.loaded.changed() => match changed {
                    Ok(()) => self.take_feeds(now()).await?,
                    Err(_gone) => return Ok(()),
                },
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Takes over the feeds as configured now; cursors of known feeds stay.
    async fn take_feeds(&mut self, at: Timestamp) -> Result<(), StoreError> {
        let loaded = self.loaded.borrow_and_update().clone();
        let mut stored = self.cursors(&loaded.feeds).await?;
        let wanted: HashSet<&FeedId> = loaded.feeds.iter().map(|feed| &feed.id).collect();
        self.entries.retain(|id, entry| {
            let kept = wanted.contains(id) || entry.running.is_some();
            if !kept {
                entry.answer(&Err(format!("the feed `{id}` is not configured any more")));
            }
            kept
        });
        let mut offset = Duration::ZERO;
        for feed in &loaded.feeds {
            if let Some(entry) = self.entries.get_mut(&feed.id) {
                entry.feed = feed.clone();
                continue;
            }
            let mut cursor = stored.remove(&feed.id).unwrap_or_else(|| FeedCursor::start(feed, at));
            if feed.enabled && cursor.next <= at {
                cursor.next = at.checked_add(offset).unwrap_or(at);
                offset = (offset + START_STEP).min(START_SPREAD);
            }
            let entry = Entry { feed: feed.clone(), cursor, running: None, waiters: Vec::new() };
            self.entries.insert(feed.id.clone(), entry);
        }
        self.plan(at);
        Ok(())
    }

    /// The stored cursors of the feeds that are not known yet, read where reading may take its time.
    async fn cursors(&self, feeds: &[FeedConfig]) -> Result<HashMap<FeedId, FeedCursor>, StoreError> {
        let unknown = feeds.iter().map(|feed| &feed.id).filter(|id| !self.entries.contains_key(*id));
        let unknown: Vec<FeedId> = unknown.cloned().collect();
        let store = self.store.clone();
        let read = move || {
            let cursors = unknown.into_iter().map(|id| Ok(store.cursor(&id)?.map(|cursor| (id, cursor))));
            cursors.filter_map(Result::transpose).collect()
        };
        match tokio::task::spawn_blocking(read).await {
            Ok(cursors) => cursors,
            Err(panic) => {
                let what = "reading the cursors of the feeds".to_owned();
                Err(StoreError::Io { what, source: std::io::Error::other(panic) })
            }
        }
    }

    /// Makes the order of what is due anew. No feed waits longer than any rule lets it.
    fn plan(&mut self, at: Timestamp) {
        for entry in self.entries.values_mut() {
            let longest = entry.feed.max_interval.get().max(LONGEST_PAUSE).saturating_mul(2);
            if at.checked_add(longest).is_ok_and(|latest| entry.cursor.next > latest) {
                entry.cursor.next = at.checked_add(entry.feed.interval.get()).unwrap_or(at);
            }
        }
        let waiting = self.entries.iter().filter(|(_, entry)| entry.running.is_none());
        self.due = waiting.filter_map(|(id, entry)| self.due_at(entry).map(|at| (at, id.clone()))).collect();
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

    /// Hands out what is due, host by host, while there are workers. Returns how long nothing more can become due; what
    /// waits for a host or a worker is woken by `finished`.
    fn dispatch(&mut self, at: Timestamp) -> Duration {
        if at < self.looked {
            self.plan(at);
        }
        self.looked = at;
        let ready: Vec<(Timestamp, FeedId)> = self.due.iter().take_while(|(due, _)| *due <= at).cloned().collect();
        for (due, id) in ready {
            let Some(entry) = self.entries.get_mut(&id) else {
                self.due.remove(&(due, id));
                continue;
            };
            let host = entry.cursor.address(&entry.feed).host_str().unwrap_or_default().to_ascii_lowercase();
            if self.busy.contains(&host) {
                continue;
            }
            let Ok(place) = self.channels.jobs.try_reserve() else { break };
            entry.running = Some(Running { host: host.clone() });
            place.send(Job { feed: entry.feed.clone(), cursor: entry.cursor.clone() });
            self.busy.insert(host);
            self.due.remove(&(due, id));
        }
        // By the same clock as above: what falls due between two looks would be overslept.
        let next = self.due.iter().map(|(due, _)| *due).find(|due| *due > at);
        let wait = next.and_then(|next| Duration::try_from(next.duration_since(at)).ok());
        wait.unwrap_or(LOOK_AGAIN).clamp(Duration::from_millis(1), LOOK_AGAIN)
    }

    fn finish(&mut self, finished: Finished) {
        let Some(entry) = self.entries.get_mut(&finished.feed) else { return };
        if let Some(running) = entry.running.take() {
            self.busy.remove(&running.host);
        }
        let told = finished.result.map(|(cursor, poll)| {
            entry.cursor = cursor;
            poll
        });
        entry.answer(&told);
        let configured = self.loaded.borrow().feeds.iter().any(|feed| feed.id == finished.feed);
        if !configured {
            self.entries.remove(&finished.feed);
        } else if let Some(at) = self.entries.get(&finished.feed).and_then(|entry| self.due_at(entry)) {
            self.due.insert((at, finished.feed));
        }
    }

    fn wish(&mut self, wish: PollNow) {
        let Some(entry) = self.entries.get_mut(&wish.feed) else {
            let _gone =
                wish.answer.send(Err(format!("there is no feed `{}`; `rasid feeds list` names them", wish.feed)));
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

#[cfg(test)]
mod tests;
