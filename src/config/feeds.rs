//! `feeds.toml`: the sources.
//!
//! In: the file's text. Out: a [`FeedConfig`] for each `[[feed]]`, `[defaults]` and the built-in defaults filled in.
//! Promise: every faulty feed shows every fault it has; ids and addresses are unique.
//! Not here: writing the file ([`super::edit`]).

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;
use toml::de::DeValue;
use url::Url;

use super::report::Report;
use super::sections::check_header_value;
use super::tree::{Env, Section, Tree, unknown_key};
use crate::extract::html;
use crate::fetch::check_proxy;
use crate::id::FeedId;
use crate::parse::page;
use crate::source::{ArticleSelectors, FeedConfig, FullText, PageSelectors, SourceKind};
use crate::text::decode;
use crate::units::Span;

/// `[defaults]`: what holds for every feed that does not say otherwise.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Defaults {
    interval: Option<Span>,
    min_interval: Option<Span>,
    max_interval: Option<Span>,
    full_text: Option<FullText>,
    language: Option<String>,
    user_agent: Option<String>,
    proxy: Option<String>,
    timezone: Option<String>,
    max_entries: Option<u32>,
}

/// One `[[feed]]` as written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    id: Option<FeedId>,
    title: Option<String>,
    url: Option<String>,
    kind: Option<SourceKind>,
    enabled: Option<bool>,
    reason: Option<String>,
    language: Option<String>,
    interval: Option<Span>,
    min_interval: Option<Span>,
    max_interval: Option<Span>,
    full_text: Option<FullText>,
    headers: BTreeMap<String, String>,
    user_agent: Option<String>,
    proxy: Option<String>,
    username: Option<String>,
    password: Option<String>,
    charset: Option<String>,
    timezone: Option<String>,
    max_entries: Option<u32>,
    // Read by themselves, so that each of their keys is looked at.
    page: Option<IgnoredAny>,
    article: Option<IgnoredAny>,
}

/// `[feed.page]` as written: what must be there is looked for by hand, all at once.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenPage {
    entry: Option<String>,
    link: Option<String>,
    title: Option<String>,
    date: Option<String>,
    summary: Option<String>,
}

/// Reads the file.
pub(super) fn read(report: &mut Report<'_>, env: Env<'_>) -> Vec<FeedConfig> {
    let mut tree = Tree::parse(report, env);
    let defaults = tree.section::<Defaults>("defaults", report);
    let intervals = check_defaults(&defaults, report);
    let list = tree.root.remove("feed");
    for key in tree.root.keys() {
        report.problem(key.span(), unknown_key(key.get_ref(), &["defaults", "feed"]));
    }
    let mut feeds = Vec::new();
    let mut known = Known::default();
    match list.map(|list| (list.span(), list.into_inner())) {
        None => {}
        Some((_, DeValue::Array(list))) => {
            for feed in list.iter().cloned() {
                feeds.extend(read_feed(&tree, (&defaults, intervals), feed, &mut known, report));
            }
        }
        Some((at, _)) => report.problem(at, "write each feed below its own [[feed]], with two brackets"),
    }
    feeds
}

/// Ids and addresses so far, with their lines.
#[derive(Default)]
struct Known {
    ids: HashMap<FeedId, usize>,
    urls: HashMap<Url, usize>,
}

fn read_feed(
    tree: &Tree<'_>,
    (defaults, intervals): (&Section<Defaults>, Intervals),
    mut feed: Spanned<DeValue<'_>>,
    known: &mut Known,
    report: &mut Report<'_>,
) -> Option<FeedConfig> {
    let (page, article) = match feed.get_mut() {
        DeValue::Table(table) => (table.get("page").cloned(), table.get("article").cloned()),
        _ => (None, None),
    };
    let feed = tree.read::<Written>("feed", feed, report);
    let page = page.map(|page| tree.read::<WrittenPage>("feed.page", page, report));
    let article = article.map(|article| tree.read::<ArticleSelectors>("feed.article", article, report));
    let intervals = check_intervals(&feed, intervals, report);
    check_texts(&feed, report);
    let page = check_page(&feed, page, report);
    if let Some(article) = &article {
        check_article(article, report);
    }
    let id = check_id(&feed, known, report);
    let url = check_url(&feed, known, report);

    let (written, defaults) = (feed.value, &defaults.value);
    let built_in = FeedConfig::new(id?, url?);
    let enabled = written.enabled.unwrap_or(true);
    Some(FeedConfig {
        title: written.title.unwrap_or(built_in.title),
        id: built_in.id,
        url: built_in.url,
        kind: written.kind.unwrap_or(built_in.kind),
        enabled,
        disabled_reason: if enabled { None } else { written.reason },
        language: written.language.or(defaults.language.clone()),
        interval: intervals.start.unwrap_or(built_in.interval),
        min_interval: intervals.min.unwrap_or(built_in.min_interval),
        max_interval: intervals.max.unwrap_or(built_in.max_interval),
        full_text: written.full_text.or(defaults.full_text).unwrap_or(built_in.full_text),
        headers: written.headers,
        user_agent: written.user_agent.or(defaults.user_agent.clone()),
        proxy: written.proxy.or(defaults.proxy.clone()),
        username: written.username,
        password: written.password,
        charset: written.charset,
        timezone: written.timezone.or(defaults.timezone.clone()),
        max_entries: written.max_entries.or(defaults.max_entries).unwrap_or(built_in.max_entries),
        page,
        article: article.map(|article| article.value),
    })
}

fn check_id(feed: &Section<Written>, known: &mut Known, report: &mut Report<'_>) -> Option<FeedId> {
    let Some(id) = &feed.value.id else {
        if !feed.has("id") {
            report
                .missing(feed.header.clone(), "`id` is missing; name the feed with small letters, digits and hyphens");
        }
        return None;
    };
    let at = feed.place("id");
    if let Some(line) = known.ids.get(id) {
        report.problem(at, format!("the id `{id}` is that of the feed in line {line} already; give this one another"));
        return None;
    }
    known.ids.insert(id.clone(), report.line(&at));
    Some(id.clone())
}

fn check_url(feed: &Section<Written>, known: &mut Known, report: &mut Report<'_>) -> Option<Url> {
    let at = feed.place("url");
    let Some(text) = &feed.value.url else {
        if !feed.has("url") {
            report.missing(feed.header.clone(), "`url` is missing; give the address that is polled");
        }
        return None;
    };
    let shown = report.written(&at);
    let url = match web_address(text) {
        Ok(url) => url,
        Err(why) => {
            report.problem(at, format!("`{shown}` is not an address that can be polled: {why}"));
            return None;
        }
    };
    if !url.username().is_empty() || url.password().is_some() {
        report.problem(
            at,
            "the address has a user's name in it; write it as `username` and `password`, which are never logged",
        );
        return None;
    }
    // What follows `#` is not sent: two addresses that differ there are one.
    let mut same = url.clone();
    same.set_fragment(None);
    if let Some(line) = known.urls.get(&same) {
        report.problem(
            at,
            format!(
                "the feed in line {line} has this address already; remove one, or the host is asked twice for the same"
            ),
        );
        return None;
    }
    known.urls.insert(same, report.line(&at));
    Some(url)
}

fn web_address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text)
        .map_err(|error| format!("{error}; write it whole, such as \"https://example.com/rss.xml\""))?;
    match (url.scheme(), url.host_str()) {
        ("http" | "https", Some(_)) => Ok(url),
        _ => Err("it must begin with http:// or https://".to_owned()),
    }
}

/// The three intervals as far as the file sets them; the built-in ones hold for the rest.
#[derive(Clone, Copy)]
struct Intervals {
    start: Option<Span>,
    min: Option<Span>,
    max: Option<Span>,
}

impl Intervals {
    fn check(self, at: Range<usize>, report: &mut Report<'_>) {
        let Some(built_in) = any_feed() else { return };
        let start = self.start.unwrap_or(built_in.interval);
        let (min, max) = (self.min.unwrap_or(built_in.min_interval), self.max.unwrap_or(built_in.max_interval));
        if !(min <= start && start <= max) {
            report.problem(
                at,
                format!(
                    "the intervals are out of order: min_interval {min}, interval {start}, max_interval {max}; \
                     none may be longer than the next"
                ),
            );
        } else if min.get().is_zero() {
            report.problem(at, "`min_interval` must be longer than 0");
        }
    }
}

/// A feed with nothing but defaults.
fn any_feed() -> Option<FeedConfig> {
    Some(FeedConfig::new("any".parse().ok()?, Url::parse("https://localhost/").ok()?))
}

/// A fault is shown at the first of the three keys that this feed sets. A feed that sets none has the fault of
/// `[defaults]`, which is shown there.
fn check_intervals(feed: &Section<Written>, below: Intervals, report: &mut Report<'_>) -> Intervals {
    let value = &feed.value;
    let merged = Intervals {
        start: value.interval.or(below.start),
        min: value.min_interval.or(below.min),
        max: value.max_interval.or(below.max),
    };
    let own =
        [("interval", value.interval), ("min_interval", value.min_interval), ("max_interval", value.max_interval)];
    if let Some((key, _)) = own.iter().find(|(_, span)| span.is_some()) {
        merged.check(feed.place(key), report);
    }
    merged
}

fn check_defaults(defaults: &Section<Defaults>, report: &mut Report<'_>) -> Intervals {
    let value = &defaults.value;
    let intervals = Intervals { start: value.interval, min: value.min_interval, max: value.max_interval };
    intervals.check(defaults.place("interval"), report);
    check_common(
        &Common {
            language: &value.language,
            user_agent: &value.user_agent,
            proxy: &value.proxy,
            timezone: &value.timezone,
            max_entries: value.max_entries,
        },
        &|key| defaults.place(key),
        report,
    );
    intervals
}

/// The keys that `[defaults]` and `[[feed]]` share.
struct Common<'a> {
    language: &'a Option<String>,
    user_agent: &'a Option<String>,
    proxy: &'a Option<String>,
    timezone: &'a Option<String>,
    max_entries: Option<u32>,
}

fn check_common(common: &Common<'_>, place: &dyn Fn(&str) -> Range<usize>, report: &mut Report<'_>) {
    if let Some(language) = common.language {
        let fits = language.len() >= 2 && language.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if !fits {
            report.problem(place("language"), "`language` must be a language code such as \"ar\"");
        }
    }
    if let Some(user_agent) = common.user_agent {
        check_header_value(report, place("user_agent"), "user_agent", user_agent);
    }
    if let Some(proxy) = common.proxy
        && let Err(message) = check_proxy(proxy)
    {
        report.problem(place("proxy"), message);
    }
    if let Some(timezone) = common.timezone
        && jiff::tz::TimeZone::get(timezone).is_err()
    {
        let at = place("timezone");
        let shown = report.written(&at);
        report.problem(at, format!("`{shown}` is not a known time zone; write an IANA name such as \"Asia/Riyadh\""));
    }
    if common.max_entries == Some(0) {
        report
            .problem(place("max_entries"), "`max_entries` must be 1 or more; to pause the feed write enabled = false");
    }
}

fn check_texts(feed: &Section<Written>, report: &mut Report<'_>) {
    let value = &feed.value;
    check_common(
        &Common {
            language: &value.language,
            user_agent: &value.user_agent,
            proxy: &value.proxy,
            timezone: &value.timezone,
            max_entries: value.max_entries,
        },
        &|key| feed.place(key),
        report,
    );
    match (feed.has("username"), feed.has("password")) {
        (true, false) => report.problem(feed.place("username"), "`username` without `password`; give both or neither"),
        (false, true) => report.problem(feed.place("password"), "`password` without `username`; give both or neither"),
        _ => {}
    }
    if let Some(label) = &value.charset
        && decode::charset(label).is_none()
    {
        let at = feed.place("charset");
        let shown = report.written(&at);
        report.problem(at, format!("`{shown}` is not a known charset; write a label such as \"windows-1256\""));
    }
    let token = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
    };
    for (name, content) in &value.headers {
        if !token(name) {
            report.problem(feed.place("headers"), format!("`{name}` cannot be the name of an HTTP header"));
        } else if content.chars().any(|c| c.is_control()) {
            report.problem(
                feed.place("headers"),
                format!("the header `{name}` may not have line ends or control characters"),
            );
        }
    }
    if value.title.as_deref().is_some_and(|title| title.trim().is_empty()) {
        report.problem(feed.place("title"), "`title` is empty; leave it out to show the id");
    }
}

fn check_page(
    feed: &Section<Written>,
    page: Option<Section<WrittenPage>>,
    report: &mut Report<'_>,
) -> Option<PageSelectors> {
    let Some(written) = page else {
        if feed.value.kind == Some(SourceKind::Page) {
            report.missing(
                feed.place("kind"),
                "kind = \"page\" needs the selectors `entry` and `link` below [feed.page]",
            );
        }
        return None;
    };
    let unreadable = feed.has("kind") && feed.value.kind.is_none();
    if feed.value.kind != Some(SourceKind::Page) && !unreadable {
        report.problem(
            written.header.clone(),
            "[feed.page] is read for kind = \"page\" only; set it, or remove this table",
        );
    }
    for key in ["entry", "link"] {
        if !written.has(key) {
            report.missing(written.header.clone(), format!("`{key}` is missing; give a CSS selector"));
        }
    }
    let WrittenPage { entry, link, title, date, summary } = &written.value;
    let selectors = PageSelectors {
        entry: entry.clone()?,
        link: link.clone()?,
        title: title.clone(),
        date: date.clone(),
        summary: summary.clone(),
    };
    for message in page::check_selectors(&selectors) {
        // The message begins with the key it is about.
        let key = message.split('`').nth(1).unwrap_or("entry");
        report.problem(written.place(key), message);
    }
    Some(selectors)
}

/// Each selector by itself, so that a fault shows at its own line.
fn check_article(article: &Section<ArticleSelectors>, report: &mut Report<'_>) {
    let ArticleSelectors { text, remove } = &article.value;
    let text = ArticleSelectors { text: text.clone(), remove: Vec::new() };
    report.problems(article.place("text"), html::check_selectors(&text));
    let remove = ArticleSelectors { text: None, remove: remove.clone() };
    report.problems(article.place("remove"), html::check_selectors(&remove));
}
