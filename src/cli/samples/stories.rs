//! The stories, read from the texts that are built in.
//!
//! In: `text/*.txt`: a line `@ id`, lines `topics:`, `not:`, `title:`, then paragraphs separated by blank lines.
//! Out: [`Story`] by id.

use std::collections::BTreeMap;

const TEXTS: [&str; 3] =
    [include_str!("text/csto.txt"), include_str!("text/kazakhstan.txt"), include_str!("text/world.txt")];

/// One story as its first outlet told it.
pub(super) struct Story {
    pub title: &'static str,
    pub paragraphs: Vec<&'static str>,
    /// Topics it must match.
    pub topics: Vec<&'static str>,
    /// Topics it must not match.
    pub not: Vec<&'static str>,
}

pub(super) fn stories() -> BTreeMap<&'static str, Story> {
    TEXTS.iter().flat_map(|text| text.split("@ ").skip(1)).filter_map(story).collect()
}

fn story(text: &'static str) -> Option<(&'static str, Story)> {
    let (id, rest) = text.split_once('\n')?;
    let mut story = Story { title: "", paragraphs: Vec::new(), topics: Vec::new(), not: Vec::new() };
    for line in rest.lines().filter(|line| !line.is_empty()) {
        match line.split_once(": ") {
            Some(("topics", topics)) => story.topics = topics.split(' ').collect(),
            Some(("not", topics)) => story.not = topics.split(' ').collect(),
            Some(("title", title)) => story.title = title,
            _ => story.paragraphs.push(line),
        }
    }
    Some((id.trim(), story))
}
