//! A short text to the words it has, and to those that say what it is about.
//!
//! In: the [`Lines`] of a title and a text. Out: a [`Vocabulary`].
//! Promise: exchanging two texts does not change whether they have different subjects; no word can be read back.
//! Why: a telegram to one head of state and the same telegram to another share nine words of ten, as a reprint does.
//! A reprint under another headline keeps its text, and an excerpt is part of one: whatever word of its headline stands
//! in its text stands in the original too. Two texts of which *each* has such a word that the other lacks are two.
//! Not here: other numbers and other days in the same wording ([`super::fingerprint::NumberInContext`]).

use serde::{Deserialize, Serialize};

use super::fingerprint::word_hash;
use super::lines::Lines;
use super::terms;

/// Texts with more words have no vocabulary: what is made from a template is short, and memory is kept for every text.
pub const MAX_WORDS: usize = 160;

/// The words of a short text, as 16 bits of the hashes of their stems. Empty for a long text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vocabulary(
    /// How many subjects there are, and how many other words of the title; the subjects; the other words of the title; the
    /// other words of the text. Each part is sorted and distinct. One allocation, for there is one for every short text.
    Box<[u16]>,
);

impl Vocabulary {
    pub(super) fn of(lines: &Lines) -> Self {
        if lines.text.is_empty() || lines.text.len() > MAX_WORDS {
            return Self::default();
        }
        // A text without a title has its headline on top.
        let (title, text) = if lines.title.is_empty() {
            lines.first_line()
        } else {
            (lines.joined_title.as_str(), lines.joined.as_str())
        };
        let (mut title, mut text) = (words(title), words(text));
        let mut subjects = title.clone();
        subjects.retain(|word| text.binary_search(word).is_ok());
        text.retain(|word| title.binary_search(word).is_err());
        title.retain(|word| subjects.binary_search(word).is_err());
        let counts = [subjects.len(), title.len()].map(|count| u16::try_from(count).unwrap_or(u16::MAX));
        Self(counts.into_iter().chain(subjects).chain(title).chain(text).collect())
    }

    /// Whether each of two texts is about something that the other does not mention, under headlines that have a word in
    /// common, as a template's do. Never where one has no vocabulary.
    pub fn differs_in_subject(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.parts(), other.parts());
        ours.lack_subject_of(&theirs) && theirs.lack_subject_of(&ours) && ours.share_title_word_with(&theirs)
    }

    /// The bytes that this occupies outside itself.
    pub fn heap(&self) -> usize {
        size_of_val::<[u16]>(&self.0)
    }

    fn parts(&self) -> Parts<'_> {
        let Some((&[subjects, title], words)) = self.0.split_first_chunk() else { return Parts::default() };
        let (subjects, words) = words.split_at_checked(usize::from(subjects)).unwrap_or((words, &[]));
        let (title, text) = words.split_at_checked(usize::from(title)).unwrap_or((words, &[]));
        Parts { subjects, title, text }
    }
}

#[derive(Clone, Copy, Default)]
struct Parts<'a> {
    /// Words of title and text.
    subjects: &'a [u16],
    /// Words of the title alone.
    title: &'a [u16],
    /// Words of the text alone.
    text: &'a [u16],
}

impl Parts<'_> {
    fn lack_subject_of(&self, other: &Self) -> bool {
        other.subjects.iter().any(|word| !self.title_has(*word) && self.text.binary_search(word).is_err())
    }

    fn share_title_word_with(&self, other: &Self) -> bool {
        self.subjects.iter().chain(self.title).any(|word| other.title_has(*word))
    }

    fn title_has(&self, word: u16) -> bool {
        self.subjects.binary_search(&word).is_ok() || self.title.binary_search(&word).is_ok()
    }
}

/// The words that say something, sorted and distinct.
#[expect(clippy::cast_possible_truncation, reason = "16 bits of a hash are kept")]
fn words(joined: &str) -> Vec<u16> {
    let mut words: Vec<u16> = joined.split(' ').filter_map(terms::name).map(|name| word_hash(name) as u16).collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// The subjects of each text that the other does not mention, as [`bits`] gives them; `None` where they are about the same.
pub(super) fn that_differ(one: &Vocabulary, other: &Vocabulary) -> Option<(Vec<u16>, Vec<u16>)> {
    let (ours, theirs) = (one.parts(), other.parts());
    let missing = |ours: &Parts<'_>, theirs: &Parts<'_>| -> Vec<u16> {
        let there = |word: &u16| theirs.title_has(*word) || theirs.text.binary_search(word).is_ok();
        ours.subjects.iter().copied().filter(|word| !there(word)).collect()
    };
    one.differs_in_subject(other).then(|| (missing(&ours, &theirs), missing(&theirs, &ours)))
}

/// What is kept of a normalized word; `None` where it says nothing.
#[expect(clippy::cast_possible_truncation, reason = "16 bits of a hash are kept")]
pub(super) fn bits(word: &str) -> Option<u16> {
    terms::name(word).map(|name| word_hash(name) as u16)
}
