//! The options that say which items are meant, the same wherever items are listed, found or exported.
//!
//! In: `--topic`, `--feed`, `--language`, `--since`, `--until`, `--all`. Out: the parameters of a request.
//! Promise: a span of time counts back from when the command began, whichever page is asked for. What is not an id or a time
//! is for the interface to refuse.
//! Not here: what is done with the items.

use clap::Args;

use super::output;
use crate::units::moment;

/// Which items.
#[derive(Debug, Args)]
pub(super) struct Narrowing {
    /// Only items about this topic
    #[arg(long, value_name = "ID")]
    pub(super) topic: Option<String>,
    /// Only items of this feed
    #[arg(long, value_name = "ID")]
    pub(super) feed: Option<String>,
    /// Only items in this language
    #[arg(long, value_name = "CODE")]
    language: Option<String>,
    /// Only items published since: a span back from now (7d, 36h), a date, or RFC 3339
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only items published before
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Also copies of items, and items whose place a fuller text took
    #[arg(long)]
    all: bool,
}

/// The parameters that stay the same from page to page.
pub(super) struct Narrowed(Vec<(&'static str, String)>);

impl Narrowing {
    /// Whether anything but `--all` was said.
    pub(super) fn is_given(&self) -> bool {
        [&self.topic, &self.feed, &self.language, &self.since, &self.until].iter().any(|given| given.is_some())
    }

    /// What it is, counted from now.
    pub(super) fn begin(&self) -> Narrowed {
        let absolute = |time: &String| moment(time, output::now()).map_or_else(|| time.clone(), |at| at.to_string());
        let given = [
            ("topic", self.topic.clone()),
            ("feed", self.feed.clone()),
            ("language", self.language.clone()),
            ("since", self.since.as_ref().map(absolute)),
            ("until", self.until.as_ref().map(absolute)),
            ("include", self.all.then(|| "duplicates".to_owned())),
        ];
        Narrowed(given.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
    }
}

impl Narrowed {
    /// With the parameters of one page, where they are given.
    pub(super) fn with<'a>(&'a self, page: &[(&'a str, Option<&'a str>)]) -> Vec<(&'a str, &'a str)> {
        let own = self.0.iter().map(|(name, value)| (*name, value.as_str()));
        own.chain(page.iter().filter_map(|(name, value)| Some((*name, (*value)?)))).collect()
    }
}
