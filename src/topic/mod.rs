//! What an item is about, and why.
//!
//! In: topics as configured, compiled once; the fields of an article. Out: [`TopicMatch`] with evidence.
//! Promise: one pass over the words for all topics; the contributions add up to the score; evidence points into the stored
//! text; the same article and the same topics give the same answer.
//! Not here: training from examples, and reading `topics.toml` (its sections are the types of [`config`]).
//!
//! The way of a topic: [`config`] (as written) → [`query`] (one string, parsed) → [`compile`] (all topics, checked) →
//! [`matcher`] (which asks [`lexicon`] for the terms of each word, [`evaluate`] for the places of a query and [`score`] for
//! what they weigh). What makes two Arabic words the same term is decided in [`term`] alone. Beside the way: [`possible`]
//! (what can never hold), `doubt` (what is hardly meant), [`explain`] (what terms reach), [`print`](mod@print) (back to a string).

pub mod bag;
pub mod compile;
pub mod config;
mod doubt;
mod evaluate;
pub mod explain;
#[cfg(test)]
mod laws;
pub mod learn;
mod lexicon;
pub mod like;
#[cfg(test)]
mod like_tests;
pub mod matcher;
pub mod models;
mod possible;
mod print;
pub mod query;
mod score;
mod term;
#[cfg(test)]
mod term_tests;
#[cfg(test)]
mod tests;

pub use compile::Problem;
pub use config::TopicsFile;
pub use matcher::{Tested, Topic, Topics};

use serde::{Deserialize, Serialize};

use crate::id::TopicId;

/// How sure a match is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// Worth a look.
    Maybe,
    /// At or above the topic's threshold.
    Match,
}

/// A field that evidence stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Field {
    /// The headline.
    Title,
    /// The feed's summary.
    Summary,
    /// The article.
    Text,
    /// The address.
    Url,
    /// The feed's id.
    Feed,
    /// The language tag.
    Language,
}

/// One place that speaks for (or, with a negative weight, against) a topic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Evidence {
    /// The rule's name in the topic, or its query where it has none.
    pub rule: String,
    /// What the place adds to the score.
    pub weight: f32,
    /// Where it stands.
    pub field: Field,
    /// Its first character, in Unicode scalar values of the field as stored.
    pub start: u32,
    /// One past its last character, in the same unit.
    pub end: u32,
    /// What stands there.
    pub text: String,
}

/// A topic that an item is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TopicMatch {
    /// The topic.
    pub id: TopicId,
    /// How sure it is.
    pub decision: Decision,
    /// The weights of `evidence`, added up; in whole hundredths.
    pub score: f32,
    /// What it rests on, rule by rule, in the order of the configuration.
    pub evidence: Vec<Evidence>,
}

/// The fields of an article that topics look at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Article<'a> {
    /// The headline, as stored.
    pub title: &'a str,
    /// The feed's summary, as stored. Not looked at where `text` holds the same words.
    pub summary: &'a str,
    /// The article, as stored; may equal the summary.
    pub text: &'a str,
    /// The address, or nothing.
    pub url: &'a str,
    /// The feed's id, or nothing.
    pub feed: &'a str,
    /// The language tag, or nothing.
    pub language: &'a str,
}
