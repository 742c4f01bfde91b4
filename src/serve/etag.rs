//! Answers that a reader may keep, and ask about again.
//!
//! In: an answer of JSON, or an outgoing feed, to a GET. Out: the same with an `ETag`; 304 without a body where the reader has it already.
//! Promise: the tag is a hash of the very bytes, so equal tags are equal answers; a compressed answer has another tag than
//! a plain one, as they are other bytes. Keeping is for the reader's own use (`private`), and asked about each time.
//! Not here: what is streamed, which has no end to hash.

use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::answers::Tag;
use super::outgoing;
use super::problem::Problem;

/// The codings that a tag may end in.
const CODINGS: [&str; 3] = ["gzip", "br", "zstd"];

/// The media types of answers that have tags.
const KEPT: [&str; 3] = ["application/json", outgoing::ATOM, outgoing::JSON];

/// Gives answers their tags. Stands within the compression.
pub(super) async fn tag(request: Request, next: Next) -> Response {
    // The answer to a HEAD has lost its body, of which the tag would be.
    let asked = *request.method() == Method::GET;
    let known: Vec<String> = if asked { known(request.headers()) } else { Vec::new() };
    let response = next.run(request).await;
    let kept = response.headers().get(CONTENT_TYPE).is_some_and(|kind| KEPT.iter().any(|kept| kind == kept));
    // What is not whole yet is not waited for.
    let whole = response.body().size_hint().exact().is_some();
    if !asked || !kept || !whole || response.status() != StatusCode::OK {
        return response;
    }
    let (mut parts, mut body) = response.into_parts();
    let hash = match parts.extensions.remove::<Tag>() {
        Some(hash) => hash,
        None => {
            let bytes = match to_bytes(body, usize::MAX).await {
                Ok(bytes) => bytes,
                Err(error) => return Problem::internal(&error).into_response(),
            };
            let hash = Tag::of(&bytes);
            body = Body::from(bytes);
            hash
        }
    };
    let hash = hash.as_str();
    parts.headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    let found = known.iter().find(|tag| *tag == "*" || plain(tag) == hash);
    let tag = found.map(String::as_str).filter(|tag| *tag != "*").unwrap_or(hash);
    if let Ok(value) = HeaderValue::try_from(format!("\"{tag}\"")) {
        parts.headers.insert(ETAG, value);
    }
    if found.is_some() {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(CONTENT_TYPE);
        parts.headers.remove(CONTENT_LENGTH);
        parts.headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, body)
}

/// Gives a compressed answer the tag of its coding. Stands around the compression.
pub(super) async fn tag_coding(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers();
    let coding = headers.get(CONTENT_ENCODING).and_then(|coding| coding.to_str().ok());
    let tag = headers.get(ETAG).and_then(|tag| tag.to_str().ok());
    let coded = match (coding, tag) {
        (Some(coding), Some(tag)) => HeaderValue::try_from(format!("\"{}-{coding}\"", tag.trim_matches('"'))).ok(),
        _ => None,
    };
    if let Some(coded) = coded {
        response.headers_mut().insert(ETAG, coded);
    }
    response
}

/// The tags that a reader has, without their marks.
fn known(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let tags = values.flat_map(|value| value.split(','));
    tags.map(|tag| tag.trim().trim_start_matches("W/").trim_matches('"').to_owned()).collect()
}

/// The tag by which a reader names a version that it has; none where it has another. `version` has no marks.
pub(super) fn matching(headers: &HeaderMap, version: &str) -> Option<String> {
    known(headers).into_iter().find(|tag| plain(tag) == version)
}

/// A tag without the coding.
fn plain(tag: &str) -> &str {
    let cut = tag.rsplit_once('-').filter(|(_, coding)| CODINGS.contains(coding));
    cut.map_or(tag, |(tag, _)| tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_in_all_their_forms() {
        let mut headers = HeaderMap::new();
        headers.append(IF_NONE_MATCH, "W/\"ab-gzip\", \"cd\"".parse().unwrap());
        headers.append(IF_NONE_MATCH, "*".parse().unwrap());
        let tags = known(&headers);
        assert_eq!(tags, ["ab-gzip", "cd", "*"]);
        assert_eq!(tags.iter().map(|tag| plain(tag)).collect::<Vec<_>>(), ["ab", "cd", "*"]);
        assert_eq!(plain("ab-other"), "ab-other");
    }
}
