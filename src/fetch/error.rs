//! Failures, typed by what the caller will do.
use crate::source::PollError;
use crate::units::Span;

#[derive(Debug, thiserror::Error)]
#[error("{}", .0.message)]
pub struct FetchError(pub PollError);

pub enum Retry {
    After(Span),
    Backoff,
    Never,
}

impl FetchError {
    pub fn retry(&self) -> Retry {
        unimplemented!()
    }
}
