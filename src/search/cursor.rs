//! The place in a search after which the next page begins.
//!
//! In: the last hit of a page, and what the search saw at first. Out: a token, and back.
//! Promise: a token goes with its query and filters alone, and any other text is refused; it holds all that scores depend on, so
//! an item which did not change keeps its place while others are written: none comes twice, none is left out.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::find::Place;
use super::plan::Frame;
use super::{Request, SearchError};

/// Of the tokens' form and of what scores are made of.
const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
struct Token {
    version: u8,
    /// A hash of the question.
    of: u64,
    frame: Frame,
    place: Place,
}

/// A hash of the query and its filters.
fn question(request: &Request) -> u64 {
    let Request { query, topic, feed, language, since, until, duplicates, sort, limit: _, after: _ } = request;
    let topic = topic.as_ref().map(ToString::to_string);
    let feed = feed.as_ref().map(ToString::to_string);
    // A span back from now is another time on each page; that it is given is all that counts.
    let all = (query, topic, feed, language, (since.is_some(), until.is_some()), (duplicates, sort));
    xxh3_64(&postcard::to_stdvec(&all).unwrap_or_default())
}

pub(super) fn write(request: &Request, frame: &Frame, place: Place) -> String {
    let token = Token { version: VERSION, of: question(request), frame: frame.clone(), place };
    let bytes = postcard::to_stdvec(&token).unwrap_or_default();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Where the token says to go on.
///
/// # Errors
/// [`SearchError::Cursor`] where it is no token of this question.
pub(super) fn read(request: &Request, token: &str) -> Result<(Frame, Place), SearchError> {
    let wrong = |why: &str| SearchError::Cursor(format!("`cursor` is {why}; take the `next` of the page before"));
    let digits: Vec<u8> = token.chars().filter_map(|c| u8::try_from(c.to_digit(16)?).ok()).collect();
    if digits.len() != token.chars().count() || !digits.len().is_multiple_of(2) {
        return Err(wrong("not where a page ended"));
    }
    let bytes: Vec<u8> = digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
    match postcard::from_bytes::<Token>(&bytes) {
        Ok(token) if token.version != VERSION => Err(wrong("of another version of rasid")),
        Ok(token) if token.of != question(request) => Err(wrong("of another query or of other filters")),
        Ok(token) if token.place.score.is_nan() => Err(wrong("not where a page ended")),
        Ok(token) => Ok((token.frame, token.place)),
        Err(_) => Err(wrong("not where a page ended")),
    }
}
