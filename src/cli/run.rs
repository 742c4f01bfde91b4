//! `rasid run`: the daemon.
//!
//! In: where the configuration stands. Out: an exit code: 0 after a stop by signal, 1 after a failure, 78 where the
//! configuration is wrong.

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;

use super::Role;
use super::place;
use crate::config;
use crate::daemon;
use crate::telemetry;

/// How long threads that are in the middle of a page are waited for. The store is closed by then.
const LEFTOVERS: Duration = Duration::from_secs(1);

/// Runs until a signal.
///
/// # Errors
/// When the configuration is wrong, something cannot be built or bound, a loop fails, or the deadline of a stop passes.
pub fn run(given: Option<&Path>, Role::All: Role) -> anyhow::Result<ExitCode> {
    let config = place::load(given)?;
    telemetry::init(&config.log, std::io::stderr().is_terminal());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime can be made")?;
    let dir = config.dir.clone();
    let ended = runtime.block_on(daemon::run(config, Box::new(move || config::load(&dir, &place::env))));
    runtime.shutdown_timeout(LEFTOVERS);
    ended.map(|()| ExitCode::SUCCESS)
}
