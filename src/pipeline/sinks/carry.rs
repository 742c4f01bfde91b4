//! One sink: from the log, through its filter, to where it goes.
//!
//! In: a sink's configuration, the log. Out: records delivered in order, dead letters, an offset that follows.
//! Promise: one attempt at a time, in the order of the log; a record that fails is tried again until it is delivered or given
//! up, and nothing overtakes it. An offset that somebody moves is obeyed.
//! Not here: how something is delivered ([`super::out`]).

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::out::{Failure, Out, Outcome};
use super::{RETRY, note};
use crate::config::SinkConfig;
use crate::config::sinks::Patience;
use crate::id::Seq;
use crate::item::LogRecord;
use crate::pipeline::commit::Order;
use crate::pipeline::{Stop, now};
use crate::serve::{Carrying, Sink};
use crate::store::{ConsumeError, Consumed, Consuming, DeadLetter, Store, StoreError, Stretch};
use crate::units::Span;

/// Records that are read at once.
const STEP: usize = 200;
/// Between two moves of the offset: each is a write to the disk, and what was delivered since comes again after a crash.
const ACK_EVERY: Duration = Duration::from_millis(200);
/// How long an attempt may go on after the stop: an answer that comes saves the record from being sent again.
const GRACE: Duration = Duration::from_secs(2);
/// The longest that a server may ask us to stay away.
const LONGEST_AFTER: Duration = Duration::from_secs(86_400);
/// What the consumers of sinks are noted as.
const KINDS: [&str; 3] = ["webhook", "nats", "file"];

/// Everything that carries one sink.
#[derive(Clone, Debug)]
pub(super) struct Carry {
    pub(super) store: Store,
    pub(super) config: Arc<SinkConfig>,
    pub(super) shown: Arc<Sink>,
    pub(super) user_agent: String,
    pub(super) orders: mpsc::Sender<Order>,
    pub(super) stop: Stop,
}

/// Why carrying cannot go on as it is.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Refused(#[from] ConsumeError),
    #[error("{0}")]
    Other(String),
}

/// What came of a stretch of records.
enum Carried {
    /// All were dealt with.
    Done,
    /// The daemon stops.
    Stopped,
    /// Somebody moved the offset.
    Moved,
}

/// How far a sink is.
struct Progress {
    /// Dealt with up to here.
    position: Seq,
    /// So the store knows.
    acked: Seq,
    acked_at: Instant,
}

impl Carry {
    /// Runs until the stop.
    pub(super) async fn run(self) {
        while !self.stop.is_set() {
            if let Err(error) = self.follow().await {
                if self.stop.is_set() {
                    return;
                }
                tracing::error!(sink = %self.config.name, %error, "a sink stands still: tried again in {} s", RETRY.as_secs());
                note(&self.shown, error.to_string());
                self.shown.doing().state = Carrying::Failing;
                tokio::select! {
                    () = self.stop.wait() => return,
                    () = tokio::time::sleep(RETRY) => {}
                }
            }
        }
    }

    async fn follow(&self) -> Result<(), Broken> {
        let mut out = Out::new(&self.config, &self.store, &self.user_agent).map_err(Broken::Other)?;
        let offset = self.enlist().await?;
        let mut progress = Progress { position: offset, acked: offset, acked_at: Instant::now() };
        let mut durable = self.store.durable();
        self.shown.doing().state = Carrying::Running;
        loop {
            durable.borrow_and_update();
            if self.stop.is_set() {
                return self.acknowledge(&mut progress).await;
            }
            let stored = self.offset().await?;
            if stored != progress.acked {
                tracing::info!(sink = %self.config.name, from = stored.0, "the offset was moved: reading on from there");
                (progress.position, progress.acked) = (stored, stored);
            }
            self.replay(&mut out, progress.acked).await?;
            let (from, filter) = (progress.position, self.config.filter.clone());
            let Stretch { records, last, at_end, missed } =
                self.blocking(move |store| store.read_log(from, STEP, &filter)).await?;
            if let Some(missed) = missed {
                tracing::warn!(sink = %self.config.name, "{missed}");
                note(&self.shown, missed.to_string());
            }
            match self.carry(&mut out, &records, &mut progress).await? {
                Carried::Done => progress.position = last,
                Carried::Moved => continue,
                Carried::Stopped => return self.acknowledge(&mut progress).await,
            }
            if progress.acked_at.elapsed() >= ACK_EVERY {
                self.acknowledge(&mut progress).await?;
            }
            if at_end {
                self.wait(&mut out, &mut durable, &mut progress).await?;
            }
        }
    }

    /// Makes the consumer, or takes it over from the last time.
    async fn enlist(&self) -> Result<Seq, Broken> {
        let SinkConfig { name, filter, from, target, .. } = &*self.config;
        let of = name.clone();
        let there = self.blocking(move |store| store.consumer(&of)).await?;
        if let Some(other) = there.filter(|there| !there.kind.as_deref().is_some_and(|kind| KINDS.contains(&kind))) {
            let kind = other.kind.unwrap_or_else(|| "somebody".to_owned());
            return Err(Broken::Other(format!(
                "there is a consumer `{name}` already, read by `{kind}`; name the sink otherwise, or remove that one \
                 with `rasid consumers remove {name}`"
            )));
        }
        let (filter, kind) = (Some(filter.clone()), Some(target.kind().to_owned()));
        match self.consume(Consuming::Put { name: name.clone(), filter, from: *from, kind }).await? {
            Consumed::Created(consumer) | Consumed::Stands(consumer) => Ok(consumer.offset),
            Consumed::Removed => Err(Broken::Other("the consumer is gone".to_owned())),
        }
    }

    async fn offset(&self) -> Result<Seq, Broken> {
        let name = self.config.name.clone();
        let there = self.blocking(move |store| store.consumer(&name)).await?;
        let missing = || ConsumeError::Unknown { name: self.config.name.clone() };
        Ok(there.ok_or_else(missing)?.offset)
    }

    async fn acknowledge(&self, progress: &mut Progress) -> Result<(), Broken> {
        // An offset that somebody moved is not moved back: the next look at it tells.
        if progress.position > progress.acked && self.offset().await? == progress.acked {
            let asked = Consuming::Ack { name: self.config.name.clone(), seq: progress.position };
            match self.consume(asked).await {
                Ok(_) => progress.acked = progress.position,
                // Moved further just now.
                Err(Broken::Refused(ConsumeError::Behind { .. })) => {}
                Err(error) => return Err(error),
            }
        }
        progress.acked_at = Instant::now();
        Ok(())
    }

    async fn consume(&self, asked: Consuming) -> Result<Consumed, Broken> {
        let (answer, answered) = oneshot::channel();
        let gone = || Broken::Other("the daemon is stopping".to_owned());
        self.orders.send(Order::Consume { asked, answer }).await.map_err(|_| gone())?;
        Ok(answered.await.map_err(|_| gone())??)
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Broken> {
        let store = self.store.clone();
        match tokio::task::spawn_blocking(move || work(&store)).await {
            Ok(result) => Ok(result?),
            Err(panic) => Err(Broken::Other(panic.to_string())),
        }
    }

    /// Waits for more.
    async fn wait(
        &self,
        out: &mut Out,
        durable: &mut tokio::sync::watch::Receiver<Seq>,
        progress: &mut Progress,
    ) -> Result<(), Broken> {
        loop {
            let due = match out.rest(progress.acked, now()).await {
                Ok(due) => {
                    self.settled();
                    due
                }
                Err(message) => {
                    self.failing(&message, Carrying::Failing, RETRY);
                    Some(RETRY)
                }
            };
            let unacked = progress.position > progress.acked;
            let pause = match (unacked, due) {
                (true, _) => ACK_EVERY.saturating_sub(progress.acked_at.elapsed()),
                (false, due) => due.unwrap_or(LONGEST_AFTER),
            };
            tokio::select! {
                () = self.stop.wait() => return Ok(()),
                () = self.shown.called() => return Ok(()),
                changed = durable.changed() => {
                    if changed.is_err() {
                        self.stop.wait().await;
                    }
                    return Ok(());
                }
                () = tokio::time::sleep(pause) => {}
            }
            if unacked {
                self.acknowledge(progress).await?;
            }
        }
    }

    /// Delivers records, or gives them up, one request after the other.
    async fn carry(&self, out: &mut Out, records: &[LogRecord], progress: &mut Progress) -> Result<Carried, Broken> {
        let (mut left, mut attempts, mut singly) = (records, 0, 0);
        while !left.is_empty() {
            let most = if singly > 0 { 1 } else { out.most() };
            let now_tried = &left[..most.min(left.len())];
            let Some(Outcome { done, failure }) = self.attempt(out, now_tried, progress.acked).await else {
                return Ok(Carried::Stopped);
            };
            if done > 0 {
                self.delivered(done);
                attempts = 0;
            }
            let (mut dealt, mut pause) = (done, None);
            if let Some(failure) = failure {
                attempts += 1;
                if failure.permanent && failure.concerns > 1 {
                    // One of them is to blame: they are sent one by one.
                    (singly, attempts) = (failure.concerns, 0);
                    continue;
                }
                let given_up = done + failure.concerns;
                pause = match self.patience().deal(&failure, attempts, out.gives_up()) {
                    Deal::Again(pause) => {
                        self.failing(&failure.message, Carrying::Failing, pause);
                        Some(pause)
                    }
                    Deal::GiveUp if self.bury(&left[done..given_up], attempts, &failure).await? => {
                        (dealt, attempts) = (given_up, 0);
                        None
                    }
                    Deal::GiveUp => {
                        let pause = self.patience().longest_pause.get();
                        self.failing(&failure.message, Carrying::Full, pause);
                        Some(pause)
                    }
                };
            }
            progress.position = left[..dealt].last().map_or(progress.position, |record| record.seq);
            left = &left[dealt..];
            singly = singly.saturating_sub(dealt);
            if let Some(pause) = pause
                && let Some(end) = self.back_off(out, progress, pause).await?
            {
                return Ok(end);
            }
            if progress.acked_at.elapsed() >= ACK_EVERY {
                self.acknowledge(progress).await?;
                if self.stop.is_set() {
                    return Ok(Carried::Stopped);
                }
            }
        }
        Ok(Carried::Done)
    }

    /// None where the daemon stops and no answer came in time.
    async fn attempt(&self, out: &mut Out, records: &[LogRecord], acked: Seq) -> Option<Outcome> {
        let late = async {
            self.stop.wait().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            biased;
            outcome = out.deliver(records, acked, now()) => Some(outcome),
            () = late => None,
        }
    }

    /// Waits before the next attempt; a reason not to make it.
    async fn back_off(
        &self,
        out: &mut Out,
        progress: &mut Progress,
        pause: Duration,
    ) -> Result<Option<Carried>, Broken> {
        // What was delivered before the failure is not to wait for what comes after it.
        self.acknowledge(progress).await?;
        let until = Instant::now() + pause;
        loop {
            tokio::select! {
                () = self.stop.wait() => return Ok(Some(Carried::Stopped)),
                () = self.shown.called() => self.replay(out, progress.acked).await?,
                () = tokio::time::sleep_until(until) => break,
            }
        }
        let moved = self.offset().await? != progress.acked;
        Ok(moved.then_some(Carried::Moved))
    }

    fn patience(&self) -> &Patience {
        &self.config.patience
    }

    fn delivered(&self, count: usize) {
        let mut doing = self.shown.doing();
        if doing.failures > 0 {
            tracing::info!(sink = %self.config.name, attempts = doing.failures, "a sink delivers again");
        }
        doing.delivered += count as u64;
        (doing.state, doing.failures, doing.next_attempt) = (Carrying::Running, 0, None);
        doing.last_delivered = Some(now());
    }

    /// Nothing is left that failed.
    fn settled(&self) {
        let mut doing = self.shown.doing();
        (doing.state, doing.failures, doing.next_attempt) = (Carrying::Running, 0, None);
    }

    fn failing(&self, message: &str, state: Carrying, pause: Duration) {
        note(&self.shown, message.to_owned());
        let mut doing = self.shown.doing();
        if doing.failures == 0 {
            tracing::warn!(sink = %self.config.name, error = message, "a sink does not deliver; it is tried again");
        }
        (doing.state, doing.failures, doing.failed) = (state, doing.failures + 1, doing.failed + 1);
        doing.next_attempt = now().checked_add(pause).ok();
    }

    /// Puts down dead letters, unless there are too many.
    async fn bury(&self, records: &[LogRecord], attempts: u32, failure: &Failure) -> Result<bool, Broken> {
        let letters: Vec<DeadLetter> = records
            .iter()
            .map(|record| DeadLetter {
                seq: record.seq,
                at: now(),
                attempts,
                error: failure.message.clone(),
                record: record.clone(),
            })
            .collect();
        let (name, most) = (self.config.name.clone(), self.patience().max_dead);
        let count = letters.len();
        let buried = self.blocking(move |store| {
            if store.dead(&name)?.len() + letters.len() > most.max(letters.len()) {
                return Ok(false);
            }
            letters.iter().try_for_each(|letter| store.bury(&name, letter)).map(|()| true)
        });
        let buried = buried.await?;
        if buried {
            tracing::warn!(sink = %self.config.name, records = count, error = failure.message, "given up: dead letters");
            note(&self.shown, failure.message.clone());
            let mut doing = self.shown.doing();
            doing.failed += 1;
            (doing.state, doing.failures, doing.next_attempt) = (Carrying::Running, 0, None);
        }
        Ok(buried)
    }

    /// Tries again the dead letters that were asked for, each once.
    async fn replay(&self, out: &mut Out, acked: Seq) -> Result<(), Broken> {
        loop {
            let Some(seq) = self.shown.doing().replay.first().copied() else { return Ok(()) };
            let name = self.config.name.clone();
            let letter = self.blocking(move |store| store.dead_letter(&name, seq)).await;
            let mut go_on = true;
            match letter {
                Err(error) => note(&self.shown, error.to_string()),
                Ok(None) => {}
                Ok(Some(letter)) => {
                    let tried = std::slice::from_ref(&letter.record);
                    let Some(Outcome { failure, .. }) = self.attempt(out, tried, acked).await else { return Ok(()) };
                    go_on = failure.as_ref().is_none_or(|failure| failure.permanent);
                    self.replayed(letter, failure).await?;
                }
            }
            let mut doing = self.shown.doing();
            // Where nothing can be delivered now, the rest need not be tried.
            if go_on {
                doing.replay.remove(&seq);
            } else {
                doing.replay.clear()
            }
        }
    }

    async fn replayed(&self, letter: DeadLetter, failure: Option<Failure>) -> Result<(), Broken> {
        let name = self.config.name.clone();
        match failure {
            None => {
                self.blocking(move |store| store.unbury(&name, letter.seq)).await?;
                let mut doing = self.shown.doing();
                doing.delivered += 1;
                doing.last_delivered = Some(now());
                Ok(())
            }
            Some(Failure { message, .. }) => {
                note(&self.shown, message.clone());
                self.shown.doing().failed += 1;
                let attempts = letter.attempts.saturating_add(1);
                let letter = DeadLetter { at: now(), attempts, error: message, ..letter };
                self.blocking(move |store| match store.dead(&name)?.contains(&letter.seq) {
                    true => store.bury(&name, &letter),
                    // Dropped meanwhile.
                    false => Ok(()),
                })
                .await
            }
        }
    }
}

/// What becomes of a failure.
#[derive(Debug, PartialEq, Eq)]
enum Deal {
    GiveUp,
    Again(Duration),
}

impl Patience {
    /// After so many attempts, this one included.
    fn deal(&self, failure: &Failure, attempts: u32, gives_up: bool) -> Deal {
        if gives_up && (failure.permanent || (self.attempts > 0 && attempts >= self.attempts)) {
            return Deal::GiveUp;
        }
        let Span(longest) = self.longest_pause;
        let doubled = self.first_pause.get().saturating_mul(1 << attempts.saturating_sub(1).min(20)).min(longest);
        // Many that failed together do not come back together.
        let pause = doubled.mul_f64(0.5 + fastrand::f64() / 2.0);
        Deal::Again(pause.max(failure.after.unwrap_or_default().min(LONGEST_AFTER)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_a_server_may_ask_for_more() {
        let patience = Patience { attempts: 8, ..Patience::default() };
        let failure = |permanent, after| Failure {
            message: String::new(),
            permanent,
            after: Some(after).filter(|n| *n > 0).map(Duration::from_secs),
            concerns: 1,
        };
        for (attempts, after, (least, most)) in
            [(1, 0, (0.5, 1.0)), (4, 0, (4.0, 8.0)), (7, 0, (32.0, 64.0)), (1, 90, (90.0, 90.0)), (7, 1, (32.0, 64.0))]
        {
            let Deal::Again(pause) = patience.deal(&failure(false, after), attempts, true) else {
                panic!("{attempts}")
            };
            assert!((least..=most).contains(&pause.as_secs_f64()), "{attempts} {after}: {pause:?}");
        }
        let long = Patience { attempts: 0, ..Patience::default() };
        let Deal::Again(pause) = long.deal(&failure(false, 0), 5_000, true) else { panic!("for ever") };
        assert!(pause <= long.longest_pause.get() && pause * 2 >= long.longest_pause.get(), "{pause:?}");
        assert_eq!(patience.deal(&failure(false, 0), 8, true), Deal::GiveUp);
        assert_eq!(patience.deal(&failure(true, 0), 1, true), Deal::GiveUp);
        assert!(matches!(patience.deal(&failure(false, 0), 8, false), Deal::Again(_)), "a file never gives up");
    }
}
