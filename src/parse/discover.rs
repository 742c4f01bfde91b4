//! A web page to the places where its feeds may be, and what was read there to a rank.
//!
//! In: a page's text and address, a `robots.txt`, or an address alone. Out: [`Candidate`] values, the likeliest first, and
//! the [`Merit`] of a document that was read.
//! Promise: pure and lenient, however damaged the page; every candidate is an address of the web, and none comes twice.
//! Not here: asking for them, and how many ([`crate::pipeline::discover`]).

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use url::Url;

use super::markup::{Token, Tokens};
use super::{Entry, Parsed, address, entities};

/// How a candidate came to be one; the likelier before the less likely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Found {
    /// It is the address that was asked about.
    Itself,
    /// `<link rel="alternate">` with the type of a feed.
    LinkTag,
    /// `<a href>` whose address or words are those of a feed.
    Anchor,
    /// A `Sitemap:` line of `robots.txt`.
    Robots,
    /// Where much software puts it.
    WellKnown,
}

impl Found {
    /// For people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Itself => "the address itself",
            Self::LinkTag => "link tag",
            Self::Anchor => "link on the page",
            Self::Robots => "robots.txt",
            Self::WellKnown => "well-known path",
        }
    }
}

/// A place where a feed may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Where.
    pub url: Url,
    /// Why it is thought so.
    pub found: Found,
    /// What the page calls it.
    pub title: Option<String>,
}

/// The types that a link tag gives to feeds.
const TYPES: [&str; 9] = [
    "application/rss+xml",
    "application/atom+xml",
    "application/feed+json",
    "application/rdf+xml",
    "application/x-rss+xml",
    "application/xml+rss",
    "application/json",
    "application/xml",
    "text/xml",
];

/// The most links of one page that are looked at, and the longest words that name a feed, in characters.
const MAX_LINKS: usize = 20_000;
const MAX_NAME: usize = 60;

/// Words of Arabic links to feeds, in the spelling of [`plain`].
const ARABIC_WORDS: [&str; 8] = ["خلاصات", "خلاصه", "خلاصة", "ار اس اس", "ار.اس.اس", "اراس اس", "ملقمات", "تلقيمات"];

/// What is asked for below a page's own directory, and below the root. Blogger, WordPress, Hugo and what people write.
const BELOW_PAGE: [&str; 4] = ["feed", "rss.xml", "rss", "feed.xml"];
const BELOW_ROOT: [&str; 11] = [
    "feed",
    "rss",
    "rss.xml",
    "feed.xml",
    "atom.xml",
    "index.xml",
    "feeds/posts/default",
    "?feed=rss2",
    "feed.json",
    "ar/rss",
    "rss/ar",
];
const SITEMAPS: [&str; 3] = ["sitemap-news.xml", "news-sitemap.xml", "sitemap.xml"];

/// The candidates that a page names: its link tags in their order, then the links that look like feeds.
pub fn on_page(text: &str, url: &Url) -> Vec<Candidate> {
    let links = Links::of(text);
    // What the page says of its own place holds for its links only; a base that cannot be one is none.
    let base = links.base.and_then(|base| address(&base, url)).unwrap_or_else(|| url.clone());
    let mut found = Vec::new();
    for (href, title) in links.tags {
        found.extend(web(&href, &base).map(|url| Candidate { url, found: Found::LinkTag, title: named(&title) }));
    }
    for (href, words) in links.anchors {
        let Some(target) = web(&href, &base) else { continue };
        if same_site(url, &target) && !is_other_file(&target) && (names_feed(&target) || speaks_of_feeds(&words)) {
            found.push(Candidate { url: target, found: Found::Anchor, title: named(&words) });
        }
    }
    let mut seen = HashSet::new();
    let own = without_fragment(url);
    found.retain(|candidate| {
        let key = without_fragment(&candidate.url);
        key != own && seen.insert(key)
    });
    found
}

/// Where feeds stand at many sites: below the directory of `url`, then below the root.
pub fn well_known(url: &Url) -> Vec<Url> {
    let mut directory = url.clone();
    directory.set_query(None);
    directory.set_fragment(None);
    // A last segment with a dot is a file; one without is taken for a section: `/arabic`.
    let last = directory.path_segments().and_then(|mut segments| segments.next_back()).unwrap_or_default();
    if !last.is_empty() && !last.contains('.') {
        let path = format!("{}/", directory.path());
        directory.set_path(&path);
    }
    let below = directory.join(".").ok().filter(|directory| directory.path() != "/");
    let of_page = below.iter().flat_map(|below| BELOW_PAGE.iter().filter_map(|path| below.join(path).ok()));
    of_page.chain(below_root(url, &BELOW_ROOT)).collect()
}

/// Where sitemaps stand at many sites, those of news first.
pub fn sitemaps(url: &Url) -> Vec<Url> {
    below_root(url, &SITEMAPS).collect()
}

/// The sitemaps that a `robots.txt` names, those of news first.
pub fn in_robots(text: &str, url: &Url) -> Vec<Url> {
    let mut seen = HashSet::new();
    let mut named: Vec<Url> = text
        .trim_start_matches('\u{feff}')
        .lines()
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("sitemap"))
        .filter_map(|(_, value)| address(value.split_whitespace().next()?, url))
        .filter(|url| seen.insert(url.clone()))
        .collect();
    named.sort_by_key(|url| !url.path().to_ascii_lowercase().contains("news"));
    named
}

/// The address of `robots.txt` for `url`.
pub fn robots(url: &Url) -> Option<Url> {
    below_root(url, &["robots.txt"]).next()
}

/// What a person or a page writes for an address: `feed:` is no scheme of its own.
pub fn web(written: &str, base: &Url) -> Option<Url> {
    let written = written.trim();
    match written.get(..5).filter(|start| start.eq_ignore_ascii_case("feed:")) {
        None => address(written, base),
        Some(_) => {
            let rest = written.get(5..).unwrap_or_default();
            if rest.starts_with("//") { address(&format!("http:{rest}"), base) } else { address(rest, base) }
        }
    }
}

fn below_root(url: &Url, paths: &'static [&str]) -> impl Iterator<Item = Url> {
    let root = url.join("/").ok();
    paths.iter().filter_map(move |path| root.as_ref()?.join(path).ok())
}

/// How good a source a document is: compared field by field, the greater is the better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Merit {
    /// Not what readers say below the news.
    news: bool,
    /// 3 a feed with entries, 2 a sitemap with some, 1 a feed without, 0 neither.
    kind: u8,
    /// Whether something came within [`FRESH`].
    fresh: bool,
    /// Entries with a date and (in a feed) with text, [`ENOUGH`] at most: a feed that shows more of its past is no better.
    whole: usize,
    newest: Option<Timestamp>,
}

const FRESH: SignedDuration = SignedDuration::from_hours(30 * 24);
const ENOUGH: usize = 10;

/// The merit of what was read at `url`, which a page called `title`.
pub fn merit(parsed: &Parsed, url: &Url, title: Option<&str>, now: Timestamp) -> Merit {
    let sitemap = is_sitemap(parsed);
    let any = !parsed.entries.is_empty() || !parsed.more.is_empty();
    let newest = newest(parsed, now);
    let whole = |entry: &&Entry| {
        let text = sitemap || !entry.summary_html.is_empty() || !entry.content_html.is_empty();
        entry.published.is_some() && text
    };
    Merit {
        news: !is_comments(url, title) && !is_comments(url, parsed.title.as_deref()),
        kind: match (any, sitemap) {
            (true, false) => 3,
            (true, true) => 2,
            (false, sitemap) => u8::from(!sitemap),
        },
        fresh: newest.is_some_and(|newest| now.duration_since(newest) < FRESH),
        whole: parsed.entries.iter().filter(whole).count().min(ENOUGH),
        newest,
    }
}

impl Merit {
    /// Whether anybody who looks for news would want it: a feed with entries, and not one of comments.
    pub const fn is_good(self) -> bool {
        self.news && self.kind == 3
    }

    /// Whether it holds what readers say, not news.
    pub const fn is_comments(self) -> bool {
        !self.news
    }
}

/// Whether a document is a sitemap, or an index of some.
pub fn is_sitemap(parsed: &Parsed) -> bool {
    parsed.format.starts_with("sitemap")
}

/// The newest time of publication that is not in the future.
pub fn newest(parsed: &Parsed, now: Timestamp) -> Option<Timestamp> {
    parsed.entries.iter().filter_map(|entry| entry.published).filter(|at| *at <= now).max()
}

/// Whether two documents show the same entries, whatever their format: a site's RSS and its Atom.
pub fn same_entries(a: &Parsed, b: &Parsed) -> bool {
    let addresses = |parsed: &Parsed| -> HashSet<Url> {
        parsed.entries.iter().filter_map(|entry| entry.url.as_ref().map(without_fragment)).collect()
    };
    let (a, b) = (addresses(a), addresses(b));
    !a.is_empty() && a == b
}

/// Whether an address or a title is that of the readers' comments.
fn is_comments(url: &Url, title: Option<&str>) -> bool {
    let place = format!("{}?{}", url.path(), url.query().unwrap_or_default()).to_ascii_lowercase();
    let title = title.unwrap_or_default().to_lowercase();
    let word = |word: &str| place.split(|c: char| !c.is_ascii_alphanumeric()).any(|piece| piece == word);
    word("comments")
        || title.starts_with("comments ")
        || title.ends_with("comments feed")
        || ["خلاصة التعليقات", "تعليقات على", "التعليقات على"].iter().any(|words| title.contains(words))
}

/// The links of a page as written.
#[derive(Default)]
struct Links {
    base: Option<String>,
    /// Address and title.
    tags: Vec<(String, String)>,
    /// Address, and everything that names the link.
    anchors: Vec<(String, String)>,
}

impl Links {
    fn of(text: &str) -> Self {
        let mut links = Self::default();
        // What stands in a script is no markup.
        let mut within: Option<&str> = None;
        let mut open = false;
        for token in Tokens::of(text) {
            match token {
                Token::End(name) => {
                    within = within.filter(|script| !name.eq_ignore_ascii_case(script));
                    open &= !name.eq_ignore_ascii_case("a");
                }
                _ if within.is_some() => {}
                Token::Start { name, attributes, empty } => {
                    let of = |wanted: &str| {
                        let found = attributes.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
                        found.map(|(_, value)| value.trim()).unwrap_or_default()
                    };
                    match name.to_ascii_lowercase().as_str() {
                        "script" | "style" if !empty => within = Some(name),
                        "base" if links.base.is_none() && !of("href").is_empty() => {
                            links.base = Some(of("href").to_owned());
                        }
                        "link" if names_alternate(of("rel"), of("type")) && !is_interface(of("href")) => {
                            links.tags.push((of("href").to_owned(), of("title").to_owned()));
                        }
                        "a" | "area" if links.anchors.len() < MAX_LINKS => {
                            open = !of("href").is_empty();
                            if open {
                                let words = [of("title"), of("aria-label"), of("type")].join(" ");
                                links.anchors.push((of("href").to_owned(), words));
                            }
                        }
                        // A picture or an icon in place of words: `alt="RSS"`, `class="fa fa-rss"`.
                        _ if open => links.speak(&[of("alt"), of("title"), of("class")].join(" ")),
                        _ => {}
                    }
                }
                Token::Text(words) if open => links.speak(&words),
                Token::Text(_) | Token::Raw(_) => {}
            }
        }
        links
    }

    /// More words of the link that is open.
    fn speak(&mut self, words: &str) {
        let Some((_, said)) = self.anchors.last_mut() else { return };
        // Long enough to see that it is too long for a name.
        if said.len() <= 8 * MAX_NAME {
            said.push(' ');
            said.extend(words.chars().take(2 * MAX_NAME));
        }
    }
}

fn names_alternate(rel: &str, kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let rel = rel.to_ascii_lowercase();
    let mut words = rel.split_whitespace();
    TYPES.contains(&kind.as_str()) && words.any(|word| word == "alternate" || word == "feed")
}

/// WordPress names the programmers' interface of a page as if it were a feed.
fn is_interface(href: &str) -> bool {
    href.contains("/wp-json/") || href.contains("rest_route=")
}

fn named(words: &str) -> Option<String> {
    Some(entities::collapse(words)).filter(|words| !words.is_empty())
}

/// Whether an address has the words of a feed's: `/rss.xml`, `/feed/`, `?format=atom`, `feeds.example.com`.
fn names_feed(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let label = host.split('.').next().unwrap_or_default();
    let mut place = format!("{}?{}", url.path(), url.query().unwrap_or_default());
    place.make_ascii_lowercase();
    let mut words = place.split(|c: char| !c.is_ascii_alphanumeric());
    matches!(label, "rss" | "feed" | "feeds")
        || words
            .any(|word| word.starts_with("rss") || matches!(word, "feed" | "feeds" | "mrss" | "atom" | "rdf" | "xml"))
}

/// Whether the words of a link are those of a link to a feed.
fn speaks_of_feeds(words: &str) -> bool {
    let words = plain(&entities::collapse(words));
    if words.chars().count() > MAX_NAME {
        return false;
    }
    let mut latin = words.split(|c: char| !c.is_ascii_alphanumeric());
    latin.any(|word| matches!(word, "rss" | "atom" | "feed" | "feeds"))
        || ARABIC_WORDS.iter().any(|known| words.split(known).count() > 1 && words.chars().count() <= MAX_NAME / 2)
}

/// Small letters, and one alef.
fn plain(text: &str) -> String {
    let folded = text.chars().filter(|c| !matches!(c, '\u{640}' | '\u{64b}'..='\u{652}'));
    folded.map(|c| if matches!(c, 'أ' | 'إ' | 'آ') { 'ا' } else { c.to_ascii_lowercase() }).collect()
}

/// Whether an address ends like a picture, a sound or a script.
fn is_other_file(url: &Url) -> bool {
    const ENDS: [&str; 14] =
        ["jpg", "jpeg", "png", "gif", "svg", "webp", "ico", "css", "js", "pdf", "mp3", "mp4", "zip", "apk"];
    let end = url.path().rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase()).unwrap_or_default();
    ENDS.contains(&end.as_str())
}

/// Services that publish feeds for others.
const SERVICES: [&str; 4] = ["feedburner.com", "feedburner.google.com", "feedpress.me", "feedblitz.com"];

/// Whether `target` belongs to the publisher of `page`, as far as names tell: an icon of RSS that leads elsewhere is an
/// advertisement.
fn same_site(page: &Url, target: &Url) -> bool {
    let (Some(page), Some(target)) = (page.host_str(), target.host_str()) else { return false };
    let below =
        |host: &str, name: &str| host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    let trunk = |host: &str| {
        let labels: Vec<&str> = host.rsplit('.').collect();
        // `com.sa` and `co.uk` are not a publisher's: their second label is short.
        let own = labels.get(1).map_or(1, |second| if second.len() <= 3 { 3 } else { 2 });
        labels.into_iter().take(own).rev().collect::<Vec<_>>().join(".")
    };
    let named = page.contains('.') && !page.ends_with(|c: char| c.is_ascii_digit());
    page == target
        || below(target, page)
        || below(page, target)
        || named && below(target, &trunk(page))
        || SERVICES.iter().any(|service| below(target, service))
}

fn without_fragment(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_fragment(None);
    url
}

#[cfg(test)]
#[path = "discover_tests.rs"]
mod tests;
