//! A process that is killed while it writes, again and again.

use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use super::load::{Beside, Child, Kept, Load, Said, Work, setting};

/// A store that grows makes each round longer than the last.
const ROUNDS_OF_A_STORE: usize = 50;

#[test]
fn a_killed_process_loses_nothing_it_acknowledged() {
    let rounds = setting("RASID_ROUNDS", 5);
    let (mut dir, mut beside) = (Kept::new(), Beside::new(Load::new(15)));
    let (mut kills, mut steps, begun) = ([0; 3], 0, Instant::now());
    for round in 0..rounds {
        if round > 0 && round % ROUNDS_OF_A_STORE == 0 {
            (dir, beside) = (Kept::new(), Beside::new(Load::new(15)));
        }
        let from = beside.step;
        let work = Work { load: beside.load, after: from, steps: u64::MAX, readers: 2 };
        let mut child = Child::at(&dir.path(), work, &[]);
        let far = Instant::now() + Duration::from_secs(60);
        let mut acknowledged = from;
        // A third of the kills falls into the start. The first round must have something to lose.
        let (awaited, pause) = match round % 3 {
            _ if round % ROUNDS_OF_A_STORE == 0 => (Said::Acknowledged(from + 3), 100_000),
            1 => (Said::Opening, 60_000),
            _ => (Said::Opened, 250_000),
        };
        let mut until = far;
        let moment = Duration::from_micros(fastrand::u64(0..pause));
        loop {
            match child.next(until) {
                Ok(said) => {
                    if said == awaited {
                        until = Instant::now() + moment;
                    }
                    match said {
                        Said::Acknowledged(step) => acknowledged = step,
                        Said::Wrong(words) | Said::Refused(words) => panic!("round {round}: {words}"),
                        _ => {}
                    }
                }
                Err(RecvTimeoutError::Timeout) if until == far => panic!("round {round}: it never said {awaited:?}"),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => panic!("round {round}: it ended by itself\n{}", child.errors()),
            }
        }
        for said in child.kill() {
            match said {
                Said::Acknowledged(step) => acknowledged = step,
                Said::Wrong(words) | Said::Refused(words) => panic!("round {round}: {words}"),
                _ => {}
            }
        }
        beside.compare(&dir.path(), acknowledged).unwrap_or_else(|wrong| panic!("round {round}: {wrong}"));
        steps += acknowledged - from;
        kills[if acknowledged == from {
            0
        } else if beside.step > acknowledged {
            1
        } else {
            2
        }] += 1;
    }
    let [before, within, between] = kills;
    let seconds = begun.elapsed().as_secs();
    eprintln!(
        "{rounds} kills: {before} before the first step, {within} with a step that was done and not acknowledged, \
         {between} others; {steps} steps acknowledged and none lost, {seconds} s"
    );
}
