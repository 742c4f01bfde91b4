//! Search over a real store: what finds what, what the log changes, restarts, damage, pages, places, and the command.

mod command;
mod killed;
mod phrases;
mod spans;
mod stored;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use jiff::{SignedDuration, Timestamp};
use rasid::dedup::{Fingerprint, Original, Verdict, VerdictKind};
use rasid::id::{EntryKey, ItemId};
use rasid::item::{Candidate, Content};
use rasid::pipeline::Stop;
use rasid::pipeline::indexing::{Indexing, catch_up};
use rasid::search::{self, Search};
use rasid::serve::{self, Loaded, State};
use rasid::store::{self, Decided, Group, Store, StoreConfig, Writer};
use rasid::topic::{Decision, TopicMatch};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tower::ServiceExt;

use crate::rasid::wait_for;
use crate::support::content;

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

const NEW: Verdict = Verdict { kind: VerdictKind::New, of: None, similarity: 0.0 };

/// A store and its index.
struct World {
    dir: TempDir,
    store: Store,
    writer: Writer,
    search: Search,
    count: u32,
}

impl World {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let config = StoreConfig { path: dir.path().join("data"), ..StoreConfig::default() };
        let (store, writer) = store::open(&config).unwrap();
        let search = Search::new(config.path.join(search::DIRECTORY));
        Self { dir, store, writer, search, count: 0 }
    }

    fn index(&self) -> PathBuf {
        self.dir.path().join("data").join(search::DIRECTORY)
    }

    /// Adds an item of a feed, one hour older than the one before.
    fn add(&mut self, title: &str, text: &str) -> ItemId {
        self.count += 1;
        let candidate = candidate(self.count, title, text);
        let id = ItemId::of(&candidate.feed, candidate.key);
        self.commit(candidate, NEW);
        id
    }

    fn commit(&mut self, candidate: Candidate, verdict: Verdict) {
        let items = vec![Decided { candidate, verdict }];
        self.writer.commit(Group { items, at: Some(now()), ..Group::default() }).unwrap();
    }

    /// Another process's view of the same index: nothing is remembered but what is on the disk.
    fn reopen(&mut self) {
        self.search = Search::new(self.index());
    }

    fn catch_up(&self) {
        catch_up(&self.store, &self.search, &mut |_, _| {}).unwrap();
    }

    /// The answer of the route, its status.
    fn ask(&self, parameters: &[(&str, &str)]) -> (u16, Value) {
        let state = State {
            store: self.store.clone(),
            search: Some(self.search.clone()),
            loaded: watch::channel(Arc::new(Loaded::default())).1,
            control: mpsc::channel(1).0,
            started: None,
            clock: now,
        };
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let request = Request::get(format!("/api/v1/search?{query}")).body(Full::<Bytes>::default()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let response = serve::router(state).oneshot(request).await.unwrap();
            let status = response.status().as_u16();
            let bytes = response.into_body().collect().await.unwrap().to_bytes();
            (status, serde_json::from_slice(&bytes).unwrap())
        })
    }

    fn find(&self, parameters: &[(&str, &str)]) -> Value {
        let (status, answer) = self.ask(parameters);
        assert_eq!(status, 200, "{parameters:?}: {answer}");
        answer
    }

    /// The titles that a query finds, in order.
    fn titles(&self, parameters: &[(&str, &str)]) -> Vec<String> {
        titles(&self.find(parameters))
    }
}

fn titles(answer: &Value) -> Vec<String> {
    let items = answer["items"].as_array().unwrap().iter();
    items.map(|item| item["title"].as_str().unwrap().to_owned()).collect()
}

fn candidate(i: u32, title: &str, text: &str) -> Candidate {
    let topic =
        TopicMatch { id: "csto".parse().unwrap(), decision: Decision::Match, score: 4.25, evidence: Vec::new() };
    let fingerprint = Fingerprint::of(title, text);
    Candidate {
        feed: if i.is_multiple_of(2) { "nabd" } else { "wafa" }.parse().unwrap(),
        key: EntryKey::of("guid", &i.to_string()),
        hash: u64::from(i),
        sketch: rasid::story::Sketch::default(),
        fingerprint,
        content: Content {
            url: Some(format!("https://nabd.example/{i}").parse().unwrap()),
            canonical_url: Some(format!("https://nabd.example/{i}").parse().unwrap()),
            guid: Some(i.to_string()),
            authors: if i.is_multiple_of(2) { vec!["سالم الغريب".to_owned()] } else { Vec::new() },
            language: Some(if i.is_multiple_of(3) { "ar-EG" } else { "ar" }.to_owned()),
            fetched_at: now(),
            ..content(title, text, now() - SignedDuration::from_hours(i64::from(i)))
        },
        topics: if i.is_multiple_of(3) { vec![topic] } else { Vec::new() },
    }
}

/// Query, text, and whether the one finds the other.
const FORMS: &[(&str, &str, bool)] = &[
    ("كازاخستان", "وصل الوفد إلى كازاخستان مساء", true),
    ("كازاخستان", "عقد الاجتماع بكازاخستان أمس", true),
    ("كازاخستان", "بين روسيا وكازاخستان حدود طويلة", true),
    ("كازاخستان", "قالت الوزارة الكازاخية في بيان", true),
    ("كازاخستان", "وصف الرئيس الكازاخستاني اللقاء", true),
    ("كازاخستان", "عبر الجسر إلى أفغانستان", false),
    ("بكازاخستان", "وصل الوفد إلى كازاخستان مساء", true),
    ("كَازَاخِسْتَان", "وصل الوفد إلى كازاخستان مساء", true),
    ("ألمانيا", "قالت الحكومة الألمانية إن الميزانية أقرت", true),
    ("المانيا", "سافر اللاعب إلى ألمانيا", true),
    ("الحكومة الجديدة", "تشكيل حكومته جديدًا", true),
    ("وزراء الخارجية", "التقى وزير خارجية البلدين", true),
    ("جنة", "اجتمعت اللجنة صباح اليوم", false),
    ("\"الأمن الجماعي\"", "منظمة معاهدة الأمن الجماعي", true),
    ("\"الأمن الجماعي\"", "منظمة \"معاهدة الأمن\" الجماعي", true),
    ("\"الأمن الجماعي\"", "الأمن في العمل الجماعي", false),
    ("«معاهدة الأمن»", "لمعاهدة الأمن الجماعي", true),
    ("\"كازاخستان\"", "عقد الاجتماع بكازاخستان أمس", false),
    ("\"كازاخستان\"", "وصل الوفد إلى كازاخستان مساء", true),
    ("سد -نهر", "افتتاح السد الكبير", true),
    ("سد -نهر", "افتتاح السد على النهر", false),
    ("قطار OR سفينة", "غادرت السفن الميناء", true),
    ("قطار OR سفينة", "غادرت الطائرة المطار", false),
    ("رحلة (قطار OR سفينة)", "رحلة بالقطار", true),
    ("رحلة (قطار OR سفينة)", "القطار السريع", false),
    ("title:مطر", "هطول المطر", false),
    ("text:مطر", "هطول المطر", true),
    ("2022", "في عام ٢٠٢٢", true),
    ("1500", "نحو 1,500 شخص", true),
    ("csto", "قوات CSTO المشتركة", true),
    ("CSTO", "قمة الـ CSTO المقبلة", true),
    ("feed:wafa", "أي خبر كان", true),
    ("feed:nabd", "أي خبر كان", false),
    ("lang:ar خبر", "أي خبر كان", true),
    ("lang:en خبر", "أي خبر كان", false),
    ("since:2026-11-20 خبر", "أي خبر كان", true),
    ("until:2026-11-20 خبر", "أي خبر كان", false),
    ("من في", "من البيت في الصباح", true),
];

#[test]
fn a_query_finds_the_forms_of_its_words_and_no_others() {
    let texts: BTreeSet<&str> = FORMS.iter().map(|(_, text, _)| *text).collect();
    let mut world = World::new();
    for (nth, text) in texts.iter().enumerate() {
        // All of one feed, each with a title that says only which it is.
        let mut candidate = candidate(1, &format!("الرقم {nth}"), text);
        candidate.key = EntryKey::of("guid", text);
        world.commit(candidate, NEW);
    }
    world.catch_up();
    let mut wrong = Vec::new();
    for (query, text, expected) in FORMS {
        let answer = world.find(&[("q", query), ("limit", "100")]);
        let found = answer["items"].as_array().unwrap().iter().any(|item| item["text"] == *text);
        if found != *expected {
            wrong.push(format!("{query} {} {text}", if found { "finds" } else { "does not find" }));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_fits_better_comes_first() {
    for (query, better, worse) in [
        // The title above the text.
        ("الزلزال", ("زلزال في الشمال", "قال شهود إن الأرض اهتزت."), ("أخبار", "بعد زلزال الأمس عاد الهدوء.")),
        // As it was asked for above another form.
        ("كاتب", ("أ", "قال كاتب معروف في المدينة."), ("ب", "صدر كتاب معروف في المدينة.")),
        // Together above apart.
        (
            "القمة الطارئة",
            ("ج", "بدأت القمة الطارئة صباح اليوم في العاصمة."),
            ("د", "القمة بدأت صباح اليوم بعد الدعوة الطارئة."),
        ),
        // Often above once.
        ("الملح", ("هـ", "الملح في البحر ملح وفي الطعام ملح."), ("ز", "الملح في البحر ماء وفي الطعام سكر.")),
    ] {
        for turn in [false, true] {
            let mut world = World::new();
            // The worse is the younger one once.
            let (first, second) = if turn { (worse, better) } else { (better, worse) };
            world.add(first.0, first.1);
            world.add(second.0, second.1);
            world.catch_up();
            assert_eq!(world.titles(&[("q", query)]), [better.0, worse.0], "{query}");
        }
    }
    // Alike but for their age: the younger first; and by time where that is asked for.
    let mut world = World::new();
    for day in [40, 3, 400] {
        let mut item = candidate(day, &format!("اليوم {day}"), "هبوب الرياح على الساحل");
        item.content.published_at = now() - SignedDuration::from_hours(24 * i64::from(day));
        world.commit(item, NEW);
    }
    world.catch_up();
    assert_eq!(world.titles(&[("q", "الرياح")]), ["اليوم 3", "اليوم 40", "اليوم 400"]);
    world.add("هبوب", "قديم");
    let mut old = candidate(900, "رياح الرياح الرياح", "رياح");
    old.content.published_at = now() - SignedDuration::from_hours(24 * 900);
    world.commit(old, NEW);
    world.catch_up();
    assert_eq!(world.titles(&[("q", "الرياح")])[0], "رياح الرياح الرياح");
    assert_eq!(world.titles(&[("q", "الرياح"), ("sort", "newest")])[3], "رياح الرياح الرياح");
}

#[test]
fn filters_hold_beside_the_query_and_in_it() {
    let mut world = World::new();
    for i in 1..=12 {
        world.add(&format!("نشرة {i}"), "نشرة الصباح");
    }
    world.catch_up();
    let numbers = |parameters: &[(&str, &str)]| {
        let mut all = vec![("limit", "100"), ("sort", "newest")];
        all.extend(parameters);
        let numbers = world.titles(&all).into_iter().map(|title| title.rsplit(' ').next().unwrap().parse().unwrap());
        numbers.collect::<Vec<u32>>()
    };
    for (parameters, expected) in [
        (vec![("q", "نشرة"), ("feed", "nabd")], vec![2, 4, 6, 8, 10, 12]),
        (vec![("q", "نشرة feed:nabd")], vec![2, 4, 6, 8, 10, 12]),
        (vec![("q", "نشرة -feed:nabd")], vec![1, 3, 5, 7, 9, 11]),
        (vec![("q", "نشرة"), ("topic", "csto")], vec![3, 6, 9, 12]),
        (vec![("q", "topic:csto"), ("feed", "wafa")], vec![3, 9]),
        (vec![("q", "نشرة"), ("language", "ar-EG")], vec![3, 6, 9, 12]),
        (vec![("q", "نشرة"), ("language", "ar")], (1..=12).collect()),
        (vec![("q", "نشرة"), ("since", "2026-11-20T09:00:00Z")], vec![1, 2, 3]),
        (vec![("q", "نشرة since:3h")], vec![1, 2, 3]),
        (vec![("q", "نشرة"), ("until", "2026-11-20T02:00:00Z")], vec![11, 12]),
        (vec![("q", "author:الغريب"), ("topic", "csto")], vec![6, 12]),
        (vec![("q", "author:\"سالم الغريب\" title:8")], vec![8]),
        (vec![("q", "نشرة"), ("topic", "unheard-of")], vec![]),
    ] {
        assert_eq!(numbers(&parameters), expected, "{parameters:?}");
    }
    assert_eq!(world.find(&[("q", "نشرة"), ("feed", "nabd"), ("limit", "2")])["total"], 6);
}

#[test]
fn what_is_wrong_is_a_problem_that_says_where() {
    let mut world = World::new();
    world.add("خبر", "نص");
    world.catch_up();
    for (parameters, kind, says) in [
        (vec![], "bad-parameter", "`q`"),
        (vec![("q", "قمة \"طارئة")], "bad-query", "character 5"),
        (vec![("q", "")], "bad-parameter", "`q`"),
        (vec![("q", " ")], "bad-query", "nothing to look for"),
        (vec![("q", "خبر"), ("limit", "101")], "bad-parameter", "from 1 to 100"),
        (vec![("q", "خبر"), ("sort", "best")], "bad-parameter", "`relevance` or `newest`"),
        (vec![("q", "خبر"), ("cursor", "abc")], "unknown-parameter", "`next` of the page before"),
        (vec![("q", "خبر"), ("cursor", "00ff")], "unknown-parameter", "`next` of the page before"),
        (vec![("q", "خبر"), ("feeds", "nabd")], "unknown-parameter", "`feeds`"),
    ] {
        let (status, problem) = world.ask(&parameters);
        assert_eq!((status, problem["type"].as_str().unwrap()), (400, format!("urn:rasid:problem:{kind}").as_str()));
        assert!(problem["detail"].as_str().unwrap().contains(says), "{parameters:?}: {problem}");
    }
    let (_, problem) = world.ask(&[("q", "قمة \"طارئة")]);
    assert_eq!((&problem["start"], &problem["end"]), (&4.into(), &5.into()));
}

#[test]
fn the_log_changes_what_is_found() {
    let mut world = World::new();
    world.add("الأول", "عن السدود والمياه");
    let second = world.add("الثاني", "عن السدود والأنهار");
    world.catch_up();
    assert_eq!(world.titles(&[("q", "السدود")]).len(), 2);

    // Revised: the new words find it, the old ones do not.
    let mut revised = candidate(1, "الأول", "عن الطرق والجسور");
    revised.hash = 77;
    world.commit(revised, Verdict { kind: VerdictKind::Revision, ..NEW });
    world.catch_up();
    assert_eq!(world.titles(&[("q", "السدود")]), ["الثاني"]);
    assert_eq!(world.titles(&[("q", "جسر")]), ["الأول"]);

    // A duplicate is folded.
    let verdict = Verdict { kind: VerdictKind::Exact, of: Some(Original::Item(second)), similarity: 1.0 };
    world.commit(candidate(3, "النسخة", "عن السدود والأنهار"), verdict);
    world.catch_up();
    assert_eq!(world.titles(&[("q", "السدود")]), ["الثاني"]);
    let all = world.find(&[("q", "النسخة"), ("include", "duplicates")]);
    assert_eq!(titles(&all), ["النسخة"]);
    assert_eq!(world.find(&[("q", "السدود")])["items"][0]["copies"].as_array().unwrap().len(), 1);

    // Removed.
    assert!(world.writer.prune(now() + SignedDuration::from_hours(1), 100).unwrap() > 0);
    world.catch_up();
    assert_eq!(world.find(&[("q", "السدود OR جسر"), ("include", "duplicates")])["total"], 0);
}

#[test]
fn a_restart_goes_on_where_it_was_and_finds_each_item_once() {
    let mut world = World::new();
    for i in 0..450 {
        world.add(&format!("العدد {i}"), "صحيفة الصباح");
    }
    // Making it anew is interrupted after the first page of items, and again after the second.
    let mut interrupted = 0;
    for _ in 0..2 {
        let search = Search::new(world.index());
        let mut indexer = search.indexer().unwrap();
        let position = indexer.position().clone();
        let listing = position.listing.clone().expect("not all items are listed");
        let seq = if listing.after.is_none() { *world.store.durable().borrow() } else { position.seq };
        let query = store::ItemQuery { duplicates: true, limit: 150, after: listing.after, ..Default::default() };
        let page = world.store.items(&query).unwrap();
        page.items.iter().for_each(|item| indexer.add(item).unwrap());
        let listing = Some(search::Listing { after: page.next });
        indexer.reach(search::Position { seq, item: position.item, listing });
        indexer.commit().unwrap();
        // Added, and lost with the process.
        indexer.add(&page.items[0]).unwrap();
        drop(indexer);
        interrupted += 150;
        assert_eq!(search.progress().unwrap().items, interrupted);
        assert!(search.progress().unwrap().building);
        // Written meanwhile: one that the list is past, one that it is not, and a revision.
        let mut newer = candidate(10_000 + u32::try_from(interrupted).unwrap(), "العدد الجديد", "صحيفة الصباح");
        newer.content.published_at = now() + SignedDuration::from_hours(1);
        world.commit(newer, NEW);
        let mut revised = candidate(400, "العدد المنقح", "صحيفة الصباح");
        revised.hash = interrupted;
        world.commit(revised, Verdict { kind: VerdictKind::Revision, ..NEW });
    }
    world.reopen();
    world.catch_up();
    let progress = world.search.progress().unwrap();
    assert_eq!((progress.building, progress.seq), (false, *world.store.durable().borrow()));
    let answer = world.find(&[("q", "صحيفة"), ("limit", "1"), ("include", "duplicates")]);
    assert_eq!(answer["total"], 452);
    assert_eq!(world.find(&[("q", "title:المنقح"), ("include", "duplicates")])["total"], 1);

    // Up to the log: nothing is written again.
    let files = || {
        let files = std::fs::read_dir(world.index()).unwrap().map(|file| file.unwrap().file_name());
        files.collect::<BTreeSet<_>>()
    };
    let before = files();
    let again = Search::new(world.index());
    catch_up(&world.store, &again, &mut |_, _| {}).unwrap();
    assert_eq!(files(), before);
}

#[test]
fn an_index_that_is_gone_or_garbage_is_made_anew() {
    type Harm = fn(&std::path::Path);
    let harms: [(&str, Harm); 6] = [
        ("gone", |index| std::fs::remove_dir_all(index).unwrap()),
        ("a file in its place", |index| {
            std::fs::remove_dir_all(index).unwrap();
            std::fs::write(index, "x").unwrap();
        }),
        ("no meta.json", |index| std::fs::remove_file(index.join("meta.json")).unwrap()),
        ("garbage in meta.json", |index| std::fs::write(index.join("meta.json"), b"\x00\xff{").unwrap()),
        ("garbage in all files", |index| each_file(index, |file| std::fs::write(file, vec![0x5a; 3_000]).unwrap())),
        ("another version", |index| {
            let meta = std::fs::read_to_string(index.join("meta.json")).unwrap();
            std::fs::write(index.join("meta.json"), meta.replace("version\\\":\\\"", "version\\\":\\\"9")).unwrap();
        }),
    ];
    let mut world = World::new();
    let items = 30;
    for i in 0..items {
        world.add(&format!("العدد {i}"), "صحيفة الصباح والمساء");
    }
    world.catch_up();
    for (what, harm) in harms {
        harm(&world.index());
        world.reopen();
        world.catch_up();
        assert_eq!(world.find(&[("q", "صحيفة")])["total"], items, "{what}");
    }
    // Flipped bytes are found out once a search has reason to suspect them.
    each_file(&world.index(), |file| {
        let mut bytes = std::fs::read(file).unwrap();
        if !file.ends_with("meta.json") && bytes.len() > 60 {
            bytes[20] ^= 0x40;
            std::fs::write(file, bytes).unwrap();
        }
    });
    world.reopen();
    world.search.suspect();
    world.catch_up();
    assert_eq!(world.find(&[("q", "صحيفة")])["total"], items);

    // The index of another store, whose log is as long.
    let mut other = World::new();
    for i in 0..items {
        let mut item = candidate(i + 500, "غيره", "مجلة الشهر");
        item.key = EntryKey::of("guid", &format!("other {i}"));
        other.commit(item, NEW);
    }
    copy(&world.index(), &other.index());
    other.catch_up();
    assert_eq!((other.find(&[("q", "صحيفة")])["total"].clone(), other.titles(&[("q", "مجلة")]).len()), (0.into(), 20));
}

fn each_file(directory: &std::path::Path, mut each: impl FnMut(&std::path::Path)) {
    for file in std::fs::read_dir(directory).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            each(&path);
        }
    }
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    each_file(from, |file| {
        std::fs::copy(file, to.join(file.file_name().unwrap())).unwrap();
    });
}

#[test]
fn places_are_those_of_the_stored_fields() {
    let mut world = World::new();
    let text = "أعلنت وزارة النقل، اليوم، أنّ القِطار السريع… سيصل 😀 إلى «المحطّة» قبل الظهر، وأن القطارات الأخرى بعده.";
    world.add("القطار يصل اليوم", text);
    world.catch_up();
    let answer = world.find(&[("q", "قطار \"إلى المحطة\"")]);
    let item = &answer["items"][0];
    let shown: Vec<(String, String)> = item["highlights"]
        .as_array()
        .unwrap()
        .iter()
        .map(|mark| {
            let field = mark["field"].as_str().unwrap();
            let (start, end) = (mark["start"].as_u64().unwrap() as usize, mark["end"].as_u64().unwrap() as usize);
            let chars: Vec<char> = item[field].as_str().unwrap().chars().collect();
            (field.to_owned(), chars[start..end].iter().collect())
        })
        .collect();
    let shown: Vec<(&str, &str)> = shown.iter().map(|(field, text)| (field.as_str(), text.as_str())).collect();
    assert_eq!(shown, [("title", "القطار"), ("text", "القِطار"), ("text", "إلى «المحطّة"), ("text", "القطارات")]);
    let snippet = &item["snippet"];
    let chars: Vec<char> = text.chars().collect();
    let (start, end) = (snippet["start"].as_u64().unwrap() as usize, snippet["end"].as_u64().unwrap() as usize);
    assert_eq!(chars[start..end].iter().collect::<String>(), snippet["text"].as_str().unwrap());
    assert!(snippet["text"].as_str().unwrap().contains("القِطار السريع"));
}

#[test]
fn pages_stay_good_while_items_are_written() {
    for sort in ["relevance", "newest"] {
        let mut world = World::new();
        for i in 0..60 {
            let text = format!("حصاد القمح {} في الحقول", "القمح ".repeat(i % 7));
            world.add(&format!("الخبر {i}"), &text);
        }
        world.catch_up();
        let first: BTreeSet<String> = world.titles(&[("q", "حصاد القمح"), ("limit", "100")]).into_iter().collect();
        assert_eq!(first.len(), 60);
        let mut seen: Vec<String> = Vec::new();
        let mut cursor: Option<String> = None;
        let mut pages = 0;
        loop {
            let mut parameters = vec![("q", "حصاد القمح"), ("limit", "7"), ("sort", sort)];
            if let Some(cursor) = &cursor {
                parameters.push(("cursor", cursor));
            }
            let answer = world.find(&parameters);
            seen.extend(titles(&answer));
            pages += 1;
            // More of the same words, and many without them, so that every frequency changes.
            for i in 0..3 {
                world.add(&format!("الجديد {pages} {i}"), if i == 0 { "حصاد القمح" } else { "شيء آخر تماما" });
            }
            world.catch_up();
            match answer["next"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => break,
            }
        }
        let distinct: BTreeSet<&String> = seen.iter().collect();
        assert_eq!(distinct.len(), seen.len(), "{sort}: none comes twice");
        let missed: Vec<&String> = first.iter().filter(|title| !seen.contains(title)).collect();
        assert!(missed.is_empty(), "{sort}: {missed:?} are left out");
        // A cursor goes with its query.
        let (status, _) = world.ask(&[("q", "القمح"), ("cursor", cursor.as_deref().unwrap())]);
        assert_eq!(status, 400);
    }
}

#[test]
fn words_may_be_missing_where_hardly_anything_has_all() {
    let mut world = World::new();
    world.add("الكل", "ارتفاع أسعار القمح في الميناء القديم");
    world.add("البعض", "ارتفاع أسعار القمح");
    world.add("واحد", "الميناء الكبير");
    world.catch_up();
    let answer = world.find(&[("q", "أسعار القمح في الميناء")]);
    assert_eq!((titles(&answer), &answer["partial"]), (vec!["الكل".to_owned(), "البعض".to_owned()], &true.into()));
    // What is in quotation marks, in a field or left out stays strict.
    assert_eq!(world.titles(&[("q", "أسعار القمح \"الميناء القديم\"")]), ["الكل"]);
    assert_eq!(world.titles(&[("q", "أسعار القمح سفينة -الميناء")]), ["البعض"]);
}

/// The daemon's loop: what is committed is found soon after, and the stop ends it.
#[test]
fn the_loop_follows_the_log_and_ends_with_the_stop() {
    let mut world = World::new();
    world.add("الأول", "موسم الزيتون");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let stop = Stop::default();
    let indexing = Indexing { store: world.store.clone(), search: world.search.clone(), stop: stop.clone() };
    let running = runtime.spawn(indexing.run());
    let found = |world: &World| match world.ask(&[("q", "الزيتون")]) {
        (200, answer) => answer["total"].as_u64().unwrap(),
        _ => 0,
    };
    wait_for("the first item", || found(&world) == 1);
    world.add("الثاني", "معصرة الزيتون");
    wait_for("the second item", || found(&world) == 2);
    world.search.rebuild();
    wait_for("the index to be made anew", || !world.search.is_awaited() && found(&world) == 2);
    stop.set();
    runtime.block_on(running).unwrap();
    // Whoever comes next goes on with it.
    world.reopen();
    world.catch_up();
    assert_eq!(found(&world), 2);
}
