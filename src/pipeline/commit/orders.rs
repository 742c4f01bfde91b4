//! What the committer writes besides polls: judgements, corrections, imports, models, other topics for stored items.
//!
//! In: [`Order`]s. Out: their effect on the disk, and an answer.
//! Promise: an order is answered once it is durable. Reclassifying goes in steps of a few milliseconds between the polls:
//! neither waits for the whole of the other; what was interrupted goes on after a restart, and topics that change in the
//! middle let it begin again.
//! Not here: who gives orders ([`crate::pipeline::learn`], `crate::daemon`).

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::Committer;
use crate::id::{ItemId, TopicId};
use crate::item::Item;
use crate::pipeline::now;
use crate::store::{Corrected, Correcting, Import, Imported, Judgement, Model, Reclassification, StoreError};
use crate::topic::bag::Background;
use crate::topic::{TopicMatch, Topics};

/// How often progress is stored while nothing changes.
const KEEP_EVERY: Duration = Duration::from_secs(1);

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

    /// Does what is ordered.
    pub(super) fn obey(&mut self, order: Order) -> Result<(), StoreError> {
        match order {
            Order::Judge { said, forgotten, answer } => answered(self.writer.judge(&said, &forgotten), answer),
            Order::Correct { correcting, answer } => self.correct(correcting, answer),
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
