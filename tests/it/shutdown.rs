//! SIGTERM drains and ends with 0 within the deadline, whatever the servers do; commands wait for who is just going.

use std::time::Instant;

use crate::newsroom::{Answer, Endless, Server, article_page};
use crate::rasid::{Home, wait_for};

#[test]
fn a_stop_ends_with_0_while_polls_are_running() {
    let feed = Endless::new(30, Some("/page".into()));
    let newsroom = Server::start(move |asked| match asked.path.strip_prefix("/page/") {
        Some(rest) => Answer::ok("text/html", article_page("slow", rest.len() as u64)),
        None => feed.answer("slow", asked),
    });
    let home = Home::new("", &format!("[[feed]]\nid = \"slow\"\nurl = \"{}\"\n", newsroom.url("/feed")));
    let daemon = home.daemon();
    home.wait_until_it_answers();
    assert_eq!(daemon.terminate().code(), Some(0));
    assert!(!home.path("data/rasid.sock").exists(), "the socket is removed");
}

#[test]
fn a_stop_does_not_wait_for_a_server_that_never_answers() {
    let (hold, held) = std::sync::mpsc::sync_channel::<()>(1);
    let held = std::sync::Mutex::new(held);
    let newsroom = Server::start(move |_| {
        let _until_the_test_ends = held.lock().unwrap().recv();
        Answer::status(200)
    });
    let home =
        Home::new("timeout = \"5m\"\n", &format!("[[feed]]\nid = \"mute\"\nurl = \"{}\"\n", newsroom.url("/feed")));
    let daemon = home.daemon();
    home.wait_until_it_answers();
    let start = Instant::now();
    assert_eq!(daemon.terminate().code(), Some(0));
    assert!(start.elapsed().as_secs() < 120, "a request may take five minutes");
    drop(hold);
}

#[test]
fn a_command_waits_for_who_is_just_letting_go_of_the_store() {
    let home = Home::new("", "");
    let held =
        rasid::store::open(&rasid::store::StoreConfig { path: home.path("data"), ..Default::default() }).unwrap();
    let mut command = home.command(&["status", "--json"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    // Longer than one try to open the store takes.
    let start = Instant::now();
    wait_for("two seconds to pass", || {
        assert_eq!(command.try_wait().unwrap(), None, "it gave up");
        start.elapsed().as_secs() >= 2
    });
    drop(held);
    assert!(command.wait_with_output().unwrap().status.success());
}
