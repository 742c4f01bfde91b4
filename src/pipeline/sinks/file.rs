//! Records as lines of a file, which gives way to the next when it is large or old.
//!
//! ```text
//! out/log.ndjson                              what is being written
//! out/log.000000000001-000000004120.ndjson    closed: the positions of its first and last line
//! ```
//!
//! In: records. Out: one line of JSON for each, in order.
//! Promise: what was delivered is synced to the disk. A file knows by its last line, and closed ones by their names, how far
//! it is: nothing is in them twice, whatever end the daemon had. A line that was torn in the middle is cut. A file that holds
//! something else is not touched.
//! Not here: removing closed files, which belong to whoever reads them.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use super::out::Outcome;
use crate::config::sinks::Files;
use crate::id::Seq;
use crate::item::LogRecord;
use crate::store::{LogFilter, Store};

/// How each line begins.
const BEGINNING: &[u8] = b"{\"seq\":";
/// How much of a file's end is read at first.
const WINDOW: u64 = 1 << 20;

/// Where lines go.
#[derive(Debug)]
pub(super) struct FileOut {
    files: Files,
    store: Store,
    open: Option<Open>,
}

/// The file that is being written.
#[derive(Debug)]
struct Open {
    file: File,
    len: u64,
    first: Option<Line>,
    last: Option<Line>,
    /// The last position that is in it or in a closed one.
    written: Seq,
}

/// What a line says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
struct Line {
    seq: Seq,
    at: Timestamp,
}

impl FileOut {
    pub(super) const fn new(files: Files, store: Store) -> Self {
        Self { files, store, open: None }
    }

    pub(super) async fn deliver(&mut self, records: Vec<LogRecord>, offset: Seq) -> Outcome {
        let count = records.len();
        match self.blocking(offset, move |files, open| open.write(files, &records)).await {
            Ok(()) => Outcome::all(count),
            Err(why) => Outcome::failed(0, count, why),
        }
    }

    /// Closes the file when it is old; when to look again.
    pub(super) async fn rest(&mut self, offset: Seq, now: Timestamp) -> Result<Option<Duration>, String> {
        self.blocking(offset, move |files, open| {
            let (Some(every), Some(first)) = (files.rotate_every, open.first) else { return Ok(None) };
            let age = Duration::try_from(now.duration_since(first.at)).unwrap_or_default();
            if age < every.get() {
                return Ok(Some(every.get() - age));
            }
            open.rotate(files).map(|()| None).map_err(|error| said(&files.path, "closed", &error))
        })
        .await
    }

    /// Does something with the file, opened where it is not; after a failure it is opened anew.
    async fn blocking<T: Send + 'static>(
        &mut self,
        offset: Seq,
        work: impl FnOnce(&Files, &mut Open) -> Result<T, String> + Send + 'static,
    ) -> Result<T, String> {
        let (files, store, open) = (self.files.clone(), self.store.clone(), self.open.take());
        let done = tokio::task::spawn_blocking(move || {
            // What is not in place is let go first, with its lock.
            let mut open = match open.filter(|open| open.is_in_place(&files.path)) {
                Some(open) => open,
                None => {
                    let open = Open::at(&files, offset).map_err(|error| said(&files.path, "opened", &error))?;
                    open.check(&files, &store)?;
                    open
                }
            };
            work(&files, &mut open).map(|done| (done, open))
        });
        let (done, open) = done.await.map_err(|panic| panic.to_string())??;
        self.open = Some(open);
        Ok(done)
    }
}

fn said(path: &Path, doing: &str, error: &io::Error) -> String {
    format!("{}: it cannot be {doing}: {error}", path.display())
}

impl Open {
    /// Opens the file, cuts what was torn, and finds out how far it is. All up to `offset` was synced.
    fn at(files: &Files, offset: Seq) -> io::Result<Self> {
        let directory = directory(&files.path);
        fs::create_dir_all(directory)?;
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&files.path)?;
        file.try_lock().map_err(|_| io::Error::other("another process writes it; name another path"))?;
        File::open(directory)?.sync_all()?;
        let (len, last) = cut(&file, offset)?;
        let mut begin = Vec::new();
        BufReader::new(&file).read_until(b'\n', &mut begin)?;
        let first = if begin.is_empty() { None } else { Some(line(&begin).ok_or_else(foreign)?) };
        let closed = closed(&files.path)?;
        let written = closed.into_iter().chain(last.map(|last| last.seq)).max().unwrap_or(Seq(0));
        Ok(Self { file, len, first, last, written })
    }

    /// Whether the file is of this store's log.
    fn check(&self, files: &Files, store: &Store) -> Result<(), String> {
        let path = files.path.display();
        let end = *store.durable().borrow();
        if self.written > end {
            return Err(format!(
                "{path}: it goes up to {}, and the log ends at {end}: the store was replaced or restored; move the \
                 files of this sink away",
                self.written
            ));
        }
        let Some(last) = self.last else { return Ok(()) };
        let Some(before) = last.seq.0.checked_sub(1) else { return Ok(()) };
        let read = store.read_log(Seq(before), 1, &LogFilter::default()).map_err(|error| error.to_string())?;
        match read.records.first().filter(|record| record.seq == last.seq) {
            Some(record) if record.at != last.at => {
                Err(format!("{path}: its last line is not of this store's log; move the files of this sink away"))
            }
            _ => Ok(()),
        }
    }

    /// Whether nobody moved, removed or changed it.
    fn is_in_place(&self, path: &Path) -> bool {
        let (Ok(here), Ok(there)) = (self.file.metadata(), fs::metadata(path)) else { return false };
        (here.dev(), here.ino()) == (there.dev(), there.ino()) && here.len() == self.len
    }

    /// Appends what is not in it yet, and syncs.
    fn write(&mut self, files: &Files, records: &[LogRecord]) -> Result<(), String> {
        let (mut lines, written) = (Vec::new(), self.written);
        for record in records.iter().filter(|record| record.seq > written) {
            let begins = lines.len() as u64;
            serde_json::to_writer(&mut lines, record)
                .map_err(|error| format!("it cannot be written as JSON: {error}"))?;
            lines.push(b'\n');
            let here = Line { seq: record.seq, at: record.at };
            let old = |first: Line| {
                let age = Duration::try_from(here.at.duration_since(first.at)).unwrap_or_default();
                files.rotate_every.is_some_and(|every| age >= every.get())
            };
            let full = self.len + lines.len() as u64 > files.rotate_size.0;
            if let Some(first) = self.first
                && (full || old(first))
            {
                let rest = lines.split_off(usize::try_from(begins).unwrap_or(usize::MAX));
                self.append(files, &lines)?;
                self.rotate(files).map_err(|error| said(&files.path, "closed", &error))?;
                lines = rest;
            }
            self.first.get_or_insert(here);
            (self.last, self.written) = (Some(here), record.seq);
        }
        self.append(files, &lines)
    }

    fn append(&mut self, files: &Files, lines: &[u8]) -> Result<(), String> {
        if lines.is_empty() {
            return Ok(());
        }
        let write = self.file.write_all_at(lines, self.len).and_then(|()| self.file.sync_data());
        if let Err(error) = write {
            // What was written of it is cut; where even that fails, it is when the file is opened again.
            let _cut_later = self.file.set_len(self.len);
            return Err(said(&files.path, "written", &error));
        }
        self.len += lines.len() as u64;
        Ok(())
    }

    /// Closes the file, under a name of its own, and begins another.
    fn rotate(&mut self, files: &Files) -> io::Result<()> {
        let (Some(first), Some(last)) = (self.first, self.last) else { return Ok(()) };
        let to = closed_name(&files.path, first.seq, last.seq);
        if to.exists() {
            return Err(io::Error::other(format!("{} is there already; move it away", to.display())));
        }
        fs::rename(&files.path, &to)?;
        let file = File::options().read(true).write(true).create_new(true).open(&files.path)?;
        file.try_lock().map_err(|_| io::Error::other("another process writes it; name another path"))?;
        File::open(directory(&files.path))?.sync_all()?;
        (self.file, self.len, self.first, self.last) = (file, 0, None, None);
        Ok(())
    }
}

/// Cuts what does not follow in order after what is known to be whole; the length then, and the last line.
fn cut(file: &File, offset: Seq) -> io::Result<(u64, Option<Line>)> {
    let len = file.metadata()?.len();
    let mut window = WINDOW;
    loop {
        let from = len.saturating_sub(window);
        let mut bytes = vec![0; usize::try_from(len - from).map_err(io::Error::other)?];
        file.read_exact_at(&mut bytes, from)?;
        // The first line of a window may have begun before it.
        let skipped = if from == 0 { Some(0) } else { bytes.iter().position(|byte| *byte == b'\n').map(|at| at + 1) };
        let lines = skipped.map(|skipped| (skipped, &bytes[skipped..]));
        let anchored = lines.filter(|(_, bytes)| from == 0 || first_line(bytes).is_some_and(|line| line.seq <= offset));
        let Some((skipped, bytes)) = anchored else {
            window = window.saturating_mul(2);
            continue;
        };
        let (mut end, mut last) = (0, None);
        for text in bytes.split_inclusive(|byte| *byte == b'\n').filter(|text| text.ends_with(b"\n")) {
            match line(text).filter(|line| last.is_none_or(|last: Line| line.seq > last.seq)) {
                Some(line) => (end, last) = (end + text.len(), Some(line)),
                None => break,
            }
        }
        let torn = &bytes[end..];
        // Nothing of ours: somebody's own file, which is not cut.
        let ours = torn.starts_with(BEGINNING) || BEGINNING.starts_with(torn) || torn.first() == Some(&0);
        if last.is_none() && !ours {
            return Err(foreign());
        }
        let whole = from + (skipped + end) as u64;
        if whole < len {
            tracing::warn!(bytes = len - whole, "the end of a sink's file was torn and is cut: it is written again");
            file.set_len(whole)?;
            file.sync_all()?;
        }
        return Ok((whole, last));
    }
}

fn foreign() -> io::Error {
    io::Error::other("it holds something else than lines of the log; name another path")
}

fn first_line(bytes: &[u8]) -> Option<Line> {
    line(bytes.split_inclusive(|byte| *byte == b'\n').next()?)
}

fn line(text: &[u8]) -> Option<Line> {
    serde_json::from_slice(text.strip_suffix(b"\n")?).ok()
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The name without its ending, and the ending with its dot.
fn parts(path: &Path) -> (String, String) {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let ending = path.extension().map(|ending| format!(".{}", ending.to_string_lossy())).unwrap_or_default();
    (stem, ending)
}

fn closed_name(path: &Path, first: Seq, last: Seq) -> PathBuf {
    let (stem, ending) = parts(path);
    directory(path).join(format!("{stem}.{:012}-{:012}{ending}", first.0, last.0))
}

/// The last position of the closed files that are still there.
fn closed(path: &Path) -> io::Result<Option<Seq>> {
    let (stem, ending) = parts(path);
    let mut last = None;
    for entry in fs::read_dir(directory(path))? {
        let name = entry?.file_name();
        let range = name.to_str().and_then(|name| name.strip_prefix(&stem)?.strip_prefix('.')?.strip_suffix(&ending));
        let to = range.and_then(|range| range.split_once('-')).and_then(|(first, to)| {
            first.parse::<u64>().ok()?;
            to.parse().ok()
        });
        last = last.max(to.map(Seq));
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(seqs: std::ops::RangeInclusive<u64>) -> String {
        let line = |seq| format!("{{\"seq\":{seq},\"at\":\"2026-11-20T09:00:00Z\",\"text\":\"خبر\"}}\n");
        seqs.map(line).collect()
    }

    #[test]
    fn what_is_torn_is_cut_and_what_is_whole_stays() {
        let three = lines(1..=3);
        let (zeros, fourth) = ("\0".repeat(9), lines(4..=4));
        for (text, offset, kept, last) in [
            (String::new(), 0, "", None),
            (three.clone(), 3, three.as_str(), Some(3)),
            (three.clone(), 1, &three, Some(3)),
            (format!("{three}{{\"se"), 3, &three, Some(3)),
            (format!("{three}{}", &fourth.trim_end()), 3, &three, Some(3)),
            (format!("{three}{zeros}"), 3, &three, Some(3)),
            // A block in the middle that did not reach the disk, and one after it that did.
            (format!("{three}{zeros}\n{fourth}"), 3, &three, Some(3)),
            (format!("{three}{}", lines(2..=2)), 3, &three, Some(3)),
            ("{\"seq\":1,\"at\"".to_owned(), 0, "", None),
            (zeros.clone(), 0, "", None),
        ] {
            let mut file = tempfile::tempfile().unwrap();
            io::Write::write_all(&mut file, text.as_bytes()).unwrap();
            let (len, found) = cut(&file, Seq(offset)).unwrap();
            assert_eq!((len, found.map(|line| line.seq.0)), (kept.len() as u64, last), "{text:?}");
            assert_eq!(file.metadata().unwrap().len(), kept.len() as u64, "{text:?}");
        }
    }

    #[test]
    fn a_long_file_is_looked_at_from_its_end() {
        let text = lines(1..=40_000);
        assert!(text.len() as u64 > 2 * WINDOW);
        for offset in [0, 1, 20_000, 40_000] {
            let mut file = tempfile::tempfile().unwrap();
            io::Write::write_all(&mut file, text.as_bytes()).unwrap();
            io::Write::write_all(&mut file, b"{\"seq\":40001,").unwrap();
            let (len, last) = cut(&file, Seq(offset)).unwrap();
            assert_eq!((len, last.map(|line| line.seq.0)), (text.len() as u64, Some(40_000)), "{offset}");
        }
    }

    #[test]
    fn somebody_elses_file_is_not_touched() {
        for text in ["notes\n", "{\"a\":1}\n", "notes"] {
            let mut file = tempfile::tempfile().unwrap();
            io::Write::write_all(&mut file, text.as_bytes()).unwrap();
            assert!(cut(&file, Seq(9)).is_err(), "{text:?}");
            assert_eq!(file.metadata().unwrap().len(), text.len() as u64, "{text:?}");
        }
    }
}
