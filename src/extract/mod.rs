//! Entries and pages to articles of plain text.
//!
//! In: HTML of feeds and pages, addresses. Out: plain text, what a page says of itself, canonical addresses.
//! Promise: pure; no input overflows the stack or takes time out of proportion to its size.
//! Not here: fetching ([`crate::fetch`]), what the text is about ([`crate::topic`]).

mod article;
mod furniture;
pub mod html;
mod lines;
mod metadata;
mod tame;
pub mod url;
