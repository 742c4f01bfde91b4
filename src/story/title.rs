//! The titles of a story's items to the one that stands for it.
//!
//! In: titles, in any order. Out: the title that says most of what the others say.
//! Promise: pure; the same titles in another order give the same one.
//! Why not the first: a first report is often an alert of five words, and a headline that asks or teases says nothing.

use std::collections::BTreeMap;

use super::sketch::term;
use crate::text::tokenize::Words;

/// Words that a headline begins with which wants to be opened rather than to tell: "watch", "learn", "this is".
const TEASERS: [&str; 16] = [
    "شاهد",
    "شاهدوا",
    "بالفيديو",
    "فيديو",
    "بالصور",
    "صور",
    "تعرف",
    "اعرف",
    "ماذا",
    "لماذا",
    "كيف",
    "هل",
    "هذا",
    "هذه",
    "مفاجاه",
    "صادم",
];

/// The place, among `titles`, of the one that stands for all. None where all are empty.
pub fn headline<S: AsRef<str>>(titles: &[S]) -> Option<usize> {
    let titles: Vec<&str> = titles.iter().map(AsRef::as_ref).collect();
    let terms: Vec<Vec<u32>> = titles.iter().map(|title| terms_of(&Words::of(title))).collect();
    let mut having = BTreeMap::<u32, u32>::new();
    for term in terms.iter().flatten() {
        *having.entry(*term).or_default() += 1;
    }
    let worth = |at: usize| -> (u64, usize) {
        let words = Words::of(titles[at]);
        let found = &terms[at];
        // What the others have too, for each term that the reader has to read.
        let shared: u64 = found.iter().map(|term| u64::from(having.get(term).copied().unwrap_or(1) - 1)).sum();
        let length = u64::try_from(found.len()).unwrap_or(u64::MAX);
        let teases = titles[at].trim_end().ends_with(['?', '؟', '!', '…']) || TEASERS.contains(&words.get(0));
        let mut worth = (1_000 + 1_000 * shared) / length.max(5);
        if teases {
            worth /= 2;
        }
        if length < 4 {
            worth /= 2;
        }
        (worth, found.len())
    };
    let all = (0..titles.len()).filter(|at| !titles[*at].trim().is_empty());
    all.min_by_key(|at| {
        let (worth, length) = worth(*at);
        (std::cmp::Reverse(worth), std::cmp::Reverse(length), titles[*at])
    })
}

fn terms_of(words: &Words) -> Vec<u32> {
    let mut terms: Vec<u32> = words.iter().filter_map(term).collect();
    terms.sort_unstable();
    terms.dedup();
    terms
}
