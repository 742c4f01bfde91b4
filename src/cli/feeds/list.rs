//! `rasid feeds list`: the configured feeds, and how they are doing.

use super::super::Here;
use super::super::output::{self, Screen};
use super::super::table::{Column, Fit, render};
use crate::serve::{FeedList, FeedView};

pub(super) async fn run(here: &Here, json: bool) -> anyhow::Result<()> {
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

/// How a feed is doing, in a word.
pub(in crate::cli) fn state(feed: &FeedView) -> String {
    match &feed.cursor {
        _ if !feed.enabled => "off".to_owned(),
        None => "new".to_owned(),
        Some(cursor) if cursor.failures > 0 => format!("failing ×{}", cursor.failures),
        Some(_) => "ok".to_owned(),
    }
}
