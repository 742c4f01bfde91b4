//! `rasid show`: one item, and why it is where it is.
//!
//! Out: for people its fields, each topic with the places that speak for it, what it is a copy of, its copies, its
//! text; with `--json` the item as every reader gets it.

use std::fmt::Write as _;

use clap::Args as ClapArgs;

use super::output::{self, Screen, count, one_line};
use super::table::{Column, Fit, render};
use super::{Here, api::Api, api::Refused, items};
use crate::dedup::Original;
use crate::item::Item;
use crate::topic::{Evidence, Field, TopicMatch};

/// How many characters are shown before and after a place.
const AROUND: usize = 40;

/// Which item, in which form.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Its id, or its number (№) in a listing
    #[arg(value_name = "ID")]
    id: String,
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(here: &Here, args: &Args) -> anyhow::Result<()> {
    let api = here.api().await?;
    let item = fetch(&api, &args.id).await?;
    if args.json {
        return output::print_json(&item);
    }
    let original = match &item.verdict.of {
        Some(Original::Item(id)) => fetch(&api, &id.to_string()).await.ok(),
        _ => None,
    };
    let text = describe(Screen::stdout(), &item, original.as_ref())?;
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

fn describe(screen: Screen, item: &Item, original: Option<&Item>) -> Result<String, std::fmt::Error> {
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
    line("verdict", verdict(screen, item, original))?;
    line("story", item.story.clone().unwrap_or_default())?;

    out.push_str(&topics(screen, &item.topics, &[&content.title, &content.summary, &content.text]));
    if !item.copies.is_empty() {
        writeln!(out, "\n{}", screen.strong(&count(item.copies.len(), "copy").replace("copys", "copies")))?;
        out.push_str(&copies(screen, item));
    }
    let source = format!("{:?}", content.text_from).to_lowercase();
    writeln!(out, "\n{}", screen.strong(&format!("text (from the {source})")))?;
    for paragraph in output::lines(&content.text).lines() {
        writeln!(out, "{}", screen.words(paragraph))?;
    }
    Ok(out)
}

fn verdict(screen: Screen, item: &Item, original: Option<&Item>) -> String {
    let mut text = items::kind(item);
    if let Some(of) = &item.verdict.of {
        let _ = write!(text, " of {}, {:.0} % alike", one_line(&of.to_string()), item.verdict.similarity * 100.0);
    }
    if let Some(original) = original {
        let title = screen.words(&output::cut(&one_line(&original.content.title), 80));
        let _ = write!(text, "\n{:<11} № {} of {}: {title}", "", original.seq, original.feed);
    }
    text
}

fn copies(screen: Screen, item: &Item) -> String {
    let columns = [
        Column("id", Fit::Whole),
        Column("published", Fit::Whole),
        Column("feed", Fit::Cut),
        Column("kind", Fit::Whole),
        Column("alike", Fit::Whole),
        Column("url", Fit::Cut),
    ];
    let row = |copy: &crate::item::Copy| {
        vec![
            copy.id.to_string(),
            output::time(copy.published_at, output::now()),
            copy.feed.to_string(),
            format!("{:?}", copy.kind).to_lowercase(),
            format!("{:.0} %", copy.similarity * 100.0),
            copy.url.as_ref().map(ToString::to_string).unwrap_or_default(),
        ]
    };
    render(screen, &columns, &item.copies.iter().map(row).collect::<Vec<_>>())
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
