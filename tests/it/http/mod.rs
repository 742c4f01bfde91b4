//! The HTTP interface beyond single resources: who may ask, the document of the interface, the stream, what is kept.

mod access;
mod answers;
mod document;
mod limits;
mod stream;
mod tokens;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::header::HeaderMap;
use hyper::{Method, Request};
use rasid::serve::Router;
use tower::ServiceExt as _;

/// What a router answers to a request with these headers.
async fn ask(router: &Router, method: Method, target: &str, sent: &[(&str, &str)]) -> (u16, HeaderMap, Bytes) {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in sent {
        request = request.header(*name, *value);
    }
    let response = router.clone().oneshot(request.body(Full::<Bytes>::default()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    (parts.status.as_u16(), parts.headers, body.collect().await.unwrap().to_bytes())
}
