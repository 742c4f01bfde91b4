//! The documents of one term in a segment, and where it stands in them.
//!
//! In: what the index keeps of the term. Out: [`List`], its documents span by span; [`Places`], its places in a document.
//! Promise: spans, and within a span documents, are asked for in ascending order.

use std::io;

use tantivy::directory::FileSlice;
use tantivy::positions::PositionReader;
use tantivy::postings::{BlockSegmentPostings, Postings as _, SegmentPostings, TermInfo};
use tantivy::{DocId, DocSet as _};

use super::set::{SPAN, Set};
use super::word::document;

/// Documents in a block of a list, but for its last.
const BLOCK: usize = 128;
/// To look for a document in a list takes about as long as to read so many.
const LOOK: u64 = 8;

/// The documents of one term.
pub(super) struct List {
    block: BlockSegmentPostings,
    at: usize,
    /// About how many of its documents are in a span.
    in_span: u64,
    /// How often the term stands in the documents behind, where that is counted: then none is passed over unread.
    behind: Option<u64>,
}

impl List {
    /// A list of a segment with so many documents.
    pub(super) fn new(block: BlockSegmentPostings, max_doc: DocId) -> Self {
        let in_span = u64::from(block.doc_freq()) * SPAN as u64 / u64::from(max_doc.max(1));
        Self { block, at: 0, in_span, behind: None }
    }

    pub(super) fn len(&self) -> u64 {
        u64::from(self.block.doc_freq())
    }

    /// Calls `each` with those documents of `among` that have the term, and perhaps with others of the span that begins with
    /// `base`: by how far behind it they are, and how often the term stands in each, 1 where that is not known.
    pub(super) fn span(&mut self, base: DocId, among: &Set, mut each: impl FnMut(usize, u32)) {
        if self.behind.is_some() || among.len() * LOOK > self.in_span {
            return self.whole_span(base, each);
        }
        for at in among.iter() {
            let doc = document(base, at);
            self.at = self.block.seek(doc);
            match self.block.docs().get(self.at) {
                Some(found) if *found == doc => each(at, self.block.freqs().get(self.at).copied().unwrap_or(1)),
                Some(_) => {}
                None => return,
            }
        }
    }

    /// As [`Self::span`], of all documents.
    fn whole_span(&mut self, base: DocId, mut each: impl FnMut(usize, u32)) {
        let end = base.saturating_add(SPAN as DocId);
        loop {
            let docs = self.block.docs();
            match docs.last() {
                None => return,
                Some(last) if *last < base => {
                    if docs.len() < BLOCK {
                        return;
                    }
                    if let Some(behind) = &mut self.behind {
                        *behind += self.block.freqs().iter().skip(self.at).map(|often| u64::from(*often)).sum::<u64>();
                        self.block.advance();
                        self.at = 0;
                    } else {
                        self.at = self.block.seek(base);
                    }
                    if self.block.docs().len() <= self.at && self.block.docs().len() < BLOCK {
                        return;
                    }
                    continue;
                }
                Some(_) => {}
            }
            let freqs = self.block.freqs();
            while let Some(doc) = docs.get(self.at).filter(|doc| **doc < end) {
                let often = freqs.get(self.at).copied().unwrap_or(1);
                if let Some(at) = doc.checked_sub(base) {
                    each(at as usize, often);
                }
                if let Some(behind) = &mut self.behind {
                    *behind += u64::from(often);
                }
                self.at += 1;
            }
            if self.at < docs.len() || docs.len() < BLOCK {
                return;
            }
            self.block.advance();
            self.at = 0;
        }
    }

    /// Keeps those documents of a span that have the term.
    pub(super) fn narrow(&mut self, base: DocId, set: &mut Set) {
        let mut have = Set::EMPTY;
        self.span(base, set, |at, _| have.insert(at));
        set.keep(&have);
    }
}

/// Where a term stands in documents.
pub(super) enum Places {
    /// Looked up document by document: where there are few to be looked at.
    Sought(Box<SegmentPostings>),
    /// Read for all documents of a span at once: where there are many.
    Flowing(Box<Flow>),
}

/// Places of a span.
pub(super) struct Flow {
    reader: PositionReader,
    /// How many of the term are before the span, and how many in it.
    from: u64,
    count: u32,
    /// For the documents of the span which are theirs.
    begins: Vec<u32>,
    lengths: Vec<u32>,
    /// A document's first place, and of the others how far each is from the one before; none before they are asked for.
    steps: Vec<u32>,
}

impl Places {
    /// Reads on from the first document; `list` has to be read from there, too.
    pub(super) fn flowing(list: &mut List, file: &FileSlice, term: &TermInfo) -> io::Result<Self> {
        let reader = PositionReader::open(file.read_bytes_slice(term.positions_range.clone())?)?;
        list.behind = Some(0);
        let (begins, lengths) = (vec![0; SPAN], vec![0; SPAN]);
        Ok(Self::Flowing(Box::new(Flow { reader, from: 0, count: 0, begins, lengths, steps: Vec::new() })))
    }

    /// Goes to a span, and calls `each` as [`List::span`].
    pub(super) fn fill(&mut self, list: &mut List, base: DocId, among: &Set, mut each: impl FnMut(usize, u32)) {
        let Self::Flowing(flow) = self else { return list.span(base, among, each) };
        let Flow { from, count, begins, lengths, steps, .. } = &mut **flow;
        *count = 0;
        steps.clear();
        list.span(base, among, |at, often| {
            each(at, often);
            begins[at] = *count;
            lengths[at] = often;
            *count += often;
        });
        *from = list.behind.unwrap_or_default().saturating_sub(u64::from(*count));
    }

    /// Adds the places in the document `at` of the span, which has the term; in order.
    pub(super) fn add(&mut self, base: DocId, at: usize, into: &mut Vec<u32>) {
        match self {
            Self::Sought(postings) => {
                if seek(postings, document(base, at)) {
                    postings.append_positions_with_offset(0, into);
                }
            }
            Self::Flowing(flow) => {
                let Flow { reader, from, count, begins, lengths, steps } = &mut **flow;
                if steps.is_empty() {
                    steps.resize(*count as usize, 0);
                    reader.read(*from, steps);
                }
                let begin = begins[at] as usize;
                let own = steps.get(begin..begin + lengths[at] as usize).unwrap_or_default();
                let mut place = 0;
                into.extend(own.iter().map(|step| {
                    place += step;
                    place
                }));
            }
        }
    }
}

/// Goes on to a document; whether it is there.
pub(super) fn seek(postings: &mut SegmentPostings, doc: DocId) -> bool {
    if postings.doc() < doc { postings.seek(doc) == doc } else { postings.doc() == doc }
}
