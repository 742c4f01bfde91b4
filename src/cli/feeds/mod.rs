//! `rasid feeds`: what is polled, how it is doing and why, and changes to it.
//!
//! Adding, importing and removing edit `feeds.toml`, then ask a running daemon to read it; discovering asks the web from
//! this process; the others ask the interface.

mod add;
mod discover;
pub(super) mod list;
mod opml;
mod poll;
mod replay;
mod why;

use clap::Subcommand;
use url::Url;

use super::output::{self, one_line};
use super::{Here, environment};
use crate::config;
use crate::id::FeedId;
use crate::parse::discover::web;
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
    /// Finds the feeds of a page or site, and tells which is best
    Discover(discover::Discover),
    /// Adds a feed to feeds.toml: an address, or that of a page whose feed is looked for
    Add(Box<add::Add>),
    /// Adds the feeds of an OPML file, as feed readers write them
    Import(opml::Import),
    /// Writes the feeds as OPML to standard output, without anything secret
    Export,
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
    /// Reads the last document again that could not be read, or not all of it; stores nothing
    Replay {
        /// The feed
        #[arg(value_name = "ID", value_parser = id)]
        id: FeedId,
        /// As JSON
        #[arg(long)]
        json: bool,
        /// The document's very bytes instead
        #[arg(long, conflicts_with = "json")]
        body: bool,
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
        Command::Discover(args) => discover::run(here, &args).await,
        Command::Add(add) => add::run(here, *add).await,
        Command::Import(import) => opml::import(here, &import).await,
        Command::Export => opml::export(here),
        Command::Remove { id } => {
            config::remove_feed(&here.config.dir, &id, &environment)?;
            output::note(format_args!("`{id}` is removed; what was stored of it stays"));
            reload(here).await
        }
        Command::Why { id, json } => why::run(here, &id, json).await,
        Command::Replay { id, json, body } => replay::run(here, &id, json, body).await,
        Command::Poll { id, json } => poll::run(here, &id, json).await,
    }
}

/// An address as people write it: `https://` may be left out, and `feed:` is no scheme of its own.
fn address(text: &str) -> Result<Url, String> {
    let text = text.trim();
    let base = Url::parse("https://localhost/").map_err(|error| error.to_string())?;
    let whole = text.contains("://") || text.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("feed:"));
    let text = if whole { text.to_owned() } else { format!("https://{text}") };
    let url = web(&text, &base).ok_or("it is not an address of the web; it begins with http:// or https://")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it has a user's name in it; add it without, then write `username` and `password` into feeds.toml"
            .to_owned());
    }
    Ok(url)
}

/// Tells a running daemon, where there is one, to read the configuration.
async fn reload(here: &Here) -> anyhow::Result<()> {
    if let Some(api) = here.daemon().await? {
        let reloaded: Reloaded = api.post("/api/v1/reload", &()).await?;
        output::note(format_args!("the daemon has read the configuration: {}", one_line(&reloaded.changed)));
    }
    Ok(())
}
