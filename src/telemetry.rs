//! What the daemon says of its own work: log lines on standard error, and [`metrics`].
//!
//! In: `[log]` of `rasid.toml`, the `RASID_LOG` variable, whether standard error is a terminal. Out: `tracing` records as
//! text for people or as JSON for machines.
//! Promise: standard output stays free for results; records of libraries that use `log` (sled) come the same way.
//! Not here: the items' log ([`crate::store`]), which is data.

pub mod metrics;

use serde::{Deserialize, Serialize};
use tracing_subscriber::filter::{EnvFilter, LevelFilter};
use tracing_subscriber::util::SubscriberInitExt;

/// `[log]` of `rasid.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// Filter directives: a level, or levels by module, such as `info,rasid::fetch=debug`.
    pub level: String,
    /// How a record is written.
    pub format: LogFormat,
}

/// How a log record is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// A line for people.
    Text,
    /// A JSON object a line.
    Json,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Auto }
    }
}

/// The variable that overrides `level`.
pub const LEVEL_VARIABLE: &str = "RASID_LOG";

/// Whether `directives` can be a filter.
///
/// # Errors
/// What is wrong with it. A lone word that is no level is refused: it would be taken for a module's name, and a mistyped
/// level would silence everything else.
pub fn check_level(directives: &str) -> Result<(), String> {
    let example =
        "write a level (error, warn, info, debug, trace), or levels by module such as \"info,rasid::fetch=debug\"";
    let lone = directives.split(',').map(str::trim).find(|part| {
        !part.contains('=') && part.parse::<LevelFilter>().is_err() || part.chars().all(|c| c.is_ascii_digit())
    });
    if let Some(word) = lone {
        return Err(format!("`{word}` is not a log level; {example}"));
    }
    filter(directives).map(|_| ()).map_err(|error| format!("`{directives}` is not a log filter ({error}); {example}"))
}

/// The filter; spaces after commas are how people write. What a client of NATS says at each attempt, its sink says once.
fn filter(directives: &str) -> Result<EnvFilter, tracing_subscriber::filter::ParseError> {
    EnvFilter::try_new(format!("async_nats=off,{}", directives.replace(' ', "")))
}

/// Starts logging to standard error, once for the process, in lines for people where it is a `terminal`, and in `color` where
/// that is asked for. `RASID_LOG` goes before `config.level`.
///
/// # Errors
/// Where the filter is wrong or logging has started before.
pub fn init(config: &LogConfig, terminal: bool, color: bool) -> Result<(), String> {
    let level = match std::env::var(LEVEL_VARIABLE) {
        Ok(level) if !level.trim().is_empty() => {
            check_level(&level).map_err(|message| format!("{LEVEL_VARIABLE}: {message}"))?;
            level
        }
        _ => config.level.clone(),
    };
    let filter = filter(&level).map_err(|error| format!("`{level}` is not a log filter: {error}"))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(color);
    let json = match config.format {
        LogFormat::Auto => !terminal,
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    // `try_init` also takes over the records of the `log` crate.
    let started = if json { lines.json().flatten_event(true).finish().try_init() } else { lines.finish().try_init() };
    started.map_err(|error| format!("logging could not start: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_checked() {
        for good in ["info", "off", "warn,rasid::fetch=debug", "DEBUG", "rasid=trace, sled=warn"] {
            assert_eq!(check_level(good), Ok(()), "{good}");
        }
        for wrong in ["", "inof", "info,", "rasid=loud", "3"] {
            assert!(check_level(wrong).is_err(), "{wrong}");
        }
    }
}
