//! What is kept of documents that could not be read, what is told of moved feeds, and that both outlive a restart.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::newsroom::{Answer, Server, prose};
use crate::rasid::{Home, wait_for};

fn json(home: &Home, args: &[&str]) -> Value {
    serde_json::from_str(&home.ok(&[args, &["--json"]].concat())).unwrap()
}

const LOGIN: &str = "<!doctype html><html lang=\"ar\"><head><title>دخول القراء</title></head><body><form action=\"/in\">\
                     <input name=\"user\"><input type=\"password\" name=\"word\"></form></body></html>";

/// The document of a failed poll is kept over good polls and a restart, and read again with the configuration of now.
#[test]
fn an_unread_document_is_kept_and_read_again() {
    let round = Arc::new(AtomicUsize::new(0));
    let now = round.clone();
    let press = Server::start(move |asked| match (asked.path.as_str(), now.load(Ordering::SeqCst)) {
        ("/feed", 1) => Answer::ok("text/html; charset=utf-8", LOGIN),
        // A listing, which the feed's configuration does not know yet.
        ("/feed", 2) => {
            let rows: String =
                (1..=3).map(|n| format!("<li><a href=\"/{n}\">{}</a><i>٣ يناير ٢٠٢٢</i></li>", prose(n, 6))).collect();
            Answer::ok("text/html", format!("<html><body><ul>{rows}<li>بلا رابط</li></ul></body></html>"))
        }
        ("/feed", _) => {
            let text = prose(9, 120);
            let item = format!("<item><guid>1</guid><title>خبر</title><description>{text}</description></item>");
            Answer::ok("text/xml", format!("<rss version=\"2.0\"><channel><title>ق</title>{item}</channel></rss>"))
        }
        _ => Answer::status(404),
    });
    let feed = format!("[[feed]]\nid = \"a\"\nurl = \"{}\"\nfull_text = \"never\"\n", press.url("/feed"));
    let home = Home::new("", &feed);
    let daemon = home.daemon();
    home.wait_until_it_answers();
    wait_for("the first poll", || json(&home, &["feeds", "why", "a"])["polls"].as_array().unwrap().len() == 1);
    let nothing = home.rasid(&["feeds", "replay", "a"]);
    assert_eq!(nothing.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&nothing.stderr).contains("every document of `a` was read in full"));

    round.store(1, Ordering::SeqCst);
    assert_eq!(home.rasid(&["feeds", "poll", "a"]).status.code(), Some(1));
    round.store(0, Ordering::SeqCst);
    home.ok(&["feeds", "poll", "a"]);
    let replay = json(&home, &["feeds", "replay", "a"]);
    assert_eq!((&replay["then"]["kind"], &replay["error"]["kind"]), (&"login-page".into(), &"login-page".into()));
    assert_eq!((replay["status"].as_u64(), replay["content_type"].as_str()), (Some(200), Some("text/html")));
    assert_eq!((replay["charset"].as_str(), replay["kept"].as_u64()), (Some("utf-8"), Some(LOGIN.len() as u64)));
    assert_eq!(home.ok(&["feeds", "replay", "a", "--body"]), LOGIN, "the bytes as they came");
    let told = home.rasid(&["feeds", "replay", "a"]);
    assert_eq!(told.status.code(), Some(1), "it still cannot be read");
    let (out, errors) = (String::from_utf8_lossy(&told.stdout), String::from_utf8_lossy(&told.stderr));
    assert!(out.contains("text/html") && errors.contains("login-page"), "{out}{errors}");

    round.store(2, Ordering::SeqCst);
    assert_eq!(home.rasid(&["feeds", "poll", "a"]).status.code(), Some(1));
    assert!(daemon.terminate().success());
    assert_eq!(json(&home, &["feeds", "replay", "a"])["then"]["kind"], "not-a-feed", "replaced; and without a daemon");
    let page = "kind = \"page\"\n[feed.page]\nentry = \"li\"\nlink = \"a@href\"\ndate = \"i\"\n";
    home.write("feeds.toml", &format!("{feed}{page}"));
    let replay = json(&home, &["feeds", "replay", "a"]);
    assert_eq!(replay["read"]["entries"].as_array().unwrap().len(), 3, "{replay:#}");
    assert_eq!(replay["read"]["rejected"][0]["entry"], "match 4 of `li`");
    assert!(replay["error"].is_null() && replay["read"]["entries"][0]["published"].is_string(), "{replay:#}");
    let told = home.ok(&["feeds", "replay", "a"]);
    assert!(told.contains(&prose(1, 6)) && told.contains("/3") && told.contains("match 4 of `li`"), "{told}");
}

/// Entries that were refused are named in `feeds why`, and the document they came from is kept.
#[test]
fn refused_entries_are_named_and_their_document_kept() {
    let press = Server::start(|asked| match asked.path.as_str() {
        "/feed" => {
            let rows: String = (1..=30).map(|n| format!("<li>سطر {n} بلا رابط</li>")).collect();
            let title = prose(5, 6);
            Answer::ok("text/html", format!("<ul>{rows}<li><a href=\"/1\">{title}</a></li></ul>"))
        }
        _ => Answer::status(404),
    });
    let page = "kind = \"page\"\n[feed.page]\nentry = \"li\"\nlink = \"a@href\"\n";
    let home = Home::new(
        "robots = false",
        &format!("[[feed]]\nid = \"a\"\nurl = \"{}\"\nfull_text = \"never\"\n{page}", press.url("/feed")),
    );
    let record = json(&home, &["feeds", "poll", "a"]);
    let outcome = &record["outcome"];
    assert_eq!((outcome["rejected"].as_u64(), outcome["new"].as_u64()), (Some(30), Some(1)), "{record:#}");
    assert_eq!(outcome["refused"].as_array().unwrap().len(), 20, "no more are named");
    assert_eq!(outcome["refused"][0]["stage"], "parse");
    let why = home.ok(&["feeds", "why", "a"]);
    assert!(why.contains("match 7 of `li`") && why.contains("finds no link"), "{why}");
    let replay = json(&home, &["feeds", "replay", "a"]);
    assert!(replay["then"].is_null(), "it was read: {replay:#}");
    assert_eq!(replay["read"]["rejected"].as_array().unwrap().len(), 30);
}

/// A permanent move is remembered with its validators; a move to another site is told of at every poll; a domain that
/// redirects to something else than a feed moves nothing.
#[test]
fn a_moved_feed_is_asked_where_it_is_and_what_moved_is_told() {
    let asked_for = Arc::new(std::sync::Mutex::new(Vec::<String>::new()));
    let (list, port) = (asked_for.clone(), Arc::new(AtomicUsize::new(0)));
    let here = port.clone();
    let press = Server::start(move |asked| {
        let port = here.load(Ordering::SeqCst);
        let name = format!("{}{}", asked.headers["host"].split(':').next().unwrap(), asked.path);
        let condition = if asked.headers.contains_key("if-none-match") { " if new" } else { "" };
        list.lock().unwrap().push(format!("{name}{condition}"));
        let to = |place: &str| Answer::status(301).with("Location", format!("http://{place}"));
        match name.as_str() {
            "old.example/near" => to(&format!("www.old.example:{port}/new")),
            "old.example/far" => to(&format!("new.example:{port}/new")),
            "old.example/parked" => to(&format!("parked.example:{port}/")),
            "parked.example/" => Answer::ok("text/html", "<html><head><title>هذا الاسم للبيع</title></head></html>"),
            _ if !condition.is_empty() => Answer::status(304),
            _ => {
                let text = prose(name.len() as u64, 120);
                let item = format!("<item><guid>1</guid><title>خبر</title><description>{text}</description></item>");
                let feed = format!("<rss version=\"2.0\"><channel><title>ق</title>{item}</channel></rss>");
                Answer::ok("text/xml", feed).with("ETag", "\"1\"")
            }
        }
    });
    let here = usize::from(press.address.port());
    port.store(here, Ordering::SeqCst);
    let names =
        ["old", "www.old", "new", "parked"].map(|name| format!("\"{name}.example\" = \"127.0.0.1\"\n")).concat();
    let feeds = ["near", "far", "parked"]
        .map(|id| format!("[[feed]]\nid = \"{id}\"\nurl = \"http://old.example:{here}/{id}\"\nfull_text = \"never\"\n"))
        .concat();
    let home = Home::new(&format!("[fetch.resolve]\n{names}"), &feeds);
    let asked = || std::mem::take(&mut *asked_for.lock().unwrap());
    let notes = |record: &Value| record["outcome"]["notes"].to_string();

    // Each command is a start of its own.
    let first = json(&home, &["feeds", "poll", "near"]);
    assert!(notes(&first).contains("moved for good") && notes(&first).contains("put that into `url`"), "{first:#}");
    assert_eq!(asked(), ["old.example/near", "www.old.example/new"]);
    let second = json(&home, &["feeds", "poll", "near"]);
    assert_eq!(second["outcome"]["not_modified"], true);
    assert_eq!(asked(), ["www.old.example/new if new"], "one conditional request, where it is now");
    assert!(home.ok(&["feeds", "why", "near"]).contains("change its `url` in feeds.toml"));

    for times in 0..2 {
        let far = json(&home, &["feeds", "poll", "far"]);
        assert!(notes(&far).contains("moved to another site: old.example"), "poll {times}: {far:#}");
    }
    assert_eq!(asked(), ["old.example/far", "new.example/new", "new.example/new if new"]);

    for _ in 0..2 {
        assert_eq!(home.rasid(&["feeds", "poll", "parked"]).status.code(), Some(1));
    }
    assert_eq!(asked(), ["old.example/parked", "parked.example/"].repeat(2), "nothing is remembered");

    // Another address in the configuration: what was found at the old one says nothing of it.
    home.write("feeds.toml", &feeds.replace("/near", "/changed"));
    json(&home, &["feeds", "poll", "near"]);
    assert_eq!(asked(), ["old.example/changed"]);
    assert!(!home.ok(&["feeds", "why", "near"]).contains("change its `url`"));
}
