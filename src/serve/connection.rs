//! Connections, and who is cut off.
//!
//! In: a bound listener, the router, limits, a future that ends when the server is to stop. Out: the end, once every
//! request in work is answered.
//! Promise: no connection holds a place for ever: one that sends its head too slowly, or does not take its answer, is
//! closed; on a stop one that does not read is closed soon, so that it cannot hold the stop up. No more connections than
//! allowed are open at once; others wait in the system's queue.
//! Not here: what is answered.

use std::io::{self, IoSlice};
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep, sleep};
use tower::ServiceExt as _;

use super::log::told;

/// How long the head of a request may take, and a connection may be kept without one.
const HEAD: Duration = Duration::from_secs(30);
/// How long an answer may stand still because the other side does not read.
const STALLED: Duration = Duration::from_secs(60);
/// The same once the server stops.
const STALLED_AT_STOP: Duration = Duration::from_secs(2);
/// How often it is looked whether an answer stands still.
const LOOK: Duration = Duration::from_millis(500);
/// The head of a request, and what is written ahead of a slow reader, in bytes.
const BUFFER: usize = 64 << 10;
/// Headers of a request.
const MAX_HEADERS: usize = 64;

/// The address that a request came from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) Option<IpAddr>);

/// Serves until `stop` ends, and then until what was asked is answered.
pub(super) async fn serve<L: Listener>(
    mut listener: L,
    router: Router,
    connections: usize,
    address: fn(&L::Addr) -> Option<IpAddr>,
    stopping: watch::Sender<bool>,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let places = Arc::new(Semaphore::new(connections));
    let mut open = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            () = &mut stop => break,
        };
        let (io, from) = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let peer = Peer(address(&from));
        let (router, told) = (router.clone(), stopping.subscribe());
        open.spawn(async move {
            one(io, peer, router, told).await;
            drop(place);
        });
        while open.try_join_next().is_some() {}
    }
    drop(listener);
    stopping.send_replace(true);
    while open.join_next().await.is_some() {}
}

/// Serves one connection. How it ends is the other side's affair.
async fn one(
    io: impl AsyncRead + AsyncWrite + Unpin + Send,
    peer: Peer,
    router: Router,
    mut stopping: watch::Receiver<bool>,
) {
    let io = Impatient { io, stalled: None, stopping: stopping.clone() };
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(peer);
        router.clone().oneshot(request.map(Body::new))
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(BUFFER).max_headers(MAX_HEADERS);
    let mut connection = pin!(http.serve_connection(TokioIo::new(io), service));
    tokio::select! {
        ended = connection.as_mut() => return report(ended),
        () = told(&mut stopping) => connection.as_mut().graceful_shutdown(),
    }
    report(connection.await);
}

fn report(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}

/// A connection that does not wait for ever until the other side reads.
struct Impatient<I> {
    io: I,
    /// Since when an answer stands still, and when it is looked again.
    stalled: Option<(Instant, Pin<Box<Sleep>>)>,
    stopping: watch::Receiver<bool>,
}

impl<I> Impatient<I> {
    /// Passes on what came of writing, and gives up where nothing has come of it for too long.
    fn watch<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let (since, look) = self.stalled.get_or_insert_with(|| (Instant::now(), Box::pin(sleep(LOOK))));
        loop {
            let limit = if *self.stopping.borrow() { STALLED_AT_STOP } else { STALLED };
            if since.elapsed() >= limit {
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the other side does not read")));
            }
            ready!(look.as_mut().poll(context));
            look.as_mut().reset(Instant::now() + LOOK);
        }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Impatient<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Impatient<I> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(context, bytes);
        self.watch(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(context, bytes);
        self.watch(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(context);
        self.watch(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.io).poll_shutdown(context);
        self.watch(context, shut)
    }
}
