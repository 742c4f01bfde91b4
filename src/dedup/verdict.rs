//! The decision: new, or a copy of what.
use crate::id::ItemId;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// How an item relates to what was known before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VerdictKind {
    New,
    Revision,
    Exact,
    Near,
    Contained,
    Expands,
    Update,
    Related,
}

impl VerdictKind {
    /// `exact`, `near` and `contained`: stored small, pointing to the original.
    pub const fn is_duplicate(self) -> bool {
        matches!(self, Self::Exact | Self::Near | Self::Contained)
    }
}

/// What an item is a copy of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Original {
    /// A stored item.
    Item(ItemId),
    /// A document of a corpus: `corpus:seed/002_…`.
    Corpus { corpus: String, document: String },
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

/// The verdict on one item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    pub kind: VerdictKind,
    pub of: Option<Original>,
    /// How much of the smaller text is in the larger (containment), 0 to 1; 1 for exact and revision.
    pub similarity: f32,
}
