//! `rasid export`: items as NDJSON, CSV or Parquet; or all that another store needs.
//!
//! Promise: page by page, never the whole store in memory; what was there when it began is in it once. A complete export
//! begins with a header and ends with a trailer, so that a file that was cut is known by it.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};
use serde::Serialize;

use super::files::Output;
use super::{Counted, FORMAT, Header, Trailer, VERSION};
use crate::cli::narrowing::Narrowing;
use crate::cli::output::{self, count};
use crate::cli::progress::Progress;
use crate::cli::{Here, WrongUsage, csv};
use crate::item::Item;
use crate::store::{ExportPage, Record};

/// What is exported, and where to.
#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct Args {
    /// The form
    #[arg(long, value_enum, default_value_t = Format::Ndjson)]
    format: Format,
    /// The file; compressed where its name ends with .gz or .zst [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// All that another store needs, for `rasid import`: copies, former words, corrections, judgements, pins,
    /// consumers, where feeds were left
    #[arg(long, conflicts_with_all = ["topic", "feed", "language", "since", "until", "all"])]
    complete: bool,
    #[command(flatten)]
    items: Narrowing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One JSON object a line
    Ndjson,
    /// RFC 4180, for spreadsheets
    Csv,
    /// Apache Parquet, for data frames
    Parquet,
}

pub(in crate::cli) async fn run(here: &Here, args: &Args) -> anyhow::Result<()> {
    args.check()?;
    let api = here.api().await?;
    let out = Output::new(args.output.as_deref())?;
    let is_file = out.is_file();
    let mut form = Form::begin(args, out)?;
    let progress = Progress::new();
    let narrowed = args.items.begin();
    // All records are that with their copies, too.
    let (records, copies) = if args.complete { ("all", Some("duplicates")) } else { ("items", None) };
    let (mut cursor, mut begun, mut exported) = (None::<String>, false, 0);
    loop {
        let asked = [("records", Some(records)), ("include", copies), ("cursor", cursor.as_deref())];
        let page: ExportPage = api.get("/api/v1/export", &narrowed.with(&asked)).await?;
        if !begun {
            form.head(page.seq.0)?;
            begun = true;
        }
        for record in &page.records {
            exported += usize::from(matches!(record, Record::Item(_)));
            form.record(record)?;
        }
        progress.tell(&format!("{exported} of at most {} items", page.stored));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    form.finish()?;
    progress.clear();
    if let (true, Some(path)) = (is_file, &args.output) {
        output::note(format_args!("{} in {}", count(exported, "item"), path.display()));
    }
    Ok(())
}

impl Args {
    fn check(&self) -> Result<(), WrongUsage> {
        let wrong = |why: &str| Err(WrongUsage(why.to_owned()));
        if self.complete && self.format != Format::Ndjson {
            return wrong("a complete export is NDJSON; leave out --format, or --complete");
        }
        if self.format == Format::Parquet {
            if !cfg!(feature = "parquet") {
                return wrong(
                    "this program was built without Parquet; build it with `cargo build --release --features parquet`, \
                     or export as csv or ndjson",
                );
            }
            let ends = |end: &str| {
                self.output
                    .as_ref()
                    .and_then(|path| path.extension())
                    .is_some_and(|found| found.eq_ignore_ascii_case(end))
            };
            if ends("gz") || ends("zst") {
                return wrong("a Parquet file is compressed within; let its name end with .parquet");
            }
            if self.output.is_none() && io::stdout().is_terminal() {
                return wrong("a Parquet file is nothing for a terminal; name a file with -o");
            }
        }
        Ok(())
    }
}

/// What the records become.
enum Form {
    Complete {
        out: Output,
        hasher: Box<blake3::Hasher>,
        counted: Counted,
    },
    Ndjson(Output),
    Csv(Output),
    #[cfg(feature = "parquet")]
    Parquet(super::parquet_file::Rows),
}

impl Form {
    fn begin(args: &Args, out: Output) -> anyhow::Result<Self> {
        Ok(match args.format {
            Format::Ndjson if args.complete => {
                Self::Complete { out, hasher: Box::new(blake3::Hasher::new()), counted: Counted::default() }
            }
            Format::Csv => Self::Csv(out),
            #[cfg(feature = "parquet")]
            Format::Parquet => Self::Parquet(super::parquet_file::Rows::begin(out)?),
            // Parquet without its feature was refused before.
            _ => Self::Ndjson(out),
        })
    }

    fn head(&mut self, seq: u64) -> anyhow::Result<()> {
        match self {
            Self::Complete { out, hasher, .. } => {
                let header = Header {
                    format: FORMAT.to_owned(),
                    version: VERSION,
                    program: env!("CARGO_PKG_VERSION").to_owned(),
                    at: output::now(),
                    seq,
                };
                let line = line(&Tagged { record: "header", rest: &header })?;
                hasher.update(line.as_bytes());
                out.write_all(line.as_bytes())?;
            }
            Self::Csv(out) => out.write_all(csv::row(&csv::COLUMNS.map(str::to_owned)).as_bytes())?,
            _ => {}
        }
        Ok(())
    }

    fn record(&mut self, record: &Record) -> anyhow::Result<()> {
        match self {
            Self::Complete { out, hasher, counted } => {
                *(match record {
                    Record::Cursor(_) => &mut counted.cursors,
                    Record::Item(_) => &mut counted.items,
                    Record::Judgement(_) => &mut counted.judgements,
                    Record::Correction(_) => &mut counted.corrections,
                    Record::Pin(_) => &mut counted.pins,
                    Record::Consumer(_) => &mut counted.consumers,
                }) += 1;
                let line = line(record)?;
                hasher.update(line.as_bytes());
                out.write_all(line.as_bytes())?;
            }
            Self::Ndjson(out) => each(record, |item| Ok(out.write_all(line(item)?.as_bytes())?))?,
            Self::Csv(out) => each(record, |item| Ok(out.write_all(csv::row(&csv::cells(item)).as_bytes())?))?,
            #[cfg(feature = "parquet")]
            Self::Parquet(rows) => each(record, |item| rows.add(item))?,
        }
        Ok(())
    }

    fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Complete { mut out, hasher, counted } => {
                let trailer = Trailer { counted, blake3: hasher.finalize().to_hex().to_string() };
                out.write_all(line(&Tagged { record: "trailer", rest: &trailer })?.as_bytes())?;
                Ok(out.finish()?)
            }
            Self::Ndjson(out) | Self::Csv(out) => Ok(out.finish()?),
            #[cfg(feature = "parquet")]
            Self::Parquet(rows) => rows.finish(),
        }
    }
}

#[derive(Serialize)]
struct Tagged<'a, T> {
    record: &'static str,
    #[serde(flatten)]
    rest: &'a T,
}

fn line(value: &impl Serialize) -> serde_json::Result<String> {
    let mut line = serde_json::to_string(value)?;
    line.push('\n');
    Ok(line)
}

fn each(record: &Record, mut write: impl FnMut(&Item) -> anyhow::Result<()>) -> anyhow::Result<()> {
    match record {
        Record::Item(whole) => write(&whole.item),
        _ => Ok(()),
    }
}
