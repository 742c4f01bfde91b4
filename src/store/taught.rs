//! What people said of items, what topics learned from it, and by which topics items were classified.
//!
//! In: [`Judgement`]s, models, the progress of a [`Reclassification`]. Out: versioned records, and back.
//! Promise: as in [`super::schema`]. Only models may be given up: one that this program does not read is learned anew, for
//! all that it was learned from is kept beside it. A judgement carries the terms of what was judged, so that it outlives
//! the item.
//! Not here: learning and reclassifying ([`crate::pipeline`]).

use std::collections::BTreeMap;
use std::ops::Bound;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::engine::{Read, Table, prefix_range};
use super::reader::Store;
use super::schema::{damaged, plain, time_of, unplain};
use super::staged::Staged;
use super::{StoreError, keys, records, values};
use crate::id::{ItemId, TopicId};
use crate::item::Item;
use crate::topic::bag::{Background, Bag};
use crate::topic::like::{Learned, Trial};
use crate::topic::{TopicMatch, Topics};

/// In meta: a [`Classified`].
pub(super) const CLASSIFIED: &[u8] = b"classified";
/// In meta: a [`Reclassification`].
pub(super) const RECLASSIFICATION: &[u8] = b"reclassification";
/// The key of the background among the models: no topic's id is empty.
const BACKGROUND: &[u8] = b"\0";

/// What somebody said of an item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// Of which topic.
    pub topic: TopicId,
    /// Of which item.
    pub item: ItemId,
    /// Whether it belongs to the topic.
    pub yes: bool,
    /// When it was said.
    pub at: Timestamp,
    /// The item's title then.
    pub title: String,
    /// The item's terms then.
    pub bag: Bag,
}

#[derive(Serialize, Deserialize)]
struct JudgementV1 {
    yes: bool,
    at: i128,
    title: String,
    bag: Bag,
}

/// What a topic has learned.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// A hash of the examples and counter-examples.
    pub from: u64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub learned: Learned,
    /// How it does on what it has not learned from.
    pub trial: Trial,
}

#[derive(Serialize, Deserialize)]
struct ModelV1 {
    from: u64,
    at: i128,
    learned: Learned,
    trial: Trial,
}

/// Goes up when the same article gets other terms, or the same examples another model: then all is learned anew.
const TERMS: u32 = 2;
/// By what the terms of models are made.
pub const TERM_RULES: (u32, u32) = (TERMS, crate::text::normalize::VERSION);

#[derive(Serialize, Deserialize)]
struct BackgroundV1 {
    rules: (u32, u32),
    items: u64,
    background: Background,
}

/// Everything that topics have learned.
#[derive(Clone, Debug, Default)]
pub struct Taught {
    /// How rare terms are, for all the models.
    pub background: Background,
    /// How many items were stored when the background was made; none while there is no background.
    pub items: Option<u64>,
    /// By topic; also of topics that are not configured any more.
    pub models: BTreeMap<TopicId, Model>,
}

impl Taught {
    /// The topics with what they have learned.
    pub fn apply(&self, topics: &Topics) -> Topics {
        let learned = self.models.iter().map(|(topic, model)| (topic.clone(), model.learned.clone())).collect();
        topics.with_learned(&self.background, &learned)
    }
}

/// By which topics the stored items were classified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classified {
    /// The version of the topics.
    pub version: u64,
    /// How many items, duplicates too, were stored before this version came into force, and not classified by it since.
    pub stale: u64,
}

/// How far a reclassification is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Reclassification {
    /// The version of the topics that it classifies by.
    pub version: u64,
    /// The one topic that it looks at; all where there is none.
    pub topic: Option<TopicId>,
    /// Only items published since.
    pub since: Option<Timestamp>,
    /// The number of the item that it goes on with.
    pub next: u64,
    /// The number of the last item.
    pub last: u64,
    /// About how many items there are to look at.
    pub total: u64,
    /// How many were looked at.
    pub examined: u64,
    /// How many of them have other topics now.
    pub changed: u64,
    /// When it began.
    pub begun: Timestamp,
    /// When it was done.
    pub ended: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct ReclassificationV1 {
    version: u64,
    topic: Option<String>,
    since: Option<i128>,
    next: u64,
    last: u64,
    total: u64,
    examined: u64,
    changed: u64,
    begun: i128,
    ended: Option<i128>,
}

/// Whether two classifications say the same, in whatever order.
pub(super) fn same(one: &Item, other: &[TopicMatch]) -> bool {
    let sorted = |list: &[TopicMatch]| {
        let mut list = list.to_vec();
        list.sort_by(|a, b| a.id.cmp(&b.id));
        list
    };
    one.topics.len() == other.len() && sorted(&one.topics) == sorted(other)
}

fn judgement_key(topic: &TopicId, item: ItemId) -> Vec<u8> {
    [keys::name(topic.as_str()), keys::id(item)].concat()
}

pub(super) fn put_judgement(staged: &mut Staged<'_>, judgement: &Judgement) -> Result<(), StoreError> {
    let Judgement { topic, item, yes, at, title, bag } = judgement;
    let record = JudgementV1 { yes: *yes, at: at.as_nanosecond(), title: title.clone(), bag: bag.clone() };
    let bytes = plain(&record, || format!("the judgement of {item} for {topic}"))?;
    values::put(staged, Table::Judgements, &judgement_key(topic, *item), &bytes)
}

pub(super) fn has_judgement(read: &impl Read, topic: &TopicId, item: ItemId) -> Result<bool, StoreError> {
    Ok(read.get(Table::Judgements, &judgement_key(topic, item))?.is_some())
}

pub(super) fn forget_judgement(staged: &mut Staged<'_>, topic: &TopicId, item: ItemId) -> Result<(), StoreError> {
    values::remove(staged, Table::Judgements, &judgement_key(topic, item))
}

pub(super) fn decode_judgement(key: &[u8], bytes: &[u8]) -> Result<Judgement, StoreError> {
    let what = || format!("the judgement {}", values::hex(key));
    let read = || -> Option<(TopicId, ItemId)> {
        let (name, item) = key.split_last_chunk::<16>()?;
        let name = std::str::from_utf8(name.strip_suffix(b"\0")?).ok()?;
        Some((name.parse().ok()?, ItemId(*item)))
    };
    let (topic, item) = read().ok_or_else(|| damaged(what(), "its key is not a topic and an item"))?;
    let JudgementV1 { yes, at, title, bag } = unplain(bytes, what)?;
    let at = time_of(at).map_err(|error| damaged(what(), &error))?;
    Ok(Judgement { topic, item, yes, at, title, bag })
}

pub(super) fn put_model(staged: &mut Staged<'_>, topic: &TopicId, model: &Model) -> Result<(), StoreError> {
    let Model { from, at, learned, trial } = model.clone();
    let record = ModelV1 { from, at: at.as_nanosecond(), learned, trial };
    let bytes = plain(&record, || format!("what {topic} has learned"))?;
    values::put(staged, Table::Learned, &keys::name(topic.as_str()), &bytes)
}

pub(super) fn remove_model(staged: &mut Staged<'_>, topic: &TopicId) -> Result<(), StoreError> {
    values::remove(staged, Table::Learned, &keys::name(topic.as_str()))
}

fn decode_model(topic: &str, bytes: &[u8]) -> Result<Model, StoreError> {
    let what = || format!("what `{topic}` has learned");
    let ModelV1 { from, at, learned, trial } = unplain(bytes, what)?;
    let at = time_of(at).map_err(|error| damaged(what(), &error))?;
    Ok(Model { from, at, learned, trial })
}

pub(super) fn put_background(staged: &mut Staged<'_>, items: u64, of: &Background) -> Result<(), StoreError> {
    let record = BackgroundV1 { rules: TERM_RULES, items, background: of.clone() };
    let bytes = plain(&record, || "how rare terms are".to_owned())?;
    values::put(staged, Table::Learned, BACKGROUND, &bytes)
}

pub(super) fn classified(read: &impl Read) -> Result<Option<Classified>, StoreError> {
    let bytes = read.get(Table::Meta, CLASSIFIED)?;
    bytes.map(|bytes| unplain(&bytes, || "the version of the topics".to_owned())).transpose()
}

pub(super) fn put_classified(staged: &mut Staged<'_>, classified: Classified) -> Result<(), StoreError> {
    let bytes = plain(&classified, || "the version of the topics".to_owned())?;
    staged.put(Table::Meta, CLASSIFIED.to_vec(), bytes);
    Ok(())
}

pub(super) fn reclassification(read: &impl Read) -> Result<Option<Reclassification>, StoreError> {
    let Some(bytes) = read.get(Table::Meta, RECLASSIFICATION)? else { return Ok(None) };
    let what = || "the progress of reclassifying".to_owned();
    let record: ReclassificationV1 = unplain(&bytes, what)?;
    let read = || -> Result<Reclassification, String> {
        Ok(Reclassification {
            version: record.version,
            topic: record.topic.map(|topic| topic.parse()).transpose()?,
            since: record.since.map(time_of).transpose()?,
            next: record.next,
            last: record.last,
            total: record.total,
            examined: record.examined,
            changed: record.changed,
            begun: time_of(record.begun)?,
            ended: record.ended.map(time_of).transpose()?,
        })
    };
    read().map(Some).map_err(|error| damaged(what(), &error))
}

pub(super) fn put_reclassification(staged: &mut Staged<'_>, progress: &Reclassification) -> Result<(), StoreError> {
    let record = ReclassificationV1 {
        version: progress.version,
        topic: progress.topic.as_ref().map(ToString::to_string),
        since: progress.since.map(Timestamp::as_nanosecond),
        next: progress.next,
        last: progress.last,
        total: progress.total,
        examined: progress.examined,
        changed: progress.changed,
        begun: progress.begun.as_nanosecond(),
        ended: progress.ended.map(Timestamp::as_nanosecond),
    };
    let bytes = plain(&record, || "the progress of reclassifying".to_owned())?;
    staged.put(Table::Meta, RECLASSIFICATION.to_vec(), bytes);
    Ok(())
}

/// Checks one record of a table of this file.
pub(super) fn check(table: Table, key: &[u8], bytes: &[u8]) -> Result<(), StoreError> {
    match table {
        Table::Judgements => decode_judgement(key, bytes).map(|_| ()),
        _ if key == BACKGROUND => unplain::<BackgroundV1>(bytes, || "how rare terms are".to_owned()).map(|_| ()),
        _ => decode_model(&values::hex(key), bytes).map(|_| ()),
    }
}

impl Store {
    /// What was said of items for a topic, in the order of their ids.
    pub fn judgements(&self, topic: &TopicId) -> Result<Vec<Judgement>, StoreError> {
        let engine = &self.inner.engine;
        let mut judgements = Vec::new();
        for entry in engine.scan(Table::Judgements, prefix_range(&keys::name(topic.as_str()))) {
            let (key, _) = entry?;
            // None: taken back since.
            if let Some(bytes) = values::get(engine, Table::Judgements, &key)? {
                judgements.push(decode_judgement(&key, &bytes)?);
            }
        }
        Ok(judgements)
    }

    /// What topics have learned. A record that this program does not read is left out, and learned anew.
    pub fn taught(&self) -> Result<Taught, StoreError> {
        let engine = &self.inner.engine;
        let mut taught = Taught::default();
        for entry in engine.scan(Table::Learned, (Bound::Unbounded, Bound::Unbounded)) {
            let (key, _) = entry?;
            let Some(bytes) = values::get(engine, Table::Learned, &key)? else { continue };
            if key == BACKGROUND {
                match unplain::<BackgroundV1>(&bytes, || "how rare terms are".to_owned()) {
                    Ok(record) if record.rules == TERM_RULES => {
                        (taught.background, taught.items) = (record.background, Some(record.items));
                    }
                    // Models mean nothing without it.
                    Ok(_) => return Ok(Taught::default()),
                    Err(error) => {
                        tracing::warn!(%error, "what topics have learned is learned anew");
                        return Ok(Taught::default());
                    }
                }
                continue;
            }
            let name = String::from_utf8_lossy(key.strip_suffix(b"\0").unwrap_or(&key)).into_owned();
            match (name.parse(), decode_model(&name, &bytes)) {
                (Ok(topic), Ok(model)) => {
                    taught.models.insert(topic, model);
                }
                (_, Err(error)) => tracing::warn!(%error, "it is learned anew"),
                (Err(_), _) => {}
            }
        }
        if taught.items.is_none() {
            taught.models.clear();
        }
        Ok(taught)
    }

    /// The newest items by publication that are not duplicates, at most `most` of them, newest first.
    pub fn newest(&self, most: usize, each: &mut dyn FnMut(Item)) -> Result<(), StoreError> {
        let engine = &self.inner.engine;
        let mut given = 0;
        for entry in engine.scan(Table::ByTime, (Bound::Unbounded, Bound::Unbounded)).rev() {
            let (key, value) = entry?;
            if given == most {
                break;
            }
            if value.first().is_some_and(|flags| flags & records::DUPLICATE != 0) {
                continue;
            }
            let Some((_, no)) = keys::place(&key) else { continue };
            // None: removed since the entry was read.
            if let Some(stored) = records::load_whole(engine, no)? {
                given += 1;
                each(stored.item);
            }
        }
        Ok(())
    }

    /// By which topics the items were classified; none while nothing is stored.
    pub fn classified(&self) -> Result<Option<Classified>, StoreError> {
        classified(&self.inner.engine)
    }

    /// The last reclassification, whether it is done or not.
    pub fn reclassification(&self) -> Result<Option<Reclassification>, StoreError> {
        reclassification(&self.inner.engine)
    }
}
