//! Topics that learn, and new topics for what is stored, with the real binary.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use rasid::dedup::{Fingerprint, Verdict, VerdictKind};
use rasid::id::{EntryKey, ItemId, Seq};
use rasid::item::{Candidate, Content, LogKind};
use rasid::store::{Decided, Group, Store, StoreConfig, Writer};
use serde_json::Value;

use crate::newsroom::{Answer, Server};
use crate::rasid::{Home, wait_for};
use crate::support::content;

/// Words of a subject; texts on it draw from these and from the words of all days.
const DROUGHT: [&str; 12] = [
    "الجفاف",
    "السد",
    "الأمطار",
    "المزارعون",
    "الخزان",
    "الري",
    "القمح",
    "الآبار",
    "المنسوب",
    "الحقول",
    "العطش",
    "الينابيع",
];
const FOOTBALL: [&str; 12] = [
    "المباراة",
    "المدرب",
    "اللاعب",
    "الدوري",
    "الكأس",
    "الملعب",
    "الجماهير",
    "الحكم",
    "الشوط",
    "المنتخب",
    "التعادل",
    "المهاجم",
];
const MARKETS: [&str; 12] = [
    "البورصة",
    "الأسهم",
    "الأرباح",
    "المصرف",
    "الفائدة",
    "التضخم",
    "العملة",
    "المستثمرون",
    "المؤشر",
    "السندات",
    "الديون",
    "النفط",
];
const DAILY: &str = "قال مسؤول اليوم العاصمة أعلن المتحدث بيان العام الماضي الحكومة المدينة الوزير تقرير أكد سكان مصادر الأسبوع \
                     جديد كبير عدد المنطقة بحسب أمس صباح مؤتمر صحفي خطة عمل مشروع بلاد";

/// Text `number` on a subject: four words in ten are the subject's own.
fn text(subject: &[&str], number: u64, words: usize) -> String {
    let daily: Vec<&str> = DAILY.split_whitespace().collect();
    let mut state = number.wrapping_mul(2_654_435_761) + subject[0].len() as u64;
    let mut draw = |of: usize| -> usize {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % of
    };
    let words: Vec<&str> = (0..words)
        .map(|_| if draw(10) < 4 { subject[draw(subject.len())] } else { daily[draw(daily.len())] })
        .collect();
    words.join(" ")
}

fn opened(home: &Home) -> (Store, Writer) {
    rasid::store::open(&StoreConfig { path: home.path("data"), ..StoreConfig::default() }).unwrap()
}

fn decided(key: &str, text: &str) -> Decided {
    let at = Timestamp::from_second(1_780_000_000).unwrap();
    let candidate = Candidate {
        feed: "before".parse().unwrap(),
        key: EntryKey::of("guid", key),
        hash: 1,
        sketch: rasid::story::Sketch::default(),
        content: Content {
            guid: Some(key.to_owned()),
            language: Some("ar".to_owned()),
            ..content(&format!("خبر {key}"), text, at)
        },
        topics: Vec::new(),
        fingerprint: Fingerprint::of(key, text),
    };
    Decided { candidate, verdict: Verdict { kind: VerdictKind::New, of: None, similarity: 0.0 } }
}

fn id(key: &str) -> String {
    ItemId::of(&"before".parse().unwrap(), EntryKey::of("guid", key)).to_string()
}

/// Stores articles as an earlier daemon without topics would have.
fn store(home: &Home, articles: Vec<(String, String)>) {
    let (_store, mut writer) = opened(home);
    let items: Vec<Decided> = articles.iter().map(|(key, text)| decided(key, text)).collect();
    for part in items.chunks(128) {
        writer.commit(Group { items: part.to_vec(), ..Group::default() }).unwrap();
    }
}

fn json(home: &Home, args: &[&str]) -> Value {
    serde_json::from_str(&home.ok(args)).unwrap_or_else(|error| panic!("rasid {args:?}: {error}"))
}

/// The ids of the items that are about a topic.
fn about(home: &Home, topic: &str) -> BTreeSet<String> {
    let listed = home.ok(&["items", "--topic", topic, "--format", "ndjson", "--limit", "400"]);
    let items = listed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    items.map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

fn records(home: &Home, topic: &[&str]) -> Vec<Value> {
    let lines = home.ok(&[&["tail"], topic].concat());
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const TOPICS: &str = "[[topic]]\nid = \"drought\"\nlabel = { ar = \"الجفاف\", en = \"Drought\" }\n[topic.like]\n\
                      files = [\"examples/drought-*.txt\"]\n\
                      [[topic]]\nid = \"football\"\nlabel = { ar = \"كرة القدم\", en = \"Football\" }\n[topic.like]\n";

#[test]
fn a_topic_learns_from_files_and_judgements_and_stored_items_get_it() {
    let news = Server::start(|_| {
        let (title, text) = ("السد يجف والحقول تعطش", text(&DROUGHT, 900, 120));
        let item = format!(
            "<item><guid>new</guid><title>{title}</title><link>https://lab.example/1</link><description>{text}</description></item>"
        );
        let feed =
            format!("<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>x</title>{item}</channel></rss>");
        Answer::ok("application/rss+xml", feed)
    });
    let feeds =
        format!("[[feed]]\nid = \"lab\"\nurl = \"{}\"\nenabled = false\nfull_text = \"never\"\n", news.url("/"));
    let home = Home::new("", &feeds);
    home.write("topics.toml", TOPICS);
    for n in 0..2 {
        let example = format!("{}\n{}", text(&DROUGHT, 800 + n, 6), text(&DROUGHT, 810 + n, 120));
        home.write(&format!("examples/drought-{n}.txt"), &example);
    }
    let mut articles = Vec::new();
    for n in 0..120 {
        articles.push((format!("f{n}"), text(&FOOTBALL, n, 80)));
        articles.push((format!("m{n}"), text(&MARKETS, n, 80)));
    }
    articles.extend((0..3).map(|n| (format!("d{n}"), text(&DROUGHT, n, 80))));
    store(&home, articles);

    let daemon = home.daemon();
    home.wait_until_it_answers();
    let topic = |at: usize| json(&home, &["topics", "list", "--json"])["topics"][at]["like"].clone();
    wait_for("the topic to learn from its files", || topic(0)["model"]["examples"] == 2);
    assert_eq!(topic(0)["model"]["stream"], 243, "{}", topic(0));
    assert_eq!(topic(1)["model"], Value::Null);

    // What comes in from now on is found.
    home.ok(&["feeds", "poll", "lab"]);
    let found = about(&home, "drought");
    assert_eq!(found.len(), 1, "{found:?}");
    let shown = json(&home, &["show", found.first().unwrap(), "--json"]);
    assert_eq!(shown["topics"][0]["decision"], "match");
    assert_eq!(shown["topics"][0]["evidence"][0]["rule"], "like");

    // What was stored before gets it when it is asked for, with a record for each change and none besides.
    assert_eq!(json(&home, &["status", "--json"])["reclassifying"]["stale"], 243);
    let last = records(&home, &[]).len();
    let done = json(&home, &["topics", "reclassify", "--json"]);
    assert_eq!((done["examined"].as_u64(), done["changed"].as_u64()), (Some(244), Some(3)), "{done}");
    assert_eq!(json(&home, &["status", "--json"])["reclassifying"]["stale"], 0);
    let after = records(&home, &[]);
    let new: Vec<(&str, &str)> =
        after[last..].iter().map(|r| (r["kind"].as_str().unwrap(), r["id"].as_str().unwrap())).collect();
    let expected: Vec<String> = (0..3).map(|n| id(&format!("d{n}"))).collect();
    assert_eq!(new, expected.iter().map(|id| ("reclassified", id.as_str())).collect::<Vec<_>>());
    assert_eq!(about(&home, "drought").len(), 4);
    let again = json(&home, &["topics", "reclassify", "--json"]);
    assert_eq!(again["changed"], 0);
    assert_eq!(records(&home, &[]).len(), after.len());

    // Judgements are kept, learned from, and show what they change.
    let named = |keys: &[&str]| keys.iter().map(|key| id(key)).collect::<Vec<_>>();
    let (yes, no) = (named(&["f0", "f1", "f2", "f3"]), named(&["m0", "m1"]));
    let mut args = vec!["topics", "learn", "football", "--json", "--yes"];
    args.extend(yes.iter().map(String::as_str));
    args.push("--no");
    args.extend(no.iter().map(String::as_str));
    let learned = json(&home, &args);
    assert_eq!(learned["before"], Value::Null);
    let figures = &learned["after"];
    assert_eq!((figures["examples"].as_u64(), figures["against"].as_u64()), (Some(4), Some(2)), "{figures}");
    assert_eq!(learned["looked_at"], 244);
    assert_eq!(learned["gained"].as_u64().unwrap() as usize, learned["changed"].as_array().unwrap().len());
    assert!(learned["gained"].as_u64().unwrap() >= 4, "{learned}");
    let wrong = home.rasid(&["topics", "learn", "football", "--yes", &id("f9"), "--no", &id("f9")]);
    assert_eq!(wrong.status.code(), Some(2));
    assert_eq!(home.rasid(&["topics", "learn", "football", "--yes", "99999"]).status.code(), Some(1));

    // A restart classifies as before it, and learns nothing anew.
    let tried = text(&FOOTBALL, 4_000, 80);
    let look = || {
        let status = json(&home, &["status", "--json"]);
        let said = json(&home, &["topics", "learn", "football", "--json"]);
        let found = json(&home, &["topics", "test", "--text", &tried, "--json"]);
        (status["reclassifying"]["version"].clone(), said, found)
    };
    let before = look();
    assert_eq!(before.1["judgements"].as_array().unwrap().len(), 6);
    assert!(daemon.terminate().success());
    assert_eq!(look(), before, "without a daemon");
    let daemon = home.daemon();
    home.wait_until_it_answers();
    assert_eq!(look(), before, "after a restart");

    // Readers of a topic hear of what it gains and of what it loses.
    let done = json(&home, &["topics", "reclassify", "--topic", "football", "--json"]);
    let gained = done["changed"].as_u64().unwrap() as usize;
    assert_eq!(about(&home, "football").len(), gained);
    let mut args = vec!["topics", "learn", "football", "--json", "--forget"];
    args.extend(yes.iter().chain(&no).map(String::as_str));
    let forgotten = json(&home, &args);
    assert_eq!(forgotten["after"], Value::Null);
    assert_eq!(forgotten["lost"].as_u64().unwrap() as usize, gained);
    json(&home, &["topics", "reclassify", "--json"]);
    assert!(about(&home, "football").is_empty());
    let heard = records(&home, &["--topic", "football"]);
    assert_eq!(heard.iter().filter(|record| record["lost"] == serde_json::json!(["football"])).count(), gained);
    assert_eq!(about(&home, "drought").len(), 4);
    assert!(daemon.terminate().success());
    assert_eq!(opened(&home).0.verify().unwrap(), Vec::<String>::new());
}

#[test]
fn without_a_daemon_it_is_done_by_the_command() {
    let home = Home::new("", "");
    home.write("topics.toml", TOPICS);
    home.write("examples/drought-0.txt", &text(&DROUGHT, 800, 120));
    let articles = [("d0", text(&DROUGHT, 1, 80)), ("m0", text(&MARKETS, 1, 80)), ("m1", text(&MARKETS, 2, 80))];
    store(&home, articles.into_iter().map(|(key, text)| (key.to_owned(), text)).collect());
    let learned = json(&home, &["topics", "learn", "football", "--json", "--no", "1"]);
    assert_eq!(learned["after"], Value::Null, "a counter-example alone teaches nothing");
    let done = json(&home, &["topics", "reclassify", "--json", "--no-wait"]);
    assert_eq!(done["examined"], 3);
    assert!(done["ended"].is_string(), "{done}");
    assert!(about(&home, "drought").contains(&id("d0")));
    assert_eq!(opened(&home).0.verify().unwrap(), Vec::<String>::new());
}

/// A topic that learns from a pack and from files, with a test that only likeness can pass.
#[test]
fn tests_and_previews_judge_as_the_daemon_does() {
    let home = Home::new("", "");
    for n in 0..4 {
        home.write(&format!("drought/{n}.txt"), &text(&DROUGHT, 800 + n, 120));
    }
    for n in 0..2 {
        home.write(&format!("more/{n}.txt"), &text(&DROUGHT, 810 + n, 120));
    }
    home.write("corpus/README", "");
    let (texts, pack) = (home.path("drought"), home.path("corpus/drought.pack"));
    home.ok(&["corpus", "pack", texts.to_str().unwrap(), "-o", pack.to_str().unwrap()]);
    let topics = |subject: &[&str], expect: &str| {
        let text = text(subject, 4_000, 80);
        let topic = "[[topic]]\nid = \"drought\"\nlabel = { ar = \"الجفاف\", en = \"Drought\" }\n[topic.like]\ncorpus = [\"drought\"]\nfiles = [\"more/*.txt\"]";
        home.write("topics.toml", &format!("{topic}\n[[topic.test]]\ntext = \"{text}\"\nexpect = \"{expect}\"\n"));
        let output = home.rasid(&["check"]);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for (subject, expect) in [(&DROUGHT, "match"), (&MARKETS, "none")] {
        let (code, said) = topics(subject, expect);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("topics.toml:9:10: topic `drought`: not judged: it learns from examples"), "{said}");
    }
    let mut articles = Vec::new();
    for n in 0..120 {
        articles.push((format!("f{n}"), text(&FOOTBALL, n, 80)));
        articles.push((format!("m{n}"), text(&MARKETS, n, 80)));
    }
    articles.extend((0..3).map(|n| (format!("d{n}"), text(&DROUGHT, n, 80))));
    store(&home, articles);
    let preview = || json(&home, &["topics", "test", "--since", "2020-01-01", "--json"])["topics"].clone();
    assert_eq!(preview(), serde_json::json!([]), "nothing is learned yet");
    let learned = json(&home, &["topics", "learn", "drought", "--json", "--no", "1"]);
    let gained = learned["gained"].as_u64().unwrap();
    assert!(gained > 0 && preview()[0]["gained"] == gained, "{learned}");
    let done = json(&home, &["topics", "reclassify", "--json"]);
    assert_eq!(done["changed"], gained, "{done}");
    let again = preview();
    assert_eq!(
        (again[0]["after"]["match"].as_u64(), again[0]["items"].as_array().unwrap().len()),
        (Some(gained), 0),
        "{again}"
    );
    for (subject, expect, code) in [(&MARKETS, "none", 0), (&MARKETS, "match", 78)] {
        let (got, said) = topics(subject, expect);
        assert_eq!(got, Some(code), "{said}");
        assert!(!said.contains("not judged"), "{said}");
    }
    let listed = json(&home, &["topics", "list", "--json"])["topics"][0]["like"].clone();
    assert_eq!(listed["corpora"], serde_json::json!(["drought"]));
    assert_eq!(listed["model"]["examples"], 6);
}

#[test]
fn examples_that_are_not_there_are_told_where_they_are_named() {
    for (like, told) in [
        ("files = [\"none-*.txt\"]", "topics.toml:5:10: `none-*.txt`: no file in"),
        ("files = [\"a*/b.txt\"]", "`*` may stand in the file's name only"),
        ("files = [\"feeds.toml\"]", "a corpus is made of .txt"),
        ("corpus = [\"seeds\"]", "topics.toml:5:11: no corpus is called `seeds`"),
        (
            "corpus = [\"torn\"]",
            "topics.toml:5:11: the corpus `torn` cannot serve as examples: it is not a corpus pack",
        ),
        ("items = [\"7\"]", "topics.toml:5:10: "),
    ] {
        let home = Home::new("", "");
        if like.contains("torn") {
            home.write("corpus/torn.pack", "not a pack");
        }
        home.write(
            "topics.toml",
            &format!("[[topic]]\nid = \"x\"\nlabel = {{ ar = \"س\", en = \"X\" }}\n[topic.like]\n{like}\n"),
        );
        let output = home.rasid(&["check"]);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(78), "{like}: {errors}");
        assert!(errors.contains(told), "{like}: {errors}");
    }
    let home = Home::new("", "");
    home.write("topics.toml", TOPICS);
    home.write("examples/drought-0.txt", &text(&DROUGHT, 800, 20));
    let output = home.rasid(&["check"]);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    assert!(
        errors.contains("topics.toml:7:6: the topic `football` names no example")
            && !errors.contains("`drought` names"),
        "{errors}"
    );
}

#[test]
fn killed_while_reclassifying_it_goes_on_and_changes_each_item_once() {
    const ITEMS: u64 = 2_500;
    let rounds: u32 = std::env::var("RASID_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(5);
    let home = Home::new("", "");
    let gate = |word: &str| {
        format!("[[topic]]\nid = \"x\"\nlabel = {{ ar = \"س\", en = \"X\" }}\ngate = '{word}'\nthreshold = 0.5\n")
    };
    home.write("topics.toml", &gate("الجفاف"));
    let subject = |n: u64| {
        if n.is_multiple_of(3) { "الجفاف يهدد الحقول" } else { "المؤشر يرتفع قليلا" }
    };
    let articles = (0..ITEMS).map(|n| (format!("{n}"), format!("{} {}", subject(n), text(&MARKETS, n, 12))));
    store(&home, articles.collect());
    let daemon = home.daemon();
    home.wait_until_it_answers();
    let begun = json(&home, &["topics", "reclassify", "--no-wait", "--json"]);
    let mut running = Some(daemon);
    for round in 0..rounds {
        std::thread::sleep(Duration::from_millis(fastrand::u64(1..150)));
        running.take().unwrap().kill();
        let left = opened(&home).0.reclassification().unwrap().unwrap();
        eprintln!("round {round}: {} of {ITEMS} looked at, ended {:?}", left.examined, left.ended);
        running = Some(home.daemon());
        home.wait_until_it_answers();
    }
    let state = || json(&home, &["status", "--json"])["reclassifying"].clone();
    wait_for("the reclassification to end", || state()["last"]["ended"].is_string());
    let (state, expected) = (state(), ITEMS.div_ceil(3));
    assert_eq!(state["last"]["begun"], begun["begun"], "it goes on, it does not begin again");
    assert_eq!(state["last"]["changed"], expected);
    assert_eq!(state["last"]["examined"], ITEMS);
    assert_eq!(state["stale"], 0);
    assert!(running.take().unwrap().terminate().success());
    let (store, _writer) = opened(&home);
    assert_eq!(store.verify().unwrap(), Vec::<String>::new());
    let mut times = std::collections::HashMap::<ItemId, u32>::new();
    let mut after = Seq(ITEMS);
    loop {
        let read = store.log(after, 500).unwrap();
        let Some(last) = read.last() else { break };
        after = last.seq;
        for record in read {
            assert_eq!(record.kind, LogKind::Reclassified);
            assert_eq!(record.item.unwrap().topics.len(), 1);
            *times.entry(record.id).or_default() += 1;
        }
    }
    assert_eq!(times.len() as u64, expected);
    assert!(times.values().all(|times| *times == 1), "an item was changed twice");
}
