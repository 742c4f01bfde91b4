//! Keeps the store small: seals fronts into files, puts files together, writes them again without what is outdated.
//!
//! In: the parts of the store. Out: fewer and smaller ones that say the same.
//! Promise: a part is complete and on the disk before it is listed, and what it replaces is removed after that; so a crash at
//! any point leaves a store that says what it said. Readers go on with the parts that they began with.
//! Not here: the parts themselves ([`super::front`], [`super::sorted`]).
//!
//! Rule 9: sled gives space back only as a whole directory, after one bulk delete never again. So no directory of sled grows
//! old here: each is sealed after some megabytes, and removed whole.
//!
//! One thread does it, so nobody else changes the lists of files. What is new begins a new front, which takes the turn of
//! the writer for a moment.

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use super::dictionary::Dictionary;
use super::front::Front;
use super::layers::{Found, Layers, Merge, Part as _};
use super::manifest::{Listed, Manifest, file_name, front_path};
use super::sorted::{self, Sorted, Span};
use super::tables::{Keeping, Table};
use super::{Job, Shared, Snapshot, sleds};
use crate::store::StoreError;

/// How often it looks whether space is wasted.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// So long it waits after a failure: a full disk does not become empty at once.
const AFTER_FAILURE: Duration = Duration::from_secs(30);
/// So many files of one level are put together.
const TOGETHER: usize = 4;
/// Records are put together up to so many bytes: larger files cost more to write again than they save.
const MAX_BULK: u64 = 256 << 20;
/// A file of records is written again when a fifth of it is outdated.
const OUTDATED: u64 = 5;
/// All indexes are put together when of so many of their entries one says that something is gone.
const REMOVALS: u64 = 6;
/// Every so many fronts what is new is looked at for another dictionary.
const TRAINED_EVERY: u64 = 64;
/// A front this small is not sealed only to save space.
const MIN_SEALED: u64 = 2 << 20;

/// A file in the making is given up: the store is closing.
fn stopping() -> io::Error {
    io::Error::new(io::ErrorKind::Interrupted, "the store is closing")
}

/// Does what there is to do until the store is closed.
pub(super) fn run(shared: &Arc<Shared>) {
    loop {
        let idle = |state: &mut super::State| !state.stop && state.jobs.is_empty() && !state.sealing;
        let (mut state, _) =
            shared.changed.wait_timeout_while(shared.state(), LOOK_EVERY, idle).unwrap_or_else(PoisonError::into_inner);
        if state.stop {
            return;
        }
        let jobs = std::mem::take(&mut state.jobs);
        drop(state);
        let outcome = keep(shared);
        let mut state = shared.state();
        state.sealing = shared.layers().frozen.is_some();
        state.failed = outcome.is_err();
        drop(state);
        if let Err(error) = outcome
            && error.kind() != io::ErrorKind::Interrupted
        {
            tracing::warn!(path = %shared.root.display(), %error, "sealing: it is tried again; what is written stays safe");
            let state = shared.state();
            // Whoever closes the store does not wait for this.
            drop(shared.changed.wait_timeout_while(state, AFTER_FAILURE, |state| !state.stop && state.jobs.is_empty()));
        }
        shared.changed.notify_all();
        for job in jobs {
            do_job(shared, job);
        }
    }
}

fn do_job(shared: &Arc<Shared>, job: Job) {
    let in_words = |error: &io::Error| StoreError::Engine(format!("{}: {error}", shared.root.display()));
    // Whoever asked may have gone meanwhile.
    match job {
        Job::Snapshot { answer } => {
            let _gone = answer.send(snapshot(shared).map_err(|error| in_words(&error)));
        }
        Job::Compact { answer } => {
            let _gone = answer.send(compact(shared).map_err(|error| in_words(&error)));
        }
    }
}

/// All parts sealed: what the files say then, at one position of the log.
fn snapshot(shared: &Arc<Shared>) -> io::Result<Snapshot> {
    let turn = turn_without_frozen(shared)?;
    let next_seq = shared.layers().get(Table::Meta, b"next_seq").map_err(io::Error::other)?;
    let next_seq = next_seq.and_then(|value| value.first_chunk().map(|bytes| u64::from_be_bytes(*bytes)));
    begin_front(shared)?;
    drop(turn);
    seal(shared)?;
    let manifest = shared.manifest().clone();
    let layers = shared.layers();
    let files = layers.bulk.iter().chain(&layers.index).cloned().collect();
    Ok(Snapshot { last: next_seq.unwrap_or(1).saturating_sub(1), manifest, files })
}

/// The writer's turn, with nothing waiting to be sealed. The writer may hold it and wait for this very thread.
fn turn_without_frozen(shared: &Arc<Shared>) -> io::Result<MutexGuard<'_, ()>> {
    loop {
        seal(shared)?;
        match shared.turn.try_lock() {
            Ok(turn) if shared.layers().frozen.is_none() => return Ok(turn),
            Err(TryLockError::Poisoned(turn)) if shared.layers().frozen.is_none() => return Ok(turn.into_inner()),
            _ => {}
        }
        if shared.state().stop {
            return Err(stopping());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Puts everything together and leaves out all that is outdated.
fn compact(shared: &Arc<Shared>) -> io::Result<()> {
    let turn = turn_without_frozen(shared)?;
    begin_front(shared)?;
    drop(turn);
    seal(shared)?;
    let indexes = shared.layers().index.len();
    if indexes > 1 {
        put_together(shared, false, 0..indexes)?;
    }
    while join_bulk(shared, 2)? {}
    let mut at = 0;
    while let Some(listed) = { shared.manifest().bulk.get(at).cloned() } {
        if listed.dead > 0 {
            put_together(shared, true, at..at + 1)?;
        }
        // A file of which nothing was left is gone: the next one stands in its place.
        at += usize::from(listed.dead == 0 || shared.manifest().bulk.get(at).is_some_and(|now| now.dead == 0));
    }
    Ok(())
}

/// What is worth doing now.
fn keep(shared: &Arc<Shared>) -> io::Result<()> {
    seal(shared)?;
    if wasteful(shared)
        && let Ok(turn) = shared.turn.try_lock()
        && shared.layers().frozen.is_none()
    {
        begin_front(shared)?;
        drop(turn);
        seal(shared)?;
    }
    while tidy_index(shared)? {}
    while join_bulk(shared, TOGETHER)? {}
    loop {
        let outdated = {
            let (layers, manifest) = (shared.layers(), shared.manifest());
            let mut files = layers.bulk.iter().zip(&manifest.bulk);
            files.position(|(file, listed)| listed.dead * OUTDATED >= file.bytes)
        };
        let Some(at) = outdated else { return Ok(()) };
        put_together(shared, true, at..at + 1)?;
    }
}

/// Whether the front takes so much more than what is in it that sealing it saves space.
fn wasteful(shared: &Shared) -> bool {
    let space = shared.space();
    let layers = shared.layers();
    layers.active.written() >= MIN_SEALED && space.on_disk * 10 > space.live * 14
}

/// Begins a new front and leaves the old one to be sealed. The caller has the turn, and nothing is frozen.
pub(super) fn begin_front(shared: &Shared) -> io::Result<()> {
    let layers = shared.layers();
    let number = layers.active.number + 1;
    let directory = front_path(&shared.root, number);
    // What a crash left there was never listed.
    match std::fs::remove_dir_all(&directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let front = Front::create(&directory, number, shared.sled_cache).map_err(|fault| match fault {
        sleds::Fault::Locked => io::Error::other("a new directory is locked"),
        sleds::Fault::Corrupt(why) | sleds::Fault::Other(why) => io::Error::other(why),
    })?;
    let mut manifest = shared.manifest();
    let layers = shared.layers();
    let mut changed = manifest.clone();
    (changed.front, changed.frozen) = (number, Some(layers.active.number));
    changed.write(&shared.root)?;
    *manifest = changed;
    let frozen = Some(Arc::clone(&layers.active));
    let (bulk, index) = (layers.bulk.clone(), layers.index.clone());
    let former = shared.set_layers(Layers { active: Arc::new(front), frozen, bulk, index });
    drop((manifest, former));
    Ok(())
}

/// Makes files of what is frozen, if anything is.
fn seal(shared: &Arc<Shared>) -> io::Result<()> {
    let layers = shared.layers();
    let Some(front) = layers.frozen.clone() else { return Ok(()) };
    let number = front.number;
    let mut dead: BTreeMap<usize, u64> = BTreeMap::new();
    let dictionary = sealed_dictionary(&front, &layers);
    let mut bulk = Making::begin(shared, Span { bulk: true, from: number, to: number }, dictionary)?;
    let mut index = Making::begin(shared, Span { bulk: false, from: number, to: number }, None)?;
    for table in Table::ALL {
        let files = layers.files(table);
        for record in front.all(table) {
            let (key, value) = record.map_err(io::Error::other)?;
            let mut before = false;
            for (n, file) in files.iter().enumerate() {
                if table.keeping() != Keeping::Bulk {
                    before = before || value.is_none() && file.may_have(table, &key);
                } else if let Some(weight) = weight(file, table, &key) {
                    *dead.entry(n).or_default() += weight;
                    before = true;
                    break;
                }
            }
            if value.is_some() || before {
                let making = if table.keeping() == Keeping::Bulk { &mut bulk } else { &mut index };
                making.push(table, &key, value.as_deref())?;
            }
        }
    }
    let (bulk, index) = (bulk.finish()?, index.finish()?);
    // The lists change together, under this lock; the writer may begin a front meanwhile.
    let mut manifest = shared.manifest();
    let layers = shared.layers();
    let mut changed = manifest.clone();
    changed.frozen = None;
    for (at, bytes) in dead {
        if let Some(listed) = changed.bulk.get_mut(at) {
            listed.dead += bytes;
        }
    }
    let mut now = Layers {
        active: Arc::clone(&layers.active),
        frozen: None,
        bulk: layers.bulk.clone(),
        index: layers.index.clone(),
    };
    for (file, bulk) in [(bulk, true), (index, false)] {
        let Some(file) = file else { continue };
        changed.listed(bulk).insert(0, Listed { name: file.name.clone(), level: 0, dead: 0 });
        (if bulk { &mut now.bulk } else { &mut now.index }).insert(0, Arc::new(file));
    }
    changed.write(&shared.root)?;
    *manifest = changed;
    let former = shared.set_layers(now);
    front.doom();
    drop((manifest, layers, former));
    let mut state = shared.state();
    state.sealing = false;
    state.failed = false;
    drop(state);
    shared.changed.notify_all();
    Ok(())
}

/// How much a record weighs in an older file; one that cannot be read there is not counted.
fn weight(file: &Sorted, table: Table, key: &[u8]) -> Option<u64> {
    file.weight(table, key).ok().flatten()
}

/// The newest dictionary there is; now and then one that is trained on what is sealed: training takes as long as sealing,
/// and records that are compressed with the same one are copied when files are put together.
fn sealed_dictionary(front: &Front, layers: &Layers) -> Option<Arc<Dictionary>> {
    let newest = layers.bulk.iter().find_map(|file| file.dictionary().cloned());
    if newest.is_some() && !front.number.is_multiple_of(TRAINED_EVERY) {
        return newest;
    }
    // What cannot be read ends it here, and is told where it is sealed.
    let records = front.all(Table::Items).map_while(Result::ok);
    let mut values = records.filter_map(|(_, value)| value);
    Dictionary::train(Table::Items, &mut values).map(Arc::new).or(newest)
}

/// Puts indexes together where there are several of one level, or many removals. Whether there was something to do.
fn tidy_index(shared: &Arc<Shared>) -> io::Result<bool> {
    let files = shared.layers().index.clone();
    let (mut entries, mut gone) = (0, 0);
    for file in &files {
        let (some, removed) = file.entries();
        (entries, gone) = (entries + some, gone + removed);
    }
    let several = files.len() > 1 || gone > 0;
    if several && gone * REMOVALS > entries {
        put_together(shared, false, 0..files.len())?;
        return Ok(true);
    }
    let levels: Vec<u32> = shared.manifest().index.iter().map(|listed| listed.level).collect();
    match same_level(&levels, TOGETHER) {
        Some(range) => put_together(shared, false, range).map(|()| true),
        None => Ok(false),
    }
}

/// The first run of so many files of one level.
fn same_level(levels: &[u32], together: usize) -> Option<std::ops::Range<usize>> {
    let mut from = 0;
    while from < levels.len() {
        let to = from + levels[from..].iter().take_while(|level| **level == levels[from]).count();
        if to - from >= together {
            return Some(from..to);
        }
        from = to;
    }
    None
}

/// Puts small files of records together. Whether there were any.
fn join_bulk(shared: &Arc<Shared>, together: usize) -> io::Result<bool> {
    let sizes: Vec<u64> = shared.layers().bulk.iter().map(|file| file.bytes).collect();
    let levels: Vec<u32> = shared.manifest().bulk.iter().map(|listed| listed.level).collect();
    let mut from = 0;
    while from < sizes.len() {
        let (mut to, mut bytes) = (from, 0);
        while to < sizes.len() && levels[to] == levels[from] && bytes + sizes[to] <= MAX_BULK {
            bytes += sizes[to];
            to += 1;
        }
        if to - from >= together {
            put_together(shared, true, from..to)?;
            return Ok(true);
        }
        from = to.max(from + 1);
    }
    Ok(false)
}

/// Makes one file of neighbours, without what is outdated, and puts it in their place.
fn put_together(shared: &Arc<Shared>, bulk: bool, range: std::ops::Range<usize>) -> io::Result<()> {
    let layers = shared.layers();
    let files = if bulk { &layers.bulk } else { &layers.index };
    let (newer, those, older) = (&files[..range.start], &files[range.clone()], &files[range.end..]);
    let span = Span {
        bulk,
        from: those.iter().map(|file| file.span.from).min().unwrap_or_default(),
        to: those.iter().map(|file| file.span.to).max().unwrap_or_default(),
    };
    let dictionary = those.iter().find_map(|file| file.dictionary().cloned());
    let mut making = Making::begin(shared, span, dictionary.clone())?;
    for table in Table::ALL.into_iter().filter(|table| (table.keeping() == Keeping::Bulk) == bulk) {
        let everything = (Bound::Unbounded, Bound::Unbounded);
        let sources = those.iter().filter_map(|file| match table.is_derived() {
            true => Arc::clone(file).range(table, &everything),
            false => Arc::clone(file).copied(table, dictionary.as_deref()),
        });
        let sources = sources.collect();
        for record in Merge::over(sources, true) {
            let (key, value) = record.map_err(io::Error::other)?;
            let replaced = bulk && is_known(&layers, newer, table, &key).map_err(io::Error::other)?;
            let needed = value.is_some() || older.iter().any(|file| file.may_have(table, &key));
            if needed && !replaced {
                making.copy(table, &key, value.as_deref())?;
            }
        }
    }
    let made = making.finish()?;
    let mut manifest = shared.manifest();
    let layers = shared.layers();
    let mut changed = manifest.clone();
    let listed = changed.listed(bulk);
    // What wrote it once more only to leave something out does not make it one of many put together.
    let level =
        listed[range.clone()].iter().map(|listed| listed.level).max().unwrap_or_default() + u32::from(range.len() > 1);
    let entry = made.as_ref().map(|file| Listed { name: file.name.clone(), level, dead: 0 });
    listed.splice(range.clone(), entry);
    changed.write(&shared.root)?;
    *manifest = changed;
    let mut now = Layers::clone(&layers);
    let files = if bulk { &mut now.bulk } else { &mut now.index };
    let replaced: Vec<Arc<Sorted>> = files.splice(range, made.map(Arc::new)).collect();
    let former = shared.set_layers(now);
    replaced.iter().for_each(|file| file.doom());
    drop((manifest, layers, former));
    Ok(())
}

/// Whether a part newer than the files that are put together says anything of a key.
fn is_known(layers: &Layers, newer: &[Arc<Sorted>], table: Table, key: &[u8]) -> Result<bool, StoreError> {
    for front in std::iter::once(&layers.active).chain(&layers.frozen) {
        if front.get(table, key, None)? != Found::Unknown {
            return Ok(true);
        }
    }
    for file in newer {
        if file.may_have(table, key) && file.weight(table, key)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A file in the making; removed where it does not come to its end.
struct Making<'a> {
    shared: &'a Shared,
    path: PathBuf,
    part: PathBuf,
    writer: Option<sorted::Writer>,
    pushed: u64,
}

impl<'a> Making<'a> {
    fn begin(shared: &'a Shared, span: Span, dictionary: Option<Arc<Dictionary>>) -> io::Result<Self> {
        let number = {
            let mut manifest = shared.manifest();
            manifest.next += 1;
            manifest.next - 1
        };
        let name = file_name(number, span.bulk);
        let (path, part) = (shared.root.join(&name), shared.root.join(format!("{name}.part")));
        let writer = Some(sorted::Writer::create(&part, span, dictionary)?);
        Ok(Self { shared, path, part, writer, pushed: 0 })
    }

    fn push(&mut self, table: Table, key: &[u8], value: Option<&[u8]>) -> io::Result<()> {
        self.go_on()?;
        self.writer.as_mut().map_or(Ok(()), |writer| writer.push(table, key, value))
    }

    /// A record out of other files.
    fn copy(&mut self, table: Table, key: &[u8], value: Option<&[u8]>) -> io::Result<()> {
        self.go_on()?;
        match table.is_derived() {
            true => self.writer.as_mut().map_or(Ok(()), |writer| writer.push(table, key, value)),
            false => self.writer.as_mut().map_or(Ok(()), |writer| writer.copy(table, key, value)),
        }
    }

    fn go_on(&mut self) -> io::Result<()> {
        self.pushed += 1;
        if self.pushed.is_multiple_of(1_024) && self.shared.stopping.load(Ordering::Relaxed) {
            return Err(stopping());
        }
        Ok(())
    }

    fn finish(mut self) -> io::Result<Option<Sorted>> {
        let Some(writer) = self.writer.take() else { return Ok(None) };
        if !writer.finish()? {
            return Ok(None);
        }
        std::fs::rename(&self.part, &self.path)?;
        super::front::sync_directory(&self.shared.root)?;
        Sorted::open(&self.path, &self.shared.cache).map(Some).map_err(io::Error::other)
    }
}

impl Drop for Making<'_> {
    fn drop(&mut self) {
        if self.writer.take().is_some() {
            // It is swept at the next start, too.
            let _left_for_later = std::fs::remove_file(&self.part);
        }
    }
}

/// Removes what no list names: files in the making, files and fronts that were replaced.
pub(super) fn sweep(shared_root: &std::path::Path, manifest: &Manifest) -> io::Result<()> {
    for entry in std::fs::read_dir(shared_root)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let listed = manifest.bulk.iter().chain(&manifest.index).any(|listed| listed.name == name);
        if name.ends_with(".part") || (name.ends_with(".bulk") || name.ends_with(".index")) && !listed {
            std::fs::remove_file(entry.path())?;
        }
        if let Some(number) = name.strip_prefix("front-").and_then(|number| number.parse::<u64>().ok())
            && number != manifest.front
            && Some(number) != manifest.frozen
        {
            std::fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_of_one_level_are_found() {
        for (levels, expected) in [
            (&[][..], None),
            (&[0, 0, 0, 1, 1, 1][..], None),
            (&[0, 0, 0, 0, 1][..], Some(0..4)),
            (&[0, 1, 1, 1, 1, 1, 2][..], Some(1..6)),
        ] {
            assert_eq!(same_level(levels, 4), expected, "{levels:?}");
        }
    }
}
