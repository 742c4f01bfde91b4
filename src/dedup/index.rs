//! Fingerprints of the items of the window, to those that a new text has something in common with.
//!
//! In: items with their fingerprints and times. Out: candidates with the number of shingles shared.
//! Promise: what is found depends on the items within the window and their order alone, so an index rebuilt from the store
//! answers as the one that was lost; a query follows at most [`CAP`] texts for each of its shingles.
//! Insert what is an item of its own: a duplicate is found through its original, and an original is never a duplicate.
//! Not here: corpora ([`super::corpus`]), which are pinned and have no cap.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use crate::id::ItemId;

use super::compare::{Marks, Overlap};
use super::fingerprint::Fingerprint;
use super::table::{MAX_TEXTS, Table};

/// A shingle that so many texts of the window have is boilerplate: it counts for nothing until fewer have it.
pub const CAP: usize = 64;

/// Dead texts are swept out once there are so many, and a quarter as many as living ones.
const SWEEP: usize = 1_024;

/// One item of the window.
#[derive(Clone, Debug)]
pub struct Indexed {
    /// Which item.
    pub id: ItemId,
    /// When it was published, or whatever time the window is kept by.
    pub at: Timestamp,
    /// What it looks like.
    pub marks: Marks,
}

/// A text with something in common.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// The item.
    pub item: &'a Indexed,
    /// How much.
    pub overlap: Overlap,
}

/// The items of the window.
#[derive(Debug, Default)]
pub struct Index {
    table: Table,
    /// By number, in the order of insertion; `None` where the item is gone.
    items: Vec<Option<Indexed>>,
    numbers: HashMap<ItemId, u32>,
    /// Numbers by the hour of their time, so that expiry looks at little more than what expires.
    hours: BTreeMap<i64, Vec<u32>>,
}

impl Index {
    /// Adds an item, or replaces it.
    pub fn insert(&mut self, id: ItemId, at: Timestamp, fingerprint: &Fingerprint) {
        self.remove(id);
        let Some(number) = u32::try_from(self.items.len()).ok().filter(|n| *n < MAX_TEXTS) else { return };
        for shingle in &fingerprint.shingles {
            self.table.insert(*shingle, number);
        }
        self.items.push(Some(Indexed { id, at, marks: Marks::of(fingerprint) }));
        self.numbers.insert(id, number);
        self.hours.entry(hour(at)).or_default().push(number);
    }

    /// Takes an item out; no effect where it is not there.
    pub fn remove(&mut self, id: ItemId) {
        if let Some(number) = self.numbers.remove(&id) {
            if let Some(item) = self.items.get_mut(number as usize) {
                *item = None;
            }
            self.sweep_if_worthwhile();
        }
    }

    /// Takes out the items older than `before`.
    pub fn expire(&mut self, before: Timestamp) {
        let last = hour(before);
        while let Some(mut entry) = self.hours.first_entry().filter(|entry| *entry.key() <= last) {
            let numbers = std::mem::take(entry.get_mut());
            let mut young = Vec::new();
            for number in numbers {
                let Some(place) = self.items.get_mut(number as usize) else { continue };
                match place.as_ref().map(|item| (item.id, item.at)) {
                    Some((id, at)) if at < before => {
                        *place = None;
                        self.numbers.remove(&id);
                    }
                    Some(_) => young.push(number),
                    None => {}
                }
            }
            if young.is_empty() {
                entry.remove();
            } else {
                // Only the hour of `before` itself has any.
                *entry.get_mut() = young;
                break;
            }
        }
        self.sweep_if_worthwhile();
    }

    /// Items in the index.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// The item `id`, while it is in the window.
    pub fn get(&self, id: ItemId) -> Option<&Indexed> {
        self.numbers.get(&id).and_then(|number| self.item(*number))
    }

    /// Every item that shares at least `least` shingles with `fingerprint`, in the order of insertion. Shingles that [`CAP`]
    /// items have do not count, neither as shared nor in the size of the new text.
    pub fn candidates(&self, fingerprint: &Fingerprint, least: u32) -> Vec<Found<'_>> {
        let mut hits = Vec::new();
        let mut counting = 0;
        for shingle in &fingerprint.shingles {
            let mark = hits.len();
            hits.extend(self.table.texts(*shingle).filter(|number| self.item(*number).is_some()).take(CAP));
            if hits.len() - mark >= CAP {
                hits.truncate(mark);
            } else {
                counting += 1;
            }
        }
        hits.sort_unstable();
        hits.chunk_by(|a, b| a == b)
            .filter_map(|same| {
                let shared = u32::try_from(same.len()).unwrap_or(u32::MAX);
                let item = same.first().and_then(|number| self.item(*number))?;
                let overlap = Overlap { shared, new: counting, known: item.marks.shingles };
                (shared >= least).then_some(Found { item, overlap })
            })
            .collect()
    }

    /// Bytes occupied, as far as they can be counted.
    pub fn bytes(&self) -> usize {
        let marks: usize = self.items.iter().flatten().map(|item| item.marks.heap()).sum();
        self.table.bytes()
            + self.items.capacity() * size_of::<Option<Indexed>>()
            + marks
            + self.numbers.capacity() * (size_of::<(ItemId, u32)>() + 1) * 8 / 7
            + self.hours.values().map(|numbers| numbers.capacity() * size_of::<u32>()).sum::<usize>()
    }

    fn item(&self, number: u32) -> Option<&Indexed> {
        self.items.get(number as usize)?.as_ref()
    }

    fn sweep_if_worthwhile(&mut self) {
        let dead = self.items.len() - self.numbers.len();
        if dead < SWEEP || dead * 4 < self.numbers.len() {
            return;
        }
        let mut living = 0;
        let renumbered: Vec<Option<u32>> = self
            .items
            .iter()
            .map(|item| {
                item.is_some().then(|| {
                    living += 1;
                    living - 1
                })
            })
            .collect();
        let number = |old: u32| renumbered.get(old as usize).copied().flatten();
        self.table = self.table.rebuilt(CAP, number);
        self.items.retain(Option::is_some);
        self.numbers.values_mut().for_each(|n| *n = number(*n).unwrap_or(*n));
        for numbers in self.hours.values_mut() {
            *numbers = numbers.iter().filter_map(|old| number(*old)).collect();
        }
        self.hours.retain(|_, numbers| !numbers.is_empty());
    }
}

fn hour(at: Timestamp) -> i64 {
    at.as_second().div_euclid(3_600)
}
