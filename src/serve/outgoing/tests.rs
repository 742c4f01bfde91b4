//! Feeds with hostile texts, in both forms.

use serde_json::Value;

use super::*;

const HOSTILE: &[(&str, &str)] = &[
    ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    ("]]> &amp; & \" '", "]]> &amp; & \" '"),
    ("قبل\u{0}\u{8}\u{1b}[31mبعد\u{FFFE}\u{FFFF}", "قبل[31mبعد"),
    ("\u{202E}مقلوب\u{202C} \u{200F}", "\u{202E}مقلوب\u{202C} \u{200F}"),
    ("سطر\r\nثان\tوثالث", "سطر\r\nثان\tوثالث"),
    ("</content></entry><entry>", "</content></entry><entry>"),
    ("", ""),
];

fn entry(text: &str) -> Entry {
    let item = serde_json::json!({
        "id": "000102030405060708090a0b0c0d0e0f", "seq": 1, "feed": "nabd", "url": "https://nabd.example/?a=1&b='<>\"",
        "canonical_url": null, "guid": null, "title": text, "summary": text, "text": format!("{text}!"),
        "text_from": "feed", "authors": [text], "language": "ar", "tags": [], "image": null,
        "published_at": "2026-11-20T09:00:00Z", "published_from": "feed", "fetched_at": "2026-11-20T10:00:00Z",
        "stored_at": "2026-11-20T10:00:00Z", "revision": 1, "topics": [],
        "verdict": { "kind": "new", "of": null, "similarity": 0.0 }, "copies": [], "story": null,
    });
    let item = serde_json::from_value(item).unwrap();
    Entry { item, publisher: "نبض".to_owned(), topics: vec![("csto".parse().unwrap(), text.to_owned())] }
}

fn feed(entries: Vec<Entry>) -> Outgoing {
    Outgoing {
        id: "urn:rasid:feed:q=%3C%26".to_owned(),
        title: "<&\"\u{1}".to_owned(),
        address: "https://rasid.example/api/v1/feed.atom?q=a&limit=1".parse().unwrap(),
        home: "https://rasid.example/".parse().unwrap(),
        hub: Some("https://hub.example/?a&b".parse().unwrap()),
        entries,
    }
}

/// What stands between a start tag and its end, as a reader of XML has it.
fn read<'a>(document: &'a str, start: &str, end: &str) -> Vec<String> {
    let inner = |part: &'a str| part.split(end).next().unwrap();
    let unescaped = |text: &str| {
        let text = text.replace("&#13;", "\r").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
        text.replace("&amp;", "&")
    };
    document.split(start).skip(1).map(|part| unescaped(inner(part))).collect()
}

#[test]
fn hostile_texts_stay_texts() {
    for (text, expected) in HOSTILE {
        let feed = feed(vec![entry(text)]);
        let document = atom::write(&feed);
        assert!(clean(&document).eq(document.chars()), "{document:?}");
        // Nothing that came in opens or closes anything.
        for tag in ["<feed ", "</feed>", "<entry ", "</entry>", "<content ", "</content>", "<category "] {
            assert_eq!(document.matches(tag).count(), 1, "{tag} {document}");
        }
        assert!(!document.contains("<script") && !document.contains("]]>") && !document.contains('\r'), "{document}");
        let titles = read(&document, "<title type=\"text\">", "</title>");
        assert_eq!(titles, ["<&\"", expected], "{document}");
        assert_eq!(read(&document, "<content type=\"text\">", "</content>"), [format!("{expected}!")]);
        assert_eq!(read(&document, " label=\"", "\"/>"), [*expected]);

        let document: Value = serde_json::from_str(&json::write(&feed)).unwrap();
        let item = &document["items"][0];
        assert_eq!(item["title"], *expected);
        assert_eq!(item["content_text"], format!("{expected}!"));
        let author = if expected.is_empty() { "نبض" } else { expected.trim() };
        assert_eq!(item["authors"][0]["name"], author);
    }
}

#[test]
fn a_feed_has_what_both_forms_ask_for() {
    let mut revised = entry("خبر");
    revised.item.revision = 2;
    let feed = feed(vec![entry("خبر"), revised]);
    let document = atom::write(&feed);
    let updated = read(&document, "<updated>", "</updated>");
    assert_eq!(updated, ["2026-11-20T10:00:00Z", "2026-11-20T09:00:00Z", "2026-11-20T10:00:00Z"]);
    assert!(document.contains("<link rel=\"hub\" href=\"https://hub.example/?a&amp;b\"/>"), "{document}");
    let document: Value = serde_json::from_str(&json::write(&feed)).unwrap();
    assert_eq!(document["hubs"][0]["url"], "https://hub.example/?a&b");
    assert_eq!(document["items"][1]["date_modified"], "2026-11-20T10:00:00Z");
    assert!(document["items"][0].get("image").is_none());

    let empty = Outgoing { hub: None, entries: Vec::new(), ..feed };
    assert_eq!(read(&atom::write(&empty), "<updated>", "</updated>"), ["1970-01-01T00:00:00Z"]);
    let document: Value = serde_json::from_str(&json::write(&empty)).unwrap();
    assert_eq!((document["items"].as_array().unwrap().len(), document.get("hubs")), (0, None));
}

#[test]
fn addresses_are_those_of_the_reader_unless_configured() {
    let published: Url = "https://rasid.example/news/".parse().unwrap();
    for (at, host, expected) in [
        (Some(&published), Some("10.0.0.1:7878"), "https://rasid.example/news/x?q=a"),
        (None, Some("10.0.0.1:7878"), "http://10.0.0.1:7878/x?q=a"),
        (None, Some("\"><x"), "http://localhost/x?q=a"),
        (None, None, "http://localhost/x?q=a"),
    ] {
        assert_eq!(address(at, host, "/x?q=a").unwrap().as_str(), expected, "{host:?}");
    }
    for (url, good) in [
        ("https://hub.example/", true),
        ("http://hub.example/a?b", true),
        ("ftp://hub.example/", false),
        ("https://me@hub.example/", false),
        ("https://:pw@hub.example/", false),
        ("https://hub.example/#a", false),
    ] {
        assert_eq!(check_published(&url.parse().unwrap()).is_ok(), good, "{url}");
    }
}
