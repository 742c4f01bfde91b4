//! Two sequences of words to the runs that stand in both.
//!
//! In: the words of two texts. Out: [`Run`]s: maximal stretches of the same words, joined where only a few words between
//! them differ.
//! Promise: exchanging the texts exchanges the sides of every run and nothing else; a word of either text is looked at a
//! bounded number of times, whatever the texts repeat.
//! Why not the longest common subsequence: reprints move paragraphs about, and a subsequence sees one of two that changed
//! places. This tiles each text with the longest runs of the other (greedy string tiling; Wise 1993), left to right.

use std::ops::Range;

use super::fingerprint::SHINGLE;
use super::places::Placed;

/// So many words may differ between two runs for them to be one, on either side.
const GAP: usize = 6;

/// Places of one shingle that are tried: what a text repeats more often is found by its neighbours.
const TRIED: usize = 32;

/// How many words longer a run elsewhere must be than the one that continues the run before.
const CONTINUED: usize = 8;

/// The least number of shared words of a run: fewer are a figure of speech. Any as many words in a row give two texts a
/// shingle in common.
const LEAST: usize = super::fingerprint::SHINGLE + super::fingerprint::WINDOW - 1;

/// A stretch of two texts: the same words but for the changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// Words of the one text.
    pub(super) ours: Range<usize>,
    /// Words of the other.
    pub(super) theirs: Range<usize>,
    /// What differs in between, ascending; each has words on one side at least, or stands where a line is left out.
    pub(super) changes: Vec<(Range<usize>, Range<usize>)>,
    /// How many words are shared.
    pub(super) shared: usize,
}

impl Run {
    fn flipped(self) -> Self {
        let changes = self.changes.into_iter().map(|(ours, theirs)| (theirs, ours)).collect();
        Self { ours: self.theirs, theirs: self.ours, changes, shared: self.shared }
    }

    /// The words of one side that the other has, range by range.
    pub(super) fn same(&self, ours: bool) -> impl Iterator<Item = Range<usize>> {
        let side = if ours { &self.ours } else { &self.theirs };
        let gaps = self.changes.iter().map(move |(a, b)| if ours { a.clone() } else { b.clone() });
        let mut from = side.start;
        gaps.chain(std::iter::once(side.end..side.end)).map(move |gap| {
            let same = from..gap.start;
            from = gap.end;
            same
        })
    }
}

/// The runs that two texts share, in the order of the first; every shared word of either is in one.
pub(super) fn runs(ours: &[Placed], theirs: &[Placed]) -> Vec<Run> {
    // Tiling begins on one side, so which side must not depend on who asks.
    let key = |words: &[Placed]| (words.len(), words.iter().map(|word| word.word.hash).collect::<Vec<_>>());
    let mut runs = if key(ours) <= key(theirs) {
        both_ways(ours, theirs)
    } else {
        both_ways(theirs, ours).into_iter().map(Run::flipped).collect()
    };
    runs.sort_by_key(|run| (run.ours.start, run.theirs.start));
    runs
}

/// The runs found along `a`, and those along `b` that bring words of `b` which the others left.
fn both_ways(a: &[Placed], b: &[Placed]) -> Vec<Run> {
    let least = LEAST.min(a.len()).min(b.len()).max(1);
    let mut runs = tiled(a, b, least);
    let mut covered = vec![false; b.len()];
    let mut cover = |run: &Run| -> usize {
        let words = run.same(false).flatten();
        words.filter(|word| covered.get_mut(*word).is_some_and(|seen| !std::mem::replace(seen, true))).count()
    };
    for run in &runs {
        cover(run);
    }
    let others: Vec<Run> = tiled(b, a, least).into_iter().map(Run::flipped).filter(|run| cover(run) >= least).collect();
    runs.extend(others);
    runs
}

/// The runs found along `a`, with at least `least` shared words.
fn tiled(a: &[Placed], b: &[Placed], least: usize) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for tile in tiles(a, b) {
        let Tile { a: at, b: to, length } = tile;
        let follows = |run: &&mut Run| {
            let fields = |words: &[Placed], one: usize, other: usize| {
                words.get(one).map(|word| word.field) == words.get(other).map(|word| word.field)
            };
            (run.ours.end..=run.ours.end + GAP).contains(&at)
                && (run.theirs.end..=run.theirs.end + GAP).contains(&to)
                && fields(a, run.ours.start, at)
                && fields(b, run.theirs.start, to)
        };
        match runs.last_mut().filter(follows) {
            Some(run) => {
                fill(a, b, run, at, to);
                (run.ours.end, run.theirs.end) = (at + length, to + length);
                run.shared += length;
            }
            None => {
                runs.push(Run { ours: at..at + length, theirs: to..to + length, changes: Vec::new(), shared: length })
            }
        }
    }
    reach(a, b, &mut runs);
    runs.retain(|run| run.shared >= least);
    runs
}

/// Lets runs reach over a word or two that differ, where at least two words after them, too few to be found by a shingle,
/// are the same; one is enough where both texts begin or end with it.
fn reach(a: &[Placed], b: &[Placed], runs: &mut [Run]) {
    const OVER: [(usize, usize); 6] = [(1, 1), (1, 0), (0, 1), (2, 1), (1, 2), (2, 2)];
    const ENOUGH: usize = 2;
    let unbroken =
        |words: &[Placed], over: Range<usize>| words.get(over).is_some_and(|over| !over.iter().any(|w| w.breaks));
    for at in 0..runs.len() {
        let next = runs.get(at + 1).map_or(a.len(), |next| next.ours.start);
        let before = at.checked_sub(1).and_then(|at| runs.get(at)).map_or(0, |run| run.ours.end);
        let Some(run) = runs.get_mut(at) else { continue };
        for (i, j) in OVER {
            let (from, to) = (run.ours.end + i, run.theirs.end + j);
            let same = common(a, from, b, to).min(next.saturating_sub(from));
            let ends = same > 0 && from + same == a.len() && to + same == b.len();
            if (same >= ENOUGH || ends) && unbroken(a, run.ours.end..from + 1) && unbroken(b, run.theirs.end..to + 1) {
                run.changes.push((run.ours.end..from, run.theirs.end..to));
                (run.ours.end, run.theirs.end) = (from + same, to + same);
                run.shared += same;
                break;
            }
        }
        for (i, j) in OVER {
            let (Some(from), Some(to)) = (run.ours.start.checked_sub(i), run.theirs.start.checked_sub(j)) else {
                continue;
            };
            let same = common_before(a, from, b, to).min(from.saturating_sub(before));
            let begins = same > 0 && from == same && to == same;
            if (same >= ENOUGH || begins)
                && unbroken(a, from..run.ours.start + 1)
                && unbroken(b, to..run.theirs.start + 1)
            {
                run.changes.insert(0, (from..run.ours.start, to..run.theirs.start));
                (run.ours.start, run.theirs.start) = (from - same, to - same);
                run.shared += same;
                break;
            }
        }
    }
}

/// How many words are the same back from here, up to a break of either text.
fn common_before(a: &[Placed], from: usize, b: &[Placed], to: usize) -> usize {
    let (Some(a), Some(b)) = (a.get(..from), b.get(..to)) else { return 0 };
    let mut broken = false;
    let same = |(a, b): &(&Placed, &Placed)| {
        let same = !broken && a.word.hash == b.word.hash;
        broken = a.breaks || b.breaks;
        same
    };
    a.iter().rev().zip(b.iter().rev()).take_while(same).count()
}

struct Tile {
    a: usize,
    b: usize,
    length: usize,
}

/// `a`, from left to right, as stretches that stand in `b`: at each place the longest.
fn tiles(a: &[Placed], b: &[Placed]) -> Vec<Tile> {
    let seed = SHINGLE.min(a.len()).min(b.len()).max(1);
    let hash = |words: &[Placed], at: usize| -> Option<u64> {
        let words = words.get(at..at + seed)?;
        let whole = !words.iter().skip(1).any(|word| word.breaks);
        whole.then(|| {
            words.iter().fold(0, |hash: u64, word| super::fingerprint::mix(hash.rotate_left(23) ^ word.word.hash))
        })
    };
    let mut places: Vec<(u64, usize)> = (0..b.len()).filter_map(|at| Some((hash(b, at)?, at))).collect();
    places.sort_unstable();
    let mut tiles: Vec<Tile> = Vec::new();
    let mut at = 0;
    while at < a.len() {
        let last = tiles.last().map(|tile| (tile.a + tile.length, tile.b + tile.length));
        // What continues the run before, a word for a word, is tried even where a shingle is too common to find it.
        let straight = last.filter(|(end, _)| at - end <= GAP).map(|(end, to)| to + (at - end));
        let found = hash(a, at).and_then(|hash| {
            let first = places.partition_point(|place| place.0 < hash);
            let same = places.get(first..).unwrap_or_default().iter().take(TRIED);
            let tried = same.take_while(|place| place.0 == hash).map(|place| place.1).chain(straight);
            let candidate = |to: usize| {
                let length = common(a, at, b, to);
                let near = last.is_some_and(|(end, before)| at - end <= GAP && (before..=before + GAP).contains(&to));
                (length + if near { CONTINUED } else { 0 }, length, to)
            };
            // The first of equals: places ascend, and a text begins with what matters.
            tried
                .map(candidate)
                .filter(|(_, length, _)| *length >= seed)
                .reduce(|best, other| if other.0 > best.0 { other } else { best })
        });
        match found {
            Some((_, length, to)) => {
                tiles.push(Tile { a: at, b: to, length });
                at += length;
            }
            None => at += 1,
        }
    }
    tiles
}

/// How many words are the same from here on, up to a break of either text.
fn common(a: &[Placed], from: usize, b: &[Placed], to: usize) -> usize {
    let (Some(a), Some(b)) = (a.get(from..), b.get(to..)) else { return 0 };
    let same =
        |(i, (a, b)): &(usize, (&Placed, &Placed))| a.word.hash == b.word.hash && (*i == 0 || !a.breaks && !b.breaks);
    a.iter().zip(b).enumerate().take_while(same).count()
}

/// Adds what stands between a run and the tile at `at`, `to`: the words that both have in order, and the changes.
fn fill(a: &[Placed], b: &[Placed], run: &mut Run, at: usize, to: usize) {
    let (ours, theirs) = (run.ours.end..at, run.theirs.end..to);
    let word = |words: &[Placed], i: usize| words.get(i).map(|word| word.word.hash);
    let same = |i: usize, j: usize| word(a, ours.start + i) == word(b, theirs.start + j);
    let (rows, columns) = (ours.len(), theirs.len());
    // The longest common subsequence of at most `GAP` words on either side, from the end.
    let mut longest = [[0u8; GAP + 2]; GAP + 2];
    for i in (0..rows).rev() {
        for j in (0..columns).rev() {
            longest[i][j] =
                if same(i, j) { longest[i + 1][j + 1] + 1 } else { longest[i + 1][j].max(longest[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut since) = (0, 0, (0, 0));
    let mut change = |from: (usize, usize), end: (usize, usize)| {
        let (one, other) = (ours.start + from.0..ours.start + end.0, theirs.start + from.1..theirs.start + end.1);
        let skips = |words: &[Placed], at: usize| words.get(at).is_some_and(|word| word.skipped.is_some());
        if !one.is_empty() || !other.is_empty() || skips(a, one.end) || skips(b, other.end) {
            run.changes.push((one, other));
        }
    };
    while i < rows && j < columns {
        if same(i, j) {
            change(since, (i, j));
            run.shared += 1;
            (i, j) = (i + 1, j + 1);
            since = (i, j);
        } else if longest[i + 1][j] >= longest[i][j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    change(since, (rows, columns));
}
