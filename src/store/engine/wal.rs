//! What is written ahead: each write set, whole, before sled gets it.
//!
//! In: write sets. Out: the same, in their order, after a crash.
//! Promise: [`Wal::append`] returns once the set is on the disk; a set that did not get there whole is not read again. What a
//! crash cut off at the end is told from damage in the middle.
//! Not here: applying it ([`super::front`]).
//!
//! Rule 2 says that sled's `flush` is no sync on Linux. Here it need not be one: one sequential write and one `fdatasync` make
//! a group durable, and sled, which is behind after a crash or damaged by it, is brought up from this file.
//!
//! `[magic]`, then for each set `[begin u32][number u64][length u32][sum u32][frames]`, then zeros. The numbers count from 1.
//!
//! The zeros are room for the sets to come: a sync of what is written over them is one write, where a file that grows takes
//! another for its length (ext4 without a journal: two thirds of the time of a small set).

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::Writes;
use super::frames::{self, Frame};

const MAGIC: &[u8; 16] = b"rasid wal 2.0\n\0\0";
/// The size of a file without a set.
pub(super) const EMPTY: u64 = MAGIC.len() as u64;
const BEGIN: [u8; 4] = *b"RSET";
const HEAD: usize = 20;
/// So much room is made at once, in bytes; not for a set that is larger than a part of it.
const ROOM: usize = 256 << 10;
const LARGE: usize = ROOM / 8;

/// The file while it is written.
#[derive(Debug)]
pub(super) struct Wal {
    file: File,
    end: u64,
    /// The length of the file.
    room: u64,
    next: u64,
}

/// What a file holds.
#[derive(Debug)]
pub(super) struct Read {
    bytes: Vec<u8>,
    /// Number, and where its frames stand.
    sets: Vec<(u64, std::ops::Range<usize>)>,
    /// Where what was written whole ends.
    end: usize,
    /// Where a set is damaged that others follow, or the head is.
    pub(super) damaged_at: Option<usize>,
}

impl Wal {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let mut file = File::create(path)?;
        file.write_all(MAGIC)?;
        file.sync_all()?;
        Ok(Self { file, end: MAGIC.len() as u64, room: MAGIC.len() as u64, next: 1 })
    }

    /// Goes on behind what was read; what a crash left behind it is cut off.
    pub(super) fn resume(path: &Path, read: &Read) -> io::Result<Self> {
        let file = File::options().read(true).write(true).open(path)?;
        let end = read.end as u64;
        if file.metadata()?.len() != end {
            file.set_len(end)?;
            file.sync_all()?;
        }
        Ok(Self { file, end, room: end, next: read.last() + 1 })
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.end
    }

    /// Writes a set and syncs it. Its number.
    pub(super) fn append(&mut self, writes: &Writes) -> io::Result<u64> {
        let size: usize =
            writes.iter().map(|((_, key), value)| frames::length(key.len(), value.as_ref().map_or(0, Vec::len))).sum();
        let mut bytes = Vec::with_capacity(HEAD + size);
        bytes.extend_from_slice(&BEGIN);
        bytes.extend_from_slice(&self.next.to_be_bytes());
        bytes.extend_from_slice(&u32::try_from(size).map_err(io::Error::other)?.to_be_bytes());
        bytes.extend_from_slice(&[0; 4]);
        for ((table, key), value) in writes {
            frames::push(&mut bytes, *table, key, value.as_deref(), false);
        }
        let sum = set_sum(&bytes);
        bytes[HEAD - 4..HEAD].copy_from_slice(&sum.to_be_bytes());
        if let Err(error) = self.write(&mut bytes).and_then(|()| self.file.sync_data()) {
            // It must not come back after all: it was never acknowledged. Where even this fails, it may, which is harmless:
            // what is stored twice is stored once.
            let _not_undone = self.file.set_len(self.end);
            self.room = self.end;
            return Err(error);
        }
        self.end += (HEAD + size) as u64;
        self.room = self.room.max(self.end);
        self.next += 1;
        Ok(self.next - 1)
    }

    /// Writes a set, with room behind it where there is none.
    fn write(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        let length = bytes.len();
        if self.end + length as u64 > self.room && length < LARGE {
            bytes.resize(length + ROOM, 0);
            match self.file.write_all_at(bytes, self.end) {
                Ok(()) => {
                    self.room = self.end + bytes.len() as u64;
                    return Ok(());
                }
                // The disk may have room for the set alone.
                Err(_) => self.file.set_len(self.end)?,
            }
        }
        self.file.write_all_at(&bytes[..length], self.end)
    }
}

fn set_sum(set: &[u8]) -> u32 {
    let (head, frames) = set.split_at(HEAD);
    frames::sum(&head[..HEAD - 4]) ^ frames::sum(frames).rotate_left(1)
}

impl Read {
    pub(super) fn file(path: &Path) -> io::Result<Self> {
        let bytes = std::fs::read(path)?;
        let mut read = Self { bytes, sets: Vec::new(), end: 0, damaged_at: None };
        if !read.bytes.starts_with(MAGIC) {
            read.damaged_at = Some(0);
        }
        let mut at = MAGIC.len();
        read.end = at.min(read.bytes.len());
        while at < read.bytes.len() {
            if let Some((number, set)) = read.set(at).filter(|(number, _)| *number == read.last() + 1) {
                at = set.end;
                read.end = at;
                read.sets.push((number, set));
                continue;
            }
            // Where another set follows, this one was not cut off by a crash.
            let follows = (at + 1..read.bytes.len())
                .filter(|next| read.bytes[*next..].starts_with(&BEGIN))
                .any(|next| read.set(next).is_some_and(|(number, _)| number > read.last()));
            if follows {
                read.damaged_at.get_or_insert(at);
            }
            break;
        }
        Ok(read)
    }

    fn set(&self, at: usize) -> Option<(u64, std::ops::Range<usize>)> {
        let head = self.bytes.get(at..at + HEAD)?.strip_prefix(&BEGIN)?;
        let number = u64::from_be_bytes(*head.first_chunk()?);
        let length = u32::from_be_bytes(*head[8..].first_chunk()?) as usize;
        let said = u32::from_be_bytes(*head[12..].first_chunk()?);
        let set = self.bytes.get(at..(at + HEAD).checked_add(length)?)?;
        (set_sum(set) == said).then_some((number, at + HEAD..at + HEAD + length))
    }

    /// The last set, or 0.
    pub(super) fn last(&self) -> u64 {
        self.sets.last().map_or(0, |(number, _)| *number)
    }

    /// The sets in their order.
    pub(super) fn sets(&self) -> impl Iterator<Item = (u64, Vec<Frame<'_>>)> {
        self.sets.iter().map(|(number, set)| (*number, frames::whole(&self.bytes[set.clone()]).0))
    }

    /// All records that are whole, also those of damaged sets, in the order in which they were written.
    pub(super) fn salvage(&self) -> Vec<Frame<'_>> {
        frames::whole(&self.bytes).0
    }
}

/// Where it stands in the directory of a front.
pub(super) fn path(directory: &Path) -> PathBuf {
    directory.join("wal")
}

#[cfg(test)]
mod tests {
    use super::super::tables::Table;
    use super::*;

    fn writes(n: u8) -> Writes {
        Writes::from([((Table::Items, vec![n]), Some(vec![n; 30])), ((Table::Ids, vec![n]), None)])
    }

    fn written(path: &Path) -> Vec<u8> {
        let mut wal = Wal::create(path).unwrap();
        for n in 1..5 {
            assert_eq!(wal.append(&writes(n)).unwrap(), u64::from(n));
        }
        let mut bytes = std::fs::read(path).unwrap();
        assert!(bytes[usize::try_from(wal.bytes()).unwrap()..].iter().all(|byte| *byte == 0));
        bytes.truncate(usize::try_from(wal.bytes()).unwrap());
        bytes
    }

    #[test]
    fn a_cut_end_is_dropped_and_writing_goes_on_behind_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("wal");
        let bytes = written(&path);
        let set = (bytes.len() - MAGIC.len()) / 4;
        for cut in MAGIC.len()..bytes.len() {
            std::fs::write(&path, &bytes[..cut]).unwrap();
            let read = Read::file(&path).unwrap();
            assert_eq!((read.last(), read.damaged_at), (((cut - MAGIC.len()) / set) as u64, None), "cut at {cut}");
            let mut wal = Wal::resume(&path, &read).unwrap();
            let next = wal.append(&writes(9)).unwrap();
            let again = Read::file(&path).unwrap();
            assert_eq!((again.last(), again.damaged_at), (next, None));
            assert_eq!(again.sets().last().unwrap().1.len(), 2);
        }
    }

    #[test]
    fn damage_before_the_last_set_is_told_and_what_is_whole_is_salvaged() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("wal");
        let bytes = written(&path);
        let last = bytes.len() - (bytes.len() - MAGIC.len()) / 4;
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            std::fs::write(&path, &damaged).unwrap();
            let read = Read::file(&path).unwrap();
            assert_eq!(read.damaged_at.is_some(), at < last, "at {at}");
            assert!(read.salvage().len() >= 7, "at {at}");
        }
    }
}
