//! What to fetch, and which of its headers may go where.
//!
//! Promise: what may be a secret never shows in `Debug` output, and never follows a redirect to another host or from
//! https to http.

use std::collections::BTreeMap;
use std::fmt;

use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::fetch::error::{FetchError, bare, shown};
use crate::source::{Severity, Validators};

/// The `Accept` header for feeds and sitemaps.
pub const ACCEPT_FEED: &str = "application/rss+xml, application/atom+xml, application/feed+json, application/rdf+xml;q=0.9, \
                               application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, text/html;q=0.5, */*;q=0.1";

/// The `Accept` header for web pages.
pub const ACCEPT_PAGE: &str = "text/html, application/xhtml+xml;q=0.9, application/xml;q=0.5, */*;q=0.1";

/// What to fetch.
#[derive(Clone)]
pub struct Request {
    /// Where; a user name and password in it are used as basic authentication.
    pub url: Url,
    /// Sent to `url` itself, not to where it redirects: validators belong to one address.
    pub validators: Validators,
    /// Sent besides our own, which they replace.
    pub headers: BTreeMap<String, String>,
    /// Instead of the configured one.
    pub user_agent: Option<String>,
    /// The address of an HTTP proxy.
    pub proxy: Option<String>,
    /// Basic authentication.
    pub username: Option<String>,
    /// Basic authentication.
    pub password: Option<String>,
    /// The `Accept` header.
    pub accept: &'static str,
    /// Whether the site's `robots.txt` has a say: for pages that are found, not for what somebody named.
    pub robots: bool,
}

/// Headers that say nothing of who asks: shown in logs, and sent on after a redirect to another host.
const HARMLESS: [&str; 12] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "dnt",
    "from",
    "pragma",
    "priority",
    "referer",
    "upgrade-insecure-requests",
    "user-agent",
];

fn is_harmless(name: &str) -> bool {
    HARMLESS.iter().any(|harmless| harmless.eq_ignore_ascii_case(name))
}

impl Request {
    /// A plain request, which asks no `robots.txt`.
    pub fn new(url: Url, accept: &'static str) -> Self {
        Self {
            url,
            validators: Validators::default(),
            headers: BTreeMap::new(),
            user_agent: None,
            proxy: None,
            username: None,
            password: None,
            accept,
            robots: false,
        }
    }

    /// The user agent as it will be sent.
    pub(super) fn agent<'a>(&'a self, default_agent: &'a str) -> &'a str {
        let own = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("user-agent"));
        own.map(|(_, value)| value.as_str()).or(self.user_agent.as_deref()).unwrap_or(default_agent)
    }

    /// The headers for one hop. `first` is the address itself; `trusted` a hop that may see the secrets.
    pub(super) fn headers_for(&self, default_agent: &str, first: bool, trusted: bool) -> Result<HeaderMap, FetchError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(self.accept));
        headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static("ar, *;q=0.5"));
        headers.insert(header::USER_AGENT, self.value("user-agent", self.agent(default_agent))?);
        for (name, value) in &self.headers {
            if trusted || is_harmless(name) {
                let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| self.wrong(name))?;
                headers.insert(parsed, self.value(name, value)?);
            }
        }
        if first {
            let Validators { etag, last_modified } = &self.validators;
            // What a server sent is sent back as it is; one that cannot be sent is as good as none.
            let sent = [(header::IF_NONE_MATCH, etag), (header::IF_MODIFIED_SINCE, last_modified)];
            for (name, value) in sent {
                if let Some(value) = value.as_deref().and_then(|value| HeaderValue::from_str(value).ok()) {
                    headers.insert(name, value);
                }
            }
        }
        Ok(headers)
    }

    /// User name and password: the request's own, else those in its address.
    pub(super) fn credentials(&self) -> Option<(String, Option<String>)> {
        if let Some(username) = &self.username {
            return Some((username.clone(), self.password.clone()));
        }
        let (name, password) = (self.url.username(), self.url.password());
        (!name.is_empty() || password.is_some()).then(|| (percent_decoded(name), password.map(percent_decoded)))
    }

    fn value(&self, name: &str, value: &str) -> Result<HeaderValue, FetchError> {
        HeaderValue::from_str(value).map_err(|_| self.wrong(name))
    }

    fn wrong(&self, name: &str) -> FetchError {
        let message = format!("{}: the header `{name}` has characters that cannot be sent", shown(&self.url));
        FetchError::new("bad-request", Severity::Hard, message, "correct `headers` or `user_agent` of the feed")
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: BTreeMap<_, _> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), if is_harmless(name) { value.as_str() } else { "(not shown)" }))
            .collect();
        let proxy = self
            .proxy
            .as_deref()
            .map(|proxy| Url::parse(proxy).map_or("(not shown)".to_owned(), |url| bare(url).into()));
        f.debug_struct("Request")
            .field("url", &shown(&self.url))
            .field("validators", &self.validators)
            .field("headers", &headers)
            .field("user_agent", &self.user_agent)
            .field("proxy", &proxy)
            .field("username", &self.username)
            .field("password", &self.password.as_ref().map(|_| "(not shown)"))
            .field("accept", &self.accept)
            .field("robots", &self.robots)
            .finish()
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        match (first, after) {
            (b'%', [high, low, tail @ ..]) if hex(*high).is_some() && hex(*low).is_some() => {
                bytes.push(hex(*high).unwrap_or_default() << 4 | hex(*low).unwrap_or_default());
                rest = tail;
            }
            _ => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_show() {
        let mut request = Request::new(Url::parse("https://layla:qasr1@a.example/feed?x=1").unwrap(), ACCEPT_FEED);
        request.password = Some("qasr2".into());
        request.proxy = Some("http://user:qasr3@proxy.example:3128".into());
        for name in ["Authorization", "Cookie", "X-Api-Key"] {
            request.headers.insert(name.into(), "qasr4".into());
        }
        request.headers.insert("Accept-Language".into(), "ar".into());
        let text = format!("{request:?}");
        assert!(!text.contains("qasr"), "{text}");
        for shown in ["https://a.example/feed?x=1", "proxy.example", "X-Api-Key", "Accept-Language"] {
            assert!(text.contains(shown), "{shown}: {text}");
        }
    }

    #[test]
    fn secrets_stay_at_home() {
        let mut request = Request::new(Url::parse("https://a.example/").unwrap(), ACCEPT_FEED);
        request.headers.insert("X-Api-Key".into(), "k".into());
        request.headers.insert("Accept-Language".into(), "ar-EG".into());
        let away = request.headers_for("rasid", false, false).unwrap();
        assert!(!away.contains_key("x-api-key"));
        assert_eq!(away["accept-language"], "ar-EG");
        assert!(request.headers_for("rasid", true, true).unwrap().contains_key("x-api-key"));
        request.headers.insert("bad name".into(), "k".into());
        assert_eq!(request.headers_for("rasid", true, true).unwrap_err().0.kind, "bad-request");
    }

    #[test]
    fn credentials_of_the_address_are_decoded() {
        let request = Request::new(Url::parse("https://a%40b:p%3Aw@a.example/").unwrap(), ACCEPT_FEED);
        assert_eq!(request.credentials(), Some(("a@b".into(), Some("p:w".into()))));
    }
}
