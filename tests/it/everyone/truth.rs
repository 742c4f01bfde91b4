//! The daemon's whole log, and whether what a consumer has is the same.
//!
//! A record carries its item as it stands when it is read, not as it stood (docs/consumers.md). So two readings of a record
//! agree in everything but the item, and in the item, too, wherever it says that it is of the same state: the `seq` of an
//! item is that of the last record about it. What changes without a record is named in [`UNTOLD`].

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::press::Press;

/// What of an item changes without a record about it: what others are listed under it, what story it is in, and a pin.
const UNTOLD: [&str; 3] = ["copies", "story", "pinned"];

/// Of an item, at the position of a record about it.
type State = (String, u64);

/// The log, and all states of items that anyone was shown.
pub struct Truth<'p> {
    press: &'p Press,
    lines: Vec<String>,
    /// The records of each item, and whether they tell that it was removed.
    records: HashMap<String, Vec<(u64, bool)>>,
    /// Each state as JSON, and who was shown it first.
    states: HashMap<State, (String, String)>,
    /// How many records were the same to the letter, and how many showed another state of their item.
    pub same: u64,
    pub other: u64,
}

impl<'p> Truth<'p> {
    /// `log` is what `rasid tail` prints.
    pub fn new(press: &'p Press, log: &str) -> Self {
        let lines: Vec<String> = log.lines().map(str::to_owned).collect();
        let mut records = HashMap::<String, Vec<(u64, bool)>>::new();
        for (line, seq) in lines.iter().zip(1..) {
            let record: Value = serde_json::from_str(line).unwrap();
            assert_eq!(record["seq"], seq, "the log has a gap");
            let id = record["id"].as_str().unwrap().to_owned();
            records.entry(id).or_default().push((seq, record["kind"] == "removed"));
        }
        let mut truth = Self { press, lines, records, states: HashMap::new(), same: 0, other: 0 };
        let lines = truth.lines.clone();
        truth.compare("the log", lines.into_iter());
        (truth.same, truth.other) = (0, 0);
        truth
    }

    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// How many records of each kind there are.
    pub fn kinds(&self) -> BTreeMap<String, u64> {
        let mut kinds = BTreeMap::new();
        for line in &self.lines {
            let record: Value = serde_json::from_str(line).unwrap();
            *kinds.entry(record["kind"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        kinds
    }

    /// Holds what somebody has to the whole log: each record once, in order, and what it carries.
    pub fn compare(&mut self, who: &str, theirs: impl Iterator<Item = String>) {
        let mut n = 0;
        for line in theirs {
            let stored = self.lines.get(n).unwrap_or_else(|| panic!("{who} has more than the log: {line}"));
            n += 1;
            let (mut record, mut stored): (Value, Value) =
                (serde_json::from_str(&line).unwrap(), serde_json::from_str(stored).unwrap());
            if record == stored {
                self.same += 1;
            } else {
                self.other += 1;
            }
            let item = record["item"].take();
            stored["item"].take();
            assert_eq!(record, stored, "{who}, record {n}");
            self.check_item(who, n as u64, record["id"].as_str().unwrap(), item);
        }
        assert_eq!(n, self.lines.len(), "{who}: the end is missing");
    }

    /// That the item is in a state that it was in when the record was committed, or later.
    fn check_item(&mut self, who: &str, record: u64, id: &str, mut item: Value) {
        let records = &self.records[id];
        if item.is_null() {
            let removed = records.iter().any(|(seq, removed)| *removed && *seq >= record);
            assert!(removed, "{who}, record {record}: the item is missing, and was not removed");
            return;
        }
        let state = item["seq"].as_u64().unwrap();
        let told = records.iter().any(|(seq, removed)| *seq == state && !removed);
        assert!(state >= record && told, "{who}, record {record}: its item says that it is of {state}: {item}");
        assert_eq!(item["id"], id, "{who}, record {record}");
        let (guid, title) = (item["guid"].as_str().unwrap(), item["title"].as_str().unwrap());
        assert!(self.press.published(guid, title), "{who}, record {record}: {guid} was never published as {title}");
        let fields = item.as_object_mut().unwrap();
        UNTOLD.iter().for_each(|field| drop(fields.remove(*field)));
        let item = item.to_string();
        let (known, first) =
            self.states.entry((id.to_owned(), state)).or_insert_with(|| (item.clone(), who.to_owned()));
        assert_eq!(*known, item, "{first} and {who} (record {record}) were shown different items");
    }
}
