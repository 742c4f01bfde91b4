//! The consumers of `examples/`, each against a running daemon: killed and started again in the middle, the daemon too, they
//! write every record once.

#[path = "../../examples/consumer.rs"]
#[allow(dead_code, reason = "the program begins elsewhere")]
mod consumer;

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::newsroom::Numbered;
use crate::rasid::{Home, wait_for};
use crate::support::programs;

const TOKEN: &str = "a-token-of-the-examples-that-nobody-guesses";
/// Address, name and file, for the child that is the Rust example.
const CHILD: &str = "RASID_EXAMPLE";

/// A program, ended with all that it started.
struct Program(Child);

impl Program {
    fn start(mut command: Command, home: &Home) -> Self {
        let errors = std::fs::File::options().append(true).create(true).open(home.path("errors")).unwrap();
        let command = command.env("RASID_TOKEN", TOKEN).stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors);
        Self(command.process_group(0).spawn().unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _gone = Command::new("kill").args(["-KILL", "--", &format!("-{}", self.0.id())]).status();
        let _reaped = self.0.wait();
    }
}

/// `start` makes the program, from where the daemon is, the consumer's name, and the file.
fn nothing_is_lost_or_doubled(name: &str, start: impl Fn(&str, &str, &Path) -> Command) {
    let numbered = Numbered::new(150);
    let home = Home::new("", &numbered.feeds());
    let (address, out) = (home.listens(TOKEN), home.path("out.ndjson"));
    let written = || std::fs::read_to_string(&out).unwrap_or_default();
    let wait = |n: usize| {
        wait_for(&format!("{name} to write {n} records"), || written().lines().count() >= n);
    };
    // The program is there before the daemon, and waits for it.
    let first = Program::start(start(&address, name, &out), &home);
    let daemon = home.quiet_daemon();
    home.wait_until_it_answers();
    wait(120);
    drop(first);
    // A write that was cut off in the middle.
    std::fs::write(&out, format!("{}{{\"seq\": 9", written())).unwrap();
    let second = Program::start(start(&address, name, &out), &home);
    numbered.publish(230);
    home.ok(&["feeds", "poll", "nabd"]);
    wait(160);
    daemon.kill();
    let daemon = home.quiet_daemon();
    home.wait_until_it_answers();
    numbered.publish(260);
    home.ok(&["feeds", "poll", "nabd"]);
    wait(260);
    drop(second);
    // What was dealt with before it was acknowledged comes again, and is known.
    home.ok(&["consumers", "reset", name, "100"]);
    let _third = Program::start(start(&address, name, &out), &home);
    wait_for("all to be acknowledged", || {
        let list: Value = serde_json::from_str(&home.ok(&["consumers", "list", "--json"])).unwrap();
        list["consumers"][0]["offset"] == 260
    });
    let records: Vec<Value> = written().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seqs: Vec<u64> = records.iter().map(|record| record["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=260).collect::<Vec<u64>>(), "{}", std::fs::read_to_string(home.path("errors")).unwrap());
    let log = home.ok(&["tail"]);
    for (record, line) in records.iter().zip(log.lines()) {
        let told: Value = serde_json::from_str(line).unwrap();
        assert_eq!((&record["title"], &record["kind"]), (&told["item"]["title"], &told["kind"]), "{told}");
    }
    assert!(daemon.terminate().success());
}

fn script(program: &'static str, file: &'static str) -> impl Fn(&str, &str, &Path) -> Command {
    move |address, name, out| {
        let mut command = Command::new(program);
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(file)).args([address, name]).arg(out);
        command
    }
}

#[test]
fn a_consumer_in_python() {
    if programs(&["python3"]) {
        nothing_is_lost_or_doubled("python", script("python3", "consumer.py"));
    }
}

#[test]
fn a_consumer_in_the_shell() {
    if programs(&["sh", "curl", "jq"]) {
        nothing_is_lost_or_doubled("shell", script("sh", "consumer.sh"));
    }
}

#[test]
fn a_consumer_in_javascript() {
    if programs(&["node"]) {
        nothing_is_lost_or_doubled("javascript", script("node", "consumer.mjs"));
    }
}

/// In a child, the example itself; else the parent that starts it.
#[test]
fn a_consumer_in_rust() {
    if let Ok(arguments) = std::env::var(CHILD) {
        let arguments: Vec<&str> = arguments.split('\n').collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let ended = runtime.block_on(consumer::consume(arguments[0], arguments[1], arguments[2]));
        panic!("it ended: {ended:?}");
    }
    nothing_is_lost_or_doubled("rust", |address, name, out| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["examples::a_consumer_in_rust", "--exact", "--nocapture"]);
        command.env(CHILD, format!("{address}\n{name}\n{}", out.display()));
        command
    });
}
