//! Entries and pages to articles of plain text.
pub mod html;
pub mod url;
