//! What a consumer keeps: a file of its own with the records it has dealt with, which alone outlives a kill.
//!
//! Its last line is how far it came. Only processes are killed here, not the machine: what was written is there.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// More than a few records.
const END: u64 = 1 << 20;

/// The file, open.
pub struct Own {
    path: PathBuf,
    file: File,
    last: u64,
}

impl Own {
    /// What a process finds when it starts; a line without its end was cut off by a kill, and is left out.
    pub fn open(path: &Path) -> Self {
        let mut file =
            File::options().read(true).write(true).create(true).truncate(false).open(path).expect("the file opens");
        let len = file.metadata().unwrap().len();
        let from = len.saturating_sub(END);
        file.seek(SeekFrom::Start(from)).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        assert!(whole > 0 || from == 0, "a line of a megabyte");
        file.set_len(from + whole as u64).unwrap();
        file.seek(SeekFrom::End(0)).unwrap();
        let last = bytes[..whole].split(|byte| *byte == b'\n').rfind(|line| !line.is_empty()).map_or(0, |line| {
            let record: Value = serde_json::from_slice(line).expect("a whole line");
            record["seq"].as_u64().unwrap()
        });
        Self { path: path.to_owned(), file, last }
    }

    /// The position of the last record that is kept.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Keeps those that it does not have; how many it had. They come in order, and none is left out.
    pub fn keep(&mut self, records: &[Value]) -> u64 {
        let (mut lines, mut again) = (String::new(), 0);
        for record in records {
            let seq = record["seq"].as_u64().unwrap();
            if seq <= self.last {
                again += 1;
                continue;
            }
            assert_eq!(seq, self.last + 1, "{}: {} was left out", self.path.display(), self.last + 1);
            self.last = seq;
            lines.push_str(&record.to_string());
            lines.push('\n');
        }
        self.file.write_all(lines.as_bytes()).unwrap();
        again
    }

    /// The process ends in the middle of writing this, or before.
    pub fn tear(mut self, record: Option<&Value>, random: &mut fastrand::Rng) {
        let line = record.map_or_else(String::new, Value::to_string);
        let cut = random.usize(0..=line.len());
        self.file.write_all(&line.as_bytes()[..cut]).unwrap();
    }
}

/// The lines of a file, each with its end.
pub fn lines(path: &Path) -> impl Iterator<Item = String> {
    let mut reader = BufReader::new(File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
    let path = path.to_owned();
    std::iter::from_fn(move || {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap() == 0 {
            return None;
        }
        assert_eq!(line.pop(), Some('\n'), "{}: its last line is torn: {line}", path.display());
        Some(line)
    })
}
