//! Consumers beside a plain list of what each is to deal with: whatever the steps, each gets every record of its own once,
//! in order.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rasid::id::{ConsumerName, Seq};
use rasid::item::LogKind;
use rasid::store::{ConsumeError, Consumed, Consuming, LogFilter, Start, Store, Writer};

use super::{about, candidate, clean, group, new, opened, time};

/// Whoever reads under a name: keeps what it has dealt with, as the store keeps its offset.
struct Reader {
    name: ConsumerName,
    filter: LogFilter,
    /// What was read and not acknowledged yet, and the position that covers it.
    read: (Vec<u64>, Seq),
    dealt: Vec<u64>,
}

impl Reader {
    fn new(name: &str, filter: LogFilter) -> Self {
        Self { name: name.parse().unwrap(), filter, read: (Vec::new(), Seq(0)), dealt: Vec::new() }
    }

    fn offset(&self, store: &Store) -> Seq {
        store.consumer(&self.name).unwrap().unwrap().offset
    }

    fn read(&mut self, store: &Store, limit: usize) {
        let consumer = store.consumer(&self.name).unwrap().unwrap();
        assert_eq!(consumer.filter, self.filter);
        let stretch = store.read_log(consumer.offset, limit, &consumer.filter).unwrap();
        assert_eq!(stretch.missed, None);
        assert!(stretch.records.iter().all(|record| self.filter.passes(record)));
        self.read = (stretch.records.iter().map(|record| record.seq.0).collect(), stretch.last);
        assert_eq!(self.offset(store), consumer.offset, "reading moved it");
    }

    /// Deals with the first of what was read, or with all of it, and says so.
    fn ack(&mut self, writer: &mut Writer, most: usize) {
        let (read, next) = std::mem::take(&mut self.read);
        let part: Vec<u64> = read.iter().copied().take(most).collect();
        let seq = match part.last() {
            Some(last) if part.len() < read.len() => Seq(*last),
            _ if part.len() < read.len() => return,
            _ => next,
        };
        let asked = Consuming::Ack { name: self.name.clone(), seq };
        match &writer.consume(time(9_000), &[asked]).unwrap()[0] {
            Ok(Consumed::Stands(consumer)) => {
                assert_eq!(consumer.offset, seq);
                self.dealt.extend(part);
            }
            // Nothing was read since it last acknowledged.
            Err(ConsumeError::Behind { .. }) => assert!(read.is_empty()),
            other => panic!("{other:?}"),
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// So many items of a feed, about a topic or none.
    Commit(u8, u8, u8),
    /// A consumer reads.
    Read(usize, usize),
    /// A consumer deals with some of what it read.
    Ack(usize, usize),
    /// The process ends and starts again: what was read and not acknowledged is forgotten.
    Reopen,
    /// Old items go, with records of their own.
    Prune(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_u8..12, 0_u8..3, 0_u8..3).prop_map(|(n, feed, topic)| Step::Commit(n, feed, topic)),
        6 => (0_usize..4, 1_usize..9).prop_map(|(who, limit)| Step::Read(who, limit)),
        6 => (0_usize..4, prop_oneof![Just(usize::MAX), 0_usize..5]).prop_map(|(who, most)| Step::Ack(who, most)),
        1 => Just(Step::Reopen),
        1 => (1_usize..6).prop_map(Step::Prune),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_consumer_gets_every_record_of_its_own_once_and_in_order(steps in prop::collection::vec(step(), 1..60)) {
        let dir = tempfile::tempdir().unwrap();
        let (mut store, mut writer) = opened(dir.path());
        let of = |topics: &[&str], feeds: &[&str], kinds: &[LogKind]| LogFilter {
            topics: topics.iter().map(|topic| topic.parse().unwrap()).collect(),
            feeds: feeds.iter().map(|feed| feed.parse().unwrap()).collect(),
            kinds: kinds.to_vec(),
            languages: Vec::new(),
        };
        let mut readers = [
            Reader::new("all", LogFilter::default()),
            Reader::new("topic", of(&["t1"], &[], &[])),
            Reader::new("feeds", of(&["t1", "t2"], &["f0", "f2"], &[])),
            Reader::new("kinds", of(&[], &["f1"], &[LogKind::Removed])),
        ];
        let put = |reader: &Reader| {
            let filter = Some(reader.filter.clone());
            Consuming::Put { name: reader.name.clone(), filter, from: Start::Beginning, kind: None }
        };
        writer.consume(time(0), &readers.iter().map(put).collect::<Vec<_>>()).unwrap();
        let (mut second, mut number) = (0, 0);
        for step in steps {
            second += 1;
            match step {
                Step::Commit(n, feed, topic) => {
                    let items = (0..n).map(|_| {
                        number += 1;
                        let (key, text) = (number.to_string(), format!("خبر رقم {number}"));
                        let one = candidate(&format!("f{feed}"), &key, &text, second);
                        new(if topic == 0 { one } else { about(one, &format!("t{topic}")) })
                    });
                    let items = items.collect();
                    writer.commit(group(second, items)).unwrap();
                }
                Step::Read(who, limit) => readers[who].read(&store, limit),
                Step::Ack(who, most) => readers[who].ack(&mut writer, most),
                Step::Reopen => {
                    drop((store, writer));
                    (store, writer) = opened(dir.path());
                    readers.iter_mut().for_each(|reader| reader.read = (Vec::new(), Seq(0)));
                }
                Step::Prune(most) => drop(writer.prune(time(second), most).unwrap()),
            }
        }
        // To the end.
        let end = *store.durable().borrow();
        for reader in &mut readers {
            while reader.offset(&store) < end {
                reader.read(&store, 7);
                reader.ack(&mut writer, usize::MAX);
            }
        }
        clean(&store);
        let all = store.log(Seq(0), 500).unwrap();
        prop_assert!(all.len() < 500 || end.0 >= 500);
        for reader in readers {
            let dealt: BTreeSet<u64> = reader.dealt.iter().copied().collect();
            prop_assert_eq!(&dealt.iter().copied().collect::<Vec<_>>(), &reader.dealt, "doubled, or out of order");
            for record in &all {
                let (passes, has) = (reader.filter.passes(record), dealt.contains(&record.seq.0));
                // Of an item that is gone by now, nothing was known or it was hidden, depending on when it was read.
                let gone = record.item.is_none() && record.kind != LogKind::Removed;
                prop_assert!(passes == has || (gone && !has), "{}: record {}: {passes} {has}", reader.name, record.seq);
            }
            if reader.name.as_str() == "all" {
                prop_assert_eq!(reader.dealt.len() as u64, end.0, "without a filter it is every record");
            }
        }
    }
}
