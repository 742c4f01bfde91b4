//! `rasid topics`: the topics, and what they say of a text and why.

use clap::{Args, Subcommand};
use serde_json::json;

use super::input::{Given, Source};
use super::output::{self, Screen};
use super::table::{Column, Fit, render};
use super::{Here, WrongUsage, show};
use crate::serve::{TopicList, TopicView, TopicsFound};

/// What to do with the topics.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Lists the topics
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Tells which topics a text is about, and which places say so
    Test(Test),
}

/// The text to classify.
#[derive(Debug, Args)]
#[group(id = "tried")]
pub(super) struct Test {
    #[command(flatten)]
    source: Source,
    /// A stored item: its id or number
    #[arg(long, value_name = "ID", conflicts_with_all = ["text", "file", "url", "title"])]
    item: Option<String>,
    /// A headline for the text
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(here: &Here, command: Command) -> anyhow::Result<()> {
    match command {
        Command::List { json } => list(here, json).await,
        Command::Test(test) => try_text(here, &test).await,
    }
}

async fn list(here: &Here, json: bool) -> anyhow::Result<()> {
    let list: TopicList = here.api().await?.get("/api/v1/topics", &[]).await?;
    if json {
        return output::print_json(&list);
    }
    if list.topics.is_empty() {
        output::note("no topic is configured; topics.toml in the configuration's folder defines them");
        return Ok(());
    }
    let columns = [
        Column("id", Fit::Whole),
        Column("from", Fit::Whole),
        Column("maybe from", Fit::Whole),
        Column("name", Fit::Cut),
        Column("", Fit::Cut),
        Column("description", Fit::Cut),
    ];
    let row = |topic: &TopicView| {
        vec![
            topic.id.to_string(),
            topic.threshold.to_string(),
            topic.maybe.to_string(),
            topic.label.ar.clone(),
            topic.label.en.clone(),
            topic.description.clone().unwrap_or_default(),
        ]
    };
    let rows: Vec<Vec<String>> = list.topics.iter().map(row).collect();
    Ok(output::print(&render(Screen::stdout(), &columns, &rows))?)
}

async fn try_text(here: &Here, test: &Test) -> anyhow::Result<()> {
    let api = here.api().await?;
    let (fields, asked) = match &test.item {
        Some(id) => {
            let content = show::fetch(&api, id).await?.content;
            ([content.title, content.summary, content.text], json!({ "item": id }))
        }
        None => {
            let given = match test.source.read(&here.config).await? {
                Some(given) => given,
                None if test.title.is_some() => Given::default(),
                None => {
                    return Err(WrongUsage("give what to test: --text, --file, --url or --item".to_owned()).into());
                }
            };
            let title = test.title.clone().unwrap_or(given.title);
            let asked = json!({ "title": title, "text": given.text, "url": given.url });
            ([title, String::new(), given.text], asked)
        }
    };
    let found: TopicsFound = api.post("/api/v1/topics/test", &asked).await?;
    if test.json {
        return output::print_json(&found);
    }
    if found.topics.is_empty() {
        output::note("it is about no topic; `rasid topics list` shows those that there are");
        return Ok(());
    }
    let text = show::topics(Screen::stdout(), &found.topics, &[&fields[0], &fields[1], &fields[2]]);
    Ok(output::print(text.trim_start())?)
}
