//! Items as a store gives them, without a store.

use jiff::Timestamp;
use rasid::id::{EntryKey, ItemId, Seq};
use rasid::item::Item;

use super::NEW;
use crate::support::content;

/// One of a feed.
pub fn stored(feed: &str, guid: &str, title: &str, text: &str, at: Timestamp) -> Item {
    let feed = feed.parse().unwrap();
    Item {
        id: ItemId::of(&feed, EntryKey::of("guid", guid)),
        seq: Seq(1),
        feed,
        content: content(title, text, at),
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
