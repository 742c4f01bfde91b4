//! Whether an item is a copy of something known, and of what.
//!
//! In: titles and texts, the loaded corpora, what was known before. Out: [`Fingerprint`]s and [`Verdict`]s.
//! Promise: the same texts in the same order give the same verdicts; a query looks at a bounded number of texts; no word
//! can be read back from what is kept.
//! Not here: looking up exact texts and addresses (the store does, for ever) and writing verdicts down.
//! Read next: [`fingerprint`], then [`verdict`]; `docs/duplicates.md` has the figures.

mod align;
pub mod apart;
pub mod changes;
pub mod compare;
pub mod corpus;
pub mod fingerprint;
pub mod index;
mod lines;
mod pack;
pub mod passages;
#[cfg(test)]
mod passages_tests;
mod places;
mod postings;
pub mod reason;
pub mod subjects;
mod table;
pub mod terms;
#[cfg(test)]
mod tests;
pub mod verdict;

use serde::{Deserialize, Serialize};

pub use corpus::{Corpora, Corpus};
pub use fingerprint::Fingerprint;
pub use index::Index;
pub use verdict::{Original, Verdict, VerdictKind, decide};

use crate::units::Span;

/// `[dedup]` of `rasid.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DedupConfig {
    /// How long an item's wording is compared with what comes after it. Corpora, exact texts and addresses never expire.
    pub window: Span,
}

impl Default for DedupConfig {
    fn default() -> Self {
        Self { window: Span::secs(30 * 86_400) }
    }
}
