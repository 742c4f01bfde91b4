//! `rasid feeds add`: a new feed in `feeds.toml`, looked at first, and a running daemon told of it.

use std::io::{BufRead, IsTerminal};

use anyhow::bail;
use clap::{Args, ValueEnum};
use url::Url;

use super::super::output::{self, Screen, one_line};
use super::super::table::{Column, Fit, render};
use super::super::{Here, WrongUsage, environment};
use super::discover::{kind, nothing, quoted, table, tell};
use super::{address, id, reload};
use crate::config::{self, EditError, NewFeed};
use crate::fetch::Client;
use crate::id::FeedId;
use crate::parse::discover::{Found, same_entries};
use crate::parse::{Parsed, page};
use crate::pipeline::discover::{Discovery, Finding, Reach, discover, read_as};
use crate::source::{FeedConfig, PageSelectors, SourceKind};

/// How many of its entries are shown.
const FIRST_ENTRIES: usize = 5;
/// The longest title that is taken from a feed, in characters.
const MAX_TITLE: usize = 80;

/// A feed to add.
#[derive(Debug, Args)]
pub(in crate::cli) struct Add {
    /// Its address, or that of a page whose feed is looked for
    #[arg(value_name = "URL", value_parser = address)]
    url: Url,
    /// Its id [default: made from the host's name]
    #[arg(long, value_name = "ID", value_parser = id)]
    id: Option<FeedId>,
    /// Its name for people [default: the feed's own title]
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// What stands at the address, where it is not to be found out
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// Which one, where a page has several feeds
    #[arg(long, value_name = "N", conflicts_with_all = ["kind", "no_check"])]
    pick: Option<usize>,
    /// Writes it without looking at it
    #[arg(long)]
    no_check: bool,
    /// A listing page: the CSS selector of an entry
    #[arg(long, value_name = "CSS", requires = "link")]
    entry: Option<String>,
    /// … of its link, within the entry; "a@href" takes an attribute
    #[arg(long, value_name = "CSS", requires = "entry")]
    link: Option<String>,
    /// … of its headline
    #[arg(long, value_name = "CSS", requires = "entry")]
    title_selector: Option<String>,
    /// … of its date
    #[arg(long, value_name = "CSS", requires = "entry")]
    date_selector: Option<String>,
    /// … of its teaser
    #[arg(long, value_name = "CSS", requires = "entry")]
    summary_selector: Option<String>,
}

/// What a source publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// RSS, RDF, Atom or JSON Feed
    Feed,
    /// A sitemap of news, or a plain one
    Sitemap,
    /// A page that lists the news; needs --entry and --link
    Page,
}

impl Add {
    /// The kind that was said, and the selectors that belong to it.
    fn said(&self) -> Result<Option<(SourceKind, Option<PageSelectors>)>, WrongUsage> {
        let selectors = self.entry.clone().zip(self.link.clone()).map(|(entry, link)| PageSelectors {
            entry,
            link,
            title: self.title_selector.clone(),
            date: self.date_selector.clone(),
            summary: self.summary_selector.clone(),
        });
        match (self.kind, selectors) {
            (None | Some(Kind::Page), Some(selectors)) => {
                let wrong = page::check_selectors(&selectors);
                if wrong.is_empty() {
                    Ok(Some((SourceKind::Page, Some(selectors))))
                } else {
                    Err(WrongUsage(wrong.join("\n")))
                }
            }
            (Some(Kind::Page), None) => Err(WrongUsage(
                "a listing page is read by selectors; give --entry and --link, such as --entry 'article.card' --link 'a@href'"
                    .to_owned(),
            )),
            (Some(_), Some(_)) => Err(WrongUsage("selectors are for --kind page only".to_owned())),
            (Some(Kind::Feed), None) => Ok(Some((SourceKind::Feed, None))),
            (Some(Kind::Sitemap), None) => Ok(Some((SourceKind::Sitemap, None))),
            (None, None) => Ok(None),
        }
    }
}

pub(super) async fn run(here: &Here, add: Add) -> anyhow::Result<()> {
    let said = add.said()?;
    refuse_known(here, &add.url)?;
    if let Some(id) = here.config.feeds.iter().map(|feed| &feed.id).find(|id| add.id.as_ref() == Some(*id)) {
        return Err(EditError::Taken(id.clone()).into());
    }
    let mut new = NewFeed::new(add.url.clone(), SourceKind::Feed);
    if let Some((kind, page)) = &said {
        (new.kind, new.page) = (*kind, page.clone());
    }
    if !add.no_check {
        let (url, parsed) = look(here, &add, &new, said.is_some()).await?;
        if url != add.url {
            refuse_known(here, &url)?;
        }
        new.kind = if said.is_some() { new.kind } else { kind(&parsed) };
        new.url = url;
        // A page's title is that of the page, and says little of what it lists; but nothing else does.
        new.title = parsed.title.as_deref().map(|title| output::cut(&one_line(title), MAX_TITLE));
        show(&new.url, &parsed);
    }
    new.title = add.title.or(new.title).filter(|title| !title.trim().is_empty());
    new.id = add.id;
    let id = config::add_feed(&here.config.dir, &new, &environment)?;
    output::print(&format!("{id}\n"))?;
    output::note(format_args!("`{id}` is added; `rasid feeds why {id}` tells how it is doing once it is polled"));
    reload(here).await
}

fn refuse_known(here: &Here, url: &Url) -> anyhow::Result<()> {
    match config::feed_at(&here.config.dir, url)? {
        Some(id) => Err(EditError::Known { id, url: url.clone() }.into()),
        None => Ok(()),
    }
}

/// What stands at the address, or is found from there.
async fn look(here: &Here, add: &Add, new: &NewFeed, said: bool) -> anyhow::Result<(Url, Parsed)> {
    let client = Client::new(&here.config.fetch).map_err(anyhow::Error::msg)?;
    if said {
        let id = "new".parse().map_err(anyhow::Error::msg)?;
        let feed = FeedConfig { kind: new.kind, page: new.page.clone(), ..FeedConfig::new(id, new.url.clone()) };
        return read_as(&client, &feed).await.map_err(|error| {
            let (message, hint) = (one_line(&error.message), one_line(&error.hint));
            anyhow::anyhow!("{message}; {hint}; to add it all the same, say --no-check")
        });
    }
    output::note(format_args!("looking at {} …", add.url));
    let found = discover(&client, &add.url, Reach::First).await;
    let choices = choices(&found);
    tell(&found);
    let chosen = match (choices.as_slice(), add.pick) {
        ([], _) => return Err(nothing(&add.url, &found)),
        ([only], None) => *only,
        (several, Some(number)) => match number.checked_sub(1).and_then(|at| several.get(at)) {
            Some(one) => *one,
            None => return Err(WrongUsage(format!("--pick {number}: there are {} feeds", several.len())).into()),
        },
        (several, None) => pick(&add.url, several)?,
    };
    Ok((chosen.url.clone(), chosen.parsed.clone()))
}

/// The findings between which there is a choice: where the address is a feed, that one; else feeds of news, each once
/// whatever its format; else whatever there is.
fn choices(found: &Discovery) -> Vec<&Finding> {
    if let Some(itself) = found.findings.iter().find(|finding| finding.found == Found::Itself) {
        return vec![itself];
    }
    let any_good = found.findings.iter().any(|finding| finding.merit.is_good());
    let mut choices: Vec<&Finding> = Vec::new();
    for finding in &found.findings {
        let same = choices.iter().any(|chosen| same_entries(&chosen.parsed, &finding.parsed));
        if !same && (finding.merit.is_good() || !any_good) {
            choices.push(finding);
        }
    }
    choices
}

/// Asks which one, on a terminal; elsewhere tells what to type.
fn pick<'f>(url: &Url, several: &[&'f Finding]) -> anyhow::Result<&'f Finding> {
    let shown = table(several, true);
    let listed = format!("{url} has {} feeds:\n{}", several.len(), shown.trim_end());
    if !(std::io::stdin().is_terminal() && std::io::stdout().is_terminal()) {
        let best = several.first().map(|best| quoted(&best.url)).unwrap_or_default();
        output::note(listed);
        bail!("which one? add --pick N, or give its address: rasid feeds add {best}");
    }
    output::note(listed);
    output::note("which one? its number, or nothing to leave all as it is:");
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    let chosen = line.trim().parse::<usize>().ok().and_then(|number| several.get(number.checked_sub(1)?));
    chosen.copied().ok_or_else(|| anyhow::anyhow!("none was chosen; nothing was changed"))
}

/// Its newest entries, for a person to see whether it is what was meant.
fn show(url: &Url, parsed: &Parsed) {
    let title = parsed.title.as_deref().map(|title| format!(", {}", one_line(title))).unwrap_or_default();
    let entries = match (parsed.entries.len(), parsed.more.len()) {
        (0, more) if more > 0 => format!("an index of {}", output::count(more, "document")),
        (1, _) => "1 entry".to_owned(),
        (entries, _) => format!("{entries} entries"),
    };
    output::note(format_args!("{url}: {}{title}, {entries}", parsed.format));
    let now = output::now();
    let row = |entry: &crate::parse::Entry| {
        let title =
            if entry.title.is_empty() { entry.url.as_ref().map(Url::to_string) } else { Some(entry.title.clone()) };
        vec![entry.published.map(|at| output::time(at, now)).unwrap_or_default(), title.unwrap_or_default()]
    };
    let rows: Vec<Vec<String>> = parsed.entries.iter().rev().take(FIRST_ENTRIES).map(row).collect();
    if !rows.is_empty() {
        let columns = [Column("date", Fit::Whole), Column("title", Fit::Cut)];
        output::note(render(Screen::stdout(), &columns, &rows).trim_end());
    }
}
