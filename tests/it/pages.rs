//! Pages of our own, each of one shape, to text and metadata.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rasid::extract::html::{MAX_BYTES, Page, PageError, STACK, page, page_on_thread};
use rasid::source::ArticleSelectors;
use url::Url;

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
    page_on_thread(html, base(), selectors, now(), Duration::from_secs(60))
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
        let thread =
            std::thread::Builder::new().stack_size(STACK).spawn(move || page(&html, &base(), None, now())).unwrap();
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
    let answer = page_on_thread(html, base(), None, now(), Duration::from_millis(1));
    assert_eq!(answer, Err(PageError::Deadline(Duration::from_millis(1))));
}
