//! The words of dates: months of four Arabic series and two European languages, Hijri months, weekdays, units, zones.
//! All of them as normalization leaves them: hamza, ة and ى folded, lower case, no accents.

use jiff::tz::TimeZone;

use super::time::Zone;

/// Months by number from 1. The series: Egypt and the Gulf, the Levant and Iraq, Tunisia and Algeria, Morocco.
const MONTHS: [&[&str]; 12] = [
    &["يناير", "كانون الثاني", "كانون ثاني", "كانون الثانى", "جانفي", "january", "jan", "janvier", "janv"],
    &["فبراير", "فبرابر", "شباط", "فيفري", "february", "feb", "fevrier", "fevr", "fev"],
    &["مارس", "اذار", "ادار", "march", "mar", "mars"],
    &["ابريل", "ابرايل", "افريل", "نيسان", "april", "apr", "avril", "avr"],
    &["مايو", "ايار", "ماي", "may", "mai"],
    &["يونيو", "يونيه", "يونيا", "حزيران", "جوان", "june", "jun", "juin"],
    &["يوليو", "يوليه", "يوليوز", "تموز", "جويليه", "july", "jul", "juillet", "juil"],
    &["اغسطس", "اغسطوس", "اوغسطس", "اب", "اوت", "غشت", "august", "aug", "aout"],
    &["سبتمبر", "سيبتمبر", "ايلول", "شتنبر", "september", "sept", "sep", "septembre"],
    &["اكتوبر", "تشرين الاول", "تشرين اول", "october", "oct", "octobre"],
    &["نوفمبر", "نوفمر", "تشرين الثاني", "تشرين ثاني", "نونبر", "november", "nov", "novembre"],
    &["ديسمبر", "كانون الاول", "كانون اول", "دجنبر", "december", "dec", "decembre"],
];

const HIJRI_MONTHS: [&[&str]; 12] = [
    &["محرم", "المحرم"],
    &["صفر"],
    &["ربيع الاول", "ربيع اول"],
    &["ربيع الاخر", "ربيع الثاني", "ربيع اخر", "ربيع ثاني"],
    &["جمادي الاولي", "جمادي الاول", "جماد الاول", "جماد الاولي", "جمادي اول"],
    &["جمادي الاخره", "جمادي الثانيه", "جمادي الاخر", "جماد الاخر", "جماد الثاني", "جمادي الثاني"],
    &["رجب"],
    &["شعبان"],
    &["رمضان"],
    &["شوال"],
    &["ذو القعده", "ذي القعده", "ذوالقعده"],
    &["ذو الحجه", "ذي الحجه", "ذوالحجه"],
];

/// The month that a word, with the one after it, names, and how many words that takes.
fn find(months: &[&[&str]; 12], word: &str, next: Option<&str>) -> Option<(u8, usize)> {
    let named = |name: &str| match name.split_once(' ') {
        Some((first, second)) => (first == word && next == Some(second)).then_some(2),
        None => (name == word).then_some(1),
    };
    (1..).zip(months).find_map(|(number, names)| Some((number, names.iter().find_map(|name| named(name))?)))
}

/// A Gregorian month: its number, and of how many words it is.
pub(super) fn month(word: &str, next: Option<&str>) -> Option<(u8, usize)> {
    find(&MONTHS, word, next)
}

/// A Hijri month: its number, and of how many words it is.
pub(super) fn hijri_month(word: &str, next: Option<&str>) -> Option<(u8, usize)> {
    find(&HIJRI_MONTHS, word, next)
}

/// Weekdays and the words that stand around dates.
#[rustfmt::skip]
const FILLERS: &[&str] = &[
    "الاحد", "احد", "الاثنين", "اثنين", "الاتنين", "الثلاثاء", "الثلاثا", "ثلاثاء", "الثلثاء", "الاربعاء", "الاربعا", "اربعاء",
    "الخميس", "خميس", "الجمعه", "جمعه", "السبت", "سبت",
    "sunday", "sun", "monday", "mon", "tuesday", "tue", "tues", "wednesday", "wed", "thursday", "thu", "thur", "thurs",
    "friday", "fri", "saturday", "sat",
    "dimanche", "dim", "lundi", "lun", "mardi", "mercredi", "mer", "jeudi", "jeu", "vendredi", "ven", "samedi", "sam",
    "نشر", "نشرت", "نشره", "النشر", "تم", "في", "يوم", "بتاريخ", "تاريخ", "التاريخ", "اخر", "تحديث", "التحديث", "حدث", "الساعه", "ساعه",
    "الموافق", "من", "عام", "سنه", "لسنه", "لعام", "شهر", "بتوقيت", "توقيت", "التوقيت", "المحلي", "العالمي", "الصيفي", "المكرمه",
    "بالتوقيت", "علي", "ميلادي", "ميلاديه", "هجري", "هجريه", "ه", "م", "و", "اضيف", "كتب", "مساء", "صباح", "صباحا",
    "published", "updated", "posted", "on", "at", "date", "time", "of", "the", "st", "nd", "rd", "th", "last", "update",
    "le", "a", "publie", "mis", "jour", "er", "t", "z", "local", "standard", "h",
];

/// Whether a word beside a date says nothing about it.
pub(super) fn is_filler(word: &str) -> bool {
    FILLERS.contains(&word)
        || month(word, None).is_some()
        || hijri_month(word, None).is_some()
        || matches!(
            word,
            "كانون"
                | "تشرين"
                | "ربيع"
                | "جمادي"
                | "جماد"
                | "ذو"
                | "ذي"
                | "الاول"
                | "الاولي"
                | "الثاني"
                | "الاخر"
                | "الاخره"
                | "الثانيه"
                | "القعده"
                | "الحجه"
        )
}

/// Half of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    Am,
    Pm,
    /// "ليلا": the late hours are of the evening, twelve is midnight, the early ones of the morning.
    Night,
}

pub(super) fn half(word: &str) -> Option<Half> {
    match word {
        "am" | "ص" | "صباحا" | "صباح" | "فجرا" => Some(Half::Am),
        "pm" | "م" | "مساء" | "ظهرا" | "عصرا" | "مغربا" => Some(Half::Pm),
        "ليلا" => Some(Half::Night),
        _ => None,
    }
}

/// A unit of time, and of how many of them a word speaks that is a dual (`ساعتين`).
pub(super) fn unit(word: &str) -> Option<(Unit, i64)> {
    Some(match word {
        "ثانيه" | "ثوان" | "ثواني" | "second" | "seconds" | "sec" | "secs" | "seconde" | "secondes" => {
            (Unit::Second, 1)
        }
        "ثانيتين" | "ثانيتان" => (Unit::Second, 2),
        "دقيقه" | "دقايق" | "minute" | "minutes" | "min" | "mins" => (Unit::Minute, 1),
        "دقيقتين" | "دقيقتان" => (Unit::Minute, 2),
        "ساعه" | "ساعات" | "hour" | "hours" | "hr" | "hrs" | "heure" | "heures" => (Unit::Hour, 1),
        "ساعتين" | "ساعتان" => (Unit::Hour, 2),
        "يوم" | "يوما" | "ايام" | "day" | "days" | "jour" | "jours" => (Unit::Day, 1),
        "يومين" | "يومان" => (Unit::Day, 2),
        "اسبوع" | "اسبوعا" | "اسابيع" | "week" | "weeks" | "semaine" | "semaines" => (Unit::Week, 1),
        "اسبوعين" | "اسبوعان" => (Unit::Week, 2),
        "شهر" | "شهرا" | "اشهر" | "شهور" | "month" | "months" | "mois" => (Unit::Month, 1),
        "شهرين" | "شهران" => (Unit::Month, 2),
        "سنه" | "سنوات" | "سنين" | "عام" | "عاما" | "اعوام" | "year" | "years" | "an" | "ans" => {
            (Unit::Year, 1)
        }
        "سنتين" | "سنتان" | "عامين" | "عامان" => (Unit::Year, 2),
        _ => return None,
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// Numbers in words, as they stand before a unit.
pub(super) fn spelled(word: &str) -> Option<i64> {
    const NUMBERS: [&[&str]; 10] = [
        &["واحد", "واحده", "one"],
        &["two", "deux"],
        &["ثلاث", "ثلاثه", "three"],
        &["اربع", "اربعه", "four"],
        &["خمس", "خمسه", "five"],
        &["ست", "سته", "six"],
        &["سبع", "سبعه", "seven"],
        &["ثمان", "ثماني", "ثمانيه", "eight"],
        &["تسع", "تسعه", "nine"],
        &["عشر", "عشره", "ten"],
    ];
    (1..).zip(NUMBERS).find(|(_, names)| names.contains(&word)).map(|(number, _)| number)
}

/// A zone by its abbreviation or by the place whose time it is. `ast` is Arabia's in Arabic feeds, not the Atlantic's;
/// abbreviations of several zones (`ist`) name none.
pub(super) fn zone(word: &str) -> Option<Zone> {
    let hours = match word {
        "z" | "gmt" | "utc" | "ut" | "wet" | "غرينتش" | "جرينتش" | "غرينيتش" | "جرينيتش" | "قرينتش" => {
            0.0
        }
        "est" => -5.0,
        "edt" => -4.0,
        "cst" => -6.0,
        "cdt" => -5.0,
        "mst" => -7.0,
        "mdt" => -6.0,
        "pst" => -8.0,
        "pdt" => -7.0,
        "cet" | "west" | "bst" => 1.0,
        "cest" | "eet" | "cat" => 2.0,
        "eest" | "msk" | "ast" | "ksa" | "trt" | "eat" => 3.0,
        "irst" => 3.5,
        "gst" => 4.0,
        "pkt" => 5.0,
        "hkt" | "sgt" => 8.0,
        "jst" | "kst" => 9.0,
        "مكه" | "الرياض" | "السعوديه" | "بغداد" | "العراق" | "الكويت" | "الدوحه" | "قطر" | "البحرين" | "صنعاء"
        | "اليمن" | "اسطنبول" | "موسكو" => 3.0,
        "ابوظبي" | "دبي" | "الامارات" | "مسقط" => 4.0,
        "تونس" | "الجزائر" => 1.0,
        "طرابلس" | "الخرطوم" => 2.0,
        place => {
            let name = match place {
                "القاهره" | "مصر" => "Africa/Cairo",
                "بيروت" | "لبنان" => "Asia/Beirut",
                "دمشق" | "سوريا" => "Asia/Damascus",
                "عمان" | "الاردن" => "Asia/Amman",
                "القدس" | "فلسطين" | "غزه" => "Asia/Gaza",
                "الرباط" | "المغرب" => "Africa/Casablanca",
                "باريس" => "Europe/Paris",
                "لندن" => "Europe/London",
                _ => return None,
            };
            return TimeZone::get(name).ok();
        }
    };
    // Half hours are exact in binary.
    let seconds = (hours * 3600.0) as i32;
    jiff::tz::Offset::from_seconds(seconds).ok().map(TimeZone::fixed)
}
