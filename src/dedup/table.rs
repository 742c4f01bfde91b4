//! Shingles to the texts that have them, in little memory.
//!
//! In: pairs of a shingle and a text's number. Out: the numbers of the texts that have a shingle.
//! Promise: four bytes a pair, and about one more for what holds the pairs; no operation but the first takes longer the
//! more pairs there are, so nothing ever stops to rebuild; a shingle that nearly every text has costs a look-up no more.
//! Not here: which texts are still there; whoever asks says so, and [`Table::clean`] forgets the others bit by bit.
//!
//! Pairs stand in pages, in no order. A page is named by the low bits of its shingles, so a pair needs only their high
//! bits; with as many pages as texts, both halves of a pair fit into 32 bits. Pages are added one at a time (linear
//! hashing; Litwin 1980): each takes over half of the pairs of an older page, which from then on is named by one bit
//! more. The texts of a shingle that fills a page by itself are moved to a list of their own.
//! Why not a map of vectors: a header and an allocation for each shingle are seven times as much.

use std::collections::HashMap;

/// The table.
#[derive(Clone, Debug)]
pub struct Table {
    /// From `1 << bits` to twice as many; those that have been split and those that came of it are named by a bit more.
    pages: Vec<Vec<u32>>,
    bits: u32,
    pairs: usize,
    /// The texts of shingles that many have. Their pages hold a pair of the shingle and [`elsewhere`].
    common: HashMap<u32, Vec<u32>>,
    /// The page that is cleaned next.
    hand: usize,
}

/// A new table has 2^10 pages.
const LEAST_BITS: u32 = 10;
const MOST_BITS: u32 = 28;

/// Texts that a table can number.
pub const MAX_TEXTS: u32 = (1 << (MOST_BITS - 1)) - 2;

/// Pairs in a page on average, at most; they are fewer where texts have fewer than 128 shingles each.
const PAIRS: usize = 64;

/// A page as long, and longer by each [`PAIRS`], is looked through for common shingles: those of so many texts.
const LONG: usize = 256;
const COMMON: usize = 48;

/// What stands for a text in a page that is named by so many bits, where the texts are in a list of their own.
const fn elsewhere(bits: u32) -> u32 {
    (1 << bits) - 1
}

impl Default for Table {
    fn default() -> Self {
        let pages = vec![Vec::new(); 1 << LEAST_BITS];
        Self { pages, bits: LEAST_BITS, pairs: 0, common: HashMap::new(), hand: 0 }
    }
}

impl Table {
    /// Notes that `text` has `shingle`. A text below [`MAX_TEXTS`] is noted once for a shingle.
    pub fn insert(&mut self, shingle: u32, text: u32) {
        // At least twice as many pages as texts leave a bit for `elsewhere`.
        let wanted = (text as usize + 2) * 2;
        while (self.pages.len() < wanted || self.pairs > self.pages.len() * PAIRS) && self.bits < MOST_BITS {
            self.split();
        }
        let (place, bits) = self.place(shingle);
        let Some(page) = self.pages.get_mut(place) else { return };
        push(page, pair(shingle, bits, text));
        self.pairs += 1;
        if page.len() >= LONG && page.len().is_multiple_of(PAIRS) {
            self.part_common(place, bits);
        }
    }

    /// Appends the texts that have `shingle`, in any order. Of one that `cap` texts have that are `living` it appends
    /// none and returns false; others may be among the texts.
    pub fn texts(&self, shingle: u32, cap: usize, living: impl Fn(u32) -> bool, texts: &mut Vec<u32>) -> bool {
        let (place, bits) = self.place(shingle);
        let Some(page) = self.pages.get(place) else { return true };
        let (begun, rest) = (texts.len(), shingle >> bits);
        let mut is_common = false;
        for pair in page.iter().filter(|pair| **pair >> bits == rest) {
            let text = pair & elsewhere(bits);
            if text == elsewhere(bits) {
                is_common = true;
            } else {
                texts.push(text);
            }
        }
        let list = if is_common { self.common.get(&shingle).map(Vec::as_slice).unwrap_or_default() } else { &[] };
        let here = texts.len() - begun;
        if here + list.len() >= cap {
            // The dead among them do not count: what is found depends on the living alone.
            let here = texts.get(begun..).unwrap_or_default().iter().filter(|text| living(**text)).count();
            let more = list.iter().rev().filter(|text| living(**text)).take(cap.saturating_sub(here)).count();
            if here + more >= cap {
                texts.truncate(begun);
                return false;
            }
            texts.extend(list.iter().filter(|text| living(**text)));
            return true;
        }
        texts.extend_from_slice(list);
        true
    }

    /// Looks at the pages of `shingles`, so that they are at hand: waiting for memory once for all of them is several
    /// times faster than once for each.
    pub fn touch(&self, shingles: &[u32]) -> u32 {
        let page = |shingle: &u32| self.pages.get(self.place(*shingle).0);
        shingles.iter().filter_map(page).filter_map(|page| page.first()).fold(0, |all, pair| all ^ pair)
    }

    /// Forgets the pairs of texts that are not `living` in the next `pages` pages. Returns whether that was the last of
    /// them; then it begins anew.
    pub fn clean(&mut self, pages: usize, living: impl Fn(u32) -> bool) -> bool {
        for place in self.hand..self.hand.saturating_add(pages).min(self.pages.len()) {
            self.clean_page(place, &living);
        }
        self.hand = self.hand.saturating_add(pages);
        let done = self.hand >= self.pages.len();
        if done {
            self.hand = 0;
        }
        done
    }

    /// Bytes occupied; 16 for what an allocation takes besides.
    pub fn bytes(&self) -> usize {
        let list = |list: &Vec<u32>| if list.capacity() == 0 { 0 } else { list.capacity() * size_of::<u32>() + 16 };
        self.pages.capacity() * size_of::<Vec<u32>>()
            + self.pages.iter().chain(self.common.values()).map(list).sum::<usize>()
            + self.common.capacity() * (size_of::<(u32, Vec<u32>)>() + 1) * 8 / 7
    }

    /// The page of `shingle`, and how many bits name it.
    fn place(&self, shingle: u32) -> (usize, u32) {
        let split = self.pages.len() - (1 << self.bits);
        let place = (shingle & elsewhere(self.bits)) as usize;
        if place < split { ((shingle & elsewhere(self.bits + 1)) as usize, self.bits + 1) } else { (place, self.bits) }
    }

    /// Adds a page.
    fn split(&mut self) {
        let bits = self.bits;
        let place = self.pages.len() - (1 << bits);
        let Some(old) = self.pages.get_mut(place) else { return };
        let moves = |pair: u32| pair >> bits & 1 == 1;
        let renamed = |pair: u32| {
            let text = pair & elsewhere(bits);
            let text = if text == elsewhere(bits) { elsewhere(bits + 1) } else { text };
            pair >> (bits + 1) << (bits + 1) | text
        };
        let mut new = Vec::with_capacity(old.iter().filter(|pair| moves(**pair)).count());
        old.retain_mut(|pair| {
            let moved = moves(*pair);
            *pair = renamed(*pair);
            if moved {
                new.push(*pair);
            }
            !moved
        });
        old.shrink_to(old.len() + old.len() / 8);
        if self.pages.len() == self.pages.capacity() {
            self.pages.reserve_exact(self.pages.len() / 8);
        }
        self.pages.push(new);
        if self.pages.len() == 2 << bits {
            self.bits += 1;
        }
    }

    /// Moves the texts of common shingles out of a page.
    fn part_common(&mut self, place: usize, bits: u32) {
        let Some(page) = self.pages.get_mut(place) else { return };
        page.sort_unstable();
        let mut kept = Vec::with_capacity(page.len());
        for pairs in page.chunk_by(|a, b| a >> bits == b >> bits) {
            let Some(first) = pairs.first().filter(|_| pairs.len() >= COMMON) else {
                kept.extend_from_slice(pairs);
                continue;
            };
            let texts = pairs.iter().map(|pair| pair & elsewhere(bits)).filter(|text| *text != elsewhere(bits));
            self.common.entry(shingle(*first, bits, place)).or_default().extend(texts);
            kept.push(first | elsewhere(bits));
        }
        *page = kept;
    }

    fn clean_page(&mut self, place: usize, living: &impl Fn(u32) -> bool) {
        let split = self.pages.len() - (1 << self.bits);
        let bits = if place < split || place >= 1 << self.bits { self.bits + 1 } else { self.bits };
        let Some(page) = self.pages.get_mut(place) else { return };
        let (common, pairs, mut back) = (&mut self.common, &mut self.pairs, Vec::new());
        page.retain(|pair| {
            let text = pair & elsewhere(bits);
            if text != elsewhere(bits) {
                *pairs -= usize::from(!living(text));
                return living(text);
            }
            let shingle = shingle(*pair, bits, place);
            let Some(texts) = common.get_mut(&shingle) else { return false };
            let before = texts.len();
            texts.retain(|text| living(*text));
            *pairs -= before - texts.len();
            let still = texts.len() >= COMMON / 2;
            if !still {
                back.extend(texts.iter().map(|text| (shingle, *text)));
                common.remove(&shingle);
            } else if texts.capacity() > texts.len() * 2 {
                texts.shrink_to_fit();
            }
            still
        });
        back.into_iter().for_each(|(shingle, text)| push(page, pair(shingle, bits, text)));
        if page.capacity() > page.len() + page.len() / 2 + 8 {
            page.shrink_to(page.len() + page.len() / 8);
        }
    }
}

const fn pair(shingle: u32, bits: u32, text: u32) -> u32 {
    shingle >> bits << bits | text
}

const fn shingle(pair: u32, bits: u32, place: usize) -> u32 {
    pair >> bits << bits | place as u32
}

/// Pages grow by little: half of them are never more than half full otherwise.
fn push(page: &mut Vec<u32>, pair: u32) {
    if page.len() == page.capacity() {
        page.reserve_exact(page.len() / 8 + 4);
    }
    page.push(pair);
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
