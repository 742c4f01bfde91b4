//! Who may do what.
//!
//! In: what a route needs ([`Access`], declared beside it), and what the one who asks may do ([`Door`], put on the request
//! by the door it came through). Out: the request goes on, or the problem that says what is missing.
//! Promise: a request that came through no door is refused; nothing is answered to who lacks the scope, not even whether
//! what was asked for is there.
//! Not here: how a token is recognized ([`super::guard`], [`super::tokens`]).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::problem::Problem;

/// What a token may do. Each may what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Read what is stored, and try texts on topics and corpora.
    Read,
    /// Also keep a consumer's place in the log.
    Consume,
    /// Everything: polls, reloads, judgements, corrections.
    Admin,
}

impl Scope {
    /// All of them, the least first.
    pub const ALL: [Self; 3] = [Self::Read, Self::Consume, Self::Admin];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Consume => "consume",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Scope {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|scope| scope.name() == text);
        known.ok_or_else(|| format!("`{text}` is no scope; write read, consume or admin"))
    }
}

/// What a route needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing: it tells nothing of what is stored.
    Open,
    /// A scope.
    Needs(Scope),
    /// To own the store's files: it is there on the Unix socket and in-process alone.
    Owner,
}

/// How long a route may take to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// `[server] request_timeout`.
    Usual,
    /// As long as it takes: it waits for what others do, and ends by itself.
    Long,
}

/// Through which door a request came, and what is allowed there.
#[derive(Clone, Debug)]
pub(super) struct Door {
    /// What the one who asks may do; nothing where there is no token.
    pub(super) may: Option<Scope>,
    /// How long an answer may take; without end where the one who asks is at the machine.
    pub(super) timeout: Option<Duration>,
}

impl Door {
    /// The Unix socket, and the router in-process: whoever reaches them owns the store's files.
    pub(super) const OWNER: Self = Self { may: Some(Scope::Admin), timeout: None };
}

/// What stands at a route.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub(super) access: Access,
    pub(super) patience: Patience,
}

/// Lets through who may.
pub(super) async fn enter(State(rule): State<Rule>, request: Request, next: Next) -> Response {
    let door = request.extensions().get::<Door>().cloned().unwrap_or(Door { may: None, timeout: None });
    let needed = match rule.access {
        Access::Open => None,
        Access::Needs(scope) => Some(scope),
        // Not served through any other door.
        Access::Owner => Some(Scope::Admin),
    };
    if let Some(needed) = needed {
        match door.may {
            None => return Problem::unauthorized().into_response(),
            Some(may) if may < needed => return Problem::scope(may, needed).into_response(),
            Some(_) => {}
        }
    }
    match (rule.patience, door.timeout) {
        (Patience::Usual, Some(limit)) => match tokio::time::timeout(limit, next.run(request)).await {
            Ok(response) => response,
            Err(_) => Problem::timeout(limit).into_response(),
        },
        _ => next.run(request).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_words_and_each_holds_those_before_it() {
        for scope in Scope::ALL {
            assert_eq!(scope.name().parse(), Ok(scope));
        }
        assert!("write".parse::<Scope>().is_err());
        assert!(Scope::Read < Scope::Consume && Scope::Consume < Scope::Admin);
    }
}
