//! Adding and removing feeds in `feeds.toml`, as a careful person would.
//!
//! In: the directory and what to change. Out: the file changed, its comments and order kept.
//! Promise: the whole configuration with the change is valid before the file is replaced, and the file is replaced at
//! once: a reader sees the old one or the new one.
//! Not here: telling a running daemon ([`crate::daemon`]).

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, TomlError, value};
use url::{Host, Url};

use super::{FEEDS, Problem, load_with, report};
use crate::id::{FeedId, MAX_NAME};
use crate::source::SourceKind;

/// A feed to add.
#[derive(Clone, Debug)]
pub struct NewFeed {
    /// Where it is polled.
    pub url: Url,
    /// Its id; made from the host's name where it is not given.
    pub id: Option<FeedId>,
    /// Its name for people.
    pub title: Option<String>,
    /// What it publishes.
    pub kind: SourceKind,
}

/// Why the file was left as it was.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The file cannot be read or written.
    #[error("{}: {error}", file.display())]
    Io {
        /// Which file.
        file: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// The configuration would not be valid, or is not now.
    #[error("the configuration would not be valid, so nothing was changed:\n{}", lines(.0))]
    Invalid(Vec<Problem>),
    /// No feed has this id.
    #[error("no feed has the id `{0}`; `rasid feeds list` shows them all")]
    Unknown(FeedId),
    /// A feed has this id already.
    #[error("a feed has the id `{0}` already; give the new one another")]
    Taken(FeedId),
    /// The address gives no name to make an id from.
    #[error("no id can be made from {0}; give one")]
    NoId(Url),
    /// Somebody else wrote the file between reading and writing it.
    #[error("{} was changed by somebody else meanwhile; nothing was written, try again", .0.display())]
    Changed(PathBuf),
    /// The feeds are an inline list, which cannot be edited without losing its layout.
    #[error("{}: the feeds are written as one list; write each below its own [[feed]] to edit them by command", .0.display())]
    Layout(PathBuf),
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Adds a feed at the end of the file and returns its id. The file is made where there is none.
///
/// # Errors
/// See [`EditError`]; the file is as it was.
pub fn add_feed(dir: &Path, new: &NewFeed, env: &dyn Fn(&str) -> Option<String>) -> Result<FeedId, EditError> {
    edit(dir, env, |file, document| {
        let taken = ids(document);
        let id = match &new.id {
            Some(id) if taken.iter().any(|known| known == id.as_str()) => return Err(EditError::Taken(id.clone())),
            Some(id) => id.clone(),
            None => id_from(&new.url, &taken).ok_or_else(|| EditError::NoId(new.url.clone()))?,
        };
        let first = document.as_table().is_empty();
        let feeds = feeds_of(file, document)?;
        let mut table = Table::new();
        table.insert("id", value(id.as_str()));
        if let Some(title) = &new.title {
            table.insert("title", value(escaped(title)));
        }
        table.insert("url", value(escaped(new.url.as_str())));
        match new.kind {
            SourceKind::Feed => {}
            SourceKind::Sitemap => drop(table.insert("kind", value("sitemap"))),
            SourceKind::Page => drop(table.insert("kind", value("page"))),
        }
        table.decor_mut().set_prefix(if first { "" } else { "\n" });
        feeds.push(table);
        Ok(id)
    })
}

/// Removes a feed. A comment right above it goes with it; one that an empty line separates from it stays.
///
/// # Errors
/// See [`EditError`]; the file is as it was.
pub fn remove_feed(dir: &Path, id: &FeedId, env: &dyn Fn(&str) -> Option<String>) -> Result<(), EditError> {
    edit(dir, env, |file, document| {
        let feeds = feeds_of(file, document)?;
        let place = feeds.iter().position(|feed| feed.get("id").and_then(Item::as_str) == Some(id.as_str()));
        let place = place.ok_or_else(|| EditError::Unknown(id.clone()))?;
        let above = feeds.get(place).and_then(|feed| feed.decor().prefix()?.as_str()).unwrap_or_default();
        let kept = above.rsplit_once("\n\n").map_or(String::new(), |(kept, _)| format!("{kept}\n"));
        feeds.remove(place);
        if kept.trim().is_empty() {
            return Ok(());
        }
        match feeds.get_mut(place) {
            Some(next) => {
                let own = next.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default();
                let joined = format!("{kept}{own}");
                next.decor_mut().set_prefix(joined);
            }
            None => {
                let own = document.trailing().as_str().unwrap_or_default();
                let joined = format!("{kept}{own}");
                document.set_trailing(joined);
            }
        }
        Ok(())
    })
}

/// Reads, changes, validates, replaces.
fn edit<T>(
    dir: &Path,
    env: &dyn Fn(&str) -> Option<String>,
    change: impl FnOnce(&Path, &mut DocumentMut) -> Result<T, EditError>,
) -> Result<T, EditError> {
    let named = dir.join(FEEDS);
    // A link is followed, so that it is its target that is replaced.
    let file = std::fs::canonicalize(&named).unwrap_or(named);
    let failed = |error| EditError::Io { file: file.clone(), error };
    let before = read_or_empty(&file).map_err(failed)?;
    let mut document =
        before.parse::<DocumentMut>().map_err(|error| EditError::Invalid(vec![syntax(&file, &before, &error)]))?;
    let changed = change(&file, &mut document)?;
    let text = document.to_string();
    load_with(dir, env, Some(&text)).map_err(EditError::Invalid)?;
    if read_or_empty(&file).map_err(failed)? != before {
        return Err(EditError::Changed(file));
    }
    replace(&file, &text).map_err(failed)?;
    Ok(changed)
}

fn read_or_empty(file: &Path) -> io::Result<String> {
    match std::fs::read_to_string(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        other => other,
    }
}

fn syntax(file: &Path, text: &str, error: &TomlError) -> Problem {
    let offset = error.span().map_or(text.len(), |span| span.start);
    let (line, column) = report::line_column(text.as_bytes(), offset);
    Problem { file: file.to_owned(), line, column, message: format!("this is not TOML: {}", error.message().trim()) }
}

/// Writes beside the file, to the disk, and takes its place. The permissions stay.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let dir = file.parent().unwrap_or(Path::new("."));
    let temporary = dir.join(format!(".{FEEDS}.{}", std::process::id()));
    let written = write_new(&temporary, file, text).and_then(|()| std::fs::rename(&temporary, file));
    if written.is_err() {
        let _not_there = std::fs::remove_file(&temporary);
        return written;
    }
    File::open(dir)?.sync_all()
}

fn write_new(temporary: &Path, file: &Path, text: &str) -> io::Result<()> {
    let mut out = OpenOptions::new().write(true).create_new(true).open(temporary)?;
    if let Ok(old) = std::fs::metadata(file) {
        out.set_permissions(old.permissions())?;
    }
    out.write_all(text.as_bytes())?;
    out.sync_all()
}

fn feeds_of<'d>(file: &Path, document: &'d mut DocumentMut) -> Result<&'d mut ArrayOfTables, EditError> {
    let item = document.entry("feed").or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
    item.as_array_of_tables_mut().ok_or_else(|| EditError::Layout(file.to_owned()))
}

fn ids(document: &DocumentMut) -> Vec<String> {
    let feeds = document.get("feed").and_then(Item::as_array_of_tables);
    feeds.into_iter().flatten().filter_map(|feed| feed.get("id")?.as_str().map(str::to_owned)).collect()
}

/// First labels of host names that say nothing of the publisher.
const GENERIC: [&str; 13] =
    ["www", "www2", "m", "ar", "arabic", "feed", "feeds", "rss", "rdf", "news", "api", "mobile", "amp"];

/// Second-level names under which countries register publishers: `co.uk`, `com.sa`.
const SHARED: [&str; 8] = ["co", "com", "net", "org", "gov", "edu", "ac", "info"];

/// An id that nobody has: the publisher's part of the host name, with a number where that is taken.
fn id_from(url: &Url, taken: &[String]) -> Option<FeedId> {
    let name = match url.host() {
        Some(Host::Domain(host)) => publisher(host),
        Some(address) => address.to_string(),
        None => String::new(),
    };
    let mut stem: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    // Room for a number.
    stem.truncate(MAX_NAME - 8);
    let stem = stem.trim_matches('-');
    let stem = if stem.is_empty() { "feed" } else { stem };
    // One more number than there are ids, so one is free.
    let numbered = (2..=taken.len() + 2).map(|n| format!("{stem}-{n}"));
    std::iter::once(stem.to_owned()).chain(numbered).filter(|id| !taken.contains(id)).find_map(|id| id.parse().ok())
}

/// `$` and a brace that follow each other in a text that is meant as it is.
fn escaped(text: &str) -> String {
    text.replace("${", "$${")
}

/// `bbci` of `feeds.bbci.co.uk`.
fn publisher(host: &str) -> String {
    let mut labels: Vec<&str> = host.trim_end_matches('.').split('.').collect();
    if labels.len() > 1 {
        labels.pop();
    }
    if labels.len() > 1 && labels.last().is_some_and(|last| SHARED.contains(last)) {
        labels.pop();
    }
    while labels.len() > 1 && labels.first().is_some_and(|first| GENERIC.contains(first)) {
        labels.remove(0);
    }
    labels.last().copied().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_from_host_names() {
        for (url, expected) in [
            ("https://feeds.bbci.co.uk/arabic/rss.xml", "bbci"),
            ("https://www.okaz.com.sa/rssFeed/0", "okaz"),
            ("https://al-ain.com/rss", "al-ain"),
            ("https://ar.le360.ma/arc/", "le360"),
            ("http://127.0.0.1:8080/rss", "127-0-0-1"),
            ("http://[::1]/rss", "1"),
            ("http://localhost/", "localhost"),
            ("https://news.com/", "news"),
            ("https://خبر.com/", "xn--"),
            ("https://x.com/", "x-3"),
        ] {
            let taken = ["x".to_owned(), "x-2".to_owned()];
            let id = id_from(&Url::parse(url).expect(url), &taken).expect(url);
            assert!(!taken.contains(&id.to_string()));
            if expected == "xn--" {
                assert!(id.as_str().starts_with("xn--"), "{url}: {id}");
            } else {
                assert_eq!(id.as_str(), expected, "{url}");
            }
        }
    }
}
