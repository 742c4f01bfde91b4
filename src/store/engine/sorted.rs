//! A sealed part of the store: one file of sorted records that never changes.
//!
//! In: records in the order of their tables and keys, once. Out: values, and entries from either end of a range.
//! Promise: what is read is what was written: each record, or each block of derived entries, has a sum that is checked when it
//! is read. A file is complete or is not used.
//! Not here: which files there are ([`super::manifest`]), when they are made ([`super::upkeep`]).
//!
//! ```text
//! magic                     the kind of file, and its place among the others
//! dictionary                a second time, for when the contents are lost
//! blocks                    of a table each; records as frames, derived entries compressed
//! contents                  where each block begins; a filter; the dictionary
//! footer                    where the contents stand, and their sum
//! ```
//!
//! Records that other records do not give again stand as [`super::frames`]: damage costs one of them, and they are found
//! without the contents. Derived entries are compressed by the block, their keys without what they share with the one before.

mod salvage;
mod walk;
mod write;

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::ops::Bound;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use super::cache::Cache;
use super::dictionary::Dictionary;
use super::filter::{self, Filter};
use super::frames::{self, Frame};
use super::layers::{Found, Part, Range, Record, Source};
use super::tables::{Table, asked};
use crate::store::{StoreError, packing};
pub(super) use salvage::{Salvaged, salvage};
use walk::{Reading, Walk};
pub(super) use write::Writer;

const MAGIC: &[u8; 8] = b"rasid 2\n";
const HEAD: usize = 8 + 1 + 7 + 8 + 8;
const FOOTER: usize = 8 + 4 + 4 + 8;
/// So large a block becomes before the next begins, in bytes before compression.
const BLOCK: usize = 8 << 10;
/// The level at which blocks of keys are compressed: they are read more often than their size matters.
const LEVEL: i32 = 1;

/// What a file holds, and of what time: numbers of the first and last front that went into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Span {
    pub(super) bulk: bool,
    pub(super) from: u64,
    pub(super) to: u64,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Contents {
    blocks: Vec<Block>,
    /// The last key of each table that is there.
    last: Vec<(u8, Vec<u8>)>,
    filter: Filter,
    dictionary: Vec<u8>,
    entries: u64,
    /// Those of them that say that something is gone.
    gone: u64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Block {
    table: u8,
    first: Vec<u8>,
    offset: u64,
    length: u32,
    sum: u32,
}

thread_local! {
    /// Blocks of frames that are looked at once, so that no memory is asked for each time.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

fn footer(offset: u64, contents: &[u8]) -> io::Result<Vec<u8>> {
    let length = u32::try_from(contents.len()).map_err(io::Error::other)?;
    let sum = frames::sum(contents);
    Ok([&offset.to_be_bytes()[..], &length.to_be_bytes(), &sum.to_be_bytes(), MAGIC].concat())
}

/// The dictionary as it stands behind the head.
fn first_copy(dictionary: Option<&Dictionary>) -> io::Result<Vec<u8>> {
    let bytes = dictionary.map_or(&[][..], Dictionary::bytes);
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    Ok([&length.to_be_bytes()[..], &frames::sum(bytes).to_be_bytes(), bytes].concat())
}

/// The dictionary in the bytes of a whole file, as it stands behind the head; none where there is none, or it is damaged.
fn read_first_copy(file: &[u8]) -> Option<Dictionary> {
    let rest = file.get(HEAD..)?;
    let length = u32::from_be_bytes(*rest.first_chunk()?) as usize;
    let sum = u32::from_be_bytes(*rest.get(4..)?.first_chunk()?);
    let bytes = rest.get(8..)?.get(..length)?;
    (length > 0 && frames::sum(bytes) == sum).then(|| Dictionary::new(bytes.to_vec()))
}

fn read_varint(bytes: &mut &[u8]) -> Option<usize> {
    let mut n = 0;
    for shift in (0..usize::BITS).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        n |= usize::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(n);
        }
    }
    None
}

fn cut<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (first, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(first)
}

/// One file, open for reading.
pub(super) struct Sorted {
    pub(super) name: String,
    pub(super) span: Span,
    pub(super) bytes: u64,
    path: PathBuf,
    file: File,
    contents: Contents,
    /// The blocks of each table, by its number.
    tables: Vec<std::ops::Range<usize>>,
    dictionary: Option<Arc<Dictionary>>,
    cache: Arc<Cache>,
    id: u64,
    doomed: AtomicBool,
}

impl std::fmt::Debug for Sorted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sorted").field("name", &self.name).field("span", &self.span).finish_non_exhaustive()
    }
}

impl Sorted {
    /// Opens a complete file; an error in words says what is wrong with it.
    pub(super) fn open(path: &Path, cache: &Arc<Cache>) -> Result<Self, String> {
        let in_words = |error: io::Error| error.to_string();
        let file = File::open(path).map_err(in_words)?;
        let bytes = file.metadata().map_err(in_words)?.len();
        let mut head = [0; HEAD];
        let mut foot = [0; FOOTER];
        let at = bytes.checked_sub(FOOTER as u64).filter(|at| *at >= HEAD as u64).ok_or("it is cut short")?;
        file.read_exact_at(&mut head, 0).map_err(in_words)?;
        file.read_exact_at(&mut foot, at).map_err(in_words)?;
        let span = span_of(&head).ok_or("its head is damaged")?;
        let offset = foot.first_chunk().map(|bytes| u64::from_be_bytes(*bytes)).unwrap_or_default();
        let length =
            at.checked_sub(offset).and_then(|length| usize::try_from(length).ok()).ok_or("its footer is damaged")?;
        let mut contents = vec![0; length];
        file.read_exact_at(&mut contents, offset).map_err(in_words)?;
        if footer(offset, &contents).map_err(in_words)? != foot {
            return Err("its list of contents is damaged".to_owned());
        }
        let contents: Contents = postcard::from_bytes(&contents).map_err(|error| error.to_string())?;
        Ok(Self::over(path, file, bytes, span, contents, cache))
    }

    fn over(path: &Path, file: File, bytes: u64, span: Span, contents: Contents, cache: &Arc<Cache>) -> Self {
        let dictionary = Some(&contents.dictionary).filter(|bytes| !bytes.is_empty());
        let blocks = |table: &Table| {
            let begin = contents.blocks.partition_point(|block| block.table < *table as u8);
            begin..contents.blocks.partition_point(|block| block.table <= *table as u8)
        };
        Self {
            tables: Table::ALL.iter().map(blocks).collect(),
            name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            span,
            bytes,
            path: path.to_owned(),
            file,
            dictionary: dictionary.map(|bytes| Arc::new(Dictionary::new(bytes.clone()))),
            contents,
            cache: Arc::clone(cache),
            id: cache.next_id(),
            doomed: AtomicBool::new(false),
        }
    }

    /// Entries, and how many of them say that something is gone.
    pub(super) fn entries(&self) -> (u64, u64) {
        (self.contents.entries, self.contents.gone)
    }

    /// What its records are compressed with.
    pub(super) fn dictionary(&self) -> Option<&Arc<Dictionary>> {
        self.dictionary.as_ref()
    }

    /// Whether the file may have a key.
    pub(super) fn may_have(&self, table: Table, key: &[u8]) -> bool {
        self.is_within(table, key)
            && asked(table, key).is_none_or(|asked| self.contents.filter.may_have(filter::hash(table, asked)))
    }

    /// The same of what a filter knows a key by.
    pub(super) fn may_have_hash(&self, table: Table, hash: u64) -> bool {
        self.blocks_of(table).is_some() && self.contents.filter.may_have(hash)
    }

    /// How many bytes a record takes here, also one that only says that it is gone; none where it is not here.
    pub(super) fn weight(&self, table: Table, key: &[u8]) -> Result<Option<u64>, StoreError> {
        let Some(block) = self.may_have(table, key).then(|| self.block_of(table, key)).flatten() else {
            return Ok(None);
        };
        let bytes = self.read_block(block)?;
        let mut at = 0;
        while let Some(frame) = bytes.get(at..).and_then(Frame::peek) {
            if frame.key == key {
                return Ok(Some(frame.length as u64));
            }
            at += frame.length;
        }
        Ok(None)
    }

    /// Its file goes when the last reader of it has gone.
    pub(super) fn doom(&self) {
        self.doomed.store(true, Ordering::Relaxed);
    }

    /// Copies the file, which may have been removed by now, and returns how many bytes it has and their hash.
    pub(super) fn copy_to(&self, to: &Path) -> io::Result<(u64, String)> {
        let mut out = File::create(to)?;
        let mut hasher = blake3::Hasher::new();
        let mut buffer = vec![0; 1 << 20];
        let mut at = 0;
        while at < self.bytes {
            let n = self.file.read_at(&mut buffer, at)?;
            if n == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            hasher.update(&buffer[..n]);
            out.write_all(&buffer[..n])?;
            at += n as u64;
        }
        out.sync_all()?;
        Ok((at, hasher.finalize().to_hex().to_string()))
    }

    /// Reads every block and checks its sum. What is damaged, in words.
    pub(super) fn check(&self) -> Vec<String> {
        let mut found = Vec::new();
        let first = first_copy(self.dictionary.as_deref()).unwrap_or_default();
        let mut head = vec![0; first.len()];
        if self.file.read_exact_at(&mut head, HEAD as u64).is_err() || head != first {
            found.push(format!("{}: the first copy of its dictionary is damaged", self.name));
        }
        for block in 0..self.contents.blocks.len() {
            let Block { offset, length, sum, .. } = self.contents.blocks[block];
            let mut bytes = vec![0; length as usize];
            match self.file.read_exact_at(&mut bytes, offset) {
                Err(error) => found.push(format!("{}: at byte {offset}: {error}", self.name)),
                Ok(()) if frames::sum(&bytes) != sum => {
                    found.push(format!("{}: the block at byte {offset} is damaged", self.name));
                }
                Ok(()) => {}
            }
        }
        found
    }

    fn last_of(&self, table: Table) -> Option<&[u8]> {
        self.contents.last.iter().find(|(of, _)| *of == table as u8).map(|(_, last)| last.as_slice())
    }

    /// The blocks of a table; none where it has none here.
    fn blocks_of(&self, table: Table) -> Option<std::ops::Range<usize>> {
        self.tables.get(table as usize).filter(|blocks| !blocks.is_empty()).cloned()
    }

    /// Whether a key stands between the first and the last of its table. Cheaper than the filter, and says no for most files
    /// where keys are numbers that only grow.
    fn is_within(&self, table: Table, key: &[u8]) -> bool {
        self.blocks_of(table).is_some_and(|blocks| self.contents.blocks[blocks.start].first.as_slice() <= key)
            && self.last_of(table).is_some_and(|last| key <= last)
    }

    /// The block that would have a key; none before the first.
    fn block_of(&self, table: Table, key: &[u8]) -> Option<usize> {
        let blocks = self.blocks_of(table)?;
        let after = self.contents.blocks[blocks.clone()].partition_point(|block| block.first.as_slice() <= key);
        Some(blocks.start + after.checked_sub(1)?)
    }

    fn damaged(&self, block: usize) -> StoreError {
        StoreError::Corrupt {
            what: format!(
                "{}: the block at byte {} is damaged",
                self.path.display(),
                self.contents.blocks[block].offset
            ),
            hint: super::REPAIR_HINT.to_owned(),
        }
    }

    /// The bytes of a block: frames, or derived entries uncompressed.
    fn read_block(&self, block: usize) -> Result<Arc<Vec<u8>>, StoreError> {
        if let Some(bytes) = self.cache.get((self.id, block)) {
            return Ok(bytes);
        }
        let Block { table, length, sum, .. } = self.contents.blocks[block];
        let mut bytes = vec![0; length as usize];
        self.read_into(&mut bytes, block)?;
        if Table::of(table).is_some_and(Table::is_derived) {
            if frames::sum(&bytes) != sum {
                return Err(self.damaged(block));
            }
            bytes = packing::decompress(&bytes).map_err(|_| self.damaged(block))?;
        }
        let bytes = Arc::new(bytes);
        self.cache.put((self.id, block), &bytes);
        Ok(bytes)
    }

    fn read_into(&self, bytes: &mut [u8], block: usize) -> Result<(), StoreError> {
        let offset = self.contents.blocks[block].offset;
        self.file.read_exact_at(bytes, offset).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => self.damaged(block),
            _ => StoreError::Engine(format!("{}: {error}", self.path.display())),
        })
    }

    /// As [`Sorted::read_block`], of frames, for a look at one of them: what is read so is not put into the cache, where it
    /// would take the place of the indexes; the system keeps what is read again.
    fn with_frames<T>(&self, block: usize, look: impl FnOnce(&[u8]) -> Result<T, StoreError>) -> Result<T, StoreError> {
        if let Some(bytes) = self.cache.get((self.id, block)) {
            return look(&bytes);
        }
        BUFFER.with_borrow_mut(|buffer| {
            let length = self.contents.blocks[block].length as usize;
            if buffer.len() < length {
                buffer.resize(length, 0);
            }
            let bytes = buffer.get_mut(..length).unwrap_or_default();
            self.read_into(bytes, block)?;
            look(bytes)
        })
    }

    /// The value of a frame as it was written.
    fn value_of(&self, frame: &Frame<'_>, block: usize) -> Result<Option<Vec<u8>>, StoreError> {
        match (frame.value, &self.dictionary) {
            (Some(value), Some(dictionary)) if frame.shortened => {
                dictionary.whole(value).map(Some).map_err(|_| self.damaged(block))
            }
            (Some(_), None) if frame.shortened => Err(self.damaged(block)),
            (value, _) => Ok(value.map(<[u8]>::to_vec)),
        }
    }

    /// All records of a table, for a file that is made with `dictionary`: what is compressed with the same one is copied.
    pub(super) fn copied(self: Arc<Self>, table: Table, dictionary: Option<&Dictionary>) -> Option<Box<dyn Source>> {
        let blocks = self.blocks_of(table)?;
        let same = dictionary.map(Dictionary::bytes) == self.dictionary.as_deref().map(Dictionary::bytes);
        let copied = if same { Reading::Copied } else { Reading::Marked };
        let range = (Bound::Unbounded, Bound::Unbounded);
        Some(Box::new(Walk::over(self, range, blocks, copied)))
    }

    /// The records of a block that are whole; not for derived entries.
    fn whole_records(&self, block: usize) -> Vec<Record> {
        let Ok(bytes) = self.read_block(block) else { return Vec::new() };
        let frames = frames::whole(&bytes).0.into_iter();
        frames.filter_map(|frame| Some((frame.key.to_vec(), self.value_of(&frame, block).ok()?))).collect()
    }
}

impl Drop for Sorted {
    fn drop(&mut self) {
        if *self.doomed.get_mut() {
            // What is left of it is swept at the next start.
            let _left_for_later = fs::remove_file(&self.path);
        }
    }
}

/// Calls `each` with the derived entries of a block until it says no. None where the block is not one.
fn each_derived(mut bytes: &[u8], mut each: impl FnMut(&[u8], Option<&[u8]>) -> bool) -> Option<()> {
    let mut key = Vec::new();
    while !bytes.is_empty() {
        let (shared, rest, value) = (read_varint(&mut bytes)?, read_varint(&mut bytes)?, read_varint(&mut bytes)?);
        key.truncate(shared);
        (key.len() == shared).then_some(())?;
        key.extend_from_slice(cut(&mut bytes, rest)?);
        let value = value.checked_sub(1).map(|length| cut(&mut bytes, length).ok_or(())).transpose().ok()?;
        if !each(&key, value) {
            break;
        }
    }
    Some(())
}

fn span_of(head: &[u8; HEAD]) -> Option<Span> {
    let rest = head.strip_prefix(MAGIC)?;
    let from = u64::from_be_bytes(*rest[8..].first_chunk()?);
    let to = u64::from_be_bytes(*rest[16..].first_chunk()?);
    (rest[0] <= 1).then_some(Span { bulk: rest[0] == 1, from, to })
}

/// Where a file that is damaged says it belongs.
pub(super) fn span_in(path: &Path) -> Option<Span> {
    let mut head = [0; HEAD];
    File::open(path).and_then(|file| file.read_exact_at(&mut head, 0)).ok()?;
    span_of(&head)
}

impl Part for Sorted {
    fn get(&self, table: Table, key: &[u8], hash: Option<u64>) -> Result<Found, StoreError> {
        if !self.is_within(table, key) || hash.is_some_and(|hash| !self.contents.filter.may_have(hash)) {
            return Ok(Found::Unknown);
        }
        let Some(block) = self.block_of(table, key) else { return Ok(Found::Unknown) };
        if table.is_derived() {
            let bytes = self.read_block(block)?;
            let mut found = Found::Unknown;
            let read = each_derived(&bytes, |at, value| {
                if at == key {
                    found = value.map_or(Found::Gone, |value| Found::There(value.to_vec()));
                }
                at < key
            });
            return read.map(|()| found).ok_or_else(|| self.damaged(block));
        }
        self.with_frames(block, |bytes| {
            let mut at = 0;
            while at < bytes.len() {
                let Some(frame) = Frame::peek(&bytes[at..]) else { return Err(self.damaged(block)) };
                if frame.key >= key {
                    if !frame.is_whole(&bytes[at..]) {
                        return Err(self.damaged(block));
                    }
                    if frame.key == key {
                        return Ok(self.value_of(&frame, block)?.map_or(Found::Gone, Found::There));
                    }
                    break;
                }
                at += frame.length;
            }
            Ok(Found::Unknown)
        })
    }

    fn range(self: Arc<Self>, table: Table, range: &Range) -> Option<Box<dyn Source>> {
        let last = self.last_of(table)?;
        let low = match &range.0 {
            Bound::Included(low) | Bound::Excluded(low) => low.as_slice(),
            Bound::Unbounded => &[],
        };
        if last < low {
            return None;
        }
        // Of a table that is asked for whole keys a range is none.
        let by_part = table.asked().is_some_and(|length| length != usize::MAX);
        if let (true, Some(asked), Bound::Excluded(high)) = (by_part, asked(table, low), &range.1)
            && let Bound::Excluded(end) = super::prefix_range(asked).1
            && *high <= end
            && !self.contents.filter.may_have(filter::hash(table, asked))
        {
            return None;
        }
        let blocks = self.blocks_of(table)?;
        let first = self.block_of(table, low).unwrap_or(blocks.start);
        let end = match &range.1 {
            Bound::Included(high) | Bound::Excluded(high) => {
                let own = &self.contents.blocks[blocks.clone()];
                blocks.start + own.partition_point(|block| block.first.as_slice() <= high.as_slice())
            }
            Bound::Unbounded => blocks.end,
        };
        (first < end).then(|| Box::new(Walk::over(self, range.clone(), first..end, Reading::Whole)) as Box<dyn Source>)
    }
}
