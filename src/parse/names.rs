//! What an element's name means: namespaces, declared or not, and the fields of the formats.
//!
//! In: prefixes and namespace addresses as written. Out: [`Space`], and what kind of field a name is.
//! Promise: a known prefix means the same whether it is declared, forgotten or declared with a slip of the pen.
//! Not here: the tree ([`super::tree`]).

/// The vocabularies that feeds are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// RSS of any version: no namespace, or one of its own.
    Rss,
    Atom,
    Content,
    Dc,
    Media,
    Itunes,
    /// `sy:updatePeriod`
    Sy,
    Rdf,
    Xhtml,
    /// Sitemaps, and their news and picture extensions.
    Sitemap,
    News,
    Image,
    /// Anything else.
    Other,
}

/// The prefixes that everybody uses, declared or not.
const PREFIXES: &[(&str, Space)] = &[
    ("atom", Space::Atom),
    ("atom03", Space::Atom),
    ("a10", Space::Atom),
    ("rss", Space::Rss),
    ("content", Space::Content),
    ("dc", Space::Dc),
    ("dcterms", Space::Dc),
    ("dct", Space::Dc),
    ("media", Space::Media),
    ("itunes", Space::Itunes),
    ("sy", Space::Sy),
    ("rdf", Space::Rdf),
    ("xhtml", Space::Xhtml),
    ("news", Space::News),
    ("image", Space::Image),
];

/// The beginnings of namespace addresses, without scheme and `www.`, lower case.
const ADDRESSES: &[(&str, Space)] = &[
    ("w3.org/2005/atom", Space::Atom),
    ("purl.org/atom/", Space::Atom),
    ("purl.org/rss/1.0/modules/content", Space::Content),
    ("purl.org/rss/1.0/modules/syndication", Space::Sy),
    ("purl.org/rss/1.0/modules/", Space::Other),
    ("purl.org/rss/", Space::Rss),
    ("my.netscape.com/", Space::Rss),
    ("channel.netscape.com/", Space::Rss),
    ("my.netscape.com", Space::Rss),
    ("backend.userland.com/", Space::Rss),
    ("blogs.law.harvard.edu/", Space::Rss),
    ("cyber.law.harvard.edu/", Space::Rss),
    ("rssboard.org/", Space::Rss),
    ("purl.org/dc/", Space::Dc),
    ("search.yahoo.com/mrss", Space::Media),
    ("tools.search.yahoo.com/mrss", Space::Media),
    ("itunes.com/dtds/podcast", Space::Itunes),
    ("example.com/dtds/podcast", Space::Itunes),
    ("w3.org/1999/02/22-rdf-syntax-ns", Space::Rdf),
    ("w3.org/1999/xhtml", Space::Xhtml),
    ("sitemaps.org/schemas/sitemap/", Space::Sitemap),
    ("google.com/schemas/sitemap-news/", Space::News),
    ("google.com/schemas/sitemap-image/", Space::Image),
    ("google.com/schemas/sitemap/", Space::Sitemap),
];

/// The vocabulary of a namespace address; `None` where it is not known.
pub fn space_of_address(address: &str) -> Option<Space> {
    let address = address.trim().to_ascii_lowercase();
    let bare = address.strip_prefix("http://").or_else(|| address.strip_prefix("https://")).unwrap_or(&address);
    let bare = bare.strip_prefix("www.").unwrap_or(bare);
    ADDRESSES.iter().find(|(start, _)| bare.starts_with(start)).map(|(_, space)| *space)
}

/// The vocabulary that a prefix stands for by custom.
pub fn space_of_prefix(prefix: &str) -> Option<Space> {
    PREFIXES.iter().find(|(name, _)| name.eq_ignore_ascii_case(prefix)).map(|(_, space)| *space)
}

/// What an element is to the reading of a document, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// One piece of news.
    Entry,
    /// What pieces of news stand in.
    Container,
    /// An entry of a sitemap or of an index; elsewhere nothing in particular.
    Place,
    /// A field that holds a line.
    Line,
    /// A field that holds text with markup.
    Markup,
    Other,
}

/// The role of an element of this name and vocabulary.
pub fn role(local: &str, space: Space) -> Role {
    if is_entry(local) {
        Role::Entry
    } else if is_container(local) {
        Role::Container
    } else if is_any(local, &["url", "sitemap"]) {
        Role::Place
    } else if is_line_field(local) {
        Role::Line
    } else if is_markup_field(local) && !(space == Space::Media && is_any(local, &["content"])) {
        // `media:content` is no text: it holds fields of its own.
        Role::Markup
    } else {
        Role::Other
    }
}

/// Elements that a document of any kind may begin with.
pub fn is_root(local: &str) -> bool {
    is_any(local, &["rss", "feed", "rdf", "channel", "urlset", "sitemapindex"]) || is_entry(local)
}

/// One piece of news.
pub fn is_entry(local: &str) -> bool {
    is_any(local, &["item", "entry"])
}

/// What pieces of news stand in.
pub fn is_container(local: &str) -> bool {
    is_any(local, &["rss", "feed", "rdf", "channel", "urlset", "sitemapindex"])
}

/// Documents of addresses.
pub fn is_any_sitemap(local: &str) -> bool {
    is_any(local, &["urlset", "sitemapindex"])
}

/// Fields that hold a line and no elements (markup aside).
pub fn is_line_field(local: &str) -> bool {
    is_any(
        local,
        &[
            "title",
            "link",
            "guid",
            "id",
            "pubdate",
            "published",
            "updated",
            "issued",
            "modified",
            "created",
            "category",
            "comments",
            "language",
            "ttl",
            "date",
            "creator",
            "subject",
            "lastbuilddate",
            "loc",
            "lastmod",
            "keywords",
            "publication_date",
            "copyright",
            "generator",
            "webmaster",
            "managingeditor",
            "docs",
        ],
    )
}

/// Fields that hold text with markup.
pub fn is_markup_field(local: &str) -> bool {
    is_any(local, &["description", "summary", "content", "encoded", "tagline", "subtitle", "abstract", "body"])
}

/// Elements whose beginning shows that the field before is over.
pub fn begins_field(local: &str) -> bool {
    is_line_field(local)
        || is_markup_field(local)
        || is_any(local, &["author", "contributor", "enclosure", "source", "image", "thumbnail", "group"])
}

/// Fields whose names are also those of HTML elements: within markup they don't begin a new field.
pub fn is_also_html(local: &str) -> bool {
    is_any(local, &["title", "link", "source", "summary", "image", "body"])
}

/// HTML elements that have no end tag.
pub fn is_void(local: &str) -> bool {
    is_any(local, &["br", "hr", "img", "input", "wbr", "area", "col", "embed", "param", "meta"])
}

fn is_any(name: &str, known: &[&str]) -> bool {
    known.iter().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_their_slips() {
        for (address, expected) in [
            ("http://www.w3.org/2005/Atom", Some(Space::Atom)),
            ("https://www.w3.org/2005/atom/", Some(Space::Atom)),
            ("http://purl.org/atom/ns#", Some(Space::Atom)),
            ("http://search.yahoo.com/mrss", Some(Space::Media)),
            ("http://purl.org/rss/1.0/", Some(Space::Rss)),
            ("http://purl.org/rss/1.0/modules/content/", Some(Space::Content)),
            ("http://my.netscape.com/rdf/simple/0.9/", Some(Space::Rss)),
            ("http://example.org/own", None),
        ] {
            assert_eq!(space_of_address(address), expected, "{address}");
        }
    }
}
