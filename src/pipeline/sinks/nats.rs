//! Records as messages of NATS.
//!
//! In: records. Out: one message for each, on a subject made of what the record is, with `Nats-Msg-Id`.
//! Promise: with JetStream a record counts once a stream has acknowledged it, and the next is sent only then, so that the
//! stream has the order of the log. Without, it counts once the server has answered a request that was sent after it over the
//! same connection: then it has taken all before. A connection that broke meanwhile, or a message that the server complains
//! about, does not count.
//! Not here: trying again ([`super::carry`]).

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::client::RequestErrorKind;
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::{self, Context};
use async_nats::{Client, ConnectOptions, Event, HeaderMap, ServerAddr};
use url::Url;

use super::out::Outcome;
use crate::config::sinks::Nats;
use crate::id::ConsumerName;
use crate::item::{LogKind, LogRecord};
use crate::topic::Decision;

/// In a subject, in the place of what is not known.
const UNKNOWN: &str = "_";
/// What the headers of a message take besides its text, in bytes: more than ours are.
const HEADERS: usize = 512;

/// Where messages go.
pub(super) struct NatsOut {
    target: Nats,
    timeout: Duration,
    name: ConsumerName,
    link: Option<Link>,
}

/// A connection.
struct Link {
    client: Client,
    stream: Context,
    /// What the server complained about last.
    complaint: Arc<Mutex<Option<String>>>,
}

impl std::fmt::Debug for NatsOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NatsOut").field("target", &self.target).field("linked", &self.link.is_some()).finish()
    }
}

impl NatsOut {
    pub(super) const fn new(target: Nats, timeout: Duration, name: ConsumerName) -> Self {
        Self { target, timeout, name, link: None }
    }

    pub(super) async fn deliver(&mut self, records: &[LogRecord]) -> Outcome {
        let link = match self.link.take() {
            Some(link) => link,
            None => match self.connect().await {
                Ok(link) => link,
                Err(why) => return Outcome::failed(0, 1, why),
            },
        };
        let outcome = if self.target.jetstream {
            self.to_stream(&link, records).await
        } else {
            self.publish(&link, records).await
        };
        // After a failure another connection is made: this one may still hold what did not go out.
        if outcome.failure.as_ref().is_none_or(|failure| failure.permanent) {
            self.link = Some(link);
        }
        outcome
    }

    async fn connect(&self) -> Result<Link, String> {
        let complaint = Arc::new(Mutex::new(None));
        let told = Arc::clone(&complaint);
        let mut options = ConnectOptions::new()
            .name(format!("rasid {}", self.name))
            .connection_timeout(self.timeout)
            .request_timeout(Some(self.timeout))
            .max_reconnects(1)
            .event_callback(move |event| {
                let told = Arc::clone(&told);
                async move {
                    if let Event::ServerError(error) = event {
                        *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
                    }
                }
            });
        if let Some((name, password)) = self.target.user.as_deref() {
            options = options.user_and_password(name.clone(), password.clone());
        }
        if let Some(token) = &self.target.token {
            options = options.token(token.to_string());
        }
        let address = ServerAddr::from_url(Url::clone(&self.target.url)).map_err(|error| error.to_string())?;
        let client = tokio::time::timeout(self.timeout, options.connect(address)).await;
        let client = client.map_err(|_| "the server cannot be reached in time".to_owned())?;
        let client = client.map_err(|error| format!("no connection to the server: {}", reason(&error)))?;
        let mut stream = jetstream::new(client.clone());
        stream.set_timeout(self.timeout);
        Ok(Link { client, stream, complaint })
    }

    /// One after the other, each once the one before is acknowledged.
    async fn to_stream(&self, link: &Link, records: &[LogRecord]) -> Outcome {
        for (done, record) in records.iter().enumerate() {
            let (subject, headers, body) = match self.message(link, record) {
                Ok(message) => message,
                Err(why) => return Outcome::refused(done, 1, why),
            };
            let sent = async { link.stream.publish_with_headers(subject.clone(), headers, body.into()).await?.await };
            match sent.await {
                Ok(_) => {}
                Err(error) if error.kind() == PublishErrorKind::MaxPayloadExceeded => {
                    return Outcome::refused(done, 1, error.to_string());
                }
                Err(error) if error.kind() == PublishErrorKind::StreamNotFound => {
                    let why = format!("no stream of the server takes `{subject}`; make one, or set jetstream = false");
                    return Outcome::failed(done, 1, why);
                }
                Err(error) => {
                    let complaint = link.complaint().map(|complaint| format!(": {complaint}")).unwrap_or_default();
                    return Outcome::failed(done, 1, format!("{}{complaint}", reason(&error)));
                }
            }
        }
        Outcome::all(records.len())
    }

    /// All at once; none counts before the server has answered what came after them.
    async fn publish(&self, link: &Link, records: &[LogRecord]) -> Outcome {
        let before = link.client.statistics().connects.load(Relaxed);
        let mut refused = None;
        let mut sent = 0;
        for record in records {
            let (subject, headers, body) = match self.message(link, record) {
                Ok(message) => message,
                Err(why) => {
                    refused = Some(why);
                    break;
                }
            };
            if let Err(error) = link.client.publish_with_headers(subject, headers, body.into()).await {
                return Outcome::failed(0, 1, reason(&error));
            }
            sent += 1;
        }
        // Twice: a complaint takes another way through the client than an answer does.
        for _ in 0..2 {
            if let Err(why) = link.round_trip().await {
                return Outcome::failed(0, 1, why);
            }
        }
        if link.client.statistics().connects.load(Relaxed) != before {
            return Outcome::failed(0, 1, "the connection broke while messages were sent".to_owned());
        }
        match (link.complaint(), refused) {
            (Some(complaint), _) => Outcome::failed(0, 1, complaint),
            (None, Some(why)) => Outcome::refused(sent, 1, why),
            (None, None) => Outcome::all(sent),
        }
    }

    /// The subject, the headers and the text of a message.
    fn message(&self, link: &Link, record: &LogRecord) -> Result<(String, HeaderMap, Vec<u8>), String> {
        let body = serde_json::to_vec(record).map_err(|error| format!("it cannot be written as JSON: {error}"))?;
        let most = link.client.max_payload();
        if body.len() + HEADERS > most {
            return Err(format!(
                "its {} bytes are more than the {most} that the server takes (max_payload)",
                body.len()
            ));
        }
        let mut headers = HeaderMap::new();
        // A stream that sees the same name twice within its window keeps one.
        headers.insert("Nats-Msg-Id", format!("{}-{}-{}", self.name, record.seq, record.at.as_millisecond()).as_str());
        Ok((subject(&self.target.subject, record), headers, body))
    }
}

impl Link {
    fn complaint(&self) -> Option<String> {
        self.complaint.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Asks where nobody answers: the server says so itself, after all that was sent before.
    async fn round_trip(&self) -> Result<(), String> {
        match self.client.request(self.client.new_inbox(), Vec::new().into()).await {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == RequestErrorKind::NoResponders => Ok(()),
            Err(error) => {
                let complaint = self.complaint().map(|complaint| format!(": {complaint}")).unwrap_or_default();
                Err(format!("the server does not confirm what was sent: {}{complaint}", reason(&error)))
            }
        }
    }
}

/// An error with the one that it comes from.
fn reason(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) if !error.to_string().contains(&source.to_string()) => format!("{error}: {source}"),
        _ => error.to_string(),
    }
}

/// The subject of a record.
fn subject(template: &str, record: &LogRecord) -> String {
    let item = record.item.as_ref();
    let topics = item.map(|item| item.topics.as_slice()).unwrap_or_default();
    let topic = topics.iter().find(|topic| topic.decision == Decision::Match).or(topics.first());
    let kind = match record.kind {
        LogKind::New => "new",
        LogKind::Revised => "revised",
        LogKind::Duplicate => "duplicate",
        LogKind::Reclassified => "reclassified",
        LogKind::Removed => "removed",
    };
    template
        .replace("{kind}", kind)
        .replace("{feed}", item.map_or(UNKNOWN, |item| item.feed.as_str()))
        .replace("{topic}", topic.map_or(UNKNOWN, |topic| topic.id.as_str()))
        .replace("{language}", &part(item.and_then(|item| item.content.language.as_deref())))
}

/// What a feed says, fit to be a part of a subject.
fn part(text: Option<&str>) -> String {
    let text: String =
        text.unwrap_or_default().chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(35).collect();
    if text.is_empty() { UNKNOWN.to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_feed_says_stays_one_part() {
        for (text, expected) in
            [(Some("ar-EG"), "ar-EG"), (Some("a.>*\r\n b"), "ab"), (Some("عربي"), "_"), (Some(""), "_"), (None, "_")]
        {
            assert_eq!(part(text), expected);
        }
    }
}
