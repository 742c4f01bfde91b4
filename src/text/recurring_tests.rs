//! What recurs and what stays: pages of one host, then one more.

use super::*;

const SITE: &str = "صحيفة الواحة: نافذتك على العالم";
const NOTE: &str = "يمكنكم مراسلة قسم التحرير عبر العنوان المنشور أسفل الصفحة";

/// A story of its own for each number, `extra` being lines that follow it.
fn text(number: usize, extra: &[&str]) -> String {
    let mut lines: Vec<String> =
        (0..10).map(|line| format!("الفقرة {line} من الخبر {number} وفيها كلام يخص هذا الخبر وحده دون سواه")).collect();
    lines.extend(extra.iter().map(|line| (*line).to_owned()));
    lines.join("\n")
}

/// [`text`], with `line` where it is told.
fn told(number: usize, line: &str, tells: bool) -> (String, String) {
    (title(number), text(number, if tells { std::slice::from_ref(&line) } else { &[] }))
}

fn after(pages: usize, page: impl Fn(usize) -> (String, String)) -> RecurringLines {
    let mut lines = RecurringLines::default();
    for number in 0..pages {
        let (title, text) = page(number);
        lines.observe("oasis.example", &format!("/{number}"), &title, &text);
    }
    lines
}

fn stripped(lines: &RecurringLines, text: &str) -> (String, usize) {
    lines.strip("oasis.example", "/next", text).unwrap_or_else(|| (text.to_owned(), 0))
}

fn title(number: usize) -> String {
    format!("عنوان الخبر {number}")
}

#[test]
fn what_every_page_prints_is_left_out_of_the_next() {
    let lines = after(KNOWN, |number| (title(number), format!("{SITE}\n{}", text(number, &[NOTE]))));
    let next = format!("{SITE}\n{}", text(99, &["صَحيفةُ الواحة: نافذتك على العالم", NOTE]));
    assert_eq!(stripped(&lines, &next), (text(99, &[]), 3));
    // Another host has its own lines.
    assert_eq!(lines.strip("other.example", "/next", &next), None);
}

#[test]
fn what_a_story_repeats_stays() {
    let quote = "وقال الوزير إن المفاوضات لن تتوقف";
    let background = "وكانت الجولة السابقة قد انتهت قبل شهرين من دون بيان مشترك بعد خلاف طويل على ترتيب بنود جدول الأعمال \
                      وعلى مكان انعقاد الجولة التالية وموعدها";
    assert!(background.split_whitespace().count() > WORDS);
    type Page = Box<dyn Fn(usize) -> (String, String)>;
    let rows: Vec<(&str, usize, &str, Page)> = vec![
        ("too few pages", KNOWN - 1, NOTE, Box::new(|n| told(n, NOTE, true))),
        ("one story, revised under one title", 12, quote, Box::new(move |_| told(0, quote, true))),
        ("two reports on one event", 12, quote, Box::new(move |n| told(n, quote, n < 2))),
        ("less than a third of the pages", 32, quote, Box::new(move |n| told(n, quote, n < 8))),
        ("a paragraph of background", 32, background, Box::new(move |n| told(n, background, true))),
        ("a credit", 32, "* نقلاً عن صحيفة الضفة", Box::new(|n| told(n, "* نقلاً عن صحيفة الضفة", true))),
        ("an agency", 32, "المصدر: وكالات", Box::new(|n| told(n, "المصدر: وكالات", true))),
        (
            "prices of the day",
            32,
            "سعر الغرام اليوم 31 دينارا",
            Box::new(|n| told(n, &format!("سعر الغرام اليوم {n}0 دينارا"), true)),
        ),
    ];
    for (what, pages, line, page) in rows {
        let lines = after(pages, page);
        let next = text(99, &[line]);
        assert_eq!(stripped(&lines, &next), (next.clone(), 0), "{what}");
    }
}

#[test]
fn the_middle_of_a_text_is_never_touched() {
    let lines = after(32, |number| (title(number), text(number, &[NOTE])));
    let half = text(1, &[]);
    let next = format!("{half}\n{NOTE}\n{half}");
    assert_eq!(stripped(&lines, &next), (next.clone(), 0));
}

#[test]
fn a_text_that_is_little_else_stays_whole() {
    let lines = after(32, |number| (title(number), text(number, &[SITE, NOTE])));
    let next = format!("خبر قصير\n{SITE}\n{NOTE}");
    assert_eq!(stripped(&lines, &next), (next.clone(), 0));
}

#[test]
fn lines_that_are_printed_no_more_are_forgotten_and_a_page_counts_once() {
    let lines = after(60, |number| (title(number), text(number, if number < 28 { &[NOTE] } else { &[] })));
    assert_eq!(stripped(&lines, &text(99, &[NOTE])).1, 0);
    let mut lines = RecurringLines::default();
    for round in 0..20 {
        lines.observe("oasis.example", "/1", &title(round), &text(round, &[NOTE]));
    }
    assert_eq!(lines.hosts[0].pages.len(), 1);
}

#[test]
fn memory_is_bounded() {
    let mut lines = RecurringLines::default();
    let long: String = (0..500).map(|line| format!("سطر {line}\n")).collect();
    for host in 0..20 {
        for page in 0..100 {
            lines.observe(&format!("{host}.example"), &page.to_string(), &title(page), &long);
        }
    }
    let hashes = |host: &Host| 1 + host.pages.iter().map(|page| 2 + page.lines.len()).sum::<usize>();
    let bytes = 4 * lines.hosts.iter().map(hashes).sum::<usize>();
    assert!(bytes <= 8 << 10, "{bytes} bytes");
}
