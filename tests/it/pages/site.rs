//! A site over several polls, by the real binary: what its pages have in common is learned, kept, left out and told.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::newsroom::{Answer, Server, prose};
use crate::rasid::Home;

/// Prose to every rule but that of recurring lines.
const SITE: &str = "تصلكم رسالتنا الأسبوعية كل أحد في بريدكم إذا كتبتم لنا";

fn page(number: usize) -> String {
    let text = prose(number as u64, 150).replace('\n', ".</p><p>");
    format!(
        "<html lang=\"ar\"><head><title>الخبر رقم {number}</title><link rel=\"canonical\" href=\"/story/{number}\"></head>\
         <body><article><h1>الخبر رقم {number}</h1><p>{text}.</p><p>{SITE}</p></article></body></html>"
    )
}

fn items(home: &Home) -> Vec<Value> {
    let lines = home.ok(&["items", "--all", "--limit", "100", "--format", "ndjson"]);
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn lines_that_recur_on_a_site_are_left_out_after_a_restart_too() {
    let published = Arc::new(AtomicUsize::new(6));
    let count = published.clone();
    let press = Server::start(move |asked| match asked.path.strip_prefix("/r/") {
        Some(number) => Answer::ok("text/html; charset=utf-8", page(number.parse().unwrap())),
        None => {
            let item =
                |n: usize| format!("<item><guid>{n}</guid><title>الخبر رقم {n}</title><link>/r/{n}</link></item>");
            let items: String = (1..=count.load(Ordering::SeqCst)).map(item).collect();
            Answer::ok(
                "application/rss+xml",
                format!("<rss version=\"2.0\"><channel><title>ق</title>{items}</channel></rss>"),
            )
        }
    });
    let home = Home::new("per_host = 8", &format!("[[feed]]\nid = \"a\"\nurl = \"{}\"\n", press.url("/feed")));
    // Each command opens the store anew: what is known between the polls is on disk.
    home.ok(&["feeds", "poll", "a"]);
    published.store(8, Ordering::SeqCst);
    home.ok(&["feeds", "poll", "a"]);

    let items = items(&home);
    assert_eq!(items.len(), 8);
    for item in &items {
        let number: usize = item["guid"].as_str().unwrap().parse().unwrap();
        let text = item["text"].as_str().unwrap();
        assert_eq!(item["text_from"], "page");
        assert_eq!(text.contains(SITE), number <= 6, "{number}: {text}");
        let canonical = item["canonical_url"].as_str().unwrap();
        assert!(canonical.ends_with(&format!("/story/{number}")), "{canonical}");
    }
    let why = home.ok(&["feeds", "why", "a"]);
    assert!(why.contains("2 lines that recur on this site's pages were left out"), "{why}");
}
