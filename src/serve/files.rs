//! Fixed documents over HTTP: the sample sources of `rasid demo`.
//!
//! In: a listener and documents by path. Out: answers, until told to stop.
//! Not here: what the documents say ([`crate::cli`]).

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header::CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;

/// Documents by path: media type and bytes.
pub type Files = BTreeMap<String, (&'static str, Vec<u8>)>;

/// Serves `files` until `stop`.
///
/// # Errors
/// When the listener fails.
pub async fn serve_files(
    listener: TcpListener,
    files: Files,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let router = Router::new().fallback(answer).with_state(Arc::new(files));
    axum::serve(listener, router).with_graceful_shutdown(stop).await
}

async fn answer(State(files): State<Arc<Files>>, request: Request) -> Response {
    match files.get(request.uri().path()) {
        Some((content_type, body)) => ([(CONTENT_TYPE, *content_type)], body.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
