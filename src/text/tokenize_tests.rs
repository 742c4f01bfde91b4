//! Examples and laws of words and sentences.

use proptest::prelude::*;

use super::super::normalize::normalize;
use super::*;

/// The words, with `|` between sentences.
fn shown(text: &str) -> String {
    let words = Words::of(text);
    let mut out = String::new();
    for i in 0..words.len() {
        if i > 0 {
            out.push_str(if words.begins_sentence(i) { " | " } else { " " });
        }
        out.push_str(words.get(i));
    }
    out
}

#[test]
fn words_and_sentences() {
    for (text, want) in [
        // Runs of letters and digits.
        ("أعلنت الوزارة، اليوم، النتائج", "اعلنت الوزاره اليوم النتايج"),
        ("حلف تركيا-أذربيجان", "حلف تركيا اذربيجان"),
        ("#الأمن_الجماعي", "الامن الجماعي"),
        ("G20 و F16 و4K", "g20 وf16 و 4k"),
        ("d'Ivoire", "d ivoire"),
        ("منظمة CSTO الأمنية ОДКБ", "منظمه csto الامنيه одкб"),
        // Numbers.
        ("6,2 مليون و6.2 و٦٫٢", "6.2 مليون و 6.2 و 6.2"),
        ("1,500 و 1.500.000 و ١٬٥٠٠", "1500 و 1500000 و 1500"),
        ("1.000.000,50", "1000000.50"),
        ("0.125 و 2022.125", "0.125 و 2022.125"),
        ("12.01.2022", "12.01.2022"),
        ("بـ1500 جندي و29عاما", "ب 1500 جندي و 29 عاما"),
        ("العدد 5. وقال", "العدد 5 | وقال"),
        ("5،6", "5.6"),
        ("5, 6", "5 6"),
        // Proclitics that stand apart.
        ("تعرضت لـ \"هجوم منظم\"", "تعرضت لهجوم منظم"),
        ("تعرضت لـ\"هجوم منظم\"", "تعرضت لهجوم منظم"),
        ("دول الـ CSTO", "دول الcsto"),
        ("دول الـCSTO", "دول الcsto"),
        ("لن تسمح بـ”انقلابات ملونة”", "لن تسمح بانقلابات ملونه"),
        ("«البيان» و«الرد»", "البيان والرد"),
        ("ب (المنظمة)", "بالمنظمه"),
        ("و CNN", "وcnn"),
        ("لـ جي بي مورغان", "لجي بي مورغان"),
        ("كـ #الهند", "كالهند"),
        ("الـ 29", "ال 29"),
        ("روسيا و الصين", "روسيا و الصين"),
        ("ال غيلترو", "ال غيلترو"),
        ("كلمة \"فل\" كناية", "كلمه فل كنايه"),
        ("قال لـ. CNN", "قال ل cnn"),
        ("شكر لـ : الجميع", "شكر ل الجميع"),
        ("انتظر الـ\nCSTO", "انتظر ال | csto"),
        ("قلبـ \"المدينة\"", "قلب المدينه"),
        ("لُـ &quot;هجوم&quot;", "لهجوم"),
        // Sentences.
        ("انتهى الاجتماع. وقال الوزير", "انتهي الاجتماع | وقال الوزير"),
        ("هل انتهى؟ نعم! حقا...", "هل انتهي | نعم | حقا"),
        ("انتهى.وقال", "انتهي | وقال"),
        ("قال د. أحمد لوكالة أ.ف.ب أمس", "قال د احمد لوكاله ا ف ب امس"),
        ("the U.N. said on bbc.com today", "the u n said on bbc com today"),
        ("حقا… ربما", "حقا | ربما"),
        ("حقا...ربما", "حقا | ربما"),
        ("قال «انتهى». ثم مضى", "قال انتهي | ثم مضي"),
        ("سطر\nسطر\n\n\nسطر", "سطر | سطر | سطر"),
        ("هدأ؛ ثم عاد", "هدا ثم عاد"),
        ("... !؟ بداية", "بدايه"),
        ("", ""),
        ("«» .. ،", ""),
    ] {
        assert_eq!(shown(text), want, "{text:?}");
    }
}

#[test]
fn words_lead_back_to_the_original() {
    for (text, words, want) in [
        ("قال أَحْمَدُ، اليوم", 1..2, "أَحْمَدُ"),
        ("قال أَحْمَدُ، اليوم", 0..3, "قال أَحْمَدُ، اليوم"),
        ("تعرضت لـ \"هجوم منظم\"", 1..2, "لـ \"هجوم"),
        ("تعرضت لـ \"هجوم منظم\"", 1..3, "لـ \"هجوم منظم"),
        ("بيان &laquo;الوزارة&raquo; اليوم", 1..2, "الوزارة"),
        ("بلغ 1,500 شخص", 1..2, "1,500"),
        ("بيان", 0..0, ""),
        ("بيان", 0..9, "بيان"),
        ("بيان", 5..9, ""),
        ("", 0..1, ""),
    ] {
        let range = Words::of(text).original(words.clone());
        let back: String = text.chars().skip(range.start).take(range.len()).collect();
        assert_eq!(back, want, "{words:?} of {text:?}");
    }
}

/// Text in which the rules of words and of folding have something to do.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => "[ء-غف-ي]{1,5}",
        4 => "[ \\n]|، | \"|[(«»)#]",
        2 => "(و|ب|ل|ال|لل|وبال)[ـ\u{64E}\u{200F}]{0,2}( |\"| \"|\" |)",
        2 => "[0-9٠-٩]{1,3}[.,،٫٬…]?[\u{200F}\u{64E}]?[0-9٠-٩]{0,3}",
        2 => "[.…!?؟۔\u{FE52}]{1,3}[\u{200F}\u{64E}]?",
        2 => "[\u{64B}-\u{655}ـ\u{200B}-\u{200F}\u{202A}-\u{202E}\u{E0041}]{1,3}",
        1 => "[a-zA-ZÀ-žЀ-ӿ-]{1,5}",
        1 => "[ﻻﷲﷺ½＆&;😀𝐀\u{FE70}-\u{FEFC}]|&(amp|quot|#1575|#65|#1616|rlm|hellip);?",
        1 => any::<String>(),
    ];
    prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn places_rise_and_hold_the_word(text in "([ء-ي]{1,4}|ـ|َ|[a-zA-Z0-9٠-٩]{1,3}|[ \n.,،؟!«»\"#()-]|&(amp|quot|#1575|#65|#1616);|ﷺ){0,30}") {
        let words = Words::of(&text);
        let len = text.chars().count();
        let (mut end, mut sentence) = (0_usize, 0);
        for i in 0..words.len() {
            let range = words.original(i..i + 1);
            prop_assert!(range.start < range.end && range.end <= len);
            let piece: String = text.chars().skip(range.start).take(range.len()).collect();
            // The words of one expanded character (`ﷺ`) share its place; no others overlap.
            let shares = piece.contains('ﷺ') && range.end >= end;
            prop_assert!(range.start >= end || shares, "{range:?} after {end}");
            end = range.end;
            prop_assert!(words.sentence(i) == sentence || words.sentence(i) == sentence + 1);
            sentence = words.sentence(i);
            let (piece, word) = (normalize(&piece), words.get(i));
            prop_assert!(!word.is_empty());
            // What is left out of a word is a separator of thousands or what stood after a proclitic.
            let kept: String = word.chars().filter(|c| c.is_alphanumeric()).collect();
            let there: String = piece.chars().filter(|c| c.is_alphanumeric()).collect();
            prop_assert!(there.contains(&kept), "{word:?} in {piece:?}");
        }
        prop_assert_eq!(words.iter().count(), words.len());
    }

    /// Both ways to the words of a text: folding as it is read, and normalizing it first.
    #[test]
    fn both_ways_give_the_same_words(text in texts()) {
        prop_assert_eq!(Words::of(&text), Words::of_normalized(&Normalized::of(&text)));
    }

    #[test]
    fn any_text_has_words(text in any::<String>()) {
        let words = Words::of(&text);
        prop_assert!(words.original(0..words.len()).end <= text.chars().count());
    }
}
