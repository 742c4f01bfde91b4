//! What stands before the router on TCP.
//!
//! In: the router, `[server]`. Out: the router behind the token, and behind the refusal of requests that a foreign
//! page made a browser send.
//! Why: a loopback port is reachable by every page in a browser of this machine. A page of a name that its owner points
//! at 127.0.0.1 (DNS rebinding) reads answers, but carries its own name in `Host`; a form or script of another site
//! posts, but carries its own `Origin`. Where others reach the port, the token is the guard: such a page has none.
//! Not here: the Unix socket, which its file mode guards.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, Method};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use super::web::is_page;
use super::{ServerConfig, with_headers};

/// Asked by whatever supervises the daemon, which knows no token; they tell nothing.
const OPEN: [&str; 2] = ["/healthz", "/readyz"];

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// `router` behind the guard that `config` asks for.
pub(super) fn protect(router: Router, config: &ServerConfig) -> Router {
    let guard = Guard {
        // Compared as hashes, which take the same time wherever the first wrong letter stands.
        token: config.token.as_ref().map(|token| blake3::hash(token.as_bytes())),
        loopback: config.listen.ip().to_canonical().is_loopback(),
    };
    // The headers once more, around the guard: what it refuses is an answer like any other.
    router.layer(middleware::from_fn_with_state(Arc::new(guard), check)).layer(middleware::from_fn(with_headers))
}

struct Guard {
    token: Option<blake3::Hash>,
    loopback: bool,
}

async fn check(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    match guard.refuses(request.method(), request.uri().path(), request.headers()) {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    }
}

impl Guard {
    fn refuses(&self, method: &Method, path: &str, headers: &HeaderMap) -> Option<Problem> {
        let host = headers.get(HOST).and_then(|value| value.to_str().ok());
        let has_token =
            self.token.is_some_and(|token| bearer(headers).is_some_and(|sent| blake3::hash(sent.as_bytes()) == token));
        // Whoever knows the token is no foreign page: a proxy may then pass requests on under a name of its own.
        // The page holds nothing by itself: what it shows it asks for with the token that its reader gives it.
        if self.token.is_some() && is_page(path) && matches!(*method, Method::GET | Method::HEAD) {
            return None;
        }
        if self.loopback && !has_token && !host.is_some_and(is_loopback) {
            return Some(Problem::foreign(format!(
                "the Host header is `{}`, which is not a name of this machine's loopback; requests under another name \
                 need the token of `[server] token`",
                host.unwrap_or_default()
            )));
        }
        if !matches!(*method, Method::GET | Method::HEAD) && is_cross_site(headers, host) {
            return Some(Problem::foreign("another site's page sent the request; it may only read"));
        }
        let open = OPEN.contains(&path);
        (self.token.is_some() && !has_token && !open).then(Problem::unauthorized)
    }
}

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

    fn refusal(guard: &Guard, method: &Method, path: &str, sent: &[(&'static str, &str)]) -> u16 {
        let headers =
            sent.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect();
        guard.refuses(method, path, &headers).map_or(200, |problem| problem.into_response().status().as_u16())
    }

    #[test]
    fn foreign_pages_are_refused_on_the_loopback() {
        let guard = Guard { token: None, loopback: true };
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
        ] {
            assert_eq!(refusal(&guard, &method, "/api/v1/items", sent), expected, "{method} {sent:?}");
        }
    }

    #[test]
    fn a_token_opens_everything_and_health_needs_none() {
        let guard = Guard { token: Some(blake3::hash(b"right-token")), loopback: false };
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
            assert_eq!(refusal(&guard, &Method::GET, path, sent), expected, "{path} {sent:?}");
        }
        let behind_proxy = Guard { loopback: true, ..guard };
        for (sent, expected) in [
            (&[("host", "news.example")][..], 403),
            (&[("host", "news.example"), ("authorization", "Bearer wrong")], 403),
            (&[("host", "news.example"), ("authorization", "Bearer right-token")], 200),
        ] {
            assert_eq!(refusal(&behind_proxy, &Method::GET, "/api/v1/items", sent), expected, "{sent:?}");
        }
    }
}
