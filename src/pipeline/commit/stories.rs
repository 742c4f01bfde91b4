//! Which story a candidate belongs to, decided in the order of the log.
//!
//! In: what is to be stored of candidates. Out: their stories and what becomes of the window, with the group in the making.
//! Promise: the window in memory and the one in the store are the same after every group, so a restart changes no story.
//! A copy of an item is not put into the window: the store gives it the story of its original.
//! Not here: what makes a story ([`crate::story`]), how it is laid out ([`crate::store`]).

use super::{Committer, now};
use crate::dedup::{Original, VerdictKind};
use crate::id::{ItemId, Seq};
use crate::item::LogKind;
use crate::store::{Decided, MAX_PAGE, StoreError};
use crate::story::{Placed, Stories, StoriesConfig};

impl Committer {
    /// Puts items into stories from now on, where the configuration says so.
    pub fn telling(mut self, config: &StoriesConfig) -> Self {
        // What retention has removed begins no story.
        self.stories = config.enabled.then(|| Stories::new(self.within(config.window)));
        self
    }

    /// Fills the window from the store.
    pub(super) fn load_stories(&mut self) -> Result<(), StoreError> {
        let Some(stories) = &mut self.stories else { return Ok(()) };
        self.store.window(&mut |member| stories.insert(&member))?;
        tracing::debug!(items = stories.len(), "window of the stories loaded");
        Ok(())
    }

    /// Puts what is decided into a story.
    pub(super) fn tell(&mut self, decided: &Decided) {
        let (Some(stories), told) = (&mut self.stories, &mut self.pending.group.told) else { return };
        let Decided { candidate, verdict } = decided;
        let of = match verdict.of {
            Some(Original::Item(id)) => Some(id),
            _ => None,
        };
        if verdict.kind.is_duplicate() && of.is_some() {
            return;
        }
        let id = ItemId::of(&candidate.feed, candidate.key);
        let sketch = &candidate.sketch;
        if verdict.kind == VerdictKind::Revision {
            told.members.extend(stories.revise(id, sketch));
            return;
        }
        let Placed { story, score: _, member, left } =
            stories.place(id, candidate.content.published_at.min(now()), sketch, of);
        told.stories.insert(id, story);
        told.members.extend(member);
        told.left.extend(left);
    }

    /// Takes out of the window what was removed from the store after `last`.
    pub(super) fn forget_removed_since(&mut self, last: Seq) -> Result<(), StoreError> {
        let Some(stories) = &mut self.stories else { return Ok(()) };
        let mut last = last;
        loop {
            let page = self.store.log(last, MAX_PAGE)?;
            let Some(end) = page.last() else { return Ok(()) };
            last = end.seq;
            for record in page.iter().filter(|record| record.kind == LogKind::Removed) {
                stories.remove(record.id);
            }
        }
    }
}
