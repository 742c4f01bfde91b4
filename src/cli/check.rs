//! `rasid check`: every problem of the configuration, and the tests of its topics.
//!
//! In: where the configuration stands. Out: problems as `file:line:column: message` and a summary, all on standard error;
//! an exit code: 0 where all is well, 78 where the configuration is wrong or one of its topics' tests fails. With
//! `--online` also a table of what each feed gives, on standard output, and 1 where one of them failed; one that answers
//! but has nothing new is told, and is no failure.
//! Promise: nothing is written; the store is read only where a test of the topics is about a stored item, or of a topic that
//! learns: those are judged with what it has learned, and a test of one that has learned nothing yet is a note.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use jiff::SignedDuration;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::api::{self, Api};
use super::output::Screen;
use super::table::{Column, Fit, render};
use super::topics::stored::{article, learnt};
use super::{FAILED, WRONG_CONFIGURATION, environment, failed, output, refused, show};
use crate::config::{self, Config, TopicTests};
use crate::daemon;
use crate::fetch::Client;
use crate::id::{FeedId, ItemId};
use crate::item::Item;
use crate::pipeline::Stop;
use crate::pipeline::collect::Collector;
use crate::serve::{Learnt, Loaded};
use crate::source::PollOutcome;

/// Checks the directory; with `online`, also polls each feed once.
pub fn run(dir: &Path, online: bool) -> ExitCode {
    let config = match config::load(dir, &environment) {
        Ok(config) => config,
        Err(problems) => return refused(&problems),
    };
    for note in &config.notes {
        output::note(format_args!("note: {note}"));
    }
    let Stored { items, learnt } = match stored(&config) {
        Ok(stored) => stored,
        Err(error) => return failed(&error),
    };
    let TopicTests { failed: failures, untaught } =
        config.topic_tests_by(&learnt.apply(&config.topics), &|id| match items.get(&id) {
            Some(Ok(item)) => Ok(article(item)),
            Some(Err(why)) => Err(why.clone()),
            None => Err("it was not asked for".to_owned()),
        });
    for test in &untaught {
        output::note(format_args!("note: {test}"));
    }
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

/// What the tests of the topics need of the store.
#[derive(Default)]
struct Stored {
    /// The items that they are about, or why each cannot be had.
    items: BTreeMap<ItemId, Result<Item, String>>,
    /// What topics have learned.
    learnt: Learnt,
}

fn stored(config: &Config) -> anyhow::Result<Stored> {
    let wanted = config.topics.tested_items();
    let learning = config.topics.iter().any(|topic| topic.like().is_some() && topic.is_tested());
    if wanted.is_empty() && !learning {
        return Ok(Stored::default());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting the runtime")?;
    runtime.block_on(async {
        let mut stored = Stored::default();
        let api = match reader(config).await {
            Ok(api) => api,
            Err(why) => {
                stored.items = wanted.into_iter().map(|id| (id, Err(format!("{why:#}")))).collect();
                return Ok(stored);
            }
        };
        if learning {
            stored.learnt = learnt(&api, &config.topics).await?;
        }
        for id in wanted {
            let item = show::fetch(&api, &id.to_string()).await.map_err(|error| {
                format!("{error:#}; or write its title and text into the test, so that it outlives the item")
            });
            stored.items.insert(id, item);
        }
        Ok(stored)
    })
}

/// The way to what is stored. Where nothing is, no store is made.
async fn reader(config: &Config) -> anyhow::Result<Api> {
    let path = &config.store.path;
    if !path.is_dir() {
        anyhow::bail!("nothing is stored yet in {}", path.display());
    }
    Api::connect(path.join(daemon::SOCKET), || api::in_process(config)).await
}

/// Polls every enabled feed once, without the pages of its entries, and tells what came. One client asks them all, so
/// that no host is asked by two at once.
fn poll_each(config: &Config) -> ExitCode {
    let looked = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("starting the runtime")
        .and_then(|runtime| runtime.block_on(look_at_each(config)));
    let looked = match looked {
        Ok(looked) => looked,
        Err(error) => return failed(&error),
    };
    let columns = [
        Column("feed", Fit::Whole),
        Column("status", Fit::Whole),
        Column("format", Fit::Whole),
        Column("charset", Fit::Whole),
        Column("entries", Fit::Whole),
        Column("newest", Fit::Whole),
        Column("problem", Fit::Cut),
        Column("what to do", Fit::Cut),
    ];
    let rows: Vec<Vec<String>> = looked.iter().map(|(id, outcome)| row(id, outcome)).collect();
    if let Err(error) = output::print(&render(Screen::stdout(), &columns, &rows)) {
        return failed(&error.into());
    }
    let broken: Vec<&str> =
        looked.iter().filter(|(_, outcome)| outcome.error.is_some()).map(|(id, _)| id.as_str()).collect();
    let names = if broken.is_empty() { String::new() } else { format!(": {}", broken.join(", ")) };
    output::note(format_args!("{} of {} failed{names}", broken.len(), output::count(looked.len(), "feed")));
    if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) }
}

/// What each enabled feed gives, in the order of the configuration.
async fn look_at_each(config: &Config) -> anyhow::Result<Vec<(FeedId, PollOutcome)>> {
    let client = Client::new(&config.fetch).map_err(anyhow::Error::msg)?;
    let loaded = Loaded {
        feeds: config.feeds.clone(),
        topics: Arc::clone(&config.topics),
        corpora: Arc::clone(&config.corpora),
        ..Loaded::default()
    };
    let collector = Collector { client, loaded: watch::channel(Arc::new(loaded)).1, stop: Stop::default() };
    let places = Arc::new(Semaphore::new(config.fetch.workers.max(1) as usize));
    let mut looks = JoinSet::new();
    let enabled = config.feeds.iter().filter(|feed| feed.enabled).cloned();
    for (number, feed) in enabled.enumerate() {
        let (collector, places) = (collector.clone(), Arc::clone(&places));
        looks.spawn(async move {
            let _place = places.acquire_owned().await;
            (number, feed.id.clone(), collector.look(feed).await)
        });
    }
    output::note(format_args!("polling {} …", output::count(looks.len(), "feed")));
    let mut looked = Vec::with_capacity(looks.len());
    while let Some(one) = looks.join_next().await {
        looked.push(one.context("polling a feed failed")?);
    }
    looked.sort_by_key(|(number, ..)| *number);
    Ok(looked.into_iter().map(|(_, id, outcome)| (id, outcome)).collect())
}

fn row(id: &FeedId, outcome: &PollOutcome) -> Vec<String> {
    let (problem, hint) = match &outcome.error {
        Some(error) => (format!("{}: {}", error.kind, error.message), error.hint.clone()),
        None => {
            let (quiet, hint) = quiet(id, outcome).unzip();
            (
                quiet.into_iter().chain(outcome.notes.iter().cloned()).collect::<Vec<_>>().join(", "),
                hint.unwrap_or_default(),
            )
        }
    };
    vec![
        id.to_string(),
        outcome.status.map(|status| status.to_string()).unwrap_or_default(),
        outcome.format.clone().unwrap_or_default(),
        outcome.charset.clone().unwrap_or_default(),
        outcome.entries.to_string(),
        outcome.published.first().map(|at| output::time(*at, output::now())).unwrap_or_default(),
        problem,
        hint,
    ]
}

/// After how long without anything new a feed is worth a word.
const QUIET: SignedDuration = SignedDuration::from_hours(90 * 24);

/// What to say of a feed that answers well, and yet brings nothing; and what to do.
fn quiet(id: &FeedId, outcome: &PollOutcome) -> Option<(String, String)> {
    let what = match outcome.published.first() {
        _ if outcome.entries == 0 => "no entries".to_owned(),
        Some(newest) if output::now().duration_since(*newest) > QUIET => "nothing new for three months".to_owned(),
        _ => return None,
    };
    Some((
        what,
        format!(
            "the site may have a newer feed: rasid feeds discover its front page; or set enabled = false for `{id}`"
        ),
    ))
}

/// `config is valid: 52 feeds (46 enabled, 6 disabled), 3 topics, 1 corpus of 5 documents`
fn summary(config: &Config) -> String {
    let enabled = config.feeds.iter().filter(|feed| feed.enabled).count();
    let documents = config.corpora.iter().map(|corpus| corpus.documents.len()).sum();
    // Most have none.
    let sinks = match config.sinks.len() {
        0 => String::new(),
        some => format!(", {}", counted(some, "sink", "sinks")),
    };
    format!(
        "{} is valid: {} ({enabled} enabled, {} disabled), {}, {} of {}{sinks}",
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
