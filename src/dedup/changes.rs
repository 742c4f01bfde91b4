//! What was done to a text to get its copy, in sum: cut, added to, reworded, put under another headline.
//!
//! In: two texts and the runs that they share. Out: [`Changes`].
//! Promise: nothing is said of two texts that have the same words.

use serde::{Deserialize, Serialize};

use super::align::Run;
use super::passages::{ratio, small};
use super::places::{Placed, Reading};

/// A line of fewer words is not counted as a paragraph.
const PARAGRAPH: usize = 6;

/// Fewer words than this, added or left out, are not worth a word: a dateline, a signature.
const WORTH_A_WORD: u32 = 4;

/// From this share on a text is whole, but for a word here and there.
const WHOLE: f32 = 0.97;

/// How this text was made of the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Changes {
    /// The titles say something else. Never where one has none.
    pub headline: bool,
    /// How much of the other is left, 0 to 1; what was only reworded counts as left.
    pub kept: f32,
    /// Paragraphs that the other does not have.
    pub paragraphs: u32,
    /// Words that the other does not have, those of such paragraphs included.
    pub words: u32,
    /// Places with other words.
    pub reworded: u32,
    /// Places with another number or weekday.
    pub numbers: u32,
    /// Passages stand in another order.
    pub rearranged: bool,
}

impl Changes {
    pub(super) fn of(ours: &Reading<'_>, theirs: &Reading<'_>, runs: &[Run], numbers: usize) -> Self {
        let (here, there) = (within(&ours.body, runs, true), within(&theirs.body, runs, false));
        let count = |seen: &[bool], wanted: bool| seen.iter().filter(|seen| **seen == wanted).count();
        let spoken = |words: &[Placed]| words.iter().map(|word| word.word.hash).collect::<Vec<_>>();
        let mut reached = 0;
        let forward = |run: &Run| {
            let before = std::mem::replace(&mut reached, run.theirs.start);
            before <= run.theirs.start
        };
        let mut longest: Vec<&Run> = runs.iter().filter(|run| run.shared >= 2 * PARAGRAPH).collect();
        longest.sort_by_key(|run| run.ours.start);
        let replaced = runs.iter().flat_map(|run| &run.changes).filter(|(a, b)| !a.is_empty() && !b.is_empty()).count();
        Self {
            headline: !ours.title.is_empty()
                && !theirs.title.is_empty()
                && spoken(&ours.title) != spoken(&theirs.title),
            kept: ratio(count(&there, true), there.len()),
            paragraphs: small(
                ours.body
                    .chunk_by(|a, b| (a.field, a.line) == (b.field, b.line))
                    .scan(0, |start, line| {
                        let words = *start..*start + line.len();
                        *start = words.end;
                        here.get(words)
                    })
                    .filter(|line| line.len() >= PARAGRAPH && count(line, true) * 4 < line.len())
                    .count(),
            ),
            words: small(count(&here, false)),
            reworded: small(replaced),
            numbers: small(numbers),
            rearranged: !longest.into_iter().all(forward),
        }
    }

    /// What was done, most telling first; empty where nothing was.
    pub fn in_words(&self) -> Vec<String> {
        let plural = |n: u32, one: &str, many: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {many}") };
        let mut said = Vec::new();
        if self.headline {
            said.push("headline changed".to_owned());
        }
        if self.kept == 0.0 {
            said.push("nothing shared".to_owned());
            return said;
        }
        if self.kept < WHOLE {
            said.push(format!("cut to {:.0} %", self.kept * 100.0));
        }
        match self.paragraphs {
            0 if self.words >= WORTH_A_WORD => said.push(format!("+ {} words", self.words)),
            0 => {}
            1 => said.push("+ a paragraph".to_owned()),
            n => said.push(format!("+ {n} paragraphs")),
        }
        if self.numbers > 0 {
            said.push(plural(self.numbers, "number differs", "numbers differ"));
        }
        if self.reworded > 0 {
            said.push(plural(self.reworded, "place reworded", "places reworded"));
        }
        if self.rearranged {
            said.push("rearranged".to_owned());
        }
        said
    }
}

/// Which words stand within a run; those that were added to it do not.
fn within(words: &[Placed], runs: &[Run], ours: bool) -> Vec<bool> {
    let mut seen = vec![false; words.len()];
    for run in runs {
        let side = if ours { run.ours.clone() } else { run.theirs.clone() };
        if let Some(seen) = seen.get_mut(side) {
            seen.fill(true);
        }
    }
    for (a, b) in runs.iter().flat_map(|run| &run.changes) {
        let (own, other) = if ours { (a, b) } else { (b, a) };
        if other.is_empty()
            && let Some(seen) = seen.get_mut(own.clone())
        {
            seen.fill(false);
        }
    }
    seen
}
