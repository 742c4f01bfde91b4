//! The configuration: every fault at its place, the shipped files, editing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rasid::config::{self, Config, Problem};

fn no_env(_: &str) -> Option<String> {
    None
}

/// A directory with these files.
fn dir_with(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

/// The problems as they are shown, without the directory.
fn shown(dir: &Path, problems: &[Problem]) -> Vec<String> {
    let prefix = format!("{}/", dir.display());
    problems.iter().map(|problem| problem.to_string().replace(&prefix, "")).collect()
}

fn problems_of(files: &[(&str, &str)]) -> Vec<String> {
    let dir = dir_with(files);
    config::load(dir.path(), &no_env).err().map(|problems| shown(dir.path(), &problems)).unwrap_or_default()
}

fn load(dir: &Path) -> Config {
    config::load(dir, &no_env).unwrap_or_else(|problems| panic!("{:#?}", shown(dir, &problems)))
}

/// One feed in two lines; rows add theirs from line 4 on.
const FEED: &str = "[[feed]]\nid = \"a\"\nurl = \"https://a.example/rss\"\n";

/// What a line of `feeds.toml`, below a good feed, is said to be.
const FEED_FAULTS: &[(&str, &[&str])] = &[
    ("", &[]),
    ("interval = \"20m\"", &[]),
    ("intervall = \"20m\"", &["feeds.toml:4:1: unknown key `intervall`; did you mean `interval`?"]),
    ("interval = 20", &["feeds.toml:4:12: `interval` must be text in quotation marks, not integer `20`"]),
    (
        "interval = \"20\"",
        &[
            "feeds.toml:4:12: `interval`: `20` is not a time; write a whole number and ms, s, m, h or d, such as \"15m\"",
        ],
    ),
    (
        "interval = \"1m\"",
        &[
            "feeds.toml:4:12: the intervals are out of order: min_interval 2m, interval 1m, max_interval 6h; none may be longer than the next",
        ],
    ),
    ("kind = \"rss\"", &["feeds.toml:4:8: `kind` is \"rss\", but must be one of `feed`, `sitemap`, `page`"]),
    ("kind = \"page\"", &["feeds.toml:4:8: kind = \"page\" needs the selectors `entry` and `link` below [feed.page]"]),
    (
        "kind = \"page\"\n[feed.page]\ntitel = \"h3\"",
        &[
            "feeds.toml:5:1: `entry` is missing; give a CSS selector",
            "feeds.toml:5:1: `link` is missing; give a CSS selector",
            "feeds.toml:6:1: unknown key `titel`; did you mean `title`?",
        ],
    ),
    (
        "[feed.page]\nentry = \"li\"\nlink = \"a@href\"",
        &["feeds.toml:4:1: [feed.page] is read for kind = \"page\" only; set it, or remove this table"],
    ),
    ("username = \"u\"", &["feeds.toml:4:12: `username` without `password`; give both or neither"]),
    ("password = \"p\"", &["feeds.toml:4:12: `password` without `username`; give both or neither"]),
    (
        "timezone = \"Asia/Riyad\"",
        &["feeds.toml:4:12: `Asia/Riyad` is not a known time zone; write an IANA name such as \"Asia/Riyadh\""],
    ),
    ("timezone = \"Asia/Riyadh\"", &[]),
    ("max_entries = -1", &["feeds.toml:4:15: `max_entries` must be a whole number, 0 or more, not integer `-1`"]),
    ("max_entries = 0", &["feeds.toml:4:15: `max_entries` must be 1 or more; to pause the feed write enabled = false"]),
    ("enabled = \"no\"", &["feeds.toml:4:11: `enabled` must be true or false, not string \"no\""]),
    ("headers = { \"X Y\" = \"1\" }", &["feeds.toml:4:11: `X Y` cannot be the name of an HTTP header"]),
    ("headers = { X = 1 }", &["feeds.toml:4:17: `X` must be text in quotation marks, not integer `1`"]),
    ("user_agent = \"راصد\"", &["feeds.toml:4:14: `user_agent` may only have printable ASCII characters"]),
    ("language = \"عربي\"", &["feeds.toml:4:12: `language` must be a language code such as \"ar\""]),
    ("title = \"أخبار\" x", &["feeds.toml:4:17: this is not TOML: unexpected key or value, expected newline, `#`"]),
    ("title = \"أخبار", &["feeds.toml:4:15: this is not TOML: invalid basic string, expected `\"`"]),
    (
        "article = 5",
        &["feeds.toml:4:11: `feed.article` must be a table, not a integer; write its keys below [feed.article]"],
    ),
    (
        "[[feed]]\nid = \"a\"\nurl = \"https://a.example/rss#top\"",
        &[
            "feeds.toml:5:6: the id `a` is that of the feed in line 2 already; give this one another",
            "feeds.toml:6:7: the feed in line 3 has this address already; remove one, or the host is asked twice for the same",
        ],
    ),
    (
        "[[feed]]\n",
        &[
            "feeds.toml:4:1: `id` is missing; name the feed with small letters, digits and hyphens",
            "feeds.toml:4:1: `url` is missing; give the address that is polled",
        ],
    ),
    (
        "[[feed]]\nid = \"B B\"\nurl = \"b.example/rss\"",
        &[
            "feeds.toml:5:6: `id`: the feed id `B B` may only have the characters a-z, 0-9 and -",
            "feeds.toml:6:7: `b.example/rss` is not an address that can be polled: relative URL without a base; write it whole, such as \"https://example.com/rss.xml\"",
        ],
    ),
    (
        "[[feed]]\nid = \"b\"\nurl = \"ftp://b.example/rss\"",
        &[
            "feeds.toml:6:7: `ftp://b.example/rss` is not an address that can be polled: it must begin with http:// or https://",
        ],
    ),
    ("[feeds]", &["feeds.toml:4:2: unknown key `feeds`; did you mean `feed`?"]),
    (
        "user_agent = \"${NOT_SET}\"",
        &[
            "feeds.toml:4:14: the environment variable NOT_SET is not set; set it for the daemon, or write $${ if no variable is meant",
        ],
    ),
];

/// Faults that other modules find; where they show is ours.
#[test]
fn faults_that_others_find() {
    for (lines, place) in [
        ("proxy = \"localhost:3128\"", "4:9"),
        ("charset = \"windows-1257x\"", "4:11"),
        ("kind = \"page\"\n[feed.page]\nentry = \"li\"\nlink = \"a[\"", "7:8"),
        ("[feed.article]\nremove = [\".x\", \"::\"]", "5:10"),
        ("[feed.article]\ntext = \"<\"", "5:8"),
    ] {
        let found = problems_of(&[("feeds.toml", &format!("{FEED}{lines}\n"))]);
        assert_eq!(found.len(), 1, "{lines}: {found:?}");
        assert!(found[0].starts_with(&format!("feeds.toml:{place}: ")), "{lines}: {found:?}");
    }
}

#[test]
fn faults_of_feeds() {
    for (lines, expected) in FEED_FAULTS {
        let text = format!("{FEED}{lines}\n");
        assert_eq!(problems_of(&[("feeds.toml", &text)]), *expected, "{text}");
    }
}

/// The five faults of the three files, each of another sort, at their places.
#[test]
fn five_faults_in_three_files() {
    let files = [
        ("rasid.toml", "[fetch]\nworkers = 8\n  timeout = 20\n\n[serve]\nlisten = \"127.0.0.1:7878\"\n"),
        (
            "feeds.toml",
            "[[feed]]\nid = \"bbc\"\nurl = \"https://a.example/rss\"\n\n[[feed]]\nid = \"bbc\"\ntitle = \"أخبار\" # \nurl = \"b.example\"\n",
        ),
        (
            "topics.toml",
            "[[topic]]\nid = \"weather\"\nlabel = { ar = \"الطقس\", en = \"Weather\" }\ngate = \"طقس OR (مطر\"\n",
        ),
    ];
    let found = problems_of(&files);
    let places: Vec<&str> = found.iter().map(|problem| problem.split(": ").next().unwrap()).collect();
    assert_eq!(
        places,
        ["rasid.toml:3:13", "rasid.toml:5:2", "feeds.toml:6:6", "feeds.toml:8:7", "topics.toml:4:16"],
        "{found:#?}"
    );
}

/// What a `topics.toml` is said to be, whatever the queries say.
#[test]
fn faults_of_topics() {
    let good = "[[topic]]\nid = \"a\"\nlabel = { ar = \"أ\", en = \"A\" }\ngate = \"طقس\"\n";
    for (lines, expected) in [
        ("", vec![]),
        ("[[topic.test]]\ntitle = \"طقس\"\nexpect = \"match\"", vec![]),
        ("gat = 1", vec!["topics.toml:5:1: unknown key `gat`; did you mean `gate`?"]),
        ("threshold = \"2\"", vec!["topics.toml:5:13: `threshold` must be a number, not string \"2\""]),
        (
            "[[topic]]\nlabel = 1\n[[topic.test]]\nexpext = \"match\"",
            vec![
                "topics.toml:5:1: `id` is missing",
                "topics.toml:6:9: `label` must be a table, not integer `1`",
                "topics.toml:7:1: `expect` is missing",
                "topics.toml:8:1: unknown key `expext`; did you mean `expect`?",
            ],
        ),
    ] {
        let text = format!("{good}{lines}\n");
        assert_eq!(problems_of(&[("feeds.toml", ""), ("topics.toml", &text)]), expected, "{text}");
    }
}

#[test]
fn a_pack_that_is_none_is_named() {
    let dir = dir_with(&[("feeds.toml", "")]);
    std::fs::create_dir(dir.path().join("corpus")).unwrap();
    std::fs::write(dir.path().join("corpus/seed.pack"), "text").unwrap();
    std::fs::write(dir.path().join("corpus/README"), "text").unwrap();
    let found = shown(dir.path(), &config::load(dir.path(), &no_env).unwrap_err());
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("corpus/seed.pack:1:1: "), "{found:?}");
}

#[test]
fn failing_tests_of_topics_are_shown_at_their_lines() {
    let text = "[[topic]]\nid = \"a\"\nlabel = { ar = \"أ\", en = \"A\" }\ngate = \"طقس\"\n\n[[topic.test]]\ntitle = \"رياضة\"\nexpect = \"match\"\n";
    let dir = dir_with(&[("feeds.toml", ""), ("topics.toml", text)]);
    let found = shown(dir.path(), &load(dir.path()).topic_tests(&|_| Err("nothing is stored".to_owned())));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("topics.toml:8:10: "), "{found:?}");
}

#[test]
fn feeds_are_added_and_removed_in_place() {
    use rasid::config::{EditError, NewFeed};
    use rasid::source::SourceKind;
    let text = "# Sources.\n\n[defaults]\ninterval = \"10m\" # often\n\n# Gulf\n\n# the first\n[[feed]]\nid = \"a\"   # short\nurl = \"https://a.example/rss\"\n\n# Levant\n\n[[feed]]\nid = \"b\"\nurl = \"https://b.example/rss\"\n";
    let dir = dir_with(&[("feeds.toml", text)]);
    let file = dir.path().join("feeds.toml");
    let now = || std::fs::read_to_string(&file).unwrap();
    let new = |url: &str| NewFeed::new(url.parse().unwrap(), SourceKind::Feed);
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();

    let added = NewFeed {
        title: Some("خبر ${X}".to_owned()),
        kind: SourceKind::Sitemap,
        ..new("https://www.b.example/map.xml")
    };
    let id = config::add_feed(dir.path(), &added, &no_env).unwrap();
    assert_eq!(id.as_str(), "b-2");
    let block = "\n[[feed]]\nid = \"b-2\"\ntitle = \"خبر $${X}\"\nurl = \"https://www.b.example/map.xml\"\nkind = \"sitemap\"\n";
    assert_eq!(now(), format!("{text}{block}"));
    assert_eq!(load(dir.path()).feeds[2].title, "خبر ${X}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);

    // What is wrong changes nothing.
    let before = now();
    assert!(matches!(
        config::add_feed(dir.path(), &new("https://a.example/rss"), &no_env),
        Err(EditError::Known { .. })
    ));
    let taken = NewFeed { id: Some("a".parse().unwrap()), ..new("https://c.example/") };
    assert!(matches!(config::add_feed(dir.path(), &taken, &no_env), Err(EditError::Taken(_))));
    assert!(matches!(config::remove_feed(dir.path(), &"zz".parse().unwrap(), &no_env), Err(EditError::Unknown(_))));
    assert_eq!(now(), before);

    // A comment right above goes with the feed, a heading stays.
    config::remove_feed(dir.path(), &id, &no_env).unwrap();
    assert_eq!(now(), text);
    config::remove_feed(dir.path(), &"a".parse().unwrap(), &no_env).unwrap();
    assert!(now().contains("# Gulf\n") && now().contains("# Levant\n") && !now().contains("the first"), "{}", now());
    config::remove_feed(dir.path(), &"b".parse().unwrap(), &no_env).unwrap();
    assert!(now().contains("# Levant\n"), "{}", now());
    assert_eq!(load(dir.path()).feeds.len(), 0);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file is left");

    // There need not be a file.
    let empty = dir_with(&[]);
    config::add_feed(empty.path(), &new("https://feeds.bbci.co.uk/arabic/rss.xml"), &no_env).unwrap();
    assert_eq!(load(empty.path()).feeds[0].id.as_str(), "bbci");
}

/// What a `rasid.toml` is said to be.
const RASID_FAULTS: &[(&str, &[&str])] = &[
    ("", &[]),
    ("[fetch]\nworkers = 0", &["rasid.toml:2:11: `workers` must be 1 or more"]),
    ("[fetsh]\nworkers = 1", &["rasid.toml:1:2: unknown key `fetsh`; did you mean `fetch`?"]),
    ("fetch = 1", &["rasid.toml:1:9: `fetch` must be a table, not a integer; write its keys below [fetch]"]),
    (
        "[fetch]\nworker = 3\ntimeout = 20\nmax_body = \"10MB\"",
        &[
            "rasid.toml:2:1: unknown key `worker`; did you mean `workers`?",
            "rasid.toml:3:11: `timeout` must be text in quotation marks, not integer `20`",
            "rasid.toml:4:12: `max_body`: `10MB` is not a size; write a whole number and B, KiB, MiB or GiB, such as \"10MiB\"",
        ],
    ),
    (
        "[fetch]\nallow_private = [\"10.0.0.0/8\", \"news.lan\", \"10.0.0.300\"]",
        &["rasid.toml:2:17: `10.0.0.300` is not a host name, an address or a network such as 10.0.0.0/8"],
    ),
    ("[fetch.resolve]\n\"news.example\" = \"127.0.0.7\"\n\"خبر.example\" = \"::1\"", &[]),
    (
        "[fetch.resolve]\n\"news.example\" = \"127.0.0\"",
        &["rasid.toml:2:18: `news.example`: invalid IP address syntax"],
    ),
    (
        "[fetch]\nresolve = { \"http://a.example/\" = \"127.0.0.7\", \"10.0.0.1\" = \"127.0.0.7\" }",
        &[
            "rasid.toml:2:11: `10.0.0.1` is not the name of a host, such as news.example",
            "rasid.toml:2:11: `http://a.example/` is not the name of a host, such as news.example",
        ],
    ),
    (
        "[store]\nretention = \"for ever\"",
        &[
            "rasid.toml:2:13: `retention`: `for ever` is not a time; write a whole number and ms, s, m, h or d, such as \"15m\"",
        ],
    ),
    ("[store]\nretention = \"0s\"", &["rasid.toml:2:13: `retention` must be longer than 0"]),
    ("[server]\nlisten = \"127.0.0.1\"", &["rasid.toml:2:10: `listen`: invalid socket address syntax"]),
    (
        "[server]\nlisten = \"0.0.0.0:80\"",
        &[
            "rasid.toml:2:10: other machines can reach this address, so readers need a token: set `token` below [server], make one with `rasid token add`, or listen on 127.0.0.1",
        ],
    ),
    ("[server]\nlisten = \"0.0.0.0:80\"\ntoken = \"0123456789abcdef\"", &[]),
    ("[server]\nlisten = \"[::1]:80\"", &[]),
    (
        "[server]\nlisten = \"0.0.0.0:80\"\ntoken = \"short\"",
        &["rasid.toml:3:9: `token` is shorter than 16 characters; make one with: openssl rand -hex 24"],
    ),
    (
        "[server]\ncors_origins = [\"*\"]\nrate = \"50\"\nburst = 0\nconnections = 0\nrequest_timeout = \"0s\"",
        &[
            "rasid.toml:2:16: `*` is no origin; write scheme, host and port, such as \"https://news.example\"",
            "rasid.toml:3:8: `rate`: `50` is not a rate; write requests in a second, a minute or an hour, such as \"50/s\", or \"none\"",
            "rasid.toml:4:9: `burst` must be 1 or more",
            "rasid.toml:5:15: `connections` must be 1 or more",
            "rasid.toml:6:19: `request_timeout` must be longer than 0",
        ],
    ),
    (
        "[server]\npublic_url = \"https://me@news.example\"\nwebsub_hub = \"ftp://hub.example\"",
        &[
            "rasid.toml:2:14: `https://me@news.example/` is not for readers; write http:// or https:// without a name, a password or `#`",
            "rasid.toml:3:14: `ftp://hub.example/` is not for readers; write http:// or https:// without a name, a password or `#`",
        ],
    ),
    (
        "[server]\nwebsub_hub = \"https://hub.example\"",
        &["rasid.toml:2:14: a hub has to reach the feeds: set `public_url` to where this interface is for others"],
    ),
    ("[server]\npublic_url = \"https://news.example\"\nwebsub_hub = \"https://hub.example\"", &[]),
    (
        "[queue]\nkind = \"memroy\"",
        &["rasid.toml:2:8: `kind` is \"memroy\", but must be one of `memory`; did you mean \"memory\"?"],
    ),
    (
        "[log]\nlevel = \"inof\"",
        &[
            "rasid.toml:2:9: `inof` is not a log level; write a level (error, warn, info, debug, trace), or levels by module such as \"info,rasid::fetch=debug\"",
        ],
    ),
];

#[test]
fn faults_of_the_daemons_settings() {
    for (text, expected) in RASID_FAULTS {
        assert_eq!(problems_of(&[("feeds.toml", ""), ("rasid.toml", text)]), *expected, "{text}");
    }
}

#[test]
fn what_may_be_missing() {
    let dir = dir_with(&[("feeds.toml", FEED)]);
    let config = load(dir.path());
    assert_eq!(config.store.path, dir.path().join("data"));
    assert_eq!(config.notes.len(), 1, "no topics.toml is worth a note");
    let missing = problems_of(&[]);
    assert!(missing.iter().any(|problem| problem.starts_with("feeds.toml:1:1: this file is missing")), "{missing:?}");
    let nowhere = dir.path().join("nowhere");
    assert_eq!(config::load(&nowhere, &no_env).unwrap_err().len(), 1);
}

#[test]
fn a_file_that_is_not_utf8() {
    let dir = dir_with(&[]);
    std::fs::write(dir.path().join("feeds.toml"), b"# ok\n# \xc7\xe1").unwrap();
    let problems = config::load(dir.path(), &no_env).unwrap_err();
    assert_eq!(shown(dir.path(), &problems), ["feeds.toml:2:3: this is not UTF-8; save the file as UTF-8"]);
}

#[test]
fn the_directory() {
    let env = |name: &str| (name == "RASID_CONFIG").then(|| "/from/env".to_owned());
    assert_eq!(config::find_dir(Some(Path::new("/flag")), &env), Path::new("/flag"));
    assert_eq!(config::find_dir(None, &env), Path::new("/from/env"));
    // Tests run in the repository, which has `config/`.
    assert_eq!(config::find_dir(None, &no_env), Path::new("config"));
}

#[test]
fn secrets_come_from_the_environment_and_stay_there() {
    const SECRET: &str = "correct-horse-battery-staple";
    let env = |name: &str| match name {
        "TOKEN" | "PASSWORD" | "NUMBER" => Some(SECRET.to_owned()),
        _ => None,
    };
    let good = format!("{FEED}username = \"u\"\npassword = \"${{PASSWORD}}\"\nheaders = {{ X = \"$${{X}}\" }}\n");
    let dir = dir_with(&[("feeds.toml", &good), ("rasid.toml", "[server]\ntoken = \"${TOKEN}\"\n")]);
    let config = config::load(dir.path(), &env).unwrap();
    assert_eq!(config.server.token.as_deref(), Some(SECRET));
    assert_eq!(config.feeds[0].password.as_deref(), Some(SECRET));
    assert_eq!(config.feeds[0].headers["X"], "${X}");
    assert!(!format!("{config:?}").contains(SECRET));

    let wrong = [
        "interval = \"${NUMBER}\"",
        "max_entries = \"${NUMBER}\"",
        "kind = \"${NUMBER}\"",
        "timezone = \"${NUMBER}\"",
        "charset = \"${NUMBER}\"",
        "proxy = \"${NUMBER}\"",
        "headers = [\"${NUMBER}\"]",
        "page = \"${NUMBER}\"",
        "[[feed]]\nid = \"${NUMBER} \"\nurl = \"${NUMBER}\"",
        "[feed.article]\nremove = \"${NUMBER}\"",
    ];
    for line in wrong {
        let dir = dir_with(&[("feeds.toml", &format!("{FEED}{line}\n"))]);
        let problems = match config::load(dir.path(), &env) {
            Ok(_) => continue,
            Err(problems) => shown(dir.path(), &problems).join("\n"),
        };
        assert!(!problems.contains(SECRET), "{line}: {problems}");
        assert!(
            problems.contains("NUMBER") || line.starts_with("page") || line.starts_with("proxy"),
            "{line}: {problems}"
        );
    }
}

/// The keys of every section, as `section.key`.
fn keys(value: &toml::Table) -> BTreeMap<String, toml::Value> {
    let section = |(name, section): (&String, &toml::Value)| {
        let keys = section.as_table().unwrap().iter();
        keys.map(|(key, value)| (format!("{name}.{key}"), value.clone())).collect::<Vec<_>>()
    };
    value.iter().flat_map(section).collect()
}

#[test]
fn the_shipped_settings_are_the_defaults() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/rasid.toml");
    let text = std::fs::read_to_string(file).unwrap();
    let written = keys(&text.parse::<toml::Table>().unwrap());

    let dir = dir_with(&[("feeds.toml", "")]);
    let config = load(dir.path());
    let store = rasid::store::StoreConfig { path: "data".into(), ..config.store.clone() };
    let section = |value: Result<toml::Value, toml::ser::Error>| value.unwrap();
    let defaults: toml::Table = [
        ("store", section(toml::Value::try_from(&store))),
        ("fetch", section(toml::Value::try_from(&config.fetch))),
        // Not serialized: it may hold a secret.
        ("server", server_defaults(&config.server).into()),
        ("dedup", section(toml::Value::try_from(&config.dedup))),
        ("stories", section(toml::Value::try_from(&config.stories))),
        ("search", section(toml::Value::try_from(&config.search))),
        ("queue", section(toml::Value::try_from(&config.queue))),
        ("shutdown", section(toml::Value::try_from(&config.shutdown))),
        ("log", section(toml::Value::try_from(&config.log))),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    assert_eq!(written, keys(&defaults));

    // One key a line, each with a comment; keys without a default stand as comments.
    for line in text.lines().filter(|line| line.contains(" = ") && !line.starts_with("# ")) {
        assert!(line.split_once(" = ").unwrap().1.contains("  # ") || line.contains("\" # "), "no comment: {line}");
    }
    assert!(text.contains("\n# token = "));
}

fn server_defaults(server: &rasid::serve::ServerConfig) -> toml::Table {
    assert_eq!(server.rate, "none".parse().unwrap());
    let origins: Vec<toml::Value> = server.cors_origins.iter().map(|origin| origin.as_str().into()).collect();
    toml::Table::from_iter([
        ("listen".to_owned(), server.listen.to_string().into()),
        ("cors_origins".to_owned(), origins.into()),
        ("rate".to_owned(), "none".into()),
        ("burst".to_owned(), i64::from(server.burst).into()),
        ("connections".to_owned(), i64::from(server.connections).into()),
        ("request_timeout".to_owned(), server.request_timeout.to_string().into()),
    ])
}

#[test]
fn the_shipped_directory_is_valid() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let config = load(&dir);
    assert!(config.feeds.len() > 40);
    assert!(config.feeds.iter().all(|feed| feed.enabled || feed.disabled_reason.is_some()));
    let text = std::fs::read_to_string(dir.join("feeds.toml")).unwrap();
    assert!(config.feeds.iter().all(|feed| feed.language.as_deref() == Some("ar")), "{text}");
}

/// The list of known Arabic sources: grades A and B are polled, C waits, X is left out.
#[test]
fn the_shipped_feeds_are_the_known_sources() {
    let Some(file) = crate::support::shared("data/arabic_feeds.tsv") else { return };
    let text = std::fs::read_to_string(file).unwrap();
    let config = load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config"));
    let shipped: BTreeMap<String, bool> =
        config.feeds.iter().map(|feed| (feed.url.to_string(), feed.enabled)).collect();
    let mut listed = BTreeMap::new();
    for row in text.lines().skip(1) {
        let columns: Vec<&str> = row.split('\t').collect();
        let url = url::Url::parse(columns[4]).unwrap().to_string();
        match columns[3] {
            "A" | "B" => drop(listed.insert(url, true)),
            "C" => drop(listed.insert(url, false)),
            grade => assert_eq!(grade, "X"),
        }
    }
    assert_eq!(shipped, listed);
    let ids: BTreeSet<&str> = config.feeds.iter().map(|feed| feed.id.as_str()).collect();
    for row in text.lines().skip(1).filter(|row| !row.contains("\tX\t")) {
        let key = row.split('\t').next().unwrap();
        assert!(ids.contains(key), "{key}");
    }
}

const TOPIC: &str = "[[topic]]\nid = \"csto\"\nlabel = { ar = \"منظمة\", en = \"CSTO\" }\ngate = \"منظمة\"\n";

/// What is said of `rasid.toml` with ages by feed (`a` is one) and by topic (`csto` is one): problems, or else notes.
#[test]
fn ages_name_what_there_is_and_say_something() {
    let rows: &[(&str, &[&str])] = &[
        ("[store.retention_by_topic]\ncsto = \"forever\"\n[store.retention_by_feed]\na = \"30d\"", &[]),
        ("[store.retention_by_topic]\ncsot = \"1d\"", &["2:1: no topic is called `csot`; did you mean `csto`?"]),
        (
            "[store]\nretention_by_topic = { economy = \"1d\" }",
            &["2:24: no topic is called `economy`; remove the line, or add the topic to topics.toml"],
        ),
        (
            "[store.retention_by_feed]\n\na = \"1d\"\nreuters = \"1d\"",
            &[
                "4:1: no feed is called `reuters`; remove the line, or add the feed to feeds.toml, with enabled = false where it is not polled",
            ],
        ),
        (
            "[store.retention_by_feed]\na = \"30\"",
            &["2:5: `a`: `30` is not a time; write a whole number and ms, s, m, h or d, such as \"15m\""],
        ),
        ("[store.retention_by_feed]\na = \"0d\"", &["2:5: `a` must be kept longer than 0, or \"forever\""]),
        (
            "[store.retention_by_feed]\na = \"forever\"",
            &[
                "2:1: the age of `a` changes nothing: the default says the same; the longest age that is said of an item holds",
            ],
        ),
        (
            "[store]\nretention = \"9d\"\n[store.retention_by_topic]\ncsto = \"9d\"",
            &[
                "4:1: the age of `csto` changes nothing: the default says the same; the longest age that is said of an item holds",
            ],
        ),
        // It keeps items of the topic, which would go earlier without it.
        (
            "[store]\nretention = \"9d\"\n[store.retention_by_topic]\ncsto = \"3d\"\n[store.retention_by_feed]\na = \"9d\"",
            &[
                "4:1: the age of `csto` changes nothing: every feed is kept as long; the longest age that is said of an item holds",
            ],
        ),
    ];
    for (text, expected) in rows {
        let dir = dir_with(&[("rasid.toml", text), ("feeds.toml", FEED), ("topics.toml", TOPIC)]);
        let found = match config::load(dir.path(), &no_env) {
            Ok(config) => shown(dir.path(), &config.notes),
            Err(problems) => shown(dir.path(), &problems),
        };
        let about: Vec<_> = found.iter().filter_map(|found| found.strip_prefix("rasid.toml:")).collect();
        assert_eq!(about, *expected, "{text}");
    }
    // A name that is none is told once; and nothing is said of feeds that could not be read.
    let bad = problems_of(&[("rasid.toml", "[store.retention_by_feed]\n\"A B\" = \"1d\""), ("feeds.toml", FEED)]);
    assert!(bad.len() == 1 && bad[0].starts_with("rasid.toml:2:1:") && bad[0].contains("A B"), "{bad:?}");
    let unread = problems_of(&[("rasid.toml", "[store.retention_by_feed]\nb = \"1d\""), ("feeds.toml", "[[feed]]\n")]);
    assert!(unread.iter().all(|problem| problem.starts_with("feeds.toml")), "{unread:?}");
}
