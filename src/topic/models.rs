//! An article to what all models say of it.
//!
//! In: what topics have learned, turned around: by term; the terms of an article. Out: how strongly it is like the examples
//! of each topic, and by which of its terms.
//! Promise: one look-up for each term that the article has, whatever the number of topics; the terms' parts add up to the
//! score.
//! Not here: learning ([`super::like`]), what a strength adds to a score ([`super::matcher`]).

use super::bag::{Background, Count, Terms, length};
use super::like::Learned;
use crate::text::tokenize::Words;

/// The models of all topics.
#[derive(Debug, Default)]
pub struct Models {
    table: Table,
    /// The model and the weight, by term.
    weights: Vec<(u32, f32)>,
    /// How much terms say that are in no model and not in the background.
    unknown: f32,
    learned: Vec<(usize, Learned)>,
}

/// How much each known term says, and where its weights stand.
#[derive(Debug, Default)]
struct Table {
    /// Eight bits for each entry, of which one is set: of unknown terms, which most pairs are, seven in eight are told by it.
    filter: Vec<u64>,
    /// Open, a power of two, at most half full. An entry without rarity is a hole.
    slots: Vec<Entry>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    term: u32,
    rarity: f32,
    from: u32,
    to: u32,
}

impl Table {
    fn of(entries: impl ExactSizeIterator<Item = Entry>) -> Self {
        let size = (2 * entries.len()).next_power_of_two().max(64);
        let mut table = Self { filter: vec![0; size / 8], slots: vec![Entry::default(); size] };
        for entry in entries {
            let bit = entry.term as usize & (8 * size - 1);
            table.filter[bit / 64] |= 1 << (bit % 64);
            let mut slot = place(entry.term, size);
            while table.slots[slot].rarity != 0.0 {
                slot = (slot + 1) & (size - 1);
            }
            table.slots[slot] = entry;
        }
        table
    }

    #[inline]
    fn get(&self, term: u32) -> Option<&Entry> {
        let size = self.slots.len();
        let bit = term as usize & (8 * size).wrapping_sub(1);
        if self.filter.get(bit / 64)? >> (bit % 64) & 1 == 0 {
            return None;
        }
        let mut slot = place(term, size);
        loop {
            let entry = self.slots.get(slot)?;
            if entry.rarity == 0.0 {
                return None;
            }
            if entry.term == term {
                return Some(entry);
            }
            slot = (slot + 1) & (size - 1);
        }
    }
}

/// Where a term is looked for first: its highest bits, for the filter takes the lowest.
fn place(term: u32, size: usize) -> usize {
    ((u64::from(term) * size as u64) >> 32) as usize
}

/// What a model says of an article.
#[derive(Clone, Debug)]
pub(super) struct Liked {
    /// The topic's number.
    pub(super) topic: usize,
    /// 1 where it is enough by itself, ½ where it is enough with the gate.
    pub(super) strength: f32,
}

impl Models {
    /// Models by the number of their topic.
    pub fn new(background: &Background, learned: Vec<(usize, Learned)>) -> Self {
        let mut pairs: Vec<(u32, u32, f32)> = Vec::new();
        for (at, (_, learned)) in (0..).zip(&learned) {
            pairs.extend(learned.model.weights.iter().map(|(term, weight)| (*term, at, *weight)));
        }
        pairs.sort_unstable_by_key(|(term, at, _)| (*term, *at));
        let mut entries: Vec<Entry> =
            background.rarities().map(|(term, rarity)| Entry { term, rarity, from: 0, to: 0 }).collect();
        let known = entries.len();
        let mut weights = Vec::with_capacity(pairs.len());
        for same in pairs.chunk_by(|a, b| a.0 == b.0) {
            let Some((term, ..)) = same.first() else { continue };
            let from = number(weights.len());
            weights.extend(same.iter().map(|(_, at, weight)| (*at, *weight)));
            let (term, to) = (*term, number(weights.len()));
            let place = entries.get(..known).unwrap_or_default().binary_search_by_key(&term, |entry| entry.term);
            match place.ok().and_then(|place| entries.get_mut(place)) {
                Some(entry) => (entry.from, entry.to) = (from, to),
                None => entries.push(Entry { term, rarity: background.unknown(), from, to }),
            }
        }
        Self { table: Table::of(entries.into_iter()), weights, unknown: background.unknown(), learned }
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.learned.is_empty()
    }

    /// Whether there is one of the topic with this number.
    pub(super) fn knows(&self, topic: usize) -> bool {
        self.learned.iter().any(|(of, _)| *of == topic)
    }

    /// The score of an article in each model, in the order of the models.
    pub fn scores(&self, title: &Words, text: &Words) -> Vec<f32> {
        self.score(&Terms::of(title, text).counted())
    }

    fn score(&self, counted: &[Count]) -> Vec<f32> {
        let mut sums = vec![0.0_f32; self.learned.len()];
        let mut squares = 0.0;
        for count in counted {
            let Some(entry) = self.table.get(count.term) else {
                squares += count.square(None);
                continue;
            };
            // A term that only a model knows is as rare as any that the background does not know.
            squares += count.square(Some(entry.rarity).filter(|rarity| *rarity < self.unknown));
            let value = count.worth(entry.rarity);
            for (at, weight) in self.weights.get(entry.from as usize..entry.to as usize).unwrap_or_default() {
                sums[*at as usize] += weight * value;
            }
        }
        let length = length(squares);
        let each = sums.into_iter().zip(&self.learned);
        each.map(|(sum, (_, learned))| sum / length + learned.model.bias).collect()
    }

    /// The models that find an article at least half as strong as it would have to be alone.
    pub(super) fn ask(&self, counted: &[Count]) -> Vec<Liked> {
        let asked = self.learned.iter().zip(self.score(counted)).filter_map(|((topic, learned), score)| {
            let strength = learned.strength(score);
            (strength > 0.0).then_some(Liked { topic: *topic, strength })
        });
        asked.collect()
    }

    /// What each term adds in the model of `topic`, strongest first, only what speaks for it.
    pub(super) fn reasons(&self, topic: usize, counted: &[Count]) -> Vec<(u32, f32)> {
        let Some(at) = self.learned.iter().position(|(of, _)| *of == topic) else { return Vec::new() };
        let at = number(at);
        let mut reasons: Vec<(u32, f32)> = counted
            .iter()
            .filter_map(|count| {
                let entry = self.table.get(count.term)?;
                let weights = self.weights.get(entry.from as usize..entry.to as usize)?;
                let (_, weight) = weights.iter().find(|(of, _)| *of == at)?;
                Some((count.term, weight * count.worth(entry.rarity))).filter(|(_, adds)| *adds > 0.0)
            })
            .collect();
        reasons.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        reasons
    }
}

fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
