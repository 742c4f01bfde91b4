//! Stories: which items each has, and the window that new items are put into them by.
//!
//! In: [`Told`], where a group's items were put. Out: the same, stored in the group's transaction; stories as readers get
//! them; the window, item by item, as it was left.
//! Promise: the tree of the window is the window in memory ([`crate::story::Stories`]) after every transaction, so that a
//! restart changes nothing. A story is its items: it has no record of its own, and is gone with the last of them.
//! Not here: which story an item belongs to ([`crate::story`]).

use std::collections::BTreeMap;
use std::ops::Bound;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::engine::{Entry, Read, Table, prefix_range};
use super::reader::Store;
use super::records::{self, DUPLICATE};
use super::schema::{Stored, damaged, plain, time_of, unplain};
use super::staged::Staged;
use super::{StoreError, keys};
use crate::dedup::{Original, Verdict};
use crate::id::ItemId;
use crate::item::Item;
use crate::story::Member;

/// Where the items of a group were put.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// The story of each new item that is no copy of another: the item that began it.
    pub stories: BTreeMap<ItemId, ItemId>,
    /// Items as the window now has them.
    pub members: Vec<Member>,
    /// Items that have left the window.
    pub left: Vec<ItemId>,
}

/// A story as it is stored.
#[derive(Clone, Debug)]
pub struct Story {
    /// The item that began it; it may have been removed since.
    pub id: ItemId,
    /// When each of its items was published, earliest first; copies too.
    pub times: Vec<Timestamp>,
    /// How many of them are copies of others.
    pub copies: usize,
    /// The items that are no copies, in the order in which they were published; the first [`MAX_SHOWN`].
    pub items: Vec<Item>,
}

/// The most items that are read of a story.
pub const MAX_SHOWN: usize = 500;

#[derive(Serialize, Deserialize)]
struct MemberV1 {
    id: [u8; 16],
    at: i128,
    story: [u8; 16],
    /// Differences from one to the next.
    hashes: Vec<u32>,
    marks: Vec<u8>,
    weights: Vec<u16>,
}

fn encode(member: &Member) -> Result<Vec<u8>, StoreError> {
    let Member { id, at, story, terms } = member;
    let mut last = 0;
    let differences = terms.iter().map(|(hash, ..)| hash.wrapping_sub(std::mem::replace(&mut last, *hash)));
    let record = MemberV1 {
        id: id.0,
        at: at.as_nanosecond(),
        story: story.0,
        hashes: differences.collect(),
        marks: terms.iter().map(|(_, mark, _)| *mark).collect(),
        weights: terms.iter().map(|(.., weight)| *weight).collect(),
    };
    plain(&record, || format!("the terms of {id}"))
}

fn decode(no: u64, bytes: &[u8]) -> Result<Member, StoreError> {
    let what = || format!("the terms of item {no}");
    let MemberV1 { id, at, story, hashes, marks, weights } = unplain(bytes, what)?;
    let at = time_of(at).map_err(|error| damaged(what(), &error))?;
    let mut last = 0u32;
    let terms = hashes.into_iter().zip(marks).zip(weights).map(|((difference, mark), weight)| {
        last = last.wrapping_add(difference);
        (last, mark, weight)
    });
    Ok(Member { id: ItemId(id), at, story: ItemId(story), terms: terms.collect() })
}

/// The story of a new item: the one it was put into, or that of the item it is a copy of.
pub(super) fn of_new(
    read: &impl Read,
    told: &BTreeMap<ItemId, ItemId>,
    id: ItemId,
    verdict: &Verdict,
) -> Result<Option<String>, StoreError> {
    if let (Some(Original::Item(original)), true) = (&verdict.of, verdict.kind.is_duplicate())
        && let Some((no, _)) = records::known(read, *original)?
    {
        return Ok(records::load(read, no)?.and_then(|stored| stored.item.story));
    }
    Ok(told.get(&id).map(ToString::to_string))
}

/// Writes what has become of the window. The items of the group are stored by then.
pub(super) fn put_window(staged: &mut Staged<'_>, members: &[Member], left: &[ItemId]) -> Result<(), StoreError> {
    for member in members {
        if let Some((no, _)) = records::known(staged, member.id)? {
            staged.put(Table::Window, keys::number(no), encode(member)?);
        }
    }
    for id in left {
        if let Some((no, _)) = records::known(staged, *id)? {
            staged.remove(Table::Window, keys::number(no));
        }
    }
    Ok(())
}

/// The entry of an item under its story, where it has one.
pub(super) fn indexed(stored: &Stored, duplicate: u8) -> Option<records::Indexed> {
    let story: ItemId = stored.item.story.as_deref()?.parse().ok()?;
    let place = keys::published(keys::millis(stored.item.content.published_at), stored.no);
    Some((Table::ByStory, [keys::id(story), place].concat(), vec![duplicate]))
}

/// What is wrong with an entry of the window; it is its item's.
pub(super) fn check(read: &impl Read, (key, value): &Entry) -> Result<Option<String>, StoreError> {
    let no = keys::last_number(key).unwrap_or_default();
    let member = decode(no, value)?;
    let stored = records::load(read, no)?;
    let same = |stored: &Stored| {
        stored.item.id == member.id && stored.item.story.as_deref() == Some(&member.story.to_string())
    };
    Ok((!stored.as_ref().is_some_and(same)).then(|| format!("window: the entry {no} is not that of its item")))
}

impl Store {
    /// The items of the window in the order in which they were stored.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn window(&self, each: &mut dyn FnMut(Member)) -> Result<(), StoreError> {
        for entry in self.inner.engine.scan(Table::Window, (Bound::Unbounded, Bound::Unbounded)) {
            let (key, value) = entry?;
            each(decode(keys::last_number(&key).unwrap_or_default(), &value)?);
        }
        Ok(())
    }

    /// The story that this item began, or belongs to. None where there is no such item, and none of such a story.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn story(&self, id: ItemId) -> Result<Option<Story>, StoreError> {
        if let Some(story) = self.story_begun_by(id, MAX_SHOWN)? {
            return Ok(Some(story));
        }
        let Some((no, _)) = records::known(&self.inner.engine, id)? else { return Ok(None) };
        let stored = records::load(&self.inner.engine, no)?;
        match stored.and_then(|stored| stored.item.story).and_then(|story| story.parse().ok()) {
            Some(story) => self.story_begun_by(story, MAX_SHOWN),
            None => Ok(None),
        }
    }

    fn story_begun_by(&self, id: ItemId, most: usize) -> Result<Option<Story>, StoreError> {
        let mut story = Story { id, times: Vec::new(), copies: 0, items: Vec::new() };
        for entry in self.inner.engine.scan(Table::ByStory, prefix_range(&keys::id(id))) {
            let (key, value) = entry?;
            let Some((millis, no)) = keys::place(&key) else { continue };
            story.times.extend(keys::time(millis));
            if value.first().is_some_and(|flags| flags & DUPLICATE != 0) {
                story.copies += 1;
            } else if story.items.len() < most {
                story.items.extend(self.item_by_number(no)?);
            }
        }
        Ok((!story.times.is_empty()).then_some(story))
    }

    /// Stories of several items that are no copies, with an item published since: those with the most items first, at most
    /// `limit`. Only stories of the window are looked at. Of each the first items are read.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn stories(&self, since: Option<Timestamp>, limit: usize) -> Result<Vec<Story>, StoreError> {
        let mut sizes = BTreeMap::<ItemId, (usize, Timestamp)>::new();
        self.window(&mut |member| {
            let (items, last) = sizes.entry(member.story).or_insert((0, member.at));
            *items += 1;
            *last = (*last).max(member.at);
        })?;
        let several =
            sizes.into_iter().filter(|(_, (items, last))| *items > 1 && since.is_none_or(|since| *last >= since));
        let mut found: Vec<(ItemId, usize, Timestamp)> = several.map(|(id, (items, last))| (id, items, last)).collect();
        found.sort_unstable_by_key(|(id, items, last)| (std::cmp::Reverse((*items, *last)), *id));
        found.truncate(limit);
        let mut stories = Vec::with_capacity(found.len());
        for (id, ..) in found {
            stories.extend(self.story_begun_by(id, MAX_TITLES)?);
        }
        Ok(stories)
    }
}

/// Items that are read of each story of a list.
const MAX_TITLES: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_comes_back_as_it_was() {
        let at = Timestamp::from_second(1_780_000_000).unwrap();
        for terms in [vec![], vec![(7, 0x1f, 65_535), (u32::MAX, 1, 0)]] {
            let member = Member { id: ItemId([1; 16]), at, story: ItemId([2; 16]), terms };
            assert_eq!(decode(1, &encode(&member).unwrap()).unwrap(), member);
        }
    }
}
