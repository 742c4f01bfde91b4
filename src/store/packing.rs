//! How records are compressed: by themselves, or with what a sealed file knows of its language.
//!
//! In: `[version][zstd]`, as [`super::schema`] makes it. Out: the same record open, `[version with a mark][bytes]`, and the other
//! way round with a dictionary.
//! Promise: both forms say the same; [`super::schema`] reads either.
//! Not here: where the dictionary stands ([`super::engine`]).
//!
//! An article compressed by itself has to begin without knowing a single word. With a dictionary of 64 KiB, trained on the
//! articles that stand in the same file, it takes 27 % less, at the same speed (`docs/benchmarks.md`).

use std::io;

/// In the version byte: the record is not compressed.
pub(super) const OPEN: u8 = 0x80;
/// The fastest of zstd's levels that still halves Arabic text twice.
pub(super) const LEVEL: i32 = 3;
/// No record of ours is larger; a damaged one may say that it is.
pub(super) const MAX_OPEN: usize = 256 << 20;

/// The open form of `[version][zstd]`; none where it is open already, or not such a record.
pub(super) fn open(record: &[u8]) -> Option<Vec<u8>> {
    let (version, packed) = record.split_first().filter(|(version, _)| **version & OPEN == 0)?;
    let bytes = zstd::stream::decode_all(packed).ok()?;
    Some([&[*version | OPEN][..], &bytes].concat())
}

/// The packed form of an open record; none where it is packed already.
pub(super) fn close(record: &[u8]) -> Option<io::Result<Vec<u8>>> {
    let (version, bytes) = record.split_first().filter(|(version, _)| **version & OPEN != 0)?;
    let mut packed = vec![*version & !OPEN];
    Some(zstd::stream::copy_encode(bytes, &mut packed, LEVEL).map(|()| packed))
}

/// The bytes of a record in either form, behind its version.
pub(super) fn bytes_of(version: u8, rest: &[u8]) -> io::Result<Vec<u8>> {
    if version & OPEN == 0 { zstd::stream::decode_all(rest) } else { Ok(rest.to_vec()) }
}
