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
    /// How many words there are of the first three parts; then the words of title and text, the other words of the title,
    /// those that the text alone has, more than once, and the others of the text. Each part is sorted and distinct. One
    /// allocation, for there is one for every short text.
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
        let (mut title, text) = (hashes(title), hashes(text));
        title.dedup();
        let [mut both, mut repeated, mut once] = [const { Vec::new() }; 3];
        for same in text.chunk_by(|a, b| a == b) {
            let part = match title.binary_search(&same[0]) {
                Ok(_) => &mut both,
                Err(_) if same.len() > 1 => &mut repeated,
                Err(_) => &mut once,
            };
            part.push(same[0]);
        }
        title.retain(|word| both.binary_search(word).is_err());
        let counts = [&both, &title, &repeated].map(|part| u16::try_from(part.len()).unwrap_or(u16::MAX));
        Self(counts.into_iter().chain(both).chain(title).chain(repeated).chain(once).collect())
    }

    /// What [`differ`] compares.
    pub(super) fn words(&self) -> &[u16] {
        &self.0
    }
}

/// Whether each of two texts is about something that the other does not mention, under headlines that have a word in
/// common, as a template's do. Never where one has no vocabulary.
pub(super) fn differ(one: &[u16], other: &[u16]) -> bool {
    let (ours, theirs) = (Parts::of(one), Parts::of(other));
    ours.lack_subject_of(&theirs) && theirs.lack_subject_of(&ours) && ours.share_title_word_with(&theirs)
}

#[derive(Clone, Copy, Default)]
struct Parts<'a> {
    /// Words of title and text.
    both: &'a [u16],
    /// Words of the title alone.
    title: &'a [u16],
    /// Words that the text alone has, more than once.
    repeated: &'a [u16],
    /// Words that the text alone has, once.
    once: &'a [u16],
}

impl<'a> Parts<'a> {
    fn of(vocabulary: &'a [u16]) -> Self {
        fn cut(words: &[u16], count: u16) -> (&[u16], &[u16]) {
            words.split_at_checked(usize::from(count)).unwrap_or((words, &[]))
        }
        let Some((&[both, title, repeated], words)) = vocabulary.split_first_chunk() else { return Parts::default() };
        let (both, words) = cut(words, both);
        let (title, words) = cut(words, title);
        let (repeated, once) = cut(words, repeated);
        Parts { both, title, repeated, once }
    }

    /// What stands in title and text is what a text is about; and so are two words that its text repeats.
    fn lack_subject_of(&self, other: &Self) -> bool {
        let lacks = |word: &&u16| !self.has(**word);
        other.both.iter().any(|word| !self.has(*word)) || other.repeated.iter().filter(lacks).nth(1).is_some()
    }

    fn share_title_word_with(&self, other: &Self) -> bool {
        self.both.iter().chain(self.title).any(|word| other.title_has(*word))
    }

    fn has(&self, word: u16) -> bool {
        self.title_has(word) || [self.repeated, self.once].iter().any(|part| part.binary_search(&word).is_ok())
    }

    fn title_has(&self, word: u16) -> bool {
        [self.both, self.title].iter().any(|part| part.binary_search(&word).is_ok())
    }
}

/// The words that say something; sorted.
fn hashes(joined: &str) -> Vec<u16> {
    let mut words: Vec<u16> = joined.split(' ').filter_map(bits).collect();
    words.sort_unstable();
    words
}

/// The subjects of each text that the other does not mention, as [`bits`] gives them; `None` where they are about the same.
pub(super) fn that_differ(one: &Vocabulary, other: &Vocabulary) -> Option<(Vec<u16>, Vec<u16>)> {
    let (ours, theirs) = (Parts::of(&one.0), Parts::of(&other.0));
    let missing = |ours: &Parts<'_>, theirs: &Parts<'_>| -> Vec<u16> {
        ours.both.iter().chain(ours.repeated).copied().filter(|word| !theirs.has(*word)).collect()
    };
    differ(&one.0, &other.0).then(|| (missing(&ours, &theirs), missing(&theirs, &ours)))
}

/// What is kept of a normalized word; `None` where it says nothing.
#[expect(clippy::cast_possible_truncation, reason = "16 bits of a hash are kept")]
pub(super) fn bits(word: &str) -> Option<u16> {
    terms::name(word).map(|name| word_hash(name) as u16)
}
