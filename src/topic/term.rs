//! What makes a word of a text one of a topic's terms: the clitics and endings of Arabic.
//!
//! In: one word of a query with its class. Out: [`Term`], and its [`Form`]s: what must stand in a word of the text, what may
//! stand before it and what may follow.
//! Promise: nothing is ever taken off a word of the text unless what remains is a term; so بريطانيا keeps its ب, and والي is
//! not و + الي.
//! Not here: how the forms of all terms are looked up at once ([`super::lexicon`]).
//!
//! Everything is in normalized letters (`crate::text::normalize`): ه stands for ة too, ي for ى and ئ, ا for every alef.

use crate::text::normalize::normalize;

/// How freely a term is inflected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Class {
    /// Proclitics and inflection: احتجاج finds والاحتجاجات.
    Noun,
    /// Proclitics and the nisba: كازاخستان finds بكازاخستان and الكازاخستانية.
    Place,
    /// Proclitics only: بوتين finds لبوتين, not بوتينا.
    Name,
    /// The word as it stands.
    Exact,
    /// Proclitics, and anything after it.
    Prefix,
    /// Proclitics, and one letter more, less or other.
    Fuzzy,
    /// Without Arabic letters: as it stands, after glued proclitics (الـ CSTO).
    Foreign,
}

/// One word of a query.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Term {
    /// Normalized, without the article where the article may be left out.
    stem: String,
    class: Class,
    /// The article must stand before it: a name written with ال (الأسد is not أسد).
    article: bool,
    /// A noun written with ة.
    feminine: bool,
    /// Part of a phrase: its neighbours vouch for it, so a short word may carry proclitics too.
    in_phrase: bool,
}

/// Fewest letters of a prefix term.
pub(super) const MIN_PREFIX: usize = 4;
/// Fewest letters of a term with one edit.
pub(super) const MIN_FUZZY: usize = 6;

impl Term {
    /// The term written as `original`, whose normalized form is `word`.
    ///
    /// # Errors
    /// What is wrong with it, where it could match nothing or nearly everything.
    pub(super) fn new(original: &str, word: &str, class: Class, in_phrase: bool) -> Result<Self, String> {
        let class = match class {
            Class::Noun | Class::Place | Class::Name | Class::Exact if !word.chars().any(is_arabic) => Class::Foreign,
            other => other,
        };
        // أل is not the article: the hamza of ألماتي and ألمانيا tells them from المدينة. So the original decides.
        let mut letters =
            original.chars().filter(|c| c.is_alphanumeric() && !normalize(c.encode_utf8(&mut [0; 4])).is_empty());
        let hamza = letters
            .clone()
            .next()
            .is_some_and(|first| matches!(first, 'أ' | 'إ' | 'آ' | '\u{fe81}'..='\u{fe84}' | '\u{fe87}' | '\u{fe88}'));
        let feminine = class == Class::Noun
            && letters.next_back().is_some_and(|last| matches!(last, 'ة' | '\u{fe93}' | '\u{fe94}'));
        let bare = word.strip_prefix("ال").filter(|_| !hamza && class != Class::Exact);
        let (stem, article) = match bare {
            Some(stem) if stem.chars().count() >= 3 => (stem, class == Class::Name),
            // Too little would be left to stand alone (الغد): the article stays obligatory.
            Some(stem) if stem.chars().count() == 2 => (stem, true),
            _ => (word, false),
        };
        let letters = stem.chars().count();
        if class == Class::Prefix && letters < MIN_PREFIX {
            return Err(format!(
                "the prefix `{original}*` has {letters} letters and would match too much; give it at least {MIN_PREFIX}"
            ));
        }
        if class == Class::Fuzzy && letters < MIN_FUZZY {
            return Err(format!(
                "`{original}~1` has {letters} letters, so one edit makes other words of it; use `~1` from {MIN_FUZZY} letters on"
            ));
        }
        if letters < 2 && !in_phrase {
            return Err(format!("`{original}` is a single letter and would match too much; write a word"));
        }
        Ok(Self { stem: stem.to_owned(), class, article, feminine, in_phrase })
    }

    /// Letters that must be there: the longer, the rarer.
    pub(super) fn letters(&self) -> usize {
        self.stem.chars().count()
    }

    /// How freely it is inflected.
    pub(super) fn class(&self) -> Class {
        self.class
    }

    /// What its forms are made from, in normalized letters.
    pub(super) fn stem(&self) -> &str {
        &self.stem
    }

    /// Whether the article must stand before it.
    pub(super) fn needs_article(&self) -> bool {
        self.article
    }

    /// Whether it is a noun written with ة.
    pub(super) fn is_feminine(&self) -> bool {
        self.feminine
    }

    /// Whether it is a word of a phrase.
    pub(super) fn is_in_phrase(&self) -> bool {
        self.in_phrase
    }

    /// Every way the term may stand in a word.
    pub(super) fn forms(&self) -> Vec<Form> {
        let stem: Vec<char> = self.stem.chars().collect();
        let mut forms = Vec::new();
        let mut add = |key: &[char], rest: Rest| forms.push(Form { key: key.to_vec(), rest, before: self.before(key) });
        match self.class {
            Class::Exact | Class::Name | Class::Foreign => add(&stem, Rest::Nothing),
            Class::Fuzzy => add(&stem, Rest::Fuzzy),
            Class::Prefix => add(&stem, Rest::Anything),
            Class::Place => {
                add(&stem, Rest::Nothing);
                // روسيا → روسي, السعودية → سعودي, فرنسا → فرنسي: the nisba takes the place of the ending.
                // It needs three letters to stand on; غزاوي and آسيوي go their own ways and have to be written.
                let base = match stem.as_slice() {
                    [base @ .., 'ي', 'ا' | 'ه'] | [base @ .., 'ا' | 'ه'] => base,
                    whole => whole,
                };
                if base.len() >= 3 {
                    add(base, Rest::Nisba);
                }
            }
            Class::Noun if stem.len() < 3 => add(&stem, Rest::Nothing),
            Class::Noun => {
                match stem.as_slice() {
                    [base @ .., 'ه'] if self.feminine => {
                        add(&stem, Rest::Nothing);
                        // The letter before a suffix is ت: حكومة → حكومته; the plural takes the place of ة: حكومات.
                        let tied: Vec<char> = base.iter().copied().chain(['ت']).collect();
                        add(&tied, Rest::Suffix);
                        add(base, Rest::Plural);
                    }
                    [base @ .., 'ا', 'ء'] => {
                        add(&stem, Rest::Inflection);
                        // The seat of the hamza changes with the case: وزراء → وزرائه, وزراؤه.
                        for seat in ['ي', 'و'] {
                            let seated: Vec<char> = base.iter().copied().chain(['ا', seat]).collect();
                            add(&seated, Rest::Possessive);
                        }
                    }
                    whole => add(whole, if whole.len() == 3 { Rest::ShortInflection } else { Rest::Inflection }),
                }
            }
        }
        forms
    }

    /// What may stand before the letters `key` of this term.
    fn before(&self, key: &[char]) -> Before {
        if self.class == Class::Exact {
            return Before { nothing: true, usual: false, rare: false, article: false, lam_is_article: false };
        }
        let foreign = self.class == Class::Foreign;
        let letters = self.letters();
        let enough = |n: usize| foreign || letters >= if self.in_phrase { n - 1 } else { n };
        // والي ("governor") is not و + الي: short words that begin with ال look like an article of their own.
        let own_al = key.starts_with(&['ا', 'ل']) && key.len() < if self.in_phrase { 4 } else { 5 };
        Before {
            nothing: !self.article,
            usual: !self.article && !own_al && enough(3),
            rare: !self.article && !own_al && enough(4),
            article: foreign || key.len() >= 2,
            // لل + ل is written with two lams: للاذقية is ل + اللاذقية.
            lam_is_article: key.first() == Some(&'ل'),
        }
    }
}

/// One way for a term to stand in a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Form {
    /// These letters,
    pub(super) key: Vec<char>,
    /// followed by one of these endings,
    pub(super) rest: Rest,
    /// preceded by one of these proclitics.
    pub(super) before: Before,
}

/// Which proclitics a form takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Before {
    nothing: bool,
    /// Of و ب ل without article.
    usual: bool,
    /// With ف or ك, without article: rare in news and often a first radical (كامل is not ك + أمل).
    rare: bool,
    article: bool,
    lam_is_article: bool,
}

impl Before {
    /// Whether `proclitic` may stand there.
    pub(super) fn admits(self, proclitic: Proclitic) -> bool {
        if proclitic.len == 0 {
            self.nothing
        } else if proclitic.article {
            self.article
        } else if proclitic.lam && self.lam_is_article && self.article && !self.nothing {
            true
        } else if proclitic.rare {
            self.rare
        } else {
            self.usual
        }
    }
}

/// Something that may stand before a word and be written with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Proclitic {
    /// In bytes: each of its letters has two.
    pub(super) len: usize,
    article: bool,
    /// Has ف or ك.
    rare: bool,
    /// Ends in ل, the preposition.
    lam: bool,
}

/// Calls `see` with every way the beginning of `word` can be read as proclitics, the empty way first:
/// (و ف) + (ب ك ل) + (ال), where ل + ال is لل. A letter is always left.
pub(super) fn proclitics(word: &str, mut see: impl FnMut(Proclitic)) {
    let after = |len: usize| word.as_bytes().get(len..).unwrap_or_default();
    let mut read = |len: usize, rare: bool, lam: bool| {
        see(Proclitic { len, article: false, rare, lam });
        let al = match after(len) {
            [l0, l1, _, ..] if lam && [*l0, *l1] == LAM => Some(2),
            [a0, a1, l0, l1, _, ..] if !lam && [*a0, *a1] == ALEF && [*l0, *l1] == LAM => Some(4),
            _ => None,
        };
        if let Some(al) = al {
            see(Proclitic { len: len + al, article: true, rare, lam: false });
        }
    };
    let mut prepositions = |len: usize, rare: bool| {
        read(len, rare, false);
        match next_of(after(len)) {
            Some(BEH) => read(len + 2, rare, false),
            Some(KAF) => read(len + 2, true, false),
            Some(LAM) => read(len + 2, rare, true),
            _ => {}
        }
    };
    prepositions(0, false);
    match next_of(after(0)) {
        Some(WAW) => prepositions(2, false),
        Some(FEH) => prepositions(2, true),
        _ => {}
    }
}

/// The two bytes of the letter that `word` begins with, where another letter follows. A word is read by bytes here, which
/// spares decoding the letters of all the words that are no form of any term.
fn next_of(word: &[u8]) -> Option<[u8; 2]> {
    match word {
        [first, second, _, ..] => Some([*first, *second]),
        _ => None,
    }
}

const ALEF: [u8; 2] = *b"\xD8\xA7";
const BEH: [u8; 2] = *b"\xD8\xA8";
const FEH: [u8; 2] = *b"\xD9\x81";
const KAF: [u8; 2] = *b"\xD9\x83";
const LAM: [u8; 2] = *b"\xD9\x84";
const WAW: [u8; 2] = *b"\xD9\x88";

/// What may follow a form's letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// The word ends.
    Nothing,
    /// The word ends, or has any ending of a noun.
    Inflection,
    /// The same after three letters, where ان and ين make other words (لبن and لبنان, بحر and البحرين).
    ShortInflection,
    /// What follows ت for ة.
    Suffix,
    /// What takes the place of ة.
    Plural,
    /// A possessive.
    Possessive,
    /// ي, ية, يون …
    Nisba,
    /// Whatever there is.
    Anything,
    /// Nothing, and the letters may have one edit; not looked up letter by letter.
    Fuzzy,
}

/// Words that look like a term with an ending and are names of their own.
const NOT_INFLECTED: [&str; 2] = ["طالبان", "برلمان"];

impl Rest {
    /// Whether `word`, which goes on for `rest` after the form's letters, is one of the term's.
    pub(super) fn admits(self, word: &str, rest: &[char]) -> bool {
        match self {
            Self::Nothing => rest.is_empty(),
            Self::Inflection => {
                (rest.is_empty() || is_inflection(rest) || is_dual_or_plural(rest)) && !NOT_INFLECTED.contains(&word)
            }
            Self::ShortInflection => rest.is_empty() || is_inflection(rest) && rest != ['ي', 'ا'],
            Self::Suffix => is_possessive(rest) || matches!(rest, ['ي', 'ن'] | ['ا', 'ن'] | ['ي'] | ['ا']),
            Self::Plural => is_feminine_plural(rest),
            Self::Possessive => is_possessive(rest),
            Self::Nisba => is_nisba(rest),
            Self::Anything => true,
            Self::Fuzzy => false,
        }
    }
}

/// The most letters of an ending that [`may_follow`].
pub(super) const LONGEST_ENDING: usize = 5;

/// Whether `rest` may follow the letters of any form but a prefix.
pub(super) fn may_follow(rest: &[char]) -> bool {
    rest.is_empty() || is_inflection(rest) || is_dual_or_plural(rest)
}

fn is_possessive(rest: &[char]) -> bool {
    matches!(rest, ['ه'] | ['ه', 'ا' | 'م' | 'ن'] | ['ه', 'م', 'ا'] | ['ن', 'ا'])
}

fn is_nisba(rest: &[char]) -> bool {
    matches!(
        rest,
        ['ي'] | ['ي', 'ا' | 'ه'] | ['ي', 'ي' | 'و' | 'ا', 'ن'] | ['ي', 'ا', 'ت'] | ['ي', 'ت', 'ي' | 'ا', 'ن']
    )
}

fn is_feminine_plural(rest: &[char]) -> bool {
    matches!(rest, ['ا', 'ت', possessive @ ..] if possessive.is_empty() || possessive == ['ي'] || is_possessive(possessive))
}

fn is_dual_or_plural(rest: &[char]) -> bool {
    matches!(rest, ['ا' | 'ي' | 'و', 'ن'])
}

fn is_inflection(rest: &[char]) -> bool {
    // ا: the accusative's alef (اضطراباً) and the dual in a construct; ي and و: the plural in a construct (متظاهرو).
    matches!(rest, ['ا' | 'ي' | 'و']) || is_possessive(rest) || is_nisba(rest) || is_feminine_plural(rest)
}

pub(super) fn is_arabic(c: char) -> bool {
    matches!(c, '\u{600}'..='\u{6ff}')
}
