//! The demonstration: every sample source is represented, and each entry becomes what it must.

use std::collections::HashMap;
use std::process::Command;

use rasid::cli::samples::{self, BROKEN, expectations};
use rasid::pipeline::now;
use serde_json::Value;
use url::Url;

use crate::newsroom::{Answer, Server};
use crate::rasid::{Home, wait_for};

#[test]
fn the_demo_ends_well_and_shows_every_source() {
    let output = Command::new(env!("CARGO_BIN_EXE_rasid")).args(["demo", "--once"]).output().unwrap();
    let (shown, notes) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{notes}");
    for expected in expectations() {
        assert!(shown.contains(expected.feed), "{} is not shown:\n{shown}", expected.feed);
    }
    let broken = shown.lines().find(|line| line.starts_with(BROKEN)).expect(BROKEN);
    assert!(broken.contains("login-page"), "the broken source is named with its fault: {broken}");
    assert!(shown.contains("because of") && shown.contains("near") && shown.contains("exact"), "{shown}");
    assert!(!notes.contains("panicked"), "{notes}");
}

/// The samples, polled by the real daemon from a server of the test's own.
#[test]
fn every_sample_becomes_what_it_must() {
    // The site names its own address, which is known only once the server runs.
    let files = std::sync::Arc::new(std::sync::OnceLock::<HashMap<String, Answer>>::new());
    let served = files.clone();
    let press = Server::start(move |asked| {
        served.get().and_then(|files| files.get(&asked.path)).cloned().unwrap_or_else(|| Answer::status(404))
    });
    let site = samples::site(press.url("").trim_end_matches('/'), now());
    let answers = site.files.into_iter().map(|(path, file)| (path, Answer::ok(file.content_type, file.body)));
    files.set(answers.collect()).unwrap_or_else(|_| panic!("set once"));

    let home = Home::new("per_host = 8", &site.feeds);
    let daemon = home.daemon();
    home.wait_until_it_answers();
    let expected = expectations();
    let list = || -> Vec<Value> {
        let lines = home.ok(&["items", "--all", "--limit", "500", "--format", "ndjson"]);
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    wait_for("every sample to be stored", || list().len() >= expected.len());
    let items = list();
    assert_eq!(items.len(), expected.len(), "each entry is one item");
    let why = home.ok(&["feeds", "why", BROKEN]);
    assert!(why.contains("login-page"), "{why}");
    assert!(daemon.terminate().success());

    let by_path: HashMap<String, &Value> =
        items.iter().map(|item| (Url::parse(item["url"].as_str().unwrap()).unwrap().path().to_owned(), item)).collect();
    let story_of: HashMap<&str, &str> =
        expected.iter().map(|expected| (by_path[&expected.path]["id"].as_str().unwrap(), expected.story)).collect();
    let mut faults = Vec::new();
    let mut originals: HashMap<&str, Vec<&str>> = HashMap::new();
    for expected in &expected {
        let item = by_path[&expected.path];
        let topics: Vec<&str> = item["topics"].as_array().unwrap().iter().map(|t| t["id"].as_str().unwrap()).collect();
        for wanted in expected.topics.iter().filter(|wanted| !topics.contains(*wanted)) {
            faults.push(format!("{}: is not about {wanted}, but about {topics:?}", expected.path));
        }
        for unwanted in expected.not.iter().filter(|unwanted| topics.contains(*unwanted)) {
            faults.push(format!("{}: is not meant to be about {unwanted}", expected.path));
        }
        for topic in item["topics"].as_array().unwrap() {
            faults.extend(wrong_evidence(item, topic));
        }
        let kind = item["verdict"]["kind"].as_str().unwrap();
        let duplicate = ["exact", "near", "contained"].contains(&kind);
        let of = item["verdict"]["of"].as_str().and_then(|of| of.strip_prefix("item:"));
        if duplicate && of.and_then(|of| story_of.get(of)) != Some(&expected.story) {
            faults.push(format!("{}: is called {kind} of another story", expected.path));
        }
        if !duplicate && !["expands", "related"].contains(&kind) {
            originals.entry(expected.story).or_default().push(&expected.path);
        }
    }
    for (story, tellings) in originals.iter().filter(|(_, tellings)| tellings.len() > 1) {
        faults.push(format!("{story}: the copies among {tellings:?} are not recognized"));
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// Evidence that does not stand where it says, or does not add up.
fn wrong_evidence(item: &Value, topic: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let mut sum = 0.0;
    for evidence in topic["evidence"].as_array().unwrap() {
        sum += evidence["weight"].as_f64().unwrap();
        let field = evidence["field"].as_str().unwrap();
        let Some(text) = item[field].as_str() else { continue };
        let (start, end) = (evidence["start"].as_u64().unwrap() as usize, evidence["end"].as_u64().unwrap() as usize);
        let there: String = text.chars().skip(start).take(end - start).collect();
        if there != evidence["text"].as_str().unwrap() {
            faults.push(format!("{}: evidence {evidence} does not stand there", item["url"]));
        }
    }
    if (sum - topic["score"].as_f64().unwrap()).abs() > 0.01 {
        faults.push(format!("{}: the evidence for {} does not add up to its score", item["url"], topic["id"]));
    }
    faults
}
