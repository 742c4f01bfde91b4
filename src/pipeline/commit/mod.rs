//! The only writer: verdicts in order, then one transaction for items, indexes, log and cursors.
//!
//! In: deliveries of the queue, and [`Order`]s. Out: stored groups, receipts.
//! Promise: a delivery is acknowledged only when all of it is on disk. Its cursor is written with its last items, never
//! before them: a crash in between means a poll made again, and what it gives again is recognized. Items are stored with
//! the topics in force when their group began, also where the poll was classified by others.
//! Not here: what makes a copy ([`crate::dedup`]), how a group is laid out ([`crate::store`]).

mod identity;
mod import;
mod judged;
#[cfg(test)]
mod judged_tests;
mod orders;
#[cfg(test)]
mod orders_tests;
mod retain;
#[cfg(test)]
mod retain_tests;
mod stories;
#[cfg(test)]
mod stories_tests;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use url::Url;

use super::now;
use crate::dedup::verdict::{Known as Copies, Subject};
use crate::dedup::{DedupConfig, Index, Verdict, VerdictKind, decide};
use crate::id::{ContentHash, ItemId};
use crate::item::{Candidate, Collected};
use crate::queue::{Delivery, Receipt, Receiver};
use crate::serve::Loaded;
use crate::store::{Decided, Group, Known, MAX_GROUP, Store, StoreError, Writer};
use crate::story::Stories;
use crate::topic::Topics;
use crate::units::Span;
use judged::Corrections;
use orders::Underway;
use retain::Round;

pub use orders::Order;

/// How often it is looked for what has expired.
const MAINTAIN_EVERY: Duration = Duration::from_secs(60);

/// From so many bytes of unread documents on, a group is written: a transaction is to stay small.
const MAX_UNREAD_AT_ONCE: usize = 4 << 20;

/// The commit stage, on a thread of its own.
pub struct Committer {
    store: Store,
    writer: Writer,
    loaded: watch::Receiver<Arc<Loaded>>,
    window: Span,
    /// What new items are compared with; made from the store when first needed.
    index: Option<Index>,
    /// What people said of verdicts; loaded with the index.
    corrections: Corrections,
    /// What new items are put into stories by; none where they are not.
    stories: Option<Stories>,
    pending: Pending,
    /// When it is next looked for what has expired.
    maintain_at: Instant,
    maintain_every: Duration,
    /// Those in force when the group in the making began.
    topics: Arc<Topics>,
    underway: Option<Underway>,
    retaining: Option<Round>,
}

/// What comes next.
enum Next {
    Delivery(Box<Delivery>),
    Order(Order),
    /// Nothing waits: time to reclassify, and to remove what has expired.
    Nothing,
    /// Time to look for what has expired.
    Maintain,
    /// Nothing will come any more.
    End,
}

/// What the group in the making will have stored: the store does not know it yet.
#[derive(Default)]
struct Pending {
    group: Group,
    items: HashMap<ItemId, Known>,
    urls: HashMap<Url, ItemId>,
    contents: HashMap<ContentHash, ItemId>,
    /// The shingles of those that are in the index.
    wordings: HashMap<ItemId, Vec<u32>>,
}

/// A delivery whose items are on their way.
struct Open {
    delivery: Delivery,
    receipt: Receipt,
}

impl Committer {
    /// A committer over an open store.
    pub fn new(store: Store, writer: Writer, loaded: watch::Receiver<Arc<Loaded>>, dedup: &DedupConfig) -> Self {
        Self {
            store,
            writer,
            loaded,
            window: dedup.window,
            index: None,
            corrections: Corrections::default(),
            stories: None,
            pending: Pending::default(),
            maintain_at: Instant::now() + MAINTAIN_EVERY,
            maintain_every: MAINTAIN_EVERY,
            topics: Arc::default(),
            underway: None,
            retaining: None,
        }
    }

    /// Makes the index of the window from the store. Blocking; its time grows with the items of the window.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn load(&mut self) -> Result<(), StoreError> {
        let mut index = Index::default();
        let start = self.window_start();
        self.store.fingerprints(start, &mut |id, at, fingerprint| index.insert(id, at, &fingerprint))?;
        index.expire(start);
        tracing::debug!(items = index.len(), bytes = index.bytes(), "index of the window loaded");
        self.index = Some(index);
        self.corrections = Corrections::load(&self.store)?;
        // What is in the index by now need not be followed.
        self.writer.moved();
        self.load_stories()
    }

    /// Runs until the queue ends.
    ///
    /// # Errors
    /// When the store cannot be written. What was not acknowledged will be collected again.
    pub fn run(mut self, mut queue: Receiver, mut orders: mpsc::Receiver<Order>) -> Result<(), StoreError> {
        // It only lets this thread sleep until either channel has something, or it is time to look for what has expired.
        let sleep = tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(|source| {
            let what = "starting the commit stage".to_owned();
            StoreError::Io { what, source }
        })?;
        loop {
            match self.next(&sleep, &mut queue, &mut orders) {
                Next::Delivery(first) => {
                    self.store_waiting(*first, &mut queue)?;
                    // A queue that is never empty does not keep consumers and people waiting.
                    self.obey_waiting(None, &mut orders)?;
                    self.go_on()?;
                }
                Next::Order(order) => self.obey_waiting(Some(order), &mut orders)?,
                Next::Nothing => self.go_on()?,
                Next::Maintain => self.maintain(),
                Next::End => return Ok(()),
            }
        }
    }

    /// One step of everything that goes on between the polls.
    fn go_on(&mut self) -> Result<(), StoreError> {
        if Instant::now() >= self.maintain_at {
            self.maintain();
        }
        self.step()?;
        self.retain()
    }

    /// Polls come first; it waits only where nothing is being reclassified or removed.
    fn next(&self, sleep: &tokio::runtime::Runtime, queue: &mut Receiver, orders: &mut mpsc::Receiver<Order>) -> Next {
        if self.underway.is_some() || self.retaining.is_some() {
            return match queue.waiting() {
                Some(delivery) => Next::Delivery(Box::new(delivery)),
                None if queue.is_over() => Next::End,
                None => orders.try_recv().map_or(Next::Nothing, Next::Order),
            };
        }
        sleep.block_on(async {
            tokio::select! {
                biased;
                delivery = queue.next() => delivery.map_or(Next::End, |delivery| Next::Delivery(Box::new(delivery))),
                Some(order) = orders.recv() => Next::Order(order),
                () = tokio::time::sleep_until(self.maintain_at) => Next::Maintain,
            }
        })
    }

    /// Stores a delivery and whatever waits behind it.
    fn store_waiting(&mut self, first: Delivery, queue: &mut Receiver) -> Result<(), StoreError> {
        self.topics = Arc::clone(&self.loaded.borrow().topics);
        self.writer.classified_by(self.topics.version());
        let mut open = Vec::new();
        let mut next = Some(first);
        while let Some(delivery) = next {
            let receipt = self.take(&delivery.collected)?;
            open.push(Open { delivery, receipt });
            // Whatever is waiting joins the group: one sync for all of it.
            next = if self.has_room() { queue.waiting() } else { None };
        }
        self.write()?;
        for Open { delivery, receipt } in open {
            delivery.acknowledge(receipt);
        }
        Ok(())
    }

    /// Whether another poll may join the group in the making.
    fn has_room(&self) -> bool {
        let Group { items, unread, .. } = &self.pending.group;
        let bytes: usize = unread.iter().map(|(_, unread)| unread.bytes.len()).sum();
        items.len() < MAX_GROUP && bytes < MAX_UNREAD_AT_ONCE
    }

    /// Puts a poll into the group, writing full groups on the way.
    fn take(&mut self, collected: &Collected) -> Result<Receipt, StoreError> {
        let mut receipt = Receipt { cursor: collected.cursor.clone(), stored: 0, revised: 0 };
        for candidate in &collected.candidates {
            let Some(mut decided) = self.decide(candidate)? else { continue };
            if collected.classified_by != self.topics.version() {
                let candidate = &mut decided.candidate;
                candidate.topics = self.topics.classify(&candidate.content.article(&candidate.feed));
            }
            let revised = decided.verdict.kind == VerdictKind::Revision;
            *(if revised { &mut receipt.revised } else { &mut receipt.stored }) += 1;
            self.pending.group.items.push(decided);
            if self.pending.group.items.len() >= MAX_GROUP {
                self.write()?;
            }
        }
        for rejected in &collected.rejected {
            let (feed, stage, entry, reason) = (&collected.feed, &rejected.stage, &rejected.entry, &rejected.reason);
            tracing::warn!(%feed, stage, entry, "an entry was refused: {reason}");
        }
        receipt.cursor.stored += u64::from(receipt.stored);
        let poll = Some(collected.poll.clone());
        self.pending.group.cursors.push((collected.feed.clone(), receipt.cursor.clone(), poll));
        self.pending.group.unread.extend(collected.unread.clone().map(|unread| (collected.feed.clone(), unread)));
        Ok(receipt)
    }

    /// Commits the group in the making.
    fn write(&mut self) -> Result<(), StoreError> {
        let mut pending = std::mem::take(&mut self.pending);
        if pending.group.items.is_empty() && pending.group.cursors.is_empty() {
            return Ok(());
        }
        pending.group.at.get_or_insert_with(now);
        self.writer.commit(pending.group)?;
        self.follow();
        Ok(())
    }

    /// What is to be stored of a candidate; `None` when it says nothing new.
    fn decide(&mut self, candidate: &Candidate) -> Result<Option<Decided>, StoreError> {
        if self.index.is_none() {
            self.load()?;
        }
        self.pending.group.at.get_or_insert_with(now);
        let mut candidate = candidate.clone();
        let by_url = self.by_url(&candidate)?;
        let known = match self.known(ItemId::of(&candidate.feed, candidate.key))? {
            Some(known) => Some(known),
            None => self.known_by_address(&mut candidate, by_url)?,
        };
        let decided = match known {
            Some(known) => self.decide_known(candidate, known)?,
            None => Some(self.decide_new(candidate, by_url)?),
        };
        decided.iter().for_each(|decided| self.tell(decided));
        Ok(decided)
    }

    fn decide_new(&mut self, candidate: Candidate, by_url: Option<ItemId>) -> Result<Decided, StoreError> {
        let id = ItemId::of(&candidate.feed, candidate.key);
        let by_url = match by_url.map(|id| self.known(id)).transpose()?.flatten() {
            // The address of a copy says nothing that its original does not say.
            Some(known) if known.duplicate => None,
            other => other.map(|known| known.id),
        };
        let by_content = self.by_content(&candidate)?;
        let at = self.window_time(candidate.content.published_at);
        let Some(index) = &mut self.index else { return Ok(Decided { candidate, verdict: Verdict::new_item() }) };
        let subject = Subject { fingerprint: &candidate.fingerprint, published_at: candidate.content.published_at };
        let corpora = self.loaded.borrow().corpora.clone();
        let unreadable = RefCell::new(None);
        let wording = |id: ItemId| match self.pending.wordings.get(&id) {
            Some(shingles) => Some(shingles.clone()),
            None => self.store.wording(id).unwrap_or_else(|error| {
                unreadable.replace(Some(error));
                None
            }),
        };
        let verdict = decide(&subject, &corpora, index, &Copies { by_url, by_content }, &wording);
        let (verdict, joined) = self.corrections.verdict(&self.store, index, id, &candidate, verdict, &wording)?;
        if let Some(error) = unreadable.into_inner() {
            return Err(error);
        }
        let compared = joined || !verdict.kind.is_duplicate();
        if compared {
            index.insert(id, at, &candidate.fingerprint);
            self.pending.wordings.insert(id, candidate.fingerprint.shingles.clone());
            if let Some(hash) = candidate.fingerprint.content {
                self.pending.contents.entry(hash).or_insert(id);
            }
        }
        for url in candidate.content.addresses() {
            self.pending.urls.entry(url).or_insert(id);
        }
        let duplicate = verdict.kind.is_duplicate();
        let known = Known { duplicate, compared, ..identity::known_as(id, &candidate) };
        self.pending.items.insert(id, known);
        Ok(Decided { candidate, verdict })
    }

    fn maintain(&mut self) {
        self.maintain_at = Instant::now() + self.maintain_every;
        let start = self.window_start();
        if let Some(index) = &mut self.index {
            index.expire(start);
        }
        self.begin_retention();
    }

    /// The time by which the window keeps an item that the group in the making stores.
    fn window_time(&self, published_at: Timestamp) -> Timestamp {
        self.pending.group.at.map_or(published_at, |stored_at| published_at.min(stored_at))
    }

    fn window_start(&self) -> Timestamp {
        ago(self.within(self.window))
    }
}

/// The time that long before now.
fn ago(span: Span) -> Timestamp {
    let span = SignedDuration::try_from(span.get()).unwrap_or(SignedDuration::MAX);
    now().checked_sub(span).unwrap_or(Timestamp::MIN)
}
