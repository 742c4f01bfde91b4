//! `rasid feeds poll`: one poll now, and what came of it.

use super::super::Here;
use super::super::output::{self, one_line};
use super::why::told;
use crate::id::FeedId;
use crate::source::PollRecord;

pub(super) async fn run(here: &Here, id: &FeedId, json: bool) -> anyhow::Result<()> {
    let api = here.poller().await?;
    output::note(format_args!("polling `{id}` …"));
    let record: PollRecord = api.post(&format!("/api/v1/feeds/{id}/poll"), &()).await?;
    if json {
        return output::print_json(&record);
    }
    let outcome = &record.outcome;
    if let Some(error) = &outcome.error {
        anyhow::bail!("`{id}`: {}; {}", one_line(&error.message), one_line(&error.hint));
    }
    let text = format!(
        "{}: {} entries, {} new, {} revised, {} rejected in {} ms ({})\n",
        id,
        outcome.entries,
        outcome.new,
        outcome.revised,
        outcome.rejected,
        record.took_ms,
        one_line(&told(outcome)),
    );
    output::print(&text)?;
    output::note(format_args!(
        "next poll {}, because {}",
        output::time(record.next, output::now()),
        one_line(&record.rule)
    ));
    Ok(())
}
