//! The configuration directory to one validated [`Config`].
//!
//! In: a directory with `rasid.toml`, `feeds.toml`, `topics.toml` with its example files, and `corpus/`; the
//! environment for `${NAME}`.
//! Out: [`Config`], or every [`Problem`] of all files at once.
//! Promise: nothing is half accepted; a message says where, what and what to do; values from the environment are never shown.
//! Not here: what the sections mean to their modules, which own their types.
//!
//! What may be missing: `rasid.toml` (then every default holds) and `topics.toml` (then no item has a topic, which
//! [`Config::notes`] says). A directory without `feeds.toml` is most likely the wrong directory, so that is a problem; an
//! empty `feeds.toml` is fine.

pub mod corpora;
pub mod edit;
mod examples;
mod feeds;
mod report;
mod retention;
mod sections;
pub mod sinks;
mod topics;
mod tree;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::dedup::DedupConfig;
use crate::dedup::corpus::Corpora;
use crate::fetch::FetchConfig;
use crate::id::{ItemId, TopicId};
use crate::queue::QueueConfig;
use crate::search::SearchConfig;
use crate::serve::ServerConfig;
use crate::source::FeedConfig;
use crate::store::StoreConfig;
use crate::story::StoriesConfig;
use crate::telemetry::LogConfig;
use crate::topic::bag::Bag;
use crate::topic::{Article, Topics, TopicsFile};

pub use edit::{Added, EditError, NewFeed, add_feed, add_feeds, feed_at, keys_from_environment, remove_feed};
pub use report::Problem;
pub use sections::ShutdownConfig;
pub use sinks::SinkConfig;
pub use topics::TopicTests;

/// The file of the sources.
pub const FEEDS: &str = "feeds.toml";
/// The file of the daemon's own settings.
pub const RASID: &str = "rasid.toml";
/// The file of the topics.
pub const TOPICS: &str = "topics.toml";
/// The directory of the reference documents.
pub const CORPUS: &str = "corpus";

/// The variable that names the directory.
pub const DIR_VARIABLE: &str = "RASID_CONFIG";

/// Everything the daemon is told, validated.
///
/// Its `Debug` form shows no values: some are secrets.
pub struct Config {
    /// Where it was read.
    pub dir: PathBuf,
    /// `[fetch]`.
    pub fetch: FetchConfig,
    /// `[store]`, its path relative to the working directory.
    pub store: StoreConfig,
    /// `[server]`.
    pub server: ServerConfig,
    /// `[dedup]`.
    pub dedup: DedupConfig,
    /// `[stories]`.
    pub stories: StoriesConfig,
    /// `[search]`.
    pub search: SearchConfig,
    /// `[queue]`.
    pub queue: QueueConfig,
    /// `[shutdown]`.
    pub shutdown: ShutdownConfig,
    /// `[log]`.
    pub log: LogConfig,
    /// Every `[[sink]]`, in the order of the file.
    pub sinks: Vec<SinkConfig>,
    /// In the order of the file, disabled ones included.
    pub feeds: Vec<FeedConfig>,
    /// All topics, compiled.
    pub topics: Arc<Topics>,
    /// All reference documents, loaded.
    pub corpora: Arc<Corpora>,
    /// The examples of topics that stand in files.
    pub examples: Arc<BTreeMap<TopicId, Vec<Bag>>>,
    /// What is allowed but may not be meant.
    pub notes: Vec<Problem>,
    /// `topics.toml` as written, to explain what stands in it.
    pub topics_file: TopicsFile,
    /// The text of `topics.toml`, to find the lines of its tests.
    topics_text: String,
}

impl Config {
    /// Runs the tests of the topics by what they say with nothing learned; `stored` gives the fields of an item, or says why
    /// it cannot. What fails stands at its line.
    pub fn topic_tests<'a>(&self, stored: &dyn Fn(ItemId) -> Result<Article<'a>, String>) -> Vec<Problem> {
        self.topic_tests_by(&self.topics, stored).failed
    }

    /// As [`Config::topic_tests`], by `topics`: the same with what they have learned.
    pub fn topic_tests_by<'a>(
        &self,
        topics: &Topics,
        stored: &dyn Fn(ItemId) -> Result<Article<'a>, String>,
    ) -> TopicTests {
        topics::run_tests(&self.dir.join(TOPICS), &self.topics_text, topics, stored)
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("dir", &self.dir).field("feeds", &self.feeds.len()).finish_non_exhaustive()
    }
}

/// The configuration directory: what the command line says, else `$RASID_CONFIG`, else `./config` where it is, else
/// `/etc/rasid`.
pub fn find_dir(flag: Option<&Path>, env: &dyn Fn(&str) -> Option<String>) -> PathBuf {
    let from_env = || env(DIR_VARIABLE).filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let here = || Some(PathBuf::from("config")).filter(|dir| dir.is_dir());
    flag.map(Path::to_owned).or_else(from_env).or_else(here).unwrap_or_else(|| PathBuf::from("/etc/rasid"))
}

/// Reads and validates the directory. Blocking.
///
/// # Errors
/// Every problem of all files, in the order of the files and their lines.
pub fn load(dir: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<Config, Vec<Problem>> {
    load_with(dir, env, None)
}

/// Where the store is, for a command that makes the first token: an address that others reach has none yet.
///
/// # Errors
/// Every other problem of `rasid.toml`.
pub fn store_of(dir: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<PathBuf, Vec<Problem>> {
    let mut problems = Vec::new();
    if !dir.is_dir() {
        return load(dir, env).map(|config| config.store.path);
    }
    let file = dir.join(RASID);
    let text = read(&file, &mut problems).unwrap_or_default();
    let mut report = report::Report::new(&file, &text);
    let sections = sections::read(&mut report, dir, env, false);
    problems.extend(report.finish());
    if problems.is_empty() { Ok(sections.store.path) } else { Err(problems) }
}

/// As [`load`], with `feeds` instead of what stands in `feeds.toml`.
fn load_with(dir: &Path, env: &dyn Fn(&str) -> Option<String>, feeds: Option<&str>) -> Result<Config, Vec<Problem>> {
    if !dir.is_dir() {
        let message =
            format!("this directory is not there; name the configuration's directory with --config or ${DIR_VARIABLE}");
        return Err(vec![Problem::of_file(dir, message)]);
    }
    let (mut problems, mut notes) = (Vec::new(), Vec::new());
    let (rasid_file, feeds_file) = (dir.join(RASID), dir.join(FEEDS));

    let rasid_text = read(&rasid_file, &mut problems).unwrap_or_default();
    let mut report = report::Report::new(&rasid_file, &rasid_text);
    let sections = sections::read(&mut report, dir, env, true);
    problems.extend(report.finish());
    let of_rasid = problems.len();

    let text = match feeds {
        Some(text) => Some(text.to_owned()),
        None => read(&feeds_file, &mut problems),
    };
    if text.is_none() && !feeds_file.exists() {
        let message =
            "this file is missing; create it, with a [[feed]] for each source, or name another directory with --config";
        problems.push(Problem::of_file(&feeds_file, message));
    }
    let text = text.unwrap_or_default();
    let mut report = report::Report::new(&feeds_file, &text);
    let feeds = feeds::read(&mut report, env);
    problems.extend(report.finish());
    let feeds_are_known = problems.len() == of_rasid;

    let topics_file = dir.join(TOPICS);
    let text = read(&topics_file, &mut problems);
    if text.is_none() && !topics_file.exists() {
        notes.push(Problem::of_file(&topics_file, "this file is missing, so no item will have a topic"));
    }
    let topics_text = text.unwrap_or_default();
    let mut report = report::Report::new(&topics_file, &topics_text);
    let topics = topics::read(&mut report, env, dir);
    problems.extend(report.finish());
    // What `rasid.toml` names stands in the other files, and is told at its place in the first.
    let mut report = report::Report::new(&rasid_file, &rasid_text);
    let known = (feeds_are_known.then_some(feeds.as_slice()), topics.as_ref().map(|(_, topics, _)| topics));
    sections.ages.check_names(known.0, known.1, &mut report);
    sinks::check_names(&sections.sinks, known.0, known.1, &mut report);
    let mut unknown = report.finish();
    // What is no name at all was told already.
    let told = |problem: &Problem| (problem.line, problem.column);
    unknown.retain(|found| !problems.iter().take(of_rasid).any(|problem| told(problem) == told(found)));
    let all_of_rasid = of_rasid + unknown.len();
    problems.splice(of_rasid..of_rasid, unknown);
    problems[..all_of_rasid].sort();
    let mut report = report::Report::new(&rasid_file, &rasid_text);
    sections.ages.note_idle(&sections.store, &feeds, &mut report);
    notes.extend(report.finish());
    let found = corpora::read(&dir.join(CORPUS), &mut problems, &mut notes);
    if let Some((written, ..)) = &topics {
        problems.extend(topics::check_examples(&topics_file, &topics_text, written, &found));
    }

    match (problems.as_slice(), topics, found.loaded()) {
        ([], Some((topics_file, topics, examples)), Some(corpora)) => Ok(Config {
            dir: dir.to_owned(),
            fetch: sections.fetch,
            store: sections.store,
            server: sections.server,
            dedup: sections.dedup,
            stories: sections.stories,
            search: sections.search,
            queue: sections.queue,
            shutdown: sections.shutdown,
            log: sections.log,
            sinks: sections.sinks.into_iter().map(|placed| placed.sink).collect(),
            feeds,
            topics: Arc::new(topics),
            corpora: Arc::new(corpora),
            examples: Arc::new(examples),
            notes: {
                notes.extend(topics::doubts(&dir.join(TOPICS), &topics_text, &topics_file));
                notes
            },
            topics_file,
            topics_text,
        }),
        _ => Err(problems),
    }
}

/// The text of a file; `None` where there is none, or none that can be read, which is a problem.
fn read(file: &Path, problems: &mut Vec<Problem>) -> Option<String> {
    let bytes = match std::fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => {
            problems.push(Problem::of_file(file, format!("this file cannot be read: {error}")));
            return None;
        }
    };
    match String::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) => {
            let (line, column) = report::line_column(error.as_bytes(), error.utf8_error().valid_up_to());
            let message = "this is not UTF-8; save the file as UTF-8".to_owned();
            problems.push(Problem { file: file.to_owned(), line, column, message });
            None
        }
    }
}
