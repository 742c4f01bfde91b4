//! Polite, guarded HTTP.
//!
//! In: a [`Request`]. Out: a [`Document`](crate::source::Document), "not modified", or a [`FetchError`] that says what to do.
//! Promise: one request at a time and a gap for each host, over feeds, pages and redirects; no address of this machine or
//! a private network unless allowed; no page that its site's `robots.txt` keeps robots from; a cap on decoded bytes and on
//! time, with what was read before the cap kept.
//! Not here: what the bytes mean ([`crate::parse`], [`crate::extract`]) and when to come again ([`crate::source`]).
//! Where to read next: `client.rs`; the kinds of failures, `error.rs`.

mod answer;
mod body;
mod client;
mod error;
mod guard;
mod politeness;
mod post;
mod request;
mod robots;

pub use client::{Client, Fetched, check_proxy, keeps_secrets};
pub use error::{FetchError, Retry};
pub use guard::{check_allow, check_resolve};
pub use post::{Posted, Poster};
pub use request::{ACCEPT_FEED, ACCEPT_PAGE, Request};
#[doc(hidden)]
pub use robots::robots_say;

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::units::{ByteSize, Span};

/// `[fetch]` of `rasid.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FetchConfig {
    /// How many polls run at once.
    pub workers: u32,
    /// Requests at once to one host.
    pub per_host: u32,
    /// The pause after a request to a host before the next.
    pub host_gap: Span,
    /// For a whole request, its redirects and body included.
    pub timeout: Span,
    /// Of the decoded body.
    pub max_body: ByteSize,
    /// Redirects followed from one address.
    pub max_redirects: u32,
    /// Attempts of one poll at a temporary failure.
    pub attempts: u32,
    /// Whether pages are fetched only where the site's `robots.txt` allows it, and as slowly as it asks (`Crawl-delay`, a
    /// minute at most). Feeds and sitemaps are the operator's own wish and are not asked for; an entry of
    /// `allow_private` is no exception.
    pub robots: bool,
    /// The `User-Agent` header, where a feed has none of its own; an address to write to belongs in it.
    pub user_agent: String,
    /// Hosts, addresses or networks (CIDR) that the guard lets through.
    pub allow_private: Vec<String>,
    /// Names of hosts with the address that each is to be reached at, instead of what DNS says, as in `/etc/hosts`. The
    /// guard judges these addresses like any other. A proxy resolves names by itself and is not told.
    pub resolve: BTreeMap<String, IpAddr>,
}

impl Default for FetchConfig {
    fn default() -> Self {
        Self {
            workers: 32,
            per_host: 1,
            host_gap: Span::secs(1),
            timeout: Span::secs(20),
            max_body: ByteSize::mib(10),
            max_redirects: 5,
            attempts: 3,
            robots: true,
            user_agent: concat!("rasid/", env!("CARGO_PKG_VERSION")).to_owned(),
            allow_private: Vec::new(),
            resolve: BTreeMap::new(),
        }
    }
}
