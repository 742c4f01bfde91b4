//! How far expired items are looked through, which can only be shown from inside.

use super::policies::Class;
use super::retention::Swept;
use super::tests::{decided, opened};
use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + second).unwrap()
}

/// How often a step has to be made until there is nothing to do, and how far the class was looked through.
fn sweep(store: &Store, writer: &mut Writer, policies: &Policies, second: i64) -> (usize, u64) {
    let mut steps = 1;
    while !writer.expire(policies, at(second), None, MAX_PRUNE).unwrap().1 {
        steps += 1;
    }
    assert_eq!(store.verify().unwrap(), Vec::<String>::new());
    let swept = Swept::by(&store.inner.engine, policies.version()).unwrap();
    (steps, swept.next(Class::Own(10_000)))
}

/// What is kept for ever is looked at once, not in each round: how far that went is on the disk.
#[test]
fn what_is_kept_is_not_looked_through_again() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(dir.path()).unwrap();
    for hundred in 0..25 {
        let items = (0..100).map(|n| decided(&format!("{hundred} {n}"))).collect();
        writer.commit(Group { items, at: Some(at(0)), ..Group::default() }).unwrap();
    }
    let age = |seconds| Retention::For(Span::secs(seconds));
    let mut policies = Policies { default: Retention::Forever, ..Policies::default() };
    policies.by_feed.insert("bbc".parse().unwrap(), age(10));
    assert_eq!(sweep(&store, &mut writer, &policies, 5), (1, 0), "nothing is old enough to be looked at");
    assert_eq!(sweep(&store, &mut writer, &policies, 100), (2, 2_501), "2,500 items are two steps");
    assert_eq!(sweep(&store, &mut writer, &policies, 101), (1, 2_501));
    drop((store, writer));
    let (store, mut writer) = opened(dir.path()).unwrap();
    assert_eq!(sweep(&store, &mut writer, &policies, 102), (1, 2_501), "after a restart, too");
    // An item whose age may have changed leads back to it, and to no earlier one.
    writer.write(None, |change| change.look_again(2_001)).unwrap();
    assert_eq!(Swept::by(&store.inner.engine, policies.version()).unwrap().next(Class::Own(10_000)), 2_001);
    assert_eq!(sweep(&store, &mut writer, &policies, 103), (1, 2_501));
    // By other policies everything is looked at once more.
    policies.by_topic.insert("csto".parse().unwrap(), age(20));
    assert_eq!(sweep(&store, &mut writer, &policies, 104), (3, 2_501), "5,000 looks, of two ages");
}
