//! Records as signed HTTP requests.
//!
//! In: records. Out: one `POST` for them, with the headers `webhook-id`, `webhook-timestamp` and `webhook-signature` of the
//! [Standard Webhooks](https://www.standardwebhooks.com/) specification.
//! Promise: the same records have the same `webhook-id` each time they are sent; a signature is of exactly the bytes of the
//! body. Only a status of 2xx counts as delivered.
//! Not here: sending ([`crate::fetch`]), trying again ([`super::carry`]).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use ring::hmac;
use serde::Serialize;

use super::out::{Failure, Outcome};
use crate::config::sinks::Webhook;
use crate::fetch::{Posted, Poster};
use crate::id::Seq;
use crate::item::LogRecord;
use crate::units::Span;

/// Where requests go.
#[derive(Debug)]
pub(super) struct WebhookOut {
    target: Webhook,
    poster: Poster,
}

/// A stretch of the log, as `/api/v1/log` shows one.
#[derive(Serialize)]
struct Batch<'r> {
    records: &'r [LogRecord],
    last: Seq,
}

impl WebhookOut {
    pub(super) fn new(target: Webhook, timeout: Span, user_agent: &str) -> Result<Self, String> {
        Ok(Self { target, poster: Poster::new(user_agent, timeout)? })
    }

    pub(super) const fn batch(&self) -> usize {
        self.target.batch
    }

    pub(super) async fn deliver(&self, records: &[LogRecord], now: Timestamp) -> Outcome {
        let (Some(first), Some(last)) = (records.first(), records.last()) else { return Outcome::all(0) };
        let body = if self.target.batch == 1 {
            serde_json::to_vec(first)
        } else {
            serde_json::to_vec(&Batch { records, last: last.seq })
        };
        let body = match body {
            Ok(body) => body,
            Err(error) => return Outcome::refused(0, records.len(), format!("it cannot be written as JSON: {error}")),
        };
        let id = id(first, last);
        let mut headers: Vec<(String, String)> = self.target.headers.to_vec();
        let timestamp = now.as_second();
        if let Some(secret) = &self.target.secret {
            headers.push(("webhook-signature".to_owned(), signature(secret, &id, timestamp, &body)));
        }
        headers.push(("webhook-id".to_owned(), id));
        headers.push(("webhook-timestamp".to_owned(), timestamp.to_string()));
        match self.poster.post(&self.target.url, &headers, body, now).await {
            Ok(Posted { status: 200..=299, .. }) => Outcome::all(records.len()),
            Ok(posted) => Outcome { done: 0, failure: Some(refused(&posted, records.len())) },
            Err(why) => Outcome::failed(0, records.len(), why),
        }
    }
}

/// What an answer other than 2xx means.
fn refused(posted: &Posted, concerns: usize) -> Failure {
    let Posted { status, retry_after, said } = posted;
    // 408, 425 and 429 ask for another try; all other 4xx say that this request will never be taken.
    let permanent = (400..=499).contains(status) && ![408, 425, 429].contains(status);
    let mut message = format!("it answers {status}");
    if (300..=399).contains(status) {
        message.push_str(", a redirect, which is not followed; put the address that it leads to into `url`");
    } else if !said.is_empty() {
        message.push_str(": ");
        message.push_str(said);
    }
    Failure { message, permanent, after: *retry_after, concerns }
}

/// Names what is sent. A store that is made anew counts positions from 1 again: the time of the commit tells them apart.
fn id(first: &LogRecord, last: &LogRecord) -> String {
    let at = last.at.as_millisecond();
    if first.seq == last.seq { format!("{}-{at}", first.seq) } else { format!("{}-{}-{at}", first.seq, last.seq) }
}

/// `v1,` and the base64 of the HMAC-SHA256 of `id.timestamp.body`.
fn signature(secret: &[u8], id: &str, timestamp: i64, body: &[u8]) -> String {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret));
    context.update(format!("{id}.{timestamp}.").as_bytes());
    context.update(body);
    format!("v1,{}", STANDARD.encode(context.sign().as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example that implementations of the specification are tested with.
    #[test]
    fn a_signature_is_that_of_the_specification() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b"{\"test\": 2432232314}");
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn what_an_answer_means() {
        for (status, permanent) in [
            (301, false),
            (400, true),
            (404, true),
            (408, false),
            (410, true),
            (425, false),
            (429, false),
            (500, false),
        ] {
            let failure = refused(&Posted { status, retry_after: None, said: "لا".to_owned() }, 3);
            assert_eq!(failure.permanent, permanent, "{status}");
            assert_eq!(failure.message.ends_with(": لا"), status != 301, "{}", failure.message);
        }
    }
}
