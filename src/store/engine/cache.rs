//! Blocks of files that were read lately.
//!
//! In: blocks. Out: the same, while there is room.
//! Promise: never more than the bytes it was made with.
//! Not here: reading them ([`super::sorted`]).
//!
//! Two halves: what is read goes to the young one, from the old one back to it; when the young one is full it becomes the old
//! one, and what was not read since is forgotten.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

type Key = (u64, usize);
type Half = HashMap<Key, Arc<Vec<u8>>>;

/// Shared by all files of a store.
pub(super) struct Cache {
    half: usize,
    next: AtomicU64,
    halves: Mutex<Halves>,
}

#[derive(Default)]
struct Halves {
    young: Half,
    old: Half,
    bytes: usize,
}

/// What an entry takes besides its bytes, about.
const OVERHEAD: usize = 96;

impl Cache {
    pub(super) fn new(bytes: usize) -> Self {
        Self { half: bytes / 2, next: AtomicU64::new(0), halves: Mutex::default() }
    }

    /// A number that no other file has.
    pub(super) fn next_id(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn get(&self, key: Key) -> Option<Arc<Vec<u8>>> {
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = halves.young.get(&key) {
            return Some(Arc::clone(bytes));
        }
        let bytes = halves.old.remove(&key)?;
        self.keep(&mut halves, key, Arc::clone(&bytes));
        Some(bytes)
    }

    pub(super) fn put(&self, key: Key, bytes: &Arc<Vec<u8>>) {
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        self.keep(&mut halves, key, Arc::clone(bytes));
    }

    fn keep(&self, halves: &mut Halves, key: Key, bytes: Arc<Vec<u8>>) {
        let weight = bytes.len() + OVERHEAD;
        if weight > self.half {
            return;
        }
        if halves.bytes + weight > self.half {
            halves.old = std::mem::take(&mut halves.young);
            halves.bytes = 0;
        }
        halves.bytes += weight;
        halves.young.insert(key, bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_is_read_and_forgets_the_rest() {
        let cache = Cache::new(40 * (100 + OVERHEAD));
        let block = Arc::new(vec![0; 100]);
        for n in 0..1_000 {
            cache.put((1, n), &block);
            assert!(cache.get((1, 0)).is_some(), "read all the time: {n}");
        }
        assert!(cache.get((1, 999)).is_some() && cache.get((1, 500)).is_none() && cache.get((2, 999)).is_none());
        let halves = cache.halves.lock().unwrap();
        assert!(halves.young.len() + halves.old.len() <= 40);
        let none = Cache::new(0);
        none.put((1, 1), &block);
        assert!(none.get((1, 1)).is_none());
    }
}
