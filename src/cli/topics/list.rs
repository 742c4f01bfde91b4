//! `rasid topics list`: the topics there are.

use crate::cli::Here;
use crate::cli::output::{self, Screen};
use crate::cli::table::{Column, Fit, render};
use crate::serve::{TopicList, TopicView};

pub(super) async fn run(here: &Here, json: bool) -> anyhow::Result<()> {
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
