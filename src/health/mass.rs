//! If many fall silent at once it is probably us: then revivals are held, not spent.

use crate::health::signs::{Case, Signs};
use crate::health::{Up, milliseconds};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Falls that are looked at together lie within so many seconds.
const WINDOW: u64 = 30;
/// So many of them, at least, are many.
const MANY: usize = 3;
/// And they are more than so many per cent of those who are judged.
const SHARE: usize = 30;
/// Seconds after the last fall at which a hold ends.
const CALM: u64 = 300;
/// Agents at one silent gateway that mean that the gateway is at fault.
const SHARED: usize = 2;

/// A hold by numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// When it began.
    pub since: Up,
    /// When the last one fell.
    pub last: Up,
    /// How many fell.
    pub fallen: usize,
    /// Of how many.
    pub judged: usize,
}

impl Hold {
    /// When it ends, if no more fall.
    pub fn ends(&self) -> Up {
        self.last.saturating_add(milliseconds(CALM))
    }
}

impl std::fmt::Display for Hold {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            out,
            "{} of {} agents fell silent at once, which is more likely our own fault",
            self.fallen, self.judged
        )
    }
}

/// What became of holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// One began.
    Begun,
    /// It ended by itself.
    Ended,
}

/// Counts who falls by silence or probes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mass {
    /// Who fell, and when it last did: one that comes and goes is not many.
    falls: BTreeMap<String, Up>,
    /// The hold that is in force.
    pub hold: Option<Hold>,
}

impl Mass {
    /// Somebody, in a word of its own, turned unhealthy by silence or probes. Deaths of processes do not count: they are no
    /// error of ours.
    pub fn fell(&mut self, who: String, now: Up) {
        self.falls.insert(who, now);
    }

    /// What befell these has a cause that is known: it counts no more.
    pub fn explain(&mut self, is_explained: impl Fn(&str) -> bool) {
        self.falls.retain(|who, _| !is_explained(who));
    }

    /// Looks at the numbers.
    pub fn look(&mut self, judged: usize, now: Up) -> Option<Turn> {
        self.falls
            .retain(|_, at| now.saturating_sub(*at) <= milliseconds(WINDOW));
        let fallen = self.falls.len();
        if let Some(hold) = &mut self.hold {
            if let Some(last) = self.falls.values().max() {
                hold.last = hold.last.max(*last);
                hold.fallen = hold.fallen.max(fallen);
            }
            if now < hold.ends() {
                return None;
            }
            self.hold = None;
            return Some(Turn::Ended);
        }
        if fallen < MANY || fallen * 100 <= judged * SHARE {
            return None;
        }
        self.hold = Some(Hold {
            since: now,
            last: now,
            fallen,
            judged,
        });
        Some(Turn::Begun)
    }

    /// An operator ends it.
    pub fn release(&mut self) -> bool {
        self.falls.clear();
        self.hold.take().is_some()
    }
}

/// How the agents at one gateway fare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Those of whom it is known whether it answers them.
    pub known: usize,
    /// Those that it does not answer.
    pub unanswered: usize,
    /// Those that are unhealthy for it.
    pub down: usize,
    /// Those that it has not yet answered so often that they are well.
    pub unwell: usize,
    /// The longest time between two of their probes.
    pub interval: Up,
}

impl Share {
    /// Counts one that shares it.
    pub fn take(&mut self, signs: &Signs, case: &Case, now: Up) {
        let answers = signs.gateway_answers(case, now);
        self.known += usize::from(answers.is_some());
        self.unanswered += usize::from(answers == Some(false));
        self.down += usize::from(signs.gateway_is_down());
        self.unwell += usize::from(!signs.gateway_is_well(case));
        self.interval = self.interval.max(milliseconds(case.settings.interval));
    }

    /// Whether the gateway is itself at fault: it answers none of several, and one of them is unhealthy by now. The others
    /// will be: whoever is asked first is not to be the one that is spent.
    pub const fn is_at_fault(&self) -> bool {
        self.known >= SHARED && self.unanswered == self.known && self.down > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(falls: &[u64], judged: usize, now: u64) -> Option<Turn> {
        let mut mass = Mass::default();
        fall(&mut mass, falls);
        mass.look(judged, now * 1000)
    }

    /// One more falls at each of these seconds.
    fn fall(mass: &mut Mass, seconds: &[u64]) {
        for (number, at) in seconds.iter().enumerate() {
            mass.fell(format!("agent_{number}"), at * 1000);
        }
    }

    #[test]
    fn three_at_least_and_more_than_thirty_per_cent_within_thirty_seconds() {
        assert_eq!(after(&[1, 2, 3], 9, 30), Some(Turn::Begun));
        assert_eq!(after(&[1, 2], 2, 30), None, "two are not many");
        assert_eq!(
            after(&[1, 2, 3], 10, 30),
            None,
            "thirty per cent are not more than that"
        );
        assert_eq!(
            after(&[1, 32, 33], 9, 33),
            None,
            "not within thirty seconds"
        );
    }

    #[test]
    fn one_that_comes_and_goes_is_not_many() {
        let mut mass = Mass::default();
        for at in 1..=9 {
            mass.fell(String::from("agent_001"), at * 1000);
        }
        assert_eq!(mass.look(1, 9000), None);
    }

    #[test]
    fn it_ends_five_minutes_after_the_last_fall_or_by_an_operator() {
        let mut mass = Mass::default();
        fall(&mut mass, &[1, 1, 1]);
        assert_eq!(mass.look(4, 1000), Some(Turn::Begun));
        fall(&mut mass, &[100]);
        assert_eq!(mass.look(4, 100_000), None);
        assert_eq!(mass.look(4, 399_999), None);
        assert_eq!(mass.look(4, 400_000), Some(Turn::Ended));
        assert_eq!(
            mass.look(4, 400_000),
            None,
            "what is over does not begin again"
        );
        fall(&mut mass, &[401, 401, 401]);
        assert_eq!(mass.look(4, 401_000), Some(Turn::Begun));
        assert!(mass.release() && mass.hold.is_none() && !mass.release());
    }

    #[test]
    fn a_gateway_is_at_fault_if_it_answers_none_of_several() {
        let share = |known, unanswered, down| Share {
            known,
            unanswered,
            down,
            ..Share::default()
        };
        for (known, unanswered, down, is_at_fault) in [
            (2, 2, 2, true),
            (30, 30, 1, true),
            (30, 30, 0, false),
            (3, 2, 2, false),
            (1, 1, 1, false),
        ] {
            let share = share(known, unanswered, down);
            assert_eq!(share.is_at_fault(), is_at_fault, "{share:?}");
        }
    }
}
