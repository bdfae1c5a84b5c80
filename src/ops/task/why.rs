//! Why a task is not ready, who may take it, and what waits for it.

use crate::base::clock::Time;
use crate::base::error::{Error, Result};
use crate::base::ids::{AgentId, TaskId};
use crate::mission::agent::Agent;
use crate::mission::claim::{self, Claimant, Wanted};
use crate::mission::lease::Lease;
use crate::ops::session::Session;
use crate::ops::task::{look, not_here};
use crate::store::cell::OpenCell;
use crate::store::fence;
use schemars::JsonSchema;
use serde::Serialize;

/// What is known of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Reasons {
    /// The folder's name of its cell.
    pub cell_id: String,
    /// The task.
    pub task_id: String,
    /// What it is.
    pub title: String,
    /// Its state.
    pub status: String,
    /// Whether it may be taken now.
    pub ready: bool,
    /// Why not, a sentence each.
    pub because: Vec<String>,
    /// Who holds it.
    pub held_by: Option<String>,
    /// When its lease lapses, if its holder gives no sign until then.
    pub lapses_at: Option<Time>,
    /// Whether that lease stands still, because the cell or the holder is paused.
    pub lease_stands_still: bool,
    /// Seconds by which it is late.
    pub overdue: Option<u64>,
    /// What each agent would meet who wanted it.
    pub agents: Vec<Candidate>,
    /// Tasks that wait for it.
    pub awaited_by: Vec<String>,
    /// What happens next, and who makes it happen.
    pub next: String,
}

/// An agent, and whether it may take the task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Candidate {
    /// The agent.
    pub agent_id: String,
    /// Whether it may take the task as soon as that is ready.
    pub may: bool,
    /// Why not, a sentence each.
    pub because: Vec<String>,
}

/// Says what is known of a task, and what could not be read on the way.
pub fn why(session: &Session, cell: &OpenCell, id: &TaskId) -> Result<(Reasons, Vec<Error>)> {
    let mut seen = look(session, cell)?;
    let mut troubles = std::mem::take(&mut seen.troubles);
    let now = session.env.clock.now();
    let task = match seen.tasks.get(id.as_str()) {
        Some(task) if seen.shows(id.as_str()) => task,
        // Why it cannot be read is the answer.
        _ => &cell.task(id)?.ok_or_else(|| not_here(cell, id))?,
    };
    let because = seen.tasks.why_not_ready(id.as_str(), seen.acting_status());
    let lease = fence::lease_of(cell, id.as_str())?;
    let held_by = task.holder().map(str::to_owned);
    let agents = candidates(cell, &seen, id, task, &mut troubles)?;
    let awaited_by = seen.tasks.awaited_by(id.as_str());
    let awaited_by: Vec<String> = awaited_by.iter().map(|(id, _)| (*id).to_owned()).collect();
    let ready = because.is_empty();
    let reasons = Reasons {
        next: next(id, task, ready, &agents, lease.as_ref()),
        cell_id: cell.id().to_string(),
        task_id: id.to_string(),
        title: task.title.clone(),
        status: task.status.word().to_owned(),
        ready,
        because,
        lapses_at: held_by
            .as_ref()
            .and_then(|_| task.claim.as_ref().and_then(|claim| claim.expires_at)),
        lease_stands_still: lease.is_some_and(|lease| lease.left.is_some()),
        held_by,
        overdue: task.overdue(now),
        agents,
        awaited_by,
    };
    Ok((reasons, troubles))
}

fn candidates(
    cell: &OpenCell,
    seen: &super::Seen,
    id: &TaskId,
    task: &crate::mission::task::Task,
    troubles: &mut Vec<Error>,
) -> Result<Vec<Candidate>> {
    let permissions = cell.permissions()?;
    let mut all = Vec::new();
    for agent_id in cell.agent_ids()? {
        let agent = match cell.agent(&agent_id) {
            Ok(Some(agent)) => agent,
            Ok(None) => continue,
            Err(error) => {
                troubles.push(error);
                continue;
            }
        };
        let busy_with = held_by(seen, &agent_id, &agent);
        let wanted = Wanted {
            id: id.as_str(),
            task,
            cell: seen.acting_status(),
            waits_for: &[],
        };
        let claimant = Claimant {
            id: agent_id.as_str(),
            agent: &agent,
            permissions: permissions.as_ref(),
            busy_with: busy_with.as_deref(),
        };
        let hindrances = claim::hindrances(wanted, claimant);
        let because: Vec<String> = hindrances
            .iter()
            .filter(|hindrance| !hindrance.is_of_the_task())
            .map(|hindrance| hindrance.words(agent_id.as_str(), id.as_str()))
            .collect();
        all.push(Candidate {
            agent_id: agent_id.to_string(),
            may: because.is_empty(),
            because,
        });
    }
    Ok(all)
}

/// The task that an agent holds, as it can be seen.
fn held_by(seen: &super::Seen, id: &AgentId, agent: &Agent) -> Option<String> {
    let held = seen
        .tasks
        .all()
        .find(|(_, task)| task.holder() == Some(id.as_str()));
    held.map(|(task, _)| task.to_owned()).or_else(|| {
        let current = agent.current_task.as_deref()?;
        let is_own = seen.tasks.get(current)?.holder() == Some(id.as_str());
        is_own.then(|| current.to_owned())
    })
}

fn next(
    id: &TaskId,
    task: &crate::mission::task::Task,
    ready: bool,
    agents: &[Candidate],
    lease: Option<&Lease>,
) -> String {
    use crate::mission::task::TaskStatus::{Completed, Failed, InProgress, Pending};
    match task.status {
        Completed => String::from("nothing: it is done"),
        Failed => format!("nothing by itself; `mcell task retry {id}` makes it pending again"),
        InProgress => match (task.holder(), lease) {
            (Some(holder), Some(_)) => {
                format!(
                    "{holder} completes it, or gives no sign until its lease lapses: then it is free again"
                )
            }
            (Some(holder), None) => {
                format!(
                    "{holder} completes it; it is free again only when {holder} is gone, or by `mcell task release {id}`"
                )
            }
            (None, _) => format!("nobody is known to hold it; `mcell task release {id}` frees it"),
        },
        Pending if !ready => String::from("it is ready when what stands in the way is done"),
        Pending => match agents.iter().find(|candidate| candidate.may) {
            Some(first) => format!(
                "whoever comes first takes it: `mcell task claim {id} --as {}`",
                first.agent_id
            ),
            None => String::from("nothing: no agent of the cell may take it now"),
        },
    }
}
