//! What a restart must not forget: the signs of every agent, written once a sweep.

use super::{AgentReport, Found, Heard, Roster, Watched, seconds};
use crate::base::boot::Clocks;
use crate::base::clock::Time;
use crate::base::ids::{AgentId, CellId};
use crate::health::Up;
use crate::health::incident::Incidents;
use crate::health::mass::Mass;
use crate::health::reason::Since;
use crate::health::signs::Signs;
use crate::health::state::State;
use serde::{Deserialize, Serialize, Serializer};

/// The form of the record that is written.
pub const VERSION: u32 = 1;

/// `<root>/.mcell/health.json`. `A` is a list of agents: what was read, or those of a roster on their way to the file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record<A: Default = Vec<AgentRecord>> {
    /// The form of it.
    pub version: u32,
    /// When it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
    /// The boot that its times belong to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boot: Option<String>,
    /// When it was written, in milliseconds since that boot.
    pub up: Up,
    /// How many fell at once.
    pub mass: Mass,
    /// Every agent.
    pub agents: A,
    /// What people were told of: agents that are ill.
    pub incidents: Incidents,
    /// The same: agents that live and make no progress.
    pub stalls: Incidents,
    /// Of that, what is told by who keeps it for them only from the next moment on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub untold: Vec<serde_json::Value>,
}

impl<A: Default> Record<A> {
    /// What is in it beside the agents and the time.
    pub fn beside_agents(&self) -> Record<()> {
        Record {
            version: self.version,
            at: None,
            boot: self.boot.clone(),
            up: 0,
            mass: self.mass.clone(),
            agents: (),
            incidents: self.incidents.clone(),
            stalls: self.stalls.clone(),
            untold: self.untold.clone(),
        }
    }
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
    /// How it was when somebody last looked: what people were told.
    pub state: State,
    /// How it was when this was written, where that is something else: nobody looked since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turned: Option<State>,
    /// Why it was so when this was written, in a sentence.
    pub reason: String,
    /// Milliseconds since 1970 since when.
    pub since: i64,
    /// Its signs, on the clock of the boot.
    pub signs: Signs,
    /// What it said.
    pub heard: Heard,
}

impl AgentRecord {
    /// What is told of it: as it was when it was written down, at so many milliseconds since 1970.
    pub fn report(&self, wall: i64) -> AgentReport {
        AgentReport {
            agent_id: self.agent_id.clone(),
            status: self.status(),
            last_heartbeat: self.heard.beat.map(seconds),
            last_response: self.heard.contact.map(seconds),
            consecutive_failures: self.signs.failures(),
            response_time: self.heard.response_time,
            error_message: self.signs.error().map(str::to_owned),
            metadata: self.heard.metadata.clone(),
            cell_id: self.cell_id.clone(),
            incarnation: self.signs.incarnation,
            says: self.heard.status.clone(),
            reason: self.reason.clone(),
            since: seconds(if self.turned.is_some() {
                wall
            } else {
                self.since
            }),
            stalled: None,
        }
    }

    /// How it was when it was written down.
    pub fn status(&self) -> State {
        self.turned.unwrap_or(self.state)
    }
}

/// Every agent of a roster as a restart shall find it. Each is put into words when it is written: all of them at once
/// would be as much memory again.
#[derive(Clone, Copy, Debug, Default)]
pub struct Written<'r>(Option<(&'r Roster, Clocks)>);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let agents = self.0.into_iter().flat_map(|(roster, now)| {
            let agents = roster.all();
            agents.map(move |(_, watched)| watched.record(now))
        });
        out.collect_seq(agents)
    }
}

impl Watched {
    fn record(&self, now: Clocks) -> AgentRecord {
        let verdict = self.verdict(now.up);
        AgentRecord {
            cell_id: self.cell.as_ref().map(ToString::to_string),
            agent_id: self.agent.to_string(),
            state: self.state,
            turned: Some(verdict.state).filter(|state| *state != self.state),
            reason: verdict.reason.to_string(),
            since: self.since.wall,
            signs: self.signs.clone(),
            heard: self.heard.clone(),
        }
    }
}

impl Roster {
    /// Every agent as a restart shall find it.
    pub fn record(&self, now: Clocks) -> Written<'_> {
        Written(Some((self, now)))
    }

    /// Goes on from what was recorded, with grace for what was missed meanwhile. After a reboot (`is_same_boot` false)
    /// times of the boot's clock mean nothing: then only what agents said is kept. Who is not enrolled is passed over.
    pub fn go_on_from(&mut self, agents: Vec<AgentRecord>, is_same_boot: bool, now: Clocks) {
        for record in agents {
            let state = record.state;
            if let Some(watched) = self.restore(record, is_same_boot, now) {
                watched
                    .signs
                    .forgive(Since::Daemon, state, &watched.case.settings, now.up);
            }
        }
    }

    /// Takes what was recorded as one does who looks once: no grace is given, since nobody waits, and what was silent since
    /// may have spoken where nobody heard it.
    pub fn recall(&mut self, record: Option<Record>, boot: Option<&str>, now: Clocks) {
        let record = record.unwrap_or_default();
        let of_no_cell = record.agents.iter().filter(|one| one.cell_id.is_none());
        for id in of_no_cell.filter_map(|one| AgentId::new(one.agent_id.as_str()).ok()) {
            self.take_in(&id, now);
        }
        for (_, watched) in self.all_mut() {
            watched.signs = Signs::unwatched(watched.signs.incarnation, now.up);
        }
        let is_same_boot = boot.is_some() && record.boot.as_deref() == boot;
        for agent in record.agents {
            if let Some(watched) = self.restore(agent, is_same_boot, now) {
                watched
                    .signs
                    .nobody_listened_since(&watched.case, record.up.min(now.up));
            }
        }
    }

    /// Gives an agent back what was recorded of it; none if there is no such agent, or nothing to go on from.
    fn restore(
        &mut self,
        record: AgentRecord,
        is_same_boot: bool,
        now: Clocks,
    ) -> Option<&mut Watched> {
        let id = AgentId::new(record.agent_id).ok()?;
        let slot = match record.cell_id {
            None => self.take_in(&id, now),
            Some(cell) => match self.find(id.as_str(), Some(CellId::new(cell).ok()?.as_str())) {
                Found::One(slot) => slot,
                _ => return None,
            },
        };
        let watched = self.get_mut(slot)?;
        watched.heard = record.heard;
        if !is_same_boot || record.signs.incarnation < watched.signs.incarnation {
            return None;
        }
        watched.signs = record.signs;
        watched.state = record.state;
        watched.since.wall = record.since;
        Some(watched)
    }
}
