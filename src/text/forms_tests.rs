//! Which words find which.

use proptest::prelude::*;

use super::*;
use crate::text::normalize::normalize;

fn stems_of(text: &str) -> Vec<String> {
    let mut stems = Vec::new();
    words(text, |seen, _| of_word(seen, |stem| stems.push(stem.to_owned())));
    stems
}

fn finds(asked: &str, text: &str) -> bool {
    let stems = stems_of(text);
    of_asked(&normalize(asked), asked).iter().any(|asked| stems.contains(&asked.stem))
}

#[test]
fn a_word_finds_its_forms_and_not_those_of_others() {
    for (asked, found, others) in [
        (
            "كازاخستان",
            "بكازاخستان وكازاخستان لكازاخستان وبكازاخستان الكازاخستاني الكازاخستانية الكازاخية كازاخي والكازاخيين كازاخستان",
            "أفغانستان باكستان",
        ),
        ("الكازاخية", "كازاخستان بكازاخستان الكازاخي", "الخازنة"),
        ("بكازاخستان", "كازاخستان وكازاخستان", "طاجيكستان"),
        ("ألمانيا", "ألمانيا المانيا بألمانيا الألمانية والألماني لألمانيا", "عمان مانع"),
        ("المانيا", "ألمانيا الألمانية المانيا", "يوناني"),
        ("بريطانيا", "بريطانيا ببريطانيا البريطانية والبريطانيون", "ليبيا"),
        ("لبنان", "لبنان بلبنان اللبنانية لبناني ولبنان", "لبن ألبان"),
        ("روسيا", "الروسي روسية وروسيا بروسيا والروس", "رئيس"),
        ("جنة", "الجنة جنة", "لجنة اللجنة"),
        ("زير", "زير", "وزير الوزير"),
        ("وزير", "الوزير ووزير لوزير وزراء والوزراء", "زائر"),
        ("حكومة", "حكومة الحكومة للحكومة حكومته وحكومتها الحكومات حكومي", "حكم"),
        ("انتخابات", "الانتخابات انتخابية والانتخاب للانتخابات", "نخبة"),
        ("حزب", "الحزب حزبين أحزاب للأحزاب", "حزن"),
        ("لاعب", "اللاعبين للاعبين لاعبون واللاعب", "لعبة"),
        ("إلغاء", "إلغاء بإلغاء الإلغاء وإلغاء", "غاية"),
        ("التزام", "التزام الالتزام بالتزامه", "لزوم"),
        ("CSTO", "CSTO الـCSTO بالـCSTO csto", "costa"),
        ("2022", "2022 ٢٠٢٢", "2021"),
        ("دولار", "دولار الدولار بالدولار دولارات", "دول"),
    ] {
        let missed: Vec<&str> = found.split(' ').filter(|form| !form.is_empty() && !finds(asked, form)).collect();
        assert!(missed.is_empty(), "{asked} misses {missed:?}: {:?}", of_asked(&normalize(asked), asked));
        let wrong: Vec<&str> = others.split(' ').filter(|other| finds(asked, other)).collect();
        assert!(wrong.is_empty(), "{asked} finds {wrong:?}: {:?}", of_asked(&normalize(asked), asked));
    }
}

#[test]
fn the_likeliest_reading_comes_first() {
    for (asked, first) in
        [("الكتاب", "كتاب"), ("ألمانيا", "المان"), ("والمدرسة", "مدرس"), ("كتاب", "كتاب"), ("news", "news"), ("", "")]
    {
        assert_eq!(of_asked(&normalize(asked), asked).first().map_or("", |asked| &asked.stem), first, "{asked}");
    }
}

#[test]
fn places_are_those_of_the_original() {
    let text = "قالَتْ أَلمانيا «إنّ» الألمانية ﻷلمانيا";
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    words(text, |seen, place| found.push((chars[place].iter().collect::<String>(), seen.hamza)));
    let expected = [("قالَتْ", false), ("أَلمانيا", true), ("إنّ", false), ("الألمانية", false), ("ﻷلمانيا", false)];
    assert_eq!(found, expected.map(|(word, hamza)| (word.to_owned(), hamza)));
}

fn arabic() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select("وبلفكاأإآلهيةىنتممسرعدج".chars().collect::<Vec<_>>()), 1..10)
        .prop_map(|letters| letters.into_iter().collect())
}

proptest! {
    /// What is asked for in the letters of a text is found in it, whether with its hamzas or without.
    #[test]
    fn a_word_finds_itself(word in arabic()) {
        prop_assert!(finds(&word, &word), "{word}: {:?} and {:?}", of_asked(&normalize(&word), &word), stems_of(&word));
        let plain = word.replace(['أ', 'إ', 'آ'], "ا");
        prop_assert!(finds(&plain, &word), "{plain} in {word}: {:?} and {:?}", of_asked(&plain, &plain), stems_of(&word));
        prop_assert!(finds(&word, &plain), "{word} in {plain}: {:?} and {:?}", of_asked(&normalize(&word), &word), stems_of(&plain));
    }

    /// So whoever looks for stems need not take those of a word that has other letters.
    #[test]
    fn stems_are_parts_of_their_word(word in arabic()) {
        let word = normalize(&word);
        let letters = letters_of(&word);
        words(&word, |seen, _| of_word(seen, |stem| {
            assert!(word.contains(stem) && letters_of(stem) & !letters == 0, "{stem} of {word}");
        }));
        prop_assert!(letters_of("ظ") & letters == 0);
    }

    #[test]
    fn no_text_brings_it_down(text in any::<String>()) {
        let length = text.chars().count();
        words(&text, |seen, place| {
            assert!(place.start <= place.end && place.end <= length);
            of_word(seen, |stem| assert!(!stem.is_empty()));
        });
        let _ = of_asked(&normalize(&text), &text);
    }
}
