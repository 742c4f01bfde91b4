//! What two texts share, for people: figures, what differs, passages side by side.
//!
//! In: a comparison as the interface gives it. Out: text.
//! Promise: what is left out is counted; a feed's words cannot steer the terminal.

use std::fmt::Write as _;
use std::str::FromStr;

use super::columns::{Piece, below, beside};
use super::output::{self, Screen, count, one_line};
use super::table;
use crate::dedup::passages::{Comparison, NumberChange, Passage, Place};
use crate::dedup::reason::Reason;

/// How many passages are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Most {
    /// The longest ones, and of long ones what stands around their ends and changes.
    Some(usize),
    /// All, whole.
    All,
}

impl FromStr for Most {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(Self::All),
            _ => text.parse().map(Self::Some).map_err(|_| "a number, or `all`".to_owned()),
        }
    }
}

/// Words that are shown on either side of a change and of the ends of a passage.
const AROUND: usize = 10;

/// The figures of a comparison, in the letters of docs/duplicates.md.
pub(super) fn figures(reason: &Reason) -> String {
    let Reason { shared, ours, theirs, containment, jaccard, words, .. } = reason;
    format!("C {containment:.2}, J {jaccard:.2}, W {words:.2}, S {shared} of {ours} here and {theirs} there")
}

/// How much of each text stands in the other.
pub(super) fn coverage(found: &Comparison) -> String {
    let percent = |share: f32| (share * 100.0).round();
    let (ours, theirs) = (percent(found.coverage.ours), percent(found.coverage.theirs));
    format!("{ours} % of this text stands in the other, {theirs} % of the other in this")
}

/// What differs, and the passages. `names`: of this text, and of the other.
pub(super) fn describe(screen: Screen, found: &Comparison, names: [&str; 2], most: Most) -> String {
    let mut out = String::new();
    if !found.numbers.is_empty() {
        let differ = if found.numbers.len() == 1 { "differs" } else { "differ" };
        let heading = format!("{} {differ}", count(found.numbers.len(), "number"));
        let _ = writeln!(out, "\n{}", screen.strong(&heading));
        for change in &found.numbers {
            let _ = writeln!(out, "  {}", number(screen, change));
        }
    }
    if !found.subjects.ours.is_empty() {
        let words = |places: &[Place]| {
            let words: Vec<String> =
                places.iter().map(|place| screen.words(&screen.marked(&one_line(&place.text)))).collect();
            words.join(" ")
        };
        let _ = writeln!(out, "\n{}", screen.strong("different subjects"));
        let _ = writeln!(out, "  {}: {}", names[0], words(&found.subjects.ours));
        if !found.subjects.theirs.is_empty() {
            let _ = writeln!(out, "  {}: {}", names[1], words(&found.subjects.theirs));
        }
    }
    let mut shown: Vec<&Passage> = found.passages.iter().collect();
    let all = shown.len();
    if let Most::Some(most) = most {
        shown.sort_by_key(|passage| std::cmp::Reverse(passage.words));
        shown.truncate(most);
        shown.sort_by_key(|passage| (passage.ours.field as u8, passage.ours.start));
    }
    if all > 0 && !shown.is_empty() {
        let _ = writeln!(out, "\n{}", screen.strong(&format!("{} shared", count(all, "passage"))));
    }
    let width = table::width();
    for (nth, passage) in shown.iter().enumerate() {
        if nth > 0 {
            out.push('\n');
        }
        let ours = pieces(&passage.ours, passage.changes.iter().map(|change| &change.ours), most);
        let theirs = passage
            .theirs
            .as_ref()
            .map(|theirs| pieces(theirs, passage.changes.iter().filter_map(|change| change.theirs.as_ref()), most));
        out.push_str(&match &theirs {
            Some(theirs) => beside(screen, width, names, [&ours, theirs]),
            None => below(screen, width, [names[0], ""], [&ours, &[]]),
        });
    }
    if !shown.is_empty() && shown.len() < all {
        let _ = writeln!(out, "  and {} more: --passages all", all - shown.len());
    }
    out
}

/// `⟦12⟧ here, ⟦26⟧ there: يوم 12 من`
fn number(screen: Screen, change: &NumberChange) -> String {
    let said = |place: &Place, beside: &str| {
        let (value, beside) = (one_line(&place.text), one_line(beside));
        screen.words(&beside.replacen(&value, &screen.marked(&value), 1))
    };
    let ours = said(&change.ours, &change.ours_in);
    match (&change.theirs, &change.theirs_in) {
        (Some(theirs), Some(beside)) => format!("{ours}  │  {}", said(theirs, beside)),
        _ => ours,
    }
}

/// The words of a passage, those that a change touches marked; of a long one only what stands around changes and ends.
fn pieces<'a>(place: &Place, changes: impl Iterator<Item = &'a Place>, most: Most) -> Vec<Piece> {
    let from = place.start as usize;
    let changes: Vec<(usize, usize)> = changes
        .filter(|change| change.field == place.field)
        .map(|change| ((change.start as usize).saturating_sub(from), (change.end as usize).saturating_sub(from)))
        .collect();
    let mut words: Vec<(Piece, bool)> = Vec::new();
    let chars: Vec<char> = place.text.chars().collect();
    let mut at = 0;
    for run in chars.chunk_by(|a, b| a.is_whitespace() == b.is_whitespace()) {
        let (start, end) = (at, at + run.len());
        at = end;
        let text = one_line(&run.iter().collect::<String>());
        if text.is_empty() {
            continue;
        }
        let marked = changes.iter().any(|(a, b)| *a < end && start < *b);
        // Where something is missing, the next word is where to look.
        let near = marked || changes.iter().any(|(a, b)| a == b && (start..=end).contains(a));
        words.push((Piece { text, marked }, near));
    }
    if most == Most::All {
        return words.into_iter().map(|(piece, _)| piece).collect();
    }
    let places: Vec<usize> =
        words.iter().enumerate().filter(|(_, (_, near))| *near).map(|(at, _)| at).chain([0, words.len()]).collect();
    let mut kept = vec![false; words.len()];
    for at in places {
        if let Some(kept) = kept.get_mut(at.saturating_sub(AROUND)..(at + AROUND).min(words.len())) {
            kept.fill(true);
        }
    }
    let mut shown = Vec::new();
    let mut words = words.into_iter().map(|(piece, _)| piece).zip(&kept).peekable();
    while let Some((piece, kept)) = words.next() {
        if *kept {
            shown.push(piece);
            continue;
        }
        let mut left_out = vec![piece];
        while let Some((piece, _)) = words.next_if(|(_, kept)| !**kept) {
            left_out.push(piece);
        }
        match left_out.len() {
            0..=3 => shown.extend(left_out),
            n => shown.push(Piece { text: format!("…{n}…"), marked: false }),
        }
    }
    shown
}

/// A note below a comparison.
pub(super) fn note(text: &str) -> String {
    format!("  ({})\n", output::one_line(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dedup::passages::{Side, compare};

    fn compared(ours: &str, theirs: &str) -> Comparison {
        compare(Side { title: "", text: ours }, Side { title: "", text: theirs })
    }

    const TEXT: &str = "رست السفينة الزرقاء صباح أمس على الرصيف الشرقي، بعد رحلة دامت ثلاثة أسابيع في بحر هائج";

    #[test]
    fn differences_are_marked_with_what_touches_them() {
        let found = compared(&TEXT.replace("الشرقي،", "الغربي،"), TEXT);
        let out = describe(Screen::of(false, false), &found, ["here", "there"], Most::Some(3));
        assert!(out.contains("الرصيف ⟦الغربي،⟧ بعد") && out.contains("الرصيف ⟦الشرقي،⟧ بعد"), "{out}");
        assert!(out.contains("1 passage shared"), "{out}");
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let long: Vec<String> = (0..60).map(|n| format!("w{n}")).collect();
        let long = long.join(" ");
        let found = compared(&long, &long);
        let out = describe(Screen::of(false, false), &found, ["here", "there"], Most::Some(3));
        assert!(out.contains("w9 …40… w50"), "{out}");
        let out = describe(Screen::of(false, false), &found, ["here", "there"], Most::All);
        assert!(!out.contains('…'), "{out}");
        let apart = "س ".repeat(30);
        let found = compared(&format!("{TEXT} {apart} {long}"), &format!("{long} {TEXT}"));
        let out = describe(Screen::of(false, false), &found, ["here", "there"], Most::Some(1));
        assert!(out.contains("2 passages shared") && out.ends_with("and 1 more: --passages all\n"), "{out}");
        assert!("x".parse::<Most>().is_err() && "all".parse() == Ok(Most::All) && "0".parse() == Ok(Most::Some(0)));
    }
}
