//! `rasid feeds add`: a new feed in `feeds.toml`, and a running daemon told of it.

use clap::{Args, ValueEnum};
use url::Url;

use super::super::{Here, WrongUsage, environment, output};
use super::{id, reload};
use crate::config::{self, NewFeed};
use crate::id::FeedId;
use crate::source::SourceKind;

/// A feed to add.
#[derive(Debug, Args)]
pub(in crate::cli) struct Add {
    /// Its address
    #[arg(value_name = "URL")]
    url: Url,
    /// Its id [default: made from the host's name]
    #[arg(long, value_name = "ID", value_parser = id)]
    id: Option<FeedId>,
    /// Its name for people
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// What stands at the address
    #[arg(long, value_enum, default_value_t = Kind::Feed)]
    kind: Kind,
}

/// What a source publishes, as far as an address alone describes it: a listing page needs selectors, too.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Feed,
    Sitemap,
}

pub(super) async fn run(here: &Here, add: Add) -> anyhow::Result<()> {
    if !matches!(add.url.scheme(), "http" | "https") {
        return Err(WrongUsage(format!(
            "`{}` is not an address of the web; it begins with http:// or https://",
            add.url
        ))
        .into());
    }
    let kind = match add.kind {
        Kind::Feed => SourceKind::Feed,
        Kind::Sitemap => SourceKind::Sitemap,
    };
    let new = NewFeed { url: add.url, id: add.id, title: add.title, kind };
    let id = config::add_feed(&here.config.dir, &new, &environment)?;
    output::print(&format!("{id}\n"))?;
    output::note(format_args!("`{id}` is added; `rasid feeds why {id}` tells how it is doing once it is polled"));
    reload(here).await
}
