//! (to be written)
/// All corpora, loaded.
#[derive(Debug, Default)]
pub struct Corpora {}
