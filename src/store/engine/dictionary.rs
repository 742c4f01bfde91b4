//! What a sealed file knows of the language of its records.
//!
//! In: records as they are stored. Out: the same, shorter, and back.
//! Promise: a record comes back saying what it said; one that would not get shorter is left as it is.
//! Not here: the two forms of a record ([`crate::store::packing`]).
//!
//! Trained on the records of the store itself, so it fits whatever its sources write, and none of anybody's text has to come
//! with the program.

use std::sync::{Mutex, PoisonError};

use zstd::zstd_safe::{CCtx, DCtx, get_frame_content_size};

use super::tables::Table;
use crate::store::packing::{self, MAX_OPEN, OPEN};

/// The level of zstd for what is sealed: with a dictionary no slower than the first is without.
const LEVEL: i32 = 3;
/// So large it may be, in bytes.
const SIZE: usize = 64 << 10;
/// On so many records it is trained at most, and at least.
const SAMPLES: std::ops::RangeInclusive<usize> = 200..=2_000;
/// Of so many bytes together at least: a dictionary of less costs more than it saves.
const MIN_SAMPLED: usize = 1 << 20;
/// A value that stands alone begins so; see [`crate::store::values`].
const ALONE: [u8; 2] = [0, 0];

pub(super) struct Dictionary {
    bytes: Vec<u8>,
    compress: zstd::dict::EncoderDictionary<'static>,
    decompress: zstd::dict::DecoderDictionary<'static>,
    compressing: Mutex<Option<CCtx<'static>>>,
    decompressing: Mutex<Vec<DCtx<'static>>>,
}

/// Tables whose records are `[version][zstd]`.
const fn is_for(table: Table) -> bool {
    matches!(table, Table::Items | Table::Revisions)
}

/// The open form of a stored value, if it has one or is one.
fn opened(table: Table, value: &[u8]) -> Option<Vec<u8>> {
    let record = value.strip_prefix(&ALONE).filter(|_| is_for(table))?;
    if record.first()? & OPEN != 0 {
        return Some(value.to_vec());
    }
    packing::open(record).map(|record| [&ALONE[..], &record].concat())
}

impl Dictionary {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self {
            compress: zstd::dict::EncoderDictionary::copy(&bytes, LEVEL),
            decompress: zstd::dict::DecoderDictionary::copy(&bytes),
            bytes,
            compressing: Mutex::new(None),
            decompressing: Mutex::new(Vec::new()),
        }
    }

    /// Trains one on records of a table, where there are enough.
    pub(super) fn train(table: Table, values: &mut dyn Iterator<Item = Vec<u8>>) -> Option<Self> {
        let samples: Vec<Vec<u8>> = values.filter_map(|value| opened(table, &value)).take(*SAMPLES.end()).collect();
        let sampled: usize = samples.iter().map(Vec::len).sum();
        if samples.len() < *SAMPLES.start() || sampled < MIN_SAMPLED {
            return None;
        }
        zstd::dict::from_samples(&samples, SIZE.min(sampled / 50)).ok().map(Self::new)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The value compressed with the dictionary; none where it is not of that kind, or got no shorter.
    pub(super) fn shorten(&self, table: Table, value: &[u8]) -> Option<Vec<u8>> {
        let open = opened(table, value)?;
        let mut context = self.compressing.lock().unwrap_or_else(PoisonError::into_inner);
        let context = match &mut *context {
            Some(context) => context,
            empty => empty.insert(CCtx::try_create()?),
        };
        let mut short = Vec::with_capacity(zstd::zstd_safe::compress_bound(open.len()));
        context.compress_using_cdict(&mut short, &open, self.compress.as_cdict()).ok()?;
        // An open record stays open only here: elsewhere it has to be as short as it was.
        (short.len() < value.len()).then_some(short)
    }

    /// What was shortened, open.
    pub(super) fn whole(&self, short: &[u8]) -> Result<Vec<u8>, String> {
        let size = get_frame_content_size(short).ok().flatten().and_then(|size| usize::try_from(size).ok());
        let size = size.filter(|size| *size <= MAX_OPEN).ok_or("it says no plausible size")?;
        let pooled = self.decompressing.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut context = pooled.or_else(DCtx::try_create).ok_or("no memory")?;
        let mut open = Vec::with_capacity(size);
        let read = context.decompress_using_ddict(&mut open, short, self.decompress.as_ddict());
        let mut pool = self.decompressing.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.len() < POOLED {
            pool.push(context);
        }
        drop(pool);
        read.map_err(|code| zstd::zstd_safe::get_error_name(code).to_owned())?;
        Ok(open)
    }
}

/// Contexts that are kept for the next reader: each takes some 100 KiB.
const POOLED: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn record(n: usize) -> Vec<u8> {
        let text = format!("أعلنت الوزارة يوم الاثنين افتتاح {n} مدرسة جديدة في المحافظات الشمالية والجنوبية. ")
            .repeat(12 + n % 7);
        let text = [text, "ا".repeat(n % 50)].concat();
        [&ALONE[..], &[1], &zstd::stream::encode_all(text.as_bytes(), LEVEL).unwrap()].concat()
    }

    #[test]
    fn records_come_back_open_and_take_less() {
        let dictionary = Dictionary::train(Table::Items, &mut (0..1_500).map(record)).unwrap();
        let again = Dictionary::new(dictionary.bytes().to_vec());
        let (mut before, mut after) = (0, 0);
        for n in 2_000..2_100 {
            let value = record(n);
            let short = dictionary.shorten(Table::Items, &value).unwrap();
            let whole = again.whole(&short).unwrap();
            assert_eq!(whole, opened(Table::Items, &value).unwrap());
            // What was open already is shortened to the same, as when a file is written again.
            assert_eq!(dictionary.shorten(Table::Items, &whole).unwrap(), short);
            (before, after) = (before + value.len(), after + short.len());
        }
        assert!(after * 4 < before * 3, "{before} bytes became {after}");
        assert_eq!(dictionary.shorten(Table::Log, &record(1)), None);
        assert_eq!(dictionary.shorten(Table::Items, &[0, 1, 7, 7]), None, "it goes on in chunks");
        assert!(dictionary.whole(b"no frame").is_err());
        assert!(Dictionary::train(Table::Items, &mut (0..100).map(record)).is_none(), "too few");
    }
}
