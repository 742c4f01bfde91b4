//! Sitemaps to entries: those of news, plain ones, and indexes of further ones.
//!
//! In: the tree of a document. Out: a [`Parsed`] in the order of the document; of an index, the further documents.
//! Promise: an address without a title is an entry all the same; the page says its title later.
//! Not here: fetching the documents of an index ([`crate::pipeline`]).

use url::Url;

use super::entities;
use super::names::{self, Space};
use super::times::Times;
use super::tree::{Element, Tree};
use super::{Entry, Parsed, Rejected, address};

/// The most documents of an index that are named.
const MAX_MORE: usize = 1_000;

/// The entries of a sitemap, or `None` where the tree holds none.
pub fn read(tree: &Tree<'_>, url: &Url, times: &Times, limit: usize) -> Option<Parsed> {
    let of_name = |name: &'static str| tree.top.children().filter(move |root| root.is(name));
    let (sets, indexes): (Vec<_>, Vec<_>) = (of_name("urlset").collect(), of_name("sitemapindex").collect());
    // What comes first is what the document is: a stray `<urlset>` in a damaged feed makes no sitemap of it.
    if !tree.top.children().next().is_some_and(|root| names::is_any_sitemap(root.name)) {
        return None;
    }
    let format = if sets.is_empty() { "sitemap index" } else { "sitemap" };
    let mut parsed = Parsed { format: format.to_owned(), ..Parsed::default() };
    let addresses = sets.iter().flat_map(|set| set.children()).filter(|child| child.is("url"));
    for (n, place) in addresses.enumerate() {
        if n >= limit {
            parsed.notes.push(format!("cut after {limit} entries (`max_entries` of the feed)"));
            break;
        }
        match place_of(place, url) {
            Some(target) => parsed.entries.push(entry(place, target, url, times)),
            None => parsed.rejected.push(Rejected {
                entry: format!("address {} of the sitemap", n + 1),
                reason: "it has no readable `loc`".to_owned(),
            }),
        }
    }
    let mut more: Vec<_> = indexes
        .iter()
        .flat_map(|index| index.children())
        .filter(|child| child.is("sitemap"))
        .filter_map(|child| Some((words(child, "lastmod").and_then(|text| times.read(&text)), place_of(child, url)?)))
        .collect();
    // Newest first; those without a time keep their order behind them.
    more.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    if more.len() > MAX_MORE {
        parsed.notes.push(format!("only {MAX_MORE} of {} documents of the index are followed", more.len()));
    }
    parsed.more = more.into_iter().map(|(_, target)| target).take(MAX_MORE).collect();
    Some(parsed)
}

/// The words of the first child of this name that has any, whatever its vocabulary.
fn words(element: &Element<'_>, name: &str) -> Option<String> {
    element
        .children()
        .filter(|child| child.is(name))
        .map(|child| child.text().trim().to_owned())
        .find(|text| !text.is_empty())
}

fn place_of(element: &Element<'_>, base: &Url) -> Option<Url> {
    let own = element.children().find(|child| child.is("loc") && child.space != Space::Image);
    own.and_then(|loc| address(&loc.text(), base))
}

fn entry(place: &Element<'_>, target: Url, base: &Url, times: &Times) -> Entry {
    // Without the wrapper `news:news` its fields stand in the address itself.
    let wrapper = place.children().find(|child| child.is("news"));
    let holder = wrapper.unwrap_or(place);
    let publication = holder.children().find(|child| child.is("publication"));
    let direct = |name: &str| {
        let fits = |child: &&Element<'_>| child.is(name) && (wrapper.is_some() || child.space == Space::News);
        holder.children().filter(fits).map(|child| child.text().trim().to_owned()).find(|text| !text.is_empty())
    };
    let of = |name: &str| direct(name).or_else(|| publication.and_then(|publication| words(publication, name)));
    let written: Vec<String> = [direct("publication_date"), words(place, "lastmod")].into_iter().flatten().collect();
    let (published, published_text) = times.published(&written);
    let image = place.children().find(|child| child.space == Space::Image && child.is("image"));
    let tags = direct("keywords").unwrap_or_default();
    Entry {
        url: Some(target),
        title: direct("title").map(|title| entities::line(&title)).unwrap_or_default(),
        tags: tags.split([',', '،']).map(entities::line).filter(|tag| !tag.is_empty()).take(64).collect(),
        image: image.and_then(|image| words(image, "loc")).and_then(|text| address(&text, base)),
        published,
        published_text,
        language: of("language").map(|tag| tag.to_ascii_lowercase()),
        ..Entry::default()
    }
}
