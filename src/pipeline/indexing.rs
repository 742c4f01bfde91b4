//! The log to the search index.
//!
//! In: stored items, in the order of the log. Out: an index that holds them as they stand now.
//! Promise: what is committed to the log is found a second or two later; the index goes on where it was left, and is made anew
//! from all stored items where it cannot; it never holds up the store, and a fault of it stops nothing else.
//! Not here: what the index is ([`crate::search`]); the store does not know of it.
//!
//! Making it anew reads the items that there are, then follows the log from where its end was when that began: what was written
//! meanwhile is in both, and an item that comes twice takes its own place.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::Stop;
use crate::id::{ItemId, Seq};
use crate::search::{Indexer, Listing, Position, Progress, Search, SearchError};
use crate::store::{ItemQuery, Store, StoreError};

/// Items, or records of the log, that are read at once.
const STEP: usize = 200;
/// A commit at the latest after so many changes, or so much time of work: what was read since is read again after a crash.
const MOST: usize = 20_000;
const LONGEST: Duration = Duration::from_secs(2);
/// Between two commits while little comes: each is a write of its own to the disk.
const PAUSE: Duration = Duration::from_secs(1);
/// After a fault, such as a full disk.
const RETRY: Duration = Duration::from_secs(30);

/// Why an index was not written.
#[derive(Debug, thiserror::Error)]
pub enum IndexingError {
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The index could not be written.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// A fault of the program, which the index may have been the cause of.
    #[error("indexing failed: {0}")]
    Fault(String),
}

/// Keeps the index beside the log as long as the daemon runs.
#[derive(Debug)]
pub struct Indexing {
    /// Where items are read.
    pub store: Store,
    /// What they are written to.
    pub search: Search,
    /// Ends it.
    pub stop: Stop,
}

impl Indexing {
    /// Runs until the stop.
    pub async fn run(self) {
        while !self.stop.is_set() {
            match self.follow().await {
                Ok(()) => continue,
                Err(error) => {
                    tracing::error!(%error, "the search index is not kept up: tried again in {} s", RETRY.as_secs());
                    // Whatever it was, the next opening looks at the files first.
                    self.search.suspect();
                }
            }
            tokio::select! {
                () = self.stop.wait() => return,
                () = tokio::time::sleep(RETRY) => {}
            }
        }
    }

    /// Opens the index and keeps it up until the stop, or until it has to be opened again.
    async fn follow(&self) -> Result<(), IndexingError> {
        let (store, search) = (self.store.clone(), self.search.clone());
        let mut indexer = blocking(move || open(&store, &search)).await?;
        let mut durable = self.store.durable();
        loop {
            durable.borrow_and_update();
            let (store, stop) = (self.store.clone(), self.stop.clone());
            let (given, more) = blocking(move || {
                let more = work(&store, &mut indexer, &stop)?;
                Ok((indexer, more))
            })
            .await?;
            indexer = given;
            if self.stop.is_set() || indexer.is_outdated() {
                // Its threads are waited for, which is no work for this one.
                let close = move || {
                    drop(indexer);
                    Ok(())
                };
                return blocking(close).await;
            }
            if more {
                continue;
            }
            tokio::select! {
                () = self.stop.wait() => continue,
                () = self.search.called() => continue,
                changed = durable.changed() => if changed.is_err() {
                    self.stop.wait().await;
                },
            }
            tokio::select! {
                () = self.stop.wait() => {}
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, IndexingError> + Send + 'static,
) -> Result<T, IndexingError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(panic) => Err(IndexingError::Fault(panic.to_string())),
    }
}

/// Brings an index up to the end of the log, where no daemon does; `told` hears how far it is, and how far it has to go.
/// Blocking.
///
/// # Errors
/// When the store cannot be read or the index cannot be written.
pub fn catch_up(store: &Store, search: &Search, told: &mut dyn FnMut(Progress, Seq)) -> Result<(), IndexingError> {
    let mut indexer = open(store, search)?;
    while work(store, &mut indexer, &Stop::default())? {
        if let Some(progress) = search.progress() {
            told(progress, *store.durable().borrow());
        }
    }
    Ok(indexer.finish()?)
}

/// The index, if it is one of this store's log; else a new one.
fn open(store: &Store, search: &Search) -> Result<Indexer, IndexingError> {
    let indexer = search.indexer()?;
    if let Some(reason) = misfit(store, indexer.position())? {
        tracing::warn!(reason, "the search index is made anew");
        drop(indexer);
        search.rebuild();
        return Ok(search.indexer()?);
    }
    Ok(indexer)
}

/// Why the log cannot be followed from `position` on.
fn misfit(store: &Store, position: &Position) -> Result<Option<&'static str>, StoreError> {
    let (end, begins) = (*store.durable().borrow(), store.log_begins()?);
    if position.seq > end {
        return Ok(Some("it goes beyond the end of the log: the store was replaced or restored"));
    }
    if position.seq.0 + 1 < begins.0 && position.listing.is_none() {
        return Ok(Some("the log does not go back to where it was left"));
    }
    if position.item.is_some() && position.seq >= begins && item_at(store, position.seq)? != position.item {
        return Ok(Some("it is of another store"));
    }
    Ok(None)
}

/// Which item a record of the log is about.
fn item_at(store: &Store, seq: Seq) -> Result<Option<ItemId>, StoreError> {
    let Some(before) = seq.0.checked_sub(1) else { return Ok(None) };
    Ok(store.log(Seq(before), 1)?.first().filter(|record| record.seq == seq).map(|record| record.id))
}

/// Reads on for a while and commits; whether there is more to read at once.
fn work(store: &Store, indexer: &mut Indexer, stop: &Stop) -> Result<bool, IndexingError> {
    let began = Instant::now();
    let mut more = true;
    while more && !stop.is_set() && indexer.uncommitted() < MOST && began.elapsed() < LONGEST {
        more = match indexer.position().listing.clone() {
            Some(listing) => list(store, indexer, listing)?,
            None => read_on(store, indexer)?,
        };
    }
    if indexer.is_uncommitted() {
        indexer.commit()?;
    }
    Ok(more)
}

/// Adds some of the items that are stored, newest first.
fn list(store: &Store, indexer: &mut Indexer, listing: Listing) -> Result<bool, IndexingError> {
    let mut position = indexer.position().clone();
    if listing.after.is_none() {
        position.seq = *store.durable().borrow();
        position.item = item_at(store, position.seq)?;
    }
    let query = ItemQuery { duplicates: true, limit: STEP, after: listing.after, ..ItemQuery::default() };
    let page = store.items(&query)?;
    for item in &page.items {
        indexer.add(item)?;
    }
    position.listing = page.next.map(|next| Listing { after: Some(next) });
    indexer.reach(position);
    // The log is to be read in any case.
    Ok(true)
}

/// Takes over what the log says next; whether it may say more.
fn read_on(store: &Store, indexer: &mut Indexer) -> Result<bool, IndexingError> {
    let mut position = indexer.position().clone();
    let records = store.log(position.seq, STEP)?;
    let Some(last) = records.last() else { return Ok(false) };
    (position.seq, position.item) = (last.seq, Some(last.id));
    // A record has its item as it stands now: once is enough.
    let mut seen = HashSet::new();
    for record in records.iter().filter(|record| seen.insert(record.id)) {
        match &record.item {
            Some(item) => indexer.put(item)?,
            None => indexer.remove(record.id),
        }
    }
    indexer.reach(position);
    Ok(records.len() == STEP)
}
