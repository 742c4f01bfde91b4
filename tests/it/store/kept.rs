//! What is kept and for how long: ages per topic and per feed, pins, judgements, and how far back the log goes.

use rasid::item::Correction;
use rasid::store::{Correcting, Expired, Judgement, Policies, Retention};
use rasid::topic::bag::Bag;

use super::*;

const FOREVER: u64 = 0;

fn age(seconds: u64) -> Retention {
    if seconds == FOREVER { Retention::Forever } else { Retention::For(Span::secs(seconds)) }
}

fn policies(default: u64, by_feed: &[(&str, u64)], by_topic: &[(&str, u64)]) -> Policies {
    Policies {
        default: age(default),
        by_feed: by_feed.iter().map(|(name, seconds)| (feed(name), age(*seconds))).collect(),
        by_topic: by_topic.iter().map(|(name, seconds)| (name.parse().unwrap(), age(*seconds))).collect(),
        ..Policies::default()
    }
}

/// Removes all that has expired, as often as it takes; the dry run has to say the same before.
fn expire(store: &Store, writer: &mut Writer, policies: &Policies, second: i64, before: Option<i64>) -> Expired {
    let (would, named) = store.expired(policies, time(second), before.map(time)).unwrap();
    assert_eq!(named.len() as u64, would.items.min(100));
    let mut all = Expired::default();
    loop {
        let (removed, ended) = writer.expire(policies, time(second), before.map(time), 256).unwrap();
        all.add(removed);
        if ended {
            break;
        }
    }
    assert_eq!(all, would);
    assert!(named.iter().all(|item| store.item(item.id).unwrap().is_none()));
    clean(store);
    all
}

fn maybe(mut candidate: Candidate) -> Candidate {
    candidate.topics.iter_mut().for_each(|topic| topic.decision = Decision::Maybe);
    candidate
}

#[test]
fn the_longest_age_that_is_said_of_an_item_holds() {
    // At second 100 items are 100 s old. Whether is left: rt; rt about csto; rt about csto and general; bbc; bbc about
    // csto; dw that is only perhaps about csto.
    type Row<'a> = (u64, &'a [(&'a str, u64)], &'a [(&'a str, u64)], Option<i64>, [bool; 6]);
    let rows: &[Row<'_>] = &[
        (FOREVER, &[], &[], None, [true; 6]),
        (99, &[], &[], None, [false; 6]),
        (100, &[], &[], None, [true; 6]),
        (99, &[("bbc", FOREVER)], &[], None, [false, false, false, true, true, false]),
        (FOREVER, &[("bbc", 30)], &[], None, [true, true, true, false, false, true]),
        (FOREVER, &[], &[("csto", 30)], None, [true, false, false, true, false, true]),
        (30, &[], &[("csto", 500)], None, [false, true, true, false, true, true]),
        (500, &[("bbc", 30)], &[("csto", 50)], None, [true, false, false, false, false, true]),
        (500, &[("bbc", 30)], &[("csto", 200)], None, [true, true, true, false, true, true]),
        (500, &[("rt", 30)], &[("csto", 50), ("general", 200)], None, [false, false, true, true, false, true]),
        (30, &[("rt", FOREVER)], &[("csto", 50)], None, [true, true, true, false, false, false]),
        // Before a time: in place of the default where that is longer, and of nothing else.
        (FOREVER, &[], &[], Some(50), [false; 6]),
        (FOREVER, &[], &[], Some(0), [true; 6]),
        (50, &[], &[], Some(0), [false; 6]),
        (FOREVER, &[("bbc", 200)], &[("csto", FOREVER)], Some(50), [false, true, true, true, true, true]),
    ];
    for (default, by_feed, by_topic, before, left) in rows {
        let dir = tempfile::tempdir().unwrap();
        let (store, mut writer) = opened(dir.path());
        let mut both = about(candidate("rt", "3", "نص عن موضوعين معا", 0), "general");
        both.topics.extend(about(both.clone(), "csto").topics);
        let items = [
            candidate("rt", "1", "نص من القناة الأولى", 0),
            about(candidate("rt", "2", "نص عن المنظمة من القناة الأولى", 0), "csto"),
            both,
            candidate("bbc", "4", "نص من القناة الثانية", 0),
            about(candidate("bbc", "5", "نص عن المنظمة من القناة الثانية", 0), "csto"),
            maybe(about(candidate("dw", "6", "نص قد يكون عن المنظمة", 0), "csto")),
        ];
        writer.commit(group(0, items.iter().cloned().map(new).collect())).unwrap();
        let removed = expire(&store, &mut writer, &policies(*default, by_feed, by_topic), 100, *before);
        let is_left = items.each_ref().map(|item| store.item(id(item)).unwrap().is_some());
        assert_eq!(is_left, *left, "{default} {by_feed:?} {by_topic:?} {before:?}");
        assert_eq!(removed.items, left.iter().filter(|left| !**left).count() as u64);
        assert_eq!(removed.by_feed.values().sum::<u64>(), removed.items);
    }
}

#[test]
fn what_is_pinned_judged_or_an_example_stays_and_goes_when_it_is_not_any_more() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(dir.path());
    let [plain, pinned, judged, split, joined, original, example] =
        ["1", "2", "3", "4", "5", "6", "7"].map(|key| candidate("rt", key, &format!("نص الخبر رقم {key} وحده"), 0));
    let twin = candidate("bbc", "8", "نص الخبر رقم 6 وحده", 0);
    let all = [&plain, &pinned, &judged, &split, &joined, &original, &example, &twin];
    let mut items: Vec<Decided> = all[..7].iter().map(|item| new((*item).clone())).collect();
    items[3] = copy(VerdictKind::Near, id(&original), split.clone());
    items.push(copy(VerdictKind::Exact, id(&original), twin.clone()));
    // The original comes before its copies.
    items.swap(0, 5);
    writer.commit(group(0, items)).unwrap();
    writer.pin(time(1), id(&pinned), Some("وثيقة")).unwrap();
    let judgement = Judgement {
        topic: "csto".parse().unwrap(),
        item: id(&judged),
        yes: true,
        at: time(1),
        title: "خبر".to_owned(),
        bag: Bag::read("خبر", "نص"),
    };
    writer.judge(&[judgement], &[]).unwrap();
    writer.correct(time(1), Correcting::Split { item: id(&split), why: None }).unwrap();
    let of = Original::Item(id(&original));
    writer.correct(time(1), Correcting::Join { item: id(&joined), of, alike: None, why: None }).unwrap();
    let mut by = policies(10, &[], &[]);
    by.named.insert(id(&example));

    // The copy that the program found goes; its original stays, as long as a person's copy is under it.
    assert_eq!(expire(&store, &mut writer, &by, 100, None).items, 2);
    let left = |store: &Store| all.map(|item| store.item(id(item)).unwrap().is_some());
    assert_eq!(left(&store), [false, true, true, true, true, true, true, false]);
    assert_eq!(store.item(id(&joined)).unwrap().unwrap().judged.unwrap().kind, Correction::Joined);
    drop((store, writer));
    let (store, mut writer) = opened(dir.path());
    assert_eq!(expire(&store, &mut writer, &by, 101, None).items, 0);

    // What held them is taken back, one after the other: all was passed by before, and is found all the same.
    assert!(writer.unpin(id(&pinned)).unwrap() && !writer.unpin(id(&pinned)).unwrap());
    assert_eq!(expire(&store, &mut writer, &by, 102, None).items, 1);
    writer.judge(&[], &[("csto".parse().unwrap(), id(&judged))]).unwrap();
    assert_eq!(expire(&store, &mut writer, &by, 103, None).items, 1);
    writer.correct(time(103), Correcting::Forget { item: id(&joined) }).unwrap();
    assert_eq!(expire(&store, &mut writer, &by, 104, None).items, 2);
    writer.correct(time(104), Correcting::Forget { item: id(&split) }).unwrap();
    assert_eq!(expire(&store, &mut writer, &by, 105, None).items, 1);
    by.named.clear();
    assert_eq!(expire(&store, &mut writer, &by, 106, None).items, 1);
    assert_eq!(left(&store), [false; 8]);
}

#[test]
fn a_copy_that_stays_keeps_its_text_and_comes_into_sight() {
    for pin in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let (store, mut writer) = opened(dir.path());
        let text = "نص طويل بعض الشيء كي تستعيره النسخة من أصلها";
        let (original, kept, gone) =
            (candidate("rt", "1", text, 0), candidate("bbc", "2", text, 0), candidate("dw", "3", text, 0));
        let items = vec![
            new(original.clone()),
            copy(VerdictKind::Exact, id(&original), kept.clone()),
            copy(VerdictKind::Exact, id(&original), gone.clone()),
        ];
        writer.commit(group(0, items)).unwrap();
        // Either somebody pinned the copy, or its feed is kept for longer.
        let by = policies(10, if pin { &[] } else { &[("bbc", FOREVER)] }, &[]);
        if pin {
            writer.pin(time(1), id(&kept), None).unwrap();
        }
        let removed = expire(&store, &mut writer, &by, 100, None);
        assert_eq!((removed.items, removed.by_feed.get(&feed("bbc"))), (2, None));
        let item = store.item(id(&kept)).unwrap().unwrap();
        assert_eq!((item.verdict.kind, item.content.text.as_str(), item.pinned), (VerdictKind::New, text, pin));
        let told: Vec<_> = store.log(Seq(3), 9).unwrap().iter().map(|record| (record.kind, record.id)).collect();
        assert_eq!(told, [(LogKind::Removed, id(&gone)), (LogKind::New, id(&kept)), (LogKind::Removed, id(&original))]);
    }
}

#[test]
fn an_item_whose_topics_change_gets_another_age() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(dir.path());
    let first = about(candidate("rt", "1", "نص عن المنظمة", 0), "csto");
    let second = about(candidate("rt", "2", "نص آخر عن المنظمة", 0), "csto");
    writer.commit(group(0, vec![new(first.clone()), new(second.clone())])).unwrap();
    let by = policies(10, &[], &[("csto", FOREVER)]);
    assert_eq!(expire(&store, &mut writer, &by, 100, None).items, 0);
    // One is revised, the other reclassified; both had been passed by.
    let mut other = candidate("rt", "1", "نص لم يعد عن المنظمة", 50);
    other.topics.clear();
    writer.commit(group(101, vec![revised(other)])).unwrap();
    assert_eq!(expire(&store, &mut writer, &by, 102, None).items, 1);
    let mut progress = writer.begin_reclassification(time(103), 7, None, None).unwrap();
    while progress.ended.is_none() {
        progress = writer.reclassify(time(103), &progress, false, &mut |_| Some(Vec::new())).unwrap();
    }
    assert_eq!(expire(&store, &mut writer, &by, 104, None).items, 1);
}

#[test]
fn a_step_takes_no_more_than_it_is_told_with_any_number_of_copies() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(dir.path());
    let original = candidate("rt", "0", "نص واحد تنشره وكالات كثيرة", 0);
    let mut items = vec![new(original.clone())];
    items.extend((1..60).map(|n| {
        copy(VerdictKind::Exact, id(&original), candidate("bbc", &n.to_string(), "نص واحد تنشره وكالات كثيرة", 0))
    }));
    writer.commit(group(0, items)).unwrap();
    let by = policies(10, &[], &[]);
    let mut sizes = Vec::new();
    loop {
        let (removed, ended) = writer.expire(&by, time(100), None, 25).unwrap();
        sizes.push(removed.items);
        clean(&store);
        if ended {
            break;
        }
    }
    // The original goes last, so that nothing is ever listed under what is gone.
    assert_eq!(sizes, [25, 25, 10]);
    let last = store.log(Seq(store.durable().borrow().0 - 1), 1).unwrap();
    assert_eq!((last[0].kind, last[0].id), (LogKind::Removed, id(&original)));

    // The last item of all, with an older one of another age under it.
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(dir.path());
    let short = candidate("rt", "1", "موجز الخبر كما نشر أول مرة", 0);
    let mut full = candidate("bbc", "1", "موجز الخبر كما نشر أول مرة ثم تفاصيله كلها", 1);
    full.content.canonical_url = short.content.canonical_url.clone();
    let expands = verdict(VerdictKind::Expands, Some(Original::Item(id(&short))));
    let items = vec![new(short.clone()), Decided { candidate: full.clone(), verdict: expands }];
    writer.commit(group(0, items)).unwrap();
    assert_eq!(store.item(id(&short)).unwrap().unwrap().superseded_by, Some(id(&full)));
    let by = policies(10, &[("rt", 20)], &[]);
    let steps = [(); 2].map(|()| writer.expire(&by, time(100), None, 1).unwrap());
    assert_eq!(steps.each_ref().map(|(removed, _)| removed.items), [1, 1]);
    assert!(!steps[0].1 && store.item(id(&full)).unwrap().is_none());
    clean(&store);
}

#[test]
fn a_clock_that_was_wrong_keeps_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(dir.path());
    let [before, ahead, after] = ["1", "2", "3"].map(|key| candidate("rt", key, &format!("نص الخبر {key}"), 0));
    for (item, second) in [(&before, 0), (&ahead, 400_000_000), (&after, 1)] {
        writer.commit(group(second, vec![new(item.clone())])).unwrap();
    }
    assert_eq!(expire(&store, &mut writer, &policies(10, &[], &[]), 100, None).items, 2);
    assert!(store.item(id(&ahead)).unwrap().is_some());
}

/// A reader that goes on from where it was.
fn read_on(store: &Store, after: &mut Seq, limit: usize) -> Vec<u64> {
    let records = store.log(*after, limit).unwrap();
    *after = records.last().map_or(*after, |record| record.seq);
    records.iter().map(|record| record.seq.0).collect()
}

#[test]
fn the_log_is_taken_from_its_beginning_and_read_from_there() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(dir.path());
    for n in 0..6 {
        let item = candidate("rt", &n.to_string(), &format!("نص الخبر رقم {n}"), n);
        writer.commit(group(n, vec![new(item)])).unwrap();
    }
    let (mut early, mut late, mut ended) = (Seq(0), Seq(0), Seq(0));
    assert_eq!(read_on(&store, &mut early, 1), [1]);
    assert_eq!(read_on(&store, &mut late, 4), [1, 2, 3, 4]);
    assert_eq!(read_on(&store, &mut ended, 9), [1, 2, 3, 4, 5, 6]);
    assert_eq!(writer.trim_log(time(0), 10).unwrap(), 0);
    assert_eq!((writer.trim_log(time(3), 2).unwrap(), writer.trim_log(time(3), 2).unwrap()), (2, 1));
    assert_eq!(writer.trim_log(time(3), 2).unwrap(), 0);
    clean(&store);
    drop((store, writer));
    let (store, mut writer) = opened(dir.path());
    assert_eq!(store.log_begins().unwrap(), Seq(4));
    // What it missed, the first reader learns from where the log begins; the others miss nothing.
    assert_eq!(read_on(&store, &mut early, 2), [4, 5]);
    assert_eq!(read_on(&store, &mut late, 9), [5, 6]);
    assert_eq!(read_on(&store, &mut ended, 9), [0u64; 0]);
    // The items are all there, the first known to the log no more; revising one tells it again.
    assert_eq!(store.stats().unwrap().items, 6);
    writer.commit(group(7, vec![revised(candidate("rt", "0", "نص آخر للخبر الأول", 7))])).unwrap();
    assert_eq!(read_on(&store, &mut ended, 9), [7]);
    clean(&store);
    // The last record stays, however old.
    assert_eq!(writer.trim_log(time(1_000), 100).unwrap(), 3);
    assert_eq!((store.log_begins().unwrap(), kinds(&store)), (Seq(7), vec![LogKind::Revised]));
    clean(&store);
    drop((store, writer));
    let (store, mut writer) = opened(dir.path());
    assert_eq!(expire(&store, &mut writer, &policies(10, &[], &[]), 2_000, None).items, 6);
    assert_eq!(writer.trim_log(time(3_000), 100).unwrap(), 6);
    assert_eq!(kinds(&store), [LogKind::Removed]);
    clean(&store);
}

#[test]
fn the_log_is_kept_as_long_as_the_longest_age() {
    for (default, by_feed, by_topic, expected) in [
        (FOREVER, &[("bbc", 30)][..], &[][..], None),
        (30, &[], &[], Some(30)),
        (30, &[("bbc", 90)], &[("csto", 60)], Some(90)),
        (30, &[], &[("csto", FOREVER)], Some(30)),
    ] {
        assert_eq!(policies(default, by_feed, by_topic).log(), expected.map(Span::secs));
    }
}
