//! What became of the samples, for people.
//!
//! In: the store and the feeds. Out: tables of sources, of items on the two topics of the seed corpus, and of copies.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::path::Path;

use crate::cli::output::Screen;
use crate::cli::table::{Column, Fit, render};
use crate::dedup::{Original, VerdictKind};
use crate::id::ItemId;
use crate::item::Item;
use crate::source::FeedConfig;
use crate::store::{ItemQuery, MAX_PAGE, Store};
use crate::topic::{Decision, TopicMatch};

/// The topics that the seed corpus is about.
const FOCUS: [&str; 2] = ["csto", "kazakhstan-unrest"];

/// The whole report.
pub(super) fn write(store: &Store, feeds: &[FeedConfig]) -> anyhow::Result<String> {
    let screen = Screen::stdout();
    let query = ItemQuery { duplicates: true, limit: MAX_PAGE, ..ItemQuery::default() };
    let items = store.items(&query)?.items;
    let mut text = String::new();
    section(&mut text, screen, "Sources", &sources(store, feeds, &items, screen)?);
    section(&mut text, screen, "About the CSTO and the unrest in Kazakhstan, and why", &focus(&items, screen));
    section(&mut text, screen, "Copies and links, and of what", &copies(&items, screen));
    section(&mut text, screen, "Everything else", &others(&items, screen));
    section(&mut text, screen, "Topics", &topics(&items, screen));
    let duplicates = items.iter().filter(|item| item.verdict.kind.is_duplicate()).count();
    writeln!(text, "{} entries: {} items, {duplicates} copies of them", items.len(), items.len() - duplicates)?;
    Ok(text)
}

fn section(text: &mut String, screen: Screen, heading: &str, table: &str) {
    let _infallible = writeln!(text, "{}\n\n{table}", screen.strong(heading));
}

fn sources(store: &Store, feeds: &[FeedConfig], items: &[Item], screen: Screen) -> anyhow::Result<String> {
    let mut rows = Vec::new();
    for feed in feeds {
        let polls = store.polls(&feed.id)?;
        let read = polls.iter().map(|poll| &poll.outcome).find(|outcome| outcome.format.is_some());
        let failed = polls.iter().find_map(|poll| poll.outcome.error.as_ref());
        let stored: Vec<&Item> = items.iter().filter(|item| item.feed == feed.id).collect();
        let copies = stored.iter().filter(|item| item.verdict.kind.is_duplicate()).count();
        let or_dash = |value: Option<&String>| value.cloned().unwrap_or_else(|| "–".to_owned());
        rows.push(vec![
            feed.id.to_string(),
            or_dash(read.and_then(|outcome| outcome.format.as_ref())),
            or_dash(read.and_then(|outcome| outcome.charset.as_ref())),
            stored.len().to_string(),
            copies.to_string(),
            failed.map_or_else(|| "ok".to_owned(), |error| format!("{}: {}", error.kind, error.hint)),
        ]);
    }
    let whole = |name| Column(name, Fit::Whole);
    let columns = [
        whole("feed"),
        whole("format"),
        whole("charset"),
        whole("entries"),
        whole("copies"),
        Column("state", Fit::Cut),
    ];
    Ok(render(screen, &columns, &rows))
}

fn in_focus(item: &Item) -> Vec<&TopicMatch> {
    item.topics.iter().filter(|topic| FOCUS.contains(&topic.id.as_str())).collect()
}

fn focus(items: &[Item], screen: Screen) -> String {
    let rows = items.iter().filter(|item| !item.verdict.kind.is_duplicate()).filter_map(|item| {
        let topics = in_focus(item);
        let strongest = topics.first()?;
        Some(vec![
            item.content.title.clone(),
            item.feed.to_string(),
            topics.iter().map(|topic| said(topic)).collect::<Vec<_>>().join(", "),
            evidence(strongest),
            item.copies.len().to_string(),
        ])
    });
    let columns = [
        Column("title", Fit::Cut),
        Column("feed", Fit::Whole),
        Column("topics", Fit::Whole),
        Column("because of", Fit::Cut),
        Column("copies", Fit::Whole),
    ];
    render(screen, &columns, &rows.collect::<Vec<_>>())
}

fn said(topic: &TopicMatch) -> String {
    let doubt = if topic.decision == Decision::Maybe { "?" } else { "" };
    format!("{}{doubt} {:.1}", topic.id, topic.score)
}

/// The words that speak most for a topic, each once.
fn evidence(topic: &TopicMatch) -> String {
    let mut places: Vec<_> = topic.evidence.iter().filter(|place| place.weight > 0.0).collect();
    places.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    let mut words: Vec<&str> = Vec::new();
    for place in places {
        if !words.contains(&place.text.as_str()) {
            words.push(&place.text);
        }
    }
    words.truncate(3);
    words.join(" · ")
}

fn copies(items: &[Item], screen: Screen) -> String {
    let by_id: HashMap<ItemId, &Item> = items.iter().map(|item| (item.id, item)).collect();
    let rows = items.iter().filter(|item| !matches!(item.verdict.kind, VerdictKind::New | VerdictKind::Revision)).map(
        |item| {
            let of = match &item.verdict.of {
                Some(Original::Item(id)) => by_id.get(id).map_or_else(
                    || format!("item:{id}"),
                    |original| format!("{}: {}", original.feed, original.content.title),
                ),
                Some(other) => other.to_string(),
                None => "–".to_owned(),
            };
            vec![format!("{}: {}", item.feed, item.content.title), crate::cli::items::kind(item), of]
        },
    );
    let columns = [Column("entry", Fit::Cut), Column("verdict", Fit::Whole), Column("of", Fit::Cut)];
    render(screen, &columns, &rows.collect::<Vec<_>>())
}

fn others(items: &[Item], screen: Screen) -> String {
    let plain = items.iter().filter(|item| item.verdict.kind == VerdictKind::New && in_focus(item).is_empty());
    let rows = plain.map(|item| {
        let topics: Vec<String> = item.topics.iter().map(said).collect();
        vec![item.content.title.clone(), item.feed.to_string(), topics.join(", ")]
    });
    let columns = [Column("title", Fit::Cut), Column("feed", Fit::Whole), Column("topics", Fit::Whole)];
    render(screen, &columns, &rows.collect::<Vec<_>>())
}

fn topics(items: &[Item], screen: Screen) -> String {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for topic in items.iter().flat_map(|item| &item.topics) {
        let (matched, maybe) = counts.entry(topic.id.as_str()).or_default();
        *(if topic.decision == Decision::Match { matched } else { maybe }) += 1;
    }
    let rows =
        counts.iter().map(|(id, (matched, maybe))| vec![(*id).to_owned(), matched.to_string(), maybe.to_string()]);
    let columns = [Column("topic", Fit::Whole), Column("match", Fit::Whole), Column("maybe", Fit::Whole)];
    render(screen, &columns, &rows.collect::<Vec<_>>())
}

/// What a newcomer can do while it runs.
pub(super) fn further(dir: &Path, address: &str) -> String {
    let dir = dir.display();
    format!(
        "\nthe daemon goes on until Ctrl-C; from another terminal:\n\
         \x20 rasid items --config {dir} --topic csto\n\
         \x20 rasid show --config {dir} 5\n\
         \x20 rasid feeds why almanarah --config {dir}\n\
         \x20 rasid tail --config {dir}\n\
         \x20 rasid topics test --config {dir} --text 'احتجاجات في ألماتي بكازاخستان'\n\
         \x20 curl http://{address}/api/v1/items\n\n\
         and in a browser, the web page:\n\
         \x20 http://{address}/\n"
    )
}
