//! `rasid corpus`: the reference documents, and which of them a text is a copy of.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;

use super::input::Source;
use super::output::{self, Screen};
use super::passages::{self, Most};
use super::table::{Column, Fit, render};
use super::{Here, WrongUsage};
use crate::config::Config;
use crate::dedup::corpus::CorpusText;
use crate::serve::{CorpusFound, CorpusList, CorpusView, DocumentMatch, DocumentView};

/// Documents whose passages are shown: the most alike.
const EXPLAINED: usize = 3;

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
    /// How many of the shared passages are shown for a document, or `all`
    #[arg(long, value_name = "N", default_value = "3")]
    passages: Most,
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
    let texts = wanted.texts(&here.config).await?;
    let (api, many) = (here.api().await?, texts.len() > 1);
    for (nth, text) in texts.into_iter().enumerate() {
        let found: CorpusFound =
            api.post("/api/v1/corpus/match", &json!({ "title": text.title, "text": text.text })).await?;
        if wanted.json {
            match many {
                true => output::print_json(&Named { id: &text.id, found: &found })?,
                false => output::print_json(&found)?,
            }
            continue;
        }
        if many {
            let between = if nth > 0 { "\n" } else { "" };
            output::print(&format!("{between}{}\n", Screen::stdout().strong(&output::one_line(&text.id))))?;
        }
        if found.matches.is_empty() {
            output::note("no document has anything in common with it; `rasid corpus list` shows those that there are");
        } else {
            output::print(&describe(Screen::stdout(), &found, wanted.passages))?;
        }
    }
    Ok(())
}

/// What one text of several is a copy of.
#[derive(Serialize)]
struct Named<'a> {
    id: &'a str,
    #[serde(flatten)]
    found: &'a CorpusFound,
}

impl Match {
    /// The texts to compare: every document of a `.jsonl` file, else one.
    async fn texts(&self, config: &Config) -> anyhow::Result<Vec<CorpusText>> {
        let mut texts = match self.source.lines()? {
            Some(texts) => texts,
            None => {
                let Some(given) = self.source.read(config).await? else {
                    return Err(WrongUsage("give the text to compare: --text, --file or --url".to_owned()).into());
                };
                vec![CorpusText { id: String::new(), title: given.title, text: given.text }]
            }
        };
        if let (Some(title), [text]) = (&self.title, texts.as_mut_slice()) {
            text.title.clone_from(title);
        }
        Ok(texts)
    }
}

fn describe(screen: Screen, found: &CorpusFound, most: Most) -> String {
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
    let mut out = render(screen, &columns, &found.matches.iter().map(row).collect::<Vec<_>>());
    for found in found.matches.iter().take(EXPLAINED) {
        let name = format!("{}/{}", found.corpus, found.document);
        let _ = writeln!(out, "\n{}", screen.strong(&screen.words(&output::one_line(&name))));
        let mut line = |name: &str, value: Option<String>| {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                let _ = writeln!(out, "{name:<11} {value}");
            }
        };
        line("why", found.why.clone());
        line("figures", found.reason.as_ref().map(passages::figures));
        line("shared", found.comparison.as_ref().map(passages::coverage));
        if let Some(comparison) = &found.comparison {
            out.push_str(&passages::describe(screen, comparison, ["here", "there"], most));
            out.push_str(&passages::note(crate::serve::NO_TEXT));
        }
    }
    out
}
