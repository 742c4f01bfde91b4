//! `rasid demo`: the whole daemon on sample sources.

use std::process::ExitCode;

/// Runs the demonstration.
///
/// # Errors
/// When something cannot be built or bound.
pub fn run(_once: bool) -> anyhow::Result<ExitCode> {
    anyhow::bail!("the demonstration is not part of this build")
}
