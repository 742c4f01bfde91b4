//! What people said of verdicts, where it meets what comes in: a judgement holds for the item when it comes again, and for
//! others with its text.
//!
//! In: verdicts of the program, and what was said. Out: the verdicts that are stored.
//! Promise: an item that a person split is never called a copy again, and one that was joined is, also after retention has
//! removed it or under another guid; a text that is one of theirs letter for letter (normalized), or more like the one that
//! was split than like what it was split from, goes with them. Nothing of it depends on when the process was started.
//! Not here: what becomes of stored items ([`crate::store::Correcting`]).

use std::collections::HashMap;

use tokio::sync::oneshot;

use super::Committer;
use super::orders::answered;
use crate::dedup::apart::apart;
use crate::dedup::compare::{Context, LEAST_SHARED, Marks, relate_unless_apart};
use crate::dedup::verdict::{TELLING_WORDS, Wording};
use crate::dedup::{Fingerprint, Index, Original, Verdict, VerdictKind};
use crate::id::{ContentHash, ItemId};
use crate::item::{Candidate, Correction};
use crate::pipeline::now;
use crate::store::{Corrected, Correcting, Said, Store, StoreError};

/// All that was said; there is as much of it as people have typed.
#[derive(Debug, Default)]
pub(super) struct Corrections {
    said: HashMap<ItemId, Said>,
    by_text: HashMap<ContentHash, ItemId>,
    /// What was split, by what it was split from.
    split_from: HashMap<Original, Vec<ItemId>>,
}

impl Corrections {
    pub(super) fn load(store: &Store) -> Result<Self, StoreError> {
        let mut all = Self::default();
        for said in store.corrections()? {
            if let Some(hash) = said.content {
                // Of two with one text the later word counts.
                let later = all
                    .by_text
                    .get(&hash)
                    .and_then(|id| all.said.get(id))
                    .is_some_and(|other| (other.judged.at, other.item) > (said.judged.at, said.item));
                if !later {
                    all.by_text.insert(hash, said.item);
                }
            }
            if said.judged.kind == Correction::Split {
                all.split_from.entry(said.judged.of.clone()).or_default().push(said.item);
            }
            all.said.insert(said.item, said);
        }
        Ok(all)
    }

    /// What was said of an item with this text.
    pub(super) fn of_text(&self, fingerprint: &Fingerprint) -> Option<&Said> {
        let hash = fingerprint.content.filter(|_| fingerprint.has_words(TELLING_WORDS))?;
        self.by_text.get(&hash).and_then(|id| self.said.get(id))
    }

    /// The verdict as people want it, and whether new texts are to be compared with the item although it is a duplicate.
    pub(super) fn verdict(
        &self,
        store: &Store,
        index: &Index,
        id: ItemId,
        candidate: &Candidate,
        verdict: Verdict,
        wording: Wording<'_>,
    ) -> Result<(Verdict, bool), StoreError> {
        let fingerprint = &candidate.fingerprint;
        if let Some(said) = self.said.get(&id) {
            let verdict = apply(store, said, verdict, |_| true)?;
            let joined = said.judged.kind == Correction::Joined && verdict.kind.is_duplicate();
            return Ok((verdict, joined));
        }
        let found = match self.of_text(fingerprint) {
            // The store lists it under the original, where the item is a copy itself.
            Some(said) if holds(store, said, fingerprint)? => {
                Verdict { kind: VerdictKind::Exact, of: Some(Original::Item(said.item)), similarity: 1.0 }
            }
            // The item is not there any more, or says something else.
            Some(said) => apply(store, said, verdict, |of| *of == said.judged.of)?,
            None => self.nearer(store, index, fingerprint, &verdict, wording)?.unwrap_or(verdict),
        };
        // That one of two is no copy of the other holds for the other, too, when it comes again.
        let split_from_it = match &found.of {
            Some(Original::Item(other)) if found.kind.is_copy() => self
                .said
                .get(other)
                .is_some_and(|said| said.judged.kind == Correction::Split && said.judged.of == Original::Item(id)),
            _ => false,
        };
        Ok((if split_from_it { Verdict::new_item() } else { found }, false))
    }

    /// The item that was split from the original of `verdict` and is at least as much like the text.
    fn nearer(
        &self,
        store: &Store,
        index: &Index,
        fingerprint: &Fingerprint,
        verdict: &Verdict,
        wording: Wording<'_>,
    ) -> Result<Option<Verdict>, StoreError> {
        let Some(of) = verdict.of.as_ref().filter(|_| verdict.kind.is_copy() && !self.split_from.is_empty()) else {
            return Ok(None);
        };
        let mut split: Vec<ItemId> = self.split_from.get(of).cloned().unwrap_or_default();
        // What the text is like may itself be listed under what others were split from.
        if let Original::Item(id) = of
            && let Some(item) = store.item(*id)?
            && let Some(root) = item.original()
        {
            split.extend(self.split_from.get(&root).into_iter().flatten());
        }
        if split.is_empty() {
            return Ok(None);
        }
        let marks = Marks::of(fingerprint);
        let candidates = index.candidates(fingerprint, LEAST_SHARED);
        let found = candidates.iter().filter(|found| split.contains(&found.item.id));
        let related = found.filter_map(|found| {
            let apart = || wording(found.item.id).is_some_and(|known| apart(&fingerprint.shingles, &known));
            let relation = relate_unless_apart(&marks, &found.item.marks, found.overlap, Context::default(), apart)?;
            let of = Some(Original::Item(found.item.id));
            Some((found.item.id, Verdict { kind: relation.kind, of, similarity: relation.similarity }))
        });
        let strength = |verdict: &Verdict| (verdict.kind.weakness(), -verdict.similarity);
        let best = related.filter(|(_, found)| found.kind.is_copy() && strength(found) <= strength(verdict)).min_by(
            |(a_id, a), (b_id, b)| {
                let kind = a.kind.weakness().cmp(&b.kind.weakness());
                kind.then(b.similarity.total_cmp(&a.similarity)).then(a_id.cmp(b_id))
            },
        );
        Ok(best.map(|(_, best)| best))
    }
}

/// Whether the item of which something was said is still there with this text.
fn holds(store: &Store, said: &Said, fingerprint: &Fingerprint) -> Result<bool, StoreError> {
    match fingerprint.content {
        Some(hash) => store.has_content(said.item, hash),
        None => Ok(false),
    }
}

/// The verdict on the very item of which something was said, or on its text; a copy of what `concerns` does not name stays one.
fn apply(
    store: &Store,
    said: &Said,
    verdict: Verdict,
    concerns: impl Fn(&Original) -> bool,
) -> Result<Verdict, StoreError> {
    match said.judged.kind {
        Correction::Split => {
            let copy = verdict.kind.is_copy() && verdict.of.as_ref().is_some_and(concerns);
            Ok(if copy { Verdict::new_item() } else { verdict })
        }
        Correction::Joined => {
            let there = match &said.judged.of {
                Original::Item(original) => store.known(*original)?.is_some(),
                Original::Corpus { .. } => true,
            };
            let of = Some(said.judged.of.clone());
            Ok(if there { Verdict { of, ..said.verdict.clone() } } else { verdict })
        }
    }
}

impl Committer {
    /// Does what a person says of a verdict, and answers once it is on the disk.
    pub(super) fn correct(
        &mut self,
        mut correcting: Correcting,
        answer: oneshot::Sender<Result<Corrected, String>>,
    ) -> Result<(), StoreError> {
        if let Correcting::Join { item, of: of @ Original::Corpus { .. }, alike, .. } = &mut correcting {
            let corpora = self.loaded.borrow().corpora.clone();
            if let Some(item) = self.store.item(*item)? {
                let matches = corpora.matches(&item.content.title, &item.content.text);
                let found = matches.into_iter().find(|found| found.original() == *of);
                *alike = found.map(|found| (found.kind, found.similarity));
            }
        }
        let done = self.writer.correct(now(), correcting);
        if done.is_ok() && self.index.is_some() {
            self.corrections = Corrections::load(&self.store)?;
        }
        self.follow();
        match done {
            // It makes no sense: said to whoever asked, and no reason to stop.
            Err(StoreError::Query(words)) => {
                let _gone = answer.send(Err(words));
                Ok(())
            }
            done => answered(done, answer),
        }
    }

    /// Takes over into the index what the store says of what is compared.
    pub(super) fn follow(&mut self) {
        let moved = self.writer.moved();
        let Some(index) = &mut self.index else { return };
        for id in moved.uncompared {
            index.remove(id);
        }
        for (id, at, fingerprint) in moved.compared {
            index.insert(id, at, &fingerprint);
        }
    }
}

#[cfg(test)]
impl Corrections {
    /// What was said, in an order.
    pub(super) fn sorted(&self) -> Vec<&Said> {
        let mut said: Vec<_> = self.said.values().collect();
        said.sort_by_key(|said| said.item);
        said
    }
}
