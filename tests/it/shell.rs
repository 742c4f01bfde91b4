//! The commands as a shell and a terminal meet them: completions, pages of the manual, pipes that close, terminals of their
//! own size, hostile feeds, and the log followed over restarts of the daemon.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::newsroom::{Answer, Server};
use crate::rasid::{Home, wait_for};
use crate::support::programs;

const RASID: &str = env!("CARGO_BIN_EXE_rasid");

fn bash(script: &str) -> Output {
    Command::new("bash").args(["-c", script]).env("RASID", RASID).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_shell_completes_commands_and_options() {
    for (shell, says) in [
        ("bash", "complete -F _rasid"),
        ("zsh", "#compdef rasid"),
        ("fish", "complete -c rasid"),
        ("elvish", "edit:completion"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let output = Command::new(RASID).args(["completions", shell]).output().unwrap();
        assert!(output.status.success() && text(&output.stdout).contains(says), "{shell}");
    }
    assert_eq!(Command::new(RASID).args(["completions", "dos"]).output().unwrap().status.code(), Some(2));
    if !programs(&["bash"]) {
        return;
    }
    assert!(bash("\"$RASID\" completions bash | bash -n").status.success());
    for (line, cursor, word, before, expected) in [
        ("rasid con", 1, "con", "rasid", "consumers"),
        ("rasid feeds disc", 2, "disc", "feeds", "discover"),
        ("rasid items --top", 2, "--top", "items", "--topic"),
        ("rasid --color ne", 2, "ne", "--color", "never"),
        ("rasid items --format csv", 3, "c", "--format", "csv"),
    ] {
        let script = format!(
            "source <(\"$RASID\" completions bash); COMP_WORDS=({line}); COMP_CWORD={cursor}; \
             _rasid rasid {word} {before}; echo \"${{COMPREPLY[*]}}\""
        );
        let output = bash(&script);
        assert_eq!(text(&output.stdout).trim(), expected, "{line}: {}", text(&output.stderr));
    }
}

#[test]
fn the_manual_has_a_page_for_every_command_that_help_lists() {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(RASID).arg("man").arg(dir.path()).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let help = text(&Command::new(RASID).arg("--help").output().unwrap().stdout);
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let listed: Vec<&str> = commands.lines().map_while(|line| line.split_whitespace().next()).collect();
    assert!(listed.len() > 20 && listed.contains(&"man"), "{listed:?}");
    for command in listed.into_iter().filter(|command| *command != "help") {
        let page = std::fs::read_to_string(dir.path().join(format!("rasid-{command}.1"))).expect(command);
        assert!(page.contains(".SH NAME") && page.contains(".SH SYNOPSIS"), "{command}: {page}");
    }
    let first = text(&Command::new(RASID).arg("man").output().unwrap().stdout);
    assert_eq!(first, std::fs::read_to_string(dir.path().join("rasid.1")).unwrap());
    let wrong = Command::new(RASID).arg("man").arg(dir.path().join("rasid.1")).output().unwrap();
    assert!(wrong.status.code() == Some(1) && text(&wrong.stderr).contains("rasid.1"), "{}", text(&wrong.stderr));
}

/// What a hostile feed publishes: sequences of a terminal, as characters that JSON may have, and turned text.
fn hostile(n: usize) -> String {
    let words =
        "خبر \u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}مقلوب\u{2066} قِمَّةٌ 新闻 كلمات كثيرة لا تنتهي في عنوان طويل";
    let item = |n| {
        json!({ "id": format!("h-{n}"), "url": format!("https://hostile.example/{n}"), "title": format!("{words} {n}"),
            "content_text": format!("{words} رقم {} {}", n * 7_919, "نص طويل جدا ".repeat(40)), "tags": [words], "authors": [{ "name": words }] })
    };
    let items: Vec<Value> = (0..n).map(item).collect();
    json!({ "version": "https://jsonfeed.org/version/1.1", "title": words, "items": items }).to_string()
}

/// A home whose one feed has as many items as the number says.
fn world(count: &Arc<AtomicUsize>) -> (Server, Home) {
    let count = Arc::clone(count);
    let server = Server::start(move |_| Answer::ok("application/feed+json", hostile(count.load(Ordering::SeqCst))));
    let feeds = format!(
        "[defaults]\nfull_text = \"never\"\n[[feed]]\nid = \"nabd\"\ntitle = \"نبض \\u001b[31m المدينة\"\nurl = \"{}\"\n",
        server.url("/feed.json")
    );
    let home = Home::new("", &feeds);
    (server, home)
}

/// On a terminal.
fn seen(
    home: &Home,
    size: (u32, u32),
    keys: Value,
    environment: &[(&str, &str)],
    args: &[&str],
) -> (String, Option<i32>) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/terminal.py");
    let mut command = Command::new("python3");
    command.arg(script).args([size.0.to_string(), size.1.to_string(), keys.to_string()]).arg(RASID).args(args);
    command
        .arg("--config")
        .arg(home.dir.path())
        .env_remove("NO_COLOR")
        .env("TERM", "xterm-256color")
        .env("RASID_LOG", "error");
    let output = command.envs(environment.iter().copied()).stdin(Stdio::null()).output().unwrap();
    assert!(output.stderr.is_empty(), "{args:?}: {}", text(&output.stderr));
    (text(&output.stdout), output.status.code())
}

/// What may steer a terminal, besides what rasid itself says.
fn steers(shown: &str) -> Option<char> {
    let own = ["\x1b[1m", "\x1b[1;33m", "\x1b[0m", "\r\n", "\r\x1b[K", "\u{2068}", "\u{2069}"];
    let left = own.iter().fold(shown.to_owned(), |left, own| left.replace(own, ""));
    left.chars()
        .find(|c| (c.is_control() && *c != '\t') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
}

#[test]
fn no_feed_steers_a_terminal_and_tables_fit_it() {
    if !programs(&["python3"]) {
        return;
    }
    let (_server, home) = world(&Arc::new(AtomicUsize::new(3)));
    home.ok(&["feeds", "poll", "nabd"]);
    home.ok(&["consumers", "read", "desk", "--feed", "nabd"]);
    for args in [
        &["items"][..],
        &["items", "--all", "--format", "csv"],
        &["items", "--format", "ndjson"],
        &["search", "مقلوب"],
        &["show", "1"],
        &["show", "1", "--json"],
        &["tail"],
        &["feeds", "list"],
        &["feeds", "why", "nabd"],
        &["consumers", "list"],
        &["topics", "list"],
        &["story"],
        &["status"],
    ] {
        let (shown, code) = seen(&home, (60, 24), json!([]), &[], args);
        assert_eq!((steers(&shown), code), (None, Some(0)), "{args:?}: {shown:?}");
        for part in shown.split('\u{2068}').skip(1) {
            assert!(part.split_once('\u{2069}').is_some_and(|(words, _)| !words.contains('\n')), "{args:?}: {shown:?}");
        }
    }
    let (shown, _) = seen(&home, (60, 24), json!([]), &[], &["items"]);
    let head = shown.lines().next().unwrap();
    assert!(head.contains("\x1b[1mtitle\x1b[0m"), "{head:?}");
    assert!(shown.contains("3 items; `rasid show №` shows one"), "{shown}");
    let cut: Vec<&str> = shown.lines().filter(|line| line.contains('…')).collect();
    assert_eq!(cut.len(), 3, "{shown}");
    // A JSON line says the same on a terminal, in other letters.
    let (shown, _) = seen(&home, (60, 24), json!([]), &[], &["tail"]);
    let values =
        |text: &str| -> Vec<Value> { text.lines().map(|line| serde_json::from_str(line.trim()).unwrap()).collect() };
    assert_eq!(values(&shown), values(&home.ok(&["tail"])));
    for (environment, args, colored) in [
        (&[][..], &["items"][..], true),
        (&[("NO_COLOR", "1")], &["items"], false),
        (&[("NO_COLOR", "1")], &["items", "--color", "always"], true),
        (&[], &["--color", "never", "items"], false),
        (&[("TERM", "dumb")], &["items"], false),
    ] {
        let (shown, _) = seen(&home, (80, 24), json!([]), environment, args);
        assert_eq!(shown.contains("\x1b[1m"), colored, "{environment:?} {args:?}");
    }
    for (forced, colored) in [("1", true), ("0", false)] {
        let output = home.command(&["show", "1"]).env("CLICOLOR_FORCE", forced).output().unwrap();
        assert_eq!(text(&output.stdout).contains("\x1b[1m"), colored, "{forced}");
    }
    // Without a terminal: tabs, whole cells, no isolation.
    let piped = home.ok(&["items", "--format", "table"]);
    assert!(piped.starts_with("№\tpublished\tfeed\t") && !piped.contains(['\u{2068}', '…', '\x1b']), "{piped}");
}

#[test]
fn a_reader_that_has_enough_ends_a_command_quietly() {
    if !programs(&["bash", "head"]) {
        return;
    }
    let (_server, home) = world(&Arc::new(AtomicUsize::new(300)));
    home.ok(&["feeds", "poll", "nabd"]);
    for command in [
        "items --all --limit 300",
        "items --all --limit 300 --format csv",
        "tail",
        "search كلمات --all --limit 300",
        "export --format ndjson",
        "consumers read desk --max 300",
        "completions bash",
    ] {
        let script = format!(
            "\"$RASID\" {command} --config '{}' 2> '{}' | head -n 1 | wc -l; echo ${{PIPESTATUS[0]}}",
            home.dir.path().display(),
            home.path("errors").display()
        );
        let output = bash(&script);
        assert_eq!(text(&output.stdout).split_whitespace().collect::<Vec<_>>(), ["1", "0"], "{command}");
        let errors = std::fs::read_to_string(home.path("errors")).unwrap();
        assert!(!errors.contains("panic") && !errors.contains("error"), "{command}: {errors}");
    }
}

#[test]
fn the_log_is_followed_over_restarts_until_it_is_interrupted() {
    let count = Arc::new(AtomicUsize::new(2));
    let (_server, home) = world(&count);
    let daemon = home.quiet_daemon();
    home.wait_until_it_answers();
    let mut tail = home.command(&["tail", "-f"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    // A record is here as soon as it is stored, or this would wait for ever.
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap()["seq"].as_u64().unwrap();
    assert_eq!([next(), next()], [1, 2]);
    count.store(3, Ordering::SeqCst);
    home.ok(&["feeds", "poll", "nabd"]);
    assert_eq!(next(), 3);
    daemon.kill();
    let daemon = home.quiet_daemon();
    home.wait_until_it_answers();
    count.store(5, Ordering::SeqCst);
    home.ok(&["feeds", "poll", "nabd"]);
    assert_eq!([next(), next()], [4, 5]);
    assert!(daemon.terminate().success());
    let interrupted = Command::new("kill").args(["-INT", &tail.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    assert_eq!(tail.wait().unwrap().code(), Some(0));
    // Nothing more, and nothing twice.
    assert!(lines.next().is_none());
    if programs(&["bash", "jq"]) {
        let output = bash(&format!("\"$RASID\" tail --config '{}' | jq -c .seq", home.dir.path().display()));
        assert_eq!(text(&output.stdout).split_whitespace().collect::<Vec<_>>(), ["1", "2", "3", "4", "5"]);
    }
}

#[test]
fn the_daemon_is_watched_on_a_terminal_of_any_size() {
    let (_server, home) = world(&Arc::new(AtomicUsize::new(3)));
    let refused = home.rasid(&["top"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("needs a terminal"), "{}", text(&refused.stderr));
    if !programs(&["python3"]) {
        return;
    }
    let (shown, code) = seen(&home, (80, 24), json!([["no daemon yet", "q"]]), &[], &["top"]);
    assert_eq!(code, Some(0), "{shown}");
    let daemon = home.quiet_daemon();
    home.wait_until_it_answers();
    wait_for("the feed to be polled", || home.ok(&["tail"]).lines().count() == 3);
    for size in [(80, 24), (40, 12), (20, 5)] {
        let keys = json!([["nabd", "\t"], ["[consumers", "\t"], ["[errors", "/x\r? q"]]);
        let keys = if size.1 > 5 { keys } else { json!([["rasid", "q"]]) };
        let (shown, code) = seen(&home, size, keys, &[], &["top", "--every", "200ms"]);
        assert_eq!(code, Some(0), "{shown}");
        // The terminal is left as it was found: the other screen, and a cursor.
        assert!(shown.contains("\x1b[?1049h") && shown.ends_with("\x1b[?25h"), "{shown:?}");
        for hostile in ["\x1b[2J\u{9b}", "\u{202e}", "]0;owned", "\u{9b}"] {
            assert!(!shown.contains(hostile), "{hostile:?}: {shown:?}");
        }
    }
    // It goes, is missed, comes back, and is there again.
    let again = json!([RASID, "run", "--config", home.dir.path()]);
    let keys = json!([["nabd", daemon.id()], ["the daemon has gone", again], ["rasid 0", "q"]]);
    let (shown, code) = seen(&home, (80, 24), keys, &[], &["top", "--every", "200ms"]);
    assert!(code == Some(0) && shown.contains("the daemon has gone"), "{shown}");
    daemon.kill();
}
