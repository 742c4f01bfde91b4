//! `rasid search`: with a daemon, without one, and where search is switched off.

use rasid::pipeline;
use rasid::store::{self, Decided, Group, StoreConfig};
use serde_json::Value;

use super::{NEW, candidate};
use crate::rasid::{Home, wait_for};

#[test]
fn the_command_finds_with_and_without_a_daemon() {
    let home = Home::new("", "");
    let config = StoreConfig { path: home.path("data"), ..StoreConfig::default() };
    let (store, mut writer) = store::open(&config).unwrap();
    for (i, (title, text)) in
        [("حصاد التمر", "بدأ حصاد التمر في الواحات."), ("سوق التمر", "أسعار التمور في السوق."), ("غيره", "لا شيء.")]
            .into_iter()
            .enumerate()
    {
        let mut item = candidate(u32::try_from(i).unwrap(), title, text);
        item.content.published_at = pipeline::now();
        let items = vec![Decided { candidate: item, verdict: NEW }];
        writer.commit(Group { items, at: Some(pipeline::now()), ..Group::default() }).unwrap();
    }
    drop((store, writer));
    let found = |args: &[&str]| {
        let lines = home.ok(&[&["search"], args, &["--format", "ndjson"]].concat());
        let values = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let mut titles: Vec<String> = values.map(|item| item["title"].as_str().unwrap().to_owned()).collect();
        titles.sort();
        titles
    };
    let both = ["حصاد التمر", "سوق التمر"];
    assert_eq!(found(&["تمر"]), both);
    assert_eq!(found(&["تمر", "--feed", "wafa"]), ["سوق التمر"]);
    assert_eq!(found(&["تمر -حصاد"]), ["سوق التمر"]);
    assert_eq!(home.rasid(&["search", "\"تمر"]).status.code(), Some(2));
    assert_eq!(home.rasid(&["search"]).status.code(), Some(2));
    let table = home.ok(&["search", "تمر", "--format", "table"]);
    assert!(table.contains("score") && both.iter().all(|title| table.contains(title)), "{table}");
    let output = home.rasid(&["search", "--rebuild"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("holds 3 items again"), "{output:?}");

    let daemon = home.quiet_daemon();
    home.wait_until_it_answers();
    wait_for("the daemon's index", || home.rasid(&["search", "تمر"]).status.success());
    assert_eq!(found(&["تمر"]), both);
    let output = home.rasid(&["search", "--rebuild"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("holds 3 items again"), "{output:?}");
    assert_eq!(found(&["تمر"]), both);
    assert!(daemon.terminate().success());

    // Switched off, it says so.
    let settings = std::fs::read_to_string(home.path("rasid.toml")).unwrap();
    home.write("rasid.toml", &format!("{settings}\n[search]\nenabled = false\n"));
    let output = home.rasid(&["search", "تمر"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("switched off"), "{output:?}");
}
