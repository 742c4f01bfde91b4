//! What the committer writes besides polls: judgements, corrections, pins, consumers' offsets, imports, models, other topics for stored
//! items.
//!
//! In: [`Order`]s. Out: their effect on the disk, and an answer.
//! Promise: an order is answered once it is durable. Reclassifying goes in steps of a few milliseconds between the polls:
//! neither waits for the whole of the other; what was interrupted goes on after a restart, and topics that change in the
//! middle let it begin again.
//! Not here: who gives orders ([`crate::pipeline::learn`], `crate::daemon`).

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::Committer;
use crate::id::{ItemId, TopicId};
use crate::item::Item;
use crate::pipeline::now;
use crate::serve::Pruned;
use crate::store::{
    ConsumeError, Consumed, Consuming, Corrected, Correcting, Import, Imported, Judgement, Model, Reclassification,
    StoreError,
};
use crate::topic::bag::Background;
use crate::topic::{TopicMatch, Topics};

/// How often progress is stored while nothing changes.
const KEEP_EVERY: Duration = Duration::from_secs(1);

/// The most requests of consumers in one transaction.
const MAX_AT_ONCE: usize = 256;

/// Something to write that no poll gave.
#[derive(Debug)]
pub enum Order {
    /// What somebody said of items.
    Judge {
        /// Each replaces an earlier one of the same item for the same topic.
        said: Vec<Judgement>,
        /// Those that are taken back.
        forgotten: Vec<(TopicId, ItemId)>,
        /// Told once it is durable.
        answer: oneshot::Sender<Result<(), String>>,
    },
    /// What somebody said of a verdict.
    Correct {
        /// What.
        correcting: Correcting,
        /// Told once it is durable, or why it makes no sense.
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
        /// Told once it is durable, or why it makes no sense.
        answer: oneshot::Sender<Result<(), String>>,
    },
    /// Remove what has expired.
    Prune {
        /// And what was stored before, as [`crate::store::Writer::expire`] takes it.
        before: Option<Timestamp>,
        /// Told when all is gone.
        answer: oneshot::Sender<Result<Pruned, String>>,
    },
    /// What a consumer has dealt with, or is to be.
    Consume {
        /// What is asked.
        asked: Consuming,
        /// Told once it is durable, or why it was refused.
        answer: oneshot::Sender<Result<Consumed, ConsumeError>>,
    },
    /// What was exported.
    Import {
        /// What.
        import: Box<Import>,
        /// Told once it is durable.
        answer: oneshot::Sender<Result<Imported, String>>,
    },
    /// What topics have learned.
    Teach {
        /// Another background, with the items stored when it was made.
        background: Option<(u64, Arc<Background>)>,
        /// None where a topic has learned nothing.
        models: Vec<(TopicId, Option<Model>)>,
        /// Told once it is durable.
        answer: oneshot::Sender<Result<(), String>>,
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
}

/// A reclassification that is under way.
pub(super) struct Underway {
    progress: Reclassification,
    /// When it was last stored, at the latest.
    kept: Instant,
}

impl Underway {
    fn new(progress: Reclassification) -> Self {
        Self { progress, kept: Instant::now() }
    }
}

impl Committer {
    /// Goes on with a reclassification that an earlier process has left.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn resume(&mut self) -> Result<(), StoreError> {
        let left = self.store.reclassification()?.filter(|progress| progress.ended.is_none());
        if let Some(progress) = left {
            tracing::info!(examined = progress.examined, total = progress.total, "reclassifying goes on");
            self.underway = Some(Underway::new(progress));
        }
        Ok(())
    }

    /// Does what is ordered, and what is ordered behind it. Consumers' requests that wait are one transaction: with many
    /// consumers a sync for each would be the bottleneck.
    pub(super) fn obey_waiting(
        &mut self,
        first: Option<Order>,
        orders: &mut mpsc::Receiver<Order>,
    ) -> Result<(), StoreError> {
        let mut asked = Vec::new();
        let mut answers = Vec::new();
        let mut next = first.or_else(|| orders.try_recv().ok());
        while let Some(order) = next.take() {
            match order {
                Order::Consume { asked: one, answer } => {
                    asked.push(one);
                    answers.push(answer);
                    next = if asked.len() < MAX_AT_ONCE { orders.try_recv().ok() } else { None };
                }
                other => {
                    self.consume(std::mem::take(&mut asked), std::mem::take(&mut answers))?;
                    self.obey(other)?;
                }
            }
        }
        self.consume(asked, answers)
    }

    fn consume(
        &mut self,
        asked: Vec<Consuming>,
        answers: Vec<oneshot::Sender<Result<Consumed, ConsumeError>>>,
    ) -> Result<(), StoreError> {
        if asked.is_empty() {
            return Ok(());
        }
        match self.writer.consume(now(), &asked) {
            Ok(done) => {
                for (answer, done) in answers.into_iter().zip(done) {
                    let _gone = answer.send(done);
                }
                Ok(())
            }
            Err(error) => {
                for answer in answers {
                    let _gone = answer.send(Err(ConsumeError::Failed(error.to_string())));
                }
                Err(error)
            }
        }
    }

    /// Does what is ordered.
    pub(super) fn obey(&mut self, order: Order) -> Result<(), StoreError> {
        match order {
            Order::Consume { asked, answer } => self.consume(vec![asked], vec![answer]),
            Order::Judge { said, forgotten, answer } => answered(self.writer.judge(&said, &forgotten), answer),
            Order::Correct { correcting, answer } => self.correct(correcting, answer),
            Order::Pin { item, pinned, why, answer } => {
                let done = match pinned {
                    true => self.writer.pin(now(), item, why.as_deref()),
                    false => self.writer.unpin(item).map(drop),
                };
                match done {
                    // It makes no sense: said to whoever asked, and no reason to stop.
                    Err(StoreError::Query(words)) => {
                        let _gone = answer.send(Err(words));
                        Ok(())
                    }
                    done => answered(done, answer),
                }
            }
            Order::Prune { before, answer } => {
                self.prune(before, answer);
                Ok(())
            }
            Order::Import { import, answer } => self.import(*import, answer),
            Order::Teach { background, models, answer } => {
                let background = background.as_ref().map(|(items, background)| (*items, &**background));
                answered(self.writer.teach(background, &models), answer)
            }
            Order::Reclassify { topic, since, answer } => {
                let version = self.loaded.borrow().topics.version();
                let begun = self.writer.begin_reclassification(now(), version, topic, since);
                if let Ok(progress) = &begun {
                    self.underway = Some(Underway::new(progress.clone()));
                }
                answered(begun, answer)
            }
        }
    }

    /// One step of the reclassification that is under way, if any.
    pub(super) fn step(&mut self) -> Result<(), StoreError> {
        let Some(Underway { progress, kept }) = self.underway.take() else { return Ok(()) };
        let topics = Arc::clone(&self.loaded.borrow().topics);
        if progress.version != topics.version() {
            tracing::info!(examined = progress.examined, "the topics have changed: reclassifying begins again");
            let (topic, since) = (progress.topic, progress.since);
            let begun = self.writer.begin_reclassification(now(), topics.version(), topic, since)?;
            self.underway = Some(Underway::new(begun));
            return Ok(());
        }
        let keep = kept.elapsed() >= KEEP_EVERY;
        let classify = &mut |item: &Item| classify(&topics, &progress, item);
        let after = self.writer.reclassify(now(), &progress, keep, classify)?;
        if after.ended.is_some() {
            tracing::info!(examined = after.examined, changed = after.changed, "what is stored was reclassified");
        } else {
            let kept = if keep { Instant::now() } else { kept };
            self.underway = Some(Underway { progress: after, kept });
        }
        Ok(())
    }
}

/// Tells how it went. A failure of the store is also the committer's own end.
pub(super) fn answered<T>(
    result: Result<T, StoreError>,
    answer: oneshot::Sender<Result<T, String>>,
) -> Result<(), StoreError> {
    match result {
        Ok(done) => {
            let _gone = answer.send(Ok(done));
            Ok(())
        }
        Err(error) => {
            let _gone = answer.send(Err(error.to_string()));
            Err(error)
        }
    }
}

/// The topics that the item gets; none where it is not to be looked at.
fn classify(topics: &Topics, of: &Reclassification, item: &Item) -> Option<Vec<TopicMatch>> {
    if of.since.is_some_and(|since| item.content.published_at < since) {
        return None;
    }
    let found = topics.classify(&item.content.article(&item.feed));
    let Some(only) = &of.topic else { return Some(found) };
    let others = item.topics.iter().filter(|topic| topic.id != *only).cloned();
    let mut all: Vec<TopicMatch> = others.chain(found.into_iter().filter(|topic| topic.id == *only)).collect();
    all.sort_by(|a, b| b.decision.cmp(&a.decision).then_with(|| b.score.total_cmp(&a.score)));
    Some(all)
}
