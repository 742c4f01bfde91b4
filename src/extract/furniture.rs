//! Lines that Arabic sites print into their articles and that are none of them.
//!
//! In: one line of an article's text. Out: what it is, where it is no prose.
//! Promise: whole lines only, never a piece of one; a line is furniture only where every word of it says so (`شارك عبر
//! فيسبوك`), or where a fixed beginning leaves no room for news. `شارك الوزير في المؤتمر` stays.
//! Credits stay: `المصدر: وكالات` and `(رويترز)` say whose the words are. So do advertisements in prose: they cannot be told
//! from news by a line.
//! Not here: what a site repeats on all its pages ([`crate::text::recurring`]); invitations with links ([`super::lines`]).

/// Words that make a line an order to share, print, follow or resize.
const HEADS: [&str; 31] = [
    "شارك",
    "شاركها",
    "شاركه",
    "مشاركه",
    "المشاركه",
    "انسخ",
    "نسخ",
    "طباعه",
    "اطبع",
    "ارسل",
    "ارسال",
    "حفظ",
    "احفظ",
    "تابعنا",
    "تابعونا",
    "الخط",
    "خط",
    "اعلان",
    "اعلانات",
    "استمع",
    "تكبير",
    "تصغير",
    "اشترك",
    "التعليقات",
    "تعليقات",
    "share",
    "print",
    "advertisement",
    "فيسبوك",
    "تويتر",
    "واتساب",
];
/// Words that may stand beside those.
const BESIDE: [&str; 54] = [
    "المقال",
    "مقال",
    "المقاله",
    "الخبر",
    "خبر",
    "القصه",
    "قصه",
    "التقرير",
    "الماده",
    "الصفحه",
    "الموضوع",
    "الرابط",
    "رابط",
    "هذا",
    "هذه",
    "عبر",
    "علي",
    "مع",
    "الي",
    "من",
    "اصدقائك",
    "الاصدقاء",
    "لصديق",
    "صديق",
    "بالبريد",
    "البريد",
    "بريد",
    "الالكتروني",
    "حجم",
    "تغيير",
    "النص",
    "الان",
    "لاحقا",
    "اكس",
    "تلغرام",
    "تليجرام",
    "تيليجرام",
    "انستغرام",
    "انستجرام",
    "يوتيوب",
    "ماسنجر",
    "لينكدان",
    "لينكد",
    "ان",
    "جوجل",
    "غوغل",
    "نيوز",
    "x",
    "facebook",
    "twitter",
    "whatsapp",
    "telegram",
    "google",
    "email",
];
/// Places where readers follow a site.
const NETWORKS: [&str; 20] = [
    "فيسبوك",
    "تويتر",
    "اكس",
    "تلغرام",
    "تليجرام",
    "تيليجرام",
    "واتساب",
    "واتس",
    "انستغرام",
    "انستجرام",
    "يوتيوب",
    "تيك",
    "سناب",
    "غوغل",
    "جوجل",
    "facebook",
    "twitter",
    "telegram",
    "whatsapp",
    "google",
];
/// Beginnings of invitations to follow; furniture where a network is named.
const FOLLOW: [&str; 9] = [
    "تابعنا علي",
    "تابعونا علي",
    "تابعنا عبر",
    "تابعونا عبر",
    "لمتابعه اخبارنا",
    "لمتابعه المزيد",
    "انضم الي قناتنا",
    "انضموا الي قناتنا",
    "اشترك في قناتنا",
];
/// Beginnings that no sentence of an article has.
const NOTICES: [&str; 14] = [
    "جميع الحقوق محفوظه",
    "كل الحقوق محفوظه",
    "حقوق النشر محفوظه",
    "الاراء الوارده في هذا المقال",
    "الاراء الوارده في هذه المقاله",
    "هذا المقال يعبر عن راي كاتبه",
    "هذه الماده مخصصه للمشتركين",
    "هذا المحتوي مخصص للمشتركين",
    "هذا المحتوي للمشتركين",
    "النشره الاخباريه: اشترك",
    "العوده الي الاعلي",
    "سجل الدخول لقراءه",
    "اشترك في نشرتنا",
    "اشترك في النشره البريديه",
];
/// How a caption begins that stands as a line of its own; a colon, a slash or a dash must follow.
const CAPTIONS: [&str; 8] =
    ["الصوره", "صوره", "تصوير", "مصدر الصوره", "مصدر الصور", "عدسه", "صوره ارشيفيه", "تعليق الصوره"];
/// How a byline begins; a colon or a dash must follow, but for the longest ones.
const BYLINES: [&str; 10] = ["كتب", "كتبت", "كتبه", "كتبها", "بقلم", "اعداد", "تحرير", "الكاتب", "بواسطه", "حوار"];
/// The longest line that is looked at, in words: what is longer is prose.
const WORDS: usize = 24;

/// Whether `line` is no part of any article.
pub(super) fn is_furniture(line: &str) -> bool {
    let Some(folded) = Folded::of(line) else { return false };
    folded.is_controls() || folded.is_notice() || folded.follows() || is_caption(line)
}

/// Whether `line` describes a picture. Such a line names itself: `الصورة: …`, `(تصوير: …)`.
pub(super) fn is_caption(line: &str) -> bool {
    let Some((label, rest)) = labelled(line) else { return false };
    CAPTIONS.contains(&label.as_str()) && rest.split_whitespace().count() < WORDS
}

/// Whom a byline (`كتب: …`, `بقلم …`) names.
pub(super) fn byline(line: &str) -> Option<String> {
    let (label, name) = match labelled(line) {
        Some(found) => found,
        None => {
            // `بقلم` needs no colon: it says nothing else.
            let (label, name) = line.trim().split_once(char::is_whitespace)?;
            (folded(label), name)
        }
    };
    let by_itself = matches!(label.as_str(), "بقلم" | "بواسطه");
    if !BYLINES.contains(&label.as_str()) || (!by_itself && labelled(line).is_none()) {
        return None;
    }
    // What follows the name: a place, a day.
    let name = name.split([',', '،', '|', '/', '\n', '–', '—']).next()?;
    let name = name.split(" - ").next()?.trim().trim_end_matches(['.', ':', '-']).trim();
    let words = name.split_whitespace().count();
    (words >= 1 && words <= if labelled(line).is_some() { 6 } else { 4 } && !name.contains(|c: char| c.is_numeric()))
        .then(|| name.to_owned())
}

/// Whether `line` is nothing but the day something was published: it begins with a weekday, a number or a label, has a year
/// and few words. Whether it is a date decides [`crate::text::date`].
pub(super) fn may_be_date(line: &str) -> Option<&str> {
    const LABELS: [&str; 11] = [
        "نشر في",
        "نشرت في",
        "نشر بتاريخ",
        "تاريخ النشر",
        "التاريخ",
        "اخر تحديث",
        "تم النشر",
        "نشر",
        "نشرت",
        "تم التحديث",
        "تحديث",
    ];
    const DAYS: [&str; 8] = ["السبت", "الاحد", "الاثنين", "الاتنين", "الثلاثاء", "الاربعاء", "الخميس", "الجمعه"];
    let line = line.trim();
    if line.chars().count() > 70 || line.ends_with(['.', '؟', '!', '…']) {
        return None;
    }
    let date = match line.split_once([':', '|']) {
        Some((label, rest)) if LABELS.contains(&folded(label).trim()) => rest.trim(),
        _ => line,
    };
    let text = folded(date);
    let (first, words) = (text.split_whitespace().next()?, text.split_whitespace().filter(|w| !is_number(w)).count());
    let begins = DAYS.contains(&first.trim_end_matches(['،', ',', ':'])) || first.starts_with(char::is_numeric);
    let mut digits = 0;
    let year = text.chars().any(|c| {
        digits = if c.is_numeric() { digits + 1 } else { 0 };
        digits == 4
    });
    (begins && year && words <= 6).then_some(date)
}

fn is_number(word: &str) -> bool {
    !word.chars().any(char::is_alphabetic)
}

/// The label before a colon or a spaced dash, folded, and what follows it; parentheses around all of it are passed over.
fn labelled(line: &str) -> Option<(String, &str)> {
    let line = line.trim().trim_start_matches(['(', '[']).trim_end_matches([')', ']']);
    let (label, rest) = line.split_once([':', '/']).or_else(|| line.split_once(" - "))?;
    (label.chars().count() <= 20).then(|| (folded(label).trim().to_owned(), rest.trim()))
}

/// A line as these phrases are compared: folded, in words.
struct Folded {
    text: String,
    words: Vec<String>,
}

impl Folded {
    /// `None` for what is too long to be furniture.
    fn of(line: &str) -> Option<Self> {
        if line.len() > 400 || line.split_whitespace().nth(WORDS).is_some() {
            return None;
        }
        let text = folded(line);
        let cut = |c: char| !c.is_alphanumeric();
        let words = text.split(cut).filter(|word| !word.is_empty() && !is_number(word)).map(str::to_owned).collect();
        Some(Self { text, words })
    }

    /// `شارك المقال`, `+ الخط -`, `فيسبوك تويتر واتساب`.
    fn is_controls(&self) -> bool {
        let known = |word: &String| {
            let bare = word.strip_prefix('و').unwrap_or(word);
            [word.as_str(), bare].iter().any(|word| HEADS.contains(word) || BESIDE.contains(word))
        };
        self.words.len() <= 10
            && self.words.iter().all(known)
            && self.words.iter().any(|word| HEADS.contains(&word.as_str()))
    }

    fn is_notice(&self) -> bool {
        let start = self.text.trim_start_matches(|c: char| !c.is_alphanumeric());
        NOTICES.iter().any(|notice| start.starts_with(notice))
    }

    fn follows(&self) -> bool {
        let start = self.words.join(" ");
        let named = |word: &String| {
            ["", "و", "ب", "ال"]
                .iter()
                .any(|clitic| word.strip_prefix(clitic).is_some_and(|bare| NETWORKS.contains(&bare)))
        };
        FOLLOW.iter().any(|follow| start.starts_with(follow)) && self.words.iter().any(named)
    }
}

/// Letters as these few phrases are compared; the project's own normalization is for texts ([`crate::text::normalize`]).
pub(super) fn folded(text: &str) -> String {
    let marks =
        |c: &char| !matches!(c, '\u{64b}'..='\u{652}' | 'ـ' | '\u{200e}' | '\u{200f}' | '\u{2066}'..='\u{2069}');
    let fold = |c: char| match c {
        'أ' | 'إ' | 'آ' => 'ا',
        'ة' => 'ه',
        'ى' => 'ي',
        c => c.to_ascii_lowercase(),
    };
    text.chars().filter(marks).map(fold).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn furniture_goes_and_its_near_misses_stay() {
        for (line, near_miss) in [
            ("شارك", "شارك الوزير في افتتاح المعرض"),
            ("شارك المقال", "شارك المقال في مسابقة الصحافة وفاز"),
            ("شارك الخبر عبر فيسبوك وتويتر", "شارك الخبر على فيسبوك آلاف القراء"),
            ("مشاركة", "مشاركة واسعة في الانتخابات"),
            ("فيسبوك تويتر واتساب", "فيسبوك تحذف آلاف الحسابات"),
            ("انسخ الرابط", "انسخ الرابط الذي يظهر ثم أرسله إلى الشركة"),
            ("+ الخط -", "الخط الأحمر"),
            ("حجم الخط", "حجم الخط الائتماني مليون دولار"),
            ("طباعة", "طباعة الأوراق النقدية تتوقف"),
            ("إعلان", "إعلان حالة الطوارئ"),
            ("- إعلان -", "إعلان الدوحة"),
            ("تابعنا على تلغرام", "تابعنا على مدى ساعات سير المفاوضات"),
            ("تابعونا على صفحتنا في فيسبوك", "تابعونا على الأقدام حتى الحدود"),
            ("لمتابعة أخبارنا على واتساب اضغط هنا", "لمتابعة أخبارنا من الجبهة بقي المراسل هناك"),
            ("جميع الحقوق محفوظة لشبكة الواحة 2026", "حقوق الجميع محفوظة بالقانون"),
            ("الآراء الواردة في هذا المقال لا تعبر بالضرورة عن رأي الموقع.", "الآراء الواردة في هذا التقرير متباينة"),
            ("هذه المادة مخصصة للمشتركين. اشترك الآن", "هذه المادة مخصصة لعلاج الحروق"),
            ("الصورة: أرشيف الصحيفة", "الصورة التي التقطها القمر الصناعي واضحة"),
            ("(تصوير: قسم التصوير)", "تصوير الفيلم بدأ أمس"),
            ("مصدر الصورة: وكالة", "مصدر الصورة ما زال مجهولا"),
            // Credits are information.
            ("Share", "المصدر: وكالات"),
            ("Advertisement", "(رويترز)"),
        ] {
            assert!(is_furniture(line), "{line}");
            assert!(!is_furniture(near_miss), "{near_miss}");
        }
        assert!(!is_furniture("") && !is_furniture("12 - 3") && !is_furniture("الصورة: ".repeat(30).as_str()));
    }

    #[test]
    fn bylines_name_people() {
        for (line, name) in [
            ("كتب: سمير الحلبي - الجمعة 20 تشرين الثاني 2026", Some("سمير الحلبي")),
            ("كتبت/ منى", Some("منى")),
            ("كتبت: منى الأشقر، القاهرة", Some("منى الأشقر")),
            ("بقلم نادر القاسمي", Some("نادر القاسمي")),
            ("بقلم: د. هند العمري", Some("د. هند العمري")),
            ("كتب - محمود السيد", Some("محمود السيد")),
            ("كتب الرئيس على حسابه", None),
            ("بقلم رصاص رسم الفنان لوحته الأولى", None),
            ("كتب: في عام 1990", None),
            ("إعداد: قسم المحليات", Some("قسم المحليات")),
            ("إعداد الطعام للنازحين", None),
            ("", None),
        ] {
            assert_eq!(byline(line).as_deref(), name, "{line}");
        }
    }

    #[test]
    fn lines_that_are_a_day_are_told_from_lines_about_one() {
        for (line, date) in [
            ("السبت 21 نوفمبر 2026", Some("السبت 21 نوفمبر 2026")),
            ("الجمعة، 20 تشرين الثاني 2026 الساعة 10:15", Some("الجمعة، 20 تشرين الثاني 2026 الساعة 10:15")),
            ("نشرت في: 20/11/2026 - 08:12", Some("20/11/2026 - 08:12")),
            ("٢٠ نوفمبر ٢٠٢٦", Some("٢٠ نوفمبر ٢٠٢٦")),
            ("افتتاح المعرض يوم 20 نوفمبر 2026", None),
            ("الجمعة الماضي انتهت مهلة العام 2026 من دون اتفاق بين الطرفين على شيء", None),
            ("20 قتيلا", None),
            ("السبت 21 نوفمبر 2026 كان آخر أيام المعرض.", None),
        ] {
            assert_eq!(may_be_date(line), date, "{line}");
        }
    }
}
