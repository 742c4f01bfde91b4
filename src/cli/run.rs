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

use super::{Role, environment, failed, refused};

/// Runs until a signal. The roles other than `all` need a queue between machines.
pub fn run(dir: &Path, role: Role) -> ExitCode {
    if role != Role::All {
        return failed(&anyhow::anyhow!("--role {role:?}: this build runs everything in one process; leave --role out"));
    }
    let config = match config::load(dir, &environment) {
        Ok(config) => config,
        Err(problems) => return refused(&problems),
    };
    telemetry::init(&config.log, std::io::IsTerminal::is_terminal(&std::io::stderr()));
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&anyhow::Error::from(error).context("starting the runtime")),
    };
    let deadline = config.shutdown.deadline.get();
    let again = dir.to_owned();
    let ended = runtime.block_on(daemon::run(config, Box::new(move || config::load(&again, &environment))));
    // Extraction threads that are in the middle of a page are left to themselves; the store is closed by now.
    runtime.shutdown_timeout(deadline.min(std::time::Duration::from_secs(2)));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}
