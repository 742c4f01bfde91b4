//! Answers that are given again as they are, as long as nothing was written.
//!
//! In: requests to a route whose answer follows from what is stored, the configuration, and the request's own address alone.
//! Out: its answer, made once for all who ask at the same time, with its tag ([`Tag`]), so that it is hashed once, too.
//! Promise: an answer is given again only while the store's writes and the configuration are those that it was made of;
//! what counts back from now, or asks the search index, is made each time. Held are [`MOST`] bytes at most, and as many of
//! what was compressed, which is found by the tag of the very bytes that it was made of.
//! Why: a page of items costs a hundred times what it takes to send it, compressing it as much again, and between two
//! commits all who ask get the same.
//! Not here: who may ask, which stands before this; what readers keep themselves ([`super::etag`]).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes, HttpBody as _, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_ENCODING, ETAG, HOST};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tokio::sync::OnceCell;

use super::problem::Problem;
use super::{Loaded, Shared};
use crate::units::Span;

/// All bodies together, in bytes.
const MOST: usize = 16 << 20;
/// What a place takes besides its key and its answer, about, in bytes.
const PLACE: usize = 256;
/// The largest body that is held, in bytes: five hundred long articles.
const LARGEST: usize = 4 << 20;

/// The parameters by which an answer depends on more than what is stored.
const SEARCHED: &str = "q";

/// The hash of an answer's very bytes, in hexadecimal digits.
#[derive(Clone, Debug)]
pub(super) struct Tag(Arc<str>);

impl Tag {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let hash = blake3::hash(bytes).to_hex();
        Self(hash.get(..32).unwrap_or(&hash).into())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What was answered since the last write, and what was compressed lately.
#[derive(Default)]
pub(super) struct Answers {
    made: Mutex<(Made, Places<Answer>)>,
    packed: Mutex<Places<Bytes>>,
}

/// What the answers were made of: the store's writes, and the configuration.
#[derive(Default)]
struct Made {
    writes: u64,
    loaded: Arc<Loaded>,
}

/// Where answers are, or will be, of so many bytes together.
struct Places<T> {
    places: HashMap<String, Arc<OnceCell<T>>>,
    bytes: usize,
}

impl<T> Default for Places<T> {
    fn default() -> Self {
        Self { places: HashMap::new(), bytes: 0 }
    }
}

impl<T> Places<T> {
    fn place(&mut self, key: String) -> Arc<OnceCell<T>> {
        // Also what never gets an answer that is held, such as an item that is not there, takes room.
        if !self.places.contains_key(&key) {
            self.count(key.len() + PLACE);
        }
        Arc::clone(self.places.entry(key).or_default())
    }

    /// Counts what has come to a place, and begins anew where that is too much.
    fn count(&mut self, bytes: usize) {
        self.bytes += bytes;
        if self.bytes > MOST {
            *self = Self::default();
        }
    }
}

/// An answer without its body, and its body.
#[derive(Clone)]
struct Answer {
    headers: HeaderMap,
    body: Bytes,
    tag: Tag,
}

impl Answer {
    fn respond(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.headers_mut() = self.headers;
        response.extensions_mut().insert(self.tag);
        response
    }
}

impl Answers {
    /// The place of an answer; what was made of an older state is forgotten.
    fn place(&self, writes: u64, loaded: &Arc<Loaded>, key: String) -> Arc<OnceCell<Answer>> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.0.writes != writes || !Arc::ptr_eq(&made.0.loaded, loaded) {
            *made = (Made { writes, loaded: Arc::clone(loaded) }, Places::default());
        }
        made.1.place(key)
    }

    fn count(&self, bytes: usize) {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).1.count(bytes);
    }
}

/// Compresses what has a tag once. Stands around what gives compressed answers their tags.
pub(super) async fn pack_once(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let headers = response.headers();
    let (true, true, Some(tag)) = (
        response.status() == StatusCode::OK,
        headers.contains_key(CONTENT_ENCODING),
        headers.get(ETAG).and_then(|tag| tag.to_str().ok()),
    ) else {
        return response;
    };
    let packed = || shared.answers.packed.lock().unwrap_or_else(PoisonError::into_inner);
    let place = packed().place(tag.to_owned());
    let (parts, body) = response.into_parts();
    // A body that nobody reads is not compressed.
    let bytes = place.get_or_try_init(async || {
        let bytes = to_bytes(body, usize::MAX).await?;
        packed().count(bytes.len());
        Ok::<_, axum::Error>(bytes)
    });
    match bytes.await {
        Ok(bytes) => Response::from_parts(parts, Body::from(bytes.clone())),
        Err(error) => Problem::internal(&error).into_response(),
    }
}

/// Stands around the handler of a route that is `kept`.
pub(super) async fn again(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    if *request.method() != Method::GET || !is_settled(request.uri()) {
        return next.run(request).await;
    }
    // Looked at before the store is read: what is written meanwhile makes another answer.
    let (writes, loaded) = (shared.state.store.writes(), shared.loaded());
    let place = shared.answers.place(writes, &loaded, key(&request));
    let made = place.get_or_try_init(async || {
        let answer = made(next.run(request).await).await?;
        shared.answers.count(answer.body.len());
        Ok(answer)
    });
    made.await.map_or_else(|response: Response| response, |answer| answer.clone().respond())
}

/// The answer of a handler as it is held; the response itself where it is not.
async fn made(response: Response) -> Result<Answer, Response> {
    let size = response.body().size_hint().exact();
    if response.status() != StatusCode::OK || size.is_none_or(|size| size > LARGEST as u64) {
        return Err(response);
    }
    let (parts, body) = response.into_parts();
    match to_bytes(body, LARGEST).await {
        Ok(body) => Ok(Answer { headers: parts.headers, tag: Tag::of(&body), body }),
        Err(error) => Err(Problem::internal(&error).into_response()),
    }
}

/// What an answer is found by: outgoing feeds say where they were asked for.
fn key(request: &Request) -> String {
    let host = request.headers().get(HOST).map_or(&b""[..], |host| host.as_bytes());
    format!("{} {}", host.escape_ascii(), request.uri())
}

/// Whether an address means the same at every time.
fn is_settled(uri: &Uri) -> bool {
    let query = uri.query().unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes())
        .all(|(name, value)| name != SEARCHED && value.parse::<Span>().is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_depends_on_the_time_or_the_search_is_not_settled() {
        for (address, settled) in [
            ("/api/v1/items", true),
            ("/api/v1/items?limit=50&topic=csto", true),
            ("/api/v1/items?since=2026-11-20", true),
            ("/api/v1/items?since=2026-11-20T09:30:00Z&until=2026-11-21", true),
            ("/api/v1/items?since=7d", false),
            ("/api/v1/items?limit=50&until=3%36h", false),
            ("/api/v1/feed.atom?q=قمة", false),
        ] {
            let uri = address.replace("قمة", "%D9%82%D9%85%D8%A9").parse().unwrap();
            assert_eq!(is_settled(&uri), settled, "{address}");
        }
    }

    #[test]
    fn so_much_is_held_and_no_more() {
        let (answers, loaded) = (Answers::default(), Arc::default());
        let place = |n: usize| answers.place(1, &loaded, n.to_string());
        let kept = place(0);
        assert!(Arc::ptr_eq(&kept, &place(0)));
        answers.count(MOST - PLACE - 1);
        assert!(Arc::ptr_eq(&kept, &place(0)), "as much as there may be");
        answers.count(1);
        assert!(!Arc::ptr_eq(&kept, &place(0)), "one byte more");
        for n in 1..MOST / PLACE {
            place(n);
        }
        assert!(
            answers.made.lock().unwrap().1.places.len() < MOST / PLACE - 1,
            "places without answers have a bound, too"
        );
        let kept = place(0);
        assert!(!Arc::ptr_eq(&kept, &answers.place(2, &loaded, "0".to_owned())), "something was written");
        let kept = answers.place(2, &loaded, "0".to_owned());
        assert!(!Arc::ptr_eq(&kept, &answers.place(2, &Arc::default(), "0".to_owned())), "another configuration");
    }
}
