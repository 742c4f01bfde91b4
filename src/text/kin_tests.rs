//! What the tables join, what they keep apart, and that no line of them does nothing.

use std::collections::HashMap;

use super::super::forms::{of_asked, of_word, words};
use super::*;

fn finds(asked: &str, text: &str) -> bool {
    let asked = of_asked(&normalize(asked), asked);
    let mut found = false;
    words(text, |seen, _| of_word(seen, |stem| found |= asked.iter().any(|asked| asked.stem == stem)));
    found
}

#[test]
fn kin_are_joined_and_near_misses_are_not() {
    for (asked, found, others) in [
        ("رئيس", "رؤساء والرؤساء للرؤساء الرئيسين", "رأس رسائل"),
        ("رؤساء", "الرئيس ورئيسها", "رسائل سماء"),
        ("وزير", "وزراء والوزراء", "زير وزارة"),
        ("زير", "الزير", "وزير الوزراء"),
        ("أميركا", "أمريكا الأمريكي الأميركيين والأمريكية", "أمير أمراء"),
        ("كازاخستان", "كازاخي والكازاخية", "خازن باكستان"),
        ("صاروخ", "صواريخ بالصواريخ", "صراخ صرخة"),
        ("أطفال", "الطفل لطفلها", "طفيلي"),
        ("مدينة", "المدن مدن", "دين"),
        ("حزب", "الأحزاب لأحزاب", "حزن"),
        ("مليون", "ملايين الملايين", "مال"),
        ("غوغل", "جوجل", "غول"),
        // What begins as if a letter stood before it.
        ("جنة", "الجنة", "لجنة اللجنة"),
        ("يان", "يان", "بيان البيان"),
        ("لاية", "لاية", "ولاية الولاية"),
        ("يبيا", "يبيا", "ليبيا الليبية"),
        ("ولاية", "الولاية ولاياتها بالولايات", "لاية"),
        // What ends as if an ending stood after it.
        ("لبن", "اللبن", "لبنان لبنانية"),
        ("سرط", "سرط", "سرطان السرطان"),
        ("قان", "قان", "قانون قانونية"),
    ] {
        let missed: Vec<&str> = found.split(' ').filter(|form| !finds(asked, form)).collect();
        assert!(missed.is_empty(), "{asked} misses {missed:?}");
        let wrong: Vec<&str> = others.split(' ').filter(|other| finds(asked, other)).collect();
        assert!(wrong.is_empty(), "{asked} finds {wrong:?}");
    }
}

#[test]
fn each_family_joins_words_that_nothing_else_would() {
    /// Written alike, or with an ending that leaves the same: patients and an illness, a ruling and a referee, rulers and
    /// referees, a book and writers.
    const OF_TWO: [&str; 4] = ["مرض", "حكم", "حكام", "كتاب"];
    let mut families: HashMap<String, Vec<&str>> = HashMap::new();
    let mut wrong = Vec::new();
    for family in FAMILIES.lines().filter(|family| !family.is_empty()) {
        let members: Vec<&str> = family.split(' ').collect();
        let mut stems = Vec::new();
        for member in &members {
            let normal = normalize(member);
            let letters = normal.chars().all(|c| matches!(c, 'ء'..='ي'));
            if !letters || normal.chars().count() < 2 || member.starts_with("ال") {
                wrong.push(format!("{family}: `{member}` is no word, or has an article"));
            }
            let stem = stem(&normal).to_owned();
            if !stems.contains(&stem) {
                stems.push(stem);
            }
            for other in &members {
                if !finds(member, other) || !finds(member, &format!("ال{other}")) {
                    wrong.push(format!("{family}: {member} misses {other}"));
                }
            }
        }
        if stems.len() < 2 {
            wrong.push(format!("{family}: the endings tell, the line does nothing"));
        }
        stems.into_iter().for_each(|stem| families.entry(stem).or_default().push(family));
    }
    let twice = families.into_iter().filter(|(stem, of)| of.len() > 1 && !OF_TWO.contains(&stem.as_str()));
    wrong.extend(twice.map(|(stem, of)| format!("{stem} is in {of:?}")));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn kinship_goes_both_ways() {
    for (stem, others) in &*KIN {
        assert!(!others.is_empty() && !others.contains(stem), "{stem}: {others:?}");
        for other in others {
            assert!(of(other).contains(stem), "{other} does not lead back to {stem}");
        }
    }
    assert_eq!(of("لا شيء").len(), 0);
}

#[test]
fn no_exception_does_nothing() {
    for (nth, own) in BEGIN_SO.iter().enumerate() {
        assert_eq!(stem(&normalize(own)), *own, "nothing has this stem");
        assert!(own.starts_with(['و', 'ف', 'ب', 'ك', 'ل']), "{own}: nothing would be taken off");
        assert!(!BEGIN_SO[..nth].contains(own), "{own} twice");
    }
    for (nth, own) in END_SO.iter().enumerate() {
        assert_eq!(normalize(own), *own, "no word is written so");
        let left = ["ين", "ان", "ون", "هم", "نا"].iter().find_map(|ending| own.strip_suffix(ending));
        assert_eq!(left.map(|left| left.chars().count()), Some(3), "{own}: nothing would be taken off");
        assert!(!END_SO[..nth].contains(own), "{own} twice");
    }
}
