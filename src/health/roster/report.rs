//! What is told of agents and cells, in the fleet's words: times are seconds since 1970.

use super::{Housed, Roster, Slot, Watched};
use crate::base::boot::Clocks;
use crate::health::state::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};

/// One agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AgentReport {
    /// Its id.
    pub agent_id: String,
    /// How it is.
    pub status: State,
    /// When its last beat came, in seconds since 1970.
    pub last_heartbeat: Option<f64>,
    /// When it was last heard of in any way, in seconds since 1970.
    pub last_response: Option<f64>,
    /// Failures in a row, of its gateway or reported.
    pub consecutive_failures: u64,
    /// Seconds that its gateway took to answer.
    pub response_time: Option<f64>,
    /// The last words of what fails, while something does.
    pub error_message: Option<String>,
    /// What it wants to be known of it.
    pub metadata: Map<String, Value>,
    /// The folder's name of its cell; null if it is in none.
    pub cell_id: Option<String>,
    /// Which life of it this is.
    pub incarnation: u64,
    /// What it last said that it does, in its own words.
    #[serde(default)]
    pub says: Option<String>,
    /// Why it is as it is, in a sentence.
    pub reason: String,
    /// Since when it is so, in seconds since 1970.
    pub since: f64,
    /// Seconds it has made no progress, where that is longer than its task should take.
    pub stalled: Option<u64>,
}

/// How many agents are how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Whatever is due from them comes.
    pub healthy: usize,
    /// Something is missing.
    pub degraded: usize,
    /// Dead, silent or failing.
    pub unhealthy: usize,
    /// Nothing can be said of them.
    pub unknown: usize,
}

impl Counts {
    /// Counts one more.
    pub fn add(&mut self, state: State) {
        *match state {
            State::Healthy => &mut self.healthy,
            State::Degraded => &mut self.degraded,
            State::Unhealthy => &mut self.unhealthy,
            State::Unknown => &mut self.unknown,
        } += 1;
    }

    /// These and those.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Counts {
            healthy: self.healthy + other.healthy,
            degraded: self.degraded + other.degraded,
            unhealthy: self.unhealthy + other.unhealthy,
            unknown: self.unknown + other.unknown,
        }
    }

    /// All of them.
    pub const fn all(&self) -> usize {
        self.healthy + self.degraded + self.unhealthy + self.unknown
    }

    /// How many are so.
    pub const fn of(&self, state: State) -> usize {
        match state {
            State::Healthy => self.healthy,
            State::Degraded => self.degraded,
            State::Unhealthy => self.unhealthy,
            State::Unknown => self.unknown,
        }
    }
}

/// One cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CellReport {
    /// The folder's name.
    pub cell_id: String,
    /// The mission's name.
    pub mission_name: String,
    /// active, paused, completed, failed; null if cell.json cannot be read.
    pub status: Option<String>,
    /// Its agents.
    pub total_agents: usize,
    /// Of these, how many are healthy.
    pub healthy: usize,
    /// How many are degraded.
    pub degraded: usize,
    /// How many are unhealthy.
    pub unhealthy: usize,
    /// Of how many nothing can be said.
    pub unknown: usize,
}

impl CellReport {
    /// A cell with so many agents that are so.
    pub fn of(
        cell_id: String,
        mission_name: String,
        status: Option<String>,
        counts: Counts,
    ) -> Self {
        CellReport {
            cell_id,
            mission_name,
            status,
            total_agents: counts.all(),
            healthy: counts.healthy,
            degraded: counts.degraded,
            unhealthy: counts.unhealthy,
            unknown: counts.unknown,
        }
    }

    /// Counts one more agent.
    pub fn count(&mut self, state: State) {
        self.total_agents += 1;
        *match state {
            State::Healthy => &mut self.healthy,
            State::Degraded => &mut self.degraded,
            State::Unhealthy => &mut self.unhealthy,
            State::Unknown => &mut self.unknown,
        } += 1;
    }
}

/// Everything: `GET /health`. `A` is every agent by its key: what was read, or those of a roster on their way out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Overview")]
pub struct Overview<A = BTreeMap<String, AgentReport>> {
    /// When, in seconds since 1970.
    pub timestamp: f64,
    /// How many cells there are.
    pub total_cells: usize,
    /// How many agents, those of no cell too.
    pub total_agents: usize,
    /// Of these, how many are healthy.
    pub healthy: usize,
    /// How many are degraded.
    pub degraded: usize,
    /// How many are unhealthy.
    pub unhealthy: usize,
    /// Of how many nothing can be said.
    pub unknown: usize,
    /// Every agent: by its id, or by `cell_id/agent_id` where its id is in several cells.
    pub agents: A,
    /// Every cell, by its id.
    pub cells: BTreeMap<String, CellReport>,
}

/// Milliseconds as the fleet writes times: seconds since 1970.
pub fn seconds(milliseconds: i64) -> f64 {
    #[allow(
        clippy::cast_precision_loss,
        reason = "milliseconds of the years to come fit into a float exactly"
    )]
    let exact = milliseconds as f64;
    exact / 1000.0
}

impl Watched {
    /// What is told of it.
    pub fn report(&self, now: Clocks) -> AgentReport {
        let verdict = self.verdict(now.up);
        let since = if verdict.state == self.state {
            self.since
        } else {
            now
        };
        AgentReport {
            agent_id: self.agent.to_string(),
            status: verdict.state,
            last_heartbeat: self.heard.beat.map(seconds),
            last_response: self.heard.contact.map(seconds),
            consecutive_failures: self.signs.failures(),
            response_time: self.heard.response_time,
            error_message: self.signs.error().map(str::to_owned),
            metadata: self.heard.metadata.clone(),
            cell_id: self.cell.as_ref().map(ToString::to_string),
            incarnation: self.signs.incarnation,
            says: self.heard.status.clone(),
            reason: verdict.reason.to_string(),
            since: seconds(since.wall),
            stalled: verdict.stalled,
        }
    }
}

impl Roster {
    /// What is told of an agent.
    pub fn report(&self, slot: Slot, now: Clocks) -> Option<AgentReport> {
        self.get(slot).map(|watched| watched.report(now))
    }

    /// What is told of a cell.
    pub fn cell_report(&self, id: &str, now: Clocks) -> Option<CellReport> {
        let housed = self.cells.get(id)?;
        Some(self.report_of(housed, now))
    }

    /// What is told of every cell, by its id.
    pub fn cell_reports(&self, now: Clocks) -> BTreeMap<String, CellReport> {
        let reports = self
            .cells
            .iter()
            .map(|(id, housed)| (id.to_string(), self.report_of(housed, now)));
        reports.collect()
    }

    fn report_of(&self, housed: &Housed, now: Clocks) -> CellReport {
        let mut counts = Counts::default();
        for watched in housed.slots.iter().filter_map(|slot| self.get(*slot)) {
            counts.add(watched.verdict(now.up).state);
        }
        let census = &housed.census;
        CellReport::of(
            census.cell_id.to_string(),
            census.mission_name.clone(),
            census.status.map(|status| status.word().to_owned()),
            counts,
        )
    }

    /// How many agents are how, as it was when that was last asked.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.all()
            .for_each(|(_, watched)| counts.add(watched.state));
        counts
    }

    /// The cells with unhealthy agents, and how many each has, as it was when that was last asked.
    pub fn unhealthy_cells(&self) -> Vec<(String, usize)> {
        let is_ill = |slot: &&Slot| {
            self.get(**slot)
                .is_some_and(|one| one.state == State::Unhealthy)
        };
        let cells = self
            .cells
            .iter()
            .map(|(id, housed)| (id, housed.slots.iter().filter(is_ill).count()));
        cells
            .filter(|(_, ill)| *ill > 0)
            .map(|(id, ill)| (id.to_string(), ill))
            .collect()
    }

    /// Everything.
    pub fn overview(&self, now: Clocks) -> Overview<Told<'_>> {
        let mut counts = Counts::default();
        let mut keys: Vec<(String, &Watched)> = self
            .all()
            .map(|(_, watched)| {
                counts.add(watched.verdict(now.up).state);
                let id = watched.agent.as_str();
                let is_alone = self.by_id.get(id).is_some_and(|slots| slots.len() == 1);
                (key(watched.cell.as_ref(), id, is_alone), watched)
            })
            .collect();
        keys.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        Overview::counted(now.wall, counts, Told { keys, now }, self.cell_reports(now))
    }
}

/// Every agent of a roster by its key, in order. Each is put into words when it is written: all of them at once would be
/// as much memory again.
#[derive(Debug)]
pub struct Told<'r> {
    keys: Vec<(String, &'r Watched)>,
    now: Clocks,
}

impl Serialize for Told<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let agents = self.keys.iter();
        out.collect_map(agents.map(|(key, watched)| (key, watched.report(self.now))))
    }
}

/// By what an agent is found among all: its id, with its cell where others have the same.
fn key(cell: Option<&impl std::fmt::Display>, id: &str, is_alone: bool) -> String {
    match cell {
        Some(cell) if !is_alone => format!("{cell}/{id}"),
        _ => id.to_owned(),
    }
}

impl<A> Overview<A> {
    fn counted(wall: i64, counts: Counts, agents: A, cells: BTreeMap<String, CellReport>) -> Self {
        Overview {
            timestamp: seconds(wall),
            total_cells: cells.len(),
            total_agents: counts.all(),
            healthy: counts.healthy,
            degraded: counts.degraded,
            unhealthy: counts.unhealthy,
            unknown: counts.unknown,
            agents,
            cells,
        }
    }
}

impl Overview {
    /// Everything, of what is told of each. `wall`: milliseconds since 1970 at which it is so.
    pub fn of(wall: i64, agents: Vec<AgentReport>, cells: BTreeMap<String, CellReport>) -> Self {
        let mut cells_of: HashMap<&str, usize> = HashMap::new();
        let mut counts = Counts::default();
        for agent in &agents {
            *cells_of.entry(agent.agent_id.as_str()).or_default() += 1;
            counts.add(agent.status);
        }
        let keys: Vec<String> = agents
            .iter()
            .map(|agent| {
                let id = agent.agent_id.as_str();
                key(agent.cell_id.as_ref(), id, cells_of.get(id) == Some(&1))
            })
            .collect();
        let agents = keys.into_iter().zip(agents).collect();
        Overview::counted(wall, counts, agents, cells)
    }

    /// A part of it: those agents that are meant, of one cell or of all; a cell counts those that are left of it.
    #[must_use]
    pub fn only(self, is_meant: impl Fn(&AgentReport) -> bool, cell: Option<&str>) -> Self {
        let is_of = |id: Option<&str>| cell.is_none_or(|cell| id == Some(cell));
        let agents: Vec<AgentReport> = self
            .agents
            .into_values()
            .filter(|agent| is_of(agent.cell_id.as_deref()) && is_meant(agent))
            .collect();
        let mut cells = BTreeMap::new();
        for (id, known) in self.cells {
            if !is_of(Some(&id)) {
                continue;
            }
            let mut counts = Counts::default();
            let of_cell = agents
                .iter()
                .filter(|agent| agent.cell_id.as_ref() == Some(&id));
            of_cell.for_each(|agent| counts.add(agent.status));
            let cell = CellReport::of(known.cell_id, known.mission_name, known.status, counts);
            cells.insert(id, cell);
        }
        Overview {
            timestamp: self.timestamp,
            ..Overview::of(0, agents, cells)
        }
    }

    /// Two of different parts as one, of the later moment.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let timestamp = self.timestamp.max(other.timestamp);
        let agents = self.agents.into_values().chain(other.agents.into_values());
        let cells = self.cells.into_iter().chain(other.cells).collect();
        Overview {
            timestamp,
            ..Overview::of(0, agents.collect(), cells)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::AgentId;
    use crate::health::settings::Settings;

    #[test]
    fn all_are_told_in_the_same_words_one_at_a_time_or_at_once() {
        let now = Clocks::default();
        let mut roster = Roster::new(Settings::default());
        for id in ["b", "c", "a"] {
            roster.take_in(&AgentId::new(id).unwrap(), now);
        }
        let agents = roster.all().map(|(_, watched)| watched.report(now));
        let at_once = Overview::of(now.wall, agents.collect(), BTreeMap::new());
        let text = serde_json::to_string(&roster.overview(now)).unwrap();
        assert_eq!(text, serde_json::to_string(&at_once).unwrap());
    }
}
