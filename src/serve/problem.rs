//! What went wrong, as RFC 9457 problem documents.
//!
//! In: the reason. Out: a response of `application/problem+json` with `type`, `title`, `status`, `detail`, and members
//! of its own where a program can use them (`parameter`, `problems`).
//! Promise: no error of this interface has any other shape, those for unknown routes and wrong methods included.
//! The `type` is a stable name (`urn:rasid:problem:…`) to branch on; `detail` is for people and may change.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::access::Scope;
use crate::store::StoreError;

/// One problem, ready to be sent.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    kind: &'static str,
    title: &'static str,
    detail: String,
    /// Seconds.
    retry_after: Option<u64>,
    more: Map<String, Value>,
}

impl Problem {
    fn new(status: StatusCode, kind: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, kind, title, detail: detail.into(), retry_after: None, more: Map::new() }
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// A parameter whose value is not one of what is `allowed`.
    pub(super) fn parameter(name: &str, value: &str, allowed: &str) -> Self {
        let detail = format!("`{name}` is `{value}`, which is not {allowed}");
        Self::new(StatusCode::BAD_REQUEST, "bad-parameter", "a parameter is wrong", detail)
            .with("parameter", name)
            .with("value", value)
            .with("allowed", allowed)
    }

    /// A parameter that this route does not have, or has once only.
    pub(super) fn parameters(name: &str, detail: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "unknown-parameter", "a parameter is not known here", detail)
            .with("parameter", name)
    }

    /// A query whose fault stands at these characters.
    pub(super) fn query(query: &str, detail: &str, at: Range<usize>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-query", "the query is wrong", detail)
            .with("parameter", "q")
            .with("value", query)
            .with("start", at.start)
            .with("end", at.end)
    }

    /// A body that cannot be read as what the route takes.
    pub(super) fn body(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-body", "the body is wrong", detail)
    }

    /// A body of another media type than JSON.
    pub(super) fn media_type(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", "the body is not declared as JSON", detail)
    }

    /// A body over the limit.
    pub(super) fn too_large(limit: usize) -> Self {
        let detail = format!("the body is larger than {limit} bytes; send less text");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "the body is too large", detail)
    }

    /// What the path names is not there.
    pub(super) fn missing(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "not found", detail)
    }

    /// A reader's position is behind the end of the log.
    pub(super) fn ahead(after: u64, last: u64) -> Self {
        let detail = format!(
            "`after` is {after}, but the log ends at {last}: the store was replaced or restored since that position \
             was read; begin again with `after=0`, or at a position not after {last}"
        );
        Self::beyond(detail, last)
    }

    /// A position behind the end of the log, which is `last`.
    pub(super) fn beyond(detail: impl Into<String>, last: u64) -> Self {
        Self::new(StatusCode::CONFLICT, "ahead-of-log", "the position is after the end of the log", detail)
            .with("last", last)
    }

    /// The daemon was asked for something and refused.
    pub(super) fn refused(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "refused", "it was not done", detail)
    }

    /// The configuration was read and found wrong; the one before stays in force.
    pub(super) fn configuration(problems: Vec<String>) -> Self {
        let detail = format!("the configuration has {} problems; the one before stays in force", problems.len());
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "configuration", "the configuration is wrong", detail)
            .with("problems", problems)
    }

    /// Nobody is there to do it.
    pub(super) fn nobody(what: &str) -> Self {
        let detail = format!("{what} needs a running daemon that takes orders; start one with `rasid run`");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "no-daemon", "no daemon answers", detail)
    }

    /// The store refused the question, or failed. A failure is logged here, where it is handled.
    pub(super) fn store(error: &StoreError) -> Self {
        if let StoreError::Query(detail) = error {
            return Self::new(StatusCode::BAD_REQUEST, "bad-parameter", "a parameter is wrong", detail);
        }
        tracing::error!(%error, "the store could not be read");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "store", "the store could not be read", error.to_string())
    }

    /// It could not be done now, and may be later.
    pub(super) fn not_done(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "not-done", "it could not be done now", detail)
    }

    /// The store is not there to answer.
    pub(super) fn not_ready(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "not-ready", "not ready", detail)
    }

    /// A fault of ours. Logged here, where it is handled.
    pub(super) fn internal(error: &dyn fmt::Display) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "a fault in rasid", "the log of the daemon says more")
    }

    /// No token, or a wrong one.
    pub(super) fn unauthorized() -> Self {
        let detail = "send a token of `rasid token add`, or that of `[server] token`, as `Authorization: Bearer …`";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "a token is needed", detail)
    }

    /// A token that was good before.
    pub(super) fn expired(name: &str) -> Self {
        let detail = format!("the token `{name}` has expired; make another with `rasid token add`");
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "a token is needed", detail)
    }

    /// A token that may do other things.
    pub(super) fn scope(may: Scope, needed: Scope) -> Self {
        let detail = format!("the token has the scope `{may}`; this needs one with `{needed}`");
        Self::new(StatusCode::FORBIDDEN, "scope", "the token does not open this", detail).with("needed", needed.name())
    }

    /// Too many requests of one reader.
    pub(super) fn too_many(wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let detail = format!("requests come faster than `[server] rate` allows; go on after {seconds} s");
        let mut problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "too many requests", detail);
        problem.retry_after = Some(seconds);
        problem.with("retry_after", seconds)
    }

    /// An answer that took too long.
    pub(super) fn timeout(limit: Duration) -> Self {
        let detail = format!(
            "there was no answer within {} s; ask for less, or raise `[server] request_timeout`",
            limit.as_secs()
        );
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", "it took too long", detail)
    }

    /// A request that another site may have made a browser send.
    pub(super) fn foreign(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "foreign", "the request comes from elsewhere", detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut document = json!({
            "type": format!("urn:rasid:problem:{}", self.kind),
            "title": self.title,
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if let Some(document) = document.as_object_mut() {
            document.extend(self.more);
        }
        let mut response = Response::new(Body::from(document.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"rasid\""));
        }
        response
    }
}

/// For every path without a route.
pub(super) async fn no_such_route(uri: Uri) -> Problem {
    Problem::missing(format!("there is nothing at `{}`; the interface stands under /api/v1", uri.path()))
}

/// For every route asked in a way that it does not have; the `Allow` header says which ones it has.
pub(super) async fn wrong_method(method: Method, uri: Uri) -> Problem {
    let detail = format!("`{}` does not take {method}; see the Allow header", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "wrong-method", "the method is not allowed", detail)
}
