//! Laws of the language and of matching: what is printed is read back, spelling does not change what an article is about,
//! and evidence stands by itself.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::config::Sets;
use super::query::{At, Nearness, Part, Query, parse};
use super::score::hundredths;
use super::term::{Class, Term};
use super::tests::{compile, sets, topic};
use super::{Article, Decision, Field, Topics};
use crate::text::normalize::normalize;

/// Terms as the parser makes them: one word, or one of a phrase.
fn term(in_phrase: bool) -> impl Strategy<Value = Term> {
    let words = vec![
        "كازاخستان",
        "ألماتي",
        "الماتي",
        "الأسد",
        "حكومة",
        "حُكُومةٌ",
        "الحكومة",
        "غاز",
        "أل",
        "الغد",
        "الـغاز",
        "ﺍﻟﻐﺎﺯ",
        "قوات",
        "وزراء",
        "CSTO",
        "ОДКБ",
        "2022",
        "٢٠٢٢",
        "f16",
        "اللاذقية",
        "آلي",
        "ا",
        "ب",
        "و",
        "ةة",
        "ه",
    ];
    let classes = vec![Class::Noun, Class::Place, Class::Name, Class::Exact, Class::Prefix, Class::Fuzzy];
    (prop::sample::select(words), prop::sample::select(classes))
        .prop_filter_map("not a term", move |(word, class)| Term::new(word, &normalize(word), class, in_phrase).ok())
}

fn words() -> impl Strategy<Value = Query> {
    let at = At::default;
    let one = term(false).prop_map(move |word| Query::Words { words: vec![word], gaps: 0, at: at() });
    let many = (prop::collection::vec(term(true), 1..5), 0_u32..=30);
    prop_oneof![one, many.prop_map(move |(words, gaps)| Query::Words { words, gaps, at: at() })]
}

fn leaf() -> impl Strategy<Value = Query> {
    let set = "[A-Z_]{1,6}|ال[ا-ي]{1,3}".prop_map(|name| Query::Set { name, at: At::default() });
    let field = prop::sample::select(vec![Field::Url, Field::Feed, Field::Language]);
    let value = "[a-z0-9/\\-.*]{1,8}|[a-z] [a-z(]{1,3}|«?[a-z]»?x|a\"b c|\"?a";
    let test = (field, value).prop_filter_map("has no pair of marks", |(field, value)| {
        // What no query can say is not asked for.
        let value = value.trim().to_owned();
        (!value.is_empty()).then_some(Query::Test { field, value })
    });
    prop_oneof![6 => words(), 2 => set, 1 => test]
}

fn tree() -> impl Strategy<Value = Query> {
    leaf().prop_recursive(4, 24, 4, |inner| {
        let near = prop_oneof![
            (1_u32..=30).prop_map(Nearness::Within),
            (1_u32..=30).prop_map(Nearness::Before),
            Just(Nearness::Sentence)
        ];
        let part = prop::sample::select(vec![Part::Title, Part::Lead]);
        let and = (prop::collection::vec(inner.clone(), 1..4), prop::collection::vec(inner.clone(), 0..3))
            .prop_filter_map("one alone is itself", |(all, none)| {
                (all.len() + none.len() > 1).then_some(Query::And { all, none })
            });
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Query::Or),
            and,
            (inner.clone(), prop::collection::vec((near, inner.clone()), 1..3))
                .prop_map(|(first, then)| Query::Near { first: Box::new(first), then }),
            (part, inner).prop_map(|(part, tree)| Query::In(part, Box::new(tree))),
        ]
    })
}

/// Words of the topics below in many spellings, and what may stand between them.
fn text() -> impl Strategy<Value = String> {
    let pieces = vec![
        "كازاخستان",
        "بِكَازَاخِسْتَان",
        "والكـازاخـستانية",
        "ﻛﺎﺯﺍﺧﺴﺘﺎﻥ",
        "منظمة",
        "\"معاهدة",
        "الأمن",
        "الجماعي\"",
        "احتجاجاتٍ",
        "الإحتجاجات",
        "الـ",
        "لـ\"",
        "بـ",
        "CSTO",
        "ＣＳＴＯ",
        "غاز",
        "الغاز،",
        "بالغازِ.",
        "\u{200f}غاز\u{200e}",
        "غا\u{200d}ز",
        "&quot;غاز&quot;",
        "&amp;amp;",
        "ﷺ",
        ".",
        "\n",
        "؟",
        "1,500",
        "٢٠٢٢",
        "و",
        "في",
        "كلمة",
        "#غاز",
        "ـ",
        "َ",
    ];
    let piece = prop_oneof![8 => prop::sample::select(pieces).prop_map(str::to_owned), 1 => "\\PC{0,5}"];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.join(" "))
}

/// A tatweel that shows a proclitic waiting for its word (`بـ كازاخستان`) is the one mark that says more than its letters:
/// what is normalized has lost it.
fn without_waiting_tatweel(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c != 'ـ' || rest.peek().is_some_and(|next| matches!(next, 'ء'..='غ' | 'ف'..='ي')) {
            out.push(c);
        }
    }
    out
}

const GAS: &str = "غاز NEAR/s (كازاخستان:g OR احتجاج OR 1500) OR كازاخستان~1";

fn topics() -> Topics {
    let gate = "\"منظمة معاهدة الأمن الجماعي\"~2 OR CSTO OR $KZ";
    let score = [("CSTO", 1.7), ("\"الأمن الجماعي\"", 0.9), ("$KZ NEAR/6 احتجاج", 2.3)];
    let mut csto = topic("csto", gate, &score, &[("title:غاز", -0.31)]);
    csto.sets = sets(&[("KZ", &["كازاخستان:g", "كازاخ*"])]);
    compile(vec![csto, topic("gas", GAS, &[], &[])])
}

/// Decision, score, and what each rule adds. Which of several places are shown depends on their wording, as it should.
type Seen = Vec<(String, Decision, f32, BTreeMap<String, i64>)>;

fn seen(topics: &Topics, title: &str, summary: &str, text: &str) -> Seen {
    let article = Article { title, summary, text, ..Article::default() };
    let found = topics.classify(&article).into_iter();
    found
        .map(|found| {
            let mut adds = BTreeMap::new();
            for evidence in found.evidence {
                *adds.entry(evidence.rule).or_default() += hundredths(evidence.weight.into());
            }
            (found.id.to_string(), found.decision, found.score, adds)
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_is_read_back(tree in tree()) {
        let printed = tree.to_string();
        let (read, faults) = parse(&printed);
        prop_assert!(faults.is_empty(), "{} {:?}", printed, faults);
        prop_assert_eq!(read, Some(tree), "{}", printed);
    }

    #[test]
    fn what_is_read_is_printed(query in "[ \\(\\)\"a-zا-ي0-9=*~:$/«»]{0,16}|(كازاخستان|\"|و|ال|CSTO| |:n|ـ|AND|OR|1,5|\\.){0,9}") {
        let (tree, faults) = parse(&query);
        if let (Some(tree), true) = (tree, faults.is_empty()) {
            let printed = tree.to_string();
            prop_assert_eq!(parse(&printed), (Some(tree), Vec::new()), "{} {}", query, printed);
        }
    }

    #[test]
    fn spelling_does_not_change_what_it_is_about(title in text(), summary in text(), text in text()) {
        let [title, summary, text] = [title, summary, text].map(|field| without_waiting_tatweel(&field));
        let topics = topics();
        let plain = [&title, &summary, &text].map(|field| normalize(field));
        prop_assert_eq!(seen(&topics, &title, &summary, &text), seen(&topics, &plain[0], &plain[1], &plain[2]));
    }

    #[test]
    fn evidence_stands_by_itself(title in text(), text in text()) {
        let topics = topics();
        for found in topics.classify(&Article { title: &title, text: &text, ..Article::default() }) {
            for evidence in found.evidence {
                let field = if evidence.field == Field::Title { &title } else { &text };
                let cut: String =
                    field.chars().skip(evidence.start as usize).take((evidence.end - evidence.start) as usize).collect();
                prop_assert_eq!(&cut, &evidence.text);
                // A rule without a name is called by its query; the gate of `gas` is its only rule.
                let query = match evidence.rule.as_str() {
                    "gate" if found.id.as_str() == "gas" => GAS,
                    "gate" => "\"منظمة معاهدة الأمن الجماعي\"~2 OR CSTO OR كازاخستان:g OR كازاخ*",
                    "$KZ NEAR/6 احتجاج" => "(كازاخستان:g OR كازاخ*) NEAR/6 احتجاج",
                    other => other,
                };
                let alone = Topics::trial(query, &Sets::new()).expect(query);
                let article = Article { title: &cut, text: &cut, ..Article::default() };
                prop_assert!(!alone.classify(&article).is_empty(), "{} {:?}", query, cut);
            }
        }
    }
}
