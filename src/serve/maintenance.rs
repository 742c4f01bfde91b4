//! `/api/v1/maintenance`: a backup, checking, compacting, while everything else goes on.
//!
//! In: what is to be done. Out: lines of JSON as it is done: `{"progress": …}` as often as there is something new, and at the
//! end `{"done": …}` with the report, or `{"failed": "…"}` with the reason.
//! Promise: one such work at a time; it goes on when whoever asked is gone. On the Unix socket and in-process alone: it
//! writes where it is told to.
//! Not here: how it is done ([`crate::store`]).

use std::convert::Infallible;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use http_body_util::combinators::BoxBody;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::Shared;
use super::problem::Problem;
use super::request::{self, Params};
use crate::store::{Progress, Store, StoreError};

/// A line of the answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Working<T> {
    /// How far it is.
    Progress {
        /// What is done at the moment.
        what: String,
        /// How much of it is done.
        done: u64,
        /// How much there is; 0 where that is not known.
        total: u64,
    },
    /// That it is done, and what came of it. Last.
    Done(T),
    /// Why it was not done. Last.
    Failed(String),
}

/// What [`Store::verify`] found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// In words; empty where the store is whole.
    pub problems: Vec<String>,
}

/// Where to.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackingUp {
    /// An absolute path: the daemon works in another folder than whoever asks.
    pub path: PathBuf,
}

pub(super) async fn backup(
    State(shared): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    Params::read(&uri, &[])?;
    let BackingUp { path } = request::json(&headers, body).await?;
    if !path.is_absolute() {
        return Err(Problem::parameter("path", &path.display().to_string(), "an absolute path"));
    }
    working(&shared, move |store, progress| store.backup(&path, progress))
}

pub(super) async fn compact(State(shared): State<Shared>, uri: Uri) -> Result<Response, Problem> {
    Params::read(&uri, &[])?;
    working(&shared, |store, progress| store.compact(progress))
}

pub(super) async fn verify(State(shared): State<Shared>, uri: Uri) -> Result<Response, Problem> {
    Params::read(&uri, &[])?;
    working(&shared, |store, progress| {
        progress("checking every record; writing waits meanwhile", 0, 0);
        Ok(Verified { problems: store.verify()? })
    })
}

/// Lines that may wait for whoever reads them; progress that finds no room is left out.
const WAITING: usize = 16;

fn working<T, F>(shared: &Shared, work: F) -> Result<Response, Problem>
where
    T: Serialize,
    F: FnOnce(&Store, &mut Progress<'_>) -> Result<T, StoreError> + Send + 'static,
{
    let Ok(turn) = shared.upkeep.clone().try_acquire_owned() else {
        return Err(Problem::refused("a backup, a check or a compaction is under way; try again when it is done"));
    };
    let (lines, waiting) = mpsc::channel(WAITING);
    let store = shared.state.store.clone();
    tokio::task::spawn_blocking(move || {
        let mut progress = |what: &str, done: u64, total: u64| {
            let working: Working<T> = Working::Progress { what: what.to_owned(), done, total };
            let _full_or_gone = lines.try_send(line(&working));
        };
        let last = match work(&store, &mut progress) {
            Ok(done) => Working::Done(done),
            Err(error) => {
                if !matches!(error, StoreError::Query(_)) {
                    tracing::error!(%error, "maintenance failed");
                }
                Working::Failed(error.to_string())
            }
        };
        // Over before it is told: whoever knows that it is done may ask for the next.
        drop(turn);
        let _gone = lines.blocking_send(line(&last));
    });
    let body = Body::new(BoxBody::new(Lines(waiting)));
    Ok(([(CONTENT_TYPE, "application/x-ndjson")], body).into_response())
}

fn line(working: &Working<impl Serialize>) -> Bytes {
    let failed = |error| format!("{{\"failed\":\"the answer cannot be written: {error}\"}}");
    let mut line = serde_json::to_string(working).unwrap_or_else(failed);
    line.push('\n');
    Bytes::from(line)
}

/// Lines as they come.
struct Lines(mpsc::Receiver<Bytes>);

impl HttpBody for Lines {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|line| line.map(|line| Ok(hyper::body::Frame::data(line))))
    }
}
