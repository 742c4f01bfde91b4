//! What compiles and yet is hardly meant.
//!
//! In: [`TopicsFile`]. Out: what its author will want to know, each as a [`Problem`] with its place; none of it keeps the
//! topics from running.
//! Promise: a file that nobody would change is silent here.
//! Not here: what is certainly wrong ([`super::compile`]).

use std::collections::HashMap;
use std::ops::Range;

use super::Topics;
use super::compile::{Problem, locate};
use super::config::{Sets, TopicConfig, TopicsFile};
use super::query::{Entry, Query, parse, parse_entry};
use super::term::{Class, Term};
use crate::text::stem;

/// From how many entries on a set is a burden: each article that opens the gate looks up every one of them.
const LARGE_SET: usize = 10_000;

impl Topics {
    /// What in `file` is allowed and hardly meant, in the order of the file: entries that stand in a set twice, words that
    /// stand in every article, rules that count the same thing twice, sets too large to be quick.
    pub fn doubts(file: &TopicsFile) -> Vec<Problem> {
        let mut doubts = Vec::new();
        in_sets(&file.sets, &mut doubts);
        for topic in &file.topic {
            in_sets(&topic.sets, &mut doubts);
            in_rules(topic, &mut doubts);
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
    let [word] = words else { return None };
    let letters = word.stem();
    let function_word =
        word.class() != Class::Foreign && letters.chars().nth(1).is_some() && stem::content(letters).is_none();
    function_word.then(|| {
        format!(
            "`{written}` is a function word: it stands in nearly every article, so it tells nothing and costs time; remove it, or make it part of a phrase"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands at each doubt, and a word of what is said.
    fn doubts(file: &str) -> Vec<(String, String)> {
        let parsed: TopicsFile = toml::from_str(file).expect(file);
        assert!(Topics::compile(&parsed).is_ok(), "{file}");
        let shown = |doubt: Problem| (file.get(doubt.span).expect("a place in the file").to_owned(), doubt.message);
        Topics::doubts(&parsed).into_iter().map(shown).collect()
    }

    #[test]
    fn what_is_hardly_meant_is_told_at_its_place() {
        for (file, at, says) in [
            ("sets.A = ['غاز', 'نفط', 'غاز']", "'غاز'", "in $A twice"),
            ("sets.A = ['ألما آتا:n', 'ألما أتا:n']", "'ألما أتا:n'", "the same as `ألما آتا:n`"),
            ("sets.A = ['غاز']\nsets.B = ['$A', '$A']", "'$A'", "in $B twice"),
            ("sets.A = ['غاز', 'من']", "'من'", "function word"),
            ("sets.A = ['=في', 'نفط']", "'=في'", "function word"),
            (
                "topic = [{ id = 'a', label = { ar = '', en = '' }, gate = 'غاز NEAR/3 (نفط OR التي)' }]",
                "التي",
                "function word",
            ),
            (
                "topic = [{ id = 'a', label = { ar = '', en = '' }, gate = 'غاز', score = [{ q = 'نفط', w = 1.0, name = 'oil' }, { q = '(نفط)', w = 1.0 }] }]",
                "(نفط)",
                "rule `oil`",
            ),
        ] {
            let found = doubts(file);
            assert_eq!(found.len(), 1, "{file}: {found:?}");
            assert_eq!(found[0].0, at, "{file}");
            assert!(found[0].1.contains(says), "{file}: {}", found[0].1);
        }
    }

    #[test]
    fn what_is_meant_is_silent() {
        for file in [
            "sets.A = ['كازاخستان:g', 'كازاخستان~1', 'كازاخ*', '=كازاخستان', '2022', 'من دون', 'حكومة', 'حكومه']",
            "sets.A = ['غاز', 'نفط']\ntopic = [{ id = 'a', label = { ar = '', en = '' }, gate = '$A', sets.A = ['غاز'], score = [{ q = '$A', w = 1.0 }, { q = 'title:$A', w = 1.0 }] }]",
        ] {
            assert_eq!(doubts(file), [], "{file}");
        }
    }

    #[test]
    fn a_set_that_is_too_large_is_told() {
        let entries: Vec<String> = (0..=LARGE_SET).map(|n| format!("'{n}1'")).collect();
        let found = doubts(&format!("sets.A = [{}]", entries.join(",")));
        assert_eq!(found.len(), 1);
        assert!(found[0].1.contains("10001 entries"), "{}", found[0].1);
    }
}
