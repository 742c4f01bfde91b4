//! `robots.txt`, against the same server.

use rasid::fetch::ACCEPT_PAGE;

use super::*;

/// A request for a page, as the pipeline makes it.
fn page(url: Url) -> Request {
    Request { robots: true, ..Request::new(url, ACCEPT_PAGE) }
}

/// The paths that were asked for, in order.
fn paths(server: &Server) -> Vec<String> {
    server.asked().into_iter().map(|asked| asked.path).collect()
}

#[tokio::test]
async fn pages_are_fetched_where_the_site_allows_it_and_feeds_are_not_asked_for() {
    let rules = "User-agent: *\nDisallow: /\n\nUser-agent: RASID\nDisallow: /private\n";
    let server = Server::start(vec![
        ("/robots.txt", ok(rules)),
        ("/feed", ok("<rss/>")),
        ("/private/feed", ok("<rss/>")),
        ("/open", ok("خبر")),
        ("/away", redirect(302, "/private/a")),
    ])
    .await;
    let client = Client::new(&config()).unwrap();
    for path in ["/feed", "/private/feed"] {
        document(client.get(Request::new(server.url(path), ACCEPT_FEED)).await);
    }
    assert_eq!(paths(&server), ["/feed", "/private/feed"], "what somebody named is not asked for");
    document(client.get(page(server.url("/open"))).await);
    for path in ["/private/a", "/away"] {
        let error = client.get(page(server.url(path))).await.expect_err(path);
        assert_eq!((error.0.kind.as_str(), error.retry()), ("robots", Retry::Never), "{path}");
        assert!(error.0.message.contains("/private/a") && error.0.hint.contains("full_text"), "{error:?}");
    }
    assert_eq!(paths(&server)[2..], ["/robots.txt", "/open", "/away"]);
    // Another name is another group; and nothing of the feed's own goes with the question.
    let mut other = Request { user_agent: Some("other/1.0".into()), ..page(server.url("/open")) };
    other.headers.insert("X-Api-Key".into(), "miftah".into());
    assert_eq!(kind(client.get(other).await), "robots");
    let asked = server.asked().pop().unwrap();
    assert_eq!((asked.path.as_str(), asked.headers["user-agent"].as_str()), ("/robots.txt", "other/1.0"));
    assert!(!asked.headers.contains_key("x-api-key"));
    // The switch.
    let off = FetchConfig { robots: false, ..config() };
    assert_eq!(kind(Client::new(&off).unwrap().get(page(server.url("/private/a"))).await), "not-found");
    assert_eq!(paths(&server).last().unwrap(), "/private/a");
}

#[tokio::test]
async fn what_a_site_answers_for_robots_decides() {
    let huge = format!("User-agent: *\nDisallow: /page\n{}", "# a line of no meaning\n".repeat(100_000));
    let elsewhere = Server::start(vec![("/rules", ok("User-agent: *\nDisallow: /page\n"))]).await;
    let head = Send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nUser-agent: *\n".to_vec());
    for (name, rows, expected) in [
        ("none", vec![reply("404 Not Found", "", "")], "document"),
        ("forbidden", vec![reply("403 Forbidden", "", "")], "document"),
        ("in a circle", redirect(302, "/robots.txt"), "document"),
        ("in trouble", vec![reply("500 Oops", "", "")], "server-error"),
        ("busy", vec![reply("429 Busy", "Retry-After: 100\r\n", "")], "throttled"),
        ("broken off", vec![head], "body"),
        ("huge", ok(&huge), "robots"),
        ("endless", vec![open("", b"User-agent: *\nDisallow: /page\n"), Forever(b"# x\n".repeat(1_000))], "robots"),
        ("moved", redirect(301, elsewhere.url("/rules").as_str()), "robots"),
        ("inside", redirect(302, "http://127.0.0.2:1/robots.txt"), "refused-address"),
    ] {
        let server = Server::start(vec![("/robots.txt", rows), ("/page", ok("خبر"))]).await;
        let client = Client::new(&config()).unwrap();
        // The second time from memory.
        for _ in 0..2 {
            match client.get(page(server.url("/page"))).await {
                Ok(_) => assert_eq!("document", expected, "{name}"),
                Err(error) => {
                    assert_eq!(error.0.kind, expected, "{name}");
                    assert!(error.0.message.contains("/page"), "{error:?}");
                    assert_eq!(error.0.retry_after.is_some(), expected != "robots", "{name}");
                }
            }
        }
        let times = paths(&server).iter().filter(|path| *path == "/robots.txt").count();
        assert_eq!(times, 1, "{name}");
    }
}

#[tokio::test]
async fn a_robots_file_that_fails_once_is_asked_again() {
    let server = Server::start(vec![
        ("/robots.txt", vec![reply("500 Oops", "", "")]),
        ("/robots.txt", ok("User-agent: *\nDisallow: /private\n")),
        ("/page", ok("خبر")),
    ])
    .await;
    let client = Client::new(&FetchConfig { attempts: 2, ..config() }).unwrap();
    document(client.get(page(server.url("/page"))).await);
    assert_eq!(paths(&server), ["/robots.txt", "/robots.txt", "/page"]);
}

#[tokio::test]
async fn many_pages_ask_a_site_once_and_keep_its_pace() {
    const DELAY: Duration = Duration::from_millis(60);
    let server = Server::start(vec![
        ("/robots.txt", vec![Wait(20), reply("200 OK", "", "User-agent: *\nCrawl-delay: 0.06\n")]),
        ("/page", ok("خبر")),
    ])
    .await;
    let client = Client::new(&FetchConfig { per_host: 4, ..config() }).unwrap();
    let tasks: Vec<_> = (0..3)
        .map(|_| {
            let (client, request) = (client.clone(), page(server.url("/page")));
            tokio::spawn(async move { client.get(request).await })
        })
        .collect();
    for task in tasks {
        document(task.await.unwrap());
    }
    assert_eq!(paths(&server), ["/robots.txt", "/page", "/page", "/page"]);
    let asked = server.asked();
    for pair in asked.windows(2) {
        let between = pair[1].began.duration_since(pair[0].began);
        assert!(between >= DELAY - Duration::from_millis(10), "{between:?}");
    }
}
