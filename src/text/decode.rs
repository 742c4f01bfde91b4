//! Bytes to text: the charset ladder.

/// What is known of a document's charset besides its bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hints<'a> {
    /// The feed's `charset` key: beats everything.
    pub configured: Option<&'a str>,
    /// `charset` of the HTTP `Content-Type`.
    pub http: Option<&'a str>,
    /// The last label of the host name (`"sa"`), for detection.
    pub tld: Option<&'a str>,
}

/// Why a charset was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    Configured, Bom, ValidUtf8, Http, Declared, Detected,
}

/// Text, and how it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    pub text: String,
    /// The WHATWG name.
    pub charset: &'static str,
    pub why: Why,
    /// How many byte sequences were not valid and became U+FFFD or were dropped.
    pub bad: usize,
}

/// Decodes a feed, page or JSON document.
pub fn decode(_bytes: &[u8], _hints: Hints<'_>) -> Decoded { unimplemented!() }
