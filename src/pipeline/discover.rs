//! An address to the feeds that its site publishes.
//!
//! In: an address, and the door to the web. Out: a [`Discovery`]: every feed and sitemap that was found and really read,
//! the best first, and what was named as a feed but gave nothing.
//! Promise: at most [`MAX_REQUESTS`] requests and none after [`MAX_TIME`], one after the other, at the pace that the client
//! keeps; no document twice. What the site itself names as a feed is asked for like a feed; links that merely look like
//! one and well-known paths only where its `robots.txt` allows it.
//! Not here: what on a page may be a feed, and which of two is better ([`crate::parse::discover`]).

use std::collections::HashSet;
use std::time::{Duration, Instant};

use serde::Serialize;
use url::Url;

use super::now;
use crate::extract::url::canonical;
use crate::fetch::{ACCEPT_FEED, ACCEPT_PAGE, Client, Fetched, Request};
use crate::parse::discover::{self, Candidate, Found, Merit};
use crate::parse::{self, Parsed};
use crate::source::{Document, FeedConfig, PollError, Redirect, Severity, SourceKind};
use crate::text::decode::{Hints, decode};

/// How many requests one search makes.
pub const MAX_REQUESTS: usize = 25;
/// After how long no further one is made.
pub const MAX_TIME: Duration = Duration::from_secs(120);
/// How many candidates of each kind one page may bring.
const LINK_TAGS: usize = 10;
const ANCHORS: usize = 8;
const ROBOTS: usize = 3;

/// How far the search goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Until the site's own words have led to a feed of news.
    First,
    /// Sitemaps, too. Well-known paths of feeds are still asked for only where the site names no feed.
    All,
}

/// A document that was read.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Where it is to be polled: behind permanent redirects, before passing ones.
    pub url: Url,
    /// How it was found.
    pub found: Found,
    /// What it holds.
    pub parsed: Parsed,
    /// How good a source it is.
    pub merit: Merit,
}

/// What a site named as a feed but is none.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// Where.
    pub url: Url,
    /// How it was found.
    pub found: Found,
    /// What happened.
    pub error: PollError,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Discovery {
    /// The best first.
    pub findings: Vec<Finding>,
    /// What the site named, and the address itself; not the well-known paths with nothing behind them.
    pub failures: Vec<Failure>,
    /// How many requests were made.
    pub requests: usize,
    /// Why the search ended early, where it did.
    pub stopped: Option<String>,
}

/// Looks for the feeds of `url`. Where it is a feed itself, that is the answer.
pub async fn discover(client: &Client, url: &Url, reach: Reach) -> Discovery {
    let mut search = Search { client, began: Instant::now(), asked: HashSet::new(), found: Discovery::default() };
    search.run(url, reach).await;
    let mut found = search.found;
    // The order in which they were found decides between equals.
    found.findings.sort_by_key(|finding| std::cmp::Reverse(finding.merit));
    found
}

struct Search<'c> {
    client: &'c Client,
    began: Instant,
    /// Canonical addresses: asked for, and led to.
    asked: HashSet<Url>,
    found: Discovery,
}

impl Search<'_> {
    async fn run(&mut self, url: &Url, reach: Reach) {
        let start = Candidate { url: url.clone(), found: Found::Itself, title: None };
        let page = match self.look(&start).await {
            Looked::Feed => return,
            Looked::Page(named) => Some(named),
            // A site may keep programs from its pages and yet let them have its feeds.
            Looked::Nothing => None,
            Looked::Dead => return,
        };
        for candidate in page.into_iter().flatten() {
            let anchor = candidate.found == Found::Anchor;
            if anchor && reach == Reach::First && self.has_good() && self.found.findings.iter().all(is_tagged) {
                break;
            }
            match self.look(&candidate).await {
                // A page about feeds: those that it names, and no further.
                Looked::Page(named) if anchor => self.look_at_each(named).await,
                _ => {}
            }
        }
        if reach == Reach::First && self.has_good() {
            return;
        }
        let sitemaps = self.robots(url).await;
        self.look_at_each(sitemaps.iter().take(ROBOTS).cloned().map(|url| guess(url, Found::Robots))).await;
        if self.has_good() {
            return;
        }
        for url in discover::well_known(url) {
            let looked = self.look(&guess(url, Found::WellKnown)).await;
            if matches!(looked, Looked::Dead) || self.has_good() {
                break;
            }
        }
        if !self.has_good() && sitemaps.is_empty() {
            for url in discover::sitemaps(url) {
                self.look(&guess(url, Found::WellKnown)).await;
                if !self.found.findings.is_empty() {
                    break;
                }
            }
        }
    }

    async fn look_at_each(&mut self, candidates: impl IntoIterator<Item = Candidate>) {
        for candidate in candidates {
            self.look(&candidate).await;
        }
    }

    fn has_good(&self) -> bool {
        self.found.findings.iter().any(|finding| finding.merit.is_good())
    }

    /// Whether another request may be made; says why not.
    fn may_ask(&mut self) -> bool {
        let why = if self.found.requests >= MAX_REQUESTS {
            format!("{MAX_REQUESTS} requests were made")
        } else if self.began.elapsed() > MAX_TIME {
            format!("{} seconds have passed", MAX_TIME.as_secs())
        } else {
            return self.found.stopped.is_none();
        };
        self.found.stopped.get_or_insert(why);
        false
    }

    async fn get(&mut self, request: Request) -> Result<Document, PollError> {
        self.found.requests += 1;
        let url = request.url.clone();
        match self.client.get(request).await {
            Ok(Fetched::Document(document)) => Ok(*document),
            // Nothing was asked that allows this answer.
            Ok(Fetched::NotModified { .. }) => Err(ours("status", format!("{url}: `not modified`, unasked"))),
            Err(error) => {
                if error.0.kind == "throttled" {
                    self.found.stopped.get_or_insert_with(|| error.0.message.clone());
                }
                Err(error.0)
            }
        }
    }

    /// The sitemaps that `robots.txt` names.
    async fn robots(&mut self, url: &Url) -> Vec<Url> {
        let Some(place) = discover::robots(url).filter(|_| self.may_ask()) else { return Vec::new() };
        match self.get(Request::new(place, ACCEPT_PAGE)).await {
            Ok(document) => discover::in_robots(&String::from_utf8_lossy(&document.bytes), &document.url),
            Err(_) => Vec::new(),
        }
    }

    async fn look(&mut self, candidate: &Candidate) -> Looked {
        if !self.asked.insert(canonical(&candidate.url)) || !self.may_ask() {
            return Looked::Nothing;
        }
        let mut request = Request::new(candidate.url.clone(), ACCEPT_FEED);
        request.robots = matches!(candidate.found, Found::Anchor | Found::WellKnown);
        let document = match self.get(request).await {
            Ok(document) => document,
            Err(error) => {
                let answers = [
                    "status",
                    "server-error",
                    "not-found",
                    "gone",
                    "unauthorized",
                    "forbidden",
                    "bot-wall",
                    "robots",
                    "body",
                    "redirect-loop",
                    "too-many-redirects",
                    "bad-redirect",
                ];
                let dead = !answers.contains(&error.kind.as_str());
                self.fail(candidate, candidate.url.clone(), error);
                return if dead { Looked::Dead } else { Looked::Nothing };
            }
        };
        let url = document.url.clone();
        let itself = candidate.found == Found::Itself;
        // Where it led may have been looked at already.
        if !self.asked.insert(canonical(&url)) && canonical(&url) != canonical(&candidate.url) {
            return Looked::Nothing;
        }
        let redirects = document.redirects.clone();
        match read(document).await {
            Ok(Read::Feed(parsed)) => {
                let merit = discover::merit(&parsed, &url, candidate.title.as_deref(), now());
                let known = self.found.findings.iter().any(|known| {
                    known.parsed.format == parsed.format && discover::same_entries(&known.parsed, &parsed)
                });
                let worth =
                    !parsed.entries.is_empty() || !parsed.more.is_empty() || candidate.found != Found::WellKnown;
                if !known && worth {
                    let url = lasting(&candidate.url, &redirects);
                    self.found.findings.push(Finding { url, found: candidate.found, parsed: *parsed, merit });
                }
                Looked::Feed
            }
            Ok(Read::Page(named, error)) => {
                if named.is_empty() || !itself {
                    self.fail(candidate, url, error);
                }
                Looked::Page(named)
            }
            Err(error) => {
                self.fail(candidate, url, error);
                Looked::Nothing
            }
        }
    }

    /// A path that we made up ourselves is nothing to complain of.
    fn fail(&mut self, candidate: &Candidate, url: Url, error: PollError) {
        if candidate.found != Found::WellKnown {
            self.found.failures.push(Failure { url, found: candidate.found, error });
        }
    }
}

/// Reads one document as a feed of this configuration would be, and gives the address where it is to be polled.
///
/// # Errors
/// Those of fetching and of [`parse::parse`].
pub async fn read_as(client: &Client, feed: &FeedConfig) -> Result<(Url, Parsed), PollError> {
    let mut request = Request::new(feed.url.clone(), ACCEPT_FEED);
    // As it will be polled: a listing page is a page.
    request.robots = feed.kind == SourceKind::Page;
    let document = match client.get(request).await {
        Ok(Fetched::Document(document)) => *document,
        Ok(Fetched::NotModified { url }) => return Err(ours("status", format!("{url}: `not modified`, unasked"))),
        Err(error) => return Err(error.0),
    };
    let (url, feed) = (lasting(&feed.url, &document.redirects), feed.clone());
    let reading = tokio::task::spawn_blocking(move || parse::parse(&document, &feed, now()));
    let parsed = reading.await.unwrap_or_else(|_| Err(ours("internal", format!("{url}: reading it broke off"))))?;
    Ok((url, parsed))
}

/// Where permanent redirects lead from `url`; a passing one is followed anew at each poll.
fn lasting(url: &Url, redirects: &[Redirect]) -> Url {
    let permanent = redirects.iter().take_while(|hop| matches!(hop.status, 301 | 308));
    permanent.last().map_or_else(|| url.clone(), |hop| hop.to.clone())
}

fn guess(url: Url, found: Found) -> Candidate {
    Candidate { url, found, title: None }
}

const fn is_tagged(finding: &Finding) -> bool {
    matches!(finding.found, Found::LinkTag)
}

/// What came of one candidate.
enum Looked {
    Feed,
    /// A web page, with the candidates it names.
    Page(Vec<Candidate>),
    Nothing,
    /// Its host does not answer at all.
    Dead,
}

enum Read {
    Feed(Box<Parsed>),
    Page(Vec<Candidate>, PollError),
}

/// Takes a document apart, on a thread where that may take its time.
async fn read(document: Document) -> Result<Read, PollError> {
    let name = document.url.to_string();
    let reading = tokio::task::spawn_blocking(move || {
        let id = "discovered".parse().map_err(|why| ours("internal", why))?;
        let feed = FeedConfig::new(id, document.url.clone());
        let error = match parse::parse(&document, &feed, now()) {
            Ok(parsed) => return Ok(Read::Feed(Box::new(parsed))),
            Err(error) => error,
        };
        let tld = document.url.domain().and_then(|host| host.rsplit('.').next());
        let hints = Hints { configured: None, http: document.charset.as_deref(), tld };
        let mut named = discover::on_page(&decode(&document.bytes, hints).text, &document.url);
        if error.kind == "bot-wall" {
            // Its links are those of whoever built the wall.
            named.clear();
        }
        let (mut tags, mut anchors) = (0, 0);
        named.retain(|candidate| {
            let (count, most) =
                if candidate.found == Found::LinkTag { (&mut tags, LINK_TAGS) } else { (&mut anchors, ANCHORS) };
            *count += 1;
            *count <= most
        });
        Ok(Read::Page(named, error))
    });
    reading.await.unwrap_or_else(|_| Err(ours("internal", format!("{name}: reading it broke off"))))
}

fn ours(kind: &str, message: String) -> PollError {
    let hint = "look at the address in a browser".to_owned();
    PollError { kind: kind.to_owned(), message, hint, severity: Severity::Soft, retry_after: None }
}
