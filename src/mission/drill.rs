//! A drill: an agent is broken on purpose, to see whether it comes back, and how soon (docs/drill.md).

use crate::base::boot::Moment;
use crate::base::clock::Time;
use crate::mission::lease::Lease;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How an agent is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Blow {
    /// SIGTERM: it is asked to end, and may do so in its own way.
    Term,
    /// SIGKILL: it ends without a word.
    Kill,
    /// SIGSTOP: it stands still, and nothing but its silence tells of it.
    Stop,
}

impl Blow {
    /// The signal, as people write it.
    pub const fn word(self) -> &'static str {
        match self {
            Blow::Term => "SIGTERM",
            Blow::Kill => "SIGKILL",
            Blow::Stop => "SIGSTOP",
        }
    }
}

/// The drill of an agent, in `.mcell/agents/<agent>.json`: what follows from its blow is nobody's failure, for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drill {
    /// Who broke it.
    pub by: String,
    /// How.
    pub blow: Blow,
    /// When.
    pub began_at: Time,
    /// The life that was broken.
    pub incarnation: u64,
    /// Seconds it may take until it has proved that it lives.
    pub target: u64,
    /// For how long nobody is told of it as of a failure, if whoever began it falls.
    pub until: Lease,
    /// What came of it; none as long as it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
}

impl Drill {
    /// Whether it is going on.
    pub fn is_on(&self, now: &Moment) -> bool {
        self.outcome.is_none() && !self.until.has_lapsed(now)
    }

    /// Whether the end of a life follows from it.
    pub fn broke(&self, incarnation: u64, now: &Moment) -> bool {
        self.is_on(now) && self.incarnation == incarnation
    }
}

impl std::fmt::Display for Drill {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "a drill by {}, {}", self.by, self.blow.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(up: u64) -> Moment {
        Moment {
            wall: Time::from_unix(1_767_323_045).unwrap(),
            boot: Some(String::from("one")),
            up,
        }
    }

    #[test]
    fn a_drill_excuses_one_life_and_for_a_while_only() {
        let mut drill = Drill {
            by: String::from("ada"),
            blow: Blow::Kill,
            began_at: at(0).wall,
            incarnation: 4,
            target: 30,
            until: Lease::begin(40, &at(0)),
            outcome: None,
        };
        assert!(drill.broke(4, &at(39_999)));
        assert!(!drill.broke(4, &at(40_000)), "whoever began it was killed");
        assert!(!drill.broke(5, &at(10)), "the next life's end is its own");
        drill.outcome = Some(String::from("met"));
        assert!(!drill.broke(4, &at(10)));
        let text = serde_json::to_value(&drill).unwrap();
        assert_eq!(text["blow"], "KILL");
    }
}
