//! Words to the forms that a search finds them by.
//!
//! In: words of a text, or of what somebody looks for. Out: for a word of a text every stem that it may be read as; for a
//! word that is looked for the stems that find it, the likeliest first, each with how sure it is.
//! Promise: a word finds itself, however it is spelled and whatever clitics stand before it: what [`of_word`] gives of a
//! word and what [`of_asked`] gives of it always have a stem in common. Pure; nothing is put in the place of what is taken off,
//! but for the words of the table in [`super::kin`].
//! Not here: names in topics, where one merger too many is wrong ([`crate::topic`]); weights ([`crate::search`]).
//!
//! A text's بكازاخستان may be ب + كازاخستان or a word of its own, and nothing in the word tells which. So it is kept under
//! both readings, and whoever looks for كازاخستان or for بكازاخستان finds it. Whoever asks writes the bare word mostly; so of
//! what is asked the readings that would take off a letter are only second best.

use std::ops::Range;

use super::kin;
use super::stem::is_function;
use super::tokenize::Words;

/// The version of the readings; an index of another version is made anew.
pub const VERSION: u32 = 2;

/// A word as found in a text.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Which word of the text, from 0.
    pub at: usize,
    /// Normalized.
    pub word: &'a str,
    /// Whether the alef of what looks like an article has its hamza: then it is none (ألمانيا, بإلغاء).
    pub hamza: bool,
}

/// Every word of a text in its order, and where each stands.
pub fn words(text: &str, mut each: impl FnMut(Seen<'_>, Range<usize>)) {
    let words = Words::of(text);
    let any = text.contains(is_seated_alef);
    let mut chars = text.chars();
    let mut passed = 0;
    for (at, word) in words.iter().enumerate() {
        let place = words.original(at..at + 1);
        let mut hamza = false;
        if any && article(word).is_some() {
            let skip = place.start.saturating_sub(passed);
            if skip > 0 {
                chars.nth(skip - 1);
            }
            passed = place.start.max(passed);
            let original = chars.clone().take(place.end.saturating_sub(place.start));
            hamza = is_no_article(word, original);
        }
        each(Seen { at, word, hamza }, place);
    }
}

/// Whether what looks like an article in `word` is none, by its `original` letters.
fn is_no_article(word: &str, original: impl Iterator<Item = char>) -> bool {
    let Some(before) = article(word) else { return false };
    // Vowel marks count as letters to the standard library, and as nothing to the normalizer.
    let mark = |c: char| matches!(c, '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}' | 'ـ');
    let mut letters = original.filter(|c| c.is_alphanumeric() && !mark(*c));
    letters.nth(before).is_some_and(is_seated_alef)
}

/// Alef with a hamza or a madda.
const fn is_seated_alef(c: char) -> bool {
    matches!(c, 'أ' | 'إ' | 'آ' | '\u{fe81}'..='\u{fe84}' | '\u{fe87}' | '\u{fe88}')
}

/// How many letters stand before what looks like the article.
fn article(word: &str) -> Option<usize> {
    if !word.starts_with('ا') && !may_have_clitic(word) {
        return None;
    }
    CLITICS.iter().find_map(|clitic| {
        let rest = after(after(word, clitic.letters)?, "ال")?;
        rest.chars().nth(1).map(|_| clitic.letters.chars().count())
    })
}

/// What may stand before a word, its article left out. The longest first.
struct Clitic {
    letters: &'static str,
    /// The fewest letters that must be left without an article.
    left: usize,
}

const CLITICS: [Clitic; 12] = [
    Clitic { letters: "وب", left: 4 },
    Clitic { letters: "ول", left: 4 },
    Clitic { letters: "وك", left: 5 },
    Clitic { letters: "فب", left: 4 },
    Clitic { letters: "فل", left: 4 },
    Clitic { letters: "فك", left: 5 },
    Clitic { letters: "و", left: 3 },
    Clitic { letters: "ب", left: 3 },
    Clitic { letters: "ل", left: 3 },
    Clitic { letters: "ف", left: 4 },
    Clitic { letters: "ك", left: 4 },
    Clitic { letters: "", left: 0 },
];

/// What stands after `letters`, if the word begins with them. They are so few that the standard library's call to compare
/// memory takes longer than comparing, and every word of a text is asked many times.
fn after<'a>(word: &'a str, letters: &str) -> Option<&'a str> {
    let begins = word.len() >= letters.len() && word.bytes().zip(letters.bytes()).all(|(a, b)| a == b);
    word.get(letters.len()..).filter(|_| begins)
}

/// What stands before `letters`, if the word ends with them: see [`after`].
fn before<'a>(word: &'a str, letters: &str) -> Option<&'a str> {
    let rest = word.len().checked_sub(letters.len())?;
    let ends = word.bytes().rev().zip(letters.bytes().rev()).all(|(a, b)| a == b);
    word.get(..rest).filter(|_| ends)
}

/// Whether the first letter is one of those that [`CLITICS`] begin with: most words' is not.
fn may_have_clitic(word: &str) -> bool {
    word.starts_with(['و', 'ف', 'ب', 'ل', 'ك'])
}

/// How sure a reading is.
const WHOLE: f32 = 1.0;
const WITHOUT_ARTICLE: f32 = 0.95;
const WITHOUT_CONJUNCTION: f32 = 0.7;
const WITHOUT_PREPOSITION: f32 = 0.5;
/// For a spelling with the hamza of what was asked without, and the other way round.
const OTHER_SPELLING: f32 = 0.8;
const KIN: f32 = 0.8;
/// Letters more than in a text that have to be left of a word that is asked for: it is mostly bare.
const ASKED: usize = 1;

/// The bare words that `word` may be read as, each with how sure that is; `more` letters more than needed are left.
fn bare<'a>(word: &'a str, hamza: bool, more: usize, see: &mut dyn FnMut(&'a str, f32)) {
    if !word.starts_with(is_arabic) {
        return see(word, WHOLE);
    }
    if let Some(latin) = word.find(|c: char| c.is_ascii_alphanumeric()).and_then(|at| word.get(at..)) {
        see(latin, WITHOUT_ARTICLE);
        return see(word, WHOLE);
    }
    let mut whole = true;
    // Without any there is only the last of them, the empty one.
    let begins = may_have_clitic(word);
    let own = begins && kin::begins_so(word);
    for clitic in CLITICS.iter().filter(|clitic| begins || clitic.letters.is_empty()) {
        let Some(rest) = after(word, clitic.letters) else { continue };
        let with_article = if hamza { None } else { after(rest, "ال") };
        let lam = clitic.letters.ends_with('ل').then(|| rest.strip_prefix('ل')).flatten();
        // السد is ال + سد, but الله is not ال + له.
        let stands = |bare: &&str| letters(bare) >= 3 || letters(bare) == 2 && !is_function(bare);
        if let Some(bare) = with_article.or(lam).filter(stands) {
            // What is left of بالون and والدين is too short to be sure of.
            whole &= letters(bare) <= 4 && (!clitic.letters.is_empty() || letters(bare) == 2);
            see(bare, if clitic.letters.is_empty() { WHOLE } else { WITHOUT_ARTICLE });
            if lam.is_some() {
                // ل + ال + لاعبين is written with two lams.
                see(rest, WITHOUT_ARTICLE);
            }
            if let Some(bare) = after(bare, "ال").filter(|bare| letters(bare) >= 3) {
                see(bare, OTHER_SPELLING);
            }
        } else if !clitic.letters.is_empty() && !own && letters(rest) >= clitic.left + more {
            let conjunction = matches!(clitic.letters, "و");
            see(rest, if conjunction { WITHOUT_CONJUNCTION } else { WITHOUT_PREPOSITION });
        }
    }
    if whole {
        see(word, WHOLE);
    }
}

/// The letters of a word, as far as 64 bits tell them apart: a stem with one that a word has not is none of its stems. To ask
/// this first is much quicker than to take all stems of a word.
pub fn letters_of(word: &str) -> u64 {
    word.chars().fold(0, |letters, c| letters | 1 << (u32::from(c) % 64))
}

/// Calls `each` with every stem that a word of a text may be read as, each once; they are parts of the word.
pub fn of_word(seen: Seen<'_>, mut each: impl FnMut(&str)) {
    let mut stems: [&str; 16] = [""; 16];
    let mut count = 0;
    bare(seen.word, seen.hamza, 0, &mut |bare, _| {
        for stem in [stem(bare), loose(bare)] {
            if count < stems.len() && !stems[..count].contains(&stem) && !stem.is_empty() {
                stems[count] = stem;
                count += 1;
            }
        }
    });
    stems[..count].iter().for_each(|stem| each(stem));
}

/// A stem that finds what is asked for, and how sure it is, up to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// As [`of_word`] gives it of a word that has it.
    pub stem: String,
    /// 1 for the likeliest reading.
    pub sure: f32,
}

/// The stems that find a word which is asked for; the likeliest first. `original` is how it was written.
pub fn of_asked(word: &str, original: &str) -> Vec<Asked> {
    let hamza = is_no_article(word, original.chars());
    let mut found: Vec<Asked> = Vec::new();
    let mut take = |text: &str, sure: f32| match found.iter_mut().find(|known| known.stem == text) {
        Some(known) => known.sure = known.sure.max(sure),
        None => found.push(Asked { stem: text.to_owned(), sure }),
    };
    bare(word, hamza, ASKED, &mut |bare, sure| take(stem(bare), sure));
    if article(word).is_some() {
        bare(word, !hamza, ASKED, &mut |bare, sure| take(stem(bare), sure * OTHER_SPELLING));
    }
    found.sort_by(|a, b| b.sure.total_cmp(&a.sure));
    let mut kindred: Vec<Asked> = Vec::new();
    for known in found.iter().filter(|known| known.sure >= WITHOUT_CONJUNCTION) {
        for other in kin::of(&known.stem) {
            if !found.iter().chain(&kindred).any(|known| known.stem == *other) {
                kindred.push(Asked { stem: (*other).to_owned(), sure: known.sure * KIN });
            }
        }
    }
    found.extend(kindred);
    found
}

/// Endings, and how many letters must be left of the word. Looked through again until none is left.
const ENDINGS: [(&str, usize); 13] = [
    ("ها", 3),
    ("هم", 4),
    ("هن", 4),
    ("كم", 4),
    ("نا", 4),
    ("ات", 3),
    ("ان", 4),
    ("ون", 4),
    ("ين", 4),
    ("ه", 3),
    ("ي", 3),
    ("ا", 3),
    ("و", 4),
];

/// A bare word without its endings, as far as at least three or four letters are left, by ending.
pub fn stem(word: &str) -> &str {
    let mut stem = word;
    if !word.starts_with(is_arabic) {
        return word;
    }
    // Most words end otherwise than any of the endings.
    while stem.ends_with(['ا', 'م', 'ن', 'ت', 'ه', 'ي', 'و']) {
        let Some(rest) = ENDINGS.iter().find_map(|(ending, left)| without(stem, ending, *left)) else { break };
        stem = rest;
    }
    stem
}

fn without<'a>(word: &'a str, ending: &str, left: usize) -> Option<&'a str> {
    before(word, ending).filter(|rest| letters(rest) >= left)
}

/// The stem where an ending may leave less (حزبين), and where a ت before a possessive is the ة of the word (حكومته).
fn loose(word: &str) -> &str {
    if !word.starts_with(is_arabic) {
        return word;
    }
    // What all that is taken off here ends with.
    if !word.ends_with(['ا', 'م', 'ن', 'ه']) {
        return stem(word);
    }
    for ending in ["ها", "هم", "هن", "هما", "نا", "كم", "ه"] {
        if let Some(tied) = before(word, ending).and_then(|rest| without(rest, "ت", 3)) {
            return stem(tied);
        }
    }
    for ending in ["ين", "ان", "ون", "هم", "نا"] {
        if let Some(rest) = before(word, ending).filter(|rest| letters(rest) == 3) {
            return if kin::ends_so(word) { word } else { rest };
        }
    }
    // تين and تان: the dual of a word in ة.
    for ending in ["تين", "تان"] {
        if let Some(rest) = without(word, ending, 3) {
            return stem(rest);
        }
    }
    stem(word)
}

fn letters(word: &str) -> usize {
    word.chars().count()
}

const fn is_arabic(c: char) -> bool {
    matches!(c, '\u{600}'..='\u{6ff}')
}

#[cfg(test)]
#[path = "forms_tests.rs"]
mod tests;
