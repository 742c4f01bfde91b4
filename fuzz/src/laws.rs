//! What holds of any input: one function for each fuzz target, which panics where its law is broken.
//!
//! In: bytes that anybody may have sent. Where settings vary, the first byte chooses them (an ASCII digit in the seeds).
//! Promise: a law looks at public functions alone, takes no clock and no file, and says the same of the same bytes.
//! Both the targets of `fuzz/` and `tests/it/found.rs` call these, so that what was found once is looked at in every run.

use encoding_rs::WINDOWS_1256;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use rasid::extract::html::{self, PageError, Reading};
use rasid::extract::url::canonical;
use rasid::parse::{Entry, Parsed, parse};
use rasid::source::{ArticleSelectors, Document, FeedConfig, PageSelectors, PollError, SourceKind, Validators};
use rasid::text::date;
use rasid::text::decode::{Decoded, Hints, Why, decode};
use rasid::topic::config::Sets;
use rasid::topic::{Article, Field, Topics};
use url::{Host, Url};

/// A law, by the name of its target.
pub type Law = fn(&[u8]);

/// All of them.
pub const LAWS: [(&str, Law); 9] = [
    ("charset", charset),
    ("date", date),
    ("feed", feed),
    ("page", page),
    ("query", query),
    ("repair", repair),
    ("robots", robots),
    ("sitemap", sitemap),
    ("url", url),
];

/// News as it could be; long enough for its charset to be known, and nearly all of it Arabic.
const PROSE: &str = "أعلنت وزارة الخارجية أن الوفد وصل إلى العاصمة مساء أمس لإجراء محادثات حول التجارة والحدود، وقال \
    المتحدث إن اللقاءات سوف تستمر ثلاثة أيام قبل أن يعود الوفد إلى بلاده. وأضاف أن الجانبين اتفقا على فتح معبر جديد بين \
    المدينتين، وعلى تخفيض الرسوم على البضائع الزراعية في الربيع المقبل، وأن لجنة مشتركة ستجتمع كل شهر لمتابعة ما تم \
    الاتفاق عليه. ورحب التجار في السوق القديمة بالخبر، لكنهم قالوا إنهم ينتظرون التنفيذ.";

fn now() -> Timestamp {
    Timestamp::from_second(1_790_000_000).unwrap()
}

/// The settings' byte, and the rest.
fn split(data: &[u8]) -> (u8, &[u8]) {
    data.split_first().map_or((0, data), |(first, rest)| (*first, rest))
}

fn address(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.host().is_some()
}

const CHARSETS: [Option<&str>; 8] = [
    None,
    Some("utf-8"),
    Some("windows-1256"),
    Some("iso-8859-6"),
    Some("windows-1252"),
    Some("utf-16le"),
    Some("shift_jis"),
    Some("no charset"),
];

/// Bytes become text, whatever is said of them: what is UTF-8 stays what it is, and Arabic in windows-1256 is found.
///
/// The first byte: which charset HTTP names (0–7).
pub fn charset(data: &[u8]) {
    let (settings, bytes) = split(data);
    let hints = Hints { configured: None, http: CHARSETS[usize::from(settings & 7)], tld: Some("sa") };
    let decoded = decode(bytes, hints);
    assert_eq!(decoded, decode(bytes, hints), "the same bytes gave two texts");
    assert!(decoded.text.len() <= 3 * bytes.len() + 3, "the text is longer than its bytes can be");
    if let Ok(text) = std::str::from_utf8(bytes)
        && !text.contains('\0')
    {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        assert_eq!((decoded.text.as_str(), decoded.charset, decoded.bad), (text, "UTF-8", 0), "UTF-8 was changed");
    }
    if decoded.bad == 0 && decoded.charset == "UTF-8" {
        assert!(bytes.ends_with(decoded.text.as_bytes()), "faultless UTF-8 was changed");
    }
    for named in CHARSETS.iter().flatten() {
        let configured = decode(bytes, Hints { configured: Some(named), ..hints });
        assert_eq!(configured.why == Why::Configured, *named != "no charset", "{named}");
    }

    // Arabic with a little of something else in it.
    let letters: Vec<char> = "ابتثجحخدذرزسشصضطظعغفقكلمنهويءآأإئؤةى ،؛؟0123456789 abz ".chars().collect();
    let odd: String = bytes.iter().take(40).map(|byte| letters[usize::from(*byte) % letters.len()]).collect();
    let text = format!("{PROSE} {odd}");
    let (encoded, _, lossy) = WINDOWS_1256.encode(&text);
    assert!(!lossy);
    let Decoded { text: read, charset, bad, .. } = decode(&encoded, Hints { http: hints.http, ..Hints::default() });
    assert_eq!((read, charset, bad), (text, "windows-1256", 0), "Arabic in windows-1256 was not found");
}

const ZONES: [&str; 4] = ["UTC", "Asia/Riyadh", "Africa/Cairo", "America/New_York"];

/// A date is read, or it is none; nothing is far from the years of news, and what names its zone means one instant.
///
/// The first byte: the outlet's zone (0–3).
pub fn date(data: &[u8]) {
    let (settings, bytes) = split(data);
    let now = now();
    let zone = |n: u8| TimeZone::get(ZONES[usize::from(n & 3)]).unwrap();
    let text = String::from_utf8_lossy(bytes);
    let read = date::parse(&text, &zone(settings), now);
    assert_eq!(read, date::parse(&text, &zone(settings), now), "the same text gave two dates");
    assert_eq!(read, date::parse(&format!(" \n{text}\t"), &zone(settings), now), "space around a date changed it");
    if let Some(read) = &read {
        let year = read.at.to_zoned(TimeZone::UTC).year();
        assert!((-9999..=2286).contains(&year), "{text:?} is of the year {year}");
        assert!(text.chars().any(char::is_alphanumeric), "{text:?} is a date without a word or number");
        if read.date_only && read.zone_assumed && settings & 3 == 0 {
            let time = read.at.to_zoned(TimeZone::UTC).time();
            assert_eq!(time, jiff::civil::Time::midnight(), "{text:?} has a time that nobody wrote");
        }
        if !read.zone_assumed && !read.date_only {
            let elsewhere = date::parse(&text, &zone(settings.wrapping_add(1)), now).map(|read| read.at);
            // An age in days and hours ("يومين وساعة") may cross the beginning of a summer, or that of standard time.
            let near = elsewhere.is_some_and(|at| at.duration_since(read.at).abs().as_secs() < 2 * 3_600);
            assert!(near, "{text:?} names its zone, and means {elsewhere:?} and {}", read.at);
        }
    }

    // A time of 1970 to 2106, written by the book.
    let second = bytes.iter().take(4).fold(0_i64, |sum, byte| sum << 8 | i64::from(*byte));
    let at = Timestamp::from_second(second).unwrap();
    let local = at.to_zoned(zone(settings));
    for (format, zoned) in [
        ("%Y-%m-%dT%H:%M:%S%:z", true),
        ("%a, %d %b %Y %H:%M:%S %z", true),
        ("%Y-%m-%d %H:%M:%S", false),
        ("%d/%m/%Y - %H:%M:%S", false),
    ] {
        let written = local.strftime(format).to_string();
        let read = date::parse(&written, &zone(settings), now).map(|read| read.at);
        // Of the hour that comes twice when a summer ends, either is right where no offset is named.
        let right = [Some(at), at.checked_sub(1.hour()).ok(), at.checked_add(1.hour()).ok()];
        let same = |local_at: &Timestamp| local_at.to_zoned(zone(settings)).datetime() == local.datetime();
        let fits =
            right.iter().flatten().filter(|one| **one == at || !zoned && same(one)).any(|one| read == Some(*one));
        assert!(fits, "{written:?} was read as {read:?} instead of {at}");
    }
    assert_eq!(date::parse(&at.to_string(), &zone(settings), now).map(|read| read.at), Some(at));
}

fn document(bytes: &[u8], charset: Option<&str>) -> Document {
    Document {
        bytes: bytes.to_vec(),
        url: address("https://news.example/feed.xml"),
        status: 200,
        content_type: None,
        charset: charset.map(str::to_owned),
        validators: Validators::default(),
        cut: None,
        redirects: Vec::new(),
        fresh_for: None,
    }
}

fn config() -> FeedConfig {
    FeedConfig::new("news".parse().unwrap(), address("https://news.example/feed.xml"))
}

/// Reads it twice, and holds what was read to the promises of [`Entry`] and [`Parsed`].
fn read(document: &Document, feed: &FeedConfig) -> Result<Parsed, PollError> {
    let read = parse(document, feed, now());
    let again = parse(document, feed, now());
    match (&read, &again) {
        (Ok(read), Ok(again)) => assert_eq!(read, again, "the same bytes gave two documents"),
        (Err(read), Err(again)) => assert_eq!(read.kind, again.kind),
        _ => panic!("the same bytes were read and refused"),
    }
    if let Ok(parsed) = &read {
        assert!(parsed.entries.len() + parsed.rejected.len() <= usize::try_from(feed.max_entries).unwrap());
        assert!(!parsed.format.is_empty() && !parsed.charset.is_empty());
        assert!(parsed.site.iter().chain(&parsed.more).all(is_web));
        parsed.entries.iter().for_each(check_entry);
        if parsed.entries.iter().all(|entry| entry.published.is_some()) {
            assert!(parsed.entries.is_sorted_by_key(|entry| entry.published), "the entries are not in order");
        }
        for note in &parsed.notes {
            assert!(!note.starts_with("the rewritten document"), "{note}");
        }
    }
    read
}

fn check_entry(entry: &Entry) {
    let Entry { guid, url, title, published, published_text, .. } = entry;
    assert_ne!(*entry, Entry::default(), "an entry says nothing");
    assert!(guid.as_ref().is_none_or(|guid| !guid.trim().is_empty()), "a guid is empty: {entry:?}");
    assert!(url.iter().chain(&entry.image).all(is_web), "an address is none of the web's: {entry:?}");
    for line in entry.authors.iter().chain(&entry.tags).chain([title]) {
        assert_eq!(line.trim(), line, "a line has space around it: {entry:?}");
        assert!(!line.contains(['\n', '\r', '\t']), "a line is broken: {entry:?}");
    }
    assert!(entry.authors.iter().chain(&entry.tags).all(|name| !name.is_empty()), "a name is empty: {entry:?}");
    if let Some(at) = published {
        assert!(published_text.is_some(), "a time comes from nowhere: {entry:?}");
        let plausible = Timestamp::from_second(631_152_000).unwrap()..=now() + 24.hours();
        assert!(plausible.contains(at), "a time is not plausible: {entry:?}");
    }
}

/// Any document gives entries that say something and lead to the web, or a named error.
///
/// The first byte: which charset HTTP names (its lowest three bits), whether three entries are the limit (8), whether it
/// is read as a listing page (64).
pub fn feed(data: &[u8]) {
    let (settings, bytes) = split(data);
    let mut feed = config();
    if settings & 8 != 0 {
        feed.max_entries = 3;
    }
    if settings & 64 != 0 {
        feed.kind = SourceKind::Page;
        feed.page = Some(selectors());
    }
    let document = document(bytes, CHARSETS[usize::from(settings & 7)]);
    if let Err(error) = read(&document, &feed) {
        assert!(!error.kind.is_empty() && !error.message.is_empty());
    }
}

fn selectors() -> PageSelectors {
    PageSelectors {
        entry: "article, li, .item".to_owned(),
        title: Some("h2, .title".to_owned()),
        link: "a".to_owned(),
        date: Some("time, .date".to_owned()),
        summary: Some("p".to_owned()),
    }
}

/// A document with two pieces before a place and two behind it.
struct Frame {
    head: &'static str,
    before: &'static str,
    after: &'static str,
}

/// By the lowest bits of the first byte.
const FRAMES: [Frame; 4] = [
    Frame {
        head: "<?xml version=\"1.0\" encoding=\"utf-8\"?><rss version=\"2.0\"><channel><title>أخبار</title>",
        before: "<item><title>TITLE</title><link>LINK</link><description>نص</description></item>",
        after: "</channel></rss>",
    },
    Frame {
        head: "<?xml version=\"1.0\"?><feed xmlns=\"http://www.w3.org/2005/Atom\"><title>أخبار</title>",
        before: "<entry><title type=\"html\">TITLE</title><link href=\"LINK\"/><id>LINK</id><summary>نص</summary></entry>",
        after: "</feed>",
    },
    Frame {
        head: "<rdf:RDF xmlns=\"http://purl.org/rss/1.0/\" xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
            <channel><title>أخبار</title></channel>",
        before: "<item rdf:about=\"LINK\"><title>TITLE</title><link>LINK</link></item>",
        after: "</rdf:RDF>",
    },
    Frame {
        head: "{\"version\": \"https://jsonfeed.org/version/1.1\", \"title\": \"أخبار\", \"items\": [",
        before: "{\"id\": \"LINK\", \"url\": \"LINK\", \"title\": \"TITLE\", \"content_text\": \"نص\"},",
        after: "{\"id\": \"9\", \"title\": \"آخر\"}]}",
    },
];

const PIECES: [(&str, &str); 4] = [
    ("افتتاح المعرض السنوي للكتاب", "https://news.example/1"),
    ("ارتفاع أسعار الخضار في الأسواق", "https://news.example/2"),
    ("وصول القافلة إلى المدينة", "https://news.example/3"),
    ("بدء الدراسة في الجامعات", "https://news.example/4"),
];

fn piece(frame: &Frame, (title, link): (&str, &str)) -> String {
    frame.before.replace("TITLE", title).replace("LINK", link)
}

/// Whatever stands in the middle of a feed, the entries before it are read, with title and link.
///
/// The first byte: RSS, Atom, RDF or JSON (its lowest two bits).
pub fn repair(data: &[u8]) {
    let (settings, damage) = split(data);
    let frame = &FRAMES[usize::from(settings & 3)];
    let mut bytes = frame.head.as_bytes().to_vec();
    PIECES[..2].iter().for_each(|of| bytes.extend(piece(frame, *of).bytes()));
    bytes.extend(damage);
    PIECES[2..].iter().for_each(|of| bytes.extend(piece(frame, *of).bytes()));
    bytes.extend(frame.after.bytes());
    let mut feed = config();
    // Damage may turn the balance of a charset; that is the law of `charset`.
    feed.charset = Some("utf-8".to_owned());
    let parsed = read(&document(&bytes, None), &feed).unwrap();
    if settings & 3 == 3 && serde_json::from_slice::<serde_json::Value>(&bytes).is_ok() {
        // Not damaged: of two lists `items` the last one counts.
        return;
    }
    for (title, link) in &PIECES[..2] {
        let kept = parsed
            .entries
            .iter()
            .any(|entry| entry.title == *title && entry.url.as_ref().is_some_and(|url| url.as_str() == *link));
        assert!(kept, "the entry {link} before the damage is lost: {parsed:?}");
    }
    // Nothing within one element of text can hide what comes after it.
    if damage.iter().all(|byte| !b"<>&{}[]\"\\".contains(byte)) && (settings & 3) < 3 {
        for (title, _) in &PIECES[2..] {
            let kept = parsed.entries.iter().any(|entry| entry.title == *title);
            assert!(kept, "the entry {title} behind mere text is lost: {parsed:?}");
        }
    }
}

/// A sitemap's addresses before a damage are read, and an index names documents of the web.
///
/// The first byte: a set (even) or an index (odd) around the rest, or the rest alone (4).
pub fn sitemap(data: &[u8]) {
    let (settings, rest) = split(data);
    let mut feed = config();
    feed.charset = Some("utf-8".to_owned());
    let (set, one) = if settings & 1 == 0 { ("urlset", "url") } else { ("sitemapindex", "sitemap") };
    let wrapped = settings & 4 == 0;
    let mut bytes = Vec::new();
    if wrapped {
        bytes.extend(format!("<{set} xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">").bytes());
        PIECES[..2].iter().for_each(|(_, link)| bytes.extend(format!("<{one}><loc>{link}</loc></{one}>").bytes()));
    }
    bytes.extend(rest);
    let Ok(parsed) = read(&document(&bytes, None), &feed) else {
        assert!(!wrapped, "the document is refused for what stands in its middle");
        return;
    };
    assert!(parsed.more.len() <= 1_000);
    // Of more documents than are followed the newest count.
    if wrapped && parsed.more.len() < 1_000 {
        for (_, link) in &PIECES[..2] {
            let own = || parsed.entries.iter().filter_map(|entry| entry.url.as_ref());
            let kept = own().chain(&parsed.more).any(|url| url.as_str() == *link);
            assert!(kept, "the address {link} before the damage is lost: {parsed:?}");
        }
    }
}

const STARTS: [&str; 6] = [
    "",
    "https://",
    "http://www.news.example/",
    "https://news-example.cdn.ampproject.org/c/s/",
    "https://www.google.com/amp/s/",
    "https://news.example/خبر?",
];

/// A canonical address is its own, can be written and read, has a lower-case host, and keeps what may mean something.
///
/// The first byte: what stands before the rest.
pub fn url(data: &[u8]) {
    let (settings, rest) = split(data);
    let text = format!("{}{}", STARTS[usize::from(settings & 7) % STARTS.len()], String::from_utf8_lossy(rest));
    let Ok(url) = Url::parse(&text) else { return };
    let once = canonical(&url);
    assert_eq!(canonical(&once), once, "{url} is canonical only after the second time");
    assert_eq!(Url::parse(once.as_str()).as_ref(), Ok(&once), "{url} became what no address is: {once}");
    if !is_web(&url) {
        assert_eq!(once, url, "not an address of the web, yet changed");
        return;
    }
    assert!(is_web(&once), "{url} left the web: {once}");
    let host = once.host_str().unwrap_or_default();
    assert_eq!(host, host.to_ascii_lowercase());
    let cache = url.host_str().is_some_and(|host| host.contains("ampproject.org") || host.contains("google.com"));
    if cache {
        return;
    }
    let plain = |path: &str| path.to_ascii_lowercase().matches('%').count();
    assert!(plain(once.path()) <= plain(url.path()));
    let kept = once.path().trim_end_matches(".html").trim_end_matches('/');
    let mut letters = url.path().chars().zip(kept.chars());
    assert!(letters.all(|(a, b)| a.eq_ignore_ascii_case(&b)), "the path of {url} is another: {once}");
    if !url.path().contains('%') {
        assert!(url.path().starts_with(kept), "the path of {url} is spelt differently: {once}");
    }
    let mut tracked = url.clone();
    let query = url.query().map_or_else(String::new, |query| format!("{query}&"));
    tracked.set_query(Some(&format!("{query}utm_source=rss&fbclid=a1")));
    assert_eq!(canonical(&tracked), once, "a tracker makes another page of {url}");
    if let Some(Host::Domain(name)) = url.host()
        && name.trim_end_matches('.').contains('.')
        && !name.starts_with('.')
        && !name.contains("..")
    {
        let mut dressed = url.clone();
        if dressed.set_host(Some(&format!("www.{name}"))).is_ok() {
            assert_eq!(canonical(&dressed), once, "`www.` makes another page of {url}");
        }
    }
}

/// Any `robots.txt` can be read; a group of its own is kept whatever stands in the groups of others.
///
/// The first line is the page's path, the rest the file.
pub fn robots(data: &[u8]) {
    let line = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (path, text) = (&data[..line], data.get(line + 1..).unwrap_or_default());
    let mut page = address("https://news.example/");
    let (path, query) = path.split_at(path.iter().position(|byte| *byte == b'?').unwrap_or(path.len()));
    page.set_path(&String::from_utf8_lossy(path));
    page.set_query(query.get(1..).map(String::from_utf8_lossy).as_deref());
    let say = |text: &[u8], whole, page: &Url| {
        let said = rasid::fetch::robots_say(text, whole, "Rasid/0.1 (+https://news.example)", page);
        said.expect("a file cannot be read").map_err(|error| error.to_string())
    };
    for whole in [true, false] {
        let said = say(text, whole, &page);
        assert_eq!(said, say(text, whole, &page), "the same file said two things");
        if let Ok(Some(pause)) = said {
            assert!(!pause.is_zero() && pause.as_secs() <= 60, "a pause of {pause:?}");
        }
    }
    let lower = text.to_ascii_lowercase();
    if !lower.windows(5).any(|word| word == b"agent") {
        let mut file = b"User-agent: rasid\nDisallow: /private\nAllow: /private/open\n\nUser-agent: other\n".to_vec();
        file.extend(text);
        let allowed = |path: &str| say(&file, true, &page.join(path).unwrap()).is_ok();
        assert!(allowed("/news/1") && allowed("/private/open/1"), "another's group keeps us out");
        assert!(!allowed("/private/1"), "another's group lets us in");
    }
}

/// A query compiles, or every problem stands at characters of it; what it finds stands where it says.
///
/// The first line is the query, the rest the article.
pub fn query(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (query, words) = text.split_once('\n').unwrap_or((&text, ""));
    let topics = match Topics::trial(query, &Sets::new()) {
        Ok(topics) => topics,
        Err(problems) => {
            assert!(!problems.is_empty(), "it is refused for nothing");
            for problem in problems {
                assert!(query.get(problem.span.clone()).is_some(), "{problem:?} stands beside the query");
                assert!(!problem.message.is_empty());
            }
            return;
        }
    };
    let (title, body) = words.split_once('\n').unwrap_or((words, ""));
    // Words of the query itself, so that something is found.
    let body = format!("{body}\n{}", query.replace(['(', ')', '"', '$', '*', '~', ':', '='], " "));
    let article = Article {
        title,
        text: &body,
        url: "https://news.example/1",
        feed: "news",
        language: "ar",
        ..Article::default()
    };
    let found = topics.classify(&article);
    assert_eq!(found, topics.classify(&article), "the same article gave two answers");
    for topic in found {
        let sum: f32 = topic.evidence.iter().map(|evidence| evidence.weight).sum();
        assert!((sum - topic.score).abs() < 0.011, "the evidence does not add up: {topic:?}");
        for evidence in topic.evidence {
            let field = match evidence.field {
                Field::Title => title,
                Field::Text => &body,
                _ => continue,
            };
            let (start, end) = (evidence.start as usize, evidence.end as usize);
            let there: String = field.chars().skip(start).take(end.saturating_sub(start)).collect();
            assert_eq!(there, evidence.text, "evidence stands elsewhere");
        }
    }
}

/// A page gives text or a named error, without its thread breaking off.
///
/// The first byte: whether the feed has selectors of its own (1).
pub fn page(data: &[u8]) {
    let (settings, bytes) = split(data);
    let text = String::from_utf8_lossy(bytes).into_owned();
    let base = address("https://news.example/1");
    let selectors = (settings & 1 != 0).then(|| ArticleSelectors {
        text: Some("article, .body".to_owned()),
        remove: vec![".ad".to_owned(), "aside".to_owned()],
    });
    let plain = html::plain(&text);
    assert!(!plain.contains('\r') && plain.trim() == plain, "plain text has space around it: {plain:?}");
    let deadline = std::time::Duration::from_secs(60);
    match html::page_on_thread(text, base, Reading { selectors, ..Reading::new(now()) }, deadline) {
        Ok(page) => {
            assert!(!page.text.trim().is_empty(), "a page without text");
            assert!(page.canonical.iter().chain(&page.image).all(is_web), "an address is none of the web's: {page:?}");
            assert!(page.authors.iter().all(|name| !name.trim().is_empty()), "a name is empty: {page:?}");
        }
        Err(PageError::NoText | PageError::TooLarge(_)) => {}
        Err(error) => panic!("{error}"),
    }
}
