//! What places are worth, and which of them are shown.
//!
//! In: the spans where a rule holds, its weight. Out: a contribution in whole hundredths, shared out over the places shown.
//! Promise: what is shown adds up to the score exactly, on paper too: everything is counted in hundredths.
//! Not here: the decision ([`super::matcher`]).
//!
//! ```text
//! contribution = w × n/(n+1) × (1 + 1 where one stands in the title + 0.5 where one stands in the lead)
//! ```
//! with `n` the places that do not overlap. So `w` is what one place in a headline adds; one place in the lead of the text
//! alone adds ¾ w, one further down ½ w, and no number of places more than 2½ w. The bonuses are those of the trial behind
//! the first topics, where they separated five known articles from 76,803 others.

use super::evaluate::{Document, Span};
use super::{Evidence, Field};

/// The most places that one rule shows.
const MAX_SHOWN: usize = 5;
/// What a rule adds at most, as a multiple of its weight.
pub(super) const MOST: f32 = 2.5;

/// What `spans` add with the weight `weight`, in hundredths.
pub(super) fn contribution(weight: f32, spans: &[Span]) -> i64 {
    if spans.is_empty() {
        return 0;
    }
    let n = f64::from(u32::try_from(spans.len()).unwrap_or(u32::MAX));
    let title = if spans.iter().any(|span| span.field == Field::Title) { 1.0 } else { 0.0 };
    let lead = if spans.iter().any(|span| span.in_lead()) { 0.5 } else { 0.0 };
    hundredths(f64::from(weight) * n / (n + 1.0) * (1.0 + title + lead))
}

/// In whole hundredths, rounded.
#[expect(clippy::cast_possible_truncation, reason = "weights are checked to be small when topics are compiled")]
pub(super) fn hundredths(value: f64) -> i64 {
    (value * 100.0).round() as i64
}

/// Hundredths as readers get them.
#[expect(clippy::cast_precision_loss, reason = "scores have few digits")]
pub(super) fn shown(hundredths: i64) -> f32 {
    hundredths as f32 / 100.0
}

/// Evidence for `total` hundredths at some of `spans`: one for each wording first (in the title, in the lead, then further
/// down), more of the same after that; in the order they stand in. With a total of 0, evidence of weight 0.
pub(super) fn evidence(rule: &str, total: i64, spans: &[Span], document: &Document<'_>) -> Vec<Evidence> {
    // No share may vanish: a total of 0.03 is shown at three places at most.
    let room = match usize::try_from(total.unsigned_abs()) {
        Ok(0) | Err(_) => MAX_SHOWN,
        Ok(some) => some.min(MAX_SHOWN),
    };
    let mut chosen = choose(spans, room, document);
    chosen.sort_unstable();
    let count = i64::try_from(chosen.len()).unwrap_or(i64::MAX).max(1);
    let (each, left) = (total / count, total % count);
    (0..)
        .zip(chosen)
        .map(|(i, span)| {
            let (start, end, text) = document.original(span);
            let share = each + if i < left.abs() { left.signum() } else { 0 };
            Evidence {
                rule: rule.to_owned(),
                weight: shown(share),
                field: span.field,
                start,
                end,
                text: text.to_owned(),
            }
        })
        .collect()
}

/// Evidence for `total` hundredths at places of different worth, shared out in proportion; the largest first.
pub(super) fn shared_out(rule: &str, total: i64, places: &[(Span, f32)], document: &Document<'_>) -> Vec<Evidence> {
    let places = places.get(..places.len().min(MAX_SHOWN)).unwrap_or_default();
    let worth: f64 = places.iter().map(|(_, worth)| f64::from(*worth)).sum();
    let (mut given, mut out) = (0, Vec::new());
    let mut upto = 0.0;
    for (span, each) in places {
        upto += f64::from(*each);
        // Rounded at the running total, so that the shares add up.
        let share = hundredths(shown(total).into()).min(hundredths(f64::from(shown(total)) * upto / worth)) - given;
        given += share;
        let (start, end, text) = document.original(*span);
        let (field, text) = (span.field, text.to_owned());
        out.push(Evidence { rule: rule.to_owned(), weight: shown(share), field, start, end, text });
    }
    out
}

fn choose(spans: &[Span], room: usize, document: &Document<'_>) -> Vec<Span> {
    let (mut chosen, mut wordings, mut repeated) = (Vec::new(), Vec::new(), Vec::new());
    for span in spans {
        if chosen.len() >= room {
            return chosen;
        }
        let (_, _, text) = document.original(*span);
        if wordings.contains(&text) {
            repeated.push(*span);
        } else {
            wordings.push(text);
            chosen.push(*span);
        }
    }
    let left = room - chosen.len();
    chosen.extend(repeated.into_iter().take(left));
    chosen
}
