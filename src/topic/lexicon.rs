//! All terms of all topics, looked up at once.
//!
//! In: the terms, then one word of a text at a time. Out: the numbers of the terms that the word is a form of.
//! Promise: the work grows with the word, not with the number of terms.
//! Not here: what a form is ([`super::term`]).
//!
//! A form is found by its letters, which a word has after one of its possible proclitics and before one of its possible
//! endings. So every beginning of what is left of a word without a proclitic is looked up; nearly all of them are none of
//! any form, which a filter of a few bits for each form says without leaving the processor's cache.

use std::collections::HashMap;

use super::bag::Plain;
use super::term::{Before, Proclitic, Rest, Term, proclitics};

/// The forms by their letters, and the terms that allow an edit.
#[derive(Debug, Default)]
pub(super) struct Lexicon {
    /// By the hash of their letters: the first of the groups of forms that have it.
    groups_by_hash: HashMap<u64, u32, Plain>,
    groups: Vec<Group>,
    ends: Vec<End>,
    filter: Filter,
    /// The fewest letters of a form.
    shortest: usize,
    fuzzy: Vec<FuzzyTerm>,
    /// The first and the last three letters of each fuzzy term: one edit leaves one of the two as it was.
    fuzzy_by_letters: HashMap<[char; 3], Vec<u32>>,
}

/// The forms of the same letters.
#[derive(Debug)]
struct Group {
    letters: Box<[char]>,
    ends: std::ops::Range<u32>,
    /// Another group with the same hash, if ever there is one.
    next: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
struct End {
    term: u32,
    rest: Rest,
    before: Before,
}

/// At most one bit in 32 is set: of the letters of no form one in 32 passes.
#[derive(Debug, Default)]
struct Filter {
    bits: Vec<u64>,
    /// Takes a hash to its bit.
    shift: u32,
}

const BITS_EACH: usize = 32;

impl Filter {
    fn of(hashes: impl ExactSizeIterator<Item = u64>) -> Self {
        let size = (hashes.len() * BITS_EACH).next_power_of_two().max(64);
        let mut filter = Self { bits: vec![0; size / 64], shift: 64 - size.trailing_zeros() };
        for hash in hashes {
            let bit = hash >> filter.shift;
            filter.bits[(bit / 64) as usize] |= 1 << (bit % 64);
        }
        filter
    }

    #[inline]
    fn may_hold(&self, hash: u64) -> bool {
        let bit = hash >> self.shift;
        self.bits.get((bit / 64) as usize).is_some_and(|bits| bits >> (bit % 64) & 1 == 1)
    }
}

/// The hash of some letters and one more.
#[inline]
const fn and(hash: u64, letter: char) -> u64 {
    // The multiplication mixes upwards, and the filter takes the highest bits.
    (hash.rotate_left(23) ^ letter as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

#[derive(Debug)]
struct FuzzyTerm {
    term: u32,
    letters: Vec<char>,
    before: Before,
}

impl Lexicon {
    /// A lexicon of `terms`, which are then known by their positions.
    pub(super) fn of(terms: &[Term]) -> Self {
        let mut by_letters = HashMap::<Box<[char]>, Vec<End>>::new();
        let mut lexicon = Self::default();
        for (term, form) in terms.iter().enumerate().flat_map(|(i, term)| term.forms().into_iter().map(move |f| (i, f)))
        {
            let term = number(term);
            if form.rest == Rest::Fuzzy {
                lexicon.add_fuzzy(FuzzyTerm { term, letters: form.key, before: form.before });
                continue;
            }
            let end = End { term, rest: form.rest, before: form.before };
            by_letters.entry(form.key.into()).or_default().push(end);
        }
        let hash = |letters: &[char]| letters.iter().fold(0, |hash, letter| and(hash, *letter));
        lexicon.filter = Filter::of(by_letters.keys().map(|letters| hash(letters)));
        lexicon.shortest = by_letters.keys().map(|letters| letters.len()).min().unwrap_or(usize::MAX);
        for (letters, ends) in by_letters {
            let from = number(lexicon.ends.len());
            lexicon.ends.extend(ends);
            let next = lexicon.groups_by_hash.insert(hash(&letters), number(lexicon.groups.len()));
            lexicon.groups.push(Group { letters, ends: from..number(lexicon.ends.len()), next });
        }
        lexicon
    }

    fn add_fuzzy(&mut self, term: FuzzyTerm) {
        let at = number(self.fuzzy.len());
        for letters in [term.letters.first_chunk(), term.letters.last_chunk()].into_iter().flatten() {
            self.fuzzy_by_letters.entry(*letters).or_default().push(at);
        }
        self.fuzzy.push(term);
    }

    /// Appends to `found` the terms that `word` is a form of; some may come twice.
    pub(super) fn find(&self, word: &[char], found: &mut Vec<u32>) {
        for proclitic in proclitics(word) {
            let stem = word.get(proclitic.len..).unwrap_or_default();
            let mut hash = 0;
            for (at, letter) in stem.iter().enumerate() {
                hash = and(hash, *letter);
                if at + 1 >= self.shortest && self.filter.may_hold(hash) {
                    self.ends_at(hash, stem, at + 1, proclitic, found);
                }
            }
            if !self.fuzzy.is_empty() {
                for letters in [stem.first_chunk::<3>(), stem.last_chunk::<3>()].into_iter().flatten() {
                    for fuzzy in self.fuzzy_by_letters.get(letters).into_iter().flatten() {
                        let fuzzy = &self.fuzzy[*fuzzy as usize];
                        if fuzzy.before.admits(proclitic) && within_one_edit(&fuzzy.letters, stem) {
                            found.push(fuzzy.term);
                        }
                    }
                }
            }
        }
    }
}

impl Lexicon {
    /// Appends the terms of the forms that have the first `length` letters of `stem`, whose hash is `hash`.
    fn ends_at(&self, hash: u64, stem: &[char], length: usize, proclitic: Proclitic, found: &mut Vec<u32>) {
        let (letters, rest) = stem.split_at(length.min(stem.len()));
        let mut next = self.groups_by_hash.get(&hash).copied();
        while let Some(group) = next.and_then(|at| self.groups.get(at as usize)) {
            next = group.next;
            if *group.letters != *letters {
                continue;
            }
            for end in self.ends.get(group.ends.start as usize..group.ends.end as usize).unwrap_or_default() {
                if end.before.admits(proclitic) && end.rest.admits(stem, rest) {
                    found.push(end.term);
                }
            }
        }
    }
}

/// Whether `a` becomes `b` with at most one letter put in, left out or changed.
fn within_one_edit(a: &[char], b: &[char]) -> bool {
    let same_start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (a.get(same_start..).unwrap_or_default(), b.get(same_start..).unwrap_or_default());
    let same_end = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    a.len() - same_end <= 1 && b.len() - same_end <= 1
}

/// Positions are kept in 32 bits; a configuration of four thousand million terms is not to be feared.
fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_edit() {
        for (a, b, within) in [
            ("كازاخستان", "كازاخستان", true),
            ("كازاخستان", "كازخستان", true),
            ("كازاخستان", "كازاخسان", true),
            ("كازاخستان", "كازاخستتان", true),
            ("كازاخستان", "قازاخستان", true),
            ("كازاخستان", "قازخستان", false),
            ("كازاخستان", "كازاخ", false),
            ("", "", true),
            ("", "ا", true),
            ("", "اب", false),
        ] {
            let letters = |s: &str| s.chars().collect::<Vec<_>>();
            assert_eq!(within_one_edit(&letters(a), &letters(b)), within, "{a} {b}");
            assert_eq!(within_one_edit(&letters(b), &letters(a)), within, "{b} {a}");
        }
    }
}
