//! What a person is told of, and that it is told once: an incident begins when an agent turns unhealthy and lasts until it
//! was healthy for ten minutes in one piece.
//!
//! Its beginning is told once and its end is told once, whatever the agent does in between. The end is told when it *is*
//! the end: a "recovered" after the first good sign would have to be taken back by the second fall, and who is not told of
//! that fall believes that all is well. So what was told last is true, or the incident still runs.
//!
//! The same book serves for other troubles that come and go, each with a book of its own: agents without progress.

use crate::base::boot::Moment;
use crate::base::clock::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How long an agent is well, in one piece, before its incident is over: ten minutes, in milliseconds.
pub const WELL_FOR: u64 = 10 * 60 * 1_000;

/// How an agent looks at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Healthy.
    Well,
    /// Unhealthy.
    Ill,
    /// Degraded, or nothing is known: no incident begins, and none ends.
    Between,
}

/// One incident of one agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// When it began.
    pub opened_at: Time,
    /// How often the agent fell ill in it.
    pub falls: u32,
    /// Whether it is ill, as far as was last seen.
    is_ill: bool,
    /// Whether its beginning was told; not while something larger speaks for it.
    is_told: bool,
    /// Since when it is well, in milliseconds since the boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    well_since: Option<u64>,
}

/// What there is to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// An agent is unhealthy.
    Began(Incident),
    /// It has been well for long enough.
    Ended(Incident),
}

/// All open incidents, by agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incidents {
    /// The boot by whose clock `well_since` counts.
    #[serde(default)]
    boot: Option<String>,
    #[serde(default)]
    open: BTreeMap<String, Incident>,
}

impl Incidents {
    /// Takes note of how an agent looks, and says what is to be told of it. `is_spoken_for` says that something larger,
    /// a hold, tells of it already: if it is still ill when that ends, it is told then.
    pub fn look(
        &mut self,
        agent: &str,
        look: Look,
        is_spoken_for: bool,
        now: &Moment,
    ) -> Option<Turn> {
        self.see_boot(now);
        let Some(incident) = self.open.get_mut(agent) else {
            if look != Look::Ill {
                return None;
            }
            let incident = Incident {
                opened_at: now.wall,
                falls: 1,
                is_ill: true,
                is_told: !is_spoken_for,
                well_since: None,
            };
            self.open.insert(agent.to_owned(), incident.clone());
            return incident.is_told.then_some(Turn::Began(incident));
        };
        match look {
            Look::Between => {
                incident.well_since = None;
                None
            }
            Look::Ill => {
                incident.well_since = None;
                incident.falls = incident.falls.saturating_add(u32::from(!incident.is_ill));
                incident.is_ill = true;
                if incident.is_told || is_spoken_for {
                    return None;
                }
                incident.is_told = true;
                Some(Turn::Began(incident.clone()))
            }
            Look::Well => {
                incident.is_ill = false;
                let since = *incident.well_since.get_or_insert(now.up);
                if now.up.saturating_sub(since) < WELL_FOR {
                    return None;
                }
                let over = self.open.remove(agent)?;
                // Who was never told that it began need not hear that it ended.
                over.is_told.then_some(Turn::Ended(over))
            }
        }
    }

    /// Ends an incident without a word: the agent was removed or paused, and whoever did that knows.
    pub fn forget(&mut self, agent: &str) {
        self.open.remove(agent);
    }

    /// Ends the incidents of all agents but these, without a word.
    pub fn keep(&mut self, is_kept: impl Fn(&str) -> bool) {
        self.open.retain(|agent, _| is_kept(agent));
    }

    /// The open incident of an agent.
    pub fn of(&self, agent: &str) -> Option<&Incident> {
        self.open.get(agent)
    }

    /// The agents that have an open incident: all others need a look only when they turn unhealthy.
    pub fn agents(&self) -> impl Iterator<Item = &str> {
        self.open.keys().map(String::as_str)
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Tells whether none is open.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// After another boot the clock began anew: who was well is well from now on.
    fn see_boot(&mut self, now: &Moment) {
        if self.boot != now.boot {
            self.boot.clone_from(&now.boot);
            for incident in self.open.values_mut() {
                incident.well_since = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Look::{Between, Ill, Well};
    use super::*;

    const AGENT: &str = "cell/agent_001";

    fn at(seconds: u64) -> Moment {
        at_boot("one", seconds)
    }

    fn at_boot(boot: &str, seconds: u64) -> Moment {
        Moment {
            wall: Time::parse("2026-01-02T00:00:00Z").unwrap().plus(seconds),
            boot: Some(boot.to_owned()),
            up: seconds * 1_000,
        }
    }

    fn word(turn: Option<&Turn>) -> &'static str {
        match turn {
            None => "",
            Some(Turn::Began(_)) => "began",
            Some(Turn::Ended(_)) => "ended",
        }
    }

    /// Each row: a story of looks (second, look, whether a hold speaks for it), and what is told when.
    #[test]
    fn each_incident_is_told_once_when_it_begins_and_once_when_it_ends() {
        type Seen = (u64, Look, bool);
        type Row = (
            &'static str,
            &'static [Seen],
            &'static [(u64, &'static str)],
        );
        let rows: [Row; 12] = [
            (
                "a healthy agent",
                &[(0, Well, false), (30, Well, false)],
                &[],
            ),
            (
                "degraded or unknown begins nothing",
                &[(0, Between, false), (30, Between, false)],
                &[],
            ),
            (
                "unhealthy is told once, however long",
                &[(0, Ill, false), (30, Ill, false), (90_000, Ill, false)],
                &[(0, "began")],
            ),
            (
                "nine minutes and 59 seconds are not ten minutes",
                &[(0, Ill, false), (60, Well, false), (659, Well, false)],
                &[(0, "began")],
            ),
            (
                "ten healthy minutes are the end",
                &[(0, Ill, false), (60, Well, false), (660, Well, false)],
                &[(0, "began"), (660, "ended")],
            ),
            (
                "flapping is one incident",
                &[
                    (0, Ill, false),
                    (30, Well, false),
                    (60, Ill, false),
                    (90, Well, false),
                    (120, Ill, false),
                    (150, Well, false),
                    (700, Well, false),
                    (750, Well, false),
                ],
                &[(0, "began"), (750, "ended")],
            ),
            (
                "a degraded minute breaks the ten",
                &[
                    (0, Ill, false),
                    (30, Well, false),
                    (600, Between, false),
                    (630, Well, false),
                    (1_200, Well, false),
                    (1_230, Well, false),
                ],
                &[(0, "began"), (1_230, "ended")],
            ),
            (
                "after the end a fall is a new incident",
                &[
                    (0, Ill, false),
                    (30, Well, false),
                    (630, Well, false),
                    (640, Ill, false),
                ],
                &[(0, "began"), (630, "ended"), (640, "began")],
            ),
            (
                "a hold speaks for those that fall in it",
                &[(0, Ill, true), (30, Ill, true), (60, Ill, true)],
                &[],
            ),
            (
                "who is still ill when the hold ends is told then",
                &[
                    (0, Ill, true),
                    (30, Ill, true),
                    (60, Ill, false),
                    (90, Ill, false),
                ],
                &[(60, "began")],
            ),
            (
                "who recovers in a hold is told neither way",
                &[(0, Ill, true), (30, Well, true), (630, Well, false)],
                &[],
            ),
            (
                "a hold that begins later takes nothing back",
                &[
                    (0, Ill, false),
                    (30, Ill, true),
                    (60, Ill, false),
                    (90, Well, true),
                    (690, Well, true),
                ],
                &[(0, "began"), (690, "ended")],
            ),
        ];
        for (name, seen, told) in rows {
            let mut book = Incidents::default();
            let mut got = Vec::new();
            for (second, look, is_spoken_for) in seen {
                // Whatever is kept on disk between any two looks is enough to go on.
                let text = serde_json::to_string(&book).unwrap();
                book = serde_json::from_str(&text).unwrap();
                let turn = book.look(AGENT, *look, *is_spoken_for, &at(*second));
                if turn.is_some() {
                    got.push((*second, word(turn.as_ref())));
                }
            }
            assert_eq!(got, told, "{name}");
        }
    }

    #[test]
    fn an_incident_knows_when_it_began_and_how_often_its_agent_fell() {
        let mut book = Incidents::default();
        for (second, look) in [(5, Ill), (10, Between), (15, Ill), (20, Well), (25, Ill)] {
            book.look(AGENT, look, false, &at(second));
        }
        let open = book.of(AGENT).unwrap();
        // From unhealthy to unknown (a restart of the daemon) and back is no second fall.
        assert_eq!((open.opened_at, open.falls), (at(5).wall, 2));
        book.look(AGENT, Well, false, &at(30));
        let Some(Turn::Ended(over)) = book.look(AGENT, Well, false, &at(630)) else {
            panic!("it is over");
        };
        assert_eq!((over.opened_at, over.falls), (at(5).wall, 2));
        assert!(book.is_empty());
    }

    #[test]
    fn ten_minutes_do_not_pass_in_a_reboot() {
        let mut book = Incidents::default();
        book.look(AGENT, Ill, false, &at_boot("one", 10));
        book.look(AGENT, Well, false, &at_boot("one", 20));
        // The clock of the second boot is far ahead of the first one's, and then behind.
        assert_eq!(book.look(AGENT, Well, false, &at_boot("two", 9_000)), None);
        assert_eq!(book.look(AGENT, Well, false, &at_boot("three", 1)), None);
        assert_eq!(
            word(
                book.look(AGENT, Well, false, &at_boot("three", 601))
                    .as_ref()
            ),
            "ended"
        );
    }

    #[test]
    fn who_was_paused_or_removed_on_purpose_is_not_told_of() {
        let mut book = Incidents::default();
        for agent in ["a", "b", "c"] {
            book.look(agent, Ill, false, &at(0));
        }
        book.forget("a");
        book.keep(|agent| agent != "b");
        assert_eq!(book.agents().collect::<Vec<_>>(), ["c"]);
        assert_eq!(book.look("a", Well, false, &at(30)), None);
        assert_eq!(book.look("b", Well, false, &at(30)), None);
        // Resumed and ill again, it is told again.
        assert_eq!(word(book.look("a", Ill, false, &at(60)).as_ref()), "began");
    }

    #[test]
    fn a_book_of_an_older_version_is_read_for_ever() {
        let text = r#"{"boot": "one", "open": {"cell/agent_001": {"opened_at": "2026-01-02T00:00:00Z", "falls": 2,
            "is_ill": false, "is_told": true, "well_since": 60000}}}"#;
        let mut book: Incidents = serde_json::from_str(text).unwrap();
        assert_eq!(
            word(book.look(AGENT, Well, false, &at(660)).as_ref()),
            "ended"
        );
        let empty: Incidents = serde_json::from_str("{}").unwrap();
        assert_eq!(empty, Incidents::default());
    }
}
