//! `/metrics`: what Prometheus reads.
//!
//! Out: the text format, made of what the store counts and of what the process does ([`crate::telemetry::metrics`], which
//! names every metric).
//! Promise: as many series as feeds, topics and consumers call for, whatever the sources send. Guarded like every route.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use axum::http::Uri;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use jiff::Timestamp;

use super::consumers::ConsumerView;
use super::problem::Problem;
use super::request::Params;
use super::sinks::SinkView;
use super::{Loaded, Shared};
use crate::id::{FeedId, TopicId};
use crate::source::FeedCursor;
use crate::store::{Stats, Store, StoreError};
use crate::telemetry::metrics::{self as metric, OTHER, Page};

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) async fn show(State(shared): State<Shared>, uri: Uri) -> Result<impl IntoResponse, Problem> {
    Params::read(&uri, &[])?;
    let loaded = shared.loaded();
    let page = shared.blocking(move |state| {
        let mut page = Page::default();
        page.by(metric::BUILD, "version", [(env!("CARGO_PKG_VERSION"), 1)]);
        if let Some(started) = state.started {
            page.one(metric::STARTED, seconds(started));
        }
        stored(&mut page, &state.store, &loaded)?;
        feeds(&mut page, &state.store, &loaded)?;
        page.counted();
        consumers(&mut page, &state.store, (state.clock)())?;
        sinks(&mut page, &state.store, &loaded, (state.clock)())?;
        Ok(page.into_text())
    });
    Ok(([(CONTENT_TYPE, TEXT)], page.await?))
}

fn stored(page: &mut Page, store: &Store, loaded: &Loaded) -> Result<(), StoreError> {
    let Stats { last_seq, items, duplicates, revisions, bytes_on_disk, live_bytes, by_feed, by_topic } =
        store.stats()?;
    page.one(metric::ITEMS, items);
    page.one(metric::DUPLICATES, duplicates);
    page.one(metric::REVISIONS, revisions);
    page.one(metric::BYTES, bytes_on_disk);
    page.one(metric::LIVE_BYTES, live_bytes);
    page.one(metric::LOG_FIRST, store.log_begins()?.0);
    page.one(metric::LOG_LAST, last_seq);
    let feeds: BTreeSet<&FeedId> = loaded.feeds.iter().map(|feed| &feed.id).collect();
    let topics: BTreeSet<&TopicId> = loaded.topics.ids().collect();
    let by_feed = by_feed.iter().map(|(feed, n)| (if feeds.contains(feed) { feed.as_str() } else { OTHER }, *n));
    let by_topic = by_topic.iter().map(|(topic, n)| (if topics.contains(topic) { topic.as_str() } else { OTHER }, *n));
    page.by(metric::FEED_ITEMS, "feed", together(by_feed));
    page.by(metric::TOPIC_ITEMS, "topic", together(by_topic));
    Ok(())
}

/// One number for each label.
fn together<'a>(counts: impl Iterator<Item = (&'a str, u64)>) -> BTreeMap<&'a str, u64> {
    let mut sums = BTreeMap::new();
    counts.for_each(|(label, n)| *sums.entry(label).or_default() += n);
    sums
}

fn feeds(page: &mut Page, store: &Store, loaded: &Loaded) -> Result<(), StoreError> {
    let (mut ok, mut failing, mut unpolled, mut disabled) = (0, 0, 0, 0);
    let mut polled: Vec<(&str, FeedCursor)> = Vec::new();
    for feed in &loaded.feeds {
        let cursor = store.cursor(&feed.id)?;
        let state = match &cursor {
            _ if !feed.enabled => &mut disabled,
            None => &mut unpolled,
            Some(cursor) if cursor.failures > 0 => &mut failing,
            Some(_) => &mut ok,
        };
        *state += 1;
        polled.extend(cursor.map(|cursor| (feed.id.as_str(), cursor)));
    }
    let states = [("ok", ok), ("failing", failing), ("unpolled", unpolled), ("disabled", disabled)];
    page.by(metric::FEEDS, "state", states);
    let each = |value: fn(&FeedCursor) -> u64| polled.iter().map(move |(feed, cursor)| (*feed, value(cursor)));
    page.by(metric::FEED_POLLS, "feed", each(|cursor| cursor.polls));
    page.by(metric::FEED_STORED, "feed", each(|cursor| cursor.stored));
    page.by(metric::FEED_FAILURES, "feed", each(|cursor| u64::from(cursor.failures)));
    page.by(metric::FEED_NEXT, "feed", each(|cursor| seconds(cursor.next)));
    Ok(())
}

fn consumers(page: &mut Page, store: &Store, now: Timestamp) -> Result<(), StoreError> {
    let views = store.consumers()?.into_iter().map(|consumer| ConsumerView::of(consumer, store, now));
    let views: Vec<ConsumerView> = views.collect::<Result<_, _>>()?;
    let each = |value: fn(&ConsumerView) -> u64| views.iter().map(move |view| (view.name.as_str(), value(view)));
    page.by(metric::CONSUMER_OFFSET, "consumer", each(|view| view.offset.0));
    page.by(metric::CONSUMER_LAG, "consumer", each(|view| view.lag));
    page.by(metric::CONSUMER_AGE, "consumer", each(|view| view.lag_seconds));
    page.by(metric::CONSUMER_MISSED, "consumer", each(|view| view.missed.as_ref().map_or(0, |missed| missed.records)));
    page.by(metric::CONSUMER_ACKED, "consumer", each(|view| view.acked));
    Ok(())
}

fn sinks(page: &mut Page, store: &Store, loaded: &Loaded, now: Timestamp) -> Result<(), StoreError> {
    let views = loaded.sinks.iter().map(|sink| SinkView::of(sink, store, now));
    let views: Vec<SinkView> = views.collect::<Result<_, _>>()?;
    let each = |value: fn(&SinkView) -> u64| views.iter().map(move |view| (view.name.as_str(), value(view)));
    page.by(metric::SINK_DELIVERED, "sink", each(|view| view.delivered));
    page.by(metric::SINK_FAILED, "sink", each(|view| view.failed));
    page.by(metric::SINK_FAILURES, "sink", each(|view| u64::from(view.failures)));
    page.by(metric::SINK_DEAD, "sink", each(|view| view.dead));
    Ok(())
}

fn seconds(at: Timestamp) -> u64 {
    u64::try_from(at.as_second()).unwrap_or(0)
}
