//! Telling systemd how far the start is (`Type=notify`).
//!
//! In: moments of the daemon's life. Out: datagrams to the socket that `$NOTIFY_SOCKET` names, if any.
//! Promise: without systemd nothing happens; a failure to notify never stops the daemon.
//! The protocol is that of `sd_notify(3)`; it is a dozen lines, so no crate is taken for it.

#[cfg(target_os = "linux")]
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use tokio::task::{JoinError, JoinHandle};

/// How often a long start asks for more time, and how much it asks for.
const EXTEND_EVERY: Duration = Duration::from_secs(10);
const EXTEND_BY_MICROSECONDS: u64 = 60_000_000;

/// The daemon answers.
pub(super) fn ready() {
    send("READY=1");
}

/// The daemon is on its way out.
pub(super) fn stopping() {
    send("STOPPING=1");
}

/// Waits for a step of the start that may take long (a large store replays its log) and asks for more time meanwhile.
pub(super) async fn while_starting<T>(mut step: JoinHandle<T>) -> Result<T, JoinError> {
    loop {
        match tokio::time::timeout(EXTEND_EVERY, &mut step).await {
            Ok(done) => return done,
            Err(_elapsed) => send(&format!("EXTEND_TIMEOUT_USEC={EXTEND_BY_MICROSECONDS}\nSTATUS=opening the store")),
        }
    }
}

fn send(state: &str) {
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let Some(path) = path.to_str() else { return };
    let sent = address(path).and_then(|address| {
        let socket = UnixDatagram::unbound()?;
        socket.send_to_addr(state.as_bytes(), &address)
    });
    if let Err(error) = sent {
        tracing::debug!(%error, "the service manager could not be notified");
    }
}

#[cfg(target_os = "linux")]
fn address(path: &str) -> std::io::Result<SocketAddr> {
    match path.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(path),
    }
}

/// Names without a file are Linux's alone, as is systemd.
#[cfg(not(target_os = "linux"))]
fn address(path: &str) -> std::io::Result<SocketAddr> {
    SocketAddr::from_pathname(path)
}
