//! Whether a candidate is an item that is stored already, and what it then changes.
//!
//! In: a candidate and what the store and the group in the making know. Out: a revision, or nothing.
//! Promise: the same entry is one item, under a changed guid too where its address and its words say so (trap T9); a
//! revision never replaces an article by its teaser because the page failed this time.

use super::{Committer, Decided};
use crate::dedup::{Fingerprint, Original, Verdict, VerdictKind};
use crate::id::ItemId;
use crate::item::{Candidate, Item, TextFrom};
use crate::store::{Known, StoreError};
use crate::story::Sketch;

/// How much of the shorter wording must be in the longer one for two entries at one address to be one.
const SAME_ENTRY: f32 = 0.5;

impl Committer {
    pub(super) fn known(&self, id: ItemId) -> Result<Option<Known>, StoreError> {
        match self.pending.items.get(&id) {
            Some(known) => Ok(Some(*known)),
            None => self.store.known(id),
        }
    }

    pub(super) fn by_url(&self, candidate: &Candidate) -> Result<Option<ItemId>, StoreError> {
        for url in candidate.content.addresses() {
            let found = match self.pending.urls.get(&url) {
                Some(id) => Some(*id),
                None => self.store.by_url(&url)?,
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    pub(super) fn by_content(&self, candidate: &Candidate) -> Result<Option<ItemId>, StoreError> {
        let Some(hash) = candidate.fingerprint.content else { return Ok(None) };
        match self.pending.contents.get(&hash) {
            Some(id) => Ok(Some(*id)),
            None => self.store.by_content(hash),
        }
    }

    /// The item of the same feed at the same address, when its words agree with the candidate's, which then takes over its
    /// identity. A page that says something else every hour under one address gives an item each time.
    pub(super) fn known_by_address(
        &mut self,
        candidate: &mut Candidate,
        by_url: Option<ItemId>,
    ) -> Result<Option<Known>, StoreError> {
        // Of two items at one address, of which a person has said that they are two, it is the one that it says the same as.
        let said = self.corrections.of_text(&candidate.fingerprint).map(|said| said.item);
        let by_url = match said.map(|id| self.store.item(id)).transpose()?.flatten() {
            Some(item) if item.feed == candidate.feed && shares_address(&item, candidate) => Some(item.id),
            _ => by_url,
        };
        let Some(known) = by_url.map(|id| self.known(id)).transpose()?.flatten() else { return Ok(None) };
        // Only what is on disk can be read; the group in the making holds one document of the feed at most, in which the
        // address occurs once.
        let Some(stored) = self.store.item(known.id)? else { return Ok(None) };
        if stored.feed != candidate.feed {
            return Ok(None);
        }
        let before = Fingerprint::of(&stored.content.title, &stored.content.text);
        let same_title = before.title.is_some() && before.title == candidate.fingerprint.title;
        if !same_title && containment(&before, &candidate.fingerprint) < SAME_ENTRY {
            return Ok(None);
        }
        let Some(key) = self.store.key(known.id)? else { return Ok(None) };
        candidate.key = key;
        Ok(Some(known))
    }

    /// What a candidate changes in the item that it is.
    pub(super) fn decide_known(
        &mut self,
        mut candidate: Candidate,
        known: Known,
    ) -> Result<Option<Decided>, StoreError> {
        let has_page = candidate.content.text_from == TextFrom::Page;
        let same_words = known.hash == candidate.hash;
        if same_words && !has_page {
            return Ok(None);
        }
        let stored = self.store.item(known.id)?;
        if same_words && known.text_from_page {
            // The page of a revision that had failed at first brings what the item still lacks; any other brings nothing.
            let lacks = stored.as_ref().is_some_and(|stored| stored.content.text != candidate.content.text);
            if !lacks {
                return Ok(None);
            }
        }
        if stored.as_ref().is_some_and(|stored| candidate.content.fetched_at < stored.content.fetched_at) {
            // What comes late says less than what is stored, which the store does not give up for it.
            return Ok(None);
        }
        let stored_at = stored.as_ref().map(|stored| stored.stored_at);
        let mut similarity = 1.0;
        if let Some(stored) = stored {
            if known.text_from_page && !has_page {
                candidate.content.text = stored.content.text.clone();
                candidate.content.text_from = TextFrom::Page;
                candidate.fingerprint = Fingerprint::of(&candidate.content.title, &candidate.content.text);
                candidate.sketch = Sketch::of(&candidate.content.title, &candidate.content.text);
            }
            let before = Fingerprint::of(&stored.content.title, &stored.content.text);
            similarity = containment(&before, &candidate.fingerprint);
        }
        let published_at = candidate.content.published_at;
        let at = stored_at.map_or_else(|| self.window_time(published_at), |stored_at| published_at.min(stored_at));
        if known.compared
            && let Some(index) = &mut self.index
        {
            index.insert(known.id, at, &candidate.fingerprint);
        }
        let verdict = Verdict { kind: VerdictKind::Revision, of: Some(Original::Item(known.id)), similarity };
        self.pending.wordings.insert(known.id, candidate.fingerprint.shingles.clone());
        let revised = known_as(known.id, &candidate);
        self.pending
            .items
            .insert(known.id, Known { hash: revised.hash, text_from_page: revised.text_from_page, ..known });
        Ok(Some(Decided { candidate, verdict }))
    }
}

/// What will be known of a candidate once it is stored as an item of its own.
pub(super) fn known_as(id: ItemId, candidate: &Candidate) -> Known {
    let text_from_page = candidate.content.text_from == TextFrom::Page;
    Known { id, hash: candidate.hash, duplicate: false, superseded: false, compared: true, text_from_page }
}

fn shares_address(item: &Item, candidate: &Candidate) -> bool {
    item.content.canonical_url.as_ref().is_some_and(|url| candidate.content.addresses().any(|other| other == *url))
}

/// Shared shingles to those of the smaller wording.
fn containment(one: &Fingerprint, other: &Fingerprint) -> f32 {
    let smaller = one.shingles.len().min(other.shingles.len());
    if smaller == 0 {
        return 0.0;
    }
    let shared = one.shared_with(other);
    shared as f32 / smaller as f32
}
