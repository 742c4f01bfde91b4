//! The three kinds of places behind one door.
//!
//! In: records, in order. Out: how many of them were delivered, and why the next was not.
//! Promise: what counts as delivered was confirmed: by an answer, by the server, by the disk.
//! Not here: what becomes of a failure ([`super::carry`]).

use std::time::Duration;

use jiff::Timestamp;

use super::file::FileOut;
use super::nats::NatsOut;
use super::webhook::WebhookOut;
use crate::config::SinkConfig;
use crate::config::sinks::Target;
use crate::id::Seq;
use crate::item::LogRecord;
use crate::store::Store;

/// Records that are given to a file or a server at once.
const AT_ONCE: usize = 100;

/// What came of trying to deliver.
#[derive(Debug)]
pub(super) struct Outcome {
    /// So many, from the first, were delivered.
    pub(super) done: usize,
    /// Why not all.
    pub(super) failure: Option<Failure>,
}

/// Why something was not delivered.
#[derive(Debug)]
pub(super) struct Failure {
    /// In words, without secrets.
    pub(super) message: String,
    /// Whether trying again is of no use.
    pub(super) permanent: bool,
    /// How long to stay away at least.
    pub(super) after: Option<Duration>,
    /// How many records it concerns, from the first that was not delivered.
    pub(super) concerns: usize,
}

impl Outcome {
    /// All were delivered.
    pub(super) const fn all(done: usize) -> Self {
        Self { done, failure: None }
    }

    /// A failure that may go by.
    pub(super) const fn failed(done: usize, concerns: usize, message: String) -> Self {
        Self { done, failure: Some(Failure { message, permanent: false, after: None, concerns }) }
    }

    /// A failure that will not.
    pub(super) const fn refused(done: usize, concerns: usize, message: String) -> Self {
        Self { done, failure: Some(Failure { message, permanent: true, after: None, concerns }) }
    }
}

/// Where records go.
#[derive(Debug)]
pub(super) enum Out {
    Webhook(WebhookOut),
    Nats(Box<NatsOut>),
    File(FileOut),
}

impl Out {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// Where TLS cannot be set up.
    pub(super) fn new(config: &SinkConfig, store: &Store, user_agent: &str) -> Result<Self, String> {
        let timeout = config.patience.timeout;
        Ok(match &config.target {
            Target::Webhook(target) => Self::Webhook(WebhookOut::new(target.clone(), timeout, user_agent)?),
            Target::Nats(target) => {
                Self::Nats(Box::new(NatsOut::new(target.clone(), timeout.get(), config.name.clone())))
            }
            Target::File(target) => Self::File(FileOut::new(target.clone(), store.clone())),
        })
    }

    /// The most records it takes at once.
    pub(super) const fn most(&self) -> usize {
        match self {
            Self::Webhook(out) => out.batch(),
            Self::Nats(_) | Self::File(_) => AT_ONCE,
        }
    }

    /// Whether what cannot be delivered may become a dead letter: a disk that is full is no fault of a record.
    pub(super) const fn gives_up(&self) -> bool {
        !matches!(self, Self::File(_))
    }

    /// Delivers, and returns once that is confirmed. `offset` is the position up to which all was confirmed before.
    pub(super) async fn deliver(&mut self, records: &[LogRecord], offset: Seq, now: Timestamp) -> Outcome {
        match self {
            Self::Webhook(out) => out.deliver(records, now).await,
            Self::Nats(out) => out.deliver(records).await,
            Self::File(out) => out.deliver(records.to_vec(), offset).await,
        }
    }

    /// Does what is due while there is nothing to deliver; when to come again.
    ///
    /// # Errors
    /// In words.
    pub(super) async fn rest(&mut self, offset: Seq, now: Timestamp) -> Result<Option<Duration>, String> {
        match self {
            Self::File(out) => out.rest(offset, now).await,
            Self::Webhook(_) | Self::Nats(_) => Ok(None),
        }
    }
}
