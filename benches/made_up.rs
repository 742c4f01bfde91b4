//! Made-up Arabic news without end: what a bench of a million different articles reads.
//!
//! In: a seed. Out: [`Piece`]s, the same for the same seed: words as unevenly frequent as those of a language (Zipf), set
//! phrases, numbers, sentences and paragraphs, about 220 words; and now and then one that rewrites an earlier one.
//! Why not words alone: real articles share three-word shingles by the hundred, and a search has to look at whoever has one.

use fastrand::Rng;

/// Articles that may still be rewritten.
const REMEMBERED: usize = 2_000;
const WORDS: usize = 60_000;
const PHRASES: usize = 30_000;

/// An article.
pub struct Piece {
    pub title: String,
    pub text: String,
    /// The number of the article that this one rewrites; numbers count from 0.
    #[allow(dead_code, reason = "not every bench asks for it")]
    pub of: Option<usize>,
}

/// Writes articles.
pub struct Writer {
    rng: Rng,
    words: Vec<String>,
    phrases: Vec<Vec<usize>>,
    /// The latest articles of its own, with their numbers, by turns.
    latest: Vec<(usize, Vec<String>)>,
    written: usize,
}

impl Writer {
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let words: Vec<String> = (0..WORDS).map(|_| word(&mut rng)).collect();
        let phrase = |rng: &mut Rng| (0..rng.usize(3..7)).map(|_| rank(rng, WORDS)).collect();
        let phrases = (0..PHRASES).map(|_| phrase(&mut rng)).collect();
        Self { rng, words, phrases, latest: Vec::new(), written: 0 }
    }

    /// The next article. One in seven rewrites one of the latest: another headline, sentences left out, words replaced.
    pub fn write(&mut self) -> Piece {
        let number = self.written;
        self.written += 1;
        if number % 7 == 6 && !self.latest.is_empty() {
            let (of, sentences) = self.latest[self.rng.usize(0..self.latest.len())].clone();
            return Piece { title: self.sentence(9), text: self.rewritten(&sentences), of: Some(of) };
        }
        // About a third is short; the mean is 220.
        let length = if self.rng.u8(0..3) == 0 { self.rng.usize(30..150) } else { self.rng.usize(150..410) };
        let mut sentences = Vec::new();
        let mut words = 0;
        while words < length {
            let sentence = self.rng.usize(10..40);
            words += sentence;
            sentences.push(self.sentence(sentence));
        }
        let piece = Piece { title: self.sentence(9), text: joined(&sentences), of: None };
        if self.latest.len() < REMEMBERED {
            self.latest.push((number, sentences));
        } else {
            self.latest[number % REMEMBERED] = (number, sentences);
        }
        piece
    }

    fn sentence(&mut self, length: usize) -> String {
        let mut sentence = String::with_capacity(length * 11);
        let mut words = 0;
        while words < length {
            let rng = &mut self.rng;
            match rng.u8(0..100) {
                0..6 => {
                    for word in &self.phrases[rank(rng, PHRASES)] {
                        sentence += &self.words[*word];
                        sentence.push(' ');
                        words += 1;
                    }
                    continue;
                }
                6..8 => sentence += &rng.u32(2..3_000).to_string(),
                8..11 => {
                    sentence += &self.words[rank(rng, WORDS)];
                    sentence.push('،');
                }
                _ => sentence += &self.words[rank(rng, WORDS)],
            }
            sentence.push(' ');
            words += 1;
        }
        sentence.pop();
        sentence
    }

    fn rewritten(&mut self, sentences: &[String]) -> String {
        let (dropped, replaced) = (self.rng.u8(0..35), self.rng.u8(0..8));
        let mut kept = Vec::new();
        for sentence in sentences {
            if self.rng.u8(0..100) < dropped {
                continue;
            }
            let word = |word| {
                let other = self.rng.u8(0..100) < replaced;
                if other { self.words[self.rng.usize(0..WORDS)].as_str() } else { word }
            };
            kept.push(sentence.split(' ').map(word).collect::<Vec<_>>().join(" "));
        }
        joined(&kept)
    }
}

fn joined(sentences: &[String]) -> String {
    let mut text = String::new();
    for (i, sentence) in sentences.iter().enumerate() {
        text += sentence;
        text += if i % 2 == 0 { ". " } else { ".\n" };
    }
    text
}

/// Zipf's law, about: the rank is a power of the vocabulary's size.
fn rank(rng: &mut Rng, size: usize) -> usize {
    ((size as f64).powf(rng.f64()) as usize).min(size - 1)
}

/// A word of two to six letters with the endings and articles that Arabic words have.
fn word(rng: &mut Rng) -> String {
    const LETTERS: [&str; 28] = [
        "ا", "ل", "ي", "م", "و", "ن", "ر", "ت", "ب", "ع", "د", "س", "ف", "ه", "ك", "ق", "ح", "ج", "ش", "ص", "ط", "خ",
        "ض", "ذ", "ث", "ز", "غ", "ظ",
    ];
    // The frequent letters come first.
    let letter = |rng: &mut Rng| LETTERS[rng.usize(0..LETTERS.len()).min(rng.usize(0..LETTERS.len()))];
    let root: String = (0..rng.usize(3..6)).map(|_| letter(rng)).collect();
    let before = ["", "", "", "ال", "ال", "و", "وال", "ب", "لل", "أ"][rng.usize(0..10)];
    let after = ["", "", "", "", "ة", "ات", "ها", "ين", "ى", "ية"][rng.usize(0..10)];
    format!("{before}{root}{after}")
}
