//! Which items tell of the same event in different words.
//!
//! In: titles and texts, in the order of the log. Out: for each item the story it belongs to, named after the item that
//! began it.
//! Promise: the same items in the same order give the same stories on every machine, whether the window was rebuilt on the
//! way or not; the window holds a bounded number of items, and an item a bounded number of terms.
//! Why so: a story is a link between items and never a reason to drop one, so a missed link costs little, while two
//! events in one story mislead. Where places speak against each other, or only some of a story's items agree, an item
//! begins a story of its own.
//! Not here: copies ([`crate::dedup`]), which take the story of their original; writing it down ([`crate::store`]).
//! Read next: [`sketch`], then [`window`]; `docs/stories.md` has the figures.

mod agree;
mod common;
mod places;
pub mod sketch;
#[cfg(test)]
mod tests;
pub mod title;
pub mod window;

use serde::{Deserialize, Serialize};

pub use sketch::Sketch;
pub use title::headline;
pub use window::{Member, Placed, Stories};

use crate::units::Span;

/// `[stories]` of `rasid.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoriesConfig {
    /// Whether items are put into stories.
    pub enabled: bool,
    /// How long after its first item a story takes others, by the time they were published.
    pub window: Span,
}

impl Default for StoriesConfig {
    fn default() -> Self {
        Self { enabled: true, window: Span::secs(72 * 3_600) }
    }
}
