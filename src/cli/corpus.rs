//! `rasid corpus`: the reference documents, and which of them a text is a copy of.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::input::Source;
use super::output::{self, Screen};
use super::table::{Column, Fit, render};
use super::{Here, WrongUsage};
use crate::serve::{CorpusFound, CorpusList, CorpusView, DocumentMatch, DocumentView};

/// What to do with the corpora.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    #[command(flatten)]
    Shown(Shown),
    /// Makes a corpus of a folder of texts: fingerprints only, no word can be read back
    Pack(Pack),
}

/// What is asked of the corpora of the configuration.
#[derive(Debug, Subcommand)]
pub(super) enum Shown {
    /// Lists the corpora
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Tells which documents a text is a copy of
    Match(Match),
}

/// The text to compare.
#[derive(Debug, Args)]
pub(super) struct Match {
    #[command(flatten)]
    source: Source,
    /// A headline for the text
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// From where to where.
#[derive(Debug, Args)]
pub(super) struct Pack {
    /// The folder of texts
    #[arg(value_name = "DIR")]
    pub(super) dir: PathBuf,
    /// The file that is written
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: PathBuf,
}

pub(super) async fn run(here: &Here, command: Shown) -> anyhow::Result<()> {
    match command {
        Shown::List { json } => list(here, json).await,
        Shown::Match(wanted) => find(here, &wanted).await,
    }
}

async fn list(here: &Here, json: bool) -> anyhow::Result<()> {
    let list: CorpusList = here.api().await?.get("/api/v1/corpus", &[]).await?;
    if json {
        return output::print_json(&list);
    }
    let document = |corpus: &CorpusView, document: &DocumentView| {
        vec![corpus.name.clone(), document.id.clone(), document.words.to_string()]
    };
    let rows: Vec<Vec<String>> = list
        .corpora
        .iter()
        .flat_map(|corpus| corpus.documents.iter().map(move |found| document(corpus, found)))
        .collect();
    if rows.is_empty() {
        output::note(
            "no corpus is loaded; `rasid corpus pack DIR -o FILE` makes one for the configuration's corpus folder",
        );
        return Ok(());
    }
    let columns = [Column("corpus", Fit::Whole), Column("document", Fit::Cut), Column("words", Fit::Whole)];
    Ok(output::print(&render(Screen::stdout(), &columns, &rows))?)
}

async fn find(here: &Here, wanted: &Match) -> anyhow::Result<()> {
    let Some(given) = wanted.source.read(&here.config).await? else {
        return Err(WrongUsage("give the text to compare: --text, --file or --url".to_owned()).into());
    };
    let title = wanted.title.clone().unwrap_or(given.title);
    let asked = json!({ "title": title, "text": given.text });
    let found: CorpusFound = here.api().await?.post("/api/v1/corpus/match", &asked).await?;
    if wanted.json {
        return output::print_json(&found);
    }
    if found.matches.is_empty() {
        output::note("no document has anything in common with it; `rasid corpus list` shows those that there are");
        return Ok(());
    }
    let columns = [
        Column("document", Fit::Cut),
        Column("kind", Fit::Whole),
        Column("alike", Fit::Whole),
        Column("of either", Fit::Whole),
        Column("shingles", Fit::Whole),
    ];
    let row = |found: &DocumentMatch| {
        vec![
            format!("{}/{}", found.corpus, found.document),
            format!("{:?}", found.kind).to_lowercase(),
            format!("{:.0} %", found.similarity * 100.0),
            format!("{:.0} %", found.jaccard * 100.0),
            found.shared.to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = found.matches.iter().map(row).collect();
    Ok(output::print(&render(Screen::stdout(), &columns, &rows))?)
}
