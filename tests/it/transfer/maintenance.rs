//! `rasid backup`, `restore`, `verify` and `compact` with the real binary, with a daemon and without.

use std::path::Path;

use serde_json::Value;

use super::command::filled;
use crate::rasid::Home;

fn json(home: &Home, args: &[&str]) -> Value {
    serde_json::from_str(&home.ok(args)).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn listing(home: &Home) -> String {
    home.ok(&["export", "--all"])
}

#[test]
fn a_backup_is_restored_into_an_empty_store_alone() {
    for daemon in [false, true] {
        let home = filled();
        let before = listing(&home);
        let running = daemon.then(|| home.daemon());
        if daemon {
            home.wait_until_it_answers();
        }
        let backup = home.path("backup");
        let report = json(&home, &["backup", "--json", text(&backup)]);
        assert_eq!(report["verified"], true, "{report}");
        assert!(report["files"].as_u64().unwrap() > 0 && report["seq"].as_u64().unwrap() >= 8, "{report}");
        assert_eq!(report["copied_files"], report["files"]);
        let again = json(&home, &["backup", "--json", text(&backup)]);
        assert!(again["copied_files"].as_u64() <= report["copied_files"].as_u64(), "{again}");
        // Not over a store that is there, with a daemon or without.
        let refused = home.rasid(&["restore", text(&backup)]);
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{told}");
        assert!(told.contains(if daemon { "a daemon holds" } else { "not empty" }), "{told}");
        drop(running);
        let other = Home::new("", "");
        let restored = json(&other, &["restore", "--json", text(&backup)]);
        assert_eq!(restored["seq"], again["seq"]);
        assert_eq!(listing(&other), before, "daemon: {daemon}");
        other.ok(&["verify"]);
    }
}

#[test]
fn what_is_no_place_for_a_backup_is_refused() {
    let home = filled();
    home.write("full/something.txt", "لا يمس");
    home.write("file", "لا يمس");
    let empty = home.path("empty");
    std::fs::create_dir(&empty).unwrap();
    for (args, words) in [
        (["backup", text(&home.path("full"))], "holds no backup"),
        (["backup", text(&home.path("file"))], "file"),
        (["restore", text(&empty)], "no backup"),
        (["restore", text(&home.path("nowhere"))], "no backup"),
    ] {
        let output = home.rasid(&args);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && told.contains(words), "{args:?}: {told}");
    }
    assert_eq!(std::fs::read_dir(home.path("full")).unwrap().count(), 1);
}

#[test]
fn a_whole_store_is_verified_and_compacted_in_words_and_as_json() {
    let home = filled();
    for daemon in [false, true] {
        let running = daemon.then(|| home.daemon());
        if daemon {
            home.wait_until_it_answers();
        }
        assert_eq!(json(&home, &["verify", "--json"]), serde_json::json!({ "problems": [] }));
        let report = json(&home, &["compact", "--json"]);
        assert!(report["after_bytes"].as_u64().unwrap() > 0, "{report}");
        let output = home.rasid(&["verify", "--repair"]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        if daemon {
            assert!(output.status.code() == Some(1) && told.contains("stop it"), "{told}");
        } else {
            assert!(output.status.success() && told.contains("every record is whole"), "{told}");
        }
        assert!(output.stdout.is_empty());
        drop(running);
    }
}

#[test]
fn over_tcp_there_is_no_maintenance() {
    use tower::ServiceExt as _;
    let dir = tempfile::tempdir().unwrap();
    let (store, _writer) = super::opened(dir.path());
    let state = rasid::serve::State {
        store,
        search: None,
        loaded: tokio::sync::watch::channel(Default::default()).1,
        control: tokio::sync::mpsc::channel(1).0,
        started: None,
        clock: rasid::pipeline::now,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let ask = |router: rasid::serve::Router, path: &str, body: &str| {
        let request = hyper::Request::builder().method("POST").uri(path).header("host", "localhost");
        let request = request.header("content-type", "application/json");
        let request = request.body(http_body_util::Full::<hyper::body::Bytes>::from(body.to_owned())).unwrap();
        runtime.block_on(router.oneshot(request)).unwrap().status().as_u16()
    };
    for work in ["backup", "compact", "verify"] {
        let path = format!("/api/v1/maintenance/{work}");
        let body = serde_json::json!({ "path": dir.path().join("backup") }).to_string();
        assert_eq!(
            ask(rasid::serve::tcp_router(&Default::default(), state.clone()).unwrap(), &path, &body),
            404,
            "{work}"
        );
        assert_eq!(ask(rasid::serve::router(state.clone()), &path, &body), 200, "{work}");
    }
    let relative = serde_json::json!({ "path": "backup" }).to_string();
    assert_eq!(ask(rasid::serve::router(state), "/api/v1/maintenance/backup", &relative), 400);
}
