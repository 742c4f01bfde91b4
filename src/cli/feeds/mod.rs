//! `rasid feeds`: what is polled, how it is doing and why, and changes to it.
//!
//! Adding and removing edits `feeds.toml`, then asks a running daemon to read it; the others ask the interface.

mod add;
mod list;
mod poll;
mod why;

use clap::Subcommand;

use super::output::{self, one_line};
use super::{Here, environment};
use crate::config;
use crate::id::FeedId;
use crate::serve::Reloaded;

/// What to do with the feeds.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Lists the feeds and how they are doing
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Adds a feed to feeds.toml
    Add(add::Add),
    /// Removes a feed from feeds.toml; what was stored of it stays
    Remove {
        /// The feed
        #[arg(value_name = "ID", value_parser = id)]
        id: FeedId,
    },
    /// Tells what its last polls gave, and when and why it is polled next
    Why {
        /// The feed
        #[arg(value_name = "ID", value_parser = id)]
        id: FeedId,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Polls a feed now
    Poll {
        /// The feed
        #[arg(value_name = "ID", value_parser = id)]
        id: FeedId,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

fn id(text: &str) -> Result<FeedId, String> {
    text.parse()
}

pub(super) async fn run(here: &Here, command: Command) -> anyhow::Result<()> {
    match command {
        Command::List { json } => list::run(here, json).await,
        Command::Add(add) => add::run(here, add).await,
        Command::Remove { id } => {
            config::remove_feed(&here.config.dir, &id, &environment)?;
            output::note(format_args!("`{id}` is removed; what was stored of it stays"));
            reload(here).await
        }
        Command::Why { id, json } => why::run(here, &id, json).await,
        Command::Poll { id, json } => poll::run(here, &id, json).await,
    }
}

/// Tells a running daemon, where there is one, to read the configuration.
async fn reload(here: &Here) -> anyhow::Result<()> {
    if let Some(api) = here.daemon().await? {
        let reloaded: Reloaded = api.post("/api/v1/reload", &()).await?;
        output::note(format_args!("the daemon has read the configuration: {}", one_line(&reloaded.changed)));
    }
    Ok(())
}
