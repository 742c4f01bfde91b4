//! Words to the terms that a corpus is weighed by.
//!
//! In: normalized words. Out: hashes of light stems, and their weights in a set of texts.
//! Promise: the same texts give the same weights to the last bit on every machine, for packs are compared byte by byte
//! (square roots are exact by IEEE 754, logarithms are not).
//! Why a stemmer here and nowhere else in this part: weights rank bags of words, where one too many merged words is
//! harmless; names are matched without one ([`crate::topic`]).

use std::collections::BTreeMap;

use crate::text::stem::content;
use crate::text::tokenize::Words;

/// Terms kept of one corpus: the strongest.
pub const MAX_TERMS: usize = 512;

pub use crate::text::stem::term;

/// A normalized word as a name is compared: the stem without the letters that are joined to the beginning of a word
/// (`لكينيا`, `وبكينيا`), whether they belong to it or not, as long as three letters are left. `None` as for [`term`].
pub(super) fn name(word: &str) -> Option<&str> {
    let mut name = content(word)?;
    while let Some(rest) = name.strip_prefix(PROCLITICS).filter(|rest| rest.chars().nth(2).is_some()) {
        name = rest;
    }
    Some(name)
}

/// The mean over the texts of each text's damped and length-normalized term counts: the centroid that a classifier from
/// examples starts from, before it weighs terms by how rare they are in the stream. Sorted by term.
pub fn weights(texts: &[(&str, &str)]) -> Vec<(u32, f32)> {
    let mut sums = BTreeMap::<u32, f64>::new();
    for (title, text) in texts {
        let mut counts = BTreeMap::<u32, u32>::new();
        for words in [Words::of(title), Words::of(text)] {
            for term in words.iter().filter_map(term) {
                *counts.entry(term).or_default() += 1;
            }
        }
        let total: u32 = counts.values().sum();
        for (term, count) in counts {
            *sums.entry(term).or_default() += (f64::from(count) / f64::from(total)).sqrt();
        }
    }
    let documents = f64::from(u32::try_from(texts.len().max(1)).unwrap_or(u32::MAX));
    #[expect(clippy::cast_possible_truncation, reason = "weights are between 0 and 1")]
    let mut weights: Vec<(u32, f32)> = sums.into_iter().map(|(term, sum)| (term, (sum / documents) as f32)).collect();
    weights.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    weights.truncate(MAX_TERMS);
    weights.sort_by_key(|(term, _)| *term);
    weights
}

const PROCLITICS: [char; 5] = ['و', 'ف', 'ب', 'ك', 'ل'];
