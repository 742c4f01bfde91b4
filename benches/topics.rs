//! How fast articles are normalized and matched, beside the same in Python.
//!
//! In: articles of made-up words in the shapes of Arabic ones, and topics of made-up names. Out: MB/s, articles a second and
//! ratios on standard output. Times are the processor's for one core, the best of several, in one run on one machine.
//! Python (`topics.py`, a process of its own that times itself) normalizes by `str.translate` and looks for each topic with
//! one compiled regular expression, the usual way of monitoring scripts; without Python that column is empty.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

use std::collections::HashSet;
use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Write as _;
use std::process::Command;

use fastrand::Rng;
use rasid::text::normalize::{Normalized, normalize};
use rasid::text::tokenize::Words;
use rasid::topic::{Article, Topics, TopicsFile};

mod clock;

const ROUNDS: usize = 7;
const ARTICLES: usize = 1_000;
/// The median of news articles in the trials.
const WORDS: usize = 207;
const VOCABULARY: usize = 40_000;
const TERMS_EACH: usize = 50;

fn best(run: impl FnMut()) -> f64 {
    clock::best(ROUNDS, run)
}

/// A word of two to six letters with the endings and articles that Arabic words have.
fn word(rng: &mut Rng) -> String {
    const LETTERS: [&str; 28] = [
        "ا", "ل", "ي", "م", "و", "ن", "ر", "ت", "ب", "ع", "د", "س", "ف", "ه", "ك", "ق", "ح", "ج", "ش", "ص", "ط", "خ",
        "ض", "ذ", "ث", "ز", "غ", "ظ",
    ];
    let mut word = String::new();
    for _ in 0..rng.usize(3..6) {
        // The frequent letters come first.
        let at = rng.usize(0..LETTERS.len()).min(rng.usize(0..LETTERS.len()));
        word.push_str(LETTERS[at]);
    }
    word
}

fn dressed(rng: &mut Rng, word: &str) -> String {
    let before = ["", "", "", "ال", "ال", "و", "وال", "ب", "لل", "أ"][rng.usize(0..10)];
    let after = ["", "", "", "", "ة", "ات", "ها", "ين", "ى", "ية"][rng.usize(0..10)];
    format!("{before}{word}{after}")
}

/// Articles whose words are as unevenly frequent as those of a language.
fn articles(rng: &mut Rng, vocabulary: &[String]) -> Vec<(String, String)> {
    let mut draw = |count: usize| {
        let mut text = String::new();
        for at in 0..count {
            // Zipf's law, about: the rank is a power of the vocabulary's size.
            let rank = (vocabulary.len() as f64).powf(rng.f64()) as usize;
            let word = dressed(rng, &vocabulary[rank.min(vocabulary.len() - 1)]);
            let mark = match at % 31 {
                30 => ".\n",
                11 => "، ",
                19 => " \"",
                _ => " ",
            };
            write!(text, "{word}{mark}").unwrap();
        }
        text
    };
    (0..ARTICLES).map(|_| (draw(9), draw(WORDS))).collect()
}

/// `count` topics of names, of which the first hundred find something: a tenth of their terms are words of the articles.
fn topics(rng: &mut Rng, vocabulary: &[String], count: usize) -> Vec<Vec<String>> {
    let known: HashSet<&String> = vocabulary.iter().collect();
    (0..count)
        .map(|topic| {
            let mut terms = Vec::with_capacity(TERMS_EACH);
            while terms.len() < TERMS_EACH {
                if topic < 100 && terms.len() < TERMS_EACH / 10 {
                    terms.push(vocabulary[rng.usize(300..vocabulary.len())].clone());
                } else {
                    let name = word(rng) + &word(rng);
                    if !known.contains(&name) {
                        terms.push(name);
                    }
                }
            }
            terms
        })
        .collect()
}

fn compiled(topics: &[Vec<String>]) -> Topics {
    let mut file = String::new();
    for (at, terms) in topics.iter().enumerate() {
        let of = |class: &str, range: std::ops::Range<usize>| {
            terms[range].iter().map(|term| format!("\"{term}{class}\"")).collect::<Vec<_>>().join(", ")
        };
        // Of each topic's terms half are places, a quarter names, a quarter nouns.
        let terms = [of("", 0..12), of(":g", 12..37), of(":n", 37..TERMS_EACH)].join(", ");
        write!(
            file,
            "[[topic]]\nid = \"t{at}\"\nlabel = {{ ar = \"م\", en = \"T\" }}\nsets.A = [{terms}]\ngate = '$A'\n\
             [[topic.score]]\nq = '$A'\nw = 2.0\n"
        )
        .unwrap();
    }
    let file: TopicsFile = toml::from_str(&file).unwrap();
    Topics::compile(&file).unwrap()
}

/// Articles a second in Python, as it says itself.
fn python(articles: &[(String, String)], topics: &[Vec<String>]) -> Option<f64> {
    let directory = std::env::temp_dir().join(format!("rasid-bench-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let mut file = std::fs::File::create(directory.join("articles")).unwrap();
    for (title, text) in articles {
        writeln!(file, "{}", format!("{title} {text}").replace('\n', " ")).unwrap();
    }
    let lines: Vec<String> = topics.iter().map(|terms| terms.join(" ")).collect();
    std::fs::write(directory.join("topics"), lines.join("\n")).unwrap();
    let interpreter = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/topics.py");
    let output = Command::new(interpreter).arg(script).arg(&directory).output().ok();
    std::fs::remove_dir_all(&directory).unwrap();
    String::from_utf8(output?.stdout).ok()?.trim().parse().ok()
}

fn main() {
    let mut rng = Rng::with_seed(7);
    let mut vocabulary: Vec<String> = (0..VOCABULARY).map(|_| word(&mut rng)).collect();
    vocabulary.sort();
    vocabulary.dedup();
    rng.shuffle(&mut vocabulary);
    let articles = articles(&mut rng, &vocabulary);
    let bytes: usize = articles.iter().map(|(title, text)| title.len() + text.len()).sum();
    println!("{ARTICLES} articles of {WORDS} words, {:.1} MB", bytes as f64 / 1e6);

    let mega = |seconds: f64| bytes as f64 / 1e6 / seconds;
    let each = |seconds: f64| ARTICLES as f64 / seconds;
    let plain = best(|| articles.iter().for_each(|(_, text)| drop(black_box(normalize(text)))));
    println!("normalized                      {:8.0} MB/s", mega(plain));
    let tracked = best(|| articles.iter().for_each(|(_, text)| drop(black_box(Normalized::of(text)))));
    println!("normalized with the way back    {:8.0} MB/s", mega(tracked));
    let words = best(|| articles.iter().for_each(|(_, text)| drop(black_box(Words::of(text)))));
    println!("cut into words                  {:8.0} MB/s", mega(words));

    let mut hundred = 0.0;
    for count in [100, 1_000, 10_000] {
        let topics = topics(&mut rng.fork(), &vocabulary, count);
        let compiled = compiled(&topics);
        let mut found = 0;
        let seconds = best(|| {
            found = 0;
            for (title, text) in &articles {
                let article = Article { title, text, ..Article::default() };
                found += black_box(compiled.classify(&article)).len();
            }
        });
        let speed = each(seconds);
        if count == 100 {
            hundred = speed;
        }
        let python = if count == 100 { python(&articles, &topics) } else { None };
        let beside =
            python.map_or(String::new(), |python| format!(", Python {python:.0}: {:.0} times as fast", speed / python));
        println!(
            "{count:6} topics, {:7} terms         {speed:8.0} articles/s ({:.2} of that for 100), {:.2} matches each{beside}",
            count * TERMS_EACH,
            speed / hundred,
            found as f64 / ARTICLES as f64,
        );
    }
}
