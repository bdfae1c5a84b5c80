//! Whether time went on as it should between two sweeps: a machine that slept, a clock that was set, a daemon that stood
//! still. After such a thing silence is our own fault first.

use crate::base::boot::Clocks;
use crate::health::milliseconds;

/// Seconds by which two clocks may differ before somebody set one of them.
const JUMP: u64 = 5;

/// What was out of order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disturbance {
    /// The machine slept, so many seconds.
    Slept(u64),
    /// The clock on the wall was set, by so many seconds.
    Jumped(i64),
    /// This process did not run, so many seconds.
    StoodStill(u64),
}

impl std::fmt::Display for Disturbance {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Disturbance::Slept(seconds) => write!(out, "the machine slept for {seconds} s"),
            Disturbance::Jumped(seconds) => write!(out, "the clock was set by {seconds} s"),
            Disturbance::StoodStill(seconds) => {
                write!(out, "the daemon stood still for {seconds} s")
            }
        }
    }
}

/// Watches the clocks from one sweep to the next.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    last: Option<Clocks>,
}

impl Pace {
    /// Tells what was out of order since the last time. `usual`: the seconds after which the next look was to come.
    pub fn tick(&mut self, now: Clocks, usual: u64) -> Option<Disturbance> {
        let last = self.last.replace(now)?;
        let up = now.up.saturating_sub(last.up);
        let awake = now.awake.saturating_sub(last.awake);
        let slept = up.saturating_sub(awake) / 1000;
        if slept >= JUMP {
            return Some(Disturbance::Slept(slept));
        }
        let passed = i64::try_from(up).unwrap_or(i64::MAX);
        let jumped = now.wall.saturating_sub(last.wall).saturating_sub(passed) / 1000;
        if jumped.unsigned_abs() >= JUMP {
            return Some(Disturbance::Jumped(jumped));
        }
        let late = awake.saturating_sub(milliseconds(usual)) / 1000;
        // A slow sweep is one thing, a stopped process another.
        (late >= usual.max(JUMP).saturating_mul(2)).then_some(Disturbance::StoodStill(late))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(up: u64, awake: u64, wall: i64) -> Clocks {
        Clocks {
            up: up * 1000,
            awake: awake * 1000,
            wall: wall * 1000,
        }
    }

    #[test]
    fn sleep_a_set_clock_and_a_stopped_daemon_are_told_apart() {
        let cases = [
            (at(130, 130, 1030), None),
            (at(3730, 131, 4630), Some(Disturbance::Slept(3599))),
            (at(130, 130, 4630), Some(Disturbance::Jumped(3600))),
            (at(130, 130, 30), Some(Disturbance::Jumped(-1000))),
            (at(430, 430, 1330), Some(Disturbance::StoodStill(300))),
            (at(145, 145, 1045), None),
        ];
        for (now, told) in cases {
            let mut pace = Pace::default();
            assert_eq!(pace.tick(at(100, 100, 1000), 30), None);
            assert_eq!(pace.tick(now, 30), told);
        }
    }
}
