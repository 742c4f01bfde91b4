//! Topics learned from examples, on data that we did not write.

use std::collections::BTreeMap;

use rasid::dedup::corpus::{Corpus, CorpusText};
use rasid::topic::bag::{Background, Bag};
use rasid::topic::like::{Centre, Lesson, teach_with};
use rasid::topic::{Article, Decision, Topics, TopicsFile};

use crate::support::{jsonl_gz, shared};

/// Of the articles every sixteenth, for a debug build reads slowly.
fn stream(path: std::path::PathBuf) -> Vec<(String, String)> {
    let field = |row: &serde_json::Value, name: &str| row[name].as_str().unwrap().to_owned();
    jsonl_gz(path).step_by(16).map(|row| (field(&row, "title"), field(&row, "text"))).collect()
}

/// Left out one at a time, each seed is found by the other four alone, as files and as a pack, and next to nothing of
/// another year is.
#[test]
fn each_seed_is_found_by_the_others() {
    let (Some(seeds), Some(articles)) = (shared("seeds"), shared("data/articles_dev.jsonl.gz")) else { return };
    let mut texts: Vec<String> =
        std::fs::read_dir(seeds).unwrap().map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    texts.sort();
    assert_eq!(texts.len(), 5);
    let articles = stream(articles);
    let bags: Vec<Bag> = articles.iter().map(|(title, text)| Bag::read(title, text)).collect();
    let background = Background::of(&bags);
    let seeds: Vec<Bag> = texts.iter().map(|text| Bag::read("", text)).collect();
    let file: TopicsFile =
        toml::from_str("[[topic]]\nid = \"x\"\nlabel = { ar = \"س\", en = \"X\" }\n[topic.like]\n").unwrap();
    for (out, packed) in (0..seeds.len()).flat_map(|out| [(out, false), (out, true)]) {
        let (mut examples, mut centres) = (seeds.clone(), Vec::new());
        examples.remove(out);
        if packed {
            examples.clear();
            let others = texts.iter().enumerate().filter(|(at, _)| *at != out);
            let others: Vec<CorpusText> = others
                .map(|(at, text)| CorpusText { id: at.to_string(), title: String::new(), text: text.clone() })
                .collect();
            centres.push(Centre { documents: 4, terms: Corpus::of("seed", &others).unwrap().terms });
        }
        let lesson = Lesson { examples: &examples, against: &[], stream: &bags, background: &background };
        let (learned, trial) = teach_with(lesson, &centres).unwrap();
        let topics = Topics::compile(&file).unwrap();
        let topics = topics.with_learned(&background, &BTreeMap::from([("x".parse().unwrap(), learned.clone())]));
        let found = topics.classify(&Article { text: &texts[out], ..Article::default() });
        let strength = learned.strength(learned.model.score(&background.vector(&seeds[out])));
        let matches = |text: &str, title: &str| {
            let found = topics.classify(&Article { title, text, ..Article::default() });
            found.first().is_some_and(|found| found.decision == Decision::Match)
        };
        let wrong = articles.iter().filter(|(title, text)| matches(text, title)).count();
        eprintln!(
            "seed {out}{}: score {:.3}, strength {strength:.2} by the others (alone from {:.3}, with the gate from {:.3}), \
             {wrong} of {} others, average precision of the trial {:.3}",
            if packed { ", packed" } else { "" },
            learned.model.score(&background.vector(&seeds[out])),
            learned.alone,
            learned.with_gate,
            articles.len(),
            trial.average_precision
        );
        assert_eq!(found.first().map(|found| found.decision), Some(Decision::Match), "seed {out}");
        assert!(wrong <= 1, "{wrong} articles of 2018 are taken for news of January 2022");
    }
}
