//! Pages of our own, each of one shape, to text and metadata.

mod set;
mod site;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rasid::extract::html::{MAX_BYTES, Page, PageError, Reading, STACK, page, page_on_thread};
use rasid::source::ArticleSelectors;
use rasid::text::decode::{Hints, decode};
use url::Url;

use self::set::{Sample, Score, mean, samples, score};

fn fixture(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pages").join(name);
    std::fs::read_to_string(path).unwrap()
}

fn base() -> Url {
    "https://diffa.example/local/1".parse().unwrap()
}

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn read_with(html: String, selectors: Option<ArticleSelectors>) -> Result<Page, PageError> {
    page_on_thread(html, base(), Reading { selectors, ..Reading::new(now()) }, Duration::from_secs(60))
}

fn read(html: String) -> Result<Page, PageError> {
    read_with(html, None)
}

fn read_fixture(name: &str) -> Page {
    read(fixture(name)).unwrap()
}

#[test]
fn an_article_is_read_with_all_that_is_said_of_it() {
    let page = read_fixture("article.html");
    assert!(
        page.text.contains("بعد ترميم استمر ثلاث سنوات") && page.text.ends_with("إذا توفر التمويل اللازم."),
        "{}",
        page.text
    );
    assert!(page.text.contains("مع أمسيات شعرية مجانية كل خميس"), "a link within prose is prose: {}", page.text);
    for around in ["ملاعب", "الأكثر قراءة", "جميع الحقوق", "إغلاق الجسر"] {
        assert!(!page.text.contains(around), "{around}: {}", page.text);
    }
    assert!(page.text.lines().count() >= 4, "{}", page.text);
    assert_eq!(page.title.as_deref(), Some("البلدية تفتتح مكتبة عامة في الحي القديم"));
    assert_eq!(page.published, Some("2026-11-18T06:15:00Z".parse().unwrap()));
    assert_eq!(page.canonical.unwrap().as_str(), "https://diffa.example/local/library-opening");
    assert_eq!(page.image.unwrap().as_str(), "https://diffa.example/media/library.jpg");
    assert_eq!(page.authors, ["سلمى العطار"]);
    assert_eq!(page.language.as_deref(), Some("ar-eg"));
    assert_eq!(page.notes, Vec::<String>::new());
}

#[test]
fn t13_a_page_that_is_one_form_gives_its_article() {
    let page = read_fixture("aspnet-form.html");
    for said in ["تضاعف هذا الموسم مقارنة", "خمس معاصر جديدة", "تحديد سعر عادل", "خمسون أسرة منتجة"]
    {
        assert!(page.text.contains(said), "{said}: {} {:?}", page.text, page.notes);
    }
    assert!(!page.text.contains("اتصل بنا"), "{}", page.text);
}

#[test]
fn a_page_of_links_does_not_come_back_whole() {
    let page = read_fixture("portal-of-links.html");
    assert!(page.text.contains("وصل قطار المدينة الكهربائي"), "{}", page.text);
    assert!(!page.text.contains("معرض الخط"), "{} {:?}", page.text, page.notes);
}

#[test]
fn the_sites_own_selectors_come_first() {
    let selectors = |text: &str, remove: &[&str]| {
        Some(ArticleSelectors { text: Some(text.into()), remove: remove.iter().map(|s| (*s).into()).collect() })
    };
    let page =
        read_with(fixture("article.html"), selectors(".entry-content, .entry-content p", &["p:nth-child(3)"])).unwrap();
    assert!(page.text.starts_with("افتتحت البلدية") && !page.text.contains("إغلاق الجسر"), "{}", page.text);
    assert_eq!(page.text.matches("مديرة المشروع").count(), 1);
    let page = read_with(fixture("article.html"), selectors(".moved-elsewhere", &[])).unwrap();
    assert!(page.text.contains("مديرة المشروع") && page.notes.len() == 1, "{:?}", page.notes);
    let remove_only = Some(ArticleSelectors { text: None, remove: vec!["p:nth-child(2)".into()] });
    let page = read_with(fixture("article.html"), remove_only).unwrap();
    assert!(!page.text.contains("مديرة المشروع") && page.text.contains("القاعة الكبرى"), "{}", page.text);
}

#[test]
fn pages_without_text_say_so() {
    for html in ["", "<html><body></body></html>", "<script>x</script>", "<svg><text>x</text></svg>"] {
        assert_eq!(read(html.into()), Err(PageError::NoText), "{html}");
    }
    assert_eq!(read("أ".repeat(MAX_BYTES)), Err(PageError::TooLarge(MAX_BYTES)));
}

#[test]
fn t22_deep_pages_give_their_text_and_take_no_stack() {
    let said = "وصلت القافلة إلى الواحة بعد مسير طويل في الصحراء ونصب أهلها الخيام قرب النبع القديم. ".repeat(8);
    for (open, close) in [
        ("<div>", "</div>"),
        ("<b>", "</b>"),
        ("<blockquote><p>", ""),
        ("<svg><g>", ""),
        ("<table><tr><td>", ""),
        ("<span x=", ""),
    ] {
        let html = format!("<body>{}<p>{said}</p>{}", open.repeat(50_000), close.repeat(50_000));
        let began = Instant::now();
        let thread = std::thread::Builder::new()
            .stack_size(STACK)
            .spawn(move || page(&html, &base(), &Reading::new(now())))
            .unwrap();
        let read = thread.join().unwrap();
        // A tag that never ends hides what follows it, in a browser too.
        if open != "<span x=" {
            assert!(read.unwrap().text.contains("نصب أهلها الخيام"), "{open}");
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{open}: {:?}", began.elapsed());
    }
}

#[test]
fn a_page_that_takes_too_long_is_given_up() {
    let html = format!("<body>{}", "<p>خبر <a href=x>رابط</a> طويل</p>".repeat(20_000));
    let answer = page_on_thread(html, base(), Reading::new(now()), Duration::from_millis(1));
    assert_eq!(answer, Err(PageError::Deadline(Duration::from_millis(1))));
}

/// What the extraction crate finds by itself, as it is called in the tree.
fn crate_alone(html: &str) -> String {
    let options = trafilatura::Options::default().with_fallback(true).with_exclude_comments(true).with_url(base());
    let html = html.to_owned();
    let work = move || trafilatura::extract(&html, &options).map(|found| found.content_text).unwrap_or_default();
    std::thread::Builder::new().stack_size(STACK).spawn(work).unwrap().join().unwrap()
}

fn ours(html: &str) -> String {
    read(html.to_owned()).map(|page| page.text).unwrap_or_default()
}

/// Scores by template, and over all pages.
fn scores(samples: &[Sample], extract: fn(&str) -> String) -> (BTreeMap<&str, Score>, Score) {
    let all: Vec<(&str, Score)> = samples
        .iter()
        .map(|sample| (sample.name.split('/').next().unwrap(), score(&extract(&sample.html), &sample.article)))
        .collect();
    let mut templates: BTreeMap<&str, Vec<Score>> = BTreeMap::new();
    for (name, score) in &all {
        templates.entry(name).or_default().push(*score);
    }
    let overall = mean(&all.iter().map(|(_, score)| *score).collect::<Vec<_>>());
    (templates.into_iter().map(|(name, scores)| (name, mean(&scores))).collect(), overall)
}

#[test]
fn pages_of_arabic_sites_give_their_articles() {
    // What was reached, less a page or two; `held` was not looked at while the rules were made.
    for (set, floor) in [("set", 0.975), ("held", 0.96)] {
        let samples = samples(set);
        let ((ours, overall), (theirs, alone)) = (scores(&samples, ours), scores(&samples, crate_alone));
        let row = |(name, score): (&&str, &Score)| {
            let Score { precision, recall } = score;
            format!("{name:14} {precision:.3} {recall:.3} {:.3} (alone {:.3})", score.f1(), theirs[name].f1())
        };
        let table: Vec<String> = ours.iter().map(row).collect();
        let worse: Vec<_> = ours.iter().filter(|(name, score)| score.f1() < theirs[*name].f1() - 0.02).collect();
        let fits = overall.f1() >= floor && overall.f1() >= alone.f1() && worse.is_empty();
        assert!(fits, "{set}: {:.3}, alone {:.3}\n{}", overall.f1(), alone.f1(), table.join("\n"));
    }
}

/// A page as a site that knows no better writes it: the bytes of its own character set.
#[test]
fn t1_a_page_in_windows_1256_is_read() {
    let sample = samples("set").into_iter().find(|sample| sample.name == "windows-1256/0").unwrap();
    let (bytes, _, lost) = encoding_rs::WINDOWS_1256.encode(&sample.html);
    assert!(!lost && std::str::from_utf8(&bytes).is_err());
    let html = decode(&bytes, Hints { configured: None, http: None, tld: Some("example") }).text;
    let found = read(html).unwrap();
    assert_eq!(found.title.as_deref(), Some(sample.title.as_str()));
    assert!(score(&found.text, &sample.article).f1() > 0.95, "{}", found.text);
}

const STORY: &str = "<p>أعلنت جمعية المزارعين أن محصول الزيتون في قرى الجبل تضاعف هذا الموسم مقارنة بالعام الماضي، بعد أمطار \
                     مبكرة ساعدت الأشجار على الإثمار.</p><p>وذكر رئيس الجمعية أن المعاصر بدأت العمل قبل موعدها بأسبوعين، \
                     وأن خمس معاصر جديدة فتحت أبوابها في القرى البعيدة.</p><p>وتوقع خبراء أن ينخفض سعر الزيت مع بداية \
                     الشتاء، غير أن المزارعين يطالبون بتحديد سعر عادل يحفظ تعبهم.</p>";

fn page_with(head: &str, above: &str) -> String {
    format!(
        "<html lang=ar><head><title>محصول الزيتون يتضاعف</title>{head}</head><body><div class=\"art\">\
         <h1>محصول الزيتون يتضاعف</h1>{above}<div class=\"txt\">{STORY}</div></div></body></html>"
    )
}

#[test]
fn dates_are_found_wherever_a_page_says_them_and_read_in_the_feeds_zone() {
    let zone = TimeZone::get("Asia/Riyadh").unwrap();
    for (head, above, expected) in [
        (
            "<meta property=\"article:published_time\" content=\"2026-11-18T08:15:00+02:00\">",
            "",
            Some("2026-11-18T06:15:00Z"),
        ),
        (
            "<meta property=\"article:published_time\" content=\"2026-11-18T08:15:00\">",
            "",
            Some("2026-11-18T05:15:00Z"),
        ),
        (
            "<script type=\"application/ld+json\">{\"@type\":\"NewsArticle\",\"datePublished\":\"2026-11-18 08:15\"}</script>",
            "",
            Some("2026-11-18T05:15:00Z"),
        ),
        ("", "<time datetime=\"2026-11-18T08:15\">أمس</time>", Some("2026-11-18T05:15:00Z")),
        ("", "<time>18 نوفمبر 2026 08:15</time>", Some("2026-11-18T05:15:00Z")),
        ("", "<span class=\"post-date\">الأربعاء 18 تشرين الثاني 2026</span>", Some("2026-11-17T21:00:00Z")),
        ("", "<div class=\"meta\">١٨ نونبر ٢٠٢٦</div>", Some("2026-11-17T21:00:00Z")),
        ("", "<p>نشر في: 18/11/2026 - 08:15</p>", Some("2026-11-18T05:15:00Z")),
        // In the future, and before the web.
        ("<meta name=\"date\" content=\"2027-01-01\">", "", None),
        ("<meta name=\"date\" content=\"1970-01-01T00:00:00Z\">", "", None),
        (
            "<meta name=\"date\" content=\"2027-01-01\">",
            "<time datetime=\"2026-11-18T08:15\">أمس</time>",
            Some("2026-11-18T05:15:00Z"),
        ),
        ("", "", None),
    ] {
        let reading = Reading { zone: zone.clone(), ..Reading::new(now()) };
        let page = page_on_thread(page_with(head, above), base(), reading, Duration::from_secs(60)).unwrap();
        let expected = expected.map(|text| text.parse::<Timestamp>().unwrap());
        assert_eq!(page.published, expected, "{head}{above}");
    }
}

#[test]
fn authors_are_people() {
    for (head, above, expected) in [
        ("<meta name=\"author\" content=\"سلمى العطار\">", "", vec!["سلمى العطار"]),
        ("<meta name=\"author\" content=\"admin\">", "", vec![]),
        (
            "<meta name=\"author\" content=\"Admin2\">",
            "<a rel=\"author\" href=\"/u\">هند العمري</a>",
            vec!["هند العمري"],
        ),
        ("", "<span class=\"byline\">كتب: سمير الحلبي</span>", vec!["سمير الحلبي"]),
        ("", "<div class=\"author\">بقلم نادر القاسمي</div>", vec!["نادر القاسمي"]),
        ("", "<p>كتبت - منى الأشقر</p>", vec!["منى الأشقر"]),
        ("", "<p>كتبت منى الأشقر في دفترها أن المطر تأخر هذا العام.</p>", vec![]),
        (
            "<script type=\"application/ld+json\">{\"@type\":\"NewsArticle\",\"author\":[{\"name\":\"ليلى\"},{\"name\":\"admin\"}]}</script>",
            "",
            vec!["ليلى"],
        ),
    ] {
        assert_eq!(read(page_with(head, above)).unwrap().authors, expected, "{head}{above}");
    }
}

#[test]
fn a_picture_is_not_the_logo() {
    let meta = |path: &str| format!("<meta property=\"og:image\" content=\"{path}\">");
    let json = "<script type=\"application/ld+json\">{\"@type\":\"NewsArticle\",\"image\":[{\"@type\":\"ImageObject\",\"name\":\"x\",\"url\":\"/2.jpg\"}]}</script>";
    for (head, expected) in [
        (meta("/1.jpg"), Some("/1.jpg")),
        (meta("/img/site-logo.png"), None),
        (meta("/img/logo.svg") + json, Some("/2.jpg")),
        (meta("/img/placeholder_600.jpg"), None),
        (meta("/logopedia.jpg"), Some("/logopedia.jpg")),
        (json.to_owned(), Some("/2.jpg")),
    ] {
        let page = read(page_with(&head, "")).unwrap();
        assert_eq!(page.image.as_ref().map(Url::path), expected, "{head}");
    }
}
