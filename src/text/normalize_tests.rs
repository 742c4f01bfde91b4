//! Examples and laws of normalization.

use proptest::prelude::*;

use super::*;

#[test]
fn spellings_of_one_word_become_one() {
    for (original, want) in [
        ("أَخْبَارٌ", "اخبار"),
        ("الإمــــارات", "الامارات"),
        ("آسيا وٱلقدس", "اسيا والقدس"),
        ("مستشفى", "مستشفي"),
        ("شؤون الطوارئ", "شوون الطواري"),
        ("مدرسة", "مدرسه"),
        ("گوگل", "كوكل"),
        ("پاريس ڤيينا چاد", "باريس فيينا جاد"),
        ("ڨفصة وأڭادير", "قفصه واكادير"),
        ("هٰذا الرحمٰن", "هذا الرحمن"),
        ("ﻻ ﻷ ﻹ ﻵ", "لا لا لا لا"),
        ("ﺍﻟﻌﺮﺑﻴﺔ", "العربيه"),
        ("ﷲ", "الله"),
        ("سلا\u{FE76}م", "سلام"),
        ("مل\u{FC60}ون", "ملون"),
        ("١٢٣ ۴۵۶", "123 456"),
        ("٦٫٢ و١٬٥٠٠", "6.2 و1,500"),
        ("CSTO ОДКБ", "csto одкб"),
        ("Café Cafe\u{301}", "cafe cafe"),
        ("\u{202B}خبر\u{202C}\u{200F} عا\u{200D}جل\u{FEFF}", "خبر عاجل"),
        ("می\u{200C}شود", "ميشود"),
        ("بيان\u{A0}مشترك\u{2009}اليوم", "بيان مشترك اليوم"),
        ("سطر\r\nآخر", "سطر\n\nاخر"),
        ("كلمة\u{AD}مقسومة", "كلمهمقسومه"),
        ("&laquo;بيان&raquo; &amp; رد", "«بيان» & رد"),
        ("&amp;quot;بيان&amp;quot;", "\"بيان\""),
        ("&#1575;&#x644;&#0039;", "ال'"),
        ("ق&nbsp;م", "ق م"),
        ("&nosuch; & ; &", "&nosuch; & ; &"),
        ("&AMP;LT;", "<"),
        ("＆gt；", ">"),
        ("&a&#109;p;lt;", "<"),
        ("& &#59;", "& ;"),
        ("", ""),
    ] {
        assert_eq!(normalize(original), want, "{original:?}");
        assert_eq!(Normalized::of(original).as_str(), want, "{original:?} with offsets");
    }
}

#[test]
fn a_found_word_leads_back_to_all_its_characters() {
    for (original, found, want) in [
        ("قال أَحْمَدُ اليوم", "احمد", "أَحْمَدُ"),
        ("في الـــقاهرة أمس", "القاهره", "الـــقاهرة"),
        ("&laquo;بيان&raquo;", "«", "&laquo;"),
        ("&laquo;بيان&raquo;", "بيان", "بيان"),
        ("&amp;quot;بيان", "\"", "&amp;quot;"),
        ("قال ﷲ أكبر", "لل", "ﷲ"),
        ("😀 خبر", "خبر", "خبر"),
        ("خبرٌ", "ر", "رٌ"),
    ] {
        let normalized = Normalized::of(original);
        let begin = normalized.as_str().find(found).unwrap();
        let range = normalized.original(begin..begin + found.len());
        let back: String = original.chars().skip(range.start).take(range.len()).collect();
        assert_eq!(back, want, "{found} in {original}");
    }
}

#[test]
fn odd_ranges_stay_inside() {
    let normalized = Normalized::of("بيانٌ");
    assert_eq!(normalized.original(0..0), 0..0);
    assert_eq!(normalized.original(0..1), 0..1);
    assert_eq!(normalized.original(1..3), 0..2);
    assert_eq!(normalized.original(6..8), 3..5);
    assert_eq!(normalized.original(8..8), 5..5);
    assert_eq!(normalized.original(0..usize::MAX), 0..5);
    assert_eq!(normalized.original(usize::MAX..usize::MAX), 5..5);
    assert_eq!(Normalized::of("").original(0..3), 0..0);
}

#[test]
fn a_long_chain_of_references_takes_one_pass() {
    let chain = "&#59".repeat(200_000) + ";";
    assert_eq!(normalize(&chain), ";");
    let nested = format!("&{}lt;", "amp;".repeat(200_000));
    assert_eq!(normalize(&nested), "<");
}

/// Text in which the rules have something to do.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[ء-ي]{1,6}",
        "[\u{64B}-\u{655}ـ\u{200B}-\u{200F}\u{202A}-\u{202E}\u{FE70}-\u{FEFC}ﷲﷺ]{1,3}",
        "[٠-٩۰-۹0-9.,]{1,4}",
        Just("&amp;".to_owned()),
        Just("&#59".to_owned()),
        "&(#[0-9]{1,5}|#x[0-9a-f]{1,5}|lt|quot|AMP|nbsp|hellip|semi|rlm);?",
        "[&;#xａｍｐ；＆amplt0-9]{1,6}",
        "[ \n\t\u{A0}«»\"().:؟]{1,2}",
        "[a-zA-ZÀ-žЀ-ӿ]{1,5}",
        any::<String>(),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn normalizing_twice_is_normalizing_once(text in texts()) {
        let once = normalize(&text);
        prop_assert_eq!(normalize(&once), once);
    }

    #[test]
    fn both_ways_give_the_same_text(text in texts()) {
        prop_assert_eq!(normalize(&text), Normalized::of(&text).text);
    }

    #[test]
    fn offsets_rise_and_cover_the_original(text in texts()) {
        let normalized = Normalized::of(&text);
        let len = text.chars().count();
        let mut end = 0;
        for (at, c) in normalized.as_str().char_indices() {
            let range = normalized.original(at..at + c.len_utf8());
            prop_assert!(range.start < range.end && range.end <= len, "{range:?} of {len}");
            // The characters of one expansion share their origin; all others begin where the one before ended.
            prop_assert!(at == 0 || range.start == end || range.end == end, "{range:?} after {end}");
            end = range.end;
        }
        prop_assert!(normalized.as_str().is_empty() || end == len);
    }

    #[test]
    fn marks_and_controls_change_nothing(words in "[ء-غف-يa-z ،.«»0-9]{0,20}", marks in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(vec!['َ', 'ّ', 'ٌ', '\u{670}', 'ـ', '\u{200F}', '\u{200C}', '\u{202B}', '\u{2069}', '\u{FEFF}', '\u{AD}', '\u{FE0F}', '\u{6DB}', '\u{FE79}'])), 0..10)) {
        let mut chars: Vec<char> = words.chars().collect();
        for (place, mark) in marks {
            chars.insert(place.index(chars.len() + 1), mark);
        }
        prop_assert_eq!(normalize(&chars.iter().collect::<String>()), normalize(&words));
    }
}
