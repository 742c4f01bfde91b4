//! What stored items are to one another: copies of an original, superseded by a fuller text, or neither.
//!
//! In: an item and what it is to become. Out: its record, those of the copies that go with it, and a log record for each.
//! Promise: an original is in sight: it is neither a copy nor superseded, so what is listed under it is one step away. No
//! text is lost when an original changes, turns out to be a copy, or is removed; and what an original hid comes into
//! sight when it goes. Whether new texts are compared with an item follows from its record alone, and what changes of that
//! is told ([`Moved`]), so that an index in memory stays what one made from the store would be.
//! Not here: who decides it: the verdicts ([`crate::dedup`]), a person ([`super::corrections`]), retention
//! ([`super::retention`]).

use jiff::{SignedDuration, Timestamp};
use xxhash_rust::xxh3::xxh3_64;

use super::engine::{Read as _, Table};
use super::schema::{self, Borrowed, Stored};
use super::writer::Change;
use super::{StoreError, fingerprints, keys, pins, records, values};
use crate::dedup::apart::apart;
use crate::dedup::compare::{Context, Marks, Overlap, relate_unless_apart};
use crate::dedup::{Fingerprint, Original, Verdict, VerdictKind};
use crate::id::{ItemId, Seq};
use crate::item::{Correction, Item, Judged, LogKind};

/// How many copies of copies are followed to the original. The writer lets no chain arise; this bounds one that is there.
const MAX_CHAIN: usize = 16;

/// So much of a summary stands in its full text, where neither title nor address says that it is one: of 8,000 articles in
/// the order of their dates 51 expand another, 50 of them as another report would, and those have less.
const WHOLE: f32 = 0.9;

/// A title tells of one report so long; daily columns have the same every day.
const SAME_TITLE_WITHIN: SignedDuration = SignedDuration::from_hours(12);

/// How alike two texts are: the kind, and the similarity of a verdict.
pub(super) type Alike = (VerdictKind, f32);

/// What new texts have to be compared with from now on, and with what not any more.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moved {
    /// Items with the time that the window keeps them by, and their fingerprints.
    pub compared: Vec<(ItemId, Timestamp, Fingerprint)>,
    /// Items that are found through their originals.
    pub uncompared: Vec<ItemId>,
}

impl Moved {
    /// The later word on an item counts.
    pub(super) fn extend(&mut self, later: Self) {
        for (id, at, fingerprint) in later.compared {
            self.uncompared.retain(|gone| *gone != id);
            self.compared.push((id, at, fingerprint));
        }
        for id in later.uncompared {
            self.compared.retain(|(compared, ..)| *compared != id);
            self.uncompared.push(id);
        }
    }
}

/// An original with what copies of it are compared by, where that is stored.
pub(super) struct Target {
    pub(super) original: Original,
    fingerprint: Option<Fingerprint>,
}

/// What an item is to others.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Standing {
    pub(super) verdict: Verdict,
    /// The fuller text that took its place, and how much of it is in that.
    pub(super) superseded: Option<(ItemId, f32)>,
    pub(super) judged: Option<Judged>,
}

impl Standing {
    pub(super) fn of(stored: &Stored) -> Self {
        let Item { verdict, superseded_by, judged, .. } = &stored.item;
        let superseded = superseded_by.map(|by| (by, stored.contained));
        Self { verdict: verdict.clone(), superseded, judged: judged.clone() }
    }
}

impl Change<'_> {
    /// What is in sight of what `original` names: the original of a copy, the fuller text of what is superseded.
    pub(super) fn root(&self, original: &Original) -> Result<Original, StoreError> {
        let mut of = original.clone();
        for _ in 0..MAX_CHAIN {
            let Original::Item(id) = &of else { break };
            let Some((no, known)) = records::known(&self.staged, *id)? else { break };
            if !known.duplicate && !known.superseded {
                break;
            }
            match records::load(&self.staged, no)?.and_then(|stored| stored.item.original()) {
                Some(further) => of = further,
                None => break,
            }
        }
        Ok(of)
    }

    pub(super) fn target(&self, original: &Original) -> Result<Target, StoreError> {
        let fingerprint = match original {
            Original::Corpus { .. } => None,
            Original::Item(id) => match records::known(&self.staged, *id)? {
                None => None,
                Some((no, _)) => values::get(&self.staged, Table::Fingerprints, &keys::number(no))?
                    .map(|bytes| fingerprints::decode(no, &bytes))
                    .transpose()?
                    .map(|stored| stored.fingerprint),
            },
        };
        Ok(Target { original: original.clone(), fingerprint })
    }

    /// The verdict as it is stored with a new item.
    pub(super) fn settled(
        &self,
        id: ItemId,
        verdict: Verdict,
        fingerprint: &Fingerprint,
    ) -> Result<Verdict, StoreError> {
        if verdict.kind == VerdictKind::Revision {
            // What it would revise is not stored (any more).
            return Ok(Verdict::new_item());
        }
        let Some(named) = verdict.of.as_ref().filter(|_| verdict.kind.is_copy()) else { return Ok(verdict) };
        let root = self.root(named)?;
        if root == Original::Item(id) {
            return Ok(Verdict::new_item());
        }
        let Original::Item(named_id) = named else { return Ok(verdict) };
        let step = match records::known(&self.staged, *named_id)? {
            Some((no, known)) if root != *named && known.compared => records::load(&self.staged, no)?,
            // The original itself, or a copy that nothing is compared with: whoever named it knows better.
            _ if verdict.kind.is_duplicate() => return Ok(Verdict { of: Some(root), ..verdict }),
            _ => return Ok(verdict),
        };
        // It was found through a text that is not in sight: what counts is how it relates to the one that is.
        let direct = alike(fingerprint, &self.target(&root)?);
        if !verdict.kind.is_duplicate() {
            return Ok(match direct {
                Some((VerdictKind::Expands, similarity)) => {
                    Verdict { kind: VerdictKind::Expands, of: Some(root), similarity }
                }
                _ => verdict,
            });
        }
        let through = step.map_or((verdict.kind, verdict.similarity), |step| listed(&step));
        let (kind, similarity) = direct
            .filter(|(kind, _)| kind.is_duplicate())
            .unwrap_or_else(|| joined((verdict.kind, verdict.similarity), through));
        Ok(Verdict { kind, of: Some(root), similarity })
    }

    /// Lets a copy that says letter for letter what its stored original says do without a text of its own.
    pub(super) fn borrow_text(&self, stored: &mut Stored) -> Result<(), StoreError> {
        let (VerdictKind::Exact, Some(Original::Item(original))) = (stored.item.verdict.kind, &stored.item.verdict.of)
        else {
            return Ok(());
        };
        let text = &mut stored.item.content.text;
        if text.is_empty() {
            return Ok(());
        }
        let Some((no, _)) = records::known(&self.staged, *original)? else { return Ok(()) };
        // Only letter for letter: `exact` means equal after normalizing, and what the publisher wrote is not lost.
        if records::load(&self.staged, no)?
            .is_some_and(|lender| lender.borrowed.is_none() && lender.item.content.text == *text)
        {
            stored.borrowed = Some(Borrowed { no, hash: xxh3_64(text.as_bytes()) });
            text.clear();
        }
        Ok(())
    }

    /// Gives `text`, which item `no` is about to lose, to the copies that borrow it.
    pub(super) fn lend_no_more(&mut self, id: ItemId, no: u64, text: &str) -> Result<(), StoreError> {
        for (key, value) in self.staged.prefix(Table::Copies, &keys::original(&Original::Item(id)))? {
            let (_, borrows) = schema::decode_copy(&value)?;
            let Some(copy) = keys::last_number(&key).filter(|_| borrows) else { continue };
            let Some(old) = records::load(&self.staged, copy)? else { continue };
            if old.borrowed.is_some_and(|borrowed| borrowed.no == no) {
                let mut new = old.clone();
                new.borrowed = None;
                text.clone_into(&mut new.item.content.text);
                self.replace(Some(&old), Some(&new))?;
            }
        }
        Ok(())
    }

    /// Lets a new item that is the full text of another take that one's place, unless a person wants it in sight.
    pub(super) fn supersede(&mut self, by: &Item) -> Result<(), StoreError> {
        let (VerdictKind::Expands, Some(Original::Item(shorter))) = (by.verdict.kind, &by.verdict.of) else {
            return Ok(());
        };
        let Some(stored) = self.stored_item(*shorter)? else { return Ok(()) };
        let kept = stored.item.judged.as_ref().is_some_and(|judged| judged.kind == Correction::Split);
        if stored.item.is_hidden() || kept || !self.is_full_text(by, &stored)? {
            return Ok(());
        }
        let contained = (VerdictKind::Contained, by.verdict.similarity);
        self.move_copies(*shorter, &Original::Item(by.id), contained)?;
        let standing = Standing { superseded: Some((by.id, contained.1)), ..Standing::of(&stored) };
        self.place(stored.no, standing)
    }

    /// Whether what expands another is its full text, rather than another report with the same background, or a page with the
    /// same teasers.
    fn is_full_text(&self, by: &Item, of: &Stored) -> Result<bool, StoreError> {
        let (full, summary) = (self.target(&Original::Item(by.id))?, self.target(&Original::Item(of.item.id))?);
        let (Some(full), Some(summary)) = (full.fingerprint, summary.fingerprint) else { return Ok(false) };
        let (full, summary) = (Marks::of(&full), Marks::of(&summary));
        let address = by.content.canonical_url.is_some() && by.content.canonical_url == of.item.content.canonical_url;
        let whole = by.verdict.similarity >= WHOLE && full.same_opening(&summary);
        let apart = by.content.published_at.duration_since(of.item.content.published_at).abs();
        let title = full.same_title(&summary) && apart <= SAME_TITLE_WITHIN;
        Ok(by.id != of.item.id && (address || whole || title))
    }

    /// The record of an item, with its text only where that is its own.
    pub(super) fn stored_item(&self, id: ItemId) -> Result<Option<Stored>, StoreError> {
        match records::known(&self.staged, id)? {
            Some((no, _)) => records::load(&self.staged, no),
            None => Ok(None),
        }
    }

    /// Gives an item another standing, and tells it. Copies of an item that goes out of sight have to be moved before.
    pub(super) fn place(&mut self, no: u64, standing: Standing) -> Result<(), StoreError> {
        let (Some(old), Some(mut new)) = (records::load(&self.staged, no)?, records::load_whole(&self.staged, no)?)
        else {
            return Ok(());
        };
        if Standing::of(&old) == standing {
            return Ok(());
        }
        if let (Some(Correction::Joined), Some(Original::Item(of))) =
            (old.item.judged.as_ref().map(|judged| judged.kind), old.item.original())
        {
            // That held what it was listed under.
            self.look_again_at(of)?;
        }
        let Standing { verdict, superseded, judged } = standing;
        new.borrowed = None;
        new.contained = superseded.map_or(0.0, |(_, contained)| contained);
        let item = &mut new.item;
        (item.verdict, item.judged, item.superseded_by) = (verdict, judged, superseded.map(|(by, _)| by));
        item.seq = Seq(self.next_seq);
        match (old.is_compared(), new.is_compared()) {
            (false, true) => {
                let fingerprint = fingerprint_of(&new);
                new.content_hash = fingerprint.content;
                let record = fingerprints::encode(&new.item, &fingerprint)?;
                values::put(&mut self.staged, Table::Fingerprints, &keys::number(no), &record)?;
                let at = fingerprints::window_time(new.item.content.published_at, new.item.stored_at);
                self.moved.extend(Moved { compared: vec![(new.item.id, at, fingerprint)], ..Moved::default() });
            }
            (true, false) => {
                values::remove(&mut self.staged, Table::Fingerprints, &keys::number(no))?;
                self.moved.extend(Moved { uncompared: vec![new.item.id], ..Moved::default() });
            }
            _ => {}
        }
        self.borrow_text(&mut new)?;
        let kind = match (old.item.is_hidden(), new.item.is_hidden()) {
            (_, true) => LogKind::Duplicate,
            (true, false) => LogKind::New,
            (false, false) => LogKind::Revised,
        };
        self.replace(Some(&old), Some(&new))?;
        self.log(kind, &new, Vec::new())
    }

    /// What is listed under an original.
    pub(super) fn listed_under(&self, original: &Original) -> Result<Vec<Stored>, StoreError> {
        let entries = self.staged.prefix(Table::Copies, &keys::original(original))?;
        let numbers = entries.iter().filter_map(|(key, _)| keys::last_number(key));
        numbers.filter_map(|no| records::load_whole(&self.staged, no).transpose()).collect()
    }

    /// Lists under `to` what is listed under `from`, which is about to be listed there itself, being `through` to it.
    pub(super) fn move_copies(
        &mut self,
        from: ItemId,
        to: &Original,
        through: Alike,
    ) -> Result<Vec<ItemId>, StoreError> {
        let target = self.target(to)?;
        let mut moved = Vec::new();
        for stored in self.listed_under(&Original::Item(from))? {
            if Original::Item(stored.item.id) == *to {
                continue;
            }
            let direct = alike(&fingerprint_of(&stored), &target).filter(|(kind, _)| kind.is_duplicate());
            let found = direct.unwrap_or_else(|| joined(listed(&stored), through));
            moved.push(stored.item.id);
            self.list_under(&stored, to, found)?;
        }
        Ok(moved)
    }

    /// Lists an item that is not in sight under another original.
    pub(super) fn list_under(&mut self, stored: &Stored, to: &Original, found: Alike) -> Result<(), StoreError> {
        let mut standing = Standing::of(stored);
        match to {
            Original::Item(by) if !stored.is_duplicate() => standing.superseded = Some((*by, found.1)),
            _ => {
                standing.verdict = Verdict { kind: found.0, of: Some(to.clone()), similarity: found.1 };
                standing.superseded = None;
            }
        }
        self.place(stored.no, standing)
    }

    /// Lists under `to`, which has just come into sight, what is nearer to it than to `from`, where it was listed: all that
    /// say the same, and what is more alike. What a person has placed stays there.
    pub(super) fn share(&mut self, from: &Original, to: ItemId) -> Result<Vec<ItemId>, StoreError> {
        let original = Original::Item(to);
        let target = self.target(&original)?;
        let mut moved = Vec::new();
        for stored in self.listed_under(from)? {
            if stored.item.id == to || stored.item.judged.is_some() {
                continue;
            }
            let Some(found) = alike(&fingerprint_of(&stored), &target).filter(|(kind, _)| kind.is_duplicate()) else {
                continue;
            };
            if found.0 == VerdictKind::Exact || stronger(found, listed(&stored)) {
                moved.push(stored.item.id);
                self.list_under(&stored, &original, found)?;
            }
        }
        Ok(moved)
    }

    /// Before an original is removed: of what it hid and is to stay, the most alike come into sight, and the others are
    /// listed under these.
    pub(super) fn bring_up(&mut self, id: ItemId, stays: &dyn Fn(&Stored) -> bool) -> Result<(), StoreError> {
        let mut left = self.listed_under(&Original::Item(id))?;
        left.retain(stays);
        left.sort_by_key(|stored| (listed(stored).0.weakness(), stored.no));
        let mut heads: Vec<Target> = Vec::new();
        for stored in left {
            let fingerprint = fingerprint_of(&stored);
            let mut best: Option<(&Target, Alike)> = None;
            for head in &heads {
                let found = alike(&fingerprint, head).filter(|(kind, _)| kind.is_duplicate());
                if let Some(found) = found.filter(|found| best.is_none_or(|(_, best)| stronger(*found, best))) {
                    best = Some((head, found));
                }
            }
            if let Some((head, found)) = best {
                let original = head.original.clone();
                self.list_under(&stored, &original, found)?;
                continue;
            }
            let mut standing = Standing { superseded: None, ..Standing::of(&stored) };
            if stored.is_duplicate() {
                // That it was joined is remembered, and holds nothing any more.
                (standing.verdict, standing.judged) = (Verdict::new_item(), None);
            }
            self.place(stored.no, standing)?;
            heads.push(Target { original: Original::Item(stored.item.id), fingerprint: Some(fingerprint) });
        }
        Ok(())
    }

    /// Removes an item with all that follows from it, its pin too. What it hid comes into sight where that `stays`; what does
    /// not is to be removed as well.
    pub(super) fn remove(&mut self, stored: &Stored, stays: &dyn Fn(&Stored) -> bool) -> Result<(), StoreError> {
        let no = stored.no;
        self.bring_up(stored.item.id, stays)?;
        self.lend_no_more(stored.item.id, no, &stored.item.content.text)?;
        // Lending may have rewritten this very record.
        self.replace(records::load(&self.staged, no)?.as_ref(), None)?;
        values::remove(&mut self.staged, Table::Fingerprints, &keys::number(no))?;
        self.staged.remove(Table::Window, keys::number(no));
        if pins::is_pinned(&self.staged, stored.item.id)? {
            values::remove(&mut self.staged, Table::Pins, &keys::id(stored.item.id))?;
        }
        self.moved.extend(Moved { uncompared: vec![stored.item.id], ..Moved::default() });
        let revisions = self.staged.prefix(Table::Revisions, &keys::number(no))?;
        for (key, _) in &revisions {
            values::remove(&mut self.staged, Table::Revisions, key)?;
        }
        self.bump(records::REVISIONS, -i64::try_from(revisions.len()).unwrap_or(i64::MAX))?;
        self.log(LogKind::Removed, stored, Vec::new())
    }
}

/// How alike a text and an original are; none where they have too little in common, or nothing of the original is stored.
pub(super) fn alike(new: &Fingerprint, target: &Target) -> Option<Alike> {
    let known = target.fingerprint.as_ref()?;
    if new.content.is_some() && new.content == known.content {
        return Some((VerdictKind::Exact, 1.0));
    }
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let overlap =
        Overlap { shared: new.shared_with(known), new: count(new.shingles.len()), known: count(known.shingles.len()) };
    let relation = relate_unless_apart(&Marks::of(new), &Marks::of(known), overlap, Context::default(), || {
        apart(&new.shingles, &known.shingles)
    })?;
    Some((relation.kind, relation.similarity))
}

/// What an item with its text is compared by.
pub(super) fn fingerprint_of(whole: &Stored) -> Fingerprint {
    Fingerprint::of(&whole.item.content.title, &whole.item.content.text)
}

/// As what an item stands in the list of its original.
pub(super) fn listed(stored: &Stored) -> Alike {
    let verdict = &stored.item.verdict;
    if stored.is_duplicate() { (verdict.kind, verdict.similarity) } else { (VerdictKind::Contained, stored.contained) }
}

/// What a copy is to the original of its original, where comparing the two says nothing.
fn joined(one: Alike, other: Alike) -> Alike {
    let kind = if one.0.weakness() < other.0.weakness() { other.0 } else { one.0 };
    (kind, one.1.min(other.1))
}

fn stronger(one: Alike, other: Alike) -> bool {
    (one.0.weakness(), -one.1) < (other.0.weakness(), -other.1)
}
