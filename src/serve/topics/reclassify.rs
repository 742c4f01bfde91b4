//! `/api/v1/topics/reclassify`: gives stored items the topics that are in force now.
//!
//! In: one topic or none, a time or none. Out: how far it is. It goes on in the background; asking again shows the
//! progress.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use serde::{Deserialize, Serialize};

use super::super::params;
use super::super::problem::Problem;
use super::super::request::{self, Params};
use super::super::{Control, Shared, State as Served};
use crate::id::TopicId;
use crate::store::{Reclassification, StoreError};

/// How stored items and the topics in force go together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Reclassifying {
    /// The version of the topics in force.
    pub version: u64,
    /// About how many stored items were classified by other topics and not since.
    pub stale: u64,
    /// The last reclassification, done or under way.
    pub last: Option<Reclassification>,
}

impl Reclassifying {
    /// Reads it from the store.
    pub(in crate::serve) fn read(state: &Served) -> Result<Self, StoreError> {
        let version = state.loaded.borrow().topics.version();
        let stats = state.store.stats()?;
        let stored = stats.items + stats.duplicates;
        let stale = match state.store.classified()? {
            Some(classified) if classified.version == version => classified.stale.min(stored),
            _ => stored,
        };
        Ok(Self { version, stale, last: state.store.reclassification()? })
    }
}

/// What is to be reclassified.
#[derive(Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::serve) struct AskedToReclassify {
    /// One topic; all unless given.
    topic: Option<TopicId>,
    /// Only items published since: as the parameter `since` of listings.
    #[schemars(schema_with = "params::optional_time")]
    since: Option<String>,
}

pub(in crate::serve) async fn reclassifying(
    State(shared): State<Shared>,
    uri: Uri,
) -> Result<Json<Reclassifying>, Problem> {
    Params::read(&uri, &[])?;
    Ok(Json(shared.blocking(Reclassifying::read).await?))
}

pub(in crate::serve) async fn reclassify(
    State(shared): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Reclassification>, Problem> {
    Params::read(&uri, &[])?;
    let AskedToReclassify { topic, since } = request::json(&headers, body).await?;
    let since = since.map(|text| request::since("since", &text, (shared.state.clock)())).transpose()?;
    if let Some(wanted) = &topic
        && shared.loaded().topics.get(wanted).is_none()
    {
        // One that is not configured any more is taken off the items that have it.
        let stats = shared.blocking(|state| state.store.stats()).await?;
        if !stats.by_topic.iter().any(|(known, _)| known == wanted) {
            return Err(Problem::missing(format!("there is no topic `{wanted}`, and no item has it")));
        }
    }
    match shared.ask(|answer| Control::Reclassify { topic, since, answer }).await {
        Some(Ok(begun)) => Ok(Json(begun)),
        Some(Err(reason)) => Err(Problem::refused(reason)),
        None => Err(Problem::nobody("reclassifying")),
    }
}
