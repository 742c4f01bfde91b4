//! A client of a running daemon: items, the log, consumers, search, and the log as a stream without end.
//!
//! In: where the daemon is, its Unix socket or its address and token. Out: the values that the interface sends, as the types
//! that it makes them of.
//! Promise: [`Client::follow`] goes on over restarts and lost connections, and gives every record once, in order; a position
//! moves only when its record was handed out. What the interface refused comes as its problem document
//! ([`Problem`]); a daemon that is not there is told from one that refuses ([`Error`]).
//! Not here: the store without a daemon (the commands read that through the same router), orders to the daemon.
//!
//! ```no_run
//! use rasid::client::{Client, Event, Filter};
//! use rasid::id::Seq;
//!
//! # async fn example() -> Result<(), rasid::client::Error> {
//! let client = Client::unix("data/rasid.sock")?;
//! let mut log = client.follow(Seq(0), Filter::default());
//! loop {
//!     match log.next().await? {
//!         Event::Record(record) => println!("{} {:?}", record.seq, record.item.map(|item| item.content.title)),
//!         Event::Missed(missed) => eprintln!("{}", missed.detail),
//!     }
//! }
//! # }
//! ```

mod error;
mod events;
mod follow;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use url::Url;

use crate::id::{ConsumerName, Seq};
use crate::item::Item;
use crate::serve::{ConsumerList, ConsumerReading, ConsumerView, FeedList, Listing, Overview, Reading, Results};

pub use crate::serve::MissedView as Missed;
pub use crate::store::{LogFilter as Filter, Start};
pub use error::{Error, Problem};
pub use follow::{Event, Follow};

/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a daemon elsewhere may be silent: no request is held for longer, and a stream gives signs of life.
const SILENCE: Duration = Duration::from_secs(90);

/// The way to a daemon. Copies share their connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    token: Option<HeaderValue>,
    place: Arc<str>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The token is nobody's to read.
        f.debug_struct("Client").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Client {
    /// Over the Unix socket in the folder of the daemon's store (`data/rasid.sock`), which whoever may open that folder
    /// may use. Nothing is connected yet.
    ///
    /// # Errors
    /// Where no client can be made.
    pub fn unix(socket: impl AsRef<Path>) -> Result<Self, Error> {
        let socket: PathBuf = socket.as_ref().to_owned();
        let place = socket.display().to_string();
        // Bytes between two processes need no compression, and a connection each is cheap.
        let builder = plain().unix_socket(socket).pool_max_idle_per_host(0).gzip(false).brotli(false).deflate(false);
        let base = "http://localhost/".parse().map_err(|error| Error::address("http://localhost/", error))?;
        Ok(Self { http: build(builder.zstd(false), &place)?, base, token: None, place: place.into() })
    }

    /// Over TCP: `address` is `http://` or `https://` with a host, a port where it is not the usual one, and a path where a
    /// proxy serves the daemon below one; `token` is sent as `Authorization: Bearer`. Nothing is connected yet.
    ///
    /// # Errors
    /// Where the address is none, or the token cannot be sent in a header.
    pub fn http(address: &str, token: Option<&str>) -> Result<Self, Error> {
        let mut base: Url = address.parse().map_err(|error| Error::address(address, error))?;
        if !matches!(base.scheme(), "http" | "https") || !base.has_host() {
            return Err(Error::address(address, "write http:// or https:// and a host"));
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let token = token.map(|token| {
            let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
                .map_err(|_| Error::address(address, "the token has characters that no header takes"))?;
            value.set_sensitive(true);
            Ok::<_, Error>(value)
        });
        let builder = plain().read_timeout(SILENCE);
        let builder = if base.scheme() == "https" {
            let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
            builder.tls_certs_merge(roots.filter_map(|root| reqwest::Certificate::from_der(root).ok()))
        } else {
            builder
        };
        Ok(Self { http: build(builder, address)?, base, token: token.transpose()?, place: address.into() })
    }

    /// Where the daemon is, for messages.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// A page of items, newest published first. `limit` is at most 500; the `next` of a listing is the `cursor` of the page
    /// after it.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn items(&self, wanted: &Wanted) -> Result<Listing, Error> {
        self.get("api/v1/items", &wanted.parameters()).await
    }

    /// An item, by its id, or the position of the record that brought it.
    ///
    /// # Errors
    /// As [`Client::get`]; a [`Problem`] of status 404 where there is none.
    pub async fn item(&self, id: &str) -> Result<Item, Error> {
        self.get(&format!("api/v1/items/{}", segment(id)), &[]).await
    }

    /// What a query finds, the best first. `limit` is at most 100.
    ///
    /// # Errors
    /// As [`Client::get`]; a [`Problem`] of status 400 where the query is wrong.
    pub async fn search(&self, query: &str, wanted: &Wanted) -> Result<Results, Error> {
        let mut parameters = wanted.parameters();
        parameters.push(("q", query.to_owned()));
        self.get("api/v1/search", &parameters).await
    }

    /// The records after a position, at most `limit` (1,000 at most); where there is none, waits up to `wait` (60 s at
    /// most). The next position is the `last` of what comes, not that of the last record: a filter may hide more.
    ///
    /// # Errors
    /// As [`Client::get`]; a [`Problem`] of status 409 where the log ends before the position.
    pub async fn log(&self, after: Seq, filter: &Filter, limit: u16, wait: Duration) -> Result<Reading, Error> {
        let mut parameters = filter_parameters(filter);
        parameters.extend([("after", after.to_string()), ("limit", limit.to_string()), ("wait", milliseconds(wait))]);
        self.get("api/v1/log", &parameters).await
    }

    /// The log after a position, for as long as it is read. Nothing is asked before the first [`Follow::next`].
    pub fn follow(&self, after: Seq, filter: Filter) -> Follow {
        Follow::new(self.clone(), after, filter)
    }

    /// All consumers.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn consumers(&self) -> Result<ConsumerList, Error> {
        self.get("api/v1/consumers", &[]).await
    }

    /// Makes a consumer, which begins at `from`, or gives one that is there another filter; `kind` is a note of what reads.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn make_consumer(
        &self,
        name: &ConsumerName,
        filter: &Filter,
        from: Start,
        kind: &str,
    ) -> Result<ConsumerView, Error> {
        let body = json!({ "filter": filter, "from": from, "kind": kind });
        self.send_json(Method::PUT, &consumer(name, ""), &body).await
    }

    /// What a consumer has not acknowledged, at most `limit` records; where there is nothing, waits up to `wait`. Reading
    /// moves nothing.
    ///
    /// # Errors
    /// As [`Client::get`]; a [`Problem`] of status 404 where there is no such consumer.
    pub async fn read(&self, name: &ConsumerName, limit: u16, wait: Duration) -> Result<ConsumerReading, Error> {
        let parameters = [("limit", limit.to_string()), ("wait", milliseconds(wait))];
        self.get(&consumer(name, ""), &parameters).await
    }

    /// Says that a consumer has dealt with everything up to `seq`: of what was read, its `next`. It is durable when this
    /// returns; the same once more is harmless.
    ///
    /// # Errors
    /// As [`Client::get`]; a [`Problem`] of status 409 where it stands further, or the log ends before.
    pub async fn ack(&self, name: &ConsumerName, seq: Seq) -> Result<ConsumerView, Error> {
        self.send_json(Method::POST, &consumer(name, "/ack"), &json!({ "seq": seq })).await
    }

    /// Moves a consumer anywhere.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn reset(&self, name: &ConsumerName, from: Start) -> Result<ConsumerView, Error> {
        self.send_json(Method::POST, &consumer(name, "/reset"), &json!({ "from": from })).await
    }

    /// Forgets a consumer and its position.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn remove_consumer(&self, name: &ConsumerName) -> Result<(), Error> {
        self.send(Method::DELETE, &consumer(name, ""), HeaderMap::new(), None).await?.whole().await.map(drop)
    }

    /// The feeds, and how they are doing.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn feeds(&self) -> Result<FeedList, Error> {
        self.get("api/v1/feeds", &[]).await
    }

    /// How much is stored.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn stats(&self) -> Result<Overview, Error> {
        self.get("api/v1/stats", &[]).await
    }

    /// The numbers that Prometheus reads, as text.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn metrics(&self) -> Result<String, Error> {
        let page = self.send(Method::GET, "metrics", HeaderMap::new(), None).await?.whole().await?;
        Ok(String::from_utf8_lossy(&page).into_owned())
    }

    /// What stands at a path of the interface (`api/v1/topics`), for routes without a method here.
    ///
    /// # Errors
    /// [`Error::Refused`] with the problem that was answered; [`Error::Gone`] where no daemon answers;
    /// [`Error::Unreadable`] where the answer is not a `T`.
    pub async fn get<T: DeserializeOwned>(&self, path: &str, parameters: &[(&str, String)]) -> Result<T, Error> {
        let target = with_query(path, parameters);
        self.read_json(self.send(Method::GET, &target, HeaderMap::new(), None).await?).await
    }

    async fn send_json<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        let body = serde_json::to_vec(body).map_err(|error| self.unreadable(&error))?;
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        self.read_json(self.send(method, path, headers, Some(body.into())).await?).await
    }

    async fn read_json<T: DeserializeOwned>(&self, answer: Answer) -> Result<T, Error> {
        serde_json::from_slice(&answer.whole().await?).map_err(|error| self.unreadable(&error))
    }

    fn unreadable(&self, error: &serde_json::Error) -> Error {
        Error::Unreadable { place: self.place.to_string(), detail: error.to_string() }
    }

    /// Sends a request, and gives the answer as soon as its head is there, whatever it says.
    ///
    /// # Errors
    /// [`Error::Gone`] where no daemon answers.
    pub(crate) async fn send(
        &self,
        method: Method,
        target: &str,
        mut headers: HeaderMap,
        body: Option<Bytes>,
    ) -> Result<Answer, Error> {
        let target = target.trim_start_matches('/');
        let url = self.base.join(target).map_err(|error| Error::address(target, error))?;
        if let Some(token) = &self.token {
            headers.insert(AUTHORIZATION, token.clone());
        }
        let mut request = self.http.request(method, url).headers(headers);
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await.map_err(|error| Error::gone(&self.place, error))?;
        Ok(Answer { response, place: Arc::clone(&self.place) })
    }
}

/// Which items. Times are spans back from now (`7d`, `36h`), dates, or RFC 3339.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// About this topic.
    pub topic: Option<String>,
    /// Of this feed.
    pub feed: Option<String>,
    /// In this language.
    pub language: Option<String>,
    /// Published since.
    pub since: Option<String>,
    /// Published before.
    pub until: Option<String>,
    /// Also copies, and items whose place a fuller text took.
    pub duplicates: bool,
    /// How many at most; the daemon's own number where nothing is said.
    pub limit: Option<u16>,
    /// The `next` of the page before.
    pub cursor: Option<String>,
}

impl Wanted {
    fn parameters(&self) -> Vec<(&'static str, String)> {
        let given = [
            ("topic", self.topic.clone()),
            ("feed", self.feed.clone()),
            ("language", self.language.clone()),
            ("since", self.since.clone()),
            ("until", self.until.clone()),
            ("include", self.duplicates.then(|| "duplicates".to_owned())),
            ("limit", self.limit.map(|limit| limit.to_string())),
            ("cursor", self.cursor.clone()),
        ];
        given.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// An answer whose body comes piece by piece.
pub(crate) struct Answer {
    response: reqwest::Response,
    place: Arc<str>,
}

impl Answer {
    pub(crate) fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The next bytes; none at the end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        self.response.chunk().await.map_err(|error| Error::gone(&self.place, error))
    }

    /// All bytes.
    pub(crate) async fn bytes(mut self) -> Result<Vec<u8>, Error> {
        let mut all = Vec::new();
        while let Some(bytes) = self.chunk().await? {
            all.extend_from_slice(&bytes);
        }
        Ok(all)
    }

    /// All bytes of an answer that is none of a problem.
    async fn whole(self) -> Result<Vec<u8>, Error> {
        let (status, place) = (self.status(), Arc::clone(&self.place));
        let all = self.bytes().await?;
        if status.is_success() { Ok(all) } else { Err(Error::refused(&place, status, &all)) }
    }
}

/// What every client has: answers of the daemon alone, from no proxy and no other place.
fn plain() -> reqwest::ClientBuilder {
    // No client is made without one; the process may have chosen another before, which is as good.
    let _already = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    builder.connect_timeout(CONNECT).user_agent(concat!("rasid-client/", env!("CARGO_PKG_VERSION"))).tls_certs_only([])
}

fn build(builder: reqwest::ClientBuilder, place: &str) -> Result<reqwest::Client, Error> {
    builder.build().map_err(|error| Error::address(place, error))
}

fn consumer(name: &ConsumerName, order: &str) -> String {
    format!("api/v1/consumers/{name}{order}")
}

fn segment(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

fn milliseconds(wait: Duration) -> String {
    format!("{}ms", wait.as_millis())
}

fn filter_parameters(filter: &Filter) -> Vec<(&'static str, String)> {
    let Filter { topics, feeds, kinds, languages } = filter;
    let mut parameters: Vec<(&str, String)> = topics.iter().map(|topic| ("topic", topic.to_string())).collect();
    parameters.extend(feeds.iter().map(|feed| ("feed", feed.to_string())));
    parameters
        .extend(kinds.iter().filter_map(|kind| Some(("kind", serde_json::to_value(kind).ok()?.as_str()?.to_owned()))));
    parameters.extend(languages.iter().map(|language| ("language", language.clone())));
    parameters
}

fn with_query(path: &str, parameters: &[(&str, String)]) -> String {
    if parameters.is_empty() {
        return path.to_owned();
    }
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    format!("{path}?{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_and_tokens_stay_secret() {
        for (address, fine) in [
            ("http://127.0.0.1:7878", true),
            ("https://news.example/rasid", true),
            ("127.0.0.1:7878", false),
            ("ftp://news.example", false),
            ("/data/rasid.sock", false),
        ] {
            let made = Client::http(address, Some("s3cret"));
            assert_eq!(made.is_ok(), fine, "{address}: {made:?}");
            assert!(!format!("{made:?}").contains("s3cret"), "{made:?}");
        }
        assert!(Client::http("http://127.0.0.1", Some("a\nb")).is_err());
        let below = Client::http("https://news.example/rasid", None).unwrap();
        assert_eq!(below.base.join("api/v1/items").unwrap().as_str(), "https://news.example/rasid/api/v1/items");
    }

    #[test]
    fn paths_and_filters_are_written_as_the_interface_reads_them() {
        assert_eq!(segment("a/b ج"), "a%2Fb%20%D8%AC");
        let filter: Filter =
            serde_json::from_value(json!({ "topics": ["csto"], "kinds": ["new", "removed"] })).unwrap();
        assert_eq!(with_query("x", &filter_parameters(&filter)), "x?topic=csto&kind=new&kind=removed");
    }
}
