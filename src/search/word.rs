//! Words in a segment: where they stand, and what that is worth.
//!
//! In: a word of a plan in all its forms and fields, and a segment; spans of documents in their order. Out: for each span the
//! documents that have the word, or a phrase; for a document what that scores.
//! Promise: a document's bound is never below its score, and costs no look at where the word as such stands; spans and
//! documents are asked for in ascending order.

use std::sync::Arc;

use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::{BlockSegmentPostings, Postings as _, SegmentPostings};
use tantivy::{DocId, DocSet as _};

use super::rank::{self, KINDS};
use super::set::{SPAN, Set};

/// Documents in a block of a list, but for its last.
const BLOCK: usize = 128;

/// What stands in the way of a word in a field of each length that an index tells apart: see [`rank::shortness`].
pub(super) type Shortness = Arc<[f64; 256]>;

/// The documents of one term.
pub(super) struct List {
    block: BlockSegmentPostings,
    at: usize,
}

impl List {
    pub(super) fn new(block: BlockSegmentPostings) -> Self {
        Self { block, at: 0 }
    }

    pub(super) fn len(&self) -> u64 {
        u64::from(self.block.doc_freq())
    }

    /// Calls `each` with the documents of the span that begins with `base`, by how far behind it they are, and how often the
    /// term stands in each: 1 where that is not known.
    fn span(&mut self, base: DocId, mut each: impl FnMut(usize, u32)) {
        let end = base.saturating_add(SPAN as DocId);
        loop {
            let docs = self.block.docs();
            match docs.last() {
                None => return,
                Some(last) if *last < base => {
                    if docs.len() < BLOCK {
                        return;
                    }
                    self.at = self.block.seek(base);
                    if self.block.docs().len() <= self.at && self.block.docs().len() < BLOCK {
                        return;
                    }
                    continue;
                }
                Some(_) => {}
            }
            let freqs = self.block.freqs();
            while let Some(doc) = docs.get(self.at).filter(|doc| **doc < end) {
                if let Some(at) = doc.checked_sub(base) {
                    each(at as usize, freqs.get(self.at).copied().unwrap_or(1));
                }
                self.at += 1;
            }
            if self.at < docs.len() || docs.len() < BLOCK {
                return;
            }
            self.block.advance();
            self.at = 0;
        }
    }

    /// The documents of a span.
    pub(super) fn set(&mut self, base: DocId) -> Set {
        let mut set = Set::EMPTY;
        self.span(base, |at, _| set.insert(at));
        set
    }
}

/// A form of a word in a field.
pub(super) struct Form {
    pub(super) list: List,
    /// Where it stands in documents; none where nobody asks for that.
    pub(super) places: Option<SegmentPostings>,
    /// The documents of the span that have it; kept only beside `places`, which costs more to look into.
    pub(super) here: Set,
    pub(super) field: usize,
    pub(super) sure: f32,
}

/// A field that a word may stand in.
pub(super) struct Place {
    /// The word as it was asked for.
    pub(super) exact: Option<SegmentPostings>,
    pub(super) norms: FieldNormReader,
    pub(super) shortness: Shortness,
    /// For the documents of the span how often any of the forms stands there, each by how sure it is.
    pub(super) forms: Vec<f32>,
}

/// A word in all its forms and fields.
pub(super) struct Word {
    pub(super) forms: Vec<Form>,
    pub(super) fields: [Option<Place>; KINDS],
    pub(super) rarity: f64,
    /// How sure at least that form is which the word as it was asked for is kept under.
    pub(super) surest: f64,
    /// The documents of the span that have it.
    pub(super) here: Set,
}

impl Word {
    pub(super) fn cost(&self) -> u64 {
        self.forms.iter().map(|form| form.list.len()).sum()
    }

    /// Goes to a span.
    pub(super) fn fill(&mut self, base: DocId) {
        let Self { forms, fields, here, .. } = self;
        here.clear();
        fields.iter_mut().flatten().for_each(|place| place.forms.fill(0.0));
        for Form { list, places, here: of_form, field, sure } in forms {
            let Some(place) = &mut fields[*field] else { continue };
            let mut count = |at: usize, count: u32| {
                #[expect(clippy::cast_precision_loss, reason = "how often a word stands in a text")]
                let count = count as f32;
                place.forms[at] += *sure * count;
                here.insert(at);
            };
            if places.is_some() {
                of_form.clear();
                list.span(base, |at, often| {
                    count(at, often);
                    of_form.insert(at);
                });
            } else {
                list.span(base, count);
            }
        }
    }

    /// What it scores in the document `at` of the span, which has it; or what it scores at most, if not `exactly`.
    pub(super) fn score(&mut self, base: DocId, at: usize, exactly: bool) -> f64 {
        let doc = document(base, at);
        let mut weight = 0.0;
        for (field, place) in self.fields.iter_mut().enumerate() {
            let Some(place) = place else { continue };
            let forms = f64::from(place.forms[at]);
            if forms > 0.0 {
                let count =
                    if exactly { rank::count(often(&mut place.exact, doc), forms) } else { forms / self.surest };
                weight += rank::weight(field, count, place.shortness[usize::from(place.norms.fieldnorm_id(doc))]);
            }
        }
        rank::score(self.rarity, weight)
    }

    /// Adds what it scores at most in every document of the span: as [`Self::score`], for whoever looks at many of them.
    pub(super) fn add_bounds(&self, base: DocId, sums: &mut [f32; SPAN]) {
        let mut weights = [0.0_f32; SPAN];
        for (field, place) in self.fields.iter().enumerate() {
            let Some(place) = place else { continue };
            let scale = rank::weight(field, 1.0 / self.surest, 1.0);
            let shortness = place.shortness.map(|shortness| single(shortness * scale));
            let docs = place.norms.num_docs().saturating_sub(base) as usize;
            // In each, have it the word or not: to ask takes longer.
            for (at, (weight, forms)) in weights.iter_mut().zip(&place.forms).enumerate().take(docs) {
                *weight += forms * shortness[usize::from(place.norms.fieldnorm_id(document(base, at)))];
            }
        }
        let rarity = single(self.rarity);
        for (sum, weight) in sums.iter_mut().zip(&weights) {
            *sum += rank::score_single(rarity, *weight);
        }
    }

    fn is_in(&self, field: usize, at: usize) -> bool {
        self.fields[field].as_ref().is_some_and(|place| place.forms[at] > 0.0)
    }

    /// Where it stands in a field of a document, in order.
    fn places(&mut self, field: usize, base: DocId, at: usize, into: &mut Vec<u32>) {
        into.clear();
        let doc = document(base, at);
        let mut forms = 0;
        for form in self.forms.iter_mut().filter(|form| form.field == field && form.here.has(at)) {
            let Some(places) = &mut form.places else { continue };
            if seek(places, doc) {
                places.append_positions_with_offset(0, into);
                forms += 1;
            }
        }
        // Those of one form are in order.
        if forms > 1 {
            into.sort_unstable();
            into.dedup();
        }
    }
}

/// What rounding to it takes away is less than what bounds are raised by ([`super::find`]).
#[expect(clippy::cast_possible_truncation, reason = "see above")]
const fn single(number: f64) -> f32 {
    number as f32
}

/// A span has fewer documents than a number of one can be off.
#[expect(clippy::cast_possible_truncation, reason = "less than SPAN")]
pub(super) const fn document(base: DocId, at: usize) -> DocId {
    base + at as DocId
}

fn seek(postings: &mut SegmentPostings, doc: DocId) -> bool {
    if postings.doc() < doc { postings.seek(doc) == doc } else { postings.doc() == doc }
}

fn often(postings: &mut Option<SegmentPostings>, doc: DocId) -> u32 {
    postings.as_mut().filter(|postings| postings.doc() <= doc).map_or(0, |postings| {
        let there = seek(postings, doc);
        if there { postings.term_freq() } else { 0 }
    })
}

/// How near the second word comes to the first in a document that both are in.
pub(super) fn nearness(first: &mut Word, second: &mut Word, base: DocId, at: usize, places: &mut [Vec<u32>; 2]) -> f64 {
    let mut best: f64 = 0.0;
    for field in 0..KINDS {
        if !first.is_in(field, at) || !second.is_in(field, at) {
            continue;
        }
        let [a, b] = places;
        first.places(field, base, at, a);
        second.places(field, base, at, b);
        // For each place of the one, the places of the other right before and after it.
        let mut from = 0;
        for place in a.iter() {
            while b.get(from).is_some_and(|other| other <= place) {
                from += 1;
            }
            for other in [from.checked_sub(1), Some(from)].into_iter().flatten().filter_map(|at| b.get(at)) {
                best = best.max(rank::near(i64::from(*other) - i64::from(*place)));
            }
        }
    }
    best
}

/// Keeps those of `begins` that have a place `behind` places after them; both in order.
fn keep_followed(begins: &mut Vec<u32>, places: &[u32], behind: u32) {
    let mut places = places.iter().copied().peekable();
    begins.retain(|begin| {
        let wanted = begin.saturating_add(behind);
        while places.next_if(|place| *place < wanted).is_some() {}
        places.peek() == Some(&wanted)
    });
}

/// Words one after the other.
pub(super) struct Phrase {
    /// Each with how many places it stands after the first word of the phrase; together they are all of it.
    parts: Vec<(u32, Word)>,
    rarity: f64,
    /// The rarest first.
    order: Vec<usize>,
    places: [Vec<u32>; 2],
    /// How often it stands in each field of the documents of the span.
    counts: [Vec<u32>; KINDS],
}

impl Phrase {
    pub(super) fn new(parts: Vec<(u32, Word)>, rarity: f64) -> Self {
        let mut order: Vec<usize> = (0..parts.len()).collect();
        order.sort_by_key(|nth| parts[*nth].1.cost());
        let counts = std::array::from_fn(|_| vec![0; SPAN]);
        Self { parts, rarity, order, places: [Vec::new(), Vec::new()], counts }
    }

    pub(super) fn cost(&self) -> u64 {
        self.parts.iter().map(|(_, word)| word.cost()).min().unwrap_or(0)
    }

    /// Keeps those documents of a span that have it.
    pub(super) fn narrow(&mut self, base: DocId, set: &mut Set) {
        for nth in &self.order {
            if set.is_empty() {
                return;
            }
            let (_, word) = &mut self.parts[*nth];
            word.fill(base);
            set.keep(&word.here);
        }
        set.retain(|at| self.count(base, at));
    }

    /// Counts the places where the words follow each other; whether there is one.
    fn count(&mut self, base: DocId, at: usize) -> bool {
        let mut any = false;
        for field in 0..KINDS {
            self.counts[field][at] = 0;
            if !self.parts.iter().all(|(_, word)| word.is_in(field, at)) {
                continue;
            }
            // Where the phrase would have to begin, by what was looked up so far: the rarest word first, so that there is
            // little left to look up of the frequent ones.
            let [begins, here] = &mut self.places;
            for (nth, part) in self.order.iter().enumerate() {
                let (behind, word) = &mut self.parts[*part];
                word.places(field, base, at, here);
                if nth == 0 {
                    begins.clear();
                    begins.extend(here.iter().filter_map(|place| place.checked_sub(*behind)));
                } else {
                    keep_followed(begins, here, *behind);
                }
                if begins.is_empty() {
                    break;
                }
            }
            self.counts[field][at] = u32::try_from(begins.len()).unwrap_or(u32::MAX);
            any |= !begins.is_empty();
        }
        any
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
