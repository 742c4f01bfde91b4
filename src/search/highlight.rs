//! Where the words of a query stand in an item.
//!
//! In: a [`Query`], and what an item says. Out: [`Shown`]: places as evidence has them, and a piece of the text to show.
//! Promise: places count Unicode scalar values of the field as stored, in order, and never overlap; a piece is cut at words;
//! pure, and by the same readings of words as the index has.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::Query;
use super::query::{Ask, Scope, Written};
use crate::item::Content;
use crate::text::forms::{self, Asked};
use crate::text::stem::is_function;

/// The most places that are told of one field.
const MAX_MARKS: usize = 100;
/// About how many words a piece has.
const PIECE: usize = 30;

/// A place where words of a query stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Mark {
    /// `title`, `summary` or `text`.
    pub field: String,
    /// The first Unicode scalar value.
    pub start: usize,
    /// The one after the last.
    pub end: usize,
}

/// A piece of an item, to be shown below its title.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Snippet {
    /// `summary` or `text`.
    pub field: String,
    /// Where it begins, as [`Mark::start`].
    pub start: usize,
    /// Where it ends, as [`Mark::end`].
    pub end: usize,
    /// What stands there.
    pub text: String,
}

/// Where a query's words stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// By field: title, summary, text.
    pub highlights: Vec<Mark>,
    /// The piece with the most of the words; none where neither the summary nor the text has a word.
    pub snippet: Option<Snippet>,
}

/// Words that are looked for one after the other, mostly one.
struct Wanted {
    words: Vec<(Written, Vec<Stem>)>,
    scope: Scope,
}

/// What finds a word.
struct Stem {
    text: String,
    /// See [`forms::letters_of`].
    letters: u64,
}

impl Stem {
    fn of(asked: Asked) -> Self {
        Self { letters: forms::letters_of(&asked.stem), text: asked.stem }
    }
}

impl Wanted {
    fn is_in(&self, field: &str) -> bool {
        match self.scope {
            Scope::Anywhere => true,
            Scope::Title => field == "title",
            Scope::Text => field != "title",
            Scope::Author => false,
        }
    }
}

/// Shows where the words of `query` stand in an item.
pub fn show(query: &Query, content: &Content) -> Shown {
    let mut wanted = Vec::new();
    gather(&query.0, &mut wanted);
    let mut shown = Shown::default();
    let mut best: Option<(usize, Snippet)> = None;
    let own = content.summary != content.text;
    for (field, text) in [("title", &content.title), ("summary", &content.summary), ("text", &content.text)] {
        if field == "summary" && !own {
            continue;
        }
        let (places, found) = look(&wanted, field, text);
        shown.highlights.extend(marks(&found, &places).into_iter().map(|place| Mark {
            field: field.to_owned(),
            start: place.start,
            end: place.end,
        }));
        if field != "title"
            && let Some((different, words)) = densest(&found)
            && best.as_ref().is_none_or(|(most, _)| different > *most)
        {
            best = Some((different, cut(field, text, &places, words)));
        }
    }
    shown.snippet = best.map(|(_, snippet)| snippet);
    shown
}

fn gather(ask: &Ask, into: &mut Vec<Wanted>) {
    match ask {
        Ask::Words { words, scope, quoted } => {
            let alone = *quoted && words.len() == 1;
            let forms = |word: &Written| {
                let asked = if alone { Vec::new() } else { forms::of_asked(&word.word, &word.original) };
                (word.clone(), asked.into_iter().map(Stem::of).collect())
            };
            into.push(Wanted { words: words.iter().map(forms).collect(), scope: *scope });
        }
        Ask::And { all: asks, .. } | Ask::Or(asks) => asks.iter().for_each(|ask| gather(ask, into)),
        Ask::Tag(_) | Ask::Time { .. } => {}
    }
}

/// A word of the text that is one of those wanted: which word of the text, and which of those wanted.
type Hit = (usize, usize);

/// The places of all words of a text, and which of them are wanted.
fn look(wanted: &[Wanted], field: &str, text: &str) -> (Vec<Range<usize>>, Vec<Hit>) {
    let mut places: Vec<Range<usize>> = Vec::new();
    let mut found: Vec<Hit> = Vec::new();
    let here: Vec<(usize, &Wanted)> = wanted.iter().enumerate().filter(|(_, wanted)| wanted.is_in(field)).collect();
    // For each of those: which of its words this word of the text is, and with how many of them the text goes on here, for
    // every beginning before this word.
    let mut is: Vec<Vec<bool>> = here.iter().map(|(_, wanted)| vec![false; wanted.words.len()]).collect();
    let mut begun: Vec<Vec<usize>> = vec![Vec::new(); here.len()];
    let mut going = Vec::new();
    forms::words(text, |seen, place| {
        places.push(place);
        for ((_, wanted), is) in here.iter().zip(&mut is) {
            for ((written, _), is) in wanted.words.iter().zip(is) {
                *is = written.word == seen.word;
            }
        }
        let letters = forms::letters_of(seen.word);
        let may_be = |stem: &Stem| stem.letters & !letters == 0 && seen.word.contains(&stem.text);
        if here.iter().flat_map(|(_, wanted)| &wanted.words).any(|(_, stems)| stems.iter().any(may_be)) {
            forms::of_word(seen, |stem| {
                for ((_, wanted), is) in here.iter().zip(&mut is) {
                    for ((_, stems), is) in wanted.words.iter().zip(is) {
                        *is = *is || stems.iter().any(|wanted| wanted.text == stem);
                    }
                }
            });
        }
        for (((which, wanted), is), begun) in here.iter().zip(&is).zip(&mut begun) {
            going.clear();
            let goes_on = begun.iter().copied().chain([0]).filter(|nth| is.get(*nth).copied().unwrap_or_default());
            going.extend(goes_on.map(|nth| nth + 1));
            if going.contains(&wanted.words.len()) {
                found.extend((0..wanted.words.len()).map(|back| (seen.at - back, *which)));
                going.retain(|nth| *nth < wanted.words.len());
            }
            std::mem::swap(begun, &mut going);
        }
    });
    // A word that says nothing is only shown where it is part of a phrase, or all that was asked for.
    let small = |which: usize| {
        let words = &wanted[which].words;
        words.len() == 1 && words.iter().all(|(written, _)| is_function(&written.word))
    };
    if wanted.iter().enumerate().any(|(which, _)| !small(which)) {
        found.retain(|(_, which)| !small(*which));
    }
    found.sort_unstable();
    found.dedup();
    (places, found)
}

/// Neighbours of one phrase are one place.
fn marks(found: &[Hit], places: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut marks: Vec<Range<usize>> = Vec::new();
    let mut last: Option<Hit> = None;
    for hit in found {
        let Some(place) = places.get(hit.0) else { continue };
        match (marks.last_mut(), last) {
            (Some(mark), Some(last)) if last.0 == hit.0 || (last.0 + 1 == hit.0 && last.1 == hit.1) => {
                mark.end = mark.end.max(place.end);
            }
            _ => {
                if marks.len() == MAX_MARKS {
                    break;
                }
                marks.push(place.clone());
            }
        }
        last = Some(*hit);
    }
    marks
}

/// The words that have the most different ones of those wanted among [`PIECE`], and how many: the first such.
fn densest(found: &[Hit]) -> Option<(usize, Range<usize>)> {
    let mut best: Option<(usize, Range<usize>)> = None;
    for (nth, (begin, _)) in found.iter().enumerate() {
        let within: Vec<Hit> = found.iter().skip(nth).take_while(|(at, _)| *at < begin + PIECE).copied().collect();
        let mut different: Vec<usize> = within.iter().map(|(_, which)| *which).collect();
        different.sort_unstable();
        different.dedup();
        if best.as_ref().is_none_or(|(most, _)| different.len() > *most) {
            let end = within.last().map_or(*begin, |(at, _)| *at);
            best = Some((different.len(), *begin..end + 1));
        }
    }
    best
}

/// A piece of [`PIECE`] words with `words` in its middle.
fn cut(field: &str, text: &str, places: &[Range<usize>], words: Range<usize>) -> Snippet {
    let around = PIECE.saturating_sub(words.len()) / 2;
    let begin = words.start.saturating_sub(around).min(places.len().saturating_sub(PIECE));
    let end = (begin + PIECE).max(words.end).min(places.len());
    let start = places.get(begin).map_or(0, |place| place.start);
    let stop = places.get(end.saturating_sub(1)).map_or(start, |place| place.end);
    // What closes the piece, such as a full stop, belongs to it.
    let length = stop.saturating_sub(start);
    let mut piece: String = text.chars().skip(start).take(length).collect();
    let closing: String =
        text.chars().skip(stop).take_while(|c| !c.is_alphanumeric() && !c.is_whitespace()).take(3).collect();
    let end = stop + closing.chars().count();
    piece.push_str(&closing);
    Snippet { field: field.to_owned(), start, end, text: piece }
}
