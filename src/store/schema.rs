//! What is stored of an item and of its changes, byte for byte.
//!
//! In: the types of [`crate::item`]. Out: `[version byte][postcard]`, compressed where there is text, and back.
//! Promise: what was written by any version of the program so far is read; a version that is not known is an error that
//! names the record, never a guess.
//! Not here: what is stored of fingerprints ([`super::fingerprints`]), of the log ([`super::logged`]) and of feeds
//! ([`super::feeds`]), under which keys ([`super::keys`]).
//!
//! postcard writes fields one after another without their names. So the structs here are the store's own (a change in
//! `item.rs` does not touch them), none uses `flatten`, `skip` or `default`, and a struct that was released never
//! changes: another field means another struct with the next version byte, and the old one stays readable.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use url::Url;

use super::StoreError;
use super::packing::{self, OPEN};
use crate::dedup::{Original, Verdict, VerdictKind};
use crate::id::{ContentHash, EntryKey, FeedId, ItemId, Seq, TopicId};
use crate::item::{Content, Copy, Correction, Item, Judged, LogKind, PublishedFrom, TextFrom};
use crate::topic::{Decision, Evidence, Field, TopicMatch};

/// The layout of keys and trees. Another one means another generation of the store.
pub(super) const SCHEMA: u32 = 2;

const V1: u8 = 1;
const V2: u8 = 2;

/// An item as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stored {
    /// The position of its first log record, for ever.
    pub(super) no: u64,
    pub(super) key: EntryKey,
    /// `Candidate::hash`.
    pub(super) hash: u64,
    /// Of the normalized text.
    pub(super) content_hash: Option<ContentHash>,
    /// Whose text it has, where it keeps none of its own: an exact copy, letter for letter.
    pub(super) borrowed: Option<Borrowed>,
    /// How much of it is in the text that took its place; 0 where none did.
    pub(super) contained: f32,
    /// Without its copies; without its text where that is borrowed.
    pub(super) item: Item,
}

/// Text that is kept with another item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Borrowed {
    /// The item's number.
    pub(super) no: u64,
    /// The xxh3 of the text, to notice that it is another by now.
    pub(super) hash: u64,
}

impl Stored {
    pub(super) fn is_duplicate(&self) -> bool {
        self.item.verdict.kind.is_duplicate()
    }

    /// Whether new texts are compared with it. A duplicate is found through its original, unless a person made it one:
    /// then the original need not look like it.
    pub(super) fn is_compared(&self) -> bool {
        !self.is_duplicate() || self.item.judged.as_ref().is_some_and(|judged| judged.kind == Correction::Joined)
    }
}

/// The words of an item before they were replaced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Revision {
    /// Which of the item's revisions had them, from 1.
    pub revision: u32,
    /// The title then.
    pub title: String,
    /// The summary then.
    pub summary: String,
    /// The text then.
    pub text: String,
    /// When they were fetched.
    pub fetched_at: Timestamp,
    /// When they were replaced.
    pub replaced_at: Timestamp,
}

/// postcard has texts as it has bytes. That Arabic letters are what they should be takes the standard library a seventh of the
/// time of a listing.
fn long_text<'de, D: Deserializer<'de>>(from: D) -> Result<Cow<'static, str>, D::Error> {
    let bytes = <&[u8]>::deserialize(from)?;
    let text = simdutf8::basic::from_utf8(bytes).map_err(|_| D::Error::custom("the text is not UTF-8"))?;
    Ok(Cow::Owned(text.to_owned()))
}

#[derive(Serialize, Deserialize)]
struct ItemV1<'a> {
    id: [u8; 16],
    key: [u8; 16],
    hash: u64,
    content_hash: Option<[u8; 16]>,
    borrowed: Option<Borrowed>,
    seq: u64,
    feed: Cow<'a, str>,
    url: Option<Cow<'a, str>>,
    canonical_url: Option<Cow<'a, str>>,
    guid: Option<Cow<'a, str>>,
    title: Cow<'a, str>,
    summary: Cow<'a, str>,
    #[serde(deserialize_with = "long_text")]
    text: Cow<'a, str>,
    text_from: u8,
    authors: Cow<'a, [String]>,
    language: Option<Cow<'a, str>>,
    tags: Cow<'a, [String]>,
    image: Option<Cow<'a, str>>,
    published_at: i128,
    published_from: u8,
    fetched_at: i128,
    stored_at: i128,
    revision: u32,
    topics: Vec<TopicV1<'a>>,
    verdict: u8,
    of: Option<OriginalV1<'a>>,
    similarity: f32,
    story: Option<Cow<'a, str>>,
}

/// Written only where one of the two is there.
#[derive(Serialize, Deserialize)]
struct ItemV2<'a> {
    item: ItemV1<'a>,
    superseded: Option<([u8; 16], f32)>,
    judged: Option<JudgedV1<'a>>,
}

impl<'a> From<ItemV1<'a>> for ItemV2<'a> {
    fn from(item: ItemV1<'a>) -> Self {
        Self { item, superseded: None, judged: None }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct JudgedV1<'a> {
    kind: u8,
    of: OriginalV1<'a>,
    at: i128,
    why: Option<Cow<'a, str>>,
}

#[derive(Serialize, Deserialize)]
struct TopicV1<'a> {
    id: Cow<'a, str>,
    decision: u8,
    score: f32,
    evidence: Vec<EvidenceV1<'a>>,
}

#[derive(Serialize, Deserialize)]
struct EvidenceV1<'a> {
    rule: Cow<'a, str>,
    weight: f32,
    field: u8,
    start: u32,
    end: u32,
    text: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
pub(super) enum OriginalV1<'a> {
    Item([u8; 16]),
    Corpus(Cow<'a, str>, Cow<'a, str>),
}

#[derive(Serialize, Deserialize)]
struct RevisionV1<'a> {
    revision: u32,
    title: Cow<'a, str>,
    summary: Cow<'a, str>,
    text: Cow<'a, str>,
    fetched_at: i128,
    replaced_at: i128,
}

#[derive(Serialize, Deserialize)]
struct CopyV1<'a> {
    id: [u8; 16],
    feed: Cow<'a, str>,
    url: Option<Cow<'a, str>>,
    published_at: i128,
    kind: u8,
    similarity: f32,
    borrows: bool,
}

/// The numbers that stand for an enum's values on disk, for ever.
macro_rules! codes {
    ($code:ident, $of_code:ident, $type:ident { $($value:ident = $number:literal),+ $(,)? }) => {
        pub(super) const fn $code(value: $type) -> u8 {
            match value { $($type::$value => $number),+ }
        }
        pub(super) fn $of_code(code: u8) -> Result<$type, String> {
            match code {
                $($number => Ok($type::$value),)+
                other => Err(format!(concat!("no ", stringify!($type), " has the number {}"), other)),
            }
        }
    };
}
codes!(kind_code, kind_of, VerdictKind {
    New = 0, Revision = 1, Exact = 2, Near = 3, Contained = 4, Expands = 5, Update = 6, Related = 7,
});
codes!(log_code, log_of, LogKind { New = 0, Revised = 1, Duplicate = 2, Reclassified = 3, Removed = 4 });
codes!(text_from_code, text_from_of, TextFrom { Page = 0, Feed = 1, Summary = 2 });
codes!(published_from_code, published_from_of, PublishedFrom { Feed = 0, Page = 1, Fetch = 2 });
codes!(decision_code, decision_of, Decision { Maybe = 0, Match = 1 });
codes!(correction_code, correction_of, Correction { Split = 0, Joined = 1 });
codes!(field_code, field_of, Field { Title = 0, Summary = 1, Text = 2, Url = 3, Feed = 4, Language = 5 });

pub(super) fn encode_item(stored: &Stored) -> Result<Vec<u8>, StoreError> {
    let Stored { no, key, hash, content_hash, borrowed, contained, item } = stored;
    let Item { id, seq, feed, content, stored_at, revision, topics, verdict, .. } = item;
    let Item { superseded_by, judged, copies: _, story, .. } = item;
    let record = ItemV1 {
        id: id.0,
        key: key.0,
        hash: *hash,
        content_hash: content_hash.map(|hash| hash.0),
        borrowed: *borrowed,
        seq: seq.0,
        feed: feed.as_str().into(),
        url: content.url.as_ref().map(|url| url.as_str().into()),
        canonical_url: content.canonical_url.as_ref().map(|url| url.as_str().into()),
        guid: content.guid.as_deref().map(Cow::from),
        title: content.title.as_str().into(),
        summary: content.summary.as_str().into(),
        text: content.text.as_str().into(),
        text_from: text_from_code(content.text_from),
        authors: content.authors.as_slice().into(),
        language: content.language.as_deref().map(Cow::from),
        tags: content.tags.as_slice().into(),
        image: content.image.as_ref().map(|url| url.as_str().into()),
        published_at: content.published_at.as_nanosecond(),
        published_from: published_from_code(content.published_from),
        fetched_at: content.fetched_at.as_nanosecond(),
        stored_at: stored_at.as_nanosecond(),
        revision: *revision,
        topics: topics.iter().map(topic_v1).collect(),
        verdict: kind_code(verdict.kind),
        of: verdict.of.as_ref().map(original_v1),
        similarity: verdict.similarity,
        story: story.as_deref().map(Cow::from),
    };
    let what = || format!("item {no}");
    if superseded_by.is_none() && judged.is_none() {
        return packed(V1, &record, what);
    }
    let superseded = superseded_by.map(|by| (by.0, *contained));
    packed(V2, &ItemV2 { item: record, superseded, judged: judged.as_ref().map(judged_v1) }, what)
}

pub(super) fn decode_item(no: u64, bytes: &[u8]) -> Result<Stored, StoreError> {
    let what = || format!("item {no}");
    let record = if bytes.first().map(|version| version & !OPEN) == Some(V1) {
        unpacked::<ItemV1<'static>>(V1, bytes, what)?.into()
    } else {
        unpacked::<ItemV2<'static>>(V2, bytes, what)?
    };
    item_of(no, record).map_err(|error| damaged(what(), &error))
}

fn item_of(no: u64, record: ItemV2<'static>) -> Result<Stored, String> {
    let ItemV2 { item: record, superseded, judged } = record;
    let content = Content {
        url: url_of(record.url)?,
        canonical_url: url_of(record.canonical_url)?,
        guid: record.guid.map(Cow::into_owned),
        title: record.title.into_owned(),
        summary: record.summary.into_owned(),
        text: record.text.into_owned(),
        text_from: text_from_of(record.text_from)?,
        authors: record.authors.into_owned(),
        language: record.language.map(Cow::into_owned),
        tags: record.tags.into_owned(),
        image: url_of(record.image)?,
        published_at: time_of(record.published_at)?,
        published_from: published_from_of(record.published_from)?,
        fetched_at: time_of(record.fetched_at)?,
    };
    let item = Item {
        id: ItemId(record.id),
        seq: Seq(record.seq),
        feed: record.feed.parse::<FeedId>()?,
        content,
        stored_at: time_of(record.stored_at)?,
        revision: record.revision,
        topics: record.topics.into_iter().map(topic_of).collect::<Result<_, _>>()?,
        verdict: Verdict {
            kind: kind_of(record.verdict)?,
            of: record.of.map(original_of),
            similarity: record.similarity,
        },
        superseded_by: superseded.map(|(by, _)| ItemId(by)),
        judged: judged.map(judged_of).transpose()?,
        pinned: false,
        copies: Vec::new(),
        story: record.story.map(Cow::into_owned),
    };
    let (key, hash, content_hash) = (EntryKey(record.key), record.hash, record.content_hash.map(ContentHash));
    let contained = superseded.map_or(0.0, |(_, contained)| contained);
    Ok(Stored { no, key, hash, content_hash, borrowed: record.borrowed, contained, item })
}

fn topic_v1(topic: &TopicMatch) -> TopicV1<'_> {
    let evidence = topic.evidence.iter().map(|Evidence { rule, weight, field, start, end, text }| EvidenceV1 {
        rule: rule.into(),
        weight: *weight,
        field: field_code(*field),
        start: *start,
        end: *end,
        text: text.into(),
    });
    TopicV1 {
        id: topic.id.as_str().into(),
        decision: decision_code(topic.decision),
        score: topic.score,
        evidence: evidence.collect(),
    }
}

fn topic_of(topic: TopicV1<'static>) -> Result<TopicMatch, String> {
    let evidence = topic.evidence.into_iter().map(|evidence| {
        Ok(Evidence {
            rule: evidence.rule.into_owned(),
            weight: evidence.weight,
            field: field_of(evidence.field)?,
            start: evidence.start,
            end: evidence.end,
            text: evidence.text.into_owned(),
        })
    });
    Ok(TopicMatch {
        id: topic.id.parse::<TopicId>()?,
        decision: decision_of(topic.decision)?,
        score: topic.score,
        evidence: evidence.collect::<Result<_, String>>()?,
    })
}

pub(super) fn judged_v1(judged: &Judged) -> JudgedV1<'_> {
    let Judged { kind, of, at, why } = judged;
    let (kind, of) = (correction_code(*kind), original_v1(of));
    JudgedV1 { kind, of, at: at.as_nanosecond(), why: why.as_deref().map(Cow::from) }
}

pub(super) fn judged_of(judged: JudgedV1<'static>) -> Result<Judged, String> {
    let JudgedV1 { kind, of, at, why } = judged;
    let (kind, of) = (correction_of(kind)?, original_of(of));
    Ok(Judged { kind, of, at: time_of(at)?, why: why.map(Cow::into_owned) })
}

pub(super) fn original_v1(original: &Original) -> OriginalV1<'_> {
    match original {
        Original::Item(id) => OriginalV1::Item(id.0),
        Original::Corpus { corpus, document } => OriginalV1::Corpus(corpus.into(), document.into()),
    }
}

pub(super) fn original_of(original: OriginalV1<'static>) -> Original {
    match original {
        OriginalV1::Item(id) => Original::Item(ItemId(id)),
        OriginalV1::Corpus(corpus, document) => {
            Original::Corpus { corpus: corpus.into_owned(), document: document.into_owned() }
        }
    }
}

pub(super) fn encode_revision(revision: &Revision) -> Result<Vec<u8>, StoreError> {
    let Revision { revision, title, summary, text, fetched_at, replaced_at } = revision;
    let record = RevisionV1 {
        revision: *revision,
        title: title.into(),
        summary: summary.into(),
        text: text.into(),
        fetched_at: fetched_at.as_nanosecond(),
        replaced_at: replaced_at.as_nanosecond(),
    };
    packed(V1, &record, || format!("revision {revision}"))
}

pub(super) fn decode_revision(no: u64, bytes: &[u8]) -> Result<Revision, StoreError> {
    let what = || format!("a revision of item {no}");
    let record: RevisionV1<'static> = unpacked(V1, bytes, what)?;
    let times = || Ok((time_of(record.fetched_at)?, time_of(record.replaced_at)?));
    let (fetched_at, replaced_at) = times().map_err(|error: String| damaged(what(), &error))?;
    Ok(Revision {
        revision: record.revision,
        title: record.title.into_owned(),
        summary: record.summary.into_owned(),
        text: record.text.into_owned(),
        fetched_at,
        replaced_at,
    })
}

/// The most bytes of an address in a listing of copies: the whole one stands in the copy's own record.
const MAX_COPY_URL: usize = 2_000;

/// What the original's listing says of a copy, so that listing reads no other record.
pub(super) fn encode_copy(stored: &Stored) -> Result<Vec<u8>, StoreError> {
    let item = &stored.item;
    let url = item.content.url.as_ref().map(Url::as_str).filter(|url| url.len() <= MAX_COPY_URL);
    let superseded = (VerdictKind::Contained, stored.contained);
    let verdict = (item.verdict.kind, item.verdict.similarity);
    let (kind, similarity) = if stored.is_duplicate() { verdict } else { superseded };
    let record = CopyV1 {
        id: item.id.0,
        feed: item.feed.as_str().into(),
        url: url.map(Cow::from),
        published_at: item.content.published_at.as_nanosecond(),
        kind: kind_code(kind),
        similarity,
        borrows: stored.borrowed.is_some(),
    };
    plain(&record, || format!("the copy {}", item.id))
}

/// A copy, and whether it borrows its original's text.
pub(super) fn decode_copy(bytes: &[u8]) -> Result<(Copy, bool), StoreError> {
    let what = || "a listed copy".to_owned();
    let record: CopyV1<'static> = unplain(bytes, what)?;
    let borrows = record.borrows;
    let copy = || -> Result<Copy, String> {
        Ok(Copy {
            id: ItemId(record.id),
            feed: record.feed.parse()?,
            url: url_of(record.url)?,
            published_at: time_of(record.published_at)?,
            kind: kind_of(record.kind)?,
            similarity: record.similarity,
        })
    };
    copy().map(|copy| (copy, borrows)).map_err(|error| damaged(what(), &error))
}

/// Most records are no larger, in bytes: a buffer that grows is copied again and again.
const USUAL: usize = 8 << 10;

/// `[version][zstd(postcard)]`.
fn packed(version: u8, record: &impl Serialize, what: impl Fn() -> String) -> Result<Vec<u8>, StoreError> {
    let failed =
        |error: &dyn std::fmt::Display| StoreError::Engine(format!("{}: it cannot be encoded: {error}", what()));
    let bytes = postcard::to_extend(record, Vec::with_capacity(USUAL)).map_err(|error| failed(&error))?;
    // sled's own compression cannot be built beside a current zstd, and cannot be switched afterwards.
    let packed = packing::compress(&bytes).map_err(|error| failed(&error))?;
    Ok([&[version][..], &packed].concat())
}

fn unpacked<T: DeserializeOwned>(newest: u8, bytes: &[u8], what: impl Fn() -> String) -> Result<T, StoreError> {
    let rest = version(newest, bytes, &what)?;
    let version = bytes.first().copied().unwrap_or_default();
    let bytes = packing::bytes_of(version, rest).map_err(|error| damaged(what(), &error.to_string()))?;
    postcard::from_bytes(&bytes).map_err(|error| damaged(what(), &error.to_string()))
}

/// `[version][zstd]` of bytes that are no record of ours.
pub(super) fn packed_bytes(bytes: &[u8], what: impl Fn() -> String) -> Result<Vec<u8>, StoreError> {
    let packed = packing::compress(bytes)
        .map_err(|error| StoreError::Engine(format!("{}: it cannot be compressed: {error}", what())))?;
    Ok([&[V1][..], &packed].concat())
}

pub(super) fn unpacked_bytes(bytes: &[u8], what: impl Fn() -> String) -> Result<Vec<u8>, StoreError> {
    let rest = version_1(bytes, &what)?;
    zstd::stream::decode_all(rest).map_err(|error| damaged(what(), &error.to_string()))
}

/// `[version][postcard]`, for what is small or does not compress.
pub(super) fn plain(record: &impl Serialize, what: impl Fn() -> String) -> Result<Vec<u8>, StoreError> {
    encoded(V1, record, what)
}

/// The same, for a record of the second version.
pub(super) fn plain_2(record: &impl Serialize, what: impl Fn() -> String) -> Result<Vec<u8>, StoreError> {
    encoded(V2, record, what)
}

fn encoded(version: u8, record: &impl Serialize, what: impl Fn() -> String) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::with_capacity(USUAL / 4);
    bytes.push(version);
    postcard::to_extend(record, bytes)
        .map_err(|error| StoreError::Engine(format!("{}: it cannot be encoded: {error}", what())))
}

pub(super) fn unplain<T: DeserializeOwned>(bytes: &[u8], what: impl Fn() -> String) -> Result<T, StoreError> {
    let rest = version_1(bytes, &what)?;
    postcard::from_bytes(rest).map_err(|error| damaged(what(), &error.to_string()))
}

/// A record of the second version, or of the first, made one of the second.
pub(super) fn unplain_2<First, Second>(bytes: &[u8], what: impl Fn() -> String) -> Result<Second, StoreError>
where
    First: DeserializeOwned,
    Second: DeserializeOwned + From<First>,
{
    if bytes.first() == Some(&V1) {
        return unplain::<First>(bytes, what).map(Second::from);
    }
    let rest = version(V2, bytes, &what)?;
    postcard::from_bytes(rest).map_err(|error| damaged(what(), &error.to_string()))
}

pub(super) fn version_1<'a>(bytes: &'a [u8], what: &impl Fn() -> String) -> Result<&'a [u8], StoreError> {
    version(V1, bytes, what)
}

/// What is in a record of either version, where both begin alike.
pub(super) fn version_1_or_2<'a>(bytes: &'a [u8], what: &impl Fn() -> String) -> Result<&'a [u8], StoreError> {
    version(if bytes.first() == Some(&V1) { V1 } else { V2 }, bytes, what)
}

/// What is in a record of the version `newest`, the newest that is known of its kind.
fn version<'a>(newest: u8, bytes: &'a [u8], what: &impl Fn() -> String) -> Result<&'a [u8], StoreError> {
    match bytes.split_first() {
        Some((version, rest)) if version & !OPEN == newest => Ok(rest),
        Some((version, _)) => Err(StoreError::Corrupt {
            what: format!("{}: its record has the version {version}, and this program reads up to {newest}", what()),
            hint: "run the newer program that wrote it".to_owned(),
        }),
        None => Err(damaged(what(), "the record is empty")),
    }
}

pub(super) fn damaged(what: String, why: &str) -> StoreError {
    StoreError::Corrupt { what: format!("{what}: {why}"), hint: super::engine::REPAIR_HINT.to_owned() }
}

pub(super) fn time_of(nanoseconds: i128) -> Result<Timestamp, String> {
    Timestamp::from_nanosecond(nanoseconds).map_err(|error| error.to_string())
}

pub(super) fn url_of(url: Option<Cow<'_, str>>) -> Result<Option<Url>, String> {
    url.map(|url| Url::parse(&url).map_err(|error| format!("`{url}`: {error}"))).transpose()
}
