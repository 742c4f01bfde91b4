//! A title and a text to the words that a fingerprint is made of, each with its place in the original.
//!
//! In: a title and a plain text. Out: [`Placed`] words, and cuttings of the original as [`Place`]s.
//! Promise: the words are those of [`super::lines`], in its order; places count Unicode scalar values of the field as it
//! was given.
//! Why the lines are read again: what is compared ten thousand times a second keeps no places; who asks why, waits.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::text::tokenize::Words;

use super::fingerprint::word_hash;
use super::lines::{Lines, Word};
use super::subjects;

/// The field that a place is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// The title.
    Title,
    /// The text.
    Text,
}

/// A cutting of a title or a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Place {
    /// Which field.
    pub field: Part,
    /// The first character, in Unicode scalar values of the field.
    pub start: u32,
    /// One past the last; `start` where nothing stands there.
    pub end: u32,
    /// What stands there.
    pub text: String,
}

/// A word that counts, where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    pub(super) word: Word,
    pub(super) field: Part,
    pub(super) start: u32,
    pub(super) end: u32,
    /// The line of its field.
    pub(super) line: u32,
    /// Whether it begins something new: a field, or what follows a line that does not count.
    pub(super) breaks: bool,
    /// The lines between it and the word before that do not count.
    pub(super) skipped: Option<(u32, u32)>,
}

/// A title and a text, read.
pub(super) struct Reading<'a> {
    /// The words of the title; empty where they count as text.
    pub(super) title: Vec<Placed>,
    /// The words that shingles are made of: the text's, or the title's where there is no text.
    pub(super) body: Vec<Placed>,
    fields: [Field<'a>; 2],
}

/// A field, and the byte that each of its characters begins with.
struct Field<'a> {
    text: &'a str,
    bytes: Vec<usize>,
}

impl<'a> Reading<'a> {
    pub(super) fn of(title: &'a str, text: &'a str) -> Self {
        let lines = Lines::of(title, text);
        let fields =
            [title, text].map(|text| Field { text, bytes: text.char_indices().map(|(byte, _)| byte).collect() });
        let (heading, raw) = (read(Part::Title, title), read(Part::Text, text));
        let heading: Vec<Placed> = heading.into_iter().flatten().collect();
        // A long title counts as text: the first line of it.
        let paragraph = lines.title.is_empty() && !heading.is_empty();
        let mut ends = lines.starts.iter().skip(1).copied().chain([lines.text.len()]);
        let mut kept = lines.starts.iter().filter_map(|start| lines.text.get(*start..ends.next()?));
        let mut body = Vec::with_capacity(lines.text.len());
        if paragraph {
            body.extend(heading.iter().copied().zip(kept.next().unwrap_or_default()).map(with_word));
        }
        place(kept, raw, &mut body);
        let title: Vec<Placed> = heading.into_iter().zip(&lines.title).map(with_word).collect();
        if lines.text.is_empty() {
            body.clone_from(&title);
        }
        Self { title, body, fields }
    }

    /// The words of the title and then of the text, as numbers are looked for: a title is not counted twice.
    pub(super) fn parts(&self) -> [&[Placed]; 2] {
        let same = self.body.first().is_some_and(|word| word.field == Part::Title) && !self.title.is_empty();
        [&self.title, if same { &[] } else { &self.body }]
    }

    /// The words where the headline stands: the title, or else the first line.
    pub(super) fn headline(&self) -> &[Placed] {
        if !self.title.is_empty() {
            return &self.title;
        }
        let first = self.body.first().map(|word| (word.field, word.line));
        let end = self.body.iter().position(|word| Some((word.field, word.line)) != first).unwrap_or(self.body.len());
        self.body.get(..end).unwrap_or_default()
    }

    /// What the word says of a subject (see [`subjects::bits`]).
    pub(super) fn subject(&self, word: &Placed) -> Option<u16> {
        let place = self.cut(word.field, word.start..word.end);
        Words::of(&place.text).iter().find_map(subjects::bits)
    }

    /// The place of the words `words` of the body; empty, before the next word, where the range is.
    pub(super) fn of_words(&self, words: Range<usize>) -> Place {
        self.between(&self.body, words)
    }

    /// The place of the words `words` of `all`.
    pub(super) fn between(&self, all: &[Placed], words: Range<usize>) -> Place {
        let first = all.get(words.start);
        let last = words.end.checked_sub(1).filter(|last| *last >= words.start).and_then(|last| all.get(last));
        match (first, last) {
            (Some(first), Some(last)) if first.field == last.field => self.cut(first.field, first.start..last.end),
            (Some(first), _) => self.cut(first.field, first.start..first.start),
            (None, _) => {
                let (field, end) = all.last().map_or((Part::Text, 0), |word| (word.field, word.end));
                self.cut(field, end..end)
            }
        }
    }

    /// The characters `chars` of `field`.
    pub(super) fn cut(&self, field: Part, chars: Range<u32>) -> Place {
        let Range { start, end } = chars;
        let Field { text, bytes } = &self.fields[usize::from(field == Part::Text)];
        let byte = |at: u32| bytes.get(at as usize).copied().unwrap_or(text.len());
        let text = text.get(byte(start)..byte(end.max(start))).unwrap_or_default().to_owned();
        Place { field, start, end: end.max(start), text }
    }
}

fn with_word((placed, word): (Placed, &Word)) -> Placed {
    Placed { word: *word, ..placed }
}

/// The words of each line that has any.
fn read(field: Part, text: &str) -> Vec<Vec<Placed>> {
    let (mut lines, mut offset) = (Vec::new(), 0);
    for (number, line) in text.split('\n').enumerate() {
        let words = Words::of(line);
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let placed = |i: usize| {
            let place = words.original(i..i + 1);
            Placed {
                word: Word { hash: word_hash(words.get(i)), sentence: 0, number: None },
                field,
                start: small(offset + place.start),
                end: small(offset + place.end),
                line: small(number),
                breaks: false,
                skipped: None,
            }
        };
        if !words.is_empty() {
            lines.push((0..words.len()).map(placed).collect());
        }
        offset += line.chars().count() + 1;
    }
    lines
}

/// Adds the lines that were kept, with the places that they have among those of the original: both are in one order, and
/// whether a line is left out depends on what it says.
fn place<'w>(kept: impl Iterator<Item = &'w [Word]>, raw: Vec<Vec<Placed>>, body: &mut Vec<Placed>) {
    let mut raw = raw.into_iter();
    for line in kept {
        let mut skipped: Option<(u32, u32)> = None;
        for found in raw.by_ref() {
            // The last line of a long text is kept in part.
            if found.len() >= line.len() && found.iter().zip(line).all(|(placed, word)| placed.word.hash == word.hash) {
                let at = body.len();
                body.extend(found.into_iter().zip(line).map(with_word));
                if let Some(first) = body.get_mut(at) {
                    first.breaks = skipped.is_some() || at > 0 && first.start == 0;
                    first.skipped = skipped;
                }
                break;
            }
            if let (Some(first), Some(last)) = (found.first(), found.last()) {
                skipped = Some((skipped.map_or(first.start, |(start, _)| start), last.end));
            }
        }
    }
    if let Some(text) = body.iter().position(|word| word.field == Part::Text).filter(|at| *at > 0)
        && let Some(first) = body.get_mut(text)
    {
        first.breaks = true;
        first.skipped = None;
    }
}
