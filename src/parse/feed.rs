//! RSS, RDF and Atom to entries.
//!
//! In: the tree of a document. Out: a [`Parsed`] in the order of the document.
//! Promise: an entry for each item of the document; what `feed_rs` cannot read of the rewritten document is taken from
//! the tree directly, and a note says so. Ids and times are always the document's own: `feed_rs` makes up the first where
//! there is none, and reads few of the second.
//! Not here: order and repetitions ([`super::parse`]).

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use feed_rs::model;
use url::Url;

use super::names::{self, Space};
use super::times::Times;
use super::tree::{Element, Tree};
use super::{Entry, Parsed, Rejected, address, entities, entry, repair};
use crate::units::Span;

/// Where the entries of a document stand, and what stands around them.
struct Layout<'t> {
    entries: Vec<(&'t Element<'t>, Url)>,
    /// `rss`, `channel`, `rdf:RDF`, `feed`: what describes the whole.
    heads: Vec<(&'t Element<'t>, Url)>,
}

fn walk<'t>(element: &'t Element<'t>, base: &Url, layout: &mut Layout<'t>) {
    for child in element.children() {
        if names::is_entry(child.name) {
            layout.entries.push((child, base.clone()));
        } else if !(names::is_line_field(child.name) || names::is_markup_field(child.name)) {
            let base = entry::based(child, base);
            if names::is_container(child.name) {
                layout.heads.push((child, base.clone()));
            }
            walk(child, &base, layout);
        }
    }
}

/// The entries of a feed, or `None` where the tree holds no feed.
pub fn read(tree: &Tree<'_>, url: &Url, times: &Times) -> Option<Parsed> {
    let mut layout = Layout { entries: Vec::new(), heads: Vec::new() };
    walk(&tree.top, url, &mut layout);
    let page = tree.first.is_some_and(|name| name.eq_ignore_ascii_case("html"));
    if layout.entries.is_empty() && (layout.heads.is_empty() || page) || page && layout.heads.is_empty() {
        return None;
    }
    let mut parsed = Parsed { format: format(&layout), ..Parsed::default() };
    describe(&layout, &mut parsed);

    let mut entries: Vec<Entry> = layout.entries.iter().map(|(element, base)| entry::read(element, base)).collect();
    let shared: Vec<String> = layout.heads.iter().flat_map(|(head, _)| head_authors(head)).collect();
    let mut blank = HashSet::new();
    for (n, (entry, (element, _))) in entries.iter_mut().zip(&layout.entries).enumerate() {
        (entry.published, entry.published_text) = times.published(&entry::dates(element));
        // Before it takes over what the feed says of all its entries.
        if *entry == Entry::default() {
            blank.insert(n);
        }
        if entry.authors.is_empty() {
            entry.authors.clone_from(&shared);
        }
        entry.language = entry.language.take().or_else(|| parsed.language.clone());
    }
    match models(&layout) {
        Ok(models) if models.len() == entries.len() => {
            entries.iter_mut().zip(models).for_each(|(entry, model)| join(entry, model));
        }
        Ok(models) => parsed.notes.push(format!(
            "the rewritten document reads as {} entries instead of {}; the tags were read directly",
            models.len(),
            entries.len()
        )),
        Err(reason) => {
            parsed
                .notes
                .push(format!("the rewritten document could not be read ({reason}); the tags were read directly"));
        }
    }
    for (n, entry) in entries.into_iter().enumerate() {
        if !blank.contains(&n) {
            parsed.entries.push(entry);
        } else {
            let reason = "it is empty".to_owned();
            parsed.rejected.push(Rejected { entry: format!("entry {} of the document", n + 1), reason });
        }
    }
    Some(parsed)
}

/// The entries as `feed_rs` reads them out of the rewritten document.
fn models(layout: &Layout<'_>) -> Result<Vec<model::Entry>, String> {
    if layout.entries.is_empty() {
        return Ok(Vec::new());
    }
    let elements = layout.entries.iter().map(|(element, _)| *element);
    let atom = layout.entries.first().is_some_and(|(element, _)| element.is("entry"));
    let document = if atom { repair::as_atom(elements) } else { repair::as_rss(elements) };
    let parser = feed_rs::parser::Builder::new().sanitize_content(false).build();
    // It is given nothing that it is known to panic on. Should there be more, the entries must not suffer.
    match catch_unwind(AssertUnwindSafe(|| parser.parse(document.as_bytes()))) {
        Ok(Ok(feed)) => Ok(feed.entries),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the reader broke off".to_owned()),
    }
}

/// Puts what the model says into the entry; where it says nothing, what the tags said stays.
fn join(entry: &mut Entry, model: model::Entry) {
    if let Some(title) = model.title.map(|text| entities::line(&text.content)).filter(|title| !title.is_empty()) {
        entry.title = title;
    }
    if entry.tags.is_empty() {
        entry.tags = model.categories.into_iter().map(|category| category.label.unwrap_or(category.term)).collect();
    }
    // The model takes addresses of any kind, such as `javascript:`; a picture is one of the web's.
    let of_web = |url: &Url| address(url.as_str(), url);
    let picture = |media: &model::MediaObject| {
        let of_content = media.content.iter().find_map(|content| {
            let kind = content.content_type.as_ref().map(ToString::to_string);
            let url = content.url.as_ref().filter(|url| entry::is_picture(kind.as_deref(), None, url.as_str()));
            url.and_then(of_web)
        });
        let thumbnails = || media.thumbnails.iter().filter_map(|thumbnail| Url::parse(&thumbnail.image.uri).ok());
        of_content.or_else(|| thumbnails().find_map(|url| of_web(&url)))
    };
    if entry.image.is_none() {
        entry.image = model.media.iter().find_map(picture);
    }
}

/// The format's name, as the root element says it.
fn format(layout: &Layout<'_>) -> String {
    let Some((root, _)) = layout.heads.first() else {
        return "entries without a feed".to_owned();
    };
    let version = root.attribute("version").unwrap_or_default();
    let declares =
        |part: &str| root.attributes.iter().any(|(name, value)| name.starts_with("xmlns") && value.contains(part));
    match root.name.to_ascii_lowercase().as_str() {
        "feed" if version == "0.3" || declares("purl.org/atom") => "Atom 0.3".to_owned(),
        "feed" => "Atom 1.0".to_owned(),
        "rdf" if declares("netscape.com") || declares("rss/0.9") => "RDF 0.90".to_owned(),
        "rdf" => "RDF 1.0".to_owned(),
        "channel" if root.attribute("href").is_some() || root.attribute("lastmod").is_some() => "CDF".to_owned(),
        _ if version.is_empty() || version.len() > 8 => "RSS".to_owned(),
        _ => format!("RSS {version}"),
    }
}

fn own<'t>(head: &'t Element<'t>, name: &'static str) -> impl Iterator<Item = &'t Element<'t>> {
    head.children().filter(move |child| matches!(child.space, Space::Rss | Space::Atom) && child.is(name))
}

fn head_authors(head: &Element<'_>) -> Vec<String> {
    // Only Atom says that a feed's author is that of its entries.
    if head.is("feed") { entry::authors(head) } else { Vec::new() }
}

/// Title, language, site and pace of the whole feed.
fn describe(layout: &Layout<'_>, parsed: &mut Parsed) {
    for (head, base) in &layout.heads {
        let title = entry::title(head).map(|title| entities::line(&title)).filter(|title| !title.is_empty());
        parsed.title = parsed.title.take().or(title);
        let language = own(head, "language").map(|child| child.text().trim().to_ascii_lowercase());
        let language = language.into_iter().find(|tag| !tag.is_empty()).or_else(|| entry::language(head));
        parsed.language = parsed.language.take().or(language);
        let site = own(head, "link").find_map(|link| {
            let rel = link.attribute("rel").unwrap_or("alternate");
            let text = link.attribute("href").map_or_else(|| link.text(), str::to_owned);
            rel.eq_ignore_ascii_case("alternate").then(|| address(&text, base)).flatten()
        });
        parsed.site = parsed.site.take().or(site);
        parsed.asked_interval = parsed.asked_interval.or_else(|| pace(head));
    }
}

/// `ttl` in minutes, else `sy:updatePeriod` divided by `sy:updateFrequency`.
fn pace(head: &Element<'_>) -> Option<Span> {
    let number = |child: &Element<'_>| child.text().trim().parse::<u64>().ok().filter(|n| (1..=1_000_000).contains(n));
    if let Some(minutes) = own(head, "ttl").find_map(number) {
        return Some(Span::secs(minutes * 60));
    }
    let period = match head.child(Space::Sy, "updatePeriod")?.text().trim().to_ascii_lowercase().as_str() {
        "hourly" => 3_600,
        "daily" => 86_400,
        "weekly" => 7 * 86_400,
        "monthly" => 30 * 86_400,
        "yearly" => 365 * 86_400,
        _ => return None,
    };
    let times = head.child(Space::Sy, "updateFrequency").and_then(number).unwrap_or(1);
    Some(Span::secs((period / times).max(1)))
}
