//! Pages written for measuring: templates of Arabic sites, filled with stories of our own, and what is their article.
//!
//! In: `tests/fixtures/pages/{set,held}/*.html`, `stories.txt`, `headlines.txt`. Out: [`Sample`] values; scores.
//! A template names paragraphs of the story by number (`{1}`), its headline (`{title}`), other headlines (`{h1}`) and a
//! list of links (`{links}`). The article is the numbered paragraphs in their order, so a template needs no answer
//! written beside it. Adding a page is adding a file.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// A page and its article.
#[derive(Debug)]
pub struct Sample {
    /// The template's name and the number of the story.
    pub name: String,
    pub html: String,
    pub article: String,
    pub title: String,
}

struct Story {
    title: String,
    paragraphs: Vec<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pages")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap()
}

fn stories() -> Vec<Story> {
    let of = |block: &str| {
        let mut lines = block.lines().map(str::to_owned);
        Story { title: lines.next().unwrap(), paragraphs: lines.collect() }
    };
    read("stories.txt").trim().split("\n\n").map(of).collect()
}

/// Every template of `set` with every story.
pub fn samples(set: &str) -> Vec<Sample> {
    let (stories, headlines) = (stories(), read("headlines.txt"));
    let headlines: Vec<&str> = headlines.lines().collect();
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder().join(set)).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let mut samples = Vec::new();
    for (at, file) in files.iter().enumerate() {
        let template = std::fs::read_to_string(file).unwrap();
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        for (number, story) in stories.iter().enumerate() {
            samples.push(filled(format!("{name}/{number}"), &template, story, &headlines, at * 5 + number * 3));
        }
    }
    samples
}

fn filled(name: String, template: &str, story: &Story, headlines: &[&str], from: usize) -> Sample {
    let headline = |at: usize| headlines[(from + at) % headlines.len()];
    let link = |at: usize| format!("<a href=\"/n/{at}\">{}</a><br>\n", headline(at));
    let links: String = (8..15).map(link).collect();
    let (mut html, mut article) = (String::new(), Vec::new());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        html.push_str(before);
        let (key, tail) = after.split_once('}').unwrap_or_default();
        let paragraph = key.parse::<usize>().ok().map(|number| story.paragraphs[number - 1].clone());
        article.extend(paragraph.clone());
        let value = match key {
            "title" => Some(story.title.clone()),
            "links" => Some(links.clone()),
            _ => paragraph.or_else(|| key.strip_prefix('h')?.parse().ok().map(|at| headline(at).to_owned())),
        };
        // A brace of JSON or CSS.
        rest = if let Some(value) = value {
            html.push_str(&value);
            tail
        } else {
            html.push('{');
            after
        };
    }
    html.push_str(rest);
    Sample { name, html, article: article.join("\n"), title: story.title.clone() }
}

/// How much of what was found is right, and how much of what is right was found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Score {
    pub precision: f64,
    pub recall: f64,
}

impl Score {
    pub fn f1(self) -> f64 {
        if self.precision + self.recall == 0.0 {
            return 0.0;
        }
        2.0 * self.precision * self.recall / (self.precision + self.recall)
    }
}

/// The measure of the article-extraction-benchmark: shingles of four words, as multisets.
pub fn score(found: &str, article: &str) -> Score {
    let (found, right) = (shingles(found), shingles(article));
    let shared: f64 = right.iter().map(|(shingle, count)| count.min(found.get(shingle).copied().unwrap_or(0.0))).sum();
    let part = |all: &HashMap<Vec<String>, f64>| {
        let all: f64 = all.values().sum();
        if all == 0.0 { 0.0 } else { shared / all }
    };
    Score { precision: part(&found), recall: part(&right) }
}

fn shingles(text: &str) -> HashMap<Vec<String>, f64> {
    let words: Vec<String> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
    let mut counted = HashMap::new();
    for shingle in words.windows(words.len().clamp(1, 4)) {
        *counted.entry(shingle.to_vec()).or_default() += 1.0;
    }
    counted
}

/// Precision, recall and F1 over many pages, as that benchmark has them: the F1 of the mean precision and recall.
pub fn mean(scores: &[Score]) -> Score {
    let count = scores.len().max(1) as f64;
    Score {
        precision: scores.iter().map(|score| score.precision).sum::<f64>() / count,
        recall: scores.iter().map(|score| score.recall).sum::<f64>() / count,
    }
}
