//! `rasid consumers`: named readers of the log, whose offsets the store keeps.
//!
//! Out: of `read`, one JSON record a line, and on standard error how to acknowledge them; of the others, for people, how
//! the consumers stand.
//! Promise: reading moves nothing, also where it is interrupted; what was printed and not acknowledged is printed again.

use clap::{Args as ClapArgs, Subcommand};
use hyper::StatusCode;
use serde_json::json;

use super::api::{Api, Gone, Refused};
use super::filter::Filter;
use super::output::{self, Screen, count, one_line};
use super::table::{Column, Fit, render};
use super::tail::wait_for_daemon;
use super::{Here, WrongUsage};
use crate::id::ConsumerName;
use crate::serve::{ConsumerList, ConsumerReading, ConsumerView};
use crate::store::{LogFilter, Start};

/// How long one request waits for more.
const WAIT: &str = "30s";

/// What to do with a consumer.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Lists the consumers, how far each is, and how far behind
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Prints what a consumer has not acknowledged, one JSON record a line; makes the consumer where there is none
    Read(Read),
    /// Says that a consumer has dealt with everything up to a position
    Ack {
        /// Its name
        #[arg(value_name = "NAME")]
        name: ConsumerName,
        /// The position: the `seq` of the last record that was dealt with
        #[arg(value_name = "SEQ")]
        seq: u64,
    },
    /// Lets a consumer read again, or skip
    Reset {
        /// Its name
        #[arg(value_name = "NAME")]
        name: ConsumerName,
        /// The last position not to be read again, `beginning`, or `end`
        #[arg(value_name = "SEQ", default_value = "beginning")]
        from: Start,
    },
    /// Forgets a consumer and its position
    Remove {
        /// Its name
        #[arg(value_name = "NAME")]
        name: ConsumerName,
    },
}

/// Which consumer, and how much.
#[derive(Debug, ClapArgs)]
pub(super) struct Read {
    /// Its name: small letters, digits and hyphens
    #[arg(value_name = "NAME")]
    name: ConsumerName,
    /// At most so many records
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1000))]
    max: u16,
    /// Where there is nothing to read, waits until there is
    #[arg(long)]
    wait: bool,
    /// Where a new consumer begins: `beginning`, `end`, or the last position not to be read [default: beginning]
    #[arg(long, value_name = "START")]
    from: Option<Start>,
    #[command(flatten)]
    filter: Filter,
}

pub(super) async fn run(here: &Here, command: Command) -> anyhow::Result<()> {
    match command {
        Command::List { json } => list(here, json).await,
        Command::Read(args) => tokio::select! {
            ended = read(here, &args) => ended,
            interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
        },
        Command::Ack { name, seq } => {
            let api = here.poller().await?;
            tell(&api.post(&format!("{}/ack", path(&name)), &json!({ "seq": seq })).await?)
        }
        Command::Reset { name, from } => {
            let api = here.poller().await?;
            tell(&api.post(&format!("{}/reset", path(&name)), &json!({ "from": from })).await?)
        }
        Command::Remove { name } => {
            here.poller().await?.remove(&path(&name)).await?;
            output::note(format_args!("the consumer {name} was removed"));
            Ok(())
        }
    }
}

fn path(name: &ConsumerName) -> String {
    format!("/api/v1/consumers/{name}")
}

async fn list(here: &Here, json: bool) -> anyhow::Result<()> {
    let list: ConsumerList = here.api().await?.get("/api/v1/consumers", &[]).await?;
    if json {
        return output::print_json(&list);
    }
    if list.consumers.is_empty() {
        output::note("there is no consumer; rasid consumers read NAME makes one");
        return Ok(());
    }
    let columns = [
        Column("name", Fit::Whole),
        Column("offset", Fit::Whole),
        Column("lag", Fit::Whole),
        Column("oldest", Fit::Whole),
        Column("acknowledged", Fit::Whole),
        Column("kind", Fit::Cut),
        Column("reads", Fit::Cut),
    ];
    let now = output::now();
    let rows = list.consumers.iter().map(|consumer| {
        vec![
            consumer.name.to_string(),
            consumer.offset.to_string(),
            consumer.lag.to_string(),
            age(consumer),
            consumer.acked_at.map_or("never".to_owned(), |at| output::time(at, now)),
            consumer.kind.as_deref().map(one_line).unwrap_or_default(),
            reads(&consumer.filter),
        ]
    });
    output::print(&render(Screen::stdout(), &columns, &rows.collect::<Vec<_>>()))?;
    for (name, missed) in list.consumers.iter().filter_map(|of| Some((&of.name, of.missed.as_ref()?))) {
        output::note(format_args!("{name} has missed something: {}", missed.detail));
    }
    Ok(())
}

/// How old the oldest record is that it has not acknowledged, in the largest unit of which there is at least one.
fn age(consumer: &ConsumerView) -> String {
    let seconds = consumer.lag_seconds;
    let unit = [("d", 86_400), ("h", 3_600), ("m", 60)].into_iter().find(|(_, unit)| seconds >= *unit);
    match unit {
        _ if consumer.lag == 0 => "-".to_owned(),
        Some((name, unit)) => format!("{}{name}", seconds / unit),
        None => format!("{seconds}s"),
    }
}

fn reads(filter: &LogFilter) -> String {
    let LogFilter { topics, feeds, kinds, languages } = filter;
    let topics = topics.iter().map(|topic| format!("topic {topic}"));
    let feeds = feeds.iter().map(|feed| format!("feed {feed}"));
    let kinds = kinds.iter().filter_map(|kind| serde_json::to_value(kind).ok()?.as_str().map(str::to_owned));
    let languages = languages.iter().map(|language| format!("language {}", one_line(language)));
    let all: Vec<String> = topics.chain(feeds).chain(kinds).chain(languages).collect();
    if all.is_empty() { "everything".to_owned() } else { all.join(", ") }
}

async fn read(here: &Here, args: &Read) -> anyhow::Result<()> {
    let path = path(&args.name);
    let max = args.max.to_string();
    let wanted = args.filter.read()?;
    let mut api = here.poller().await?;
    loop {
        let mut query = vec![("limit", max.as_str())];
        if args.wait && api.is_daemon() {
            query.push(("wait", WAIT));
        }
        let reading: ConsumerReading = match api.get(&path, &query).await {
            Ok(reading) => reading,
            Err(error) if is_missing(&error) => {
                create(&api, args, wanted.as_ref()).await?;
                continue;
            }
            Err(error) if args.wait && error.is::<Gone>() => {
                api = wait_for_daemon(here, "the daemon has gone").await?;
                continue;
            }
            Err(error) => return Err(error),
        };
        if let Some(wanted) = wanted.as_ref().filter(|wanted| **wanted != reading.filter) {
            let (name, offset) = (&reading.name, reading.offset);
            return Err(WrongUsage(format!(
                "{name} reads {}, not {}; to change that: rasid consumers remove {name}, and read it again with these \
                 filters and --from {offset}",
                reads(&reading.filter),
                reads(wanted)
            ))
            .into());
        }
        if let Some(missed) = &reading.missed {
            output::note(format_args!("{} has missed something: {}", args.name, missed.detail));
        }
        for record in &reading.records {
            output::print_json(record)?;
        }
        if !reading.records.is_empty() || !args.wait || reading.missed.is_some() {
            told(args, &reading);
            return Ok(());
        }
        if !api.is_daemon() {
            // Only a daemon stores more, and it needs the store that this process holds.
            drop(api);
            api = wait_for_daemon(here, "no daemon runs").await?;
        }
    }
}

/// Says what was read, and how to go on.
fn told(args: &Read, reading: &ConsumerReading) {
    let (name, next) = (&args.name, reading.next);
    let records = count(reading.records.len(), "record");
    if next == reading.offset {
        output::note(format_args!("{name} has acknowledged everything, up to {next}"));
    } else {
        output::note(format_args!("{records} after {}; once done: rasid consumers ack {name} {next}", reading.offset));
    }
}

fn is_missing(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Refused>().is_some_and(|refused| refused.status == StatusCode::NOT_FOUND.as_u16())
}

async fn create(api: &Api, args: &Read, filter: Option<&LogFilter>) -> anyhow::Result<()> {
    let from = args.from.unwrap_or_default();
    let body = json!({ "filter": filter, "from": from, "kind": "cli" });
    let made: ConsumerView = api.put(&path(&args.name), &body).await?;
    output::note(format_args!(
        "a new consumer {}, which begins after {}, reads {}",
        made.name,
        made.offset,
        reads(&made.filter)
    ));
    Ok(())
}

fn tell(consumer: &ConsumerView) -> anyhow::Result<()> {
    let ConsumerView { name, offset, lag, .. } = consumer;
    let left = count(usize::try_from(*lag).unwrap_or(usize::MAX), "record");
    Ok(output::print(&format!("{name} is at {offset}; {left} to read\n"))?)
}
