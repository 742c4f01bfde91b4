//! The day: with the name of its month, in numbers, compact, as seconds since 1970, or by the Hijri calendar.

use icu_calendar::Iso;
use icu_calendar::cal::Hijri;
use jiff::Timestamp;
use jiff::civil::Date;

use super::time::Clock;
use super::tokens::{Kind, Tokens};
use super::{Parsed, civil, names};

/// A day as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Day {
    Whole(Date),
    Yearless { month: u8, day: u64 },
}

/// A number alone that is seconds or milliseconds since 1970.
pub(super) fn unix(tokens: &Tokens<'_>) -> Option<Parsed> {
    let (value, digits) = tokens.number(0).filter(|_| tokens.len() == 1)?;
    let value = i64::try_from(value).ok()?;
    let at = match digits {
        10 => Timestamp::from_second(value).ok()?,
        13 => Timestamp::from_millisecond(value).ok()?,
        _ => return None,
    };
    Some(Parsed { at, zone_assumed: false, date_only: false, year_assumed: false })
}

/// Takes `20260820`, `202608201805`, `20260820180500` and `20260820T1805`.
pub(super) fn compact(tokens: &mut Tokens<'_>) -> Option<(Date, Option<Clock>)> {
    let (value, digits) = tokens.number(0)?;
    let (date, mut clock) = match digits {
        8 => (value, None),
        12 => (value / 10_000, Some(Clock::new(value / 100 % 100, value % 100, 0)?)),
        14 => (value / 1_000_000, Some(Clock::new(value / 10_000 % 100, value / 100 % 100, value % 100)?)),
        _ => return None,
    };
    let date = civil(i64::try_from(date / 10_000).ok()?, u8::try_from(date / 100 % 100).ok()?, date % 100)?;
    tokens.take(0..1);
    if clock.is_none() && tokens.word(1) == Some("t") {
        clock = match tokens.number(2)? {
            (value, 6) => Clock::new(value / 10_000, value / 100 % 100, value % 100),
            (value, 4) => Clock::new(value / 100, value % 100, 0),
            _ => None,
        };
        if clock.is_some() {
            tokens.take(1..3);
        }
    }
    Some((date, clock))
}

/// Takes the day. Of a day in two calendars the Gregorian counts.
pub(super) fn take(tokens: &mut Tokens<'_>) -> Option<Day> {
    with_month(tokens).or_else(|| with_hijri_month(tokens)).or_else(|| in_numbers(tokens).map(Day::Whole))
}

fn with_month(tokens: &mut Tokens<'_>) -> Option<Day> {
    let (begin, (month, words)) =
        (0..tokens.len()).find_map(|i| Some((i, names::month(tokens.word(i)?, tokens.word(i + 1))?)))?;
    let mut end = begin + words;
    // The same month of another series: `آب/أغسطس`, `آب (أغسطس)`.
    while let Some((step, words)) = (0..=1).find_map(|step| {
        let (other, words) = names::month(tokens.word(end + step)?, tokens.word(end + step + 1))?;
        (other == month).then_some((step, words))
    }) {
        end += step + words;
    }
    let around = Around::of(tokens, begin, end);
    let (day, year) = around.day_and_year(gregorian_year)?;
    tokens.take(begin..end);
    tokens.take(day.place..day.place + 1);
    let Some(year) = year else { return Some(Day::Yearless { month, day: day.value }) };
    tokens.take(year.place..year.place + 1);
    civil(gregorian_year(year.value, year.digits)?, month, day.value).map(Day::Whole)
}

/// RFC 2822: two digits are of 1950 to 2049, three count from 1900.
fn gregorian_year(value: u64, digits: usize) -> Option<i64> {
    let year = i64::try_from(value).ok()?;
    match digits {
        2 if year < 50 => Some(2000 + year),
        2 | 3 => Some(1900 + year),
        4 if (1900..=2200).contains(&year) => Some(year),
        _ => None,
    }
}

fn with_hijri_month(tokens: &mut Tokens<'_>) -> Option<Day> {
    let (begin, (month, words)) =
        (0..tokens.len()).find_map(|i| Some((i, names::hijri_month(tokens.word(i)?, tokens.word(i + 1))?)))?;
    let around = Around::of(tokens, begin, begin + words);
    let (day, year) = around.day_and_year(hijri_year)?;
    let year = year?;
    let date = hijri(hijri_year(year.value, year.digits)?, month, day.value)?;
    tokens.take(begin..begin + words);
    tokens.take(day.place..day.place + 1);
    tokens.take(year.place..year.place + 1);
    Some(Day::Whole(date))
}

/// The years that the Umm al-Qura tables of today can be of.
fn hijri_year(value: u64, digits: usize) -> Option<i64> {
    (digits == 4 && (1318..=1599).contains(&value)).then_some(i64::try_from(value).ok()?)
}

/// The Gregorian day of a Hijri one, by the calendar of Umm al-Qura.
fn hijri(year: i64, month: u8, day: u64) -> Option<Date> {
    let (year, day) = (i32::try_from(year).ok()?, u8::try_from(day).ok()?);
    let date = icu_calendar::Date::try_new_hijri_with_calendar(year, month, day, Hijri::new_umm_al_qura()).ok()?;
    let iso = date.to_calendar(Iso);
    civil(i64::from(iso.year().extended_year()), iso.month().ordinal, u64::from(iso.day_of_month().0))
}

#[derive(Clone, Copy)]
struct Number {
    place: usize,
    value: u64,
    digits: usize,
}

/// The numbers around a month, the nearest first.
struct Around {
    before: Vec<Number>,
    after: Vec<Number>,
}

impl Around {
    fn of(tokens: &Tokens<'_>, begin: usize, end: usize) -> Self {
        let number = |place: usize| tokens.number(place).map(|(value, digits)| Number { place, value, digits });
        Self {
            before: (0..begin).rev().filter_map(number).collect(),
            after: (end..tokens.len()).filter_map(number).collect(),
        }
    }

    /// `20 August 2026`, `2026 August 20`, `2026, 20 August`, `August 20, 2026`; a year that `year` accepts, or none.
    fn day_and_year(&self, year: impl Fn(u64, usize) -> Option<i64>) -> Option<(Number, Option<Number>)> {
        let is_day = |number: &&Number| number.digits <= 2 && (1..=31).contains(&number.value);
        let is_year = |number: &&Number| number.digits > 1 && year(number.value, number.digits).is_some();
        let whole = |number: &&Number| number.digits == 4 && is_year(number);
        let (before, after) = (self.before.first(), self.after.first());
        if let Some(day) = before.filter(is_day) {
            let year = after.filter(is_year).or(self.before.get(1).filter(whole));
            return Some((*day, year.copied()));
        }
        if let (Some(year), Some(day)) = (before.filter(whole), after.filter(is_day)) {
            return Some((*day, Some(*year)));
        }
        let day = after.filter(is_day)?;
        Some((*day, self.after.get(1).filter(is_year).copied()))
    }
}

/// Three numbers, with `/`, `-`, `.` or nothing between them.
fn in_numbers(tokens: &mut Tokens<'_>) -> Option<Date> {
    let (begin, end, date) = (0..tokens.len()).find_map(|i| three(tokens, i))?;
    tokens.take(begin..end);
    Some(date)
}

fn three(tokens: &Tokens<'_>, i: usize) -> Option<(usize, usize, Date)> {
    let first = tokens.number(i)?;
    let sign = match tokens.get(i + 1)?.kind {
        Kind::Sign(sign @ ('/' | '-' | '.')) => Some(sign),
        Kind::Sign(_) | Kind::Word(_) => return None,
        Kind::Number { .. } => None,
    };
    let step = 1 + usize::from(sign.is_some());
    if sign.is_some_and(|sign| !tokens.is_sign(i + 3, sign)) {
        return None;
    }
    let (second, third) = (tokens.number(i + step)?, tokens.number(i + 2 * step)?);
    // Without signs only numbers that look like a date from afar.
    if sign.is_none() && first.1.max(third.1) != 4 {
        return None;
    }
    Some((i, i + 2 * step + 1, numeric(first, second, third)?))
}

/// Year first where the first number can be nothing else; otherwise the day first, or second where only that can be.
fn numeric(first: (u64, usize), second: (u64, usize), third: (u64, usize)) -> Option<Date> {
    if second.1 > 2 {
        return None;
    }
    let (year, month, day) = match (first.1, third.1) {
        (4, 1 | 2) => (first, second.0, third.0),
        (1 | 2, 4) | (1, 2) => (third, second.0, first.0),
        (2, 2) if first.0 > 31 => (first, second.0, third.0),
        (2, 2) => (third, second.0, first.0),
        _ => return None,
    };
    let (month, day) = if month > 12 && day <= 12 { (day, month) } else { (month, day) };
    let month = u8::try_from(month).ok()?;
    match hijri_year(year.0, year.1) {
        Some(year) => hijri(year, month, day),
        None => civil(gregorian_year(year.0, year.1)?, month, day),
    }
}

/// The last time that a day of the year was, seen from `today`; tomorrow counts, for outlets east of the clock.
pub(super) fn latest(month: u8, day: u64, today: Date) -> Option<Date> {
    let limit = today.tomorrow().ok()?;
    // A 29th of February may be up to eight years back.
    (0..=8).filter_map(|back| civil(i64::from(today.year()) + 1 - back, month, day)).find(|date| *date <= limit)
}
