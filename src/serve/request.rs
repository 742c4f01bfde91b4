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
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Number, Value};

use super::params::Param;
use super::problem::Problem;
use crate::store::ItemQuery;
use crate::units::{LARGEST, moment, whole};

/// The largest body that is read.
pub(super) const MAX_BODY: usize = 2 << 20;

/// The longest text in a body, and the longest title, address or name, in characters.
pub(super) const MAX_TEXT: usize = 500_000;
pub(super) const MAX_TITLE: usize = 10_000;

/// The longest value of a parameter, in characters.
pub(super) const MAX_VALUE: usize = 1_000;

const NAME: &str = "an id of small letters, digits and hyphens";
pub(super) const TIME: &str = "a time: RFC 3339 (2026-11-20T09:30:00Z), a date (2026-11-20, from its midnight in UTC), or a \
                               span back from now (7d, 36h)";

/// The most values of a parameter that may be repeated.
pub(super) const MAX_REPEATED: usize = 100;

/// The query of a request, each parameter known to the route, and at most once but where the route takes several.
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    /// Takes the query of `uri` apart; `known` are the parameters that the route has.
    pub(super) fn read(uri: &Uri, known: &[&str]) -> Result<Self, Problem> {
        Self::read_repeated(uri, known, &[])
    }

    /// As [`Params::read`], for the parameters that the route declares; each value is one of those that it promises to take.
    pub(super) fn of(uri: &Uri, declared: &[Param]) -> Result<Self, Problem> {
        let names: Vec<&str> = declared.iter().map(|param| param.name).collect();
        let repeated: Vec<&str> = declared.iter().filter(|param| param.repeated).map(|param| param.name).collect();
        let taken = Self::read_repeated(uri, &names, &repeated)?;
        for (name, value) in &taken.0 {
            let wrong = declared.iter().find(|param| param.name == name && !param.kind.takes(value));
            if let Some(param) = wrong {
                return Err(Problem::parameter(name, &shortened(value), &param.kind.allowed()));
            }
        }
        Ok(taken)
    }

    /// As [`Params::read`], for a route that takes those of `repeated`, which are `known`, any number of times.
    pub(super) fn read_repeated(uri: &Uri, known: &[&str], repeated: &[&str]) -> Result<Self, Problem> {
        let mut taken: Vec<(String, String)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            if !known.contains(&name.as_ref()) {
                let known = if known.is_empty() { "none".to_owned() } else { format!("`{}`", known.join("`, `")) };
                let name = shortened(&name);
                let detail = format!("`{name}` is not a parameter of this route; those are: {known}");
                return Err(Problem::parameters(&name, detail));
            }
            let before = taken.iter().filter(|(other, _)| *other == name).count();
            if before >= MAX_REPEATED {
                let detail = format!("`{name}` is given more than {MAX_REPEATED} times; give fewer");
                return Err(Problem::parameters(&name, detail));
            }
            if before > 0 && !repeated.contains(&name.as_ref()) {
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

    /// All values of `name` as `read` understands them; `allowed` says what that is.
    pub(super) fn values<T>(
        &self,
        name: &str,
        allowed: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<T>, Problem> {
        let values = self.0.iter().filter(|(other, _)| other == name);
        values.map(|(_, value)| read(value).ok_or_else(|| Problem::parameter(name, value, allowed))).collect()
    }

    /// An id of a feed or a topic.
    pub(super) fn name<T: FromStr>(&self, name: &str) -> Result<Option<T>, Problem> {
        self.value(name, NAME, |value| value.parse().ok())
    }

    /// Any number of ids of feeds or topics.
    pub(super) fn names<T: FromStr>(&self, name: &str) -> Result<Vec<T>, Problem> {
        self.values(name, NAME, |value| value.parse().ok())
    }

    /// How many, `default` where it is not given.
    pub(super) fn limit(&self, default: usize, most: usize) -> Result<usize, Problem> {
        let read = |value: &str| value.parse().ok().filter(|n| (1..=most).contains(n));
        Ok(self.value("limit", &format!("a whole number from 1 to {most}"), read)?.unwrap_or(default))
    }

    /// Which items are meant, wherever they are listed, found or exported; how many is for the caller to say.
    pub(super) fn items(&self, now: Timestamp) -> Result<ItemQuery, Problem> {
        Ok(ItemQuery {
            topic: self.name("topic")?,
            feed: self.name("feed")?,
            language: self.text("language").map(str::to_owned),
            since: self.time("since", now)?,
            until: self.time("until", now)?,
            duplicates: self.text("include").is_some(),
            limit: 0,
            after: self.text("cursor").map(str::to_owned),
        })
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
    json_of(MAX_BODY, headers, body).await
}

/// A body of JSON of at most `most` bytes.
pub(super) async fn json_of<T: DeserializeOwned>(most: usize, headers: &HeaderMap, body: Body) -> Result<T, Problem> {
    // A page of another site can send text, but not declare it as JSON, without asking first.
    let declared = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = declared.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        let detail = format!("the body is declared as `{}`; send JSON as `application/json`", shortened(declared));
        return Err(Problem::media_type(detail));
    }
    let bytes = to_bytes(body, most).await.map_err(|error| {
        let source = std::error::Error::source(&error);
        if source.is_some_and(|source| source.is::<LengthLimitError>()) {
            Problem::too_large(most)
        } else {
            Problem::body(format!("the body ended early: {error}"))
        }
    })?;
    // A list of the fields' values would be taken for them, in an order that nobody has promised.
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(Problem::body("the body is no JSON object; send one, with the fields of this route"));
    }
    serde_json::from_slice(&bytes).map_err(|error| Problem::body(format!("the body is not what is taken: {error}")))
}

/// An object within a body: a list of its fields' values is refused here, too.
pub(super) fn object<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    let fields = Option::<Map<String, Value>>::deserialize(deserializer)?;
    fields.map(|fields| T::deserialize(Value::Object(fields))).transpose().map_err(D::Error::custom)
}

/// A whole number in a body, also where it is written with a point.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whole(pub(super) u64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = Number::deserialize(deserializer)?;
        let read = number.as_u64().filter(|whole| *whole <= LARGEST).or_else(|| number.as_f64().and_then(whole));
        read.map(Self).ok_or_else(|| D::Error::custom(format!("`{number}` is not a whole number from 0 to 2^53")))
    }
}

/// Refuses a text of a body that is too long.
pub(super) fn within(field: &str, text: &str, most: usize) -> Result<(), Problem> {
    if text.chars().count() > most {
        return Err(Problem::body(format!("`{field}` is longer than {most} characters; send less text")));
    }
    Ok(())
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
        let twice: Uri = "/x?a=1&b=3&a=2".parse().unwrap();
        let numbers = |name| {
            let params = Params::read_repeated(&twice, &["a", "b"], &["a"]).unwrap();
            params.values(name, "a number", |value| value.parse::<u32>().ok()).unwrap()
        };
        assert_eq!((numbers("a"), numbers("b"), numbers("c")), (vec![1, 2], vec![3], vec![]));
        assert!(Params::read_repeated(&twice, &["a", "b"], &["b"]).is_err());
        let many: Uri = format!("/x?{}", "a=1&".repeat(MAX_REPEATED + 1)).parse().unwrap();
        assert!(Params::read_repeated(&many, &["a"], &["a"]).is_err());
        let long: Uri = format!("/x?a={}", "1".repeat(MAX_VALUE + 1)).parse().unwrap();
        assert!(Params::read(&long, &["a"]).is_err());
    }
}
