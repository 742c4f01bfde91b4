//! `rasid dedup`: corrects wrong verdicts, and lists what was corrected.
//!
//! Out: the item as it stands after it, for people in one line, with `--json` as the interface answers.

use std::fmt::Write as _;

use clap::Subcommand;
use serde_json::json;

use super::output::{self, Screen, count, one_line};
use super::table::{Column, Fit, render};
use super::{Here, items};
use crate::item::{Correction, Item, Judged};
use crate::serve::{CorrectedView, Corrections};

/// What to do with a verdict.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Says that an item is no copy: it becomes an item of its own
    Split {
        /// A copy, or an item whose place a fuller text took: its id, or its number (№) in a listing
        #[arg(value_name = "ITEM")]
        item: String,
        /// Why, for whoever reads it later
        #[arg(long, value_name = "TEXT")]
        why: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Says that an item is a copy of another, or of a document of a corpus
    Join {
        /// The copy: its id, or its number (№) in a listing
        #[arg(value_name = "ITEM")]
        item: String,
        /// The original: an item, or corpus:NAME/DOCUMENT
        #[arg(value_name = "OF")]
        of: String,
        /// Why, for whoever reads it later
        #[arg(long, value_name = "TEXT")]
        why: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Takes back what was said of an item: it is again what the program had said
    Forget {
        /// Its id, or its number (№) in a listing
        #[arg(value_name = "ITEM")]
        item: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Lists what was said of which items
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(here: &Here, command: Command) -> anyhow::Result<()> {
    let (what, asked, json) = match command {
        Command::List { json } => return list(here, json).await,
        Command::Split { item, why, json } => ("split", json!({ "item": item, "why": why }), json),
        Command::Join { item, of, why, json } => ("join", json!({ "item": item, "of": of, "why": why }), json),
        Command::Forget { item, json } => ("forget", json!({ "item": item }), json),
    };
    let api = here.poller().await?;
    let done: CorrectedView = api.post(&format!("/api/v1/dedup/{what}"), &asked).await?;
    if json {
        return output::print_json(&done);
    }
    Ok(output::print(&describe(Screen::stdout(), &done))?)
}

async fn list(here: &Here, json: bool) -> anyhow::Result<()> {
    let said: Corrections = here.api().await?.get("/api/v1/dedup", &[]).await?;
    if json {
        return output::print_json(&said);
    }
    if said.corrections.is_empty() {
        output::note("no verdict was corrected; rasid dedup split ITEM, or join ITEM OF");
        return Ok(());
    }
    let columns = [
        Column("item", Fit::Whole),
        Column("said", Fit::Whole),
        Column("of", Fit::Whole),
        Column("at", Fit::Whole),
        Column("title", Fit::Cut),
        Column("why", Fit::Cut),
    ];
    let rows = said.corrections.iter().map(|said| {
        let removed = if said.stored { "" } else { " (removed)" };
        vec![
            said.item.to_string(),
            word(said.judged.kind).to_owned(),
            one_line(&said.judged.of.to_string()),
            output::time(said.judged.at, output::now()),
            format!("{}{removed}", output::cut(&one_line(&said.title), 400)),
            said.judged.why.as_deref().map(one_line).unwrap_or_default(),
        ]
    });
    Ok(output::print(&render(Screen::stdout(), &columns, &rows.collect::<Vec<_>>()))?)
}

const fn word(kind: Correction) -> &'static str {
    match kind {
        Correction::Split => "split",
        Correction::Joined => "joined",
    }
}

fn describe(screen: Screen, done: &CorrectedView) -> String {
    let mut out = String::new();
    match &done.item {
        None => out.push_str("it is forgotten; the item was removed before"),
        Some(item) => {
            let title = screen.words(&output::cut(&one_line(&item.content.title), 80));
            let _ = write!(out, "№ {} of {}: {title}\n{}", item.seq, item.feed, items::kind(item));
            if let Some(of) = &item.verdict.of {
                let _ =
                    write!(out, " of {}, {:.0} % alike", one_line(&of.to_string()), item.verdict.similarity * 100.0);
            }
            let standing = standing(item);
            if !standing.is_empty() {
                let _ = write!(out, "; {standing}");
            }
        }
    }
    if !done.moved.is_empty() {
        let copies = count(done.moved.len(), "copy").replace("copys", "copies");
        let _ = write!(out, "\n{copies} listed elsewhere now");
    }
    out.push('\n');
    out
}

/// What is to be told of an item besides its verdict: that a fuller text took its place, that a person said what it is.
pub(super) fn standing(item: &Item) -> String {
    let superseded = item.superseded_by.map(|by| format!("superseded by item:{by}"));
    let judged = item.judged.as_ref().map(|Judged { kind, of, at, why }| {
        let between = match kind {
            Correction::Split => "from",
            Correction::Joined => "to",
        };
        let why = why.as_ref().map(|why| format!(": {}", one_line(why))).unwrap_or_default();
        let at = output::time(*at, output::now());
        format!("{} {between} {} by a person, {at}{why}", word(*kind), one_line(&of.to_string()))
    });
    superseded.into_iter().chain(judged).collect::<Vec<_>>().join("; ")
}
