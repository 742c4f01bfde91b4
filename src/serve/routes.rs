//! Every route, in one table: what it is called, who may ask, what it takes and gives, who answers.
//!
//! In: nothing. Out: the router, and what the OpenAPI document is made of.
//! Promise: the two are made of the same rows, so neither has a route that the other lacks; a row without a scope does not
//! compile.
//! To add a route, add a row: `get`, `post`, `put` or `delete` with what it needs, then `query`, `path`, `body` and what it `gives`.
//! Not here: the handlers, and what stands before all of them ([`super::guard`]).

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware;
use axum::routing::{MethodFilter, MethodRouter, on};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::access::{Access, Patience, Rule, Scope, enter};
use super::answers::again;
use super::params::{self, Param};
use super::topics::Reclassifying;
use super::{
    ConsumerList, ConsumerReading, ConsumerView, CorpusFound, CorpusList, CorpusMatched, CorrectedView, Corrections,
    Explanation, FeedHistory, FeedList, IndexView, Judgements, Learning, Listing, Overview, Pins, Pruned, Reading,
    Reloaded, Replay, Results, Revisions, Shared, StoryList, StoryView, TopicList, TopicsFound, Tried, Volume,
    consumers, corpus, dedup, feeds, health, items, keep, log, maintenance, metrics, openapi, outgoing, passages,
    replay, search, sinks, stats, stories, stream, topics, transfer, volume, web,
};
use crate::item::Item;
use crate::source::PollRecord;
use crate::store::Reclassification;

/// How a type describes itself.
pub(super) type Describe = fn(&mut SchemaGenerator) -> Schema;

/// What a route answers with.
#[derive(Clone, Copy)]
pub(super) enum Answer {
    /// JSON of a type.
    Json(Describe),
    /// The OpenAPI document.
    Document,
    /// Server-sent events of a type.
    Events(Describe),
    /// Bytes.
    Bytes,
    /// Text of one of these media types.
    Text(&'static [&'static str]),
    /// A feed of one of these media types, which say how it is made.
    Feed(&'static [&'static str]),
    /// No body.
    Nothing,
}

/// One row.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) access: Access,
    /// A name for programs that are made of the document.
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) query: &'static [Param],
    pub(super) segments: &'static [Param],
    pub(super) body: Option<Describe>,
    pub(super) answer: Answer,
    /// Where it was done, the usual one first.
    pub(super) statuses: &'static [u16],
    patience: Patience,
    kept: bool,
    handler: MethodRouter<Shared>,
}

impl Route {
    fn new<H, T>(method: Method, filter: MethodFilter, needs: Access, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Shared>,
        T: 'static,
    {
        Self {
            method,
            path,
            access: needs,
            name: "",
            about: "",
            query: &[],
            segments: &[],
            body: None,
            answer: Answer::Bytes,
            statuses: &[200],
            patience: Patience::Usual,
            kept: false,
            handler: on(filter, handler),
        }
    }

    /// Its name and what it does.
    const fn is(mut self, name: &'static str, about: &'static str) -> Self {
        (self.name, self.about) = (name, about);
        self
    }

    /// Its parameters in the query.
    const fn query(mut self, params: &'static [Param]) -> Self {
        self.query = params;
        self
    }

    /// Its parameters in the path.
    const fn path(mut self, params: &'static [Param]) -> Self {
        self.segments = params;
        self
    }

    /// The JSON that it takes.
    fn body<T: JsonSchema>(mut self) -> Self {
        self.body = Some(T::json_schema);
        self
    }

    /// The JSON that it gives.
    fn gives<T: JsonSchema>(mut self) -> Self {
        self.answer = Answer::Json(|generator| generator.subschema_for::<T>());
        self
    }

    const fn answers(mut self, answer: Answer) -> Self {
        self.answer = answer;
        self
    }

    /// What it says where it was done, unless that is 200.
    const fn says(mut self, statuses: &'static [u16]) -> Self {
        self.statuses = statuses;
        self
    }

    /// Its answer follows from what is stored, the configuration and its address alone.
    const fn kept(mut self) -> Self {
        self.kept = true;
        self
    }

    /// It waits for what others do, and ends by itself.
    const fn slow(mut self) -> Self {
        self.patience = Patience::Long;
        self
    }
}

fn get<H: Handler<T, Shared>, T: 'static>(needs: Access, path: &'static str, handler: H) -> Route {
    Route::new(Method::GET, MethodFilter::GET, needs, path, handler)
}

fn post<H: Handler<T, Shared>, T: 'static>(needs: Access, path: &'static str, handler: H) -> Route {
    Route::new(Method::POST, MethodFilter::POST, needs, path, handler)
}

fn put<H: Handler<T, Shared>, T: 'static>(needs: Access, path: &'static str, handler: H) -> Route {
    Route::new(Method::PUT, MethodFilter::PUT, needs, path, handler)
}

fn delete<H: Handler<T, Shared>, T: 'static>(needs: Access, path: &'static str, handler: H) -> Route {
    Route::new(Method::DELETE, MethodFilter::DELETE, needs, path, handler)
}

const OPEN: Access = Access::Open;
const READ: Access = Access::Needs(Scope::Read);
const CONSUME: Access = Access::Needs(Scope::Consume);
const ADMIN: Access = Access::Needs(Scope::Admin);
const OWNER: Access = Access::Owner;

/// All routes.
pub(super) fn table() -> Vec<Route> {
    vec![
        get(READ, "/api/v1/items", items::list)
            .is("listItems", "Items, newest published first.")
            .query(params::ITEMS)
            .gives::<Listing>()
            .kept(),
        get(READ, "/api/v1/items/{id}", items::show)
            .is("getItem", "One item, by its id or a position in the log.")
            .path(params::ITEM)
            .gives::<Item>()
            .kept(),
        get(READ, "/api/v1/items/{id}/passages", passages::show)
            .is("getPassages", "Why an item has its verdict, and what it shares with another.")
            .path(params::ITEM)
            .query(params::PASSAGES)
            .gives::<Explanation>(),
        get(READ, "/api/v1/items/{id}/revisions", items::revisions)
            .is("getRevisions", "The words that an item had before they were revised.")
            .path(params::ITEM)
            .gives::<Revisions>(),
        post(ADMIN, "/api/v1/items/{id}/pin", keep::pin)
            .is("pinItem", "Keeps an item whatever its age.")
            .path(params::ITEM)
            .body::<keep::Why>()
            .gives::<Item>()
            .slow(),
        delete(ADMIN, "/api/v1/items/{id}/pin", keep::unpin)
            .is("unpinItem", "Lets an item go with its age again.")
            .path(params::ITEM)
            .gives::<Item>()
            .slow(),
        get(READ, "/api/v1/pins", keep::list).is("listPins", "What is kept whatever its age.").gives::<Pins>(),
        post(ADMIN, "/api/v1/prune", keep::prune)
            .is("prune", "Removes now what has expired, or tells what that would be.")
            .body::<keep::Prune>()
            .gives::<Pruned>()
            .slow(),
        get(READ, "/api/v1/search", search::find)
            .is("search", "What a query finds, the best first.")
            .query(params::SEARCH)
            .gives::<Results>(),
        get(READ, "/api/v1/search/index", search::index)
            .is("getSearchIndex", "How far the index of the search is.")
            .gives::<IndexView>(),
        post(ADMIN, "/api/v1/search/rebuild", search::rebuild)
            .is("rebuildSearchIndex", "Has the index of the search made anew, in the background.")
            .gives::<IndexView>()
            .says(&[202]),
        get(READ, "/api/v1/feed.atom", outgoing::atom)
            .is("getAtom", "Items for feed readers, newest published first, as Atom.")
            .query(params::OUTGOING)
            .answers(Answer::Feed(&[outgoing::ATOM]))
            .kept(),
        get(READ, "/api/v1/feed.json", outgoing::json)
            .is("getJsonFeed", "Items for feed readers, newest published first, as JSON Feed.")
            .query(params::OUTGOING)
            .answers(Answer::Feed(&[outgoing::JSON]))
            .kept(),
        get(READ, "/topics/{file}", outgoing::topic)
            .is("getTopicFeed", "Items about a topic for feed readers, as Atom or JSON Feed.")
            .path(params::TOPIC_FILE)
            .query(params::OUTGOING_TOPIC)
            .answers(Answer::Feed(&[outgoing::ATOM, outgoing::JSON]))
            .kept(),
        get(READ, "/api/v1/log", log::read)
            .is("readLog", "The log from a position on, waiting for more where asked to.")
            .query(params::LOG)
            .gives::<Reading>()
            .slow(),
        get(READ, "/api/v1/stream", stream::read)
            .is("streamLog", "The log as server-sent events, for as long as the reader stays.")
            .query(params::STREAM)
            .answers(Answer::Events(|generator| generator.subschema_for::<crate::item::LogRecord>()))
            .slow(),
        get(CONSUME, "/api/v1/consumers", consumers::list)
            .is("listConsumers", "Named readers of the log, and how far each is behind.")
            .gives::<ConsumerList>(),
        get(CONSUME, "/api/v1/consumers/{name}", consumers::read)
            .is("readAsConsumer", "The records after a consumer's offset, which does not move.")
            .path(params::CONSUMER)
            .query(params::CONSUMER_READ)
            .gives::<ConsumerReading>()
            .slow(),
        put(CONSUME, "/api/v1/consumers/{name}", consumers::put)
            .is("putConsumer", "Makes a consumer, or changes its filter.")
            .path(params::CONSUMER)
            .body::<consumers::Put>()
            .gives::<ConsumerView>()
            .says(&[200, 201])
            .slow(),
        delete(CONSUME, "/api/v1/consumers/{name}", consumers::remove)
            .is("removeConsumer", "Removes a consumer with its offset.")
            .path(params::CONSUMER)
            .answers(Answer::Nothing)
            .says(&[204])
            .slow(),
        post(CONSUME, "/api/v1/consumers/{name}/ack", consumers::ack)
            .is("acknowledge", "Moves a consumer's offset on, durably.")
            .path(params::CONSUMER)
            .body::<consumers::Ack>()
            .gives::<ConsumerView>()
            .slow(),
        post(CONSUME, "/api/v1/consumers/{name}/reset", consumers::reset)
            .is("resetConsumer", "Lets a consumer read again from a position, or leave records out.")
            .path(params::CONSUMER)
            .body::<consumers::Reset>()
            .gives::<ConsumerView>()
            .slow(),
        get(READ, "/api/v1/feeds", feeds::list)
            .is("listFeeds", "What is polled, and how it is doing.")
            .gives::<FeedList>(),
        get(READ, "/api/v1/feeds/{id}", feeds::show)
            .is("getFeed", "A feed with its last polls.")
            .path(params::FEED)
            .gives::<FeedHistory>(),
        post(ADMIN, "/api/v1/feeds/{id}/poll", feeds::poll)
            .is("pollFeed", "Polls a feed now; answers once everything it gave is stored.")
            .path(params::FEED)
            .gives::<PollRecord>()
            .slow(),
        get(READ, "/api/v1/feeds/{id}/unread", replay::show)
            .is("replayUnread", "The last document of a feed that could not be read, read again.")
            .path(params::FEED)
            .gives::<Replay>(),
        get(READ, "/api/v1/feeds/{id}/unread/body", replay::body)
            .is("getUnread", "The bytes of that document.")
            .path(params::FEED),
        post(ADMIN, "/api/v1/reload", feeds::reload)
            .is("reload", "Reads the configuration again.")
            .gives::<Reloaded>()
            .slow(),
        get(READ, "/api/v1/topics", topics::list).is("listTopics", "The topics in force.").gives::<TopicList>(),
        post(READ, "/api/v1/topics/test", topics::test)
            .is("testTopics", "What the topics say of a text, or of an item; nothing is stored.")
            .body::<topics::Asked>()
            .gives::<TopicsFound>(),
        post(READ, "/api/v1/topics/try", topics::attempt)
            .is("tryQuery", "What a query would find among stored items, before it becomes a topic.")
            .body::<topics::AskedToTry>()
            .gives::<Tried>(),
        get(READ, "/api/v1/topics/learned", topics::learned)
            .is("getLearned", "What the topics have learned, for programs of the same version."),
        get(READ, "/api/v1/topics/reclassify", topics::reclassifying)
            .is("getReclassifying", "How stored items and the topics in force go together.")
            .gives::<Reclassifying>(),
        post(ADMIN, "/api/v1/topics/reclassify", topics::reclassify)
            .is("reclassify", "Gives stored items the topics in force, in the background.")
            .body::<topics::AskedToReclassify>()
            .gives::<Reclassification>()
            .slow(),
        get(READ, "/api/v1/topics/{id}/judgements", topics::judgements)
            .is("listJudgements", "What people said of items.")
            .path(params::TOPIC)
            .gives::<Judgements>(),
        post(ADMIN, "/api/v1/topics/{id}/judgements", topics::judge)
            .is("judge", "Keeps what somebody says of items, and lets the topic learn from it.")
            .path(params::TOPIC)
            .body::<topics::AskedToJudge>()
            .gives::<Learning>()
            .slow(),
        get(READ, "/api/v1/corpus", corpus::list).is("listCorpora", "The reference documents.").gives::<CorpusList>(),
        post(READ, "/api/v1/corpus/match", corpus::matches)
            .is("matchCorpus", "Which reference documents a text is a copy of; nothing is stored.")
            .body::<corpus::Asked>()
            .gives::<CorpusFound>(),
        get(READ, "/api/v1/corpus/matched", corpus::matched)
            .is("listMatched", "The reference documents that stored items are copies of.")
            .query(params::MATCHED)
            .gives::<CorpusMatched>(),
        get(READ, "/api/v1/dedup", dedup::list)
            .is("listCorrections", "What people said of verdicts.")
            .gives::<Corrections>(),
        post(ADMIN, "/api/v1/dedup/split", dedup::split)
            .is("splitItem", "Says that an item is no copy.")
            .body::<dedup::Split>()
            .gives::<CorrectedView>()
            .slow(),
        post(ADMIN, "/api/v1/dedup/join", dedup::join)
            .is("joinItem", "Says that an item is a copy of another, or of a reference document.")
            .body::<dedup::Join>()
            .gives::<CorrectedView>()
            .slow(),
        post(ADMIN, "/api/v1/dedup/forget", dedup::forget)
            .is("forgetCorrection", "Takes back what was said of an item.")
            .body::<dedup::Forget>()
            .gives::<CorrectedView>()
            .slow(),
        get(READ, "/api/v1/stories", stories::list)
            .is("listStories", "What several items tell of, the most told first.")
            .query(params::STORIES)
            .gives::<StoryList>(),
        get(READ, "/api/v1/stories/{id}", stories::show)
            .is("getStory", "A story with its items.")
            .path(params::STORY)
            .gives::<StoryView>(),
        get(READ, "/api/v1/stats", stats::show)
            .is("getStats", "How much there is, and how the feeds are doing.")
            .gives::<Overview>(),
        get(READ, "/api/v1/volume", volume::show)
            .is("getVolume", "How many items there are by hour or day, of each topic or feed.")
            .query(params::VOLUME)
            .gives::<Volume>(),
        get(READ, "/metrics", metrics::show)
            .is("getMetrics", "What Prometheus reads.")
            .answers(Answer::Text(&["text/plain"])),
        get(OPEN, "/", web::page).is("getPage", "The page for people.").answers(Answer::Text(&["text/html"])),
        get(OPEN, "/web/{file}", web::file)
            .is("getPageFile", "A file of the page.")
            .path(params::FILE)
            .answers(Answer::Text(&["text/javascript", "text/css", "text/html", "image/svg+xml"])),
        get(OWNER, "/api/v1/export", transfer::export)
            .is("export", "All that is stored, for another store.")
            .query(params::EXPORT)
            .slow(),
        post(OWNER, "/api/v1/import", transfer::import).is("import", "Stores what was exported.").slow(),
        post(OWNER, "/api/v1/maintenance/backup", maintenance::backup)
            .is("backup", "Copies the store into a folder.")
            .slow(),
        post(OWNER, "/api/v1/maintenance/compact", maintenance::compact)
            .is("compact", "Leaves out of the store's files what is outdated.")
            .slow(),
        post(OWNER, "/api/v1/maintenance/verify", maintenance::verify).is("verify", "Checks every record.").slow(),
        get(OWNER, "/api/v1/sinks", sinks::list).is("listSinks", "How what is carried to others is doing."),
        get(OWNER, "/api/v1/sinks/{name}", sinks::show).is("getSink", "How one sink is doing.").path(params::CONSUMER),
        get(OWNER, "/api/v1/sinks/{name}/dead", sinks::dead)
            .is("listDead", "What a sink could not deliver.")
            .path(params::CONSUMER)
            .query(params::DEAD),
        post(OWNER, "/api/v1/sinks/{name}/replay", sinks::replay)
            .is("replayDead", "Tries again to deliver it.")
            .path(params::CONSUMER)
            .says(&[202]),
        post(OWNER, "/api/v1/sinks/{name}/drop", sinks::drop_letters)
            .is("dropDead", "Gives it up.")
            .path(params::CONSUMER),
        get(OPEN, "/openapi.json", openapi::show).is("getOpenApi", "This document.").answers(Answer::Document),
        get(OPEN, "/healthz", health::alive).is("healthz", "Whether the process answers.").gives::<health::Health>(),
        get(OPEN, "/readyz", health::ready).is("readyz", "Whether the store can be read.").gives::<health::Health>(),
    ]
}

/// The router of all routes, each behind its own rule.
///
/// Those of the store's owner are there only where `owner` says so: elsewhere nothing tells that they exist.
pub(super) fn router(owner: bool, shared: &Shared) -> Router<Shared> {
    let served = table().into_iter().filter(|route| owner || route.access != Access::Owner);
    served.fold(Router::new(), |router, route| {
        let rule = Rule { access: route.access, patience: route.patience };
        let handler = if route.kept {
            route.handler.route_layer(middleware::from_fn_with_state(shared.clone(), again))
        } else {
            route.handler
        };
        // Around the handler alone: a wrong method is told so whoever asks.
        router.route(route.path, handler.route_layer(middleware::from_fn_with_state(rule, enter)))
    })
}

/// What needs no token.
pub(super) fn open_paths() -> Vec<&'static str> {
    table().into_iter().filter(|route| route.access == Access::Open).map(|route| route.path).collect()
}

/// Every route with what it needs, in the order of the table.
pub fn routes() -> Vec<(Method, &'static str, Access)> {
    table().into_iter().map(|route| (route.method, route.path, route.access)).collect()
}
