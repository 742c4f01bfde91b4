//! What is published: three feeds that have something new at every request, so that all kinds of records come into the log.
//!
//! `press` has news and now and then a changed text, `echo` has its texts under other headlines, and what `brief` has is
//! kept for seconds only.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Mutex;

use crate::newsroom::{Answer, prose};

pub const FEEDS: [&str; 3] = ["press", "echo", "brief"];

/// How many entries a feed shows.
const SHOWN: usize = 25;

#[derive(Clone)]
struct Entry {
    guid: String,
    number: u64,
    edition: u64,
    title: String,
    text: String,
}

struct State {
    random: fastrand::Rng,
    number: u64,
    shown: HashMap<&'static str, VecDeque<Entry>>,
    titles: HashMap<String, HashSet<String>>,
    /// How often each feed was asked for.
    asked: HashMap<&'static str, u32>,
    closed: bool,
}

pub struct Press(Mutex<State>);

impl Press {
    pub fn new(random: fastrand::Rng) -> Self {
        let shown = FEEDS.iter().map(|feed| (*feed, VecDeque::new())).collect();
        let (titles, asked) = (HashMap::new(), HashMap::new());
        Self(Mutex::new(State { random, number: 0, shown, titles, asked, closed: false }))
    }

    /// Nothing new from now on, and nothing in `brief`.
    pub fn close(&self) {
        let mut state = self.0.lock().unwrap();
        state.closed = true;
        state.shown.get_mut("brief").unwrap().clear();
    }

    /// Whether every feed was asked for so often.
    pub fn was_asked(&self, times: u32) -> bool {
        let state = self.0.lock().unwrap();
        FEEDS.iter().all(|feed| state.asked.get(feed).is_some_and(|asked| *asked >= times))
    }

    /// Whether an entry had this title at any time.
    pub fn published(&self, guid: &str, title: &str) -> bool {
        self.0.lock().unwrap().titles.get(guid).is_some_and(|titles| titles.contains(title))
    }

    /// The document of `/FEED`, newest first.
    pub fn answer(&self, path: &str) -> Answer {
        let Some(feed) = FEEDS.iter().find(|feed| path.trim_start_matches('/') == **feed) else {
            return Answer::status(404);
        };
        let mut state = self.0.lock().unwrap();
        if !state.closed {
            state.publish(feed);
        }
        let items: String = state.shown[feed].iter().rev().map(Entry::xml).collect();
        let body = format!("<rss version=\"2.0\"><channel><title>{feed}</title>{items}</channel></rss>");
        Answer::ok("application/rss+xml; charset=utf-8", body)
    }
}

impl State {
    /// So much is the same in every run that no kind of record is left to chance.
    fn publish(&mut self, feed: &'static str) {
        let asked = self.asked.entry(feed).or_default();
        *asked += 1;
        let asked = *asked;
        match feed {
            "press" => {
                for _ in 0..self.random.u32(2..=6) {
                    let text = prose(self.number ^ 77_777, 45);
                    self.add(feed, text);
                }
                if asked.is_multiple_of(3) {
                    self.revise();
                }
            }
            "echo" if asked.is_multiple_of(2) => {
                let originals = &self.shown["press"];
                let text = self.random.choice(originals).map(|original| original.text.clone());
                text.into_iter().for_each(|text| self.add(feed, text));
            }
            "brief" if asked % 2 == 1 => {
                let text = prose(self.number ^ 99_999, 30);
                self.add(feed, text);
            }
            _ => {}
        }
    }

    fn revise(&mut self) {
        let shown = self.shown.get_mut("press").unwrap();
        let n = self.random.usize(0..shown.len());
        let entry = &mut shown[n];
        entry.edition += 1;
        entry.title = format!("{} طبعة {}", prose(entry.number, 7), entry.edition);
        entry.text = format!("{}\n{}", entry.text, prose(entry.number ^ (entry.edition << 32), 6));
        self.titles.entry(entry.guid.clone()).or_default().insert(entry.title.clone());
    }

    fn add(&mut self, feed: &'static str, text: String) {
        self.number += 1;
        let (guid, title) = (format!("{feed}-{}", self.number), prose(self.number, 7));
        self.titles.entry(guid.clone()).or_default().insert(title.clone());
        let shown = self.shown.get_mut(feed).unwrap();
        shown.push_back(Entry { guid, number: self.number, edition: 1, title, text });
        if shown.len() > SHOWN {
            shown.pop_front();
        }
    }
}

impl Entry {
    fn xml(&self) -> String {
        let Self { guid, title, text, .. } = self;
        format!(
            "<item><guid isPermaLink=\"false\">{guid}</guid><title>{title}</title>\
             <link>https://press.example/{guid}</link><description>{text}</description></item>"
        )
    }
}
