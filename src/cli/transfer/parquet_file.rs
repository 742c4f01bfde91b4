//! Items as rows of a Parquet file.
//!
//! In: items. Out: a file of flat columns, named as those of the CSV ([`crate::cli::csv`]); times and numbers have their types.
//! Promise: written row group by row group, so that memory holds one of them and not the store.

use std::io::Write as _;
use std::sync::Arc;

use anyhow::Context;
use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, FloatType, Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use super::files::Output;
use crate::cli::csv;
use crate::cli::items::kind;
use crate::item::Item;
use crate::topic::Decision;

/// In the order of the CSV's columns.
const SCHEMA: &str = "message item {
    REQUIRED BYTE_ARRAY id (UTF8);
    REQUIRED INT64 seq;
    REQUIRED BYTE_ARRAY feed (UTF8);
    REQUIRED INT64 published_at (TIMESTAMP(MICROS, true));
    REQUIRED BYTE_ARRAY title (UTF8);
    OPTIONAL BYTE_ARRAY url (UTF8);
    OPTIONAL BYTE_ARRAY language (UTF8);
    REQUIRED BYTE_ARRAY topics (UTF8);
    REQUIRED BYTE_ARRAY maybe (UTF8);
    REQUIRED BYTE_ARRAY verdict (UTF8);
    OPTIONAL BYTE_ARRAY of (UTF8);
    REQUIRED FLOAT similarity;
    REQUIRED INT32 copies;
    REQUIRED BYTE_ARRAY summary (UTF8);
    REQUIRED BYTE_ARRAY text (UTF8);
}";

/// A row group ends with so many rows,
const MAX_ROWS: usize = 20_000;
/// or so many bytes of text.
const MAX_BYTES: usize = 64 << 20;

/// A Parquet file in the making.
pub(super) struct Rows {
    writer: SerializedFileWriter<Output>,
    items: Vec<Item>,
    bytes: usize,
}

impl Rows {
    pub(super) fn begin(out: Output) -> anyhow::Result<Self> {
        let schema = Arc::new(parse_message_type(SCHEMA)?);
        let properties = Arc::new(
            WriterProperties::builder()
                .set_compression(Compression::SNAPPY)
                .set_created_by(concat!("rasid ", env!("CARGO_PKG_VERSION")).to_owned())
                .build(),
        );
        Ok(Self { writer: SerializedFileWriter::new(out, schema, properties)?, items: Vec::new(), bytes: 0 })
    }

    pub(super) fn add(&mut self, item: &Item) -> anyhow::Result<()> {
        self.bytes += item.content.text.len() + item.content.summary.len() + item.content.title.len();
        self.items.push(item.clone());
        if self.items.len() >= MAX_ROWS || self.bytes >= MAX_BYTES { self.group() } else { Ok(()) }
    }

    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        self.group()?;
        let mut out = self.writer.into_inner().context("the end of the Parquet file cannot be written")?;
        out.flush()?;
        Ok(out.finish()?)
    }

    fn group(&mut self) -> anyhow::Result<()> {
        let items = std::mem::take(&mut self.items);
        self.bytes = 0;
        if items.is_empty() {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        let words = |wanted: Decision| move |item: &Item| csv::topics(item, wanted);
        texts(&mut group, &items, |item| item.id.to_string())?;
        column::<Int64Type>(&mut group, &items, |item| i64::try_from(item.seq.0).unwrap_or(i64::MAX))?;
        texts(&mut group, &items, |item| item.feed.to_string())?;
        column::<Int64Type>(&mut group, &items, |item| item.content.published_at.as_microsecond())?;
        texts(&mut group, &items, |item| item.content.title.clone())?;
        optional(&mut group, &items, |item| item.content.url.as_ref().map(ToString::to_string))?;
        optional(&mut group, &items, |item| item.content.language.clone())?;
        texts(&mut group, &items, words(Decision::Match))?;
        texts(&mut group, &items, words(Decision::Maybe))?;
        texts(&mut group, &items, kind)?;
        optional(&mut group, &items, |item| item.verdict.of.as_ref().map(ToString::to_string))?;
        column::<FloatType>(&mut group, &items, |item| item.verdict.similarity)?;
        column::<Int32Type>(&mut group, &items, |item| i32::try_from(item.copies.len()).unwrap_or(i32::MAX))?;
        texts(&mut group, &items, |item| item.content.summary.clone())?;
        texts(&mut group, &items, |item| item.content.text.clone())?;
        group.close()?;
        Ok(())
    }
}

type Group<'a> = SerializedRowGroupWriter<'a, Output>;

fn texts(group: &mut Group<'_>, items: &[Item], text: impl Fn(&Item) -> String) -> anyhow::Result<()> {
    column::<ByteArrayType>(group, items, |item| ByteArray::from(text(item).into_bytes()))
}

fn column<T: DataType>(group: &mut Group<'_>, items: &[Item], value: impl Fn(&Item) -> T::T) -> anyhow::Result<()> {
    let values: Vec<T::T> = items.iter().map(value).collect();
    write::<T>(group, &values, None)
}

fn optional(group: &mut Group<'_>, items: &[Item], text: impl Fn(&Item) -> Option<String>) -> anyhow::Result<()> {
    let texts: Vec<Option<String>> = items.iter().map(text).collect();
    let there: Vec<i16> = texts.iter().map(|text| i16::from(text.is_some())).collect();
    let values: Vec<ByteArray> = texts.into_iter().flatten().map(|text| ByteArray::from(text.into_bytes())).collect();
    write::<ByteArrayType>(group, &values, Some(&there))
}

fn write<T: DataType>(group: &mut Group<'_>, values: &[T::T], there: Option<&[i16]>) -> anyhow::Result<()> {
    let mut column = group.next_column()?.context("the schema has fewer columns than are written")?;
    column.typed::<T>().write_batch(values, there, None)?;
    column.close()?;
    Ok(())
}
