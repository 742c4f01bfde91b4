//! Goes through the blocks of a sealed file from either end.
//!
//! In: a file, a table, a range. Out: its entries in key order.
//! Promise: over after the first error, as everywhere (rule 6).
//! Not here: reading one block ([`super::Sorted`]), laying files over one another ([`crate::store::engine::layers`]).
//!
//! A block is checked whole when it is read, and its records are made one by one as they are asked for: a reader often wants
//! one of hundreds.

use std::ops::{Bound, Range};
use std::sync::Arc;

use super::{Sorted, each_derived};
use crate::store::StoreError;
use crate::store::engine::frames::Frame;
use crate::store::engine::layers::{self, Record, Source};
use crate::store::engine::tables::Table;

/// Goes through blocks from either end.
pub(super) struct Walk {
    file: Arc<Sorted>,
    range: layers::Range,
    /// The blocks that were not read yet.
    first: usize,
    end: usize,
    /// The block read last from the front, and from the back.
    front: Block,
    back: Block,
    reading: Reading,
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

/// What is left of a block that was read.
#[derive(Default)]
enum Block {
    #[default]
    None,
    /// Where each frame begins.
    Frames { number: usize, bytes: Arc<Vec<u8>>, at: std::vec::IntoIter<usize> },
    /// Keys and values behind one another, and where each entry stands; the value is behind the key.
    Derived { bytes: Vec<u8>, at: std::vec::IntoIter<(Range<usize>, Option<usize>)> },
}

impl Block {
    fn is_empty(&self) -> bool {
        match self {
            Self::None => true,
            Self::Frames { at, .. } => at.len() == 0,
            Self::Derived { at, .. } => at.len() == 0,
        }
    }
}

fn is_below(key: &[u8], low: &Bound<Vec<u8>>) -> bool {
    match low {
        Bound::Included(low) => key < low.as_slice(),
        Bound::Excluded(low) => key <= low.as_slice(),
        Bound::Unbounded => false,
    }
}

fn is_above(key: &[u8], high: &Bound<Vec<u8>>) -> bool {
    match high {
        Bound::Included(high) => key > high.as_slice(),
        Bound::Excluded(high) => key >= high.as_slice(),
        Bound::Unbounded => false,
    }
}

impl Walk {
    pub(super) fn over(file: Arc<Sorted>, range: layers::Range, blocks: Range<usize>, reading: Reading) -> Self {
        let Range { start: first, end } = blocks;
        Self { file, range, first, end, front: Block::None, back: Block::None, reading }
    }

    fn read(&mut self, number: usize) -> Result<Block, StoreError> {
        let read = self.file.block(number, &self.range);
        if read.is_err() {
            // Rule 6 holds here, too: over after the first error.
            (self.first, self.end) = (0, 0);
        }
        read
    }

    /// The next record of a block from one end.
    fn take(file: &Sorted, block: &mut Block, reading: Reading, forward: bool) -> Option<Result<Record, StoreError>> {
        match block {
            Block::None => None,
            Block::Frames { number, bytes, at } => {
                let at = if forward { at.next() } else { at.next_back() }?;
                Some(file.framed(*number, bytes.get(at..).unwrap_or_default(), reading))
            }
            Block::Derived { bytes, at } => {
                let (range, value) = if forward { at.next() } else { at.next_back() }?;
                let (key, rest) = bytes.get(range)?.split_at_checked(value.unwrap_or(0))?;
                Some(Ok(match value {
                    Some(_) => (key.to_vec(), Some(rest.to_vec())),
                    None => (rest.to_vec(), None),
                }))
            }
        }
    }
}

impl Sorted {
    /// What a block has of a range.
    fn block(&self, number: usize, range: &layers::Range) -> Result<Block, StoreError> {
        let read = self.read_block(number)?;
        if self.contents.blocks.get(number).and_then(|block| Table::of(block.table)).is_some_and(Table::is_derived) {
            let (mut bytes, mut at) = (Vec::new(), Vec::new());
            let whole = each_derived(&read, |key, value| {
                if is_above(key, &range.1) {
                    return false;
                }
                if !is_below(key, &range.0) {
                    let start = bytes.len();
                    bytes.extend_from_slice(key);
                    bytes.extend_from_slice(value.unwrap_or_default());
                    at.push((start..bytes.len(), value.map(|_| key.len())));
                }
                true
            });
            whole.ok_or_else(|| self.damaged(number))?;
            return Ok(Block::Derived { bytes, at: at.into_iter() });
        }
        let (mut place, mut at) = (0, Vec::new());
        while place < read.len() {
            let frame = Frame::read(&read[place..]).ok_or_else(|| self.damaged(number))?;
            if !is_below(frame.key, &range.0) && !is_above(frame.key, &range.1) {
                at.push(place);
            }
            place += frame.length;
        }
        Ok(Block::Frames { number, bytes: read, at: at.into_iter() })
    }

    /// The record of a frame.
    fn framed(&self, block: usize, bytes: &[u8], reading: Reading) -> Result<Record, StoreError> {
        let frame = Frame::peek(bytes).ok_or_else(|| self.damaged(block))?;
        let value = match (frame.value, reading) {
            (Some(value), Reading::Copied) if frame.shortened => Some([&[SHORT], value].concat()),
            (_, Reading::Whole) => self.value_of(&frame, block)?,
            (_, Reading::Marked | Reading::Copied) => {
                self.value_of(&frame, block)?.map(|value| [&[WHOLE], value.as_slice()].concat())
            }
        };
        Ok((frame.key.to_vec(), value))
    }
}

impl Source for Walk {
    fn next(&mut self) -> Option<Result<Record, StoreError>> {
        while self.front.is_empty() && self.first < self.end {
            let block = self.first;
            self.first += 1;
            match self.read(block) {
                Ok(read) => self.front = read,
                Err(error) => return Some(Err(error)),
            }
        }
        // What is left was read from the other end.
        let block = if self.front.is_empty() { &mut self.back } else { &mut self.front };
        Self::take(&self.file, block, self.reading, true)
    }

    fn next_back(&mut self) -> Option<Result<Record, StoreError>> {
        while self.back.is_empty() && self.first < self.end {
            self.end -= 1;
            match self.read(self.end) {
                Ok(read) => self.back = read,
                Err(error) => return Some(Err(error)),
            }
        }
        let block = if self.back.is_empty() { &mut self.front } else { &mut self.back };
        Self::take(&self.file, block, self.reading, false)
    }
}
