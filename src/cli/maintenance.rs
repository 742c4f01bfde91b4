//! Asking for a backup, a check or a compaction, and telling how far it is.
//!
//! In: a route of `/api/v1/maintenance`. Out: its report.
//! Promise: the same whether a daemon does it or this process; progress on a terminal alone.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::api::Api;
use super::progress::Progress;
use crate::serve::Working;
use crate::units::ByteSize;

/// Lets it be done, and waits for its end.
///
/// # Errors
/// Where it was refused, or failed.
pub(super) async fn done<T: DeserializeOwned + Send>(
    api: &Api,
    work: &str,
    body: &impl Serialize,
) -> anyhow::Result<T> {
    let progress = Progress::new();
    let mut last = None;
    let path = format!("/api/v1/maintenance/{work}");
    let told = api.post_lines(&path, body, |working: Working<T>| match working {
        Working::Progress { what, done, total } => progress.part(&what, done, total),
        other => last = Some(other),
    });
    let told = told.await;
    progress.clear();
    told?;
    match last {
        Some(Working::Done(report)) => Ok(report),
        Some(Working::Failed(why)) => anyhow::bail!("{why}"),
        _ => anyhow::bail!("the daemon ended before it was done; its log says why"),
    }
}

/// A size as people say it, to a tenth.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match UNITS.iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => ByteSize(bytes).to_string(),
    }
}
