//! The index in its directory: opened, written, thrown away.
//!
//! In: items, and positions of the log. Out: commits, which hold both.
//! Promise: what is committed says up to where of the log it goes, so after any end of the process it goes on from there; an
//! index that is missing, damaged or of another version is made anew in its place, since all of it is in the store.
//! Not here: where items come from (`pipeline::indexing`), what is found ([`super::find`]).

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};
use tantivy::directory::MmapDirectory;
use tantivy::indexer::IndexWriterOptions;
use tantivy::{Index, IndexReader, IndexSettings, IndexWriter, ReloadPolicy, Searcher, SegmentReader};

use super::schema::{Fields, version};
use super::set::Visible;
use super::{Inner, Search, SearchError};
use crate::id::{ItemId, Seq};
use crate::item::Item;

/// What the writer may keep in memory before it writes it out, in bytes.
const WRITER_MEMORY: usize = 50 << 20;

/// Up to where an index goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The last record of the log that is in it.
    pub seq: Seq,
    /// Which item that record was about: another store's log has another there. None where it was not read.
    pub item: Option<ItemId>,
    /// While all stored items are being read, before the log is followed: how far that is.
    pub listing: Option<Listing>,
}

/// How far the reading of all stored items is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// The store's place after which to go on; none at the beginning.
    pub after: Option<String>,
}

/// What a commit says of itself.
#[derive(Serialize, Deserialize)]
struct Note {
    version: String,
    position: Position,
}

/// An index that can be searched, as it was at one moment.
#[derive(Clone)]
pub(super) struct Opened {
    pub(super) searcher: Searcher,
    pub(super) fields: Fields,
    /// By segment, in their order.
    visible: Vec<Arc<Visible>>,
}

impl Opened {
    /// What stands in a segment does not change, and what was removed since has a number: `before` need not be read again.
    fn new(searcher: Searcher, fields: Fields, before: Option<&Self>) -> Result<Self, SearchError> {
        let same = |a: &SegmentReader, b: &SegmentReader| {
            a.segment_id() == b.segment_id() && a.delete_opstamp() == b.delete_opstamp()
        };
        let visible = searcher.segment_readers().iter().map(|segment| {
            let mut known = before.iter().flat_map(|before| before.segments());
            match known.find(|(known, _)| same(known, segment)) {
                Some((_, visible)) => Ok(Arc::clone(visible)),
                None => Visible::of(segment).map(Arc::new),
            }
        });
        let visible = visible.collect::<Result<_, _>>()?;
        Ok(Self { searcher, fields, visible })
    }

    pub(super) fn segments(&self) -> impl Iterator<Item = (&SegmentReader, &Arc<Visible>)> {
        self.searcher.segment_readers().iter().zip(&self.visible)
    }

    /// How many spans all segments have.
    pub(super) fn spans(&self) -> usize {
        self.visible.iter().map(|visible| visible.len()).sum()
    }
}

/// Writes the index; there is one for a directory.
pub struct Indexer {
    inner: Arc<Inner>,
    reader: IndexReader,
    opened: Opened,
    writer: IndexWriter,
    position: Position,
    committed: Option<Position>,
    uncommitted: usize,
}

impl std::fmt::Debug for Indexer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Indexer").field("position", &self.position).finish_non_exhaustive()
    }
}

impl Search {
    /// Opens the index for writing; what cannot be used in its directory is thrown away, and an empty one begun.
    /// Blocking.
    ///
    /// # Errors
    /// When the directory cannot be written, or another process writes there.
    pub fn indexer(&self) -> Result<Indexer, SearchError> {
        let path = &self.inner.path;
        if let Err(reason) = self.usable() {
            if let Some(reason) = reason {
                tracing::warn!(path = %path.display(), reason, "the search index is made anew");
            }
            clear(path)?;
        }
        let (schema, fields) = Fields::new();
        let directory = MmapDirectory::open(path).map_err(|error| failed(path, &error))?;
        let index = if Index::exists(&directory).map_err(|error| failed(path, &error))? {
            Index::open(directory)
        } else {
            Index::create(directory, schema, IndexSettings::default())
        };
        let index = index.map_err(|error| failed(path, &error))?;
        // One thread that writes and one that merges: the machine has other work.
        let options = IndexWriterOptions::builder()
            .num_worker_threads(1)
            .num_merge_threads(1)
            .memory_budget_per_thread(WRITER_MEMORY)
            .build();
        let writer = index.writer_with_options(options).map_err(|error| failed(path, &error))?;
        // A kill in the middle of a commit leaves files that no commit names. They would be in the way of the same commit, done again.
        writer.garbage_collect_files().wait().map_err(|error| failed(path, &error))?;
        let reader: Result<IndexReader, _> = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into();
        let reader = reader.map_err(|error| failed(path, &error))?;
        let committed = noted(&index);
        let anew = Position { listing: Some(Listing::default()), ..Position::default() };
        let position = committed.clone().unwrap_or(anew);
        let opened = Opened::new(reader.searcher(), fields, None)?;
        self.inner.show(opened.clone(), &position);
        self.inner.suspect.store(false, Ordering::Relaxed);
        self.inner.rebuild.store(false, Ordering::Relaxed);
        Ok(Indexer { inner: Arc::clone(&self.inner), reader, opened, writer, position, committed, uncommitted: 0 })
    }

    /// Whether what stands in the directory can be gone on with; else why not, where that is worth telling.
    fn usable(&self) -> Result<(), Option<String>> {
        let path = &self.inner.path;
        if self.inner.rebuild.load(Ordering::Relaxed) {
            return Err(Some("that was asked for".to_owned()));
        }
        if !path.is_dir() || std::fs::read_dir(path).is_ok_and(|mut files| files.next().is_none()) {
            return Err(None);
        }
        let index = Index::open_in_dir(path).map_err(|error| Some(error.to_string()))?;
        if index.schema() != Fields::new().0 {
            return Err(Some("its fields are those of another version".to_owned()));
        }
        if index.load_metas().map_err(|error| Some(error.to_string()))?.payload.is_some() {
            noted(&index).ok_or_else(|| Some("it is of another version".to_owned()))?;
        }
        if self.inner.suspect.load(Ordering::Relaxed) {
            let damaged = index.validate_checksum().map_err(|error| Some(error.to_string()))?;
            if let Some(file) = damaged.iter().next() {
                return Err(Some(format!("{} is damaged", file.display())));
            }
        }
        let opened: Result<IndexReader, _> = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into();
        opened.map(|_| ()).map_err(|error| Some(error.to_string()))
    }
}

/// The position of the last commit, if it is one of this version.
fn noted(index: &Index) -> Option<Position> {
    let note: Note = serde_json::from_str(index.load_metas().ok()?.payload.as_deref()?).ok()?;
    (note.version == version()).then_some(note.position)
}

fn clear(path: &Path) -> Result<(), SearchError> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
            std::fs::remove_file(path).map_err(|error| failed(path, &error))?;
        }
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(path, &error)),
        _ => {}
    }
    std::fs::create_dir_all(path).map_err(|error| failed(path, &error))
}

pub(super) fn failed(path: &Path, error: &dyn std::fmt::Display) -> SearchError {
    SearchError::Index(format!("{}: the search index: {error}", path.display()))
}

impl Indexer {
    /// Up to where the index goes, what is not committed included.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// How many changes are not committed.
    pub fn uncommitted(&self) -> usize {
        self.uncommitted
    }

    /// Whether the position, or anything else, is not committed.
    pub fn is_uncommitted(&self) -> bool {
        self.uncommitted > 0 || self.committed.as_ref() != Some(&self.position)
    }

    /// Adds an item that the index does not have.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn add(&mut self, item: &Item) -> Result<(), SearchError> {
        self.uncommitted += 1;
        let document = self.opened.fields.document(item);
        self.writer.add_document(document).map_err(|error| failed(&self.inner.path, &error))?;
        Ok(())
    }

    /// Adds an item, or puts it in the place of what the index has of it.
    ///
    /// # Errors
    /// As [`Indexer::add`].
    pub fn put(&mut self, item: &Item) -> Result<(), SearchError> {
        self.remove(item.id);
        self.add(item)
    }

    /// Takes an item out; harmless where it is not in.
    pub fn remove(&mut self, id: ItemId) {
        self.uncommitted += 1;
        self.writer.delete_term(self.opened.fields.id(id));
    }

    /// Says up to where the index goes with what was added since.
    pub fn reach(&mut self, position: Position) {
        self.position = position;
    }

    /// Makes what was added durable, and found. Blocking.
    ///
    /// # Errors
    /// When the index cannot be written: what was added since the last commit is then not in it.
    pub fn commit(&mut self) -> Result<(), SearchError> {
        let failed = |error: tantivy::TantivyError| failed(&self.inner.path, &error);
        let note = Note { version: version(), position: self.position.clone() };
        let note = serde_json::to_string(&note).map_err(|error| SearchError::Index(error.to_string()))?;
        let mut prepared = self.writer.prepare_commit().map_err(failed)?;
        prepared.set_payload(&note);
        prepared.commit().map_err(failed)?;
        self.uncommitted = 0;
        self.committed = Some(self.position.clone());
        self.reader.reload().map_err(failed)?;
        self.opened = Opened::new(self.reader.searcher(), self.opened.fields, Some(&self.opened))?;
        self.inner.show(self.opened.clone(), &self.position);
        Ok(())
    }

    /// Ends writing, and waits until what was begun to be merged is: whoever writes a little and ends, again and again, would
    /// leave a new segment each time. What is not committed is lost. Blocking.
    ///
    /// # Errors
    /// When merging failed: the index is whole, but has more segments than it should.
    pub fn finish(self) -> Result<(), SearchError> {
        let path = &self.inner.path;
        self.writer.wait_merging_threads().map_err(|error| failed(path, &error))?;
        self.reader.reload().map_err(|error| failed(path, &error))?;
        let opened = Opened::new(self.reader.searcher(), self.opened.fields, Some(&self.opened))?;
        self.inner.show(opened, self.committed.as_ref().unwrap_or(&self.position));
        Ok(())
    }

    /// Whether somebody asked for the index to be made anew, or found it damaged: it has to be opened again then.
    pub fn is_outdated(&self) -> bool {
        self.inner.rebuild.load(Ordering::Relaxed) || self.inner.suspect.load(Ordering::Relaxed)
    }
}
