//! Adding and removing feeds in `feeds.toml`, as a careful person would.
//!
//! In: the directory and what to change. Out: the file changed, its comments and order kept.
//! Promise: the whole configuration with the change is valid before the file is replaced, and the file is replaced at
//! once: a reader sees the old one or the new one. What is added stands at the end; all before it stays, byte for byte.
//! Not here: telling a running daemon ([`crate::daemon`]).

mod ids;

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, TableLike, TomlError, Value, value};
use url::Url;

use super::{FEEDS, Problem, load_with, report};
use crate::extract::url::canonical;
use crate::id::FeedId;
use crate::source::{PageSelectors, SourceKind};

/// A feed to add.
#[derive(Clone, Debug)]
pub struct NewFeed {
    /// Where it is polled.
    pub url: Url,
    /// Its id; made from the names below where it is not given.
    pub id: Option<FeedId>,
    /// What an id is made from before the host's name: a short name, in Latin letters.
    pub name: Option<String>,
    /// Its name for people.
    pub title: Option<String>,
    /// What it publishes.
    pub kind: SourceKind,
    /// Selectors, for [`SourceKind::Page`].
    pub page: Option<PageSelectors>,
    /// Its language; written where it is not that of the defaults.
    pub language: Option<String>,
    /// Why it is not to be polled.
    pub disabled: Option<String>,
}

impl NewFeed {
    /// A feed of which only the address is known.
    pub const fn new(url: Url, kind: SourceKind) -> Self {
        Self { url, id: None, name: None, title: None, kind, page: None, language: None, disabled: None }
    }
}

/// What became of one of several feeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is in the file, under this id.
    As(FeedId),
    /// The feed of this id has its address already.
    Known(String),
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
    /// A feed has this address already.
    #[error("the feed `{id}` has this address already: {url}")]
    Known {
        /// The feed that has it.
        id: String,
        /// The address.
        url: Url,
    },
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
    let known = |id| EditError::Known { id, url: new.url.clone() };
    edit(dir, env, true, |file, document, before| {
        let mut list = List::of(file, document)?;
        match list.add(new)? {
            Added::As(id) => Ok((id, list.appended(before))),
            Added::Known(id) => Err(known(id)),
        }
    })
}

/// Adds several feeds at the end of the file at once, but none twice; with `write` off, only tells what it would do.
/// An id that is taken is made anew.
///
/// # Errors
/// See [`EditError`]; the file is as it was.
pub fn add_feeds(
    dir: &Path,
    new: &[NewFeed],
    env: &dyn Fn(&str) -> Option<String>,
    write: bool,
) -> Result<Vec<Added>, EditError> {
    edit(dir, env, write, |file, document, before| {
        let mut list = List::of(file, document)?;
        let mut added = Vec::with_capacity(new.len());
        for feed in new {
            let taken = feed.id.as_ref().is_some_and(|id| list.ids.contains(id.as_str()));
            let named = NewFeed { id: feed.id.clone().filter(|_| !taken), ..feed.clone() };
            added.push(list.add(&named)?);
        }
        Ok((added, list.appended(before)))
    })
}

/// The id of the feed of the file that has this address, in whatever dress; the same test that [`add_feed`] makes.
///
/// # Errors
/// Where the file cannot be read.
pub fn feed_at(dir: &Path, url: &Url) -> Result<Option<String>, EditError> {
    let (file, before) = open(dir)?;
    let document = parse(&file, &before)?;
    Ok(addresses(&document).into_iter().find(|(known, _)| *known == canonical(url)).map(|(_, id)| id))
}

/// For each feed, in the order of the file: which of its keys take something from the environment, secrets perhaps.
///
/// # Errors
/// Where the file cannot be read.
pub fn keys_from_environment(dir: &Path) -> Result<Vec<HashSet<String>>, EditError> {
    let (file, before) = open(dir)?;
    let document = parse(&file, &before)?;
    let from_outside = |value: &Item| value.to_string().replace("$${", "").contains("${");
    let keys = |feed: &dyn TableLike| {
        feed.iter().filter(|(_, value)| from_outside(value)).map(|(key, _)| key.to_owned()).collect()
    };
    Ok(feeds(&document).into_iter().map(keys).collect())
}

/// The feeds of the file, and those that come to it.
struct List {
    ids: HashSet<String>,
    /// Canonical addresses with the ids they belong to.
    addresses: Vec<(Url, String)>,
    /// Of `[defaults]`: a feed need not say it again.
    language: Option<String>,
    new: DocumentMut,
}

impl List {
    fn of(file: &Path, document: &mut DocumentMut) -> Result<Self, EditError> {
        feeds_of(file, document)?;
        let ids = feeds(document).into_iter().filter_map(|feed| Some(feed.get("id")?.as_str()?.to_owned())).collect();
        let defaults = document.get("defaults").and_then(Item::as_table_like);
        let language = defaults.and_then(|defaults| Some(defaults.get("language")?.as_str()?.to_owned()));
        Ok(Self { ids, addresses: addresses(document), language, new: DocumentMut::new() })
    }

    fn add(&mut self, new: &NewFeed) -> Result<Added, EditError> {
        let address = canonical(&new.url);
        if let Some((_, id)) = self.addresses.iter().find(|(known, _)| *known == address) {
            return Ok(Added::Known(id.clone()));
        }
        let id = match &new.id {
            Some(id) if self.ids.contains(id.as_str()) => return Err(EditError::Taken(id.clone())),
            Some(id) => id.clone(),
            None => ids::suggest(new.name.as_deref(), &new.url, &self.ids)
                .ok_or_else(|| EditError::NoId(new.url.clone()))?,
        };
        let first = self.new.as_table().is_empty();
        let mut table = table_of(&id, new);
        if new.language == self.language {
            table.remove("language");
        }
        table.decor_mut().set_prefix(if first { "" } else { "\n" });
        let item = self.new.entry("feed").or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
        if let Some(feeds) = item.as_array_of_tables_mut() {
            feeds.push(table);
        }
        self.ids.insert(id.to_string());
        self.addresses.push((address, id.to_string()));
        Ok(Added::As(id))
    }

    /// The file with them.
    fn appended(&self, before: &str) -> String {
        let new = self.new.to_string();
        if new.is_empty() {
            return before.to_owned();
        }
        let gap = match before {
            "" => "",
            before if before.ends_with('\n') => "\n",
            _ => "\n\n",
        };
        let tail = format!("{gap}{new}");
        format!("{before}{}", if before.contains("\r\n") { tail.replace('\n', "\r\n") } else { tail })
    }
}

fn table_of(id: &FeedId, new: &NewFeed) -> Table {
    let mut table = Table::new();
    let mut put = |key: &str, text: &str| drop(table.insert(key, value(escaped(text))));
    put("id", id.as_str());
    if let Some(title) = &new.title {
        put("title", title);
    }
    put("url", new.url.as_str());
    match new.kind {
        SourceKind::Feed => {}
        SourceKind::Sitemap => put("kind", "sitemap"),
        SourceKind::Page => put("kind", "page"),
    }
    if let Some(language) = &new.language {
        put("language", language);
    }
    if let Some(reason) = &new.disabled {
        table.insert("enabled", value(false));
        table.insert("reason", value(escaped(reason)));
    }
    if let Some(page) = &new.page {
        let mut selectors = Table::new();
        let fields = [("title", &page.title), ("date", &page.date), ("summary", &page.summary)];
        let fields = fields.into_iter().filter_map(|(key, written)| Some((key, written.as_ref()?)));
        for (key, written) in [("entry", &page.entry), ("link", &page.link)].into_iter().chain(fields) {
            selectors.insert(key, value(escaped(written)));
        }
        table.insert("page", Item::Table(selectors));
    }
    table
}

/// Removes a feed. A comment right above it goes with it; one that an empty line separates from it stays.
///
/// # Errors
/// See [`EditError`]; the file is as it was.
pub fn remove_feed(dir: &Path, id: &FeedId, env: &dyn Fn(&str) -> Option<String>) -> Result<(), EditError> {
    edit(dir, env, true, |file, document, before| {
        let feeds = feeds_of(file, document)?;
        let place = feeds.iter().position(|feed| feed.get("id").and_then(Item::as_str) == Some(id.as_str()));
        let place = place.ok_or_else(|| EditError::Unknown(id.clone()))?;
        let above = feeds.get(place).and_then(|feed| feed.decor().prefix()?.as_str()).unwrap_or_default();
        let kept = above.rsplit_once("\n\n").map_or(String::new(), |(kept, _)| format!("{kept}\n"));
        feeds.remove(place);
        if kept.trim().is_empty() {
            return Ok(((), written(document, before)));
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
        Ok(((), written(document, before)))
    })
}

/// The document as text, with the line ends that the file had.
fn written(document: &DocumentMut, before: &str) -> String {
    let text = document.to_string();
    if before.contains("\r\n") { text.replace("\r\n", "\n").replace('\n', "\r\n") } else { text }
}

/// Reads, changes, validates and, with `write`, replaces. The change gives the new text of the file.
fn edit<T>(
    dir: &Path,
    env: &dyn Fn(&str) -> Option<String>,
    write: bool,
    change: impl FnOnce(&Path, &mut DocumentMut, &str) -> Result<(T, String), EditError>,
) -> Result<T, EditError> {
    let (file, before) = open(dir)?;
    let failed = |error| EditError::Io { file: file.clone(), error };
    let mut document = parse(&file, &before)?;
    let (changed, text) = change(&file, &mut document, &before)?;
    load_with(dir, env, Some(&text)).map_err(EditError::Invalid)?;
    if !write || text == before {
        return Ok(changed);
    }
    if read_or_empty(&file).map_err(failed)? != before {
        return Err(EditError::Changed(file));
    }
    replace(&file, &text).map_err(failed)?;
    Ok(changed)
}

fn open(dir: &Path) -> Result<(PathBuf, String), EditError> {
    let named = dir.join(FEEDS);
    // A link is followed, so that it is its target that is replaced.
    let file = std::fs::canonicalize(&named).unwrap_or(named);
    match read_or_empty(&file) {
        Ok(text) => Ok((file, text)),
        Err(error) => Err(EditError::Io { file, error }),
    }
}

fn parse(file: &Path, text: &str) -> Result<DocumentMut, EditError> {
    text.parse().map_err(|error| EditError::Invalid(vec![syntax(file, text, &error)]))
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

/// The feeds of a document, however they are written.
fn feeds(document: &DocumentMut) -> Vec<&dyn TableLike> {
    match document.get("feed") {
        Some(Item::ArrayOfTables(tables)) => tables.iter().map(|table| table as &dyn TableLike).collect(),
        Some(Item::Value(Value::Array(list))) => {
            list.iter().filter_map(Value::as_inline_table).map(|table| table as &dyn TableLike).collect()
        }
        _ => Vec::new(),
    }
}

/// Where the feeds of a document are polled, as canonical addresses, with their ids.
fn addresses(document: &DocumentMut) -> Vec<(Url, String)> {
    let address = |feed: &dyn TableLike| {
        let url = Url::parse(&feed.get("url")?.as_str()?.replace("$${", "${")).ok()?;
        Some((canonical(&url), feed.get("id")?.as_str()?.to_owned()))
    };
    feeds(document).into_iter().filter_map(address).collect()
}

/// `$` and a brace that follow each other in a text that is meant as it is.
fn escaped(text: &str) -> String {
    text.replace("${", "$${")
}
