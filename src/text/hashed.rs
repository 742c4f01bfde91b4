//! Tables of words, terms and shingles, whose keys are hashes already.
//!
//! Promise: the same on every machine and in every run.
//! Why not the standard hasher: it guards against keys that somebody chose to collide, at several times the cost of all else that
//! is done with a term. What is kept here was hashed before, and a table that was made to collide only slows its own article.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

/// Makes tables of what is hashed already, or counted: `HashMap<u32, T, Plain>`.
pub type Plain = BuildHasherDefault<AsItIs>;

/// A set of such.
pub type Set<T> = HashSet<T, Plain>;

/// The key itself.
#[derive(Default)]
pub struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write_u32(&mut self, n: u32) {
        // A table takes its control bits from the top and its place from the bottom.
        self.0 = u64::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
