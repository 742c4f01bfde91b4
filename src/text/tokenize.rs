//! Words and sentences of a normalized text.
use std::ops::Range;

/// A text as words, each knowing where it stands in the original.
/// One-letter proclitics that stand apart (`لـ "هجوم`, `الـ CSTO`) are glued to the word that follows.
#[derive(Clone, Debug, Default)]
pub struct Words {}

impl Words {
    pub fn of(_original: &str) -> Self {
        unimplemented!()
    }
    pub fn len(&self) -> usize {
        unimplemented!()
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The normalized word `i`.
    pub fn get(&self, _i: usize) -> &str {
        unimplemented!()
    }
    /// The number of the sentence that word `i` stands in, from 0.
    pub fn sentence(&self, _i: usize) -> u32 {
        unimplemented!()
    }
    /// Where the words `words` (half-open indices) stand in the original, in Unicode scalar values, half-open.
    pub fn original(&self, _words: Range<usize>) -> Range<usize> {
        unimplemented!()
    }
    pub fn iter(&self) -> impl Iterator<Item = &str> + '_ {
        (0..self.len()).map(|i| self.get(i))
    }
}
