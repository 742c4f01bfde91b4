//! Every metric, by name, and the page that Prometheus reads.
//!
//! In: numbers, with labels. Out: the text format 0.0.4.
//! Promise: this file names all metrics there are; labels are feeds and topics of the configuration, consumers, and names
//! from closed lists, so that what a stranger sends never makes a new series. Names stay.
//! Not here: the numbers themselves. Most are read from the store when they are asked for ([`crate::serve`]), which survives
//! restarts; only what the store does not know is counted here.
//!
//! A writer of our own and not a crate: what is needed of one is some lines of text, and a registry of live counters would
//! be a second place for what the store counts durably.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// Whether it only grows.
    pub kind: Kind,
    /// What it counts, and in which unit.
    pub help: &'static str,
}

/// How a metric moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It grows, and begins again at a restart at most.
    Counter,
    /// It goes up and down.
    Gauge,
}

macro_rules! metrics {
    ($($id:ident $kind:ident $name:literal $help:literal)*) => {
        $(
            #[doc = $help]
            pub const $id: Metric = Metric { name: $name, kind: Kind::$kind, help: $help };
        )*
        /// All of them, in the order of the page.
        pub const ALL: &[Metric] = &[$($id),*];
    };
}

metrics! {
    BUILD Gauge "rasid_build_info" "1, with the version of the program."
    STARTED Gauge "process_start_time_seconds" "When the daemon started, in seconds since 1970."
    ITEMS Gauge "rasid_items" "Stored items that are in sight."
    DUPLICATES Gauge "rasid_duplicates" "Stored copies, and items whose place a fuller text took."
    REVISIONS Gauge "rasid_revisions" "Former words of items that are kept."
    BYTES Gauge "rasid_store_bytes" "The size of the store's files, in bytes."
    LIVE_BYTES Gauge "rasid_store_live_bytes" "What of the store's files is not outdated, in bytes."
    LOG_FIRST Gauge "rasid_log_first_seq" "The first position that is still in the log."
    LOG_LAST Gauge "rasid_log_last_seq" "The last position of the log."
    FEED_ITEMS Gauge "rasid_feed_items" "Stored items in sight, by feed; (other) are feeds that are not configured."
    TOPIC_ITEMS Gauge "rasid_topic_items" "Stored items in sight, by topic; (other) are topics that are not configured."
    FEEDS Gauge "rasid_feeds" "Configured feeds, by state: ok, failing, unpolled, disabled."
    FEED_POLLS Counter "rasid_feed_polls_total" "Polls ever made of a feed."
    FEED_STORED Counter "rasid_feed_stored_total" "Entries ever stored from a feed."
    FEED_FAILURES Gauge "rasid_feed_failures" "Polls of a feed that failed in a row, until now."
    FEED_NEXT Gauge "rasid_feed_next_poll_time_seconds" "When a feed is polled next, in seconds since 1970."
    POLLS Counter "rasid_polls_total" "Polls made since the start."
    POLL_FAILURES Counter "rasid_poll_failures_total" "Polls that failed since the start, by the name of the failure."
    QUEUE Gauge "rasid_queue_polls" "Polls that are collected and not yet on the disk."
    CONSUMER_OFFSET Gauge "rasid_consumer_offset" "The last position that a consumer has acknowledged."
    CONSUMER_LAG Gauge "rasid_consumer_lag_records" "Records after it that are in the log."
    CONSUMER_AGE Gauge "rasid_consumer_lag_seconds" "The age of the oldest of them, in seconds."
    CONSUMER_MISSED Gauge "rasid_consumer_missed_records" "Records after it that are not in the log any more."
    CONSUMER_ACKED Counter "rasid_consumer_acked_total" "Positions that a consumer has ever acknowledged."
    SINK_DELIVERED Counter "rasid_sink_delivered_total" "Records that a sink has delivered since the start."
    SINK_FAILED Counter "rasid_sink_failed_total" "Attempts of a sink that failed since the start."
    SINK_FAILURES Gauge "rasid_sink_failures" "Attempts of a sink that failed in a row, until now."
    SINK_DEAD Gauge "rasid_sink_dead_letters" "Records that a sink could not deliver and keeps."
}

/// Polls made since the start.
static POLLED: AtomicU64 = AtomicU64::new(0);
/// Those that failed, by the name of the failure.
static FAILED: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());
/// Polls on their way to the disk.
static QUEUED: AtomicU64 = AtomicU64::new(0);
/// The most names of failures that are told apart; there are some thirty.
const MAX_FAILURES: usize = 100;

/// Counts a poll, and the name of its failure where it failed.
pub fn polled(failure: Option<&str>) {
    POLLED.fetch_add(1, Relaxed);
    let Some(name) = failure else { return };
    let mut failed = FAILED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let full = failed.len() >= MAX_FAILURES && !failed.contains_key(name);
    *failed.entry(if full { OTHER } else { name }.to_owned()).or_default() += 1;
}

/// Something that is not yet on the disk, counted as long as it lives.
#[derive(Debug)]
pub struct Queued(());

impl Queued {
    /// One more.
    #[expect(clippy::new_without_default, reason = "it counts")]
    pub fn new() -> Self {
        QUEUED.fetch_add(1, Relaxed);
        Self(())
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        QUEUED.fetch_sub(1, Relaxed);
    }
}

/// The label of all that has none of its own. No id is written like this.
pub const OTHER: &str = "(other)";

/// The page, in the making.
#[derive(Debug, Default)]
pub struct Page(String);

impl Page {
    /// A metric of one number.
    pub fn one(&mut self, metric: Metric, value: u64) {
        self.head(metric);
        self.sample(metric, &[], value);
    }

    /// A metric of numbers told apart by one label. Nothing is written where there are none.
    pub fn by<L: AsRef<str>>(&mut self, metric: Metric, label: &str, values: impl IntoIterator<Item = (L, u64)>) {
        let mut values = values.into_iter().peekable();
        if values.peek().is_some() {
            self.head(metric);
        }
        values.for_each(|(of, value)| self.sample(metric, &[(label, of.as_ref())], value));
    }

    /// What this process counts itself.
    pub fn counted(&mut self) {
        self.one(POLLS, POLLED.load(Relaxed));
        let failed = FAILED.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        self.by(POLL_FAILURES, "kind", failed);
        self.one(QUEUE, QUEUED.load(Relaxed));
    }

    /// The text.
    pub fn into_text(self) -> String {
        self.0
    }

    fn head(&mut self, metric: Metric) {
        let Metric { name, kind, help } = metric;
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        // Writing to a string does not fail.
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn sample(&mut self, metric: Metric, labels: &[(&str, &str)], value: u64) {
        self.0.push_str(metric.name);
        for (nth, (name, text)) in labels.iter().enumerate() {
            let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.0, "{}{name}=\"{escaped}\"", if nth == 0 { '{' } else { ',' });
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        let _ = writeln!(self.0, " {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_prometheus_wants_them() {
        let mut names = std::collections::BTreeSet::new();
        for Metric { name, kind, help } in ALL {
            assert!(names.insert(name), "{name} stands twice");
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{name}");
            assert_eq!(name.ends_with("_total"), *kind == Kind::Counter, "{name}");
            assert!(help.ends_with('.') && !help.contains(['\n', '\\']), "{name}");
        }
    }

    #[test]
    fn a_label_cannot_end_its_line() {
        let mut page = Page::default();
        page.one(ITEMS, 3);
        page.by(FEED_ITEMS, "feed", [("a\"b\\c\nd", 1), ("e", 2)]);
        page.by(TOPIC_ITEMS, "topic", Vec::<(&str, u64)>::new());
        let text = page.into_text();
        let samples: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let expected = ["rasid_items 3", r#"rasid_feed_items{feed="a\"b\\c\nd"} 1"#, r#"rasid_feed_items{feed="e"} 2"#];
        assert_eq!(samples, expected);
        assert!(text.contains("# TYPE rasid_items gauge\n") && !text.contains("topic"), "{text}");
    }
}
