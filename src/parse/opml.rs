//! Lists of feeds as feed readers exchange them: OPML, in and out.
//!
//! In: the text of an OPML document, whatever its state; or [`Outline`] values. Out: the same the other way round.
//! Promise: what is written is read back the same; every outline with an address is read, however deep its folder and
//! however damaged the document; what is no address is told as it was written.
//! Not here: which of them are taken in ([`crate::config`]), and whether they answer ([`crate::fetch`]).

use super::markup::{Token, Tokens};
use super::repair::{self, Notes};
use super::{entities, tree};
use crate::source::{PageSelectors, SourceKind};

/// The name of our own attributes: what OPML has no word for. Other readers pass over them.
const NAMESPACE: &str = "urn:rasid:opml";
/// How our attributes are written, and read where the document's own declaration is lost.
const PREFIX: &str = "rasid";
/// The most outlines read from one document.
const MAX_OUTLINES: usize = 50_000;

/// One feed of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// `xmlUrl` as written.
    pub url: String,
    /// `title`, else `text`.
    pub title: Option<String>,
    /// `htmlUrl` as written: the site that the feed belongs to.
    pub site: Option<String>,
    /// `language`.
    pub language: Option<String>,
    /// What stands at the address.
    pub kind: SourceKind,
    /// Of a listing page.
    pub page: Option<PageSelectors>,
    /// The id it had.
    pub id: Option<String>,
    /// Why it is not polled; `isComment` is OPML's own word for that.
    pub disabled: Option<String>,
}

/// A list of feeds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opml {
    /// In the order of the document.
    pub outlines: Vec<Outline>,
    /// How many outlines hold others and are no feed.
    pub folders: usize,
    /// How many are neither.
    pub others: usize,
    /// What had to be repaired, or was cut, in words.
    pub notes: Vec<String>,
}

/// Why an outline is disabled where the document does not say.
const COMMENTED: &str = "commented out in the list it came from";

/// Reads a list.
///
/// # Errors
/// Where the text is no list of outlines; the message says what it is like.
pub fn read(text: &str) -> Result<Opml, String> {
    let mut notes = Notes::default();
    let text = &*repair::clean(text, &mut notes);
    let mut opml = Opml::default();
    let mut prefix = PREFIX.to_owned();
    let mut known = false;
    // What is open: whether it is commented out.
    let mut open: Vec<bool> = Vec::new();
    let mut tokens = Tokens::of(text);
    for token in tokens.by_ref() {
        match token {
            Token::Start { name, attributes, .. } if name.eq_ignore_ascii_case("opml") => {
                known = true;
                let declared = attributes.iter().find(|(name, value)| name.starts_with("xmlns:") && value == NAMESPACE);
                prefix = declared.and_then(|(name, _)| name.get(6..)).unwrap_or(PREFIX).to_owned();
            }
            Token::Start { name, attributes, empty } if name.eq_ignore_ascii_case("outline") => {
                known = true;
                let of = |wanted: &str| {
                    let found = attributes.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
                    found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
                };
                let commented = of("isComment").is_some_and(|value| value.eq_ignore_ascii_case("true"));
                let commented = commented || open.last().copied().unwrap_or_default();
                match outline(&of, &prefix, commented) {
                    Some(outline) if opml.outlines.len() < MAX_OUTLINES => opml.outlines.push(outline),
                    Some(_) => {
                        opml.notes.push(format!("cut after {MAX_OUTLINES} feeds"));
                        break;
                    }
                    None if empty => opml.others += 1,
                    None => opml.folders += 1,
                }
                if !empty {
                    open.push(commented);
                }
            }
            Token::End(name) if name.eq_ignore_ascii_case("outline") => drop(open.pop()),
            _ => {}
        }
    }
    notes.join(&tokens.notes);
    if !known {
        let start: String = entities::collapse(text).chars().take(60).collect();
        return Err(format!("this is not OPML; it begins with `{start}`"));
    }
    opml.notes.splice(..0, notes.words());
    Ok(opml)
}

/// The feed that an outline's attributes tell of; `None` where they tell of none.
fn outline<'a>(of: &dyn Fn(&str) -> Option<&'a str>, prefix: &str, commented: bool) -> Option<Outline> {
    // Some programs write `url` for feeds as for links; the type then tells them apart.
    let feed =
        of("type").is_some_and(|kind| ["rss", "atom", "feed"].iter().any(|known| kind.eq_ignore_ascii_case(known)));
    let url = of("xmlUrl").or_else(|| of("url").filter(|_| feed))?;
    let own = |name: &str| of(&format!("{prefix}:{name}")).map(str::to_owned);
    let kind = match own("kind").as_deref() {
        Some("sitemap") => SourceKind::Sitemap,
        Some("page") => SourceKind::Page,
        _ => SourceKind::Feed,
    };
    let selectors = || {
        Some(PageSelectors {
            entry: own("entry")?,
            link: own("link")?,
            title: own("title"),
            date: own("date"),
            summary: own("summary"),
        })
    };
    let title = of("title").or_else(|| of("text")).map(entities::collapse);
    Some(Outline {
        url: url.to_owned(),
        title: title.filter(|title| title != url),
        site: of("htmlUrl").map(str::to_owned),
        language: of("language").map(str::to_owned),
        kind,
        page: if kind == SourceKind::Page { selectors() } else { None },
        id: own("id"),
        disabled: commented.then(|| own("reason").unwrap_or_else(|| COMMENTED.to_owned())),
    })
}

/// Writes a list as OPML 2.0, one outline a line.
pub fn write(title: &str, outlines: &[Outline]) -> String {
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<opml version=\"2.0\" xmlns:{PREFIX}=\"{NAMESPACE}\">\n\
         \x20 <head>\n    <title>{}</title>\n  </head>\n  <body>\n",
        escaped(title)
    );
    for outline in outlines {
        let name = outline.title.as_deref().unwrap_or(&outline.url);
        out.push_str("    <outline type=\"rss\"");
        let mut put = |key: &str, value: &str| {
            out.push_str(&format!(" {key}=\"{}\"", escaped(value)));
        };
        let mut may = |key: &str, value: &Option<String>| {
            if let Some(value) = value {
                put(key, value);
            }
        };
        may("text", &Some(name.to_owned()));
        may("title", &outline.title);
        may("xmlUrl", &Some(outline.url.clone()));
        may("htmlUrl", &outline.site);
        may("language", &outline.language);
        may("isComment", &outline.disabled.as_ref().map(|_| "true".to_owned()));
        let mut own = |key: &str, value: &Option<String>| may(&format!("{PREFIX}:{key}"), value);
        own("id", &outline.id);
        own("reason", &outline.disabled);
        match outline.kind {
            SourceKind::Feed => {}
            SourceKind::Sitemap => own("kind", &Some("sitemap".to_owned())),
            SourceKind::Page => own("kind", &Some("page".to_owned())),
        }
        if let Some(page) = &outline.page {
            own("entry", &Some(page.entry.clone()));
            own("link", &Some(page.link.clone()));
            own("title", &page.title);
            own("date", &page.date);
            own("summary", &page.summary);
        }
        out.push_str("/>\n");
    }
    out.push_str("  </body>\n</opml>\n");
    out
}

/// For an attribute, or between tags: also without what no document may hold.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let legal: String = text.chars().filter(|c| entities::is_legal(*c)).collect();
    tree::escape(&legal, &mut out);
    out.replace('\n', "&#10;")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was read, as `url|title|…` lines.
    fn lines(text: &str) -> Vec<String> {
        let shown = |outline: &Outline| {
            let off = outline.disabled.as_deref().map(|why| format!("|{why}")).unwrap_or_default();
            format!("{}|{}{off}", outline.url, outline.title.as_deref().unwrap_or_default())
        };
        read(text).unwrap().outlines.iter().map(shown).collect()
    }

    #[test]
    fn lists_are_read_whatever_their_state() {
        for (text, expected) in [
            (
                "<opml><body><outline xmlUrl='https://a.example/f' text='أ'/></body></opml>",
                &["https://a.example/f|أ"][..],
            ),
            // Attributes in any case, title before text, references.
            (
                "<OPML><Outline XMLURL=\"https://a.example/?x=1&amp;y=2\" TEXT=\"t\" Title=\"خبر &quot;عاجل&#34; &amp;c\"/>",
                &["https://a.example/?x=1&y=2|خبر \"عاجل\" &c"],
            ),
            // Folders, however deep, closed or not.
            (
                "<opml><outline text='مجلد'><outline text='x'><outline xmlUrl='https://a.example/' text='أ'/></outline>\
                 <outline xmlUrl='https://b.example/' text='ب'>",
                &["https://a.example/|أ", "https://b.example/|ب"],
            ),
            // A bare ampersand, no quotes, a cut end.
            (
                "<opml><outline xmlUrl=https://a.example/?a=1&b=2 text=x /><outline xmlUrl='https://b",
                &["https://a.example/?a=1&b=2|x", "https://b|"],
            ),
            (
                "<outline type='rss' url='https://a.example/'/><outline type='link' url='https://b.example/'/>",
                &["https://a.example/|"],
            ),
            // The address in place of a name is no name.
            ("<opml><outline xmlUrl='https://a.example/' text='https://a.example/'/>", &["https://a.example/|"]),
            (
                "<opml><outline isComment='true'><outline xmlUrl='a'/></outline><outline xmlUrl='b' isComment='TRUE' rasid:reason='مغلق'/><outline xmlUrl='c'/>",
                &["a||commented out in the list it came from", "b||مغلق", "c|"],
            ),
            ("<opml version='2.0'><body/></opml>", &[]),
        ] {
            assert_eq!(lines(text), expected, "{text}");
        }
        let counted =
            read("<opml><outline text='a'><outline text='b'/><outline xmlUrl='c'/></outline></opml>").unwrap();
        assert_eq!((counted.folders, counted.others, counted.outlines.len()), (1, 1, 1));
        for other in ["", "<html><body>أهلا</body></html>", "https://a.example/feed", "{}"] {
            assert!(read(other).unwrap_err().starts_with("this is not OPML"), "{other}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let page = PageSelectors {
            entry: "div > a[href*=\"/خبر\"]".into(),
            link: "a@href".into(),
            title: Some("h3 & h4".into()),
            date: None,
            summary: Some("p".into()),
        };
        let outlines = vec![
            Outline {
                url: "https://a.example/?a=1&b=2".into(),
                title: Some("خبر \"عاجل\" <أ> & 'ب'".into()),
                ..Outline::default()
            },
            Outline {
                url: "https://b.example/map.xml".into(),
                kind: SourceKind::Sitemap,
                language: Some("ar".into()),
                id: Some("b-2".into()),
                disabled: Some("يرفض الطلبات".into()),
                ..Outline::default()
            },
            Outline {
                url: "https://c.example/".into(),
                site: Some("https://c.example/".into()),
                kind: SourceKind::Page,
                page: Some(page),
                ..Outline::default()
            },
        ];
        let text = write("rasid", &outlines);
        assert_eq!(read(&text).unwrap(), Opml { outlines: outlines.clone(), ..Opml::default() });
        // Under another name for the same namespace.
        let renamed = text.replace("rasid:", "r:").replace("xmlns:rasid", "xmlns:r").replace("urn:r:", "urn:rasid:");
        assert_eq!(read(&renamed).unwrap().outlines, outlines, "{renamed}");
        assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<opml version=\"2.0\""));
    }
}
