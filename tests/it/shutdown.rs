//! SIGTERM drains and ends with 0 within the deadline, whatever the servers do.

use std::time::Instant;

use crate::newsroom::{Answer, Endless, Server, article_page};
use crate::rasid::Home;

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
    let home = Home::new("", &format!("[[feed]]\nid = \"mute\"\nurl = \"{}\"\n", newsroom.url("/feed")));
    let daemon = home.daemon();
    home.wait_until_it_answers();
    let start = Instant::now();
    assert_eq!(daemon.terminate().code(), Some(0));
    assert!(start.elapsed().as_secs() < 10, "the default timeout of a request is 20 s");
    drop(hold);
}
