//! The parameters of the routes: what each is called, what it may be, what it says.
//!
//! In: nothing. Out: [`Param`] values, which a handler reads its query by and the OpenAPI document shows: one list for
//! both, so that neither can say something else.
//! Not here: the typed values ([`super::request`]).

use schemars::{Schema, SchemaGenerator};
use serde_json::{Value, json};

use crate::units::{LARGEST, Span};

/// A parameter of a route.
#[derive(Clone, Copy, Debug)]
pub(super) struct Param {
    /// As it stands in the query or in the path.
    pub(super) name: &'static str,
    /// What it may be.
    pub(super) kind: Kind,
    /// What it does.
    pub(super) about: &'static str,
    /// Whether it may be given several times.
    pub(super) repeated: bool,
    /// Whether it has to be given in a query; one in a path always is.
    required: bool,
}

/// What a parameter may be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// A whole number in these bounds, both included; the default.
    Whole(u64, u64, Option<u64>),
    /// The id of a feed or a topic.
    Id,
    /// What names an item: its id, or a position in the log.
    Item,
    /// A point in time, or a span back from now.
    Time,
    /// A time to wait, up to 60 s.
    Wait,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A language tag.
    Language,
    /// Where a page ended, as its answer said.
    Cursor,
    /// Text of so many characters at most.
    Text(usize),
}

impl Param {
    pub(super) const fn new(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, kind, about, repeated: false, required: false }
    }

    pub(super) const fn several(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, kind, about, repeated: true, required: false }
    }

    pub(super) const fn required(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, kind, about, repeated: false, required: true }
    }

    /// The parameter object of an OpenAPI document.
    pub(super) fn describe(&self, place: &str) -> Value {
        let mut schema = self.kind.schema();
        if self.repeated {
            schema = json!({ "type": "array", "items": schema, "maxItems": super::request::MAX_REPEATED });
        }
        json!({
            "name": self.name, "in": place, "description": self.about, "required": self.required || place == "path", "schema": schema,
        })
    }
}

/// The longest span of each unit, in digits: what is longer reaches back before any calendar.
const SPANS: [(&str, usize); 5] = [("ms", 13), ("s", 10), ("m", 9), ("h", 7), ("d", 6)];

impl Kind {
    /// Whether a value is one of those that the document promises to take.
    pub(super) fn takes(self, text: &str) -> bool {
        match self {
            Self::Whole(least, most, _) => whole(text).is_some_and(|n| (least..=most).contains(&n)),
            Self::Id => text.parse::<crate::id::FeedId>().is_ok(),
            Self::Item => super::items::Name::read(text).is_some(),
            // What is no span is looked at where `now` is known.
            Self::Time => text.parse::<Span>().is_err() || is_span(text),
            Self::Wait => whole(text).is_some_and(|n| n <= 60) || (is_span(text) && short(text)),
            Self::OneOf(words) => words.contains(&text),
            Self::Language => {
                (2..=35).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            }
            Self::Text(most) => !text.is_empty() && text.chars().count() <= most,
            Self::Cursor => text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit()),
        }
    }

    /// What it may be, in words.
    pub(super) fn allowed(self) -> String {
        match self {
            Self::Whole(least, u64::MAX, _) => format!("a whole number from {least}"),
            Self::Whole(least, most, _) => format!("a whole number from {least} to {most}"),
            Self::Id => "an id of small letters, digits and hyphens".to_owned(),
            Self::Item => super::items::Name::ALLOWED.to_owned(),
            Self::Time => super::request::TIME.to_owned(),
            Self::Wait => "a time from 0 to 60 s, such as `30s`".to_owned(),
            Self::OneOf(words) => format!("`{}`", words.join("` or `")),
            Self::Language => "a language tag such as `ar`".to_owned(),
            Self::Text(most) => format!("1 to {most} characters of text"),
            Self::Cursor => "where a page ended; take the `next` of the page before".to_owned(),
        }
    }

    /// As JSON Schema.
    pub(super) fn schema(self) -> Value {
        match self {
            Self::Whole(least, most, default) => {
                // Larger ones lose digits in many programs; the log never grows so long.
                let mut schema = json!({ "type": "integer", "minimum": least, "maximum": most.min(LARGEST) });
                if let Some(default) = default {
                    schema["default"] = default.into();
                }
                schema
            }
            Self::Id => json!({ "type": "string", "pattern": "^[a-z0-9-]{1,64}$", "minLength": 1, "maxLength": 64 }),
            Self::Item => {
                json!({ "type": "string", "pattern": "^([0-9a-fA-F]{32}|[0-9]{1,19})$", "minLength": 1, "maxLength": 32 })
            }
            Self::Time => {
                let spans: Vec<String> =
                    SPANS.iter().map(|(unit, digits)| format!("[0-9]{{1,{digits}}}{unit}")).collect();
                json!({ "anyOf": [
                    { "type": "string", "format": "date-time" },
                    { "type": "string", "format": "date" },
                    { "type": "string", "pattern": format!("^({})$", spans.join("|")), "maxLength": 15 },
                ] })
            }
            Self::Wait => {
                json!({ "type": "string", "default": "0", "pattern": "^([0-9]|[1-5][0-9]|60)s?$", "maxLength": 3 })
            }
            Self::OneOf(words) => json!({ "type": "string", "enum": words }),
            Self::Language => {
                json!({ "type": "string", "pattern": "^[A-Za-z0-9-]{2,35}$", "minLength": 2, "maxLength": 35 })
            }
            Self::Text(most) => json!({ "type": "string", "minLength": 1, "maxLength": most }),
            Self::Cursor => {
                json!({ "type": "string", "pattern": "^[0-9a-fA-F]{32}$", "minLength": 32, "maxLength": 32 })
            }
        }
    }
}

/// A point in time in a body, which may be left out.
pub(super) fn optional_time(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "anyOf": [Kind::Time.schema(), { "type": "null" }] })
}

/// A whole number, written with digits alone.
pub(super) fn whole(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn is_span(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    SPANS.iter().any(|(unit, most)| (1..=*most).contains(&digits) && text.get(digits..) == Some(unit))
}

fn short(text: &str) -> bool {
    text.parse::<Span>().is_ok_and(|span| span.get().as_secs_f64() <= 60.0)
}

const LANGUAGE: &str = "Only items in this language, such as `ar`.";
const SINCE: &str = "Only items published since: a time, a date, or a span back from now.";
const UNTIL: &str = "Only items published before.";
const INCLUDE: &str = "`duplicates` lists copies by themselves, too.";
const CURSOR: &str = "The `next` of the page before.";

/// Of `/api/v1/items`.
pub(super) const ITEMS: &[Param] = &[
    Param::new("topic", Kind::Id, "Only items about this topic."),
    Param::new("feed", Kind::Id, "Only items from this feed."),
    Param::new("language", Kind::Language, LANGUAGE),
    Param::new("since", Kind::Time, SINCE),
    Param::new("until", Kind::Time, UNTIL),
    Param::new("limit", Kind::Whole(1, 500, Some(50)), "How many items a page has."),
    Param::new("include", Kind::OneOf(&["duplicates"]), INCLUDE),
    Param::new("cursor", Kind::Cursor, CURSOR),
];

const TOPICS: Param = Param::several(
    "topic",
    Kind::Id,
    "Only records of items about one of these topics, and those that tell that one is not any more.",
);
const FEEDS: Param = Param::several("feed", Kind::Id, "Only records of items from one of these feeds.");
const KINDS: Param = Param::several(
    "kind",
    Kind::OneOf(&["new", "revised", "duplicate", "reclassified", "removed"]),
    "Only records that tell one of these.",
);
const LANGUAGES: Param = Param::several(
    "language",
    Kind::Language,
    "Only records of items in one of these languages; `ar` takes `ar-EG`, too.",
);
const RECORDS: Param = Param::new(
    "limit",
    Kind::Whole(1, super::log::MAX_LIMIT as u64, Some(super::log::DEFAULT_LIMIT as u64)),
    "How many records an answer has at most.",
);
const WAIT: Param = Param::new("wait", Kind::Wait, "How long to wait for a record where there is none yet.");

/// Of `/api/v1/log`.
pub(super) const LOG: &[Param] = &[
    Param::new("after", Kind::Whole(0, u64::MAX, Some(0)), "The position read last; 0 is the beginning."),
    RECORDS,
    WAIT,
    TOPICS,
    FEEDS,
    KINDS,
    LANGUAGES,
];

/// Of `/api/v1/stream`.
pub(super) const STREAM: &[Param] = &[
    Param::new(
        "after",
        Kind::Whole(0, u64::MAX, None),
        "Where to begin, unless `Last-Event-ID` says it; without either, at the end of the log.",
    ),
    TOPICS,
    FEEDS,
    KINDS,
    LANGUAGES,
];

/// Of reading as a consumer, which has its filter.
pub(super) const CONSUMER_READ: &[Param] = &[RECORDS, WAIT];

/// Of `/api/v1/search`.
pub(super) const SEARCH: &[Param] = &[
    Param::required("q", Kind::Text(crate::search::MAX_QUERY), super::search::Q),
    Param::new("topic", Kind::Id, "Only items about this topic."),
    Param::new("feed", Kind::Id, "Only items from this feed."),
    Param::new("language", Kind::Language, LANGUAGE),
    Param::new("since", Kind::Time, SINCE),
    Param::new("until", Kind::Time, UNTIL),
    Param::new(
        "limit",
        Kind::Whole(1, crate::search::MAX_PAGE as u64, Some(super::search::DEFAULT_LIMIT as u64)),
        "How many items a page has.",
    ),
    Param::new("cursor", Kind::Text(super::request::MAX_VALUE), CURSOR),
    Param::new("sort", Kind::OneOf(&["relevance", "newest"]), "What comes first."),
    Param::new("include", Kind::OneOf(&["duplicates"]), INCLUDE),
];

const ENTRIES: Param = Param::new(
    "limit",
    Kind::Whole(1, super::outgoing::MAX_LIMIT as u64, Some(super::outgoing::DEFAULT_LIMIT as u64)),
    "How many items the feed has.",
);

/// Of `/api/v1/feed.atom` and `/api/v1/feed.json`.
pub(super) const OUTGOING: &[Param] = &[
    Param::new("topic", Kind::Id, "Only items about this topic."),
    Param::new("feed", Kind::Id, "Only items from this feed."),
    Param::new("language", Kind::Language, LANGUAGE),
    Param::new("q", Kind::Text(crate::search::MAX_QUERY), super::search::Q),
    Param::new("since", Kind::Time, SINCE),
    ENTRIES,
];

/// Of `/topics/{file}`.
pub(super) const OUTGOING_TOPIC: &[Param] =
    &[Param::new("language", Kind::Language, LANGUAGE), Param::new("since", Kind::Time, SINCE), ENTRIES];

/// Of `/api/v1/volume`.
pub(super) const VOLUME: &[Param] = &[
    Param::new("by", Kind::OneOf(&["topic", "feed", "all"]), "What is counted apart; `topic` unless said."),
    Param::new("bucket", Kind::OneOf(&["hour", "day"]), "How long each count is of; `day` unless said."),
    Param::new("since", Kind::Time, "When the first hour or day is; at most 1,000 of them before `until`."),
    Param::new("until", Kind::Time, "When the last hour or day ends; now unless said."),
];

/// Of `/api/v1/corpus/matched`.
pub(super) const MATCHED: &[Param] = &[Param::new(
    "limit",
    Kind::Whole(1, super::corpus::MAX_COPIES as u64, Some(super::corpus::DEFAULT_COPIES as u64)),
    "How many copies of each document are shown.",
)];

/// Of `/api/v1/export`.
pub(super) const EXPORT: &[Param] = &[
    Param::new("records", Kind::OneOf(&["all", "items"]), "Whether items alone."),
    Param::new("topic", Kind::Id, "Only items about this topic."),
    Param::new("feed", Kind::Id, "Only items from this feed."),
    Param::new("language", Kind::Language, LANGUAGE),
    Param::new("since", Kind::Time, SINCE),
    Param::new("until", Kind::Time, UNTIL),
    Param::new("include", Kind::OneOf(&["duplicates"]), INCLUDE),
    Param::new("limit", Kind::Whole(1, crate::store::MAX_EXPORT_PAGE as u64, None), "How many records a page has."),
    Param::new("cursor", Kind::Text(super::request::MAX_VALUE), CURSOR),
];

/// Of `/api/v1/sinks/{name}/dead`.
pub(super) const DEAD: &[Param] = &[
    Param::new("after", Kind::Whole(0, u64::MAX, None), "Only letters after this position in the log."),
    Param::new(
        "limit",
        Kind::Whole(1, super::sinks::MAX_LIMIT as u64, Some(super::sinks::DEFAULT_LIMIT as u64)),
        "How many letters.",
    ),
];

/// Of `/api/v1/stories`.
pub(super) const STORIES: &[Param] = &[
    Param::new("since", Kind::Time, "Only stories with an item published since."),
    Param::new(
        "limit",
        Kind::Whole(1, super::stories::MAX_LIMIT as u64, Some(super::stories::DEFAULT_LIMIT as u64)),
        "How many stories.",
    ),
];

/// Of `/api/v1/items/{id}/passages`.
pub(super) const PASSAGES: &[Param] =
    &[Param::new("of", Kind::Item, "The item to compare with, instead of the one that the verdict names.")];

/// An item in a path.
pub(super) const ITEM: &[Param] =
    &[Param::new("id", Kind::Item, "An item: its id, or the position of any log record about it.")];

/// A story in a path.
pub(super) const STORY: &[Param] = &[Param::new("id", Kind::Item, "A story's id, or any item of it.")];

/// A feed in a path.
pub(super) const FEED: &[Param] = &[Param::new("id", Kind::Id, "The feed's id.")];

/// A consumer in a path.
pub(super) const CONSUMER: &[Param] = &[Param::new("name", Kind::Id, "The consumer's name.")];

/// A file of the page in a path.
pub(super) const FILE: &[Param] = &[Param::new("file", Kind::Text(64), "The file's name, such as `app.js`.")];

/// The feed of a topic in a path.
pub(super) const TOPIC_FILE: &[Param] =
    &[Param::new("file", Kind::Text(80), "The topic's id with `.atom` or `.json`, such as `csto.atom`.")];

/// A topic in a path.
pub(super) const TOPIC: &[Param] = &[Param::new("id", Kind::Id, "The topic's id.")];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_promised_is_taken_and_nothing_else() {
        for (kind, good, bad) in [
            (Kind::Whole(1, 500, None), &["1", "500", "007"][..], &["0", "501", "+5", "-1", "1.0", "", "١"][..]),
            (Kind::Id, &["bbc", "al-ain"], &["", "BBC", "عربي"]),
            (Kind::Item, &["1", "0123456789abcdef0123456789abcdef"], &["", "x", "-1"]),
            (Kind::Time, &["7d", "999999d", "2026-11-20"], &["1000000d", "99999999999999ms", "7 d"]),
            (Kind::Wait, &["0", "60", "60s", "20ms", "1m"], &["61", "61s", "2m", "-1", ""]),
            (Kind::OneOf(&["a", "b"]), &["a"], &["c", ""]),
            (Kind::Language, &["ar", "ar-EG"], &["a", "عر", "a_b"]),
            (Kind::Cursor, &["0000019aa1c8e50000000000000000ff"], &["", "0", "nonsense"]),
        ] {
            good.iter().for_each(|text| assert!(kind.takes(text), "{kind:?} {text}"));
            bad.iter().for_each(|text| assert!(!kind.takes(text), "{kind:?} {text}"));
        }
    }
}
