//! The names of things: feeds, topics, consumers, items, positions in the log, texts.
//!
//! In: strings and bytes. Out: newtypes that cannot be confused with one another.
//! Promise: an [`ItemId`] derives from the feed and the entry's identity alone, so storing an entry twice is harmless.
//! Not here: how an entry's identity is chosen ([`crate::source`]).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Longest feed, topic or consumer id, in characters: ids are parts of keys and of file names.
pub const MAX_NAME: usize = 64;

fn check_name(what: &str, name: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() {
        Err(format!("the {what} id is empty; use small letters, digits and hyphens"))
    } else if name.len() > MAX_NAME {
        Err(format!("the {what} id `{name}` is longer than {MAX_NAME} characters"))
    } else if !name.chars().all(fits) {
        Err(format!("the {what} id `{name}` may only have the characters a-z, 0-9 and -"))
    } else {
        Ok(())
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl FromStr for $name {
            type Err = String;
            fn from_str(name: &str) -> Result<Self, String> {
                check_name($what, name).map(|()| Self(name.to_owned()))
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

name!(
    /// A configured source: `[a-z0-9-]+`, unique, never reused.
    FeedId,
    "feed"
);
name!(
    /// A configured topic: `[a-z0-9-]+`, unique.
    TopicId,
    "topic"
);
name!(
    /// A named reader of the log: `[a-z0-9-]+`, unique.
    ConsumerName,
    "consumer"
);

macro_rules! hash128 {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
        impl FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                let wrong = || format!("`{text}` is not an id of 32 hexadecimal digits");
                if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
                    return Err(wrong());
                }
                u128::from_str_radix(text, 16).map(|n| Self(n.to_be_bytes())).map_err(|_| wrong())
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() { serializer.collect_str(self) } else { self.0.serialize(serializer) }
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
                } else {
                    <[u8; 16]>::deserialize(deserializer).map(Self)
                }
            }
        }
    };
}

hash128!(
    /// A stored item. Derived from its feed and its [`EntryKey`], never drawn at random.
    ItemId
);
hash128!(
    /// What makes an entry itself within its feed: a hash of its guid, else of its canonical URL, else of its content.
    EntryKey
);
hash128!(
    /// The xxh3-128 of a normalized text; equal for texts that differ in spelling marks and spacing only.
    ContentHash
);

impl ItemId {
    /// The id of the entry `key` of `feed`: the first 128 bits of a blake3 hash of both.
    pub fn of(feed: &FeedId, key: EntryKey) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(feed.as_str().as_bytes()).update(&[0]).update(&key.0);
        Self(first_16(&hasher))
    }
}

impl EntryKey {
    /// The key made of `value`, which the entry has as `kind` (`"guid"`, `"url"`, `"content"`).
    /// Kinds are hashed in, so a guid that looks like another entry's URL is not that entry.
    pub fn of(kind: &str, value: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(kind.as_bytes()).update(&[0]).update(value.as_bytes());
        Self(first_16(&hasher))
    }
}

fn first_16(hasher: &blake3::Hasher) -> [u8; 16] {
    let mut out = [0; 16];
    hasher.finalize_xof().fill(&mut out);
    out
}

crate::units::text_schema!(
    FeedId, "^[a-z0-9-]{1,64}$", "The id of a feed.";
    TopicId, "^[a-z0-9-]{1,64}$", "The id of a topic.";
    ConsumerName, "^[a-z0-9-]{1,64}$", "The name of a consumer.";
    ItemId, "^[0-9a-f]{32}$", "The id of an item.";
);

/// A position in the log: 1 is the first record, 0 stands for "before the first".
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Seq(pub u64);

impl Seq {
    /// The position after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        for good in ["bbc", "al-ain", "le360", "x"] {
            assert_eq!(good.parse::<FeedId>().expect(good).as_str(), good);
        }
        for bad in ["", "BBC", "a b", "عربي", "a_b", &"a".repeat(65)] {
            assert!(bad.parse::<TopicId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn item_ids_depend_on_feed_key_and_kind() {
        let (a, b): (FeedId, FeedId) = ("a".parse().unwrap(), "b".parse().unwrap());
        let key = EntryKey::of("guid", "1");
        assert_eq!(ItemId::of(&a, key), ItemId::of(&a, key));
        assert_ne!(ItemId::of(&a, key), ItemId::of(&b, key));
        assert_ne!(EntryKey::of("guid", "1"), EntryKey::of("url", "1"));
        let id = ItemId::of(&a, key);
        assert_eq!(id.to_string().parse(), Ok(id));
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<ItemId>(&json).unwrap(), id);
    }
}
