//! `topics.toml` and `corpus/*.pack`: what items are about, and what they may be copies of.
//!
//! In: a file's text and a directory. Out: compiled [`Topics`] and loaded [`Corpora`].
//! Promise: a fault within a query shows at its own column; every pack that cannot be used is named.
//! Not here: the language of queries ([`crate::topic::query`]), the format of packs ([`crate::dedup::corpus`]).

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::examples::{self, Examples};
use super::report::{Problem, Report};
use super::tree::{Env, Tree};
use crate::dedup::corpus::{Corpora, Corpus};
use crate::id::ItemId;
use crate::topic::{self, Article, Topics, TopicsFile};

/// Reads and compiles the topics: as written, as they run, and the examples that they name, relative to `dir`.
pub(super) fn read(report: &mut Report<'_>, env: Env<'_>, dir: &Path) -> Option<(TopicsFile, Topics, Examples)> {
    let file = Tree::parse(report, env).rest::<TopicsFile>(report)?;
    let examples = examples::read(report, &file, dir);
    match Topics::compile(&file) {
        Ok(topics) => Some((file, topics, examples)),
        Err(problems) => {
            for problem in problems {
                report.problem(problem.span, problem.message);
            }
            None
        }
    }
}

/// What in the topics is allowed and hardly meant.
pub(super) fn doubts(file: &Path, text: &str, topics: &TopicsFile) -> Vec<Problem> {
    placed(file, text, Topics::doubts(topics).into_iter().chain(examples::missing(topics)).collect())
}

/// What came of the topics' own tests, each with its line.
#[derive(Debug, Default)]
pub struct TopicTests {
    /// Those that failed.
    pub failed: Vec<Problem>,
    /// Those that nothing is known of before their topic has learned from its examples.
    pub untaught: Vec<Problem>,
}

/// Runs the topics' own tests; `text` is what they were read from.
pub(super) fn run_tests<'a>(
    file: &Path,
    text: &str,
    topics: &Topics,
    stored: &dyn Fn(ItemId) -> Result<Article<'a>, String>,
) -> TopicTests {
    let tested = topics.tested(stored);
    TopicTests { failed: placed(file, text, tested.failed), untaught: placed(file, text, tested.untaught) }
}

fn placed(file: &Path, text: &str, found: Vec<topic::Problem>) -> Vec<Problem> {
    let mut report = Report::new(file, text);
    for problem in found {
        report.problem(problem.span, problem.message);
    }
    report.finish()
}

/// The packs of a directory.
#[derive(Debug, Default)]
pub(super) struct Packs {
    corpora: Vec<Corpus>,
    /// The names of files that are no usable packs, and why.
    unusable: Vec<(String, String)>,
    sound: bool,
}

impl Packs {
    /// What was loaded; none where anything could not be.
    pub(super) fn loaded(self) -> Option<Corpora> {
        self.sound.then(|| Corpora::new(self.corpora))
    }
}

/// The corpora that topics name as examples and that cannot be used, each at its name.
pub(super) fn check_examples(file: &Path, text: &str, topics: &TopicsFile, packs: &Packs) -> Vec<Problem> {
    let known: Vec<&str> = packs.corpora.iter().map(|corpus| corpus.name.as_str()).collect();
    placed(file, text, examples::unknown_corpora(topics, &known, &packs.unusable))
}

/// Loads every pack of the directory. Without the directory there is none.
pub(super) fn read_corpora(dir: &Path, problems: &mut Vec<Problem>) -> Packs {
    let before = problems.len();
    let mut packs = Packs::default();
    for file in files_of(dir, problems) {
        let read = std::fs::read(&file).map_err(|error| format!("this pack cannot be read: {error}"));
        match read.and_then(|bytes| Corpus::read(&bytes).map_err(|error| error.to_string())) {
            Ok(corpus) if packs.corpora.iter().any(|known| known.name == corpus.name) => {
                let message =
                    format!("another pack holds a corpus named `{}` already; remove one of them", corpus.name);
                problems.push(Problem::of_file(&file, message));
            }
            Ok(corpus) => packs.corpora.push(corpus),
            Err(message) => {
                let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                packs.unusable.push((name, message.clone()));
                problems.push(Problem::of_file(&file, message));
            }
        }
    }
    packs.sound = problems.len() == before;
    packs
}

/// The packs by name, so that problems come in the same order everywhere.
fn files_of(dir: &Path, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
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
