//! `[[sink]]`: where the log is carried to.
//!
//! In: the list in `rasid.toml`. Out: [`SinkConfig`]s, each for one named consumer.
//! Promise: a key that another kind of sink has, and this one not, is a problem and not ignored; secrets are in no message and
//! in no `Debug` form.
//! Not here: carrying ([`crate::pipeline`]).

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use toml::Spanned;
use toml::de::DeValue;
use url::Url;

use super::report::{Report, nearest};
use super::sections::check_header_value;
use super::tree::{Section, Tree};
use crate::id::{ConsumerName, FeedId, TopicId};
use crate::item::LogKind;
use crate::source::FeedConfig;
use crate::store::{LogFilter, Start};
use crate::topic::Topics;
use crate::units::{ByteSize, Span};

/// One sink.
#[derive(Clone, Debug)]
pub struct SinkConfig {
    /// Its name, which is that of its consumer.
    pub name: ConsumerName,
    /// Which records it takes.
    pub filter: LogFilter,
    /// Where it begins when it is new.
    pub from: Start,
    /// Where they go.
    pub target: Target,
    /// What becomes of what cannot be delivered.
    pub patience: Patience,
}

/// Where records go.
#[derive(Clone, Debug)]
pub enum Target {
    /// HTTP requests to an address.
    Webhook(Webhook),
    /// Messages to a NATS server.
    Nats(Nats),
    /// Lines of files.
    File(Files),
}

impl Target {
    /// As in `kind = "…"`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "webhook",
            Self::Nats(_) => "nats",
            Self::File(_) => "file",
        }
    }

    /// Where to, for people: without what may be a secret.
    pub fn place(&self) -> String {
        match self {
            // The path of a webhook's address is often its only secret.
            Self::Webhook(Webhook { url, .. }) => format!("{}/…", url.origin().ascii_serialization()),
            Self::Nats(Nats { url, subject, .. }) => {
                let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
                format!("{}://{}{port} {subject}", url.scheme(), url.host_str().unwrap_or_default())
            }
            Self::File(Files { path, .. }) => path.display().to_string(),
        }
    }
}

/// `kind = "webhook"`.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Where requests go.
    pub url: Hidden<Url>,
    /// What they are signed with; none where they are not.
    pub secret: Option<Hidden<Vec<u8>>>,
    /// Sent along with each.
    pub headers: Hidden<Vec<(String, String)>>,
    /// The most records in one request; with 1, a request is one record and not a list.
    pub batch: usize,
}

/// `kind = "nats"`.
#[derive(Clone, Debug)]
pub struct Nats {
    /// The server.
    pub url: Hidden<Url>,
    /// The user's name and password, where it wants them.
    pub user: Option<Hidden<(String, String)>>,
    /// The token that the server wants.
    pub token: Option<Hidden<String>>,
    /// What a message's subject is made of.
    pub subject: String,
    /// Whether a stream of the server has to acknowledge each message.
    pub jetstream: bool,
}

/// `kind = "file"`.
#[derive(Clone, Debug)]
pub struct Files {
    /// The file that is written.
    pub path: PathBuf,
    /// It is closed before it is larger.
    pub rotate_size: ByteSize,
    /// It is closed when its first record is so old.
    pub rotate_every: Option<Span>,
}

/// What becomes of what cannot be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How often a record is tried before it is a dead letter; 0: for ever.
    pub attempts: u32,
    /// The pause after the first failure; each is twice the one before.
    pub first_pause: Span,
    /// The longest of these pauses.
    pub longest_pause: Span,
    /// How long one attempt may take.
    pub timeout: Span,
    /// When there are so many dead letters, the sink waits instead of making more.
    pub max_dead: usize,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts: 20,
            first_pause: Span::secs(1),
            longest_pause: Span::secs(15 * 60),
            timeout: Span::secs(20),
            max_dead: 10_000,
        }
    }
}

/// A value that is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden<T>(T);

impl<T> Hidden<T> {
    /// Keeps a value from being shown.
    pub const fn new(value: T) -> Self {
        Self(value)
    }
}

impl<T> std::ops::Deref for Hidden<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Hidden<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// A sink with where it stands, until the feeds and topics are known.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) sink: SinkConfig,
    topics: Range<usize>,
    feeds: Range<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Webhook,
    Nats,
    File,
}

/// `[[sink]]` as written: what must be there is looked for by hand, all at once.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    name: Option<ConsumerName>,
    kind: Option<Kind>,
    topics: Vec<TopicId>,
    feeds: Vec<FeedId>,
    kinds: Vec<LogKind>,
    languages: Vec<String>,
    from: Start,
    attempts: Option<u32>,
    first_pause: Option<Span>,
    longest_pause: Option<Span>,
    timeout: Option<Span>,
    max_dead: Option<u32>,
    url: Option<String>,
    secret: Option<String>,
    secret_file: Option<PathBuf>,
    headers: BTreeMap<String, String>,
    batch: Option<u32>,
    username: Option<String>,
    password: Option<String>,
    token: Option<String>,
    subject: Option<String>,
    jetstream: Option<bool>,
    path: Option<PathBuf>,
    rotate_size: Option<ByteSize>,
    rotate_every: Option<Span>,
}

/// Keys that not every kind has, with those that do.
const OF_KINDS: &[(&str, &[Kind])] = &[
    ("url", &[Kind::Webhook, Kind::Nats]),
    ("secret", &[Kind::Webhook]),
    ("secret_file", &[Kind::Webhook]),
    ("headers", &[Kind::Webhook]),
    ("batch", &[Kind::Webhook]),
    ("username", &[Kind::Nats]),
    ("password", &[Kind::Nats]),
    ("token", &[Kind::Nats]),
    ("subject", &[Kind::Nats]),
    ("jetstream", &[Kind::Nats]),
    ("path", &[Kind::File]),
    ("rotate_size", &[Kind::File]),
    ("rotate_every", &[Kind::File]),
    ("attempts", &[Kind::Webhook, Kind::Nats]),
    ("timeout", &[Kind::Webhook, Kind::Nats]),
    ("max_dead", &[Kind::Webhook, Kind::Nats]),
];

/// The most records in one request.
const MAX_BATCH: u32 = 1_000;
/// Shortest key of a signature, in bytes.
const MIN_SECRET: usize = 16;
/// Smallest file that is worth a name of its own.
const MIN_ROTATED: ByteSize = ByteSize(4 << 10);
/// What `secret` begins with where its rest is base64.
const WHSEC: &str = "whsec_";
/// What a template of subjects may have in braces.
pub const PLACEHOLDERS: [&str; 4] = ["kind", "feed", "topic", "language"];
/// The subject where none is said.
const SUBJECT: &str = "rasid.{kind}.{feed}.{topic}";

/// Takes the sinks out of the file; paths become relative to `dir`.
pub(super) fn read(tree: &mut Tree<'_>, dir: &Path, report: &mut Report<'_>) -> Vec<Placed> {
    let Some(list) = tree.root.remove("sink") else { return Vec::new() };
    let (at, list) = (list.span(), list.into_inner());
    let DeValue::Array(list) = list else {
        report.problem(at, "write each sink below its own [[sink]], with two brackets");
        return Vec::new();
    };
    let (mut names, mut paths, mut sinks) = (HashMap::new(), HashMap::new(), Vec::new());
    for sink in list.iter().cloned() {
        sinks.extend(read_sink(tree, sink, (&mut names, &mut paths), dir, report));
    }
    sinks
}

/// What is taken already, with the line.
type Taken<'t> = (&'t mut HashMap<ConsumerName, usize>, &'t mut HashMap<PathBuf, usize>);

fn read_sink(
    tree: &Tree<'_>,
    sink: Spanned<DeValue<'_>>,
    (names, paths): Taken<'_>,
    dir: &Path,
    report: &mut Report<'_>,
) -> Option<Placed> {
    let sink = tree.read::<Written>("sink", sink, report);
    let name = sink.value.name.clone();
    if name.is_none() && !sink.has("name") {
        report.missing(sink.header.clone(), "`name` is missing; name the sink with small letters, digits and hyphens");
    }
    if let Some(name) = &name {
        let line = report.line(&sink.place("name"));
        if let Some(line) = names.insert(name.clone(), line) {
            let message =
                format!("the name `{name}` is that of the sink in line {line} already; give this one another");
            report.problem(sink.place("name"), message);
        }
    }
    let patience = patience(&sink, report);
    check_filter(&sink, report);
    let Some(kind) = sink.value.kind else {
        if !sink.has("kind") {
            report.missing(sink.header.clone(), "`kind` is missing; write \"webhook\", \"nats\" or \"file\"");
        }
        return None;
    };
    for (key, _) in OF_KINDS.iter().filter(|(key, kinds)| sink.has(key) && !kinds.contains(&kind)) {
        let shown = format!("{kind:?}").to_lowercase();
        report.problem(sink.place(key), format!("`{key}` says nothing to a sink of the kind \"{shown}\"; remove it"));
    }
    let target = match kind {
        Kind::Webhook => webhook(&sink, dir, report).map(Target::Webhook),
        Kind::Nats => nats(&sink, report).map(Target::Nats),
        Kind::File => files(&sink, dir, paths, report).map(Target::File),
    };
    let (topics, feeds) = (sink.place("topics"), sink.place("feeds"));
    let Written { topics: of_topics, feeds: of_feeds, kinds, languages, from, .. } = sink.value;
    let filter = LogFilter { topics: of_topics, feeds: of_feeds, kinds, languages };
    Some(Placed { sink: SinkConfig { name: name?, filter, from, target: target?, patience }, topics, feeds })
}

fn patience(sink: &Section<Written>, report: &mut Report<'_>) -> Patience {
    let (value, built_in) = (&sink.value, Patience::default());
    for (key, span) in
        [("first_pause", value.first_pause), ("longest_pause", value.longest_pause), ("timeout", value.timeout)]
    {
        if span.is_some_and(|span| span.get() == Duration::ZERO) {
            report.problem(sink.place(key), format!("`{key}` must be longer than 0"));
        }
    }
    if value.max_dead == Some(0) {
        report.problem(sink.place("max_dead"), "`max_dead` must be 1 or more; `attempts = 0` makes no dead letters");
    }
    let patience = Patience {
        attempts: value.attempts.unwrap_or(built_in.attempts),
        first_pause: value.first_pause.unwrap_or(built_in.first_pause),
        longest_pause: value.longest_pause.unwrap_or(built_in.longest_pause),
        timeout: value.timeout.unwrap_or(built_in.timeout),
        max_dead: value.max_dead.map_or(built_in.max_dead, |most| most as usize),
    };
    if patience.first_pause > patience.longest_pause {
        let at = if sink.has("first_pause") { "first_pause" } else { "longest_pause" };
        report.problem(sink.place(at), "`first_pause` must not be longer than `longest_pause`");
    }
    patience
}

fn check_filter(sink: &Section<Written>, report: &mut Report<'_>) {
    let Written { topics, feeds, kinds, languages, .. } = &sink.value;
    for (key, length) in
        [("topics", topics.len()), ("feeds", feeds.len()), ("kinds", kinds.len()), ("languages", languages.len())]
    {
        if length > crate::store::MAX_FILTER {
            let most = crate::store::MAX_FILTER;
            report.problem(sink.place(key), format!("`{key}` has more than {most} entries; leave some out"));
        }
    }
    if languages.iter().any(String::is_empty) {
        report.problem(sink.place("languages"), "a language is empty; name one such as \"ar\", or leave it out");
    }
}

/// An address of one of these kinds with a host, and without a user, for which there is another place.
fn address(sink: &Section<Written>, schemes: &[&str], instead: &str, report: &mut Report<'_>) -> Option<Url> {
    let Some(text) = &sink.value.url else {
        if !sink.has("url") {
            report.missing(
                sink.header.clone(),
                format!("`url` is missing; write where to, beginning with {}://", schemes[0]),
            );
        }
        return None;
    };
    let wrong = match Url::parse(text) {
        Ok(url) if schemes.contains(&url.scheme()) && url.has_host() => {
            if !url.username().is_empty() || url.password().is_some() {
                report.problem(sink.place("url"), format!("the address has a user's name in it; {instead}"));
            }
            return Some(url);
        }
        Ok(_) => format!("it must begin with {}://, and name a host", schemes.join(":// or ")),
        Err(error) => error.to_string(),
    };
    report.problem(sink.place("url"), format!("`url` is not an address to send to: {wrong}"));
    None
}

fn webhook(sink: &Section<Written>, dir: &Path, report: &mut Report<'_>) -> Option<Webhook> {
    let url = address(sink, &["http", "https"], "send it in `headers`, as Authorization", report);
    let secret = secret(sink, dir, report);
    for (name, value) in &sink.value.headers {
        let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        let own = ["content-type", "content-length", "host", "user-agent"];
        let lower = name.to_ascii_lowercase();
        if name.is_empty() || !name.chars().all(token) {
            report.problem(sink.place("headers"), format!("`{name}` is not the name of a header"));
        } else if own.contains(&lower.as_str()) || lower.starts_with("webhook-") {
            report.problem(sink.place("headers"), format!("the header `{name}` is set by rasid; remove it"));
        }
        check_header_value(report, sink.place("headers"), name, value);
    }
    let batch = sink.value.batch.unwrap_or(1);
    if !(1..=MAX_BATCH).contains(&batch) {
        report.problem(sink.place("batch"), format!("`batch` must be from 1 to {MAX_BATCH}"));
    }
    let headers = Hidden(sink.value.headers.clone().into_iter().collect());
    Some(Webhook { url: Hidden(url?), secret: secret.map(Hidden), headers, batch: batch as usize })
}

/// The key of the signature, from the environment, the file itself, or another file.
fn secret(sink: &Section<Written>, dir: &Path, report: &mut Report<'_>) -> Option<Vec<u8>> {
    let (key, text) = match (&sink.value.secret, &sink.value.secret_file) {
        (None, None) => return None,
        (Some(_), Some(_)) => {
            let message = "`secret` and `secret_file` are both there; keep one";
            report.problem(sink.place("secret_file"), message);
            return None;
        }
        (Some(secret), None) => ("secret", secret.clone()),
        (None, Some(file)) => match std::fs::read_to_string(dir.join(file)) {
            Ok(text) => ("secret_file", text.trim().to_owned()),
            Err(error) => {
                let file = dir.join(file);
                report.problem(sink.place("secret_file"), format!("{} cannot be read: {error}", file.display()));
                return None;
            }
        },
    };
    let bytes = match text.strip_prefix(WHSEC) {
        Some(encoded) => STANDARD.decode(encoded),
        None => Ok(text.into_bytes()),
    };
    match bytes {
        Ok(bytes) if bytes.len() >= MIN_SECRET => return Some(bytes),
        Ok(_) => report.problem(
            sink.place(key),
            format!("`{key}` is shorter than {MIN_SECRET} bytes; make one with: echo whsec_$(openssl rand -base64 24)"),
        ),
        Err(_) => report.problem(sink.place(key), format!("`{key}` begins with {WHSEC}, and its rest is not base64")),
    }
    None
}

fn nats(sink: &Section<Written>, report: &mut Report<'_>) -> Option<Nats> {
    let url = address(sink, &["nats", "tls"], "write it as `username` and `password`", report);
    let (username, password) = (sink.value.username.clone(), sink.value.password.clone());
    for (key, there, other) in [("username", &username, &password), ("password", &password, &username)] {
        if there.is_some() && other.is_none() {
            report.problem(sink.place(key), "`username` and `password` belong together; write both");
        }
    }
    let subject = sink.value.subject.clone().unwrap_or_else(|| SUBJECT.to_owned());
    if let Err(why) = check_subject(&subject) {
        report.problem(sink.place("subject"), format!("`subject` cannot be used: {why}"));
    }
    let token = sink.value.token.clone();
    if token.as_ref().is_some_and(String::is_empty) {
        report.problem(sink.place("token"), "`token` is empty; leave the key out or give it a value");
    }
    let jetstream = sink.value.jetstream.unwrap_or(false);
    let user = username.zip(password).map(Hidden);
    Some(Nats { url: Hidden(url?), user, token: token.map(Hidden), subject, jetstream })
}

/// Whether a template gives subjects that a message can be sent to.
fn check_subject(template: &str) -> Result<(), String> {
    let mut plain = template.to_owned();
    for name in PLACEHOLDERS {
        plain = plain.replace(&format!("{{{name}}}"), "x");
    }
    if plain.contains(['{', '}']) {
        return Err(format!("in braces may stand: {}", PLACEHOLDERS.join(", ")));
    }
    if plain.split('.').any(str::is_empty) {
        return Err("a part between two dots is empty".to_owned());
    }
    if plain.starts_with('$') || plain.chars().any(|c| !c.is_ascii_graphic() || matches!(c, '*' | '>')) {
        return Err("it may have letters, digits, - and _, and dots between its parts".to_owned());
    }
    Ok(())
}

fn files(
    sink: &Section<Written>,
    dir: &Path,
    paths: &mut HashMap<PathBuf, usize>,
    report: &mut Report<'_>,
) -> Option<Files> {
    let Some(path) = &sink.value.path else {
        if !sink.has("path") {
            report
                .missing(sink.header.clone(), "`path` is missing; name the file to write, such as \"out/log.ndjson\"");
        }
        return None;
    };
    let path = dir.join(path);
    let at = sink.place("path");
    if path.file_name().and_then(|name| name.to_str()).is_none() {
        report.problem(at.clone(), "`path` does not end in the name of a file");
        return None;
    }
    if let Some(line) = paths.insert(path.clone(), report.line(&at)) {
        report.problem(at, format!("the sink in line {line} writes this file already; name another"));
    }
    let rotate_size = sink.value.rotate_size.unwrap_or(ByteSize::mib(64));
    if rotate_size < MIN_ROTATED {
        report.problem(sink.place("rotate_size"), format!("`rotate_size` is below {MIN_ROTATED}; write at least that"));
    }
    let rotate_every = sink.value.rotate_every;
    if rotate_every.is_some_and(|span| span.get() == Duration::ZERO) {
        report.problem(sink.place("rotate_every"), "`rotate_every` must be longer than 0");
    }
    Some(Files { path, rotate_size, rotate_every })
}

/// Feeds and topics that are none. `None`: what there are could not be read.
pub(super) fn check_names(
    sinks: &[Placed],
    feeds: Option<&[FeedConfig]>,
    topics: Option<&Topics>,
    report: &mut Report<'_>,
) {
    let mut unknown = |what: &str, at: &Range<usize>, names: Vec<&str>, known: &[&str]| {
        for name in names.into_iter().filter(|name| !known.contains(name)) {
            let meant = nearest(name, known).map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
            report.problem(at.clone(), format!("no {what} is called `{name}`{meant}"));
        }
    };
    for Placed { sink, topics: at_topics, feeds: at_feeds } in sinks {
        if let Some(topics) = topics {
            let known: Vec<&str> = topics.iter().map(|topic| topic.id().as_str()).collect();
            unknown("topic", at_topics, sink.filter.topics.iter().map(TopicId::as_str).collect(), &known);
        }
        if let Some(feeds) = feeds {
            let known: Vec<&str> = feeds.iter().map(|feed| feed.id.as_str()).collect();
            unknown("feed", at_feeds, sink.filter.feeds.iter().map(FeedId::as_str).collect(), &known);
        }
    }
}
