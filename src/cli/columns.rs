//! Two texts side by side, in columns that fit the terminal; one below the other where there is no room or no terminal.
//!
//! In: words, some of them marked. Out: lines.
//! Promise: no line is wider than the terminal; a line of Arabic is isolated and stands at the right edge of its column, so
//! that neither column turns the other around; without a terminal each text is one line, so that it can be searched.

use super::output::{Screen, columns_of, is_right_to_left};

/// Narrower columns are put one below the other.
const NARROWEST: usize = 24;
const BETWEEN: &str = " │ ";
const INDENT: usize = 2;

/// A word as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) marked: bool,
}

/// The two texts under their names, `width` characters wide.
pub(super) fn beside(screen: Screen, width: usize, names: [&str; 2], texts: [&[Piece]; 2]) -> String {
    let column = width.saturating_sub(INDENT + 3) / 2;
    if !screen.terminal || column < NARROWEST {
        return below(screen, width, names, texts);
    }
    let [left, right] = texts.map(|text| lines(screen, column, text));
    let mut out = String::new();
    let mut row = |one: &(String, usize), other: &(String, usize)| {
        let [one, other] = [one, other].map(|line| padded(screen, column, line));
        out.push_str(&" ".repeat(INDENT));
        out.push_str(&one);
        out.push_str(BETWEEN);
        out.push_str(other.trim_end());
        out.push('\n');
    };
    let [one, other] = names.map(|name| (name.to_owned(), columns_of(name)));
    row(&one, &other);
    let nothing = (String::new(), 0);
    for at in 0..left.len().max(right.len()) {
        row(left.get(at).unwrap_or(&nothing), right.get(at).unwrap_or(&nothing));
    }
    out
}

/// Each text by itself, under its name.
pub(super) fn below(screen: Screen, width: usize, names: [&str; 2], texts: [&[Piece]; 2]) -> String {
    let label = names.iter().map(|name| columns_of(name)).max().unwrap_or_default();
    let room = if screen.terminal { width.saturating_sub(INDENT + label + 2).max(NARROWEST) } else { usize::MAX };
    let mut out = String::new();
    for (name, text) in names.iter().zip(texts) {
        if text.is_empty() {
            continue;
        }
        for (nth, (line, _)) in lines(screen, room, text).into_iter().enumerate() {
            let name = if nth == 0 { name } else { "" };
            let gap = " ".repeat(label.saturating_sub(columns_of(name)) + 2);
            out.push_str(&format!("{}{name}{gap}{}\n", " ".repeat(INDENT), screen.words(&line)));
        }
    }
    out
}

fn padded(screen: Screen, column: usize, (line, width): &(String, usize)) -> String {
    let pad = " ".repeat(column.saturating_sub(*width));
    let shown = screen.words(line);
    if line.chars().any(is_right_to_left) { format!("{pad}{shown}") } else { format!("{shown}{pad}") }
}

/// Words to lines of at most `column` characters, each with its width. Neighbours that are marked share one mark.
fn lines(screen: Screen, column: usize, words: &[Piece]) -> Vec<(String, usize)> {
    // What a mark takes: brackets, where there is no colour.
    let brackets = if screen.color() { 0 } else { columns_of(&screen.marked("")) };
    let mut lines = Vec::new();
    let mut line: Vec<Piece> = Vec::new();
    let width = |line: &[Piece]| {
        let words: usize = line.iter().map(|word| columns_of(&word.text)).sum();
        let marks = line.chunk_by(|a, b| a.marked == b.marked).filter(|group| group.iter().any(|word| word.marked));
        words + line.len().saturating_sub(1) + marks.count() * brackets
    };
    let most = column.saturating_sub(brackets).max(1);
    for word in words.iter().flat_map(|word| parted(word, most)) {
        line.push(word);
        if width(&line) > column
            && let Some(word) = line.pop()
        {
            lines.push((shown(screen, &line), width(&line)));
            line = vec![word];
        }
    }
    if !line.is_empty() {
        lines.push((shown(screen, &line), width(&line)));
    }
    lines
}

/// A word that is wider than a column, in pieces.
fn parted(word: &Piece, most: usize) -> Vec<Piece> {
    if columns_of(&word.text) <= most {
        return vec![word.clone()];
    }
    let chars: Vec<char> = word.text.chars().collect();
    // A character is two columns wide at most.
    let pieces = chars.chunks((most / 2).max(1));
    pieces.map(|piece| Piece { text: piece.iter().collect(), marked: word.marked }).collect()
}

fn shown(screen: Screen, words: &[Piece]) -> String {
    let groups = words.chunk_by(|a, b| a.marked == b.marked).map(|group| {
        let text = group.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
        if group.iter().any(|word| word.marked) { screen.marked(&text) } else { text }
    });
    groups.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<Piece> {
        text.split(' ').map(|word| Piece { text: word.replace('*', ""), marked: word.contains('*') }).collect()
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_and_both_texts_are_whole() {
        let (left, right) = (
            pieces(
                "رَسَتِ السفينة *الزرقاء* *صباح* أمس على الرصيف الشرقي بعد رحلة دامت *ثلاثة* أسابيع https://example.org/a/very/long/address/that/no/column/holds",
            ),
            pieces("the ship of 漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字 *arrived*"),
        );
        for (color, width) in [(false, 60), (true, 60), (false, 80), (true, 120), (false, 30), (true, 12)] {
            let screen = Screen::of(true, color);
            let out = beside(screen, width, ["here", "there"], [&left, &right]);
            let plain = out.replace("\x1b[1;33m", "").replace("\x1b[0m", "").replace(['\u{2068}', '\u{2069}'], "");
            for line in plain.lines() {
                let most = width.max(INDENT + 5 + 2 + NARROWEST);
                assert!(columns_of(line) <= most, "{} in {width}: {line}", columns_of(line));
            }
            let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
            let words: usize = left.iter().chain(&right).map(|word| letters(&word.text)).sum();
            assert_eq!(letters(&plain), words + "herethere".len(), "{plain}");
            assert_eq!(out.matches('\u{2068}').count(), out.matches('\u{2069}').count());
        }
    }

    #[test]
    fn arabic_stands_at_the_right_of_its_column_and_neighbours_share_a_mark() {
        let (left, right) = (pieces("خبر *عاجل* *جدا*"), pieces("news"));
        let out = beside(Screen::of(true, false), 61, ["here", "there"], [&left, &right]);
        let rows: Vec<&str> = out.lines().collect();
        assert_eq!(rows[1], format!("  {}\u{2068}خبر ⟦عاجل جدا⟧\u{2069} │ news", " ".repeat(28 - 14)));
        let out = beside(Screen::of(false, false), 61, ["here", "there"], [&left, &right]);
        assert_eq!(out, "  here   خبر ⟦عاجل جدا⟧\n  there  news\n");
    }
}
