//! What is read of whole documents: damaged ones above all.

use jiff::Timestamp;
use proptest::prelude::*;
use url::Url;

use super::*;
use crate::source::{PageSelectors, Validators};

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn address_of_feed() -> Url {
    "https://news.example/feeds/main.xml".parse().unwrap()
}

fn config() -> FeedConfig {
    FeedConfig::new("news".parse().unwrap(), address_of_feed())
}

fn read(text: &str) -> Parsed {
    parse_text(text, &address_of_feed(), &config(), now()).unwrap_or_else(|error| panic!("{}\n{text}", error.message))
}

/// In the order of the document, which the tables below are written in.
fn titles(parsed: &Parsed) -> Vec<&str> {
    let mut titles: Vec<&str> = parsed.entries.iter().map(|entry| entry.title.as_str()).collect();
    titles.reverse();
    titles
}

/// Two items in an RSS document whose parts a case may replace.
fn rss(items: &str) -> String {
    format!("<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>جريدة</title>{items}</channel></rss>")
}

const FIRST: &str = "<item><title>افتتاح سد جديد</title><link>https://news.example/1</link></item>";
const SECOND: &str = "<item><title>المطر يعود غدا</title><link>https://news.example/2</link></item>";

/// Each document holds these two, whatever is wrong with it.
fn holds_both(what: &str, document: &str) {
    let parsed = read(document);
    assert_eq!(titles(&parsed), ["افتتاح سد جديد", "المطر يعود غدا"], "{what}: {document}\n{:?}", parsed.notes);
    let links: Vec<_> = parsed.entries.iter().rev().map(|entry| entry.url.as_ref().map(Url::as_str)).collect();
    assert_eq!(links, [Some("https://news.example/1"), Some("https://news.example/2")], "{what}: {document}");
    let lost: Vec<_> = parsed.notes.iter().filter(|note| note.contains("rewritten")).collect();
    assert!(lost.is_empty(), "{what}: {lost:?}");
}

#[test]
fn t6_no_damage_costs_an_entry() {
    let both = format!("{FIRST}{SECOND}");
    let whole = rss(&both);
    let swap = |from: &str, to: &str| whole.replace(from, to);
    for (what, document) in [
        ("nothing", whole.clone()),
        ("byte order mark", format!("\u{feff}{whole}")),
        ("white space first", format!("\n\n  {whole}")),
        ("a warning first", format!("<br />\n<b>Warning</b>: mysql_connect() in /x.php on line 3<br />\n{whole}")),
        ("text first", format!("Notice: undefined index\n{whole}")),
        ("text behind", format!("{whole}\n<!-- cached --><script>track()</script> done")),
        ("control characters", swap("سد", "\u{1}س\u{8}د\u{0}")),
        ("declaration without end", swap("?>", ">")),
        ("document type with entities", format!(
            "<!DOCTYPE rss [<!ENTITY a \"&b;&b;\"><!ENTITY b \"&a;&a;\">]>{}",
            swap("<channel>", "<channel><description>&a;&b;</description>")
        )),
        ("entity in a title", swap("سد جديد", "سد&nbsp;جديد")),
        ("illegal references", swap("جديد", "جد&#0;&#xD800;يد&#x1F;")),
        ("surrogate at the end", swap("غدا", "غدا&#55357;")),
        ("CDATA", swap("المطر يعود غدا", "<![CDATA[ المطر <b>يعود</b> غدا ]]>")),
        ("escaped twice", swap("المطر", "&lt;b&gt;المطر&amp;lt;/b&amp;gt;").replace("&amp;lt;/b&amp;gt;", "&lt;/b&gt;")),
        ("CDATA without end", swap("افتتاح", "<![CDATA[افتتاح")),
        ("CDATA without end before another", swap("افتتاح", "<![CDATA[افتتاح").replace("المطر يعود غدا", "<![CDATA[المطر يعود غدا]]>")),
        ("comment without end", swap("<channel>", "<channel><!-- ")),
        ("upper-case tags", whole.to_uppercase().replace("HTTPS://NEWS.EXAMPLE", "https://news.example")),
        ("no version", swap(" version=\"2.0\"", "")),
        ("version 2.01", swap("2.0\"?", "").replace("version=\"2.0\"", "version=\"2.01\"")),
        ("version 1.0", swap("<rss version=\"2.0\"", "<rss version=\"1.0\"")),
        ("root of another case", swap("<rss", "<RSS")),
        ("no root", format!("<channel>{both}</channel>")),
        ("no channel", format!("<rss version=\"2.0\">{both}</rss>")),
        ("items alone", both.clone()),
        ("channel closed early", format!("<rss version=\"2.0\"><channel></channel>{both}</rss>")),
        ("root closed early", format!("<rss version=\"2.0\"><channel>{FIRST}</channel></rss>{SECOND}")),
        ("br in a title", swap("سد جديد", "سد<br>جديد")),
        ("unclosed markup in a title", swap("سد جديد", "<b>سد<i> جديد")),
        ("p in a description", swap("</item>", "<description><p>نص<p>نص<br></description></item>")),
        ("title not closed", swap("جديد</title>", "جديد")),
        ("title closed by another name", swap("جديد</title>", "جديد</tittle>")),
        ("title closed by an opening tag", swap("جديد</title>", "جديد<title>")),
        ("description not closed", swap("<link>", "<description>نص<link>")),
        ("link not closed", swap("/1</link>", "/1")),
        ("item not closed", swap("</item>", "")),
        ("first item not closed", whole.replacen("</item>", "", 1)),
        ("stray end tags", swap("</title>", "</title></p></b></font></description>")),
        ("channel title not closed", swap("جريدة</title>", "جريدة")),
        ("tag without its end", swap("</title><link>", "</title<link>")),
        ("cut behind the last entry", whole.replace("</channel></rss>", "")),
        ("cut in the last end tag", whole.replace("</link></item></channel></rss>", "</lin")),
        ("undeclared prefixes", swap("</item>", "<content:encoded>نص</content:encoded><dc:creator>ليلى</dc:creator></item>")),
        ("undeclared media title", swap("</item>", "<media:title>صورة</media:title></item>")),
        ("media title first", swap("<item>", "<item><media:content url=\"a.jpg\"><media:title>صورة</media:title></media:content>")),
        ("default namespace", swap("<rss", "<rss xmlns=\"http://backend.userland.com/rss2\"")),
        ("prefix for everything", "<r:rss xmlns:r='http://backend.userland.com/rss2'><r:channel><r:item><r:title>افتتاح سد جديد</r:title><r:link>https://news.example/1</r:link></r:item><r:item><r:title>المطر يعود غدا</r:title><r:link>https://news.example/2</r:link></r:item></r:channel></r:rss>".to_owned()),
        ("Atom as default in RSS", swap("<rss", "<rss xmlns=\"http://www.w3.org/2005/Atom\"")),
        ("link by attribute", swap("<link>https://news.example/1</link>", "<link href=\"https://news.example/1\"/>")),
        ("link of Atom", swap("<link>https://news.example/2</link>", "<atom:link rel='self' href='/x'/><atom:link href='https://news.example/2'/>")),
        ("id in place of a link", swap("<link>https://news.example/2</link>", "<guid>https://news.example/2</guid>")),
        ("link with white space", swap("<link>https", "<link>\n   https").replace("/1<", "/1\n  <")),
        ("link in CDATA", swap("<link>https://news.example/1</link>", "<link><![CDATA[ https://news.example/1 ]]></link>")),
        ("relative link", swap("<link>https://news.example/2", "<link>../2")),
        ("xml:base", swap("<channel>", "<channel xml:base='https://news.example/a/'>").replace("<link>https://news.example/2", "<link>../2")),
        ("person with an Arabic comma", swap("</item>", "<author>a@b.example، سلمى</author><dc:creator>x@y.example، ليلى</dc:creator></item>")),
        ("absurd durations", swap("</item>", "<media:content url='a.mp4' duration='99999999999999999999999'/><itunes:duration>99999999999999999999999:00:00</itunes:duration></item>")),
        ("deep nesting", swap("</item>", &format!("<description>{}</description></item>", "<div>".repeat(3_000)))),
        ("deep nesting, closed", swap("</item>", &format!("<description>{}نص{}</description></item>", "<div>".repeat(3_000), "</div>".repeat(3_000)))),
        ("quote missing in an attribute", swap("</item>", "<enclosure url=\"https://news.example/a.jpg type=\"image/jpeg\"/></item>")),
        ("RDF 1.0", format!("<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'><channel rdf:about='x'><title>ج</title></channel>{both}</rdf:RDF>")),
        ("RDF 0.90", format!("<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://my.netscape.com/rdf/simple/0.9/'><channel><title>ج</title></channel>{both}</rdf:RDF>")),
        ("RDF undeclared", format!("<rdf:RDF><channel><title>ج</title></channel>{both}</rdf:RDF>")),
    ] {
        let document = if what == "upper-case tags" { document.replace("VERSION=\"1.0\"?", "version=\"1.0\"?") } else { document };
        holds_both(what, &document);
    }
}

#[test]
fn t6_no_kind_of_atom_costs_an_entry() {
    let atom = |head: &str, title: &str| {
        format!(
            "<feed {head}><title>جريدة</title><entry>{title}<link href='https://news.example/1'/><id>a</id></entry>\
             <entry><title>المطر يعود غدا</title><link rel='alternate' href='/2'/><id>b</id></entry></feed>"
        )
    };
    let new = "xmlns='http://www.w3.org/2005/Atom'";
    let old = "version='0.3' xmlns='http://purl.org/atom/ns#'";
    for (what, head, title) in [
        ("plain", new, "<title>افتتاح سد جديد</title>"),
        ("no namespace", "", "<title>افتتاح سد جديد</title>"),
        ("html", new, "<title type='html'>افتتاح &lt;b&gt;سد&lt;/b&gt; جديد</title>"),
        ("odd type", new, "<title type='HTML'>افتتاح سد جديد</title>"),
        ("media type", new, "<title type='text/plain'>افتتاح سد جديد</title>"),
        ("nonsense type", new, "<title type='escaped'>افتتاح سد جديد</title>"),
        (
            "elements",
            new,
            "<title type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>افتتاح <b>سد</b> جديد</div></title>",
        ),
        (
            "elements, undeclared",
            new,
            "<title type='xhtml'><xhtml:div>افتتاح <xhtml:b>سد</xhtml:b> جديد</xhtml:div></title>",
        ),
        ("empty content", new, "<title>افتتاح سد جديد</title><content type='html'></content><summary/>"),
        ("content elsewhere", new, "<title>افتتاح سد جديد</title><content src='x' type='nonsense'>نص</content>"),
        ("0.3", old, "<title>افتتاح سد جديد</title>"),
        ("0.3, mode", old, "<title mode='escaped' type='text/html'>افتتاح &lt;i&gt;سد&lt;/i&gt; جديد</title>"),
        ("0.3, base64", old, "<title mode='base64' type='text/html'>2KfZgdiq2KrYp9itINiz2K8g2KzYr9mK2K8=</title>"),
    ] {
        holds_both(what, &atom(head, title));
    }
}

#[test]
fn fields_are_the_documents_own() {
    let parsed = read(
        "<rss version='2.0' xmlns:sy='http://purl.org/rss/1.0/modules/syndication/'><channel><title>جريدة &amp;amp; إذاعة</title>\
         <link>https://news.example/</link><language>ar-SA</language><sy:updatePeriod>hourly</sy:updatePeriod>\
         <sy:updateFrequency>4</sy:updateFrequency>\
         <item><title>عنوان</title><link>/a?x=1&y=2</link><guid isPermaLink='false'> رقم-7 </guid>\
         <pubDate>Thu, 19 Nov 2026 10:00:00 +0300</pubDate><author>a@b.example (سلمى)</author><dc:creator>ليلى</dc:creator>\
         <category>سياسة</category><category><![CDATA[اقتصاد & مال]]></category>\
         <description>&lt;p&gt;موجز&lt;/p&gt;</description><content:encoded><![CDATA[<p>النص &amp; كله</p>]]></content:encoded>\
         <media:group><media:thumbnail url='/t.jpg'/></media:group></item></channel></rss>",
    );
    assert_eq!((parsed.format.as_str(), parsed.title.as_deref()), ("RSS 2.0", Some("جريدة & إذاعة")));
    assert_eq!((parsed.language.as_deref(), parsed.asked_interval), (Some("ar-sa"), Some(Span::secs(900))));
    assert_eq!(parsed.site.as_ref().map(Url::as_str), Some("https://news.example/"));
    let entry = &parsed.entries[0];
    assert_eq!(entry.guid.as_deref(), Some("رقم-7"));
    assert_eq!(entry.url.as_ref().map(Url::as_str), Some("https://news.example/a?x=1&y=2"));
    assert_eq!(entry.published, Some("2026-11-19T07:00:00Z".parse().unwrap()));
    assert_eq!(entry.published_text.as_deref(), Some("Thu, 19 Nov 2026 10:00:00 +0300"));
    assert_eq!(
        (&entry.authors[..], &entry.tags[..]),
        (&["سلمى".into(), "ليلى".into()][..], &["سياسة".into(), "اقتصاد & مال".into()][..])
    );
    assert_eq!((&*entry.summary_html, &*entry.content_html), ("<p>موجز</p>", "<p>النص &amp; كله</p>"));
    assert_eq!(entry.image.as_ref().map(Url::as_str), Some("https://news.example/t.jpg"));
    assert_eq!(entry.language.as_deref(), Some("ar-sa"));
}

#[test]
fn t4_no_id_is_invented_and_no_name_is_believed_to_be_a_link() {
    let parsed = read(&rss(
        "<item><title>أ</title></item><item><title>ب</title><guid isPermaLink='false'>https://news.example/x</guid></item>",
    ));
    assert_eq!(parsed.entries[1], Entry { title: "أ".into(), ..Entry::default() });
    assert_eq!((parsed.entries[0].url.as_ref(), parsed.entries[0].guid.is_some()), (None, true));
}

#[test]
fn t2_times_that_cannot_be_are_kept_as_words_only() {
    for (written, published) in [
        ("<pubDate>Thu, 19 Nov 2026 10:00:00 GMT</pubDate>", Some("2026-11-19T10:00:00Z")),
        ("<pubdate>Thu, 19 Nov 2026 10:00:00 GMT</pubdate>", Some("2026-11-19T10:00:00Z")),
        ("<dc:date>2026-11-19T10:00:00Z</dc:date>", Some("2026-11-19T10:00:00Z")),
        ("<pubDate>لا يوجد</pubDate><dc:date>2026-11-19T10:00:00Z</dc:date>", Some("2026-11-19T10:00:00Z")),
        ("<pubDate>Thu, 01 Jan 1970 00:00:00 GMT</pubDate>", None),
        ("<pubDate>Sat, 19 Nov 2044 10:00:00 GMT</pubDate>", None),
        ("<pubDate>قريبا</pubDate>", None),
    ] {
        let parsed = read(&rss(&format!("<item><title>أ</title>{written}</item>")));
        assert_eq!(parsed.entries[0].published, published.map(|at| at.parse().unwrap()), "{written}");
        assert!(parsed.entries[0].published_text.is_some(), "{written}");
    }
}

#[test]
fn dates_without_a_zone_are_in_the_feeds() {
    let mut feed = config();
    feed.timezone = Some("Asia/Riyadh".into());
    let text = rss("<item><title>أ</title><pubDate>2026-11-19T10:00:00</pubDate></item>");
    let parsed = parse_text(&text, &address_of_feed(), &feed, now()).unwrap();
    assert_eq!(parsed.entries[0].published, Some("2026-11-19T07:00:00Z".parse().unwrap()));
    feed.timezone = Some("Mars/Base".into());
    let parsed = parse_text(&text, &address_of_feed(), &feed, now()).unwrap();
    assert!(parsed.notes.iter().any(|note| note.contains("Mars/Base")), "{:?}", parsed.notes);
}

#[test]
fn the_oldest_comes_first() {
    let item = |title, date| format!("<item><title>{title}</title>{date}</item>");
    let dated = |day| format!("<pubDate>{day} Nov 2026 10:00:00 GMT</pubDate>");
    let all = item("ب", dated(12)) + &item("ج", dated(13)) + &item("أ", dated(11)) + &item("أأ", dated(11));
    assert_eq!(read(&rss(&all)).entries.iter().map(|e| &*e.title).collect::<String>(), "أأأبج");
    let some = item("ج", dated(12)) + &item("ب", String::new()) + &item("أ", dated(13));
    assert_eq!(read(&rss(&some)).entries.iter().map(|e| &*e.title).collect::<String>(), "أبج");
}

#[test]
fn t4_entries_that_lack_the_same_fields_stay_apart() {
    let parsed = read(&rss(
        "<item><description>نص أول</description></item><item><description>نص ثان</description></item>\
         <item><guid/><title/><link/><description>نص ثالث</description></item><item><pubDate>Thu, 19 Nov 2026 10:00:00 GMT</pubDate></item>",
    ));
    let texts: Vec<_> = parsed.entries.iter().map(|entry| (&*entry.summary_html, entry.says_something())).collect();
    assert_eq!(texts, [("", false), ("نص ثالث", true), ("نص ثان", true), ("نص أول", true)]);
    assert!(parsed.entries.iter().all(|entry| entry.guid.is_none() && entry.url.is_none()));
}

#[test]
fn extensions_say_what_the_format_does_not() {
    let item = |inside: &str| read(&rss(&format!("<item><title>خبر</title>{inside}</item>"))).entries.remove(0);
    for (inside, image) in [
        (
            "<media:group><media:content url='/a.mp4' type='video/mp4'/><media:content url='/b.jpg' medium='image'/></media:group>",
            "/b.jpg",
        ),
        ("<media:content url='/a.mp4' type='video/mp4'><media:thumbnail url='/t.jpg'/></media:content>", "/t.jpg"),
        ("<enclosure url='/a.mp3' type='audio/mpeg'/><enclosure url='/c.jpg' type='image/jpeg'/>", "/c.jpg"),
        ("<itunes:image href='/d.png'/>", "/d.png"),
        ("<atom:link rel='enclosure' type='image/webp' href='/e'/>", "/e"),
        ("<description>&lt;p&gt;&lt;img src='/f.gif'&gt;&lt;/p&gt;</description>", "/f.gif"),
    ] {
        assert_eq!(item(inside).image.as_ref().map(Url::path), Some(image), "{inside}");
    }
    for (inside, summary) in [
        ("<itunes:subtitle>قصير</itunes:subtitle><itunes:summary>طويل</itunes:summary>", "طويل"),
        ("<itunes:subtitle>قصير</itunes:subtitle>", "قصير"),
        ("<media:group><media:description>وصف</media:description></media:group>", "وصف"),
        ("<dc:description>وصف</dc:description>", "وصف"),
    ] {
        assert_eq!(item(inside).summary_html, summary, "{inside}");
    }
    let entry = item(
        "<itunes:keywords>ماء، سدود,ري</itunes:keywords><dc:subject>زراعة</dc:subject><itunes:author>ليلى</itunes:author><dc:creator>سلمى</dc:creator>",
    );
    assert_eq!((entry.tags.join(" "), entry.authors.join(" ")), ("ماء سدود ري زراعة".into(), "ليلى سلمى".into()));
    for date in ["dcterms:issued", "dcterms:created", "dc:date", "atom:published", "dcterms:modified"] {
        let entry = item(&format!("<{date}>2026-11-19T10:00:00Z</{date}>"));
        assert_eq!(entry.published, Some("2026-11-19T10:00:00Z".parse().unwrap()), "{date}");
    }
    let cdf = read(
        "<CHANNEL HREF='https://news.example/' BASE='https://news.example/cdf/'><TITLE>جريدة</TITLE>\
         <ITEM HREF='1' LASTMOD='2026-11-19T10:00:00Z'><TITLE>خبر</TITLE><ABSTRACT>موجز</ABSTRACT></ITEM></CHANNEL>",
    );
    let entry = &cdf.entries[0];
    assert_eq!(
        (&*cdf.format, entry.url.as_ref().map(Url::path), &*entry.summary_html),
        ("CDF", Some("/cdf/1"), "موجز")
    );
    assert!(entry.published.is_some());
}

#[test]
fn t10_what_is_quoted_is_cut_at_letters() {
    let long = "خبر".repeat(200);
    let page = format!("<html><head><title>{long}</title></head></html>");
    for (text, letters) in [(page, 80), (long.clone(), 60)] {
        let error = parse_text(&text, &address_of_feed(), &config(), now()).unwrap_err();
        let quoted = error.message.split('`').nth(1).unwrap();
        assert_eq!((quoted.chars().count(), long.starts_with(quoted)), (letters, true), "{quoted}");
    }
}

#[test]
fn t18_all_entries_are_read_and_a_limit_says_so() {
    let items: String = (0..5_000).map(|n| format!("<item><title>خبر {n}</title><guid>{n}</guid></item>")).collect();
    let mut feed = config();
    feed.max_entries = 10_000;
    let read = |feed: &FeedConfig| parse_text(&rss(&items), &address_of_feed(), feed, now()).unwrap();
    let all = read(&feed);
    assert_eq!((all.entries.len(), all.notes.len()), (5_000, 0));
    feed.max_entries = 300;
    let cut = read(&feed);
    assert_eq!(
        (cut.entries.len(), &cut.notes[..]),
        (300, &["cut after 300 entries (`max_entries` of the feed)".to_owned()][..])
    );
    // The first of the document, which are the newest.
    assert_eq!(cut.entries[299].title, "خبر 0");
}

#[test]
fn t22_bombs_cost_no_more_than_their_length() {
    let bomb = "<!DOCTYPE rss [<!ENTITY a \"ها\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">]>";
    let parsed = read(&format!("{bomb}{}", rss("<item><title>خبر &c;</title><link>/1</link></item>")));
    assert_eq!(titles(&parsed), ["خبر &c;"]);
    let deep = format!("<item><title>خبر</title><description>{}</description></item>", "<div><b>".repeat(50_000));
    assert_eq!(titles(&read(&rss(&format!("{deep}{SECOND}")))), ["خبر", "المطر يعود غدا"]);
    let same = "<item><title>خبر</title><guid>1</guid><description>نص</description></item>".repeat(25_000);
    let other: String = (0..25_000)
        .map(|n| format!("<item><title>خبر</title><guid>1</guid><description>نص {n:05}</description></item>"))
        .collect();
    let mut feed = config();
    feed.max_entries = 50_000;
    let parsed = parse_text(&rss(&(same + &other)), &address_of_feed(), &feed, now()).unwrap();
    assert_eq!(parsed.entries.len(), 25_001);
}

#[test]
fn only_copies_are_dropped_and_cuts_are_noted() {
    let same = "<item><title>أ</title><guid>1</guid><description>نص</description></item>";
    let parsed = read(&rss(&(same.repeat(2) + &same.replace("نص", "نص آخر") + "<item/>")));
    assert_eq!((parsed.entries.len(), parsed.rejected.len()), (2, 1), "{parsed:?}");
    assert!(parsed.notes.iter().any(|note| note.contains("more than once")));
    let mut feed = config();
    feed.max_entries = 1;
    let parsed = parse_text(&rss(&format!("{FIRST}{SECOND}")), &address_of_feed(), &feed, now()).unwrap();
    assert_eq!(titles(&parsed), ["افتتاح سد جديد"]);
    assert_eq!(parsed.notes, ["cut after 1 entries (`max_entries` of the feed)"]);
}

#[test]
fn repairs_are_told_in_words() {
    let parsed = read(&rss("<item><title>أ & ب</title><link>/1</link><description>&nbsp;<p>نص</description></item>"));
    assert_eq!(
        parsed.notes,
        ["1 bare & read as text", "1 undeclared HTML entities resolved", "1 unclosed elements closed"]
    );
    assert!(read(&rss(&format!("{FIRST}{SECOND}"))).notes.is_empty());
}

#[test]
fn json_is_read_item_by_item() {
    let feed = |items: &str| {
        format!(
            "{{\"version\":\"https://jsonfeed.org/version/1.1\",\"title\":\"جريدة\",\"language\":\"ar\",\"items\":[{items}"
        )
    };
    let two = "{\"id\":7,\"url\":\"/1\",\"title\":\"افتتاح\",\"content_html\":\"<p>نص</p>\",\"date_published\":\"2026-11-19T10:00:00Z\",\"authors\":[{\"name\":\"ليلى\"}]},\
               {\"id\":\"b\",\"title\":3,\"content_text\":\"5 < 6\",\"author\":{\"name\":\"سلمى\"}}";
    let parsed = read(&(feed(two) + "]}"));
    assert_eq!((parsed.format.as_str(), titles(&parsed)), ("JSON Feed 1.1", vec!["افتتاح", "3"]));
    assert_eq!(parsed.entries[1].guid.as_deref(), Some("7"));
    assert_eq!(parsed.entries[0].content_html, "5 &lt; 6");
    assert_eq!(parsed.entries[0].authors, ["سلمى"]);
    let parsed = read(&(feed(two) + ",\"خطأ\",{\"title\":{}},{\"title\":\"ثالث\"}]}"));
    assert_eq!((titles(&parsed), parsed.rejected.len()), (vec!["افتتاح", "3", "ثالث"], 2));
    for cut in [",{\"id\":\"c\",\"ti", "", "]", ",]}", " oops"] {
        let parsed = read(&(feed(two) + cut));
        assert_eq!(titles(&parsed).len(), 2, "{cut}");
        assert!(parsed.notes[0].contains("damaged"), "{:?}", parsed.notes);
    }
    for (text, kind) in [("{\"a\":1}", "not-a-feed"), ("{oops", "json-error"), ("[1,2]", "not-a-feed")] {
        assert_eq!(parse_text(text, &address_of_feed(), &config(), now()).unwrap_err().kind, kind, "{text}");
    }
}

#[test]
fn sitemaps_give_addresses_titles_and_further_sitemaps() {
    let news = "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'><url><loc>https://news.example/1</loc>\
        <lastmod>2026-11-19</lastmod><news:news><news:publication><news:name>جريدة</news:name><news:language>ar</news:language>\
        </news:publication><news:publication_date>2026-11-19T10:00:00Z</news:publication_date>\
        <news:title>افتتاح سد جديد</news:title><news:keywords>ماء، سدود</news:keywords></news:news>\
        <image:image><image:loc>https://news.example/1.jpg</image:loc><image:title>صورة</image:title></image:image></url>\
        <url><loc>https://news.example/2</loc><image:image><image:title>صورة</image:title></image:image><url><loc>nonsense:</loc></url></urlset>";
    let parsed = read(news);
    assert_eq!((parsed.format.as_str(), parsed.entries.len(), parsed.rejected.len()), ("sitemap", 2, 1), "{parsed:?}");
    let (second, first) = (&parsed.entries[0], &parsed.entries[1]);
    assert_eq!((&*first.title, &*second.title), ("افتتاح سد جديد", ""));
    assert_eq!((first.language.as_deref(), &first.tags[..]), (Some("ar"), &["ماء".to_owned(), "سدود".to_owned()][..]));
    assert_eq!(first.published, Some("2026-11-19T10:00:00Z".parse().unwrap()));
    assert_eq!(first.image.as_ref().map(Url::as_str), Some("https://news.example/1.jpg"));
    let index = "<sitemapindex><sitemap><loc>/old.xml</loc><lastmod>2026-11-01T00:00:00Z</lastmod></sitemap><sitemap><loc>/none.xml</loc></sitemap>\
        <sitemap><loc>/new.xml</loc><lastmod>2026-11-19T00:00:00Z</lastmod></sitemap></sitemapindex>";
    let parsed = read(index);
    let more: Vec<_> = parsed.more.iter().map(Url::path).collect();
    assert_eq!((parsed.format.as_str(), more), ("sitemap index", vec!["/new.xml", "/old.xml", "/none.xml"]));
}

#[test]
fn listing_pages_are_read_by_their_selectors() {
    let some = |text: &str| Some(text.to_owned());
    let mut feed = config();
    feed.kind = SourceKind::Page;
    let selectors = PageSelectors {
        entry: "article.card".into(),
        link: "a@href".into(),
        title: some("h3"),
        date: some("time@datetime"),
        summary: some("p"),
    };
    feed.page = Some(selectors.clone());
    let page = "<html lang=ar><head><base href='/news/'><title>أخبار</title></head><body>\
        <article class=card><a href='1'><h3>افتتاح <b>سد</b> جديد</h3></a><time datetime='2026-11-19T10:00:00Z'>أمس</time><p>5 &lt; 6</p></article>\
        <article class=card><h3>بلا رابط</h3></article><article class=card><a href='https://other.example/2'><h3>المطر</h3></a></article></body></html>";
    let parsed = parse_text(page, &address_of_feed(), &feed, now()).unwrap();
    assert_eq!(titles(&parsed), ["افتتاح سد جديد", "المطر"]);
    assert_eq!(parsed.rejected, [Rejected { entry: "بلا رابط".into(), reason: "`a@href` finds no link in it".into() }]);
    let first = &parsed.entries[1];
    assert_eq!(first.url.as_ref().map(Url::as_str), Some("https://news.example/news/1"));
    assert_eq!((first.published, &*first.summary_html), (Some("2026-11-19T10:00:00Z".parse().unwrap()), "5 &lt; 6"));
    assert_eq!(parse_text("<html></html>", &address_of_feed(), &feed, now()).unwrap_err().kind, "not-a-feed");
    assert_eq!(page::check_selectors(&selectors), Vec::<String>::new());
    let bad = PageSelectors { entry: "a[".into(), link: ">>@href".into(), date: some("::"), ..selectors };
    assert_eq!(page::check_selectors(&bad).len(), 3);
    feed.page = Some(bad);
    assert_eq!(parse_text(page, &address_of_feed(), &feed, now()).unwrap_err().kind, "selector");
}

fn document(bytes: Vec<u8>) -> Document {
    Document {
        bytes,
        url: address_of_feed(),
        status: 200,
        content_type: None,
        charset: None,
        validators: Validators::default(),
        cut: None,
        redirects: Vec::new(),
        fresh_for: None,
    }
}

#[test]
fn bytes_are_decoded_first() {
    let text = rss(&format!("{FIRST}{SECOND}"));
    let utf16 = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
        let declared = format!("\u{feff}{}", text.replace("version=\"1.0\"?", "version=\"1.0\" encoding=\"UTF-16\"?"));
        declared.encode_utf16().flat_map(order).collect()
    };
    let mut broken = text.clone().into_bytes();
    let letter = text.find("سد").unwrap();
    broken.remove(letter + 1);
    for (what, bytes, first) in [
        ("UTF-16LE", utf16(u16::to_le_bytes), "افتتاح سد جديد"),
        ("UTF-16BE", utf16(u16::to_be_bytes), "افتتاح سد جديد"),
        ("half a letter", broken, "افتتاح \u{fffd}د جديد"),
    ] {
        let parsed = parse(&document(bytes), &config(), now()).unwrap();
        let found = titles(&parsed);
        assert!(found.len() == 2 && found[1] == "المطر يعود غدا", "{what}: {found:?}");
        assert_eq!(found[0].replace('\u{fffd}', ""), first.replace('\u{fffd}', ""), "{what}");
    }
    for (bytes, kind) in
        [(&b" \n"[..], "empty"), (b"\xef\xbb\xbf", "empty"), (b"<html><body>x</body></html>", "not-a-feed")]
    {
        assert_eq!(parse(&document(bytes.to_vec()), &config(), now()).unwrap_err().kind, kind);
    }
}

/// Twenty items, and what a program that writes feeds puts around them.
fn twenty() -> String {
    let item = |n: usize| {
        format!(
            "<item><title>خبر رقم {n}</title><link>https://news.example/{n}</link><guid isPermaLink=\"false\">{n}</guid>\
             <pubDate>Thu, 19 Nov 2026 10:00:{n:02} GMT</pubDate><description><![CDATA[<p>نص الخبر {n}</p>]]></description>\
             <author>a@b.example (ليلى)</author><media:thumbnail url=\"/{n}.jpg\"/></item>\n"
        )
    };
    rss(&(10..30).map(item).collect::<String>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn t6_damage_never_panics_and_costs_few_entries(
        wounds in proptest::collection::vec((0_usize..10_000, 0_usize..4, "[<>&;/!\"a-c\\[\\]\\-ا]{1,4}"), 1..4),
    ) {
        let mut bytes = twenty().into_bytes();
        for (place, how, insert) in &wounds {
            let at = place * bytes.len() / 10_000;
            match how {
                0 => { bytes.drain(at..(at + insert.len()).min(bytes.len())); }
                1 => { bytes.splice(at..at, insert.bytes()); }
                2 => { let end = (at + insert.len()).min(bytes.len()); bytes.splice(at..end, insert.bytes().take(end - at)); }
                _ => bytes[at] ^= 0x5a,
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        let parsed = parse_text(&text, &address_of_feed(), &config(), now());
        // The head may be hit, but never so that everything is lost.
        let kept = parsed.map_or(0, |parsed| parsed.entries.len());
        prop_assert!(kept + 2 * wounds.len() >= 20, "{kept} of 20 after {wounds:?}\n{text}");
    }

    #[test]
    fn t6_a_cut_keeps_what_stands_before_it(place in 0_usize..10_000) {
        let mut text = twenty();
        let mut at = place * text.len() / 10_000;
        while !text.is_char_boundary(at) { at += 1; }
        text.truncate(at);
        let whole = text.matches("</item>").count();
        let kept = parse_text(&text, &address_of_feed(), &config(), now()).map_or(0, |parsed| parsed.entries.len());
        prop_assert!(kept == whole || kept == whole + 1, "{kept} of {whole}");
    }

    #[test]
    fn no_text_panics(text in "(<|</|>|&|;|\"|=|item|entry|title|rss|feed|url|urlset|\\{|items|<!--|-->|<!\\[CDATA\\[|\\]\\]>| |ا|:|/){0,60}") {
        let _ = parse_text(&text, &address_of_feed(), &config(), now());
        let _ = parse_text(&format!("<rss><item><title>{text}</title></item>"), &address_of_feed(), &config(), now());
    }
}
