//! A text to try something on: given as it is, from a file, or from a web page.
//!
//! Promise: a file or page is decoded and its article taken out as the daemon would do it.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use url::Url;

use super::output;
use crate::config::Config;
use crate::dedup::corpus::{CorpusText, documents_of};
use crate::extract;
use crate::fetch::{Client, Fetched, Request};
use crate::source::Validators;
use crate::text::decode::{Hints, decode};

/// The largest text that is tried: what the interface takes is 2 MiB of JSON.
const MAX_TEXT: u64 = 1 << 20;

/// Where the text comes from; one of them.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(super) struct Source {
    /// The text itself
    #[arg(long, value_name = "TEXT")]
    pub(super) text: Option<String>,
    /// A file of plain text, HTML or, where several texts are taken, JSON lines; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    /// A web page, fetched now
    #[arg(long, value_name = "URL")]
    pub(super) url: Option<Url>,
}

/// A text, with what else is known of it.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) title: String,
    pub(super) text: String,
    pub(super) url: String,
}

impl Source {
    /// Reads it. None where none of the three is given.
    pub(super) async fn read(&self, config: &Config) -> anyhow::Result<Option<Given>> {
        if let Some(text) = &self.text {
            return Ok(Some(Given { text: text.clone(), ..Given::default() }));
        }
        if let Some(file) = &self.file {
            return from_file(file).map(Some);
        }
        match &self.url {
            Some(url) => from_page(url, config).await.map(Some),
            None => Ok(None),
        }
    }
}

impl Source {
    /// The documents of a `.jsonl` file. None where another thing is given.
    pub(super) fn lines(&self) -> anyhow::Result<Option<Vec<CorpusText>>> {
        let named = |file: &&PathBuf| {
            file.extension().is_some_and(|end| end.eq_ignore_ascii_case("jsonl") || end.eq_ignore_ascii_case("ndjson"))
        };
        let Some(file) = self.file.as_ref().filter(named) else { return Ok(None) };
        let documents = documents_of(&file.to_string_lossy(), &text_of(file)?)?;
        if documents.is_empty() {
            bail!("{}: the file holds no document", file.display());
        }
        Ok(Some(documents))
    }
}

fn from_file(file: &Path) -> anyhow::Result<Given> {
    let shown = file.display();
    let text = text_of(file)?;
    let named_html =
        file.extension().is_some_and(|end| end.eq_ignore_ascii_case("html") || end.eq_ignore_ascii_case("htm"));
    if !named_html {
        return Ok(Given { text, ..Given::default() });
    }
    // Only relative links are read against it, and no link is asked for.
    article(&text, &Url::parse("http://localhost/")?).with_context(|| shown.to_string())
}

/// What a file says; `-` is standard input.
fn text_of(file: &Path) -> anyhow::Result<String> {
    let shown = file.display();
    let mut bytes = Vec::new();
    let read = if file.as_os_str() == "-" {
        std::io::stdin().lock().take(MAX_TEXT + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|opened| opened.take(MAX_TEXT + 1).read_to_end(&mut bytes))
    };
    read.with_context(|| format!("{shown}: the file cannot be read"))?;
    if bytes.len() as u64 > MAX_TEXT {
        bail!("{shown}: the file is larger than {MAX_TEXT} bytes; give the article alone");
    }
    Ok(decode(&bytes, Hints::default()).text)
}

async fn from_page(url: &Url, config: &Config) -> anyhow::Result<Given> {
    let client = Client::new(&config.fetch).map_err(anyhow::Error::msg)?;
    let request = Request {
        url: url.clone(),
        validators: Validators::default(),
        headers: std::collections::BTreeMap::new(),
        user_agent: None,
        proxy: None,
        username: None,
        password: None,
        accept: "text/html,application/xhtml+xml;q=0.9,*/*;q=0.5",
        // Somebody named this one page.
        robots: false,
    };
    let document = match client.get(request).await {
        Ok(Fetched::Document(document)) => document,
        Ok(Fetched::NotModified { .. }) => bail!("{url}: the server says that the page has not changed, unasked"),
        Err(error) => bail!("{}; {}", error.0.message, error.0.hint),
    };
    let tld = document.url.host_str().and_then(|host| host.rsplit('.').next());
    let html = decode(&document.bytes, Hints { configured: None, http: document.charset.as_deref(), tld }).text;
    let mut given = article(&html, &document.url).with_context(|| url.to_string())?;
    given.url = document.url.to_string();
    output::note(format_args!("{url}: {}", output::count(given.text.split_whitespace().count(), "word")));
    Ok(given)
}

/// The article of a page, on a thread with the stack that this takes.
fn article(html: &str, base: &Url) -> anyhow::Result<Given> {
    let reading = extract::html::Reading::new(output::now());
    let page = std::thread::scope(|scope| {
        let extraction = std::thread::Builder::new()
            .stack_size(extract::html::STACK)
            .spawn_scoped(scope, || extract::html::page(html, base, &reading))
            .context("no thread can be made")?;
        extraction.join().map_err(|_| anyhow::anyhow!("the page cannot be taken apart"))?.map_err(anyhow::Error::from)
    })?;
    Ok(Given { title: page.title.unwrap_or_default(), text: page.text, url: String::new() })
}
