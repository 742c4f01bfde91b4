//! News put together anew from sentences of real articles: what a bench reads where it matters how often real words stand
//! where, and which stand beside each other.
//!
//! In: articles, each a headline and a text, and a seed. Out: [`Piece`]s without end, the same for the same seed: the headline
//! and the length of one article, half of its sentences its own, the others of any.
//! Not here: new words. A real million of articles has more of those that stand in a few.

use std::collections::HashMap;

use fastrand::Rng;

use crate::made_up::Piece;

/// Sentences of fewer words are headings, names and places.
const LEAST: usize = 4;

pub struct Writer {
    rng: Rng,
    written: usize,
    articles: Vec<(String, Vec<String>)>,
    /// The most frequent first.
    words: Vec<String>,
}

impl Writer {
    pub fn new(articles: impl Iterator<Item = (String, String)>, seed: u64) -> Self {
        let articles: Vec<(String, Vec<String>)> =
            articles.map(|(title, text)| (title, sentences(&text))).filter(|(_, text)| !text.is_empty()).collect();
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for word in articles.iter().flat_map(|(_, text)| text).flat_map(|sentence| words(sentence)) {
            *counts.entry(word).or_default() += 1;
        }
        let mut words: Vec<(&str, usize)> = counts.into_iter().collect();
        words.sort_unstable_by_key(|(word, count)| (usize::MAX - count, *word));
        let words = words.into_iter().map(|(word, _)| word.to_owned()).collect();
        Self { rng: Rng::with_seed(seed), written: 0, articles, words }
    }

    /// All words, the most frequent first.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Words that stand one after the other somewhere: at most `count`.
    pub fn phrase(&self, rng: &mut Rng, count: usize) -> String {
        let (_, text) = rng.choice(&self.articles).unwrap();
        let words: Vec<&str> = words(rng.choice(text).unwrap()).collect();
        let begin = rng.usize(0..=words.len().saturating_sub(count));
        words.iter().skip(begin).take(count).copied().collect::<Vec<_>>().join(" ")
    }

    /// The next article; one in seven is called a rewriting of the one before.
    pub fn write(&mut self) -> Piece {
        let Self { rng, articles, written, .. } = self;
        let number = *written;
        *written += 1;
        let (title, own) = rng.choice(&*articles).unwrap();
        let mut text = String::new();
        for sentence in own {
            let (_, others) = rng.choice(&*articles).unwrap();
            let other = rng.choice(others).unwrap();
            text += if rng.bool() { sentence } else { other };
            text += ".\n";
        }
        Piece { title: title.clone(), text, of: number.checked_sub(1).filter(|_| number % 7 == 6) }
    }
}

fn sentences(text: &str) -> Vec<String> {
    let parts = text.split(['\n', '.', '؟', '!']).map(str::trim);
    parts.filter(|sentence| words(sentence).count() >= LEAST).map(str::to_owned).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty())
}
