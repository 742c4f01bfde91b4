//! `topics.toml`: what items are about.
//!
//! In: a file's text and a directory. Out: compiled [`Topics`].
//! Promise: a fault within a query shows at its own column.
//! Not here: the language of queries ([`crate::topic::query`]).

use std::path::Path;

use super::corpora;
use super::examples::{self, Examples};
use super::report::{Problem, Report};
use super::tree::{Env, Tree};
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

/// The corpora that topics name as examples and that cannot be used, each at its name.
pub(super) fn check_examples(file: &Path, text: &str, topics: &TopicsFile, found: &corpora::Found) -> Vec<Problem> {
    let known: Vec<&str> = found.corpora.iter().map(|corpus| corpus.name.as_str()).collect();
    placed(file, text, examples::unknown_corpora(topics, &known, &found.unusable))
}
