//! What can go wrong between a client and a daemon, by what its caller will do: wait, or mend the request.

use std::fmt;

use hyper::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Why there is no answer, or not the one that was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No daemon answers, or the connection broke. The same request may do later.
    #[error("{place}: no daemon answers: {detail}")]
    Gone {
        /// Where it was looked for.
        place: String,
        /// What happened.
        detail: String,
    },
    /// The daemon refused the request.
    #[error(transparent)]
    Refused(Box<Problem>),
    /// The answer is not what this version understands: the daemon is of another version, or something else answers.
    #[error("{place}: the answer is not what this version understands: {detail}; is the daemon of another version?")]
    Unreadable {
        /// Who answered.
        place: String,
        /// What is wrong with it.
        detail: String,
    },
    /// No request can be made of what was given.
    #[error("{place}: {detail}")]
    Address {
        /// The address or path.
        place: String,
        /// What is wrong with it.
        detail: String,
    },
}

impl Error {
    /// Whether the same request may do later: nobody answered, or the daemon is starting, stopping, or has too much to do.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Gone { .. } => true,
            Self::Refused(problem) => matches!(problem.status, 429 | 502 | 503 | 504),
            Self::Unreadable { .. } | Self::Address { .. } => false,
        }
    }

    /// The status of what was refused.
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(problem) => Some(problem.status),
            _ => None,
        }
    }

    pub(super) fn address(place: &str, detail: impl fmt::Display) -> Self {
        Self::Address { place: place.to_owned(), detail: detail.to_string() }
    }

    /// The innermost reason is the one that says something.
    pub(super) fn gone(place: &str, error: reqwest::Error) -> Self {
        let error = error.without_url();
        let mut reason: &dyn std::error::Error = &error;
        while let Some(source) = reason.source() {
            reason = source;
        }
        Self::Gone { place: place.to_owned(), detail: reason.to_string() }
    }

    pub(super) fn refused(place: &str, status: StatusCode, body: &[u8]) -> Self {
        match serde_json::from_slice::<Problem>(body) {
            Ok(problem) => Self::Refused(Box::new(problem)),
            // A proxy between, or no rasid at all; its status still says whether to wait.
            Err(_) => Self::Refused(Box::new(Problem {
                status: status.as_u16(),
                kind: "about:blank".to_owned(),
                title: status.canonical_reason().unwrap_or_default().to_owned(),
                detail: format!("{place} answered {status}"),
                problems: Vec::new(),
                more: Map::new(),
            })),
        }
    }
}

/// What the interface refused, as its problem document (RFC 9457) says.
#[derive(Clone, Debug, Deserialize, thiserror::Error)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The stable name of the problem, to branch on: `urn:rasid:problem:…`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What kind of problem it is, in words.
    #[serde(default)]
    pub title: String,
    /// What is wrong, and what to do.
    pub detail: String,
    /// Of a configuration that was refused: each of them.
    #[serde(default)]
    pub problems: Vec<String>,
    /// The other members of the document (`parameter`, `last`, …).
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl Problem {
    /// Whether what is asked for is not there yet.
    pub(crate) fn is_not_ready(&self) -> bool {
        self.status == StatusCode::SERVICE_UNAVAILABLE.as_u16()
    }

    /// Whether it is the asker's fault.
    pub(crate) fn is_usage(&self) -> bool {
        self.status == StatusCode::BAD_REQUEST.as_u16()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}
