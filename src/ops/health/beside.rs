//! How agents are, for a scan that looks at their cell anyway: what the daemon wrote down, and where none runs what their
//! signs on file say. No gateway is asked.

use super::{Recorded, look};
use crate::base::boot::Clocks;
use crate::base::error::{Error, Result};
use crate::health::roster::{Counts, Record, Roster};
use crate::health::settings::Settings;
use crate::health::state::State;
use crate::mission::survey::Survey;
use crate::ops::config;
use crate::ops::gateway::Gateways;
use crate::ops::session::Session;
use crate::store::cell::OpenCell;
use crate::store::census;
use crate::store::health;
use crate::store::root::Root;
use std::collections::HashMap;
use std::sync::Arc;

/// How the agents of a cell are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CellHealth {
    /// How many are how.
    pub counts: Counts,
    /// Those who are unhealthy, and why.
    pub ill: Vec<(String, String)>,
    /// Why more may be wrong than can be told, if so.
    pub untold: Option<String>,
}

/// What a scan knows of agents before it looks at their cells.
#[derive(Debug)]
pub struct Beside(Known);

#[derive(Debug)]
enum Known {
    /// A daemon runs, and wrote this down a sweep ago at most.
    Watched(Recorded),
    /// None runs.
    Alone(Box<Alone>),
}

/// What whoever looks alone goes on from.
#[derive(Debug)]
struct Alone {
    usual: Settings,
    gateways: Gateways,
    /// What the last daemon wrote down, by cell.
    records: HashMap<String, Record>,
    boot: Option<String>,
    now: Clocks,
}

impl Beside {
    /// Of a root. What could not be read goes to the troubles, a sentence each.
    pub fn of(
        session: &Session,
        root: Option<&Root>,
        is_watched: bool,
        troubles: &mut Vec<String>,
    ) -> Self {
        let mut or_not = |error: Error| troubles.push(error.to_string());
        if is_watched {
            let recorded = root.map(Recorded::of).transpose();
            let recorded = recorded.map_err(&mut or_not).ok().flatten();
            return Beside(Known::Watched(recorded.unwrap_or_default()));
        }
        let config = config::read(&session.env, None).map(|reading| reading.config);
        let config = config.map_err(&mut or_not).unwrap_or_default();
        let records = root.map(by_cell).transpose().map_err(or_not);
        let alone = Alone {
            usual: config.usual(),
            gateways: config.gateways,
            records: records.ok().flatten().unwrap_or_default(),
            boot: session.moment().boot,
            now: Clocks::now(session.env.clock),
        };
        Beside(Known::Alone(Box::new(alone)))
    }

    /// How the agents of a surveyed cell are; none where nothing is known of any.
    pub fn cell(&self, survey: &Survey<'_>, cell: Option<&OpenCell>) -> Option<CellHealth> {
        match &self.0 {
            Known::Watched(recorded) => watched(recorded, survey),
            Known::Alone(alone) => alone.look(survey, cell?),
        }
    }
}

fn watched(recorded: &Recorded, survey: &Survey<'_>) -> Option<CellHealth> {
    recorded.at?;
    let mut health = CellHealth::default();
    for sheet in &survey.agents {
        let record = recorded.agent(survey.folder, sheet.stem());
        let state = record.map_or(State::Unknown, |record| record.status());
        let reason = record.map(|record| record.reason.as_str());
        health.add(sheet.stem(), state, reason.unwrap_or_default());
    }
    Some(health)
}

impl CellHealth {
    fn add(&mut self, agent: &str, state: State, reason: &str) {
        self.counts.add(state);
        if state == State::Unhealthy {
            self.ill.push((agent.to_owned(), reason.to_owned()));
        }
    }
}

impl Alone {
    fn look(&self, survey: &Survey<'_>, cell: &OpenCell) -> Option<CellHealth> {
        let record = self.records.get(survey.folder);
        let look = census::look_beside(survey, cell, record.is_some())?;
        let untold = look.census.troubles.first().cloned();
        let census = Arc::new(look.census);
        let mut roster = Roster::new(self.usual.clone());
        let target = |agent: &crate::mission::census::AgentCensus| {
            let target = look::target_of(&self.gateways, cell.path(), agent).ok()??;
            Some(Arc::from(target.address.to_string()))
        };
        roster.enrol(&census, target, self.now);
        roster.recall(record.cloned(), self.boot.as_deref(), self.now);
        look::hear(
            &mut roster,
            cell.id(),
            &look.beats,
            self.boot.as_deref(),
            self.now,
        );
        let mut health = CellHealth {
            untold,
            ..CellHealth::default()
        };
        for (_, watched) in roster.all_mut() {
            watched.signs.settle(&watched.case, self.now.up);
            let verdict = watched.verdict(self.now.up);
            health.add(
                watched.agent.as_str(),
                verdict.state,
                &verdict.reason.to_string(),
            );
        }
        Some(health)
    }
}

/// What was written down, as one record for each cell.
fn by_cell(root: &Root) -> Result<HashMap<String, Record>> {
    let (record, lost) = health::read(root)?;
    if let Some(lost) = lost {
        return Err(Error::malformed(lost));
    }
    let Some(record) = record else {
        return Ok(HashMap::new());
    };
    let mut records: HashMap<String, Record> = HashMap::new();
    for agent in record.agents {
        if let Some(cell) = &agent.cell_id {
            let of_cell = records.entry(cell.clone()).or_insert_with(|| Record {
                version: record.version,
                at: record.at,
                boot: record.boot.clone(),
                up: record.up,
                ..Record::default()
            });
            of_cell.agents.push(agent);
        }
    }
    Ok(records)
}
