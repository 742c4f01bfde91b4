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

/// Threads for what blocks, beside those for each core: long work (the writer, a backup) must leave some to the rest.
const BLOCKING: usize = 8;
/// And for each core.
const BLOCKING_EACH: usize = 4;

/// What a daemon runs on.
///
/// tokio's bound of 512 threads for blocking work is made for work that waits. Ours reads documents: when hundreds of feeds
/// answer at once more threads make nothing faster, and the C library's allocator keeps memory for each (250 of them were
/// seen, with 100 MiB).
pub(super) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = BLOCKING + BLOCKING_EACH * cores;
    tokio::runtime::Builder::new_multi_thread().max_blocking_threads(threads).enable_all().build()
}

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
    let runtime = match runtime() {
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
