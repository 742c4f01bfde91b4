//! The documents of one segment that fit, in their order, a span of them at a time.
//!
//! In: a part of a plan and a segment. Out: a [`Walk`] from span to span, and what each document scores.
//! Promise: a score depends on the document and the plan alone; spans are asked for in ascending order, and what a span cannot
//! have any more is not looked up.

use std::sync::Arc;

use tantivy::columnar::ColumnValues;
use tantivy::directory::CompositeFile;
use tantivy::fieldnorm::FieldNormReader;
use tantivy::index::SegmentComponent;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, SegmentReader, Term};

use super::SearchError;
use super::list::{List, Places};
use super::phrase::Phrase;
use super::plan::{Frame, Lookup, Node, broken, fields_of_words};
use super::rank::{self, KINDS};
use super::schema::{Fields, PUBLISHED, Words, pair};
use super::set::{SPAN, Set};
use super::word::{self, Form, Place, Shortness, Word};
use crate::text::forms::Asked;
use crate::text::stem::is_function;

/// When a document was published.
pub(super) type Times = Arc<dyn ColumnValues<i64>>;

/// Walks through a segment.
pub(super) enum Walk {
    Nothing,
    Word(Box<Word>),
    Phrase(Box<Phrase>),
    Tag(Box<List>),
    Time { times: Times, since: i64, until: i64 },
    And { all: Vec<Walk>, none: Vec<Walk>, order: Vec<usize> },
    Or { of: Vec<Walk>, have: Vec<Set> },
    Some { of: Vec<Walk>, least: usize, rarity: f64 },
}

/// Opens walks in one segment.
pub(super) struct Opener<'a> {
    segment: &'a SegmentReader,
    fields: Fields,
    times: Times,
    shortness: [Shortness; KINDS],
}

impl<'a> Opener<'a> {
    pub(super) fn new(segment: &'a SegmentReader, fields: Fields, frame: &Frame, times: Times) -> Self {
        let shortness = std::array::from_fn(|field| {
            let of = |id: usize| {
                let length = FieldNormReader::id_to_fieldnorm(u8::try_from(id).unwrap_or(u8::MAX));
                rank::shortness(field, length, frame.mean(field))
            };
            Arc::new(std::array::from_fn(of))
        });
        Self { segment, fields, times, shortness }
    }

    pub(super) fn open(&self, node: &Node) -> Result<Walk, SearchError> {
        let open_all = |nodes: &[Node]| {
            // Where words stand is of interest where there are several.
            let places = nodes.iter().filter(|node| matches!(node, Node::Word(_))).count() > 1;
            let open = |node: &Node| match node {
                Node::Word(lookup) if places => {
                    let Some(mut word) = self.word(lookup)? else { return Ok(Walk::Nothing) };
                    self.seek_places(&mut word)?;
                    Ok(Walk::Word(Box::new(word)))
                }
                node => self.open(node),
            };
            nodes.iter().map(open).collect::<Result<Vec<_>, _>>()
        };
        Ok(match node {
            Node::Word(lookup) => self.word(lookup)?.map_or(Walk::Nothing, |word| Walk::Word(Box::new(word))),
            Node::Phrase(lookups) => {
                let words = parts_of(lookups).into_iter();
                let words = words.map(|(at, part)| Ok(self.word(&part)?.map(|word| (at, word))));
                let words: Option<Vec<(u32, Word)>> = words.collect::<Result<_, SearchError>>()?;
                let Some(mut words) = words else { return Ok(Walk::Nothing) };
                let rarest = words.iter().map(|(_, word)| word.cost()).min().unwrap_or(0);
                // With one in every span no part of a list is passed over.
                let many = rarest * SPAN as u64 > u64::from(self.segment.max_doc());
                for (_, word) in &mut words {
                    if many { self.let_places_flow(word)? } else { self.seek_places(word)? }
                }
                let rarity = lookups.iter().map(|lookup| lookup.rarity).sum();
                Walk::Phrase(Box::new(Phrase::new(words, rarity)))
            }
            Node::Tag(term) => {
                let index = self.segment.inverted_index(term.field()).map_err(broken)?;
                let block = index.read_block_postings(term, IndexRecordOption::Basic).map_err(broken)?;
                block.map_or(Walk::Nothing, |block| Walk::Tag(Box::new(List::new(block, self.segment.max_doc()))))
            }
            Node::Time(since, until) => {
                let (first, last) = (self.times.min_value(), self.times.max_value());
                let never = self.segment.max_doc() == 0 || last < *since || first >= *until;
                let times = Arc::clone(&self.times);
                if never { Walk::Nothing } else { Walk::Time { times, since: *since, until: *until } }
            }
            Node::And { all, none } => {
                let (all, none) = (open_all(all)?, open_all(none)?);
                let mut order: Vec<usize> = (0..all.len()).collect();
                order.sort_by_key(|at| all[*at].cost());
                Walk::And { all, none, order }
            }
            Node::Or(choices) => Walk::Or { of: open_all(choices)?, have: vec![Set::EMPTY; choices.len()] },
            Node::Some { of, least } => {
                let rarity = of.iter().map(rarity).sum();
                Walk::Some { of: open_all(of)?, least: *least, rarity }
            }
        })
    }

    /// Where the forms of a word stand, for who asks of few documents.
    fn seek_places(&self, word: &mut Word) -> Result<(), SearchError> {
        for Form { term: (field, info), places, .. } in &mut word.forms {
            let index = self.segment.inverted_index(*field).map_err(broken)?;
            let found = index.read_postings_from_terminfo(info, IndexRecordOption::WithFreqsAndPositions);
            *places = Some(Places::Sought(Box::new(found.map_err(broken)?)));
        }
        Ok(())
    }

    /// Where the forms of a word stand, for who asks of most documents.
    fn let_places_flow(&self, word: &mut Word) -> Result<(), SearchError> {
        let file = self.segment.open_read(SegmentComponent::Positions).map_err(broken)?;
        let files = CompositeFile::open(&file).map_err(broken)?;
        for Form { term: (field, info), places, list, .. } in &mut word.forms {
            if let Some(file) = files.open_read(*field) {
                *places = Some(Places::flowing(list, &file, info).map_err(broken)?);
            }
        }
        Ok(())
    }

    fn word(&self, lookup: &Lookup) -> Result<Option<Word>, SearchError> {
        let words = fields_of_words(&self.fields);
        let mut forms = Vec::new();
        let mut places = [None, None, None];
        for field in &lookup.fields {
            let Words { exact: exact_field, stems: stems_field } = words[*field];
            let mut form = |field_of_index, text: &str, sure: f32| -> Result<bool, SearchError> {
                let term = Term::from_field_text(field_of_index, text);
                let index = self.segment.inverted_index(field_of_index).map_err(broken)?;
                let Some(info) = index.get_term_info(&term).map_err(broken)? else { return Ok(false) };
                let block = index.read_block_postings_from_terminfo(&info, IndexRecordOption::WithFreqs);
                let list = List::new(block.map_err(broken)?, self.segment.max_doc());
                let term = (field_of_index, info);
                forms.push(Form { list, term, places: None, here: Set::EMPTY, field: *field, sure });
                Ok(true)
            };
            let mut found = false;
            for asked in &lookup.stems {
                found |= form(stems_field, &asked.stem, asked.sure)?;
            }
            if lookup.stems.is_empty() {
                found |= form(exact_field, &lookup.word, 1.0)?;
            }
            if found {
                let term = Term::from_field_text(exact_field, &lookup.word);
                let index = self.segment.inverted_index(exact_field).map_err(broken)?;
                places[*field] = Some(Place {
                    exact: index.read_postings(&term, IndexRecordOption::WithFreqs).map_err(broken)?,
                    norms: self.segment.get_fieldnorms_reader(exact_field).map_err(broken)?,
                    shortness: Arc::clone(&self.shortness[*field]),
                    forms: vec![0.0; SPAN],
                });
            }
        }
        let word = Word { forms, fields: places, rarity: lookup.rarity, surest: lookup.surest, here: Set::EMPTY };
        Ok(Some(word).filter(|word| !word.forms.is_empty()))
    }
}

/// What a phrase is looked up by, each with its place in it: pairs where the index has them, and the words that are in none.
fn parts_of(lookups: &[Lookup]) -> Vec<(u32, Lookup)> {
    // All that it may be read as says nothing by itself: so every document that has two of them has the pair.
    let small = |lookup: &Lookup| !lookup.stems.is_empty() && lookup.stems.iter().all(|asked| is_function(&asked.stem));
    let small: Vec<bool> = lookups.iter().map(small).collect();
    let pair_ends = |at: usize| at.checked_sub(1).is_some_and(|before| small.get(before..=at) == Some(&[true; 2]));
    let mut parts = Vec::new();
    for (at, lookup) in lookups.iter().enumerate() {
        let place = u32::try_from(at).unwrap_or(u32::MAX);
        if let Some(first) = at.checked_sub(1).and_then(|before| lookups.get(before)).filter(|_| pair_ends(at)) {
            let seconds = |one: &Asked| {
                let sure = one.sure;
                let stem = one.stem.clone();
                lookup.stems.iter().map(move |other| Asked { stem: pair(&stem, &other.stem), sure: sure * other.sure })
            };
            let stems = first.stems.iter().flat_map(seconds).collect();
            parts.push((place, Lookup { fields: lookup.fields.clone(), word: String::new(), stems, ..*lookup }));
        } else if !pair_ends(at + 1) {
            parts.push((place, lookup.clone()));
        }
    }
    parts
}

fn rarity(node: &Node) -> f64 {
    match node {
        Node::Word(lookup) => lookup.rarity,
        Node::Phrase(words) => words.iter().map(|word| word.rarity).sum(),
        _ => 0.0,
    }
}

impl Walk {
    /// About how much there is to go through.
    fn cost(&self) -> u64 {
        match self {
            Self::Nothing => 0,
            Self::Word(word) => word.cost(),
            Self::Phrase(phrase) => phrase.cost(),
            Self::Tag(list) => list.len(),
            // Looked up one by one: for what is left in the end.
            Self::Time { .. } => u64::MAX,
            Self::And { all, .. } => all.iter().map(Self::cost).min().unwrap_or(0),
            Self::Or { of, .. } | Self::Some { of, .. } => of.iter().map(Self::cost).fold(0, u64::saturating_add),
        }
    }

    /// Keeps those documents of the span that begins with `base` which fit.
    pub(super) fn narrow(&mut self, base: DocId, set: &mut Set) {
        if set.is_empty() {
            return;
        }
        match self {
            Self::Nothing => set.clear(),
            Self::Word(word) => {
                word.fill(base, set);
                set.keep(&word.here);
            }
            Self::Phrase(phrase) => phrase.narrow(base, set),
            Self::Tag(list) => list.narrow(base, set),
            Self::Time { times, since, until } => {
                set.retain(|at| (*since..*until).contains(&times.get_val(word::document(base, at))));
            }
            Self::And { all, none, order } => {
                if all.is_empty() {
                    set.clear();
                }
                for nth in order {
                    all[*nth].narrow(base, set);
                }
                for walk in none {
                    let mut with = set.clone();
                    walk.narrow(base, &mut with);
                    set.drop(&with);
                }
            }
            Self::Or { of, have } => {
                let mut any = Set::EMPTY;
                for (walk, have) in of.iter_mut().zip(have) {
                    have.clone_from(set);
                    walk.narrow(base, have);
                    any.add(have);
                }
                set.keep(&any);
            }
            Self::Some { of, least, .. } => {
                // By how many of them a document has at least: one, two…
                let mut have = vec![Set::EMPTY; *least];
                for walk in of {
                    let Self::Word(word) = walk else { continue };
                    word.fill(base, set);
                    for more in (0..*least).rev() {
                        let mut with = word.here.clone();
                        if let Some(fewer) = more.checked_sub(1) {
                            with.keep(&have[fewer]);
                        }
                        have[more].add(&with);
                    }
                }
                set.keep(have.last().unwrap_or(&Set::EMPTY));
            }
        }
    }

    /// What the document `at` of the span scores, nearness and age left out, or what it scores at most, if not `exactly`.
    pub(super) fn score(&mut self, base: DocId, at: usize, exactly: bool) -> f64 {
        match self {
            Self::Nothing | Self::Tag(_) | Self::Time { .. } => 0.0,
            Self::Word(word) => word.score(base, at, exactly),
            Self::Phrase(phrase) => phrase.score(base, at),
            Self::And { all, .. } => all.iter_mut().map(|walk| walk.score(base, at, exactly)).sum(),
            Self::Or { of, have } => {
                let there = of.iter_mut().zip(have).filter(|(_, have)| have.has(at));
                there.map(|(walk, _)| walk.score(base, at, exactly)).fold(0.0, f64::max)
            }
            Self::Some { of, rarity, .. } => {
                let (mut sum, mut there) = (0.0, 0.0);
                for walk in of {
                    let Self::Word(word) = walk else { continue };
                    if word.here.has(at) {
                        sum += word.score(base, at, exactly);
                        there += word.rarity;
                    }
                }
                sum * rank::partly(there, *rarity)
            }
        }
    }

    /// What each document of `set`, which [`Self::narrow`] gave, scores at most: as [`Self::score`], for many at once. Of the
    /// others anything.
    pub(super) fn bounds(&mut self, base: DocId, set: &Set, bounds: &mut [f32; SPAN]) {
        bounds.fill(0.0);
        self.add_bounds(base, set, bounds);
    }

    fn add_bounds(&mut self, base: DocId, set: &Set, sums: &mut [f32; SPAN]) {
        match self {
            Self::Nothing | Self::Tag(_) | Self::Time { .. } => {}
            Self::Word(word) => word.add_bounds(base, sums),
            Self::Phrase(phrase) => phrase.add_bounds(base, set, sums),
            Self::And { all, .. } => all.iter_mut().for_each(|walk| walk.add_bounds(base, set, sums)),
            Self::Or { of, have } => {
                let (mut most, mut bounds) = ([0.0_f32; SPAN], [0.0; SPAN]);
                for (walk, have) in of.iter_mut().zip(have) {
                    walk.bounds(base, have, &mut bounds);
                    have.iter().for_each(|at| most[at] = most[at].max(bounds[at]));
                }
                sums.iter_mut().zip(&most).for_each(|(sum, most)| *sum += most);
            }
            Self::Some { .. } => {
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "what it takes away is less than bounds are raised by"
                )]
                set.iter().for_each(|at| sums[at] += self.score(base, at, false) as f32);
            }
        }
    }

    /// The words whose nearness counts: those that were asked for side by side.
    fn side_by_side(&mut self) -> Option<&mut Vec<Self>> {
        let (Self::And { all: words, .. } | Self::Some { of: words, .. }) = self else { return None };
        if words.iter().filter(|walk| matches!(walk, Self::Word(_))).count() > 1 {
            return Some(words);
        }
        words.iter_mut().find(|walk| matches!(walk, Self::And { .. } | Self::Some { .. }))?.side_by_side()
    }

    /// Whether nearness can count for anything.
    pub(super) fn has_neighbours(&mut self) -> bool {
        self.side_by_side().is_some()
    }

    /// How near those words stand to each other that were asked for side by side, from 0 to 1.
    pub(super) fn nearness(&mut self, base: DocId, at: usize, places: &mut [Vec<u32>; 2]) -> f64 {
        let Some(words) = self.side_by_side() else { return 0.0 };
        let (mut sum, mut most) = (0.0, 0.0);
        let mut before: Option<&mut Box<Word>> = None;
        for walk in words {
            let Self::Word(word) = walk else { continue };
            if let Some(first) = before {
                let weight = first.rarity.min(word.rarity);
                most += weight;
                if first.here.has(at) && word.here.has(at) {
                    sum += weight * word::nearness(first, word, base, at, places);
                }
            }
            before = Some(word);
        }
        if most > 0.0 { sum / most } else { 0.0 }
    }
}

/// The times of a segment.
pub(super) fn times(segment: &SegmentReader) -> Result<Times, SearchError> {
    segment.fast_fields().column_first_or_default(PUBLISHED).map_err(broken)
}
