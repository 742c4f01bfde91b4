//! What sites ask of robots.
//!
//! In: the address of a page, and who asks for it. Out: leave with the pause that the site wants, or a [`FetchError`].
//! Promise: `robots.txt` is read as RFC 9309 says: the group of our own name, else that of `*`; the longest rule wins. One
//! fetch for a site at a time, however many wait for it; giving up while waiting loses nothing. A site that answers that
//! it has none (any 4xx, endless redirects) allows everything; while it cannot be read (5xx, no answer, a redirect to an
//! address that the guard refuses) nothing of the site is fetched for [`UNREADABLE`], then it is asked again. What was
//! read before goes on holding meanwhile.
//! Why rules are written anew before the parser sees them: it compares percent-encoded letters byte by byte, so
//! `%d8%a3` would not find `%D8%A3`, and it gives a file up for one rule that it cannot compile.
//! Not here: how the file is fetched ([`super::Client`]) and how the pause is kept ([`super::politeness`]).

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use texting_robots::Robot;
use tokio::time::Instant;
use url::{Position, Url};

use crate::fetch::client::{Fetched, Limits};
use crate::fetch::error::{FetchError, bare, shown};
use crate::source::{PollError, Severity};
use crate::units::{ByteSize, Span};

/// How a `robots.txt` is fetched: what RFC 9309 asks for at least in bytes and redirects, and not long.
pub(super) const LIMITS: Limits = Limits { timeout: Span::secs(10), max_body: ByteSize(500 * 1_024), max_redirects: 5 };

/// The `Accept` header for it.
pub(super) const ACCEPT: &str = "text/plain, */*;q=0.1";

/// How long what was read holds: what the server says, within these bounds; RFC 9309 asks for a day at most.
const SHORTEST: Duration = Duration::from_secs(3_600);
const LONGEST: Duration = Duration::from_secs(24 * 3_600);
/// The same, where the server says nothing, or that nothing is to be kept.
const UNSAID: Duration = Duration::from_secs(4 * 3_600);
/// How long a site is left alone whose `robots.txt` cannot be read.
const UNREADABLE: Duration = Duration::from_secs(600);
/// The longest `Crawl-delay` that is kept; more would be a ban by another name.
const LONGEST_DELAY: f32 = 60.0;
/// How many sites are remembered, and how much text of rules; the oldest are forgotten first.
const MAX_SITES: usize = 1_000;
const MAX_TEXT: usize = 16 << 20;
/// How many rules of one file may end with `$`: each is a compiled expression.
const MAX_ENDS: usize = 500;

/// The sites that were asked.
#[derive(Debug)]
pub(super) struct Robots {
    sites: Mutex<HashMap<Who, Arc<Site>>>,
    unreadable: Duration,
}

/// Rules differ by site, by name, and by the way there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Who {
    origin: String,
    token: String,
    proxy: Option<String>,
}

#[derive(Debug)]
struct Site {
    since: Instant,
    /// How much text its rules were made of.
    weight: AtomicUsize,
    /// Held while it is fetched, so that the others wait instead of asking too.
    answer: tokio::sync::Mutex<Option<Answer>>,
}

#[derive(Clone, Debug)]
struct Answer {
    says: Result<Arc<Rules>, PollError>,
    until: Instant,
}

/// `None` allows everything.
type Rules = Option<Robot>;

impl Robots {
    pub(super) fn new() -> Self {
        Self { sites: Mutex::new(HashMap::new()), unreadable: UNREADABLE }
    }

    /// Whether `agent` may fetch `page`; if so, the pause that its site wants between two requests. `fetch` is called with
    /// the address of the `robots.txt` where it is not known or too old.
    pub(super) async fn leave<F>(
        &self,
        page: &Url,
        agent: &str,
        proxy: Option<&str>,
        fetch: impl FnOnce(Url) -> F,
    ) -> Result<Option<Duration>, FetchError>
    where
        F: Future<Output = Result<Fetched, FetchError>>,
    {
        let token = token(agent);
        let site = self.site(page, &token, proxy);
        let mut answer = site.answer.lock().await;
        let current = match answer.take_if(|answer| answer.until > Instant::now()) {
            Some(current) => current,
            None => {
                let fetched = fetch(address(page)).await;
                let (says, holds) = match (read(fetched, token).await, answer.take()) {
                    (Ok((rules, weight, holds)), _) => {
                        site.weight.store(weight, Ordering::Relaxed);
                        (Ok(Arc::new(rules)), holds)
                    }
                    (Err(error), Some(Answer { says: Ok(rules), .. })) => {
                        tracing::debug!(%error, "what robots.txt said before goes on holding");
                        (Ok(rules), self.unreadable)
                    }
                    (Err(error), _) => (Err(error.0), self.unreadable),
                };
                Answer { says, until: Instant::now() + holds }
            }
        };
        *answer = Some(current.clone());
        drop(answer);
        match current.says {
            Ok(rules) => judged(rules.as_ref().as_ref(), page),
            Err(why) => Err(unreadable(page, why, current.until)),
        }
    }

    fn site(&self, page: &Url, token: &str, proxy: Option<&str>) -> Arc<Site> {
        let origin = page.origin().ascii_serialization();
        let who = Who { origin, token: token.to_owned(), proxy: proxy.map(str::to_owned) };
        let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(site) = sites.get(&who) {
            return site.clone();
        }
        let mut text: usize = sites.values().map(|site| site.weight.load(Ordering::Relaxed)).sum();
        while sites.len() >= MAX_SITES || text > MAX_TEXT {
            let oldest = sites.iter().min_by_key(|(_, site)| site.since).map(|(who, _)| who.clone());
            let Some(gone) = oldest.and_then(|who| sites.remove(&who)) else { break };
            text -= gone.weight.load(Ordering::Relaxed).min(text);
        }
        let site = Site { since: Instant::now(), weight: AtomicUsize::new(0), answer: tokio::sync::Mutex::default() };
        sites.entry(who).or_insert(Arc::new(site)).clone()
    }
}

/// Where the rules for `page` stand.
fn address(page: &Url) -> Url {
    let mut url = bare(page.clone());
    url.set_path("/robots.txt");
    url.set_query(None);
    url.set_fragment(None);
    url
}

/// The name that rules are written for: the first word of the user agent, without its version, in lower case.
fn token(agent: &str) -> String {
    let name = agent.trim_start().split(|c: char| c.is_whitespace() || matches!(c, '/' | '(' | ';' | ',')).next();
    name.filter(|name| !name.is_empty()).unwrap_or("*").to_lowercase()
}

/// The rules, how much text they are made of, and how long they hold.
async fn read(fetched: Result<Fetched, FetchError>, token: String) -> Result<(Rules, usize, Duration), FetchError> {
    let document = match fetched {
        Ok(Fetched::Document(document)) => *document,
        Ok(Fetched::NotModified { .. }) => return Ok((None, 0, UNSAID)),
        Err(error) if has_none(&error) => return Ok((None, 0, UNSAID)),
        Err(error) => return Err(error),
    };
    let whole = document.cut.is_none();
    let full = u64::try_from(document.bytes.len()).is_ok_and(|length| length >= LIMITS.max_body.0);
    let fail = |why: &str| {
        let hint = "it passes by itself most of the time";
        FetchError::new("body", Severity::Temporary, format!("{}: {why}", shown(&document.url)), hint)
    };
    if !whole && !full {
        // The missing half may hold the rule that matters.
        return Err(fail(document.cut.as_deref().unwrap_or_default()));
    }
    let holds = document.fresh_for.map_or(UNSAID, |span| span.get().clamp(SHORTEST, LONGEST));
    let bytes = document.bytes;
    // On a thread of its own: a long file must not hold up the others' timers.
    let parsed = tokio::task::spawn_blocking(move || rules(&bytes, whole, &token)).await;
    match parsed {
        Ok(Some((robot, weight))) => Ok((Some(robot), weight, holds)),
        Ok(None) | Err(_) => Err(FetchError::new(
            "body",
            Severity::Temporary,
            format!("{}: its rules cannot be read", shown(&document.url)),
            "look at the file in a browser; the site's owner can correct it",
        )),
    }
}

/// Whether the answer means that there is no `robots.txt`: any 4xx but those that ask to come back, and redirects that do
/// not arrive.
fn has_none(error: &FetchError) -> bool {
    let answered = error.status_code().is_some() && error.0.severity == Severity::Hard;
    answered || matches!(error.0.kind.as_str(), "redirect-loop" | "too-many-redirects" | "bad-redirect")
}

/// What a file of these bytes says to `agent` of `page`, as the client would judge it: leave with the pause, or why not;
/// `None` where the file cannot be read. A pure door for the laws of `fuzz/`.
#[doc(hidden)]
pub fn robots_say(bytes: &[u8], whole: bool, agent: &str, page: &Url) -> Option<Result<Option<Duration>, FetchError>> {
    rules(bytes, whole, &token(agent)).map(|(robot, _)| judged(Some(&robot), page))
}

fn rules(bytes: &[u8], whole: bool, token: &str) -> Option<(Robot, usize)> {
    let end = |byte: &u8| matches!(byte, b'\n' | b'\r');
    // Half a rule is another rule: `/private` cut after the slash would forbid everything.
    let length = if whole { bytes.len() } else { bytes.iter().rposition(end).unwrap_or(0) };
    let written = |most: usize| {
        let mut text = Vec::with_capacity(length);
        let mut ends = 0;
        for line in bytes.get(..length).unwrap_or_default().split(end) {
            ends += usize::from(line.contains(&b'$'));
            if ends <= most || !line.contains(&b'$') {
                text.extend(encoded_alike(line));
                text.push(b'\n');
            }
        }
        text
    };
    let text = written(MAX_ENDS);
    // What it cannot compile are long rules with an end; the others still hold then.
    let robot = Robot::new(token, &text).or_else(|_| Robot::new(token, &written(0))).ok()?;
    Some((robot, text.len()))
}

/// Percent-encoded bytes in upper case, and letters, digits and `-._~` as themselves (RFC 3986, 6.2.2).
fn encoded_alike(text: &[u8]) -> Vec<u8> {
    let mut alike = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        alike.push(first);
        let [high, low, tail @ ..] = after else { continue };
        let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
        let (b'%', Some(one), Some(two)) = (first, value(*high), value(*low)) else { continue };
        let byte = one << 4 | two;
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            alike.pop();
            alike.push(byte);
        } else {
            alike.extend([high.to_ascii_uppercase(), low.to_ascii_uppercase()]);
        }
        rest = tail;
    }
    alike
}

fn judged(robot: Option<&Robot>, page: &Url) -> Result<Option<Duration>, FetchError> {
    let Some(robot) = robot else { return Ok(None) };
    // Rules never see the fragment.
    let path = encoded_alike(page[..Position::AfterQuery].as_bytes());
    if !robot.allowed(&String::from_utf8_lossy(&path)) {
        let message = format!("{}: {} asks robots not to fetch it", shown(page), address(page));
        let hint = "the site asks robots not to fetch this; set full_text = \"never\" for the feed, or ask the site";
        return Err(FetchError::new("robots", Severity::Hard, message, hint));
    }
    let delay = robot.delay.filter(|seconds| *seconds > 0.0).map(|seconds| seconds.min(LONGEST_DELAY));
    Ok(delay.map(Duration::from_secs_f32))
}

/// What kept `robots.txt` from being read keeps the page from being fetched.
fn unreadable(page: &Url, mut why: PollError, until: Instant) -> FetchError {
    why.message =
        format!("{}: not fetched, for what the site asks of robots cannot be read: {}", shown(page), why.message);
    let wait = Span::secs(until.saturating_duration_since(Instant::now()).as_secs() + 1);
    why.retry_after = why.retry_after.max(Some(wait));
    FetchError::because(why)
}

#[cfg(test)]
mod tests;
