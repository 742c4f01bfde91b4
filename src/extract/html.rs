//! Main text of a page, and plain text of a fragment.
use crate::source::ArticleSelectors;
use jiff::Timestamp;
use url::Url;

/// The plain text of an HTML fragment (or of plain text): paragraphs separated by line feeds, entities resolved,
/// scripts, styles and markup gone, nothing else lost.
pub fn plain(_html: &str) -> String {
    unimplemented!()
}

/// What a page says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    pub text: String,
    pub title: Option<String>,
    pub published: Option<Timestamp>,
    pub canonical: Option<Url>,
    pub image: Option<Url>,
    pub authors: Vec<String>,
    pub language: Option<String>,
    pub notes: Vec<String>,
}

/// Why a page gave no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    #[error("the page has no article text")]
    NoText,
    #[error("the page is larger than {0} bytes")]
    TooLarge(usize),
}

/// The main text of a page. Synchronous and deep in its stack: call it on a thread of [`STACK`] bytes.
pub fn page(
    _html: &str,
    _base: &Url,
    _selectors: Option<&ArticleSelectors>,
    _now: Timestamp,
) -> Result<Page, PageError> {
    unimplemented!()
}

/// The stack that extraction needs at the depth that is let through.
pub const STACK: usize = 16 << 20;
