//! All terms of all topics, looked up at once.
//!
//! In: the terms, then one word of a text at a time. Out: the numbers of the terms that the word is a form of.
//! Promise: the work grows with the word, not with the number of terms: one walk down a trie for each way the word's
//! beginning can be read as proclitics, and most walks end at the second letter.
//! Not here: what a form is ([`super::term`]).

use std::collections::{BTreeMap, HashMap};

use super::term::{Before, Rest, Term, proclitics};

/// The trie of the forms, and the terms that allow an edit.
#[derive(Debug, Default)]
pub(super) struct Lexicon {
    nodes: Vec<Node>,
    /// Of all nodes, each node's sorted by letter.
    edges: Vec<(char, u32)>,
    /// Of all nodes: the forms whose letters end there.
    ends: Vec<End>,
    fuzzy: Vec<FuzzyTerm>,
    /// The first and the last three letters of each fuzzy term: one edit leaves one of the two as it was.
    fuzzy_by_letters: HashMap<[char; 3], Vec<u32>>,
}

#[derive(Debug)]
struct Node {
    edges: std::ops::Range<u32>,
    ends: std::ops::Range<u32>,
}

#[derive(Debug)]
struct End {
    term: u32,
    rest: Rest,
    before: Before,
}

#[derive(Debug)]
struct FuzzyTerm {
    term: u32,
    letters: Vec<char>,
    before: Before,
}

#[derive(Default)]
struct Draft {
    next: BTreeMap<char, u32>,
    ends: Vec<End>,
}

impl Lexicon {
    /// A lexicon of `terms`, which are then known by their positions.
    pub(super) fn of(terms: &[Term]) -> Self {
        let mut drafts = vec![Draft::default()];
        let mut lexicon = Self::default();
        for (term, form) in terms.iter().enumerate().flat_map(|(i, term)| term.forms().into_iter().map(move |f| (i, f)))
        {
            let term = number(term);
            if form.rest == Rest::Fuzzy {
                lexicon.add_fuzzy(FuzzyTerm { term, letters: form.key, before: form.before });
                continue;
            }
            let mut at = 0;
            for letter in form.key {
                let fresh = drafts.len();
                let next = *drafts[at].next.entry(letter).or_insert(number(fresh)) as usize;
                if next == fresh {
                    drafts.push(Draft::default());
                }
                at = next;
            }
            drafts[at].ends.push(End { term, rest: form.rest, before: form.before });
        }
        for draft in drafts {
            let (edges, ends) = (number(lexicon.edges.len()), number(lexicon.ends.len()));
            lexicon.edges.extend(draft.next);
            lexicon.ends.extend(draft.ends);
            lexicon
                .nodes
                .push(Node { edges: edges..number(lexicon.edges.len()), ends: ends..number(lexicon.ends.len()) });
        }
        lexicon
    }

    fn add_fuzzy(&mut self, term: FuzzyTerm) {
        let at = number(self.fuzzy.len());
        for letters in [term.letters.first_chunk(), term.letters.last_chunk()].into_iter().flatten() {
            self.fuzzy_by_letters.entry(*letters).or_default().push(at);
        }
        self.fuzzy.push(term);
    }

    /// Appends to `found` the terms that `word` is a form of; some may come twice.
    pub(super) fn find(&self, word: &[char], found: &mut Vec<u32>) {
        for proclitic in proclitics(word) {
            let stem = word.get(proclitic.len..).unwrap_or_default();
            let mut at = 0;
            for depth in 0..=stem.len() {
                let Some(node) = self.nodes.get(at) else { break };
                let rest = stem.get(depth..).unwrap_or_default();
                let ends = self.ends.get(node.ends.start as usize..node.ends.end as usize).unwrap_or_default();
                for end in ends {
                    if end.before.admits(proclitic) && end.rest.admits(stem, rest) {
                        found.push(end.term);
                    }
                }
                let Some(letter) = rest.first() else { break };
                let edges = self.edges.get(node.edges.start as usize..node.edges.end as usize).unwrap_or_default();
                let Ok(edge) = edges.binary_search_by_key(letter, |(letter, _)| *letter) else { break };
                at = edges[edge].1 as usize;
            }
            if !self.fuzzy.is_empty() {
                for letters in [stem.first_chunk::<3>(), stem.last_chunk::<3>()].into_iter().flatten() {
                    for fuzzy in self.fuzzy_by_letters.get(letters).into_iter().flatten() {
                        let fuzzy = &self.fuzzy[*fuzzy as usize];
                        if fuzzy.before.admits(proclitic) && within_one_edit(&fuzzy.letters, stem) {
                            found.push(fuzzy.term);
                        }
                    }
                }
            }
        }
    }
}

/// Whether `a` becomes `b` with at most one letter put in, left out or changed.
fn within_one_edit(a: &[char], b: &[char]) -> bool {
    let same_start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (a.get(same_start..).unwrap_or_default(), b.get(same_start..).unwrap_or_default());
    let same_end = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    a.len() - same_end <= 1 && b.len() - same_end <= 1
}

/// Positions are kept in 32 bits; a configuration of four thousand million terms is not to be feared.
fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_edit() {
        for (a, b, within) in [
            ("كازاخستان", "كازاخستان", true),
            ("كازاخستان", "كازخستان", true),
            ("كازاخستان", "كازاخسان", true),
            ("كازاخستان", "كازاخستتان", true),
            ("كازاخستان", "قازاخستان", true),
            ("كازاخستان", "قازخستان", false),
            ("كازاخستان", "كازاخ", false),
            ("", "", true),
            ("", "ا", true),
            ("", "اب", false),
        ] {
            let letters = |s: &str| s.chars().collect::<Vec<_>>();
            assert_eq!(within_one_edit(&letters(a), &letters(b)), within, "{a} {b}");
            assert_eq!(within_one_edit(&letters(b), &letters(a)), within, "{b} {a}");
        }
    }
}
