//! Verdicts that a person corrects, with the real binary: over the socket and without a daemon; and readers of the log, who
//! end with the right picture.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::newsroom::{Answer, Server, prose};
use crate::rasid::{Home, wait_for};

/// What somebody has who follows the log from its beginning, and goes by the records alone: two ways to read them.
#[derive(Default)]
struct Follower {
    /// Shows what is `new`, hides what is a `duplicate`, forgets what is `removed`; `revised` and `reclassified` change
    /// what is shown.
    by_kind: BTreeMap<String, Value>,
    /// Keeps every item as the last record has it.
    by_item: BTreeMap<String, Value>,
    last: u64,
}

impl Follower {
    fn read(&mut self, home: &Home) {
        for line in home.ok(&["tail", "--after", &self.last.to_string()]).lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            assert_eq!(record["seq"], self.last + 1);
            self.last += 1;
            let id = record["id"].as_str().unwrap().to_owned();
            match record["kind"].as_str().unwrap() {
                "new" => drop(self.by_kind.insert(id.clone(), record["item"].clone())),
                "duplicate" | "removed" => drop(self.by_kind.remove(&id)),
                _ => drop(self.by_kind.entry(id.clone()).and_modify(|item| *item = record["item"].clone())),
            }
            self.by_item.insert(id, record["item"].clone());
        }
    }

    /// Both have in sight what a listing shows; and every item is as it stands.
    fn agrees(&mut self, home: &Home) {
        self.read(home);
        let in_sight: Vec<String> = ids(&listing(home, false));
        assert_eq!(self.by_kind.keys().cloned().collect::<Vec<_>>(), in_sight);
        let shown = |item: &Value| item["superseded_by"].is_null() && !is_duplicate(item);
        let by_item = self.by_item.iter().filter(|(_, item)| shown(item)).map(|(id, _)| id.clone());
        assert_eq!(by_item.collect::<Vec<_>>(), in_sight);
        for item in listing(home, true) {
            let known = &self.by_item[item["id"].as_str().unwrap()];
            for field in ["verdict", "superseded_by", "judged", "seq", "title", "text"] {
                assert_eq!(known[field], item[field], "{field}");
            }
        }
    }
}

fn is_duplicate(item: &Value) -> bool {
    ["exact", "near", "contained"].contains(&item["verdict"]["kind"].as_str().unwrap())
}

fn listing(home: &Home, all: bool) -> Vec<Value> {
    let mut args = vec!["items", "--limit", "500", "--format", "ndjson"];
    args.extend(all.then_some("--all"));
    home.ok(&args).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn ids(items: &[Value]) -> Vec<String> {
    let mut ids: Vec<String> = items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

fn json(home: &Home, args: &[&str]) -> Value {
    serde_json::from_str(&home.ok(args)).unwrap_or_else(|error| panic!("rasid {args:?}: {error}"))
}

fn feed_of(entries: &[(&str, String)]) -> Answer {
    let items: String = entries
        .iter()
        .map(|(name, text)| {
            let (title, time) =
                (prose(name.len() as u64 * 77 + u64::from(name.as_bytes()[0]), 6), rasid::pipeline::now());
            format!(
                "<item><guid>{name}</guid><title>{title}</title><link>/{name}</link><pubDate>{}</pubDate>\
                 <description>{text}</description></item>",
                time.strftime("%a, %d %b %Y %H:%M:%S GMT")
            )
        })
        .collect();
    Answer::ok("text/xml", format!("<rss version=\"2.0\"><channel><title>ق</title>{items}</channel></rss>"))
}

/// A newsroom with an article, a copy of it, a part of it, another article, and a summary with its full text.
fn newsroom() -> Server {
    Server::start(|asked| {
        let article = prose(1, 200);
        let (summary, full) = (prose(4, 60), prose(4, 240));
        match asked.path.as_str() {
            "/a" => feed_of(&[("article", article), ("other", prose(3, 150))]),
            "/b" => feed_of(&[("copy", format!("{} {article}", prose(2, 8))), ("part", prose(1, 70))]),
            "/c" => feed_of(&[("summary", summary)]),
            "/d" => feed_of(&[("full", full)]),
            _ => Answer::status(404),
        }
    })
}

fn home(press: &Server) -> Home {
    let feeds: String = ["a", "b", "c", "d"]
        .iter()
        .map(|id| {
            let url = press.url(&format!("/{id}"));
            format!("[[feed]]\nid = \"{id}\"\nurl = \"{url}\"\nfull_text = \"never\"\nenabled = false\n")
        })
        .collect();
    let home = Home::new("", &format!("[defaults]\ninterval = \"1h\"\n{feeds}"));
    home.corpus();
    home
}

fn by_guid(home: &Home, guid: &str) -> Value {
    listing(home, true).into_iter().find(|item| item["guid"] == guid).unwrap_or_else(|| panic!("{guid} is not stored"))
}

fn id_of(home: &Home, guid: &str) -> String {
    by_guid(home, guid)["id"].as_str().unwrap().to_owned()
}

fn copies(item: &Value) -> Vec<(&str, &str)> {
    let mut copies: Vec<(&str, &str)> = item["copies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|copy| (copy["url"].as_str().unwrap().rsplit('/').next().unwrap(), copy["kind"].as_str().unwrap()))
        .collect();
    copies.sort_unstable();
    copies
}

#[test]
fn a_wrong_verdict_is_undone_over_the_socket_and_without_a_daemon() {
    let press = newsroom();
    let home = home(&press);
    let mut follower = Follower::default();
    let daemon = home.daemon();
    home.wait_until_it_answers();
    ["a", "b", "c", "d"].iter().for_each(|feed| drop(home.ok(&["feeds", "poll", feed])));
    wait_for("the feeds", || listing(&home, true).len() == 6);
    follower.agrees(&home);
    let [article, copy, part, other, summary] =
        ["article", "copy", "part", "other", "summary"].map(|guid| id_of(&home, guid));
    assert_eq!(copies(&by_guid(&home, "article")), [("copy", "near"), ("part", "contained")]);
    let full = by_guid(&home, "full");
    assert_eq!((full["verdict"]["kind"].as_str(), copies(&full)), (Some("expands"), vec![("summary", "contained")]));
    assert_eq!(by_guid(&home, "summary")["superseded_by"], full["id"]);
    assert_eq!(home.ok(&["show", &summary]).matches("superseded by item:").count(), 1);
    assert_eq!(json(&home, &["status", "--json"])["store"]["duplicates"], 3);

    // Split: it is told, listed, shown.
    let done = json(&home, &["dedup", "split", &copy, "--why", "خبر آخر", "--json"]);
    assert_eq!((done["item"]["verdict"]["kind"].as_str(), &done["moved"]), (Some("new"), &json!([])));
    let judged = &done["item"]["judged"];
    assert_eq!((judged["kind"].as_str(), judged["why"].as_str()), (Some("split"), Some("خبر آخر")));
    assert_eq!(judged["of"], format!("item:{article}"));
    assert!(home.ok(&["show", &copy]).contains("split from item:"));
    follower.agrees(&home);
    let last = home.ok(&["tail", "--after", &(follower.last - 1).to_string()]);
    assert_eq!(serde_json::from_str::<Value>(&last).unwrap()["kind"], "new");

    // Join: its copies go along; of a document of a corpus as well.
    home.ok(&["dedup", "join", &article, &other]);
    assert_eq!(copies(&by_guid(&home, "other")), [("article", "near"), ("part", "contained")]);
    let corpora = json(&home, &["corpus", "list", "--json"]);
    let corpus = &corpora["corpora"][0];
    let document =
        format!("corpus:{}/{}", corpus["name"].as_str().unwrap(), corpus["documents"][0]["id"].as_str().unwrap());
    home.ok(&["dedup", "join", &other, &document]);
    assert_eq!(by_guid(&home, "part")["verdict"]["of"], document);
    follower.agrees(&home);

    // What makes no sense is refused in words, and changes nothing.
    let long = "ل".repeat(501);
    for (args, code, said) in [
        (vec!["split", "copy"], 2, "an id of 32 hexadecimal digits"),
        (vec!["split", "99999"], 1, "there is no item `99999`"),
        (vec!["split", copy.as_str()], 1, "an item of its own already"),
        (vec!["split", part.as_str(), "--why", &long], 2, "longer than 500 characters"),
        (vec!["join", article.as_str(), article.as_str()], 1, "a copy of itself"),
        (vec!["join", article.as_str(), "corpus:none/x"], 1, "no loaded corpus has"),
        (vec!["forget", part.as_str()], 1, "nothing was said"),
    ] {
        let output = home.rasid(&[&["dedup"], &args[..]].concat());
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {errors}");
        assert!(errors.contains(said), "{args:?}: {errors}");
    }
    assert!(daemon.terminate().success());

    // Without a daemon: all that was said is there, the latest first; a summary is brought back; taken back, all is as it was.
    home.ok(&["dedup", "split", &summary]);
    let said = json(&home, &["dedup", "list", "--json"]);
    let named = |said: &Value| said["item"].as_str().unwrap().to_owned();
    let listed: Vec<String> = said["corrections"].as_array().unwrap().iter().map(named).collect();
    assert_eq!(listed, [summary, other.clone(), article.clone(), copy.clone()]);
    assert_eq!(home.ok(&["dedup", "list"]).lines().count(), 5, "a headline and four lines");
    follower.agrees(&home);
    for item in &listed {
        home.ok(&["dedup", "forget", item]);
    }
    follower.agrees(&home);
    assert_eq!(copies(&by_guid(&home, "article")), [("copy", "near"), ("part", "contained")]);
    assert!(json(&home, &["dedup", "list", "--json"])["corrections"].as_array().unwrap().is_empty());
    let config = rasid::store::StoreConfig { path: home.path("data"), ..Default::default() };
    assert_eq!(rasid::store::open(&config).unwrap().0.verify().unwrap(), Vec::<String>::new());
}
