//! `rasid topics learn`: says of stored items whether they belong to a topic, and shows what it learns from that.
//!
//! Out: how the topic does on what it has not learned from, before and after, and the stored items about which it changed
//! its mind. Without an item, what was said so far.

use std::fmt::Write as _;

use clap::Args;
use serde_json::json;

use crate::cli::output::{self, Screen, count, one_line};
use crate::cli::table::{Column, Fit, render};
use crate::cli::{Here, WrongUsage};
use crate::serve::{Changed, Judged, Judgements, Learning, ModelView};
use crate::topic::Decision;
use crate::topic::like::Way;

/// What is said of which items.
#[derive(Debug, Args)]
pub(in crate::cli) struct Learn {
    /// The topic
    #[arg(value_name = "ID")]
    topic: String,
    /// Items that belong to it: ids, or numbers (№) in a listing
    #[arg(long, value_name = "ITEM", num_args = 1..)]
    yes: Vec<String>,
    /// Items that do not
    #[arg(long, value_name = "ITEM", num_args = 1..)]
    no: Vec<String>,
    /// Items of which nothing is to be said any more
    #[arg(long, value_name = "ITEM", num_args = 1..)]
    forget: Vec<String>,
    /// Learns again, although nothing new is said
    #[arg(long, conflicts_with_all = ["yes", "no", "forget"])]
    again: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(here: &Here, learn: &Learn) -> anyhow::Result<()> {
    // A topic's id needs no escaping; anything else is none.
    if learn.topic.parse::<crate::id::TopicId>().is_err() {
        return Err(WrongUsage(format!("`{}` is no topic's id; `rasid topics list` shows them", learn.topic)).into());
    }
    let path = format!("/api/v1/topics/{}/judgements", learn.topic);
    if learn.yes.is_empty() && learn.no.is_empty() && learn.forget.is_empty() && !learn.again {
        let said: Judgements = here.api().await?.get(&path, &[]).await?;
        return if learn.json { output::print_json(&said) } else { show(&said) };
    }
    let api = here.poller().await?;
    let asked = json!({ "yes": learn.yes, "no": learn.no, "forget": learn.forget });
    let learning: Learning = api.post(&path, &asked).await?;
    if learn.json {
        return output::print_json(&learning);
    }
    output::print(&describe(Screen::stdout(), &learning)?)?;
    if learning.gained + learning.lost > 0 || !learning.changed.is_empty() {
        output::note("stored items keep their topics until `rasid topics reclassify`");
    }
    Ok(())
}

fn show(said: &Judgements) -> anyhow::Result<()> {
    let screen = Screen::stdout();
    if let Some(model) = &said.like.model {
        output::print(&format!("{}\n", figures(model)))?;
    }
    if said.judgements.is_empty() {
        output::note(format_args!("nothing was said of any item yet; rasid topics learn {} --yes ITEM", said.topic));
        return Ok(());
    }
    let columns = [
        Column("item", Fit::Whole),
        Column("belongs", Fit::Whole),
        Column("said", Fit::Whole),
        Column("title", Fit::Cut),
    ];
    let rows = said.judgements.iter().map(|judgement| {
        vec![
            judgement.item.to_string(),
            if judgement.yes { "yes" } else { "no" }.to_owned(),
            output::time(judgement.at, output::now()),
            output::cut(&one_line(&judgement.title), 400),
        ]
    });
    Ok(output::print(&render(screen, &columns, &rows.collect::<Vec<_>>()))?)
}

/// `rocchio from 5 examples (4 found by the others), …`
fn figures(model: &ModelView) -> String {
    let way = match model.way {
        Way::Rocchio => "rocchio",
        Way::Logistic => "logistic",
    };
    let precision = match model.average_precision {
        Some(precision) => format!("average precision {precision:.3}"),
        None => "nothing that could be held out and measured".to_owned(),
    };
    format!(
        "{way} from {} ({} found by the others), {} ({} left out), {} of the stream ({} found); {precision}",
        count(model.examples as usize, "example"),
        model.examples_found,
        count(model.against as usize, "counter-example"),
        model.against_left,
        count(model.stream as usize, "article"),
        model.stream_found,
    )
}

fn describe(screen: Screen, learning: &Learning) -> anyhow::Result<String> {
    let mut out = String::new();
    let told = |model: &Option<ModelView>| model.as_ref().map_or("nothing was learned".to_owned(), figures);
    writeln!(out, "{}  {}", screen.strong("before"), told(&learning.before))?;
    writeln!(out, "{}  {}", screen.strong("now   "), told(&learning.after))?;
    writeln!(
        out,
        "{}  of the newest {}: {} gained, {} lost, {} surer or less sure",
        screen.strong("stored"),
        count(learning.looked_at, "item"),
        learning.gained,
        learning.lost,
        learning.changed.iter().filter(|changed| changed.before.is_some() && changed.after.is_some()).count(),
    )?;
    if !learning.changed.is_empty() {
        let columns =
            [Column("№", Fit::Whole), Column("was", Fit::Whole), Column("is", Fit::Whole), Column("title", Fit::Cut)];
        let rows: Vec<Vec<String>> = learning.changed.iter().map(row).collect();
        out.push_str(&render(screen, &columns, &rows));
    }
    Ok(out)
}

fn row(changed: &Changed) -> Vec<String> {
    let judged = |judged: &Option<Judged>| match judged {
        None => "–".to_owned(),
        Some(Judged { decision: Decision::Match, score }) => format!("match {score:.2}"),
        Some(Judged { decision: Decision::Maybe, score }) => format!("maybe {score:.2}"),
    };
    let title = output::cut(&one_line(&changed.title), 400);
    vec![changed.seq.to_string(), judged(&changed.before), judged(&changed.after), title]
}
