//! `rasid check`: every problem of the configuration, and the tests of its topics.
//!
//! In: where the configuration stands. Out: problems as `file:line:column: message` and a summary, all on standard error;
//! an exit code: 0 where all is well, 78 where the configuration is wrong or one of its topics' tests fails.
//! Promise: nothing is opened, started or written.

use std::path::Path;
use std::process::ExitCode;

use super::{WRONG_CONFIGURATION, environment, failed, output, refused};
use crate::config::{self, Config};

/// Checks the directory; with `online`, also polls each feed once.
pub fn run(dir: &Path, online: bool) -> ExitCode {
    let config = match config::load(dir, &environment) {
        Ok(config) => config,
        Err(problems) => return refused(&problems),
    };
    for note in &config.notes {
        output::note(format_args!("note: {note}"));
    }
    let failures = config.topic_tests();
    for failure in &failures {
        output::note(failure);
    }
    output::note(summary(&config));
    if !failures.is_empty() {
        output::note(format_args!("{} failed", counted(failures.len(), "test of the topics", "tests of the topics")));
        return ExitCode::from(WRONG_CONFIGURATION);
    }
    if online { poll_each(&config) } else { ExitCode::SUCCESS }
}

/// Polls every enabled feed once and tells what came.
fn poll_each(config: &Config) -> ExitCode {
    let enabled = config.feeds.iter().filter(|feed| feed.enabled).count();
    failed(&anyhow::anyhow!(
        "--online: polling the {enabled} enabled feeds from here is not in this version; use `rasid feeds poll ID`"
    ))
}

/// `config is valid: 52 feeds (46 enabled, 6 disabled), 3 topics, 1 corpus of 5 documents`
fn summary(config: &Config) -> String {
    let enabled = config.feeds.iter().filter(|feed| feed.enabled).count();
    let documents = config.corpora.iter().map(|corpus| corpus.documents.len()).sum();
    format!(
        "{} is valid: {} ({enabled} enabled, {} disabled), {}, {} of {}",
        config.dir.display(),
        counted(config.feeds.len(), "feed", "feeds"),
        config.feeds.len() - enabled,
        counted(config.topics.ids().count(), "topic", "topics"),
        counted(config.corpora.iter().count(), "corpus", "corpora"),
        counted(documents, "document", "documents"),
    )
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
