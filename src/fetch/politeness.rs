//! Whose turn it is at a host.
//!
//! In: the host of every single request, redirects included. Out: a [`Turn`], held while the request runs.
//! Promise: at most `per_host` requests at once to one host and a pause after each, over all clones, feeds, pages and
//! redirects (trap T17); a host that wants a longer pause between any two gets it; a host that asked to be left alone is
//! left alone. Giving up while waiting costs nothing and holds
//! nobody up. The table of hosts forgets those that nothing is known of.
//! Not here: retries ([`super::Client`]) and polling intervals ([`crate::source`]).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// The longest that a host is left alone, whatever it asks for.
pub(super) const LONGEST: Duration = Duration::from_secs(3_600);
/// A wait longer than this is reported instead of waited for: it would hold a worker.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest pause that is chosen for a host that throttles without saying for how long.
const LONGEST_GUESS: Duration = Duration::from_secs(600);
/// From this many hosts on, idle ones are dropped.
const FIRST_SWEEP: usize = 256;

/// All hosts. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Politeness {
    hosts: Arc<Mutex<Hosts>>,
    per_host: usize,
    gap: Duration,
}

#[derive(Debug)]
struct Hosts {
    known: HashMap<String, Arc<Host>>,
    sweep_at: usize,
}

#[derive(Debug)]
struct Host {
    turns: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// For each turn that is free: when it may be used again.
    free: Vec<Instant>,
    /// Nobody goes before this.
    not_before: Instant,
    /// The pause that the host itself wants between any two requests; zero where it wants none.
    pace: Duration,
    /// When that pause is over.
    next: Instant,
    /// How often in a row the host has throttled.
    strikes: u32,
}

/// The host asked to be left alone for longer than is waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotNow(pub(super) Duration);

impl Politeness {
    pub(super) fn new(per_host: u32, gap: Duration) -> Self {
        let hosts = Hosts { known: HashMap::new(), sweep_at: FIRST_SWEEP };
        // A semaphore has a largest number of permits; no one wants that many requests to one host.
        let per_host = usize::try_from(per_host).unwrap_or(1).clamp(1, 1_024);
        Self { hosts: Arc::new(Mutex::new(hosts)), per_host, gap }
    }

    /// Waits for a turn at `host`. Those who wait are served in the order they came.
    pub(super) async fn turn(&self, host: &str) -> Result<Turn, NotNow> {
        let host = self.host(host);
        host.patience()?;
        let Ok(permit) = host.turns.clone().acquire_owned().await else { return Err(NotNow(PATIENCE)) };
        let mut turn = Turn { ready: host.take_free(), host, gap: self.gap, used: false, _permit: permit };
        loop {
            turn.host.patience()?;
            let Err(from) = turn.host.start(turn.ready) else { break };
            tokio::time::sleep_until(from).await;
        }
        turn.used = true;
        Ok(turn)
    }

    /// The host wants this pause between any two requests, from now on; `None`: no more than others.
    pub(super) fn pace(&self, host: &str, pause: Option<Duration>) {
        let host = self.host(host);
        let mut state = lock(&host.state);
        let pause = pause.unwrap_or_default();
        if pause > state.pace {
            // It counts from the request that brought it to light, which was just now.
            state.next = state.next.max(Instant::now() + pause);
        }
        state.pace = pause;
    }

    fn host(&self, name: &str) -> Arc<Host> {
        let mut hosts = lock(&self.hosts);
        if let Some(host) = hosts.known.get(name) {
            return host.clone();
        }
        if hosts.known.len() >= hosts.sweep_at {
            let now = Instant::now();
            hosts.known.retain(|_, host| Arc::strong_count(host) > 1 || lock(&host.state).matters(now));
            hosts.sweep_at = FIRST_SWEEP.max(hosts.known.len() * 2);
        }
        let now = Instant::now();
        let host = Arc::new(Host {
            turns: Arc::new(Semaphore::new(self.per_host)),
            state: Mutex::new(State {
                free: vec![now; self.per_host],
                not_before: now,
                pace: Duration::ZERO,
                next: now,
                strikes: 0,
            }),
        });
        hosts.known.insert(name.to_owned(), host.clone());
        host
    }
}

impl Host {
    fn patience(&self) -> Result<(), NotNow> {
        let wait = lock(&self.state).not_before.saturating_duration_since(Instant::now());
        if wait > PATIENCE { Err(NotNow(wait)) } else { Ok(()) }
    }

    /// Starts a request, or says when it may be tried again.
    fn start(&self, ready: Instant) -> Result<(), Instant> {
        let mut state = lock(&self.state);
        let (from, now) = (ready.max(state.not_before).max(state.next), Instant::now());
        if from > now {
            return Err(from);
        }
        // Within the same lock, so that of several who waited only one goes.
        state.next = now + state.pace;
        Ok(())
    }

    fn take_free(&self) -> Instant {
        let mut state = lock(&self.state);
        let earliest = state.free.iter().enumerate().min_by_key(|(_, ready)| **ready).map(|(index, _)| index);
        earliest.map_or_else(Instant::now, |index| state.free.swap_remove(index))
    }
}

impl State {
    fn matters(&self, now: Instant) -> bool {
        self.not_before > now || self.next > now || self.free.iter().any(|ready| *ready > now)
    }
}

/// Leave to send one request. Dropping it starts the host's pause.
#[derive(Debug)]
pub(super) struct Turn {
    host: Arc<Host>,
    ready: Instant,
    gap: Duration,
    /// Whether the waiting was over; a turn that was given up before then needs no pause.
    used: bool,
    _permit: OwnedSemaphorePermit,
}

impl Turn {
    /// The host throttles. Returns how long it is left alone: as long as it `asked`, or twice as long each time.
    pub(super) fn throttled(&self, asked: Option<Duration>) -> Duration {
        let mut state = lock(&self.host.state);
        state.strikes = state.strikes.saturating_add(1);
        let guess = || self.gap.saturating_mul(1 << state.strikes.min(20)).min(LONGEST_GUESS);
        let wait = asked.unwrap_or_else(guess).min(LONGEST);
        state.not_before = state.not_before.max(Instant::now() + wait);
        state.not_before.saturating_duration_since(Instant::now())
    }

    /// The host answered without throttling.
    pub(super) fn answered(&self) {
        lock(&self.host.state).strikes = 0;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let (mut state, now) = (lock(&self.host.state), Instant::now());
        if self.used {
            state.next = state.next.max(now + state.pace);
        }
        state.free.push(if self.used { now + self.gap } else { self.ready });
    }
}

/// The data under these locks is whole between any two statements, so a panic elsewhere does not spoil it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAP: Duration = Duration::from_millis(40);

    #[tokio::test]
    async fn t17_a_host_is_asked_one_at_a_time_with_a_pause() {
        let politeness = Politeness::new(1, GAP);
        let began = Instant::now();
        for n in 0..4 {
            let turn = politeness.turn("a.example").await.unwrap();
            assert!(began.elapsed() >= GAP * n, "turn {n}");
            drop(turn);
        }
    }

    #[tokio::test]
    async fn hosts_do_not_wait_for_each_other() {
        let politeness = Politeness::new(1, LONGEST);
        let mut held = Vec::new();
        for n in 0..50 {
            held.push(politeness.turn(&format!("{n}.example")).await.unwrap());
        }
        assert_eq!(held.len(), 50);
    }

    #[tokio::test]
    async fn as_many_at_once_as_allowed_and_no_more() {
        let politeness = Politeness::new(2, Duration::ZERO);
        let (one, _two) = (politeness.turn("a.example").await, politeness.turn("a.example").await);
        let third = tokio::time::timeout(Duration::from_millis(5), politeness.turn("a.example")).await;
        assert!(third.is_err());
        drop(one);
        assert!(politeness.turn("a.example").await.is_ok());
    }

    #[tokio::test]
    async fn a_host_that_wants_a_longer_pause_gets_it_and_others_are_not_held_up() {
        let politeness = Politeness::new(3, Duration::ZERO);
        drop(politeness.turn("a.example").await);
        let began = Instant::now();
        politeness.pace("a.example", Some(GAP));
        // One at a time, though three are allowed, and from the end of one to the start of the next.
        for n in 1..4 {
            let ((a, b), c) = tokio::join!(
                async { tokio::join!(politeness.turn("a.example"), politeness.turn("b.example")) },
                async { politeness.turn("c.example").await }
            );
            assert!(began.elapsed() >= GAP * n && a.is_ok() && b.is_ok() && c.is_ok(), "turn {n}");
        }
        let (_one, _two) = tokio::join!(politeness.turn("a.example"), politeness.turn("a.example"));
        assert!(began.elapsed() >= GAP * 5);
        politeness.pace("a.example", None);
        lock(&politeness.host("a.example").state).next = Instant::now();
        let third = tokio::time::timeout(GAP / 2, politeness.turn("a.example")).await;
        assert!(third.is_ok(), "no pause any more");
    }

    #[tokio::test]
    async fn giving_up_while_waiting_loses_no_turn() {
        let gap = GAP * 10;
        let politeness = Politeness::new(1, gap);
        drop(politeness.turn("a.example").await);
        for _ in 0..5 {
            let waiting = tokio::time::timeout(Duration::from_millis(1), politeness.turn("a.example")).await;
            assert!(waiting.is_err());
        }
        let began = Instant::now();
        assert!(politeness.turn("a.example").await.is_ok());
        assert!(began.elapsed() < gap * 5);
    }

    #[tokio::test]
    async fn a_host_that_asks_for_rest_gets_it() {
        let politeness = Politeness::new(1, Duration::from_millis(1));
        let turn = politeness.turn("a.example").await.unwrap();
        assert_eq!(turn.throttled(Some(LONGEST * 5)).as_secs().div_ceil(60), 60);
        drop(turn);
        let NotNow(wait) = politeness.turn("a.example").await.unwrap_err();
        assert!(wait > LONGEST - Duration::from_secs(5));
        let turn = politeness.turn("b.example").await.unwrap();
        let waits: Vec<_> = (0..12).map(|_| turn.throttled(None)).collect();
        assert!(waits.windows(2).all(|pair| pair[0] < pair[1]), "{waits:?}");
        turn.answered();
        assert_eq!(lock(&turn.host.state).strikes, 0);
    }

    #[tokio::test]
    async fn idle_hosts_are_forgotten_and_busy_ones_are_not() {
        let politeness = Politeness::new(1, Duration::ZERO);
        let kept = politeness.turn("kept.example").await.unwrap();
        let resting = politeness.turn("resting.example").await.unwrap();
        resting.throttled(Some(LONGEST));
        drop(resting);
        for n in 0..FIRST_SWEEP * 4 {
            drop(politeness.turn(&format!("{n}.example")).await.unwrap());
        }
        let hosts = lock(&politeness.hosts);
        assert!(hosts.known.len() <= FIRST_SWEEP, "{}", hosts.known.len());
        assert!(hosts.known.contains_key("kept.example") && hosts.known.contains_key("resting.example"));
        drop(kept);
    }
}
