//! Build, start, signals, reload, deadline.
//!
//! In: a validated configuration. Out: a running system, and its end.
//! Promise: everything is built before anything starts; all loops live in one [`JoinSet`]; a loop that ends by itself is
//! a failure of the whole; a stop drains within the deadline and names who is late.
//! Not here: what the loops do ([`crate::pipeline`], [`crate::serve`]), the command line ([`crate::cli`]).

mod control;
mod notify;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::net::{TcpListener, UnixListener};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::{Id, JoinSet};

use crate::config::Config;
use crate::fetch::Client;
use crate::pipeline::collect::Collector;
use crate::pipeline::commit::{Committer, Order};
use crate::pipeline::indexing::Indexing;
use crate::pipeline::learn::{Request, Teacher};
use crate::pipeline::schedule::{Channels, Finished, PollNow, Schedule};
use crate::pipeline::sinks::{self, Carrier};
use crate::pipeline::{Job, Stop, now};
use crate::queue::{self, Receiver, Sender};
use crate::search::{self, Search};
use crate::serve::{self, Control, Loaded, State};
use crate::store::{self, Policies, Store, Taught, Writer};

pub use control::Reload;

/// The name of the daemon's socket in the store's directory.
pub const SOCKET: &str = "rasid.sock";

/// Wishes and controls that may wait.
const CHANNEL: usize = 64;
/// Orders that may wait: one of each consumer, and as many others. So no acknowledgement is turned away for want of room.
const ORDERS: usize = store::MAX_CONSUMERS + CHANNEL;

/// Whether feeds are polled by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The daemon: when they are due.
    Automatic,
    /// A command that holds the store for a moment: only on a wish.
    OnDemand,
}

/// Everything built, and its loops once started.
pub struct System {
    state: State,
    stop: Stop,
    loops: JoinSet<anyhow::Result<()>>,
    names: BTreeMap<Id, &'static str>,
}

/// What is built before anything starts.
pub struct Built {
    store: Store,
    writer: Writer,
    client: Client,
    loaded: Arc<Loaded>,
}

/// How often it is told how far long work at the start is.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// Opens the store and makes the HTTP client. Blocking: opening replays what was written since the last time.
///
/// # Errors
/// When another process holds the store, when it cannot be read, or when no HTTP client can be made.
pub fn build(config: &Config) -> anyhow::Result<Built> {
    let client = Client::new(&config.fetch).map_err(anyhow::Error::msg)?;
    // A store of an older layout takes its time, and says how far it is.
    let mut told = std::time::Instant::now();
    let (store, writer) = store::open_with(&config.store, &mut |doing, done, _| {
        if told.elapsed() >= TELL_EVERY {
            told = std::time::Instant::now();
            tracing::info!(done, "opening the store: {doing}");
        }
    })?;
    let taught = Arc::new(store.taught()?);
    Ok(Built { store, writer, client, loaded: Arc::new(loaded(config, taught)) })
}

/// The part of a configuration that a reload replaces, with what topics have learned.
pub fn loaded(config: &Config, taught: Arc<Taught>) -> Loaded {
    let named = config.topics_file.topic.iter().filter_map(|topic| topic.like.as_ref()).flat_map(|like| &like.items);
    let named = named.filter_map(|item| item.get_ref().parse().ok()).collect();
    Loaded {
        feeds: config.feeds.clone(),
        retention: Arc::new(Policies::of(&config.store, named)),
        topics: Arc::new(taught.apply(&config.topics)),
        sets: Arc::new(config.topics_file.sets.clone()),
        corpora: config.corpora.clone(),
        examples: config.examples.clone(),
        taught,
        sinks: serve::Sinks::new(config.sinks.iter().map(sinks::shown)),
        published: serve::Published { at: config.server.public_url.clone(), hub: config.server.websub_hub.clone() },
    }
}

impl System {
    /// Starts the loops over what was built. What fails from here on ends the loop that it fails in.
    pub fn start(config: &Config, built: Built, mode: Mode, reload: Reload) -> Self {
        let Built { store, writer, client, loaded } = built;
        let workers = config.fetch.workers.max(1) as usize;
        let stop = Stop::default();
        let (loaded_sender, loaded) = watch::channel(loaded);
        let loaded_sender = Arc::new(loaded_sender);
        let (order_sender, orders) = mpsc::channel::<Order>(ORDERS);
        let (request_sender, requests) = mpsc::channel::<Request>(CHANNEL);
        let (control_sender, control) = mpsc::channel::<Control>(CHANNEL);
        let (wish_sender, wishes) = mpsc::channel::<PollNow>(CHANNEL);
        let (job_sender, jobs) = mpsc::channel::<Job>(workers);
        let (finished_sender, finished) = mpsc::channel::<Finished>(2 * workers);
        let (queue_sender, queue) = queue::memory(config.queue.capacity as usize);
        let automatic = mode == Mode::Automatic;
        let channels = Channels { jobs: job_sender, wishes, finished };
        let schedule = Schedule::new(store.clone(), loaded.clone(), channels, stop.clone(), automatic);
        let committer = Committer::new(store.clone(), writer, loaded.clone(), &config.dedup).telling(&config.stories);
        let started = automatic.then(now);
        let search =
            (automatic && config.search.enabled).then(|| Search::new(config.store.path.join(search::DIRECTORY)));
        let state = State {
            store,
            search: search.clone(),
            loaded: loaded.clone(),
            control: control_sender,
            started,
            clock: now,
        };
        let mut system = Self { state, stop: stop.clone(), loops: JoinSet::new(), names: BTreeMap::new() };
        if let Some(search) = search {
            let indexing = Indexing { store: system.state.store.clone(), search, stop: stop.clone() };
            system.spawn("search", async move {
                indexing.run().await;
                Ok(())
            });
        }
        if automatic && !config.sinks.is_empty() {
            let carrier = Carrier {
                store: system.state.store.clone(),
                configured: config.sinks.clone(),
                shown: loaded.borrow().sinks.clone(),
                user_agent: config.fetch.user_agent.clone(),
                orders: order_sender.clone(),
                stop: stop.clone(),
            };
            system.spawn("sinks", async move {
                carrier.run().await;
                Ok(())
            });
        }
        system.spawn("schedule", async move { Ok(schedule.run().await?) });
        let teacher = Teacher {
            store: system.state.store.clone(),
            loaded: Arc::clone(&loaded_sender),
            orders: order_sender.clone(),
            requests,
            stop: stop.clone(),
            automatic,
        };
        let reached = control::Reached { wishes: wish_sender, requests: request_sender, orders: order_sender };
        system.spawn("control", control::run(control, reached, loaded_sender, reload, stop.clone()));
        system.spawn("learn", async move {
            teacher.run().await;
            Ok(())
        });
        let jobs = Arc::new(Mutex::new(jobs));
        let collector = Collector { client, loaded, stop };
        for _ in 0..workers {
            system
                .spawn("collect", work(collector.clone(), jobs.clone(), queue_sender.clone(), finished_sender.clone()));
        }
        system.spawn_commit(committer, queue, orders, mode);
        system
    }

    /// What the routes need.
    pub fn state(&self) -> State {
        self.state.clone()
    }

    fn spawn(&mut self, name: &'static str, task: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        let handle = self.loops.spawn(task);
        self.names.insert(handle.id(), name);
    }

    fn spawn_commit(&mut self, mut committer: Committer, queue: Receiver, orders: mpsc::Receiver<Order>, mode: Mode) {
        let handle = self.loops.spawn_blocking(move || {
            if mode == Mode::Automatic {
                committer.load()?;
                committer.resume()?;
            }
            Ok(committer.run(queue, orders)?)
        });
        self.names.insert(handle.id(), "commit");
    }

    /// Serves the routes on the socket and on an address.
    pub fn serve(&mut self, socket: UnixListener, tcp: Option<(TcpListener, serve::ServerConfig)>) {
        let (state, stop) = (self.state(), self.stop.clone());
        self.spawn("serve socket", async move {
            Ok(serve::serve_unix(socket, state, async move { stop.wait().await }).await?)
        });
        if let Some((listener, config)) = tcp {
            let (state, stop) = (self.state(), self.stop.clone());
            self.spawn("serve http", async move {
                Ok(serve::serve_tcp(listener, &config, state, async move { stop.wait().await }).await?)
            });
        }
    }

    /// Returns when a loop has ended, which none does by itself before the stop.
    async fn first_failure(&mut self) -> anyhow::Error {
        match self.loops.join_next_with_id().await {
            None => anyhow::anyhow!("nothing is running"),
            Some(ended) => match self.describe(ended) {
                Ok(name) => anyhow::anyhow!("{name} ended by itself"),
                Err(error) => error,
            },
        }
    }

    /// The name of the loop, if it ended well.
    fn describe(
        &mut self,
        ended: Result<(Id, anyhow::Result<()>), tokio::task::JoinError>,
    ) -> anyhow::Result<&'static str> {
        let (id, result) = match ended {
            Ok((id, result)) => (id, result),
            Err(error) => (error.id(), Err(anyhow::anyhow!("{error}"))),
        };
        let name = self.names.remove(&id).unwrap_or("a loop");
        result.map(|()| name).with_context(|| format!("{name} failed"))
    }

    /// Stops, waits for everyone, and says who is late.
    ///
    /// # Errors
    /// When a loop failed, or did not end within the deadline.
    pub async fn end(mut self, deadline: Duration) -> anyhow::Result<()> {
        self.stop.set();
        let mut failure = None;
        let drained = tokio::time::timeout(deadline, async {
            while let Some(ended) = self.loops.join_next_with_id().await {
                if let Err(error) = self.describe(ended) {
                    failure.get_or_insert(error);
                }
            }
        });
        if drained.await.is_err() {
            let late: Vec<&str> = self.names.values().copied().collect();
            bail!("after {} s these had not ended: {}", deadline.as_secs(), late.join(", "));
        }
        failure.map_or(Ok(()), Err)
    }
}

/// A worker: polls what it is given and waits until that is on disk.
async fn work(
    collector: Collector,
    jobs: Arc<Mutex<mpsc::Receiver<Job>>>,
    queue: Sender,
    finished: mpsc::Sender<Finished>,
) -> anyhow::Result<()> {
    loop {
        let next = jobs.lock().await.recv().await;
        let Some(job) = next else { return Ok(()) };
        let feed = job.feed.id.clone();
        let result = match collector.poll(job).await {
            None => Err("the daemon was stopped before the poll was made".to_owned()),
            Some(collected) => {
                let poll = collected.poll.clone();
                let Some(receipt) = queue.send(collected).await else {
                    let result = Err("what it gave could not be stored; the log of the daemon says why".to_owned());
                    let _stopped = finished.send(Finished { feed, result }).await;
                    // The committer's own end names the reason and stops the others: ending first would hide it.
                    collector.stop.wait().await;
                    return Ok(());
                };
                crate::pipeline::collect::report(&feed, &poll, &receipt);
                Ok((receipt.cursor, poll))
            }
        };
        // After the stop nobody listens any more, which is no failure.
        let _stopped = finished.send(Finished { feed, result }).await;
    }
}

/// The daemon: runs until a signal or a failure.
///
/// # Errors
/// When something cannot be built or bound, when a loop fails, or when the deadline passes.
pub async fn run(config: Config, reload: Reload) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    let mut hangup = signal(SignalKind::hangup()).context("listening for SIGHUP")?;
    let config = Arc::new(config);
    let built = {
        let config = config.clone();
        let opening = tokio::task::spawn_blocking(move || build(&config));
        notify::while_starting(opening).await??
    };
    let socket = serve::bind_unix(&config.store.path.join(SOCKET)).context("the socket for commands")?;
    let listen = config.server.listen;
    let tcp = TcpListener::bind(listen)
        .await
        .with_context(|| format!("[server] listen: {listen} cannot be bound; is another daemon running there?"))?;
    let address = tcp.local_addr().unwrap_or(listen);
    let mut system = System::start(&config, built, Mode::Automatic, reload);
    system.serve(socket, Some((tcp, config.server.clone())));
    let enabled = config.feeds.iter().filter(|feed| feed.enabled).count();
    tracing::info!(feeds = enabled, store = %config.store.path.display(), address = %address, "rasid is running");
    notify::ready();
    let failure = loop {
        tokio::select! {
            _ = terminate.recv() => break None,
            _ = interrupt.recv() => break None,
            _ = hangup.recv() => control::reload_on_signal(&system.state().control).await,
            failure = system.first_failure() => break Some(failure),
        }
    };
    notify::stopping();
    match &failure {
        None => {
            tracing::info!(deadline = %config.shutdown.deadline, "stopping: what is in hand is finished and stored")
        }
        Some(failure) => tracing::error!("{failure:#}; stopping"),
    }
    let socket = config.store.path.join(SOCKET);
    let ended = tokio::select! {
        ended = system.end(config.shutdown.deadline.get()) => ended,
        _ = terminate.recv() => Err(anyhow::anyhow!("a second signal: stopped at once")),
        _ = interrupt.recv() => Err(anyhow::anyhow!("a second signal: stopped at once")),
    };
    // Removed last: while it is there, commands find the daemon. What is left after a crash is replaced at the next start.
    let _already_gone = tokio::task::spawn_blocking(move || std::fs::remove_file(socket)).await;
    match failure {
        Some(failure) => Err(failure),
        None => ended,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{FeedConfig, FeedCursor};

    /// The committer's own end is to be the first that ends: its reason is what people need.
    #[tokio::test]
    async fn a_worker_without_a_committer_tells_who_waits_and_ends_with_the_stop() {
        let client = Client::new(&crate::fetch::FetchConfig::default()).unwrap();
        let loaded = Loaded::default();
        let stop = Stop::default();
        let collector = Collector { client, loaded: watch::channel(Arc::new(loaded)).1, stop: stop.clone() };
        let (job_sender, jobs) = mpsc::channel(1);
        let (queue, committer) = queue::memory(1);
        drop(committer);
        let (finished, mut told) = mpsc::channel(1);
        let mut worker = tokio::spawn(work(collector, Arc::new(Mutex::new(jobs)), queue, finished));
        // Refused by the guard, so nothing is asked; the failed poll is a poll all the same.
        let feed = FeedConfig::new("a".parse().unwrap(), "http://127.0.0.1:1/".parse().unwrap());
        let cursor = FeedCursor::start(&feed, now());
        job_sender.send(Job { feed, cursor }).await.unwrap();
        let reason = told.recv().await.unwrap().result.unwrap_err();
        assert!(reason.contains("could not be stored"), "{reason}");
        assert!(tokio::time::timeout(Duration::from_millis(20), &mut worker).await.is_err(), "it waits for the stop");
        stop.set();
        worker.await.unwrap().unwrap();
    }
}
