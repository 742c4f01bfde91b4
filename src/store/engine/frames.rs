//! One record in a file of ours, with a checksum of its own.
//!
//! In: a table, a key, a value or that it is gone. Out: bytes, and the record back from them.
//! Promise: whatever happened to the bytes around it, a record that is whole is found, and one that is not is never read.
//!
//! A frame is `[mark][table][flags][key's length u16][value's length u32][key][value][sum u32]`, numbers big-endian; the sum is
//! the low half of the xxh3 of all that stands before it.

use xxhash_rust::xxh3::xxh3_64;

use super::tables::Table;

const MARK: u8 = 0xa7;
const HEAD: usize = 9;
const SUM: usize = 4;
const GONE: u8 = 1;
const SHORTENED: u8 = 2;

/// One record, where it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Frame<'a> {
    pub(super) table: Table,
    pub(super) key: &'a [u8],
    /// None: there is none any more.
    pub(super) value: Option<&'a [u8]>,
    /// Whether the value is compressed with the file's dictionary.
    pub(super) shortened: bool,
    /// Of the whole frame, in bytes.
    pub(super) length: usize,
}

/// The low half of a hash: enough to notice damage, in four bytes.
pub(super) fn sum(bytes: &[u8]) -> u32 {
    (xxh3_64(bytes) & u64::from(u32::MAX)) as u32
}

/// How long a frame becomes.
pub(super) const fn length(key: usize, value: usize) -> usize {
    HEAD + key + value + SUM
}

pub(super) fn push(out: &mut Vec<u8>, table: Table, key: &[u8], value: Option<&[u8]>, shortened: bool) {
    let start = out.len();
    let bytes = value.unwrap_or_default();
    let flags = if value.is_none() { GONE } else { 0 } | if shortened { SHORTENED } else { 0 };
    out.reserve(length(key.len(), bytes.len()));
    out.extend_from_slice(&[MARK, table as u8, flags]);
    // No key of ours is longer than a feed's id, and no value than 4 GiB: what is, would not be read again.
    out.extend_from_slice(&u16::try_from(key.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(key);
    out.extend_from_slice(bytes);
    let sum = sum(&out[start..]);
    out.extend_from_slice(&sum.to_be_bytes());
}

impl<'a> Frame<'a> {
    /// The frame that begins here, as its head says, without a look at its sum.
    pub(super) fn peek(bytes: &'a [u8]) -> Option<Self> {
        let head: &[u8; HEAD] = bytes.first_chunk()?;
        let [MARK, table, flags, ..] = *head else { return None };
        let key = usize::from(u16::from_be_bytes([head[3], head[4]]));
        let value = u32::from_be_bytes([head[5], head[6], head[7], head[8]]) as usize;
        let body = bytes.get(HEAD..HEAD.checked_add(key)?.checked_add(value)?)?;
        let (key, value) = body.split_at(key);
        let length = HEAD + body.len() + SUM;
        (bytes.len() >= length && flags & !(GONE | SHORTENED) == 0).then_some(())?;
        let value = (flags & GONE == 0).then_some(value);
        Some(Self { table: Table::of(table)?, key, value, shortened: flags & SHORTENED != 0, length })
    }

    /// Whether the bytes that it was read from are what was written.
    pub(super) fn is_whole(&self, bytes: &[u8]) -> bool {
        let (Some(said), Some(of)) = (bytes.get(self.length - SUM..self.length), bytes.get(..self.length - SUM)) else {
            return false;
        };
        *said == sum(of).to_be_bytes()
    }

    /// The frame that begins here; none where it is damaged.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        Self::peek(bytes).filter(|frame| frame.is_whole(bytes))
    }
}

/// All whole frames in bytes that are frames one after another, however damaged; and where damage was passed over.
pub(super) fn whole(bytes: &[u8]) -> (Vec<Frame<'_>>, Vec<usize>) {
    let (mut frames, mut passed) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < bytes.len() {
        if let Some(frame) = Frame::read(&bytes[at..]) {
            at += frame.length;
            frames.push(frame);
            continue;
        }
        passed.push(at);
        at += 1;
        while at < bytes.len() && (bytes[at] != MARK || Frame::read(&bytes[at..]).is_none()) {
            at += 1;
        }
    }
    (frames, passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_costs_the_record_it_is_in_and_no_other() {
        let mut bytes = Vec::new();
        let keys: Vec<Vec<u8>> = (0..6u64).map(|n| n.to_be_bytes().to_vec()).collect();
        for (n, key) in keys.iter().enumerate() {
            let value = vec![MARK; n * 40];
            push(&mut bytes, Table::Items, key, (n != 3).then_some(value.as_slice()), n == 4);
        }
        let (all, passed) = whole(&bytes);
        assert_eq!((all.len(), passed.len()), (6, 0));
        assert_eq!((all[3].value, all[4].shortened), (None, true));
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x41;
            let (left, passed) = whole(&damaged);
            assert_eq!((left.len(), passed.len()), (5, 1), "at {at}");
            assert!(left.iter().all(|frame| all.iter().any(|one| one == frame)), "at {at}");
        }
        for cut in 0..bytes.len() {
            let (left, _) = whole(&bytes[..cut]);
            assert_eq!(left, all[..left.len()], "cut at {cut}");
        }
    }
}
