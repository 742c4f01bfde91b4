//! The text of a date as numbers, words and signs, of which readers take what is theirs.

/// A piece of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind<'a>,
    /// Whether it follows the one before without white space.
    pub(super) glued: bool,
    taken: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    Number { value: u64, digits: usize },
    Word(&'a str),
    Sign(char),
}

/// All pieces in order.
#[derive(Clone, Debug)]
pub(super) struct Tokens<'a> {
    all: Vec<Token<'a>>,
    /// Whether the day came from a word such as "yesterday".
    pub(super) saw_day_word: bool,
}

impl<'a> Tokens<'a> {
    /// Cuts a normalized text; `None` where it has a number that no date has, or no number and no word.
    pub(super) fn of(text: &'a str) -> Option<Self> {
        let mut all = Vec::new();
        let mut rest = text;
        let mut glued = true;
        while let Some(c) = rest.chars().next() {
            let same = |next: char| match c {
                '0'..='9' => next.is_ascii_digit(),
                // Letters of two scripts do not make one word.
                c => next.is_alphabetic() && next.is_ascii() == c.is_ascii(),
            };
            let run = if c.is_alphanumeric() { rest.find(|next| !same(next)).unwrap_or(rest.len()) } else { 0 };
            let length = run.max(c.len_utf8());
            let (piece, after) = rest.split_at_checked(length)?;
            rest = after;
            if c.is_whitespace() {
                glued = false;
                continue;
            }
            let kind = match c {
                '0'..='9' if piece.len() > 14 => return None,
                '0'..='9' => Kind::Number { value: piece.parse().ok()?, digits: piece.len() },
                c if c.is_alphabetic() => Kind::Word(piece),
                '‐' | '‑' | '–' | '—' | '−' => Kind::Sign('-'),
                c => Kind::Sign(c),
            };
            all.push(Token { kind, glued, taken: false });
            glued = true;
        }
        (!all.is_empty()).then_some(Self { all, saw_day_word: false })
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn get(&self, i: usize) -> Option<Token<'a>> {
        self.all.get(i).copied()
    }

    /// The number at `i` and how many digits it has, where nobody took it.
    pub(super) fn number(&self, i: usize) -> Option<(u64, usize)> {
        match self.all.get(i)? {
            Token { kind: Kind::Number { value, digits }, taken: false, .. } => Some((*value, *digits)),
            _ => None,
        }
    }

    /// The word at `i`, where nobody took it.
    pub(super) fn word(&self, i: usize) -> Option<&'a str> {
        match self.all.get(i)? {
            Token { kind: Kind::Word(word), taken: false, .. } => Some(word),
            _ => None,
        }
    }

    pub(super) fn is_sign(&self, i: usize, sign: char) -> bool {
        self.all.get(i).is_some_and(|token| token.kind == Kind::Sign(sign))
    }

    pub(super) fn is_glued(&self, i: usize) -> bool {
        self.all.get(i).is_some_and(|token| token.glued)
    }

    pub(super) fn is_taken(&self, i: usize) -> bool {
        self.all.get(i).is_some_and(|token| token.taken)
    }

    pub(super) fn take(&mut self, range: std::ops::Range<usize>) {
        for token in self.all.get_mut(range).unwrap_or_default() {
            token.taken = true;
        }
    }

    /// What nobody took.
    pub(super) fn left(&self) -> impl Iterator<Item = &Token<'a>> {
        self.all.iter().filter(|token| !token.taken)
    }
}
