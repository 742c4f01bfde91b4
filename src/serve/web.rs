//! `/` and `/web/…`: the page for people, as files that the binary carries.
//!
//! In: a name. Out: the file, with its media type, a version to ask again by, and what the page may do.
//! Promise: the page loads nothing from elsewhere and runs no script but these files; what it shows it asks of
//! `/api/v1`, with the token where one is needed. No file holds anything of the store.
//! Not here: what the page does ([docs/web.md](../../../docs/web.md) and the files themselves).

use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderValue};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::Response;

use super::etag;
use super::problem::Problem;
use super::request::segment;

/// Scripts and styles of this server alone; no frame around it, no form that leaves.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// What is asked for no page needs.
const PERMISSIONS: (HeaderName, &str) =
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
const OPENER: (HeaderName, &str) = (HeaderName::from_static("cross-origin-opener-policy"), "same-origin");

/// A file of the page.
struct Asset {
    name: &'static str,
    media_type: &'static str,
    body: &'static str,
}

macro_rules! assets {
    ($($name:literal $media_type:expr),* $(,)?) => {
        &[$(Asset { name: $name, media_type: $media_type, body: include_str!(concat!("web/", $name)) }),*]
    };
}

const INDEX: &str = "index.html";

const ASSETS: &[Asset] = assets![
    "index.html" HTML,
    "style.css" "text/css; charset=utf-8",
    "icon.svg" "image/svg+xml",
    "app.js" SCRIPT,
    "api.js" SCRIPT,
    "charts.js" SCRIPT,
    "compare.js" SCRIPT,
    "corpus.js" SCRIPT,
    "dom.js" SCRIPT,
    "feeds.js" SCRIPT,
    "item.js" SCRIPT,
    "keys.js" SCRIPT,
    "language.js" SCRIPT,
    "list.js" SCRIPT,
    "live.js" SCRIPT,
    "marks.js" SCRIPT,
    "names.js" SCRIPT,
    "parts.js" SCRIPT,
    "stories.js" SCRIPT,
    "trial.js" SCRIPT,
    "volume.js" SCRIPT,
    "words_ar.js" SCRIPT,
    "words_en.js" SCRIPT,
];

/// The version of each file, in the same order.
static VERSIONS: LazyLock<Vec<HeaderValue>> = LazyLock::new(|| {
    let version = |asset: &Asset| {
        let hash = blake3::hash(asset.body.as_bytes()).to_hex();
        let tag = format!("\"{}\"", hash.chars().take(32).collect::<String>());
        // Quotation marks and hexadecimal digits always are a header's value.
        HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\""))
    };
    ASSETS.iter().map(version).collect()
});

/// Whether the path is the page's: it needs no token, because the page has to ask for one.
pub(super) fn is_page(path: &str) -> bool {
    path == "/" || path.starts_with("/web/")
}

pub(super) async fn page(headers: HeaderMap) -> Result<Response, Problem> {
    answer(INDEX, &headers)
}

pub(super) async fn file(path: Result<Path<String>, PathRejection>, headers: HeaderMap) -> Result<Response, Problem> {
    answer(&segment(path)?, &headers)
}

fn answer(name: &str, headers: &HeaderMap) -> Result<Response, Problem> {
    let found = ASSETS.iter().zip(VERSIONS.iter()).find(|(asset, _)| asset.name == name);
    let (asset, version) = found.ok_or_else(|| Problem::missing(format!("the page has no file `{name}`")))?;
    let plain = version.to_str().unwrap_or_default().trim_matches('"');
    // One that came compressed has the tag of its coding, too.
    let known = etag::matching(headers, plain);
    let same = known.is_some();
    let version = known.and_then(|tag| HeaderValue::try_from(format!("\"{tag}\"")).ok()).unwrap_or(version.clone());
    let mut response = Response::new(if same { Body::empty() } else { Body::from(asset.body) });
    if same {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(asset.media_type));
    headers.insert(ETAG, version);
    // Kept, and asked for again each time: a new binary has a new page at once.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    for (name, value) in [PERMISSIONS, OPENER] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::header::IF_NONE_MATCH;

    /// Everything in quotation marks that begins as `begin` does.
    fn quoted<'a>(text: &'a str, begin: &str) -> Vec<&'a str> {
        text.split(['"', '\'']).filter(|part| part.starts_with(begin)).collect()
    }

    #[test]
    fn every_file_that_is_named_is_there() {
        let known = |name: &str| ASSETS.iter().any(|asset| asset.name == name);
        let mut named = 0;
        for asset in ASSETS {
            let names = quoted(asset.body, "./").into_iter().map(|path| path.trim_start_matches("./"));
            let names =
                names.chain(quoted(asset.body, "/web/").into_iter().map(|path| path.trim_start_matches("/web/")));
            for name in names {
                named += 1;
                assert!(known(name), "{} names `{name}`, which the binary does not carry", asset.name);
            }
        }
        assert!(named > ASSETS.len(), "{named}");
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/serve/web");
        for file in std::fs::read_dir(dir).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            assert!(known(&name), "`{name}` stands in the folder, and the binary does not carry it");
        }
    }

    #[test]
    fn no_file_has_markup_made_of_text_nor_an_address_elsewhere() {
        for asset in ASSETS {
            for forbidden in
                ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "style=", "onclick="]
            {
                assert!(!asset.body.contains(forbidden), "{}: `{forbidden}`", asset.name);
            }
            for address in asset.body.split("://").skip(1) {
                let shown: String = address.chars().take(30).collect();
                assert!(shown.starts_with("www.w3.org/"), "{}: an address: {shown}", asset.name);
            }
        }
    }

    #[test]
    fn a_known_version_is_not_sent_again() {
        let first = answer("app.js", &HeaderMap::new()).unwrap();
        let tag = first.headers()[ETAG].clone();
        assert_eq!(first.status(), 200);
        for (sent, status) in [
            (tag.to_str().unwrap().to_owned(), 304),
            (format!("\"x\", W/{}", tag.to_str().unwrap()), 304),
            (format!("\"{}-gzip\"", tag.to_str().unwrap().trim_matches('"')), 304),
            ("\"x\"".to_owned(), 200),
        ] {
            let headers = HeaderMap::from_iter([(IF_NONE_MATCH, sent.parse().unwrap())]);
            assert_eq!(answer("app.js", &headers).unwrap().status(), status, "{sent}");
        }
        assert!(answer("../web.rs", &HeaderMap::new()).is_err());
    }
}
