//! Agents of no cell: an id that beats without being in one. Kept apart, and so many at most.

use super::{Found, Roster, Slot, Watched};
use crate::base::boot::Clocks;
use crate::base::ids::AgentId;
use crate::health::signs::{Case, Process};
use std::collections::BTreeSet;

/// The most agents of no cell that are kept.
pub const MOST: usize = 10_000;

/// The places of the agents of no cell.
pub(super) type Strays = BTreeSet<Slot>;

impl Roster {
    /// Takes an agent of no cell, if it is not there and there is room. A full table makes room by who is silent longest.
    pub fn take_in(&mut self, id: &AgentId, now: Clocks) -> Slot {
        if let Found::One(slot) = self.find_stray(id) {
            return slot;
        }
        if self.strays.len() >= MOST {
            let heard = |slot: &&Slot| self.get(**slot).and_then(|stray| stray.heard.contact);
            if let Some(oldest) = self.strays.iter().min_by_key(heard).copied() {
                self.strays.remove(&oldest);
                self.remove(oldest);
            }
        }
        let case = Case {
            settings: self.usual.clone(),
            idle: None,
            process: Process::NotOurs,
            is_probed: false,
            says_when_ready: false,
            task_timeout: None,
        };
        let slot = self.place(Watched::new(None, id.clone(), case, now));
        self.strays.insert(slot);
        slot
    }

    /// Forgets an agent of no cell; tells whether it was there.
    pub fn send_away(&mut self, id: &AgentId) -> bool {
        let Found::One(slot) = self.find_stray(id) else {
            return false;
        };
        self.strays.remove(&slot);
        self.remove(slot);
        true
    }

    /// The agent of no cell with this id.
    pub fn find_stray(&self, id: &AgentId) -> Found {
        let slots = self.by_id.get(id).map(Vec::as_slice).unwrap_or_default();
        let stray = slots.iter().find(|slot| self.strays.contains(slot));
        stray.map_or(Found::Nobody, |slot| Found::One(*slot))
    }
}
