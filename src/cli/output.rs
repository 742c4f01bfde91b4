//! Text to the terminal, or to whatever stands in its place.
//!
//! In: text, times, words of feeds. Out: the same, fit to be shown: without control characters that a feed may have
//! smuggled in, Arabic isolated so that it does not turn the line around, times short and local.
//! Promise: colour only on a terminal that wants it; data never has any of this.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use unicode_width::UnicodeWidthChar;

use super::Color;

const STRONG: &str = "\x1b[1m";
const MARKED: &str = "\x1b[1;33m";
const PLAIN: &str = "\x1b[0m";
/// Begins and ends words of their own direction.
pub(super) const ISOLATE: &str = "\u{2068}";
pub(super) const POP: &str = "\u{2069}";
/// All that this program itself says to a terminal.
const OWN: [&str; 5] = [STRONG, MARKED, PLAIN, ISOLATE, POP];

/// What `--color` says; a process has one command line.
static COLOR: OnceLock<Color> = OnceLock::new();

/// Says once, before anything is shown, what `--color` says.
pub(super) fn set_color(color: Color) {
    let _said = COLOR.set(color);
}

/// Whether what goes to a terminal, or to something else, is coloured.
pub(super) fn colored(terminal: bool) -> bool {
    let color = COLOR.get().copied().unwrap_or(Color::Auto);
    decide(color, terminal, |name| std::env::var(name).ok().filter(|value| !value.is_empty()))
}

/// The command line goes before the environment: `NO_COLOR` (no-color.org), `CLICOLOR_FORCE` and `CLICOLOR`
/// (bixense.com/clicolors), and a terminal that knows no colours.
fn decide(color: Color, terminal: bool, environment: impl Fn(&str) -> Option<String>) -> bool {
    let is = |name: &str, value: &str| environment(name).is_some_and(|set| set == value);
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if environment("NO_COLOR").is_some() => false,
        Color::Auto if environment("CLICOLOR_FORCE").is_some_and(|force| force != "0") => true,
        Color::Auto => terminal && !is("CLICOLOR", "0") && !is("TERM", "dumb"),
    }
}

/// Where standard output goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Screen {
    /// Whether a person sees it as it comes.
    pub(super) terminal: bool,
    color: bool,
}

impl Screen {
    pub(super) fn stdout() -> Self {
        let terminal = io::stdout().is_terminal();
        Self { terminal, color: colored(terminal) }
    }

    #[cfg(test)]
    pub(super) const fn of(terminal: bool, color: bool) -> Self {
        Self { terminal, color }
    }

    pub(super) const fn color(self) -> bool {
        self.color
    }

    /// A heading.
    pub(super) fn strong(self, text: &str) -> String {
        if self.color { format!("{STRONG}{text}{PLAIN}") } else { text.to_owned() }
    }

    /// A place pointed at; without colour it stands in brackets.
    pub(super) fn marked(self, text: &str) -> String {
        if self.color { format!("{MARKED}{text}{PLAIN}") } else { format!("⟦{text}⟧") }
    }

    /// A feed's words within a line: on a terminal isolated, so that what stands beside them keeps its place.
    pub(super) fn words(self, text: &str) -> String {
        if self.terminal && text.chars().any(is_right_to_left) {
            format!("{ISOLATE}{text}{POP}")
        } else {
            text.to_owned()
        }
    }
}

/// Writes to standard output.
///
/// # Errors
/// Where nobody reads it any more, which ends the command quietly.
pub(super) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if out.is_terminal() {
        out.write_all(harmless(text).as_bytes())?;
    } else {
        out.write_all(text.as_bytes())?;
    }
    out.flush()
}

/// Writes to standard output as it is: what no feed had a part in, or where there is no terminal.
///
/// # Errors
/// As [`print()`].
pub(super) fn print_raw(bytes: &[u8]) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    Ok(out.flush()?)
}

/// Writes one line of JSON to standard output.
///
/// # Errors
/// As [`print()`].
pub(super) fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut line = serde_json::to_string(value)?;
    if io::stdout().is_terminal() {
        line = escaped(&line);
    }
    line.push('\n');
    Ok(print(&line)?)
}

/// Tells people something, on standard error.
pub(super) fn note(text: impl fmt::Display) {
    // Nobody is left to tell that standard error is closed.
    let _ = writeln!(io::stderr().lock(), "{}", harmless(&text.to_string()));
}

/// Standard output for what is written piece by piece: of a terminal, line by line and harmless.
pub(super) fn stdout() -> Box<dyn Write + Send> {
    if io::stdout().is_terminal() { Box::new(Lines(Vec::new())) } else { Box::new(io::BufWriter::new(io::stdout())) }
}

/// The beginning of a line whose end has not been written.
struct Lines(Vec<u8>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        if let Some(end) = self.0.iter().rposition(|byte| *byte == b'\n') {
            let whole: Vec<u8> = self.0.drain(..=end).collect();
            print(&String::from_utf8_lossy(&whole))?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        print(&String::from_utf8_lossy(&std::mem::take(&mut self.0)))
    }
}

/// What may reach a terminal of `text`, whoever wrote it: letters, line feeds, tabs, and what this program itself adds.
fn harmless(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let own = OWN.into_iter().find(|own| rest.starts_with(own)).unwrap_or_default();
        if !own.is_empty() {
            kept.push_str(own);
        } else if !steers(c) || matches!(c, '\n' | '\t') {
            kept.push(c);
        }
        rest = rest.get(own.len().max(c.len_utf8())..).unwrap_or_default();
    }
    kept
}

/// JSON that says the same, without a character that steers a terminal: such stand in its strings alone.
fn escaped(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        // All of them are of the plane that one escape reaches.
        if steers(c) { shown.push_str(&format!("\\u{:04x}", u32::from(c))) } else { shown.push(c) }
    }
    shown
}

/// `text` on one line: white space is one space, and what would steer a terminal or turn the text around is gone.
pub(super) fn one_line(text: &str) -> String {
    let words = text.split_whitespace().map(|word| word.chars().filter(|c| !steers(*c)).collect());
    words.filter(|word: &String| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// `text` with its lines, but without what would steer a terminal or turn the text around.
pub(super) fn lines(text: &str) -> String {
    text.chars().filter(|c| *c == '\n' || !steers(*c)).collect()
}

fn steers(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

/// At most `most` columns of `text`, with an ellipsis in place of the rest.
pub(super) fn cut(text: &str, most: usize) -> String {
    if columns_of(text) <= most {
        return text.to_owned();
    }
    let mut taken = 0;
    let fits = |c: &char| {
        taken += columns(*c);
        taken < most
    };
    let mut kept: String = text.chars().take_while(fits).collect();
    kept.truncate(kept.trim_end().len());
    kept.push('…');
    kept
}

/// How many columns of a terminal a text takes: marks stand on the letter before them, ideographs and pictures take two.
///
/// Counted by characters, as terminals do: most show لا in two columns, though it is one glyph in print.
pub(super) fn columns_of(text: &str) -> usize {
    text.chars().map(columns).sum()
}

fn columns(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// A time as people here say it: the day and the minute within a year, else the date.
pub(super) fn time(at: Timestamp, now: Timestamp) -> String {
    time_in(at, now, TimeZone::system())
}

fn time_in(at: Timestamp, now: Timestamp, zone: TimeZone) -> String {
    const NEAR: i64 = 300 * 86_400;
    let near = at.duration_since(now).as_secs().abs() < NEAR;
    at.to_zoned(zone).strftime(if near { "%d %b %H:%M" } else { "%Y-%m-%d" }).to_string()
}

/// The clock, for what is shown to people and for spans that count back from now.
#[expect(clippy::disallowed_methods, reason = "the command line is composition: it hands the clock in")]
pub(super) fn now() -> Timestamp {
    Timestamp::now()
}

/// `n` things, in words: `1 item`, `2 items`.
pub(super) fn count(n: usize, thing: &str) -> String {
    if n == 1 { format!("1 {thing}") } else { format!("{n} {thing}s") }
}

/// Whether it is a letter of a script that runs from right to left.
pub(super) fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arabic_is_cut_at_characters_and_isolated_on_terminals() {
        for (text, most, expected) in [
            ("خبر عاجل", 20, "خبر عاجل"),
            ("خبر عاجل", 8, "خبر عاجل"),
            ("خبر عاجل", 5, "خبر…"),
            ("", 3, ""),
            ("ab", 1, "…"),
            // Vowel signs take no room; ideographs take two columns.
            ("قِمَّةٌ", 3, "قِمَّةٌ"),
            ("قِمَّةٌ", 2, "قِ…"),
            ("新闻报道", 8, "新闻报道"),
            ("新闻报道", 6, "新闻…"),
            ("新闻报道", 5, "新闻…"),
        ] {
            assert_eq!(cut(text, most), expected);
        }
        assert_eq!(Screen::of(true, false).words("خبر"), "\u{2068}خبر\u{2069}");
        assert_eq!(Screen::of(false, false).words("خبر"), "خبر");
        assert_eq!(Screen::of(true, true).words("news"), "news");
    }

    #[test]
    fn a_feed_cannot_steer_the_terminal() {
        assert_eq!(one_line("a\x1b[31mb\n\n c\u{202e}d\u{7}"), "a[31mb cd");
        assert_eq!(lines("a\r\nb\x1b]0;x\x07"), "a\nb]0;x");
    }

    #[test]
    fn only_what_this_program_says_itself_steers_a_terminal() {
        let screen = Screen::of(true, true);
        let own = format!("{}\t{}\n", screen.strong("a"), screen.words(&screen.marked("خبر")));
        assert_eq!(harmless(&own), own);
        for (hostile, left) in [
            ("\x1b]0;title\x07x", "]0;titlex"),
            ("\x1b[2J\x1b[31mred", "[2J[31mred"),
            ("\u{9b}31mred\u{7f}", "31mred"),
            ("\u{202e}gpj.exe\u{2066}\u{2028}", "gpj.exe"),
            ("a\rb\u{8}c", "abc"),
        ] {
            assert_eq!(harmless(hostile), left);
            let line = serde_json::to_string(&hostile).unwrap();
            let shown = escaped(&line);
            assert!(!shown.chars().any(steers), "{shown}");
            assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), hostile);
        }
    }

    #[test]
    fn colours_are_as_asked_for() {
        let (auto, always, never) = (Color::Auto, Color::Always, Color::Never);
        type Set = &'static [(&'static str, &'static str)];
        let rows: [(Color, bool, Set, bool); 13] = [
            (auto, true, &[], true),
            (auto, false, &[], false),
            (auto, true, &[("NO_COLOR", "1")], false),
            (auto, true, &[("NO_COLOR", "")], true),
            (auto, true, &[("TERM", "dumb")], false),
            (auto, true, &[("CLICOLOR", "0")], false),
            (auto, false, &[("CLICOLOR", "1")], false),
            (auto, false, &[("CLICOLOR_FORCE", "1")], true),
            (auto, false, &[("CLICOLOR_FORCE", "0")], false),
            (auto, false, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
            (always, false, &[("NO_COLOR", "1")], true),
            (never, true, &[("CLICOLOR_FORCE", "1")], false),
            (always, true, &[("TERM", "dumb")], true),
        ];
        for (color, terminal, set, expected) in rows {
            let find = |name: &str| set.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned());
            let environment = |name: &str| find(name).filter(|value| !value.is_empty());
            assert_eq!(decide(color, terminal, environment), expected, "{color:?} {terminal} {set:?}");
        }
    }

    #[test]
    fn times_are_short() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let zone = TimeZone::get("Asia/Riyadh").unwrap();
        for (at, expected) in [
            ("2026-11-20T09:30:00Z", "20 Nov 12:30"),
            ("2024-01-01T22:00:00Z", "2024-01-02"),
            ("2026-11-20T21:30:00Z", "21 Nov 00:30"),
        ] {
            assert_eq!(time_in(at.parse().unwrap(), now, zone.clone()), expected);
        }
    }
}
