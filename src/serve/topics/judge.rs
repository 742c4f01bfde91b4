//! `/api/v1/topics/{id}/judgements`: what people said of items, and what the topic learns from it.
//!
//! In: items that belong to a topic, items that do not, items of which nothing is to be said any more. Out: how the topic
//! does on what it has not learned from, before and after, and the stored items about which it changed its mind.
//! Promise: an answer means that the judgements are on the disk and the topic that learned from them is in force.
//! Not here: learning itself (the daemon's loop, asked through [`Control`]).

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::items::Name;
use super::super::problem::Problem;
use super::super::request::{self, Params, segment};
use super::super::{Control, Loaded, Shared};
use crate::id::{ItemId, Seq, TopicId};
use crate::item::Item;
use crate::store::{Judgement, Model};
use crate::topic::bag::Bag;
use crate::topic::like::Way;
use crate::topic::{Decision, Topic, TopicMatch};

/// How a topic learns.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LikeView {
    /// What likeness adds where it is enough by itself.
    pub weight: f32,
    /// Examples in files.
    pub files: usize,
    /// Stored items that the configuration names as examples.
    pub items: usize,
    /// Packed corpora whose documents are examples.
    #[serde(default)]
    pub corpora: Vec<String>,
    /// What was learned; none before the first example.
    pub model: Option<ModelView>,
}

impl LikeView {
    pub(super) fn of(topic: &Topic, loaded: &Loaded) -> Option<Self> {
        let like = topic.like()?;
        Some(Self {
            weight: like.weight,
            files: loaded.examples.get(topic.id()).map_or(0, Vec::len),
            items: like.items.len(),
            corpora: like.corpora.clone(),
            model: loaded.taught.models.get(topic.id()).map(ModelView::of),
        })
    }
}

/// What a topic has learned, and how it does on what it has not learned from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ModelView {
    /// How it was learned: `rocchio` from few examples, `logistic` from many.
    pub way: Way,
    /// From how many examples.
    pub examples: u32,
    /// How many of them a model of the others finds alone (strength 1 or more); none of a packed corpus can be held out.
    pub examples_found: usize,
    /// Against how many counter-examples.
    pub against: u32,
    /// How many of them a model of the others leaves below strength 1.
    pub against_left: usize,
    /// Against how many articles of the stream.
    pub stream: u32,
    /// How many of them have strength 1 or more.
    pub stream_found: u32,
    /// Of the examples against all others, each judged by a model that has not seen it: 1 where every example stands first.
    /// Of one example nothing is left to learn from when it is held out, so there is none.
    pub average_precision: Option<f32>,
    /// When.
    pub at: Timestamp,
}

impl ModelView {
    /// The figures of a model.
    pub fn of(model: &Model) -> Self {
        let Model { from: _, at, learned, trial } = model;
        Self {
            way: learned.way,
            examples: learned.examples,
            examples_found: trial.examples.iter().filter(|strength| **strength >= 1.0).count(),
            against: learned.against,
            against_left: trial.against.iter().filter(|strength| **strength < 1.0).count(),
            stream: learned.stream,
            stream_found: trial.of_stream,
            average_precision: (trial.examples.len() > 1).then_some(trial.average_precision),
            at: *at,
        }
    }
}

/// What came of judgements.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Learning {
    /// Of which topic.
    pub topic: TopicId,
    /// What it had learned before.
    pub before: Option<ModelView>,
    /// What it has learned now; none without an example.
    pub after: Option<ModelView>,
    /// How many of the newest stored items were looked at.
    pub looked_at: usize,
    /// How many of them are about the topic now, and were not.
    pub gained: usize,
    /// How many were, and are not any more.
    pub lost: usize,
    /// Those whose decision changed, newest first, at most 200.
    pub changed: Vec<Changed>,
}

/// An item about which a topic changed its mind.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Changed {
    /// The item.
    pub id: ItemId,
    /// Its number in listings.
    pub seq: Seq,
    /// Its title.
    pub title: String,
    /// What it was for the topic; none where it was nothing.
    pub before: Option<Judged>,
    /// What it is now.
    pub after: Option<Judged>,
}

/// A decision with its score.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Judged {
    /// How sure it is.
    pub decision: Decision,
    /// How much speaks for it.
    pub score: f32,
}

impl From<&TopicMatch> for Judged {
    fn from(found: &TopicMatch) -> Self {
        Self { decision: found.decision, score: found.score }
    }
}

/// What was said of items for a topic.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Judgements {
    /// Of which topic.
    pub topic: TopicId,
    /// How it learns, and what it has learned.
    pub like: LikeView,
    /// In the order of the items' ids.
    pub judgements: Vec<Said>,
}

/// What somebody said of an item.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Said {
    /// Of which item; it may have been removed since.
    pub item: ItemId,
    /// Whether it belongs to the topic.
    pub yes: bool,
    /// When it was said.
    pub at: Timestamp,
    /// The item's title then.
    pub title: String,
}

/// Items by id or position in the log. All lists empty: the topic learns again from what is known.
#[derive(Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::serve) struct AskedToJudge {
    /// Items that belong to the topic.
    #[schemars(length(max = MAX_ITEMS), inner(regex(pattern = "^([0-9a-fA-F]{32}|[0-9]{1,19})$")))]
    yes: Vec<String>,
    /// Items that do not.
    #[schemars(length(max = MAX_ITEMS), inner(regex(pattern = "^([0-9a-fA-F]{32}|[0-9]{1,19})$")))]
    no: Vec<String>,
    /// Items of which nothing is to be said any more.
    #[schemars(length(max = MAX_ITEMS), inner(regex(pattern = "^([0-9a-fA-F]{32}|[0-9]{1,19})$")))]
    forget: Vec<String>,
}

/// The most items in one request.
const MAX_ITEMS: usize = 1_000;

pub(in crate::serve) async fn judgements(
    State(shared): State<Shared>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Json<Judgements>, Problem> {
    Params::read(&uri, &[])?;
    let (topic, like) = learning_topic(&shared, path)?;
    let id = topic.clone();
    let said = shared.blocking(move |state| state.store.judgements(&id)).await?;
    let view = |judgement: Judgement| {
        let Judgement { topic: _, item, yes, at, title, bag: _ } = judgement;
        Said { item, yes, at, title }
    };
    Ok(Json(Judgements { topic, like, judgements: said.into_iter().map(view).collect() }))
}

pub(in crate::serve) async fn judge(
    State(shared): State<Shared>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Learning>, Problem> {
    Params::read(&uri, &[])?;
    let (topic, _) = learning_topic(&shared, path)?;
    let AskedToJudge { yes, no, forget } = request::json(&headers, body).await?;
    if yes.len() + no.len() + forget.len() > MAX_ITEMS {
        return Err(Problem::body(format!("more than {MAX_ITEMS} items at once; send them in parts")));
    }
    let at = (shared.state.clock)();
    let (yes, no, forget) = (named("yes", yes)?, named("no", no)?, named("forget", forget)?);
    let id = topic.clone();
    let looked_up = shared.blocking(move |state| {
        let (mut said, mut forgotten) = (Vec::new(), Vec::new());
        for (yes, (text, name)) in yes.into_iter().map(|n| (true, n)).chain(no.into_iter().map(|n| (false, n))) {
            let Some(Item { id: item, content, .. }) = name.find(&state.store)? else { return Ok(Err(text)) };
            let bag = Bag::read(&content.title, &content.text);
            said.push(Judgement { topic: id.clone(), item, yes, at, title: content.title, bag });
        }
        for (text, name) in forget {
            match (name.find(&state.store)?, name) {
                (Some(item), _) => forgotten.push(item.id),
                // A judgement outlives its item.
                (None, Name::Id(item)) => forgotten.push(item),
                (None, Name::At(_)) => return Ok(Err(text)),
            }
        }
        Ok(Ok((said, forgotten)))
    });
    let (said, forgotten) =
        looked_up.await?.map_err(|text| Problem::missing(format!("there is no item `{text}`; nothing was stored")))?;
    let mut ids: Vec<ItemId> = said.iter().map(|judgement| judgement.item).chain(forgotten.iter().copied()).collect();
    ids.sort_unstable();
    if let Some([twice, _]) = ids.array_windows().find(|[a, b]| a == b) {
        return Err(Problem::body(format!("the item `{twice}` is named twice; say one thing of it")));
    }
    match shared.ask(|answer| Control::Judge { topic, said, forgotten, answer }).await {
        Some(Ok(learning)) => Ok(Json(learning)),
        Some(Err(reason)) => Err(Problem::refused(reason)),
        None => Err(Problem::nobody("learning")),
    }
}

fn named(list: &str, items: Vec<String>) -> Result<Vec<(String, Name)>, Problem> {
    let read = |text: String| match Name::read(&text) {
        Some(name) => Ok((text, name)),
        None => Err(Problem::parameter(list, &text, Name::ALLOWED)),
    };
    items.into_iter().map(read).collect()
}

fn learning_topic(shared: &Shared, path: Result<Path<String>, PathRejection>) -> Result<(TopicId, LikeView), Problem> {
    let text = segment(path)?;
    let loaded = shared.loaded();
    let topic = text.parse().ok().and_then(|id: TopicId| loaded.topics.get(&id));
    let topic = topic.ok_or_else(|| Problem::missing(format!("there is no topic `{text}`")))?;
    let like = LikeView::of(topic, &loaded);
    let like = like.ok_or_else(|| {
        let how = "add [topic.like] to it in topics.toml; it may stand empty";
        Problem::refused(format!("the topic `{text}` does not learn from examples: {how}"))
    })?;
    Ok((topic.id().clone(), like))
}
