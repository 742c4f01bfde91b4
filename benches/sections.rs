//! How well and how fast topics learned from examples tell sections apart, beside scikit-learn on the same splits.
//!
//! In: the 8,000 labelled articles that stand beside a checkout (`../shared/data/articles_dev.jsonl.gz`), the two sections of
//! world news merged. Out: accuracy and macro-F1 with each outlet left out and on a random fifth; articles a second;
//! average precision from five examples of a section or story, six random draws for each, on each half of the articles.
//! scikit-learn runs in `sections.py` on the same splits and draws: TF-IDF and a linear SVM with their defaults, and from
//! five examples Rocchio and balanced logistic regression. Times are those that a thread had a core to itself.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use flate2::read::GzDecoder;
use rasid::text::tokenize::Words;
use rasid::topic::bag::{Background, Bag, Vector};
use rasid::topic::learn::{Fit, Linear, logistic};
use rasid::topic::like::{Learned, Lesson, Way, teach};
use rasid::topic::models::Models;
use rasid::topic::{Article, Topics, TopicsFile};
use serde_json::Value;

mod clock;

struct Labelled {
    outlet: String,
    section: String,
    title: String,
    text: String,
}

fn read(path: &Path) -> Vec<Labelled> {
    let lines = BufReader::new(GzDecoder::new(std::fs::File::open(path).unwrap())).lines();
    lines
        .map(|line| {
            let row: Value = serde_json::from_str(&line.unwrap()).unwrap();
            let field = |name: &str| row[name].as_str().unwrap().to_owned();
            let section = match field("label").as_str() {
                "internationalNews" | "middleEast" => "world".to_owned(),
                other => other.to_owned(),
            };
            Labelled { outlet: field("source"), section, title: field("title"), text: field("text") }
        })
        .collect()
}

/// Accuracy and macro-F1 in per cent: the section whose model scores highest.
fn judge(articles: &[Labelled], vectors: &[Vector], test: &[bool], models: &BTreeMap<&str, Linear>) -> (f64, f64) {
    let mut counts: BTreeMap<&str, [f64; 3]> = BTreeMap::new();
    let (mut right, mut all) = (0.0, 0.0);
    for ((article, vector), _) in articles.iter().zip(vectors).zip(test).filter(|(_, test)| **test) {
        let best = models.iter().max_by(|a, b| a.1.score(vector).total_cmp(&b.1.score(vector))).unwrap();
        all += 1.0;
        counts.entry(article.section.as_str()).or_default()[1] += 1.0;
        counts.entry(*best.0).or_default()[2] += 1.0;
        if *best.0 == article.section {
            right += 1.0;
            counts.entry(*best.0).or_default()[0] += 1.0;
        }
    }
    let f1: f64 = counts.values().map(|[hit, is, said]| 2.0 * hit / (is + said)).sum();
    (100.0 * right / all, 100.0 * f1 / counts.len() as f64)
}

fn learn<'a>(articles: &'a [Labelled], vectors: &[Vector], test: &[bool]) -> BTreeMap<&'a str, Linear> {
    let sections: BTreeMap<&str, ()> = articles.iter().map(|article| (article.section.as_str(), ())).collect();
    let of = |section: &str, is: bool| -> Vec<&Vector> {
        let rows = articles.iter().zip(vectors).zip(test);
        rows.filter(|((a, _), test)| !**test && (a.section == section) == is).map(|((_, v), _)| v).collect()
    };
    sections.into_keys().map(|s| (s, logistic(&of(s, true), &of(s, false), Fit::default()))).collect()
}

/// Articles on one story, told by names in their headlines, as they are written without vowel marks.
const STORIES: [(&str, &str); 16] = [
    ("khashoggi", "خاشقجي"),
    ("skripal", "سكريبال"),
    ("ghouta", "الغوطة"),
    ("hodeidah", "الحديدة"),
    ("nuclear deal", "النووي"),
    ("korea", "كوريا الشمالية"),
    ("sanctions", "عقوبات"),
    ("world cup", "مونديال"),
    ("liverpool", "ليفربول"),
    ("barcelona", "برشلونة"),
    ("ronaldo", "رونالدو"),
    ("facebook", "فيسبوك"),
    ("google", "غوغل"),
    ("putin", "بوتين"),
    ("lebanon", "لبنان"),
    ("bahrain", "البحرين"),
];
/// Random draws of five examples for each section and story.
const DRAWS: u32 = 4;

/// What is to be found from five examples, by places in the file.
#[derive(serde::Serialize)]
struct Task {
    kind: &'static str,
    half: usize,
    relevant: Vec<usize>,
    draws: Vec<[usize; 5]>,
}

/// The articles of one half: what stands for the stream, and what is judged.
#[derive(serde::Serialize)]
struct Half {
    stream: Vec<usize>,
    test: Vec<usize>,
}

/// Two halves, by chance; of each three tenths are stream, three give examples, four are judged.
fn halves(articles: &[Labelled]) -> (Vec<Half>, Vec<Task>) {
    let mut chance = fastrand::Rng::with_seed(11);
    let mut order: Vec<usize> = (0..articles.len()).collect();
    chance.shuffle(&mut order);
    let sections: BTreeMap<&str, ()> = articles.iter().map(|article| (article.section.as_str(), ())).collect();
    let (mut halves, mut tasks) = (Vec::new(), Vec::new());
    for (half, all) in order.chunks(articles.len().div_ceil(2)).enumerate() {
        let (stream, rest) = all.split_at(all.len() * 3 / 10);
        let (known, test) = rest.split_at(all.len() * 3 / 10);
        let mut task = |kind, is: &dyn Fn(&Labelled) -> bool| {
            let known: Vec<usize> = known.iter().copied().filter(|at| is(&articles[*at])).collect();
            let relevant: Vec<usize> = test.iter().copied().filter(|at| is(&articles[*at])).collect();
            if known.len() >= 6 && relevant.len() >= 5 {
                let mut draw = |_| -> [usize; 5] {
                    let chosen: Vec<usize> = chance.choose_multiple(&known, 5).into_iter().copied().collect();
                    chosen.try_into().unwrap()
                };
                let draws = (0..DRAWS).map(&mut draw);
                tasks.push(Task { kind, half, relevant, draws: draws.collect() });
            }
        };
        for section in sections.keys() {
            task("section", &|article| article.section == **section);
        }
        for (_, name) in STORIES {
            task("story", &|article| article.title.contains(name));
        }
        halves.push(Half { stream: stream.to_vec(), test: test.to_vec() });
    }
    (halves, tasks)
}

/// Average precision of each draw of each task.
fn from_five(bags: &[Bag], halves: &[Half], tasks: &[Task]) -> Vec<Vec<f64>> {
    let mut learned = Vec::new();
    for half in halves {
        let stream: Vec<Bag> = half.stream.iter().map(|at| bags[*at].clone()).collect();
        let background = Background::of(&stream);
        let vectors: Vec<Vector> = half.test.iter().map(|at| background.vector(&bags[*at])).collect();
        learned.push((stream, background, vectors));
    }
    let one = |task: &Task, draw: &[usize; 5]| {
        let (stream, background, vectors) = &learned[task.half];
        let examples: Vec<Bag> = draw.iter().map(|at| bags[*at].clone()).collect();
        let (model, _) = teach(Lesson { examples: &examples, against: &[], stream, background }).unwrap();
        let test = halves[task.half].test.iter().zip(vectors);
        let mut ranked: Vec<(f32, bool)> =
            test.map(|(at, vector)| (model.model.score(vector), task.relevant.contains(at))).collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let (mut found, mut sum) = (0.0, 0.0);
        for (rank, _) in ranked.iter().enumerate().filter(|(_, (_, is))| *is) {
            found += 1.0;
            sum += found / (rank + 1) as f64;
        }
        sum / found
    };
    tasks.iter().map(|task| task.draws.iter().map(|draw| one(task, draw)).collect()).collect()
}

/// The mean over tasks, and the mean over tasks of the deviation among draws.
fn spread(precisions: &[&Vec<f64>]) -> (f64, f64) {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let deviation = |values: &Vec<f64>| {
        let middle = mean(values);
        mean(&values.iter().map(|value| (value - middle).powi(2)).collect::<Vec<_>>()).sqrt()
    };
    let means: Vec<f64> = precisions.iter().map(|values| mean(values)).collect();
    let deviations: Vec<f64> = precisions.iter().map(|values| deviation(values)).collect();
    (mean(&means), mean(&deviations))
}

/// Articles a second: the sections of the last split judged by its models, and the same topics through the whole of
/// classification, evidence included. Cutting into words is part of both.
fn speed(articles: &[Labelled], test: &[bool], background: &Background, models: &BTreeMap<&str, Linear>) -> (f64, f64) {
    let learned = |model: &Linear| Learned {
        way: Way::Logistic,
        model: model.clone(),
        alone: 0.0,
        with_gate: -1.0,
        examples: 0,
        against: 0,
        stream: 0,
    };
    let all = Models::new(background, models.values().map(learned).enumerate().collect());
    let judged: Vec<&Labelled> = articles.iter().zip(test).filter(|(_, test)| **test).map(|(a, _)| a).collect();
    let judging = clock::best(3, || {
        for article in &judged {
            let scores = all.scores(&Words::of(&article.title), &Words::of(&article.text));
            std::hint::black_box(scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)));
        }
    });
    let topic =
        |section: &&str| format!("[[topic]]\nid = \"{section}\"\nlabel = {{ ar = \"ق\", en = \"S\" }}\n[topic.like]\n");
    let file: TopicsFile = toml::from_str(&models.keys().map(topic).collect::<String>()).unwrap();
    let known = models.iter().map(|(section, model)| (section.parse().unwrap(), learned(model))).collect();
    let topics = Topics::compile(&file).unwrap().with_learned(background, &known);
    let classifying = clock::best(3, || {
        for article in &judged {
            let article = Article { title: &article.title, text: &article.text, ..Article::default() };
            std::hint::black_box(topics.classify(&article));
        }
    });
    (judged.len() as f64 / judging, judged.len() as f64 / classifying)
}

/// Seconds that a topic takes to learn from `examples` examples against 4,000 articles.
fn training(bags: &[Bag], examples: usize) -> f64 {
    let stream: Vec<Bag> = bags.iter().rev().take(4_000).cloned().collect();
    let background = Background::of(&stream);
    let lesson = Lesson { examples: &bags[..examples], against: &[], stream: &stream, background: &background };
    clock::once(|| {
        std::hint::black_box(teach(lesson));
    })
}

fn main() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/articles_dev.jsonl.gz");
    if !path.exists() {
        println!("SKIPPED: {} is not there", path.display());
        return;
    }
    let articles = read(&path);
    let bags: Vec<Bag> = articles.iter().map(|article| Bag::read(&article.title, &article.text)).collect();
    let outlets: BTreeMap<&str, ()> = articles.iter().map(|article| (article.outlet.as_str(), ())).collect();
    let mut splits: Vec<(&str, Vec<bool>)> = outlets
        .into_keys()
        .map(|outlet| (outlet, articles.iter().map(|article| article.outlet == outlet).collect()))
        .collect();
    splits.push(("random", (0..articles.len()).map(|at| at % 5 == 0).collect()));
    println!("rasid");
    let only_five = std::env::var_os("ONLY_FIVE").is_some();
    for (name, test) in splits.iter().filter(|_| !only_five) {
        let background = Background::of(bags.iter().zip(test).filter(|(_, test)| !**test).map(|(bag, _)| bag));
        let vectors: Vec<Vector> = bags.iter().map(|bag| background.vector(bag)).collect();
        let mut models = BTreeMap::new();
        let learned = clock::once(|| models = learn(&articles, &vectors, test));
        let (accuracy, f1) = judge(&articles, &vectors, test, &models);
        print!("  {name:10} accuracy {accuracy:.2}  macro-F1 {f1:.2}  learned in {learned:.1}s");
        if *name == "random" {
            let (judging, classifying) = speed(&articles, test, &background, &models);
            print!("  {judging:.0} articles/s, with evidence {classifying:.0}");
        }
        println!();
    }
    if !only_five {
        for examples in [5, 40] {
            println!("  {examples} examples against 4,000 articles: learned in {:.1}s", training(&bags, examples));
        }
    }
    let (halves, tasks) = halves(&articles);
    let precisions = from_five(&bags, &halves, &tasks);
    for half in 0..halves.len() {
        for kind in ["section", "story"] {
            let of = tasks.iter().zip(&precisions).filter(|(task, _)| task.half == half && task.kind == kind);
            let of: Vec<&Vec<f64>> = of.map(|(_, precisions)| precisions).collect();
            let (mean, deviation) = spread(&of);
            let count = of.len();
            println!("  from five, half {half}, {count:2} × {kind:7} average precision {mean:.3} ± {deviation:.3}");
        }
    }
    let interpreter = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/sections.py");
    println!("scikit-learn");
    let started = Command::new(interpreter).arg(script).arg(&path).stdin(Stdio::piped()).spawn();
    let ran = started.and_then(|mut child| {
        let asked = serde_json::json!({ "halves": halves, "tasks": tasks, "only_five": only_five });
        child.stdin.take().unwrap().write_all(asked.to_string().as_bytes())?;
        child.wait()
    });
    if !ran.is_ok_and(|status| status.success()) {
        println!("  SKIPPED: there is no Python with scikit-learn");
    }
}
