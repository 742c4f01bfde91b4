//! `rasid feeds replay`: the last document of a feed that could not be read, read again.
//!
//! In: a feed's id. Out: what the document was, and what comes of it today; with `--body`, its very bytes. For
//! `feeds why`: the entries that were refused last.

use std::fmt::Write as _;

use crate::cli::Here;
use crate::cli::output::{self, Screen, one_line};
use crate::cli::table::{Column, Fit, render};
use crate::id::FeedId;
use crate::serve::{FeedHistory, Replay, Reread};
use crate::source::PollError;

pub(super) async fn run(here: &Here, id: &FeedId, json: bool, body: bool) -> anyhow::Result<()> {
    let (api, path) = (here.api().await?, format!("/api/v1/feeds/{id}/unread"));
    if body {
        let bytes = api.get_bytes(&format!("{path}/body")).await?;
        if Screen::stdout().terminal {
            return Ok(output::print(&String::from_utf8_lossy(&bytes))?);
        }
        return output::print_raw(&bytes);
    }
    let replay: Replay = api.get(&path, &[]).await?;
    if json {
        return output::print_json(&replay);
    }
    let screen = Screen::stdout();
    output::print(&describe(&replay)?)?;
    match (&replay.read, &replay.error) {
        (Some(read), _) => show(screen, read),
        (None, Some(error)) => anyhow::bail!("`{id}`: {}", words(error)),
        (None, None) => Ok(()),
    }
}

/// What the document was.
fn describe(replay: &Replay) -> Result<String, std::fmt::Error> {
    let mut out = format!("fetched  {}\n", output::time(replay.at, output::now()));
    writeln!(out, "from     {}", one_line(replay.url.as_str()))?;
    let mut said = vec![format!("status {}", replay.status)];
    said.extend(replay.content_type.as_deref().map(one_line));
    said.extend(replay.charset.as_deref().map(|charset| format!("charset {}", one_line(charset))));
    said.push(match replay.kept < replay.length {
        true => format!("{} of {} bytes kept", replay.kept, replay.length),
        false => format!("{} bytes", replay.length),
    });
    said.extend(replay.cut.as_deref().map(one_line));
    writeln!(out, "came     {}", said.join(", "))?;
    let then = replay.then.as_ref().map_or("entries of it were refused".to_owned(), words);
    writeln!(out, "then     {then}")?;
    Ok(out)
}

/// What comes of it today.
fn show(screen: Screen, read: &Reread) -> anyhow::Result<()> {
    let mut out = format!("today    {}, {}\n", one_line(&read.format), one_line(&read.charset));
    for note in &read.notes {
        writeln!(out, "note     {}", one_line(note))?;
    }
    if !read.entries.is_empty() {
        let columns = [Column("date", Fit::Whole), Column("title", Fit::Cut), Column("link", Fit::Cut)];
        let rows: Vec<Vec<String>> = read
            .entries
            .iter()
            .rev()
            .map(|entry| {
                let date = entry.published.map(|at| output::time(at, output::now())).unwrap_or_default();
                vec![date, entry.title.clone(), entry.url.as_ref().map(ToString::to_string).unwrap_or_default()]
            })
            .collect();
        out.push('\n');
        out.push_str(&render(screen, &columns, &rows));
    }
    if !read.rejected.is_empty() {
        let columns = [Column("refused", Fit::Cut), Column("why", Fit::Cut)];
        let rows: Vec<Vec<String>> =
            read.rejected.iter().map(|refused| vec![refused.entry.clone(), refused.reason.clone()]).collect();
        out.push('\n');
        out.push_str(&render(screen, &columns, &rows));
    }
    output::print(&out)?;
    output::note(format_args!("{} entries, {} refused; nothing was stored", read.entries.len(), read.rejected.len()));
    Ok(())
}

/// The entries that the last poll with any refused, where one did.
pub(super) fn show_refused(screen: Screen, history: &FeedHistory) -> anyhow::Result<()> {
    let Some(poll) = history.polls.iter().find(|poll| !poll.outcome.refused.is_empty()) else { return Ok(()) };
    let columns = [Column("refused", Fit::Cut), Column("at", Fit::Whole), Column("why", Fit::Cut)];
    let refused = &poll.outcome.refused;
    let rows: Vec<Vec<String>> =
        refused.iter().map(|one| vec![one.entry.clone(), one.stage.clone(), one.reason.clone()]).collect();
    output::print(&format!("\n{}", render(screen, &columns, &rows)))?;
    output::note(format_args!(
        "{} of the {} entries refused in the poll of {}; `rasid feeds replay {}` reads the document again",
        rows.len(),
        poll.outcome.rejected,
        output::time(poll.at, output::now()),
        history.feed.id
    ));
    Ok(())
}

fn words(error: &PollError) -> String {
    format!("{}: {}; {}", error.kind, one_line(&error.message), one_line(&error.hint))
}
