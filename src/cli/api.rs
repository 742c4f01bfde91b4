//! One way to what is stored, whether a daemon runs or not.
//!
//! In: requests. Out: what the routes answer, from the daemon that holds the store (over its Unix socket) or from the
//! same router in this process.
//! Why: the store belongs to one process at a time, and two code paths would answer differently sooner or later.
//! Not here: what is asked; each command knows its routes.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::CONTENT_TYPE;
use hyper::{Method, Request, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio::sync::{mpsc, watch};
use tower::ServiceExt;

use super::output;
use crate::client::{self, Client};
use crate::config::Config;
use crate::daemon::{self, Mode, Reload, System};
use crate::pipeline::indexing;
use crate::search::{self, Search};
use crate::serve::{self, Router, State};
use crate::store::{self, Store, StoreError};

pub use crate::client::Problem as Refused;

/// Where requests go.
pub enum Api {
    /// To the daemon behind a socket.
    Daemon(Client),
    /// To the router in this process, which holds the store as long as it lives, and the loops behind it where there are
    /// any.
    Here(Router, Option<Box<System>>),
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Daemon(client) => f.debug_tuple("Daemon").field(client).finish(),
            Self::Here(..) => f.debug_tuple("Here").finish(),
        }
    }
}

impl Api {
    /// The daemon behind `socket` where one answers, else what `in_process` makes. A daemon that is just starting or
    /// stopping, and another command that reads, hold the store and answer nothing: they are waited for.
    ///
    /// # Errors
    /// When the socket belongs to somebody else, or the store cannot be opened.
    pub async fn connect(socket: PathBuf, in_process: impl Fn() -> anyhow::Result<Router>) -> anyhow::Result<Self> {
        Self::connect_or(socket, async || in_process().map(|router| Self::Here(router, None))).await
    }

    /// As [`Api::connect`], with more than a router.
    ///
    /// # Errors
    /// As [`Api::connect`].
    pub async fn connect_or(socket: PathBuf, here: impl AsyncFn() -> anyhow::Result<Self>) -> anyhow::Result<Self> {
        let mut tried = 1;
        loop {
            if let Some(daemon) = Self::daemon(socket.clone()).await? {
                return Ok(daemon);
            }
            match here().await {
                Err(error) if is_held(&error) && tried < TRIES => tried += 1,
                made => return made.map_err(held),
            }
        }
    }

    /// The daemon behind `socket`, where one answers.
    ///
    /// # Errors
    /// When the socket belongs to somebody else.
    pub async fn daemon(socket: PathBuf) -> anyhow::Result<Option<Self>> {
        match UnixStream::connect(&socket).await {
            Ok(_) => Ok(Some(Self::Daemon(Client::unix(&socket)?))),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                bail!("{}: a daemon of another user runs here; run this command as that user", socket.display())
            }
            // No file, a dead daemon's file, or a path that no daemon could have bound either.
            Err(_) => Ok(None),
        }
    }

    /// Whether a daemon answers.
    pub const fn is_daemon(&self) -> bool {
        matches!(self, Self::Daemon(_))
    }

    /// Asks for what stands at `path`.
    ///
    /// # Errors
    /// [`Refused`] with the problem that was answered; [`Gone`] when the daemon is not there any more.
    pub async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<T> {
        let mut target = path.to_owned();
        if !query.is_empty() {
            target.push('?');
            target.push_str(&url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish());
        }
        self.ask(Request::builder().method(Method::GET).uri(target).body(Full::default())?).await
    }

    /// Sends `body` to `path`.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> anyhow::Result<T> {
        self.ask(with_body(Method::POST, path, body)?).await
    }

    /// Puts `body` at `path`.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn put<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> anyhow::Result<T> {
        self.ask(with_body(Method::PUT, path, body)?).await
    }

    /// Removes what stands at `path`, for which nothing is answered.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn remove(&self, path: &str) -> anyhow::Result<()> {
        let request = Request::builder().method(Method::DELETE).uri(path).body(Full::default())?;
        self.answer(request).await.map(|_| ())
    }

    /// Takes back what stands at `path`.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn delete<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.ask(Request::builder().method(Method::DELETE).uri(path).body(Full::default())?).await
    }

    /// Asks for what stands at `path`, as it is.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn get_bytes(&self, path: &str) -> anyhow::Result<Bytes> {
        self.answer(Request::builder().method(Method::GET).uri(path).body(Full::default())?).await
    }

    /// Sends `body` to `path`, and gives the lines of the answer as they come.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn post_lines<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        mut each: impl FnMut(T) + Send,
    ) -> anyhow::Result<()> {
        let body = Full::new(Bytes::from(serde_json::to_vec(body)?));
        let request = Request::builder().method(Method::POST).uri(path).header(CONTENT_TYPE, "application/json");
        let mut lines = Vec::new();
        let (status, bytes) = self
            .stream(request.body(body)?, &mut |bytes| {
                lines.extend_from_slice(bytes);
                while let Some(end) = lines.iter().position(|byte| *byte == b'\n') {
                    let line: Vec<u8> = lines.drain(..=end).collect();
                    each(serde_json::from_slice(&line)?);
                }
                Ok(())
            })
            .await?;
        if status.is_success() { Ok(()) } else { Err(refused(status, &bytes)) }
    }

    async fn ask<T: DeserializeOwned>(&self, request: Request<Full<Bytes>>) -> anyhow::Result<T> {
        serde_json::from_slice(&self.answer(request).await?)
            .context("the answer is not what this version understands; is the daemon of another version?")
    }

    async fn answer(&self, request: Request<Full<Bytes>>) -> anyhow::Result<Bytes> {
        let (status, bytes) = self.send(request).await?;
        if status.is_success() {
            return Ok(bytes);
        }
        Err(refused(status, &bytes))
    }

    /// Sends a request as it is.
    ///
    /// # Errors
    /// [`Gone`] when the daemon is not there any more.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> anyhow::Result<(StatusCode, Bytes)> {
        let mut all = Vec::new();
        let (status, problem) = self
            .stream(request, &mut |bytes| {
                all.extend_from_slice(bytes);
                Ok(())
            })
            .await?;
        Ok((status, if status.is_success() { all.into() } else { problem }))
    }

    /// Sends a request, and gives the parts of the answer as they come; of one that is no success, all of it at the end.
    async fn stream(
        &self,
        request: Request<Full<Bytes>>,
        each: &mut (dyn FnMut(&[u8]) -> io::Result<()> + Send),
    ) -> anyhow::Result<(StatusCode, Bytes)> {
        match self {
            Self::Daemon(client) => {
                let (head, body) = request.into_parts();
                let body = body.collect().await?.to_bytes();
                let target = head.uri.to_string();
                let gone = |error| Gone { error };
                let sent = client.send(head.method, &target, head.headers, (!body.is_empty()).then_some(body)).await;
                let mut answer = sent.map_err(gone)?;
                let (status, mut problem) = (answer.status(), Vec::new());
                while let Some(bytes) = answer.chunk().await.map_err(gone)? {
                    if status.is_success() { each(&bytes)? } else { problem.extend_from_slice(&bytes) }
                }
                Ok((status, problem.into()))
            }
            Self::Here(router, _) => {
                let response = router.clone().oneshot(request).await?;
                Ok(parts(response.status(), response.into_body(), each).await?)
            }
        }
    }
}

fn with_body(method: Method, path: &str, body: &impl Serialize) -> anyhow::Result<Request<Full<Bytes>>> {
    let body = Full::new(Bytes::from(serde_json::to_vec(body)?));
    Ok(Request::builder().method(method).uri(path).header(CONTENT_TYPE, "application/json").body(body)?)
}

/// Gives the parts of a body as they come, or all of it where it is a problem.
async fn parts<B>(
    status: StatusCode,
    mut body: B,
    each: &mut (dyn FnMut(&[u8]) -> io::Result<()> + Send),
) -> io::Result<(StatusCode, Bytes)>
where
    B: hyper::body::Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut problem = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(bytes) = frame.map_err(io::Error::other)?.into_data() else { continue };
        if status.is_success() { each(&bytes)? } else { problem.extend_from_slice(&bytes) }
    }
    Ok((status, problem.into()))
}

fn refused(status: StatusCode, bytes: &[u8]) -> anyhow::Error {
    let refused = serde_json::from_slice::<Refused>(bytes);
    refused.map_or_else(|_| anyhow::anyhow!("the daemon answered {status}"), anyhow::Error::from)
}

/// A daemon that answered before, and does not now.
#[derive(Debug, thiserror::Error)]
#[error("the daemon has gone: {error}")]
pub struct Gone {
    #[source]
    error: client::Error,
}

/// As [`in_process`], with the daemon's own loops behind the router, so that it can poll on demand.
///
/// # Errors
/// When the store cannot be opened, or no HTTP client can be made.
pub async fn polling(config: Config, reload: Reload) -> anyhow::Result<Api> {
    let built = tokio::task::spawn_blocking(move || daemon::build(&config).map(|built| (config, built)));
    let (config, built) = built.await.context("opening the store failed")??;
    let system = System::start(&config, built, Mode::OnDemand, reload);
    Ok(Api::Here(serve::router(system.state()), Some(Box::new(system))))
}

/// How often one that holds the store without answering is looked for again. A try to open waits for half a second
/// itself, so this is ten.
const TRIES: u32 = 20;

fn is_held(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(StoreError::Locked { .. }))
}

/// Says what a locked store means to a command.
fn held(error: anyhow::Error) -> anyhow::Error {
    if is_held(&error) {
        return error.context(
            "another command reads the store, or a daemon has not finished starting or stopping; try again later",
        );
    }
    error
}

/// The router over the store that `config` names, for when no daemon holds it. Orders to a daemon are refused.
///
/// # Errors
/// When the store cannot be opened.
pub fn in_process(config: &Config) -> anyhow::Result<Router> {
    let (store, _writer) = store::open(&config.store)?;
    over(config, store, None)
}

/// As [`in_process`], with the search index brought up to the log first, or made `anew`.
///
/// # Errors
/// When the store or the index cannot be opened, or search is switched off.
pub fn searching(config: &Config, anew: bool) -> anyhow::Result<Router> {
    if !config.search.enabled {
        bail!("search is switched off; set `enabled = true` below [search] in rasid.toml");
    }
    let (store, _writer) = store::open(&config.store)?;
    let search = Search::new(config.store.path.join(search::DIRECTORY));
    if anew {
        search.rebuild();
    }
    let mut told = false;
    indexing::catch_up(&store, &search, &mut |progress, last| {
        if !std::mem::replace(&mut told, true) {
            output::note(format_args!("the search index is brought up to {last} records of the log …"));
        }
        if progress.building {
            output::note(format_args!("  {} so far", super::search::count_of(progress.items)));
        }
    })?;
    if let (true, Some(progress)) = (anew, search.progress()) {
        output::note(format_args!("the search index holds {} again", super::search::count_of(progress.items)));
    }
    over(config, store, Some(search))
}

fn over(config: &Config, store: Store, search: Option<Search>) -> anyhow::Result<Router> {
    let loaded = daemon::loaded(config, Arc::new(store.taught()?));
    let state = State {
        store,
        search,
        loaded: watch::channel(Arc::new(loaded)).1,
        // Nobody receives: the routes say that no daemon takes orders.
        control: mpsc::channel(1).0,
        started: None,
        clock: output::now,
    };
    Ok(serve::router(state))
}
