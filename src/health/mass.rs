//! If many fall silent at once it is probably us: then revivals are held, not spent.

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

/// Tells whether a gateway that so many share, none of whom it answers, is itself at fault.
pub const fn is_the_gateways_fault(sharing: usize, unanswered: usize) -> bool {
    sharing >= SHARED && unanswered == sharing
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
        assert!(
            is_the_gateways_fault(2, 2)
                && !is_the_gateways_fault(3, 2)
                && !is_the_gateways_fault(1, 1)
        );
    }
}
