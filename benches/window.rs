//! How long a start takes: a store of a hundred thousand items is opened, and what new texts are compared with is made again.
//!
//! In: made-up news ([`made_up`]). Out: seconds, on standard output; times are the processor's for one core.
//! Arguments: how many items (100000 where there is none).
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a program for measuring")]

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use rasid::dedup::{Fingerprint, Index, Verdict};
use rasid::id::EntryKey;
use rasid::item::{Candidate, Content, PublishedFrom, TextFrom};
use rasid::store::{Decided, Group, MAX_GROUP, Store, StoreConfig, Writer, open};
use rasid::story::{Sketch, Stories};
use rasid::units::{ByteSize, Span};

mod clock;
mod made_up;

const WINDOW: i64 = 30 * 86_400;

fn begin() -> Timestamp {
    "2026-03-01T00:00:00Z".parse().unwrap()
}

fn opened(path: &Path) -> (Store, Writer) {
    open(&StoreConfig { path: path.to_owned(), cache: ByteSize::mib(256), ..StoreConfig::default() }).unwrap()
}

fn decided(piece: made_up::Piece, number: usize, at: Timestamp) -> Decided {
    let made_up::Piece { title, text, of: _ } = piece;
    let (fingerprint, sketch) = (Fingerprint::of(&title, &text), Sketch::of(&title, &text));
    let content = Content {
        url: None,
        canonical_url: None,
        guid: Some(number.to_string()),
        title,
        summary: String::new(),
        text,
        text_from: TextFrom::Feed,
        authors: Vec::new(),
        language: None,
        tags: Vec::new(),
        image: None,
        published_at: at,
        published_from: PublishedFrom::Feed,
        fetched_at: at,
    };
    let (feed, key) = ("sahil".parse().unwrap(), EntryKey::of("guid", &number.to_string()));
    let candidate = Candidate { feed, key, hash: number as u64, content, topics: Vec::new(), fingerprint, sketch };
    Decided { candidate, verdict: Verdict::new_item() }
}

fn main() {
    let items = std::env::args().skip(1).find_map(|items| items.parse().ok()).unwrap_or(100_000);
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(dir.path());
    let mut news = made_up::Writer::new(7);
    let mut stories = Stories::new(Span::secs(3 * 86_400));
    let mut number = 0;
    let apart = SignedDuration::from_secs(WINDOW / i64::try_from(items).unwrap());
    while number < items {
        let mut group = Group { at: Some(begin()), ..Group::default() };
        while group.items.len() < MAX_GROUP && number < items {
            let at = begin() + apart * i32::try_from(number).unwrap();
            let decided = decided(news.write(), number, at);
            let id = rasid::id::ItemId::of(&decided.candidate.feed, decided.candidate.key);
            let placed = stories.place(id, at, &decided.candidate.sketch, None);
            group.told.stories.insert(id, placed.story);
            group.told.members.extend(placed.member);
            group.told.left.extend(placed.left);
            group.at = Some(at);
            group.items.push(decided);
            number += 1;
        }
        writer.commit(group).unwrap();
    }
    drop((store, writer));
    let mut reopened = None;
    println!("{items} items: the store is opened in {:.2} s", clock::once(|| reopened = Some(opened(dir.path()))));
    let (store, _writer) = reopened.unwrap();
    let mut index = Index::default();
    let read = clock::once(|| {
        store.fingerprints(begin(), &mut |id, at, fingerprint| index.insert(id, at, &fingerprint)).unwrap();
    });
    println!("{} items of the window of copies are loaded in {read:.2} s", index.len());
    let mut stories = Stories::new(Span::secs(3 * 86_400));
    let read = clock::once(|| store.window(&mut |member| stories.insert(&member)).unwrap());
    println!("{} items of the window of stories are loaded in {read:.2} s", stories.len());
}
