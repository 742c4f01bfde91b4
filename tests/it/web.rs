//! The web page: its files, the routes that only it asks, and every screen clicked through in a browser.
//!
//! The browser's part is `tests/web/` (Node, playwright-core, axe-core). Where Node, a Chromium or the two packages are
//! missing it says SKIPPED loudly; with `RASID_REQUIRE_WEB` set that is a failure.

use std::collections::HashMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use rasid::cli::samples;
use rasid::pipeline::now;
use serde_json::Value;

use crate::newsroom::{Answer, Server};
use crate::rasid::{Home, wait_for};

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
    let twice = escaped(&escaped(script));
    let turned = "خبر \u{202e}gpj.exe\u{202c} مقلوب \u{2066}\u{2067}بلا إغلاق \u{202d}\u{200f}!";
    let words = "كلمات كثيرة لا تنتهي في نص طويل جدا كتب للاختبار وحده ";
    let long = format!("{}{}", words.repeat(2_000), "بلافواصل".repeat(700));
    let items = [
        item(1, &twice, "https://hostile.example/1", &format!("نص أول {}", escaped(&escaped(script)))),
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
        let feeds = format!("{}{}{}", site.feeds, own("hostile", "عدو \u{202e}مقلوب"), own("live", "مباشر"));
        let home = Home::new("per_host = 8", &feeds);
        home.corpus();
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
        let expected = samples::expectations().len() + 4;
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

#[test]
fn both_languages_have_all_words() {
    let Some(tools) = tools() else { return };
    tools.run("words.mjs", &[]);
}
