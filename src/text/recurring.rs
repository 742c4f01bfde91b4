//! Lines that a site prints on its pages again and again.
//!
//! In: the texts of a feed's pages, one after the other. Out: the next text without the lines that recur.
//! Promise: pure; bounded ([`HOSTS`] × [`PAGES`] × [`LINES`] hashes of four bytes, 8 KiB at most); what a story says is
//! not touched. A line is left out only where *all* of this holds:
//! - it stands among the first [`HEAD`] or the last [`TAIL`] lines of the text;
//! - it has at most [`WORDS`] words: what agencies repeat below every report of one event (who the parties are, when they
//!   met before) is longer, and is what a copy is recognized by;
//! - it stood there on at least [`LEAST`] of the last [`PAGES`] pages of the host, on at least a third of them, and under at
//!   least [`LEAST`] different titles, while at least [`KNOWN`] pages are known: a story that is revised is one page, one
//!   that is told twice has too few titles;
//! - it is no credit (`المصدر: وكالات`, `نقلا عن …`): that says whose the words are;
//! - more than half of the text is left without all such lines.
//!
//! Why hashes of whole pages and not counts: a line that is printed no more is forgotten with its pages, and a page that
//! is read again counts once.
//! Lines with changing numbers (prices, scores) differ, so they do not recur.
//! Not here: phrases that are no article on any site, and finding the text of a page (both [`crate::extract`]).

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::normalize::normalize;

/// How many hosts one feed's pages are told apart by; the one that was not seen for longest is forgotten.
pub const HOSTS: usize = 4;
/// How many pages of a host are remembered.
pub const PAGES: usize = 32;
/// How many lines of a page are remembered.
pub const LINES: usize = HEAD + TAIL;
/// Lines at the beginning of a text that may be a site's.
pub const HEAD: usize = 4;
/// Lines at its end.
pub const TAIL: usize = 8;
/// The longest line that may be a site's.
pub const WORDS: usize = 20;
/// On how many pages, and under how many titles, a line recurs.
pub const LEAST: usize = 3;
/// How many pages must be known before anything recurs.
pub const KNOWN: usize = 6;

/// What is remembered of the pages of one feed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecurringLines {
    /// The host that was seen last comes last.
    pub hosts: Vec<Host>,
}

/// The last pages of one host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// A hash of its name.
    pub name: u32,
    /// The newest comes last.
    pub pages: Vec<Page>,
}

/// One page, in hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Of its address.
    pub address: u32,
    /// Of its normalized title.
    pub title: u32,
    /// Of its normalized first and last lines; sorted.
    pub lines: Vec<u32>,
}

impl RecurringLines {
    /// Remembers the page at `address` of `host`, by its text as it was found: with the lines that recur.
    pub fn observe(&mut self, host: &str, address: &str, title: &str, text: &str) {
        let name = hash(host);
        let mut known = match self.hosts.iter().position(|known| known.name == name) {
            Some(at) => self.hosts.remove(at),
            None => Host { name, pages: Vec::new() },
        };
        let address = hash(address);
        known.pages.retain(|page| page.address != address);
        let lines: Vec<&str> = text.lines().collect();
        let mut hashes: Vec<u32> =
            (0..lines.len()).filter(|at| is_edge(*at, lines.len())).filter_map(|at| of_line(lines[at])).collect();
        hashes.sort_unstable();
        hashes.dedup();
        known.pages.push(Page { address, title: hash(&normalize(title)), lines: hashes });
        let too_many = known.pages.len().saturating_sub(PAGES);
        known.pages.drain(..too_many);
        self.hosts.push(known);
        let too_many = self.hosts.len().saturating_sub(HOSTS);
        self.hosts.drain(..too_many);
    }

    /// `text`, a page of `host`, without the lines that recur there, and how many those were. `address` is its own: what
    /// it said before is no evidence against it.
    pub fn strip(&self, host: &str, address: &str, text: &str) -> Option<(String, usize)> {
        let (name, address) = (hash(host), hash(address));
        let pages = &self.hosts.iter().find(|known| known.name == name)?.pages;
        let others: Vec<&Page> = pages.iter().filter(|page| page.address != address).collect();
        if others.len() < KNOWN {
            return None;
        }
        let lines: Vec<&str> = text.lines().collect();
        let recurs =
            |at: usize| is_edge(at, lines.len()) && of_line(lines[at]).is_some_and(|line| is_site(line, &others));
        let kept: Vec<&str> = (0..lines.len()).filter(|at| !recurs(*at)).map(|at| lines[at]).collect();
        let removed = lines.len() - kept.len();
        let size = |lines: &[&str]| lines.iter().map(|line| line.len()).sum::<usize>();
        (removed > 0 && size(&kept) * 2 > size(&lines)).then(|| (kept.join("\n"), removed))
    }
}

fn is_site(line: u32, others: &[&Page]) -> bool {
    let with: Vec<&&Page> = others.iter().filter(|page| page.lines.binary_search(&line).is_ok()).collect();
    let titles: HashSet<u32> = with.iter().map(|page| page.title).collect();
    titles.len() >= LEAST && with.len() * 3 >= others.len()
}

fn is_edge(at: usize, lines: usize) -> bool {
    at < HEAD || at + TAIL >= lines
}

/// How a credit begins, normalized.
const CREDITS: [&str; 3] = ["نقلا عن", "المصدر", "مصدر"];

/// `None` for what is too long to be a site's, for what has no letter, and for credits.
fn of_line(line: &str) -> Option<u32> {
    if line.split_whitespace().nth(WORDS).is_some() || !line.chars().any(char::is_alphabetic) {
        return None;
    }
    let line = normalize(line);
    let start = line.trim_start_matches(|c: char| !c.is_alphabetic());
    (!CREDITS.iter().any(|credit| start.starts_with(credit))).then(|| hash(&line))
}

/// Four bytes are enough: a line is compared with a few hundred others, and has to meet three of them by chance.
fn hash(text: &str) -> u32 {
    (xxh3_64(text.trim().as_bytes()) >> 32) as u32
}

#[cfg(test)]
#[path = "recurring_tests.rs"]
mod tests;
