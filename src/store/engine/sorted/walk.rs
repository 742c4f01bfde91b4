//! Goes through the blocks of a sealed file from either end.
//!
//! In: a file, a table, a range. Out: its entries in key order.
//! Promise: over after the first error, as everywhere (rule 6).
//! Not here: reading one block ([`super::Sorted`]), laying files over one another ([`crate::store::engine::layers`]).

use std::ops::Bound;
use std::sync::Arc;

use super::Sorted;
use crate::store::StoreError;
use crate::store::engine::layers::{Range, Record, Source};

/// Goes through blocks from either end.
pub(super) struct Walk {
    pub(super) file: Arc<Sorted>,
    pub(super) range: Range,
    /// The blocks that were not read yet.
    pub(super) first: usize,
    pub(super) end: usize,
    /// Records of the block read last from the front; the next one last.
    pub(super) front: Vec<Record>,
    /// Records of the block read last from the back; the next one last.
    pub(super) back: Vec<Record>,
    pub(super) reading: Reading,
}

/// How values are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// As they were written.
    Whole,
    /// The same behind [`WHOLE`].
    Marked,
    /// Behind [`SHORT`] as they stand in the file, where they are compressed with its dictionary.
    Copied,
}

/// Before a value that is copied: it is compressed with the dictionary, or not.
pub(super) const SHORT: u8 = 1;
pub(super) const WHOLE: u8 = 0;

impl Walk {
    fn read(&mut self, block: usize) -> Result<Vec<Record>, StoreError> {
        let mut read = self.file.records(block, self.reading == Reading::Copied);
        if let (Ok(records), Reading::Marked) = (&mut read, self.reading) {
            for value in records.iter_mut().filter_map(|(_, value)| value.as_mut()) {
                value.insert(0, WHOLE);
            }
        }
        if read.is_err() {
            // Rule 6 holds here, too: over after the first error.
            (self.first, self.end) = (0, 0);
        }
        let mut records = read?;
        records.retain(|(key, _)| {
            let above = match &self.range.0 {
                Bound::Included(low) => key >= low,
                Bound::Excluded(low) => key > low,
                Bound::Unbounded => true,
            };
            let below = match &self.range.1 {
                Bound::Included(high) => key <= high,
                Bound::Excluded(high) => key < high,
                Bound::Unbounded => true,
            };
            above && below
        });
        Ok(records)
    }
}

impl Source for Walk {
    fn next(&mut self) -> Option<Result<Record, StoreError>> {
        while self.front.is_empty() && self.first < self.end {
            let block = self.first;
            self.first += 1;
            match self.read(block) {
                Ok(records) => self.front = records,
                Err(error) => return Some(Err(error)),
            }
            self.front.reverse();
        }
        // What is left was read from the other end.
        self.front.pop().or_else(|| (!self.back.is_empty()).then(|| self.back.remove(0))).map(Ok)
    }

    fn next_back(&mut self) -> Option<Result<Record, StoreError>> {
        while self.back.is_empty() && self.first < self.end {
            self.end -= 1;
            match self.read(self.end) {
                Ok(records) => self.back = records,
                Err(error) => return Some(Err(error)),
            }
        }
        self.back.pop().or_else(|| (!self.front.is_empty()).then(|| self.front.remove(0))).map(Ok)
    }
}
