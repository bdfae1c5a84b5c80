//! What a restart must not forget: the signs of every agent, written once a sweep.

use super::{Found, Heard, Roster};
use crate::base::boot::Clocks;
use crate::base::clock::Time;
use crate::base::ids::{AgentId, CellId};
use crate::health::incident::Incidents;
use crate::health::mass::Mass;
use crate::health::reason::Since;
use crate::health::signs::Signs;
use crate::health::state::State;
use serde::{Deserialize, Serialize};

/// The form of the record that is written.
pub const VERSION: u32 = 1;

/// `<root>/.mcell/health.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// The form of it.
    pub version: u32,
    /// When it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
    /// The boot that its times belong to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boot: Option<String>,
    /// How many fell at once.
    pub mass: Mass,
    /// Every agent.
    pub agents: Vec<AgentRecord>,
    /// What people were told of: agents that are ill.
    pub incidents: Incidents,
    /// The same: agents that live and make no progress.
    pub stalls: Incidents,
    /// Of that, what is told by who keeps it for them only from the next moment on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub untold: Vec<serde_json::Value>,
}

/// One agent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentRecord {
    /// Its cell; absent if it is in none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cell_id: Option<String>,
    /// Its id.
    pub agent_id: String,
    /// How it was.
    pub state: State,
    /// Why, in a sentence.
    pub reason: String,
    /// Milliseconds since 1970 since when.
    pub since: i64,
    /// Its signs, on the clock of the boot.
    pub signs: Signs,
    /// What it said.
    pub heard: Heard,
}

impl Roster {
    /// Every agent as a restart shall find it.
    pub fn record(&self, now: Clocks) -> Vec<AgentRecord> {
        let agents = self.all().map(|(_, watched)| AgentRecord {
            cell_id: watched.cell.as_ref().map(ToString::to_string),
            agent_id: watched.agent.to_string(),
            state: watched.state,
            reason: watched.verdict(now.up).reason.to_string(),
            since: watched.since.wall,
            signs: watched.signs.clone(),
            heard: watched.heard.clone(),
        });
        agents.collect()
    }

    /// Goes on from what was recorded, with grace for what was missed meanwhile. After a reboot (`is_same_boot` false)
    /// times of the boot's clock mean nothing: then only what agents said is kept. Who is not enrolled is passed over.
    pub fn go_on_from(&mut self, agents: Vec<AgentRecord>, is_same_boot: bool, now: Clocks) {
        for record in agents {
            let Ok(id) = AgentId::new(record.agent_id) else {
                continue;
            };
            let slot = match record.cell_id {
                None => self.take_in(&id, now),
                Some(cell) => match CellId::new(cell)
                    .map(|cell| self.find(id.as_str(), Some(cell.as_str())))
                {
                    Ok(Found::One(slot)) => slot,
                    _ => continue,
                },
            };
            let Some(watched) = self.get_mut(slot) else {
                continue;
            };
            watched.heard = record.heard;
            if !is_same_boot || record.signs.incarnation < watched.signs.incarnation {
                continue;
            }
            watched.signs = record.signs;
            watched.state = record.state;
            watched.since.wall = record.since;
            watched
                .signs
                .forgive(Since::Daemon, record.state, &watched.case.settings, now.up);
        }
    }
}
