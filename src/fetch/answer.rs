//! What the headers of an answer say.
//!
//! In: response headers. Out: media type, charset, validators, how long the answer holds, how long to stay away.
//! Promise: pure; a header that cannot be understood is as good as none.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{self, HeaderMap, HeaderName};

use crate::source::Validators;
use crate::units::Span;

static DATES: DateTimeParser = DateTimeParser::new().relaxed_weekday(true);

/// A header as text; bytes that are not UTF-8 become U+FFFD.
pub(super) fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned())
}

/// The media type in lower case and the charset of `Content-Type`.
pub(super) fn content_type(headers: &HeaderMap) -> (Option<String>, Option<String>) {
    let Some(value) = text(headers, header::CONTENT_TYPE) else { return (None, None) };
    let mut parts = value.split(';').map(str::trim);
    let media = parts.next().map(str::to_ascii_lowercase).filter(|media| !media.is_empty());
    let charset = parts
        .filter_map(|part| part.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .map(|(_, value)| value.trim().trim_matches(['"', '\'']).to_owned())
        .filter(|charset| !charset.is_empty());
    (media, charset)
}

/// For the next conditional request.
pub(super) fn validators(headers: &HeaderMap) -> Validators {
    let sent = |name| text(headers, name).filter(|value| !value.is_empty());
    Validators { etag: sent(header::ETAG), last_modified: sent(header::LAST_MODIFIED) }
}

/// How long the answer holds: `max-age` less the time it lay in caches, else `Expires` counted from `Date`.
pub(super) fn fresh_for(headers: &HeaderMap) -> Option<Span> {
    let control = text(headers, header::CACHE_CONTROL).unwrap_or_default().to_ascii_lowercase();
    let directives = || control.split(',').map(str::trim);
    if directives().any(|directive| directive == "no-store" || directive == "no-cache") {
        return None;
    }
    let age = text(headers, header::AGE).and_then(|age| age.parse().ok()).unwrap_or(0);
    let max_age =
        directives().find_map(|directive| directive.strip_prefix("max-age=")?.trim_matches('"').parse::<u64>().ok());
    let seconds = match max_age {
        Some(seconds) => seconds.saturating_sub(age),
        None => {
            let (expires, date) = (date(headers, header::EXPIRES)?, date(headers, header::DATE)?);
            u64::try_from(expires.as_second().saturating_sub(date.as_second())).ok()?
        }
    };
    (seconds > 0).then(|| Span::secs(seconds))
}

/// `Retry-After`, in seconds or as a date; a date counts from the server's own clock where it tells it.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = text(headers, header::RETRY_AFTER)?;
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = date(headers, header::RETRY_AFTER)?;
    let now = date(headers, header::DATE).unwrap_or(now);
    Some(Duration::from_secs(u64::try_from(until.as_second() - now.as_second()).unwrap_or(0)))
}

fn date(headers: &HeaderMap, name: HeaderName) -> Option<Timestamp> {
    DATES.parse_timestamp(text(headers, name)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn content_types_are_read() {
        for (line, media, charset) in [
            ("text/xml; charset=windows-1256", Some("text/xml"), Some("windows-1256")),
            ("Application/RSS+XML;Charset=\"UTF-8\"; q=1", Some("application/rss+xml"), Some("UTF-8")),
            ("text/html;charset=", Some("text/html"), None),
            ("; charset='x'", None, Some("x")),
            ("", None, None),
        ] {
            let (a, b) = content_type(&headers(&[("content-type", line)]));
            assert_eq!((a.as_deref(), b.as_deref()), (media, charset), "{line}");
        }
    }

    #[test]
    fn freshness_is_read() {
        const DATE: (&str, &str) = ("date", "Fri, 20 Nov 2026 09:00:00 GMT");
        for (lines, seconds) in [
            (vec![("cache-control", "public, max-age=600")], Some(600)),
            (vec![("cache-control", "Max-Age=600"), ("age", "100")], Some(500)),
            (vec![("cache-control", "max-age=0")], None),
            (vec![("cache-control", "no-cache, max-age=600")], None),
            (vec![("expires", "Fri, 20 Nov 2026 09:05:00 GMT"), DATE], Some(300)),
            (vec![("expires", "Mon, 20 Nov 2026 09:05:00 GMT"), DATE], Some(300)),
            (vec![("expires", "Fri, 20 Nov 2026 08:05:00 GMT"), DATE], None),
            (vec![("expires", "0"), DATE], None),
            (vec![("expires", "Fri, 20 Nov 2026 09:05:00 GMT")], None),
        ] {
            assert_eq!(fresh_for(&headers(&lines)), seconds.map(Span::secs), "{lines:?}");
        }
    }

    #[test]
    fn retry_after_is_read() {
        let now: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
        for (lines, seconds) in [
            (vec![("retry-after", "120")], Some(120)),
            (vec![("retry-after", "Fri, 20 Nov 2026 09:01:00 GMT")], Some(60)),
            (
                vec![("retry-after", "Fri, 20 Nov 2026 09:01:00 GMT"), ("date", "Fri, 20 Nov 2026 09:00:30 GMT")],
                Some(30),
            ),
            (vec![("retry-after", "Fri, 20 Nov 2020 09:01:00 GMT")], Some(0)),
            (vec![("retry-after", "soon")], None),
            (vec![("retry-after", "-1")], None),
            (vec![], None),
        ] {
            assert_eq!(retry_after(&headers(&lines), now), seconds.map(Duration::from_secs), "{lines:?}");
        }
    }
}
