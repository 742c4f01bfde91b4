//! Words one after the other.
//!
//! In: the words of a phrase in a segment; spans of documents in their order. Out: for each span the documents that have it,
//! and what that scores.
//! Promise: the rarest word is looked up first, and the others only where it leaves something to be found.

use tantivy::DocId;

use super::rank::{self, KINDS};
use super::set::{SPAN, Set};
use super::word::{Word, document, single};

/// Words one after the other.
pub(super) struct Phrase {
    /// Each with how many places it stands after the first word of the phrase; together they are all of it.
    parts: Vec<(u32, Word)>,
    rarity: f64,
    /// The rarest first.
    order: Vec<usize>,
    begins: Begins,
    /// How often it stands in each field of the documents of the span.
    counts: [Vec<u32>; KINDS],
}

impl Phrase {
    pub(super) fn new(parts: Vec<(u32, Word)>, rarity: f64) -> Self {
        let mut order: Vec<usize> = (0..parts.len()).collect();
        order.sort_by_key(|nth| parts[*nth].1.cost());
        let counts = std::array::from_fn(|_| vec![0; SPAN]);
        Self { parts, rarity, order, begins: Begins::default(), counts }
    }

    pub(super) fn cost(&self) -> u64 {
        self.parts.iter().map(|(_, word)| word.cost()).min().unwrap_or(0)
    }

    /// Keeps those documents of a span that have it.
    pub(super) fn narrow(&mut self, base: DocId, set: &mut Set) {
        let Self { parts, order, begins, counts, .. } = self;
        for nth in order.iter() {
            if set.is_empty() {
                return;
            }
            let (_, word) = &mut parts[*nth];
            word.fill(base, set);
            set.keep(&word.here);
        }
        let mut with = Set::EMPTY;
        for (field, counts) in counts.iter_mut().enumerate() {
            counts.fill(0);
            for (nth, part) in order.iter().enumerate() {
                let (behind, word) = &mut parts[*part];
                if nth == 0 {
                    begins.of(word, field, base, set, *behind);
                } else {
                    begins.keep(word, field, base, *behind);
                }
                if begins.all.is_empty() {
                    break;
                }
            }
            for begin in &begins.all {
                counts[begin.at()] += 1;
                with.insert(begin.at());
            }
        }
        set.keep(&with);
    }

    /// Adds what it scores in every document of the span that has it; to the others anything.
    pub(super) fn add_bounds(&self, base: DocId, set: &Set, sums: &mut [f32; SPAN]) {
        set.iter().for_each(|at| sums[at] += single(self.score(base, at)));
    }

    /// What it scores in a document that has it.
    pub(super) fn score(&self, base: DocId, at: usize) -> f64 {
        let Some((_, first)) = self.parts.first() else { return 0.0 };
        let mut weight = 0.0;
        for (field, place) in first.fields.iter().enumerate() {
            let count = self.counts[field][at];
            if let Some(place) = place.as_ref().filter(|_| count > 0) {
                let shortness = place.shortness[usize::from(place.norms.fieldnorm_id(document(base, at)))];
                weight += rank::weight(field, f64::from(count), shortness);
            }
        }
        rank::score(self.rarity, weight)
    }
}

/// A document of the span and a place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Begin(u32, u32);

impl Begin {
    const fn at(self) -> usize {
        self.0 as usize
    }
}

/// Where in a field of the span's documents the phrase would have to begin, by what was looked up so far.
#[derive(Default)]
struct Begins {
    /// In order.
    all: Vec<Begin>,
    followed: Vec<bool>,
    places: Vec<u32>,
}

impl Begins {
    /// Begins with a word that stands `behind` places after the first.
    fn of(&mut self, word: &mut Word, field: usize, base: DocId, set: &Set, behind: u32) {
        self.all.clear();
        let mut forms = 0;
        for (places, here) in word.forms_in(field) {
            let mut both = here.clone();
            both.keep(set);
            for at in both.iter() {
                self.places.clear();
                places.add(base, at, &mut self.places);
                #[expect(clippy::cast_possible_truncation, reason = "less than SPAN")]
                let begin = |place: &u32| place.checked_sub(behind).map(|place| Begin(at as u32, place));
                self.all.extend(self.places.iter().filter_map(begin));
            }
            forms += 1;
        }
        // Those of each form are in order, which is what a stable sort makes use of.
        if forms > 1 {
            self.all.sort();
            self.all.dedup();
        }
    }

    /// Keeps those that a word follows `behind` places after them.
    fn keep(&mut self, word: &mut Word, field: usize, base: DocId, behind: u32) {
        let Self { all, followed, places: found } = self;
        followed.clear();
        followed.resize(all.len(), false);
        for (places, here) in word.forms_in(field) {
            let mut marks = followed.iter_mut();
            for own in all.chunk_by(|a, b| a.0 == b.0) {
                let marks = marks.by_ref().take(own.len());
                let Some(at) = own.first().map(|begin| begin.at()).filter(|at| here.has(*at)) else {
                    marks.for_each(drop);
                    continue;
                };
                found.clear();
                places.add(base, at, found);
                let mut found = found.iter().copied().peekable();
                for (begin, mark) in own.iter().zip(marks) {
                    let wanted = begin.1.saturating_add(behind);
                    while found.next_if(|place| *place < wanted).is_some() {}
                    *mark |= found.peek() == Some(&wanted);
                }
            }
        }
        let mut followed = followed.iter();
        all.retain(|_| followed.next().copied().unwrap_or_default());
    }
}
