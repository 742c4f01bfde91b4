//! Listeners to served connections.
//!
//! In: a bound listener, the state, and a future that ends when the server is to stop. Out: the end, once every
//! request in work is answered.
//! Promise: a reader who waits for a commit gets an answer at once when the server stops, so a stop never waits for the
//! length of a long poll. The socket file can be opened by its owner alone from its first moment on.
//! Not here: single connections ([`super::connection`]); a deadline for the whole stop, which whoever calls has.

use std::fs::Permissions;
use std::future::Future;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;

use super::access::Door;
use super::{ServerConfig, Shared, State, connection, guard, through};

/// The most connections to the Unix socket at once: commands make few.
const SOCKET_CONNECTIONS: usize = 1_024;

/// Serves on TCP behind the guards that `config` asks for.
///
/// # Errors
/// When the file of the tokens cannot be read.
pub async fn serve_tcp(
    listener: TcpListener,
    config: &ServerConfig,
    state: State,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (stopping, told) = watch::channel(false);
    let router = guard::protect(Shared::new(state, told), config).map_err(io::Error::other)?;
    let connections = config.connections as usize;
    connection::serve(listener, router, connections, |from| Some(from.ip()), stopping, stop).await;
    Ok(())
}

/// Serves on a Unix socket, whose file mode says who may connect: bind it with [`bind_unix`].
///
/// # Errors
/// None so far.
pub async fn serve_unix(
    listener: UnixListener,
    state: State,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (stopping, told) = watch::channel(false);
    let router = through(Door::OWNER, Shared::new(state, told));
    connection::serve(listener, router, SOCKET_CONNECTIONS, |_| None, stopping, stop).await;
    Ok(())
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
