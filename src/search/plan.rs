//! What is asked for, in terms of the index.
//!
//! In: an [`Ask`] with the filters beside it, an index at one moment. Out: a [`Plan`] that is the same for all its segments.
//! Promise: pages of one search weigh words alike: how frequent words were on the first page ([`Frame`]) goes with the cursor.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tantivy::schema::Field;
use tantivy::{Searcher, Term};

use super::query::{Ask, Scope, Tag, Written};
use super::rank::{KINDS, rarity};
use super::schema::{Fields, Words};
use super::{Request, SearchError};
use crate::text::forms::{self, Asked, Seen};
use crate::text::stem::is_function;

/// What the first page of a search saw, and the later ones go by.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Frame {
    /// Documents in the index.
    pub(super) documents: u64,
    /// Mean lengths of the fields, in tenths of a word.
    pub(super) lengths: [u32; KINDS],
    /// In how many documents each word stands, in the order of the query.
    pub(super) frequencies: Vec<u64>,
    /// Whether words may be missing, because hardly anything has them all.
    pub(super) partly: bool,
    /// The time that ages are counted to, in milliseconds.
    pub(super) now: i64,
}

/// A word to be looked up.
#[derive(Clone, Debug)]
pub(super) struct Lookup {
    /// The fields it may stand in.
    pub(super) fields: Vec<usize>,
    /// As it was asked for.
    pub(super) word: String,
    /// What else finds it; empty where only the word itself is wanted.
    pub(super) stems: Vec<Asked>,
    pub(super) rarity: f64,
    /// How sure at least that one of them is which a text's word is kept under that is written as this one is asked for.
    pub(super) surest: f64,
}

/// A part of a plan.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Word(Lookup),
    Phrase(Vec<Lookup>),
    Tag(Term),
    /// In milliseconds, the end not included.
    Time(i64, i64),
    And {
        all: Vec<Node>,
        none: Vec<Node>,
    },
    Or(Vec<Node>),
    /// At least `least` of them.
    Some {
        of: Vec<Node>,
        least: usize,
    },
}

/// What is done in every segment.
pub(super) struct Plan {
    pub(super) root: Node,
    pub(super) frame: Frame,
    /// Whether it could find more by letting words be missing.
    pub(super) can_be_partial: bool,
}

/// The fields of words, in the order of [`super::rank`].
pub(super) fn fields_of_words(fields: &Fields) -> [Words; KINDS] {
    [fields.title, fields.text, fields.author]
}

impl Plan {
    /// Looks up how frequent the words are, or takes that from `frame`.
    pub(super) fn new(
        ask: &Ask,
        request: &Request,
        fields: Fields,
        searcher: &Searcher,
        frame: Frame,
        first: bool,
    ) -> Result<Self, SearchError> {
        let mut planner = Planner { fields, searcher, frame, first, at: 0 };
        if first {
            planner.measure()?;
        }
        let mut root = planner.node(ask)?;
        let partly = planner.frame.partly;
        let can_be_partial = loosen(&mut root, partly) && !partly;
        let mut all = vec![root];
        all.extend(planner.filters(request));
        let root = Node::And { all, none: Vec::new() };
        Ok(Self { root, frame: planner.frame, can_be_partial })
    }
}

/// Where several words are asked for, lets some be missing, if `really`; whether it can.
fn loosen(root: &mut Node, really: bool) -> bool {
    let Node::And { all, .. } = root else { return false };
    let loose = |node: &Node| match node {
        Node::Word(lookup) => !lookup.stems.is_empty() && lookup.fields.len() > 1,
        _ => false,
    };
    let count = all.iter().filter(|node| loose(node)).count();
    if count < 2 {
        return false;
    }
    if really {
        let (of, mut rest): (Vec<Node>, Vec<Node>) = std::mem::take(all).into_iter().partition(loose);
        let least = of.len().div_ceil(2);
        rest.insert(0, Node::Some { of, least });
        *all = rest;
    }
    true
}

struct Planner<'a> {
    fields: Fields,
    searcher: &'a Searcher,
    frame: Frame,
    first: bool,
    /// Which word comes next.
    at: usize,
}

impl Planner<'_> {
    fn measure(&mut self) -> Result<(), SearchError> {
        let words = fields_of_words(&self.fields);
        let mut tokens = [0_u64; KINDS];
        self.frame.documents = 0;
        for segment in self.searcher.segment_readers() {
            self.frame.documents += u64::from(segment.max_doc());
            for (sum, words) in tokens.iter_mut().zip(&words) {
                *sum += segment.inverted_index(words.exact).map_err(broken)?.total_num_tokens();
            }
        }
        for (length, sum) in self.frame.lengths.iter_mut().zip(tokens) {
            let tenths = (10 * sum).checked_div(self.frame.documents).unwrap_or_default();
            *length = u32::try_from(tenths).unwrap_or(u32::MAX);
        }
        Ok(())
    }

    fn node(&mut self, ask: &Ask) -> Result<Node, SearchError> {
        Ok(match ask {
            Ask::Words { words, scope, quoted } => match words.as_slice() {
                [word] => Node::Word(self.lookup(word, *scope, !*quoted || *scope == Scope::Author)?),
                words => {
                    let words = words.iter().map(|word| self.lookup(word, *scope, true));
                    Node::Phrase(words.collect::<Result<_, _>>()?)
                }
            },
            Ask::Tag(tag) => Node::Tag(self.tag(tag)),
            Ask::Time { since, until } => time(*since, *until),
            Ask::Or(choices) => Node::Or(choices.iter().map(|ask| self.node(ask)).collect::<Result<_, _>>()?),
            Ask::And { all, none } => {
                let says = |ask: &&Ask| !is_small(ask);
                let small_only = all.iter().filter(says).all(|ask| matches!(ask, Ask::Tag(_) | Ask::Time { .. }));
                let all = all.iter().filter(|ask| small_only || says(ask));
                let all = all.map(|ask| self.node(ask)).collect::<Result<_, _>>()?;
                let none = none.iter().map(|ask| self.node(ask)).collect::<Result<_, _>>()?;
                Node::And { all, none }
            }
        })
    }

    fn tag(&self, tag: &Tag) -> Term {
        match tag {
            Tag::Feed(feed) => Term::from_field_text(self.fields.feed, feed),
            Tag::Topic(topic) => Term::from_field_text(self.fields.topic, topic),
            Tag::Language(language) => Term::from_field_text(self.fields.language, language),
        }
    }

    fn filters(&self, request: &Request) -> Vec<Node> {
        let mut filters = Vec::new();
        let mut tag = |field: Field, text: &str| filters.push(Node::Tag(Term::from_field_text(field, text)));
        if let Some(topic) = &request.topic {
            tag(self.fields.topic, topic.as_str());
        }
        if let Some(feed) = &request.feed {
            tag(self.fields.feed, feed.as_str());
        }
        if let Some(language) = &request.language {
            tag(self.fields.language, &language.to_ascii_lowercase());
        }
        if request.since.is_some() || request.until.is_some() {
            filters.push(time(request.since, request.until));
        }
        filters
    }

    fn lookup(&mut self, written: &Written, scope: Scope, forms: bool) -> Result<Lookup, SearchError> {
        let fields = match scope {
            Scope::Anywhere => vec![0, 1],
            Scope::Title => vec![0],
            Scope::Text => vec![1],
            Scope::Author => vec![2],
        };
        let stems = if forms { forms::of_asked(&written.word, &written.original) } else { Vec::new() };
        let surest = surest(&written.word, &stems);
        let mut lookup = Lookup { fields, word: written.word.clone(), stems, rarity: 0.0, surest };
        if self.first {
            let found = self.frequency(&lookup)?;
            self.frame.frequencies.push(found);
        }
        let found = self.frame.frequencies.get(self.at).copied().unwrap_or_default();
        self.at += 1;
        lookup.rarity = rarity(found, self.frame.documents);
        Ok(lookup)
    }

    /// In how many documents a word stands, as far as its likeliest readings tell.
    fn frequency(&self, lookup: &Lookup) -> Result<u64, SearchError> {
        let words = fields_of_words(&self.fields);
        let mut most = 0;
        for field in &lookup.fields {
            let Words { exact, stems } = words[*field];
            let likely = lookup.stems.iter().filter(|asked| asked.sure >= 0.75);
            let terms = likely.map(|asked| Term::from_field_text(stems, &asked.stem));
            for term in terms.chain([Term::from_field_text(exact, &lookup.word)]) {
                most = most.max(self.searcher.doc_freq(&term).map_err(broken)?);
            }
        }
        Ok(most)
    }
}

fn surest(word: &str, stems: &[Asked]) -> f64 {
    let under = |hamza: bool| {
        let mut surest = 0.0_f32;
        forms::of_word(Seen { at: 0, word, hamza }, |stem| {
            let of = stems.iter().filter(|asked| asked.stem == stem).map(|asked| asked.sure);
            surest = of.fold(surest, f32::max);
        });
        surest
    };
    // There is always one, which is not quite nothing.
    if stems.is_empty() { 1.0 } else { f64::from(under(false).min(under(true)).max(0.01)) }
}

/// Whether it is a word that says nothing by itself.
fn is_small(ask: &Ask) -> bool {
    match ask {
        Ask::Words { words, scope: Scope::Anywhere, quoted: false } => {
            words.iter().all(|word| is_function(&word.word) || word.word.chars().nth(1).is_none())
        }
        _ => false,
    }
}

fn time(since: Option<Timestamp>, until: Option<Timestamp>) -> Node {
    let since = since.map_or(i64::MIN, |since| {
        // A time within a millisecond begins with the next one.
        since.as_millisecond().saturating_add(i64::from(since.subsec_nanosecond() % 1_000_000 > 0))
    });
    Node::Time(since, until.map_or(i64::MAX, |until| until.as_millisecond()))
}

impl Frame {
    pub(super) fn mean(&self, field: usize) -> f64 {
        f64::from(self.lengths[field]) / 10.0
    }
}

pub(super) fn broken(error: impl std::fmt::Display) -> SearchError {
    SearchError::Index(format!("the search index cannot be read: {error}"))
}
