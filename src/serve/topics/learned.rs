//! `/api/v1/topics/learned`: what the topics in force have learned, for commands that classify by other topics than those.
//!
//! In: nothing. Out: the bytes of [`Learnt`], whole: some megabytes where the background is large.
//! Promise: who applies it to the same topics classifies as the daemon does.
//! Not here: what it means ([`crate::topic::like`]).

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{HeaderName, Uri, header};
use serde::{Deserialize, Serialize};

use super::super::problem::Problem;
use super::super::request::Params;
use super::super::{Shared, State as Served};
use crate::id::TopicId;
use crate::store::{TERM_RULES, Taught};
use crate::topic::Topics;
use crate::topic::bag::Background;
use crate::topic::like::Learned;

/// What topics have learned.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Learnt {
    /// By what its terms are made: with others it means nothing.
    rules: (u32, u32),
    background: Background,
    models: BTreeMap<TopicId, Learned>,
}

impl Learnt {
    fn of(taught: &Taught) -> Self {
        let models = taught.models.iter().map(|(topic, model)| (topic.clone(), model.learned.clone()));
        Self { rules: TERM_RULES, background: taught.background.clone(), models: models.collect() }
    }

    /// Reads what the route answered.
    ///
    /// # Errors
    /// When a program of another version answered.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        match postcard::from_bytes::<Self>(bytes) {
            Ok(learnt) if learnt.rules == TERM_RULES => Ok(learnt),
            _ => Err("what the daemon's topics have learned is not what this version understands; is the daemon of \
                      another version?"
                .to_owned()),
        }
    }

    /// The topics with what they have learned. What was learned for others is left out.
    pub fn apply(&self, topics: &Topics) -> Topics {
        topics.with_learned(&self.background, &self.models)
    }

    /// Whether the topic has learned anything.
    pub fn knows(&self, topic: &TopicId) -> bool {
        self.models.contains_key(topic)
    }
}

pub(in crate::serve) async fn learned(
    State(shared): State<Shared>,
    uri: Uri,
) -> Result<([(HeaderName, &'static str); 1], Vec<u8>), Problem> {
    Params::read(&uri, &[])?;
    let bytes = shared.blocking(|state: &Served| {
        let taught = std::sync::Arc::clone(&state.loaded.borrow().taught);
        // Serializing plain numbers into memory has no way to fail.
        Ok(postcard::to_stdvec(&Learnt::of(&taught)).unwrap_or_default())
    });
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes.await?))
}
