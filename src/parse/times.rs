//! Which of an entry's times is believed.
//!
//! In: times as written, the feed's time zone, `now`. Out: a time, and the words it came from.
//! Promise: never "now" in place of a time that could not be read; a time before 1990 or more than a day ahead is not
//! believed, its words are kept.
//! Not here: the grammar of dates ([`crate::text::date`]).

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::source::FeedConfig;
use crate::text::date;

/// 1990-01-01T00:00:00Z. No news site is older than the web; `1970-01-01` is an empty field of a database.
const EARLIEST: i64 = 631_152_000;
/// How far ahead a clock or a zone may be wrong, in seconds.
const AHEAD: i64 = 24 * 3_600;

/// What dates are read against.
pub struct Times {
    zone: TimeZone,
    now: Timestamp,
    /// Why the configured time zone is not used.
    pub note: Option<String>,
}

impl Times {
    /// With the feed's time zone, or UTC where it has none.
    pub fn new(feed: &FeedConfig, now: Timestamp) -> Self {
        let named = feed.timezone.as_deref().map(TimeZone::get);
        let note = match (&named, &feed.timezone) {
            (Some(Err(_)), Some(name)) => Some(format!("the time zone `{name}` is not known; UTC is used")),
            _ => None,
        };
        Self { zone: named.and_then(Result::ok).unwrap_or(TimeZone::UTC), now, note }
    }

    /// The first believable time of `written`, and its words; without one, the first words alone.
    pub fn published(&self, written: &[String]) -> (Option<Timestamp>, Option<String>) {
        let read = |text: &String| self.read(text).map(|at| (Some(at), Some(text.clone())));
        written.iter().find_map(read).unwrap_or_else(|| (None, written.first().cloned()))
    }

    /// A time that can be believed.
    pub fn read(&self, text: &str) -> Option<Timestamp> {
        let latest = self.now.as_second().saturating_add(AHEAD);
        let at = date::parse(text, &self.zone, self.now)?.at;
        (EARLIEST..=latest).contains(&at.as_second()).then_some(at)
    }
}
