//! `rasid topics test`: what the topics say of a text, and which places say so.

use clap::Args;
use serde_json::json;

use super::since::{self, Since};
use crate::cli::input::{Given, Source};
use crate::cli::output::{self, Screen};
use crate::cli::{Here, WrongUsage, show};
use crate::serve::TopicsFound;

/// The text to classify.
#[derive(Debug, Args)]
#[group(id = "tried")]
pub(in crate::cli) struct Test {
    #[command(flatten)]
    source: Source,
    /// A stored item: its id or number
    #[arg(long, value_name = "ID", conflicts_with_all = ["text", "file", "url", "title"])]
    item: Option<String>,
    /// A headline for the text
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    #[command(flatten)]
    since: Since,
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(here: &Here, test: &Test) -> anyhow::Result<()> {
    if test.since.is_given() {
        return since::run(here, &test.since, test.json).await;
    }
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
                    return Err(
                        WrongUsage("give what to test: --text, --file, --url, --item or --since".to_owned()).into()
                    );
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
