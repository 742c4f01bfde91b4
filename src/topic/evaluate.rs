//! Where a query holds in an article.
//!
//! In: an article, the lexicon, a [`Plan`]. Out: the [`Span`]s of the article where the plan holds; none where it does not.
//! Promise: the spans of a plan are in order and never overlap, so each place counts once.
//! Not here: how plans are made ([`super::compile`]) and what a span is worth ([`super::score`]).

use std::cmp::Reverse;

use super::bag::{self, Bag};
use super::lexicon::Lexicon;
use super::query::{Nearness, Part};
use super::{Article, Field};
use crate::text::tokenize::Words;

/// How many words at the beginning of a text are its lead.
pub(super) const LEAD_WORDS: u32 = 60;

/// A compiled query.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Plan {
    /// Any of these terms and phrases.
    Any(Vec<Atom>),
    Or(Vec<Plan>),
    And {
        all: Vec<Plan>,
        none: Vec<Plan>,
    },
    Near {
        first: Box<Plan>,
        then: Vec<(Nearness, Plan)>,
    },
    In(Part, Box<Plan>),
    Test {
        field: Field,
        value: String,
    },
}

/// What a plan looks for in the end, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Atom {
    Term(u32),
    Phrase(u32),
}

/// Terms in this order, with at most `gaps` other words between them in all.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Phrase {
    pub(super) words: Vec<u32>,
    pub(super) gaps: u32,
}

/// A place in an article: words of title, summary or text; characters of the other fields. Half-open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    pub(super) field: Field,
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Span {
    pub(super) fn in_lead(self) -> bool {
        matches!(self.field, Field::Summary | Field::Text) && self.end <= LEAD_WORDS
    }
}

/// A term that stands somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Hit {
    term: u32,
    field: Field,
    word: u32,
}

/// An article whose words were looked up.
pub(super) struct Document<'a> {
    article: Article<'a>,
    title: Read<'a>,
    summary: Read<'a>,
    text: Read<'a>,
    /// Sorted.
    hits: Vec<Hit>,
}

/// One field, as words.
struct Read<'a> {
    original: &'a str,
    words: Words,
}

impl<'a> Read<'a> {
    fn of(original: &'a str) -> Self {
        Self { original, words: Words::of(original) }
    }
}

impl<'a> Document<'a> {
    /// Looks up every word of `article`, once.
    pub(super) fn read(article: Article<'a>, lexicon: &Lexicon) -> Self {
        let (title, text) = (Read::of(article.title), Read::of(article.text));
        // What the text says already is not counted again; most often it begins with it.
        let repeated = article.text.starts_with(article.summary);
        let mut summary = Read::of(if repeated { "" } else { article.summary });
        if !summary.words.is_empty() && contains(&text.words, &summary.words) {
            summary = Read::of("");
        }
        let mut document = Self { article, title, summary, text, hits: Vec::new() };
        document.look_up(lexicon);
        document
    }

    fn look_up(&mut self, lexicon: &Lexicon) {
        let (mut letters, mut found) = (Vec::new(), Vec::new());
        let reads = [(Field::Title, &self.title), (Field::Summary, &self.summary), (Field::Text, &self.text)];
        for (field, read) in reads {
            for word in 0..number(read.words.len()) {
                let (text, length) = read.words.onward(word as usize);
                lexicon.find(text, length, &mut letters, &mut found);
                self.hits.extend(found.drain(..).map(|term| Hit { term, field, word }));
            }
        }
        self.hits.sort_unstable();
        self.hits.dedup();
    }

    /// The terms that stand anywhere, each once.
    pub(super) fn terms(&self) -> impl Iterator<Item = u32> + '_ {
        self.hits.chunk_by(|a, b| a.term == b.term).filter_map(|hits| hits.first()).map(|hit| hit.term)
    }

    /// Its words as what is learned from examples looks at them.
    pub(super) fn bag(&self) -> Bag {
        Bag::of(&self.title.words, &self.body().1.words)
    }

    /// Where the terms of a bag stand: for each of `terms` the first place, the title before the text.
    pub(super) fn places(&self, terms: &[u32]) -> Vec<Option<Span>> {
        let mut found: Vec<Option<Span>> = vec![None; terms.len()];
        for (field, read) in [(Field::Title, &self.title), self.body()] {
            bag::walk(&read.words, |term, words| {
                if let Some(at) = terms.iter().position(|known| *known == term) {
                    found[at].get_or_insert(Span { field, start: number(words.start), end: number(words.end) });
                }
            });
        }
        found
    }

    /// The text, or the summary while there is no text.
    fn body(&self) -> (Field, &Read<'a>) {
        if self.text.words.is_empty() { (Field::Summary, &self.summary) } else { (Field::Text, &self.text) }
    }

    /// What stands at `span`: its first character and the one after its last, and the text itself.
    pub(super) fn original(&self, span: Span) -> (u32, u32, &'a str) {
        let read = match span.field {
            Field::Title => &self.title,
            Field::Summary => &self.summary,
            Field::Text => &self.text,
            Field::Url => return whole(self.article.url, span),
            Field::Feed => return whole(self.article.feed, span),
            Field::Language => return whole(self.article.language, span),
        };
        let place = read.words.original(span.start as usize..span.end as usize);
        let rest = after(read.original, place.start);
        let text = rest.get(..rest.len() - after(rest, place.len()).len()).unwrap_or_default();
        (number(place.start), number(place.end), text)
    }

    /// The words that stand at `span`, normalized; of other fields than title, summary and text what stands there.
    pub(super) fn normalized(&self, span: Span) -> String {
        let Some(words) = self.words(span.field) else { return self.original(span).2.to_lowercase() };
        (span.start..span.end).map(|word| words.get(word as usize)).collect::<Vec<_>>().join(" ")
    }

    fn words(&self, field: Field) -> Option<&Words> {
        match field {
            Field::Title => Some(&self.title.words),
            Field::Summary => Some(&self.summary.words),
            Field::Text => Some(&self.text.words),
            Field::Url | Field::Feed | Field::Language => None,
        }
    }

    /// Where `plan` holds, in order and without overlap.
    pub(super) fn find(&self, plan: &Plan, phrases: &[Phrase]) -> Vec<Span> {
        Search { document: self, phrases, title: false, lead: false }.find(plan)
    }

    fn hits(&self, term: u32) -> &[Hit] {
        let from = self.hits.partition_point(|hit| hit.term < term);
        let rest = self.hits.get(from..).unwrap_or_default();
        rest.get(..rest.partition_point(|hit| hit.term == term)).unwrap_or_default()
    }
}

/// What comes after the first `chars` characters.
fn after(text: &str, chars: usize) -> &str {
    let begins = |byte: &u8| (*byte as i8) >= -0x40;
    let (mut left, mut skipped) = (chars, 0);
    // Characters are counted by the block, which is many times as fast as one by one; in bytes, of which the processor adds
    // up the most at once.
    for block in text.as_bytes().chunks(64) {
        let begun = usize::from(block.iter().map(|byte| u8::from(begins(byte))).sum::<u8>());
        if begun > left {
            break;
        }
        left -= begun;
        skipped += block.len();
    }
    let rest = text.as_bytes().get(skipped..).unwrap_or_default();
    let place = rest.iter().enumerate().filter(|(_, byte)| begins(byte)).nth(left);
    place.and_then(|(at, _)| text.get(skipped + at..)).unwrap_or_default()
}

fn whole(text: &str, span: Span) -> (u32, u32, &str) {
    let byte = |i: u32| text.char_indices().nth(i as usize).map_or(text.len(), |(at, _)| at);
    (span.start, span.end, text.get(byte(span.start)..byte(span.end)).unwrap_or_default())
}

/// Whether the words of `part` stand in `text` in one piece. A summary is often cut in mid-word, so its last word may go on.
fn contains(text: &Words, part: &Words) -> bool {
    let joined = |words: &Words| words.iter().fold(String::new(), |all, word| all + " " + word);
    joined(text).contains(&joined(part))
}

#[derive(Clone, Copy)]
struct Search<'d, 'a> {
    document: &'d Document<'a>,
    phrases: &'d [Phrase],
    /// Only in the title.
    title: bool,
    /// Only in the lead.
    lead: bool,
}

impl Search<'_, '_> {
    fn find(self, plan: &Plan) -> Vec<Span> {
        match plan {
            Plan::Any(atoms) => self.any(atoms),
            Plan::Or(plans) => disjoint(plans.iter().flat_map(|plan| self.find(plan)).collect()),
            Plan::And { all, none } => self.and(all, none),
            Plan::Near { first, then } => {
                let mut spans = self.find(first);
                for (nearness, plan) in then {
                    if spans.is_empty() {
                        break;
                    }
                    spans = self.near(&spans, &self.find(plan), *nearness);
                }
                spans
            }
            Plan::In(Part::Title, plan) => Self { title: true, ..self }.find(plan),
            Plan::In(Part::Lead, plan) => Self { lead: true, ..self }.find(plan),
            Plan::Test { field, value } => self.test(*field, value),
        }
    }

    fn allows(self, span: Span) -> bool {
        (!self.title || span.field == Field::Title) && (!self.lead || span.in_lead())
    }

    fn any(self, atoms: &[Atom]) -> Vec<Span> {
        let mut spans = Vec::new();
        for atom in atoms {
            match atom {
                Atom::Term(term) => {
                    let hits = self.document.hits(*term).iter();
                    spans.extend(hits.map(|hit| Span { field: hit.field, start: hit.word, end: hit.word + 1 }));
                }
                Atom::Phrase(phrase) => {
                    if let Some(phrase) = self.phrases.get(*phrase as usize) {
                        self.phrase(phrase, &mut spans);
                    }
                }
            }
        }
        spans.retain(|span| self.allows(*span));
        disjoint(spans)
    }

    fn phrase(self, phrase: &Phrase, spans: &mut Vec<Span>) {
        let Some((first, rest)) = phrase.words.split_first() else { return };
        let rest: Vec<&[Hit]> = rest.iter().map(|term| self.document.hits(*term)).collect();
        if rest.iter().any(|hits| hits.is_empty()) {
            return;
        }
        'starts: for start in self.document.hits(*first) {
            let (mut end, mut gaps) = (start.word + 1, phrase.gaps);
            for hits in &rest {
                // The nearest next word leaves the most room for those after it.
                let next = hits.partition_point(|hit| (hit.field, hit.word) < (start.field, end));
                match hits.get(next).filter(|hit| hit.field == start.field && hit.word - end <= gaps) {
                    Some(hit) => (gaps, end) = (gaps - (hit.word - end), hit.word + 1),
                    None => continue 'starts,
                }
            }
            spans.push(Span { field: start.field, start: start.word, end });
        }
    }

    fn and(self, all: &[Plan], none: &[Plan]) -> Vec<Span> {
        let mut spans = Vec::new();
        for plan in all {
            let found = self.find(plan);
            if found.is_empty() {
                return found;
            }
            spans.extend(found);
        }
        if none.iter().any(|plan| !self.find(plan).is_empty()) {
            return Vec::new();
        }
        disjoint(spans)
    }

    /// The regions from a span of `left` to the nearest span of `right` on either side, where that is near enough.
    fn near(self, left: &[Span], right: &[Span], nearness: Nearness) -> Vec<Span> {
        let mut regions = Vec::new();
        for span in left {
            let after = right.partition_point(|other| (other.field, other.start) < (span.field, span.end));
            if let Some(other) = right.get(after)
                && self.is_near(*span, *other, nearness)
            {
                regions.push(Span { end: other.end, ..*span });
            }
            let before = right.partition_point(|other| (other.field, other.end) <= (span.field, span.start));
            if let Some(other) = before.checked_sub(1).and_then(|before| right.get(before))
                && !matches!(nearness, Nearness::Before(_))
                && self.is_near(*other, *span, nearness)
            {
                regions.push(Span { start: other.start, ..*span });
            }
        }
        // The tightest regions, as many as there is room for: those that end first leave most room.
        regions.sort_unstable_by_key(|region| (region.field, region.end, Reverse(region.start)));
        keep_disjoint(regions)
    }

    fn is_near(self, first: Span, second: Span, nearness: Nearness) -> bool {
        if first.field != second.field || second.start < first.end {
            return false;
        }
        match nearness {
            Nearness::Within(n) | Nearness::Before(n) => second.start - first.end < n,
            Nearness::Sentence => self.document.words(first.field).is_some_and(|words| {
                words.sentence(first.end.saturating_sub(1) as usize) == words.sentence(second.start as usize)
            }),
        }
    }

    fn test(self, field: Field, value: &str) -> Vec<Span> {
        let article = &self.document.article;
        let found = match field {
            Field::Url => {
                let url = article.url.to_ascii_lowercase();
                url.find(value).map(|at| {
                    let start = url.get(..at).map_or(0, |before| before.chars().count());
                    (start, start + value.chars().count())
                })
            }
            Field::Feed => match value.strip_suffix('*') {
                Some(prefix) => article.feed.starts_with(prefix),
                None => article.feed == value,
            }
            .then(|| (0, article.feed.chars().count())),
            Field::Language => {
                let tag = article.language.to_ascii_lowercase();
                let is = tag.strip_prefix(value).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
                is.then(|| (0, tag.chars().count()))
            }
            Field::Title | Field::Summary | Field::Text => None,
        };
        let span = found.map(|(start, end)| Span { field, start: number(start), end: number(end) });
        span.into_iter().filter(|span| self.allows(*span)).collect()
    }
}

/// In order and without overlap: of spans that begin together the longest, of others the first.
fn disjoint(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable_by_key(|span| (span.field, span.start, Reverse(span.end)));
    keep_disjoint(spans)
}

fn keep_disjoint(spans: Vec<Span>) -> Vec<Span> {
    let mut kept: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        if kept.last().is_none_or(|last| last.field != span.field || last.end <= span.start) {
            kept.push(span);
        }
    }
    kept
}

fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
