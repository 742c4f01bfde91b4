//! (to be written)
use super::{Article, TopicMatch};
/// All topics, compiled.
#[derive(Debug, Default)]
pub struct Topics {}
impl Topics {
    /// The topics that `article` is about (match or maybe), best first.
    pub fn classify(&self, _article: &Article<'_>) -> Vec<TopicMatch> {
        unimplemented!()
    }
}
