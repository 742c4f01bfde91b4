//! The one door to the web.
use crate::fetch::{FetchConfig, FetchError};
use crate::source::{Document, Validators};
use std::collections::BTreeMap;
use url::Url;

/// What to fetch.
#[derive(Clone, Debug)]
pub struct Request {
    pub url: Url,
    pub validators: Validators,
    pub headers: BTreeMap<String, String>,
    pub user_agent: Option<String>,
    pub proxy: Option<String>,
    pub username: Option<String>,
    pub password: Option<String>,
    /// The `Accept` header.
    pub accept: &'static str,
}

/// What came.
#[derive(Debug)]
pub enum Fetched {
    Document(Box<Document>),
    NotModified { url: Url },
}

/// Cheap to clone; all clones share connections and politeness.
#[derive(Clone, Debug)]
pub struct Client {}

impl Client {
    pub fn new(_config: &FetchConfig) -> Result<Self, String> {
        unimplemented!()
    }
    /// Waits for the host's turn, then fetches, with retries of temporary failures.
    pub async fn get(&self, _request: Request) -> Result<Fetched, FetchError> {
        unimplemented!()
    }
}
