//! The log to other places: webhooks, NATS, files.
//!
//! In: the log, from where each sink's consumer stands. Out: requests, messages and lines, in the order of the log; and how
//! each sink is doing ([`Sink`]).
//! Promise: an offset moves only behind what was delivered, put down as a dead letter, or is hidden by the filter. So nothing
//! is lost over restarts; after a crash the last records may come again, but for files, which know what they hold. A sink
//! that fails, hangs or panics holds up nothing but itself.
//! Not here: what is configured ([`crate::config::sinks`]), where dead letters lie and offsets ([`crate::store`]).
//! Where to read next: `carry.rs`, what one sink does; then `webhook.rs`, `nats.rs` and `file.rs`.

mod carry;
mod file;
mod nats;
mod out;
mod webhook;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::Stop;
use super::commit::Order;
use crate::config::SinkConfig;
use crate::serve::{Carrying, Fault, Sink, Sinks};
use crate::store::Store;
use carry::Carry;

/// After a fault of the program, or of the store.
const RETRY: Duration = Duration::from_secs(10);

/// Carries the log to every sink as long as the daemon runs.
#[derive(Debug)]
pub struct Carrier {
    /// Where the log is read.
    pub store: Store,
    /// What is configured.
    pub configured: Vec<SinkConfig>,
    /// Where it is told how they are doing.
    pub shown: Sinks,
    /// What requests name as their sender.
    pub user_agent: String,
    /// To the committer, who moves offsets.
    pub orders: mpsc::Sender<Order>,
    /// Ends it.
    pub stop: Stop,
}

/// A sink as it is shown before it runs.
pub fn shown(config: &SinkConfig) -> Sink {
    Sink::new(config.name.clone(), config.target.kind(), config.target.place())
}

impl Carrier {
    /// Runs until the stop.
    pub async fn run(self) {
        let (mut loops, mut of) = (JoinSet::new(), HashMap::new());
        for (config, shown) in self.configured.iter().zip(self.shown.iter()) {
            shown.doing().state = Carrying::Running;
            let carry = Carry {
                store: self.store.clone(),
                config: Arc::new(config.clone()),
                shown: Arc::clone(shown),
                user_agent: self.user_agent.clone(),
                orders: self.orders.clone(),
                stop: self.stop.clone(),
            };
            of.insert(loops.spawn(carry.clone().run()).id(), carry);
        }
        // They may end before the committer does only when told to: without a sender it would be told by nobody.
        drop(self.orders);
        while let Some(ended) = loops.join_next_with_id().await {
            let Err(error) = ended else { continue };
            let Some(carry) = of.remove(&error.id()) else { continue };
            tracing::error!(sink = %carry.config.name, %error, "a sink failed: tried again in {} s", RETRY.as_secs());
            note(&carry.shown, format!("a fault in rasid: {error}"));
            let again = carry.clone();
            let handle = loops.spawn(async move {
                tokio::select! {
                    () = again.stop.wait() => {}
                    () = tokio::time::sleep(RETRY) => again.run().await,
                }
            });
            of.insert(handle.id(), carry);
        }
    }
}

/// Tells what went wrong.
fn note(shown: &Sink, message: String) {
    let mut doing = shown.doing();
    doing.last_error = Some(Fault { at: super::now(), message });
}
