//! Shingles to the texts that have them, in little memory.
//!
//! In: pairs of a shingle and a text's number. Out: the numbers of the texts that have a shingle, newest first.
//! Promise: eight bytes a slot for a shingle that one text has (most of them), eight more for each further text.
//! Why not a map of vectors: a header and an allocation for each shingle are five times as much.

/// An open-addressed table; the texts of a shingle are a chain in an arena.
#[derive(Clone, Debug, Default)]
pub struct Table {
    slots: Vec<Slot>,
    used: usize,
    links: Vec<Link>,
}

/// A free slot has no value.
#[derive(Clone, Copy, Debug)]
struct Slot {
    shingle: u32,
    value: u32,
}

/// One further text of a shingle.
#[derive(Clone, Copy, Debug)]
struct Link {
    text: u32,
    next: u32,
}

const FREE: u32 = u32::MAX;
const END: u32 = u32::MAX;

/// Set in a value that is the number of a link; otherwise it is the number of the one text.
const CHAINED: u32 = 1 << 31;

/// Texts that a table can number.
pub const MAX_TEXTS: u32 = CHAINED - 1;

const EMPTY: Slot = Slot { shingle: 0, value: FREE };

impl Table {
    /// Notes that `text` has `shingle`. A text is noted once for a shingle, and later texts have larger numbers.
    pub fn insert(&mut self, shingle: u32, text: u32) {
        if self.used * 5 >= self.slots.len() * 4 {
            self.grow();
        }
        let place = self.place(shingle);
        let Some(slot) = self.slots.get_mut(place) else { return };
        if slot.value == FREE {
            *slot = Slot { shingle, value: text };
            self.used += 1;
            return;
        }
        let mut push = |link: Link| {
            let number = u32::try_from(self.links.len()).ok().filter(|n| *n < CHAINED - 1)?;
            self.links.push(link);
            Some(number)
        };
        let rest = if slot.value & CHAINED == 0 {
            push(Link { text: slot.value, next: END })
        } else {
            Some(slot.value & !CHAINED)
        };
        if let Some(number) = rest.and_then(|next| push(Link { text, next })) {
            slot.value = number | CHAINED;
        }
    }

    /// The texts that have `shingle`, newest first.
    pub fn texts(&self, shingle: u32) -> impl Iterator<Item = u32> + '_ {
        let value = self.slots.get(self.place(shingle)).map_or(FREE, |slot| slot.value);
        self.chain(value)
    }

    fn chain(&self, value: u32) -> impl Iterator<Item = u32> + '_ {
        let chained = value != FREE && value & CHAINED != 0;
        let alone = (value != FREE && !chained).then_some(value);
        let mut next = if chained { value & !CHAINED } else { END };
        let links = std::iter::from_fn(move || {
            let link = *self.links.get(next as usize)?;
            next = link.next;
            Some(link.text)
        });
        alone.into_iter().chain(links)
    }

    /// The same table with every text renumbered by `number` (those it gives nothing for are gone), and of each shingle
    /// only the newest `cap` texts.
    pub fn rebuilt(&self, cap: usize, number: impl Fn(u32) -> Option<u32>) -> Self {
        // Sized beforehand: filling a growing table in the order of a larger one crowds its front.
        let kept = |slot: &&Slot| slot.value != FREE && self.chain(slot.value).any(|text| number(text).is_some());
        let size = self.slots.iter().filter(kept).count();
        let mut new = Self { slots: vec![EMPTY; size + size / 3 + 1], ..Self::default() };
        let mut texts = Vec::new();
        for slot in self.slots.iter().filter(|slot| slot.value != FREE) {
            texts.clear();
            texts.extend(self.chain(slot.value).filter_map(&number).take(cap));
            for text in texts.iter().rev() {
                new.insert(slot.shingle, *text);
            }
        }
        new.links.shrink_to_fit();
        new
    }

    /// Bytes occupied.
    pub fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>() + self.links.capacity() * size_of::<Link>()
    }

    /// Where `shingle` stands, or the free slot where it would.
    fn place(&self, shingle: u32) -> usize {
        let size = self.slots.len();
        if size == 0 {
            return 0;
        }
        // Winnowing keeps small hashes, so they are spread anew before they are scaled to the table.
        let spread =
            u64::from(shingle.wrapping_mul(0x9e37_79b1) ^ shingle >> 15).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let mut place = usize::try_from(spread * size as u64 >> 32).unwrap_or_default();
        while let Some(slot) = self.slots.get(place) {
            if slot.value == FREE || slot.shingle == shingle {
                break;
            }
            place = if place + 1 == size { 0 } else { place + 1 };
        }
        place
    }

    fn grow(&mut self) {
        let size = (self.slots.len() + self.slots.len() / 2).max(1 << 10);
        let old = std::mem::replace(&mut self.slots, vec![EMPTY; size]);
        for slot in old.into_iter().filter(|slot| slot.value != FREE) {
            let place = self.place(slot.shingle);
            if let Some(free) = self.slots.get_mut(place) {
                *free = slot;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_map_of_lists(pairs in prop::collection::vec((0u32..300, 0u32..40), 0..2_000), cap in 1usize..70) {
            let (mut table, mut model) = (Table::default(), BTreeMap::<u32, Vec<u32>>::new());
            for (text, (shingle, _)) in pairs.iter().enumerate() {
                table.insert(*shingle, text as u32);
                model.entry(*shingle).or_default().insert(0, text as u32);
            }
            let odd = |text: u32| (text % 2 == 1).then_some(text / 2);
            let rebuilt = table.rebuilt(cap, odd);
            for shingle in 0..310 {
                let texts = model.remove(&shingle).unwrap_or_default();
                prop_assert_eq!(table.texts(shingle).collect::<Vec<_>>(), texts.clone());
                let kept: Vec<u32> = texts.into_iter().filter_map(odd).take(cap).collect();
                prop_assert_eq!(rebuilt.texts(shingle).collect::<Vec<_>>(), kept);
            }
        }
    }
}
