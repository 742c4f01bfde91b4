//! `rasid feeds why`: what a feed's last polls gave, and when and why it is polled next.

use std::fmt::Write as _;

use super::super::Here;
use super::super::output::{self, Screen, one_line};
use super::super::table::{Column, Fit, render};
use super::list::state;
use super::replay;
use crate::id::FeedId;
use crate::serve::FeedHistory;
use crate::source::{PollOutcome, PollRecord};

pub(super) async fn run(here: &Here, id: &FeedId, json: bool) -> anyhow::Result<()> {
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
pub(super) fn told(outcome: &PollOutcome) -> String {
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
