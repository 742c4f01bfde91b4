//! `/api/v1/dedup`: what people said of verdicts, and correcting one.
//!
//! In: an item that is no copy, an item that is one and of what, an item of which nothing is to be said any more. Out: the
//! item as it stands then, and which copies went with it; a listing of all that was said.
//! Promise: an answer means that it is on the disk, told in the log and in force for what comes in. What makes no sense is
//! refused in words, and changes nothing.
//! Not here: what becomes of the items ([`crate::store::Correcting`]).

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use serde::{Deserialize, Serialize};

use super::items::Name;
use super::problem::Problem;
use super::request::{self, Params};
use super::{Control, Shared};
use crate::dedup::{Original, Verdict};
use crate::id::ItemId;
use crate::item::{Item, Judged};
use crate::store::{Corrected, Correcting, Said};

/// The longest reason, in characters.
pub(super) const MAX_WHY: usize = 500;

/// All that was said of verdicts.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Corrections {
    /// The latest first.
    pub corrections: Vec<CorrectionView>,
}

/// What was said of one item.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CorrectionView {
    /// Of which item.
    pub item: ItemId,
    /// What.
    #[serde(flatten)]
    pub judged: Judged,
    /// The item's title then.
    pub title: String,
    /// What the program had said.
    pub before: Verdict,
    /// Whether the item is still stored.
    pub stored: bool,
}

/// What came of a correction.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CorrectedView {
    /// The item as it stands now; none where it was removed before.
    pub item: Option<Item>,
    /// The copies that are listed under another original now.
    pub moved: Vec<ItemId>,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Split {
    #[schemars(regex(pattern = "^([0-9a-fA-F]{32}|[0-9]{1,19})$"))]
    item: String,
    #[serde(default)]
    #[schemars(length(max = MAX_WHY))]
    why: Option<String>,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Join {
    #[schemars(regex(pattern = "^([0-9a-fA-F]{32}|[0-9]{1,19})$"))]
    item: String,
    #[schemars(regex(pattern = "^([0-9a-fA-F]{32}|[0-9]{1,19}|item:[0-9a-f]{32}|corpus:[^/]+/.+)$"))]
    of: String,
    #[serde(default)]
    #[schemars(length(max = MAX_WHY))]
    why: Option<String>,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Forget {
    #[schemars(regex(pattern = "^([0-9a-fA-F]{32}|[0-9]{1,19})$"))]
    item: String,
}

pub(super) async fn list(State(shared): State<Shared>, uri: Uri) -> Result<Json<Corrections>, Problem> {
    Params::read(&uri, &[])?;
    let read = shared.blocking(|state| {
        let view = |said: Said| {
            let Said { item, judged, title, before, .. } = said;
            let stored = state.store.known(item)?.is_some();
            Ok(CorrectionView { item, judged, title, before, stored })
        };
        state.store.corrections()?.into_iter().map(view).collect::<Result<Vec<_>, _>>()
    });
    let mut corrections = read.await?;
    corrections.sort_by_key(|said| (std::cmp::Reverse(said.judged.at), said.item));
    Ok(Json(Corrections { corrections }))
}

pub(super) async fn split(
    State(shared): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<CorrectedView>, Problem> {
    Params::read(&uri, &[])?;
    let Split { item, why } = request::json(&headers, body).await?;
    let (item, why) = (find(&shared, "item", item).await?, reason(why)?);
    correct(&shared, Correcting::Split { item, why }).await
}

pub(super) async fn join(
    State(shared): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<CorrectedView>, Problem> {
    Params::read(&uri, &[])?;
    let Join { item, of, why } = request::json(&headers, body).await?;
    let (item, why) = (find(&shared, "item", item).await?, reason(why)?);
    let of = match of.parse() {
        Ok(Original::Corpus { corpus, document }) => {
            let loaded = shared.loaded();
            let known =
                loaded.corpora.get(&corpus).is_some_and(|corpus| corpus.documents.iter().any(|d| d.id == document));
            if !known {
                return Err(Problem::missing(format!("no loaded corpus has the document `{corpus}/{document}`")));
            }
            Original::Corpus { corpus, document }
        }
        Ok(Original::Item(id)) => Original::Item(find(&shared, "of", id.to_string()).await?),
        Err(_) => Original::Item(find(&shared, "of", of).await?),
    };
    correct(&shared, Correcting::Join { item, of, alike: None, why }).await
}

pub(super) async fn forget(
    State(shared): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<CorrectedView>, Problem> {
    Params::read(&uri, &[])?;
    let Forget { item } = request::json(&headers, body).await?;
    // What was said outlives the item.
    let item = match item.parse() {
        Ok(id) => id,
        Err(_) => find(&shared, "item", item).await?,
    };
    correct(&shared, Correcting::Forget { item }).await
}

async fn correct(shared: &Shared, correcting: Correcting) -> Result<Json<CorrectedView>, Problem> {
    match shared.ask(|answer| Control::Correct { correcting, answer }).await {
        Some(Ok(Corrected { item, moved })) => {
            let item = shared.blocking(move |state| state.store.item(item)).await?;
            Ok(Json(CorrectedView { item, moved }))
        }
        Some(Err(reason)) => Err(Problem::refused(reason)),
        None => Err(Problem::nobody("correcting a verdict")),
    }
}

/// The id of the item that `text` names in the field `field`.
async fn find(shared: &Shared, field: &str, text: String) -> Result<ItemId, Problem> {
    const ALLOWED: &str = "an id of 32 hexadecimal digits, a position in the log, or `corpus:NAME/DOCUMENT`";
    let allowed = if field == "of" { ALLOWED } else { Name::ALLOWED };
    let name = Name::read(&text).ok_or_else(|| Problem::parameter(field, &text, allowed))?;
    match shared.blocking(move |state| name.find(&state.store)).await? {
        Some(item) => Ok(item.id),
        None => Err(Problem::missing(format!("there is no item `{text}`; nothing was changed"))),
    }
}

pub(super) fn reason(why: Option<String>) -> Result<Option<String>, Problem> {
    let why = why.map(|why| why.trim().to_owned()).filter(|why| !why.is_empty());
    if why.as_ref().is_some_and(|why| why.chars().count() > MAX_WHY) {
        return Err(Problem::body(format!("`why` is longer than {MAX_WHY} characters; say it shorter")));
    }
    Ok(why)
}
