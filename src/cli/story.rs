//! `rasid story`: what several items tell of one event; without an id, the stories of the last days.
//!
//! Out: for people a title, when and by whom it was told, a line of bars by hour, and the items with their copies folded;
//! with `--json` the same as the interface gives it.

use std::fmt::Write as _;

use clap::Args as ClapArgs;
use jiff::Timestamp;

use super::output::{self, Screen, count, one_line};
use super::table::{Column, Fit, render};
use super::{Here, api::Refused};
use crate::serve::{Hour, Source, StoryItem, StoryList, StorySummary, StoryView};

/// Which story, or how many.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Its id, or the id or number (№) of any item in it; without one, the largest stories of the last days
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// Only stories with an item published since: a span back from now (24h, 2d), a date, or RFC 3339
    #[arg(long, value_name = "TIME", conflicts_with = "id")]
    since: Option<String>,
    /// How many at most, up to 100
    #[arg(long, value_name = "N", default_value_t = 20, conflicts_with = "id", value_parser = clap::value_parser!(u8).range(1..=100))]
    limit: u8,
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(here: &Here, args: &Args) -> anyhow::Result<()> {
    let api = here.api().await?;
    let Some(id) = &args.id else {
        let limit = args.limit.to_string();
        let mut query = vec![("limit", limit.as_str())];
        query.extend(args.since.as_deref().map(|since| ("since", since)));
        let list: StoryList = api.get("/api/v1/stories", &query).await?;
        if args.json {
            return output::print_json(&list);
        }
        if list.stories.is_empty() {
            output::note("no story of several items; `rasid items` lists what is stored");
            return Ok(());
        }
        return Ok(output::print(&table(Screen::stdout(), &list.stories))?);
    };
    let segment: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
    let found = api.get::<StoryView>(&format!("/api/v1/stories/{segment}"), &[]).await;
    let story = found.map_err(|error| match error.downcast_ref::<Refused>() {
        Some(refused) if refused.status == 404 => anyhow::anyhow!("{refused}; `rasid story` lists what there is"),
        _ => error,
    })?;
    if args.json {
        return output::print_json(&story);
    }
    Ok(output::print(&describe(Screen::stdout(), &story, output::now())?)?)
}

fn table(screen: Screen, stories: &[StorySummary]) -> String {
    let columns = [
        Column("story", Fit::Whole),
        Column("first", Fit::Whole),
        Column("last", Fit::Whole),
        Column("items", Fit::Whole),
        Column("sources", Fit::Cut),
        Column("title", Fit::Cut),
    ];
    let now = output::now();
    let row = |story: &StorySummary| {
        vec![
            story.id.to_string(),
            output::time(story.first_seen, now),
            output::time(story.last_seen, now),
            story.size.to_string(),
            story.sources.iter().map(|source| source.feed.to_string()).collect::<Vec<_>>().join(" "),
            output::cut(&story.title, 400),
        ]
    };
    render(screen, &columns, &stories.iter().map(row).collect::<Vec<_>>())
}

fn describe(screen: Screen, story: &StoryView, now: Timestamp) -> Result<String, std::fmt::Error> {
    let StoryView { summary, hours, items } = story;
    let mut out = String::new();
    writeln!(out, "{}\n", screen.strong(&screen.words(&one_line(&summary.title))))?;
    writeln!(out, "{:<11} {}", "story", summary.id)?;
    let copies = count(summary.copies, "copy").replace("copys", "copies");
    writeln!(out, "{:<11} {}, of them {copies}", "items", summary.size)?;
    writeln!(out, "{:<11} {}", "first seen", output::time(summary.first_seen, now))?;
    writeln!(out, "{:<11} {}", "last seen", output::time(summary.last_seen, now))?;
    let source = |source: &Source| match source.items {
        1 => source.feed.to_string(),
        n => format!("{} ×{n}", source.feed),
    };
    writeln!(out, "{:<11} {}", "sources", summary.sources.iter().map(source).collect::<Vec<_>>().join(", "))?;
    let (bars, each) = bars(hours);
    let each = if each == 1 { "by hour".to_owned() } else { format!("by {each} hours") };
    writeln!(out, "{each:<11} {bars}\n")?;
    let columns = [
        Column("№", Fit::Whole),
        Column("published", Fit::Whole),
        Column("feed", Fit::Cut),
        Column("copies", Fit::Cut),
        Column("title", Fit::Cut),
    ];
    let row = |item: &StoryItem| {
        vec![
            item.seq.to_string(),
            output::time(item.published_at, now),
            item.feed.to_string(),
            item.copies.iter().map(|copy| copy.feed.to_string()).collect::<Vec<_>>().join(" "),
            output::cut(&item.title, 400),
        ]
    };
    out.push_str(&render(screen, &columns, &items.iter().map(row).collect::<Vec<_>>()));
    Ok(out)
}

/// Bars that a line has at most.
const WIDTH: i64 = 72;

/// A bar for each hour from the first to the last, or for several hours where there would be too many: how many those are.
fn bars(hours: &[Hour]) -> (String, i64) {
    const BARS: [char; 9] = ['·', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let number = |hour: &Hour| hour.hour.as_second().div_euclid(3_600);
    let (Some(first), Some(last)) = (hours.first().map(number), hours.last().map(number)) else {
        return (String::new(), 1);
    };
    let each = (last - first) / WIDTH + 1;
    let mut counts = vec![0; usize::try_from((last - first) / each + 1).unwrap_or(1)];
    for hour in hours {
        let place = usize::try_from((number(hour) - first) / each).unwrap_or_default();
        if let Some(count) = counts.get_mut(place) {
            *count += hour.items;
        }
    }
    let most = counts.iter().copied().max().unwrap_or_default().max(1);
    // One item is seen, and the most fills the line.
    (counts.iter().map(|count| BARS[(count * 8).div_ceil(most).min(8)]).collect(), each)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_show_every_hour_and_fit_a_line() {
        let hour = |(n, items): (i64, usize)| Hour { hour: Timestamp::from_second(n * 3_600).unwrap(), items };
        for (hours, expected, width) in [
            (vec![], String::new(), 1),
            (vec![(5, 2)], "█".to_owned(), 1),
            (vec![(5, 8), (7, 1), (8, 4)], "█·▁▄".to_owned(), 1),
            (vec![(0, 1), (1, 1), (143, 1)], format!("█{}▄", "·".repeat(70)), 2),
        ] {
            let hours: Vec<Hour> = hours.into_iter().map(hour).collect();
            assert_eq!(bars(&hours), (expected, width));
        }
    }
}
