//! Rows to a table that fits the terminal, or to lines of tab-separated cells where there is none.
//!
//! Promise: one line a row, and every cell below its head, whatever is in the cells: widths are those that a terminal shows,
//! and Arabic is isolated. What is too long is cut at characters, in the columns that may be cut and nowhere else;
//! without a terminal nothing is cut, so that the lines can be searched and taken apart.

use super::output::{Screen, columns_of, cut, one_line};

/// The least that a column is cut to.
const NARROWEST: usize = 12;
/// Where a terminal does not say how wide it is.
const WIDTH: usize = 100;
/// Spaces between two cells.
const BETWEEN: usize = 2;

/// A column: its head, and whether its cells may be cut.
pub(super) struct Column(pub(super) &'static str, pub(super) Fit);

/// How a column deals with little room.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// Its cells are shown whole.
    Whole,
    /// Its cells are cut where the terminal is narrow.
    Cut,
}

/// The table as text, with its last line feed.
pub(super) fn render(screen: Screen, columns: &[Column], rows: &[Vec<String>]) -> String {
    if screen.terminal {
        for_terminal(screen, columns, rows, width())
    } else {
        let heads = columns.iter().map(|column| column.0.to_owned()).collect();
        let mut text = String::new();
        for row in std::iter::once(&heads).chain(rows) {
            let cells: Vec<String> = row.iter().map(|cell| one_line(cell)).collect();
            text.push_str(&cells.join("\t"));
            text.push('\n');
        }
        text
    }
}

/// How wide the terminal is, in columns.
pub(super) fn width() -> usize {
    let told = ratatui::crossterm::terminal::size().ok().filter(|(wide, _)| *wide > 0);
    told.map_or(WIDTH, |(wide, _)| usize::from(wide))
}

fn for_terminal(screen: Screen, columns: &[Column], rows: &[Vec<String>], width: usize) -> String {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| one_line(cell)).collect()).collect();
    let widths = fit(columns, &rows, width);
    let heads: Vec<String> = columns.iter().map(|column| screen.strong(column.0)).collect();
    let mut text = String::new();
    let mut line = |cells: &mut dyn Iterator<Item = (String, usize)>| {
        let mut gap = 0;
        for ((cell, taken), width) in cells.zip(&widths) {
            if taken > 0 {
                text.push_str(&" ".repeat(gap));
                text.push_str(&cell);
                gap = 0;
            }
            gap += width.saturating_sub(taken) + BETWEEN;
        }
        text.push('\n');
    };
    line(&mut heads.into_iter().zip(columns.iter().map(|column| columns_of(column.0))));
    for row in &rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| cut(cell, *width));
        line(&mut cells.map(|cell| (screen.words(&cell), columns_of(&cell))));
    }
    text
}

/// How many columns of the terminal each column of the table gets of `width`.
fn fit(columns: &[Column], rows: &[Vec<String>], width: usize) -> Vec<usize> {
    let mut widths: Vec<usize> = columns.iter().map(|column| columns_of(column.0)).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(columns_of(cell));
        }
    }
    let (mut room, mut left) = (width.saturating_sub(BETWEEN * columns.len().saturating_sub(1)), Vec::new());
    for (at, column) in columns.iter().enumerate() {
        match column.1 {
            Fit::Whole => room = room.saturating_sub(widths[at]),
            Fit::Cut => left.push(at),
        }
    }
    // The narrow ones first: what they do not need is there for the wide ones.
    left.sort_by_key(|at| widths[*at]);
    for (nth, at) in left.iter().enumerate() {
        let share = (room / (left.len() - nth)).max(NARROWEST);
        widths[*at] = widths[*at].min(share);
        room = room.saturating_sub(widths[*at]);
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] = [Column("№", Fit::Whole), Column("feed", Fit::Cut), Column("title", Fit::Cut)];

    fn rows() -> Vec<Vec<String>> {
        vec![vec![
            "1042".to_owned(),
            "bbc".to_owned(),
            "قمة منظمة الأمن الجماعي تبدأ أعمالها في العاصمة اليوم".to_owned(),
        ]]
    }

    #[test]
    fn a_row_is_one_line_within_the_terminal() {
        for width in [40, 50, 60] {
            let text = for_terminal(Screen::of(true, false), &COLUMNS, &rows(), width);
            let lines: Vec<&str> = text.lines().collect();
            assert_eq!(lines.len(), 2, "{text}");
            let shown = columns_of(lines[1]);
            assert!(shown <= width, "{shown} in {width}: {text}");
            assert!(lines[1].contains("1042") && lines[1].contains("bbc") && lines[1].contains('…'), "{text}");
        }
    }

    #[test]
    fn cells_stand_below_their_heads_whatever_is_in_them() {
        let columns = [Column("feed", Fit::Cut), Column("title", Fit::Cut), Column("end", Fit::Whole)];
        let cells = ["plain", "قِمَّةٌ", "لا إله", "新闻", "", "a\u{202e}b\x1b[31mc", &"طويل جدا ".repeat(20)];
        for width in [40, 60, 100] {
            let rows: Vec<Vec<String>> =
                cells.iter().map(|cell| vec![(*cell).to_owned(), (*cell).to_owned(), "E".to_owned()]).collect();
            let text = for_terminal(Screen::of(true, false), &columns, &rows, width);
            let place = |line: &str, c: char| columns_of(line.rsplit_once(c).unwrap().0);
            let lines: Vec<&str> = text.lines().collect();
            let end = place(lines[0], 'e');
            for line in &lines[1..] {
                assert_eq!(place(line, 'E'), end, "{text}");
                assert_eq!(line.matches('\u{2068}').count(), line.matches('\u{2069}').count(), "{text}");
                assert!(!line.contains(['\u{202e}', '\x1b']) && columns_of(line) <= width, "{text}");
            }
        }
        assert_eq!(for_terminal(Screen::of(true, true), &columns[..1], &[], 40), "\x1b[1mfeed\x1b[0m\n");
    }

    #[test]
    fn without_a_terminal_cells_are_whole_and_separated_by_tabs() {
        let text = render(Screen::of(false, false), &COLUMNS, &rows());
        assert_eq!(text.lines().nth(1).unwrap().split('\t').collect::<Vec<_>>(), rows()[0]);
    }
}
