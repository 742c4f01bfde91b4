//! How long it takes to put an item into a story, with many in the window.
//!
//! In: articles of made-up words in the shapes of Arabic ones, as unevenly frequent as those of a language; every fourth
//! tells of an event that others tell of. Out: microseconds an item for its terms and for its place, by the items in the
//! window, and the bytes that the process takes for one. Times are the processor's for one core.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

use std::hint::black_box;

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use rasid::id::{EntryKey, ItemId};
use rasid::story::{Sketch, Stories, StoriesConfig};

#[allow(dead_code, reason = "its rounds are for what can be repeated")]
mod clock;

const SIZES: [usize; 3] = [10_000, 50_000, 100_000];
/// Items that are timed at each size.
const TIMED: usize = 2_000;
const VOCABULARY: usize = 60_000;
const TITLE: usize = 9;
const TEXT: usize = 200;
/// Events that are told of at one time.
const EVENTS: usize = 4_000;

fn word(rng: &mut Rng) -> String {
    const LETTERS: [&str; 28] = [
        "ا", "ل", "ي", "م", "و", "ن", "ر", "ت", "ب", "ع", "د", "س", "ف", "ه", "ك", "ق", "ح", "ج", "ش", "ص", "ط", "خ",
        "ض", "ذ", "ث", "ز", "غ", "ظ",
    ];
    (0..rng.usize(4..8)).map(|_| LETTERS[rng.usize(0..LETTERS.len()).min(rng.usize(0..LETTERS.len()))]).collect()
}

struct Newsroom {
    rng: Rng,
    vocabulary: Vec<String>,
}

impl Newsroom {
    /// Words by Zipf's law, about: the rank is a power of the vocabulary's size.
    fn write(&mut self, words: usize, of: Option<usize>) -> String {
        let mut text = String::new();
        for n in 0..words {
            let rank = (VOCABULARY as f64).powf(self.rng.f64()) as usize;
            let at = match of {
                // Every fifth word is one of ten that the event has.
                Some(event) if n % 5 == 1 => (event * 7_919 + self.rng.usize(0..10)) % VOCABULARY,
                _ => rank.min(VOCABULARY - 1),
            };
            text.push_str(&self.vocabulary[at]);
            text.push(' ');
        }
        text
    }

    fn article(&mut self) -> (String, String) {
        let event = (self.rng.u32(0..4) == 0).then(|| self.rng.usize(0..EVENTS));
        (self.write(TITLE, event), self.write(TEXT, event))
    }
}

/// The memory of the process, in bytes; 0 where the system does not say.
fn resident() -> usize {
    let told = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    told.split_ascii_whitespace().nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or_default() * 4_096
}

fn main() {
    let mut rng = Rng::with_seed(7);
    let vocabulary = (0..VOCABULARY).map(|_| word(&mut rng)).collect();
    let mut newsroom = Newsroom { rng, vocabulary };
    let start: Timestamp = "2026-03-02T00:00:00Z".parse().unwrap();
    let mut stories = Stories::new(StoriesConfig::default().window);
    // Two seconds apart, so that the window holds 129,600 of them.
    let at = |n: usize| start + SignedDuration::from_secs(2 * i64::try_from(n).unwrap());
    let id = |n: usize| ItemId::of(&"bench".parse().unwrap(), EntryKey::of("n", &n.to_string()));
    let (before, mut n, mut joined) = (resident(), 0, 0);
    println!("items in the window   terms, µs   place, µs   bytes an item   in stories");
    for size in SIZES {
        while n < size {
            let (title, text) = newsroom.article();
            joined += usize::from(stories.place(id(n), at(n), &Sketch::of(&title, &text), None).score > 0.0);
            n += 1;
        }
        let bytes = resident().saturating_sub(before) / size;
        let articles: Vec<(String, String)> = (0..TIMED).map(|_| newsroom.article()).collect();
        let mut sketches = Vec::new();
        let terms = clock::once(|| sketches = articles.iter().map(|(title, text)| Sketch::of(title, text)).collect());
        let place = clock::once(|| {
            for sketch in &sketches {
                black_box(stories.place(id(n), at(n), sketch, None));
                n += 1;
            }
        });
        let each = |seconds: f64| seconds * 1e6 / TIMED as f64;
        println!("{size:>19}   {:>9.1}   {:>9.1}   {bytes:>13}   {joined:>10}", each(terms), each(place));
    }
}
