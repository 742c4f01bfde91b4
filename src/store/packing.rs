//! How records are compressed: by themselves, or with what a sealed file knows of its language.
//!
//! In: `[version][zstd]`, as [`super::schema`] makes it. Out: the same record open, `[version with a mark][bytes]`, and the other
//! way round with a dictionary.
//! Promise: both forms say the same; [`super::schema`] reads either.
//! Not here: where the dictionary stands ([`super::engine`]).
//!
//! An article compressed by itself has to begin without knowing a single word. With a dictionary of 64 KiB, trained on the
//! articles that stand in the same file, it takes 27 % less, at the same speed (`docs/benchmarks.md`).

use std::borrow::Cow;
use std::cell::RefCell;
use std::io;

use zstd::bulk::{Compressor, Decompressor};

/// In the version byte: the record is not compressed.
pub(super) const OPEN: u8 = 0x80;
/// The level of zstd for what is new. The third takes twice as long and saves two per cent, and what is sealed is
/// compressed again, with a dictionary.
pub(super) const LEVEL: i32 = 1;
/// No record of ours is larger; a damaged one may say that it is.
pub(super) const MAX_OPEN: usize = 256 << 20;

thread_local! {
    /// Making a context anew for each record takes as long as compressing it.
    static COMPRESSING: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSING: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Compresses bytes of any kind; the frame says how many they were.
pub(super) fn compress(bytes: &[u8]) -> io::Result<Vec<u8>> {
    COMPRESSING.with_borrow_mut(|context| match context {
        Some(context) => context.compress(bytes),
        empty => empty.insert(Compressor::new(LEVEL)?).compress(bytes),
    })
}

/// The bytes that were compressed.
pub(super) fn decompress(packed: &[u8]) -> io::Result<Vec<u8>> {
    let size = zstd::zstd_safe::get_frame_content_size(packed).ok().flatten();
    let Some(size) = size.and_then(|size| usize::try_from(size).ok()).filter(|size| *size <= MAX_OPEN) else {
        // Written by an earlier version, which did not say; or damaged.
        return zstd::stream::decode_all(packed);
    };
    DECOMPRESSING.with_borrow_mut(|context| match context {
        Some(context) => context.decompress(packed, size),
        empty => empty.insert(Decompressor::new()?).decompress(packed, size),
    })
}

/// The open form of `[version][zstd]`; none where it is open already, or not such a record.
pub(super) fn open(record: &[u8]) -> Option<Vec<u8>> {
    let (version, packed) = record.split_first().filter(|(version, _)| **version & OPEN == 0)?;
    let bytes = decompress(packed).ok()?;
    Some([&[*version | OPEN][..], &bytes].concat())
}

/// The packed form of an open record; none where it is packed already.
pub(super) fn close(record: &[u8]) -> Option<io::Result<Vec<u8>>> {
    let (version, bytes) = record.split_first().filter(|(version, _)| **version & OPEN != 0)?;
    Some(compress(bytes).map(|packed| [&[*version & !OPEN][..], &packed].concat()))
}

/// The bytes of a record in either form, behind its version.
pub(super) fn bytes_of(version: u8, rest: &[u8]) -> io::Result<Cow<'_, [u8]>> {
    Ok(if version & OPEN == 0 { Cow::Owned(decompress(rest)?) } else { Cow::Borrowed(rest) })
}
