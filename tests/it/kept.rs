//! Retention and pins with the real binary: over the socket and without a daemon, and policies that are read again.

use jiff::SignedDuration;
use rasid::dedup::{Fingerprint, Verdict};
use rasid::id::EntryKey;
use rasid::item::Candidate;
use rasid::pipeline::now;
use rasid::store::{self, Decided, Group, StoreConfig};
use serde_json::{Value, json};

use crate::rasid::{Home, wait_for};
use crate::support::content;

const FEEDS: &str = "[[feed]]\nid = \"rt\"\nurl = \"https://rt.example/\"\nenabled = false\n\
                     [[feed]]\nid = \"bbc\"\nurl = \"https://bbc.example/\"\nenabled = false\n";

/// A home whose store has ten items of each feed, stored 40 days ago, and one of today.
fn home(ages: &str) -> Home {
    let home = Home::bare("", FEEDS);
    configure(&home, ages);
    let config = StoreConfig { path: home.path("data"), ..StoreConfig::default() };
    let (_store, mut writer) = store::open(&config).unwrap();
    for (feed, numbers, days) in [("rt", 0..10, 40), ("bbc", 0..10, 40), ("rt", 10..11, 0)] {
        let at = now() - SignedDuration::from_hours(24 * days);
        let items = numbers.map(|n| {
            let (title, text) = (format!("خبر رقم {n}"), format!("نص الخبر رقم {n} من {feed} كما نشر صباحا"));
            let content = content(&title, &text, at);
            let candidate = Candidate {
                feed: feed.parse().unwrap(),
                key: EntryKey::of("guid", &n.to_string()),
                hash: 1,
                fingerprint: Fingerprint::of(&title, &text),
                sketch: rasid::story::Sketch::default(),
                content,
                topics: Vec::new(),
            };
            Decided { candidate, verdict: Verdict::new_item() }
        });
        writer.commit(Group { items: items.collect(), at: Some(at), ..Group::default() }).unwrap();
    }
    home
}

fn configure(home: &Home, ages: &str) {
    let text = format!("[store]\npath = \"data\"\ncache = \"16MiB\"\n{ages}\n[server]\nlisten = \"127.0.0.1:0\"\n");
    home.write("rasid.toml", &text);
}

fn value(home: &Home, args: &[&str]) -> Value {
    serde_json::from_str(&home.ok(args)).unwrap_or_else(|error| panic!("rasid {args:?}: {error}"))
}

fn stored(home: &Home) -> usize {
    home.ok(&["items", "--limit", "500", "--format", "ndjson"]).lines().count()
}

#[test]
fn pins_and_pruning_are_the_same_with_a_daemon_and_without() {
    for running in [false, true] {
        let home = home("retention = \"forever\"\n[store.retention_by_feed]\nbbc = \"90d\"");
        let daemon = running.then(|| {
            let daemon = home.quiet_daemon();
            home.wait_until_it_answers();
            daemon
        });
        // The third item of the log, and one that is not there: then nothing is changed.
        assert_eq!(home.rasid(&["pin", "3", "999"]).status.code(), Some(1));
        assert_eq!(value(&home, &["pin", "--json"])["pins"], json!([]));
        assert!(home.ok(&["pin", "3", "4", "--why", "للأرشيف"]).contains("pinned: № 3 of rt"));
        assert!(home.ok(&["pin", "4", "--remove"]).contains("not pinned: № 4"));
        let pins = value(&home, &["pin", "--json"]);
        let pinned = value(&home, &["show", "3", "--json"])["item"].clone();
        let pinned = if pinned.is_null() { value(&home, &["show", "3", "--json"]) } else { pinned };
        assert_eq!((&pins["pins"][0]["item"], &pins["pins"][0]["why"]), (&pinned["id"], &json!("للأرشيف")));
        assert_eq!((pins["pins"].as_array().unwrap().len(), &pinned["pinned"]), (1, &json!(true)));
        assert!(home.ok(&["show", "3"]).contains("kept whatever its age"));
        assert!(!home.ok(&["show", "4"]).contains("pinned"));
        assert!(home.ok(&["pin"]).contains("للأرشيف"));

        // Nothing has expired; before a time only what no age is said of goes, and the pinned one stays.
        assert_eq!(value(&home, &["prune", "--json"])["items"], 0);
        let would = value(&home, &["prune", "--before", "30d", "--dry-run", "--json"]);
        let expected = json!({ "rt": 9 });
        assert_eq!((&would["items"], &would["by_feed"], &would["dry_run"]), (&json!(9), &expected, &json!(true)));
        assert_eq!(would["named"].as_array().unwrap().len(), 9);
        assert_eq!(stored(&home), 21);
        let said = home.ok(&["prune", "--before", "30d"]);
        assert!(said.contains("9 items removed") && said.contains("rt 9"), "{said}");
        assert_eq!(stored(&home), 12);
        assert_eq!(home.rasid(&["prune", "--before", "yesterday"]).status.code(), Some(2));

        if let Some(daemon) = daemon {
            // Another age is in force once the configuration is read again.
            configure(&home, "retention = \"30d\"\n[store.retention_by_feed]\nrt = \"60d\"");
            assert!(
                std::process::Command::new("kill").args(["-HUP", &daemon.id().to_string()]).status().unwrap().success()
            );
            wait_for("the ages in force", || value(&home, &["prune", "--dry-run", "--json"])["items"] == 10);
            assert_eq!(value(&home, &["prune", "--json"])["by_feed"], json!({ "bbc": 10 }));
            assert_eq!(stored(&home), 2);
            assert!(daemon.terminate().success());
        }
        // The item that the log has forgotten is known by its number all the same.
        assert!(home.ok(&["show", "3"]).contains("kept whatever its age"));
    }
}
