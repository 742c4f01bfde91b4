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

use super::fold::{self, Class, Fold, Table};
use super::normalize::Normalized;

/// A text as words, each knowing where it stands in the original.
/// One-letter proclitics that stand apart (`لـ "هجوم`, `الـ CSTO`) are glued to the word that follows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// All words, parted by spaces.
    arena: String,
    words: Vec<Word>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Word {
    /// The first byte in the arena; the word ends before the space before the next.
    begin: u32,
    /// Where it stands in the original, in Unicode scalar values.
    from: u32,
    to: u32,
    sentence: u32,
}

impl Words {
    /// Splits `original`, which is normalized on the way.
    pub fn of(original: &str) -> Self {
        let mut splitter = Splitter::new(original, None);
        splitter.run();
        if splitter.long_way { Self::of_normalized(&Normalized::of(original)) } else { splitter.out }
    }

    /// The words of a text that was normalized before, with their places in its original.
    fn of_normalized(normalized: &Normalized) -> Self {
        let mut splitter = Splitter::new(normalized.as_str(), Some(normalized));
        splitter.run();
        let mut words = splitter.out;
        for word in &mut words.words {
            word.from = normalized.origins().get(word.from as usize).map_or(0, |origin| origin.start());
            word.to = normalized.end_of((word.to as usize).saturating_sub(1));
        }
        words
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
        let (text, length) = self.onward(i);
        text.get(..length).unwrap_or_default()
    }

    /// The normalized word `i` and those after it, parted by spaces, and how many bytes it has itself: for who
    /// reads words by blocks of bytes. Empty beyond the last.
    pub fn onward(&self, i: usize) -> (&str, usize) {
        let Some(word) = self.words.get(i) else { return ("", 0) };
        let end = self.words.get(i + 1).map_or(self.arena.len(), |next| next.begin as usize - 1);
        let begin = word.begin as usize;
        (self.arena.get(begin..).unwrap_or_default(), end.saturating_sub(begin))
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

    /// The normalized words, parted by spaces.
    pub fn joined(&self) -> &str {
        &self.arena
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

/// Reads a text once, folding its characters as it goes: most of them stay as they are, and words are copied by the run.
///
/// Where one character is made of several (a reference) or several of one (a ligature), this stops ([`Self::long_way`])
/// and the text is normalized first; then the same rules read the normalized text.
struct Splitter<'a> {
    table: &'static Table,
    /// The text as normalized, where that is what is read.
    normalized: Option<&'a Normalized>,
    /// Whether the text has to be normalized first.
    long_way: bool,
    rest: Chars<'a>,
    /// The number of the character that `rest` begins with.
    at: usize,
    gap: Gap,
    sentence: u32,
    /// Whether a sentence ended since the last word.
    ended: bool,
    /// Whether a tatweel was dropped after the last letter of the last word.
    tatweel: bool,
    out: Words,
}

/// What a character of the text is.
enum Seen {
    /// It becomes this one, of this class.
    Char(char, Class),
    Dropped,
    /// It becomes several, or may be part of a reference.
    Several,
}

/// An ellipsis becomes three full stops. It is too frequent for the long way, and means the same to the rules.
const ELLIPSIS: char = '…';

impl<'a> Splitter<'a> {
    fn new(text: &'a str, normalized: Option<&'a Normalized>) -> Self {
        // A word with what parts it from the next has about ten bytes.
        let out =
            Words { arena: String::with_capacity(text.len()), words: Vec::with_capacity(text.len().div_ceil(10)) };
        Self {
            table: fold::table(),
            normalized,
            long_way: false,
            rest: text.chars(),
            at: 0,
            gap: Gap::Wall,
            sentence: 0,
            ended: false,
            tatweel: false,
            out,
        }
    }

    fn run(&mut self) {
        loop {
            // Nearly all words begin so.
            if self.table.begins_with_letter(self.rest.as_str()) {
                self.word(Class::Arabic);
                continue;
            }
            let Some((c, class)) = self.peek() else { return };
            if class.is_word() {
                self.word(class);
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
                Class::Dot if c == ELLIPSIS => self.end_sentence(),
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
        let follows = self.peek().map_or(Class::Space, |(_, class)| class);
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

    #[inline]
    fn see(&self, c: char) -> Seen {
        match self.table.fold(c) {
            Some(Fold::Char(one)) if one != '&' || self.normalized.is_some() => Seen::Char(one, self.table.class(c)),
            Some(Fold::Drop) => Seen::Dropped,
            Some(_) if c == ELLIPSIS => Seen::Char(c, Class::Dot),
            Some(_) => Seen::Several,
            None => self.see_beyond(c),
        }
    }

    /// What a character is that the table does not have.
    fn see_beyond(&self, c: char) -> Seen {
        let folded = fold::folded(c);
        let mut chars = folded.chars();
        match (chars.next(), chars.next()) {
            (None, _) => Seen::Dropped,
            (Some(one), None) if one != '&' || self.normalized.is_some() => Seen::Char(one, self.table.class(one)),
            _ => Seen::Several,
        }
    }

    /// The next character that is not dropped, folded, with its class; `None` at the end and where the long way begins.
    #[inline]
    fn peek(&mut self) -> Option<(char, Class)> {
        loop {
            let c = self.rest.clone().next()?;
            if let Some(class) = self.table.kept(c) {
                return Some((c, class));
            }
            match self.see(c) {
                Seen::Char(c, class) => return Some((c, class)),
                Seen::Dropped => self.take(),
                Seen::Several => {
                    self.long_way = true;
                    return None;
                }
            }
        }
    }

    fn take(&mut self) {
        self.rest.next();
        self.at += 1;
    }

    /// Reads the word that begins here, with a character of `class`, and a space after it.
    fn word(&mut self, class: Class) {
        if !self.glues(class) {
            if self.ended && !self.out.words.is_empty() {
                self.sentence = self.sentence.saturating_add(1);
            }
            if !self.out.words.is_empty() {
                self.out.arena.push(' ');
            }
            self.out.words.push(Word {
                begin: number(self.out.arena.len()),
                from: number(self.at),
                to: 0,
                sentence: self.sentence,
            });
        }
        self.ended = false;
        self.gap = Gap::Nothing;
        if class == Class::Digit
            && let Some((first, _)) = self.peek()
        {
            self.take();
            self.out.arena.push(first);
            self.number(first);
        }
        self.letters(class);
        if let Some(word) = self.out.words.last_mut() {
            // Marks that were dropped belong to the word before them.
            word.to = number(self.at);
        }
        if self.rest.as_str().starts_with(' ') {
            self.take();
            self.gap = Gap::Spaces;
        }
    }

    /// Reads the rest of a word, whose last character so far has the class `class`.
    fn letters(&mut self, mut class: Class) {
        let text = self.rest.as_str();
        // What stays as it is is copied by the run.
        let (mut copied, mut end) = (0, 0);
        self.tatweel = false;
        loop {
            if class != Class::Digit {
                let letters = self.table.letters(text.get(end..).unwrap_or_default());
                end += letters;
                self.at += letters / 2;
                if letters > 0 {
                    class = Class::Arabic;
                    self.tatweel = false;
                }
            }
            let Some(c) = text.get(end..).and_then(|rest| rest.chars().next()) else { break };
            let kept = self.table.kept(c);
            let seen = kept.map_or_else(|| self.see(c), |class| Seen::Char(c, class));
            if let Seen::Char(_, follows) = seen {
                let parts = matches!((class, follows), (Class::Arabic, Class::Digit) | (Class::Digit, Class::Arabic));
                if !follows.is_word() || parts {
                    break;
                }
                class = follows;
                self.tatweel = false;
            }
            if kept.is_none() {
                self.out.arena.push_str(text.get(copied..end).unwrap_or_default());
                copied = end + c.len_utf8();
            }
            match seen {
                Seen::Char(one, _) if kept.is_none() => self.out.arena.push(one),
                Seen::Char(..) => {}
                Seen::Dropped => self.tatweel |= c == 'ـ',
                Seen::Several => break,
            }
            end += c.len_utf8();
            self.at += 1;
        }
        self.out.arena.push_str(text.get(copied..end).unwrap_or_default());
        self.rest = text.get(end..).unwrap_or_default().chars();
    }

    /// Reads the digits after `first` and the separators that join them.
    fn number(&mut self, first: char) {
        let mut digits = 1;
        // Thousands are parted only where everything before was parted so, and the first group is a real one.
        let mut grouped = first != '0';
        while let Some((next, _)) = self.peek() {
            if next.is_ascii_digit() {
                self.take();
                self.out.arena.push(next);
                digits += 1;
            } else if matches!(next, '.' | ',' | '،') {
                let group = self.ahead().skip(1).take(4).take_while(char::is_ascii_digit).count();
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

    /// The characters from here on that are not dropped, folded.
    fn ahead(&self) -> impl Iterator<Item = char> + '_ {
        self.rest.clone().filter_map(|c| match self.see(c) {
            Seen::Char(one, _) => Some(one),
            Seen::Dropped => None,
            // Whatever is made of these, the long way decides.
            Seen::Several => Some(c),
        })
    }

    /// Whether the last word is a proclitic that belongs to a word of `class` beginning here.
    fn glues(&self, class: Class) -> bool {
        if self.ended || class == Class::Digit {
            return false;
        }
        let Some(last) = self.out.words.last() else { return false };
        let reaches = match self.gap {
            Gap::Wall | Gap::Nothing => false,
            Gap::Quotes => true,
            Gap::Spaces if class == Class::Letter => true,
            Gap::Spaces | Gap::QuotesAndSpaces => self.waits(last),
        };
        let word = self.out.arena.get(last.begin as usize..).unwrap_or_default();
        // Nearly no word gets as far as the list.
        reaches && word.len() <= LONGEST_PROCLITIC && PROCLITICS.contains(&word)
    }

    /// Whether a tatweel after `word`, the last one, shows that it waits for the rest of itself.
    fn waits(&self, word: &Word) -> bool {
        // In a normalized text the tatweel is only a note at the letter before it.
        self.normalized.map_or(self.tatweel, |normalized| {
            let last = normalized.origins().get((word.to as usize).saturating_sub(1));
            last.is_some_and(|origin| origin.tatweel_follows())
        })
    }
}

/// Places are kept in 32 bits; far beyond every limit on a document a text only loses the way back.
fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

const PROCLITICS: [&str; 22] = [
    "و", "ف", "ب", "ك", "ل", "ال", "لل", "وال", "فال", "بال", "كال", "وب", "ول", "وك", "فب", "فل", "فك", "وبال",
    "وكال", "ولل", "فلل", "فبال",
];
const LONGEST_PROCLITIC: usize = 8;

#[cfg(test)]
#[path = "tokenize_tests.rs"]
mod tests;
