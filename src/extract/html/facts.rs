//! What stands in a page, for [`crate::extract::metadata`] to judge.
//!
//! In: a parsed page. Out: [`Facts`], in the order of the page.
//! Promise: linear in the page but for short texts; nothing is judged here, but dates that are printed beside other
//! articles are told from the one under the headline.

use scraper::{ElementRef, Html};

use super::lines_of;
use crate::extract::metadata::Facts;

/// Classes of what names the author.
const BYLINES: [&str; 8] =
    ["author", "byline", "writer", "author-name", "itemauthor", "post-author", "article-author", "entry-author"];
/// Classes of what says when.
const DATES: [&str; 14] = [
    "date",
    "dt",
    "time",
    "meta",
    "info",
    "post-date",
    "entry-date",
    "news-date",
    "article-date",
    "publish-date",
    "published",
    "timestamp",
    "itemdatecreated",
    "date-time",
];
/// No byline and no date is longer, in characters.
const SHORT: usize = 80;
/// How many elements are looked at for either; a page may call all of its thousands so.
const MOST: usize = 64;

fn is_named(element: &ElementRef<'_>, names: &[&str]) -> bool {
    element.value().classes().any(|class| names.iter().any(|name| class.eq_ignore_ascii_case(name)))
}

/// The text of an element, where it is short. Looks no further than that.
fn short(element: &ElementRef<'_>) -> Option<String> {
    let mut letters = 0;
    for text in element.text().take(40) {
        letters += text.trim().chars().take(SHORT + 1).count();
        if letters > SHORT {
            return None;
        }
    }
    let text = lines_of(*element, false).finish().replace('\n', " ");
    (!text.is_empty() && text.chars().count() <= SHORT + 20).then_some(text)
}

/// Printed dates. The one of the article is the first under the first headline; without a headline, the only one.
#[derive(Default)]
struct Dates {
    before: Vec<String>,
    after: Vec<String>,
    headed: bool,
    looked: usize,
}

impl Dates {
    fn headed(&mut self) {
        self.headed = true;
    }

    fn found(&mut self, element: &ElementRef<'_>) {
        let list = if self.headed { &mut self.after } else { &mut self.before };
        if list.len() < 4 && self.looked < MOST {
            self.looked += 1;
            list.extend(short(element));
        }
    }

    fn chosen(self) -> Vec<String> {
        if self.headed || self.before.len() != 1 { self.after } else { self.before }
    }
}

/// Collects them.
pub(super) fn of(document: &Html) -> Facts {
    let mut facts = Facts::default();
    let mut later_times = Vec::new();
    let mut dates = Dates::default();
    let mut bylines = 0;
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
            "h1" => {
                facts.headings.push(text());
                dates.headed();
            }
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
        if bylines < MOST && is_named(&element, &BYLINES) {
            bylines += 1;
            facts.bylines.extend(short(&element));
        }
        if is_named(&element, &DATES) || value.name() == "time" {
            dates.found(&element);
        }
    }
    facts.date_lines = dates.chosen();
    facts.headings.retain(|heading| !heading.is_empty());
    facts.title = facts.title.filter(|title| !title.is_empty());
    facts.times.extend(later_times);
    facts
}
