//! Why a verdict was given: what two texts have in common, and which of it was needed.
//!
//! In: two fingerprints and what else is known of the pair. Out: a [`Reason`].
//! Promise: the figures are those that [`relate_unless_apart`] decides by; what is named as needed is enough, and nothing of it could
//! be left out.
//! Why it asks again with less evidence, and does not repeat the rules: so that it can never say something else than they do.

use serde::{Deserialize, Serialize};

use super::VerdictKind;
use super::apart::apart;
use super::compare::{Context, Marks, Overlap, Relation, relate_unless_apart};
use super::fingerprint::{Fingerprint, Sketch};
use super::subjects::{Vocabulary, that_differ};

/// Something that speaks for a verdict, besides the shared shingles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Each has a part of its own, and what they share is whole passages.
    Apart,
    /// A place with the same words around it holds another number or weekday.
    Numbers,
    /// Each is about something that the other does not mention.
    Subjects,
    /// The titles are the same.
    SameTitle,
    /// The title or one of the first lines begins alike.
    SameOpening,
    /// They stand at one address.
    SameAddress,
    /// They were published within a day.
    SameDay,
    /// They use the same words, in any order.
    SameWords,
}

impl Evidence {
    /// In words, as the end of "because of …".
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Apart => "a part of its own in each",
            Self::Numbers => "another number or day in the same place",
            Self::Subjects => "different subjects",
            Self::SameTitle => "the same title",
            Self::SameOpening => "the same opening",
            Self::SameAddress => "the same address",
            Self::SameDay => "the same day",
            Self::SameWords => "the same words in any order",
        }
    }
}

/// What two texts have in common, in the letters of `docs/duplicates.md`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Reason {
    /// What the two texts are to each other, compared now; `None` where they have too little in common. Another than the
    /// verdict that is stored where a text was revised since, or somebody has judged.
    pub kind: Option<VerdictKind>,
    /// S: shingles in both.
    pub shared: u32,
    /// Shingles of this text.
    pub ours: u32,
    /// Shingles of the other.
    pub theirs: u32,
    /// C: the shared ones to those of the smaller text, 0 to 1.
    pub containment: f32,
    /// J: the shared ones to those of either, 0 to 1.
    pub jaccard: f32,
    /// W: about how much of the smaller text's words the larger has, 0 to 1.
    pub words: f32,
    /// What speaks for it, whether it was needed or not.
    pub evidence: Vec<Evidence>,
    /// What was needed besides the shared shingles; empty where they were enough.
    pub needed: Vec<Evidence>,
}

/// In this order evidence is tried to do without: what says least first.
const ALL: [Evidence; 8] = [
    Evidence::SameDay,
    Evidence::SameWords,
    Evidence::SameAddress,
    Evidence::SameOpening,
    Evidence::SameTitle,
    Evidence::Subjects,
    Evidence::Numbers,
    Evidence::Apart,
];

impl Reason {
    /// Why the text of `ours` is to that of `theirs` what it is.
    pub fn of(ours: &Fingerprint, theirs: &Fingerprint, context: Context) -> Self {
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let overlap = Overlap {
            shared: ours.shared_with(theirs),
            new: small(ours.shingles.len()),
            known: small(theirs.shingles.len()),
        };
        let (a, b) = (Marks::of(ours), Marks::of(theirs));
        let evidence: Vec<Evidence> =
            ALL.into_iter().filter(|what| speaks(*what, &a, &b, ours, theirs, context)).collect();
        let related = |left: &[Evidence]| without(ours, theirs, overlap, context, left);
        let kind = related(&evidence).map(|relation| relation.kind);
        let mut needed = evidence.clone();
        for what in &evidence {
            let fewer: Vec<Evidence> = needed.iter().copied().filter(|other| other != what).collect();
            if related(&fewer).map(|relation| relation.kind) == kind {
                needed = fewer;
            }
        }
        let same = ours.content.is_some() && ours.content == theirs.content;
        Self {
            kind: if same { Some(VerdictKind::Exact) } else { kind },
            shared: overlap.shared,
            ours: overlap.new,
            theirs: overlap.known,
            containment: overlap.containment(),
            jaccard: overlap.jaccard(),
            words: a.words_in_common(&b),
            evidence,
            needed: if same { Vec::new() } else { needed },
        }
    }

    /// In one sentence: what was enough.
    pub fn in_words(&self) -> String {
        let percent = (self.containment * 100.0).round();
        let smaller = self.ours.min(self.theirs);
        let shingles = format!("{} of the {smaller} shingles of the shorter text, {percent} %", self.shared);
        match (self.kind, self.needed.as_slice()) {
            (Some(VerdictKind::Exact), _) => "the same text, once spelling marks are left out".to_owned(),
            (None, _) => format!("too little in common to speak of: {shingles}"),
            (Some(_), []) => format!("{shingles}, which is enough by itself"),
            (Some(_), needed) => {
                let named: Vec<&str> = needed.iter().rev().map(|what| what.in_words()).collect();
                format!("{shingles}, and {}", named.join(", "))
            }
        }
    }
}

fn speaks(what: Evidence, a: &Marks, b: &Marks, ours: &Fingerprint, theirs: &Fingerprint, context: Context) -> bool {
    match what {
        Evidence::Apart => apart(&ours.shingles, &theirs.shingles),
        Evidence::Numbers => a.numbers_compared(b).other > 0,
        Evidence::Subjects => that_differ(&ours.vocabulary, &theirs.vocabulary).is_some(),
        Evidence::SameTitle => a.same_title(b),
        Evidence::SameOpening => a.same_opening(b),
        Evidence::SameAddress => context.same_address,
        Evidence::SameDay => context.same_day,
        Evidence::SameWords => a.words_in_common(b) > 0.0,
    }
}

/// What the two are to each other where nothing but `left` speaks.
fn without(
    ours: &Fingerprint,
    theirs: &Fingerprint,
    overlap: Overlap,
    context: Context,
    left: &[Evidence],
) -> Option<Relation> {
    let has = |what: Evidence| left.contains(&what);
    let mut ours = ours.clone();
    if !has(Evidence::Numbers) {
        ours.numbers.clear();
    }
    if !has(Evidence::Subjects) {
        ours.vocabulary = Vocabulary::default();
    }
    if !has(Evidence::SameTitle) {
        ours.title = None;
    }
    if !has(Evidence::SameOpening) {
        ours.openings.clear();
    }
    if !has(Evidence::SameWords) {
        ours.sketch = Sketch::default();
    }
    let context = Context {
        same_address: context.same_address && has(Evidence::SameAddress),
        same_day: context.same_day && has(Evidence::SameDay),
    };
    let apart = || has(Evidence::Apart) && apart(&ours.shingles, &theirs.shingles);
    relate_unless_apart(&Marks::of(&ours), &Marks::of(theirs), overlap, context, apart)
}
