//! Laws of the window, on random texts of a small vocabulary and on events of a kind.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::sketch::{MAX_TERMS, Sketch};
use super::window::{Member, Stories};
use super::{StoriesConfig, headline};
use crate::id::ItemId;

/// An item: minutes since the last one, or back; its event; words that are its own.
type Told = (i64, u16, u16);

fn id(n: usize) -> ItemId {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&n.to_le_bytes());
    ItemId(bytes)
}

fn sketch((_, event, own): Told) -> Sketch {
    let title = format!("حادثة{event} مكان{event} خبر{own}");
    let text = format!("شيء{event} اسم{event} حادثة{event} لفظ{own} كلام{} مكان{event} طرف{}", own / 2, own % 7);
    Sketch::of(&title, &text)
}

fn start() -> Timestamp {
    Timestamp::from_second(1_780_000_000).unwrap()
}

/// The story of each item, and what is stored of the window at the end. From item `restart` on a window that was filled
/// from what was stored goes on.
fn run(told: &[Told], restart: Option<usize>) -> (Vec<ItemId>, Vec<Member>) {
    let mut window = Stories::new(StoriesConfig::default().window);
    let (mut found, mut stored, mut at) = (Vec::new(), Vec::<Member>::new(), start());
    for (n, item) in told.iter().enumerate() {
        if restart == Some(n) {
            window = Stories::new(StoriesConfig::default().window);
            stored.iter().for_each(|member| window.insert(member));
        }
        at = at.checked_add(SignedDuration::from_mins(item.0)).unwrap();
        // Every ninth is a revision of an earlier one, and every thirteenth takes one away.
        if n % 13 == 12 {
            window.remove(id(n / 3));
            stored.retain(|member| member.id != id(n / 3));
        }
        if n % 9 == 8 {
            let revised = window.revise(id(n / 2), &sketch(*item));
            found.push(revised.as_ref().map_or(id(n), |member| member.story));
            if let (Some(revised), Some(known)) = (revised, stored.iter_mut().find(|known| known.id == id(n / 2))) {
                *known = revised;
            }
            continue;
        }
        let placed = window.place(id(n), at, &sketch(*item), None);
        found.push(placed.story);
        if let Some(member) = placed.member {
            stored.push(member);
        }
        stored.retain(|member| !placed.left.contains(&member.id));
        assert_eq!(stored.len(), window.len());
    }
    (found, stored)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_restart_changes_nothing(
        told in prop::collection::vec((-60i64..600, 0u16..6, 0u16..200), 1..80),
        restart in 0usize..80,
    ) {
        prop_assert_eq!(run(&told, None), run(&told, Some(restart)));
    }

    #[test]
    fn the_window_holds_no_more_than_its_time(told in prop::collection::vec((0i64..2_000, 0u16..4, 0u16..50), 1..60)) {
        let (_, stored) = run(&told, None);
        let newest = stored.iter().map(|member| member.at).max();
        let window = SignedDuration::from_hours(72);
        prop_assert!(stored.iter().all(|member| newest.unwrap().duration_since(member.at) <= window));
    }

    #[test]
    fn a_story_is_named_after_an_earlier_item_and_spans_no_more_than_the_window(
        told in prop::collection::vec((0i64..1_500, 0u16..3, 0u16..50), 1..60),
    ) {
        let (found, _) = run(&told, None);
        let mut at = start();
        let times: Vec<Timestamp> = told.iter().map(|item| {
            at = at.checked_add(SignedDuration::from_mins(item.0)).unwrap();
            at
        }).collect();
        for (n, story) in found.iter().enumerate().filter(|(n, _)| n % 9 != 8) {
            let first = (0..=n).find(|m| id(*m) == *story).unwrap_or(n);
            let span = times[n].duration_since(times[first]);
            prop_assert!(span <= SignedDuration::from_hours(72), "{span}");
        }
    }

    #[test]
    fn a_sketch_is_bounded_whatever_the_text(title in "\\PC{0,200}", text in "\\PC{0,3000}") {
        let sketch = Sketch::of(&title, &text);
        prop_assert!(sketch.terms.len() <= MAX_TERMS);
        prop_assert!(sketch.terms.windows(2).all(|two| two[0].hash < two[1].hash));
        prop_assert!(sketch.terms.iter().all(|term| term.strength() >= 1.0));
    }

    #[test]
    fn the_title_does_not_depend_on_the_order(mut titles in prop::collection::vec("[ابتثجحخد ]{0,20}", 0..6)) {
        let chosen = headline(&titles).map(|at| titles[at].clone());
        titles.reverse();
        prop_assert_eq!(headline(&titles).map(|at| titles[at].clone()), chosen);
    }
}

#[test]
fn items_with_nothing_in_common_or_nothing_at_all_stay_alone() {
    let mut window = Stories::new(StoriesConfig::default().window);
    for (n, text) in ["", "", "كلمة", "كلمة", "123", "٤٥٦"].iter().enumerate() {
        assert_eq!(window.place(id(n), start(), &Sketch::of("", text), None).story, id(n), "{text}");
    }
}

#[test]
fn an_item_older_than_the_window_begins_nothing_that_is_kept() {
    let mut window = Stories::new(StoriesConfig::default().window);
    let told = (0, 1, 1);
    window.place(id(0), start(), &sketch(told), None);
    let old = start().checked_sub(SignedDuration::from_hours(100)).unwrap();
    let placed = window.place(id(1), old, &sketch(told), None);
    assert_eq!((placed.story, placed.member), (id(1), None));
    assert_eq!(window.len(), 1);
}

#[test]
fn what_is_held_is_bounded_by_number_too() {
    let mut window = Stories::holding(StoriesConfig::default().window, 20);
    for n in 0..30u16 {
        let left = window.place(id(n.into()), start(), &sketch((0, n, n)), None).left;
        assert_eq!(left, if n < 20 { vec![] } else { vec![id(usize::from(n) - 20)] });
    }
    assert_eq!(window.len(), 20);
}

#[test]
fn a_headline_tells_rather_than_teases() {
    let titles = [
        "شاهد ماذا حدث في درنة!",
        "إعصار يضرب درنة الليبية ويغرق أحياءها",
        "درنة",
        "آلاف المفقودين بعد إعصار درنة الليبية",
    ];
    assert!(matches!(headline(&titles), Some(1 | 3)));
    assert_eq!(headline::<&str>(&[]), None);
    assert_eq!(headline(&["", " "]), None);
}
