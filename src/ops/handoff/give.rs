//! Giving a task to another agent: at once, or as an offer.

use super::Told;
use super::pass::Pass;
use crate::base::error::{Error, Result};
use crate::base::ids::{AgentId, TaskId};
use crate::base::text::shown;
use crate::mission::claim;
use crate::mission::handoff::HandoffState;
use crate::mission::lease::Lease;
use crate::mission::task::TaskStatus;
use crate::ops::session::Session;
use crate::ops::task::finish::let_go;
use crate::store::cell::OpenCell;
use crate::store::{fence, handoff};

/// Hands a task over at once, as an operator: it is pending and assigned to the taker, and whoever held it is fenced.
pub fn hand_over(
    session: &Session,
    cell: &OpenCell,
    id: &TaskId,
    to: &AgentId,
    reason: Option<&str>,
) -> Result<Told> {
    session.require_operator("hand a task over at once")?;
    let mut writing = session.write_because(cell, "handoff", reason)?;
    let pass = Pass::read(&writing, id, to)?;
    pass.require_possible()?;
    let mut task = pass.task.clone();
    let was_held = task.status == TaskStatus::InProgress;
    if !was_held && task.assigned_to.as_deref() == Some(to.as_str()) {
        return Err(
            Error::refused(format!("{id} is pending and assigned to {to} already")).hint(format!(
                "it takes it with `mcell task claim {id} --as {to}`"
            )),
        );
    }
    let now = writing.now();
    let new = handoff::new_id(cell)?;
    let mut handed = pass.bundle(session, &writing, &new, reason)?;
    handed.close(HandoffState::Done, None, now);
    if was_held {
        task.become_status(TaskStatus::Pending, now)?;
    }
    task.assigned_to = Some(to.to_string());
    let_go(&mut writing, id, &task, pass.from.as_deref())?;
    let mut fence = fence::read(&writing)?;
    if was_held {
        // Whatever the giver still sends is older than this.
        fence.next_token();
    }
    let offered = fence.offers.get(id.as_str()).map(|offer| offer.id.clone());
    if let Some(offered) = offered {
        let mut offered = super::find(&writing, &fence, &offered)?;
        let because = format!("an operator handed {id} to {to}");
        offered.close(HandoffState::Withdrawn, Some(because), now);
        handoff::put_closed(&mut writing, &mut fence, &offered)?;
    }
    handoff::put_closed(&mut writing, &mut fence, &handed)?;
    fence::put(&mut writing, &fence)?;
    let from = pass
        .from
        .as_deref()
        .map_or(String::new(), |from| format!(" from {}", shown(from)));
    writing.commit(&format!("handed {id}{from} over to {to} ({new})"))?;
    Ok(Told::of(cell.id(), handed, None))
}

/// Offers a task to another agent, which has `seconds` to accept: as the agent that holds it, or as an operator. Until
/// then it stays where it is. The same offer again is the same one.
pub fn offer(
    session: &Session,
    cell: &OpenCell,
    id: &TaskId,
    to: &AgentId,
    reason: Option<&str>,
    seconds: u64,
) -> Result<Told> {
    if seconds == 0 {
        return Err(Error::usage("an offer of no time cannot be accepted").hint("`--deadline 15m`"));
    }
    let mut writing = session.write_because(cell, "handoff offer", reason)?;
    let pass = Pass::read(&writing, id, to)?;
    if let Some(agent) = &session.agent {
        let token = session.token_for(id.as_str())?;
        claim::require_holder(id.as_str(), &pass.task, agent.as_str(), token)?;
    }
    pass.require_possible()?;
    if pass.from.is_none() && pass.task.status == TaskStatus::InProgress {
        return Err(Error::refused(format!(
            "{id} is in progress, and its file does not say whose it is"
        ))
        .hint(format!("`mcell task release {id}` makes it pending again")));
    }
    let mut fence = fence::read(&writing)?;
    if let Some(known) = fence.offers.get(id.as_str()) {
        let waits = super::find(&writing, &fence, &known.id)?;
        if waits.to == to.as_str() {
            return Ok(Told::of(cell.id(), waits, Some(known.deadline.expires_at)));
        }
        return Err(
            Error::refused(format!("{id} is offered to {} already", shown(&waits.to))).hint(
                format!("take that back first: `mcell handoff decline {}`", waits.id),
            ),
        );
    }
    let new = handoff::new_id(cell)?;
    let mut offered = pass.bundle(session, &writing, &new, reason)?;
    let mut deadline = Lease::begin(seconds, &session.moment());
    if pass.cell_stands() {
        deadline.freeze(&session.moment());
    }
    offered.deadline = Some(deadline);
    handoff::put_open(&mut writing, &mut fence, &offered)?;
    fence::put(&mut writing, &fence)?;
    writing.commit(&format!("offered {id} to {to} ({new})"))?;
    Ok(Told::of(cell.id(), offered, None))
}
