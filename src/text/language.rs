//! Which language a text is in.
//!
//! In: title and text of an item, and the language that its feed or its configuration declares. Out: the code.
//! Promise: Arabic script is told apart by its letters, not by guessing; a declaration that its own alphabet
//! contradicts is not believed; no answer rather than a made-up one.
//! Not here: which charset the text came in ([`super::decode`]).
//!
//! Feeds of Arabic outlets often say `en-us`, as their software came, so the script is asked first. Persian, Urdu,
//! Sorani, Pashto and Uyghur have letters of their own at a rate that foreign names never reach in Arabic.
//! Statistics ([`whatlang`]) are unreliable below a hundred letters; there the declaration is asked before them.

use whatlang::Lang;

/// Below this number of letters the declaration is trusted.
const SHORT: usize = 100;

/// Enough letters to tell any language.
const ENOUGH: usize = 4_000;

/// The ISO 639-1 code of the language of an item (`ckb`, of ISO 639-3, for Sorani), or `None` where it cannot be told.
/// `declared` is what the feed or its configuration says (`"ar-SA"` too); it is trusted where the text is too short to
/// tell, unless it is written in another alphabet.
pub fn detect(title: &str, text: &str, declared: Option<&str>) -> Option<String> {
    let declared = declared.and_then(primary);
    let letters = Letters::count(title, text);
    let Some(script) = letters.script() else { return declared };
    let fitting = declared.filter(|code| fits(code, script));
    if letters.all < SHORT && fitting.is_some() {
        return fitting;
    }
    match script {
        Script::Arabic => Some(letters.in_arabic_script(title, text).to_owned()),
        Script::Cyrillic | Script::Latin | Script::Other => statistical(title, text).map(str::to_owned).or(fitting),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Script {
    Arabic,
    Cyrillic,
    Latin,
    Other,
}

#[derive(Default)]
struct Letters {
    all: usize,
    arabic: usize,
    cyrillic: usize,
    latin: usize,
    /// Letters of Arabic that its neighbours write otherwise or not at all.
    own: usize,
    persian_forms: usize,
    persian: usize,
    urdu: usize,
    sorani: usize,
    pashto: usize,
    uyghur: usize,
}

impl Letters {
    fn count(title: &str, text: &str) -> Self {
        let mut n = Self::default();
        for c in title.chars().chain(text.chars()).filter(|c| c.is_alphabetic()).take(ENOUGH) {
            n.all += 1;
            match c {
                '\u{0600}'..='\u{06FF}'
                | '\u{0750}'..='\u{077F}'
                | '\u{08A0}'..='\u{08FF}'
                | '\u{FB50}'..='\u{FEFC}' => {
                    n.arabic += 1;
                    n.own += usize::from("ةىأإ".contains(c));
                    n.persian_forms += usize::from("یک".contains(c));
                    n.persian += usize::from("پچژگ".contains(c));
                    n.urdu += usize::from("ٹڈڑےںہھ".contains(c));
                    n.sorani += usize::from("ڕڵۆێە".contains(c));
                    n.pashto += usize::from("ښځڅډړږټۍ".contains(c));
                    n.uyghur += usize::from("ۇۈۋې".contains(c));
                }
                '\u{0400}'..='\u{052F}' => n.cyrillic += 1,
                'a'..='z' | 'A'..='Z' | '\u{C0}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}' => n.latin += 1,
                _ => {}
            }
        }
        n
    }

    /// The alphabet of most letters.
    fn script(&self) -> Option<Script> {
        let other = self.all - self.arabic - self.cyrillic - self.latin;
        // Where two are equal the first of them counts: an Arabic title often holds as much of a Latin name.
        let order = [
            (self.arabic, Script::Arabic),
            (self.cyrillic, Script::Cyrillic),
            (self.latin, Script::Latin),
            (other, Script::Other),
        ];
        let most = order.iter().map(|(n, _)| *n).max().filter(|most| *most > 0)?;
        order.iter().find(|(n, _)| *n == most).map(|(_, script)| *script)
    }

    fn in_arabic_script(&self, title: &str, text: &str) -> &'static str {
        let percent = |n: usize| n * 100 / self.arabic.max(1);
        // Uyghur and Pashto share letters with Sorani and Urdu, so they are asked before them.
        if percent(self.uyghur) >= 4 {
            "ug"
        } else if percent(self.pashto) >= 2 {
            "ps"
        } else if percent(self.sorani) >= 4 {
            "ckb"
        } else if percent(self.urdu) >= 3 {
            "ur"
        } else if self.persian_forms + 3 * self.persian > 2 * self.own
            && percent(self.persian_forms + 3 * self.persian) >= 4
        {
            "fa"
        } else if percent(self.urdu + self.persian) >= 1 && self.all >= SHORT {
            // A few foreign letters: names in Arabic, or Persian typed on an Arabic keyboard.
            statistical(title, text).filter(|code| matches!(*code, "fa" | "ur")).unwrap_or("ar")
        } else {
            "ar"
        }
    }
}

/// The language of a declaration: `ar` of `ar-SA`, `ar_EG` and `ara`.
fn primary(declared: &str) -> Option<String> {
    let code = declared.trim().split(['-', '_']).next()?.to_ascii_lowercase();
    let code = match code.as_str() {
        "ara" | "arabic" => "ar",
        "fas" | "per" | "pes" => "fa",
        "urd" => "ur",
        "eng" => "en",
        "fra" | "fre" => "fr",
        "rus" => "ru",
        "ku" => "ckb",
        other => other,
    };
    ((2..=3).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_lowercase())).then(|| code.to_owned())
}

/// Whether a language is written in a script; languages that are not known here are taken to be Latin.
fn fits(code: &str, script: Script) -> bool {
    match code {
        "ar" | "fa" | "ur" | "ckb" | "ps" | "ug" | "sd" => script == Script::Arabic,
        "ru" | "uk" | "bg" | "be" | "mk" | "ky" | "tg" | "mn" => script == Script::Cyrillic,
        "sr" | "kk" | "uz" | "az" => script != Script::Other,
        "el" | "he" | "zh" | "ja" | "ko" | "hi" | "bn" | "ta" | "te" | "th" | "ka" | "hy" | "am" => {
            script == Script::Other
        }
        _ => script == Script::Latin,
    }
}

/// What the statistics of letters say, where they are sure.
fn statistical(title: &str, text: &str) -> Option<&'static str> {
    let sample: String = title.chars().chain(std::iter::once('\n')).chain(text.chars().take(ENOUGH)).collect();
    let info = whatlang::detect(&sample).filter(whatlang::Info::is_reliable)?;
    Some(two_letters(info.lang()))
}

/// The ISO 639-1 code.
const fn two_letters(lang: Lang) -> &'static str {
    match lang {
        Lang::Ara => "ar",
        Lang::Pes => "fa",
        Lang::Urd => "ur",
        Lang::Eng => "en",
        Lang::Fra => "fr",
        Lang::Spa => "es",
        Lang::Por => "pt",
        Lang::Ita => "it",
        Lang::Deu => "de",
        Lang::Nld => "nl",
        Lang::Tur => "tr",
        Lang::Rus => "ru",
        Lang::Ukr => "uk",
        Lang::Bel => "be",
        Lang::Bul => "bg",
        Lang::Srp => "sr",
        Lang::Mkd => "mk",
        Lang::Pol => "pl",
        Lang::Ces => "cs",
        Lang::Slk => "sk",
        Lang::Slv => "sl",
        Lang::Hrv => "hr",
        Lang::Ron => "ro",
        Lang::Hun => "hu",
        Lang::Ell => "el",
        Lang::Heb => "he",
        Lang::Cmn => "zh",
        Lang::Jpn => "ja",
        Lang::Kor => "ko",
        Lang::Hin => "hi",
        Lang::Ben => "bn",
        Lang::Guj => "gu",
        Lang::Pan => "pa",
        Lang::Tam => "ta",
        Lang::Tel => "te",
        Lang::Kan => "kn",
        Lang::Mal => "ml",
        Lang::Mar => "mr",
        Lang::Nep => "ne",
        Lang::Ori => "or",
        Lang::Sin => "si",
        Lang::Tha => "th",
        Lang::Khm => "km",
        Lang::Mya => "my",
        Lang::Vie => "vi",
        Lang::Ind => "id",
        Lang::Jav => "jv",
        Lang::Tgl => "tl",
        Lang::Swe => "sv",
        Lang::Dan => "da",
        Lang::Nob => "nb",
        Lang::Fin => "fi",
        Lang::Est => "et",
        Lang::Lav => "lv",
        Lang::Lit => "lt",
        Lang::Cat => "ca",
        Lang::Epo => "eo",
        Lang::Lat => "la",
        Lang::Afr => "af",
        Lang::Zul => "zu",
        Lang::Sna => "sn",
        Lang::Aka => "ak",
        Lang::Amh => "am",
        Lang::Hye => "hy",
        Lang::Kat => "ka",
        Lang::Aze => "az",
        Lang::Uzb => "uz",
        Lang::Tuk => "tk",
        Lang::Yid => "yi",
        Lang::Cym => "cy",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_of_texts() {
        let arabic = "أعلنت وزارة الصحة أن الحملة الجديدة ستبدأ في المدن الكبرى خلال الأسبوع المقبل، وأن المراكز جاهزة لاستقبال المواطنين منذ الصباح";
        let persian = "وزیر بهداشت گفت که برنامه تازه از هفته آینده در شهرهای بزرگ آغاز می‌شود و همه مراکز برای پذیرش مردم از صبح آماده هستند و چند گزارش پخش شد";
        let urdu = "وزیر صحت نے کہا ہے کہ نئی مہم اگلے ہفتے بڑے شہروں میں شروع ہوگی اور تمام مراکز صبح سے لوگوں کے لیے تیار ہیں";
        let sorani = "وەزیری تەندروستی ڕایگەیاند کە هەڵمەتە نوێیەکە هەفتەی داهاتوو لە شارە گەورەکان دەست پێ دەکات و هەموو بنکەکان ئامادەن";
        let english = "The ministry of health said on Sunday that the new campaign would begin next week in all the larger cities of the country, and that its centres were ready";
        let french = "Le ministère de la santé a annoncé dimanche que la nouvelle campagne commencerait la semaine prochaine dans toutes les grandes villes du pays";
        let russian = "Министерство здравоохранения сообщило в воскресенье, что новая кампания начнётся на следующей неделе во всех крупных городах страны";
        for (title, text, declared, want) in [
            ("", arabic, None, Some("ar")),
            ("", arabic, Some("en-us"), Some("ar")),
            ("", arabic, Some("fa"), Some("ar")),
            ("زيارة إلى پاريس وچاد", arabic, None, Some("ar")),
            ("", persian, None, Some("fa")),
            ("", persian, Some("ar"), Some("fa")),
            ("", urdu, None, Some("ur")),
            ("", sorani, None, Some("ckb")),
            ("", english, None, Some("en")),
            ("", english, Some("ar"), Some("en")),
            ("", french, None, Some("fr")),
            ("", russian, None, Some("ru")),
            // Too short to tell: what is declared, unless the alphabet contradicts it.
            ("خبر عاجل", "", None, Some("ar")),
            ("خبر عاجل", "", Some("en-US"), Some("ar")),
            ("خبر", "", Some("fa_IR"), Some("fa")),
            ("Breaking", "", Some("en-GB"), Some("en")),
            ("Breaking", "", Some("ar"), None),
            ("", "", Some("AR-sa"), Some("ar")),
            ("2026", "", Some("ara"), Some("ar")),
            ("2026", "!", None, None),
            ("", "", Some("not a language"), None),
        ] {
            assert_eq!(detect(title, text, declared).as_deref(), want, "{title} {text} ({declared:?})");
        }
    }
}
