//! Pins: items that people want to keep, whatever retention says.
//!
//! In: an item, and why. Out: versioned records, and back.
//! Promise: as in [`super::schema`]. A pinned item stays, with its text, until it is unpinned; where it is a copy and its
//! original goes, it comes into sight.
//! Not here: what else holds an item ([`super::retention`]).

use std::borrow::Cow;
use std::ops::Bound;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::engine::{Read, Table};
use super::reader::Store;
use super::schema::{damaged, plain, time_of, unplain};
use super::staged::Staged;
use super::writer::Writer;
use super::{StoreError, keys, records, values};
use crate::id::ItemId;

/// That an item is pinned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// Which.
    pub item: ItemId,
    /// Since when.
    pub at: Timestamp,
    /// Why, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct PinV1<'a> {
    at: i128,
    why: Option<Cow<'a, str>>,
}

fn what(item: ItemId) -> String {
    format!("the pin of {item}")
}

/// A record of [`Table::Pins`].
pub(super) fn decode(key: &[u8], bytes: &[u8]) -> Result<Pin, StoreError> {
    let item = key.try_into().map(ItemId).map_err(|_| {
        let what = format!("the pin {}", values::hex(key));
        damaged(what, "its key is no item's id")
    })?;
    let PinV1 { at, why } = unplain(bytes, || what(item))?;
    let at = time_of(at).map_err(|error| damaged(what(item), &error))?;
    Ok(Pin { item, at, why: why.map(Cow::into_owned) })
}

/// Whether an item is pinned.
pub(super) fn is_pinned(read: &impl Read, item: ItemId) -> Result<bool, StoreError> {
    Ok(read.get(Table::Pins, &keys::id(item))?.is_some())
}

/// What is wrong with a pin.
pub(super) fn check(read: &impl Read, key: &[u8], bytes: &[u8]) -> Result<Option<String>, StoreError> {
    let pin = decode(key, bytes)?;
    let stored = records::known(read, pin.item)?.is_some();
    Ok((!stored).then(|| format!("{}: the item is not stored", what(pin.item))))
}

/// Writes a pin.
pub(super) fn put(staged: &mut Staged<'_>, pin: &Pin) -> Result<(), StoreError> {
    let record = PinV1 { at: pin.at.as_nanosecond(), why: pin.why.as_deref().map(Cow::from) };
    values::put(staged, Table::Pins, &keys::id(pin.item), &plain(&record, || what(pin.item))?)
}

impl Store {
    /// What is pinned, in the order of the items' ids.
    pub fn pins(&self) -> Result<Vec<Pin>, StoreError> {
        let engine = &self.inner.engine;
        let mut pins = Vec::new();
        for entry in engine.scan(Table::Pins, (Bound::Unbounded, Bound::Unbounded)) {
            let (key, _) = entry?;
            // None: unpinned since.
            if let Some(bytes) = values::get(engine, Table::Pins, &key)? {
                pins.push(decode(&key, &bytes)?);
            }
        }
        Ok(pins)
    }

    /// The pin of an item, where it is pinned.
    pub fn pin(&self, item: ItemId) -> Result<Option<Pin>, StoreError> {
        let key = keys::id(item);
        values::get(&self.inner.engine, Table::Pins, &key)?.map(|bytes| decode(&key, &bytes)).transpose()
    }
}

impl Writer {
    /// Pins a stored item. One that is pinned stays so since when it was; a reason that is given takes the place of the former.
    ///
    /// # Errors
    /// [`StoreError::Query`] where it is not stored; nothing was written then. Else as [`Writer::commit`].
    pub fn pin(&mut self, at: Timestamp, item: ItemId, why: Option<&str>) -> Result<(), StoreError> {
        self.write(Some(at), |change| {
            if records::known(&change.staged, item)?.is_none() {
                return Err(StoreError::Query(format!("there is no item `{item}`")));
            }
            let key = keys::id(item);
            let former =
                values::get(&change.staged, Table::Pins, &key)?.map(|bytes| decode(&key, &bytes)).transpose()?;
            let (at, before) = former.map_or((change.at, None), |pin| (pin.at, pin.why));
            put(&mut change.staged, &Pin { item, at, why: why.map(str::to_owned).or(before) })
        })
    }

    /// Lets an item go again. Whether it was pinned.
    ///
    /// # Errors
    /// As [`Writer::commit`].
    pub fn unpin(&mut self, item: ItemId) -> Result<bool, StoreError> {
        self.write(None, |change| {
            let key = keys::id(item);
            if change.staged.get(Table::Pins, &key)?.is_none() {
                return Ok(false);
            }
            values::remove(&mut change.staged, Table::Pins, &key)?;
            change.look_again_at(item)?;
            Ok(true)
        })
    }
}
