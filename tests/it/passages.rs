//! Why an item has its verdict: passages, figures, and what copies changed, over the interface and for people.

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use jiff::{SignedDuration, Timestamp};
use rasid::dedup::corpus::{Corpora, Corpus, CorpusText};
use rasid::dedup::{Fingerprint, Original, Verdict, VerdictKind};
use rasid::id::{EntryKey, ItemId};
use rasid::item::{Candidate, Content};
use rasid::serve::{self, Loaded, State};
use rasid::store::{self, Decided, Group, Store, StoreConfig, Writer};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tower::ServiceExt;

use crate::newsroom::{Answer, Server};
use crate::rasid::{Home, wait_for};
use crate::support::content;

const HARBOUR: [&str; 3] = [
    "رست السفينة الزرقاء صباح أمس على الرصيف الشرقي بعد رحلة دامت ثلاثة أسابيع في بحر هائج، وسط استقبال حافل من عمال الميناء وأسر البحارة.",
    "وقال مدير الميناء إن حمولتها من القمح تبلغ 4200 طن وتكفي مطاحن المدينة حتى نهاية الشتاء المقبل، مضيفا أن سفينتين أخريين تصلان قبل نهاية الشهر.",
    "وشكر قبطانها عمال الرصيف الذين انتظروا وصولها تحت المطر ساعات طويلة، وروى كيف ضلت السفينة طريقها ليلتين بعد أن تعطلت أجهزة الملاحة.",
];
const EVENING: &str = "وفي المساء أضاء الصيادون قواربهم احتفالا بعودة البحارة إلى بيوتهم بعد غياب طويل.";

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

/// A store with items of our own verdicts.
struct World {
    _dir: TempDir,
    store: Store,
    writer: Writer,
    corpora: Corpora,
}

impl World {
    fn new(corpus: &[CorpusText]) -> Self {
        let dir = TempDir::new().unwrap();
        let config = StoreConfig { path: dir.path().join("data"), ..StoreConfig::default() };
        let (store, writer) = store::open(&config).unwrap();
        let corpora = Corpora::new(vec![Corpus::of("ref", corpus).unwrap()]);
        Self { _dir: dir, store, writer, corpora }
    }

    /// Stores an entry of `feed`, published so many minutes before noon.
    fn add(&mut self, feed: &str, guid: &str, title: &str, text: &str, before: i64, verdict: Verdict) -> ItemId {
        let url: url::Url = format!("https://{feed}.example/{guid}").parse().unwrap();
        let candidate = Candidate {
            feed: feed.parse().unwrap(),
            key: EntryKey::of("guid", guid),
            hash: Fingerprint::of(title, text).title.unwrap_or_default(),
            fingerprint: Fingerprint::of(title, text),
            sketch: rasid::story::Sketch::default(),
            content: Content {
                canonical_url: Some(url.clone()),
                url: Some(url),
                guid: Some(guid.to_owned()),
                language: Some("ar".to_owned()),
                ..content(title, text, now() - SignedDuration::from_mins(before))
            },
            topics: Vec::new(),
        };
        let id = ItemId::of(&candidate.feed, candidate.key);
        let items = vec![Decided { candidate, verdict }];
        self.writer.commit(Group { items, at: Some(now()), ..Group::default() }).unwrap();
        id
    }

    async fn get(&self, target: &str) -> (u16, Value) {
        let loaded = Loaded {
            corpora: std::sync::Arc::new(Corpora::new(self.corpora.iter().cloned().collect())),
            ..Loaded::default()
        };
        let state = State {
            store: self.store.clone(),
            search: None,
            loaded: watch::channel(std::sync::Arc::new(loaded)).1,
            control: mpsc::channel(1).0,
            started: None,
            clock: now,
        };
        let request = Request::get(target).header("host", "localhost").body(Full::<Bytes>::default()).unwrap();
        let response = serve::router(state).oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap())
    }
}

fn verdict(kind: VerdictKind, of: ItemId) -> Verdict {
    Verdict { kind, of: Some(Original::Item(of)), similarity: 0.9 }
}

#[tokio::test]
async fn copies_say_what_they_changed_and_a_borrowed_text_is_compared_too() {
    let mut world = World::new(&[]);
    let whole = HARBOUR.join("\n");
    let original = world.add("sahil", "1", "وصول السفينة", &whole, 60, Verdict::new_item());
    let same = world.add("madina", "2", "وصول السفينة", &whole, 90, verdict(VerdictKind::Exact, original));
    let cut = world.add("akhbar", "3", "قمح يكفي الشتاء", HARBOUR[0], 30, verdict(VerdictKind::Contained, original));
    let more = format!("{}\n{EVENING}", whole.replace("هائج", "هادئ"));
    let near = world.add("nabd", "4", "وصول السفينة", &more, 10, verdict(VerdictKind::Near, original));

    let (status, found) = world.get(&format!("/api/v1/items/{original}/passages")).await;
    assert_eq!((status, &found["verdict"]["kind"], &found["comparison"]), (200, &Value::from("new"), &Value::Null));
    let copies: Vec<(&str, i64, String)> = found["copies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|copy| {
            let changed = copy["changed"].as_array().unwrap().iter().map(|said| said.as_str().unwrap());
            (copy["id"].as_str().unwrap(), copy["after"].as_i64().unwrap(), changed.collect::<Vec<_>>().join(", "))
        })
        .collect();
    assert_eq!(
        copies,
        [
            (same.to_string().as_str(), -1_800, String::new()),
            (cut.to_string().as_str(), 1_800, "headline changed, cut to 34 %".to_owned()),
            (near.to_string().as_str(), 3_000, "+ a paragraph, 1 place reworded".to_owned()),
        ]
    );

    // The exact copy keeps no text of its own.
    let (_, found) = world.get(&format!("/api/v1/items/{same}/passages")).await;
    assert_eq!(found["original"]["id"], original.to_string());
    assert_eq!(found["comparison"]["coverage"]["ours"], 1.0);
    assert_eq!(found["reason"]["kind"], "exact");
    let (_, found) = world.get(&format!("/api/v1/items/{near}/passages")).await;
    let change = &found["comparison"]["passages"][0]["changes"][0];
    assert_eq!((change["ours"]["text"].as_str(), change["theirs"]["text"].as_str()), (Some("هادئ"), Some("هائج")));
    let start = change["ours"]["start"].as_u64().unwrap() as usize;
    assert_eq!(more.chars().skip(start).take(4).collect::<String>(), "هادئ");
    // Any two can be compared.
    let (_, found) = world.get(&format!("/api/v1/items/{near}/passages?of={cut}")).await;
    assert_eq!((&found["original"]["id"], &found["reason"]["kind"]), (&cut.to_string().into(), &"expands".into()));
    assert!(found["why"].as_str().unwrap().starts_with("it would be `expands`: "), "{found}");
}

#[tokio::test]
async fn revisions_are_compared_with_their_former_words_and_corpora_without_words() {
    let whole = HARBOUR.join("\n");
    let document = CorpusText { id: "harbour".into(), title: "وصول السفينة".into(), text: whole.clone() };
    let mut world = World::new(&[document]);
    let id = world.add("sahil", "1", "وصول السفينة", &whole, 60, Verdict::new_item());
    let revised = whole.replace("4200", "4500");
    world.add("sahil", "1", "السفينة تصل", &revised, 30, verdict(VerdictKind::Revision, id));
    let (_, found) = world.get(&format!("/api/v1/items/{id}/passages")).await;
    assert!(found["why"].as_str().unwrap().starts_with("the same entry in other words"), "{found}");
    assert_eq!(found["comparison"]["numbers"][0]["theirs"]["text"], "4200");
    assert_eq!(found["comparison"]["changes"]["headline"], true);
    assert_eq!(found["original"]["title"], "وصول السفينة");

    let of = |document: &str| Original::Corpus { corpus: "ref".into(), document: document.into() };
    let of = |document: &str| Verdict { kind: VerdictKind::Contained, of: Some(of(document)), similarity: 1.0 };
    let cut = world.add("nabd", "2", "خبر", HARBOUR[1], 5, of("harbour"));
    let (_, found) = world.get(&format!("/api/v1/items/{cut}/passages")).await;
    let passage = &found["comparison"]["passages"][0];
    assert!(passage["theirs"].is_null() && HARBOUR[1].contains(passage["ours"]["text"].as_str().unwrap()), "{found}");
    assert!(found["note"].as_str().unwrap().contains("no text") && found["original"].is_null(), "{found}");
    let gone = world.add("nabd", "3", "خبر آخر", HARBOUR[2], 4, of("elsewhere"));
    let (_, found) = world.get(&format!("/api/v1/items/{gone}/passages")).await;
    assert!(found["note"].as_str().unwrap().contains("is loaded any more") && found["comparison"].is_null(), "{found}");
    let lost = verdict(VerdictKind::Related, ItemId::of(&"x".parse().unwrap(), EntryKey::of("guid", "gone")));
    let lost = world.add("nabd", "4", "خبر ثالث", EVENING, 3, lost);
    let (_, found) = world.get(&format!("/api/v1/items/{lost}/passages")).await;
    assert!(found["note"].as_str().unwrap().contains("not stored any more"), "{found}");

    let (zero, none) = ("0".repeat(32), "/api/v1/items/none/passages".to_owned());
    for (target, status) in [
        (none, 400),
        (format!("/api/v1/items/{zero}/passages"), 404),
        (format!("/api/v1/items/{id}/passages?of={zero}"), 404),
        (format!("/api/v1/items/{id}/passages?of=x"), 400),
        (format!("/api/v1/items/{id}/passages?with=1"), 400),
    ] {
        assert_eq!(world.get(&target).await.0, status, "{target}");
    }
}

/// The whole way: two feeds, a daemon's verdict, and what `rasid show` says of it.
#[test]
fn show_names_the_original_and_what_differs() {
    let press = Server::start(|asked| {
        let item = |guid: &str, title: &str, text: &str, hour: u32| {
            format!(
                "<item><guid>{guid}</guid><title>{title}</title><link>/{guid}</link><description>{}</description>\
                 <pubDate>Fri, 20 Nov 2026 {hour:02}:00:00 GMT</pubDate></item>",
                text.replace('\n', "&lt;br&gt;")
            )
        };
        let whole = HARBOUR.join("\n");
        let reprint = format!("{}\n{EVENING}", whole.replace("هائج", "هادئ"));
        let items = match asked.path.as_str() {
            "/sahil" => item("s1", "وصول السفينة الزرقاء", &whole, 9),
            "/nabd" => item("n1", "السفينة ترسو في الميناء", &reprint, 11),
            _ => return Answer::status(404),
        };
        Answer::ok("text/xml", format!("<rss version=\"2.0\"><channel><title>ق</title>{items}</channel></rss>"))
    });
    let feed = |name: &str| {
        format!("[[feed]]\nid = \"{name}\"\nurl = \"{}\"\nfull_text = \"never\"\n", press.url(&format!("/{name}")))
    };
    let home = Home::new("", &format!("{}{}", feed("sahil"), feed("nabd")));
    home.ok(&["feeds", "poll", "sahil"]);
    home.ok(&["feeds", "poll", "nabd"]);
    wait_for("both", || home.ok(&["items", "--all", "--format", "ndjson"]).lines().count() == 2);
    let shown = home.ok(&["show", "2"]);
    for part in [
        "near of item:",
        "№ 1 of sahil, published",
        "of the shorter text",
        "headline changed, + a paragraph, 1 place reworded",
        "1 passage shared",
        "بحر ⟦هادئ،⟧ وسط",
        "بحر ⟦هائج،⟧ وسط",
    ] {
        assert!(shown.contains(part), "{part}:\n{shown}");
    }
    assert!(!shown.contains('\x1b') && !shown.contains('\u{2068}'), "no colour and no isolates without a terminal");
    let shown = home.ok(&["show", "1"]);
    assert!(shown.contains("1 copy") && shown.contains("headline changed, + a paragraph"), "{shown}");
    assert!(!home.ok(&["show", "2", "--passages", "0"]).contains("  here  "), "none were asked for");
    let json: Value = serde_json::from_str(&home.ok(&["show", "2", "--json", "--passages", "all"])).unwrap();
    assert_eq!((&json["verdict"]["kind"], &json["explanation"]["original"]["feed"]), (&"near".into(), &"sahil".into()));
    let plain: Value = serde_json::from_str(&home.ok(&["show", "2", "--json"])).unwrap();
    assert!(plain.get("explanation").is_none(), "the item as every reader gets it");
}

/// On changed copies of real articles: what is left of the original is found, and what was put in is not.
#[test]
fn passages_find_what_is_left_of_an_article_and_no_more() {
    use std::collections::BTreeMap;

    use rasid::dedup::compare::Context;
    use rasid::dedup::passages::{Side, compare};
    use rasid::dedup::reason::Reason;

    use crate::support::{jsonl_gz, shared};

    let Some(path) = shared("data/near_duplicates_dev.jsonl.gz") else { return };
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let rows: Vec<Value> = jsonl_gz(path).collect();
    let originals: BTreeMap<String, String> = rows
        .iter()
        .filter(|row| row["kind"] == "original")
        .step_by(16)
        .map(|row| (text(row, "id"), text(row, "text")))
        .collect();
    let mut by_change: BTreeMap<String, Vec<(f32, f32)>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row["kind"] == "copy") {
        let Some(original) = originals.get(row["of"].as_str().unwrap()) else { continue };
        let copy = text(row, "text");
        let (ours, theirs) = (Side { title: "", text: &copy }, Side { title: "", text: original });
        let found = compare(ours, theirs);
        by_change.entry(text(row, "change")).or_default().push((found.coverage.ours, found.coverage.theirs));
        let reason = Reason::of(&Fingerprint::of("", &copy), &Fingerprint::of("", original), Context::default());
        assert!(reason.kind.is_some(), "{}: {reason:?}", row["change"]);
    }
    // The least mean of this text's share and of the original's.
    let rows = [
        ("exact", 1.0, 1.0),
        ("format_light", 1.0, 1.0),
        ("format_heavy", 1.0, 1.0),
        ("headline_changed", 0.94, 0.94),
        ("lede_changed", 0.85, 0.82),
        ("drop10", 0.99, 0.85),
        ("drop30", 0.98, 0.67),
        ("drop50", 0.98, 0.45),
        ("shuffle", 0.97, 0.97),
        ("boilerplate", 0.9, 0.99),
        ("sub5", 0.93, 0.93),
        ("sub10", 0.87, 0.87),
        ("sub20", 0.77, 0.77),
        ("summary_p1", 0.95, 0.1),
        ("truncated", 0.95, 0.4),
        ("stitched2", 0.4, 0.99),
        ("embedded", 0.4, 0.99),
        ("combo", 0.75, 0.6),
    ];
    let mut wrong = Vec::new();
    for (change, ours, theirs) in rows {
        let found = by_change.remove(change).unwrap();
        let mean = |pick: fn(&(f32, f32)) -> f32| found.iter().map(pick).sum::<f32>() / found.len() as f32;
        let (here, there) = (mean(|pair| pair.0), mean(|pair| pair.1));
        if here < ours || there < theirs {
            wrong.push(format!("{change}: {here:.3} of the copy and {there:.3} of the original"));
        }
    }
    assert!(wrong.is_empty() && by_change.is_empty(), "{wrong:?} {by_change:?}");
    let other = rows_of_unrelated(&originals);
    assert!(other < 0.02, "{other} of other articles");
}

/// The mean share of one article's words that stand in another one.
fn rows_of_unrelated(originals: &std::collections::BTreeMap<String, String>) -> f32 {
    use rasid::dedup::passages::{Side, compare};
    let texts: Vec<&String> = originals.values().collect();
    let pairs = texts.iter().zip(texts.iter().skip(1));
    let side = |text| Side { title: "", text };
    let shares: Vec<f32> = pairs.map(|(a, b)| compare(side(a), side(b)).coverage.ours).collect();
    shares.iter().sum::<f32>() / shares.len() as f32
}
