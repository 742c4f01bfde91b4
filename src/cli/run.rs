//! `rasid run`: the daemon.

use std::path::Path;
use std::process::ExitCode;

use super::Role;

/// Runs until told to stop.
///
/// # Errors
/// When the configuration is wrong, or something cannot be built or bound.
pub fn run(place: Option<&Path>, role: Role) -> anyhow::Result<ExitCode> {
    let _config = super::place::load(place)?;
    anyhow::bail!("the daemon is not part of this build (asked for as {role:?})")
}
