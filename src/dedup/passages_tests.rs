//! Laws of passages, and what they show of our own sentences.

use proptest::prelude::*;

use super::compare::Context;
use super::corpus::{Corpus, CorpusText};
use super::passages::{Comparison, Passage, Place, Side, compare, compare_with_fingerprint};
use super::reason::{Evidence, Reason};
use super::{Fingerprint, VerdictKind};
use crate::text::tokenize::Words;

const HARBOUR: &str = "رست السفينة الزرقاء صباح أمس على الرصيف الشرقي بعد رحلة دامت ثلاثة أسابيع في بحر هائج.\n\
    وقال مدير الميناء إن حمولتها من القمح تكفي مطاحن المدينة حتى نهاية الشتاء المقبل.\n\
    وشكر قبطانها عمال الرصيف الذين انتظروا وصولها تحت المطر ساعات طويلة.";

fn side<'a>(title: &'a str, text: &'a str) -> Side<'a> {
    Side { title, text }
}

/// `here | there | ours>theirs, …` of each passage.
fn shown(found: &Comparison) -> Vec<String> {
    let passage = |passage: &Passage| {
        let changes: Vec<String> = passage
            .changes
            .iter()
            .map(|change| format!("{}>{}", change.ours.text, change.theirs.as_ref().map_or("?", |place| &place.text)))
            .collect();
        format!("{} words: {}", passage.words, changes.join(", "))
    };
    found.passages.iter().map(passage).collect()
}

#[test]
fn what_was_done_to_a_text_is_said() {
    let (first, second) = HARBOUR.split_once('\n').unwrap();
    let lines: Vec<&str> = HARBOUR.lines().collect();
    let added = "وفي المساء أضاء الصيادون قواربهم احتفالا بعودة البحارة إلى بيوتهم.";
    let rows: Vec<(&str, String, &str, &str, &[&str])> = vec![
        ("nothing", HARBOUR.to_owned(), "وصول السفينة", "41 words: ", &[]),
        ("marks alone", HARBOUR.replace("أمس", "أَمْسِ"), "وُصول السفينه", "41 words: ", &[]),
        ("another headline", HARBOUR.to_owned(), "القمح في الميناء", "41 words: ", &["headline changed"]),
        ("a word", HARBOUR.replace("هائج", "هادئ"), "وصول السفينة", "40 words: هادئ>هائج", &["1 place reworded"]),
        ("cut", first.to_owned(), "وصول السفينة", "16 words: ", &["cut to 39 %"]),
        ("a paragraph", format!("{HARBOUR}\n{added}"), "وصول السفينة", "41 words: ", &["+ a paragraph"]),
        (
            "in the middle",
            format!("{first}\n{added}\n{second}"),
            "وصول السفينة",
            "16 words:  / 25 words: ",
            &["+ a paragraph"],
        ),
        (
            "another order",
            format!("{}\n{}\n{}", lines[1], lines[2], lines[0]),
            "وصول السفينة",
            "25 words:  / 16 words: ",
            &["rearranged"],
        ),
        (
            "a pointer to another page",
            format!("{first}\nاقرأ أيضا: موسم القمح\n{second}"),
            "وصول السفينة",
            "41 words: اقرأ أيضا: موسم القمح>",
            &[],
        ),
        (
            "another number",
            HARBOUR.replace("ثلاثة أسابيع", "خمسة أسابيع"),
            "وصول السفينة",
            "40 words: خمسة>ثلاثة",
            &["1 number differs", "1 place reworded"],
        ),
    ];
    for (name, text, title, passages, changes) in rows {
        let found = compare(side(title, &text), side("وصول السفينة", HARBOUR));
        assert_eq!(shown(&found).join(" / "), passages, "{name}");
        assert_eq!(found.changes.in_words(), changes, "{name}: {:?}", found.changes);
    }
}

#[test]
fn a_word_is_found_where_it_stands() {
    let ours = format!("تمهيد قصير لا صلة له بشيء\n{}", HARBOUR.replace("المطر", "البرد"));
    let found = compare(side("", &ours), side("", HARBOUR));
    let change = &found.passages[0].changes[0];
    let chars: Vec<char> = ours.chars().collect();
    let at = |place: &Place| chars[place.start as usize..place.end as usize].iter().collect::<String>();
    assert_eq!((at(&change.ours), change.theirs.as_ref().unwrap().text.as_str()), ("البرد".to_owned(), "المطر"));
    assert!(at(&found.passages[0].ours).starts_with("رست السفينة"));
}

#[test]
fn a_paragraph_in_the_place_of_the_title_is_found_there() {
    let paragraph = HARBOUR.replace('\n', " ");
    let found = compare(side(&paragraph, "اقرأ التفاصيل هنا"), side("وصول", HARBOUR));
    assert_eq!(found.passages.len(), 1);
    assert_eq!((found.passages[0].words, found.coverage.theirs), (41, 1.0));
    assert_eq!(serde_json::to_value(&found.passages[0].ours).unwrap()["field"], "title");
    let nothing = compare(side("", ""), side("…", "!\n"));
    assert_eq!((nothing.passages.len(), nothing.coverage.ours), (0, 0.0));
}

#[test]
fn subjects_and_numbers_are_named() {
    let telegram = |who: &str, day: u32| {
        (
            format!("برقية تهنئة إلى رئيس {who}"),
            format!(
                "بعث مجلس المدينة برقية تهنئة إلى رئيس {who} بمناسبة العيد الوطني الذي يحل يوم {day} من الشهر الجاري متمنيا له دوام الصحة ولشعبه مزيدا من الرخاء"
            ),
        )
    };
    let ((one, text), (other, theirs)) = (telegram("كينيا", 12), telegram("منغوليا", 26));
    let found = compare(side(&one, &text), side(&other, &theirs));
    let texts = |places: &[Place]| places.iter().map(|place| place.text.clone()).collect::<Vec<_>>();
    assert_eq!(
        (texts(&found.subjects.ours), texts(&found.subjects.theirs)),
        (vec!["كينيا".into()], vec!["منغوليا".into()])
    );
    let number = &found.numbers[0];
    assert_eq!((number.ours.text.as_str(), number.ours_in.as_str()), ("12", "يوم 12 من"));
    assert_eq!(number.theirs_in.as_deref(), Some("يوم 26 من"));

    let reason = Reason::of(&Fingerprint::of(&one, &text), &Fingerprint::of(&other, &theirs), Context::default());
    assert_eq!(reason.kind, Some(VerdictKind::Update));
    assert!(reason.needed.contains(&Evidence::Numbers) || reason.needed.contains(&Evidence::Subjects), "{reason:?}");
}

#[test]
fn a_reason_names_what_was_needed_and_no_more() {
    let print = |title: &str, text: &str| Fingerprint::of(title, text);
    let whole = print("وصول السفينة", HARBOUR);
    let reason = Reason::of(&whole, &whole, Context::default());
    assert_eq!((reason.kind, reason.needed.as_slice()), (Some(VerdictKind::Exact), [].as_slice()));
    let short = "رست السفينة الزرقاء صباح أمس على الرصيف الشرقي بعد رحلة دامت أسابيع";
    let longer = format!("{short} كاملة وسط ترحيب كبير من سكان الحي وعمال الميناء القديم");
    let reason = Reason::of(&print("", short), &print("", &longer), Context::default());
    assert_eq!(reason.needed, [Evidence::SameOpening], "{reason:?}");
    assert!(reason.in_words().contains("the same opening"), "{}", reason.in_words());
    let reason = Reason::of(&print("", short), &print("", "نص آخر لا صلة له بما سبق في شيء"), Context::default());
    assert_eq!(reason.kind, None);
}

#[test]
fn a_document_without_its_text_still_says_what_is_shared() {
    let text = CorpusText { id: "1".into(), title: "وصول السفينة".into(), text: HARBOUR.into() };
    let corpus = Corpus::of("ref", &[text]).unwrap();
    let document = &corpus.documents[0].fingerprint;
    let ours = format!("تمهيد قصير لا صلة له بشيء مما يلي\n{HARBOUR}\nوهذا ختام كتبناه نحن من عندنا");
    let found = compare_with_fingerprint(side("عنوان آخر", &ours), document);
    assert_eq!(found.passages.len(), 1, "{found:?}");
    let passage = &found.passages[0];
    assert!((34..=41).contains(&passage.words) && passage.theirs.is_none(), "{passage:?}");
    assert!(found.coverage.theirs > 0.9 && found.changes.headline, "{found:?}");
    assert!(HARBOUR.contains(&passage.ours.text), "{passage:?}");
    let other = compare_with_fingerprint(side("", "نص آخر لا صلة له بما سبق في شيء من الأشياء"), document);
    assert!(other.passages.is_empty());
}

fn words() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "قال",
        "سوق",
        "مدينة",
        "30",
        "الأحد",
        "و",
        "بيت",
        "ماء",
        ".",
        "\n",
        "زار",
        "أمس",
        "قَمْح",
        "اقرأ أيضا",
        "\n\n",
        "&amp;",
    ]);
    prop::collection::vec(word, 0..120).prop_map(|words| words.join(" "))
}

/// Two texts with stretches in common.
fn pairs() -> impl Strategy<Value = (String, String)> {
    (words(), words(), words(), words()).prop_map(|(a, b, c, d)| (format!("{a} {b} {c}"), format!("{c} {d} {b}")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn exchanging_the_texts_exchanges_the_sides((a, b) in pairs(), title in words()) {
        let one = compare(side(&title, &a), side("", &b));
        let two = compare(side("", &b), side(&title, &a));
        prop_assert_eq!(one.coverage.ours, two.coverage.theirs);
        prop_assert_eq!(one.coverage.theirs, two.coverage.ours);
        let mut flipped: Vec<(Place, Option<Place>)> =
            two.passages.into_iter().map(|p| (p.theirs.unwrap(), Some(p.ours))).collect();
        let mut passages: Vec<(Place, Option<Place>)> = one.passages.into_iter().map(|p| (p.ours, p.theirs)).collect();
        let key = |(a, b): &(Place, Option<Place>)| (a.start, a.end, b.as_ref().map(|b| b.start));
        flipped.sort_by_key(key);
        passages.sort_by_key(key);
        prop_assert_eq!(passages, flipped);
    }

    #[test]
    fn places_are_what_they_say((a, b) in pairs()) {
        let found = compare(side("", &a), side("", &b));
        let holds = |text: &str, place: &Place| {
            text.chars().skip(place.start as usize).take((place.end - place.start) as usize).collect::<String>() == place.text
        };
        for passage in &found.passages {
            prop_assert!(holds(&a, &passage.ours) && holds(&b, passage.theirs.as_ref().unwrap()));
            for change in &passage.changes {
                prop_assert!(holds(&a, &change.ours) && holds(&b, change.theirs.as_ref().unwrap()));
                prop_assert!(passage.ours.start <= change.ours.start && change.ours.end <= passage.ours.end);
            }
        }
        prop_assert!((0.0..=1.0).contains(&found.coverage.ours) && (0.0..=1.0).contains(&found.coverage.theirs));
    }

    #[test]
    fn a_text_is_covered_by_itself(a in words()) {
        // A word or two between two lines that do not count are too few to be found: neither pointers nor dates.
        let a = a.replace("اقرأ أيضا", "كتاب");
        prop_assume!(Fingerprint::of("", &a).words as usize == Words::of(&a).len());
        let found = compare(side("", &a), side("", &a));
        let empty = Fingerprint::of("", &a).words == 0;
        prop_assert_eq!(found.coverage.ours, if empty { 0.0 } else { 1.0 });
        prop_assert!(found.changes.in_words().is_empty() || empty, "{:?}", found.changes);
    }
}

#[test]
fn long_and_repeating_texts_are_compared_in_one_go() {
    // Whoever compares each place with each does 400 million steps here, on either text.
    let same = "قمح ".repeat(20_000);
    let found = compare(side("", &same), side("", &same));
    assert_eq!((found.coverage.ours, found.passages.len()), (1.0, 1));
    let numbered = |from: usize| (from..from + 20_000).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" ");
    let found = compare(side("", &numbered(0)), side("", &numbered(10_000)));
    assert_eq!((found.passages.len(), found.coverage.ours), (1, 0.5));
}

#[test]
fn a_line_of_the_house_makes_no_text_a_match_and_hides_none() {
    let house = "تصدر هذه الصحيفة كل صباح منذ سنوات طويلة وتوزع في جميع أحياء المدينة القديمة والجديدة";
    let document = |n: usize| CorpusText {
        id: format!("{n:03}"),
        title: String::new(),
        text: format!("a b c\n{}\n{house}", (0..60).map(|i| format!("w{}", n * 60 + i)).collect::<Vec<_>>().join(" ")),
    };
    let documents: Vec<CorpusText> = (0..200).map(document).collect();
    let all = super::Corpora::new(vec![Corpus::of("ref", &documents).unwrap()]);
    let found =
        |text: &str| all.matches("", text).into_iter().map(|found| (found.document, found.kind)).collect::<Vec<_>>();
    assert_eq!(found(&format!("{} ختام", documents[7].text)), [("007".to_owned(), VerdictKind::Near)]);
    // What they share counts for the one that is found otherwise.
    let fingerprint = Fingerprint::of("", &documents[7].text);
    let one = all.matches("", &format!("ختام {}", documents[7].text)).swap_remove(0);
    assert!(one.shared as usize >= fingerprint.shingles.len() - 4, "{one:?}");
    assert!(found(&format!("{HARBOUR}\n{house}")).is_empty());
    let related = found(house);
    assert!(related.len() == 100 && related.iter().all(|(_, kind)| *kind == VerdictKind::Related), "{related:?}");
}
