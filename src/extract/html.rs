//! Main text of a page, and plain text of a fragment.
//!
//! In: HTML as decoded. Out: plain text, paragraphs separated by line feeds; for a page also what it says of itself.
//! Promise: no input overflows the stack, for everything is tamed first ([`super::tame`]); markup that was escaped twice is
//! still markup; text that only looks like markup (`3 < 5`) is kept.
//! The ladder for a page: the site's own selectors; the general extraction; where that gave nearly the whole page or
//! little beside what is there, JSON-LD or the densest part of the page. Each step but the first two is noted.
//! Not here: fetching ([`crate::fetch`]) and character sets ([`crate::text::decode`]).

use std::sync::mpsc;
use std::time::Duration;

use jiff::Timestamp;
use scraper::{ElementRef, Html, Selector};
use url::Url;

use crate::extract::article::{Extracted, extract};
use crate::extract::lines::Lines;
use crate::extract::metadata::{self, Facts};
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

/// The text under `root`, as lines. Steps are kept on the heap, so depth costs no stack.
fn lines_of(root: ElementRef<'_>, keep_breaks: bool) -> Lines {
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
                if UNREAD.contains(&name) || element.value().classes().any(|class| WIDGETS.contains(&class)) {
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
pub fn page(html: &str, base: &Url, selectors: Option<&ArticleSelectors>, now: Timestamp) -> Result<Page, PageError> {
    if html.len() > MAX_BYTES {
        return Err(PageError::TooLarge(MAX_BYTES));
    }
    let tamed = tame(html);
    let mut document = Html::parse_document(&tamed.html);
    let found = metadata::read(&facts(&document), &tamed.json_ld, base, now);
    let mut notes = Vec::new();
    if tamed.flattened > 0 {
        notes.push(format!("{} tags of the page were dropped: nested too deep or too many", tamed.flattened));
    }
    let removed = selectors.is_some_and(|selectors| remove(&mut document, &selectors.remove));
    let chosen = selectors.and_then(|selectors| selected(&document, selectors.text.as_deref()?));
    if chosen.is_none() && selectors.is_some_and(|selectors| selectors.text.is_some()) {
        notes.push("the selector of the feed's `article.text` matches nothing on the page".to_owned());
    }
    let text = chosen.unwrap_or_else(|| {
        let html = if removed { document.html() } else { tamed.html };
        general(&document, html, base, found.body.as_deref(), &mut notes)
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

/// [`page`] on a thread of its own with the stack it needs. When `deadline` is over the thread is left to end by itself;
/// the limits on size, depth and number see to it that it does.
pub fn page_on_thread(
    html: String,
    base: Url,
    selectors: Option<ArticleSelectors>,
    now: Timestamp,
    deadline: Duration,
) -> Result<Page, PageError> {
    let (send, receive) = mpsc::sync_channel(1);
    let work = move || {
        // Nobody listens any more when the deadline is over.
        let _late = send.send(page(&html, &base, selectors.as_ref(), now));
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

/// Fewer characters than this are a caption or a teaser.
const ARTICLE: usize = 200;

fn general(document: &Html, html: String, base: &Url, json_body: Option<&str>, notes: &mut Vec<String>) -> String {
    let Some(body) = first(document, "body") else { return String::new() };
    let (all, linked) = lines_of(body, false).size();
    let html =
        if has_page_form(document, all) { html.replace("<form", "<div").replace("</form>", "</div>") } else { html };
    let main = match extract(&html, base) {
        Extracted::Main(html) => Html::parse_fragment(&tame(&html).html),
        Extracted::Nothing => Html::parse_fragment(""),
        Extracted::Failed => {
            notes.push("the general extraction broke on this page".to_owned());
            Html::parse_fragment("")
        }
    };
    let main = lines_of(main.root_element(), false);
    let (size, _) = main.size();
    let densest = densest(body);
    let dense_size = densest.map_or(0, |part| lines_of(part, false).size().0);
    // A page of links of which nearly everything came back: the extractor found no article in it.
    let whole = all > ARTICLE && size * 100 > all * 85 && linked * 100 > all * 20;
    let little = dense_size >= ARTICLE && dense_size > size * 2;
    if !whole && !little && size > 0 {
        return main.finish_article();
    }
    let json_body = json_body.map(plain).filter(|text| text.chars().count() >= ARTICLE);
    if let Some(text) = json_body {
        notes.push("the text is from the page's JSON-LD".to_owned());
        return text;
    }
    match densest.filter(|_| dense_size >= ARTICLE || size == 0) {
        Some(part) => {
            notes.push("the text is from the part of the page with the most prose".to_owned());
            lines_of(part, false).finish_article()
        }
        None => {
            if whole {
                notes.push("the text may be the whole page".to_owned());
            }
            main.finish_article()
        }
    }
}

fn first<'a>(document: &'a Html, selector: &str) -> Option<ElementRef<'a>> {
    document.select(&Selector::parse(selector).ok()?).next()
}

/// Whether one form holds most of the page's text, as ASP.NET makes them; extraction drops forms (trap T13).
fn has_page_form(document: &Html, all: usize) -> bool {
    let Ok(forms) = Selector::parse("form") else { return false };
    document.select(&forms).any(|form| lines_of(form, false).size().0 * 2 > all)
}

/// Where readers are led elsewhere.
const AROUND: [&str; 6] = ["nav", "footer", "aside", "header", "menu", "button"];
/// What prose stands in directly.
const PROSE: [&str; 10] = ["p", "span", "font", "b", "strong", "em", "i", "blockquote", "h2", "h3"];

/// The element with the most prose right in it, links not counted; or the article that it stands in.
fn densest(body: ElementRef<'_>) -> Option<ElementRef<'_>> {
    // Prose of each element, links not counted. Children stand after their parents, so the last come first.
    let mut prose = std::collections::HashMap::new();
    let mut best: Option<(usize, ElementRef<'_>)> = None;
    let nodes: Vec<_> = body.descendants().collect();
    for node in nodes.into_iter().rev() {
        let size = if let Some(text) = node.value().as_text() {
            text.chars().filter(|c| !c.is_whitespace()).count()
        } else if let Some(element) = ElementRef::wrap(node) {
            let name = element.value().name();
            let of = |child: &_| prose.get(child).copied().unwrap_or(0);
            let counts = |child: &ElementRef<'_>| PROSE.contains(&child.value().name());
            let direct: usize = node
                .children()
                .filter(|child| ElementRef::wrap(*child).is_none_or(|e| counts(&e)))
                .map(|child| of(&child.id()))
                .sum();
            let hidden = name == "a" || AROUND.contains(&name) || UNREAD.contains(&name);
            // A single paragraph is not the article that it stands in.
            let container = !hidden && !PROSE.contains(&name);
            if container && direct > 0 && best.is_none_or(|(size, _)| direct >= size) {
                best = Some((direct, element));
            }
            if hidden { 0 } else { node.children().map(|child| of(&child.id())).sum() }
        } else {
            0
        };
        prose.insert(node.id(), size);
    }
    let (_, part) = best?;
    let is_article =
        |element: &ElementRef<'_>| element.value().attr("itemprop").is_some_and(|prop| prop == "articleBody");
    part.ancestors().filter_map(ElementRef::wrap).find(is_article).or(Some(part))
}

fn facts(document: &Html) -> Facts {
    let mut facts = Facts::default();
    let mut later_times = Vec::new();
    for element in document.root_element().descendent_elements() {
        let value = element.value();
        let attribute = |name: &str| value.attr(name).map(str::trim).filter(|text| !text.is_empty());
        let text = || lines_of(element, false).finish().replace('\n', " ");
        let itemprop = attribute("itemprop");
        match value.name() {
            "html" => facts.language = attribute("lang").map(str::to_owned),
            "title" if facts.title.is_none() => {
                facts.title = Some(element.text().collect::<String>().trim().to_owned())
            }
            "h1" => facts.headings.push(text()),
            "meta" => {
                let names = [attribute("property"), attribute("name"), itemprop].into_iter().flatten();
                let content = attribute("content");
                facts.metas.extend(names.filter_map(|name| Some((name.to_ascii_lowercase(), content?.to_owned()))));
            }
            "link" if attribute("rel").is_some_and(|rel| rel.eq_ignore_ascii_case("canonical")) => {
                facts.canonical = facts.canonical.take().or(attribute("href").map(str::to_owned));
            }
            "time" => {
                let published = value.attr("pubdate").is_some() || itemprop == Some("datePublished");
                let list = if published { &mut facts.times } else { &mut later_times };
                list.extend(attribute("datetime").map(str::to_owned));
            }
            _ => {}
        }
        let is_author = itemprop == Some("author") || attribute("rel") == Some("author");
        if is_author && value.name() != "meta" && facts.authors.len() < 8 {
            facts.authors.push(text());
        }
    }
    facts.headings.retain(|heading| !heading.is_empty());
    facts.title = facts.title.filter(|title| !title.is_empty());
    facts.times.extend(later_times);
    facts
}

#[cfg(test)]
mod tests;
