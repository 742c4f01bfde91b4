//! The rules that hold for every file, read from the files themselves.
//!
//! Each rule is a row of [`RULES`]: what it says, what it looks at, and an example that breaks it, so that no rule can
//! fall silent. To add one, add a row.

use std::path::{Path, PathBuf};

/// The modules in their order; imports go to the left only. `units` and `id` stand side by side.
const ORDER: &[&[&str]] = &[
    &["units", "id"],
    &["share"],
    &["text"],
    &["source"],
    &["parse"],
    &["extract"],
    &["topic"],
    &["dedup"],
    &["story"],
    &["item"],
    &["telemetry"],
    &["fetch"],
    &["store"],
    &["search"],
    &["queue"],
    &["serve"],
    &["client"],
    &["config"],
    &["pipeline"],
    &["daemon"],
    &["cli"],
];

/// Values in, values out: no tokio, no clock, no file, no network.
const PURE: &[&str] =
    &["units", "id", "share", "text", "source", "parse", "extract", "topic", "dedup", "story", "item"];

/// One outside world each.
const RIMS: &[&str] = &["fetch", "store", "search", "queue", "serve", "client"];

/// The rims that may import others: what answers reads what it answers from, and who asks knows what is answered.
const RIM_IMPORTS: &[(&str, &str)] =
    &[("serve", "store"), ("serve", "search"), ("client", "serve"), ("client", "store")];

/// An outside crate, and the beginnings of the paths that may name it.
const CRATES: &[(&str, &[&str])] = &[
    ("reqwest", &["src/fetch/", "src/client/"]),
    ("async_nats", &["src/pipeline/sinks/nats"]),
    ("ring", &["src/pipeline/sinks/webhook"]),
    ("base64", &["src/config/sinks", "src/pipeline/sinks/webhook"]),
    ("feed_rs", &["src/parse/"]),
    ("flate2", &["src/fetch/", "src/cli/transfer/files"]),
    ("parquet", &["src/cli/transfer/parquet_file"]),
    ("scraper", &["src/extract/html", "src/parse/page"]),
    ("trafilatura", &["src/extract/"]),
    ("sled", &["src/store/engine"]),
    ("tantivy", &["src/search/"]),
    ("axum", &["src/serve/"]),
    ("tower_http", &["src/serve/"]),
    ("futures_util", &["src/serve/stream"]),
    ("getrandom", &["src/serve/tokens"]),
    ("encoding_rs", &["src/text/decode"]),
    ("chardetng", &["src/text/decode"]),
    ("unicode_normalization", &["src/text/normalize", "src/text/fold"]),
    ("whatlang", &["src/text/language"]),
    ("toml", &["src/config"]),
    ("toml_edit", &["src/config"]),
    ("clap", &["src/cli/", "src/main.rs"]),
    ("clap_complete", &["src/cli/shell"]),
    ("clap_mangen", &["src/cli/shell"]),
    ("ratatui", &["src/cli/top/", "src/cli/table"]),
    ("unicode_width", &["src/cli/output"]),
    ("texting_robots", &["src/fetch/robots"]),
    ("tracing_subscriber", &["src/telemetry"]),
];

/// What a pure module may not name.
const IMPURE: &[&str] = &[
    "tokio::",
    "std::fs",
    "std::net::Tcp",
    "std::net::Udp",
    "Instant::now",
    "SystemTime::now",
    "Timestamp::now",
    "std::env::",
];

/// Longest file, in lines.
const MAX_LINES: usize = 600;

/// A file of the repository.
struct Source {
    /// From the root, with `/`.
    path: String,
    text: String,
}

impl Source {
    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    fn in_src(&self) -> bool {
        self.is_rust() && self.path.starts_with("src/")
    }

    /// The module of the library it belongs to.
    fn module(&self) -> Option<&str> {
        let rest = self.path.strip_prefix("src/")?;
        let name = rest.split('/').next()?.trim_end_matches(".rs");
        rank(name).map(|_| name)
    }

    /// Numbered lines without comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(number, line)| {
            let comment = line.find("//").filter(|at| !line[..*at].ends_with(':'));
            (number + 1, &line[..comment.unwrap_or(line.len())])
        })
    }

    fn at(&self, line: usize, what: impl std::fmt::Display) -> String {
        format!("{}:{line}: {what}", self.path)
    }
}

fn rank(module: &str) -> Option<usize> {
    ORDER.iter().position(|names| names.contains(&module))
}

/// The names that follow `prefix` in a line, `{a, b}` included.
fn names_after<'l>(line: &'l str, prefix: &str) -> Vec<&'l str> {
    let ident = |text: &'l str| text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
    line.match_indices(prefix)
        .filter(|(at, _)| !line[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$'))
        .flat_map(|(at, found)| {
            let rest = &line[at + found.len()..];
            match rest.strip_prefix('{') {
                Some(list) => list.split([',', '}']).map(|name| ident(name.trim())).collect(),
                None => vec![ident(rest)],
            }
        })
        .collect()
}

fn names_crate(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, found)| {
        let before = &line[..at];
        let path = before.ends_with("::")
            || before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '"' || c == '.');
        let after = &line[at + found.len()..];
        let used = after.starts_with("::") || (before.trim_start() == "use " && after.starts_with([';', ' ']));
        used && !path
    })
}

fn imports_go_left(source: &Source) -> Vec<String> {
    let Some(own) = source.module().filter(|_| source.in_src()) else { return Vec::new() };
    let mut wrong = Vec::new();
    for (number, line) in source.code() {
        for name in names_after(line, "crate::").into_iter().filter(|name| rank(name) > rank(own)) {
            wrong.push(source.at(number, format_args!("`{own}` imports `{name}`, which stands to its right")));
        }
    }
    wrong
}

fn rims_stand_alone(source: &Source) -> Vec<String> {
    let Some(own) = source.module().filter(|own| RIMS.contains(own)) else { return Vec::new() };
    let mut wrong = Vec::new();
    for (number, line) in source.code() {
        let others = names_after(line, "crate::").into_iter().filter(|name| *name != own && RIMS.contains(name));
        for name in others.filter(|name| !RIM_IMPORTS.contains(&(own, name))) {
            wrong.push(source.at(number, format_args!("`{own}` imports `{name}`: two outside worlds in one place")));
        }
    }
    wrong
}

fn pure_modules_are_pure(source: &Source) -> Vec<String> {
    if !source.module().is_some_and(|own| PURE.contains(&own)) {
        return Vec::new();
    }
    let mut wrong = Vec::new();
    for (number, line) in source.code() {
        for name in IMPURE.iter().filter(|name| line.contains(**name)) {
            wrong.push(source.at(number, format_args!("`{name}` in a pure module; take it as an argument")));
        }
    }
    wrong
}

fn crates_have_their_places(source: &Source) -> Vec<String> {
    if !source.in_src() {
        return Vec::new();
    }
    let mut wrong = Vec::new();
    for (number, line) in source.code() {
        for (name, places) in CRATES.iter().filter(|(name, _)| names_crate(line, name)) {
            if !places.iter().any(|place| source.path.starts_with(place)) {
                wrong.push(source.at(number, format_args!("`{name}` belongs in {}", places.join(" or "))));
            }
        }
    }
    wrong
}

fn files_have_headers(source: &Source) -> Vec<String> {
    let header = source.text.trim_start_matches('\u{feff}').starts_with("//! ");
    let stub = source.text.starts_with("//! (to be written)");
    if source.is_rust() && (!header || stub) {
        return vec![source.at(1, "no `//!` header: say what it turns into what, and what it promises")];
    }
    Vec::new()
}

fn files_are_short(source: &Source) -> Vec<String> {
    let lines = source.text.lines().count();
    if source.is_rust() && lines > MAX_LINES {
        return vec![source.at(lines, format_args!("{lines} lines; split it, the limit is {MAX_LINES}"))];
    }
    Vec::new()
}

/// Lines that have one of these, in pieces so that this file does not.
fn lines_with(source: &Source, forbidden: &[[&str; 2]], why: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (number, line) in source.text.lines().enumerate() {
        for pieces in forbidden.iter().filter(|pieces| line.contains(&pieces.concat())) {
            wrong.push(source.at(number + 1, format_args!("`{}`: {why}", pieces.concat())));
        }
    }
    wrong
}

fn no_paths_of_one_machine(source: &Source) -> Vec<String> {
    if source.path.starts_with("deploy/") {
        return Vec::new();
    }
    let forbidden = [["/wo", "rk/"], ["/tm", "p/"], ["/ro", "ot/"]];
    lines_with(source, &forbidden, "a path of one machine; take it from the environment or a temporary directory")
}

fn no_test_is_skipped(source: &Source) -> Vec<String> {
    if !source.is_rust() {
        return Vec::new();
    }
    lines_with(source, &[["#[ign", "ore"]], "every test runs; one that cannot must go")
}

fn nothing_is_unfinished(source: &Source) -> Vec<String> {
    if !source.in_src() {
        return Vec::new();
    }
    lines_with(
        source,
        &[["tod", "o!("], ["unimple", "mented!("], ["FIX", "ME"]],
        "unfinished; finish it or leave it out",
    )
}

fn the_changelog_is_current(source: &Source) -> Vec<String> {
    let version = concat!("## ", env!("CARGO_PKG_VERSION"));
    let bracketed = concat!("## [", env!("CARGO_PKG_VERSION"), "]");
    let current = |line: &str| {
        line.starts_with("## Unreleased")
            || line.starts_with("## [Unreleased]")
            || line.starts_with(version)
            || line.starts_with(bracketed)
    };
    if source.path == "CHANGELOG.md" && !source.text.lines().any(current) {
        return vec![source.at(1, "no section `## Unreleased`, nor one of this version")];
    }
    Vec::new()
}

fn the_readme_has_the_two_commands(source: &Source) -> Vec<String> {
    if source.path != "README.md" {
        return Vec::new();
    }
    let missing =
        ["cargo test", "cargo run --release -- demo"].into_iter().filter(|command| !source.text.contains(command));
    missing.map(|command| source.at(1, format_args!("the command `{command}` is not there"))).collect()
}

fn no_tabs(source: &Source) -> Vec<String> {
    let spaced = [".toml", ".rs", ".yaml"].iter().any(|end| source.path.ends_with(end));
    let tabs = source.text.lines().enumerate().filter(|(_, line)| spaced && line.contains('\t'));
    tabs.map(|(number, _)| source.at(number + 1, "a tab; its width is in the reader's eye, write spaces")).collect()
}

/// A rule: its name, how it is checked, and what breaks it.
struct Rule {
    name: &'static str,
    check: fn(&Source) -> Vec<String>,
    wrong: &'static [(&'static str, &'static str)],
    right: &'static [(&'static str, &'static str)],
}

const RULES: &[Rule] = &[
    Rule {
        name: "imports go to the left",
        check: imports_go_left,
        wrong: &[
            ("src/id.rs", "use crate::store::Store;"),
            ("src/text/date.rs", "use crate::{id::Seq, topic::Topics};"),
            ("src/units.rs", "fn f(x: crate::text::Text) {}"),
            ("src/config/mod.rs", "use crate::pipeline::Stop;"),
        ],
        right: &[
            ("src/store/mod.rs", "use crate::id::Seq;\n//! See [`crate::serve`]."),
            ("src/units.rs", "use crate::id::Seq;"),
            ("src/cli/mod.rs", "use crate::daemon;"),
        ],
    },
    Rule {
        name: "rims do not import each other",
        check: rims_stand_alone,
        wrong: &[
            ("src/serve/mod.rs", "use crate::fetch::Client;"),
            ("src/queue/mod.rs", "use crate::store::Group;"),
            ("src/search/mod.rs", "use crate::store::Store;"),
        ],
        right: &[("src/serve/mod.rs", "use crate::store::Store;"), ("src/fetch/mod.rs", "use crate::telemetry;")],
    },
    Rule {
        name: "pure modules are pure",
        check: pure_modules_are_pure,
        wrong: &[
            ("src/text/mod.rs", "let text = std::fs::read(path)?;"),
            ("src/source.rs", "let now = Timestamp::now();"),
            ("src/parse/mod.rs", "use tokio::sync::mpsc;"),
        ],
        right: &[("src/store/mod.rs", "use tokio::sync::watch;"), ("src/text/mod.rs", "// not std::fs")],
    },
    Rule {
        name: "one outside crate in one place",
        check: crates_have_their_places,
        wrong: &[
            ("src/store/mod.rs", "use sled::Db;"),
            ("src/cli/mod.rs", "let table = toml::Table::new();"),
            ("src/parse/feed.rs", "use scraper::Selector;"),
        ],
        right: &[
            ("src/store/engine.rs", "use sled::Db;"),
            ("src/cli/check.rs", "dir.join(\"rasid.toml\");"),
            ("src/config/edit.rs", "use toml_edit::Item;"),
            ("tests/it/config.rs", "toml::Table::new()"),
        ],
    },
    Rule {
        name: "every file has a header",
        check: files_have_headers,
        wrong: &[("src/id.rs", "use std::fmt;"), ("tests/it/x.rs", "//! (to be written)")],
        right: &[("src/id.rs", "//! The names of things."), ("config/rasid.toml", "[store]")],
    },
    Rule {
        name: "no file is over 600 lines",
        check: files_are_short,
        wrong: &[("src/long.rs", LONG)],
        right: &[("src/id.rs", "//! One line.")],
    },
    Rule {
        name: "no path of one machine",
        check: no_paths_of_one_machine,
        wrong: &[("src/a.rs", concat!("\"/wo", "rk/x\"")), ("docs/a.md", concat!("see /tm", "p/x"))],
        right: &[("src/a.rs", "std::env::temp_dir()")],
    },
    Rule {
        name: "no test is skipped",
        check: no_test_is_skipped,
        wrong: &[("tests/it/a.rs", concat!("#[ign", "ore]\nfn slow() {}"))],
        right: &[("tests/it/a.rs", "#[test]\nfn quick() {}")],
    },
    Rule {
        name: "nothing is unfinished",
        check: nothing_is_unfinished,
        wrong: &[("src/a.rs", concat!("unimple", "mented!()")), ("src/a.rs", concat!("    tod", "o!(\"later\")"))],
        right: &[("src/a.rs", "done()")],
    },
    Rule {
        name: "the changelog is current",
        check: the_changelog_is_current,
        wrong: &[("CHANGELOG.md", "# Changelog\n\n## 0.0.1\n")],
        right: &[("CHANGELOG.md", "# Changelog\n\n## Unreleased\n")],
    },
    Rule {
        name: "the README has the two commands",
        check: the_readme_has_the_two_commands,
        wrong: &[("README.md", "# rasid\n\n    cargo run --release -- demo\n")],
        right: &[("README.md", "    cargo run --release -- demo\n    cargo test\n")],
    },
    Rule {
        name: "no tabs",
        check: no_tabs,
        wrong: &[("config/rasid.toml", "workers = 1\t# one")],
        right: &[("justfile", "check:\n\tcargo test"), ("config/rasid.toml", "workers = 1  # one")],
    },
];

/// More lines than a file may have.
const LONG: &str = {
    const BYTES: [u8; MAX_LINES + 1] = [b'\n'; MAX_LINES + 1];
    match std::str::from_utf8(&BYTES) {
        Ok(text) => text,
        Err(_) => "",
    }
};

/// Where rules look.
const PLACES: &[&str] = &[
    "src",
    "tests",
    "config",
    "docs",
    "deploy",
    "fuzz/src",
    "fuzz/targets",
    "fuzz/Cargo.toml",
    "fuzz/README.md",
    "fuzz/run",
    ".ci",
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "Cargo.toml",
    "justfile",
    "deny.toml",
    "clippy.toml",
];

/// Files that must be there for the rules about them to say anything.
const NEEDED: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "LICENSE-MIT",
    "LICENSE-APACHE",
    "justfile",
    ".ci/run",
    "deny.toml",
    "config/rasid.toml",
    "config/feeds.toml",
    "config/topics.toml",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn collect(path: &Path, into: &mut Vec<Source>) {
    if path.is_dir() {
        let mut entries: Vec<PathBuf> = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        // Fixtures are documents of the web, with all their faults; packages are not ours.
        let foreign = |entry: &PathBuf| entry.ends_with("fixtures") || entry.ends_with("node_modules");
        entries.iter().filter(|entry| !foreign(entry)).for_each(|entry| collect(entry, into));
    } else if let Ok(text) = std::fs::read_to_string(path) {
        let path = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
        into.push(Source { path, text });
    }
}

#[test]
fn every_file_keeps_the_rules() {
    let mut sources = Vec::new();
    PLACES.iter().for_each(|place| collect(&root().join(place), &mut sources));
    assert!(sources.iter().filter(|source| source.in_src()).count() > 30, "the sources were not found");
    let mut wrong = Vec::new();
    for rule in RULES {
        let found = sources.iter().flat_map(rule.check);
        wrong.extend(found.map(|found| format!("{found}  [{}]", rule.name)));
    }
    assert!(wrong.is_empty(), "{} line(s) break a rule:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_module_has_a_place_in_the_line() {
    let text = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let declared: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert!(!declared.is_empty());
    let unplaced: Vec<&&str> = declared.iter().filter(|name| rank(name).is_none()).collect();
    assert!(unplaced.is_empty(), "not in ORDER: {unplaced:?}");
}

#[test]
fn the_project_files_are_there() {
    let missing: Vec<&&str> = NEEDED.iter().filter(|file| !root().join(file).is_file()).collect();
    assert!(missing.is_empty(), "missing: {missing:?}");
}

#[test]
fn every_rule_can_fail() {
    let source = |(path, text): &(&str, &str)| Source { path: (*path).to_owned(), text: (*text).to_owned() };
    for rule in RULES {
        assert!(!rule.wrong.is_empty() && !rule.right.is_empty(), "{}: examples are missing", rule.name);
        for example in rule.wrong {
            assert!(!(rule.check)(&source(example)).is_empty(), "{}: did not notice {example:?}", rule.name);
        }
        for example in rule.right {
            let found = (rule.check)(&source(example));
            assert!(found.is_empty(), "{}: {found:?}", rule.name);
        }
    }
}
