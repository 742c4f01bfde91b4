//! An id for a new feed that nobody has yet.
//!
//! In: a name, an address, the ids that are taken. Out: a [`FeedId`] a person could have chosen.
//! Promise: pure; the same feed among the same others gets the same id.

use std::collections::HashSet;

use url::{Host, Url};

use crate::id::{FeedId, MAX_NAME};

/// First labels of host names that say nothing of the publisher.
const GENERIC: [&str; 13] =
    ["www", "www2", "m", "ar", "arabic", "feed", "feeds", "rss", "rdf", "news", "api", "mobile", "amp"];

/// Second-level names under which countries register publishers: `co.uk`, `com.sa`.
const SHARED: [&str; 8] = ["co", "com", "net", "org", "gov", "edu", "ac", "info"];

/// Words of an address that say nothing of its section.
const SAYING_NOTHING: [&str; 19] = [
    "rss", "rss2", "feed", "feeds", "rdf", "atom", "xml", "index", "php", "aspx", "html", "json", "arabic", "ar",
    "news", "default", "all", "sitemap", "map",
];

/// The longest name that is taken as it is, in characters: a sentence is no id.
const MAX_OWN: usize = 32;

/// The name itself where it is short and in Latin letters, else the publisher's part of the host name; where that is
/// taken, with a word of the path behind it; where that is taken too, with a number.
pub(super) fn suggest(name: Option<&str>, url: &Url, taken: &HashSet<String>) -> Option<FeedId> {
    let host = match url.host() {
        Some(Host::Domain(host)) => publisher(host),
        Some(address) => address.to_string(),
        None => String::new(),
    };
    let own = name.filter(|name| is_latin(name)).map(slug).filter(|own| own.len() > 1 && own.len() <= MAX_OWN);
    let stem = own.unwrap_or_else(|| slug(&host));
    let stem = if stem.is_empty() { "feed".to_owned() } else { stem };
    let section = section(url).map(|section| format!("{stem}-{section}")).filter(|id| id.len() <= MAX_NAME);
    // One more number than there are ids, so one is free.
    let numbered = (2..=taken.len() + 2).map(|n| format!("{stem}-{n}"));
    let free = std::iter::once(stem.clone()).chain(section).chain(numbered).filter(|id| !taken.contains(id));
    free.filter_map(|id| id.parse().ok()).next()
}

/// Small letters, digits, and single hyphens for all else; with room for a number.
fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.ends_with('-') || text.starts_with("xn--") {
            out.push('-');
        }
    }
    out.truncate(MAX_NAME - 8);
    out.trim_matches('-').to_owned()
}

fn is_latin(name: &str) -> bool {
    name.chars().filter(|c| c.is_alphanumeric()).all(|c| c.is_ascii())
}

/// `business` of `/arabic/business/rss.xml`.
fn section(url: &Url) -> Option<String> {
    let telling = |word: &&str| {
        word.len() > 2
            && word.bytes().all(|b| b.is_ascii_alphabetic())
            && !SAYING_NOTHING.contains(&&*word.to_lowercase())
    };
    let word = url.path().split(['/', '.', '-', '_']).rfind(telling)?;
    Some(slug(word)).filter(|word| word.len() <= MAX_OWN)
}

/// `bbci` of `feeds.bbci.co.uk`.
fn publisher(host: &str) -> String {
    let mut labels: Vec<&str> = host.trim_end_matches('.').split('.').collect();
    if labels.len() > 1 {
        labels.pop();
    }
    if labels.len() > 1 && labels.last().is_some_and(|last| SHARED.contains(last)) {
        labels.pop();
    }
    while labels.len() > 1 && labels.first().is_some_and(|first| GENERIC.contains(first)) {
        labels.remove(0);
    }
    labels.last().copied().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_from_names_and_host_names() {
        for (name, url, expected) in [
            (None, "https://feeds.bbci.co.uk/arabic/rss.xml", "bbci"),
            (None, "https://www.okaz.com.sa/rssFeed/0", "okaz"),
            (None, "https://al-ain.com/rss", "al-ain"),
            (None, "https://ar.le360.ma/arc/", "le360"),
            (None, "http://127.0.0.1:8080/rss", "127-0-0-1"),
            (None, "http://[::1]/rss", "1"),
            (None, "http://localhost/", "localhost"),
            (None, "https://news.com/", "news"),
            (None, "https://خبر.com/", "xn--"),
            (None, "https://x.com/", "x-3"),
            (None, "https://x.com/arabic/Business/rss.xml", "x-business"),
            (None, "https://x.com/section/sport.php", "x-3"),
            (Some("Daily News"), "https://feeds.host.com/7", "daily-news"),
            (Some("X!"), "https://a.com/7", "a"),
            (Some("أخبار اليوم"), "https://akhbar.com/rss", "akhbar"),
            (Some("A name that is much too long to be anybody's id"), "https://a.com/rss", "a"),
        ] {
            let taken = ["x".to_owned(), "x-2".to_owned(), "x-sport".to_owned()].into();
            let id = suggest(name, &Url::parse(url).expect(url), &taken).expect(url);
            assert!(!taken.contains(id.as_str()));
            if expected == "xn--" {
                assert!(id.as_str().starts_with("xn--"), "{url}: {id}");
            } else {
                assert_eq!(id.as_str(), expected, "{url}");
            }
        }
    }
}
