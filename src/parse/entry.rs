//! One element to one entry: the fields of RSS, RDF and Atom by all their names.
//!
//! In: the element of an item or entry, and the address that its links are relative to. Out: an [`Entry`] without its
//! time, and the times as published ([`dates`]).
//! Promise: nothing is invented; an id is there only where the document gives one.
//! Not here: which elements are entries ([`super::feed`]), what a time means ([`super::times`]).

use url::Url;

use super::entities;
use super::markup::{Token, Tokens};
use super::names::Space;
use super::tree::Element;
use super::{Entry, address};

/// The most authors, tags and pictures read of one entry.
const MAX_LIST: usize = 64;

/// The entry that `element` stands for.
pub fn read(element: &Element<'_>, base: &Url) -> Entry {
    let base = &based(element, base);
    let guid = guid(element);
    let (summary_html, content_html) = texts(element);
    let url = link(element, base).or_else(|| permalink(element).and_then(|link| address(&link, base)));
    let image = picture(element, base)
        .or_else(|| first_image(&content_html, base))
        .or_else(|| first_image(&summary_html, base));
    Entry {
        guid,
        url,
        title: title(element).map(|title| entities::line(&title)).unwrap_or_default(),
        summary_html,
        content_html,
        authors: authors(element),
        tags: tags(element),
        image,
        published: None,
        published_text: None,
        language: language(element),
    }
}

/// The address that links within `element` are relative to.
pub fn based(element: &Element<'_>, base: &Url) -> Url {
    // `BASE` is that of a channel of CDF.
    let cdf = || element.attribute("base").filter(|_| element.is("channel"));
    let own = element.attribute("xml:base").or_else(cdf);
    own.and_then(|own| base.join(own).ok()).unwrap_or_else(|| base.clone())
}

fn is_own(element: &Element<'_>) -> bool {
    matches!(element.space, Space::Rss | Space::Atom)
}

/// The first child of one of these names that says something, in the order of the names.
fn first<T>(element: &Element<'_>, names: &[&str], read: impl Fn(&Element<'_>) -> Option<T>) -> Option<T> {
    names.iter().find_map(|name| element.children().filter(|child| is_own(child) && child.is(name)).find_map(&read))
}

fn of_space<T>(element: &Element<'_>, space: Space, name: &str, read: impl Fn(&Element<'_>) -> Option<T>) -> Option<T> {
    element.children().filter(|child| child.space == space && child.is(name)).find_map(read)
}

fn spoken(text: String) -> Option<String> {
    Some(text).filter(|text| !text.trim().is_empty())
}

/// The words of an element, trimmed.
fn words(element: &Element<'_>) -> Option<String> {
    spoken(element.text().trim().to_owned())
}

/// A text construct as markup, by whatever way it was declared: escaped, elements, base64.
fn construct(element: &Element<'_>) -> Option<String> {
    let of = |name| element.attribute(name).unwrap_or_default().to_ascii_lowercase();
    let (kind, mode) = (of("type"), of("mode"));
    // Atom 0.3 says so; in Atom 1.0 whatever is neither text nor XML is base64.
    let binary = kind.contains('/') && !kind.starts_with("text/") && !kind.contains("xml");
    if mode == "base64" || (mode.is_empty() && binary) {
        let decoded = base64(&element.text()).and_then(|bytes| String::from_utf8(bytes).ok());
        return decoded.and_then(spoken).or_else(|| spoken(element.markup()));
    }
    if kind.contains("xhtml") {
        let mut inner = element.children();
        if let (Some(div), None) = (inner.next(), inner.next())
            && div.is("div")
        {
            return spoken(div.written());
        }
        return spoken(element.markup());
    }
    if matches!(kind.as_str(), "text" | "text/plain") && element.children().next().is_none() {
        let (text, mut out) = (element.text(), String::new());
        super::tree::escape(&text, &mut out);
        return spoken(out);
    }
    spoken(element.markup())
}

/// A title as markup: one of elements keeps them, for they show that what is escaped in it are words.
fn headline(element: &Element<'_>) -> Option<String> {
    let elements = element.attribute("type").is_some_and(|kind| kind.to_ascii_lowercase().contains("xhtml"));
    if elements { spoken(element.markup()) } else { construct(element) }
}

/// The headline, as markup. A title of another vocabulary (`media:title`) counts only where there is no own one.
pub fn title(element: &Element<'_>) -> Option<String> {
    first(element, &["title"], headline)
        .or_else(|| of_space(element, Space::Dc, "title", construct))
        .or_else(|| of_space(element, Space::Media, "title", construct))
        .or_else(|| of_space(element, Space::Itunes, "title", construct))
}

/// The summary and the content, as published.
pub fn texts(element: &Element<'_>) -> (String, String) {
    let content = of_space(element, Space::Content, "encoded", construct)
        .or_else(|| first(element, &["content", "encoded", "fulltext"], construct))
        .or_else(|| {
            // `<xhtml:body>` and the like: RSS with the article as elements.
            let body = |child: &&Element<'_>| child.space == Space::Xhtml && (child.is("body") || child.is("div"));
            element.children().find(body).and_then(|body| spoken(body.written()))
        });
    let summary = first(element, &["description", "summary", "abstract"], construct)
        .or_else(|| of_space(element, Space::Dc, "description", construct))
        .or_else(|| of_space(element, Space::Itunes, "summary", construct))
        .or_else(|| of_space(element, Space::Itunes, "subtitle", construct))
        .or_else(|| {
            let group = of_space(element, Space::Media, "group", |group| {
                of_space(group, Space::Media, "description", construct)
            });
            of_space(element, Space::Media, "description", construct).or(group)
        });
    (summary.unwrap_or_default(), content.unwrap_or_default())
}

fn guid(element: &Element<'_>) -> Option<String> {
    let about =
        || element.attribute("rdf:about").or_else(|| element.attribute("about")).map(str::to_owned).and_then(spoken);
    first(element, &["guid", "id"], words).or_else(about)
}

/// The link of an entry that has only an id, where the id is said to be one.
fn permalink(element: &Element<'_>) -> Option<String> {
    let is_link =
        |guid: &Element<'_>| !guid.attribute("isPermaLink").is_some_and(|said| said.eq_ignore_ascii_case("false"));
    let guid = first(element, &["guid"], |guid| is_link(guid).then(|| words(guid)).flatten());
    let about = || element.attribute("rdf:about").map(str::to_owned);
    // An Atom id is a name; one that is an address is the page's in practice.
    // A path is resolved; other words are names, not addresses relative to something.
    let is_address = |link: &String| link.starts_with('/') || Url::parse(link).is_ok();
    guid.or_else(about).or_else(|| first(element, &["id"], words)).filter(is_address)
}

fn link(element: &Element<'_>, base: &Url) -> Option<Url> {
    let leads_to_page =
        |link: &Element<'_>| link.attribute("rel").is_none_or(|rel| rel.eq_ignore_ascii_case("alternate"));
    let by_text = |link: &Element<'_>| {
        words(link).filter(|_| leads_to_page(link)).and_then(|text| address(&text, &based(link, base)))
    };
    let by_attribute = |link: &Element<'_>| {
        let target =
            link.attribute("href").or_else(|| link.attribute("rdf:resource")).or_else(|| link.attribute("url"));
        target.filter(|_| leads_to_page(link)).and_then(|text| address(text, &based(link, base)))
    };
    let html = |link: &Element<'_>| {
        let page = link.attribute("type").is_none_or(|kind| kind.contains("html"));
        page.then(|| by_attribute(link)).flatten()
    };
    first(element, &["link"], by_text)
        .or_else(|| first(element, &["link"], html))
        .or_else(|| first(element, &["link", "url"], by_attribute))
        .or_else(|| first(element, &["url"], by_text))
        // The items of CDF.
        .or_else(|| element.attribute("href").and_then(|text| address(text, base)))
}

/// The people named, as names; an address only where there is no name.
pub fn authors(element: &Element<'_>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for child in element.children() {
        let person = match child.space {
            Space::Rss | Space::Atom if child.is("author") => {
                let part = |name| first(child, &[name], words);
                part("name")
                    .or_else(|| part("email"))
                    .or_else(|| words(child).filter(|_| child.children().next().is_none()))
            }
            Space::Dc if child.is("creator") || child.is("author") => words(child),
            Space::Itunes if child.is("author") => words(child),
            _ => None,
        };
        let name = person.map(|text| person_name(&entities::line(&text))).filter(|name| !name.is_empty());
        if let Some(name) = name.filter(|name| !out.contains(name) && out.len() < MAX_LIST) {
            out.push(name);
        }
    }
    out
}

/// `a@b.example (سلمى)` and `سلمى <a@b.example>` to `سلمى`.
fn person_name(text: &str) -> String {
    if !text.contains('@') {
        return text.to_owned();
    }
    let within = text.split_once('(').and_then(|(_, tail)| tail.split_once(')')).map(|(name, _)| name.trim());
    let before = text.split_once('<').map(|(name, _)| name.trim());
    within.or(before).filter(|name| !name.is_empty() && !name.contains('@')).unwrap_or(text).to_owned()
}

/// The publisher's categories and keywords.
pub fn tags(element: &Element<'_>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for child in element.children() {
        let (text, list) = match child.space {
            Space::Rss | Space::Atom if child.is("category") => {
                let said = |name| child.attribute(name).map(str::to_owned).and_then(spoken);
                (said("label").or_else(|| said("term")).or_else(|| own_words(child)), false)
            }
            Space::Dc if child.is("subject") => (words(child), false),
            Space::Media | Space::Itunes if child.is("keywords") => (words(child), true),
            _ => continue,
        };
        let text = text.unwrap_or_default();
        for part in text.split(|c| list && matches!(c, ',' | '،' | ';')) {
            let tag = entities::line(part);
            if !tag.is_empty() && !out.contains(&tag) && out.len() < MAX_LIST {
                out.push(tag);
            }
        }
    }
    out
}

/// The words that stand in an element itself, not in one within it.
fn own_words(element: &Element<'_>) -> Option<String> {
    if element.children().next().is_none() { words(element) } else { spoken(element.own_text().trim().to_owned()) }
}

/// The elements that may name a picture or another enclosure.
pub fn media<'e>(element: &'e Element<'e>) -> impl Iterator<Item = &'e Element<'e>> {
    let direct = element.children().chain(
        element.children().filter(|child| child.space == Space::Media && child.is("group")).flat_map(Element::children),
    );
    let nested = |child: &'e Element<'e>| std::iter::once(child).chain(child.children());
    let known = |child: &&Element<'_>| match child.space {
        Space::Media => child.is("content") || child.is("thumbnail"),
        Space::Rss | Space::Atom => child.is("enclosure"),
        _ => false,
    };
    direct.flat_map(nested).filter(known).take(MAX_LIST)
}

/// Whether an enclosure is a picture, by its declared type or its name.
pub fn is_picture(kind: Option<&str>, medium: Option<&str>, url: &str) -> bool {
    match (medium, kind) {
        (Some(medium), _) if !medium.is_empty() => medium.eq_ignore_ascii_case("image"),
        (_, Some(kind)) if kind.contains('/') => kind.to_ascii_lowercase().starts_with("image/"),
        _ => {
            let path = url.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
            [".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif"].iter().any(|end| path.ends_with(end))
        }
    }
}

fn picture(element: &Element<'_>, base: &Url) -> Option<Url> {
    let of_media = media(element).find_map(|found| {
        let url = found.attribute("url")?;
        let thumbnail = found.is("thumbnail");
        let fits = thumbnail || is_picture(found.attribute("type"), found.attribute("medium"), url);
        fits.then(|| address(url, &based(found, base))).flatten()
    });
    let of_link = || {
        element.children().filter(|child| is_own(child) && child.is("link")).find_map(|link| {
            let enclosed = link.attribute("rel").is_some_and(|rel| rel.eq_ignore_ascii_case("enclosure"));
            let url = link.attribute("href").filter(|_| enclosed)?;
            is_picture(link.attribute("type"), None, url).then(|| address(url, base)).flatten()
        })
    };
    let of_image = |image: &Element<'_>| {
        let said =
            ["href", "url", "src", "rdf:resource"].iter().find_map(|name| image.attribute(name)).map(str::to_owned);
        let text = || first(image, &["url"], words).or_else(|| words(image));
        said.or_else(text).and_then(|url| address(&url, base))
    };
    of_media
        .or_else(of_link)
        .or_else(|| of_space(element, Space::Itunes, "image", of_image))
        .or_else(|| first(element, &["image", "thumbnail", "thumb"], of_image))
}

/// The first picture of a text.
fn first_image(html: &str, base: &Url) -> Option<Url> {
    if !html.contains("<img") && !html.contains("<IMG") {
        return None;
    }
    Tokens::of(html).find_map(|token| match token {
        Token::Start { name, attributes, .. } if name.eq_ignore_ascii_case("img") => {
            let source = attributes.iter().find(|(name, _)| name.eq_ignore_ascii_case("src"));
            source.and_then(|(_, value)| address(value, base))
        }
        _ => None,
    })
}

/// The language that the entry declares for itself.
pub fn language(element: &Element<'_>) -> Option<String> {
    let own = element.attribute("xml:lang").map(str::to_owned).and_then(spoken);
    own.or_else(|| of_space(element, Space::Dc, "language", words)).map(|tag| tag.to_ascii_lowercase())
}

/// The times of publication as written, the one that counts most first.
pub fn dates(element: &Element<'_>) -> Vec<String> {
    const NAMES: &[&str] = &["pubdate", "published", "issued", "date", "available", "created", "updated", "modified"];
    let fits = |child: &&Element<'_>, name: &str| {
        matches!(child.space, Space::Rss | Space::Atom | Space::Dc) && child.is(name)
    };
    let of = |name: &&str| -> Vec<String> {
        element.children().filter(|child| fits(child, name)).filter_map(|child| words(child)).take(4).collect()
    };
    let cdf = element.attribute("lastmod").map(str::to_owned);
    NAMES.iter().flat_map(of).chain(cdf).collect()
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut have) = (0_u32, 0);
    for b in text.bytes().filter(|b| !b.is_ascii_whitespace() && *b != b'=') {
        let value = match b {
            b'A'..=b'Z' => b - b'A',
            b'a'..=b'z' => b - b'a' + 26,
            b'0'..=b'9' => b - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xFF_FFFF;
        have += 6;
        if have >= 8 {
            have -= 8;
            out.push((bits >> have & 0xFF) as u8);
        }
    }
    Some(out)
}
