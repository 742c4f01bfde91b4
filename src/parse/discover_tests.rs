//! What is taken for the place of a feed, row by row.

use super::*;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

/// The candidates of a page at `https://news.example/ar/`, as `how address`.
fn of_page(body: &str) -> Vec<String> {
    let found = on_page(body, &url("https://news.example/ar/"));
    found.iter().map(|one| format!("{:?} {}", one.found, one.url)).collect()
}

#[test]
fn a_page_names_its_feeds() {
    for (body, expected) in [
        (
            "<link rel=alternate type=application/rss+xml href=rss.xml>",
            &["LinkTag https://news.example/ar/rss.xml"][..],
        ),
        (
            "<LINK REL='Alternate Home' TYPE='application/atom+xml; charset=utf-8' HREF='//feeds.example/a?x=1&amp;y=2'>",
            &["LinkTag https://feeds.example/a?x=1&y=2"],
        ),
        (
            "<link rel=alternate type=application/feed+json href=/f.json><link rel=feed type=text/xml href=/f>",
            &["LinkTag https://news.example/f.json", "LinkTag https://news.example/f"],
        ),
        // The base may come late, and be relative.
        (
            "<link rel=alternate type=application/rss+xml href=rss><base href='/en/'><base href='/no/'>",
            &["LinkTag https://news.example/en/rss"],
        ),
        (
            "<link rel=alternate type=application/rss+xml href='feed:https://a.example/f'>",
            &["LinkTag https://a.example/f"],
        ),
        ("<link rel=alternate type=application/rss+xml href='feed://a.example/f'>", &["LinkTag http://a.example/f"]),
        // None of these is a feed.
        ("<link rel=stylesheet type=text/xml href=/x><link rel=alternate hreflang=en href=/en/feed>", &[]),
        ("<link rel=alternate type=application/json href=/wp-json/wp/v2/pages/7>", &[]),
        ("<link rel=alternate type=application/json+oembed href=/oembed>", &[]),
        ("<link rel=alternate type=application/rss+xml href='javascript:x'>", &[]),
        ("<!-- <link rel=alternate type=application/rss+xml href=/old> -->", &[]),
        ("<script>var a = '<a href=\"/feed\">خلاصات</a>';</script>", &[]),
        // Links, by their address.
        ("<a href=/rss.php?id=3>أخبار</a>", &["Anchor https://news.example/rss.php?id=3"]),
        ("<a href='/section/feed/'>أخبار</a>", &["Anchor https://news.example/section/feed/"]),
        ("<a href='https://feeds.news.example/all'>أخبار</a>", &["Anchor https://feeds.news.example/all"]),
        ("<a href='https://feeds.feedburner.com/x'>أخبار</a>", &["Anchor https://feeds.feedburner.com/x"]),
        ("<a href='/export.aspx?type=xml'>تصدير</a>", &["Anchor https://news.example/export.aspx?type=xml"]),
        ("<a href='https://other.example/rss'>إعلان</a><a href=/feedback>رأيك</a><a href=/rss.png>RSS</a>", &[]),
        ("<a href='/ar/#rss'>RSS</a><a href='mailto:rss@news.example'>RSS</a>", &[]),
        // Links, by their words.
        ("<a href=/syndication><b>خلاصات</b> الموقع</a>", &["Anchor https://news.example/syndication"]),
        ("<a href=/s>خدمة آر إس إس</a>", &["Anchor https://news.example/s"]),
        ("<a href=/s><img alt='RSS'></a>", &["Anchor https://news.example/s"]),
        ("<a href=/s><i class='fa fa-rss'></i></a>", &["Anchor https://news.example/s"]),
        ("<a href=/s title='RSS'></a><a href=/story>خبر</a>", &["Anchor https://news.example/s"]),
        ("<a href=/story>خلاصة القول في ما جرى أمس في جلسة المجلس البلدي الطويلة</a>", &[]),
        // Each once, link tags first.
        (
            "<a href=/rss#top>RSS</a><link rel=alternate type=application/rss+xml href=/rss>",
            &["LinkTag https://news.example/rss"],
        ),
        // Damage costs the tag it is in, at most.
        (
            "<link rel='alternate' type=\"application/rss+xml\" href=\"/rss.xml <a href='/feed'>x",
            &["LinkTag https://news.example/rss.xml", "Anchor https://news.example/feed"],
        ),
    ] {
        assert_eq!(of_page(body), expected, "{body}");
    }
}

#[test]
fn well_known_places_are_below_the_section_and_the_root() {
    let of = |text: &str| well_known(&url(text)).iter().map(Url::to_string).collect::<Vec<_>>();
    let root = of("https://news.example/");
    assert_eq!(root[0], "https://news.example/feed");
    assert!(root.contains(&"https://news.example/?feed=rss2".to_owned()), "{root:?}");
    for (page, first) in [
        ("https://news.example/arabic", "https://news.example/arabic/feed"),
        ("https://news.example/arabic/", "https://news.example/arabic/feed"),
        ("https://news.example/arabic/index.php?x=1#y", "https://news.example/arabic/feed"),
        ("https://news.example/index.html", "https://news.example/feed"),
    ] {
        let places = of(page);
        assert_eq!(places[0], first, "{page}");
        assert!(places.iter().all(|place| !place.contains("x=1")), "{places:?}");
        assert!(places.ends_with(&root), "{places:?}");
    }
    assert_eq!(sitemaps(&url("https://news.example/a/b"))[0].as_str(), "https://news.example/sitemap-news.xml");
    assert_eq!(
        robots(&url("https://news.example:8443/a?b#c")).unwrap().as_str(),
        "https://news.example:8443/robots.txt"
    );
}

#[test]
fn robots_names_sitemaps() {
    let text = "\u{feff}Sitemap: https://news.example/all.xml\r\nUser-agent: *\nDisallow: /x\nSITEMAP : /news.xml # new\n\
                sitemap:https://news.example/all.xml\nSitemap: ftp://x/\nSitemap:\n";
    let named = in_robots(text, &url("https://news.example/robots.txt"));
    let named: Vec<&str> = named.iter().map(Url::as_str).collect();
    assert_eq!(named, ["https://news.example/news.xml", "https://news.example/all.xml"]);
}

fn parsed(format: &str, entries: usize, newest: &str, text: bool) -> Parsed {
    let newest: Timestamp = newest.parse().unwrap();
    let entry = |n: usize| Entry {
        url: Some(url(&format!("https://news.example/{n}"))),
        published: Some(newest - SignedDuration::from_hours(i64::try_from(n).unwrap())),
        summary_html: if text { "نص".to_owned() } else { String::new() },
        ..Entry::default()
    };
    Parsed { format: format.to_owned(), entries: (0..entries).map(entry).collect(), ..Parsed::default() }
}

#[test]
fn the_best_comes_first() {
    let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    let (today, old) = ("2026-11-20T09:00:00Z", "2020-01-01T00:00:00Z");
    let mut index = parsed("sitemap index", 0, today, false);
    index.more.push(url("https://news.example/1.xml"));
    let rows = [
        ("https://news.example/feed", None, parsed("RSS 2.0", 12, today, true)),
        ("https://news.example/feed2", None, parsed("RSS 2.0", 12, "2026-11-20T08:00:00Z", true)),
        ("https://news.example/few", None, parsed("RSS 2.0", 3, today, true)),
        ("https://news.example/bare", None, parsed("Atom 1.0", 40, today, false)),
        ("https://news.example/old", None, parsed("RSS 2.0", 500, old, true)),
        ("https://news.example/map", None, parsed("sitemap", 500, today, false)),
        ("https://news.example/index", None, index),
        ("https://news.example/none", None, parsed("RSS 2.0", 0, today, true)),
        ("https://news.example/nothing", None, parsed("sitemap", 0, today, true)),
        ("https://news.example/comments/feed", None, parsed("RSS 2.0", 12, today, true)),
    ];
    let merits: Vec<Merit> = rows.iter().map(|(at, title, parsed)| merit(parsed, &url(at), *title, now)).collect();
    for (pair, rows) in merits.windows(2).zip(rows.windows(2)) {
        assert!(pair[0] > pair[1], "{} before {}", rows[0].0, rows[1].0);
    }
    assert!(merits[0].is_good() && !merits[5].is_good() && !merits[9].is_good() && merits[9].is_comments());
    for (at, title) in [
        ("https://news.example/?feed=comments-rss2", None),
        ("https://news.example/1/feed", Some("جريدة » خبر خلاصة التعليقات")),
        ("https://news.example/1/feed", Some("Comments on: خبر")),
        ("https://news.example/feeds/1/comments/default", None),
    ] {
        assert!(merit(&parsed("RSS 2.0", 1, today, true), &url(at), title, now).is_comments(), "{at}");
    }
    assert!(same_entries(&rows[0].2, &rows[9].2) && !same_entries(&rows[0].2, &rows[2].2));
    assert!(!same_entries(&rows[7].2, &rows[7].2), "nothing is not the same as nothing");
}

#[test]
fn a_page_of_openings_costs_no_more_than_its_length() {
    for piece in ["<a href=/rss>", "<a href='/feed", "<link rel=alternate ", "<script>", "<a href=/s>rss "] {
        let body = piece.repeat(50_000);
        assert!(on_page(&body, &url("https://news.example/")).len() <= 1, "{piece}");
    }
}

proptest::proptest! {
    #[test]
    fn no_page_panics(text in "(<(a|link|base|script|outline|opml)|href=|type=|application/rss|\\+xml|xmlUrl=|'|\"|>|</|feed:|//|rss|أ|&#|\\PC){0,60}") {
        let base = url("https://news.example/");
        let _ = (on_page(&text, &base), in_robots(&text, &base), web(&text, &base), crate::parse::opml::read(&text));
    }
}
