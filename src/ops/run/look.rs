//! The life of an agent that mcell starts, as its runner tells it.

use super::state::State;
use crate::base::clock::Time;
use crate::base::error::Result;
use crate::base::ids::AgentId;
use crate::mission::run::Wanted;
use crate::store::cell::OpenCell;
use crate::store::run;
use schemars::JsonSchema;
use serde::Serialize;

/// The life of an agent that was begun last.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct LifeSeen {
    /// Its number: each start raises it.
    pub incarnation: u64,
    /// Whether the agent is to run.
    pub wanted: bool,
    /// Its process; null if nothing of it runs.
    pub pid: Option<u32>,
    /// When that was started.
    pub started_at: Option<Time>,
    /// How it ended; null while it runs, and where its runner was killed.
    pub ended: Option<String>,
}

/// The life of an agent that was begun last; none if mcell never started it.
pub fn seen(cell: &OpenCell, id: &AgentId) -> Result<Option<LifeSeen>> {
    let state = State::seen(cell, id)?;
    let Some(wanted) = state.wanted() else {
        return Ok(None);
    };
    let lives = run::lives(cell.folder(), id)?;
    let note = run::read(cell.folder(), id)?.unwrap_or_default();
    Ok(Some(LifeSeen {
        incarnation: note.incarnation,
        wanted: wanted == Wanted::Running,
        pid: note.pid.filter(|_| lives),
        started_at: note.started_at,
        ended: note.end.filter(|_| !lives).map(|end| end.to_string()),
    }))
}

/// The agents of a cell of which something runs, or is just being started.
pub fn running(cell: &OpenCell) -> Result<Vec<AgentId>> {
    let mut running = Vec::new();
    for id in cell.agent_ids()? {
        if run::lives(cell.folder(), &id)? || run::is_in_hand(cell.folder(), &id)? {
            running.push(id);
        }
    }
    Ok(running)
}

impl LifeSeen {
    /// "pid 4711, incarnation 6", or how the life ended.
    pub fn words(&self) -> String {
        let number = self.incarnation;
        match (self.pid, &self.ended) {
            (Some(pid), _) => format!("pid {pid}, incarnation {number}"),
            (None, Some(ended)) => format!("none; incarnation {number} ended: {ended}"),
            (None, None) => format!("none; the end of incarnation {number} was not seen"),
        }
    }
}
