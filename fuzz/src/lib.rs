//! What the fuzz targets share: how an input is put to its law.

pub mod laws;

use std::borrow::Cow;
use std::sync::OnceLock;

use laws::Law;

/// The fuzzer ends at the first panic, caught or not. Those of the crates that read feeds and pages are contained where
/// they are called, and what they cost is looked at by the laws: only a panic that reaches the target is a finding.
pub fn let_contained_panics_be() {
    std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
}

/// Puts an input to a law. With `RASID_FUZZ_GROW` it is first repeated up to so many bytes, so that time out of
/// proportion to the size shows.
pub fn hold(law: Law, data: &[u8]) {
    static GROW: OnceLock<Option<usize>> = OnceLock::new();
    let grow = GROW.get_or_init(|| std::env::var("RASID_FUZZ_GROW").ok().and_then(|bytes| bytes.parse().ok()));
    law(&grown(data, *grow));
}

/// The first byte, which holds settings, stays one.
fn grown(data: &[u8], bytes: Option<usize>) -> Cow<'_, [u8]> {
    match (bytes, data.split_first()) {
        (Some(bytes), Some((first, rest))) if !rest.is_empty() => {
            let mut out = vec![*first];
            out.extend(rest.repeat((bytes / rest.len()).max(1)));
            Cow::Owned(out)
        }
        _ => Cow::Borrowed(data),
    }
}
