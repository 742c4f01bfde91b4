//! Search in what is stored: a full-text index beside the store.
//!
//! In: items, in the order of the log; queries. Out: which items a query finds, the best first, and where its words stand in
//! them.
//! Promise: everything here is derived and can be thrown away; an index that is missing, damaged or of another version is made
//! anew by itself; a wrong query is an error that says where; a page's `next` stays good while items are written.
//! Not here: feeding it from the log (`pipeline::indexing`), the items themselves ([`crate::store`], which this does not
//! know), serving ([`crate::serve`]). What words are compared by is [`crate::text::forms`].
//!
//! In order of use: `query` reads what is asked for, `plan` looks its words up, `walk` finds the documents that have them, a
//! `set` of them at a time, with what `word` knows of each; `rank` weighs them, `find` takes the best; `cursor` goes on from there, `highlight` shows where the words stand. `schema`
//! says what is kept of an item, `index` writes it. All but `query` and `highlight` speak to tantivy, which is named nowhere else.

mod cursor;
mod find;
mod highlight;
mod index;
mod list;
mod phrase;
mod plan;
mod query;
mod rank;
mod schema;
mod set;
mod walk;
mod word;

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::id::{FeedId, Seq, TopicId};

pub use find::{Found, Hit};
pub use highlight::{Mark, Shown, Snippet, show};
pub use index::{Indexer, Listing, Position};
pub use query::{Fault, MAX_QUERY};

use index::Opened;

/// The name of the index's directory in that of the store.
pub const DIRECTORY: &str = "search";
/// The most hits on a page.
pub const MAX_PAGE: usize = 100;

/// `[search]` of `rasid.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SearchConfig {
    /// Whether an index is kept, and can be searched.
    pub enabled: bool,
}

impl Default for SearchConfig {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// Why nothing was found out.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The query is wrong.
    #[error("{0}")]
    Query(Fault),
    /// The cursor is none of this query's.
    #[error("{0}")]
    Cursor(String),
    /// The index is not open (yet).
    #[error("the search index is not open yet; try again in a moment")]
    NotReady,
    /// The index cannot be read or written.
    #[error("{0}")]
    Index(String),
}

/// What is listed first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    /// What fits best.
    #[default]
    Relevance,
    /// What was published last.
    Newest,
}

/// What is looked for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// In the language of queries.
    pub query: String,
    /// About this topic, its `maybe`s too.
    pub topic: Option<TopicId>,
    /// From this feed.
    pub feed: Option<FeedId>,
    /// In this language; `ar` takes `ar-EG`, too.
    pub language: Option<String>,
    /// Published at this time or later.
    pub since: Option<Timestamp>,
    /// Published before this time.
    pub until: Option<Timestamp>,
    /// Whether duplicates are found too, and what is superseded.
    pub duplicates: bool,
    /// What comes first.
    pub sort: Sort,
    /// At most so many; up to [`MAX_PAGE`].
    pub limit: usize,
    /// Go on after this place, the `next` of the page before.
    pub after: Option<String>,
}

/// A query that was understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Query(query::Ask);

impl Query {
    /// Reads a query; spans in it count back from `now`.
    ///
    /// # Errors
    /// The fault, and where it stands.
    pub fn parse(text: &str, now: Timestamp) -> Result<Self, Fault> {
        query::parse(text, now).map(Self)
    }
}

/// How far an index is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The last record of the log that can be found.
    pub seq: Seq,
    /// Whether it is being made from all stored items: not all of them are found yet.
    pub building: bool,
    /// How many items it holds, copies included.
    pub items: u64,
}

struct Inner {
    path: PathBuf,
    opened: RwLock<Option<(Opened, Progress)>>,
    /// Somebody asked for a new index.
    rebuild: AtomicBool,
    /// Something that was read made no sense.
    suspect: AtomicBool,
    wake: Notify,
}

impl Inner {
    /// What is searched from now on.
    fn show(&self, opened: Opened, position: &Position) {
        let items = opened.searcher.num_docs();
        let progress = Progress { seq: position.seq, building: position.listing.is_some(), items };
        *self.opened.write().unwrap_or_else(PoisonError::into_inner) = Some((opened, progress));
    }
}

/// Finds items; cheap to clone. Searching is blocking.
#[derive(Clone)]
pub struct Search {
    inner: Arc<Inner>,
}

impl fmt::Debug for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Search").field("path", &self.inner.path).finish_non_exhaustive()
    }
}

impl Search {
    /// The index in the directory `path`, once an [`Indexer`] has opened it.
    pub fn new(path: PathBuf) -> Self {
        Self {
            inner: Arc::new(Inner {
                path,
                opened: RwLock::new(None),
                rebuild: AtomicBool::new(false),
                suspect: AtomicBool::new(false),
                wake: Notify::new(),
            }),
        }
    }

    /// How far the index is; `None` before it was opened.
    pub fn progress(&self) -> Option<Progress> {
        let opened = self.inner.opened.read().unwrap_or_else(PoisonError::into_inner);
        opened.as_ref().map(|(_, progress)| *progress)
    }

    /// Asks whoever holds the [`Indexer`] for an index made anew.
    pub fn rebuild(&self) {
        self.inner.rebuild.store(true, Ordering::Relaxed);
        self.inner.wake.notify_one();
    }

    /// Has the index checked, and made anew where it is damaged: after a search that ended as none should.
    pub fn suspect(&self) {
        self.inner.suspect.store(true, Ordering::Relaxed);
        self.inner.wake.notify_one();
    }

    /// Whether a new index was asked for that is not begun yet.
    pub fn is_awaited(&self) -> bool {
        self.inner.rebuild.load(Ordering::Relaxed)
    }

    /// Returns when the index is to be looked at.
    pub async fn called(&self) {
        self.inner.wake.notified().await;
    }

    fn opened(&self) -> Result<Opened, SearchError> {
        let opened = self.inner.opened.read().unwrap_or_else(PoisonError::into_inner);
        opened.as_ref().map(|(opened, _)| opened.clone()).ok_or(SearchError::NotReady)
    }
}
