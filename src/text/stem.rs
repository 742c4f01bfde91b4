//! Words to light stems, and the words that say nothing.
//!
//! In: normalized words. Out: what is left of a word without an article or conjunction and without one ending.
//! Promise: pure; at least three letters are left of what had more; nothing is put in the place of what is taken off.
//! Where not: names are matched without a stemmer ([`crate::topic`]), for it joins what must stay apart. In bags of words
//! that are ranked or weighed one merger too many does no harm, and the vocabulary is half as large.

use std::collections::HashSet;
use std::sync::LazyLock;

use xxhash_rust::xxh3::xxh3_64;

const PREFIXES: [&str; 9] = ["وبال", "وال", "بال", "كال", "فال", "ولل", "لل", "ال", "و"];
const SUFFIXES: [&str; 9] = ["ها", "ان", "ات", "ون", "ين", "يه", "ه", "ي", "ا"];

/// The word without one article or conjunction and without one ending, as long as three letters are left.
pub fn stem(word: &str) -> &str {
    let long_enough = |rest: &&str| rest.chars().nth(2).is_some();
    let bare = PREFIXES.iter().find_map(|p| word.strip_prefix(p).filter(long_enough)).unwrap_or(word);
    SUFFIXES.iter().find_map(|s| bare.strip_suffix(s).filter(long_enough)).unwrap_or(bare)
}

/// The stem of a word that says something; `None` for function words, numbers and single letters.
pub fn content(word: &str) -> Option<&str> {
    let stem = stem(word);
    let counts = stem.chars().nth(1).is_some()
        && !word.bytes().all(|b| b.is_ascii_digit())
        && !FUNCTION_SET.contains(word)
        && !FUNCTION_SET.contains(stem);
    counts.then_some(stem)
}

/// The term of a normalized word: a hash of its stem. `None` as for [`content`].
pub fn term(word: &str) -> Option<u32> {
    #[expect(clippy::cast_possible_truncation, reason = "32 bits of a hash are kept")]
    content(word).map(|stem| xxh3_64(stem.as_bytes()) as u32)
}

static FUNCTION_SET: LazyLock<HashSet<&'static str>> = LazyLock::new(|| FUNCTION_WORDS.into_iter().collect());

const FUNCTION_WORDS: [&str; 76] = [
    "في",
    "من",
    "علي",
    "الي",
    "عن",
    "ان",
    "او",
    "ثم",
    "قد",
    "لا",
    "ما",
    "لم",
    "لن",
    "كل",
    "بعد",
    "قبل",
    "مع",
    "هذا",
    "هذه",
    "ذلك",
    "تلك",
    "التي",
    "الذي",
    "الذين",
    "اللتي",
    "كان",
    "كانت",
    "يكون",
    "تكون",
    "هو",
    "هي",
    "هم",
    "كما",
    "لكن",
    "حتي",
    "اذا",
    "عند",
    "عندما",
    "منذ",
    "بين",
    "بينما",
    "حيث",
    "غير",
    "بل",
    "ايضا",
    "اي",
    "اما",
    "انه",
    "انها",
    "فيه",
    "فيها",
    "منه",
    "منها",
    "عليه",
    "عليها",
    "به",
    "بها",
    "له",
    "لها",
    "لهم",
    "نحو",
    "خلال",
    "حول",
    "ضد",
    "دون",
    "امام",
    "فقط",
    "عبر",
    "وقد",
    "وفي",
    "ومن",
    "ولا",
    "وهو",
    "وهي",
    "the",
    "of",
];
