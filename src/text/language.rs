//! Which language a text is in.

/// The ISO 639-1 code of the language of an item, or `None` where it cannot be told.
/// `declared` is what the feed or its configuration says; it is trusted where the text is too short to tell.
pub fn detect(_title: &str, _text: &str, _declared: Option<&str>) -> Option<String> { unimplemented!() }
