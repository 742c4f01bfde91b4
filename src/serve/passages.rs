//! `/api/v1/items/{id}/passages`: why an item has its verdict, and what became of it elsewhere.
//!
//! In: an item, and the one it is compared with: what its verdict names, or `of`. Out: the passages that the two share,
//! the figures that the verdict was given by, and, for an original, what each of its copies changed.
//! Promise: the words are those stored now, or, for a revision, those it had before; what cannot be shown says why.
//! Not here: finding passages ([`crate::dedup::passages`]).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::PathRejection;
use axum::http::Uri;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use url::Url;

use super::Shared;
use super::items::Name;
use super::params;
use super::problem::Problem;
use super::request::{Params, segment};
use crate::dedup::changes::Changes;
use crate::dedup::compare::Context;
use crate::dedup::corpus::Corpora;
use crate::dedup::passages::{Comparison, Side, compare, compare_with_fingerprint};
use crate::dedup::reason::Reason;
use crate::dedup::{Fingerprint, Original, Verdict, VerdictKind};
use crate::id::{FeedId, ItemId, Seq};
use crate::item::Item;
use crate::store::{Store, StoreError};

/// Copies of one original that are compared with it; the first published come first.
const MOST_COPIES: usize = 200;

/// Why an item has its verdict.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Explanation {
    /// The item.
    pub id: ItemId,
    /// The verdict that is stored with it.
    pub verdict: Verdict,
    /// What it is compared with; `null` where there is nothing to compare it with.
    pub of: Option<Original>,
    /// The other item; `null` where it is none, or not stored any more.
    pub original: Option<Party>,
    /// Why something that belongs here is missing.
    pub note: Option<String>,
    /// What speaks for the verdict.
    pub reason: Option<Reason>,
    /// The same in one sentence.
    pub why: Option<String>,
    /// What the two share; `ours` is this item.
    pub comparison: Option<Comparison>,
    /// What its copies changed, first published first.
    pub copies: Vec<CopyView>,
    /// Copies that are left out here.
    pub more_copies: u64,
}

/// An item as far as it has to be known to name it.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Party {
    /// Its id.
    pub id: ItemId,
    /// The position of the last log record about it.
    pub seq: Seq,
    /// Its feed.
    pub feed: FeedId,
    /// Where it stands.
    pub url: Option<Url>,
    /// Its title; the one it had, where an item is compared with its former words.
    pub title: String,
    /// When it was published; when its former words were fetched.
    pub published_at: Timestamp,
}

/// A copy of an item, and what was done to the text.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CopyView {
    /// The copy.
    #[serde(flatten)]
    pub party: Party,
    /// `exact`, `near` or `contained`.
    pub kind: VerdictKind,
    /// How much of the smaller text is in the larger, 0 to 1.
    pub similarity: f32,
    /// Seconds from the original's publication to its own; negative where it was published before.
    pub after: i64,
    /// What was done to the text.
    pub changes: Changes,
    /// The same in words; empty where nothing was.
    pub changed: Vec<String>,
}

pub(super) async fn show(
    axum::extract::State(shared): State<Shared>,
    path: Result<axum::extract::Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Json<Explanation>, Problem> {
    let params = Params::of(&uri, params::PASSAGES)?;
    let text = segment(path)?;
    let name = Name::read(&text).ok_or_else(|| Problem::parameter("id", &text, Name::ALLOWED))?;
    let other = match params.text("of") {
        Some(of) => Some(Name::read(of).ok_or_else(|| Problem::parameter("of", of, Name::ALLOWED))?),
        None => None,
    };
    let corpora = Arc::clone(&shared.loaded().corpora);
    let found = shared.blocking(move |state| {
        let Some(item) = current(&name, &state.store)? else { return Ok(None) };
        let other = match &other {
            Some(name) => match current(name, &state.store)? {
                Some(other) => Some(other),
                None => return Ok(Some(Err(()))),
            },
            None => None,
        };
        explain(&state.store, &corpora, &item, other).map(|found| Some(Ok(found)))
    });
    match found.await? {
        Some(Ok(found)) => Ok(Json(found)),
        Some(Err(())) => Err(Problem::missing(format!(
            "there is no item `{}` to compare with",
            params.text("of").unwrap_or_default()
        ))),
        None => Err(Problem::missing(format!("there is no item `{text}`"))),
    }
}

/// The item as it stands now: a log record may be of former words.
fn current(name: &Name, store: &Store) -> Result<Option<Item>, StoreError> {
    match name.find(store)? {
        Some(item) => store.item(item.id),
        None => Ok(None),
    }
}

fn explain(store: &Store, corpora: &Corpora, item: &Item, other: Option<Item>) -> Result<Explanation, StoreError> {
    let mut found = Explanation {
        id: item.id,
        verdict: item.verdict.clone(),
        of: other.as_ref().map(|other| Original::Item(other.id)).or_else(|| item.verdict.of.clone()),
        original: None,
        note: None,
        reason: None,
        why: None,
        comparison: None,
        copies: Vec::new(),
        more_copies: 0,
    };
    match (other, &found.of) {
        (Some(other), _) => found.beside(item, &other),
        (None, Some(Original::Item(id))) if *id == item.id => found.beside_former(item, store)?,
        (None, Some(Original::Item(id))) => match store.item(*id)? {
            Some(original) => found.beside(item, &original),
            None => found.note = Some("its original is not stored any more".to_owned()),
        },
        (None, Some(Original::Corpus { corpus, document })) => {
            let known = corpora.get(corpus).and_then(|corpus| corpus.document(document));
            match known {
                Some(known) => {
                    found.comparison = Some(compare_with_fingerprint(side(item), &known.fingerprint));
                    found.because(
                        &fingerprint(item),
                        &known.fingerprint,
                        Context { same_day: true, ..Context::default() },
                    );
                    found.note = Some(NO_TEXT.to_owned());
                }
                None => {
                    found.note =
                        Some(format!("no corpus `{corpus}` with the document `{document}` is loaded any more"));
                }
            }
        }
        (None, None) => {}
    }
    found.copies = copies(store, item)?;
    found.more_copies = item.copies.len().saturating_sub(MOST_COPIES) as u64;
    Ok(found)
}

/// Why there is no other column.
pub const NO_TEXT: &str = "a corpus keeps fingerprints and no text, so only this side of a passage can be shown, and its ends to a word or two";

impl Explanation {
    fn beside(&mut self, item: &Item, other: &Item) {
        self.comparison = Some(compare(side(item), side(other)));
        self.because(&fingerprint(item), &fingerprint(other), context(item, other));
        self.original = Some(party(other));
    }

    /// A revision: compared with the words that it replaced.
    fn beside_former(&mut self, item: &Item, store: &Store) -> Result<(), StoreError> {
        let Some(former) = store.revisions(item.id)?.pop() else {
            self.note = Some("the words it had before are not stored any more".to_owned());
            return Ok(());
        };
        let before = Side { title: &former.title, text: &former.text };
        self.comparison = Some(compare(side(item), before));
        let context = Context { same_address: true, same_day: true };
        self.because(&fingerprint(item), &Fingerprint::of(&former.title, &former.text), context);
        self.original = Some(Party { title: former.title, published_at: former.fetched_at, ..party(item) });
        Ok(())
    }

    fn because(&mut self, ours: &Fingerprint, theirs: &Fingerprint, context: Context) {
        let reason = Reason::of(ours, theirs, context);
        // Another item than the verdict names was asked for.
        let elsewhere = self.of != self.verdict.of;
        self.why = Some(match reason.kind {
            Some(kind) if elsewhere => format!("it would be `{}`: {}", name_of(kind), reason.in_words()),
            None if elsewhere => reason.in_words(),
            _ => said(&reason, &self.verdict, context),
        });
        self.reason = Some(reason);
    }
}

/// What makes a copy exact.
pub(super) const SAME: &str = "the same text, once spelling marks are left out";

/// Why two texts may be something else now than when they were judged.
const SINCE: &str = "a text was revised since, somebody judged it, or lines that many items had did not count";

/// The reason in words, with what tells it from the verdict that is stored.
fn said(reason: &Reason, verdict: &Verdict, context: Context) -> String {
    let now = reason.in_words();
    match (verdict.kind, reason.kind) {
        // A document has several readings, of which its fingerprint is one.
        (VerdictKind::Exact, _) if matches!(verdict.of, Some(Original::Corpus { .. })) => SAME.to_owned(),
        (VerdictKind::Revision, _) => format!("the same entry in other words; {now}"),
        (stored, Some(kind)) if stored == kind => now,
        (VerdictKind::Related, None) if context.same_address => format!("they stand at the same address; {now}"),
        (VerdictKind::New, _) => now,
        (_, Some(kind)) => {
            format!("{now}; compared again now it is `{}`: {SINCE}", name_of(kind))
        }
        (_, None) => format!("{now}; {SINCE}"),
    }
}

/// The kind as data has it.
fn name_of(kind: VerdictKind) -> String {
    format!("{kind:?}").to_lowercase()
}

fn context(item: &Item, other: &Item) -> Context {
    let days = item.content.published_at.duration_since(other.content.published_at).abs();
    Context {
        same_address: item.content.addresses().any(|url| other.content.addresses().any(|other| other == url)),
        same_day: days <= SignedDuration::from_hours(24),
    }
}

fn side(item: &Item) -> Side<'_> {
    Side { title: &item.content.title, text: &item.content.text }
}

fn fingerprint(item: &Item) -> Fingerprint {
    Fingerprint::of(&item.content.title, &item.content.text)
}

fn party(item: &Item) -> Party {
    Party {
        id: item.id,
        seq: item.seq,
        feed: item.feed.clone(),
        url: item.content.url.clone(),
        title: item.content.title.clone(),
        published_at: item.content.published_at,
    }
}

fn copies(store: &Store, item: &Item) -> Result<Vec<CopyView>, StoreError> {
    let mut views = Vec::with_capacity(item.copies.len().min(MOST_COPIES));
    for copy in item.copies.iter().take(MOST_COPIES) {
        let Some(stored) = store.item(copy.id)? else { continue };
        let changes = compare(side(&stored), side(item)).changes;
        views.push(CopyView {
            after: stored.content.published_at.duration_since(item.content.published_at).as_secs(),
            party: party(&stored),
            kind: copy.kind,
            similarity: copy.similarity,
            changes,
            changed: changes.in_words(),
        });
    }
    Ok(views)
}
