//! A directory of the demo's own that goes with it.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// Removed when dropped.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// A new directory, for this user alone, among the system's temporary ones.
    pub(super) fn new() -> anyhow::Result<Self> {
        let name = format!("rasid-demo-{}-{:08x}", std::process::id(), fastrand::u32(..));
        let path = std::env::temp_dir().join(name);
        // Creating it fails where anything stands there already, so nobody can have put a link in its place.
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .with_context(|| format!("{} cannot be made; TMPDIR may name another place", path.display()))?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is left to the system's own clearing of temporary files.
        let _left = std::fs::remove_dir_all(&self.0);
    }
}
