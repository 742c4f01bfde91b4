//! Pieces to the documents that outlets publish: feeds in their formats and charsets, listing and article pages.
//!
//! In: [`Piece`] values, newest last. Out: [`File`] values and blocks of `feeds.toml`.
//! Why so plain: the demo shows what rasid makes of real shapes, so each document has the shape and the faults of its kind
//! (templates with navigation and share bars, one page that is a single form, a charset declared wrongly).

use std::fmt::Write;

use jiff::Timestamp;
use serde_json::json;

use super::File;

/// How an outlet publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// RSS 2.0 with the article in `content:encoded`.
    RssFull,
    /// RSS 2.0 with teasers; the articles stand on pages.
    RssSummary,
    /// Atom 1.0.
    Atom,
    /// RSS 1.0 in windows-1256, declared.
    Rdf1256,
    /// RSS 2.0 in windows-1256 that says it is UTF-8.
    RssMislabelled1256,
    /// JSON Feed 1.1.
    JsonFeed,
    /// A Google News sitemap.
    Sitemap,
    /// A listing page without a feed.
    Listing,
}

/// One story as one outlet tells it.
pub(super) struct Piece {
    pub path: String,
    pub url: String,
    pub title: String,
    pub paragraphs: Vec<String>,
    pub published: Timestamp,
}

impl Piece {
    fn summary(&self) -> &str {
        self.paragraphs.first().map_or("", String::as_str)
    }

    fn html(&self) -> String {
        self.paragraphs.iter().fold(String::new(), |mut html, paragraph| {
            let _infallible = write!(html, "<p>{}</p>", escape(paragraph));
            html
        })
    }

    fn rfc_2822(&self) -> String {
        self.published.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
    }
}

/// The `[[feed]]` block of an outlet.
pub(super) fn feed_toml(base: &str, id: &str, title: &str, format: Format) -> String {
    let mut block = format!("\n[[feed]]\nid = \"{id}\"\ntitle = \"{title}\"\nurl = \"{base}/{id}/feed\"\n");
    match format {
        Format::Sitemap => block.push_str("kind = \"sitemap\"\n"),
        Format::Listing => block.push_str(
            "kind = \"page\"\n[feed.page]\nentry = \"li.card\"\nlink = \"a@href\"\ntitle = \"h3\"\ndate = \"time@datetime\"\n",
        ),
        _ => {}
    }
    block
}

/// The document that is polled.
pub(super) fn document(base: &str, id: &str, title: &str, format: Format, pieces: &[Piece]) -> File {
    let newest_first = || pieces.iter().rev();
    match format {
        Format::RssFull => {
            let items = newest_first().map(|piece| {
                let content = format!("<content:encoded><![CDATA[{}]]></content:encoded>", piece.html());
                rss_item(piece, &content)
            });
            File { content_type: "application/rss+xml; charset=utf-8", body: rss("utf-8", title, items).into_bytes() }
        }
        Format::RssSummary => {
            let items = newest_first().map(|piece| rss_item(piece, ""));
            File { content_type: "text/xml", body: rss("utf-8", title, items).into_bytes() }
        }
        Format::RssMislabelled1256 => {
            let items = newest_first().map(|piece| {
                let whole = escape(&piece.html());
                format!(
                    "<item><title>{}</title><link>{}</link><pubDate>{}</pubDate><description>{whole}</description></item>",
                    escape(&piece.title),
                    piece.url,
                    piece.rfc_2822()
                )
            });
            // The fault it shows: windows-1256 bytes under a UTF-8 declaration.
            File { content_type: "text/xml", body: windows_1256(&rss("utf-8", title, items)) }
        }
        Format::Atom => File { content_type: "application/atom+xml", body: atom(base, id, title, pieces).into_bytes() },
        Format::Rdf1256 => File { content_type: "application/rdf+xml", body: windows_1256(&rdf(base, title, pieces)) },
        Format::JsonFeed => {
            let items: Vec<_> = newest_first()
                .map(|piece| {
                    json!({ "id": piece.url, "url": piece.url, "title": piece.title, "content_html": piece.html(),
                            "date_published": piece.published.to_string() })
                })
                .collect();
            let feed = json!({ "version": "https://jsonfeed.org/version/1.1", "title": title, "items": items });
            File { content_type: "application/feed+json", body: feed.to_string().into_bytes() }
        }
        Format::Sitemap => File { content_type: "application/xml", body: sitemap(title, pieces).into_bytes() },
        Format::Listing => File { content_type: "text/html; charset=utf-8", body: listing(title, pieces).into_bytes() },
    }
}

fn rss(charset: &str, title: &str, items: impl Iterator<Item = String>) -> String {
    let items: String = items.collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"{charset}\"?>\n<rss version=\"2.0\" \
         xmlns:content=\"http://purl.org/rss/1.0/modules/content/\"><channel><title>{title}</title>\
         <link>https://news.example/</link><description>{title}</description><language>ar</language>{items}</channel></rss>"
    )
}

fn rss_item(piece: &Piece, more: &str) -> String {
    format!(
        "<item><title>{}</title><link>{}</link><guid isPermaLink=\"true\">{}</guid><pubDate>{}</pubDate>\
         <description>{}</description>{more}</item>\n",
        escape(&piece.title),
        piece.url,
        piece.url,
        piece.rfc_2822(),
        escape(piece.summary())
    )
}

fn atom(base: &str, id: &str, title: &str, pieces: &[Piece]) -> String {
    let entries: String = pieces
        .iter()
        .rev()
        .map(|piece| {
            format!(
                "<entry><id>{url}</id><title>{}</title><link href=\"{url}\"/><published>{at}</published>\
                 <updated>{at}</updated><summary>{}</summary><content type=\"html\">{}</content></entry>\n",
                escape(&piece.title),
                escape(piece.summary()),
                escape(&piece.html()),
                url = piece.url,
                at = piece.published
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"ar\">\
         <id>{base}/{id}</id><title>{title}</title>{entries}</feed>"
    )
}

fn rdf(base: &str, title: &str, pieces: &[Piece]) -> String {
    let items: String = pieces
        .iter()
        .rev()
        .map(|piece| {
            format!(
                "<item rdf:about=\"{url}\"><title>{}</title><link>{url}</link><description>{}</description>\
                 <dc:date>{}</dc:date></item>\n",
                escape(&piece.title),
                escape(&piece.html()),
                piece.published,
                url = piece.url
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"windows-1256\"?>\n<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" \
         xmlns=\"http://purl.org/rss/1.0/\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><channel rdf:about=\"{base}\">\
         <title>{title}</title><link>{base}</link><description>{title}</description></channel>{items}</rdf:RDF>"
    )
}

fn sitemap(title: &str, pieces: &[Piece]) -> String {
    let urls: String = pieces
        .iter()
        .rev()
        .map(|piece| {
            format!(
                "<url><loc>{}</loc><news:news><news:publication><news:name>{title}</news:name><news:language>ar</news:language>\
                 </news:publication><news:publication_date>{}</news:publication_date><news:title>{}</news:title></news:news></url>\n",
                piece.url,
                piece.published,
                escape(&piece.title)
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\" \
         xmlns:news=\"http://www.google.com/schemas/sitemap-news/0.9\">{urls}</urlset>"
    )
}

fn listing(title: &str, pieces: &[Piece]) -> String {
    let cards: String = pieces
        .iter()
        .rev()
        .map(|piece| {
            format!(
                "<li class=\"card\"><a href=\"{}\"><h3>{}</h3></a><time datetime=\"{}\"></time></li>\n",
                piece.path,
                escape(&piece.title),
                piece.published
            )
        })
        .collect();
    format!(
        "<!doctype html><html lang=\"ar\" dir=\"rtl\"><head><title>{title}</title></head><body><nav><a href=\"/\">الرئيسية</a>\
         </nav><ul>{cards}</ul></body></html>"
    )
}

/// An article's page in its outlet's template.
pub(super) fn page(id: &str, outlet: &str, piece: &Piece, others: &[Piece]) -> File {
    let title = escape(&piece.title);
    let related: String = others
        .iter()
        .filter(|other| other.path != piece.path)
        .take(4)
        .map(|other| format!("<li><a href=\"{}\">{}</a></li>", other.path, escape(&other.title)))
        .collect();
    let (head, foot) = if id == "almarfa" {
        // One large form around everything, as ASP.NET sites have it (trap T13).
        ("<form method=\"post\" action=\"./\" id=\"aspnetForm\"><div class=\"page-content\">", "</div></form>")
    } else {
        ("<main><article>", "</article></main>")
    };
    let html = format!(
        "<!doctype html><html lang=\"ar\" dir=\"rtl\"><head><meta charset=\"utf-8\"><title>{title} | {outlet}</title>\
         <meta property=\"article:published_time\" content=\"{at}\"></head><body>\
         <header><nav><a href=\"/\">الرئيسية</a> <a href=\"/politics\">سياسة</a> <a href=\"/economy\">اقتصاد</a> \
         <a href=\"/sport\">رياضة</a></nav></header>{head}<h1>{title}</h1><div class=\"share\"><a href=\"#\">شارك</a> \
         <a href=\"#\">غرّد</a></div><div class=\"article-body\">{body}</div>{foot}<aside><h4>اقرأ أيضا</h4><ul>{related}</ul>\
         </aside><footer><p>جميع الحقوق محفوظة لدى {outlet}</p></footer></body></html>",
        at = piece.published,
        body = piece.html()
    );
    File { content_type: "text/html; charset=utf-8", body: html.into_bytes() }
}

/// What the broken source answers with: a page where a feed should be.
pub(super) fn login_page() -> File {
    let html = "<!doctype html><html lang=\"ar\"><head><title>تسجيل الدخول</title></head><body><form method=\"post\">\
                <input name=\"user\"><input type=\"password\" name=\"password\"><button>دخول</button></form></body></html>";
    File { content_type: "text/html; charset=utf-8", body: html.as_bytes().to_vec() }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The upper half of windows-1256, 0x80 to 0xFF, in order.
const WINDOWS_1256: &str = "€پ‚ƒ„…†‡ˆ‰ٹ‹Œچژڈگ‘’“”•–—ک™ڑ›œ\u{200c}\u{200d}ں\u{a0}،¢£¤¥¦§¨©ھ«¬\u{ad}®¯°±²³´µ¶·¸¹؛»¼½¾؟\
ہءآأؤإئابةتثجحخدذرزسشصض×طظعغـفقكàلâمنهوçèéêëىيîïًٌٍَôُِ÷ّùْûü\u{200e}\u{200f}ے";

/// Encodes for windows-1256; a character it lacks becomes a character reference.
fn windows_1256(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for letter in text.chars() {
        match u8::try_from(letter) {
            Ok(byte) if byte.is_ascii() => bytes.push(byte),
            _ => match (0x80u8..=0xFF).zip(WINDOWS_1256.chars()).find(|(_, known)| *known == letter) {
                Some((byte, _)) => bytes.push(byte),
                None => bytes.extend(format!("&#{};", u32::from(letter)).bytes()),
            },
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::decode::{Hints, decode};

    #[test]
    fn the_table_has_a_character_for_every_byte() {
        assert_eq!(WINDOWS_1256.chars().count(), 128);
    }

    #[test]
    fn what_is_encoded_is_decoded_again() {
        let text = "<?xml version=\"1.0\" encoding=\"windows-1256\"?><t>قال الوزير: «لا تعليق» ثمّ غادر – 5٪</t>";
        let decoded = decode(&windows_1256(text), Hints::default());
        assert_eq!(decoded.text.replace("&#1642;", "٪"), text);
    }
}
