//! A stream of items as the store gets them, with every index in use.
//!
//! In: made-up news ([`super::made_up`]). Out: [`Decided`] items of about 4 KB as JSON, from 50 feeds, about none to three of
//! 40 topics, with addresses and fingerprints of their own; one in seven is a copy of an earlier one, half belong to a story
//! that another began. Beside each the bytes that the same record takes elsewhere: the other database stores these, and
//! where the store cannot tell it, they say how much is alive.
//! Not here: deciding; what decides is measured by `copies.rs` and `stories.rs`.

use jiff::{SignedDuration, Timestamp};
use rasid::dedup::{Fingerprint, Original, Verdict, VerdictKind};
use rasid::id::{EntryKey, FeedId, ItemId, TopicId};
use rasid::item::{Candidate, Content, PublishedFrom, TextFrom};
use rasid::source::{FeedCursor, Seen, Validators};
use rasid::store::{Decided, Group};
use rasid::story::Sketch;
use rasid::topic::{Decision, Evidence, Field, TopicMatch};
use rasid::units::Span;
use serde::Serialize;
use url::Url;

use crate::made_up;

pub const FEEDS: usize = 50;
pub const TOPICS: usize = 40;
/// The level at which the store compresses.
pub const LEVEL: i32 = 1;
/// And at which it compresses what is sealed.
pub const SEALED: i32 = 3;
/// Entries that a feed's document has.
const SHOWN: usize = 30;
/// A poll brings about so many items, so a group of 256 leaves 16 feeds.
const POLL_BRINGS: usize = 16;
/// Items whose ids are remembered: copies and stories refer to them.
const REMEMBERED: usize = 4_096;
/// Items a second.
const PACE: i64 = 4;

/// Writes the stream.
pub struct Stream {
    news: made_up::Writer,
    rng: fastrand::Rng,
    feeds: Vec<FeedId>,
    topics: Vec<TopicId>,
    /// By number, again and again from the first.
    ids: Vec<ItemId>,
    /// The number of the first item.
    first: usize,
    /// The number of the next.
    pub next: usize,
}

impl Stream {
    /// A stream whose first item has the number `first`.
    pub fn new(seed: u64, first: usize) -> Self {
        let rng = fastrand::Rng::with_seed(seed);
        let (feeds, topics) = ((0..FEEDS).map(feed).collect(), (0..TOPICS).map(topic).collect());
        let ids = vec![ItemId([0; 16]); REMEMBERED];
        Self { news: made_up::Writer::new(seed), rng, feeds, topics, ids, first, next: first }
    }

    /// The next group of `size` items, with the cursors of the feeds that they come from.
    pub fn group(&mut self, size: usize) -> Group {
        let mut group = Group::default();
        for _ in 0..size {
            let decided = self.decided();
            let id = ItemId::of(&decided.candidate.feed, decided.candidate.key);
            if !decided.verdict.kind.is_duplicate() {
                let back = self.rng.usize(0..(self.next - self.first).min(REMEMBERED));
                let begun = self.ids[(self.next - 1 - back) % REMEMBERED];
                group.told.stories.insert(id, if self.rng.bool() { begun } else { id });
            }
            group.at = Some(decided.candidate.content.fetched_at);
            group.items.push(decided);
        }
        for decided in group.items.iter().step_by(POLL_BRINGS) {
            let feed = &decided.candidate.feed;
            if group.cursors.iter().all(|(left, ..)| left != feed) {
                group.cursors.push((feed.clone(), self.cursor(), None));
            }
        }
        group
    }

    fn decided(&mut self) -> Decided {
        let number = self.next;
        self.next += 1;
        let made_up::Piece { title, text, of } = self.news.write();
        let fetched_at = at(number);
        // Published up to an hour before, so that the order of time is not that of storing.
        let published_at = fetched_at - SignedDuration::from_secs(self.rng.i64(0..3_600));
        let feed = self.feeds[self.rng.usize(0..FEEDS)].clone();
        let url = Url::parse(&format!("https://{feed}.example/ar/news/2026/{:07}?utm_source=rss", number)).unwrap();
        let mut canonical = url.clone();
        canonical.set_query(None);
        let key = EntryKey::of("guid", &number.to_string());
        let fingerprint = Fingerprint::of(&title, &text);
        let topics = self.topics(&title);
        let summary = text.char_indices().nth(100).map_or(text.clone(), |(end, _)| text[..end].to_owned());
        let content = Content {
            canonical_url: Some(canonical),
            guid: Some(url.to_string()),
            url: Some(url),
            title,
            summary,
            text,
            text_from: TextFrom::Page,
            authors: vec!["هيئة التحرير".to_owned()],
            language: Some("ar".to_owned()),
            tags: vec!["أخبار".to_owned(), "محليات".to_owned()],
            image: Some(Url::parse(&format!("https://{feed}.example/media/{number:07}.jpg")).unwrap()),
            published_at,
            published_from: PublishedFrom::Feed,
            fetched_at,
        };
        // The piece that is rewritten is of the latest; beyond those that are remembered it counts as new.
        let of = of.map(|of| self.first + of).filter(|of| number - of < REMEMBERED);
        let original = of.map(|of| self.ids[of % REMEMBERED]);
        self.ids[number % REMEMBERED] = ItemId::of(&feed, key);
        let verdict = match original {
            Some(of) => Verdict { kind: VerdictKind::Near, of: Some(Original::Item(of)), similarity: 0.8 },
            None => Verdict::new_item(),
        };
        let hash = self.rng.u64(..);
        let candidate = Candidate { feed, key, hash, content, topics, fingerprint, sketch: Sketch::default() };
        Decided { candidate, verdict }
    }

    /// None to three, each with what it rests on.
    fn topics(&mut self, title: &str) -> Vec<TopicMatch> {
        let mut topics = Vec::new();
        for _ in 0..self.rng.usize(0..=3) {
            let id = self.topics[self.rng.usize(0..TOPICS)].clone();
            let evidence = title.split(' ').take(1).map(|word| Evidence {
                rule: "أسماء المدن".to_owned(),
                weight: 1.5,
                field: Field::Title,
                start: 0,
                end: u32::try_from(word.chars().count()).unwrap(),
                text: word.to_owned(),
            });
            let decision = if self.rng.u8(0..5) == 0 { Decision::Maybe } else { Decision::Match };
            if topics.iter().all(|topic: &TopicMatch| topic.id != id) {
                topics.push(TopicMatch { id, decision, score: 3.0, evidence: evidence.collect() });
            }
        }
        topics
    }

    fn cursor(&mut self) -> FeedCursor {
        let rng = &mut self.rng;
        let mut key = || EntryKey(rng.u128(..).to_be_bytes());
        let seen = (0..SHOWN).map(|_| Seen { key: key(), url: Some(key()), hash: 7, page_tries: 0 }).collect();
        FeedCursor {
            validators: Validators::default(),
            validators_url: None,
            next: at(self.next),
            interval: Span::secs(900),
            failures: 0,
            not_modified: 0,
            seen,
            polls: self.next as u64,
            stored: self.next as u64,
            moved_to: None,
            moved_from: None,
            led_away: None,
            body_hash: Some(rng.u64(..)),
            distrusted: false,
            recurring: Default::default(),
        }
    }
}

pub fn feed(number: usize) -> FeedId {
    format!("wakala-{number:02}").parse().unwrap()
}

pub fn topic(number: usize) -> TopicId {
    format!("mawdu-{number:02}").parse().unwrap()
}

/// When the item with this number is fetched and stored.
pub fn at(number: usize) -> Timestamp {
    let begin: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
    begin + SignedDuration::from_millis(i64::try_from(number).unwrap() * 1_000 / PACE)
}

/// What is stored of an item, before it is compressed: the fields of the store's own record in the same encoding.
pub fn record(decided: &Decided, no: u64, stored_at: Timestamp, story: Option<ItemId>) -> Vec<u8> {
    let Decided { candidate, verdict } = decided;
    let Candidate { feed, key, hash, content, topics, fingerprint, sketch: _ } = candidate;
    let id = ItemId::of(feed, *key);
    let head = (id, key, hash, fingerprint.content, no, feed, content);
    let story = story.map(|story| story.to_string());
    postcard::to_stdvec(&(head, stored_at.as_nanosecond(), 1u32, topics, verdict, story)).unwrap()
}

/// What is stored of a fingerprint: shingles take four bytes each.
pub fn fingerprint(decided: &Decided, id: ItemId, stored_at: Timestamp) -> Vec<u8> {
    let Fingerprint { content, title, shingles, numbers, openings, sketch, vocabulary, words, title_words } =
        &decided.candidate.fingerprint;
    let published = decided.candidate.content.published_at.as_nanosecond();
    let shingles: Vec<u8> = shingles.iter().flat_map(|shingle| shingle.to_be_bytes()).collect();
    let head = (id, stored_at.as_nanosecond(), published, content, title, numbers, openings, sketch);
    postcard::to_stdvec(&(head, vocabulary, words, title_words, Bytes(&shingles))).unwrap()
}

struct Bytes<'a>(&'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

/// Key and value of a log record.
pub const LOG_RECORD: u64 = 48;

/// The bytes of all keys and values that an item calls for, compressed as the store does; without its log record.
pub fn live(decided: &Decided, story: Option<ItemId>, zstd: &mut zstd::bulk::Compressor<'_>) -> u64 {
    let (candidate, at) = (&decided.candidate, decided.candidate.content.fetched_at);
    let id = ItemId::of(&candidate.feed, candidate.key);
    let item = zstd.compress(&record(decided, 1, at, story)).unwrap().len() + 8 + 3;
    // The ids; by time, feed and topic: a name, a zero byte, time, number, flags.
    let place = 8 + 8 + 1;
    let listed = candidate.topics.iter().map(|topic| topic.id.as_str().len() + 1 + place).sum::<usize>();
    let mut bytes = item + (16 + 17) + place + (candidate.feed.as_str().len() + 1 + place) + listed;
    // By address, and by story or as a copy (its listing has the address, too) or by content with a fingerprint.
    bytes += 16 + 8 + story.map_or(0, |_| 16 + place);
    bytes += if decided.verdict.kind.is_duplicate() {
        17 + 16 + 16 + 40 + candidate.content.url.as_ref().map_or(0, |url| url.as_str().len())
    } else {
        (16 + 8) + 8 + 3 + fingerprint(decided, id, at).len()
    };
    bytes as u64
}
