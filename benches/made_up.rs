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
    /// Whether words come with another article, clitic or ending each time.
    inflects: bool,
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
        Self { rng, words, phrases, inflects: false, latest: Vec::new(), written: 0 }
    }

    /// Writes with the words that hold sentences together as the most frequent ones, and with all others in ever other forms:
    /// what a search of stems has to cope with. The most frequent of those others stands in about half of the articles.
    #[allow(dead_code, reason = "not every bench asks for it")]
    pub fn inflecting(seed: u64) -> Self {
        let mut writer = Self::new(seed);
        let rng = &mut writer.rng;
        for (nth, word) in writer.words.iter_mut().enumerate() {
            *word = SMALL.get(nth).map_or_else(|| root(rng), |small| (*small).to_owned());
        }
        writer.inflects = true;
        writer
    }

    /// The word of a rank, the most frequent first, in its shortest form.
    #[allow(dead_code, reason = "not every bench asks for it")]
    pub fn word(&self, rank: usize) -> &str {
        &self.words[rank]
    }

    /// A set phrase of three to six words, the most frequent first.
    #[allow(dead_code, reason = "not every bench asks for it")]
    pub fn phrase(&self, rank: usize) -> impl Iterator<Item = &str> {
        self.phrases[rank].iter().map(|word| self.words[*word].as_str())
    }

    fn say(&mut self, word: usize, sentence: &mut String) {
        let inflects = self.inflects && word >= SMALL.len();
        if inflects {
            *sentence += BEFORE[self.rng.usize(0..BEFORE.len())];
        }
        *sentence += &self.words[word];
        if inflects {
            *sentence += AFTER[self.rng.usize(0..AFTER.len())];
        }
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
            match self.rng.u8(0..100) {
                0..6 => {
                    let phrase = rank(&mut self.rng, PHRASES);
                    for nth in 0..self.phrases[phrase].len() {
                        self.say(self.phrases[phrase][nth], &mut sentence);
                        sentence.push(' ');
                        words += 1;
                    }
                    continue;
                }
                6..8 => sentence += &self.rng.u32(2..3_000).to_string(),
                kind => {
                    let word = rank(&mut self.rng, WORDS);
                    self.say(word, &mut sentence);
                    if kind < 11 {
                        sentence.push('،');
                    }
                }
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

/// What holds sentences together, the most frequent first.
const SMALL: [&str; 32] = [
    "في", "في", "من", "على", "أن", "إلى", "التي", "عن", "مع", "الذي", "بعد", "ما", "إن", "ذلك", "هذا", "كان", "خلال",
    "لا", "هذه", "بين", "أنه", "قبل", "كما", "كانت", "لم", "لكن", "قد", "أو", "منذ", "حيث", "كل", "حتى",
];
/// What stands before and after a word; half of the time nothing.
const BEFORE: [&str; 10] = ["", "", "", "ال", "ال", "و", "وال", "ب", "لل", "أ"];
const AFTER: [&str; 10] = ["", "", "", "", "ة", "ات", "ها", "ين", "ى", "ية"];

/// A word of three to five letters with the endings and articles that Arabic words have.
fn word(rng: &mut Rng) -> String {
    let root = root(rng);
    let before = BEFORE[rng.usize(0..BEFORE.len())];
    let after = AFTER[rng.usize(0..AFTER.len())];
    format!("{before}{root}{after}")
}

fn root(rng: &mut Rng) -> String {
    const LETTERS: [&str; 28] = [
        "ا", "ل", "ي", "م", "و", "ن", "ر", "ت", "ب", "ع", "د", "س", "ف", "ه", "ك", "ق", "ح", "ج", "ش", "ص", "ط", "خ",
        "ض", "ذ", "ث", "ز", "غ", "ظ",
    ];
    // The frequent letters come first.
    let letter = |rng: &mut Rng| LETTERS[rng.usize(0..LETTERS.len()).min(rng.usize(0..LETTERS.len()))];
    (0..rng.usize(3..6)).map(|_| letter(rng)).collect()
}
