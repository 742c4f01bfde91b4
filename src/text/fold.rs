//! What one character becomes: the table behind [`super::normalize`].
//!
//! In: a character. Out: [`Fold`], and for a character that is already folded its [`Class`].
//! Promise: folding twice is folding once, for every character of Unicode (a test goes through all of them); nothing
//! here depends on a character's neighbours.
//! Not here: entities, offsets ([`super::normalize`]) and words ([`super::tokenize`]).
//!
//! Zero-width non-joiners are dropped, not made a space: in Arabic copy they are left-overs of typesetting inside or
//! after a word, and in Persian they stand inside a word. The diacritics of Latin and Cyrillic letters go too, so that
//! a letter typed as one character equals the same letter typed as letter and mark.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization as _;

/// What a character becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fold<'a> {
    Char(char),
    Text(&'a str),
    Drop,
}

/// What a folded character is to the tokenizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Class {
    Other = 0,
    /// A letter of the Arabic script.
    Arabic = 1,
    /// Any other letter, and digits that are not ASCII.
    Letter = 2,
    /// `0`–`9`.
    Digit = 3,
    Space = 4,
    /// Quotation marks, brackets, `#` and `@`: what a proclitic may be parted from its word by.
    Quote = 5,
    /// `!`, `?`, `؟`, `۔`, `。` and line feeds.
    End = 6,
    /// The full stop, which also stands in numbers, names of hosts and abbreviations.
    Dot = 7,
}

impl Class {
    const fn unpack(bits: u32) -> Self {
        match bits & 7 {
            1 => Self::Arabic,
            2 => Self::Letter,
            3 => Self::Digit,
            4 => Self::Space,
            5 => Self::Quote,
            6 => Self::End,
            7 => Self::Dot,
            _ => Self::Other,
        }
    }

    pub(super) const fn is_word(self) -> bool {
        matches!(self, Self::Arabic | Self::Letter | Self::Digit)
    }
}

/// The table for the Basic Multilingual Plane. An entry is the folded character (or the number of an expansion) in the
/// low bits and, above them, the class of the folded character (of the first, where there are several).
pub(super) struct Table {
    entries: Vec<u32>,
    expansions: Vec<Box<str>>,
    /// Of the Arabic block (U+0600 to U+06FF), whether a character is a letter that stays as it is: nearly all of a text,
    /// told by its two bytes without reading them as a character.
    letters: [bool; 256],
}

const CLASS_SHIFT: u32 = 24;
const DROP: u32 = 1 << 31;
const EXPAND: u32 = 1 << 30;
/// The character stays as it is and takes no part in a reference.
const KEEP: u32 = 1 << 29;
const VALUE: u32 = (1 << 21) - 1;

static ENTRIES: LazyLock<Table> = LazyLock::new(Table::build);

/// The table; get it once per text, not once per character.
pub(super) fn table() -> &'static Table {
    &ENTRIES
}

impl Table {
    fn build() -> Self {
        let mut expansions: Vec<Box<str>> = Vec::new();
        let mut entry = |code: u32| {
            let Some(c) = char::from_u32(code) else { return DROP };
            let folded = folded(c);
            let mut chars = folded.chars();
            let value = match (chars.next(), chars.next()) {
                (None, _) => DROP,
                (Some(one), None) => one as u32,
                (Some(_), Some(_)) => {
                    let at = expansions.iter().position(|known| **known == *folded).unwrap_or_else(|| {
                        expansions.push(folded.clone().into_boxed_str());
                        expansions.len() - 1
                    });
                    EXPAND | u32::try_from(at).unwrap_or(VALUE)
                }
            };
            let keep = if value == code && !matches!(c, '&' | ';') { KEEP } else { 0 };
            value | keep | (folded.chars().next().map_or(Class::Other, classify) as u32) << CLASS_SHIFT
        };
        let entries: Vec<u32> = (0..0x1_0000).map(&mut entry).collect();
        let mut letters = [false; 256];
        for (letter, entry) in letters.iter_mut().zip(entries.iter().skip(0x600)) {
            *letter = entry & KEEP != 0 && Class::unpack(entry >> CLASS_SHIFT) == Class::Arabic;
        }
        Self { entries, expansions, letters }
    }

    /// With how many bytes `text` begins that are Arabic letters which stay as they are, two bytes each.
    #[inline]
    pub(super) fn letters(&self, text: &str) -> usize {
        let (pairs, _) = text.as_bytes().as_chunks::<2>();
        2 * pairs.iter().take_while(|pair| self.is_letter(**pair)).count()
    }

    /// Whether `text` begins with one of them.
    #[inline]
    pub(super) fn begins_with_letter(&self, text: &str) -> bool {
        text.as_bytes().first_chunk().is_some_and(|pair| self.is_letter(*pair))
    }

    #[inline]
    fn is_letter(&self, [first, second]: [u8; 2]) -> bool {
        // The first byte of the block's characters is one of D8 to DB, and has their two highest bits. Not `&&`: the end of
        // a run is hard to guess, and is then guessed once.
        (first & 0xFC == 0xD8) & self.letters[usize::from(first << 6 | second & 0x3F)]
    }

    /// Whether `c` stays as it is, whatever stands around it.
    #[inline]
    pub(super) fn keeps(&self, c: char) -> bool {
        self.entries.get(c as usize).is_some_and(|entry| entry & KEEP != 0)
    }

    /// The class of a character that stays as it is, whatever stands around it; `None` of all others.
    #[inline]
    pub(super) fn kept(&self, c: char) -> Option<Class> {
        let entry = *self.entries.get(c as usize)?;
        (entry & KEEP != 0).then(|| Class::unpack(entry >> CLASS_SHIFT))
    }

    /// The class of the one character that `c` becomes; that of the first, where it becomes several.
    #[inline]
    pub(super) fn class(&self, c: char) -> Class {
        self.entries.get(c as usize).map_or_else(|| classify(c), |entry| Class::unpack(entry >> CLASS_SHIFT))
    }

    /// What `c` becomes; `None` for the characters beyond the table, which [`folded`] answers.
    #[inline]
    pub(super) fn fold(&self, c: char) -> Option<Fold<'_>> {
        let entry = *self.entries.get(c as usize)?;
        if entry & (DROP | EXPAND) == 0 {
            return Some(Fold::Char(char::from_u32(entry & VALUE).unwrap_or(c)));
        }
        let expansion = (entry & EXPAND != 0).then(|| self.expansions.get((entry & VALUE) as usize)).flatten();
        Some(expansion.map_or(Fold::Drop, |text| Fold::Text(text)))
    }
}

/// What any character becomes, worked out from the rules.
pub(super) fn folded(c: char) -> String {
    let mut text = step(c);
    // Compatibility forms of capitals and of folded letters need a second step; nothing needs more than three.
    for _ in 0..4 {
        let next: String = text.chars().map(step).collect();
        if next == text {
            break;
        }
        text = next;
    }
    text
}

fn step(c: char) -> String {
    if dropped(c) {
        return String::new();
    }
    if let Some(space) = blank(c) {
        return space.to_string();
    }
    std::iter::once(c)
        .nfkc()
        .flat_map(unaccented)
        .flat_map(char::to_lowercase)
        .filter(|c| !dropped(*c))
        .map(|c| blank(c).unwrap_or_else(|| base(c)))
        .collect()
}

/// Marks and controls that a reader does not see as characters.
const fn dropped(c: char) -> bool {
    matches!(c,
        // Isolated marks first of all: compatibility normalization would turn them into a space and a mark.
        '\u{FE70}'..='\u{FE7F}' | '\u{FC5E}'..='\u{FC63}' | '\u{FCF2}'..='\u{FCF4}'
        // Harakat, high hamza, superscript alef, Quranic marks, tatweel.
        | '\u{0610}'..='\u{061A}' | '\u{064B}'..='\u{065F}' | '\u{0670}' | '\u{0674}' | '\u{0640}'
        | '\u{06D6}'..='\u{06DC}' | '\u{06DF}'..='\u{06E8}' | '\u{06EA}'..='\u{06ED}'
        | '\u{0890}'..='\u{0891}' | '\u{0897}'..='\u{089F}' | '\u{08CA}'..='\u{08FF}'
        | '\u{10EFC}'..='\u{10EFF}'
        // Combining marks of the alphabets.
        | '\u{0300}'..='\u{036F}' | '\u{1AB0}'..='\u{1ACE}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20F0}'
        // Bidi and zero-width controls, the byte order mark, soft hyphens, variation selectors, tags.
        | '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}'
        | '\u{00AD}' | '\u{180B}'..='\u{180F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FFF9}'..='\u{FFFB}'
        | '\u{E0000}'..='\u{E0FFF}'
        // Control characters that are not white space.
        | '\0'..='\u{8}' | '\u{E}'..='\u{1F}' | '\u{7F}'..='\u{84}' | '\u{86}'..='\u{9F}')
}

/// White space: what breaks a line becomes a line feed, the rest a space.
fn blank(c: char) -> Option<char> {
    match c {
        '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some('\n'),
        '\u{06DD}' | '\u{06DE}' | '\u{06E9}' => Some(' '),
        c if c.is_whitespace() => Some(' '),
        _ => None,
    }
}

/// The letter without its accents, for the alphabets whose letters decompose into a letter and marks.
fn unaccented(c: char) -> impl Iterator<Item = char> {
    let alphabet = matches!(c, '\u{C0}'..='\u{52F}' | '\u{1E00}'..='\u{1FFF}');
    let decomposed: Vec<char> = if alphabet { std::iter::once(c).nfkd().collect() } else { vec![c] };
    decomposed.into_iter()
}

/// The letter that a reader takes it for: forms of alef, hamza seats, Persian, Urdu and Maghrebi letters, digits.
fn base(c: char) -> char {
    match c {
        'أ' | 'إ' | 'آ' | 'ٱ' | '\u{0672}' | '\u{0673}' | '\u{0675}' => 'ا',
        'ى' | 'ئ' | 'ی' | 'ۍ' | 'ې' | 'ے' | 'ۓ' | '\u{0678}' => 'ي',
        'ؤ' | '\u{0676}' => 'و',
        'ة' | 'ۃ' | 'ہ' | 'ھ' | 'ۀ' | 'ە' | 'ۂ' => 'ه',
        'ک' | 'گ' | 'ڪ' | 'ڭ' => 'ك',
        'ڤ' | 'ڥ' => 'ف',
        'پ' => 'ب',
        'چ' => 'ج',
        'ڨ' => 'ق',
        'ں' => 'ن',
        '٠'..='٩' => digit(c, '٠'),
        '۰'..='۹' => digit(c, '۰'),
        // The Arabic decimal and thousands separators.
        '٫' => '.',
        '٬' => ',',
        _ => c,
    }
}

fn digit(c: char, zero: char) -> char {
    char::from_digit(c as u32 - zero as u32, 10).unwrap_or(c)
}

fn classify(c: char) -> Class {
    match c {
        '0'..='9' => Class::Digit,
        '.' => Class::Dot,
        '\n' | '!' | '?' | '؟' | '۔' | '。' => Class::End,
        ' ' => Class::Space,
        '"' | '\'' | '`' | '«' | '»' | '“' | '”' | '„' | '‟' | '‘' | '’' | '‚' | '‛' | '‹' | '›' | '(' | ')' | '['
        | ']' | '{' | '}' | '﴾' | '﴿' | '#' | '@' => Class::Quote,
        '\u{0600}'..='\u{06FF}' | '\u{0750}'..='\u{077F}' | '\u{0870}'..='\u{08FF}' if c.is_alphanumeric() => {
            Class::Arabic
        }
        c if c.is_alphanumeric() => Class::Letter,
        _ => Class::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Also: no expansion hides an ampersand or a semicolon, because the resolver of references looks only at the end
    /// of what was written.
    #[test]
    fn folding_twice_is_folding_once_for_every_character() {
        // All planes that have characters of their own, and the one of the tags.
        for c in ('\0'..='\u{323AF}').chain('\u{E0000}'..='\u{E0FFF}') {
            let once = folded(c);
            assert_eq!(once, once.chars().map(folded).collect::<String>(), "U+{:04X}", c as u32);
            assert!(once.chars().count() < 2 || !once.contains(['&', ';']), "U+{:04X}", c as u32);
            let tabled = match table().fold(c) {
                Some(Fold::Char(one)) => one.to_string(),
                Some(Fold::Text(text)) => text.to_owned(),
                Some(Fold::Drop) => String::new(),
                None => continue,
            };
            assert_eq!(tabled, once, "U+{:04X} in the table", c as u32);
        }
    }

    #[test]
    fn every_presentation_form_equals_its_base_letters() {
        for c in ('\u{FB50}'..='\u{FDFB}').chain('\u{FE80}'..='\u{FEFC}') {
            let bases: String = std::iter::once(c).nfkd().filter(|c| !dropped(*c)).map(folded).collect();
            if !dropped(c) {
                assert_eq!(folded(c), bases, "U+{:04X}", c as u32);
            }
        }
    }

    #[test]
    fn classes_are_those_of_folded_characters() {
        for (c, class) in [
            ('ا', Class::Arabic),
            ('ء', Class::Arabic),
            ('c', Class::Letter),
            ('д', Class::Letter),
            ('7', Class::Digit),
            ('.', Class::Dot),
            ('؟', Class::End),
            ('،', Class::Other),
            ('«', Class::Quote),
            (' ', Class::Space),
            ('😀', Class::Other),
        ] {
            assert_eq!(table().class(c), class, "{c:?}");
        }
    }
}
