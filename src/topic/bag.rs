//! Articles to bags of weighed terms: what a topic learned from examples looks at.
//!
//! In: the words of an article, and how rare each term is in the stream ([`Background`]). Out: a [`Bag`] of damped counts,
//! a [`Vector`] whose known single words have length one.
//! Promise: pure; the same words give the same bag; a term is a hash of a light stem or of two that follow each other, so
//! neither keeps a word that could be read.
//! Why pairs count half, and only known single words count in the length of a vector: most pairs are rare, and so are names
//! that come once; their rarity would outweigh all that an article shares with others. In the trials from five examples
//! this did better on stories than whole pairs and whole lengths, and as well on sections.
//! Not here: what is learned from vectors ([`super::learn`]).

use std::collections::HashMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::text::hashed::Plain;
use crate::text::stem;
use crate::text::tokenize::Words;

/// How much a place in the headline counts, in places in the text.
const TITLE: u32 = 2;
/// What a pair counts, in single words.
const PAIR: f32 = 0.5;
/// Only so many words of a text are looked at: what a piece is about is said by then.
const MAX_WORDS: usize = 4_000;

/// The terms of an article with their damped counts (`1 + ln n`; negative of a pair), sorted by term.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bag(Vec<(u32, f32)>);

/// How often a term stands in an article.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Count {
    /// Which.
    pub term: u32,
    /// `1 + ln n`.
    pub damped: f32,
    /// Whether it is of two words that follow each other.
    pub pair: bool,
}

impl Count {
    /// What the term is worth where it says so much.
    pub(super) fn worth(self, rarity: f32) -> f32 {
        self.damped * rarity * if self.pair { PAIR } else { 1.0 }
    }

    /// What it adds to the square of an article's length; the rarity of a term that is known.
    pub(super) fn square(self, rarity: Option<f32>) -> f32 {
        if self.pair { 0.0 } else { (self.damped * rarity.unwrap_or(1.0)).powi(2) }
    }
}

impl Bag {
    /// The bag of an article.
    pub fn of(title: &Words, text: &Words) -> Self {
        let mut counted = Terms::of(title, text).counted();
        counted.sort_unstable_by_key(|count| count.term);
        let signed = |count: Count| (count.term, if count.pair { -count.damped } else { count.damped });
        Self(counted.into_iter().map(signed).collect())
    }

    /// The bag of an article as it was written.
    pub fn read(title: &str, text: &str) -> Self {
        Self::of(&Words::of(title), &Words::of(text))
    }

    /// The terms, each once, with their damped counts.
    pub fn iter(&self) -> impl Iterator<Item = Count> + '_ {
        self.0.iter().map(|(term, signed)| Count { term: *term, damped: signed.abs(), pair: *signed < 0.0 })
    }

    /// Whether there is no term.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The terms of an article where they stand: those of single words and those of two that follow each other within a
/// sentence, function words between them or not. Title first, each in order.
#[derive(Debug, Default)]
pub(super) struct Terms {
    list: Vec<Place>,
    /// How many of them stand in the title.
    title: usize,
}

/// A term and the words (half-open) it stands in; more than one of a pair.
#[derive(Clone, Copy, Debug)]
struct Place {
    term: u32,
    from: u32,
    to: u32,
}

impl Terms {
    /// The terms of an article.
    pub(super) fn of(title: &Words, text: &Words) -> Self {
        let mut list = Vec::with_capacity(2 * (title.len().min(MAX_WORDS) + text.len().min(MAX_WORDS)));
        gather(title, &mut list);
        let title = list.len();
        gather(text, &mut list);
        Self { list, title }
    }

    /// Each term once with its damped count, in the order of their first places.
    pub(super) fn counted(&self) -> Vec<Count> {
        // An open table of places in `counts`, from 1: sorting would take ten times as long.
        let mask = (2 * self.list.len()).next_power_of_two().max(2) - 1;
        let mut table = vec![0_u32; mask + 1];
        let mut counts: Vec<(u32, u32, bool)> = Vec::with_capacity(self.list.len());
        for (at, place) in self.list.iter().enumerate() {
            let times = if at < self.title { TITLE } else { 1 };
            // Pairs are mixed upwards, so their low bits are as good as those of single words.
            let mut slot = place.term as usize & mask;
            loop {
                match table[slot] {
                    0 => {
                        counts.push((place.term, times, place.to - place.from > 1));
                        table[slot] = number(counts.len());
                        break;
                    }
                    known => {
                        let (term, count, _) = &mut counts[known as usize - 1];
                        if *term == place.term {
                            *count += times;
                            break;
                        }
                        slot = (slot + 1) & mask;
                    }
                }
            }
        }
        counts.into_iter().map(|(term, count, pair)| Count { term, damped: damped(count), pair }).collect()
    }

    /// The first place of each of `terms`: whether it is in the title, and the words (half-open).
    pub(super) fn places(&self, terms: &[u32]) -> Vec<Option<(bool, Range<u32>)>> {
        let mut found = vec![None; terms.len()];
        for (at, place) in self.list.iter().enumerate() {
            if let Some(which) = terms.iter().position(|known| *known == place.term) {
                found[which].get_or_insert((at < self.title, place.from..place.to));
            }
        }
        found
    }
}

/// `1 + ln n`.
#[expect(clippy::cast_precision_loss, reason = "a logarithm of it is taken")]
fn damped(count: u32) -> f32 {
    match count {
        0 | 1 => 1.0,
        2 => 1.0 + std::f32::consts::LN_2,
        _ => 1.0 + (count as f32).ln(),
    }
}

fn gather(words: &Words, list: &mut Vec<Place>) {
    let mut before: Option<Place> = None;
    for (at, word) in words.iter().enumerate().take(MAX_WORDS) {
        if words.begins_sentence(at) {
            before = None;
        }
        let Some(term) = stem::term(word) else { continue };
        let place = Place { term, from: number(at), to: number(at + 1) };
        list.push(place);
        if let Some(first) = before {
            let term = (first.term.rotate_left(7) ^ term).wrapping_mul(0x9E37_79B1);
            list.push(Place { term, from: first.from, to: place.to });
        }
        before = Some(place);
    }
}

fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// What the terms of an article are worth, its known single words together of length one; sorted by term.
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
            for count in bag.iter() {
                *counts.entry(count.term).or_default() += 1;
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

    /// How much a term says: `1 + ln((1 + N) / (1 + n))` for a term in `n` of `N` articles. None where it is not known.
    pub fn rarity(&self, term: u32) -> Option<f32> {
        let found = self.frequencies.binary_search_by_key(&term, |(term, _)| *term);
        found.ok().and_then(|at| self.frequencies.get(at)).map(|(_, n)| self.weigh(*n))
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
        let mut squares = 0.0;
        let weigh = |count: Count| {
            let rarity = self.rarity(count.term);
            squares += count.square(rarity);
            (count.term, count.worth(rarity.unwrap_or(self.unknown())))
        };
        let mut terms: Vec<(u32, f32)> = bag.iter().map(weigh).collect();
        let length = length(squares);
        terms.iter_mut().for_each(|(_, weight)| *weight /= length);
        Vector(terms)
    }

    /// The vector of single words with a share for each, sorted by term: the centre of documents that are not at hand.
    pub(super) fn centre(&self, shares: &[(u32, f32)]) -> Vector {
        let rare = |term| self.rarity(term).unwrap_or(self.unknown());
        let mut terms: Vec<(u32, f32)> = shares.iter().map(|(term, share)| (*term, share * rare(*term))).collect();
        let length = terms.iter().map(|(_, weight)| weight * weight).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        terms.iter_mut().for_each(|(_, weight)| *weight /= length);
        Vector(terms)
    }
}

/// The length of an article, from the squares of its terms; never 0.
pub(super) fn length(squares: f32) -> f32 {
    squares.sqrt().max(1.0)
}
