//! The time of day and its zone.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::names::{self, Half};
use super::offset;
use super::tokens::Tokens;

pub(super) type Zone = TimeZone;

/// A time of day; 24:00 and the leap second are among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    hour: u64,
    minute: u64,
    second: u64,
    nanosecond: i32,
}

impl Clock {
    pub(super) fn new(hour: u64, minute: u64, second: u64) -> Option<Self> {
        let in_day = hour <= 23 || hour == 24 && minute == 0 && second == 0;
        (in_day && minute <= 59 && second <= 60).then_some(Self { hour, minute, second, nanosecond: 0 })
    }

    fn half(self, half: Half) -> Self {
        let hour = match (half, self.hour) {
            (Half::Am | Half::Night, 12) => 0,
            (Half::Pm, hour @ 0..12) => hour + 12,
            (Half::Night, hour @ 6..12) => hour + 12,
            (_, hour) => hour,
        };
        Self { hour, ..self }
    }

    pub(super) fn on(self, date: Date) -> Option<DateTime> {
        let date = if self.hour == 24 { date.tomorrow().ok()? } else { date };
        let part = |value: u64| i8::try_from(value).ok();
        // A leap second is the last second of its minute.
        let time = jiff::civil::Time::new(
            part(self.hour % 24)?,
            part(self.minute)?,
            part(self.second.min(59))?,
            self.nanosecond,
        );
        Some(date.to_datetime(time.ok()?))
    }
}

/// Takes the first time of day, with the half of the day that stands beside it.
pub(super) fn take(tokens: &mut Tokens<'_>) -> Option<Clock> {
    let (begin, end, clock) = (0..tokens.len()).find_map(|i| at(tokens, i))?;
    tokens.take(begin..end);
    if let Some((half, after)) = half_at(tokens, end) {
        tokens.take(end..after);
        return Some(clock.half(half));
    }
    // Some write it before the time.
    if let Some(half) = begin.checked_sub(1).and_then(|before| names::half(tokens.word(before)?)) {
        // After a year م is "of our era".
        if begin < 2 || tokens.number(begin - 2).is_none() {
            tokens.take(begin - 1..begin);
            return Some(clock.half(half));
        }
    }
    Some(clock)
}

/// A time of day that begins at `i`: where it begins and ends.
fn at(tokens: &Tokens<'_>, i: usize) -> Option<(usize, usize, Clock)> {
    let (hour, digits) = tokens.number(i)?;
    // The rest of a time that cannot be is no time either.
    if digits > 2 || i > 0 && tokens.is_sign(i - 1, ':') {
        return None;
    }
    let two = |i: usize| tokens.number(i).filter(|(_, digits)| *digits == 2).map(|(value, _)| value);
    if tokens.is_sign(i + 1, ':') {
        let minute = two(i + 2)?;
        let Some(second) = two(i + 4).filter(|_| tokens.is_sign(i + 3, ':')) else {
            return Some((i, i + 3, Clock::new(hour, minute, 0)?));
        };
        let mut clock = Clock::new(hour, minute, second)?;
        let decimal = tokens.is_sign(i + 5, '.') || tokens.is_sign(i + 5, ',');
        if let Some((fraction, digits @ 1..=9)) = tokens.number(i + 6).filter(|_| decimal && tokens.is_glued(i + 6)) {
            let scale = 10_u64.pow(9 - u32::try_from(digits).ok()?);
            clock.nanosecond = i32::try_from(fraction * scale).ok()?;
            return Some((i, i + 7, clock));
        }
        return Some((i, i + 5, clock));
    }
    // French: 18h05.
    if tokens.word(i + 1) == Some("h") && tokens.is_glued(i + 1) {
        return match two(i + 2).filter(|_| tokens.is_glued(i + 2)) {
            Some(minute) => Some((i, i + 3, Clock::new(hour, minute, 0)?)),
            None => Some((i, i + 2, Clock::new(hour, 0, 0)?)),
        };
    }
    // A whole hour: 6pm, 6 مساء. The letters ص and م alone say too little, except after "at … o'clock".
    let (_, after) = half_at(tokens, i + 1)?;
    let clear = tokens.word(i + 1).is_some_and(|word| word.chars().count() > 1) || after > i + 2;
    let asked = i.checked_sub(1).is_some_and(|before| tokens.word(before) == Some("الساعه"));
    ((clear || asked) && (1..=12).contains(&hour)).then_some(())?;
    Some((i, i + 1, Clock::new(hour, 0, 0)?))
}

/// am or pm at `i`, also as `p.m.`, and where it ends.
fn half_at(tokens: &Tokens<'_>, i: usize) -> Option<(Half, usize)> {
    let word = tokens.word(i)?;
    if matches!(word, "a" | "p") && tokens.is_sign(i + 1, '.') && tokens.word(i + 2) == Some("m") {
        return Some((if word == "a" { Half::Am } else { Half::Pm }, i + 3));
    }
    names::half(word).map(|half| (half, i + 1))
}

/// Takes the zone, which stands after the time as a number or anywhere as a name.
pub(super) fn take_zone(tokens: &mut Tokens<'_>) -> Option<Zone> {
    let named = (0..tokens.len()).find_map(|i| named(tokens, i));
    let (range, zone) = numeric(tokens).or(named)?;
    tokens.take(range);
    Some(zone)
}

fn named(tokens: &Tokens<'_>, i: usize) -> Option<(std::ops::Range<usize>, Zone)> {
    let word = tokens.word(i)?;
    // Asia/Riyadh
    if let Some(city) = tokens.word(i + 2).filter(|_| tokens.is_sign(i + 1, '/') && tokens.is_glued(i + 2)) {
        let underscored = tokens.word(i + 4).filter(|_| tokens.is_sign(i + 3, '_'));
        let name = underscored.map_or_else(|| format!("{word}/{city}"), |more| format!("{word}/{city}_{more}"));
        if word.is_ascii()
            && let Ok(zone) = TimeZone::get(&name)
        {
            return Some((i..i + if underscored.is_some() { 5 } else { 3 }, zone));
        }
    }
    // GMT+3, UTC+03:00
    if matches!(word, "gmt" | "utc" | "غرينتش" | "جرينتش")
        && let Some((end, zone)) = signed(tokens, i + 1)
    {
        return Some((i..end, zone));
    }
    Some((i..i + 1, names::zone(word)?))
}

/// An offset behind the time: `+0300`, `+03:00`, `(+3)`, and `0300` or `03:00` whose plus sign got lost in a URL.
fn numeric(tokens: &Tokens<'_>) -> Option<(std::ops::Range<usize>, Zone)> {
    // Only the time is taken so far.
    let after = (0..tokens.len()).rev().find(|i| tokens.is_taken(*i))? + 1;
    let start = after + usize::from(tokens.is_sign(after, '('));
    if let Some((end, zone)) = signed(tokens, start) {
        return Some((after..end, zone));
    }
    let (value, digits) = tokens.number(start)?;
    if digits == 4 && value <= 1400 && start > 1 {
        return Some((after..start + 1, offset(false, value / 100, value % 100)?));
    }
    let (minutes, _) = tokens.number(start + 2).filter(|(_, digits)| *digits == 2 && tokens.is_sign(start + 1, ':'))?;
    (digits == 2).then_some((after..start + 3, offset(false, value, minutes)?))
}

/// A sign, and the offset that touches it; not the hyphen before a date.
fn signed(tokens: &Tokens<'_>, i: usize) -> Option<(usize, Zone)> {
    let negative = tokens.is_sign(i, '-');
    if !negative && !tokens.is_sign(i, '+') || !tokens.is_glued(i + 1) {
        return None;
    }
    let (value, digits) = tokens.number(i + 1)?;
    if let Some((minutes, 2)) = tokens.number(i + 3).filter(|_| tokens.is_sign(i + 2, ':')) {
        return Some((i + 4, offset(negative, value, minutes)?));
    }
    let begins_date = ['/', '-', '.'].iter().any(|sign| tokens.is_sign(i + 2, *sign) && tokens.is_glued(i + 3));
    match digits {
        1 | 2 if !begins_date => Some((i + 2, offset(negative, value, 0)?)),
        3 | 4 if !begins_date => Some((i + 2, offset(negative, value / 100, value % 100)?)),
        _ => None,
    }
}
