//! Items as rows of CSV.
//!
//! In: items. Out: rows as RFC 4180 has them, in UTF-8.
//! Promise: a cell of a feed's words is never a formula of the spreadsheet that opens it; every row has all columns.

use super::items::kind;
use crate::item::Item;
use crate::topic::Decision;

/// The columns; names and order are part of the interface.
pub(super) const COLUMNS: [&str; 15] = [
    "id",
    "seq",
    "feed",
    "published_at",
    "title",
    "url",
    "language",
    "topics",
    "maybe",
    "verdict",
    "of",
    "similarity",
    "copies",
    "summary",
    "text",
];

/// What an item has in each column.
pub(super) fn cells(item: &Item) -> [String; 15] {
    let content = &item.content;
    [
        item.id.to_string(),
        item.seq.to_string(),
        item.feed.to_string(),
        content.published_at.to_string(),
        content.title.clone(),
        content.url.as_ref().map(ToString::to_string).unwrap_or_default(),
        content.language.clone().unwrap_or_default(),
        topics(item, Decision::Match),
        topics(item, Decision::Maybe),
        kind(item),
        item.verdict.of.as_ref().map(ToString::to_string).unwrap_or_default(),
        item.verdict.similarity.to_string(),
        item.copies.len().to_string(),
        content.summary.clone(),
        content.text.clone(),
    ]
}

/// The topics that were decided so, with a space between them.
pub(super) fn topics(item: &Item, wanted: Decision) -> String {
    let ids = item.topics.iter().filter(|topic| topic.decision == wanted).map(|topic| topic.id.to_string());
    ids.collect::<Vec<_>>().join(" ")
}

/// A row as RFC 4180 has it.
pub(super) fn row(cells: &[String]) -> String {
    let mut row = cells.iter().map(|cell| guarded(cell)).collect::<Vec<_>>().join(",");
    row.push_str("\r\n");
    row
}

/// A cell; where a spreadsheet would take it for a formula, an apostrophe makes it text.
fn guarded(cell: &str) -> String {
    let formula =
        cell.trim_start_matches(' ').starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let text = if formula { format!("'{cell}") } else { cell.to_owned() };
    if text.contains([',', '"', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_never_formulas() {
        for (cell, expected) in [
            ("خبر", "خبر"),
            ("", ""),
            ("a,b", "\"a,b\""),
            ("قال: \"نعم\"", "\"قال: \"\"نعم\"\"\""),
            ("a\nb", "\"a\nb\""),
            ("=1+1", "'=1+1"),
            (" =1+1", "' =1+1"),
            ("+966", "'+966"),
            ("-5", "'-5"),
            ("@x", "'@x"),
            ("=HYPERLINK(\"x\",\"y\")", "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\""),
            ("5-3", "5-3"),
        ] {
            assert_eq!(guarded(cell), expected);
        }
    }
}
