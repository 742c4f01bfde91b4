//! Any document to the well-formed, current-version one that a strict reader takes.
//!
//! In: the text of a document ([`clean`]), and the entries of its tree ([`as_rss`], [`as_atom`]). Out: text without
//! illegal characters, and a document of RSS 2.0 or Atom 1.0 with declared namespaces and one element a line of fact.
//! Promise: as many entries as were read, in the same order. What was repaired is counted in [`Notes`].
//! Not here: reading the tree ([`super::tree`]).
//!
//! The rewritten document holds only fields that `feed_rs` reads without harm, and not the texts, of which it would only
//! make copies. It panics on a person whose address has
//! an Arabic comma behind it and on a media duration of twenty digits; dates and ids it fills by its own lights. These are
//! read by us ([`super::entry`]) and never handed on.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::entities;
use super::names::Space;
use super::tree::{Element, escape};

/// One kind of repair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Repair {
    JunkBefore,
    ControlCharacter,
    Doctype,
    BareAmpersand,
    BareLess,
    NamedEntity,
    UnknownEntity,
    IllegalReference,
    UnclosedComment,
    UnclosedCdata,
    DamagedTag,
    LongAttribute,
    UnclosedTag,
    UnclosedEntry,
    UnmatchedEnd,
    UndeclaredPrefix,
    TooDeep,
    Truncated,
}

impl Repair {
    /// What was done, in words; with a number in front where it can happen more than once.
    const fn words(self) -> &'static str {
        match self {
            Self::JunkBefore => "text before the beginning of the feed skipped",
            Self::ControlCharacter => "illegal control characters dropped",
            Self::Doctype => "document type dropped",
            Self::BareAmpersand => "bare & read as text",
            Self::BareLess => "bare < read as text",
            Self::NamedEntity => "undeclared HTML entities resolved",
            Self::UnknownEntity => "unknown entities left as text",
            Self::IllegalReference => "illegal character references dropped",
            Self::UnclosedComment => "unclosed comments skipped",
            Self::UnclosedCdata => "unclosed CDATA sections read as text",
            Self::DamagedTag => "damaged tags repaired",
            Self::LongAttribute => "attributes of more than 64 KiB dropped",
            Self::UnclosedTag => "unclosed elements closed",
            Self::UnclosedEntry => "unclosed entries closed",
            Self::UnmatchedEnd => "unmatched end tags ignored",
            Self::UndeclaredPrefix => "undeclared namespace prefixes understood by custom",
            Self::TooDeep => "too deeply nested elements flattened",
            Self::Truncated => "the document ends in the middle; what was complete is kept",
        }
    }

    const fn is_counted(self) -> bool {
        !matches!(self, Self::JunkBefore | Self::Doctype | Self::Truncated)
    }
}

/// What was repaired, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    counts: BTreeMap<Repair, u64>,
    /// The limit of entries at which the document was cut.
    pub cut_entries: Option<usize>,
}

impl Notes {
    /// Counts one repair.
    pub fn add(&mut self, repair: Repair) {
        *self.counts.entry(repair).or_default() += 1;
    }

    /// Takes over the counts of another part of the work.
    pub fn join(&mut self, other: &Self) {
        for (repair, count) in &other.counts {
            *self.counts.entry(*repair).or_default() += count;
        }
        self.cut_entries = self.cut_entries.or(other.cut_entries);
    }

    /// The repairs in words, one line each.
    pub fn words(&self) -> Vec<String> {
        let repairs = self.counts.iter().map(|(repair, count)| match repair.is_counted() {
            true => format!("{count} {}", repair.words()),
            false => repair.words().to_owned(),
        });
        let cut = self.cut_entries.map(|limit| format!("cut after {limit} entries (`max_entries` of the feed)"));
        repairs.chain(cut).collect()
    }
}

/// The text without a byte order mark and the characters that no document may hold.
pub fn clean<'a>(text: &'a str, notes: &mut Notes) -> Cow<'a, str> {
    let text = text.trim_start_matches('\u{feff}');
    // Illegal are some bytes below 0x20 and two characters that begin with 0xEF: by blocks, so that the question is
    // asked of many bytes at once.
    let doubtful = |block: &[u8]| {
        block.iter().fold(false, |doubt, b| doubt | (*b < 0x20) & !matches!(b, 9 | 10 | 13) | (*b == 0xEF))
    };
    if !text.as_bytes().chunks(1024).any(doubtful) || text.chars().all(entities::is_legal) {
        return Cow::Borrowed(text);
    }
    let keep = |c: &char| {
        let legal = entities::is_legal(*c);
        if !legal {
            notes.add(Repair::ControlCharacter);
        }
        legal
    };
    Cow::Owned(text.chars().filter(keep).collect())
}

/// Opens a document of RSS 2.0 with every namespace that [`as_rss`] uses.
const RSS_HEAD: &str =
    "<?xml version=\"1.0\"?>\n<rss version=\"2.0\" xmlns:media=\"http://search.yahoo.com/mrss/\"><channel>\n";

/// The entries as a document of RSS 2.0.
pub fn as_rss<'t>(entries: impl Iterator<Item = &'t Element<'t>>) -> String {
    let mut out = String::from(RSS_HEAD);
    for entry in entries {
        out.push_str("<item>");
        if let Some(title) = super::entry::title(entry) {
            element("title", &title, &mut out);
        }
        for link in entry.children().filter(|child| child.space == Space::Rss && child.is("link")) {
            element("link", link.text().trim(), &mut out);
        }
        for tag in super::entry::tags(entry) {
            element("category", &tag, &mut out);
        }
        media(entry, &mut out);
        out.push_str("</item>\n");
    }
    out.push_str("</channel></rss>\n");
    out
}

/// The entries as a document of Atom 1.0: every text is `type="html"`, whatever it was declared as.
pub fn as_atom<'t>(entries: impl Iterator<Item = &'t Element<'t>>) -> String {
    let mut out = String::from(
        "<?xml version=\"1.0\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xmlns:media=\"http://search.yahoo.com/mrss/\">\n",
    );
    for entry in entries {
        out.push_str("<entry>");
        if let Some(title) = super::entry::title(entry) {
            html("title", &title, &mut out);
        }
        for link in entry.children().filter(|child| child.space == Space::Atom && child.is("link")) {
            out.push_str("<link");
            for name in ["href", "rel"] {
                if let Some(value) = link.attribute(name) {
                    attribute(name, value, &mut out);
                }
            }
            out.push_str("/>");
        }
        for tag in super::entry::tags(entry) {
            out.push_str("<category");
            attribute("term", &tag, &mut out);
            out.push_str("/>");
        }
        media(entry, &mut out);
        out.push_str("</entry>\n");
    }
    out.push_str("</feed>\n");
    out
}

/// The pictures of an entry, whether they stand in it or in a group.
fn media(entry: &Element<'_>, out: &mut String) {
    for found in super::entry::media(entry) {
        let name = match found.name.to_ascii_lowercase().as_str() {
            "enclosure" if found.space == Space::Rss => "enclosure",
            "thumbnail" => "media:thumbnail",
            _ => "media:content",
        };
        out.push('<');
        out.push_str(name);
        for name in ["url", "type"] {
            if let Some(value) = found.attribute(name) {
                attribute(name, value, out);
            }
        }
        out.push_str("/>");
    }
}

fn element(name: &str, text: &str, out: &mut String) {
    write_element(name, "", text, out);
}

fn html(name: &str, text: &str, out: &mut String) {
    write_element(name, " type=\"html\"", text, out);
}

fn write_element(name: &str, attributes: &str, text: &str, out: &mut String) {
    if !text.is_empty() {
        out.push('<');
        out.push_str(name);
        out.push_str(attributes);
        out.push('>');
        escape(text, out);
        out.push_str("</");
        out.push_str(name);
        out.push('>');
    }
}

fn attribute(name: &str, value: &str, out: &mut String) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    escape(value, out);
    out.push('"');
}
