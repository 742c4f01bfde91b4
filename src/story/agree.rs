//! Two items to how much they agree, and an item and a story to whether it belongs there.
//!
//! In: weighed terms. Out: an [`Agreement`] of two items; of an item with the members of a story, a score or nothing.
//! Promise: pure, and the same to the last bit on every machine: sums, products and square roots only.
//! Why not the cosine alone: reports of two events of one kind share all their usual words, so where each names a place
//! that the other does not know, their agreement counts for less; and a story that an item agrees with in one member only
//! would grow from one event to the next like a chain.

use super::sketch::{COUNTRY, LEAD, PLACE, TITLE, Term};

/// A term with its weight in the item: of all, the squares add up to one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Weighed {
    pub(super) term: Term,
    /// In parts of [`UNIT`].
    pub(super) weight: u16,
}

/// What a weight of one is stored as.
pub(super) const UNIT: f32 = 65_535.0;

/// What two items have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Agreement {
    /// The cosine of their terms.
    pub(super) cosine: f32,
    /// Terms in common.
    pub(super) shared: u16,
    /// Terms in common that stand in a title or lead on both sides and say something.
    pub(super) telling: u16,
    /// Each is about a country, or has one in its title, that the other does not mention.
    pub(super) other_country: bool,
    /// Each names a place that the other does not mention.
    pub(super) other_place: bool,
    /// And the titles name them.
    pub(super) other_title_place: bool,
}

/// The weight, in parts of [`UNIT`], from which a shared term tells something.
const TELLING: u16 = 6_500;

/// Which places a side names, and how many of them the other side knows.
#[derive(Default)]
struct Known {
    named: u16,
    shared: u16,
    /// Whether the title names one that the other side does not know.
    own_title: bool,
}

impl Known {
    fn see(&mut self, term: Term, shared: bool) {
        self.named += 1;
        self.shared += u16::from(shared);
        self.own_title |= term.is(TITLE) && !shared;
    }
}

/// Compares two items' terms, sorted by hash.
pub(super) fn compare(one: &[Weighed], other: &[Weighed]) -> Agreement {
    let mut agreement = Agreement::default();
    let (mut countries, mut places) = ([Known::default(), Known::default()], [Known::default(), Known::default()]);
    let mut dot = 0.0;
    let mut see = |side: usize, term: Term, shared: bool| {
        if term.is(COUNTRY) && (term.is(TITLE) || term.is(LEAD) && term.strength() >= 7.0) {
            countries[side].see(term, shared);
        } else if term.is(PLACE | LEAD) {
            places[side].see(term, shared);
        }
    };
    let mut rest = other.iter().peekable();
    for mine in one {
        while let Some(theirs) = rest.next_if(|theirs| theirs.term.hash < mine.term.hash) {
            see(1, theirs.term, false);
        }
        match rest.next_if(|theirs| theirs.term.hash == mine.term.hash) {
            Some(theirs) => {
                see(0, mine.term, true);
                see(1, theirs.term, true);
                dot += f32::from(mine.weight) * f32::from(theirs.weight);
                agreement.shared += 1;
                let telling = mine.weight >= TELLING && theirs.weight >= TELLING;
                agreement.telling += u16::from(telling && mine.term.is(LEAD) && theirs.term.is(LEAD));
            }
            None => see(0, mine.term, false),
        }
    }
    rest.for_each(|theirs| see(1, theirs.term, false));
    agreement.cosine = dot / (UNIT * UNIT);
    let apart = |known: &[Known; 2]| known.iter().all(|side| side.named > 0 && side.shared == 0);
    agreement.other_country = apart(&countries) || countries.iter().all(|side| side.own_title);
    agreement.other_place = apart(&places);
    agreement.other_title_place = agreement.other_place && places.iter().all(|side| side.own_title);
    agreement
}

/// What of an agreement is left where each item is about a country, or a place, that the other does not mention.
const OTHER_COUNTRY: f32 = 0.2;
const OTHER_PLACE: f32 = 0.75;
const OTHER_TITLE_PLACE: f32 = 0.5;
/// Shared telling terms below which two items do not agree, whatever their cosine.
const LEAST_TELLING: u16 = 2;

impl Agreement {
    /// The cosine, less where places speak against it.
    pub(super) fn score(&self) -> f32 {
        if self.telling < LEAST_TELLING {
            return 0.0;
        }
        let country = if self.other_country { OTHER_COUNTRY } else { 1.0 };
        let place = match (self.other_place, self.other_title_place) {
            (_, true) => OTHER_TITLE_PLACE,
            (true, _) => OTHER_PLACE,
            _ => 1.0,
        };
        self.cosine * country * place
    }
}

/// The score from which an item belongs to a story at once.
const JOIN: f32 = 0.17;
/// How much more it takes after a whole window.
const LATER: f32 = 0.06;
/// How much less where the wording shows that one was written from the other.
const LINKED: f32 = 0.04;
/// The share of the threshold that the mean over all members has to reach.
const COHESION: f32 = 0.9;

/// What an item's agreements with the members of a story come to, if it belongs there. `waited` is the time since the
/// member nearest in time, in parts of the window; `linked` that a member is its update or relative by wording.
pub(super) fn belongs(scores: &[f32], waited: f32, linked: bool) -> Option<f32> {
    let best = scores.iter().copied().fold(0.0, f32::max);
    let mean = scores.iter().sum::<f32>() / f32::from(u16::try_from(scores.len().max(1)).unwrap_or(u16::MAX));
    let threshold = JOIN + LATER * waited - if linked { LINKED } else { 0.0 };
    let score = 0.5 * best + 0.5 * mean;
    (score >= threshold && mean >= COHESION * threshold).then_some(score)
}
