//! NATS, with a real server: acknowledged by a stream or by the server itself, over restarts of both sides.
//!
//! Without a `nats-server` it says SKIPPED loudly; with `RASID_REQUIRE_NATS` or `RASID_REQUIRE_ALL` set that is a failure.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use async_nats::jetstream;
use futures_util::StreamExt as _;
use serde_json::Value;

use super::{Source, assert_no_gap, log, view, wait_until_done};
use crate::rasid::{free_address, wait_for};

/// A server on loopback; killed when dropped.
pub struct Nats {
    program: PathBuf,
    port: u16,
    dir: tempfile::TempDir,
    child: Option<Child>,
}

impl Nats {
    pub fn start() -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let places = std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/bin"].map(PathBuf::from));
        let found = places.map(|dir| dir.join("nats-server")).find(|file| file.is_file());
        let Some(program) = found else {
            let message = "SKIPPED: nats-server is not there; nothing was delivered to NATS";
            let required =
                ["RASID_REQUIRE_NATS", "RASID_REQUIRE_ALL"].iter().any(|name| std::env::var_os(name).is_some());
            assert!(!required, "{message}");
            eprintln!("{message}");
            return None;
        };
        let port = free_address().port();
        let mut nats = Self { program, port, dir: tempfile::tempdir().unwrap(), child: None };
        nats.run();
        Some(nats)
    }

    pub fn run(&mut self) {
        let config: &Path = &self.dir.path().join("nats.conf");
        let text = format!(
            "listen: 127.0.0.1:{}\njetstream {{ store_dir: \"{}\" }}\nauthorization {{ users = [\n\
             {{ user: all, password: secret }}\n\
             {{ user: few, password: secret, permissions {{ publish: [\"elsewhere.>\", \"_INBOX.>\"], subscribe: \"_INBOX.>\" }} }}\n] }}\n",
            self.port,
            self.dir.path().join("js").display()
        );
        std::fs::write(config, text).unwrap();
        let child = Command::new(&self.program).arg("-c").arg(config).stderr(Stdio::null()).spawn().unwrap();
        self.child = Some(child);
        wait_for("nats-server to answer", || std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok());
    }

    pub fn is_running(&self) -> bool {
        self.child.is_some()
    }

    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Keys of a sink.
    pub fn keys(&self, user: &str) -> String {
        format!(
            "kind = \"nats\"\nurl = \"nats://127.0.0.1:{}\"\nusername = \"{user}\"\npassword = \"secret\"\n",
            self.port
        )
    }

    pub async fn client(&self) -> async_nats::Client {
        let options = async_nats::ConnectOptions::with_user_and_password("all".to_owned(), "secret".to_owned());
        options.connect(format!("127.0.0.1:{}", self.port)).await.unwrap()
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.kill();
        }
    }
}

fn seq(payload: &[u8]) -> u64 {
    serde_json::from_slice::<Value>(payload).unwrap()["seq"].as_u64().unwrap()
}

const QUICK: &str = "attempts = 0\nfirst_pause = \"20ms\"\nlongest_pause = \"200ms\"\ntimeout = \"2s\"\n";

#[test]
fn a_stream_has_every_record_once_over_restarts_of_both_sides() {
    let Some(mut nats) = Nats::start() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let source = Source::new(12);
    let home = source.home(&format!("[[sink]]\nname = \"stream\"\n{}jetstream = true\n{QUICK}", nats.keys("all")));
    let daemon = home.quiet_daemon();
    home.wait_until_it_answers();
    // There is no stream yet: nothing counts.
    wait_for("the sink to say so", || {
        view(&home, "stream")["last_error"]["message"].as_str().is_some_and(|said| said.contains("no stream"))
    });
    assert_eq!(view(&home, "stream")["consumer"]["offset"], 0);
    runtime.block_on(async {
        let config = jetstream::stream::Config {
            name: "news".to_owned(),
            subjects: vec!["rasid.>".to_owned()],
            ..jetstream::stream::Config::default()
        };
        jetstream::new(nats.client().await).create_stream(config).await.unwrap();
    });
    wait_until_done(&home, "stream", 12);
    let last = source.publish(20);
    nats.kill();
    wait_for("the sink to fail", || view(&home, "stream")["state"] == "failing");
    daemon.kill();
    let daemon = home.quiet_daemon();
    nats.run();
    wait_until_done(&home, "stream", last);
    daemon.kill();
    let last = source.publish(20);
    let daemon = home.quiet_daemon();
    home.wait_until_it_answers();
    wait_until_done(&home, "stream", last);

    let stored = log(&home);
    let streamed = runtime.block_on(async {
        let stream = jetstream::new(nats.client().await).get_stream("news").await.unwrap();
        let mut streamed = Vec::new();
        for number in 1..=stream.cached_info().state.last_sequence {
            let message = stream.get_raw_message(number).await.unwrap();
            assert_eq!(message.subject.as_str().split('.').take(3).collect::<Vec<_>>(), ["rasid", "new", "press"]);
            streamed.push(serde_json::from_slice::<Value>(&message.payload).unwrap());
        }
        streamed
    });
    assert_eq!(streamed, stored, "the stream knows what came twice by its name");
    assert!(daemon.terminate().success());
}

#[test]
fn without_a_stream_what_the_server_took_counts_and_nothing_else() {
    let Some(nats) = Nats::start() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let got = Arc::new(Mutex::new(Vec::new()));
    let (heard, client) = (Arc::clone(&got), runtime.block_on(nats.client()));
    let mut subscriber = runtime.block_on(client.subscribe("here.>")).unwrap();
    runtime.block_on(client.flush()).unwrap();
    runtime.spawn(async move {
        while let Some(message) = subscriber.next().await {
            heard.lock().unwrap().push((message.subject.to_string(), seq(&message.payload)));
        }
    });
    let source = Source::new(30);
    let home = source.home(&format!(
        "[[sink]]\nname = \"plain\"\n{}subject = \"here.{{feed}}\"\n{QUICK}\
         [[sink]]\nname = \"forbidden\"\n{}{QUICK}",
        nats.keys("all"),
        nats.keys("few"),
    ));
    let daemon = home.quiet_daemon();
    wait_for("the first messages", || !got.lock().unwrap().is_empty());
    daemon.kill();
    let last = source.publish(25);
    let daemon = home.quiet_daemon();
    home.wait_until_it_answers();
    wait_until_done(&home, "plain", last);
    let all = || got.lock().unwrap().iter().map(|(_, seq)| *seq).collect::<Vec<_>>();
    wait_for("the last message", || all().last() == Some(&last));
    assert_no_gap(&all(), last);
    assert!(got.lock().unwrap().iter().all(|(subject, _)| subject == "here.press"));
    // The server throws these away and complains: they do not count.
    wait_for("the complaint", || {
        let said = view(&home, "forbidden")["last_error"]["message"].as_str().unwrap_or_default().to_lowercase();
        said.contains("permissions violation")
    });
    assert_eq!(view(&home, "forbidden")["consumer"]["offset"], 0);
    assert!(daemon.terminate().success());
}
