//! `rasid topics test --since`: what the topics on disk would change of what is stored.
//!
//! Promise: nothing is stored; what is listed is bounded, what is counted is everything.

use std::collections::BTreeMap;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::stored;
use crate::cli::output::{self, Screen, count};
use crate::cli::table::{Column, Fit, render};
use crate::cli::{Here, WrongUsage};
use crate::id::{ItemId, Seq, TopicId};
use crate::item::Item;
use crate::topic::{Decision, TopicMatch, Topics};

/// Which stored items to compare.
#[derive(Debug, Args)]
pub(super) struct Since {
    /// Compares with what is stored: items published since a span back from now (7d, 36h), a date, or RFC 3339
    #[arg(long, value_name = "TIME", conflicts_with_all = ["text", "file", "url", "title", "item"])]
    since: Option<String>,
    /// Only items published before
    #[arg(long, value_name = "TIME", requires = "since")]
    until: Option<String>,
    /// Only this topic
    #[arg(long, value_name = "ID", requires = "since")]
    topic: Option<String>,
    /// How many items are listed at most; all are counted
    #[arg(long, value_name = "N", requires = "since", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

/// What changes, topic by topic.
#[derive(Debug, Serialize)]
struct Preview {
    /// How many items were looked at.
    items: u64,
    /// In the order of the configuration, then those that are only in the store. Without those where nothing is found
    /// before or after.
    topics: Vec<Changes>,
    /// How many changes are not listed.
    left_off: u64,
}

/// What changes for one topic.
#[derive(Debug, Serialize)]
struct Changes {
    id: TopicId,
    before: Tally,
    after: Tally,
    gained: u64,
    lost: u64,
    /// From maybe to match or back.
    moved: u64,
    /// The same decision with another score.
    rescored: u64,
    /// Gained ones first, then lost, moved and rescored ones; of each the newest first.
    items: Vec<Change>,
}

/// How many items a topic has.
#[derive(Debug, Default, Serialize)]
struct Tally {
    #[serde(rename = "match")]
    matches: u64,
    maybe: u64,
}

/// What changes for one item and topic.
#[derive(Clone, Debug, Serialize)]
struct Change {
    kind: Kind,
    id: ItemId,
    seq: Seq,
    published_at: Timestamp,
    title: String,
    before: Option<Judged>,
    after: Option<Judged>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Gained,
    Lost,
    Moved,
    Rescored,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Judged {
    decision: Decision,
    score: f32,
}

impl Judged {
    fn of(found: &TopicMatch) -> Self {
        Self { decision: found.decision, score: found.score }
    }

    fn same_score(self, other: Self) -> bool {
        // Scores are whole hundredths.
        (self.score - other.score).abs() < 0.005
    }
}

impl Since {
    /// Whether it is asked for.
    pub(super) fn is_given(&self) -> bool {
        self.since.is_some()
    }
}

pub(super) async fn run(here: &Here, args: &Since, json: bool) -> anyhow::Result<()> {
    if let Some(id) = &args.topic
        && !here.config.topics.ids().any(|known| known.as_str() == id)
    {
        let known: Vec<&str> = here.config.topics.ids().map(TopicId::as_str).collect();
        return Err(WrongUsage(format!("no topic `{id}` is configured; there are: {}", known.join(", "))).into());
    }
    let api = here.api().await?;
    let topics = stored::topics(here, &api).await?;
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let mut comparison = Comparison::of(&topics, args.topic.as_deref(), limit);
    stored::each(&api, args.since.as_deref(), args.until.as_deref(), |item| comparison.read(&item)).await?;
    let preview = comparison.finish();
    if json {
        return output::print_json(&preview);
    }
    if preview.items == 0 {
        output::note("no item is stored of that time; give an earlier --since, or see `rasid status`");
        return Ok(());
    }
    output::print(&describe(Screen::stdout(), &preview))?;
    let left =
        if preview.left_off > 0 { format!("; {} not listed, raise --limit", preview.left_off) } else { String::new() };
    output::note(format_args!(
        "{} compared{left}",
        count(usize::try_from(preview.items).unwrap_or(usize::MAX), "item")
    ));
    Ok(())
}

/// Counts what changes, item by item.
struct Comparison<'t> {
    topics: &'t Topics,
    only: Option<&'t str>,
    limit: usize,
    items: u64,
    changes: BTreeMap<TopicId, Draft>,
}

#[derive(Default)]
struct Draft {
    before: Tally,
    after: Tally,
    /// How many of each kind, and the first of them.
    kinds: BTreeMap<Kind, (u64, Vec<Change>)>,
}

impl<'t> Comparison<'t> {
    fn of(topics: &'t Topics, only: Option<&'t str>, limit: usize) -> Self {
        Self { topics, only, limit, items: 0, changes: BTreeMap::new() }
    }

    fn read(&mut self, item: &Item) {
        self.items += 1;
        let mut judged: BTreeMap<TopicId, (Option<Judged>, Option<Judged>)> = BTreeMap::new();
        for found in &item.topics {
            judged.entry(found.id.clone()).or_default().0 = Some(Judged::of(found));
        }
        for found in self.topics.classify(&stored::article(item)) {
            judged.entry(found.id.clone()).or_default().1 = Some(Judged::of(&found));
        }
        for (id, (before, after)) in judged {
            if self.only.is_some_and(|only| only != id.as_str()) {
                continue;
            }
            let draft = self.changes.entry(id).or_default();
            draft.before.count(before);
            draft.after.count(after);
            let kind = match (before, after) {
                (None, _) => Kind::Gained,
                (_, None) => Kind::Lost,
                (Some(before), Some(after)) if before.decision != after.decision => Kind::Moved,
                (Some(before), Some(after)) if !before.same_score(after) => Kind::Rescored,
                _ => continue,
            };
            let (total, first) = draft.kinds.entry(kind).or_default();
            *total += 1;
            if first.len() < self.limit {
                let content = &item.content;
                let title = if content.title.is_empty() { &content.text } else { &content.title };
                let (published_at, title) = (content.published_at, output::cut(title, 200));
                first.push(Change { kind, id: item.id, seq: item.seq, published_at, title, before, after });
            }
        }
    }

    fn finish(mut self) -> Preview {
        let mut room = self.limit;
        let mut left_off = 0;
        let mut order: Vec<TopicId> = self.topics.ids().cloned().collect();
        order.extend(self.changes.keys().filter(|id| self.topics.get(id).is_none()).cloned().collect::<Vec<_>>());
        let mut topics = Vec::new();
        for id in order {
            let Some(draft) = self.changes.remove(&id) else { continue };
            let total = |kind| draft.kinds.get(&kind).map_or(0, |(total, _)| *total);
            let (gained, lost, moved, rescored) =
                (total(Kind::Gained), total(Kind::Lost), total(Kind::Moved), total(Kind::Rescored));
            let items: Vec<Change> = draft.kinds.into_values().flat_map(|(_, first)| first).take(room).collect();
            room -= items.len();
            left_off += gained + lost + moved + rescored - items.len() as u64;
            topics.push(Changes { id, before: draft.before, after: draft.after, gained, lost, moved, rescored, items });
        }
        Preview { items: self.items, topics, left_off }
    }
}

impl Tally {
    fn count(&mut self, judged: Option<Judged>) {
        match judged.map(|judged| judged.decision) {
            Some(Decision::Match) => self.matches += 1,
            Some(Decision::Maybe) => self.maybe += 1,
            None => {}
        }
    }
}

fn describe(screen: Screen, preview: &Preview) -> String {
    let columns = [
        Column("topic", Fit::Whole),
        Column("before", Fit::Whole),
        Column("maybe", Fit::Whole),
        Column("after", Fit::Whole),
        Column("maybe", Fit::Whole),
        Column("gained", Fit::Whole),
        Column("lost", Fit::Whole),
        Column("moved", Fit::Whole),
        Column("rescored", Fit::Whole),
    ];
    let row = |topic: &Changes| {
        let numbers = [
            topic.before.matches,
            topic.before.maybe,
            topic.after.matches,
            topic.after.maybe,
            topic.gained,
            topic.lost,
            topic.moved,
            topic.rescored,
        ];
        std::iter::once(topic.id.to_string()).chain(numbers.map(|number| number.to_string())).collect::<Vec<_>>()
    };
    let mut out = render(screen, &columns, &preview.topics.iter().map(row).collect::<Vec<_>>());
    let columns = [
        Column("topic", Fit::Whole),
        Column("change", Fit::Whole),
        Column("№", Fit::Whole),
        Column("before", Fit::Whole),
        Column("after", Fit::Whole),
        Column("title", Fit::Cut),
    ];
    let judged = |judged: Option<Judged>| {
        judged.map_or_else(
            || "–".to_owned(),
            |judged| format!("{} {:.2}", format!("{:?}", judged.decision).to_lowercase(), judged.score),
        )
    };
    let row = |topic: &Changes, change: &Change| {
        vec![
            topic.id.to_string(),
            format!("{:?}", change.kind).to_lowercase(),
            change.seq.to_string(),
            judged(change.before),
            judged(change.after),
            change.title.clone(),
        ]
    };
    let rows: Vec<Vec<String>> =
        preview.topics.iter().flat_map(|topic| topic.items.iter().map(|change| row(topic, change))).collect();
    if !rows.is_empty() {
        out.push('\n');
        out.push_str(&render(screen, &columns, &rows));
    }
    out
}
