//! `rasid restore DIR`: the store from a backup.
//!
//! Promise: into an empty `[store] path` alone; what is there is never overwritten.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args as ClapArgs;

use super::backup::told;
use super::progress::Progress;
use super::{Here, output};
use crate::store;

/// From where.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// The folder of `rasid backup`
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// What came of it, as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(here: &Here, args: &Args) -> anyhow::Result<()> {
    let config = here.config.store.clone();
    if here.daemon().await?.is_some() {
        bail!("{}: a daemon holds this store; stop it, and move the store away first", config.path.display());
    }
    let (dir, path) = (args.dir.clone(), config.path.clone());
    let restoring = tokio::task::spawn_blocking(move || {
        let progress = Progress::new();
        let report = store::restore(&dir, &config, &mut |what, done, total| progress.part(what, done, total));
        progress.clear();
        report
    });
    let report = restoring.await.context("restoring failed")??;
    if args.json {
        return output::print_json(&report);
    }
    output::note(format_args!("{}: {}; `rasid run` goes on from there", path.display(), told(&report)));
    Ok(())
}
