//! Stories: events of our own told in different words, and a year of articles.

use std::collections::{BTreeMap, BTreeSet};

use ::rasid::id::{EntryKey, ItemId};
use ::rasid::story::{Sketch, Stories, StoriesConfig, headline};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::newsroom::{Answer, Server};
use crate::rasid::Home;
use crate::support::{jsonl_gz, shared};

const FIRST: &str = include_str!("../fixtures/stories/first.txt");
const SECOND: &str = include_str!("../fixtures/stories/second.txt");

/// One item of the fixtures: when, of which event, title, text.
#[derive(Clone, Debug)]
struct Told<'a> {
    at: Timestamp,
    event: &'a str,
    title: &'a str,
    text: &'a str,
}

impl Told<'_> {
    fn id(&self) -> ItemId {
        ItemId::of(&"feed".parse().unwrap(), EntryKey::of("title", self.title))
    }
}

/// `== event`, then for each item `@ hour`, a title, a text. In the order of their times.
fn read(text: &str) -> Vec<Told<'_>> {
    let start: Timestamp = "2026-03-02T00:00:00Z".parse().unwrap();
    let mut told = Vec::new();
    let mut event = "";
    let mut lines = text.lines().filter(|line| !line.is_empty());
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("== ") {
            event = name;
        } else {
            let hour: i64 = line.strip_prefix("@ ").unwrap().parse().unwrap();
            let at = start + SignedDuration::from_hours(hour);
            told.push(Told { at, event, title: lines.next().unwrap(), text: lines.next().unwrap() });
        }
    }
    told.sort_by_key(|item| item.at);
    told
}

/// The story of each item, in order.
fn stories(told: &[Told<'_>]) -> Vec<ItemId> {
    let mut window = Stories::new(StoriesConfig::default().window);
    told.iter().map(|item| window.place(item.id(), item.at, &Sketch::of(item.title, item.text), None).story).collect()
}

/// B-cubed precision, recall and F1 (Bagga and Baldwin 1998).
fn b_cubed(pairs: &[(&str, ItemId)]) -> (f64, f64, f64) {
    let (mut precision, mut recall) = (0.0, 0.0);
    for (event, story) in pairs {
        let both = pairs.iter().filter(|other| other == &&(*event, *story)).count() as f64;
        precision += both / pairs.iter().filter(|(_, other)| other == story).count() as f64;
        recall += both / pairs.iter().filter(|(other, _)| other == event).count() as f64;
    }
    let n = pairs.len() as f64;
    let (precision, recall) = (precision / n, recall / n);
    (precision, recall, 2.0 * precision * recall / (precision + recall))
}

fn report(name: &str, text: &str) -> (f64, f64, f64) {
    let told = read(text);
    let found: Vec<(&str, ItemId)> = told.iter().map(|item| item.event).zip(stories(&told)).collect();
    let score = b_cubed(&found);
    let mut by_event = BTreeMap::<&str, BTreeSet<ItemId>>::new();
    let mut by_story = BTreeMap::<ItemId, BTreeSet<&str>>::new();
    for (event, story) in &found {
        by_event.entry(event).or_default().insert(*story);
        by_story.entry(*story).or_default().insert(event);
    }
    let split: Vec<String> =
        by_event.iter().filter(|(_, s)| s.len() > 1).map(|(e, s)| format!("{e}:{}", s.len())).collect();
    let merged: Vec<_> = by_story.values().filter(|events| events.len() > 1).collect();
    eprintln!(
        "{name}: {} items of {} events: precision {:.3}, recall {:.3}, F1 {:.3}; split {split:?}; merged {merged:?}",
        told.len(),
        by_event.len(),
        score.0,
        score.1,
        score.2
    );
    score
}

#[test]
fn events_told_in_different_words_form_stories() {
    let (_, _, first) = report("first half", FIRST);
    let (_, _, second) = report("second half", SECOND);
    let (_, _, all) = report("all", &[FIRST, SECOND].concat());
    assert!(first >= 0.90 && second >= 0.90 && all >= 0.90);
}

#[test]
fn the_stories_of_a_year_stay_of_a_size_that_a_reader_accepts() {
    let Some(articles) = shared("data/articles_dev.jsonl.gz") else { return };
    let field = |record: &Value, name: &str| record[name].as_str().unwrap_or_default().to_owned();
    let mut articles: Vec<_> = jsonl_gz(articles)
        .map(|article| {
            let at: Timestamp = field(&article, "date").parse().unwrap();
            (at, field(&article, "id"), field(&article, "title"), field(&article, "text"))
        })
        .collect();
    articles.sort();
    let mut window = Stories::new(StoriesConfig::default().window);
    let mut members = BTreeMap::<ItemId, Vec<usize>>::new();
    for (n, (at, id, title, text)) in articles.iter().enumerate() {
        let id = ItemId::of(&"feed".parse().unwrap(), EntryKey::of("id", id));
        members.entry(window.place(id, *at, &Sketch::of(title, text), None).story).or_default().push(n);
    }
    let mut stories: Vec<&Vec<usize>> = members.values().filter(|story| story.len() > 1).collect();
    stories.sort_by_key(|story| std::cmp::Reverse(story.len()));
    let told: usize = stories.iter().map(|story| story.len()).sum();
    eprintln!("{} articles: {} stories of several with {told} of them", articles.len(), stories.len());
    for story in stories.iter().take(10) {
        let titles: Vec<&str> = story.iter().map(|n| articles[*n].2.as_str()).collect();
        eprintln!("{}, {} to {}:", story.len(), articles[story[0]].0, articles[story[story.len() - 1]].0);
        titles.iter().for_each(|title| eprintln!("    {title}"));
        eprintln!("  titled: {}", titles[headline(&titles).unwrap()]);
    }
    // The largest were looked at: each is one affair. One twice as large would need a look.
    assert!(stories.len() > 900 && stories[0].len() <= 30, "{} items in one story", stories[0].len());
}

#[test]
fn a_story_is_read_over_every_door() {
    let home = Home::new("", "");
    let told: Vec<Told<'_>> =
        read(FIRST).into_iter().filter(|item| ["dam-sudan", "oil-cut"].contains(&item.event)).collect();
    let entries = |event: &str, copies: bool| -> String {
        let of = told.iter().filter(|item| item.event == event);
        let guid = |item: &Told<'_>| if copies { format!("copy of {}", item.title) } else { item.title.to_owned() };
        let item = |item: &Told<'_>| {
            let at = item.at.to_zoned(jiff::tz::TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
            let (title, text, guid) = (item.title, item.text, guid(item));
            format!(
                "<item><title>{title}</title><guid isPermaLink=\"false\">{guid}</guid><pubDate>{at}</pubDate>\
                 <description>{text}</description></item>"
            )
        };
        of.map(item).collect()
    };
    let channel = |items: String| format!("<rss version=\"2.0\"><channel><title>نشرة</title>{items}</channel></rss>");
    let one = channel(entries("dam-sudan", false) + &entries("oil-cut", false));
    let two = channel(entries("dam-sudan", true));
    let site = Server::start(move |asked| match asked.path.as_str() {
        "/one" => Answer::ok("application/rss+xml", one.clone()),
        "/two" => Answer::ok("application/rss+xml", two.clone()),
        _ => Answer::status(404),
    });
    let feed = |id: &str| {
        let url = site.url(&format!("/{id}"));
        format!("[[feed]]\nid = \"{id}\"\nurl = \"{url}\"\nfull_text = \"never\"\n")
    };
    home.write("feeds.toml", &(feed("one") + &feed("two")));
    home.ok(&["feeds", "poll", "one"]);
    home.ok(&["feeds", "poll", "two"]);

    let list: Value = serde_json::from_str(&home.ok(&["story", "--json"])).unwrap();
    let stories = list["stories"].as_array().unwrap();
    assert_eq!(stories.len(), 2, "{list}");
    let dam = stories.iter().find(|story| story["size"] == 6 || story["size"] == 8).unwrap();
    let (id, shown) = (dam["id"].as_str().unwrap(), home.ok(&["story", dam["id"].as_str().unwrap()]));
    assert!(shown.contains("by hour") && shown.contains("one ×") && shown.contains("two ×"), "{shown}");
    let story: Value = serde_json::from_str(&home.ok(&["story", id, "--json"])).unwrap();
    assert_eq!(story["title"], dam["title"]);
    let items = story["items"].as_array().unwrap();
    let by_hour: u64 = story["hours"].as_array().unwrap().iter().map(|hour| hour["items"].as_u64().unwrap()).sum();
    assert_eq!(by_hour, story["size"].as_u64().unwrap());
    assert_eq!(items.len() as u64 + story["copies"].as_u64().unwrap(), by_hour);
    assert_eq!(items[0]["copies"][0]["feed"], "two");
    // By its number in a listing, and by a copy.
    let number = items[1]["seq"].to_string();
    let copy = items[0]["copies"][0]["id"].as_str().unwrap().to_owned();
    for name in [number, copy] {
        let same: Value = serde_json::from_str(&home.ok(&["story", &name, "--json"])).unwrap();
        assert_eq!(same["id"], id);
    }
    assert!(home.ok(&["show", id]).contains(&format!("story       {id}")));
    let refused = home.rasid(&["story", "99999"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert_eq!(home.rasid(&["story", "--since", "whenever"]).status.code(), Some(2));
    assert!(home.ok(&["story", "--since", "1h"]).is_empty());
}
