//! What a topic has learned from examples, and what it says of an article.
//!
//! In: examples, counter-examples and a sample of the stream ([`teach`]). Out: [`Learned`], which is stored, and what its
//! scores mean; how it does on what it has not learned from ([`Trial`]).
//! Promise: pure.
//! Not here: how weights are found ([`super::learn`]), asking all models of an article ([`super::models`]), what a strength
//! adds to a score ([`super::matcher`]).
//!
//! A model's score means nothing by itself. It is measured on what the model has not learned from: each example is scored
//! by a model of the others, and so is the stream. `alone` lies between what the stream reaches and what examples reach:
//! from there on a text is like the examples whatever else it says. Half as strong (`with_gate`) is what only few texts of
//! the stream reach: enough where the gate holds as well.

use serde::{Deserialize, Serialize};

use super::bag::{Background, Bag, Vector};
use super::learn::{Fit, LOGISTIC_FROM, Linear, logistic, rocchio, unlike};

/// Terms of a model from a few examples.
const TERMS: usize = 60;
/// The cosines that hold where nothing can be measured, from the trials: five articles against 76,803 others.
const ALONE: f32 = 0.35;
const WITH_GATE: f32 = 0.17;
/// In how many parts examples are left out in turn; one by one while they are few.
const FOLDS: usize = 10;
/// Of fewer examples a weight for every term says more about them than about their topic.
const FEWEST_AGAINST_STREAM: usize = 3;
/// With fewer articles of the stream nothing can be measured against it.
const FEWEST_OF_STREAM: usize = 200;
/// A centre counts as its documents, up to so many.
const MOST_OF_CENTRE: u32 = 200;
/// What a document that belongs to a centre is taken to reach at least of what the centre itself does: enough for each seed to be
/// found by a pack of the other four (`tests/it/learned.rs`), and little enough to leave the stream out.
const OF_CENTRE: f32 = 0.3;
/// The part of the stream that may reach `with_gate` besides the examples.
const STREAM_SHARE: f32 = 0.01;

/// How a model was learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// What few examples share.
    Rocchio,
    /// A weight for every term.
    Logistic,
}

/// A model with what its scores mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Learned {
    /// How it was learned.
    pub way: Way,
    /// The weights.
    pub model: Linear,
    /// The score from which a text is like the examples whatever else it says.
    pub alone: f32,
    /// The score that is enough where the gate holds as well.
    pub with_gate: f32,
    /// From how many examples.
    pub examples: u32,
    /// Against how many counter-examples.
    pub against: u32,
    /// Against how many articles of the stream.
    pub stream: u32,
}

/// What a model does with examples that it has not learned from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// For each example, in order, how strong it is by a model of the others.
    pub examples: Vec<f32>,
    /// The same for the counter-examples.
    pub against: Vec<f32>,
    /// Articles of the stream at strength 1 and above.
    pub of_stream: u32,
    /// Average precision: examples against counter-examples and the stream.
    pub average_precision: f32,
}

impl Learned {
    /// How strong a score is: 1 at `alone`, ½ at `with_gate`, in proportion between and beyond; 0 below `with_gate`.
    pub fn strength(&self, score: f32) -> f32 {
        if score < self.with_gate || score.is_nan() {
            return 0.0;
        }
        0.5 + 0.5 * (score - self.with_gate) / (self.alone - self.with_gate).max(f32::EPSILON)
    }
}

/// What is taught.
#[derive(Clone, Copy, Debug)]
pub struct Lesson<'a> {
    /// What belongs to the topic.
    pub examples: &'a [Bag],
    /// What somebody said does not.
    pub against: &'a [Bag],
    /// A sample of what comes in, without the examples.
    pub stream: &'a [Bag],
    /// How rare terms are.
    pub background: &'a Background,
}

/// The centre of examples that are not at hand themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Centre {
    /// How many they are.
    pub documents: u32,
    /// The mean share of their strongest single words ([`crate::text::stem::term`]), sorted by term.
    pub terms: Vec<(u32, f32)>,
}

/// Learns from a lesson; `None` where there is no example with a word in it.
pub fn teach(lesson: Lesson<'_>) -> Option<(Learned, Trial)> {
    teach_with(lesson, &[])
}

/// Learns from a lesson and from examples of which only the centres are known. Nothing of these can be held out.
pub fn teach_with(lesson: Lesson<'_>, centres: &[Centre]) -> Option<(Learned, Trial)> {
    let vectors = |bags: &[Bag]| -> Vec<Vector> {
        bags.iter().filter(|bag| !bag.is_empty()).map(|bag| lesson.background.vector(bag)).collect()
    };
    let (yes, no, stream) = (vectors(lesson.examples), vectors(lesson.against), vectors(lesson.stream));
    let centres: Vec<(usize, Vector)> = centres
        .iter()
        .filter(|centre| centre.documents > 0 && !centre.terms.is_empty())
        .map(|centre| (centre.documents.min(MOST_OF_CENTRE) as usize, lesson.background.centre(&centre.terms)))
        .collect();
    if yes.is_empty() && centres.is_empty() {
        return None;
    }
    // As if each of its documents were like the centre.
    let given: Vec<&Vector> = centres.iter().flat_map(|(times, centre)| std::iter::repeat_n(centre, *times)).collect();
    let way = choose(&yes, &no, &stream);
    let model = fit(way, &all(&yes), &given, &all(&no), &all(&stream));
    let mut held_out = hold_out(way, &yes, &given, &no, &stream);
    if yes.is_empty() && given.len() > 1 {
        held_out.reach = centres.iter().map(|(_, centre)| OF_CENTRE * model.score(centre)).reduce(f32::min);
    }
    let against = unlike(&all(&yes), &given, OF_CENTRE, &all(&stream));
    let (alone, with_gate) = calibrate(way, &held_out, &against);
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let count = |vectors: &[Vector]| number(vectors.len());
    let (examples, against) = (number(yes.len() + given.len()), count(&no));
    let learned = Learned { way, model, alone, with_gate, examples, against, stream: count(&stream) };
    let strengths = |scores: &[f32]| scores.iter().map(|score| learned.strength(*score)).collect::<Vec<_>>();
    let of_stream = held_out.stream.iter().filter(|score| **score >= learned.alone).count();
    let trial = Trial {
        examples: strengths(&held_out.yes),
        against: strengths(&held_out.no),
        of_stream: u32::try_from(of_stream).unwrap_or(u32::MAX),
        average_precision: average_precision(&held_out),
    };
    Some((learned, trial))
}

/// The logistic way from [`LOGISTIC_FROM`] on, and from [`FEWEST_AGAINST_STREAM`] on where there is a stream.
///
/// In the trials from five examples it was ahead of Rocchio's for sections and for stories, once what the stream holds of
/// the topic was not held against it. Without a stream there is next to nothing to tell the examples from.
fn choose(yes: &[Vector], no: &[Vector], stream: &[Vector]) -> Way {
    let few = if stream.len() >= FEWEST_OF_STREAM { FEWEST_AGAINST_STREAM } else { LOGISTIC_FROM };
    if yes.len() >= few && no.len() + stream.len() >= LOGISTIC_FROM { Way::Logistic } else { Way::Rocchio }
}

fn all(vectors: &[Vector]) -> Vec<&Vector> {
    vectors.iter().collect()
}

fn fit(way: Way, yes: &[&Vector], given: &[&Vector], no: &[&Vector], stream: &[&Vector]) -> Linear {
    let every = [yes, given].concat();
    match way {
        Way::Rocchio => rocchio(&every, no, stream, TERMS),
        Way::Logistic => {
            let against = stream.iter().zip(unlike(yes, given, OF_CENTRE, stream)).filter(|(_, against)| *against);
            let against: Vec<&Vector> = no.iter().copied().chain(against.map(|(vector, _)| *vector)).collect();
            logistic(&every, &against, Fit::default())
        }
    }
}

/// Scores by models that have not seen what they score.
struct HeldOut {
    yes: Vec<f32>,
    no: Vec<f32>,
    stream: Vec<f32>,
    /// What examples reach that could not be held out.
    reach: Option<f32>,
}

/// `given`: what every model learns from besides, with nothing of it left out.
fn hold_out(way: Way, yes: &[Vector], given: &[&Vector], no: &[Vector], stream: &[Vector]) -> HeldOut {
    let folds = match way {
        Way::Rocchio => yes.len().max(no.len()).clamp(2, LOGISTIC_FROM),
        Way::Logistic => yes.len().clamp(2, FOLDS),
    };
    let mut out =
        HeldOut { yes: vec![0.0; yes.len()], no: vec![0.0; no.len()], stream: vec![0.0; stream.len()], reach: None };
    for fold in 0..folds {
        let some_yes = without(yes, fold, folds);
        if some_yes.is_empty() && given.is_empty() {
            continue;
        }
        let model = fit(way, &some_yes, given, &without(no, fold, folds), &without(stream, fold, folds));
        for (scores, vectors) in [(&mut out.yes, yes), (&mut out.no, no), (&mut out.stream, stream)] {
            for i in (fold..vectors.len()).step_by(folds) {
                scores[i] = model.score(&vectors[i]);
            }
        }
    }
    // Of one example a model is left only where there is something besides.
    if yes.len() > 1 || !given.is_empty() {
        let mut sorted = out.yes.clone();
        sorted.sort_by(f32::total_cmp);
        // One example in ten may be an odd one.
        out.reach = (!sorted.is_empty()).then(|| at(&sorted, 0.1));
    }
    out
}

/// The value that this share of the sorted values does not reach.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a place in a list"
)]
fn at(sorted: &[f32], share: f32) -> f32 {
    sorted.get((sorted.len().saturating_sub(1) as f32 * share) as usize).copied().unwrap_or_default()
}

/// All but every `folds`-th, counted from `fold`.
fn without(vectors: &[Vector], fold: usize, folds: usize) -> Vec<&Vector> {
    vectors.iter().enumerate().filter(|(i, _)| i % folds != fold).map(|(_, vector)| vector).collect()
}

/// `alone` and `with_gate`. `against`: which articles of the stream are held against the examples.
fn calibrate(way: Way, scores: &HeldOut, against: &[bool]) -> (f32, f32) {
    let measured = scores.stream.iter().zip(against).filter(|(_, against)| **against);
    let mut stream: Vec<f32> = measured.map(|(score, _)| *score).collect();
    stream.sort_by(f32::total_cmp);
    let (Some(highest), true) = (stream.last().copied(), scores.stream.len() >= FEWEST_OF_STREAM) else {
        return match way {
            Way::Rocchio => (ALONE, WITH_GATE),
            Way::Logistic => (0.0, -1.0),
        };
    };
    // With one example alone nothing is known of how far others reach.
    let reach = scores.reach.unwrap_or(highest);
    // Of many articles of the stream one or the other may belong to the topic without anyone having said so.
    let ceiling = at(&stream, 1.0 - 1.0 / 2_000.0).min(highest);
    let alone = match way {
        Way::Rocchio if scores.reach.is_none() => ALONE.max(highest * 1.1),
        _ if reach > ceiling => ceiling + (reach - ceiling) * 0.5,
        _ => ceiling + (highest - ceiling).abs() * 0.5 + 1e-3,
    };
    let with_gate = at(&stream, 1.0 - STREAM_SHARE);
    (alone, with_gate.min(alone - (alone.abs() * 0.25).max(1e-3)))
}

/// The mean, over the examples, of the share of examples among all that score as high or higher.
fn average_precision(scores: &HeldOut) -> f32 {
    let mut ranked: Vec<(f32, bool)> = scores.yes.iter().map(|score| (*score, true)).collect();
    ranked.extend(scores.no.iter().chain(&scores.stream).map(|score| (*score, false)));
    // Ties count against.
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let (mut found, mut sum) = (0_u16, 0.0);
    for (rank, (_, is)) in (1_u32..).zip(ranked) {
        if is {
            found = found.saturating_add(1);
            #[expect(clippy::cast_precision_loss, reason = "a share")]
            let precision = f32::from(found) / rank as f32;
            sum += precision;
        }
    }
    if found == 0 { 0.0 } else { sum / f32::from(found) }
}
