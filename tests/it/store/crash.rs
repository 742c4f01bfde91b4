//! A process that is killed while it writes, again and again.

use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use super::child::{Child, Said, Work};
use super::load::{Beside, Kept, Load, setting};

/// A store that grows makes each round longer than the last.
const ROUNDS_OF_A_STORE: usize = 50;

/// When a child is killed: at random within this time after it said that.
struct Moment {
    awaited: Said,
    within: Duration,
}

/// How long things take here and now, so that the moments fall into them on any machine.
struct Pace {
    opening: Duration,
    step: Duration,
}

impl Pace {
    fn moment(&self, round: usize, from: u64) -> Moment {
        match round % 3 {
            // A third of the kills falls into the start.
            1 => Moment { awaited: Said::Opening, within: self.opening * 5 / 4 },
            _ => match fastrand::u64(0..10) {
                0 if round > 0 => Moment { awaited: Said::Opened, within: self.step },
                // The first round must have something to lose.
                steps => Moment { awaited: Said::Acknowledged(from + steps.max(1)), within: self.step * 2 },
            },
        }
    }

    fn learn(&mut self, said: &Said, before: Duration) {
        match said {
            Said::Opened => self.opening = before,
            Said::Acknowledged(_) => self.step = before,
            _ => {}
        }
    }
}

#[test]
fn a_killed_process_loses_nothing_it_acknowledged() {
    let rounds = setting("RASID_ROUNDS", 5);
    let mut pace = Pace { opening: Duration::from_millis(50), step: Duration::from_millis(20) };
    let (mut dir, mut beside) = (Kept::new(), Beside::new(Load::new(15)));
    let (mut opening, mut within, mut steps, begun) = (0, 0, 0, Instant::now());
    for round in 0..rounds {
        if round > 0 && round % ROUNDS_OF_A_STORE == 0 {
            (dir, beside) = (Kept::new(), Beside::new(Load::new(15)));
        }
        let from = beside.step;
        let work = Work { load: beside.load, after: from, steps: u64::MAX, readers: 2 };
        let mut child = Child::at(&dir.path(), work, &[]);
        let moment = pace.moment(round, from);
        let (mut acknowledged, mut opened) = (from, false);
        let mut heard = |said: &Said| match said {
            Said::Acknowledged(step) => acknowledged = *step,
            Said::Opened => opened = true,
            Said::Wrong(words) | Said::Refused(words) => panic!("round {round}: {words}"),
            _ => {}
        };
        let far = Instant::now() + Duration::from_secs(120);
        let (mut until, mut last) = (far, Instant::now());
        loop {
            match child.next(until) {
                Ok(said) => {
                    if said == moment.awaited {
                        until = Instant::now() + moment.within.mul_f64(fastrand::f64());
                    }
                    pace.learn(&said, last.elapsed());
                    last = Instant::now();
                    heard(&said);
                }
                Err(RecvTimeoutError::Timeout) if until == far => panic!("round {round}: it hangs\n{}", child.errors()),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => panic!("round {round}: it ended by itself\n{}", child.errors()),
            }
        }
        child.kill().iter().for_each(&mut heard);
        beside.compare(&dir.path(), acknowledged).unwrap_or_else(|wrong| panic!("round {round}: {wrong}"));
        opening += usize::from(!opened);
        within += usize::from(beside.step > acknowledged);
        steps += acknowledged - from;
    }
    let seconds = begun.elapsed().as_secs();
    eprintln!(
        "{rounds} kills, {opening} while it opened, {within} after a step that was done and not acknowledged yet; \
         {steps} steps acknowledged, none lost, none doubled; {seconds} s"
    );
}
