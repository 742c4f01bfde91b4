//! `rasid show`: one item, and why it is where it is.
//!
//! Out: for people its fields, each topic with the places that speak for it, what it is a copy of, its copies, its
//! text; with `--json` the item as every reader gets it.

use std::fmt::Write as _;

use clap::Args as ClapArgs;
use serde::Serialize;

use super::output::{self, Screen, count, one_line};
use super::passages::{self, Most};
use super::table::{self, Column, Fit, render};
use super::{Here, api::Api, api::Refused, items};
use crate::item::Item;
use crate::serve::{CopyView, Explanation};
use crate::topic::{Evidence, Field, TopicMatch};

/// How many characters are shown before and after a place.
const AROUND: usize = 40;

/// Which item, in which form.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Its id, or its number (№) in a listing
    #[arg(value_name = "ID")]
    id: String,
    /// How many of the passages that it shares with its original are shown, or `all`; with --json they are added
    #[arg(long, value_name = "N")]
    passages: Option<Most>,
    /// Compares it with this item instead of its original
    #[arg(long, value_name = "ID")]
    with: Option<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// From this width on a table of copies has room for what they changed.
const ROOMY: usize = 110;

/// Passages shown where nothing else is said.
const PASSAGES: usize = 3;

/// An item with why it has its verdict.
#[derive(Serialize)]
struct Explained<'a> {
    #[serde(flatten)]
    item: &'a Item,
    explanation: &'a Explanation,
}

pub(super) async fn run(here: &Here, args: &Args) -> anyhow::Result<()> {
    let api = here.api().await?;
    let item = fetch(&api, &args.id).await?;
    if args.json && args.passages.is_none() && args.with.is_none() {
        return output::print_json(&item);
    }
    let of: Vec<(&str, &str)> = args.with.iter().map(|with| ("of", with.as_str())).collect();
    let explanation: Explanation = api.get(&format!("/api/v1/items/{}/passages", item.id), &of).await?;
    if args.json {
        return output::print_json(&Explained { item: &item, explanation: &explanation });
    }
    let most = args.passages.unwrap_or(Most::Some(PASSAGES));
    let text = describe(Screen::stdout(), &item, &explanation, most)?;
    Ok(output::print(&text)?)
}

/// The item with this id or number.
pub(super) async fn fetch(api: &Api, id: &str) -> anyhow::Result<Item> {
    // Escaped, so that whatever was typed stays one segment of the path.
    let segment: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
    api.get(&format!("/api/v1/items/{segment}"), &[]).await.map_err(|error| match error.downcast_ref::<Refused>() {
        Some(refused) if refused.status == 404 => anyhow::anyhow!("{refused}; `rasid items` lists what there is"),
        _ => error,
    })
}

fn describe(screen: Screen, item: &Item, why: &Explanation, most: Most) -> Result<String, std::fmt::Error> {
    let now = output::now();
    let content = &item.content;
    let mut out = String::new();
    writeln!(out, "{}\n", screen.strong(&screen.words(&one_line(&content.title))))?;
    let mut line = |name: &str, value: String| match value.is_empty() {
        true => Ok(()),
        false => writeln!(out, "{name:<11} {value}"),
    };
    let address = |url: &Option<url::Url>| url.as_ref().map(|url| one_line(url.as_str())).unwrap_or_default();
    line("id", item.id.to_string())?;
    line("№", format!("{}, revision {}", item.seq, item.revision))?;
    line("feed", item.feed.to_string())?;
    line("url", address(&content.url))?;
    if content.canonical_url != content.url {
        line("canonical", address(&content.canonical_url))?;
    }
    line("guid", content.guid.as_deref().map(one_line).unwrap_or_default())?;
    let by = format!("{:?}", content.published_from).to_lowercase();
    line("published", format!("{} (as the {by} says)", output::time(content.published_at, now)))?;
    line("fetched", output::time(content.fetched_at, now))?;
    line("stored", output::time(item.stored_at, now))?;
    line("language", content.language.as_deref().map(one_line).unwrap_or_default())?;
    line("authors", screen.words(&one_line(&content.authors.join(", "))))?;
    line("tags", screen.words(&one_line(&content.tags.join(", "))))?;
    line("image", address(&content.image))?;
    line("verdict", verdict(screen, item, why))?;
    line("why", why.why.clone().unwrap_or_default())?;
    line("figures", why.reason.as_ref().map(passages::figures).unwrap_or_default())?;
    line("shared", why.comparison.as_ref().map(passages::coverage).unwrap_or_default())?;
    let changed = why.comparison.as_ref().filter(|found| !found.passages.is_empty());
    line("changed", changed.map(|found| found.changes.in_words().join(", ")).unwrap_or_default())?;
    line("standing", super::dedup::standing(item))?;
    line("pinned", if item.pinned { "yes: kept whatever its age".to_owned() } else { String::new() })?;
    line("story", item.story.clone().unwrap_or_default())?;

    out.push_str(&topics(screen, &item.topics, &[&content.title, &content.summary, &content.text]));
    if let Some(found) = &why.comparison {
        let there = match &why.original {
            Some(original) if original.id == item.id => "before".to_owned(),
            Some(original) => format!("№ {} of {}", original.seq, original.feed),
            None => "there".to_owned(),
        };
        out.push_str(&passages::describe(screen, found, ["here", &there], most));
    }
    out.push_str(&why.note.as_deref().map(passages::note).unwrap_or_default());
    if !why.copies.is_empty() {
        writeln!(out, "\n{}", screen.strong(&count(item.copies.len(), "copy").replace("copys", "copies")))?;
        out.push_str(&copies(screen, why));
    }
    let source = format!("{:?}", content.text_from).to_lowercase();
    writeln!(out, "\n{}", screen.strong(&format!("text (from the {source})")))?;
    for paragraph in output::lines(&content.text).lines() {
        writeln!(out, "{}", screen.words(paragraph))?;
    }
    Ok(out)
}

fn verdict(screen: Screen, item: &Item, why: &Explanation) -> String {
    let mut text = items::kind(item);
    if let Some(of) = &item.verdict.of {
        let _ = write!(text, " of {}, {:.0} % alike", one_line(&of.to_string()), item.verdict.similarity * 100.0);
    }
    if let Some(original) = &why.original {
        let title = screen.words(&output::cut(&one_line(&original.title), 80));
        let at = output::time(original.published_at, output::now());
        let _ = match original.id == item.id {
            true => write!(text, "\n{:<11} before, fetched {at}: {title}", ""),
            false => write!(text, "\n{:<11} № {} of {}, published {at}: {title}", "", original.seq, original.feed),
        };
    }
    text
}

/// Who published it, in which order, and what each of them changed.
fn copies(screen: Screen, why: &Explanation) -> String {
    // Where there is little room, what was changed stands below: it says more than an address.
    let below = screen.terminal && table::width() < ROOMY;
    let mut columns = vec![
        Column("№", Fit::Whole),
        Column("published", Fit::Whole),
        Column("feed", Fit::Cut),
        Column("kind", Fit::Whole),
        Column("alike", Fit::Whole),
        Column("url", Fit::Cut),
    ];
    if !below {
        columns.insert(5, Column("changed", Fit::Cut));
    }
    let changed = |copy: &CopyView| match copy.changed.is_empty() {
        true => "nothing".to_owned(),
        false => copy.changed.join(", "),
    };
    let row = |copy: &CopyView| {
        let mut row = vec![
            copy.party.seq.to_string(),
            output::time(copy.party.published_at, output::now()),
            copy.party.feed.to_string(),
            format!("{:?}", copy.kind).to_lowercase(),
            format!("{:.0} %", copy.similarity * 100.0),
            copy.party.url.as_ref().map(ToString::to_string).unwrap_or_default(),
        ];
        if !below {
            row.insert(5, changed(copy));
        }
        row
    };
    let mut out = render(screen, &columns, &why.copies.iter().map(row).collect::<Vec<_>>());
    for copy in why.copies.iter().filter(|_| below) {
        let what = if copy.changed.is_empty() { "nothing changed".to_owned() } else { changed(copy) };
        let _ = writeln!(out, "№ {}: {what}", copy.party.seq);
    }
    if let Some(first) = why.copies.iter().min_by_key(|copy| copy.after).filter(|first| first.after < 0) {
        let _ = writeln!(out, "first published by {}, {} before this one", first.party.feed, span(-first.after));
    }
    if why.more_copies > 0 {
        let _ = writeln!(out, "and {} more", why.more_copies);
    }
    out
}

/// Seconds as people say them: `35 min`, `3 h`, `2 d`.
fn span(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds} s"),
        60..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// Topics with the places that speak for or against them, in their context. `fields`: title, summary, text.
pub(super) fn topics(screen: Screen, topics: &[TopicMatch], fields: &[&str; 3]) -> String {
    let mut out = String::new();
    for topic in topics {
        let decision = format!("{:?}", topic.decision).to_lowercase();
        let _ = writeln!(out, "\n{}  {decision}, {:.2}", screen.strong(topic.id.as_str()), topic.score);
        for evidence in &topic.evidence {
            let field = match evidence.field {
                Field::Title => Some(fields[0]),
                Field::Summary => Some(fields[1]),
                Field::Text => Some(fields[2]),
                Field::Url | Field::Feed | Field::Language => None,
            };
            let place = context(screen, evidence, field);
            let name = format!("{:?}", evidence.field).to_lowercase();
            let rule = screen.words(&output::cut(&one_line(&evidence.rule), 30));
            let _ = writeln!(out, "  {:+.2}  {name:<8} {rule}: {place}", evidence.weight);
        }
    }
    out
}

/// The place marked, with some words around it.
fn context(screen: Screen, evidence: &Evidence, field: Option<&str>) -> String {
    let (start, end) = (evidence.start as usize, evidence.end as usize);
    let around = field.filter(|field| start < end && end <= field.chars().count());
    let Some(field) = around else { return screen.words(&screen.marked(&one_line(&evidence.text))) };
    let chars: Vec<char> = field.chars().collect();
    let (from, to) = (start.saturating_sub(AROUND), (end + AROUND).min(chars.len()));
    let part = |range: &[char]| {
        let text: String = range.iter().map(|c| if c.is_whitespace() { ' ' } else { *c }).collect();
        output::lines(&text)
    };
    let (before, after) = (if from > 0 { "…" } else { "" }, if to < chars.len() { "…" } else { "" });
    let marked = screen.marked(&part(&chars[start..end]));
    screen.words(&format!("{before}{}{marked}{}{after}", part(&chars[from..start]), part(&chars[end..to])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(start: u32, end: u32) -> Evidence {
        Evidence {
            rule: "r".to_owned(), weight: 1.0, field: Field::Text, start, end, text: "المنظمة".to_owned()
        }
    }

    #[test]
    fn a_place_is_marked_in_its_context() {
        let screen = Screen::of(false, false);
        let text = "قالت المنظمة\nأمس";
        assert_eq!(context(screen, &evidence(5, 12), Some(text)), "قالت ⟦المنظمة⟧ أمس");
        let long = format!("{text} {}", "كلمة ".repeat(30));
        assert!(context(screen, &evidence(5, 12), Some(&long)).ends_with('…'));
        // What does not fit the field is shown by its own words, never cut out of the wrong place.
        for (start, end) in [(5, 900), (12, 5), (5, 5)] {
            assert_eq!(context(screen, &evidence(start, end), Some(text)), "⟦المنظمة⟧");
        }
    }
}
