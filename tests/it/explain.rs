//! What a topic's terms reach in articles, and what in a topics file is hardly meant.

use serde_json::Value;

use rasid::topic::config::Sets;
use rasid::topic::explain::{Explain, Explanation, Reach, RuleKind, TermClass};
use rasid::topic::{Article, Problem, Topics, TopicsFile};

use crate::newsroom::{Answer, Server};
use crate::rasid::Home;

const FILE: &str = "
    sets.KZ = ['كازاخستان:g', 'Kazakhstan']
    [[topic]]
    id = 'kz'
    label = { ar = '', en = '' }
    sets.ALL = ['$KZ', 'ألما آتا:n', 'قرقيز*']
    gate = '$ALL'
    [[topic.score]]
    q = '$KZ NEAR/5 (احتجاج OR شغب)'
    w = 1.0
    [[topic.exclude]]
    name = 'sport'
    q = 'lang:fr OR كأس'
    w = -1.0
";

fn explained(texts: &[&str], most: usize) -> Explanation {
    let mut explain = Explain::of(&toml::from_str(FILE).expect("toml"), "kz").expect("a topic");
    texts.iter().for_each(|text| explain.read(&Article { text, language: "ar", ..Article::default() }));
    explain.finish(most)
}

fn entry<'e>(explanation: &'e Explanation, group: &str, term: &str) -> &'e Reach {
    let group = explanation.groups.iter().find(|known| known.name == group).expect(group);
    group.entries.iter().find(|entry| entry.term == term).expect(term)
}

#[test]
fn forms_are_counted_most_frequent_first() {
    let explanation = explained(
        &[
            "احتجاجات في كَازاخستان، والاحتجاجات تتسع. الكازاخستانية",
            "كازاخستان وكازاخستان وكازاخستان؛ ألما-آتا",
            "كأس الشاي والاحتجاجات",
        ],
        2,
    );
    assert_eq!(explanation.articles, 3);
    let rules: Vec<(RuleKind, &str, u64)> =
        explanation.rules.iter().map(|rule| (rule.kind, rule.name.as_str(), rule.articles)).collect();
    let near = "$KZ NEAR/5 (احتجاج OR شغب)";
    assert_eq!(
        rules,
        [(RuleKind::Gate, "gate", 2), (RuleKind::Score, near, 1), (RuleKind::Exclude, "sport", 0)],
        "the cup is in an article that the gate does not hold in"
    );
    let place = entry(&explanation, "$KZ", "كازاخستان:g");
    assert_eq!((place.class, place.articles, place.occurrences, place.others), (TermClass::Place, 2, 5, 1));
    let forms: Vec<(&str, &str, u64)> =
        place.forms.iter().map(|f| (f.form.as_str(), f.sample.as_str(), f.occurrences)).collect();
    assert_eq!(forms, [("كازاخستان", "كَازاخستان", 2), ("وكازاخستان", "وكازاخستان", 2)]);
    let phrase = entry(&explanation, "$ALL", "ألما آتا:n");
    assert_eq!((phrase.class, phrase.occurrences), (TermClass::Phrase, 1));
    assert_eq!((phrase.forms[0].form.as_str(), phrase.forms[0].sample.as_str()), ("الما اتا", "ألما-آتا"));
    assert_eq!(entry(&explanation, near, "احتجاج").occurrences, 3);
    assert_eq!(entry(&explanation, "sport", "lang:fr").class, TermClass::Language);
    for (group, term) in [("$KZ", "Kazakhstan"), ("$ALL", "قرقيز*"), (near, "شغب"), ("sport", "lang:fr")] {
        assert_eq!(entry(&explanation, group, term).occurrences, 0, "{term}");
    }
    let kz = explanation.groups.iter().find(|group| group.name == "$KZ").expect("a group");
    assert_eq!(kz.used_by, ["$ALL", near]);
}

#[test]
fn memory_is_bounded() {
    let mut explain = Explain::query("كازاخ*", &Sets::new()).expect("a query");
    for n in 0..1_000 + 50 {
        let letters: String = n.to_string().bytes().map(|digit| char::from(b'a' + digit - b'0')).collect();
        let text = format!("كازاخ{letters} كازاخ{}", "ن".repeat(1_000));
        explain.read(&Article { text: &text, ..Article::default() });
    }
    let explanation = explain.finish(usize::MAX);
    let reach = &explanation.groups[0].entries[0];
    assert_eq!((reach.forms.len(), reach.others), (1_000, 51));
    assert!(reach.forms.iter().all(|form| form.form.chars().count() <= 120));
    assert_eq!(reach.occurrences, 2 * (1_000 + 50));
}

#[test]
fn what_cannot_be_explained_is_refused() {
    let file: TopicsFile = toml::from_str(FILE).expect("toml");
    assert!(Explain::of(&file, "none").is_none());
    assert_eq!(Explain::query("$NONE", &Sets::new()).err().map(|problems| problems.len()), Some(1));
}

/// What stands at each doubt, and a word of what is said.
fn doubts(file: &str) -> Vec<(String, String)> {
    let parsed: TopicsFile = toml::from_str(file).expect(file);
    assert!(Topics::compile(&parsed).is_ok(), "{file}");
    let shown = |doubt: Problem| (file.get(doubt.span).expect("a place in the file").to_owned(), doubt.message);
    Topics::doubts(&parsed).into_iter().map(shown).collect()
}

#[test]
fn what_is_hardly_meant_is_told_at_its_place() {
    for (file, at, says) in [
        ("sets.A = ['غاز', 'نفط', 'غاز']", "'غاز'", "in $A twice"),
        ("sets.A = ['ألما آتا:n', 'ألما أتا:n']", "'ألما أتا:n'", "the same as `ألما آتا:n`"),
        ("sets.A = ['غاز']\nsets.B = ['$A', '$A']", "'$A'", "in $B twice"),
        ("sets.A = ['غاز', 'من']", "'من'", "function word"),
        ("sets.A = ['=في', 'نفط']", "'=في'", "function word"),
        (
            "topic = [{ id = 'a', label = { ar = '', en = '' }, gate = 'غاز NEAR/3 (نفط OR التي)' }]",
            "التي",
            "function word",
        ),
        (
            "topic = [{ id = 'a', label = { ar = '', en = '' }, gate = 'غاز', score = [{ q = 'نفط', w = 1.0, name = 'oil' }, { q = '(نفط)', w = 1.0 }] }]",
            "(نفط)",
            "rule `oil`",
        ),
        (
            "topic = [{ id = 'a', label = { ar = '', en = '' }, gate = 'lang:ar AND (feed:bbc OR feed:al-*) NOT غاز', score = [{ q = 'نفط', w = 1.0 }] }]",
            "lang:ar AND (feed:bbc OR feed:al-*) NOT غاز",
            "every article of that feed or language is scored",
        ),
        ("topic = [{ id = 'a', label = { ar = '', en = '' }, gate = 'feed:bbc' }]", "feed:bbc", "belongs to the topic"),
    ] {
        let found = doubts(file);
        assert_eq!(found.len(), 1, "{file}: {found:?}");
        assert_eq!(found[0].0, at, "{file}");
        assert!(found[0].1.contains(says), "{file}: {}", found[0].1);
    }
}

#[test]
fn what_is_meant_is_silent() {
    for file in [
        "sets.A = ['كازاخستان:g', 'كازاخستان~1', 'كازاخ*', '=كازاخستان', '2022', 'من دون', 'حكومة', 'حكومه']",
        "sets.A = ['غاز', 'نفط']\ntopic = [{ id = 'a', label = { ar = '', en = '' }, gate = '$A', sets.A = ['غاز'], score = [{ q = '$A', w = 1.0 }, { q = 'title:$A', w = 1.0 }] }]",
        "topic = [{ id = 'a', label = { ar = '', en = '' }, gate = '(feed:bbc AND غاز) OR (lang:en AND نفط) OR url:energy' }]",
    ] {
        assert_eq!(doubts(file), [], "{file}");
    }
}

#[test]
fn a_set_that_is_too_large_is_told() {
    let entries: Vec<String> = (0..=10_000).map(|n| format!("'{n}1'")).collect();
    let found = doubts(&format!("sets.A = [{}]", entries.join(",")));
    assert_eq!(found.len(), 1);
    assert!(found[0].1.contains("10001 entries"), "{}", found[0].1);
}

const TOPICS: &str = "[[topic]]
id = 'gas'
label = { ar = 'غاز', en = 'Gas' }
sets.FUEL = ['غاز', 'وقود', 'بنزين']
gate = '$FUEL'
threshold = 1.0
";

/// A home with three items and the topic above.
fn home(press: &Server) -> Home {
    let home = Home::new("attempts = 1", &format!("[[feed]]\nid = \"wire\"\nurl = \"{}\"\n", press.url("/feed")));
    home.write("topics.toml", TOPICS);
    home.ok(&["feeds", "poll", "wire"]);
    home
}

fn press() -> Server {
    Server::start(|asked| match asked.path.as_str() {
        "/feed" => {
            let items: String = ["ارتفاع أسعار الغاز", "الحكومة ترفع دعم الوقودِ والغازِ", "افتتاح معرض الكتاب"]
                .iter()
                .enumerate()
                .map(|(n, title)| {
                    format!(
                        "<item><guid>{n}</guid><title>{title}</title><pubDate>Thu, 13 Jan 2022 10:0{n}:00 +0300</pubDate></item>"
                    )
                })
                .collect();
            Answer::ok(
                "application/rss+xml",
                format!("<rss version=\"2.0\"><channel><title>ق</title>{items}</channel></rss>"),
            )
        }
        _ => Answer::status(404),
    })
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// What is stored is explained and compared, by a daemon's leave and without one.
#[test]
fn stored_items_are_explained_and_compared() {
    let press = press();
    let home = home(&press);

    let told = json(&home.ok(&["topics", "explain", "gas", "--json"]));
    assert_eq!((&told["id"], &told["articles"]), (&"gas".into(), &3.into()));
    let fuel = &told["groups"][0];
    assert_eq!((&fuel["name"], &fuel["entries"][0]["occurrences"]), (&"$FUEL".into(), &2.into()));
    assert_eq!(fuel["entries"][1]["forms"][0]["sample"], "الوقودِ");
    let shown = home.ok(&["topics", "explain", "gas", "--limit", "1"]);
    assert!(shown.starts_with("3 items looked at\n"), "{shown}");
    assert!(shown.contains("gate\t2\tgate\t$FUEL\n") && shown.contains("never: بنزين\n"), "{shown}");
    assert!(shown.contains("غاز\tnoun\t1\tالغاز\tالغاز\nغاز\tnoun\t1\t(other forms)\t\n"), "{shown}");
    let query = json(&home.ok(&["topics", "explain", "gas", "--query", "$FUEL NEAR/3 دعم", "--json"]));
    assert_eq!((&query["rules"][0]["articles"], &query["groups"][1]["entries"][0]["term"]), (&1.into(), &"دعم".into()));
    let empty = json(&home.ok(&["topics", "explain", "gas", "--since", "2022-02-01", "--json"]));
    assert_eq!(empty["articles"], 0);
    for (arguments, says) in [
        (&["topics", "explain", "none"][..], "there are: gas"),
        (&["topics", "explain", "--query", "غاز AND $NONE"][..], "--query:9: no set is called"),
        (&["topics", "test", "--since", "7d", "--topic", "none"][..], "there are: gas"),
        (&["topics", "test", "--since", "7d", "--text", "غاز"][..], "cannot be used with"),
    ] {
        let output = home.rasid(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && errors.contains(says), "{arguments:?}: {errors}");
    }

    let same = json(&home.ok(&["topics", "test", "--since", "2022-01-01", "--json"]));
    assert_eq!((&same["items"], same["topics"][0]["items"].as_array().map(Vec::len)), (&3.into(), Some(0)));
    let changed = TOPICS.replace("['غاز', 'وقود', 'بنزين']", "['وقود', 'كتاب']");
    home.write("topics.toml", &changed);
    let daemon = home.quiet_daemon();
    home.wait_until_it_answers();
    let told = json(&home.ok(&["topics", "test", "--since", "2022-01-01", "--json"]));
    daemon.terminate();
    let gas = &told["topics"][0];
    let counts = ["gained", "lost", "moved", "rescored"].map(|count| gas[count].as_u64().unwrap());
    assert_eq!(counts, [1, 1, 0, 1], "{told}");
    assert_eq!((&gas["before"]["match"], &gas["after"]["match"]), (&2.into(), &2.into()));
    let kinds: Vec<&str> = gas["items"].as_array().unwrap().iter().map(|item| item["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["gained", "lost", "rescored"]);
    let shown = home.ok(&["topics", "test", "--since", "2022-01-01", "--limit", "1"]);
    assert!(shown.contains("gas\t2\t0\t2\t0\t1\t1\t0\t1\n"), "{shown}");
    assert!(shown.contains("\t–\tmatch 2.00\tافتتاح معرض الكتاب\n") && !shown.contains("lost\t3"), "{shown}");
}

/// A test may be about a stored item; one that is not there is told at its line.
#[test]
fn tests_of_topics_look_at_stored_items() {
    let press = press();
    let home = home(&press);
    let items = home.ok(&["items", "--format", "ndjson"]);
    let item = items.lines().map(json).find(|item| item["topics"][0].is_null()).unwrap();
    let test = |id: &str, expect: &str| format!("{TOPICS}[[topic.test]]\nitem = '{id}'\nexpect = '{expect}'\n");
    let id = item["id"].as_str().unwrap();
    let gone = "0".repeat(32);
    for (file, code, says) in [
        (test(id, "none"), 0, "is valid"),
        (test(id, "match"), 78, "topics.toml:9:10: topic `gas`: this item gives none, not match"),
        (
            test(&gone, "none"),
            78,
            "topics.toml:8:8: topic `gas`: the item 00000000000000000000000000000000 cannot be tested: there is no item",
        ),
        (test("12", "none"), 78, "topics.toml:8:8: "),
        (test(id, "none") + "text = 'غاز'\n", 78, "topics.toml:8:8: `item` stands alone"),
    ] {
        home.write("topics.toml", &file);
        let output = home.rasid(&["check"]);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(code) && errors.contains(says), "{file}: {errors}");
    }
    home.write("topics.toml", &test(&gone, "none"));
    std::fs::remove_dir_all(home.path("data")).unwrap();
    let output = home.rasid(&["check"]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(78) && errors.contains("nothing is stored yet"), "{errors}");
    assert!(!home.path("data").exists(), "a check makes no store");
}
