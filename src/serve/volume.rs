//! `/api/v1/volume`: how many items there are by time, of each topic or each feed.
//!
//! In: `by` (`topic`, `feed` or `all`), `bucket` (`hour` or `day`), `since`, `until`. Out: for each name a count for each
//! hour or day, those in sight and copies apart, the largest name first.
//! Promise: hours and days are those of UTC, and whole: the first and the last hold all that was published in them. What
//! is too much to count at once is refused.

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Shared;
use super::params;
use super::problem::Problem;
use super::request::Params;
use crate::store::{Series, VolumeBy, VolumeQuery};

/// The most hours or days of one answer.
const MAX_BUCKETS: i64 = 1_000;
/// The hours and days where `since` is not given.
const DEFAULT_HOURS: i64 = 48;
const DEFAULT_DAYS: i64 = 30;

/// Items by time.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Volume {
    /// `topic`, `feed` or `all`.
    pub by: String,
    /// `hour` or `day`.
    pub bucket: String,
    /// When the first hour or day begins.
    pub since: Timestamp,
    /// When the last one ends.
    pub until: Timestamp,
    /// How many there are.
    pub buckets: usize,
    /// Those with any item, the one with most items first.
    pub series: Vec<VolumeSeries>,
}

/// The counts of one topic or feed; each list has one for each hour or day, the first one first.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct VolumeSeries {
    /// Of which; `null` where they are of everything.
    pub id: Option<String>,
    /// Items in sight.
    pub items: Vec<u64>,
    /// Copies.
    pub copies: Vec<u64>,
    /// All items in sight.
    pub total: u64,
    /// All copies.
    pub total_copies: u64,
}

impl From<Series> for VolumeSeries {
    fn from(series: Series) -> Self {
        let Series { name, items, copies } = series;
        let (total, total_copies) = (items.iter().sum(), copies.iter().sum());
        Self { id: (!name.is_empty()).then_some(name), items, copies, total, total_copies }
    }
}

pub(super) async fn show(State(shared): State<Shared>, uri: Uri) -> Result<Json<Volume>, Problem> {
    let params = Params::of(&uri, params::VOLUME)?;
    let by = params.value("by", "`topic`, `feed` or `all`", |value| match value {
        "topic" => Some(VolumeBy::Topic),
        "feed" => Some(VolumeBy::Feed),
        "all" => Some(VolumeBy::All),
        _ => None,
    })?;
    let hourly = params.value("bucket", "`hour` or `day`", |value| match value {
        "hour" => Some(true),
        "day" => Some(false),
        _ => None,
    })?;
    let (by, hourly) = (by.unwrap_or(VolumeBy::Topic), hourly.unwrap_or(false));
    let now = (shared.state.clock)();
    let (seconds, usual) = if hourly { (3_600, DEFAULT_HOURS) } else { (86_400, DEFAULT_DAYS) };
    let until = params.time("until", now)?.unwrap_or(now);
    let back = SignedDuration::from_secs(seconds * (usual - 1));
    let since = params.time("since", now)?.unwrap_or_else(|| until.checked_sub(back).unwrap_or(Timestamp::MIN));
    // Whole hours and days; one that `until` is the very end of is the last.
    let first = since.as_second().div_euclid(seconds);
    let last = until.as_millisecond().saturating_sub(1).div_euclid(seconds * 1_000);
    let count = last - first + 1;
    if !(1..=MAX_BUCKETS).contains(&count) {
        let bucket = if hourly { "hours" } else { "days" };
        let allowed = format!("before `until` by at most {MAX_BUCKETS} {bucket}");
        return Err(Problem::parameter("since", &since.to_string(), &allowed));
    }
    let edge =
        |n: i64| Timestamp::from_second(n * seconds).unwrap_or(if n < 0 { Timestamp::MIN } else { Timestamp::MAX });
    let query = VolumeQuery {
        by,
        since: edge(first),
        stretch: seconds.unsigned_abs() * 1_000,
        count: usize::try_from(count).unwrap_or_default(),
    };
    let series = shared.blocking(move |state| state.store.volume(&query)).await?;
    let mut series: Vec<VolumeSeries> = series.into_iter().map(VolumeSeries::from).collect();
    // A stable sort: what is equal stays in the order of the names.
    series.sort_by_key(|series| std::cmp::Reverse(series.total + series.total_copies));
    Ok(Json(Volume {
        by: match by {
            VolumeBy::Topic => "topic",
            VolumeBy::Feed => "feed",
            VolumeBy::All => "all",
        }
        .to_owned(),
        bucket: if hourly { "hour" } else { "day" }.to_owned(),
        since: query.since,
        until: edge(last + 1),
        buckets: query.count,
        series,
    }))
}
