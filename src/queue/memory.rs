//! The queue of a single process: a bounded channel with a ticket for each delivery.
//!
//! In: [`Collected`]. Out: [`Delivery`], in the order sent.
//! Promise: `send` returns once the delivery is committed, or `None` when the committer is gone.

use tokio::sync::{mpsc, oneshot};

use super::{Delivery, Receipt};
use crate::item::Collected;
use crate::telemetry::metrics::Queued;

/// The collectors' end; cheap to clone.
#[derive(Clone, Debug)]
pub struct Sender(mpsc::Sender<Delivery>);

/// The committer's end. Blocking: it lives on a thread of its own.
#[derive(Debug)]
pub struct Receiver(mpsc::Receiver<Delivery>);

/// A queue for `capacity` deliveries.
pub fn memory(capacity: usize) -> (Sender, Receiver) {
    let (sender, receiver) = mpsc::channel(capacity.max(1));
    (Sender(sender), Receiver(receiver))
}

impl Sender {
    /// Hands `collected` over and waits until it is on disk. `None`: the committer has ended, nothing was stored.
    pub async fn send(&self, collected: Collected) -> Option<Receipt> {
        let (ticket, receipt) = oneshot::channel();
        self.0.send(Delivery { collected, ticket, counted: Queued::new() }).await.ok()?;
        receipt.await.ok()
    }
}

impl Receiver {
    /// The next delivery; `None` once all senders are gone and the queue is empty. Given up, nothing is lost.
    pub async fn next(&mut self) -> Option<Delivery> {
        self.0.recv().await
    }

    /// Whether nothing is there and nothing will come.
    pub fn is_over(&self) -> bool {
        self.0.is_closed() && self.0.is_empty()
    }

    /// A delivery that is already there.
    pub fn waiting(&mut self) -> Option<Delivery> {
        self.0.try_recv().ok()
    }
}
