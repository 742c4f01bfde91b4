//! A filter over keys: says for certain that a file does not have one.
//!
//! In: hashes of keys. Out: no, or perhaps (about one in a hundred of those that are not there).
//! Source: B. H. Bloom, Space/time trade-offs in hash coding with allowable errors, 1970; ten bits and seven probes a key, made
//! of one hash by double hashing (Kirsch and Mitzenmacher, 2006).

use xxhash_rust::xxh3::xxh3_64;

use super::tables::Table;

const BITS_PER_KEY: usize = 10;
const PROBES: u64 = 7;

/// The filter of one file.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Filter {
    words: Vec<u64>,
}

/// What a filter knows a key by.
pub(super) fn hash(table: Table, asked: &[u8]) -> u64 {
    xxh3_64(asked) ^ (table as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Filter {
    pub(super) fn of(hashes: &[u64]) -> Self {
        let mut filter = Self { words: vec![0; (hashes.len() * BITS_PER_KEY).div_ceil(64)] };
        for hash in hashes {
            for bit in places(*hash, filter.words.len()) {
                filter.words[bit / 64] |= 1 << (bit % 64);
            }
        }
        filter
    }

    /// Whether the key may be there.
    pub(super) fn may_have(&self, hash: u64) -> bool {
        !self.words.is_empty()
            && places(hash, self.words.len()).all(|bit| self.words[bit / 64] & (1 << (bit % 64)) != 0)
    }
}

fn places(hash: u64, words: usize) -> impl Iterator<Item = usize> {
    let (bits, step) = (words as u64 * 64, (hash >> 32) | 1);
    (0..PROBES).map(move |probe| {
        let place = hash.wrapping_add(probe.wrapping_mul(step)) % bits;
        usize::try_from(place).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_its_keys_and_few_others() {
        let hashes: Vec<u64> = (0..2_000u64).map(|n| hash(Table::Ids, &n.to_be_bytes())).collect();
        let filter = Filter::of(&hashes);
        assert!(hashes.iter().all(|hash| filter.may_have(*hash)));
        let others = (2_000..22_000u64).filter(|n| filter.may_have(hash(Table::Ids, &n.to_be_bytes()))).count();
        assert!(others < 400, "{others} of 20,000 that are not there");
        let elsewhere =
            hashes.len() - (0..2_000u64).filter(|n| !filter.may_have(hash(Table::Pins, &n.to_be_bytes()))).count();
        assert!(elsewhere < 60, "{elsewhere}: another table's keys are other keys");
        assert!(!Filter::default().may_have(1));
    }
}
