//! How fast a text is matched with many reference documents, and compared with one of them passage by passage.
//!
//! In: made-up reports, which share words, phrases and a line of the house. Out: seconds of a core, for one corpus of 1,000
//! documents and for 50 of them, and the ratio of both; for passages, texts of 200 to 20,000 words.
//! Run: `cargo bench --bench corpora`.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, reason = "a bench")]

#[path = "clock.rs"]
mod clock;

use rasid::dedup::Fingerprint;
use rasid::dedup::corpus::{Corpora, Corpus, CorpusText};
use rasid::dedup::passages::{Side, compare, compare_with_fingerprint};

const CORPORA: usize = 50;
const DOCUMENTS: usize = 1_000;
const WORDS: usize = 300;
/// Each text is matched so often in a row: the clock ticks every few milliseconds.
const TIMES: usize = 20;
const HOUSE: &str = "وتابع القراء هذا التقرير على صفحات الصحيفة التي تصدر في المدينة كل صباح منذ سنوات طويلة";

/// A report: words of a vocabulary of 20,000, the common ones more often, then the line that all have.
fn report(seed: usize, words: usize) -> String {
    let mut state = seed as u64 + 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1u32 << 31)
    };
    let letters: Vec<char> = "ابتثجحخدذرزسشصضطظعغفقكلمنهوي".chars().collect();
    let word =
        |n: usize| -> String { [n % 28, n / 28 % 28, n / 784 % 28, n % 7].iter().map(|at| letters[*at]).collect() };
    let text: Vec<String> = (0..words).map(|_| word((20_000f64.powf(next())) as usize)).collect();
    format!("{}\n{HOUSE}", text.join(" "))
}

fn corpora(count: usize) -> Corpora {
    let corpus = |c: usize| {
        let text =
            |d: usize| CorpusText { id: format!("d{d}"), title: String::new(), text: report(c * DOCUMENTS + d, WORDS) };
        Corpus::of(&format!("c{c}"), &(0..DOCUMENTS).map(text).collect::<Vec<_>>()).unwrap()
    };
    Corpora::new((0..count).map(corpus).collect())
}

fn main() {
    let copies: Vec<Fingerprint> =
        (0..50).map(|n| Fingerprint::of("", &format!("{} ختام", report(n * 17, WORDS / 2)))).collect();
    let others: Vec<Fingerprint> = (0..50).map(|n| Fingerprint::of("", &report(900_000 + n, WORDS))).collect();
    let mut before = None;
    for count in [1, CORPORA] {
        let all = corpora(count);
        assert!(copies.iter().filter(|copy| !all.matches_of(copy).is_empty()).count() >= 50);
        let each = |texts: &[Fingerprint]| {
            clock::best(3, || (0..TIMES).for_each(|_| texts.iter().for_each(|text| drop(all.matches_of(text)))))
                / (TIMES * texts.len()) as f64
        };
        let (copy, other) = (each(&copies), each(&others));
        println!(
            "{} documents: {:.1} µs for a copy, {:.1} µs for another text",
            count * DOCUMENTS,
            copy * 1e6,
            other * 1e6
        );
        if let Some((a, b)) = before.replace((copy, other)) {
            println!("{CORPORA} times the documents take {:.1} and {:.1} times as long", copy / a, other / b);
        }
    }
    for words in [200, 2_000, 20_000] {
        let (ours, theirs) = (report(1, words), report(1, words).replace(" ااا", " بدل"));
        let side = |text| Side { title: "", text };
        let document = Fingerprint::of("", &theirs);
        let times = 40_000 / words;
        let each = |run: &dyn Fn()| clock::best(3, || (0..times).for_each(|_| run())) / times as f64;
        let both = each(&|| drop(compare(side(&ours), side(&theirs))));
        let one = each(&|| drop(compare_with_fingerprint(side(&ours), &document)));
        println!("{words} words: {:.3} ms side by side, {:.3} ms with a fingerprint", both * 1e3, one * 1e3);
    }
}
