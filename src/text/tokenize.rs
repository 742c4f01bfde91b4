//! Words and sentences of a text.
//!
//! In: text as an outlet wrote it. Out: its [`Words`], normalized, each with its place in the original and its sentence.
//! Promise: the same words for every spelling that [`super::normalize`] makes one; places never overlap out of order.
//! Not here: stems, clitics and what a word means ([`crate::topic`]).
//!
//! - A word is a run of letters and digits. Hyphens, apostrophes and underscores part words. An Arabic letter and a
//!   digit part too, so that `بـ1500`, `بـ 1500` and `ب 1500` hold the same number; `f16` and `g20` stay whole.
//! - `.`, `,` and `،` between two digits join them. Before exactly three digits that follow one to three others they
//!   part thousands and vanish (`1,500` → `1500`); otherwise they are a decimal point (`6,2` and `٦٫٢` → `6.2`).
//! - A proclitic that stands apart (`لـ "هجوم`, `الـ CSTO`) is glued to its word: across an opening quotation mark,
//!   bracket or `#`, before a word in another alphabet, and across a space where a tatweel shows that it waits for a
//!   word. Never to a number and never over any other punctuation.
//! - A lone و before an Arabic word, without any of these, stays a word. Such a و is plain conjunction, it changes no
//!   word it stands before, and whoever looks for كازاخستان finds it in `و كازاخستان` exactly as it is; gluing would
//!   hide it from every search for the exact word, and would make a word of each و between two letters of a list.
//! - A sentence ends at `!`, `?`, `؟`, `۔`, an ellipsis, a line feed and a full stop, but not at the full stop of a
//!   number, a host name, or a single letter (`U.N.`, `د. أحمد`, `أ.ف.ب`). The semicolon `؛` does not end it.

use std::ops::Range;
use std::str::Chars;

use super::fold::{self, Class, Table};
use super::normalize::Normalized;

/// A text as words, each knowing where it stands in the original.
/// One-letter proclitics that stand apart (`لـ "هجوم`, `الـ CSTO`) are glued to the word that follows.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// All words, one after the other.
    arena: String,
    words: Vec<Word>,
}

#[derive(Clone, Copy, Debug)]
struct Word {
    /// The first byte in the arena; the word ends where the next begins.
    begin: u32,
    /// Where it stands in the original, in Unicode scalar values.
    from: u32,
    to: u32,
    sentence: u32,
}

impl Words {
    /// Splits `original`, which is normalized on the way.
    pub fn of(original: &str) -> Self {
        let normalized = Normalized::of(original);
        let mut splitter = Splitter::new(&normalized);
        splitter.run();
        splitter.out
    }

    /// How many words there are.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether there is no word.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The normalized word `i`; empty beyond the last.
    pub fn get(&self, i: usize) -> &str {
        let Some(word) = self.words.get(i) else { return "" };
        let end = self.words.get(i + 1).map_or(self.arena.len(), |next| next.begin as usize);
        self.arena.get(word.begin as usize..end).unwrap_or_default()
    }

    /// The number of the sentence that word `i` stands in, from 0; that of the last word beyond it.
    pub fn sentence(&self, i: usize) -> u32 {
        self.words.get(i).or(self.words.last()).map_or(0, |word| word.sentence)
    }

    /// Whether word `i` is the first of its sentence.
    pub fn begins_sentence(&self, i: usize) -> bool {
        i == 0 || self.sentence(i) != self.sentence(i - 1)
    }

    /// Where the words `words` (half-open indices) stand in the original, in Unicode scalar values, half-open: from the
    /// first character of the first to the last of the last. Empty where the range is.
    pub fn original(&self, words: Range<usize>) -> Range<usize> {
        let end = self.words.last().map_or(0, |word| word.to as usize);
        let from = self.words.get(words.start).map_or(end, |word| word.from as usize);
        let last = words.end.min(self.words.len()).checked_sub(1).filter(|last| *last >= words.start);
        from..last.and_then(|last| self.words.get(last)).map_or(from, |word| word.to as usize)
    }

    /// The normalized words in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> + '_ {
        (0..self.len()).map(|i| self.get(i))
    }
}

/// What stands between the last word and here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gap {
    Nothing,
    Spaces,
    /// Perhaps spaces, then quotation marks or brackets that touch what follows.
    Quotes,
    QuotesAndSpaces,
    /// Anything that a proclitic does not reach across.
    Wall,
}

struct Splitter<'a> {
    table: &'static Table,
    normalized: &'a Normalized,
    rest: Chars<'a>,
    /// The number of the character that `rest` begins with.
    at: usize,
    gap: Gap,
    sentence: u32,
    /// Whether a sentence ended since the last word.
    ended: bool,
    out: Words,
}

impl<'a> Splitter<'a> {
    fn new(normalized: &'a Normalized) -> Self {
        let text = normalized.as_str();
        let out = Words { arena: String::with_capacity(text.len()), words: Vec::with_capacity(text.len() / 10 + 1) };
        Self {
            table: fold::table(),
            normalized,
            rest: text.chars(),
            at: 0,
            gap: Gap::Wall,
            sentence: 0,
            ended: false,
            out,
        }
    }

    fn run(&mut self) {
        while let Some(c) = self.peek() {
            let class = self.table.class(c);
            if class.is_word() {
                self.word(c, class);
                continue;
            }
            self.take();
            match class {
                Class::Space => {
                    self.gap = match self.gap {
                        Gap::Nothing | Gap::Spaces => Gap::Spaces,
                        Gap::Quotes | Gap::QuotesAndSpaces => Gap::QuotesAndSpaces,
                        Gap::Wall => Gap::Wall,
                    }
                }
                Class::Quote => self.gap = if self.gap == Gap::Wall { Gap::Wall } else { Gap::Quotes },
                Class::End => self.end_sentence(),
                Class::Dot => self.dot(),
                _ => self.gap = Gap::Wall,
            }
        }
    }

    fn end_sentence(&mut self) {
        self.gap = Gap::Wall;
        self.ended = true;
    }

    /// A full stop that joins no digits; decides whether a sentence ends here.
    fn dot(&mut self) {
        let follows = self.peek().map_or(Class::Space, |next| self.table.class(next));
        let touches = self.gap == Gap::Nothing;
        let single = touches && self.out.words.last().is_some_and(|word| self.is_single_letter(word.begin));
        self.gap = Gap::Wall;
        if follows == Class::Dot {
            // An ellipsis, whatever comes after it.
            self.ended = true;
        } else if follows.is_word() {
            // A host name or an abbreviation; but Arabic writers also forget the space after a full stop.
            self.ended |= touches && !single && follows == Class::Arabic;
        } else {
            self.ended |= !single;
        }
    }

    fn is_single_letter(&self, begin: u32) -> bool {
        let mut chars = self.out.arena.get(begin as usize..).unwrap_or_default().chars();
        let letter = chars.next().is_some_and(|c| !c.is_ascii_digit());
        letter && chars.next().is_none()
    }

    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    /// Reads the word that begins here, with `first`.
    fn word(&mut self, first: char, mut class: Class) {
        let begin = self.at;
        if !self.glues(class) {
            if self.ended && !self.out.words.is_empty() {
                self.sentence = self.sentence.saturating_add(1);
            }
            self.out.words.push(Word {
                begin: u32::try_from(self.out.arena.len()).unwrap_or(u32::MAX),
                from: self.normalized.origins().get(begin).map_or(0, |origin| origin.start()),
                to: 0,
                sentence: self.sentence,
            });
        }
        self.ended = false;
        self.gap = Gap::Nothing;
        if class == Class::Digit {
            self.take();
            self.out.arena.push(first);
            self.number(first);
        }
        let text = self.rest.as_str();
        let (mut length, mut chars) = (0, 0);
        for next in text.chars() {
            let follows = self.table.class(next);
            let parts = matches!((class, follows), (Class::Arabic, Class::Digit) | (Class::Digit, Class::Arabic));
            if !follows.is_word() || parts {
                break;
            }
            length += next.len_utf8();
            chars += 1;
            class = follows;
        }
        self.rest = text.get(length..).unwrap_or_default().chars();
        self.at += chars;
        self.out.arena.push_str(text.get(..length).unwrap_or_default());
        let end = self.normalized.end_of(self.at - 1);
        if let Some(word) = self.out.words.last_mut() {
            word.to = end;
        }
    }

    fn take(&mut self) {
        self.rest.next();
        self.at += 1;
    }

    /// Reads the digits after `first` and the separators that join them.
    fn number(&mut self, first: char) {
        let mut digits = 1;
        // Thousands are parted only where everything before was parted so, and the first group is a real one.
        let mut grouped = first != '0';
        while let Some(next) = self.peek() {
            if next.is_ascii_digit() {
                self.take();
                self.out.arena.push(next);
                digits += 1;
            } else if matches!(next, '.' | ',' | '،') {
                let group = self.rest.clone().skip(1).take(4).take_while(char::is_ascii_digit).count();
                if group == 0 {
                    break;
                }
                self.take();
                grouped = grouped && group == 3 && digits <= 3;
                if !grouped {
                    self.out.arena.push('.');
                }
                digits = 0;
            } else {
                break;
            }
        }
    }

    /// Whether the last word is a proclitic that belongs to a word of `class` beginning here.
    fn glues(&self, class: Class) -> bool {
        if self.ended || class == Class::Digit || matches!(self.gap, Gap::Wall | Gap::Nothing) {
            return false;
        }
        let Some(last) = self.out.words.last() else { return false };
        let word = self.out.arena.get(last.begin as usize..).unwrap_or_default();
        if word.len() > LONGEST_PROCLITIC || !PROCLITICS.contains(&word) {
            return false;
        }
        match self.gap {
            Gap::Quotes => true,
            Gap::Spaces if class == Class::Letter => true,
            _ => self.waits(last),
        }
    }

    /// Whether a tatweel after `word` shows that it waits for the rest of itself.
    fn waits(&self, word: &Word) -> bool {
        let origins = self.normalized.origins().get(..self.at).unwrap_or_default();
        let last = origins.iter().rev().find(|origin| origin.start() < word.to);
        last.is_some_and(|origin| origin.tatweel_follows())
    }
}

const PROCLITICS: [&str; 22] = [
    "و", "ف", "ب", "ك", "ل", "ال", "لل", "وال", "فال", "بال", "كال", "وب", "ول", "وك", "فب", "فل", "فك", "وبال",
    "وكال", "ولل", "فلل", "فبال",
];
const LONGEST_PROCLITIC: usize = 8;

#[cfg(test)]
#[path = "tokenize_tests.rs"]
mod tests;
