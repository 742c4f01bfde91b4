//! What the index holds of an item.
//!
//! In: an [`Item`]. Out: a document of the index.
//! Promise: a change of the fields, or of how words are read, is another [`version`], and an index of another version is made
//! anew. Nothing is kept here that the store does not have.
//!
//! Every word stands in two fields: as it is, and under every stem that it may be read as, at the same position. The words as
//! they are have no positions: where words stand to one another is asked of the stems.
//!
//! Two words next to each other that say nothing by themselves stand among the stems as a pair, too, at the place of the second:
//! half of the documents have في and half have عن, few have في عن, and a phrase of such words would have to look where they
//! stand in all of those.

use tantivy::schema::{
    BytesOptions, FAST, Field, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::{PreTokenizedString, Token};
use tantivy::{TantivyDocument, Term};

use crate::id::ItemId;
use crate::item::{Item, TextFrom};
use crate::text::forms::{self, Seen};
use crate::text::normalize;
use crate::text::stem::is_function;

/// Of the fields and of what they hold.
const FIELDS_VERSION: u32 = 2;

/// The version of an index: of its fields, of the normalizer and of the readings of words.
pub(super) fn version() -> String {
    format!("{FIELDS_VERSION}.{}.{}", normalize::VERSION, forms::VERSION)
}

/// Names of the fast fields.
pub(super) const PUBLISHED: &str = "published";
pub(super) const HIDDEN: &str = "hidden";
pub(super) const ID_HIGH: &str = "id_high";
pub(super) const ID_LOW: &str = "id_low";

/// Between the summary and the text: no phrase reaches across.
const GAP: usize = 100;
/// Longer words are noise, and the index would not take the longest.
const LONGEST_WORD: usize = 120;

/// Words of one kind: as they are, and their stems.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words {
    pub(super) exact: Field,
    pub(super) stems: Field,
}

/// The fields of the index.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields {
    id: Field,
    id_high: Field,
    id_low: Field,
    pub(super) title: Words,
    pub(super) text: Words,
    pub(super) author: Words,
    pub(super) feed: Field,
    pub(super) topic: Field,
    pub(super) language: Field,
    published: Field,
    hidden: Field,
}

impl Fields {
    pub(super) fn new() -> (Schema, Self) {
        let mut schema = Schema::builder();
        let words = |option, norms: bool| {
            let indexing = TextFieldIndexing::default().set_tokenizer("raw").set_index_option(option);
            TextOptions::default().set_indexing_options(indexing.set_fieldnorms(norms))
        };
        let (exact, stems) =
            (words(IndexRecordOption::WithFreqs, true), words(IndexRecordOption::WithFreqsAndPositions, false));
        let tag = words(IndexRecordOption::Basic, false);
        let number = || NumericOptions::default().set_fast();
        let fields = Self {
            id: schema.add_bytes_field("id", BytesOptions::default().set_indexed()),
            id_high: schema.add_u64_field(ID_HIGH, number()),
            id_low: schema.add_u64_field(ID_LOW, number()),
            title: Words {
                exact: schema.add_text_field("title", exact.clone()),
                stems: schema.add_text_field("title_stems", stems.clone()),
            },
            text: Words {
                exact: schema.add_text_field("text", exact.clone()),
                stems: schema.add_text_field("text_stems", stems.clone()),
            },
            author: Words {
                exact: schema.add_text_field("author", exact),
                stems: schema.add_text_field("author_stems", stems),
            },
            feed: schema.add_text_field("feed", tag.clone()),
            topic: schema.add_text_field("topic", tag.clone()),
            language: schema.add_text_field("language", tag),
            published: schema.add_i64_field(PUBLISHED, FAST),
            hidden: schema.add_u64_field(HIDDEN, number()),
        };
        (schema.build(), fields)
    }

    /// What an item is found by in order to be replaced.
    pub(super) fn id(self, id: ItemId) -> Term {
        Term::from_field_bytes(self.id, &id.0)
    }

    pub(super) fn document(self, item: &Item) -> TantivyDocument {
        let mut document = TantivyDocument::default();
        let (high, low) = halves(item.id);
        document.add_bytes(self.id, &item.id.0);
        document.add_u64(self.id_high, high);
        document.add_u64(self.id_low, low);
        document.add_i64(self.published, item.content.published_at.as_millisecond());
        document.add_u64(self.hidden, u64::from(item.is_hidden()));
        document.add_text(self.feed, item.feed.as_str());
        for topic in &item.topics {
            document.add_text(self.topic, topic.id.as_str());
        }
        // `ar` finds `ar-EG`, too.
        let language = item.content.language.as_deref().unwrap_or_default().to_ascii_lowercase();
        for (end, _) in language.match_indices('-').chain([(language.len(), "")]) {
            if let Some(tag) = language.get(..end).filter(|tag| !tag.is_empty()) {
                document.add_text(self.language, tag);
            }
        }
        add(&mut document, self.title, &[&item.content.title]);
        let content = &item.content;
        let own = content.text_from != TextFrom::Summary && !says(&content.text, content.summary.trim());
        let texts: &[&str] = if own { &[&content.summary, &content.text] } else { &[&content.text] };
        add(&mut document, self.text, texts);
        let authors: Vec<&str> = content.authors.iter().map(String::as_str).collect();
        add(&mut document, self.author, &authors);
        document
    }
}

/// Whether a text has all of another in it, not from within a word or up to within one.
fn says(text: &str, other: &str) -> bool {
    let part = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let mut found = text.match_indices(other);
    other.is_empty()
        || found.any(|(at, _)| {
            let (before, after) = (text.get(..at), text.get(at + other.len()..));
            !part(before.and_then(|text| text.chars().next_back())) && !part(after.and_then(|text| text.chars().next()))
        })
}

/// An id as two numbers, which the index keeps in little room.
pub(super) fn halves(id: ItemId) -> (u64, u64) {
    let id = u128::from_be_bytes(id.0);
    #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
    ((id >> 64) as u64, id as u64)
}

/// The id of two numbers.
pub(super) fn whole(high: u64, low: u64) -> ItemId {
    ItemId((u128::from(high) << 64 | u128::from(low)).to_be_bytes())
}

fn add(document: &mut TantivyDocument, fields: Words, texts: &[&str]) {
    let (mut exact, mut stems) = (Vec::new(), Vec::new());
    let mut begin = 0;
    // What the word before may be read as, as far as that says nothing by itself.
    let (mut before, mut small) = (Vec::new(), Vec::new());
    for text in texts {
        let mut count = 0;
        before.clear();
        forms::words(text, |seen: Seen<'_>, _| {
            count = seen.at + 1;
            small.clear();
            if seen.word.chars().count() <= LONGEST_WORD {
                let at = begin + seen.at;
                exact.push(token(seen.word, at));
                forms::of_word(seen, |stem| {
                    stems.push(token(stem, at));
                    if is_function(stem) {
                        stems.extend(before.iter().map(|first: &String| token(&pair(first, stem), at)));
                        small.push(stem.to_owned());
                    }
                });
            }
            std::mem::swap(&mut before, &mut small);
        });
        begin += count + GAP;
    }
    document.add_pre_tokenized_text(fields.exact, PreTokenizedString { text: String::new(), tokens: exact });
    document.add_pre_tokenized_text(fields.stems, PreTokenizedString { text: String::new(), tokens: stems });
}

/// How a pair of stems stands in the index: no stem has a space.
pub(super) fn pair(first: &str, second: &str) -> String {
    format!("{first} {second}")
}

fn token(text: &str, position: usize) -> Token {
    Token { offset_from: 0, offset_to: 0, position, text: text.to_owned(), position_length: 1 }
}
