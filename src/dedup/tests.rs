//! Laws of fingerprints, the index, packs and verdicts, on sentences of our own.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::compare::{Context, Marks, Overlap, relate};
use super::corpus::{CorpusText, PackError, documents_of};
use super::index::Index;
use super::verdict::{Known, Subject, decide};
use super::*;
use crate::id::{EntryKey, ItemId};

fn start() -> Timestamp {
    "2026-03-01T08:00:00Z".parse().unwrap()
}

fn id(name: &str) -> ItemId {
    ItemId::of(&"feed".parse().unwrap(), EntryKey::of("guid", name))
}

/// A report of `sentences` sentences, no two alike.
fn report(seed: usize, sentences: usize) -> String {
    const WHO: [&str; 8] = [
        "رئيس البلدية",
        "مدير المدرسة",
        "سكان الحي",
        "صاحب المخبز",
        "سائق الحافلة",
        "أمين المكتبة",
        "طلاب المعهد",
        "حارس الحديقة",
    ];
    const DID: [&str; 8] = ["افتتح", "زار", "انتقد", "وصف", "رمم", "صور", "اشترى", "شرح"];
    const WHAT: [&str; 9] = [
        "السوق القديم",
        "الجسر الخشبي",
        "مشروع المياه",
        "متحف الزجاج",
        "طريق الميناء",
        "حفل التخرج",
        "ورشة النسيج",
        "بستان اللوز",
        "محطة القطار",
    ];
    const HOW: [&str; 7] = [
        "وسط حضور كبير من الأهالي",
        "بعد انتظار طال أشهرا",
        "رغم المطر والبرد",
        "في ساعة مبكرة من النهار",
        "بكلمات قليلة وواضحة",
        "دون أن يلتفت إلى المصورين",
        "كما وعد في الربيع",
    ];
    (0..sentences)
        .map(|i| {
            let n = seed * 31 + i * 17 + i * i;
            format!("{} {} {} {}.", DID[n % 8], WHO[(n / 3) % 8], WHAT[(n / 5) % 9], HOW[(n / 2) % 7])
        })
        .collect::<Vec<_>>()
        .join(" ")
}

/// The verdict on `(title, text)` after `before` were stored, a day apart.
fn judge(before: &[(&str, &str, &str)], title: &str, text: &str) -> Verdict {
    let mut index = Index::default();
    let new = Fingerprint::of(title, text);
    let mut known = Known::default();
    for (name, title, text) in before {
        let fingerprint = Fingerprint::of(title, text);
        if new.content.is_some() && fingerprint.content == new.content {
            known.by_content = known.by_content.or(Some(id(name)));
        }
        index.insert(id(name), start(), &fingerprint);
    }
    let subject = Subject { fingerprint: &new, published_at: start() + SignedDuration::from_hours(3) };
    decide(&subject, &Corpora::default(), &index, &known, &|_| None)
}

#[test]
fn spelling_marks_and_a_headline_on_top_change_nothing() {
    let plain =
        Fingerprint::of("افتتاح السوق", "افتتح رئيس البلدية السوق القديم وسط حضور كبير من الأهالي في المدينة صباح أمس.");
    for (title, text) in [
        ("اِفْتِتاحُ السُّوق", "إفتتح رئيس البلديه السوق القديم، وسط حضور كبير من الاهالي في المدينة صباح أمس"),
        (
            "افتتاح السوق",
            "افتتاح السوق\n\nافتتاح السوق\nافتتح رئيس البلدية السوق القديم وسط حضور كبير من الأهالي في المدينة صباح أمس.",
        ),
        (
            "افتتاح السوق",
            "13 يناير 2026\n+ الخط -\nافتتح رئيس البلدية السوق القديم وسط حضور كبير من الأهالي في المدينة صباح أمس.",
        ),
        (
            "افتتاح السوق",
            "افتتح رئيس البلدية السوق القديم وسط حضور كبير من الأهالي في المدينة صباح أمس.\nاقرأ أيضا: موسم اللوز",
        ),
    ] {
        let other = Fingerprint::of(title, text);
        assert_eq!(
            (other.content, other.title, &other.shingles),
            (plain.content, plain.title, &plain.shingles),
            "{text}"
        );
    }
}

#[test]
fn no_key_is_made_of_nothing() {
    for (title, text) in [("", ""), (" ", "\n\n"), ("…", "— !")] {
        let nothing = Fingerprint::of(title, text);
        assert_eq!(nothing, Fingerprint::default());
        assert_eq!(judge(&[("a", title, text)], title, text).kind, VerdictKind::New);
    }
    let (a, b) =
        (Fingerprint::of("سوق المدينة", "اقرأ التفاصيل هنا"), Fingerprint::of("حفل التخرج", "اقرأ التفاصيل هنا"));
    assert_ne!(a.content, b.content, "a teaser of three words is no text");
    assert!(!Fingerprint::of("سوق المدينة القديم", "").shingles.is_empty());
}

#[test]
fn verdicts() {
    use VerdictKind::*;
    let (long, other) = (report(1, 20), report(400, 20));
    let words: Vec<&str> = long.split(' ').collect();
    let cut = |from: usize, to: usize| words[from..to].join(" ");
    let fifth_replaced = {
        const OTHERS: [&str; 4] = ["بينما", "لاحقا", "هناك", "أخيرا"];
        let swap = |(i, word): (usize, &&str)| {
            let chance = (i as u32).wrapping_mul(2_654_435_761) as usize >> 12;
            if chance.is_multiple_of(5) { OTHERS[chance / 5 % 4].to_owned() } else { (*word).to_owned() }
        };
        words.iter().enumerate().map(swap).collect::<Vec<_>>().join(" ")
    };
    let lead = "أعلنت إدارة الميناء وصول السفينة الزرقاء إلى الرصيف الشرقي محملة بالقمح بعد رحلة دامت أسابيع في بحر هائج وسط استقبال العمال";
    let followed = format!("{lead}. {other}");
    let background = format!("{other}\n{}\nوفي خبر سابق {lead}", report(77, 4));
    let toll = |n: u32, day: &str| {
        format!(
            "أصيب {n} من ركاب الحافلة المدرسية في حادث على طريق الميناء يوم {day} الماضي بعد أن انزلقت عجلاتها على الرمل، وفق بيان لإدارة المرور نشر على صفحتها"
        )
    };
    let (eight, nine, monday) = (toll(8, "الأحد"), toll(9, "الأحد"), toll(8, "الاثنين"));
    let rows: [(&str, &str, &str, VerdictKind); 13] = [
        ("the same", &long, &long, Exact),
        ("the same in other order", &long, &format!("{} {}", cut(60, words.len()), cut(0, 60)), Near),
        ("half of it", &long, &cut(0, words.len() / 2), Near),
        ("a third of it", &long, &cut(20, 20 + words.len() / 3), Contained),
        ("three times as long", &cut(20, 20 + words.len() / 3), &long, Expands),
        ("a fifth of its words replaced", &long, &fifth_replaced, Near),
        ("something else", &long, &other, New),
        ("its lead alone", &followed, lead, Contained),
        ("the whole after the lead", lead, &followed, Expands),
        ("an old lead as background", lead, &background, Related),
        ("another toll", &eight, &nine, Update),
        ("another day", &eight, &monday, Update),
        ("the same toll, one word changed", &eight, &eight.replace("انزلقت", "زلقت"), Near),
    ];
    for (name, before, now, expected) in rows {
        let verdict = judge(&[("a", "عنوان أول للخبر", before)], "عنوان آخر", now);
        assert_eq!(verdict.kind, expected, "{name}: {verdict:?}");
        assert_eq!(verdict.of.is_some(), expected != New, "{name}");
    }
}

#[test]
fn one_address_is_evidence_for_short_texts_and_a_link_for_others() {
    let (short, longer) = ("وصلت السفينة الزرقاء إلى الرصيف الشرقي", report(3, 8));
    let with = |text: &str, now: &str| {
        let mut index = Index::default();
        index.insert(id("a"), start(), &Fingerprint::of("عنوان", text));
        let new = Fingerprint::of("", now);
        let known = Known { by_url: Some(id("a")), by_content: None };
        decide(&Subject { fingerprint: &new, published_at: start() }, &Corpora::default(), &index, &known, &|_| None)
            .kind
    };
    assert_eq!(with(short, &longer), VerdictKind::Related);
    assert_eq!(
        with(
            "وصلت السفينة الزرقاء إلى الرصيف الشرقي بعد رحلة دامت أسابيع",
            "مصادر الميناء: وصلت السفينة الزرقاء إلى الرصيف الشرقي بعد رحلة دامت أسابيع"
        ),
        VerdictKind::Near
    );
}

#[test]
fn a_corpus_comes_first_and_among_equals_the_oldest() {
    let text = report(5, 15);
    let copy = format!("{text} وقال شهود إن الأمر انتهى بسلام.");
    let corpus =
        Corpus::of("ref", &[CorpusText { id: "one".into(), title: String::new(), text: text.clone() }]).unwrap();
    let (original, new) = (Fingerprint::of("", &text), Fingerprint::of("", &copy));
    let subject = Subject { fingerprint: &new, published_at: start() };
    for names in [["x", "y", "z"], ["z", "x", "y"]] {
        let mut index = Index::default();
        for name in names {
            let day = i64::from(name.as_bytes()[0]);
            index.insert(id(name), start() - SignedDuration::from_hours(24 * (130 - day)), &original);
        }
        let verdict = decide(&subject, &Corpora::default(), &index, &Known::default(), &|_| None);
        assert_eq!((verdict.kind, verdict.of), (VerdictKind::Near, Some(Original::Item(id("x")))));
        let corpora = Corpora::new(vec![corpus.clone()]);
        let known = Known { by_url: Some(id("x")), by_content: Some(id("y")) };
        let verdict = decide(&subject, &corpora, &index, &known, &|_| None);
        assert_eq!(verdict.of.unwrap().to_string(), "corpus:ref/one");
    }
}

#[test]
fn the_window_ends_and_boilerplate_cancels_itself() {
    let text = report(9, 10);
    let fingerprint = Fingerprint::of("", &text);
    let mut index = Index::default();
    for day in 0..5_000 {
        index.insert(
            id(&day.to_string()),
            start() + SignedDuration::from_hours(day),
            &Fingerprint::of("", &report(day as usize, 2)),
        );
    }
    index.insert(id("kept"), start() + SignedDuration::from_hours(5_000), &fingerprint);
    assert_eq!(index.candidates(&fingerprint, 3).last().unwrap().item.id, id("kept"));
    index.expire(start() + SignedDuration::from_hours(4_999));
    assert_eq!(index.len(), 2);
    assert_eq!(index.candidates(&fingerprint, 3).last().unwrap().item.id, id("kept"));
    index.remove(id("kept"));
    index.remove(id("kept"));
    assert!(index.get(id("kept")).is_none() && index.len() == 1);

    for n in 0..64 {
        assert_eq!(index.candidates(&fingerprint, 3).len(), n);
        index.insert(id(&format!("copy {n}")), start() + SignedDuration::from_hours(6_000), &fingerprint);
    }
    assert!(index.candidates(&fingerprint, 3).is_empty(), "what {} texts have says nothing", super::index::CAP);
}

/// Items come, are replaced and go, out of order, under a footer that most have; what is left answers as if nothing else
/// had ever been there.
#[test]
fn an_index_answers_as_one_that_was_made_anew() {
    let footer = report(123, 2);
    let at = |n: usize| start() + SignedDuration::from_mins((n * 7 % 50 + n) as i64);
    let print = |n: usize| {
        let end = if n.is_multiple_of(4) { "" } else { &footer };
        Fingerprint::of("", &format!("{} {end}", report(n % 900, 3 + n % 5)))
    };
    let mut index = Index::default();
    let mut left = std::collections::BTreeMap::new();
    for n in 0..3_600 {
        let name = (n - n % 5).to_string();
        index.insert(id(&name), at(n), &print(n));
        left.insert(name, n);
        if n % 300 == 299 {
            let before = start() + SignedDuration::from_mins(n as i64 - 700);
            index.expire(before);
            left.retain(|_, n| at(*n) >= before);
            index.remove(id(&(n - 99).to_string()));
            left.remove(&(n - 99).to_string());
        }
    }
    let mut anew = Index::default();
    left.iter().for_each(|(name, n)| anew.insert(id(name), at(*n), &print(*n)));
    assert_eq!((index.len(), anew.len()), (left.len(), left.len()));
    let said = |index: &Index, n: usize| {
        let found = |f: &super::index::Found<'_>| (f.item.id, f.item.at, f.overlap);
        index.candidates(&print(n), 2).iter().map(found).collect::<Vec<_>>()
    };
    for n in (0..3_600).step_by(23) {
        let found = said(&index, n);
        assert_eq!(found, said(&anew, n), "{n}");
    }
    assert!((3_400..3_600).all(|n| !said(&index, n).is_empty()));
}

fn texts() -> Vec<CorpusText> {
    let text = |n: usize| CorpusText {
        id: format!("{n:03}"),
        title: format!("تقرير رقم {n}"),
        text: format!("تقرير رقم {n}\n{}", report(n * 50, 12)),
    };
    (1..5).map(text).collect()
}

#[test]
fn a_pack_says_why_it_is_refused() {
    let bytes = Corpus::pack("ref", &texts()).unwrap();
    let corpus = Corpus::read(&bytes).unwrap();
    assert_eq!(corpus, Corpus::of("ref", &texts()).unwrap());
    assert!(corpus.terms.len() > 20 && corpus.weight(corpus.terms[3].0) > 0.0 && corpus.weight(1) == 0.0);
    let mut other = texts();
    other.reverse();
    assert_eq!(Corpus::pack("ref", &other).unwrap(), bytes, "the order of texts does not matter");

    assert_eq!(Corpus::read(b"something else"), Err(PackError::NotAPack));
    for (at, what) in [(8, "pack format"), (12, "normalizer"), (16, "fingerprint"), (20, "shingles"), (24, "window")] {
        let mut old = bytes.clone();
        old[at] ^= 0x40;
        let error = Corpus::read(&old).unwrap_err().to_string();
        assert!(error.contains(what) && error.contains("rasid corpus pack DIR -o FILE"), "{error}");
    }
    let named = |id: &str, text: &str| CorpusText { id: id.into(), title: String::new(), text: text.into() };
    assert_eq!(Corpus::pack("a b", &[]), Err(PackError::BadName("a b".into())));
    assert_eq!(Corpus::pack("a", &[named("x", "كلام"), named("x", "سلام")]), Err(PackError::SameId("x".into())));
    assert_eq!(Corpus::pack("a", &[named("x", "…")]), Err(PackError::NoWords("x".into())));
}

#[test]
fn every_reading_of_a_document_is_an_exact_copy() {
    let body = report(2, 9);
    let corpora =
        |text: String| Corpora::new(vec![Corpus::of("ref", &documents_of("dir/007_سوق.txt", &text).unwrap()).unwrap()]);
    for file in
        [format!("\u{feff}\nسوق المدينة\n{body}"), format!("سوق المدينة\n\nسوق المدينة\n\n12 مارس 2026\n{body}")]
    {
        let corpora = corpora(file.clone());
        for (title, text) in [
            ("", file.as_str()),
            ("سوق المدينة", &file),
            ("سوق المدينة", &body),
            ("سوق المدينة | موقع الخبر", &body),
            ("موقع الخبر", &format!("سوق المدينة\n{body}")),
        ] {
            let found = corpora.matches(title, text);
            assert_eq!(found[0].kind, VerdictKind::Exact, "{title} / {text}");
            assert_eq!(found[0].original().to_string(), "corpus:ref/007_سوق");
        }
    }
}

#[test]
fn files_of_a_corpus() {
    let lines = "{\"id\": \"a\", \"title\": \"عنوان\", \"text\": \"نص\"}\n\n{\"id\": \"b\", \"text\": \"نص آخر\"}\n";
    let read = documents_of("x.jsonl", lines).unwrap();
    assert_eq!(
        read.iter().map(|text| (text.id.as_str(), text.title.as_str())).collect::<Vec<_>>(),
        [("a", "عنوان"), ("b", "")]
    );
    assert!(documents_of("x.jsonl", "{}\n").unwrap_err().to_string().starts_with("x.jsonl:1: "));
    assert!(documents_of("x.pdf", "").unwrap_err().to_string().contains(".jsonl"));
}

fn words() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "قال",
        "سوق",
        "مدينة",
        "جسر",
        "30",
        "الأحد",
        "و27",
        "(CNN)",
        "بيت",
        "ماء",
        "طريق",
        ".",
        "\n",
        "زار",
        "كتاب",
        "أمس",
        "قمح",
    ]);
    prop::collection::vec(word, 0..160).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn comparing_is_symmetric(a in words(), b in words(), same_day: bool, same_address: bool) {
        use VerdictKind::{Contained, Expands};
        let (a, b) = (Fingerprint::of("", &a), Fingerprint::of("", &b));
        let shared = a.shingles.iter().filter(|shingle| b.shingles.contains(shingle)).count() as u32;
        let (new, known) = (Marks::of(&a), Marks::of(&b));
        let context = Context { same_address, same_day };
        let one = relate(&new, &known, Overlap { shared, new: new.shingles, known: known.shingles }, context);
        let two = relate(&known, &new, Overlap { shared, new: known.shingles, known: new.shingles }, context);
        prop_assert_eq!(one.map(|r| r.similarity), two.map(|r| r.similarity));
        match (one.map(|r| r.kind), two.map(|r| r.kind)) {
            (Some(Contained | Expands), Some(Contained | Expands)) => {}
            (one, two) => prop_assert_eq!(one, two),
        }
    }

    #[test]
    fn the_order_of_insertion_changes_no_verdict(texts in prop::collection::vec(words(), 1..8), new in words()) {
        let named: Vec<(String, &String)> = texts.iter().enumerate().map(|(i, text)| (i.to_string(), text)).collect();
        let rows: Vec<(&str, &str, &str)> = named.iter().map(|(name, text)| (name.as_str(), "", text.as_str())).collect();
        let reversed: Vec<_> = rows.iter().rev().copied().collect();
        let (one, two) = (judge(&rows, "", &new), judge(&reversed, "", &new));
        prop_assert_eq!(one.kind, two.kind);
        prop_assert_eq!(one.similarity, two.similarity);
    }

    #[test]
    fn a_damaged_pack_is_an_error(at in 0usize..4_000, flip in 1u8.., cut in 0usize..4_000) {
        let bytes = Corpus::pack("ref", &texts()).unwrap();
        let mut damaged = bytes.clone();
        let at = at % bytes.len();
        damaged[at] ^= flip;
        prop_assert!(Corpus::read(&damaged).is_err());
        prop_assert!(Corpus::read(&bytes[..cut % bytes.len()]).is_err());
    }
}
