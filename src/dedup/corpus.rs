//! Reference documents: texts to a pack, packs to what new texts are compared with.
//!
//! In: texts, or the bytes of packs. Out: [`Corpus`], [`Corpora`] and the documents a text matches.
//! Promise: packing is deterministic; a pack holds one-way hashes and weights of hashed terms, never a word; corpus
//! documents never expire, and none of their shingles is too common to count; matching takes one table over all corpora,
//! and looks at the documents that share what few have.
//! Not here: reading files (the command line), the bytes of a pack ([`super::pack`]).
//!
//! An exact copy of a document has the text of one of its *readings*. A publisher's feed gives a headline and a text, a
//! file of a corpus has the headline as its first line, and web pages repeat it: so the readings are the whole text, the
//! text without its first line, and so on while the first line is the title again.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::extract::html;
use crate::id::ContentHash;
use crate::text::hashed::Set;

use super::apart::apart;
use super::compare::{Context, Marks, Overlap, relate_unless_apart};
use super::fingerprint::Fingerprint;
use super::postings::Postings;
use super::{Original, VerdictKind, pack, terms};

pub use super::pack::PackError;

/// One text of a corpus, before it is packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorpusText {
    /// Its name within the corpus: the file's name without the extension.
    pub id: String,
    /// May be empty.
    pub title: String,
    /// Plain text; may begin with the title.
    pub text: String,
}

/// Why a file gave no texts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Neither text, nor HTML, nor JSON lines.
    #[error("{0}: a corpus is made of .txt, .html and .jsonl files")]
    Kind(String),
    /// A line of a `.jsonl` file that is not a document.
    #[error("{file}:{line}: not a document with `id`, `text` and, if it has one, `title`: {why}")]
    Line {
        /// Which file.
        file: String,
        /// Counted from 1.
        line: usize,
        /// What the reader said.
        why: String,
    },
}

/// The texts in a file: one in `.txt` (its first line that is not empty is the title) and `.html` (the article of a whole
/// page, all of a fragment), any number in `.jsonl` (an object with `id`, `title` and `text` on each line).
pub fn documents_of(file_name: &str, content: &str) -> Result<Vec<CorpusText>, TextError> {
    #[derive(Deserialize)]
    struct Line {
        id: String,
        #[serde(default)]
        title: String,
        text: String,
    }
    let name = file_name.rsplit(['/', '\\']).next().unwrap_or(file_name);
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let one = |text: String| {
        let title = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned();
        vec![CorpusText { id: stem.to_owned(), title, text }]
    };
    match extension.to_ascii_lowercase().as_str() {
        "txt" => Ok(one(content.trim_start_matches('\u{feff}').to_owned())),
        "html" | "htm" => Ok(match article(content) {
            Some((title, text)) => vec![CorpusText { id: stem.to_owned(), title, text }],
            None => one(html::plain(content)),
        }),
        "jsonl" | "ndjson" => {
            let lines = content.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
            let read = lines.map(|(i, line)| {
                let wrong = |why: serde_json::Error| TextError::Line {
                    file: name.to_owned(),
                    line: i + 1,
                    why: why.to_string(),
                };
                let Line { id, title, text } = serde_json::from_str(line).map_err(wrong)?;
                Ok(CorpusText { id, title, text })
            });
            read.collect()
        }
        _ => Err(TextError::Kind(name.to_owned())),
    }
}

/// The title and the article of a whole page; `None` of a fragment, and where nothing on it looks like an article.
fn article(content: &str) -> Option<(String, String)> {
    let begins = |tag: &str| content.as_bytes().windows(tag.len()).any(|at| at.eq_ignore_ascii_case(tag.as_bytes()));
    if !begins("<html") && !begins("<body") {
        return None;
    }
    // Dates on a page are told from other lines by it; a pack must not depend on the day it is made.
    let now = Timestamp::from_second(LATER_THAN_ANY_PAGE).ok()?;
    let base = Url::parse("http://localhost/").ok()?;
    let page = html::page_on_thread(content.to_owned(), base, html::Reading::new(now), PATIENCE).ok()?;
    let title = page.title.filter(|title| !title.trim().is_empty());
    let first = || page.text.lines().next().unwrap_or_default().to_owned();
    Some((title.unwrap_or_else(first), page.text))
}

/// The year 2100.
const LATER_THAN_ANY_PAGE: i64 = 4_102_444_800;

/// Far more than a page takes that is within the limits of the extraction.
const PATIENCE: Duration = Duration::from_secs(120);

/// One document of a corpus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorpusDocument {
    /// Its name, unique within the corpus.
    pub id: String,
    /// The hashes of its readings; sorted, distinct.
    pub exact: Vec<ContentHash>,
    /// What copies of it are recognized by.
    pub fingerprint: Fingerprint,
}

/// A set of reference documents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Corpus {
    /// Its name, as in `corpus:name/document`.
    pub name: String,
    /// Sorted by id.
    pub documents: Vec<CorpusDocument>,
    /// The strongest terms, as [`terms::term`] hashes them, with their weights. Sorted by hash.
    pub terms: Vec<(u32, f32)>,
}

impl Corpus {
    /// The corpus `name` of `texts`, in any order.
    pub fn of(name: &str, texts: &[CorpusText]) -> Result<Self, PackError> {
        let mut texts: Vec<&CorpusText> = texts.iter().collect();
        texts.sort_by(|a, b| a.id.cmp(&b.id));
        for name in std::iter::once(name).chain(texts.iter().map(|text| text.id.as_str())) {
            if name.is_empty() || name.chars().any(|c| c == '/' || c.is_whitespace() || c.is_control()) {
                return Err(PackError::BadName(name.to_owned()));
            }
        }
        if let Some(text) = texts.iter().zip(texts.iter().skip(1)).find(|(a, b)| a.id == b.id) {
            return Err(PackError::SameId(text.0.id.clone()));
        }
        let documents = texts.iter().map(|text| document(text)).collect::<Result<_, _>>()?;
        let words: Vec<(&str, &str)> = texts.iter().map(|text| (text.title.as_str(), text.text.as_str())).collect();
        Ok(Self { name: name.to_owned(), documents, terms: terms::weights(&words) })
    }

    /// The bytes of a pack; the same for the same texts, whatever their order.
    pub fn pack(name: &str, texts: &[CorpusText]) -> Result<Vec<u8>, PackError> {
        pack::write(&Self::of(name, texts)?)
    }

    /// Reads a pack.
    ///
    /// # Errors
    /// Other bytes, a damaged pack, or one whose fingerprints do not compare with this program's.
    pub fn read(bytes: &[u8]) -> Result<Self, PackError> {
        pack::read(bytes)
    }

    /// The document `id`.
    pub fn document(&self, id: &str) -> Option<&CorpusDocument> {
        let place = self.documents.binary_search_by(|document| document.id.as_str().cmp(id));
        place.ok().and_then(|at| self.documents.get(at))
    }

    /// The weight of a term (see [`terms::term`]) in this corpus, 0 where it has none.
    pub fn weight(&self, term: u32) -> f32 {
        let place = self.terms.binary_search_by_key(&term, |(term, _)| *term);
        place.ok().and_then(|i| self.terms.get(i)).map_or(0.0, |(_, weight)| *weight)
    }
}

fn document(text: &CorpusText) -> Result<CorpusDocument, PackError> {
    let fingerprint = Fingerprint::of(&text.title, &text.text);
    let mut exact: Vec<ContentHash> = fingerprint.content.into_iter().collect();
    let mut rest = text.text.trim_start();
    loop {
        exact.extend(Fingerprint::of("", rest).content);
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        if text.title.trim().is_empty() || line.trim() != text.title.trim() || after.trim().is_empty() {
            break;
        }
        rest = after.trim_start();
    }
    // Where the text begins otherwise than with the title, a page shows the title above it.
    exact.extend(Fingerprint::of("", &format!("{}\n{rest}", text.title)).content);
    exact.sort_unstable();
    exact.dedup();
    if exact.is_empty() {
        return Err(PackError::NoWords(text.id.clone()));
    }
    Ok(CorpusDocument { id: text.id.clone(), exact, fingerprint })
}

/// A document of a corpus that a text matches.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CorpusMatch {
    /// The corpus.
    pub corpus: String,
    /// The document.
    pub document: String,
    /// `exact`, `near`, `contained`, `expands`, `update` or `related`.
    pub kind: VerdictKind,
    /// How much of the smaller text is in the larger, 0 to 1.
    pub similarity: f32,
    /// Shingles of both to shingles of either, 0 to 1.
    pub jaccard: f32,
    /// Shingles of both.
    pub shared: u32,
}

impl CorpusMatch {
    /// The document as a verdict names it.
    pub fn original(&self) -> Original {
        Original::Corpus { corpus: self.corpus.clone(), document: self.document.clone() }
    }
}

/// A shingle that more documents have is no reason to look at one, but counts where another one is: a line of the house
/// stands in all texts of a publisher.
const COMMON: usize = 64;

/// Documents that are named at most.
pub const MOST_MATCHES: usize = 100;

/// With fewer shared shingles two texts are never related (see [`relate_unless_apart`]).
const LEAST_SHARED: usize = super::compare::LEAST_SHARED as usize;

/// All corpora, loaded.
#[derive(Debug, Default)]
pub struct Corpora {
    corpora: Vec<Corpus>,
    /// Every document, numbered over all corpora: which corpus, which document of it, what it looks like.
    documents: Vec<(usize, usize, Marks)>,
    shingles: Postings,
    exact: HashMap<ContentHash, u32>,
}

impl Corpora {
    /// These corpora, in any order. Where one text is in several, the first by name is the original.
    pub fn new(mut corpora: Vec<Corpus>) -> Self {
        corpora.sort_by(|a, b| a.name.cmp(&b.name));
        let (mut all, mut shingles) = (Self { corpora, ..Self::default() }, Vec::new());
        for (c, corpus) in all.corpora.iter().enumerate() {
            for (d, document) in corpus.documents.iter().enumerate() {
                let number = u32::try_from(all.documents.len()).unwrap_or(u32::MAX);
                all.documents.push((c, d, Marks::of(&document.fingerprint)));
                shingles.extend(document.fingerprint.shingles.iter().map(|shingle| (*shingle, number)));
                for content in &document.exact {
                    all.exact.entry(*content).or_insert(number);
                }
            }
        }
        all.shingles = Postings::of(shingles.into_iter());
        all
    }

    /// The corpora, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Corpus> {
        self.corpora.iter()
    }

    /// The corpus `name`.
    pub fn get(&self, name: &str) -> Option<&Corpus> {
        let place = self.corpora.binary_search_by(|corpus| corpus.name.as_str().cmp(name));
        place.ok().and_then(|at| self.corpora.get(at))
    }

    /// The documents that a text has something in common with, best first.
    pub fn matches(&self, title: &str, text: &str) -> Vec<CorpusMatch> {
        self.matches_of(&Fingerprint::of(title, text))
    }

    /// The documents that a text with this fingerprint has something in common with, best first; at most
    /// [`MOST_MATCHES`].
    pub fn matches_of(&self, fingerprint: &Fingerprint) -> Vec<CorpusMatch> {
        let marks = Marks::of(fingerprint);
        let exact = fingerprint.content.and_then(|content| self.exact.get(&content)).copied();
        let (mut rare, mut common): (Vec<u32>, Vec<u32>) =
            fingerprint.shingles.iter().partition(|shingle| self.shingles.count(**shingle) <= COMMON);
        if common.len() * 2 > fingerprint.shingles.len() {
            // A text that many documents are versions of.
            rare.append(&mut common);
        }
        let common: Set<u32> = common.into_iter().collect();
        let mut hits: Vec<u32> = rare.iter().flat_map(|shingle| self.shingles.documents(*shingle)).collect();
        hits.extend(exact);
        hits.sort_unstable();
        let mut matches: Vec<CorpusMatch> = hits
            .chunk_by(|a, b| a == b)
            // Among tens of thousands of documents hundreds share a figure of speech with any text.
            .filter(|same| same.len() + common.len() >= LEAST_SHARED || same.first().copied() == exact)
            .filter_map(|same| {
                let number = *same.first()?;
                let (c, d, known) = self.documents.get(number as usize)?;
                let (corpus, is_exact) = (self.corpora.get(*c)?, exact == Some(number));
                let document = corpus.documents.get(*d)?;
                let theirs = &document.fingerprint.shingles;
                let in_common = theirs.iter().filter(|shingle| common.contains(shingle)).count();
                let shared = same.len() - usize::from(is_exact) + in_common;
                let shared = u32::try_from(shared).unwrap_or(u32::MAX);
                let overlap = Overlap { shared, new: marks.shingles, known: known.shingles };
                let context = Context { same_day: true, ..Context::default() };
                let apart = || apart(&fingerprint.shingles, theirs);
                let relation = relate_unless_apart(&marks, known, overlap, context, apart);
                let (kind, similarity) = match relation {
                    _ if is_exact => (VerdictKind::Exact, 1.0),
                    Some(relation) => (relation.kind, relation.similarity),
                    None => return None,
                };
                let (corpus, document, jaccard) = (corpus.name.clone(), document.id.clone(), overlap.jaccard());
                Some(CorpusMatch { corpus, document, kind, similarity, jaccard, shared })
            })
            .collect();
        // Stable: documents in the order of corpora and ids where nothing else tells them apart.
        matches.sort_by(|a, b| {
            let weaker = a.kind.weakness().cmp(&b.kind.weakness());
            weaker.then(b.similarity.total_cmp(&a.similarity)).then(b.shared.cmp(&a.shared))
        });
        matches.truncate(MOST_MATCHES);
        matches
    }
}
