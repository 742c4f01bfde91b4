//! The documents of one segment that fit, in their order.
//!
//! In: a part of a plan and a segment. Out: a [`Walk`] from document to document, and what each scores.
//! Promise: documents come in order, each once; a score depends on the document and the plan alone.

use std::sync::Arc;

use tantivy::columnar::ColumnValues;
use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::{Postings, SegmentPostings};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet, SegmentReader, TERMINATED, Term};

use super::plan::{Frame, Lookup, Node, broken, fields_of_words};
use super::rank::{self, KINDS};
use super::schema::{Fields, PUBLISHED, Words};
use super::{SearchError, plan};

/// When a document was published.
pub(super) type Times = Arc<dyn ColumnValues<i64>>;

/// Walks through a segment.
pub(super) enum Walk {
    Nothing,
    Word(Box<Word>),
    Phrase(Phrase),
    Tag(Box<SegmentPostings>),
    Time { times: Times, since: i64, until: i64, doc: DocId, end: DocId },
    And { all: Vec<Walk>, none: Vec<Walk>, drive: Vec<usize>, doc: DocId },
    Or { of: Vec<Walk>, doc: DocId },
    Some { of: Vec<Walk>, least: usize, rarity: f64, doc: DocId },
}

/// Opens walks in one segment.
pub(super) struct Opener<'a> {
    pub(super) segment: &'a SegmentReader,
    pub(super) fields: Fields,
    pub(super) frame: &'a Frame,
    pub(super) times: Times,
}

impl Opener<'_> {
    pub(super) fn open(&self, node: &Node) -> Result<Walk, SearchError> {
        let open_all = |nodes: &[Node]| nodes.iter().map(|node| self.open(node)).collect::<Result<Vec<_>, _>>();
        let mut walk = match node {
            Node::Word(lookup) => match self.word(lookup, false)? {
                Some(word) => Walk::Word(Box::new(word)),
                None => Walk::Nothing,
            },
            Node::Phrase(lookups) => {
                let words: Option<Vec<Word>> =
                    lookups.iter().map(|lookup| self.word(lookup, true)).collect::<Result<_, _>>()?;
                match words {
                    Some(words) => Walk::Phrase(Phrase::new(words)),
                    None => Walk::Nothing,
                }
            }
            Node::Tag(term) => match self.postings(term, IndexRecordOption::Basic)? {
                Some(postings) => Walk::Tag(Box::new(postings)),
                None => Walk::Nothing,
            },
            Node::Time(since, until) => Walk::Time {
                times: Arc::clone(&self.times),
                since: *since,
                until: *until,
                doc: 0,
                end: self.segment.max_doc(),
            },
            Node::And { all, none } => {
                let (all, none) = (open_all(all)?, open_all(none)?);
                let mut drive: Vec<usize> = (0..all.len()).collect();
                drive.sort_by_key(|at| all[*at].cost());
                Walk::And { all, none, drive, doc: 0 }
            }
            Node::Or(choices) => Walk::Or { of: open_all(choices)?, doc: 0 },
            Node::Some { of, least } => {
                let rarity = of.iter().map(rarity).sum();
                Walk::Some { of: open_all(of)?, least: *least, rarity, doc: 0 }
            }
        };
        walk.begin();
        Ok(walk)
    }

    fn postings(&self, term: &Term, option: IndexRecordOption) -> Result<Option<SegmentPostings>, SearchError> {
        let index = self.segment.inverted_index(term.field()).map_err(broken)?;
        index.read_postings(term, option).map_err(broken)
    }

    fn word(&self, lookup: &Lookup, in_phrase: bool) -> Result<Option<Word>, SearchError> {
        let words = fields_of_words(&self.fields);
        let mut word = Word {
            lists: Vec::new(),
            exact: [None, None, None],
            norms: [None, None, None],
            means: std::array::from_fn(|field| self.frame.mean(field)),
            rarity: lookup.rarity,
            doc: 0,
        };
        let only = lookup.stems.is_empty() && !in_phrase;
        for field in &lookup.fields {
            let Words { exact, stems } = words[*field];
            let mut found = false;
            for asked in &lookup.stems {
                let term = Term::from_field_text(stems, &asked.stem);
                if let Some(postings) = self.postings(&term, IndexRecordOption::WithFreqsAndPositions)? {
                    word.lists.push(List { postings, field: *field, sure: f64::from(asked.sure) });
                    found = true;
                }
            }
            let term = Term::from_field_text(exact, &lookup.word);
            if let Some(postings) = self.postings(&term, IndexRecordOption::WithFreqs)? {
                if only {
                    word.lists.push(List { postings: postings.clone(), field: *field, sure: 1.0 });
                    found = true;
                }
                word.exact[*field] = Some(postings);
            }
            if found {
                word.norms[*field] = Some(self.segment.get_fieldnorms_reader(exact).map_err(broken)?);
            }
        }
        word.settle();
        Ok(Some(word).filter(|word| !word.lists.is_empty()))
    }
}

fn rarity(node: &Node) -> f64 {
    match node {
        Node::Word(lookup) => lookup.rarity,
        Node::Phrase(words) => words.iter().map(|word| word.rarity).sum(),
        _ => 0.0,
    }
}

struct List {
    postings: SegmentPostings,
    field: usize,
    sure: f64,
}

/// A word in all its forms and fields.
pub(super) struct Word {
    lists: Vec<List>,
    exact: [Option<SegmentPostings>; KINDS],
    norms: [Option<FieldNormReader>; KINDS],
    means: [f64; KINDS],
    rarity: f64,
    doc: DocId,
}

impl Word {
    fn settle(&mut self) -> DocId {
        self.doc = self.lists.iter().map(|list| list.postings.doc()).min().unwrap_or(TERMINATED);
        self.doc
    }

    fn advance(&mut self) -> DocId {
        for list in &mut self.lists {
            if list.postings.doc() == self.doc {
                list.postings.advance();
            }
        }
        self.settle()
    }

    fn seek(&mut self, target: DocId) -> DocId {
        if self.doc < target {
            for list in &mut self.lists {
                if list.postings.doc() < target {
                    list.postings.seek(target);
                }
            }
            self.settle();
        }
        self.doc
    }

    fn cost(&self) -> u64 {
        self.lists.iter().map(|list| u64::from(list.postings.size_hint())).sum()
    }

    fn score(&mut self) -> f64 {
        let mut forms = [0.0; KINDS];
        for list in self.lists.iter().filter(|list| list.postings.doc() == self.doc) {
            forms[list.field] += list.sure * f64::from(list.postings.term_freq());
        }
        let mut weight = 0.0;
        for (field, form) in forms.into_iter().enumerate() {
            if form > 0.0 {
                let exact = match &mut self.exact[field] {
                    Some(postings) if postings.doc() > self.doc => 0,
                    Some(postings) if postings.doc() == self.doc => postings.term_freq(),
                    Some(postings) => {
                        let there = postings.seek(self.doc) == self.doc;
                        if there { postings.term_freq() } else { 0 }
                    }
                    None => 0,
                };
                let length = self.norms[field].as_ref().map_or(1, |norms| norms.fieldnorm(self.doc));
                weight += rank::weight(field, exact, form, length, self.means[field]);
            }
        }
        rank::score(self.rarity, weight)
    }

    /// Where it stands in a field, in order.
    fn places(&mut self, field: usize, into: &mut Vec<u32>) {
        into.clear();
        let doc = self.doc;
        for list in self.lists.iter_mut().filter(|list| list.field == field && list.postings.doc() == doc) {
            list.postings.append_positions_with_offset(0, into);
        }
        into.sort_unstable();
        into.dedup();
    }
}

/// How near the second word comes to the first in the document that both are at.
pub(super) fn nearness(first: &mut Word, second: &mut Word, places: &mut [Vec<u32>; 2]) -> f64 {
    if first.doc != second.doc {
        return 0.0;
    }
    let mut best: f64 = 0.0;
    for field in 0..KINDS {
        let [a, b] = places;
        first.places(field, a);
        second.places(field, b);
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

/// Words one after the other.
pub(super) struct Phrase {
    words: Vec<Word>,
    places: [Vec<u32>; 2],
    next: Vec<u32>,
    /// How often it stands in each field of the document.
    counts: [u32; KINDS],
    doc: DocId,
}

impl Phrase {
    fn new(words: Vec<Word>) -> Self {
        Self { words, places: [Vec::new(), Vec::new()], next: Vec::new(), counts: [0; KINDS], doc: 0 }
    }

    /// The first document from `target` on.
    fn find(&mut self, mut target: DocId) -> DocId {
        loop {
            let aligned = loop {
                let furthest = self.words.iter_mut().map(|word| word.seek(target)).max().unwrap_or(TERMINATED);
                if furthest == target || furthest == TERMINATED {
                    break furthest;
                }
                target = furthest;
            };
            self.doc = aligned;
            if aligned == TERMINATED || self.count() {
                return aligned;
            }
            target = aligned + 1;
        }
    }

    /// Counts the places where the words follow each other; whether there is one.
    fn count(&mut self) -> bool {
        for field in 0..KINDS {
            let [so_far, here] = &mut self.places;
            for (nth, word) in self.words.iter_mut().enumerate() {
                word.places(field, here);
                if nth == 0 {
                    std::mem::swap(so_far, here);
                    continue;
                }
                self.next.clear();
                self.next.extend(
                    here.iter().filter(|place| {
                        place.checked_sub(1).is_some_and(|before| so_far.binary_search(&before).is_ok())
                    }),
                );
                std::mem::swap(so_far, &mut self.next);
            }
            self.counts[field] = u32::try_from(so_far.len()).unwrap_or(u32::MAX);
        }
        self.counts.iter().any(|count| *count > 0)
    }

    fn score(&self) -> f64 {
        let Some(first) = self.words.first() else { return 0.0 };
        let mut weight = 0.0;
        for (field, count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let length = first.norms[field].as_ref().map_or(1, |norms| norms.fieldnorm(self.doc));
            weight += rank::weight(field, *count, f64::from(*count), length, first.means[field]);
        }
        rank::score(self.words.iter().map(|word| word.rarity).sum(), weight)
    }
}

impl Walk {
    /// Goes to the first document.
    fn begin(&mut self) {
        match self {
            Self::Phrase(phrase) => {
                phrase.find(0);
            }
            Self::Time { .. } | Self::And { .. } | Self::Or { .. } | Self::Some { .. } => {
                self.find(0);
            }
            Self::Nothing | Self::Word(_) | Self::Tag(_) => {}
        }
    }

    /// The document that it is at; [`TERMINATED`] at the end.
    pub(super) fn doc(&self) -> DocId {
        match self {
            Self::Nothing => TERMINATED,
            Self::Word(word) => word.doc,
            Self::Phrase(phrase) => phrase.doc,
            Self::Tag(postings) => postings.doc(),
            Self::Time { doc, .. } | Self::And { doc, .. } | Self::Or { doc, .. } | Self::Some { doc, .. } => *doc,
        }
    }

    /// Goes to the next document.
    pub(super) fn advance(&mut self) -> DocId {
        match self {
            Self::Word(word) => word.advance(),
            Self::Tag(postings) => postings.advance(),
            _ => match self.doc() {
                TERMINATED => TERMINATED,
                doc => self.find(doc + 1),
            },
        }
    }

    /// Goes to the first document from `target` on, if it is not there or beyond.
    pub(super) fn seek(&mut self, target: DocId) -> DocId {
        let doc = self.doc();
        if doc >= target { doc } else { self.find(target) }
    }

    fn find(&mut self, target: DocId) -> DocId {
        match self {
            Self::Nothing => TERMINATED,
            Self::Word(word) => word.seek(target),
            Self::Phrase(phrase) => phrase.find(target),
            Self::Tag(postings) => postings.seek(target),
            Self::Time { times, since, until, doc, end } => {
                let fits = |doc: &DocId| (*since..*until).contains(&times.get_val(*doc));
                *doc = (target..*end).find(fits).unwrap_or(TERMINATED);
                *doc
            }
            Self::And { all, none, drive, doc } => {
                *doc = both(all, none, drive, target);
                *doc
            }
            Self::Or { of, doc } => {
                *doc = of.iter_mut().map(|walk| walk.seek(target)).min().unwrap_or(TERMINATED);
                *doc
            }
            Self::Some { of, least, doc, .. } => {
                *doc = enough(of, *least, target);
                *doc
            }
        }
    }

    /// About how many documents it goes through.
    fn cost(&self) -> u64 {
        match self {
            Self::Nothing => 0,
            Self::Word(word) => word.cost(),
            Self::Phrase(phrase) => phrase.words.iter().map(Word::cost).min().unwrap_or(0),
            Self::Tag(postings) => u64::from(postings.size_hint()),
            Self::Time { end, .. } => u64::from(*end),
            Self::And { all, .. } => all.iter().map(Self::cost).min().unwrap_or(0),
            Self::Or { of, .. } | Self::Some { of, .. } => of.iter().map(Self::cost).sum(),
        }
    }

    /// What the document that it is at scores, nearness and age left out.
    pub(super) fn score(&mut self) -> f64 {
        match self {
            Self::Nothing | Self::Tag(_) | Self::Time { .. } => 0.0,
            Self::Word(word) => word.score(),
            Self::Phrase(phrase) => phrase.score(),
            Self::And { all, .. } => all.iter_mut().map(Self::score).sum(),
            Self::Or { of, doc } => {
                of.iter_mut().filter(|walk| walk.doc() == *doc).map(Self::score).fold(0.0, f64::max)
            }
            Self::Some { of, rarity, doc, .. } => {
                let (mut sum, mut there) = (0.0, 0.0);
                for walk in of.iter_mut().filter(|walk| walk.doc() == *doc) {
                    sum += walk.score();
                    if let Self::Word(word) = walk {
                        there += word.rarity;
                    }
                }
                sum * rank::partly(there, *rarity)
            }
        }
    }

    /// How near those words stand to each other that were asked for side by side, from 0 to 1.
    pub(super) fn nearness(&mut self, places: &mut [Vec<u32>; 2]) -> f64 {
        let doc = self.doc();
        let (Self::And { all: words, .. } | Self::Some { of: words, .. }) = self else { return 0.0 };
        if words.iter().filter(|walk| matches!(walk, Self::Word(_))).count() < 2 {
            let inner = words.iter_mut().find(|walk| matches!(walk, Self::And { .. } | Self::Some { .. }));
            return inner.map_or(0.0, |inner| inner.nearness(places));
        }
        let (mut sum, mut most) = (0.0, 0.0);
        let mut before: Option<&mut Box<Word>> = None;
        for walk in words {
            let Self::Word(word) = walk else { continue };
            if let Some(first) = before {
                let weight = first.rarity.min(word.rarity);
                most += weight;
                if first.doc == doc && word.doc == doc {
                    sum += weight * nearness(first, word, places);
                }
            }
            before = Some(word);
        }
        if most > 0.0 { sum / most } else { 0.0 }
    }
}

/// The first document from `target` on that all have, and none of `none`.
fn both(all: &mut [Walk], none: &mut [Walk], drive: &[usize], mut target: DocId) -> DocId {
    'next: loop {
        if target == TERMINATED || all.is_empty() {
            return TERMINATED;
        }
        for at in drive {
            let doc = all[*at].seek(target);
            if doc > target {
                target = doc;
                continue 'next;
            }
        }
        if none.iter_mut().any(|walk| walk.seek(target) == target) {
            target += 1;
            continue;
        }
        return target;
    }
}

/// The first document from `target` on that `least` of them have.
fn enough(of: &mut [Walk], least: usize, mut target: DocId) -> DocId {
    loop {
        let doc = of.iter_mut().map(|walk| walk.seek(target)).min().unwrap_or(TERMINATED);
        if doc == TERMINATED || of.iter().filter(|walk| walk.doc() == doc).count() >= least {
            return doc;
        }
        target = doc + 1;
    }
}

/// The times of a segment.
pub(super) fn times(segment: &SegmentReader) -> Result<Times, SearchError> {
    segment.fast_fields().column_first_or_default(PUBLISHED).map_err(plan::broken)
}
