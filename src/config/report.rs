//! Faults of the configuration, and where they stand.
//!
//! In: byte offsets into a file and what is wrong there. Out: [`Problem`]s as `file:line:column: message`.
//! Promise: a place is reported once, so one fault never shows as two; columns count characters from 1, as editors do.
//! Not here: finding the faults.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// One fault: where it stands, what it is and what to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, as a path from the working directory.
    pub file: PathBuf,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What is wrong and what to do.
    pub message: String,
}

impl Problem {
    /// A fault of a file as a whole.
    pub(super) fn of_file(file: &Path, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: 1, column: 1, message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file.display(), self.line, self.column, self.message)
    }
}

/// The line and column of a byte offset, both from 1, the column in characters.
pub(super) fn line_column(text: &[u8], offset: usize) -> (usize, usize) {
    let before = &text[..offset.min(text.len())];
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    let column = 1 + String::from_utf8_lossy(&before[line_start..]).trim_start_matches('\u{feff}').chars().count();
    (line, column)
}

/// Collects the faults of one file.
pub(super) struct Report<'a> {
    file: &'a Path,
    text: &'a str,
    found: Vec<Problem>,
    reported: BTreeSet<usize>,
    /// Lines that are not TOML: whatever else is said of them is a consequence.
    broken: BTreeSet<usize>,
    /// Values of the environment, and the names of their variables.
    secrets: Vec<(String, String)>,
}

/// A shorter value of the environment is too common a word to be blotted out of messages.
const MIN_SECRET: usize = 4;

impl<'a> Report<'a> {
    pub(super) fn new(file: &'a Path, text: &'a str) -> Self {
        Self { file, text, found: Vec::new(), reported: BTreeSet::new(), broken: BTreeSet::new(), secrets: Vec::new() }
    }

    /// The file's text.
    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// What stands in the file at a place, as written there: environment variables show their names, not their values.
    pub(super) fn written(&self, at: &Range<usize>) -> &'a str {
        self.text.get(at.clone()).unwrap_or_default().trim_matches(|c| c == '"' || c == '\'')
    }

    /// The line of a place, for a message about another place.
    pub(super) fn line(&self, at: &Range<usize>) -> usize {
        line_column(self.text.as_bytes(), at.start).0
    }

    /// A line that is not TOML.
    pub(super) fn syntax(&mut self, at: Range<usize>, message: String) {
        self.problem(at.clone(), message);
        self.broken.insert(self.line(&at));
    }

    /// Whatever is said of this file from now on, `value` shows as `${name}`.
    pub(super) fn keep_secret(&mut self, name: &str, value: &str) {
        if value.chars().count() >= MIN_SECRET {
            self.secrets.push((value.to_owned(), format!("${{{name}}}")));
        }
    }

    /// A fault at a place. The first one said of a place is kept. What is said of a place outside the file (where a
    /// stand-in for something missing stands) is not.
    pub(super) fn problem(&mut self, at: Range<usize>, message: impl Into<String>) {
        let (line, _) = line_column(self.text.as_bytes(), at.start);
        if at.start <= self.text.len() && !self.broken.contains(&line) && self.reported.insert(at.start) {
            self.push(at.start, message.into());
        }
    }

    /// Several faults of one place.
    pub(super) fn problems(&mut self, at: Range<usize>, messages: Vec<String>) {
        let Some((first, others)) = messages.split_first() else { return };
        self.problem(at.clone(), first);
        for message in others {
            self.missing(at.clone(), message);
        }
    }

    /// Something that should be there is not; there may be more of them at one place. Not said of a file with broken
    /// lines: it may stand in one of them.
    pub(super) fn missing(&mut self, at: Range<usize>, message: impl Into<String>) {
        if at.start <= self.text.len() && self.broken.is_empty() {
            self.push(at.start, message.into());
        }
    }

    fn push(&mut self, offset: usize, message: String) {
        let (line, column) = line_column(self.text.as_bytes(), offset);
        let message = self.secrets.iter().fold(message, |message, (value, name)| message.replace(value, name));
        self.found.push(Problem { file: self.file.to_owned(), line, column, message });
    }

    /// The faults in the order of the file.
    pub(super) fn finish(mut self) -> Vec<Problem> {
        self.found.sort();
        self.found
    }
}

/// The one of `known` that `word` was probably meant to be.
pub(super) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let near = |candidate: &&str| {
        let distance = edits(word, candidate);
        (distance <= 1 + candidate.chars().count() / 4).then_some(distance)
    };
    known.iter().filter_map(|candidate| near(candidate).map(|d| (d, *candidate))).min().map(|(_, candidate)| candidate)
}

/// Letters to insert, delete, change or swap with their neighbour to get from `a` to `b` (optimal string alignment).
fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        for (text, offset, place) in [
            ("", 0, (1, 1)),
            ("ab", 1, (1, 2)),
            ("ab\ncd", 3, (2, 1)),
            ("a\r\nb", 3, (2, 1)),
            ("خبر = 1", "خبر = ".len(), (1, 7)),
            ("\u{feff}a = 1", 3, (1, 1)),
            ("a", 99, (1, 2)),
        ] {
            assert_eq!(line_column(text.as_bytes(), offset), place, "{text:?} {offset}");
        }
    }

    #[test]
    fn nearest_words() {
        let known = ["interval", "min_interval", "max_interval", "url", "title", "id"];
        for (word, expected) in [
            ("intervall", Some("interval")),
            ("min-interval", Some("min_interval")),
            ("ulr", Some("url")),
            ("tilte", Some("title")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, &known), expected, "{word}");
        }
    }

    #[test]
    fn a_place_is_reported_once() {
        let mut report = Report::new(Path::new("f.toml"), "a = 1\nb = ?\n");
        report.syntax(10..11, "not TOML".to_owned());
        report.problem(6..7, "a consequence on the same line");
        report.missing(0..0, "may be in the broken line");
        report.problem(0..1, "unknown key");
        report.problem(0..1, "again");
        let shown: Vec<String> = report.finish().iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["f.toml:1:1: unknown key", "f.toml:2:5: not TOML"]);
    }
}
