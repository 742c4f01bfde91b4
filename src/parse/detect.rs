//! What a document is that is not the feed it should be.
//!
//! In: a document's text and address. Out: a [`PollError`] that names the address, what came, and what to do.
//! Promise: a web page in place of a feed is never read as an empty feed (trap T23).
//! Not here: whether there is a feed in it after all ([`super::feed`]).

use url::Url;

use super::markup::{Token, Tokens};
use super::{address, entities};
use crate::source::{PollError, Severity};

/// How much of a page is looked through for its marks, in bytes.
const LOOK: usize = 256 << 10;

/// What pages say that stand between a program and a site. Lower case.
const WALLS: &[&str] = &[
    "just a moment...",
    "/cdn-cgi/challenge-platform/",
    "cf-browser-verification",
    "cf_chl_opt",
    "attention required! | cloudflare",
    "_incapsula_resource",
    "ddos-guard",
    "captcha-delivery.com",
    "px-captcha",
    "checking your browser",
    "verify you are human",
    "are you a robot",
    "sucuri website firewall",
];

/// Marks of a challenge that also stand on ordinary pages, beside a comment form: they count on a small page only.
const CHALLENGES: &[&str] =
    &["g-recaptcha", "h-captcha", "hcaptcha.com", "access denied", "enable javascript and cookies"];
/// How small, in bytes.
const SMALL: usize = 24 << 10;

/// An error that the next poll may find gone.
pub fn soft(kind: &str, message: String, hint: impl Into<String>) -> PollError {
    PollError { kind: kind.to_owned(), message, hint: hint.into(), severity: Severity::Soft, retry_after: None }
}

/// The error for a body without anything in it.
pub fn empty(url: &Url) -> PollError {
    soft(
        "empty",
        format!("{url} answered with an empty document"),
        "nothing to do if it passes; otherwise check the address in a browser",
    )
}

/// Names what came in place of a feed.
pub fn not_a_feed(text: &str, url: &Url) -> PollError {
    if let Some(error) = barrier(text, url) {
        return error;
    }
    let look = Look::at(text, url);
    let kind = "not-a-feed";
    if !look.page {
        let start: String = entities::collapse(text).chars().take(60).collect();
        return soft(
            kind,
            format!("{url} is neither a feed nor a web page; it begins with `{start}`"),
            "check the address of the feed",
        );
    }
    let title =
        look.title.filter(|title| !title.is_empty()).map(|title| format!(", titled `{title}`")).unwrap_or_default();
    let hint = match look.feeds.first() {
        Some(feed) => format!("the page names a feed of its own: put {feed} into `url`"),
        None => "put the address of the feed itself into `url`, or read the page with kind = \"page\" and selectors"
            .to_owned(),
    };
    soft(kind, format!("{url} is a web page, not a feed{title}"), hint)
}

/// The error for a page that keeps programs or strangers out, if it is one.
pub fn barrier(text: &str, url: &Url) -> Option<PollError> {
    let look = Look::at(text, url);
    if !look.page {
        return None;
    }
    let head = text.get(..boundary(text, LOOK)).unwrap_or_default().to_lowercase();
    let challenge = text.len() <= SMALL && CHALLENGES.iter().any(|mark| head.contains(mark));
    if challenge || WALLS.iter().any(|mark| head.contains(mark)) {
        let hint =
            "the site asks for proof of a human; poll less often, set `user_agent`, or ask the publisher to let you in";
        return Some(soft("bot-wall", format!("{url} answered with a page against robots"), hint));
    }
    // A page that names its feeds is open to strangers, whatever form it has in its head.
    (look.password && look.feeds.is_empty()).then(|| {
        let hint = "set `username` and `password`, or a cookie in `headers`, if you have an account; otherwise disable the feed";
        soft("login-page", format!("{url} answered with a page that asks for a password"), hint)
    })
}

/// What a web page shows at first sight.
struct Look {
    page: bool,
    title: Option<String>,
    feeds: Vec<Url>,
    password: bool,
}

impl Look {
    fn at(text: &str, url: &Url) -> Self {
        let mut look = Self { page: false, title: None, feeds: Vec::new(), password: false };
        let head = text.get(..boundary(text, LOOK)).unwrap_or_default();
        // Enough of it: a title that merely begins `<html` in a string is no page.
        let start = head.trim_start().get(..15).unwrap_or_default();
        look.page = start.to_ascii_lowercase().starts_with("<!doctype html");
        let mut in_title = false;
        for token in Tokens::of(head) {
            match token {
                Token::Start { name, attributes, .. } => {
                    let of = |wanted: &str| {
                        let found = attributes.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
                        found.map(|(_, value)| value.to_ascii_lowercase()).unwrap_or_default()
                    };
                    match name.to_ascii_lowercase().as_str() {
                        "html" | "body" | "head" => look.page = true,
                        "title" => in_title = look.title.is_none(),
                        "input" if of("type") == "password" => look.password = true,
                        "link" if of("rel").contains("alternate") && is_feed_type(&of("type")) => {
                            let href = attributes.iter().find(|(name, _)| name.eq_ignore_ascii_case("href"));
                            look.feeds.extend(href.and_then(|(_, href)| address(href, url)));
                        }
                        _ => {}
                    }
                }
                Token::Text(words) if in_title => {
                    look.title = Some(entities::collapse(&words).chars().take(80).collect());
                    in_title = false;
                }
                _ => {}
            }
        }
        look
    }
}

fn is_feed_type(kind: &str) -> bool {
    ["rss+xml", "atom+xml", "feed+json", "rdf+xml"].iter().any(|known| kind.contains(known))
}

/// The last character boundary at or before `at`.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t23_what_came_instead_is_named() {
        let url: Url = "https://news.example/rss".parse().unwrap();
        for (text, kind, said) in [
            ("<!doctype html><html><head><title>جريدة</title></head><body>أهلا</body></html>", "not-a-feed", "جريدة"),
            (
                "<html><head><link rel=\"alternate\" type=\"application/rss+xml\" href=\"/feed.xml\"></head></html>",
                "not-a-feed",
                "https://news.example/feed.xml",
            ),
            ("<html><head><title>Just a moment...</title></head></html>", "bot-wall", "robots"),
            ("<html><body><form><input type='password' name=p></form></body></html>", "login-page", "password"),
            (
                "<html><head><link rel='alternate' type='application/atom+xml' href='/a'></head><input type=password></html>",
                "not-a-feed",
                "https://news.example/a",
            ),
            ("Error establishing a database connection", "not-a-feed", "Error establishing"),
        ] {
            let error = not_a_feed(text, &url);
            assert_eq!(error.kind, kind, "{text}");
            let all = format!("{} / {}", error.message, error.hint);
            assert!(all.contains(said) && all.contains("https://news.example"), "{all}");
        }
    }
}
