//! `rasid demo`: the whole daemon on sample sources.

use std::process::ExitCode;

/// Runs the demonstration.
pub fn run(_once: bool) -> ExitCode {
    super::failed(&anyhow::anyhow!("the demonstration is not part of this build"))
}
