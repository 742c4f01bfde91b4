//! Text to the terminal, or to whatever stands in its place.
//!
//! In: text, times, words of feeds. Out: the same, fit to be shown: without control characters that a feed may have
//! smuggled in, Arabic isolated so that it does not turn the line around, times short and local.
//! Promise: colour only on a terminal that wants it; data never has any of this.

use std::fmt;
use std::io::{self, IsTerminal, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

/// Where standard output goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Screen {
    /// Whether a person sees it as it comes.
    pub(super) terminal: bool,
    color: bool,
}

impl Screen {
    pub(super) fn stdout() -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let terminal = io::stdout().is_terminal();
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self { terminal, color: terminal && !set("NO_COLOR") && !dumb }
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
        if self.color { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// A place pointed at; without colour it stands in brackets.
    pub(super) fn marked(self, text: &str) -> String {
        if self.color { format!("\x1b[1;33m{text}\x1b[0m") } else { format!("⟦{text}⟧") }
    }

    /// A feed's words within a line: on a terminal isolated, so that what stands beside them keeps its place.
    pub(super) fn words(self, text: &str) -> String {
        if self.terminal && text.chars().any(is_right_to_left) {
            format!("\u{2068}{text}\u{2069}")
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
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes one line of JSON to standard output.
///
/// # Errors
/// As [`print()`].
pub(super) fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut line = serde_json::to_string(value)?;
    line.push('\n');
    Ok(print(&line)?)
}

/// Tells people something, on standard error.
pub(super) fn note(text: impl fmt::Display) {
    // Nobody is left to tell that standard error is closed.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// `text` on one line: white space is one space, and what would steer a terminal or turn the text around is gone.
pub(super) fn one_line(text: &str) -> String {
    let words: Vec<String> =
        text.split_whitespace().map(|word| word.chars().filter(|c| !steers(*c)).collect()).collect();
    words.join(" ")
}

/// `text` with its lines, but without what would steer a terminal or turn the text around.
pub(super) fn lines(text: &str) -> String {
    text.chars().filter(|c| *c == '\n' || !steers(*c)).collect()
}

fn steers(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

/// At most `most` characters of `text`, with an ellipsis in place of the rest.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().nth(most).is_none() {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(most.saturating_sub(1)).collect();
    kept.truncate(kept.trim_end().len());
    kept.push('…');
    kept
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
