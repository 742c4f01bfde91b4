//! Articles to bags of weighed terms: what a topic learned from examples looks at.
//!
//! In: the words of an article, and how rare each term is in the stream ([`Background`]). Out: a [`Bag`] of damped counts,
//! a [`Vector`] of length one.
//! Promise: pure; the same words give the same bag; a term is a hash of a light stem or of two that follow each other, so
//! neither keeps a word that could be read.
//! Not here: what is learned from vectors ([`super::learn`]).

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::text::stem;
use crate::text::tokenize::Words;

/// How much a place in the headline counts, in places in the text.
const TITLE: u32 = 2;
/// Only so many words of a text are looked at: what a piece is about is said by then.
const MAX_WORDS: usize = 4_000;

/// The terms of an article with their damped counts (`1 + ln n`), sorted by term.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bag(Vec<(u32, f32)>);

impl Bag {
    /// The bag of an article.
    pub fn of(title: &Words, text: &Words) -> Self {
        let mut terms = Vec::with_capacity(2 * (title.len() * TITLE as usize + text.len().min(MAX_WORDS)));
        gather(title, TITLE, &mut terms);
        gather(text, 1, &mut terms);
        terms.sort_unstable();
        let counted = terms.chunk_by(|a, b| a == b).filter_map(|same| {
            let count = u16::try_from(same.len()).unwrap_or(u16::MAX);
            same.first().map(|term| (*term, 1.0 + f32::from(count).ln()))
        });
        Self(counted.collect())
    }

    /// The bag of an article as it was written.
    pub fn read(title: &str, text: &str) -> Self {
        Self::of(&Words::of(title), &Words::of(text))
    }

    /// The terms, each once, with their damped counts.
    pub fn iter(&self) -> impl Iterator<Item = (u32, f32)> + '_ {
        self.0.iter().copied()
    }

    /// Whether there is no term.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn gather(words: &Words, times: u32, terms: &mut Vec<u32>) {
    walk(words, |term, _| (0..times).for_each(|_| terms.push(term)));
}

/// Calls `see` with each term of `words` and the words (half-open) it stands in: those of single words and those of two
/// that follow each other within a sentence, function words between them or not.
pub(super) fn walk(words: &Words, mut see: impl FnMut(u32, Range<usize>)) {
    let mut before: Option<(u32, usize)> = None;
    for (at, word) in words.iter().enumerate().take(MAX_WORDS) {
        if words.begins_sentence(at) {
            before = None;
        }
        let Some(term) = stem::term(word) else { continue };
        see(term, at..at + 1);
        if let Some((first, from)) = before {
            see((first.rotate_left(7) ^ term).wrapping_mul(0x9E37_79B1), from..at + 1);
        }
        before = Some((term, at));
    }
}

/// A vector of length one; sorted by term.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vector(pub(super) Vec<(u32, f32)>);

/// In how many articles of a sample of the stream each term stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Background {
    documents: u32,
    /// Terms that stand in two articles or more, sorted.
    frequencies: Vec<(u32, u32)>,
}

/// Terms kept of a background: the most frequent. The others count as if they stood in one article.
const MAX_TERMS: usize = 200_000;

impl Background {
    /// Counts the terms of `bags`.
    pub fn of<'a>(bags: impl IntoIterator<Item = &'a Bag>) -> Self {
        let mut counts = HashMap::<u32, u32, Plain>::default();
        let mut documents = 0;
        for bag in bags {
            documents += 1;
            for (term, _) in bag.iter() {
                *counts.entry(term).or_default() += 1;
            }
        }
        let mut frequencies: Vec<(u32, u32)> = counts.into_iter().filter(|(_, n)| *n > 1).collect();
        frequencies.sort_unstable_by_key(|(term, n)| (std::cmp::Reverse(*n), *term));
        frequencies.truncate(MAX_TERMS);
        frequencies.sort_unstable();
        Self { documents, frequencies }
    }

    /// How many articles were counted.
    pub const fn documents(&self) -> u32 {
        self.documents
    }

    /// How much a term says: `1 + ln((1 + N) / (1 + n))` for a term in `n` of `N` articles.
    pub fn rarity(&self, term: u32) -> f32 {
        let found = self.frequencies.binary_search_by_key(&term, |(term, _)| *term);
        self.weigh(found.ok().and_then(|at| self.frequencies.get(at)).map_or(1, |(_, n)| *n))
    }

    /// Of a term that is not known.
    pub(super) fn unknown(&self) -> f32 {
        self.weigh(1)
    }

    /// The terms that are known, with how much they say.
    pub(super) fn rarities(&self) -> impl Iterator<Item = (u32, f32)> + '_ {
        self.frequencies.iter().map(|(term, n)| (*term, self.weigh(*n)))
    }

    #[expect(clippy::cast_precision_loss, reason = "a logarithm of it is taken")]
    fn weigh(&self, n: u32) -> f32 {
        // Of a background of nothing every term says the same.
        1.0 + ((1.0 + self.documents.max(n) as f32) / (1.0 + n as f32)).ln()
    }

    /// The vector of a bag.
    pub fn vector(&self, bag: &Bag) -> Vector {
        let mut terms: Vec<(u32, f32)> = bag.iter().map(|(term, count)| (term, count * self.rarity(term))).collect();
        let length = terms.iter().map(|(_, weight)| weight * weight).sum::<f32>().sqrt();
        terms.iter_mut().for_each(|(_, weight)| *weight /= length);
        Vector(terms)
    }
}

/// Terms are hashes already.
#[derive(Default)]
pub(super) struct Own(u64);

pub(super) type Plain = BuildHasherDefault<Own>;

impl Hasher for Own {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write_u32(&mut self, term: u32) {
        // The table takes its control bits from the top, its place from the bottom.
        self.0 = u64::from(term) << 32 | u64::from(term);
    }
}
