//! Whether an item is a copy of something known, and of what.

pub mod corpus;
pub mod fingerprint;
pub mod index;
pub mod verdict;

pub use fingerprint::Fingerprint;
pub use verdict::{Original, Verdict, VerdictKind};
