//! The HTTP interface: one router, on the Unix socket, on `[server] listen`, and in-process where no daemon runs.
//!
//! In: requests, and a [`State`] to answer them from. Out: JSON for programs, and `/metrics` as Prometheus reads it; every
//! error is an RFC 9457 problem document.
//! Promise: the same request gives the same bytes through every door; a parameter that is not understood is refused,
//! never ignored; no secret of the configuration leaves; reading never blocks a thread of the runtime.
//! Not here: polling and reloading themselves (asked for through [`Control`]), and who may open the socket file.
//! Read next: `routes.rs`, the table of all routes; `items.rs`, the plainest resource; `guard.rs`, what stands before the
//! router on TCP.

mod access;
mod answers;
mod connection;
mod consumers;
mod corpus;
mod cors;
mod dedup;
mod etag;
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
mod openapi;
mod outgoing;
mod params;
mod passages;
mod problem;
mod rate;
mod replay;
mod request;
mod routes;
mod search;
mod sinks;
mod stats;
mod stories;
mod stream;
mod tokens;
mod topics;
mod transfer;
mod volume;
mod web;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use axum::Extension;
use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::middleware::{self, Next};
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};
use url::Url;

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
use crate::units::Span;

pub use access::{Access, Scope};
pub use axum::Router;
pub use consumers::{ConsumerList, ConsumerReading, ConsumerView};
pub use corpus::{
    CorpusFound, CorpusList, CorpusMatched, CorpusView, DocumentMatch, DocumentMatched, DocumentView, MatchedItem,
};
pub use cors::check_origins;
pub use dedup::{CorrectedView, CorrectionView, Corrections};
pub use feeds::{CursorView, FeedHistory, FeedList, FeedView, Reloaded};
pub use files::{Files, serve_files};
pub use items::{Listing, RevisionView, Revisions};
pub use keep::{PinView, Pins, Pruned};
pub use listen::{bind_unix, serve_tcp, serve_unix};
pub use log::{MissedView, Reading};
pub use maintenance::{BackingUp, Verified, Working};
pub use openapi::document as openapi;
pub use outgoing::{Published, check_published};
pub use passages::{CopyView, Explanation, NO_TEXT, Party};
pub use rate::Rate;
pub use replay::{EntryView, RejectedView, Replay, Reread};
pub use routes::routes;
pub use search::{IndexView, ResultView, Results};
pub use sinks::{Carrying, DeadList, Doing, Dropped, Fault, Replaying, Sink, SinkList, SinkView, Sinks};
pub use stats::{Counts, FeedCounts, Overview};
pub use stories::{Hour, Source, StoryItem, StoryList, StorySummary, StoryView};
pub use tokens::{TOKENS, Token, TokenFile};
pub use topics::{
    Changed, Excerpt, Judged, Judgements, Learning, Learnt, LikeView, ModelView, QueryFault, Reclassifying, TopicList,
    TopicView, TopicsFound, Tried, TriedItem,
};
pub use volume::{Volume, VolumeSeries};

pub use transfer::Importing;

use access::Door;
use answers::Answers;
use problem::Problem;
use stream::Hub;

/// `[server]` of `rasid.toml`. That an address which others reach has a token is checked with the configuration.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// Where the interface is served over TCP.
    pub listen: SocketAddr,
    /// A token with all scopes, besides those of [`TokenFile`].
    pub token: Option<String>,
    /// The origins of other sites whose pages may read; none unless named.
    pub cors_origins: Vec<String>,
    /// Where readers reach the interface, as outgoing feeds say it.
    pub public_url: Option<Url>,
    /// The WebSub hub that outgoing feeds link to.
    pub websub_hub: Option<Url>,
    /// How often one token, or one address without, may ask.
    pub rate: Rate,
    /// How many requests may come at once before `rate` counts.
    pub burst: u32,
    /// Connections over TCP at once.
    pub connections: u32,
    /// How long an answer may take over TCP; not those that wait.
    pub request_timeout: Span,
    /// The file of the tokens, which stands in the store's folder.
    #[serde(skip)]
    pub tokens: Option<PathBuf>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7878),
            token: None,
            cors_origins: Vec::new(),
            public_url: None,
            websub_hub: None,
            rate: Rate::default(),
            burst: 100,
            connections: 2_048,
            request_timeout: Span::secs(30),
            tokens: None,
        }
    }
}

impl fmt::Debug for ServerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerConfig")
            .field("listen", &self.listen)
            .field("token", &self.token.as_ref().map(|_| "(secret)"))
            .finish_non_exhaustive()
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
    /// Where outgoing feeds say that they are.
    pub published: Published,
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

/// The state, what all who stream share, and the word that the server is stopping: a reader who waits for a commit then gets
/// an answer at once.
#[derive(Clone)]
struct Shared {
    state: State,
    hub: Arc<Hub>,
    answers: Arc<Answers>,
    stopping: watch::Receiver<bool>,
    /// One backup, check or compaction at a time.
    upkeep: Arc<Semaphore>,
}

/// Every route, without guards: for the Unix socket, whose file mode is the guard, and for use in-process.
pub fn router(state: State) -> Router {
    // The sender is gone at once: such a router is never told to stop.
    through(Door::OWNER, Shared::new(state, watch::channel(false).1))
}

/// Every route behind what TCP needs: a token, the limits, and the refusal of foreign hosts and origins.
///
/// # Errors
/// In words, when the file of the tokens cannot be read.
pub fn tcp_router(config: &ServerConfig, state: State) -> Result<Router, String> {
    guard::protect(Shared::new(state, watch::channel(false).1), config)
}

/// Every route, for all who come through one door.
fn through(door: Door, shared: Shared) -> Router {
    every_route(shared, true).layer(Extension(door))
}

/// Every route, those for the store's owner alone where `owner` says so. It lets nobody in by itself: a door stands before it.
fn every_route(shared: Shared, owner: bool) -> Router {
    let worth_it = SizeAbove::new(COMPRESSED_FROM).and(NotForContentType::SSE);
    routes::router(owner, &shared)
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::wrong_method)
        .layer(middleware::from_fn(etag::tag))
        .layer(CompressionLayer::new().compress_when(worth_it))
        .layer(middleware::from_fn(etag::tag_coding))
        .layer(middleware::from_fn_with_state(shared.clone(), answers::pack_once))
        .layer(middleware::from_fn(with_headers))
        .with_state(shared)
}

/// Smaller answers gain nothing by being compressed, in bytes.
const COMPRESSED_FROM: u16 = 1_024;

/// No answer is to be kept, unless it says how; none is to be guessed at, or told about to other sites.
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
        Self { state, hub: Arc::default(), answers: Arc::default(), stopping, upkeep: Arc::new(Semaphore::new(1)) }
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
