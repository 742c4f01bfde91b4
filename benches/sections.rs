//! How well and how fast topics learned from examples tell sections apart, beside scikit-learn on the same splits.
//!
//! In: the 8,000 labelled articles that stand beside a checkout (`../shared/data/articles_dev.jsonl.gz`), the two sections of
//! world news merged. Out: accuracy and macro-F1 with each outlet left out and on a random fifth; average precision from
//! five examples; articles a second. scikit-learn runs in `sections.py`: TF-IDF and a linear SVM with their defaults, and
//! from five examples the better of Rocchio and balanced logistic regression.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use flate2::read::GzDecoder;
use rasid::topic::bag::{Background, Bag, Vector};
use rasid::topic::learn::{Fit, Linear, logistic};
use rasid::topic::like::{Lesson, teach};
use rasid::topic::{Article, Topics, TopicsFile};
use serde_json::Value;

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

/// Mean average precision over the sections, each learned five times from five examples; the same draws as in Python.
fn from_five(articles: &[Labelled], bags: &[Bag]) -> f64 {
    let stream: Vec<Bag> = bags.iter().skip(1).step_by(5).cloned().collect();
    let background = Background::of(&stream);
    let test: Vec<usize> = (0..articles.len()).step_by(5).collect();
    let vectors: Vec<Vector> = test.iter().map(|at| background.vector(&bags[*at])).collect();
    let sections: BTreeMap<&str, ()> = articles.iter().map(|article| (article.section.as_str(), ())).collect();
    let mut precisions = Vec::new();
    for section in sections.into_keys() {
        let of: Vec<usize> = (0..articles.len()).filter(|at| at % 5 > 1 && articles[*at].section == section).collect();
        for draw in 0..5 {
            let examples: Vec<Bag> = (0..5).map(|n| bags[of[(draw * 5 + n) * 7 % of.len()]].clone()).collect();
            let lesson = Lesson { examples: &examples, against: &[], stream: &stream, background: &background };
            let (learned, _) = teach(lesson).unwrap();
            let mut ranked: Vec<(f32, bool)> = test
                .iter()
                .zip(&vectors)
                .map(|(at, vector)| (learned.model.score(vector), articles[*at].section == section))
                .collect();
            ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            let (mut found, mut sum) = (0.0, 0.0);
            for (rank, _) in ranked.iter().enumerate().filter(|(_, (_, is))| *is) {
                found += 1.0;
                sum += found / (rank + 1) as f64;
            }
            precisions.push(sum / found);
        }
    }
    precisions.iter().sum::<f64>() / precisions.len() as f64
}

/// Articles a second through the whole of classification, with a learned topic for each section.
fn speed(articles: &[Labelled], bags: &[Bag]) -> f64 {
    let background = Background::of(bags);
    let mut learned = BTreeMap::new();
    let mut file = String::new();
    for section in ["culture", "economy", "sport", "technology", "world"] {
        let examples: Vec<Bag> = articles
            .iter()
            .zip(bags)
            .filter(|(a, _)| a.section == section)
            .map(|(_, bag)| bag.clone())
            .take(40)
            .collect();
        let lesson = Lesson { examples: &examples, against: &[], stream: &bags[..2_000], background: &background };
        if let Some((model, _)) = teach(lesson) {
            learned.insert(section.parse().unwrap(), model);
        }
        file += &format!("[[topic]]\nid = \"{section}\"\nlabel = {{ ar = \"ق\", en = \"S\" }}\n[topic.like]\n");
    }
    let file: TopicsFile = toml::from_str(&file).unwrap();
    let topics = Topics::compile(&file).unwrap().with_learned(&background, &learned);
    let begun = Instant::now();
    for article in articles {
        std::hint::black_box(topics.classify(&Article {
            title: &article.title,
            text: &article.text,
            ..Article::default()
        }));
    }
    articles.len() as f64 / begun.elapsed().as_secs_f64()
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
    for (name, test) in &splits {
        let begun = Instant::now();
        let background = Background::of(bags.iter().zip(test).filter(|(_, test)| !**test).map(|(bag, _)| bag));
        let vectors: Vec<Vector> = bags.iter().map(|bag| background.vector(bag)).collect();
        let models = learn(&articles, &vectors, test);
        let (accuracy, f1) = judge(&articles, &vectors, test, &models);
        println!("  {name:10} accuracy {accuracy:.2}  macro-F1 {f1:.2}  learned in {:.1?}", begun.elapsed());
    }
    println!("  from five examples: average precision {:.3}", from_five(&articles, &bags));
    println!("  {:.0} articles/s, cutting into words included", speed(&articles, &bags));
    let interpreter = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/sections.py");
    println!("scikit-learn");
    let ran = Command::new(interpreter).arg(script).arg(&path).status();
    if !ran.is_ok_and(|status| status.success()) {
        println!("  SKIPPED: there is no Python with scikit-learn");
    }
}
