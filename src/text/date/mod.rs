//! Dates as feeds and pages write them.
//!
//! In: the text of a date, the zone that its outlet means and the time now. Out: an instant, with what is doubtful.
//! Promise: what is not a date is `None` and never "now"; day comes before month, as Arabic outlets write; the weekday is
//! passed over, because it is wrong more often than the date is.
//! Not here: which date of an entry counts, and what is done with dates that cannot be ([`crate::parse`]).
//!
//! The text is normalized first, so digits, hamza, vowel marks, bidi controls and cases are one already. Then it is cut
//! into numbers, words and signs ([`tokens`]), of which a time with its zone ([`time`]) and a date ([`calendar`]) take
//! theirs; "two hours ago" is read by [`relative`]. What no part took must be harmless: weekdays and fillers, or a few
//! words (a byline) beside a date that is complete.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::normalize::normalize;

mod calendar;
mod names;
mod relative;
mod time;
mod tokens;

use calendar::Day;
use time::Zone;
use tokens::{Kind, Tokens};

/// A parsed date, with what is doubtful about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// The instant.
    pub at: Timestamp,
    /// Whether the text had no zone and `zone` was used.
    pub zone_assumed: bool,
    /// Whether the text had a date only, without a time; `at` is then the first moment of the day.
    pub date_only: bool,
    /// Whether the text had no year, and the last one was taken in which the day is not in the future.
    pub year_assumed: bool,
}

/// No date is longer, with its weekday, its Hijri twin, its zone in words and a byline.
const LONGEST: usize = 200;

/// How many words may stand beside a complete date that are not part of one.
const STRANGERS: usize = 4;

/// Reads a date; relative ones ("منذ ساعتين") count from `now`, those without a zone are in `zone`.
/// `None` where it is not a date; never "now" instead of one.
pub fn parse(text: &str, zone: &TimeZone, now: Timestamp) -> Option<Parsed> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST {
        return None;
    }
    let text = normalize(text);
    let mut tokens = Tokens::of(&text)?;
    if let Some(parsed) = calendar::unix(&tokens) {
        return Some(parsed);
    }
    if let Some(parsed) = relative::ago(&tokens, zone, now) {
        return Some(parsed);
    }
    absolute(&mut tokens, zone, now)
}

fn absolute(tokens: &mut Tokens<'_>, zone: &TimeZone, now: Timestamp) -> Option<Parsed> {
    let compact = calendar::compact(tokens);
    let clock = match compact {
        Some((_, Some(time))) => Some(time),
        _ => time::take(tokens),
    };
    let own_zone = clock.and_then(|_| time::take_zone(tokens));
    let today = || now.to_zoned(own_zone.as_ref().unwrap_or(zone).clone()).date();
    let (date, year_assumed) = match compact.map(|(date, _)| Day::Whole(date)).or_else(|| calendar::take(tokens)) {
        Some(Day::Whole(date)) => (date, false),
        Some(Day::Yearless { month, day }) => (calendar::latest(month, day, today())?, true),
        None => (relative::take_day(tokens, today())?, true),
    };
    if !harmless(tokens, year_assumed) {
        return None;
    }
    // What was taken for a missing year above may be "yesterday", which assumes nothing.
    let year_assumed = year_assumed && !tokens.saw_day_word;
    let moment = match clock {
        Some(clock) => clock.on(date)?,
        None => date.to_datetime(jiff::civil::Time::midnight()),
    };
    let zone_assumed = own_zone.is_none();
    let at = own_zone.unwrap_or_else(|| zone.clone()).to_ambiguous_timestamp(moment).compatible().ok()?;
    Some(Parsed { at, zone_assumed, date_only: clock.is_none(), year_assumed })
}

/// Whether what is left over can stand beside a date. Beside a doubtful one nothing may.
fn harmless(tokens: &Tokens<'_>, doubtful: bool) -> bool {
    let strangers =
        tokens.left().filter(|token| matches!(token.kind, Kind::Word(word) if !names::is_filler(word))).count();
    let numbers = tokens.left().filter(|token| matches!(token.kind, Kind::Number { .. })).count();
    // The Hijri twin of a date leaves its day and year.
    if doubtful { strangers == 0 && numbers == 0 } else { strangers <= STRANGERS && numbers <= 2 }
}

/// A Gregorian day of a year that news can be of.
fn civil(year: i64, month: u8, day: u64) -> Option<Date> {
    let year = i16::try_from(year).ok().filter(|year| (1900..=2200).contains(year))?;
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// An offset from UTC.
fn offset(negative: bool, hours: u64, minutes: u64) -> Option<Zone> {
    let seconds = i32::try_from(hours * 3600 + minutes * 60).ok().filter(|s| *s <= 14 * 3600 && minutes < 60)?;
    jiff::tz::Offset::from_seconds(if negative { -seconds } else { seconds }).ok().map(TimeZone::fixed)
}

#[cfg(test)]
mod tests;
