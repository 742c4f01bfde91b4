//! Files to write and to read, compressed where their names or first bytes say so.
//!
//! In: a path. Out: something to write to, something to read from.
//! Promise: a file that is written has its name only once it is whole and on the disk; what is left of one that failed is
//! removed.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;

use crate::cli::output;

/// Fast, and half the size of gzip for Arabic text.
const ZSTD_LEVEL: i32 = 3;

enum Sink {
    Plain(Box<dyn Write + Send>),
    Gzip(GzEncoder<Box<dyn Write + Send>>),
    Zstd(zstd::stream::write::Encoder<'static, Box<dyn Write + Send>>),
}

/// A file in the making, or standard output.
pub(super) struct Output {
    sink: Option<Sink>,
    file: Option<Unfinished>,
}

struct Unfinished {
    part: PathBuf,
    path: PathBuf,
    done: bool,
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.done {
            let _gone = fs::remove_file(&self.part);
        }
    }
}

impl Output {
    /// Standard output where there is no path.
    pub(super) fn new(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path else {
            return Ok(Self { sink: Some(Sink::Plain(output::stdout())), file: None });
        };
        anyhow::ensure!(!path.is_dir(), "{}: it is a folder; name a file in it", path.display());
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let file = File::create(&part).with_context(|| format!("{}: it cannot be written", part.display()))?;
        let unfinished = Unfinished { part, path: path.to_owned(), done: false };
        let out: Box<dyn Write + Send> = Box::new(BufWriter::new(file));
        let sink = match path.extension().and_then(|end| end.to_str()) {
            Some("gz") => Sink::Gzip(GzEncoder::new(out, Compression::default())),
            Some("zst") => Sink::Zstd(zstd::stream::write::Encoder::new(out, ZSTD_LEVEL)?),
            _ => Sink::Plain(out),
        };
        Ok(Self { sink: Some(sink), file: Some(unfinished) })
    }

    /// Whether a file is written.
    pub(super) const fn is_file(&self) -> bool {
        self.file.is_some()
    }

    /// Gives the file its name, once all of it is on the disk.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let mut out = match self.sink.take() {
            Some(Sink::Plain(out)) => out,
            Some(Sink::Gzip(encoder)) => encoder.finish()?,
            Some(Sink::Zstd(encoder)) => encoder.finish()?,
            None => return Ok(()),
        };
        out.flush()?;
        drop(out);
        if let Some(file) = &mut self.file {
            File::open(&file.part)?.sync_all()?;
            fs::rename(&file.part, &file.path)?;
            file.done = true;
            let folder = file.path.parent().filter(|folder| !folder.as_os_str().is_empty());
            File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        }
        Ok(())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.sink {
            Some(Sink::Plain(out)) => out.write(bytes),
            Some(Sink::Gzip(out)) => out.write(bytes),
            Some(Sink::Zstd(out)) => out.write(bytes),
            None => Err(io::Error::other("the file is finished")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.sink {
            Some(Sink::Plain(out)) => out.flush(),
            Some(Sink::Gzip(out)) => out.flush(),
            Some(Sink::Zstd(out)) => out.flush(),
            None => Ok(()),
        }
    }
}

/// What stands in the file, decompressed; `-` is standard input.
pub(super) fn reading(path: &Path) -> io::Result<Box<dyn BufRead>> {
    let raw: Box<dyn Read> = if path == Path::new("-") { Box::new(io::stdin()) } else { Box::new(File::open(path)?) };
    let mut raw = BufReader::new(raw);
    // One read may give less than four bytes of a pipe; then nothing that is compressed is so short.
    let first = raw.fill_buf()?;
    Ok(if first.starts_with(&[0x1f, 0x8b]) {
        Box::new(BufReader::new(MultiGzDecoder::new(raw)))
    } else if first.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        Box::new(BufReader::new(zstd::stream::read::Decoder::with_buffer(raw)?))
    } else {
        Box::new(raw)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_has_its_name_only_when_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a.ndjson", "a.ndjson.gz", "a.ndjson.zst"] {
            let path = dir.path().join(name);
            let mut out = Output::new(Some(&path)).unwrap();
            out.write_all("خبر\n".repeat(1000).as_bytes()).unwrap();
            assert!(!path.exists(), "{name}");
            out.finish().unwrap();
            let mut text = String::new();
            reading(&path).unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, "خبر\n".repeat(1000), "{name}");
            let mut abandoned = Output::new(Some(&dir.path().join("b"))).unwrap();
            abandoned.write_all(b"x").unwrap();
        }
        let mut left: Vec<_> =
            fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        left.sort();
        assert_eq!(left, ["a.ndjson", "a.ndjson.gz", "a.ndjson.zst"]);
    }
}
