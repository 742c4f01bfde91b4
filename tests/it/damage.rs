//! Feeds that were damaged at random: what of them is still read.
//!
//! In: feeds of our own making (`edition`), and [`OPERATORS`] that each do one kind of harm, at places that a fixed seed
//! chooses. Out: for each kind, how many of the entries outside the damage come out with the right title and link, here
//! and from `feed_rs` alone; the table is printed.
//! Promise: at least 99 of 100 are kept, over all kinds.

use std::collections::HashSet;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use fastrand::Rng;
use rasid::parse::parse;
use rasid::source::{Document, FeedConfig, Validators};

use crate::edition::{self, Markup, Story};

/// Entries in a feed, and feeds for each kind of damage and form of document.
const ENTRIES: usize = 20;
const FEEDS: u64 = 6;

/// One kind of harm: what it does to the bytes, and which bytes of the original it did it to.
struct Operator {
    name: &'static str,
    harm: fn(&mut Vec<u8>, &mut Rng) -> Vec<Range<usize>>,
}

/// Puts `new` in the place of a range.
fn splice(bytes: &mut Vec<u8>, range: Range<usize>, new: &[u8]) -> Vec<Range<usize>> {
    bytes.splice(range.clone(), new.iter().copied());
    // An insertion is damage to what stands at its place.
    std::iter::once(range.start..range.end.max(range.start + 1)).collect()
}

fn place(bytes: &[u8], rng: &mut Rng) -> usize {
    rng.usize(..bytes.len())
}

fn one_of<'w>(rng: &mut Rng, words: &[&'w [u8]]) -> &'w [u8] {
    words[rng.usize(..words.len())]
}

/// Where the tags of a document stand, those within CDATA not counted.
fn tags(bytes: &[u8]) -> Vec<Range<usize>> {
    let (mut out, mut at) = (Vec::new(), 0);
    while let Some(begin) = bytes[at..].iter().position(|b| *b == b'<').map(|n| at + n) {
        let end: &[u8] = if bytes[begin..].starts_with(b"<![CDATA[") { b"]]>" } else { b">" };
        let length = bytes[begin..].windows(end.len()).position(|window| window == end).unwrap() + end.len();
        at = begin + length;
        if end.len() == 1 {
            out.push(begin..at);
        }
    }
    out
}

fn swap(bytes: &mut Vec<u8>, first: Range<usize>, second: Range<usize>) -> Vec<Range<usize>> {
    let (one, other) = (bytes[first.clone()].to_vec(), bytes[second.clone()].to_vec());
    bytes.splice(second.clone(), one);
    bytes.splice(first.clone(), other);
    vec![first, second]
}

fn a_tag(bytes: &[u8], rng: &mut Rng) -> Range<usize> {
    let tags = tags(bytes);
    tags[rng.usize(..tags.len())].clone()
}

const OPERATORS: &[Operator] = &[
    Operator {
        name: "a byte deleted",
        harm: |bytes, rng| {
            let at = place(bytes, rng);
            splice(bytes, at..at + 1, b"")
        },
    },
    Operator {
        name: "a byte overwritten",
        harm: |bytes, rng| {
            let at = place(bytes, rng);
            splice(bytes, at..at + 1, &[rng.u8(..)])
        },
    },
    Operator {
        name: "bytes that are no UTF-8",
        harm: |bytes, rng| {
            let (at, bad) = (place(bytes, rng), [rng.u8(0x80..), rng.u8(0x80..), rng.u8(0x80..)]);
            splice(bytes, at..at, &bad[..rng.usize(1..=3)])
        },
    },
    Operator {
        name: "half a letter",
        harm: |bytes, rng| {
            let letters: Vec<usize> = (0..bytes.len()).filter(|at| matches!(bytes[*at], 0xD8 | 0xD9)).collect();
            let at = letters[rng.usize(..letters.len())] + rng.usize(..2);
            splice(bytes, at..at + 1, b"")
        },
    },
    Operator {
        name: "zeros and control bytes",
        harm: |bytes, rng| {
            let (at, bad) = (place(bytes, rng), [rng.u8(..9), 0, rng.u8(0x0E..0x20), 0x0B]);
            splice(bytes, at..at, &bad[..rng.usize(1..=4)])
        },
    },
    Operator {
        name: "an entity that is not declared",
        harm: |bytes, rng| {
            let at = place(bytes, rng);
            let entity = one_of(rng, &[b"&nbsp;", b"&hellip;", b"&bomb;", b"&", b"&#0;", b"&#xD800;", b"&amp", b"&&;"]);
            splice(bytes, at..at, entity)
        },
    },
    Operator {
        name: "junk",
        harm: |bytes, rng| {
            let at = place(bytes, rng);
            let junk: &[&[u8]] = &[
                b"<",
                b">",
                b"</p>",
                b"<b>",
                b"\"",
                b"]]>",
                b"<!--",
                b"<![CDATA[",
                b"<?",
                b"</",
                b"<br>",
                b"<font color=red>",
            ];
            splice(bytes, at..at, one_of(rng, junk))
        },
    },
    Operator {
        name: "a warning of the server",
        harm: |bytes, rng| {
            let at = if rng.bool() { 0 } else { a_tag(bytes, rng).start };
            splice(
                bytes,
                at..at,
                b"<br />\n<b>Warning</b>: mysql_query() [<a href='x'>x</a>] in /www/feed.php on line 7<br />\n",
            )
        },
    },
    Operator {
        name: "a tag dropped",
        harm: |bytes, rng| {
            let tag = a_tag(bytes, rng);
            splice(bytes, tag, b"")
        },
    },
    Operator {
        name: "a tag doubled",
        harm: |bytes, rng| {
            let tag = a_tag(bytes, rng);
            let copy = bytes[tag.clone()].to_vec();
            splice(bytes, tag.start..tag.start, &copy)
        },
    },
    Operator {
        name: "neighbouring tags swapped",
        harm: |bytes, rng| {
            let tags = tags(bytes);
            let n = rng.usize(..tags.len() - 1);
            swap(bytes, tags[n].clone(), tags[n + 1].clone())
        },
    },
    Operator {
        name: "two tags swapped",
        harm: |bytes, rng| {
            let tags = tags(bytes);
            let (one, other) = (rng.usize(..tags.len()), rng.usize(..tags.len()));
            let (first, second) = (one.min(other), one.max(other));
            if first == second { Vec::new() } else { swap(bytes, tags[first].clone(), tags[second].clone()) }
        },
    },
    Operator {
        name: "a range deleted",
        harm: |bytes, rng| {
            let (at, length) = (place(bytes, rng), rng.usize(2..400));
            splice(bytes, at..(at + length).min(bytes.len()), b"")
        },
    },
    Operator {
        name: "the end missing",
        harm: |bytes, rng| {
            let at = place(bytes, rng);
            splice(bytes, at..bytes.len(), b"")
        },
    },
];

/// The text with one kind of harm done to each third of it, and where in the text that was.
fn hurt(text: &str, operators: &[&Operator], rng: &mut Rng) -> (Vec<u8>, Vec<Range<usize>>) {
    let spans = spans(text);
    let (mut bytes, mut wounds, mut from) = (Vec::new(), Vec::new(), 0);
    for (n, operator) in operators.iter().enumerate() {
        let to = if n + 1 == operators.len() { text.len() } else { spans[(n + 1) * spans.len() / operators.len()].end };
        let mut part = text.as_bytes()[from..to].to_vec();
        wounds.extend((operator.harm)(&mut part, rng).into_iter().map(|wound| wound.start + from..wound.end + from));
        bytes.extend(part);
        from = to;
    }
    (bytes, wounds)
}

/// Where each entry stands in an undamaged document.
fn spans(text: &str) -> Vec<Range<usize>> {
    let name = if text.contains("<entry>") { "entry" } else { "item" };
    let ends: Vec<usize> = text.match_indices(&format!("</{name}>")).map(|(at, end)| at + end.len()).collect();
    let begins: Vec<usize> = text.match_indices(&format!("<{name}")).map(|(at, _)| at).collect();
    begins.into_iter().zip(ends).map(|(begin, end)| begin..end).collect()
}

/// Titles and links, each pair once.
type Pairs = HashSet<(String, String)>;

fn ours(bytes: &[u8]) -> Pairs {
    let url: url::Url = "https://paper.example/feed.xml".parse().unwrap();
    let feed = FeedConfig::new("paper".parse().unwrap(), url.clone());
    let document = Document {
        bytes: bytes.to_vec(),
        url,
        status: 200,
        content_type: None,
        charset: None,
        validators: Validators::default(),
        cut: None,
        redirects: Vec::new(),
        fresh_for: None,
    };
    let parsed = parse(&document, &feed, "2026-11-20T12:00:00Z".parse().unwrap());
    let entries = parsed.map(|parsed| parsed.entries).unwrap_or_default();
    entries.into_iter().filter_map(|entry| Some((entry.title, entry.url?.to_string()))).collect()
}

fn feed_rs_alone(bytes: &[u8]) -> Pairs {
    let read = catch_unwind(AssertUnwindSafe(|| feed_rs::parser::parse(bytes)));
    let entries = read.ok().and_then(Result::ok).map(|feed| feed.entries).unwrap_or_default();
    entries.into_iter().filter_map(|entry| Some((entry.title?.content, entry.links.first()?.href.clone()))).collect()
}

/// The forms of document, each with its stories.
fn forms(seed: u64) -> Vec<(Vec<Story>, String)> {
    let write: [fn(&[Story], Markup) -> String; 3] = [edition::rss, edition::rdf, edition::atom];
    let form = |write: fn(&[Story], Markup) -> String, markup| {
        let stories = edition::stories(seed, ENTRIES, 1);
        let text = write(&stories, markup);
        (stories, text)
    };
    write.into_iter().flat_map(|write| [Markup::Cdata, Markup::Escaped].map(|markup| form(write, markup))).collect()
}

#[test]
fn t6_entries_outside_the_damage_are_kept() {
    let mut rng = Rng::with_seed(20_260_120);
    let (mut feeds, mut sum, mut table, mut lost) = (0, [0; 3], String::new(), Vec::new());
    let single = OPERATORS.iter().map(|operator| (operator.name, Some(operator)));
    for ((name, operator), series) in single.chain([("three of these in one feed", None)]).zip(1..) {
        let mut row = [0; 3];
        for (stories, text) in (0..FEEDS).flat_map(|n| forms(series * 1_000 + n)) {
            let any: Vec<&Operator> = (0..3).map(|_| &OPERATORS[rng.usize(..OPERATORS.len())]).collect();
            let (bytes, wounds) =
                hurt(&text, operator.as_slice().first().map_or(&any[..], std::slice::from_ref), &mut rng);
            let hit = |span: &Range<usize>| wounds.iter().any(|wound| wound.start < span.end && span.start < wound.end);
            let whole = stories.iter().zip(spans(&text)).filter(|(_, span)| !hit(span));
            let whole: Pairs = whole.map(|(story, _)| (story.title.clone(), story.link.clone())).collect();
            let (kept, alone) = (ours(&bytes), feed_rs_alone(&bytes));
            let counts = [whole.len(), whole.intersection(&kept).count(), whole.intersection(&alone).count()];
            if counts[1] < counts[0] {
                lost.push(format!(
                    "{name}: {} of {}, at {wounds:?}\n{}",
                    counts[1],
                    counts[0],
                    around(&bytes, &wounds)
                ));
            }
            row = [0, 1, 2].map(|n| row[n] + counts[n]);
            feeds += 1;
        }
        table += &line(name, row);
        sum = [0, 1, 2].map(|n| sum[n] + row[n]);
    }
    let head = format!("{feeds} damaged feeds{:20} {:>7} {:>9} {:>9}\n", "", "entries", "kept", "feed_rs");
    let table = head + &table + &line("all", sum);
    eprintln!("{table}{}", lost.join("\n"));
    assert!(feeds >= 500);
    assert!(sum[1] * 100 >= sum[0] * 99, "{table}{}", lost.join("\n"));
}

fn line(what: &str, [all, kept, alone]: [usize; 3]) -> String {
    let share = |n: usize| 100.0 * n as f64 / all.max(1) as f64;
    format!("{what:36} {all:7} {:7.2} % {:7.2} %\n", share(kept), share(alone))
}

/// The damaged place, for whoever looks why entries were lost.
fn around(bytes: &[u8], wounds: &[Range<usize>]) -> String {
    let at = |wound: &Range<usize>| {
        let shown = wound.start.saturating_sub(60).min(bytes.len())..(wound.start + 90).min(bytes.len());
        format!("    …{}…", String::from_utf8_lossy(&bytes[shown]).escape_debug())
    };
    wounds.iter().map(at).collect::<Vec<_>>().join("\n")
}
