//! The tables, and how each is kept.
//!
//! In: nothing. Out: [`Table`]s with their names, whether other records can make them again, and what of a key is asked for.
//! Promise: numbers and names stand on disk and never change; new tables are added at the end.
//! Not here: what the keys mean ([`crate::store::keys`]).

/// One ordered map of bytes to bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(in crate::store) enum Table {
    Meta = 0,
    Items,
    Chunks,
    Ids,
    Log,
    ByTime,
    ByFeed,
    ByTopic,
    ByContent,
    ByUrl,
    Copies,
    Fingerprints,
    Revisions,
    Cursors,
    Polls,
    Unread,
    Judgements,
    Learned,
    Corrections,
    ByStory,
    Window,
    Consumers,
    Pins,
}

/// How a table is kept once it is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keeping {
    /// Large records, written once and seldom again: in files that are rewritten only when much of them is outdated.
    Bulk,
    /// Small records that people or feeds change: merged often, each with a checksum of its own.
    Small,
    /// Entries that follow from the records: merged often, compressed in blocks.
    Derived,
}

impl Table {
    /// All tables, in the order of their numbers. The numbers stand on disk: append only.
    pub(in crate::store) const ALL: [Self; 23] = [
        Self::Meta,
        Self::Items,
        Self::Chunks,
        Self::Ids,
        Self::Log,
        Self::ByTime,
        Self::ByFeed,
        Self::ByTopic,
        Self::ByContent,
        Self::ByUrl,
        Self::Copies,
        Self::Fingerprints,
        Self::Revisions,
        Self::Cursors,
        Self::Polls,
        Self::Unread,
        Self::Judgements,
        Self::Learned,
        Self::Corrections,
        Self::ByStory,
        Self::Window,
        Self::Consumers,
        Self::Pins,
    ];

    /// The tree's name on disk.
    pub(in crate::store) const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Items => "items",
            Self::Chunks => "chunks",
            Self::Ids => "ids",
            Self::Log => "log",
            Self::ByTime => "by_time",
            Self::ByFeed => "by_feed",
            Self::ByTopic => "by_topic",
            Self::ByContent => "by_content",
            Self::ByUrl => "by_url",
            Self::Copies => "copies",
            Self::Fingerprints => "fingerprints",
            Self::Revisions => "revisions",
            Self::Cursors => "cursors",
            Self::Polls => "polls",
            Self::Unread => "unread",
            Self::Judgements => "judgements",
            Self::Learned => "learned",
            Self::Corrections => "corrections",
            Self::ByStory => "by_story",
            Self::Window => "window",
            Self::Consumers => "consumers",
            Self::Pins => "pins",
        }
    }

    pub(super) fn of(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    pub(super) const fn keeping(self) -> Keeping {
        match self {
            Self::Items | Self::Chunks | Self::Log | Self::Fingerprints | Self::Revisions => Keeping::Bulk,
            Self::Ids
            | Self::ByTime
            | Self::ByFeed
            | Self::ByTopic
            | Self::ByContent
            | Self::ByUrl
            | Self::Copies
            | Self::ByStory => Keeping::Derived,
            Self::Meta
            | Self::Cursors
            | Self::Polls
            | Self::Unread
            | Self::Judgements
            | Self::Learned
            | Self::Corrections
            | Self::Window
            | Self::Consumers
            | Self::Pins => Keeping::Small,
        }
    }

    /// Whether other records can make it again.
    pub(in crate::store) fn is_derived(self) -> bool {
        self.keeping() == Keeping::Derived
    }

    /// How much of its keys is asked for at once: what a filter of a sealed file knows. None where ranges are asked for.
    pub(super) const fn asked(self) -> Option<usize> {
        match self {
            Self::ByTime | Self::ByFeed | Self::ByTopic => None,
            Self::ByContent | Self::ByUrl | Self::ByStory => Some(16),
            Self::Copies => Some(17),
            Self::Revisions => Some(8),
            _ => Some(usize::MAX),
        }
    }
}

/// The part of a key that filters know; none where they know nothing of the table, or of so short a key.
pub(super) fn asked(table: Table, key: &[u8]) -> Option<&[u8]> {
    match table.asked()? {
        usize::MAX => Some(key),
        length => key.get(..length),
    }
}
