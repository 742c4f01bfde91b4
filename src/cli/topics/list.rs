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
    output::print(&render(Screen::stdout(), &columns, &rows))?;
    learning(&list.topics)
}

/// What those that learn have learned.
fn learning(topics: &[TopicView]) -> anyhow::Result<()> {
    let learning = topics.iter().filter_map(|topic| topic.like.as_ref().map(|like| (topic, like)));
    let rows: Vec<Vec<String>> = learning
        .map(|(topic, like)| match &like.model {
            None => {
                let mut row = vec![topic.id.to_string(), "nothing yet".to_owned()];
                row.resize(7, String::new());
                row
            }
            Some(model) => vec![
                topic.id.to_string(),
                format!("{:?}", model.way).to_lowercase(),
                model.examples.to_string(),
                model.against.to_string(),
                model.stream.to_string(),
                model.average_precision.map_or("–".to_owned(), |precision| format!("{precision:.3}")),
                output::time(model.at, output::now()),
            ],
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let columns = [
        Column("learned", Fit::Whole),
        Column("way", Fit::Whole),
        Column("yes", Fit::Whole),
        Column("no", Fit::Whole),
        Column("of the stream", Fit::Whole),
        Column("average precision", Fit::Whole),
        Column("when", Fit::Whole),
    ];
    Ok(output::print(&format!("\n{}", render(Screen::stdout(), &columns, &rows)))?)
}
