//! Sending to an address that the operator named.
//!
//! In: an address, headers, a body. Out: what was answered, or why nothing was, in words without secrets.
//! Promise: one request, nothing tried again, no redirect followed, a time limit on all of it, and a cap on what is read of
//! the answer. Addresses of private networks are allowed: who names an address in the configuration means it.
//! Not here: when to send again ([`crate::pipeline`]), polite fetching (`client.rs`).

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::fetch::answer;
use crate::units::Span;

/// How much of an answer is kept, in bytes: it is only shown to people.
const MAX_SAID: usize = 300;

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// The HTTP status.
    pub status: u16,
    /// How long to stay away, where the answer says so.
    pub retry_after: Option<Duration>,
    /// The beginning of the body.
    pub said: String,
}

/// Sends to one address; cheap to clone.
#[derive(Clone, Debug)]
pub struct Poster {
    client: reqwest::Client,
    timeout: Span,
}

impl Poster {
    /// Builds the client; `user_agent` is sent with each request.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(user_agent: &str, timeout: Span) -> Result<Self, String> {
        let _already = rustls::crypto::ring::default_provider().install_default();
        let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
        let client = reqwest::Client::builder()
            .tls_certs_merge(roots.filter_map(|root| reqwest::Certificate::from_der(root).ok()))
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .user_agent(user_agent)
            .timeout(timeout.get())
            .pool_max_idle_per_host(1)
            .build();
        let client = client.map_err(|error| format!("the HTTP client cannot be built: {}", error.without_url()))?;
        Ok(Self { client, timeout })
    }

    /// Sends `body`, which is JSON, and waits for the answer.
    ///
    /// # Errors
    /// In words, where no answer came within the time limit.
    pub async fn post(
        &self,
        url: &Url,
        headers: &[(String, String)],
        body: Vec<u8>,
        now: Timestamp,
    ) -> Result<Posted, String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name =
                HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is no name of a header"))?;
            let mut value = HeaderValue::from_str(value).map_err(|_| format!("the header `{name}` cannot be sent"))?;
            value.set_sensitive(true);
            map.insert(name, value);
        }
        let request = self.client.post(url.clone()).header("content-type", "application/json").headers(map).body(body);
        let mut response = request.send().await.map_err(|error| self.why(error))?;
        let status = response.status().as_u16();
        let retry_after = answer::retry_after(response.headers(), now);
        let mut said = Vec::new();
        // An answer counts by its status: that the rest of it does not come is nobody's loss.
        while said.len() < MAX_SAID
            && let Ok(Some(bytes)) = response.chunk().await
        {
            said.extend_from_slice(&bytes);
        }
        said.truncate(MAX_SAID);
        Ok(Posted { status, retry_after, said: String::from_utf8_lossy(&said).trim().to_owned() })
    }

    fn why(&self, error: reqwest::Error) -> String {
        if error.is_timeout() {
            return format!("no answer within {}", self.timeout);
        }
        // The address may have a secret in it; the innermost error says what happened.
        let error = error.without_url();
        let mut inner: &dyn std::error::Error = &error;
        while let Some(source) = inner.source() {
            inner = source;
        }
        let doing = if error.is_connect() { "it cannot be reached" } else { "the request failed" };
        format!("{doing}: {inner}")
    }
}
