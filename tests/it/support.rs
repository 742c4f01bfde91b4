//! What several tests share.

use std::path::PathBuf;

/// The evaluation data that stands beside a checkout, where there is any. Says loudly what is skipped without it;
/// with `RASID_REQUIRE_ALL` set a missing file is a failure.
pub fn shared(path: &str) -> Option<PathBuf> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared").join(path);
    if file.exists() {
        return Some(file);
    }
    let message = format!("SKIPPED: {path} is not beside this checkout; what it would show was not tested");
    assert!(std::env::var_os("RASID_REQUIRE_ALL").is_none(), "{message}");
    eprintln!("{message}");
    None
}
