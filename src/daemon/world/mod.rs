//! Everything the daemon knows, and what it decides by it. Pure: a week of it runs in seconds.

mod at_hand;
#[cfg(test)]
mod day;
mod decide;
#[cfg(test)]
mod model;
#[cfg(test)]
mod outage;
mod revive;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod week;

pub use at_hand::{AGAIN, AtHand, SLOTS, Whom};
pub use decide::{Action, Change};
pub use revive::Work;

use crate::base::boot::Clocks;
use crate::base::clock::Time;
use crate::health::Up;
use crate::health::incident::Incidents;
use crate::health::mass::Mass;
use crate::health::pace::{Disturbance, Pace};
use crate::health::reason::Since;
use crate::health::roster::{Record, Roster, VERSION, Written};
use crate::health::settings::Settings;
use crate::mission::drill::Drill;
use crate::ops::hold::Hold;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything the daemon knows.
#[derive(Debug, Default)]
pub struct World {
    /// All agents, with their signs.
    pub roster: Roster,
    /// Who fell at once.
    pub mass: Mass,
    /// What people were told of: agents that are ill.
    pub incidents: Incidents,
    /// The same: agents that live and make no progress.
    pub stalls: Incidents,
    /// Drills of which people were told that they began, and not yet that they ended, by agent.
    pub drills: BTreeMap<String, Drill>,
    /// The operator's own hold.
    pub operators_hold: Option<Hold>,
    /// Gateways that answer nobody who shares them, each until when it is believed to be at fault, if nothing else is seen.
    held: BTreeMap<Arc<str>, Up>,
    /// When the next agent changes, if no sign comes until then.
    pub next_change: Option<Up>,
    pace: Pace,
    /// Seconds between two sweeps.
    poll_interval: u64,
}

impl World {
    /// An empty one. `poll_interval`: seconds between two sweeps.
    pub fn new(usual: Settings, poll_interval: u64) -> Self {
        World {
            roster: Roster::new(usual),
            poll_interval,
            ..World::default()
        }
    }

    /// Takes other numbers from a config that was read again.
    pub fn reload(&mut self, usual: Settings, poll_interval: u64) {
        self.roster.usual(usual);
        self.poll_interval = poll_interval;
    }

    /// Holds the clocks against each other; whoever brings news does this first, so that what the machine slept away is
    /// not held against an agent that beats as soon as it wakes.
    pub fn keep_pace(&mut self, now: Clocks) -> Option<Disturbance> {
        let disturbance = self.pace.tick(now, self.poll_interval)?;
        self.roster.forgive(Since::Disturbance, now.up);
        Some(disturbance)
    }

    /// Gateways that answer nobody who shares them: revivals of their agents are held.
    pub fn held_gateways(&self) -> impl Iterator<Item = &str> {
        self.held.keys().map(AsRef::as_ref)
    }

    /// What a restart shall find.
    pub fn record(&self, boot: Option<String>, now: Clocks) -> Record<Written<'_>> {
        Record {
            version: VERSION,
            at: Time::from_unix(now.wall / 1000),
            boot,
            up: now.up,
            mass: self.mass.clone(),
            agents: self.roster.record(now),
            incidents: self.incidents.clone(),
            stalls: self.stalls.clone(),
            untold: Vec::new(),
        }
    }

    /// Goes on from what an earlier daemon left; the cells are enrolled.
    pub fn go_on_from(&mut self, record: Record, boot: Option<&str>, now: Clocks) {
        let is_same_boot = boot.is_some() && record.boot.as_deref() == boot;
        if is_same_boot {
            self.mass = record.mass;
        }
        (self.incidents, self.stalls) = (record.incidents, record.stalls);
        self.roster.go_on_from(record.agents, is_same_boot, now);
    }
}
