//! What can be read of a sealed file that is damaged.
//!
//! In: a file. Out: its whole records, and what is damaged, in words.
//! Promise: every record whose frame is whole is found, also without the list of contents; the file is not changed.
//! Not here: derived entries: they are made again ([`crate::store::mend`]).

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::{HEAD, Sorted, read_first_copy};
use crate::store::StoreError;
use crate::store::engine::cache::Cache;
use crate::store::engine::frames;
use crate::store::engine::tables::Table;

/// A record of a file that is damaged: its table, key and value.
pub(in crate::store::engine) type Salvaged = (Table, Vec<u8>, Option<Vec<u8>>);

/// Gives every record of a file that is whole, in the order of the file, derived entries left out; and says in words what is
/// damaged. Works without the list of contents; then what was compressed with the dictionary is lost with it.
pub(in crate::store::engine) fn salvage(
    path: &Path,
    each: &mut dyn FnMut(Salvaged) -> Result<(), StoreError>,
) -> Result<Vec<String>, StoreError> {
    let cache = Arc::new(Cache::new(0));
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let why = match Sorted::open(path, &cache) {
        Ok(sorted) => {
            let damaged = sorted.check();
            for (n, block) in sorted.contents.blocks.iter().enumerate() {
                let Some(table) = Table::of(block.table).filter(|table| !table.is_derived()) else { continue };
                for (key, value) in sorted.whole_records(n) {
                    each((table, key, value))?;
                }
            }
            return Ok(damaged);
        }
        Err(why) => why,
    };
    let mut damaged = vec![format!("{name}: {why}; what is whole in it is read without")];
    let bytes = fs::read(path)
        .map_err(|source| StoreError::Io { what: format!("{}: cannot read it", path.display()), source })?;
    let dictionary = read_first_copy(&bytes);
    for frame in frames::whole(bytes.get(HEAD..).unwrap_or_default()).0 {
        let value = match (frame.value, &dictionary) {
            (Some(value), Some(dictionary)) if frame.shortened => dictionary.whole(value).ok().map(Some),
            (Some(_), None) if frame.shortened => None,
            (value, _) => Some(value.map(<[u8]>::to_vec)),
        };
        match value {
            Some(value) => each((frame.table, frame.key.to_vec(), value))?,
            None => damaged.push(format!("{name}: a record of {} cannot be read", frame.table.name())),
        }
    }
    Ok(damaged)
}
