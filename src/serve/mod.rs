//! The HTTP interface: one router, on the Unix socket, on `[server] listen`, and in-process where no daemon runs.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};

use crate::dedup::corpus::Corpora;
use crate::id::FeedId;
use crate::source::{FeedConfig, PollRecord};
use crate::store::Store;
use crate::topic::matcher::Topics;

/// The configuration as far as readers see it; replaced whole on reload.
#[derive(Debug)]
pub struct Loaded {
    pub feeds: Vec<FeedConfig>,
    pub topics: Arc<Topics>,
    pub corpora: Arc<Corpora>,
}

/// What a reader may ask of the running daemon.
#[derive(Debug)]
pub enum Control {
    /// Poll now; answers once everything it gave is stored.
    Poll { feed: FeedId, answer: oneshot::Sender<Result<PollRecord, String>> },
    /// Read the configuration again; the problems, each `file:line:column: message`, where it is refused.
    Reload { answer: oneshot::Sender<Result<String, Vec<String>>> },
}

/// All that the routes need.
#[derive(Clone)]
pub struct State {
    pub store: Store,
    pub loaded: watch::Receiver<Arc<Loaded>>,
    pub control: mpsc::Sender<Control>,
    /// When the daemon started; `None` in-process.
    pub started: Option<Timestamp>,
    pub clock: fn() -> Timestamp,
}
