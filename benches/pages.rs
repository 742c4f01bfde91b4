//! What page extraction finds and how fast, beside the crate it builds on: `cargo bench --bench pages`.
//!
//! In: the pages that the tests are scored on. Out: precision, recall, F1 and pages a second, as a table.
#![allow(missing_docs, dead_code, clippy::unwrap_used, clippy::print_stdout, reason = "a program for measuring")]

use std::time::Instant;

use rasid::extract::html::{Reading, STACK, page};
use url::Url;

#[path = "../tests/it/pages/set.rs"]
mod set;

const ROUNDS: usize = 5;

/// HTML to text.
type Extractor = fn(&str) -> String;

fn base() -> Url {
    "https://diffa.example/local/1".parse().unwrap()
}

fn rasid(html: &str) -> String {
    page(html, &base(), &Reading::new("2026-11-20T12:00:00Z".parse().unwrap()))
        .map(|page| page.text)
        .unwrap_or_default()
}

fn crate_alone(html: &str) -> String {
    let options = trafilatura::Options::default().with_fallback(true).with_exclude_comments(true).with_url(base());
    trafilatura::extract(html, &options).map(|found| found.content_text).unwrap_or_default()
}

fn measure() {
    let extractors: [(&str, Extractor); 2] = [("rasid", rasid), ("trafilatura alone", crate_alone)];
    println!("set    extractor          precision  recall     F1  pages/s");
    for set in ["set", "held"] {
        let samples = set::samples(set);
        for (name, extract) in extractors {
            let found: Vec<String> = samples.iter().map(|sample| extract(&sample.html)).collect();
            let scores: Vec<_> =
                found.iter().zip(&samples).map(|(found, sample)| set::score(found, &sample.article)).collect();
            // The best of several rounds for each page: other programs disturb the mean.
            let mut best = vec![f64::MAX; samples.len()];
            for _ in 0..ROUNDS {
                for (best, sample) in best.iter_mut().zip(&samples) {
                    let began = Instant::now();
                    std::hint::black_box(extract(&sample.html));
                    *best = best.min(began.elapsed().as_secs_f64());
                }
            }
            let speed = samples.len() as f64 / best.iter().sum::<f64>();
            let mean = set::mean(&scores);
            println!("{set:6} {name:18} {:9.3} {:7.3} {:6.3} {speed:8.0}", mean.precision, mean.recall, mean.f1());
        }
    }
}

fn main() {
    std::thread::Builder::new().stack_size(STACK).spawn(measure).unwrap().join().unwrap();
}
