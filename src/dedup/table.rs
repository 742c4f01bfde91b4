//! Shingles to the texts that have them, in little memory.
//!
//! In: pairs of a shingle and a text's number. Out: the numbers of the texts that have a shingle.
//! Promise: six to seven bytes a pair; a look-up reads two lines of memory, more only where a shingle is in dozens of texts,
//! and not many more where it is in all; nothing ever stops to rebuild.
//! Not here: which texts are still there; whoever asks says so, and [`Table::clean`] forgets the others bit by bit.
//!
//! Pairs stand in buckets, in no order. A bucket is named by the low bits of its shingles, so a pair needs only their high
//! bits; with more buckets than texts, both halves of a pair fit into 32 bits. Buckets are added one at a time (linear
//! hashing; Litwin 1980): each takes over half of the pairs of an older one, which from then on is named by one bit more.
//! What a bucket has no room for stands in blocks behind it. The texts of a shingle that fills many are moved to a list of
//! their own.
//! Why not a map of vectors: a header and an allocation for each shingle are six times as much.

use std::collections::HashMap;

/// Pairs that fill a line of memory, but for the last place: that has the number of the block behind this one.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Block([u32; 16]);

const ROOM: usize = 15;

/// The value of a free place, and of the number of a block where there is none.
const NONE: u32 = u32::MAX;

impl Block {
    const EMPTY: Self = Self([NONE; 16]);

    fn pairs(&self) -> impl Iterator<Item = u32> {
        self.0.iter().take(ROOM).copied()
    }

    /// The number of the block behind this one.
    const fn next(&self) -> u32 {
        self.0[ROOM]
    }
}

/// Blocks by number, so many in one allocation: what is there is never moved, and little is kept in reserve.
#[derive(Clone, Debug, Default)]
struct Blocks {
    groups: Vec<Vec<Block>>,
    len: usize,
}

const GROUP: usize = 1 << LEAST_BITS;

impl Blocks {
    fn get(&self, number: usize) -> Option<&Block> {
        self.groups.get(number / GROUP)?.get(number % GROUP)
    }

    fn get_mut(&mut self, number: usize) -> Option<&mut Block> {
        self.groups.get_mut(number / GROUP)?.get_mut(number % GROUP)
    }

    fn push(&mut self, block: Block) {
        if self.len.is_multiple_of(GROUP) {
            self.groups.push(Vec::with_capacity(GROUP));
        }
        if let Some(group) = self.groups.last_mut() {
            group.push(block);
            self.len += 1;
        }
    }

    fn bytes(&self) -> usize {
        self.groups.len() * GROUP * size_of::<Block>()
    }
}

/// The table.
#[derive(Clone, Debug)]
pub struct Table {
    /// The first block of each bucket, filled from the front; the blocks behind it are full. There are from `1 << bits` to
    /// twice as many; those that have been split and those that came of it are named by a bit more.
    buckets: Blocks,
    bits: u32,
    blocks: Blocks,
    /// The first of the blocks that are not in use, as if they stood behind one another.
    unused: u32,
    pairs: usize,
    /// The texts of shingles that many have. Their buckets hold a pair of the shingle and [`elsewhere`].
    common: HashMap<u32, Vec<u32>>,
    /// The bucket that is cleaned next.
    hand: usize,
    /// Where a bucket is sorted out.
    desk: Vec<u32>,
}

/// A new table has 2^10 buckets.
const LEAST_BITS: u32 = 10;
const MOST_BITS: u32 = 28;

/// Texts that a table can number.
pub const MAX_TEXTS: u32 = (1 << (MOST_BITS - 1)) - 2;

/// Pairs in a bucket on average, at most. More take less memory and longer to look through.
const PAIRS: usize = 14;

/// A bucket of so many blocks, and of each multiple, is looked through for common shingles: those of so many texts.
const LONG: usize = 8;
const COMMON: usize = 48;

/// The bits of a pair that hold the text, in a bucket that is named by so many.
const fn texts_of(bits: u32) -> u32 {
    (1 << bits) - 1
}

/// What stands for a text where the texts are in a list of their own. [`NONE`] has the number after it.
const fn elsewhere(bits: u32) -> u32 {
    texts_of(bits) - 1
}

impl Default for Table {
    fn default() -> Self {
        let mut buckets = Blocks::default();
        (0..1 << LEAST_BITS).for_each(|_| buckets.push(Block::EMPTY));
        Self {
            buckets,
            bits: LEAST_BITS,
            blocks: Blocks::default(),
            unused: NONE,
            pairs: 0,
            common: HashMap::new(),
            hand: 0,
            desk: Vec::new(),
        }
    }
}

impl Table {
    /// Notes that `text` has `shingle`. A text below [`MAX_TEXTS`] is noted once for a shingle.
    pub fn insert(&mut self, shingle: u32, text: u32) {
        // With twice as many buckets as texts no text has the number `elsewhere`.
        let wanted = (text as usize + 2) * 2;
        while (self.buckets.len < wanted || self.pairs > self.buckets.len * PAIRS) && self.bits < MOST_BITS {
            self.split();
        }
        let (place, bits) = self.place(shingle);
        self.pairs += 1;
        if self.push(place, pair(shingle, bits, text)) && self.chain(place).count().is_multiple_of(LONG) {
            self.part_common(place, bits);
        }
    }

    /// Appends the texts that have `shingle`, in any order. Of one that `cap` texts have that are `living` it appends
    /// none and returns false; others may be among the texts.
    pub fn texts(&self, shingle: u32, cap: usize, living: impl Fn(u32) -> bool, texts: &mut Vec<u32>) -> bool {
        let (place, bits) = self.place(shingle);
        let (begun, mut is_common) = (texts.len(), false);
        let wanted = pair(shingle, bits, 0);
        for block in self.chain(place) {
            // Most blocks have none: that is found out without a branch for each place.
            let differs = |pair: u32| pair & !texts_of(bits) ^ wanted;
            if !block.0.iter().fold(false, |any, pair| any | (differs(*pair) == 0)) {
                continue;
            }
            // A free place looks like a pair of the highest shingles.
            for pair in block.pairs().filter(|pair| differs(*pair) == 0 && *pair != NONE) {
                let text = pair & texts_of(bits);
                if text == elsewhere(bits) {
                    is_common = true;
                } else {
                    texts.push(text);
                }
            }
        }
        let list = if is_common { self.common.get(&shingle).map(Vec::as_slice).unwrap_or_default() } else { &[] };
        let here = texts.len() - begun;
        if here + list.len() < cap {
            texts.extend_from_slice(list);
            return true;
        }
        // The dead among them do not count: what is found depends on the living alone.
        let here = texts.get(begun..).unwrap_or_default().iter().filter(|text| living(**text)).count();
        let more = list.iter().rev().filter(|text| living(**text)).take(cap.saturating_sub(here)).count();
        let counts = here + more < cap;
        if counts {
            texts.extend(list.iter().filter(|text| living(**text)));
        } else {
            texts.truncate(begun);
        }
        counts
    }

    /// Reads what is first read for each of `shingles`, so that it is at hand: waiting for memory once for all of them
    /// is several times faster than once for each.
    pub fn touch(&self, shingles: &[u32]) -> u32 {
        let second = |shingle: &u32| self.buckets.get(self.place(*shingle).0).map(Block::next);
        let seconds: Vec<u32> = shingles.iter().filter_map(second).collect();
        seconds
            .iter()
            .filter_map(|second| self.blocks.get(*second as usize)?.pairs().next())
            .fold(0, |all, pair| all ^ pair)
    }

    /// Forgets the pairs of texts that are not `living` in the next `buckets` buckets. Returns whether that was the last of
    /// them; then it begins anew.
    pub fn clean(&mut self, buckets: usize, living: impl Fn(u32) -> bool) -> bool {
        for place in self.hand..self.hand.saturating_add(buckets).min(self.buckets.len) {
            self.clean_bucket(place, &living);
        }
        self.hand = self.hand.saturating_add(buckets);
        let done = self.hand >= self.buckets.len;
        if done {
            self.hand = 0;
        }
        done
    }

    /// How many buckets there are to clean.
    pub const fn buckets(&self) -> usize {
        self.buckets.len
    }

    /// Bytes occupied; 16 for what an allocation takes besides.
    pub fn bytes(&self) -> usize {
        let list = |list: &Vec<u32>| list.capacity() * size_of::<u32>() + 16;
        self.buckets.bytes()
            + self.blocks.bytes()
            + self.common.values().map(list).sum::<usize>()
            + self.common.capacity() * (size_of::<(u32, Vec<u32>)>() + 1) * 8 / 7
    }

    /// The bucket of `shingle`, and how many bits name it.
    fn place(&self, shingle: u32) -> (usize, u32) {
        let split = self.buckets.len - (1 << self.bits);
        let place = (shingle & texts_of(self.bits)) as usize;
        if place < split { ((shingle & texts_of(self.bits + 1)) as usize, self.bits + 1) } else { (place, self.bits) }
    }

    /// How many bits name a bucket.
    fn bits_of(&self, place: usize) -> u32 {
        let split = self.buckets.len - (1 << self.bits);
        self.bits + u32::from(place < split || place >= 1 << self.bits)
    }

    /// The blocks of a bucket.
    fn chain(&self, place: usize) -> impl Iterator<Item = &Block> {
        std::iter::successors(self.buckets.get(place), |block| self.blocks.get(block.next() as usize))
    }

    /// Adds a pair to a bucket; true where that took another block.
    fn push(&mut self, place: usize, pair: u32) -> bool {
        let Some(bucket) = self.buckets.get_mut(place) else { return false };
        if let Some(free) = bucket.0.iter_mut().take(ROOM).find(|pair| **pair == NONE) {
            *free = pair;
            return false;
        }
        let full = std::mem::replace(bucket, Block::EMPTY);
        bucket.0[0] = pair;
        bucket.0[ROOM] = match self.blocks.get_mut(self.unused as usize) {
            Some(block) => {
                let number = std::mem::replace(&mut self.unused, block.next());
                *block = full;
                number
            }
            None => {
                self.blocks.push(full);
                (self.blocks.len - 1) as u32
            }
        };
        true
    }

    /// Takes all pairs out of a bucket and appends them to `desk`.
    fn empty(&mut self, place: usize, desk: &mut Vec<u32>) {
        let Some(bucket) = self.buckets.get_mut(place) else { return };
        let first = std::mem::replace(bucket, Block::EMPTY);
        desk.extend(first.pairs().take_while(|pair| *pair != NONE));
        let mut number = first.next();
        while let Some(block) = self.blocks.get_mut(number as usize) {
            desk.extend(block.pairs());
            let behind = std::mem::replace(&mut block.0[ROOM], self.unused);
            self.unused = std::mem::replace(&mut number, behind);
        }
    }

    /// Adds a bucket.
    fn split(&mut self) {
        let bits = self.bits;
        let (old, new) = (self.buckets.len - (1 << bits), self.buckets.len);
        self.buckets.push(Block::EMPTY);
        let mut desk = std::mem::take(&mut self.desk);
        self.empty(old, &mut desk);
        for pair in desk.drain(..) {
            let text = pair & texts_of(bits);
            let text = if text == elsewhere(bits) { elsewhere(bits + 1) } else { text };
            let place = if pair >> bits & 1 == 0 { old } else { new };
            self.push(place, pair >> (bits + 1) << (bits + 1) | text);
        }
        self.desk = desk;
        if self.buckets.len == 2 << bits {
            self.bits += 1;
        }
    }

    /// Moves the texts of common shingles out of a bucket.
    fn part_common(&mut self, place: usize, bits: u32) {
        let mut desk = std::mem::take(&mut self.desk);
        self.empty(place, &mut desk);
        desk.sort_unstable();
        for pairs in desk.chunk_by(|a, b| a >> bits == b >> bits) {
            let Some(first) = pairs.first().filter(|_| pairs.len() >= COMMON) else {
                pairs.iter().for_each(|pair| {
                    self.push(place, *pair);
                });
                continue;
            };
            let texts = pairs.iter().map(|pair| pair & texts_of(bits)).filter(|text| *text != elsewhere(bits));
            let shingle = shingle(*first, bits, place);
            self.common.entry(shingle).or_default().extend(texts);
            self.push(place, pair(shingle, bits, elsewhere(bits)));
        }
        desk.clear();
        self.desk = desk;
    }

    fn clean_bucket(&mut self, place: usize, living: &impl Fn(u32) -> bool) {
        let bits = self.bits_of(place);
        let gone = |pair: u32| pair != NONE && !living(pair & texts_of(bits));
        // A common shingle looks as if it were gone, and is looked at below.
        if !self.chain(place).flat_map(Block::pairs).any(gone) {
            return;
        }
        let mut desk = std::mem::take(&mut self.desk);
        self.empty(place, &mut desk);
        for one in desk.drain(..) {
            let text = one & texts_of(bits);
            if text != elsewhere(bits) {
                if living(text) {
                    self.push(place, one);
                } else {
                    self.pairs -= 1;
                }
                continue;
            }
            let shingle = shingle(one, bits, place);
            let Some(mut texts) = self.common.remove(&shingle) else { continue };
            let before = texts.len();
            texts.retain(|text| living(*text));
            self.pairs -= before - texts.len();
            if texts.len() < COMMON / 2 {
                texts.iter().for_each(|text| {
                    self.push(place, pair(shingle, bits, *text));
                });
            } else {
                texts.shrink_to(texts.len() * 2);
                self.common.insert(shingle, texts);
                self.push(place, one);
            }
        }
        self.desk = desk;
    }
}

const fn pair(shingle: u32, bits: u32, text: u32) -> u32 {
    shingle >> bits << bits | text
}

const fn shingle(pair: u32, bits: u32, place: usize) -> u32 {
    pair >> bits << bits | place as u32
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn all(table: &Table, shingle: u32) -> Vec<u32> {
        let mut texts = Vec::new();
        assert!(table.texts(shingle, usize::MAX, |_| true, &mut texts));
        texts.sort_unstable();
        texts
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        /// Shingles of few bits, of high bits alone, and one that every third text has; up to four times as many texts
        /// as a new table has room for.
        #[test]
        fn it_is_a_map_of_lists(seed: u64, count in 1u32..2_500, cap in 1usize..70) {
            let mut rng = seed | 1;
            let (mut table, mut model) = (Table::default(), BTreeMap::<u32, Vec<u32>>::new());
            for text in 0..count {
                for kind in 0..8u32 {
                    rng = rng.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let drawn = (rng >> 33) as u32;
                    let shingle = match kind {
                        0 => drawn % 300,
                        1 => drawn << 22 | 7,
                        2 if text % 3 == 0 => 77 << 20 | 5,
                        _ => drawn,
                    };
                    let texts = model.entry(shingle).or_default();
                    if texts.last() != Some(&text) {
                        texts.push(text);
                        table.insert(shingle, text);
                    }
                }
            }
            for (shingle, texts) in &model {
                prop_assert_eq!(&all(&table, *shingle), texts);
            }
            let living = |text: u32| text.is_multiple_of(5);
            for clean in [false, true] {
                while clean && !table.clean(100, living) {}
                for (shingle, texts) in &model {
                    let alive = texts.iter().copied().filter(|text| living(*text)).collect::<Vec<_>>();
                    let mut found = vec![9];
                    let counts = table.texts(*shingle, cap, living, &mut found);
                    prop_assert_eq!(counts, alive.len() < cap);
                    if counts {
                        found.retain(|text| living(*text));
                        found.sort_unstable();
                        prop_assert_eq!(found.len(), alive.len());
                    } else {
                        prop_assert_eq!(found, [9]);
                    }
                    if clean {
                        prop_assert_eq!(all(&table, *shingle), alive);
                    }
                }
            }
            while !table.clean(1_000, |_| false) {}
            prop_assert_eq!((table.pairs, table.common.len()), (0, 0));
        }
    }
}
