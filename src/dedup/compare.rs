//! Two fingerprints to how one text relates to the other.
//!
//! In: the [`Marks`] of a new text and of a known one, and how many shingles they share. Out: a [`Relation`], or nothing.
//! Promise: exchanging the two texts exchanges [`VerdictKind::Contained`] and [`VerdictKind::Expands`] and nothing else.
//! Why the rules are what they are: `docs/duplicates.md`.

use super::VerdictKind;
use super::fingerprint::{Fingerprint, NumberInContext, Sketch};
use super::subjects;

/// A text with fewer shingles (about 40 words) is never a copy of a longer one by containment alone: a lead repeated as
/// background, a dateline or a template are as long.
pub const SHORT: u32 = 16;

/// A short text is one family with another of about its length that has nearly all of it: a reprint under another headline
/// and with another dateline.
const WHOLE: f32 = 0.8;
const WHOLE_LENGTHS: f32 = 0.7;
const WHOLE_SHARED: u32 = 6;

/// More than this of a short text is in one that opens alike, where only that speaks for a family: what introduces one picture opens
/// like what introduces another.
const OPENING: f32 = 0.6;

/// From this containment on two texts are one family.
pub const FAMILY: f32 = 0.5;

/// Up to this containment the words have to speak for a family as well, or title or opening: pages of one day that carry the
/// same block of teasers share more than half of their shingles and fewer of their words.
const CERTAIN: f32 = 0.65;
const CERTAIN_WORDS: f32 = 0.65;

/// From this containment on two texts are one family if something else says so too.
const LIKELY: f32 = 0.4;

/// From this containment on two texts are one family if they also use the same words and are about as long (from
/// [`LIKELY`] on whatever their lengths): what is left when every fifth word was replaced.
const REWORDED: f32 = 0.25;
const REWORDED_LENGTHS: f32 = 0.85;

/// So many of the smaller text's words have to be in the larger one, in any order, for that. Other reports of an event share
/// a third.
const REWORDED_WORDS: f32 = 0.72;

/// From this Jaccard similarity on, or at about equal length, a family member is a near copy, and not an excerpt.
const NEAR: f32 = 0.4;

/// Fewer shared shingles than this are no reason to look at a text.
pub const LEAST_SHARED: u32 = 3;

/// From this containment on two texts are linked.
const RELATED: f32 = 0.2;

/// A copy of the same wording, which is what this Jaccard similarity says or a text of few shingles, that reports another
/// number or day is an update.
const SAME_WORDING: f32 = 0.6;
const UPDATE_BELOW: u32 = 30;

/// So many places with another number, and more of them than with the same one, make an update of any wording: a bulletin
/// that consists of its numbers shares few shingles with that of another day.
const BULLETIN: u32 = 4;

/// The places of two texts with the same words before and after, by the number or weekday that each has there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NumbersCompared {
    /// Those where both have the same.
    pub same: u32,
    /// Those where each has another.
    pub other: u32,
}

impl NumbersCompared {
    /// Whether two texts of one family report different numbers or days.
    fn tell_apart(self, same_wording: bool) -> bool {
        self.other > 0 && same_wording || self.other >= BULLETIN && self.other > self.same
    }
}

/// What is kept of a fingerprint besides its shingles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marks {
    /// How many shingles the text has.
    pub shingles: u32,
    /// 0 where there is no title.
    title: u32,
    sketch: Sketch,
    /// Openings, numbers and vocabulary: one allocation for all. Of what has 32 bits the high half comes first.
    halves: Box<[u16]>,
    openings: u8,
    numbers: u8,
}

impl Marks {
    /// The marks of a fingerprint.
    #[expect(clippy::cast_possible_truncation, reason = "32 bits of a hash are kept; halves are halves")]
    pub fn of(fingerprint: &Fingerprint) -> Self {
        let openings = || fingerprint.openings.iter().take(usize::from(u8::MAX));
        let numbers = || fingerprint.numbers.iter().take(usize::from(u8::MAX));
        let vocabulary = fingerprint.vocabulary.words();
        let mut halves = Vec::with_capacity((openings().len() + numbers().len()) * 2 + vocabulary.len());
        halves.extend(openings().chain(numbers().map(|n| &n.0)).flat_map(|n| [(n >> 16) as u16, *n as u16]));
        halves.extend_from_slice(vocabulary);
        Self {
            shingles: u32::try_from(fingerprint.shingles.len()).unwrap_or(u32::MAX),
            title: fingerprint.title.map_or(0, |title| (title as u32).max(1)),
            sketch: fingerprint.sketch,
            halves: halves.into_boxed_slice(),
            openings: openings().len() as u8,
            numbers: numbers().len() as u8,
        }
    }

    fn openings(&self) -> impl Iterator<Item = u32> {
        whole(self.halves.get(..self.places().0))
    }

    fn numbers(&self) -> impl Iterator<Item = NumberInContext> {
        let (begin, end) = self.places();
        whole(self.halves.get(begin..end)).map(NumberInContext)
    }

    /// Where the numbers begin and where the vocabulary does.
    fn places(&self) -> (usize, usize) {
        let openings = usize::from(self.openings) * 2;
        (openings, openings + usize::from(self.numbers) * 2)
    }

    /// Whether the two are about different things; see [`subjects::differ`].
    fn differs_in_subject(&self, other: &Self) -> bool {
        subjects::differ(self.vocabulary(), other.vocabulary())
    }

    fn vocabulary(&self) -> &[u16] {
        self.halves.get(self.places().1..).unwrap_or_default()
    }

    /// Whether the two have the same title.
    pub fn same_title(&self, other: &Self) -> bool {
        self.title != 0 && self.title == other.title
    }

    /// Whether the title or one of the first lines begins alike.
    pub fn same_opening(&self, other: &Self) -> bool {
        self.openings().any(|opening| other.openings().any(|theirs| theirs == opening))
    }

    /// The places that both have, the same words before and after, by what stands there.
    pub fn numbers_compared(&self, other: &Self) -> NumbersCompared {
        let held = |marks: &Self, context: u32| -> Vec<u32> {
            marks.numbers().filter(|n| n.context() == context).map(|n| n.value()).collect()
        };
        let mut last = None;
        let mut compared = NumbersCompared::default();
        for context in self.numbers().map(NumberInContext::context) {
            if last.replace(context) == Some(context) {
                continue;
            }
            let (ours, theirs) = (held(self, context), held(other, context));
            if theirs.is_empty() {
                continue;
            }
            *(if ours.iter().any(|value| theirs.contains(value)) {
                &mut compared.same
            } else {
                &mut compared.other
            }) += 1;
        }
        compared
    }

    /// About how many of the words of the smaller text are in the larger, in any order, 0 to 1.
    pub fn words_in_common(&self, other: &Self) -> f32 {
        let similarity = self.sketch.similarity(&other.sketch);
        // |A ∩ B| = J / (1 + J) · (|A| + |B|), where the numbers of shingles stand for those of words.
        let (a, b) = (self.shingles, other.shingles);
        let both = 1.0 + ratio(a.max(b), a.min(b).max(1));
        (similarity / (1.0 + similarity) * both).min(1.0)
    }

    /// The bytes that this occupies outside itself; 16 for what an allocation takes besides.
    pub fn heap(&self) -> usize {
        std::mem::size_of_val(self.halves.as_ref()) + 16
    }
}

fn whole(halves: Option<&[u16]>) -> impl Iterator<Item = u32> {
    let both = |halves: &[u16; 2]| u32::from(halves[0]) << 16 | u32::from(halves[1]);
    halves.unwrap_or_default().as_chunks().0.iter().map(both)
}

/// What two texts have in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Overlap {
    /// Shingles in both.
    pub shared: u32,
    /// Shingles of the new text that count: those in too many texts do not.
    pub new: u32,
    /// Shingles of the known text.
    pub known: u32,
}

impl Overlap {
    /// Shared shingles to those of the smaller text, 0 to 1.
    pub fn containment(self) -> f32 {
        ratio(self.shared, self.smaller())
    }

    /// Shared shingles to those of either, 0 to 1.
    pub fn jaccard(self) -> f32 {
        ratio(self.shared, (self.new + self.known).saturating_sub(self.shared))
    }

    fn smaller(self) -> u32 {
        self.new.min(self.known)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of shingles are far below 2^24")]
fn ratio(part: u32, whole: u32) -> f32 {
    if whole == 0 { 0.0 } else { part as f32 / whole as f32 }
}

/// How a new text relates to a known one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Relation {
    /// `Near`, `Contained`, `Expands`, `Update` or `Related`.
    pub kind: VerdictKind,
    /// Containment.
    pub similarity: f32,
    /// Jaccard similarity.
    pub jaccard: f32,
    /// Shingles in both.
    pub shared: u32,
}

/// From this containment on no text is asked whether it tells something of its own: whatever it tells is a fifth of it.
const WITH_PARTS_OF_THEIR_OWN: f32 = 0.8;

/// What else is known of a pair of texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// They stand at the same address.
    pub same_address: bool,
    /// They were published within a day of each other, or one of them has no date.
    pub same_day: bool,
}

/// How the text of `new` relates to that of `known`, where they may be two stories in spite of all that they share;
/// `apart` is asked only there ([`super::apart`]).
pub fn relate_unless_apart(
    new: &Marks,
    known: &Marks,
    overlap: Overlap,
    context: Context,
    apart: impl FnOnce() -> bool,
) -> Option<Relation> {
    let relation = relate(new, known, overlap, context)?;
    let doubtful = relation.kind.is_copy()
        && relation.similarity < WITH_PARTS_OF_THEIR_OWN
        && !context.same_address
        && !new.same_title(known);
    Some(if doubtful && apart() { Relation { kind: VerdictKind::Related, ..relation } } else { relation })
}

/// How the text of `new` relates to that of `known`; `None` where they have too little in common to speak of.
pub(super) fn relate(new: &Marks, known: &Marks, overlap: Overlap, context: Context) -> Option<Relation> {
    let (containment, jaccard) = (overlap.containment(), overlap.jaccard());
    // Everything below asks for as much, and most of what shares anything ends here.
    if overlap.shared < LEAST_SHARED || containment < RELATED {
        return None;
    }
    let smaller = overlap.smaller();
    let same_name = context.same_address || new.same_title(known);
    let says_so_too = same_name || new.same_opening(known);
    let lengths = ratio(smaller, overlap.new.max(overlap.known));
    let reworded = || {
        let least = if lengths >= REWORDED_LENGTHS { REWORDED } else { LIKELY };
        containment >= least && new.words_in_common(known) >= REWORDED_WORDS
    };
    let family = if smaller >= SHORT {
        let clear = || containment >= CERTAIN || says_so_too || new.words_in_common(known) >= CERTAIN_WORDS;
        (containment >= FAMILY && clear()) || (containment >= LIKELY && context.same_day && says_so_too) || reworded()
    } else {
        let whole = containment >= WHOLE && lengths >= WHOLE_LENGTHS && overlap.shared >= WHOLE_SHARED;
        let named = same_name || says_so_too && containment > OPENING;
        containment >= FAMILY && (named || whole)
    };
    let kind = if !family {
        let linked = if smaller >= SHORT { RELATED } else { FAMILY };
        if containment < linked {
            return None;
        }
        VerdictKind::Related
    } else if new.differs_in_subject(known)
        || new.numbers_compared(known).tell_apart(jaccard >= SAME_WORDING || smaller < UPDATE_BELOW)
    {
        VerdictKind::Update
    } else if jaccard >= NEAR || lengths >= REWORDED_LENGTHS {
        VerdictKind::Near
    } else if overlap.new <= overlap.known {
        VerdictKind::Contained
    } else {
        VerdictKind::Expands
    };
    Some(Relation { kind, similarity: containment, jaccard, shared: overlap.shared })
}
