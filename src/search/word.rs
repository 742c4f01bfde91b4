//! Words in a segment: where they stand, and what that is worth.
//!
//! In: a word of a plan in all its forms and fields, and a segment; spans of documents in their order. Out: for each span the
//! documents that have the word; for a document what that scores.
//! Promise: a document's bound is never below its score, and costs no look at where the word as such stands; spans and
//! documents are asked for in ascending order.

use std::sync::Arc;

use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::{Postings as _, SegmentPostings, TermInfo};
use tantivy::schema::Field;
use tantivy::{DocId, DocSet as _};

use super::list::{List, Places, seek};
use super::rank::{self, KINDS};
use super::set::{SPAN, Set};

/// What stands in the way of a word in a field of each length that an index tells apart: see [`rank::shortness`].
pub(super) type Shortness = Arc<[f64; 256]>;

/// A form of a word in a field.
pub(super) struct Form {
    pub(super) list: List,
    /// Where the index has it.
    pub(super) term: (Field, TermInfo),
    /// Where it stands in documents; none where nobody asks for that.
    pub(super) places: Option<Places>,
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

    /// Goes to a span, where it is looked for in `among` at least.
    pub(super) fn fill(&mut self, base: DocId, among: &Set) {
        let Self { forms, fields, here, .. } = self;
        here.clear();
        fields.iter_mut().flatten().for_each(|place| place.forms.fill(0.0));
        for Form { list, places, here: of_form, field, sure, .. } in forms {
            let Some(place) = &mut fields[*field] else { continue };
            let mut count = |at: usize, count: u32| {
                #[expect(clippy::cast_precision_loss, reason = "how often a word stands in a text")]
                let count = count as f32;
                place.forms[at] += *sure * count;
                here.insert(at);
            };
            match places {
                None => list.span(base, among, count),
                Some(places) => {
                    of_form.clear();
                    let begin = |at: usize, often: u32| {
                        count(at, often);
                        of_form.insert(at);
                    };
                    places.fill(list, base, among, begin);
                }
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

    /// Where each of its forms in a field stands in documents of the span, and which have it there.
    pub(super) fn forms_in(&mut self, field: usize) -> impl Iterator<Item = (&mut Places, &Set)> {
        let forms = self.forms.iter_mut().filter(move |form| form.field == field);
        forms.filter_map(|form| form.places.as_mut().map(|places| (places, &form.here)))
    }

    /// Where it stands in a field of a document, in order.
    fn places(&mut self, field: usize, base: DocId, at: usize, into: &mut Vec<u32>) {
        into.clear();
        let mut forms = 0;
        for (places, _) in self.forms_in(field).filter(|(_, here)| here.has(at)) {
            places.add(base, at, into);
            forms += 1;
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
pub(super) const fn single(number: f64) -> f32 {
    number as f32
}

/// A span has fewer documents than a number of one can be off.
#[expect(clippy::cast_possible_truncation, reason = "less than SPAN")]
pub(super) const fn document(base: DocId, at: usize) -> DocId {
    base + at as DocId
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
