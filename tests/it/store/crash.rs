//! A process that is killed while it writes, again and again.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use rasid::dedup::VerdictKind;
use rasid::store::Group;

use super::{about, candidate, clean, copy, cursor, feed, id, new, opened, revised, time};

const CHILD: &str = "RASID_STORE_CHILD";

/// Not a test of its own: what [`a_killed_process_loses_nothing_it_acknowledged`] starts, and kills.
#[test]
fn child() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let (store, mut writer) = opened(Path::new(&path));
    let mut done = store.cursor(&feed("rt")).unwrap().map_or(0, |cursor| cursor.polls);
    loop {
        let mut items = vec![];
        for _ in 0..fastrand::u64(1..20) {
            done += 1;
            let text = format!("خبر رقم {done}. ").repeat(if done.is_multiple_of(50) { 20_000 } else { 20 });
            let entry = about(candidate("rt", &done.to_string(), &text, done as i64), "csto");
            items.push(match done % 3 {
                0 => copy(VerdictKind::Near, id(&candidate("rt", &(done - 1).to_string(), "", 0)), entry),
                _ => new(entry),
            });
            if done.is_multiple_of(7) {
                let text = format!("تصحيح الخبر رقم {done}");
                items.push(revised(candidate("rt", &(done - 3).to_string(), &text, done as i64 + 1)));
            }
        }
        let cursors = vec![(feed("rt"), cursor(done, 300), None)];
        writer.commit(Group { items, cursors, at: Some(time(done as i64)), ..Group::default() }).unwrap();
        let mut out = std::io::stdout().lock();
        if writeln!(out, "acknowledged {done}").and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}

#[test]
fn a_killed_process_loses_nothing_it_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let rounds = std::env::var("RASID_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(5);
    let mut acknowledged = 0;
    for round in 0..rounds {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["store::crash::child", "--exact", "--nocapture"])
            .env(CHILD, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (told, heard) = mpsc::sync_channel(1_024);
        let reader = std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let done = line.rsplit_once("acknowledged ").and_then(|(_, done)| done.parse::<u64>().ok());
                done.into_iter().for_each(|done| told.send(done).unwrap());
            }
        });
        // The first round must have something to lose; the others may be killed while they open.
        if round == 0 {
            acknowledged = heard.recv_timeout(Duration::from_secs(60)).expect("a first commit");
        }
        let moment = std::time::Instant::now() + Duration::from_micros(fastrand::u64(0..400_000));
        loop {
            match heard.recv_timeout(moment.saturating_duration_since(std::time::Instant::now())) {
                Ok(done) => acknowledged = done,
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => panic!("the child ended by itself"),
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        reader.join().unwrap();
        acknowledged = heard.try_iter().last().unwrap_or(acknowledged);

        let (store, _writer) = opened(dir.path());
        clean(&store);
        let stored = store.cursor(&feed("rt")).unwrap().unwrap().polls;
        assert!(stored >= acknowledged, "round {round}: {acknowledged} were acknowledged and {stored} are there");
        for n in 1..=stored {
            let item = store.item(id(&candidate("rt", &n.to_string(), "", 0))).unwrap();
            assert!(item.is_some(), "round {round}: {n} of {stored} is missing");
        }
        let stats = store.stats().unwrap();
        assert_eq!(stats.items + stats.duplicates, stored, "round {round}: each once, and none past the cursor");
    }
}
