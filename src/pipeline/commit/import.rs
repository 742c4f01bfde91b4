//! What was exported, on its way into the store.
//!
//! In: an [`Import`]. Out: its effect on the disk, and an answer.
//! Promise: what comes in is compared with and told of as if it had been stored here: new texts are found to be copies of
//! it, and new items join its stories. Its own verdicts and stories are not decided again.
//! Not here: how it is laid out ([`crate::store`]), who reads the files (`crate::cli`).

use std::collections::HashSet;

use tokio::sync::oneshot;

use super::Committer;
use super::judged::Corrections;
use super::orders::answered;
use crate::dedup::Original;
use crate::id::ItemId;
use crate::pipeline::now;
use crate::store::{Arriving, Import, Imported, StoreError};
use crate::story::Placed;

impl Committer {
    /// Stores what was exported, and answers once it is on the disk.
    pub(super) fn import(
        &mut self,
        mut import: Import,
        answer: oneshot::Sender<Result<Imported, String>>,
    ) -> Result<(), StoreError> {
        if self.index.is_none() {
            // Without the window of stories, what is stored of it would not be what it is.
            self.load()?;
        }
        let mut seen = HashSet::new();
        for arriving in &import.items {
            let id = arriving.item().id;
            if !seen.insert(id) || self.store.known(id)?.is_some() {
                continue;
            }
            let Some(Placed { member, left, .. }) = self.put_back(arriving) else { continue };
            import.told.members.extend(member);
            import.told.left.extend(left);
        }
        let corrected = !import.corrections.is_empty() || import.items.iter().any(|one| one.item().judged.is_some());
        let imported = self.writer.import(now(), import);
        if imported.is_ok() {
            self.follow();
            if corrected {
                self.corrections = Corrections::load(&self.store)?;
            }
        }
        answered(imported, answer)
    }

    /// Puts an item into its story; none where it has none that is told by itself.
    fn put_back(&mut self, arriving: &Arriving) -> Option<Placed> {
        let item = arriving.item();
        let copy = item.verdict.kind.is_duplicate() && matches!(item.verdict.of, Some(Original::Item(_)));
        let story: ItemId = item.story.as_deref()?.parse().ok().filter(|_| !copy)?;
        let at = item.content.published_at.min(item.stored_at);
        self.stories.as_mut().map(|stories| stories.put_back(item.id, at, story, arriving.sketch()))
    }
}
