//! Text to tags, whatever its state.
//!
//! In: a document as text. Out: [`Token`] values in order, until the end of the text.
//! Promise: never fails and never looks at a byte more than a few times, however the document is damaged; a fault costs
//! the tag it is in and nothing after it.
//! Not here: what belongs to what ([`super::tree`]).
//!
//! Why not the events of an XML library: a strict reader stops at the first fault, and starting it again behind every
//! fault looks through the rest of the document each time (a megabyte of `<!--` takes minutes).

use std::borrow::Cow;

use super::entities;
use super::repair::{Notes, Repair};

/// The most attributes read from one tag.
const MAX_ATTRIBUTES: usize = 64;
/// The longest attribute value read, in bytes.
const MAX_VALUE: usize = 64 << 10;
/// How far a quoted `>` is looked for in a declaration.
const MAX_DECLARATION: usize = 4 << 10;

/// One piece of a document.
#[derive(Debug, PartialEq)]
pub enum Token<'a> {
    /// `<name attributes>`; `empty` where it closes itself.
    Start { name: &'a str, attributes: Vec<(&'a str, Cow<'a, str>)>, empty: bool },
    /// `</name>`
    End(&'a str),
    /// Characters, their references resolved.
    Text(Cow<'a, str>),
    /// Characters of a CDATA section: nothing in them is resolved.
    Raw(&'a str),
}

/// Cuts a text into tokens.
pub struct Tokens<'a> {
    text: &'a str,
    at: usize,
    /// The next `-->` and the next `]]>`, remembered so that openings without an end don't search again and again.
    comment_end: Option<usize>,
    raw_end: Option<usize>,
    pub notes: Notes,
}

impl<'a> Tokens<'a> {
    /// The tokens of `text`, which holds no illegal characters any more.
    pub fn of(text: &'a str) -> Self {
        Self { text, at: 0, comment_end: None, raw_end: None, notes: Notes::default() }
    }

    /// How many bytes have been read.
    pub fn position(&self) -> usize {
        self.at
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn text_token(&mut self, to: usize) -> Option<Token<'a>> {
        let text = self.text.get(self.at..to).unwrap_or_default();
        self.at = to;
        Some(Token::Text(entities::resolve(text, &mut self.notes)))
    }

    /// A `<` that opens nothing.
    fn bare(&mut self) -> Option<Token<'a>> {
        self.notes.add(Repair::BareLess);
        self.at += 1;
        Some(Token::Text(Cow::Borrowed("<")))
    }

    fn comment(&mut self) {
        let inside = self.at + 4;
        let end = next(self.text, "-->", inside, &mut self.comment_end);
        // An opening within a comment that already holds the end of an entry: the first one was never closed.
        let swallowed = end.is_some_and(|end| swallows(self.text, inside, end, "<!--"));
        match end {
            Some(end) if !swallowed => self.at = end + 3,
            _ => {
                self.notes.add(Repair::UnclosedComment);
                self.at = inside;
            }
        }
    }

    fn cdata(&mut self) -> Option<Token<'a>> {
        let inside = self.at + 9;
        let end = next(self.text, "]]>", inside, &mut self.raw_end);
        let swallowed = end.is_some_and(|end| swallows(self.text, inside, end, "<![CDATA["));
        if let Some(end) = end.filter(|_| !swallowed) {
            self.at = end + 3;
            return self.text.get(inside..end).map(Token::Raw);
        }
        self.notes.add(Repair::UnclosedCdata);
        self.at = inside;
        None
    }

    /// `<?…>`: ends at the first `>`, because the question mark before it is often forgotten.
    fn instruction(&mut self) {
        self.at = self.rest().find('>').map_or(self.text.len(), |end| self.at + end + 1);
    }

    /// `<!…>`: the parts of a document type are each skipped as one of these; nothing of it is used.
    fn declaration(&mut self) {
        let rest = self.rest().as_bytes();
        let mut quote = None;
        let end = rest.iter().take(MAX_DECLARATION).position(|b| match (quote, *b) {
            (None, b'"' | b'\'') => {
                quote = Some(*b);
                false
            }
            (Some(open), b) => {
                if open == b {
                    quote = None;
                }
                false
            }
            // An internal subset: its declarations come next, one by one.
            (None, b) => b == b'>' || b == b'[',
        });
        let end = end.or_else(|| rest.iter().position(|b| *b == b'>')).map_or(rest.len(), |end| end + 1);
        if rest.get(2..9).is_some_and(|word| word.eq_ignore_ascii_case(b"doctype")) {
            self.notes.add(Repair::Doctype);
        }
        self.at += end;
    }

    fn end_tag(&mut self) -> Option<Token<'a>> {
        let body = self.text.get(self.at + 2..).unwrap_or_default();
        let length = body.find(['<', '>']).unwrap_or(body.len());
        let name = body.get(..length).unwrap_or_default().split_ascii_whitespace().next().unwrap_or_default();
        let closed = body.as_bytes().get(length) == Some(&b'>');
        if !closed {
            self.notes.add(Repair::DamagedTag);
        }
        self.at += 2 + length + usize::from(closed);
        Some(Token::End(name))
    }

    fn start_tag(&mut self) -> Option<Token<'a>> {
        let body = self.text.get(self.at + 1..).unwrap_or_default();
        let (inside, taken) = tag_extent(body);
        let inside = body.get(..inside).unwrap_or_default();
        if body.as_bytes().get(taken.saturating_sub(1)) != Some(&b'>') {
            self.notes.add(Repair::DamagedTag);
        }
        self.at += 1 + taken;
        let name_end = inside.bytes().position(|b| !is_name(b)).unwrap_or(inside.len());
        let (name, tail) = inside.split_at_checked(name_end)?;
        let empty = tail.trim_end().ends_with('/');
        let tail = if empty { tail.trim_end().trim_end_matches('/') } else { tail };
        Some(Token::Start { name, attributes: attributes(tail, &mut self.notes), empty })
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let rest = self.rest();
            if rest.is_empty() {
                return None;
            }
            let less = rest.find('<').unwrap_or(rest.len());
            if less > 0 {
                return self.text_token(self.at + less);
            }
            let bytes = rest.as_bytes();
            match bytes.get(1) {
                Some(b'?') => self.instruction(),
                Some(b'!') if rest.starts_with("<!--") => self.comment(),
                Some(b'!') if bytes.get(..9).is_some_and(|b| b.eq_ignore_ascii_case(b"<![CDATA[")) => {
                    if let Some(token) = self.cdata() {
                        return Some(token);
                    }
                }
                Some(b'!') if bytes.get(2).is_some_and(u8::is_ascii_alphabetic) => self.declaration(),
                Some(b'/') if bytes.get(2).is_some_and(|b| is_name(*b)) => return self.end_tag(),
                Some(b) if b.is_ascii_alphabetic() || *b == b'_' => return self.start_tag(),
                _ => return self.bare(),
            }
        }
    }
}

/// The next `what` at or behind `from`; `known` remembers it (`usize::MAX` for "there is none").
fn next(text: &str, what: &str, from: usize, known: &mut Option<usize>) -> Option<usize> {
    if known.is_none_or(|at| at < from) {
        *known = Some(text.get(from..).and_then(|rest| rest.find(what)).map_or(usize::MAX, |at| from + at));
    }
    known.filter(|at| *at != usize::MAX)
}

/// Whether what lies between `from` and `to` holds another `opening`, and the end of an entry before that.
fn swallows(text: &str, from: usize, to: usize, opening: &str) -> bool {
    let inside = text.get(from..to).unwrap_or_default();
    let Some(second) = inside.find(opening) else { return false };
    let before = inside.get(..second).unwrap_or_default();
    ["</item", "</entry", "</title", "</description", "</guid", "</link"].iter().any(|end| before.contains(end))
}

fn is_name(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b':' | b'-' | b'.') || b >= 0x80
}

/// Where the inside of a tag ends, and how much of `body` (behind the `<`) the tag takes.
///
/// A `<` within quotes means that a quote is missing: the tag then ends at the last `>` before it.
fn tag_extent(body: &str) -> (usize, usize) {
    let mut quote = None;
    let mut last_close = None;
    let mut after_equals = false;
    for (at, b) in body.bytes().enumerate() {
        match (quote, b) {
            (_, b'<') => {
                let end = last_close.unwrap_or(at);
                return (end, end + usize::from(last_close.is_some()));
            }
            (None, b'>') => return (at, at + 1),
            // A quote opens a value only behind `=`: a stray one elsewhere must not swallow what follows.
            (None, b'"' | b'\'') if after_equals => quote = Some(b),
            (Some(open), b) if open == b => quote = None,
            (Some(_), b'>') => last_close = Some(at),
            _ => {}
        }
        if !b.is_ascii_whitespace() {
            after_equals = b == b'=' && quote.is_none();
        }
    }
    let end = last_close.unwrap_or(body.len());
    (end, end + usize::from(last_close.is_some()))
}

fn attributes<'a>(inside: &'a str, notes: &mut Notes) -> Vec<(&'a str, Cow<'a, str>)> {
    let mut out = Vec::new();
    let mut rest = inside;
    while out.len() < MAX_ATTRIBUTES {
        rest = rest.trim_start_matches(|c: char| !c.is_ascii() || !is_name(c as u8));
        let name_end = rest.bytes().position(|b| !is_name(b)).unwrap_or(rest.len());
        let Some((name, tail)) = rest.split_at_checked(name_end).filter(|(name, _)| !name.is_empty()) else { break };
        let Some(tail) = tail.trim_start().strip_prefix('=') else {
            rest = tail;
            continue;
        };
        let tail = tail.trim_start();
        let (value, tail) = match tail.bytes().next() {
            Some(quote @ (b'"' | b'\'')) => {
                let tail = tail.get(1..).unwrap_or_default();
                tail.split_once(char::from(quote)).unwrap_or((tail, ""))
            }
            _ => tail
                .split_at_checked(tail.find(|c: char| c.is_ascii_whitespace()).unwrap_or(tail.len()))
                .unwrap_or(("", "")),
        };
        if value.len() > MAX_VALUE {
            notes.add(Repair::LongAttribute);
        } else {
            out.push((name, entities::resolve(value, notes)));
        }
        rest = tail;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tokens as a reader would write them down.
    fn shown(text: &str) -> String {
        let show = |token| match token {
            Token::Start { name, attributes, empty } => {
                let attributes: String = attributes.iter().map(|(name, value)| format!(" {name}={value}")).collect();
                format!("[{name}{attributes}{}]", if empty { "/" } else { "" })
            }
            Token::End(name) => format!("[/{name}]"),
            Token::Text(text) => text.into_owned(),
            Token::Raw(text) => format!("({text})"),
        };
        Tokens::of(text).map(show).collect()
    }

    #[test]
    fn damage_costs_the_tag_it_is_in() {
        for (given, expected) in [
            ("<a b='1' c=\"2\">نص</a>", "[a b=1 c=2]نص[/a]"),
            ("<a b=1 c/>", "[a b=1/]"),
            ("<link href=\"http://x.example/?a=1&amp;b=2\"/>", "[link href=http://x.example/?a=1&b=2/]"),
            ("<![CDATA[<b>&amp;]]>", "(<b>&amp;)"),
            ("<![CDATA[بلا نهاية</title>", "بلا نهاية[/title]"),
            ("<t><![CDATA[أ</title><t><![CDATA[ب]]></t>", "[t]أ[/title][t](ب)[/t]"),
            ("<!-- <a> -->ب", "ب"),
            ("<!-- أ </item><!-- ب -->ج", " أ [/item]ج"),
            ("<!-- أ", " أ"),
            ("5 < 6 <خبر> <", "5 < 6 <خبر> <"),
            ("<a href=\"x>نص</a>", "[a href=x]نص[/a]"),
            ("<a href=x\">نص</a>", "[a href=x\"]نص[/a]"),
            ("<title نص</title", "[title][/title]"),
            ("</ >", "</ >"),
            ("<?xml version=\"1.0\">أ", "أ"),
            ("<!DOCTYPE r [<!ENTITY a \"<b>\"><!ENTITY c '>'>]>أ", "]>أ"),
        ] {
            assert_eq!(shown(given), expected, "{given}");
        }
    }

    #[test]
    fn openings_without_an_end_cost_no_more_than_their_length() {
        for piece in ["<!--", "<![CDATA[", "<a b=\"", "<!D \"", "&", "<", "<?", "<!-- </item ", "<a <!-- </title> "] {
            let text = piece.repeat(200_000) + "-->]]>";
            assert!(Tokens::of(&text).count() > 0, "{piece}");
        }
    }
}
