//! Items as a store gives them, without a store.

use jiff::Timestamp;
use rasid::id::{EntryKey, ItemId, Seq};
use rasid::item::{Content, Item, PublishedFrom, TextFrom};

use super::NEW;

/// One of a feed.
pub fn stored(feed: &str, guid: &str, title: &str, text: &str, at: Timestamp) -> Item {
    let feed = feed.parse().unwrap();
    Item {
        id: ItemId::of(&feed, EntryKey::of("guid", guid)),
        seq: Seq(1),
        feed,
        content: Content {
            url: None,
            canonical_url: None,
            guid: None,
            title: title.to_owned(),
            summary: String::new(),
            text: text.to_owned(),
            text_from: TextFrom::Feed,
            authors: Vec::new(),
            language: None,
            tags: Vec::new(),
            image: None,
            published_at: at,
            published_from: PublishedFrom::Feed,
            fetched_at: at,
        },
        stored_at: at,
        revision: 1,
        topics: Vec::new(),
        verdict: NEW,
        superseded_by: None,
        judged: None,
        pinned: false,
        copies: Vec::new(),
        story: None,
    }
}
