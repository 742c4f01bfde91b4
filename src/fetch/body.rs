//! The body of an answer, as far as it goes.
//!
//! In: an answer whose headers are there. Out: decoded bytes, and what kept them from being whole.
//! Promise: no more than the limit of decoded bytes; what was read before a limit, a broken connection or damage is kept.
//! A body that is itself a gzip file, as sitemaps often are (`news.xml.gz`), is unpacked under the same limit, whatever
//! its content type says; so is one that was packed twice.
//! Not here: `Content-Encoding`, which `reqwest` undoes on the way.

use std::io::Read as _;

use flate2::bufread::GzDecoder;
use tokio::time::timeout_at;
use url::Url;

use crate::fetch::FetchError;
use crate::fetch::client::{Deadline, Limits};
use crate::fetch::error::shown;
use crate::source::Severity;

/// How a gzip file begins: its mark, and deflate, the only method there is.
const GZIP: [u8; 3] = [0x1f, 0x8b, 8];
/// How often a body is unpacked: some servers pack the packed file once more.
const LAYERS: usize = 2;

/// Bytes, and why there are no more of them.
type Read = (Vec<u8>, Option<String>);

/// Reads the body to its end, or to what ends it before.
pub(super) async fn read(
    url: &Url,
    response: &mut reqwest::Response,
    limits: &Limits,
    deadline: &Deadline,
) -> Result<Read, FetchError> {
    let (mut bytes, mut cut) = received(url, response, limits, deadline).await?;
    for _ in 0..LAYERS {
        if !bytes.starts_with(&GZIP) {
            break;
        }
        let limit = limits.max_body.get();
        // Megabytes take their time, and this thread has others to look after.
        let unpacked = tokio::task::spawn_blocking(move || unpacked(&bytes, limit)).await;
        let (inner, damage) = unpacked.unwrap_or_else(|panic| (Vec::new(), Some(Damage::Broken(panic.to_string()))));
        let damage = damage.map(|damage| match damage {
            Damage::Long => longer(limits),
            Damage::Broken(why) => format!("the gzip file is damaged or cut: {why}"),
        });
        if let (true, Some(why)) = (inner.is_empty(), &damage) {
            let hint = "the file at the address is damaged; nothing to do if it passes";
            return Err(FetchError::new("body", Severity::Temporary, format!("{}: {why}", shown(url)), hint));
        }
        // That the connection broke is the reason for what is missing in the file, too.
        cut = cut.or(damage);
        bytes = inner;
    }
    Ok((bytes, cut))
}

async fn received(
    url: &Url,
    response: &mut reqwest::Response,
    limits: &Limits,
    deadline: &Deadline,
) -> Result<Read, FetchError> {
    let limit = limits.max_body.get();
    let mut bytes = Vec::new();
    let cut = loop {
        match timeout_at(deadline.0, response.chunk()).await {
            Ok(Ok(None)) => break None,
            Ok(Ok(Some(chunk))) => {
                let room = limit.saturating_sub(bytes.len());
                bytes.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
                if chunk.len() > room {
                    break Some(longer(limits));
                }
            }
            Ok(Err(error)) => {
                let error = FetchError::transport(url, limits.timeout, &error.without_url(), true);
                if bytes.is_empty() {
                    return Err(error);
                }
                break Some(format!("connection ended early: {}", error.0.message));
            }
            Err(_) if bytes.is_empty() => {
                return Err(FetchError::timeout(url, limits.timeout, "its answer began, but nothing of the body came"));
            }
            Err(_) => break Some(format!("connection ended early: no end within {}", limits.timeout)),
        }
    };
    Ok((bytes, cut))
}

fn longer(limits: &Limits) -> String {
    format!("longer than {} (`max_body` in [fetch])", limits.max_body)
}

/// Why a file was not unpacked to its end.
enum Damage {
    Long,
    Broken(String),
}

/// The contents of a gzip file, of all its members one after another.
fn unpacked(packed: &[u8], limit: usize) -> (Vec<u8>, Option<Damage>) {
    let mut out = Vec::new();
    let mut rest = packed;
    // What follows the last member, mostly zeros that fill a block, means nothing.
    while rest.starts_with(&GZIP) {
        let mut decoder = GzDecoder::new(rest);
        let room = u64::try_from(limit.saturating_sub(out.len())).unwrap_or(u64::MAX);
        let read = (&mut decoder).take(room.saturating_add(1)).read_to_end(&mut out);
        if out.len() > limit {
            out.truncate(limit);
            return (out, Some(Damage::Long));
        }
        if let Err(error) = read {
            return (out, Some(Damage::Broken(error.to_string())));
        }
        rest = decoder.into_inner();
    }
    (out, None)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    proptest::proptest! {
        #[test]
        fn whatever_follows_the_mark_is_within_the_limit(bytes: Vec<u8>, limit in 0usize..64) {
            let (out, _) = unpacked(&[&GZIP[..], &bytes].concat(), limit);
            proptest::prop_assert!(out.len() <= limit);
        }
    }

    #[test]
    fn files_are_unpacked_as_far_as_they_go() {
        let long = "خبر ".repeat(5_000);
        let (one, whole) = (packed("خبر"), packed(&long));
        let members = [&one[..], &one, &[0; 512]].concat();
        for (bytes, limit, expected, broken) in [
            (&members[..], 1 << 20, "خبرخبر", None),
            (&whole, long.len(), long.as_str(), None),
            (&whole, 7, "خبر ", Some(true)),
            (&whole[..20], 1 << 20, "", Some(false)),
            (&GZIP, 1 << 20, "", Some(false)),
        ] {
            let (out, damage) = unpacked(bytes, limit);
            assert_eq!(damage.map(|damage| matches!(damage, Damage::Long)), broken);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
        let (cut, damage) = unpacked(&whole[..whole.len() - 9], 1 << 20);
        assert!(long.as_bytes().starts_with(&cut) && !cut.is_empty() && damage.is_some(), "{}", cut.len());
    }
}
