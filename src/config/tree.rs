//! TOML text to typed sections, with every fault on the way.
//!
//! In: the text of one file, the environment. Out: serde types, and the places where their keys stand.
//! Promise: reading goes on after a fault, so that all faults show at once; a value that comes from the
//! environment is a secret and never shows in a message, the variable's name does.
//! Not here: what the sections mean ([`super::sections`], [`super::feeds`], [`super::topics`]).
//!
//! Serde stops at the first fault. So the fault is said, what has it is cut out of the tree, and serde reads again, until
//! it accepts the rest. The tree gets smaller each time, so that ends.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeArray, DeFloat, DeTable, DeValue, ValueDeserializer};

use super::report::{Report, nearest};

/// Looks up an environment variable.
pub(super) type Env<'e> = &'e dyn Fn(&str) -> Option<String>;

/// One file, parsed, with the environment's values in place.
pub(super) struct Tree<'a> {
    /// What is left to read: top-level keys are taken out as they are.
    pub(super) root: DeTable<'a>,
    expanded: Vec<Expanded>,
}

/// A string that has its value from the environment.
struct Expanded {
    at: Range<usize>,
    written: String,
    names: Vec<String>,
}

/// A section as read: faulty keys have their defaults.
pub(super) struct Section<T> {
    pub(super) value: T,
    /// Its header.
    pub(super) header: Range<usize>,
    places: BTreeMap<String, Range<usize>>,
}

impl<T> Section<T> {
    /// Whether the key is there, readable or not.
    pub(super) fn has(&self, key: &str) -> bool {
        self.places.contains_key(key)
    }

    /// Where the key's value stands; the header where the key is not there.
    pub(super) fn place(&self, key: &str) -> Range<usize> {
        self.places.get(key).unwrap_or(&self.header).clone()
    }
}

impl<'a> Tree<'a> {
    /// Parses as much of the file as can be parsed.
    pub(super) fn parse(report: &mut Report<'a>, env: Env<'_>) -> Self {
        let (root, errors) = DeTable::parse_recoverable(report.text());
        for error in errors {
            let end = report.text().len();
            let at = error.span().unwrap_or(end..end);
            report.syntax(at, format!("this is not TOML: {}", error.message().trim()));
        }
        let mut tree = Self { root: root.into_inner(), expanded: Vec::new() };
        for (_, value) in &mut tree.root {
            expand_all(value, env, &mut tree.expanded, report);
        }
        tree
    }

    /// Takes out the section `name`, `[name]` in the file, with defaults for what is missing or faulty in it.
    pub(super) fn section<T: DeserializeOwned + Default>(&mut self, name: &str, report: &mut Report<'_>) -> Section<T> {
        match self.root.remove(name) {
            Some(value) => self.read(name, value, report),
            None => Section { value: T::default(), header: 0..0, places: BTreeMap::new() },
        }
    }

    /// Reads a table that stands as `name` in its file.
    pub(super) fn read<T: DeserializeOwned + Default>(
        &self,
        name: &str,
        value: Spanned<DeValue<'_>>,
        report: &mut Report<'_>,
    ) -> Section<T> {
        let header = value.span();
        let places = match value.get_ref() {
            DeValue::Table(table) => {
                table.iter().map(|(key, value)| (key.get_ref().to_string(), value.span())).collect()
            }
            other => {
                let found = other.type_str();
                report.problem(
                    header.clone(),
                    format!("`{name}` must be a table, not a {found}; write its keys below [{name}]"),
                );
                return Section { value: T::default(), header, places: BTreeMap::new() };
            }
        };
        Section { value: self.deserialize(name, value, report).unwrap_or_default(), header, places }
    }

    /// Reads what is left of the file as one type.
    pub(super) fn rest<T: DeserializeOwned>(&mut self, report: &mut Report<'_>) -> Option<T> {
        let root = std::mem::take(&mut self.root);
        self.deserialize("the file", Spanned::new(0..0, DeValue::Table(root)), report)
    }

    /// Reads `value`, cutting out what serde refuses until it accepts the rest.
    fn deserialize<T: DeserializeOwned>(
        &self,
        name: &str,
        mut value: Spanned<DeValue<'_>>,
        report: &mut Report<'_>,
    ) -> Option<T> {
        let mut cuts = Cuts::default();
        loop {
            let error = match T::deserialize(ValueDeserializer::from(value.clone())) {
                Ok(read) => return Some(read),
                Err(error) => error,
            };
            let header = value.span();
            let at = error.span().unwrap_or_else(|| header.clone());
            let message = self.without_secrets::<T>(&value, &at, error.message());
            if let Some(key) = missing_field(&message) {
                let place = (at.start, key.to_owned());
                let tried = cuts.missed.entry(place.clone()).or_insert(0);
                if *tried == 0 && !cuts.removed.contains(&place) {
                    report.missing(at.clone(), format!("`{key}` is missing"));
                }
                *tried += 1;
                if let Some(with) = stand_in(*tried)
                    && insert(&mut value, &at, key, &with, cuts.nowhere())
                {
                    continue;
                }
            } else {
                let key = key_at(&value, &at, name);
                report.problem(at.clone(), translate(&key, &message));
            }
            if !cuts.cut(&mut value, &at) {
                return None;
            }
        }
    }

    /// What serde said, of a value from the environment as if the file's text stood there: the message then names the
    /// variable instead of telling the secret.
    fn without_secrets<T: DeserializeOwned>(
        &self,
        value: &Spanned<DeValue<'_>>,
        at: &Range<usize>,
        said: &str,
    ) -> String {
        let inside: Vec<&Expanded> =
            self.expanded.iter().filter(|e| e.at.start >= at.start && e.at.end <= at.end).collect();
        if inside.is_empty() {
            return said.trim().to_owned();
        }
        let mut value = value.clone();
        restore(&mut value, &inside);
        let names: Vec<&str> = inside.iter().flat_map(|e| e.names.iter().map(String::as_str)).collect();
        let said = match T::deserialize(ValueDeserializer::from(value)) {
            Err(error) if error.span().as_ref() == Some(at) => error.message().trim().to_owned(),
            _ => "its value is not accepted".to_owned(),
        };
        format!("{said} (the value is that of the environment variable {})", names.join(", "))
    }
}

/// What has been done to a value so that the rest of it can be read.
#[derive(Default)]
struct Cuts {
    /// Keys taken out, by the start of their table: that they are missing now is no news.
    removed: BTreeSet<(usize, String)>,
    /// Missing keys, each with how many stand-ins were tried.
    missed: BTreeMap<(usize, String), usize>,
    /// How many places outside the file are taken.
    nowhere: usize,
}

impl Cuts {
    /// Where a stand-in stands: each at a place of its own, none in the file. What is said of such a place is not reported.
    fn nowhere(&mut self) -> Range<usize> {
        self.nowhere += 1;
        let at = usize::MAX - self.nowhere;
        at..at
    }

    /// Takes out the key or value at `at`, the innermost where there are several.
    fn cut(&mut self, value: &mut Spanned<DeValue<'_>>, at: &Range<usize>) -> bool {
        let start = value.span().start;
        match value.get_mut() {
            DeValue::Table(table) => {
                if table.iter_mut().any(|(_, value)| self.cut(value, at)) {
                    return true;
                }
                let found = table.iter().find(|(key, value)| key.span() == *at || value.span() == *at);
                let Some(key) = found.map(|(key, _)| key.get_ref().to_string()) else { return false };
                table.remove(key.as_str());
                self.removed.insert((start, key));
                true
            }
            DeValue::Array(values) => {
                if values.iter_mut().any(|value| self.cut(value, at)) {
                    return true;
                }
                let mut kept = DeArray::new();
                let before = values.len();
                values.iter().filter(|value| value.span() != *at).for_each(|value| kept.push(value.clone()));
                let found = kept.len() < before;
                *values = kept;
                found
            }
            _ => false,
        }
    }
}

/// The key whose value, or a part of it, stands at `at`; `outer` where none does.
fn key_at(value: &Spanned<DeValue<'_>>, at: &Range<usize>, outer: &str) -> String {
    fn inner<'v>(value: &'v Spanned<DeValue<'_>>, at: &Range<usize>, outer: &'v str) -> Option<&'v str> {
        let below = match value.get_ref() {
            DeValue::Table(table) => table.iter().find_map(|(key, value)| inner(value, at, key.get_ref())),
            DeValue::Array(values) => values.iter().find_map(|value| inner(value, at, outer)),
            _ => None,
        };
        below.or((value.span() == *at).then_some(outer))
    }
    inner(value, at, outer).unwrap_or(outer).to_owned()
}

fn missing_field(message: &str) -> Option<&str> {
    message.strip_prefix("missing field `")?.strip_suffix('`')
}

/// What is put in the place of a missing key so that serde goes on to the next one: a value of another type at each try.
fn stand_in(tried: usize) -> Option<DeValue<'static>> {
    match tried {
        1 => Some(DeValue::String("stand-in".into())),
        2 => Some(DeValue::Table(DeTable::new())),
        3 => Some(DeValue::Float(DeFloat::default())),
        4 => Some(DeValue::Boolean(false)),
        5 => Some(DeValue::Array(DeArray::new())),
        _ => None,
    }
}

/// Puts a value into the table at `at`.
fn insert(
    into: &mut Spanned<DeValue<'_>>,
    at: &Range<usize>,
    key: &str,
    new: &DeValue<'static>,
    nowhere: Range<usize>,
) -> bool {
    let here = into.span() == *at;
    match into.get_mut() {
        DeValue::Table(table) => {
            if table.iter_mut().any(|(_, value)| insert(value, at, key, new, nowhere.clone())) {
                return true;
            }
            if here {
                table.insert(Spanned::new(nowhere.clone(), key.to_owned().into()), Spanned::new(nowhere, new.clone()));
            }
            here
        }
        DeValue::Array(values) => values.iter_mut().any(|value| insert(value, at, key, new, nowhere.clone())),
        _ => false,
    }
}

/// Serde's words in ours: which key, what is wrong, what to do.
fn translate(key: &str, error: &str) -> String {
    let error = error.trim();
    let quoted: Vec<&str> = error.split('`').skip(1).step_by(2).collect();
    if error.starts_with("unknown field `") {
        let (word, known) = quoted.split_first().map_or((key, [].as_slice()), |(word, known)| (*word, known));
        return unknown_key(word, known);
    }
    if error.starts_with("unknown variant `") {
        let (word, known) = quoted.split_first().map_or((key, [].as_slice()), |(word, known)| (*word, known));
        let guess = nearest(word, known).map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
        return format!("`{key}` is \"{word}\", but must be one of {}{guess}", listed(known));
    }
    if let Some((found, expected)) = error
        .strip_prefix("invalid type: ")
        .or(error.strip_prefix("invalid value: "))
        .and_then(|e| e.rsplit_once(", expected "))
    {
        let expected = match expected {
            "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
            "f32" | "f64" => "a number",
            "a string" | "a borrowed string" => "text in quotation marks",
            "a boolean" => "true or false",
            "a sequence" => "a list in brackets",
            "a map" => "a table",
            other if other.starts_with("struct ") => "a table",
            other => other,
        };
        return format!("`{key}` must be {expected}, not {found}");
    }
    format!("`{key}`: {error}")
}

/// What to say of a key nobody reads.
pub(super) fn unknown_key(word: &str, known: &[&str]) -> String {
    match nearest(word, known) {
        Some(near) => format!("unknown key `{word}`; did you mean `{near}`?"),
        None => format!("unknown key `{word}`; the keys here are {}", listed(known)),
    }
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// Puts the environment's values into every string below `value`.
fn expand_all(value: &mut Spanned<DeValue<'_>>, env: Env<'_>, expanded: &mut Vec<Expanded>, report: &mut Report<'_>) {
    let at = value.span();
    match value.get_mut() {
        DeValue::String(text) => match expand(text, env) {
            Ok((_, names)) if names.is_empty() && !text.contains("$${") => {}
            Ok((new, names)) => {
                let written = std::mem::replace(text, new.into()).into_owned();
                if !names.is_empty() {
                    names.iter().for_each(|name| report.keep_secret(name, &env(name).unwrap_or_default()));
                    expanded.push(Expanded { at, written, names });
                }
            }
            Err(message) => report.problem(at, message),
        },
        DeValue::Array(values) => values.iter_mut().for_each(|value| expand_all(value, env, expanded, report)),
        DeValue::Table(table) => {
            for (_, value) in table {
                expand_all(value, env, expanded, report);
            }
        }
        _ => {}
    }
}

/// `text` with each `${NAME}` replaced, and the names. `$${` stands for `${` itself.
fn expand(text: &str, env: Env<'_>) -> Result<(String, Vec<String>), String> {
    let (mut out, mut names, mut missing) = (String::with_capacity(text.len()), Vec::new(), Vec::new());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(escaped) = before.strip_suffix('$') {
            out.push_str(escaped);
            out.push_str("${");
            rest = after;
            continue;
        }
        out.push_str(before);
        let name = after.split_once('}').filter(|(name, _)| {
            name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        });
        let Some((name, after)) = name else {
            return Err(
                "`${` without a variable's name; write ${NAME}, or $${ for these two characters themselves".to_owned()
            );
        };
        match env(name) {
            Some(value) => out.push_str(&value),
            None => missing.push(name.to_owned()),
        }
        names.push(name.to_owned());
        rest = after;
    }
    out.push_str(rest);
    match missing.as_slice() {
        [] => Ok((out, names)),
        _ => Err(format!(
            "the environment variable {} is not set; set it for the daemon, or write $${{ if no variable is meant",
            missing.join(", ")
        )),
    }
}

/// Puts the texts of the file back in place of the environment's values.
fn restore(value: &mut Spanned<DeValue<'_>>, expanded: &[&Expanded]) {
    let at = value.span();
    match value.get_mut() {
        DeValue::String(text) => {
            if let Some(known) = expanded.iter().find(|e| e.at == at) {
                *text = known.written.clone().into();
            }
        }
        DeValue::Array(values) => values.iter_mut().for_each(|value| restore(value, expanded)),
        DeValue::Table(table) => {
            for (_, value) in table {
                restore(value, expanded);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_put_in() {
        let env = |name: &str| match name {
            "A" => Some("1".to_owned()),
            "LONG_2" => Some("${A}".to_owned()),
            _ => None,
        };
        for (text, expected) in [
            ("plain $ {A} }", Some("plain $ {A} }")),
            ("${A}", Some("1")),
            ("x${A}y${A}", Some("x1y1")),
            ("${LONG_2}", Some("${A}")),
            ("$${A}", Some("${A}")),
            ("$$${A}", Some("$${A}")),
            ("${B}", None),
            ("${}", None),
            ("${A", None),
            ("${1}", None),
        ] {
            assert_eq!(expand(text, &env).ok().map(|(text, _)| text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn serde_in_our_words() {
        for (error, expected) in [
            (
                "unknown field `worker`, expected one of `workers`, `per_host`",
                "unknown key `worker`; did you mean `workers`?",
            ),
            ("unknown field `x`, expected `url`", "unknown key `x`; the keys here are `url`"),
            ("invalid type: integer `5`, expected a string", "`k` must be text in quotation marks, not integer `5`"),
            ("invalid value: integer `-1`, expected u32", "`k` must be a whole number, 0 or more, not integer `-1`"),
            (
                "unknown variant `feeds`, expected one of `feed`, `page`",
                "`k` is \"feeds\", but must be one of `feed`, `page`; did you mean \"feed\"?",
            ),
            ("`20` is not a time", "`k`: `20` is not a time"),
        ] {
            assert_eq!(translate("k", error), expected);
        }
    }
}
