//! The language, the places of its faults, and the laws of scoring.

use std::ops::Range;

use proptest::prelude::*;
use serde_spanned::Spanned;

use super::config::{Label, RuleConfig, Sets, TopicConfig, TopicsFile};
use super::{Article, Decision, Evidence, Field, Topics};

fn plain<T>(value: T) -> Spanned<T> {
    Spanned::new(0..0, value)
}

pub(super) fn sets(list: &[(&str, &[&str])]) -> Sets {
    list.iter()
        .map(|(name, terms)| ((*name).to_owned(), terms.iter().map(|t| plain((*t).to_owned())).collect()))
        .collect()
}

pub(super) fn topic(id: &str, gate: &str, score: &[(&str, f32)], exclude: &[(&str, f32)]) -> TopicConfig {
    let rules = |list: &[(&str, f32)]| {
        list.iter().map(|(q, w)| RuleConfig { name: None, q: plain((*q).to_owned()), w: plain(*w) }).collect()
    };
    TopicConfig {
        id: plain(id.to_owned()),
        label: Label::default(),
        description: None,
        sets: Sets::new(),
        gate: Some(plain(gate.to_owned())),
        score: rules(score),
        exclude: rules(exclude),
        threshold: None,
        maybe: None,
        like: None,
        title_gate: true,
        test: Vec::new(),
    }
}

pub(super) fn compile(topic: Vec<TopicConfig>) -> Topics {
    Topics::compile(&TopicsFile { sets: Sets::new(), topic }).expect("topics")
}

fn found(query: &str, article: &Article<'_>) -> Vec<String> {
    let shared = sets(&[("KZ", &["كازاخستان:g", "ألماتي:n"]), ("UNREST", &["احتجاج", "شغب"])]);
    let topics = Topics::trial(query, &shared).unwrap_or_else(|problems| panic!("{query}: {problems:?}"));
    topics.classify(article).into_iter().flat_map(|m| m.evidence).map(|e| e.text).collect()
}

#[test]
fn operators() {
    let text = "شهدت كازاخستان احتجاجات واسعة. وفي بلد آخر بعيد جدا عن هنا وقعت أعمال شغب كبيرة";
    let article = Article {
        title: "ألماتي تحترق",
        text,
        url: "https://News.example/ar/1",
        feed: "al-masdar",
        language: "ar-KZ",
        ..Article::default()
    };
    for (query, expected) in [
        ("كازاخستان AND شغب", &["كازاخستان", "شغب"][..]),
        ("كازاخستان AND زلزال", &[]),
        ("كازاخستان NOT شغب", &[]),
        ("كازاخستان AND NOT زلزال", &["كازاخستان"]),
        ("زلزال OR شغب", &["شغب"]),
        ("(زلزال OR شغب) AND كازاخستان", &["كازاخستان", "شغب"]),
        ("كازاخستان NEAR/1 احتجاج", &["كازاخستان احتجاجات"]),
        ("احتجاج NEAR/1 كازاخستان", &["كازاخستان احتجاجات"]),
        ("احتجاج ONEAR/3 كازاخستان", &[]),
        ("كازاخستان ONEAR/3 احتجاج", &["كازاخستان احتجاجات"]),
        ("كازاخستان NEAR/5 شغب", &[]),
        ("كازاخستان NEAR/20 شغب", &["كازاخستان احتجاجات واسعة. وفي بلد آخر بعيد جدا عن هنا وقعت أعمال شغب"]),
        ("كازاخستان NEAR/s شغب", &[]),
        ("كازاخستان NEAR/s واسعة", &["كازاخستان احتجاجات واسعة"]),
        ("$KZ NEAR/3 $UNREST", &["كازاخستان احتجاجات"]),
        ("$KZ", &["ألماتي", "كازاخستان"]),
        ("title:$KZ", &["ألماتي"]),
        ("lead:$KZ", &["كازاخستان"]),
        ("title:(تحترق AND ألماتي)", &["ألماتي", "تحترق"]),
        ("title:كازاخستان", &[]),
        ("ألماتي NEAR/30 كازاخستان", &[]),
        ("$KZ AND url:news.example", &["ألماتي", "كازاخستان", "News.example"]),
        ("url:\"/ar/\" AND شغب", &["شغب", "/ar/"]),
        ("feed:al-masdar", &["al-masdar"]),
        ("feed:al-* AND شغب", &["شغب", "al-masdar"]),
        ("feed:al", &[]),
        ("lang:ar", &["ar-KZ"]),
        ("lang:a", &[]),
        ("كازاخستان NEAR/1 احتجاج NEAR/1 واسعة", &["كازاخستان احتجاجات واسعة"]),
    ] {
        assert_eq!(found(query, &article), expected, "{query}");
    }
}

#[test]
fn the_summary_counts_once() {
    let text = "شهدت كازاخستان احتجاجات واسعة في عدة مدن";
    let fields = |summary, text| {
        let topics = Topics::trial("كازاخستان", &Sets::new()).expect("query");
        let matches = topics.classify(&Article { summary, text, ..Article::default() });
        matches.into_iter().flat_map(|m| m.evidence).map(|e| e.field).collect::<Vec<_>>()
    };
    assert_eq!(fields(text, text), [Field::Text]);
    assert_eq!(fields("شهدت «كازاخستان» احتجاجات واس…", text), [Field::Text]);
    assert_eq!(fields(text, ""), [Field::Summary]);
    assert_eq!(fields("تتواصل الأزمة في كازاخستان", text), [Field::Summary, Field::Text]);
}

/// A query, where its first fault stands (as text; empty: at the end), and a word of what is said.
#[test]
fn faults_point_at_what_is_wrong() {
    for (query, at, says) in [
        ("", "", "empty"),
        ("   ", "   ", "empty"),
        ("كازاخستان AND", "", "ends"),
        ("AND كازاخستان", "AND", "operator"),
        ("NOT كازاخستان", "NOT", "takes away"),
        ("روسيا كازاخستان", "كازاخستان", "operator is missing"),
        ("(روسيا OR كازاخستان", "(", "never closed"),
        ("روسيا)", ")", "closes nothing"),
        ("روسيا AND ()", ")", "expected"),
        ("روسيا AND \"الأمن", "\"", "never closed"),
        ("روسيا AND «الأمن", "«", "never closed"),
        ("روسيا NEAR/31 كازاخستان", "NEAR/31", "1 to 30"),
        ("روسيا NEAR كازاخستان", "NEAR", "distance"),
        ("روسيا OR قوا*", "قوا", "at least 4"),
        ("روسيا OR روسيا~1", "روسيا", "from 6"),
        ("روسيا OR كازاخستان~2", "كازاخستان~2", "one edit"),
        ("روسيا OR كازاخستان:x", "كازاخستان:x", "one mark"),
        ("روسيا OR $NOWHERE", "$NOWHERE", "no set"),
        ("روسيا OR $", "$", "name a set"),
        ("روسيا OR \"!\"", "\"!\"", "no word"),
        ("روسيا OR ...", "...", "no letters"),
        ("روسيا OR و", "و", "single letter"),
        ("روسيا OR =و", "و", "single letter"),
        ("url: AND روسيا", "url:", "value"),
        ("\"حفظ السلام\"~99", "~99", "after a phrase"),
        ("روسيا NOT روسيا", "روسيا NOT روسيا", "never match"),
        ("روسيا NEAR/3 lang:ar", "روسيا NEAR/3 lang:ar", "near nothing"),
        ("title:lang:ar", "title:lang:ar", "never match"),
        ("title:lead:روسيا", "title:lead:روسيا", "at once"),
    ] {
        let problems = Topics::trial(query, &Sets::new()).expect_err(query);
        let problem = &problems[0];
        assert_eq!(query.get(problem.span.clone()), Some(at), "{query}: {problems:?}");
        assert!(problem.message.contains(says), "{query}: {}", problem.message);
    }
}

#[test]
fn nesting_is_bounded() {
    for deep in ["(".repeat(100_000), "title:".repeat(100_000) + "روسيا"] {
        assert!(Topics::trial(&deep, &Sets::new()).is_err());
    }
    let long = vec!["روسيا"; 20_000].join(" OR ");
    assert!(Topics::trial(&long, &Sets::new()).is_ok());
}

/// What the `toml` crate would say of the string `literal` at byte 100.
fn problem_in(literal: &str, value: &str) -> Range<usize> {
    let mut config = topic("a", "", &[], &[]);
    config.gate = Some(Spanned::new(100..100 + literal.len(), value.to_owned()));
    Topics::compile(&TopicsFile { sets: Sets::new(), topic: vec![config] }).expect_err(value)[0].span.clone()
}

#[test]
fn problems_point_into_the_file() {
    let at = "روسيا OR ".len();
    let query = "روسيا OR $X";
    for (open, close) in [("'", "'"), ("\"", "\""), ("'''", "'''"), ("\"\"\"\n", "\"\"\"")] {
        let begin = 100 + open.len() + at;
        assert_eq!(problem_in(&format!("{open}{query}{close}"), query), begin..begin + 2, "{open}");
    }
    let escaped = r#""\"روسيا\" OR $X""#;
    assert_eq!(problem_in(escaped, "\"روسيا\" OR $X"), 100..100 + escaped.len());
    let four = r#""\"روسيا\" OR \"غاز\" OR $X""#;
    assert_eq!(problem_in(four, "\"روسيا\" OR \"غاز\" OR $X"), 100..100 + four.len());
    assert_eq!(problem_in("'غاز AND'", "غاز AND"), 100 + 11..100 + 12);
}

#[test]
fn all_problems_are_told_at_once() {
    let mut file =
        TopicsFile { sets: sets(&[("A", &["$B"]), ("B", &["غاز", "$A"]), ("C", &["قوا*"])]), topic: Vec::new() };
    file.topic.push(topic("Bad Id", "$EMPTY", &[("$X", 1.0)], &[("غاز", 1.0)]));
    file.topic[0].sets = sets(&[("EMPTY", &[])]);
    file.topic.push(topic("low", "غاز", &[("غاز", 0.2)], &[]));
    file.topic.push(topic("low", "غاز", &[("غاز", -3.0)], &[]));
    let mut maybe = topic("maybe", "غاز", &[], &[]);
    maybe.maybe = Some(plain(2.0));
    file.topic.push(maybe);
    let problems = Topics::compile(&file).expect_err("problems");
    for part in [
        "in a circle",
        "at least 4",
        "`Bad Id`",
        "no entries",
        "`$X`",
        "is positive",
        "never be reached",
        "used twice",
        "is negative",
        "above the threshold",
    ] {
        assert!(problems.iter().any(|problem| problem.message.contains(part)), "{part}: {problems:#?}");
    }
    assert_eq!(problems.len(), 10, "{problems:#?}");
}

/// A gate, a rule, and whether the gate leaves the rule anything to find.
#[test]
fn a_rule_that_asks_for_what_the_gate_excludes_is_refused() {
    for (gate, rule, fine) in [
        ("غاز NOT رياضة", "رياضة", false),
        ("غاز NOT (رياضة OR كرة)", "كرة", false),
        ("غاز NOT (رياضة OR كرة)", "كرة OR رياضة", false),
        ("غاز NOT $S", "كرة NEAR/3 غاز", false),
        ("غاز NOT $S", "title:كرة", false),
        ("غاز NOT $S", "غاز AND كرة", false),
        ("(غاز NOT $S) AND نفط", "$S", false),
        ("غاز NOT (كرة NEAR/3 قدم)", "قدم AND (كرة NEAR/3 قدم)", false),
        ("غاز NOT $S", "كرة OR نفط", true),
        ("غاز NOT $S", "غاز NOT كرة", true),
        ("غاز NOT title:كرة", "كرة", true),
        ("غاز NOT (كرة NEAR/3 قدم)", "كرة", true),
        ("(غاز NOT كرة) OR نفط", "كرة", true),
        ("title:(غاز NOT كرة)", "كرة", true),
        ("غاز NOT \"كرة القدم\"", "كرة", true),
    ] {
        let mut config = topic("a", gate, &[("غاز", 1.0), (rule, 1.0)], &[]);
        config.sets = sets(&[("S", &["كرة", "رياضة"])]);
        let told = Topics::compile(&TopicsFile { sets: Sets::new(), topic: vec![config.clone()] }).err();
        assert_eq!(told.is_none(), fine, "{gate} / {rule}: {told:?}");
        config.like = Some(super::config::LikeConfig::default());
        assert!(compile(vec![config]).len() == 1, "likeness opens it without its gate");
    }
    for impossible in ["$S NOT ($S OR غاز)", "(كرة AND غاز) NOT كرة", "كرة NEAR/3 غاز NOT رياضة NOT كرة"]
    {
        let told = Topics::trial(impossible, &sets(&[("S", &["كرة", "رياضة"])]));
        assert!(told.is_err_and(|told| told[0].message.contains("never match")), "{impossible}");
    }
}

#[test]
fn sets_include_and_hide_others() {
    let mut one = topic("one", "$ALL", &[], &[]);
    one.sets = sets(&[("GAS", &["غاز", "بنزين"])]);
    let mut two = topic("two", "$GAS OR $FUEL", &[], &[]);
    two.sets = sets(&[("FUEL", &["$ALL", "وقود"])]);
    let shared = sets(&[("GAS", &["غاز"]), ("ALL", &["$GAS", "نفط"])]);
    let topics = Topics::compile(&TopicsFile { sets: shared, topic: vec![one, two] }).expect("topics");
    let ids = |text| {
        topics
            .classify(&Article { text, ..Article::default() })
            .into_iter()
            .map(|m| m.id.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids("أسعار النفط"), ["one", "two"]);
    assert_eq!(ids("أسعار الوقود"), ["two"]);
    // A shared set does not see a topic's own.
    assert_eq!(ids("أسعار البنزين"), Vec::<String>::new());
}

fn judged(topics: &Topics, title: &str, text: &str) -> Option<(Decision, f32, Vec<Evidence>)> {
    topics.classify(&Article { title, text, ..Article::default() }).pop().map(|m| (m.decision, m.score, m.evidence))
}

#[test]
fn scores_follow_the_formula() {
    let topics = compile(vec![topic("gas", "غاز", &[("غاز", 3.0)], &[("رياضة", -1.0)])]);
    let far = "كلمة ".repeat(60);
    for (title, text, score) in [
        ("أسعار الغاز", String::new(), 3.0),            // 3 × 1/2 × 2
        ("", "أسعار الغاز".to_owned(), 2.25),           // 3 × 1/2 × 1.5
        ("", format!("{far} الغاز"), 1.5),              // 3 × 1/2
        ("", format!("{far} الغاز والغاز وغاز"), 2.25), // 3 × 3/4
        ("أسعار الغاز", "الغاز".to_owned(), 5.0),       // 3 × 2/3 × 2.5
        ("أسعار الغاز", "رياضة".to_owned(), 2.25),      // 3 × 1/2 × 2 − 1 × 1/2 × 1.5
    ] {
        let (decision, got, _) = judged(&topics, title, &text).expect(&text);
        assert_eq!((decision, got), (Decision::Match, score), "{title} / {text}");
    }
    assert_eq!(judged(&topics, "", "رياضة"), None);
}

#[test]
fn a_gate_in_the_title_is_worth_a_look() {
    let mut config = topic("kz", "كازاخستان:g", &[("احتجاج", 2.0)], &[("كأس", -1.0)]);
    let topics = compile(vec![config.clone()]);
    let (decision, score, evidence) = judged(&topics, "رئيس كازاخستان يزور الجوار", "").expect("maybe");
    assert_eq!((decision, score), (Decision::Maybe, 0.0));
    assert_eq!((evidence[0].rule.as_str(), evidence[0].weight, evidence[0].text.as_str()), ("gate", 0.0, "كازاخستان"));
    assert_eq!(judged(&topics, "كأس كازاخستان", ""), None, "a penalty takes it away");
    assert_eq!(judged(&topics, "", "رئيس كازاخستان يزور الجوار"), None, "not in the title");
    config.title_gate = false;
    assert_eq!(judged(&compile(vec![config]), "رئيس كازاخستان يزور الجوار", ""), None, "switched off");
}

#[test]
fn evidence_shows_each_wording_first() {
    let topics = compile(vec![topic("gas", "غاز", &[], &[])]);
    let (_, score, evidence) = judged(&topics, "", "غاز غاز غاز غاز غاز غاز غاز الغاز للغاز").expect("match");
    let texts: Vec<&str> = evidence.iter().map(|e| e.text.as_str()).collect();
    assert_eq!(texts, ["غاز", "غاز", "غاز", "الغاز", "للغاز"]);
    assert_eq!(score, 2.7, "2 × 9/10 × 1.5");
}

#[test]
fn the_version_follows_what_matters() {
    let file = |gate: &str| TopicsFile { sets: Sets::new(), topic: vec![topic("a", gate, &[], &[])] };
    let version = |file: &TopicsFile| Topics::compile(file).expect("topics").version();
    let mut moved = file("غاز");
    moved.topic[0].gate = Some(Spanned::new(7..20, "غاز".to_owned()));
    assert_eq!(version(&file("غاز")), version(&moved));
    assert_ne!(version(&file("غاز")), version(&file("نفط")));
    assert_eq!(Topics::default().version(), 0);
}

/// Arabic of the topics, punctuation that the language uses, and anything else.
fn wild() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "كازاخستان",
        "الكازاخية",
        "منظمة",
        "\"معاهدة",
        "الأمن",
        "الجماعي\"",
        "احتجاجات",
        "بـ",
        "الـ",
        "CSTO",
        "لـ\"",
        "غاز",
        ".",
        "\n",
        "ﷺ",
        "e\u{301}",
        "َ",
        "ـ",
        "&amp;",
        "ﻻ",
        "AND",
        "OR",
        "NOT",
        "NEAR/3",
        "NEAR/s",
        "(",
        ")",
        "$KZ",
        "title:",
        "lead:",
        "url:",
        "=",
        "*",
        "~1",
        "~",
        ":g",
        "«",
        "»",
        "\"",
    ]);
    let piece = prop_oneof![4 => word.prop_map(str::to_owned), 1 => "\\PC{0,6}", 1 => any::<String>()];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.join(" "))
}

fn laws_topics() -> Vec<TopicConfig> {
    vec![
        topic(
            "csto",
            "\"منظمة معاهدة الأمن الجماعي\" OR CSTO",
            &[("CSTO", 1.7), ("\"الأمن الجماعي\"", 0.9)],
            &[("غاز", -0.31)],
        ),
        topic(
            "kz",
            "كازاخ* OR lang:ar",
            &[("كازاخستان:g", 1.0), ("كازاخ* NEAR/9 احتجاج", 2.3)],
            &[("title:غاز", -0.07)],
        ),
        topic("gas", "غاز", &[], &[]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn evidence_slices_the_field_and_adds_up(title in wild(), summary in wild(), text in wild(), url in wild(), language in "(ar)?|\\PC{0,4}") {
        let topics = compile(laws_topics());
        let article = Article { title: &title, summary: &summary, text: &text, url: &url, feed: &url, language: &language };
        for found in topics.classify(&article) {
            let total: i64 = found.evidence.iter().map(|e| (e.weight * 100.0).round() as i64).sum();
            prop_assert_eq!(total, (found.score * 100.0).round() as i64);
            prop_assert!((found.evidence.iter().map(|e| e.weight).sum::<f32>() - found.score).abs() < 1e-4);
            prop_assert!(!found.evidence.is_empty());
            for e in found.evidence {
                let field = match e.field {
                    Field::Title => &title,
                    Field::Summary => &summary,
                    Field::Text => &text,
                    Field::Url | Field::Feed => &url,
                    Field::Language => &language,
                };
                let slice: String = field.chars().skip(e.start as usize).take((e.end - e.start) as usize).collect();
                prop_assert_eq!(slice, e.text);
            }
        }
    }

    #[test]
    fn any_query_parses_or_is_refused(query in wild(), text in wild()) {
        match Topics::trial(&query, &sets(&[("KZ", &["كازاخستان:g"])])) {
            Ok(topics) => drop(topics.classify(&Article { title: &text, text: &query, ..Article::default() })),
            Err(problems) => {
                prop_assert!(!problems.is_empty());
                for problem in problems {
                    prop_assert!(query.get(problem.span.clone()).is_some() || problem.span == (query.len()..query.len() + 1), "{:?}", problem);
                }
            }
        }
    }

    #[test]
    fn topics_do_not_see_each_other(title in wild(), text in wild()) {
        let article = Article { title: &title, text: &text, language: "ar", ..Article::default() };
        let all = laws_topics();
        let together = compile(all.clone()).classify(&article);
        for one in all {
            let id = one.id.get_ref().clone();
            let alone = compile(vec![one]).classify(&article);
            let among: Vec<_> = together.iter().filter(|m| m.id.as_str() == id).cloned().collect();
            prop_assert_eq!(alone, among);
        }
    }
}
