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

/// An article's page with a text of its own for each number.
fn page_of(number: u64) -> Answer {
    let text = prose(number, 150).replace('\n', ".</p><p>");
    Answer::ok("text/html", format!("<html lang=\"ar\"><body><article><p>{text}</p></article></body></html>"))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A line that a feed prints below every text is learned, and the same story without it is the same.
#[test]
fn what_a_feed_prints_below_every_text_does_not_count() {
    let polls = Arc::new(AtomicUsize::new(0));
    let (seen, house) = (polls.clone(), "تصدر نشرة الساحل كل صباح وتصلكم بالبريد إن شئتم");
    let entry = |number: u64, below: &str| {
        let text = prose(number, 120).replace('\n', "<br>");
        format!(
            "<item><title>خبر {number}</title><guid>g{number}</guid><link>https://news.example/{number}</link>\
             <content:encoded><![CDATA[<p>{text}</p><p>{below}</p>]]></content:encoded></item>"
        )
    };
    let press = Server::start(move |asked| {
        let items: String = match asked.path.as_str() {
            // One more each time.
            "/with" => {
                let last = 9 + seen.fetch_add(1, Ordering::SeqCst) as u64;
                (1..=last).map(|number| entry(number, house)).collect()
            }
            _ => entry(10, "").replace("news.example", "other.example"),
        };
        let head = "<rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\"><channel>";
        Answer::ok("application/rss+xml", format!("{head}<title>ساحل</title>{items}</channel></rss>"))
    });
    let feed = |id: &str| {
        format!("[[feed]]\nid = \"{id}\"\nurl = \"{}\"\nfull_text = \"never\"\n", press.url(&format!("/{id}")))
    };
    let home = Home::new("per_host = 8", &format!("{}{}", feed("with"), feed("without")));
    for id in ["with", "with", "without"] {
        home.ok(&["feeds", "poll", id]);
    }
    assert_eq!(polls.load(Ordering::SeqCst), 2);
    let stored = items(&home);
    let find = |feed: &str| stored.iter().find(|item| item["feed"] == feed && item["guid"] == "g10").unwrap().clone();
    let (original, copy) = (find("with"), find("without"));
    assert!(original["text"].as_str().unwrap().contains(house), "what the feed gives is kept");
    assert_eq!(
        (copy["verdict"]["kind"].as_str().unwrap(), copy["verdict"]["of"].as_str()),
        ("exact", Some(format!("item:{}", original["id"].as_str().unwrap()).as_str()))
    );
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
            "copy" if text("of").starts_with("seed/") => {
                texts.push((text("change").replace('_', "-"), text("of"), text("text")))
            }
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
                let title = if round < 2 {
                    "افتتاح جسر جديد فوق النهر"
                } else {
                    "افتتاح جسر جديد فوق النهر أمام المشاة"
                };
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
            "/two" => page_of(3),
            _ => Answer::status(404),
        }
    });
    let feed = format!("[defaults]\ninterval = \"1h\"\n[[feed]]\nid = \"a\"\nurl = \"{}\"\n", press.url("/feed"));
    let home = Home::new("", &feed);
    let daemon = home.daemon();
    home.wait_until_it_answers();
    wait_for("the first poll", || items(&home).len() == 2);
    let of =
        |guid: &str| items(&home).into_iter().find(|item| item["guid"].as_str().unwrap().starts_with(guid)).unwrap();
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
        let item =
            format!("<item><guid>{name}</guid><title>خبر {name}</title><description>{text}</description></item>");
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

/// One good feed, one login page, one that is gone: each is told with what it is; nothing is stored.
#[test]
fn check_online_tells_what_each_feed_gives() {
    let press = Server::start(|asked| match asked.path.as_str() {
        "/good" => {
            let item = |n: u64| {
                let (title, text) = (prose(n, 6), prose(n, 120));
                format!(
                    "<item><guid>{n}</guid><title>{title}</title><description>{text}</description><pubDate>Thu, 13 Jan 2022 10:00:00 +0300</pubDate></item>"
                )
            };
            let items: String = (1..=3).map(item).collect();
            Answer::ok(
                "application/rss+xml",
                format!("<rss version=\"2.0\"><channel><title>ق</title>{items}</channel></rss>"),
            )
        }
        "/login" => Answer::ok(
            "text/html; charset=utf-8",
            "<!doctype html><html lang=\"ar\"><head><title>تسجيل الدخول</title></head><body><form action=\"/login\">\
             <input name=\"user\"><input type=\"password\" name=\"password\"></form></body></html>",
        ),
        _ => Answer::status(404),
    });
    let feed = |name: &str| format!("[[feed]]\nid = \"{name}\"\nurl = \"{}\"\n", press.url(&format!("/{name}")));
    let good = Home::new("attempts = 1", &feed("good"));
    let shown = good.ok(&["check", "--online"]);
    assert!(shown.contains("good\t200\tRSS 2.0\tUTF-8 ") && shown.contains("\t3\t2022-01-13\t"), "{shown}");

    let off = "[[feed]]\nid = \"off\"\nurl = \"http://127.0.0.1:1/\"\nenabled = false\nreason = \"x\"\n";
    let home = Home::new("attempts = 1", &format!("{}{}{}{off}", feed("good"), feed("login"), feed("gone")));
    let output = home.rasid(&["check", "--online"]);
    assert_eq!(output.status.code(), Some(1));
    let shown = String::from_utf8(output.stdout).unwrap();
    let row =
        |name: &str| shown.lines().find(|line| line.starts_with(name)).map(|line| line.split('\t').collect::<Vec<_>>());
    assert_eq!(row("good").unwrap()[4], "3", "{shown}");
    let (login, gone) = (row("login").unwrap(), row("gone").unwrap());
    assert!(login[1] == "200" && login[6].starts_with("login-page: ") && !login[7].is_empty(), "{shown}");
    assert!(gone[1] == "404" && gone[6].starts_with("not-found: ") && !gone[7].is_empty(), "{shown}");
    assert!(row("off").is_none(), "{shown}");
    assert!(!home.path("data").exists(), "no store is opened");
}

/// A revision whose page fails keeps the page's text of before, and takes the new one when it comes (trap T20). What a
/// failed poll was answered with is told.
#[test]
fn t20_a_late_page_of_a_revision_is_taken() {
    let round = Arc::new(AtomicUsize::new(0));
    let now = round.clone();
    let press = Server::start(move |asked| {
        let round = now.load(Ordering::SeqCst);
        match asked.path.as_str() {
            "/feed" if round == 3 => Answer::status(410),
            "/feed" => {
                let title = if round == 0 {
                    "بدء ترميم السوق"
                } else {
                    "انتهاء ترميم السوق القديم"
                };
                let item = format!("<item><guid>one</guid><title>{title}</title><link>/one</link></item>");
                Answer::ok("text/xml", format!("<rss version=\"2.0\"><channel><title>ق</title>{item}</channel></rss>"))
            }
            "/one" if round != 1 => page_of(if round == 0 { 11 } else { 12 }),
            _ => Answer::status(404),
        }
    });
    let feed = format!("[defaults]\ninterval = \"1h\"\n[[feed]]\nid = \"a\"\nurl = \"{}\"\n", press.url("/feed"));
    let home = Home::new("", &feed);
    let daemon = home.daemon();
    home.wait_until_it_answers();
    wait_for("the first poll", || items(&home).len() == 1);
    let item = || items(&home).remove(0);
    let before = item();
    round.store(1, Ordering::SeqCst);
    home.ok(&["feeds", "poll", "a"]);
    let between = item();
    assert_eq!(
        (&between["text"], &between["text_from"]),
        (&before["text"], &"page".into()),
        "no teaser takes its place"
    );
    assert_ne!(between["title"], before["title"]);
    round.store(2, Ordering::SeqCst);
    home.ok(&["feeds", "poll", "a"]);
    let after = item();
    assert_ne!(after["text"], before["text"], "the page came late, and is taken");
    home.ok(&["feeds", "poll", "a"]);
    assert_eq!(item()["revision"], after["revision"], "and once");
    round.store(3, Ordering::SeqCst);
    assert_eq!(home.rasid(&["feeds", "poll", "a"]).status.code(), Some(1));
    let why = home.ok(&["feeds", "why", "a"]);
    assert!(why.lines().any(|line| line.split('\t').nth(2) == Some("410")), "{why}");
    assert!(daemon.terminate().success());
}

/// An index of sitemaps that never changes hides nothing of its parts, and a part that fails neither hides the others
/// nor makes the feed be asked without pause.
#[test]
fn the_parts_of_an_unchanged_index_are_read_again() {
    let round = Arc::new(AtomicUsize::new(0));
    let asked_for = Arc::new(AtomicUsize::new(0));
    let (now, count) = (round.clone(), asked_for.clone());
    let address = Arc::new(std::sync::OnceLock::<String>::new());
    let named = address.clone();
    let press = Server::start(move |asked| {
        let here = named.get().map_or("", String::as_str);
        match asked.path.as_str() {
            "/index.xml" => {
                count.fetch_add(1, Ordering::SeqCst);
                if asked.headers.contains_key("if-none-match") {
                    return Answer::status(304);
                }
                let index = format!(
                    "<sitemapindex xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\"><sitemap><loc>{here}/gone.xml</loc></sitemap>\
                     <sitemap><loc>{here}/news.xml</loc></sitemap></sitemapindex>"
                );
                Answer::ok("application/xml", index).with("ETag", "\"never changes\"")
            }
            "/news.xml" => {
                let urls: String = (0..=now.load(Ordering::SeqCst))
                    .map(|n| {
                        let title = prose(n as u64 + 40, 6);
                        format!(
                            "<url><loc>{here}/{n}</loc><news:news><news:title>{title}</news:title></news:news></url>"
                        )
                    })
                    .collect();
                Answer::ok(
                    "application/xml",
                    format!(
                        "<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\" xmlns:news=\"http://www.google.com/schemas/sitemap-news/0.9\">{urls}</urlset>"
                    ),
                )
            }
            _ => Answer::status(404),
        }
    });
    address.set(press.url("").trim_end_matches('/').to_owned()).unwrap();
    let feed = format!(
        "[defaults]\ninterval = \"1h\"\nfull_text = \"never\"\n[[feed]]\nid = \"map\"\nkind = \"sitemap\"\nurl = \"{}\"\n",
        press.url("/index.xml")
    );
    let home = Home::new("", &feed);
    let daemon = home.daemon();
    home.wait_until_it_answers();
    wait_for("the first poll", || items(&home).len() == 1);
    round.store(1, Ordering::SeqCst);
    home.ok(&["feeds", "poll", "map"]);
    assert_eq!(items(&home).len(), 2, "its part has something new");
    assert_eq!(asked_for.load(Ordering::SeqCst), 2);
    let record: Value = serde_json::from_str(&home.ok(&["feeds", "poll", "map", "--json"])).unwrap();
    let text = |key: &str| record[key].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert!(
        text("next").duration_since(text("at")).as_secs() > 600,
        "a part that is gone is no reason to hurry: {record}"
    );
    assert!(record["outcome"]["notes"].to_string().contains("gone.xml"), "{record}");
    assert!(daemon.terminate().success());
}
