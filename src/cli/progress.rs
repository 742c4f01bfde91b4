//! How far something is, on one line of standard error.
//!
//! Promise: on a terminal alone; the line is gone before anything else is told.

use std::io::{self, IsTerminal, Write};

/// The line.
pub(super) struct Progress {
    watched: bool,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self { watched: io::stderr().is_terminal() }
    }

    pub(super) fn tell(&self, text: &str) {
        if self.watched {
            // Nobody is left to tell that standard error is closed.
            let _ = write!(io::stderr().lock(), "\r\x1b[K{text}").and_then(|()| io::stderr().flush());
        }
    }

    /// `done` of `total`; 0 where it is not known how much there is.
    pub(super) fn part(&self, what: &str, done: u64, total: u64) {
        match (u128::from(done) * 100).checked_div(u128::from(total)) {
            Some(percent) => self.tell(&format!("{what}: {percent} %")),
            None => self.tell(what),
        }
    }

    /// Before anything else is told.
    pub(super) fn clear(&self) {
        self.tell("");
    }
}
