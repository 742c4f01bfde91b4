//! Entries with their identity: what tells one from another within a feed.
//!
//! In: the entries of one document. Out: [`Draft`] values in the same order.
//! Promise: no key is made of an empty field (trap T4), nor of a guid or an address that several entries share (trap T9):
//! identity degrades by evidence, guid → canonical address → words.

use std::collections::HashMap;

use jiff::Timestamp;
use url::Url;

use super::url_key;
use crate::extract::html::plain;
use crate::extract::url::canonical;
use crate::id::EntryKey;
use crate::parse::Entry;
use crate::source::{FeedConfig, FullText};

/// From this many words on, an entry carries its article itself: teasers have 20 to 50, a short report has 60.
const ARTICLE_WORDS: usize = 60;
/// How a text ends that goes on elsewhere.
const CUT_ENDS: [&str; 6] = ["…", "...", "[…]", "[...]", "المزيد", "»»"];

/// An entry in plain text, with its keys.
pub(super) struct Draft {
    pub entry: Entry,
    pub summary: String,
    pub content: String,
    pub key: EntryKey,
    /// By its canonical address, where no other entry of the document has the same.
    pub url_key: Option<EntryKey>,
    pub canonical: Option<Url>,
    /// A hash of the words the feed gives, to notice a revision.
    pub hash: u64,
}

impl Draft {
    /// How the entry is called in logs.
    pub fn name(&self) -> String {
        let named = self.entry.guid.clone().or_else(|| self.entry.url.as_ref().map(Url::to_string));
        named.unwrap_or_else(|| self.entry.title.clone())
    }

    /// Whether its page is to be fetched.
    pub fn needs_page(&self, feed: &FeedConfig) -> bool {
        let fetchable = self.entry.url.as_ref().is_some_and(|url| matches!(url.scheme(), "http" | "https"));
        fetchable
            && match feed.full_text {
                FullText::Always => true,
                FullText::Never => false,
                FullText::Auto => !is_article(&self.content) && !is_article(&self.summary),
            }
    }
}

/// Whether a text is a whole article, and not a teaser or the beginning of one.
pub(super) fn is_article(text: &str) -> bool {
    let end = text.trim_end();
    text.split_whitespace().nth(ARTICLE_WORDS - 1).is_some() && !CUT_ENDS.iter().any(|cut| end.ends_with(cut))
}

/// All entries of a document as drafts.
pub(super) fn all(entries: Vec<Entry>) -> Vec<Draft> {
    let canonicals: Vec<Option<Url>> = entries.iter().map(|entry| entry.url.as_ref().map(canonical)).collect();
    let mut guids: HashMap<&str, u32> = HashMap::new();
    let mut urls: HashMap<&Url, u32> = HashMap::new();
    for (entry, canonical) in entries.iter().zip(&canonicals) {
        if let Some(guid) = guid_of(entry) {
            *guids.entry(guid).or_default() += 1;
        }
        if let Some(url) = canonical {
            *urls.entry(url).or_default() += 1;
        }
    }
    let keys: Vec<(Option<EntryKey>, Option<EntryKey>)> = entries
        .iter()
        .zip(&canonicals)
        .map(|(entry, canonical)| {
            let guid = guid_of(entry).filter(|guid| guids[guid] == 1).map(|guid| EntryKey::of("guid", guid));
            let url = canonical.as_ref().filter(|url| urls[url] == 1 && !is_front_page(url)).map(url_key);
            (guid, url)
        })
        .collect();
    let drafts = entries.into_iter().zip(canonicals).zip(keys);
    drafts.map(|((entry, canonical), (guid, url_key))| draft(entry, canonical, guid, url_key)).collect()
}

fn draft(entry: Entry, canonical: Option<Url>, guid: Option<EntryKey>, url_key: Option<EntryKey>) -> Draft {
    let summary = plain(&entry.summary_html);
    let content = plain(&entry.content_html);
    let words = format!("{}\n{}\n{}", entry.title, summary, content);
    let key = guid.or(url_key).unwrap_or_else(|| {
        // Two headlines alike under two addresses are two entries; nothing but the words is left otherwise.
        let address = entry.url.as_ref().map_or("", Url::as_str);
        EntryKey::of("content", &format!("{address}\n{words}"))
    });
    Draft { hash: xxhash_rust::xxh3::xxh3_64(words.as_bytes()), entry, summary, content, key, url_key, canonical }
}

fn guid_of(entry: &Entry) -> Option<&str> {
    entry.guid.as_deref().map(str::trim).filter(|guid| !guid.is_empty())
}

/// An address that cannot tell entries apart: the site itself.
fn is_front_page(url: &Url) -> bool {
    url.path() == "/" && url.query().is_none()
}

/// The newest publication times, newest first, at most 20, none in the future.
pub(super) fn newest_times<'a>(entries: impl Iterator<Item = &'a Entry>, now: Timestamp) -> Vec<Timestamp> {
    let mut times: Vec<Timestamp> = entries.filter_map(|entry| entry.published).filter(|at| *at <= now).collect();
    times.sort_unstable_by(|a, b| b.cmp(a));
    times.truncate(20);
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(guid: &str, url: &str, title: &str) -> Entry {
        Entry {
            guid: Some(guid.to_owned()).filter(|guid| !guid.is_empty()),
            url: url.parse().ok(),
            title: title.to_owned(),
            ..Entry::default()
        }
    }

    fn keys(entries: &[(&str, &str, &str)]) -> Vec<EntryKey> {
        all(entries.iter().map(|(g, u, t)| entry(g, u, t)).collect()).into_iter().map(|draft| draft.key).collect()
    }

    #[test]
    fn t4_entries_without_title_guid_and_address_stay_apart() {
        let drafts = all(vec![
            Entry { summary_html: "خبر أول".into(), ..Entry::default() },
            Entry { summary_html: "خبر ثان".into(), ..Entry::default() },
        ]);
        assert_ne!(drafts[0].key, drafts[1].key);
    }

    #[test]
    fn t9_a_guid_that_all_entries_share_is_no_identity() {
        let keys = keys(&[("feed", "https://x.test/1", "أ"), ("feed", "https://x.test/2", "ب")]);
        assert_ne!(keys[0], keys[1]);
    }

    #[test]
    fn t9_an_address_that_all_entries_share_is_no_identity() {
        let keys =
            keys(&[("", "https://x.test/live", "أ"), ("", "https://x.test/live", "ب"), ("", "https://x.test/", "ج")]);
        assert_eq!(keys.iter().collect::<std::collections::HashSet<_>>().len(), 3);
    }

    #[test]
    fn a_teaser_is_no_article() {
        let long = "كلمة ".repeat(ARTICLE_WORDS);
        assert!(is_article(&long));
        assert!(!is_article(&format!("{}…", long.trim_end())));
        assert!(!is_article(&format!("{long} اقرأ المزيد ")));
        assert!(!is_article(&"كلمة ".repeat(ARTICLE_WORDS - 1)));
    }

    #[test]
    fn t7_addresses_that_differ_in_a_parameter_stay_apart() {
        let keys = keys(&[("", "https://x.test/news.php?id=1", "أ"), ("", "https://x.test/news.php?id=2", "أ")]);
        assert_ne!(keys[0], keys[1]);
    }

    #[test]
    fn a_changed_headline_keeps_the_key_and_changes_the_hash() {
        let one = all(vec![entry("7", "https://x.test/7", "عنوان")]);
        let two = all(vec![entry("7", "https://x.test/7", "عنوان معدل")]);
        assert_eq!(one[0].key, two[0].key);
        assert_ne!(one[0].hash, two[0].hash);
    }
}
