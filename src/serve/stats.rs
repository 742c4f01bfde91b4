//! `/api/v1/stats`: how much there is, and how the feeds are doing.
//!
//! Out: `{ "version", "running", "started_at", "store": {…}, "feeds": {…}, "topics": n,
//! "reclassifying": {…}, "corpora": n }`.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Shared;
use super::problem::Problem;
use super::request::Params;
use super::topics::Reclassifying;
use crate::id::{FeedId, Seq, TopicId};

/// How much there is, and how the feeds are doing.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Overview {
    /// Of the program that answers.
    pub version: String,
    /// Whether a daemon answers, or a command that read the store by itself.
    pub running: bool,
    /// When the daemon started.
    pub started_at: Option<Timestamp>,
    /// What is stored.
    pub store: Counts,
    /// How the feeds are doing.
    pub feeds: FeedCounts,
    /// Topics configured.
    pub topics: usize,
    /// Whether stored items have the topics in force.
    pub reclassifying: Reclassifying,
    /// Corpora configured.
    pub corpora: usize,
}

/// What is stored.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Counts {
    /// The end of the log.
    pub last_seq: Seq,
    /// Items, without duplicates.
    pub items: u64,
    /// Copies of something known.
    pub duplicates: u64,
    /// Changes of items' words.
    pub revisions: u64,
    /// Of the store's folder.
    pub bytes_on_disk: u64,
    /// Items of each feed.
    pub by_feed: BTreeMap<FeedId, u64>,
    /// Items of each topic.
    pub by_topic: BTreeMap<TopicId, u64>,
}

/// How the feeds are doing.
#[derive(Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct FeedCounts {
    /// All of the configuration.
    pub configured: usize,
    /// Those that are polled.
    pub enabled: usize,
    /// Enabled, and the last poll failed.
    pub failing: usize,
    /// Enabled, and not yet polled.
    pub unpolled: usize,
    /// The next poll of any.
    pub next: Option<Timestamp>,
}

pub(super) async fn show(State(shared): State<Shared>, uri: Uri) -> Result<Json<Overview>, Problem> {
    Params::read(&uri, &[])?;
    let loaded = shared.loaded();
    let (topics, corpora) = (loaded.topics.ids().count(), loaded.corpora.iter().count());
    let overview = shared.blocking(move |state| {
        let stats = state.store.stats()?;
        let mut feeds = FeedCounts { configured: loaded.feeds.len(), ..FeedCounts::default() };
        for feed in loaded.feeds.iter().filter(|feed| feed.enabled) {
            feeds.enabled += 1;
            match state.store.cursor(&feed.id)? {
                None => feeds.unpolled += 1,
                Some(cursor) => {
                    feeds.failing += usize::from(cursor.failures > 0);
                    feeds.next = Some(feeds.next.map_or(cursor.next, |next| next.min(cursor.next)));
                }
            }
        }
        Ok(Overview {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            running: state.started.is_some(),
            started_at: state.started,
            store: Counts {
                last_seq: Seq(stats.last_seq),
                items: stats.items,
                duplicates: stats.duplicates,
                revisions: stats.revisions,
                bytes_on_disk: stats.bytes_on_disk,
                by_feed: stats.by_feed.into_iter().collect(),
                by_topic: stats.by_topic.into_iter().collect(),
            },
            feeds,
            topics,
            reclassifying: Reclassifying::read(state)?,
            corpora,
        })
    });
    Ok(Json(overview.await?))
}
