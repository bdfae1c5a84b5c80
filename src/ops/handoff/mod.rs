//! What one can do with handoffs: hand a task over at once, offer it, accept, decline, approve, list.

mod answer;
mod give;
mod look;
mod pass;
#[cfg(test)]
mod tests;

pub use answer::{accept, approve, decline};
pub use give::{hand_over, offer};
pub use look::{Listed, list, list_in};

use crate::base::boot::Moment;
use crate::base::clock::Time;
use crate::base::error::{Error, Kind, Result};
use crate::base::ids::{AgentId, CellId, HandoffId, TaskId};
use crate::base::text::shown;
use crate::mission::agent::Agent;
use crate::mission::handoff::{Approval, Carried, Handoff, HandoffState, Moot};
use crate::mission::task::{Claim, Task};
use crate::ops::due;
use crate::store::commit::Writing;
use crate::store::fence::{self, Fence, Offer};
use crate::store::{handoff, layout};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// A handoff as it is told.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "handoff")]
pub struct Told {
    /// The cell it is in.
    pub cell_id: String,
    /// Its id.
    pub id: String,
    /// The task.
    pub task_id: String,
    /// The agent that gives it; null where nobody held the task.
    pub from: Option<String>,
    /// The agent that shall have it.
    pub to: String,
    /// Who asked for it: an operator's name or an agent's id.
    pub by: String,
    /// Why, where somebody said so.
    pub reason: Option<String>,
    /// Its state.
    pub state: HandoffState,
    /// Whether an operator agreed.
    pub approval: Approval,
    /// When it was asked for.
    pub offered_at: Time,
    /// Until when it waits; null where it was done at once.
    pub deadline: Option<Time>,
    /// When it was over.
    pub closed_at: Option<Time>,
    /// Why it was declined or withdrawn.
    pub because: Option<String>,
    /// The giver's token when it was asked for.
    pub token: Option<u64>,
    /// The giver's newest checkpoint, if it had one.
    pub checkpoint: Option<Carried>,
    /// Names of files that the task had made so far.
    pub artifacts: Vec<String>,
    /// The task as it stood then.
    pub task: Value,
    /// The taker's claim, right after it accepted.
    pub claim: Option<Given>,
}

/// A claim that was given with a handoff.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Given {
    /// The agent that holds the task now.
    pub agent: String,
    /// Its fencing token.
    pub token: u64,
    /// When its lease lapses; null, it holds until the agent is gone.
    pub expires_at: Option<Time>,
}

impl From<&Claim> for Given {
    fn from(claim: &Claim) -> Self {
        Given {
            agent: claim.agent.clone(),
            token: claim.token,
            expires_at: claim.expires_at,
        }
    }
}

impl Told {
    fn of(cell: &CellId, handoff: Handoff, deadline: Option<Time>) -> Self {
        let stated = handoff.deadline.map(|lease| lease.expires_at);
        Told {
            cell_id: cell.to_string(),
            id: handoff.id,
            task_id: handoff.task_id,
            from: handoff.from,
            to: handoff.to,
            by: handoff.by,
            reason: handoff.reason,
            state: handoff.state,
            approval: handoff.approval,
            offered_at: handoff.offered_at,
            deadline: deadline.or(stated),
            closed_at: handoff.closed_at,
            because: handoff.because,
            token: handoff.token,
            checkpoint: handoff.checkpoint,
            artifacts: handoff.artifacts,
            task: handoff.task,
            claim: None,
        }
    }
}

/// Closes each handoff that is over without anybody's word: what is due whoever comes first. Gives a sentence for each.
pub(crate) fn close_moot(
    writing: &mut Writing<'_>,
    now: &Moment,
    fence: &mut Fence,
) -> Result<Vec<String>> {
    let mut said = Vec::new();
    for (task, offer) in fence.offers.clone() {
        let id = HandoffId::new(offer.id.as_str());
        let read = id.and_then(|id| handoff::read_open(writing, &id));
        let waits = match read {
            Ok(waits) => waits,
            // It keeps nobody from writing; the list names it.
            Err(error) if error.kind() == Kind::Malformed => None,
            Err(error) => return Err(error),
        };
        let Some(mut waits) = waits else {
            fence.offers.remove(&task);
            fence::put_beside(writing, fence)?;
            continue;
        };
        let Some(moot) = moot(writing, &waits, &offer, now)? else {
            continue;
        };
        waits.close(moot.state(), Some(moot.words()), now.wall);
        handoff::put_closed(writing, fence, &waits)?;
        said.push(format!(
            "the handoff {} of {} to {} is {}: {}",
            waits.id,
            waits.task_id,
            shown(&waits.to),
            waits.state.word(),
            moot.words()
        ));
    }
    if !said.is_empty() {
        fence::put(writing, fence)?;
        due::commit_as(writing, "handoff close", &said.join("; "))?;
    }
    Ok(said)
}

fn moot(
    writing: &Writing<'_>,
    waits: &Handoff,
    offer: &Offer,
    now: &Moment,
) -> Result<Option<Moot>> {
    let read = || -> Result<(Option<Task>, Option<Agent>)> {
        let task = writing.read(&layout::task(&TaskId::new(waits.task_id.as_str())?))?;
        let taker = writing.read(&layout::agent(&AgentId::new(waits.to.as_str())?))?;
        Ok((task, taker))
    };
    match read() {
        Ok((task, taker)) => Ok(waits.moot(task.as_ref(), taker.as_ref(), &offer.deadline, now)),
        // Whoever cannot be read is not gone.
        Err(error) if error.kind() == Kind::Malformed => Ok(None),
        Err(error) => Err(error),
    }
}

/// The handoff that a text names: by its id, or by the task that is offered. One that is over is given too, by its id.
fn find(writing: &Writing<'_>, fence: &Fence, named: &str) -> Result<Handoff> {
    let known = fence.offers.get(named).map(|offer| offer.id.as_str());
    let id = HandoffId::new(known.unwrap_or(named))?;
    if let Some(waits) = handoff::read_open(writing, &id)? {
        return Ok(waits);
    }
    if let Some(over) = handoff::read(writing.cell(), &layout::handoff(&id))? {
        return Ok(over);
    }
    let is_task = TaskId::new(named).is_ok_and(|task| {
        let stat = writing.cell().folder().stat(&layout::task(&task));
        stat.is_ok_and(|stat| stat.is_some())
    });
    let message = match is_task {
        true => format!("{named} is offered to nobody"),
        false => format!("there is no handoff {named} in this cell"),
    };
    Err(Error::not_found(message).hint("`mcell handoff list --all` shows them"))
}
