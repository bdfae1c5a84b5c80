//! What follows from what is known: who changed, whose gateway is asked, what is due in which cell, what is held.

use super::{Work, World};
use crate::base::boot::{Clocks, Moment};
use crate::base::ids::{AgentId, CellId};
use crate::health::mass::{Share, Turn};
use crate::health::pace::Disturbance;
use crate::health::reason::Reason;
use crate::health::roster::{Slot, Watched};
use crate::health::settings::MISSED;
use crate::health::state::State;
use crate::health::{Up, milliseconds};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Something to do, or to tell.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Time did not go on as it should: everybody has grace.
    Forgiven(Disturbance),
    /// An agent changed.
    Changed(Change),
    /// The gateway of this agent is to be asked.
    Probe(Slot),
    /// Something of this cell is due: a lease, an offer, a pause that ends.
    Settle(CellId),
    /// A checkpoint is ordered of this agent with its next beat.
    CheckpointNow(Slot),
    /// Something is to be done to bring this agent back.
    Revive(Slot, Work),
    /// From now on revivals are held, for this reason.
    Held(String),
    /// They are not any more.
    Released(String),
}

/// An agent of a cell changed.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Change {
    /// Its cell.
    pub cell: CellId,
    /// Its id.
    pub agent: AgentId,
    /// How it was.
    pub from: State,
    /// How it is.
    pub to: State,
    /// Why, in a sentence.
    pub reason: String,
}

impl World {
    /// Looks at everything, once a sweep, and says what follows. What is told once is not told again.
    pub fn decide(&mut self, now: &Moment, clocks: Clocks) -> Vec<Action> {
        let mut actions = Vec::new();
        actions.extend(self.keep_pace(clocks).map(Action::Forgiven));
        let mut judged = 0;
        let mut gateways: BTreeMap<Arc<str>, Share> = BTreeMap::new();
        let mut fallen = Vec::new();
        let mut soonest: Option<Up> = None;
        let mut is_news = false;
        for (slot, watched) in self.roster.all_mut() {
            let before = watched.state;
            is_news |= watched.signs.settle(&watched.case, clocks.up);
            let (change, next) = watched.look(clocks, &mut fallen);
            is_news |= watched.state != before;
            if watched.case.idle.is_some() {
                actions.extend(change.map(Action::Changed));
                continue;
            }
            soonest = [soonest, next].into_iter().flatten().min();
            judged += usize::from(watched.state != State::Unknown && watched.cell.is_some());
            actions.extend(change.map(Action::Changed));
            if let Some(target) = &watched.target {
                let share = gateways.entry(Arc::clone(target)).or_default();
                share.take(&watched.signs, &watched.case, clocks.up);
                if clocks.up >= watched.next_probe {
                    watched.next_probe = clocks
                        .up
                        .saturating_add(milliseconds(watched.case.settings.interval));
                    actions.push(Action::Probe(slot));
                }
            }
        }
        self.next_change = soonest;
        if is_news {
            self.roster.note_news();
        }
        for who in fallen {
            self.mass.fell(who, clocks.up);
        }
        self.hold(judged, &gateways, clocks, &mut actions);
        let (work, next) = self.revivals(now, clocks);
        self.next_change = [self.next_change, next].into_iter().flatten().min();
        actions.extend(
            work.into_iter()
                .map(|(slot, work)| Action::Revive(slot, work)),
        );
        actions.extend(
            self.roster
                .order_checkpoints(clocks.up)
                .into_iter()
                .map(Action::CheckpointNow),
        );
        let due = self
            .roster
            .cells()
            .filter(|cell| cell.due.iter().any(|due| due.has_come(now)));
        actions.extend(due.map(|cell| Action::Settle(cell.cell_id.clone())));
        actions
    }

    /// Begins and ends holds.
    fn hold(
        &mut self,
        judged: usize,
        gateways: &BTreeMap<Arc<str>, Share>,
        clocks: Clocks,
        actions: &mut Vec<Action>,
    ) {
        self.hold_gateways(gateways, clocks.up, actions);
        // Whose gateway is at fault is held until that answers, and not for as long as what has no cause that is known.
        if !self.held.is_empty() {
            let behind = self.roster.all().filter_map(|(_, watched)| {
                let is_behind = self.held.contains_key(watched.target.as_ref()?);
                is_behind.then(|| watched.word()).flatten()
            });
            let behind: BTreeSet<String> = behind.collect();
            self.mass.explain(|who| behind.contains(who));
        }
        let before = self.mass.hold.clone();
        match self.mass.look(judged, clocks.up) {
            Some(Turn::Begun) => actions.extend(
                self.mass
                    .hold
                    .as_ref()
                    .map(|hold| Action::Held(hold.to_string())),
            ),
            Some(Turn::Ended) => {
                actions.extend(before.map(|hold| Action::Released(hold.to_string())));
            }
            None => {}
        }
    }

    /// A gateway that answers nobody holds all that share it, until it has answered each so often that it is well, or until
    /// each was asked so often: one that comes back answers one first, and the others are as well as that one.
    fn hold_gateways(
        &mut self,
        gateways: &BTreeMap<Arc<str>, Share>,
        now: Up,
        actions: &mut Vec<Action>,
    ) {
        let words = |target: &str| {
            format!("the gateway at {target} answers none of the agents that share it")
        };
        for (target, share) in gateways.iter().filter(|(_, share)| share.is_at_fault()) {
            let until = now.saturating_add(share.interval.saturating_mul(MISSED));
            if self.held.insert(Arc::clone(target), until).is_none() {
                actions.push(Action::Held(words(target)));
            }
        }
        self.held.retain(|target, until| {
            let share = gateways.get(target);
            let goes_on = now < *until && share.is_some_and(|share| share.unwell > 0);
            if !goes_on {
                actions.push(Action::Released(words(target)));
            }
            goes_on
        });
    }
}

impl Watched {
    /// A word of its own for an agent of a cell.
    fn word(&self) -> Option<String> {
        let cell = self.cell.as_ref()?;
        Some(format!("{cell}/{}", self.agent))
    }

    /// Takes note of how it is now; tells if that is a change, for those who are in a cell, and when the next one comes if
    /// no sign does. Names itself if it fell by silence or probes.
    fn look(&mut self, clocks: Clocks, fallen: &mut Vec<String>) -> (Option<Change>, Option<Up>) {
        let verdict = self.signs.judge(&self.case, clocks.up);
        let next = verdict
            .next
            .filter(|_| self.cell.is_some())
            .map(|(at, _)| at);
        if verdict.state == self.state {
            return (None, next);
        }
        let (from, to) = (self.state, verdict.state);
        let (cell, reason) = (self.cell.clone(), verdict.reason.to_string());
        if to == State::Unhealthy && verdict.reason != Reason::Died {
            fallen.extend(self.word());
        }
        (self.state, self.since) = (to, clocks);
        let change = cell.map(|cell| Change {
            cell,
            agent: self.agent.clone(),
            from,
            to,
            reason,
        });
        (change, next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Time;
    use crate::health::roster::Beat;
    use crate::health::settings::Settings;

    #[test]
    fn where_nothing_happens_there_are_no_news_for_a_restart() {
        let mut world = World::new(Settings::default(), 30);
        let at = |seconds: u64| Clocks {
            up: seconds * 1000,
            awake: seconds * 1000,
            wall: i64::try_from(seconds * 1000).unwrap(),
        };
        let has_news = |world: &mut World, seconds: u64| {
            let now = Moment {
                wall: Time::from_unix(1_767_323_045).unwrap(),
                boot: None,
                up: seconds * 1000,
            };
            world.decide(&now, at(seconds));
            world.roster.takes_news()
        };
        let slot = world
            .roster
            .take_in(&AgentId::new("agent_001").unwrap(), at(0));
        let mut news = Vec::new();
        for sweep in 1..=16 {
            let seconds = sweep * 30;
            if has_news(&mut world, seconds) {
                news.push(seconds);
            }
            if seconds == 60 || seconds == 450 {
                let beat = world.roster.beat(slot, &Beat::default(), at(seconds));
                beat.unwrap();
            }
        }
        // It came, beat, was missed, was dead, and beat.
        assert_eq!(news, [30, 90, 180, 390, 480]);
    }
}
