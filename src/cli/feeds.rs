//! `rasid feeds`: what is polled, how it is doing and why, and changes to it.
//!
//! Adding and removing edits `feeds.toml`, then asks a running daemon to read it; the others ask the interface.

mod replay;

use std::fmt::Write as _;

use clap::{Args, Subcommand, ValueEnum};
use url::Url;

use super::output::{self, Screen, one_line};
use super::table::{Column, Fit, render};
use super::{Here, WrongUsage, environment};
use crate::config::{self, NewFeed};
use crate::id::FeedId;
use crate::serve::{FeedHistory, FeedList, FeedView, Reloaded};
use crate::source::{PollOutcome, PollRecord, SourceKind};

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
    Add(Add),
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

/// A feed to add.
#[derive(Debug, Args)]
pub(super) struct Add {
    /// Its address
    #[arg(value_name = "URL")]
    url: Url,
    /// Its id [default: made from the host's name]
    #[arg(long, value_name = "ID", value_parser = id)]
    id: Option<FeedId>,
    /// Its name for people
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// What stands at the address
    #[arg(long, value_enum, default_value_t = Kind::Feed)]
    kind: Kind,
}

/// What a source publishes, as far as an address alone describes it: a listing page needs selectors, too.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Feed,
    Sitemap,
}

fn id(text: &str) -> Result<FeedId, String> {
    text.parse()
}

pub(super) async fn run(here: &Here, command: Command) -> anyhow::Result<()> {
    match command {
        Command::List { json } => list(here, json).await,
        Command::Add(add) => add_feed(here, add).await,
        Command::Remove { id } => {
            config::remove_feed(&here.config.dir, &id, &environment)?;
            output::note(format_args!("`{id}` is removed; what was stored of it stays"));
            reload(here).await
        }
        Command::Why { id, json } => why(here, &id, json).await,
        Command::Replay { id, json, body } => replay::run(here, &id, json, body).await,
        Command::Poll { id, json } => poll(here, &id, json).await,
    }
}

async fn add_feed(here: &Here, add: Add) -> anyhow::Result<()> {
    if !matches!(add.url.scheme(), "http" | "https") {
        return Err(WrongUsage(format!(
            "`{}` is not an address of the web; it begins with http:// or https://",
            add.url
        ))
        .into());
    }
    let kind = match add.kind {
        Kind::Feed => SourceKind::Feed,
        Kind::Sitemap => SourceKind::Sitemap,
    };
    let new = NewFeed { url: add.url, id: add.id, title: add.title, kind };
    let id = config::add_feed(&here.config.dir, &new, &environment)?;
    output::print(&format!("{id}\n"))?;
    output::note(format_args!("`{id}` is added; `rasid feeds why {id}` tells how it is doing once it is polled"));
    reload(here).await
}

/// Tells a running daemon, where there is one, to read the configuration.
async fn reload(here: &Here) -> anyhow::Result<()> {
    if let Some(api) = here.daemon().await? {
        let reloaded: Reloaded = api.post("/api/v1/reload", &()).await?;
        output::note(format_args!("the daemon has read the configuration: {}", one_line(&reloaded.changed)));
    }
    Ok(())
}

async fn list(here: &Here, json: bool) -> anyhow::Result<()> {
    let list: FeedList = here.api().await?.get("/api/v1/feeds", &[]).await?;
    if json {
        return output::print_json(&list);
    }
    if list.feeds.is_empty() {
        output::note("no feed is configured; `rasid feeds add URL` adds one");
        return Ok(());
    }
    let columns = [
        Column("id", Fit::Whole),
        Column("state", Fit::Whole),
        Column("last poll", Fit::Whole),
        Column("next", Fit::Whole),
        Column("every", Fit::Whole),
        Column("stored", Fit::Whole),
        Column("title", Fit::Cut),
        Column("note", Fit::Cut),
    ];
    let rows: Vec<Vec<String>> = list.feeds.iter().map(row).collect();
    Ok(output::print(&render(Screen::stdout(), &columns, &rows))?)
}

fn row(feed: &FeedView) -> Vec<String> {
    let now = output::now();
    let cursor = feed.cursor.as_ref();
    let failing = cursor.filter(|cursor| cursor.failures > 0);
    let note = match (feed.enabled, failing) {
        (false, _) => feed.disabled_reason.clone(),
        (true, Some(cursor)) => cursor.last_error.as_ref().map(|error| error.message.clone()),
        (true, None) => None,
    };
    vec![
        feed.id.to_string(),
        state(feed),
        cursor.and_then(|cursor| cursor.last_poll).map(|at| output::time(at, now)).unwrap_or_default(),
        cursor.filter(|_| feed.enabled).map(|cursor| output::time(cursor.next, now)).unwrap_or_default(),
        cursor.map_or(feed.interval, |cursor| cursor.interval).to_string(),
        cursor.map(|cursor| cursor.stored.to_string()).unwrap_or_default(),
        feed.title.clone(),
        note.unwrap_or_default(),
    ]
}

fn state(feed: &FeedView) -> String {
    match &feed.cursor {
        _ if !feed.enabled => "off".to_owned(),
        None => "new".to_owned(),
        Some(cursor) if cursor.failures > 0 => format!("failing ×{}", cursor.failures),
        Some(_) => "ok".to_owned(),
    }
}

async fn why(here: &Here, id: &FeedId, json: bool) -> anyhow::Result<()> {
    let history: FeedHistory = here.api().await?.get(&format!("/api/v1/feeds/{id}"), &[]).await?;
    if json {
        return output::print_json(&history);
    }
    let screen = Screen::stdout();
    output::print(&describe(screen, &history)?)?;
    if history.polls.is_empty() {
        output::note("it was not polled yet; a running daemon does that by itself, `rasid feeds poll` at once");
        return Ok(());
    }
    let columns = [
        Column("polled", Fit::Whole),
        Column("took", Fit::Whole),
        Column("status", Fit::Whole),
        Column("entries", Fit::Whole),
        Column("new", Fit::Whole),
        Column("revised", Fit::Whole),
        Column("rejected", Fit::Whole),
        Column("note", Fit::Cut),
    ];
    let rows: Vec<Vec<String>> = history.polls.iter().map(poll_row).collect();
    output::print(&format!("\n{}", render(screen, &columns, &rows)))?;
    replay::show_refused(screen, &history)
}

fn describe(screen: Screen, history: &FeedHistory) -> Result<String, std::fmt::Error> {
    let feed = &history.feed;
    let now = output::now();
    let mut out = format!("{}  {}\n", screen.strong(feed.id.as_str()), screen.words(&one_line(&feed.title)));
    writeln!(out, "url      {}", one_line(feed.url.as_str()))?;
    let reason = feed.disabled_reason.as_deref().map(|reason| format!(": {}", one_line(reason))).unwrap_or_default();
    writeln!(out, "state    {}{reason}", state(feed))?;
    if let Some(cursor) = &feed.cursor {
        let rule = cursor.rule.as_deref().map(|rule| format!(", because {}", one_line(rule))).unwrap_or_default();
        writeln!(out, "next     {}{rule}", output::time(cursor.next, now))?;
        writeln!(out, "every    {} (from {} to {})", cursor.interval, feed.min_interval, feed.max_interval)?;
        writeln!(
            out,
            "stored   {} in {}",
            cursor.stored,
            output::count(usize::try_from(cursor.polls).unwrap_or(usize::MAX), "poll")
        )?;
        if let Some(moved) = &cursor.moved_to {
            writeln!(out, "moved    to {}; change its `url` in feeds.toml", one_line(moved.as_str()))?;
        }
        if let Some(error) = cursor.last_error.as_ref().filter(|_| cursor.failures > 0) {
            writeln!(out, "error    {}; {}", one_line(&error.message), one_line(&error.hint))?;
        }
    }
    Ok(out)
}

fn poll_row(poll: &PollRecord) -> Vec<String> {
    let outcome = &poll.outcome;
    vec![
        output::time(poll.at, output::now()),
        format!("{} ms", poll.took_ms),
        outcome.status.map(|status| status.to_string()).unwrap_or_default(),
        outcome.entries.to_string(),
        outcome.new.to_string(),
        outcome.revised.to_string(),
        outcome.rejected.to_string(),
        told(outcome),
    ]
}

/// What is worth telling of a poll.
fn told(outcome: &PollOutcome) -> String {
    if let Some(error) = &outcome.error {
        return format!("{}: {}", error.kind, error.message);
    }
    let mut told = Vec::new();
    if outcome.not_modified {
        told.push("not modified".to_owned());
    }
    told.extend(outcome.format.clone());
    told.extend(outcome.charset.clone());
    told.extend(outcome.notes.iter().cloned());
    told.join(", ")
}

async fn poll(here: &Here, id: &FeedId, json: bool) -> anyhow::Result<()> {
    let api = here.poller().await?;
    output::note(format_args!("polling `{id}` …"));
    let record: PollRecord = api.post(&format!("/api/v1/feeds/{id}/poll"), &()).await?;
    if json {
        return output::print_json(&record);
    }
    let outcome = &record.outcome;
    if let Some(error) = &outcome.error {
        anyhow::bail!("`{id}`: {}; {}", one_line(&error.message), one_line(&error.hint));
    }
    let text = format!(
        "{}: {} entries, {} new, {} revised, {} rejected in {} ms ({})\n",
        id,
        outcome.entries,
        outcome.new,
        outcome.revised,
        outcome.rejected,
        record.took_ms,
        one_line(&told(outcome)),
    );
    output::print(&text)?;
    output::note(format_args!(
        "next poll {}, because {}",
        output::time(record.next, output::now()),
        one_line(&record.rule)
    ));
    Ok(())
}
