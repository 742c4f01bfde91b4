//! Fingerprints of the items of the window, to those that a new text has something in common with.
//!
//! In: items with their fingerprints and times. Out: candidates with the number of shingles shared.
//! Promise: what is found depends on the items within the window alone, not on their order or on what went before, so an
//! index rebuilt from the store answers as the one that was lost; a query follows at most [`CAP`] texts for each of its
//! shingles; no call stops to rebuild.
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

/// What is left of dead texts is looked for once there are so many, and an eighth as many as living ones.
const CLEAN: usize = 1_024;

/// The table is cleaned once while so many texts die, or a sixteenth of the living where that is more: a part of it at each.
const ROUND: usize = 1_024;

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
    /// By number; `None` where the item is gone.
    items: Vec<Option<Indexed>>,
    numbers: HashMap<ItemId, u32>,
    /// Numbers by the hour of their time, so that expiry looks at little more than what expires.
    hours: BTreeMap<i64, Vec<u32>>,
    gone: Gone,
}

/// The numbers of items that are gone. The table still has pairs of most, so a number is given again only after it was
/// cleaned from the first page to the last.
#[derive(Debug, Default)]
struct Gone {
    /// Since the cleaning began.
    lately: Vec<u32>,
    /// Before it began; empty while none goes on.
    cleaning: Vec<u32>,
    free: Vec<u32>,
}

impl Index {
    /// Adds an item, or replaces it.
    pub fn insert(&mut self, id: ItemId, at: Timestamp, fingerprint: &Fingerprint) {
        self.remove(id);
        let Some(number) = self.free_number() else { return };
        for shingle in &fingerprint.shingles {
            self.table.insert(*shingle, number);
        }
        if let Some(place) = self.items.get_mut(number as usize) {
            *place = Some(Indexed { id, at, marks: Marks::of(fingerprint) });
        }
        self.numbers.insert(id, number);
        self.hours.entry(hour(at)).or_default().push(number);
    }

    /// Takes an item out; no effect where it is not there.
    pub fn remove(&mut self, id: ItemId) {
        let Some(number) = self.numbers.remove(&id) else { return };
        let item = self.items.get_mut(number as usize).and_then(Option::take);
        if let Some(hour) = item.map(|item| hour(item.at))
            && let Some(numbers) = self.hours.get_mut(&hour)
        {
            numbers.retain(|other| *other != number);
            if numbers.is_empty() {
                self.hours.remove(&hour);
            }
        }
        self.gone.lately.push(number);
        self.clean(1);
    }

    /// Takes out the items older than `before`.
    pub fn expire(&mut self, before: Timestamp) {
        let last = hour(before);
        let mut expired = 0;
        while let Some(mut entry) = self.hours.first_entry().filter(|entry| *entry.key() <= last) {
            entry.get_mut().retain(|number| {
                let Some(place) = self.items.get_mut(*number as usize) else { return false };
                let Some(item) = place.take_if(|item| item.at < before) else { return true };
                self.numbers.remove(&item.id);
                self.gone.lately.push(*number);
                expired += 1;
                false
            });
            if !entry.get().is_empty() {
                // Only the hour of `before` itself has any.
                break;
            }
            entry.remove();
        }
        self.clean(expired);
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

    /// Every item that shares at least `least` shingles with `fingerprint`, the oldest first. Shingles that [`CAP`]
    /// items have do not count, neither as shared nor in the size of the new text.
    pub fn candidates(&self, fingerprint: &Fingerprint, least: u32) -> Vec<Found<'_>> {
        let (mut hits, mut counting) = (Vec::new(), 0);
        let living = |number: u32| self.item(number).is_some();
        std::hint::black_box(self.table.touch(&fingerprint.shingles));
        for shingle in &fingerprint.shingles {
            counting += u32::from(self.table.texts(*shingle, CAP, living, &mut hits));
        }
        keep_frequent(&mut hits, least);
        hits.sort_unstable();
        let mut found: Vec<Found<'_>> = hits
            .chunk_by(|a, b| a == b)
            .filter_map(|same| {
                let shared = u32::try_from(same.len()).unwrap_or(u32::MAX);
                let number = same.first().filter(|_| shared >= least)?;
                let item = self.item(*number)?;
                let overlap = Overlap { shared, new: counting, known: item.marks.shingles };
                Some(Found { item, overlap })
            })
            .collect();
        found.sort_unstable_by_key(|found| (found.item.at, found.item.id));
        found
    }

    /// Bytes occupied, as far as they can be counted.
    pub fn bytes(&self) -> usize {
        let marks: usize = self.items.iter().flatten().map(|item| item.marks.heap()).sum();
        let numbers = self.hours.values().chain([&self.gone.lately, &self.gone.cleaning, &self.gone.free]);
        self.table.bytes()
            + self.items.capacity() * size_of::<Option<Indexed>>()
            + marks
            + self.numbers.capacity() * (size_of::<(ItemId, u32)>() + 1) * 8 / 7
            + numbers.map(|numbers| numbers.capacity() * size_of::<u32>()).sum::<usize>()
    }

    fn item(&self, number: u32) -> Option<&Indexed> {
        self.items.get(number as usize)?.as_ref()
    }

    /// The number of no item; `None` where all are taken.
    fn free_number(&mut self) -> Option<u32> {
        if let Some(number) = self.gone.free.pop() {
            return Some(number);
        }
        let number = u32::try_from(self.items.len()).ok().filter(|number| *number < MAX_TEXTS)?;
        if self.items.len() == self.items.capacity() {
            self.items.reserve_exact(self.items.len() / 8 + 64);
        }
        self.items.push(None);
        Some(number)
    }

    /// Cleans the table a little after so many items went: so the time that it takes is spread over all of them.
    fn clean(&mut self, went: usize) {
        for _ in 0..went {
            let gone = &mut self.gone;
            if gone.cleaning.is_empty() {
                if gone.lately.len() < CLEAN || gone.lately.len() * 8 < self.numbers.len() {
                    return;
                }
                gone.cleaning = std::mem::take(&mut gone.lately);
            }
            let items = &self.items;
            let living = |number: u32| items.get(number as usize).is_some_and(Option::is_some);
            if self.table.clean(self.table.buckets() / ROUND.max(self.numbers.len() / 16) + 1, living) {
                gone.free.append(&mut gone.cleaning);
            }
        }
    }
}

/// Drops most of what is there less than `least` times. Nearly all texts share a shingle or two by chance, and sorting them
/// takes longer than looking the shingles up.
fn keep_frequent(hits: &mut Vec<u32>, least: u32) {
    let mut counts = [0u8; 4_096];
    let place = |hit: u32| hit as usize % 4_096;
    for hit in &*hits {
        let count = &mut counts[place(*hit)];
        *count = count.saturating_add(1);
    }
    hits.retain(|hit| u32::from(counts[place(*hit)]) >= least.min(255));
}

fn hour(at: Timestamp) -> i64 {
    at.as_second().div_euclid(3_600)
}
