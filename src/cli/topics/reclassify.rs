//! `rasid topics reclassify`: gives stored items the topics that are in force now.
//!
//! Promise: it happens in the daemon, in the background, whether this command waits for it or not, and goes on after a
//! restart; without a daemon it happens here.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use clap::Args;
use serde_json::json;

use crate::cli::Here;
use crate::cli::api::Gone;
use crate::cli::output;
use crate::serve::Reclassifying;
use crate::store::Reclassification;

/// How often the progress is asked for.
const EVERY: Duration = Duration::from_millis(200);

/// Which items, by which topics.
#[derive(Debug, Args)]
pub(in crate::cli) struct Reclassify {
    /// Only this topic; the others stay as they are on each item
    #[arg(long, value_name = "ID")]
    topic: Option<String>,
    /// Only items published since: a time, a date, or a span back from now (7d)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Waits until it is done (the default)
    #[arg(long, overrides_with = "no_wait")]
    wait: bool,
    /// Leaves it to the daemon
    #[arg(long, overrides_with = "wait")]
    no_wait: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(here: &Here, args: &Reclassify) -> anyhow::Result<()> {
    let api = here.poller().await?;
    let mut asked = serde_json::Map::new();
    asked.extend(args.topic.as_ref().map(|topic| ("topic".to_owned(), json!(topic))));
    asked.extend(args.since.as_ref().map(|since| ("since".to_owned(), json!(since))));
    let mut progress: Reclassification = api.post("/api/v1/topics/reclassify", &asked).await?;
    let leave = args.no_wait && api.is_daemon();
    if args.no_wait && !leave {
        output::note("no daemon runs, so it is done here");
    }
    let line = io::stderr().is_terminal();
    while progress.ended.is_none() && !leave {
        tokio::time::sleep(EVERY).await;
        let now: Reclassifying = match api.get("/api/v1/topics/reclassify", &[]).await {
            Ok(now) => now,
            Err(error) if error.is::<Gone>() => {
                return Err(error.context("it goes on when the daemon is started again"));
            }
            Err(error) => return Err(error),
        };
        progress = now.last.unwrap_or(progress);
        if line {
            // Nobody is left to tell that standard error is closed.
            let _ = write!(io::stderr(), "\r\x1b[K{}", told(&progress));
        }
    }
    if line && !leave {
        let _ = write!(io::stderr(), "\r\x1b[K");
    }
    if args.json {
        return output::print_json(&progress);
    }
    if leave {
        output::note("it goes on in the daemon; `rasid status` shows how far it is");
        return Ok(());
    }
    Ok(output::print(&format!("{}\n", told(&progress)))?)
}

/// `412 of 9,000 items looked at, 17 have other topics now`
pub(in crate::cli) fn told(progress: &Reclassification) -> String {
    let Reclassification { examined, total, changed, topic, .. } = progress;
    let only = topic.as_ref().map(|topic| format!(" for {topic}")).unwrap_or_default();
    format!("{examined} of {} items looked at{only}, {changed} have other topics now", total.max(examined))
}
