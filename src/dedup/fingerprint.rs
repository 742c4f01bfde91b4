//! What copies of a text are recognized by.
use crate::id::ContentHash;
use serde::{Deserialize, Serialize};

/// One-way: no word can be read back from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Of the normalized text. `None` where there are no words (no key is ever made of an empty field).
    pub content: Option<ContentHash>,
    /// Of the normalized title; `None` where it is empty.
    pub title: Option<u64>,
    /// Winnowed 3-word shingles, window 4, sorted, distinct.
    pub shingles: Vec<u32>,
    /// Hash of the multiset of numbers and weekdays in the text.
    pub numbers: u64,
    /// Words in the text.
    pub words: u32,
}

impl Fingerprint {
    pub fn of(_title: &str, _text: &str) -> Self {
        unimplemented!()
    }
}
