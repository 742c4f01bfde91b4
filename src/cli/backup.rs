//! `rasid backup DIR`: a copy of the store, while everything goes on.
//!
//! Promise: one position of the log; a second backup into the same folder copies what is new; a copy that was read again.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args as ClapArgs;

use super::Here;
use super::maintenance::{done, size};
use super::output::{self, count};
use crate::serve::BackingUp;
use crate::store::BackupReport;

/// Where to.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// An empty folder, or one with an earlier backup of this store
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// What came of it, as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(here: &Here, args: &Args) -> anyhow::Result<()> {
    // The daemon works in another folder.
    let path = std::path::absolute(&args.dir).with_context(|| args.dir.display().to_string())?;
    let report: BackupReport = done(&here.api().await?, "backup", &BackingUp { path }).await?;
    if args.json {
        return output::print_json(&report);
    }
    output::note(format_args!("{}; {}", told(&report), restoring(args)));
    Ok(())
}

fn restoring(args: &Args) -> String {
    format!("`rasid restore {}` makes a store of it", args.dir.display())
}

/// What was copied.
pub(super) fn told(report: &BackupReport) -> String {
    let BackupReport { seq, files, copied_files, copied_bytes, total_bytes, verified } = report;
    let files = count(usize::try_from(*files).unwrap_or(usize::MAX), "file");
    let read = if *verified { ", each read again" } else { "" };
    format!(
        "the log up to {seq} in {files} of {}; copied {copied_files} of {}{read}",
        size(*total_bytes),
        size(*copied_bytes)
    )
}
