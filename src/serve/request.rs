//! Requests to typed values.
//!
//! In: query strings, path segments, bodies. Out: values, or the [`Problem`] that names the parameter, its value, and
//! what is allowed.
//! Promise: a parameter that the route does not know is refused, so that a misspelt filter is never a filter left out.

use std::str::FromStr;

use axum::body::{Body, to_bytes};
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Uri};
use http_body_util::LengthLimitError;
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::problem::Problem;
use crate::units::moment;

/// The largest body that is read.
pub(super) const MAX_BODY: usize = 2 << 20;

/// The longest value of a parameter, in characters: a cursor is the longest that has a use.
const MAX_VALUE: usize = 1_000;

const TIME: &str = "a time: RFC 3339 (2026-11-20T09:30:00Z), a date (2026-11-20, from its midnight in UTC), or a span \
                    back from now (7d, 36h)";

/// The query of a request, each parameter at most once and known to the route.
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    /// Takes the query of `uri` apart; `known` are the parameters that the route has.
    pub(super) fn read(uri: &Uri, known: &[&str]) -> Result<Self, Problem> {
        let mut taken: Vec<(String, String)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            if !known.contains(&name.as_ref()) {
                let known = if known.is_empty() { "none".to_owned() } else { format!("`{}`", known.join("`, `")) };
                let name = shortened(&name);
                return Err(Problem::parameters(
                    &name,
                    format!("`{name}` is not a parameter of this route; those are: {known}"),
                ));
            }
            if taken.iter().any(|(other, _)| *other == name) {
                return Err(Problem::parameters(&name, format!("`{name}` is given twice; give it once")));
            }
            if value.chars().count() > MAX_VALUE {
                let allowed = format!("at most {MAX_VALUE} characters long");
                return Err(Problem::parameter(&name, &shortened(&value), &allowed));
            }
            taken.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(taken))
    }

    /// The value of `name`, as text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The value of `name` as `read` understands it; `allowed` says what that is.
    pub(super) fn value<T>(
        &self,
        name: &str,
        allowed: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(value) = self.text(name) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| Problem::parameter(name, value, allowed))
    }

    /// An id of a feed or a topic.
    pub(super) fn name<T: FromStr>(&self, name: &str) -> Result<Option<T>, Problem> {
        self.value(name, "an id of small letters, digits and hyphens", |value| value.parse().ok())
    }

    /// How many, `default` where it is not given.
    pub(super) fn limit(&self, default: usize, most: usize) -> Result<usize, Problem> {
        let read = |value: &str| value.parse().ok().filter(|n| (1..=most).contains(n));
        Ok(self.value("limit", &format!("a whole number from 1 to {most}"), read)?.unwrap_or(default))
    }

    /// A point in time; spans count back from `now`.
    pub(super) fn time(&self, name: &str, now: Timestamp) -> Result<Option<Timestamp>, Problem> {
        self.value(name, TIME, |value| moment(value, now))
    }
}

/// A point in time in a body, under the name of its field.
pub(super) fn since(name: &str, text: &str, now: Timestamp) -> Result<Timestamp, Problem> {
    moment(text, now).ok_or_else(|| Problem::parameter(name, &shortened(text), TIME))
}

/// The one segment of the path that the route takes, as text.
pub(super) fn segment(path: Result<Path<String>, PathRejection>) -> Result<String, Problem> {
    match path {
        Ok(Path(text)) => Ok(text),
        Err(_) => Err(Problem::missing("the path is not valid UTF-8 once unescaped")),
    }
}

/// A body of JSON.
pub(super) async fn json<T: DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<T, Problem> {
    // A page of another site can send text, but not declare it as JSON, without asking first.
    let declared = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = declared.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        let detail = format!("the body is declared as `{}`; send JSON as `application/json`", shortened(declared));
        return Err(Problem::media_type(detail));
    }
    let bytes = to_bytes(body, MAX_BODY).await.map_err(|error| {
        let source = std::error::Error::source(&error);
        if source.is_some_and(|source| source.is::<LengthLimitError>()) {
            Problem::too_large(MAX_BODY)
        } else {
            Problem::body(format!("the body ended early: {error}"))
        }
    })?;
    serde_json::from_slice(&bytes).map_err(|error| Problem::body(format!("the body is not what is taken: {error}")))
}

/// What is quoted back of a value that may be of any length.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 80;
    let mut shown: String = text.chars().take(SHOWN).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("2026-11-20T09:30:00Z", Some("2026-11-20T09:30:00Z")),
            ("2026-11-20T09:30:00+03:00", Some("2026-11-20T06:30:00Z")),
            ("2026-11-20T09:30:00 03:00", Some("2026-11-20T06:30:00Z")),
            ("2026-11-20", Some("2026-11-20T00:00:00Z")),
            ("7d", Some("2026-11-13T12:00:00Z")),
            ("36h", Some("2026-11-19T00:00:00Z")),
            ("2026-11-20T09:30:00", None),
            ("2026-13-01", None),
            ("yesterday", None),
            ("99999999999d", None),
            ("-7d", None),
            ("", None),
        ] {
            assert_eq!(moment(text, now).map(|at| at.to_string()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn what_a_route_does_not_know_is_refused() {
        for (query, fine) in
            [("", true), ("a=1", true), ("a=1&b=%D8%A7", true), ("a=1&a=2", false), ("c=1", false), ("A=1", false)]
        {
            let uri: Uri = format!("/x?{query}").parse().unwrap();
            assert_eq!(Params::read(&uri, &["a", "b"]).is_ok(), fine, "{query}");
        }
        let long: Uri = format!("/x?a={}", "1".repeat(MAX_VALUE + 1)).parse().unwrap();
        assert!(Params::read(&long, &["a"]).is_err());
    }
}
