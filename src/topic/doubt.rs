//! What compiles and yet is hardly meant.
//!
//! In: [`TopicsFile`]. Out: what its author will want to know, each as a [`Problem`] with its place; none of it keeps the
//! topics from running.
//! Promise: a file that nobody would change is silent here.
//! Not here: what is certainly wrong ([`super::compile`]).

use std::collections::HashMap;
use std::ops::Range;

use super::compile::{Problem, locate};
use super::config::{Sets, TopicConfig, TopicsFile};
use super::query::{Entry, Query, parse, parse_entry};
use super::term::{Class, Term};
use super::{Field, Topics};
use crate::text::stem;
use crate::text::tokenize::Words;

/// From how many entries on a set is a burden: each article that opens the gate looks up every one of them.
const LARGE_SET: usize = 10_000;

impl Topics {
    /// What in `file` is allowed and hardly meant, in the order of the file: entries that stand in a set twice, words that
    /// stand in every article, gates of nothing but feeds and languages, rules that count the same thing twice, sets too large
    /// to be quick.
    pub fn doubts(file: &TopicsFile) -> Vec<Problem> {
        let mut doubts = Vec::new();
        in_sets(&file.sets, &mut doubts);
        for topic in &file.topic {
            in_sets(&topic.sets, &mut doubts);
            in_rules(topic, &mut doubts);
            doubts.extend(wide_open(topic));
        }
        doubts.sort_by_key(|doubt| (doubt.span.start, doubt.span.end));
        doubts
    }
}

fn in_sets(sets: &Sets, doubts: &mut Vec<Problem>) {
    for (name, entries) in sets {
        let mut seen: HashMap<String, &str> = HashMap::new();
        for text in entries {
            let written = text.get_ref().as_str();
            let (entry, _) = parse_entry(written);
            if let Some(Entry::Words { words, .. }) = &entry
                && let Some(message) = everywhere(words, written)
            {
                doubts.push(Problem { span: text.span(), message });
            }
            let same = match entry {
                Some(Entry::Words { words, gaps }) => Query::Words { words, gaps, at: Default::default() }.to_string(),
                Some(Entry::Include(other)) => format!("${other}"),
                None => continue,
            };
            let Some(first) = seen.insert(same, written) else { continue };
            let message = if first == written {
                format!("`{written}` stands in ${name} twice; remove one")
            } else {
                format!("`{written}` finds the same as `{first}`, which stands in ${name} already; remove one")
            };
            doubts.push(Problem { span: text.span(), message });
        }
        if let Some(first) = entries.first()
            && entries.len() > LARGE_SET
        {
            let message = format!(
                "${name} has {} entries, and every article that opens a gate looks up each of them; leave out those that `rasid topics explain` shows never occur, or write a prefix* for many",
                entries.len()
            );
            doubts.push(Problem { span: first.span(), message });
        }
    }
}

fn in_rules(topic: &TopicConfig, doubts: &mut Vec<Problem>) {
    let mut seen: HashMap<String, &str> = HashMap::new();
    for (text, rule) in topic
        .gate
        .iter()
        .map(|gate| (gate, None))
        .chain(topic.score.iter().chain(&topic.exclude).map(|r| (&r.q, Some(r))))
    {
        let (Some(tree), _) = parse(text.get_ref()) else { continue };
        for (at, message) in common_words(&tree, text.get_ref()) {
            doubts.push(Problem { span: locate(text, &at), message });
        }
        let Some(rule) = rule else { continue };
        let name = rule.name.as_deref().unwrap_or(rule.q.get_ref());
        if let Some(first) = seen.insert(tree.to_string(), name) {
            let message =
                format!("the same query as in the rule `{first}`, so each place counts twice; make it one rule");
            let span = locate(text, &(0..text.get_ref().len()));
            doubts.push(Problem { span, message });
        }
    }
}

/// A word on a gate that looks at no word of an article and at no address.
fn wide_open(topic: &TopicConfig) -> Option<Problem> {
    let gate = topic.gate.as_ref()?;
    let (tree, _) = parse(gate.get_ref());
    if !asks_for_origin(&tree?) {
        return None;
    }
    let what = if topic.score.is_empty() && topic.like.is_none() { "belongs to the topic" } else { "is scored" };
    let message = format!(
        "this gate asks for nothing but feed: or lang:, so every article of that feed or language {what}; join it with words by AND"
    );
    Some(Problem { span: locate(gate, &(0..gate.get_ref().len())), message })
}

fn asks_for_origin(tree: &Query) -> bool {
    match tree {
        Query::Test { field, .. } => matches!(field, Field::Feed | Field::Language),
        Query::Or(any) => any.iter().all(asks_for_origin),
        // What is excluded narrows it, and yet everything else comes in.
        Query::And { all, .. } => all.iter().all(asks_for_origin),
        Query::In(_, tree) => asks_for_origin(tree),
        Query::Words { .. } | Query::Set { .. } | Query::Near { .. } => false,
    }
}

fn common_words(tree: &Query, query: &str) -> Vec<(Range<usize>, String)> {
    match tree {
        Query::Words { words, at, .. } => {
            let written = query.get(at.0.clone()).unwrap_or_default();
            everywhere(words, written).map(|message| (at.0.clone(), message)).into_iter().collect()
        }
        Query::Or(any) => any.iter().flat_map(|tree| common_words(tree, query)).collect(),
        Query::And { all, none } => all.iter().chain(none).flat_map(|tree| common_words(tree, query)).collect(),
        Query::Near { first, then } => std::iter::once(&**first)
            .chain(then.iter().map(|(_, tree)| tree))
            .flat_map(|tree| common_words(tree, query))
            .collect(),
        Query::In(_, tree) => common_words(tree, query),
        Query::Set { .. } | Query::Test { .. } => Vec::new(),
    }
}

/// What to say of a single word that is in nearly every article.
fn everywhere(words: &[Term], written: &str) -> Option<String> {
    let [term] = words else { return None };
    let words = Words::of(written);
    let word = words.get(0);
    let function_word =
        term.class() != Class::Foreign && word.chars().nth(1).is_some() && stem::content(word).is_none();
    function_word.then(|| {
        format!(
            "`{written}` is a function word: it stands in nearly every article, so it tells nothing and costs time; remove it, or make it part of a phrase"
        )
    })
}
