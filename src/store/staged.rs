//! What a group writes, before it is written.
//!
//! In: puts and removals. Out: the write set that [`Engine::apply`] replays in one transaction.
//! Promise: reads see the stored tables with the write set laid over them, so a later item of a group sees an earlier one.
//!
//! There is one writer, so nothing changes beneath while a group is prepared; and preparing outside the transaction keeps
//! its closure a mere replay, which sled may run again (rule 11), and its global lock short.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::StoreError;
use super::engine::{Engine, Entry, Read, Table, Writes};

/// A write set laid over the engine.
pub(super) struct Staged<'a> {
    engine: &'a Engine,
    writes: Writes,
}

impl<'a> Staged<'a> {
    pub(super) fn over(engine: &'a Engine) -> Self {
        Self { engine, writes: BTreeMap::new() }
    }

    pub(super) fn put(&mut self, table: Table, key: Vec<u8>, value: Vec<u8>) {
        self.writes.insert((table, key), Some(value));
    }

    pub(super) fn remove(&mut self, table: Table, key: Vec<u8>) {
        self.writes.insert((table, key), None);
    }

    pub(super) fn writes(&self) -> &Writes {
        &self.writes
    }

    pub(super) fn into_writes(self) -> Writes {
        self.writes
    }
}

impl Read for Staged<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.writes.get(&(table, key.to_vec())) {
            Some(staged) => Ok(staged.clone()),
            None => self.engine.get(table, key),
        }
    }

    fn prefix(&self, table: Table, prefix: &[u8]) -> Result<Vec<Entry>, StoreError> {
        let mut entries: BTreeMap<Vec<u8>, Vec<u8>> = self.engine.prefix(table, prefix)?.into_iter().collect();
        let staged = self.writes.range((Bound::Included((table, prefix.to_vec())), Bound::Unbounded));
        for ((_, key), value) in staged.take_while(|((of, key), _)| *of == table && key.starts_with(prefix)) {
            match value {
                Some(value) => entries.insert(key.clone(), value.clone()),
                None => entries.remove(key),
            };
        }
        Ok(entries.into_iter().collect())
    }
}
