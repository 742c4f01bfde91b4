//! Whether decoded text can be Arabic.
//!
//! In: text that came out of a charset that may be the wrong one. Out: a score a letter; [`PLAUSIBLE`] and more is
//! Arabic.
//! Promise: only what is not ASCII counts, so markup around the text changes nothing; two words are enough.
//! Not here: which language the text is in ([`super::language`]).
//!
//! A wrong charset betrays itself in words: in the windows-1256 reading of ISO-8859-6, ل، م، و and ي turn into rare or
//! Latin letters; in the reading of western text, single Arabic letters stand inside Latin words. In real Arabic the
//! twelve commonest letters make two thirds of the text, and a quarter of the words begin with the article.

/// The least score of text that is Arabic.
pub(super) const PLAUSIBLE: f64 = 0.35;

/// Enough letters to be sure.
const ENOUGH: u32 = 20_000;

/// A score a letter beyond ASCII: about 1 for Arabic, 0 for other text, below 0 for nonsense.
pub(super) fn score(text: &str) -> f64 {
    let mut tally = Tally::default();
    for c in text.chars() {
        tally.take(c);
        if tally.letters > ENOUGH {
            break;
        }
    }
    tally.end_word();
    if tally.letters == 0 { 0.0 } else { tally.points / f64::from(tally.letters) }
}

#[derive(Default)]
struct Tally {
    points: f64,
    /// Letters and marks beyond ASCII, and faults.
    letters: u32,
    word: Word,
}

#[derive(Default)]
struct Word {
    arabic: u32,
    common: u32,
    /// Letters of other alphabets, ASCII too.
    foreign: u32,
    /// Those of them beyond ASCII.
    accented: u32,
    marks: u32,
    /// Whether it begins with ا, with ال.
    alef: bool,
    article: bool,
}

impl Tally {
    fn take(&mut self, c: char) {
        match c {
            'ء'..='غ' | 'ف'..='ي' | 'پ' | 'چ' | 'ژ' | 'گ' | 'ڤ' | 'ک' | 'ی' => {
                let before = self.word.arabic;
                self.word.article |= before == 1 && self.word.alef && c == 'ل';
                self.word.alef |= before == 0 && c == 'ا';
                self.word.arabic += 1;
                self.word.common += u32::from("اليمونرتبهةسع".contains(c));
            }
            '\u{64B}'..='\u{655}' => self.word.marks += 1,
            'ـ' | '\u{200C}'..='\u{200F}' => {}
            '\u{FFFD}' | '\u{80}'..='\u{9F}' => {
                self.letters += 1;
                self.points -= 2.0;
            }
            c if c.is_alphabetic() => {
                self.word.foreign += 1;
                self.word.accented += u32::from(!c.is_ascii());
            }
            _ => self.end_word(),
        }
    }

    fn end_word(&mut self) {
        let word = std::mem::take(&mut self.word);
        self.letters += word.arabic + word.accented + word.marks;
        if word.arabic > 0 && word.accented > 0 || word.arabic == 1 && word.foreign > 0 {
            self.points -= 2.0 * f64::from(word.arabic + word.accented);
        } else if word.arabic > 1 {
            self.points += f64::from(word.common) + if word.article { 1.5 } else { 0.0 };
            // Rare letters speak against it a little.
            self.points -= 0.3 * f64::from(word.arabic - word.common);
        }
        // Vowel marks are rare in news; a wrong reading makes one of every ي.
        self.points -= 0.5 * f64::from(word.marks);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arabic_is_told_from_what_is_not() {
        for (text, arabic) in [
            ("أعلنت الحكومة", true),
            ("<title>أخبار اليوم</title>", true),
            ("قال CNN إن", true),
            ("Le président français a été élu à l'unanimité", false),
            ("Правительство сообщило", false),
            ("plain text", false),
            ("", false),
            // The windows-1252 reading of windows-1256.
            ("ÃÚáäÊ ÇáÍßæãÉ", false),
            // The windows-1256 reading of UTF-8.
            ("ط§ظ„ط\u{AD}ظƒظˆظ…ط©", false),
            ("\u{FFFD}\u{FFFD}\u{FFFD}", false),
        ] {
            assert_eq!(score(text) >= PLAUSIBLE, arabic, "{} for {text}", score(text));
        }
    }
}
