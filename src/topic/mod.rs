//! What an item is about, and why.
//!
//! In: topics as configured, compiled once; the fields of an article. Out: [`TopicMatch`] with evidence.
//! Promise: one pass over the words for all topics; the contributions add up to the score; evidence points into the stored text.
//! Not here: training from examples.

pub mod matcher;
pub mod query;

use serde::{Deserialize, Serialize};

use crate::id::TopicId;

/// How sure a match is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// Worth a look.
    Maybe,
    /// At or above the topic's threshold.
    Match,
}

/// A field that evidence stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Field {
    Title,
    Summary,
    Text,
    Url,
    Feed,
    Language,
}

/// One place that speaks for (or, with a negative weight, against) a topic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The rule's name in the topic, or its query where it has none.
    pub rule: String,
    /// What the place adds to the score.
    pub weight: f32,
    pub field: Field,
    /// In Unicode scalar values of the field as stored, half-open.
    pub start: u32,
    pub end: u32,
    /// What stands there.
    pub text: String,
}

/// A topic that an item is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TopicMatch {
    pub id: TopicId,
    pub decision: Decision,
    pub score: f32,
    pub evidence: Vec<Evidence>,
}

/// The fields of an article that topics look at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Article<'a> {
    pub title: &'a str,
    pub summary: &'a str,
    pub text: &'a str,
    pub url: &'a str,
    pub feed: &'a str,
    pub language: &'a str,
}
