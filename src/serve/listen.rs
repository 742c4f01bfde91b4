//! Listeners to served connections.
//!
//! In: a bound listener, the state, and a future that ends when the server is to stop. Out: the end, once every
//! request in work is answered.
//! Promise: a reader who waits for a commit gets an answer at once when the server stops, so a stop never waits for the
//! length of a long poll. The socket file can be opened by its owner alone from its first moment on.
//! Not here: a deadline for readers who take an answer slowly; whoever calls has one for the whole stop.

use std::fs::Permissions;
use std::future::Future;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use axum::Router;
use axum::serve::Listener;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;

use super::{Door, ServerConfig, Shared, State, guard, routes};

/// Serves on TCP behind the guards that `config` asks for.
///
/// # Errors
/// None that one connection causes; where the listener itself is of no more use.
pub async fn serve_tcp(
    listener: TcpListener,
    config: &ServerConfig,
    state: State,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (stopping, told) = watch::channel(false);
    let router = guard::protect(routes(Shared::new(state, told), Door::Tcp), config);
    serve(listener, router, stopping, stop).await
}

/// Serves on a Unix socket, whose file mode says who may connect: bind it with [`bind_unix`].
///
/// # Errors
/// As [`serve_tcp`].
pub async fn serve_unix(
    listener: UnixListener,
    state: State,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (stopping, told) = watch::channel(false);
    serve(listener, routes(Shared::new(state, told), Door::Local), stopping, stop).await
}

async fn serve<L>(
    listener: L,
    router: Router,
    stopping: watch::Sender<bool>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()>
where
    L: Listener,
    L::Addr: std::fmt::Debug,
{
    let stop = async move {
        stop.await;
        stopping.send_replace(true);
        // The sender lives as long as the stop is awaited; what was sent stays readable after it is gone.
    };
    axum::serve(listener, router).with_graceful_shutdown(stop).await
}

/// Binds the socket at `path`, mode 0600, in place of one that a killed daemon left there. Call it only while holding
/// the store, so that no other daemon's socket is taken away. Needs a runtime.
///
/// # Errors
/// Where the path is too long for a socket (about 100 bytes), or its folder cannot be written.
pub fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    // Bound under another name, closed to others, then moved: at no moment is there an open socket at `path`.
    let apart = path.with_extension("sock-new");
    match std::fs::remove_file(&apart) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&apart).map_err(|error| {
        io::Error::new(error.kind(), format!("{}: the socket cannot be made here: {error}", apart.display()))
    })?;
    std::fs::set_permissions(&apart, Permissions::from_mode(0o600))?;
    std::fs::rename(&apart, path)?;
    Ok(listener)
}
