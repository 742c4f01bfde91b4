//! Where the configuration stands, read and checked.
//!
//! In: `--config` and the environment. Out: the folder and the [`Config`], or every problem of it at once.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::config::{self, Config};

/// A variable of the environment, for `${NAME}` in the configuration.
pub(super) fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Finds and reads the configuration.
///
/// # Errors
/// [`WrongConfiguration`] with all problems, where it cannot be used.
pub fn load(given: Option<&Path>) -> anyhow::Result<Config> {
    let dir = config::find_dir(given, &env);
    config::load(&dir, &env).map_err(|problems| {
        let problems = problems.iter().map(ToString::to_string).collect();
        WrongConfiguration { dir, problems }.into()
    })
}

/// A configuration that nothing can be started with.
#[derive(Debug, thiserror::Error)]
pub struct WrongConfiguration {
    dir: PathBuf,
    problems: Vec<String>,
}

impl fmt::Display for WrongConfiguration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problems.iter().try_for_each(|problem| writeln!(f, "{problem}"))?;
        let count = self.problems.len();
        let problems = if count == 1 { "1 problem".to_owned() } else { format!("{count} problems") };
        write!(f, "{problems} in the configuration in {}; nothing was started", self.dir.display())
    }
}
