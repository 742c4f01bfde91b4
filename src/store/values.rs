//! Values of any size in a store that takes small ones.
//!
//! In: a record's bytes. Out: a head under the record's own key and, where they do not fit, further chunks.
//! Promise: what is read is what was written whole, even while the writer replaces it.
//!
//! Rule 7: no stored value is over 6 KiB. A leaf of sled holds up to 16 values; one over 128 KiB goes to a file of its own
//! under `blobs/`, which sled never syncs: the first appears at values of about 10 KiB.
//!
//! A head is `[number of further chunks: u16][xxh3 of the whole: u64, where there are any][bytes]`. Chunks are read one
//! by one, and the writer may replace the value between two reads: the hash tells, and the reading begins again.

use xxhash_rust::xxh3::xxh3_64;

use super::StoreError;
use super::engine::{REPAIR_HINT, Read, Table};
use super::staged::Staged;

/// The most bytes in one stored value.
pub(super) const MAX_VALUE: usize = 6 << 10;
const ALONE: usize = 2;
const CHUNKED: usize = ALONE + 8;
/// How often a value that changes under the reader is read again. Each try needs another commit to the same record.
const TRIES: usize = 8;

/// Puts `bytes` under `key`; what stands there already is not written again.
pub(super) fn put(staged: &mut Staged<'_>, table: Table, key: &[u8], bytes: &[u8]) -> Result<(), StoreError> {
    let former = match staged.get(table, key)? {
        Some(head) => further(&head),
        None => 0,
    };
    let (head, rest) = parts(table, bytes)?;
    put_changed(staged, table, key.to_vec(), head)?;
    let mut chunks = 0;
    for (n, chunk) in (0..).zip(rest.chunks(MAX_VALUE)) {
        put_changed(staged, Table::Chunks, chunk_key(table, key, n), chunk.to_vec())?;
        chunks = n + 1;
    }
    for n in chunks..former {
        staged.remove(Table::Chunks, chunk_key(table, key, n));
    }
    Ok(())
}

/// Puts `bytes` under a `key` that was never there: nobody looks for what it replaces.
pub(super) fn put_new(staged: &mut Staged<'_>, table: Table, key: &[u8], bytes: &[u8]) -> Result<(), StoreError> {
    let (head, rest) = parts(table, bytes)?;
    staged.put(table, key.to_vec(), head);
    for (n, chunk) in (0..).zip(rest.chunks(MAX_VALUE)) {
        staged.put(Table::Chunks, chunk_key(table, key, n), chunk.to_vec());
    }
    Ok(())
}

/// The head of a value, and what is left for chunks.
fn parts(table: Table, bytes: &[u8]) -> Result<(Vec<u8>, &[u8]), StoreError> {
    if bytes.len() <= MAX_VALUE - ALONE {
        return Ok(([&0u16.to_be_bytes()[..], bytes].concat(), &[]));
    }
    let (first, rest) = bytes.split_at(MAX_VALUE - CHUNKED);
    let chunks = u16::try_from(rest.len().div_ceil(MAX_VALUE)).map_err(|_| {
        StoreError::Engine(format!(
            "a record of {} bytes for the tree {} is too large to store",
            bytes.len(),
            table.name()
        ))
    })?;
    Ok(([&chunks.to_be_bytes()[..], &xxh3_64(bytes).to_be_bytes(), first].concat(), rest))
}

fn put_changed(staged: &mut Staged<'_>, table: Table, key: Vec<u8>, value: Vec<u8>) -> Result<(), StoreError> {
    // A feed's list of seen entries is tens of kilobytes and mostly the same from poll to poll.
    if staged.get(table, &key)?.as_ref() != Some(&value) {
        staged.put(table, key, value);
    }
    Ok(())
}

/// Removes the value and its chunks.
pub(super) fn remove(staged: &mut Staged<'_>, table: Table, key: &[u8]) -> Result<(), StoreError> {
    let Some(head) = staged.get(table, key)? else { return Ok(()) };
    for n in 0..further(&head) {
        staged.remove(Table::Chunks, chunk_key(table, key, n));
    }
    staged.remove(table, key.to_vec());
    Ok(())
}

/// The bytes under `key`.
pub(super) fn get(read: &impl Read, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
    for _ in 0..TRIES {
        let Some(head) = read.get(table, key)? else { return Ok(None) };
        if let Some(bytes) = whole(read, table, key, head)? {
            return Ok(Some(bytes));
        }
    }
    Err(StoreError::Corrupt {
        what: format!("tree {}: the chunks of the record {} do not fit together", table.name(), hex(key)),
        hint: REPAIR_HINT.to_owned(),
    })
}

/// The bytes that `head`, just read from under `key`, begins; none where its chunks have changed since.
pub(super) fn whole(read: &impl Read, table: Table, key: &[u8], head: Vec<u8>) -> Result<Option<Vec<u8>>, StoreError> {
    let chunks = further(&head);
    if chunks == 0 {
        let mut bytes = head;
        return Ok((bytes.len() >= ALONE).then(|| {
            bytes.drain(..ALONE);
            bytes
        }));
    }
    let (Some(hash), Some(first)) = (head.get(ALONE..CHUNKED), head.get(CHUNKED..)) else { return Ok(None) };
    let mut bytes = first.to_vec();
    for n in 0..chunks {
        let Some(chunk) = read.get(Table::Chunks, &chunk_key(table, key, n))? else { return Ok(None) };
        bytes.extend_from_slice(&chunk);
    }
    Ok((xxh3_64(&bytes).to_be_bytes() == hash).then_some(bytes))
}

/// What a head itself holds of its value: the beginning, or all of it.
pub(super) fn beginning(head: &[u8]) -> &[u8] {
    head.get(if further(head) == 0 { ALONE } else { CHUNKED }..).unwrap_or_default()
}

/// How many chunks follow a head.
pub(super) fn further(head: &[u8]) -> u16 {
    head.first_chunk().map_or(0, |chunks| u16::from_be_bytes(*chunks))
}

/// `[table][key of the head][number of the chunk]`. Keys of equal length differ in the head's key, so none are shared.
fn chunk_key(table: Table, key: &[u8], n: u16) -> Vec<u8> {
    [&[table as u8], key, &n.to_be_bytes()].concat()
}

/// Bytes for people.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a chunk belongs to a value that is there.
pub(super) fn is_called_for(read: &impl Read, chunk: &[u8]) -> Result<bool, StoreError> {
    let Some((table, rest)) = chunk.split_first() else { return Ok(false) };
    let (Some((key, n)), Some(table)) = (rest.split_last_chunk(), Table::ALL.get(usize::from(*table))) else {
        return Ok(false);
    };
    Ok(read.get(*table, key)?.is_some_and(|head| u16::from_be_bytes(*n) < further(&head)))
}
