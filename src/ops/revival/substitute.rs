//! The last rung of the ladder: another agent takes the task over.

use crate::base::error::{Kind, Result};
use crate::base::ids::{AgentId, TaskId};
use crate::health::roster::Found;
use crate::health::state::State as Health;
use crate::mission::agent::AgentStatus;
use crate::mission::policy::{Effective, HandoffApproval};
use crate::mission::revival::Revival;
use crate::ops::agent::show;
use crate::ops::find::Scope;
use crate::ops::health::{Eye, Look};
use crate::ops::session::Session;
use crate::ops::{handoff, presence};
use crate::store::cell::OpenCell;
use crate::store::root::Root;

/// The task of an agent that does not come back goes to the first of its cell's substitutes that is alive, idle, and may and
/// can do it, and its request says so. No lock of the cell is held; the agent's `.act` is.
pub(super) fn hand_on(
    session: &Session,
    cell: &OpenCell,
    id: &AgentId,
    open: &mut Revival,
) -> Result<()> {
    if let Some(done) = try_each(session, cell, id, &open.reason)? {
        let why = open.why.take();
        open.why = Some(why.map_or(done.clone(), |why| format!("{why}; {done}")));
    }
    Ok(())
}

/// Gives what was done, in words; none if there is nothing to hand on, or nobody.
fn try_each(session: &Session, cell: &OpenCell, id: &AgentId, why: &str) -> Result<Option<String>> {
    let Some(task) = show(cell, id)?.current_task else {
        return Ok(None);
    };
    let policies = cell.policies()?;
    let policies = Effective::of(&cell.cell()?, policies.as_ref());
    let named = &policies.substitute_agents.value;
    let named = named.iter().filter_map(|id| AgentId::new(id.as_str()).ok());
    let mut idle = Vec::new();
    for other in named.filter(|other| other != id) {
        let agent = cell.agent(&other)?;
        let is_idle =
            agent.is_some_and(|one| one.status == AgentStatus::Idle && one.current_task.is_none());
        idle.extend(is_idle.then_some(other));
    }
    if idle.is_empty() {
        return Ok(None);
    }
    let task = TaskId::new(task.as_str())?;
    let reason = format!("{id} does not come back: {why}");
    for other in alive(session, cell, idle)? {
        if policies.handoff_approval.value == HandoffApproval::Manual {
            return Ok(Some(format!(
                "{other} could take {task}, if an operator agrees: `mcell handoff {task} --to {other}`"
            )));
        }
        match handoff::hand_over(session, cell, &task, &other, Some(&reason)) {
            Ok(_) => return Ok(Some(format!("{other} takes {task} over"))),
            // That one may not, or cannot; the next may.
            Err(error) if error.kind() == Kind::Refused => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Those of them that are alive: as the daemon knows it, if one runs, else as one look finds.
fn alive(session: &Session, cell: &OpenCell, agents: Vec<AgentId>) -> Result<Vec<AgentId>> {
    let root = Root::open(cell.root_folder()?.path())?;
    let eye = match presence::look(&root)?.running() {
        Some(_) => Eye::Watched,
        None => Eye::Asks,
    };
    let scope = Scope::Cell(OpenCell::open(cell.path())?);
    let look = Look::at(session, &scope, Some(&agents), eye)?;
    let lives = |id: &AgentId| {
        let Found::One(slot) = look.roster.find(id.as_str(), Some(cell.id().as_str())) else {
            return false;
        };
        let report = look.roster.report(slot, look.now);
        report.is_some_and(|agent| matches!(agent.status, Health::Healthy | Health::Degraded))
    };
    Ok(agents.into_iter().filter(lives).collect())
}
