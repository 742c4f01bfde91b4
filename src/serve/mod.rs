//! The HTTP interface: one router, on the Unix socket, on `[server] listen`, and in-process where no daemon runs.
//!
//! In: requests, and a [`State`] to answer them from. Out: JSON for programs, and `/metrics` as Prometheus reads it; every
//! error is an RFC 9457 problem document.
//! Promise: the same request gives the same bytes through every door; a parameter that is not understood is refused,
//! never ignored; no secret of the configuration leaves; reading never blocks a thread of the runtime.
//! Not here: polling and reloading themselves (asked for through [`Control`]), and who may open the socket file.
//! Read next: `items.rs`, the plainest resource; `guard.rs`, what stands before the router on TCP.

mod consumers;
mod corpus;
mod dedup;
mod feeds;
mod files;
mod guard;
mod health;
mod items;
mod keep;
mod listen;
mod log;
mod maintenance;
mod metrics;
mod passages;
mod problem;
mod replay;
mod request;
mod search;
mod sinks;
mod stats;
mod stories;
mod topics;
mod transfer;
mod volume;
mod web;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::Deserialize;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use crate::dedup::corpus::Corpora;
use crate::id::{FeedId, ItemId, TopicId};
use crate::search::Search;
use crate::source::{FeedConfig, PollRecord};
use crate::store::{
    ConsumeError, Consumed, Consuming, Corrected, Correcting, Import, Imported, Judgement, Policies, Reclassification,
    Store, StoreError, Taught,
};
use crate::topic::bag::Bag;
use crate::topic::config::Sets;
use crate::topic::matcher::Topics;

pub use axum::Router;
pub use consumers::{ConsumerList, ConsumerReading, ConsumerView};
pub use corpus::{
    CorpusFound, CorpusList, CorpusMatched, CorpusView, DocumentMatch, DocumentMatched, DocumentView, MatchedItem,
};
pub use dedup::{CorrectedView, CorrectionView, Corrections};
pub use feeds::{CursorView, FeedHistory, FeedList, FeedView, Reloaded};
pub use files::{Files, serve_files};
pub use items::{Listing, RevisionView, Revisions};
pub use keep::{PinView, Pins, Pruned};
pub use listen::{bind_unix, serve_tcp, serve_unix};
pub use log::{MissedView, Reading};
pub use maintenance::{BackingUp, Verified, Working};
pub use passages::{CopyView, Explanation, NO_TEXT, Party};
pub use replay::{EntryView, RejectedView, Replay, Reread};
pub use search::{IndexView, ResultView, Results};
pub use sinks::{Carrying, DeadList, Doing, Dropped, Fault, Replaying, Sink, SinkList, SinkView, Sinks};
pub use stats::{Counts, FeedCounts, Overview};
pub use stories::{Hour, Source, StoryItem, StoryList, StorySummary, StoryView};
pub use topics::{
    Changed, Excerpt, Judged, Judgements, Learning, Learnt, LikeView, ModelView, QueryFault, Reclassifying, TopicList,
    TopicView, TopicsFound, Tried, TriedItem,
};
pub use volume::{Volume, VolumeSeries};

pub use transfer::Importing;

use problem::Problem;

/// `[server]` of `rasid.toml`. That an address which others reach has a token is checked with the configuration.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// Where the interface is served over TCP.
    pub listen: SocketAddr,
    /// What a reader over TCP has to send as `Authorization: Bearer`.
    pub token: Option<String>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7878), token: None }
    }
}

impl fmt::Debug for ServerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerConfig")
            .field("listen", &self.listen)
            .field("token", &self.token.as_ref().map(|_| "(secret)"))
            .finish()
    }
}

/// The configuration as far as readers see it; replaced whole on reload, and where topics have learned.
#[derive(Debug, Default)]
pub struct Loaded {
    /// All feeds, those switched off too.
    pub feeds: Vec<FeedConfig>,
    /// How long what is kept.
    pub retention: Arc<Policies>,
    /// All topics, compiled, with what they have learned.
    pub topics: Arc<Topics>,
    /// The sets that every topic may use, and a query that is tried.
    pub sets: Arc<Sets>,
    /// All corpora, loaded.
    pub corpora: Arc<Corpora>,
    /// The examples of topics that stand in files.
    pub examples: Arc<BTreeMap<TopicId, Vec<Bag>>>,
    /// What topics have learned.
    pub taught: Arc<Taught>,
    /// What is carried to others; stays as it is until the daemon ends.
    pub sinks: Sinks,
}

/// What a reader may ask of the running daemon.
#[derive(Debug)]
pub enum Control {
    /// Poll now; answers once everything it gave is stored.
    Poll {
        /// Which feed; one that is configured.
        feed: FeedId,
        /// What came of it, or why it was not polled.
        answer: oneshot::Sender<Result<PollRecord, String>>,
    },
    /// Keep what somebody said of items, and let the topic learn from it.
    Judge {
        /// Which topic; one that learns.
        topic: TopicId,
        /// What was said.
        said: Vec<Judgement>,
        /// Whose judgements are taken back.
        forgotten: Vec<ItemId>,
        /// What came of it, or why nothing did.
        answer: oneshot::Sender<Result<Learning, String>>,
    },
    /// Keep what somebody said of a verdict, and do it.
    Correct {
        /// What was said.
        correcting: Correcting,
        /// What came of it, or why it makes no sense.
        answer: oneshot::Sender<Result<Corrected, String>>,
    },
    /// Keep an item whatever its age, or not any more.
    Pin {
        /// Which.
        item: ItemId,
        /// Whether it is to be pinned.
        pinned: bool,
        /// Why.
        why: Option<String>,
        /// Told when it is done, or why it makes no sense.
        answer: oneshot::Sender<Result<(), String>>,
    },
    /// Remove what has expired.
    Prune {
        /// And what was stored before, of whose feed and topics nothing is said.
        before: Option<Timestamp>,
        /// Told when all is gone.
        answer: oneshot::Sender<Result<Pruned, String>>,
    },
    /// Move, make, change or remove a consumer.
    Consume {
        /// What is asked.
        asked: Consuming,
        /// What came of it once it is durable, or why it was refused.
        answer: oneshot::Sender<Result<Consumed, ConsumeError>>,
    },
    /// Store what was exported.
    Import {
        /// What.
        import: Box<Import>,
        /// How much of it was stored, or why nothing was.
        answer: oneshot::Sender<Result<Imported, String>>,
    },
    /// Classify what is stored by the topics in force.
    Reclassify {
        /// One topic, or all.
        topic: Option<TopicId>,
        /// Only items published since.
        since: Option<Timestamp>,
        /// Told when it has begun.
        answer: oneshot::Sender<Result<Reclassification, String>>,
    },
    /// Read the configuration again; the problems, each `file:line:column: message`, where it is refused.
    Reload {
        /// What changed, in words, or the problems.
        answer: oneshot::Sender<Result<String, Vec<String>>>,
    },
}

/// All that the routes need.
#[derive(Clone)]
pub struct State {
    /// Where items are read from.
    pub store: Store,
    /// Where items are searched; `None` where that is switched off, or not made ready.
    pub search: Option<Search>,
    /// The configuration in force.
    pub loaded: watch::Receiver<Arc<Loaded>>,
    /// To the daemon's loop.
    pub control: mpsc::Sender<Control>,
    /// When the daemon started; `None` in-process.
    pub started: Option<Timestamp>,
    /// The clock, which composition owns.
    pub clock: fn() -> Timestamp,
}

/// The state, and the word that the server is stopping: a reader who waits for a commit then gets an answer at once.
#[derive(Clone)]
struct Shared {
    state: State,
    stopping: watch::Receiver<bool>,
    /// One backup, check or compaction at a time.
    upkeep: Arc<Semaphore>,
}

/// Every route, without guards: for the Unix socket, whose file mode is the guard, and for use in-process.
pub fn router(state: State) -> Router {
    // The sender is gone at once: such a router is never told to stop.
    routes(Shared::new(state, watch::channel(false).1), Door::Local)
}

/// Every route behind what TCP needs: the token, and the refusal of foreign hosts and origins.
pub fn tcp_router(config: &ServerConfig, state: State) -> Router {
    guard::protect(routes(Shared::new(state, watch::channel(false).1), Door::Tcp), config)
}

/// Through what a request comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    /// The Unix socket, which only the store's owner opens, or no socket at all.
    Local,
    /// TCP, which everyone on the machine reaches.
    Tcp,
}

/// What only the owner of the store may ask for.
fn local_routes() -> Router<Shared> {
    Router::new()
        .route("/api/v1/export", get(transfer::export))
        .route("/api/v1/import", post(transfer::import))
        .route("/api/v1/maintenance/backup", post(maintenance::backup))
        .route("/api/v1/maintenance/compact", post(maintenance::compact))
        .route("/api/v1/maintenance/verify", post(maintenance::verify))
        .merge(sinks::routes())
}

fn routes(shared: Shared, door: Door) -> Router {
    let local = if door == Door::Local { local_routes() } else { Router::new() };
    local
        .route("/api/v1/items", get(items::list))
        .route("/api/v1/items/{id}", get(items::show))
        .route("/api/v1/items/{id}/pin", post(keep::pin).delete(keep::unpin))
        .route("/api/v1/items/{id}/passages", get(passages::show))
        .route("/api/v1/items/{id}/revisions", get(items::revisions))
        .route("/api/v1/pins", get(keep::list))
        .route("/api/v1/prune", post(keep::prune))
        .route("/api/v1/log", get(log::read))
        .route("/api/v1/search", get(search::find))
        .route("/api/v1/search/index", get(search::index))
        .route("/api/v1/search/rebuild", post(search::rebuild))
        .route("/api/v1/consumers", get(consumers::list))
        .route("/api/v1/consumers/{name}", get(consumers::read).put(consumers::put).delete(consumers::remove))
        .route("/api/v1/consumers/{name}/ack", post(consumers::ack))
        .route("/api/v1/consumers/{name}/reset", post(consumers::reset))
        .route("/api/v1/feeds", get(feeds::list))
        .route("/api/v1/feeds/{id}", get(feeds::show))
        .route("/api/v1/feeds/{id}/poll", post(feeds::poll))
        .route("/api/v1/feeds/{id}/unread", get(replay::show))
        .route("/api/v1/feeds/{id}/unread/body", get(replay::body))
        .route("/api/v1/reload", post(feeds::reload))
        .route("/api/v1/topics", get(topics::list))
        .route("/api/v1/topics/test", post(topics::test))
        .route("/api/v1/topics/try", post(topics::attempt))
        .route("/api/v1/topics/learned", get(topics::learned))
        .route("/api/v1/topics/reclassify", get(topics::reclassifying).post(topics::reclassify))
        .route("/api/v1/topics/{id}/judgements", get(topics::judgements).post(topics::judge))
        .route("/api/v1/corpus", get(corpus::list))
        .route("/api/v1/corpus/match", post(corpus::matches))
        .route("/api/v1/corpus/matched", get(corpus::matched))
        .route("/api/v1/dedup", get(dedup::list))
        .route("/api/v1/dedup/split", post(dedup::split))
        .route("/api/v1/dedup/join", post(dedup::join))
        .route("/api/v1/dedup/forget", post(dedup::forget))
        .route("/api/v1/stories", get(stories::list))
        .route("/api/v1/stories/{id}", get(stories::show))
        .route("/api/v1/stats", get(stats::show))
        .route("/metrics", get(metrics::show))
        .route("/api/v1/volume", get(volume::show))
        .route("/", get(web::page))
        .route("/web/{file}", get(web::file))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::wrong_method)
        .layer(middleware::from_fn(with_headers))
        .with_state(shared)
}

/// No answer is to be kept, unless it says so itself, nor guessed at, or told about to other sites.
async fn with_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

impl Shared {
    fn new(state: State, stopping: watch::Receiver<bool>) -> Self {
        Self { state, stopping, upkeep: Arc::new(Semaphore::new(1)) }
    }

    /// Runs `work`, which reads the disk or counts words, where it may block.
    async fn blocking<T, F>(&self, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&State) -> Result<T, StoreError> + Send + 'static,
    {
        let state = self.state.clone();
        match tokio::task::spawn_blocking(move || work(&state)).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(Problem::store(&error)),
            Err(error) => Err(Problem::internal(&error)),
        }
    }

    fn loaded(&self) -> Arc<Loaded> {
        Arc::clone(&self.state.loaded.borrow())
    }

    /// Asks the daemon's loop. `None` where nobody is there to answer.
    async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Control) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        self.state.control.send(question(answer)).await.ok()?;
        answered.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_never_printed() {
        let config = ServerConfig { token: Some("s3cret-and-long".to_owned()), ..ServerConfig::default() };
        assert!(!format!("{config:?}").contains("s3cret"));
    }
}
