//! `rasid items`: a listing, as a table for people, NDJSON for programs, CSV for spreadsheets.
//!
//! Promise: NDJSON lines are the items as every reader gets them; a cell of the CSV is never a formula.

use clap::{Args as ClapArgs, ValueEnum};

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
    /// Only items about this topic
    #[arg(long, value_name = "ID")]
    topic: Option<String>,
    /// Only items of this feed
    #[arg(long, value_name = "ID")]
    feed: Option<String>,
    /// Only items in this language
    #[arg(long, value_name = "CODE")]
    language: Option<String>,
    /// Only items published since: a span back from now (7d, 36h), a date, or RFC 3339
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only items published before
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,
    /// Also copies of items listed, and items whose place a fuller text took
    #[arg(long)]
    all: bool,
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
    let mut left = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let mut cursor: Option<String> = None;
    let mut shown = 0;
    let mut rows = Vec::new();
    if format == Format::Csv {
        output::print(&csv::row(&csv::COLUMNS.map(str::to_owned)))?;
    }
    let more = loop {
        let listing: Listing =
            api.get("/api/v1/items", &args.query(&left.min(PAGE).to_string(), cursor.as_deref())).await?;
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
    fn query<'a>(&'a self, limit: &'a str, cursor: Option<&'a str>) -> Vec<(&'a str, &'a str)> {
        let given = [
            ("topic", self.topic.as_deref()),
            ("feed", self.feed.as_deref()),
            ("language", self.language.as_deref()),
            ("since", self.since.as_deref()),
            ("until", self.until.as_deref()),
            ("include", self.all.then_some("duplicates")),
            ("limit", Some(limit)),
            ("cursor", cursor),
        ];
        given.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    async fn explain_nothing(&self, here: &Here, api: &Api) -> anyhow::Result<()> {
        if let Some(feed) = &self.feed
            && !here.config.feeds.iter().any(|known| known.id.as_str() == feed)
        {
            output::note(format_args!(
                "no item: no feed `{feed}` is configured; `rasid feeds list` shows those that are"
            ));
            return Ok(());
        }
        if let Some(topic) = &self.topic {
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
        let filtered = [&self.topic, &self.feed, &self.language, &self.since, &self.until].iter().any(|f| f.is_some());
        output::note(match (filtered, api.is_daemon()) {
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
