//! A corpus to the bytes of a pack, and back.
//!
//! In: a [`Corpus`], or the bytes of a file. Out: bytes, or a corpus.
//! Promise: the same corpus gives the same bytes; damage is noticed by a checksum; no bytes make it panic.
//! Layout: magic, format, normalizer and fingerprint versions, shingle and window sizes (all little-endian), the corpus in
//! postcard, and the xxh3-64 of everything before it.

use xxhash_rust::xxh3::xxh3_64;

use crate::text::normalize;

use super::corpus::Corpus;
use super::fingerprint;

const MAGIC: &[u8; 8] = b"rasidcp\n";
const FORMAT: u32 = 1;
const HEADER: usize = MAGIC.len() + 5 * 4;
const CHECKSUM: usize = 8;

/// The command that makes a pack, as the messages name it.
const REMAKE: &str = "rasid corpus pack DIR -o FILE";

/// Why bytes are not a usable pack, or texts cannot become one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// Something else.
    #[error("it is not a corpus pack; make one with `rasid corpus pack DIR -o FILE`")]
    NotAPack,
    /// Shortened or changed.
    #[error(
        "the pack is damaged: its checksum does not fit; copy it again, or remake it with `rasid corpus pack DIR -o FILE`"
    )]
    Damaged,
    /// Its fingerprints do not compare with those of this program.
    #[error(
        "the pack was made with {what} {found}, this program has {wanted}; remake it from its texts with `rasid corpus pack DIR -o FILE`"
    )]
    Outdated {
        /// What differs.
        what: &'static str,
        /// In the pack.
        found: u32,
        /// In this program.
        wanted: u32,
    },
    /// A name or id that would not be readable in `corpus:name/document`.
    #[error(
        "`{0}` is no name for a corpus or a document; use at least one character, and no slash, space or control character"
    )]
    BadName(String),
    /// Two documents of one id.
    #[error("two documents are called `{0}`; rename one of them")]
    SameId(String),
    /// A document without a word.
    #[error("the document `{0}` has no words; remove it, or check its encoding")]
    NoWords(String),
    /// It could not be written down.
    #[error("the corpus could not be encoded: {0}")]
    Encode(String),
}

impl PackError {
    /// In words, of the pack in `file`: the command that remakes it is told with its name.
    pub fn of_file(&self, file: &str) -> String {
        let quoted = if file.contains(char::is_whitespace) { format!("'{file}'") } else { file.to_owned() };
        let told = self.to_string();
        match told.contains(REMAKE) {
            true => {
                let command = format!("rasid corpus pack DIR -o {quoted}");
                format!("{}, where DIR is the folder of its texts", told.replace(REMAKE, &command))
            }
            false => told,
        }
    }
}

fn parameters() -> [(&'static str, u32); 5] {
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    [
        ("pack format", FORMAT),
        ("normalizer version", normalize::VERSION),
        ("fingerprint version", fingerprint::VERSION),
        ("shingles of length", small(fingerprint::SHINGLE)),
        ("a winnowing window of", small(fingerprint::WINDOW)),
    ]
}

/// The bytes of `corpus`.
pub(super) fn write(corpus: &Corpus) -> Result<Vec<u8>, PackError> {
    let mut bytes = MAGIC.to_vec();
    for (_, value) in parameters() {
        bytes.extend(value.to_le_bytes());
    }
    let mut bytes = postcard::to_extend(corpus, bytes).map_err(|error| PackError::Encode(error.to_string()))?;
    bytes.extend(xxh3_64(&bytes).to_le_bytes());
    Ok(bytes)
}

/// The corpus in `bytes`.
pub(super) fn read(bytes: &[u8]) -> Result<Corpus, PackError> {
    let rest = bytes.strip_prefix(MAGIC.as_slice()).ok_or(PackError::NotAPack)?;
    if bytes.len() < HEADER + CHECKSUM {
        return Err(PackError::Damaged);
    }
    for ((what, wanted), found) in parameters().into_iter().zip(rest.chunks_exact(4)) {
        let found = found.iter().rev().fold(0, |n, byte| n << 8 | u32::from(*byte));
        if found != wanted {
            return Err(PackError::Outdated { what, found, wanted });
        }
    }
    let (body, checksum) = bytes.split_at(bytes.len() - CHECKSUM);
    if xxh3_64(body).to_le_bytes() != checksum {
        return Err(PackError::Damaged);
    }
    match postcard::take_from_bytes(body.get(HEADER..).unwrap_or_default()) {
        Ok((corpus, [])) => Ok(corpus),
        _ => Err(PackError::Damaged),
    }
}
