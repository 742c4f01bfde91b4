//! The table of surface forms: what a term reaches, and what only looks like it.
//!
//! `tests/fixtures/forms.txt` is the one source; `docs/forms.md` is made from it (`RASID_WRITE_FORMS=1`, or `just forms`).

use std::fmt::Write as _;
use std::path::Path;

use rasid::topic::{Article, Topics, TopicsFile};

const FORMS: &str = include_str!("../fixtures/forms.txt");
const SHIPPED: &str = include_str!("../../config/topics.toml");

/// One term, with the forms that it reaches and those that it does not.
#[derive(Default)]
struct Row {
    section: String,
    query: String,
    reached: Vec<String>,
    missed: Vec<String>,
}

fn rows() -> Vec<Row> {
    let (mut rows, mut section): (Vec<Row>, String) = (Vec::new(), String::new());
    // The first lines say how the file is read.
    for line in FORMS.split_once("\n\n").unwrap().1.lines().filter(|line| !line.is_empty()) {
        let (mark, rest) = line.split_once(' ').unwrap_or_else(|| panic!("`{line}` has no mark"));
        let forms = || rest.split(" · ").map(|form| form.trim().to_owned());
        match mark {
            "#" => section = rest.to_owned(),
            "=" => rows.push(Row { section: section.clone(), query: rest.to_owned(), ..Row::default() }),
            "+" => rows.last_mut().unwrap().reached.extend(forms()),
            "-" => rows.last_mut().unwrap().missed.extend(forms()),
            _ => panic!("`{line}` begins with none of # = + -"),
        }
    }
    rows
}

/// With `\u{…}` as the characters it stands for.
fn unescaped(form: &str) -> String {
    let mut parts = form.split("\\u{");
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        let (code, rest) = part.split_once('}').unwrap();
        out.push(char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap());
        out.push_str(rest);
    }
    out
}

#[test]
fn forms_are_reached_and_near_misses_are_not() {
    let sets = toml::from_str::<TopicsFile>(SHIPPED).unwrap().sets;
    let mut wrong = Vec::new();
    for row in rows() {
        let topics = Topics::trial(&row.query, &sets).unwrap_or_else(|problems| panic!("{}: {problems:?}", row.query));
        let found = |text: &str| !topics.classify(&Article { text, ..Article::default() }).is_empty();
        for (forms, expected) in [(&row.reached, true), (&row.missed, false)] {
            for form in forms {
                let word = unescaped(form);
                let within = format!("قال المتحدث أمس: {word}، وأضاف كلمة.");
                for text in [&word, &within] {
                    if found(text) != expected {
                        wrong.push(format!("{} {} {form}", row.query, if expected { "misses" } else { "reaches" }));
                    }
                }
            }
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_table_is_large_and_says_nothing_twice() {
    let rows = rows();
    let (mut reached, mut missed) = (0, 0);
    for row in &rows {
        let mut forms: Vec<&String> = row.reached.iter().chain(&row.missed).collect();
        forms.sort();
        let all = forms.len();
        forms.dedup();
        assert_eq!(forms.len(), all, "{} has a form twice", row.query);
        assert!(!row.reached.is_empty() && !row.missed.is_empty(), "{}", row.query);
        reached += row.reached.len();
        missed += row.missed.len();
    }
    eprintln!("{} terms, {reached} forms, {missed} near misses", rows.len());
    assert!(rows.len() >= 40 && reached >= 150 && missed >= 100);
}

#[test]
fn the_docs_show_the_same_table() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/forms.md");
    let table = table();
    if std::env::var_os("RASID_WRITE_FORMS").is_some() {
        std::fs::write(&file, &table).unwrap();
    }
    let docs = std::fs::read_to_string(&file).unwrap();
    assert!(docs == table, "docs/forms.md is not made from tests/fixtures/forms.txt: run `just forms`");
}

fn table() -> String {
    let rows = rows();
    let count = |forms: fn(&Row) -> &Vec<String>| rows.iter().map(|row| forms(row).len()).sum::<usize>();
    let mut out = format!(
        "# The forms that a term reaches\n\n\
         {} terms with {} surface forms that each reaches, and {} near misses that it must not: proclitics, nisba,\n\
         spellings, vowel marks, tatweel, presentation forms, invisible marks, typing errors. What the classes of terms mean is\n\
         in [topics.md](topics.md). `$NAME` is a set of `config/topics.toml`; `\\u{{…}}` stands for a character that would not\n\
         be seen.\n\n\
         This page is made from `tests/fixtures/forms.txt` by `just forms`; the tests hold every row.\n",
        rows.len(),
        count(|row| &row.reached),
        count(|row| &row.missed),
    );
    let mut section = "";
    for row in &rows {
        if row.section != section {
            section = &row.section;
            let _ = write!(out, "\n## {section}\n\n| term | reaches | does not reach |\n|---|---|---|\n");
        }
        let _ = writeln!(out, "| `{}` | {} | {} |", row.query, row.reached.join(" · "), row.missed.join(" · "));
    }
    out
}

#[test]
fn the_shipped_topics_hold_nothing_that_is_hardly_meant() {
    let doubts = Topics::doubts(&toml::from_str::<TopicsFile>(SHIPPED).unwrap());
    let told: Vec<&str> = doubts.iter().map(|doubt| doubt.message.as_str()).collect();
    assert!(told.is_empty(), "{told:#?}");
}
