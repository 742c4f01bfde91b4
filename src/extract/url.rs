//! Canonical addresses: what two addresses of one page have in common.
//!
//! In: an address as published. Out: the one form that all addresses of the page share.
//! Promise: pure and idempotent; only what is known to change nothing is taken away (traps T7, T8), so `?id=1` and
//! `?id=2` stay two, and so do `/A` and `/a`.
//! The form is a key: `https` without `www.` stands for the page whether or not the server answers there.
//! Not here: reading the publisher's own `<link rel="canonical">` ([`super::html`]); whether it is to be believed is.

use url::{Host, Url};

use crate::source::same_site;

/// Query parameters that say where a reader came from, never what is shown.
const TRACKERS: [&str; 36] = [
    "__twitter_impression",
    "_ga",
    "_gl",
    "_hsenc",
    "_hsmi",
    "cmp",
    "dclid",
    "fb_action_ids",
    "fb_action_types",
    "fb_source",
    "fbclid",
    "gbraid",
    "gclid",
    "gclsrc",
    "igsh",
    "igshid",
    "ito",
    "maca",
    "mc_cid",
    "mc_eid",
    "mkt_tok",
    "mkt_trk",
    "msclkid",
    "ocid",
    "oly_anon_id",
    "oly_enc_id",
    "s_kwcid",
    "traffic_source",
    "ttclid",
    "twclid",
    "vero_conv",
    "vero_id",
    "wbraid",
    "wt_mc",
    "xtor",
    "yclid",
];
/// The same, by how they begin: the Urchin family, the BBC's own, Comscore's.
const TRACKER_FAMILIES: [&str; 3] = ["utm_", "at_", "ns_"];
/// Host labels that lead to the same page in another dress.
const DRESSES: [&str; 5] = ["www.", "m.", "amp.", "mobile.", "wap."];

/// `url` without known trackers and fragment, host lower-cased, AMP and mobile forms led back; everything else as it is.
pub fn canonical(url: &Url) -> Url {
    let mut url = url.clone();
    if !matches!(url.scheme(), "http" | "https") {
        return url;
    }
    // What a round takes away may uncover more: `/amp/..amp`, a wrapping whose port ends with `.amp`. A round that changes
    // anything but `http` takes something away, so this ends.
    loop {
        let before = url.clone();
        while let Some(inner) = unwrapped(&url) {
            url = inner;
        }
        let _web = (url.set_password(None), url.set_username(""));
        if url.fragment().is_some_and(|fragment| !fragment.starts_with('!')) {
            url.set_fragment(None);
        }
        query(&mut url);
        path(&mut url);
        host(&mut url);
        if url == before {
            return url;
        }
    }
}

/// The page inside an AMP cache's address: `…cdn.ampproject.org/c/s/news.example/1`, `google.com/amp/s/news.example/1`.
fn unwrapped(url: &Url) -> Option<Url> {
    let host = url.host_str()?.trim_end_matches('.');
    let path = url.path();
    let rest = if host == "cdn.ampproject.org" || host.ends_with(".cdn.ampproject.org") {
        ["/c/", "/v/", "/a/"].iter().find_map(|start| path.strip_prefix(start))?
    } else if matches!(host, "google.com" | "www.google.com") {
        path.strip_prefix("/amp/")?
    } else {
        return None;
    };
    let (scheme, rest) = rest.strip_prefix("s/").map_or(("http", rest), |rest| ("https", rest));
    let mut inner = Url::parse(&format!("{scheme}://{rest}")).ok()?;
    let named = |host: &str| host.trim_end_matches('.').contains('.');
    if !inner.host_str().is_some_and(named) || inner.as_str().len() >= url.as_str().len() {
        return None;
    }
    let kept: Vec<_> =
        pieces(url.query()).filter(|piece| !matches!(key(piece).as_str(), "usqp" | "amp_js_v" | "amp_gsa")).collect();
    inner.set_query(Some(kept.join("&").as_str()).filter(|query| !query.is_empty()));
    Some(inner)
}

fn pieces(query: Option<&str>) -> impl Iterator<Item = &str> {
    query.into_iter().flat_map(|query| query.split('&'))
}

fn key(piece: &str) -> String {
    piece.split('=').next().unwrap_or_default().to_ascii_lowercase()
}

fn is_tracker(piece: &str) -> bool {
    let key = key(piece);
    TRACKERS.contains(&key.as_str()) || TRACKER_FAMILIES.iter().any(|family| key.starts_with(family))
}

fn asks_for_amp(piece: &str) -> bool {
    let piece = piece.to_ascii_lowercase();
    matches!(piece.as_str(), "amp" | "amp=" | "amp=1" | "amp=true" | "outputtype=amp" | "output=amp")
}

/// Pieces are dropped or kept whole: their order and spelling may mean something to the server.
fn query(url: &mut Url) {
    let Some(query) = url.query() else { return };
    let kept: Vec<_> = pieces(Some(query)).filter(|piece| !is_tracker(piece) && !asks_for_amp(piece)).collect();
    let kept = upper_case_escapes(&kept.join("&"));
    url.set_query(Some(kept.as_str()).filter(|query| !query.is_empty()));
}

fn path(url: &mut Url) {
    let mut path = upper_case_escapes(url.path());
    loop {
        let shorter = if let Some(page) = path.strip_suffix("/amp") {
            page.to_owned()
        } else if let Some(page) = path.strip_suffix("/amp/") {
            format!("{page}/")
        } else if let Some(page) = path.strip_suffix(".amp.html") {
            format!("{page}.html")
        } else if let Some(page) = path.strip_suffix(".amp") {
            page.to_owned()
        } else {
            break;
        };
        // A section that is called so is not the AMP form of anything.
        if shorter.trim_matches('/').is_empty() || shorter.ends_with("/.html") {
            break;
        }
        path = shorter;
    }
    url.set_path(&path);
}

/// `%d8` and `%D8` are one letter (RFC 3986, 6.2.2.1).
fn upper_case_escapes(text: &str) -> String {
    let mut left = 0;
    text.chars()
        .map(|c| {
            if c == '%' {
                left = 2;
                return c;
            }
            let escaped = left > 0 && c.is_ascii_hexdigit();
            left = if escaped { left - 1 } else { 0 };
            if escaped { c.to_ascii_uppercase() } else { c }
        })
        .collect()
}

fn host(url: &mut Url) {
    let Some(Host::Domain(name)) = url.host() else { return };
    let mut bare = name.trim_end_matches('.');
    while let Some(rest) = DRESSES.iter().find_map(|dress| bare.strip_prefix(dress)).filter(|rest| rest.contains('.')) {
        bare = rest;
    }
    if bare != name {
        let bare = bare.to_owned();
        // Fails for what is no host by itself; then the name stays as it was.
        let _named = url.set_host(Some(&bare));
    }
    // On a port of its own, http is not known to be https.
    if url.port().is_none() && matches!(url.host(), Some(Host::Domain(name)) if name.contains('.')) {
        let _web = url.set_scheme("https");
    }
}

/// Whether `named` can be the address of the page that was read at `at`, as it claims: of the same site, and neither its
/// front page nor a section that `at` stands in, which is what broken templates name on all their pages.
pub fn is_page_of(named: &Url, at: &Url) -> bool {
    let depth = |url: &Url| url.path().split('/').filter(|part| !part.is_empty()).count();
    let section = format!("{}/", named.path().trim_end_matches('/'));
    let is_section = named.query().is_none() && (at.path().starts_with(&section) && depth(named) < depth(at));
    let web = matches!(named.scheme(), "http" | "https");
    web && same_site(named, at) && (depth(named) > 0 || named.query().is_some()) && !is_section
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> String {
        canonical(&Url::parse(text).unwrap()).to_string()
    }

    #[test]
    fn addresses_of_one_page_are_one() {
        for (published, expected) in [
            ("https://news.example/1", "https://news.example/1"),
            ("http://news.example/1", "https://news.example/1"),
            ("HTTPS://WWW.News.Example/1", "https://news.example/1"),
            ("https://m.news.example/1", "https://news.example/1"),
            ("https://www.m.news.example/1", "https://news.example/1"),
            ("https://mobile.news.example/1", "https://news.example/1"),
            ("https://amp.news.example/1", "https://news.example/1"),
            ("https://news.example./1", "https://news.example/1"),
            ("https://news.example:443/1", "https://news.example/1"),
            ("http://news.example:80/1", "https://news.example/1"),
            ("https://reader:word@news.example/1", "https://news.example/1"),
            ("https://news.example/1#comments", "https://news.example/1"),
            ("https://news.example/1?", "https://news.example/1"),
            ("https://news.example/1?utm_source=rss&utm_medium=x", "https://news.example/1"),
            ("https://news.example/1?UTM_Source=rss", "https://news.example/1"),
            ("https://news.example/1?fbclid=a&id=7&gclid=b", "https://news.example/1?id=7"),
            ("https://news.example/1?at_medium=RSS&at_campaign=KARANGA", "https://news.example/1"),
            ("https://news.example/1?ocid=wsarabic&ns_mchannel=x&CMP=y&ito=1490", "https://news.example/1"),
            ("https://news.example/1?traffic_source=rss", "https://news.example/1"),
            ("https://news.example/1?maca=ara-rss-1&xtor=RSS-3", "https://news.example/1"),
            ("https://news.example/1/amp", "https://news.example/1"),
            ("https://news.example/1/amp/", "https://news.example/1/"),
            ("https://news.example/1.amp.html", "https://news.example/1.html"),
            ("https://news.example/1.amp", "https://news.example/1"),
            ("https://news.example/1?amp=1", "https://news.example/1"),
            ("https://news.example/1?amp", "https://news.example/1"),
            ("https://news.example/1?id=2&outputType=amp", "https://news.example/1?id=2"),
            ("https://news-example.cdn.ampproject.org/c/s/www.news.example/1/amp?usqp=x", "https://news.example/1"),
            (
                "https://news-example.cdn.ampproject.org/v/news.example/1?id=3&amp_js_v=0.1",
                "https://news.example/1?id=3",
            ),
            ("https://www.google.com/amp/s/news.example/1", "https://news.example/1"),
            ("https://news.example/%d8%a3%D8%ae", "https://news.example/%D8%A3%D8%AE"),
            ("https://news.example/أخ", "https://news.example/%D8%A3%D8%AE"),
        ] {
            assert_eq!(of(published), expected, "{published}");
        }
    }

    #[test]
    fn what_a_page_names_as_its_address_is_believed_within_reason() {
        for (named, at, believed) in [
            ("https://news.example/2026/11/story", "https://news.example/?p=7", true),
            ("https://news.example/story-7", "https://feeds.news.example/r/7", true),
            ("https://news.com.eg/story-7", "https://beta.news.com.eg/7", true),
            ("https://news.example/?p=7", "https://news.example/story", true),
            ("https://news.example/a", "https://news.example/a/", true),
            ("https://news.example/", "https://news.example/story", false),
            ("https://news.example", "https://news.example/story", false),
            ("https://news.example/sport/", "https://news.example/sport/7", false),
            ("https://news.example/sport", "https://news.example/sport/football/7", false),
            ("https://other.example/story", "https://news.example/story", false),
            ("https://other.com.eg/story", "https://news.com.eg/story", false),
            ("mailto:a@news.example", "https://news.example/story", false),
            ("http://127.0.0.1/a", "http://127.0.0.2/b", false),
            ("http://127.0.0.1:8080/a", "http://127.0.0.1:8080/b", true),
        ] {
            let url = |text: &str| Url::parse(text).unwrap();
            assert_eq!(is_page_of(&url(named), &url(at)), believed, "{named} at {at}");
        }
    }

    #[test]
    fn t7_t8_what_may_mean_something_stays() {
        for address in [
            "https://news.example/news.php?id=1",
            "https://news.example/news.php?id=2",
            "https://news.example/?b=2&a=1",
            "https://news.example/?a=1&&b",
            "https://news.example/Story/AbC",
            "https://news.example/1/",
            "https://news.example/1?ref=home",
            "https://news.example/1?page=2&atom=x&utm=1",
            "https://news.example/amp",
            "https://news.example/camp",
            "https://news.example/1?amp=no",
            "https://news.example/#!/story/1",
            "https://m.co/1",
            "http://news.example:8080/1",
            "http://127.0.0.1:8080/1",
            "http://localhost/1",
            "https://[2606:4700::1111]/1",
            "https://cdn.ampproject.org/v0.js",
            "mailto:a@news.example#x",
        ] {
            assert_eq!(of(address), address);
        }
    }

    proptest! {
        #[test]
        fn once_is_enough(
            host in "(www\\.|m\\.|amp\\.){0,2}[a-z0-9]{1,3}(\\.[a-z0-9]{1,3}){0,2}\\.?(:80|:8080)?",
            path in "(/|/amp|\\.amp|\\.html|/c/s/|%d8|%|/a\\.b|/أ|/\\.\\.|\\.amp\\.html){0,5}",
            query in "(\\?|&|=|amp=1|utm_x=1|%d|id=1|amp|أ){0,5}",
            fragment in "(#!?[a-z]{0,3})?",
        ) {
            if let Ok(url) = Url::parse(&format!("http://{host}/{path}?{query}{fragment}")) {
                let once = canonical(&url);
                prop_assert_eq!(canonical(&once), once);
            }
        }

        #[test]
        fn no_address_panics(text in "\\PC{0,60}") {
            for start in ["", "https://", "https://a.cdn.ampproject.org/c/s/", "https://google.com/amp/"] {
                if let Ok(url) = Url::parse(&format!("{start}{text}")) {
                    let once = canonical(&url);
                    prop_assert_eq!(canonical(&once), once);
                }
            }
        }
    }
}
