//! `rasid status`: how much is stored, and how the feeds are doing.

use std::fmt::Write as _;

use clap::Args as ClapArgs;

use super::Here;
use super::output::{self, Screen, count};
use super::topics::reclassify::told;
use crate::serve::Overview;
use crate::units::ByteSize;

/// In which form.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(here: &Here, args: &Args) -> anyhow::Result<()> {
    let overview: Overview = here.api().await?.get("/api/v1/stats", &[]).await?;
    if args.json {
        return output::print_json(&overview);
    }
    let text = describe(Screen::stdout(), &overview, here)?;
    output::print(&text)?;
    if !overview.running {
        output::note("no daemon runs; `rasid run` starts one");
    } else if overview.feeds.failing > 0 {
        output::note("`rasid feeds list` shows the failing feeds, `rasid feeds why ID` what is wrong with one");
    }
    Ok(())
}

fn describe(screen: Screen, overview: &Overview, here: &Here) -> Result<String, std::fmt::Error> {
    let now = output::now();
    let mut out = String::new();
    let since = overview.started_at.map(|at| format!(" since {}", output::time(at, now)));
    let daemon =
        since.map_or("not running".to_owned(), |since| format!("running{since}, version {}", overview.version));
    writeln!(out, "{}  {daemon}", screen.strong("daemon "))?;
    let store = &overview.store;
    writeln!(
        out,
        "{}  {}, {}, {}; log at {}; {} on disk in {}",
        screen.strong("store  "),
        count(usize::try_from(store.items).unwrap_or(usize::MAX), "item"),
        count(usize::try_from(store.duplicates).unwrap_or(usize::MAX), "duplicate"),
        count(usize::try_from(store.revisions).unwrap_or(usize::MAX), "revision"),
        store.last_seq,
        rounded(store.bytes_on_disk),
        here.config.store.path.display(),
    )?;
    let feeds = &overview.feeds;
    let next = feeds.next.map(|next| format!("; next poll {}", output::time(next, now))).unwrap_or_default();
    writeln!(
        out,
        "{}  {} polled of {} configured; {} failing, {} not polled yet{next}",
        screen.strong("feeds  "),
        feeds.enabled,
        feeds.configured,
        feeds.failing,
        feeds.unpolled,
    )?;
    writeln!(out, "{}  {}", screen.strong("topics "), counted(overview.topics, store.by_topic.iter()))?;
    if let Some(progress) = overview.reclassifying.last.as_ref().filter(|progress| progress.ended.is_none()) {
        writeln!(out, "{}  being reclassified: {}", screen.strong("       "), told(progress))?;
    } else if overview.reclassifying.stale > 0 {
        let stale = count(usize::try_from(overview.reclassifying.stale).unwrap_or(usize::MAX), "item");
        writeln!(out, "{}  {stale} classified by other topics; `rasid topics reclassify`", screen.strong("       "))?;
    }
    writeln!(out, "{}  {}", screen.strong("corpora"), overview.corpora)?;
    Ok(out)
}

/// The most frequent first.
fn counted<'a, T: std::fmt::Display + 'a>(all: usize, counts: impl Iterator<Item = (&'a T, &'a u64)>) -> String {
    const SHOWN: usize = 8;
    let mut counts: Vec<_> = counts.collect();
    counts.sort_by(|a, b| b.1.cmp(a.1));
    let named: Vec<String> = counts.iter().take(SHOWN).map(|(name, n)| format!("{name} {n}")).collect();
    let more = if counts.len() > SHOWN { ", …" } else { "" };
    if named.is_empty() { all.to_string() } else { format!("{all}: {}{more}", named.join(", ")) }
}

/// In the largest unit of which there is at least one.
pub(super) fn rounded(bytes: u64) -> ByteSize {
    let shift = [30, 20, 10].into_iter().find(|shift| bytes >> shift > 0).unwrap_or(0);
    ByteSize(bytes >> shift << shift)
}
