//! `rasid pin` keeps items whatever their age; `rasid prune` removes now what has expired.
//!
//! Out: the items pinned, or what was removed, for people in lines, with `--json` as the interface answers.
//! Promise: through the daemon where one runs, else here; a dry run changes nothing.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};

use clap::Args;
use serde_json::json;

use super::output::{self, Screen, count, one_line};
use super::table::{Column, Fit, render};
use super::{Here, show};
use crate::item::Item;
use crate::serve::{Pins, Pruned};

/// What is kept.
#[derive(Debug, Args)]
pub(super) struct Pin {
    /// Items: their ids, or their numbers (№) in a listing; without any, what is pinned is listed
    #[arg(value_name = "ITEM")]
    items: Vec<String>,
    /// Lets them go again
    #[arg(long, requires = "items", conflicts_with = "why")]
    remove: bool,
    /// Why, for whoever reads it later
    #[arg(long, value_name = "TEXT", requires = "items")]
    why: Option<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// What is not kept any more.
#[derive(Debug, Args)]
pub(super) struct Prune {
    /// Also what was stored before: a time, a date, or a span back from now (30d). An age that the configuration gives to
    /// an item's feed or topic still holds
    #[arg(long, value_name = "TIME")]
    before: Option<String>,
    /// Only tells what would be removed
    #[arg(long)]
    dry_run: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn pin(here: &Here, args: &Pin) -> anyhow::Result<()> {
    if args.items.is_empty() {
        return list(here, args.json).await;
    }
    let api = here.poller().await?;
    // All are looked up before the first is changed: a slip of the pen changes nothing.
    let mut found: Vec<Item> = Vec::new();
    for item in &args.items {
        found.push(show::fetch(&api, item).await?);
    }
    let mut done: Vec<Item> = Vec::new();
    for Item { id, .. } in found {
        let path = format!("/api/v1/items/{id}/pin");
        done.push(match args.remove {
            true => api.delete(&path).await?,
            false => api.post(&path, &json!({ "why": args.why })).await?,
        });
    }
    if args.json {
        return output::print_json(&done);
    }
    let screen = Screen::stdout();
    let mut out = String::new();
    for item in &done {
        let word = if item.pinned { "pinned" } else { "not pinned" };
        let title = screen.words(&output::cut(&one_line(&item.content.title), 80));
        let _ = writeln!(out, "{word}: № {} of {}: {title}", item.seq, item.feed);
    }
    Ok(output::print(&out)?)
}

async fn list(here: &Here, json: bool) -> anyhow::Result<()> {
    let pinned: Pins = here.api().await?.get("/api/v1/pins", &[]).await?;
    if json {
        return output::print_json(&pinned);
    }
    if pinned.pins.is_empty() {
        output::note("nothing is pinned; rasid pin ITEM keeps an item whatever its age");
        return Ok(());
    }
    let columns = [
        Column("item", Fit::Whole),
        Column("feed", Fit::Whole),
        Column("at", Fit::Whole),
        Column("title", Fit::Cut),
        Column("why", Fit::Cut),
    ];
    let rows = pinned.pins.iter().map(|pin| {
        vec![
            pin.item.to_string(),
            pin.feed.to_string(),
            output::time(pin.at, output::now()),
            output::cut(&one_line(&pin.title), 400),
            pin.why.as_deref().map(one_line).unwrap_or_default(),
        ]
    });
    Ok(output::print(&render(Screen::stdout(), &columns, &rows.collect::<Vec<_>>()))?)
}

pub(super) async fn prune(here: &Here, args: &Prune) -> anyhow::Result<()> {
    let asked = json!({ "before": args.before, "dry_run": args.dry_run });
    // What changes nothing needs no loops.
    let api = if args.dry_run { here.api().await? } else { here.poller().await? };
    let pruned: Pruned = api.post("/api/v1/prune", &asked).await?;
    if args.json {
        return output::print_json(&pruned);
    }
    Ok(output::print(&describe(Screen::stdout(), &pruned))?)
}

fn describe(screen: Screen, pruned: &Pruned) -> String {
    let Pruned { removed, log_records, dry_run, named } = pruned;
    let items = |n: u64| count(usize::try_from(n).unwrap_or(usize::MAX), "item");
    let would = if *dry_run { "would be removed" } else { "removed" };
    let mut out = format!("{} {would}\n", items(removed.items));
    for (what, parts) in [("feeds", parts(&removed.by_feed)), ("topics", parts(&removed.by_topic))] {
        if !parts.is_empty() {
            let _ = writeln!(out, "{what:<7} {parts}");
        }
    }
    if *log_records > 0 {
        let records = count(usize::try_from(*log_records).unwrap_or(usize::MAX), "record");
        let _ = writeln!(out, "log     {records} taken from its beginning");
    }
    for item in named {
        let stored = output::time(item.stored_at, output::now());
        let title = screen.words(&output::cut(&one_line(&item.title), 60));
        let _ = writeln!(out, "{}  {}  {stored}  {title}", item.id, item.feed);
    }
    let further = removed.items.saturating_sub(u64::try_from(named.len()).unwrap_or(u64::MAX));
    if *dry_run && further > 0 {
        let _ = writeln!(out, "and {} more", items(further));
    }
    out
}

/// `bbc 10, rt 2`
fn parts<T: Display>(counts: &BTreeMap<T, u64>) -> String {
    counts.iter().map(|(name, n)| format!("{name} {n}")).collect::<Vec<_>>().join(", ")
}
