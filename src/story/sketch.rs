//! A title and a text to the terms that tell an event from others.
//!
//! In: a title and a plain text. Out: a [`Sketch`]: hashed terms, each with how much the text makes of it.
//! Promise: pure; at most [`MAX_TERMS`] terms; no word can be read back. A longer text has the sketch of its beginning,
//! where news says what happened, and of the words that it repeats.
//! Terms are light stems without joined letters (one word more merged is harmless in a bag), numbers, places, and the
//! country that a place lies in. Pairs of words are none: two reports in different words have few, and more places.
//! Not here: how rare a term is ([`super::window`] knows), which words are places ([`super::places`]).

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::places;
use crate::text::stem;
use crate::text::tokenize::Words;

/// Terms kept of one text.
pub const MAX_TERMS: usize = 56;

/// How much of a text is looked at, in characters and in words.
const READ_CHARS: usize = 1_000;
const READ_WORDS: usize = 150;
/// The words of a text that count as its lead.
const LEAD_WORDS: usize = 45;
/// Words from which single mentions below the lead are left out.
const TAIL_WORDS: usize = 90;

/// What one mention weighs.
const IN_TITLE: u16 = 12;
const IN_LEAD: u16 = 6;
const BELOW: u16 = 4;

/// One term of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Term {
    /// Which: a hash.
    pub hash: u32,
    /// How much the text makes of it, 1 to 15, and what it is.
    pub mark: u8,
}

/// In marks: it stands in the title.
pub const TITLE: u8 = 0x10;
/// In marks: a place announces it, or it is the name of one.
pub const PLACE: u8 = 0x20;
/// In marks: it names a country, or the country of a place named.
pub const COUNTRY: u8 = 0x40;
/// In marks: it stands in the title or the lead.
pub const LEAD: u8 = 0x80;

impl Term {
    /// How much the text makes of it, in quarters of the root of its weighed mentions.
    pub fn strength(self) -> f32 {
        f32::from(self.mark & 0x0f)
    }

    /// Whether all of `marks` are set.
    pub const fn is(self, marks: u8) -> bool {
        self.mark & marks == marks
    }
}

/// What an item's event is recognized by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sketch {
    /// Sorted by hash, distinct.
    pub terms: Vec<Term>,
}

impl Sketch {
    /// The sketch of a text under a title; either may be empty.
    pub fn of(title: &str, text: &str) -> Self {
        let mut found = Found::default();
        found.read(&Words::of(title), true);
        let text = text.char_indices().nth(READ_CHARS).and_then(|(end, _)| text.get(..end)).unwrap_or(text);
        found.read(&Words::of(text), title.trim().is_empty());
        found.sketch()
    }
}

/// The term of a normalized word: a hash of its stem without the letters that are joined to the beginning of a word,
/// whether they belong to it or not. None for function words, numbers and single letters.
pub(super) fn term(word: &str) -> Option<u32> {
    let mut root = stem::content(word)?;
    // One ending after another, so that adjectives of names that end like a plural meet the names.
    loop {
        let next = stem::stem(root);
        if next == root {
            break;
        }
        root = next;
    }
    while let Some(rest) = root.strip_prefix(JOINED).filter(|rest| rest.chars().nth(2).is_some()) {
        root = rest;
    }
    Some(hash(root))
}

const JOINED: [char; 5] = ['و', 'ف', 'ب', 'ك', 'ل'];

pub(super) fn hash(root: &str) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "32 bits of a hash are kept")]
    let hash = xxh3_64(root.as_bytes()) as u32;
    hash
}

/// One mention of a term.
struct Mention {
    hash: u32,
    /// Position over title and text.
    at: u32,
    weight: u16,
    marks: u8,
}

#[derive(Default)]
struct Found {
    mentions: Vec<Mention>,
    at: u32,
}

impl Found {
    fn read(&mut self, words: &Words, title: bool) {
        let (mut place_next, mut name_next) = (false, false);
        for (i, word) in words.iter().enumerate().take(READ_WORDS) {
            self.at += 1;
            if words.begins_sentence(i) {
                (place_next, name_next) = (false, false);
            }
            let lead = title || i < LEAD_WORDS;
            let (weight, marks) = match (title, lead) {
                (true, _) => (IN_TITLE, TITLE | LEAD),
                (_, true) => (IN_LEAD, LEAD),
                _ => (BELOW, 0),
            };
            let meaning = places::meaning(word);
            let (announced_place, announced_name) = (place_next, name_next);
            (place_next, name_next) = (meaning.announces_place, meaning.announces_name);
            if let Some(place) = meaning.place {
                self.push(place.country, weight, marks | COUNTRY);
                if let Some(within) = place.within {
                    self.push(within, weight * 2, marks | PLACE);
                }
            } else if let Some(number) = number(word) {
                self.push(number, weight, marks);
            } else if let Some(term) = term(word) {
                if announced_place && !place_next {
                    self.push(term, weight * 2, marks | PLACE);
                } else {
                    self.push(term, if announced_name { weight * 3 / 2 } else { weight }, marks);
                }
            }
        }
    }

    fn push(&mut self, hash: u32, weight: u16, marks: u8) {
        self.mentions.push(Mention { hash, at: self.at, weight, marks });
    }

    fn sketch(mut self) -> Sketch {
        self.mentions.sort_unstable_by_key(|mention| (mention.hash, mention.at));
        let mut terms: Vec<(u32, u32, Term)> = self
            .mentions
            .chunk_by(|a, b| a.hash == b.hash)
            .filter_map(|same| {
                let first = same.first()?;
                if same.len() == 1 && usize::try_from(first.at).is_ok_and(|at| at > TAIL_WORDS) {
                    return None;
                }
                let weight: u16 = same.iter().map(|mention| mention.weight).fold(0, u16::saturating_add);
                let marks = same.iter().fold(0, |marks, mention| marks | mention.marks);
                // 12 for one mention in the title is 7, 64 and more is 15.
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 15")]
                let strength = (f32::from(weight).sqrt() * 2.0).clamp(1.0, 15.0) as u8;
                Some((u32::from(weight), first.at, Term { hash: first.hash, mark: marks | strength }))
            })
            .collect();
        terms.sort_unstable_by_key(|(weight, at, term)| (std::cmp::Reverse(*weight), *at, term.hash));
        terms.truncate(MAX_TERMS);
        let mut terms: Vec<Term> = terms.into_iter().map(|(_, _, term)| term).collect();
        terms.sort_unstable();
        Sketch { terms }
    }
}

/// The term of a number that may tell: none of a year, nor of a small one.
fn number(word: &str) -> Option<u32> {
    if !word.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let telling = match word.parse::<u32>() {
        Ok(number) => number > 12 && !(1_990..=2_040).contains(&number),
        Err(_) => word.contains('.'),
    };
    telling.then(|| hash(word))
}
