//! `rasid run`: the daemon.
//!
//! In: the configuration's directory. Out: an exit code: 0 after a stop by signal, 1 after a failure, 78 where the
//! configuration is wrong.

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use crate::config;
use crate::daemon;
use crate::telemetry;

use super::output;
use super::{Role, environment, failed, refused};

/// Runs until a signal.
pub fn run(dir: &Path, Role::All: Role) -> ExitCode {
    let config = match config::load(dir, &environment) {
        Ok(config) => config,
        Err(problems) => return refused(&problems),
    };
    let terminal = std::io::stderr().is_terminal();
    if let Err(error) = telemetry::init(&config.log, terminal, output::colored(terminal)) {
        return failed(&anyhow::Error::msg(error));
    }
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
