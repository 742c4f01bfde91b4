//! `rasid import`: what was exported, or listed as NDJSON, into the store.
//!
//! Promise: a line that cannot be read is told with its file and number, and hides no other; what is stored already stays
//! as it is. Where a feed was left is taken over only from a file that is whole and of which every line was stored: else its
//! entries are polled again, and what is missing is found.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args as ClapArgs;
use serde::{Deserialize, Serialize};

use super::{Counted, FORMAT, Header, Trailer, VERSION, files};
use crate::cli::Here;
use crate::cli::api::Api;
use crate::cli::output::{self, count};
use crate::cli::progress::Progress;
use crate::id::ItemId;
use crate::item::Item;
use crate::serve::Importing;
use crate::store::{Imported, Left, MAX_CONSUMERS, Record, Whole};

/// A request has at most so many records, of which
const AT_ONCE: usize = 100;
/// the lines have so many bytes, the last one apart.
const BYTES_AT_ONCE: usize = 8 << 20;
/// A longer line is none of ours.
const MAX_LINE: u64 = 64 << 20;
/// So many bad lines are told; the others are counted.
const MAX_TOLD: u64 = 100;
const SETTLED_AT_ONCE: usize = 500;

/// From where.
#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct Args {
    /// Files of `rasid export` or of `rasid items --format ndjson`, compressed or not; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// What came of it, as JSON
    #[arg(long)]
    json: bool,
}

/// What came of it.
#[derive(Debug, Default, Serialize)]
struct Outcome {
    #[serde(flatten)]
    imported: Imported,
    /// Lines that could not be read.
    bad: u64,
    /// Feeds whose cursors were left out.
    cursors_left_out: u64,
    /// Files that are cut or were changed.
    damaged: u64,
}

pub(in crate::cli) async fn run(here: &Here, args: &Args) -> anyhow::Result<()> {
    // Before the store is opened: a name that is wrong is wrong at once.
    for path in args.files.iter().filter(|path| path.as_path() != Path::new("-")) {
        std::fs::metadata(path).with_context(|| format!("{}: it cannot be read", path.display()))?;
    }
    let api = here.poller().await?;
    let mut importing =
        Import { api, outcome: Outcome::default(), originals: BTreeSet::new(), progress: Progress::new() };
    for path in &args.files {
        importing.file(path).await?;
    }
    importing.settle().await?;
    let Import { outcome, progress, .. } = importing;
    progress.clear();
    if args.json {
        output::print_json(&outcome)?;
    }
    tell(&outcome);
    if outcome.bad > 0 || outcome.damaged > 0 {
        bail!("not all of it could be imported; what could is stored, and can be imported again without harm");
    }
    Ok(())
}

fn tell(outcome: &Outcome) {
    let items = |n: u64, what: &str| count(usize::try_from(n).unwrap_or(usize::MAX), what);
    let Imported { items: stored, items_there, others, others_there, left_out, settled } = outcome.imported;
    let mut text = format!("{} stored, {items_there} were there already", items(stored, "item"));
    if others + others_there > 0 {
        text.push_str(&format!("; {} stored besides, {others_there} were there", items(others, "record")));
    }
    if left_out > 0 {
        let records = items(left_out, "record");
        text.push_str(&format!(
            "; {records} left out, pins of items that are not there or consumers beyond {MAX_CONSUMERS}"
        ));
    }
    if settled > 0 {
        text.push_str(&format!("; {} whose originals are not there came into sight", items(settled, "item")));
    }
    if outcome.bad > 0 {
        text.push_str(&format!("; {} bad", items(outcome.bad, "line")));
    }
    if outcome.cursors_left_out > 0 {
        let feeds = items(outcome.cursors_left_out, "feed");
        text.push_str(&format!("; where {feeds} were left is not taken over, they are polled from the beginning"));
    }
    output::note(text);
    if stored > 0 {
        output::note(
            "the items keep the topics they came with; `rasid topics reclassify` gives them those in force here",
        );
    }
}

struct Import {
    api: Api,
    outcome: Outcome,
    /// Under which items others are listed.
    originals: BTreeSet<ItemId>,
    progress: Progress,
}

/// What is known of a file while it is read.
#[derive(Default)]
struct Reading {
    hasher: blake3::Hasher,
    counted: Counted,
    header: bool,
    trailer: bool,
    bad: u64,
    cursors: Vec<Left>,
    batch: Vec<Record>,
    bytes: usize,
}

/// What a line turned out to be.
enum Line {
    Header,
    Trailer(Trailer),
    Record(Box<Record>),
    Empty,
}

impl Import {
    async fn file(&mut self, path: &Path) -> anyhow::Result<()> {
        let mut input = files::reading(path).with_context(|| format!("{}: it cannot be read", path.display()))?;
        let mut reading = Reading::default();
        let mut line = Vec::new();
        for number in 1_u64.. {
            match next_line(&mut input, &mut line) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    self.outcome.damaged += 1;
                    self.say(&format!("{}:{number}: the rest of the file cannot be read: {error}", path.display()));
                    reading.bad += 1;
                    break;
                }
            }
            if line.len() as u64 > MAX_LINE {
                skip_line(&mut input)?;
            }
            match reading.line(&line) {
                Ok(Line::Empty | Line::Header) => {}
                Ok(Line::Trailer(trailer)) => self.trailer(path, &mut reading, &trailer),
                Ok(Line::Record(record)) => self.record(&mut reading, *record, line.len()).await?,
                Err(Wrong::File(why)) => bail!("{}:{number}: {why}", path.display()),
                Err(Wrong::Line(why)) => {
                    reading.bad += 1;
                    self.outcome.bad += 1;
                    if self.outcome.bad <= MAX_TOLD {
                        self.say(&format!("{}:{number}: {why}", path.display()));
                    }
                }
            }
            if !reading.trailer {
                reading.hasher.update(&line);
            }
        }
        self.send(&mut reading).await?;
        if reading.header && !reading.trailer {
            self.outcome.damaged += 1;
            self.say(&format!("{}: it is cut: its last line is missing", path.display()));
        }
        self.cursors(reading).await
    }

    fn say(&self, text: &str) {
        self.progress.clear();
        output::note(text);
    }

    /// Whether the file is what was written.
    fn trailer(&mut self, path: &Path, reading: &mut Reading, trailer: &Trailer) {
        reading.trailer = true;
        let whole = reading.hasher.finalize().to_hex().to_string() == trailer.blake3;
        if reading.bad == 0 && (!whole || reading.counted != trailer.counted) {
            self.outcome.damaged += 1;
            // Nothing that it says of feeds is to be trusted.
            reading.bad += 1;
            self.say(&format!("{}: it is not as it was written: lines were changed, lost or added", path.display()));
        }
    }

    async fn record(&mut self, reading: &mut Reading, record: Record, bytes: usize) -> anyhow::Result<()> {
        match record {
            Record::Cursor(left) => reading.cursors.push(*left),
            other => {
                if let Record::Item(whole) = &other {
                    self.originals.extend(whole.listed_under());
                }
                reading.batch.push(other);
                reading.bytes += bytes;
                if reading.batch.len() >= AT_ONCE || reading.bytes >= BYTES_AT_ONCE {
                    self.send(reading).await?;
                }
            }
        }
        Ok(())
    }

    async fn send(&mut self, reading: &mut Reading) -> anyhow::Result<()> {
        let records = std::mem::take(&mut reading.batch);
        reading.bytes = 0;
        self.post(records, Vec::new()).await
    }

    async fn post(&mut self, records: Vec<Record>, settle: Vec<ItemId>) -> anyhow::Result<()> {
        if records.is_empty() && settle.is_empty() {
            return Ok(());
        }
        let imported: Imported = self.api.post("/api/v1/import", &Importing { records, settle }).await?;
        self.outcome.imported.add(imported);
        let Imported { items, items_there, .. } = self.outcome.imported;
        self.progress.tell(&format!("{items} items stored, {items_there} were there"));
        Ok(())
    }

    /// Last of a file: what they account for is stored by then.
    async fn cursors(&mut self, reading: Reading) -> anyhow::Result<()> {
        if reading.bad > 0 || !reading.trailer {
            self.outcome.cursors_left_out += reading.cursors.len() as u64;
            return Ok(());
        }
        for left in reading.cursors {
            self.post(vec![Record::Cursor(Box::new(left))], Vec::new()).await?;
        }
        Ok(())
    }

    /// Once all files are in: what was to be listed under what never came.
    async fn settle(&mut self) -> anyhow::Result<()> {
        let originals: Vec<ItemId> = std::mem::take(&mut self.originals).into_iter().collect();
        for some in originals.chunks(SETTLED_AT_ONCE) {
            self.post(Vec::new(), some.to_vec()).await?;
        }
        Ok(())
    }
}

enum Wrong {
    Line(String),
    File(String),
}

impl From<serde_json::Error> for Wrong {
    fn from(error: serde_json::Error) -> Self {
        // The number of the line is the file's, not that of this line by itself.
        let text = error.to_string();
        let said = text.split(" at line ").next().unwrap_or_default();
        Self::Line(format!("{said} (column {})", error.column()))
    }
}

#[derive(Deserialize)]
struct Kind {
    #[serde(default)]
    record: Option<String>,
}

impl Reading {
    fn line(&mut self, line: &[u8]) -> Result<Line, Wrong> {
        if line.trim_ascii().is_empty() {
            return Ok(Line::Empty);
        }
        if line.len() as u64 > MAX_LINE {
            return Err(Wrong::Line(format!("the line is longer than {MAX_LINE} bytes; no item is")));
        }
        if self.trailer {
            return Err(Wrong::Line("it stands after the last line of an export".to_owned()));
        }
        let kind: Kind = serde_json::from_slice(line)?;
        let record = match kind.record.as_deref() {
            Some("header") => return self.header(serde_json::from_slice(line)?).map(|()| Line::Header),
            Some("trailer") => return Ok(Line::Trailer(serde_json::from_slice(line)?)),
            Some("item" | "cursor" | "judgement" | "correction" | "pin" | "consumer") => serde_json::from_slice(line)?,
            Some(other) => {
                return Err(Wrong::Line(format!("it is a record `{other}`, which this program does not know")));
            }
            None => Record::Item(Box::new(Whole::bare(serde_json::from_slice::<Item>(line)?))),
        };
        *(match &record {
            Record::Cursor(_) => &mut self.counted.cursors,
            Record::Item(_) => &mut self.counted.items,
            Record::Judgement(_) => &mut self.counted.judgements,
            Record::Correction(_) => &mut self.counted.corrections,
            Record::Pin(_) => &mut self.counted.pins,
            Record::Consumer(_) => &mut self.counted.consumers,
        }) += 1;
        match &record {
            Record::Item(whole) => whole.identity().map(drop),
            Record::Consumer(reader) => reader.check(),
            _ => Ok(()),
        }
        .map_err(Wrong::Line)?;
        Ok(Line::Record(Box::new(record)))
    }

    fn header(&mut self, header: Header) -> Result<(), Wrong> {
        if header.format != FORMAT || header.version > VERSION {
            return Err(Wrong::File(format!(
                "it is an export of the format `{}` {}, written by rasid {}; this program reads `{FORMAT}` up to {VERSION}",
                header.format, header.version, header.program
            )));
        }
        self.header = true;
        Ok(())
    }
}

/// The next line with its line feed, or the beginning of one that is too long.
fn next_line(input: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<usize> {
    line.clear();
    input.take(MAX_LINE + 1).read_until(b'\n', line)
}

fn skip_line(input: &mut dyn BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(buffer.len(), |at| at + 1);
        input.consume(used);
        if end.is_some() {
            return Ok(());
        }
    }
}
