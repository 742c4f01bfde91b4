//! What is known of the daemon now, and how fast it grows.
//!
//! In: the answers of the interface. Out: the newest of them, and numbers a minute over the last minute.
//! Promise: a daemon that was started again is a new one: nothing is reckoned over its restart.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use crate::client::{Client, Error};
use crate::serve::{ConsumerView, FeedView, IndexView, Overview};
use crate::telemetry::metrics;

/// Over how many seconds is reckoned.
const WINDOW: i64 = 60;

/// What the daemon told at one time.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) at: Timestamp,
    pub(super) overview: Overview,
    pub(super) feeds: Vec<FeedView>,
    pub(super) consumers: Vec<ConsumerView>,
    /// None where search is switched off, or the index not ready.
    pub(super) index: Option<IndexView>,
    pub(super) counted: Counted,
}

/// What only the process counts, of `/metrics`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    /// Polls since the start.
    pub(super) polls: u64,
    /// Polls that are collected and not yet on the disk.
    pub(super) queued: u64,
    /// Failures since the start, by name.
    pub(super) failed: BTreeMap<String, u64>,
}

impl Counted {
    fn read(page: &str) -> Self {
        let mut counted = Self::default();
        for line in page.lines().filter(|line| !line.starts_with('#')) {
            let Some((name, value)) = line.rsplit_once(' ') else { continue };
            let Ok(value) = value.parse() else { continue };
            let (name, label) = name.split_once('{').unwrap_or((name, ""));
            match name {
                _ if name == metrics::POLLS.name => counted.polls = value,
                _ if name == metrics::QUEUE.name => counted.queued = value,
                _ if name == metrics::POLL_FAILURES.name => {
                    let kind = label.trim_start_matches("kind=\"").trim_end_matches("\"}");
                    counted.failed.insert(kind.to_owned(), value);
                }
                _ => {}
            }
        }
        counted
    }
}

impl Sample {
    pub(super) async fn take(client: &Client, clock: fn() -> Timestamp) -> Result<Self, Error> {
        let overview = client.stats().await?;
        let feeds = client.feeds().await?.feeds;
        let consumers = client.consumers().await?.consumers;
        let index = match client.get::<IndexView>("api/v1/search/index", &[]).await {
            Ok(index) => Some(index),
            Err(Error::Refused(_)) => None,
            Err(error) => return Err(error),
        };
        let counted = Counted::read(&client.metrics().await?);
        Ok(Self { at: clock(), overview, feeds, consumers, index, counted })
    }

    fn stored(&self, feed: &str) -> Option<u64> {
        let feed = self.feeds.iter().find(|known| known.id.as_str() == feed)?;
        Some(feed.cursor.as_ref()?.stored)
    }

    fn acked(&self, name: &str) -> Option<u64> {
        Some(self.consumers.iter().find(|known| known.name.as_str() == name)?.acked)
    }
}

/// What was told within the last minute, and whether the daemon is there.
#[derive(Debug)]
pub(super) struct Watched {
    /// Where the daemon is looked for.
    pub(super) place: String,
    /// Why it does not answer.
    pub(super) trouble: Option<String>,
    samples: VecDeque<Sample>,
}

impl Watched {
    pub(super) fn new(place: &str) -> Self {
        Self { place: place.to_owned(), trouble: None, samples: VecDeque::new() }
    }

    pub(super) fn learn(&mut self, sample: Result<Sample, String>) {
        let sample = match sample {
            Ok(sample) => sample,
            Err(trouble) => return self.trouble = Some(trouble),
        };
        self.trouble = None;
        let started = sample.overview.started_at;
        self.samples.retain(|known| {
            known.overview.started_at == started && sample.at.duration_since(known.at).as_secs() <= WINDOW
        });
        self.samples.push_back(sample);
    }

    /// The last that was told.
    pub(super) fn newest(&self) -> Option<&Sample> {
        self.samples.back()
    }

    /// How much something grows in a minute; none where it was not watched for long enough.
    fn a_minute(&self, value: impl Fn(&Sample) -> Option<u64>) -> Option<f64> {
        let (first, last) = (self.samples.front()?, self.samples.back()?);
        let seconds = last.at.duration_since(first.at).as_secs_f64();
        let grown = value(last)?.saturating_sub(value(first)?);
        #[expect(clippy::cast_precision_loss, reason = "a rate is shown with one digit")]
        (seconds >= 1.0).then(|| grown as f64 * 60.0 / seconds)
    }

    pub(super) fn items(&self) -> Option<f64> {
        self.a_minute(|sample| Some(sample.overview.store.items))
    }

    pub(super) fn copies(&self) -> Option<f64> {
        self.a_minute(|sample| Some(sample.overview.store.duplicates))
    }

    pub(super) fn polls(&self) -> Option<f64> {
        self.a_minute(|sample| Some(sample.counted.polls))
    }

    pub(super) fn of_feed(&self, feed: &str) -> Option<f64> {
        self.a_minute(|sample| sample.stored(feed))
    }

    pub(super) fn of_consumer(&self, name: &str) -> Option<f64> {
        self.a_minute(|sample| sample.acked(name))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::{Value, json};

    use super::*;

    pub(crate) fn time(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + seconds).unwrap()
    }

    fn feed(id: &str, title: &str, cursor: Value) -> FeedView {
        serde_json::from_value(json!({
            "id": id, "title": title, "url": "https://feeds.example/rss", "kind": "feed", "enabled": id != "off",
            "disabled_reason": null, "language": "ar", "interval": "15m", "min_interval": "2m", "max_interval": "6h",
            "full_text": "auto", "max_entries": 100, "charset": null, "timezone": null, "user_agent": null, "headers": [],
            "proxied": false, "authenticated": false, "page": null, "article": null, "cursor": cursor,
        }))
        .unwrap()
    }

    fn cursor(seconds: i64, failures: u32, stored: u64) -> Value {
        let error = json!({ "kind": "connection-refused", "severity": "temporary", "message": "\x1b[31mلم يجب أحد", "hint": "look at the address" });
        json!({
            "last_poll": time(seconds - 60), "next": time(seconds + 90), "rule": "two thirds of polls had news", "interval": "10m",
            "failures": failures, "not_modified": 0, "polls": 40, "stored": stored, "moved_to": null,
            "last_error": (failures > 0).then_some(error),
        })
    }

    /// What a daemon tells that stores 2 items a second.
    pub(crate) fn sample(seconds: i64, started: i64) -> Sample {
        let n = u64::try_from(seconds).unwrap();
        let overview = serde_json::from_value(json!({
            "version": "0.1.0", "running": true, "started_at": time(started),
            "store": { "last_seq": 500 + 3 * n, "items": 100 + 2 * n, "duplicates": 50 + n, "revisions": 3,
                "bytes_on_disk": 5_000_000, "by_feed": {}, "by_topic": {} },
            "feeds": { "configured": 4, "enabled": 3, "failing": 1, "unpolled": 1, "next": time(seconds + 5) },
            "topics": 10, "reclassifying": { "version": 1, "last": null, "stale": 0 }, "corpora": 1,
        }));
        let consumers = json!([{
            "name": "desk", "kind": "غرفة الأخبار \u{202e}", "offset": 400 + n, "lag": 100 + 2 * n, "lag_seconds": 7_300,
            "filter": { "topics": ["csto"] }, "created_at": time(-1_000), "acked_at": time(seconds), "acked": 400 + n,
        }]);
        let feeds = vec![
            feed("bbc", "بي بي سي عربي، لا إله", cursor(seconds, 0, 70 + n)),
            feed("nabd", "نبض \u{202e}\x1b[2Jالمدينة", cursor(seconds, 3, 9)),
            feed("new", "新闻", Value::Null),
            feed("off", "", cursor(seconds, 0, 5)),
        ];
        let index = json!({ "seq": 490, "last_seq": 500 + 3 * n, "items": 140, "building": false });
        Sample {
            at: time(seconds),
            overview: overview.unwrap(),
            feeds,
            consumers: serde_json::from_value(consumers).unwrap(),
            index: serde_json::from_value(index).unwrap(),
            counted: Counted::read(&format!(
                "# HELP x\nrasid_polls_total {n}\nrasid_queue_polls 4\nrasid_poll_failures_total{{kind=\"timeout\"}} 6\nother 1\n"
            )),
        }
    }

    #[test]
    fn growth_is_told_a_minute_over_the_last_one_and_not_over_a_restart() {
        let mut watched = Watched::new("data/rasid.sock");
        assert_eq!((watched.items(), watched.newest().is_none()), (None, true));
        watched.learn(Ok(sample(0, -100)));
        assert_eq!(watched.items(), None);
        for seconds in [30, 50, 90, 150] {
            watched.learn(Ok(sample(seconds, -100)));
        }
        assert_eq!(watched.samples.len(), 2);
        let shown =
            [watched.items(), watched.copies(), watched.polls(), watched.of_feed("bbc"), watched.of_feed("new")];
        assert_eq!(shown, [Some(120.0), Some(60.0), Some(60.0), Some(60.0), None]);
        assert_eq!((watched.of_consumer("desk"), watched.of_consumer("other")), (Some(60.0), None));
        watched.learn(Err("nobody".to_owned()));
        assert!(watched.trouble.is_some() && watched.newest().is_some());
        watched.learn(Ok(sample(160, 155)));
        assert_eq!((watched.polls(), watched.trouble.is_none()), (None, true));
        let counted = &watched.newest().unwrap().counted;
        assert_eq!((counted.queued, counted.failed["timeout"]), (4, 6));
    }
}
