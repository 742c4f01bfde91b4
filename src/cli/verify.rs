//! `rasid verify [--repair]`: whether all that is stored is whole, and a store of what can be read where it is not.
//!
//! Promise: 0 where nothing is wrong, 1 where something is, with every problem in words on standard output. A repair never
//! overwrites what was there, and says what is lost.

use std::fmt::Write as _;

use anyhow::{Context, bail};
use clap::Args as ClapArgs;

use super::Here;
use super::maintenance::done;
use super::output::{self, count};
use super::progress::Progress;
use crate::serve::Verified;
use crate::store::{self, RepairReport, StoreError};

/// Whether to mend it.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Makes a store of all that can be read, where something is wrong; needs the daemon to be stopped
    #[arg(long)]
    repair: bool,
    /// What was found, as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(here: &Here, args: &Args) -> anyhow::Result<()> {
    if args.repair && here.daemon().await?.is_some() {
        bail!("a daemon holds the store; stop it, then run `rasid verify --repair`");
    }
    let found = look(here).await;
    match found {
        Ok(verified) if verified.problems.is_empty() => {
            if args.json {
                return output::print_json(&verified);
            }
            output::note("every record is whole, and all agree");
            Ok(())
        }
        Ok(verified) if !args.repair => {
            if args.json {
                output::print_json(&verified)?;
            } else {
                output::print(&listed(&verified.problems)?)?;
            }
            let n = count(verified.problems.len(), "problem");
            bail!("{n} in {}; stop the daemon and run `rasid verify --repair`", here.config.store.path.display())
        }
        Ok(verified) => {
            output::note(listed(&verified.problems)?.trim_end());
            repair(here, args).await
        }
        Err(error) if args.repair && is_damage(&error) => {
            output::note(format_args!("{error:#}"));
            repair(here, args).await
        }
        Err(error) => Err(error),
    }
}

/// The store is closed again when this is over.
async fn look(here: &Here) -> anyhow::Result<Verified> {
    let api = here.api().await?;
    done(&api, "verify", &serde_json::json!({})).await
}

fn is_damage(error: &anyhow::Error) -> bool {
    // What was found by a router in this process comes as words; what kept it from opening, as what it is.
    !matches!(
        error.downcast_ref::<StoreError>(),
        Some(StoreError::Locked { .. } | StoreError::NewerSchema { .. } | StoreError::Io { .. })
    )
}

async fn repair(here: &Here, args: &Args) -> anyhow::Result<()> {
    let config = here.config.store.clone();
    let repairing = tokio::task::spawn_blocking(move || {
        let progress = Progress::new();
        let report = store::repair(&config, &mut |what, done, total| progress.part(what, done, total));
        progress.clear();
        report
    });
    let report = repairing.await.context("the repair failed")??;
    let RepairReport { items, records, lost, set_aside } = &report;
    if args.json {
        let report = serde_json::json!({ "items": items, "records": records, "lost": lost, "set_aside": set_aside });
        return output::print_json(&report);
    }
    output::print(&listed(lost)?)?;
    let items = count(usize::try_from(*items).unwrap_or(usize::MAX), "item");
    output::note(format_args!("the store has {items} again, from {records} records"));
    if let Some(aside) = set_aside {
        output::note(format_args!("the old files are in {}; remove them once nothing is missed", aside.display()));
    }
    Ok(())
}

fn listed(problems: &[String]) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    problems.iter().try_for_each(|problem| writeln!(text, "{problem}"))?;
    Ok(text)
}
