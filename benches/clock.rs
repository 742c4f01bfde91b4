//! Time that a thread had a core to itself, for benches on machines with other work.

use std::time::Instant;

/// How often what is timed runs in a row: the clock ticks every few milliseconds.
const REPEATS: u32 = 10;

/// Seconds that this thread has had a core to itself, where the system says so; else those that have passed.
fn clock(begun: Instant) -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|told| told.split_ascii_whitespace().next()?.parse::<u64>().ok());
    nanos.map_or_else(|| begun.elapsed().as_secs_f64(), |nanos| nanos as f64 / 1e9)
}

/// The seconds that `run` takes, once: for what is long or changes what it works on.
#[allow(dead_code, reason = "each bench includes this file for itself")]
pub fn once(run: impl FnOnce()) -> f64 {
    let epoch = Instant::now();
    let begun = clock(epoch);
    run();
    clock(epoch) - begun
}

/// The seconds that `run` takes, in the best of `rounds`.
#[allow(dead_code, reason = "each bench includes this file for itself")]
pub fn best(rounds: usize, mut run: impl FnMut()) -> f64 {
    let epoch = Instant::now();
    let once = |_| {
        let begun = clock(epoch);
        (0..REPEATS).for_each(|_| run());
        (clock(epoch) - begun) / f64::from(REPEATS)
    };
    (0..rounds).map(once).fold(f64::INFINITY, f64::min)
}
