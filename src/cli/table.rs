//! Rows to a table that fits the terminal, or to lines of tab-separated cells where there is none.
//!
//! Promise: one line a row; what is too long is cut at characters, in the columns that may be cut and nowhere else;
//! without a terminal nothing is cut, so that the lines can be searched and taken apart.

use comfy_table::{Attribute, Cell, ContentArrangement, Table, presets};

use super::output::{Screen, cut, one_line};

/// The least that a column is cut to, in characters.
const NARROWEST: usize = 12;
/// Where a terminal does not say how wide it is.
const WIDTH: usize = 100;
/// comfy-table leaves a space on both sides of a cell.
const PADDING: usize = 2;

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

/// How wide the terminal is, in characters.
pub(super) fn width() -> usize {
    Table::new().width().map_or(WIDTH, usize::from)
}

fn for_terminal(screen: Screen, columns: &[Column], rows: &[Vec<String>], width: usize) -> String {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| one_line(cell)).collect()).collect();
    let widths = fit(columns, &rows, width);
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let head = |column: &Column| {
        let cell = Cell::new(column.0);
        if screen.color() { cell.add_attribute(Attribute::Bold) } else { cell }
    };
    table.set_header(columns.iter().map(head));
    for row in &rows {
        table.add_row(row.iter().zip(&widths).map(|(cell, width)| screen.words(&cut(cell, *width))));
    }
    table.trim_fmt() + "\n"
}

/// How many characters each column gets of `width`.
fn fit(columns: &[Column], rows: &[Vec<String>], width: usize) -> Vec<usize> {
    let mut widths: Vec<usize> = columns.iter().map(|column| column.0.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let (mut room, mut left) = (width.saturating_sub(PADDING * columns.len()), Vec::new());
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
            let shown = lines[1].chars().filter(|c| !matches!(c, '\u{2068}' | '\u{2069}')).count();
            assert!(shown <= width, "{shown} in {width}: {text}");
            assert!(lines[1].contains("1042") && lines[1].contains("bbc") && lines[1].contains('…'), "{text}");
        }
    }

    #[test]
    fn without_a_terminal_cells_are_whole_and_separated_by_tabs() {
        let text = render(Screen::of(false, false), &COLUMNS, &rows());
        assert_eq!(text.lines().nth(1).unwrap().split('\t').collect::<Vec<_>>(), rows()[0]);
    }
}
