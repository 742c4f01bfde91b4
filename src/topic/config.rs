//! The sections of `topics.toml`, as written.
//!
//! In: a deserializer that knows spans (the `toml` crate). Out: [`TopicsFile`].
//! Promise: every query, term and number keeps the place where it was written, so that a fault in it is reported there.
//! Not here: what the strings mean ([`super::query`]) and whether they make sense together ([`super::compile`]).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_spanned::Spanned;

use super::Decision;

/// Named lists of terms: `NAME = ["كازاخستان:g", "منظمة شنغهاي", "$OTHER"]`.
pub type Sets = BTreeMap<String, Vec<Spanned<String>>>;

/// The whole of `topics.toml`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TopicsFile {
    /// Sets that every topic may use.
    #[serde(default)]
    pub sets: Sets,
    /// The topics; an article's topics are independent of their order.
    #[serde(default)]
    pub topic: Vec<TopicConfig>,
}

/// One `[[topic]]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TopicConfig {
    /// `[a-z0-9-]+`, unique.
    pub id: Spanned<String>,
    /// What people see.
    pub label: Label,
    /// What belongs to the topic and what does not, for people.
    #[serde(default)]
    pub description: Option<String>,
    /// The topic's own sets; they hide shared ones of the same name.
    #[serde(default)]
    pub sets: Sets,
    /// A query without which nothing is scored; may be left out where there is `like`.
    #[serde(default)]
    pub gate: Option<Spanned<String>>,
    /// What speaks for the topic. Without any, the gate itself is scored, with weight 2.
    #[serde(default)]
    pub score: Vec<RuleConfig>,
    /// What speaks against it, softly: weights are negative.
    #[serde(default)]
    pub exclude: Vec<RuleConfig>,
    /// Examples to learn from.
    #[serde(default)]
    pub like: Option<LikeConfig>,
    /// The score from which it is a match; 1 unless given.
    #[serde(default)]
    pub threshold: Option<Spanned<f32>>,
    /// The score from which it is worth a look; half the threshold unless given.
    #[serde(default)]
    pub maybe: Option<Spanned<f32>>,
    /// Whether a gate that is met in the headline gives at least `maybe`, unless an `exclude` rule speaks against it.
    #[serde(default = "yes")]
    pub title_gate: bool,
    /// Texts with the decision that they must get; `rasid check` runs them.
    #[serde(default)]
    pub test: Vec<TestConfig>,
}

/// A topic's name for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// In Arabic.
    pub ar: String,
    /// In English.
    pub en: String,
}

/// A `[[topic.score]]` or `[[topic.exclude]]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RuleConfig {
    /// What evidence calls it; the query unless given.
    #[serde(default)]
    pub name: Option<String>,
    /// The query.
    pub q: Spanned<String>,
    /// What one place in the headline adds; positive in `score`, negative in `exclude`.
    pub w: Spanned<f32>,
}

/// A `[topic.like]`: what belongs to the topic by way of example. Empty, it is learned from judgements alone.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LikeConfig {
    /// Texts (`.txt`, `.html`, `.jsonl`), relative to `topics.toml`; `*` stands for any part of a file's name.
    #[serde(default)]
    pub files: Vec<Spanned<String>>,
    /// Ids of stored items.
    #[serde(default)]
    pub items: Vec<Spanned<String>>,
    /// Names of packed corpora: what is known of their documents is how strong words are in them on the whole.
    #[serde(default)]
    pub corpus: Vec<Spanned<String>>,
    /// What likeness adds where it is enough by itself; the topic's threshold unless given.
    #[serde(default)]
    pub w: Option<Spanned<f32>>,
}

/// A `[[topic.test]]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TestConfig {
    /// The id of a stored item, in place of all the fields below.
    #[serde(default)]
    pub item: Option<Spanned<String>>,
    /// A headline.
    #[serde(default)]
    pub title: String,
    /// An article or a part of one.
    #[serde(default)]
    pub text: String,
    /// An address, for topics that look at it.
    #[serde(default)]
    pub url: String,
    /// A feed id, for topics that look at it.
    #[serde(default)]
    pub feed: String,
    /// A language tag, for topics that look at it.
    #[serde(default)]
    pub lang: String,
    /// The decision that it must get.
    pub expect: Spanned<Expectation>,
}

impl TestConfig {
    /// Whether any field of an article is given.
    pub fn has_fields(&self) -> bool {
        [&self.title, &self.text, &self.url, &self.feed, &self.lang].iter().any(|field| !field.is_empty())
    }
}

/// What a test expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Expectation {
    /// [`Decision::Match`].
    Match = 2,
    /// [`Decision::Maybe`].
    Maybe = 1,
    /// Neither.
    None = 0,
}

impl From<Option<Decision>> for Expectation {
    fn from(decision: Option<Decision>) -> Self {
        match decision {
            Some(Decision::Match) => Self::Match,
            Some(Decision::Maybe) => Self::Maybe,
            None => Self::None,
        }
    }
}

impl std::fmt::Display for Expectation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Match => "match",
            Self::Maybe => "maybe",
            Self::None => "none",
        })
    }
}

fn yes() -> bool {
    true
}
