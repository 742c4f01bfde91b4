//! `topics.toml`: what items are about.
//!
//! In: a file's text and a directory. Out: compiled [`Topics`].
//! Promise: a fault within a query shows at its own column.
//! Not here: the language of queries ([`crate::topic::query`]).

use std::path::Path;

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

/// Runs the topics' own tests; `text` is what they were read from.
pub(super) fn run_tests<'a>(
    file: &Path,
    text: &str,
    topics: &Topics,
    stored: &dyn Fn(ItemId) -> Result<Article<'a>, String>,
) -> Vec<Problem> {
    placed(file, text, topics.run_tests(stored))
}

fn placed(file: &Path, text: &str, found: Vec<topic::Problem>) -> Vec<Problem> {
    let mut report = Report::new(file, text);
    for problem in found {
        report.problem(problem.span, problem.message);
    }
    report.finish()
}
