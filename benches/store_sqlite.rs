//! SQLite doing the work of the store: the same records, encoded the same way, under the same indexes.
//!
//! In: the groups that the store gets. Out: one transaction each, in WAL with `synchronous = FULL`.
//! It is to look as good as it can: a page cache of the size that the store gets, numbers in place of names, an index only
//! where the store has one and only over the rows that need it, statements prepared once, counters added up within the
//! transaction, the compressor kept.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use rasid::dedup::Original;
use rasid::id::ItemId;
use rasid::store::{Decided, Group};
use rasid::topic::Decision;
use rusqlite::{Connection, OptionalExtension as _, Statement, params};

use crate::store_items::{LEVEL, fingerprint, record};

const SCHEMA: &str = "
CREATE TABLE items (
    no INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, hash INTEGER NOT NULL, flags INTEGER NOT NULL,
    published INTEGER NOT NULL, feed INTEGER NOT NULL, content BLOB, url BLOB, original BLOB, story BLOB,
    record BLOB NOT NULL
) STRICT;
CREATE INDEX by_time ON items (published);
CREATE INDEX by_feed ON items (feed, published);
CREATE INDEX by_content ON items (content) WHERE content IS NOT NULL;
CREATE INDEX by_url ON items (url) WHERE url IS NOT NULL;
CREATE INDEX copies ON items (original, published) WHERE original IS NOT NULL;
CREATE INDEX by_story ON items (story, published) WHERE story IS NOT NULL;
CREATE TABLE by_topic (
    topic INTEGER NOT NULL, published INTEGER NOT NULL, no INTEGER NOT NULL, flags INTEGER NOT NULL,
    PRIMARY KEY (topic, published, no)
) STRICT, WITHOUT ROWID;
CREATE TABLE fingerprints (no INTEGER PRIMARY KEY, record BLOB NOT NULL) STRICT;
CREATE TABLE log (seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL, at INTEGER NOT NULL, no INTEGER NOT NULL,
    id BLOB NOT NULL, revision INTEGER NOT NULL) STRICT;
CREATE TABLE cursors (feed INTEGER PRIMARY KEY, cursor BLOB NOT NULL) STRICT;
CREATE TABLE counters (name TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT, WITHOUT ROWID;
";

/// A new database with a page cache of `cache` bytes.
pub fn connect(path: &Path, cache: u64) -> Connection {
    let connection = Connection::open(path).unwrap();
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    connection.pragma_update(None, "synchronous", "FULL").unwrap();
    connection.pragma_update(None, "cache_size", -i64::try_from(cache >> 10).unwrap()).unwrap();
    connection.pragma_update(None, "wal_autocheckpoint", autocheckpoint()).unwrap();
    connection.execute_batch(SCHEMA).unwrap();
    connection
}

/// The other store.
pub struct Sqlite<'c> {
    begin: Statement<'c>,
    end: Statement<'c>,
    known: Statement<'c>,
    story: Statement<'c>,
    item: Statement<'c>,
    topic: Statement<'c>,
    fingerprint: Statement<'c>,
    log: Statement<'c>,
    cursor: Statement<'c>,
    counter: Statement<'c>,
    items: Statement<'c>,
    zstd: zstd::bulk::Compressor<'static>,
    next: u64,
}

impl<'c> Sqlite<'c> {
    pub fn new(connection: &'c Connection) -> Self {
        let sql = |sql| connection.prepare(sql).unwrap();
        Self {
            begin: sql("BEGIN IMMEDIATE"),
            end: sql("COMMIT"),
            known: sql("SELECT no FROM items WHERE id = ?1"),
            story: sql("SELECT story FROM items WHERE id = ?1"),
            item: sql("INSERT INTO items VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"),
            topic: sql("INSERT INTO by_topic VALUES (?1, ?2, ?3, ?4)"),
            fingerprint: sql("INSERT INTO fingerprints VALUES (?1, ?2)"),
            log: sql("INSERT INTO log VALUES (?1, ?2, ?3, ?4, ?5, 1)"),
            cursor: sql("INSERT OR REPLACE INTO cursors VALUES (?1, ?2)"),
            counter: sql("INSERT INTO counters VALUES (?1, ?2) ON CONFLICT DO UPDATE SET n = n + ?2"),
            items: sql("SELECT count(*) FROM items"),
            zstd: zstd::bulk::Compressor::new(LEVEL).unwrap(),
            next: 1,
        }
    }

    /// Stores a group in one transaction; it is on the disk when this returns.
    pub fn commit(&mut self, group: &Group) {
        self.begin.execute([]).unwrap();
        let at = group.at.unwrap();
        let mut counted = BTreeMap::new();
        for decided in &group.items {
            self.store(decided, at, &group.told.stories, &mut counted);
        }
        for (feed, cursor, _) in &group.cursors {
            let cursor = postcard::to_stdvec(cursor).unwrap();
            self.cursor.execute(params![number(feed.as_str()), cursor]).unwrap();
        }
        for (name, n) in counted {
            self.counter.execute(params![name, n]).unwrap();
        }
        self.end.execute([]).unwrap();
    }

    fn store(
        &mut self,
        decided: &Decided,
        at: Timestamp,
        told: &BTreeMap<ItemId, ItemId>,
        counted: &mut BTreeMap<String, i64>,
    ) {
        let Decided { candidate, verdict } = decided;
        let id = ItemId::of(&candidate.feed, candidate.key);
        if self.known.exists([&id.0]).unwrap() {
            return;
        }
        let duplicate = verdict.kind.is_duplicate();
        let original = match &verdict.of {
            Some(Original::Item(of)) => Some(of.0),
            _ => None,
        };
        // A copy belongs to the story of its original.
        let story = match original {
            Some(of) => {
                let row = self.story.query_row([&of], |row| row.get::<_, Option<[u8; 16]>>(0));
                row.optional().unwrap().flatten().map(ItemId)
            }
            None => told.get(&id).copied(),
        };
        let no = i64::try_from(self.next).unwrap();
        let published = candidate.content.published_at.as_millisecond();
        let content = candidate.fingerprint.content.filter(|_| !duplicate).map(|hash| hash.0);
        let url = candidate.content.canonical_url.as_ref().map(|url| blake3::hash(url.as_str().as_bytes()));
        let bytes = self.zstd.compress(&record(decided, self.next, at, story)).unwrap();
        let item = params![
            no,
            id.0,
            candidate.hash.cast_signed(),
            duplicate,
            published,
            number(candidate.feed.as_str()),
            content,
            url.as_ref().map(|url| &url.as_bytes()[..16]),
            original,
            story.map(|story| story.0),
            bytes,
        ];
        self.item.execute(item).unwrap();
        let mut count = |name: String| *counted.entry(name).or_insert(0) += 1;
        for topic in &candidate.topics {
            let flags = u8::from(duplicate) | if topic.decision == Decision::Maybe { 2 } else { 0 };
            self.topic.execute(params![number(topic.id.as_str()), published, no, flags]).unwrap();
            if !duplicate {
                count(format!("topic/{}", topic.id));
            }
        }
        if duplicate {
            count("duplicates".to_owned());
        } else {
            count("items".to_owned());
            count(format!("feed/{}", candidate.feed));
            self.fingerprint.execute(params![no, fingerprint(decided, id, at)]).unwrap();
        }
        let kind = if duplicate { 2 } else { 0 };
        self.log.execute(params![no, kind, at.as_millisecond(), no, id.0]).unwrap();
        self.next += 1;
    }

    /// Items stored: held against what the store says.
    pub fn items(&mut self) -> u64 {
        self.items.query_row([], |row| row.get::<_, i64>(0)).unwrap().cast_unsigned()
    }
}

/// Pages of the log between two checkpoints: SQLite's own 1,000, or what `RASID_CHECKPOINT` says.
fn autocheckpoint() -> u32 {
    std::env::var("RASID_CHECKPOINT").ok().and_then(|pages| pages.parse().ok()).unwrap_or(1_000)
}

/// Names have their numbers at the end.
fn number(name: &str) -> u32 {
    name.rsplit('-').next().and_then(|number| number.parse().ok()).unwrap()
}
