//! Sinks with the real daemon: webhooks to a receiver that fails in every way, files that are torn, NATS where there is a
//! server. What arrives is compared with the log, position by position.

mod config;
mod file;
pub mod hook;
pub mod nats;
mod webhook;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::newsroom::{Answer, Server, prose};
use crate::rasid::{Home, wait_for};

/// A source that has published so many entries, and publishes more when told to.
pub struct Source {
    published: Arc<AtomicUsize>,
    server: Server,
}

impl Source {
    pub fn new(published: usize) -> Self {
        let published = Arc::new(AtomicUsize::new(published));
        let shown = Arc::clone(&published);
        let item = |n: usize| {
            format!(
                "<item><guid isPermaLink=\"false\">n-{n}</guid><title>{}</title><link>https://press.example/{n}</link>\
                 <description>{}</description></item>",
                prose(n as u64 + 1, 7),
                prose(n as u64 ^ 77_777, 90)
            )
        };
        let server = Server::start(move |_| {
            let items: String = (1..=shown.load(Ordering::SeqCst)).map(item).collect();
            let body = format!("<rss version=\"2.0\"><channel><title>صحافة</title>{items}</channel></rss>");
            Answer::ok("application/rss+xml; charset=utf-8", body)
        });
        Self { published, server }
    }

    /// Publishes so many more; how many there are then.
    pub fn publish(&self, more: usize) -> u64 {
        (self.published.fetch_add(more, Ordering::SeqCst) + more) as u64
    }

    /// A configuration that polls this source all the time, and has these sinks.
    pub fn home(&self, sinks: &str) -> Home {
        let feeds = format!(
            "[defaults]\ninterval = \"50ms\"\nmin_interval = \"20ms\"\nmax_interval = \"100ms\"\n\
             [[feed]]\nid = \"press\"\nurl = \"{}\"\n",
            self.server.url("/rss")
        );
        Home::new(&format!("per_host = 4\n{sinks}"), &feeds)
    }
}

/// How a sink is doing.
pub fn view(home: &Home, name: &str) -> Value {
    let list: Value = serde_json::from_str(&home.ok(&["sinks", "list", "--json"])).unwrap();
    let found = list["sinks"].as_array().unwrap().iter().find(|sink| sink["name"] == name);
    found.unwrap_or_else(|| panic!("{name} is not in {list}")).clone()
}

/// Waits until a sink has dealt with the log up to its end, which is not before `last`.
pub fn wait_until_done(home: &Home, name: &str, last: u64) {
    wait_for(&format!("{name} to have dealt with {last}"), || {
        let consumer = &view(home, name)["consumer"];
        consumer["lag"] == 0 && consumer["offset"].as_u64().is_some_and(|offset| offset >= last)
    });
}

/// The whole log as the daemon gives it.
pub fn log(home: &Home) -> Vec<Value> {
    home.ok(&["tail"]).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// That `seqs` has every position of the log, in order, some perhaps again.
pub fn assert_no_gap(seqs: &[u64], last: u64) {
    let mut next = 1;
    for (at, seq) in seqs.iter().enumerate() {
        assert!(*seq <= next, "{next} was left out: {:?}", &seqs[at.saturating_sub(3)..=at]);
        next = next.max(seq + 1);
    }
    assert_eq!(next, last + 1, "the end is missing: {seqs:?}");
}
