//! Tables of bytes: the newest part in sled, the rest in sealed files.
//!
//! ```text
//! data/MANIFEST        which of the following are the store
//! data/front-000007/   what is written now: sled, and what is written ahead of it
//! data/000012.bulk     records, sorted, never changed
//! data/000013.index    entries that follow from them, and small records
//! ```
//!
//! In: keys and values of the [`Table`]s. Out: the same, in key order; write sets applied whole or not at all.
//! Promise: after [`Engine::apply`] returns, what it was given survives a power cut. A scan ends at its first error. Opening
//! never panics. The files take little more than what is in them, however much was removed.
//! Not here: what the bytes mean ([`super::schema`]), who owns the directory ([`super::layout`]).
//!
//! sled is fast and atomic in groups, and large: a directory of it takes 2.2 to 35 times its content, 3 to 8 times its cache
//! in memory, and a second for each gigabyte to open. So it has the newest records only, some megabytes; then they are
//! sealed into files of ours, and its directory is removed whole ([`upkeep`]). Where to read next: [`front`], then [`sorted`].

mod cache;
mod dictionary;
mod filter;
mod frames;
mod front;
mod layers;
pub(super) mod manifest;
pub(super) mod salvage;
pub(super) mod sleds;
mod sorted;
mod tables;
mod upkeep;
mod wal;

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;

use super::{StoreConfig, StoreError};
use cache::Cache;
use front::Front;
pub(super) use front::sync_directory;
use layers::Layers;
pub(super) use layers::Scan;
use manifest::{Manifest, front_path};
use sleds::Fault;
use sorted::Sorted;
pub(super) use tables::Table;

/// A key and its value.
pub(super) type Entry = (Vec<u8>, Vec<u8>);
/// What one transaction writes: a value, or none where the key is removed.
pub(super) type Writes = BTreeMap<(Table, Vec<u8>), Option<Vec<u8>>>;

/// Something that tables can be read from: the engine, or the engine with a write set laid over it.
pub(super) trait Read {
    /// The value of one key.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;
    /// All entries whose keys begin so, in key order. For prefixes that are known to have few.
    fn prefix(&self, table: Table, prefix: &[u8]) -> Result<Vec<Entry>, StoreError>;
}

/// What to do about a damaged store.
pub(super) const REPAIR_HINT: &str = "stop the daemon and run `rasid verify --repair`: it keeps the directory as it is under another name, and makes a store of all that can be read";

/// A front is sealed when it has a sixteenth of what is sealed, since sled takes three times as much; at an eighth of its
/// largest size at the earliest.
const SHARE: u64 = 16;
const EARLIEST: u64 = 8;
const LEAST_FRONT: u64 = 64 << 10;
/// Or so many entries are in memory: about 150 bytes each.
const MOST_ENTRIES: u64 = 400_000;
/// The most of the cache that sled gets, in bytes: it takes three to eight times as much, and has the newest records only.
const MOST_SLED: u64 = 16 << 20;

/// What the parts share.
struct Shared {
    root: PathBuf,
    sled_cache: u64,
    /// [`StoreConfig::front`].
    front: u64,
    cache: Arc<Cache>,
    layers: RwLock<Arc<Layers>>,
    manifest: Mutex<Manifest>,
    /// Taken for each write, and by whoever needs the store to hold still.
    turn: Mutex<()>,
    state: Mutex<State>,
    changed: Condvar,
    stopping: AtomicBool,
    /// [`Engine::writes`].
    writes: AtomicU64,
}

#[derive(Default)]
struct State {
    stop: bool,
    /// A front waits to be sealed.
    sealing: bool,
    /// The last try to seal failed.
    failed: bool,
    jobs: Vec<Job>,
}

/// What the thread that keeps the store small is asked for.
enum Job {
    Snapshot { answer: SyncSender<Result<Snapshot, StoreError>> },
    Compact { answer: SyncSender<Result<(), StoreError>> },
}

/// All that is stored, sealed, at one position of the log.
pub(super) struct Snapshot {
    /// The last position of the log.
    pub(super) last: u64,
    pub(super) manifest: Manifest,
    files: Vec<Arc<Sorted>>,
}

impl Snapshot {
    /// The files' names and sizes.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, u64)> {
        self.files.iter().map(|file| (file.name.as_str(), file.bytes))
    }

    /// Copies a file, also when the store has removed it by now. How many bytes it has, and their blake3.
    pub(super) fn copy(&self, name: &str, to: &Path) -> io::Result<(u64, String)> {
        let file = self.files.iter().find(|file| file.name == name).ok_or(io::ErrorKind::NotFound)?;
        file.copy_to(to)
    }
}

/// How much room the store takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Space {
    /// The size of all its files, in bytes.
    pub(super) on_disk: u64,
    /// What of it is not outdated, in bytes.
    pub(super) live: u64,
}

impl Shared {
    fn layers(&self) -> Arc<Layers> {
        Arc::clone(&self.layers.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What was there before: closing what nobody reads any more takes its time, and no lock is to be held meanwhile.
    #[must_use]
    fn set_layers(&self, layers: Layers) -> Arc<Layers> {
        let mut now = self.layers.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *now, Arc::new(layers))
    }

    fn manifest(&self) -> MutexGuard<'_, Manifest> {
        self.manifest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn space(&self) -> Space {
        let layers = self.layers();
        let files: u64 = layers.bulk.iter().chain(&layers.index).map(|file| file.bytes).sum();
        let dead: u64 = self.manifest().bulk.iter().map(|listed| listed.dead).sum();
        let fronts = || std::iter::once(&layers.active).chain(&layers.frozen);
        let on_disk = files + fronts().map(|front| front.size_on_disk()).sum::<u64>();
        let written: u64 = fronts().map(|front| front.written()).sum();
        Space { on_disk, live: files.saturating_sub(dead) + written }
    }
}

/// The open store.
pub(super) struct Engine {
    shared: Arc<Shared>,
    upkeep: Option<JoinHandle<()>>,
}

impl Engine {
    /// Makes an empty store in a directory that has none.
    pub(super) fn create(root: &Path, schema: u32, store: String) -> Result<(), StoreError> {
        let failed = |error: io::Error| io_error(root, error);
        // A first start may have been killed over it; there is nothing in it ([`has_records`]).
        match std::fs::remove_dir_all(front_path(root, 1)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let front = Front::create(&front_path(root, 1), 1, MOST_SLED).map_err(|fault| of_fault(root, fault))?;
        drop(front);
        let manifest = Manifest { schema, store, front: 1, next: 1, ..Manifest::default() };
        manifest.write(root).map_err(failed)
    }

    /// Makes a store of sealed files that are there already, with a new front.
    pub(super) fn take_over(root: &Path, mut manifest: Manifest) -> Result<(), StoreError> {
        manifest.front += 1;
        manifest.frozen = None;
        let number = manifest.front;
        let front = Front::create(&front_path(root, number), number, MOST_SLED);
        drop(front.map_err(|fault| of_fault(root, fault))?);
        manifest.write(root).map_err(|error| io_error(root, error))
    }

    /// Opens the store that `manifest` names.
    pub(super) fn open(config: &StoreConfig, root: &Path, manifest: Manifest) -> Result<Self, StoreError> {
        upkeep::sweep(root, &manifest).map_err(|error| io_error(root, error))?;
        let sled_cache = (config.cache.0 / 8).min(MOST_SLED);
        let cache = Arc::new(Cache::new(usize::try_from(config.cache.0 / 2).unwrap_or(usize::MAX / 2)));
        let opened = |listed: &[manifest::Listed]| -> Result<Vec<Arc<Sorted>>, StoreError> {
            let open = |listed: &manifest::Listed| {
                let path = root.join(&listed.name);
                Sorted::open(&path, &cache).map(Arc::new).map_err(|why| damaged(&path, &why))
            };
            listed.iter().map(open).collect()
        };
        let front = |number: u64| {
            let aside = || free_name(root, &format!("damaged-sled-{number:06}"));
            Front::open(&front_path(root, number), number, sled_cache, &aside)
                .map(Arc::new)
                .map_err(|fault| of_fault(root, fault))
        };
        let layers = Layers {
            active: front(manifest.front)?,
            frozen: manifest.frozen.map(front).transpose()?,
            bulk: opened(&manifest.bulk)?,
            index: opened(&manifest.index)?,
        };
        let sealing = layers.frozen.is_some();
        let shared = Arc::new(Shared {
            root: root.to_owned(),
            sled_cache,
            front: config.front.0.max(LEAST_FRONT),
            cache,
            layers: RwLock::new(Arc::new(layers)),
            manifest: Mutex::new(manifest),
            turn: Mutex::new(()),
            state: Mutex::new(State { sealing, ..State::default() }),
            changed: Condvar::new(),
            stopping: AtomicBool::new(false),
            writes: AtomicU64::new(0),
        });
        let working = Arc::clone(&shared);
        let upkeep = std::thread::Builder::new().name("store-upkeep".to_owned()).spawn(move || upkeep::run(&working));
        let upkeep = upkeep.map_err(|error| io_error(root, error))?;
        Ok(Self { shared, upkeep: Some(upkeep) })
    }

    /// Nobody writes as long as this is held.
    pub(super) fn turn(&self) -> MutexGuard<'_, ()> {
        self.shared.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The entries between two keys, in key order from either end.
    ///
    /// Not a snapshot: a write that lands meanwhile may be seen or not.
    pub(super) fn scan(&self, table: Table, range: (Bound<Vec<u8>>, Bound<Vec<u8>>)) -> Scan {
        Scan::over(self.shared.layers(), table, range)
    }

    /// All entries whose keys begin so, as [`Engine::scan`] gives them; cheap where there are none.
    pub(super) fn scan_prefix(&self, table: Table, prefix: &[u8]) -> Scan {
        let layers = self.shared.layers();
        // Where nothing may begin so, nothing is looked for.
        let range = if layers.may_begin(table, prefix) {
            prefix_range(prefix)
        } else {
            (Bound::Excluded(Vec::new()), Bound::Excluded(Vec::new()))
        };
        Scan::over(layers, table, range)
    }

    /// How many entries a table has: reads them all.
    pub(super) fn count(&self, table: Table) -> Result<u64, StoreError> {
        let mut entries = 0;
        for entry in self.scan(table, (Bound::Unbounded, Bound::Unbounded)) {
            entry?;
            entries += 1;
        }
        Ok(entries)
    }

    /// Writes everything or nothing, and returns once it is on the disk. The caller has the turn.
    pub(super) fn apply(&self, writes: Writes) -> Result<(), StoreError> {
        let layers = self.shared.layers();
        // A set would be written ahead, refused by sled, and be there all the same after the next start, though whatever was
        // refused before it is not.
        if let Some(why) = std::iter::once(&layers.active).chain(&layers.frozen).find_map(|front| front.broken()) {
            return Err(StoreError::Engine(why.to_owned()));
        }
        let applied = layers.active.apply(writes);
        // Also where it failed: part of it may be seen.
        self.has_written();
        applied?;
        self.make_room();
        Ok(())
    }

    /// Another number after every write, and before it is acknowledged: what was read while it stayed the same is still so.
    pub(super) fn writes(&self) -> u64 {
        self.shared.writes.load(Ordering::SeqCst)
    }

    /// Says that what is read has become other.
    pub(super) fn has_written(&self) {
        self.shared.writes.fetch_add(1, Ordering::SeqCst);
    }

    /// Leaves the front to be sealed when there is enough in it.
    fn make_room(&self) {
        let shared = &self.shared;
        let layers = shared.layers();
        let sealed: u64 = layers.bulk.iter().chain(&layers.index).map(|file| file.bytes).sum();
        let limit = (sealed / SHARE).clamp(shared.front / EARLIEST, shared.front);
        let (written, entries) = (layers.active.written(), layers.active.entries());
        if written < limit && entries < MOST_ENTRIES {
            return;
        }
        if layers.frozen.is_some() {
            // The one before is not sealed yet: wait for it when this one is twice as large as it should be, so that
            // memory has a bound; but not for a disk that has no room, where writing may go on for a while.
            if written > 2 * limit || entries > 2 * MOST_ENTRIES {
                let state = shared.state();
                let waits = |state: &mut State| state.sealing && !state.failed && !state.stop;
                drop(shared.changed.wait_while(state, waits).unwrap_or_else(PoisonError::into_inner));
            }
            if shared.layers().frozen.is_some() {
                return;
            }
        }
        match upkeep::begin_front(shared) {
            Ok(()) => {
                shared.state().sealing = true;
                shared.changed.notify_all();
            }
            Err(error) => {
                tracing::warn!(path = %shared.root.display(), %error, "no new front could be begun; the old one goes on");
            }
        }
    }

    /// The size of all files, and what of it counts.
    pub(super) fn space(&self) -> Space {
        self.shared.space()
    }

    /// Seals all that is written, and holds it.
    pub(super) fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.ask(|answer| Job::Snapshot { answer })
    }

    /// Leaves out everything that is outdated.
    pub(super) fn compact(&self) -> Result<(), StoreError> {
        self.ask(|answer| Job::Compact { answer })
    }

    fn ask<T>(&self, job: impl FnOnce(SyncSender<Result<T, StoreError>>) -> Job) -> Result<T, StoreError> {
        let (answer, answered) = sync_channel(1);
        self.shared.state().jobs.push(job(answer));
        self.shared.changed.notify_all();
        let closed = || StoreError::Engine(format!("{}: the store is closing", self.shared.root.display()));
        answered.recv().unwrap_or_else(|_| Err(closed()))
    }

    /// What of the sealed files is damaged, in words.
    pub(super) fn check_files(&self) -> Vec<String> {
        let layers = self.shared.layers();
        layers.bulk.iter().chain(&layers.index).flat_map(|file| file.check()).collect()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        self.shared.state().stop = true;
        self.shared.changed.notify_all();
        if let Some(upkeep) = self.upkeep.take() {
            // It logs what it dies of.
            let _ended = upkeep.join();
        }
    }
}

impl Read for Engine {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.shared.layers().get(table, key)
    }

    fn prefix(&self, table: Table, prefix: &[u8]) -> Result<Vec<Entry>, StoreError> {
        self.scan_prefix(table, prefix).collect()
    }
}

/// The keys that begin with `prefix`.
pub(super) fn prefix_range(prefix: &[u8]) -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
    let mut end = prefix.to_vec();
    while end.pop_if(|byte| *byte == u8::MAX).is_some() {}
    let end = match end.last_mut() {
        Some(byte) => {
            *byte += 1;
            Bound::Excluded(end)
        }
        None => Bound::Unbounded,
    };
    (Bound::Included(prefix.to_vec()), end)
}

/// Whether anything was written ahead in the directory of a front.
pub(super) fn has_records(directory: &Path) -> bool {
    std::fs::metadata(wal::path(directory)).is_ok_and(|file| file.len() > wal::EMPTY)
}

/// A name in a directory that nothing has yet.
pub(super) fn free_name(root: &Path, name: &str) -> PathBuf {
    let numbered = |n: u32| root.join(if n == 0 { name.to_owned() } else { format!("{name}-{n}") });
    (0..u32::MAX).map(numbered).find(|path| !path.exists()).unwrap_or_else(|| numbered(u32::MAX))
}

fn io_error(path: &Path, source: io::Error) -> StoreError {
    StoreError::Io { what: path.display().to_string(), source }
}

fn damaged(path: &Path, why: &str) -> StoreError {
    StoreError::Corrupt { what: format!("{}: {why}", path.display()), hint: REPAIR_HINT.to_owned() }
}

fn of_fault(root: &Path, fault: Fault) -> StoreError {
    match fault {
        Fault::Locked => StoreError::Locked { path: root.to_owned() },
        Fault::Corrupt(what) => StoreError::Corrupt { what, hint: REPAIR_HINT.to_owned() },
        Fault::Other(why) => StoreError::Engine(format!("{}: {why}", root.display())),
    }
}
