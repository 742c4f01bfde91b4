//! JSON Feed to entries.
//!
//! In: the text of a JSON document. Out: a [`Parsed`] in the order of the document.
//! Promise: an item of the wrong shape loses the fields that are wrong, not its neighbours; a document that breaks off
//! keeps the items before the break. Ids may be numbers.
//! Not here: finding out that the document is JSON ([`super::parse`]).

use serde_json::{Deserializer, Map, Value};
use url::Url;

use super::times::Times;
use super::{Entry, Parsed, Rejected, address, detect, entities};
use crate::source::PollError;

/// Reads a JSON Feed of any version.
///
/// # Errors
/// `json-error` where the document cannot be read at all, `not-a-feed` where it has no items.
pub fn read(text: &str, url: &Url, times: &Times, limit: usize) -> Result<Parsed, PollError> {
    let mut parsed = Parsed::default();
    let (head, items) = match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(mut head)) => {
            let items = head.remove("items");
            (head, items)
        }
        Ok(other) => (Map::new(), Some(other).filter(feed_like)),
        Err(error) => {
            let items = salvage(text);
            if items.is_empty() {
                let message = format!("{url} begins like JSON but cannot be read: {error}");
                return Err(detect::soft(
                    "json-error",
                    message,
                    "nothing to do if it passes; otherwise tell the publisher",
                ));
            }
            parsed.notes.push(format!("the document is damaged ({error}); the items before the fault are kept"));
            (Map::new(), Some(Value::Array(items)))
        }
    };
    let Some(Value::Array(items)) = items else {
        let message = format!("{url} is JSON, but not a JSON Feed: it has no list `items`");
        return Err(detect::soft("not-a-feed", message, "check the address of the feed"));
    };
    describe(&head, url, &mut parsed);
    if items.len() > limit {
        parsed.notes.push(format!("cut after {limit} entries (`max_entries` of the feed)"));
    }
    let shared = authors(&head);
    for (n, item) in items.iter().take(limit).enumerate() {
        let name = format!("item {} of the document", n + 1);
        let read = item.as_object().map(|item| entry(item, url, times));
        match read {
            None => parsed.rejected.push(Rejected { entry: name, reason: "it is not a JSON object".to_owned() }),
            Some(entry) if entry == Entry::default() => {
                parsed
                    .rejected
                    .push(Rejected { entry: name, reason: "it has no title, address, id or text".to_owned() });
            }
            Some(mut entry) => {
                if entry.authors.is_empty() {
                    entry.authors.clone_from(&shared);
                }
                entry.language = entry.language.or_else(|| parsed.language.clone());
                parsed.entries.push(entry);
            }
        }
    }
    Ok(parsed)
}

/// A bare list of items, as some sites publish it.
fn feed_like(value: &Value) -> bool {
    value.as_array().is_some_and(|items| {
        items.iter().any(|item| ["title", "url", "content_html"].iter().any(|field| item.get(field).is_some()))
    })
}

/// The items before the fault of a document that cannot be read as a whole.
fn salvage(text: &str) -> Vec<Value> {
    let mut out = Vec::new();
    let Some((_, tail)) = text.split_once("\"items\"") else { return out };
    let Some(mut rest) = tail.trim_start().strip_prefix(':').and_then(|tail| tail.trim_start().strip_prefix('['))
    else {
        return out;
    };
    loop {
        rest = rest.trim_start_matches(|c: char| c == ',' || c.is_whitespace());
        let mut values = Deserializer::from_str(rest).into_iter::<Value>();
        match values.next() {
            Some(Ok(value @ Value::Object(_))) => {
                out.push(value);
                rest = rest.get(values.byte_offset()..).unwrap_or_default();
            }
            _ => return out,
        }
    }
}

fn describe(head: &Map<String, Value>, url: &Url, parsed: &mut Parsed) {
    let version = text_of(head, "version").unwrap_or_default();
    let version = version.rsplit('/').next().unwrap_or_default();
    parsed.format = match version.bytes().next() {
        Some(b'0'..=b'9') if version.len() < 8 => format!("JSON Feed {version}"),
        _ => "JSON Feed".to_owned(),
    };
    parsed.title = text_of(head, "title").map(|title| entities::line(&title));
    parsed.language = text_of(head, "language").map(|tag| tag.to_ascii_lowercase());
    parsed.site = text_of(head, "home_page_url").and_then(|site| address(&site, url));
}

/// A field that says something, be it a string or a number.
fn text_of(object: &Map<String, Value>, field: &str) -> Option<String> {
    let text = match object.get(field)? {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Some(text).filter(|text| !text.is_empty())
}

fn entry(item: &Map<String, Value>, base: &Url, times: &Times) -> Entry {
    let text = |field| text_of(item, field);
    let link = |field| text_of(item, field).and_then(|link| address(&link, base));
    let guid = text("id");
    let plain = |field| text_of(item, field).map(|text| escaped(&text));
    let written: Vec<String> = ["date_published", "date_modified"].iter().filter_map(|field| text(field)).collect();
    let (published, published_text) = times.published(&written);
    let by_id = || guid.as_deref().filter(|id| id.starts_with("http")).and_then(|id| address(id, base));
    Entry {
        url: link("url").or_else(by_id).or_else(|| link("external_url")),
        title: text("title").map(|title| entities::line(&title)).unwrap_or_default(),
        summary_html: plain("summary").unwrap_or_default(),
        content_html: text("content_html").or_else(|| plain("content_text")).unwrap_or_default(),
        authors: authors(item),
        tags: strings(item, "tags"),
        image: link("image").or_else(|| link("banner_image")),
        published,
        published_text,
        language: text("language").map(|tag| tag.to_ascii_lowercase()),
        guid,
    }
}

/// Plain text as markup: the same words, its lines kept apart.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    super::tree::escape(text, &mut out);
    out.replace('\n', "<br>\n")
}

fn strings(object: &Map<String, Value>, field: &str) -> Vec<String> {
    let list = object.get(field).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(entities::line).filter(|text| !text.is_empty()).take(64).collect()
}

/// `authors` of version 1.1, `author` of version 1; objects, or plain names.
fn authors(object: &Map<String, Value>) -> Vec<String> {
    let name = |value: &Value| match value {
        Value::String(name) => Some(name.trim().to_owned()),
        Value::Object(person) => text_of(person, "name"),
        _ => None,
    };
    let many = object.get("authors").and_then(Value::as_array).into_iter().flatten();
    let names = many.chain(object.get("author")).filter_map(name).map(|name| entities::line(&name));
    let mut out: Vec<String> = Vec::new();
    for name in names.filter(|name| !name.is_empty()).take(64) {
        if !out.contains(&name) {
            out.push(name);
        }
    }
    out
}
