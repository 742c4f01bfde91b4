//! A title and a text to the words that count for comparing.
//!
//! In: a title and a plain text whose paragraphs are separated by line feeds. Out: [`Lines`], the normalized words by line.
//! Promise: a text with its headline on top and the same text without it give the same lines.
//! What is left out, and only ever as a whole line: leading lines that repeat the title, share buttons, pointers to
//! other pages (`اقرأ أيضا: …`) and lines that hold nothing but a date. Nothing is ever cut out of a line.
//! Datelines and agency names inside a line (`الرياض (واس) –`) stay too: at 3-word shingles they cost two or three of a
//! hundred. Only [`opening`](Lines::openings) steps over them, because it looks at six words.

use std::sync::LazyLock;

use crate::text::tokenize::Words;

use super::fingerprint::word_hash;

/// Words that are compared at most; a book is recognized by its beginning, and a query stays bounded.
pub const MAX_WORDS: usize = 20_000;

/// A title longer than this is a paragraph that a feed put into the title: it counts as text.
const MAX_TITLE_WORDS: usize = 30;

/// Whole lines that say nothing: share and font-size buttons, in normalized form.
const FURNITURE: [&str; 10] =
    ["الخط", "حجم الخط", "شارك", "شارك الخبر", "شارك المقال", "مشاركه", "طباعه", "استمع", "استمع الي المقال", "تابعنا"];

/// Beginnings of whole lines that speak of other pages or of the site, in normalized form.
const FURNITURE_STARTS: [&str; 16] = [
    "اقرا ايضا",
    "اقرا المزيد",
    "اقرا كذلك",
    "شاهد ايضا",
    "طالع ايضا",
    "مواضيع ذات صله",
    "موضوعات ذات صله",
    "اخبار ذات صله",
    "الاكثر قراءه",
    "شارك الخبر عبر",
    "شارك المقال عبر",
    "اشترك في النشره",
    "اشترك في نشرتنا",
    "حمل التطبيق",
    "تابعونا علي",
    "جميع الحقوق محفوظه",
];

/// The longest such line, in words: a longer one is a paragraph that only begins like it.
const MAX_FURNITURE: usize = 40;

const MONTHS_AND_DAYS: [&str; 54] = [
    "يناير",
    "فبراير",
    "مارس",
    "ابريل",
    "نيسان",
    "مايو",
    "ايار",
    "يونيو",
    "يونيه",
    "حزيران",
    "يوليو",
    "يوليه",
    "تموز",
    "اغسطس",
    "اب",
    "سبتمبر",
    "ايلول",
    "اكتوبر",
    "تشرين",
    "الاول",
    "الثاني",
    "نوفمبر",
    "ديسمبر",
    "كانون",
    "شباط",
    "اذار",
    "جانفي",
    "فيفري",
    "افريل",
    "ماي",
    "جوان",
    "جويليه",
    "اوت",
    "غشت",
    "شتنبر",
    "نونبر",
    "دجنبر",
    "محرم",
    "صفر",
    "ربيع",
    "جمادي",
    "رجب",
    "شعبان",
    "رمضان",
    "شوال",
    "السبت",
    "الاحد",
    "الاثنين",
    "الثلاثاء",
    "الاربعاء",
    "الخميس",
    "الجمعه",
    "م",
    "ه",
];

/// Agencies that sign the beginning of a report.
const AGENCIES: [&str; 12] =
    ["cnn", "رويترز", "واس", "وام", "كونا", "بنا", "قنا", "سبق", "افب", "afp", "reuters", "سبا"];

/// One word: what it is, and which sentence of its line it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// A hash of the normalized word.
    pub hash: u64,
    /// The sentence, counted over the whole text.
    pub sentence: u32,
    /// A hash of the value, where the word is a number, a number word or a weekday.
    pub number: Option<u64>,
}

/// The words of a title and of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// The title's words; empty where there is no title, or one that counts as text.
    pub title: Vec<Word>,
    /// The text's words.
    pub text: Vec<Word>,
    /// Where the text's lines start in `text`, ascending.
    pub starts: Vec<usize>,
    /// The words of `text`, separated by spaces, for the exact hash.
    pub joined: String,
    /// The words of the title, separated by spaces.
    pub joined_title: String,
}

impl Lines {
    /// The words of `title` and `text` that count.
    pub fn of(title: &str, text: &str) -> Self {
        let mut lines = Self {
            text: Vec::with_capacity(text.len() / 10),
            joined: String::with_capacity(text.len()),
            ..Self::default()
        };
        let mut sentences = 0;
        for line in title.split('\n') {
            read_line(line, &mut sentences, &mut lines.title, &mut lines.joined_title);
        }
        if lines.title.len() > MAX_TITLE_WORDS {
            lines.starts.push(0);
            lines.text = std::mem::take(&mut lines.title);
            lines.joined = lines.joined_title.clone();
        }
        let mut at_the_head = true;
        for line in text.split('\n') {
            let (start, mark) = (lines.text.len(), lines.joined.len());
            if start >= MAX_WORDS {
                break;
            }
            read_line(line, &mut sentences, &mut lines.text, &mut lines.joined);
            if lines.text.len() == start {
                continue;
            }
            let said = lines.joined.get(mark..).unwrap_or_default().trim_start();
            let title_again = at_the_head && said == lines.joined_title;
            let drop = title_again || is_furniture(said, &lines.text[start..]);
            at_the_head &= drop;
            if drop {
                lines.text.truncate(start);
                lines.joined.truncate(mark);
            } else {
                lines.starts.push(start);
            }
        }
        if lines.text.len() > MAX_WORDS {
            lines.text.truncate(MAX_WORDS);
        }
        lines
    }

    /// The words of the text's first line and those of the others, separated by spaces. A single line is no first one.
    pub fn first_line(&self) -> (&str, &str) {
        let words = self.starts.get(1).and_then(|second| second.checked_sub(1));
        let end = words.and_then(|words| self.joined.match_indices(' ').nth(words));
        end.and_then(|(end, _)| self.joined.split_at_checked(end)).unwrap_or(("", &self.joined))
    }

    /// The title's words and then the text's, with the places where something starts: the title and the first lines.
    pub fn openings(&self, lines: usize) -> impl Iterator<Item = &[Word]> {
        let title = (!self.title.is_empty()).then_some(self.title.as_slice());
        let starts = self.starts.iter().take(lines).filter_map(|&start| self.text.get(start..));
        title.into_iter().chain(starts).map(after_dateline)
    }
}

/// What follows `الرياض (واس)` or `دبي، الإمارات العربية المتحدة (CNN)`: an agency among the first words.
fn after_dateline(words: &[Word]) -> &[Word] {
    let agency = words.iter().take(7).rposition(|word| SPECIAL.get(word.hash).is_some_and(|special| special.agency));
    agency.and_then(|i| words.get(i + 1..)).unwrap_or(words)
}

fn read_line(line: &str, sentences: &mut u32, words: &mut Vec<Word>, joined: &mut String) {
    let (read, specials, first) = (Words::of(line), &*SPECIAL, *sentences);
    if read.is_empty() {
        return;
    }
    if !joined.is_empty() {
        joined.push(' ');
    }
    joined.push_str(read.joined());
    let has_digits = read.joined().bytes().fold(false, |any, byte| any | byte.is_ascii_digit());
    words.extend(read.iter().enumerate().map(|(i, word)| {
        let hash = word_hash(word);
        let number = if has_digits { digits(word) } else { None };
        let number = number.or_else(|| specials.get(hash)?.number);
        Word { hash, sentence: first + read.sentence(i), number }
    }));
    *sentences = first + read.sentence(read.len()) + 1;
}

fn is_furniture(line: &str, words: &[Word]) -> bool {
    if words.len() <= 4 && FURNITURE.contains(&line) {
        return true;
    }
    let begins = |start: &&str| line.strip_prefix(*start).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
    if words.len() <= MAX_FURNITURE && FURNITURE_STARTS.iter().any(begins) {
        return true;
    }
    let date = |word: &str| MONTHS_AND_DAYS.contains(&word) || word.bytes().all(|b| b.is_ascii_digit() || b == b':');
    (2..=9).contains(&words.len())
        && line.bytes().any(|b| b.is_ascii_digit())
        && line.split(' ').any(|word| MONTHS_AND_DAYS.contains(&word))
        && line.split(' ').all(date)
}

const WEEKDAYS: [&str; 8] = ["السبت", "الاحد", "الاثنين", "الثلاثاء", "الاربعاء", "الخميس", "الجمعه", "اثنين"];

/// Number words of headlines and casualty reports: both genders of the cardinals, both cases of the tens, and the ordinals that
/// count sessions, rounds and months.
const NUMBER_WORDS: [(&str, u64); 56] = [
    ("ثلاث", 3),
    ("ثلاثه", 3),
    ("اربع", 4),
    ("اربعه", 4),
    ("خمس", 5),
    ("خمسه", 5),
    ("ست", 6),
    ("سته", 6),
    ("سبع", 7),
    ("سبعه", 7),
    ("ثمان", 8),
    ("ثماني", 8),
    ("ثمانيه", 8),
    ("تسع", 9),
    ("تسعه", 9),
    ("عشره", 10),
    ("عشرون", 20),
    ("عشرين", 20),
    ("ثلاثون", 30),
    ("ثلاثين", 30),
    ("اربعون", 40),
    ("اربعين", 40),
    ("خمسون", 50),
    ("خمسين", 50),
    ("ستون", 60),
    ("ستين", 60),
    ("سبعون", 70),
    ("سبعين", 70),
    ("ثمانون", 80),
    ("ثمانين", 80),
    ("تسعون", 90),
    ("تسعين", 90),
    ("مئه", 100),
    ("مايه", 100),
    ("الاول", 1),
    ("الاولي", 1),
    ("الثاني", 2),
    ("الثانيه", 2),
    ("الثالث", 3),
    ("الثالثه", 3),
    ("الرابع", 4),
    ("الرابعه", 4),
    ("الخامس", 5),
    ("الخامسه", 5),
    ("السادس", 6),
    ("السادسه", 6),
    ("السابع", 7),
    ("السابعه", 7),
    ("الثامن", 8),
    ("الثامنه", 8),
    ("التاسع", 9),
    ("التاسعه", 9),
    ("العاشر", 10),
    ("العاشره", 10),
    ("العشرون", 20),
    ("العشرين", 20),
];

/// A number in digits: `و30` and `30` are one value.
fn digits(word: &str) -> Option<u64> {
    if !word.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits: String = word.chars().filter(|c| c.is_ascii_digit() || *c == '.').collect();
    Some(word_hash(digits.trim_matches('.')))
}

/// A word that stands for more than itself.
struct Special {
    hash: u64,
    number: Option<u64>,
    agency: bool,
}

/// Agencies, weekdays and number words by their hashes.
struct Specials {
    /// Sorted.
    all: Vec<Special>,
    /// A bit for each that the highest bits of a hash may be. Every word of every text is looked up, and few are here.
    some: [u64; 64],
}

impl Specials {
    fn get(&self, hash: u64) -> Option<&Special> {
        let there = self.some.get((hash >> 58) as usize)? >> (hash >> 52 & 63) & 1 == 1;
        let place = there.then(|| self.all.binary_search_by_key(&hash, |special| special.hash).ok()).flatten();
        place.and_then(|i| self.all.get(i))
    }
}

static SPECIAL: LazyLock<Specials> = LazyLock::new(|| {
    let agencies = AGENCIES.iter().map(|name| Special { hash: word_hash(name), number: None, agency: true });
    let value = |word: &str, n: u64| Special { hash: word_hash(word), number: Some(n), agency: false };
    let days = WEEKDAYS.iter().map(|day| value(day, word_hash(day)));
    let numbers = NUMBER_WORDS.iter().map(|(word, n)| value(word, word_hash(&n.to_string())));
    // `خمسة وعشرين` is one number.
    let joined = NUMBER_WORDS.iter().map(|(word, n)| value(&format!("و{word}"), word_hash(&n.to_string())));
    let mut all: Vec<Special> = agencies.chain(days).chain(numbers).chain(joined).collect();
    all.sort_by_key(|special| special.hash);
    let mut some = [0; 64];
    for special in &all {
        if let Some(bits) = some.get_mut((special.hash >> 58) as usize) {
            *bits |= 1 << (special.hash >> 52 & 63);
        }
    }
    Specials { all, some }
});
