//! The examples that topics name in files.
//!
//! In: `topics.toml` as written, and its directory. Out: the terms of each example, by topic.
//! Promise: an example that is not there or cannot be read is a fault at the very name.
//! Not here: examples that are stored items, which the store knows ([`crate::pipeline::learn`]).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_spanned::Spanned;

use super::report::Report;
use crate::dedup::corpus::{CorpusText, documents_of};
use crate::id::TopicId;
use crate::topic::bag::Bag;
use crate::topic::config::LikeConfig;
use crate::topic::{Problem, TopicsFile};

/// Examples by topic.
pub(super) type Examples = BTreeMap<TopicId, Vec<Bag>>;

/// Reads the examples of all topics, relative to `dir`.
pub(super) fn read(report: &mut Report<'_>, file: &TopicsFile, dir: &Path) -> Examples {
    let mut examples = Examples::new();
    for topic in &file.topic {
        for pattern in topic.like.iter().flat_map(|like| &like.files) {
            let read = texts(dir, pattern.get_ref()).unwrap_or_else(|message| {
                report.problem(pattern.span(), message);
                Vec::new()
            });
            // An id that is none is told by the compiler.
            if let Ok(id) = topic.id.get_ref().parse() {
                examples.entry(id).or_default().extend(read.iter().map(bag));
            }
        }
    }
    examples
}

/// The corpora that topics name and that are not there, each at its name. `unusable`: packs that cannot be read, and why.
pub(super) fn unknown_corpora(file: &TopicsFile, known: &[&str], unusable: &[(String, String)]) -> Vec<Problem> {
    let named = file.topic.iter().filter_map(|topic| topic.like.as_ref()).flat_map(|like| &like.corpus);
    let unknown = named.filter(|name| !known.contains(&name.get_ref().as_str()));
    let problem = |name: &Spanned<String>| {
        let written = name.get_ref();
        let message = match unusable.iter().find(|(pack, _)| pack == written) {
            Some((_, why)) => format!("the corpus `{written}` cannot serve as examples: {why}"),
            None if known.is_empty() => {
                format!("no corpus is called `{written}`: there is none; put its pack into `{}/`", super::CORPUS)
            }
            None => format!("no corpus is called `{written}`; there are: {}", known.join(", ")),
        };
        Problem { span: name.span(), message }
    };
    unknown.map(problem).collect()
}

/// A word on each topic that learns and names nothing to learn from.
pub(super) fn missing(file: &TopicsFile) -> Vec<Problem> {
    let without = file.topic.iter().filter(|topic| {
        let nothing = |like: &LikeConfig| like.files.is_empty() && like.items.is_empty() && like.corpus.is_empty();
        topic.like.as_ref().is_some_and(nothing)
    });
    let word = |topic: &crate::topic::config::TopicConfig| {
        let id = topic.id.get_ref();
        let message = format!(
            "the topic `{id}` names no example: it learns once `rasid topics learn {id} --yes ITEM` has named some"
        );
        Problem { span: topic.id.span(), message }
    };
    without.map(word).collect()
}

/// The terms of an example. A headline at the beginning of the text is taken for the headline that an item has.
fn bag(text: &CorpusText) -> Bag {
    let rest = text.text.trim_start().strip_prefix(text.title.as_str()).unwrap_or(&text.text);
    Bag::read(&text.title, rest)
}

/// The texts of all files that `pattern` names, in the order of their names.
fn texts(dir: &Path, pattern: &str) -> Result<Vec<CorpusText>, String> {
    let (folder, name) = pattern.rsplit_once('/').map_or(("", pattern), |(folder, name)| (folder, name));
    if folder.contains('*') {
        return Err(format!("`{pattern}`: `*` may stand in the file's name only, not in its folder's"));
    }
    let folder = dir.join(if pattern.starts_with('/') && folder.is_empty() { "/" } else { folder });
    let mut files: Vec<PathBuf> = if name.contains('*') {
        let listed = std::fs::read_dir(&folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
        listed.map_err(|error| format!("{}: this folder cannot be read: {error}", folder.display()))?
    } else {
        vec![folder.join(name)]
    };
    files.retain(|file| file.file_name().and_then(|name| name.to_str()).is_some_and(|file| fits(name, file)));
    files.sort();
    if files.is_empty() {
        return Err(format!("`{pattern}`: no file in {} has such a name", folder.display()));
    }
    let mut texts = Vec::new();
    for file in files {
        let cannot = |why: &dyn std::fmt::Display| format!("{}: this example cannot be read: {why}", file.display());
        let content = std::fs::read_to_string(&file).map_err(|error| cannot(&error))?;
        texts.extend(documents_of(&file.to_string_lossy(), &content).map_err(|error| cannot(&error))?);
    }
    Ok(texts)
}

/// Whether a name is what the pattern says, in which `*` stands for anything.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let tail = parts.pop().unwrap_or_default();
    for part in parts {
        match left.split_once(part) {
            Some((_, after)) => left = after,
            None => return false,
        }
    }
    left.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, name, expected) in [
            ("a.txt", "a.txt", true),
            ("a.txt", "b.txt", false),
            ("*.txt", "a.txt", true),
            ("*.txt", "a.html", false),
            ("a-*.txt", "a-1.txt", true),
            ("a-*.txt", "a-.txt", true),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "a1c2b", false),
            ("a*a", "a", false),
            ("*", "x", true),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }
}
