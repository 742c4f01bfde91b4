//! The decision: new, or a copy of what.
//!
//! In: a fingerprint, the corpora, the items of the window, and what the store knows of the exact text and the address.
//! Out: a [`Verdict`].
//! Promise: the same inputs give the same verdict, whatever the order in which candidates are found.
//! Not here: revisions of an item by its own feed ([`crate::source`]), and what a verdict means for storing.
//!
//! What is asked, in this order; the first answer stands:
//! 1. A corpus document that the text is an exact, near or partial copy of. Corpora are originals by definition.
//! 2. An item with the same exact text.
//! 3. A corpus document that the text contains.
//! 4. An item that the text is a near copy of, is contained in, or contains; the item at the same address among them.
//! 5. A corpus document, then an item, that reports the same with other numbers or of others (`update`).
//! 6. The item at the same address; a corpus document, then an item, with less in common (`related`).
//!
//! Within a step: the strongest kind, the greatest similarity, the oldest.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::ItemId;

use super::apart::apart;
use super::compare::{Context, LEAST_SHARED, Marks, Relation, relate_unless_apart};
use super::corpus::Corpora;
use super::fingerprint::Fingerprint;
use super::index::{Found, Index};

/// How an item relates to what was known before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum VerdictKind {
    /// Nothing like it is known.
    New,
    /// The same entry in other words.
    Revision,
    /// The same text.
    Exact,
    /// Nearly the same text.
    Near,
    /// An excerpt of the original.
    Contained,
    /// The original is an excerpt of it.
    Expands,
    /// The same wording with other numbers, another day or other names.
    Update,
    /// Passages in common.
    Related,
}

impl VerdictKind {
    /// `exact`, `near` and `contained`: stored small, pointing to the original.
    pub const fn is_duplicate(self) -> bool {
        matches!(self, Self::Exact | Self::Near | Self::Contained)
    }

    /// `exact`, `near`, `contained` and `expands`: one of the two texts holds the other, or most of it.
    pub const fn is_copy(self) -> bool {
        self.is_duplicate() || matches!(self, Self::Expands)
    }

    /// 0 for the kind that says most; orders the kinds.
    pub const fn weakness(self) -> u8 {
        match self {
            Self::Revision => 0,
            Self::Exact => 1,
            Self::Near => 2,
            Self::Contained => 3,
            Self::Expands => 4,
            Self::Update => 5,
            Self::Related => 6,
            Self::New => 7,
        }
    }
}

/// What an item is a copy of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Original {
    /// A stored item.
    Item(ItemId),
    /// A document of a corpus: `corpus:seed/002_…`.
    Corpus {
        /// The corpus.
        corpus: String,
        /// The document.
        document: String,
    },
}

impl fmt::Display for Original {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Item(id) => write!(f, "item:{id}"),
            Self::Corpus { corpus, document } => write!(f, "corpus:{corpus}/{document}"),
        }
    }
}

impl FromStr for Original {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(id) = text.strip_prefix("item:") {
            return id.parse().map(Self::Item);
        }
        text.strip_prefix("corpus:")
            .and_then(|rest| rest.split_once('/'))
            .map(|(corpus, document)| Self::Corpus { corpus: corpus.to_owned(), document: document.to_owned() })
            .ok_or_else(|| format!("`{text}` names neither an item nor a document of a corpus"))
    }
}

impl Serialize for Original {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Original {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

crate::units::text_schema!(
    Original,
    "^(item:[0-9a-f]{32}|corpus:[^/]+/.+)$",
    "`item:` and an id, or `corpus:`, its name, `/` and a document.";
);

/// The verdict on one item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Verdict {
    /// What it is.
    pub kind: VerdictKind,
    /// Of what; `None` where it is new.
    pub of: Option<Original>,
    /// How much of the smaller text is in the larger (containment), 0 to 1; 1 for exact and revision.
    pub similarity: f32,
}

impl Verdict {
    /// Nothing like it is known.
    pub const fn new_item() -> Self {
        Self { kind: VerdictKind::New, of: None, similarity: 0.0 }
    }
}

/// A text to be judged.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// What it looks like.
    pub fingerprint: &'a Fingerprint,
    /// When it was published.
    pub published_at: Timestamp,
}

/// What the store knows for ever. Neither names the item that is being judged, nor a duplicate where its original is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// An item of another feed with the same canonical URL.
    pub by_url: Option<ItemId>,
    /// An item with the same [`Fingerprint::content`].
    pub by_content: Option<ItemId>,
}

/// Texts with fewer words than this, titles included, are no evidence of anything when they are the same.
pub const TELLING_WORDS: u32 = 4;

/// The shingles of an item of the window in the order of its text, where they are at hand.
pub type Wording<'a> = &'a dyn Fn(ItemId) -> Option<Vec<u32>>;

/// The verdict on `subject`. `wording` is asked of the few items that share about half of it, and not more.
pub fn decide(subject: &Subject<'_>, corpora: &Corpora, index: &Index, known: &Known, wording: Wording<'_>) -> Verdict {
    let marks = Marks::of(subject.fingerprint);
    let corpus = corpora.matches_of(subject.fingerprint).into_iter().next().map(|found| Verdict {
        kind: found.kind,
        of: Some(found.original()),
        similarity: found.similarity,
    });
    let exact = known.by_content.filter(|_| subject.fingerprint.has_words(TELLING_WORDS)).map(|id| Verdict {
        kind: VerdictKind::Exact,
        of: Some(Original::Item(id)),
        similarity: 1.0,
    });
    let item = best_item(subject, &marks, index, known.by_url, wording);
    let address = known.by_url.or(known.by_content).map(|id| Verdict {
        kind: VerdictKind::Related,
        of: Some(Original::Item(id)),
        similarity: item.as_ref().filter(|v| v.of == Some(Original::Item(id))).map_or(0.0, |v| v.similarity),
    });

    let of = |verdict: &Option<Verdict>, fits: fn(VerdictKind) -> bool| verdict.clone().filter(|v| fits(v.kind));
    of(&corpus, VerdictKind::is_duplicate)
        .or(exact)
        .or_else(|| of(&corpus, VerdictKind::is_copy))
        .or_else(|| of(&item, VerdictKind::is_copy))
        .or_else(|| of(&corpus, |kind| kind == VerdictKind::Update))
        .or_else(|| of(&item, |kind| kind == VerdictKind::Update))
        .or(address)
        .or(corpus)
        .or(item)
        .unwrap_or_else(Verdict::new_item)
}

fn best_item(
    subject: &Subject<'_>,
    marks: &Marks,
    index: &Index,
    by_url: Option<ItemId>,
    wording: Wording<'_>,
) -> Option<Verdict> {
    let judge = |found: &Found<'_>| {
        let days = subject.published_at.duration_since(found.item.at).abs();
        let context =
            Context { same_address: by_url == Some(found.item.id), same_day: days <= SignedDuration::from_hours(24) };
        let apart = || wording(found.item.id).is_some_and(|known| apart(&subject.fingerprint.shingles, &known));
        relate_unless_apart(marks, &found.item.marks, found.overlap, context, apart)
    };
    let candidates = index.candidates(subject.fingerprint, LEAST_SHARED);
    let (found, relation) = candidates
        .iter()
        .filter_map(|found| judge(found).map(|relation| (found, relation)))
        .min_by(|a, b| weaker(&a.1, &b.1).then(a.0.item.at.cmp(&b.0.item.at)).then(a.0.item.id.cmp(&b.0.item.id)))?;
    Some(Verdict { kind: relation.kind, of: Some(Original::Item(found.item.id)), similarity: relation.similarity })
}

fn weaker(a: &Relation, b: &Relation) -> Ordering {
    let kind = a.kind.weakness().cmp(&b.kind.weakness());
    kind.then(b.similarity.total_cmp(&a.similarity)).then(b.jaccard.total_cmp(&a.jaccard))
}
