//! Searches over more documents than are looked at together: every kind of query finds what it should and nothing else, and a
//! page is the same whether little or much is kept beside it.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use rasid::id::{ItemId, Seq};
use rasid::item::Item;
use rasid::search::{Position, Request, Search, Sort};

use super::now;
use super::stored::stored;

const ITEMS: usize = 7_000;
/// The only items with زمرد: in a part of the index each, and the first has it in another place.
const EMERALD: [usize; 2] = [500, 3_010];

/// What item `i` says: ذهب is rare, فضة stands among the last alone, the others are frequent; texts are of many lengths.
fn item(i: usize) -> Item {
    let feed = ["ahram", "bbc", "wam"][i % 3];
    let mut words = vec!["كلمة"; 1 + i * 7 % 60];
    let said = [
        (i.is_multiple_of(2), "القمح"),
        (i.is_multiple_of(3), "حصاد"),
        (i % 7 == 1, "نفط"),
        (i % 500 == 6, "ذهب"),
        (i > 4_000, "فضة"),
    ];
    for (_, word) in said.iter().filter(|(says, _)| *says) {
        words.extend(std::iter::repeat_n(*word, 1 + i % 4));
    }
    if i.is_multiple_of(10) {
        words.extend(["حصاد", "القمح"]);
    }
    if let Some(nth) = EMERALD.iter().position(|emerald| *emerald == i) {
        words.extend([["زمرد", "حصاد", "القمح"], ["حصاد", "زمرد", "القمح"]][nth]);
    }
    let title = if i % 13 == 5 { "سوق القمح" } else { "خبر" };
    Item {
        seq: Seq(1 + i as u64),
        superseded_by: is_hidden(i).then_some(ItemId([7; 16])),
        ..stored(feed, &i.to_string(), title, &words.join(" "), published(i))
    }
}

/// Not in the order in which they are stored, and some at the same time.
fn published(i: usize) -> Timestamp {
    now() - SignedDuration::from_hours(i64::try_from(i * 37 % 1_000).unwrap())
}

fn is_hidden(i: usize) -> bool {
    i % 9 == 4
}

fn is_removed(i: usize) -> bool {
    i % 11 == 2
}

fn wheat(i: usize) -> bool {
    i.is_multiple_of(2) || i % 13 == 5
}

fn harvest(i: usize) -> bool {
    i.is_multiple_of(3) || i.is_multiple_of(10)
}

fn oil(i: usize) -> bool {
    i % 7 == 1
}

fn gold(i: usize) -> bool {
    i % 500 == 6
}

fn silver(i: usize) -> bool {
    i > 4_000
}

#[test]
fn every_kind_of_query_finds_what_fits_and_pages_agree() {
    let dir = tempfile::TempDir::new().unwrap();
    let search = Search::new(dir.path().join("search"));
    let mut indexer = search.indexer().unwrap();
    for i in 0..ITEMS {
        indexer.add(&item(i)).unwrap();
        if i == 900 {
            indexer.commit().unwrap();
        }
    }
    (0..ITEMS).filter(|i| is_removed(*i)).for_each(|i| indexer.remove(item(i).id));
    indexer.reach(Position::default());
    indexer.commit().unwrap();
    let ids: Vec<ItemId> = (0..ITEMS).map(|i| item(i).id).collect();

    let after = |days: i64, i: usize| published(i) >= now() - SignedDuration::from_hours(24 * days);
    let month = |i: usize| after(30, i) && published(i) < now() - SignedDuration::from_hours(240);
    type Fits<'a> = &'a dyn Fn(usize) -> bool;
    let rows: [(&str, Fits<'_>); 18] = [
        ("قمح", &wheat),
        ("ذهب", &gold),
        ("قمح حصاد", &|i| wheat(i) && harvest(i)),
        ("قمح حصاد نفط", &|i| wheat(i) && harvest(i) && oil(i)),
        ("قمح فضة", &|i| wheat(i) && silver(i)),
        ("\"حصاد القمح\"", &|i| i.is_multiple_of(10)),
        ("\"حصاد زمرد القمح\"", &|i| i == EMERALD[1]),
        ("\"زمرد حصاد\"", &|i| i == EMERALD[0]),
        ("نفط OR ذهب", &|i| oil(i) || gold(i)),
        ("(قمح نفط) OR ذهب", &|i| wheat(i) && oil(i) || gold(i)),
        ("حصاد (نفط OR \"حصاد القمح\")", &|i| harvest(i) && (oil(i) || i.is_multiple_of(10))),
        ("قمح -حصاد", &|i| wheat(i) && !harvest(i)),
        ("قمح -(حصاد OR نفط) -feed:bbc", &|i| wheat(i) && !harvest(i) && !oil(i) && i % 3 != 1),
        ("title:قمح", &|i| i % 13 == 5),
        ("title:قمح نفط", &|i| i % 13 == 5 && oil(i)),
        ("feed:wam قمح", &|i| wheat(i) && i % 3 == 2),
        ("قمح since:7d", &|i| wheat(i) && after(7, i)),
        ("قمح since:30d until:10d", &|i| wheat(i) && month(i)),
    ];
    for (query, fits) in rows {
        for sort in [Sort::Relevance, Sort::Newest] {
            for duplicates in [false, true] {
                let request = |limit, after| Request {
                    query: query.to_owned(),
                    sort,
                    duplicates,
                    limit,
                    after,
                    ..Request::default()
                };
                let what = format!("{query} {sort:?} {duplicates}");
                let expected: BTreeSet<ItemId> = (0..ITEMS)
                    .filter(|i| fits(*i) && !is_removed(*i) && (duplicates || !is_hidden(*i)))
                    .map(|i| ids[i])
                    .collect();
                let (mut all, mut after) = (Vec::new(), None);
                loop {
                    let found = search.find(&request(100, after), now()).unwrap();
                    assert_eq!((found.total, found.partly), (expected.len() as u64, false), "{what}");
                    all.extend(found.hits);
                    after = found.next;
                    if after.is_none() {
                        break;
                    }
                }
                assert_eq!(all.len(), expected.len(), "{what}");
                assert_eq!(all.iter().map(|hit| hit.id).collect::<BTreeSet<_>>(), expected, "{what}");
                let sorted = sort == Sort::Newest || all.is_sorted_by(|a, b| a.score >= b.score);
                assert!(sorted && all.iter().all(|hit| hit.score > 0.0), "{what}");
                // The fewer are kept, the more is passed over unseen.
                for few in [1, 3, 20] {
                    let found = search.find(&request(few, None), now()).unwrap();
                    assert_eq!(found.hits, all[..few.min(all.len())], "{what}: the best {few}");
                }
            }
        }
    }

    // Where no item has all the words, those with two of three are found.
    let partly =
        search.find(&Request { query: "ذهب قمح لؤلؤ".to_owned(), limit: 5, ..Request::default() }, now()).unwrap();
    let two = (0..ITEMS).filter(|i| wheat(*i) && gold(*i) && !is_removed(*i) && !is_hidden(*i)).count();
    assert_eq!((partly.total, partly.partly), (two as u64, true));
}
