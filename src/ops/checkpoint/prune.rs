//! Deleting old generations, never the newest good one.

use super::{newest, none_of, numbers};
use crate::base::error::{Error, Kind, Result};
use crate::base::ids::AgentId;
use crate::mission::checkpoint::surplus;
use crate::ops::session::Session;
use crate::store::cell::OpenCell;
use crate::store::layout;
use schemars::JsonSchema;
use serde::Serialize;

/// Generations that were deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Pruned {
    /// The folder's name of the cell.
    pub cell_id: String,
    /// Whose they were.
    pub agent_id: String,
    /// Their numbers.
    pub dropped: Vec<u64>,
    /// The numbers of those that are left.
    pub kept: Vec<u64>,
}

/// The generations of an agent that would be deleted if this many were kept.
pub fn to_prune(cell: &OpenCell, agent: &AgentId, keep: usize) -> Result<Vec<u64>> {
    let known = numbers(cell, agent)?;
    if known.is_empty() {
        crate::ops::agent::show(cell, agent)?;
        return Err(none_of(agent));
    }
    if known.len() <= keep {
        return Ok(Vec::new());
    }
    let Some(good) = newest(cell, agent)? else {
        return Err(Error::refused(format!(
            "no checkpoint of {agent} is good, so none is deleted"
        ))
        .hint(format!(
            "`mcell checkpoint verify {agent}` says what is wrong; `mcell checkpoint save {agent}` saves a good one"
        )));
    };
    Ok(surplus(&known, keep, Some(good.number)))
}

/// Deletes the generations of an agent but for the newest `keep`, and the newest one that is good.
pub fn prune(session: &Session, cell: &OpenCell, agent: &AgentId, keep: usize) -> Result<Pruned> {
    session.require_operator("delete checkpoints")?;
    let mut writing = session.write(cell, "checkpoint prune")?;
    let mut kept = numbers(cell, agent)?;
    let dropped = to_prune(cell, agent, keep)?;
    if !dropped.is_empty() {
        let list: Vec<String> = dropped.iter().map(u64::to_string).collect();
        writing.note(&format!(
            "deletes checkpoint {} of {agent}",
            list.join(", ")
        ))?;
    }
    for number in &dropped {
        let gone = writing.discard(&layout::generation(agent, *number));
        gone.map_err(|error| {
            let again =
                format!("some may be deleted: `mcell checkpoint list {agent}` shows what is left");
            error.of_kind(Kind::OutcomeUnknown).hint(again)
        })?;
    }
    kept.retain(|number| !dropped.contains(number));
    Ok(Pruned {
        cell_id: cell.id().to_string(),
        agent_id: agent.to_string(),
        kept,
        dropped,
    })
}
