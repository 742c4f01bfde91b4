//! The one door to the web.
//!
//! In: a [`Request`]. Out: a [`Document`], "not modified", or a [`FetchError`].
//! Promise: each hop is guarded, waits for its host's turn and has its place in the one time limit; waiting for a turn is
//! not counted, for it is nobody's fault. What was read of a body before a limit or a broken connection is kept, with the
//! reason in `cut`, and then without validators: a later "not modified" must not hide what was never read. Addresses that
//! are given back never hold a user name or password. Where a request is for a page, each hop is asked for leave by
//! its site's `robots.txt` first; that has its own time limit.
//! Not here: what the bytes mean ([`crate::parse`], [`crate::text`]).

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header;
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;

use crate::fetch::error::{bare, shown};
use crate::fetch::guard::{Guard, GuardedResolver, Refused};
use crate::fetch::politeness::{NotNow, Politeness, Turn};
use crate::fetch::request::Request;
use crate::fetch::robots::{self, Robots};
use crate::fetch::{FetchConfig, FetchError, answer, body};
use crate::source::{Document, Redirect, Severity, Validators};
use crate::units::{ByteSize, Span};

/// What came.
#[derive(Debug)]
pub enum Fetched {
    /// An answer with a body.
    Document(Box<Document>),
    /// The server says that nothing has changed since the validators were given.
    NotModified {
        /// The address that says so.
        url: Url,
    },
}

/// Cheap to clone; all clones share connections and politeness.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

impl fmt::Debug for Client {
    /// Without the table of proxies, whose addresses may hold passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("config", &self.shared.config).finish_non_exhaustive()
    }
}

struct Shared {
    config: FetchConfig,
    guard: Arc<Guard>,
    politeness: Politeness,
    robots: Robots,
    direct: reqwest::Client,
    proxied: Mutex<HashMap<String, reqwest::Client>>,
}

/// How many proxies keep their connections; more are possible, one of the others is then closed.
const PROXIES: usize = 16;
/// The first pause before another attempt; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
const IDLE_LIMIT: Duration = Duration::from_secs(30);

/// The one time limit of a get. Waiting for turns and for leave moves it.
pub(super) struct Deadline(pub(super) Instant);

/// How far one get goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) timeout: Span,
    pub(super) max_body: ByteSize,
    pub(super) max_redirects: u32,
}

impl Client {
    /// Builds the client. Fails on entries of `allow_private` that cannot be read and when TLS cannot be set up; a machine
    /// without a certificate store is no failure, for the roots are built in as well.
    pub fn new(config: &FetchConfig) -> Result<Self, String> {
        // Installed once for the process; that somebody was first is fine.
        let _already = rustls::crypto::ring::default_provider().install_default();
        let guard = Arc::new(Guard::new(&config.allow_private, &config.resolve)?);
        let direct = built(config, guard.clone(), None)?;
        let politeness = Politeness::new(config.per_host, config.host_gap.get());
        let proxied = Mutex::new(HashMap::new());
        let (config, robots) = (config.clone(), Robots::new());
        Ok(Self { shared: Arc::new(Shared { config, guard, politeness, robots, direct, proxied }) })
    }

    /// Waits for the host's turn, then fetches; retries temporary failures while the time limit allows it.
    /// Dropping the future gives everything up cleanly.
    pub async fn get(&self, request: Request) -> Result<Fetched, FetchError> {
        let FetchConfig { timeout, max_body, max_redirects, .. } = self.shared.config;
        self.shared.get(&request, &Limits { timeout, max_body, max_redirects }).await
    }
}

impl Shared {
    async fn get(&self, request: &Request, limits: &Limits) -> Result<Fetched, FetchError> {
        let client = self.client(request)?;
        let mut deadline = Deadline(Instant::now() + limits.timeout.get());
        let mut attempt = 1;
        loop {
            let error = match self.attempt(&client, request, limits, &mut deadline).await {
                Ok(fetched) => return Ok(fetched),
                Err(error) => error,
            };
            if error.0.severity != Severity::Temporary || attempt >= self.config.attempts.max(1) {
                return Err(error);
            }
            let pause = error.0.retry_after.map_or_else(|| jittered(attempt), |wait| wait.get());
            if Instant::now() + pause >= deadline.0 {
                return Err(error);
            }
            tracing::debug!(url = %shown(&request.url), attempt, ?pause, error = %error, "the fetch is tried again");
            sleep(pause).await;
            attempt += 1;
        }
    }

    fn client(&self, request: &Request) -> Result<reqwest::Client, FetchError> {
        let Some(proxy) = &request.proxy else { return Ok(self.direct.clone()) };
        let mut proxied = self.proxied.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = proxied.get(proxy) {
            return Ok(client.clone());
        }
        let client = built(&self.config, self.guard.clone(), Some(proxy)).map_err(|why| {
            let message = format!("{}: the proxy cannot be used: {why}", shown(&request.url));
            FetchError::new(
                "bad-request",
                Severity::Hard,
                message,
                "correct `proxy` of the feed, such as http://proxy.example:3128",
            )
        })?;
        if proxied.len() >= PROXIES
            && let Some(one) = proxied.keys().next().cloned()
        {
            proxied.remove(&one);
        }
        proxied.insert(proxy.clone(), client.clone());
        Ok(client)
    }

    /// From the first address along its redirects to the end.
    async fn attempt(
        &self,
        client: &reqwest::Client,
        request: &Request,
        limits: &Limits,
        deadline: &mut Deadline,
    ) -> Result<Fetched, FetchError> {
        let start = bare(request.url.clone());
        let mut url = start.clone();
        let mut redirects: Vec<Redirect> = Vec::new();
        // Once the way has led to another host, secrets stay behind even if it leads back.
        let mut trusted = true;
        loop {
            self.guard.check_url(&url).map_err(|refused| refusal(&url, &redirects, &refused))?;
            self.leave(request, &url, deadline).await?;
            let turn = self.turn(&url, deadline).await?;
            let first = redirects.is_empty();
            let mut asked =
                client.get(url.clone()).headers(request.headers_for(&self.config.user_agent, first, trusted)?);
            if let Some((name, password)) = request.credentials().filter(|_| trusted) {
                asked = asked.basic_auth(name, password);
            }
            let sent = timeout_at(deadline.0, asked.send()).await;
            let response = match sent {
                Err(_) => return Err(FetchError::timeout(&url, limits.timeout, "no answer")),
                Ok(Err(error)) => {
                    let error = error.without_url();
                    return Err(FetchError::transport(&url, limits.timeout, &error, false));
                }
                Ok(Ok(response)) => response,
            };
            let status = response.status().as_u16();
            match status {
                304 if first && !request.validators.is_empty() => {
                    turn.answered();
                    return Ok(Fetched::NotModified { url });
                }
                301 | 302 | 303 | 307 | 308 => {
                    turn.answered();
                    let to = target(&url, &response, &redirects, &start, limits.max_redirects)?;
                    trusted = trusted && keeps_secrets(&url, &to);
                    redirects.push(Redirect { status, to: to.clone() });
                    url = to;
                }
                200..=299 => {
                    turn.answered();
                    return document(url, response, redirects, limits, deadline).await;
                }
                429 | 503 => return Err(self.throttled(&url, &response, &turn)),
                _ => {
                    turn.answered();
                    return Err(FetchError::status(&url, status, is_challenge(&response)));
                }
            }
        }
    }

    /// Asks the site of a page for leave; the limit moves by the time it took.
    async fn leave(&self, request: &Request, url: &Url, deadline: &mut Deadline) -> Result<(), FetchError> {
        if !(request.robots && self.config.robots) {
            return Ok(());
        }
        let began = Instant::now();
        let agent = request.agent(&self.config.user_agent);
        // The file is for everybody: nothing of the feed's own is sent but who asks, and by which way.
        let fetch = |address| async move {
            let mut asked = Request::new(address, robots::ACCEPT);
            asked.user_agent = Some(agent.to_owned());
            asked.proxy = request.proxy.clone();
            // A get within a get; it asks for no leave itself, so it goes no deeper.
            Box::pin(self.get(&asked, &robots::LIMITS)).await
        };
        let pause = self.robots.leave(url, agent, request.proxy.as_deref(), fetch).await;
        deadline.0 += began.elapsed();
        self.politeness.pace(&host(url), pause?);
        Ok(())
    }

    /// Waits for the turn at the host of `url`; the limit moves by the time it took.
    async fn turn(&self, url: &Url, deadline: &mut Deadline) -> Result<Turn, FetchError> {
        let began = Instant::now();
        let turn = self.politeness.turn(&host(url)).await;
        deadline.0 += began.elapsed();
        turn.map_err(|NotNow(wait)| {
            FetchError::throttled(url, "not asked, for the host has asked to be left alone", wait)
        })
    }

    fn throttled(&self, url: &Url, response: &reqwest::Response, turn: &Turn) -> FetchError {
        if is_challenge(response) {
            turn.throttled(None);
            return FetchError::status(url, response.status().as_u16(), true);
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "a deadline that a server gives as a date is a matter of this rim alone"
        )]
        let now = jiff::Timestamp::now();
        let wait = turn.throttled(answer::retry_after(response.headers(), now));
        let status = response.status().as_u16();
        FetchError::throttled(url, &format!("status {status}"), wait).answered(status)
    }
}

/// The host as the table of turns knows it.
fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase()
}

/// Where a redirect leads, if it may be followed.
fn target(
    url: &Url,
    response: &reqwest::Response,
    gone: &[Redirect],
    start: &Url,
    max_redirects: u32,
) -> Result<Url, FetchError> {
    let from = shown(url);
    let bad = |what: String| {
        FetchError::new(
            "bad-redirect",
            Severity::Soft,
            format!("{from}: {what}"),
            "open the address in a browser to see where it leads",
        )
    };
    // As bytes: many servers send Arabic letters as they are.
    let location = answer::text(response.headers(), header::LOCATION).filter(|to| !to.is_empty());
    let location = location.ok_or_else(|| bad("a redirect without a target".to_owned()))?;
    let mut to = url.join(&location).map_err(|error| bad(format!("a redirect to `{location}`: {error}")))?;
    if !matches!(to.scheme(), "http" | "https") {
        return Err(bad(format!("a redirect to `{}`, which is not on the web", to.scheme())));
    }
    if to.fragment().is_none() {
        // RFC 9110, 10.2.2: the fragment of the address asked for goes on.
        to.set_fragment(url.fragment());
    }
    let to = bare(to);
    let same = |one: &Url| without_fragment(one) == without_fragment(&to);
    if same(start) || gone.iter().any(|hop| same(&hop.to)) {
        let message = format!("{}: its redirects lead in a circle, back to {}", shown(start), shown(&to));
        let hint = "the site may want cookies or another user agent; look for another address of the feed";
        return Err(FetchError::new("redirect-loop", Severity::Soft, message, hint));
    }
    if gone.len() >= usize::try_from(max_redirects).unwrap_or(usize::MAX) {
        let message = format!("{}: more than {} redirects, the last to {}", shown(start), max_redirects, shown(&to));
        let hint = "use the address it ends at, or raise `max_redirects` in [fetch]";
        return Err(FetchError::new("too-many-redirects", Severity::Soft, message, hint));
    }
    Ok(to)
}

/// Reads the body, as far as it goes.
async fn document(
    url: Url,
    mut response: reqwest::Response,
    redirects: Vec<Redirect>,
    limits: &Limits,
    deadline: &Deadline,
) -> Result<Fetched, FetchError> {
    let (bytes, cut) = body::read(&url, &mut response, limits, deadline).await?;
    let headers = response.headers();
    let (content_type, charset) = answer::content_type(headers);
    let (validators, fresh_for) = match &cut {
        None => (answer::validators(headers), answer::fresh_for(headers)),
        Some(_) => (Validators::default(), None),
    };
    let status = response.status().as_u16();
    Ok(Fetched::Document(Box::new(Document {
        bytes,
        url,
        status,
        content_type,
        charset,
        validators,
        cut,
        redirects,
        fresh_for,
    })))
}

fn built(config: &FetchConfig, guard: Arc<Guard>, proxy: Option<&str>) -> Result<reqwest::Client, String> {
    let roots =
        webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().filter_map(|root| reqwest::Certificate::from_der(root).ok());
    let mut builder = reqwest::Client::builder()
        // Merged with the machine's store: the binary also works where there is none.
        .tls_certs_merge(roots)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        // Less than the whole time, so that a server that cannot be reached is told from one that does not answer.
        .connect_timeout(CONNECT_LIMIT.min(config.timeout.get() / 2))
        .pool_idle_timeout(IDLE_LIMIT)
        .pool_max_idle_per_host(usize::try_from(config.per_host).unwrap_or(1));
    let mut guard = guard;
    if let Some(proxy) = proxy {
        check_proxy(proxy)?;
        let url = Url::parse(proxy).map_err(|error| error.to_string())?;
        let mut with_proxy = Guard::clone(&guard);
        // Who names a proxy means it, on this machine too.
        with_proxy.allow(url.host_str().unwrap_or_default())?;
        guard = Arc::new(with_proxy);
        builder = builder.proxy(reqwest::Proxy::all(url).map_err(|error| error.without_url().to_string())?);
    }
    let client = builder.dns_resolver(GuardedResolver(guard)).build();
    client.map_err(|error| format!("the HTTP client cannot be built: {}", error.without_url()))
}

/// Whether `proxy` is the address of a proxy that can be used: `http://` or `https://` with a host.
pub fn check_proxy(proxy: &str) -> Result<(), String> {
    match Url::parse(proxy) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(()),
        Ok(url) => Err(format!("a proxy of the kind `{}` is not supported; use http:// or https://", url.scheme())),
        Err(error) => Err(format!("the proxy's address cannot be read: {error}")),
    }
}

fn refusal(url: &Url, redirects: &[Redirect], refused: &Refused) -> FetchError {
    let mut error = FetchError::refused(url, refused);
    if matches!(refused, Refused::Scheme(_) | Refused::NoHost) {
        error.0.kind = "bad-url".to_owned();
        error.0.hint = "correct the address".to_owned();
    }
    if !redirects.is_empty() {
        error.0.message.push_str(", and a redirect led there");
    }
    error
}

/// Whether headers and passwords may go on: to the same host, and not from https to http.
pub fn keeps_secrets(from: &Url, to: &Url) -> bool {
    let same_host = from.host() == to.host();
    let upgrade = from.scheme() == "http" && to.scheme() == "https" && from.port().is_none() && to.port().is_none();
    same_host
        && (upgrade || (from.scheme() == to.scheme() && from.port_or_known_default() == to.port_or_known_default()))
}

fn without_fragment(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_fragment(None);
    url
}

/// Cloudflare names its challenges (trap T23).
fn is_challenge(response: &reqwest::Response) -> bool {
    response.headers().get("cf-mitigated").is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"challenge"))
}

/// A time between nothing and `FIRST_PAUSE`, doubled for each attempt before: many clients that failed together do not
/// come back together.
fn jittered(attempt: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << attempt.saturating_sub(1).min(10)).mul_f64(fastrand::f64())
}
