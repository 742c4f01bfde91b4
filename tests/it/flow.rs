//! The whole flow, from bytes on a socket to stored items, by the real binary.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::newsroom::{Answer, Server, prose};
use crate::rasid::{Home, wait_for};
use crate::support::{jsonl_gz, shared};

fn items(home: &Home) -> Vec<Value> {
    let lines = home.ok(&["items", "--all", "--limit", "500", "--format", "ndjson"]);
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The seeds as feeds with pages: unchanged they are all `exact`, and changed in 17 ways they are copies of the right seed.
#[test]
fn the_seeds_are_recognized_in_every_form() {
    let Some(data) = shared("data/near_duplicates_dev.jsonl.gz") else { return };
    let Some(_) = shared("seeds") else { return };
    let mut texts: Vec<(String, String, String)> = Vec::new();
    for row in jsonl_gz(data) {
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        match row["kind"].as_str().unwrap() {
            "original" if text("id").starts_with("seed/") => texts.push(("seeds".into(), text("id"), text("text"))),
            "copy" if text("of").starts_with("seed/") => texts.push((text("change").replace('_', "-"), text("of"), text("text"))),
            _ => {}
        }
    }
    assert_eq!(texts.len(), 5 + 18 * 5);

    let (mut feeds, mut answers) = (HashMap::<&str, String>::new(), HashMap::<String, Answer>::new());
    for (number, (change, _, text)) in texts.iter().enumerate() {
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let (title, path) = (escape(lines[0]), format!("/page/{number}"));
        let paragraphs: String = lines.iter().map(|line| format!("<p>{}</p>\n", escape(line))).collect();
        let page = format!(
            "<html lang=\"ar\"><head><title>{title}</title></head><body><nav><a href=\"/\">الرئيسية</a></nav>\
             <article>{paragraphs}</article><footer>جميع الحقوق محفوظة</footer></body></html>"
        );
        answers.insert(path.clone(), Answer::ok("text/html; charset=utf-8", page));
        let item = format!("<item><title>{title}</title><link>{path}</link><guid>{number}</guid></item>");
        feeds.entry(change).or_default().push_str(&item);
    }
    let mut config = String::from("[defaults]\nfull_text = \"always\"\n");
    for (change, items) in feeds {
        let feed = format!("<rss version=\"2.0\"><channel><title>{change}</title>{items}</channel></rss>");
        answers.insert(format!("/feed/{change}"), Answer::ok("application/rss+xml", feed));
        write!(config, "[[feed]]\nid = \"{change}\"\nurl = \"http://ADDRESS/feed/{change}\"\n").unwrap();
    }
    let press = Server::start(move |asked| answers.get(&asked.path).cloned().unwrap_or_else(|| Answer::status(404)));
    let home = Home::new("per_host = 8", &config.replace("ADDRESS", &press.address.to_string()));
    home.corpus();
    let daemon = home.daemon();
    home.wait_until_it_answers();
    wait_for("every form to be stored", || items(&home).len() >= texts.len());
    let mut wrong = Vec::new();
    for item in items(&home) {
        let (change, seed, _) = &texts[item["guid"].as_str().unwrap().parse::<usize>().unwrap()];
        let kind = item["verdict"]["kind"].as_str().unwrap();
        let right = item["verdict"]["of"].as_str() == Some(&format!("corpus:{seed}"));
        let fits = match change.as_str() {
            "seeds" => kind == "exact",
            _ => ["exact", "near", "contained", "expands"].contains(&kind),
        };
        if change != "sub20" && !(right && fits) {
            wrong.push(format!("{seed} as {change}: {}", item["verdict"]));
        }
    }
    assert!(daemon.terminate().success());
    assert!(wrong.is_empty(), "{} of {} forms:\n{}", wrong.len(), texts.len(), wrong.join("\n"));
}

/// What is polled again is not stored again, a changed headline is a revision, and a page that failed is tried again.
#[test]
fn an_entry_lives_on_over_polls() {
    let round = Arc::new(AtomicUsize::new(0));
    let now = round.clone();
    let press = Server::start(move |asked| {
        let round = now.load(Ordering::SeqCst);
        match asked.path.as_str() {
            "/feed" => {
                let title = if round < 2 { "افتتاح جسر جديد فوق النهر" } else { "افتتاح جسر جديد فوق النهر أمام المشاة" };
                let text = prose(1, 130);
                let teaser = prose(2, 25);
                Answer::ok(
                    "application/rss+xml",
                    format!(
                        "<rss version=\"2.0\"><channel><title>ق</title>\
                         <item><guid>one</guid><title>{title}</title><link>/one</link><description>{text}</description></item>\
                         <item><guid>two-{round}</guid><title>تأخر قطار الصباح</title><link>/two</link><description>{teaser}</description></item>\
                         </channel></rss>"
                    ),
                )
            }
            // The page fails the first time (trap T20); the guid of its entry changes at every poll (trap T9).
            "/two" if round == 0 => Answer::status(404),
            "/two" => {
                let text = prose(3, 150).replace('\n', ".</p><p>");
                Answer::ok("text/html", format!("<html lang=\"ar\"><body><article><p>{text}</p></article></body></html>"))
            }
            _ => Answer::status(404),
        }
    });
    let feed = format!("[defaults]\ninterval = \"1h\"\n[[feed]]\nid = \"a\"\nurl = \"{}\"\n", press.url("/feed"));
    let home = Home::new("", &feed);
    let daemon = home.daemon();
    home.wait_until_it_answers();
    wait_for("the first poll", || items(&home).len() == 2);
    let of = |guid: &str| items(&home).into_iter().find(|item| item["guid"].as_str().unwrap().starts_with(guid)).unwrap();
    assert_eq!(of("two")["text_from"], "summary", "the page failed: the teaser is kept");

    round.store(1, Ordering::SeqCst);
    home.ok(&["feeds", "poll", "a"]);
    assert_eq!(items(&home).len(), 2, "nothing is doubled");
    assert_eq!((of("one")["revision"].as_u64(), of("two")["revision"].as_u64()), (Some(1), Some(2)));
    assert_eq!(of("two")["text_from"], "page", "the page came: the item is revised");

    round.store(2, Ordering::SeqCst);
    home.ok(&["feeds", "poll", "a"]);
    home.ok(&["feeds", "poll", "a"]);
    assert_eq!(items(&home).len(), 2, "a changed headline is no new item");
    assert_eq!((of("one")["revision"].as_u64(), of("two")["revision"].as_u64()), (Some(2), Some(2)));
    let log: Vec<Value> = home.ok(&["tail"]).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<(u64, &str)> =
        log.iter().map(|record| (record["seq"].as_u64().unwrap(), record["kind"].as_str().unwrap())).collect();
    assert_eq!(kinds, [(1, "new"), (2, "new"), (3, "revised"), (4, "revised")]);

    assert!(daemon.terminate().success());
    assert_eq!(items(&home).len(), 2, "the same answers while no daemon runs");
    assert!(home.ok(&["feeds", "poll", "a"]).is_empty() || items(&home).len() == 2, "a poll without a daemon");
}

/// A wrong configuration is refused while the old one goes on (trap T24); a right one brings its new feed.
#[test]
fn t24_a_reload_is_taken_whole_or_not_at_all() {
    let press = Server::start(|asked| {
        let name = asked.path.trim_start_matches('/');
        let text = prose(name.len() as u64, 120);
        let item = format!("<item><guid>{name}</guid><title>خبر {name}</title><description>{text}</description></item>");
        Answer::ok("text/xml", format!("<rss version=\"2.0\"><channel><title>ق</title>{item}</channel></rss>"))
    });
    let first = format!("[[feed]]\nid = \"first\"\nurl = \"{}\"\nfull_text = \"never\"\n", press.url("/first"));
    let home = Home::new("", &first);
    let daemon = home.daemon();
    home.wait_until_it_answers();
    wait_for("the first feed", || items(&home).len() == 1);
    let broken = home.rasid(&["feeds", "add", "not an address"]);
    assert_ne!(broken.status.code(), Some(0));
    home.ok(&["feeds", "add", &press.url("/second"), "--id", "second"]);
    wait_for("the feed that was added", || items(&home).len() == 2);
    home.ok(&["feeds", "remove", "second"]);
    let left = home.ok(&["feeds", "list"]);
    assert!(left.contains("first") && !left.contains("second"), "{left}");
    assert_eq!(items(&home).len(), 2, "what was stored stays");
    assert!(daemon.terminate().success());
}
