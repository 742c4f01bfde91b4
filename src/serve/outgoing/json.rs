//! A feed as JSON Feed 1.1.
//!
//! In: an [`Outgoing`]. Out: a JSON object.
//! Promise: what is not known is left out, not null.

use serde_json::{Map, Value, json};

use super::{Entry, Outgoing, clean};

pub(super) fn write(feed: &Outgoing) -> String {
    let mut object = Map::new();
    object.insert("version".to_owned(), "https://jsonfeed.org/version/1.1".into());
    object.insert("title".to_owned(), text(&feed.title));
    object.insert("home_page_url".to_owned(), feed.home.as_str().into());
    object.insert("feed_url".to_owned(), feed.address.as_str().into());
    if let Some(hub) = &feed.hub {
        object.insert("hubs".to_owned(), json!([{ "type": "WebSub", "url": hub.as_str() }]));
    }
    object.insert("items".to_owned(), feed.entries.iter().map(item).collect());
    Value::Object(object).to_string()
}

fn item(entry: &Entry) -> Value {
    let content = &entry.item.content;
    let authors: Vec<Value> = entry.authors().into_iter().map(|name| json!({ "name": text(name) })).collect();
    let tags: Vec<&str> = entry.topics.iter().map(|(topic, _)| topic.as_str()).collect();
    let mut item = json!({
        "id": entry.id(),
        "title": text(&content.title),
        "content_text": text(&content.text),
        "date_published": content.published_at.to_string(),
        "date_modified": entry.updated().to_string(),
        "authors": authors,
        "tags": tags,
    });
    let optional = [
        ("url", content.url.as_ref().map(|url| url.as_str().into())),
        ("image", content.image.as_ref().map(|url| url.as_str().into())),
        ("summary", entry.summary().map(text)),
        ("language", content.language.as_deref().filter(|language| !language.is_empty()).map(text)),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            item[name] = value;
        }
    }
    item
}

fn text(text: &str) -> Value {
    Value::String(clean(text).collect())
}
