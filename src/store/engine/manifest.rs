//! Which parts the store has.
//!
//! In: the parts. Out: the file `MANIFEST`, and the parts back from it.
//! Promise: it is replaced whole and atomically, with its directory synced; a damaged one is told, never guessed at.
//! Not here: making the parts ([`super::upkeep`]).

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::front::sync_directory;
use super::sorted::span_in;

const NAME: &str = "MANIFEST";
const FIRST_LINE: &str = "rasid store";

/// The parts of the store.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::store) struct Manifest {
    /// The layout of files and tables.
    pub(in crate::store) schema: u32,
    /// Which store it is: backups of two are not mixed.
    pub(in crate::store) store: String,
    /// The front that is written.
    pub(in crate::store) front: u64,
    /// The one before it, where it is not sealed yet.
    pub(in crate::store) frozen: Option<u64>,
    /// The number that the next file gets.
    pub(in crate::store) next: u64,
    /// Newest first.
    pub(in crate::store) bulk: Vec<Listed>,
    /// Newest first.
    pub(in crate::store) index: Vec<Listed>,
}

/// One sealed file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::store) struct Listed {
    /// The file's name.
    pub(in crate::store) name: String,
    /// How often what is in it was put together with others.
    pub(in crate::store) level: u32,
    /// Bytes of it that newer parts have replaced.
    pub(in crate::store) dead: u64,
}

/// Where a front stands.
pub(in crate::store) fn front_path(root: &Path, number: u64) -> PathBuf {
    root.join(format!("front-{number:06}"))
}

/// A name for a sealed file that no other has, in no other store either: a backup knows its files by their names.
pub(super) fn file_name(number: u64, bulk: bool) -> String {
    format!("{number:06}-{:08x}.{}", fastrand::u32(..), if bulk { "bulk" } else { "index" })
}

/// The number in the name of a sealed file.
fn number_of(name: &str) -> Option<u64> {
    let name = name.strip_suffix(".bulk").or_else(|| name.strip_suffix(".index"))?;
    name.split_once('-')?.0.parse().ok()
}

pub(in crate::store) fn path(root: &Path) -> PathBuf {
    root.join(NAME)
}

impl Manifest {
    /// The one of a directory; none where there is none. What is wrong with it, in words.
    pub(in crate::store) fn read(root: &Path) -> Result<Option<Self>, String> {
        let bytes = match fs::read(path(root)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            bytes => bytes.map_err(|error| error.to_string())?,
        };
        let text = String::from_utf8(bytes).map_err(|_| "it is damaged".to_owned())?;
        let mut parts = text.splitn(3, '\n');
        let (first, sum, rest) = (parts.next(), parts.next(), parts.next().unwrap_or_default());
        if first != Some(FIRST_LINE) || sum != Some(&format!("{:016x}", xxh3_64(rest.as_bytes()))) {
            return Err("it is damaged".to_owned());
        }
        serde_json::from_str(rest).map(Some).map_err(|error| error.to_string())
    }

    /// Makes it the one of a directory.
    pub(in crate::store) fn write(&self, root: &Path) -> io::Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        let aside = root.join("MANIFEST.new");
        let mut file = File::create(&aside)?;
        write!(file, "{FIRST_LINE}\n{:016x}\n{text}", xxh3_64(text.as_bytes()))?;
        file.sync_all()?;
        fs::rename(&aside, path(root))?;
        sync_directory(root)
    }

    pub(super) fn listed(&mut self, bulk: bool) -> &mut Vec<Listed> {
        if bulk { &mut self.bulk } else { &mut self.index }
    }

    /// What the files of a directory say of themselves, where its list is lost: the newest file of each time, and the fronts
    /// that none of them has.
    pub(in crate::store) fn guess(root: &Path) -> io::Result<Self> {
        let mut guess = Self::default();
        let (mut files, mut fronts) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(root)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if let Some(number) = name.strip_prefix("front-").and_then(|number| number.parse::<u64>().ok()) {
                fronts.push(number);
            }
            let Some(number) = number_of(&name) else { continue };
            guess.next = guess.next.max(number + 1);
            // A file with a damaged head is older than all others, for all that is known.
            files.push((span_in(&root.join(&name)), number, name));
        }
        // Later files of the same time were made of the earlier ones.
        files.sort_by_key(|(_, number, _)| std::cmp::Reverse(*number));
        let mut kept: Vec<(Option<super::sorted::Span>, u64, String)> = Vec::new();
        for (span, number, name) in files {
            let replaced = span.is_some_and(|span| {
                kept.iter()
                    .filter_map(|(kept, ..)| *kept)
                    .any(|kept| kept.bulk == span.bulk && kept.from <= span.from && span.to <= kept.to)
            });
            if !replaced {
                kept.push((span, number, name));
            }
        }
        kept.sort_by_key(|(span, number, _)| {
            (std::cmp::Reverse(span.map_or(0, |span| span.to)), std::cmp::Reverse(*number))
        });
        let sealed = kept.iter().filter_map(|(span, ..)| span.map(|span| span.to)).max().unwrap_or_default();
        for (_, _, name) in kept {
            let bulk = name.ends_with(".bulk");
            guess.listed(bulk).push(Listed { name, level: 0, dead: 0 });
        }
        fronts.sort_unstable();
        let mut left = fronts.into_iter().rev().filter(|number| *number > sealed);
        guess.front = left.next().unwrap_or_default();
        guess.frozen = left.next();
        Ok(guess)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flipped_bit_is_told_and_never_read() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Manifest::read(dir.path()), Ok(None));
        let listed = Listed { name: file_name(3, true), level: 1, dead: 40 };
        let manifest = Manifest { schema: 2, front: 7, next: 4, bulk: vec![listed], ..Manifest::default() };
        manifest.write(dir.path()).unwrap();
        assert_eq!(number_of(&manifest.bulk[0].name), Some(3));
        assert_eq!(Manifest::read(dir.path()), Ok(Some(manifest)));
        let whole = fs::read(path(dir.path())).unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 4;
            fs::write(path(dir.path()), &damaged).unwrap();
            assert!(Manifest::read(dir.path()).is_err(), "at {at}");
        }
        for cut in 0..whole.len() {
            fs::write(path(dir.path()), &whole[..cut]).unwrap();
            assert!(Manifest::read(dir.path()).is_err(), "cut at {cut}");
        }
    }
}
