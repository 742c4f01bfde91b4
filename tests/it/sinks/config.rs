//! `[[sink]]`: what is taken, what is refused and where, and that no secret is shown.

use rasid::config;

use crate::rasid::Home;

const FEED: &str = "[[feed]]\nid = \"press\"\nurl = \"https://press.example/rss\"\nenabled = false\n";
const HOOK: &str = "[[sink]]\nname = \"a\"\nkind = \"webhook\"\nurl = \"https://a.example/\"\n";

/// A `rasid.toml`, and what is said of it.
const ROWS: &[(&str, &[&str])] = &[
    (HOOK, &[]),
    ("[sink]\nname = \"a\"", &["1:1: write each sink below its own [[sink]], with two brackets"]),
    (
        "[[sink]]\n",
        &[
            "1:1: `kind` is missing; write \"webhook\", \"nats\" or \"file\"",
            "1:1: `name` is missing; name the sink with small letters, digits and hyphens",
        ],
    ),
    (
        "[[sink]]\nname = \"a\"\nkind = \"webhok\"",
        &["3:8: `kind` is \"webhok\", but must be one of `webhook`, `nats`, `file`; did you mean \"webhook\"?"],
    ),
    ("[[sink]]\nname = \"a\"\nkind = \"webhook\"", &["1:1: `url` is missing; write where to, beginning with http://"]),
    (
        "[[sink]]\nname = \"a\"\nkind = \"webhook\"\nurl = \"ftp://a.example\"\nuri = 1",
        &[
            "4:7: `url` is not an address to send to: it must begin with http:// or https://, and name a host",
            "5:1: unknown key `uri`; did you mean `url`?",
        ],
    ),
    (
        "[[sink]]\nname = \"a\"\nkind = \"webhook\"\nurl = \"https://u:p@a.example\"\nbatch = 0",
        &[
            "4:7: the address has a user's name in it; send it in `headers`, as Authorization",
            "5:9: `batch` must be from 1 to 1000",
        ],
    ),
    (
        "[[sink]]\nname = \"a\"\nkind = \"nats\"\nurl = \"nats://u:p@a.example\"\npassword = \"p\"",
        &[
            "4:7: the address has a user's name in it; write it as `username` and `password`",
            "5:12: `username` and `password` belong together; write both",
        ],
    ),
    (
        "[[sink]]\nname = \"a\"\nkind = \"file\"\npath = \"x\"\nbatch = 5\nattempts = 3",
        &[
            "5:9: `batch` says nothing to a sink of the kind \"file\"; remove it",
            "6:12: `attempts` says nothing to a sink of the kind \"file\"; remove it",
        ],
    ),
    (
        "[[sink]]\nname = \"a\"\nkind = \"file\"\npath = \"x\"\nrotate_size = \"1B\"\nrotate_every = \"0s\"\n[[sink]]\nname = \"a\"\nkind = \"file\"\npath = \"x\"",
        &[
            "5:15: `rotate_size` is below 4KiB; write at least that",
            "6:16: `rotate_every` must be longer than 0",
            "8:8: the name `a` is that of the sink in line 2 already; give this one another",
            "10:8: the sink in line 4 writes this file already; name another",
        ],
    ),
    (
        "[[sink]]\nname = \"a\"\nkind = \"nats\"\nurl = \"nats://a.example\"\nsubject = \"x.{feeds}\"\nfirst_pause = \"20m\"\nmax_dead = 0",
        &[
            "5:11: `subject` cannot be used: in braces may stand: kind, feed, topic, language",
            "6:15: `first_pause` must not be longer than `longest_pause`",
            "7:12: `max_dead` must be 1 or more; `attempts = 0` makes no dead letters",
        ],
    ),
    (
        "[[sink]]\nname = \"a\"\nkind = \"nats\"\nurl = \"nats://a.example\"\nsubject = \"x..{feed}\"\nfeeds = [\"pres\"]\ntopics = [\"nothing-like-it\"]\nkinds = [\"old\"]",
        &[
            "5:11: `subject` cannot be used: a part between two dots is empty",
            "6:9: no feed is called `pres`; did you mean `press`?",
            "7:10: no topic is called `nothing-like-it`",
            "8:10: `kinds` is \"old\", but must be one of `new`, `revised`, `duplicate`, `reclassified`, `removed`",
        ],
    ),
];

fn problems(text: &str) -> Vec<String> {
    let home = Home::new("", FEED);
    home.write("rasid.toml", text);
    let found = config::load(home.dir.path(), &|_| None).err().unwrap_or_default();
    let prefix = home.path("rasid.toml").display().to_string() + ":";
    found.iter().map(|problem| problem.to_string().replace(&prefix, "")).collect()
}

#[test]
fn a_sink_is_told_what_is_wrong_with_it_and_where() {
    for (text, expected) in ROWS {
        assert_eq!(problems(text), *expected, "{text}");
    }
    for (more, expected) in [
        ("secret = \"short\"", "5:10: `secret` is shorter than 16 bytes"),
        ("secret = \"whsec_???\"", "5:10: `secret` begins with whsec_, and its rest is not base64"),
        ("secret_file = \"none\"", "5:15: "),
        ("headers = { \"a b\" = \"c\" }", "5:11: `a b` is not the name of a header"),
        ("headers = { Webhook-Id = \"c\" }", "5:11: the header `Webhook-Id` is set by rasid; remove it"),
        ("headers = { A = \"c\\n\" }", "5:11: `A` may only have printable ASCII characters"),
        ("secret = \"0123456789abcdef\"\nsecret_file = \"x\"", "6:15: `secret` and `secret_file` are both there"),
        ("timeout = \"0s\"", "5:11: `timeout` must be longer than 0"),
        ("languages = [\"\"]", "5:13: a language is empty"),
        ("from = \"middle\"", "5:8: "),
    ] {
        let found = problems(&format!("{HOOK}{more}"));
        assert!(found.len() == 1 && found[0].starts_with(expected), "{more}: {found:?}");
    }
}

#[test]
fn no_secret_is_shown() {
    let home = Home::new(
        "[[sink]]\nname = \"a\"\nkind = \"webhook\"\nurl = \"https://a.example/${HIDDEN}?k=${HIDDEN}\"\n\
         secret = \"${HIDDEN}\"\nheaders = { X = \"${HIDDEN}\" }\n\
         [[sink]]\nname = \"b\"\nkind = \"nats\"\nurl = \"nats://b.example:4222\"\nusername = \"u\"\npassword = \"${HIDDEN}\"\ntoken = \"${HIDDEN}\"\n",
        FEED,
    );
    let secret = "hidden-and-long-enough";
    let env = |name: &str| (name == "HIDDEN").then(|| secret.to_owned());
    let config = config::load(home.dir.path(), &env).unwrap();
    let shown = format!("{:?}", config.sinks);
    assert!(!shown.contains("hidden"), "{shown}");
    for args in [vec!["check"], vec!["sinks", "list"], vec!["sinks", "list", "--json"]] {
        let output = home.command(&args).env("HIDDEN", secret).output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(output.status.success() && !said.contains("hidden"), "{args:?}: {said}");
        assert!(said.contains("2 sinks") || said.contains("nats://b.example:4222 rasid.{kind}"), "{args:?}: {said}");
    }
    home.write("rasid.toml", "[[sink]]\nname = \"a\"\nkind = \"webhook\"\nurl = \"ftp://${HIDDEN}\"\n");
    let wrong = config::load(home.dir.path(), &env).err().unwrap();
    assert!(wrong.len() == 1 && !wrong[0].to_string().contains("hidden"), "{wrong:?}");
}
