//! The sample sources of `rasid demo`: a small invented press, served by the binary itself on loopback.
//!
//! In: the address it is served under, and the time. Out: [`Site`], the documents and the `feeds.toml` that polls them.
//! Promise: deterministic; every story is ours; what each entry must become is told by [`expectations`].
//! Not here: serving the files ([`crate::serve`]), the demo itself ([`super::demo`]).

mod change;
mod render;
mod stories;

use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::{SignedDuration, Timestamp};

use self::change::Change;
use self::render::{Format, Piece};
use self::stories::{Story, stories};

/// A document of the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// As sent, with a charset where the source would name one.
    pub content_type: &'static str,
    /// As sent.
    pub body: Vec<u8>,
}

/// Everything that is served, by path.
#[derive(Clone, Debug)]
pub struct Site {
    /// The `feeds.toml` that polls it.
    pub feeds: String,
    /// Documents by path, `/` first.
    pub files: BTreeMap<String, File>,
}

/// What must become of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Its feed.
    pub feed: &'static str,
    /// The path of its page.
    pub path: String,
    /// The story it tells: entries of one story are copies of one another, entries of two are not.
    pub story: &'static str,
    /// Topics it must match.
    pub topics: Vec<&'static str>,
    /// Topics it must not match.
    pub not: Vec<&'static str>,
}

/// An outlet: how it publishes, and what. `(story, minutes ago, change, headline)`; without a headline the story's own.
struct Outlet {
    id: &'static str,
    title: &'static str,
    format: Format,
    pieces: &'static [(&'static str, u16, Change, &'static str)],
}

use Change::{AsIs, Boilerplate, Cut, Reorder, Spelling};

const OUTLETS: [Outlet; 8] = [
    Outlet {
        id: "almadar",
        title: "وكالة المدار",
        format: Format::RssFull,
        pieces: &[
            ("museum", 1_900, AsIs, ""),
            ("csto-session", 1_500, AsIs, ""),
            ("kz-gas-price", 1_480, AsIs, ""),
            ("weather-one", 1_400, AsIs, ""),
            ("kz-government-resigns", 1_300, AsIs, ""),
            ("telegram-one", 1_200, AsIs, ""),
            ("csto-name-quotes", 1_100, AsIs, ""),
            ("kz-russia-sends", 1_000, AsIs, ""),
            ("oil-cut", 900, AsIs, ""),
            ("sudan-flood", 800, AsIs, ""),
            ("csto-armenia-chair", 700, AsIs, ""),
            ("match-one", 600, AsIs, ""),
        ],
    },
    Outlet {
        id: "almarfa",
        title: "صحيفة المرفأ",
        format: Format::RssSummary,
        pieces: &[
            ("csto-first-planes", 1_450, AsIs, ""),
            ("kz-city-hall", 1_250, AsIs, ""),
            ("csto-session", 1_240, AsIs, "الحلفاء يجتمعون عن بعد ويقرون إرسال قوة مشتركة"),
            ("kz-shoot-order", 1_050, AsIs, ""),
            ("trap-astana-syria", 950, AsIs, ""),
            ("central-bank", 850, AsIs, ""),
            ("oil-cut", 700, Cut(3), "برنت يقفز بعد اتفاق المنتجين"),
            ("kz-internet", 650, AsIs, ""),
            ("gaza-crossing", 500, AsIs, ""),
            ("csto-misnamed", 300, AsIs, ""),
        ],
    },
    Outlet {
        id: "alhadaba",
        title: "شبكة الهضبة",
        format: Format::Atom,
        pieces: &[
            ("csto-arabic-letters", 1_350, AsIs, ""),
            ("kz-government-resigns", 1_150, Reorder, "حظر للتجول في ألماتي وحكومة جديدة مؤقتة"),
            ("weather-two", 1_000, AsIs, ""),
            ("trap-fc-astana", 900, AsIs, ""),
            ("kz-security-chief", 820, AsIs, ""),
            ("kz-russia-sends", 810, Boilerplate, "مظليون روس يصلون إلى مطار ألماتي"),
            ("csto-name-quotes", 620, Spelling, "تعرّف إلى الحلف الذي يجمع ست دول"),
            ("kz-funeral", 400, AsIs, ""),
            ("marathon", 350, AsIs, ""),
            ("csto-kyrgyz-debate", 200, AsIs, ""),
        ],
    },
    Outlet {
        id: "alqandil",
        title: "مجلة القنديل",
        format: Format::Rdf1256,
        pieces: &[
            ("telegram-two", 1_420, AsIs, ""),
            ("csto-belarus-vote", 1_180, AsIs, ""),
            ("kz-city-hall", 1_020, Boilerplate, "النار تلتهم مبنى البلدية في كبرى مدن البلاد"),
            ("trap-medical", 870, AsIs, ""),
            ("sudan-flood", 560, Cut(3), "قرى سودانية تحت الماء"),
            ("kz-putin-spelling", 450, AsIs, ""),
            ("hospital", 330, AsIs, ""),
            ("csto-withdrawal", 150, AsIs, ""),
        ],
    },
    Outlet {
        id: "alnakhil",
        title: "بوابة النخيل",
        format: Format::RssMislabelled1256,
        pieces: &[
            ("kz-gas-price", 1_320, Spelling, "غلاء الوقود يشعل الشارع غربي البلاد"),
            ("water-drones", 1_090, AsIs, ""),
            ("kz-students", 740, AsIs, ""),
            ("match-two", 550, AsIs, ""),
            ("kz-economy-plan", 420, AsIs, ""),
            ("syria-return", 310, AsIs, ""),
            ("csto-withdrawal", 60, AsIs, "القوة المشتركة تحزم أمتعتها وتسلم مواقعها"),
        ],
    },
    Outlet {
        id: "alwadi",
        title: "راديو الوادي",
        format: Format::JsonFeed,
        pieces: &[
            ("kz-flash", 1_280, AsIs, ""),
            ("csto-first-planes", 1_260, AsIs, "جسر جوي ينقل المظليين والمدرعات"),
            ("flash-quake", 1_010, AsIs, ""),
            ("kz-shoot-order", 860, Reorder, "خطاب متلفز يثير قلق الحقوقيين"),
            ("trap-un-security", 770, AsIs, ""),
            ("ukraine-grain", 640, AsIs, ""),
            ("flash-strike", 530, AsIs, ""),
            ("gaza-crossing", 380, Boilerplate, "شاحنات دواء تصل إلى مستشفيات القطاع"),
            ("bread-subsidy", 240, AsIs, ""),
            ("csto-odkb-drill", 120, AsIs, ""),
        ],
    },
    Outlet {
        id: "almaraya",
        title: "جريدة المرايا",
        format: Format::Sitemap,
        pieces: &[
            ("satellite", 1_220, AsIs, ""),
            ("central-bank", 730, AsIs, "نصف نقطة زيادة في سعر الفائدة"),
            ("kz-security-chief", 610, AsIs, "توقيف الرجل القوي في جهاز الأمن"),
            ("kz-internet", 520, AsIs, ""),
            ("book-fair", 280, AsIs, ""),
            ("hospital", 190, Reorder, "قلب مفتوح على بعد مئات الكيلومترات"),
            ("csto-misnamed", 90, Boilerplate, "هل يملك الحلف ما يعالج به أسباب الغضب؟"),
        ],
    },
    Outlet {
        id: "sanabil",
        title: "موقع السنابل",
        format: Format::Listing,
        pieces: &[
            ("school-bus", 1_130, AsIs, ""),
            ("csto-armenia-chair", 480, Cut(4), "يريفان تطلب تعريفا واضحا للعدوان"),
            ("ukraine-grain", 440, Boilerplate, "ممر آمن للذرة في البحر الأسود"),
            ("kz-economy-plan", 220, Spelling, "أثرياء العهد السابق مدعوون إلى الدفع"),
            ("syria-return", 110, AsIs, ""),
            ("kz-flash", 100, AsIs, "قوات حفظ السلام تصل إلى كازاخستان"),
        ],
    },
];

/// The feed that answers with a login page, as broken feeds do.
pub const BROKEN: &str = "almanarah";

/// How many sources there are, the broken one included.
pub const SOURCES: usize = OUTLETS.len() + 1;

/// The whole site under `base` (`http://127.0.0.1:1234`, no slash at the end), as it stands at `now`.
pub fn site(base: &str, now: Timestamp) -> Site {
    let stories = stories();
    let mut feeds = String::from("# Written by `rasid demo` for its sample sources.\n[defaults]\nlanguage = \"ar\"\n");
    let mut files = BTreeMap::new();
    for outlet in &OUTLETS {
        let pieces: Vec<Piece> =
            outlet.pieces.iter().filter_map(|row| piece(base, outlet, row, &stories, now)).collect();
        feeds.push_str(&render::feed_toml(base, outlet.id, outlet.title, outlet.format));
        files.insert(
            format!("/{}/feed", outlet.id),
            render::document(base, outlet.id, outlet.title, outlet.format, &pieces),
        );
        for piece in &pieces {
            files.insert(piece.path.clone(), render::page(outlet.id, outlet.title, piece, &pieces));
        }
    }
    let _infallible =
        write!(feeds, "\n[[feed]]\nid = \"{BROKEN}\"\ntitle = \"المنارة (معطل)\"\nurl = \"{base}/{BROKEN}/feed\"\n");
    files.insert(format!("/{BROKEN}/feed"), render::login_page());
    Site { feeds, files }
}

fn piece(
    base: &str,
    outlet: &Outlet,
    (story, minutes, change, headline): &(&'static str, u16, Change, &'static str),
    stories: &BTreeMap<&'static str, Story>,
    now: Timestamp,
) -> Option<Piece> {
    let story_text = stories.get(story)?;
    let title = if headline.is_empty() { story_text.title } else { headline };
    let paragraphs = change.apply(outlet.title, &story_text.paragraphs);
    let path = path_of(outlet.id, story);
    let published = now.checked_sub(SignedDuration::from_mins(i64::from(*minutes))).unwrap_or(now);
    Some(Piece { url: format!("{base}{path}"), path, title: title.to_owned(), paragraphs, published })
}

fn path_of(outlet: &str, story: &str) -> String {
    format!("/{outlet}/{story}.html")
}

/// What every entry of the site must become.
pub fn expectations() -> Vec<Expected> {
    let stories = stories();
    let rows = OUTLETS.iter().flat_map(|outlet| outlet.pieces.iter().map(move |row| (outlet, row.0)));
    rows.filter_map(|(outlet, story)| {
        let told = stories.get(story)?;
        let path = path_of(outlet.id, story);
        Some(Expected { feed: outlet.id, path, story, topics: told.topics.clone(), not: told.not.clone() })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2022-01-13T10:00:00Z".parse().unwrap()
    }

    #[test]
    fn every_story_named_is_there_and_every_story_is_told() {
        let stories = stories();
        let told: std::collections::BTreeSet<&str> = OUTLETS.iter().flat_map(|o| o.pieces).map(|row| row.0).collect();
        let known: std::collections::BTreeSet<&str> = stories.keys().copied().collect();
        assert_eq!(told, known);
    }

    #[test]
    fn the_site_is_as_large_as_promised_and_always_the_same() {
        let expected = expectations();
        assert!(expected.len() >= 60, "{}", expected.len());
        let copies = expected.len() - stories().len();
        assert!(copies >= 12, "{copies}");
        let site = site("http://127.0.0.1:1", now());
        assert_eq!(site.files, super::site("http://127.0.0.1:1", now()).files);
        assert_eq!(site.files.len(), expected.len() + SOURCES);
        let paths: std::collections::BTreeSet<&str> = expected.iter().map(|e| e.path.as_str()).collect();
        assert_eq!(paths.len(), expected.len(), "an outlet tells each story once");
    }

    #[test]
    fn the_windows_1256_sources_are_not_utf_8() {
        let site = site("http://127.0.0.1:1", now());
        for feed in ["alqandil", "alnakhil"] {
            assert!(std::str::from_utf8(&site.files[&format!("/{feed}/feed")].body).is_err(), "{feed}");
        }
    }
}
