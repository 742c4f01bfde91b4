//! Which part of a page is its article.
//!
//! In: a parsed page, its HTML for the general extraction, the JSON-LD's text. Out: the lines of the article.
//! Promise: each step but the first is noted where it decides. The ladder:
//! 1. The general extraction. Where the page is one ASP.NET form, which extraction drops, the form is a `div` (trap T13).
//! 2. Where that gave nearly the whole of a page of links, or little beside what is there: the text of the JSON-LD, or the
//!    part of the page with the most prose.
//! 3. Lines that stand in what is beside that part and is rich in links (a column of teasers) are left out; paragraphs of
//!    it that the extraction lost, as it does with text right in a `<div>`, are put back.
//!
//! Why not a second extractor: no vote of several beats the best single one (measured on 439 public pages), and the text
//! of the JSON-LD is worse than extraction where both are there; so both are ways out, not judges.

use std::collections::{HashMap, HashSet};

use scraper::{ElementRef, Html, Selector};
use url::Url;

use super::{UNREAD, lines_of, lines_without, plain};
use crate::extract::article::{Extracted, extract};
use crate::extract::furniture::is_furniture;
use crate::extract::lines::{Line, Lines};
use crate::extract::tame::tame;

/// Fewer characters than this are a caption or a teaser.
const ARTICLE: usize = 200;
/// A line with this many characters that are not links is a paragraph.
const PARAGRAPH: usize = 40;
/// Where a quarter of the characters are links, readers are led elsewhere.
const LINKED: usize = 25;

/// The lines of the article.
pub(super) fn article(
    document: &Html,
    html: String,
    base: &Url,
    json_body: Option<&str>,
    notes: &mut Vec<String>,
) -> Vec<Line> {
    let Some(body) = first(document, "body") else { return Vec::new() };
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
    let main = prose_of(main.root_element());
    let (size, _) = main.size();
    let densest = densest(body);
    let dense_size = densest.map_or(0, |part| prose_of(part).size().0);
    // A page of links of which nearly everything came back: the extractor found no article in it.
    let whole = all > ARTICLE && size * 100 > all * 85 && linked * 100 > all * 20;
    let little = dense_size >= ARTICLE && dense_size > size * 2;
    if !whole && !little && size > 0 {
        let main = once(main.into_article(), body);
        return match densest {
            Some(part) => mended(main, part),
            None => main,
        };
    }
    let json_body = json_body.map(plain).filter(|text| text.chars().count() >= ARTICLE);
    if let Some(text) = json_body {
        notes.push("the text is from the page's JSON-LD".to_owned());
        let mut lines = Lines::default();
        lines.text(&text, true);
        return lines.into_article();
    }
    match densest.filter(|_| dense_size >= ARTICLE || size == 0) {
        Some(part) => {
            notes.push("the text is from the part of the page with the most prose".to_owned());
            prose_of(part).into_article()
        }
        None => {
            if whole {
                notes.push("the text may be the whole page".to_owned());
            }
            once(main.into_article(), body)
        }
    }
}

fn first<'a>(document: &'a Html, selector: &str) -> Option<ElementRef<'a>> {
    document.select(&Selector::parse(selector).ok()?).next()
}

/// The text of an article without what describes its pictures.
fn prose_of(root: ElementRef<'_>) -> Lines {
    lines_without(root, false, &|element| element.value().name() == "figcaption")
}

/// Whether one form holds most of the page's text, as ASP.NET makes them; extraction drops forms (trap T13).
fn has_page_form(document: &Html, all: usize) -> bool {
    let Ok(forms) = Selector::parse("form") else { return false };
    document.select(&forms).any(|form| lines_of(form, false).size().0 * 2 > all)
}

/// Lines that came more often than they stand on the page, as those of a table in a table do, come as often as they stand.
fn once(main: Vec<Line>, body: ElementRef<'_>) -> Vec<Line> {
    let mut seen = HashSet::new();
    let size = |lines: &[Line]| lines.iter().map(|line| line.chars).sum::<usize>();
    let all = lines_of(body, false).size().0;
    if main.iter().all(|line| seen.insert(key(line))) && size(&main) <= all {
        return main;
    }
    let mut left: HashMap<String, usize> = HashMap::new();
    for line in lines_of(body, false).into_lines() {
        *left.entry(key(&line)).or_default() += 1;
    }
    let mut joined = HashSet::new();
    let main: Vec<Line> = main
        .into_iter()
        .filter(|line| {
            let key = key(line);
            match left.get_mut(&key) {
                Some(left) => std::mem::replace(left, left.saturating_sub(1)) > 0,
                // The extraction made it of several lines: a paragraph is none that comes twice.
                None => joined.insert(key) || line.chars < PARAGRAPH,
            }
        })
        .collect();
    if size(&main) <= all || main.len() > MOST_LINES {
        return main;
    }
    // Still more than there is on the page: what it made of several lines stands there once more line by line.
    let keys: Vec<String> = main.iter().map(key).collect();
    let within = |at: usize| keys.iter().any(|other| other.len() > keys[at].len() && other.contains(&keys[at]));
    main.into_iter().enumerate().filter(|(at, _)| !within(*at)).map(|(_, line)| line).collect()
}

/// What the extraction found, without lines that stand beside the article, and with the paragraphs of it that were lost.
/// `part` is where most prose is: where little of what was found stands in it, nothing is known of the rest.
fn mended(main: Vec<Line>, part: ElementRef<'_>) -> Vec<Line> {
    let inside = prose_of(part).into_lines();
    let inside_keys: HashSet<String> = inside.iter().map(key).collect();
    let size = |lines: &mut dyn Iterator<Item = &Line>| lines.map(|line| line.chars).sum::<usize>();
    let found = size(&mut main.iter());
    let common = size(&mut main.iter().filter(|line| inside_keys.contains(&key(line))));
    if common * 100 < found * 40 {
        return main;
    }
    let main = without_sides(main, part, &inside_keys, found);
    restored(main, part, common * 100 >= found * 75)
}

/// Leaves out what stands only in a neighbour of the article that is rich in links; all of it, where that is less than half.
fn without_sides(main: Vec<Line>, part: ElementRef<'_>, inside: &HashSet<String>, found: usize) -> Vec<Line> {
    let (mut beside, mut around) = (HashSet::new(), HashSet::new());
    let mut below = part.id();
    for above in part.ancestors().filter_map(ElementRef::wrap) {
        for neighbour in above.children().filter(|child| child.id() != below).filter_map(ElementRef::wrap) {
            if UNREAD.contains(&neighbour.value().name()) {
                continue;
            }
            let lines = lines_of(neighbour, false);
            let (all, linked) = lines.size();
            let side = all > PARAGRAPH && linked * 100 >= all * LINKED;
            let set = if side { &mut beside } else { &mut around };
            set.extend(lines.into_lines().iter().map(key));
        }
        below = above.id();
        if above.value().name() == "body" {
            break;
        }
    }
    let is_beside = |line: &Line| {
        let key = key(line);
        beside.contains(&key) && !inside.contains(&key) && !around.contains(&key)
    };
    let dropped: usize = main.iter().filter(|line| is_beside(line)).map(|line| line.chars).sum();
    if dropped * 2 >= found {
        return main;
    }
    main.into_iter().filter(|line| !is_beside(line)).collect()
}

/// Elements whose paragraphs an extraction leaves out on purpose.
const LEFT_OUT: [&str; 11] =
    ["figcaption", "figure", "aside", "nav", "header", "footer", "form", "ul", "ol", "table", "button"];

/// The longest article whose lost paragraphs are put back, in lines and in bytes.
const MOST_LINES: usize = 500;
const MOST_TEXT: usize = 200_000;

/// Puts back the paragraphs that stand in `part` and were lost, where a tenth of it or more was: `whole` says that `part`
/// is the article.
fn restored(main: Vec<Line>, part: ElementRef<'_>, whole: bool) -> Vec<Line> {
    let is_part = |element: &ElementRef<'_>| element.id() == part.id();
    let skips = |element: &ElementRef<'_>| {
        !is_part(element) && LEFT_OUT.contains(&element.value().name()) || element.value().classes().any(is_aside)
    };
    let lines = lines_without(part, false, &skips).into_article();
    let known: HashSet<String> = main.iter().map(key).collect();
    let text: String = main.iter().map(key).collect();
    let lost = |line: &Line| {
        let key = key(line);
        line.chars - line.linked >= PARAGRAPH
            && line.linked * 100 < line.chars * LINKED
            && !known.contains(&key)
            && !text.contains(&key)
            && !is_furniture(&line.text)
    };
    // Each line is looked for in the whole text: only for pages of an ordinary size.
    if !whole || lines.len() > MOST_LINES || text.len() > MOST_TEXT {
        return main;
    }
    let missing: usize = lines.iter().filter(|line| lost(line)).map(|line| line.chars).sum();
    let all: usize = lines.iter().map(|line| line.chars).sum();
    if missing * 10 < all {
        return main;
    }
    // What the part does not have (a headline, a paragraph before it) stays where it was: at the head or at the end.
    let order: HashMap<String, usize> = lines.iter().enumerate().map(|(at, line)| (key(line), at)).collect();
    let lost: Vec<(usize, Line)> = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| lost(line))
        .map(|(at, line)| (at, Line { text: line.text.clone(), chars: line.chars, linked: line.linked }))
        .collect();
    let mut lost = lost.into_iter().peekable();
    let mut out = Vec::with_capacity(main.len() + 8);
    for line in main {
        if let Some(at) = order.get(&key(&line)) {
            while let Some((_, earlier)) = lost.next_if(|(place, _)| place < at) {
                out.push(earlier);
            }
        }
        out.push(line);
    }
    out.extend(lost.map(|(_, line)| line));
    out
}

/// Classes of what is put into articles and is none of them.
fn is_aside(class: &str) -> bool {
    const NAMES: [&str; 9] =
        ["related", "share", "social", "comment", "caption", "newsletter", "advert", "promo", "bio"];
    let class = class.to_ascii_lowercase();
    NAMES.iter().any(|name| class.split(['-', '_']).any(|word| word.starts_with(name)))
}

/// A line as it is recognized in two readings of one page.
fn key(line: &Line) -> String {
    line.text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Where readers are led elsewhere.
const AROUND: [&str; 6] = ["nav", "footer", "aside", "header", "menu", "button"];
/// What prose stands in directly.
const PROSE: [&str; 10] = ["p", "span", "font", "b", "strong", "em", "i", "blockquote", "h2", "h3"];

/// The element with the most prose right in it, links not counted; or the article that it stands in.
fn densest(body: ElementRef<'_>) -> Option<ElementRef<'_>> {
    // Prose of each element, links not counted. Children stand after their parents, so the last come first.
    let mut prose = HashMap::new();
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
