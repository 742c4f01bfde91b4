//! Makes a sealed file.
//!
//! In: records in the order of their tables and keys. Out: a complete file on the disk, or none.
//! Promise: as in [`super`]. What is compressed with the file's dictionary already is copied.
//! Not here: reading it ([`super::Sorted`]), which records go into it ([`crate::store::engine::upkeep`]).

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::walk::SHORT;
use super::{BLOCK, Block, Contents, LEVEL, MAGIC, Span, first_copy, footer};
use crate::store::engine::dictionary::Dictionary;
use crate::store::engine::filter::{self, Filter};
use crate::store::engine::frames;
use crate::store::engine::tables::{Table, asked};

/// Writes one.
pub(in crate::store::engine) struct Writer {
    out: BufWriter<File>,
    path: PathBuf,
    offset: u64,
    block: Vec<u8>,
    first: Option<(Table, Vec<u8>)>,
    previous: Vec<u8>,
    contents: Contents,
    hashes: Vec<u64>,
    dictionary: Option<Arc<Dictionary>>,
}

impl Writer {
    pub(in crate::store::engine) fn create(
        path: &Path,
        span: Span,
        dictionary: Option<Arc<Dictionary>>,
    ) -> io::Result<Self> {
        let mut out = BufWriter::with_capacity(1 << 18, File::create(path)?);
        let mut head = MAGIC.to_vec();
        head.push(u8::from(span.bulk));
        head.resize(16, 0);
        head.extend_from_slice(&span.from.to_be_bytes());
        head.extend_from_slice(&span.to.to_be_bytes());
        head.extend_from_slice(&first_copy(dictionary.as_deref())?);
        out.write_all(&head)?;
        Ok(Self {
            out,
            path: path.to_owned(),
            offset: head.len() as u64,
            block: Vec::new(),
            first: None,
            previous: Vec::new(),
            contents: Contents::default(),
            hashes: Vec::new(),
            dictionary,
        })
    }

    /// The next record, as [`super::Sorted::copied`] gives it.
    pub(in crate::store::engine) fn copy(&mut self, table: Table, key: &[u8], value: Option<&[u8]>) -> io::Result<()> {
        match value.and_then(<[u8]>::split_first) {
            Some((&SHORT, value)) => self.put(table, key, Some(value), true),
            Some((_, value)) => self.push(table, key, Some(value)),
            None => self.push(table, key, None),
        }
    }

    /// The next record; keys rise within a table, tables rise.
    pub(in crate::store::engine) fn push(&mut self, table: Table, key: &[u8], value: Option<&[u8]>) -> io::Result<()> {
        let short = match (&self.dictionary, value) {
            (Some(dictionary), Some(value)) if !table.is_derived() => dictionary.shorten(table, value),
            _ => None,
        };
        self.put(table, key, short.as_deref().or(value), short.is_some())
    }

    fn put(&mut self, table: Table, key: &[u8], value: Option<&[u8]>, shortened: bool) -> io::Result<()> {
        if self.first.as_ref().is_some_and(|(of, _)| *of != table) || self.block.len() >= BLOCK {
            self.end_block()?;
        }
        if self.first.is_none() {
            self.first = Some((table, key.to_vec()));
            self.previous.clear();
        }
        if table.is_derived() {
            let shared = key.iter().zip(&self.previous).take_while(|(one, other)| one == other).count();
            varint(&mut self.block, shared);
            varint(&mut self.block, key.len() - shared);
            varint(&mut self.block, value.map_or(0, |value| value.len() + 1));
            self.block.extend_from_slice(&key[shared..]);
            self.block.extend_from_slice(value.unwrap_or_default());
            self.previous.clear();
            self.previous.extend_from_slice(key);
        } else {
            frames::push(&mut self.block, table, key, value, shortened);
        }
        if let Some(asked) = asked(table, key) {
            let hash = filter::hash(table, asked);
            if self.hashes.last() != Some(&hash) {
                self.hashes.push(hash);
            }
        }
        self.contents.entries += 1;
        self.contents.gone += u64::from(value.is_none());
        match self.contents.last.last_mut() {
            Some((of, last)) if *of == table as u8 => {
                last.clear();
                last.extend_from_slice(key);
            }
            _ => self.contents.last.push((table as u8, key.to_vec())),
        }
        Ok(())
    }

    fn end_block(&mut self) -> io::Result<()> {
        let Some((table, first)) = self.first.take() else { return Ok(()) };
        let raw = std::mem::take(&mut self.block);
        let bytes = if table.is_derived() { zstd::bulk::compress(&raw, LEVEL)? } else { raw };
        self.out.write_all(&bytes)?;
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        let sum = frames::sum(&bytes);
        self.contents.blocks.push(Block { table: table as u8, first, offset: self.offset, length, sum });
        self.offset += bytes.len() as u64;
        self.block = bytes;
        self.block.clear();
        Ok(())
    }

    /// Completes the file and syncs it. Whether there is anything in it: an empty one is removed.
    pub(in crate::store::engine) fn finish(mut self) -> io::Result<bool> {
        self.end_block()?;
        if self.contents.entries == 0 {
            drop(self.out);
            fs::remove_file(&self.path)?;
            return Ok(false);
        }
        self.contents.filter = Filter::of(&self.hashes);
        self.contents.dictionary =
            self.dictionary.as_ref().map(|dictionary| dictionary.bytes().to_vec()).unwrap_or_default();
        let contents = postcard::to_stdvec(&self.contents).map_err(io::Error::other)?;
        self.out.write_all(&contents)?;
        self.out.write_all(&footer(self.offset, &contents)?)?;
        let file = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(true)
    }
}

fn varint(out: &mut Vec<u8>, mut n: usize) {
    while n >= 0x80 {
        out.push((n & 0x7f) as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}
