//! A killed daemon loses nothing that was acknowledged and doubles nothing.
//!
//! A loopback newsroom always has something new, and forgets an entry as soon as the daemon's validators say that it is
//! stored. The daemon is killed with SIGKILL at random moments. In the end every entry must be stored exactly once.
//! `just recovery 50` runs more rounds than the suite does.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rasid::id::Seq;
use rasid::store::{ItemQuery, StoreConfig};

use crate::newsroom::{Answer, Endless, Server, article_page};
use crate::rasid::{Home, wait_for};

fn rounds() -> u32 {
    std::env::var("RASID_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(6)
}

#[test]
fn killed_at_any_moment_it_loses_nothing_and_doubles_nothing() {
    let feeds: Arc<HashMap<&'static str, Endless>> = Arc::new(HashMap::from([
        ("north", Endless::new(3, None)),
        ("south", Endless::new(40, None)),
        ("pages", Endless::new(2, Some(String::new()))),
    ]));
    let newsroom = {
        let feeds = feeds.clone();
        Server::start(move |asked| match asked.path.trim_start_matches('/').split('/').collect::<Vec<_>>()[..] {
            ["feed", name] => feeds[name].answer(name, asked),
            [name, number] => Answer::ok("text/html; charset=utf-8", article_page(name, number.parse().unwrap())),
            _ => Answer::status(404),
        })
    };
    let blocks: String = feeds
        .keys()
        .map(|name| format!("[[feed]]\nid = \"{name}\"\nurl = \"{}\"\n", newsroom.url(&format!("/feed/{name}"))))
        .collect();
    let home = Home::new(
        "timeout = \"5s\"\nper_host = 8",
        &format!("[defaults]\ninterval = \"50ms\"\nmin_interval = \"10ms\"\nmax_interval = \"80ms\"\n{blocks}"),
    );
    for round in 0..rounds() {
        let daemon = home.daemon();
        // Every third round falls into the start: the store is opened, replayed and not yet served.
        let from = if round % 3 == 1 {
            "it was started"
        } else {
            home.wait_until_it_answers();
            "it answered"
        };
        let moment = fastrand::u64(1..400);
        std::thread::sleep(Duration::from_millis(moment));
        daemon.kill();
        eprintln!("round {round}: killed {moment} ms after {from}");
    }
    feeds.values().for_each(Endless::close);
    let published: u64 = feeds.values().map(Endless::published).sum();
    let daemon = home.daemon();
    home.wait_until_it_answers();
    let stored = || -> u64 {
        let status: serde_json::Value = serde_json::from_str(&home.ok(&["status", "--json"])).unwrap();
        status["store"]["items"].as_u64().unwrap() + status["store"]["duplicates"].as_u64().unwrap()
    };
    wait_for("every entry to be stored", || stored() >= published);
    assert!(daemon.terminate().success());

    let config = StoreConfig { path: home.path("data"), ..StoreConfig::default() };
    let (store, _writer) = rasid::store::open(&config).unwrap();
    assert_eq!(store.verify().unwrap(), Vec::<String>::new(), "every index agrees with the items");
    let mut times: HashMap<String, u32> = HashMap::new();
    let mut query = ItemQuery { duplicates: true, limit: 500, ..ItemQuery::default() };
    loop {
        let page = store.items(&query).unwrap();
        for item in page.items {
            *times.entry(item.content.guid.unwrap()).or_default() += 1;
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    for (name, feed) in feeds.iter() {
        for number in 1..=feed.published() {
            let guid = format!("{name}-{number}");
            assert_eq!(times.get(&guid), Some(&1), "{guid} is to be stored once");
        }
    }
    assert_eq!(times.values().sum::<u32>() as u64, published);
    let log = store.log(Seq(0), usize::MAX).unwrap();
    let gapless = log.iter().zip(1..).all(|(record, seq)| record.seq == Seq(seq));
    assert!(gapless, "the log has a gap");
    eprintln!("{} rounds: {published} entries published, each stored once", rounds());
}
