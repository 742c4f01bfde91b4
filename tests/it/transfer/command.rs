//! `rasid export` and `rasid import` with the real binary, with a daemon and without.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use rasid::dedup::VerdictKind;
use serde_json::Value;

use super::{Step, do_all, opened};
use crate::rasid::Home;

/// A home whose store has copies, former words, corrections, judgements, pins, consumers and a cursor.
pub(super) fn filled() -> Home {
    let home = Home::new("", "");
    let (store, mut writer) = opened(&home.path("data"));
    let put = |n, kind, of, words| Step::Put { n, kind, of, words };
    let steps = [
        put(0, VerdictKind::New, 0, 0),
        put(1, VerdictKind::Exact, 0, 0),
        put(2, VerdictKind::New, 2, 2),
        put(3, VerdictKind::Near, 2, 2),
        put(4, VerdictKind::New, 4, 4),
        put(0, VerdictKind::Revision, 0, 5),
        Step::Split(3),
        Step::Join(4, 2),
        Step::Judge(2, true),
        Step::Pin(1),
        Step::Pin(2),
        Step::Consume(0, true),
        Step::Consume(2, false),
        Step::Cursor(0),
    ];
    do_all(&store, &mut writer, &steps);
    assert_eq!(store.verify().unwrap(), Vec::<String>::new());
    drop((store, writer));
    home
}

fn lines(path: &Path) -> Vec<Value> {
    std::fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Without what belongs to one store or one export.
fn plain(path: &Path) -> Vec<Value> {
    let mut lines = lines(path);
    for line in &mut lines {
        let object = line.as_object_mut().unwrap();
        for field in ["at", "seq", "blake3"] {
            if object["record"] == "header" || object["record"] == "trailer" {
                object.remove(field);
            }
        }
        if let Some(item) = object.get_mut("item").and_then(Value::as_object_mut) {
            item.remove("seq");
        }
    }
    lines
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_complete_export_makes_the_same_store_again() {
    let home = filled();
    for (name, daemon) in [("all.ndjson", false), ("all.ndjson.gz", false), ("all.ndjson.zst", true)] {
        let running = daemon.then(|| home.daemon());
        if daemon {
            home.wait_until_it_answers();
        }
        let file = home.path(name);
        home.ok(&["export", "--complete", "-o", &text(&file)]);
        assert!(!home.path(&format!("{name}.part")).exists());
        drop(running);
        let other = Home::new("", "");
        let running = daemon.then(|| other.daemon());
        if daemon {
            other.wait_until_it_answers();
        }
        let told: Value = serde_json::from_str(&other.ok(&["import", "--json", &text(&file)])).unwrap();
        assert_eq!((&told["items"], &told["items_there"], &told["bad"]), (&5.into(), &0.into(), &0.into()), "{told}");
        let again: Value = serde_json::from_str(&other.ok(&["import", "--json", &text(&file)])).unwrap();
        assert_eq!((&again["items"], &again["items_there"], &again["others"]), (&0.into(), &5.into(), &0.into()));
        let (one, two) = (home.path("one.ndjson"), home.path("two.ndjson"));
        if let Some(running) = running {
            assert!(running.terminate().success());
        }
        home.ok(&["export", "--complete", "-o", &text(&one)]);
        other.ok(&["export", "--complete", "-o", &text(&two)]);
        assert_eq!(plain(&one), plain(&two), "{name}");
        let (store, _writer) = opened(&other.path("data"));
        assert_eq!(store.verify().unwrap(), Vec::<String>::new());
    }
}

#[test]
fn what_listings_say_can_be_imported() {
    let home = filled();
    for args in [["items", "--all", "--format", "ndjson"], ["export", "--all", "--format", "ndjson"]] {
        let listing = home.ok(&args);
        let other = Home::new("", "");
        let file = other.path("items.ndjson");
        std::fs::write(&file, &listing).unwrap();
        other.ok(&["import", &text(&file)]);
        let items = |home: &Home| {
            let mut items: Vec<Value> =
                home.ok(&["export", "--all"]).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            for item in &mut items {
                let item = item.as_object_mut().unwrap();
                // Former words are not in a listing; `judged` is, as far as it holds.
                item.remove("seq");
                item.remove("revision");
            }
            items.sort_by_key(|item| item["id"].to_string());
            items
        };
        assert_eq!(items(&other), items(&home), "{args:?}");
        let (store, _writer) = opened(&other.path("data"));
        assert_eq!(store.verify().unwrap(), Vec::<String>::new());
    }
}

#[test]
fn bad_lines_are_told_and_hide_no_other() {
    let home = filled();
    let file = home.path("all.ndjson");
    home.ok(&["export", "--complete", "-o", &text(&file)]);
    let whole = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let place = lines.iter().position(|line| line.contains("\"record\":\"item\"")).unwrap() + 1;
    let with = |at: usize, line: &str| {
        let mut lines = lines.clone();
        lines.insert(at, line);
        lines.join("\n") + "\n"
    };
    let edited = whole.replacen("عنوان الخبر رقم 2", "عنوان الخبر رقم 9", 1);
    let cut = lines[..lines.len() - 1].join("\n");
    let half: String = whole.chars().take(whole.chars().count() * 2 / 3).collect();
    let newer = whole.replacen("\"version\":2", "\"version\":99", 1);
    let cases: [(&str, Vec<u8>, Option<u64>, &str); 9] = [
        ("broken", with(place, "{\"record\":\"item\",").into(), Some(5), &format!("all.ndjson:{}: ", place + 1)),
        ("unknown", with(place, "{\"record\":\"secret\"}").into(), Some(5), "does not know"),
        ("a field is missing", with(place, "{\"id\":\"1\"}").into(), Some(5), &format!(":{}: ", place + 1)),
        ("not UTF-8", [b"\xff\xfe{}\n", whole.as_bytes()].concat(), Some(5), ":1: "),
        ("after the end", [whole.as_bytes(), lines[place].as_bytes()].concat(), Some(5), "after the last line"),
        ("edited", edited.into(), Some(5), "not as it was written"),
        ("without its end", cut.into(), Some(5), "its last line is missing"),
        ("cut in the middle", half.into(), None, "its last line is missing"),
        ("newer", newer.into(), Some(0), "up to 2"),
    ];
    for (what, bytes, items, words) in cases {
        let other = Home::new("", "");
        let file = other.path("all.ndjson");
        std::fs::write(&file, bytes).unwrap();
        let output = other.rasid(&["import", &text(&file)]);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{what}: {told}");
        assert!(told.contains(words), "{what}: {told}");
        let (store, _writer) = opened(&other.path("data"));
        let stats = store.stats().unwrap();
        assert!(items.is_none_or(|items| stats.items + stats.duplicates == items), "{what}: {stats:?}");
        // What is not known to be all there is polled again.
        assert_eq!(store.cursor(&super::feed(0)).unwrap(), None, "{what}");
        assert_eq!(store.verify().unwrap(), Vec::<String>::new(), "{what}");
    }
}

/// What the first version of the format had.
#[test]
fn a_file_of_the_first_version_is_read() {
    let home = filled();
    let file = home.path("all.ndjson");
    home.ok(&["export", "--complete", "-o", &text(&file)]);
    let mut first = String::new();
    for mut line in lines(&file) {
        let object = line.as_object_mut().unwrap();
        match object["record"].as_str().unwrap() {
            "pin" | "consumer" => continue,
            "header" => drop(object.insert("version".to_owned(), 1.into())),
            "trailer" => {
                assert_eq!((object.remove("pins"), object.remove("consumers")), (Some(2.into()), Some(2.into())));
                let hash = blake3::hash(first.as_bytes()).to_hex().to_string();
                object.insert("blake3".to_owned(), hash.into());
            }
            _ => {}
        }
        first.push_str(&format!("{line}\n"));
    }
    std::fs::write(&file, first).unwrap();
    let other = Home::new("", "");
    let told: Value = serde_json::from_str(&other.ok(&["import", "--json", &text(&file)])).unwrap();
    assert_eq!((&told["items"], &told["bad"], &told["damaged"]), (&5.into(), &0.into(), &0.into()), "{told}");
    let (store, _writer) = opened(&other.path("data"));
    assert!(store.cursor(&super::feed(0)).unwrap().is_some());
    assert_eq!((store.pins().unwrap(), store.consumers().unwrap()), (vec![], vec![]));
    assert_eq!(store.verify().unwrap(), Vec::<String>::new());
}

#[test]
fn exports_go_to_pipes_and_through_filters() {
    let home = filled();
    let ids = |args: &[&str]| -> Vec<String> {
        let lines = home.ok(&[&["export"], args].concat());
        lines
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["guid"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids(&[]), ["guid-0", "guid-2", "guid-3"]);
    assert_eq!(ids(&["--all"]).len(), 5);
    assert_eq!(ids(&["--feed", "masa"]), ["guid-3"]);
    assert_eq!(ids(&["--topic", "matar"]), ["guid-2"]);
    assert_eq!(ids(&["--language", "en"]), Vec::<String>::new());
    assert_eq!(ids(&["--since", "2100-01-01"]), Vec::<String>::new());
    for wrong in [&["--since", "gestern"][..], &["--format", "csv", "--complete"], &["--complete", "--feed", "masa"]] {
        let output = home.rasid(&[&["export"], wrong].concat());
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let csv = home.ok(&["export", "--format", "csv", "--all"]);
    assert!(csv.starts_with("id,seq,feed,published_at,title,url,language,topics,maybe,"), "{csv}");
    assert!(csv.contains("\"موجز, \"\"بين علامتين\"\"\""), "{csv}");
    // Standard input, as of a pipe.
    let other = Home::new("", "");
    let mut child = other.command(&["import", "-"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(home.ok(&["export", "--complete"]).as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(other.ok(&["export", "--all"]).lines().count(), 5);
}

#[test]
fn an_export_that_fails_leaves_no_file() {
    let home = filled();
    let file = home.path("all.ndjson");
    let output = home.rasid(&["export", "--since", "gestern", "-o", &text(&file)]);
    assert_eq!(output.status.code(), Some(2));
    assert!(!file.exists() && !home.path("all.ndjson.part").exists());
    let nowhere = home.rasid(&["export", "-o", &text(&home.path("no/such/folder.ndjson"))]);
    assert_eq!(nowhere.status.code(), Some(1));
    let missing = home.rasid(&["import", &text(&home.path("no-such-file"))]);
    let told = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert!(missing.status.code() == Some(1) && told.contains("no-such-file"), "{told}");
}

#[test]
fn over_tcp_there_is_no_export_and_no_import() {
    use tower::ServiceExt as _;
    let dir = tempfile::tempdir().unwrap();
    let (store, _writer) = opened(dir.path());
    let state = rasid::serve::State {
        store,
        search: None,
        loaded: tokio::sync::watch::channel(Default::default()).1,
        control: tokio::sync::mpsc::channel(1).0,
        started: None,
        clock: rasid::pipeline::now,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for (method, path) in [("GET", "/api/v1/export"), ("POST", "/api/v1/import")] {
        let ask = |router: rasid::serve::Router| {
            let request = hyper::Request::builder().method(method).uri(path).header("host", "localhost");
            let request = request.body(http_body_util::Full::<hyper::body::Bytes>::default()).unwrap();
            runtime.block_on(router.oneshot(request)).unwrap().status().as_u16()
        };
        assert_eq!(ask(rasid::serve::tcp_router(&Default::default(), state.clone()).unwrap()), 404, "{path}");
        assert_ne!(ask(rasid::serve::router(state.clone())), 404, "{path}");
    }
}

#[test]
fn parquet_is_written_where_it_was_built_in() {
    let home = filled();
    let file = home.path("items.parquet");
    let output = home.rasid(&["export", "--all", "--format", "parquet", "-o", &text(&file)]);
    let told = String::from_utf8_lossy(&output.stderr);
    if cfg!(feature = "parquet") {
        assert!(output.status.success(), "{told}");
        super::columns::check(&file);
    } else {
        assert_eq!(output.status.code(), Some(2));
        assert!(told.contains("--features parquet"), "{told}");
        assert!(!file.exists());
    }
}
