//! Bytes to text: the charset ladder.
//!
//! In: a feed, a page or a JSON document as it came, and what else is known of its charset. Out: [`Decoded`] text, with
//! the charset and [`Why`] it was chosen.
//! Promise: the same bytes and hints give the same text; nothing panics; every byte that was no text is counted. The
//! declaration still stands in the text, where it may no longer be true: readers must not look at it again.
//! Not here: control characters, broken markup ([`crate::parse`]) and text that was spoiled before it was sent.
//!
//! The rungs: configured, byte order mark, nearly valid UTF-8, HTTP, declaration, detection. UTF-8 stands before what
//! is declared because hardly any other text looks like it, while declarations are often left over from a former
//! charset; and a few bytes that are no UTF-8 do not unseat it, because letters cut in half are the commonest fault of
//! all. What HTTP or the document says is believed unless it gives no Arabic where windows-1256 or ISO-8859-6 give good
//! Arabic: bytes declared as UTF-8 or windows-1252 that are nothing of the kind.

use std::borrow::Cow;
use std::fmt;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, ISO_8859_6, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, WINDOWS_1256};

use super::plausible::{self, PLAUSIBLE};

/// What is known of a document's charset besides its bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hints<'a> {
    /// The feed's `charset` key: beats everything. A label that names no charset is passed over.
    pub configured: Option<&'a str>,
    /// `charset` of the HTTP `Content-Type`.
    pub http: Option<&'a str>,
    /// The last label of the host name (`"sa"`), for detection.
    pub tld: Option<&'a str>,
}

/// Why a charset was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The feed's configuration names it.
    Configured,
    /// A byte order mark, or the zero bytes that UTF-16 and UTF-32 have without one.
    Bom,
    /// The bytes are UTF-8, or so nearly that they can be nothing else. ASCII is UTF-8.
    ValidUtf8,
    /// The HTTP header names it.
    Http,
    /// The document names it, in its XML declaration or a `meta` element.
    Declared,
    /// Nothing named it, or what was named gave no sensible text.
    Detected,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Configured => "configured",
            Self::Bom => "byte order mark",
            Self::ValidUtf8 => "valid UTF-8",
            Self::Http => "HTTP header",
            Self::Declared => "declared",
            Self::Detected => "detected",
        })
    }
}

/// Text, and how it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The document without its byte order mark.
    pub text: String,
    /// The WHATWG name; `UTF-32LE` and `UTF-32BE`, which have none there, by their usual one.
    pub charset: &'static str,
    /// What decided.
    pub why: Why,
    /// How many byte sequences were not valid: they became U+FFFD, or the quotation mark or dash that they clearly are.
    pub bad: usize,
}

/// The WHATWG name of the charset that `label` means, for checking a configuration; `None` where it means none.
pub fn charset(label: &str) -> Option<&'static str> {
    encoding(label).map(Encoding::name)
}

/// Decodes a feed, page or JSON document.
pub fn decode(bytes: &[u8], hints: Hints<'_>) -> Decoded {
    if let Some(named) = hints.configured.and_then(encoding) {
        return read(strip_bom(bytes, named), named, Why::Configured);
    }
    if let Some(decoded) = marked(bytes) {
        return decoded;
    }
    // A UTF-8 mark before something else is left by an editor that saved one included file; the rest decides.
    let bytes = strip_bom(bytes, UTF_8);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Decoded { text: text.to_owned(), charset: UTF_8.name(), why: Why::ValidUtf8, bad: 0 };
    }
    if nearly_utf8(bytes) {
        return read(bytes, UTF_8, Why::ValidUtf8);
    }
    let sample = &*sample(bytes);
    let arabic = best_arabic(sample);
    let rungs = [(hints.http, Why::Http), (declaration(bytes), Why::Declared)];
    for (label, why) in rungs {
        if let Some(named) = label.and_then(encoding)
            && believable(sample, named, &arabic)
        {
            return read(bytes, named, why);
        }
    }
    let detected = if arabic.score >= PLAUSIBLE { arabic.encoding } else { detect(bytes, hints.tld) };
    read(bytes, detected, Why::Detected)
}

fn encoding(label: &str) -> Option<&'static Encoding> {
    let label = label.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ';'));
    Encoding::for_label_no_replacement(label.as_bytes()).or_else(|| {
        // Labels that no standard knows but that leave no doubt: `win1256`, `arabic-windows-1256`, `iso88596`.
        let known = [("1256", WINDOWS_1256), ("8859-6", ISO_8859_6), ("88596", ISO_8859_6)];
        known.iter().find(|(part, _)| label.contains(part)).map(|(_, encoding)| *encoding)
    })
}

fn read(bytes: &[u8], encoding: &'static Encoding, why: Why) -> Decoded {
    if encoding == UTF_8 {
        let (text, bad) = lossy(bytes);
        return Decoded { text, charset: encoding.name(), why, bad };
    }
    let (text, faulty) = encoding.decode_without_bom_handling(bytes);
    let bad = if faulty { text.matches('\u{FFFD}').count() } else { 0 };
    Decoded { text: text.into_owned(), charset: encoding.name(), why, bad }
}

/// UTF-8 with its faults, and their number: each becomes U+FFFD, or the mark that it clearly is in windows-1252.
fn lossy(bytes: &[u8]) -> (String, usize) {
    let (mut text, mut bad) = (String::with_capacity(bytes.len() + 16), 0);
    let mut chunks = bytes.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        text.push_str(chunk.valid());
        if chunk.invalid().is_empty() {
            continue;
        }
        bad += 1;
        let before = chunk.valid().chars().next_back();
        // A fault right behind this one has no valid text before it.
        let (after, alone) =
            chunks.peek().map_or((None, true), |next| (next.valid().chars().next(), !next.valid().is_empty()));
        let first = before.is_none() && bad > 1;
        let meant = if alone && !first { stray(chunk.invalid(), before, after) } else { None };
        text.push(meant.unwrap_or('\u{FFFD}'));
    }
    (text, bad)
}

/// The quotation mark or dash that an editor for windows-1252 left as a single byte among UTF-8.
///
/// Most of these bytes are also the second half of an Arabic letter or mark, which may have lost its first half: those
/// are believed only where no Arabic letter touches them. The four commonest are half of nothing that is written.
fn stray(invalid: &[u8], before: Option<char>, after: Option<char>) -> Option<char> {
    let byte = *invalid.first().filter(|byte| invalid.len() == 1 && (0x80..=0x9F).contains(*byte))?;
    let arabic = |c: Option<char>| c.is_some_and(|c| matches!(c, '\u{600}'..='\u{6FF}') && c.is_alphanumeric());
    let clear = matches!(byte, 0x93 | 0x94 | 0x96 | 0x97) || !(arabic(before) || arabic(after));
    let (text, _) = WINDOWS_1252.decode_without_bom_handling(std::slice::from_ref(invalid.first()?));
    text.chars().next().filter(|c| clear && !c.is_control())
}

fn strip_bom<'a>(bytes: &'a [u8], encoding: &'static Encoding) -> &'a [u8] {
    match Encoding::for_bom(bytes) {
        Some((marked, length)) if marked == encoding => bytes.get(length..).unwrap_or_default(),
        _ => bytes,
    }
}

/// What a byte order mark says, or else the zeros that wide characters have.
fn marked(bytes: &[u8]) -> Option<Decoded> {
    match bytes {
        [0xFF, 0xFE, 0, 0, rest @ ..] => return Some(wide(rest, "UTF-32LE", u32::from_le_bytes)),
        [0, 0, 0xFE, 0xFF, rest @ ..] => return Some(wide(rest, "UTF-32BE", u32::from_be_bytes)),
        [b'<' | b'{' | b'[', 0, 0, 0, ..] => return Some(wide(bytes, "UTF-32LE", u32::from_le_bytes)),
        [0, 0, 0, b'<' | b'{' | b'[', ..] => return Some(wide(bytes, "UTF-32BE", u32::from_be_bytes)),
        _ => {}
    }
    let (encoding, bytes) = match Encoding::for_bom(bytes) {
        Some((encoding, length)) => (encoding, bytes.get(length..).unwrap_or_default()),
        None if looks_wide(bytes, 1) => (UTF_16LE, bytes),
        None if looks_wide(bytes, 0) => (UTF_16BE, bytes),
        None => return None,
    };
    (encoding != UTF_8 || nearly_utf8(bytes)).then(|| read(bytes, encoding, Why::Bom))
}

/// Whether the bytes are UTF-16 with the high byte of each pair at `high`: nearly all of it is ASCII (0) or Arabic (6).
/// Such bytes are valid UTF-8, so this comes before that is asked.
fn looks_wide(bytes: &[u8], high: usize) -> bool {
    let pairs = || bytes.chunks_exact(2).take(512);
    let wide = |pair: &&[u8]| matches!(pair[high], 0 | 6) && pair[1 - high] != 0;
    let ascii = |pair: &[u8]| pair[high] == 0 && pair[1 - high] != 0;
    pairs().len() >= 4 && pairs().filter(wide).count() * 10 >= pairs().len() * 8 && pairs().any(ascii)
}

/// UTF-32, which no browser reads but some archives hold.
fn wide(bytes: &[u8], charset: &'static str, number: fn([u8; 4]) -> u32) -> Decoded {
    let (mut text, mut bad) = (String::with_capacity(bytes.len() / 4), 0);
    for unit in bytes.chunks(4) {
        let c = <[u8; 4]>::try_from(unit).ok().and_then(|unit| char::from_u32(number(unit)));
        bad += usize::from(c.is_none());
        text.push(c.unwrap_or('\u{FFFD}'));
    }
    Decoded { text, charset, why: Why::Bom, bad }
}

/// Whether the bytes are UTF-8, but for a few faults: at least three good multi-byte characters for each.
/// Text in a single-byte charset has next to none, because its letters follow each other and not a continuation byte.
fn nearly_utf8(bytes: &[u8]) -> bool {
    let (mut good, mut bad) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().bytes().filter(|byte| *byte >= 0xC0).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    bad == 0 || good >= 3 * bad
}

/// What is looked at of a long document to find out its charset: blocks with letters that are not ASCII.
fn sample(bytes: &[u8]) -> Cow<'_, [u8]> {
    /// A block begins at an even place and is of even length, for charsets with two bytes a letter.
    const BLOCK: usize = 4 << 10;
    const BLOCKS: usize = 32;
    if bytes.len() <= BLOCK * BLOCKS {
        return Cow::Borrowed(bytes);
    }
    Cow::Owned(bytes.chunks(BLOCK).filter(|block| !block.is_ascii()).take(BLOCKS).flatten().copied().collect())
}

/// How good the better Arabic reading of the bytes is.
struct Arabic {
    encoding: &'static Encoding,
    score: f64,
}

fn best_arabic(bytes: &[u8]) -> Arabic {
    let score = |encoding: &'static Encoding| Arabic { encoding, score: score(bytes, encoding) };
    let (windows, iso) = (score(WINDOWS_1256), score(ISO_8859_6));
    if iso.score > windows.score { iso } else { windows }
}

fn score(bytes: &[u8], encoding: &'static Encoding) -> f64 {
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    plausible::score(&text)
}

/// Whether bytes that are not UTF-8 can be what is claimed of them, given the best Arabic they could be.
fn believable(bytes: &[u8], claimed: &'static Encoding, arabic: &Arabic) -> bool {
    if claimed == UTF_8 {
        return false;
    }
    if claimed == UTF_16LE || claimed == UTF_16BE {
        // Wide text has many zeros, from its ASCII at least; the other charsets have none.
        return bytes.iter().filter(|byte| **byte == 0).count() > bytes.len() / 16;
    }
    if arabic.score < PLAUSIBLE || arabic.encoding == claimed {
        return true;
    }
    // Each of the two Arabic charsets is believed until the other one is clearly better.
    (claimed == WINDOWS_1256 || claimed == ISO_8859_6) && score(bytes, claimed) >= arabic.score - 0.2
}

/// The charset that the XML declaration or a `meta` element names.
fn declaration(bytes: &[u8]) -> Option<&str> {
    /// How far into a document a declaration is looked for. The HTML standard says 1,024 bytes; real pages are late.
    const FAR: usize = 4096;
    let head = bytes.get(..FAR).unwrap_or(bytes);
    let xml = element(head, b"<?xml").and_then(|element| value(element, b"encoding"));
    xml.or_else(|| {
        let mut rest = head;
        while let Some(at) = find(rest, b"<meta") {
            rest = rest.get(at + 5..)?;
            let end = find(rest, b">").unwrap_or(rest.len());
            if let Some(found) = value(rest.get(..end)?, b"charset") {
                return Some(found);
            }
        }
        None
    })
}

/// What stands between `open` and the next `>`.
fn element<'a>(bytes: &'a [u8], open: &[u8]) -> Option<&'a [u8]> {
    let rest = bytes.get(find(bytes, open)? + open.len()..)?;
    rest.get(..find(rest, b">")?)
}

/// The value of `name = "value"`, also without quotation marks or inside another attribute.
fn value<'a>(bytes: &'a [u8], name: &[u8]) -> Option<&'a str> {
    let rest = bytes.get(find(bytes, name)? + name.len()..)?.trim_ascii_start();
    let rest = rest.strip_prefix(b"=")?.trim_ascii_start();
    let quoted = rest.first().is_some_and(|byte| matches!(byte, b'"' | b'\''));
    let rest = rest.get(usize::from(quoted)..)?;
    let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b';' | b'?' | b'/' | b'>');
    let end = rest.iter().position(ends).unwrap_or(rest.len());
    std::str::from_utf8(rest.get(..end)?).ok().filter(|label| !label.is_empty())
}

/// The first place of `needle`, which is lower case, in any case.
fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window.eq_ignore_ascii_case(needle))
}

fn detect(bytes: &[u8], tld: Option<&str>) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    // The detector panics on a label that is not what DNS has.
    let tld =
        tld.map(str::to_ascii_lowercase).filter(|tld| tld.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
    detector.guess(tld.as_ref().map(String::as_bytes), Utf8Detection::Deny)
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
