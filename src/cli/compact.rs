//! `rasid compact`: what is outdated leaves the files.
//!
//! Promise: reading and writing go on meanwhile, and nothing that is stored is changed.

use clap::Args as ClapArgs;

use super::maintenance::{done, size};
use super::{Here, output};
use crate::store::CompactReport;

/// In which form.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// What came of it, as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(here: &Here, args: &Args) -> anyhow::Result<()> {
    let report: CompactReport = done(&here.api().await?, "compact", &serde_json::json!({})).await?;
    if args.json {
        return output::print_json(&report);
    }
    output::note(format_args!("{} on disk, {} before", size(report.after_bytes), size(report.before_bytes)));
    Ok(())
}
