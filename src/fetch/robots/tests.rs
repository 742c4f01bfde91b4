//! Tests of the rules and of what is remembered; fetching them is tested over a server, in `tests/it/fetch.rs`.

use std::cell::Cell;

use proptest::prelude::*;

use super::*;
use crate::source::{Document, Validators};

fn page(text: &str) -> Url {
    text.parse().unwrap()
}

fn document(text: &str, fresh_for: Option<Span>) -> Result<Fetched, FetchError> {
    Ok(Fetched::Document(Box::new(Document {
        bytes: text.as_bytes().to_vec(),
        url: page("https://a.example/robots.txt"),
        status: 200,
        content_type: None,
        charset: None,
        validators: Validators::default(),
        cut: None,
        redirects: Vec::new(),
        fresh_for,
    })))
}

fn status(status: u16) -> Result<Fetched, FetchError> {
    Err(FetchError::status(&page("https://a.example/robots.txt"), status, false))
}

#[test]
fn rules_are_judged() {
    const GROUPS: &str =
        "User-agent: *\nDisallow: /\n\nUSER-AGENT: Rasid # us\nDisallow: /private\nAllow: /private/open\n";
    for (text, path, allowed) in [
        ("", "/a", true),
        ("<html><body>User-agent</body></html>", "/a", true),
        ("User-agent: *\nDisallow:", "/a", true),
        ("User-agent: *\nDisallow: /", "/a", false),
        ("\u{feff}User-agent: *\r\nDisallow: /a\r\n", "/a/b", false),
        ("User-agent: *\rDisallow: /a\r", "/a/b", false),
        ("User-agent: other\nDisallow: /", "/a", true),
        (GROUPS, "/a", true),
        (GROUPS, "/private/a", false),
        (GROUPS, "/private/open/a", true),
        ("User-agent: *\nDisallow: /*.pdf$", "/a.pdf", false),
        ("User-agent: *\nDisallow: /*.pdf$", "/a.pdf#page=2", false),
        ("User-agent: *\nDisallow: /*.pdf$", "/a.pdfs", true),
        ("User-agent: *\nDisallow: /*?amp", "/a?amp=1", false),
        // One and the same address, however it is spelt.
        ("User-agent: *\nDisallow: /خاص", "/خاص/1", false),
        ("User-agent: *\nDisallow: /%d8%ae%D8%A7%d8%b5", "/خاص/1", false),
        ("User-agent: *\nDisallow: /خاص", "/%d8%ae%d8%a7%d8%b5/1", false),
        ("User-agent: *\nDisallow: /%70rivate", "/private", false),
        ("User-agent: *\nDisallow: /private", "/%70rivate", false),
        ("User-agent: *\nDisallow: /100%", "/100%/a", false),
        ("User-agent: *\nDisallow: /a%2Fb", "/a/b", true),
    ] {
        let (robot, _) = rules(text.as_bytes(), true, "rasid").unwrap();
        let answer = judged(Some(&robot), &page("https://a.example").join(path).unwrap());
        assert_eq!(answer.is_ok(), allowed, "{path} by {text:?}");
    }
}

#[test]
fn a_refusal_says_who_asks_and_what_to_do() {
    let (robot, _) = rules(b"User-agent: *\nDisallow: /", true, "rasid").unwrap();
    let error = judged(Some(&robot), &page("https://layla:qasr@a.example:8443/x?y#z")).unwrap_err().0;
    assert_eq!((error.kind.as_str(), error.severity, error.retry_after), ("robots", Severity::Hard, None));
    assert!(error.message.contains("https://a.example:8443/robots.txt asks"), "{}", error.message);
    assert!(error.hint.contains("full_text") && !error.message.contains("qasr"), "{error:?}");
}

#[test]
fn names_are_the_first_word_of_the_user_agent() {
    for (agent, name) in [
        ("rasid/0.1.0", "rasid"),
        ("Rasid-News/1.0 (+https://a.example)", "rasid-news"),
        ("  news_2(x)", "news_2"),
        ("Mozilla/5.0 (compatible; rasid)", "mozilla"),
        ("", "*"),
        ("/1", "*"),
    ] {
        assert_eq!(token(agent), name, "{agent}");
    }
}

#[test]
fn a_pause_is_taken_within_bounds() {
    for (line, millis) in [
        ("Crawl-delay: 10", Some(10_000)),
        ("crawl-delay: 0.5", Some(500)),
        ("Crawl-delay: 86400", Some(60_000)),
        ("Crawl-delay: inf", Some(60_000)),
        ("Crawl-delay: 1e39", Some(60_000)),
        ("Crawl-delay: 0", None),
        ("Crawl-delay: -1", None),
        ("Crawl-delay: NaN", None),
        ("Crawl-delay: soon", None),
        ("Allow: /", None),
    ] {
        let (robot, _) = rules(format!("User-agent: *\n{line}\n").as_bytes(), true, "rasid").unwrap();
        let pause = judged(Some(&robot), &page("https://a.example/")).unwrap();
        assert_eq!(pause, millis.map(Duration::from_millis), "{line}");
    }
}

#[test]
fn rules_that_cannot_be_compiled_cost_no_other() {
    let long = format!("User-agent: *\nDisallow: /{}$\nDisallow: /private\n", "a*".repeat(20_000));
    let (robot, _) = rules(long.as_bytes(), true, "rasid").unwrap();
    assert!(judged(Some(&robot), &page("https://a.example/private")).is_err());
    let many = format!("User-agent: *\n{}Disallow: /private\n", "Disallow: /*.x$\n".repeat(30_000));
    let (robot, weight) = rules(many.as_bytes(), true, "rasid").unwrap();
    assert!(judged(Some(&robot), &page("https://a.example/private")).is_err());
    assert!(weight < 10_000, "{weight}");
}

#[test]
fn half_a_rule_is_none() {
    let text = b"User-agent: *\nDisallow: /private\nDisallow: /";
    let (robot, _) = rules(text, false, "rasid").unwrap();
    assert!(judged(Some(&robot), &page("https://a.example/a")).is_ok());
    assert!(judged(Some(&robot), &page("https://a.example/private")).is_err());
    assert!(rules(b"Disallow: /", false, "rasid").is_some());
}

/// Asks for leave where `answer` is what the site would say, and counts whether it was asked.
async fn ask(robots: &Robots, count: &Cell<u32>, answer: Result<Fetched, FetchError>) -> Result<(), PollError> {
    let fetch = |address: Url| {
        assert_eq!(address.as_str(), "https://a.example/robots.txt");
        count.set(count.get() + 1);
        async { answer }
    };
    robots.leave(&page("https://a.example/x?y#z"), "rasid/1", None, fetch).await.map(drop).map_err(|error| error.0)
}

#[tokio::test]
async fn what_was_read_is_remembered() {
    let (robots, count) = (Robots::new(), Cell::new(0));
    for _ in 0..3 {
        let refused = ask(&robots, &count, document("User-agent: *\nDisallow: /", None)).await.unwrap_err();
        assert_eq!(refused.kind, "robots");
    }
    assert_eq!(count.get(), 1);
    // By origin, by name and by the way there.
    for (other, agent, proxy) in [
        ("http://a.example/x", "rasid/1", None),
        ("https://a.example:8443/x", "rasid/1", None),
        ("https://a.example/x", "other/1", None),
        ("https://a.example/x", "rasid/1", Some("http://proxy.example")),
    ] {
        let leave = robots.leave(&page(other), agent, proxy, |_| async { status(404) }).await;
        assert!(leave.is_ok(), "{other} {agent} {proxy:?}");
    }
    assert_eq!(robots.sites.lock().unwrap().len(), 5);
}

#[tokio::test]
async fn a_site_in_trouble_is_left_alone_for_a_while() {
    let (mut robots, count) = (Robots::new(), Cell::new(0));
    let denied = ask(&robots, &count, status(500)).await.unwrap_err();
    assert_eq!((denied.kind.as_str(), denied.severity), ("server-error", Severity::Temporary));
    assert!(denied.message.contains("https://a.example/x") && denied.message.contains("robots.txt: status 500"));
    assert!(denied.retry_after.is_some_and(|wait| wait > Span::secs(590) && wait.get() <= UNREADABLE));
    assert!(ask(&robots, &count, document("", None)).await.is_err());
    assert_eq!(count.get(), 1, "not asked again before its time");
    // Its time is over at once.
    robots = Robots { unreadable: Duration::ZERO, ..Robots::new() };
    assert!(ask(&robots, &count, status(500)).await.is_err());
    assert!(ask(&robots, &count, document("", None)).await.is_ok());
    assert_eq!(count.get(), 3);
}

#[tokio::test]
async fn old_rules_hold_while_new_ones_cannot_be_read() {
    let (robots, count) = (Robots::new(), Cell::new(0));
    assert!(ask(&robots, &count, document("User-agent: *\nDisallow: /y", None)).await.is_ok());
    let site = robots.sites.lock().unwrap().values().next().unwrap().clone();
    for answer in [status(500), document("User-agent: *\nDisallow: /", None)] {
        let last = answer.is_ok();
        site.answer.lock().await.as_mut().unwrap().until = Instant::now();
        assert_eq!(ask(&robots, &count, answer).await.is_err(), last);
    }
    assert_eq!(count.get(), 3);
}

#[tokio::test]
async fn how_long_rules_hold() {
    for (said, seconds) in
        [(None, UNSAID), (Some(60), SHORTEST), (Some(7_200), Duration::from_secs(7_200)), (Some(30 * 86_400), LONGEST)]
    {
        let (_, _, holds) = read(document("", said.map(Span::secs)), "rasid".to_owned()).await.unwrap();
        assert_eq!(holds, seconds, "{said:?}");
    }
}

#[tokio::test]
async fn answers_that_mean_there_is_none() {
    for (code, none) in [(401, true), (403, true), (404, true), (410, true), (408, false), (500, false), (503, false)] {
        assert_eq!(read(status(code), "rasid".to_owned()).await.is_ok(), none, "{code}");
    }
    let mut half = document("User-agent: *\n", None);
    if let Ok(Fetched::Document(document)) = &mut half {
        document.cut = Some("connection ended early".to_owned());
    }
    assert_eq!(read(half, "rasid".to_owned()).await.unwrap_err().0.kind, "body");
}

#[test]
fn the_oldest_sites_are_forgotten() {
    let robots = Robots::new();
    let site = |n: usize| robots.site(&page(&format!("https://{n}.example/")), "rasid", None);
    let known = |n: usize| robots.sites.lock().unwrap().keys().any(|who| who.origin == format!("https://{n}.example"));
    (0..MAX_SITES + 5).for_each(|n| drop(site(n)));
    assert_eq!(robots.sites.lock().unwrap().len(), MAX_SITES);
    assert!(!known(0) && !known(4) && known(5) && known(MAX_SITES + 4));
    site(5).weight.store(MAX_TEXT, Ordering::Relaxed);
    site(6).weight.store(1, Ordering::Relaxed);
    drop(site(MAX_SITES + 5));
    assert!(!known(5) && known(6) && known(MAX_SITES + 5));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_file_breaks_it(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        lines in prop::collection::vec("(User-agent: (\\*|rasid)|(Allow|Disallow): /[a-z*$%]{0,12}|Crawl-delay: [0-9.e]{1,4})", 0..12),
        path in "[a-z*$%/]{0,12}",
        whole: bool,
    ) {
        let url = page(&format!("https://a.example/{path}"));
        for text in [bytes, lines.join("\n").into_bytes()] {
            let (robot, _) = rules(&text, whole, "rasid").unwrap();
            let _either = judged(Some(&robot), &url);
            prop_assert!(encoded_alike(&text).len() <= text.len());
        }
    }
}
