//! What two texts share, passage by passage, and what differs.
//!
//! In: two titles with their texts; or one of them, and the fingerprint of a document whose text is not kept. Out: a
//! [`Comparison`].
//! Promise: exchanging the texts exchanges the sides and nothing else; what is marked as shared are the same words in the
//! same order, as a fingerprint sees words; a text of any length is compared up to the words that a fingerprint reads.
//! Not here: whether it makes one a copy of the other ([`super::verdict`]) and why ([`super::reason`]).
//! Read next: [`super::places`], then [`super::align`].

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::align::{self, Run};
use super::changes::Changes;
use super::fingerprint::{Fingerprint, MAX_NUMBERS, NumberInContext, SHINGLE, WINDOW, numbers_in, shingle};
use super::lines::Word;
pub use super::places::{Part, Place};
use super::places::{Placed, Reading};
use super::subjects;
use crate::text::hashed::Set;

/// A title and a text to be compared; either may be empty.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// The title.
    pub title: &'a str,
    /// The text, paragraphs separated by line feeds.
    pub text: &'a str,
}

/// A stretch of this text that the other has as well, but for the changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Passage {
    /// Where it stands here.
    pub ours: Place,
    /// Where it stands there; `null` where the text of the other is not kept.
    pub theirs: Option<Place>,
    /// How many words of it are the same.
    pub words: u32,
    /// What differs within it, in the order of both.
    pub changes: Vec<Change>,
}

/// A difference within a passage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Change {
    /// What stands here; empty where something was left out.
    pub ours: Place,
    /// What stands there; empty where something was added, `null` where the text of the other is not kept.
    pub theirs: Option<Place>,
}

/// How much of each text stands in the other, in words, 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Coverage {
    /// The share of this text's words that stand in the other.
    pub ours: f32,
    /// The share of the other's words that stand in this one. Of shingles where its text is not kept.
    pub theirs: f32,
}

/// A place that both texts have, the same words before and after, and that holds another number or weekday in each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct NumberChange {
    /// What stands here.
    pub ours: Place,
    /// It with the words beside it.
    pub ours_in: String,
    /// What stands there; `null` where the text of the other is not kept.
    pub theirs: Option<Place>,
    /// It with the words beside it.
    pub theirs_in: Option<String>,
}

/// What each text is about that the other does not mention; empty unless that holds of both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Subjects {
    /// Words of this headline.
    pub ours: Vec<Place>,
    /// Words of the other headline; empty, too, where its text is not kept.
    pub theirs: Vec<Place>,
}

/// What two texts share and where they differ.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Comparison {
    /// How much of each stands in the other.
    pub coverage: Coverage,
    /// The shared passages, in the order of this text.
    pub passages: Vec<Passage>,
    /// Other numbers and weekdays in the same places.
    pub numbers: Vec<NumberChange>,
    /// Other subjects.
    pub subjects: Subjects,
    /// What was done to the other text to get this one, in sum.
    pub changes: Changes,
}

/// Compares two texts.
pub fn compare(ours: Side<'_>, theirs: Side<'_>) -> Comparison {
    let (a, b) = (Reading::of(ours.title, ours.text), Reading::of(theirs.title, theirs.text));
    let runs = align::runs(&a.body, &b.body);
    let covered = |ours: bool, of: usize| share(runs.iter().flat_map(|run| run.same(ours)), of);
    let coverage = Coverage { ours: covered(true, a.body.len()), theirs: covered(false, b.body.len()) };
    let numbers = numbers(&a, &b);
    let (one, other) = (Fingerprint::of(ours.title, ours.text), Fingerprint::of(theirs.title, theirs.text));
    let mut subjects = Subjects::default();
    if let Some((here, there)) = subjects::that_differ(&one.vocabulary, &other.vocabulary) {
        (subjects.ours, subjects.theirs) = (named(&a, &here), named(&b, &there));
    }
    let changes = Changes::of(&a, &b, &runs, numbers.len());
    Comparison { coverage, passages: runs.iter().map(|run| passage(&a, &b, run)).collect(), numbers, subjects, changes }
}

fn passage(a: &Reading<'_>, b: &Reading<'_>, run: &Run) -> Passage {
    let change = |(ours, theirs): &(Range<usize>, Range<usize>)| Change {
        ours: with_skipped(a, ours),
        theirs: Some(with_skipped(b, theirs)),
    };
    Passage {
        ours: a.of_words(run.ours.clone()),
        theirs: Some(b.of_words(run.theirs.clone())),
        words: small(run.shared),
        changes: run.changes.iter().map(change).collect(),
    }
}

/// The place of words, with the lines before them and after them that do not count.
fn with_skipped(text: &Reading<'_>, words: &Range<usize>) -> Place {
    let mut place = text.of_words(words.clone());
    let field = place.field;
    let near = (words.start..=words.end).filter_map(|at| text.body.get(at)).filter(|word| word.field == field);
    for (start, end) in near.filter_map(|word| word.skipped) {
        let (from, to) =
            if place.start == place.end { (start, end) } else { (place.start.min(start), place.end.max(end)) };
        place = text.cut(field, from..to);
    }
    place
}

/// The share of `of` words that the ranges cover.
fn share(ranges: impl Iterator<Item = Range<usize>>, of: usize) -> f32 {
    let mut covered = vec![false; of];
    for range in ranges {
        if let Some(words) = covered.get_mut(range) {
            words.fill(true);
        }
    }
    ratio(covered.iter().filter(|covered| **covered).count(), of)
}

#[expect(clippy::cast_precision_loss, reason = "words of one text are far below 2^24")]
pub(super) fn ratio(part: usize, whole: usize) -> f32 {
    if whole == 0 { 0.0 } else { part as f32 / whole as f32 }
}

pub(super) fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// A number or weekday where it stands.
struct Number {
    held: NumberInContext,
    place: Place,
    beside: String,
}

/// Those that a fingerprint keeps.
fn all_numbers(text: &Reading<'_>) -> Vec<Number> {
    let mut found = Vec::new();
    for part in text.parts() {
        let words: Vec<Word> = part.iter().map(|placed| placed.word).collect();
        let near = |one: usize, other: usize| {
            let (a, b) = (part.get(one)?, part.get(other)?);
            (a.field == b.field && a.line == b.line).then_some(other)
        };
        found.extend(numbers_in(&words).into_iter().map(|(at, held)| {
            let last = at.end - 1;
            let from = at.start.checked_sub(1).and_then(|before| near(at.start, before)).unwrap_or(at.start);
            let to = near(last, at.end).unwrap_or(last);
            let beside = text.between(part, from..to + 1).text;
            Number { held, place: text.between(part, at), beside }
        }));
    }
    found.truncate(MAX_NUMBERS);
    found
}

/// The places that hold another number in each text, by the rule of [`super::compare`].
fn numbers(a: &Reading<'_>, b: &Reading<'_>) -> Vec<NumberChange> {
    let (ours, theirs) = (all_numbers(a), all_numbers(b));
    let kept: Vec<NumberInContext> = theirs.iter().map(|number| number.held).collect();
    let change = |number: &Number| {
        let there = theirs.iter().find(|other| other.held.context() == number.held.context())?;
        Some(NumberChange {
            ours: number.place.clone(),
            ours_in: number.beside.clone(),
            theirs: Some(there.place.clone()),
            theirs_in: Some(there.beside.clone()),
        })
    };
    changed(&ours, &kept).into_iter().filter_map(change).collect()
}

/// The first number of ours in each context that both have and no value of which they share.
fn changed<'a>(ours: &'a [Number], theirs: &[NumberInContext]) -> Vec<&'a Number> {
    let mut seen: Vec<u32> = Vec::new();
    let mut differ = |number: &&Number| {
        let context = number.held.context();
        if seen.contains(&context) {
            return false;
        }
        seen.push(context);
        let mut there = theirs.iter().filter(|other| other.context() == context).peekable();
        let values: Vec<u32> =
            ours.iter().filter(|other| other.held.context() == context).map(|other| other.held.value()).collect();
        there.peek().is_some() && !there.any(|other| values.contains(&other.value()))
    };
    ours.iter().filter(|number| differ(number)).collect()
}

/// The words of the headline that are one of `subjects`, each once.
fn named(text: &Reading<'_>, subjects: &[u16]) -> Vec<Place> {
    let mut left = subjects.to_vec();
    let mut found = Vec::new();
    for word in text.headline() {
        let Some(subject) = text.subject(word) else { continue };
        if let Some(at) = left.iter().position(|other| *other == subject) {
            left.swap_remove(at);
            found.push(text.cut(word.field, word.start..word.end));
        }
    }
    found
}

/// Compares a text with a document of which only the fingerprint is kept: passages are the stretches of the text that the
/// document's shingles cover. Of every [`WINDOW`] shingles in a row one is kept at least, so two that stand no farther apart
/// are one stretch; what lies between others that are near is shown as changed, for something in it is.
pub fn compare_with_fingerprint(ours: Side<'_>, document: &Fingerprint) -> Comparison {
    let text = Reading::of(ours.title, ours.text);
    let fingerprint = Fingerprint::of(ours.title, ours.text);
    let words: Vec<Word> = text.body.iter().map(|placed| placed.word).collect();
    let length = SHINGLE.min(words.len()).max(1);
    let theirs: Set<u32> = document.shingles.iter().copied().collect();
    let hits: Vec<usize> = words
        .windows(length)
        .enumerate()
        .filter(|(_, words)| theirs.contains(&shingle(words)))
        .map(|(at, _)| at)
        .collect();
    let mut runs: Vec<Run> = Vec::new();
    for at in hits {
        let end = at + length;
        let bridge = |run: &&mut Run| at <= run.ours.end + 2 * WINDOW && same_field(&text.body, run.ours.start, at);
        match runs.last_mut().filter(bridge) {
            Some(run) => {
                // Within a shared stretch a shingle is kept every `WINDOW` words at least.
                if at + SHINGLE > run.ours.end + WINDOW {
                    run.changes.push((run.ours.end..at, 0..0));
                } else {
                    run.shared += at.saturating_sub(run.ours.end);
                }
                run.shared += end - at.max(run.ours.end);
                run.ours.end = end;
            }
            None => runs.push(Run { ours: at..end, theirs: 0..0, changes: Vec::new(), shared: length }),
        }
    }
    let least = (SHINGLE + 1).min(words.len());
    runs.retain(|run| run.shared >= least);
    let shared = fingerprint.shared_with(document) as usize;
    let coverage = Coverage {
        ours: share(runs.iter().flat_map(|run| run.same(true)), words.len()),
        theirs: ratio(shared, document.shingles.len()),
    };
    let passage = |run: &Run| Passage {
        ours: text.of_words(run.ours.clone()),
        theirs: None,
        words: small(run.shared),
        changes: run.changes.iter().map(|(ours, _)| Change { ours: with_skipped(&text, ours), theirs: None }).collect(),
    };
    let number = |number: &Number| NumberChange {
        ours: number.place.clone(),
        ours_in: number.beside.clone(),
        theirs: None,
        theirs_in: None,
    };
    let numbers: Vec<NumberChange> = changed(&all_numbers(&text), &document.numbers).into_iter().map(number).collect();
    let mut subjects = Subjects::default();
    if let Some((here, _)) = subjects::that_differ(&fingerprint.vocabulary, &document.vocabulary) {
        subjects.ours = named(&text, &here);
    }
    let headline = fingerprint.title.is_some() && document.title.is_some() && fingerprint.title != document.title;
    let changes = Changes { headline, kept: coverage.theirs, numbers: small(numbers.len()), ..Changes::default() };
    Comparison { coverage, passages: runs.iter().map(passage).collect(), numbers, subjects, changes }
}

fn same_field(words: &[Placed], one: usize, other: usize) -> bool {
    words.get(one).map(|word| word.field) == words.get(other).map(|word| word.field)
}
