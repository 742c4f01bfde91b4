//! All terms of all topics, looked up at once.
//!
//! In: the terms, then one word of a text at a time. Out: the numbers of the terms that the word is a form of.
//! Promise: the work grows with the word, not with the number of terms.
//! Not here: what a form is ([`super::term`]).
//!
//! A form is found by its letters, which a word has after one of its possible proclitics and before one of its possible
//! endings. Nearly all words have those of no form. A filter says so after each proclitic from the next twelve bytes alone,
//! whatever the ending: six letters in one block, for every length that forms have, without a branch to guess wrong. Only
//! in the few words that pass are endings looked at.

use std::collections::HashMap;

use xxhash_rust::xxh3::xxh3_64;

use super::term::{Before, LONGEST_ENDING, Proclitic, Rest, Term, may_follow, proclitics};
use crate::text::hashed::Plain;

/// The forms by their letters, and the terms that allow an edit.
#[derive(Debug, Default)]
pub(super) struct Lexicon {
    /// Of these every possible ending is tried.
    forms: Forms,
    /// Of these every end.
    prefixes: Forms,
    filter: Filter,
    fuzzy: Vec<FuzzyTerm>,
    /// The first and the last three letters of each fuzzy term: one edit leaves one of the two as it was.
    fuzzy_by_letters: HashMap<[char; 3], Vec<u32>>,
}

/// Forms by their letters.
#[derive(Debug, Default)]
struct Forms {
    /// By the hash of their letters: the first of the groups of forms that have it.
    groups_by_hash: HashMap<u64, u32, Plain>,
    groups: Vec<Group>,
    ends: Vec<End>,
}

/// The forms of the same letters.
#[derive(Debug)]
struct Group {
    letters: Box<str>,
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

/// Whether some letters may begin with those of a form. Of a form it knows the first [`known`] bytes.
///
/// A form sets three bits of one of the filter's words, and at most a fifth of all bits is set: of letters of no form about
/// one in a hundred passes. A single bit for each form in a filter of twice the size would let three pass.
#[derive(Debug, Default)]
struct Filter {
    words: Vec<u64>,
    /// Takes a hash to its word.
    shift: u32,
    /// For each number of bytes that is known of forms: the bits of a block that hold so many.
    lengths: Vec<u128>,
}

/// Six Arabic letters. Few words of a language share them with a name that they are no form of.
const BLOCK: usize = 12;

/// How many bytes of a form of `length` bytes the filter knows. Each number more is one more look at each word.
const fn known(length: usize) -> usize {
    match length {
        BLOCK.. => BLOCK,
        8.. => 8,
        _ => length,
    }
}

const BITS_EACH: usize = 16;

impl Filter {
    fn of<'a>(forms: impl Iterator<Item = &'a str> + Clone) -> Self {
        let mut lengths: Vec<usize> = forms.clone().map(|form| known(form.len())).collect();
        let size = (lengths.len() * BITS_EACH / 64).next_power_of_two().max(2);
        lengths.sort_unstable();
        lengths.dedup();
        let lengths = lengths.into_iter().map(|length| (1 << (8 * length)) - 1).collect();
        let mut filter = Self { words: vec![0; size], shift: 64 - size.trailing_zeros(), lengths };
        for form in forms {
            let own = (1 << (8 * known(form.len()))) - 1;
            let hash = mix(block(form.as_bytes()) & own);
            filter.words[(hash >> filter.shift) as usize] |= bits(hash);
        }
        filter
    }

    /// Whether the letters that `block` begins with may be those of a form.
    #[inline]
    fn may_begin(&self, block: u128) -> bool {
        let has = |length: &u128| {
            let hash = mix(block & length);
            let word = self.words.get((hash >> self.shift) as usize).copied().unwrap_or_default();
            word & bits(hash) == bits(hash)
        };
        // All of them are asked: a branch on each answer costs more than the answer.
        self.lengths.iter().fold(false, |any, length| any | has(length))
    }
}

/// The beginning of `text` as one number; what is missing is 0.
#[inline]
fn block(text: &[u8]) -> u128 {
    text.first_chunk().map_or_else(|| short_block(text), |bytes| u128::from_le_bytes(*bytes))
}

#[cold]
fn short_block(text: &[u8]) -> u128 {
    text.iter().rev().fold(0, |block, byte| block << 8 | u128::from(*byte))
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the halves of a block")]
const fn mix(block: u128) -> u64 {
    let hash =
        (block as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ ((block >> 64) as u64).wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
    // Multiplication mixes upwards: what is high comes down once.
    (hash ^ hash >> 32).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// Three bits of a word, from where the number of the word is not from.
#[inline]
const fn bits(hash: u64) -> u64 {
    1 << (hash & 63) | 1 << (hash >> 6 & 63) | 1 << (hash >> 12 & 63)
}

#[derive(Debug)]
struct FuzzyTerm {
    term: u32,
    letters: Vec<char>,
    before: Before,
}

impl Forms {
    fn of(by_letters: HashMap<String, Vec<End>>) -> Self {
        let mut forms = Self::default();
        for (letters, ends) in by_letters {
            let from = number(forms.ends.len());
            forms.ends.extend(ends);
            let next = forms.groups_by_hash.insert(xxh3_64(letters.as_bytes()), number(forms.groups.len()));
            forms.groups.push(Group { letters: letters.into(), ends: from..number(forms.ends.len()), next });
        }
        forms
    }

    fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// What belongs to the forms that have exactly these letters.
    #[inline]
    fn ends(&self, letters: &str) -> impl Iterator<Item = &End> {
        let first = self.groups_by_hash.get(&xxh3_64(letters.as_bytes()));
        let mut next = first.and_then(|at| self.groups.get(*at as usize));
        let groups = std::iter::from_fn(move || {
            let group = next?;
            next = group.next.and_then(|at| self.groups.get(at as usize));
            Some(group)
        });
        let same = groups.filter(move |group| *group.letters == *letters);
        same.flat_map(|group| self.ends.get(group.ends.start as usize..group.ends.end as usize).unwrap_or_default())
    }
}

impl Lexicon {
    /// A lexicon of `terms`, which are then known by their positions.
    pub(super) fn of(terms: &[Term]) -> Self {
        let (mut forms, mut prefixes) = (HashMap::<String, Vec<End>>::new(), HashMap::<String, Vec<End>>::new());
        let mut lexicon = Self::default();
        for (term, form) in terms.iter().enumerate().flat_map(|(i, term)| term.forms().into_iter().map(move |f| (i, f)))
        {
            let term = number(term);
            let end = End { term, rest: form.rest, before: form.before };
            match form.rest {
                Rest::Fuzzy => lexicon.add_fuzzy(FuzzyTerm { term, letters: form.key, before: form.before }),
                Rest::Anything => prefixes.entry(form.key.into_iter().collect()).or_default().push(end),
                _ => forms.entry(form.key.into_iter().collect()).or_default().push(end),
            }
        }
        lexicon.filter = Filter::of(forms.keys().chain(prefixes.keys()).map(String::as_str));
        Self { forms: Forms::of(forms), prefixes: Forms::of(prefixes), ..lexicon }
    }

    fn add_fuzzy(&mut self, term: FuzzyTerm) {
        let at = number(self.fuzzy.len());
        for letters in [term.letters.first_chunk(), term.letters.last_chunk()].into_iter().flatten() {
            self.fuzzy_by_letters.entry(*letters).or_default().push(at);
        }
        self.fuzzy.push(term);
    }

    /// Appends to `found` the terms that the word of the first `length` bytes of `text` is a form of; some may come twice.
    /// `text` may go on with anything. `letters` is room to work in.
    pub(super) fn find(&self, text: &str, length: usize, letters: &mut Vec<char>, found: &mut Vec<u32>) {
        let word = text.get(..length).unwrap_or_default();
        proclitics(word, |proclitic| {
            // What follows the word is in the block too; that lets a word pass that need not, never the reverse.
            let block = block(text.as_bytes().get(proclitic.len..).unwrap_or_default());
            if self.filter.may_begin(block) {
                self.find_after(proclitic, word, found);
            }
        });
        if !self.fuzzy.is_empty() {
            letters.clear();
            letters.extend(word.chars());
            self.find_fuzzy(word, letters, found);
        }
    }

    #[inline(never)]
    fn find_after(&self, proclitic: Proclitic, word: &str, found: &mut Vec<u32>) {
        let stem = word.get(proclitic.len..).unwrap_or_default();
        for (end, rest) in Endings::of(stem).iter() {
            let letters = stem.get(..end).unwrap_or_default();
            let admit = |form: &&End| form.before.admits(proclitic) && form.rest.admits(stem, rest);
            found.extend(self.forms.ends(letters).filter(admit).map(|form| form.term));
        }
        if !self.prefixes.is_empty() {
            for letters in stem.char_indices().filter_map(|(at, c)| stem.get(..at + c.len_utf8())) {
                let admit = |form: &&End| form.before.admits(proclitic);
                found.extend(self.prefixes.ends(letters).filter(admit).map(|form| form.term));
            }
        }
    }

    fn find_fuzzy(&self, word: &str, letters: &[char], found: &mut Vec<u32>) {
        proclitics(word, |proclitic| {
            let stem = letters.get(proclitic.len / 2..).unwrap_or_default();
            for letters in [stem.first_chunk::<3>(), stem.last_chunk::<3>()].into_iter().flatten() {
                for fuzzy in self.fuzzy_by_letters.get(letters).into_iter().flatten() {
                    let fuzzy = &self.fuzzy[*fuzzy as usize];
                    if fuzzy.before.admits(proclitic) && within_one_edit(&fuzzy.letters, stem) {
                        found.push(fuzzy.term);
                    }
                }
            }
        });
    }
}

/// The endings that a word may have.
struct Endings {
    /// The byte where the word ends.
    end: usize,
    /// Its last letters.
    last: [char; LONGEST_ENDING],
    /// Bit `n` for an ending of `n` letters. The empty one is always there.
    lengths: u8,
}

impl Endings {
    fn of(word: &str) -> Self {
        let mut endings = Self { end: word.len(), last: ['\0'; LONGEST_ENDING], lengths: 1 };
        for (length, letter) in (1..=LONGEST_ENDING).zip(word.chars().rev()) {
            endings.last[LONGEST_ENDING - length] = letter;
            endings.lengths |= u8::from(may_follow(endings.rest(length))) << length;
        }
        endings
    }

    fn rest(&self, length: usize) -> &[char] {
        self.last.get(LONGEST_ENDING - length..).unwrap_or_default()
    }

    /// The byte where each ending begins, and its letters, of which each has two bytes.
    fn iter(&self) -> impl Iterator<Item = (usize, &[char])> {
        let lengths = (0..=LONGEST_ENDING).filter(|length| self.lengths >> length & 1 == 1);
        lengths.map(|length| (self.end - 2 * length, self.rest(length)))
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
    use proptest::prelude::*;

    use super::super::term::Class;
    use super::*;

    /// Each term by itself: every form at every place that a proclitic leaves.
    fn one_by_one(terms: &[Term], word: &str) -> Vec<u32> {
        let mut found = Vec::new();
        for (i, form) in (0..).zip(terms).flat_map(|(i, term)| term.forms().into_iter().map(move |form| (i, form))) {
            proclitics(word, |proclitic| {
                let stem: Vec<char> = word.chars().skip(proclitic.len / 2).collect();
                let fits = match (form.rest, stem.strip_prefix(form.key.as_slice())) {
                    (Rest::Fuzzy, _) => within_one_edit(&form.key, &stem),
                    (rest, Some(after)) => rest.admits(&stem.iter().collect::<String>(), after),
                    (_, None) => false,
                };
                if fits && form.before.admits(proclitic) {
                    found.push(i);
                }
            });
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn terms() -> impl Strategy<Value = Vec<Term>> {
        let classes =
            vec![Class::Noun, Class::Place, Class::Name, Class::Exact, Class::Prefix, Class::Fuzzy, Class::Foreign];
        let word = "[البوف]{0,1}[البكتهينواء]{2,6}[ةهاي]?|csto|nato|طالب|برلم|f16";
        let term = (word, prop::sample::select(classes), any::<bool>());
        let term = term.prop_filter_map("not a term", |(word, class, in_phrase)| {
            Term::new(&word, &crate::text::normalize::normalize(&word), class, in_phrase).ok()
        });
        prop::collection::vec(term, 1..6)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn all_at_once_finds_what_each_finds(terms in terms(), before in "(و|ف)?(ب|ك|ل|لل|ال|بال)?", after in "(ات|ي|ه|ه?ا|ن)?(ه|هم|ها|هما|ين|ان|ون|يه)?", other in "[البكتهينوa5é]{0,8}") {
            let lexicon = Lexicon::of(&terms);
            let words: Vec<String> = terms.iter().flat_map(|term| {
                let stem = term.stem();
                let cut: String = stem.chars().skip(1).collect();
                let short: String = stem.chars().take(stem.chars().count() - 1).collect();
                [format!("{before}{stem}{after}"), format!("{before}{cut}{after}"), format!("{before}{short}ت{after}"), format!("{before}{short}{after}")]
            }).chain([other]).collect();
            for word in words {
                let mut found = Vec::new();
                lexicon.find(&word, word.len(), &mut Vec::new(), &mut found);
                let mut going_on = Vec::new();
                lexicon.find(&format!("{word}كازاخستان"), word.len(), &mut Vec::new(), &mut going_on);
                prop_assert_eq!(&going_on, &found);
                found.sort_unstable();
                found.dedup();
                prop_assert_eq!(found, one_by_one(&terms, &word), "{} in {:?}", word, terms);
            }
        }
    }

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
