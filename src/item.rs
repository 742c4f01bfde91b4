//! What travels to the store and what comes out of it.
//!
//! In: an article with topics and a fingerprint. Out: [`Candidate`], [`Collected`], [`Item`], [`LogRecord`].
//! Promise: an [`Item`] serializes to the JSON that every reader gets, field for field; a [`Candidate`] carries all that
//! the commit stage needs, so it can cross a queue to another machine.
//! Not here: how the store lays it out ([`crate::store`]).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::dedup::{Fingerprint, Original, Verdict};
use crate::extract::url::canonical;
use crate::id::{EntryKey, FeedId, ItemId, Seq, TopicId};
use crate::source::{FeedCursor, PollRecord, Unread};
use crate::story::Sketch;
use crate::topic::{Article, TopicMatch};

/// Where an item's text was taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TextFrom {
    /// The entry's web page.
    Page,
    /// The entry itself.
    Feed,
    /// The entry's summary: no article was to be had.
    Summary,
}

/// Where an item's publication time was taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PublishedFrom {
    /// The entry.
    Feed,
    /// The entry's web page.
    Page,
    /// Neither had a plausible one: the time it was fetched.
    Fetch,
}

/// What one entry says, with its plain text: what an item is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Content {
    /// The link as published, made absolute.
    pub url: Option<Url>,
    /// What two addresses of one page have in common: the address that the page names as its own, or the link without
    /// trackers. None where several entries of a document share one.
    pub canonical_url: Option<Url>,
    /// The entry's own id, as published.
    pub guid: Option<String>,
    /// Plain text.
    pub title: String,
    /// Plain text.
    pub summary: String,
    /// Plain text, paragraphs separated by line feeds. Equal to the summary where there is no article.
    pub text: String,
    /// Where the text came from.
    pub text_from: TextFrom,
    /// Names as published.
    pub authors: Vec<String>,
    /// A language tag, where it could be told.
    pub language: Option<String>,
    /// The publisher's own categories.
    pub tags: Vec<String>,
    /// A picture's address.
    pub image: Option<Url>,
    /// When it was published; `published_from` says who says so.
    pub published_at: Timestamp,
    /// Where `published_at` came from.
    pub published_from: PublishedFrom,
    /// When the entry was fetched.
    pub fetched_at: Timestamp,
}

#[cfg(test)]
impl Content {
    /// What an item says that has a title, a text and a time, and nothing else.
    pub(crate) fn saying(title: &str, text: &str, at: Timestamp) -> Self {
        Self {
            url: None,
            canonical_url: None,
            guid: None,
            title: title.to_owned(),
            summary: String::new(),
            text: text.to_owned(),
            text_from: TextFrom::Feed,
            authors: Vec::new(),
            language: None,
            tags: Vec::new(),
            image: None,
            published_at: at,
            published_from: PublishedFrom::Feed,
            fetched_at: at,
        }
    }
}

impl Content {
    /// The fields that topics look at: the same ones when it is fetched and when topics change.
    pub fn article<'a>(&'a self, feed: &'a FeedId) -> Article<'a> {
        Article {
            title: &self.title,
            summary: &self.summary,
            text: &self.text,
            url: self.url.as_ref().map_or("", Url::as_str),
            feed: feed.as_str(),
            language: self.language.as_deref().unwrap_or(""),
        }
    }

    /// The canonical addresses to look for it by: what its page names, which is what is stored, and what its link says by
    /// itself: that was stored if the page could not be fetched at first.
    pub fn addresses(&self) -> impl Iterator<Item = Url> {
        let link = self.url.as_ref().filter(|_| self.canonical_url.is_some()).map(canonical);
        let link = link.filter(|link| Some(link) != self.canonical_url.as_ref());
        self.canonical_url.clone().into_iter().chain(link)
    }
}

/// An article with topics and fingerprint, on its way to the store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Its feed.
    pub feed: FeedId,
    /// What makes it itself within the feed.
    pub key: EntryKey,
    /// A hash of what the feed said of it, to tell a revision from a repetition.
    pub hash: u64,
    /// What it says.
    pub content: Content,
    /// What it is about.
    pub topics: Vec<TopicMatch>,
    /// What copies of it are recognized by.
    pub fingerprint: Fingerprint,
    /// What other reports of its event are recognized by.
    pub sketch: Sketch,
}

/// An entry that could not become an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// Where it failed: `parse`, `extract`.
    pub stage: String,
    /// Which entry, as far as it can be named.
    pub entry: String,
    /// Why.
    pub reason: String,
}

/// All that one poll gave: goes through the queue whole, so that the cursor moves with its items.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Collected {
    /// The feed polled.
    pub feed: FeedId,
    /// Where the feed is left once the candidates are stored.
    pub cursor: FeedCursor,
    /// What came of the poll.
    pub poll: PollRecord,
    /// Unseen and revised entries, oldest first.
    pub candidates: Vec<Candidate>,
    /// Entries that could not become items.
    pub rejected: Vec<Rejected>,
    /// The version of the topics that the candidates were classified by.
    pub classified_by: u64,
    /// The document, where it could not be read or entries of it were refused.
    pub unread: Option<Unread>,
}

/// Another publication of an item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Copy {
    /// The copy's own id.
    pub id: ItemId,
    /// Who published it.
    pub feed: FeedId,
    /// Where.
    pub url: Option<Url>,
    /// When.
    pub published_at: Timestamp,
    /// `exact`, `near` or `contained`.
    pub kind: crate::dedup::VerdictKind,
    /// How much of the smaller text is in the larger, 0 to 1.
    pub similarity: f32,
}

/// Which way a person corrected a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Correction {
    /// The item is no copy, but an item of its own.
    Split,
    /// The item is a copy.
    Joined,
}

/// That an item's verdict is a person's, not the program's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Judged {
    /// What was said.
    pub kind: Correction,
    /// Of what it is no copy, or is one.
    pub of: Original,
    /// When it was said.
    pub at: Timestamp,
    /// Why, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A stored item, as every reader gets it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Item {
    /// Its id.
    pub id: ItemId,
    /// The position of the last log record about it.
    pub seq: Seq,
    /// Its feed.
    pub feed: FeedId,
    /// What it says.
    #[serde(flatten)]
    pub content: Content,
    /// When it was stored.
    pub stored_at: Timestamp,
    /// 1, and one more for each change of its words.
    pub revision: u32,
    /// What it is about.
    pub topics: Vec<TopicMatch>,
    /// Whether it is a copy, and of what.
    pub verdict: Verdict,
    /// The fuller text that took its place; none while it is in sight, or where it is a copy anyway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<ItemId>,
    /// That a person said what it is; none where the program did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<Judged>,
    /// Whether it is kept, however old it gets, because a person pinned it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
    /// Its copies, first published first: items whose place it took are among them.
    pub copies: Vec<Copy>,
    /// The story it belongs to.
    pub story: Option<String>,
}

impl Item {
    /// Whether listings leave it out: it is a copy, or a fuller text took its place.
    pub const fn is_hidden(&self) -> bool {
        self.verdict.kind.is_duplicate() || self.superseded_by.is_some()
    }

    /// Under what it is listed, where it is not in sight itself.
    pub fn original(&self) -> Option<Original> {
        let duplicate = self.verdict.kind.is_duplicate();
        if duplicate { self.verdict.of.clone() } else { self.superseded_by.map(Original::Item) }
    }
}

/// What a log record tells. An item that comes into sight or goes out of it later than when it was stored is told by the
/// same words: whoever shows what is `new`, hides what is a `duplicate` and replaces an item by its id is always right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogKind {
    /// A new item, or one that turned out to be no copy.
    New,
    /// An item whose words changed, or what it is linked to; whether it is in sight did not.
    Revised,
    /// A copy of something known, or an item that turned out to be one, or one of another original, or whose place a
    /// fuller text took.
    Duplicate,
    /// An item whose topics changed.
    Reclassified,
    /// An item that was removed.
    Removed,
}

impl LogKind {
    /// What the first record of an item tells.
    pub const fn of_new(duplicate: bool) -> Self {
        if duplicate { Self::Duplicate } else { Self::New }
    }
}

/// One record of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LogRecord {
    /// Its position, without gaps.
    pub seq: Seq,
    /// When it was committed.
    pub at: Timestamp,
    /// What happened.
    pub kind: LogKind,
    /// Which item it happened to; it is named after the item was removed, too.
    pub id: ItemId,
    /// The topics that the item was about before, and not any more; where its topics changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<TopicId>,
    /// The item as it stands now; none when it was removed.
    pub item: Option<Item>,
}
