//! Which age holds for an item.
//!
//! In: ages by topic and by feed, an item. Out: its [`Class`], and the time before which items of a class have expired.
//! Promise: what can be understood in two ways keeps the item longer. An item's class follows from its feed, its topics
//! and the policies alone, never from the time.
//! Not here: what is removed, and what is never ([`super::retention`]).

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::{Retention, StoreConfig};
use crate::id::{FeedId, ItemId, TopicId};
use crate::item::Item;
use crate::topic::Decision;
use crate::units::Span;

/// How long what is kept.
///
/// Where nothing is said of an item's feed nor of its topics, the default holds. Else the longest age said of them does; of a
/// topic that the item is only `maybe` about only where that keeps it longer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policies {
    /// Where nothing else is said.
    pub default: Retention,
    /// Of topics.
    pub by_topic: BTreeMap<TopicId, Retention>,
    /// Of feeds.
    pub by_feed: BTreeMap<FeedId, Retention>,
    /// Items that are never removed, besides those that the store knows of: the configuration's examples.
    pub named: BTreeSet<ItemId>,
}

/// Items with one age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Class {
    /// Of whose feed and topics nothing is said.
    Default,
    /// Of those that are kept for so many milliseconds.
    Own(u64),
}

impl Policies {
    /// As the configuration says.
    pub fn of(config: &StoreConfig, named: BTreeSet<ItemId>) -> Self {
        let StoreConfig { retention, retention_by_topic, retention_by_feed, .. } = config;
        Self { default: *retention, by_topic: retention_by_topic.clone(), by_feed: retention_by_feed.clone(), named }
    }

    /// The longest age of all; nothing that is kept for less is older. Forever where anything is.
    pub fn longest(&self) -> Retention {
        self.by_topic.values().chain(self.by_feed.values()).copied().fold(self.default, Retention::max)
    }

    /// How long the log is kept: as long as anything that is not kept for ever. None where that is the default.
    pub fn log(&self) -> Option<Span> {
        let span = |retention: &Retention| match retention {
            Retention::For(span) => Some(*span),
            Retention::Forever => None,
        };
        let default = span(&self.default)?;
        Some(self.by_topic.values().chain(self.by_feed.values()).filter_map(span).fold(default, Span::max))
    }

    /// What was said of the item's feed and topics; none where nothing was.
    fn own(&self, item: &Item) -> Option<Retention> {
        let of_topics = |decision: Decision| {
            let topics = item.topics.iter().filter(move |topic| topic.decision == decision);
            topics.filter_map(|topic| self.by_topic.get(&topic.id)).copied().max()
        };
        let said = self.by_feed.get(&item.feed).copied().max(of_topics(Decision::Match));
        let perhaps = of_topics(Decision::Maybe);
        match (said, perhaps) {
            (None, None) => None,
            _ => perhaps.max(Some(said.unwrap_or(self.default))),
        }
    }

    pub(super) fn class(&self, item: &Item) -> Option<Class> {
        match self.own(item) {
            None => Some(Class::Default),
            Some(Retention::For(span)) => Some(Class::Own(millis(span))),
            Some(Retention::Forever) => None,
        }
    }

    /// Every class of which anything may expire, with the time before which its items have.
    pub(super) fn due(&self, at: Timestamp, before: Option<Timestamp>) -> BTreeMap<Class, Timestamp> {
        let passed = |retention: Retention| match retention {
            Retention::For(span) => Some(ago(at, span)),
            Retention::Forever => None,
        };
        let mut due = BTreeMap::new();
        due.extend(passed(self.default).max(before).map(|passed| (Class::Default, passed)));
        for retention in self.by_topic.values().chain(self.by_feed.values()).chain([&self.default]) {
            if let Retention::For(span) = retention {
                due.insert(Class::Own(millis(*span)), ago(at, *span));
            }
        }
        due
    }

    /// Another where an item may have another age, or may not be held any more.
    pub(super) fn version(&self) -> u64 {
        let age = |retention: &Retention| match retention {
            Retention::For(span) => millis(*span).to_string(),
            Retention::Forever => "forever".to_owned(),
        };
        let mut words = vec![age(&self.default)];
        words.extend(self.by_topic.iter().map(|(topic, retention)| format!("topic {topic} {}", age(retention))));
        words.extend(self.by_feed.iter().map(|(feed, retention)| format!("feed {feed} {}", age(retention))));
        words.extend(self.named.iter().map(ItemId::to_string));
        xxh3_64(words.join("\n").as_bytes())
    }
}

fn millis(span: Span) -> u64 {
    u64::try_from(span.get().as_millis()).unwrap_or(u64::MAX)
}

/// The time that long before.
pub(super) fn ago(at: Timestamp, span: Span) -> Timestamp {
    let span = SignedDuration::try_from(span.get()).unwrap_or(SignedDuration::MAX);
    at.checked_sub(span).unwrap_or(Timestamp::MIN)
}
