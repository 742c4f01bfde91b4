//! A feed as Atom (RFC 4287).
//!
//! In: an [`Outgoing`]. Out: a document of XML 1.0.
//! Promise: well-formed whatever the texts hold: each is plain text, escaped, without the characters that XML has no way to
//! write. Marks of direction stay: they are part of the text.

use super::{Entry, Outgoing, clean};

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n";

pub(super) fn write(feed: &Outgoing) -> String {
    let mut out = HEAD.to_owned();
    element(&mut out, "id", &[], &feed.id);
    element(&mut out, "title", &[("type", "text")], &feed.title);
    element(&mut out, "updated", &[], &feed.updated().to_string());
    empty(&mut out, "link", &[("rel", "self"), ("type", super::ATOM), ("href", feed.address.as_str())]);
    empty(&mut out, "link", &[("rel", "alternate"), ("type", "text/html"), ("href", feed.home.as_str())]);
    if let Some(hub) = &feed.hub {
        empty(&mut out, "link", &[("rel", "hub"), ("href", hub.as_str())]);
    }
    element(&mut out, "generator", &[("version", env!("CARGO_PKG_VERSION"))], "rasid");
    feed.entries.iter().for_each(|entry| write_entry(&mut out, entry));
    out.push_str("</feed>\n");
    out
}

fn write_entry(out: &mut String, entry: &Entry) {
    let content = &entry.item.content;
    let language = content.language.as_deref().filter(|language| !language.is_empty());
    let language: Vec<(&str, &str)> = language.map(|language| ("xml:lang", language)).into_iter().collect();
    open(out, "entry", &language);
    out.push_str(">\n");
    element(out, "id", &[], &entry.id());
    element(out, "title", &[("type", "text")], &content.title);
    element(out, "published", &[], &content.published_at.to_string());
    element(out, "updated", &[], &entry.updated().to_string());
    for name in entry.authors() {
        out.push_str("<author>");
        element(out, "name", &[], name);
        out.push_str("</author>\n");
    }
    if let Some(url) = &content.url {
        empty(out, "link", &[("rel", "alternate"), ("href", url.as_str())]);
    }
    for (topic, title) in &entry.topics {
        empty(out, "category", &[("term", topic.as_str()), ("label", title)]);
    }
    if let Some(summary) = entry.summary() {
        element(out, "summary", &[("type", "text")], summary);
    }
    // Also where it is empty: an entry without a link is only valid with it.
    element(out, "content", &[("type", "text")], &content.text);
    out.push_str("</entry>\n");
}

fn element(out: &mut String, name: &str, attributes: &[(&str, &str)], text: &str) {
    open(out, name, attributes);
    out.push('>');
    escape(out, text);
    out.push_str("</");
    out.push_str(name);
    out.push_str(">\n");
}

fn empty(out: &mut String, name: &str, attributes: &[(&str, &str)]) {
    open(out, name, attributes);
    out.push_str("/>\n");
}

fn open(out: &mut String, name: &str, attributes: &[(&str, &str)]) {
    out.push('<');
    out.push_str(name);
    for (name, value) in attributes {
        out.push(' ');
        out.push_str(name);
        out.push_str("=\"");
        escape(out, value);
        out.push('"');
    }
}

fn escape(out: &mut String, text: &str) {
    for c in clean(text) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // Else it is read as a line feed.
            '\r' => out.push_str("&#13;"),
            c => out.push(c),
        }
    }
}
