//! Failures, typed by what the caller will do.
//!
//! In: what went wrong, with which address. Out: a [`FetchError`]: a stable kind, a message that names the input, a hint,
//! how heavily it weighs, and how long to wait where the server said so.
//! Promise: no message holds a user name or a password. The kinds are, of the way there: `bad-url`, `bad-request`,
//! `refused-address`, `dns`, `connection-refused`, `connect-timeout`, `connect`, `certificate-expired`,
//! `certificate-name`, `certificate-issuer`, `certificate`, `tls`, `robots`; of the answer: `timeout`, `redirect-loop`,
//! `too-many-redirects`, `bad-redirect`, `unauthorized`, `forbidden`, `bot-wall`, `not-found`, `gone`, `throttled`,
//! `server-error`, `status` (any other) and `body`.
//! Not here: when a feed is polled next ([`crate::source`]).

use std::error::Error;
use std::time::Duration;

use url::Url;

use crate::fetch::guard::Refused;
use crate::source::{PollError, Severity};
use crate::units::Span;

/// A failed fetch, as it is told to people and weighed by the schedule.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.message)]
pub struct FetchError(pub PollError, Option<u16>);

/// When to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Not before this time has passed: the server said so.
    After(Span),
    /// Soon, and later each time it fails again.
    Backoff,
    /// Not until somebody has acted; a slow poll finds out when.
    Never,
}

impl FetchError {
    /// When to try again.
    pub fn retry(&self) -> Retry {
        match (self.0.retry_after, self.0.severity) {
            (Some(wait), _) => Retry::After(wait),
            (None, Severity::Hard) => Retry::Never,
            (None, Severity::Temporary | Severity::Soft) => Retry::Backoff,
        }
    }

    /// The same failure under another message: nothing was answered to this request itself.
    pub(super) const fn because(why: PollError) -> Self {
        Self(why, None)
    }

    /// The HTTP status that was answered, where one was.
    pub const fn status_code(&self) -> Option<u16> {
        self.1
    }

    pub(super) fn answered(mut self, status: u16) -> Self {
        self.1 = Some(status);
        self
    }

    pub(super) fn new(kind: &str, severity: Severity, message: String, hint: &str) -> Self {
        Self(PollError { kind: kind.to_owned(), message, hint: hint.to_owned(), severity, retry_after: None }, None)
    }

    /// `what` did not come within the time of a whole request.
    pub(super) fn timeout(url: &Url, limit: Span, what: &str) -> Self {
        let message = format!("{}: {what} within {limit}", shown(url));
        Self::new("timeout", Severity::Temporary, message, "a slow server needs a longer `timeout` in [fetch]")
    }

    /// The host is to be left alone for `wait`.
    pub(super) fn throttled(url: &Url, said: &str, wait: Duration) -> Self {
        let wait = Span(Duration::from_secs(wait.as_secs_f64().ceil() as u64));
        let message = format!("{}: {said}; the host is left alone for {wait}", shown(url));
        let mut error = Self::new(
            "throttled",
            Severity::Temporary,
            message,
            "the server asks for fewer requests; a longer `interval` for its feeds or `host_gap` in [fetch] helps if it lasts",
        );
        error.0.retry_after = Some(wait);
        error
    }

    pub(super) fn refused(url: &Url, refused: &Refused) -> Self {
        Self::new(
            "refused-address",
            Severity::Hard,
            format!("{}: {refused}", shown(url)),
            "if this host is meant, name it in `allow_private` of [fetch]",
        )
    }

    /// A status that is neither success nor redirect nor "not modified" nor throttling.
    pub(super) fn status(url: &Url, status: u16, challenge: bool) -> Self {
        let url = shown(url);
        let (kind, severity, what, hint) = match status {
            _ if challenge => (
                "bot-wall",
                Severity::Hard,
                "a challenge for browsers stands in front of it",
                "the site keeps programs out; look for another address of the feed or ask the publisher",
            ),
            401 | 407 => (
                "unauthorized",
                Severity::Hard,
                "it wants a login",
                "set `username` and `password`, or the header it needs",
            ),
            403 | 451 => (
                "forbidden",
                Severity::Hard,
                "the server refuses",
                "it may refuse this `user_agent` or this network; try another user agent or a proxy for the feed",
            ),
            404 => (
                "not-found",
                Severity::Hard,
                "there is nothing at this address",
                "look for the feed's new address on the site",
            ),
            410 => ("gone", Severity::Hard, "it was taken down for good", "look for a new address, or remove the feed"),
            408 | 425 | 500..=599 => (
                "server-error",
                Severity::Temporary,
                "the server is in trouble",
                "it passes by itself most of the time",
            ),
            _ => (
                "status",
                Severity::Hard,
                "the server does not accept the request",
                "open the address in a browser to see what it wants",
            ),
        };
        Self::new(kind, severity, format!("{url}: status {status}: {what}"), hint).answered(status)
    }

    /// A failure of the connection or of the body.
    pub(super) fn transport(url: &Url, limit: Span, error: &(dyn Error + 'static), in_body: bool) -> Self {
        let causes = Causes::of(error);
        if let Some(refused) = causes.refused {
            return Self::refused(url, refused);
        }
        let at = shown(url);
        if let Some(tls) = causes.tls {
            let (kind, severity, what, hint) = tls_words(tls);
            return Self::new(kind, severity, format!("{at}: {what}"), hint);
        }
        if let Some(unresolved) = causes.unresolved {
            let passing = unresolved.0.contains("emporary failure") || unresolved.0.contains("ry again");
            let severity = if passing { Severity::Temporary } else { Severity::Hard };
            let hint = "check the spelling of the host and this machine's name server";
            return Self::new("dns", severity, format!("{at}: the name does not resolve: {}", unresolved.0), hint);
        }
        let last = causes.last;
        if causes.connecting && causes.timed_out {
            return Self::new(
                "connect-timeout",
                Severity::Temporary,
                format!("{at}: no connection in time"),
                "the server may be down, or a firewall stands between",
            );
        }
        if causes.timed_out {
            return Self::timeout(url, limit, "no answer");
        }
        if causes.turned_away {
            return Self::new(
                "connection-refused",
                Severity::Temporary,
                format!("{at}: no connection: nobody listens there: {last}"),
                "the server may be down, or its port another",
            );
        }
        if in_body {
            let message = format!("{at}: the body could not be read: {last}");
            return Self::new(
                "body",
                Severity::Temporary,
                message,
                "the server broke off, or its content encoding is damaged",
            );
        }
        let message = format!("{at}: no connection: {last}");
        Self::new("connect", Severity::Temporary, message, "the server may be down, or a firewall stands between")
    }
}

/// A name that did not resolve, with the resolver's words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unresolved(pub(super) String);

/// What stands in an error's chain. An `io::Error` hides what it carries from `source`, so it is opened here.
struct Causes<'a> {
    refused: Option<&'a Refused>,
    unresolved: Option<&'a Unresolved>,
    tls: Option<&'a rustls::Error>,
    connecting: bool,
    timed_out: bool,
    turned_away: bool,
    last: String,
}

impl<'a> Causes<'a> {
    fn of(error: &'a (dyn Error + 'static)) -> Self {
        let mut causes = Self {
            refused: None,
            unresolved: None,
            tls: None,
            connecting: false,
            timed_out: false,
            turned_away: false,
            last: String::new(),
        };
        let mut next = Some(error);
        // No real chain is near this long; the bound is against one that bites its tail.
        for _ in 0..32 {
            let Some(error) = next else { break };
            causes.refused = causes.refused.or(error.downcast_ref());
            causes.unresolved = causes.unresolved.or(error.downcast_ref());
            causes.tls = causes.tls.or(error.downcast_ref());
            causes.last = error.to_string();
            next = error.source();
            if let Some(io) = error.downcast_ref::<std::io::Error>() {
                causes.timed_out |= io.kind() == std::io::ErrorKind::TimedOut;
                causes.turned_away |= io.kind() == std::io::ErrorKind::ConnectionRefused;
                if let Some(inner) = io.get_ref() {
                    next = Some(inner);
                }
            }
            if let Some(error) = error.downcast_ref::<reqwest::Error>() {
                causes.timed_out |= error.is_timeout();
                causes.connecting |= error.is_connect();
            }
        }
        causes
    }
}

/// Kind, weight, what happened and what to do.
fn tls_words(error: &rustls::Error) -> (&'static str, Severity, String, &'static str) {
    use rustls::CertificateError as Wrong;
    const OWNER: &str = "its owner has to put it right; a browser will show the same";
    let rustls::Error::InvalidCertificate(wrong) = error else {
        let hint = "it passes by itself most of the time; otherwise the server may be too old for a secure connection";
        return ("tls", Severity::Temporary, format!("no secure connection: {error}"), hint);
    };
    let (kind, what, hint) = match wrong {
        Wrong::Expired | Wrong::ExpiredContext { .. } => (
            "certificate-expired",
            "the certificate has expired".to_owned(),
            "its owner has to renew it; a wrong clock on this machine looks the same",
        ),
        Wrong::NotValidYet | Wrong::NotValidYetContext { .. } => (
            "certificate-expired",
            "the certificate is not valid yet".to_owned(),
            "most often the clock of this machine is wrong",
        ),
        Wrong::NotValidForName | Wrong::NotValidForNameContext { .. } => (
            "certificate-name",
            "the certificate is for another name".to_owned(),
            "check the spelling of the host, with and without `www.`; otherwise its owner has to put it right",
        ),
        Wrong::UnknownIssuer => (
            "certificate-issuer",
            "the certificate's issuer is not known: it signed itself, or the server leaves out a part of the chain"
                .to_owned(),
            "its owner has to put it right; an authority of your own belongs into this machine's certificate store",
        ),
        Wrong::Revoked => ("certificate", "the certificate was revoked".to_owned(), OWNER),
        other => ("certificate", format!("the certificate is wrong: {other}"), OWNER),
    };
    (kind, Severity::Hard, what, hint)
}

/// An address as messages show it: without user name and password.
pub(super) fn shown(url: &Url) -> String {
    bare(url.clone()).to_string()
}

/// `url` without user name and password.
pub(super) fn bare(mut url: Url) -> Url {
    // Both fail only for addresses that cannot have them.
    let _none = url.set_password(None);
    let _none = url.set_username("");
    url
}

#[cfg(test)]
mod tests {
    use std::io;

    use rustls::CertificateError;

    use super::*;

    fn transport(error: &(dyn Error + 'static)) -> PollError {
        let url = Url::parse("https://layla:qasr@a.example/feed").unwrap();
        FetchError::transport(&url, Span::secs(20), error, false).0
    }

    #[test]
    fn wrong_certificates_are_told_apart() {
        for (wrong, kind, words) in [
            (CertificateError::Expired, "certificate-expired", "expired"),
            (CertificateError::NotValidYet, "certificate-expired", "not valid yet"),
            (CertificateError::NotValidForName, "certificate-name", "another name"),
            (CertificateError::UnknownIssuer, "certificate-issuer", "issuer"),
            (CertificateError::Revoked, "certificate", "revoked"),
            (CertificateError::BadEncoding, "certificate", "wrong"),
        ] {
            // As the connector hands it up: inside an input error inside another.
            let inner = io::Error::new(io::ErrorKind::InvalidData, rustls::Error::InvalidCertificate(wrong));
            let told = transport(&io::Error::other(inner));
            assert_eq!((told.kind.as_str(), told.severity), (kind, Severity::Hard));
            assert!(told.message.contains(words) && !told.message.contains("qasr"), "{}", told.message);
        }
    }

    #[test]
    fn names_that_do_not_resolve_are_weighed() {
        for (words, severity) in [
            ("failed to lookup address information: Name or service not known", Severity::Hard),
            ("failed to lookup address information: Temporary failure in name resolution", Severity::Temporary),
        ] {
            let told = transport(&io::Error::other(Unresolved(words.to_owned())));
            assert_eq!((told.kind.as_str(), told.severity), ("dns", severity));
        }
    }

    #[test]
    fn the_server_is_asked_again_when_it_says() {
        let url = Url::parse("https://a.example/").unwrap();
        let wait = FetchError::throttled(&url, "status 429", Duration::from_millis(1_500));
        assert_eq!(wait.retry(), Retry::After(Span::secs(2)));
        assert_eq!(FetchError::status(&url, 404, false).retry(), Retry::Never);
        assert_eq!(FetchError::status(&url, 502, false).retry(), Retry::Backoff);
        assert_eq!(FetchError::status(&url, 502, false).status_code(), Some(502));
        assert_eq!(wait.status_code(), None, "a host that is left alone was not asked");
    }
}
