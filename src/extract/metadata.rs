//! What a page says of itself: title, time, authors, picture, canonical address, language.
//!
//! In: `<meta>`, `<link>`, `<time>`, headings, bylines, printed dates and JSON-LD, as found. Out: the plausible one of
//! each.
//! Promise: pure; what cannot be read is as good as not there. A time in the future or before the web is none; a time
//! without a zone is in the feed's. Nobody is called "admin", and no site's logo is a picture of its articles.

use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use super::furniture::{byline, folded};
use super::html::Reading;
use crate::text::date;

/// What stands in a page, in its order.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// `name`, `property` or `itemprop` in lower case, and `content`.
    pub(super) metas: Vec<(String, String)>,
    /// `<time datetime>`, those of the publication first.
    pub(super) times: Vec<String>,
    pub(super) headings: Vec<String>,
    pub(super) title: Option<String>,
    pub(super) canonical: Option<String>,
    /// `rel="author"`, `itemprop="author"`.
    pub(super) authors: Vec<String>,
    /// What has the class of a byline.
    pub(super) bylines: Vec<String>,
    /// Dates printed by the headline.
    pub(super) date_lines: Vec<String>,
    pub(super) language: Option<String>,
}

/// What was made of it.
#[derive(Debug, Default)]
pub(super) struct Metadata {
    pub(super) title: Option<String>,
    pub(super) published: Option<Timestamp>,
    pub(super) canonical: Option<Url>,
    pub(super) image: Option<Url>,
    pub(super) authors: Vec<String>,
    pub(super) language: Option<String>,
    /// `articleBody` of the JSON-LD, as it stands there.
    pub(super) body: Option<String>,
}

const TIMES: [&str; 15] = [
    "article:published_time",
    "og:published_time",
    "datepublished",
    "article:published",
    "pubdate",
    "publishdate",
    "publish-date",
    "publish_date",
    "parsely-pub-date",
    "sailthru.date",
    "dc.date.issued",
    "dcterms.created",
    "dc.date",
    "date",
    "og:article:published_time",
];

impl Facts {
    fn meta(&self, names: &[&str]) -> impl Iterator<Item = &str> {
        names
            .iter()
            .flat_map(|name| self.metas.iter().filter(move |(key, _)| key == name))
            .map(|(_, value)| value.as_str())
    }
}

/// Reads `facts` and JSON-LD of the page at `base`.
pub(super) fn read(facts: &Facts, json_ld: &[String], base: &Url, reading: &Reading) -> Metadata {
    let articles = articles(json_ld);
    let of = |key: &str| articles.iter().find_map(|article| text_of(article.get(key)?));
    let times = facts.meta(&TIMES).map(str::to_owned).chain(of("datePublished")).chain(facts.times.iter().cloned());
    let times = times.chain(facts.date_lines.iter().cloned());
    let link = |text: String| base.join(text.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let image = facts.meta(&["og:image", "og:image:url", "twitter:image", "twitter:image:src"]).map(str::to_owned);
    let pictures = articles.iter().find_map(|article| address_of(article.get("image")?));
    let canonical = facts.canonical.clone().into_iter().chain(facts.meta(&["og:url"]).map(str::to_owned));
    let language = facts.language.clone().or_else(|| of("inLanguage"));
    Metadata {
        title: title(facts, of("headline")),
        published: times.into_iter().find_map(|text| plausible(&text, reading)),
        // A template that names the front page as everybody's canonical address is wrong.
        canonical: canonical
            .filter_map(link)
            .find(|url| url.path() != "/" || url.query().is_some() || base.path() == "/"),
        image: image.chain(pictures).filter(|text| !text.trim().is_empty()).filter_map(link).find(|url| !is_logo(url)),
        authors: authors(facts, &articles),
        language: language
            .and_then(|tag| language_tag(&tag))
            .or_else(|| facts.meta(&["og:locale"]).find_map(language_tag)),
        body: of("articleBody"),
    }
}

fn title(facts: &Facts, headline: Option<String>) -> Option<String> {
    let shared = facts.meta(&["og:title", "twitter:title"]).map(str::to_owned).find(|title| !title.trim().is_empty());
    let full = shared.clone().or_else(|| facts.title.clone()).unwrap_or_default();
    // The heading that the title begins with is the title without the name of the site.
    let heading =
        facts.headings.iter().find(|heading| heading.chars().count() > 8 && full.starts_with(heading.as_str()));
    let single = || facts.headings.first().filter(|_| facts.headings.len() == 1).cloned();
    heading
        .cloned()
        .or(shared)
        .or(headline)
        .or_else(single)
        .or_else(|| facts.title.clone())
        .map(|title| collapsed(&title))
        .filter(|t| !t.is_empty())
}

fn collapsed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Before 1991 there was no page.
const WEB_BEGINS: i64 = 662_688_000;
/// Clocks and zones differ.
const AHEAD: i64 = 86_400;

/// The time that `text` gives, where it can be believed.
pub(super) fn plausible(text: &str, reading: &Reading) -> Option<Timestamp> {
    let at = date::parse(text, &reading.zone, reading.now)?.at;
    (at.as_second() > WEB_BEGINS && at.as_second() < reading.now.as_second() + AHEAD).then_some(at)
}

fn authors(facts: &Facts, articles: &[Value]) -> Vec<String> {
    let named = articles.iter().filter_map(|article| article.get("author")).flat_map(|author| match author {
        Value::Array(several) => several.iter().filter_map(text_of).collect::<Vec<_>>(),
        one => text_of(one).into_iter().collect(),
    });
    let meta = facts.meta(&["author", "article:author", "dc.creator", "parsely-author"]).map(str::to_owned);
    for list in [named.collect::<Vec<_>>(), meta.collect(), facts.authors.clone(), facts.bylines.clone()] {
        let mut authors: Vec<String> = Vec::new();
        for name in list.iter().filter_map(|name| author(name)) {
            if !authors.contains(&name) {
                authors.push(name);
            }
        }
        if !authors.is_empty() {
            return authors;
        }
    }
    Vec::new()
}

/// Accounts that publish in nobody's name, folded.
const NOBODY: [&str; 14] = [
    "admin",
    "administrator",
    "editor",
    "root",
    "user",
    "webmaster",
    "author",
    "super user",
    "wpadmin",
    "ادمن",
    "المدير",
    "المحرر",
    "مدير الموقع",
    "الكاتب",
];

/// A name as published, without the words before it; `None` for what names nobody.
pub(super) fn author(name: &str) -> Option<String> {
    let name = collapsed(&byline(name).unwrap_or_else(|| name.to_owned()));
    let name = match name.split_once(' ') {
        Some((first, rest)) if ["by", "كتبه"].contains(&folded(first).as_str()) => rest.to_owned(),
        _ => name,
    };
    let folded = folded(&name);
    // `admin`, `admin2`.
    let account = folded.strip_prefix("admin").is_some_and(|rest| !rest.chars().any(char::is_alphabetic));
    let nobody = account || NOBODY.contains(&folded.as_str());
    let letters = name.chars().any(char::is_alphabetic);
    (letters && !nobody && name.chars().count() <= 100 && !name.contains("://")).then_some(name)
}

/// Whether a picture is the site's own: its logo, or what stands for a missing one.
fn is_logo(url: &Url) -> bool {
    const NAMES: [&str; 7] =
        ["logo", "favicon", "placeholder", "no-image", "noimage", "default-image", "default_image"];
    let name = url.path_segments().and_then(|mut segments| segments.next_back().map(str::to_ascii_lowercase));
    let name = name.unwrap_or_default();
    name.ends_with(".svg")
        || name.ends_with(".ico")
        || NAMES.iter().any(|known| name.split(['.', '?']).next().is_some_and(|stem| is_word(stem, known)))
}

/// Whether `name` has `word` in it by itself: `site-logo`, and not `logos-of-clubs` or `logopedia`.
fn is_word(name: &str, word: &str) -> bool {
    name.match_indices(word).any(|(at, found)| {
        let around = [
            name.get(..at).and_then(|b| b.chars().next_back()),
            name.get(at + found.len()..).and_then(|a| a.chars().next()),
        ];
        around.iter().all(|c| c.is_none_or(|c| !c.is_ascii_lowercase()))
    })
}

/// `ar_AR` and `AR` to `ar-ar` and `ar`.
fn language_tag(tag: &str) -> Option<String> {
    let tag = tag.trim().replace('_', "-").to_ascii_lowercase();
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let primary = tag.split('-').next().unwrap_or_default();
    ((2..=3).contains(&primary.len()) && tag.len() <= 35 && tag.chars().all(fits)).then_some(tag)
}

/// The objects of the JSON-LD that are articles.
fn articles(json_ld: &[String]) -> Vec<Value> {
    let mut found = Vec::new();
    for script in json_ld {
        let text = script.trim().trim_start_matches("<!--").trim_end_matches("-->").trim().trim_end_matches(';');
        // Templates print line breaks into strings, where JSON has none.
        let parsed =
            serde_json::from_str(text).or_else(|_| serde_json::from_str(&text.replace(|c: char| c.is_control(), " ")));
        let Ok(value) = parsed else { continue };
        let mut left: Vec<Value> = vec![value];
        while let Some(value) = left.pop() {
            match value {
                Value::Array(values) => left.extend(values.into_iter().rev()),
                Value::Object(mut object) => {
                    if let Some(graph) = object.remove("@graph") {
                        left.push(graph);
                    }
                    if let Some(main) = object.get("mainEntity").filter(|_| !is_article(object.get("@type"))) {
                        left.push(main.clone());
                    }
                    if is_article(object.get("@type")) {
                        found.push(Value::Object(object));
                    }
                }
                _ => {}
            }
        }
    }
    found
}

fn is_article(kind: Option<&Value>) -> bool {
    let named = |name: &str| name.ends_with("Article") || name.ends_with("BlogPosting") || name == "Report";
    match kind {
        Some(Value::String(name)) => named(name),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).any(named),
        _ => false,
    }
}

/// A text, or the `name`, `url` or `@value` of an object, or the first of several.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()).filter(|text| !text.trim().is_empty()),
        Value::Array(values) => values.iter().find_map(text_of),
        Value::Object(object) => {
            ["name", "url", "@value"].iter().find_map(|key| object.get(*key)?.as_str().map(str::to_owned))
        }
        _ => None,
    }
}

/// Where a picture is: a text, or the `url` or `contentUrl` of an object, or the first of several.
fn address_of(value: &Value) -> Option<String> {
    match value {
        Value::Array(values) => values.iter().find_map(address_of),
        Value::Object(object) => {
            ["url", "contentUrl", "@id"].iter().find_map(|key| object.get(*key)?.as_str().map(str::to_owned))
        }
        other => other.as_str().map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Url {
        "https://news.example/a/1".parse().unwrap()
    }

    #[test]
    fn json_ld_is_found_wherever_it_stands() {
        for script in [
            r#"{"@type":"NewsArticle","headline":"عنوان الخبر","author":{"name":"ليلى"}}"#,
            r#"[{"@type":"WebSite"},{"@type":["Thing","Article"],"headline":"عنوان الخبر","author":["ليلى"]}]"#,
            r#"{"@graph":[{"@type":"ReportageNewsArticle","headline":"عنوان الخبر","author":[{"name":"ليلى"}]}]}"#,
            r#"{"@type":"WebPage","mainEntity":{"@type":"Article","headline":"عنوان الخبر","author":"ليلى"}}"#,
            "<!-- {\"@type\":\"NewsArticle\",\"headline\":\"عنوان\nالخبر\",\"author\":\"ليلى\"} -->",
        ] {
            let read =
                read(&Facts::default(), &["{".into(), script.into()], &base(), &Reading::new(Timestamp::UNIX_EPOCH));
            assert_eq!(read.title.as_deref(), Some("عنوان الخبر"), "{script}");
            assert_eq!(read.authors, ["ليلى"], "{script}");
        }
    }

    #[test]
    fn the_title_loses_the_name_of_the_site_where_a_heading_shows_it() {
        let mut facts =
            Facts { title: Some("افتتاح المعرض السنوي | موقع".into()), ..Facts::default() };
        let title = |facts: &Facts| read(facts, &[], &base(), &Reading::new(Timestamp::UNIX_EPOCH)).title.unwrap();
        assert_eq!(title(&facts), "افتتاح المعرض السنوي | موقع");
        facts.headings = vec!["الرئيسية".into(), "افتتاح المعرض السنوي".into()];
        assert_eq!(title(&facts), "افتتاح المعرض السنوي");
    }

    #[test]
    fn addresses_and_tags_are_made_whole() {
        let meta = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let facts = Facts {
            metas: vec![
                meta("og:image", "/i.jpg"),
                meta("og:url", "https://news.example/a/1"),
                meta("og:locale", "ar_EG"),
            ],
            canonical: Some("/".into()),
            ..Facts::default()
        };
        let read = read(&facts, &[], &base(), &Reading::new(Timestamp::UNIX_EPOCH));
        assert_eq!(read.image.unwrap().as_str(), "https://news.example/i.jpg");
        assert_eq!(read.canonical.unwrap().as_str(), "https://news.example/a/1");
        assert_eq!(read.language.as_deref(), Some("ar-eg"));
        assert_eq!(language_tag("عربي"), None);
    }
}
