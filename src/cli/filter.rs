//! The options that say which records of the log are wanted, the same for every command that reads it.
//!
//! In: arguments. Out: parameters of a request, or a [`LogFilter`].

use clap::Args as ClapArgs;
use serde_json::json;

use super::WrongUsage;
use crate::store::LogFilter;

/// Which records; each option may be given several times, and any of its values will do.
#[derive(Debug, Default, ClapArgs)]
pub(super) struct Filter {
    /// Only records of items about this topic; may be repeated, as all of these
    #[arg(long = "topic", value_name = "ID")]
    topics: Vec<String>,
    /// Only records of items from this feed
    #[arg(long = "feed", value_name = "ID")]
    feeds: Vec<String>,
    /// Only records that tell this: new, revised, duplicate, reclassified or removed
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,
    /// Only records of items in this language
    #[arg(long = "language", value_name = "CODE")]
    languages: Vec<String>,
}

impl Filter {
    /// As parameters of a request.
    pub(super) fn query(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let lists =
            [("topic", &self.topics), ("feed", &self.feeds), ("kind", &self.kinds), ("language", &self.languages)];
        lists.into_iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value.as_str())))
    }

    /// As the interface has it; none where nothing is asked for.
    ///
    /// # Errors
    /// Where a value is none that can be.
    pub(super) fn read(&self) -> Result<Option<LogFilter>, WrongUsage> {
        let Self { topics, feeds, kinds, languages } = self;
        if self.query().next().is_none() {
            return Ok(None);
        }
        let asked = json!({ "topics": topics, "feeds": feeds, "kinds": kinds, "languages": languages });
        let read = serde_json::from_value(asked);
        read.map(Some).map_err(|error| WrongUsage(format!("the filter is not one: {error}")))
    }
}
