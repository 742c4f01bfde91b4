//! Words to light stems, and the words that say nothing.
//!
//! In: normalized words. Out: what is left of a word without an article or conjunction and without one ending.
//! Promise: pure; at least three letters are left of what had more; nothing is put in the place of what is taken off.
//! Where not: names are matched without a stemmer ([`crate::topic`]), for it joins what must stay apart. In bags of words
//! that are ranked or weighed one merger too many does no harm, and the vocabulary is half as large.

use std::sync::LazyLock;

use xxhash_rust::xxh3::xxh3_64;

/// What may stand before a stem, by its first letter; the longest first.
const fn prefixes(first: char) -> &'static [&'static str] {
    match first {
        'و' => &["وبال", "وال", "ولل", "و"],
        'ب' => &["بال"],
        'ك' => &["كال"],
        'ف' => &["فال"],
        'ل' => &["لل"],
        'ا' => &["ال"],
        _ => &[],
    }
}

/// What may stand after a stem, by its last letter; the longest first.
const fn suffixes(last: char) -> &'static [&'static str] {
    match last {
        'ا' => &["ها", "ا"],
        'ن' => &["ان", "ون", "ين"],
        'ت' => &["ات"],
        'ه' => &["يه", "ه"],
        'ي' => &["ي"],
        _ => &[],
    }
}

/// The word without one article or conjunction and without one ending, as long as three letters are left.
pub fn stem(word: &str) -> &str {
    let first = word.chars().next().map_or(&[][..], prefixes);
    let bare = strip(word, first.iter().filter_map(|prefix| word.strip_prefix(prefix)));
    let last = bare.chars().next_back().map_or(&[][..], suffixes);
    strip(bare, last.iter().filter_map(|suffix| bare.strip_suffix(suffix)))
}

/// The first of `rests` with three letters, or else the word.
fn strip<'a>(word: &'a str, mut rests: impl Iterator<Item = &'a str>) -> &'a str {
    rests.find(|rest| rest.chars().nth(2).is_some()).unwrap_or(word)
}

/// The stem of a word that says something; `None` for function words, numbers and single letters.
pub fn content(word: &str) -> Option<&str> {
    hashed(word).map(|(stem, _)| stem)
}

/// Whether a normalized word is one of those that hold others together and say nothing by themselves.
pub fn is_function(word: &str) -> bool {
    let functions = &*FUNCTIONS;
    functions.hold(word, || xxh3_64(word.as_bytes()))
}

/// The term of a normalized word: a hash of its stem. `None` as for [`content`].
pub fn term(word: &str) -> Option<u32> {
    #[expect(clippy::cast_possible_truncation, reason = "32 bits of a hash are kept")]
    hashed(word).map(|(_, hash)| hash as u32)
}

/// The stem of a word that says something, and its hash.
fn hashed(word: &str) -> Option<(&str, u64)> {
    let stem = stem(word);
    stem.chars().nth(1)?;
    if word.as_bytes().first().is_some_and(u8::is_ascii_digit) && word.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let functions = &*FUNCTIONS;
    if stem.len() < word.len() && functions.hold(word, || xxh3_64(word.as_bytes())) {
        return None;
    }
    let hash = xxh3_64(stem.as_bytes());
    (!functions.hold(stem, || hash)).then_some((stem, hash))
}

/// The function words by their hashes: asked twice for nearly every word that is read.
struct Functions {
    /// Open, a quarter full, by the lowest bits.
    slots: [Option<&'static str>; SLOTS],
    /// Bytes of the longest.
    longest: usize,
}

const SLOTS: usize = 512;

impl Functions {
    fn hold(&self, word: &str, hash: impl FnOnce() -> u64) -> bool {
        if word.len() > self.longest {
            return false;
        }
        let mut slot = Self::slot(hash());
        while let Some(known) = self.slots[slot] {
            if known == word {
                return true;
            }
            slot = (slot + 1) % SLOTS;
        }
        false
    }

    const fn slot(hash: u64) -> usize {
        hash as usize % SLOTS
    }
}

static FUNCTIONS: LazyLock<Functions> = LazyLock::new(|| {
    let mut functions = Functions { slots: [None; SLOTS], longest: 0 };
    for word in FUNCTION_WORDS {
        let mut slot = Functions::slot(xxh3_64(word.as_bytes()));
        while functions.slots[slot].is_some() {
            slot = (slot + 1) % SLOTS;
        }
        functions.slots[slot] = Some(word);
        functions.longest = functions.longest.max(word.len());
    }
    functions
});

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_beginning_and_one_ending_go_while_three_letters_are_left() {
        for (word, expected) in [
            ("والمزارعون", "مزارع"),
            ("وبالسدود", "سدود"),
            ("للمياه", "ميا"),
            ("المدرسه", "مدرس"),
            ("عربيه", "عرب"),
            ("والد", "الد"),
            ("ولد", "ولد"),
            ("وال", "وال"),
            ("الدها", "دها"),
            ("كتابها", "كتاب"),
            ("بنات", "بنات"),
            ("سد", "سد"),
            ("csto", "csto"),
            ("", ""),
        ] {
            assert_eq!(stem(word), expected, "{word}");
        }
    }

    #[test]
    fn what_says_nothing_has_no_term() {
        for word in FUNCTION_WORDS.into_iter().chain(["2022", "و", "x", ""]) {
            assert_eq!(content(word), None, "{word}");
        }
        assert_eq!((content("f16"), content("20x")), (Some("f16"), Some("20x")));
        assert_eq!(term("المزارعون"), term("مزارع"));
        assert_eq!(term("في"), None);
    }
}
