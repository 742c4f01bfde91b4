//! A title and a text to what copies of it are recognized by.
//!
//! In: a title and a plain text. Out: a [`Fingerprint`].
//! Promise: texts that differ in spelling marks, presentation forms, spacing, markup entities or in a headline standing on
//! top have the same one; no word can be read back from it.
//! Why the shingles are of the text and not of the title: reprints come under new headlines.
//! Not here: which words count ([`super::lines`]) and what two fingerprints have in common ([`super::compare`]).

use std::ops::Range;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::id::ContentHash;
use crate::text::hashed::{Plain, Set};

use super::lines::{Lines, Word};
use super::subjects::Vocabulary;

/// The version of these rules; together with [`crate::text::normalize::VERSION`] it says which fingerprints compare.
pub const VERSION: u32 = 2;

/// Words in a shingle.
pub const SHINGLE: usize = 3;

/// Shingles in a window, of which the least is kept (winnowing; Schleimer, Wilkerson and Aiken 2003): any run of
/// `SHINGLE + WINDOW - 1` words that two texts share gives them a shingle in common.
pub const WINDOW: usize = 4;

/// Texts with fewer words are exact copies only together with their titles: "read more" under two headlines is not a copy.
const SHORT_WORDS: usize = 12;

/// Words in an opening, and how many lines have one.
const OPENING_WORDS: usize = 6;
const OPENING_LINES: usize = 2;

/// One-way: no word can be read back from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Of the normalized text; of title and text where the text is a few words. `None` where there are no words (no key
    /// is ever made of an empty field).
    pub content: Option<ContentHash>,
    /// Of the normalized title; `None` where it is empty.
    pub title: Option<u64>,
    /// Winnowed 3-word shingles, window 4, distinct, in the order of the text. Of the title where there is no text.
    pub shingles: Vec<u32>,
    /// Numbers and weekdays, each with the words around it. Sorted, distinct.
    pub numbers: Vec<NumberInContext>,
    /// How the title and each of the first lines begin. Sorted, distinct.
    pub openings: Vec<u32>,
    /// Which words occur, in any order.
    pub sketch: Sketch,
    /// What a short text is about; empty for a long one.
    pub vocabulary: Vocabulary,
    /// Words in the text.
    pub words: u32,
    /// Words in the title.
    pub title_words: u32,
}

impl Fingerprint {
    /// The fingerprint of a text under a title; either may be empty.
    pub fn of(title: &str, text: &str) -> Self {
        Self::of_lines(&Lines::of(title, text))
    }

    pub(super) fn of_lines(lines: &Lines) -> Self {
        let body = if lines.text.is_empty() { &lines.title } else { &lines.text };
        Self {
            content: content(lines),
            title: (!lines.title.is_empty()).then(|| xxh3_64(lines.joined_title.as_bytes())),
            shingles: winnow(body),
            numbers: numbers(lines),
            openings: openings(lines),
            sketch: Sketch::of(body),
            vocabulary: Vocabulary::of(lines),
            words: u32::try_from(lines.text.len()).unwrap_or(u32::MAX),
            title_words: u32::try_from(lines.title.len()).unwrap_or(u32::MAX),
        }
    }

    /// How many shingles both have.
    pub fn shared_with(&self, other: &Self) -> u32 {
        let theirs: Set<u32> = other.shingles.iter().copied().collect();
        u32::try_from(self.shingles.iter().filter(|shingle| theirs.contains(shingle)).count()).unwrap_or(u32::MAX)
    }

    /// Whether title and text have at least `least` words together.
    pub fn has_words(&self, least: u32) -> bool {
        self.words.saturating_add(self.title_words) >= least
    }
}

pub(super) fn word_hash(word: &str) -> u64 {
    xxh3_64(word.as_bytes())
}

fn content(lines: &Lines) -> Option<ContentHash> {
    let hash = |text: &str| Some(ContentHash(xxh3_128(text.as_bytes()).to_be_bytes()));
    match (lines.title.len(), lines.text.len()) {
        (0, 0) => None,
        (_, words) if words >= SHORT_WORDS => hash(&lines.joined),
        (0, _) => hash(&lines.joined),
        _ => hash(&format!("{} {}", lines.joined_title, lines.joined)),
    }
}

/// Spreads the bits of a combination of hashes (the finalizer of splitmix64).
pub(super) const fn mix(mut n: u64) -> u64 {
    n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

fn chain(words: &[Word]) -> u64 {
    words.iter().fold(0, |hash, word| mix(hash.rotate_left(23) ^ word.hash))
}

/// What is kept of three words in a row.
pub(super) fn shingle(words: &[Word]) -> u32 {
    high(chain(words))
}

/// The 32 bits that are kept of a hash.
const fn high(hash: u64) -> u32 {
    (hash >> 32) as u32
}

fn winnow(words: &[Word]) -> Vec<u32> {
    let shingles: Vec<u32> = if words.len() < SHINGLE {
        words.chunks(SHINGLE).map(|all| high(chain(all))).collect()
    } else {
        words.array_windows::<SHINGLE>().map(|three| high(chain(three))).collect()
    };
    let mut kept: Vec<u32> = Vec::with_capacity(words.len() / 2 + 1);
    if shingles.len() < WINDOW {
        kept.extend(shingles.into_iter().min());
    } else {
        let mut last = None;
        for window in shingles.array_windows::<WINDOW>() {
            let least = window.iter().min().copied();
            // Neighbours keep the same one more often than not.
            if least != last {
                kept.extend(least);
                last = least;
            }
        }
    }
    let mut seen = Set::with_capacity_and_hasher(kept.len(), Plain::default());
    kept.retain(|shingle| seen.insert(*shingle));
    kept
}

/// Numbers count as one another here: the same lead with another toll opens alike, and is an update.
fn openings(lines: &Lines) -> Vec<u32> {
    let opening = |words: &[Word]| {
        let blank = |word: &Word| Word { hash: if word.number.is_some() { 0 } else { word.hash }, ..*word };
        high(chain(&words.iter().map(blank).collect::<Vec<_>>()))
    };
    let mut found: Vec<u32> =
        lines.openings(OPENING_LINES).filter_map(|words| words.get(..OPENING_WORDS)).map(opening).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// A number or weekday and the words around it: two texts with the same context and another value report different days
/// or counts. The words before and after it, within the sentence, hashed to 22 bits, and the value to 10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NumberInContext(pub(super) u32);

impl NumberInContext {
    fn of(context: u64, value: u64) -> Self {
        Self(high(context) & !0x3ff | high(mix(value)) & 0x3ff)
    }

    /// Which words stand around it.
    pub const fn context(self) -> u32 {
        self.0 >> 10
    }

    /// Which number or day it is.
    pub const fn value(self) -> u32 {
        self.0 & 0x3ff
    }
}

/// Numbers kept of one text. A table of results has hundreds; its first rows tell it from another.
pub(super) const MAX_NUMBERS: usize = 48;

fn numbers(lines: &Lines) -> Vec<NumberInContext> {
    let of = |words: &[Word]| numbers_in(words).into_iter().map(|(_, number)| number).collect::<Vec<_>>();
    let mut found = of(&lines.title);
    found.extend(of(&lines.text));
    found.truncate(MAX_NUMBERS);
    found.sort_unstable();
    found.dedup();
    found
}

/// The first numbers and weekdays that have a word beside them, and where they stand. `خمسة وعشرين` and `15 و30` are one number
/// each: what stands beside is a word of the same sentence.
pub(super) fn numbers_in(words: &[Word]) -> Vec<(Range<usize>, NumberInContext)> {
    let mut found = Vec::new();
    let mut end = 0;
    for run in words.chunk_by(|a, b| a.number.is_some() && b.number.is_some() && a.sentence == b.sentence) {
        let start = end;
        end += run.len();
        let Some((first, value)) = run.first().and_then(|word| Some((word, word.number?))) else { continue };
        let more = run.iter().skip(1).filter_map(|word| word.number);
        let value = more.fold(value, |value, next| mix(value ^ next.rotate_left(11)));
        let beside =
            |other: Option<&Word>| other.filter(|other| other.sentence == first.sentence).map(|other| other.hash);
        let before = beside(start.checked_sub(1).and_then(|i| words.get(i)));
        let after = beside(words.get(end));
        if before.is_none() && after.is_none() {
            continue;
        }
        let context = mix(before.unwrap_or(1).rotate_left(7) ^ after.unwrap_or(2).rotate_left(29));
        found.push((start..end, NumberInContext::of(context, value)));
        if found.len() == MAX_NUMBERS {
            break;
        }
    }
    found
}

/// Which words a text has, whatever their order: one-permutation min-hashing of the distinct words into 64 bins of a
/// byte each. The share of bins that agree estimates the Jaccard similarity of the two sets of words, give or take .06.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sketch([u64; 8]);

impl Sketch {
    fn of(words: &[Word]) -> Self {
        let mut least = [u64::MAX; 64];
        for word in words {
            let hash = mix(word.hash);
            if let Some(bin) = least.get_mut((hash & 63) as usize) {
                *bin = (*bin).min(hash >> 6);
            }
        }
        let mut bytes = [0u8; 64];
        for (byte, hash) in bytes.iter_mut().zip(least) {
            // 0 stands for a bin without words.
            *byte = if hash == u64::MAX { 0 } else { u8::try_from(mix(hash) % 255 + 1).unwrap_or(u8::MAX) };
        }
        let mut packed = [0; 8];
        for (number, bytes) in packed.iter_mut().zip(bytes.chunks_exact(8)) {
            *number = bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        }
        Self(packed)
    }

    /// About how much the two sets of words have in common: shared / all, 0 to 1. 0 where neither has words.
    pub fn similarity(&self, other: &Self) -> f32 {
        let bytes = |sketch: &Self| sketch.0.map(u64::to_be_bytes).into_iter().flatten();
        let (mut same, mut used) = (0u8, 0u8);
        for (a, b) in bytes(self).zip(bytes(other)) {
            used += u8::from(a != 0 || b != 0);
            same += u8::from(a != 0 && a == b);
        }
        if used == 0 { 0.0 } else { f32::from(same) / f32::from(used) }
    }
}
