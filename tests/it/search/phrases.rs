//! Phrases: what the index finds is what shows them, word by word, in the texts themselves.

use std::collections::BTreeSet;

use fastrand::Rng;
use rasid::id::ItemId;
use rasid::item::Item;
use rasid::search::{Position, Query, Request, Search, show};

use super::now;
use super::stored::stored;

/// Mostly words that say nothing by themselves, which stand as pairs in the index; some with a و before them or with other
/// readings, and some that say something.
const WORDS: [&str; 12] = ["في", "عن", "من", "وفي", "ومن", "كما", "التي", "هذا", "قمح", "والقمح", "الحصاد", "بحصاد"];

fn words(rng: &mut Rng, count: usize) -> String {
    (0..count).map(|_| WORDS[rng.usize(..WORDS.len())]).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_phrase_is_found_where_it_stands() {
    let mut rng = Rng::with_seed(11);
    let dir = tempfile::TempDir::new().unwrap();
    let search = Search::new(dir.path().join("search"));
    let mut indexer = search.indexer().unwrap();
    let items: Vec<Item> = (0..300)
        .map(|i| {
            let (title, text) = (rng.usize(1..5), rng.usize(1..14));
            // Now and then a word too long for the index stands between two others.
            let long = if i % 20 == 3 { format!(" {} ", "ط".repeat(130)) } else { " ".to_owned() };
            let text = words(&mut rng, text) + &long + &words(&mut rng, 3);
            let mut item = stored("bbc", &i.to_string(), &words(&mut rng, title), &text, now());
            // The end of the summary and the beginning of the text are no phrase.
            item.content.summary = words(&mut rng, 2);
            item
        })
        .collect();
    items.iter().for_each(|item| indexer.add(item).unwrap());
    indexer.reach(Position::default());
    indexer.commit().unwrap();
    let (mut found_any, mut found_none) = (0, 0);
    for nth in 0..300 {
        let count = 2 + nth % 4;
        let query = format!("\"{}\"", words(&mut rng, count));
        let parsed = Query::parse(&query, now()).unwrap();
        let says = |item: &&Item| !show(&parsed, &item.content).highlights.is_empty();
        let expected: BTreeSet<ItemId> = items.iter().filter(says).map(|item| item.id).collect();
        let request = Request { query: query.clone(), limit: 100, duplicates: true, ..Request::default() };
        let found = search.find(&request, now()).unwrap();
        let hits: BTreeSet<ItemId> = found.hits.iter().map(|hit| hit.id).collect();
        if expected.len() <= request.limit {
            let wrong = items.iter().filter(|item| hits.contains(&item.id) != expected.contains(&item.id));
            let wrong: Vec<_> =
                wrong.map(|item| (&item.content.title, &item.content.summary, &item.content.text)).collect();
            assert!(wrong.is_empty(), "{query}: {wrong:?}");
        }
        assert_eq!(found.total, expected.len() as u64, "{query}");
        *(if expected.is_empty() { &mut found_none } else { &mut found_any }) += 1;
    }
    assert!(found_any > 50 && found_none > 50, "{found_any} {found_none}");
}
