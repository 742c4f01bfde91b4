//! `rasid sinks`: how what is carried to others is doing, and what could not be delivered.
//!
//! Out: tables for people, or JSON; of `dead --json`, one letter a line.
//! Promise: listing and dropping work with and without a daemon; `replay` needs one, and says what came of it.

use std::collections::BTreeSet;
use std::time::Duration;

use clap::{Args as ClapArgs, Subcommand};
use serde_json::json;

use super::api::Api;
use super::output::{self, Screen, count, one_line};
use super::table::{Column, Fit, render};
use super::{Here, WrongUsage};
use crate::id::{ConsumerName, Seq};
use crate::serve::{Carrying, DeadList, Dropped, Replaying, SinkList, SinkView};
use crate::store::DeadLetter;

/// Letters that are asked for at once.
const PAGE: &str = "100";
/// How often it is looked whether letters were delivered.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What to do with a sink.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Lists the sinks: where each stands, how far behind it is, and what went wrong
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Lists what a sink could not deliver, in the order of the log
    Dead {
        /// Its name
        #[arg(value_name = "NAME")]
        name: ConsumerName,
        /// As JSON, one letter with its whole record a line
        #[arg(long)]
        json: bool,
    },
    /// Lets the daemon deliver dead letters once more; those that are delivered are gone from the list
    Replay(Which),
    /// Removes dead letters for good
    Drop {
        #[command(flatten)]
        which: Which,
        /// All of them
        #[arg(long, conflicts_with = "ids")]
        all: bool,
    },
}

/// Which letters of which sink.
#[derive(Debug, ClapArgs)]
pub(super) struct Which {
    /// Its name
    #[arg(value_name = "NAME")]
    name: ConsumerName,
    /// Only the letter of this position in the log; may be repeated
    #[arg(long = "id", value_name = "SEQ")]
    ids: Vec<u64>,
}

impl Which {
    fn body(&self) -> serde_json::Value {
        if self.ids.is_empty() { json!({}) } else { json!({ "ids": self.ids }) }
    }
}

pub(super) async fn run(here: &Here, command: Command) -> anyhow::Result<()> {
    match command {
        Command::List { json } => list(here, json).await,
        Command::Dead { name, json } => dead(here, &name, json).await,
        Command::Replay(which) => tokio::select! {
            ended = replay(here, &which) => ended,
            interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
        },
        Command::Drop { which, all } => {
            if which.ids.is_empty() && !all {
                return Err(WrongUsage("say which letters with --id SEQ, or --all".to_owned()).into());
            }
            let path = format!("{}/drop", path(&which.name));
            let Dropped { dropped } = here.api().await?.post(&path, &which.body()).await?;
            Ok(output::print(&format!("{} dropped\n", letters(dropped)))?)
        }
    }
}

fn path(name: &ConsumerName) -> String {
    format!("/api/v1/sinks/{name}")
}

fn letters(number: u64) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), "dead letter")
}

async fn list(here: &Here, json: bool) -> anyhow::Result<()> {
    let list: SinkList = here.api().await?.get("/api/v1/sinks", &[]).await?;
    if json {
        return output::print_json(&list);
    }
    if list.sinks.is_empty() {
        output::note("there is no sink; a [[sink]] in rasid.toml makes one");
        return Ok(());
    }
    let columns = [
        Column("name", Fit::Whole),
        Column("kind", Fit::Whole),
        Column("state", Fit::Whole),
        Column("offset", Fit::Whole),
        Column("lag", Fit::Whole),
        Column("dead", Fit::Whole),
        Column("next attempt", Fit::Whole),
        Column("target", Fit::Cut),
        Column("last error", Fit::Cut),
    ];
    let now = output::now();
    let rows = list.sinks.iter().map(|sink| {
        let of = |value: fn(&crate::serve::ConsumerView) -> String| {
            sink.consumer.as_ref().map_or_else(|| "-".to_owned(), value)
        };
        vec![
            sink.name.to_string(),
            sink.kind.clone(),
            state(sink.state).to_owned(),
            of(|consumer| consumer.offset.to_string()),
            of(|consumer| consumer.lag.to_string()),
            sink.dead.to_string(),
            sink.next_attempt.map_or_else(|| "-".to_owned(), |at| output::time(at, now)),
            sink.target.clone(),
            sink.last_error
                .as_ref()
                .map(|fault| format!("{}: {}", output::time(fault.at, now), one_line(&fault.message)))
                .unwrap_or_default(),
        ]
    });
    output::print(&render(Screen::stdout(), &columns, &rows.collect::<Vec<_>>()))?;
    for sink in list.sinks.iter().filter(|sink| sink.dead > 0) {
        output::note(format_args!("{} has {}: rasid sinks dead {}", sink.name, letters(sink.dead), sink.name));
    }
    Ok(())
}

const fn state(state: Carrying) -> &'static str {
    match state {
        Carrying::Off => "off",
        Carrying::Running => "running",
        Carrying::Failing => "failing",
        Carrying::Full => "full",
    }
}

async fn dead(here: &Here, name: &ConsumerName, json: bool) -> anyhow::Result<()> {
    let all = all(&here.api().await?, name).await?;
    if json {
        return all.iter().try_for_each(output::print_json);
    }
    if all.is_empty() {
        output::note(format_args!("{name} has no dead letters"));
        return Ok(());
    }
    let columns = [
        Column("id", Fit::Whole),
        Column("given up", Fit::Whole),
        Column("attempts", Fit::Whole),
        Column("error", Fit::Cut),
        Column("title", Fit::Cut),
    ];
    let now = output::now();
    let rows = all.iter().map(|letter| {
        let title = letter.record.item.as_ref().map(|item| item.content.title.clone());
        vec![
            letter.seq.to_string(),
            output::time(letter.at, now),
            letter.attempts.to_string(),
            letter.error.clone(),
            title.unwrap_or_default(),
        ]
    });
    Ok(output::print(&render(Screen::stdout(), &columns, &rows.collect::<Vec<_>>()))?)
}

async fn all(api: &Api, name: &ConsumerName) -> anyhow::Result<Vec<DeadLetter>> {
    let (mut all, mut after) = (Vec::new(), Some(Seq(0)));
    while let Some(from) = after {
        let query = [("after", from.to_string()), ("limit", PAGE.to_owned())];
        let query = query.each_ref().map(|(name, value)| (*name, value.as_str()));
        let page: DeadList = api.get(&format!("{}/dead", path(name)), &query).await?;
        all.extend(page.letters);
        after = page.next;
    }
    Ok(all)
}

async fn replay(here: &Here, which: &Which) -> anyhow::Result<()> {
    let (api, name) = (here.api().await?, &which.name);
    let asked: BTreeSet<Seq> = match which.ids.is_empty() {
        true => all(&api, name).await?.iter().map(|letter| letter.seq).collect(),
        false => which.ids.iter().copied().map(Seq).collect(),
    };
    let Replaying { replaying } = api.post(&format!("{}/replay", path(name)), &which.body()).await?;
    output::note(format_args!("{} being tried again …", letters(replaying)));
    while api.get::<SinkView>(&path(name), &[]).await?.replaying > 0 {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let left = all(&api, name).await?;
    let left: Vec<&DeadLetter> = left.iter().filter(|letter| asked.contains(&letter.seq)).collect();
    output::print(&format!("{} delivered, {} left\n", asked.len() - left.len(), left.len()))?;
    match left.first() {
        Some(letter) => anyhow::bail!("{name}: {}: {}", letter.seq, one_line(&letter.error)),
        None => Ok(()),
    }
}
