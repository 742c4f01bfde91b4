//! The command line: arguments to commands, results to exit codes.
//!
//! In: the arguments of the process. Out: data on standard output, everything for people on standard error, and an
//! exit code: 0 done, 1 failed, 2 wrong usage, 78 the configuration is wrong.
//! Promise: every reading command answers while a daemon runs and while none does, over one code path ([`api`]).
//! Not here: what the commands do; each has a file.

pub mod api;
pub mod check;
mod corpus;
pub mod corpus_pack;
pub mod demo;
mod feeds;
mod input;
mod items;
mod output;
pub mod place;
pub mod run;
mod show;
mod status;
mod table;
mod tail;
mod topics;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand, ValueEnum};

use crate::config::Config;

use api::{Api, Refused};

/// What a daemon's socket is called, in the folder of its store.
pub const SOCKET: &str = "rasid.sock";

/// `EX_CONFIG` of sysexits.h.
const WRONG_CONFIGURATION: u8 = 78;
const WRONG_USAGE: u8 = 2;
const FAILED: u8 = 1;

/// A streaming ingestion daemon for Arabic news.
#[derive(Debug, Parser)]
#[command(name = "rasid", version, arg_required_else_help = true, max_term_width = 100)]
struct Cli {
    /// The folder with rasid.toml, feeds.toml and topics.toml [default: $RASID_CONFIG, ./config or /etc/rasid]
    #[arg(long, global = true, value_name = "DIR")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the daemon: polls the feeds and serves what is stored, until it is told to stop
    Run {
        /// Which part of the work this process does
        #[arg(long, value_enum, default_value_t = Role::All)]
        role: Role,
    },
    /// Shows the whole daemon at work on sample sources of its own, in a temporary store
    Demo {
        /// Ends when every sample is stored
        #[arg(long)]
        once: bool,
    },
    /// Tells every problem of the configuration, and runs the tests of the topics
    Check {
        /// Also polls every feed once
        #[arg(long)]
        online: bool,
    },
    /// The sources: what is polled, and how it is doing
    #[command(subcommand)]
    Feeds(feeds::Command),
    /// The topics, and what they say of a text
    #[command(subcommand)]
    Topics(topics::Command),
    /// The reference documents, and which of them a text is a copy of
    #[command(subcommand)]
    Corpus(corpus::Command),
    /// Lists items, newest published first
    Items(items::Args),
    /// Shows one item: its text, why it has its topics, what it is a copy of
    Show(show::Args),
    /// Prints the log, one JSON record a line
    Tail(tail::Args),
    /// How much is stored, and how the feeds are doing
    Status(status::Args),
}

/// Which part of the work a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Everything
    All,
    /// Scheduling, deciding, storing and serving; collecting is left to workers
    Hub,
    /// Collecting for a hub
    Worker,
}

/// Does what the arguments of the process say.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and the version are errors to clap, too; they go to standard output.
            let code = if error.use_stderr() { WRONG_USAGE } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    dispatch(cli).unwrap_or_else(|error| explain(&error))
}

fn dispatch(cli: Cli) -> anyhow::Result<ExitCode> {
    let place = cli.config.as_deref();
    match cli.command {
        Command::Run { role } => run::run(place, role),
        Command::Demo { once } => demo::run(once),
        Command::Check { online } => check::run(place, online),
        Command::Corpus(corpus::Command::Pack(args)) => corpus_pack::run(&args.dir, &args.output).map(|()| ExitCode::SUCCESS),
        Command::Feeds(command) => read(place, async |here| feeds::run(&here, command).await),
        Command::Topics(command) => read(place, async |here| topics::run(&here, command).await),
        Command::Corpus(command) => read(place, async |here| corpus::run(&here, command).await),
        Command::Items(args) => read(place, async |here| items::run(&here, &args).await),
        Command::Show(args) => read(place, async |here| show::run(&here, &args).await),
        Command::Tail(args) => read(place, async |here| tail::run(&here, &args).await),
        Command::Status(args) => read(place, async |here| status::run(&here, &args).await),
    }
}

/// What the reading commands have: the configuration, and the way to what is stored.
struct Here {
    config: Config,
}

impl Here {
    async fn api(&self) -> anyhow::Result<Api> {
        Api::connect(self.socket(), || api::in_process(&self.config)).await
    }

    /// The daemon alone, where one answers.
    async fn daemon(&self) -> anyhow::Result<Option<Api>> {
        Api::daemon(self.socket()).await
    }

    fn socket(&self) -> PathBuf {
        self.config.store.path.join(SOCKET)
    }
}

fn read(place: Option<&Path>, command: impl AsyncFnOnce(Here) -> anyhow::Result<()>) -> anyhow::Result<ExitCode> {
    let config = place::load(place)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime can be made")?;
    runtime.block_on(command(Here { config }))?;
    Ok(ExitCode::SUCCESS)
}

/// Tells people what went wrong, and gives the code that tells programs.
fn explain(error: &anyhow::Error) -> ExitCode {
    let code = if error.chain().any(is_closed_pipe) {
        // Whoever read the output has enough: `rasid tail | head`.
        return ExitCode::SUCCESS;
    } else if let Some(wrong) = error.downcast_ref::<place::WrongConfiguration>() {
        output::note(wrong);
        return ExitCode::from(WRONG_CONFIGURATION);
    } else if error.is::<WrongUsage>() || error.downcast_ref::<Refused>().is_some_and(Refused::is_usage) {
        WRONG_USAGE
    } else {
        FAILED
    };
    output::note(format_args!("error: {error:#}"));
    ExitCode::from(code)
}

fn is_closed_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Arguments that clap takes, and that make no sense.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct WrongUsage(String);

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_configuration_is_named_before_or_after_the_command() {
        for line in ["rasid --config x items", "rasid items --config x", "rasid feeds list --config x"] {
            let cli = Cli::try_parse_from(line.split(' ')).expect(line);
            assert_eq!(cli.config.as_deref(), Some(Path::new("x")), "{line}");
        }
    }
}
