//! Listing pages to entries, by CSS selectors.
//!
//! In: the text of a web page and the selectors of its feed. Out: a [`Parsed`] in the order of the page.
//! Promise: links are resolved as a browser resolves them; an entry without one is rejected with that reason.
//! Not here: the pages that the links lead to ([`crate::extract`]).

use scraper::{ElementRef, Html, Selector};
use url::Url;

use super::times::Times;
use super::{Entry, Parsed, Rejected, address, detect, entities};
use crate::source::{PageSelectors, PollError};

/// A selector, and the attribute that is taken in place of the text.
struct Field {
    /// `None` stands for the entry itself: `"@href"`.
    selector: Option<Selector>,
    attribute: Option<String>,
}

impl Field {
    fn new(key: &str, written: &str) -> Result<Self, String> {
        let (selector, attribute) = split(written);
        let selector = if selector.is_empty() && attribute.is_some() { None } else { Some(select(key, selector)?) };
        Ok(Self { selector, attribute: attribute.map(str::to_owned) })
    }

    /// What the field says within `entry`: the first match that says anything.
    fn read(&self, entry: ElementRef<'_>) -> Option<String> {
        let say = |element: ElementRef<'_>| {
            let text = match &self.attribute {
                Some(name) => element.value().attr(name)?.trim().to_owned(),
                None => entities::collapse(&element.text().collect::<Vec<_>>().join(" ")),
            };
            Some(text).filter(|text| !text.is_empty())
        };
        match &self.selector {
            Some(selector) => entry.select(selector).find_map(say),
            None => say(entry),
        }
    }
}

/// `"a.card@href"` to its selector and its attribute. An `@` within brackets or quotes belongs to the selector.
fn split(written: &str) -> (&str, Option<&str>) {
    match written.rsplit_once('@') {
        Some((selector, name))
            if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_:".contains(c)) =>
        {
            (selector.trim(), Some(name))
        }
        _ => (written.trim(), None),
    }
}

fn select(key: &str, selector: &str) -> Result<Selector, String> {
    Selector::parse(selector).map_err(|error| format!("`{key}`: `{selector}` is not a CSS selector: {error}"))
}

/// The compiled selectors of a feed.
struct Fields {
    entry: Selector,
    link: Field,
    title: Option<Field>,
    date: Option<Field>,
    summary: Option<Field>,
}

impl Fields {
    fn new(written: &PageSelectors) -> Result<Self, Vec<String>> {
        let mut wrong = Vec::new();
        let mut optional = |key, written: &Option<String>| {
            let field = written.as_deref().map(|written| Field::new(key, written)).transpose();
            field.unwrap_or_else(|problem| {
                wrong.push(problem);
                None
            })
        };
        let (title, date) = (optional("title", &written.title), optional("date", &written.date));
        let summary = optional("summary", &written.summary);
        let entry = select("entry", &written.entry).map_err(|problem| wrong.push(problem));
        let link = Field::new("link", &written.link).map_err(|problem| wrong.push(problem));
        match (entry, link) {
            (Ok(entry), Ok(link)) if wrong.is_empty() => Ok(Self { entry, link, title, date, summary }),
            _ => Err(wrong),
        }
    }
}

/// What is wrong with the selectors of a feed, one line each; nothing where they can be used.
pub fn check_selectors(selectors: &PageSelectors) -> Vec<String> {
    let mut wrong = Fields::new(selectors).err().unwrap_or_default();
    if split(&selectors.entry).1.is_some() {
        wrong.push(format!("`entry`: `{}` takes an attribute; it must select elements", selectors.entry));
    }
    wrong
}

/// Reads a listing page.
///
/// # Errors
/// `selector` where a selector is not one; `bot-wall`, `login-page` and `not-a-feed` where the page holds no entry.
pub(super) fn read(
    text: &str,
    url: &Url,
    selectors: &PageSelectors,
    times: &Times,
    limit: usize,
) -> Result<Parsed, PollError> {
    let fields = Fields::new(selectors).map_err(|wrong| {
        let hint = "correct the selectors under `[feed.page]`; `rasid check` names every wrong one";
        detect::soft("selector", format!("the selectors for {url} cannot be used: {}", wrong.join("; ")), hint)
    })?;
    let page = Html::parse_document(text);
    let base =
        first(&page, "base[href]", "href").and_then(|base| url.join(base.trim()).ok()).unwrap_or_else(|| url.clone());
    let mut parsed = Parsed { format: "page".to_owned(), site: Some(url.clone()), ..Parsed::default() };
    parsed.language =
        first(&page, "html[lang]", "lang").map(|tag| tag.trim().to_ascii_lowercase()).filter(|tag| !tag.is_empty());
    parsed.title = Selector::parse("title").ok().and_then(|selector| {
        let title = page.select(&selector).next()?;
        Some(entities::collapse(&title.text().collect::<String>())).filter(|title| !title.is_empty())
    });
    let mut matches = 0;
    for element in page.select(&fields.entry) {
        matches += 1;
        if matches > limit {
            parsed.notes.push(format!("cut after {limit} entries (`max_entries` of the feed)"));
            break;
        }
        let title = match &fields.title {
            Some(field) => field.read(element),
            None => link_text(&fields.link, element),
        };
        let title = title.unwrap_or_default();
        let link = link(&fields.link, element);
        let Some(target) = link.as_deref().and_then(|link| address(link, &base)) else {
            let reason = match link {
                Some(link) => format!("its link `{link}` is not an address of the web"),
                None => format!("`{}` finds no link in it", selectors.link),
            };
            let entry = if title.is_empty() { format!("match {matches} of `{}`", selectors.entry) } else { title };
            parsed.rejected.push(Rejected { entry, reason });
            continue;
        };
        let written: Vec<String> = fields.date.as_ref().and_then(|field| field.read(element)).into_iter().collect();
        let (published, published_text) = times.published(&written);
        let summary = fields.summary.as_ref().and_then(|field| field.read(element)).unwrap_or_default();
        let mut summary_html = String::new();
        super::tree::escape(&summary, &mut summary_html);
        let language = parsed.language.clone();
        let entry =
            Entry { url: Some(target), title, summary_html, published, published_text, language, ..Entry::default() };
        parsed.entries.push(entry);
    }
    if matches == 0 {
        let message = format!("`{}` matches nothing on {url}", selectors.entry);
        let hint = "the page may have a new shape: look at it in a browser and correct `entry` under `[feed.page]`";
        return Err(detect::barrier(text, url).unwrap_or_else(|| detect::soft("not-a-feed", message, hint)));
    }
    Ok(parsed)
}

/// The link of an entry; without an attribute in the selector, that of the first match that has one.
fn link(field: &Field, entry: ElementRef<'_>) -> Option<String> {
    if field.attribute.is_some() {
        return field.read(entry);
    }
    let href = |element: ElementRef<'_>| element.value().attr("href").map(|href| href.trim().to_owned());
    field.selector.as_ref().and_then(|selector| entry.select(selector).find_map(href))
}

/// The words of the link, for entries without a title of their own.
fn link_text(field: &Field, entry: ElementRef<'_>) -> Option<String> {
    let words = Field { selector: field.selector.clone(), attribute: None };
    words.read(entry)
}

fn first<'p>(page: &'p Html, selector: &str, attribute: &str) -> Option<&'p str> {
    page.select(&Selector::parse(selector).ok()?).next()?.value().attr(attribute)
}
