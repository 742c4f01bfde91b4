//! `rasid feeds import` and `export`: the feeds from and to other feed readers.
//!
//! Promise: what is imported is written at once or not at all, and every outline that was left out is named with the
//! reason; nothing secret is exported.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use url::Url;

use super::super::output::{self, one_line};
use super::super::{Here, environment};
use super::reload;
use crate::config::{self, Added, NewFeed};
use crate::parse::discover::web;
use crate::parse::opml::{self, Outline};
use crate::parse::page;
use crate::source::{FeedConfig, SourceKind};
use crate::text::decode::{Hints, decode};

/// The largest list that is read.
const MAX_LIST: u64 = 32 << 20;

/// A list of feeds to add.
#[derive(Debug, Args)]
pub(in crate::cli) struct Import {
    /// The OPML file; `-` reads standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Tells what it would do, and changes nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn import(here: &Here, args: &Import) -> anyhow::Result<()> {
    let shown = args.file.display();
    let bytes = read(&args.file).with_context(|| format!("{shown}: the file cannot be read"))?;
    if bytes.len() as u64 > MAX_LIST {
        bail!("{shown}: the file is larger than {} MiB", MAX_LIST >> 20);
    }
    let list = opml::read(&decode(&bytes, Hints::default()).text).map_err(|why| anyhow::anyhow!("{shown}: {why}"))?;
    for note in &list.notes {
        output::note(format_args!("note: {shown}: {note}"));
    }
    let (mut new, mut refused) = (Vec::new(), 0);
    for outline in &list.outlines {
        match feed_of(outline) {
            Ok(feed) => new.push(feed),
            Err(why) => {
                refused += 1;
                let name = outline.title.as_deref().unwrap_or("an outline without a name");
                output::note(format_args!("left out: {}: {why}", one_line(name)));
            }
        }
    }
    let added = config::add_feeds(&here.config.dir, &new, &environment, !args.dry_run)?;
    let (mut ids, mut known) = (String::new(), 0);
    for (feed, added) in new.iter().zip(&added) {
        match added {
            Added::As(id) => {
                ids.push_str(&format!("{id}\n"));
                if let Some(why) = &feed.disabled {
                    output::note(format_args!("`{id}` is added, but will not be polled: {}", one_line(why)));
                }
            }
            Added::Known(id) => {
                known += 1;
                output::note(format_args!("left out: {}: it is `{id}`, which is there already", feed.url));
            }
        }
    }
    if list.folders > 0 {
        let folders = output::count(list.folders, "folder");
        output::note(format_args!("{folders} in the list; rasid has none, so their feeds stand beside each other"));
    }
    let count = added.len() - known;
    let done = if args.dry_run { "would be added" } else { "added" };
    output::note(format_args!(
        "{}: {} {done}, {known} known already, {refused} not usable, {} that are no feeds",
        one_line(&shown.to_string()),
        output::count(count, "feed"),
        output::count(list.others, "outline"),
    ));
    output::print(&ids)?;
    if list.outlines.is_empty() {
        bail!("{shown}: no outline in it has an address (`xmlUrl`)");
    }
    if args.dry_run || count == 0 { Ok(()) } else { reload(here).await }
}

fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if file.as_os_str() == "-" {
        std::io::stdin().lock().take(MAX_LIST + 1).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(file)?.take(MAX_LIST + 1).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// The feed that an outline tells of, or why there is none.
fn feed_of(outline: &Outline) -> Result<NewFeed, String> {
    let base = Url::parse("https://localhost/").map_err(|error| error.to_string())?;
    let written = outline.url.trim();
    let whole = written.contains("://") || written.to_ascii_lowercase().starts_with("feed:");
    let url = web(written, &base).filter(|_| whole || written.to_ascii_lowercase().starts_with("www."));
    let url = url.ok_or_else(|| format!("`{}` is not an address of the web", one_line(&output::cut(written, 80))))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("its address has a user's name in it; add it by hand, with `username` and `password`".to_owned());
    }
    if outline.kind == SourceKind::Page {
        let Some(page) = &outline.page else {
            return Err("it is a listing page without the selectors `entry` and `link`".to_owned());
        };
        if let Some(wrong) = page::check_selectors(page).first() {
            return Err(one_line(wrong));
        }
    }
    let fits =
        |tag: &&String| tag.len() >= 2 && tag.len() <= 35 && tag.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let language = outline.language.as_ref().filter(fits);
    Ok(NewFeed {
        url,
        id: outline.id.as_deref().and_then(|id| id.parse().ok()),
        name: outline.title.clone(),
        title: outline.title.as_deref().map(one_line).filter(|title| !title.is_empty()),
        kind: outline.kind,
        page: outline.page.clone(),
        language: language.cloned(),
        disabled: outline.disabled.as_deref().map(one_line),
    })
}

pub(super) fn export(here: &Here) -> anyhow::Result<()> {
    let from_outside = config::keys_from_environment(&here.config.dir)?;
    let (mut outlines, mut kept_back) = (Vec::new(), Vec::new());
    for (at, feed) in here.config.feeds.iter().enumerate() {
        let secret = |key: &str| from_outside.get(at).is_some_and(|keys| keys.contains(key));
        if secret("url") || secret("page") {
            let id = &feed.id;
            kept_back.push(format!("`{id}` is left out: its address or selectors come from the environment"));
            continue;
        }
        if has_secrets(feed) {
            kept_back.push(format!("`{}` goes without its headers, user name, password or proxy", feed.id));
        }
        outlines.push(outline_of(feed, &secret));
    }
    output::print(&opml::write("rasid", &outlines))?;
    for note in &kept_back {
        output::note(format_args!("note: {note}"));
    }
    output::note(format_args!(
        "{}; intervals and other settings stay in feeds.toml",
        output::count(outlines.len(), "feed")
    ));
    Ok(())
}

fn has_secrets(feed: &FeedConfig) -> bool {
    !feed.headers.is_empty() || feed.username.is_some() || feed.password.is_some() || feed.proxy.is_some()
}

fn outline_of(feed: &FeedConfig, secret: &dyn Fn(&str) -> bool) -> Outline {
    let open = |key: &str, value: &str| (!secret(key)).then(|| value.to_owned());
    let mut url = feed.url.clone();
    // The configuration has none of these in an address; both fail only for addresses that cannot have them.
    let _none = url.set_password(None);
    let _none = url.set_username("");
    Outline {
        site: (feed.kind == SourceKind::Page).then(|| url.to_string()),
        url: url.into(),
        title: open("title", &feed.title).filter(|title| title != feed.id.as_str()),
        language: feed.language.as_deref().and_then(|language| open("language", language)),
        kind: feed.kind,
        page: feed.page.clone(),
        id: open("id", feed.id.as_str()),
        disabled: (!feed.enabled).then(|| {
            let reason = feed.disabled_reason.as_deref().and_then(|reason| open("reason", reason));
            reason.unwrap_or_else(|| "not polled where it came from".to_owned())
        }),
    }
}
