//! Dates as feeds and pages write them.
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A parsed date, with what is doubtful about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    pub at: Timestamp,
    /// Whether the text had no zone and `zone` was used.
    pub zone_assumed: bool,
    /// Whether the text had a date only, without a time.
    pub date_only: bool,
}

/// Reads a date; relative ones ("منذ ساعتين") count from `now`, those without a zone are in `zone`.
/// `None` where it is not a date; never "now" instead of one.
pub fn parse(_text: &str, _zone: &TimeZone, _now: Timestamp) -> Option<Parsed> { unimplemented!() }
