//! Ages by topic and by feed: whether they name something, and whether they say anything.
//!
//! In: `[store.retention_by_topic]` and `[store.retention_by_feed]` with their places, the feeds and the topics. Out: problems
//! and notes, each at its entry.
//! Promise: a name that is none is a problem, since what it was to keep would be lost; an age that changes nothing is a note.
//! Not here: which age holds for an item ([`crate::store::Policies`]).

use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::report::{Report, nearest};
use crate::source::FeedConfig;
use crate::store::{Retention, StoreConfig};
use crate::topic::Topics;

/// The keys of the two tables.
const TABLES: [&str; 2] = ["retention_by_topic", "retention_by_feed"];

/// Where the entries of the two tables stand.
#[derive(Debug, Default)]
pub(super) struct Places {
    topics: Vec<Place>,
    feeds: Vec<Place>,
}

/// An entry: its name, where that stands, where its age stands.
#[derive(Debug)]
struct Place {
    name: String,
    key: Range<usize>,
    age: Range<usize>,
}

impl Places {
    /// Finds them in a file that is not read yet.
    pub(super) fn of(root: &DeTable<'_>) -> Self {
        fn table<'t, 'a>(value: Option<&'t Spanned<DeValue<'a>>>) -> Option<&'t DeTable<'a>> {
            match value.map(Spanned::get_ref) {
                Some(DeValue::Table(table)) => Some(table),
                _ => None,
            }
        }
        let [topics, feeds] = TABLES.map(|name| {
            let entries = table(root.get("store")).and_then(|store| table(store.get(name)));
            let place = |(key, age): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
                let key: &Spanned<toml::de::DeString<'_>> = key;
                Place { name: key.get_ref().to_string(), key: key.span(), age: age.span() }
            };
            entries.into_iter().flatten().map(place).collect()
        });
        Self { topics, feeds }
    }

    /// Ages of no length.
    pub(super) fn check_ages(&self, store: &StoreConfig, report: &mut Report<'_>) {
        let of_topics = self.topics.iter().filter_map(|place| Some((place, topic_age(store, place)?)));
        let of_feeds = self.feeds.iter().filter_map(|place| Some((place, feed_age(store, place)?)));
        for (Place { name, age, .. }, retention) in of_topics.chain(of_feeds) {
            if matches!(retention, Retention::For(span) if span.get() == Duration::ZERO) {
                report.problem(age.clone(), format!("`{name}` must be kept longer than 0, or \"forever\""));
            }
        }
    }

    /// Names that are none. `None`: what names there are could not be read.
    pub(super) fn check_names(&self, feeds: Option<&[FeedConfig]>, topics: Option<&Topics>, report: &mut Report<'_>) {
        let mut unknown = |what: &str, places: &[Place], known: Vec<&str>, hint: &str| {
            for Place { name, key, .. } in places.iter().filter(|place| !known.contains(&place.name.as_str())) {
                let meant = nearest(name, &known).map(|meant| format!("; did you mean `{meant}`?"));
                let meant = meant.unwrap_or_else(|| hint.to_owned());
                report.problem(key.clone(), format!("no {what} is called `{name}`{meant}"));
            }
        };
        if let Some(topics) = topics {
            let known = topics.iter().map(|topic| topic.id().as_str()).collect();
            unknown("topic", &self.topics, known, "; remove the line, or add the topic to topics.toml");
        }
        if let Some(feeds) = feeds {
            let known = feeds.iter().map(|feed| feed.id.as_str()).collect();
            let hint = "; remove the line, or add the feed to feeds.toml, with enabled = false where it is not polled";
            unknown("feed", &self.feeds, known, hint);
        }
    }

    /// Ages by which no item of the configured feeds is kept for another time than without them.
    pub(super) fn note_idle(&self, store: &StoreConfig, feeds: &[FeedConfig], report: &mut Report<'_>) {
        let default = store.retention;
        for place in &self.topics {
            let Some(age) = topic_age(store, place) else { continue };
            let others = store.retention_by_topic.iter().filter(|(topic, _)| topic.as_str() != place.name);
            let outlasts = others.map(|(_, other)| *other).min().is_some_and(|other| age > other);
            let says = |feed: &FeedConfig| match store.retention_by_feed.get(&feed.id) {
                Some(of_feed) => age > *of_feed,
                None => age != default || outlasts,
            };
            if !feeds.is_empty() && !feeds.iter().any(says) {
                let why = if age == default && !outlasts {
                    "the default says the same"
                } else {
                    "every feed is kept as long"
                };
                report.problem(place.key.clone(), idle(&place.name, why));
            }
        }
        for place in &self.feeds {
            let Some(age) = feed_age(store, place) else { continue };
            if age == default && !store.retention_by_topic.values().any(|of_topic| age > *of_topic) {
                report.problem(place.key.clone(), idle(&place.name, "the default says the same"));
            }
        }
    }
}

fn idle(name: &str, why: &str) -> String {
    format!("the age of `{name}` changes nothing: {why}; the longest age that is said of an item holds")
}

fn topic_age(store: &StoreConfig, place: &Place) -> Option<Retention> {
    store.retention_by_topic.iter().find(|(topic, _)| topic.as_str() == place.name).map(|(_, age)| *age)
}

fn feed_age(store: &StoreConfig, place: &Place) -> Option<Retention> {
    store.retention_by_feed.iter().find(|(feed, _)| feed.as_str() == place.name).map(|(_, age)| *age)
}
