//! `rasid items`: a listing, as a table for people, NDJSON for programs, CSV for spreadsheets.
//!
//! Promise: NDJSON lines are the items as every reader gets them; a cell of the CSV is never a formula.

use clap::{Args as ClapArgs, ValueEnum};

use super::narrowing::Narrowing;
use super::output::{self, Screen, count};
use super::table::{Column, Fit, render};
use super::{Here, api::Api, csv};
use crate::item::Item;
use crate::serve::{Listing, TopicList};
use crate::topic::Decision;

/// How many items one request asks for.
const PAGE: usize = 200;

/// Which items, in which form.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    #[command(flatten)]
    items: Narrowing,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,
    /// The form [default: table on a terminal, else ndjson]
    #[arg(long, value_enum)]
    format: Option<Format>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Ndjson,
    Csv,
}

pub(super) async fn run(here: &Here, args: &Args) -> anyhow::Result<()> {
    let screen = Screen::stdout();
    let format = args.format.unwrap_or(if screen.terminal { Format::Table } else { Format::Ndjson });
    let api = here.api().await?;
    let narrowed = args.items.begin();
    let mut left = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let mut cursor: Option<String> = None;
    let mut shown = 0;
    let mut rows = Vec::new();
    if format == Format::Csv {
        output::print(&csv::row(&csv::COLUMNS.map(str::to_owned)))?;
    }
    let more = loop {
        let limit = left.min(PAGE).to_string();
        let page = [("limit", Some(limit.as_str())), ("cursor", cursor.as_deref())];
        let listing: Listing = api.get("/api/v1/items", &narrowed.with(&page)).await?;
        shown += listing.items.len();
        left = left.saturating_sub(listing.items.len());
        match format {
            Format::Table => rows.extend(listing.items.iter().map(row)),
            Format::Ndjson => listing.items.iter().try_for_each(output::print_json)?,
            Format::Csv => {
                let text: String = listing.items.iter().map(|item| csv::row(&csv::cells(item))).collect();
                output::print(&text)?;
            }
        }
        cursor = listing.next;
        if cursor.is_none() || left == 0 {
            break cursor.is_some();
        }
    };
    if shown == 0 {
        return args.explain_nothing(here, &api).await;
    }
    if format == Format::Table {
        output::print(&render(screen, &COLUMNS, &rows))?;
        if screen.terminal {
            let more =
                if more { "; there are more: raise --limit, or narrow with --topic, --feed, --since" } else { "" };
            output::note(format_args!("{}{more}; `rasid show №` shows one", count(shown, "item")));
        }
    }
    Ok(())
}

impl Args {
    async fn explain_nothing(&self, here: &Here, api: &Api) -> anyhow::Result<()> {
        if let Some(feed) = &self.items.feed
            && !here.config.feeds.iter().any(|known| known.id.as_str() == feed)
        {
            output::note(format_args!(
                "no item: no feed `{feed}` is configured; `rasid feeds list` shows those that are"
            ));
            return Ok(());
        }
        if let Some(topic) = &self.items.topic {
            let list: TopicList = api.get("/api/v1/topics", &[]).await?;
            if !list.topics.iter().any(|known| known.id.as_str() == topic) {
                let known: Vec<&str> = list.topics.iter().map(|topic| topic.id.as_str()).collect();
                output::note(format_args!(
                    "no item: no topic `{topic}` is configured; there are: {}",
                    known.join(", ")
                ));
                return Ok(());
            }
        }
        output::note(match (self.items.is_given(), api.is_daemon()) {
            (true, _) => "no item matches; leave out a filter, or see `rasid status` for what is stored",
            (false, true) => "no item is stored yet; `rasid feeds list` shows when the feeds are polled",
            (false, false) => "no item is stored yet and no daemon runs; start one with `rasid run`",
        });
        Ok(())
    }
}

const COLUMNS: [Column; 6] = [
    Column("№", Fit::Whole),
    Column("published", Fit::Whole),
    Column("feed", Fit::Cut),
    Column("topics", Fit::Cut),
    Column("copies", Fit::Whole),
    Column("title", Fit::Cut),
];

fn row(item: &Item) -> Vec<String> {
    let copies = match (item.verdict.kind.is_duplicate(), item.copies.len()) {
        _ if item.superseded_by.is_some() => "is superseded".to_owned(),
        (true, _) => format!("is {}", kind(item)),
        (false, 0) => String::new(),
        (false, n) => n.to_string(),
    };
    let title = if item.content.title.is_empty() { &item.content.text } else { &item.content.title };
    vec![
        item.seq.to_string(),
        output::time(item.content.published_at, output::now()),
        item.feed.to_string(),
        topics(item, " "),
        copies,
        // Far more than any terminal shows of a line.
        output::cut(title, 400),
    ]
}

/// The topics of an item, those that are only worth a look with a question mark.
fn topics(item: &Item, between: &str) -> String {
    let named = |found: &crate::topic::TopicMatch| match found.decision {
        Decision::Match => found.id.to_string(),
        Decision::Maybe => format!("{}?", found.id),
    };
    item.topics.iter().map(named).collect::<Vec<_>>().join(between)
}

/// The verdict's name as data has it.
pub(super) fn kind(item: &Item) -> String {
    format!("{:?}", item.verdict.kind).to_lowercase()
}
