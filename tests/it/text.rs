//! Text on real documents: charsets of damaged feeds, laws of words on real articles.

use std::collections::HashMap;

use rasid::text::decode::{Hints, Why, decode};
use rasid::text::normalize::normalize;
use rasid::text::tokenize::Words;

use crate::support::{jsonl_gz, shared, untar_gz};

/// Titles as they compare: CDATA or escaped, with entities undeclared, bare or doubled.
fn comparable(text: &str) -> String {
    Words::of(text).iter().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_title_of_the_damaged_feeds_is_in_the_decoded_text() {
    let Some(archive) = shared("data/feeds_arabic.tar.gz") else { return };
    let files: HashMap<String, Vec<u8>> = untar_gz(archive)
        .into_iter()
        .map(|(path, bytes)| (path.rsplit('/').next().unwrap().to_owned(), bytes))
        .collect();
    let manifest = String::from_utf8(files["manifest.jsonl"].clone()).unwrap();
    let mut titles = 0;
    for line in manifest.lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let (name, variant) = (case["file"].as_str().unwrap(), case["variant"].as_str().unwrap());
        let decoded = decode(&files[name], Hints::default());
        let (charset, why) = match variant {
            v if v.contains("mislabelled") || v.contains("declared utf-8") => ("windows-1256", Why::Detected),
            v if v.contains("windows-1256") => ("windows-1256", Why::Declared),
            v if v.contains("8859-6") => ("ISO-8859-6", Why::Declared),
            v if v.contains("utf-16") => ("UTF-16LE", Why::Bom),
            v if v.contains("BOM") => ("UTF-8", Why::Bom),
            _ => ("UTF-8", Why::ValidUtf8),
        };
        assert_eq!((decoded.charset, decoded.why), (charset, why), "{name} ({variant})");
        // A title with a bare `&` or a control character has it inside a word, where nothing compares.
        let spoiled = variant.contains("control") || variant.contains("bare");
        let text = comparable(&decoded.text);
        let missing: Vec<_> = case["titles"]
            .as_array()
            .unwrap()
            .iter()
            .map(|title| title.as_str().unwrap())
            .inspect(|_| titles += 1)
            .filter(|title| !text.contains(&comparable(title)))
            .collect();
        assert!(missing.len() <= if spoiled { 3 } else { 0 }, "{name} ({variant}) lost {missing:?}");
    }
    assert!(titles > 1_000, "only {titles} titles in the manifest");
}

#[test]
fn laws_hold_on_real_articles() {
    let Some(articles) = shared("data/articles_dev.jsonl.gz") else { return };
    for article in jsonl_gz(articles).step_by(40) {
        let text = article["text"].as_str().unwrap_or_default();
        let once = normalize(text);
        assert_eq!(normalize(&once), once, "article {}", article["id"]);
        let words = Words::of(text);
        let chars: Vec<char> = text.chars().collect();
        let mut end = 0;
        for i in 0..words.len() {
            let range = words.original(i..i + 1);
            let original: String = chars[range.clone()].iter().collect();
            assert!(
                range.start >= end || original.contains(['ﷺ', 'ﷻ', '½', '¼', '¾']),
                "{original} in {}",
                article["id"]
            );
            assert!(Words::of(&original).iter().any(|word| word == words.get(i)), "{original} is not {}", words.get(i));
            end = range.end;
        }
    }
}
