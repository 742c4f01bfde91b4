//! `rasid feeds discover`: the feeds that a site publishes, read and compared.

use clap::Args;
use serde::Serialize;
use url::Url;

use super::super::Here;
use super::super::output::{self, Screen, one_line};
use super::super::table::{Column, Fit, render};
use super::address;
use crate::fetch::Client;
use crate::parse::Parsed;
use crate::parse::discover::{self as candidates, Found};
use crate::pipeline::discover::{Discovery, Failure, Finding, Reach, discover};
use crate::source::SourceKind;
use crate::text::language;

/// A site to look through.
#[derive(Debug, Args)]
pub(in crate::cli) struct Discover {
    /// A page of it, or what may be a feed itself
    #[arg(value_name = "URL", value_parser = address)]
    url: Url,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// A feed that was found, as programs get it.
#[derive(Serialize)]
struct Shown<'f> {
    url: &'f Url,
    kind: SourceKind,
    format: &'f str,
    title: Option<&'f str>,
    /// Of an index: the documents it names.
    entries: usize,
    newest: Option<jiff::Timestamp>,
    language: Option<String>,
    found: Found,
    /// Whether it holds what readers say, not news.
    comments: bool,
    notes: &'f [String],
}

#[derive(Serialize)]
struct Report<'f> {
    url: &'f Url,
    feeds: Vec<Shown<'f>>,
    failures: &'f [Failure],
    requests: usize,
    stopped: Option<&'f str>,
}

pub(super) async fn run(here: &Here, args: &Discover) -> anyhow::Result<()> {
    let client = Client::new(&here.config.fetch).map_err(anyhow::Error::msg)?;
    output::note(format_args!("looking for feeds of {} …", args.url));
    let found = discover(&client, &args.url, Reach::All).await;
    if args.json {
        output::print_json(&Report {
            url: &args.url,
            feeds: found.findings.iter().map(shown).collect(),
            failures: &found.failures,
            requests: found.requests,
            stopped: found.stopped.as_deref(),
        })?;
    } else if !found.findings.is_empty() {
        output::print(&table(&found.findings.iter().collect::<Vec<_>>(), false))?;
    }
    tell(&found);
    match found.findings.first() {
        None => Err(nothing(&args.url, &found)),
        Some(best) => {
            if !args.json {
                output::note(format_args!("the best comes first; to poll it: rasid feeds add {}", quoted(&best.url)));
            }
            Ok(())
        }
    }
}

fn shown(finding: &Finding) -> Shown<'_> {
    let parsed = &finding.parsed;
    Shown {
        url: &finding.url,
        kind: kind(parsed),
        format: &parsed.format,
        title: parsed.title.as_deref(),
        entries: entries(parsed),
        newest: candidates::newest(parsed, output::now()),
        language: language(parsed),
        found: finding.found,
        comments: finding.merit.is_comments(),
        notes: &parsed.notes,
    }
}

fn entries(parsed: &Parsed) -> usize {
    parsed.entries.len().max(parsed.more.len())
}

/// What `feeds.toml` calls it.
pub(super) fn kind(parsed: &Parsed) -> SourceKind {
    if candidates::is_sitemap(parsed) { SourceKind::Sitemap } else { SourceKind::Feed }
}

/// The language of its words; what a feed says of itself is often its software's default.
fn language(parsed: &Parsed) -> Option<String> {
    let titles: Vec<&str> = parsed.entries.iter().rev().take(10).map(|entry| entry.title.as_str()).collect();
    language::detect(parsed.title.as_deref().unwrap_or_default(), &titles.join("\n"), parsed.language.as_deref())
}

/// The findings as a table; with numbers where one of them is to be picked.
pub(super) fn table(findings: &[&Finding], numbered: bool) -> String {
    let mut columns = vec![
        Column("address", Fit::Whole),
        Column("format", Fit::Whole),
        Column("entries", Fit::Whole),
        Column("newest", Fit::Whole),
        Column("lang", Fit::Whole),
        Column("found as", Fit::Whole),
        Column("title", Fit::Cut),
    ];
    if numbered {
        columns.insert(0, Column("no.", Fit::Whole));
    }
    let row = |(at, finding): (usize, &&Finding)| {
        let shown = shown(finding);
        let comments = if shown.comments { ", comments" } else { "" };
        let mut row = vec![
            shown.url.to_string(),
            shown.format.to_owned(),
            shown.entries.to_string(),
            shown.newest.map(|newest| output::time(newest, output::now())).unwrap_or_default(),
            shown.language.unwrap_or_default(),
            format!("{}{comments}", shown.found.words()),
            shown.title.unwrap_or_default().to_owned(),
        ];
        if numbered {
            row.insert(0, (at + 1).to_string());
        }
        row
    };
    render(Screen::stdout(), &columns, &findings.iter().enumerate().map(row).collect::<Vec<_>>())
}

/// What was named as a feed but is none, and why the search ended early.
pub(super) fn tell(found: &Discovery) {
    for failure in
        found.failures.iter().filter(|failure| failure.found == Found::LinkTag || failure.found == Found::Robots)
    {
        let how = failure.found.words();
        output::note(format_args!("note: named in the {how}, but not read: {}", one_line(&failure.error.message)));
    }
    if let Some(why) = &found.stopped {
        output::note(format_args!("note: the search ended early: {}", one_line(why)));
    }
}

/// The error where a site has shown no feed.
pub(super) fn nothing(url: &Url, found: &Discovery) -> anyhow::Error {
    let own = found.failures.iter().find(|failure| failure.found == Found::Itself);
    let own = own.map(|failure| format!("{}; {}", one_line(&failure.error.message), one_line(&failure.error.hint)));
    let url = quoted(url);
    match own {
        // Nothing answered: nothing can be said of what is there.
        Some(own) if found.requests <= 1 => {
            anyhow::anyhow!(
                "no feed was found: {own}; to add the address all the same: rasid feeds add {url} --no-check"
            )
        }
        own => anyhow::anyhow!(
            "no feed was found at {url} in {}{}; a page without a feed can be read with selectors: \
             rasid feeds add {url} --kind page --entry CSS --link CSS",
            output::count(found.requests, "request"),
            own.map(|own| format!("; {own}")).unwrap_or_default(),
        ),
    }
}

/// An address to be typed: what a shell would read as its own stands in quotes.
pub(super) fn quoted(url: &Url) -> String {
    let plain = url.as_str().chars().all(|c| c.is_ascii_alphanumeric() || "/:.-_%+,=@~".contains(c));
    if plain { url.to_string() } else { format!("'{}'", url.as_str().replace('\'', "%27")) }
}
