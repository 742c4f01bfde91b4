//! The items of the last days and the stories they form.
//!
//! In: items with their sketches, in the order of the log. Out: for each the story it joins or begins.
//! Promise: what is decided depends on the items in the window and their order alone, so that a window filled again from
//! what was stored decides like the one that was lost; it holds at most [`MAX_MEMBERS`] items; to place one it looks at a
//! bounded number of others.
//!
//! A story is named after the item that began it and takes others for as long as that item is in the window. So a story
//! ends, the state of the window is its members and nothing else, and no chain of reports leads from one week to the next.
//! Stories are never merged later: an item stays where it was put.
//!
//! Terms are weighed by how rare they are among the items of the window, and by a first guess while these are few. An item
//! keeps the weights of the day it came.

use std::collections::{BTreeSet, HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::agree::{self, Agreement, UNIT, Weighed};
use super::common;
use super::sketch::{Sketch, Term};
use crate::id::ItemId;
use crate::text::hashed::Plain;
use crate::units::Span;

/// Items held at most: the oldest leave. So many in 72 hours are one in 1.3 seconds.
pub const MAX_MEMBERS: usize = 200_000;
/// Terms that more items have lead to no candidates.
const COMMON: usize = 256;
/// Entries of the index that are followed for one item.
const LOOKED_AT: usize = 1_000;
/// Items compared term by term.
const COMPARED: usize = 16;
/// Stories that an item is held against, and members of each.
const STORIES: usize = 4;
const MEMBERS: usize = 12;
/// How many items the first guess of a term's rarity counts for.
const GUESSED: f32 = 400.0;

/// An item of the window, as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// Which item.
    pub id: ItemId,
    /// When it was published, or stored where that was earlier.
    pub at: Timestamp,
    /// The item that began its story.
    pub story: ItemId,
    /// Its terms: hash, mark and weight.
    pub terms: Vec<(u32, u8, u16)>,
}

/// Where an item was put.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// The item that began its story; itself where it begins one.
    pub story: ItemId,
    /// How much it agrees with the story; 0 where it begins one.
    pub score: f32,
    /// What is to be stored, so that the window can be filled again; none where the item is too old for it.
    pub member: Option<Member>,
    /// The items that have left the window.
    pub left: Vec<ItemId>,
}

struct Slot {
    id: ItemId,
    at: Timestamp,
    story: ItemId,
    terms: Box<[Weighed]>,
}

/// The window.
#[derive(Default)]
pub struct Stories {
    window: SignedDuration,
    most: usize,
    /// By number, less the number of the first.
    slots: VecDeque<Option<Slot>>,
    first: u32,
    numbers: HashMap<ItemId, u32>,
    /// Numbers of the items that have a term, ascending.
    having: HashMap<u32, VecDeque<u32>, Plain>,
    /// Numbers of the members of each story that is in the window whole, ascending.
    stories: HashMap<ItemId, Vec<u32>>,
    by_time: BTreeSet<(Timestamp, u32)>,
    newest: Option<Timestamp>,
    /// For each slot, what an item that is being placed shares with it; all 0 in between.
    sums: Vec<f32>,
}

impl std::fmt::Debug for Stories {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stories")
            .field("members", &self.len())
            .field("terms", &self.having.len())
            .finish_non_exhaustive()
    }
}

impl Stories {
    /// An empty window of that length.
    pub fn new(window: Span) -> Self {
        Self::holding(window, MAX_MEMBERS)
    }

    /// An empty window that holds at most so many items.
    pub(super) fn holding(window: Span, most: usize) -> Self {
        let window = SignedDuration::try_from(window.get()).unwrap_or(SignedDuration::MAX);
        Self { window, most, ..Self::default() }
    }

    /// Items in the window.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// The story of an item of the window.
    pub fn story(&self, id: ItemId) -> Option<ItemId> {
        self.numbers.get(&id).and_then(|number| self.slot(*number)).map(|slot| slot.story)
    }

    /// Puts a new item into a story. `linked` is the item that it was written from, as far as the wording shows it.
    pub fn place(&mut self, id: ItemId, at: Timestamp, sketch: &Sketch, linked: Option<ItemId>) -> Placed {
        let terms = self.weigh(sketch);
        let (story, score) = self.best(at, &terms, linked).unwrap_or((id, 0.0));
        self.put(id, at, story, score, &terms)
    }

    /// Puts an item into the story that it was in before, in another store.
    pub fn put_back(&mut self, id: ItemId, at: Timestamp, story: ItemId, sketch: &Sketch) -> Placed {
        let terms = self.weigh(sketch);
        self.put(id, at, story, 0.0, &terms)
    }

    fn put(&mut self, id: ItemId, at: Timestamp, story: ItemId, score: f32, terms: &[Weighed]) -> Placed {
        if self.newest.is_some_and(|newest| at < self.start(newest)) {
            return Placed { story, score, member: None, left: Vec::new() };
        }
        let member = Member { id, at, story, terms: terms.iter().map(stored).collect() };
        self.insert(&member);
        let left = self.expire();
        Placed { story, score, member: Some(member), left }
    }

    /// What is to be stored of an item whose words have changed: it stays in its story. None where it is not in the window.
    pub fn revise(&mut self, id: ItemId, sketch: &Sketch) -> Option<Member> {
        let (story, at) =
            self.numbers.get(&id).and_then(|number| self.slot(*number)).map(|slot| (slot.story, slot.at))?;
        let terms = self.weigh(sketch).iter().map(stored).collect();
        let member = Member { id, at, story, terms };
        self.insert(&member);
        Some(member)
    }

    /// Adds an item whose story is known: one that was stored. In the order in which they were stored.
    pub fn insert(&mut self, member: &Member) {
        let Member { id, at, story, terms } = member;
        let terms: Box<[Weighed]> = terms.iter().map(weighed).collect();
        let number = match self.numbers.get(id) {
            Some(number) => {
                let number = *number;
                self.forget(number);
                number
            }
            None => {
                let Some(number) = u32::try_from(self.slots.len()).ok().and_then(|n| self.first.checked_add(n)) else {
                    return;
                };
                self.slots.push_back(None);
                number
            }
        };
        for Weighed { term, .. } in &terms {
            let having = self.having.entry(term.hash).or_default();
            let place = having.partition_point(|other| *other < number);
            having.insert(place, number);
        }
        if *story == *id || self.stories.contains_key(story) {
            let members = self.stories.entry(*story).or_default();
            let place = members.partition_point(|other| *other < number);
            members.insert(place, number);
        }
        self.numbers.insert(*id, number);
        self.by_time.insert((*at, number));
        self.newest = self.newest.max(Some(*at));
        if let Some(slot) = self.slot_mut(number) {
            *slot = Some(Slot { id: *id, at: *at, story: *story, terms });
        }
    }

    /// Takes an item out; whether it was there.
    pub fn remove(&mut self, id: ItemId) -> bool {
        let Some(number) = self.numbers.get(&id).copied() else { return false };
        self.forget(number);
        // Its story takes no more.
        self.stories.remove(&id);
        self.drop_empty();
        true
    }

    /// Takes out what is older than the window, or more than it may hold.
    fn expire(&mut self) -> Vec<ItemId> {
        let mut left = Vec::new();
        let Some(start) = self.newest.map(|newest| self.start(newest)) else { return left };
        while let Some((at, number)) = self.by_time.first().copied() {
            if at >= start && self.numbers.len() <= self.most {
                break;
            }
            let Some(id) = self.slot(number).map(|slot| slot.id) else { break };
            self.forget(number);
            self.stories.remove(&id);
            left.push(id);
        }
        self.drop_empty();
        left
    }

    fn start(&self, newest: Timestamp) -> Timestamp {
        newest.checked_sub(self.window).unwrap_or(Timestamp::MIN)
    }

    fn drop_empty(&mut self) {
        while self.slots.front().is_some_and(Option::is_none) {
            self.slots.pop_front();
            self.first += 1;
        }
    }

    /// Empties a slot.
    fn forget(&mut self, number: u32) {
        let Some(slot) = self.slot_mut(number).and_then(Option::take) else { return };
        for Weighed { term, .. } in &slot.terms {
            if let Some(having) = self.having.get_mut(&term.hash) {
                if let Ok(place) = having.binary_search(&number) {
                    having.remove(place);
                }
                if having.is_empty() {
                    self.having.remove(&term.hash);
                }
            }
        }
        if let Some(members) = self.stories.get_mut(&slot.story) {
            members.retain(|other| *other != number);
        }
        self.numbers.remove(&slot.id);
        self.by_time.remove(&(slot.at, number));
    }

    fn slot(&self, number: u32) -> Option<&Slot> {
        self.slots.get(number.checked_sub(self.first)? as usize)?.as_ref()
    }

    fn slot_mut(&mut self, number: u32) -> Option<&mut Option<Slot>> {
        self.slots.get_mut(number.checked_sub(self.first)? as usize)
    }

    /// The terms with their weights: how much the text makes of each, times how rare it is.
    fn weigh(&self, sketch: &Sketch) -> Vec<Weighed> {
        #[expect(clippy::cast_precision_loss, reason = "a logarithm of it is taken")]
        let rarity = |term: &Term| {
            let having = self.having.get(&term.hash).map_or(0, VecDeque::len) as f32;
            let all = self.numbers.len() as f32 + GUESSED;
            log2(all / (having + GUESSED * common::expected(term.hash) + 0.5)).max(0.0)
        };
        let weights: Vec<f32> = sketch.terms.iter().map(|term| term.strength() * rarity(term)).collect();
        let length = weights.iter().map(|weight| weight * weight).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        let weighed = |(term, weight): (&Term, f32)| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 65,535")]
            let weight = (weight / length * UNIT) as u16;
            Weighed { term: *term, weight }
        };
        sketch.terms.iter().zip(weights).map(weighed).collect()
    }

    /// The items that share the rarest terms, each with about how much.
    fn similar(&mut self, terms: &[Weighed]) -> Vec<u32> {
        let mut rare: Vec<&Weighed> = terms.iter().collect();
        rare.sort_unstable_by_key(|weighed| (std::cmp::Reverse(weighed.weight), weighed.term.hash));
        self.sums.resize(self.slots.len(), 0.0);
        let (mut looked_at, mut touched) = (0, Vec::new());
        for Weighed { term, weight } in rare {
            let Some(having) = self.having.get(&term.hash).filter(|having| having.len() <= COMMON) else { continue };
            looked_at += having.len();
            if looked_at > LOOKED_AT {
                break;
            }
            let weight = (f32::from(*weight) * f32::from(*weight)).max(1.0);
            for number in having {
                if let Some(sum) = self.sums.get_mut((number - self.first) as usize) {
                    if *sum == 0.0 {
                        touched.push(*number);
                    }
                    *sum += weight;
                }
            }
        }
        let take = |number: u32| {
            let sum = self.sums.get_mut((number - self.first) as usize).map(std::mem::take);
            (number, sum.unwrap_or_default())
        };
        let mut found: Vec<(u32, f32)> = touched.into_iter().map(take).collect();
        let order = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(b.0.cmp(&a.0));
        if found.len() > COMPARED {
            found.select_nth_unstable_by(COMPARED, order);
            found.truncate(COMPARED);
        }
        found.sort_unstable_by(order);
        found.into_iter().map(|(number, _)| number).collect()
    }

    /// The story that an item belongs to most.
    fn best(&mut self, at: Timestamp, terms: &[Weighed], linked: Option<ItemId>) -> Option<(ItemId, f32)> {
        let mut numbers = self.similar(terms);
        let linked = linked.and_then(|id| self.numbers.get(&id).copied());
        numbers.extend(linked.filter(|number| !numbers.contains(number)));
        // The agreements are computed once: a member of several lists is one item.
        let mut known: HashMap<u32, Agreement, Plain> = HashMap::default();
        let mut near: Vec<(f32, ItemId)> = Vec::new();
        for number in numbers {
            let Some(slot) = self.slot(number) else { continue };
            let agreement = agree::compare(terms, &slot.terms);
            known.insert(number, agreement);
            near.push((agreement.score(), slot.story));
        }
        near.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut stories: Vec<ItemId> = Vec::new();
        for (_, story) in near.iter().filter(|(score, _)| *score > 0.0) {
            if stories.len() < STORIES && !stories.contains(story) {
                stories.push(*story);
            }
        }
        let mut best: Option<(ItemId, f32)> = None;
        for story in stories {
            if let Some(score) = self.belongs(story, at, terms, linked, &known)
                && best.is_none_or(|(_, found)| score > found)
            {
                best = Some((story, score));
            }
        }
        best
    }

    fn belongs(
        &self,
        story: ItemId,
        at: Timestamp,
        terms: &[Weighed],
        linked: Option<u32>,
        known: &HashMap<u32, Agreement, Plain>,
    ) -> Option<f32> {
        let began = self.numbers.get(&story).and_then(|number| self.slot(*number))?.at;
        if at.duration_since(began).abs() > self.window {
            return None;
        }
        let members = self.stories.get(&story)?;
        // The one that began it, so that it does not wander off, and the newest.
        let newest = members.get(members.len().saturating_sub(MEMBERS - 1).max(1)..).unwrap_or_default();
        let mut scores = Vec::with_capacity(MEMBERS);
        let mut waited = self.window;
        for number in members.first().into_iter().chain(newest) {
            let Some(slot) = self.slot(*number) else { continue };
            let agreement = known.get(number).copied().unwrap_or_else(|| agree::compare(terms, &slot.terms));
            scores.push(agreement.score());
            waited = waited.min(at.duration_since(slot.at).abs());
        }
        #[expect(clippy::cast_possible_truncation, reason = "a share")]
        let waited = (waited.as_secs_f64() / self.window.as_secs_f64().max(1.0)) as f32;
        // A template filled in for another place is linked by its wording as well.
        let linked = linked.filter(|linked| members.contains(linked)).and_then(|linked| known.get(&linked));
        agree::belongs(&scores, waited, linked.is_some_and(|linked| !linked.other_country && !linked.other_place))
    }
}

fn stored(weighed: &Weighed) -> (u32, u8, u16) {
    (weighed.term.hash, weighed.term.mark, weighed.weight)
}

fn weighed(stored: &(u32, u8, u16)) -> Weighed {
    let (hash, mark, weight) = *stored;
    Weighed { term: Term { hash, mark }, weight }
}

/// The binary logarithm of a positive number, by additions and multiplications alone: those of the system's library differ
/// from machine to machine. Off by less than 0.01.
fn log2(x: f32) -> f32 {
    let bits = x.to_bits();
    let exponent = f32::from(i16::try_from(bits >> 23).unwrap_or(127) - 127);
    let mantissa = f32::from_bits((bits & 0x007f_ffff) | 0x3f80_0000);
    exponent + (mantissa - 1.0) * (1.0 + (2.0 - mantissa) * 0.344)
}
