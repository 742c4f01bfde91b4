//! Getting sources in: finding the feeds of a site, adding, importing and exporting them, over the binary and a little
//! web of our own on loopback.

use std::collections::HashMap;
use std::process::Output;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::newsroom::{Answer, Server, prose};
use crate::rasid::Home;

/// What each path answers; `{base}` stands for the server's own address. All else is 404. Every path asked is noted.
fn site(rows: Vec<(&'static str, Answer)>) -> (Server, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let noted = asked.clone();
    let rows: HashMap<&str, Answer> = rows.into_iter().collect();
    let server = Server::start(move |request| {
        noted.lock().unwrap().push(request.path.clone());
        let base = format!("http://{}", request.headers["host"]);
        let mut answer = rows.get(request.path.as_str()).cloned().unwrap_or_else(|| Answer::status(404));
        if let Ok(text) = String::from_utf8(answer.body.clone()) {
            answer.body = text.replace("{base}", &base).into_bytes();
        }
        answer
    });
    (server, asked)
}

/// A feed of as many entries, the first one the newest, all of them of this year's autumn.
fn rss(title: &str, name: u64, entries: u64) -> Answer {
    let item = |n: u64| {
        let (headline, text) = (prose(name * 100 + n, 6), prose(name * 100 + n, 30));
        format!(
            "<item><title>{headline}</title><link>{{base}}/story/{name}/{n}</link><description>{text}</description>\
             <pubDate>Thu, {} Oct 2026 10:00:00 +0300</pubDate></item>",
            28 - n
        )
    };
    let items: String = (0..entries).map(item).collect();
    let text = format!("<rss version=\"2.0\"><channel><title>{title}</title>{items}</channel></rss>");
    Answer::ok("application/rss+xml; charset=utf-8", text)
}

fn page(head: &str, body: &str) -> Answer {
    let text =
        format!("<!doctype html><html lang=\"ar\"><head><title>جريدة</title>{head}</head><body>{body}</body></html>");
    Answer::ok("text/html; charset=utf-8", text)
}

fn moved(status: u16, to: &str) -> Answer {
    // The path alone: a redirect is resolved against the address it answers.
    Answer::status(status).with("Location", to)
}

fn sitemap(name: &str) -> Answer {
    let text = format!(
        "<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\"><url><loc>{{base}}/{name}/1</loc>\
         <lastmod>2026-10-20T10:00:00Z</lastmod></url></urlset>"
    );
    Answer::ok("application/xml", text)
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The feeds of `feeds discover --json`, each as `path found`.
fn discovered(home: &Home, url: &str) -> (Vec<String>, Value) {
    let told: Value = serde_json::from_str(&home.ok(&["feeds", "discover", url, "--json"])).unwrap();
    let shown = |feed: &Value| {
        let url: url::Url = feed["url"].as_str().unwrap().parse().unwrap();
        format!("{} {}", &url[url::Position::BeforePath..], feed["found"].as_str().unwrap())
    };
    (told["feeds"].as_array().unwrap().iter().map(shown).collect(), told)
}

#[test]
fn discover_finds_what_a_site_publishes() {
    const LINKS: &str = "<link rel=alternate type=application/rss+xml title='خلاصة التعليقات' href='/comments/feed/'>\
                         <link rel=alternate type=application/rss+xml href=/old>\
                         <link rel=alternate type=application/rss+xml href=/main><link rel=alternate type=application/rss+xml href=/gone>";
    let home = Home::new("attempts = 1", "");
    let windows_1256 = {
        let text = "<html><head><meta charset=windows-1256><base href='/ar/'><title>\u{627}</title></head><body>\
                    <a href='akhbar.aspx?t=2'>@</a></body></html>";
        let bytes: Vec<u8> = text
            .bytes()
            .flat_map(|b| if b == b'@' { vec![0xce, 0xe1, 0xc7, 0xd5, 0xc7, 0xca] } else { vec![b] })
            .collect();
        Answer::ok("text/html", bytes)
    };
    for (what, rows, start, expected) in [
        (
            "link tags: the best first, comments last, each once after redirects, a dead one named",
            vec![
                ("/", page(LINKS, "<a href=/rss.php>RSS</a>")),
                ("/main", rss("الأولى", 1, 12)),
                ("/old", moved(301, "/main")),
                ("/rss.php", rss("الرياضة", 2, 3)),
                ("/comments/feed/", rss("تعليقات", 3, 20)),
                ("/robots.txt", Answer::ok("text/plain", "Sitemap: {base}/news.xml\n")),
                ("/news.xml", sitemap("n")),
            ],
            "/",
            &["/main link-tag", "/rss.php anchor", "/news.xml robots", "/comments/feed/ link-tag"][..],
        ),
        ("the address is a feed", vec![("/f", rss("أ", 1, 2))], "/f", &["/f itself"]),
        (
            "well-known paths, below the section first",
            vec![("/ar/", page("", "لا روابط")), ("/ar/rss.xml", rss("أ", 1, 2)), ("/feed", rss("ب", 2, 2))],
            "/ar/",
            &["/ar/rss.xml well-known"],
        ),
        (
            "the sitemap of robots.txt",
            vec![
                ("/", page("", "")),
                ("/robots.txt", Answer::ok("text/plain", "User-agent: *\nDisallow: /feed\nSitemap: /s.xml\n")),
                ("/s.xml", sitemap("s")),
                ("/feed", rss("ممنوع", 1, 2)),
            ],
            "/",
            &["/s.xml robots"],
        ),
        (
            "a sitemap where nothing names one",
            vec![("/", page("", "")), ("/sitemap.xml", sitemap("s"))],
            "/",
            &["/sitemap.xml well-known"],
        ),
        (
            "windows-1256, a base, and Arabic words of a link",
            vec![("/", windows_1256), ("/ar/akhbar.aspx?t=2", rss("أ", 1, 2))],
            "/",
            &["/ar/akhbar.aspx?t=2 anchor"],
        ),
        (
            "a page about feeds is looked into, once",
            vec![
                ("/", page("", "<a href=/feeds-page>خلاصات</a>")),
                ("/feeds-page", page("", "<a href=/1.xml>1</a><a href=/2.xml>2</a><a href=/feeds-more>خلاصات</a>")),
                ("/1.xml", rss("أ", 1, 2)),
                ("/2.xml", rss("ب", 2, 1)),
                ("/feeds-more", page("", "<a href=/3.xml>3</a>")),
                ("/3.xml", rss("ج", 3, 1)),
            ],
            "/",
            &["/1.xml anchor", "/2.xml anchor"],
        ),
        (
            "a login wall before the pages, and a feed behind it that is open",
            vec![("/", page("", "<form><input type=password></form>")), ("/feed", rss("أ", 1, 2))],
            "/",
            &["/feed well-known"],
        ),
        (
            "a page that has moved",
            vec![
                ("/", moved(302, "/home/")),
                ("/home/", page("<link rel=alternate type=application/rss+xml href=f>", "")),
                ("/home/f", rss("أ", 1, 2)),
            ],
            "/",
            &["/home/f link-tag"],
        ),
    ] {
        let (server, asked) = site(rows);
        let (found, told) = discovered(&home, &server.url(start));
        assert_eq!(found, expected, "{what}: {told}");
        let asked = asked.lock().unwrap();
        assert!(told["requests"].as_u64().unwrap() <= 25, "{what}: {told}");
        let probes = asked.iter().filter(|path| *path != "/robots.txt");
        let mut once = std::collections::HashSet::new();
        for path in probes {
            // What a redirect leads to may have been asked for before.
            assert!(once.insert(path) || path == "/main", "{what}: {path} twice in {asked:?}");
        }
    }
    assert!(!home.path("data").exists(), "no store is opened");
}

#[test]
fn discover_says_what_it_did_not_find() {
    let home = Home::new("attempts = 1", "");
    let (server, asked) = site(vec![("/", page("<link rel=alternate type=application/rss+xml href=/gone>", ""))]);
    let output = home.rasid(&["feeds", "discover", &server.url("/")]);
    let errors = errors(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        errors.contains("no feed was found") && errors.contains("/gone: status 404") && errors.contains("--kind page"),
        "{errors}"
    );
    assert!(asked.lock().unwrap().len() <= 26, "{asked:?}");
    for (wrong, code) in [("not an address", 2), ("ftp://a.example/", 2), ("https://u:p@a.example/", 2)] {
        assert_eq!(home.rasid(&["feeds", "discover", wrong]).status.code(), Some(code), "{wrong}");
    }
    // A host that does not answer is asked once, and not for well-known paths.
    let dead = self::errors(&home.rasid(&["feeds", "discover", "http://127.0.0.1:1/"]));
    assert!(dead.contains("no connection") && dead.contains("--no-check") && !dead.contains("--kind"), "{dead}");
}

/// A file as people write it: comments above, beside and below, an order of its own.
fn commented(base: &str) -> String {
    format!(
        "# مصادرنا، رتبها المحرر\n\n[defaults]   # للجميع\nlanguage = \"ar\"\n\n\
         [[feed]] # الأول\nid   = \"first\"   # لا يتغير\nurl  = '{base}/first'\n\n\
         # تعليق الثاني\n[[feed]]\nurl = \"{base}/second\"\nid = \"second\"\nheaders = {{ \"X-Key\" = \"qasr-key\" }}\n\n# في الآخر"
    )
}

#[test]
fn add_looks_first_and_leaves_the_file_as_it_was() {
    let (server, asked) = site(vec![
        (
            "/",
            page(
                "<link rel=alternate type=application/rss+xml href=/f><link rel=alternate type=application/rss+xml href=/comments/feed>",
                "",
            ),
        ),
        ("/f", rss("أخبار الساحل", 1, 7)),
        ("/comments/feed", rss("تعليقات", 2, 7)),
        (
            "/two",
            page(
                "<link rel=alternate type=application/rss+xml href=/f><link rel=alternate type=application/rss+xml href=/sport>",
                "",
            ),
        ),
        ("/sport", rss("الرياضة", 3, 12)),
        ("/moved", moved(301, "/sport")),
        ("/map", sitemap("m")),
        (
            "/listing",
            page("", "<article><a href=/story/1>خبر أول</a></article><article><a href=/story/2>خبر ثان</a></article>"),
        ),
    ]);
    let before = commented(&server.url(""));
    let home = Home::new("attempts = 1", &before);
    let file = || std::fs::read_to_string(home.path("feeds.toml")).unwrap();
    let add = |args: &[&str]| home.rasid(&[&["feeds", "add"], args].concat());

    // A page whose feed is found; a dead end costs nothing.
    let output = add(&[&server.url("/")]);
    let told = errors(&output);
    assert!(output.status.success(), "{told}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "127-0-0-1\n");
    assert!(told.contains("أخبار الساحل, 7 entries") && told.matches("28 Oct").count() == 1, "{told}");
    assert_eq!(told.matches(" Oct ").count(), 5, "its five newest entries: {told}");
    let added = format!("\n\n[[feed]]\nid = \"127-0-0-1\"\ntitle = \"أخبار الساحل\"\nurl = \"{}\"\n", server.url("/f"));
    assert_eq!(file(), before.clone() + &added);

    // Doubles: the same address in another dress, also behind a page; the same id.
    let now = file();
    for (args, said) in [
        (vec![server.url("/f?utm_source=x#top")], "`127-0-0-1` has this address already"),
        (vec![server.url("/")], "`127-0-0-1` has this address already"),
        (vec![server.url("/sport"), "--id".into(), "first".into()], "the id `first` already"),
        (vec![server.url("/nothing")], "no feed was found"),
        (vec![server.url("/listing"), "--kind".into(), "feed".into()], "--no-check"),
        (vec![server.url("/two")], "--pick N"),
        (vec![server.url("/two"), "--pick".into(), "9".into()], "there are 2 feeds"),
    ] {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let output = add(&args);
        assert!(!output.status.success() && errors(&output).contains(said), "{args:?}: {}", errors(&output));
        assert_eq!(file(), now, "{args:?}");
    }

    // One of several; a title of one's own; where a page has moved for good; a sitemap; a listing; without looking.
    for (args, lines) in [
        (
            vec!["/two", "--pick", "1", "--title", "رياضة"],
            "id = \"127-0-0-1-sport\"\ntitle = \"رياضة\"\nurl = \"{base}/sport\"\n",
        ),
        (vec!["/map", "--id", "map"], "id = \"map\"\nurl = \"{base}/map\"\nkind = \"sitemap\"\n"),
        (
            vec!["/listing", "--id", "list", "--entry", "article", "--link", "a@href"],
            "id = \"list\"\ntitle = \"جريدة\"\nurl = \"{base}/listing\"\nkind = \"page\"\n\n[feed.page]\nentry = \"article\"\nlink = \"a@href\"\n",
        ),
        (vec!["/unseen", "--no-check", "--id", "unseen"], "id = \"unseen\"\nurl = \"{base}/unseen\"\n"),
    ] {
        let before = file();
        let url = server.url(args[0]);
        let output = add(&[&[url.as_str()], &args[1..]].concat());
        assert!(output.status.success(), "{args:?}: {}", errors(&output));
        let lines = lines.replace("{base}", &server.url(""));
        assert_eq!(file(), format!("{before}\n[[feed]]\n{lines}"), "{args:?}");
    }
    assert!(!asked.lock().unwrap().iter().any(|path| path == "/unseen"), "--no-check asks nobody");
    let moved = add(&[&server.url("/moved")]);
    assert!(errors(&moved).contains("has this address already"), "{}", errors(&moved));
    let wrong = add(&[&server.url("/listing2"), "--kind", "page"]);
    assert!(wrong.status.code() == Some(2) && errors(&wrong).contains("--entry"), "{}", errors(&wrong));

    for id in ["127-0-0-1", "127-0-0-1-sport", "map", "list", "unseen"] {
        home.ok(&["feeds", "remove", id]);
    }
    assert_eq!(file().trim_end(), before, "all that was added is gone again, and nothing else");
}

#[test]
fn opml_comes_in_and_goes_out_the_same() {
    let base = "https://news.example";
    let before = commented(base).replace('\n', "\r\n");
    let home = Home::new("", &before);
    let file = || std::fs::read_to_string(home.path("feeds.toml")).unwrap();
    home.write(
        "list.opml",
        "<?xml version='1.0'?><opml version='1.1'><body><outline text='محلي'><outline text='أخبار &amp; رياضة' xmlUrl='https://a.example/rss?x=1&amp;y=2' type='rss'/>\
         <outline title='Daily Paper' XMLURL='feed://b.example/f' language='en'/></outline>\
         <outline text='مكرر' xmlUrl='https://www.a.example/rss?x=1&y=2&utm_source=z'/><outline text='عندنا' xmlUrl='http://news.example/first'/>\
         <outline text='مع كلمة سر' xmlUrl='https://layla:qasr@c.example/f'/><outline text='هاتف' xmlUrl='tel:100'/>\
         <outline text='متوقف' xmlUrl='https://d.example/f' isComment='true'/><outline text='رابط' type='link' url='https://e.example/'/>",
    );
    let dry = home.rasid(&["feeds", "import", "--dry-run", home.path("list.opml").to_str().unwrap()]);
    assert!(dry.status.success(), "{}", errors(&dry));
    assert_eq!(file(), before, "a dry run changes nothing");
    let output = home.rasid(&["feeds", "import", home.path("list.opml").to_str().unwrap()]);
    let told = errors(&output);
    assert!(output.status.success(), "{told}");
    assert_eq!(output.stdout, dry.stdout);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "a\ndaily-paper\nd\n");
    for said in [
        "it is `a`",
        "it is `first`",
        "user's name",
        "`tel:100` is not an address",
        "`d` is added, but will not be polled",
        "1 folder",
        "3 feeds added, 2 known already, 2 not usable, 1 outline",
    ] {
        assert!(told.contains(said), "{said}: {told}");
    }
    assert!(!told.contains("qasr"), "{told}");
    let after = file();
    let added = after.strip_prefix(&before).expect("what was there is untouched");
    let expected = "\n\n[[feed]]\nid = \"a\"\ntitle = \"أخبار & رياضة\"\nurl = \"https://a.example/rss?x=1&y=2\"\n\n\
                    [[feed]]\nid = \"daily-paper\"\ntitle = \"Daily Paper\"\nurl = \"http://b.example/f\"\nlanguage = \"en\"\n\n\
                    [[feed]]\nid = \"d\"\ntitle = \"متوقف\"\nurl = \"https://d.example/f\"\nenabled = false\nreason = \"commented out in the list it came from\"\n";
    assert_eq!(added, expected.replace('\n', "\r\n"));
    let again = home.rasid(&["feeds", "import", home.path("list.opml").to_str().unwrap()]);
    assert!(errors(&again).contains("0 feeds added, 5 known already"), "{}", errors(&again));
    assert_eq!(file(), after);

    // Out, into a home of its own, and out again.
    home.write(
        "feeds.toml",
        &format!(
            "{}\n[[feed]]\nid = \"map\"\nurl = \"https://f.example/s.xml\"\nkind = \"sitemap\"\nusername = \"layla\"\npassword = \"qasr-word\"\n\
             [[feed]]\nid = \"page\"\nurl = \"https://g.example/\"\nkind = \"page\"\n[feed.page]\nentry = \"li > a[title=\\\"خبر\\\"]\"\nlink = \"@href\"\n\
             [[feed]]\nid = \"secret\"\nurl = \"https://h.example/?key=${{QASR}}\"\n",
            file()
        ),
    );
    let export = |home: &Home| home.command(&["feeds", "export"]).env("QASR", "qasr-env").output().unwrap();
    let out = export(&home);
    let (opml, told) = (String::from_utf8(out.stdout).unwrap(), String::from_utf8(out.stderr).unwrap());
    assert!(
        out.status.success() && !opml.contains("qasr") && !opml.contains("layla") && !opml.contains("h.example"),
        "{opml}{told}"
    );
    for said in ["`secret` is left out", "`second` goes without", "`map` goes without"] {
        assert!(told.contains(said), "{said}: {told}");
    }
    let other = Home::new("", "[defaults]\nlanguage = \"ar\"\n");
    other.write("list.opml", &opml);
    let ids = other.ok(&["feeds", "import", other.path("list.opml").to_str().unwrap()]);
    assert_eq!(ids, "first\nsecond\na\ndaily-paper\nd\nmap\npage\n");
    assert_eq!(String::from_utf8(export(&other).stdout).unwrap(), opml, "out, in and out again is the same");

    other.write("not.opml", "<html>لا شيء</html>");
    let wrong = other.rasid(&["feeds", "import", other.path("not.opml").to_str().unwrap()]);
    assert!(wrong.status.code() == Some(1) && errors(&wrong).contains("this is not OPML"), "{}", errors(&wrong));
}

/// What fails is named in the last line; a feed that answers but brings nothing is told, and is no failure.
#[test]
fn check_online_is_for_people() {
    let old = Answer::ok(
        "application/rss+xml",
        "<rss version=\"2.0\"><channel><title>ق</title><item><title>خبر</title><link>/1</link>\
         <pubDate>Thu, 13 Jan 2022 10:00:00 +0300</pubDate></item></channel></rss>",
    );
    let (server, _) = site(vec![("/old", old), ("/empty", rss("أ", 1, 0)), ("/page", page("", "أهلا"))]);
    let feed = |name: &str| format!("[[feed]]\nid = \"{name}\"\nurl = \"{}\"\n", server.url(&format!("/{name}")));
    let quiet = Home::new("attempts = 1", &(feed("old") + &feed("empty")));
    let output = quiet.rasid(&["check", "--online"]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let row = |name: &str| -> Vec<String> {
        told.lines().find(|line| line.starts_with(name)).unwrap().split('\t').map(str::to_owned).collect()
    };
    assert!(output.status.success() && errors(&output).contains("0 of 2 feeds failed\n"), "{}", errors(&output));
    assert!(
        row("old")[6].starts_with("nothing new for three months") && row("old")[7].contains("feeds discover"),
        "{told}"
    );
    assert!(row("empty")[6].starts_with("no entries"), "{told}");

    let broken = Home::new("attempts = 1", &(feed("old") + &feed("page") + &feed("gone")));
    let output = broken.rasid(&["check", "--online"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(errors(&output).contains("2 of 3 feeds failed: page, gone\n"), "{}", errors(&output));
}
