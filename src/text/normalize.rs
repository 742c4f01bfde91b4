//! Normalization, with the way back to the original.
//!
//! In: text as an outlet wrote it. Out: text in which two spellings that a reader would call the same word are the same
//! characters: no vowel marks, tatweel or invisible controls, one form of each letter, ASCII digits, lower case,
//! character references resolved.
//! Promise: normalizing twice is normalizing once; every byte of the result leads back to the characters of the original
//! that made it; any text is accepted; the time is linear in the text.
//! Not here: what single characters become (the table in `fold`), words ([`super::tokenize`]), markup
//! ([`crate::extract`]).
//!
//! References are resolved where their `;` is written, looking back at what stands before it. So `&amp;amp;quot;` is
//! resolved to the end in one pass, and so is one that only appears once a letter in it is folded (`＆LT;`): otherwise
//! a second normalization would find something left to do.

use std::ops::Range;

use super::entity;
use super::fold::{self, Fold, Table};

/// The version of the rules; fingerprints of another version do not compare.
pub const VERSION: u32 = 1;

/// A normalized text that remembers where each of its characters came from.
#[derive(Clone, Debug)]
pub struct Normalized {
    text: String,
    origins: Vec<Origin>,
    /// The length of the original in Unicode scalar values.
    original_len: u32,
}

/// Where a normalized character began in the original, in Unicode scalar values.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin(u32);

const TATWEEL_FOLLOWS: u32 = 1 << 31;

impl Origin {
    pub(super) const fn start(self) -> u32 {
        self.0 & !TATWEEL_FOLLOWS
    }

    /// Whether a dropped tatweel came right after: the mark of a proclitic that waits for its word.
    pub(super) const fn tatweel_follows(self) -> bool {
        self.0 & TATWEEL_FOLLOWS != 0
    }
}

impl Normalized {
    /// Normalizes `original`.
    pub fn of(original: &str) -> Self {
        let mut writer = Writer::<true>::new(original);
        let original_len = writer.run(original);
        Self { text: writer.text, origins: writer.origins, original_len }
    }

    /// The normalized text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Bytes of the normalized text to Unicode scalar values of the original, both half-open.
    ///
    /// Covers every character of the original that made one of those bytes; marks that were dropped belong to the
    /// character before them. A range that begins or ends inside a character is widened to the whole of it.
    pub fn original(&self, bytes: Range<usize>) -> Range<usize> {
        let first = self.chars_begun(bytes.start.saturating_add(1)).saturating_sub(1);
        if bytes.start >= self.text.len() {
            return self.original_len as usize..self.original_len as usize;
        }
        let start = self.origins.get(first).map_or(self.original_len, |origin| origin.start());
        if bytes.end <= bytes.start {
            return start as usize..start as usize;
        }
        let last = self.chars_begun(bytes.end).saturating_sub(1);
        start as usize..self.end_of(last) as usize
    }

    /// How many characters begin within the first `bytes` bytes.
    fn chars_begun(&self, bytes: usize) -> usize {
        let bytes = self.text.as_bytes().get(..bytes).unwrap_or(self.text.as_bytes());
        bytes.iter().filter(|byte| (**byte as i8) >= -0x40).count()
    }

    /// Where the original of character `index` ends: where the next character of another origin begins.
    pub(super) fn end_of(&self, index: usize) -> u32 {
        let Some(own) = self.origins.get(index) else { return self.original_len };
        let later = self.origins.get(index + 1..).unwrap_or_default();
        later.iter().map(|origin| origin.start()).find(|start| *start != own.start()).unwrap_or(self.original_len)
    }

    pub(super) fn origins(&self) -> &[Origin] {
        &self.origins
    }
}

/// The normalized text alone.
pub fn normalize(original: &str) -> String {
    let mut writer = Writer::<false>::new(original);
    writer.run(original);
    writer.text
}

/// Writes normalized characters, with their origins where `TRACK` is set.
struct Writer<const TRACK: bool> {
    table: &'static Table,
    text: String,
    origins: Vec<Origin>,
    /// Whether an ampersand was written: without one no reference is looked for.
    ampersand: bool,
}

impl<const TRACK: bool> Writer<TRACK> {
    fn new(original: &str) -> Self {
        let origins = if TRACK { Vec::with_capacity(original.len() / 2 + 8) } else { Vec::new() };
        Self { table: fold::table(), text: String::with_capacity(original.len()), origins, ampersand: false }
    }

    /// Normalizes all of `original` and says how many characters it has.
    fn run(&mut self, original: &str) -> u32 {
        let (mut at, mut copied) = (0, 0);
        for (byte, c) in original.char_indices() {
            // Most characters stay; they are copied by the run.
            if !self.table.keeps(c) {
                self.text.push_str(original.get(copied..byte).unwrap_or_default());
                copied = byte + c.len_utf8();
                self.fold(c, at);
            } else if TRACK {
                self.origins.push(Origin(at));
            }
            // Far beyond every limit on a document; a longer one only loses the way back.
            at = (at + 1).min(!TATWEEL_FOLLOWS);
        }
        self.text.push_str(original.get(copied..).unwrap_or_default());
        at
    }

    #[inline]
    fn fold(&mut self, c: char, at: u32) {
        match self.table.fold(c) {
            Some(Fold::Char(c)) => self.write(c, at),
            Some(Fold::Text(text)) => text.chars().for_each(|c| self.write(c, at)),
            Some(Fold::Drop) => self.drop(c),
            None => fold::folded(c).chars().for_each(|c| self.write(c, at)),
        }
    }

    #[inline]
    fn drop(&mut self, c: char) {
        if TRACK
            && c == 'ـ'
            && let Some(last) = self.origins.last_mut()
        {
            last.0 |= TATWEEL_FOLLOWS;
        }
    }

    #[inline]
    fn write(&mut self, c: char, at: u32) {
        self.put(c, at);
        if self.ampersand && c == ';' {
            self.resolve();
        }
    }

    #[inline]
    fn put(&mut self, c: char, at: u32) {
        self.text.push(c);
        if TRACK {
            self.origins.push(Origin(at));
        }
        self.ampersand |= c == '&';
    }

    /// Replaces the reference that ends the text by its character, and again where that completes another one.
    fn resolve(&mut self) {
        while let Some((begin, c)) = self.reference() {
            let length = self.text.len() - begin;
            self.text.truncate(begin);
            let mut at = 0;
            if TRACK {
                // A reference is ASCII, so it has as many characters as bytes.
                let kept = self.origins.len().saturating_sub(length);
                at = self.origins.get(kept).map_or(0, |origin| origin.start());
                self.origins.truncate(kept);
            }
            match self.table.fold(c) {
                Some(Fold::Char(c)) => self.put(c, at),
                Some(Fold::Text(text)) => text.chars().for_each(|c| self.put(c, at)),
                Some(Fold::Drop) => self.drop(c),
                None => fold::folded(c).chars().for_each(|c| self.put(c, at)),
            }
        }
    }

    /// The byte at which a reference that ends the text begins, and its character.
    fn reference(&self) -> Option<(usize, char)> {
        let bytes = self.text.as_bytes();
        let (b';', before) = bytes.split_last()? else { return None };
        let window = before.len().saturating_sub(entity::LONGEST);
        let begin = window + before.get(window..)?.iter().rposition(|byte| *byte == b'&')?;
        let name = std::str::from_utf8(before.get(begin + 1..)?).ok()?;
        Some((begin, entity::character(name)?))
    }
}

#[cfg(test)]
#[path = "normalize_tests.rs"]
mod tests;
