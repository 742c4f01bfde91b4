//! The web page: its files, the routes that only it asks, and every screen clicked through in a browser.
//!
//! The browser's part is `tests/web/` (Node, playwright-core, axe-core). Where Node, a Chromium or the two packages are
//! missing it says SKIPPED loudly; with `RASID_REQUIRE_WEB` set that is a failure.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use rasid::cli::samples;
use rasid::pipeline::now;
use serde_json::{Value, json};

use crate::newsroom::{Answer, Server, prose};
use crate::rasid::{Home, wait_for};

/// The one document of the corpus `ours`.
const DOCUMENT: &str = "bazaar";
const TOKEN: &str = "a-token-of-the-tests-that-nobody-guesses";

/// What the browser's tests need, where it is there.
struct Tools {
    folder: PathBuf,
    chromium: PathBuf,
}

fn tools() -> Option<Tools> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/web");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let find = |name: &str| std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file());
    let given = std::env::var_os("RASID_CHROMIUM").map(PathBuf::from);
    let chromium = given.or_else(|| ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(find));
    let packages = ["playwright-core", "axe-core"].iter().all(|name| folder.join("node_modules").join(name).is_dir());
    let missing = [
        (find("node").is_none(), "node"),
        (chromium.is_none(), "a Chromium"),
        (!packages, "the packages of tests/web (npm ci)"),
    ];
    let missing: Vec<&str> = missing.into_iter().filter(|(missing, _)| *missing).map(|(_, name)| name).collect();
    if missing.is_empty() {
        return Some(Tools { folder, chromium: chromium? });
    }
    let message = format!("SKIPPED: {} is not there; no browser looked at the web page", missing.join(", "));
    assert!(std::env::var_os("RASID_REQUIRE_WEB").is_none(), "{message}");
    eprintln!("{message}");
    None
}

impl Tools {
    fn run(&self, script: &str, environment: &[(&str, &str)]) {
        let mut command = Command::new("node");
        command.arg(script).current_dir(&self.folder).env("RASID_CHROMIUM", &self.chromium);
        let output = command.envs(environment.iter().copied()).output().unwrap();
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        assert!(output.status.success(), "{script} {environment:?}:\n{}\n{}", said[0], said[1]);
    }
}

/// What a hostile source publishes. Each is shown as what it is: characters.
fn hostile() -> String {
    let item = |n: u32, title: &str, link: &str, text: &str| {
        format!(
            "<item><guid isPermaLink=\"false\">hostile-{n}</guid><title>{title}</title><link>{link}</link>\
             <author>\"&gt;&lt;svg onload=hacked=1&gt;</author><category>&lt;b&gt;وسم&lt;/b&gt;</category>\
             <enclosure url=\"http://pictures.example/{n}.png\" type=\"image/png\" length=\"1\"/>\
             <description>{text}</description></item>"
        )
    };
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let script = "<script>globalThis.hacked = 1</script> عنوان <img src=x onerror=\"globalThis.hacked=1\">";
    // Whole tags are taken out when the feed is read; one that never ends is not, nor is what was escaped three times.
    let (unclosed, thrice) = (escaped("1 < 2 <script src=x عنوان"), escaped(&escaped(&escaped(script))));
    let turned = "خبر \u{202e}gpj.exe\u{202c} مقلوب \u{2066}\u{2067}بلا إغلاق \u{202d}\u{200f}!";
    let words = "كلمات كثيرة لا تنتهي في نص طويل جدا كتب للاختبار وحده ";
    let long = format!("{}{}", words.repeat(2_000), "بلافواصل".repeat(700));
    let items = [
        item(1, &unclosed, "https://hostile.example/1", &format!("نص أول طويل {thrice}")),
        item(2, turned, "javascript:globalThis.hacked=1", &format!("نص ثان {turned} ينتهي هنا")),
        item(3, &"عنوان ".repeat(120), "data:text/html,x", &long),
    ];
    format!("<rss version=\"2.0\"><channel><title>\u{202e}عدو</title>{}</channel></rss>", items.join(""))
}

/// The first `n` items of a source that publishes more when it is told to.
fn published(n: usize) -> String {
    let item = |n: usize| {
        let at = now() - jiff::SignedDuration::from_secs(5);
        format!(
            "<item><guid isPermaLink=\"false\">live-{n}</guid><title>{}</title><link>https://live.example/{n}</link>\
             <pubDate>{}</pubDate><description>خبر عاجل نشر أثناء الاختبار برقم {n} ولا يشبه غيره، رقمه {}.</description></item>",
            title(n),
            at.strftime("%a, %d %b %Y %H:%M:%S +0000"),
            n * 7_919
        )
    };
    let items: String = (1..=n).rev().map(item).collect();
    format!("<rss version=\"2.0\"><channel><title>مباشر</title>{items}</channel></rss>")
}

fn title(n: usize) -> String {
    format!("نبأ عاجل للتو: الحدث رقم {n}")
}

/// A source that publishes what a document of the corpus says.
fn reprint() -> String {
    format!(
        "<rss version=\"2.0\"><channel><title>إعادة</title><item><guid isPermaLink=\"false\">reprint</guid>\
         <title>افتتاح السوق القديم</title><link>https://reprint.example/1</link><description>{}</description></item>\
         </channel></rss>",
        prose(1, 90)
    )
}

/// A port that was free a moment ago.
fn port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The samples of the demonstration, a hostile source, and one that publishes when told to; over them a daemon that
/// listens at the address.
struct World {
    home: Home,
    press: Server,
    base: String,
}

impl World {
    fn new() -> Self {
        let files = Arc::new(OnceLock::<HashMap<String, Answer>>::new());
        let (served, shown) = (Arc::clone(&files), AtomicUsize::new(1));
        let press = Server::start(move |asked| {
            let rss = |body: String| Answer::ok("application/rss+xml; charset=utf-8", body);
            match asked.path.as_str() {
                "/hostile.xml" => rss(hostile()),
                "/reprint.xml" => rss(reprint()),
                "/live.xml" => rss(published(shown.load(Ordering::SeqCst))),
                "/more" => Answer::ok("text/plain; charset=utf-8", title(shown.fetch_add(1, Ordering::SeqCst) + 1)),
                path => served.get().and_then(|files| files.get(path)).cloned().unwrap_or_else(|| Answer::status(404)),
            }
        });
        let site = samples::site(press.url("").trim_end_matches('/'), now());
        let answers = site.files.into_iter().map(|(path, file)| (path, Answer::ok(file.content_type, file.body)));
        files.set(answers.collect()).unwrap_or_else(|_| panic!("set once"));
        let own = |id: &str, title: &str| {
            let url = press.url(&format!("/{id}.xml"));
            format!("\n[[feed]]\nid = \"{id}\"\ntitle = \"{title}\"\nurl = \"{url}\"\nfull_text = \"never\"\n")
        };
        let ours = [own("hostile", "عدو \u{202e}مقلوب"), own("live", "مباشر"), own("reprint", "إعادة نشر")];
        let home = Home::new("per_host = 8", &format!("{}{}", site.feeds, ours.concat()));
        home.corpus();
        home.write(&format!("corpus/ours/{DOCUMENT}.txt"), &format!("افتتاح السوق القديم\n\n{}\n", prose(1, 90)));
        Self { home, press, base: String::new() }
    }

    /// With `more` under `[server]`.
    fn listen(&mut self, more: &str) {
        let settings = std::fs::read_to_string(self.home.path("rasid.toml")).unwrap();
        let port = port();
        let lines = settings.lines().filter(|line| !line.starts_with("token")).map(|line| {
            if line.starts_with("listen") { format!("listen = \"127.0.0.1:{port}\"\n{more}") } else { line.to_owned() }
        });
        let settings = lines.collect::<Vec<_>>().join("\n");
        self.home.write("rasid.toml", &settings);
        self.base = format!("http://127.0.0.1:{port}");
    }

    fn wait_for_items(&self) {
        self.home.wait_until_it_answers();
        let expected = samples::expectations().len() + 5;
        wait_for("every sample to be stored", || {
            self.home.ok(&["items", "--all", "--limit", "500", "--format", "ndjson"]).lines().count() >= expected
        });
        let polled = || -> Value { serde_json::from_str(&self.home.ok(&["status", "--json"])).unwrap() };
        wait_for("every source to be polled", || polled()["feeds"]["unpolled"] == 0);
    }
}

#[test]
fn every_screen_in_a_browser() {
    let Some(tools) = tools() else { return };
    let mut world = World::new();
    world.listen("");
    let daemon = world.home.quiet_daemon();
    world.wait_for_items();
    tools.run(
        "run.mjs",
        &[("RASID_WEB_BASE", &world.base), ("RASID_WEB_PRESS", world.press.url("").trim_end_matches('/'))],
    );
    assert!(daemon.terminate().success());

    world.listen(&format!("token = \"{TOKEN}\""));
    let daemon = world.home.quiet_daemon();
    world.home.wait_until_it_answers();
    tools.run("run.mjs", &[("RASID_WEB_BASE", &world.base), ("RASID_WEB_TOKEN", TOKEN)]);
    assert!(daemon.terminate().success());
}

/// An answer over TCP, as a browser gets it.
struct Got {
    status: u16,
    head: String,
    body: String,
}

impl Got {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl World {
    fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> Got {
        let host = self.base.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).unwrap();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n{headers}\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Got { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    fn get(&self, path: &str) -> Got {
        self.ask("GET", path, "", "")
    }

    fn attempt(&self, body: &Value) -> Got {
        self.ask("POST", "/api/v1/topics/try", "", &body.to_string())
    }
}

/// The routes that were made for the page, and the page's own files, over one daemon.
#[test]
fn what_the_page_asks_is_answered() {
    let mut world = World::new();
    world.listen("");
    let daemon = world.home.quiet_daemon();
    world.wait_for_items();
    the_files_come_with_their_policy(&world);
    counts_add_up(&world);
    a_query_is_tried(&world);
    copies_of_documents_are_listed(&world);
    assert!(daemon.terminate().success());

    world.listen(&format!("token = \"{TOKEN}\""));
    let daemon = world.home.quiet_daemon();
    world.home.wait_until_it_answers();
    for (path, status) in [("/", 200), ("/web/app.js", 200), ("/api/v1/volume", 401), ("/api/v1/corpus/matched", 401)] {
        wait_for("the port", || TcpStream::connect(world.base.trim_start_matches("http://")).is_ok());
        assert_eq!(world.get(path).status, status, "{path}");
    }
    assert!(daemon.terminate().success());
}

fn the_files_come_with_their_policy(world: &World) {
    for (path, status, media_type) in [
        ("/", 200, "text/html; charset=utf-8"),
        ("/web/app.js", 200, "text/javascript; charset=utf-8"),
        ("/web/style.css", 200, "text/css; charset=utf-8"),
        ("/web/icon.svg", 200, "image/svg+xml"),
        ("/web/none.js", 404, "application/problem+json"),
        ("/web/..%2Fweb.rs", 404, "application/problem+json"),
        ("/web/", 404, "application/problem+json"),
    ] {
        let got = world.get(path);
        assert_eq!(got.status, status, "{path}");
        assert!(got.head.contains(&format!("content-type: {media_type}")), "{path}: {}", got.head);
        if status == 200 {
            for part in ["content-security-policy: default-src 'none'; script-src 'self'", "frame-ancestors 'none'"] {
                assert!(got.head.contains(part), "{path}: {}", got.head);
            }
            let tag = got.head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
            let again = world.ask("GET", path, &format!("If-None-Match: {tag}\r\n"), "");
            assert_eq!((again.status, again.body.as_str()), (304, ""), "{path}");
        }
    }
}

fn counts_add_up(world: &World) {
    let stats = world.get("/api/v1/stats").json();
    let stored = stats["store"]["items"].as_u64().unwrap() + stats["store"]["duplicates"].as_u64().unwrap();
    let sum = |volume: &Value| -> u64 {
        let series = volume["series"].as_array().unwrap();
        let counts = series.iter().flat_map(|one| [&one["items"], &one["copies"]]);
        counts.flat_map(|counts| counts.as_array().unwrap()).map(|n| n.as_u64().unwrap()).sum()
    };
    for path in ["by=all", "by=feed", "by=all&bucket=hour&since=30d", "by=feed&bucket=hour&since=30d&until=2100-01-01"]
    {
        let got = world.get(&format!("/api/v1/volume?{path}"));
        // The last is more hours than one answer has.
        if path.contains("2100") {
            assert_eq!(got.status, 400, "{path}: {}", got.body);
            continue;
        }
        let volume = got.json();
        assert_eq!(sum(&volume), stored, "{path}: {volume}");
        for one in volume["series"].as_array().unwrap() {
            assert_eq!(one["items"].as_array().unwrap().len() as u64, volume["buckets"].as_u64().unwrap(), "{path}");
        }
    }
    let topics = world.get("/api/v1/volume?by=topic").json();
    for one in topics["series"].as_array().unwrap() {
        let id = one["id"].as_str().unwrap();
        assert_eq!(one["total"], stats["store"]["by_topic"][id], "{id}");
    }
    for (query, parameter) in [
        ("by=language", "by"),
        ("bucket=week", "bucket"),
        ("since=2026-01-02&until=2026-01-01", "since"),
        ("since=9000d", "since"),
        ("since=soon", "since"),
        ("of=x", "of"),
    ] {
        let got = world.get(&format!("/api/v1/volume?{query}"));
        assert_eq!((got.status, &got.json()["parameter"]), (400, &json!(parameter)), "{query}: {}", got.body);
    }
}

fn a_query_is_tried(world: &World) {
    // What is wrong, and where, in characters.
    for (query, start, end, says) in [
        ("", 0, 0, "the query is empty"),
        ("(كازاخستان", 0, 1, "never closed"),
        ("كازاخستان AND )", 14, 15, "term is expected"),
        ("روسيا AND $NOPE", 10, 15, "no set is called"),
        ("روسيا \"كازاخستان", 6, 7, "never closed"),
    ] {
        let tried = world.attempt(&json!({ "query": query })).json();
        let fault = &tried["faults"][0];
        assert_eq!((&fault["start"], &fault["end"]), (&json!(start), &json!(end)), "{query}: {tried}");
        assert!(fault["message"].as_str().unwrap().contains(says), "{query}: {fault}");
        assert_eq!(tried["looked"], 0);
    }
    for (body, parameter) in [
        (json!({ "query": "x".repeat(5_000) }), "query"),
        (json!({ "query": "روسيا", "limit": 0 }), "limit"),
        (json!({ "query": "روسيا", "since": "soon" }), "since"),
    ] {
        let got = world.attempt(&body);
        assert_eq!((got.status, &got.json()["parameter"]), (400, &json!(parameter)), "{}", got.body);
    }
    // It finds what a topic of that query would: here, what the text of an item says by itself.
    let all = world.get("/api/v1/items?limit=500").json();
    let all = all["items"].as_array().unwrap();
    for (query, limit) in [("كازاخستان:g", 50), ("$KAZAKHSTAN", 50), ("title:كازاخستان:g", 2), ("feed:sanabil", 50)]
    {
        // A trial ends when its time is up, which on a machine that builds at the same time may be early.
        let mut tried = Value::Null;
        wait_for("a trial to come to the end", || {
            tried = world.attempt(&json!({ "query": query, "limit": limit })).json();
            tried["complete"] == true
        });
        let matches = tried["matches"].as_array().unwrap();
        let (matched, looked) = (tried["matched"].as_u64().unwrap(), tried["looked"].as_u64().unwrap());
        assert_eq!(matches.len() as u64, matched.min(limit), "{query}");
        assert_eq!((looked, &tried["complete"]), (all.len() as u64, &json!(true)), "{query}");
        assert!(matched > 0 && matched < looked, "{query}: {matched} of {looked}");
        for found in matches {
            let item = all.iter().find(|item| item["id"] == found["id"]).unwrap();
            let cut = |field: &Value, start: &Value, end: u64| -> String {
                let text = item[field.as_str().unwrap()].as_str().unwrap();
                text.chars().take(end as usize).skip(start.as_u64().unwrap() as usize).collect()
            };
            for place in found["evidence"].as_array().unwrap().iter().filter(|place| place["field"] != "feed") {
                let there = cut(&place["field"], &place["start"], place["end"].as_u64().unwrap());
                assert_eq!(place["text"], there, "{query}: {found}");
            }
            let excerpt = &found["excerpt"];
            if let Some(text) = excerpt["text"].as_str() {
                let end = excerpt["start"].as_u64().unwrap() + text.chars().count() as u64;
                assert_eq!(text, cut(&excerpt["field"], &excerpt["start"], end), "{query}");
            }
        }
    }
    let tried = world.attempt(&json!({ "query": "كازاخستان:g", "since": "1h" })).json();
    assert!(tried["looked"].as_u64().unwrap() < all.len() as u64, "{tried}");
}

fn copies_of_documents_are_listed(world: &World) {
    let found = world.get("/api/v1/corpus/matched").json();
    let matched = found["matched"].as_array().unwrap();
    assert_eq!(matched.len(), 1, "{found}");
    let (document, copy) = (&matched[0], &matched[0]["copies"][0]);
    assert_eq!((&document["corpus"], &document["document"]), (&json!("ours"), &json!(DOCUMENT)));
    assert_eq!((&document["total"], &copy["feed"]), (&json!(1), &json!("reprint")));
    assert_eq!(copy["title"], "افتتاح السوق القديم");
    assert_eq!(world.get("/api/v1/corpus/matched?limit=0").status, 400);
}

#[test]
fn both_languages_have_all_words() {
    let Some(tools) = tools() else { return };
    tools.run("words.mjs", &[]);
}
