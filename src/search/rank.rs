//! What makes one item fit better than another.
//!
//! In: how often words stand where, how far apart, and when an item was published. Out: numbers, the larger the better.
//! Promise: pure, and the same on every page of a search: nothing here depends on how the index is laid out at the moment.
//!
//! BM25 over the fields taken together: a word in the title counts as several in the text; a word as it was asked for counts
//! more than another of its forms. Words that stand together as they were asked for raise the sum, and age lowers it a little.

/// How soon more of the same word stops to count.
const K1: f64 = 1.6;
/// How much a long field is held against its words.
const B: [f64; KINDS] = [0.3, 0.6, 0.3];
/// What a word counts in the title, in the text, among the authors.
const FIELD: [f64; KINDS] = [3.0, 1.0, 1.5];
/// What a form counts beside the word as it was asked for.
const FORM: f64 = 0.7;
/// By how much words next to each other raise the sum.
pub(super) const TOGETHER: f64 = 0.5;
/// What is taken from an old item.
const AGE: f64 = 0.2;
/// After how many days half of that is.
const HALF_AGE: f64 = 14.0;
/// How much words that are missing count against those that are there.
const MISSING: f64 = 1.5;

/// Title, text, authors.
pub(super) const KINDS: usize = 3;

/// How rare a word is: found in `found` of `all` documents.
pub(super) fn rarity(found: u64, all: u64) -> f64 {
    let (found, all) = (float(found.min(all)), float(all));
    ((all - found + 0.5) / (found + 0.5)).ln_1p()
}

/// How often a word counts in a field: there `exact` times as asked for, `forms` times in all, by how sure they are. The greater
/// of the two at most.
pub(super) fn count(exact: u32, forms: f64) -> f64 {
    let exact = f64::from(exact);
    exact + FORM * (forms - exact).max(0.0)
}

/// What the length of a field leaves of its words' weight.
pub(super) fn shortness(field: usize, length: u32, mean: f64) -> f64 {
    let long = if mean > 0.0 { f64::from(length) / mean } else { 1.0 };
    1.0 / (1.0 - B[field] + B[field] * long)
}

/// What `count` and `shortness` make in a field.
pub(super) fn weight(field: usize, count: f64, shortness: f64) -> f64 {
    FIELD[field] * count * shortness
}

/// What a word gives, by the sum of its weights.
pub(super) fn score(rarity: f64, weight: f64) -> f64 {
    rarity * weight * (K1 + 1.0) / (weight + K1)
}

/// As [`score`], for bounds.
pub(super) const fn score_single(rarity: f32, weight: f32) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "a small constant")]
    const K1: f32 = self::K1 as f32;
    rarity * weight * (K1 + 1.0) / (weight + K1)
}

/// What remains of the score where words of the rarity `there` were found, of `asked` in all.
pub(super) fn partly(there: f64, asked: f64) -> f64 {
    if asked > 0.0 { (there / asked).clamp(0.0, 1.0).powf(MISSING) } else { 1.0 }
}

/// How near two words stand, from 0 to 1: the second so many words after the first.
pub(super) fn near(distance: i64) -> f64 {
    match distance {
        1 => 1.0,
        0 => 0.0,
        _ => {
            // The wrong way round it is one farther.
            let far = if distance > 0 { distance } else { 1 - distance };
            if far > 12 { 0.0 } else { 1.0 / float(far.unsigned_abs()) }
        }
    }
}

/// What age leaves of a score; both in milliseconds.
pub(super) fn fresh(published: i64, now: i64) -> f64 {
    const DAY: f64 = 86_400_000.0;
    let days = float(now.saturating_sub(published).max(0).unsigned_abs()) / DAY;
    1.0 - AGE * (1.0 - (-days / HALF_AGE).exp2())
}

/// Counts are far below what a double loses.
#[expect(clippy::cast_precision_loss, reason = "see above")]
pub(super) const fn float(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_should_count_more_does() {
        assert!(rarity(1, 1_000) > rarity(100, 1_000) && rarity(1_000, 1_000) > 0.0);
        // The title above the text, the word above a form, a short text above a long one, twice above once.
        let weight = |field, exact, forms, length, mean| {
            assert!(count(exact, forms) <= f64::from(exact).max(forms));
            weight(field, count(exact, forms), shortness(field, length, mean))
        };
        let base = weight(1, 0, 1.0, 100, 100.0);
        for better in
            [weight(0, 0, 1.0, 10, 10.0), weight(1, 1, 1.0, 100, 100.0), weight(1, 0, 1.0, 50, 100.0), 2.0 * base]
        {
            assert!(score(2.0, better) > score(2.0, base), "{better}");
        }
        // In order, side by side, is best; the wrong way round is like one between.
        assert!(near(1) > near(2) && near(-1) == near(2) && near(2) > near(-2) && near(30) == 0.0 && near(0) == 0.0);
        let day = 86_400_000;
        assert!(fresh(0, 0) > fresh(0, day) && fresh(0, day) > fresh(0, 400 * day) && fresh(0, 4_000 * day) > 0.79);
        assert!((fresh(day, 0) - 1.0).abs() < 1e-9, "what is from tomorrow is not fresher than fresh");
        assert!(partly(1.0, 2.0) < partly(1.9, 2.0) && (partly(2.0, 2.0) - 1.0).abs() < 1e-9);
    }
}
