//! Pages of other sites that may read.
//!
//! In: `[server] cors_origins`. Out: answers that a browser hands to the pages of those origins, and the answer to its
//! question before it asks (preflight).
//! Promise: without the key nothing is changed; with it, every other origin gets what it got before.
//! Not here: who may ask at all ([`super::guard`]): a page still sends a token where one is needed.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HeaderValue, ORIGIN, VARY,
};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use url::{Origin, Url};

/// `router` for the pages of `origins`.
pub(super) fn open(router: Router, origins: &[String]) -> Router {
    if origins.is_empty() {
        return router;
    }
    router.layer(middleware::from_fn_with_state(Arc::<[String]>::from(origins), answer))
}

/// What is wrong with the origins of a configuration, in words; empty when nothing is.
pub fn check_origins(origins: &[String]) -> Vec<String> {
    origins.iter().filter_map(|origin| check_origin(origin).err()).collect()
}

fn check_origin(text: &str) -> Result<(), String> {
    let origin = Url::parse(text).ok().map(|url| url.origin()).filter(Origin::is_tuple);
    match origin.map(|origin| origin.ascii_serialization()) {
        Some(origin) if origin == text => Ok(()),
        Some(origin) => Err(format!("`{text}` is not how a browser writes an origin; write \"{origin}\"")),
        None => Err(format!("`{text}` is no origin; write scheme, host and port, such as \"https://news.example\"")),
    }
}

/// Whether a request comes from a page that may read.
pub(super) fn is_allowed(headers: &HeaderMap, origins: &[String]) -> bool {
    headers.get(ORIGIN).is_some_and(|origin| origins.iter().any(|allowed| *origin == **allowed))
}

async fn answer(State(origins): State<Arc<[String]>>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(ORIGIN).cloned().filter(|_| is_allowed(request.headers(), &origins));
    let preflight =
        request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = match (&origin, preflight) {
        (Some(_), true) => {
            let mut response = StatusCode::NO_CONTENT.into_response();
            let headers = response.headers_mut();
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, DELETE"));
            let allowed = "authorization, content-type, if-none-match, last-event-id";
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(allowed));
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
            response
        }
        _ => next.run(request).await,
    };
    let headers = response.headers_mut();
    if let Some(origin) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("etag, retry-after"));
    }
    headers.append(VARY, HeaderValue::from_static("origin"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_as_browsers_write_them() {
        for (text, said) in [
            ("https://news.example", None),
            ("http://localhost:3000", None),
            ("https://news.example/", Some("\"https://news.example\"")),
            ("https://News.example:443", Some("\"https://news.example\"")),
            ("news.example", Some("no origin")),
            ("*", Some("no origin")),
            ("null", Some("no origin")),
            ("file:///x", Some("no origin")),
        ] {
            match (check_origin(text), said) {
                (Ok(()), None) => {}
                (Err(error), Some(said)) => assert!(error.contains(said), "{text}: {error}"),
                (got, _) => panic!("{text}: {got:?}"),
            }
        }
    }
}
