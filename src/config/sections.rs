//! `rasid.toml`: the sections of the daemon.
//!
//! In: the file's text. Out: [`Sections`], each owned by the module it configures.
//! Promise: the defaults are those of the types; `config/rasid.toml` in the repository shows them and a test compares.
//! Not here: feeds and topics, which have their own files.

use std::net::SocketAddr;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::report::Report;
use super::retention::Places;
use super::sinks::{self, Placed};
use super::tree::{Env, Section, Tree, unknown_key};
use crate::dedup::DedupConfig;
use crate::fetch::{FetchConfig, check_allow, check_resolve};
use crate::queue::QueueConfig;
use crate::search::SearchConfig;
use crate::serve::{self, ServerConfig, TOKENS, TokenFile};
use crate::store::{Retention, StoreConfig};
use crate::story::StoriesConfig;
use crate::telemetry::{self, LogConfig};
use crate::units::{ByteSize, Span};

/// `[shutdown]`: how the daemon ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ShutdownConfig {
    /// How long running work may take to finish after the signal.
    pub deadline: Span,
}

impl Default for ShutdownConfig {
    fn default() -> Self {
        Self { deadline: Span::secs(30) }
    }
}

/// All of `rasid.toml`.
#[derive(Debug, Default)]
pub(super) struct Sections {
    pub(super) store: StoreConfig,
    /// Where its ages stand.
    pub(super) ages: Places,
    pub(super) fetch: FetchConfig,
    pub(super) server: ServerConfig,
    pub(super) dedup: DedupConfig,
    pub(super) stories: StoriesConfig,
    pub(super) search: SearchConfig,
    pub(super) queue: QueueConfig,
    pub(super) shutdown: ShutdownConfig,
    pub(super) log: LogConfig,
    pub(super) sinks: Vec<Placed>,
}

/// The sections' names, in the order of the file.
pub(super) const NAMES: [&str; 10] =
    ["store", "fetch", "server", "dedup", "stories", "search", "queue", "shutdown", "log", "sink"];

/// Shortest bearer token, in characters: a shorter one can be guessed over the network.
const MIN_TOKEN: usize = 16;

/// Smallest front of the store that is sealed before it is full of overhead.
const MIN_FRONT: ByteSize = ByteSize(64 << 10);
/// Smallest cache of the store that makes sense to it.
const MIN_CACHE: ByteSize = ByteSize::mib(1);

/// Reads the file; paths in it become relative to `dir`. `guarded` looks whether an address that others reach has a token.
pub(super) fn read(report: &mut Report<'_>, dir: &Path, env: Env<'_>, guarded: bool) -> Sections {
    let mut tree = Tree::parse(report, env);
    let ages = Places::of(&tree.root);
    let store = tree.section::<StoreConfig>("store", report);
    let fetch = tree.section::<FetchConfig>("fetch", report);
    let server = tree.section::<ServerConfig>("server", report);
    let dedup = tree.section::<DedupConfig>("dedup", report);
    let stories = tree.section::<StoriesConfig>("stories", report);
    let search = tree.section::<SearchConfig>("search", report);
    let queue = tree.section::<QueueConfig>("queue", report);
    let shutdown = tree.section::<ShutdownConfig>("shutdown", report);
    let log = tree.section::<LogConfig>("log", report);
    let sinks = sinks::read(&mut tree, dir, report);
    for key in tree.root.keys() {
        report.problem(key.span(), unknown_key(key.get_ref(), &NAMES));
    }

    check_store(&store, report);
    ages.check_ages(&store.value, report);
    check_fetch(&fetch, report);
    let tokens = dir.join(&store.value.path).join(TOKENS);
    check_server(&server, report);
    if guarded {
        check_tokens(&server, &tokens, report);
    }
    check_log(&log, report);
    positive(report, &dedup, "window", dedup.value.window);
    positive(report, &stories, "window", stories.value.window);
    positive(report, &shutdown, "deadline", shutdown.value.deadline);
    at_least_one(report, queue.place("capacity"), "capacity", queue.value.capacity);

    let mut store = store.value;
    store.path = dir.join(&store.path);
    let server = ServerConfig { tokens: Some(tokens), ..server.value };
    Sections {
        store,
        ages,
        fetch: fetch.value,
        server,
        dedup: dedup.value,
        stories: stories.value,
        search: search.value,
        queue: queue.value,
        shutdown: shutdown.value,
        log: log.value,
        sinks,
    }
}

fn check_store(store: &Section<StoreConfig>, report: &mut Report<'_>) {
    if store.value.path.as_os_str().is_empty() {
        report.problem(store.place("path"), "`path` is empty; name the directory of the store, such as \"data\"");
    }
    if store.value.cache < MIN_CACHE {
        report.problem(store.place("cache"), format!("`cache` is below {MIN_CACHE}; write at least that"));
    }
    if store.value.front < MIN_FRONT {
        report.problem(store.place("front"), format!("`front` is below {MIN_FRONT}; write at least that"));
    }
    if let Retention::For(span) = store.value.retention {
        positive(report, store, "retention", span);
    }
}

fn check_fetch(fetch: &Section<FetchConfig>, report: &mut Report<'_>) {
    let value = &fetch.value;
    let counts = [("workers", value.workers), ("per_host", value.per_host), ("attempts", value.attempts)];
    for (key, count) in counts {
        at_least_one(report, fetch.place(key), key, count);
    }
    positive(report, fetch, "timeout", value.timeout);
    if value.max_body.0 == 0 {
        report.problem(
            fetch.place("max_body"),
            "`max_body` is 0, so nothing could be read; write a size such as \"10MiB\"",
        );
    }
    check_header_value(report, fetch.place("user_agent"), "user_agent", &value.user_agent);
    report.problems(fetch.place("allow_private"), check_allow(&value.allow_private));
    report.problems(fetch.place("resolve"), check_resolve(&value.resolve));
}

fn check_server(server: &Section<ServerConfig>, report: &mut Report<'_>) {
    let ServerConfig { token, cors_origins, public_url, websub_hub, burst, connections, request_timeout, .. } =
        &server.value;
    if token.as_ref().is_some_and(|token| token.chars().count() < MIN_TOKEN) {
        report.problem(
            server.place("token"),
            format!("`token` is shorter than {MIN_TOKEN} characters; make one with: openssl rand -hex 24"),
        );
    }
    report.problems(server.place("cors_origins"), serve::check_origins(cors_origins));
    for (key, url) in [("public_url", public_url), ("websub_hub", websub_hub)] {
        let wrong = url.as_ref().and_then(|url| serve::check_published(url).err());
        report.problems(server.place(key), wrong.into_iter().collect());
    }
    if websub_hub.is_some() && public_url.is_none() {
        report.problem(
            server.place("websub_hub"),
            "a hub has to reach the feeds: set `public_url` to where this interface is for others",
        );
    }
    at_least_one(report, server.place("burst"), "burst", *burst);
    at_least_one(report, server.place("connections"), "connections", *connections);
    positive(report, server, "request_timeout", *request_timeout);
}

/// An address that others reach needs a token, of the configuration or of the store's file.
fn check_tokens(server: &Section<ServerConfig>, tokens: &Path, report: &mut Report<'_>) {
    let ServerConfig { listen, token, .. } = &server.value;
    let made = match TokenFile::at(tokens.to_owned()).read() {
        Ok(tokens) => !tokens.is_empty(),
        Err(message) => return report.problem(server.place("listen"), message),
    };
    if !(is_local(*listen) || token.is_some() || made || server.has("token")) {
        report.problem(
            server.place("listen"),
            "other machines can reach this address, so readers need a token: set `token` below [server], \
             make one with `rasid token add`, or listen on 127.0.0.1",
        );
    }
}

fn is_local(listen: SocketAddr) -> bool {
    listen.ip().to_canonical().is_loopback()
}

fn check_log(log: &Section<LogConfig>, report: &mut Report<'_>) {
    if let Err(message) = telemetry::check_level(&log.value.level) {
        report.problem(log.place("level"), message);
    }
}

fn positive<T>(report: &mut Report<'_>, section: &Section<T>, key: &str, span: Span) {
    if span.get() == Duration::ZERO {
        report.problem(section.place(key), format!("`{key}` must be longer than 0"));
    }
}

fn at_least_one(report: &mut Report<'_>, at: Range<usize>, key: &str, count: u32) {
    if count == 0 {
        report.problem(at, format!("`{key}` must be 1 or more"));
    }
}

/// What may stand in an HTTP header: nothing that would end it.
pub(super) fn check_header_value(report: &mut Report<'_>, at: Range<usize>, key: &str, value: &str) {
    if value.trim().is_empty() {
        report.problem(at, format!("`{key}` is empty; leave the key out or give it a value"));
    } else if value.chars().any(|c| !matches!(c, ' '..='~')) {
        report.problem(at, format!("`{key}` may only have printable ASCII characters"));
    }
}
