//! Work that several cores share.
//!
//! In: how much there is, and what to do with a part of it. Out: what came of the parts, in their order.
//! Promise: all of it is done, each part once; where there is no thread to be had, by the caller. A panic goes on to the caller.
//! Blocking: not for async code.

use std::ops::Range;
use std::panic::resume_unwind;
use std::thread::Builder;

/// The most threads that share the work of one caller: there are others.
const MOST: usize = 4;

/// Does the work on parts of `0..all`: on as many threads as there are cores, but never more than four, nor more than `worth`.
/// `name` is what they are called in a debugger.
pub fn shared<T: Send>(name: &str, all: usize, worth: usize, work: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MOST);
    let parts = threads.min(all).min(worth).max(1);
    let range = |part: usize| all * part / parts..all * (part + 1) / parts;
    let work = &work;
    std::thread::scope(|scope| {
        let start = |part: usize| {
            let thread = Builder::new().name(name.to_owned());
            thread.spawn_scoped(scope, move || work(range(part))).map_err(|_| part)
        };
        let others: Vec<_> = (1..parts).map(start).collect();
        let own = work(range(0));
        let others = others.into_iter().map(|other| match other {
            Ok(other) => other.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(part) => work(range(part)),
        });
        std::iter::once(own).chain(others).collect()
    })
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::shared;

    #[test]
    fn all_is_done_once_and_in_order() {
        for all in [0, 1, 2, 3, 7, 100] {
            for worth in [0, 1, 2, 3, 50] {
                let parts = shared("test", all, worth, |part| part.collect::<Vec<_>>());
                assert!(parts.len() <= worth.max(1) && parts.len() <= all.max(1), "{all} for {worth}");
                assert_eq!(parts.concat(), (0..all).collect::<Vec<_>>(), "{all} for {worth}");
            }
        }
    }

    #[test]
    fn a_panic_reaches_the_caller() {
        for bad in [0, 99] {
            let work = || shared("test", 100, 4, |part| assert!(!part.contains(&bad)));
            assert!(catch_unwind(AssertUnwindSafe(work)).is_err(), "{bad}");
        }
    }
}
