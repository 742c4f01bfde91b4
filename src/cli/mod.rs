//! The command line: arguments to commands, results to exit codes.
//!
//! In: the arguments of the process. Out: data on standard output, everything for people on standard error, and an
//! exit code: 0 done, 1 failed, 2 wrong usage, 78 the configuration is wrong.
//! Promise: every reading command answers while a daemon runs and while none does, over one code path ([`api`]).
//! Not here: what the commands do; each has a file.

pub mod api;
mod backup;
pub mod check;
mod columns;
mod compact;
mod consumers;
mod corpus;
pub mod corpus_pack;
mod csv;
mod dedup;
pub mod demo;
mod feeds;
mod filter;
mod input;
mod items;
mod keep;
mod maintenance;
mod narrowing;
mod output;
mod passages;
mod progress;
mod restore;
pub mod run;
pub mod samples;
mod search;
mod shell;
mod show;
mod sinks;
mod status;
mod story;
mod table;
mod tail;
mod token;
mod top;
mod topics;
mod transfer;
mod verify;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand, ValueEnum};

use crate::config::{self, Config, Problem};
use crate::daemon;

use api::{Api, Refused};

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
    /// Whether what is shown is coloured; `auto`: on a terminal, unless NO_COLOR, CLICOLOR or CLICOLOR_FORCE say otherwise
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN", hide_default_value = true)]
    color: Color,
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
        /// Also polls every feed once, and ends with 1 where one cannot be read
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
    /// Corrects verdicts: what is no copy, what is one
    #[command(subcommand)]
    Dedup(dedup::Command),
    /// Lists items, newest published first
    Items(items::Args),
    /// Finds items by their words, the best first
    Search(search::Args),
    /// Shows one item: its text, why it has its topics, what it is a copy of
    Show(show::Args),
    /// Shows what several items tell of one event; without an id, the largest stories of the last days
    Story(story::Args),
    /// Keeps items whatever their age; without any, lists what is kept so
    Pin(keep::Pin),
    /// Removes now what has expired, instead of within the minute
    Prune(keep::Prune),
    /// Prints the log, one JSON record a line
    Tail(tail::Args),
    /// Named readers of the log: what each has dealt with is kept, so that it goes on where it stopped
    #[command(subcommand)]
    Consumers(consumers::Command),
    /// What the daemon carries to others by itself, and what could not be delivered
    #[command(subcommand)]
    Sinks(sinks::Command),
    /// Writes what is stored to a file: items, or all that another store needs
    Export(transfer::export::Args),
    /// Stores what was exported, or listed as NDJSON; what is there already stays as it is
    Import(transfer::import::Args),
    /// Copies the store into a folder, while everything goes on; what is new alone, where there is a backup already
    Backup(backup::Args),
    /// Makes the store, which must be empty, from a backup
    Restore(restore::Args),
    /// Checks that every record is whole and all agree
    Verify(verify::Args),
    /// Leaves out of the store's files what is outdated
    Compact(compact::Args),
    /// How much is stored, and how the feeds are doing
    Status(status::Args),
    /// Watches the daemon at work: feeds, rates, queue, consumers, errors
    Top(top::Args),
    /// Prints the script that completes commands and options in a shell
    Completions(shell::Completions),
    /// Writes the pages of the manual
    Man(shell::Manual),
    /// Who may ask the HTTP interface: makes, lists and revokes tokens
    #[command(subcommand)]
    Token(token::Command),
}

/// Which part of the work a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Everything
    All,
}

/// When what is shown is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Color {
    /// On a terminal, unless the environment says otherwise
    Auto,
    /// Also where the output goes elsewhere
    Always,
    /// Not at all
    Never,
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
    dispatch(cli)
}

fn dispatch(cli: Cli) -> ExitCode {
    output::set_color(cli.color);
    let dir = config::find_dir(cli.config.as_deref(), &environment);
    match cli.command {
        Command::Run { role } => run::run(&dir, role),
        Command::Demo { once } => demo::run(once),
        Command::Check { online } => check::run(&dir, online),
        Command::Corpus(corpus::Command::Pack(args)) => corpus_pack::run(&args.dir, &args.output),
        Command::Feeds(command) => read(&dir, async |here| feeds::run(&here, command).await),
        Command::Topics(command) => read(&dir, async |here| topics::run(&here, command).await),
        Command::Corpus(corpus::Command::Shown(command)) => read(&dir, async |here| corpus::run(&here, command).await),
        Command::Dedup(command) => read(&dir, async |here| dedup::run(&here, command).await),
        Command::Items(args) => read(&dir, async |here| items::run(&here, &args).await),
        Command::Search(args) => read(&dir, async |here| search::run(&here, &args).await),
        Command::Show(args) => read(&dir, async |here| show::run(&here, &args).await),
        Command::Story(args) => read(&dir, async |here| story::run(&here, &args).await),
        Command::Pin(args) => read(&dir, async |here| keep::pin(&here, &args).await),
        Command::Prune(args) => read(&dir, async |here| keep::prune(&here, &args).await),
        Command::Tail(args) => read(&dir, async |here| tail::run(&here, &args).await),
        Command::Consumers(command) => read(&dir, async |here| consumers::run(&here, command).await),
        Command::Sinks(command) => read(&dir, async |here| sinks::run(&here, command).await),
        Command::Export(args) => read(&dir, async |here| transfer::export::run(&here, &args).await),
        Command::Import(args) => read(&dir, async |here| transfer::import::run(&here, &args).await),
        Command::Backup(args) => read(&dir, async |here| backup::run(&here, &args).await),
        Command::Restore(args) => read(&dir, async |here| restore::run(&here, &args).await),
        Command::Verify(args) => read(&dir, async |here| verify::run(&here, &args).await),
        Command::Compact(args) => read(&dir, async |here| compact::run(&here, &args).await),
        Command::Token(command) => match config::store_of(&dir, &environment) {
            Ok(store) => token::run(&store, command).map_or_else(|error| failed(&error), |()| ExitCode::SUCCESS),
            Err(problems) => refused(&problems),
        },
        Command::Status(args) => read(&dir, async |here| status::run(&here, &args).await),
        Command::Top(args) => read(&dir, async |here| top::run(&here, &args).await),
        Command::Completions(args) => ended(shell::completions(&args)),
        Command::Man(args) => ended(shell::manual(&args)),
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

    /// As [`Here::api`], for what polls: without a daemon its loops run in this process as long as the command does.
    async fn poller(&self) -> anyhow::Result<Api> {
        Api::connect_or(self.socket(), async || {
            let dir = self.config.dir.clone();
            let config = config::load(&dir, &environment).map_err(|problems| {
                let problems: Vec<String> = problems.iter().map(Problem::to_string).collect();
                anyhow::anyhow!("{}", problems.join("\n"))
            })?;
            api::polling(config, Box::new(move || config::load(&dir, &environment))).await
        })
        .await
    }

    /// The daemon alone, where one answers.
    async fn daemon(&self) -> anyhow::Result<Option<Api>> {
        Api::daemon(self.socket()).await
    }

    fn socket(&self) -> PathBuf {
        self.config.store.path.join(daemon::SOCKET)
    }
}

/// Runs a command that reads the configuration first.
fn read(dir: &Path, command: impl AsyncFnOnce(Here) -> anyhow::Result<()>) -> ExitCode {
    let config = match config::load(dir, &environment) {
        Ok(config) => config,
        Err(problems) => return refused(&problems),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting the runtime");
    ended(runtime.and_then(|runtime| runtime.block_on(command(Here { config }))))
}

fn ended(result: anyhow::Result<()>) -> ExitCode {
    result.map_or_else(|error| failed(&error), |()| ExitCode::SUCCESS)
}

/// A variable of the environment, for `${NAME}` in the configuration.
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Tells every problem of a configuration that nothing can be started with.
fn refused(problems: &[Problem]) -> ExitCode {
    for problem in problems {
        output::note(problem);
    }
    let problems = if problems.len() == 1 { "1 problem".to_owned() } else { format!("{} problems", problems.len()) };
    output::note(format_args!("{problems} in the configuration; nothing was started"));
    ExitCode::from(WRONG_CONFIGURATION)
}

/// Tells people what went wrong, and gives the code that tells programs.
fn failed(error: &anyhow::Error) -> ExitCode {
    if error.chain().any(is_closed_pipe) {
        // Whoever read the output has enough: `rasid tail | head`.
        return ExitCode::SUCCESS;
    }
    output::note(format_args!("error: {error:#}"));
    let usage = error.is::<WrongUsage>() || error.downcast_ref::<Refused>().is_some_and(Refused::is_usage);
    ExitCode::from(if usage { WRONG_USAGE } else { FAILED })
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
