//! Webhooks: at least once, in order, signed; dead letters; what they do when nothing can be delivered.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::hook::{Got, Hook, Reply};
use super::{Source, assert_no_gap, log, view, wait_until_done};
use crate::rasid::wait_for;

const SECRET: &[u8] = b"a secret that nobody guesses";
const QUICK: &str = "first_pause = \"10ms\"\nlongest_pause = \"50ms\"\ntimeout = \"300ms\"\n";

#[test]
fn everything_comes_in_order_and_signed_whatever_fails_and_restarts() {
    // Every second request fails, in another way each time.
    let hook = Hook::start(|n, _| match n % 12 {
        1 => Reply::Status(500),
        3 => Reply::Hang,
        5 => Reply::With(429, "Retry-After: 0".to_owned()),
        7 => Reply::Close,
        9 => Reply::With(302, "Location: http://127.0.0.1:1/".to_owned()),
        11 => Reply::Status(503),
        _ => Reply::Status(200),
    });
    let source = Source::new(6);
    let secret = format!("whsec_{}", STANDARD.encode(SECRET));
    let (plain, list) = (hook.url(), format!("{}?list", hook.url()).replace("?list", ""));
    let home = source.home(&format!(
        "[[sink]]\nname = \"plain\"\nkind = \"webhook\"\nurl = \"{plain}\"\nsecret_file = \"secret\"\n{QUICK}\
         headers = {{ Authorization = \"Bearer of-the-test\" }}\n\
         [[sink]]\nname = \"lists\"\nkind = \"webhook\"\nurl = \"{list}\"\nbatch = 5\n{QUICK}"
    ));
    home.write("secret", &format!("{secret}\n"));
    let daemon = home.quiet_daemon();
    wait_for("the first records", || hook.taken().len() > 4);
    daemon.kill();
    source.publish(20);
    let daemon = home.quiet_daemon();
    wait_for("more records", || hook.taken().len() > 20);
    let hook = hook.restart();
    let last = source.publish(14);
    wait_until_done(&home, "plain", last);
    wait_until_done(&home, "lists", last);

    let stored = log(&home);
    let all = hook.got();
    let (plain, lists): (Vec<&Got>, Vec<&Got>) = all.iter().partition(|got| got.json()["records"].is_null());
    for (name, got) in [("plain", &plain), ("lists", &lists)] {
        let taken: Vec<u64> = got.iter().filter(|got| got.taken).flat_map(|got| got.seqs()).collect();
        assert_no_gap(&taken, stored.len() as u64);
        let doubled = taken.len() - stored.len();
        eprintln!("{name}: {} requests, {} records taken, {doubled} of them again", got.len(), taken.len());
    }
    let mut ids = HashMap::new();
    for got in &plain {
        got.assert_signed(SECRET);
        assert_eq!(got.headers["authorization"], "Bearer of-the-test");
        assert_eq!(got.headers["content-type"], "application/json");
        let seq = got.seqs()[0];
        let id = ids.entry(seq).or_insert_with(|| got.headers["webhook-id"].clone());
        assert_eq!(*id, got.headers["webhook-id"], "a record keeps its id");
        let (sent, record) = (got.json(), &stored[usize::try_from(seq).unwrap() - 1]);
        for field in ["seq", "at", "kind", "id"] {
            assert_eq!(sent[field], record[field], "{field} of {seq}");
        }
        assert_eq!(sent["item"]["title"], record["item"]["title"]);
    }
    assert_eq!(ids.len(), stored.len());
    assert!(lists.iter().any(|got| got.seqs().len() == 5) && lists.iter().all(|got| got.seqs().len() <= 5));
    for got in &lists {
        assert!(!got.headers.contains_key("webhook-signature"), "it has no secret");
        assert_eq!(got.json()["last"], *got.seqs().last().unwrap());
    }
    assert!(daemon.terminate().success());
}

#[test]
fn what_is_refused_is_a_dead_letter_that_can_be_listed_replayed_and_dropped() {
    let refuses = |seqs: &[u64]| seqs.iter().any(|seq| seq % 3 == 0);
    let hook = Hook::start(move |_, got| Reply::Status(if refuses(&got.seqs()) { 422 } else { 200 }));
    let source = Source::new(9);
    let home = source
        .home(&format!("[[sink]]\nname = \"desk\"\nkind = \"webhook\"\nurl = \"{}\"\nbatch = 4\n{QUICK}", hook.url()));
    let letters = || -> Vec<Value> {
        home.ok(&["sinks", "dead", "desk", "--json"]).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let seqs = || -> Vec<u64> { letters().iter().map(|letter| letter["seq"].as_u64().unwrap()).collect() };
    let daemon = home.quiet_daemon();
    home.wait_until_it_answers();
    wait_until_done(&home, "desk", 9);
    assert_eq!(seqs(), [3, 6, 9]);
    let taken = hook.taken();
    assert_eq!(taken, [1, 2, 4, 5, 7, 8], "those beside them were delivered, in order");
    let first = &letters()[0];
    assert_eq!((&first["attempts"], &first["error"]), (&1.into(), &"it answers 422: said".into()));
    assert_eq!(first["record"]["item"]["title"], log(&home)[2]["item"]["title"]);
    assert_eq!(view(&home, "desk")["dead"], 3);
    let shown = home.ok(&["sinks", "list"]);
    assert!(shown.contains("desk\twebhook\trunning\t9\t0\t3\t-\t"), "{shown}");
    assert!(!shown.contains("/hook"), "an address may be a secret: {shown}");

    // It still refuses: the letter stays, and says so.
    let again = home.rasid(&["sinks", "replay", "desk", "--id", "6"]);
    assert_eq!(again.status.code(), Some(1));
    assert_eq!(String::from_utf8(again.stdout).unwrap(), "0 delivered, 1 left\n");
    assert_eq!(letters()[1]["attempts"], 2);

    // Without a daemon they are listed and dropped, not delivered.
    assert!(daemon.terminate().success());
    assert_eq!(seqs(), [3, 6, 9]);
    assert_eq!(view(&home, "desk")["state"], "off");
    assert_eq!(home.ok(&["sinks", "drop", "desk", "--id", "6"]), "1 dead letter dropped\n");
    for (args, code, said) in [
        (vec!["sinks", "replay", "desk"], 1, "needs a running daemon"),
        (vec!["sinks", "drop", "desk"], 2, "--all"),
        (vec!["sinks", "drop", "desk", "--id", "6"], 1, "no dead letter 6"),
        (vec!["sinks", "dead", "other"], 1, "no sink is called `other`"),
    ] {
        let output = home.rasid(&args);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(code) && errors.contains(said), "{args:?}: {:?} {errors}", output.status);
    }

    hook.say(|_, _| Reply::Status(200));
    let daemon = home.quiet_daemon();
    home.wait_until_it_answers();
    assert_eq!(home.ok(&["sinks", "replay", "desk", "--id", "9"]), "1 delivered, 0 left\n");
    assert_eq!(home.ok(&["sinks", "replay", "desk"]), "1 delivered, 0 left\n");
    assert_eq!(seqs(), [] as [u64; 0]);
    assert_eq!(hook.taken()[taken.len()..], [9, 3]);
    assert!(daemon.terminate().success());
}

#[test]
fn nothing_but_so_many_dead_letters_and_no_sink_holds_up_another() {
    let (good, bad) = (Hook::start(|_, _| Reply::Status(200)), Hook::start(|_, _| Reply::Hang));
    let source = Source::new(5);
    let home = source.home(&format!(
        "[[sink]]\nname = \"bad\"\nkind = \"webhook\"\nurl = \"{}\"\nattempts = 2\nmax_dead = 2\n\
         first_pause = \"10ms\"\nlongest_pause = \"50ms\"\ntimeout = \"50ms\"\n\
         [[sink]]\nname = \"gone\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:1/\"\nattempts = 0\n{QUICK}\
         [[sink]]\nname = \"good\"\nkind = \"webhook\"\nurl = \"{}\"\n{QUICK}\
         [[sink]]\nname = \"taken\"\nkind = \"webhook\"\nurl = \"{}\"\n{QUICK}",
        bad.url(),
        good.url(),
        good.url(),
    ));
    home.ok(&["consumers", "read", "taken"]);
    let daemon = home.quiet_daemon();
    home.wait_until_it_answers();
    wait_until_done(&home, "good", 5);
    wait_for("as many dead letters as may be", || view(&home, "bad")["state"] == "full");
    let view_of_bad = view(&home, "bad");
    assert_eq!((&view_of_bad["dead"], &view_of_bad["consumer"]["offset"]), (&2.into(), &2.into()), "{view_of_bad}");
    assert!(view_of_bad["next_attempt"].is_string(), "{view_of_bad}");
    assert_eq!(view_of_bad["last_error"]["message"], "no answer within 50ms");
    wait_for("many attempts", || view(&home, "gone")["failures"].as_u64() > Some(4));
    let gone = view(&home, "gone");
    assert_eq!((&gone["state"], &gone["dead"], &gone["consumer"]["offset"]), (&"failing".into(), &0.into(), &0.into()));
    assert!(gone["last_error"]["message"].as_str().unwrap().starts_with("it cannot be reached"), "{gone}");
    // A consumer that somebody else reads is not taken from them.
    let taken = view(&home, "taken");
    assert!(taken["last_error"]["message"].as_str().unwrap().contains("read by `cli`"), "{taken}");
    assert_eq!(taken["consumer"]["offset"], 0);

    let last = source.publish(3);
    wait_until_done(&home, "good", last);
    assert_eq!(good.taken(), (1..=last).collect::<Vec<_>>());
    // What waited goes out as soon as it can, and what is dead stays dead.
    bad.say(|_, _| Reply::Status(200));
    wait_until_done(&home, "bad", last);
    assert_eq!(bad.taken(), (3..=last).collect::<Vec<_>>());
    assert_eq!(view(&home, "bad")["state"], "running");

    // An offset that is moved by hand is obeyed.
    home.ok(&["consumers", "reset", "good", "6"]);
    wait_for("the last two once more", || good.taken().len() as u64 == last + 2);
    assert_eq!(good.taken()[last as usize..], [7, 8]);
    assert!(daemon.terminate().success());
}
