//! What stands before the router on TCP.
//!
//! In: the routes, `[server]`, the file of the tokens. Out: the routes behind what one who asks may do ([`Door`]), the
//! limit of requests, and the refusal of requests that a foreign page made a browser send.
//! Promise: where others reach the port, nothing but what is open is answered without a token, also when the last one was
//! revoked; once there is a token, the loopback needs one, too. Tokens are compared in a time that tells nothing.
//! Why: a loopback port is reachable by every page in a browser of this machine. A page of a name that its owner points
//! at 127.0.0.1 (DNS rebinding) reads answers, but carries its own name in `Host`; a form or script of another site
//! posts, but carries its own `Origin`. Where others reach the port, the token is the guard: such a page has none.
//! Not here: the Unix socket, which its file mode guards; what a scope opens ([`super::access`]).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, Method};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use jiff::civil::Date;
use tokio::time::Instant;

use super::access::{Door, Scope};
use super::connection::Peer;
use super::problem::Problem;
use super::rate::{Limiter, Who};
use super::tokens::{self, Stamp, Token, TokenFile};
use super::web::is_page;
use super::{ServerConfig, Shared, cors, every_route, with_headers};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// How often it is looked whether the tokens have changed.
const LOOK: Duration = Duration::from_millis(500);

/// The routes behind the guard that `config` asks for.
pub(super) fn protect(shared: Shared, config: &ServerConfig) -> Result<Router, String> {
    let file = config.tokens.clone().map(TokenFile::at);
    // What it looks like is taken first: a change in between is seen as one.
    let stamp = file.as_ref().and_then(TokenFile::stamp);
    let known = file.as_ref().map_or(Ok(Vec::new()), TokenFile::read)?;
    let guard = Guard {
        // Compared as hashes, which take the same time wherever the first wrong letter stands.
        configured: config.token.as_ref().map(|token| tokens::hash(token)),
        file,
        known: Mutex::new(Known { tokens: known.into(), stamp, looked: Instant::now() }),
        used: Mutex::default(),
        loopback: config.listen.ip().to_canonical().is_loopback(),
        origins: config.cors_origins.clone(),
        limiter: Limiter::new(config.rate, config.burst),
        timeout: config.request_timeout.get(),
        open: super::routes::open_paths(),
        clock: shared.state.clock,
    };
    // The headers once more, around the guard: what it refuses is an answer like any other.
    let guarded = every_route(shared, false).layer(middleware::from_fn_with_state(Arc::new(guard), check));
    Ok(cors::open(guarded, &config.cors_origins).layer(middleware::from_fn(with_headers)))
}

struct Guard {
    configured: Option<blake3::Hash>,
    file: Option<TokenFile>,
    known: Mutex<Known>,
    /// The day on which each token was last noted.
    used: Mutex<HashMap<String, Date>>,
    loopback: bool,
    origins: Vec<String>,
    limiter: Option<Limiter>,
    timeout: Duration,
    open: Vec<&'static str>,
    clock: fn() -> Timestamp,
}

/// The tokens as they were read last.
struct Known {
    tokens: Arc<[Token]>,
    stamp: Stamp,
    looked: Instant,
}

/// Who asks, as far as the request shows.
#[derive(Debug)]
enum Caller {
    /// Who has the token of the configuration.
    Configured,
    /// Who has a token of the file.
    Named(Token),
    /// Who has one that has expired.
    Expired(String),
    /// Who has none, or none that is known.
    Unknown,
}

async fn check(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Response {
    let known = guard.tokens().await;
    let caller = guard.caller(request.headers(), &known);
    let peer = request.extensions().get::<Peer>().and_then(|peer| peer.0);
    match guard.admits(&caller, !known.is_empty(), request.method(), request.uri().path(), request.headers(), peer) {
        Err(problem) => problem.into_response(),
        Ok(may) => {
            if let Caller::Named(token) = caller {
                guard.note(token).await;
            }
            request.extensions_mut().insert(Door { may, timeout: Some(guard.timeout) });
            next.run(request).await
        }
    }
}

impl Guard {
    /// The tokens of the file, read again where it has changed.
    async fn tokens(self: &Arc<Self>) -> Arc<[Token]> {
        let (tokens, due) = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let due = known.looked.elapsed() >= LOOK;
            if due {
                known.looked = Instant::now();
            }
            (Arc::clone(&known.tokens), due)
        };
        if !due || self.file.is_none() {
            return tokens;
        }
        let guard = Arc::clone(self);
        tokio::task::spawn_blocking(move || guard.look()).await.unwrap_or(tokens)
    }

    /// Reads the file where it has changed. One that cannot be read changes nothing, so that it lets nobody in.
    fn look(&self) -> Arc<[Token]> {
        let stamp = self.file.as_ref().and_then(TokenFile::stamp);
        let changed = self.known.lock().unwrap_or_else(PoisonError::into_inner).stamp != stamp;
        let read = changed.then(|| self.file.as_ref().map_or(Ok(Vec::new()), TokenFile::read));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match read {
            Some(Ok(tokens)) => (known.tokens, known.stamp) = (tokens.into(), stamp),
            Some(Err(error)) => {
                known.stamp = stamp;
                tracing::error!("{error}; the tokens read before stay in force");
            }
            None => {}
        }
        Arc::clone(&known.tokens)
    }

    fn caller(&self, headers: &HeaderMap, known: &[Token]) -> Caller {
        let Some(sent) = bearer(headers).map(tokens::hash) else { return Caller::Unknown };
        if self.configured.is_some_and(|token| token == sent) {
            return Caller::Configured;
        }
        // All are compared, wherever the right one stands.
        let found = known.iter().fold(None, |found, token| if token.is(&sent) { Some(token) } else { found });
        match found {
            Some(token) if token.is_expired((self.clock)()) => Caller::Expired(token.name.clone()),
            Some(token) => Caller::Named(token.clone()),
            None => Caller::Unknown,
        }
    }

    /// What the caller may do, or why the request goes no further.
    fn admits(
        &self,
        caller: &Caller,
        named: bool,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        peer: Option<IpAddr>,
    ) -> Result<Option<Scope>, Problem> {
        let host = headers.get(HOST).and_then(|value| value.to_str().ok());
        let may = match caller {
            Caller::Configured => Some(Scope::Admin),
            Caller::Named(token) => token.may(),
            Caller::Expired(_) | Caller::Unknown => None,
        };
        let guarded = self.configured.is_some() || named || !self.loopback;
        // The page holds nothing by itself: what it shows it asks for with the token that its reader gives it.
        if guarded && is_page(path) && matches!(*method, Method::GET | Method::HEAD) {
            return Ok(may);
        }
        // Whoever has a token is no foreign page: a proxy may then pass requests on under a name of its own.
        if self.loopback && may.is_none() && !host.is_some_and(is_loopback) {
            return Err(Problem::foreign(format!(
                "the Host header is `{}`, which is not a name of this machine's loopback; requests under another name \
                 need a token",
                host.unwrap_or_default()
            )));
        }
        let reads = matches!(*method, Method::GET | Method::HEAD);
        if !reads && is_cross_site(headers, host) && !cors::is_allowed(headers, &self.origins) {
            return Err(Problem::foreign("another site's page sent the request; it may only read"));
        }
        let open = self.open.contains(&path);
        if let (Some(limiter), false) = (&self.limiter, open) {
            let who = match caller {
                Caller::Configured => Who::Configured,
                Caller::Named(token) => Who::Token(token.name.clone()),
                Caller::Expired(_) | Caller::Unknown => Who::at(peer),
            };
            limiter.take(who, Instant::now()).map_err(Problem::too_many)?;
        }
        if may.is_some() || open {
            return Ok(may);
        }
        // Nobody has made a token, and nobody else reaches this port.
        if self.loopback && self.configured.is_none() && !named {
            return Ok(Some(Scope::Admin));
        }
        Err(match caller {
            Caller::Expired(name) => Problem::expired(name),
            _ => Problem::unauthorized(),
        })
    }

    /// Notes the day on which a token was used, once a day.
    async fn note(self: &Arc<Self>, token: Token) {
        let today = tokens::day((self.clock)());
        let noted = {
            let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
            if used.len() > MOST_NOTED {
                used.clear();
            }
            used.insert(token.name.clone(), today) == Some(today)
        };
        if noted || token.last_used == Some(today) {
            return;
        }
        let guard = Arc::clone(self);
        let written =
            tokio::task::spawn_blocking(move || guard.file.as_ref().map(|file| file.used(&token.name, today)));
        if let Ok(Some(Err(error))) = written.await {
            tracing::warn!("{error}; the day on which a token was used is not noted");
        }
    }
}

/// Names that are remembered; those revoked are among them.
const MOST_NOTED: usize = 10_000;

fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host();
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    // `user@host` is not what a Host header has.
    !host.contains('@')
        && (name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.to_canonical().is_loopback()))
}

fn is_cross_site(headers: &HeaderMap, host: Option<&str>) -> bool {
    if headers.get(SEC_FETCH_SITE).is_some_and(|site| site == "cross-site") {
        return true;
    }
    let Some(origin) = headers.get(ORIGIN) else { return false };
    let authority = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, authority)| authority);
    match (authority, host) {
        (Some(authority), Some(host)) => !authority.eq_ignore_ascii_case(host),
        _ => true,
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(configured: Option<&str>, loopback: bool) -> Guard {
        Guard {
            configured: configured.map(tokens::hash),
            file: None,
            known: Mutex::new(Known { tokens: Vec::new().into(), stamp: None, looked: Instant::now() }),
            used: Mutex::default(),
            loopback,
            origins: vec!["https://allowed.example".to_owned()],
            limiter: None,
            timeout: Duration::from_secs(30),
            open: vec!["/healthz", "/readyz"],
            clock: || Timestamp::UNIX_EPOCH,
        }
    }

    fn refusal(guard: &Guard, method: &Method, path: &str, sent: &[(&'static str, &str)]) -> u16 {
        let headers =
            sent.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect();
        let caller = guard.caller(&headers, &[]);
        let admitted = guard.admits(&caller, false, method, path, &headers, None);
        admitted.map_or_else(|problem| problem.into_response().status().as_u16(), |_| 200)
    }

    #[test]
    fn foreign_pages_are_refused_on_the_loopback() {
        let guard = guard(None, true);
        for (method, sent, expected) in [
            (Method::GET, &[("host", "127.0.0.1:7878")][..], 200),
            (Method::GET, &[("host", "localhost:7878")], 200),
            (Method::GET, &[("host", "LocalHost")], 200),
            (Method::GET, &[("host", "[::1]:7878")], 200),
            (Method::GET, &[("host", "evil.example:7878")], 403),
            (Method::GET, &[("host", "127.0.0.1.evil.example")], 403),
            (Method::GET, &[("host", "localhost@evil.example")], 403),
            (Method::GET, &[("host", "")], 403),
            (Method::GET, &[], 403),
            (Method::GET, &[("host", "localhost:7878"), ("origin", "http://evil.example")], 200),
            (Method::POST, &[("host", "localhost:7878")], 200),
            (Method::POST, &[("host", "localhost:7878"), ("origin", "http://localhost:7878")], 200),
            (Method::POST, &[("host", "localhost:7878"), ("origin", "http://localhost:3000")], 403),
            (Method::POST, &[("host", "localhost:7878"), ("origin", "http://evil.example")], 403),
            (Method::POST, &[("host", "localhost:7878"), ("origin", "null")], 403),
            (Method::POST, &[("host", "localhost:7878"), ("sec-fetch-site", "cross-site")], 403),
            (Method::POST, &[("host", "localhost:7878"), ("origin", "https://allowed.example")], 200),
        ] {
            assert_eq!(refusal(&guard, &method, "/api/v1/items", sent), expected, "{method} {sent:?}");
        }
    }

    #[test]
    fn a_token_opens_everything_and_health_needs_none() {
        let reachable = guard(Some("right-token"), false);
        for (path, sent, expected) in [
            ("/api/v1/items", &[("authorization", "Bearer right-token")][..], 200),
            ("/api/v1/items", &[("authorization", "bearer  right-token")], 200),
            ("/api/v1/items", &[("authorization", "Bearer right-toke")], 401),
            ("/api/v1/items", &[("authorization", "Basic right-token")], 401),
            ("/api/v1/items", &[], 401),
            ("/nowhere", &[], 401),
            ("/healthz", &[], 200),
            ("/readyz", &[], 200),
            ("/healthz/", &[], 401),
            ("/", &[], 200),
            ("/web/app.js", &[], 200),
            ("/web", &[], 401),
        ] {
            assert_eq!(refusal(&reachable, &Method::GET, path, sent), expected, "{path} {sent:?}");
        }
        let behind_proxy = guard(Some("right-token"), true);
        for (sent, expected) in [
            (&[("host", "news.example")][..], 403),
            (&[("host", "news.example"), ("authorization", "Bearer wrong")], 403),
            (&[("host", "news.example"), ("authorization", "Bearer right-token")], 200),
        ] {
            assert_eq!(refusal(&behind_proxy, &Method::GET, "/api/v1/items", sent), expected, "{sent:?}");
        }
    }

    #[test]
    fn without_any_token_only_the_loopback_is_served() {
        for (loopback, expected) in [(true, 200), (false, 401)] {
            let guard = guard(None, loopback);
            assert_eq!(refusal(&guard, &Method::GET, "/api/v1/items", &[("host", "localhost")]), expected);
            assert_eq!(refusal(&guard, &Method::GET, "/healthz", &[("host", "localhost")]), 200);
        }
    }
}
