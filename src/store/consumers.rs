//! Named consumers: how far each has dealt with the log.
//!
//! In: [`Consuming`]s. Out: [`Consumer`]s with their [`Lag`]; versioned records, and back.
//! Promise: as in [`super::schema`]. Reading moves nothing; an offset moves only by what its consumer acknowledges, never
//! beyond what is durable, and never back but by a reset. Any number of requests is one transaction; one that is refused
//! leaves the others alone.
//! Not here: reading the log ([`super::log`]), how requests reach the writer ([`crate::pipeline::commit`]).

use std::fmt;
use std::ops::Bound;
use std::str::FromStr;

use jiff::Timestamp;
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::engine::{Read, Table};
use super::log::{LogFilter, Missed};
use super::reader::Store;
use super::schema::{damaged, log_code, log_of, plain, time_of, unplain};
use super::staged::Staged;
use super::transfer::Reader;
use super::writer::{Change, LOG_BEGINS, Writer};
use super::{StoreError, keys, records, values};
use crate::id::{ConsumerName, Seq};
use crate::units::{LARGEST, whole};

/// The most consumers of a store: each is a handful of lines in `/metrics`.
pub const MAX_CONSUMERS: usize = 1_000;
/// The most entries of each list of a filter.
pub const MAX_FILTER: usize = 100;

/// A named reader of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumer {
    /// Its name.
    pub name: ConsumerName,
    /// The last position that it has dealt with; it reads on after it.
    pub offset: Seq,
    /// What it reads.
    pub filter: LogFilter,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last moved its offset by acknowledging.
    pub acked_at: Option<Timestamp>,
    /// How many positions it has acknowledged in all, those that its filter hides among them.
    pub acked: u64,
    /// What reads under this name (`api`, `webhook`, …), where that was said.
    pub kind: Option<String>,
}

/// How far a consumer is behind the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lag {
    /// Records after its offset that are in the log, those that its filter hides among them.
    pub records: u64,
    /// When the oldest of them was committed.
    pub oldest: Option<Timestamp>,
    /// Records after its offset that are not in the log any more.
    pub missed: Option<Missed>,
}

/// Where reading begins: `"beginning"` of what the log holds, its `"end"`, or after a position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// With the oldest record.
    #[default]
    Beginning,
    /// With what comes from now on.
    End,
    /// As if this were the last position that was acknowledged.
    After(Seq),
}

impl FromStr for Start {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "beginning" => Ok(Self::Beginning),
            "end" => Ok(Self::End),
            number => number.parse().map(|seq| Self::After(Seq(seq))).map_err(|_| {
                format!("`{text}` is not a start; write `beginning`, `end`, or the last position not to be read")
            }),
        }
    }
}

impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Beginning => f.write_str("beginning"),
            Self::End => f.write_str("end"),
            Self::After(seq) => seq.fmt(f),
        }
    }
}

impl Serialize for Start {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::After(seq) => seq.serialize(serializer),
            word => serializer.collect_str(word),
        }
    }
}

impl schemars::JsonSchema for Start {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Start".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "`beginning` of what the log holds, its `end`, or the last position not to be read.",
            "anyOf": [{ "enum": ["beginning", "end"] }, { "type": "integer", "minimum": 0, "maximum": 1_u64 << 53 }],
        })
    }
}

impl<'de> Deserialize<'de> for Start {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Start;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`beginning`, `end`, or a position in the log")
            }
            fn visit_f64<E: de::Error>(self, seq: f64) -> Result<Start, E> {
                let whole = whole(seq).ok_or_else(|| E::invalid_value(de::Unexpected::Float(seq), &self))?;
                self.visit_u64(whole)
            }
            fn visit_u64<E: de::Error>(self, seq: u64) -> Result<Start, E> {
                if seq > LARGEST {
                    return Err(E::invalid_value(de::Unexpected::Unsigned(seq), &self));
                }
                Ok(Start::After(Seq(seq)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Start, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// What is asked for a consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consuming {
    /// Make it where there is none of this name, or change what it reads.
    Put {
        /// Which.
        name: ConsumerName,
        /// What it reads from now on; none leaves that as it is, which for a new one is everything.
        filter: Option<LogFilter>,
        /// Where a new one begins; one that is there stays where it is.
        from: Start,
        /// What reads under this name; none leaves that as it is.
        kind: Option<String>,
    },
    /// It has dealt with everything up to a position.
    Ack {
        /// Which.
        name: ConsumerName,
        /// The position.
        seq: Seq,
    },
    /// It is to read on from somewhere else, also once more.
    Reset {
        /// Which.
        name: ConsumerName,
        /// From where.
        from: Start,
    },
    /// It is not needed any more.
    Remove {
        /// Which.
        name: ConsumerName,
    },
}

/// What came of a [`Consuming`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consumed {
    /// It was made.
    Created(Consumer),
    /// It was there, and stands like this now.
    Stands(Consumer),
    /// It is not there any more.
    Removed,
}

/// Why a [`Consuming`] was refused; nothing of it was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConsumeError {
    /// Make it first.
    #[error(
        "there is no consumer `{name}`; make it with `PUT /api/v1/consumers/{name}` and the body {{}}, or with \
         `rasid consumers read {name}`"
    )]
    Unknown {
        /// The name.
        name: ConsumerName,
    },
    /// Acknowledge what was read, not more.
    #[error("the position {seq} is after the end of the log, which is {last}")]
    Ahead {
        /// The position.
        seq: Seq,
        /// The end of the log.
        last: Seq,
    },
    /// It was acknowledged before.
    #[error("`{name}` has acknowledged up to {offset} already; to read again from {seq} on, reset it")]
    Behind {
        /// The consumer.
        name: ConsumerName,
        /// The position.
        seq: Seq,
        /// The consumer's.
        offset: Seq,
    },
    /// Remove one first.
    #[error("there are {MAX_CONSUMERS} consumers, which is the most; remove one that is not needed")]
    TooMany,
    /// Ask for less.
    #[error("a filter has at most {MAX_FILTER} topics, feeds, kinds and languages each")]
    TooLong,
    /// It could not be done now; why.
    #[error("{0}")]
    Failed(String),
}

#[derive(Serialize, Deserialize)]
struct ConsumerV1 {
    offset: u64,
    topics: Vec<String>,
    feeds: Vec<String>,
    kinds: Vec<u8>,
    languages: Vec<String>,
    created_at: i128,
    acked_at: Option<i128>,
    acked: u64,
    kind: Option<String>,
}

fn encode(consumer: &Consumer) -> Result<Vec<u8>, StoreError> {
    let Consumer { name, offset, filter, created_at, acked_at, acked, kind } = consumer;
    let LogFilter { topics, feeds, kinds, languages } = filter;
    let record = ConsumerV1 {
        offset: offset.0,
        topics: topics.iter().map(ToString::to_string).collect(),
        feeds: feeds.iter().map(ToString::to_string).collect(),
        kinds: kinds.iter().copied().map(log_code).collect(),
        languages: languages.clone(),
        created_at: created_at.as_nanosecond(),
        acked_at: acked_at.map(Timestamp::as_nanosecond),
        acked: *acked,
        kind: kind.clone(),
    };
    plain(&record, || what(name.as_str()))
}

fn decode(name: &ConsumerName, bytes: &[u8]) -> Result<Consumer, StoreError> {
    let record: ConsumerV1 = unplain(bytes, || what(name.as_str()))?;
    let read = || -> Result<Consumer, String> {
        let filter = LogFilter {
            topics: record.topics.iter().map(|topic| topic.parse()).collect::<Result<_, _>>()?,
            feeds: record.feeds.iter().map(|feed| feed.parse()).collect::<Result<_, _>>()?,
            kinds: record.kinds.iter().copied().map(log_of).collect::<Result<_, _>>()?,
            languages: record.languages,
        };
        Ok(Consumer {
            name: name.clone(),
            offset: Seq(record.offset),
            filter,
            created_at: time_of(record.created_at)?,
            acked_at: record.acked_at.map(time_of).transpose()?,
            acked: record.acked,
            kind: record.kind,
        })
    };
    read().map_err(|error| damaged(what(name.as_str()), &error))
}

fn what(name: &str) -> String {
    format!("the consumer `{name}`")
}

/// The name in a key.
fn name_of(key: &[u8]) -> Result<ConsumerName, StoreError> {
    let text = key.strip_suffix(b"\0").and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default();
    text.parse().map_err(|_| damaged(format!("the consumer {}", values::hex(key)), "its key is no consumer's name"))
}

/// A record of [`Table::Consumers`], by its key; none where there is none any more.
pub(super) fn at(read: &impl Read, key: &[u8]) -> Result<Option<Consumer>, StoreError> {
    of(read, &name_of(key)?)
}

fn of(read: &impl Read, name: &ConsumerName) -> Result<Option<Consumer>, StoreError> {
    let bytes = values::get(read, Table::Consumers, &keys::name(name.as_str()))?;
    bytes.map(|bytes| decode(name, &bytes)).transpose()
}

/// What is wrong with a record of [`Table::Consumers`] in a log that ends at `last`.
pub(super) fn check(read: &impl Read, key: &[u8], last: u64) -> Result<Option<String>, StoreError> {
    let name = name_of(key)?;
    let offset = of(read, &name)?.map_or(0, |consumer| consumer.offset.0);
    Ok((offset > last).then(|| format!("{}: its offset is {offset}, and the log ends at {last}", what(name.as_str()))))
}

/// Sets an offset after the end of a log to that end: positions after it come again, and it is to read them. What was wrong.
pub(super) fn mend(staged: &mut Staged<'_>, key: &[u8], last: u64) -> Result<Option<String>, StoreError> {
    let wrong = check(staged, key, last)?;
    if wrong.is_some()
        && let Some(consumer) = at(staged, key)?
    {
        values::put(staged, Table::Consumers, key, &encode(&Consumer { offset: Seq(last), ..consumer })?)?;
    }
    Ok(wrong.map(|wrong| format!("{wrong}; it reads on from there")))
}

impl Store {
    /// All consumers, by name.
    pub fn consumers(&self) -> Result<Vec<Consumer>, StoreError> {
        let mut consumers = Vec::new();
        for entry in self.inner.engine.scan(Table::Consumers, (Bound::Unbounded, Bound::Unbounded)) {
            // None: removed since.
            consumers.extend(at(&self.inner.engine, &entry?.0)?);
        }
        Ok(consumers)
    }

    /// The consumer of this name.
    pub fn consumer(&self, name: &ConsumerName) -> Result<Option<Consumer>, StoreError> {
        of(&self.inner.engine, name)
    }

    /// How far a consumer is behind the log.
    pub fn lag(&self, consumer: &Consumer) -> Result<Lag, StoreError> {
        let (last, begins) = (*self.inner.durable.borrow(), self.log_begins()?);
        let first = begins.max(consumer.offset.next());
        let records = last.next().0.saturating_sub(first.0);
        let oldest = if records > 0 { self.logged_at(first)? } else { None };
        Ok(Lag { records, oldest, missed: Missed::between(consumer.offset, begins) })
    }
}

impl Writer {
    /// Does what is asked, one after the other, in one transaction, and returns once it is durable: for each what came of
    /// it, or why it was refused. Acknowledging what is acknowledged already is harmless, and writes nothing.
    ///
    /// # Errors
    /// As [`Writer::commit`].
    pub fn consume(
        &mut self,
        at: Timestamp,
        asked: &[Consuming],
    ) -> Result<Vec<Result<Consumed, ConsumeError>>, StoreError> {
        self.write(Some(at), |change| {
            let done = asked.iter().map(|asked| match change.consume(at, asked) {
                // A record that is damaged concerns its consumer, not the others, and is no reason to stop.
                Err(StoreError::Corrupt { what, .. }) => {
                    Ok(Err(ConsumeError::Failed(format!("{what}; remove the consumer and make it again"))))
                }
                done => done,
            });
            done.collect()
        })
    }
}

impl Change<'_> {
    fn consume(&mut self, at: Timestamp, asked: &Consuming) -> Result<Result<Consumed, ConsumeError>, StoreError> {
        let last = Seq(self.next_seq.saturating_sub(1));
        let mut consumer = match asked {
            Consuming::Remove { name } => return self.remove_consumer(name),
            Consuming::Put { name, filter, from, kind } => {
                if filter.as_ref().is_some_and(too_long) {
                    return Ok(Err(ConsumeError::TooLong));
                }
                let Some(mut consumer) = of(&self.staged, name)? else {
                    return self.create(at, name, filter.clone(), *from, kind.clone());
                };
                consumer.filter = filter.clone().unwrap_or(consumer.filter);
                consumer.kind = kind.clone().or(consumer.kind);
                return self.put_consumer(consumer).map(|consumer| Ok(Consumed::Stands(consumer)));
            }
            Consuming::Ack { name, .. } | Consuming::Reset { name, .. } => match of(&self.staged, name)? {
                Some(consumer) => consumer,
                None => return Ok(Err(ConsumeError::Unknown { name: name.clone() })),
            },
        };
        match asked {
            Consuming::Ack { seq, .. } if *seq > last => return Ok(Err(ConsumeError::Ahead { seq: *seq, last })),
            Consuming::Ack { name, seq } if *seq < consumer.offset => {
                let (name, offset) = (name.clone(), consumer.offset);
                return Ok(Err(ConsumeError::Behind { name, seq: *seq, offset }));
            }
            Consuming::Ack { seq, .. } if *seq > consumer.offset => {
                consumer.acked = consumer.acked.saturating_add(seq.0 - consumer.offset.0);
                consumer.acked_at = Some(at);
                consumer.offset = *seq;
            }
            Consuming::Reset { from, .. } => match self.start(*from)? {
                Ok(offset) => consumer.offset = offset,
                Err(refused) => return Ok(Err(refused)),
            },
            _ => {}
        }
        self.put_consumer(consumer).map(|consumer| Ok(Consumed::Stands(consumer)))
    }

    fn create(
        &mut self,
        at: Timestamp,
        name: &ConsumerName,
        filter: Option<LogFilter>,
        from: Start,
        kind: Option<String>,
    ) -> Result<Result<Consumed, ConsumeError>, StoreError> {
        if self.staged.prefix(Table::Consumers, &[])?.len() >= MAX_CONSUMERS {
            return Ok(Err(ConsumeError::TooMany));
        }
        let offset = match self.start(from)? {
            Ok(offset) => offset,
            Err(refused) => return Ok(Err(refused)),
        };
        let filter = filter.unwrap_or_default();
        let consumer = Consumer { name: name.clone(), offset, filter, created_at: at, acked_at: None, acked: 0, kind };
        self.put_consumer(consumer).map(|consumer| Ok(Consumed::Created(consumer)))
    }

    /// Makes a consumer that was one of another store, where there is none of its name; it begins at the beginning. None
    /// where there are too many.
    pub(super) fn take_over(&mut self, reader: &Reader) -> Result<Option<bool>, StoreError> {
        let Reader { name, filter, created_at, kind } = reader;
        if self.staged.get(Table::Consumers, &keys::name(name.as_str()))?.is_some() {
            return Ok(Some(false));
        }
        let made = self.create(*created_at, name, Some(filter.clone()), Start::Beginning, kind.clone())?;
        Ok(made.is_ok().then_some(true))
    }

    /// The offset from which reading begins there.
    fn start(&self, from: Start) -> Result<Result<Seq, ConsumeError>, StoreError> {
        let last = Seq(self.next_seq.saturating_sub(1));
        Ok(match from {
            Start::Beginning => Ok(Seq(records::counter(&self.staged, LOG_BEGINS)?.saturating_sub(1))),
            Start::End => Ok(last),
            Start::After(seq) if seq > last => Err(ConsumeError::Ahead { seq, last }),
            Start::After(seq) => Ok(seq),
        })
    }

    /// Also where its record is damaged.
    fn remove_consumer(&mut self, name: &ConsumerName) -> Result<Result<Consumed, ConsumeError>, StoreError> {
        let key = keys::name(name.as_str());
        if self.staged.get(Table::Consumers, &key)?.is_none() {
            return Ok(Err(ConsumeError::Unknown { name: name.clone() }));
        }
        values::remove(&mut self.staged, Table::Consumers, &key)?;
        Ok(Ok(Consumed::Removed))
    }

    fn put_consumer(&mut self, consumer: Consumer) -> Result<Consumer, StoreError> {
        let bytes = encode(&consumer)?;
        values::put(&mut self.staged, Table::Consumers, &keys::name(consumer.name.as_str()), &bytes)?;
        Ok(consumer)
    }
}

pub(super) fn too_long(filter: &LogFilter) -> bool {
    let LogFilter { topics, feeds, kinds, languages } = filter;
    [topics.len(), feeds.len(), kinds.len(), languages.len()].into_iter().any(|n| n > MAX_FILTER)
}
