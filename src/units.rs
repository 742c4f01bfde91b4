//! Durations, sizes and points in time as people write them: `"15m"`, `"2MiB"`, `"7d"` back from now.
//!
//! In: strings of the configuration and of requests. Out: [`Span`], [`ByteSize`], times.
//! Promise: what is displayed parses again to the same value; a number without a unit is refused, so nobody has to
//! guess whether `timeout = "20"` means seconds.
//! Not here: calendar time ([`jiff`]) and dates in feeds ([`crate::text::date`]).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A length of time, written as a whole number and a unit: `500ms`, `20s`, `15m`, `6h`, `30d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub Duration);

impl Span {
    /// A span of whole seconds.
    pub const fn secs(n: u64) -> Self {
        Self(Duration::from_secs(n))
    }

    /// The same length as the standard library counts it.
    pub const fn get(self) -> Duration {
        self.0
    }
}

const SPAN_UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, unit) = split_unit(text);
        let scale = SPAN_UNITS.iter().find(|(name, _)| *name == unit).map(|(_, scale)| *scale);
        match (number.parse::<u64>(), scale) {
            (Ok(n), Some(scale)) => n
                .checked_mul(scale)
                .map(|ms| Self(Duration::from_millis(ms)))
                .ok_or_else(|| format!("`{text}` is too long a time")),
            _ => Err(format!("`{text}` is not a time; write a whole number and ms, s, m, h or d, such as \"15m\"")),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        let (name, scale) =
            SPAN_UNITS.iter().find(|(_, scale)| ms >= *scale && ms.is_multiple_of(*scale)).unwrap_or(&("s", 1_000));
        write!(f, "{}{name}", ms / scale)
    }
}

/// A number of bytes, written as a whole number and a unit: `512B`, `64KiB`, `10MiB`, `2GiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

impl ByteSize {
    /// A size of whole mebibytes.
    pub const fn mib(n: u64) -> Self {
        Self(n << 20)
    }

    /// The number of bytes, for indexing; saturates where `usize` is smaller.
    pub fn get(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

const SIZE_UNITS: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, unit) = split_unit(text);
        let scale = SIZE_UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).map(|(_, scale)| *scale);
        match (number.parse::<u64>(), scale) {
            (Ok(n), Some(scale)) => {
                n.checked_mul(scale).map(Self).ok_or_else(|| format!("`{text}` is too large a size"))
            }
            _ => Err(format!("`{text}` is not a size; write a whole number and B, KiB, MiB or GiB, such as \"10MiB\"")),
        }
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, scale) =
            SIZE_UNITS.iter().find(|(_, s)| self.0 >= *s && self.0.is_multiple_of(*s)).unwrap_or(&("B", 1));
        write!(f, "{}{name}", self.0 / scale)
    }
}

fn split_unit(text: &str) -> (&str, &str) {
    let text = text.trim();
    let at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    (number, unit.trim_start())
}

macro_rules! serde_as_text {
    ($($name:ident),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}
serde_as_text!(Span, ByteSize);

/// A point in time as people write it: RFC 3339, a date (from its midnight in UTC), or a span back from `now`.
pub fn moment(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Ok(span) = text.parse::<Span>() {
        return now.checked_sub(SignedDuration::try_from(span.get()).ok()?).ok();
    }
    if let Ok(date) = text.parse::<Date>()
        && text.len() <= "2026-11-20".len()
    {
        return date.to_zoned(TimeZone::UTC).ok().map(|midnight| midnight.timestamp());
    }
    // A `+` that was not escaped in an address comes as a space.
    text.parse().or_else(|_| text.replace(' ', "+").parse()).ok()
}
/// The largest whole number that every program reads from JSON as it was written.
pub const LARGEST: u64 = 1 << 53;

/// A whole number that JSON wrote with a point, such as `42.0`, as some programs do.
pub fn whole(number: f64) -> Option<u64> {
    (number.fract() == 0.0 && (0.0..=LARGEST as f64).contains(&number)).then_some(number as u64)
}

/// Describes types that are written as text of one shape, for the schema of the interface.
macro_rules! text_schema {
    ($($name:ident, $pattern:expr, $about:literal;)*) => {$(
        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": $pattern, "description": $about })
            }
        }
    )*};
}
pub(crate) use text_schema;

text_schema!(Span, "^[0-9]+(ms|s|m|h|d)$", "A length of time, such as `15m`.";);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_with_a_point_are_those_without() {
        let mut rng = fastrand::Rng::with_seed(1);
        for number in (0..2_000).map(|_| rng.u64(..=LARGEST)).chain([0, 42, 2_184_359_636_841_155, LARGEST]) {
            let read: f64 = serde_json::from_str(&format!("{number}.0")).unwrap();
            assert_eq!(whole(read), Some(number));
        }
        assert_eq!([whole(0.5), whole(-1.0), whole(f64::NAN), whole(2e16)], [None; 4]);
    }

    #[test]
    fn spans_read_and_write() {
        for (text, secs) in [("90s", 90), ("15m", 900), ("6h", 21_600), ("30d", 2_592_000), (" 2 m ", 120)] {
            let span: Span = text.trim_end().parse().expect(text);
            assert_eq!(span, Span::secs(secs), "{text}");
            assert_eq!(span.to_string().parse::<Span>(), Ok(span), "{text}");
        }
        assert_eq!(Span::secs(0).to_string(), "0s");
        for wrong in ["", "20", "m", "1.5h", "-1s", "1 week", "99999999999999999999d", "9999999999999999d"] {
            assert!(wrong.parse::<Span>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_read_and_write() {
        for (text, bytes) in [("512B", 512), ("64KiB", 65_536), ("10MiB", 10 << 20), ("2gib", 2 << 30)] {
            let size: ByteSize = text.parse().expect(text);
            assert_eq!(size, ByteSize(bytes), "{text}");
            assert_eq!(size.to_string().parse::<ByteSize>(), Ok(size), "{text}");
        }
        for wrong in ["", "10", "MiB", "10MB", "-1B"] {
            assert!(wrong.parse::<ByteSize>().is_err(), "{wrong}");
        }
    }
}
