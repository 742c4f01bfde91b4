//! Main text of a page, and plain text of a fragment.
//!
//! In: HTML as decoded. Out: plain text, paragraphs separated by line feeds; for a page also what it says of itself.
//! Promise: no input overflows the stack, for everything is tamed first ([`super::tame`]); markup that was escaped twice is
//! still markup; text that only looks like markup (`3 < 5`) is kept.
//! Where the text of a page stands: the site's own selectors say it, or else [`choose`] finds it.
//! Not here: fetching ([`crate::fetch`]), character sets ([`crate::text::decode`]), what a site repeats on its pages
//! ([`crate::text::recurring`]).

mod choose;
mod facts;

use std::sync::mpsc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use scraper::{ElementRef, Html, Selector};
use url::Url;

use crate::extract::furniture::{byline, may_be_date};
use crate::extract::lines::{Line, Lines, joined};
use crate::extract::metadata::{self, Metadata};
use crate::extract::tame::{is_block, tame};
use crate::source::ArticleSelectors;

/// What a page says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The article, paragraphs separated by line feeds.
    pub text: String,
    /// The headline.
    pub title: Option<String>,
    /// When it says it was published.
    pub published: Option<Timestamp>,
    /// The address that it names as its own.
    pub canonical: Option<Url>,
    /// Its picture.
    pub image: Option<Url>,
    /// Names as published.
    pub authors: Vec<String>,
    /// The language tag it declares, in lower case.
    pub language: Option<String>,
    /// How the text was found, where not in the usual way.
    pub notes: Vec<String>,
}

/// How a page is read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The selectors of its site.
    pub selectors: Option<ArticleSelectors>,
    /// The zone of dates without one.
    pub zone: TimeZone,
    /// What is in the future cannot have been published.
    pub now: Timestamp,
}

impl Reading {
    /// Without selectors, dates in UTC.
    pub const fn new(now: Timestamp) -> Self {
        Self { selectors: None, zone: TimeZone::UTC, now }
    }
}

/// Why a page gave no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// Nothing on it looks like an article.
    #[error("the page has no article text")]
    NoText,
    /// Longer than [`MAX_BYTES`].
    #[error("the page is larger than {0} bytes")]
    TooLarge(usize),
    /// The time given was over.
    #[error("no article text was found in the page within {} ms", .0.as_millis())]
    Deadline(Duration),
    /// The thread could not be started or ended by itself.
    #[error("the page could not be read: {0}")]
    Thread(String),
}

/// The largest page that is read.
pub const MAX_BYTES: usize = 5 << 20;
/// The stack that extraction needs at the depth that is let through.
pub const STACK: usize = 16 << 20;

/// The plain text of an HTML fragment (or of plain text): paragraphs separated by line feeds, entities resolved,
/// scripts, styles and markup gone, nothing else lost.
pub fn plain(html: &str) -> String {
    if !html.contains(['<', '&']) {
        let mut lines = Lines::default();
        lines.text(html, true);
        return lines.finish();
    }
    let (text, had_tags) = resolved(html);
    // `&lt;p&gt;` and `&amp;quot;` are markup that was escaped once too often.
    if !had_tags && (has_tag(&text) || has_entity(&text)) { resolved(&text).0 } else { text }
}

fn resolved(html: &str) -> (String, bool) {
    let tamed = tame(html);
    let document = Html::parse_fragment(&tamed.html);
    (lines_of(document.root_element(), !tamed.has_blocks).finish(), tamed.has_tags)
}

fn has_tag(text: &str) -> bool {
    const NAMES: [&str; 22] = [
        "p",
        "br",
        "div",
        "a",
        "img",
        "span",
        "strong",
        "b",
        "em",
        "i",
        "u",
        "ul",
        "ol",
        "li",
        "h1",
        "h2",
        "h3",
        "h4",
        "table",
        "blockquote",
        "font",
        "figure",
    ];
    text.split('<').skip(1).any(|after| {
        let after = after.strip_prefix('/').unwrap_or(after);
        let name = after.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        let closed = after.contains('>') && NAMES.iter().any(|known| known.eq_ignore_ascii_case(name));
        closed && after.chars().nth(name.len()).is_some_and(|c| c == '>' || c == '/' || c.is_whitespace())
    })
}

fn has_entity(text: &str) -> bool {
    const NAMES: [&str; 16] = [
        "amp", "quot", "apos", "lt", "gt", "nbsp", "laquo", "raquo", "ldquo", "rdquo", "lsquo", "rsquo", "ndash",
        "mdash", "hellip", "zwnj",
    ];
    text.split('&').skip(1).filter_map(|after| after.split_once(';')).any(|(name, _)| {
        let digits = name.strip_prefix('#').map(|digits| digits.trim_start_matches(['x', 'X']));
        NAMES.contains(&name)
            || digits.is_some_and(|d| !d.is_empty() && d.len() < 8 && d.bytes().all(|b| b.is_ascii_hexdigit()))
    })
}

/// Elements whose text is not read by readers.
const UNREAD: [&str; 12] = [
    "script", "style", "noscript", "template", "iframe", "object", "title", "audio", "video", "canvas", "select",
    "datalist",
];
/// Classes of the share and "related" boxes that blog software appends to what it puts in feeds.
const WIDGETS: [&str; 8] = [
    "sharedaddy",
    "jp-relatedposts",
    "addtoany_share_save_container",
    "addtoany_content",
    "a2a_kit",
    "feedflare",
    "heateor_sss_sharing_container",
    "essb_links",
];

enum Step<'a> {
    Enter(ElementRef<'a>),
    Text(&'a str),
    Leave(&'a str),
}

/// The text under `root`, as lines.
fn lines_of(root: ElementRef<'_>, keep_breaks: bool) -> Lines {
    lines_without(root, keep_breaks, &|_| false)
}

/// The text under `root` but what `skips` says, as lines. Steps are kept on the heap, so depth costs no stack.
fn lines_without(root: ElementRef<'_>, keep_breaks: bool, skips: &dyn Fn(&ElementRef<'_>) -> bool) -> Lines {
    let mut lines = Lines::default();
    let mut preformatted = 0_usize;
    let mut steps = vec![Step::Enter(root)];
    while let Some(step) = steps.pop() {
        match step {
            Step::Text(text) => lines.text(text, keep_breaks || preformatted > 0),
            Step::Leave(name) => {
                preformatted -= usize::from(name == "pre");
                close(&mut lines, name);
            }
            Step::Enter(element) => {
                let name = element.value().name();
                let widget = || element.value().classes().any(|class| WIDGETS.contains(&class));
                if UNREAD.contains(&name) || widget() || skips(&element) {
                    continue;
                }
                preformatted += usize::from(name == "pre");
                close(&mut lines, name);
                if name == "a" {
                    lines.link(true);
                }
                steps.push(Step::Leave(name));
                for child in element.children().rev() {
                    if let Some(element) = ElementRef::wrap(child) {
                        steps.push(Step::Enter(element));
                    } else if let Some(text) = child.value().as_text() {
                        steps.push(Step::Text(text));
                    }
                }
                continue;
            }
        }
        if let Step::Leave("a") = step {
            lines.link(false);
        }
    }
    lines
}

fn close(lines: &mut Lines, name: &str) {
    if matches!(name, "td" | "th" | "button" | "input") {
        lines.gap();
    } else if is_block(name) {
        lines.end_line();
    }
}

/// The main text of a page, and what it says of itself. Synchronous and deep in its stack: call it on a thread of
/// [`STACK`] bytes, or use [`page_on_thread`].
pub fn page(html: &str, base: &Url, reading: &Reading) -> Result<Page, PageError> {
    if html.len() > MAX_BYTES {
        return Err(PageError::TooLarge(MAX_BYTES));
    }
    let tamed = tame(html);
    let mut document = Html::parse_document(&tamed.html);
    let mut found = metadata::read(&facts::of(&document), &tamed.json_ld, base, reading);
    let mut notes = Vec::new();
    if tamed.flattened > 0 {
        notes.push(format!("{} tags of the page were dropped: nested too deep or too many", tamed.flattened));
    }
    let selectors = reading.selectors.as_ref();
    let removed = selectors.is_some_and(|selectors| remove(&mut document, &selectors.remove));
    let chosen = selectors.and_then(|selectors| selected(&document, selectors.text.as_deref()?));
    if chosen.is_none() && selectors.is_some_and(|selectors| selectors.text.is_some()) {
        notes.push("the selector of the feed's `article.text` matches nothing on the page".to_owned());
    }
    let text = chosen.unwrap_or_else(|| {
        let html = if removed { document.html() } else { tamed.html };
        let mut lines = choose::article(&document, html, base, found.body.as_deref(), &mut notes);
        headed(&mut lines, &mut found, reading);
        joined(lines.iter())
    });
    if text.is_empty() {
        return Err(PageError::NoText);
    }
    Ok(Page {
        text,
        title: found.title,
        published: found.published,
        canonical: found.canonical,
        image: found.image,
        authors: found.authors,
        language: found.language,
        notes,
    })
}

/// How many lines of an article are looked at for its byline and its date.
const HEAD: usize = 5;

/// Takes the byline and the date out of the head of an article, for [`Metadata`] where it has none.
fn headed(lines: &mut Vec<Line>, found: &mut Metadata, reading: &Reading) {
    let mut at = 0;
    lines.retain(|line| {
        at += 1;
        if at > HEAD {
            return true;
        }
        if let Some(name) = byline(&line.text) {
            let name = metadata::author(&name);
            if found.authors.is_empty() {
                found.authors.extend(name);
            }
            return false;
        }
        let date = may_be_date(&line.text).and_then(|text| metadata::plausible(text, reading));
        found.published = found.published.or(date);
        date.is_none()
    });
}

/// [`page`] on a thread of its own with the stack it needs. When `deadline` is over the thread is left to end by itself;
/// the limits on size, depth and number see to it that it does.
pub fn page_on_thread(html: String, base: Url, reading: Reading, deadline: Duration) -> Result<Page, PageError> {
    let (send, receive) = mpsc::sync_channel(1);
    let work = move || {
        // Nobody listens any more when the deadline is over.
        let _late = send.send(page(&html, &base, &reading));
    };
    let started = std::thread::Builder::new().name("page".to_owned()).stack_size(STACK).spawn(work);
    started.map_err(|error| PageError::Thread(error.to_string()))?;
    receive.recv_timeout(deadline).unwrap_or_else(|why| match why {
        mpsc::RecvTimeoutError::Timeout => Err(PageError::Deadline(deadline)),
        mpsc::RecvTimeoutError::Disconnected => Err(PageError::Thread("its thread broke off".to_owned())),
    })
}

/// What is wrong with the selectors of a feed's articles, in words; empty when nothing is.
pub fn check_selectors(selectors: &ArticleSelectors) -> Vec<String> {
    let all = selectors.text.iter().chain(&selectors.remove);
    all.filter_map(|text| Selector::parse(text).err().map(|error| format!("`{text}` is not a CSS selector: {error}")))
        .collect()
}

/// Cuts out what the selectors match; says whether anything was.
fn remove(document: &mut Html, selectors: &[String]) -> bool {
    let parsed: Vec<_> = selectors.iter().filter_map(|text| Selector::parse(text).ok()).collect();
    let ids: Vec<_> = parsed
        .iter()
        .flat_map(|selector| document.select(selector).map(|found| found.id()).collect::<Vec<_>>())
        .collect();
    for id in &ids {
        if let Some(mut node) = document.tree.get_mut(*id) {
            node.detach();
        }
    }
    !ids.is_empty()
}

/// The text of all that `selector` matches, in the order of the page.
fn selected(document: &Html, selector: &str) -> Option<String> {
    let selector = Selector::parse(selector).ok()?;
    let found: Vec<_> = document.select(&selector).collect();
    // What stands within another match is in that one's text already.
    let outermost =
        found.iter().filter(|one| !one.ancestors().any(|above| found.iter().any(|other| other.id() == above.id())));
    let texts: Vec<_> = outermost.map(|one| lines_of(*one, false).finish()).filter(|text| !text.is_empty()).collect();
    (!texts.is_empty()).then(|| texts.join("\n"))
}

#[cfg(test)]
mod tests;
