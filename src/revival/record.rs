//! What is remembered of an agent that falls: how often it was tried in vain, how often it fell again, until when it
//! waits, and whether it is given up for a while. It is on disk, so that a restart of the daemon forgets none of it.

use super::Suspects;
use crate::base::backoff::Backoff;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// After so long in one piece an incident is over: ten healthy minutes.
const WELL_FOR: u64 = 10 * 60 * 1000;
/// The waits, of both kinds.
const WAITS: Backoff = Backoff {
    first: Duration::from_secs(10),
    cap: Duration::from_secs(300),
};
/// One that is quarantined is tried so often all the same.
const HALF_OPEN: u64 = 30 * 60 * 1000;
/// An agent that asks to be started again is, after a second.
const ASKED: u64 = 1000;
/// So often within ten minutes; the next time counts as a fall.
const ASKED_AT_MOST: usize = 5;

/// What is remembered of one agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// Whether an incident is open.
    pub is_open: bool,
    /// Tries of this incident that never verified.
    pub tries: u32,
    /// Falls of this incident that came after a try had verified.
    pub falls: u32,
    /// Whether it is given up, but for a try every half hour.
    pub is_quarantined: bool,
    /// The next try is not before.
    pub not_before: u64,
    /// Since when it is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub well_since: Option<u64>,
    /// When it asked to be started again, within the last ten minutes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<u64>,
    /// Under what it failed, also in incidents that are over.
    #[serde(skip_serializing_if = "Suspects::is_empty")]
    pub suspects: Suspects,
}

/// How an agent fell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fall {
    /// It died, or does not answer.
    Died,
    /// A try to bring it back came to nothing.
    InVain,
    /// It asked to be started again.
    Asked,
}

/// What follows from a fall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is tried again, not before this moment.
    Try(u64),
    /// The same, for it asked: no policy and no count.
    Start(u64),
    /// It is given up from now on: a person is told. It is tried again, not before this moment.
    Quarantine(u64),
}

impl Record {
    /// An agent fell. `retries`: how many tries may be in vain after the first. `seed`: by which chance lengthens a wait.
    pub fn fell(&mut self, how: Fall, retries: u64, seed: u64, now: u64) -> Verdict {
        if how == Fall::Asked {
            self.asked.retain(|at| now.saturating_sub(*at) < WELL_FOR);
            self.asked.push(now);
            if self.asked.len() <= ASKED_AT_MOST {
                return Verdict::Start(now + ASKED);
            }
        }
        self.pass(now);
        self.well_since = None;
        if !self.is_open {
            self.is_open = true;
            self.not_before = now;
            return Verdict::Try(now);
        }
        if self.is_quarantined {
            self.not_before = now + HALF_OPEN;
            return Verdict::Quarantine(self.not_before);
        }
        let wait = if how == Fall::InVain {
            self.tries += 1;
            if u64::from(self.tries) > retries {
                return self.give_up(now);
            }
            match self.tries {
                1 => 0,
                tries => millis(WAITS.wait(tries - 1, seed)),
            }
        } else {
            self.falls += 1;
            // To the second: what crashes alone is in nobody's way.
            let step = 10_000_u64.saturating_mul(1 << (self.falls - 1).min(32));
            let cap = millis(WAITS.cap);
            if step > cap.saturating_mul(2) {
                return self.give_up(now);
            }
            step.min(cap)
        };
        self.not_before = now + wait;
        Verdict::Try(self.not_before)
    }

    fn give_up(&mut self, now: u64) -> Verdict {
        self.is_quarantined = true;
        self.not_before = now + HALF_OPEN;
        Verdict::Quarantine(self.not_before)
    }

    /// A try verified.
    pub fn verified(&mut self, now: u64) {
        self.well_since = Some(now);
    }

    /// Time goes on: an incident whose agent was well for long enough is over. Tells if it is so just now.
    pub fn pass(&mut self, now: u64) -> bool {
        let is_over = self
            .well_since
            .is_some_and(|since| now.saturating_sub(since) >= WELL_FOR);
        if is_over {
            *self = Record {
                asked: std::mem::take(&mut self.asked),
                suspects: std::mem::take(&mut self.suspects),
                ..Record::default()
            };
        }
        is_over
    }

    /// An operator takes it in hand: hold, quarantine and counts are over.
    pub fn reset(&mut self) {
        *self = Record::default();
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What follows from falls one after the other: the waits in seconds, each fall coming as soon as the wait before is
    /// over; none: quarantine.
    fn waits(how: Fall, number: usize) -> Vec<Option<u64>> {
        let (mut record, mut now) = (Record::default(), 5_000);
        (0..number)
            .map(|_| {
                let verdict = record.fell(how, 3, 7, now);
                let (at, wait) = match verdict {
                    Verdict::Try(at) | Verdict::Start(at) => (at, Some((at - now) / 1000)),
                    Verdict::Quarantine(at) => (at, None),
                };
                now = at;
                if how == Fall::Died {
                    record.verified(now);
                }
                wait
            })
            .collect()
    }

    #[test]
    fn a_crash_loop_backs_off_to_the_second_as_kubelet_does_and_ends_in_quarantine() {
        // gastown's window compared a time it had just set with now, and had no effect.
        let some = |list: &[u64]| list.iter().map(|wait| Some(*wait)).collect::<Vec<_>>();
        let waits = waits(Fall::Died, 9);
        assert_eq!(waits[..7], some(&[0, 10, 20, 40, 80, 160, 300]));
        assert_eq!(waits[7..], [None, None]);
    }

    #[test]
    fn tries_in_vain_are_as_many_as_the_policy_says() {
        let waits = waits(Fall::InVain, 6);
        assert_eq!(waits[..2], [Some(0), Some(0)]);
        assert!((10..=12).contains(&waits[2].unwrap()), "{waits:?}");
        assert!((20..=25).contains(&waits[3].unwrap()), "{waits:?}");
        assert_eq!(waits[4..], [None, None]);
    }

    #[test]
    fn ten_healthy_minutes_end_an_incident_and_its_count() {
        let mut record = Record::default();
        assert_eq!(record.fell(Fall::Died, 3, 7, 0), Verdict::Try(0));
        record.verified(1_000);
        assert_eq!(
            record.fell(Fall::Died, 3, 7, 600_999),
            Verdict::Try(610_999)
        );
        record.verified(611_000);
        assert!(!record.pass(1_210_999) && record.pass(1_211_000));
        assert_eq!(
            record.fell(Fall::Died, 3, 7, 1_211_000),
            Verdict::Try(1_211_000)
        );
        assert_eq!((record.falls, record.tries), (0, 0));
    }

    #[test]
    fn quarantine_has_its_try_every_half_hour_and_a_way_out() {
        // supervisord 487, 1509: FATAL was for ever.
        let mut record = Record {
            is_open: true,
            tries: 3,
            ..Record::default()
        };
        let Verdict::Quarantine(at) = record.fell(Fall::InVain, 3, 7, 0) else {
            panic!("it is tried for ever");
        };
        assert_eq!(at, 1_800_000);
        assert_eq!(
            record.fell(Fall::InVain, 3, 7, at),
            Verdict::Quarantine(at * 2)
        );
        record.verified(at * 2);
        assert!(record.pass(at * 2 + 600_000) && !record.is_quarantined);
        record.is_quarantined = true;
        record.reset();
        assert_eq!(record.fell(Fall::Died, 3, 7, 9), Verdict::Try(9));
    }

    #[test]
    fn who_asks_to_be_started_again_is_and_from_the_sixth_time_on_has_fallen() {
        let mut record = Record::default();
        for time in 0..5 {
            let now = time * 10_000;
            assert_eq!(
                record.fell(Fall::Asked, 3, 7, now),
                Verdict::Start(now + 1000)
            );
        }
        assert!(!record.is_open);
        assert_eq!(record.fell(Fall::Asked, 3, 7, 50_000), Verdict::Try(50_000));
        assert!(record.is_open);
        // Ten minutes later those are forgotten.
        let mut patient = Record::default();
        for time in 0..20 {
            let now = time * 130_000;
            assert_eq!(
                patient.fell(Fall::Asked, 3, 7, now),
                Verdict::Start(now + 1000)
            );
        }
    }
}
