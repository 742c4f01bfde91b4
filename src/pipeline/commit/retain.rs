//! Retention, in steps between the polls.
//!
//! In: the policies in force, the time, an order to apply them now. Out: items and log records removed; an answer.
//! Promise: polls come first: a step is one transaction of at most [`MAX_PRUNE`] items, and goes on as long as anything has
//! expired. What is removed is gone from the windows in memory by then. It begins by itself each minute, whether anything
//! comes in or not; policies that change hold from the next step on.
//! Not here: what expires ([`crate::store::Policies`]).

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::{Committer, ago};
use crate::pipeline::now;
use crate::serve::Pruned;
use crate::store::{MAX_PRUNE, Policies, Retention, StoreError};
use crate::units::Span;

/// How many records of the log one step takes: they are small.
const TRIM_AT_ONCE: usize = 2_048;

/// Who wants to know what was removed.
pub(super) type Answer = oneshot::Sender<Result<Pruned, String>>;

/// Retention under way.
#[derive(Default)]
pub(super) struct Round {
    /// Besides what the policies say, everything stored before goes of which they say nothing.
    before: Option<Timestamp>,
    answer: Option<Answer>,
    done: Pruned,
}

impl Committer {
    /// The policies in force.
    pub(super) fn policies(&self) -> Arc<Policies> {
        Arc::clone(&self.loaded.borrow().retention)
    }

    /// How far back anything is compared: what has expired is not to be called an original.
    pub(super) fn within(&self, window: Span) -> Span {
        match self.loaded.borrow().retention.longest() {
            Retention::For(span) => window.min(span),
            Retention::Forever => window,
        }
    }

    /// Begins to remove what has expired, where that is not under way.
    pub(super) fn begin_retention(&mut self) {
        self.retaining.get_or_insert_default();
    }

    /// Begins to remove what has expired, with what was stored before a time, and tells when it is done.
    pub(super) fn prune(&mut self, before: Option<Timestamp>, answer: Answer) {
        let round = self.retaining.get_or_insert_default();
        if round.answer.is_some() {
            let _gone = answer.send(Err("another `rasid prune` is under way; try again when it is done".to_owned()));
            return;
        }
        *round = Round { before, answer: Some(answer), done: std::mem::take(&mut round.done) };
    }

    /// One step of what is under way, if anything is. A failure of the store is told to whoever asked, too.
    pub(super) fn retain(&mut self) -> Result<(), StoreError> {
        let Some(mut round) = self.retaining.take() else { return Ok(()) };
        match self.retain_more(&mut round) {
            Ok(false) => self.retaining = Some(round),
            Ok(true) => {
                let Pruned { removed, log_records, .. } = &round.done;
                if removed.items + log_records > 0 {
                    tracing::info!(items = removed.items, log_records, "what has expired was removed");
                }
                if let Some(answer) = round.answer {
                    let _gone = answer.send(Ok(round.done));
                }
            }
            Err(error) => {
                if let Some(answer) = round.answer {
                    let _gone = answer.send(Err(error.to_string()));
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// Whether nothing is left to do.
    fn retain_more(&mut self, round: &mut Round) -> Result<bool, StoreError> {
        let (policies, at) = (self.policies(), now());
        let last = *self.store.durable().borrow();
        let (expired, ended) = self.writer.expire(&policies, at, round.before, MAX_PRUNE)?;
        if expired.items > 0 {
            self.follow();
            self.forget_removed_since(last)?;
        }
        round.done.removed.add(expired);
        if !ended {
            return Ok(false);
        }
        let Some(span) = policies.log() else { return Ok(true) };
        let taken = self.writer.trim_log(ago(span), TRIM_AT_ONCE)?;
        round.done.log_records += u64::try_from(taken).unwrap_or(u64::MAX);
        Ok(taken < TRIM_AT_ONCE)
    }
}
