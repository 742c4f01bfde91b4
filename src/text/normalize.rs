//! Normalization, with the way back to the original.
use std::ops::Range;

/// The version of the rules; fingerprints of another version do not compare.
pub const VERSION: u32 = 1;

/// A normalized text that remembers where each of its characters came from.
#[derive(Clone, Debug)]
pub struct Normalized {
    text: String,
}

impl Normalized {
    pub fn of(_original: &str) -> Self {
        unimplemented!()
    }
    pub fn as_str(&self) -> &str {
        &self.text
    }
    /// Bytes of the normalized text to Unicode scalar values of the original, both half-open.
    pub fn original(&self, _bytes: Range<usize>) -> Range<usize> {
        unimplemented!()
    }
}

/// The normalized text alone.
pub fn normalize(_original: &str) -> String {
    unimplemented!()
}
