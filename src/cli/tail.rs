//! `rasid tail`: the log, one JSON record a line.
//!
//! Promise: every record after the given position that passes the filter, in order, once; with `-f` also across restarts of the daemon, and
//! without holding the store that a daemon may want. Ends quietly when its reader goes or at Ctrl-C.

use std::time::Duration;

use clap::Args as ClapArgs;

use super::Here;
use super::api::{Api, Gone};
use super::filter::Filter;
use super::output;
use crate::id::Seq;
use crate::serve::Reading;

/// How long one request waits for more.
const WAIT: &str = "30s";
/// How many records one request asks for.
const LIMIT: &str = "500";
/// How often a daemon that is not there is looked for.
const AGAIN: Duration = Duration::from_secs(1);

/// Which records, and whether to wait for more.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Only records after this position [default: from the first]
    #[arg(long, value_name = "SEQ", default_value_t = 0, hide_default_value = true)]
    after: u64,
    /// Goes on with what is stored from now on
    #[arg(short, long)]
    follow: bool,
    #[command(flatten)]
    filter: Filter,
}

pub(super) async fn run(here: &Here, args: &Args) -> anyhow::Result<()> {
    tokio::select! {
        ended = read(here, args) => ended,
        interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
    }
}

async fn read(here: &Here, args: &Args) -> anyhow::Result<()> {
    let mut after = Seq(args.after);
    let mut printed = false;
    let mut api = here.api().await?;
    loop {
        let at = after.to_string();
        let mut query = vec![("after", at.as_str()), ("limit", LIMIT)];
        query.extend(args.filter.query());
        if args.follow && api.is_daemon() {
            query.push(("wait", WAIT));
        }
        let reading: Reading = match api.get("/api/v1/log", &query).await {
            Ok(reading) => reading,
            Err(error) if args.follow && error.is::<Gone>() => {
                api = wait_for_daemon(here, "the daemon has gone").await?;
                continue;
            }
            Err(error) => return Err(error),
        };
        if let Some(missed) = &reading.missed {
            output::note(&missed.detail);
        }
        for record in &reading.records {
            output::print_json(record)?;
            printed = true;
        }
        let at_end = reading.records.is_empty() && reading.last == after;
        after = reading.last;
        if at_end && !args.follow {
            break;
        }
        if at_end && !api.is_daemon() {
            // Only a daemon stores more, and it needs the store that this router holds.
            drop(api);
            api = wait_for_daemon(here, "no daemon runs").await?;
        }
    }
    if !printed {
        output::note(format_args!("no record after {}; `rasid tail -f` waits for more", args.after));
    }
    Ok(())
}

pub(super) async fn wait_for_daemon(here: &Here, why: &str) -> anyhow::Result<Api> {
    output::note(format_args!("{why}; waiting for one (`rasid run`)"));
    loop {
        if let Some(api) = here.daemon().await? {
            return Ok(api);
        }
        tokio::time::sleep(AGAIN).await;
    }
}
