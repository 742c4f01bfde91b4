//! Examples and judgements to what topics have learned.
//!
//! In: the topics in force with their examples, judgements from the store, a sample of what was stored. Out: models, stored
//! and then put in force.
//! Promise: a topic learns again when its examples or judgements change, and all do when twice as much is stored as when the
//! background was made; learning happens on a blocking thread and holds up neither polls nor the store; what is in force is
//! on the disk, so a restart classifies as before it.
//! Not here: how weights are found ([`crate::topic::like`]); writing, which the committer does ([`super::commit::Order`]).
//!
//! One background serves all the models, because an article is turned into a vector once for all of them. So a topic that
//! learns by itself is measured with the background that the others have, and a new background lets all learn again.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use super::commit::Order;
use super::{Stop, now};
use crate::dedup::Original;
use crate::id::{ItemId, TopicId};
use crate::serve::{Changed, Judged, Learning, Loaded, ModelView};
use crate::store::{Judgement, Model, Store, StoreError, Taught};
use crate::topic::bag::{Background, Bag};
use crate::topic::like::{Centre, Lesson, teach_with};
use crate::topic::{Topic, TopicMatch, Topics};

/// How many of the newest items stand for the stream: some 50 MB while learning.
const SAMPLE: usize = 4_000;
/// Fewer items are no stream that a score could be measured against.
const MIN_STREAM: u64 = 200;
/// How often it is looked at whether the stream has doubled.
const LOOK_EVERY: Duration = Duration::from_secs(3_600);
/// The same while there is no stream yet: what was learned against nothing is worth little.
const LOOK_SOON: Duration = Duration::from_secs(60);
/// The most items that are named in an answer.
const MAX_CHANGED: usize = 200;

/// A wish that a topic learns from judgements.
#[derive(Debug)]
pub struct Request {
    /// Which topic; one that learns.
    pub topic: TopicId,
    /// What was said.
    pub said: Vec<Judgement>,
    /// Whose judgements are taken back.
    pub forgotten: Vec<ItemId>,
    /// What came of it, or why nothing did.
    pub answer: oneshot::Sender<Result<Learning, String>>,
}

/// The learning loop.
pub struct Teacher {
    /// Where examples and the stream are.
    pub store: Store,
    /// The configuration in force; topics that have learned are put there.
    pub loaded: Arc<watch::Sender<Arc<Loaded>>>,
    /// To the committer.
    pub orders: mpsc::Sender<Order>,
    /// What people ask for.
    pub requests: mpsc::Receiver<Request>,
    /// Ends it.
    pub stop: Stop,
    /// Whether topics learn by themselves, too.
    pub automatic: bool,
}

/// What was learned at once.
struct Lessons {
    /// With the items stored when it was made, where there is another.
    background: Option<(u64, Arc<Background>)>,
    /// None where a topic has learned nothing.
    models: Vec<(TopicId, Option<Model>)>,
}

impl Lessons {
    /// What has been learned in all.
    fn added_to(&self, taught: &Taught) -> Taught {
        let mut all = taught.clone();
        if let Some((items, background)) = &self.background {
            (all.background, all.items) = (Background::clone(background), Some(*items));
        }
        for (topic, model) in &self.models {
            match model {
                Some(model) => all.models.insert(topic.clone(), model.clone()),
                None => all.models.remove(topic),
            };
        }
        all
    }
}

impl Teacher {
    /// Runs until the stop, or until nobody holds the configuration any more.
    pub async fn run(mut self) {
        let mut changes = self.loaded.subscribe();
        let mut look = self.automatic;
        loop {
            if look && let Err(reason) = self.look().await {
                tracing::error!("topics could not learn: {reason}");
            }
            let streamless = self.loaded.borrow().taught.items.is_none_or(|items| items < MIN_STREAM);
            let pause = if streamless { LOOK_SOON } else { LOOK_EVERY };
            tokio::select! {
                biased;
                () = self.stop.wait() => return,
                Some(request) = self.requests.recv() => {
                    let Request { topic, said, forgotten, answer } = request;
                    let result = self.judge(topic, said, forgotten).await;
                    if let Err(reason) = &result {
                        tracing::error!("a topic could not learn: {reason}");
                    }
                    let _gone = answer.send(result);
                    look = false;
                }
                changed = changes.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    look = self.automatic;
                }
                () = tokio::time::sleep(pause) => look = self.automatic,
            }
        }
    }

    /// Lets those learn that have to.
    async fn look(&self) -> Result<(), String> {
        let loaded = Arc::clone(&self.loaded.borrow());
        if loaded.topics.iter().all(|topic| topic.like().is_none()) {
            return Ok(());
        }
        let (store, stop) = (self.store.clone(), self.stop.clone());
        let learned = blocking(move || {
            let (due, anew) = due(&store, &loaded)?;
            if due.is_empty() { Ok(None) } else { learn(&store, &loaded, &due, anew, &stop) }
        });
        match learned.await? {
            Some(lessons) => self.put_in_force(lessons).await,
            None => Ok(()),
        }
    }

    async fn judge(&self, topic: TopicId, said: Vec<Judgement>, forgotten: Vec<ItemId>) -> Result<Learning, String> {
        let forgotten: Vec<(TopicId, ItemId)> = forgotten.into_iter().map(|item| (topic.clone(), item)).collect();
        if !said.is_empty() || !forgotten.is_empty() {
            self.order(|answer| Order::Judge { said, forgotten, answer }).await?;
        }
        let loaded = Arc::clone(&self.loaded.borrow());
        let (store, stop, id) = (self.store.clone(), self.stop.clone(), topic.clone());
        let learned = blocking(move || {
            let (mut due, anew) = due(&store, &loaded)?;
            if !due.contains(&id) {
                due.push(id.clone());
            }
            if !anew {
                due.retain(|topic| *topic == id);
            }
            let Some(lessons) = learn(&store, &loaded, &due, anew, &stop)? else { return Ok(None) };
            let taught = lessons.added_to(&loaded.taught);
            let mut learning = compare(&store, &id, &loaded.topics, &taught.apply(&loaded.topics))?;
            learning.before = loaded.taught.models.get(&id).map(ModelView::of);
            learning.after = taught.models.get(&id).map(ModelView::of);
            Ok(Some((lessons, learning)))
        });
        let Some((lessons, learning)) = learned.await? else {
            return Err("the daemon is stopping; the judgements are stored".to_owned());
        };
        self.put_in_force(lessons).await?;
        Ok(learning)
    }

    /// Stores what was learned, then puts it in force.
    async fn put_in_force(&self, lessons: Lessons) -> Result<(), String> {
        let (background, models) = (lessons.background.clone(), lessons.models.clone());
        self.order(|answer| Order::Teach { background, models, answer }).await?;
        self.loaded.send_modify(|loaded| {
            let taught = lessons.added_to(&loaded.taught);
            *loaded = Arc::new(Loaded {
                feeds: loaded.feeds.clone(),
                retention: Arc::clone(&loaded.retention),
                topics: Arc::new(taught.apply(&loaded.topics)),
                sets: Arc::clone(&loaded.sets),
                corpora: Arc::clone(&loaded.corpora),
                examples: Arc::clone(&loaded.examples),
                taught: Arc::new(taught),
                sinks: loaded.sinks.clone(),
                published: loaded.published.clone(),
            });
        });
        for (topic, model) in &lessons.models {
            match model {
                Some(Model { learned, trial, .. }) => tracing::info!(
                    %topic,
                    way = ?learned.way,
                    examples = learned.examples,
                    against = learned.against,
                    stream = learned.stream,
                    average_precision = trial.average_precision,
                    "a topic has learned; stored items keep their topics until `rasid topics reclassify`"
                ),
                None => tracing::info!(%topic, "a topic has no example left"),
            }
        }
        Ok(())
    }

    async fn order(&self, order: impl FnOnce(oneshot::Sender<Result<(), String>>) -> Order) -> Result<(), String> {
        let gone = || "nothing is stored any more: the daemon is stopping".to_owned();
        let (answer, answered) = oneshot::channel();
        self.orders.send(order(answer)).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, String> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(panic) => Err(format!("learning failed: {panic}")),
    }
}

/// What a topic is taught with.
struct Examples {
    yes: Vec<Bag>,
    no: Vec<Bag>,
    /// Of packed corpora.
    centres: Vec<Centre>,
    /// Those of them that are stored: they are not counted as stream.
    items: HashSet<ItemId>,
    /// A hash of what it is learned from.
    from: u64,
}

impl Examples {
    fn is_empty(&self) -> bool {
        self.yes.is_empty() && self.centres.is_empty()
    }
}

fn examples(store: &Store, loaded: &Loaded, topic: &Topic) -> Result<Examples, StoreError> {
    let files = loaded.examples.get(topic.id()).map(Vec::as_slice).unwrap_or_default();
    let configured = topic.like().map(|like| like.items.as_slice()).unwrap_or_default();
    let judged = store.judgements(topic.id())?;
    let said: BTreeMap<ItemId, bool> = judged.iter().map(|judgement| (judgement.item, judgement.yes)).collect();
    // Serializing plain numbers into memory has no way to fail.
    let mut bytes = postcard::to_stdvec(&(files, configured, &said)).unwrap_or_default();
    // That there is such a corpus was checked with the configuration.
    let named = topic.like().into_iter().flat_map(|like| &like.corpora);
    let centres: Vec<Centre> = named
        .filter_map(|name| loaded.corpora.get(name))
        .map(|corpus| Centre {
            documents: u32::try_from(corpus.documents.len()).unwrap_or(u32::MAX),
            terms: corpus.terms.clone(),
        })
        .collect();
    if !centres.is_empty() {
        bytes.extend(postcard::to_stdvec(&centres).unwrap_or_default());
    }
    let from = xxhash_rust::xxh3::xxh3_64(&bytes);
    let (mut yes, mut no, mut items) = (files.to_vec(), Vec::new(), HashSet::new());
    let mut take = |item: ItemId| -> Result<Option<Bag>, StoreError> {
        items.insert(item);
        let Some(stored) = store.item(item)? else { return Ok(None) };
        if let (true, Some(Original::Item(original))) = (stored.verdict.kind.is_duplicate(), stored.verdict.of) {
            // What is said of a copy is not to be held against its original.
            items.insert(original);
        }
        Ok(Some(Bag::read(&stored.content.title, &stored.content.text)))
    };
    // What somebody said of an item is later than the configuration.
    let unsaid: BTreeSet<ItemId> = configured.iter().filter(|item| !said.contains_key(item)).copied().collect();
    for item in unsaid {
        match take(item)? {
            Some(bag) => yes.push(bag),
            None => tracing::warn!(topic = %topic.id(), %item, "an example is not stored (any more): it is left out"),
        }
    }
    for Judgement { item, yes: belongs, bag, .. } in judged {
        let bag = take(item)?.unwrap_or(bag);
        if belongs { yes.push(bag) } else { no.push(bag) }
    }
    Ok(Examples { yes, no, centres, items, from })
}

/// The topics that have to learn, and whether against a new background, which concerns all.
fn due(store: &Store, loaded: &Loaded) -> Result<(Vec<TopicId>, bool), StoreError> {
    let anew = match loaded.taught.items {
        None => true,
        Some(before) => store.stats()?.items >= before.saturating_mul(2).max(MIN_STREAM),
    };
    let mut due = Vec::new();
    for topic in loaded.topics.iter().filter(|topic| topic.like().is_some()) {
        let examples = examples(store, loaded, topic)?;
        let known = loaded.taught.models.get(topic.id());
        let changed = match known {
            Some(model) => model.from != examples.from,
            None => !examples.is_empty(),
        };
        if changed || (anew && !examples.is_empty()) {
            due.push(topic.id().clone());
        }
    }
    Ok((due, anew))
}

/// Lets topics learn; none where the stop came in between.
fn learn(
    store: &Store,
    loaded: &Loaded,
    due: &[TopicId],
    anew: bool,
    stop: &Stop,
) -> Result<Option<Lessons>, StoreError> {
    let items = store.stats()?.items;
    let mut sample: Vec<(ItemId, Bag)> = Vec::new();
    store.newest(SAMPLE, &mut |item| {
        sample.push((item.id, Bag::read(&item.content.title, &item.content.text)));
    })?;
    let background = anew.then(|| (items, Arc::new(Background::of(sample.iter().map(|(_, bag)| bag)))));
    let measured = background.as_ref().map_or(&loaded.taught.background, |(_, background)| background);
    let mut models = Vec::new();
    for id in due {
        if stop.is_set() {
            return Ok(None);
        }
        let Some(topic) = loaded.topics.get(id) else { continue };
        let Examples { yes, no, centres, items, from } = examples(store, loaded, topic)?;
        // An example that came from a file may have been polled as well.
        let own: HashSet<u64> = yes.iter().chain(&no).map(hash).collect();
        let stream = sample.iter().filter(|(item, bag)| !items.contains(item) && !own.contains(&hash(bag)));
        let stream: Vec<Bag> = stream.map(|(_, bag)| bag.clone()).collect();
        let lesson = Lesson { examples: &yes, against: &no, stream: &stream, background: measured };
        let taught = teach_with(lesson, &centres);
        models.push((id.clone(), taught.map(|(learned, trial)| Model { from, at: now(), learned, trial })));
    }
    if anew {
        // What was learned with another background says nothing with this one.
        let left = loaded.taught.models.keys().filter(|id| !due.contains(id));
        models.extend(left.map(|id| (id.clone(), None)));
    }
    Ok(Some(Lessons { background, models }))
}

fn hash(bag: &Bag) -> u64 {
    xxhash_rust::xxh3::xxh3_64(&postcard::to_stdvec(bag).unwrap_or_default())
}

/// About which of the newest items the topic says something else.
fn compare(store: &Store, topic: &TopicId, before: &Topics, after: &Topics) -> Result<Learning, StoreError> {
    let mut learning = Learning {
        topic: topic.clone(),
        before: None,
        after: None,
        looked_at: 0,
        gained: 0,
        lost: 0,
        changed: Vec::new(),
    };
    store.newest(SAMPLE, &mut |item| {
        let article = item.content.article(&item.feed);
        let judged = |topics: &Topics| {
            let found: Vec<TopicMatch> = topics.classify(&article);
            found.iter().find(|found| found.id == *topic).map(Judged::from)
        };
        let (before, after) = (judged(before), judged(after));
        learning.looked_at += 1;
        if before.map(|judged| judged.decision) == after.map(|judged| judged.decision) {
            return;
        }
        learning.gained += usize::from(before.is_none());
        learning.lost += usize::from(after.is_none());
        if learning.changed.len() < MAX_CHANGED {
            let (id, seq, title) = (item.id, item.seq, item.content.title.clone());
            learning.changed.push(Changed { id, seq, title, before, after });
        }
    })?;
    Ok(learning)
}
