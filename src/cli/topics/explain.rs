//! `rasid topics explain`: what the terms of a topic, or of a query, reach in what is stored.
//!
//! Promise: the configuration on disk is explained, whatever a running daemon has read.

use clap::Args;
use serde::Serialize;

use super::stored;
use crate::cli::output::{self, Screen, count};
use crate::cli::table::{Column, Fit, render};
use crate::cli::{Here, WrongUsage};
use crate::topic::explain::{Explain as Explained, Explanation, Group, Reach, RuleKind, TermClass};

/// What to explain.
#[derive(Debug, Args)]
pub(in crate::cli) struct Explain {
    /// The topic
    #[arg(value_name = "ID", required_unless_present = "query")]
    id: Option<String>,
    /// A query to explain instead; with an ID, the sets of that topic are at hand
    #[arg(long, value_name = "QUERY")]
    query: Option<String>,
    /// Only items published since: a span back from now (7d, 36h), a date, or RFC 3339
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only items published before
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// How many forms of a term at most
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    limit: u16,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// The JSON of an explanation.
#[derive(Serialize)]
struct Told<'a> {
    id: Option<&'a str>,
    query: Option<&'a str>,
    #[serde(flatten)]
    explanation: &'a Explanation,
}

pub(super) async fn run(here: &Here, args: &Explain) -> anyhow::Result<()> {
    let mut explained = args.explained(here)?;
    let api = here.api().await?;
    stored::each(&api, args.since.as_deref(), args.until.as_deref(), |item| explained.read(&stored::article(&item)))
        .await?;
    let explanation = explained.finish(usize::from(args.limit));
    if args.json {
        let (id, query) = (args.id.as_deref(), args.query.as_deref());
        return output::print_json(&Told { id, query, explanation: &explanation });
    }
    if explanation.articles == 0 {
        output::note(match (&args.since, &args.until) {
            (None, None) => "no item is stored yet, so nothing can have been found; see `rasid status`",
            _ => "no item is stored of that time; leave out --since and --until, or see `rasid status`",
        });
    }
    Ok(output::print(&describe(Screen::stdout(), &explanation))?)
}

impl Explain {
    fn explained(&self, here: &Here) -> anyhow::Result<Explained> {
        let file = &here.config.topics_file;
        let mut sets = file.sets.clone();
        if let Some(id) = &self.id {
            let Some(topic) = file.topic.iter().find(|topic| topic.id.get_ref() == id) else {
                let known: Vec<&str> = file.topic.iter().map(|topic| topic.id.get_ref().as_str()).collect();
                return Err(
                    WrongUsage(format!("no topic `{id}` is configured; there are: {}", known.join(", "))).into()
                );
            };
            sets.extend(topic.sets.clone());
        }
        match (&self.query, &self.id) {
            (Some(query), _) => Explained::query(query, &sets).map_err(|problems| {
                let told = problems.iter().map(|problem| {
                    let before = query.get(..problem.span.start).unwrap_or(query);
                    format!("--query:{}: {}", before.chars().count() + 1, problem.message)
                });
                WrongUsage(told.collect::<Vec<_>>().join("\n")).into()
            }),
            (None, Some(id)) => {
                Explained::of(file, id).ok_or_else(|| anyhow::anyhow!("the topic `{id}` cannot be explained"))
            }
            (None, None) => Err(WrongUsage("give a topic, or --query".to_owned()).into()),
        }
    }
}

fn describe(screen: Screen, explanation: &Explanation) -> String {
    let items = |n: u64| count(usize::try_from(n).unwrap_or(usize::MAX), "item");
    let mut out = format!("{} looked at\n\n", items(explanation.articles));
    let columns =
        [Column("rule", Fit::Whole), Column("items", Fit::Whole), Column("name", Fit::Cut), Column("query", Fit::Cut)];
    let rows: Vec<Vec<String>> = explanation
        .rules
        .iter()
        .map(|rule| {
            let kind = match rule.kind {
                RuleKind::Gate => "gate",
                RuleKind::Score => "score",
                RuleKind::Exclude => "exclude",
            };
            vec![kind.to_owned(), rule.articles.to_string(), rule.name.clone(), rule.query.clone()]
        })
        .collect();
    out.push_str(&render(screen, &columns, &rows));
    for group in &explanation.groups {
        out.push('\n');
        out.push_str(&reached(screen, group));
    }
    out
}

/// The entries of a group that occur, as a table, and those that do not, in a line.
fn reached(screen: Screen, group: &Group) -> String {
    let columns = [
        Column("term", Fit::Cut),
        Column("class", Fit::Whole),
        Column("times", Fit::Whole),
        Column("form", Fit::Cut),
        Column("as written", Fit::Cut),
    ];
    let name = screen.words(&output::one_line(&group.name));
    let used = screen.words(&output::one_line(&group.used_by.join(", ")));
    let used = if used.is_empty() { used } else { format!("  (in {used})") };
    let mut out = format!("{}{used}\n", screen.strong(&name));
    let rows: Vec<Vec<String>> = group.entries.iter().flat_map(rows).collect();
    if !rows.is_empty() {
        out.push_str(&render(screen, &columns, &rows));
    }
    let never: Vec<String> = group
        .entries
        .iter()
        .filter(|entry| entry.occurrences == 0)
        .map(|entry| screen.words(&output::one_line(&entry.term)))
        .collect();
    if !never.is_empty() {
        out.push_str(&format!("never: {}\n", never.join(" · ")));
    }
    out
}

fn rows(entry: &Reach) -> Vec<Vec<String>> {
    let row = |times: u64, form: &str, sample: &str| {
        let (term, class) = (entry.term.clone(), class(entry.class).to_owned());
        vec![term, class, times.to_string(), form.to_owned(), sample.to_owned()]
    };
    let mut rows: Vec<Vec<String>> =
        entry.forms.iter().map(|form| row(form.occurrences, &form.form, &form.sample)).collect();
    if entry.others > 0 {
        rows.push(row(entry.others, "(other forms)", ""));
    }
    rows
}

fn class(class: TermClass) -> &'static str {
    match class {
        TermClass::Noun => "noun",
        TermClass::Place => "place",
        TermClass::Name => "name",
        TermClass::Exact => "exact",
        TermClass::Prefix => "prefix",
        TermClass::OneEdit => "one edit",
        TermClass::Foreign => "foreign",
        TermClass::Phrase => "phrase",
        TermClass::Url => "url",
        TermClass::Feed => "feed",
        TermClass::Language => "language",
    }
}
