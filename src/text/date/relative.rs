//! Dates that count from now: "two hours ago", "yesterday".

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::Parsed;
use super::names::{self, Unit};
use super::tokens::{Kind, Tokens};

/// Reads `منذ ساعتين`, `قبل ٥ ساعات و٢٠ دقيقة`, `5 hours ago`, `il y a 2 jours`, `الآن`; only where nothing else is there.
pub(super) fn ago(tokens: &Tokens<'_>, zone: &TimeZone, now: Timestamp) -> Option<Parsed> {
    let words = || (0..tokens.len()).filter_map(|i| tokens.word(i));
    if words().eq(["الان"]) || words().eq(["just", "now"]) {
        let bare = tokens.left().all(|token| !matches!(token.kind, Kind::Number { .. }));
        return bare.then_some(Parsed { at: now, zone_assumed: false, date_only: false, year_assumed: false });
    }
    words().find(|word| matches!(*word, "منذ" | "قبل" | "ago" | "il"))?;
    let (mut amount, mut span, mut finest) = (None, Span::new(), None);
    for token in tokens.left() {
        match token.kind {
            Kind::Number { value, digits } if amount.is_none() && digits <= 4 => {
                amount = Some(i64::try_from(value).ok()?)
            }
            Kind::Number { .. } => return None,
            Kind::Sign('-' | ':' | '.' | ',' | '،' | '|' | '~') => {}
            Kind::Sign(_) => return None,
            Kind::Word(word) => {
                let word = if names::unit(word).is_none() { word.strip_prefix('و').unwrap_or(word) } else { word };
                // "an hour", but "1 an".
                let article = word == "an" && amount.is_none();
                if let Some((unit, of)) = names::unit(word).filter(|_| !article) {
                    // "ثلاثة أيام", "يومين", "ساعة".
                    span = plus(span, unit, amount.take().unwrap_or(1).checked_mul(of)?)?;
                    finest = Some(unit);
                } else if word == "نصف" && finest == Some(Unit::Hour) {
                    span = plus(span, Unit::Minute, 30)?;
                } else if let Some(number) = names::spelled(word) {
                    amount = Some(number);
                } else if !is_around(word) {
                    return None;
                }
            }
        }
    }
    let date_only = matches!(finest?, Unit::Day | Unit::Week | Unit::Month | Unit::Year);
    if amount.is_some() {
        return None;
    }
    let at = now.to_zoned(zone.clone()).checked_sub(span).ok()?.timestamp();
    Some(Parsed { at, zone_assumed: false, date_only, year_assumed: false })
}

/// What may stand beside an age.
fn is_around(word: &str) -> bool {
    matches!(
        word,
        "منذ"
            | "قبل"
            | "من"
            | "حوالي"
            | "نحو"
            | "اكثر"
            | "اقل"
            | "ago"
            | "about"
            | "over"
            | "an"
            | "a"
            | "il"
            | "y"
            | "environ"
    ) || matches!(word, "" | "نشر" | "نشرت" | "تم" | "النشر" | "اخر" | "تحديث" | "updated" | "published")
}

fn plus(span: Span, unit: Unit, n: i64) -> Option<Span> {
    let add = |had: i64| had.checked_add(n);
    match unit {
        Unit::Second => span.try_seconds(add(span.get_seconds())?).ok(),
        Unit::Minute => span.try_minutes(add(span.get_minutes())?).ok(),
        Unit::Hour => span.try_hours(add(i64::from(span.get_hours()))?).ok(),
        Unit::Day => span.try_days(add(i64::from(span.get_days()))?).ok(),
        Unit::Week => span.try_weeks(add(i64::from(span.get_weeks()))?).ok(),
        Unit::Month => span.try_months(add(i64::from(span.get_months()))?).ok(),
        Unit::Year => span.try_years(add(i64::from(span.get_years()))?).ok(),
    }
}

/// Takes "today" or "yesterday".
pub(super) fn take_day(tokens: &mut Tokens<'_>, today: Date) -> Option<Date> {
    let (place, back) = (0..tokens.len()).find_map(|i| match tokens.word(i)? {
        "اليوم" | "today" => Some((i, 0)),
        "امس" | "البارحه" | "yesterday" | "hier" => Some((i, 1)),
        _ => None,
    })?;
    tokens.take(place..place + 1);
    tokens.saw_day_word = true;
    if back == 0 { Some(today) } else { today.yesterday().ok() }
}
