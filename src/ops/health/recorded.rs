//! What the daemon wrote down last.

use super::{Health, Source};
use crate::base::clock::Time;
use crate::base::error::{Error, Kind, Result};
use crate::health::roster::{AgentRecord, CellReport, Counts, Overview};
use crate::health::state::State;
use crate::ops::find::{Known, Scope, known_cells};
use crate::store::health;
use crate::store::root::Root;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// What the daemon of a root wrote down last, agent by agent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recorded {
    /// When; none if nothing is known.
    pub at: Option<Time>,
    agents: HashMap<String, HashMap<String, AgentRecord>>,
}

impl Recorded {
    /// What is on file, which may be nothing.
    pub fn of(root: &Root) -> Result<Self> {
        let (record, lost) = health::read(root)?;
        if let Some(lost) = lost {
            return Err(Error::malformed(lost));
        }
        let Some(record) = record else {
            return Ok(Recorded::default());
        };
        let mut agents: HashMap<String, HashMap<String, AgentRecord>> = HashMap::new();
        for mut agent in record.agents {
            if let Some(cell) = agent.cell_id.take() {
                let of_cell = agents.entry(cell).or_default();
                of_cell.insert(agent.agent_id.clone(), agent);
            }
        }
        Ok(Recorded {
            at: record.at,
            agents,
        })
    }

    /// The same in a few words, for who shows it beside other things.
    pub fn note(&self, cell: &str, agent: &str) -> Option<Note> {
        let (record, at) = (self.agent(cell, agent)?, self.at?);
        let since = Time::from_unix(record.since.div_euclid(1000));
        Some(Note {
            status: record.status(),
            reason: record.reason.clone(),
            since: since.filter(|_| record.turned.is_none()).or(Some(at)),
            recorded_at: at,
        })
    }

    /// What is known of an agent of a cell.
    pub fn agent(&self, cell: &str, agent: &str) -> Option<&AgentRecord> {
        self.agents.get(cell)?.get(agent)
    }
}

/// How an agent was when the daemon last wrote that down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Note {
    /// How it was.
    pub status: State,
    /// Why, in a sentence.
    pub reason: String,
    /// Since when.
    pub since: Option<Time>,
    /// When it was written down.
    pub recorded_at: Time,
}

/// How everybody was, in the words of the daemon's answers. Exit 8 if nothing is on file.
pub(super) fn everything(root: &Root, scope: &Scope) -> Result<Health> {
    let (record, troubles) = super::written(root)?;
    let Some((record, at)) = record.and_then(|record| record.at.map(|at| (record, at))) else {
        let why = troubles.into_iter().next().unwrap_or_else(|| {
            format!(
                "no daemon of {} has written down how its agents are",
                root.path().display()
            )
        });
        return Err(Error::new(Kind::CouldNotTell, why).hint(
            "`mcell health` looks now; `mcell daemon` watches, and writes down what it sees",
        ));
    };
    let known = match scope {
        Scope::Root(root) => known_cells(root)?,
        Scope::Cell(cell) => vec![Known {
            id: cell.id().clone(),
            cell: cell.cell().ok(),
        }],
    };
    let mut cells: BTreeMap<String, CellReport> = known
        .into_iter()
        .map(|known| (known.id.to_string(), empty(&known)))
        .collect();
    let mut agents = Vec::with_capacity(record.agents.len());
    for agent in &record.agents {
        match agent.cell_id.as_ref().map(|cell| cells.get_mut(cell)) {
            None => {}
            // It was removed since.
            Some(None) => continue,
            Some(Some(cell)) => cell.count(agent.status()),
        }
        agents.push(agent.report(at.unix_milliseconds()));
    }
    Ok(Health {
        overview: Overview::of(at.unix_milliseconds(), agents, cells),
        source: Source::Recorded(at),
        troubles,
        untold: Vec::new(),
    })
}

fn empty(known: &Known) -> CellReport {
    let (name, status) = match &known.cell {
        Some(cell) => (cell.mission_name.clone(), Some(cell.status)),
        None => (String::new(), None),
    };
    CellReport::of(
        known.id.to_string(),
        name,
        status.map(|status| status.word().to_owned()),
        Counts::default(),
    )
}
