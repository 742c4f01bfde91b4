//! What people said of verdicts, and what becomes of the items.
//!
//! In: [`Correcting`]s. Out: the items as they stand then; versioned records, and back.
//! Promise: as in [`super::schema`]. What was said outlives its item: the record has the words' hash and the title, and is
//! there until it is taken back. Taking it back gives the item the standing that it had before, as far as what it was
//! a copy of is still there. What makes no sense (a copy of itself, of its own copy) is refused in words and writes nothing.
//! Not here: what it means for items that come in later ([`crate::pipeline::commit`]); how standings are changed
//! ([`super::relations`]).

use std::borrow::Cow;
use std::ops::Bound;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::engine::{Read, Table};
use super::reader::Store;
use super::relations::{Alike, Standing, alike, fingerprint_of};
use super::schema::{
    JudgedV1, OriginalV1, Stored, damaged, judged_of, judged_v1, kind_code, kind_of, original_of, original_v1, plain,
    unplain,
};
use super::staged::Staged;
use super::writer::{Change, Writer};
use super::{StoreError, keys, records, values};
use crate::dedup::{Original, Verdict, VerdictKind};
use crate::id::{ContentHash, ItemId};
use crate::item::{Correction, Judged};

/// What a person says of a verdict.
#[derive(Clone, Debug, PartialEq)]
pub enum Correcting {
    /// The item is no copy: it becomes an item of its own.
    Split {
        /// Which item: a copy, one that is superseded, or one that is linked to another.
        item: ItemId,
        /// Why.
        why: Option<String>,
    },
    /// The item is a copy.
    Join {
        /// Which item.
        item: ItemId,
        /// Of what: an item (of a copy its original is taken) or a document of a corpus.
        of: Original,
        /// How alike they are, where `of` is a document of a corpus: the store has none.
        alike: Option<(VerdictKind, f32)>,
        /// Why.
        why: Option<String>,
    },
    /// What was said of the item is taken back.
    Forget {
        /// Which item; it may have been removed since.
        item: ItemId,
    },
}

/// What came of a [`Correcting`].
#[derive(Clone, Debug, PartialEq)]
pub struct Corrected {
    /// Which item it was about.
    pub item: ItemId,
    /// The copies that are listed under another original now.
    pub moved: Vec<ItemId>,
}

/// What was said of an item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// Of which item.
    pub item: ItemId,
    /// What.
    pub judged: Judged,
    /// The item's title then.
    pub title: String,
    /// The hash of its text then.
    pub content: Option<ContentHash>,
    /// The verdict that it got by it.
    pub verdict: Verdict,
    /// The verdict that the program had given.
    pub before: Verdict,
    /// By what it was superseded before, and how much of it is in that.
    pub superseded: Option<(ItemId, f32)>,
}

impl Said {
    /// What was said, where an item with this verdict is what was said.
    pub(super) fn fitting(self, verdict: &Verdict) -> Option<Judged> {
        let joined = self.judged.kind == Correction::Joined;
        (joined == verdict.kind.is_duplicate()).then_some(self.judged)
    }
}

#[derive(Serialize, Deserialize)]
struct SaidV1<'a> {
    judged: JudgedV1<'a>,
    title: Cow<'a, str>,
    content: Option<[u8; 16]>,
    verdict: VerdictV1<'a>,
    before: VerdictV1<'a>,
    superseded: Option<([u8; 16], f32)>,
}

#[derive(Serialize, Deserialize)]
struct VerdictV1<'a> {
    kind: u8,
    of: Option<OriginalV1<'a>>,
    similarity: f32,
}

fn verdict_v1(verdict: &Verdict) -> VerdictV1<'_> {
    let Verdict { kind, of, similarity } = verdict;
    VerdictV1 { kind: kind_code(*kind), of: of.as_ref().map(original_v1), similarity: *similarity }
}

fn verdict_of(verdict: VerdictV1<'static>) -> Result<Verdict, String> {
    let VerdictV1 { kind, of, similarity } = verdict;
    Ok(Verdict { kind: kind_of(kind)?, of: of.map(original_of), similarity })
}

pub(super) fn put(staged: &mut Staged<'_>, said: &Said) -> Result<(), StoreError> {
    let Said { item, judged, title, content, verdict, before, superseded } = said;
    let record = SaidV1 {
        judged: judged_v1(judged),
        title: title.as_str().into(),
        content: content.map(|hash| hash.0),
        verdict: verdict_v1(verdict),
        before: verdict_v1(before),
        superseded: superseded.map(|(by, contained)| (by.0, contained)),
    };
    let bytes = plain(&record, || what(*item))?;
    values::put(staged, Table::Corrections, &keys::id(*item), &bytes)
}

/// What was said of an item.
pub(super) fn of(read: &impl Read, item: ItemId) -> Result<Option<Said>, StoreError> {
    let bytes = values::get(read, Table::Corrections, &keys::id(item))?;
    bytes.map(|bytes| decode(&item.0, &bytes)).transpose()
}

/// A record of [`Table::Corrections`].
pub(super) fn decode(key: &[u8], bytes: &[u8]) -> Result<Said, StoreError> {
    let item = key.try_into().map(ItemId).map_err(|_| {
        let what = format!("the correction {}", values::hex(key));
        damaged(what, "its key is no item's id")
    })?;
    let SaidV1 { judged, title, content, verdict, before, superseded } = unplain(bytes, || what(item))?;
    let read = || -> Result<Said, String> {
        Ok(Said {
            item,
            judged: judged_of(judged)?,
            title: title.into_owned(),
            content: content.map(ContentHash),
            verdict: verdict_of(verdict)?,
            before: verdict_of(before)?,
            superseded: superseded.map(|(by, contained)| (ItemId(by), contained)),
        })
    };
    read().map_err(|error| damaged(what(item), &error))
}

fn what(item: ItemId) -> String {
    format!("the correction of {item}")
}

impl Store {
    /// What people said of verdicts, in the order of the items' ids.
    pub fn corrections(&self) -> Result<Vec<Said>, StoreError> {
        let engine = &self.inner.engine;
        let mut said = Vec::new();
        for entry in engine.scan(Table::Corrections, (Bound::Unbounded, Bound::Unbounded)) {
            let (key, _) = entry?;
            // None: taken back since.
            if let Some(bytes) = values::get(engine, Table::Corrections, &key)? {
                said.push(decode(&key, &bytes)?);
            }
        }
        Ok(said)
    }

    /// What was said of an item's verdict; also of one that was removed.
    pub fn correction(&self, item: ItemId) -> Result<Option<Said>, StoreError> {
        of(&self.inner.engine, item)
    }

    /// Whether a stored item, with which new texts are compared, has this very text.
    pub fn has_content(&self, item: ItemId, hash: ContentHash) -> Result<bool, StoreError> {
        let engine = &self.inner.engine;
        let Some((no, _)) = records::known(engine, item)? else { return Ok(false) };
        Ok(records::load(engine, no)?.is_some_and(|stored| stored.is_compared() && stored.content_hash == Some(hash)))
    }
}

impl Writer {
    /// Does what a person says of a verdict, keeps it, and tells it in the log.
    ///
    /// - `Split`: the item is `new` from then on, with a text of its own; the copies that are nearer to it than to what it was
    ///   listed under go with it. Of what it expands it is no fuller text any more: that comes into sight.
    /// - `Join`: the item is a copy of what `of` names, of the kind that comparing gives, or `near`; its own copies move
    ///   there.
    /// - `Forget`: the item gets the standing back that it had.
    ///
    /// # Errors
    /// [`StoreError::Query`] where it makes no sense, in words; nothing was written then. Else as [`Writer::commit`].
    pub fn correct(&mut self, at: Timestamp, correcting: Correcting) -> Result<Corrected, StoreError> {
        self.write(Some(at), |change| {
            let (item, moved) = match correcting {
                Correcting::Split { item, why } => (item, change.split(item, why)?),
                Correcting::Join { item, of, alike, why } => (item, change.join(item, &of, alike, why)?),
                Correcting::Forget { item } => (item, change.forget(item)?),
            };
            Ok(Corrected { item, moved })
        })
    }
}

fn refused<T>(words: String) -> Result<T, StoreError> {
    Err(StoreError::Query(words))
}

impl Change<'_> {
    fn whole(&self, item: ItemId) -> Result<Stored, StoreError> {
        let no = records::known(&self.staged, item)?.map(|(no, _)| no);
        match no.map_or(Ok(None), |no| records::load_whole(&self.staged, no))? {
            Some(stored) => Ok(stored),
            None => refused(format!("there is no item `{item}`")),
        }
    }

    fn split(&mut self, item: ItemId, why: Option<String>) -> Result<Vec<ItemId>, StoreError> {
        let stored = self.whole(item)?;
        let linked =
            matches!(stored.item.verdict.kind, VerdictKind::Expands | VerdictKind::Update | VerdictKind::Related);
        let link = stored.item.verdict.of.clone().filter(|_| linked);
        let Some(from) = stored.item.original().or(link) else {
            let copies = self.listed_under(&Original::Item(item))?.len();
            let hint = if copies == 0 { "" } else { "; to take a copy out of its list, name the copy" };
            return refused(format!("the item `{item}` is an item of its own already{hint}"));
        };
        // What is superseded has a verdict that says nothing of the text that took its place.
        let superseded = stored.item.superseded_by.is_some();
        let verdict = if superseded { stored.item.verdict.clone() } else { Verdict::new_item() };
        self.say(&stored, Correction::Split, from.clone(), why, verdict)?;
        let mut moved = Vec::new();
        if !stored.item.is_hidden()
            && let Some(shorter) = self.superseded_by(&from, item)?
        {
            self.place(shorter.no, Standing { superseded: None, ..Standing::of(&shorter) })?;
            moved.push(shorter.item.id);
            moved.extend(self.share(&Original::Item(item), shorter.item.id)?);
        }
        if stored.item.is_hidden() {
            moved.extend(self.share(&from, item)?);
        }
        Ok(moved)
    }

    /// The item that `original` names, where it is superseded by `by`.
    fn superseded_by(&self, original: &Original, by: ItemId) -> Result<Option<Stored>, StoreError> {
        let Original::Item(id) = original else { return Ok(None) };
        Ok(self.stored_item(*id)?.filter(|stored| !stored.is_duplicate() && stored.item.superseded_by == Some(by)))
    }

    fn join(
        &mut self,
        item: ItemId,
        of: &Original,
        measured: Option<Alike>,
        why: Option<String>,
    ) -> Result<Vec<ItemId>, StoreError> {
        let stored = self.whole(item)?;
        if *of == Original::Item(item) {
            return refused(format!("the item `{item}` cannot be a copy of itself"));
        }
        if let Original::Item(id) = of {
            self.whole(*id)?;
        }
        let root = self.root(of)?;
        if root == Original::Item(item) {
            return refused(format!(
                "`{of}` is listed under `{item}` itself; `rasid dedup split` it first, and join the other one then"
            ));
        }
        let target = self.target(&root)?;
        let found = measured.or_else(|| alike(&fingerprint_of(&stored), &target));
        // However little they look alike: a person says so.
        let (kind, similarity) = found.map_or((VerdictKind::Near, 0.0), |(kind, similarity)| {
            (if kind.is_duplicate() { kind } else { VerdictKind::Near }, similarity)
        });
        let moved = self.move_copies(item, &root, (kind, similarity))?;
        let verdict = Verdict { kind, of: Some(root), similarity };
        self.say(&stored, Correction::Joined, of.clone(), why, verdict)?;
        Ok(moved)
    }

    /// Keeps what is said, and gives the item the verdict that follows.
    fn say(
        &mut self,
        stored: &Stored,
        kind: Correction,
        of: Original,
        why: Option<String>,
        verdict: Verdict,
    ) -> Result<(), StoreError> {
        let item = stored.item.id;
        let (before, superseded) = match self::of(&self.staged, item)? {
            // What the program had said, not what another person had.
            Some(Said { before, superseded, .. }) => (before, superseded),
            None => {
                let Standing { verdict, superseded, .. } = Standing::of(stored);
                (verdict, superseded)
            }
        };
        let judged = Judged { kind, of, at: self.at, why };
        let title = stored.item.content.title.clone();
        let said = Said {
            item,
            judged: judged.clone(),
            title,
            content: stored.content_hash,
            verdict: verdict.clone(),
            before,
            superseded,
        };
        put(&mut self.staged, &said)?;
        self.place(stored.no, Standing { verdict, superseded: None, judged: Some(judged) })
    }

    fn forget(&mut self, item: ItemId) -> Result<Vec<ItemId>, StoreError> {
        let Some(said) = of(&self.staged, item)? else {
            return refused(format!("nothing was said of `{item}`; `rasid dedup list` shows what was"));
        };
        values::remove(&mut self.staged, Table::Corrections, &keys::id(item))?;
        self.look_again_at(item)?;
        let stored = match self.stored_item(item)? {
            Some(stored) if stored.item.judged.is_some() => stored,
            // It was removed, or what was said holds no more.
            _ => return Ok(Vec::new()),
        };
        let listed_before = match said.superseded {
            Some((by, contained)) => Some((Original::Item(by), (VerdictKind::Contained, contained))),
            None if said.before.kind.is_duplicate() => {
                said.before.of.clone().map(|of| (of, (said.before.kind, said.before.similarity)))
            }
            None => None,
        };
        if let Some((original, found)) = listed_before
            && let Some(root) = self.still_there(&original, item)?
        {
            return self.put_back(&stored, said, &original, root, found);
        }
        let from = stored.item.original();
        let in_sight = !stored.item.is_hidden();
        let verdict = match said.before.kind {
            // It was revised since, which changes nothing of what it is to others.
            VerdictKind::New | VerdictKind::Revision if in_sight => stored.item.verdict.clone(),
            kind if kind.is_duplicate() => Verdict::new_item(),
            _ => said.before,
        };
        self.place(stored.no, Standing { verdict, superseded: None, judged: None })?;
        let moved = match from {
            Some(from) => self.share(&from, item)?,
            None => Vec::new(),
        };
        if let Some(stored) = self.stored_item(item)? {
            self.supersede(&stored.item)?;
        }
        Ok(moved)
    }

    /// What is in sight of an original, where anything but `item` itself is.
    fn still_there(&self, original: &Original, item: ItemId) -> Result<Option<Original>, StoreError> {
        let root = self.root(original)?;
        let there = match &root {
            Original::Item(id) => *id != item && records::known(&self.staged, *id)?.is_some(),
            Original::Corpus { .. } => true,
        };
        Ok(there.then_some(root))
    }

    /// Lists an item again where the program had listed it.
    fn put_back(
        &mut self,
        stored: &Stored,
        said: Said,
        original: &Original,
        root: Original,
        found: Alike,
    ) -> Result<Vec<ItemId>, StoreError> {
        let item = stored.item.id;
        let found = if root == *original {
            found
        } else {
            let direct = alike(&fingerprint_of(&self.whole(item)?), &self.target(&root)?);
            direct.filter(|(kind, _)| kind.is_duplicate()).unwrap_or(found)
        };
        let moved = self.move_copies(item, &root, found)?;
        let standing = match (&root, said.superseded) {
            (Original::Item(by), Some(_)) => {
                Standing { verdict: said.before, superseded: Some((*by, found.1)), judged: None }
            }
            _ => {
                let verdict = Verdict { kind: found.0, of: Some(root), similarity: found.1 };
                Standing { verdict, superseded: None, judged: None }
            }
        };
        self.place(stored.no, standing)?;
        Ok(moved)
    }
}
