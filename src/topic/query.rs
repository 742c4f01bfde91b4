//! The topic language: one query string to a tree.
//!
//! In: a query, or one entry of a set. Out: a [`Query`] or an [`Entry`], and every [`Fault`] with the bytes it stands at.
//! Promise: any string gives a tree or at least one fault, never a panic; nesting is bounded.
//! Not here: what sets contain and whether the query can match at all ([`super::compile`]).
//!
//! ```text
//! or    := and { "OR" and }
//! and   := near { ("AND" | "AND NOT" | "NOT") near }
//! near  := atom { ("NEAR/" n | "ONEAR/" n | "NEAR/s") atom }
//! atom  := "(" or ")" | "$" set | ("title:" | "lead:") atom | ("url:" | "feed:" | "lang:") value | phrase | term
//! phrase := '"' word+ '"' [ "~" n ] [ ":g" | ":n" ]
//! term  := word [ ":g" | ":n" | "*" | "~1" ] | "=" word
//! ```

use std::ops::Range;

use super::Field;
use super::term::{Class, Term};
use crate::text::tokenize::Words;

/// Farthest that NEAR and a phrase's gaps reach, in words.
pub const MAX_NEAR: u32 = 30;
/// Deepest nesting of parentheses and field prefixes.
const MAX_DEPTH: usize = 50;

/// Something wrong in a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// In bytes of the query.
    pub at: Range<usize>,
    /// What is wrong and what to write instead.
    pub message: String,
}

/// A parsed query.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Query {
    /// Words next to each other, at most `gaps` other words between them in all. One word is a phrase of one.
    Words {
        words: Vec<Term>,
        gaps: u32,
        at: At,
    },
    Set {
        name: String,
        at: At,
    },
    Or(Vec<Query>),
    /// All of `all`, none of `none`, anywhere in the article.
    And {
        all: Vec<Query>,
        none: Vec<Query>,
    },
    /// Each next one near what was found so far.
    Near {
        first: Box<Query>,
        then: Vec<(Nearness, Query)>,
    },
    /// Only there.
    In(Part, Box<Query>),
    /// Not words at all.
    Test {
        field: Field,
        value: String,
    },
}

/// Where something stands in its query, in bytes. The same words elsewhere are the same query.
#[derive(Clone, Debug, Default)]
pub(super) struct At(pub(super) Range<usize>);

impl PartialEq for At {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// How near.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nearness {
    /// This many words on, at most; 1 is the next word. Either way round.
    Within(u32),
    /// The same, and in this order.
    Before(u32),
    /// In one sentence.
    Sentence,
}

/// A part of an article.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Title,
    /// The first words of the text or summary.
    Lead,
}

/// One entry of a set.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Entry {
    Words {
        words: Vec<Term>,
        gaps: u32,
    },
    /// All entries of another set.
    Include(String),
}

/// Parses a query; `None` where its shape is wrong. Faults of single terms leave a shape, so all of them are told.
pub(super) fn parse(query: &str) -> (Option<Query>, Vec<Fault>) {
    let mut faults = Vec::new();
    let tokens = match tokens(query, &mut faults) {
        Ok(tokens) => tokens,
        Err(fault) => {
            faults.push(fault);
            return (None, faults);
        }
    };
    if tokens.is_empty() {
        let message = "the query is empty and can never match; write a term, a \"phrase\" or a $SET".to_owned();
        faults.push(Fault { at: 0..query.len(), message });
        return (None, faults);
    }
    let mut parser = Parser { tokens, next: 0, end: query.len() };
    let parsed = parser.or(0).and_then(|tree| parser.finish().map(|()| tree));
    match parsed {
        Ok(tree) => (Some(tree), faults),
        Err(fault) => {
            faults.push(fault);
            (None, faults)
        }
    }
}

/// Parses an entry of a set: a term, a phrase with or without quotation marks, or `$OTHER`.
pub(super) fn parse_entry(entry: &str) -> (Option<Entry>, Vec<Fault>) {
    let mut faults = Vec::new();
    let trimmed = entry.trim();
    let at = entry.len() - entry.trim_start().len();
    if let Some(name) = trimmed.strip_prefix('$') {
        if is_set_name(name) {
            return (Some(Entry::Include(name.to_owned())), faults);
        }
        let message = format!("`{trimmed}` does not name a set; write $ and letters, digits or _");
        return (None, vec![Fault { at: at..at + trimmed.len(), message }]);
    }
    let quoted = trimmed.chars().next().and_then(closing).is_some();
    let words = if quoted {
        match quoted_words(trimmed, at, &mut faults) {
            Ok((words, gaps, len)) if len == trimmed.len() => Some((words, gaps)),
            Ok((_, _, len)) => {
                let message =
                    "an entry of a set is one term or one phrase; put the rest into an entry of its own".to_owned();
                faults.push(Fault { at: at + len..at + trimmed.len(), message });
                None
            }
            Err(fault) => {
                faults.push(fault);
                None
            }
        }
    } else if trimmed.contains(char::is_whitespace) {
        let (text, class) = class_mark(trimmed);
        Some((phrase_words(text, at, class, &mut faults), 0))
    } else {
        Some((term_words(trimmed, at, Class::Noun, false, &mut faults), 0))
    };
    if words.as_ref().is_some_and(|(words, _)| words.is_empty()) && faults.is_empty() {
        let message = format!("the entry `{trimmed}` has no word and can never match; remove it or write a term");
        faults.push(Fault { at: 0..entry.len(), message });
    }
    (words.filter(|(words, _)| !words.is_empty()).map(|(words, gaps)| Entry::Words { words, gaps }), faults)
}

/// Whether `name` can be written after `$`.
pub(super) fn is_set_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_')
}

enum Token {
    Open,
    Close,
    Or,
    And,
    Not,
    Near(Nearness),
    Part(Part),
    Leaf(Query),
}

/// Cuts a query into tokens. Faults inside a term are noted and passed over; one that hides where a token ends is returned.
fn tokens(query: &str, faults: &mut Vec<Fault>) -> Result<Vec<(Token, Range<usize>)>, Fault> {
    const PARTS: [(&str, Part); 2] = [("title:", Part::Title), ("lead:", Part::Lead)];
    const TESTS: [(&str, Field); 3] = [("url:", Field::Url), ("feed:", Field::Feed), ("lang:", Field::Language)];
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(rest) = query.get(at..) {
        let Some(first) = rest.chars().next() else { break };
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (token, len) = if first == '(' {
            (Token::Open, 1)
        } else if first == ')' {
            (Token::Close, 1)
        } else if closing(first).is_some() {
            let (words, gaps, len) = quoted_words(rest, at, faults)?;
            (Token::Leaf(Query::Words { words, gaps, at: At(at..at + len) }), len)
        } else if let Some((prefix, part)) = PARTS.iter().find(|(prefix, _)| rest.starts_with(prefix)) {
            (Token::Part(*part), prefix.len())
        } else if let Some((prefix, field)) = TESTS.iter().find(|(prefix, _)| rest.starts_with(prefix)) {
            let (value, len) = test_value(rest, prefix, at)?;
            (Token::Leaf(Query::Test { field: *field, value }), len)
        } else {
            let len = word_length(rest);
            let word = rest.get(..len).unwrap_or_default();
            (word_token(word, at, faults), len)
        };
        tokens.push((token, at..at + len));
        at += len.max(1);
    }
    Ok(tokens)
}

fn word_length(rest: &str) -> usize {
    rest.find(|c: char| c.is_whitespace() || matches!(c, '(' | ')') || closing(c).is_some()).unwrap_or(rest.len())
}

/// The mark that ends what `open` begins.
pub(super) fn closing(open: char) -> Option<char> {
    match open {
        '"' => Some('"'),
        '“' | '”' => Some('”'),
        '«' => Some('»'),
        _ => None,
    }
}

fn word_token(word: &str, at: usize, faults: &mut Vec<Fault>) -> Token {
    let range = at..at + word.len();
    match word {
        "OR" => return Token::Or,
        "AND" => return Token::And,
        "NOT" => return Token::Not,
        "NEAR" | "ONEAR" => {
            let message =
                format!("`{word}` needs a distance; write {word}/10 for ten words, or NEAR/s for one sentence");
            faults.push(Fault { at: range, message });
            return Token::Near(Nearness::Sentence);
        }
        "NEAR/s" => return Token::Near(Nearness::Sentence),
        _ => {}
    }
    if let Some((ordered, distance)) =
        word.strip_prefix("NEAR/").map(|n| (false, n)).or_else(|| word.strip_prefix("ONEAR/").map(|n| (true, n)))
    {
        let near = distance.parse().ok().filter(|n| (1..=MAX_NEAR).contains(n));
        if near.is_none() {
            let message =
                format!("`{word}` is not a distance; write a number of words from 1 to {MAX_NEAR}, or NEAR/s");
            faults.push(Fault { at: range, message });
        }
        let n = near.unwrap_or(1);
        return Token::Near(if ordered { Nearness::Before(n) } else { Nearness::Within(n) });
    }
    if let Some(name) = word.strip_prefix('$') {
        if !is_set_name(name) {
            let message = format!("`{word}` does not name a set; write $ and letters, digits or _");
            faults.push(Fault { at: range.clone(), message });
        }
        return Token::Leaf(Query::Set { name: name.to_owned(), at: At(range) });
    }
    let words = term_words(word, at, Class::Noun, false, faults);
    Token::Leaf(Query::Words { words, gaps: 0, at: At(range) })
}

/// The value after `url:` and its like, and how long prefix and value are.
fn test_value(rest: &str, prefix: &str, at: usize) -> Result<(String, usize), Fault> {
    let after = rest.get(prefix.len()..).unwrap_or_default();
    let (value, len) = match after.chars().next().and_then(|open| Some((open, closing(open)?))) {
        Some((open, close)) => {
            let inside = after.get(open.len_utf8()..).unwrap_or_default();
            let end = inside.find(close).ok_or_else(|| unclosed(at + prefix.len(), open))?;
            (inside.get(..end).unwrap_or_default(), open.len_utf8() + end + close.len_utf8())
        }
        None => {
            let end = after.find(|c: char| c.is_whitespace() || matches!(c, '(' | ')')).unwrap_or(after.len());
            (after.get(..end).unwrap_or_default(), end)
        }
    };
    if value.trim().is_empty() {
        let message =
            format!("`{prefix}` needs a value, as in {prefix}{}", if prefix == "lang:" { "ar" } else { "bbc" });
        return Err(Fault { at: at..at + prefix.len(), message });
    }
    Ok((value.trim().to_lowercase(), prefix.len() + len))
}

fn unclosed(at: usize, open: char) -> Fault {
    let message =
        format!("the quotation mark {open} is never closed; write {} after the phrase", closing(open).unwrap_or('"'));
    Fault { at: at..at + open.len_utf8(), message }
}

/// A phrase in quotation marks with what is glued to its end: its words, gaps, and length in bytes.
fn quoted_words(rest: &str, at: usize, faults: &mut Vec<Fault>) -> Result<(Vec<Term>, u32, usize), Fault> {
    let open = rest.chars().next().unwrap_or('"');
    let close = closing(open).unwrap_or('"');
    let from = open.len_utf8();
    let inside = rest.get(from..).unwrap_or_default();
    let end = inside.find(close).ok_or_else(|| unclosed(at, open))?;
    let after = inside.get(end + close.len_utf8()..).unwrap_or_default();
    let marks = after.get(..word_length(after)).unwrap_or_default();
    let marks_at = at + from + end + close.len_utf8();
    let (gap_mark, class) = class_mark(marks);
    let gaps = if gap_mark.is_empty() {
        0
    } else {
        let gaps = gap_mark.strip_prefix('~').and_then(|n| n.parse().ok()).filter(|n| *n <= MAX_NEAR);
        if gaps.is_none() {
            let message = format!(
                "`{marks}` after a phrase is not understood; `~3` lets 3 words stand in between (at most {MAX_NEAR}), :g and :n name a class"
            );
            faults.push(Fault { at: marks_at..marks_at + marks.len(), message });
        }
        gaps.unwrap_or(0)
    };
    let before = faults.len();
    let words = phrase_words(inside.get(..end).unwrap_or_default(), at + from, class, faults);
    if words.is_empty() && faults.len() == before {
        let message = "the phrase has no word and can never match".to_owned();
        faults.push(Fault { at: at..marks_at, message });
    }
    Ok((words, gaps, from + end + close.len_utf8() + marks.len()))
}

/// A trailing `:g` or `:n` taken off.
fn class_mark(text: &str) -> (&str, Class) {
    match (text.strip_suffix(":g"), text.strip_suffix(":n")) {
        (Some(rest), _) => (rest, Class::Place),
        (_, Some(rest)) => (rest, Class::Name),
        _ => (text, Class::Noun),
    }
}

/// The words of a phrase. A word may have marks of its own; the others are of `class`.
fn phrase_words(text: &str, at: usize, class: Class, faults: &mut Vec<Fault>) -> Vec<Term> {
    if !text.contains(['=', '*', '~', ':']) {
        // As in a text, so that what a text glues together (الـ CSTO) is glued here too.
        return plain_words(text, at, class, true, faults);
    }
    let mut words = Vec::new();
    let mut rest = text;
    let mut from = 0;
    while !rest.is_empty() {
        let len = rest.find(char::is_whitespace).unwrap_or(rest.len());
        if len > 0 {
            let piece = rest.get(..len).unwrap_or_default();
            words.extend(term_words(piece, at + from, class, true, faults));
        }
        let step = len + rest.get(len..).and_then(|tail| tail.chars().next()).map_or(0, char::len_utf8);
        rest = rest.get(step..).unwrap_or_default();
        from += step;
    }
    words
}

/// A term with its marks. Several words where the text has several (نور-سلطان).
fn term_words(text: &str, at: usize, default: Class, in_phrase: bool, faults: &mut Vec<Fault>) -> Vec<Term> {
    let mut fault = |message: String| faults.push(Fault { at: at..at + text.len(), message });
    let (body, class) = match (text.strip_prefix('='), text.strip_suffix('*'), text.split_once('~'), class_mark(text)) {
        (Some(exact), ..) => (exact, Class::Exact),
        (_, Some(prefix), ..) => (prefix, Class::Prefix),
        (_, _, Some((body, "1")), _) => (body, Class::Fuzzy),
        (_, _, Some(_), _) => {
            fault(format!("`{text}`: a word allows one edit, written ~1 and last"));
            return Vec::new();
        }
        (.., (body, Class::Noun)) => (body, default),
        (.., (body, class)) => (body, class),
    };
    if let Some(mark) = body.chars().find(|c| matches!(c, '=' | '*' | '~' | ':' | '$')) {
        fault(format!(
            "`{text}`: `{mark}` is not understood there; a term takes one mark: :g place, :n name, =exact, prefix*, or ~1"
        ));
        return Vec::new();
    }
    let words = plain_words(body, at + usize::from(class == Class::Exact), class, in_phrase, faults);
    if words.is_empty() && !in_phrase && faults.last().is_none_or(|last| last.at.start < at) {
        let message = format!("`{text}` has no letters and can never match");
        faults.push(Fault { at: at..at + text.len(), message });
    }
    if words.len() > 1 && matches!(class, Class::Prefix | Class::Fuzzy) {
        let message = format!("`{text}` is {} words; the mark is for a single one", words.len());
        faults.push(Fault { at: at..at + text.len(), message });
    }
    words
}

fn plain_words(text: &str, at: usize, class: Class, in_phrase: bool, faults: &mut Vec<Fault>) -> Vec<Term> {
    let words = Words::of(text);
    let in_phrase = in_phrase || words.len() > 1;
    let characters: Vec<(usize, char)> = text.char_indices().collect();
    let mut terms = Vec::with_capacity(words.len());
    for i in 0..words.len() {
        let place = words.original(i..i + 1);
        let original: String = characters.get(place.clone()).unwrap_or_default().iter().map(|(_, c)| c).collect();
        match Term::new(&original, words.get(i), class, in_phrase) {
            Ok(term) => terms.push(term),
            Err(message) => {
                let byte = |i: usize| characters.get(i).map_or(text.len(), |(at, _)| *at);
                faults.push(Fault { at: at + byte(place.start)..at + byte(place.end), message });
            }
        }
    }
    terms
}

struct Parser {
    tokens: Vec<(Token, Range<usize>)>,
    next: usize,
    end: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(token, _)| token)
    }

    fn at(&self) -> Range<usize> {
        self.tokens.get(self.next).map_or(self.end..self.end, |(_, at)| at.clone())
    }

    fn or(&mut self, depth: usize) -> Result<Query, Fault> {
        let mut any = vec![self.and(depth)?];
        while matches!(self.peek(), Some(Token::Or)) {
            self.next += 1;
            any.push(self.and(depth)?);
        }
        Ok(if any.len() == 1 { any.swap_remove(0) } else { Query::Or(any) })
    }

    fn and(&mut self, depth: usize) -> Result<Query, Fault> {
        let mut all = vec![self.near(depth)?];
        let mut none = Vec::new();
        loop {
            match self.peek() {
                Some(Token::And) => {
                    self.next += 1;
                    let not = matches!(self.peek(), Some(Token::Not));
                    self.next += usize::from(not);
                    if not { &mut none } else { &mut all }.push(self.near(depth)?);
                }
                Some(Token::Not) => {
                    self.next += 1;
                    none.push(self.near(depth)?);
                }
                _ => break,
            }
        }
        Ok(if all.len() == 1 && none.is_empty() { all.swap_remove(0) } else { Query::And { all, none } })
    }

    fn near(&mut self, depth: usize) -> Result<Query, Fault> {
        let first = self.atom(depth)?;
        let mut then = Vec::new();
        while let Some(Token::Near(nearness)) = self.peek() {
            let nearness = *nearness;
            self.next += 1;
            then.push((nearness, self.atom(depth)?));
        }
        Ok(if then.is_empty() { first } else { Query::Near { first: Box::new(first), then } })
    }

    fn atom(&mut self, depth: usize) -> Result<Query, Fault> {
        let at = self.at();
        if depth >= MAX_DEPTH {
            return Err(Fault { at, message: format!("nested deeper than {MAX_DEPTH} levels; use sets") });
        }
        let Some((token, _)) = self.tokens.get_mut(self.next) else {
            return Err(Fault {
                at,
                message: "the query ends where a term is expected; add one or remove the operator".into(),
            });
        };
        let taken = std::mem::replace(token, Token::Close);
        self.next += 1;
        match taken {
            Token::Leaf(query) => Ok(query),
            Token::Part(part) => Ok(Query::In(part, Box::new(self.atom(depth + 1)?))),
            Token::Open => {
                let inner = self.or(depth + 1)?;
                if !matches!(self.peek(), Some(Token::Close)) {
                    return Err(match self.peek() {
                        None => {
                            Fault { at, message: "this parenthesis is never closed; write ) after the group".into() }
                        }
                        Some(_) => self.no_operator(),
                    });
                }
                self.next += 1;
                Ok(inner)
            }
            Token::Close => Err(Fault { at, message: "a term is expected before this )".into() }),
            Token::Not => {
                let message = "NOT takes away from what stands before it; write `term NOT other`".into();
                Err(Fault { at, message })
            }
            Token::Or | Token::And | Token::Near(_) => Err(Fault {
                at,
                message: "an operator where a term is expected; add a term or remove the operator".into(),
            }),
        }
    }

    fn no_operator(&self) -> Fault {
        let message =
            "an operator is missing here; write AND, OR, NOT or NEAR/n in capitals, or put a phrase in quotation marks";
        Fault { at: self.at(), message: message.into() }
    }

    fn finish(&self) -> Result<(), Fault> {
        match self.peek() {
            None => Ok(()),
            Some(Token::Close) => {
                Err(Fault { at: self.at(), message: "this ) closes nothing; remove it or open a parenthesis".into() })
            }
            Some(_) => Err(self.no_operator()),
        }
    }
}
