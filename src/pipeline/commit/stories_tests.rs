//! Stories through the committer and the store: over a restart, with copies, revisions and removals.

use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use super::{Committer, now};
use crate::dedup::{DedupConfig, Fingerprint, VerdictKind};
use crate::id::{EntryKey, FeedId, ItemId};
use crate::item::{Candidate, Content};
use crate::serve::Loaded;
use crate::store::{self, Store, StoreConfig};
use crate::story::{Sketch, StoriesConfig};

const EVENTS: &str = include_str!("../../../tests/fixtures/stories/first.txt");

/// The items of the fixtures in the order of their times.
fn candidates() -> Vec<Candidate> {
    let start: Timestamp = "2026-03-02T00:00:00Z".parse().unwrap();
    let mut lines = EVENTS.lines().filter(|line| !line.is_empty() && !line.starts_with("== "));
    let mut found = Vec::new();
    while let (Some(hour), Some(title), Some(text)) = (lines.next(), lines.next(), lines.next()) {
        let hours = hour.strip_prefix("@ ").unwrap().parse().unwrap();
        found.push(candidate("a", title, text, start + SignedDuration::from_hours(hours)));
    }
    found.sort_by_key(|candidate| candidate.content.published_at);
    found
}

fn candidate(feed: &str, title: &str, text: &str, at: Timestamp) -> Candidate {
    let content = Content::saying(title, text, at);
    let key = EntryKey::of("title", title);
    let (hash, fingerprint) = (u64::from(key.0[0]), Fingerprint::of(title, text));
    Candidate {
        feed: feed.parse().unwrap(),
        key,
        hash,
        content,
        topics: Vec::new(),
        fingerprint,
        sketch: Sketch::of(title, text),
    }
}

fn id(candidate: &Candidate) -> ItemId {
    ItemId::of(&candidate.feed, candidate.key)
}

fn open(dir: &Path) -> (Committer, Store) {
    let (store, writer) = store::open(&StoreConfig { path: dir.to_owned(), ..StoreConfig::default() }).unwrap();
    let loaded = watch::channel(Arc::new(Loaded::default())).1;
    let committer = Committer::new(store.clone(), writer, loaded, &DedupConfig::default());
    (committer.telling(&StoriesConfig::default()), store)
}

fn put(committer: &mut Committer, candidates: &[Candidate]) {
    for candidate in candidates {
        let decided = committer.decide(candidate).unwrap();
        committer.pending.group.items.extend(decided);
    }
    committer.write().unwrap();
}

fn story(store: &Store, candidate: &Candidate) -> Option<String> {
    store.item(id(candidate)).unwrap().unwrap().story
}

#[test]
fn a_restart_in_the_middle_changes_no_story() {
    let candidates = candidates();
    let told = |parts: &[&[Candidate]]| -> Vec<Option<String>> {
        let dir = tempfile::tempdir().unwrap();
        for part in parts {
            let (mut committer, store) = open(dir.path());
            for few in part.chunks(7) {
                put(&mut committer, few);
            }
            assert_eq!(store.verify().unwrap(), Vec::<String>::new());
            // What is stored of the window is the window.
            let mut members = 0;
            store.window(&mut |_| members += 1).unwrap();
            assert_eq!(committer.stories.as_ref().unwrap().len(), members);
        }
        let (_, store) = open(dir.path());
        candidates.iter().map(|candidate| story(&store, candidate)).collect()
    };
    let whole = told(&[&candidates]);
    for at in [1, 33, 60, 79] {
        assert_eq!(told(&[&candidates[..at], &candidates[at..]]), whole, "restarted after {at}");
    }
    assert!(whole.iter().zip(&candidates).filter(|(story, of)| **story != Some(id(of).to_string())).count() > 40);
}

#[test]
fn a_copy_takes_the_story_of_its_original_and_a_revision_keeps_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let (mut committer, store) = open(dir.path());
    let first = candidates()[0].clone();
    let text = format!("{} {}", first.content.text, candidates()[5].content.text);
    let at = first.content.published_at;
    let long = candidate("a", &first.content.title, &text, at);
    let copy = candidate("b", &first.content.title, &text, at + SignedDuration::from_hours(1));
    put(&mut committer, &[long.clone(), copy.clone()]);
    let kind = |of: &Candidate| store.item(id(of)).unwrap().unwrap().verdict.kind;
    assert_eq!((kind(&long), kind(&copy)), (VerdictKind::New, VerdictKind::Exact));
    let begun = Some(id(&long).to_string());
    assert_eq!((story(&store, &long), story(&store, &copy)), (begun.clone(), begun.clone()));

    let mut revised = long.clone();
    revised.hash += 1;
    revised.content.text.push_str(" ثم جاء في تحديث لاحق أن كل شيء عاد إلى ما كان عليه.");
    revised.content.fetched_at = at + SignedDuration::from_hours(2);
    revised.fingerprint = Fingerprint::of(&revised.content.title, &revised.content.text);
    put(&mut committer, &[revised.clone()]);
    assert_eq!(store.item(id(&long)).unwrap().unwrap().revision, 2);
    assert_eq!(story(&store, &long), begun);
    let found = store.story(id(&copy)).unwrap().unwrap();
    assert_eq!((found.id, found.times.len(), found.copies, found.items.len()), (id(&long), 2, 1, 1));
    assert_eq!(found.items[0].copies.len(), 1);
    assert_eq!(store.verify().unwrap(), Vec::<String>::new());
    // What is stored of the window is what the revision made of it.
    let mut stored = Vec::new();
    store.window(&mut |member| stored.push(member)).unwrap();
    let mut before = crate::story::Stories::new(StoriesConfig::default().window);
    stored.iter().for_each(|member| before.insert(member));
    assert_eq!(stored.len(), 1);
    let sketch = crate::story::Sketch::of(&revised.content.title, &revised.content.text);
    assert_eq!(stored[0].terms.len(), sketch.terms.len());
}

#[test]
fn what_is_removed_leaves_its_story_and_an_empty_story_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let (mut committer, store) = open(dir.path());
    let candidates = candidates();
    put(&mut committer, &candidates[..20]);
    let large = store.stories(None, 5).unwrap();
    assert!(large[0].items.len() >= 3 && large.iter().all(|story| story.items.len() > 1));
    assert!(store.stories(Some(now()), 5).unwrap().is_empty(), "none of them goes on");

    // All but the last two items go, as retention would have them.
    let last = *store.durable().borrow();
    let later = now() + SignedDuration::from_hours(1);
    assert_eq!(committer.writer.prune(later, 18).unwrap(), 18);
    committer.forget_removed_since(last).unwrap();
    assert_eq!(committer.stories.as_ref().unwrap().len(), 2);
    assert_eq!(store.verify().unwrap(), Vec::<String>::new());
    let left: Vec<ItemId> = candidates[18..20].iter().map(id).collect();
    for story in &large {
        let rest =
            store.story(story.id).unwrap().map(|story| story.items.iter().map(|item| item.id).collect::<Vec<_>>());
        let expected: Vec<ItemId> = story.items.iter().map(|item| item.id).filter(|item| left.contains(item)).collect();
        assert_eq!(rest.unwrap_or_default(), expected);
    }
    // What is left goes on as it would after a restart.
    let feed: FeedId = "a".parse().unwrap();
    assert!(candidates.iter().all(|candidate| candidate.feed == feed));
    put(&mut committer, &candidates[20..]);
    let live: Vec<_> = candidates[20..].iter().map(|candidate| story(&store, candidate)).collect();
    let other = tempfile::tempdir().unwrap();
    {
        let (mut committer, _) = open(other.path());
        put(&mut committer, &candidates[..20]);
        committer.writer.prune(later, 18).unwrap();
    }
    let (mut committer, store) = open(other.path());
    put(&mut committer, &candidates[20..]);
    let restarted: Vec<_> = candidates[20..].iter().map(|candidate| story(&store, candidate)).collect();
    assert_eq!(live, restarted);
}

#[test]
fn without_stories_items_have_none() {
    let dir = tempfile::tempdir().unwrap();
    let (committer, store) = open(dir.path());
    let mut committer = committer.telling(&StoriesConfig { enabled: false, ..StoriesConfig::default() });
    let candidates = candidates();
    put(&mut committer, &candidates[..3]);
    assert_eq!(story(&store, &candidates[0]), None);
    assert!(store.story(id(&candidates[0])).unwrap().is_none());
    assert_eq!(store.verify().unwrap(), Vec::<String>::new());
}
