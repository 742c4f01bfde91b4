//! A query tree back to the language.
//!
//! In: a [`Query`] or a [`Term`]. Out: text, in normalized letters.
//! Promise: what is printed parses to the same tree.
//! Not here: reading it ([`super::query`]).

use std::fmt::{self, Display, Formatter, Write as _};

use super::Field;
use super::query::{Nearness, Part, Query, closing};
use super::term::{Class, Term, is_arabic};

/// Letters that a word which stands apart from the next may have and still be glued to it (و, بال …), and more.
const LONGEST_GLUED: usize = 4;

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (stem, class) = (self.stem(), self.class());
        if class == Class::Exact {
            return write!(f, "={stem}");
        }
        // Without the article, letters of another alphabet would make another class of it.
        let takes_article = matches!(class, Class::Noun | Class::Place | Class::Name);
        let rest = if self.needs_article() || takes_article && !stem.chars().any(is_arabic) {
            f.write_str("ال")?;
            stem
        } else if stem.starts_with("ال") {
            // أل is not the article.
            f.write_char('أ')?;
            stem.strip_prefix('ا').unwrap_or(stem)
        } else {
            stem
        };
        match rest.strip_suffix('ه').filter(|_| self.is_feminine()) {
            Some(rest) => write!(f, "{rest}ة")?,
            None => f.write_str(rest)?,
        }
        f.write_str(match class {
            Class::Place => ":g",
            Class::Name => ":n",
            Class::Prefix => "*",
            Class::Fuzzy => "~1",
            Class::Noun | Class::Foreign | Class::Exact => "",
        })
    }
}

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words { words, gaps, .. } => match words.as_slice() {
                [word] if !word.is_in_phrase() => word.fmt(f),
                words => phrase(words, *gaps, f),
            },
            Self::Set { name, .. } => write!(f, "${name}"),
            Self::Or(any) => joined(any, " OR ", |child| matches!(child, Self::Or(_)), f),
            Self::And { all, none } => {
                let grouped = |child: &Self| matches!(child, Self::Or(_) | Self::And { .. });
                joined(all, " AND ", grouped, f)?;
                none.iter().try_for_each(|child| {
                    f.write_str(" NOT ")?;
                    group(child, grouped(child), f)
                })
            }
            Self::Near { first, then } => {
                group(first, first.is_joined(), f)?;
                then.iter().try_for_each(|(nearness, child)| {
                    match nearness {
                        Nearness::Within(n) => write!(f, " NEAR/{n} ")?,
                        Nearness::Before(n) => write!(f, " ONEAR/{n} ")?,
                        Nearness::Sentence => f.write_str(" NEAR/s ")?,
                    }
                    group(child, child.is_joined(), f)
                })
            }
            Self::In(part, child) => {
                f.write_str(match part {
                    Part::Title => "title:",
                    Part::Lead => "lead:",
                })?;
                group(child, child.is_joined(), f)
            }
            Self::Test { field, value } => {
                f.write_str(match field {
                    Field::Url => "url:",
                    Field::Feed => "feed:",
                    _ => "lang:",
                })?;
                test_value(value, f)
            }
        }
    }
}

impl Query {
    /// Made with an operator.
    fn is_joined(&self) -> bool {
        matches!(self, Self::Or(_) | Self::And { .. } | Self::Near { .. })
    }
}

fn phrase(words: &[Term], gaps: u32, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_char('"')?;
    let mut before: Option<&Term> = None;
    for word in words {
        if let Some(before) = before {
            // A full stop keeps `ب csto` two words.
            let glued = before.letters() <= LONGEST_GLUED
                && word.class() != Class::Exact
                && !word.stem().chars().next().is_some_and(is_arabic);
            f.write_str(if glued { " ." } else { " " })?;
        }
        word.fmt(f)?;
        before = Some(word);
    }
    f.write_char('"')?;
    if gaps > 0 { write!(f, "~{gaps}") } else { Ok(()) }
}

fn joined(children: &[Query], between: &str, grouped: impl Fn(&Query) -> bool, f: &mut Formatter<'_>) -> fmt::Result {
    for (number, child) in children.iter().enumerate() {
        if number > 0 {
            f.write_str(between)?;
        }
        group(child, grouped(child), f)?;
    }
    Ok(())
}

fn group(child: &Query, grouped: bool, f: &mut Formatter<'_>) -> fmt::Result {
    if grouped { write!(f, "({child})") } else { child.fmt(f) }
}

/// A value was read without its closing mark in it, so one of the pairs fits around it.
fn test_value(value: &str, f: &mut Formatter<'_>) -> fmt::Result {
    let bare = !value.contains(|c: char| c.is_whitespace() || matches!(c, '(' | ')'))
        && value.chars().next().and_then(closing).is_none();
    match [('"', '"'), ('“', '”'), ('«', '»')].into_iter().find(|(_, close)| !value.contains(*close)) {
        Some((open, close)) if !bare => write!(f, "{open}{value}{close}"),
        _ => f.write_str(value),
    }
}
