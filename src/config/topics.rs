//! `topics.toml` with its example files, and `corpus/*.pack`: what items are about, and what they may be copies of.
//!
//! In: a file's text and a directory. Out: compiled [`Topics`], the terms of their examples, and loaded [`Corpora`].
//! Promise: a fault within a query shows at its own column, and so does an example that cannot be read; every pack that
//! cannot be used is named.
//! Not here: the language of queries ([`crate::topic::query`]), the format of packs ([`crate::dedup::corpus`]).

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::report::{Problem, Report, line_column};
use super::tree::{Env, Tree};
use crate::dedup::corpus::{Corpora, Corpus, CorpusText, documents_of};
use crate::id::TopicId;
use crate::topic::bag::Bag;
use crate::topic::{Topics, TopicsFile};

/// Examples by topic.
pub(super) type Examples = BTreeMap<TopicId, Vec<Bag>>;

/// Reads and compiles the topics, and reads the examples that they name, relative to the directory of the file `path`.
pub(super) fn read(
    report: &mut Report<'_>,
    env: Env<'_>,
    path: &Path,
    notes: &mut Vec<Problem>,
) -> Option<(Topics, Examples)> {
    let dir = path.parent().unwrap_or(Path::new(""));
    let file = Tree::parse(report, env).rest::<TopicsFile>(report)?;
    let mut examples = Examples::new();
    for topic in &file.topic {
        if topic.like.as_ref().is_some_and(|like| like.files.is_empty() && like.items.is_empty()) {
            let (id, (line, column)) =
                (topic.id.get_ref(), line_column(report.text().as_bytes(), topic.id.span().start));
            let message = format!(
                "the topic `{id}` names no example: it learns once `rasid topics learn {id} --yes ITEM` has named some"
            );
            notes.push(Problem { file: path.to_owned(), line, column, message });
        }
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
    match Topics::compile(&file) {
        Ok(topics) => Some((topics, examples)),
        Err(problems) => {
            for problem in problems {
                report.problem(problem.span, problem.message);
            }
            None
        }
    }
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

/// Runs the topics' own tests; `text` is what they were read from.
pub(super) fn run_tests(file: &Path, text: &str, topics: &Topics) -> Vec<Problem> {
    let mut report = Report::new(file, text);
    for failure in topics.run_tests() {
        report.problem(failure.span, failure.message);
    }
    report.finish()
}

/// Loads every pack of the directory. Without the directory there is none.
pub(super) fn read_corpora(dir: &Path, problems: &mut Vec<Problem>) -> Option<Corpora> {
    let before = problems.len();
    let mut corpora: Vec<Corpus> = Vec::new();
    for file in packs(dir, problems) {
        let read = std::fs::read(&file).map_err(|error| format!("this pack cannot be read: {error}"));
        match read.and_then(|bytes| Corpus::read(&bytes).map_err(|error| error.to_string())) {
            Ok(corpus) if corpora.iter().any(|known| known.name == corpus.name) => {
                let message =
                    format!("another pack holds a corpus named `{}` already; remove one of them", corpus.name);
                problems.push(Problem::of_file(&file, message));
            }
            Ok(corpus) => corpora.push(corpus),
            Err(message) => problems.push(Problem::of_file(&file, message)),
        }
    }
    (problems.len() == before).then(|| Corpora::new(corpora))
}

/// The packs by name, so that problems come in the same order everywhere.
fn packs(dir: &Path, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let listed = std::fs::read_dir(dir).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut files: Vec<PathBuf> = match listed {
        Ok(files) => files,
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            problems.push(Problem::of_file(dir, format!("this directory cannot be read: {error}")));
            Vec::new()
        }
    };
    files.retain(|file| file.extension().is_some_and(|extension| extension == "pack"));
    files.sort();
    files
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
