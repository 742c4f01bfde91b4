//! Fragments and pages to text: rows of markup and what must come out.

use proptest::prelude::*;

use super::*;

#[test]
fn fragments_become_plain_text() {
    for (html, expected) in [
        ("", ""),
        ("خبر", "خبر"),
        ("  خبر \t أول \r\n\r\n ثان ", "خبر أول\nثان"),
        ("<p>خبر</p>\n<p>ثان</p>", "خبر\nثان"),
        ("<p>خبر\nأول</p>", "خبر أول"),
        ("خبر<br>ثان<br/><br />ثالث", "خبر\nثان\nثالث"),
        // Without any block the line feeds are all the structure there is.
        ("خبر <b>أول</b>\nثان", "خبر أول\nثان"),
        ("<pre>أ\nب</pre>", "أ\nب"),
        ("<div>خبر<div>ثان</div>ثالث</div>", "خبر\nثان\nثالث"),
        ("<ul><li>أ<li>ب</ul>", "أ\nب"),
        ("<table><tr><td>أ</td><td>ب</td></tr><tr><td>ج</td></tr></table>", "أ ب\nج"),
        ("<tr><td>أ</td><td>ب</td></tr>", "أ ب"),
        ("قال <b>الوز</b>ير", "قال الوزير"),
        ("أ<script>x</script>ب<style>y</style>ج<noscript>z</noscript><iframe>w</iframe>", "أبج"),
        ("<img src=x alt=y>خبر", "خبر"),
        ("أ &amp; ب &lt; ج &nbsp; &#1576; &rlm;", "أ & ب < ج ب \u{200f}"),
        ("3 < 5 و 7 > 2", "3 < 5 و 7 > 2"),
        ("راسلوا <name@news.example> اليوم", "راسلوا <name@news.example> اليوم"),
        ("قلبي <3 معكم", "قلبي <3 معكم"),
        ("&lt;p&gt;خبر&lt;/p&gt;&lt;p&gt;ثان&lt;/p&gt;", "خبر\nثان"),
        ("خبر &amp;quot;مهم&amp;quot; &amp;nbsp;اليوم", "خبر \"مهم\" اليوم"),
        // Markup that an article writes about.
        ("<p>الوسم &lt;br&gt; يكسر السطر</p>", "الوسم <br> يكسر السطر"),
        ("\u{2067}عزل\u{2069} <i>\u{2066}x\u{2069}</i>", "\u{2067}عزل\u{2069} \u{2066}x\u{2069}"),
        ("<p>نص</p><div class=\"sharedaddy sd-x\"><a href=x>شارك</a></div>", "نص"),
        ("خبر <a href=\"http://cut", "خبر"),
        ("<!-- ملاحظة -->خبر", "خبر"),
    ] {
        assert_eq!(plain(html), expected, "{html}");
    }
}

#[test]
fn t22_deep_fragments_cost_no_stack() {
    for open in [
        "<div>",
        "<b>",
        "<svg><g>",
        "<table><td>",
        "<ul><li>",
        "<template><tr>",
        "<select><option>",
        "<rt>",
        "<a x><p>",
    ] {
        let html = format!("أول {}عمق", open.repeat(50_000));
        let text = plain(&html);
        assert!(text.starts_with("أول"), "{open}: {text}");
        // The text of a `template` is none of the article.
        assert!(text.ends_with("عمق") || open.contains("template"), "{open}: {text}");
    }
}

#[test]
fn wrong_selectors_are_named() {
    let selectors = ArticleSelectors { text: Some("div.text".into()), remove: vec!["p[".into(), ">>".into()] };
    let wrong = check_selectors(&selectors);
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    assert!(wrong[0].contains("`p[`"));
    assert_eq!(check_selectors(&ArticleSelectors::default()), Vec::<String>::new());
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphabetic()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_panics_and_plain_text_stays_as_it_is(text in "\\PC{0,80}", tags in "(<|>|/|p|b |=|\"|'|&lt;|svg|!--|أ|table|td|&amp;){0,40}") {
        plain(&tags);
        plain(&format!("{text}{tags}"));
        if !text.contains(['<', '&']) {
            prop_assert_eq!(letters(&plain(&text)), letters(&text));
        }
    }

    #[test]
    fn words_survive_any_markup_around_them(pieces in prop::collection::vec(("(<p>|<div>|</div>|<b>|</p>|<br>|<li>|</a>|<td>|<span>|</ul>|<h2>| ){0,4}", "[ء-ي]{1,5}"), 1..12)) {
        let html: String = pieces.iter().map(|(markup, word)| format!("{markup}{word}")).collect();
        let words: String = pieces.iter().map(|(_, word)| word.as_str()).collect();
        prop_assert_eq!(letters(&plain(&html)), letters(&words), "{}", html);
    }

    #[test]
    fn no_page_panics_or_says_more_than_it_has(pieces in prop::collection::vec("(<p>|<div class=date>|<div>|</div>|<a href=x>|</a>|<td>|<table>|<form>|<figcaption>|<ul><li>|<h1>|<br>){0,3}([ء-ي]{1,5} ){0,20}", 1..24)) {
        let html: String = pieces.concat();
        let base = Url::parse("https://news.example/1").unwrap();
        if let Ok(page) = page(&html, &base, &Reading::new(Timestamp::UNIX_EPOCH)) {
            // The general extraction may join words of nested blocks, and of tables nested in broken tables it gives some
            // once more within a longer line; nothing comes a third time or is made up.
            let (found, all) = (letters(&page.text), letters(&plain(&html)));
            prop_assert!(found.chars().count() <= 2 * all.chars().count(), "{} of {}", page.text, html);
            prop_assert!(found.chars().all(|c| all.contains(c)), "{} of {}", page.text, html);
        }
    }
}
