//! `rasid topics`: what the topics are, and what they make of texts.
//!
//! Not here: what each command does, one file each.

mod explain;
mod learn;
mod list;
pub(super) mod reclassify;
mod since;
pub(super) mod stored;
mod test;

use clap::Subcommand;

use super::Here;

/// What to do with the topics.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Lists the topics
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Tells which topics a text is about, and which places say so; with --since, what the topics on disk would change
    Test(test::Test),
    /// Tells which forms the terms of a topic or query reach in what is stored, and what never occurs
    Explain(explain::Explain),
    /// Says of stored items whether they belong to a topic, and shows what it learns from that
    Learn(learn::Learn),
    /// Gives stored items the topics that are in force now
    Reclassify(reclassify::Reclassify),
}

pub(super) async fn run(here: &Here, command: Command) -> anyhow::Result<()> {
    match command {
        Command::List { json } => list::run(here, json).await,
        Command::Test(test) => test::run(here, &test).await,
        Command::Explain(explain) => explain::run(here, &explain).await,
        Command::Learn(learn) => learn::run(here, &learn).await,
        Command::Reclassify(args) => reclassify::run(here, &args).await,
    }
}
