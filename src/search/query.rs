//! What somebody asks for: one line to a tree.
//!
//! In: a query as people write it. Out: an [`Ask`], or the [`Fault`] with the characters it stands at.
//! Promise: any string gives a tree or a fault, never a panic; nesting and length are bounded.
//! Not here: what is found ([`super::plan`]); the language of topics, which is another ([`crate::topic`]).
//!
//! ```text
//! query  := either { ["AND"] either }
//! either := one { ("OR" | "|") one }
//! one    := ["-"] ( "(" query ")" | field ":" value | value )
//! value  := '"' words '"' | word
//! field  := title | text | author | feed | topic | lang | since | until
//! ```

use std::fmt;
use std::iter::Peekable;
use std::ops::Range;
use std::vec::IntoIter;

use jiff::Timestamp;

use crate::id::{FeedId, TopicId};
use crate::text::tokenize::Words;
use crate::units::moment;

/// Longest query, in characters.
pub const MAX_QUERY: usize = 500;
/// Most words, tags and times of a query.
const MAX_PARTS: usize = 24;
/// Deepest nesting of parentheses.
const MAX_DEPTH: usize = 8;
/// What a language tag may have.
const MAX_LANGUAGE: usize = 35;

/// Something wrong in a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// In characters of the query, half-open.
    pub at: Range<usize>,
    /// What is wrong, and what to write instead.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the query, at character {}: {}", self.at.start + 1, self.message)
    }
}

/// Where a word has to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// In the title, the summary or the text.
    Anywhere,
    Title,
    /// In the summary or the text.
    Text,
    Author,
}

/// A word, normalized, and as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) word: String,
    pub(super) original: String,
}

/// What is compared as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    Feed(String),
    Topic(String),
    Language(String),
}

/// A part of what is asked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ask {
    /// The words one after the other; one alone stands for itself. `quoted`: it was written in quotation marks.
    Words {
        words: Vec<Written>,
        scope: Scope,
        quoted: bool,
    },
    Tag(Tag),
    Time {
        since: Option<Timestamp>,
        until: Option<Timestamp>,
    },
    /// All of `all`, none of `none`.
    And {
        all: Vec<Ask>,
        none: Vec<Ask>,
    },
    Or(Vec<Ask>),
}

/// Reads a query; spans in it count back from `now`.
///
/// # Errors
/// The first fault.
pub(super) fn parse(text: &str, now: Timestamp) -> Result<Ask, Fault> {
    let length = text.chars().count();
    if length > MAX_QUERY {
        let message = format!("it goes on for {length} characters, and {MAX_QUERY} are read; ask for less at once");
        return Err(Fault { at: MAX_QUERY..length, message });
    }
    let mut parser = Parser { pieces: pieces(text)?.into_iter().peekable(), now, parts: 0, end: length };
    let ask = parser.query(0)?;
    match parser.pieces.next() {
        None => Ok(ask),
        Some(piece) => Err(Fault { at: piece.at, message: "this parenthesis closes nothing; leave it out".to_owned() }),
    }
}

/// What a query is made of, as far as characters tell.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    at: Range<usize>,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Open,
    Close,
    Or,
    And,
    Not,
    /// `name:`, with its value right after it.
    Field(String),
    Quoted(String),
    Bare(String),
}

const fn is_quote(c: char) -> bool {
    matches!(c, '"' | '«' | '»' | '“' | '”' | '„' | '‟')
}

fn ends_word(c: char) -> bool {
    c.is_whitespace() || is_quote(c) || matches!(c, '(' | ')' | '|')
}

fn pieces(text: &str) -> Result<Vec<Piece>, Fault> {
    let chars: Vec<char> = text.chars().collect();
    let mut pieces: Vec<Piece> = Vec::new();
    let mut at = 0;
    while let Some(c) = chars.get(at) {
        let begin = at;
        at += 1;
        let what = match c {
            c if c.is_whitespace() => continue,
            '(' => What::Open,
            ')' => What::Close,
            '|' => What::Or,
            c if is_quote(*c) => {
                let Some(length) = chars.iter().skip(at).position(|c| is_quote(*c)) else {
                    let message = "this quotation mark is never closed; write one at the end of the phrase".to_owned();
                    return Err(Fault { at: begin..begin + 1, message });
                };
                at += length + 1;
                What::Quoted(chars.iter().skip(begin + 1).take(length).collect())
            }
            '-' | '−' if chars.get(at).is_some_and(|next| !ends_word(*next) || *next == '(' || is_quote(*next)) => {
                What::Not
            }
            _ => {
                let rest = chars.get(begin..).unwrap_or_default();
                let length = rest.iter().position(|c| ends_word(*c)).unwrap_or(rest.len());
                let word: String = rest.iter().take(length).collect();
                let name = field_name(&word);
                at = begin + name.as_ref().map_or(length, |name| name.chars().count() + 1);
                match (name, word.as_str()) {
                    (Some(name), _) => What::Field(name),
                    (None, "OR") => What::Or,
                    (None, "AND") => What::And,
                    (None, "NOT") => What::Not,
                    _ => What::Bare(word),
                }
            }
        };
        pieces.push(Piece { at: begin..at, what });
    }
    Ok(pieces)
}

/// The name before the colon, where it is one: `10:30` and `https://…` are words.
fn field_name(word: &str) -> Option<String> {
    let (name, value) = word.split_once(':')?;
    let letters = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic());
    (letters && !value.starts_with("//")).then(|| name.to_owned())
}

struct Parser {
    pieces: Peekable<IntoIter<Piece>>,
    now: Timestamp,
    parts: usize,
    /// The length of the query.
    end: usize,
}

impl Parser {
    fn query(&mut self, depth: usize) -> Result<Ask, Fault> {
        let (mut all, mut none) = (Vec::new(), Vec::new());
        let begin = self.pieces.peek().map_or(self.end, |piece| piece.at.start);
        let mut joined = None;
        while let Some(piece) = self.pieces.peek() {
            match &piece.what {
                What::Close => break,
                What::And if all.is_empty() && none.is_empty() => {
                    return Err(Fault { at: piece.at.clone(), message: "nothing stands before AND".to_owned() });
                }
                What::And => {
                    joined = Some(piece.at.clone());
                    self.pieces.next();
                    continue;
                }
                _ => {}
            }
            joined = None;
            let (excluded, ask) = self.either(depth)?;
            if excluded { none.push(ask) } else { all.push(ask) }
        }
        let end = self.pieces.peek().map_or(self.end, |piece| piece.at.start);
        if let Some(at) = joined {
            return Err(Fault { at, message: "nothing stands after AND".to_owned() });
        }
        match (all.len(), none.is_empty()) {
            (0, true) => {
                Err(Fault { at: begin..end, message: "there is nothing to look for; write a word".to_owned() })
            }
            (0, false) => Err(Fault {
                at: begin..end,
                message: "it says only what is to be left out; add what is to be found".to_owned(),
            }),
            (1, true) => Ok(all.swap_remove(0)),
            _ => Ok(Ask::And { all, none }),
        }
    }

    /// What is asked for, and whether it is to be left out.
    fn either(&mut self, depth: usize) -> Result<(bool, Ask), Fault> {
        let (excluded, first) = self.one(depth)?;
        let mut choices = vec![first];
        while let Some(or) = self.pieces.next_if(|piece| piece.what == What::Or) {
            if excluded {
                let message = "what is left out cannot be one of two; put parentheses around both".to_owned();
                return Err(Fault { at: or.at, message });
            }
            match self.pieces.peek() {
                None | Some(Piece { what: What::Close | What::Or | What::And, .. }) => {
                    return Err(Fault { at: or.at, message: "nothing stands after OR".to_owned() });
                }
                Some(_) => {}
            }
            let (no, ask) = self.one(depth)?;
            if no {
                let message =
                    "OR with what is left out would find nearly everything; leave one of them away".to_owned();
                return Err(Fault { at: or.at, message });
            }
            choices.push(ask);
        }
        let ask = if choices.len() == 1 { choices.swap_remove(0) } else { Ask::Or(choices) };
        Ok((excluded, ask))
    }

    fn one(&mut self, depth: usize) -> Result<(bool, Ask), Fault> {
        let excluded = self.pieces.next_if(|piece| piece.what == What::Not).is_some();
        let Some(piece) = self.pieces.next() else {
            return Err(Fault { at: self.end..self.end, message: "a word is missing here".to_owned() });
        };
        let Piece { at, what } = piece;
        let ask = match what {
            What::Open if depth == MAX_DEPTH => {
                let message = format!("parentheses are nested more than {MAX_DEPTH} deep; write it simpler");
                return Err(Fault { at, message });
            }
            What::Open => {
                let ask = self.query(depth + 1)?;
                if self.pieces.next_if(|piece| piece.what == What::Close).is_none() {
                    let message = "this parenthesis is never closed; write `)` at its end".to_owned();
                    return Err(Fault { at, message });
                }
                ask
            }
            What::Quoted(text) => self.words(at, &text, Scope::Anywhere, true)?,
            What::Bare(text) => self.words(at, &text, Scope::Anywhere, false)?,
            What::Field(name) => self.field(at, &name)?,
            What::Or => return Err(Fault { at, message: "nothing stands before OR".to_owned() }),
            What::Close | What::And | What::Not => {
                return Err(Fault { at, message: "a word is missing here".to_owned() });
            }
        };
        Ok((excluded, ask))
    }

    fn field(&mut self, at: Range<usize>, name: &str) -> Result<Ask, Fault> {
        let missing =
            || Fault { at: at.clone(), message: format!("nothing stands after `{name}:`; write its value there") };
        let value = self.pieces.next_if(|piece| {
            piece.at.start == at.end && matches!(piece.what, What::Quoted(_) | What::Bare(_) | What::Field(_))
        });
        let Some(Piece { at: place, what }) = value else { return Err(missing()) };
        let (text, quoted) = match what {
            What::Quoted(text) => (text, true),
            What::Bare(text) => (text, false),
            _ => return Err(missing()),
        };
        let wrong = |message: String| Fault { at: place.clone(), message };
        let ask = match name {
            "title" => return self.words(place, &text, Scope::Title, quoted),
            "text" => return self.words(place, &text, Scope::Text, quoted),
            "author" => return self.words(place, &text, Scope::Author, true),
            "feed" => Ask::Tag(Tag::Feed(text.parse::<FeedId>().map_err(wrong)?.to_string())),
            "topic" => Ask::Tag(Tag::Topic(text.parse::<TopicId>().map_err(wrong)?.to_string())),
            "lang" => match language(&text) {
                Some(tag) => Ask::Tag(Tag::Language(tag)),
                None => return Err(wrong(format!("`{text}` is not a language tag such as `ar`"))),
            },
            "since" | "until" => {
                let Some(time) = moment(&text, self.now) else {
                    return Err(wrong(format!(
                        "`{text}` is not a time; write a date (2026-11-20), RFC 3339, or a span back from now (7d)"
                    )));
                };
                let (since, until) = if name == "since" { (Some(time), None) } else { (None, Some(time)) };
                Ask::Time { since, until }
            }
            _ => {
                let message = format!(
                    "there is no field `{name}`; those are title, text, author, feed, topic, lang, since and until; put \
                     it in quotation marks to look for it as it is"
                );
                return Err(Fault { at, message });
            }
        };
        self.count(&place, 1)?;
        Ok(ask)
    }

    fn words(&mut self, at: Range<usize>, text: &str, scope: Scope, quoted: bool) -> Result<Ask, Fault> {
        let found = Words::of(text);
        let original = |i: usize| {
            let place = found.original(i..i + 1);
            text.chars().skip(place.start).take(place.len()).collect()
        };
        let words: Vec<Written> = found
            .iter()
            .enumerate()
            .map(|(i, word)| Written { word: word.to_owned(), original: original(i) })
            .collect();
        if words.is_empty() {
            let message = format!("`{text}` has no letter and no digit to look for; leave it out");
            return Err(Fault { at, message });
        }
        self.count(&at, words.len())?;
        Ok(Ask::Words { words, scope, quoted })
    }

    fn count(&mut self, at: &Range<usize>, parts: usize) -> Result<(), Fault> {
        self.parts += parts;
        if self.parts > MAX_PARTS {
            let message = format!("more than {MAX_PARTS} words are asked for; leave some out");
            return Err(Fault { at: at.clone(), message });
        }
        Ok(())
    }
}

/// A language tag in small letters.
pub(super) fn language(text: &str) -> Option<String> {
    let fits = (2..=MAX_LANGUAGE).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    fits.then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
#[path = "query_tests.rs"]
mod tests;
