//! Which documents have a shingle: one table over all corpora.
//!
//! In: shingles with the numbers of their documents. Out: the numbers of one shingle's documents.
//! Promise: looking up is a step or two whatever the number of documents; 8 bytes an entry and about one more for the way
//! to it.
//! Why a sorted array and not a map of lists: most shingles are in one document, and a list for each is three times as
//! large. Corpora change on reload alone, so nothing is ever inserted.

/// Entries that share a way, on average.
const SHARE: usize = 4;

/// Shingles and documents, sorted.
#[derive(Debug, Default)]
pub(super) struct Postings {
    /// The shingle in the upper half, the document in the lower.
    entries: Vec<u64>,
    /// Where the entries begin whose shingles have these first bits; one more for the end.
    starts: Vec<u32>,
    /// How many first bits.
    bits: u32,
}

impl Postings {
    /// The table of all `(shingle, document)`.
    pub(super) fn of(pairs: impl Iterator<Item = (u32, u32)>) -> Self {
        let mut entries: Vec<u64> =
            pairs.map(|(shingle, document)| u64::from(shingle) << 32 | u64::from(document)).collect();
        entries.sort_unstable();
        entries.dedup();
        let bits = (entries.len() / SHARE).max(1).ilog2();
        let (mut starts, mut at) = (Vec::with_capacity((1 << bits) + 1), 0);
        for bucket in 0..1u64 << bits {
            at += entries
                .get(at..)
                .unwrap_or_default()
                .iter()
                .take_while(|entry| bucket_of(**entry, bits) < bucket)
                .count();
            starts.push(u32::try_from(at).unwrap_or(u32::MAX));
        }
        starts.push(u32::try_from(entries.len()).unwrap_or(u32::MAX));
        Self { entries, starts, bits }
    }

    /// How many documents have `shingle`.
    pub(super) fn count(&self, shingle: u32) -> usize {
        self.entries_of(shingle).len()
    }

    /// The documents that have `shingle`, ascending.
    pub(super) fn documents(&self, shingle: u32) -> impl Iterator<Item = u32> + '_ {
        #[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
        self.entries_of(shingle).iter().map(|entry| *entry as u32)
    }

    fn entries_of(&self, shingle: u32) -> &[u64] {
        let bucket = usize::try_from(bucket_of(u64::from(shingle) << 32, self.bits)).unwrap_or(usize::MAX);
        let bounds = (self.starts.get(bucket), self.starts.get(bucket.saturating_add(1)));
        let near = match bounds {
            (Some(start), Some(end)) => self.entries.get(*start as usize..*end as usize).unwrap_or_default(),
            _ => &[],
        };
        let first = near.partition_point(|entry| entry >> 32 < u64::from(shingle));
        let end = near.partition_point(|entry| entry >> 32 <= u64::from(shingle));
        near.get(first..end).unwrap_or_default()
    }
}

/// The first bits of the shingle of an entry.
const fn bucket_of(entry: u64, bits: u32) -> u64 {
    if bits == 0 { 0 } else { entry >> (64 - bits) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn it_is_a_map_of_lists(pairs in prop::collection::vec((0u32..40, 0u32..50), 0..300), spread: bool) {
            let shingle = |n: u32| if spread { n.wrapping_mul(0x9e37_79b9) } else { n };
            let table = Postings::of(pairs.iter().map(|(one, document)| (shingle(*one), *document)));
            for n in 0..42 {
                let mut wanted: Vec<u32> = pairs.iter().filter(|pair| pair.0 == n).map(|pair| pair.1).collect();
                wanted.sort_unstable();
                wanted.dedup();
                prop_assert_eq!(table.count(shingle(n)), wanted.len());
                prop_assert_eq!(table.documents(shingle(n)).collect::<Vec<_>>(), wanted);
            }
        }
    }
}
