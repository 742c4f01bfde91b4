//! Two texts that share passages, to whether each also tells something of its own.
//!
//! In: the shingles of both in the order of their texts. Out: whether the two are apart.
//! Promise: exchanging the two changes nothing; linear in the shingles.
//! Why: a reprint that was reworded agrees with its original all over, a little everywhere. Two articles with the same block of
//! teasers below, or a follow-up that ends with yesterday's background, agree word for word in one part and nowhere else; what
//! they share can be more than half of each. How much is shared does not tell the two apart, where it stands does.
//! Not here: whether what is shared is enough for a copy at all ([`super::compare`]).

use super::passages::ratio;
use crate::text::hashed::Set;

/// A part in which hardly anything is shared is a text's own story from so many shingles on (about 30 words).
const OWN: usize = 12;
/// So many shingles in a row (about 20 words) are a passage that was taken over as it was. Where one word of ten was replaced,
/// one run in ten gets so long.
const PASSAGE: usize = 8;
/// A shared shingle within a part of its own weighs as much as so many others: an expression that anybody uses.
const CHANCE: usize = 3;

/// The least share of each text that is its own, and of what they share in one of them that stands in passages. The less of
/// its own, the surer it has to be that nothing was reworded.
const APART: [(f32, f32); 2] = [(0.2, 0.7), (0.1, 0.9)];

/// A text begins with its own story where at most half of its first shingles are shared: a dateline, a name.
const BEGINNING: usize = 16;

/// Whether both texts have a part of their own, at least one of them begins with its own, where news stand, and they share little
/// but whole passages. A reprint that was cut, with a paragraph added below, begins as its original does. Both in the order of
/// the text.
pub fn apart(one: &[u32], other: &[u32]) -> bool {
    let (one, other) = (shared(one, other), shared(other, one));
    let own = own_part(&one).min(own_part(&other));
    let passages = in_passages(&one).max(in_passages(&other));
    (begins_alone(&one) || begins_alone(&other))
        && APART.iter().any(|(least_own, least_passages)| own >= *least_own && passages >= *least_passages)
}

/// Which of `shingles` the other text has.
fn shared(shingles: &[u32], other: &[u32]) -> Vec<bool> {
    let other: Set<u32> = other.iter().copied().collect();
    shingles.iter().map(|shingle| other.contains(shingle)).collect()
}

fn begins_alone(shared: &[bool]) -> bool {
    let beginning = shared.get(..BEGINNING).unwrap_or(shared);
    beginning.iter().filter(|shared| **shared).count() * 2 <= beginning.len()
}

/// The share of the text that is its longest part of its own, 0 to 1: the greatest sum over a stretch, where what is not
/// shared counts one, and what is shared counts against it. 0 where it is too short to tell something.
fn own_part(shared: &[bool]) -> f32 {
    let (mut here, mut most) = (0usize, 0);
    for shared in shared {
        here = if *shared { here.saturating_sub(CHANCE) } else { here + 1 };
        most = most.max(here);
    }
    if most < OWN { 0.0 } else { ratio(most, shared.len()) }
}

/// The share of what is shared that stands in passages, 0 to 1.
fn in_passages(shared: &[bool]) -> f32 {
    let runs = || shared.chunk_by(|a, b| a == b).filter(|run| run.first() == Some(&true)).map(<[bool]>::len);
    ratio(runs().filter(|run| *run >= PASSAGE).sum(), runs().sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of shingles; `x` stands for one of its own.
    fn text(parts: &[(char, std::ops::Range<u32>)], own: u32) -> Vec<u32> {
        let shingle = |(kind, n): (char, u32)| if kind == 'x' { own + n } else { n };
        parts.iter().flat_map(|(kind, range)| range.clone().map(|n| (*kind, n))).map(shingle).collect()
    }

    #[test]
    fn what_stands_in_one_block_is_no_copy_and_what_agrees_everywhere_is() {
        let whole = text(&[('=', 0..60)], 0);
        let every = |nth: u32| -> Vec<u32> { (0..60).map(|n| if n % nth == 0 { 1_000 + n } else { n }).collect() };
        let rows = [
            (
                "two stories above one block",
                text(&[('x', 0..30), ('=', 0..40)], 1_000),
                text(&[('x', 0..25), ('=', 0..40)], 2_000),
                true,
            ),
            (
                "a block in between",
                text(&[('x', 0..20), ('=', 0..40)], 1_000),
                text(&[('=', 0..40), ('x', 0..40)], 2_000),
                true,
            ),
            (
                "an expression in common above the block",
                text(&[('x', 0..15), ('=', 90..92), ('x', 20..40), ('=', 0..40)], 1_000),
                text(&[('x', 0..30), ('=', 90..92), ('=', 0..40)], 2_000),
                true,
            ),
            ("the same", whole.clone(), whole.clone(), false),
            ("every second replaced", every(2), whole.clone(), false),
            ("every fifth replaced", every(5), whole.clone(), false),
            ("an excerpt", whole[..25].to_vec(), whole.clone(), false),
            (
                "an excerpt within another text",
                text(&[('x', 0..60), ('=', 0..60), ('x', 60..90)], 1_000),
                whole.clone(),
                false,
            ),
            ("another lead", text(&[('x', 0..10), ('=', 10..60)], 1_000), whole.clone(), false),
            (
                "cut by a quarter, and two paragraphs added below",
                text(&[('=', 0..45), ('x', 0..18)], 1_000),
                whole.clone(),
                false,
            ),
            (
                "a paragraph added below and the end cut off",
                text(&[('=', 0..50), ('x', 0..20)], 1_000),
                whole.clone(),
                false,
            ),
            ("nothing", vec![], vec![], false),
            ("nothing in common", text(&[('x', 0..40)], 1_000), whole.clone(), false),
        ];
        for (name, one, other, expected) in rows {
            assert_eq!(apart(&one, &other), expected, "{name}");
            assert_eq!(apart(&other, &one), expected, "{name}, exchanged");
        }
    }
}
