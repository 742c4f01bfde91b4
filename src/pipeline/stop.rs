//! The stop signal.
//!
//! In: one call of [`Stop::set`]. Out: everyone who waits wakes, at once and later.
//! Promise: cloning is cheap; a stop is never taken back.

use std::sync::Arc;

use tokio::sync::watch;

/// A flag that can be waited for.
#[derive(Clone, Debug)]
pub struct Stop(Arc<watch::Sender<bool>>);

impl Default for Stop {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Stop {
    /// Tells everyone to stop.
    pub fn set(&self) {
        self.0.send_replace(true);
    }

    /// Whether it was set.
    pub fn is_set(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once it is set.
    pub async fn wait(&self) {
        let mut receiver = self.0.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let _set = receiver.wait_for(|set| *set).await;
    }
}
