//! `rasid search`: what a query finds, as a table for people and NDJSON for programs.
//!
//! Promise: NDJSON lines are the items as every reader gets them, with `score`, `highlights` and `snippet`; without a daemon the
//! index is brought up to the log first, and that it takes a while is said.

use std::time::Duration;

use clap::{Args as ClapArgs, ValueEnum};

use super::api::{self, Api};
use super::narrowing::Narrowing;
use super::output::{self, Screen, count, one_line};
use super::table::{Column, Fit, render};
use super::{Here, WrongUsage};
use crate::search::Mark;
use crate::serve::{IndexView, ResultView, Results};

/// How many items one request asks for.
const PAGE: usize = 100;
/// How often is looked how far a new index is.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What is looked for, in which form.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Words, "phrases", -excluded, OR, title: text: author: feed: topic: lang: since: until:
    #[arg(value_name = "QUERY", required_unless_present = "rebuild")]
    query: Vec<String>,
    #[command(flatten)]
    items: Narrowing,
    /// What comes first
    #[arg(long, value_enum, default_value_t = Order::Relevance)]
    sort: Order,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,
    /// The form [default: table on a terminal, else ndjson]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Makes the search index anew from what is stored, and waits until it is whole
    #[arg(long, conflicts_with_all = ["query", "topic", "feed", "language", "since", "until", "all", "format"])]
    rebuild: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Order {
    Relevance,
    Newest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Ndjson,
}

pub(super) async fn run(here: &Here, args: &Args) -> anyhow::Result<()> {
    if args.rebuild {
        return rebuild(here).await;
    }
    let screen = Screen::stdout();
    let format = args.format.unwrap_or(if screen.terminal { Format::Table } else { Format::Ndjson });
    let query = args.query.join(" ");
    if query.trim().is_empty() {
        return Err(WrongUsage("the query is empty; write what to look for".to_owned()).into());
    }
    let api = Api::connect(here.socket(), || api::searching(&here.config, false)).await?;
    let (narrowed, sort) = (args.items.begin(), (args.sort == Order::Newest).then_some("newest"));
    let mut left = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let mut cursor: Option<String> = None;
    let mut rows = Vec::new();
    let mut shown = 0;
    let last = loop {
        let limit = left.min(PAGE).to_string();
        let page =
            [("q", Some(query.as_str())), ("sort", sort), ("limit", Some(&limit)), ("cursor", cursor.as_deref())];
        let results: Results = api.get("/api/v1/search", &narrowed.with(&page)).await?;
        shown += results.items.len();
        left = left.saturating_sub(results.items.len().max(1));
        match format {
            Format::Table => rows.extend(results.items.iter().flat_map(|found| row(screen, found))),
            Format::Ndjson => results.items.iter().try_for_each(output::print_json)?,
        }
        cursor.clone_from(&results.next);
        if cursor.is_none() || left == 0 {
            break results;
        }
    };
    if last.building {
        output::note("the search index is being made: not everything is found yet");
    }
    if shown == 0 {
        output::note("nothing was found; try fewer words, other words, or leave out a filter");
        return Ok(());
    }
    if format == Format::Table {
        output::print(&render(screen, &COLUMNS, &rows))?;
        if screen.terminal {
            let partial = if last.partial { "; hardly anything has all the words, so some may be missing" } else { "" };
            let of = if last.total > shown as u64 { format!(" of {}", last.total) } else { String::new() };
            output::note(format_args!("{}{of}{partial}; `rasid show №` shows one", count(shown, "item")));
        }
    }
    Ok(())
}

async fn rebuild(here: &Here) -> anyhow::Result<()> {
    let daemon = Api::connect(here.socket(), || api::searching(&here.config, true)).await?;
    if !daemon.is_daemon() {
        return Ok(());
    }
    let _begun: IndexView = daemon.post("/api/v1/search/rebuild", &()).await?;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        match daemon.get::<IndexView>("/api/v1/search/index", &[]).await {
            Ok(index) if !index.building && index.seq >= index.last_seq => {
                output::note(format_args!("the search index holds {} again", count_of(index.items)));
                return Ok(());
            }
            Err(error) if !error.downcast_ref::<api::Refused>().is_some_and(api::Refused::is_not_ready) => {
                return Err(error);
            }
            _ => {}
        }
    }
}

/// So many items, in words.
pub(super) fn count_of(items: u64) -> String {
    count(usize::try_from(items).unwrap_or(usize::MAX), "item")
}

const COLUMNS: [Column; 5] = [
    Column("№", Fit::Whole),
    Column("published", Fit::Whole),
    Column("feed", Fit::Cut),
    Column("score", Fit::Whole),
    Column("found", Fit::Cut),
];

/// The title, and the piece below it.
fn row(screen: Screen, found: &ResultView) -> Vec<Vec<String>> {
    let content = &found.item.content;
    let mark = |field: &str, begin: usize, text: &str| marked(screen, text, begin, field, &found.highlights);
    let title = mark("title", 0, &output::cut(&content.title, 400));
    let mut rows = vec![vec![
        found.item.seq.to_string(),
        output::time(content.published_at, output::now()),
        found.item.feed.to_string(),
        format!("{:.2}", found.score),
        title,
    ]];
    if let (true, Some(snippet)) = (screen.terminal, &found.snippet) {
        let text = mark(&snippet.field, snippet.start, &snippet.text);
        rows.push(vec![String::new(), String::new(), String::new(), String::new(), one_line(&text)]);
    }
    rows
}

/// The text with the places in brackets that the query's words stand at; `begin` is where it stands in its field.
fn marked(screen: Screen, text: &str, begin: usize, field: &str, marks: &[Mark]) -> String {
    // A table cuts its cells at characters, so marks are characters: colours would be cut as well.
    if !screen.terminal {
        return text.to_owned();
    }
    let marks: Vec<&Mark> = marks.iter().filter(|mark| mark.field == field && mark.start >= begin).collect();
    let mut shown = String::new();
    for (at, c) in text.chars().enumerate() {
        let at = at + begin;
        if marks.iter().any(|mark| mark.start == at) {
            shown.push('⟦');
        }
        shown.push(c);
        if marks.iter().any(|mark| mark.end == at + 1) {
            shown.push('⟧');
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stand_around_whole_places() {
        let marks = [
            Mark { field: "text".to_owned(), start: 14, end: 17 },
            Mark { field: "title".to_owned(), start: 0, end: 2 },
        ];
        let screen = Screen::of(true, true);
        assert_eq!(marked(screen, "قمة في عام", 10, "text", &marks), "قمة ⟦في ⟧عام");
        assert_eq!(marked(Screen::of(false, false), "قمة في عام", 10, "text", &marks), "قمة في عام");
    }
}
