//! All that can be read of a store that does not open, or of one of the first layout.
//!
//! In: a directory. Out: its records, older ones first, so that the last word on a key counts; what is damaged, in words.
//! Promise: the directory stays as it is. Whatever is whole in it is found, without its list of files, too. It ends.
//! Not here: making a store of them ([`crate::store::rebuild`]).

use std::fs;
use std::path::Path;

use super::manifest::{Manifest, front_path};
use super::sleds::{self, DATA_FILE, Fault, snapshots};
use super::sorted::{self, Salvaged};
use super::tables::Table;
use super::{front, io_error};
use crate::store::StoreError;

/// Gives every record of a store of this layout, derived ones left out.
pub(in crate::store) fn records(
    root: &Path,
    scratch: &Path,
    each: &mut dyn FnMut(Salvaged) -> Result<(), StoreError>,
) -> Result<Vec<String>, StoreError> {
    let mut damaged = Vec::new();
    let manifest = match Manifest::read(root) {
        Ok(Some(manifest)) => manifest,
        other => {
            damaged.push(match other {
                Err(why) => format!("MANIFEST: {why}"),
                Ok(_) => "MANIFEST: it is missing".to_owned(),
            });
            Manifest::guess(root).map_err(|error| io_error(root, error))?
        }
    };
    for listed in manifest.bulk.iter().rev().chain(manifest.index.iter().rev()) {
        let path = root.join(&listed.name);
        let found = match path.exists() {
            true => sorted::salvage(&path, each)?,
            false => vec![format!("{}: the file is missing", listed.name)],
        };
        if !found.is_empty() && listed.name.ends_with(".index") {
            damaged.push(format!("{}: {SMALL}", listed.name));
        }
        damaged.extend(found);
    }
    for number in manifest.frozen.into_iter().chain([manifest.front]) {
        let directory = front_path(root, number);
        if directory.exists() {
            damaged.extend(front::salvage(&directory, scratch, each)?);
        } else if number > 0 {
            damaged.push(format!("{}: the directory is missing", directory.display()));
        }
    }
    Ok(damaged)
}

/// Gives every record of a store of the first layout: one sled directory with all tables.
pub(in crate::store) fn first_layout(
    generation: &Path,
    each: &mut dyn FnMut(Salvaged) -> Result<(), StoreError>,
) -> Result<Vec<String>, StoreError> {
    let data = generation.join(DATA_FILE);
    // sled would take a missing file for a new store and begin an empty one over what is left.
    if !fs::metadata(&data).is_ok_and(|file| file.len() > 0) {
        return Err(corrupt(generation, "its data file is missing or empty"));
    }
    let names: Vec<&'static str> = Table::ALL.iter().map(|table| table.name()).collect();
    let opened = match sleds::open(generation, CACHE, &names) {
        Err(Fault::Corrupt(why)) => {
            // Rule 5: what does not open with its snapshot is opened without it, by replaying the log.
            let aside = super::free_name(generation, "set-aside");
            let failed = |error| io_error(generation, error);
            fs::create_dir_all(&aside).map_err(failed)?;
            for file in snapshots(generation).map_err(failed)? {
                fs::rename(&file, aside.join(file.file_name().unwrap_or_default())).map_err(failed)?;
            }
            tracing::warn!(error = why, "the store is damaged: replaying its log without the snapshot");
            sleds::open(generation, CACHE, &names)
        }
        opened => opened,
    };
    let opened = opened.map_err(|fault| match fault {
        Fault::Locked => StoreError::Locked { path: generation.to_owned() },
        Fault::Corrupt(why) => corrupt(generation, &why),
        Fault::Other(why) => StoreError::Engine(format!("{}: {why}", generation.display())),
    })?;
    let mut damaged = Vec::new();
    for (table, tree) in Table::ALL.iter().zip(&opened.trees).filter(|(table, _)| !table.is_derived()) {
        for entry in tree {
            match entry {
                Ok((key, value)) => each((*table, key.to_vec(), Some(value.to_vec())))?,
                Err(error) => {
                    damaged.push(format!("tree {}: {error}", table.name()));
                    break;
                }
            }
        }
    }
    Ok(damaged)
}

/// What cannot be named one by one where a file of small records is not whole: its keys went with it.
const SMALL: &str = "cursors, polls and unread documents of feeds, judgements, corrections, pins and consumers that stood in what is \
                     damaged are lost, or as older files have them";

/// For reading once, from one end to the other.
const CACHE: u64 = 32 << 20;

fn corrupt(path: &Path, why: &str) -> StoreError {
    let hint = "restore the store from a backup, or move the directory away to begin a new one".to_owned();
    StoreError::Corrupt { what: format!("{}: {why}", path.display()), hint }
}
