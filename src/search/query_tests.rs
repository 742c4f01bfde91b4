//! Queries to trees: what people write, what is wrong with it and where, and that nothing brings the parser down.

use proptest::prelude::*;

use super::*;

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

/// A tree in few letters: `T/` title, `X/` text, `A/` author; `&` all, `!` not, `|` either.
fn print(ask: &Ask) -> String {
    let list = |asks: &[Ask], with: &str| asks.iter().map(print).collect::<Vec<_>>().join(with);
    match ask {
        Ask::Words { words, scope, quoted } => {
            let words: Vec<&str> = words.iter().map(|word| word.word.as_str()).collect();
            let scope = match scope {
                Scope::Anywhere => "",
                Scope::Title => "T/",
                Scope::Text => "X/",
                Scope::Author => "A/",
            };
            let words = words.join(" ");
            if *quoted { format!("{scope}\"{words}\"") } else { format!("{scope}{words}") }
        }
        Ask::Tag(Tag::Feed(feed)) => format!("feed={feed}"),
        Ask::Tag(Tag::Topic(topic)) => format!("topic={topic}"),
        Ask::Tag(Tag::Language(language)) => format!("lang={language}"),
        Ask::Time { since, until } => {
            let time = |time: &Option<Timestamp>| time.map_or(String::new(), |time| time.to_string());
            format!("{}..{}", time(since), time(until))
        }
        Ask::And { all, none } => {
            let none: String = none.iter().map(|ask| format!(" !{}", print(ask))).collect();
            format!("({}{none})", list(all, " & "))
        }
        Ask::Or(choices) => format!("[{}]", list(choices, " | ")),
    }
}

#[test]
fn queries_are_read_as_people_mean_them() {
    for (text, expected) in [
        ("كازاخستان", "كازاخستان"),
        ("قِمّة أستانا", "(قمه & استانا)"),
        ("\"قمة أستانا\" روسيا", "(\"قمه استانا\" & روسيا)"),
        ("«قمة أستانا»", "\"قمه استانا\""),
        ("قمة -رياضة", "(قمه !رياضه)"),
        ("قمة NOT رياضة", "(قمه !رياضه)"),
        ("قمة AND روسيا", "(قمه & روسيا)"),
        ("رئيس كازاخستان OR روسيا", "(رييس & [كازاخستان | روسيا])"),
        ("كازاخستان | روسيا | الصين", "[كازاخستان | روسيا | الصين]"),
        ("(رئيس كازاخستان) OR روسيا", "[(رييس & كازاخستان) | روسيا]"),
        ("قمة -(رياضة OR كرة)", "(قمه ![رياضه | كره])"),
        ("title:قمة text:\"نور سلطان\"", "(T/قمه & X/\"نور سلطان\")"),
        ("author:سالم", "A/\"سالم\""),
        ("feed:bbc topic:csto lang:AR-eg قمة", "(feed=bbc & topic=csto & lang=ar-eg & قمه)"),
        ("قمة since:7d until:2026-11-20", "(قمه & 2026-11-13T12:00:00Z.. & ..2026-11-20T00:00:00Z)"),
        ("since:2026-11-20T09:30:00Z", "2026-11-20T09:30:00Z.."),
        ("كوفيد-19", "كوفيد 19"),
        ("10:30", "10 30"),
        ("https://news.example/a", "https news example a"),
        ("F-16 ١٥٠٠", "(f 16 & 1500)"),
        ("قمة - روسيا", "THE QUERY"),
    ] {
        match parse(text, now()) {
            Ok(ask) => assert_eq!(print(&ask), expected, "{text}"),
            Err(fault) => assert_eq!(expected, "THE QUERY", "{text}: {fault}"),
        }
    }
}

#[test]
fn a_fault_says_where_it_is() {
    for (text, at, says) in [
        ("", 0..0, "nothing to look for"),
        ("   ", 3..3, "nothing to look for"),
        ("قمة \"روسيا", 4..5, "never closed"),
        ("قمة (روسيا", 4..5, "never closed"),
        ("قمة) روسيا", 3..4, "closes nothing"),
        ("()", 1..1, "nothing to look for"),
        ("OR قمة", 0..2, "before OR"),
        ("قمة OR", 4..6, "after OR"),
        ("قمة OR OR روسيا", 4..6, "after OR"),
        ("AND قمة", 0..3, "before AND"),
        ("قمة AND", 4..7, "after AND"),
        ("-قمة", 0..4, "only what is to be left out"),
        ("روسيا -قمة OR رياضة", 11..13, "cannot be one of two"),
        ("قمة OR -روسيا", 4..6, "nearly everything"),
        ("قمة ؟!", 4..6, "no letter"),
        ("title: قمة", 0..6, "after `title:`"),
        ("titel:قمة", 0..6, "no field `titel`"),
        ("feed:BBC قمة", 5..8, "a-z"),
        ("since:yesterday قمة", 6..15, "not a time"),
        ("lang:عربي", 5..9, "language tag"),
        ("NOT", 3..3, "missing"),
    ] {
        let fault = parse(text, now()).expect_err(text);
        assert_eq!(fault.at, at, "{text}: {fault}");
        assert!(fault.to_string().contains(says), "{text}: {fault}");
    }
    for (text, says) in [
        ("ا".repeat(MAX_QUERY + 1), "500 are read"),
        ("كلمة ".repeat(MAX_PARTS + 1), "more than 24 words"),
        (format!("{}قمة{}", "(".repeat(9), ")".repeat(9)), "nested more than 8"),
    ] {
        let fault = parse(&text, now()).expect_err(&text);
        assert!(fault.message.contains(says), "{fault}");
    }
}

/// Strings of what the syntax is made of.
fn scraps() -> impl Strategy<Value = String> {
    let scrap = prop_oneof![
        Just("\""),
        Just("("),
        Just(")"),
        Just("-"),
        Just("|"),
        Just(" "),
        Just(":"),
        Just("OR"),
        Just("AND"),
        Just("NOT"),
        Just("title:"),
        Just("since:"),
        Just("7d"),
        Just("feed:"),
        Just("قمة"),
        Just("و"),
        Just("a"),
        Just("ـ"),
        Just("٣"),
        Just("«"),
        Just("\u{200f}"),
        Just("&quot;"),
        Just("ﷺ"),
    ];
    proptest::collection::vec(scrap, 0..40).prop_map(|scraps| scraps.concat())
}

proptest! {
    #[test]
    fn anything_gives_a_tree_or_a_place(text in prop_oneof![scraps(), any::<String>()]) {
        match parse(&text, now()) {
            Ok(ask) => prop_assert!(!print(&ask).is_empty()),
            Err(fault) => {
                let length = text.chars().count();
                prop_assert!(fault.at.start <= fault.at.end && fault.at.end <= length, "{fault:?} in {length}");
            }
        }
    }
}
